//! `digest-ssp reproduce`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::report::human;
use digest_ssp::conformance::reproduce::{Recorded, Reproducers, Reproduction, deviates, is_wrong};
use digest_ssp::conformance::run::{matches_glob, run_sequence};
use digest_ssp::spec::Specification;

use super::output;
use super::subject::SubjectArguments;
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp reproduce report.json
  digest-ssp reproduce report.json --finding 3
  digest-ssp reproduce report.json --row 'cat-count-*' --subject replay-completes
  digest-ssp reproduce - < sequence.json

A FILE is what `conform --format json` prints, or one reproducer out of any report: a JSON object with `setup` and
`actions`. `-` is standard input.

Exit codes:
  0  nothing is found any more
  1  something is found again, or something else is wrong now
  2  usage, or a file that holds no reproducer";

/// Run the reproducers of reports again, and tell how each call went.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Reports or single reproducers.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Only the finding of that number, in the order of the one report given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    finding: Option<u32>,
    /// Only findings of these rows; `*` stands for any text, `?` for one character. May be repeated.
    #[arg(long, value_name = "GLOB", conflicts_with = "finding")]
    row: Vec<String>,
    /// Count deviations of a single reproducer as found; a finding of a report that is one counts always.
    #[arg(long)]
    strict: bool,
    /// Write what is told to a file, all of it or nothing.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    subject: SubjectArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    if arguments.finding.is_some() && arguments.files.len() != 1 {
        return Err("--finding: it is a number of one report, and several files are given".to_owned().into());
    }
    let specification = output::tables()?;
    let files = arguments.files.iter().map(|file| Ok((file, read(file)?)));
    let files = files.collect::<Result<Vec<_>, SetupError>>()?;
    let mut subject = arguments.subject.subject(&specification)?;
    let mut told = Told { text: String::new(), tried: 0, reproduced: 0, otherwise: 0 };
    for (file, reproducers) in files {
        match reproducers {
            Reproducers::Sequence(_) if arguments.finding.is_some() || !arguments.row.is_empty() => {
                let name = file.display();
                return Err(format!("{name}: it is a single reproducer, of which no finding can be chosen").into());
            }
            Reproducers::Sequence(sequence) => {
                let trace = run_sequence(&specification, subject.as_mut(), &sequence);
                let deviating = || trace.steps.iter().any(|step| deviates(&step.judgement.verdict));
                let found = is_wrong(&trace) || (arguments.strict && deviating());
                told.text.push_str(&human::trace(&sequence, &trace));
                told.count(if found { Reproduction::Reproduced } else { Reproduction::Gone });
            }
            Reproducers::Report(findings) => {
                let chosen = choose(arguments, file, &findings)?;
                for (number, finding) in chosen {
                    told.finding(&specification, subject.as_mut(), number, finding);
                }
            }
        }
    }
    let (text, exit) = told.conclude();
    match &arguments.output {
        Some(file) => output::write_file(file, &text)?,
        None => output::print(&text)?,
    }
    Ok(exit)
}

fn read(file: &Path) -> Result<Reproducers, SetupError> {
    let name = file.display();
    let text =
        if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| format!("{name}: {error}"))?;
    Reproducers::parse(&text).map_err(|problem| format!("{name}: {problem}").into())
}

/// The findings asked for, with their numbers.
fn choose<'r>(
    arguments: &Arguments,
    file: &Path,
    findings: &'r [Recorded],
) -> Result<Vec<(usize, &'r Recorded)>, SetupError> {
    let name = file.display();
    let number = arguments.finding.and_then(|number| usize::try_from(number).ok());
    let is_chosen = |(position, finding): &(usize, &Recorded)| match number {
        Some(number) => *position == number,
        None => arguments.row.is_empty() || arguments.row.iter().any(|pattern| matches_glob(pattern, &finding.row)),
    };
    let chosen: Vec<_> = (1..).zip(findings).filter(is_chosen).collect();
    match (chosen.is_empty(), number) {
        (true, Some(number)) => {
            Err(format!("--finding {number}: {name} holds findings 1 to {} only", findings.len()).into())
        }
        (true, None) if !arguments.row.is_empty() => {
            Err(format!("--row {}: {name} holds no finding of such a row", arguments.row.join(" --row ")).into())
        }
        (true | false, Some(_) | None) => Ok(chosen),
    }
}

/// What is told, and what came of it.
struct Told {
    text: String,
    tried: usize,
    reproduced: usize,
    otherwise: usize,
}

impl Told {
    fn finding(
        &mut self,
        specification: &Arc<Specification>,
        subject: &mut dyn Subject,
        number: usize,
        finding: &Recorded,
    ) {
        let (trace, reproduction) = finding.again(specification, subject);
        let Recorded { profile, row, kind, sequence } = finding;
        self.text.push_str(&format!("finding {number}: {} {row} in {profile}\n", kind.verdict().name()));
        self.text.push_str(&human::trace(sequence, &trace));
        self.count(reproduction);
    }

    fn count(&mut self, reproduction: Reproduction) {
        self.tried += 1;
        self.text.push_str(match reproduction {
            Reproduction::Reproduced => {
                self.reproduced += 1;
                "reproduced\n\n"
            }
            Reproduction::Otherwise => {
                self.otherwise += 1;
                "not reproduced, but something else is wrong\n\n"
            }
            Reproduction::Gone => "not reproduced\n\n",
        });
    }

    fn conclude(mut self) -> (String, Exit) {
        let Self { tried, reproduced, otherwise, .. } = self;
        let other = if otherwise > 0 { format!(", {otherwise} wrong in another way") } else { String::new() };
        self.text.push_str(&format!("{reproduced} of {tried} reproduced{other}\n"));
        let exit = if reproduced + otherwise > 0 { Exit::Findings } else { Exit::Success };
        (self.text, exit)
    }
}
