//! `digest-ssp fetch`.
#![forbid(unsafe_code)]

use core::str::FromStr;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use digest_ssp::digest::Qop;
use digest_ssp::serve::CallRecord;
use digest_ssp::serve::fetch::{Client, HttpUrl};
use digest_ssp::serve::initiator::{Initiator, ServerProof};
use digest_ssp::serve::tls::TrustedRoots;
use hyper::Method;
use hyper::body::Bytes;

use super::account::{self, NameAndPassword, Who};
use super::{Exit, SetupError, complain};

const EXAMPLES: &str = "\
Examples:
  digest-ssp fetch --user alice:secret http://127.0.0.1:8080/a http://127.0.0.1:8080/b
  digest-ssp fetch --user alice:secret --qop auth-int --data hello --mutual http://127.0.0.1:8080/
  digest-ssp fetch --user alice:secret --ca-certificate ca.pem https://localhost:8443/

To a server that asks for extended protection the response names the service (`HTTP/host`) and, over https://, the \
certificate of the connection it is sent over (tls-server-end-point).

Bodies go to standard output. Exit code 1: a request failed, was answered with 400 or above, or the server did not \
prove itself. Redirects are not followed.

A password given with --user or --password can be seen by every user of this machine.";

/// Make HTTP requests, authenticated through InitializeSecurityContext and MakeSignature.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    who: Who,
    /// Method [default: GET, or POST with --data].
    #[arg(long)]
    method: Option<Method>,
    /// Body of every request.
    #[arg(long, value_name = "BODY")]
    data: Option<String>,
    /// Quality of protection to insist on: auth, or auth-int, which covers bodies.
    #[arg(long, default_value = "auth", value_parser = account::qop)]
    qop: Qop,
    /// Require that the server proves that it knows the password, in its answer to the first response.
    #[arg(long)]
    mutual: bool,
    /// PEM file of the authorities to believe for https:// URLs [default: those of this system].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca_certificate: Option<PathBuf>,
    /// One line for each SSPI call on standard error.
    #[arg(long)]
    verbose: bool,
    /// What to fetch, in this order; one context for each server.
    #[arg(required = true, value_name = "URL", value_parser = HttpUrl::from_str)]
    urls: Vec<HttpUrl>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no event loop to fetch with: {error}"))?;
    let verbose = arguments.verbose;
    let log = move |record: &CallRecord| {
        if verbose {
            let _ = writeln!(std::io::stderr().lock(), "{record}");
        }
    };
    let proof = if arguments.mutual { ServerProof::Required } else { ServerProof::NotRequired };
    let NameAndPassword { name, password } = arguments.who.read()?;
    let initiator = Initiator::new(&name, &password, arguments.qop, proof, log)
        .map_err(|failure| format!("--user: AcquireCredentialsHandle: {failure}"))?;
    let body = Bytes::from(arguments.data.clone().unwrap_or_default());
    let usual = if arguments.data.is_some() { Method::POST } else { Method::GET };
    let method = arguments.method.clone().unwrap_or(usual);
    let client = Client::new(initiator);
    let mut client = match trusted_roots(arguments)? {
        Some(roots) => client.trusting(roots),
        None => client,
    };
    let mut exit = Exit::Success;
    for url in &arguments.urls {
        match runtime.block_on(client.fetch(url, &method, body.clone())) {
            Ok(fetched) => {
                let mut output = std::io::stdout().lock();
                match output.write_all(&fetched.body).and_then(|()| output.flush()) {
                    Ok(()) => {}
                    // Whoever closed standard output has seen enough; nothing more is fetched for nobody.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(exit),
                    Err(error) => return Err(format!("standard output: {error}").into()),
                }
                if fetched.status.is_client_error() || fetched.status.is_server_error() {
                    complain(&format_args!("{url}: {}", fetched.status));
                    exit = Exit::Findings;
                }
            }
            Err(error) => {
                complain(&format_args!("{url}: {error}"));
                exit = Exit::Findings;
            }
        }
    }
    Ok(exit)
}

/// Whom to believe; nobody is asked where no URL needs it.
fn trusted_roots(arguments: &Arguments) -> Result<Option<TrustedRoots>, SetupError> {
    if let Some(file) = &arguments.ca_certificate {
        let name = file.display();
        let bytes = std::fs::read(file).map_err(|error| format!("--ca-certificate {name}: {error}"))?;
        let roots = TrustedRoots::from_pem(&bytes);
        return Ok(Some(roots.map_err(|error| format!("--ca-certificate {name}: {error}; give certificates in PEM"))?));
    }
    match arguments.urls.iter().find(|url| url.is_https()) {
        None => Ok(None),
        Some(url) => {
            let roots = TrustedRoots::of_system();
            Ok(Some(roots.map_err(|error| format!("{url}: {error}; give some with --ca-certificate"))?))
        }
    }
}
