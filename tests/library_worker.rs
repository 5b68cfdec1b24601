//! `conform --library`: whatever a library does to its process, the run goes on and tells of it.
#![cfg(all(feature = "cli", unix))]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod library_support;

use std::path::Path;
use std::process::Command;

use library_support::{hostile, ours};
use serde_json::Value;

/// The report on a library and the exit code.
fn conform(library: &Path, arguments: &[&str]) -> (Value, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_digest-ssp"))
        .args(["conform", "--format", "json", "--library"])
        .arg(library)
        .args(arguments)
        .output()
        .expect("cargo built it");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    (report, output.status.code())
}

/// The verdict of each row, and what its first finding says.
fn rows(report: &Value) -> Vec<(&str, &str)> {
    let profiles = report["profiles"].as_array().expect("a report has profiles").iter();
    let rows = profiles.flat_map(|profile| profile["rows"].as_array().expect("a profile has rows"));
    rows.map(|row| {
        let told = row["findings"][0]["difference"].as_str().unwrap_or_default();
        (row["verdict"].as_str().expect("a row has a verdict"), told)
    })
    .collect()
}

const FEW: [&str; 6] = ["--profile", "digest-http", "--cases", "2", "--only", "asc-challenge"];

#[test]
fn a_library_that_dies_is_told_of_by_how_it_died() {
    let deaths = [
        ("null", "signal 11 (SIGSEGV)"),
        ("abort", "signal 6 (SIGABRT)"),
        ("stack", "SIGSEGV"),
        ("exit-0", "exit code 0"),
        ("exit-at-once", "exit code 7"),
        // One byte more than there is lies in a page that nobody may touch.
        ("behind", "signal 11 (SIGSEGV)"),
        ("before", "wrote 3 bytes before buffer 0 of pOutput"),
    ];
    for (mode, how) in deaths {
        for isolation in ["fork", "fresh", "persistent"] {
            let (report, code) = conform(&hostile(mode, &[]), &[&FEW[..], &["--isolation", isolation]].concat());
            let rows = rows(&report);
            let is_told = matches!(rows[..], [("crash", told)] if told.contains(how));
            assert!(is_told, "{mode} under {isolation}: {rows:?}");
            assert_eq!(code, Some(2), "{mode} under {isolation}: the smoke exchange failed");
        }
    }
}

#[test]
fn a_library_that_hangs_is_not_waited_for() {
    for mode in ["hang", "spin"] {
        let (report, code) = conform(&hostile(mode, &[]), &[&FEW[..], &["--timeout", "2"]].concat());
        assert_eq!(rows(&report).iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>(), ["timeout"], "{mode}");
        assert_eq!(code, Some(2), "{mode}");
    }
}

#[test]
fn what_a_library_prints_is_no_answer() {
    let (report, _) = conform(&hostile("print", &[]), &FEW);
    assert_eq!(rows(&report).iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>(), ["fail"]);
}

#[test]
fn what_cannot_be_tested_is_told_in_a_line() {
    let run = |library: &Path| {
        let program = env!("CARGO_BIN_EXE_digest-ssp");
        let output =
            Command::new(program).args(["conform", "--library"]).arg(library).output().expect("cargo built it");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(output.stdout, b"");
        String::from_utf8(output.stderr).expect("it writes UTF-8")
    };
    for (library, problem) in [
        (library_support::scratch().join("missing.so"), "No such file"),
        (hostile("no-table", &[]), "InitSecurityInterfaceW returned NULL"),
        (hostile("exit-when-loaded", &[]), "exit code 0"),
    ] {
        let told = run(&library);
        assert!(told.contains(problem) && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn our_library_conforms_in_a_worker() {
    let only = ["--only", "dsc-*", "--only", "cat-count-used", "--cases", "2"];
    for feature in ["capi-control", "capi"] {
        let (report, code) = conform(&ours(feature), &only);
        assert!(rows(&report).iter().all(|(verdict, _)| *verdict == "pass"), "{feature}: {report}");
        assert_eq!(code, Some(0), "{feature}");
    }
}

/// Whoever asks for it has the library under a heap checker.
#[test]
fn valgrind_finds_nothing_in_our_library_and_its_loader() {
    let valgrind = "valgrind --quiet --error-exitcode=99";
    let only = ["--only", "dsc-deleted-before", "--cases", "1", "--timeout", "300", "--wrap", valgrind];
    let (report, code) = conform(&ours("capi-control"), &[&only[..], &["--isolation", "persistent"]].concat());
    assert!(rows(&report).iter().all(|(verdict, _)| *verdict == "pass"), "{report}");
    assert_eq!(code, Some(0));
}
