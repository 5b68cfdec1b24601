//! `digest-ssp vectors`.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};
use digest_ssp::conformance::vectors;

use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp vectors check
  digest-ssp vectors check --dir my-vectors

Exit codes:
  0  every vector says what this program says, and the files break no rule
  1  a vector says otherwise, or a file breaks a rule
  2  usage, or a file that cannot be read";

/// Check the test vectors for implementers.
#[derive(Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = false)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every vector through the digest layer, and find every rule that the files break.
    Check {
        /// Files to check, laid out as spec/vectors is.
        #[arg(long = "dir", visible_alias = "directory", value_name = "DIR", default_value = "spec/vectors",
              value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match &arguments.command {
        Command::Check { directory } => check(directory),
    }
}

fn check(directory: &Path) -> Result<Exit, SetupError> {
    let report = vectors::check(directory).map_err(|error| format!("--dir {error}"))?;
    let mut text = String::new();
    for summary in &report.files {
        let _ = writeln!(text, "{summary}");
    }
    for problem in &report.problems {
        let _ = writeln!(text, "{problem}");
    }
    let all: usize = report.files.iter().map(|summary| summary.valid + summary.invalid).sum();
    let _ = writeln!(text, "{all} vectors in {} files: {} problems", report.files.len(), report.problems.len());
    output::print(&text)?;
    Ok(if report.problems.is_empty() { Exit::Success } else { Exit::Findings })
}
