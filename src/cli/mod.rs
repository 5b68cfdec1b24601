//! The command line: one module per subcommand.
#![forbid(unsafe_code)]

mod account;
mod adapter;
mod campaign;
mod conform;
mod explain;
mod faults;
mod fetch;
mod init_ci;
mod learn;
#[cfg(all(unix, target_pointer_width = "64"))]
mod library;
#[cfg(feature = "model")]
mod model;
mod output;
mod picture;
mod refine;
mod reproduce;
mod sasl;
mod serve;
mod spec;
mod subject;
mod suite;
mod trace;
mod vectors;

use core::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Parser, Subcommand};

const AFTER_HELP: &str = "\
Examples:
  digest-ssp serve --user alice:secret
  digest-ssp fetch --user alice:secret --verbose http://127.0.0.1:8080/a http://127.0.0.1:8080/b
  digest-ssp sasl-server --user alice:secret --qop auth-conf

Exit codes:
  0  everything asked for was done and nothing was found
  1  findings, or a request that failed
  2  usage or set-up: nothing could be tried";

#[derive(Parser)]
#[command(
    name = "digest-ssp",
    version,
    about = "SSPI's CompleteAuthToken and the Digest security package: specification, implementation, conformance",
    after_help = AFTER_HELP,
    subcommand_required = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Conform(conform::Arguments),
    Reproduce(reproduce::Arguments),
    Faults(faults::Arguments),
    Suite(suite::Arguments),
    Learn(learn::Arguments),
    Campaign(campaign::Arguments),
    Refine(refine::Arguments),
    #[cfg(feature = "model")]
    Model(model::Arguments),
    Explain(explain::Arguments),
    Spec(spec::Arguments),
    Vectors(vectors::Arguments),
    Trace(trace::Arguments),
    Serve(serve::Arguments),
    Fetch(fetch::Arguments),
    SaslServer(sasl::ServerArguments),
    SaslClient(sasl::ClientArguments),
    #[command(hide = true)]
    Adapter(adapter::Arguments),
    #[cfg(all(unix, target_pointer_width = "64"))]
    #[command(hide = true)]
    LibraryWorker(library::Arguments),
}

impl Command {
    fn run(self) -> Result<Exit, SetupError> {
        match self {
            Self::Conform(arguments) => conform::run(&arguments),
            Self::Reproduce(arguments) => reproduce::run(&arguments),
            Self::Faults(arguments) => faults::run(&arguments),
            Self::Suite(arguments) => suite::run(&arguments),
            Self::Learn(arguments) => learn::run(&arguments),
            Self::Campaign(arguments) => campaign::run(&arguments),
            Self::Refine(arguments) => refine::run(&arguments),
            #[cfg(feature = "model")]
            Self::Model(arguments) => model::run(&arguments),
            Self::Explain(arguments) => explain::run(&arguments),
            Self::Spec(arguments) => spec::run(&arguments),
            Self::Vectors(arguments) => vectors::run(&arguments),
            Self::Trace(arguments) => trace::run(&arguments),
            Self::Serve(arguments) => serve::run(arguments),
            Self::Fetch(arguments) => fetch::run(&arguments),
            Self::SaslServer(arguments) => sasl::run_server(&arguments),
            Self::SaslClient(arguments) => sasl::run_client(&arguments),
            Self::Adapter(arguments) => adapter::run(&arguments),
            #[cfg(all(unix, target_pointer_width = "64"))]
            Self::LibraryWorker(arguments) => library::run(&arguments),
        }
    }
}

/// How a subcommand that could be tried ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// 0.
    Success,
    /// 1.
    Findings,
    /// 2: it was tried, and what came of it says nothing.
    NothingShown,
}

/// Why a subcommand could not be tried: one line that says what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SetupError(String);

impl fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<String> for SetupError {
    fn from(line: String) -> Self {
        Self(line)
    }
}

pub(crate) fn main() -> ExitCode {
    let outcome = match Arguments::try_parse() {
        Ok(arguments) => arguments.command.run(),
        Err(error) if error.use_stderr() => Err(SetupError(usage_line(&error))),
        Err(help) => {
            // Nobody is left to be told of a closed standard output.
            let _ = help.print();
            Ok(Exit::Success)
        }
    };
    match outcome {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::NothingShown) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// One line on standard error.
fn complain(line: &dyn fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "digest-ssp: {line}");
}

/// What clap says in several lines, in one.
fn usage_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a subcommand is missing; see --help".to_owned();
    }
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    if let Some(reason) = core::error::Error::source(error)
        && (argument.starts_with("--user") || argument.starts_with("--password"))
    {
        // What was taken for a name may be the password.
        return format!("{argument}: {reason}; see --help");
    }
    let text = error.render().to_string();
    let said = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<_> = said.filter(|line| !line.is_empty()).collect();
    let said = said.join(" ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let said = said.trim_end_matches("For more information, try '--help'.").trim_end();
    format!("{said}; see --help")
}

#[cfg(test)]
mod tests {
    use super::{Arguments, usage_line};
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_commands_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn usage_errors_are_one_line_that_names_the_argument() {
        for (arguments, named) in [
            (&["digest-ssp"][..], "subcommand"),
            (&["digest-ssp", "sevre"], "sevre"),
            (&["digest-ssp", "serve", "--realm", "r"], "--user"),
            (&["digest-ssp", "serve", "--user", ":hunter2"], "NAME:PASSWORD"),
            (&["digest-ssp", "serve", "--user", "a:b", "--realm", "\u{e9}"], "--realm"),
            (&["digest-ssp", "serve", "--user", "a:b", "--qop", "auth-conf"], "--qop"),
            (&["digest-ssp", "serve", "--user", "a:b", "--window", "0"], "--window"),
            (&["digest-ssp", "serve", "--user", "a:b", "--tls-key", "k"], "--tls-certificate"),
            (&["digest-ssp", "serve", "--user", "a:b", "--service-name", ""], "--service-name"),
            (&["digest-ssp", "fetch", "--user", "a:b", "ftp://host/"], "ftp://host/"),
            (&["digest-ssp", "fetch", "--user", "a:b"], "URL"),
            (&["digest-ssp", "sasl-server"], "--user"),
            (&["digest-ssp", "sasl-server", "--user", "a:b", "--maxbuf", "16"], "--maxbuf"),
            (&["digest-ssp", "sasl-server", "--user", "a:b", "--cipher", "aes"], "--cipher"),
            (&["digest-ssp", "sasl-client", "--user", "a:b", "--service", "imap"], "--host"),
            (&["digest-ssp", "sasl-client", "--user", "a:b", "--service", "", "--host", "h"], "--service"),
            (&["digest-ssp", "sasl-client", "--user", "a:b", "--service", "imap", "--host", "a/b"], "--host"),
            (&["digest-ssp", "sasl-server", "--user", "a:b", "--host", "h\u{f6}st"], "--host"),
        ] {
            let Err(error) = Arguments::try_parse_from(arguments) else { panic!("{arguments:?} was accepted") };
            let line = usage_line(&error);
            assert!(!line.contains('\n') && line.contains(named), "{line}");
            assert!(!line.contains("Usage") && !line.contains("hunter2"), "{line}");
        }
    }
}
