//! `digest-ssp fetch` against `digest-ssp serve`, and against servers that lie.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::sync::mpsc;

use crate::support::{PATIENCE, Serving, digest_ssp, lines, tampering_proxy};

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";

fn fetch(arguments: &[&str]) -> Output {
    digest_ssp()
        .args(["fetch", "--user", "alice:secret", "--verbose"])
        .args(arguments)
        .output()
        .expect("built by cargo")
}

/// The log of standard error, without the calls that every run has.
fn calls(output: &Output) -> Vec<String> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let calls = error.lines().filter(|line| line.contains(" -> "));
    calls.filter(|line| !line.contains("Credentials") && !line.starts_with("Delete")).map(str::to_owned).collect()
}

/// What `fetch` complains about, one line for each URL.
fn complaints(output: &Output) -> Vec<String> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    error.lines().filter(|line| line.starts_with("digest-ssp: ")).map(str::to_owned).collect()
}

#[test]
fn every_mode_gets_its_answer() {
    for algorithm in ["MD5", "MD5-sess"] {
        for qop in ["auth", "auth-int"] {
            for mutual in [&["--mutual"][..], &[]] {
                for data in [&["--data", "hello"][..], &[]] {
                    let server = Serving::start(&["--algorithm", algorithm, "--qop", qop]);
                    let urls = ["/a", "/b?c", "/d"].map(|path| server.url(path));
                    let urls = urls.each_ref().map(String::as_str);
                    let output = fetch(&[&["--qop", qop], mutual, data, &urls[..]].concat());
                    let (method, length) = if data.is_empty() { ("GET", 0) } else { ("POST", 5) };
                    let answers =
                        ["/a", "/b?c", "/d"].map(|path| format!("alice: {method} {path} with {length} bytes"));
                    assert_eq!(lines(&output), answers, "{algorithm} {qop} {mutual:?} {data:?}");
                    let first = match qop {
                        "auth" => &["ASC SEC_E_OK 1"][..],
                        _ => &["ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1"],
                    };
                    let further = [
                        "ASC SEC_I_COMPLETE_NEEDED 2",
                        "CAT SEC_E_OK 2",
                        "ASC SEC_I_COMPLETE_NEEDED 3",
                        "CAT SEC_E_OK 3",
                    ];
                    server.expect_calls(0, &[&[CHALLENGE], first, &further].concat());
                }
            }
        }
    }
}

#[test]
fn the_log_names_each_call_of_the_initiator() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let output = fetch(&["--qop", "auth-int", "--mutual", &server.url("/a"), &server.url("/b")]);
    assert_eq!(
        calls(&output),
        [
            "InitializeSecurityContext none -> initial SEC_I_CONTINUE_NEEDED nc=-",
            "InitializeSecurityContext initial -> complete-and-continue SEC_I_COMPLETE_AND_CONTINUE nc=00000001",
            "CompleteAuthToken complete-and-continue -> responded SEC_E_OK nc=00000001",
            "InitializeSecurityContext responded -> established SEC_E_OK nc=-",
            "MakeSignature established -> established SEC_E_OK nc=00000002",
        ]
    );
    let output = fetch(&["--qop", "auth-int", &server.url("/a")]);
    assert_eq!(
        calls(&output),
        [
            "InitializeSecurityContext none -> initial SEC_I_CONTINUE_NEEDED nc=-",
            "InitializeSecurityContext initial -> complete-needed SEC_I_COMPLETE_NEEDED nc=00000001",
            "CompleteAuthToken complete-needed -> established SEC_E_OK nc=00000001",
        ]
    );
}

#[test]
fn an_answer_to_head_proves_an_empty_body() {
    for qop in ["auth", "auth-int"] {
        let server = Serving::start(&["--qop", qop]);
        let output = fetch(&["--qop", qop, "--mutual", "--method", "HEAD", &server.url("/a"), &server.url("/b")]);
        assert_eq!(lines(&output), [""; 0]);
        assert!(calls(&output).iter().any(|call| call.contains("responded -> established SEC_E_OK")));
    }
}

