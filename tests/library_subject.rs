//! Our own C library under test, with and without the control export: it has the verdicts of builtin.
#![cfg(all(feature = "adapters", unix))]
#![allow(unsafe_code, reason = "sets a variable of the environment")]
#![allow(missing_docs, reason = "a test")]

mod library_support;
mod seeds;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use digest_ssp::buffer::SecHandle;
use digest_ssp::conformance::encoding::decode;
use digest_ssp::conformance::fuzzing;
use digest_ssp::conformance::report::RowReport;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::library::{self, Library};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, run};
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::Need;
use digest_ssp::spec::setup::Setup;
use library_support::ours;
use proptest::test_runner::{TestCaseError, TestRunner};
use seeds::{configuration, like_seeds, seeds};

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

/// All rows where code is optimised, else some of every call.
fn options() -> Options {
    if cfg!(debug_assertions) {
        let only = [
            "asc-answer-*",
            "cat-c*",
            "isc-s*",
            "ach-*",
            "dsc-*",
            "qca-*",
            "msg-*",
            "dm-*",
            "em-*",
            "esp-*",
            "qspi-*",
            "fcb-*",
        ];
        Options { only: only.map(str::to_owned).to_vec(), cases: 2, ..Options::default() }
    } else {
        Options::default()
    }
}

/// The package of the library is one for the whole process, and so are its variables.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    static ACCOUNTS: OnceLock<()> = OnceLock::new();
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    ACCOUNTS.get_or_init(|| {
        let path = library_support::scratch().join("accounts");
        std::fs::write(&path, Setup::unconfigured().htdigest()).expect("the target directory can be written");
        // SAFETY: every test begins here, one at a time, and nobody else reads the environment meanwhile.
        unsafe { std::env::set_var("DIGEST_SSP_ACCOUNTS", path) };
    });
    guard
}

fn load(path: &Path) -> Library {
    Library::load(path, &library::Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

type Rows<'r> = BTreeMap<(&'static str, &'r str), &'r RowReport>;

fn rows(report: &Report) -> Rows<'_> {
    let rows = report.profiles.iter().flat_map(|profile| profile.rows.iter().map(|row| (profile.profile, row)));
    rows.map(|(profile, row)| ((profile.name(), row.row.as_str()), row)).collect()
}

/// The rows whose verdicts are not those of the other report, with what was found.
fn differences(ours: &Rows<'_>, builtin: &Rows<'_>) -> Vec<String> {
    let differing = builtin.iter().filter(|(row, theirs)| ours.get(row).is_none_or(|it| it.verdict != theirs.verdict));
    let text = |(row, theirs): (&(&str, &str), &&RowReport)| {
        let ours = ours.get(row);
        let told = ours.and_then(|ours| ours.findings.first().map(|finding| finding.difference.clone()));
        let note = ours.and_then(|ours| ours.note.clone());
        format!("{row:?}: {:?} and not {:?}: {told:?} {note:?}\n", ours.map(|ours| ours.verdict), theirs.verdict)
    };
    differing.map(text).collect()
}

#[test]
fn with_control_our_library_has_the_verdicts_of_builtin() {
    let _alone = alone();
    let (specification, options) = (specification(), options());
    let builtin = run(&specification, &mut Builtin::default(), &options);
    let ours = run(&specification, &mut load(&ours("capi-control")), &options);
    let differences = differences(&rows(&ours), &rows(&builtin));
    assert!(differences.is_empty(), "{}", differences.concat());
    assert!(ours.subject.starts_with("digest-ssp "), "{}", ours.subject);
}

#[test]
fn without_control_rows_that_need_more_are_skipped_and_no_others_differ() {
    let _alone = alone();
    let (specification, options) = (specification(), options());
    let mut subject = load(&ours("capi"));
    // That it checks pointers nobody says.
    assert_eq!(subject.capabilities(), BTreeSet::from([Need::CMemory]));
    let builtin = run(&specification, &mut Builtin::default(), &options);
    let ours = run(&specification, &mut subject, &options);
    let (mut ours, builtin) = (rows(&ours), rows(&builtin));
    let skipped: BTreeSet<_> =
        ours.iter().filter(|(_, row)| row.verdict == RowVerdict::Skipped).map(|(row, _)| *row).collect();
    for row in &skipped {
        let note = ours[row].note.as_deref().unwrap_or_default();
        let is_known = note.starts_with("the subject does not offer") || note.starts_with("its cases need");
        assert!(is_known, "{row:?}: {note}");
    }
    ours.retain(|row, _| !skipped.contains(row));
    let rest: Rows<'_> =
        builtin.iter().filter(|(row, _)| !skipped.contains(*row)).map(|(row, it)| (*row, *it)).collect();
    let differences = differences(&ours, &rest);
    assert!(differences.is_empty(), "{}", differences.concat());
    eprintln!("{} of {} rows skipped: {skipped:?}", skipped.len(), builtin.len());
}

#[test]
fn a_library_without_control_cannot_be_configured() {
    let _alone = alone();
    let mut subject = load(&ours("capi"));
    assert_eq!(subject.start(&Setup::unconfigured()), Ok(()));
    let error = subject.start(&Setup { maxbuf: 17, ..Setup::unconfigured() }).expect_err("nobody could tell it");
    assert!(error.to_string().contains("DigestSspControl"), "{error}");
    assert!(subject.advance(1).is_err());
}

#[test]
fn the_control_export_is_there_under_its_feature_only() {
    let exports = |path: &Path| {
        let file = std::fs::read(path).expect("it was built just now");
        file.windows(16).any(|bytes| bytes == b"DigestSspControl")
    };
    assert!(exports(&ours("capi-control")));
    assert!(!exports(&ours("capi")));
}

#[test]
fn control_offers_everything_that_a_row_can_need() {
    let _alone = alone();
    let needs: BTreeSet<Need> = Need::ALL.iter().copied().collect();
    let mut library = load(&ours("capi-control"));
    assert_eq!(library.capabilities(), needs);
    // To a package all handles that it does not know are the same: to who wants one of another package they are not.
    let mut foreign = || library.foreign_handle().expect("there is another package");
    let handles = [foreign(), foreign(), SecHandle { lower: 0, upper: 0 }];
    assert_eq!(BTreeSet::from(handles).len(), handles.len());
}

/// A target that goes through C.
type Target = fn(&mut Library, &[u8]) -> Result<(), String>;

/// Each with the target whose seeds it takes.
const IN_C: [(&str, Target); 2] = [
    ("capi", |library, bytes| fuzzing::descriptors(library, bytes)),
    ("operations", |library, bytes| {
        let told = fuzzing::differential(library, decode(bytes));
        told.map(|_| ()).map_err(|found| found.to_string())
    }),
];

#[test]
fn seeds_of_fuzz_targets_are_answered_in_c_as_by_the_crate() {
    let _alone = alone();
    let mut library = load(&ours("capi-control"));
    for (target, holds) in IN_C {
        for (name, seed) in seeds(target) {
            assert_eq!(holds(&mut library, &seed), Ok(()), "{target}: {name}");
        }
    }
}

#[test]
fn bytes_like_the_seeds_are_answered_in_c_as_by_the_crate() {
    let _alone = alone();
    let library = RefCell::new(load(&ours("capi-control")));
    for (target, holds) in IN_C {
        let held = TestRunner::new(configuration())
            .run(&like_seeds(target), |bytes| holds(&mut library.borrow_mut(), &bytes).map_err(TestCaseError::fail));
        held.unwrap_or_else(|found| panic!("{target}: {found}"));
    }
}
