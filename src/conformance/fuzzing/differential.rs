//! Sequences against a subject of somebody else.
#![forbid(unsafe_code)]

use super::{Counterexample, counterexample, tables, unanswered};
use crate::conformance::plan::Sequence;
use crate::conformance::run::{Trace, adapt, run_sequence};
use crate::conformance::subject::{Subject, SubjectError};
use crate::spec::Verdict;

/// A sequence against a subject that need not offer everything, as far as it does, judged by the shadow. Where the tables say
/// how it may deviate, it may.
///
/// # Errors
/// The first answer that is wrong by the tables; a call that got none, or that wrote where it must not.
pub fn differential(subject: &mut dyn Subject, mut sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    adapt(&mut sequence, &subject.capabilities());
    let trace = run_sequence(tables(), subject, &sequence);
    if let Some(step) = trace.failure()
        && let Verdict::Fail(why) = &step.judgement.verdict
    {
        return Err(counterexample(step, why, sequence));
    }
    match &trace.error {
        // Its interface has no words for it, which says nothing.
        None | Some(SubjectError::Unable(_)) => Ok(trace),
        Some(error) => Err(unanswered(error, sequence)),
    }
}
