//! `digest-ssp sasl-server` and `digest-ssp sasl-client`.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf, Qop};
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::{AccountSource, MemoryAccounts};
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::sasl::lines::{self, Role};
use digest_ssp::sasl::{Acceptor, Initiator, Peer, Service, User};
use digest_ssp::serve::CallRecord;

use super::account::{self, NameAndPassword, Who};
use super::{Exit, SetupError};

const SERVER_HELP: &str = "\
Examples:
  digest-ssp sasl-server --user alice:secret --qop auth-conf --cipher rc4
  digest-ssp sasl-server --accounts accounts --realm files --service imap --host mail.example.com --log calls

A line without a space is a token in base64: those of standard output are for the client, those of the client come to \
standard input. The first line is a challenge; after a response the next one is the proof, then `authenticated QOP CIPHER \
USER` (CIPHER `-` when there is none), or `refused STATUS: REASON`. Further lines:

  send TEXT            -> wrapped BASE64   with its length in the first 4 bytes
  send-base64 BASE64   -> wrapped BASE64
  receive BASE64       -> message TEXT     or message-base64 BASE64 of what is no line
  challenge            -> TOKEN            begins another exchange
  TOKEN                -> TOKEN            a response to no challenge: reauthentication

What cannot be done is answered with `failed STATUS: REASON`. An empty line, the end of standard input, or a \
standard output without a reader ends the server.

Exit codes: 0 somebody was authenticated and nothing went wrong, 1 an exchange was refused or not finished or a line \
failed, 2 nothing could be tried.

A password given with --user can be seen by every user of this machine; --accounts avoids that.";

const CLIENT_HELP: &str = "\
Examples:
  digest-ssp sasl-client --user alice:secret --service imap --host mail.example.com --qop auth-int
  digest-ssp sasl-client --user alice --password-file secret --service ldap --host localhost --log calls

A line without a space is a token in base64: those of standard output are for the server, those of the server come to \
standard input. After the server's proof `authenticated QOP CIPHER USER` follows (CIPHER `-` when there is none), or \
`refused STATUS: REASON`. Further lines:

  send TEXT            -> wrapped BASE64   with its length in the first 4 bytes
  send-base64 BASE64   -> wrapped BASE64
  receive BASE64       -> message TEXT     or message-base64 BASE64 of what is no line
  reauthenticate       -> TOKEN            without a challenge; or challenge-needed

What cannot be done is answered with `failed STATUS: REASON`. An empty line, the end of standard input, or a \
standard output without a reader ends the client.

Exit codes: 0 somebody was authenticated and nothing went wrong, 1 an exchange was refused or not finished or a line \
failed, 2 nothing could be tried.

A password given with --user or --password can be seen by every user of this machine.";

/// What is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Log {
    /// One line for each SSPI call.
    Calls,
}

/// What both sides may choose.
#[derive(Args)]
struct Common {
    /// Quality of protection: auth, auth-int or auth-conf.
    #[arg(long, default_value = "auth", value_parser = qop)]
    qop: Qop,
    /// A cipher for auth-conf: rc4, 3des, rc4-56, rc4-40 or des; may be repeated [default: all of them].
    #[arg(long, value_name = "NAME", value_parser = cipher, num_args = 1.., value_delimiter = ',')]
    cipher: Vec<Cipher>,
    /// The longest wrapped message that may be received, from 17 to 16777215 [default: 65536].
    #[arg(long, value_name = "BYTES", value_parser = maxbuf)]
    maxbuf: Option<MaxBuf>,
    /// What to log on standard error.
    #[arg(long, value_name = "WHAT")]
    log: Option<Log>,
}

