//! SASL DIGEST-MD5: challenges, answers, fast reauthentication, proofs; the values are those of RFC 2831 section 4.

use super::sasl_support::{
    ASC_INTEGRITY, CONFIDENTIALITY, REALM, ROOM, SaslBench, SaslRequest, URI, challenge, flags, sasl_accept,
    sasl_complete, sasl_initialize, setup,
};
use super::support::{Bench, HTTP, OutcomeExt, handle, with_output};
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf, Qop};
use digest_ssp::spec::Setup;
use digest_ssp::spec::call::{Attribute, Call, Outcome, SessionKeyBytes};
use digest_ssp::spec::names::Profile;
use digest_ssp::spec::setup::EnvironmentFault;
use digest_ssp::status::SecurityStatus as Status;

fn bench() -> Bench {
    Bench::with(setup())
}

/// The nonce, the challenge, the response and the proof.
type Exchange = (&'static [u8], &'static [u8], &'static [u8], &'static [u8]);

/// RFC 2831 section 4: the IMAP4 exchange and the ACAP exchange, octet for octet.
const PUBLISHED: [Exchange; 2] = [
    (
        b"OA6MG9tEQGm2hh",
        b"realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",algorithm=md5-sess,charset=utf-8",
        b"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",nc=00000001,cnonce=\"OA6MHXh6VqTrRk\",digest-uri=\"imap/elwood.innosoft.com\",response=d388dad90d4bbd760a152321f2143af7,qop=auth",
        b"rspauth=ea40f60335c427b5527b84dbabcdfffd",
    ),
    (
        b"OA9BSXrbuRhWay",
        b"realm=\"elwood.innosoft.com\",nonce=\"OA9BSXrbuRhWay\",qop=\"auth\",algorithm=md5-sess,charset=utf-8",
        b"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA9BSXrbuRhWay\",nc=00000001,cnonce=\"OA9BSuZWMSpW8m\",digest-uri=\"acap/elwood.innosoft.com\",response=6084c6db3fede7352c551284490fd0fc,qop=auth",
        b"rspauth=2f0b3d7c3c2e486600ef710726aa2eae",
    ),
];

#[test]
fn the_published_exchanges_are_accepted() {
    let mut bench = bench();
    for (_, server, client, proof) in PUBLISHED {
        let call = sasl_accept(bench.credential, None, 0, b"");
        let context = bench.new_handle();
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        bench.pass("asc-sasl-challenge", &call, &outcome.writing(0, server));
        let call = sasl_accept(bench.credential, Some(context), 0, client);
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        bench.fail("asc-sasl-answer-right-challenged", &call, &outcome.clone().writing(0, b""));
        let wrong = b"rspauth=ea40f60335c427b5527b84dbabcdfffe";
        bench.fail("asc-sasl-answer-right-challenged", &call, &outcome.clone().writing(0, wrong));
        bench.pass("asc-sasl-answer-right-challenged", &call, &outcome.writing(0, proof));
        assert_eq!(bench.state(context), "established");
    }
}

#[test]
fn the_published_exchanges_are_initiated() {
    let mut bench = bench();
    let credential = bench.chris("");
    for (nonce, server, client, proof) in PUBLISHED {
        let target: &[u8] =
            if nonce.starts_with(b"OA6") { b"imap/elwood.innosoft.com" } else { b"acap/elwood.innosoft.com" };
        let call = sasl_initialize(credential, None, 0, target, server);
        let context = bench.new_handle();
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        let finished = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        bench.fail("isc-sasl-answered", &call, &finished.writing(0, client));
        bench.pass("isc-sasl-answered", &call, &outcome.writing(0, client));
        let call = sasl_initialize(credential, Some(context), 0, target, proof);
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, b"");
        bench.pass("isc-sasl-proof-right", &call, &outcome);
        assert_eq!(bench.state(context), "established");
    }
}

#[test]
fn a_challenge_says_what_the_flags_ask() {
    for qop in Qop::ALL {
        let mut bench = bench();
        let call = sasl_accept(bench.credential, None, flags(qop), b"");
        let (context, nonce) = (bench.new_handle(), bench.nonce());
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        let right = challenge(&nonce, qop, false);
        let text = String::from_utf8(right.clone()).expect("it is ASCII");
        let mut wrong = vec![
            challenge(&nonce, qop, true),
            text.replace("md5-sess", "md5").into_bytes(),
            text.replace("elwood", "other").into_bytes(),
            [&right[..], b",opaque=\"x\""].concat(),
            [&right[..], b",realm=\"second\""].concat(),
        ];
        wrong.extend(Qop::ALL.into_iter().filter(|other| *other != qop).map(|other| challenge(&nonce, other, false)));
        if qop != Qop::Auth {
            wrong.push(text.replace("65536", "65535").into_bytes());
        }
        if qop == Qop::AuthConf {
            wrong.push(text.replace("rc4,3des,", "rc4,").into_bytes());
        }
        for token in wrong {
            bench.fail("asc-sasl-challenge", &call, &outcome.clone().writing(0, &token));
        }
        bench.pass("asc-sasl-challenge", &call, &outcome.writing(0, &right));
    }
}

