//! CompleteAuthToken on an acceptor: what consumes, what does not, what continues.

use super::support::*;
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::Qop;
use digest_ssp::digest::hash::hex;
use digest_ssp::spec::setup::EnvironmentFault;
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus as Status;

const LIFETIME: u64 = 60_000;

/// An answer with qop=auth-int whose body is not read yet.
fn unread_body(bench: &mut Bench) -> (SecHandle, Request) {
    let (context, issued) = bench.challenged(Qop::AuthInt);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, Some(context), &request.token());
    let unread = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b"");
    bench.pass("asc-unread-body-challenged", &call, &unread);
    assert_eq!(bench.state(context), "complete-needed-initial");
    (context, request)
}

#[test]
fn success_after_complete_and_continue_authenticates_nobody() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    bench.shadow.advance(LIFETIME + 1);
    let (context, fresh) = bench.found_expired(&request);
    let call = complete(context, &request.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    // It is the challenge of AcceptSecurityContext, now with stale=true, and no Authentication-Info.
    bench.fail("cat-continued", &call, &success.clone().writing(SLOT_4, &request.authentication_info()));
    bench.fail("cat-continued", &call, &success.clone().writing(SLOT_4, &fresh.token(false)));
    let another = bench.issue(Qop::Auth);
    bench.fail("cat-continued", &call, &success.clone().writing(SLOT_4, &another.token(true)));
    bench.pass("cat-continued", &call, &success.writing(SLOT_4, &fresh.token(true)));
    assert_eq!(bench.state(context), "challenged");
    // Nothing can be completed or asked of it.
    let query = Call::QueryContextAttributes { context: Some(context), attribute: 1 };
    bench.pass_status("qca-not-established", &query, Status::SEC_E_INVALID_HANDLE);
    // The count is untouched: the very same request is pending again, and not a replay.
    let (again, pending) = bench.found_expired(&request);
    let call = complete(again, &request.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.pass("cat-continued", &call, &success.writing(SLOT_4, &pending.token(true)));
    // The new challenge is answered on the handle.
    bench.authenticates(context, &Request::answering(&fresh));
}

#[test]
fn the_handle_that_continues_leaves_its_session() {
    let mut bench = Bench::new();
    let (first, session) = bench.established();
    let request = session.counted(2);
    bench.shadow.advance(LIFETIME + 1);
    let (context, fresh) = bench.found_expired(&request);
    let call = complete(context, &request.token());
    bench.pass(
        "cat-continued",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &fresh.token(true)),
    );
    bench.deleted(first);
    bench.rechallenged("asc-ended-named-right", &request.token(), true);
}

#[test]
fn continuing_checks_the_count() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    bench.shadow.advance(LIFETIME + 1);
    let (context, fresh) = bench.found_expired(&session);
    let call = complete(context, &session.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &fresh.token(true));
    bench.fail("cat-count-used-continue", &call, &success);
    let refused = Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call);
    bench.pass("cat-count-used-continue", &call, &refused.writing(SLOT_4, &fresh.token(true)));
    assert_eq!(bench.state(context), "rejected");
    // An honest client answers it on another handle.
    let (other, _) = bench.challenged(Qop::Auth);
    bench.authenticates(other, &Request::answering(&fresh));
}

#[test]
fn continuing_needs_an_output() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    bench.shadow.advance(LIFETIME + 1);
    let (context, fresh) = bench.found_expired(&request);
    let absent = complete_with(context, &request.token(), b"GET", b"", b"", 0);
    bench.pass_status("cat-output-absent", &absent, Status::SEC_E_INVALID_TOKEN);
    let small = complete_with(context, &request.token(), b"GET", b"", b"", 16);
    bench.pass_status("cat-output-small", &small, Status::SEC_E_INSUFFICIENT_MEMORY);
    let call = complete(context, &request.token());
    bench.pass(
        "cat-continued",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &fresh.token(true)),
    );
}

