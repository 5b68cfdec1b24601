//! `digest-ssp adapter`, which no help lists: the subjects of this program behind the adapter protocol.
#![forbid(unsafe_code)]

use clap::Args;
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

#[cfg(unix)]
pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    use digest_ssp::conformance::subject::library::worker;
    let broken = |error: std::io::Error| SetupError::from(format!("the tester cannot be spoken with: {error}"));
    let channel = worker::Channel::take().map_err(broken)?;
    let isolation = if arguments.fork { Isolation::Fork } else { Isolation::Persistent };
    let subject = named(&output::tables()?, &arguments.subject);
    worker::run(channel, isolation, Ok(subject)).map_err(broken)?;
    Ok(Exit::Success)
}

#[cfg(not(unix))]
pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    use digest_ssp::conformance::protocol;
    let broken = |error: std::io::Error| SetupError::from(format!("the tester cannot be spoken with: {error}"));
    if arguments.fork {
        return Err("adapter --fork: this system cannot fork".to_owned().into());
    }
    let mut subject = named(&output::tables()?, &arguments.subject);
    protocol::serve(&mut *subject, std::io::stdin().lock(), std::io::stdout().lock()).map_err(broken)?;
    Ok(Exit::Success)
}
