//! `digest-ssp faults`.
#![forbid(unsafe_code)]

use core::fmt::Write;

use clap::Args;
use digest_ssp::conformance::Options;
use digest_ssp::conformance::run::matches_glob;
use digest_ssp::conformance::subject::faulty::{self, Fault, hold};

use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp faults
  digest-ssp faults --cases 16,48
  digest-ssp faults --only 'second-*'
  digest-ssp conform --list-subjects
  digest-ssp conform --subject second-deletion-refused

Exit codes:
  0  in each subject exactly the rows fail that its fault names
  1  another row fails, or one does not
  2  usage or set-up: nothing could be tried";

/// Try the suite on subjects that are wrong on purpose: it must find in each what its fault names, and nothing else.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Faults to try, by name; `*` stands for any text, `?` for one character. May be repeated [default: all].
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Concretisations of a row; of several numbers the next is tried where the one before did not find exactly the rows
    /// that a fault names.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [Options::default().cases as u64],
          value_parser = clap::value_parser!(u64).range(16..=4096))]
    cases: Vec<u64>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    if let Some(pattern) =
        arguments.only.iter().find(|pattern| !faulty::all().any(|fault| matches_glob(pattern, fault.name)))
    {
        return Err(format!("--only {pattern}: no fault has such a name; conform --list-subjects shows them").into());
    }
    let is_chosen = |fault: &&Fault| {
        arguments.only.is_empty() || arguments.only.iter().any(|pattern| matches_glob(pattern, fault.name))
    };
    let faults: Vec<&'static Fault> = faulty::all().filter(is_chosen).collect();
    let specification = output::tables()?;
    let (mut open, mut differences) = (faults.clone(), Vec::new());
    for cases in &arguments.cases {
        let cases = usize::try_from(*cases).unwrap_or(usize::MAX);
        let bar = output::progress_bar();
        bar.set_length(open.len() as u64);
        differences = hold(&specification, &open, &|fault| Options { cases, ..fault.options() }, &|fault| {
            bar.set_message(fault.name);
            bar.inc(1);
        });
        bar.finish_and_clear();
        open.retain(|fault| differences.iter().any(|difference| difference.fault == fault.name));
    }
    let mut text = String::new();
    for difference in &differences {
        let _ = writeln!(text, "{difference}");
    }
    let as_said = faults.len() - differences.len();
    let _ = writeln!(text, "{as_said} of {} faults: exactly the rows fail that they name", faults.len());
    output::print(&text)?;
    Ok(if differences.is_empty() { Exit::Success } else { Exit::Findings })
}
