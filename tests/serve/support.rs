//! What the HTTP tests share: the server as a process, its log, sockets, clients of other makers.
#![allow(dead_code, reason = "each test program uses its part: tests/interop is another")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clocked::Running;
use crate::ports::port_nobody_takes;
pub(crate) use crate::program_support::available;
use crate::program_support::python;
use digest_ssp::digest::hash::{hex, md5};
use digest_ssp::digest::{A2, Algorithm, Challenge, Limits, Protection, Qop, SessionKey, UserHash};

/// How long anything may take before it counts as not happening; a busy machine must not look like a broken server.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A command of `digest-ssp`.
pub(crate) fn digest_ssp() -> Command {
    Command::new(env!("CARGO_BIN_EXE_digest-ssp"))
}

/// `digest-ssp serve` with alice:secret in realm `test`, or the same server in this process; it ends when this is dropped.
pub(crate) struct Serving {
    server: Server,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    scheme: &'static str,
    log: Arc<Log>,
}

enum Server {
    Process(Child),
    Here(Running),
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Log {
    fn push(&self, line: String) {
        lock(&self.lines).push(line);
        self.grown.notify_all();
    }
}

impl Serving {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", arguments)
    }

    pub(crate) fn start_on(listen: &str, arguments: &[&str]) -> Self {
        let accounts = if arguments.contains(&"--htdigest") { &[][..] } else { &["--user", "alice:secret"] };
        let mut child = digest_ssp()
            .args(["serve", "--listen", listen, "--realm", "test"])
            .args(accounts)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built by cargo");
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut first = String::new();
        output.read_line(&mut first).expect("the server writes UTF-8");
        let scheme = if arguments.contains(&"--tls-certificate") { "https" } else { "http" };
        let address = first.trim_end().strip_prefix(&format!("listening on {scheme}://"));
        let address = address.unwrap_or_else(|| panic!("the first line is {first:?}")).to_owned();
        let log = Arc::new(Log::default());
        let follower = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                follower.push(line);
            }
        });
        Self { server: Server::Process(child), address, scheme, log }
    }

    /// The same server in this process, whose nonces expire when [`Self::expire`] says so and at no other time.
    pub(crate) fn on_a_clock(qop: Qop) -> Self {
        let log = Arc::new(Log::default());
        let told = Arc::clone(&log);
        let running = Running::start(qop, move |line| told.push(line));
        let address = running.address.clone();
        Self { server: Server::Here(running), address, scheme: "http", log }
    }

    /// Lets the lifetime of every nonce pass.
    pub(crate) fn expire(&self) {
        let Server::Here(running) = &self.server else { panic!("a process has the system's clock") };
        running.expire();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// How many lines the log has, the beginning of what comes next. The log is read by a thread of its own, so a request that
    /// cannot be mistaken for another one tells when everything before it has arrived.
    pub(crate) fn mark(&self) -> usize {
        static MARKS: AtomicU32 = AtomicU32::new(0xFFFF_0000);
        let count = format!("nc={:08x}", MARKS.fetch_add(1, Ordering::Relaxed));
        assert_eq!(request(&self.address, "GET", "/", &format!("Digest {count}"), "").status, 400);
        let record = format!("AcceptSecurityContext none -> none SEC_E_INVALID_TOKEN {count} ");
        let deadline = Instant::now() + PATIENCE;
        let mut lines = lock(&self.log.lines);
        loop {
            if let Some(place) = lines.iter().rposition(|line| line.starts_with(&record)) {
                return place + 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {record:?} in {lines:#?}");
            lines = self.log.grown.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The log after `mark`.
    pub(crate) fn lines_since(&self, mark: usize) -> Vec<String> {
        lock(&self.log.lines).iter().skip(mark).cloned().collect()
    }

    /// The calls of AcceptSecurityContext and CompleteAuthToken after `mark`, as `ASC STATUS NC` and `CAT STATUS NC`, once the
    /// log has the line of the last of `expected`; they must be those.
    pub(crate) fn expect_calls(&self, mark: usize, expected: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = lock(&self.log.lines);
        loop {
            let calls: Vec<_> = lines.iter().skip(mark).filter_map(|line| call(line)).collect();
            if calls.len() >= expected.len() {
                assert_eq!(calls, expected, "{lines:#?}");
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "expected {expected:#?}, got {calls:#?}");
            lines = self.log.grown.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks the server to stop as Ctrl-C does; its exit code and its whole log.
    pub(crate) fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        let Server::Process(child) = &mut self.server else { panic!("only a process gets signals") };
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill is there");
        assert!(sent.success());
        let status = child.wait().expect("the child is ours");
        let deadline = Instant::now() + PATIENCE;
        while Arc::strong_count(&self.log) > 1 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        (status.code(), self.lines_since(0))
    }

    /// Stops a server in this process; its whole log.
    pub(crate) fn stop(mut self) -> Vec<String> {
        let Server::Here(running) = &mut self.server else { panic!("a process is interrupted") };
        running.stop();
        self.lines_since(0)
    }

    /// A server that [`Self::restart`] finds its port free for.
    pub(crate) fn to_be_restarted() -> Self {
        Self::start_on(&format!("127.0.0.1:{}", port_nobody_takes()), &[])
    }

    /// Ends the server and begins another one on the same address; see [`Self::to_be_restarted`].
    pub(crate) fn restart(self, arguments: &[&str]) -> Self {
        let address = self.address.clone();
        drop(self);
        Self::start_on(&address, arguments)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Server::Here(running) => running.stop(),
        }
    }
}

/// `ASC STATUS NC` or `CAT STATUS NC`.
fn call(line: &str) -> Option<String> {
    let words: Vec<_> = line.split(' ').collect();
    let [name, _, "->", _, status, count, ..] = words.as_slice() else { panic!("not a record: {line:?}") };
    let name = match *name {
        "AcceptSecurityContext" => "ASC",
        "CompleteAuthToken" => "CAT",
        _ => return None,
    };
    let count = count.strip_prefix("nc=").unwrap_or_else(|| panic!("no count: {line:?}"));
    let count = count.trim_start_matches('0');
    Some(format!("{name} {status} {count}"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The Digest challenge; it must be there exactly when the status is 401.
    pub(crate) fn challenge(&self) -> Challenge {
        assert_eq!(self.status, 401, "{self:?}");
        let header = self.header("www-authenticate").expect("a 401 carries a challenge");
        let token = header.strip_prefix("Digest ").expect("of scheme Digest");
        Challenge::parse(token.as_bytes(), &Limits::default()).expect("well-formed")
    }
}

/// A request whose parts are sent one by one.
pub(crate) struct Exchange(TcpStream);

impl Exchange {
    /// Sends the head: a request line, `authorization` if it is not empty, and the length of a body to come.
    pub(crate) fn head(address: &str, method: &str, target: &str, authorization: &str, length: usize) -> Self {
        let credentials =
            if authorization.is_empty() { String::new() } else { format!("Authorization: {authorization}\r\n") };
        Self::raw(
            address,
            &format!(
                "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{credentials}Content-Length: {length}\r\n\r\n"
            ),
        )
    }

    pub(crate) fn raw(address: &str, text: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        // The server may have answered and closed already.
        let _ = stream.write_all(text.as_bytes());
        Self(stream)
    }

    /// Takes what the server says before the reply.
    pub(crate) fn interim(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        self.0.read_exact(&mut bytes).expect("the server answers");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        let _ = self.0.write_all(body.as_bytes());
        self
    }

    pub(crate) fn reply(mut self) -> Reply {
        let mut bytes = Vec::new();
        let read = self.0.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).expect("the server writes UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}, {read:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        Reply {
            status: status.parse().expect("a number"),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }
}

/// One request and its response.
pub(crate) fn request(address: &str, method: &str, target: &str, authorization: &str, body: &str) -> Reply {
    Exchange::head(address, method, target, authorization, body.len()).body(body).reply()
}

/// A client with a secret: makes any Authorization header, also such as no honest client would.
pub(crate) struct Holder {
    challenge: Challenge,
    qop: Qop,
    cnonce: &'static str,
    password: &'static str,
}

impl Holder {
    /// alice, who knows her password.
    pub(crate) fn new(challenge: Challenge, qop: Qop) -> Self {
        Self { challenge, qop, cnonce: "0a4f113b", password: "secret" }
    }

    pub(crate) fn with_password(self, password: &'static str) -> Self {
        Self { password, ..self }
    }

    pub(crate) fn authorization(&self, method: &str, uri: &str, count: u32, body: &str) -> String {
        let Self { challenge, qop, cnonce, password } = self;
        let algorithm = challenge.algorithm.effective().expect("the server offers what we know");
        let user = UserHash::new("alice", &challenge.realm, password);
        let key = SessionKey::new(algorithm, &user, &challenge.nonce, cnonce.as_bytes());
        let nc = format!("{count:08x}");
        let protection = Protection { qop: qop.as_str().as_bytes(), nc: nc.as_bytes(), cnonce: cnonce.as_bytes() };
        let entity = md5(&[body.as_bytes()]);
        let (method, target) = (method.as_bytes(), uri.as_bytes());
        let a2 = match qop {
            Qop::Auth => A2::Auth { method, uri: target },
            Qop::AuthInt => A2::AuthInt { method, uri: target, entity: &entity },
        };
        let response = hex(&key.response(&challenge.nonce, &protection, &a2));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("this server writes US-ASCII");
        format!(
            "Digest username=\"alice\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", qop={}, nc={nc}, cnonce=\"{cnonce}\", \
             response=\"{}\", opaque=\"{}\", algorithm={}",
            challenge.realm,
            text(&challenge.nonce),
            qop.as_str(),
            text(&response),
            text(challenge.opaque.as_deref().expect("this server sends one")),
            Algorithm::as_str(algorithm),
        )
    }
}

/// A fresh challenge of the server.
pub(crate) fn challenge(address: &str) -> Challenge {
    request(address, "GET", "/", "", "").challenge()
}

/// Whatever proxy this machine is told to use, it is not for 127.0.0.1.
fn direct(mut command: Command) -> Command {
    command.env("no_proxy", "*").env("NO_PROXY", "*");
    command
}

/// The curl tool, if it is there.
pub(crate) fn curl() -> Option<Command> {
    available("curl", Command::new("curl").arg("--version")).then(|| {
        let mut command = direct(Command::new("curl"));
        // Nobody's own .curlrc.
        command.arg("-q");
        command
    })
}

/// A Python script of `tests/clients`, if Python can import what it needs. PYTHON says which Python.
pub(crate) fn script(name: &str, module: &str) -> Option<Command> {
    let python = python();
    let import = format!("import {module}");
    available(&format!("Python with {module}"), Command::new(&python).args(["-c", &import])).then(|| {
        let mut command = direct(Command::new(&python));
        command.arg(format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR")));
        command
    })
}

/// libcurl with one easy handle for all its requests.
pub(crate) struct EasyHandle {
    child: Child,
    urls: ChildStdin,
    statuses: BufReader<ChildStdout>,
}

impl EasyHandle {
    pub(crate) fn start() -> Option<Self> {
        const LOADABLE: &str = "ctypes, ctypes.util; ctypes.CDLL(ctypes.util.find_library('curl') or 'libcurl.so.4')";
        let mut command = script("libcurl_get.py", LOADABLE)?;
        command.arg("alice:secret").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("Python was there a moment ago");
        let urls = child.stdin.take().expect("stdin is piped");
        let statuses = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Some(Self { child, urls, statuses })
    }

    /// The status of a GET.
    pub(crate) fn get(&mut self, url: &str) -> String {
        writeln!(self.urls, "{url}").expect("the script reads");
        let mut status = String::new();
        self.statuses.read_line(&mut status).expect("the script writes UTF-8");
        status.trim_end().to_owned()
    }

    /// What was sent and received.
    pub(crate) fn finish(self) -> String {
        drop(self.urls);
        let output = self.child.wait_with_output().expect("the child is ours");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// The Authorization headers that `curl -v` tells it sent.
pub(crate) fn sent_authorizations(verbose: &str) -> Vec<String> {
    let sent = verbose.lines().filter_map(|line| line.trim_end().strip_prefix("> Authorization: "));
    let plain = verbose.lines().filter_map(|line| line.trim_end().strip_prefix("Authorization: "));
    sent.chain(plain).map(str::to_owned).collect()
}

/// The lines of standard output of a command that must succeed.
pub(crate) fn lines(output: &Output) -> Vec<String> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {error}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What a proxy replaces, by something of the same length: Content-Length must stay true.
#[derive(Clone, Copy)]
struct Edit(&'static str, &'static str);

/// Passes bytes on to `to`, with `old` replaced by `new` (of the same length) in what the client sends.
pub(crate) fn tampering_proxy(to: &str, old: &'static str, new: &'static str) -> String {
    editing_proxy(to, Some(Edit(old, new)), None)
}

/// Passes bytes on to `to`, with `old` replaced by `new` (of the same length) in what the server answers.
pub(crate) fn answer_rewriting_proxy(to: &str, old: &'static str, new: &'static str) -> String {
    editing_proxy(to, None, Some(Edit(old, new)))
}

fn editing_proxy(to: &str, requests: Option<Edit>, answers: Option<Edit>) -> String {
    for Edit(old, new) in [requests, answers].into_iter().flatten() {
        assert_eq!(old.len(), new.len(), "Content-Length must stay true");
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let to = to.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&to).expect("the server listens");
            let (from_server, to_client) =
                (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
            std::thread::spawn(move || pass(from_server, to_client, answers));
            std::thread::spawn(move || pass(client, server, requests));
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, edit: Option<Edit>) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let chunk = bytes.get_mut(..length).expect("read returns what fits");
        if let Some(Edit(old, new)) = edit {
            replace(chunk, old.as_bytes(), new.as_bytes());
        }
        if to.write_all(chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    for start in 0..bytes.len().saturating_sub(old.len() - 1) {
        if let Some(place) = bytes.get_mut(start..start + old.len())
            && place == old
        {
            place.copy_from_slice(new);
        }
    }
}
