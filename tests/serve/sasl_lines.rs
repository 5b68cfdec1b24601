//! `digest-ssp sasl-server` and `sasl-client`, line by line.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::support::digest_ssp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use digest_ssp::digest::sasl::Qop;
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::MemoryAccounts;
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::sasl::lines::{self, Ended};
use digest_ssp::sasl::{Acceptor, AcceptorError, Service};
use digest_ssp::serve::CallRecord;

/// A program that answers each line with one or two.
struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = digest_ssp();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("built by cargo");
        let input = child.stdin.take().expect("stdin is piped");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, input, output }
    }

    fn server(arguments: &[&str]) -> Self {
        let accounts = if arguments.contains(&"--accounts") { &[][..] } else { &["--user", "alice:secret"] };
        Self::start(&[&["sasl-server", "--realm", "test", "--log", "calls"], accounts, arguments].concat())
    }

    fn client(arguments: &[&str]) -> Self {
        let user = if arguments.contains(&"--user") { &[][..] } else { &["--user", "alice:secret"] };
        let peer = ["sasl-client", "--service", "imap", "--host", "localhost", "--log", "calls"];
        Self::start(&[&peer, user, arguments].concat())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the program writes UTF-8");
        assert!(line.ends_with('\n'), "the program ended: {line:?}");
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the program reads");
        self.line()
    }

    /// The exit code, and the calls with their states and statuses.
    fn end(self) -> (Option<i32>, Vec<String>) {
        let Self { mut child, input, mut output } = self;
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("the program writes UTF-8");
        assert_eq!(rest, "");
        let mut error = String::new();
        child.stderr.take().expect("stderr is piped").read_to_string(&mut error).expect("the program writes UTF-8");
        let status = child.wait().expect("the child is ours");
        let calls = error.lines().filter(|line| !line.contains("Credentials") && !line.starts_with("Query"));
        (status.code(), calls.map(str::to_owned).collect())
    }
}

/// Passes tokens until both are authenticated; `token` is the server's, what is said is what both agree on.
fn authenticate(server: &mut Program, client: &mut Program, token: &str) -> String {
    let response = client.ask(token);
    prove(server, client, &response)
}

