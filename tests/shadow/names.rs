//! What a token names: nonce and opaque both its own, under the same credentials identity.

use super::support::*;
use digest_ssp::digest::Qop;
use digest_ssp::spec::Outcome;
use digest_ssp::status::SecurityStatus as Status;

#[test]
fn a_challenge_is_answered_through_any_handle() {
    let mut bench = Bench::new();
    let (mine, _) = bench.challenged(Qop::Auth);
    let (_, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    bench.authenticates(mine, &request);
    // It was answered: now the token names the session.
    bench.found(&request.counted(2));
}

#[test]
fn a_challenge_is_answered_without_a_handle() {
    let mut bench = Bench::new();
    let (_, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, None, &request.token());
    let new = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(new);
    bench.pass("asc-answer-right", &call, &outcome.writing(0, &request.authentication_info()));
    assert_eq!(bench.state(new), "established");
}

#[test]
fn a_challenge_stays_answerable_after_its_handle_is_gone() {
    let mut bench = Bench::new();
    let (first, issued) = bench.challenged(Qop::Auth);
    bench.deleted(first);
    let (second, _) = bench.challenged(Qop::Auth);
    bench.authenticates(second, &Request::answering(&issued));
}

#[test]
fn the_nonce_of_one_and_the_opaque_of_another_name_two() {
    let mut bench = Bench::new();
    let (_, one) = bench.challenged(Qop::Auth);
    let (_, other) = bench.challenged(Qop::Auth);
    let (established, session) = bench.established();
    for opaque in [&other.opaque, &session.opaque] {
        let mixed = Request { opaque: opaque.clone(), ..Request::answering(&one) };
        let call = accept(bench.credential, None, &mixed.token());
        bench.pass_status("asc-names-two", &call, Status::SEC_E_INVALID_TOKEN);
    }
    // A completion of the session: two is not this, and the peer's token consumed it.
    let pending = bench.found(&session.counted(2));
    let mixed = Request { opaque: one.opaque, ..session.counted(2) };
    bench.pass_status("cat-token-names-another", &complete(pending, &mixed.token()), Status::SEC_E_INVALID_TOKEN);
    assert_eq!((bench.state(pending), bench.state(established)), ("rejected", "established"));
}

#[test]
fn one_half_that_is_known_names_nothing() {
    let mut bench = Bench::new();
    let (_, issued) = bench.challenged(Qop::Auth);
    let right = Request::answering(&issued);
    let strange_opaque = Request { opaque: b"strange".to_vec(), ..right.clone() };
    let strange_nonce = Request { nonce: b"strange".to_vec(), ..right };
    for request in [strange_opaque, strange_nonce] {
        // Whatever the nonce: a digest that verifies deserves stale=true, and only that.
        bench.rechallenged("asc-nothing-named-right", &request.token(), true);
        bench.rechallenged("asc-nothing-named", &request.forged(), false);
    }
}

#[test]
fn another_principal_is_another_virtual_host() {
    let mut bench = Bench::new();
    let (_, issued) = bench.challenged(Qop::Auth);
    let (_, session) = bench.established();
    let ours = bench.credential;
    bench.credential = bench.acquire(Some("HTTP/other.example"), 1, None);
    bench.rechallenged("asc-nothing-named-right", &Request::answering(&issued).token(), true);
    bench.rechallenged("asc-nothing-named-right", &session.counted(2).token(), true);
    // Credentials of the same principal share what the first ones made.
    bench.credential = bench.acquire(None, 1, None);
    assert_ne!(bench.credential, ours);
    bench.found(&session.counted(2));
}

#[test]
fn a_context_belongs_to_one_principal() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let other = bench.acquire(Some("HTTP/other.example"), 1, None);
    let call = accept(other, Some(context), &Request::answering(&issued).token());
    bench.pass_status("asc-other-credentials", &call, Status::SEC_E_WRONG_CREDENTIAL_HANDLE);
    bench.deviation("asc-other-credentials", &call, &Outcome::untouched(Status::SEC_E_INVALID_HANDLE, &call));
    assert_eq!(bench.state(context), "challenged");
}

#[test]
fn an_ended_session_is_never_authenticated_initially_again() {
    let mut bench = Bench::new();
    let (context, request) = bench.established();
    bench.deleted(context);
    let call = accept(bench.credential, None, &request.token());
    let new = bench.new_handle();
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(new);
    bench.fail("asc-ended-named-right", &call, &success.writing(0, &request.authentication_info()));
    bench.rechallenged("asc-ended-named-right", &request.counted(2).token(), true);
    bench.rechallenged("asc-ended-named", &request.forged(), false);
}

#[test]
fn a_session_may_outlive_its_last_handle() {
    let mut bench = Bench::new();
    let (context, request) = bench.established();
    bench.deleted(context);
    let next = request.counted(2);
    let call = accept(bench.credential, None, &next.token());
    let new = bench.new_handle();
    let found = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(new).writing(0, b"");
    bench.deviation("asc-ended-named-right", &call, &found);
    // It goes on in the state which the alternative names, with the session it was.
    assert_eq!(bench.state(new), "complete-needed-subsequent");
    bench.completes(new, &next);
}

#[test]
fn a_completion_needs_the_token_of_its_own_session() {
    let mut bench = Bench::new();
    let (_, one) = bench.established();
    let (_, other) = bench.established();
    let pending = bench.found(&one.counted(2));
    let call = complete(pending, &other.counted(2).token());
    bench.fail("cat-token-names-another", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
    bench.pass_status("cat-token-names-another", &call, Status::SEC_E_INVALID_TOKEN);
    assert_eq!(bench.state(pending), "rejected");
    // The session lives on, its count unchanged.
    let again = bench.found(&one.counted(2));
    bench.completes(again, &one.counted(2));
}

#[test]
fn the_handle_of_an_answered_challenge_is_reused() {
    let mut bench = Bench::new();
    let (first, issued) = bench.challenged(Qop::Auth);
    let (second, _) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    bench.authenticates(second, &request);
    let call = accept(bench.credential, Some(first), &request.counted(2).token());
    let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(first).writing(0, b"");
    bench.pass("asc-session-found-challenged", &call, &outcome);
    bench.completes(first, &request.counted(2));
}
