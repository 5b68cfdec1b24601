//! `digest-ssp conform`.
#![forbid(unsafe_code)]

use core::fmt::Display;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::expect::Expectations;
use digest_ssp::conformance::generate::suite::Suite;
use digest_ssp::conformance::report::{Conclusion, Report, Strictness, html, human, json, junit, markdown, sarif};
use digest_ssp::conformance::run::{self, Options, Progress, run_observed};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::spec::Specification;
use digest_ssp::spec::model::{CallSpec, Row};
use digest_ssp::spec::names::Profile;
use digest_ssp::spec::show;

use super::init_ci::InitArguments;
use super::output;
use super::subject::{self, SubjectArguments};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp conform
  digest-ssp conform --profile digest-sasl
  digest-ssp conform --profile any-package --subject opaque
  digest-ssp conform --list --only 'cat-*'
  digest-ssp conform --only 'cat-count-*' --cases 200 --seed 7 --strict
  digest-ssp conform --format json --output report.json
  digest-ssp conform --format html --output report.html
  digest-ssp conform --expect known.toml
  digest-ssp conform --init-ci --provider gitlab --into ../adopter
  digest-ssp conform --command 'python3 my_adapter.py' --timeout 5
  digest-ssp conform --command ./my_adapter --wrap 'valgrind --quiet --error-exitcode=99'
  digest-ssp conform --library ./libmysspi.so
  digest-ssp conform --library libwinpr2.so.2 --package NTLM
  digest-ssp conform --list-subjects

A run is determined by version, seed and number of cases.

An expectations file names what is known to be wrong; a row that is wrong as an entry says has the verdict xfail:
  [[expect]]
  row = \"cat-count-*\"          # an id or a pattern
  profile = \"digest-http\"      # optional
  verdict = \"fail\"             # or deviation, crash, timeout, unstable, skipped, errored
  reason = \"counts are kept per connection\"
  link = \"https://bugs.example/17\"  # optional
An entry that is true of no row any more is a finding.

`digest-ssp reproduce` runs the reproducers of a report again.

Exit codes:
  0  no row is wrong but as expected; with --strict none deviates either
  1  findings, or stale expectations
  2  usage; or the program of --command is no adapter, or --library cannot be loaded; or nothing is shown of a profile:
     its smoke exchange failed, or rows of CompleteAuthToken were chosen and none ran";

/// The name of the Digest package.
const DIGEST: &str = "WDigest";

/// A profile that has tables.
pub(super) fn profile_name(name: &str) -> Result<Profile, String> {
    Profile::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        format!("no profile has this name; there are {}", known.join(", "))
    })
}

/// The form of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ReportFormat {
    /// For a person at a terminal.
    Human,
    /// For a program; spec/schemas/conform.schema.json describes it.
    Json,
    /// For the pages of CI services.
    Junit,
    /// For viewers of findings: SARIF 2.1.0.
    Sarif,
    /// One file for a browser.
    Html,
    /// For summaries and issues.
    Markdown,
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
    /// Run the generated suite of a file instead of the cases of rows; see `digest-ssp suite`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["only", "profile", "list", "cases"])]
    suite: Option<PathBuf>,
    /// Count deviations as findings.
    #[arg(long)]
    strict: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    format: ReportFormat,
    /// Write the report to a file, all of it or nothing.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Known failures with their reasons, in TOML: see below.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "list")]
    expect: Option<PathBuf>,
    #[command(flatten)]
    init: InitArguments,
    #[command(flatten)]
    subject: SubjectArguments,
    /// List what can be put under test, and test nothing.
    #[arg(long, conflicts_with_all = ["only", "profile", "package", "list", "seed", "cases", "format", "expect", "subject"])]
    list_subjects: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    if arguments.list_subjects {
        return hand_over(arguments, &subject::list()).map(|()| Exit::Success);
    }
    let specification = output::tables()?;
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
    if arguments.list {
        hand_over(arguments, &list(&specification, &options, arguments.format)?)?;
        return Ok(Exit::Success);
    }
    let strictness = if arguments.strict { Strictness::Strict } else { Strictness::Lenient };
    let expectations = arguments.expect.as_deref().map(expectations).transpose()?;
    let files = if arguments.init.is_wanted() { Some(arguments.init.files()?) } else { None };
    let mut report = match &arguments.suite {
        None => run_rows(&specification, &arguments.subject, &options)?,
        Some(file) => run_suite(&specification, arguments.subject.subject(&specification)?.as_mut(), file, &options)?,
    };
    if let Some(expectations) = expectations {
        expectations.apply(&specification, testable(&options.profiles), &mut report);
    }
    if let Some(files) = files {
        return arguments.init.write(&files, &report, strictness);
    }
    hand_over(arguments, &written(&specification, &report, strictness, arguments.format)?)?;
    Ok(match report.conclusion(strictness) {
        Conclusion::Conforms => Exit::Success,
        Conclusion::Findings => Exit::Findings,
        Conclusion::NothingShown => Exit::NothingShown,
    })
}

