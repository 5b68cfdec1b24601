//! Callers in C, each wrong in one way and nearly so: what the C library records of them, and how they are judged.
#![cfg(feature = "cli")]
#![forbid(unsafe_code)]

mod library_support;
mod program_support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, fs};

use boon::{Compiler, SchemaIndex, Schemas};
use digest_ssp::spec::Specification;
use digest_ssp::spec::callers::trace::TRACE_VERSION;
use digest_ssp::spec::callers::{CallerReport, CallerRule, judge, report};
use library_support::{ours, run};
use program_support::available;
use serde_json::{Value, json};

/// `printf chris:digest-ssp:secret | md5sum`.
const ACCOUNTS: &str = "chris:digest-ssp:f77f53a6a556e7c108ca6557ce059ad1\n";

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn scratch() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capi");
    fs::create_dir_all(&scratch).expect("the target directory can be written");
    scratch
}

/// The C library; `None` where there is no C compiler, which on CI is a failure.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    LIBRARY.get_or_init(|| available("gcc", Command::new("gcc").arg("--version")).then(|| ours("capi"))).as_deref()
}

/// A caller, compiled once in a run: another test may be running it.
fn compile(name: &str, library: &Path) -> PathBuf {
    static DONE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let program = scratch().join(format!("caller-{name}"));
        run(Command::new("gcc")
            .args(["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(root().join("include"))
            .arg(root().join("tests/callers").join(format!("{name}.c")))
            .arg("-o")
            .arg(&program)
            .arg(library));
        program
    };
    done.entry(name.to_owned()).or_insert_with(compile).clone()
}

fn accounts() -> PathBuf {
    static ACCOUNTS_FILE: OnceLock<PathBuf> = OnceLock::new();
    let file = ACCOUNTS_FILE.get_or_init(|| {
        let file = scratch().join("callers-accounts");
        fs::write(&file, ACCOUNTS).expect("the target directory can be written");
        file
    });
    file.clone()
}

fn caller(program: &Path, trace: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("DIGEST_SSP_ACCOUNTS", accounts()).env("DIGEST_SSP_TRACE", trace);
    command
}

/// What a caller left behind: the trace, and what its program printed.
fn traced(name: &str, variant: &str, library: &Path) -> (String, String) {
    let program = compile(name, library);
    let trace = scratch().join(format!("{name}-{variant}.jsonl"));
    if trace.exists() {
        fs::remove_file(&trace).expect("it is ours");
    }
    let output = run(caller(&program, &trace).arg(variant));
    let printed = String::from_utf8(output.stdout).expect("it prints text");
    (fs::read_to_string(&trace).expect("a trace was asked for"), printed)
}

fn judged(trace: &str) -> CallerReport {
    judge(trace.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{trace}"))
}

fn broken(report: &CallerReport) -> BTreeSet<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id()).collect()
}

