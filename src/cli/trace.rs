//! `digest-ssp trace`.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};
use digest_ssp::spec::callers::{judge, report};
use digest_ssp::spec::names::Level;

use super::output::{self, Format};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  DIGEST_SSP_TRACE=trace.jsonl ./program
  digest-ssp trace check trace.jsonl
  digest-ssp trace check --strict --format json trace.jsonl

The program is linked with the C library of this crate, or has loaded it. The trace holds no secrets.
What a caller owes the package is under Callers in spec/REFERENCE.md.

Exit codes:
  0  no rule that is a must is broken; with --strict none at all
  1  findings
  2  usage, or a file that is no trace";

/// Judge a caller of the C library by a trace of its calls.
#[derive(Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = false)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find every rule for callers that a trace shows to be broken.
    #[command(after_help = EXAMPLES)]
    Check {
        /// The trace; `-` is standard input.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Count broken rules that are a should as findings.
        #[arg(long)]
        strict: bool,
        /// Form of the report.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// Write the report to a file, all of it or nothing.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match &arguments.command {
        Command::Check { file, strict, format, output } => check(file, *strict, *format, output.as_deref()),
    }
}

fn check(file: &Path, strict: bool, format: Format, output: Option<&Path>) -> Result<Exit, SetupError> {
    let specification = output::tables()?;
    let name = file.display();
    let input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(|error| format!("{name}: {error}"))?))
    };
    let found = judge(input).map_err(|error| format!("{name}: {error}"))?;
    let text = match format {
        Format::Human => report::human(&specification, &found),
        Format::Json => output::json(&report::json(&specification, &found))?,
    };
    match output {
        Some(file) => output::write_file(file, &text)?,
        None => output::print(&text)?,
    }
    let counts = |level| found.of_level(&specification, level).next().is_some();
    let is_found = counts(Level::Must) || (strict && counts(Level::Should));
    Ok(if is_found { Exit::Findings } else { Exit::Success })
}
