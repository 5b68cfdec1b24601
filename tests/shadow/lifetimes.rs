//! Ages, evictions, failures; how long challenges and sessions live.

use super::support::*;
use digest_ssp::digest::Qop;
use digest_ssp::digest::hash::hex;
use digest_ssp::spec::Outcome;
use digest_ssp::spec::setup::{Limits, Setup};
use digest_ssp::status::SecurityStatus as Status;

const LIFETIME: u64 = 60_000;

fn limited(limits: Limits) -> Bench {
    Bench::with(Setup { limits, ..Setup::default() })
}

#[test]
fn a_nonce_of_exactly_the_lifetime_is_fresh() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    bench.shadow.advance(LIFETIME);
    let request = Request::answering(&issued);
    bench.authenticates(context, &request);
    // Its age counts from the challenge, not from the answer.
    bench.found(&request.counted(2));
    bench.shadow.advance(1);
    bench.found_expired(&request.counted(2));
}

#[test]
fn a_right_answer_to_an_expired_challenge_is_stale() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    bench.shadow.advance(LIFETIME + 1);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, Some(context), &request.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.fail("asc-answer-expired-challenged", &call, &success.writing(0, &request.authentication_info()));
    let fresh = bench.issue(Qop::Auth);
    let again = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.fail("asc-answer-expired-challenged", &call, &again.clone().writing(0, &fresh.token(false)));
    bench.pass("asc-answer-expired-challenged", &call, &again.writing(0, &fresh.token(true)));
    bench.authenticates(context, &Request::answering(&fresh));
}

#[test]
fn a_wrong_answer_to_an_expired_challenge_is_never_stale() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    bench.shadow.advance(LIFETIME + 1);
    let call = accept(bench.credential, Some(context), &Request::answering(&issued).forged());
    let fresh = bench.issue(Qop::Auth);
    let stale = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.fail("asc-answer-wrong-challenged", &call, &stale.writing(0, &fresh.token(true)));
    bench.pass_status("asc-answer-wrong-challenged", &call, Status::SEC_E_LOGON_DENIED);
    assert_eq!(bench.state(context), "rejected");
}

#[test]
fn the_age_of_a_request_is_judged_once() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let pending = bench.found(&session.counted(2));
    bench.shadow.advance(LIFETIME + 1);
    bench.completes(pending, &session.counted(2));
}

#[test]
fn failures_turn_a_challenge_into_nothing() {
    let mut bench = limited(Limits { failures: 2, ..Limits::default() });
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let wrong = accept(bench.credential, None, &request.forged());
    bench.pass_status("asc-answer-wrong", &wrong, Status::SEC_E_LOGON_DENIED);
    // One is not too many; what is malformed does not count.
    let torn = accept(bench.credential, None, b"username=\"alice");
    bench.pass_status("asc-token-malformed", &torn, Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("asc-answer-wrong", &wrong, Status::SEC_E_LOGON_DENIED);
    bench.rechallenged("asc-nothing-named", &request.forged(), false);
    bench.rechallenged("asc-nothing-named-right", &request.token(), true);
    assert_eq!(bench.state(context), "challenged");
}

#[test]
fn one_failure_less_than_the_limit_leaves_the_challenge_answerable() {
    let mut bench = limited(Limits { failures: 2, ..Limits::default() });
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let wrong = accept(bench.credential, None, &request.forged());
    bench.pass_status("asc-answer-wrong", &wrong, Status::SEC_E_LOGON_DENIED);
    bench.authenticates(context, &request);
}

#[test]
fn one_challenge_too_many_evicts_the_oldest_unanswered_one() {
    let mut bench = limited(Limits { challenges: 2, ..Limits::default() });
    let (_, session) = bench.established();
    let (_, oldest) = bench.challenged(Qop::Auth);
    let (context, second) = bench.challenged(Qop::Auth);
    bench.challenged(Qop::Auth);
    // Sessions are no challenges: only the oldest unanswered one is gone.
    bench.found(&session.counted(2));
    bench.authenticates(context, &Request::answering(&second));
    bench.rechallenged("asc-nothing-named-right", &Request::answering(&oldest).token(), true);
}

#[test]
fn a_pending_completion_pins_its_challenge() {
    let mut bench = limited(Limits { challenges: 1, failures: 1, ..Limits::default() });
    let (context, issued) = bench.challenged(Qop::AuthInt);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, Some(context), &request.token());
    let unread = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b"");
    bench.pass("asc-unread-body-challenged", &call, &unread);
    bench.challenged(Qop::Auth);
    bench.shadow.advance(LIFETIME + 1);
    let call = complete_with(context, &request.token(), b"GET", b"", &hex(&request.entity), 0);
    bench.pass_status("cat-completed-initial", &call, Status::SEC_E_OK);
    // It became a session that requests find.
    bench.found_expired(&request.counted(2));
}

#[test]
fn a_session_ends_with_its_last_handle() {
    let mut bench = Bench::new();
    let (first, session) = bench.established();
    let second = bench.found(&session.counted(2));
    bench.deleted(first);
    bench.completes(second, &session.counted(2));
    let third = bench.found(&session.counted(3));
    bench.deleted(second);
    // A pending handle holds its session too.
    bench.completes(third, &session.counted(3));
    bench.deleted(third);
    bench.rechallenged("asc-ended-named-right", &session.counted(4).token(), true);
}

#[test]
fn who_put_the_challenge_out_keeps_no_session_alive() {
    let mut bench = Bench::new();
    let (waiting, issued) = bench.challenged(Qop::Auth);
    let (answered, _) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    bench.authenticates(answered, &request);
    bench.deleted(answered);
    assert_eq!(bench.state(waiting), "challenged");
    bench.rechallenged("asc-ended-named-right", &request.counted(2).token(), true);
}

#[test]
fn a_rejected_handle_holds_nothing() {
    let mut bench = Bench::new();
    let (first, session) = bench.established();
    let second = bench.found(&session.counted(2));
    bench.pass_status(
        "cat-digest-differs-subsequent",
        &complete(second, &session.counted(2).forged()),
        Status::SEC_E_MESSAGE_ALTERED,
    );
    assert_eq!(bench.state(second), "rejected");
    // The others live on, the count unchanged; nobody else's pending completion is touched.
    let third = bench.found(&session.counted(2));
    bench.completes(third, &session.counted(2));
    bench.deleted(first);
    bench.deleted(third);
    bench.rechallenged("asc-ended-named-right", &session.counted(3).token(), true);
    bench.deleted(second);
}

#[test]
fn deleting_a_pending_handle_leaves_the_count() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let pending = bench.found(&session.counted(2));
    bench.deleted(pending);
    let again = bench.found(&session.counted(2));
    bench.completes(again, &session.counted(2));
    // Deleted before: success; every other call: an invalid handle.
    bench.pass_status("dsc-deleted-before", &delete(pending), Status::SEC_E_OK);
    let call = complete(pending, &session.counted(3).token());
    bench.pass_status("cat-handle-names-nothing", &call, Status::SEC_E_INVALID_HANDLE);
}

#[test]
fn no_handle_without_room() {
    let mut bench = limited(Limits { contexts: 1, ..Limits::default() });
    let (context, issued) = bench.challenged(Qop::Auth);
    let empty = accept(bench.credential, None, b"");
    bench.pass_status("asc-no-room", &empty, Status::SEC_E_INSUFFICIENT_MEMORY);
    // A handle that is there needs none.
    bench.authenticates(context, &Request::answering(&issued));
}
