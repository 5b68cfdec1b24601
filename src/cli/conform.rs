//! `digest-ssp conform`.
#![forbid(unsafe_code)]

use std::fs::read_to_string;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::{Conclusion, Report, Strictness, human, json};
use digest_ssp::conformance::run::{Options, Progress, run_observed, run_sequence};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::subject::oracle::Oracle;
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
  digest-ssp conform --profile any-package --subject opaque
  digest-ssp conform --list --only 'cat-*'
  digest-ssp conform --only 'cat-count-*' --cases 200 --seed 7 --strict
  digest-ssp conform --format json --output report.json
  digest-ssp conform --replay reproducer.json
  digest-ssp conform --list-subjects

A run is determined by version, seed and number of cases.

Exit codes:
  0  no row failed or errored; with --strict none deviated either
  1  findings
  2  usage, or nothing is shown of a profile: its smoke exchange failed, or rows of CompleteAuthToken were chosen and
     none ran";

/// The tester writes tokens that are too long by one; nobody's limit needs to be greater than this.
const LONGEST_TOKEN: usize = 1 << 20;

const BUILTIN: &str = "builtin";
const TABLES: &str = "tables";
const OPAQUE: &str = "opaque";

/// The name of the Digest package.
const DIGEST: &str = "WDigest";

/// A profile that has tables.
fn profile_name(name: &str) -> Result<Profile, String> {
    Profile::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        format!("no profile has this name; there are {}", known.join(", "))
    })
}

/// A name that a subject has.
fn subject_name(name: &str) -> Result<String, &'static str> {
    let known = [BUILTIN, TABLES, OPAQUE].contains(&name) || faulty::all().any(|fault| fault.name == name);
    if known { Ok(name.to_owned()) } else { Err("no subject has this name; --list-subjects shows all") }
}

fn list_subjects() -> String {
    let mut text = format!(
        "{BUILTIN}\n    The reference implementation of this crate.\n{TABLES}\n    The tables, answering for themselves.\n\
         {OPAQUE}\n    A package of three tokens that asks for completions; for --profile any-package.\n"
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
    /// Profile to run, of those the subject implements: digest-http, digest-sasl, or any-package, the rows that hold for
    /// every package. May be repeated [default: both of Digest; any-package where --package names another package].
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    profile: Vec<Profile>,
    /// Package under test, as AcquireCredentialsHandle is told it [default: WDigest].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    package: Option<String>,
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
          conflicts_with_all = ["only", "profile", "package", "list", "seed", "cases", "format"])]
    replay: Option<PathBuf>,
    /// What is under test; --list-subjects shows what can be.
    #[arg(long, value_name = "NAME", default_value = BUILTIN, value_parser = subject_name)]
    subject: String,
    /// List what can be put under test, and test nothing.
    #[arg(long, conflicts_with_all = ["only", "profile", "package", "list", "seed", "cases", "format", "replay", "subject"])]
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
    let profiles = profiles(arguments);
    let package = arguments.package.clone();
    let options = Options { profiles, only: arguments.only.clone(), package, seed: arguments.seed, cases };
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
        let report = run_suite(&specification, &arguments.subject, &options);
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

/// The profiles asked for; where none is, those of Digest, or what every package has in common if another one is named.
fn profiles(arguments: &Arguments) -> Vec<Profile> {
    let is_digest = |name: &String| name.eq_ignore_ascii_case(DIGEST);
    match (arguments.profile.as_slice(), &arguments.package) {
        ([], Some(package)) if !is_digest(package) => vec![Profile::AnyPackage],
        ([], Some(_) | None) => Profile::DIGEST.to_vec(),
        (asked, _) => Profile::ALL.iter().copied().filter(|profile| asked.contains(profile)).collect(),
    }
}

fn hand_over(arguments: &Arguments, text: &str) -> Result<(), SetupError> {
    match &arguments.output {
        Some(file) => output::write_file(file, text),
        None => output::print(text),
    }
}

fn subject(specification: &Arc<Specification>, name: &str) -> Box<dyn Subject> {
    if name == TABLES {
        return Box::new(Oracle::new(Arc::clone(specification)));
    }
    if name == OPAQUE {
        return Box::new(Opaque::default());
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
    let trace = run_sequence(specification, subject(specification, &arguments.subject).as_mut(), &sequence);
    let deviates = |step: &Step| matches!(step.judgement.verdict, Verdict::Deviation(_));
    let found = trace.failure().is_some() || trace.error.is_some();
    let found = found || (arguments.strict && trace.steps.iter().any(deviates));
    let exit = if found { Exit::Findings } else { Exit::Success };
    Ok((human::trace(&sequence, &trace), exit))
}

fn run_suite(specification: &Arc<Specification>, name: &str, options: &Options) -> Report {
    let mut subject = subject(specification, name);
    let bar = progress_bar();
    let report = run_observed(specification, subject.as_mut(), options, &mut |progress: Progress<'_>| {
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
