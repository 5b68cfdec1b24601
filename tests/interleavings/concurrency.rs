//! Concurrent calls: every interleaving of locks that a seeded scheduler finds.
//!
//! `cargo test`, in this directory.
#![forbid(unsafe_code)]

#[path = "../package/support/mod.rs"]
mod package_support;

use std::sync::Arc;

use digest_ssp::buffer::CtxtHandle;
use digest_ssp::package::InitializeRequirements;
use digest_ssp::status::SecurityStatus as Status;
use digest_ssp::sync::{Mutex, lock};
use package_support::sasl::*;
use package_support::*;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

const ITERATIONS: usize = 2_000;
/// Preemptions a bug may need; each of the races below needs one or two.
const DEPTH: usize = 3;

/// The schedules are the same in every run.
const SEED: u64 = 2617;

fn explore(scenario: fn()) {
    Runner::new(RandomScheduler::new_from_seed(SEED, ITERATIONS), Config::default()).run(scenario);
    Runner::new(PctScheduler::new_from_seed(SEED, DEPTH, ITERATIONS), Config::default()).run(scenario);
}

fn status_of<T>(result: Result<T, digest_ssp::package::Failure>) -> Status {
    result.map_or_else(|failure| failure.status, |_| Status::SEC_E_OK)
}

/// Runs both at once and gives back what they came to, in a fixed order.
fn race<T: Send + 'static>(
    one: impl FnOnce() -> T + Send + 'static,
    other: impl FnOnce() -> T + Send + 'static,
) -> [T; 2] {
    let threads = (thread::spawn(one), thread::spawn(other));
    [threads.0.join().expect("no call panics"), threads.1.join().expect("no call panics")]
}

fn waiting(server: &Server, client: &Client, token: &[u8]) -> CtxtHandle {
    let (result, _) = server.accept(None, &Input { entity: b"", ..client.input(token) });
    let accepted = result.expect("a token that names something");
    assert_eq!(accepted.status, Status::SEC_I_COMPLETE_NEEDED);
    accepted.context
}

fn assert_one_wins(mut statuses: [Status; 2]) {
    statuses.sort_unstable();
    assert_eq!(statuses, [Status::SEC_E_OK, Status::SEC_E_OUT_OF_SEQUENCE]);
}

/// Two handles complete the same token.
fn same_token() {
    let server = Arc::new(Server::default());
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let token = client.token(&challenge, 2);
    let [one, other] = [0, 1].map(|_| {
        let context = waiting(&server, &client, &token);
        let (server, client, token) = (Arc::clone(&server), client.clone(), token.clone());
        move || status_of(server.complete(context, &client.message(&token)).0)
    });
    assert_one_wins(race(one, other));
}

#[test]
fn of_two_completions_of_one_token_one_succeeds() {
    explore(same_token);
}

/// Two handles complete the same fast reauthentication of SASL.
fn same_sasl_token() {
    let server = Arc::new(Server::default());
    let client = SaslClient::default();
    let (_, nonce) = server.sasl_establish(&client);
    let token = client.token(&nonce, 2);
    let [one, other] = [0, 1].map(|_| {
        let context = server.sasl_pending(&client, &token);
        let (server, token) = (Arc::clone(&server), token.clone());
        move || status_of(server.complete(context, &Message { token: &token, ..Message::default() }).0)
    });
    assert_one_wins(race(one, other));
    assert_eq!(server.package.sessions().1, 2, "the loser refers to nothing");
}

#[test]
fn of_two_completions_of_one_fast_reauthentication_one_succeeds() {
    explore(same_sasl_token);
}

