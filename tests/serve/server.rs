//! `digest-ssp serve` and raw sockets: what no ordinary client shows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Exchange, Holder, Serving, challenge, digest_ssp, request};
use digest_ssp::digest::Qop;

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";

#[test]
fn the_body_is_read_after_accept_and_before_complete() {
    for algorithm in ["MD5", "MD5-sess"] {
        let server = Serving::start(&["--qop", "auth-int", "--algorithm", algorithm]);
        let alice = Holder::new(challenge(&server.address), Qop::AuthInt);
        for count in [1, 2] {
            let mark = server.mark();
            let header = alice.authorization("POST", "/a", count, "amount=100");
            let exchange = Exchange::head(&server.address, "POST", "/a", &header, 10);
            let accepted = format!("ASC SEC_I_COMPLETE_NEEDED {count}");
            server.expect_calls(mark, &[&accepted]);
            // Nothing completes while the body is on its way.
            std::thread::sleep(Duration::from_millis(100));
            server.expect_calls(mark, &[&accepted]);
            let reply = exchange.body("amount=100").reply();
            assert_eq!((reply.status, reply.body.as_str()), (200, "alice: POST /a with 10 bytes\n"));
            assert!(reply.header("authentication-info").is_some_and(|info| info.starts_with("qop=auth-int,rspauth=")));
            server.expect_calls(mark, &[&accepted, &format!("CAT SEC_E_OK {count}")]);
        }
        let mark = server.mark();
        let header = alice.authorization("POST", "/a", 3, "amount=100");
        assert!(!request(&server.address, "POST", "/a", &header, "amount=900").challenge().stale);
        server.expect_calls(mark, &["ASC SEC_I_COMPLETE_NEEDED 3", "CAT SEC_E_MESSAGE_ALTERED 3", CHALLENGE]);
        // Nobody can use up another one's count by altering his request.
        assert_eq!(request(&server.address, "POST", "/a", &header, "amount=100").status, 200);
    }
}

#[test]
fn two_interleaved_requests_both_succeed() {
    for qop in [Qop::Auth, Qop::AuthInt] {
        let server = Serving::start(&["--qop", qop.as_str()]);
        let alice = Holder::new(challenge(&server.address), qop);
        let first = request(&server.address, "POST", "/", &alice.authorization("POST", "/", 1, "hello"), "hello");
        assert_eq!(first.status, 200, "{first:?}");
        let mark = server.mark();
        let exchanges: Vec<_> = [2_u32, 3]
            .iter()
            .map(|count| {
                let header = alice.authorization("POST", "/", *count, "hello");
                let exchange = Exchange::head(&server.address, "POST", "/", &header, 5);
                let accepted = [2, 3].iter().take_while(|other| *other <= count);
                let accepted: Vec<_> = accepted.map(|count| format!("ASC SEC_I_COMPLETE_NEEDED {count}")).collect();
                server.expect_calls(mark, &accepted.iter().map(String::as_str).collect::<Vec<_>>());
                exchange
            })
            .collect();
        for exchange in exchanges {
            assert_eq!(exchange.body("hello").reply().status, 200);
        }
        server.expect_calls(
            mark,
            &["ASC SEC_I_COMPLETE_NEEDED 2", "ASC SEC_I_COMPLETE_NEEDED 3", "CAT SEC_E_OK 2", "CAT SEC_E_OK 3"],
        );
        assert_eq!(request(&server.address, "GET", "/", &alice.authorization("GET", "/", 4, ""), "").status, 200);
    }
}

#[test]
fn a_window_lets_requests_overtake_each_other() {
    for (arguments, status) in [(&["--window", "2"][..], 200), (&[], 401)] {
        let server = Serving::start(arguments);
        let alice = Holder::new(challenge(&server.address), Qop::Auth);
        let get = |count| request(&server.address, "GET", "/", &alice.authorization("GET", "/", count, ""), "").status;
        assert_eq!([get(1), get(3)], [200, status]);
        assert_eq!([get(2), get(2)], [200, 401]);
    }
}

#[test]
fn the_initial_token_is_for_this_target() {
    let server = Serving::start(&[]);
    let alice = Holder::new(challenge(&server.address), Qop::Auth);
    let header = alice.authorization("GET", "/a", 1, "");
    assert_eq!(request(&server.address, "GET", "/b", &header, "").status, 400);
    server.expect_calls(0, &[CHALLENGE, "ASC SEC_E_OK 1"]);
    // Nobody was let in, and the session ended: a copy of the header proves nothing any more.
    assert!(request(&server.address, "GET", "/a", &header, "").challenge().stale);

    let alice = Holder::new(challenge(&server.address), Qop::Auth);
    let header = alice.authorization("GET", "http://proxy.example/a", 1, "");
    assert_eq!(request(&server.address, "GET", "/a", &header, "").status, 200);
    let header = alice.authorization("GET", "/a", 2, "");
    let absolute = format!("http://{}/a", server.address);
    assert_eq!(request(&server.address, "GET", &absolute, &header, "").status, 200);
}