#[test]
fn the_setup_decides_ciphers_and_maxbuf() {
    let ciphers = vec![digest_ssp::spec::setup::Cipher::Des, digest_ssp::spec::setup::Cipher::Rc4];
    let mut bench = Bench::with(Setup { ciphers, maxbuf: 4096, ..setup() });
    let call = sasl_accept(bench.credential, None, CONFIDENTIALITY, b"");
    let offer = bench.shadow.sasl_offer(&call).expect("the call puts a challenge out");
    let expected: Ciphers = [Cipher::Rc4, Cipher::Des].into_iter().collect();
    assert_eq!((offer.ciphers, offer.maxbuf), (expected, MaxBuf::new(4096).expect("it is one")));
    let mut none = Bench::with(Setup { ciphers: Vec::new(), ..setup() });
    let call = sasl_accept(none.credential, None, CONFIDENTIALITY, b"");
    none.pass_status("asc-sasl-flags-unsupported", &call, Status::SEC_E_SECURITY_QOS_FAILED);
    let call = sasl_accept(bench.credential, None, 0x0400_0000, b"");
    bench.pass_status("asc-sasl-flags-unsupported", &call, Status::SEC_E_SECURITY_QOS_FAILED);
}

#[test]
fn a_wrong_answer_is_denied_and_counted() {
    let mut bench =
        Bench::with(Setup { limits: digest_ssp::spec::setup::Limits { failures: 2, ..Default::default() }, ..setup() });
    let (context, nonce) = bench.sasl_challenged(Qop::Auth);
    let request = SaslRequest::answering(&nonce, Qop::Auth);
    let call = sasl_accept(bench.credential, Some(context), 0, &request.forged());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.fail("asc-sasl-answer-wrong-challenged", &call, &success.writing(0, &request.rspauth()));
    bench.pass_status("asc-sasl-answer-wrong-challenged", &call, Status::SEC_E_LOGON_DENIED);
    assert_eq!(bench.state(context), "rejected");
    // An unknown user looks the same, and the second failure forgets the challenge.
    let stranger = SaslRequest { username: "nobody".into(), ..request.clone() };
    let call = sasl_accept(bench.credential, None, 0, &stranger.token());
    bench.pass_status("asc-sasl-answer-wrong", &call, Status::SEC_E_LOGON_DENIED);
    let call = sasl_accept(bench.credential, None, 0, &request.token());
    let (context, nonce) = (bench.new_handle(), bench.nonce());
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("asc-sasl-nothing-named-right", &call, &outcome.writing(0, &challenge(&nonce, Qop::Auth, true)));
}