fn prove(server: &mut Program, client: &mut Program, response: &str) -> String {
    let proof = server.ask(response);
    let said = server.line();
    assert_eq!(client.ask(&proof), said);
    said.strip_prefix("authenticated ").unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn decoded(line: &str) -> String {
    String::from_utf8(STANDARD.decode(line).expect("it is base64")).expect("it is text")
}

/// Sends a message and returns what arrives.
fn pass(from: &mut Program, to: &mut Program, text: &str) -> String {
    let wrapped = from.ask(&format!("send {text}"));
    let wire = wrapped.strip_prefix("wrapped ").unwrap_or_else(|| panic!("{wrapped}"));
    to.ask(&format!("receive {wire}"))
}

#[test]
fn every_layer_carries_messages_both_ways() {
    for (qop, cipher, agreed) in [
        ("auth-int", "rc4", "auth-int - alice"),
        ("auth-conf", "rc4", "auth-conf rc4 alice"),
        ("auth-conf", "3des", "auth-conf 3des alice"),
        ("auth-conf", "rc4-56", "auth-conf rc4-56 alice"),
        ("auth-conf", "rc4-40", "auth-conf rc4-40 alice"),
        ("auth-conf", "des", "auth-conf des alice"),
    ] {
        let mut server = Program::server(&["--qop", qop, "--cipher", cipher]);
        let mut client = Program::client(&["--qop", qop]);
        let challenge = server.line();
        assert!(decoded(&challenge).contains(&format!("qop=\"{qop}\"")), "{challenge}");
        assert_eq!(authenticate(&mut server, &mut client, &challenge), agreed);
        for text in ["one", "", "two words  ", "dr\u{fc}ben", "a\tb"] {
            let expected = match text {
                "a\tb" => "message-base64 YQli".to_owned(),
                _ => format!("message {text}").trim_end().to_owned(),
            };
            assert_eq!(pass(&mut client, &mut server, text), expected, "{agreed}");
            assert_eq!(pass(&mut server, &mut client, text), expected, "{agreed}");
        }
        let wrapped = client.ask("send-base64 AP8=");
        let wire = wrapped.strip_prefix("wrapped ").expect("it is wrapped");
        assert_eq!(server.ask(&format!("receive {wire}")), "message-base64 AP8=");
        assert_eq!(server.end().0, Some(0));
        assert_eq!(client.end().0, Some(0));
    }
}

#[test]
fn a_second_exchange_is_fast_unless_it_was_encrypted() {
    for qop in ["auth", "auth-int"] {
        let mut server = Program::server(&["--qop", qop]);
        let mut client = Program::client(&["--qop", qop]);
        let challenge = server.line();
        let agreed = format!("{qop} - alice");
        assert_eq!(authenticate(&mut server, &mut client, &challenge), agreed);
        for count in 2..4 {
            let response = client.ask("reauthenticate");
            assert!(decoded(&response).contains(&format!("nc=0000000{count}")), "{response}");
            assert_eq!(prove(&mut server, &mut client, &response), agreed);
            if qop == "auth-int" {
                assert_eq!(pass(&mut client, &mut server, "first"), "message first");
            }
        }
        // Neither needs to: a whole exchange is always possible.
        let challenge = server.ask("challenge");
        assert_eq!(authenticate(&mut server, &mut client, &challenge), agreed);
        let (code, calls) = server.end();
        assert_eq!(code, Some(0));
        let accepted: Vec<_> =
            calls.iter().filter(|call| call.contains("Complete") || call.contains("Accept")).collect();
        let expected = [
            "AcceptSecurityContext none -> challenged SEC_I_CONTINUE_NEEDED nc=-",
            "AcceptSecurityContext challenged -> established SEC_E_OK nc=00000001",
            "AcceptSecurityContext none -> complete-needed-subsequent SEC_I_COMPLETE_NEEDED nc=00000002",
            "CompleteAuthToken complete-needed-subsequent -> established SEC_E_OK nc=00000002",
            "AcceptSecurityContext none -> complete-needed-subsequent SEC_I_COMPLETE_NEEDED nc=00000003",
            "CompleteAuthToken complete-needed-subsequent -> established SEC_E_OK nc=00000003",
            "AcceptSecurityContext none -> challenged SEC_I_CONTINUE_NEEDED nc=-",
            "AcceptSecurityContext challenged -> established SEC_E_OK nc=00000001",
        ];
        assert_eq!(accepted, expected, "{qop}");
        assert_eq!(client.end().0, Some(0));
    }
    let mut server = Program::server(&["--qop", "auth-conf"]);
    let mut client = Program::client(&["--qop", "auth-conf"]);
    let challenge = server.line();
    assert_eq!(authenticate(&mut server, &mut client, &challenge), "auth-conf rc4 alice");
    assert_eq!(client.ask("reauthenticate"), "challenge-needed");
    let challenge = server.ask("challenge");
    assert_eq!(authenticate(&mut server, &mut client, &challenge), "auth-conf rc4 alice");
    assert_eq!(pass(&mut server, &mut client, "again"), "message again");
    assert_eq!([server.end().0, client.end().0], [Some(0), Some(0)]);
}

#[test]
fn a_response_that_was_seen_is_challenged() {
    let mut server = Program::server(&["--qop", "auth-int"]);
    let mut client = Program::client(&["--qop", "auth-int"]);
    let challenge = server.line();
    let response = client.ask(&challenge);
    prove(&mut server, &mut client, &response);
    let again = server.ask(&response);
    assert!(decoded(&again).contains("stale=true"), "{again}");
    // Nobody is authenticated by that, and an honest client goes on.
    assert!(server.ask("send x").starts_with("failed SEC_E_OUT_OF_SEQUENCE"));
    assert_eq!(authenticate(&mut server, &mut client, &again), "auth-int - alice");
    let (code, calls) = server.end();
    assert_eq!(code, Some(1), "a line failed");
    assert!(
        calls
            .iter()
            .any(|call| call.starts_with("CompleteAuthToken") && call.contains("SEC_E_OUT_OF_SEQUENCE nc=00000001"))
    );
}

#[test]
fn who_cannot_prove_it_is_refused() {
    let mut server = Program::server(&[]);
    let mut client = Program::client(&["--user", "alice:guess"]);
    let challenge = server.line();
    let response = client.ask(&challenge);
    let refused = server.ask(&response);
    assert!(refused.starts_with("refused SEC_E_LOGON_DENIED: "), "{refused}");
    // The next one may do better.
    let mut other = Program::client(&[]);
    let challenge = server.ask("challenge");
    assert_eq!(authenticate(&mut server, &mut other, &challenge), "auth - alice");
    assert_eq!([server.end().0, client.end().0, other.end().0], [Some(1), Some(1), Some(0)]);

    // A server without the password proves nothing.
    let mut server = Program::server(&[]);
    let mut client = Program::client(&[]);
    let challenge = server.line();
    let response = client.ask(&challenge);
    assert!(response.len() > 40);
    let refused = client.ask(&STANDARD.encode(format!("rspauth={}", "0".repeat(32))));
    assert!(refused.starts_with("refused SEC_E_MESSAGE_ALTERED: "), "{refused}");
    assert_eq!([server.end().0, client.end().0], [Some(1), Some(1)]);
}

#[test]
fn messages_are_judged_by_the_layer() {
    let mut server = Program::server(&["--qop", "auth-int", "--maxbuf", "64"]);
    let mut client = Program::client(&["--qop", "auth-int"]);
    let challenge = server.line();
    assert!(client.ask("send x").starts_with("failed SEC_E_OUT_OF_SEQUENCE"));
    authenticate(&mut server, &mut client, &challenge);
    // 48 bytes and their signature fill what the server receives.
    let longest = "x".repeat(48);
    assert!(client.ask(&format!("send {longest}y")).starts_with("failed SEC_E_BUFFER_TOO_SMALL"));
    assert_eq!(pass(&mut client, &mut server, &longest), format!("message {longest}"));
    let wrapped = client.ask("send hello");
    let wire = STANDARD.decode(wrapped.strip_prefix("wrapped ").expect("it is wrapped")).expect("it is base64");
    // RFC 2831 section 2.3: a length in network byte order, the message, 16 bytes.
    assert_eq!(wire.get(..9), Some(&b"\0\0\0\x15hello"[..]));
    assert_eq!(wire.len(), 25);
    let mut altered = wire.clone();
    if let Some(octet) = altered.get_mut(5) {
        *octet ^= 1;
    }
    let receive = |wire: &[u8]| format!("receive {}", STANDARD.encode(wire));
    for (wire, failed) in [
        (&altered[..], "SEC_E_MESSAGE_ALTERED"),
        (&wire[..24], "SEC_E_INCOMPLETE_MESSAGE"),
        (&wire[..3], "SEC_E_INCOMPLETE_MESSAGE"),
        (&[], "SEC_E_INCOMPLETE_MESSAGE"),
        (b"\0\0\0\0", "SEC_E_INCOMPLETE_MESSAGE"),
    ] {
        let answer = server.ask(&receive(wire));
        assert!(answer.starts_with(&format!("failed {failed}")), "{answer}");
    }
    assert_eq!(server.ask(&receive(&wire)), "message hello");
    assert!(server.ask(&receive(&wire)).starts_with("failed SEC_E_OUT_OF_SEQUENCE"));
    for nonsense in ["receive !", "send-base64 !", "go away", "reauthenticate", "?"] {
        let answer = server.ask(nonsense);
        assert!(answer.starts_with("failed this is no"), "{nonsense}: {answer}");
    }
    assert_eq!([server.end().0, client.end().0], [Some(1), Some(1)]);

    let mut server = Program::server(&[]);
    let mut client = Program::client(&[]);
    let challenge = server.line();
    authenticate(&mut server, &mut client, &challenge);
    assert!(client.ask("send x").starts_with("failed SEC_E_QOP_NOT_SUPPORTED"));
}

#[test]
fn another_service_is_not_meant() {
    for (arguments, meant) in [
        (&["--service", "IMAP", "--host", "localhost"][..], true),
        (&["--service", "smtp"], false),
        (&["--host", "elsewhere"], false),
    ] {
        let mut server = Program::server(arguments);
        let mut client = Program::client(&[]);
        let challenge = server.line();
        let response = client.ask(&challenge);
        let answer = server.ask(&response);
        assert_eq!(answer.contains("refused") && answer.contains("imap/localhost"), !meant, "{answer}");
        if meant {
            assert_eq!(server.line(), "authenticated auth - alice");
        } else {
            // Its session is gone as well.
            assert!(!decoded(&server.ask(&response)).contains("rspauth"));
        }
    }
}

#[test]
fn a_password_may_be_anywhere() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sasl-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("the directory can be made");
    let file = |name: &str, text: &str| {
        let path = scratch.join(name);
        fs::write(&path, text).expect("the directory is there");
        path.to_str().expect("the path is text").to_owned()
    };
    let password = file("password", "sec:ret\n");
    // `printf alice:test:sec:ret | md5sum`.
    let accounts = file("accounts", "alice:test:f0d0a7c43d41e11cf929665a77748853\n");
    for arguments in [
        &["--user", "alice:sec:ret"][..],
        &["--user", "alice", "--password", "sec:ret"],
        &["--user", "alice", "--password-file", &password],
    ] {
        let mut server = Program::server(&["--accounts", &accounts]);
        let mut client = Program::client(arguments);
        let challenge = server.line();
        assert_eq!(authenticate(&mut server, &mut client, &challenge), "auth - alice", "{arguments:?}");
    }
    let variable = digest_ssp()
        .args(["sasl-client", "--user", "alice", "--service", "a", "--host", "b"])
        .env("DIGEST_SSP_PASSWORD", "sec:ret")
        .stdin(Stdio::null())
        .output()
        .expect("built by cargo");
    assert_eq!(variable.status.code(), Some(1), "nothing was said: {variable:?}");
    for (arguments, named) in [
        (&["--user", "alice"][..], "DIGEST_SSP_PASSWORD"),
        (&["--user", "", "--password", "x"], "--user"),
        (&["--user", ":hunter2"], "--user"),
        (&["--user", "alice", "--password-file", "no-such-file"], "no-such-file"),
        (&["--user", "alice", "--password", "hunter2", "--password-file", "f"], "--password"),
    ] {
        let mut command = digest_ssp();
        command
            .args(["sasl-client", "--service", "a", "--host", "b"])
            .args(arguments)
            .env_remove("DIGEST_SSP_PASSWORD");
        let output = command.stdin(Stdio::null()).output().expect("built by cargo");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.lines().count() == 1 && error.contains(named) && !error.contains("hunter2"), "{error}");
    }
    let _ = fs::remove_dir_all(&scratch);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let mut command = digest_ssp();
        command.args(["sasl-client", "--user", "alice", "--service", "a", "--host", "b"]);
        command.env("DIGEST_SSP_PASSWORD", std::ffi::OsStr::from_bytes(b"hunter2\xFF"));
        let output = command.stdin(Stdio::null()).output().expect("built by cargo");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("DIGEST_SSP_PASSWORD: it is not UTF-8") && !error.contains("hunter2"), "{error}");
    }
}