fn expectations(file: &Path) -> Result<Expectations, SetupError> {
    let name = file.display();
    let text = read_to_string(file).map_err(|error| format!("--expect {name}: {error}"))?;
    Expectations::parse(&text).map_err(|error| format!("--expect {name}: {error}").into())
}

/// The report in the form asked for.
fn written(
    specification: &Specification,
    report: &Report,
    strictness: Strictness,
    format: ReportFormat,
) -> Result<String, SetupError> {
    let cannot = |error: &dyn Display| SetupError::from(format!("the report cannot be written: {error}"));
    match format {
        ReportFormat::Human => Ok(human::report(specification, report, strictness)),
        ReportFormat::Json => json::report(report, strictness).map_err(|error| cannot(&error)),
        ReportFormat::Junit => junit::report(specification, report, strictness).map_err(|error| cannot(&error)),
        ReportFormat::Sarif => sarif::report(specification, report, strictness).map_err(|error| cannot(&error)),
        ReportFormat::Html => Ok(html::report(specification, report, strictness)),
        ReportFormat::Markdown => Ok(markdown::report(specification, report, strictness)),
    }
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

/// The profiles that a run of the same subject could have had: those of Digest, or the one of every other package.
fn testable(chosen: &[Profile]) -> &'static [Profile] {
    if chosen.contains(&Profile::AnyPackage) { Profile::ALL } else { Profile::DIGEST }
}

fn hand_over(arguments: &Arguments, text: &str) -> Result<(), SetupError> {
    match &arguments.output {
        Some(file) => output::write_file(file, text),
        None => output::print(text),
    }
}

/// Runs the suite of a file, where the subject offers what its alphabet needs.
fn run_suite(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    file: &Path,
    options: &Options,
) -> Result<Report, SetupError> {
    let cannot = |error: &dyn Display| SetupError::from(format!("--suite {}: {error}", file.display()));
    let json = std::fs::read(file).map_err(|error| cannot(&error))?;
    let suite = Suite::read(specification, &json).map_err(|error| cannot(&error))?;
    let drawable = suite.drawable(specification).map_err(|error| cannot(&error))?;
    let missing = drawable.alphabet.lacks(&subject.capabilities());
    if !missing.is_empty() {
        let problem = format!("the subject does not offer what {} needs: {}", suite.alphabet, missing.join(", "));
        return Err(cannot(&problem));
    }
    let bar = output::progress_bar();
    bar.set_length(drawable.len() as u64);
    bar.set_message(suite.alphabet.clone());
    let report = run::run_suite(specification, subject, &drawable, options, &mut |done| {
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(report)
}

/// Runs the rows; on all processors where the subject is one that only answers calls.
fn run_rows(
    specification: &Arc<Specification>,
    arguments: &SubjectArguments,
    options: &Options,
) -> Result<Report, SetupError> {
    let bar = output::progress_bar();
    let observe = |progress: Progress<'_>| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(format!("{} {}", progress.profile, progress.row));
    };
    let report = if arguments.is_builtin() {
        run::run_on_all_processors(specification, &|| Box::new(Builtin::default()), options, &observe)
    } else {
        run_observed(specification, arguments.subject(specification)?.as_mut(), options, &mut |progress| {
            observe(progress)
        })
    };
    bar.finish_and_clear();
    Ok(report)
}

/// The rows of the profiles chosen; what they have in common once.
fn rows<'s>(specification: &'s Specification, options: &'s Options) -> impl Iterator<Item = &'s Row> {
    let chosen = |tables: &&CallSpec| tables.profiles.iter().any(|profile| options.profiles.contains(profile));
    specification.calls.iter().filter(chosen).flat_map(|tables| &tables.rows)
}

fn list(specification: &Specification, options: &Options, format: ReportFormat) -> Result<String, SetupError> {
    let rows = rows(specification, options).filter(|row| options.selects(row));
    match format {
        ReportFormat::Human => Ok(human::list(specification, rows)),
        ReportFormat::Json => {
            let rows: Vec<_> = rows.filter_map(|row| show::row_json(specification, &row.id)).collect();
            output::json(&serde_json::Value::Array(rows))
        }
        ReportFormat::Junit | ReportFormat::Sarif | ReportFormat::Html | ReportFormat::Markdown => {
            Err("--format: a list is for human or json only".to_owned().into())
        }
    }
}
