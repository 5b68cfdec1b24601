//! `digest-ssp serve` for clients of other makers.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use diqwest::blocking::WithDigestAuth;
use diqwest::{Credentials, DigestAuthSession};

use crate::case::{Case, Role};
use crate::http::{EasyHandle, Serving, answer_rewriting_proxy, lines, tampering_proxy};
use crate::peers::{Peer, file, node, python};
use crate::process::{output, program};

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";
const INITIAL: &str = "ASC SEC_E_OK 1";
const SECOND: &str = "ASC SEC_I_COMPLETE_NEEDED 2";
const ALTERED: &str = "CAT SEC_E_MESSAGE_ALTERED 2";
const COUNTING_ON: &[&str] =
    &[CHALLENGE, INITIAL, SECOND, "CAT SEC_E_OK 2", "ASC SEC_I_COMPLETE_NEEDED 3", "CAT SEC_E_OK 3"];
const EACH_ANEW: &[&str] = &[CHALLENGE, INITIAL, CHALLENGE, INITIAL, CHALLENGE, INITIAL];
/// With the A1 of the second cnonce, which is not the session's.
const EACH_ANEW_AFTER_A_TRY: &[&str] =
    &[CHALLENGE, INITIAL, SECOND, ALTERED, CHALLENGE, INITIAL, SECOND, ALTERED, CHALLENGE, INITIAL];
/// The same by a client that leaves the challenge it is refused with, and asks for another one.
const EACH_ANEW_AFTER_A_TRY_AND_A_QUESTION: &[&str] = &[
    CHALLENGE, INITIAL, SECOND, ALTERED, CHALLENGE, CHALLENGE, INITIAL, SECOND, ALTERED, CHALLENGE, CHALLENGE, INITIAL,
];
const REFUSED: &str = "401 authentication is required";

/// Requests for a list of URLs as USER with PASSWORD; `STATUS BODY` for each of them.
type Get = fn(&OsStr, &OsStr, &[String]) -> Vec<String>;

/// What a client does when it has more than one request.
#[derive(Clone, Copy)]
enum Nonce {
    /// It counts on under the nonce it has.
    Kept,
    /// It begins anew with each request.
    Forgotten,
}

