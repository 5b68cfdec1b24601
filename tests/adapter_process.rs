//! Programs behind a pipe as subjects: the right one is judged as if it were here, and none, whatever it does, stops a
//! run or passes.
#![cfg(all(unix, feature = "cli"))]
#![allow(missing_docs, reason = "a test")]

mod program_support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use digest_ssp::conformance::parallel::on_all_processors;
use digest_ssp::conformance::report::{Conclusion, FindingKind, RowReport, Strictness};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty::{self, Fault};
use digest_ssp::conformance::subject::process::{Isolation, Launch, Process};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, SubjectError, run};
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::Profile;
use program_support::python;

const PROGRAM: &str = env!("CARGO_BIN_EXE_digest-ssp");

/// Long enough for a busy machine; nothing that is right comes near it.
const PATIENT: Duration = Duration::from_secs(60);

/// What only those wait for who never answer.
const IMPATIENT: Duration = Duration::from_secs(2);

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

fn adapter(subject: &str) -> Launch {
    Launch::new(PROGRAM).argument("adapter").argument("--subject").argument(subject)
}

/// A row, its verdict, and how many cases of it ran.
type Judged<'r> = (Profile, &'r str, RowVerdict, usize);

fn verdicts(report: &Report) -> Vec<Judged<'_>> {
    let rows = report.profiles.iter().flat_map(|of| of.rows.iter().map(|row| (of.profile, row)));
    rows.map(|(profile, row)| (profile, row.row.as_str(), row.verdict, row.ran)).collect()
}

fn same_behind_a_pipe(options: &Options, isolation: Isolation) {
    let specification = specification();
    let here = run(&specification, &mut Builtin::default(), options);
    let mut process = Process::open(adapter("builtin"), isolation, PATIENT).expect("it is an adapter");
    let there = run(&specification, &mut process, options);
    assert_eq!(there.subject, Builtin::default().name());
    // Handles are counted by process, and make cases distinct.
    let ran = |(profile, row, verdict, ran)| {
        (profile, row, verdict, if isolation == Isolation::Persistent { ran } else { 0 })
    };
    let rows = |report| verdicts(report).into_iter().map(ran).collect::<Vec<_>>();
    assert_eq!(rows(&there), rows(&here), "{}", isolation.name());
}

#[test]
fn behind_a_pipe_builtin_is_judged_as_it_is_here() {
    let options = Options { cases: 1, only: vec!["cat-co*".into(), "dsc-*".into()], ..Options::default() };
    same_behind_a_pipe(&options, Isolation::Persistent);
    let options = Options { only: vec!["dsc-*".into()], ..options };
    same_behind_a_pipe(&options, Isolation::Fresh);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn behind_a_pipe_builtin_is_judged_row_by_row_as_it_is_here() {
    same_behind_a_pipe(&Options { cases: 4, ..Options::default() }, Isolation::Persistent);
}

/// The conversation of spec/ADAPTERS.md, in which long memory is cut.
#[test]
fn the_example_for_people_is_what_happens() {
    let page = include_str!("../spec/ADAPTERS.md");
    let (_, example) = page.split_once("```text\n").expect("there is an example");
    let (example, _) = example.split_once("```").expect("it ends");
    let said = |who: &str| example.lines().filter_map(|line| line.strip_prefix(who)).collect::<Vec<_>>();
    let (asked, answered) = (said("> "), said("< "));
    let memory = "a5".repeat(240) + "\"";
    let input: String = asked.iter().map(|line| line.replace("…\"", &memory) + "\n").collect();
    let mut program = Command::new(PROGRAM);
    let mut program =
        program.arg("adapter").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    program.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("all of it is read");
    let output = program.wait_with_output().expect("it ends with its input").stdout;
    let output = text(&output);
    assert!(answered.len() >= 5 && output.lines().count() == answered.len(), "{output}");
    for (line, shown) in output.lines().zip(answered) {
        let (begin, end) = shown.split_once('…').unwrap_or((shown, ""));
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}\n{shown}");
    }
}

