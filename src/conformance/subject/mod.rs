//! What is under test: anything that answers SSPI calls.
#![deny(unsafe_code)]

pub mod builtin;
pub mod faulty;
#[cfg(all(unix, target_pointer_width = "64", feature = "adapters"))]
pub mod library;
pub mod opaque;
pub mod oracle;
#[cfg(feature = "adapters")]
pub mod process;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::buffer::SecHandle;
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::{Call, Outcome};

/// Why there is no answer of the subject. Never the end of a run: it is charged to the row of the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It does not do what it was told, or what it says is no answer: a set-up it refuses, garbage, a broken pipe.
    #[error("{0}")]
    Errored(String),
    /// Its interface has no such function, or no words for what the call gets wrong. That says nothing about the
    /// subject: the case does not count.
    #[error("{0}")]
    Unable(String),
    /// It died: by which signal, or with which exit code; or it wrote where it must not.
    #[error("crashed: {0}")]
    Crashed(String),
    /// It did not answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It died once, and did not when the same was done again.
    #[error("unstable: {0}")]
    Unstable(String),
}

/// An implementation under test.
///
/// A Rust implementation runs the suite in its own `cargo test` by implementing this and calling
/// [`run()`](crate::conformance::run()).
pub trait Subject {
    /// What it is, for the report.
    fn name(&self) -> String;

    /// What it offers beside answering calls; rows that need more are skipped.
    fn capabilities(&self) -> BTreeSet<Need>;

    /// Starts over: no credentials, no contexts, no challenges, clock at zero, nothing failing, configured so.
    ///
    /// # Errors
    /// Where the subject cannot be started.
    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError>;

    /// Answers one call.
    ///
    /// # Errors
    /// Where no answer could be had; an answer with an error status is an [`Outcome`].
    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError>;

    /// Advances the clock ([`Need::Clock`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn advance(&mut self, _milliseconds: u64) -> Result<(), SubjectError> {
        Err(SubjectError::Errored("this subject has no clock that can be advanced".into()))
    }

    /// Makes entropy or clock fail, or mends them ([`Need::Faults`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn inject(&mut self, _fault: EnvironmentFault) -> Result<(), SubjectError> {
        Err(SubjectError::Errored("this subject takes no injected faults".into()))
    }

    /// Takes the account source down, or brings it back ([`Need::Faults`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn take_accounts_down(&mut self, _down: bool) -> Result<(), SubjectError> {
        Err(SubjectError::Errored("this subject takes no injected faults".into()))
    }

    /// Tells an established initiator's context that all its counts were spent elsewhere ([`Need::Counts`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn spend_counts(&mut self, _context: SecHandle) -> Result<(), SubjectError> {
        Err(SubjectError::Errored("this subject counts by itself".into()))
    }

    /// Tells a context that all sequence numbers of what it sends were spent elsewhere ([`Need::Sequences`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn spend_sequences(&mut self, _context: SecHandle) -> Result<(), SubjectError> {
        Err(SubjectError::Errored("this subject counts by itself".into()))
    }

    /// A live handle of a second provider ([`Need::TwoProviders`]).
    ///
    /// # Errors
    /// Where the subject cannot.
    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        Err(SubjectError::Errored("this subject has one provider only".into()))
    }

    /// Whether one process serves all sequences, so that what one does may be felt by the next.
    fn is_persistent(&self) -> bool {
        false
    }

    /// Gives the next sequence a process that served none before it, where the subject has processes at all.
    fn renew(&mut self) {}
}

impl<S: Subject + ?Sized> Subject for &mut S {
    fn name(&self) -> String {
        (**self).name()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        (**self).capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        (**self).start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        (**self).call(call)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        (**self).advance(milliseconds)
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        (**self).inject(fault)
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        (**self).take_accounts_down(down)
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        (**self).spend_counts(context)
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        (**self).spend_sequences(context)
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        (**self).foreign_handle()
    }

    fn is_persistent(&self) -> bool {
        (**self).is_persistent()
    }

    fn renew(&mut self) {
        (**self).renew();
    }
}
