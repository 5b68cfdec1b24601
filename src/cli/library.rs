//! `digest-ssp library-worker`, which no help lists: the process that a shared library under test is loaded into.
//!
//! The tester starts this program again, so that whatever the library does to its process is not done to the tester.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::subject::library::{Library, Options, worker};
use digest_ssp::conformance::subject::process::{Isolation, Launch};
use digest_ssp::spec::call::AuthIdentity;
use digest_ssp::spec::setup::Setup;
use tempfile::NamedTempFile;

use super::{Exit, SetupError};

/// Names the htdigest file with the accounts of the suite, for libraries that read it.
pub(super) const ACCOUNTS_VARIABLE: &str = "DIGEST_SSP_ACCOUNTS";

/// The variable that tells the worker whom its library knows: an argument would be seen by everybody on the machine.
const IDENTITY_VARIABLE: &str = "DIGEST_SSP_IDENTITY";

/// Load a shared library and serve it to a tester, over standard input and output.
#[derive(Args)]
pub(super) struct Arguments {
    /// The library.
    #[arg(value_name = "PATH")]
    library: PathBuf,
    /// Fork at each start.
    #[arg(long)]
    fork: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let broken = |error: std::io::Error| SetupError::from(format!("the tester cannot be spoken with: {error}"));
    let channel = worker::Channel::take().map_err(broken)?;
    let isolation = if arguments.fork { Isolation::Fork } else { Isolation::Persistent };
    let identity = std::env::var(IDENTITY_VARIABLE).ok().map(|text| parsed(&text)).transpose();
    let subject = identity.and_then(|identity| {
        let library = Library::load(&arguments.library, &Options { identity });
        library.map(|library| Box::new(library) as Box<dyn Subject>).map_err(|error| error.to_string())
    });
    worker::run(channel, isolation, subject).map_err(broken)?;
    Ok(Exit::Success)
}

/// How the worker of a library is started.
pub(super) fn launch(library: &Path, identity: Option<&str>, isolation: Isolation) -> Result<Launch, SetupError> {
    let program = std::env::current_exe().map_err(|error| format!("this program does not find itself: {error}"))?;
    let mut launch = Launch::new(program).argument("library-worker").argument(library);
    if isolation == Isolation::Fork {
        launch = launch.argument("--fork");
    }
    if let Some(text) = identity {
        parsed(text).map_err(|problem| format!("--identity: {problem}"))?;
        launch = launch.variable(IDENTITY_VARIABLE, text);
    }
    Ok(launch)
}

/// `[DOMAIN\]USER:PASSWORD`.
fn parsed(text: &str) -> Result<AuthIdentity, String> {
    let (name, password) = text.split_once(':').ok_or("it has no colon; say [DOMAIN\\]USER:PASSWORD")?;
    let (domain, user) = name.split_once('\\').unwrap_or(("", name));
    Ok(AuthIdentity { user: user.to_owned(), domain: domain.to_owned(), password: password.to_owned() })
}

/// The accounts of the suite as an htdigest file, which is gone when nobody holds it any more.
pub(super) fn accounts() -> Result<NamedTempFile, SetupError> {
    let cannot = |error: std::io::Error| SetupError::from(format!("the file of accounts cannot be written: {error}"));
    let mut file = NamedTempFile::with_prefix("digest-ssp-accounts-").map_err(cannot)?;
    file.write_all(&Setup::unconfigured().htdigest()).map_err(cannot)?;
    file.flush().map_err(cannot)?;
    Ok(file)
}
