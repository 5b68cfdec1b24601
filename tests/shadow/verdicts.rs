//! Pass, deviation, fail; and what the shadow believes afterwards.

use super::support::*;
use digest_ssp::buffer::SecHandle;
use digest_ssp::digest::Qop;
use digest_ssp::digest::hash::hex;
use digest_ssp::spec::call::{Attribute, AuthIdentity};
use digest_ssp::spec::setup::EnvironmentFault;
use digest_ssp::spec::vocabulary::Fact;
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus as Status;

const LIFETIME: u64 = 60_000;

#[test]
fn an_accepted_alternative_goes_on_in_the_state_it_names() {
    let mut bench = Bench::new();
    let (context, session) = bench.established();
    let next = session.counted(2);
    let call = accept(bench.credential, Some(context), &next.token());
    bench.pass_status("asc-established-request", &call, Status::STATUS_LOGON_FAILURE);
    let found = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b"");
    bench.deviation("asc-established-request", &call, &found);
    assert_eq!(bench.state(context), "complete-needed-subsequent");
    bench.completes(context, &next);
    let empty = accept(bench.credential, Some(context), b"");
    let issued = bench.issue(Qop::Auth);
    let again = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &empty).with_handle(context);
    bench.deviation("asc-established-empty", &empty, &again.writing(0, &issued.token(false)));
    assert_eq!(bench.state(context), "challenged");
    bench.authenticates(context, &Request::answering(&issued));
}

#[test]
fn two_departures_in_another_order_deviate() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    // The target differs and the digest is wrong: the same status, whoever looks first.
    let pending = bench.found(&session.counted(2));
    let call = complete_with(pending, &session.counted(2).forged(), b"GET", b"/other", b"", 0);
    bench.pass_status("cat-target-differs", &call, Status::SEC_E_MESSAGE_ALTERED);
    // Method empty and output too small, while continuing.
    bench.shadow.advance(LIFETIME + 1);
    let (pending, _) = bench.found_expired(&session.counted(2));
    let call = complete_with(pending, &session.counted(2).token(), b"", b"", b"", 16);
    bench.deviation("cat-method-empty", &call, &Outcome::untouched(Status::SEC_E_INSUFFICIENT_MEMORY, &call));
    assert_eq!(bench.state(pending), "complete-and-continue-subsequent");
    bench.pass_status("cat-method-empty", &call, Status::SEC_E_INVALID_TOKEN);
    // Another target and no method: the failure of the target consumes the completion.
    let call = complete_with(pending, &session.counted(2).token(), b"", b"/other", b"", ROOM);
    bench.deviation("cat-method-empty", &call, &Outcome::untouched(Status::SEC_E_MESSAGE_ALTERED, &call));
    assert_eq!(bench.state(pending), "rejected");
}

#[test]
fn what_lies_behind_a_departure_may_be_judged_first_and_changes_nothing() {
    let mut bench = Bench::new();
    // Nothing is outstanding, and the token does not parse.
    let (context, session) = bench.established();
    let call = complete_with(context, b"username=\"", b"GET", b"/", b"", ROOM);
    bench.deviation("cat-nothing-to-complete", &call, &Outcome::untouched(Status::SEC_E_INVALID_TOKEN, &call));
    assert_eq!(bench.state(context), "established");
    // A wrong digest with a used count: whatever lies behind the digest, it is never a question of the count.
    let pending = bench.found(&session.counted(2));
    let call = complete_with(pending, &session.counted(1).forged(), b"GET", b"", b"", ROOM);
    bench.fail("cat-digest-differs-subsequent", &call, &Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call));
    bench.pass_status("cat-digest-differs-subsequent", &call, Status::SEC_E_MESSAGE_ALTERED);
    // A success is never due to what lies behind.
    let call = complete_with(context, &session.counted(2).token(), b"GET", b"", b"", 0);
    bench.fail("cat-nothing-to-complete", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
}

#[test]
fn credentials_and_descriptor_in_either_order() {
    let mut bench = Bench::new();
    let mut call = accept(bench.credential, None, b"");
    if let Call::AcceptSecurityContext { credential, .. } = &mut call {
        *credential = None;
    }
    let call = with_input(call, |input| input.version = 7);
    bench.pass_status("asc-no-credentials", &call, Status::SEC_E_NO_CREDENTIALS);
    bench.deviation("asc-no-credentials", &call, &Outcome::untouched(Status::SEC_E_INVALID_TOKEN, &call));
    bench.fail("asc-no-credentials", &call, &Outcome::untouched(Status::SEC_E_LOGON_DENIED, &call));
}

