//! What a run found: verdicts by row, findings with their reproducers.
#![forbid(unsafe_code)]

pub(super) mod details;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;

use serde::{Deserialize, Serialize};

use super::expect::{Expected, Stale};
use super::plan::Sequence;
use super::subject::SubjectError;
use super::walk::Step;
use crate::spec::Specification;
use crate::spec::call::Descriptor;
use crate::spec::names::{CallName, Profile};

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
    /// In some case the subject died, or wrote where it must not.
    Crash,
    /// In some case the subject did not answer in time.
    Timeout,
    /// In some case the subject died, and did not when the same was done again.
    Unstable,
    /// It did not run: the subject lacks what it needs, or another row kept it from its state.
    Skipped,
    /// It should have run and did not, or the subject gave no answer.
    Errored,
    /// It is wrong as an expectations file says that it is.
    Xfail,
}

impl RowVerdict {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Pass,
        Self::Deviation,
        Self::Fail,
        Self::Crash,
        Self::Timeout,
        Self::Unstable,
        Self::Skipped,
        Self::Errored,
        Self::Xfail,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Deviation => "deviation",
            Self::Fail => "fail",
            Self::Crash => "crash",
            Self::Timeout => "timeout",
            Self::Unstable => "unstable",
            Self::Skipped => "skipped",
            Self::Errored => "errored",
            Self::Xfail => "xfail",
        }
    }

    /// Whether something is wrong with a row of this verdict, whoever asks; a deviation depends on who does.
    pub const fn is_wrong(self) -> bool {
        match self {
            Self::Fail | Self::Crash | Self::Timeout | Self::Unstable | Self::Errored => true,
            Self::Pass | Self::Deviation | Self::Skipped | Self::Xfail => false,
        }
    }
}

/// What sort of thing was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// The answer is wrong.
    Fail,
    /// The answer is not the row's, yet not wrong.
    Deviation,
    /// Instead of an answer, the subject died, or wrote where it must not.
    Crash,
    /// There was no answer in time.
    Timeout,
    /// The subject died, and did not when the same was done again.
    Unstable,
    /// There was no answer.
    Errored,
}

impl FindingKind {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Fail, Self::Deviation, Self::Crash, Self::Timeout, Self::Unstable, Self::Errored];

    /// The verdict of a row that this is the gravest finding of.
    pub const fn verdict(self) -> RowVerdict {
        match self {
            Self::Fail => RowVerdict::Fail,
            Self::Deviation => RowVerdict::Deviation,
            Self::Crash => RowVerdict::Crash,
            Self::Timeout => RowVerdict::Timeout,
            Self::Unstable => RowVerdict::Unstable,
            Self::Errored => RowVerdict::Errored,
        }
    }
}

impl From<&SubjectError> for FindingKind {
    fn from(error: &SubjectError) -> Self {
        match error {
            SubjectError::Errored(_) | SubjectError::Unable(_) => Self::Errored,
            SubjectError::Crashed(_) => Self::Crash,
            SubjectError::TimedOut(_) => Self::Timeout,
            SubjectError::Unstable(_) => Self::Unstable,
        }
    }
}

/// One thing found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What sort.
    pub kind: FindingKind,
    /// The situation that the call was in, by its name in the tables; empty where there was no answer.
    pub situation: String,
    /// The state of the context before the call.
    pub state: String,
    /// The facts of the call.
    pub facts: String,
    /// The status that came back.
    pub actual: String,
    /// What came back beside the status: the handle and the buffers, never their contents.
    pub returned: String,
    /// What differs from the row, or why the deviation is allowed.
    pub difference: String,
    /// The shortest sequence known that shows it.
    pub reproducer: Sequence,
}

impl Finding {
    pub(super) fn new(
        specification: &Specification,
        kind: FindingKind,
        step: &Step,
        difference: &str,
        reproducer: Sequence,
    ) -> Self {
        let tables = step.judgement.row.as_deref().and_then(|row| specification.find(row)).map(|(tables, _)| tables);
        let situation = tables.and_then(|tables| tables.situations.get(tables.situation(&step.judgement.facts)?));
        Self {
            kind,
            situation: situation.map_or_else(String::new, |situation| situation.id.clone()),
            state: step.state.to_owned(),
            facts: step.judgement.facts.to_string(),
            actual: step.outcome.status.to_string(),
            returned: returned(step),
            difference: difference.to_owned(),
            reproducer,
        }
    }

