//! What the fuzz targets hold against bytes; here so that tests can replay their corpora.
#![forbid(unsafe_code)]

#[cfg(feature = "adapters")]
mod adapter_protocol;
mod descriptors;
mod differential;
mod edited;
mod judged;
mod tables;
mod tokens;

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::plan::Sequence;
use super::report::{Finding, FindingKind};
use super::run::{Trace, run_sequence};
use super::subject::builtin::Builtin;
use super::subject::{Subject, SubjectError};
use super::walk::Step;
use crate::spec::{Specification, Verdict};

#[cfg(feature = "adapters")]
pub use adapter_protocol::adapter_protocol;
pub use descriptors::descriptors;
pub use differential::differential;
pub use edited::{COMPLETIONS, LAYERS, complete_auth_token, layers};
pub use judged::{judged, meaning};
pub use tables::spec_tables;
pub use tokens::{challenge, directives, response};

/// The variable of the environment that names the library which the target `differential` goes to, as `conform --library`
/// takes it.
pub const LIBRARY_VARIABLE: &str = "DIGEST_SSP_FUZZ_LIBRARY";

/// An answer that the tables do not allow.
#[derive(Debug)]
pub struct Counterexample {
    /// The row it offends.
    pub row: String,
    /// What was found, with the sequence that shows it.
    pub finding: Finding,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { state, facts, actual, returned, difference, reproducer, .. } = &self.finding;
        writeln!(formatter, "row {}: {difference}", self.row)?;
        writeln!(formatter, "state {state}, facts {facts}, answered {actual} with {returned}")?;
        let json = serde_json::to_string(reproducer).map_err(|_| fmt::Error)?;
        write!(formatter, "reproducer: {json}")
    }
}

impl core::error::Error for Counterexample {}

fn tables() -> &'static Arc<Specification> {
    static TABLES: OnceLock<Arc<Specification>> = OnceLock::new();
    TABLES.get_or_init(|| Arc::new(Specification::embedded().expect("`spec check` loads the embedded tables")))
}

/// Why a step is not what the tables say, if so. Where several departures meet, the order of checks is free.
fn offence(step: &Step) -> Option<&str> {
    match &step.judgement.verdict {
        Verdict::Pass => None,
        Verdict::Fail(why) => Some(why),
        Verdict::Deviation(why) => {
            let tables = step.judgement.row.as_deref().and_then(|row| tables().find(row));
            let departures = tables.map_or(0, |(tables, _)| tables.departures(&step.judgement.facts).count());
            (departures < 2).then_some(why.as_str())
        }
    }
}

/// What is wrong in a trace by the tables, whatever they prefer.
enum Wrong<'t> {
    /// An answer, and why.
    Answer(&'t Step, &'t str),
    /// There was none.
    NoAnswer(&'t SubjectError),
}

fn wrong(trace: &Trace) -> Option<Wrong<'_>> {
    if let Some(step) = trace.failure()
        && let Verdict::Fail(why) = &step.judgement.verdict
    {
        return Some(Wrong::Answer(step, why));
    }
    match &trace.error {
        // Its interface has no words for it, which says nothing.
        None | Some(SubjectError::Unable(_)) => None,
        Some(error) => Some(Wrong::NoAnswer(error)),
    }
}

fn counterexample(step: &Step, why: &str, reproducer: Sequence) -> Box<Counterexample> {
    let row = step.judgement.row.clone().unwrap_or_default();
    let kind = match step.judgement.verdict {
        Verdict::Fail(_) => FindingKind::Fail,
        Verdict::Pass | Verdict::Deviation(_) => FindingKind::Deviation,
    };
    Box::new(Counterexample { row, finding: Finding::new(tables(), kind, step, why, reproducer) })
}

fn unanswered(error: &SubjectError, reproducer: Sequence) -> Box<Counterexample> {
    Box::new(Counterexample { row: String::new(), finding: Finding::without_answer(error, reproducer) })
}

/// A sequence against the reference implementation.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn operations(sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    thread_local! {
        // A sequence starts it over: making one more for each would be work for nothing.
        static SUBJECT: RefCell<Builtin> = RefCell::default();
    }
    SUBJECT.with_borrow_mut(|subject| judge(subject, sequence))
}

/// A sequence against any subject.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn judge(subject: &mut dyn Subject, sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    let trace = run_sequence(tables(), subject, &sequence);
    if let Some(error) = &trace.error {
        return Err(unanswered(error, sequence));
    }
    match trace.steps.iter().find_map(|step| offence(step).map(|why| (step, why))) {
        Some((step, why)) => Err(counterexample(step, why, sequence)),
        None => Ok(trace),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::judge;
    use crate::conformance::plan::credentials_of_every_kind;
    use crate::conformance::subject::{Subject, SubjectError};
    use crate::spec::call::{Call, Outcome};
    use crate::spec::names::Need;
    use crate::spec::setup::Setup;
    use crate::status::SecurityStatus;

    /// Says yes to everything and does nothing.
    struct Agreeable;

    impl Subject for Agreeable {
        fn name(&self) -> String {
            "agreeable".into()
        }

        fn capabilities(&self) -> BTreeSet<Need> {
            BTreeSet::new()
        }

        fn start(&mut self, _setup: &Setup) -> Result<(), SubjectError> {
            Ok(())
        }

        fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
            Ok(Outcome::untouched(SecurityStatus::SEC_E_OK, call))
        }
    }

    #[test]
    fn a_wrong_answer_is_a_counterexample_that_can_be_replayed() {
        let sequence =
            crate::conformance::plan::Sequence { setup: Setup::default(), actions: credentials_of_every_kind() };
        let found = judge(&mut Agreeable, sequence.clone()).expect_err("credentials without a handle");
        assert!(found.row.starts_with("ach"), "{}", found.row);
        let text = found.to_string();
        let json = text.split_once("reproducer: ").expect("the reproducer is named").1;
        let again: crate::conformance::plan::Sequence = serde_json::from_str(json).expect("it is a sequence");
        assert_eq!(again, sequence);
    }
}
