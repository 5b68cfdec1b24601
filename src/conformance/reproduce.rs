//! Reproducers out of a file: whether what was found once is found again.
#![forbid(unsafe_code)]

use std::sync::Arc;

use serde::Deserialize;

use super::plan::Sequence;
use super::report::FindingKind;
use super::report::json::REPORT_VERSION;
use super::run::{Trace, run_sequence};
use super::subject::Subject;
use crate::spec::names::Profile;
use crate::spec::{Specification, Verdict};

/// The tester writes tokens that are too long by one; nobody's limit needs to be greater than this.
const LONGEST_TOKEN: usize = 1 << 20;

/// A finding of a report, as far as it takes to look for it again.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The profile it was found in.
    pub profile: Profile,
    /// The row.
    pub row: String,
    /// What sort.
    pub kind: FindingKind,
    /// What shows it.
    pub sequence: Sequence,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Reproducers {
    /// The findings of a JSON report, in its order.
    Report(Vec<Recorded>),
    /// One sequence, as reports print them.
    Sequence(Box<Sequence>),
}

/// What came of a reproducer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reproduction {
    /// What was found then is found again.
    Reproduced,
    /// It is not, but something else is wrong.
    Otherwise,
    /// Nothing is found.
    Gone,
}

#[derive(Deserialize)]
struct Head {
    report_version: Option<u32>,
}

#[derive(Deserialize)]
struct ReportText {
    profiles: Vec<ProfileText>,
}

#[derive(Deserialize)]
struct ProfileText {
    profile: Profile,
    rows: Vec<RowText>,
}

#[derive(Deserialize)]
struct RowText {
    row: String,
    #[serde(default)]
    findings: Vec<FindingText>,
}

#[derive(Deserialize)]
struct FindingText {
    kind: FindingKind,
    reproducer: Sequence,
}

impl Reproducers {
    /// The reproducers of a text in JSON.
    ///
    /// # Errors
    /// Where it is neither a report of this version nor a sequence, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let no_reproducer = |error: serde_json::Error| format!("it is no reproducer: {error}");
        let Head { report_version } = serde_json::from_str(text).map_err(no_reproducer)?;
        let Some(version) = report_version else {
            let sequence: Sequence = serde_json::from_str(text).map_err(no_reproducer)?;
            return Self::bounded(&sequence).map(|()| Self::Sequence(Box::new(sequence)));
        };
        if version != REPORT_VERSION {
            return Err(format!("it is a report of version {version}; only version {REPORT_VERSION} is read"));
        }
        let report: ReportText = serde_json::from_str(text).map_err(|error| format!("it is no report: {error}"))?;
        let mut findings = Vec::new();
        for ProfileText { profile, rows } in report.profiles {
            for RowText { row, findings: of_row } in rows {
                for FindingText { kind, reproducer } in of_row {
                    Self::bounded(&reproducer)?;
                    findings.push(Recorded { profile, row: row.clone(), kind, sequence: reproducer });
                }
            }
        }
        Ok(Self::Report(findings))
    }

    fn bounded(sequence: &Sequence) -> Result<(), String> {
        if sequence.setup.limits.token_bytes > LONGEST_TOKEN {
            return Err(format!("setup.limits.token_bytes is above {LONGEST_TOKEN}"));
        }
        Ok(())
    }
}

impl Recorded {
    /// Runs the reproducer, and tells whether it shows what it did.
    pub fn again(&self, specification: &Arc<Specification>, subject: &mut dyn Subject) -> (Trace, Reproduction) {
        let trace = run_sequence(specification, subject, &self.sequence);
        let reproduction = match () {
            () if self.is_shown_by(&trace) => Reproduction::Reproduced,
            () if is_wrong(&trace) => Reproduction::Otherwise,
            () => Reproduction::Gone,
        };
        (trace, reproduction)
    }

    fn is_shown_by(&self, trace: &Trace) -> bool {
        let of_row = |row: Option<&str>| row == Some(self.row.as_str());
        match self.kind {
            FindingKind::Fail => trace.failure().is_some_and(|step| of_row(step.judgement.row.as_deref())),
            FindingKind::Deviation => trace
                .steps
                .iter()
                .any(|step| deviates(&step.judgement.verdict) && of_row(step.judgement.row.as_deref())),
            FindingKind::Crash | FindingKind::Timeout | FindingKind::Unstable | FindingKind::Errored => {
                trace.error.as_ref().is_some_and(|error| FindingKind::from(error) == self.kind)
            }
        }
    }
}

/// Whether a call failed, or had no answer.
pub fn is_wrong(trace: &Trace) -> bool {
    trace.failure().is_some() || trace.error.is_some()
}

/// Whether a verdict is that the answer is allowed, and not the row's.
pub fn deviates(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Deviation(_))
}
