//! Workers: what a sequence does to its process is not felt by the next, nor by the tester. A harness of its own, so that
//! this program can be the worker.
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use digest_ssp::buffer::SecHandle;
use digest_ssp::conformance::action::Action;
use digest_ssp::conformance::report::{Conclusion, Finding, FindingKind, Strictness};
use digest_ssp::conformance::run::run_sequence;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::library::worker::{self, Channel};
use digest_ssp::conformance::subject::process::{Isolation, Launch, Process};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, SubjectError, run};
use digest_ssp::spec::names::{Need, Profile};
use digest_ssp::spec::setup::{EnvironmentFault, Setup};
use digest_ssp::spec::{Call, Outcome, Specification};
use libtest_mimic::{Arguments, Failed, Trial};

// --- The worker

/// Builtin, until a context is to be deleted.
struct Hostile {
    builtin: Builtin,
    mode: String,
    /// A file that one mode leaves behind.
    mark: PathBuf,
    /// What this process has deleted.
    deletions: usize,
}

impl Hostile {
    fn misbehave(&mut self) -> Result<(), SubjectError> {
        self.deletions += 1;
        match self.mode.as_str() {
            "aborts" => std::process::abort(),
            "exits" => std::process::exit(0),
            "panics" => panic!("on purpose"),
            "hangs" => loop {
                std::thread::park();
            },
            "overwrites" => return Err(SubjectError::Crashed("wrote behind its buffer".into())),
            "aborts at the fifth" if self.deletions >= 5 => std::process::abort(),
            "aborts once" if std::fs::File::create_new(&self.mark).is_ok() => std::process::abort(),
            _harmless => {}
        }
        Ok(())
    }
}

impl Subject for Hostile {
    fn name(&self) -> String {
        self.builtin.name()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.builtin.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.builtin.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        if self.mode == "prints and reads" {
            println!("{{\"done\": {{}}}}");
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            assert!(matches!(read, Ok(0)), "standard input is not the tester's: {line}");
        }
        if matches!(call, Call::DeleteSecurityContext { .. }) {
            self.misbehave()?;
        }
        self.builtin.call(call)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.builtin.advance(milliseconds)
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.builtin.inject(fault)
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.builtin.take_accounts_down(down)
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.builtin.spend_counts(context)
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.builtin.spend_sequences(context)
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        self.builtin.foreign_handle()
    }
}

/// `worker ISOLATION MODE MARK`.
fn work(isolation: &str, mode: &str, mark: &str) -> std::io::Result<()> {
    let isolation = Isolation::ALL.into_iter().find(|known| known.name() == isolation).expect("an isolation");
    let subject: Result<Box<dyn Subject>, String> = match mode {
        "cannot be loaded" => Err("libnothing.so: no such file".to_owned()),
        mode => Ok(Box::new(Hostile {
            builtin: Builtin::default(),
            mode: mode.to_owned(),
            mark: mark.into(),
            deletions: 0,
        })),
    };
    worker::run(Channel::take()?, isolation, subject)
}

// --- The tester

/// Long enough for a busy machine; nothing that is right comes near it.
const PATIENT: Duration = Duration::from_secs(60);

/// What only those wait for who never answer.
const IMPATIENT: Duration = Duration::from_secs(2);

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

fn mark(name: &str) -> PathBuf {
    let mark = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&mark);
    mark
}

fn open(isolation: Isolation, mode: &str, timeout: Duration) -> Result<Process, SubjectError> {
    let program = std::env::current_exe().expect("this program has a path");
    let launch = Launch::new(program).argument("worker").argument(isolation.name()).argument(mode);
    Process::open(launch.argument(mark(&mode.replace(' ', "-"))), isolation, timeout)
}

fn options() -> Options {
    Options {
        profiles: vec![Profile::DigestHttp],
        only: vec!["dsc-*".into(), "fch-freed".into()],
        cases: 3,
        ..Options::default()
    }
}

fn report(isolation: Isolation, mode: &str, timeout: Duration) -> Report {
    let mut process = open(isolation, mode, timeout).expect("it is an adapter");
    run(&specification(), &mut process, &options())
}

/// Without the numbers of cases: handles are counted by process, and make cases distinct.
fn verdicts(report: &Report) -> Vec<(&str, RowVerdict)> {
    report.rows().map(|row| (row.row.as_str(), row.verdict)).collect()
}

fn findings(report: &Report) -> Vec<&Finding> {
    report.rows().flat_map(|row| &row.findings).collect()
}

/// Each row of deletions has the verdict, each finding says so, and the row that deletes nothing passes. What was deleted
/// cannot be deleted again.
fn all(report: &Report, kind: FindingKind, told: &str) {
    assert_ne!(report.conclusion(Strictness::Lenient), Conclusion::Conforms);
    for row in report.rows() {
        let expected = match row.row.as_str() {
            "fch-freed" => RowVerdict::Pass,
            "dsc-deleted-before" => RowVerdict::Skipped,
            _deletion => kind.verdict(),
        };
        assert_eq!(row.verdict, expected, "{}: {row:?}", row.row);
    }
    for finding in findings(report) {
        assert_eq!(finding.difference, told);
    }
}

fn what_is_right_is_judged_as_it_is_here() {
    let here = run(&specification(), &mut Builtin::default(), &options());
    assert!(here.rows().all(|row| row.verdict == RowVerdict::Pass));
    for isolation in Isolation::ALL {
        assert_eq!(verdicts(&report(isolation, "harmless", PATIENT)), verdicts(&here), "{}", isolation.name());
    }
}

