//! What a run found: verdicts by row, findings with their reproducers.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::plan::Sequence;
use super::subject::SubjectError;
use super::walk::Step;
use crate::spec::names::CallName;

/// The verdict on one row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RowVerdict {
    /// Every case answered as the row says.
    Pass,
    /// Some case answered otherwise without being wrong.
    Deviation,
    /// Some case is wrong.
    Fail,
    /// It did not run: the subject lacks what it needs, or another row kept it from its state.
    Skipped,
    /// It should have run and did not, or the subject gave no answer.
    Errored,
}

/// One thing found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The state of the context before the call.
    pub state: String,
    /// The facts of the call.
    pub facts: String,
    /// The status that came back.
    pub actual: String,
    /// What differs from the row, or why the deviation is allowed.
    pub difference: String,
    /// The shortest sequence known that shows it.
    pub reproducer: Sequence,
}

impl Finding {
    pub(super) fn new(step: &Step, difference: &str, reproducer: Sequence) -> Self {
        Self {
            state: step.state.to_owned(),
            facts: step.judgement.facts.to_string(),
            actual: step.outcome.status.to_string(),
            difference: difference.to_owned(),
            reproducer,
        }
    }

    pub(super) fn without_answer(error: &SubjectError, reproducer: Sequence) -> Self {
        Self {
            state: String::new(),
            facts: String::new(),
            actual: "no answer".to_owned(),
            difference: error.to_string(),
            reproducer,
        }
    }
}

/// What became of one row.
#[derive(Clone, Debug, Serialize)]
pub struct RowReport {
    /// The row.
    pub row: String,
    /// The call.
    pub call: CallName,
    /// The verdict.
    pub verdict: RowVerdict,
    /// How many distinct concretisations ran.
    pub ran: usize,
    /// Why it was skipped or errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What became of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of the tables.
    pub spec_version: String,
    /// What was under test.
    pub subject: String,
    /// The seed.
    pub seed: u64,
    /// Why the smoke exchange failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoke: Option<String>,
    /// The rows.
    pub rows: Vec<RowReport>,
}

impl Report {
    /// The rows with that verdict.
    pub fn with_verdict(&self, verdict: RowVerdict) -> impl Iterator<Item = &RowReport> {
        self.rows.iter().filter(move |row| row.verdict == verdict)
    }
}
