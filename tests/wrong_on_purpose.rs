//! Every subject that is wrong on purpose fails exactly the rows it names: the negative test of the whole suite.
#![cfg(feature = "conformance")]
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use digest_ssp::conformance::subject::faulty::{self, Fault};
use digest_ssp::conformance::{Options, Report, RowVerdict, run};
use digest_ssp::spec::Specification;

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec_check.rs shows"))
}

fn rows(report: &Report, verdict: RowVerdict) -> Vec<&str> {
    let rows: BTreeSet<&str> = report.with_verdict(verdict).map(|row| row.row.as_str()).collect();
    rows.into_iter().collect()
}

/// What a run found otherwise than the fault says, in words that can be pasted into the catalogue.
fn difference(fault: &Fault, report: &Report) -> Option<String> {
    let found = (rows(report, RowVerdict::Fail), rows(report, RowVerdict::Skipped), rows(report, RowVerdict::Errored));
    let expected = (fault.fails.to_vec(), fault.skipped.to_vec(), Vec::new());
    (found != expected).then(|| {
        let (fails, skipped, errored) = found;
        format!("{}\n  fails: &{fails:?},\n  skipped: &{skipped:?},\n  errored: {errored:?}\n", fault.name)
    })
}

/// The rows of the fault's own profile: what it does to another is nobody's promise.
fn options(fault: &Fault) -> Options {
    Options { profiles: vec![fault.profile], ..Options::default() }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as CI does")]
fn each_fails_exactly_the_rows_it_names() {
    let specification = specification();
    let faults: Vec<&'static Fault> = faulty::all().collect();
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = run(&specification, &mut *fault.subject(&specification), &options(fault));
                    if let Some(difference) = difference(fault, &report) {
                        differences.lock().unwrap_or_else(PoisonError::into_inner).push(difference);
                    }
                }
            });
        }
    });
    let mut differences = differences.into_inner().unwrap_or_else(PoisonError::into_inner);
    differences.sort();
    assert!(
        differences.is_empty(),
        "{} faults do otherwise than they say:\n{}",
        differences.len(),
        differences.concat()
    );
}

#[test]
fn each_is_caught() {
    let missed: Vec<_> = faulty::all().filter(|fault| fault.fails.is_empty()).map(|fault| fault.name).collect();
    assert!(missed.is_empty(), "faults that the suite is not said to catch: {missed:?}");
}

#[test]
fn names_are_unique_and_rows_exist() {
    let specification = specification();
    let mut names = BTreeSet::new();
    for fault in faulty::all() {
        assert!(names.insert(fault.name), "{} stands twice", fault.name);
        for row in fault.fails.iter().chain(fault.skipped) {
            let tables = specification.find(row).map(|(tables, _)| tables);
            let is_listed = tables.is_some_and(|tables| tables.profiles.contains(&fault.profile));
            assert!(is_listed, "{} names the row {row}, which {} does not have", fault.name, fault.profile);
        }
    }
    assert!(names.len() >= 16, "issue 2 asks for sixteen at least");
}

/// The comparison itself must be able to fail: a fault held to another fault's rows.
#[test]
fn a_fault_held_to_other_rows_is_told() {
    let specification = specification();
    let fault = faulty::all().find(|fault| fault.name == "second-deletion-refused").expect("it is in the catalogue");
    let options = Options { only: vec!["dsc-*".into()], ..options(fault) };
    let report = run(&specification, &mut *fault.subject(&specification), &options);
    let mut other = *fault;
    other.fails = &["dsc-deleted"];
    assert_eq!(difference(fault, &report), None);
    assert!(difference(&other, &report).is_some_and(|text| text.contains("dsc-deleted-before")));
}