/// Two calls answer one challenge of SASL: one establishes, the other finds a session.
fn two_sasl_answers() {
    let server = Arc::new(Server::default());
    let client = SaslClient::auth_int();
    let (_, nonce) = server.sasl_challenge(INTEGRITY);
    let [one, other] = [0, 1].map(|_| {
        let (server, client, token) = (Arc::clone(&server), client.clone(), client.token(&nonce, 1));
        move || server.accept(None, &client.input(&token)).0.expect("a right response").status
    });
    let mut statuses = race(one, other);
    statuses.sort_unstable();
    assert_eq!(statuses, [Status::SEC_E_OK, Status::SEC_I_COMPLETE_NEEDED]);
}

#[test]
fn of_two_answers_of_one_sasl_challenge_one_establishes() {
    explore(two_sasl_answers);
}

/// Two threads sign with one context: no number is used twice (`encryptmessage`: one thread may encrypt while another
/// decrypts; here any may).
fn two_signatures() {
    let server = Arc::new(Server::default());
    let (context, _) = server.sasl_establish(&SaslClient::auth_int());
    let [one, other] = [0, 1].map(|_| {
        let server = Arc::clone(&server);
        move || sign(&server.package, context, b"message").expect("an established context")[15]
    });
    let mut numbers = race(one, other);
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1]);
}

#[test]
fn of_two_signatures_each_has_its_number() {
    explore(two_signatures);
}

/// One thread encrypts while another decrypts on one context (`encryptmessage`): each direction goes on by itself.
fn both_directions() {
    let (server, peer) = (Arc::new(Server::default()), Peer::default());
    let confidentiality = InitializeRequirements::CONFIDENTIALITY;
    let [accepted, established] = sasl_exchange(&server, &peer, CONFIDENTIALITY, confidentiality);
    let incoming = [b"one", b"two"].map(|text| encrypt(&peer.package, established, text).expect("established"));
    let out = {
        let server = Arc::clone(&server);
        move || [b"uno", b"due"].map(|text| encrypt(&server.package, accepted, text).expect("established"))
    };
    let inward = {
        let server = Arc::clone(&server);
        move || {
            incoming.map(|wrapped| {
                let (result, plaintext) = decrypt(&server.package, accepted, &wrapped);
                result.expect("in sequence");
                plaintext
            })
        }
    };
    let [outgoing, received] = race(out, inward);
    assert_eq!(received, [b"one", b"two"]);
    let sent = outgoing.map(|wrapped| decrypt(&peer.package, established, &wrapped).1);
    assert_eq!(sent, [b"uno", b"due"]);
}

#[test]
fn each_direction_goes_on_by_itself() {
    explore(both_directions);
}

/// A context is deleted while a message is wrapped: the call is over before, or finds no context; nothing is left.
fn deletion_meets_a_message() {
    let server = Arc::new(Server::default());
    let (context, _) = server.sasl_establish(&SaslClient::auth_conf("rc4"));
    let wrap = {
        let server = Arc::clone(&server);
        move || status_of(encrypt(&server.package, context, b"message"))
    };
    let delete = {
        let server = Arc::clone(&server);
        move || status_of(server.package.delete_security_context(Some(context)))
    };
    let [wrapped, deleted] = race(wrap, delete);
    assert!([Status::SEC_E_OK, Status::SEC_E_INVALID_HANDLE].contains(&wrapped), "{wrapped}");
    assert_eq!((deleted, server.package.sessions()), (Status::SEC_E_OK, (0, 0)));
}

#[test]
fn a_deletion_may_meet_a_message() {
    explore(deletion_meets_a_message);
}

/// Two handles complete the same answer of one challenge, whose body was not read before.
fn same_answer() {
    let server = Arc::new(Server::default());
    let client = Client::auth_int();
    let (_, challenge) = server.challenge(AUTH_INT);
    let token = client.token(&challenge, 1);
    let [one, other] = [0, 1].map(|_| {
        let context = waiting(&server, &client, &token);
        let (server, client, token) = (Arc::clone(&server), client.clone(), token.clone());
        move || status_of(server.complete(context, &client.message(&token)).0)
    });
    assert_one_wins(race(one, other));
    assert_eq!(server.package.sessions().1, 1, "the loser refers to nothing");
}

