//! Sequences against a subject of somebody else.
#![forbid(unsafe_code)]

use super::{Counterexample, Wrong, counterexample, tables, unanswered, wrong};
use crate::conformance::plan::Sequence;
use crate::conformance::run::{Trace, adapt, run_sequence};
use crate::conformance::subject::Subject;

/// A sequence against a subject that need not offer everything, as far as it does, judged by the shadow. Where the tables say
/// how it may deviate, it may.
///
/// # Errors
/// The first answer that is wrong by the tables; a call that got none, or that wrote where it must not.
pub fn differential(subject: &mut dyn Subject, mut sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    adapt(&mut sequence, &subject.capabilities());
    let trace = run_sequence(tables(), subject, &sequence);
    match wrong(&trace) {
        Some(Wrong::Answer(step, why)) => Err(counterexample(step, why, sequence)),
        Some(Wrong::NoAnswer(error)) => Err(unanswered(error, sequence)),
        None => Ok(trace),
    }
}
