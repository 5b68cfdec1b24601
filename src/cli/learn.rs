//! `digest-ssp learn`.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::conformance::generate::alphabet;
use digest_ssp::conformance::generate::suite::{named, reference};
use digest_ssp::conformance::learn::compare::Difference;
use digest_ssp::conformance::learn::{LearnError, Learned, Options, draw, learn};

use super::subject::SubjectArguments;
use super::{Exit, SetupError, complain, output, picture};

const EXAMPLES: &str = "\
Examples:
  digest-ssp learn
  digest-ssp learn --alphabet digest-initiator --format svg --output initiator.svg
  digest-ssp learn --alphabet any-package --package NTLM --library libwinpr2.so.2
  digest-ssp learn --alphabet digest-session --subject replay-completes

Exit codes:
  0  the subject is the machine that the tables are
  1  it is another, it answers the same word in two ways, or it answers wrong and no machine was found
  2  usage or set-up: nothing could be learned";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Form {
    /// For a person: counts and differences.
    Human,
    /// The machine and its differences, for a program.
    Json,
    /// The machine in the language of Graphviz.
    Dot,
    /// The machine in the language of Mermaid.
    Mermaid,
    /// The machine as a picture, which Graphviz draws.
    Svg,
}

/// Learn what machine a subject is, and how that differs from the tables.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Alphabet: what the learner may do.
    #[arg(long, value_name = "NAME", default_value = "digest-acceptor",
          value_parser = PossibleValuesParser::new(alphabet::names().map(|(name, _)| name)))]
    alphabet: String,
    /// Package under test, as AcquireCredentialsHandle is told it [default: WDigest].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    package: Option<String>,
    /// A guess stands if its own suite for so many extra states finds nothing against it.
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    extra_states: u8,
    /// Random walks against a guess.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    walks: u32,
    /// How many words are asked at most until a machine is found; where none is, what was wrong is told.
    #[arg(long, value_name = "N", default_value_t = Options::default().most_words as u32,
          value_parser = clap::value_parser!(u32).range(1..))]
    most_words: u32,
    /// What walks and all that symbols leave open are drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Form of what is told.
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// Write it to a file, all of it or nothing.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    subject: SubjectArguments,
}

impl Arguments {
    fn write(&self, text: &str) -> Result<(), SetupError> {
        match &self.output {
            Some(file) => output::write_file(file, text),
            None => output::print(text),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let specification = output::tables()?;
    let alphabet = named(&specification, &arguments.alphabet).map_err(|error| format!("--alphabet {error}"))?;
    let mut subject = arguments.subject.subject(&specification)?;
    let missing = alphabet.lacks(&subject.capabilities());
    if !missing.is_empty() {
        let problem = format!("--alphabet {}: the subject does not offer what it needs", alphabet.name);
        return Err(format!("{problem}: {}", missing.join(", ")).into());
    }
    let tables = reference(&specification, &alphabet).map_err(|error| error.to_string())?;
    let options = Options {
        extra_states: usize::from(arguments.extra_states),
        walks: usize::try_from(arguments.walks).unwrap_or(usize::MAX),
        seed: arguments.seed,
        most_words: usize::try_from(arguments.most_words).unwrap_or(usize::MAX),
    };
    let bar = output::spinner();
    let mut observer = |words: usize| {
        bar.set_position(words as u64);
        bar.set_message(format!("{words} words"));
    };
    let package = arguments.package.clone();
    let learned = learn(&specification, subject.as_mut(), &alphabet, &tables, package, options, &mut observer);
    bar.finish_and_clear();
    let learned = match learned {
        Ok(learned) => learned,
        Err(error @ LearnError::NotDeterministic { .. }) => {
            complain(&error);
            return Ok(Exit::Findings);
        }
        Err(LearnError::TooManyWords { words, wrong }) if !wrong.is_empty() => {
            if arguments.format != Form::Human {
                let problem = format!("--format: no machine was found with {words} words");
                return Err(format!("{problem}; --format human lists what was answered wrong").into());
            }
            let (subject, alphabet) = (subject.name(), alphabet.name);
            let wrong = listed(&wrong);
            arguments
                .write(&format!("{subject} under {alphabet}\n  no machine was found with {words} words\n{wrong}"))?;
            return Ok(Exit::Findings);
        }
        Err(error @ (LearnError::Subject(_) | LearnError::TooManyWords { .. })) => {
            return Err(error.to_string().into());
        }
    };
    let differences = learned.differences(&tables);
    let text = match arguments.format {
        Form::Human => human(&learned, tables.machine.states(), &differences),
        Form::Json => output::json(&draw::json(&specification.version, &learned, &differences))?,
        Form::Dot => draw::dot(&learned),
        Form::Mermaid => draw::mermaid(&learned),
        Form::Svg => picture::svg(&draw::dot(&learned))?,
    };
    arguments.write(&text)?;
    Ok(if differences.is_empty() { Exit::Success } else { Exit::Findings })
}

fn human(learned: &Learned, states: usize, differences: &[Difference]) -> String {
    format!(
        "{} under {}\n  {} states, the tables have {states}; {} words of {} inputs were asked, {} guesses refuted\n{}",
        learned.subject,
        learned.alphabet,
        learned.states(),
        learned.words,
        learned.steps,
        learned.refuted,
        listed(differences),
    )
}

/// How many states that are missing or added are listed one by one; `--format json` has them all.
const STATES: usize = 4;

fn listed(differences: &[Difference]) -> String {
    let mut text = String::new();
    let (mut missing, mut added) = (0, 0);
    for difference in differences {
        let _ = match difference {
            Difference::Otherwise { trace, expected, actual } => {
                writeln!(text, "  otherwise: {}\n    expected {expected}\n    actual   {actual}", trace.join(", "))
            }
            Difference::Unlike { trace, learned, actual } => {
                writeln!(text, "  unlike: {}\n    learned  {learned}\n    actual   {actual}", trace.join(", "))
            }
            Difference::Missing { trace } => state(&mut text, "missing", &mut missing, trace),
            Difference::Added { trace } => state(&mut text, "added", &mut added, trace),
        };
    }
    for (kind, more) in [("missing", missing), ("added", added)] {
        if more > STATES {
            let _ = writeln!(text, "  {kind}: {} states more, which --format json lists", more - STATES);
        }
    }
    let _ = match differences.len() {
        0 => writeln!(text, "  no difference"),
        1 => writeln!(text, "  1 difference"),
        several => writeln!(text, "  {several} differences"),
    };
    text
}

fn state(text: &mut String, kind: &str, seen: &mut usize, trace: &[String]) -> core::fmt::Result {
    *seen += 1;
    if *seen > STATES {
        return Ok(());
    }
    writeln!(text, "  {kind}: the state after {}", trace.join(", "))
}