#[test]
fn of_two_completions_of_one_challenge_one_succeeds() {
    explore(same_answer);
}

/// Two calls answer one challenge: one establishes, the other finds a session.
fn two_answers() {
    let server = Arc::new(Server::default());
    let client = Client::default();
    let (_, challenge) = server.challenge(HTTP);
    let [one, other] = [0, 1].map(|_| {
        let (server, client, token) = (Arc::clone(&server), client.clone(), client.token(&challenge, 1));
        move || {
            let accepted = server.accept(None, &client.input(&token)).0.expect("a right response");
            (accepted.status, accepted.context)
        }
    });
    let results = race(one, other);
    let mut statuses = results.map(|(status, _)| status);
    statuses.sort_unstable();
    assert_eq!(statuses, [Status::SEC_E_OK, Status::SEC_I_COMPLETE_NEEDED]);
    for (_, context) in results {
        server.package.delete_security_context(Some(context)).expect("a live handle");
    }
    assert_eq!(server.package.sessions(), (0, 0));
}

#[test]
fn of_two_answers_of_one_challenge_one_establishes() {
    explore(two_answers);
}

/// A handle is deleted while it is completed.
fn deletion() {
    let server = Arc::new(Server::default());
    let client = Client::default();
    let (session, challenge) = server.establish(&client);
    let token = client.token(&challenge, 2);
    let context = waiting(&server, &client, &token);
    let complete = {
        let server = Arc::clone(&server);
        move || status_of(server.complete(context, &client.message(&token)).0)
    };
    let delete = {
        let server = Arc::clone(&server);
        move || status_of(server.package.delete_security_context(Some(context)))
    };
    let [completed, deleted] = race(complete, delete);
    assert!([Status::SEC_E_OK, Status::SEC_E_INVALID_HANDLE].contains(&completed), "{completed}");
    assert_eq!(deleted, Status::SEC_E_OK);
    assert_eq!(server.package.sessions().1, 1);
    server.package.delete_security_context(Some(session)).expect("a live handle");
    assert_eq!(server.package.sessions(), (0, 0));
}

#[test]
fn a_deletion_may_meet_a_completion() {
    explore(deletion);
}

/// The last handle of a session is deleted while a further request names it.
fn last_handle() {
    let server = Arc::new(Server::default());
    let client = Client::default();
    let (session, challenge) = server.establish(&client);
    let token = client.token(&challenge, 2);
    let accept = {
        let server = Arc::clone(&server);
        move || server.accept(None, &client.input(&token)).0.expect("named or not").status
    };
    let delete = {
        let server = Arc::clone(&server);
        move || status_of(server.package.delete_security_context(Some(session)))
    };
    let [accepted, deleted] = race(accept, delete);
    let references = match accepted {
        Status::SEC_I_COMPLETE_NEEDED => 1,
        Status::SEC_I_CONTINUE_NEEDED => 0,
        other => panic!("{other}"),
    };
    assert_eq!((deleted, server.package.sessions().1), (Status::SEC_E_OK, references));
}

#[test]
fn a_session_ends_or_is_named_never_both() {
    explore(last_handle);
}

/// What [`digest_ssp::context::sessions::Sessions::take_count`] would be if check and update were two steps.
fn torn_count() {
    let last = Arc::new(Mutex::new(1_u32));
    let [one, other] = [0, 1].map(|_| {
        let last = Arc::clone(&last);
        move || {
            let accepted = 2 == *lock(&last) + 1;
            if accepted {
                *lock(&last) = 2;
                Status::SEC_E_OK
            } else {
                Status::SEC_E_OUT_OF_SEQUENCE
            }
        }
    });
    assert_one_wins(race(one, other));
}

/// The search is able to find what it looks for.
#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn a_torn_count_is_found_out() {
    explore(torn_count);
}
