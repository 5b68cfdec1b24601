//! The adapters of tests/adapters on our own C library: they find what the loader finds, and survive hostile lines.
#![cfg(all(feature = "cli", unix))]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod library_support;
mod program_support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use digest_ssp::spec::setup::Setup;
use library_support::{ours, run, scratch};
use program_support::python;
use serde_json::Value;

/// Handles made and ended, tokens both ways, messages completed in place, memory given away.
const ROWS: [&str; 9] = [
    "asc-challenge*",
    "asc-answer*",
    "isc-answered*",
    "cat-completed*",
    "cat-count*",
    "dsc-*",
    "esp-*",
    "qspi-*",
    "fcb-*",
];

/// The accounts of the suite, where the library finds them.
fn accounts() -> PathBuf {
    let path = scratch().join(format!("accounts-of-adapters-{}", std::process::id()));
    std::fs::write(&path, Setup::unconfigured().htdigest()).expect("the target directory can be written");
    path
}

/// Each row with its verdict, as `conform` reports it of that subject.
fn verdicts(subject: [&str; 2], accounts: &Path) -> Vec<(String, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_digest-ssp"));
    command.args(["conform", "--format", "json", "--cases", "4"]).args(ROWS.iter().flat_map(|row| ["--only", row]));
    let output = command.args(subject).env("DIGEST_SSP_ACCOUNTS", accounts).output().expect("cargo built it");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let profiles = report["profiles"].as_array().expect("a report has profiles").iter();
    let rows = profiles.flat_map(|profile| profile["rows"].as_array().expect("a profile has rows"));
    let text = |value: &Value| value.as_str().expect("names are strings").to_owned();
    rows.map(|row| (text(&row["row"]), text(&row["verdict"]))).collect()
}

/// The adapter in C over our C library, compiled once: another test may be running it.
fn in_c(library: &Path) -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let compile = || {
        let program = scratch().join(format!("sspi-adapter-{}", std::process::id()));
        run(Command::new("gcc")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-I", "include", "-o"])
            .arg(&program)
            .args(["tests/adapters/c/sspi_adapter.c", "tests/adapters/c/json.c"])
            .arg(library));
        program
    };
    PROGRAM.get_or_init(compile).clone()
}

#[test]
fn adapters_find_what_the_loader_finds() {
    let library = ours("capi");
    let accounts = accounts();
    let by_loader = verdicts(["--library", library.to_str().expect("a path in UTF-8")], &accounts);
    let passed = by_loader.iter().filter(|(_, verdict)| verdict == "pass").count();
    assert!(passed > 15, "{passed} rows passed: {by_loader:?}");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/adapters/sspi_adapter.py");
    for command in
        [format!("{} {script} {}", python().display(), library.display()), in_c(&library).display().to_string()]
    {
        assert_eq!(verdicts(["--command", &command], &accounts), by_loader, "{command}");
    }
}

/// What an adapter answers to these lines.
fn conversation(program: &mut Command, lines: &[&[u8]]) -> Vec<Value> {
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the adapter and what it needs are there");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(&lines.join(&b"\n"[..])).and_then(|()| input.write_all(b"\n")).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends with its input");
    assert!(output.status.success(), "{:?}", output.status);
    let text = String::from_utf8(output.stdout).expect("answers are UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn lines_that_are_no_requests_are_answered_with_an_error() {
    let deep = [&[b'['; 4096][..], &[b']'; 4096][..]].concat();
    let cut_escape = br#"{"call":{"x":"\u12"}}"#;
    let lines: [&[u8]; 12] = [
        b"",
        b"nonsense",
        b"{",
        b"{}",
        b"[1,2]",
        b"\"\\",
        b"{\"start\":{\"protocol\":2,\"setup\":{}}}",
        b"{\"call\":null}",
        b"{\"call\":{\"CompleteAuthToken\":{\"context\":[\"x\"],\"token\":null}}}",
        b"{\"advance\":{\"milliseconds\":1}}",
        cut_escape,
        &deep,
    ];
    let library = ours("capi");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/adapters/sspi_adapter.py");
    let adapter = in_c(&library);
    let mut checked = Command::new("valgrind");
    checked.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]).arg(&adapter);
    let mut in_python = Command::new(python());
    in_python.arg(script).arg(&library);
    for program in [&mut checked, &mut in_python] {
        let answers = conversation(program, &lines);
        assert_eq!(answers.len(), lines.len(), "{program:?}");
        for (line, answer) in lines.iter().zip(answers) {
            let kinds: Vec<_> = answer.as_object().expect("an answer is an object").keys().cloned().collect();
            assert!(kinds == ["error"] || kinds == ["unable"], "{}: {answer}", line.escape_ascii());
        }
    }
}
