//! The tester's side of the [adapter protocol](crate::conformance::protocol), whatever carries it.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::time::Duration;

use super::came::{TEXT, text};
use super::launch::describe;
use super::{Isolation, check};
use crate::buffer::SecHandle;
use crate::conformance::protocol::{Answer, PROTOCOL_VERSION, Request};
use crate::conformance::subject::{Subject, SubjectError};
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::{Call, Outcome};

/// How many times as long the first answer of a connection may take: a heap checker, a virtual machine, Wine have to begin.
const FIRST_ANSWER: u32 = 3;

/// Where an adapter can be reached.
pub trait Connect {
    /// What is had where it was reached.
    type Connection: Connection;

    /// Reaches it, or another one like it, with nothing of what was asked before.
    ///
    /// # Errors
    /// It cannot be reached.
    fn connect(&mut self) -> Result<Self::Connection, SubjectError>;
}

/// An adapter that was reached. Whoever drops it ends it, whatever it is doing.
pub trait Connection {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// There was none, or none that is one; the connection is of no use then and must be dropped.
    fn ask(&mut self, request: &Request, timeout: Duration) -> Result<Answer, SubjectError>;

    /// Lets the adapter end by itself; whatever is left of it then is ended.
    fn close(self);
}

/// Whatever speaks the protocol, as a subject.
pub struct Adapter<C: Connect> {
    place: C,
    isolation: Isolation,
    timeout: Duration,
    connection: Option<C::Connection>,
    is_in_sequence: bool,
    name: String,
    capabilities: BTreeSet<Need>,
    _kept: Option<Box<dyn Send>>,
}

impl<C: Connect + core::fmt::Debug> core::fmt::Debug for Adapter<C> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { place, isolation, timeout, name, .. } = self;
        formatter
            .debug_struct("Adapter")
            .field("place", place)
            .field("isolation", isolation)
            .field("timeout", timeout)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

impl<C: Connect> Adapter<C> {
    /// Reaches what is there, and finds out whether it is an adapter.
    ///
    /// # Errors
    /// The adapter is wrong, and nothing can be said of what is behind it. What that does wrong, dying and hanging
    /// included, is no error here and the suite tells it.
    pub fn open(place: C, isolation: Isolation, timeout: Duration) -> Result<Self, SubjectError> {
        let (name, capabilities) = (String::new(), BTreeSet::new());
        let (connection, is_in_sequence, _kept) = (None, false, None);
        let mut adapter = Self { place, isolation, timeout, connection, is_in_sequence, name, capabilities, _kept };
        adapter.start(&Setup::default())?;
        let probe = check::probe();
        match adapter.call(&probe) {
            Ok(outcome) => match check::probe_problem(&probe, &outcome) {
                Some(problem) => return Err(SubjectError::Errored(problem)),
                None => adapter.end_sequence()?,
            },
            Err(error @ SubjectError::Errored(_)) => return Err(error),
            Err(
                SubjectError::Unable(_)
                | SubjectError::Crashed(_)
                | SubjectError::TimedOut(_)
                | SubjectError::Unstable(_),
            ) => {}
        }
        Ok(adapter)
    }

    /// The same, holding something that must live as long: a file that a program reads.
    #[must_use]
    pub fn keeping(mut self, kept: impl Send + 'static) -> Self {
        self._kept = Some(Box::new(kept));
        self
    }

    /// Asks; where there is no answer that is one, the connection is dropped.
    fn ask(&mut self, request: &Request, timeout: Duration) -> Result<Answer, SubjectError> {
        let Some(mut connection) = self.connection.take() else {
            return Err(SubjectError::Errored("it has ended".to_owned()));
        };
        let answer = match connection.ask(request, timeout) {
            Ok(answer) => answer,
            Err(error) => {
                self.is_in_sequence = false;
                return Err(error);
            }
        };
        match answer {
            Answer::Ended(end) => {
                self.is_in_sequence = false;
                self.connection = Some(connection);
                Err(SubjectError::Crashed(describe(end)))
            }
            Answer::Crashed { message } => {
                // Whoever forked ends with the sequence; elsewhere nobody knows what else was written over.
                if self.isolation == Isolation::Fork {
                    self.connection = Some(connection);
                } else {
                    self.is_in_sequence = false;
                }
                Err(SubjectError::Crashed(text(&message, TEXT)))
            }
            Answer::Unable { message } => {
                self.connection = Some(connection);
                Err(SubjectError::Unable(text(&message, TEXT)))
            }
            Answer::Error { message } => {
                self.connection = Some(connection);
                Err(SubjectError::Errored(text(&message, TEXT)))
            }
            Answer::Started { .. } | Answer::Outcome(_) | Answer::ForeignHandle { .. } | Answer::Done {} => {
                self.connection = Some(connection);
                Ok(answer)
            }
        }
    }

