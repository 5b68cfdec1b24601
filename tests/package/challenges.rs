//! What becomes of the challenges of an acceptor: how many there may be, what keeps one, and what answers it.

use std::sync::atomic::Ordering;

use crate::support::*;
use digest_ssp::status::SecurityStatus as Status;

#[test]
fn limits_lock_nobody_out() {
    let server = Server::new(|configuration| {
        configuration.limits.challenges = 2;
        configuration.limits.failures = 2;
        configuration.limits.contexts = 4;
    });
    let client = Client::default();
    let thief = Client { password: "guess".to_owned(), ..client.clone() };
    let (session, established) = server.establish(&client);
    let (context, first) = server.challenge(HTTP);
    // A flood of challenges on one handle evicts the oldest unanswered one, and no session.
    for _ in 0..5 {
        server.accept(Some(context), &Input::default()).0.expect("a challenge");
    }
    let (result, output) = server.accept(Some(context), &client.input(&client.token(&first, 1)));
    assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
    let second = parse(&output);
    assert!(second.stale);
    for expected in [Some(Status::SEC_E_LOGON_DENIED), Some(Status::SEC_E_LOGON_DENIED), None] {
        let (result, _) = server.accept(None, &thief.input(&thief.token(&second, 1)));
        match expected {
            Some(expected) => assert_eq!(status(&result), expected),
            None => {
                let accepted = result.expect("failed too often: it names nothing");
                server.package.delete_security_context(Some(accepted.context)).expect("live");
            }
        }
    }
    let token = client.token(&established, 2);
    let waiting = server.pending(&client, &token);
    server.complete(waiting, &client.message(&token)).0.expect("the session lives");
    let (_, _) = server.challenge(HTTP);
    let (result, output) = server.accept(None, &Input::default());
    assert_eq!(status(&result), Status::SEC_E_INSUFFICIENT_MEMORY);
    assert!(untouched(&output));
    server.package.delete_security_context(Some(session)).expect("live");
    server.challenge(HTTP);
}

#[test]
fn a_pending_answer_pins_its_challenge() {
    let server = Server::new(|configuration| configuration.limits.challenges = 1);
    let client = Client::auth_int();
    let (first, challenge) = server.challenge(AUTH_INT);
    let token = client.token(&challenge, 1);
    let waiting = [(); 2].map(|()| server.pending(&client, &token));
    server.package.delete_security_context(Some(first)).expect("live");
    server.challenge(AUTH_INT);
    server.expire();
    server.complete(waiting[0], &client.message(&token)).0.expect("evicted and expired after ASC");
    let (result, _) = server.complete(waiting[1], &client.message(&token));
    assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE, "answered meanwhile: the session judges");
    // The session can be named again.
    let token = client.token(&challenge, 2);
    let (result, _) = server.accept(None, &client.input(&token));
    assert_eq!(result.expect("it names the session").status, Status::SEC_I_COMPLETE_AND_CONTINUE);
}

/// Who judges a session's request knows its key.
#[test]
fn what_was_answered_meanwhile_needs_no_account_source() {
    let server = Server::default();
    let client = Client::auth_int();
    let (_, challenge) = server.challenge(AUTH_INT);
    let tokens = [1, 2].map(|count| client.token(&challenge, count));
    let [first, second] = [&tokens[0], &tokens[1]].map(|token| (server.pending(&client, token), token));
    server.complete(first.0, &client.message(first.1)).0.expect("the account source is there");
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    server.complete(second.0, &client.message(second.1)).0.expect("the session has the key");
}

/// Where entropy repeats itself, what was forgotten is in nobody's way.
#[test]
fn a_forgotten_challenge_keeps_no_place() {
    let server = Server::new(|configuration| configuration.limits.challenges = 1);
    let client = Client::default();
    let drawn = server.knobs.drawn.load(Ordering::SeqCst);
    let (_, forgotten) = server.challenge(HTTP);
    server.challenge(HTTP);
    server.knobs.drawn.store(drawn, Ordering::SeqCst);
    let (_, again) = server.challenge(HTTP);
    assert_eq!((&again.nonce, &again.opaque), (&forgotten.nonce, &forgotten.opaque));
    let (result, _) = server.accept(None, &client.input(&client.token(&again, 1)));
    assert_eq!(result.expect("it names the challenge").status, Status::SEC_E_OK);
}
