//! curl, the tool and the library, against `digest-ssp serve`.

use crate::support::{EasyHandle, Holder, Serving, challenge, curl, lines, request, sent_authorizations};
use digest_ssp::digest::Qop;

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";
const INITIAL: &str = "ASC SEC_E_OK 1";

#[test]
fn three_urls_are_three_times_200() {
    let Some(mut curl) = curl() else { return };
    let server = Serving::start(&[]);
    let urls = ["/a", "/b?c=d", "/e"].map(|path| server.url(path));
    let output = curl.args(["-sS", "--digest", "-u", "alice:secret"]).args(urls).output().expect("curl is there");
    let bodies = ["alice: GET /a with 0 bytes", "alice: GET /b?c=d with 0 bytes", "alice: GET /e with 0 bytes"];
    assert_eq!(lines(&output), bodies);
    // The tool takes a new easy handle for each URL, and with it forgets the nonce.
    server.expect_calls(0, &[CHALLENGE, INITIAL, CHALLENGE, INITIAL, CHALLENGE, INITIAL]);
}

#[test]
fn an_easy_handle_goes_on_counting() {
    let Some(mut curl) = EasyHandle::start() else { return };
    let server = Serving::start(&[]);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(curl.get(&server.url(path)), "200");
    }
    server.expect_calls(
        0,
        &[
            CHALLENGE,
            INITIAL,
            "ASC SEC_I_COMPLETE_NEEDED 2",
            "CAT SEC_E_OK 2",
            "ASC SEC_I_COMPLETE_NEEDED 3",
            "CAT SEC_E_OK 3",
        ],
    );
}

#[test]
fn a_captured_header_is_out_of_sequence() {
    let Some(mut curl) = EasyHandle::start() else { return };
    let server = Serving::start(&[]);
    for path in ["/a", "/b"] {
        assert_eq!(curl.get(&server.url(path)), "200");
    }
    let captured = sent_authorizations(&curl.finish());
    let [first, second] = captured.as_slice() else { panic!("{captured:?}") };
    for (path, header, count) in [("/a", first, "1"), ("/b", second, "2")] {
        let mark = server.mark();
        let reply = request(&server.address, "GET", path, header, "");
        // An honest client whose request overtook another one must come back.
        assert!(reply.challenge().stale);
        let [accepted, completed] =
            [format!("ASC SEC_I_COMPLETE_NEEDED {count}"), format!("CAT SEC_E_OUT_OF_SEQUENCE {count}")];
        server.expect_calls(mark, &[&accepted, &completed]);
    }
}

#[test]
fn a_captured_header_is_for_one_method_and_one_url() {
    let Some(mut curl) = curl() else { return };
    let server = Serving::start(&[]);
    let output = curl.args(["-sSv", "--digest", "-u", "alice:secret", &server.url("/a")]).output();
    let output = output.expect("curl is there");
    let captured = sent_authorizations(&String::from_utf8_lossy(&output.stderr));
    let [header] = captured.as_slice() else { panic!("{captured:?}") };
    for (method, path) in [("DELETE", "/a"), ("POST", "/a"), ("GET", "/b"), ("GET", "/a?b")] {
        let mark = server.mark();
        let reply = request(&server.address, method, path, header, "");
        assert!(!reply.challenge().stale, "{method} {path}");
        server.expect_calls(mark, &["ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_MESSAGE_ALTERED 1", CHALLENGE]);
    }
    // The session survives all of that: its own next request is served.
    let mark = server.mark();
    let reply = request(&server.address, "GET", "/a", header, "");
    assert!(reply.challenge().stale);
    server.expect_calls(mark, &["ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OUT_OF_SEQUENCE 1"]);
}

#[test]
fn curl_recovers_from_an_expired_nonce() {
    let Some(mut curl) = EasyHandle::start() else { return };
    let server = Serving::on_a_clock(Qop::Auth);
    assert_eq!(curl.get(&server.url("/a")), "200");
    server.expire();
    assert_eq!(curl.get(&server.url("/b")), "200");
    server.expect_calls(0, &[CHALLENGE, INITIAL, "ASC SEC_I_COMPLETE_AND_CONTINUE 2", "CAT SEC_E_OK 2", INITIAL]);
}

