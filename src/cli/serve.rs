//! `digest-ssp serve`.
#![forbid(unsafe_code)]

use core::fmt;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::digest::{Algorithm, Qop};
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::{AccountSource, MemoryAccounts};
use digest_ssp::package::configuration::{Configuration, SequencePolicy};
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::serve::protection::{ChannelPolicy, ServiceNames};
use digest_ssp::serve::tls::ServerIdentity;
use digest_ssp::serve::{CallRecord, ExtendedProtection, Gate, HttpLimits, Server};

use zeroize::Zeroizing;

use super::account::{self, NameAndPassword};
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp serve --user alice:secret
  curl --digest -u alice:secret http://127.0.0.1:8080/a http://127.0.0.1:8080/b

  digest-ssp serve --listen 127.0.0.1:0 --realm files --htdigest accounts --qop auth-int --window 8

  digest-ssp serve --user alice:secret --tls-certificate server.pem --tls-key server.key --channel-bindings required

The first line of standard output is `listening on http://ADDRESS`, with TLS `https://`. Then one line follows for each SSPI call: \
`CALL STATE -> STATE STATUS nc=COUNT`, with the states of the spec (`none` without a context), the nonce count as sent \
or `-`, and after ` # ` the reason of a failure. Ctrl-C stops the server.

--channel-bindings says what a response must tell of the channel it came over (tls-server-end-point): with allow-missing \
it may tell nothing, and with TLS what it tells must be right; required needs TLS; proxied is for a server behind a proxy \
where TLS ended, and leaves the comparison out. A wrong or missing one is answered with 401, and so is a service that is \
not among those of --service-name.

A password given with --user can be seen by every user of this machine; --htdigest avoids that.";

/// What a response must tell of its channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ChannelBindings {
    /// It may tell nothing; what it tells must be right.
    AllowMissing,
    /// It must tell the right one.
    Required,
    /// It must tell one, which is not compared: TLS ended at a proxy.
    Proxied,
}

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
    /// Speak TLS: PEM file of the certificate, followed by those of its intermediate authorities.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's key.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// What a response must tell of its channel.
    #[arg(long, value_name = "POLICY", default_value = "allow-missing")]
    channel_bindings: ChannelBindings,
    /// A name of this service that clients may mean, such as HTTP/www.example.com [default: any]; may be repeated.
    #[arg(long, value_name = "SPN", value_parser = spn)]
    service_name: Vec<String>,
}

/// A service principal name as a client can send it.
fn spn(text: &str) -> Result<String, &'static str> {
    let printable = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    if printable && !text.is_empty() { Ok(text.to_owned()) } else { Err("it is printable US-ASCII, and not empty") }
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
    let identity = identity(&arguments)?;
    let protection = protection(&arguments, identity.as_ref())?;
    match &arguments.htdigest {
        Some(file) => {
            serve(&arguments, configuration, account::read_htdigest("--htdigest", file)?, identity, protection)
        }
        None => {
            let mut accounts = MemoryAccounts::new();
            for NameAndPassword { name, password } in &arguments.user {
                accounts.insert(name, &arguments.realm, password);
            }
            serve(&arguments, configuration, accounts, identity, protection)
        }
    }
}

fn identity(arguments: &Arguments) -> Result<Option<ServerIdentity>, SetupError> {
    let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) else { return Ok(None) };
    let read = |option, file: &Path| {
        std::fs::read(file).map(Zeroizing::new).map_err(|error| format!("{option} {}: {error}", file.display()))
    };
    let identity = ServerIdentity::from_pem(&read("--tls-certificate", certificate)?, &read("--tls-key", key)?);
    let identity = identity.map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("--tls-certificate {certificate}, --tls-key {key}: {error}; give a certificate and its key in PEM")
    })?;
    Ok(Some(identity))
}

/// What the package is told of the channel.
fn protection(arguments: &Arguments, identity: Option<&ServerIdentity>) -> Result<ExtendedProtection, SetupError> {
    let end_point = || {
        let end_point = identity.map(ServerIdentity::end_point).transpose();
        end_point.map_err(|error| {
            format!("--tls-certificate: {error}; take one signed with RSA or ECDSA, or --channel-bindings proxied")
        })
    };
    let channel = match arguments.channel_bindings {
        ChannelBindings::AllowMissing => ChannelPolicy::AllowMissing(end_point()?),
        ChannelBindings::Required => ChannelPolicy::Required(
            end_point()?
                .ok_or("--channel-bindings required: no TLS ends here; give --tls-certificate, or say proxied")
                .map_err(str::to_owned)?,
        ),
        ChannelBindings::Proxied => ChannelPolicy::Proxied,
    };
    if channel == ChannelPolicy::AllowMissing(None) && !arguments.service_name.is_empty() {
        let line = "--service-name: no client is asked to name a service; give --tls-certificate, or \
                    --channel-bindings proxied";
        return Err(line.to_owned().into());
    }
    let services = ServiceNames::new(arguments.service_name.iter().cloned());
    Ok(ExtendedProtection { channel, services })
}

fn serve(
    arguments: &Arguments,
    configuration: Configuration,
    accounts: impl AccountSource + 'static,
    identity: Option<ServerIdentity>,
    protection: ExtendedProtection,
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
        let (scheme, server) = match identity {
            Some(identity) => ("https", server.with_tls(identity)),
            None => ("http", server),
        };
        print(&format_args!("listening on {scheme}://{}", server.local_address()));
        let package = SecurityPackage::new(configuration, accounts, SystemEnvironment);
        let gate = Gate::with_protection(package, arguments.qop, protection, |record: &CallRecord| print(record))
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
