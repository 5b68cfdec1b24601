//! `conform --init-ci`: what it writes holds at once, and stops holding when the subject is mended.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Scratch, ran, refused, run};

const CHOSEN: [&str; 6] = ["--only", "cat-count-*", "--profile", "digest-http", "--cases", "16"];

/// The command of a job, as its shell runs it.
fn run_job(scratch: &Scratch, file: &str) -> Ran {
    let job = fs::read_to_string(scratch.0.join(file)).expect("the job was written");
    let line = job.lines().map(str::trim).find(|line| line.starts_with("digest-ssp conform --expect"));
    let binaries = Path::new(env!("CARGO_BIN_EXE_digest-ssp")).parent().expect("it is in a directory");
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let line = line.expect("the job runs the suite").to_owned() + " --format json";
    ran(Command::new("sh").args(["-c", &line]).current_dir(&scratch.0).env("PATH", path))
}

fn init(scratch: &Scratch, more: &[&str]) -> Ran {
    let into = scratch.path("");
    let fixed = ["conform", "--subject", "replay-completes", "--init-ci", "--into", &into];
    run(&[&fixed[..], &CHOSEN, more].concat())
}

#[test]
fn todays_failures_are_expected_and_tomorrows_are_not() {
    let scratch = Scratch::new("init");
    let made = init(&scratch, &[]);
    assert_eq!(made.code, Some(0), "{}{}", made.out, made.err);
    assert!(made.out.contains("digest-ssp.expect.toml: ") && made.out.contains("conformance.yml: "), "{}", made.out);

    let before = run(&[&["conform", "--subject", "replay-completes", "--format", "json"], &CHOSEN[..]].concat());
    let held = run_job(&scratch, ".github/workflows/digest-ssp-conformance.yml");
    assert_eq!((before.code, held.code), (Some(1), Some(0)), "{}{}", held.out, held.err);
    let rows = |ran: &Ran| -> Vec<(String, String)> {
        let report: Value = serde_json::from_str(&ran.out).expect("it is JSON");
        let rows = report["profiles"][0]["rows"].as_array().expect("there are rows").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        rows.iter().map(|row| (text(&row["row"]), text(&row["verdict"]))).collect()
    };
    let expected: Vec<_> = rows(&before)
        .into_iter()
        .map(|(row, verdict)| (row, if verdict == "fail" { "xfail".to_owned() } else { verdict }))
        .collect();
    assert_eq!(rows(&held), expected);
    assert!(expected.iter().any(|(_, verdict)| verdict == "xfail"));

    let file = scratch.path("digest-ssp.expect.toml");
    let mended = run(&[&["conform", "--expect", &file], &CHOSEN[..]].concat());
    assert_eq!(mended.code, Some(1), "{}", mended.out);
    for (row, _) in expected.iter().filter(|(_, verdict)| verdict == "xfail") {
        assert!(
            mended.out.contains(&format!("stale {row}: fail in digest-http is expected in line ")),
            "{}",
            mended.out
        );
    }
    assert!(mended.out.contains("digest-http conforms: "), "{}", mended.out);
}

#[test]
fn nothing_is_overwritten_unless_it_is_meant_to_be() {
    let scratch = Scratch::new("overwrite");
    scratch.write("digest-ssp.expect.toml", "# mine\n");
    refused(&init(&scratch, &["--provider", "gitlab"]), "digest-ssp.expect.toml");
    assert_eq!(fs::read_to_string(scratch.0.join("digest-ssp.expect.toml")).expect("it is there"), "# mine\n");
    assert!(!scratch.0.join(".gitlab").exists());
    assert_eq!(init(&scratch, &["--provider", "gitlab", "--force"]).code, Some(0));
    assert_eq!(run_job(&scratch, ".gitlab/digest-ssp-conformance.yml").code, Some(0));
    let left: Vec<_> = fs::read_dir(scratch.0.join(".gitlab")).expect("it is there").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn of_a_subject_that_shows_nothing_nothing_is_recorded() {
    let scratch = Scratch::new("nothing");
    let into = scratch.path("");
    let fixed = ["conform", "--subject", "complete-needed-for-ok", "--init-ci", "--into", &into, "--only", "fch-*"];
    refused(&run(&fixed), "nothing is shown");
    assert!(fs::read_dir(&scratch.0).expect("it is there").next().is_none());
}
