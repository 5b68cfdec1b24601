//! `digest-ssp conform`.
#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::report::{Conclusion, Report, Strictness, human, json};
use digest_ssp::conformance::run::{Options, Progress, run_observed};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::spec::Specification;
use digest_ssp::spec::show;
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{self, Format};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp conform
  digest-ssp conform --list --only 'cat-*'
  digest-ssp conform --only 'cat-count-*' --cases 200 --seed 7 --strict
  digest-ssp conform --format json --output report.json

A run is determined by version, seed and number of cases.

Exit codes:
  0  no row failed or errored; with --strict none deviated either
  1  findings
  2  usage, or nothing is shown: the smoke exchange failed, or rows of CompleteAuthToken were chosen and none ran";

const BUILTIN: &str = "builtin";
const TABLES: &str = "tables";

/// Run the conformance suite against a subject.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Rows to run, by id; `*` stands for any text, `?` for one character. May be repeated [default: all].
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
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
    /// What is under test: the implementation of this crate, or the tables answering for themselves.
    #[arg(long, default_value = BUILTIN, value_parser = PossibleValuesParser::new([BUILTIN, TABLES]))]
    subject: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let specification = output::tables()?;
    let cases = usize::try_from(arguments.cases).map_err(|_| "--cases: more than this machine can count".to_owned())?;
    let options = Options { only: arguments.only.clone(), seed: arguments.seed, cases };
    for pattern in &arguments.only {
        let alone = Options { only: vec![pattern.clone()], ..options.clone() };
        if !specification.rows().any(|row| alone.selects(row)) {
            return Err(
                format!("--only {pattern}: no row has such an id; `digest-ssp conform --list` shows all").into()
            );
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
    match &arguments.output {
        Some(file) => output::write_file(file, &text)?,
        None => output::print(&text)?,
    }
    Ok(exit)
}

fn run_suite(specification: &Arc<Specification>, name: &str, options: &Options) -> Report {
    let mut subject: Box<dyn Subject> = match name {
        TABLES => Box::new(Oracle::new(Arc::clone(specification))),
        // clap lets no other name pass.
        _builtin => Box::new(Builtin::default()),
    };
    let bar = progress_bar();
    let report = run_observed(specification, subject.as_mut(), options, &mut |progress: Progress<'_>| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(progress.row.to_owned());
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

fn list(specification: &Specification, options: &Options, format: Format) -> Result<String, SetupError> {
    let rows = || specification.rows().filter(|row| options.selects(row));
    match format {
        Format::Human => Ok(human::list(specification, rows())),
        Format::Json => {
            let rows: Vec<_> = rows().filter_map(|row| show::row_json(specification, &row.id)).collect();
            output::json(&serde_json::Value::Array(rows))
        }
    }
}
