//! `digest-ssp conform`.
#![forbid(unsafe_code)]

use std::fs::read_to_string;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::{Conclusion, Report, Strictness, human, json};
use digest_ssp::conformance::run::{Options, Progress, run_observed, run_sequence};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::subject::process::{DEFAULT_TIMEOUT, Isolation, Launch, Process};
use digest_ssp::conformance::walk::Step;
use digest_ssp::spec::model::{CallSpec, Row};
use digest_ssp::spec::names::Profile;
use digest_ssp::spec::show;
use digest_ssp::spec::{Specification, Verdict};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{self, Format};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp conform
  digest-ssp conform --profile digest-sasl
  digest-ssp conform --list --only 'cat-*'
  digest-ssp conform --only 'cat-count-*' --cases 200 --seed 7 --strict
  digest-ssp conform --format json --output report.json
  digest-ssp conform --replay reproducer.json
  digest-ssp conform --command 'python3 my_adapter.py' --timeout 5
  digest-ssp conform --command ./my_adapter --wrap 'valgrind --quiet --error-exitcode=99'
  digest-ssp conform --list-subjects

A run is determined by version, seed and number of cases.

Exit codes:
  0  no row failed or errored; with --strict none deviated either
  1  findings
  2  usage; or the program of --command is no adapter; or nothing is shown of a profile: its smoke exchange failed, or
     rows of CompleteAuthToken were chosen and none ran";

/// The tester writes tokens that are too long by one; nobody's limit needs to be greater than this.
const LONGEST_TOKEN: usize = 1 << 20;

pub(super) const BUILTIN: &str = "builtin";
const TABLES: &str = "tables";

/// A profile that has tables.
fn profile_name(name: &str) -> Result<Profile, String> {
    Profile::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        format!("no profile has this name; there are {}", known.join(", "))
    })
}

/// A name that an isolation has.
fn isolation_name(name: &str) -> Result<Isolation, String> {
    Isolation::ALL.into_iter().find(|isolation| isolation.name() == name).ok_or_else(|| {
        let known: Vec<_> = Isolation::ALL.iter().map(|isolation| isolation.name()).collect();
        format!("no isolation has this name; there are {}", known.join(", "))
    })
}

/// A name that a subject has.
pub(super) fn subject_name(name: &str) -> Result<String, &'static str> {
    let known = [BUILTIN, TABLES].contains(&name) || faulty::all().any(|fault| fault.name == name);
    if known { Ok(name.to_owned()) } else { Err("no subject has this name; --list-subjects shows all") }
}

fn list_subjects() -> String {
    let mut text = format!(
        "{BUILTIN}\n    The reference implementation of this crate.\n{TABLES}\n    The tables, answering for themselves.\n"
    );
    for fault in faulty::all() {
        text.push_str(&format!("{}\n    Wrong on purpose: {}\n", fault.name, fault.text));
    }
    text
}

/// Run the conformance suite against a subject.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Rows to run, by id; `*` stands for any text, `?` for one character. May be repeated [default: all].
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Profile to run, of those the subject implements: digest-http or digest-sasl. May be repeated [default: both].
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    profile: Vec<Profile>,
    /// List the rows that would run, and run none.
    #[arg(long)]
    list: bool,
    /// What every choice that the rows leave open is drawn from.
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    seed: u64,
    /// Cases per row.
    #[arg(long, value_name = "N", default_value_t = Options::default().cases as u64,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    cases: u64,
    /// Count deviations as findings.
    #[arg(long)]
    strict: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to a file, all of it or nothing.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Run one sequence, the JSON line of a reproducer, and tell how each call went; `-` is standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["only", "profile", "list", "seed", "cases", "format"])]
    replay: Option<PathBuf>,
    /// What is under test; --list-subjects shows what can be.
    #[arg(long, value_name = "NAME", default_value = BUILTIN, value_parser = subject_name)]
    subject: String,
    /// Put a program under test that speaks the adapter protocol (spec/ADAPTERS.md). The line is split into words as a
    /// shell does it, and no shell runs it.
    #[arg(long, value_name = "PROGRAM ARGS…", conflicts_with = "subject")]
    command: Option<String>,
    /// How long the program may take for an answer; three times as long for its first.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs(), requires = "command",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// What one sequence can do to the next: anything, in one process for all (persistent); nothing, each has a process
    /// of its own (fresh); nothing, for the program forks at each start by itself (fork).
    #[arg(long, value_name = "NAME", default_value = Isolation::Persistent.name(), requires = "command",
          value_parser = isolation_name)]
    isolation: Isolation,
    /// Words before those of the program: `valgrind --quiet --error-exitcode=99`, `ssh host`.
    #[arg(long, value_name = "WRAPPER ARGS…", requires = "command")]
    wrap: Option<String>,
    /// List what can be put under test, and test nothing.
    #[arg(long, conflicts_with_all = ["only", "profile", "list", "seed", "cases", "format", "replay", "subject", "command"])]
    list_subjects: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    if arguments.list_subjects {
        return hand_over(arguments, &list_subjects()).map(|()| Exit::Success);
    }
    let specification = output::tables()?;
    if let Some(file) = &arguments.replay {
        let (text, exit) = replay(&specification, arguments, file)?;
        hand_over(arguments, &text)?;
        return Ok(exit);
    }
    let cases = usize::try_from(arguments.cases).map_err(|_| "--cases: more than this machine can count".to_owned())?;
    let asked = |profile: &Profile| arguments.profile.is_empty() || arguments.profile.contains(profile);
    let profiles = Profile::ALL.iter().copied().filter(asked).collect();
    let options = Options { profiles, only: arguments.only.clone(), seed: arguments.seed, cases };
    for pattern in &arguments.only {
        let alone = Options { only: vec![pattern.clone()], ..options.clone() };
        if !rows(&specification, &alone).any(|row| alone.selects(row)) {
            let problem = format!("--only {pattern}: no row of the profile has such an id");
            return Err(format!("{problem}; `digest-ssp conform --list` shows all").into());
        }
    }
    let (text, exit) = if arguments.list {
        (list(&specification, &options, arguments.format)?, Exit::Success)
    } else {
        let strictness = if arguments.strict { Strictness::Strict } else { Strictness::Lenient };
        let report = run_suite(&specification, subject_of(&specification, arguments)?.as_mut(), &options);
        let text = match arguments.format {
            Format::Human => human::report(&specification, &report, strictness),
            Format::Json => {
                json::report(&report, strictness).map_err(|error| format!("the report cannot be written: {error}"))?
            }
        };
        let exit = match report.conclusion(strictness) {
            Conclusion::Conforms => Exit::Success,
            Conclusion::Findings => Exit::Findings,
            Conclusion::NothingShown => Exit::NothingShown,
        };
        (text, exit)
    };
    hand_over(arguments, &text)?;
    Ok(exit)
}

