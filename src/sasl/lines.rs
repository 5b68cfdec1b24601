//! Exchanges line by line, as the sample programs of SASL libraries have them.
//!
//! A line without a space is a token for the peer, in base64; lines of the same form from the peer are passed in. What
//! has words is between the program and whoever runs it:
//!
//! | in | out |
//! |---|---|
//! | `TOKEN` | `TOKEN`; `authenticated QOP CIPHER USER`; `refused STATUS: REASON` |
//! | `challenge` (acceptor), `reauthenticate` (initiator) | `TOKEN`; `challenge-needed` (initiator) |
//! | `send TEXT`, `send-base64 BASE64` | `wrapped BASE64`; `failed STATUS: REASON` |
//! | `receive BASE64` | `message TEXT`, `message-base64 BASE64`; `failed STATUS: REASON` |
//!
//! An acceptor says its first challenge unasked. An empty line, the end of the input, or an output without a reader ends
//! the conversation.
#![forbid(unsafe_code)]

use core::fmt;
use std::io::{self, BufRead, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Acceptor, Initiator, Progress, SaslError};

/// The longest line, in bytes: room for the longest wrapped message, 16 MiB, in base64.
const LONGEST_LINE: u64 = 32 * 1024 * 1024;

/// A role in a conversation.
pub trait Role {
    /// The word that begins a further exchange.
    const AGAIN: &'static str;
    /// What is said before anything is read.
    fn first(&mut self) -> Option<Result<Progress, SaslError>>;
    /// Begins a further exchange.
    ///
    /// # Errors
    /// The role cannot.
    fn again(&mut self) -> Result<Progress, SaslError>;
    /// Takes a token of the peer.
    ///
    /// # Errors
    /// The token was refused.
    fn take(&mut self, token: &[u8]) -> Result<Progress, SaslError>;
    /// Wraps a message for the peer.
    ///
    /// # Errors
    /// It cannot be protected.
    fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, SaslError>;
    /// Unwraps a message of the peer.
    ///
    /// # Errors
    /// It is not the peer's next message.
    fn unwrap(&self, wire: &[u8]) -> Result<Vec<u8>, SaslError>;
    /// Whether an exchange has begun and not ended.
    fn is_under_way(&self) -> bool;
}

impl Role for Acceptor {
    const AGAIN: &'static str = "challenge";

    fn first(&mut self) -> Option<Result<Progress, SaslError>> {
        Some(self.again())
    }

    fn again(&mut self) -> Result<Progress, SaslError> {
        self.challenge().map(Progress::Token)
    }

    fn take(&mut self, token: &[u8]) -> Result<Progress, SaslError> {
        self.respond(token)
    }

    fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.wrap(message)
    }

    fn unwrap(&self, wire: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.unwrap(wire)
    }

    fn is_under_way(&self) -> bool {
        self.is_under_way()
    }
}

impl Role for Initiator {
    const AGAIN: &'static str = "reauthenticate";

    fn first(&mut self) -> Option<Result<Progress, SaslError>> {
        None
    }

    fn again(&mut self) -> Result<Progress, SaslError> {
        self.reauthenticate()
    }

    fn take(&mut self, token: &[u8]) -> Result<Progress, SaslError> {
        self.take(token)
    }

    fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.wrap(message)
    }

    fn unwrap(&self, wire: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.unwrap(wire)
    }

    fn is_under_way(&self) -> bool {
        self.is_under_way()
    }
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exchanges that succeeded.
    pub authenticated: u32,
    /// Exchanges that did not.
    pub refused: u32,
    /// Messages that could not be wrapped or unwrapped, and lines that mean nothing.
    pub failed: u32,
    /// Whether an exchange was still under way.
    pub under_way: bool,
}

impl Ended {
    /// Whether somebody was authenticated and nothing went wrong.
    pub fn is_good(&self) -> bool {
        let Self { authenticated, refused, failed, under_way } = *self;
        authenticated > 0 && refused == 0 && failed == 0 && !under_way
    }
}

