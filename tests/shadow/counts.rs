//! Nonce counts: strict is the last plus one; a window of n takes what is unused and within n of the last.

use super::support::*;
use digest_ssp::digest::Qop;
use digest_ssp::spec::Outcome;
use digest_ssp::spec::setup::{Policy, Setup};
use digest_ssp::status::SecurityStatus as Status;
use std::num::NonZeroU32;

fn window(size: u32) -> Bench {
    let size = NonZeroU32::new(size).expect("not zero");
    Bench::with(Setup { policy: Policy::Window(size), ..Setup::default() })
}

/// Completes a request with that count.
#[track_caller]
fn accepted(bench: &mut Bench, session: &Request, nc: u32) {
    let pending = bench.found(&session.counted(nc));
    bench.completes(pending, &session.counted(nc));
}

#[track_caller]
fn refused(bench: &mut Bench, row: &str, session: &Request, nc: u32) {
    let pending = bench.found(&session.counted(nc));
    let call = complete(pending, &session.counted(nc).token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.fail(row, &call, &success.writing(SLOT_4, &session.counted(nc).authentication_info()));
    bench.out_of_sequence(row, pending, &session.counted(nc));
}

#[test]
fn strict_takes_the_next_and_nothing_else() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    refused(&mut bench, "cat-count-too-far", &session, 3);
    accepted(&mut bench, &session, 2);
    accepted(&mut bench, &session, 3);
    for used in [0, 1, 2, 3] {
        refused(&mut bench, "cat-count-used", &session, used);
    }
    refused(&mut bench, "cat-count-too-far", &session, u32::MAX);
    accepted(&mut bench, &session, 4);
}

#[test]
fn counts_3_then_2_pass_a_window_of_2() {
    let mut bench = window(2);
    let (_, session) = bench.established();
    accepted(&mut bench, &session, 3);
    accepted(&mut bench, &session, 2);
    refused(&mut bench, "cat-count-used", &session, 2);
    refused(&mut bench, "cat-count-used", &session, 3);
}

#[test]
fn the_edges_of_a_window() {
    // last - n < nc <= last + n
    let mut bench = window(3);
    let (_, session) = bench.established();
    refused(&mut bench, "cat-count-too-far", &session, 5);
    accepted(&mut bench, &session, 4);
    accepted(&mut bench, &session, 7);
    accepted(&mut bench, &session, 8);
    refused(&mut bench, "cat-count-too-old", &session, 5);
    refused(&mut bench, "cat-count-too-old", &session, 2);
    accepted(&mut bench, &session, 6);
    // An older count leaves the last what it was.
    refused(&mut bench, "cat-count-too-far", &session, 12);
    accepted(&mut bench, &session, 11);
    accepted(&mut bench, &session, 9);
}

#[test]
fn zero_counts_as_used_in_a_window_too() {
    let mut bench = window(u32::MAX);
    let (_, session) = bench.established();
    refused(&mut bench, "cat-count-used", &session, 0);
}

#[test]
fn nothing_is_acceptable_after_the_greatest_count() {
    let mut bench = window(u32::MAX);
    let (_, session) = bench.established();
    accepted(&mut bench, &session, u32::MAX);
    for nc in [0, 1, 2, u32::MAX - 1, u32::MAX] {
        let pending = bench.found(&session.counted(nc));
        let call = complete(pending, &session.counted(nc).token());
        assert_eq!(
            bench.shadow.expect(&call).row.map(|row| row.outcome.status),
            Some(Status::SEC_E_OUT_OF_SEQUENCE),
            "{nc:08x}"
        );
    }
}

#[test]
fn the_first_answer_counts_1() {
    let mut bench = Bench::new();
    for nc in [0, 2, u32::MAX] {
        let (context, issued) = bench.challenged(Qop::Auth);
        let request = Request::answering(&issued).counted(nc);
        let call = accept(bench.credential, Some(context), &request.token());
        let fresh = bench.issue(Qop::Auth);
        let stale = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        bench.pass("asc-answer-count-challenged", &call, &stale.writing(0, &fresh.token(true)));
        // Nothing authenticated: the old challenge can still be answered.
        bench.authenticates(context, &Request::answering(&issued));
    }
}

#[test]
fn a_first_answer_with_another_count_may_be_denied() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let call = accept(bench.credential, Some(context), &Request::answering(&issued).counted(2).token());
    let denied = Outcome::untouched(Status::SEC_E_LOGON_DENIED, &call);
    bench.deviation("asc-answer-count-challenged", &call, &denied);
    assert_eq!(bench.state(context), "rejected");
}

#[test]
fn an_initial_completion_counts_from_0() {
    for (nc, row) in [(1, None), (2, Some("cat-count-too-far")), (0, Some("cat-count-used"))] {
        let mut bench = Bench::new();
        let (context, issued) = bench.challenged(Qop::AuthInt);
        let request = Request::answering(&issued).counted(nc);
        let call = accept(bench.credential, Some(context), &request.token());
        let unread = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b"");
        bench.pass("asc-unread-body-challenged", &call, &unread);
        let entity = digest_ssp::digest::hash::hex(&request.entity);
        let call = complete_with(context, &request.token(), b"GET", b"", &entity, ROOM);
        match row {
            None => {
                let success = Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, b"");
                bench.pass("cat-completed-initial", &call, &success);
                assert_eq!(bench.state(context), "established");
            }
            Some(row) => {
                let fresh = bench.issue(Qop::AuthInt);
                let refused = Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call);
                bench.pass(row, &call, &refused.writing(SLOT_4, &fresh.token(true)));
                assert_eq!(bench.state(context), "rejected");
            }
        }
    }
}

#[test]
fn of_two_handles_with_the_same_token_one_is_out_of_sequence() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    let (one, other) = (bench.found(&request), bench.found(&request));
    bench.completes(other, &request);
    bench.out_of_sequence("cat-count-used", one, &request);
}

#[test]
fn verify_signature_takes_from_the_same_counter() {
    let mut bench = Bench::new();
    let (context, session) = bench.established();
    let message = |request: &Request| digest_ssp::spec::Call::VerifySignature {
        context: Some(context),
        message: complete(context, &request.token()).input().cloned(),
    };
    bench.pass_status("vs-verified", &message(&session.counted(2)), Status::SEC_E_OK);
    bench.pass_status("vs-count", &message(&session.counted(2)), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(bench.state(context), "established");
    accepted(&mut bench, &session, 3);
}