fn schema(name: &str) -> (Schemas, SchemaIndex) {
    let file = root().join("spec/schemas").join(format!("{name}.schema.json"));
    let document = serde_json::from_str(&fs::read_to_string(file).expect("the schema is there"));
    let identifier = format!("urn:digest-ssp:spec:{name}");
    let mut compiler = Compiler::new();
    compiler.add_resource(&identifier, document.expect("the schema is JSON")).expect("it has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile(&identifier, &mut schemas).expect("the schema is one");
    (schemas, index)
}

#[track_caller]
fn assert_described(trace: &str) {
    let (schemas, index) = schema("trace");
    for line in trace.lines() {
        let value: Value = serde_json::from_str(line).expect("every line is JSON");
        if let Err(error) = schemas.validate(&value, index) {
            panic!("{line}\n{error:#}");
        }
    }
}

#[test]
fn every_rule_has_a_caller_that_breaks_it_alone_and_one_that_nearly_does() {
    let Some(library) = library() else { return };
    for rule in CallerRule::ALL {
        let name = rule.id();
        let (trace, _) = traced(name, "wrong", library);
        assert_described(&trace);
        let expected = BTreeSet::from([name]);
        assert_eq!(broken(&judged(&trace)), expected, "{name}:\n{trace}");
        let (trace, _) = traced(name, "near-miss", library);
        assert_described(&trace);
        assert_eq!(broken(&judged(&trace)), BTreeSet::new(), "{name}:\n{trace}");
    }
}

#[test]
fn curls_mistake_is_seen() {
    let Some(library) = library() else { return };
    // As spec/observations.toml has it: the credentials in place of the context, and no look at the status.
    let (trace, _) = traced("curl", "wrong", library);
    let report = judged(&trace);
    assert_eq!(
        broken(&report),
        BTreeSet::from(["completion-abandoned", "credentials-as-context", "credentials-freed-early"])
    );
    let completed = trace.lines().position(|line| line.contains("CompleteAuthToken")).expect("it is called") + 1;
    let acquired = trace.lines().take(completed).enumerate().filter(|(_, line)| line.contains("AcquireCredentials"));
    let finding = report.findings.iter().find(|finding| finding.rule == CallerRule::CredentialsAsContext);
    let finding = finding.expect("it was found just now");
    assert_eq!(finding.line, completed);
    assert_eq!(finding.since, acquired.map(|(position, _)| position + 1).last());
    assert!(finding.what.contains("SEC_E_INVALID_HANDLE"), "{}", finding.what);

    // Completed as it should be, what is left is the order of the last two calls.
    let (trace, _) = traced("curl", "near-miss", library);
    assert_eq!(broken(&judged(&trace)), BTreeSet::from(["credentials-freed-early"]));
}

#[test]
fn a_good_caller_is_found_nothing_and_told_no_secret_of() {
    let Some(library) = library() else { return };
    let (trace, printed) = traced("good", "", library);
    assert_described(&trace);
    assert_eq!(judged(&trace).findings, []);
    // Both mechanisms ran, and the tokens are told.
    for told in
        ["CompleteAuthToken", "DecryptMessage", "username=\\\"chris\\\"", "response=********", "rspauth=********"]
    {
        assert!(trace.contains(told), "{told}:\n{trace}");
    }
    // SECPKG_CRED_INBOUND and SECPKG_CRED_OUTBOUND; ASC_REQ_CONFIDENTIALITY, which ISC_REQ_CONFIDENTIALITY is, too.
    let calls: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("it is described")).collect();
    for (member, value, functions) in [
        ("credential_use", 1, &["AcquireCredentialsHandleA"][..]),
        ("credential_use", 2, &["AcquireCredentialsHandleA"]),
        ("flags", 0x10, &["AcceptSecurityContext", "InitializeSecurityContextA"]),
    ] {
        let asked = calls.iter().filter(|call| call[member] == value).filter_map(|call| call["function"].as_str());
        assert_eq!(asked.collect::<BTreeSet<_>>(), BTreeSet::from_iter(functions.iter().copied()), "{member} {value}");
    }
    let secrets: Vec<&str> = printed.lines().chain(["secret", "f77f53a6a556e7c108ca6557ce059ad1"]).collect();
    assert!(secrets.len() > 8, "{printed}");
    for secret in secrets {
        assert!(secret.len() >= 6, "{printed}");
        let octets: String = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
        assert!(!trace.contains(secret) && !trace.contains(&octets), "{secret}:\n{trace}");
    }
}

#[test]
fn a_trace_that_cannot_be_written_changes_nothing_else() {
    let Some(library) = library() else { return };
    let program = compile("good", library);
    let untraced = run(Command::new(&program).env("DIGEST_SSP_ACCOUNTS", accounts()).env_remove("DIGEST_SSP_TRACE"));
    assert_eq!(untraced.stderr, b"");
    let nowhere = scratch().join("no such directory/trace");
    let full = Path::new("/dev/full");
    for trace in [nowhere.as_path(), full].into_iter().filter(|trace| !trace.starts_with("/dev") || trace.exists()) {
        let output = run(&mut caller(&program, trace));
        assert_eq!(output.stdout.len(), untraced.stdout.len());
        let complaint = String::from_utf8(output.stderr).expect("it is text");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.contains(trace.to_str().expect("it is text")), "{complaint}");
    }
}

