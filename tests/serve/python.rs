//! Python's requests and aiohttp against `digest-ssp serve`.

use crate::support::{Serving, lines, script, tampering_proxy};

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";

#[test]
fn requests_counts_on_with_md5() {
    let Some(mut script) = script("requests_get.py", "requests") else { return };
    let server = Serving::start(&[]);
    let urls = ["/a", "/b", "/c"].map(|path| server.url(path));
    let output = script.args(["alice", "secret"]).args(urls).output().expect("Python is there");
    let answers = ["/a", "/b", "/c"].map(|path| format!("200 alice: GET {path} with 0 bytes"));
    assert_eq!(lines(&output), answers);
    server.expect_calls(
        0,
        &[
            CHALLENGE,
            "ASC SEC_E_OK 1",
            "ASC SEC_I_COMPLETE_NEEDED 2",
            "CAT SEC_E_OK 2",
            "ASC SEC_I_COMPLETE_NEEDED 3",
            "CAT SEC_E_OK 3",
        ],
    );
}

#[test]
fn requests_rebuilds_a1_with_md5_sess() {
    let Some(mut script) = script("requests_get.py", "requests") else { return };
    let server = Serving::start(&["--algorithm", "MD5-sess"]);
    let urls = ["/a", "/b", "/c"].map(|path| server.url(path));
    let output = script.args(["alice", "secret"]).args(urls).output().expect("Python is there");
    let answers = ["/a", "/b", "/c"].map(|path| format!("200 alice: GET {path} with 0 bytes"));
    assert_eq!(lines(&output), answers);
    server.expect_calls(
        0,
        &[
            CHALLENGE,
            "ASC SEC_E_OK 1",
            "ASC SEC_I_COMPLETE_NEEDED 2",
            "CAT SEC_E_MESSAGE_ALTERED 2",
            CHALLENGE,
            "ASC SEC_E_OK 1",
            "ASC SEC_I_COMPLETE_NEEDED 2",
            "CAT SEC_E_MESSAGE_ALTERED 2",
            CHALLENGE,
            "ASC SEC_E_OK 1",
        ],
    );
}

#[test]
fn requests_is_refused_without_the_password() {
    let Some(mut script) = script("requests_get.py", "requests") else { return };
    let server = Serving::start(&[]);
    let output = script.args(["alice", "guess", &server.url("/a")]).output().expect("Python is there");
    assert_eq!(lines(&output), ["401 authentication is required"]);
    server.expect_calls(0, &[CHALLENGE, "ASC SEC_E_LOGON_DENIED 1", CHALLENGE]);
}

#[test]
fn aiohttp_covers_its_body_with_auth_int() {
    let Some(mut script) = script("aiohttp_post.py", "aiohttp") else { return };
    let server = Serving::start(&["--qop", "auth-int"]);
    let urls = ["/a", "/b"].map(|path| server.url(path));
    let output = script.args(["alice", "secret", "amount=100"]).args(urls).output().expect("Python is there");
    assert_eq!(lines(&output), ["200 alice: POST /a with 10 bytes", "200 alice: POST /b with 10 bytes"]);
    server.expect_calls(
        0,
        &[CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1", "ASC SEC_I_COMPLETE_NEEDED 2", "CAT SEC_E_OK 2"],
    );
}

#[test]
fn aiohttp_rebuilds_a1_with_md5_sess() {
    let Some(mut script) = script("aiohttp_post.py", "aiohttp") else { return };
    let server = Serving::start(&["--qop", "auth-int", "--algorithm", "MD5-sess"]);
    let urls = ["/a", "/b"].map(|path| server.url(path));
    let output = script.args(["alice", "secret", "amount=100"]).args(urls).output().expect("Python is there");
    assert_eq!(lines(&output), ["200 alice: POST /a with 10 bytes", "200 alice: POST /b with 10 bytes"]);
    server.expect_calls(
        0,
        &[
            CHALLENGE,
            "ASC SEC_I_COMPLETE_NEEDED 1",
            "CAT SEC_E_OK 1",
            "ASC SEC_I_COMPLETE_NEEDED 2",
            "CAT SEC_E_MESSAGE_ALTERED 2",
            CHALLENGE,
            "ASC SEC_I_COMPLETE_NEEDED 1",
            "CAT SEC_E_OK 1",
        ],
    );
}

#[test]
fn a_changed_body_is_noticed() {
    for algorithm in ["MD5", "MD5-sess"] {
        let Some(mut script) = script("aiohttp_post.py", "aiohttp") else { return };
        let server = Serving::start(&["--qop", "auth-int", "--algorithm", algorithm]);
        let proxy = tampering_proxy(&server.address, "amount=100", "amount=900");
        let url = format!("http://{proxy}/a");
        let output = script.args(["alice", "secret", "amount=100", &url]).output().expect("Python is there");
        assert_eq!(lines(&output), ["401 authentication is required"], "{algorithm}");
        server.expect_calls(0, &[CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_MESSAGE_ALTERED 1", CHALLENGE]);
    }
}
