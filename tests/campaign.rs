//! Campaigns, with programs in the place of fuzzers.
#![cfg(all(feature = "cli", unix))]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod library_support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use boon::{Compiler, Schemas};
use serde_json::Value;

/// Says what libFuzzer says in its fork mode, and leaves an artifact; with one input it says what does not hold.
const FUZZER: &str = r#"#!/bin/sh
case "$*" in
*-fork=*)
    for argument; do
        case "$argument" in -artifact_prefix=*) prefix="${argument#-artifact_prefix=}" ;; esac
    done
    echo 'INFO: -fork=2: fuzzing in separate process(s)' >&2
    echo '#900: cov: 30 ft: 60 corp: 5 exec/s: 450 oom/timeout/crash: 0/0/1 time: 2s job: 1 dft_time: 0' >&2
    echo '==7==ERROR: libFuzzer: deadly signal' >&2
    printf 'any' >"${prefix}crash-1"
    printf 'other' >"${prefix}crash-2"
    ;;
*)
    for file; do :; done
    # As AFL++ gives it, too.
    cmp -s - "$file" || { echo "the input is another than the file" >&2; exit 1; }
    grep -q '[aoe]' "$file" || exit 0
    echo "thread '<unnamed>' panicked at fuzz_targets/any.rs:4:1:" >&2
    echo 'row cat-continued: what came back at '"$(wc -c <"$file")" >&2
    exit 77
    ;;
esac
"#;

/// What the library is wrong in that is found here.
const FAULT: &str = "second-deletion-refused";

/// Seeds that do not tell it, and that do.
const SEEDS: [&str; 2] = ["asc-accounts-down", "dsc-deleted-before"];

struct Campaign {
    root: PathBuf,
}

