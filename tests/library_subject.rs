//! Shared libraries under test: our own C library, with and without the control export.
#![cfg(all(feature = "library", unix))]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod library_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::library::{self, Library};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, run};
use digest_ssp::spec::Specification;

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec_check.rs shows"))
}

/// The verdicts of a run, row by row.
fn verdicts(report: &Report) -> BTreeMap<(String, String), (RowVerdict, usize)> {
    let rows = report.profiles.iter().flat_map(|profile| profile.rows.iter().map(|row| (profile.profile, row)));
    rows.map(|(profile, row)| ((profile.to_string(), row.row.clone()), (row.verdict, row.ran))).collect()
}

fn load(path: &std::path::Path) -> Library {
    Library::load(path, &library::Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn our_library_with_control_has_the_verdicts_of_builtin() {
    let specification = specification();
    let options = Options::default();
    let mut ours = load(&library_support::ours(&["capi-control"]));
    let begun = std::time::Instant::now();
    let through_c = run(&specification, &mut ours, &options);
    eprintln!("through C {:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    let through_rust = run(&specification, &mut Builtin::default(), &options);
    eprintln!("through Rust {:?}", begun.elapsed());
    let (c, rust) = (verdicts(&through_c), verdicts(&through_rust));
    for (row, verdict) in &rust {
        if c.get(row) != Some(verdict) {
            eprintln!("{row:?}: {verdict:?} {:?}", c.get(row));
        }
    }
    for row in through_c.profiles.iter().flat_map(|profile| &profile.rows) {
        for finding in row.findings.iter().take(1) {
            eprintln!("{} {finding:?}", row.row);
        }
    }
    assert_eq!(c, rust);
}
