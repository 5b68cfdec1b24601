//! `digest-ssp sasl-server` and `sasl-client` as a side of an exchange.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::http::{PATIENCE, digest_ssp};
use crate::lines::follow;
use crate::sasl::{Done, Side, Step};
use crate::sasl_witnesses::Layer;

/// The program in one role, stopped when this is dropped.
pub(crate) struct Ours {
    child: Child,
    requests: ChildStdin,
    replies: Receiver<String>,
    role: Role,
    exchanges: u32,
}

#[derive(Clone, Copy)]
enum Role {
    Client,
    Server,
}

impl Ours {
    pub(crate) fn server(layer: Layer, account: [&str; 2]) -> Self {
        Self::server_with(&[], layer, account)
    }

    pub(crate) fn server_with(arguments: &[&str], layer: Layer, account: [&str; 2]) -> Self {
        let arguments = [&["sasl-server", "--realm", "test"], arguments].concat();
        Self::start_as(Role::Server, &arguments, layer, account)
    }

    pub(crate) fn client(layer: Layer, account: [&str; 2]) -> Self {
        Self::start_as(Role::Client, &["sasl-client"], layer, account)
    }

    fn start_as(role: Role, arguments: &[&str], (qop, cipher): Layer, account: [&str; 2]) -> Self {
        let mut command = digest_ssp();
        command.args(arguments).args(["--service", "imap", "--host", "localhost", "--qop", qop]);
        command.arg("--user").arg(account.join(":"));
        if let Some(cipher) = cipher {
            command.args(["--cipher", cipher]);
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the binary was built by cargo");
        let requests = child.stdin.take().expect("stdin is piped");
        let replies = follow(child.stdout.take().expect("stdout is piped"));
        Self { child, requests, replies, role, exchanges: 0 }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.requests, "{line}").expect("it reads");
    }

    fn hear(&self) -> String {
        self.replies.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// What the next line makes of the exchange; a proof is followed by another line.
    fn step(&mut self) -> Step {
        let line = self.hear();
        match line.split_once(' ') {
            None if line == "challenge-needed" => Step::Token(Vec::new()),
            None => {
                let token = decoded(&line);
                if token.starts_with(b"rspauth=") { self.authenticated(token) } else { Step::Token(token) }
            }
            Some(("authenticated", negotiated)) => Step::Done(done(negotiated, Vec::new())),
            Some(("refused" | "failed", why)) => Step::Failed(why.to_owned()),
            Some(_) => panic!("{line:?}"),
        }
    }

    fn authenticated(&mut self, proof: Vec<u8>) -> Step {
        let line = self.hear();
        let negotiated = line.strip_prefix("authenticated ").unwrap_or_else(|| panic!("{line:?} after a proof"));
        Step::Done(done(negotiated, proof))
    }

    /// The bytes of a reply whose first word says how they are written.
    fn bytes(&mut self, request: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        self.say(&format!("{request} {}", STANDARD.encode(bytes)));
        let line = self.hear();
        match line.split_once(' ') {
            Some(("wrapped" | "message-base64", bytes)) => Ok(decoded(bytes)),
            Some(("message", text)) => Ok(text.as_bytes().to_vec()),
            Some(("failed", why)) => Err(why.to_owned()),
            _ => panic!("{line:?} to {request}"),
        }
    }
}

impl Side for Ours {
    fn start(&mut self, initial: &[u8]) -> Step {
        self.exchanges += 1;
        match (self.role, self.exchanges, initial) {
            // The first line of a server is its first challenge.
            (Role::Server, 1, []) => self.step(),
            (Role::Server, _, []) => {
                self.say("challenge");
                self.step()
            }
            (Role::Server, _, initial) => self.token(initial),
            (Role::Client, 1, _) => Step::Token(Vec::new()),
            (Role::Client, ..) => {
                self.say("reauthenticate");
                self.step()
            }
        }
    }

    fn token(&mut self, token: &[u8]) -> Step {
        self.say(&STANDARD.encode(token));
        self.step()
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, String> {
        self.bytes("send-base64", message)
    }

    /// Packet by packet: a peer may make several of a long message.
    fn unwrap(&mut self, wrapped: &[u8]) -> Result<Vec<u8>, String> {
        let mut messages = Vec::new();
        let mut rest = wrapped;
        while let Some(length) = rest.first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).expect("there are no smaller machines here") + 4;
            let (packet, further) = rest.split_at_checked(length).unwrap_or_else(|| panic!("half a packet: {rest:?}"));
            messages.extend(self.bytes("receive", packet)?);
            rest = further;
        }
        Ok(messages)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Of `QOP CIPHER USER`.
fn done(negotiated: &str, token: Vec<u8>) -> Done {
    let mut words = negotiated.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (qop, _cipher, user) = (word(), word(), word());
    Done { qop, user, token }
}