#[test]
fn nobody_acts_as_another_and_nothing_is_charged_for_asking() {
    let mut bench = bench();
    let (context, nonce) = bench.sasl_challenged(Qop::Auth);
    let request = SaslRequest::answering(&nonce, Qop::Auth);
    let other = SaslRequest { authzid: Some("other".into()), ..request.clone() };
    let call = sasl_accept(bench.credential, Some(context), 0, &other.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.fail("asc-sasl-authzid-refused-challenged", &call, &success.writing(0, &other.rspauth()));
    bench.pass_status("asc-sasl-authzid-refused-challenged", &call, Status::SEC_E_LOGON_DENIED);
    assert_eq!(bench.shadow.registers().exchanges[0].failures, 0);
    let own = SaslRequest { authzid: Some("chris".into()), ..request };
    let call = sasl_accept(bench.credential, None, 0, &own.token());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(bench.new_handle());
    bench.pass("asc-sasl-answer-right", &call, &outcome.writing(0, &own.rspauth()));
}

#[test]
fn an_answer_chooses_among_what_was_offered() {
    type Change = fn(SaslRequest) -> SaslRequest;
    let changes: [(Qop, Change); 4] = [
        (Qop::Auth, |request| SaslRequest { realm: None, ..request }),
        (Qop::Auth, |request| SaslRequest { qop: Qop::AuthInt, ..request }),
        (Qop::AuthInt, |request| SaslRequest { qop: Qop::Auth, ..request }),
        (Qop::AuthInt, |request| SaslRequest { qop: Qop::AuthConf, cipher: Some(Cipher::Rc4), ..request }),
    ];
    for (qop, change) in changes {
        let mut bench = bench();
        let (context, nonce) = bench.sasl_challenged(qop);
        let request = change(SaslRequest::answering(&nonce, qop));
        let call = sasl_accept(bench.credential, Some(context), flags(qop), &request.token());
        let row = "asc-sasl-not-offered-challenged";
        bench.pass_status(row, &call, Status::SEC_E_INVALID_TOKEN);
        bench.sasl_authenticates(context, &SaslRequest::answering(&nonce, qop));
    }
    let ciphers = vec![digest_ssp::spec::setup::Cipher::TripleDes];
    let mut bench = Bench::with(Setup { ciphers, ..setup() });
    let call = sasl_accept(bench.credential, None, CONFIDENTIALITY, b"");
    let (context, nonce) = (bench.new_handle(), bench.nonce());
    let text = String::from_utf8(challenge(&nonce, Qop::AuthConf, false)).expect("it is ASCII");
    let token = text.replace("rc4,3des,rc4-56,rc4-40,des", "3des");
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("asc-sasl-challenge", &call, &outcome.writing(0, token.as_bytes()));
    let request = SaslRequest::answering(&nonce, Qop::AuthConf);
    let call = sasl_accept(bench.credential, Some(context), CONFIDENTIALITY, &request.token());
    bench.pass_status("asc-sasl-not-offered-challenged", &call, Status::SEC_E_INVALID_TOKEN);
    let request = SaslRequest { cipher: Some(Cipher::TripleDes), ..request };
    bench.sasl_authenticates(context, &request);
}

#[test]
fn flags_cannot_ask_for_more_than_there_is() {
    let mut bench = bench();
    let (context, nonce) = bench.sasl_challenged(Qop::AuthInt);
    let request = SaslRequest::answering(&nonce, Qop::AuthInt);
    let call = sasl_accept(bench.credential, Some(context), CONFIDENTIALITY, &request.token());
    bench.pass_status("asc-sasl-asked-more-challenged", &call, Status::SEC_E_SECURITY_QOS_FAILED);
    // Less is fine.
    let call = sasl_accept(bench.credential, Some(context), 0, &request.token());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.pass("asc-sasl-answer-right-challenged", &call, &outcome.writing(0, &request.rspauth()));
    let call = sasl_accept(bench.credential, None, CONFIDENTIALITY, &request.counted(2).token());
    bench.pass_status("asc-sasl-asked-more", &call, Status::SEC_E_SECURITY_QOS_FAILED);
}

#[test]
fn a_first_answer_counts_one_under_a_fresh_nonce() {
    let mut bench = bench();
    let (context, nonce) = bench.sasl_challenged(Qop::Auth);
    let request = SaslRequest::answering(&nonce, Qop::Auth);
    let call = sasl_accept(bench.credential, Some(context), 0, &request.counted(2).token());
    let fresh = bench.nonce();
    let stale = |bench: &mut Bench, call: &Call| {
        let nonce = bench.nonce();
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, call).with_handle(context);
        (outcome.writing(0, &challenge(&nonce, Qop::Auth, true)), nonce)
    };
    let fails = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.fail("asc-sasl-answer-count-challenged", &call, &fails.writing(0, &challenge(&fresh, Qop::Auth, false)));
    let (outcome, nonce) = stale(&mut bench, &call);
    bench.pass("asc-sasl-answer-count-challenged", &call, &outcome);
    bench.shadow.advance(bench.shadow.registers().setup.nonce_lifetime + 1);
    let call = sasl_accept(bench.credential, Some(context), 0, &SaslRequest::answering(&nonce, Qop::Auth).token());
    let (outcome, nonce) = stale(&mut bench, &call);
    bench.pass("asc-sasl-answer-expired-challenged", &call, &outcome);
    bench.sasl_authenticates(context, &SaslRequest::answering(&nonce, Qop::Auth));
}

#[test]
fn the_proof_needs_its_buffer() {
    let mut bench = bench();
    let (context, nonce) = bench.sasl_challenged(Qop::Auth);
    let request = SaslRequest::answering(&nonce, Qop::Auth);
    let call = sasl_accept(bench.credential, Some(context), 0, &request.token());
    bench.pass_status(
        "asc-sasl-output-absent-challenged",
        &with_output(call.clone(), None),
        Status::SEC_E_INVALID_TOKEN,
    );
    let small =
        digest_ssp::spec::call::Descriptor::new(vec![super::support::room(digest_ssp::buffer::BufferType::TOKEN, 39)]);
    let small = with_output(call, Some(small));
    bench.pass_status("asc-sasl-output-small-challenged", &small, Status::SEC_E_INSUFFICIENT_MEMORY);
    bench.sasl_authenticates(context, &request);
}

