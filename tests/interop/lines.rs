//! A SASL peer behind the line protocol of `tests/interop/README.md`.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::http::PATIENCE;
use crate::peers::{Peer, sasl_program};
use crate::sasl::{Done, Side, Step};

/// A peer as client or server, stopped when this is dropped.
pub(crate) struct LinePeer {
    child: Child,
    requests: ChildStdin,
    /// Read by a thread of its own, so that a peer that says nothing cannot hold up the run.
    replies: Receiver<String>,
}

impl LinePeer {
    /// `settings` are `KEY=VALUE`.
    pub(crate) fn start(peer: Peer, role: &str, settings: &[String]) -> Self {
        let mut command = sasl_program(peer).expect("its version was asked");
        command.arg(role).args(settings);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let requests = child.stdin.take().expect("stdin is piped");
        let replies = follow(child.stdout.take().expect("stdout is piped"));
        Self { child, requests, replies }
    }

    fn ask(&mut self, word: &str, bytes: &[u8]) -> String {
        writeln!(self.requests, "{word} {}", STANDARD.encode(bytes)).expect("the peer reads");
        self.replies.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no answer to {word}: {error}"))
    }

    fn step(&mut self, word: &str, bytes: &[u8]) -> Step {
        let reply = self.ask(word, bytes);
        match reply.split_once(' ').unwrap_or((&reply, "")) {
            ("token", token) => Step::Token(decoded(token)),
            ("done", fields) => Step::Done(done(fields)),
            ("failed", why) => Step::Failed(why.to_owned()),
            _ => panic!("{reply:?} to {word}"),
        }
    }

    /// The bytes of a reply that begins with `expected`, or why there are none.
    fn bytes(&mut self, word: &str, bytes: &[u8], expected: &str) -> Result<Vec<u8>, String> {
        let reply = self.ask(word, bytes);
        match reply.split_once(' ').unwrap_or((&reply, "")) {
            (said, bytes) if said == expected => Ok(decoded(bytes)),
            ("failed", why) => Err(why.to_owned()),
            _ => panic!("{reply:?} to {word}"),
        }
    }
}

impl Side for LinePeer {
    fn start(&mut self, initial: &[u8]) -> Step {
        self.step("start", initial)
    }

    fn token(&mut self, token: &[u8]) -> Step {
        self.step("token", token)
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, String> {
        self.bytes("wrap", message, "wrapped")
    }

    fn unwrap(&mut self, wrapped: &[u8]) -> Result<Vec<u8>, String> {
        self.bytes("unwrap", wrapped, "unwrapped")
    }
}

impl Drop for LinePeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of `output`, read by a thread.
pub(crate) fn follow(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // A message of a peer need not be UTF-8.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text.trim()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn done(fields: &str) -> Done {
    let field = |name: &str| {
        let mut fields = fields.split(' ').filter_map(|field| field.split_once('='));
        fields.find_map(|(key, value)| (key == name).then_some(value)).unwrap_or_default()
    };
    Done {
        qop: field("qop").to_owned(),
        user: String::from_utf8(decoded(field("user"))).expect("the protocol has user names in UTF-8"),
        token: decoded(field("token")),
    }
}
