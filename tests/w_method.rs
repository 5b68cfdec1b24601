//! The W-method of other makers on the same machines: AALpy's kills the faults that our suites kill, and no other.
#![cfg(feature = "cli")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// How many faulty machines are drawn of each machine.
const FAULTS: u64 = 300;

fn scratch(name: &str) -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("w_method");
    fs::create_dir_all(&scratch).expect("the target directory can be written");
    scratch.join(name)
}

fn program(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_digest-ssp")).args(arguments).output().expect("cargo built it");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The machine of an alphabet and a suite for it, as files.
fn made(alphabet: &str) -> [PathBuf; 2] {
    let [machine, suite] = ["machine", "suite"].map(|what| scratch(&format!("{alphabet}.{what}.json")));
    let learned = program(&["learn", "--alphabet", alphabet, "--format", "json"]);
    fs::write(&machine, learned).expect("the target directory can be written");
    let file = suite.to_str().expect("a path in UTF-8");
    program(&["suite", "--alphabet", alphabet, "--method", "w", "--extra-states", "0", "--output", file]);
    [machine, suite]
}

/// What both kill; `None` where there is no AALpy, which on CI is a failure.
fn killed([machine, suite]: &[PathBuf; 2]) -> Option<Value> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let has_aalpy = Command::new(&python).args(["-c", "import aalpy"]).output();
    if !has_aalpy.is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "AALpy is missing: .ci/peers installs it");
        eprintln!("skipped: AALpy is missing");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/w_method/kills.py");
    let mut kills = Command::new(python);
    let output = kills.arg(script).args([machine, suite]).args([FAULTS.to_string(), "1".into()]).output();
    let output = output.expect("it was found before");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("it prints JSON"))
}

/// What is learned of the reference implementation is the reference machine (tests/learning.rs), but under `any-package`,
/// where packages may differ.
#[test]
fn both_kill_the_same_faults() {
    for alphabet in ["digest-acceptor", "digest-session", "digest-initiator"] {
        let Some(told) = killed(&made(alphabet)) else { return };
        for none in ["only_ours", "only_theirs", "survived"] {
            assert_eq!(told[none], Value::Array(Vec::new()), "{alphabet}: {told}");
        }
        let [ours, theirs, equivalent] = ["ours", "theirs", "equivalent"].map(|name| told[name].as_u64());
        assert_eq!(ours, theirs, "{alphabet}: {told}");
        assert_eq!(ours.zip(equivalent).map(|(killed, equivalent)| killed + equivalent), Some(FAULTS), "{alphabet}");
    }
}

/// The comparison must be able to fail: a suite that lacks most of its sequences.
#[test]
fn what_a_poor_suite_leaves_is_told() {
    let [machine, suite] = made("digest-acceptor");
    let mut poor: Value = serde_json::from_slice(&fs::read(&suite).expect("it was written")).expect("it is JSON");
    poor["sequences"].as_array_mut().expect("a suite has sequences").truncate(20);
    let file = scratch("poor.json");
    fs::write(&file, poor.to_string()).expect("the target directory can be written");
    let Some(told) = killed(&[machine, file]) else { return };
    assert_eq!(told["only_ours"], Value::Array(Vec::new()), "{told}");
    assert!(told["only_theirs"].as_array().is_some_and(|faults| faults.len() > 50), "{told}");
}
