//! `digest-ssp serve`.
#![forbid(unsafe_code)]

use core::fmt;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use digest_ssp::digest::{Algorithm, Qop};
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::{AccountSource, HtdigestFile, MemoryAccounts};
use digest_ssp::package::configuration::{Configuration, SequencePolicy};
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::serve::{CallRecord, Gate, HttpLimits, Server};

use super::account::{self, NameAndPassword};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp serve --user alice:secret
  curl --digest -u alice:secret http://127.0.0.1:8080/a http://127.0.0.1:8080/b

  digest-ssp serve --listen 127.0.0.1:0 --realm files --htdigest accounts --qop auth-int --window 8

The first line of standard output is `listening on http://ADDRESS`. Then one line follows for each SSPI call: \
`CALL STATE -> STATE STATUS nc=COUNT`, with the states of the spec (`none` without a context), the nonce count as sent \
or `-`, and after ` # ` the reason of a failure. Ctrl-C stops the server.

A password given with --user can be seen by every user of this machine; --htdigest avoids that.";

/// Serve HTTP, every request authenticated through AcceptSecurityContext and CompleteAuthToken.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Realm of the accounts.
    #[arg(long, default_value = "digest-ssp", value_parser = account::realm)]
    realm: String,
    /// An account; may be repeated.
    #[arg(long, value_name = "NAME:PASSWORD", required_unless_present = "htdigest", conflicts_with = "htdigest")]
    user: Vec<NameAndPassword>,
    /// File of accounts, lines of `user:realm:H(user:realm:password)` as Apache's htdigest writes them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    htdigest: Option<PathBuf>,
    /// Quality of protection: auth, or auth-int, which covers bodies.
    #[arg(long, default_value = "auth", value_parser = account::qop)]
    qop: Qop,
    /// MD5 or MD5-sess.
    #[arg(long, default_value = "MD5", value_parser = account::algorithm)]
    algorithm: Algorithm,
    /// How long a nonce is good [default: ten hours].
    #[arg(long, value_name = "SECONDS")]
    nonce_lifetime: Option<u32>,
    /// Accept nonce counts out of order within N of the last; without it each must be the next.
    #[arg(long, value_name = "N")]
    window: Option<NonZeroU32>,
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, SetupError> {
    let mut configuration = Configuration {
        realm: arguments.realm.clone(),
        algorithm: arguments.algorithm,
        sequence: arguments.window.map_or(SequencePolicy::Strict, SequencePolicy::Window),
        ..Configuration::default()
    };
    if let Some(seconds) = arguments.nonce_lifetime {
        configuration.nonce_lifetime = Duration::from_secs(u64::from(seconds));
    }
    match &arguments.htdigest {
        Some(file) => serve(&arguments, configuration, read_htdigest(file)?),
        None => {
            let mut accounts = MemoryAccounts::new();
            for NameAndPassword { name, password } in &arguments.user {
                accounts.insert(name, &arguments.realm, password);
            }
            serve(&arguments, configuration, accounts)
        }
    }
}

fn read_htdigest(file: &Path) -> Result<HtdigestFile, SetupError> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| format!("--htdigest {name}: {error}"))?;
    HtdigestFile::parse(&bytes)
        .map_err(|error| format!("--htdigest {name}: {error}; write it with `htdigest` of Apache").into())
}

fn serve(
    arguments: &Arguments,
    configuration: Configuration,
    accounts: impl AccountSource + 'static,
) -> Result<Exit, SetupError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no threads to serve with: {error}"))?;
    runtime.block_on(async {
        let listen = arguments.listen;
        let server = Server::bind(listen, HttpLimits::default())
            .await
            .map_err(|error| format!("--listen {listen}: {error}; choose another address, port 0 takes any"))?;
        print(&format_args!("listening on http://{}", server.local_address()));
        let package = SecurityPackage::new(configuration, accounts, SystemEnvironment);
        let gate = Gate::new(package, arguments.qop, |record: &CallRecord| print(record))
            .map_err(|error| format!("serve: {error}"))?;
        let interrupted = async {
            if tokio::signal::ctrl_c().await.is_err() {
                core::future::pending::<()>().await;
            }
        };
        server.run(gate, interrupted).await;
        Ok(Exit::Success)
    })
}

/// A line at once; whoever closed standard output does not want it.
fn print(line: &dyn fmt::Display) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
