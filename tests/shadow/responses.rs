//! Digests: character sets, backslashes, MD5-sess, the RFC's own example.

use super::support::*;
use digest_ssp::digest::{Algorithm, Charset, Qop};
use digest_ssp::spec::Outcome;
use digest_ssp::spec::setup::{AccountEntry, OfferedAlgorithm, Setup};
use digest_ssp::status::SecurityStatus as Status;

fn account(username: &str, realm: &str, password: &str) -> AccountEntry {
    AccountEntry { username: username.into(), realm: realm.into(), password: password.into() }
}

#[test]
fn the_example_of_rfc_2617_is_right() {
    // Section 3.5; the password is "Circle Of Life".
    let accounts = vec![account("Mufasa", "testrealm@host.com", "Circle Of Life")];
    let mut bench = Bench::with(Setup { accounts, realm: "testrealm@host.com".into(), ..Setup::default() });
    let issued = Issued {
        nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093".to_vec(),
        opaque: b"5ccc069c403ebaf9f0171e9517f40e41".to_vec(),
        qop: Qop::Auth,
        realm: "testrealm@host.com".into(),
        algorithm: Algorithm::Md5,
    };
    let call = accept(bench.credential, None, b"");
    let context = bench.new_handle();
    let challenge = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.pass("asc-challenge", &call, &challenge.writing(0, &issued.token(false)));
    let response = br#"username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let call = accept(bench.credential, Some(context), response);
    let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.deviation("asc-answer-right-challenged", &call, &success.writing(0, b""));
    assert_eq!(bench.state(context), "established");
}

#[test]
fn both_forms_of_the_charset_rule_are_right() {
    for (charset, utf8_hash) in [(Charset::Utf8, false), (Charset::Utf8, true), (Charset::Iso8859_1, false)] {
        let mut bench = Bench::new();
        let (context, issued) = bench.challenged(Qop::Auth);
        let request = Request {
            username: "jürgen".into(),
            password: "pässword".into(),
            charset,
            utf8_hash,
            ..Request::answering(&issued)
        };
        bench.authenticates(context, &request);
        // The cached key is the one of that form.
        let pending = bench.found(&request.counted(2));
        bench.completes(pending, &request.counted(2));
    }
}

#[test]
fn a_session_keeps_to_the_form_it_began_with() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let first = Request {
        username: "jürgen".into(),
        password: "pässword".into(),
        charset: Charset::Utf8,
        ..Request::answering(&issued)
    };
    bench.authenticates(context, &first);
    let second = Request { utf8_hash: true, ..first.counted(2) };
    let pending = bench.found(&second);
    bench.pass_status(
        "cat-digest-differs-subsequent",
        &complete(pending, &second.token()),
        Status::SEC_E_MESSAGE_ALTERED,
    );
}

#[test]
fn a_user_outside_iso_8859_1() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let (username, password) = ("Ольга".into(), "пароль".into());
    bench
        .authenticates(context, &Request { username, password, charset: Charset::Utf8, ..Request::answering(&issued) });
}

#[test]
fn a_backslash_in_the_username_may_be_badly_escaped() {
    // MS-DPSP 2.2: DOMAIN\user is sent with one backslash or with two.
    for escaped in ["DOM\\\\alice", "DOM\\alice"] {
        let accounts = vec![account("DOM\\alice", "digest-ssp", "secret")];
        let mut bench = Bench::with(Setup { accounts, ..Setup::default() });
        let (context, issued) = bench.challenged(Qop::Auth);
        let request = Request { username: "DOM\\alice".into(), ..Request::answering(&issued) };
        let token = String::from_utf8(request.token()).expect("ASCII");
        let token = token.replace("username=\"DOM\\\\alice\"", &format!("username=\"{escaped}\""));
        let call = accept(bench.credential, Some(context), token.as_bytes());
        let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        bench.pass("asc-answer-right-challenged", &call, &success.writing(0, &request.authentication_info()));
    }
}

#[test]
fn an_unknown_user_looks_like_a_wrong_digest() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request { username: "mallory".into(), ..Request::answering(&issued) };
    let call = accept(bench.credential, Some(context), &request.token());
    bench.pass_status("asc-answer-wrong-challenged", &call, Status::SEC_E_LOGON_DENIED);
}

#[test]
fn md5_sess_keys_are_fixed_for_the_session() {
    let mut bench = Bench::with(Setup { algorithm: OfferedAlgorithm::Md5Sess, ..Setup::default() });
    let (_, first) = bench.established();
    // Its own nonce, nc and cnonce, and the session's A1.
    let kept = Request { cnonce: b"another".to_vec(), key: Some(first.session_key()), ..first.counted(2) };
    let pending = bench.found(&kept);
    bench.completes(pending, &kept);
    // Clients that rebuild A1 from the new cnonce fail a cached key.
    let rebuilt = Request { cnonce: b"another".to_vec(), ..first.counted(3) };
    let pending = bench.found(&rebuilt);
    let call = complete(pending, &rebuilt.token());
    let success = Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &rebuilt.authentication_info());
    bench.fail("cat-digest-differs-subsequent", &call, &success);
    bench.pass_status("cat-digest-differs-subsequent", &call, Status::SEC_E_MESSAGE_ALTERED);
}

#[test]
fn an_answer_must_be_what_was_offered() {
    let changes: [fn(&Issued) -> Request; 3] = [
        |issued| Request { algorithm: Some(Algorithm::Md5Sess), ..Request::answering(issued) },
        |issued| Request { realm: "other realm".into(), ..Request::answering(issued) },
        |issued| Request { qop: Qop::AuthInt, ..Request::answering(issued) },
    ];
    for change in changes {
        let mut bench = Bench::new();
        let (context, issued) = bench.challenged(Qop::Auth);
        let call = accept(bench.credential, Some(context), &change(&issued).token());
        bench.fail(
            "asc-not-offered-challenged",
            &call,
            &Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context),
        );
        bench.pass_status("asc-not-offered-challenged", &call, Status::SEC_E_INVALID_TOKEN);
        assert_eq!(bench.state(context), "challenged");
        bench.deviation("asc-not-offered-challenged", &call, &Outcome::untouched(Status::SEC_E_LOGON_DENIED, &call));
        assert_eq!(bench.state(context), "rejected");
    }
}

#[test]
fn more_than_was_negotiated() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let token = Request::answering(&issued).token();
    for flag in [ASC_INTEGRITY, 0x4, 0x8] {
        let call = accept_with(bench.credential, Some(context), HTTP | flag, &token, b"GET", b"");
        bench.pass_status("asc-asked-more-challenged", &call, Status::SEC_E_SECURITY_QOS_FAILED);
    }
    let confidential = accept_with(bench.credential, Some(context), HTTP | 0x10, &token, b"GET", b"");
    bench.pass_status("asc-flags-unsupported-challenged", &confidential, Status::SEC_E_SECURITY_QOS_FAILED);
    bench.authenticates(context, &Request::answering(&issued));
}