    /// The answer is not one to what was asked, so nobody knows to what it is one.
    fn lost(&mut self, asked: &str, answer: &Answer) -> SubjectError {
        self.connection = None;
        self.is_in_sequence = false;
        let kind = match answer {
            Answer::Started { .. } => "started",
            Answer::Outcome(_) => "outcome",
            Answer::ForeignHandle { .. } => "foreign_handle",
            Answer::Done {} => "done",
            Answer::Unable { .. } => "unable",
            Answer::Error { .. } => "error",
            Answer::Crashed { .. } => "crashed",
            Answer::Ended(_) => "ended",
        };
        SubjectError::Errored(format!("it answered `{kind}` to `{asked}`"))
    }

    /// Asks for something that is answered by `done`.
    fn tell(&mut self, asked: &str, request: &Request) -> Result<(), SubjectError> {
        match self.ask(request, self.timeout)? {
            Answer::Done {} => Ok(()),
            other @ (Answer::Started { .. }
            | Answer::Outcome(_)
            | Answer::ForeignHandle { .. }
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(self.lost(asked, &other)),
        }
    }

    fn end_sequence(&mut self) -> Result<(), SubjectError> {
        if self.is_in_sequence && self.connection.is_some() {
            self.tell("stop", &Request::Stop {})?;
        }
        self.is_in_sequence = false;
        Ok(())
    }

    fn close(&mut self) {
        self.is_in_sequence = false;
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}

impl<C: Connect> Drop for Adapter<C> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<C: Connect> Subject for Adapter<C> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.capabilities.clone()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.end_sequence()?;
        if self.isolation == Isolation::Fresh {
            self.close();
        }
        let mut timeout = self.timeout;
        if self.connection.is_none() {
            self.connection = Some(self.place.connect()?);
            timeout *= FIRST_ANSWER;
        }
        let answer = self.ask(&Request::Start { protocol: PROTOCOL_VERSION, setup: setup.clone() }, timeout)?;
        match answer {
            Answer::Started { protocol: PROTOCOL_VERSION, name, capabilities } => {
                self.is_in_sequence = true;
                self.name = text(&name, TEXT);
                self.capabilities = capabilities;
                Ok(())
            }
            Answer::Started { protocol, .. } => {
                self.close();
                let message = format!("it speaks version {protocol} of the protocol, not {PROTOCOL_VERSION}");
                Err(SubjectError::Errored(message))
            }
            other @ (Answer::Outcome(_)
            | Answer::ForeignHandle { .. }
            | Answer::Done {}
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(self.lost("start", &other)),
        }
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        match self.ask(&Request::Call(call.clone()), self.timeout)? {
            Answer::Outcome(outcome) => match check::problem(call, &outcome) {
                Some(problem) => Err(SubjectError::Errored(format!("the adapter is wrong: {problem}"))),
                None => Ok(outcome),
            },
            other @ (Answer::Started { .. }
            | Answer::ForeignHandle { .. }
            | Answer::Done {}
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(self.lost("call", &other)),
        }
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.tell("advance", &Request::Advance { milliseconds })
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.tell("inject", &Request::Inject { fault })
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.tell("accounts_down", &Request::AccountsDown { down })
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.tell("spend_counts", &Request::SpendCounts { context })
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.tell("spend_sequences", &Request::SpendSequences { context })
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        match self.ask(&Request::ForeignHandle {}, self.timeout)? {
            Answer::ForeignHandle { handle } => Ok(handle),
            other @ (Answer::Started { .. }
            | Answer::Outcome(_)
            | Answer::Done {}
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(self.lost("foreign_handle", &other)),
        }
    }

    fn is_persistent(&self) -> bool {
        self.isolation == Isolation::Persistent
    }

    fn renew(&mut self) {
        if self.isolation == Isolation::Persistent {
            self.close();
        }
    }
}