// --- What is wrong on purpose

/// The rows that a fault names, with cases enough to reach them.
fn own_rows(fault: &Fault) -> Options {
    Options { cases: 16, ..fault.own_rows() }
}

/// All rows.
fn all_rows(fault: &Fault, cases: usize) -> Options {
    Options { cases, ..fault.options() }
}

/// That each fails exactly the rows it names is shown by `digest-ssp faults`; that nothing of it is lost or added
/// behind a pipe, here.
#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn behind_a_pipe_each_fault_fails_the_rows_it_names_as_it_does_here() {
    let specification = specification();
    let faults: Vec<&'static Fault> = faulty::all().collect();
    let difference = |fault: &'static Fault| {
        let here = |options| run(&specification, &mut *fault.subject(&specification), options);
        let fails = |row: &RowReport| row.verdict == RowVerdict::Fail;
        let caught = |report: &Report| report.rows().any(|row| fault.fails.contains(&row.row.as_str()) && fails(row));
        // Some are caught by cases of other rows only.
        let tried = [own_rows(fault), all_rows(fault, 4), all_rows(fault, 16), all_rows(fault, 48)];
        let options = tried.iter().find(|options| caught(&here(options))).unwrap_or(&tried[0]);
        let here = here(options);
        let there = Process::open(adapter(fault.name), Isolation::Persistent, PATIENT)
            .map(|mut process| run(&specification, &mut process, options));
        let is_same = there.as_ref().is_ok_and(|there| verdicts(there) == verdicts(&here));
        let conclusion = || there.map(|there| there.conclusion(Strictness::Lenient));
        (!is_same || !caught(&here)).then(|| format!("{}: {:?}\n", fault.name, conclusion()))
    };
    let differences: String =
        on_all_processors(faults.len(), |numbers| numbers.map(|number| (number, difference(faults[number]))).collect())
            .into_iter()
            .flatten()
            .collect();
    assert!(differences.is_empty(), "{differences}");
}

// --- What no adapter should do

struct Hostile {
    mode: &'static str,
    pids: PathBuf,
}

impl Hostile {
    fn new(mode: &'static str) -> Self {
        let name = format!("hostile-{}-{}", mode.replace(' ', "-"), std::process::id());
        let pids = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_file(&pids);
        Self { mode, pids }
    }

    fn launch(&self) -> Launch {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/adapter_support/hostile.py");
        Launch::new(python()).argument(script).argument(PROGRAM).argument(self.mode).argument(&self.pids)
    }

    fn open(&self, timeout: Duration) -> Result<Process, SubjectError> {
        Process::open(self.launch(), Isolation::Persistent, timeout)
    }

    fn processes(&self) -> Vec<i32> {
        let pids = std::fs::read_to_string(&self.pids).expect("it was started");
        pids.lines().map(|pid| pid.parse().expect("a number")).collect()
    }
}

/// Whether a process does anything any more. Whose parent died is a zombie until somebody asks how it ended; and who was
/// killed does nothing from then on, though on a busy machine it takes its time to be gone.
fn runs(pid: i32) -> bool {
    /// proc(5): the process is ending.
    const PF_EXITING: u32 = 4;
    const SIGKILL: u64 = 1 << 8;
    let of_process = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let (stat, status) = (of_process("stat"), of_process("status"));
    let Some((_, fields)) = stat.rsplit_once(") ") else { return false };
    let mut fields = fields.split(' ');
    let is_dead = fields.next().is_none_or(|state| state.starts_with(['Z', 'X']));
    // The flags are the sixth field behind the state.
    let is_ending =
        fields.nth(5).and_then(|flags| flags.parse::<u32>().ok()).is_none_or(|flags| flags & PF_EXITING != 0);
    let mut pending = status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    let is_killed = pending.any(|set| u64::from_str_radix(set.trim(), 16).is_ok_and(|set| set & SIGKILL != 0));
    !(is_dead || is_ending || is_killed)
}

