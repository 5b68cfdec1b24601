//! Libraries that nobody should meet: what they do is a finding, and never a pass.
#![cfg(all(feature = "adapters", unix))]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod library_support;

use std::path::Path;
use std::sync::Arc;

use digest_ssp::conformance::report::{Conclusion, FindingKind, Strictness};
use digest_ssp::conformance::subject::library::{self, Library};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, SubjectError, run};
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::{Call, Specification};
use library_support::{hostile, lying};

/// A few rows: of a library that does the same to everybody, more say no more.
fn report(library: &Path) -> Report {
    let specification = Arc::new(Specification::embedded().expect("the tables load, which tests/spec shows"));
    let mut library = Library::load(library, &library::Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let only = ["ach-*", "asc-challenge", "asc-answer-right*", "cat-completed-*"].map(str::to_owned).to_vec();
    run(
        &specification,
        &mut library,
        &Options { only, cases: 4, profiles: vec![Profile::DigestHttp], ..Options::default() },
    )
}

/// What the findings of a kind say, each once.
fn told(report: &Report, kind: FindingKind) -> Vec<String> {
    let findings = report.rows().flat_map(|row| &row.findings).filter(|finding| finding.kind == kind);
    let mut texts: Vec<String> = findings.map(|finding| finding.difference.clone()).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Nothing that a library says about contexts is believed.
fn nothing_is_passed(mode: &str, report: &Report) {
    assert_ne!(report.conclusion(Strictness::Lenient), Conclusion::Conforms, "{mode}");
    let of_contexts = |call| matches!(call, CallName::AcceptSecurityContext | CallName::CompleteAuthToken);
    let passed: Vec<_> = report.with_verdict(RowVerdict::Pass).filter(|row| of_contexts(row.call)).collect();
    assert!(passed.is_empty(), "{mode}: {passed:?}");
}

#[test]
fn what_is_written_where_nothing_may_be_is_a_crash() {
    let wrote = [
        ("before", "wrote 3 bytes before buffer 0 of pOutput"),
        ("array-before", "wrote 1 byte before the SecBuffers of pInput"),
        ("expiry", "wrote 1 byte before ptsExpiry"),
        ("package", "wrote 1 byte in pszPackage, which is only to be read"),
        ("identity", "wrote 1 byte in Password, which is only to be read"),
        ("read-only", "which is only to be read"),
        ("descriptor", "replaced pBuffers in the SecBufferDesc pOutput"),
    ];
    for (mode, what) in wrote {
        let report = report(&hostile(mode, &[]));
        let crashes = told(&report, FindingKind::Crash);
        assert!(crashes.iter().any(|crash| crash.contains(what)), "{mode}: {crashes:?}");
        nothing_is_passed(mode, &report);
    }
}

/// One after the other: what they lie about is one library of this process.
#[test]
fn one_wrong_is_found_and_no_credentials_are_blamed() {
    let honest = report(&lying("none"));
    let findings: Vec<_> = honest.rows().flat_map(|row| &row.findings).collect();
    assert!(findings.is_empty(), "{findings:?}");
    for mode in ["ok", "needs", "continues", "handles", "length", "moved", "late"] {
        let report = report(&lying(mode));
        let crashes = told(&report, FindingKind::Crash);
        if mode == "late" {
            assert!(crashes.iter().all(|crash| crash.contains("wrote 1 byte ")) && !crashes.is_empty(), "{crashes:?}");
        } else {
            assert_eq!(crashes, [""; 0], "{mode}");
            assert!(report.with_verdict(RowVerdict::Fail).next().is_some(), "{mode}");
        }
        let of_credentials = report.rows().filter(|row| row.call == CallName::AcquireCredentialsHandle);
        let wrong: Vec<_> = of_credentials.filter(|row| row.verdict == RowVerdict::Fail).map(|row| &row.row).collect();
        assert!(wrong.is_empty(), "{mode}: {wrong:?}");
    }
}

#[test]
fn a_function_that_is_missing_errs_and_says_so() {
    let report = report(&hostile("no-completion", &[]));
    nothing_is_passed("no-completion", &report);
    let path = hostile("no-completion", &[]);
    let mut library = Library::load(&path, &library::Options::default()).expect("it has a table");
    let answer = library.call(&Call::CompleteAuthToken { context: None, token: None });
    assert_eq!(answer, Err(SubjectError::Unable("the library has no CompleteAuthToken".into())));
}

#[test]
fn what_is_no_library_of_sspi_is_told_in_a_line() {
    let load = |path: &std::path::Path| {
        let error = Library::load(path, &library::Options::default()).expect_err("it is none").to_string();
        assert!(!error.contains('\n') && error.starts_with(&path.display().to_string()), "{error}");
        error
    };
    let missing = library_support::scratch().join("missing.so");
    assert!(load(&missing).contains("No such file"));
    let text = library_support::scratch().join("text.so");
    std::fs::write(&text, "no library").expect("the target directory can be written");
    load(&text);
    assert!(load(&hostile("no-table", &[])).contains("InitSecurityInterfaceW returned NULL"));
    let empty = library_support::compiled("tests/libraries/empty.c", "empty", &[]);
    assert!(load(&empty).contains("it exports neither InitSecurityInterfaceW nor InitSecurityInterfaceA"));
}

#[test]
fn a_control_export_that_does_not_answer_is_told_in_a_line() {
    let refusals = [
        ("refuses", "DigestSspControl: it returned 5"),
        ("answers-nonsense", "DigestSspControl: it wrote no answer"),
        ("answers-too-much", "DigestSspControl: it says that it wrote 65537 bytes where there is room for 65536"),
        ("ok", "is no answer to that"),
    ];
    for (mode, problem) in refusals {
        let path = hostile(mode, &["-DCONTROL"]);
        let error = Library::load(&path, &library::Options::default()).expect_err("it cannot be started").to_string();
        assert!(error.contains(problem), "{mode}: {error}");
    }
}