fn what_is_printed_is_no_answer_and_what_is_asked_is_not_read() {
    let here = run(&specification(), &mut Builtin::default(), &options());
    for isolation in [Isolation::Fork, Isolation::Persistent] {
        assert_eq!(verdicts(&report(isolation, "prints and reads", PATIENT)), verdicts(&here), "{}", isolation.name());
    }
}

fn a_death_is_told_by_its_kind_and_shown_by_the_shortest_sequence() {
    for isolation in Isolation::ALL {
        let report = report(isolation, "aborts", PATIENT);
        all(&report, FindingKind::Crash, "crashed: signal 6 (SIGABRT)");
        for finding in findings(&report) {
            let mut process = open(isolation, "aborts", PATIENT).expect("it is an adapter");
            let trace = run_sequence(&specification(), &mut process, &finding.reproducer);
            assert_eq!(trace.error.map(|error| error.to_string()), Some(finding.difference.clone()));
        }
        // Where there is no context to delete, the deletion alone is enough.
        let shortest = findings(&report).iter().map(|finding| finding.reproducer.actions.len()).min();
        assert_eq!(shortest, Some(1), "{}", isolation.name());
    }
}

fn whoever_leaves_is_missed() {
    all(&report(Isolation::Fork, "exits", PATIENT), FindingKind::Crash, "crashed: exit code 0");
    all(&report(Isolation::Persistent, "exits", PATIENT), FindingKind::Crash, "crashed: exit code 0");
    all(&report(Isolation::Fork, "panics", PATIENT), FindingKind::Crash, "crashed: exit code 101");
    for isolation in Isolation::ALL {
        all(&report(isolation, "overwrites", PATIENT), FindingKind::Crash, "crashed: wrote behind its buffer");
    }
}

fn whoever_hangs_is_not_waited_for() {
    for isolation in [Isolation::Fork, Isolation::Persistent] {
        all(&report(isolation, "hangs", IMPATIENT), FindingKind::Timeout, "no answer within 2000 ms");
    }
}

/// What one sequence does is felt by the next only where they share a process, and then all of them are the reproducer.
fn what_earlier_sequences_did_is_part_of_the_reproducer() {
    let here = run(&specification(), &mut Builtin::default(), &options());
    for isolation in [Isolation::Fork, Isolation::Fresh] {
        let report = report(isolation, "aborts at the fifth", PATIENT);
        assert_eq!(verdicts(&report), verdicts(&here), "{}", isolation.name());
    }
    let report = report(Isolation::Persistent, "aborts at the fifth", PATIENT);
    let crashed: Vec<_> = findings(&report);
    assert!(!crashed.is_empty() && verdicts(&report) != verdicts(&here));
    for finding in crashed {
        assert_eq!((finding.kind, finding.difference.as_str()), (FindingKind::Crash, "crashed: signal 6 (SIGABRT)"));
        let is_deletion =
            |action: &&Action| matches!(action, Action::Call(call) if call.call.name() == "DeleteSecurityContext");
        assert_eq!(finding.reproducer.actions.iter().filter(is_deletion).count(), 5, "{:?}", finding.reproducer);
        let json = serde_json::to_string(&finding.reproducer).expect("a reproducer is JSON");
        let reproducer = serde_json::from_str(&json).expect("it was just written");
        let mut process = open(Isolation::Persistent, "aborts at the fifth", PATIENT).expect("it is an adapter");
        let trace = run_sequence(&specification(), &mut process, &reproducer);
        assert_eq!(trace.error.map(|error| error.to_string()), Some(finding.difference.clone()));
    }
}

fn what_never_happens_again_is_unstable() {
    for isolation in Isolation::ALL {
        let report = report(isolation, "aborts once", PATIENT);
        let told: Vec<_> = findings(&report).iter().map(|finding| (finding.kind, finding.difference.clone())).collect();
        assert_eq!(told, [(FindingKind::Unstable, "unstable: signal 6 (SIGABRT)".to_owned())], "{}", isolation.name());
        assert_eq!(report.with_verdict(RowVerdict::Unstable).count(), 1);
        assert_ne!(report.conclusion(Strictness::Lenient), Conclusion::Conforms);
    }
}

fn what_cannot_be_loaded_is_told_in_its_words() {
    for isolation in Isolation::ALL {
        let error = open(isolation, "cannot be loaded", PATIENT).expect_err("there is no library");
        assert_eq!(error.to_string(), "libnothing.so: no such file");
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, command, isolation, mode, mark] = &words[..]
        && command == "worker"
    {
        return match work(isolation, mode, mark) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    let trials = vec![
        trial("what_is_right_is_judged_as_it_is_here", what_is_right_is_judged_as_it_is_here),
        trial(
            "what_is_printed_is_no_answer_and_what_is_asked_is_not_read",
            what_is_printed_is_no_answer_and_what_is_asked_is_not_read,
        ),
        trial(
            "a_death_is_told_by_its_kind_and_shown_by_the_shortest_sequence",
            a_death_is_told_by_its_kind_and_shown_by_the_shortest_sequence,
        ),
        trial("whoever_leaves_is_missed", whoever_leaves_is_missed),
        trial("whoever_hangs_is_not_waited_for", whoever_hangs_is_not_waited_for),
        trial(
            "what_earlier_sequences_did_is_part_of_the_reproducer",
            what_earlier_sequences_did_is_part_of_the_reproducer,
        ),
        trial("what_never_happens_again_is_unstable", what_never_happens_again_is_unstable),
        trial("what_cannot_be_loaded_is_told_in_its_words", what_cannot_be_loaded_is_told_in_its_words),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
