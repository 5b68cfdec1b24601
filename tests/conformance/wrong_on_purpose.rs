//! Every subject that is wrong on purpose fails exactly the rows it names: the negative test of the whole suite.

use crate::specification;
use std::collections::BTreeSet;

use digest_ssp::conformance::subject::faulty::{self, Fault, hold};
use digest_ssp::conformance::{Options, RowVerdict, run};

/// Every fortieth fault. All of them take minutes: `digest-ssp faults` of `.ci/long`.
#[test]
fn each_fails_exactly_the_rows_it_names() {
    let some: Vec<&'static Fault> = faulty::all().step_by(40).collect();
    let differences = hold(&specification(), &some, &Fault::options, &|_fault| {});
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
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

/// The comparison itself must be able to fail: a fault held to other rows.
#[test]
fn a_fault_held_to_other_rows_is_told() {
    let specification = specification();
    let fault = faulty::all().find(|fault| fault.name == "second-deletion-refused").expect("it is in the catalogue");
    let options = Options { only: vec!["dsc-*".into()], ..fault.options() };
    let report = run(&specification, &mut *fault.subject(&specification), &options);
    assert_eq!(fault.difference(&report), None);
    let mut other = *fault;
    other.fails = &["dsc-deleted"];
    let difference = other.difference(&report).expect("its rows are not those that fail");
    let of = |row: &str| BTreeSet::from([(RowVerdict::Fail, row.to_owned())]);
    assert_eq!(difference.missing, of("dsc-deleted"));
    assert!(difference.added.is_superset(&of("dsc-deleted-before")), "{difference}");
    assert!(difference.to_string().starts_with("second-deletion-refused: -dsc-deleted (fail) +dsc-"), "{difference}");
}
