//! A report made by hand, in which every verdict occurs; and the binary.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use boon::{Compiler, Schemas};
use digest_ssp::conformance::action::{Action, CallAction};
use digest_ssp::conformance::expect::{Expectation, Expected, Stale};
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::{Finding, FindingKind, ProfileReport, Report, RowReport, RowVerdict};
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::{Setup, Specification};
use serde_json::Value;

/// What a hostile subject could put wherever its words are told: markup of every form, a terminal's escape, a new line.
pub(crate) const HOSTILE: &str =
    "<script>alert('x')</script><img src=x onerror=alert(1)>\" & ]]> |`*_[a](javascript:b) \u{1b}[31m\n# \u{202e}";

pub(crate) fn specification() -> &'static Specification {
    static TABLES: OnceLock<Specification> = OnceLock::new();
    TABLES.get_or_init(|| Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

pub(crate) fn finding(kind: FindingKind, text: &str) -> Finding {
    let actions = vec![Action::Call(CallAction::new(CallName::CompleteAuthToken, 7).on(0)), Action::Expire];
    Finding {
        kind,
        situation: "count-used".into(),
        state: "complete-needed-subsequent".into(),
        facts: "handle=live count=used".into(),
        actual: text.to_owned(),
        returned: "no handle, buffers untouched".into(),
        difference: format!("status {text}"),
        reproducer: Sequence { setup: Setup::default(), actions },
    }
}

pub(crate) fn row(id: &str, verdict: RowVerdict, findings: Vec<Finding>) -> RowReport {
    let call = specification().row(id).map_or(CallName::CompleteAuthToken, |row| row.call);
    RowReport { row: id.to_owned(), call, verdict, ran: 16, note: None, expected: None, findings }
}

pub(crate) fn report(profiles: Vec<(Profile, Vec<RowReport>)>) -> Report {
    let profiles = profiles.into_iter().map(|(profile, rows)| ProfileReport { profile, smoke: None, rows }).collect();
    Report { spec_version: "0.1.0".into(), subject: "by hand".into(), seed: 7, profiles, stale: Vec::new() }
}

/// What a row of this verdict looks like, its subject saying `text`.
fn with_verdict(id: &str, verdict: RowVerdict, text: &str) -> RowReport {
    let known = Expected {
        verdict: RowVerdict::Fail,
        reason: text.to_owned(),
        link: Some("https://bugs.example/17?a=<b>".into()),
    };
    match verdict {
        RowVerdict::Pass => row(id, verdict, Vec::new()),
        RowVerdict::Deviation => row(id, verdict, vec![finding(FindingKind::Deviation, text)]),
        RowVerdict::Fail => {
            let fails = finding(FindingKind::Fail, text);
            row(id, verdict, vec![fails.clone(), fails, finding(FindingKind::Deviation, text)])
        }
        RowVerdict::Crash => row(id, verdict, vec![finding(FindingKind::Crash, text)]),
        RowVerdict::Timeout => row(id, verdict, vec![finding(FindingKind::Timeout, text)]),
        RowVerdict::Unstable => row(id, verdict, vec![finding(FindingKind::Unstable, text)]),
        RowVerdict::Skipped => RowReport { ran: 0, note: Some(text.to_owned()), ..row(id, verdict, Vec::new()) },
        RowVerdict::Errored => RowReport { ran: 0, note: Some(text.to_owned()), ..row(id, verdict, Vec::new()) },
        RowVerdict::Xfail => {
            RowReport { expected: Some(known), ..row(id, verdict, vec![finding(FindingKind::Fail, text)]) }
        }
    }
}

/// All rows of both profiles; the first of CompleteAuthToken have one of each verdict, whatever came back saying `text`.
pub(crate) fn everything(text: &str) -> Report {
    let of = |profile: Profile| {
        let rows = specification().of(profile).flat_map(|tables| &tables.rows);
        let mut verdicts = RowVerdict::ALL.iter().copied();
        let rows = rows.map(|known| {
            let next = if known.call == CallName::CompleteAuthToken { verdicts.next() } else { None };
            with_verdict(&known.id, next.unwrap_or(RowVerdict::Pass), text)
        });
        (profile, rows.collect())
    };
    let mut report = report(Profile::ALL.iter().copied().map(of).collect());
    report.subject = text.to_owned();
    report.profiles[1].smoke = Some(text.to_owned());
    report.stale = vec![Stale {
        entry: Expectation {
            row: "cat-count-*".into(),
            profile: Some(Profile::DigestHttp),
            verdict: RowVerdict::Crash,
            reason: text.to_owned(),
            link: Some("https://bugs.example/18".into()),
            line: 12,
        },
        why: "cat-count-used is pass in digest-http".into(),
    }];
    report
}

/// What a schema says of a value; nothing where it fits.
pub(crate) fn complaint(schema: Value, value: &Value) -> Option<String> {
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:schema", schema).expect("it is JSON");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:schema", &mut schemas).expect("it is a schema");
    schemas.validate(value, index).err().map(|error| format!("{error:#}"))
}

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = |octets| String::from_utf8(octets).expect("what is printed is text");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_digest-ssp")).args(arguments))
}

#[track_caller]
pub(crate) fn refused(ran: &Ran, named: &str) {
    assert_eq!((ran.code, ran.err.lines().count(), ran.out.as_str()), (Some(2), 1, ""), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(named), "{named:?} is not in {}", ran.err);
}

/// A directory of its own, gone at the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the scratch directory can be made");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("the path is text").to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).expect("it can be written");
        self.path(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that a test needs is not there: the test is skipped on a desk, and fails where CI=true.
pub(crate) fn missing(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true, and there is no {what}");
    println!("skipped: there is no {what}");
}