impl Campaign {
    /// A campaign whose program for a target is this text, with a few seeds.
    fn new(name: &str, target: &str, program: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("campaign").join(name);
        let _not_there_the_first_time = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("programs")).expect("the target directory can be written");
        let campaign = Self { root };
        campaign.add(target, program);
        campaign
    }

    /// One more target.
    fn add(&self, target: &str, program: &str) {
        write_program(&self.root.join("programs").join(target), program);
        let seeds = self.root.join("seeds").join(if target == "differential" { "operations" } else { target });
        fs::create_dir_all(&seeds).expect("the target directory can be written");
        for name in SEEDS {
            fs::write(seeds.join(name), seed(name)).expect("the target directory can be written");
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_digest-ssp"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("DIGEST_SSP_FAULT", FAULT).arg("campaign").args(arguments);
        command.arg("--dir").arg(self.root.join("campaign"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    fn fuzz(&self, arguments: &[&str]) -> Output {
        self.fuzzing(arguments).output().expect("the program starts")
    }

    fn fuzzing(&self, arguments: &[&str]) -> Command {
        self.fuzzing_for("600", arguments)
    }

    fn fuzzing_for(&self, seconds: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(&["run", "--seconds", seconds, "--jobs", "2"]);
        command.arg("--programs").arg(self.root.join("programs")).arg("--seeds").arg(self.root.join("seeds"));
        command.args(arguments);
        command
    }

    /// The file of the first finding with that ending.
    fn found(&self, report: &Value, ending: &str) -> PathBuf {
        let name = report["findings"][0]["name"].as_str().expect("it has a name");
        self.root.join(format!("campaign/findings/{name}.{ending}"))
    }

    fn report(&self) -> Value {
        let output = self.run(&["report", "--format", "json"]);
        assert_eq!(text(&output.stderr), "");
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }
}

fn write_program(file: &Path, text: &str) {
    fs::write(file, text).expect("the target directory can be written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is our file");
}

/// A committed seed of `operations`: bytes to any other target.
fn seed(name: &str) -> Vec<u8> {
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/operations");
    fs::read(operations.join(name)).expect("it is one of the seeds")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn is_valid(report: &Value) -> bool {
    let schema = include_str!("../spec/schemas/campaign.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:campaign", schema).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:campaign", &mut schemas).expect("the schema is one");
    schemas.validate(report, index).is_ok()
}

#[test]
fn what_a_fuzzer_leaves_is_told_once_and_moved_and_a_campaign_goes_on() {
    let campaign = Campaign::new("left", "response", FUZZER);
    let first = campaign.fuzz(&[]);
    assert_eq!(first.status.code(), Some(1), "{}", text(&first.stderr));
    let told = text(&first.stdout);
    assert!(told.contains("property of row cat-continued, by response") && told.contains("1 finding\n"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("response") && line.contains(" 900 ")), "{told}");
    let report = campaign.report();
    assert!(is_valid(&report), "{report}");
    assert_eq!(report["findings"][0]["times"], 2);
    let input = fs::read(campaign.found(&report, "input")).expect("the input is kept");
    assert_eq!(input, b"a", "what shows the same is left out");
    let said = fs::read_to_string(campaign.found(&report, "txt")).expect("what was said is kept");
    assert!(said.ends_with("\nrow cat-continued: what came back at 1\n"), "{said}");
    let left = fs::read_dir(campaign.root.join("campaign/response/artifacts")).expect("there were artifacts");
    assert_eq!(left.count(), 0);
    let log = campaign.root.join("campaign/response/engine.log");
    assert_eq!(fs::read_to_string(log).expect("it is kept"), "==7==ERROR: libFuzzer: deadly signal\n");
    assert_eq!(campaign.fuzz(&[]).status.code(), Some(1));
    let report = campaign.report();
    assert_eq!(report["targets"]["response"]["executions"], 1800);
    assert_eq!(report["targets"]["response"]["runs"], 2);
    assert_eq!(report["findings"][0]["times"], 4);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(1));
    let mut other = report;
    other["findings"][0]["kind"] = "guess".into();
    assert!(!is_valid(&other));
}

/// Does what `cargo afl fuzz` does: an instance has statistics, and the first one a crash.
const AFL: &str = r#"#!/bin/sh
[ "$1 $2" = 'afl fuzz' ] || exit 2
while [ "$1" != -- ]; do
    case "$1" in
    -i) ls "$2" >/dev/null || exit 2 ;;
    -o) folder="$2" ;;
    -M | -S) instance="$2" ;;
    esac
    shift
done
mkdir -p "$folder/$instance/crashes"
[ "$instance" = main ] && printf 'any' >"$folder/$instance/crashes/id:000000,sig:06"
printf 'execs_done        : 100\nexecs_per_sec     : 7.5\nedges_found       : 30\ncorpus_count      : 5\n' \
    >"$folder/$instance/fuzzer_stats"
"#;

#[test]
fn instances_of_afl_share_a_campaign_that_is_theirs() {
    let campaign = Campaign::new("afl", "response", FUZZER);
    let cargo = campaign.root.join("bin/cargo");
    fs::create_dir_all(campaign.root.join("bin")).expect("the target directory can be written");
    write_program(&cargo, AFL);
    let path = std::env::var("PATH").expect("there are programs");
    let path = format!("{}:{path}", campaign.root.join("bin").display());
    let found = campaign.fuzzing(&["--engine", "afl"]).env("PATH", path).output().expect("the program starts");
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let report = campaign.report();
    assert!(is_valid(&report), "{report}");
    let told = ["engine", "targets", "findings"].map(|member| &report[member]);
    assert_eq!((told[0], &told[1]["response"]["executions"]), (&"afl".into(), &200.into()), "{report}");
    assert_eq!(told[2][0]["row"], "cat-continued", "{report}");
    let input = fs::read(campaign.found(&report, "input")).expect("the input is kept");
    assert_eq!(input, b"a");
    let other = campaign.fuzz(&[]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("the campaign there is one of afl"), "{}", text(&other.stderr));
}