#[test]
fn an_accepted_alternative_of_the_other_departure_deviates_too() {
    // Accounts down is SEC_E_INTERNAL_ERROR, or SEC_E_NO_AUTHENTICATING_AUTHORITY; the output is too small as well.
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::AuthInt);
    let request = Request::answering(&issued);
    let (token, entity) = (request.token(), hex(&request.entity));
    let call = accept(bench.credential, Some(context), &token);
    let unread = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b"");
    bench.pass("asc-unread-body-challenged", &call, &unread);
    bench.shadow.take_accounts_down(true);
    let call = complete_with(context, &token, b"GET", b"/other", &entity, ROOM);
    bench.deviation("cat-target-differs", &call, &Outcome::untouched(Status::SEC_E_INTERNAL_ERROR, &call));
    bench.deviation("cat-target-differs", &call, &Outcome::untouched(Status::SEC_E_NO_AUTHENTICATING_AUTHORITY, &call));
}

#[test]
fn a_wrong_digest_is_never_a_success_nor_out_of_sequence_nor_stale() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let expired = LIFETIME + 1;
    // Alone, with a count that is used, with another target, under an expired nonce.
    for (nc, target, age) in [(2, &b""[..], 0), (1, b"", 0), (2, b"/other", 0), (2, b"", expired), (1, b"/other", 0)] {
        let request = session.counted(nc);
        let pending = if age == 0 {
            bench.found(&request)
        } else {
            bench.shadow.advance(age);
            bench.found_expired(&request).0
        };
        let call = complete_with(pending, &request.forged(), b"GET", target, b"", ROOM);
        let row = if target.is_empty() { "cat-digest-differs-subsequent" } else { "cat-target-differs" };
        let fresh = bench.issue(Qop::Auth);
        let silent = |status| Outcome::untouched(status, &call);
        bench.fail(row, &call, &silent(Status::SEC_E_OK));
        bench.fail(row, &call, &silent(Status::SEC_E_OK).writing(SLOT_4, b""));
        bench.fail(row, &call, &silent(Status::SEC_E_OK).writing(SLOT_4, &request.authentication_info()));
        bench.fail(row, &call, &silent(Status::SEC_E_OUT_OF_SEQUENCE));
        bench.fail(row, &call, &silent(Status::SEC_E_OUT_OF_SEQUENCE).writing(SLOT_4, &fresh.token(true)));
        bench.fail(row, &call, &silent(Status::SEC_E_MESSAGE_ALTERED).writing(SLOT_4, &fresh.token(true)));
        bench.fail(row, &call, &silent(Status::SEC_I_CONTINUE_NEEDED).writing(SLOT_4, &fresh.token(true)));
        bench.pass_status(row, &call, Status::SEC_E_MESSAGE_ALTERED);
        // The next rounds begin with a nonce that is fresh again.
        if age != 0 {
            break;
        }
    }
}

#[test]
fn a_wrong_digest_in_verify_signature_is_never_out_of_sequence() {
    for age in [0, LIFETIME + 1] {
        let mut bench = Bench::new();
        let (context, session) = bench.established();
        bench.shadow.advance(age);
        let message = complete_with(context, &session.forged(), b"GET", b"/other", b"", 0).input().cloned();
        let call = Call::VerifySignature { context: Some(context), message };
        bench.fail("vs-target-differs", &call, &Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call));
        bench.fail("vs-target-differs", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
        bench.pass_status("vs-target-differs", &call, Status::SEC_E_MESSAGE_ALTERED);
    }
}

#[test]
fn a_wrong_answer_is_never_challenged_again_whatever_else_fails() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let call = accept(bench.credential, Some(context), &Request::answering(&issued).counted(2).forged());
    bench.shadow.inject(EnvironmentFault::Entropy);
    let fresh = bench.issue(Qop::Auth);
    for status in [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_OK, Status::SEC_E_OUT_OF_SEQUENCE] {
        for written in [fresh.token(true), fresh.token(false), Vec::new()] {
            let outcome = Outcome::untouched(status, &call).with_handle(context).writing(0, &written);
            bench.fail("asc-answer-wrong-challenged", &call, &outcome);
        }
    }
}