/// RFC 2831 section 2.2: same nonce and cnonce, the next count; the proof only once the digest was right.
#[test]
fn a_session_authenticates_again() {
    let mut bench = bench();
    let (_, session) = bench.sasl_established(Qop::AuthInt);
    let request = session.counted(2);
    let call = sasl_accept(bench.credential, None, flags(Qop::AuthInt), &request.token());
    let pending = bench.new_handle();
    let found = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(pending);
    bench.fail("asc-sasl-session-found", &call, &found.clone().writing(0, &request.rspauth()));
    bench.pass("asc-sasl-session-found", &call, &found.writing(0, b""));
    assert_eq!(bench.state(pending), "complete-needed-subsequent");
    let call = sasl_complete(pending, &request.token(), ROOM);
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.fail("cat-sasl-completed", &call, &outcome.clone().writing(1, b""));
    bench.pass("cat-sasl-completed", &call, &outcome.writing(1, &request.rspauth()));
    assert_eq!(bench.state(pending), "established");
    let call = sasl_complete(pending, &session.counted(3).token(), ROOM);
    bench.pass_status("cat-sasl-nothing-to-complete", &call, Status::SEC_E_OUT_OF_SEQUENCE);
}

fn found(bench: &mut Bench, request: &SaslRequest) -> digest_ssp::buffer::SecHandle {
    let call = sasl_accept(bench.credential, None, flags(request.qop), &request.token());
    let pending = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(pending);
    bench.pass("asc-sasl-session-found", &call, &outcome.writing(0, b""));
    pending
}

#[test]
fn what_is_not_the_sessions_names_nothing() {
    let mut bench = bench();
    let (_, session) = bench.sasl_established(Qop::Auth);
    let request = session.counted(2);
    let strange: [SaslRequest; 3] = [
        SaslRequest { cnonce: b"another".to_vec(), ..request.clone() },
        SaslRequest { username: "other".into(), ..request.clone() },
        SaslRequest { authzid: Some("chris".into()), ..request.clone() },
    ];
    for request in strange {
        let call = sasl_accept(bench.credential, None, 0, &request.token());
        let (context, nonce) = (bench.new_handle(), bench.nonce());
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        bench.fail(
            "asc-sasl-nothing-named-right",
            &call,
            &Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context).writing(0, b""),
        );
        bench.pass("asc-sasl-nothing-named-right", &call, &outcome.writing(0, &challenge(&nonce, Qop::Auth, true)));
        let call = sasl_accept(bench.credential, None, 0, &request.forged());
        let (context, nonce) = (bench.new_handle(), bench.nonce());
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        bench.pass("asc-sasl-nothing-named", &call, &outcome.writing(0, &challenge(&nonce, Qop::Auth, false)));
    }
    // An expired session is not named either.
    bench.shadow.advance(bench.shadow.registers().setup.nonce_lifetime + 1);
    let call = sasl_accept(bench.credential, None, 0, &request.token());
    let (context, nonce) = (bench.new_handle(), bench.nonce());
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("asc-sasl-nothing-named-right", &call, &outcome.writing(0, &challenge(&nonce, Qop::Auth, true)));
}

#[test]
fn a_keystream_is_never_repeated() {
    let mut bench = bench();
    let (_, session) = bench.sasl_established(Qop::AuthConf);
    let call = sasl_accept(bench.credential, None, CONFIDENTIALITY, &session.counted(2).token());
    let found = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(bench.new_handle());
    bench.fail("asc-sasl-nothing-named-right", &call, &found.writing(0, b""));
    let (context, nonce) = (bench.new_handle(), bench.nonce());
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("asc-sasl-nothing-named-right", &call, &outcome.writing(0, &challenge(&nonce, Qop::AuthConf, true)));
}

#[test]
fn a_session_that_ended_may_outlive_its_handle() {
    let mut bench = bench();
    let (context, session) = bench.sasl_established(Qop::Auth);
    bench.deleted(context);
    let request = session.counted(2);
    let call = sasl_accept(bench.credential, None, 0, &request.token());
    let pending = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(pending).writing(0, b"");
    bench.deviation("asc-sasl-ended-named-right", &call, &outcome);
    let call = sasl_complete(pending, &request.token(), ROOM);
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).writing(1, &request.rspauth());
    bench.pass("cat-sasl-completed", &call, &outcome);
}