/// Which A1 a client uses for its second request under MD5-sess.
#[derive(Clone, Copy)]
enum SessionA1 {
    /// That of its first one, as RFC 2617 has it.
    Kept,
    /// One with the cnonce of the second one, which the server refuses once.
    Rebuilt,
    /// None: the second request leaves MD5-sess, is refused, and the client asks for a challenge without a header.
    Lost,
    /// There is no second one under a nonce.
    Irrelevant,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let clients: [(Peer, Get, Nonce, Option<SessionA1>); 8] = [
        (Peer::Curl, curl, Nonce::Forgotten, Some(SessionA1::Irrelevant)),
        (Peer::Wget, wget, Nonce::Forgotten, Some(SessionA1::Irrelevant)),
        (Peer::Requests, requests, Nonce::Kept, Some(SessionA1::Rebuilt)),
        (Peer::Httpx, httpx, Nonce::Kept, Some(SessionA1::Rebuilt)),
        (Peer::Urllib, urllib, Nonce::Forgotten, None),
        (Peer::Java, java, Nonce::Forgotten, Some(SessionA1::Irrelevant)),
        (Peer::Diqwest, diqwest, Nonce::Kept, Some(SessionA1::Lost)),
        (Peer::WwwAuthenticate, www_authenticate, Nonce::Kept, Some(SessionA1::Kept)),
    ];
    for (peer, get, nonce, session) in clients {
        let mut case = |name, shows, run: Box<dyn FnOnce() + Send>| {
            cases.push(Case::new(peer, Role::HttpClient, name, shows, run));
        };
        let shows = match nonce {
            Nonce::Kept => "MD5, counting on",
            Nonce::Forgotten => "MD5",
        };
        case("md5", shows, Box::new(move || three_requests(get, nonce)));
        if let Some(session) = session {
            let shows = match session {
                SessionA1::Kept => "MD5-sess, counting on",
                SessionA1::Rebuilt | SessionA1::Lost => "MD5-sess, anew for each request",
                SessionA1::Irrelevant => "MD5-sess",
            };
            case("md5_sess", shows, Box::new(move || three_requests_with_md5_sess(get, session)));
        }
        case("wrong_password", "wrong password refused", Box::new(move || wrong_password(get)));
    }
    let mut case = |peer, name, shows, run: fn()| cases.push(Case::new(peer, Role::HttpClient, name, shows, run));
    case(Peer::Curl, "post", "bodies", curl_posts);
    for (peer, run) in [
        (Peer::Curl, (|| passwords_beyond_ascii(curl)) as fn()),
        (Peer::Wget, || passwords_beyond_ascii(wget)),
        (Peer::Requests, || passwords_beyond_ascii(requests)),
        (Peer::Httpx, || passwords_beyond_ascii(httpx)),
        (Peer::Diqwest, || passwords_beyond_ascii(diqwest)),
        (Peer::WwwAuthenticate, || passwords_beyond_ascii(www_authenticate)),
    ] {
        case(peer, "passwords_beyond_ascii", "passwords beyond ASCII in UTF-8", run);
    }
    case(Peer::Java, "latin_1_password", "passwords in ISO 8859-1", java_password_in_latin_1);
    for (peer, run) in [
        (Peer::Curl, (|| names_in_latin_1(curl, "gr\u{fc}n", b"j\xfcrgen", b"gr\xfcn")) as fn()),
        (Peer::Wget, || names_in_latin_1(wget, "gr\u{fc}n", b"j\xfcrgen", b"gr\xfcn")),
        // These two write the name in ISO 8859-1 and hash it in UTF-8.
        (Peer::Requests, || names_in_latin_1(requests, "gr\u{fc}n", "j\u{fc}rgen".as_bytes(), "gr\u{fc}n".as_bytes())),
        (Peer::WwwAuthenticate, || {
            names_in_latin_1(www_authenticate, "gr\u{fc}n", "j\u{fc}rgen".as_bytes(), "gr\u{fc}n".as_bytes());
        }),
    ] {
        case(peer, "names_in_latin_1", "user names in ISO 8859-1", run);
    }
    case(Peer::Libcurl, "md5", "MD5, counting on", libcurl_counts_on);
    case(Peer::Libcurl, "md5_sess", "MD5-sess, counting on", libcurl_with_md5_sess);
    case(Peer::Aiohttp, "md5", "MD5, counting on", aiohttp_counts_on);
    case(Peer::Aiohttp, "auth_int", "auth-int", aiohttp_covers_its_body);
    case(Peer::Aiohttp, "altered_body", "altered body refused", aiohttp_through_a_forger);
    case(Peer::Aiohttp, "wrong_password", "wrong password refused", aiohttp_is_refused);
    case(Peer::Diqwest, "auth_int", "auth-int", diqwest_covers_its_body);
    cases
}

fn served(user: &str, paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| format!("200 {user}: GET {path} with 0 bytes")).collect()
}

fn urls(server: &Serving, paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| server.url(path)).collect()
}

fn three_requests(get: Get, nonce: Nonce) {
    const PATHS: [&str; 3] = ["/a", "/b?c=d&e", "/f/g"];
    let server = Serving::start(&[]);
    assert_eq!(get("alice".as_ref(), "secret".as_ref(), &urls(&server, &PATHS)), served("alice", &PATHS));
    server.expect_calls(
        0,
        match nonce {
            Nonce::Kept => COUNTING_ON,
            Nonce::Forgotten => EACH_ANEW,
        },
    );
}

fn three_requests_with_md5_sess(get: Get, session: SessionA1) {
    const PATHS: [&str; 3] = ["/a", "/b", "/c"];
    let server = Serving::start(&["--algorithm", "MD5-sess"]);
    assert_eq!(get("alice".as_ref(), "secret".as_ref(), &urls(&server, &PATHS)), served("alice", &PATHS));
    server.expect_calls(
        0,
        match session {
            SessionA1::Kept => COUNTING_ON,
            SessionA1::Rebuilt => EACH_ANEW_AFTER_A_TRY,
            SessionA1::Lost => EACH_ANEW_AFTER_A_TRY_AND_A_QUESTION,
            SessionA1::Irrelevant => EACH_ANEW,
        },
    );
}