#[test]
fn stale_must_be_said_exactly_when_it_is_deserved() {
    let mut bench = Bench::new();
    let (_, issued) = bench.challenged(Qop::Auth);
    let strange = Request { nonce: b"strange".to_vec(), ..Request::answering(&issued) };
    for (row, token, stale) in
        [("asc-nothing-named-right", strange.token(), true), ("asc-nothing-named", strange.forged(), false)]
    {
        let call = accept(bench.credential, None, &token);
        let (new, fresh) = (bench.new_handle(), bench.issue(Qop::Auth));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new);
        bench.fail(row, &call, &outcome.clone().writing(0, &fresh.token(!stale)));
        bench.pass(row, &call, &outcome.writing(0, &fresh.token(stale)));
    }
}

#[test]
fn a_nonce_or_an_opaque_is_put_out_once() {
    let mut bench = Bench::new();
    let (first, known) = bench.challenged(Qop::Auth);
    bench.deleted(first);
    let call = accept(bench.credential, None, b"");
    let (new, fresh) = (bench.new_handle(), bench.issue(Qop::Auth));
    for reused in [
        known.clone(),
        Issued { nonce: known.nonce.clone(), ..fresh.clone() },
        Issued { opaque: known.opaque.clone(), ..fresh.clone() },
    ] {
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new);
        bench.fail("asc-challenge", &call, &outcome.writing(0, &reused.token(false)));
    }
}

#[test]
fn a_challenge_says_what_was_asked() {
    let mut bench = Bench::new();
    let call = accept(bench.credential, None, b"");
    let (new, fresh) = (bench.new_handle(), bench.issue(Qop::Auth));
    let text = String::from_utf8(fresh.token(false)).expect("ASCII");
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new);
    for (from, to) in [
        ("realm=\"digest-ssp\"", "realm=\"other realm\""),
        ("qop=\"auth\"", "qop=\"auth-int\""),
        ("qop=\"auth\"", "qop=\"auth,auth-int\""),
        (",qop=\"auth\"", ""),
        ("algorithm=MD5", "algorithm=MD5-sess"),
        ("algorithm=MD5", "algorithm=SHA-256"),
        (",opaque=", ",o="),
        ("realm=", "realm"),
        ("\",nonce", "\",stale=true,nonce"),
    ] {
        assert!(text.contains(from));
        bench.fail("asc-challenge", &call, &outcome.clone().writing(0, text.replacen(from, to, 1).as_bytes()));
    }
    bench.fail("asc-challenge", &call, &outcome.clone().writing(0, b""));
    bench.pass("asc-challenge", &call, &outcome.writing(0, text.as_bytes()));
}

#[test]
fn handles_come_back_where_they_should() {
    let mut bench = Bench::new();
    let (live, _) = bench.challenged(Qop::Auth);
    let call = accept(bench.credential, None, b"");
    let fresh = bench.issue(Qop::Auth);
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).writing(0, &fresh.token(false));
    bench.fail("asc-challenge", &call, &outcome);
    for wrong in [live, bench.credential, SecHandle::default()] {
        bench.fail("asc-challenge", &call, &outcome.clone().with_handle(wrong));
    }
    // On a handle that is there: the same one.
    let again = accept(bench.credential, Some(live), b"");
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &again).writing(0, &fresh.token(false));
    bench.fail("asc-challenge-again", &again, &outcome);
    let new = bench.new_handle();
    bench.fail("asc-challenge-again", &again, &outcome.with_handle(new));
}

#[test]
fn an_error_makes_no_handle() {
    let mut bench = Bench::new();
    let new = bench.new_handle();
    let torn = accept(bench.credential, None, b"nonsense");
    bench.fail("asc-token-malformed", &torn, &Outcome::untouched(Status::SEC_E_INVALID_TOKEN, &torn).with_handle(new));
    // Nor one instead of the handle that named nothing.
    let forged = accept(bench.credential, Some(handle(999_999)), b"");
    let outcome = Outcome::untouched(Status::SEC_E_INVALID_HANDLE, &forged);
    bench.fail("asc-handle-names-nothing", &forged, &outcome.with_handle(new));
}