// ---- traces by hand

fn head(process: u32) -> String {
    let head = json!({
        "record": "process", "trace_version": TRACE_VERSION, "package": "test", "package_version": "1", "process": process,
    });
    format!("{head}\n")
}

fn line(process: u32, sequence: u64, function: &str, more: Value) -> String {
    let mut line = json!({
        "record": "call", "process": process, "thread": 1, "sequence": sequence, "nanoseconds": sequence,
        "function": function, "handles": {}, "given": {}, "messages": {}, "allocated": [], "status": "SEC_E_OK",
    });
    for (key, value) in more.as_object().expect("it is an object") {
        line[key] = value.clone();
    }
    format!("{line}\n")
}

const HANDLE: &str = "0000000000000001:0000000000000001";

fn acquire(process: u32, sequence: u64) -> String {
    line(process, sequence, "AcquireCredentialsHandleW", json!({ "given": { "phCredential": HANDLE } }))
}

fn free(process: u32, sequence: u64) -> String {
    line(process, sequence, "FreeCredentialsHandle", json!({ "handles": { "phCredential": HANDLE } }))
}

fn allocate(process: u32, sequence: u64) -> String {
    line(process, sequence, "QuerySecurityPackageInfoW", json!({ "allocated": [1] }))
}

#[test]
fn a_trace_that_ends_in_a_line_is_judged_up_to_there() {
    let whole = head(1) + &acquire(1, 1) + &free(1, 2) + &free(1, 3) + &acquire(1, 4);
    assert_eq!(broken(&judged(&whole)), BTreeSet::from(["credentials-used-after-freeing", "credentials-leaked"]));
    // Whoever is killed frees nothing: that is no leak.
    let report = judged(&whole[..whole.len() - 10]);
    assert_eq!(report.torn, Some(5));
    assert_eq!(broken(&report), BTreeSet::from(["credentials-used-after-freeing"]));
    assert_eq!(report.findings[0].line, 4);
    let tables = Specification::embedded().expect("a test of `load` shows that the tables load");
    assert!(report::human(&tables, &report).contains("the trace ends in the middle of line 5"));
    // Without its line break no line is whole.
    assert_eq!(judged(whole.trim_end()).torn, Some(5));
    assert_eq!(judged(&whole).torn, None);
    // Half a character is no line either.
    let mut octets = whole.clone().into_bytes();
    octets.extend(b"{\"record\":\"\xC3");
    assert_eq!(judge(octets.as_slice()).map(|report| report.torn), Ok(Some(6)));
}

#[test]
fn processes_are_judged_each_for_itself() {
    // Two at once have the same handles, and nothing to do with each other.
    let both = head(1) + &acquire(1, 1) + &head(2) + &acquire(2, 1) + &free(1, 2) + &free(2, 2);
    let report = judged(&both);
    assert_eq!((report.processes, report.calls, report.findings.len()), (2, 4, 0));
    let stranger = head(1) + &acquire(1, 1) + &head(2) + &free(2, 1) + &free(1, 2);
    assert_eq!(broken(&judged(&stranger)), BTreeSet::from(["handle-never-given"]));
    // The number of one that has ended is used again: what it left behind is its own.
    let again = head(1) + &acquire(1, 1) + &head(1) + &acquire(1, 1) + &free(1, 2);
    let report = judged(&again);
    assert_eq!(broken(&report), BTreeSet::from(["credentials-leaked"]));
    assert_eq!(report.findings[0].line, 2);
}

