//! `digest-ssp spec`.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use digest_ssp::spec::check::check;
use digest_ssp::spec::load::SpecError;
use digest_ssp::spec::model::{CallSpec, Numbers};
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::reach::Reach;
use digest_ssp::spec::vocabulary::Role;
use digest_ssp::spec::{Specification, graph, render, show};

use super::output::{self, Format};
use super::{Exit, SetupError, complain, picture};

const EXAMPLES: &str = "\
Examples:
  digest-ssp spec check
  digest-ssp spec check --directory spec
  digest-ssp spec show cat-count-used
  digest-ssp spec show CompleteAuthToken --format json
  digest-ssp spec graph --role acceptor --format svg > acceptor.svg
  digest-ssp spec render --check spec/REFERENCE.md

Exit codes:
  0  done, and nothing was found
  1  a table breaks a rule, or the reference is stale
  2  usage, or a file that cannot be read or written";

/// Check, show, draw and render the specification.
#[derive(Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = false)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count what the tables cover, and find every rule they break.
    Check {
        /// Tables to check, laid out as spec/ is [default: those of this build].
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
        /// List every state in which a situation of a call cannot be, with the reason.
        #[arg(long)]
        unreachable: bool,
    },
    /// Show a row, a call or a state; without a name, what there is.
    Show {
        /// A row's id, a call's or a state's name.
        #[arg(value_name = "ROW|CALL|STATE", required_if_eq("format", "json"))]
        name: Option<String>,
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Draw the state machine of a role.
    Graph {
        /// Language of the drawing.
        #[arg(long, value_enum, default_value_t = Language::Dot)]
        format: Language,
        /// Side of the exchange.
        #[arg(long, value_enum, default_value_t = Side::Acceptor)]
        role: Side,
        /// Mechanism of the package.
        #[arg(long, value_enum, default_value_t = Mechanism::Http)]
        profile: Mechanism,
    },
    /// Render the reference in Markdown.
    Render {
        /// Compare a committed reference instead of printing [default FILE: spec/REFERENCE.md].
        #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "spec/REFERENCE.md",
              conflicts_with = "output", value_hint = ValueHint::FilePath)]
        check: Option<PathBuf>,
        /// Write to a file, all of it or nothing.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Language {
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// A picture, which Graphviz draws.
    Svg,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Side {
    /// AcceptSecurityContext's.
    Acceptor,
    /// InitializeSecurityContext's.
    Initiator,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Mechanism {
    /// HTTP Digest.
    Http,
    /// SASL DIGEST-MD5.
    Sasl,
}

impl From<Mechanism> for Profile {
    fn from(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Http => Self::DigestHttp,
            Mechanism::Sasl => Self::DigestSasl,
        }
    }
}