#[test]
fn a_completion_that_fails_challenges_anew() {
    type Token = fn(&SaslRequest) -> Vec<u8>;
    let changes: [(&str, Status, bool, Token); 5] = [
        ("cat-sasl-digest-differs", Status::SEC_E_MESSAGE_ALTERED, false, |request| request.forged()),
        ("cat-sasl-outside-differs", Status::SEC_E_MESSAGE_ALTERED, false, |request| {
            SaslRequest { charset: digest_ssp::digest::Charset::Iso8859_1, ..request.clone() }.token()
        }),
        ("cat-sasl-outside-differs", Status::SEC_E_MESSAGE_ALTERED, false, |request| {
            SaslRequest { qop: Qop::AuthInt, ..request.clone() }.token()
        }),
        ("cat-sasl-count-used", Status::SEC_E_OUT_OF_SEQUENCE, true, |request| request.counted(1).token()),
        ("cat-sasl-count-too-far", Status::SEC_E_OUT_OF_SEQUENCE, true, |request| request.counted(3).token()),
    ];
    for (row, status, is_stale, change) in changes {
        let mut bench = bench();
        let (established, session) = bench.sasl_established(Qop::Auth);
        let request = session.counted(2);
        let pending = found(&mut bench, &request);
        let call = sasl_complete(pending, &change(&request), ROOM);
        let fresh = bench.nonce();
        let outcome = |stale| Outcome::untouched(status, &call).writing(1, &challenge(&fresh, Qop::Auth, stale));
        bench.fail(row, &call, &Outcome::untouched(Status::SEC_E_OK, &call).writing(1, &request.rspauth()));
        bench.fail(row, &call, &outcome(!is_stale));
        bench.pass(row, &call, &outcome(is_stale));
        assert_eq!((bench.state(pending), bench.state(established)), ("rejected", "established"));
        // The challenge is the provider's, and the session's count is what it was.
        let call = sasl_accept(bench.credential, None, 0, &SaslRequest::answering(&fresh, Qop::Auth).token());
        let answered = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(bench.new_handle());
        bench.pass(
            "asc-sasl-answer-right",
            &call,
            &answered.writing(0, &SaslRequest::answering(&fresh, Qop::Auth).rspauth()),
        );
        let pending = found(&mut bench, &request);
        let call = sasl_complete(pending, &request.token(), ROOM);
        bench.pass(
            "cat-sasl-completed",
            &call,
            &Outcome::untouched(Status::SEC_E_OK, &call).writing(1, &request.rspauth()),
        );
    }
}

#[test]
fn a_wrong_digest_is_never_a_matter_of_counts() {
    let mut bench = bench();
    let (_, session) = bench.sasl_established(Qop::Auth);
    let pending = found(&mut bench, &session.counted(2));
    let call = sasl_complete(pending, &session.counted(1).forged(), ROOM);
    let fresh = bench.nonce();
    let outcome = Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call);
    bench.fail("cat-sasl-digest-differs", &call, &outcome.clone().writing(1, &challenge(&fresh, Qop::Auth, true)));
    bench.fail("cat-sasl-digest-differs", &call, &outcome);
}

#[test]
fn what_the_caller_can_mend_consumes_nothing() {
    let mut bench = bench();
    let (_, session) = bench.sasl_established(Qop::Auth);
    let request = session.counted(2);
    let pending = found(&mut bench, &request);
    bench.pass_status(
        "cat-sasl-output-absent",
        &sasl_complete(pending, &request.token(), 0),
        Status::SEC_E_INVALID_TOKEN,
    );
    bench.pass_status(
        "cat-sasl-output-small",
        &sasl_complete(pending, &request.token(), 39),
        Status::SEC_E_INSUFFICIENT_MEMORY,
    );
    bench.pass_status("cat-sasl-token-absent", &sasl_complete(pending, b"", ROOM), Status::SEC_E_INVALID_TOKEN);
    bench.shadow.inject(EnvironmentFault::Entropy);
    bench.pass_status(
        "cat-sasl-challenge-cannot-be-made",
        &sasl_complete(pending, &request.forged(), ROOM),
        Status::SEC_E_INTERNAL_ERROR,
    );
    bench.shadow.inject(EnvironmentFault::None);
    let call = sasl_complete(pending, &request.token(), ROOM);
    bench.pass(
        "cat-sasl-completed",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).writing(1, &request.rspauth()),
    );
}