/// The seeds alone show what this library does; the fuzzer is not asked any more.
#[test]
fn a_library_that_is_wrong_is_found_by_its_row_with_a_sequence_that_shows_it() {
    let campaign = Campaign::new("wrong", "differential", "#!/bin/sh\nexit 1\n");
    let library = library_support::faulty().display().to_string();
    let wrong = ["--target", "differential", "--library", &library, "--until-finding"];
    let found = campaign.fuzz(&wrong);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let report = campaign.report();
    assert!(is_valid(&report), "{report}");
    assert_eq!(report["findings"][0]["row"], "dsc-deleted-before", "{report}");
    let sequence = campaign.found(&report, "json");
    let reproduce = |subject: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_digest-ssp"));
        command.arg("reproduce").arg(&sequence).args(subject).env("DIGEST_SSP_FAULT", FAULT);
        command.output().expect("the program starts").status.code()
    };
    assert_eq!(reproduce(&["--library", &library]), Some(1));
    assert_eq!(reproduce(&[]), Some(0));
}

/// What an interrupted run left is not passed over in silence, and is judged by the next.
#[test]
fn what_was_left_is_told_and_taken_in() {
    let campaign = Campaign::new("interrupted", "response", FUZZER);
    assert_eq!(campaign.fuzz(&[]).status.code(), Some(1));
    let left = campaign.root.join("campaign/response/artifacts/crash-3");
    fs::write(&left, "left").expect("the campaign can be written");
    let report = campaign.run(&["report"]);
    assert!(text(&report.stdout).contains("1 inputs are not judged"));
    assert_eq!(campaign.report()["not_judged"], 1);
    assert_eq!(campaign.fuzz(&[]).status.code(), Some(1));
    assert!(!left.exists());
    assert_eq!(campaign.report()["findings"][0]["times"], 5);
}

/// What ends the process of a library ends neither the campaign nor what it knows.
#[test]
fn a_library_that_ends_its_process_is_a_finding() {
    let campaign = Campaign::new("ends", "differential", FUZZER);
    let library = library_support::hostile("abort", &[]).display().to_string();
    let found = campaign.fuzz(&["--target", "differential", "--library", &library]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let report = campaign.report();
    assert!(is_valid(&report), "{report}");
    let crash = report["findings"].as_array().into_iter().flatten().find(|finding| finding["kind"] == "crash");
    assert!(crash.is_some_and(|crash| crash["row"].as_str().is_some_and(|row| row.starts_with("asc-"))), "{report}");
}

/// Seeds that show something are no use to a fuzzer, which they end; it is given the others.
#[test]
fn a_fuzzer_begins_with_seeds_that_show_nothing() {
    let keeps = FUZZER.replace("    printf 'any'", "    cp -r \"$2\" \"$DIGEST_SSP_GIVEN\"\n    printf 'any'");
    assert_ne!(keeps, FUZZER);
    let given_by = |name: &str, seconds: &str, library: &Path| -> Vec<(String, Vec<u8>)> {
        let campaign = Campaign::new(name, "differential", &keeps);
        let given = campaign.root.join("given");
        let mut fuzzing = campaign.fuzzing_for(seconds, &["--target", "differential", "--library"]);
        let told = fuzzing.arg(library).env("DIGEST_SSP_GIVEN", &given).output().expect("the program starts");
        assert_eq!(told.status.code(), Some(1), "{name}: {}", text(&told.stderr));
        let files = fs::read_dir(&given).expect("the fuzzer began").map(|entry| entry.expect("it was copied").path());
        files.map(|file| (name_of(&file), fs::read(&file).expect("it was copied"))).collect()
    };
    let [held, _] = SEEDS;
    assert_eq!(given_by("ended", "600", &library_support::hostile("abort", &[])), []);
    assert_eq!(given_by("held", "600", &library_support::faulty()), [(held.to_owned(), seed(held))]);
    // The first takes all the time; whether the other hangs, too, the fuzzer need not try.
    assert_eq!(given_by("hangs", "1", &library_support::hostile("hang", &[])), []);
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).expect("a file has a name")
}

