//! Whether the suite finds what is wrong on purpose: in each subject exactly the rows that its fault names.
#![forbid(unsafe_code)]

use core::fmt;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Fault;
use crate::conformance::parallel::on_all_processors;
use crate::conformance::{Options, Report, RowVerdict, run};
use crate::spec::Specification;

/// What a run found otherwise than the fault says: rows with their verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The fault.
    pub fault: &'static str,
    /// Rows that it names for a verdict and that have another.
    pub missing: BTreeSet<(RowVerdict, String)>,
    /// Rows that have a verdict that it does not name them for, and that is neither `pass` nor `deviation`.
    pub added: BTreeSet<(RowVerdict, String)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.fault)?;
        for (verdict, row) in &self.missing {
            write!(f, " -{row} ({})", verdict.name())?;
        }
        for (verdict, row) in &self.added {
            write!(f, " +{row} ({})", verdict.name())?;
        }
        Ok(())
    }
}

impl Fault {
    /// The rows of its own profile: what it does to another is nobody's promise.
    #[must_use]
    pub fn options(&self) -> Options {
        Options { profiles: vec![self.profile], ..Options::default() }
    }

    /// Of those only the rows that it names.
    #[must_use]
    pub fn own_rows(&self) -> Options {
        let only = self.fails.iter().chain(self.skipped).map(|row| (*row).to_owned()).collect();
        Options { only, ..self.options() }
    }

    /// What the report of its subject says otherwise than it does, of the rows that were run.
    #[must_use]
    pub fn difference(&self, report: &Report) -> Option<Difference> {
        let named = |row: &str| {
            let is_in = |rows: &[&str]| rows.contains(&row);
            match (is_in(self.fails), is_in(self.skipped)) {
                (true, _) => RowVerdict::Fail,
                (false, true) => RowVerdict::Skipped,
                (false, false) => RowVerdict::Pass,
            }
        };
        let (mut missing, mut added) = (BTreeSet::new(), BTreeSet::new());
        for row in report.rows() {
            let expected = named(&row.row);
            let actual = if row.verdict == RowVerdict::Deviation { RowVerdict::Pass } else { row.verdict };
            if actual != expected {
                let of = |verdict| (verdict != RowVerdict::Pass).then(|| (verdict, row.row.clone()));
                missing.extend(of(expected));
                added.extend(of(actual));
            }
        }
        let is_as_said = missing.is_empty() && added.is_empty();
        (!is_as_said).then_some(Difference { fault: self.name, missing, added })
    }
}

/// Runs the subject of each fault, as many at a time as there are processors, with what `options` gives it. The observer is
/// told of each that is done. What was found otherwise is in the order of the faults.
pub fn hold(
    specification: &Arc<Specification>,
    faults: &[&'static Fault],
    options: &(dyn Fn(&Fault) -> Options + Sync),
    observer: &(dyn Fn(&Fault) + Sync),
) -> Vec<Difference> {
    let difference = |fault: &'static Fault| {
        let report = run(specification, &mut *fault.subject(specification), &options(fault));
        observer(fault);
        fault.difference(&report)
    };
    let of_faults =
        on_all_processors(faults.len(), |numbers| numbers.map(|number| (number, difference(faults[number]))).collect());
    of_faults.into_iter().flatten().collect()
}