fn wrong_password(get: Get) {
    let server = Serving::start(&[]);
    let answers = get("alice".as_ref(), "guess".as_ref(), &urls(&server, &["/a", "/b"]));
    assert!(answers.iter().all(|answer| answer.starts_with("401")) && answers.len() == 2, "{answers:?}");
    nobody_got_in(&server);
}

/// Somebody tried, and nothing was served.
fn nobody_got_in(server: &Serving) {
    let before = server.mark();
    let log = server.lines_since(0);
    let log = log.get(..before).expect("the log only grows");
    assert!(log.iter().any(|line| line.contains(" SEC_E_LOGON_DENIED ")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("-> established")), "{log:#?}");
}

fn passwords_beyond_ascii(get: Get) {
    for password in ["gr\u{fc}n", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}"] {
        let server = Serving::start(&["--user", &format!("bob:{password}")]);
        let answers = get("bob".as_ref(), password.as_ref(), &urls(&server, &["/a", "/b"]));
        assert_eq!(answers, served("bob", &["/a", "/b"]), "{password}");
    }
}

fn java_password_in_latin_1() {
    let server = Serving::start(&["--user", "bob:gr\u{fc}n"]);
    let answers = java("bob".as_ref(), "gr\u{fc}n".as_ref(), &urls(&server, &["/a", "/b"]));
    assert_eq!(answers, served("bob", &["/a", "/b"]));
}

/// `user` and `password` as the client is told them.
fn names_in_latin_1(get: Get, known: &str, user: &[u8], password: &[u8]) {
    let server = Serving::start(&["--user", &format!("j\u{fc}rgen:{known}")]);
    let answers = get(OsStr::from_bytes(user), OsStr::from_bytes(password), &urls(&server, &["/a", "/b"]));
    assert_eq!(answers, served("j\u{fc}rgen", &["/a", "/b"]));
}

fn joined(user: &OsStr, password: &OsStr) -> OsString {
    [user, password].join(OsStr::new(":"))
}

/// The curl tool, without anybody's `.curlrc`.
fn curl(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    let mut command = program("curl");
    command.args(["-q", "-sS", "--digest", "-w", "%{http_code}\n", "-u"]).arg(joined(user, password)).args(urls);
    with_statuses_after(&lines(&output(&mut command)))
}

/// `BODY` and `STATUS` by turns, as `STATUS BODY`.
fn with_statuses_after(lines: &[String]) -> Vec<String> {
    lines.chunks(2).map(|pair| pair.iter().rev().map(String::as_str).collect::<Vec<_>>().join(" ")).collect()
}

fn wget(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    let mut command = program("wget");
    let [mut name, mut secret] = ["--user=", "--password="].map(OsString::from);
    name.push(user);
    secret.push(password);
    command.args(["--no-config", "--no-hsts", "-q", "-O-", "--tries=1"]).args([name, secret]).args(urls);
    let output = output(&mut command);
    match output.status.code() {
        Some(0) => lines(&output).iter().map(|line| format!("200 {line}")).collect(),
        // Wget's "username/password authentication failure"; it throws the body away.
        Some(6) => vec![REFUSED.to_owned(); urls.len()],
        _ => panic!("{output:?}"),
    }
}

fn script(mut command: Command, user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    lines(&output(command.args([user, password]).args(urls)))
}

fn python_script(path: &str) -> Command {
    let mut command = program(python());
    command.arg(file(path));
    command
}

fn requests(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    script(python_script("../clients/requests_get.py"), user, password, urls)
}

fn httpx(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    script(python_script("http/httpx_get.py"), user, password, urls)
}

fn urllib(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    script(python_script("http/urllib_get.py"), user, password, urls)
}

fn java(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    let mut command = program("java");
    command.arg(file("http/HttpGet.java"));
    script(command, user, password, urls)
}

fn www_authenticate(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    script(node("http/www_authenticate_get.js"), user, password, urls)
}

fn text(argument: &OsStr) -> &str {
    argument.to_str().expect("this client is told UTF-8")
}

