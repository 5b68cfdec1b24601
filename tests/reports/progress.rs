//! Progress is for terminals: a pipe gets none, and standard output never any.
#![forbid(unsafe_code)]

use std::fs;
use std::process::Command;

use crate::support::{Scratch, missing, ran, run};

const CHOSEN: [&str; 5] = ["conform", "--only", "cat-count-used", "--cases", "16"];

#[test]
fn a_pipe_gets_no_progress_and_no_colour() {
    for format in ["human", "json", "junit", "sarif", "html", "markdown"] {
        let ran = run(&[&CHOSEN[..], &["--format", format]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{format}");
        assert!(!ran.out.contains(['\u{1b}', '\r']), "{format}");
    }
}

/// Standard error is a terminal, standard output a file: the bar is in the one and not in the other.
#[test]
fn a_terminal_gets_progress_on_standard_error_only() {
    if Command::new("script").arg("--version").output().is_err() {
        return missing("script (util-linux)");
    }
    let scratch = Scratch::new("terminal");
    let piped = run(&[&CHOSEN[..], &["--format", "json"]].concat());
    let line = format!("{} {} --format json > report.json", env!("CARGO_BIN_EXE_digest-ssp"), CHOSEN.join(" "));
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(&scratch.0).env("TERM", "xterm");
    let seen = ran(&mut command);
    assert_eq!(seen.code, Some(0), "{}", seen.out);
    assert!(seen.out.contains("digest-http cat-count-used"), "there is no bar: {:?}", seen.out);
    let report = fs::read_to_string(scratch.0.join("report.json")).expect("it was written");
    assert_eq!(report, piped.out);
}