#[test]
fn a_proof_must_be_right() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, Some(context), &request.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    let wrong = format!("rspauth=\"{}\"", "0".repeat(32));
    let right = String::from_utf8(request.authentication_info()).expect("ASCII");
    for info in [
        wrong.as_str(),
        "nonsense",
        "nextnonce=\"1\"",
        &format!("{right},nc=00000002"),
        &format!("{right},cnonce=\"another\""),
        &format!("{right},qop=auth-int"),
    ] {
        bench.fail("asc-answer-right-challenged", &call, &success.clone().writing(0, info.as_bytes()));
    }
    let whole = format!("qop=auth,{right},cnonce=\"0a4f113b\",nc=00000001");
    bench.pass("asc-answer-right-challenged", &call, &success.writing(0, whole.as_bytes()));
}

#[test]
fn no_input_buffer_is_written() {
    let mut bench = Bench::new();
    let call = accept(bench.credential, None, b"nonsense");
    let outcome = Outcome::untouched(Status::SEC_E_INVALID_TOKEN, &call);
    bench.fail("asc-token-malformed", &call, &outcome.clone().writing_input(0, b"NONSENSE"));
    bench.fail("asc-token-malformed", &call, &outcome.clone().writing_input(1, b""));
    bench.fail("asc-token-malformed", &call, &outcome.writing(0, b"x"));
    let (_, session) = bench.established();
    let request = session.counted(2);
    let pending = bench.found(&request);
    let call = complete(pending, &request.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &request.authentication_info());
    bench.fail("cat-completed-subsequent", &call, &success.clone().writing(0, b"x"));
    bench.fail("cat-completed-subsequent", &call, &success.writing(1, b"PUT"));
}

#[test]
fn the_name_reported_is_the_sessions() {
    let mut bench = Bench::new();
    let (context, _) = bench.established();
    let call = Call::QueryContextAttributes { context: Some(context), attribute: 1 };
    let reporting = |name: &str| Outcome {
        attribute: Some(Attribute::Names(name.into())),
        ..Outcome::untouched(Status::SEC_E_OK, &call)
    };
    bench.fail("qca-answered", &call, &reporting("bob"));
    bench.fail("qca-answered", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
    bench.pass("qca-answered", &call, &reporting("alice"));
    // Package information may be had early; an attribute beside an error is had by nobody.
    let (early, _) = bench.challenged(Qop::Auth);
    let call = Call::QueryContextAttributes { context: Some(early), attribute: 1 };
    let leaking = Outcome {
        attribute: Some(Attribute::Names("alice".into())),
        ..Outcome::untouched(Status::SEC_E_INVALID_HANDLE, &call)
    };
    bench.fail("qca-not-established", &call, &leaking);
    let call = Call::QueryContextAttributes { context: Some(early), attribute: 10 };
    let early = Outcome { attribute: Some(Attribute::Other), ..Outcome::untouched(Status::SEC_E_OK, &call) };
    bench.deviation("qca-package-info-early", &call, &early);
}

/// An initiator with mutual authentication and a body that is not read yet; the token it put out.
fn unfinished(bench: &mut Bench, response: &str) -> (SecHandle, Vec<u8>, Call, Outcome) {
    let identity = AuthIdentity { user: "alice".into(), domain: String::new(), password: "secret".into() };
    let credential = bench.acquire(None, 2, Some(identity));
    let issued = bench.issue(Qop::AuthInt);
    let Call::AcceptSecurityContext { input, output, .. } = accept(credential, None, &issued.token(false)) else {
        unreachable!("accept makes that call")
    };
    let call = Call::InitializeSecurityContext {
        credential: Some(credential),
        context: None,
        target_name: Some(b"/dir/index.html".to_vec()),
        requirements: HTTP | ISC_INTEGRITY | ISC_MUTUAL_AUTH,
        input,
        output,
    };
    let token = String::from_utf8(Request::answering(&issued).forged()).expect("ASCII");
    let token = token.replace(&"5".repeat(32), response) + ",algorithm=MD5";
    let new = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_AND_CONTINUE, &call).with_handle(new);
    let outcome = outcome.writing(0, token.as_bytes());
    (new, token.into_bytes(), call, outcome)
}