/// An output that takes one line and then has no reader.
struct OneLine(Vec<u8>);

impl Write for OneLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.ends_with(b"\n") {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_a_reader_a_conversation_is_over() {
    let acceptor = Acceptor::new(package(), Qop::Auth, Service::default(), |_: &CallRecord| ());
    let mut output = OneLine(Vec::new());
    let ended = lines::run(&mut acceptor.expect("the realm is good"), &b"send x\nsend y\n"[..], &mut output);
    assert_eq!(ended.expect("that is no failure"), Ended { failed: 1, under_way: true, ..Ended::default() });
}

fn package() -> SecurityPackage {
    let configuration = Configuration { realm: "test".to_owned(), ..Configuration::default() };
    SecurityPackage::new(configuration, MemoryAccounts::new(), SystemEnvironment)
}

#[test]
fn a_conversation_needs_no_program() {
    for (input, said, ended) in [
        ("", 1, Ended { under_way: true, ..Ended::default() }),
        ("\nchallenge\n", 1, Ended { under_way: true, ..Ended::default() }),
        ("challenge\r\nchallenge", 3, Ended { under_way: true, ..Ended::default() }),
        ("AAAA\n", 2, Ended { refused: 1, ..Ended::default() }),
        ("*\nwhat is it\n", 3, Ended { failed: 2, under_way: true, ..Ended::default() }),
    ] {
        let acceptor = Acceptor::new(package(), Qop::AuthConf, Service::default(), |_: &CallRecord| ());
        let mut output = Vec::new();
        let result = lines::run(&mut acceptor.expect("the realm is good"), input.as_bytes(), &mut output);
        assert_eq!(result.expect("memory does not fail"), ended, "{input:?}");
        assert!(!ended.is_good());
        assert_eq!(output.iter().filter(|octet| **octet == b'\n').count(), said, "{input:?}");
    }
    let configuration = Configuration { realm: "\u{e9}".to_owned(), ..Configuration::default() };
    let package = SecurityPackage::new(configuration, MemoryAccounts::new(), SystemEnvironment);
    let acceptor = Acceptor::new(package, Qop::Auth, Service::default(), |_: &CallRecord| ());
    assert!(matches!(acceptor, Err(AcceptorError::Realm(_))));
}