fn hand_over(arguments: &Arguments, text: &str) -> Result<(), SetupError> {
    match &arguments.output {
        Some(file) => output::write_file(file, text),
        None => output::print(text),
    }
}

/// What is under test.
fn subject_of(specification: &Arc<Specification>, arguments: &Arguments) -> Result<Box<dyn Subject>, SetupError> {
    let Some(line) = &arguments.command else { return Ok(subject(specification, &arguments.subject)) };
    let mut launch = Launch::parse(line).map_err(|problem| format!("--command {line}: {problem}"))?;
    if let Some(line) = &arguments.wrap {
        launch = launch.wrapped(Launch::parse(line).map_err(|problem| format!("--wrap {line}: {problem}"))?);
    }
    let timeout = Duration::from_secs(arguments.timeout);
    let process = Process::open(launch, arguments.isolation, timeout).map_err(|problem| {
        format!("--command {line}: the adapter is wrong: {problem}; spec/ADAPTERS.md says how to write one")
    })?;
    Ok(Box::new(process))
}

/// The subject of this program that has the name.
pub(super) fn subject(specification: &Arc<Specification>, name: &str) -> Box<dyn Subject> {
    if name == TABLES {
        return Box::new(Oracle::new(Arc::clone(specification)));
    }
    match faulty::all().find(|fault| fault.name == name) {
        Some(fault) => fault.subject(specification),
        // The parser of the arguments lets no other name pass.
        None => Box::new(Builtin::default()),
    }
}

fn replay(
    specification: &Arc<Specification>,
    arguments: &Arguments,
    file: &Path,
) -> Result<(String, Exit), SetupError> {
    let name = file.display();
    let json = if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { read_to_string(file) };
    let json = json.map_err(|error| format!("--replay {name}: {error}"))?;
    let sequence: Sequence =
        serde_json::from_str(&json).map_err(|error| format!("--replay {name}: it is no reproducer: {error}"))?;
    if sequence.setup.limits.token_bytes > LONGEST_TOKEN {
        return Err(format!("--replay {name}: setup.limits.token_bytes is above {LONGEST_TOKEN}").into());
    }
    let trace = run_sequence(specification, subject_of(specification, arguments)?.as_mut(), &sequence);
    let deviates = |step: &Step| matches!(step.judgement.verdict, Verdict::Deviation(_));
    let found = trace.failure().is_some() || trace.error.is_some();
    let found = found || (arguments.strict && trace.steps.iter().any(deviates));
    let exit = if found { Exit::Findings } else { Exit::Success };
    Ok((human::trace(&sequence, &trace), exit))
}

fn run_suite(specification: &Arc<Specification>, subject: &mut dyn Subject, options: &Options) -> Report {
    let bar = progress_bar();
    let report = run_observed(specification, subject, options, &mut |progress: Progress<'_>| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(format!("{} {}", progress.profile, progress.row));
    });
    bar.finish_and_clear();
    report
}

/// A bar on standard error, which only a terminal shows.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// The rows of the profiles chosen; what they have in common once.
fn rows<'s>(specification: &'s Specification, options: &'s Options) -> impl Iterator<Item = &'s Row> {
    let chosen = |tables: &&CallSpec| tables.profiles.iter().any(|profile| options.profiles.contains(profile));
    specification.calls.iter().filter(chosen).flat_map(|tables| &tables.rows)
}

fn list(specification: &Specification, options: &Options, format: Format) -> Result<String, SetupError> {
    let rows = rows(specification, options).filter(|row| options.selects(row));
    match format {
        Format::Human => Ok(human::list(specification, rows)),
        Format::Json => {
            let rows: Vec<_> = rows.filter_map(|row| show::row_json(specification, &row.id)).collect();
            output::json(&serde_json::Value::Array(rows))
        }
    }
}