    pub(super) fn without_answer(error: &SubjectError, reproducer: Sequence) -> Self {
        Self {
            kind: FindingKind::from(error),
            situation: String::new(),
            state: String::new(),
            facts: String::new(),
            actual: "no answer".to_owned(),
            returned: "nothing".to_owned(),
            difference: error.to_string(),
            reproducer,
        }
    }
}

/// The handle and buffers that came back, by their kind and length: contents are different in every run.
fn returned(step: &Step) -> String {
    let handle = match (step.outcome.handle, step.call.context()) {
        (None, _) => "no handle",
        (Some(after), Some(before)) if after == before => "the same handle",
        (Some(_), _) => "a handle",
    };
    let lengths = |descriptor: Option<&Descriptor>| -> Vec<usize> {
        let buffers = descriptor.and_then(|descriptor| descriptor.buffers.as_deref()).unwrap_or_default();
        buffers.iter().map(|buffer| buffer.bytes().len()).collect()
    };
    let (before, after) = (step.call.output(), step.outcome.output.as_ref());
    if before == after {
        return format!("{handle}, buffers untouched");
    }
    let changed: Vec<String> = lengths(before)
        .into_iter()
        .zip(lengths(after))
        .enumerate()
        .filter(|(_, (before, after))| before != after)
        .map(|(position, (_, after))| format!("buffer {position} of {after} bytes"))
        .collect();
    let changed = if changed.is_empty() { "buffers overwritten in place".to_owned() } else { changed.join(", ") };
    format!("{handle}, {changed}")
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
    /// What an expectations file says of it; the verdict is then `xfail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What became of the rows of one profile.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileReport {
    /// The profile.
    pub profile: Profile,
    /// Why the smoke exchange failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoke: Option<String>,
    /// The rows.
    pub rows: Vec<RowReport>,
}

impl ProfileReport {
    /// The rows with that verdict.
    pub fn with_verdict(&self, verdict: RowVerdict) -> impl Iterator<Item = &RowReport> {
        self.rows.iter().filter(move |row| row.verdict == verdict)
    }

    /// How the run of the profile is to be taken; `strict` counts deviations as findings.
    pub fn conclusion(&self, strict: Strictness) -> Conclusion {
        let mut completions = self.rows.iter().filter(|row| row.call == CallName::CompleteAuthToken).peekable();
        let ran = |row: &RowReport| row.ran > 0;
        let nothing_ran = if completions.peek().is_some() { !completions.any(ran) } else { !self.rows.iter().any(ran) };
        if self.smoke.is_some() || nothing_ran {
            return Conclusion::NothingShown;
        }
        let counts = |row: &RowReport| {
            row.verdict.is_wrong() || (row.verdict == RowVerdict::Deviation && strict == Strictness::Strict)
        };
        if self.rows.iter().any(counts) { Conclusion::Findings } else { Conclusion::Conforms }
    }
}

/// What became of a run: of the rows of each profile, apart.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of the tables.
    pub spec_version: String,
    /// What was under test.
    pub subject: String,
    /// The seed.
    pub seed: u64,
    /// The profiles of which rows were chosen.
    pub profiles: Vec<ProfileReport>,
    /// The entries of the expectations file that are true of no row any more.
    pub stale: Vec<Stale>,
}

impl Report {
    /// The rows of all profiles; a row of a table that profiles share is there once for each.
    pub fn rows(&self) -> impl Iterator<Item = &RowReport> {
        self.profiles.iter().flat_map(|profile| &profile.rows)
    }

    /// The rows with that verdict, of all profiles.
    pub fn with_verdict(&self, verdict: RowVerdict) -> impl Iterator<Item = &RowReport> {
        self.rows().filter(move |row| row.verdict == verdict)
    }

    /// How the run as a whole is to be taken: as its gravest profile, a stale expectation being a finding too.
    pub fn conclusion(&self, strict: Strictness) -> Conclusion {
        let gravest = self.profiles.iter().map(|profile| profile.conclusion(strict)).max();
        let gravest = gravest.unwrap_or(Conclusion::NothingShown);
        if self.stale.is_empty() { gravest } else { gravest.max(Conclusion::Findings) }
    }
}

/// Whether deviations are findings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strictness {
    /// They are not.
    #[default]
    Lenient,
    /// They are.
    Strict,
}

/// What a run shows about its subject, the gravest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// No row that ran found anything, and no expectation is stale.
    Conforms,
    /// Something was found, or an expectation is stale.
    Findings,
    /// Nothing can be said: the smoke exchange failed, or no row of CompleteAuthToken ran although some were chosen.
    NothingShown,
}
