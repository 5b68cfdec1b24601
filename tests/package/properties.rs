//! Whatever is called in whatever order: nothing panics, no reference is lost, no authentication is given away.

use std::sync::atomic::Ordering;

use crate::support::sasl::*;
use crate::support::*;
use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::Challenge;
use digest_ssp::package::configuration::SequencePolicy;
use digest_ssp::status::SecurityStatus as Status;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// One thing a tester does. Indices count from the newest and wrap, so every operation means something everywhere.
#[derive(Debug, Clone)]
enum Operation {
    Challenge { auth_int: bool, on: Option<usize> },
    Accept { token: Token, on: Option<usize>, with_entity: bool, capacity: usize },
    Complete { token: Token, context: usize, with_entity: bool, capacity: usize },
    Verify { token: Token, context: usize },
    Delete { context: usize },
    Expire,
    Fault { which: usize, down: bool },
}

#[derive(Debug, Clone)]
struct Token {
    challenge: usize,
    auth_int: bool,
    count: u32,
    right: bool,
    garbage: Option<Vec<u8>>,
}

fn token() -> impl Strategy<Value = Token> {
    let garbage = prop::option::weighted(0.1, prop::collection::vec(any::<u8>(), 0..40));
    (0..4_usize, any::<bool>(), 0..5_u32, prop::bool::weighted(0.8), garbage)
        .prop_map(|(challenge, auth_int, count, right, garbage)| Token { challenge, auth_int, count, right, garbage })
}

fn operation() -> impl Strategy<Value = Operation> {
    let capacity = || prop_oneof![4 => Just(2048_usize), 1 => Just(0), 1 => 1..300_usize];
    let on = || prop::option::weighted(0.4, 0..6_usize);
    prop_oneof![
        2 => (any::<bool>(), on()).prop_map(|(auth_int, on)| Operation::Challenge { auth_int, on }),
        6 => (token(), on(), any::<bool>(), capacity()).prop_map(|(token, on, with_entity, capacity)| {
            Operation::Accept { token, on, with_entity, capacity }
        }),
        6 => (token(), 0..6_usize, any::<bool>(), capacity()).prop_map(|(token, context, with_entity, capacity)| {
            Operation::Complete { token, context, with_entity, capacity }
        }),
        1 => (token(), 0..6_usize).prop_map(|(token, context)| Operation::Verify { token, context }),
        2 => (0..6_usize).prop_map(|context| Operation::Delete { context }),
        1 => Just(Operation::Expire),
        1 => (0..3_usize, prop::bool::weighted(0.3)).prop_map(|(which, down)| Operation::Fault { which, down }),
    ]
}

struct Run {
    server: Server,
    contexts: Vec<CtxtHandle>,
    challenges: Vec<Challenge>,
}

impl Run {
    fn context(&self, index: usize) -> Option<CtxtHandle> {
        let length = self.contexts.len();
        self.contexts.get(length.checked_sub(1 + index.checked_rem(length)?)?).copied()
    }

    fn client(token: &Token) -> Client {
        let password = if token.right { "secret" } else { "wrong" };
        let client = if token.auth_int { Client::auth_int() } else { Client::default() };
        Client { password: password.to_owned(), ..client }
    }

    fn bytes(&self, token: &Token) -> Option<Vec<u8>> {
        if let Some(garbage) = &token.garbage {
            return Some(garbage.clone());
        }
        let length = self.challenges.len();
        let challenge = self.challenges.get(length.checked_sub(1 + token.challenge.checked_rem(length)?)?)?;
        Some(Self::client(token).token(challenge, token.count))
    }

    fn learn(&mut self, output: &[u8]) {
        if !untouched(output) && directive(output, "nonce").is_some() {
            self.challenges.push(parse(output));
        }
    }

    fn accept(&mut self, on: Option<usize>, input: &Input<'_>) -> Option<Status> {
        let on = on.and_then(|index| self.context(index));
        let before = on.map(|context| self.server.state(context));
        let (result, output) = self.server.accept(on, input);
        if let Ok(accepted) = &result {
            if on.is_none() {
                self.contexts.push(accepted.context);
            }
            if input.capacity > 0 {
                self.learn(&output);
            }
            Some(accepted.status)
        } else {
            assert!(untouched(&output) || input.capacity == 0);
            let after = on.map(|context| self.server.state(context));
            assert!(after == before || after == Some("rejected"), "{before:?} {after:?}");
            None
        }
    }