/// The test of the others: a process that nobody ended is seen to run, one that ended or was stopped and killed is not.
#[test]
#[cfg(target_os = "linux")]
fn who_runs_is_told_from_who_was_killed() {
    let mut child = Command::new("sleep").arg("600").spawn().expect("there is a sleep");
    let pid = i32::try_from(child.id()).expect("a number of a process");
    assert!(runs(pid));
    assert!(runs(i32::try_from(std::process::id()).expect("a number of a process")));
    child.kill().expect("it is ours");
    assert!(!runs(pid), "it was killed, whether it is gone or not");
    child.wait().expect("it is ours");
    assert!(!runs(pid));
}

/// The rows of deletions, each with what was found.
#[track_caller]
fn found(hostile: &Hostile, timeout: Duration, kind: FindingKind, told: &str) {
    let specification = specification();
    let mut process = hostile.open(timeout).expect("nothing is wrong until a context is deleted");
    let options = Options {
        profiles: vec![Profile::DigestHttp],
        only: vec!["dsc-deleted".into(), "dsc-deleted-before".into(), "fch-freed".into()],
        cases: 2,
        ..Options::default()
    };
    let report = run(&specification, &mut process, &options);
    drop(process);
    let mode = hostile.mode;
    assert_eq!(report.conclusion(Strictness::Lenient), Conclusion::Findings, "{mode}");
    for row in report.rows() {
        if row.row == "fch-freed" {
            assert_eq!(row.verdict, RowVerdict::Pass, "{mode}: the run went on");
            continue;
        }
        if row.row == "dsc-deleted-before" {
            assert_eq!(row.verdict, RowVerdict::Skipped, "{mode}: what was not deleted cannot be deleted again");
            continue;
        }
        assert_eq!(row.verdict, kind.verdict(), "{mode}: {}: {row:?}", row.row);
        let differences: Vec<_> = row.findings.iter().map(|finding| finding.difference.as_str()).collect();
        assert!(differences.iter().all(|difference| difference.contains(told)), "{mode}: {differences:?}");
    }
    let left: Vec<_> = hostile.processes().into_iter().filter(|pid| cfg!(target_os = "linux") && runs(*pid)).collect();
    assert!(left.is_empty(), "{mode}: {left:?} are still running");
}

#[test]
fn an_adapter_that_hangs_is_a_timeout_and_is_ended() {
    found(&Hostile::new("hangs"), IMPATIENT, FindingKind::Timeout, "no answer within 2000 ms");
}

#[test]
fn an_adapter_that_dies_is_a_crash_told_by_its_end() {
    found(&Hostile::new("dies"), PATIENT, FindingKind::Crash, "exit code 3 within the line \"{\\\"outcome");
    found(&Hostile::new("segfaults"), PATIENT, FindingKind::Crash, "signal 11 (SIGSEGV)");
    found(&Hostile::new("was caught"), PATIENT, FindingKind::Crash, "wrote behind its buffer");
}

#[test]
fn an_adapter_that_talks_nonsense_is_an_error_that_quotes_it() {
    found(&Hostile::new("closes"), PATIENT, FindingKind::Errored, "closed its output and went on running");
    found(&Hostile::new("babbles"), PATIENT, FindingKind::Errored, "a line of its output is no answer");
    found(&Hostile::new("babbles"), PATIENT, FindingKind::Errored, "\"Segmentation fault (core dumped)\"");
    found(&Hostile::new("answers something else"), PATIENT, FindingKind::Errored, "it answered `done` to `call`");
    found(&Hostile::new("answers a gigabyte"), PATIENT, FindingKind::Errored, "more than 16777216 bytes");
    found(&Hostile::new("cannot"), PATIENT, FindingKind::Errored, "contexts are not deleted here");
}

