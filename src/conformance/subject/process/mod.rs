//! A program behind a pipe as a subject: anything that speaks the [adapter protocol](crate::conformance::protocol).
//!
//! Whatever it does, an answer is had in time, or an error that says what happened; after an error that leaves its state
//! unknown the program is killed, with all of its process group, and started anew at the next
//! [`start`](Subject::start).
#![forbid(unsafe_code)]

mod check;
mod launch;
mod pipe;

use std::collections::BTreeSet;
use std::time::Duration;

pub use self::launch::Launch;
use self::launch::describe;
use self::pipe::Pipe;
use super::{Subject, SubjectError};
use crate::buffer::SecHandle;
use crate::conformance::protocol::{Answer, PROTOCOL_VERSION, Request};
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::{Call, Outcome};

/// How long an answer may take where nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many times as long the first answer of a process may take: a heap checker, a virtual machine, Wine have to begin.
const FIRST_ANSWER: u32 = 3;

/// What one sequence can do to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// Nothing: the program forks at each start.
    Fork,
    /// Nothing: each sequence has a process of its own.
    Fresh,
    /// Anything: one process for all, until it dies.
    Persistent,
}

impl Isolation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fork, Self::Fresh, Self::Persistent];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Fresh => "fresh",
            Self::Persistent => "persistent",
        }
    }
}

/// A program as a subject.
pub struct Process {
    launch: Launch,
    isolation: Isolation,
    timeout: Duration,
    pipe: Option<Pipe>,
    is_in_sequence: bool,
    name: String,
    capabilities: BTreeSet<Need>,
    _kept: Option<Box<dyn Send>>,
}

impl core::fmt::Debug for Process {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { launch, isolation, timeout, name, .. } = self;
        formatter
            .debug_struct("Process")
            .field("launch", launch)
            .field("isolation", isolation)
            .field("timeout", timeout)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

impl Process {
    /// Starts the program, and finds out whether it is an adapter.
    ///
    /// # Errors
    /// The adapter is wrong, and nothing can be said of what is behind it. What that does wrong, dying and hanging
    /// included, is no error here and the suite tells it.
    pub fn open(launch: Launch, isolation: Isolation, timeout: Duration) -> Result<Self, SubjectError> {
        let (name, capabilities) = (String::new(), BTreeSet::new());
        let (pipe, is_in_sequence, _kept) = (None, false, None);
        let mut process = Self { launch, isolation, timeout, pipe, is_in_sequence, name, capabilities, _kept };
        process.start(&Setup::default())?;
        let probe = check::probe();
        match process.call(&probe) {
            Ok(outcome) => match check::probe_problem(&probe, &outcome) {
                Some(problem) => return Err(SubjectError::Errored(problem)),
                None => process.end_sequence()?,
            },
            Err(error @ SubjectError::Errored(_)) => return Err(error),
            Err(
                SubjectError::Unable(_)
                | SubjectError::Crashed(_)
                | SubjectError::TimedOut(_)
                | SubjectError::Unstable(_),
            ) => {}
        }
        Ok(process)
    }

    /// The same, holding something that must live as long: a file that the program reads.
    #[must_use]
    pub fn keeping(mut self, kept: impl Send + 'static) -> Self {
        self._kept = Some(Box::new(kept));
        self
    }

    /// Asks; where no answer can be had that is one, the process is ended.
    fn ask(&mut self, request: &Request, timeout: Duration) -> Result<Answer, SubjectError> {
        let Some(mut pipe) = self.pipe.take() else {
            return Err(SubjectError::Errored("the process has ended".to_owned()));
        };
        let answer = match pipe.ask(request, timeout) {
            Ok(answer) => answer,
            Err(error) => {
                self.is_in_sequence = false;
                return Err(error);
            }
        };
        match answer {
            Answer::Ended(end) => {
                self.is_in_sequence = false;
                self.pipe = Some(pipe);
                Err(SubjectError::Crashed(describe(end)))
            }
            Answer::Crashed { message } => {
                // Whoever forked ends with the sequence; elsewhere nobody knows what else was written over.
                if self.isolation == Isolation::Fork {
                    self.pipe = Some(pipe);
                } else {
                    self.is_in_sequence = false;
                }
                Err(SubjectError::Crashed(message))
            }
            Answer::Unable { message } => {
                self.pipe = Some(pipe);
                Err(SubjectError::Unable(message))
            }
            Answer::Error { message } => {
                self.pipe = Some(pipe);
                Err(SubjectError::Errored(message))
            }
            Answer::Started { .. } | Answer::Outcome(_) | Answer::ForeignHandle { .. } | Answer::Done {} => {
                self.pipe = Some(pipe);
                Ok(answer)
            }
        }
    }

    /// The answer is not one to what was asked, so nobody knows to what it is one.
    fn lost(&mut self, asked: &str, answer: &Answer) -> SubjectError {
        self.pipe = None;
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
        if self.is_in_sequence && self.pipe.is_some() {
            self.tell("stop", &Request::Stop {})?;
        }
        self.is_in_sequence = false;
        Ok(())
    }

    fn close(&mut self) {
        self.is_in_sequence = false;
        if let Some(pipe) = self.pipe.take() {
            pipe.close();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
    }
}

impl Subject for Process {
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
        if self.pipe.is_none() {
            self.pipe = Some(Pipe::open(&self.launch)?);
            timeout *= FIRST_ANSWER;
        }
        let answer = self.ask(&Request::Start { protocol: PROTOCOL_VERSION, setup: setup.clone() }, timeout)?;
        match answer {
            Answer::Started { protocol: PROTOCOL_VERSION, name, capabilities } => {
                self.is_in_sequence = true;
                self.name = name;
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
