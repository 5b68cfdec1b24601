//! `digest-ssp adapter`, which no help lists: the subjects of this program behind the adapter protocol.
#![forbid(unsafe_code)]

use clap::Args;
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::process::Isolation;

use super::subject::{BUILTIN, named, subject_name};
use super::{Exit, SetupError, output};

/// Serve a subject of this program to a tester, over standard input and output.
#[derive(Args)]
pub(super) struct Arguments {
    /// What is served.
    #[arg(long, value_name = "NAME", default_value = BUILTIN, value_parser = subject_name)]
    subject: String,
    /// Fork at each start.
    #[arg(long)]
    fork: bool,
}

/// What is served. The tables are loaded for those alone that answer by them: they are most of the time it takes to begin.
fn served(arguments: &Arguments) -> Result<Box<dyn Subject>, SetupError> {
    if arguments.subject == BUILTIN {
        return Ok(Box::new(Builtin::default()));
    }
    Ok(named(&output::tables()?, &arguments.subject))
}

#[cfg(unix)]
pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    use digest_ssp::conformance::subject::library::worker;
    let broken = |error: std::io::Error| SetupError::from(format!("the tester cannot be spoken with: {error}"));
    let channel = worker::Channel::take().map_err(broken)?;
    let isolation = if arguments.fork { Isolation::Fork } else { Isolation::Persistent };
    worker::run(channel, isolation, Ok(served(arguments)?)).map_err(broken)?;
    Ok(Exit::Success)
}

#[cfg(not(unix))]
pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    use digest_ssp::conformance::protocol;
    let broken = |error: std::io::Error| SetupError::from(format!("the tester cannot be spoken with: {error}"));
    if arguments.fork {
        return Err("adapter --fork: this system cannot fork".to_owned().into());
    }
    protocol::serve(&mut *served(arguments)?, std::io::stdin().lock(), std::io::stdout().lock()).map_err(broken)?;
    Ok(Exit::Success)
}