/// What a line asks for.
enum Line {
    Token(Vec<u8>),
    Again,
    Send(Vec<u8>),
    Receive(Vec<u8>),
    Nonsense(&'static str),
}

impl Line {
    fn parse(line: &[u8], again: &str) -> Self {
        let (word, rest) = match line.iter().position(|octet| *octet == b' ') {
            Some(space) => (line.get(..space).unwrap_or_default(), line.get(space + 1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        let decoded = |line: fn(Vec<u8>) -> Self, text: &[u8]| match STANDARD.decode(text) {
            Ok(bytes) => line(bytes),
            Err(_) => Self::Nonsense("this is not base64"),
        };
        match word {
            b"send" => Self::Send(rest.to_vec()),
            b"send-base64" => decoded(Self::Send, rest),
            b"receive" => decoded(Self::Receive, rest),
            _ if line == again.as_bytes() => Self::Again,
            _ if word.len() == line.len() => decoded(Self::Token, line),
            _ => Self::Nonsense("this is no command"),
        }
    }
}

/// Runs a conversation until its input ends, or nobody reads its output any more.
///
/// # Errors
/// Input or output failed, or a line is longer than 32 MiB.
pub fn run(role: &mut impl Role, input: impl BufRead, output: impl Write) -> io::Result<Ended> {
    let mut conversation = Conversation { output, ended: Ended::default() };
    match conversation.talk(role, input) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        talked => talked?,
    }
    conversation.ended.under_way = role.is_under_way();
    Ok(conversation.ended)
}

/// The next line without its end; `None` for an empty one, and at the end of the input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") && u64::try_from(line.len()).is_ok_and(|length| length >= LONGEST_LINE) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 32 MiB"));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(if line.is_empty() { None } else { Some(line.to_vec()) })
}

struct Conversation<W> {
    output: W,
    ended: Ended,
}

impl<W: Write> Conversation<W> {
    fn talk<R: Role>(&mut self, role: &mut R, mut input: impl BufRead) -> io::Result<()> {
        if let Some(first) = role.first() {
            self.progress(first)?;
        }
        while let Some(line) = read_line(&mut input)? {
            self.answer(role, &line)?;
        }
        Ok(())
    }

    fn answer<R: Role>(&mut self, role: &mut R, line: &[u8]) -> io::Result<()> {
        match Line::parse(line, R::AGAIN) {
            Line::Token(token) => self.progress(role.take(&token)),
            Line::Again => self.progress(role.again()),
            Line::Send(message) => match role.wrap(&message) {
                Ok(wire) => self.say(&format_args!("wrapped {}", STANDARD.encode(wire))),
                Err(error) => self.fail(&error),
            },
            Line::Receive(wire) => match role.unwrap(&wire) {
                Ok(message) => match printable(&message) {
                    Some(text) => self.say(&format_args!("message {text}")),
                    None => self.say(&format_args!("message-base64 {}", STANDARD.encode(message))),
                },
                Err(error) => self.fail(&error),
            },
            Line::Nonsense(why) => self.fail(&why),
        }
    }

    fn progress(&mut self, progress: Result<Progress, SaslError>) -> io::Result<()> {
        match progress {
            Ok(Progress::Token(token)) => self.say(&STANDARD.encode(token)),
            Ok(Progress::PeerSpeaks) => self.say(&"challenge-needed"),
            Ok(Progress::Authenticated { proof, negotiated }) => {
                self.ended.authenticated = self.ended.authenticated.saturating_add(1);
                if let Some(proof) = proof {
                    self.say(&STANDARD.encode(proof))?;
                }
                self.say(&format_args!("authenticated {negotiated}"))
            }
            Err(error) => {
                self.ended.refused = self.ended.refused.saturating_add(1);
                self.say(&format_args!("refused {error}"))
            }
        }
    }

    fn fail(&mut self, why: &dyn fmt::Display) -> io::Result<()> {
        self.ended.failed = self.ended.failed.saturating_add(1);
        self.say(&format_args!("failed {why}"))
    }

    /// A line at once: the peer waits for it.
    fn say(&mut self, line: &dyn fmt::Display) -> io::Result<()> {
        writeln!(self.output, "{line}")?;
        self.output.flush()
    }
}

/// The text that a message is, if one line can show it.
fn printable(message: &[u8]) -> Option<&str> {
    core::str::from_utf8(message).ok().filter(|text| !text.contains(char::is_control))
}
