//! Subjects that are wrong on purpose: every decision that a subject can break, broken once.
//!
//! Each names the rows it must fail, and [`hold()`] holds the suite to them: a fault that nothing finds is a hole in the
//! suite. Where a fault has a named ancestor in the wild, its text says so.
#![forbid(unsafe_code)]

mod accept;
mod any;
mod bindings;
mod challenges;
mod complete;
mod families;
mod hold;
mod initiator;
mod layers;
mod others;
mod sasl;
mod tables;
mod wrapped;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use hold::{Difference, hold};

use super::{Subject, SubjectError};
use crate::buffer::SecHandle;
use crate::spec::names::{Need, Profile};
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::{Call, Outcome, Specification};

/// One way to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name: never changes, never reused.
    pub name: &'static str,
    /// What it does wrong.
    pub text: &'static str,
    /// The decision it breaks (a section of the notes), or the implementation it was seen in.
    pub reference: &'static str,
    /// The profile whose rows it is held to.
    pub profile: Profile,
    /// The rows that must have the verdict `fail`, and no others.
    pub fails: &'static [&'static str],
    /// The rows whose state it keeps the suite from: the verdict `skipped`.
    pub skipped: &'static [&'static str],
    make: fn(&Arc<Specification>) -> Box<dyn Subject>,
}

impl Fault {
    /// The subject.
    pub fn subject(&'static self, specification: &Arc<Specification>) -> Box<dyn Subject> {
        Box::new(Faulty { fault: self, inner: (self.make)(specification) })
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    let groups = [
        challenges::FAULTS,
        accept::FAULTS,
        complete::FAULTS,
        initiator::FAULTS,
        others::FAULTS,
        families::FAULTS,
        bindings::FAULTS,
        sasl::FAULTS,
        layers::FAULTS,
        any::FAULTS,
    ];
    groups.into_iter().flatten()
}

/// A subject that goes by the name of its fault.
struct Faulty {
    fault: &'static Fault,
    inner: Box<dyn Subject>,
}

impl Subject for Faulty {
    fn name(&self) -> String {
        format!("wrong on purpose: {}", self.fault.name)
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.inner.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.inner.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        self.inner.call(call)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.inner.advance(milliseconds)
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.inner.inject(fault)
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.inner.take_accounts_down(down)
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.inner.spend_counts(context)
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.inner.spend_sequences(context)
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        self.inner.foreign_handle()
    }
}