    fn operate(&mut self, operation: &Operation) {
        match operation {
            Operation::Challenge { auth_int, on } => {
                let requirements = if *auth_int { AUTH_INT } else { HTTP };
                self.accept(*on, &Input { requirements, ..Input::default() });
            }
            Operation::Accept { token, on, with_entity, capacity } => {
                let Some(bytes) = self.bytes(token) else { return };
                let client = Self::client(token);
                let entity = if *with_entity { client.entity.as_bytes() } else { b"" };
                let input = Input { entity, capacity: *capacity, ..client.input(&bytes) };
                let status = self.accept(*on, &input);
                if status == Some(Status::SEC_E_OK) {
                    assert!(token.right && token.garbage.is_none(), "authenticated a wrong password");
                }
            }
            Operation::Complete { token, context, with_entity, capacity } => {
                let (Some(bytes), Some(context)) = (self.bytes(token), self.context(*context)) else { return };
                let client = Self::client(token);
                let entity = if *with_entity { client.entity.as_bytes() } else { b"" };
                let before = self.server.state(context);
                let message = Message { entity, capacity: *capacity, ..client.message(&bytes) };
                let (result, output) = self.server.complete(context, &message);
                let after = self.server.state(context);
                match result.map_err(|failure| failure.status) {
                    Ok(()) => {
                        assert!(token.right && token.garbage.is_none(), "completed with a wrong password");
                        let expected = if before.starts_with("complete-needed") { "established" } else { "challenged" };
                        assert_eq!(after, expected);
                        self.learn(&output);
                    }
                    Err(Status::SEC_E_OUT_OF_SEQUENCE) => {
                        if before.starts_with("complete") {
                            assert!(token.right && token.garbage.is_none(), "a wrong digest heard of the count");
                            self.learn(&output);
                        } else {
                            assert_eq!(after, before);
                        }
                    }
                    Err(_) => {
                        assert!(before.starts_with("complete"), "nothing was pending");
                        assert!(after == before || after == "rejected");
                        assert!(untouched(&output) || *capacity == 0);
                    }
                }
            }
            Operation::Verify { token, context } => {
                let (Some(mut bytes), Some(context)) = (self.bytes(token), self.context(*context)) else { return };
                let before = self.server.state(context);
                let mut method = b"GET".to_vec();
                let mut buffers = [
                    SecBuffer::new(BufferType::TOKEN, &mut bytes),
                    SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
                ];
                let mut descriptor = SecBufferDesc::new(&mut buffers);
                if self.server.package.verify_signature(Some(context), Some(&mut descriptor)).is_ok() {
                    assert!(token.right && token.garbage.is_none() && before == "established");
                }
                assert_eq!(self.server.state(context), before);
            }
            Operation::Delete { context } => {
                let Some(context) = self.context(*context) else { return };
                self.server.package.delete_security_context(Some(context)).expect("issued once");
                self.contexts.retain(|other| *other != context);
            }
            Operation::Expire => self.server.expire(),
            Operation::Fault { which, down } => {
                let knobs = &self.server.knobs;
                let knob = [&knobs.clock_down, &knobs.entropy_down, &knobs.accounts_down][*which];
                knob.store(*down, Ordering::SeqCst);
            }
        }
    }

    fn check(&self) {
        let referring = self.contexts.iter().map(|context| self.server.state(*context));
        let referring = referring.filter(|state| state.starts_with("complete") || *state == "established");
        assert_eq!(self.server.package.sessions().1, referring.count(), "a reference was lost or kept");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/package_properties.txt"))),
        ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn references_and_authentications_add_up(
        operations in prop::collection::vec(operation(), 1..60),
        window in any::<bool>(),
    ) {
        let server = Server::new(|configuration| {
            configuration.limits.challenges = 3;
            configuration.limits.failures = 2;
            configuration.limits.contexts = 8;
            if window {
                configuration.sequence = SequencePolicy::Window(2.try_into().expect("not zero"));
            }
        });
        let mut run = Run { server, contexts: Vec::new(), challenges: Vec::new() };
        for operation in &operations {
            run.operate(operation);
            run.check();
        }
        for context in run.contexts.drain(..) {
            run.server.package.delete_security_context(Some(context)).expect("issued once");
        }
        let (left, references) = run.server.package.sessions();
        prop_assert_eq!(references, 0);
        prop_assert!(left <= 3, "only unanswered challenges outlive their handles");
    }

    #[test]
    fn no_descriptor_is_too_strange(
        shapes in prop::collection::vec((any::<u32>(), 0..4_u32, prop::option::of(0..40_usize)), 0..6),
        version in 0..2_u32,
        count in 0..8_u32,
        pointer in prop::bool::weighted(0.9),
    ) {
        let server = Server::default();
        let client = Client::default();
        let (established, challenge) = server.establish(&client);
        let token = client.token(&challenge, 2);
        let (waiting, _) = server.accept(None, &client.input(&token));
        let waiting = waiting.expect("it names the session").context;
        let (protected, _) = server.sasl_establish(&SaslClient::auth_int());
        let (encrypted, _) = server.sasl_establish(&SaslClient::auth_conf("des"));
        let mut memory: Vec<Vec<u8>> = shapes.iter().map(|(_, _, length)| vec![b'x'; length.unwrap_or(0)]).collect();
        let mut buffers: Vec<SecBuffer<'_>> = shapes
            .iter()
            .zip(&mut memory)
            .map(|((kind, more, length), memory)| SecBuffer {
                buffer_type: BufferType([0, 1, 2, 3, 6, 9, 10, 14, 16, 2 | BufferType::READONLY, *kind][*kind as usize % 11]),
                count: memory.len() as u32 + more,
                data: length.map(|_| &mut memory[..]),
            })
            .collect();
        let package = &server.package;
        for context in [None, Some(waiting), Some(established), Some(protected), Some(encrypted)] {
            let mut descriptor =
                SecBufferDesc { version, count, buffers: if pointer { Some(&mut buffers) } else { None } };
            let _ = package.make_signature(context, Some(&mut descriptor));
            let _ = package.verify_signature(context, Some(&mut descriptor));
            let _ = package.encrypt_message(context, Some(&mut descriptor));
            let _ = package.decrypt_message(context, Some(&mut descriptor));
            let _ = package.complete_auth_token(context, Some(&mut descriptor));
            let _ = package.accept_security_context(
                Some(server.credential), context, Some(&mut descriptor), HTTP, None,
            );
            let _ = package.accept_security_context(
                Some(server.credential), context, None, HTTP, Some(&mut descriptor),
            );
        }
    }
}