#[test]
fn the_challenge_after_out_of_sequence_is_answerable() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let pending = bench.found(&session);
    let fresh = bench.out_of_sequence("cat-count-used", pending, &session);
    // Not on the rejected handle, which only waits to be deleted ...
    let request = Request::answering(&fresh);
    let call = accept(bench.credential, Some(pending), &request.token());
    bench.pass_status("asc-rejected", &call, Status::SEC_E_OUT_OF_SEQUENCE);
    // ... but on another one.
    let call = accept(bench.credential, None, &request.token());
    let new = bench.new_handle();
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(new);
    bench.pass("asc-answer-right", &call, &success.writing(0, &request.authentication_info()));
}

#[test]
fn out_of_sequence_without_room_for_a_challenge() {
    for capacity in [0, 16] {
        let mut bench = Bench::new();
        let (_, session) = bench.established();
        let pending = bench.found(&session);
        let call = complete_with(pending, &session.token(), b"GET", b"", b"", capacity);
        bench.pass_status("cat-count-used", &call, Status::SEC_E_OUT_OF_SEQUENCE);
        assert_eq!(bench.state(pending), "rejected");
    }
}

#[test]
fn the_challenge_after_out_of_sequence_is_a_courtesy() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let pending = bench.found(&session);
    let call = complete(pending, &session.token());
    let fresh = bench.issue(Qop::Auth);
    let refused = Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call);
    bench.fail("cat-count-used", &call, &refused.clone().writing(SLOT_4, &fresh.token(false)));
    bench.deviation("cat-count-used", &call, &refused);
    assert_eq!(bench.state(pending), "rejected");
}