#[test]
fn who_is_not_known_is_challenged() {
    let server = Serving::start(&[]);
    for authorization in ["", "Basic YWxpY2U6c2VjcmV0", "Digest", "Digestive a=b"] {
        let challenge = request(&server.address, "GET", "/", authorization, "").challenge();
        assert!(!challenge.stale && challenge.realm == "test", "{authorization}");
    }
    let guesser = Holder::new(challenge(&server.address), Qop::Auth).with_password("guess");
    let mark = server.mark();
    assert!(!request(&server.address, "GET", "/", &guesser.authorization("GET", "/", 1, ""), "").challenge().stale);
    server.expect_calls(mark, &["ASC SEC_E_LOGON_DENIED 1", CHALLENGE]);
}

#[test]
fn bad_requests_are_answered_and_harm_nobody() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let address = server.address.as_str();
    let long = format!("Digest username=\"{}\"", "a".repeat(9000));
    for token in ["Digest a", "Digest username=\"alice", "Digest username=\"a\", username=\"b\"", long.as_str()] {
        let mark = server.mark();
        assert_eq!(request(address, "GET", "/", token, "").status, 400, "{token}");
        server.expect_calls(mark, &["ASC SEC_E_INVALID_TOKEN -"]);
    }
    let twice =
        format!("GET / HTTP/1.1\r\nHost: {address}\r\nAuthorization: Digest a=b\r\nAuthorization: Digest a=b\r\n\r\n");
    let twice = twice.replace("Host", "Connection: close\r\nHost");
    assert_eq!(Exchange::raw(address, &twice).reply().status, 400);
    assert_eq!(Exchange::raw(address, "\0\0\0\r\n\r\n").reply().status, 400);
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    assert_eq!(Exchange::raw(address, &head).reply().status, 431);

    // A body that is announced too long is not waited for.
    let alice = Holder::new(challenge(address), Qop::AuthInt);
    let header = alice.authorization("POST", "/", 1, "hello");
    assert_eq!(Exchange::head(address, "POST", "/", &header, 17 << 20).reply().status, 413);
    assert_eq!(Exchange::head(address, "POST", "/", "", 17 << 20).reply().status, 401);
    // Whoever goes away while his body is awaited took nothing with him. The next request may overtake the one he left behind, so
    // he leaves only once the server waits for him.
    let mark = server.mark();
    let gone = Exchange::head(address, "POST", "/", &header, 5);
    server.expect_calls(mark, &["ASC SEC_I_COMPLETE_NEEDED 1"]);
    drop(gone);
    assert_eq!(request(address, "POST", "/", &header, "hello").status, 200);
    server.expect_calls(mark, &["ASC SEC_I_COMPLETE_NEEDED 1", "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1"]);
}