/// What diqwest can read: it knows `UTF-8` in capitals only, though RFC 7616 has it matched case-insensitively.
fn in_capitals(address: &str) -> String {
    answer_rewriting_proxy(address, "charset=utf-8", "charset=UTF-8")
}

fn diqwest_client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().no_proxy().build().expect("no TLS to fail")
}

fn diqwest(user: &OsStr, password: &OsStr, urls: &[String]) -> Vec<String> {
    let address = urls.first().and_then(|url| url.split('/').nth(2)).expect("http://ADDRESS/PATH");
    let proxy = in_capitals(address);
    let client = diqwest_client();
    let session = DigestAuthSession::new(text(user), text(password));
    let answers = urls.iter().map(|url| {
        let answer = client.get(url.replace(address, &proxy)).send_digest_auth(&session).expect("the server answers");
        format!("{} {}", answer.status().as_u16(), answer.text().expect("a body").trim_end())
    });
    answers.collect()
}

fn diqwest_covers_its_body() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let proxy = in_capitals(&server.address);
    for path in ["/a", "/b"] {
        let request = diqwest_client().post(format!("http://{proxy}{path}")).body("amount=100");
        let answer = request.send_digest_auth(Credentials::new("alice", "secret")).expect("the server answers");
        assert_eq!(answer.text().expect("a body"), format!("alice: POST {path} with 10 bytes\n"));
    }
    let anew = [CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1"];
    server.expect_calls(0, &[anew, anew].concat());
}

fn curl_posts() {
    let server = Serving::start(&[]);
    let mut command = program("curl");
    command.args(["-q", "-sS", "--digest", "-u", "alice:secret", "--data", "amount=100", &server.url("/a")]);
    assert_eq!(lines(&output(&mut command)), ["alice: POST /a with 10 bytes"]);
    server.expect_calls(0, &[CHALLENGE, INITIAL]);
}

fn libcurl_gets(server: &Serving) {
    let mut curl = EasyHandle::start().expect("its version was asked");
    for path in ["/a", "/b", "/c"] {
        assert_eq!(curl.get(&server.url(path)), "200");
    }
    curl.finish();
}

fn libcurl_counts_on() {
    let server = Serving::start(&[]);
    libcurl_gets(&server);
    server.expect_calls(0, COUNTING_ON);
}

/// It keeps its cnonce, and so A1, with its nonce.
fn libcurl_with_md5_sess() {
    let server = Serving::start(&["--algorithm", "MD5-sess"]);
    libcurl_gets(&server);
    server.expect_calls(0, COUNTING_ON);
}

fn aiohttp(password: &str, urls: &[String]) -> Vec<String> {
    let mut command = python_script("../clients/aiohttp_post.py");
    lines(&output(command.args(["alice", password, "amount=100"]).args(urls)))
}

fn posted(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| format!("200 alice: POST {path} with 10 bytes")).collect()
}

fn aiohttp_counts_on() {
    let server = Serving::start(&[]);
    assert_eq!(aiohttp("secret", &urls(&server, &["/a", "/b"])), posted(&["/a", "/b"]));
    server.expect_calls(0, &[CHALLENGE, INITIAL, "ASC SEC_I_COMPLETE_NEEDED 2", "CAT SEC_E_OK 2"]);
}

fn aiohttp_covers_its_body() {
    let server = Serving::start(&["--qop", "auth-int"]);
    assert_eq!(aiohttp("secret", &urls(&server, &["/a", "/b"])), posted(&["/a", "/b"]));
    server.expect_calls(
        0,
        &[CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1", "ASC SEC_I_COMPLETE_NEEDED 2", "CAT SEC_E_OK 2"],
    );
}

fn aiohttp_through_a_forger() {
    let server = Serving::start(&["--qop", "auth-int"]);
    let proxy = tampering_proxy(&server.address, "amount=100", "amount=900");
    assert_eq!(aiohttp("secret", &[format!("http://{proxy}/a")]), [REFUSED]);
    server.expect_calls(0, &[CHALLENGE, "ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_MESSAGE_ALTERED 1", CHALLENGE]);
}

fn aiohttp_is_refused() {
    let server = Serving::start(&[]);
    assert_eq!(aiohttp("guess", &urls(&server, &["/a"])), [REFUSED]);
    nobody_got_in(&server);
}
