//! The binary as its users see it: what it prints, where, and how it exits.
#![cfg(feature = "cli")]

mod program_support;

use std::fs;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use boon::{Compiler, Schemas};
use digest_ssp::conformance::action::{Action, CallAction, Edit, Goal, Wishes};
use digest_ssp::conformance::expect::{Expectation, Expected, Stale};
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::{
    Finding, FindingKind, ProfileReport, Report, RowReport, RowVerdict, Strictness, json,
};
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::setup::{EnvironmentFault, OfferedAlgorithm, Policy, Setup};
use digest_ssp::spec::vocabulary::{Names, Role, State};
use program_support::available;
use serde_json::Value;

/// RFC 2617 section 3.5.
const PUBLISHED: &str = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
    nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, \
    cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn ran(output: Output) -> Ran {
    let text = |octets| String::from_utf8(octets).expect("what is printed is text");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_digest-ssp"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Ran {
    ran(command(arguments).output().expect("the binary starts"))
}

fn run_with_input(arguments: &[&str], input: &str) -> Ran {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // The child may refuse its arguments before it reads anything.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    ran(child.wait_with_output().expect("the binary ends"))
}

#[track_caller]
fn refused(ran: &Ran, named: &str) {
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains(named), "{named:?} is not in {}", ran.err);
    assert_eq!(ran.out, "");
}

/// A directory of its own, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the scratch directory can be made");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("the path is text").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn validates(text: &str) -> Result<Value, String> {
    let schema: Value =
        serde_json::from_str(include_str!("../spec/schemas/conform.schema.json")).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:conform", schema).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:conform", &mut schemas).expect("the schema is one");
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match schemas.validate(&value, index) {
        Ok(()) => Ok(value),
        Err(error) => Err(format!("{error:#}")),
    }
}

// --- conform