/// How a fuzzer speaks whose jobs all die before their first input.
const SILENT: &str =
    "#!/bin/sh\necho '#0: cov: 0 ft: 0 corp: 0 exec/s: 0 oom/timeout/crash: 0/0/0 time: 2s job: 1 dft_time: 0' >&2\n";

/// A library that ends its process in silence leaves nothing to an engine; what was found before is told all the same.
#[test]
fn an_engine_that_runs_nothing_hides_nothing() {
    for (name, program) in [("silent", SILENT), ("dead", "#!/bin/sh\nexit 1\n")] {
        let campaign = Campaign::new(name, "differential", program);
        let library = library_support::hostile("exit-at-once", &[]).display().to_string();
        let found = campaign.fuzz(&["--target", "differential", "--library", &library]);
        assert_eq!(found.status.code(), Some(1), "{name}: {}", text(&found.stderr));
        assert!(text(&found.stdout).contains("crash of row asc-"), "{}", text(&found.stdout));
        // Nobody takes what it found for a finding of another.
        let other = campaign.fuzz(&["--target", "differential"]);
        assert_eq!(other.status.code(), Some(2), "{}", text(&other.stdout));
        assert!(text(&other.stderr).contains("the campaign there is of "));
    }
}

/// What cannot be run is told and is no success, and ends nothing.
#[test]
fn a_target_that_runs_nothing_leaves_the_others_to_run() {
    let campaign = Campaign::new("others", "challenge", SILENT);
    let finds_nothing: String =
        FUZZER.lines().filter(|line| !line.contains("printf")).map(|line| format!("{line}\n")).collect();
    campaign.add("response", &finds_nothing);
    let told = campaign.fuzz(&[]);
    assert_eq!(told.status.code(), Some(2), "{}", text(&told.stdout));
    let (lines, problems) = (text(&told.stdout), text(&told.stderr));
    assert!(lines.lines().any(|line| line.starts_with("response") && line.contains(" 900 ")), "{lines}");
    assert!(lines.contains("\nchallenge could not be run: ") && !lines.contains("nothing was found"), "{lines}");
    assert!(problems.contains("challenge: it ran nothing") && problems.lines().count() == 1, "{problems}");
    let report = campaign.run(&["report"]);
    assert_eq!((report.status.code(), text(&report.stdout)), (Some(2), lines));
    let report = campaign.report();
    assert!(is_valid(&report) && report["targets"]["challenge"]["problem"].is_string(), "{report}");
    campaign.add("challenge", &finds_nothing);
    assert_eq!(campaign.fuzz(&[]).status.code(), Some(0));
    campaign.add("response", FUZZER);
    let found = campaign.fuzz(&[]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    assert!(text(&found.stdout).ends_with("\n1 finding\n"), "{}", text(&found.stdout));
}

/// What is wrong in one place is one finding, whichever target comes there; what a target says in its own words is its own.
#[test]
fn the_same_of_two_targets_is_told_once() {
    let says =
        |place: &str, what: &str| FUZZER.replace("fuzz_targets/any.rs:4:1", place).replace("row cat-continued: ", what);
    for (name, place, what, expected) in [
        ("row", "fuzz_targets/any.rs:4:1", "row cat-continued: ", 1),
        ("place", "src/package/message.rs:1:2", "", 1),
        ("own-words", "fuzz_targets/any.rs:4:1", "row cat-of-nobody: ", 2),
    ] {
        let campaign = Campaign::new(name, "challenge", &says(place, what));
        campaign.add("response", &says(place, what));
        assert_eq!(campaign.fuzz(&[]).status.code(), Some(1));
        let report = campaign.report();
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(expected), "{name}: {report}");
        let times = report["findings"].as_array().into_iter().flatten().filter_map(|finding| finding["times"].as_u64());
        assert_eq!(times.sum::<u64>(), 4, "{name}: {report}");
        assert!(is_valid(&report), "{report}");
        // Neither of them is taken for one that showed nothing.
        let told = text(&campaign.run(&["report"]).stdout);
        let of_each = told.lines().filter(|line| line.starts_with("challenge ") || line.starts_with("response "));
        assert_eq!(of_each.filter(|line| line.ends_with(" 1")).count(), 2, "{name}: {told}");
    }
}