#[test]
fn a_completion_needs_a_token_of_its_session() {
    let mut bench = bench();
    let (_, one) = bench.sasl_established(Qop::Auth);
    let (_, other) = bench.sasl_established(Qop::Auth);
    let pending = found(&mut bench, &one.counted(2));
    let call = sasl_complete(pending, &other.counted(2).token(), ROOM);
    bench.fail(
        "cat-sasl-token-names-another",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).writing(1, &other.counted(2).rspauth()),
    );
    bench.pass_status("cat-sasl-token-names-another", &call, Status::SEC_E_INVALID_TOKEN);
    assert_eq!(bench.state(pending), "rejected");
}

#[test]
fn a_client_authenticates_again_with_what_it_has() {
    let mut bench = bench();
    let credential = bench.chris("");
    let (context, request) = bench.sasl_responded(credential, Qop::AuthInt);
    bench.sasl_proved(credential, context, &request);
    let again = request.counted(2);
    let call = sasl_initialize(credential, Some(context), 0, b"", b"");
    let outcome =
        |token: &[u8]| Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context).writing(0, token);
    bench.fail("isc-sasl-reauthenticated", &call, &outcome(&request.token()));
    let other_cnonce = SaslRequest { cnonce: b"another".to_vec(), ..again.clone() };
    bench.fail("isc-sasl-reauthenticated", &call, &outcome(&other_cnonce.token()));
    bench.pass("isc-sasl-reauthenticated", &call, &outcome(&again.token()));
    assert_eq!(bench.state(context), "responded");
    // A server may decline: its challenge is answered, stale or not.
    let nonce = bench.nonce();
    let call = sasl_initialize(
        credential,
        Some(context),
        super::sasl_support::ISC_INTEGRITY,
        URI,
        &challenge(&nonce, Qop::AuthInt, false),
    );
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    let answer = SaslRequest::answering(&nonce, Qop::AuthInt);
    bench.pass("isc-sasl-answered-responded", &call, &outcome.writing(0, &answer.token()));
    bench.sasl_proved(credential, context, &answer);
    let other = sasl_initialize(credential, Some(context), 0, b"imap/other", b"");
    bench.pass_status("isc-sasl-target-differs", &other, Status::SEC_E_INVALID_TOKEN);
}

#[test]
fn what_cannot_authenticate_again_starts_over() {
    let mut bench = bench();
    let credential = bench.chris("");
    let (context, request) = bench.sasl_responded(credential, Qop::AuthConf);
    bench.sasl_proved(credential, context, &request);
    let call = sasl_initialize(credential, Some(context), CONFIDENTIALITY, b"", b"");
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.fail("isc-sasl-reauthentication-impossible", &call, &outcome.clone().writing(0, &request.counted(2).token()));
    bench.pass("isc-sasl-reauthentication-impossible", &call, &outcome.writing(0, b""));
    assert_eq!(bench.state(context), "initial");
    let (context, request) = bench.sasl_responded(credential, Qop::Auth);
    bench.sasl_proved(credential, context, &request);
    bench.shadow.spend_counts(context);
    let call = sasl_initialize(credential, Some(context), 0, b"", b"");
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("isc-sasl-reauthentication-impossible", &call, &outcome.writing(0, b""));
}

#[test]
fn a_server_that_does_not_prove_itself_is_rejected() {
    let tokens: [(&str, &[u8], Status); 4] = [
        ("isc-sasl-proof-wrong", b"rspauth=00000000000000000000000000000000", Status::SEC_E_MESSAGE_ALTERED),
        ("isc-sasl-proof-absent", b"ok=yes", Status::SEC_E_WRONG_PRINCIPAL),
        ("isc-sasl-proof-not-sent", b"", Status::SEC_E_WRONG_PRINCIPAL),
        (
            "isc-sasl-refused",
            b"realm=\"elwood.innosoft.com\",nonce=\"again\",algorithm=md5-sess",
            Status::SEC_E_LOGON_DENIED,
        ),
    ];
    for (row, token, status) in tokens {
        let mut bench = bench();
        let credential = bench.chris("");
        let (context, _) = bench.sasl_responded(credential, Qop::Auth);
        let mut call = sasl_initialize(credential, Some(context), 0, URI, token);
        if let (Call::InitializeSecurityContext { input: Some(input), .. }, true) = (&mut call, token.is_empty()) {
            input.buffers = Some(vec![digest_ssp::spec::call::Buffer::null(digest_ssp::buffer::BufferType::TOKEN)]);
        }
        bench.fail(row, &call, &Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, b""));
        bench.pass_status(row, &call, status);
        assert_eq!(bench.state(context), "rejected");
    }
    let mut bench = bench();
    let credential = bench.chris("");
    let (context, request) = bench.sasl_responded(credential, Qop::Auth);
    let quoted = String::from_utf8(request.rspauth()).expect("it is ASCII").replace("rspauth=", "rspauth=\"") + "\"";
    let call = sasl_initialize(credential, Some(context), 0, URI, quoted.as_bytes());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, b"");
    bench.pass("isc-sasl-proof-right", &call, &outcome);
}

