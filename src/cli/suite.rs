//! `digest-ssp suite`.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::conformance::generate::alphabet::{self, Alphabet};
use digest_ssp::conformance::generate::faults::{Judge, Tally};
use digest_ssp::conformance::generate::suite::{Suite, named, reference};
use digest_ssp::conformance::generate::tables::{Survivor, judge, mutants};
use digest_ssp::conformance::generate::unfold::Reference;
use digest_ssp::conformance::generate::{method, promela};
use digest_ssp::spec::Specification;
use fastrand::Rng;

use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp suite
  digest-ssp suite --alphabet digest-initiator --extra-states 1 --output suite.json
  digest-ssp conform --suite suite.json
  digest-ssp suite --faults
  digest-ssp suite --alphabet digest-acceptor --promela acceptor.pml && spin -run acceptor.pml

What is promised: every subject that under the alphabet behaves as a deterministic Mealy machine of at most so many states
as the reference machine and the extra ones, and treats all members of a class alike, is found out by the suite if it
differs from the tables anywhere. What the alphabet leaves out, such as counts and many sessions, the cases of `conform`
have.

Exit codes:
  0  the suite was made; with --faults, no fault survives it
  1  a fault survives
  2  usage or set-up: nothing could be made";

/// How a suite is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Method {
    /// The H-method: the shorter suite.
    H,
    /// The W-method: the older one, with the simpler proof.
    W,
}

impl From<Method> for method::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::H => Self::H,
            Method::W => Self::W,
        }
    }
}

/// Generate test suites with a guarantee from the tables.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Alphabet: what the suite may do. May be repeated [default: all].
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(alphabet::names().map(|(name, _)| name)))]
    alphabet: Vec<String>,
    /// How the suite is made.
    #[arg(long, value_enum, default_value_t = Method::H)]
    method: Method,
    /// How many states more than the reference machine a subject may have.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    extra_states: u8,
    /// Write the suite, of one alphabet, as JSON.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "alphabet")]
    output: Option<PathBuf>,
    /// Write the reference machine of one alphabet in Promela, with what must hold of it, for Spin.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "alphabet")]
    promela: Option<PathBuf>,
    /// Show the states, the classes with their members, and the outputs.
    #[arg(long)]
    verbose: bool,
    /// Try the suite on faulty machines: every single fault, 10000 double ones and 10000 with an extra state; and on 500
    /// faulty tables over real bytes.
    #[arg(long)]
    faults: bool,
    /// What faults and members of classes are drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// How many double faults, and faults with an extra state.
const DRAWN: usize = 10_000;

/// How many faulty tables, over all alphabets asked for.
const TABLES: usize = 500;

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let specification = output::tables()?;
    let chosen: Vec<&str> = if arguments.alphabet.is_empty() {
        alphabet::names().map(|(name, _)| name).collect()
    } else {
        arguments.alphabet.iter().map(String::as_str).collect()
    };
    if chosen.len() > 1 && (arguments.output.is_some() || arguments.promela.is_some()) {
        return Err("--output, --promela: a file holds what is of one --alphabet".to_owned().into());
    }
    let mut survived = 0;
    for name in &chosen {
        let alphabet = named(&specification, name).map_err(|error| format!("--alphabet {error}"))?;
        let reference = reference(&specification, &alphabet).map_err(|error| error.to_string())?;
        let extra = usize::from(arguments.extra_states);
        let suite = Suite::of(&specification, &alphabet, &reference, arguments.method.into(), extra);
        let mut text = summary(&alphabet, &reference, &suite);
        if arguments.verbose {
            text += &details(&alphabet, &reference);
        }
        output::print(&text)?;
        if let Some(file) = &arguments.output {
            let json =
                serde_json::to_string(&suite).map_err(|error| format!("the suite cannot be written: {error}"))?;
            output::write_file(file, &(json + "\n"))?;
        }
        if let Some(file) = &arguments.promela {
            let model = promela::model(&specification, &alphabet, &reference);
            let model = model.map_err(|error| format!("--promela {}: {error}", file.display()))?;
            output::write_whole(file, &model).map_err(|error| format!("--promela {}: {error}", file.display()))?;
        }
        if arguments.faults {
            survived += faults(&specification, &alphabet, &reference, &suite, arguments.seed, TABLES / chosen.len())?;
        }
    }
    Ok(if survived == 0 { Exit::Success } else { Exit::Findings })
}

fn summary(alphabet: &Alphabet, reference: &Reference, suite: &Suite) -> String {
    let about = alphabet::names().find(|(name, _)| *name == alphabet.name).map_or("", |(_, about)| about);
    format!(
        "{}: {about}\n  {} symbols in {} classes, {} states, {} outputs, {} rows\n  \
         {}-method, {} extra: {} sequences, {} actions\n",
        alphabet.name,
        alphabet.symbols.len(),
        reference.classes.len(),
        reference.machine.states(),
        reference.outputs.len(),
        reference.rows.len(),
        suite.method.name().to_uppercase(),
        suite.extra_states,
        suite.sequences.len(),
        suite.length(),
    )
}

fn details(alphabet: &Alphabet, reference: &Reference) -> String {
    let mut text = String::new();
    for (number, state) in reference.states.iter().enumerate() {
        let _ = writeln!(text, "  state {number}: {state}");
    }
    for (number, class) in reference.classes.iter().enumerate() {
        let names: Vec<&str> = class.iter().map(|symbol| alphabet.symbols[*symbol].name.as_str()).collect();
        let _ = writeln!(text, "  class {number}: {}", names.join("; "));
    }
    for (number, output) in reference.outputs.iter().enumerate() {
        let _ = writeln!(text, "  output {number}: {output}");
    }
    text
}

/// Tries the suite on faults and prints what became of them; how many survived.
fn faults(
    specification: &Arc<Specification>,
    alphabet: &Alphabet,
    reference: &Reference,
    suite: &Suite,
    seed: u64,
    tables: usize,
) -> Result<usize, SetupError> {
    let mut rng = Rng::with_seed(seed);
    let on_machines = Judge::new(&reference.machine, reference.outputs.len(), &suite.sequences);
    let tallies = [
        ("single output faults", on_machines.single_output_faults()),
        ("single transfer faults", on_machines.single_transfer_faults()),
        ("double faults, drawn", on_machines.double_faults(DRAWN, &mut rng)),
        ("faults with an extra state, drawn", on_machines.extra_state_faults(DRAWN, &mut rng)),
    ];
    let mut text = String::new();
    let mut survived = 0;
    let mut tell = |what: &str, tally: Tally| {
        survived += tally.survived;
        let Tally { killed, equivalent, survived } = tally;
        let _ = writeln!(text, "  {what}: {killed} killed, {equivalent} equivalent, {survived} survived");
    };
    for (what, tally) in tallies {
        tell(what, tally);
    }
    let drawable = suite.drawable(specification).map_err(|error| error.to_string())?;
    let mutants = mutants(specification, &reference.rows, tables, &mut rng);
    let (tally, survivors) =
        judge(specification, &drawable, &mutants, seed).map_err(|error| format!("{}: {error}", alphabet.name))?;
    tell("faulty tables, drawn", tally);
    for Survivor { change, word } in survivors {
        let _ = writeln!(text, "    survived: {change}; shown by {}", word.join(", "));
    }
    output::print(&text)?;
    Ok(survived)
}