#[test]
fn what_the_caller_can_mend_consumes_nothing() {
    let mut bench = Bench::new();
    let (context, request) = unread_body(&mut bench);
    let token = request.token();
    let entity = hex(&request.entity);
    let whole = |token: &[u8], method: &[u8], entity: &[u8]| complete_with(context, token, method, b"", entity, ROOM);
    let null = Call::CompleteAuthToken { context: Some(context), token: None };
    bench.pass_status("cat-descriptor-malformed", &null, Status::SEC_E_INVALID_TOKEN);
    let version = with_input(whole(&token, b"GET", &entity), |descriptor| descriptor.version = 1);
    bench.pass_status("cat-descriptor-malformed", &version, Status::SEC_E_INVALID_TOKEN);
    let count = with_input(whole(&token, b"GET", &entity), |descriptor| descriptor.count = u32::MAX);
    bench.pass_status("cat-descriptor-malformed", &count, Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("cat-token-absent", &whole(b"", b"GET", &entity), Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("cat-method-empty", &whole(&token, b"", &entity), Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("cat-entity-missing", &whole(&token, b"GET", b""), Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("cat-entity-missing", &whole(&token, b"GET", &entity[1..]), Status::SEC_E_INVALID_TOKEN);
    bench.shadow.take_accounts_down(true);
    bench.pass_status("cat-accounts-down", &whole(&token, b"GET", &entity), Status::SEC_E_INTERNAL_ERROR);
    bench.shadow.take_accounts_down(false);
    assert_eq!(bench.state(context), "complete-needed-initial");
    let success = Outcome::untouched(Status::SEC_E_OK, &whole(&token, b"GET", &entity)).writing(SLOT_4, b"");
    bench.pass("cat-completed-initial", &whole(&token, b"GET", &entity), &success);
}

#[test]
fn a_challenge_that_cannot_be_made_consumes_nothing() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let pending = bench.found(&session);
    bench.shadow.inject(EnvironmentFault::Entropy);
    let call = complete(pending, &session.token());
    bench.pass_status("cat-challenge-cannot-be-made", &call, Status::SEC_E_INTERNAL_ERROR);
    assert_eq!(bench.state(pending), "complete-needed-subsequent");
    bench.shadow.inject(EnvironmentFault::None);
    bench.out_of_sequence("cat-count-used", pending, &session);
}

#[test]
fn what_the_peer_did_consumes_the_completion() {
    for (row, status, change) in [
        ("cat-token-malformed", Status::SEC_E_INVALID_TOKEN, (|_| b"nonsense".to_vec()) as fn(&Request) -> Vec<u8>),
        ("cat-token-malformed", Status::SEC_E_INVALID_TOKEN, |request| {
            [&request.token()[..], b",nc=00000002"].concat()
        }),
        ("cat-token-malformed", Status::SEC_E_INVALID_TOKEN, |request| {
            request.token().strip_prefix(b"username=\"alice\",".as_slice()).unwrap_or_default().to_vec()
        }),
        ("cat-digest-differs-subsequent", Status::SEC_E_MESSAGE_ALTERED, Request::forged),
    ] {
        let mut bench = Bench::new();
        let (_, session) = bench.established();
        let request = session.counted(2);
        let pending = bench.found(&request);
        bench.pass_status(row, &complete(pending, &change(&request)), status);
        assert_eq!(bench.state(pending), "rejected");
        // A second call finds nothing to complete; success would report what did not happen.
        let again = complete(pending, &request.token());
        let success = Outcome::untouched(Status::SEC_E_OK, &again);
        bench.fail("cat-nothing-to-complete", &again, &success.writing(SLOT_4, &request.authentication_info()));
        bench.deviation("cat-nothing-to-complete", &again, &Outcome::untouched(Status::SEC_E_INVALID_HANDLE, &again));
        bench.pass_status("cat-nothing-to-complete", &again, Status::SEC_E_OUT_OF_SEQUENCE);
    }
}

#[test]
fn nothing_is_pending_twice() {
    let mut bench = Bench::new();
    let (context, session) = bench.established();
    let pending = bench.found(&session.counted(2));
    bench.completes(pending, &session.counted(2));
    for handle in [pending, context] {
        let call = complete(handle, &session.counted(3).token());
        bench.fail("cat-nothing-to-complete", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
        bench.deviation(
            "cat-nothing-to-complete",
            &call,
            &Outcome::untouched(Status::SEC_E_UNSUPPORTED_FUNCTION, &call),
        );
        bench.pass_status("cat-nothing-to-complete", &call, Status::SEC_E_OUT_OF_SEQUENCE);
    }
}

#[test]
fn parallel_requests_have_their_own_completions() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let (two, three) = (session.counted(2), session.counted(3));
    let (second, third) = (bench.found(&two), bench.found(&three));
    // The token given here counts, not the one that AcceptSecurityContext saw.
    bench.completes(third, &two);
    bench.completes(second, &three);
}

#[test]
fn directives_that_the_cached_key_does_not_cover() {
    let changes: [fn(&Request) -> Vec<u8>; 6] = [
        |request| Request { username: "bob".into(), key: Some(request.session_key()), ..request.clone() }.token(),
        |request| Request { realm: "other realm".into(), key: Some(request.session_key()), ..request.clone() }.token(),
        |request| Request { qop: Qop::AuthInt, ..request.clone() }.token(),
        |request| {
            let algorithm = Some(digest_ssp::digest::Algorithm::Md5Sess);
            Request { algorithm, key: Some(request.session_key()), ..request.clone() }.token()
        },
        |request| [&request.token()[..], b",charset=utf-8"].concat(),
        // A response that presents a channel, in a session that presented none.
        |request| super::bindings::bound(request, b"HTTP/host", &[b'0'; 32]).1,
    ];
    for change in changes {
        let mut bench = Bench::new();
        let (_, session) = bench.established();
        let request = session.counted(2);
        let pending = bench.found(&request);
        let entity = hex(&request.entity);
        let call = complete_with(pending, &change(&request), b"GET", b"", &entity, ROOM);
        bench.fail("cat-outside-differs", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
        bench.pass_status("cat-outside-differs", &call, Status::SEC_E_MESSAGE_ALTERED);
        assert_eq!(bench.state(pending), "rejected");
    }
}

#[test]
fn the_target_is_compared_in_origin_form() {
    let accepted: [&[u8]; 3] = [b"", b"/dir/index.html", b"http://www.nowhere.org/dir/index.html"];
    for target in accepted {
        let mut bench = Bench::new();
        let (_, session) = bench.established();
        let pending = bench.found(&session.counted(2));
        let call = complete_with(pending, &session.counted(2).token(), b"GET", target, b"", 0);
        bench.pass_status("cat-completed-subsequent", &call, Status::SEC_E_OK);
    }
    let refused: [&[u8]; 3] = [b"/dir/index.htm", b"/", b"http://www.nowhere.org/other"];
    for target in refused {
        let mut bench = Bench::new();
        let (_, session) = bench.established();
        let pending = bench.found(&session.counted(2));
        let call = complete_with(pending, &session.counted(2).token(), b"GET", target, b"", 0);
        bench.pass_status("cat-target-differs", &call, Status::SEC_E_MESSAGE_ALTERED);
        assert_eq!(bench.state(pending), "rejected");
    }
}

#[test]
fn an_absolute_uri_in_the_token_is_reduced_too() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = Request { uri: b"http://www.nowhere.org/dir/index.html".to_vec(), ..session.counted(2) };
    let pending = bench.found(&request);
    let call = complete_with(pending, &request.token(), b"GET", b"/dir/index.html", b"", 0);
    bench.pass_status("cat-completed-subsequent", &call, Status::SEC_E_OK);
}

#[test]
fn a_challenge_answered_elsewhere_is_judged_against_its_session() {
    let mut bench = Bench::new();
    let (one, request) = unread_body(&mut bench);
    let call = accept(bench.credential, None, &request.token());
    let other = bench.new_handle();
    let unread = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(other).writing(0, b"");
    bench.pass("asc-unread-body", &call, &unread);
    let entity = hex(&request.entity);
    let call = complete_with(other, &request.token(), b"GET", b"", &entity, 0);
    bench.pass_status("cat-completed-initial", &call, Status::SEC_E_OK);
    let replay = complete_with(one, &request.token(), b"GET", b"", &entity, 0);
    bench.fail("cat-count-used", &replay, &Outcome::untouched(Status::SEC_E_OK, &replay));
    let next = complete_with(one, &request.counted(2).token(), b"GET", b"", &entity, 0);
    bench.pass_status("cat-completed-answered-elsewhere", &next, Status::SEC_E_OK);
}

#[test]
fn handles_that_name_no_context() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let token = session.counted(2).token();
    let mut calls =
        vec![Call::CompleteAuthToken { context: None, token: complete(handle(1), &token).input().cloned() }];
    let foreign = handle(777_777);
    bench.shadow.learn_foreign_handle(foreign);
    for handle in [SecHandle::default(), bench.credential, handle(999_999), foreign] {
        calls.push(complete(handle, &token));
    }
    for call in &calls {
        bench.fail("cat-handle-names-nothing", call, &Outcome::untouched(Status::SEC_E_OK, call));
        bench.fail("cat-handle-names-nothing", call, &Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, call));
        bench.pass_status("cat-handle-names-nothing", call, Status::SEC_E_INVALID_HANDLE);
    }
}

#[test]
fn other_calls_wait_for_the_completion() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    let pending = bench.found(&request);
    let call = accept(bench.credential, Some(pending), &request.token());
    bench.pass_status("asc-completion-due", &call, Status::SEC_E_OUT_OF_SEQUENCE);
    let message = complete(pending, &request.token()).input().cloned();
    let verify = Call::VerifySignature { context: Some(pending), message };
    bench.pass_status("vs-not-established", &verify, Status::SEC_E_OUT_OF_SEQUENCE);
    bench.completes(pending, &request);
}

#[test]
fn slot_4_is_never_read_and_the_first_token_is_the_message() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    let pending = bench.found(&request);
    let call = with_input(complete(pending, &request.token()), |descriptor| {
        if let Some(buffers) = &mut descriptor.buffers {
            let mut other = session.counted(7).token();
            other.resize(ROOM, b' ');
            buffers[SLOT_4] = buffer(BufferType::TOKEN, &other);
        }
    });
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.pass("cat-completed-subsequent", &call, &success.writing(SLOT_4, &request.authentication_info()));
}