#[test]
fn an_initiator_chooses_or_says_what_is_missing() {
    /// The row, the flags, the target, the challenge, the status.
    type Case = (&'static str, u32, &'static [u8], &'static [u8], Status);
    let rows: [Case; 6] = [
        ("isc-sasl-algorithm-unknown", 0, URI, b"nonce=\"n\",algorithm=md5", Status::SEC_E_QOP_NOT_SUPPORTED),
        (
            "isc-sasl-nothing-in-common",
            super::sasl_support::ISC_INTEGRITY,
            URI,
            b"nonce=\"n\",algorithm=md5-sess",
            Status::SEC_E_QOP_NOT_SUPPORTED,
        ),
        (
            "isc-sasl-nothing-in-common",
            CONFIDENTIALITY,
            URI,
            b"nonce=\"n\",algorithm=md5-sess,qop=\"auth-conf\"",
            Status::SEC_E_QOP_NOT_SUPPORTED,
        ),
        ("isc-sasl-message-incomplete", 0, b"imap", b"nonce=\"n\",algorithm=md5-sess", Status::SEC_E_INVALID_TOKEN),
        ("isc-sasl-message-incomplete", 0, b"", b"nonce=\"n\",algorithm=md5-sess", Status::SEC_E_INVALID_TOKEN),
        ("isc-sasl-token-malformed", 0, URI, b"nonce=\"n\",qop=\"auth\"", Status::SEC_E_INVALID_TOKEN),
    ];
    let mut bench = bench();
    let credential = bench.chris("");
    for (row, flags, target, token, status) in rows {
        bench.pass_status(row, &sasl_initialize(credential, None, flags, target, token), status);
    }
}

#[test]
fn a_domain_is_a_realm_or_goes_into_the_name() {
    let cases: [(&str, &[u8], &str, Option<&str>); 5] = [
        ("", b"realm=\"one\",realm=\"two\"", "chris", Some("one")),
        ("two", b"realm=\"one\",realm=\"two\"", "chris", Some("two")),
        ("three", b"realm=\"one\",realm=\"two\"", "three\\chris", Some("one")),
        ("three", b"", "chris", Some("three")),
        ("", b"", "chris", None),
    ];
    for (domain, realms, username, realm) in cases {
        let mut bench = bench();
        let credential = bench.chris(domain);
        let token = [b"nonce=\"n\",algorithm=md5-sess,charset=utf-8,", realms].concat();
        let call = sasl_initialize(credential, None, 0, URI, &token);
        let answer = SaslRequest {
            username: username.into(),
            realm: realm.map(Into::into),
            ..SaslRequest::answering(b"n", Qop::Auth)
        };
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(bench.new_handle());
        let wrong = SaslRequest { username: "nobody".into(), ..answer.clone() };
        bench.fail("isc-sasl-answered", &call, &outcome.clone().writing(0, &wrong.token()));
        bench.pass("isc-sasl-answered", &call, &outcome.writing(0, &answer.token()));
    }
}

#[test]
fn mechanisms_do_not_mix() {
    let mut bench = bench();
    let (sasl, nonce) = bench.sasl_challenged(Qop::Auth);
    let call = sasl_accept(bench.credential, Some(sasl), HTTP, b"");
    bench.pass_status("asc-sasl-other-mechanism-challenged", &call, Status::SEC_E_SECURITY_QOS_FAILED);
    let call = super::support::accept(bench.credential, None, b"");
    let (http, issued) = (bench.new_handle(), bench.issue(digest_ssp::digest::Qop::Auth));
    let issued = super::support::Issued { realm: REALM.into(), ..issued };
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(http);
    bench.pass("asc-challenge", &call, &outcome.writing(0, &issued.token(false)));
    let mut call = super::support::accept(bench.credential, Some(http), b"");
    if let Call::AcceptSecurityContext { requirements, .. } = &mut call {
        *requirements = ASC_INTEGRITY;
    }
    bench.pass_status("asc-other-mechanism-challenged", &call, Status::SEC_E_SECURITY_QOS_FAILED);
    // A nonce of HTTP names nothing on SASL.
    let request = SaslRequest::answering(&issued.nonce, Qop::Auth);
    let call = sasl_accept(bench.credential, None, 0, &request.token());
    let fresh = bench.nonce();
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(bench.new_handle());
    bench.pass("asc-sasl-nothing-named-right", &call, &outcome.writing(0, &challenge(&fresh, Qop::Auth, true)));
    bench.sasl_authenticates(sasl, &SaslRequest::answering(&nonce, Qop::Auth));
    let credential = bench.chris("");
    let (context, _) = bench.sasl_responded(credential, Qop::Auth);
    let call = sasl_initialize(credential, Some(context), HTTP, URI, b"");
    bench.pass_status("isc-sasl-other-mechanism-context", &call, Status::SEC_E_UNSUPPORTED_FUNCTION);
    assert_eq!(
        bench.shadow.profile_of(&Call::CompleteAuthToken { context: Some(http), token: None }),
        Profile::DigestHttp
    );
    assert_eq!(
        bench.shadow.profile_of(&Call::CompleteAuthToken { context: Some(handle(999)), token: None }),
        Profile::DigestSasl
    );
}

#[test]
fn attributes_tell_what_was_negotiated() {
    let sizes = |maximum_signature, block_size, security_trailer| Attribute::Sizes {
        maximum_signature,
        block_size,
        security_trailer,
    };
    let key_info = |signature: &str, encryption: &str, key_size| Attribute::KeyInfo {
        signature_algorithm: signature.into(),
        encryption_algorithm: encryption.into(),
        key_size,
    };
    let stream = |trailer, maximum_message, block_size| Attribute::StreamSizes {
        header: 0,
        trailer,
        maximum_message,
        buffers: 2,
        block_size,
    };
    let cases = [
        (Qop::Auth, None, sizes(0, 0, 0), key_info("", "", 0), None),
        (Qop::AuthInt, None, sizes(16, 0, 16), key_info("HMAC-MD5", "", 128), Some(stream(16, 65_520, 1))),
        (
            Qop::AuthConf,
            Some(Cipher::Rc4),
            sizes(16, 0, 16),
            key_info("HMAC-MD5", "rc4", 128),
            Some(stream(16, 65_520, 1)),
        ),
        (
            Qop::AuthConf,
            Some(Cipher::TripleDes),
            sizes(16, 8, 24),
            key_info("HMAC-MD5", "3des", 112),
            Some(stream(24, 65_512, 8)),
        ),
    ];
    for (qop, cipher, sizes, key_info, stream) in cases {
        let mut bench = bench();
        let (context, nonce) = bench.sasl_challenged(qop);
        let request = SaslRequest { cipher, ..SaslRequest::answering(&nonce, qop) };
        bench.sasl_authenticates(context, &request);
        let query = |attribute| Call::QueryContextAttributes { context: Some(context), attribute };
        let reports = |call: &Call, attribute: Attribute| Outcome {
            attribute: Some(attribute),
            ..Outcome::untouched(Status::SEC_E_OK, call)
        };
        let key = Attribute::SessionKey(SessionKeyBytes(request.key().to_bytes().to_vec()));
        for (number, attribute) in
            [(0, sizes), (1, Attribute::Names("chris".into())), (5, key_info), (9, key), (14, Attribute::Other)]
        {
            let call = query(number);
            bench.fail("qca-sasl-answered", &call, &reports(&call, Attribute::Names("nobody".into())));
            bench.pass("qca-sasl-answered", &call, &reports(&call, attribute));
        }
        match stream {
            Some(stream) => bench.pass("qca-sasl-answered", &query(4), &reports(&query(4), stream)),
            None => bench.pass_status("qca-sasl-unavailable", &query(4), Status::SEC_E_UNSUPPORTED_FUNCTION),
        }
        bench.pass_status("qca-sasl-unavailable", &query(27), Status::SEC_E_UNSUPPORTED_FUNCTION);
        bench.pass_status("qca-sasl-unsupported", &query(3), Status::SEC_E_UNSUPPORTED_FUNCTION);
    }
}

#[test]
fn the_flags_granted_are_those_negotiated() {
    for (qop, granted) in [(Qop::Auth, 0), (Qop::AuthInt, 0x2_000C), (Qop::AuthConf, 0x2_001C)] {
        let mut bench = bench();
        let (context, nonce) = bench.sasl_challenged(qop);
        let request = SaslRequest::answering(&nonce, qop);
        let call = sasl_accept(bench.credential, Some(context), flags(qop), &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, &request.rspauth());
        let row = "asc-sasl-answer-right-challenged";
        bench.fail(row, &call, &Outcome { granted: Some(granted ^ 0x2_0000), ..outcome.clone() });
        bench.pass(row, &call, &Outcome { granted: Some(granted | 0x1000), ..outcome });
    }
}
