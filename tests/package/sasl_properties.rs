//! The counts of SASL sessions over many handles, against a model that keeps every count it ever took.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;

use crate::support::sasl::*;
use crate::support::*;
use digest_ssp::buffer::CtxtHandle;
use digest_ssp::package::configuration::SequencePolicy;
use digest_ssp::status::SecurityStatus as Status;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const CHALLENGES: usize = 4;

/// One thing a tester does. Indices count from the newest and wrap, so every operation means something everywhere.
#[derive(Debug, Clone)]
enum Operation {
    /// A challenge and its answer.
    Begin {
        auth_int: bool,
    },
    /// A further response, on no handle.
    Further {
        session: usize,
        count: u32,
    },
    Complete {
        context: usize,
        count: u32,
        right: bool,
        room: bool,
    },
    Delete {
        context: usize,
    },
    /// A challenge and an answer that leads nowhere, on the challenge's handle or on none.
    Miss {
        miss: Miss,
        on_handle: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Miss {
    Password,
    User,
    Authzid,
    Count,
    Cipher,
    Room,
    Entropy,
    Accounts,
}

const MISSES: [Miss; 8] =
    [Miss::Password, Miss::User, Miss::Authzid, Miss::Count, Miss::Cipher, Miss::Room, Miss::Entropy, Miss::Accounts];

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => any::<bool>().prop_map(|auth_int| Operation::Begin { auth_int }),
        5 => (0..4_usize, 0..8_u32).prop_map(|(session, count)| Operation::Further { session, count }),
        6 => (0..6_usize, 0..8_u32, prop::bool::weighted(0.8), prop::bool::weighted(0.8))
            .prop_map(|(context, count, right, room)| Operation::Complete { context, count, right, room }),
        1 => (0..6_usize).prop_map(|context| Operation::Delete { context }),
        2 => (prop::sample::select(&MISSES), any::<bool>())
            .prop_map(|(miss, on_handle)| Operation::Miss { miss, on_handle }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Established,
    Rejected,
}

/// What the model knows of a session: every count that was ever taken.
struct Session {
    client: SaslClient,
    nonce: String,
    taken: BTreeSet<u32>,
}

struct Run {
    server: Server,
    window: Option<u32>,
    sessions: Vec<Session>,
    contexts: Vec<(CtxtHandle, usize, State)>,
}

/// From the newest, wrapping.
fn index(length: usize, back: usize) -> Option<usize> {
    length.checked_sub(1 + back.checked_rem(length)?)
}

impl Run {
    fn accepts(&self, session: usize, count: u32) -> bool {
        let taken = &self.sessions[session].taken;
        let last = taken.last().copied().unwrap_or(0);
        match self.window {
            None => count == last + 1,
            Some(window) => count > 0 && count + window > last && count <= last + window && !taken.contains(&count),
        }
    }

    fn is_alive(&self, session: usize) -> bool {
        self.contexts.iter().any(|(_, of, state)| *of == session && *state != State::Rejected)
    }

    fn operate(&mut self, operation: &Operation) {
        match operation {
            Operation::Begin { auth_int } => {
                let client = if *auth_int { SaslClient::auth_int() } else { SaslClient::default() };
                let (handle, nonce) = self.server.sasl_establish(&client);
                self.contexts.push((handle, self.sessions.len(), State::Established));
                self.sessions.push(Session { client, nonce, taken: BTreeSet::from([1]) });
            }
            Operation::Further { session, count } => {
                let Some(session) = index(self.sessions.len(), *session) else { return };
                let Session { client, nonce, .. } = &self.sessions[session];
                let (result, output) = self.server.accept(None, &client.input(&client.token(nonce, *count)));
                let accepted = result.expect("a right digest");
                if self.is_alive(session) {
                    assert_eq!((accepted.status, output), (Status::SEC_I_COMPLETE_NEEDED, Vec::new()));
                    self.contexts.push((accepted.context, session, State::Pending));
                } else {
                    assert_eq!(accepted.status, Status::SEC_I_CONTINUE_NEEDED);
                    assert!(parse_sasl(&output).stale);
                    self.server.package.delete_security_context(Some(accepted.context)).expect("live");
                }
            }
            Operation::Complete { context, count, right, room } => {
                let Some(at) = index(self.contexts.len(), *context) else { return };
                let (handle, session, before) = self.contexts[at];
                let Session { client, nonce, .. } = &self.sessions[session];
                let password = if *right { "secret" } else { "wrong" };
                let signer = SaslClient { password: password.to_owned(), ..client.clone() };
                let token = signer.token(nonce, *count);
                let capacity = if *room { 2048 } else { PROOF - 1 };
                let (result, output) =
                    self.server.complete(handle, &Message { token: &token, capacity, ..Message::default() });
                let (expected, after) = match (before, *right, self.accepts(session, *count), *room) {
                    (State::Pending, true, true, true) => (None, State::Established),
                    (State::Pending, true, true, false) => (Some(Status::SEC_E_INSUFFICIENT_MEMORY), before),
                    (State::Pending, true, false, _) => (Some(Status::SEC_E_OUT_OF_SEQUENCE), State::Rejected),
                    (State::Pending, false, _, _) => (Some(Status::SEC_E_MESSAGE_ALTERED), State::Rejected),
                    (State::Established | State::Rejected, ..) => (Some(Status::SEC_E_OUT_OF_SEQUENCE), before),
                };
                assert_eq!(result.err().map(|failure| failure.status), expected);
                if expected.is_none() {
                    assert_eq!(output, client.proof(nonce, *count));
                    self.sessions[session].taken.insert(*count);
                }
                self.contexts[at].2 = after;
            }
            Operation::Delete { context } => {
                let Some(at) = index(self.contexts.len(), *context) else { return };
                let (handle, ..) = self.contexts.remove(at);
                self.server.package.delete_security_context(Some(handle)).expect("live");
            }
            Operation::Miss { miss, on_handle } => self.miss(*miss, *on_handle),
        }
    }

    fn miss(&self, miss: Miss, on_handle: bool) {
        let Server { package, knobs, .. } = &self.server;
        let right = SaslClient::default();
        let client = match miss {
            Miss::Password => SaslClient { password: "wrong".to_owned(), ..right },
            Miss::User => SaslClient { username: "nobody".to_owned(), ..right },
            Miss::Authzid => SaslClient { authzid: Some("bob".to_owned()), ..right },
            // A weaker offer than the response takes.
            Miss::Cipher => SaslClient::auth_conf("rc4"),
            Miss::Count | Miss::Room | Miss::Entropy | Miss::Accounts => right,
        };
        let (challenged, nonce) = self.server.sasl_challenge(AUTH);
        let (count, down) = match miss {
            // Its challenge needs entropy.
            Miss::Entropy => (2, Some(&knobs.entropy_down)),
            Miss::Count => (2, None),
            Miss::Accounts => (1, Some(&knobs.accounts_down)),
            Miss::Password | Miss::User | Miss::Authzid | Miss::Cipher | Miss::Room => (1, None),
        };
        let capacity = if matches!(miss, Miss::Room) { PROOF - 1 } else { 2048 };
        let token = client.token(&nonce, count);
        let references = package.sessions().1;
        if let Some(down) = down {
            down.store(true, Ordering::SeqCst);
        }
        let context = on_handle.then_some(challenged);
        let (result, _) = self.server.accept(context, &Input { capacity, ..sasl_input(&token, AUTH) });
        if let Some(down) = down {
            down.store(false, Ordering::SeqCst);
        }
        assert!(!result.as_ref().is_ok_and(|accepted| accepted.status == Status::SEC_E_OK), "{miss:?}");
        assert_eq!(package.sessions().1, references, "{miss:?}");
        let made = result.ok().map(|accepted| accepted.context).filter(|made| *made != challenged);
        for handle in [Some(challenged), made].into_iter().flatten() {
            package.delete_security_context(Some(handle)).expect("live");
        }
    }

    /// Deletes every context: no session outlives them, and of challenges there are no more than the limit.
    fn end(self) {
        for (handle, ..) in self.contexts {
            self.server.package.delete_security_context(Some(handle)).expect("live");
        }
        let (entries, references) = self.server.package.sessions();
        assert!(entries <= CHALLENGES && references == 0, "{entries} challenges and sessions, {references} references");
    }

    fn check(&self) {
        let referring = self.contexts.iter().filter(|(_, _, state)| *state != State::Rejected);
        assert_eq!(self.server.package.sessions().1, referring.count(), "a reference was lost or kept");
        for (handle, _, state) in &self.contexts {
            let name = match state {
                State::Pending => "complete-needed-subsequent",
                State::Established => "established",
                State::Rejected => "rejected",
            };
            assert_eq!(self.server.state(*handle), name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/package_sasl_properties.txt"))),
        ..ProptestConfig::with_cases(300)
    })]

    #[test]
    fn counts_add_up_over_handles(
        operations in prop::collection::vec(operation(), 1..60),
        window in prop::option::of(1..4_u32),
    ) {
        let server = Server::new(|configuration| {
            configuration.limits.challenges = CHALLENGES;
            if let Some(window) = window.and_then(NonZeroU32::new) {
                configuration.sequence = SequencePolicy::Window(window);
            }
        });
        let mut run = Run { server, window, sessions: Vec::new(), contexts: Vec::new() };
        for operation in &operations {
            run.operate(operation);
            run.check();
        }
        run.end();
    }
}
