//! The adapter protocol: a subject behind a pipe, in lines of JSON.
//!
//! One request on a line of the adapter's standard input, one answer on a line of its standard output, in turns.
//! `spec/ADAPTERS.md` tells people, `spec/schemas/adapter.schema.json` tells programs. The side of an adapter for
//! any [`Subject`](super::Subject) in Rust is [`serve`].
#![forbid(unsafe_code)]

mod call;
mod lines;
mod outcome;
mod serve;
mod values;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::buffer::SecHandle;
use crate::spec::call::{Call, Outcome};
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};

pub use lines::{LONGEST_LINE, Line, read_line, write_line};
pub use serve::{answer, serve};

/// The version of the protocol; it changes when an adapter must.
pub const PROTOCOL_VERSION: u32 = 1;

/// What the runner asks of an adapter: an object with one member, whose name says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Begin a sequence: no credentials, no contexts, clock at zero, nothing failing.
    Start {
        /// The version that the runner speaks.
        protocol: u32,
        /// How the subject is to be configured.
        setup: Setup,
    },
    /// Make a call.
    Call(#[serde(with = "call::CallMessage")] Call),
    /// Advance the clock.
    Advance {
        /// By so much.
        milliseconds: u64,
    },
    /// Make the environment fail, or mend it.
    Inject {
        /// What fails from now on.
        fault: EnvironmentFault,
    },
    /// Take the account source down, or bring it back.
    AccountsDown {
        /// Whether it is down from now on.
        down: bool,
    },
    /// Tell an initiator's context that its counts were spent elsewhere.
    SpendCounts {
        /// The context.
        #[serde(with = "values::As::<values::Handle>")]
        context: SecHandle,
    },
    /// Tell a context that its sequence numbers were spent elsewhere.
    SpendSequences {
        /// The context.
        #[serde(with = "values::As::<values::Handle>")]
        context: SecHandle,
    },
    /// Make a live handle of a second provider.
    ForeignHandle {},
    /// End the sequence. What follows is another `start`, or the end of the input, at which an adapter exits.
    Stop {},
}

/// What an adapter answers: an object with one member, whose name says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// To `start`.
    Started {
        /// The version that the adapter speaks.
        protocol: u32,
        /// What is under test, for the report.
        name: String,
        /// What it offers beside answering calls.
        capabilities: BTreeSet<Need>,
    },
    /// To `call`.
    Outcome(#[serde(with = "outcome::OutcomeMessage")] Outcome),
    /// To `foreign_handle`.
    ForeignHandle {
        /// The handle.
        #[serde(with = "values::As::<values::Handle>")]
        handle: SecHandle,
    },
    /// To everything else.
    Done {},
    /// To a call that the subject's interface has no function or no words for: it says nothing about the subject.
    Unable {
        /// What there is none for, in one line for people.
        message: String,
    },
    /// To anything that the adapter cannot do.
    Error {
        /// Why not, in one line for people.
        message: String,
    },
    /// Instead of an answer, the subject was caught doing what no caller survives: it wrote where it must not, or raised an
    /// exception that nothing handles.
    Crashed {
        /// What it did, in one line for people.
        message: String,
    },
    /// Instead of an answer, from whoever watches the process of the subject: it died.
    Ended(End),
}

/// How a process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By this signal.
    Signal(i32),
    /// With this exit code.
    ExitCode(i32),
}