#[test]
fn who_is_refused_ends_with_1() {
    let server = Serving::start(&[]);
    for mutual in [&["--mutual"][..], &[]] {
        let url = server.url("/a");
        let output = digest_ssp().args(["fetch", "--user", "alice:guess", &url]).args(mutual).output();
        let output = output.expect("built by cargo");
        assert_eq!(output.status.code(), Some(1));
        let complaints = complaints(&output);
        assert!(
            matches!(complaints.as_slice(), [line] if line.contains(&url) && line.contains("refused")),
            "{complaints:?}"
        );
        assert!(output.stdout.is_empty());
    }
    // What the server does not offer.
    let output = fetch(&["--qop", "auth-int", &server.url("/a")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaints(&output).concat().contains("SEC_E_QOP_NOT_SUPPORTED"));
}

#[test]
fn altered_requests_begin_anew() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let proxy = tampering_proxy(&server.address, "/altered", "/ALTERED");
    let urls = ["/a", "/altered", "/b"].map(|path| format!("http://{proxy}{path}"));
    let output = fetch(&["--qop", "auth-int", &urls[0], &urls[1], &urls[2]]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(complaints(&output).len(), 1);
    let served = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(served, "alice: GET /a with 0 bytes\nalice: GET /b with 0 bytes\n");
}

/// A server of one scripted answer after another; passes on what it was asked.
fn scripted(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let (asked, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for (answer, stream) in answers.into_iter().zip(listener.incoming()) {
            let mut stream = stream.expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                if stream.read_exact(&mut octet).is_err() {
                    return;
                }
                head.extend(octet);
            }
            let _ = asked.send(String::from_utf8_lossy(&head).into_owned());
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, requests)
}

fn unauthorized(challenges: &[&str]) -> String {
    let headers: String = challenges.iter().map(|challenge| format!("WWW-Authenticate: {challenge}\r\n")).collect();
    format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n")
}

fn ok(header: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n{header}\r\npayload")
}

const MD5_CHALLENGE: &str = "Digest realm=\"r\", nonce=\"n\", qop=\"auth, auth-int\", opaque=\"o\"";

#[test]
fn a_server_without_proof_is_not_believed() {
    let wrong = format!("Authentication-Info: qop=auth, rspauth=\"{}\"\r\n", "0".repeat(32));
    for (header, status) in [("", "SEC_E_WRONG_PRINCIPAL"), (wrong.as_str(), "SEC_E_MESSAGE_ALTERED")] {
        let (address, _requests) = scripted(vec![unauthorized(&[MD5_CHALLENGE]), ok(header)]);
        let output = fetch(&["--mutual", &format!("http://{address}/")]);
        assert_eq!(output.status.code(), Some(1));
        assert!(complaints(&output).concat().contains(status), "{output:?}");
        assert!(output.stdout.is_empty(), "a body that nobody vouches for");
    }
    let (address, _requests) = scripted(vec![unauthorized(&[MD5_CHALLENGE]), ok("")]);
    assert_eq!(lines(&fetch(&[&format!("http://{address}/")])), ["payload"]);
}

#[test]
fn the_challenge_that_can_be_answered_is_found() {
    let sha = "Digest realm=\"r\", nonce=\"s\", qop=\"auth\", algorithm=SHA-256";
    let list = format!("Negotiate, Basic realm=\"Digest\", {MD5_CHALLENGE}");
    for challenges in [&[sha, MD5_CHALLENGE][..], &["Basic realm=\"r\"", list.as_str()]] {
        let (address, requests) = scripted(vec![unauthorized(challenges), ok("")]);
        assert_eq!(lines(&fetch(&[&format!("http://{address}/x?y")])), ["payload"]);
        let asked: Vec<_> = requests.iter().collect();
        let [first, second] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(!first.to_lowercase().contains("authorization:"), "{first}");
        assert!(second.contains("nonce=\"n\"") && second.contains("uri=\"/x?y\""), "{second}");
    }
    // The second connection is made before the answer, which tells its channel.
    let (address, _requests) = scripted(vec![unauthorized(&[sha, "Basic realm=\"r\""]), ok("")]);
    let output = fetch(&[&format!("http://{address}/")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaints(&output).concat().contains("SEC_E_QOP_NOT_SUPPORTED"), "{output:?}");
    let (address, _requests) = scripted(vec![unauthorized(&["Basic realm=\"r\""])]);
    let output = fetch(&[&format!("http://{address}/")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaints(&output).concat().contains("401"), "{output:?}");
}

#[test]
fn stale_nonces_are_replaced_but_not_for_ever() {
    let stale = format!("{MD5_CHALLENGE}, stale=true");
    for mutual in [&["--mutual"][..], &[]] {
        let (address, requests) = scripted(vec![unauthorized(&[&stale]); 8]);
        let url = format!("http://{address}/");
        let output = fetch(&[mutual, &[url.as_str()]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(complaints(&output).concat().contains("stale"), "{output:?}");
        assert_eq!(requests.try_iter().count(), 4);
    }
    let (address, _requests) = scripted(vec![unauthorized(&[MD5_CHALLENGE]), unauthorized(&[&stale]), ok("")]);
    assert_eq!(lines(&fetch(&[&format!("http://{address}/")])), ["payload"]);
}

#[test]
fn what_cannot_be_fetched_is_said_in_one_line() {
    for (arguments, code, named) in [
        (&["--user", "a:b", "--ca-certificate", "Cargo.toml", "https://127.0.0.1/"][..], 2, "--ca-certificate"),
        (&["--user", "a:b", "--ca-certificate", "no-such-file", "http://127.0.0.1/"], 2, "no-such-file"),
        (&["--user", "a:b", "/a"], 2, "http://"),
        (&["--user", "a:b", "--method", "A B", "http://127.0.0.1/"], 2, "--method"),
        (&["http://127.0.0.1/"], 2, "--user"),
        (&["--user", "a:b", "http://127.0.0.1:1/"], 1, "http://127.0.0.1:1/"),
    ] {
        let output = digest_ssp().arg("fetch").args(arguments).output().expect("built by cargo");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.lines().count() == 1 && error.contains(named), "{arguments:?}: {error}");
    }
}