#[test]
fn a_child_has_what_its_parent_had_and_owes_none_of_it() {
    let forked = head(2).replace('}', ",\"forked_from\":1}");
    let used = head(1) + &acquire(1, 1) + &allocate(1, 2) + &forked + &free(2, 1);
    // The parent owes all of it; the child, which freed what it had a copy of, nothing.
    let report = judged(&used);
    assert_eq!(broken(&report), BTreeSet::from(["credentials-leaked", "buffer-leaked"]));
    assert!(report.findings.iter().all(|finding| finding.process == 1));
    let own = head(1) + &acquire(1, 1) + &free(1, 2) + &forked + &allocate(2, 1);
    let report = judged(&own);
    assert_eq!((broken(&report), report.findings[0].process), (BTreeSet::from(["buffer-leaked"]), 2));
    let orphan = forked.clone();
    assert!(judge(orphan.as_bytes()).is_err_and(|error| error.line == 1));
}

#[test]
fn statuses_that_are_no_end_continue() {
    let context = json!({ "handles": { "phCredential": HANDLE, "phContext": null },
        "given": { "phNewContext": "0000000000000002:0000000000000001" }, "status": "0x00090399" });
    let in_use = json!({ "handles": { "phContext": "0000000000000002:0000000000000001" } });
    let trace = head(1)
        + &acquire(1, 1)
        + &line(1, 2, "InitializeSecurityContextW", context)
        + &line(1, 3, "MakeSignature", in_use.clone())
        + &line(1, 4, "DeleteSecurityContext", in_use)
        + &free(1, 5);
    let report = judged(&trace);
    assert_eq!(broken(&report), BTreeSet::from(["used-before-established"]));
    assert_eq!((report.findings[0].line, report.findings[0].since), (4, Some(3)));
}

/// What is no trace, the line that says so, and a part of what is said.
fn hostile() -> Vec<(Vec<u8>, usize, &'static str)> {
    let good = head(1) + &acquire(1, 1);
    let with = |more: &str| (good.clone() + more).into_bytes();
    let bad_call = |key: &str, value: Value| with(&line(1, 2, "CompleteAuthToken", json!({ key: value })));
    let handles = json!({ "phContext": 7 });
    vec![
        (Vec::new(), 1, "no process begins"),
        (b"\n".to_vec(), 1, "no line of a trace"),
        (b"GIF89a\0\0".to_vec(), 1, "no process begins"),
        (b"GIF89a\0\0\n".to_vec(), 1, "no line of a trace"),
        (acquire(1, 1).into_bytes(), 1, "has not begun"),
        (head(1).replace("\"trace_version\":1", "\"trace_version\":9").into_bytes(), 1, "version 9"),
        (with("{}\n"), 3, "no line of a trace"),
        (with("[[[[\n"), 3, "no line of a trace"),
        (with(&("[".repeat(100_000) + "\n")), 3, "no line of a trace"),
        (with("\u{feff}\n"), 3, "no line of a trace"),
        ([good.as_bytes(), b"\xff\xfe\n"].concat(), 3, "no line of a trace"),
        (with(&("x".repeat(2 << 20) + "\n")), 3, "longer"),
        (with(&line(1, 3, "CompleteAuthToken", json!({}))), 3, "lines are missing"),
        (with(&line(1, 1, "CompleteAuthToken", json!({}))), 3, "lines are missing"),
        (with(&line(1, u64::MAX, "CompleteAuthToken", json!({}))), 3, "lines are missing"),
        (with(&line(2, 1, "CompleteAuthToken", json!({}))), 3, "has not begun"),
        (with(&line(1, 2, "Complete\u{1b}[2J", json!({}))), 3, "no function"),
        (bad_call("status", json!("SEC_E_NONSENSE")), 3, "status"),
        (bad_call("status", json!("0x+0000000")), 3, "status"),
        (bad_call("handles", handles), 3, "no line of a trace"),
        (bad_call("freed", json!({ "block": -1 })), 3, "no line of a trace"),
        (bad_call("surprise", json!(1)), 3, "surprise"),
    ]
}