/// Authenticate SASL clients (DIGEST-MD5) through AcceptSecurityContext and CompleteAuthToken, line by line.
#[derive(Args)]
#[command(after_help = SERVER_HELP)]
pub(super) struct ServerArguments {
    /// An account; may be repeated.
    #[arg(long, value_name = "NAME:PASSWORD", required_unless_present = "accounts", conflicts_with = "accounts")]
    user: Vec<NameAndPassword>,
    /// File of accounts, lines of `user:realm:H(user:realm:password)` as Apache's htdigest writes them.
    #[arg(long, visible_alias = "htdigest", value_name = "FILE", value_hint = ValueHint::FilePath)]
    accounts: Option<PathBuf>,
    /// Realm of the accounts.
    #[arg(long, default_value = "digest-ssp", value_parser = account::realm)]
    realm: String,
    /// The service that clients must mean, such as imap [default: any].
    #[arg(long, value_name = "NAME", value_parser = part_of_digest_uri)]
    service: Option<String>,
    /// The host that clients must mean [default: any].
    #[arg(long, value_parser = part_of_digest_uri)]
    host: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Authenticate to a SASL server (DIGEST-MD5) through InitializeSecurityContext, line by line.
#[derive(Args)]
#[command(after_help = CLIENT_HELP)]
pub(super) struct ClientArguments {
    #[command(flatten)]
    who: Who,
    /// The realm to choose among those that the server offers [default: the first].
    #[arg(long, default_value = "", hide_default_value = true)]
    realm: String,
    /// The type of the service, such as imap.
    #[arg(long, value_name = "NAME", value_parser = part_of_digest_uri)]
    service: String,
    /// The host of the service.
    #[arg(long, value_parser = part_of_digest_uri)]
    host: String,
    #[command(flatten)]
    common: Common,
}

fn qop(text: &str) -> Result<Qop, &'static str> {
    Qop::from_token(text.as_bytes()).ok_or("it is auth, auth-int or auth-conf")
}

fn cipher(text: &str) -> Result<Cipher, &'static str> {
    Cipher::from_token(text.as_bytes()).ok_or("it is rc4, 3des, rc4-56, rc4-40 or des")
}

fn maxbuf(text: &str) -> Result<MaxBuf, &'static str> {
    MaxBuf::from_digits(text.as_bytes()).ok_or("it is a number from 17 to 16777215")
}

/// serv-type or host of a digest-uri (RFC 2831 section 2.1.2).
fn part_of_digest_uri(text: &str) -> Result<String, &'static str> {
    let printable = text.bytes().all(|octet| matches!(octet, b' '..=b'~') && octet != b'/');
    if printable && !text.is_empty() {
        Ok(text.to_owned())
    } else {
        Err("it is printable US-ASCII without \"/\", and not empty")
    }
}

impl Common {
    fn configuration(&self, realm: &str) -> Configuration {
        let ciphers = if self.cipher.is_empty() { Ciphers::ALL } else { self.cipher.iter().copied().collect() };
        let maxbuf = self.maxbuf.unwrap_or_default();
        Configuration { realm: realm.to_owned(), ciphers, maxbuf, ..Configuration::default() }
    }

    fn log(&self) -> impl Fn(&CallRecord) + Send + Sync + 'static {
        let log = self.log;
        move |record: &CallRecord| match log {
            Some(Log::Calls) => {
                let _ = writeln!(std::io::stderr().lock(), "{record}");
            }
            None => {}
        }
    }
}

pub(super) fn run_server(arguments: &ServerArguments) -> Result<Exit, SetupError> {
    match &arguments.accounts {
        Some(file) => serve(arguments, account::read_htdigest("--accounts", file)?),
        None => {
            let mut accounts = MemoryAccounts::new();
            for NameAndPassword { name, password } in &arguments.user {
                accounts.insert(name, &arguments.realm, password);
            }
            serve(arguments, accounts)
        }
    }
}

fn serve(arguments: &ServerArguments, accounts: impl AccountSource + 'static) -> Result<Exit, SetupError> {
    let ServerArguments { realm, service, host, common, .. } = arguments;
    let package = SecurityPackage::new(common.configuration(realm), accounts, SystemEnvironment);
    let service = Service { service: service.clone(), host: host.clone() };
    let acceptor = Acceptor::new(package, common.qop, service, common.log());
    converse(&mut acceptor.map_err(|error| format!("sasl-server: {error}"))?)
}

pub(super) fn run_client(arguments: &ClientArguments) -> Result<Exit, SetupError> {
    let ClientArguments { who, realm, service, host, common } = arguments;
    let NameAndPassword { name, password } = who.read()?;
    let user = User { name: &name, realm, password: &password };
    let peer = Peer { service: service.clone(), host: host.clone() };
    let initiator = Initiator::new(common.configuration(""), &user, common.qop, &peer, common.log());
    converse(&mut initiator.map_err(|failure| format!("--user: AcquireCredentialsHandle: {failure}"))?)
}

fn converse(role: &mut impl Role) -> Result<Exit, SetupError> {
    let ended = lines::run(role, std::io::stdin().lock(), std::io::stdout().lock());
    let ended = ended.map_err(|error| format!("standard input or output: {error}"))?;
    Ok(if ended.is_good() { Exit::Success } else { Exit::Findings })
}