#[test]
fn conform_finds_nothing_in_the_tables_themselves() {
    let ran = run(&["conform", "--subject", "tables", "--only", "cat-count-*", "--only", "dsc-*", "--cases", "16"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.contains("CompleteAuthToken "), "{}", ran.out);
    assert!(ran.out.contains("conforms: "), "{}", ran.out);
    assert!(!ran.out.contains("MakeSignature"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "there is colour in a pipe");
    assert_eq!(ran.err, "", "there is progress in a pipe");
}

#[test]
fn conform_tells_what_is_wrong_with_a_subject_and_its_reproducer_shows_it_again() {
    let wrong = ["conform", "--subject", "replay-completes", "--cases", "16"];
    let ran = run(&[&wrong[..], &["--only", "cat-count-used"]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    for part in [
        "fail cat-count-used: CompleteAuthToken in complete-needed-",
        "  requirement  count-used: ",
        "  source       ",
        "  expected     SEC_E_OUT_OF_SEQUENCE, next rejected",
        "  actual       SEC_E_OK, ",
        "  difference   status SEC_E_OK\n",
        "  reproducer    1. AcquireCredentialsHandle",
        "does not conform: ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    let json =
        ran.out.lines().map(str::trim).find(|line| line.starts_with("{\"setup\":")).expect("there is a reproducer");
    let again = run_with_input(&["reproduce", "--subject", "replay-completes", "-"], json);
    assert_eq!(again.code, Some(1), "{}", again.out);
    let end = "SEC_E_OK, fail cat-count-used: status SEC_E_OK\nreproduced\n\n1 of 1 reproduced\n";
    assert!(again.out.ends_with(end), "{}", again.out);
    let builtin = run_with_input(&["reproduce", "-"], json);
    assert_eq!(builtin.code, Some(0), "{}", builtin.out);

    let for_programs = run(&[&wrong[..], &["--only", "cat-count-used", "--format", "json"]].concat());
    let report = validates(&for_programs.out).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report["profiles"][0]["rows"][0]["findings"][0]["kind"], "fail");
}

#[test]
fn a_subject_that_fails_the_smoke_exchange_shows_nothing() {
    let ran = run(&["conform", "--subject", "complete-needed-for-ok", "--only", "fch-*", "--cases", "16"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.out.contains("the smoke exchange failed: AcceptSecurityContext answered SEC_I_COMPLETE_NEEDED"));
    assert!(ran.out.contains("nothing is shown"), "{}", ran.out);
    let subjects = run(&["conform", "--list-subjects"]);
    assert!(subjects.out.starts_with("builtin\n") && subjects.out.contains("\nno-function\n"), "{}", subjects.out);
}

#[test]
fn conform_passes_on_the_implementation_of_this_crate() {
    let ran = run(&["conform", "--only", "cat-*", "--cases", "16"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let arguments = ["conform", "--list", "--only", "cat-count-used"];
    let forced = ran(command(&arguments).env("CLICOLOR_FORCE", "1").output().expect("the binary starts"));
    assert!(forced.out.contains("\u{1b}[1mcat-count-used"), "{}", forced.out);
    let forbidden = ran(command(&arguments).env("NO_COLOR", "1").output().expect("the binary starts"));
    assert!(forbidden.out.starts_with("cat-count-used  CompleteAuthToken"), "{}", forbidden.out);
}

#[test]
fn the_list_says_call_state_situation_level_and_provenance() {
    let ran = run(&["conform", "--list", "--only", "cat-count-used"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.out,
        "cat-count-used  CompleteAuthToken  complete-needed-initial|complete-needed-subsequent  count-used  must  \
         documented  digest-http\n"
    );
    let all = run(&["conform", "--list", "--format", "json"]);
    let rows: Value = serde_json::from_str(&all.out).expect("it is JSON");
    assert!(rows.as_array().is_some_and(|rows| rows.len() > 100));
}

#[test]
fn the_report_for_programs_is_as_the_schema_describes_it() {
    for only in ["c*", "ms-*", "isc-other-role"] {
        let ran = run(&["conform", "--format", "json", "--cases", "16", "--only", only]);
        let report = validates(&ran.out).unwrap_or_else(|error| panic!("{error}"));
        let code = match report["conclusion"].as_str() {
            Some("conforms") => Some(0),
            Some("findings") => Some(1),
            _other => Some(2),
        };
        assert_eq!(ran.code, code);
        assert_eq!(report["report_version"], 3);
    }
}

/// A report in which everything occurs that can occur.
fn everything() -> Report {
    let mut edited = CallAction::new(CallName::CompleteAuthToken, u64::MAX).on(1).about(255).wishing(Names::Other);
    edited.edits = vec![
        Edit::Overwrite { at: 0, byte: 255 },
        Edit::Insert { at: u16::MAX, byte: 0 },
        Edit::Remove { at: 1 },
        Edit::Truncate { at: 2 },
    ];
    let actions = vec![
        Action::Call(edited),
        Action::Call(CallAction::new(CallName::AcquireCredentialsHandle, 0)),
        Action::Expire,
        Action::Inject(EnvironmentFault::None),
        Action::Inject(EnvironmentFault::Entropy),
        Action::Inject(EnvironmentFault::Clock),
        Action::AccountsDown(true),
        Action::SpendCounts,
        Action::SpendSequences,
        Action::Exchange(Goal::default()),
        Action::Exchange(Goal {
            before: Some(CallName::AcceptSecurityContext),
            at: Wishes::default().with(Role::Acceptor).with(State::InProgress),
        }),
        Action::StartOver(Box::default()),
    ];
    let setup = Setup { package: Some("NTLM".into()), ..Setup::default() };
    let setup = Setup { algorithm: OfferedAlgorithm::Md5Sess, policy: Policy::Window(NonZeroU32::MIN), ..setup };
    let finding = |kind| Finding {
        kind,
        situation: String::new(),
        state: String::new(),
        facts: String::new(),
        actual: "0x12345678".into(),
        returned: "nothing".into(),
        difference: "no answer".into(),
        reproducer: Sequence { setup: setup.clone(), actions: actions.clone() },
    };
    let findings: Vec<_> = FindingKind::ALL.iter().copied().map(finding).collect();
    let row = |verdict: &RowVerdict| RowReport {
        row: "cat-count-used".into(),
        call: CallName::CompleteAuthToken,
        verdict: *verdict,
        ran: 1,
        note: Some("a note".into()),
        expected: Some(Expected {
            verdict: RowVerdict::Fail,
            reason: "it is known".into(),
            link: Some("https://bugs.example/17".into()),
        }),
        findings: findings.clone(),
    };
    let stale = |profile| Stale {
        entry: Expectation {
            row: "cat-*-us?d".into(),
            profile,
            verdict: RowVerdict::Timeout,
            reason: "it was known".into(),
            link: profile.map(|_| "http://bugs.example/18".into()),
            line: 1,
        },
        why: "no row has such an id".into(),
    };
    Report {
        spec_version: "0.1.0".into(),
        subject: "everything".into(),
        seed: u64::MAX,
        profiles: Profile::ALL
            .iter()
            .map(|profile| ProfileReport {
                profile: *profile,
                smoke: Some("it failed".into()),
                rows: RowVerdict::ALL.iter().map(row).collect(),
            })
            .collect(),
        stale: vec![stale(None), stale(Some(Profile::DigestSasl))],
    }
}

#[test]
fn the_schema_describes_everything_a_report_can_hold() {
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let text = json::report(&everything(), strictness).expect("it has a form in JSON");
        validates(&text).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    let ran = run(&["conform", "--format", "json", "--only", "cat-count-used", "--cases", "16"]);
    let report = validates(&ran.out).unwrap_or_else(|error| panic!("{error}"));
    for (place, value) in [
        ("/report_version", Value::from(1)),
        ("/conclusion", Value::from("good")),
        ("/profiles/0/rows/0/verdict", Value::from("xpass")),
        ("/profiles/0/rows/0/ran", Value::from(-1)),
        ("/profiles/0/counts/pass", Value::Null),
        ("/profiles/0/profile", Value::from("gopher")),
        ("/stale", Value::Null),
    ] {
        let mut broken = report.clone();
        *broken.pointer_mut(place).expect("the place exists") = value;
        assert!(validates(&broken.to_string()).is_err(), "{place}");
    }
}

#[test]
fn another_package_runs_the_rows_of_any_package() {
    let arguments = ["conform", "--only", "cat-any-*", "--cases", "4", "--subject", "opaque"];
    let [of_any, another] =
        [["--profile", "any-package"], ["--package", "NTLM"]].map(|more| run(&[&arguments[..], &more].concat()));
    for ran in [of_any, another] {
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("any-package conforms: 12 rows: 11 pass, 1 skipped"), "{}", ran.out);
    }
    let absent = run(&["conform", "--package", "NTLM", "--only", "ach-any-*", "--cases", "4"]);
    assert_eq!(absent.code, Some(2), "{}", absent.out);
    assert!(absent.out.contains("the smoke exchange failed"), "{}", absent.out);
}

#[test]
fn a_run_is_determined_by_its_seed() {
    let arguments = ["conform", "--format", "json", "--only", "cat-*", "--cases", "16", "--seed"];
    let [first, again, other] = ["7", "7", "8"].map(|seed| run(&[&arguments[..], &[seed]].concat()).out);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_report_goes_into_a_file_as_a_whole() {
    let scratch = Scratch::new("report");
    let file = scratch.path("report.json");
    let arguments = ["conform", "--only", "cat-count-used", "--format", "json", "--output", &file];
    let ran = run(&arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    validates(&fs::read_to_string(&file).expect("the report was written")).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> =
        fs::read_dir(&scratch.0).expect("it can be read").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["report.json"]);
    let nowhere = scratch.path("no/such/directory/report.json");
    refused(&run(&["conform", "--only", "cat-count-used", "--output", &nowhere]), "report.json");
}

const SEQUENCE: &str = r#"{
    "setup": {
        "accounts": [], "realm": "r", "algorithm": "MD5", "nonce_lifetime": 60000, "policy": { "window": 4 },
        "limits": { "contexts": 8, "challenges": 8, "failures": 8, "token_bytes": 8192, "directives": 64 }
    },
    "actions": [
        { "call": { "call": "AcquireCredentialsHandle", "wishes": { "use": "inbound" }, "variety": 0 } },
        { "call": { "call": "AcceptSecurityContext", "wishes": { "token": "empty", "output": "enough" }, "variety": 0 } },
        "expire",
        { "call": { "call": "CompleteAuthToken", "context": 0, "variety": 0 } }
    ]
}"#;

#[test]
fn a_reproducer_can_be_run_again() {
    let ran = run_with_input(&["reproduce", "-"], SEQUENCE);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines[1], "     in none: SEC_E_OK, pass ach-acquired");
    assert_eq!(lines[3], "     in none: SEC_I_CONTINUE_NEEDED, pass asc-challenge");
    assert_eq!(lines[4], "  3. the nonce lifetime passes");
    assert_eq!(lines[5], "  4. CompleteAuthToken on the newest context");
    assert_eq!(lines[6], "     in challenged: SEC_E_OUT_OF_SEQUENCE, pass cat-nothing-to-complete");
    assert_eq!(lines[7..], ["not reproduced", "", "0 of 1 reproduced"]);
    let broken = SEQUENCE.replace("\"use\"", "\"abuse\"");
    refused(&run_with_input(&["reproduce", "-"], &broken), "abuse");
    refused(&run(&["reproduce", "no/such/file"]), "no/such/file");
}

// --- spec

#[test]
fn the_tables_of_this_build_are_sound_and_rendered() {
    let ran = run(&["spec", "check"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.contains("CompleteAuthToken ") && ran.out.ends_with(": 0 findings\n"), "{}", ran.out);
    assert_eq!(run(&["spec", "check", "--directory", "spec"]).out, ran.out);
    let rendered = run(&["spec", "render", "--check"]);
    assert_eq!(rendered.code, Some(0), "{}", rendered.err);
}

fn broken_tables(scratch: &Scratch, file: &str, from: &str, to: &str) -> String {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    for folder in ["", "calls", "calls/any", "calls/sasl", "observed"] {
        fs::create_dir_all(scratch.0.join("spec").join(folder)).expect("it can be made");
        for entry in fs::read_dir(tables.join(folder)).expect("it can be read").flatten() {
            if entry.path().is_file() {
                let copy = scratch.0.join("spec").join(folder).join(entry.file_name());
                fs::copy(entry.path(), copy).expect("it can be copied");
            }
        }
    }
    let path = scratch.0.join("spec").join(file);
    let text = fs::read_to_string(&path).expect("it can be read");
    assert!(text.contains(from));
    fs::write(path, text.replacen(from, to, 1)).expect("it can be written");
    scratch.path("spec")
}

#[test]
fn a_table_that_cannot_be_loaded_is_named_with_its_row() {
    let scratch = Scratch::new("unloadable");
    let from = "id = \"cat-count-used\"";
    let directory =
        broken_tables(&scratch, "calls/complete_auth_token.toml", from, "id = \"cat-count-used\"\nxyzzy = 1");
    let ran = run(&["spec", "check", "--directory", &directory]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("calls/complete_auth_token.toml: line ") && ran.out.contains("xyzzy"), "{}", ran.out);
    let scratch = Scratch::new("unknown-status");
    let directory = broken_tables(
        &scratch,
        "calls/complete_auth_token.toml",
        "situation = \"count-used\"",
        "situation = \"count-abused\"",
    );
    let ran = run(&["spec", "check", "--directory", &directory]);
    assert_eq!(ran.code, Some(1));
    let named = ran.out.lines().any(|line| {
        line.contains("calls/complete_auth_token.toml")
            && line.contains("cat-count-used")
            && line.contains("count-abused")
    });
    assert!(named, "{}", ran.out);
}

#[test]
fn a_table_that_breaks_a_rule_is_a_finding() {
    let scratch = Scratch::new("unsound");
    let directory = broken_tables(&scratch, "pins.toml", "rows = ", "rows = 1");
    let ran = run(&["spec", "check", "--directory", &directory]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("pins: "), "{}", ran.out);
}

#[test]
fn rows_calls_and_states_are_shown() {
    for (name, part) in [
        ("cat-count-used", "SEC_E_OUT_OF_SEQUENCE (0x80090310)"),
        ("CompleteAuthToken", "situations, in order"),
        ("completeauthtoken", "situations, in order"),
        ("established", "acceptor `established`"),
    ] {
        let ran = run(&["spec", "show", name]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    let row: Value =
        serde_json::from_str(&run(&["spec", "show", "cat-count-used", "--format", "json"]).out).expect("it is JSON");
    assert_eq!(row["row"]["outcome"]["status"]["name"], "SEC_E_OUT_OF_SEQUENCE");
    let all = run(&["spec", "show"]);
    assert!(all.out.contains("cat-count-used") && all.out.contains("complete-needed-subsequent"), "{}", all.out);
}

#[test]
fn machines_are_drawn() {
    assert!(run(&["spec", "graph"]).out.contains("digraph acceptor {"));
    let mermaid = run(&["spec", "graph", "--format", "mermaid", "--role", "initiator"]);
    assert!(mermaid.out.contains("stateDiagram-v2"), "{}", mermaid.out);
}

#[test]
fn a_stale_reference_is_a_finding_and_a_rendered_one_is_not() {
    let scratch = Scratch::new("reference");
    let file = scratch.path("REFERENCE.md");
    fs::write(&file, "# Something else\n").expect("it can be written");
    let stale = run(&["spec", "render", "--check", &file]);
    assert_eq!((stale.code, stale.err.lines().count()), (Some(1), 1), "{}", stale.err);
    assert!(stale.err.contains("line 1"), "{}", stale.err);
    assert_eq!(run(&["spec", "render", "--output", &file]).code, Some(0));
    assert_eq!(run(&["spec", "render", "--check", &file]).code, Some(0));
}

// --- explain

#[test]
fn a_status_is_explained_by_name_and_by_number() {
    let by_name = run(&["explain", "SEC_E_OUT_OF_SEQUENCE"]);
    assert_eq!(by_name.code, Some(0), "{}", by_name.err);
    assert!(by_name.out.contains("cat-count-used (in complete-needed-initial"), "{}", by_name.out);
    for number in ["0x80090310", "-2146893040"] {
        assert_eq!(run(&["explain", number]).out, by_name.out, "{number}");
    }
}

#[test]
fn the_published_request_is_explained() {
    let arguments = ["explain", "request", "--uri", "/dir/index.html", "--secret-stdin", PUBLISHED];
    let ran = run_with_input(&arguments, "Mufasa:Circle Of Life\n");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for part in [
        "     0  username = Mufasa (quoted at 10): hashed in A1\n",
        "it is right under this secret",
        "digest=matches",
        "SEC_E_OK",
        "if an assumption does not hold",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    assert!(!ran.out.contains("Circle Of Life"));
    let wrong = run_with_input(&arguments, "Mufasa:hakuna matata\n");
    assert!(wrong.out.contains("it is wrong under this secret") && wrong.out.contains("SEC_E_LOGON_DENIED"));
    assert!(!wrong.out.contains("hakuna"));
}

#[test]
fn a_header_may_come_from_standard_input_after_the_secret() {
    let arguments = ["explain", "request", "--uri", "/dir/index.html", "--secret-stdin", "-"];
    let ran = run_with_input(&arguments, &format!("Mufasa:Circle Of Life\nAuthorization: {PUBLISHED}\n"));
    assert!(ran.out.contains("it is right under this secret"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_malformed_header_is_explained_with_a_caret() {
    let arguments = ["explain", "request", "--uri", "/", "--call", "CompleteAuthToken"];
    let ran = run(&[&arguments[..], &["Digest username=\"a\", nc=0000000g"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let expected = "\
offence
  byte 17: the value of nc must be 8 hexadecimal digits
  username=\"a\", nc=0000000g
                   ^
";
    assert!(ran.out.contains(expected), "{}", ran.out);
    assert!(ran.out.contains("row cat-token-malformed\n"), "{}", ran.out);
}

// --- usage

#[test]
fn help_has_examples() {
    for command in ["conform", "reproduce", "spec", "explain", "serve", "fetch"] {
        let ran = run(&[command, "--help"]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("Examples:\n"), "{}", ran.out);
        assert!(ran.out.contains(&format!("digest-ssp {command} ")), "{}", ran.out);
    }
}

#[test]
fn bad_arguments_give_one_line_that_names_them() {
    for (arguments, named) in [
        (&["conform", "--only", "xyzzy-*"][..], "xyzzy-*"),
        (&["conform", "--only", "cat-*", "--only", "xyzzy"], "xyzzy"),
        (&["conform", "--cases", "0"], "--cases"),
        (&["conform", "--profile", "gopher"], "--profile"),
        (&["conform", "--package", ""], "--package"),
        (&["conform", "--profile", "digest-http", "--only", "asc-sasl-*"], "asc-sasl-*"),
        (&["conform", "--seed", "-1"], "-1"),
        (&["conform", "--subject", "xyzzy"], "--subject"),
        (&["conform", "--format", "xml"], "--format"),
        (&["conform", "--list", "--format", "html"], "--format"),
        (&["conform", "--list", "--expect", "a"], "--expect"),
        (&["conform", "--expect", "no/such/file"], "no/such/file"),
        (&["conform", "--force"], "--init-ci"),
        (&["conform", "--init-ci", "--provider", "xyzzy"], "--provider"),
        (&["conform", "--init-ci", "--format", "html"], "--format"),
        (&["reproduce"], "FILE"),
        (&["reproduce", "a", "b", "--finding", "1"], "--finding"),
        (&["reproduce", "a", "--finding", "0"], "--finding"),
        (&["spec"], "subcommand"),
        (&["spec", "show", "xyzzy"], "xyzzy"),
        (&["spec", "show", "--format", "json"], "ROW|CALL|STATE"),
        (&["spec", "check", "--directory", "no/such/directory"], "no/such/directory"),
        (&["spec", "render", "--check", "no/such/file"], "no/such/file"),
        (&["spec", "graph", "--role", "server"], "--role"),
        (&["explain"], "STATUS"),
        (&["explain", "SEC_E_XYZZY"], "SEC_E_XYZZY"),
        (&["explain", "request", "a=b"], "--uri"),
        (&["explain", "request", "--uri", "/", "Basic YTpi"], "Basic"),
        (&["explain", "request", "--uri", "/", "--state", "responded", "a=b"], "responded"),
        (&["explain", "request", "--uri", "/", "--entity", "12", "a=b"], "--entity"),
    ] {
        refused(&run(arguments), named);
    }
    let ran = run_with_input(&["explain", "request", "--uri", "/", "--secret-stdin", "a=b"], "hunter2\n");
    refused(&ran, "--secret-stdin");
    assert!(!ran.err.contains("hunter2"));
}

// --- vectors

#[test]
fn vectors_check_has_a_line_for_every_file_and_every_problem() {
    let all = run(&["vectors", "check"]);
    assert_eq!((all.code, all.err.as_str()), (Some(0), ""), "{}", all.out);
    assert!(all.out.contains("sasl_unwrap.json ") && all.out.ends_with("in 15 files: 0 problems\n"), "{}", all.out);

    let scratch = Scratch::new("vectors");
    let broken = fs::read_to_string("spec/vectors/http_rspauth.json").expect("it is there");
    let broken = broken.replacen("\"SEC_E_OK\"", "\"SEC_E_MESSAGE_ALTERED\"", 1);
    fs::write(scratch.path("http_rspauth.json"), broken).expect("it can be written");
    let found = run(&["vectors", "check", "--dir", &scratch.path("")]);
    assert_eq!((found.code, found.err.as_str()), (Some(1), ""), "{}", found.out);
    // The rule of the file, and what the digest layer says.
    assert!(found.out.ends_with("vectors in 1 files: 2 problems\n"), "{}", found.out);
    assert_eq!(found.out.lines().count(), 4, "{}", found.out);
}

#[test]
fn vectors_check_needs_files() {
    refused(&run(&["vectors", "check", "--dir", "no-such-directory"]), "no-such-directory");
    let scratch = Scratch::new("no-vectors");
    refused(&run(&["vectors", "check", "--dir", &scratch.path("")]), "no *.json is there");
    refused(&run(&["vectors"]), "subcommand");
}

#[test]
fn faults_are_held_to_the_rows_they_name() {
    let one = run(&["faults", "--only", "second-deletion-refused", "--cases", "16,48"]);
    assert_eq!((one.code, one.out.as_str()), (Some(0), "1 of 1 faults: exactly the rows fail that they name\n"));
    refused(&run(&["faults", "--only", "no-such-fault"]), "no-such-fault");
}

/// Graphviz draws; who has none is told so in one line.
#[test]
fn machines_are_drawn_by_graphviz() {
    let graph = ["spec", "graph", "--role", "initiator", "--format", "svg"];
    let without = ran(command(&graph).env("PATH", "").output().expect("the binary starts"));
    refused(&without, "install Graphviz");
    if !available("dot", Command::new("dot").arg("-V")) {
        return;
    }
    for arguments in [&graph[..], &["learn", "--alphabet", "digest-initiator", "--walks", "0", "--format", "svg"]] {
        let drawn = run(arguments);
        assert_eq!(drawn.code, Some(0), "{}", drawn.err);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let picture = roxmltree::Document::parse_with_options(&drawn.out, options).expect("a picture is XML");
        assert_eq!(picture.root_element().tag_name().name(), "svg", "{arguments:?}");
        let said = picture.descendants().filter_map(|node| node.text());
        assert!(said.into_iter().any(|text| text.contains("InitializeSecurityContext")), "{arguments:?}");
    }
}

/// What was wrong is not lost where there is no machine to draw or to write.
#[test]
fn learning_without_a_machine_tells_what_was_wrong() {
    let scratch = Scratch::new("learn");
    let (file, none) = (scratch.path("learned.txt"), scratch.path("machine.json"));
    let learn = "learn --alphabet digest-initiator --subject second-deletion-refused --most-words 1500";
    let learn: Vec<&str> = learn.split(' ').collect();
    let told = run(&[&learn[..], &["--output", &file]].concat());
    assert_eq!((told.code, told.out.as_str()), (Some(1), ""), "{}", told.err);
    let text = fs::read_to_string(&file).expect("it is written");
    assert!(
        text.contains("no machine was found with 1500 words") && text.contains("wrong by dsc-deleted-before"),
        "{text}"
    );
    refused(&run(&[&learn[..], &["--format", "json", "--output", &none]].concat()), "--format human");
    assert!(!Path::new(&none).exists());
}

/// Every state and situation is told to be possible or not, and why not.
#[test]
fn what_cannot_be_is_listed_with_the_reason() {
    let listed = run(&["spec", "check", "--unreachable"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    let reason = "CompleteAuthToken: acceptor established cannot be digest-differs: there is never (digest = differs)";
    assert!(listed.out.lines().any(|line| line == reason), "{}", listed.out);
    assert!(!run(&["spec", "check"]).out.contains(" cannot be "));
}
