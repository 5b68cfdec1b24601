//! `digest-ssp model`.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use digest_ssp::package::model::{self, Case, Extent, Fault, Outcome, Protection, Report, Requests};

use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp model check
  digest-ssp model check --fault rejected-comes-back --output case.json
  digest-ssp model replay case.json
  digest-ssp model explore --protection auth-int

Exit codes:
  0  every property holds; replay: nothing is broken at the end of the steps
  1  a property does not hold, or what must be seen is not; replay: something is broken
  2  usage or set-up: nothing could be tried";

/// Check the core under an adversary: every state that two initiators, an acceptor and somebody between them can reach.
#[derive(Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Visit every state, and tell of each property whether it holds.
    Check {
        /// What the server offers [default: both, one after the other].
        #[arg(long)]
        protection: Option<OfferedProtection>,
        #[command(flatten)]
        extent: ExtentArguments,
        /// What is wrong with the acceptor, on purpose.
        #[arg(long, value_parser = fault)]
        fault: Option<Fault>,
        /// Write the steps to the first property that does not hold to a file, for `replay`.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// How to print.
        #[arg(long, default_value = "human")]
        format: Format,
    },
    /// Take written steps again.
    Replay {
        /// A file that `check --output` wrote.
        file: PathBuf,
    },
    /// Serve stateright's Explorer: walk through the states with a browser.
    Explore {
        /// What the server offers.
        #[arg(long, default_value = "auth")]
        protection: OfferedProtection,
        #[command(flatten)]
        extent: ExtentArguments,
        /// What is wrong with the acceptor, on purpose.
        #[arg(long, value_parser = fault)]
        fault: Option<Fault>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        listen: SocketAddr,
    },
}

#[derive(Args)]
struct ExtentArguments {
    /// Deliveries of the adversary beyond the honest ones.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    deliveries: u8,
    /// Requests of the second initiator; the first makes two. With two of each there are four times as many states: some
    /// eight minutes on two processors, and three gibibytes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    requests: u8,
}

impl ExtentArguments {
    fn extent(&self) -> Extent {
        let requests = if self.requests == 1 { Requests::One } else { Requests::Two };
        Extent { deliveries: self.deliveries, requests }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum OfferedProtection {
    Auth,
    AuthInt,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl From<OfferedProtection> for Protection {
    fn from(protection: OfferedProtection) -> Self {
        match protection {
            OfferedProtection::Auth => Self::Auth,
            OfferedProtection::AuthInt => Self::AuthInt,
        }
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    let known = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    known.ok_or_else(|| format!("it is one of {}", names.join(", ")))
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match &arguments.command {
        Command::Check { protection, extent, fault, output: file, format } => {
            let both = Protection::ALL.to_vec();
            let protections = protection.map_or(both, |protection| vec![protection.into()]);
            let reports: Vec<(Report, f64)> =
                protections.into_iter().map(|protection| check(protection, extent.extent(), *fault)).collect();
            match format {
                Format::Human => output::print(&human(&reports))?,
                Format::Json => {
                    let reports: Vec<&Report> = reports.iter().map(|(report, _)| report).collect();
                    let value = serde_json::to_value(reports).map_err(|error| format!("the reports: {error}"))?;
                    output::print(&output::json(&value)?)?;
                }
            }
            let broken =
                reports.iter().flat_map(|(report, _)| &report.findings).find_map(|finding| match &finding.outcome {
                    Outcome::Broken(case) => Some(case),
                    Outcome::Holds | Outcome::Reached(_) | Outcome::NotReached | Outcome::Unknown => None,
                });
            if let (Some(file), Some(case)) = (file, broken) {
                let text = serde_json::to_string_pretty(case).map_err(|error| format!("the steps: {error}"))?;
                output::write_file(file, &(text + "\n"))?;
            }
            let is_as_expected =
                reports.iter().all(|(report, _)| report.findings.iter().all(model::Finding::is_as_expected));
            Ok(if is_as_expected { Exit::Success } else { Exit::Findings })
        }
        Command::Replay { file } => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let case: Case = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            let broken = case.replay().ok_or_else(|| format!("{}: a step in it is not possible", file.display()))?;
            let mut text = case.to_string();
            for property in &broken {
                let _ = writeln!(text, "broken: {property}");
            }
            output::print(&text)?;
            Ok(if broken.is_empty() { Exit::Success } else { Exit::Findings })
        }
        Command::Explore { protection, extent, fault, listen } => {
            output::print(&format!("http://{listen}/\n"))?;
            model::explore((*protection).into(), extent.extent(), *fault, *listen);
            Ok(Exit::Success)
        }
    }
}

fn check(protection: Protection, extent: Extent, fault: Option<Fault>) -> (Report, f64) {
    let spinner = output::spinner();
    spinner.set_message(format!("qop={protection}: every state"));
    spinner.enable_steady_tick(Duration::from_millis(200));
    let begun = Instant::now();
    let report = model::check(protection, extent, fault);
    spinner.finish_and_clear();
    (report, begun.elapsed().as_secs_f64())
}

fn human(reports: &[(Report, f64)]) -> String {
    let mut text = String::new();
    for (report, seconds) in reports {
        let Report { protection, states, steps, depth, is_exhaustive, .. } = report;
        let extent = if *is_exhaustive { "all of them" } else { "until it was broken" };
        let _ =
            writeln!(text, "qop={protection}: {states} states, {extent}; {steps} steps, {depth} deep, {seconds:.1} s");
        for finding in &report.findings {
            let told = match &finding.outcome {
                Outcome::Holds => "holds".to_owned(),
                Outcome::Reached(case) => format!("reached in {} steps", case.actions.len()),
                Outcome::NotReached => "NOT REACHED".to_owned(),
                Outcome::Broken(_) => "BROKEN".to_owned(),
                Outcome::Unknown => "not known".to_owned(),
            };
            let _ = writeln!(text, "  {:34} {told}", finding.property);
            if let Outcome::Broken(case) = &finding.outcome {
                text.push_str(&case.to_string());
            }
        }
    }
    text
}
