//! Every subject that is wrong on purpose, behind the functions of a shared library: it fails exactly the rows it names.
#![cfg(all(feature = "adapters", unix))]
#![allow(unsafe_code, reason = "sets a variable of the environment")]
#![allow(missing_docs, reason = "a test")]

mod library_support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use digest_ssp::conformance::parallel::on_all_processors;
use digest_ssp::conformance::subject::faulty::{self, Fault};
use digest_ssp::conformance::subject::library::{self, Library};
use digest_ssp::conformance::{Options, Report, run};
use digest_ssp::spec::Specification;

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

/// The library with a fault. It has one of its own for every thread, chosen as it is loaded.
fn load(path: &Path, fault: &Fault) -> Library {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: nobody reads the environment meanwhile other than through std.
    unsafe { std::env::set_var("DIGEST_SSP_FAULT", fault.name) };
    Library::load(path, &library::Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// What a run found otherwise than the fault says.
fn difference(fault: &Fault, report: &Report) -> Option<String> {
    let difference = fault.difference(report).map(|difference| difference.to_string());
    let name = (report.subject != format!("wrong on purpose: {}", fault.name)).then_some(&report.subject);
    let notes: BTreeSet<&str> = report.rows().filter_map(|row| row.note.as_deref()).collect();
    (difference.is_some() || name.is_some()).then(|| format!("{}: {difference:?}; {name:?}, {notes:?}\n", fault.name))
}

/// Runs every fault in a thread of its own, as many at a time as there are processors, and returns what was found otherwise.
fn differences(faults: &[&'static Fault], options: impl Fn(&Fault) -> Options + Sync) -> Vec<(&'static Fault, String)> {
    let (specification, path) = (specification(), library_support::faulty());
    let test = |fault| difference(fault, &run(&specification, &mut load(&path, fault), &options(fault)));
    let alone = |fault: &'static Fault| {
        std::thread::scope(|scope| scope.spawn(|| test(fault)).join().expect("a run does not panic"))
    };
    let of_faults =
        on_all_processors(faults.len(), |numbers| numbers.map(|number| (number, alone(faults[number]))).collect());
    faults.iter().copied().zip(of_faults).filter_map(|(fault, told)| Some((fault, told?))).collect()
}

fn told(differences: &[(&Fault, String)]) -> String {
    differences.iter().map(|(_, told)| told.as_str()).collect()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn each_fails_exactly_the_rows_it_names() {
    let mut open: Vec<&'static Fault> = faulty::all().collect();
    // Most are decided by few cases; whatever is otherwise then is asked with more.
    let mut found = Vec::new();
    for cases in [16, 48] {
        found = differences(&open, |fault| Options { cases, ..fault.options() });
        open = found.iter().map(|(fault, _)| *fault).collect();
    }
    assert!(found.is_empty(), "{}", told(&found));
}

/// What is quick without optimisation: the rows of a few faults, of all kinds of calls, and a row that each must pass.
#[test]
fn some_fail_their_rows() {
    let names = [
        "continue-establishes",
        "refusal-ignored",
        "second-deletion-refused",
        "token-alone-finished",
        "token-overwritten",
        "package-not-enumerated",
        "another-package-described",
        "memory-given-twice",
        "memory-freed-twice",
        "any-frees-anything",
    ];
    let faults: Vec<&'static Fault> = faulty::all().filter(|fault| names.contains(&fault.name)).collect();
    assert_eq!(faults.len(), names.len());
    let differences = differences(&faults, |fault| {
        let only = fault.fails.iter().copied().chain(["fch-freed"]).map(str::to_owned).collect();
        Options { only, ..fault.options() }
    });
    assert!(differences.is_empty(), "{}", told(&differences));
}

/// The comparison itself must be able to fail: a fault held to other rows.
#[test]
fn a_fault_held_to_other_rows_is_told() {
    let fault = faulty::all().find(|fault| fault.name == "second-deletion-refused").expect("it is in the catalogue");
    let options = Options { only: vec!["dsc-deleted-before".into()], ..fault.options() };
    let report = run(&specification(), &mut load(&library_support::faulty(), fault), &options);
    assert_eq!(difference(fault, &report), None);
    let mut other = *fault;
    other.fails = &[];
    assert!(difference(&other, &report).is_some_and(|text| text.contains("dsc-deleted-before")));
}