#[test]
fn an_expired_nonce_is_stale_only_if_the_digest_was_right() {
    let server = Serving::on_a_clock(Qop::Auth);
    let offered = challenge(&server.address);
    let [honest, guesser] = [challenge(&server.address), challenge(&server.address)];
    let alice = Holder::new(offered, Qop::Auth);
    let first = request(&server.address, "GET", "/a", &alice.authorization("GET", "/a", 1, ""), "");
    assert_eq!(first.status, 200, "{first:?}");
    server.expire();

    // A session whose nonce expired.
    let mark = server.mark();
    let right = request(&server.address, "GET", "/b", &alice.authorization("GET", "/b", 2, ""), "");
    assert!(right.challenge().stale);
    server.expect_calls(mark, &["ASC SEC_I_COMPLETE_AND_CONTINUE 2", "CAT SEC_E_OK 2"]);
    let mark = server.mark();
    let wrong = request(&server.address, "GET", "/c", &alice.authorization("GET", "/b", 2, ""), "");
    assert!(!wrong.challenge().stale);
    let wrong = request(&server.address, "PUT", "/b", &alice.authorization("GET", "/b", 2, ""), "");
    assert!(!wrong.challenge().stale);
    server.expect_calls(
        mark,
        &[
            "ASC SEC_I_COMPLETE_AND_CONTINUE 2",
            "CAT SEC_E_MESSAGE_ALTERED 2",
            "ASC SEC_I_COMPLETE_AND_CONTINUE 2",
            "CAT SEC_E_MESSAGE_ALTERED 2",
        ],
    );

    // A challenge nobody answered in time.
    let mark = server.mark();
    let header = Holder::new(honest, Qop::Auth).authorization("GET", "/a", 1, "");
    assert!(request(&server.address, "GET", "/a", &header, "").challenge().stale);
    let header = Holder::new(guesser, Qop::Auth).with_password("guess").authorization("GET", "/a", 1, "");
    assert!(!request(&server.address, "GET", "/a", &header, "").challenge().stale);
    server.expect_calls(mark, &["ASC SEC_I_CONTINUE_NEEDED 1", "ASC SEC_E_LOGON_DENIED 1", CHALLENGE]);
}

#[test]
fn curl_recovers_from_a_restart() {
    let Some(mut curl) = EasyHandle::start() else { return };
    let server = Serving::to_be_restarted();
    assert_eq!(curl.get(&server.url("/a")), "200");
    let server = server.restart(&[]);
    assert_eq!(curl.get(&server.url("/b")), "200");
    server.expect_calls(0, &["ASC SEC_I_CONTINUE_NEEDED 2", INITIAL]);
    let received = curl.finish();
    let stale = received.lines().filter(|line| line.starts_with("< ") && line.contains("stale=true"));
    assert_eq!(stale.count(), 1, "{received}");
}

#[test]
fn after_a_restart_only_a_right_digest_is_stale() {
    let server = Serving::to_be_restarted();
    let offered = challenge(&server.address);
    let guesser = Holder::new(offered.clone(), Qop::Auth).with_password("guess");
    let alice = Holder::new(offered, Qop::Auth);
    let header = alice.authorization("GET", "/a", 1, "");
    assert_eq!(request(&server.address, "GET", "/a", &header, "").status, 200);
    let server = server.restart(&[]);
    assert!(request(&server.address, "GET", "/b", &alice.authorization("GET", "/b", 2, ""), "").challenge().stale);
    assert!(!request(&server.address, "GET", "/b", &guesser.authorization("GET", "/b", 2, ""), "").challenge().stale);
    server.expect_calls(0, &["ASC SEC_I_CONTINUE_NEEDED 2", "ASC SEC_I_CONTINUE_NEEDED 2"]);
}
