//! `digest-ssp explain`.
#![forbid(unsafe_code)]

use std::io::{BufRead, Read};

use clap::{Args, Subcommand, ValueEnum};
use digest_ssp::digest::hash::unhex32;
use digest_ssp::spec::explain::{self, Request, RequestCall, Secret};
use zeroize::Zeroizing;

use super::output;
use super::{Exit, SetupError};

const EXAMPLES: &str = "\
Examples:
  digest-ssp explain SEC_E_OUT_OF_SEQUENCE
  digest-ssp explain 0x80090310
  digest-ssp explain request --method GET --uri /a 'Digest username=\"alice\", realm=...'
  echo alice:secret | digest-ssp explain request --secret-stdin --uri /a 'Digest username=\"alice\", realm=...'
  digest-ssp explain request --call CompleteAuthToken --state complete-needed-subsequent --uri /a - < header";

/// No longer token is read by any acceptor; what is beyond is refused by its length.
const LONGEST_INPUT: u64 = 1 << 20;

/// Explain a status, or what an acceptor makes of a request.
#[derive(Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A status: its name, 0x and its digits, or its decimal number.
    #[arg(value_name = "STATUS", required = true, allow_negative_numbers = true)]
    status: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    Request(RequestArguments),
}

/// Explain a request by its Authorization header.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct RequestArguments {
    /// Method of the request.
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    method: String,
    /// Target of the request, as in its first line.
    #[arg(long, value_name = "TARGET")]
    uri: String,
    /// State of the context [default: none, or complete-needed-subsequent with --call CompleteAuthToken].
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// The call that reads the header.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Reader::AcceptSecurityContext)]
    call: Reader,
    /// H(entity body), 32 hexadecimal digits, for qop=auth-int.
    #[arg(long, value_name = "HASH", value_parser = entity)]
    entity: Option<[u8; 16]>,
    /// Read `user:password` from the first line of standard input, and say whether the digest is right.
    #[arg(long)]
    secret_stdin: bool,
    /// Value of the header, with or without its name and scheme; `-` reads it from standard input.
    #[arg(value_name = "HEADER", default_value = "-", hide_default_value = true)]
    header: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Reader {
    #[value(name = "AcceptSecurityContext")]
    AcceptSecurityContext,
    #[value(name = "CompleteAuthToken")]
    CompleteAuthToken,
}

fn entity(digits: &str) -> Result<[u8; 16], &'static str> {
    unhex32(digits.as_bytes()).ok_or("it is 32 hexadecimal digits")
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match (&arguments.command, &arguments.status) {
        (Some(Command::Request(request)), _) => run_request(request),
        (None, Some(status)) => run_status(status),
        (None, None) => Err("explain: give a STATUS or `request`; see --help".to_owned().into()),
    }
}

fn run_status(written: &str) -> Result<Exit, SetupError> {
    let tables = output::tables()?;
    let explained = explain::parse_status(written).and_then(|status| explain::status(&tables, status));
    let Some(text) = explained else {
        return Err(format!("{written}: the tables know no such status; spec/REFERENCE.md lists them").into());
    };
    output::print(&text).map(|()| Exit::Success)
}

fn run_request(arguments: &RequestArguments) -> Result<Exit, SetupError> {
    let tables = output::tables()?;
    let mut input = std::io::stdin().lock().take(LONGEST_INPUT);
    let secret = if arguments.secret_stdin { Some(read_secret(&mut input)?) } else { None };
    let header = if arguments.header == "-" {
        let mut header = Vec::new();
        input.read_to_end(&mut header).map_err(|error| format!("standard input: {error}"))?;
        header
    } else {
        arguments.header.clone().into_bytes()
    };
    let token = token(&header)?;
    let (call, usual) = match arguments.call {
        Reader::AcceptSecurityContext => (RequestCall::AcceptSecurityContext, "none"),
        Reader::CompleteAuthToken => (RequestCall::CompleteAuthToken, "complete-needed-subsequent"),
    };
    let request = Request {
        call,
        state: arguments.state.as_deref().unwrap_or(usual),
        method: arguments.method.as_bytes(),
        uri: arguments.uri.as_bytes(),
        token,
        entity: arguments.entity,
        secret: secret.as_ref(),
    };
    let explained = explain::request(&tables, &request).map_err(|error| error.to_string())?;
    let mut text = explain::text(&tables, token, &explained);
    if let Some(row) = explained.row.filter(|row| row.outcome.status.is_completion_due()) {
        let next = row.outcome.next.name();
        text.push_str(&format!("\nnext: the same with --call CompleteAuthToken --state {next}\n"));
    }
    output::print(&text).map(|()| Exit::Success)
}

/// The first line of the input; what it says goes into no message.
fn read_secret(input: &mut impl BufRead) -> Result<Secret, SetupError> {
    let mut line = Zeroizing::new(String::new());
    input.read_line(&mut line).map_err(|error| format!("--secret-stdin: {}", error.kind()))?;
    let trimmed = line.trim_end_matches(['\r', '\n']);
    Secret::parse(trimmed).ok_or_else(|| SetupError("--secret-stdin: the first line is user:password".to_owned()))
}

/// What stands after the name of the header and its scheme.
fn token(header: &[u8]) -> Result<&[u8], SetupError> {
    let mut rest = header.trim_ascii();
    for name in ["authorization:", "proxy-authorization:"] {
        rest = without(rest, name).unwrap_or(rest).trim_ascii_start();
    }
    let end = rest.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    match after.first() {
        // A scheme is followed by a blank; a directive by its "=", with or without blanks before it.
        Some(b' ' | b'\t') if !after.trim_ascii_start().starts_with(b"=") => {
            if word.eq_ignore_ascii_case(b"digest") {
                return Ok(after.trim_ascii_start());
            }
            let scheme = String::from_utf8_lossy(word);
            Err(format!("HEADER: its scheme is {scheme}, and only Digest can be explained").into())
        }
        None if word.eq_ignore_ascii_case(b"digest") => Ok(after),
        Some(_) | None => Ok(rest),
    }
}

fn without<'a>(text: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix.as_bytes()).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn name_and_scheme_are_taken_off() {
        for header in ["a=b", "Digest a=b", "digest\t a=b\r\n", "Authorization: Digest a=b", "authorization:Digest a=b"]
        {
            assert_eq!(token(header.as_bytes()).ok(), Some(&b"a=b"[..]), "{header}");
        }
        assert_eq!(token(b"a = b").ok(), Some(&b"a = b"[..]));
        assert_eq!(token(b"digest=b").ok(), Some(&b"digest=b"[..]));
        assert_eq!(token(b"Digest").ok(), Some(&b""[..]));
        assert!(token(b"Basic YWxpY2U6c2VjcmV0").is_err_and(|error| error.to_string().contains("Basic")));
    }
}