#[test]
fn an_adapter_that_lies_is_told_from_an_implementation_that_is_wrong() {
    found(
        &Hostile::new("invents a handle"),
        PATIENT,
        FindingKind::Errored,
        "the adapter is wrong: the outcome of Delete",
    );
}

/// The second answer is not taken for one to the next question.
#[test]
fn an_adapter_that_answers_twice_is_an_error() {
    let specification = specification();
    let hostile = Hostile::new("answers twice");
    let mut process = hostile.open(PATIENT).expect("nothing is wrong until a context is deleted");
    let options =
        Options { profiles: vec![Profile::DigestHttp], only: vec!["dsc-*".into()], cases: 2, ..Options::default() };
    let report = run(&specification, &mut process, &options);
    assert_ne!(report.conclusion(Strictness::Lenient), Conclusion::Conforms);
    let findings: Vec<_> = report.rows().flat_map(|row| &row.findings).collect();
    assert!(!findings.is_empty());
    for finding in findings {
        assert!(finding.difference.contains("it wrote when nothing was asked"), "{finding:?}");
    }
}

#[test]
fn what_is_no_adapter_is_told_before_anything_is_tested() {
    let refused = |hostile: Hostile| hostile.open(PATIENT).expect_err("it is no adapter").to_string();
    assert_eq!(refused(Hostile::new("speaks another version")), "it speaks version 2 of the protocol, not 1");
    let usage = refused(Hostile::new("has no answer"));
    assert!(
        usage.starts_with("a line of its output is no answer") && usage.ends_with("\"Usage: hostile.py\""),
        "{usage}"
    );
    assert!(refused(Hostile::new("loses descriptors")).contains("the outcome has none"));
    assert!(refused(Hostile::new("cuts memory")).contains("a buffer of 16 bytes"));
    assert_eq!(refused(Hostile::new("refuses calls")), "not written yet");
    let missing = Process::open(Launch::new("/nonexistent/adapter"), Isolation::Persistent, PATIENT);
    assert!(missing.expect_err("there is none").to_string().starts_with("/nonexistent/adapter cannot be started: "));
    let silent = Process::open(Launch::new("true"), Isolation::Persistent, PATIENT);
    assert_eq!(silent.expect_err("it says nothing").to_string(), "crashed: exit code 0");
}

// --- The command line

fn conform(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("conform").args(arguments).output().expect("the binary starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("what is printed is text")
}

#[test]
fn conform_tests_a_program() {
    let command = format!("'{PROGRAM}' adapter --subject builtin");
    let run = conform(&["--command", &command, "--only", "dsc-*", "--cases", "2", "--wrap", "env LC_ALL=C"]);
    assert_eq!(run.status.code(), Some(0), "{}{}", text(&run.stdout), text(&run.stderr));
    assert!(text(&run.stdout).contains(&Builtin::default().name()));
    let command = format!("'{PROGRAM}' adapter --subject second-deletion-refused");
    let run = conform(&["--command", &command, "--only", "dsc-*", "--profile", "digest-http"]);
    assert_eq!(run.status.code(), Some(1), "{}{}", text(&run.stdout), text(&run.stderr));
    assert!(text(&run.stdout).contains("dsc-deleted-before"));
}

#[test]
fn conform_refuses_in_one_line_what_is_no_adapter() {
    for (arguments, told) in [
        (&["--command", "true"][..], "the adapter is wrong: crashed: exit code 0"),
        (&["--command", "/nonexistent/adapter"], "cannot be started"),
        (&["--command", "'open"], "a quotation has no end"),
        (&["--command", ""], "no program is named"),
        (&["--command", "true", "--wrap", ""], "--wrap"),
        (&["--command", "true", "--timeout", "0"], "--timeout"),
        (&["--command", "true", "--isolation", "vat"], "persistent"),
        (&["--timeout", "5"], "--command"),
        (&["--command", "true", "--subject", "builtin"], "--subject"),
    ] {
        let run = conform(arguments);
        let error = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.lines().count() == 1 && error.contains(told), "{arguments:?}: {error}");
    }
}
