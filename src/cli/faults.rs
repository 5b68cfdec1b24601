//! `digest-ssp faults`.
#![forbid(unsafe_code)]

use core::fmt::Write;

use clap::Args;
use digest_ssp::conformance::run::{is_chosen, matches_glob};
use digest_ssp::conformance::subject::faulty::{self, Difference, Fault, hold};
use digest_ssp::conformance::{Options, RowVerdict};

use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp faults
  digest-ssp faults --cases 16,48
  digest-ssp faults --named
  digest-ssp faults --only 'second-*'
  digest-ssp faults --list
  digest-ssp conform --list-subjects
  digest-ssp conform --subject second-deletion-refused

Exit codes:
  0  in each subject exactly the rows fail that its fault names
  1  another row fails (not with --named), or one of them does not
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
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [Options::default().cases as u16],
          value_parser = clap::value_parser!(u16).range(16..=4096))]
    cases: Vec<u16>,
    /// Run only the rows that a fault names, and all where none of those fails: quick, and says that each is found, not by
    /// exactly which rows.
    #[arg(long)]
    named: bool,
    /// List them with the rows that each names, and try nothing.
    #[arg(long, conflicts_with_all = ["cases", "named"])]
    list: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    if let Some(pattern) =
        arguments.only.iter().find(|pattern| !faulty::all().any(|fault| matches_glob(pattern, fault.name)))
    {
        return Err(format!("--only {pattern}: no fault has such a name; conform --list-subjects shows them").into());
    }
    let faults: Vec<&'static Fault> = faulty::all().filter(|fault| is_chosen(&arguments.only, fault.name)).collect();
    if arguments.list {
        let line = |fault: &&Fault| format!("{}: {}\n", fault.name, fault.fails.join(" "));
        output::print(&faults.iter().map(line).collect::<String>())?;
        return Ok(Exit::Success);
    }
    let specification = output::tables()?;
    let (mut open, mut differences) = (faults.clone(), Vec::new());
    let all_rows = arguments.cases.iter().map(|cases| (*cases, false));
    let named_rows = arguments.cases.first().filter(|_| arguments.named).map(|cases| (*cases, true));
    for (cases, is_named) in named_rows.into_iter().chain(all_rows) {
        let bar = output::progress_bar();
        bar.set_length(open.len() as u64);
        let options = |fault: &Fault| {
            let rows = if is_named { fault.own_rows() } else { fault.options() };
            Options { cases: cases.into(), ..rows }
        };
        differences = hold(&specification, &open, &options, &|fault| {
            bar.set_message(fault.name);
            bar.inc(1);
        });
        bar.finish_and_clear();
        differences.retain(|difference| !(is_named && is_found(&open, difference)));
        open.retain(|fault| differences.iter().any(|difference| difference.fault == fault.name));
    }
    let mut text = String::new();
    for difference in &differences {
        let _ = writeln!(text, "{difference}");
    }
    let as_said = faults.len() - differences.len();
    let found = if arguments.named { "rows fail that they name" } else { "exactly the rows fail that they name" };
    let _ = writeln!(text, "{as_said} of {} faults: {found}", faults.len());
    output::print(&text)?;
    Ok(if differences.is_empty() { Exit::Success } else { Exit::Findings })
}

/// Whether one of the rows that a fault names fails, though not all do.
fn is_found(faults: &[&'static Fault], difference: &Difference) -> bool {
    let missing = difference.missing.iter().filter(|(verdict, _)| *verdict == RowVerdict::Fail).count();
    faults.iter().any(|fault| fault.name == difference.fault && missing < fault.fails.len())
}