#[test]
fn an_unfinished_token_has_32_zeros() {
    let mut bench = Bench::new();
    let (_, _, call, escaped) = unfinished(&mut bench, &format!("\\{}", "0".repeat(32)));
    bench.fail("isc-unfinished-mutual", &call, &escaped);
    let (_, _, call, made_up) = unfinished(&mut bench, &"1".repeat(32));
    bench.fail("isc-unfinished-mutual", &call, &made_up);
}

#[test]
fn a_token_is_finished_in_place_and_nothing_else_changes() {
    let mut bench = Bench::new();
    let zeros = "0".repeat(32);
    let (context, token, call, outcome) = unfinished(&mut bench, &zeros);
    bench.pass("isc-unfinished-mutual", &call, &outcome);
    assert_eq!(bench.state(context), "complete-and-continue");
    let text = String::from_utf8(token.clone()).expect("ASCII");
    // The digest of the same request, made by hand.
    let between = |from: &str| text.split(from).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let request = Request::answering(&Issued {
        nonce: between("nonce=\"").into(),
        opaque: between("opaque=\"").into(),
        qop: Qop::AuthInt,
        realm: "digest-ssp".into(),
        algorithm: digest_ssp::digest::Algorithm::Md5,
    });
    let sealed = String::from_utf8(request.token()).expect("ASCII");
    let digits = sealed.split("response=\"").nth(1).and_then(|rest| rest.get(..32)).unwrap_or_default();
    let finished = text.replace(&zeros, digits);
    let entity = hex(&request.entity);
    // As curl calls it: the token alone. Nothing is consumed.
    let alone = with_input(complete(context, &token), |message| message.count = 1);
    bench.pass_status("cat-initiator-entity-missing", &alone, Status::SEC_E_INVALID_TOKEN);
    let call = complete_with(context, &token, b"GET", b"/dir/index.html", &entity, 0);
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.fail("cat-initiator-continued", &call, &success);
    let loud = finished.replace("/dir/index.html", "/DIR/index.html");
    bench.fail("cat-initiator-continued", &call, &success.clone().writing(0, loud.as_bytes()));
    bench.pass("cat-initiator-continued", &call, &success.writing(0, finished.as_bytes()));
    assert_eq!(bench.state(context), "responded");
}

#[test]
fn an_initiator_needs_no_clock_and_verify_signature_no_entropy() {
    let mut bench = Bench::new();
    bench.shadow.inject(EnvironmentFault::Clock);
    let (_, _, call, outcome) = unfinished(&mut bench, &"0".repeat(32));
    bench.pass("isc-unfinished-mutual", &call, &outcome);
    bench.shadow.inject(EnvironmentFault::None);
    let (context, session) = bench.established();
    bench.shadow.inject(EnvironmentFault::Entropy);
    let message = |token: &[u8]| complete_with(context, token, b"GET", b"", b"", 0).input().cloned();
    let call = Call::VerifySignature { context: Some(context), message: message(&session.counted(2).token()) };
    // No failure of the environment is due: not even beside another departure.
    bench.fail("vs-verified", &call, &Outcome::untouched(Status::SEC_E_INTERNAL_ERROR, &call));
    bench.pass_status("vs-verified", &call, Status::SEC_E_OK);
    let call = Call::VerifySignature { context: Some(context), message: message(&session.counted(3).forged()) };
    bench.fail("vs-digest-differs", &call, &Outcome::untouched(Status::SEC_E_INTERNAL_ERROR, &call));
}

#[test]
fn facts_that_exist_have_values_without_credentials_too() {
    let mut bench = Bench::new();
    let (_, _, mut call, _) = unfinished(&mut bench, &"0".repeat(32));
    if let Call::InitializeSecurityContext { credential, .. } = &mut call {
        *credential = None;
    }
    let call = with_output(call, None);
    assert!(bench.shadow.expect(&call).facts.get(Fact::Username).is_some());
    bench.pass_status("isc-no-credentials", &call, Status::SEC_E_NO_CREDENTIALS);
    // The output was judged first.
    bench.deviation("isc-no-credentials", &call, &Outcome::untouched(Status::SEC_E_INVALID_TOKEN, &call));
}