impl From<Side> for Role {
    fn from(side: Side) -> Self {
        match side {
            Side::Acceptor => Self::Acceptor,
            Side::Initiator => Self::Initiator,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match &arguments.command {
        Command::Check { directory, unreachable } => run_check(directory.as_deref(), *unreachable),
        Command::Show { name: None, format: _ } => {
            output::print(&overview(&*output::tables()?)).map(|()| Exit::Success)
        }
        Command::Show { name: Some(name), format } => run_show(name, *format),
        Command::Graph { format, role, profile } => {
            let tables = output::tables()?;
            let drawing = match format {
                Language::Dot => graph::dot(&tables, (*profile).into(), (*role).into()),
                Language::Mermaid => graph::mermaid(&tables, (*profile).into(), (*role).into()),
                Language::Svg => picture::svg(&graph::dot(&tables, (*profile).into(), (*role).into()))?,
            };
            output::print(&drawing).map(|()| Exit::Success)
        }
        Command::Render { check: Some(file), output: _ } => run_render_check(file),
        Command::Render { check: None, output: Some(file) } => {
            output::write_file(file, &render::markdown(&*output::tables()?)).map(|()| Exit::Success)
        }
        Command::Render { check: None, output: None } => {
            output::print(&render::markdown(&*output::tables()?)).map(|()| Exit::Success)
        }
    }
}

fn run_check(directory: Option<&Path>, lists_unreachable: bool) -> Result<Exit, SetupError> {
    let loaded = match directory {
        None => Specification::embedded(),
        Some(directory) if directory.is_dir() => Specification::from_directory(directory),
        Some(directory) => {
            return Err(format!("--directory {}: there is no such directory", directory.display()).into());
        }
    };
    let tables = match loaded {
        Ok(tables) => tables,
        Err(SpecError { problems }) => {
            let lines: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
            output::print(&lines)?;
            complain(&format_args!("{} problems; the tables cannot be loaded", problems.len()));
            return Ok(Exit::Findings);
        }
    };
    let report = check(&tables);
    let mut text = String::new();
    for (call, numbers) in &report.counts {
        let Numbers { combinations, situations, rows, reachable } = numbers;
        let _ = writeln!(
            text,
            "{call:<31} {combinations:>6} combinations {situations:>4} situations {rows:>4} rows {reachable:>4} reachable"
        );
    }
    if lists_unreachable {
        for call in &tables.calls {
            text.push_str(&unreachable(call));
        }
    }
    for finding in &report.findings {
        let _ = writeln!(text, "{finding}");
    }
    let _ = writeln!(text, "spec {}: {} findings", tables.version, report.findings.len());
    output::print(&text)?;
    Ok(if report.is_sound() { Exit::Success } else { Exit::Findings })
}

/// The states and situations of a call that cannot be together, each with the reason. Of a table whose facts are ambiguous,
/// which is a finding, nothing can be said.
fn unreachable(call: &CallSpec) -> String {
    let mut text = String::new();
    for (point, reason) in Reach::of(call).unwrap_or_default().unreachable {
        let situation = &call.situations[point.situation].id;
        let _ = writeln!(text, "{}: {} cannot be {situation}: {}", call.key(), point.place, reason.told(call));
    }
    text
}

fn run_show(name: &str, format: Format) -> Result<Exit, SetupError> {
    let tables = output::tables()?;
    let call = CallName::ALL.iter().copied().find(|call| call.name().eq_ignore_ascii_case(name));
    let text = match format {
        Format::Human => call
            .and_then(|call| show::call(&tables, call))
            .or_else(|| show::row(&tables, name))
            .or_else(|| show::state(&tables, name)),
        Format::Json => call
            .and_then(|call| show::call_json(&tables, call))
            .or_else(|| show::row_json(&tables, name))
            .or_else(|| show::state_json(&tables, name))
            .map(|value| output::json(&value))
            .transpose()?,
    };
    let Some(text) = text else {
        return Err(format!("{name}: no row, call or state has this name; `digest-ssp spec show` lists them").into());
    };
    output::print(&text).map(|()| Exit::Success)
}

fn overview(tables: &Specification) -> String {
    let mut text = format!("spec {}\n\nstates\n", tables.version);
    for state in &tables.states {
        let _ = writeln!(text, "  {:<9} {:<33} {}", state.role, state.name, state.text);
    }
    for call in &tables.calls {
        let _ = writeln!(text, "\n{}", call.title());
        for row in &call.rows {
            let _ = writeln!(text, "  {:<44} {}", row.id, row.outcome.status);
        }
    }
    text
}

fn run_render_check(file: &Path) -> Result<Exit, SetupError> {
    let name = file.display();
    let committed = std::fs::read_to_string(file).map_err(|error| format!("--check {name}: {error}"))?;
    match render::is_current(&*output::tables()?, &committed) {
        Ok(()) => Ok(Exit::Success),
        Err(stale) => {
            complain(&format_args!("{name}: {stale}; `digest-ssp spec render --output {name}` renders it again"));
            Ok(Exit::Findings)
        }
    }
}