#[test]
fn who_expects_100_is_told_before_he_sends_in_vain() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let ask = |header: &str| {
        let address = &server.address;
        let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nExpect: 100-continue\r\n");
        Exchange::raw(address, &format!("{head}Content-Length: 5\r\nAuthorization: {header}\r\n\r\n"))
    };
    let alice = Holder::new(ask("Digest").reply().challenge(), Qop::AuthInt);
    let mut exchange = ask(&alice.authorization("POST", "/", 1, "hello"));
    exchange.interim("HTTP/1.1 100 Continue\r\n\r\n");
    server.expect_calls(0, &[CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1"]);
    assert_eq!(exchange.body("hello").reply().status, 200);
}

#[test]
fn a_protection_that_was_not_offered_is_a_bad_request() {
    for (offered, taken) in [(Qop::Auth, Qop::AuthInt), (Qop::AuthInt, Qop::Auth)] {
        let server = Serving::start(&["--qop", offered.as_str()]);
        let alice = Holder::new(challenge(&server.address), taken);
        assert_eq!(request(&server.address, "GET", "/", &alice.authorization("GET", "/", 1, ""), "").status, 400);
    }
}

/// A session, another body than was covered, a used count, nonsense, and what the last request of the session is answered with
/// after `pause`.
fn use_up_contexts(server: &Serving, pause: impl Fn()) -> u16 {
    let address = server.address.as_str();
    let alice = Holder::new(challenge(address), Qop::AuthInt);
    let post = |count, body| request(address, "POST", "/", &alice.authorization("POST", "/", count, "hello"), body);
    assert_eq!(
        [post(1, "hello"), post(2, "hello"), post(3, "other"), post(2, "hello")].map(|reply| reply.status),
        [200, 200, 401, 401]
    );
    pause();
    let last = post(3, "hello").status;
    assert_eq!(request(address, "GET", "/", "Digest a", "").status, 400);
    last
}

/// As many contexts are deleted as were made, and one of them was kept for its session to the end.
fn every_context_was_deleted(log: &[String]) {
    let mut made = BTreeMap::new();
    for line in log {
        let words: Vec<_> = line.split(' ').collect();
        let [call, before, _, after, ..] = words.as_slice() else { panic!("{line}") };
        match (*call, *before, *after) {
            ("AcceptSecurityContext", "none", "none") => {}
            ("AcceptSecurityContext", "none", _) => *made.entry("made").or_insert(0) += 1,
            ("DeleteSecurityContext", before, "none") if before != "none" => *made.entry("deleted").or_insert(0) += 1,
            ("DeleteSecurityContext", ..) => panic!("{line}"),
            _ => {}
        }
    }
    assert_eq!(made.get("made"), made.get("deleted"), "{log:#?}");
    // The one that was kept for the session is deleted at the end, and there was never another one kept.
    let kept = log.iter().rev().take_while(|line| !line.starts_with("AcceptSecurityContext"));
    let kept = kept.filter(|line| line.starts_with("DeleteSecurityContext established"));
    assert_eq!(kept.count(), 1, "{log:#?}");
    assert_eq!(log.last().map(String::as_str), Some("FreeCredentialsHandle none -> none SEC_E_OK nc=-"));
}

#[cfg(unix)]
#[test]
fn every_context_is_deleted_when_the_server_is_interrupted() {
    let server = Serving::start(&["--qop", "auth-int"]);
    assert_eq!(use_up_contexts(&server, || ()), 200);
    let (code, log) = server.interrupt();
    assert_eq!(code, Some(0));
    every_context_was_deleted(&log);
}

#[test]
fn every_context_is_deleted_where_nonces_expire() {
    let server = Serving::on_a_clock(Qop::AuthInt);
    assert_eq!(use_up_contexts(&server, || server.expire()), 401);
    let log = server.stop();
    assert!(log.iter().any(|line| line.contains(" SEC_I_COMPLETE_AND_CONTINUE ")), "{log:#?}");
    every_context_was_deleted(&log);
}

#[test]
fn a_nonce_is_good_for_as_long_as_is_said() {
    let [short, long] = ["1", "3600"].map(|seconds| Serving::start(&["--nonce-lifetime", seconds]));
    let [early, timely] = [&short, &long].map(|server| Holder::new(challenge(&server.address), Qop::Auth));
    // However long this takes, it is more than one second and less than an hour.
    std::thread::sleep(Duration::from_millis(1100));
    let get = |server: &Serving, alice: &Holder| {
        request(&server.address, "GET", "/", &alice.authorization("GET", "/", 1, ""), "")
    };
    assert!(get(&short, &early).challenge().stale);
    assert_eq!(get(&long, &timely).status, 200);
}

#[test]
fn accounts_come_from_an_htdigest_file() {
    let directory = std::env::temp_dir().join(format!("digest-ssp-http-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("there is a place for temporary files");
    let file = directory.join("accounts");
    // md5sum of `alice:test:secret`.
    std::fs::write(&file, "alice:test:d80a40a1155d17efbae0f114ebab987e\n").expect("it can be written");
    let path = file.to_str().expect("a path of ours");
    let server = Serving::start(&["--htdigest", path]);
    let alice = Holder::new(challenge(&server.address), Qop::Auth);
    assert_eq!(request(&server.address, "GET", "/", &alice.authorization("GET", "/", 1, ""), "").status, 200);

    std::fs::write(&file, "# nobody\nalice:test\n").expect("it can be written");
    let output = digest_ssp().args(["serve", "--htdigest", path]).output().expect("built by cargo");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.lines().count() == 1 && error.contains(path) && error.contains("line 2"), "{error}");
    std::fs::remove_dir_all(&directory).expect("it is ours");
}

#[test]
fn what_cannot_be_set_up_is_said_in_one_line() {
    let server = Serving::start(&[]);
    for (arguments, named) in [
        (&["serve", "--user", "a:b", "--listen", server.address.as_str()][..], server.address.as_str()),
        (&["serve", "--htdigest", "/nowhere/accounts"], "/nowhere/accounts"),
        (&["serve", "--user", "a:b", "--realm", ""], "--realm"),
        (&["serve", "--user", "a:b", "--listen", "localhost"], "--listen"),
        (&["serve"], "--user"),
        (&[], "subcommand"),
    ] {
        let output = digest_ssp().args(arguments).output().expect("built by cargo");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.lines().count() == 1 && error.contains(named), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let help = digest_ssp().args(["serve", "--help"]).output().expect("built by cargo");
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}
