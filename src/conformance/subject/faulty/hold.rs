//! Whether the suite finds what is wrong on purpose: in each subject exactly the rows that its fault names.
#![forbid(unsafe_code)]

use core::fmt;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Fault;
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
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fault) = faults.get(number) else { break };
                    let report = run(specification, &mut *fault.subject(specification), &options(fault));
                    if let Some(difference) = fault.difference(&report) {
                        differences.lock().unwrap_or_else(PoisonError::into_inner).push((number, difference));
                    }
                    observer(fault);
                }
            });
        }
    });
    let mut differences = differences.into_inner().unwrap_or_else(PoisonError::into_inner);
    differences.sort_by_key(|(number, _)| *number);
    differences.into_iter().map(|(_, difference)| difference).collect()
}
