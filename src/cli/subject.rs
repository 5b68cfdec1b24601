//! What is under test: the options by which commands are told, and the subject they name.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::subject::process::{DEFAULT_TIMEOUT, Isolation, Launch, Process};
use digest_ssp::spec::Specification;

use super::SetupError;

pub(super) const BUILTIN: &str = "builtin";
const TABLES: &str = "tables";
const OPAQUE: &str = "opaque";

/// The options that every command with a subject has.
#[derive(Args)]
pub(super) struct SubjectArguments {
    /// What is under test; `conform --list-subjects` shows what can be.
    #[arg(long, value_name = "NAME", default_value = BUILTIN, value_parser = subject_name)]
    subject: String,
    /// Put a program under test that speaks the adapter protocol (spec/ADAPTERS.md). The line is split into words as a
    /// shell does it, and no shell runs it.
    #[arg(long, value_name = "PROGRAM ARGS…", conflicts_with = "subject", group = "outside")]
    command: Option<String>,
    /// Put a shared library under test that has the functions of SSPI. It is loaded by a worker, never by this program.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "subject", group = "outside")]
    library: Option<PathBuf>,
    /// Whom the library knows, where it does not take the accounts that DIGEST_SSP_ACCOUNTS names.
    #[arg(long, value_name = "[DOMAIN\\]USER:PASSWORD", requires = "library")]
    identity: Option<String>,
    /// How long an answer may take; three times as long for the first of a process.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs(), requires = "outside",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// What one sequence can do to the next: anything, in one process for all (persistent); nothing, each has a process
    /// of its own (fresh); nothing, the process forks at each start (fork) [default: fork for --library, persistent for
    /// --command].
    #[arg(long, value_name = "NAME", requires = "outside", value_parser = isolation_name)]
    isolation: Option<Isolation>,
    /// Words before those of the program: `valgrind --quiet --error-exitcode=99`, `ssh host`.
    #[arg(long, value_name = "WRAPPER ARGS…", requires = "outside")]
    wrap: Option<String>,
}

/// A name that an isolation has.
fn isolation_name(name: &str) -> Result<Isolation, String> {
    Isolation::ALL.into_iter().find(|isolation| isolation.name() == name).ok_or_else(|| {
        let known: Vec<_> = Isolation::ALL.iter().map(|isolation| isolation.name()).collect();
        format!("no isolation has this name; there are {}", known.join(", "))
    })
}

/// A name that a subject has.
pub(super) fn subject_name(name: &str) -> Result<String, &'static str> {
    let known = [BUILTIN, TABLES, OPAQUE].contains(&name) || faulty::all().any(|fault| fault.name == name);
    if known { Ok(name.to_owned()) } else { Err("no subject has this name; conform --list-subjects shows all") }
}

/// The subject of this program that has the name.
pub(super) fn named(specification: &Arc<Specification>, name: &str) -> Box<dyn Subject> {
    match name {
        TABLES => Box::new(Oracle::new(Arc::clone(specification))),
        OPAQUE => Box::new(Opaque::default()),
        name => match faulty::all().find(|fault| fault.name == name) {
            Some(fault) => fault.subject(specification),
            // The parser of the arguments lets no other name pass.
            None => Box::new(Builtin::default()),
        },
    }
}

impl SubjectArguments {
    /// The subject that they name.
    pub(super) fn subject(&self, specification: &Arc<Specification>) -> Result<Box<dyn Subject>, SetupError> {
        match (&self.command, &self.library) {
            (Some(line), _) => self.program(line),
            (None, Some(path)) => self.library(path),
            (None, None) => Ok(named(specification, &self.subject)),
        }
    }

    /// Whether they name the reference implementation of this crate.
    pub(super) fn is_builtin(&self) -> bool {
        self.command.is_none() && self.library.is_none() && self.subject == BUILTIN
    }

    fn program(&self, line: &str) -> Result<Box<dyn Subject>, SetupError> {
        let launch = Launch::parse(line).map_err(|problem| format!("--command {line}: {problem}"))?;
        let isolation = self.isolation.unwrap_or(Isolation::Persistent);
        let process = Process::open(self.wrapped(launch)?, isolation, self.timeout()).map_err(|problem| {
            format!("--command {line}: the adapter is wrong: {problem}; spec/ADAPTERS.md says how to write one")
        })?;
        Ok(Box::new(process))
    }

    #[cfg(all(unix, target_pointer_width = "64"))]
    fn library(&self, path: &std::path::Path) -> Result<Box<dyn Subject>, SetupError> {
        let isolation = self.isolation.unwrap_or(Isolation::Fork);
        let accounts = super::library::accounts()?;
        let launch = super::library::launch(path, self.identity.as_deref(), isolation)?;
        let launch = self.wrapped(launch.variable(super::library::ACCOUNTS_VARIABLE, accounts.path()))?;
        let process = Process::open(launch, isolation, self.timeout())
            .map_err(|problem| format!("--library {}: {problem}", path.display()))?;
        Ok(Box::new(process.keeping(accounts)))
    }

    #[cfg(not(all(unix, target_pointer_width = "64")))]
    fn library(&self, path: &std::path::Path) -> Result<Box<dyn Subject>, SetupError> {
        Err(format!("--library {}: on this system use an adapter, see spec/ADAPTERS.md", path.display()).into())
    }

    fn wrapped(&self, launch: Launch) -> Result<Launch, SetupError> {
        let Some(line) = &self.wrap else { return Ok(launch) };
        Ok(launch.wrapped(Launch::parse(line).map_err(|problem| format!("--wrap {line}: {problem}"))?))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// The names that a subject can have, each with what it is.
pub(super) fn list() -> String {
    let mut text = format!(
        "{BUILTIN}\n    The reference implementation of this crate.\n{TABLES}\n    The tables, answering for themselves.\n\
         {OPAQUE}\n    A package of three tokens that asks for completions; for --profile any-package.\n"
    );
    for fault in faulty::all() {
        text.push_str(&format!("{}\n    Wrong on purpose: {}\n", fault.name, fault.text));
    }
    text
}