#[test]
fn what_is_no_trace_is_refused_with_its_line() {
    for (octets, line, said) in hostile() {
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(300)]).into_owned();
        let error = judge(octets.as_slice()).expect_err(&shown);
        assert_eq!(error.line, line, "{shown}: {error}");
        let text = error.to_string();
        assert!(text.contains(said) && !text.contains(['\n', '\u{1b}']), "{shown}: {error}");
    }
}

// ---- the program

fn check(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_digest-ssp"));
    output(command.args(["trace", "check"]).args(arguments).arg(file))
}

#[test]
fn the_program_says_what_is_found_and_exits_by_it() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = directory.join(format!("trace-{}.jsonl", std::process::id()));
    let context = json!({ "handles": { "phCredential": HANDLE, "phContext": null },
        "given": { "phNewContext": "0000000000000002:0000000000000001" } });
    let delete = json!({ "handles": { "phContext": "0000000000000002:0000000000000001" } });
    let deleted = head(1)
        + &acquire(1, 1)
        + &line(1, 2, "InitializeSecurityContextW", context)
        + &line(1, 3, "DeleteSecurityContext", delete.clone());
    let twice = deleted.clone() + &line(1, 4, "DeleteSecurityContext", delete) + &free(1, 5);
    let cases = [
        (head(1), 0, 0, &[][..]),
        (deleted.clone() + &free(1, 4), 0, 0, &[]),
        (twice, 0, 1, &["should context-deleted-twice", "line 5", "since line 4", "DeleteSecurityContext function"]),
        (deleted, 1, 1, &["must credentials-leaked", "line 2"]),
    ];
    for (trace, lenient, strict, said) in cases {
        fs::write(&file, &trace).expect("the target directory can be written");
        for (arguments, code) in [(&[][..], lenient), (&["--strict"], strict)] {
            let human = check(arguments, &file);
            assert_eq!(human.status.code(), Some(code), "{arguments:?}\n{trace}");
            let text = String::from_utf8(human.stdout).expect("it is text");
            assert!(said.iter().all(|said| text.contains(said)), "{text}");
        }
        let value = check(&["--format", "json"], &file);
        let value: Value = serde_json::from_slice(&value.stdout).expect("it is JSON");
        let (schemas, index) = schema("callers");
        if let Err(error) = schemas.validate(&value, index) {
            panic!("{value}\n{error:#}");
        }
        assert_eq!(value["findings"].as_array().map(|found| found.is_empty()), Some(said.is_empty()), "{value}");
    }
    for (octets, line, _) in hostile() {
        fs::write(&file, octets).expect("the target directory can be written");
        let refused = check(&[], &file);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
        let text = String::from_utf8(refused.stderr).expect("it is text");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(file.to_str().expect("it is text")) && text.contains(&format!("line {line}:")), "{text}");
    }
    fs::remove_file(&file).expect("it was written just now");
    let missing = check(&[], &file);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&missing.stderr).lines().count(), 1);
}

#[test]
fn the_schemas_refuse_what_is_not_so() {
    let (schemas, index) = schema("trace");
    let call: Value = serde_json::from_str(&acquire(1, 1)).expect("it is JSON");
    assert!(schemas.validate(&call, index).is_ok());
    let wrong = [
        ("/status", json!("fine")),
        ("/sequence", json!(0)),
        ("/given/phCredential", json!("1:1")),
        ("/given/phContext", json!(null)),
        ("/record", json!("event")),
        ("/allocated", json!(["0x1"])),
    ];
    for (place, value) in wrong {
        let mut broken = call.clone();
        match broken.pointer_mut(place) {
            Some(old) => *old = value,
            None => broken["given"]["phContext"] = value,
        }
        assert!(schemas.validate(&broken, index).is_err(), "{place}");
    }
    let mut secretive = call.clone();
    secretive["password"] = json!("secret");
    assert!(schemas.validate(&secretive, index).is_err());
}