/// What a target says when it is run again it says of the library that it was fuzzed with.
#[test]
fn a_target_is_run_again_with_its_library() {
    let library = library_support::faulty().display().to_string();
    let program = FUZZER.replace(
        "echo 'row cat-continued: what came back at '",
        &format!("[ \"$DIGEST_SSP_FUZZ_LIBRARY\" = '{library}' ] && echo 'row cat-continued: what came back at '"),
    );
    assert_ne!(program, FUZZER);
    let campaign = Campaign::new("again", "differential", &program);
    let found = campaign.fuzz(&["--target", "differential", "--library", &library]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let report = campaign.report();
    let said = report["findings"].as_array().into_iter().flatten().find(|finding| finding["kind"] == "property");
    assert_eq!(said.map(|said| &said["row"]), Some(&Value::from("cat-continued")), "{report}");
}

/// Who watches a campaign for days sees what is found when it is found.
#[test]
fn findings_are_taken_in_while_the_engine_runs() {
    let waits = r#"    printf 'any' >"${prefix}crash-1"
    # They are taken in every 30 seconds.
    for step in $(seq 900); do
        echo '#900: cov: 30 ft: 60 corp: 5 exec/s: 450 oom/timeout/crash: 0/0/1 time: 2s job: 1 dft_time: 0' >&2
        [ -e "${prefix}crash-1" ] || { printf 'other' >"${prefix}crash-2"; break; }
        sleep 0.1
    done
"#;
    let program =
        FUZZER.replace("    printf 'any' >\"${prefix}crash-1\"\n    printf 'other' >\"${prefix}crash-2\"\n", waits);
    assert_ne!(program, FUZZER);
    let campaign = Campaign::new("meanwhile", "response", &program);
    assert_eq!(campaign.fuzz(&[]).status.code(), Some(1));
    assert_eq!(campaign.report()["findings"][0]["times"], 2, "the second is left once the first is taken");
}

/// Of a sequence with which nothing is wrong by the tables the target's own words are told.
#[test]
fn what_only_the_target_knows_is_told_in_its_words() {
    let campaign = Campaign::new("words", "operations", FUZZER);
    let told = campaign.fuzz(&["--target", "operations"]);
    assert_eq!(told.status.code(), Some(1), "{}", text(&told.stderr));
    assert_eq!(campaign.report()["findings"][0]["kind"], "property");
}

#[test]
fn what_cannot_be_run_is_told_in_a_line() {
    let campaign = Campaign::new("broken", "response", "#!/bin/sh\necho 'no such option' >&2\nexit 1\n");
    let refused = |arguments: &[&str], why: &str| {
        let output = campaign.fuzz(arguments);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains(why), "{told}");
    };
    refused(&["--target", "response"], "no such option");
    let (beside, shell) = (campaign.root.join("a campaign").display().to_string(), "gives this path to a shell");
    let blank = Command::new(env!("CARGO_BIN_EXE_digest-ssp"))
        .args(["campaign", "run", "--target", "response", "--dir", &beside, "--programs"])
        .arg(campaign.root.join("programs"))
        .arg("--seeds")
        .arg(campaign.root.join("seeds"))
        .output()
        .expect("the program starts");
    assert_eq!(blank.status.code(), Some(2));
    assert!(text(&blank.stderr).contains(shell) && text(&blank.stderr).lines().count() == 1, "{}", text(&blank.stderr));
    assert!(!Path::new(&beside).exists());
    refused(&["--target", "challenge"], "cargo fuzz build makes it");
    refused(&["--target", "response", "--library", "libnone.so"], "only the target differential");
    let nobody = Campaign::new("nobody", "response", "").run(&["report"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("no campaign lives there"));
}
