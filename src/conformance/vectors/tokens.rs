//! Tokens: what is read of them, or what is wrong with them and where.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Operation;
use super::values::{Digest, Octets, Status, nullable, unique};
use crate::digest::sasl;
use crate::digest::{Challenge, Charset, Limits, OfferedAlgorithm, OfferedQop, Response, TokenError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    token: Octets,
}

/// What a token says, if it may be read.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected<D> {
    status: Status,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    offence: Option<Offence>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    directives: Option<D>,
}

fn none<T>() -> Option<T> {
    None
}

/// What is wrong first.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Offence {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directive: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Syntax,
    Repeated,
    Invalid,
    Missing,
}

fn expected<D>(parsed: Result<D, TokenError>) -> Expected<D> {
    match parsed {
        Ok(directives) => Expected { status: Status::OK, offence: None, directives: Some(directives) },
        Err(error) => Expected { status: Status::INVALID_TOKEN, offence: Some(offence(&error)), directives: None },
    }
}

fn offence(error: &TokenError) -> Offence {
    match error {
        TokenError::Syntax(syntax) => Offence { kind: Kind::Syntax, directive: None, position: Some(syntax.position) },
        TokenError::Repeated { directive, position } => {
            Offence { kind: Kind::Repeated, directive: Some((*directive).to_owned()), position: Some(*position) }
        }
        TokenError::Invalid { directive, position, expected: _ } => {
            Offence { kind: Kind::Invalid, directive: Some((*directive).to_owned()), position: Some(*position) }
        }
        TokenError::Missing { directive } => {
            Offence { kind: Kind::Missing, directive: Some((*directive).to_owned()), position: None }
        }
    }
}

fn octets(value: impl AsRef<[u8]>) -> Octets {
    Octets(value.as_ref().to_vec())
}

/// A charset by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "iso-8859-1")]
    Iso8859_1,
}

impl From<Charset> for Encoding {
    fn from(charset: Charset) -> Self {
        match charset {
            Charset::Utf8 => Self::Utf8,
            Charset::Iso8859_1 => Self::Iso8859_1,
        }
    }
}

/// `http-response-token`; the directives are those that are there.
pub(super) enum HttpResponses {}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct HttpResponse(#[serde(deserialize_with = "unique")] BTreeMap<String, Octets>);

impl Operation for HttpResponses {
    const NAME: &'static str = "http-response-token";
    type Input = Input;
    type Expected = Expected<HttpResponse>;

    fn status(expected: &Self::Expected) -> Status {
        expected.status
    }

    fn run(input: &Input) -> Result<Self::Expected, String> {
        let response = Response::parse(&input.token.0, &Limits::default());
        Ok(expected(response.map(|response| http_response(&response))))
    }
}

fn http_response(response: &Response<'_>) -> HttpResponse {
    let always = [
        ("username", octets(response.username.as_bytes())),
        ("realm", octets(response.realm.as_bytes())),
        ("nonce", octets(&response.nonce)),
        ("uri", octets(&response.uri)),
        ("qop", octets(&response.qop_text)),
        ("nc", octets(response.nc_text)),
        ("cnonce", octets(&response.cnonce)),
        ("response", octets(crate::digest::hash::hex(&response.response))),
        ("opaque", octets(&response.opaque)),
    ];
    let charset = match response.charset {
        Charset::Utf8 => Some("utf-8"),
        Charset::Iso8859_1 => None,
    };
    let sometimes = [
        ("algorithm", response.algorithm.map(|algorithm| octets(algorithm.as_str()))),
        ("charset", charset.map(octets)),
        ("hashed-dirs", response.hashed_dirs.as_ref().map(octets)),
        ("service-name", response.service_name.as_ref().map(octets)),
        ("channel-binding", response.channel_binding.as_ref().map(octets)),
    ];
    let sometimes = sometimes.into_iter().filter_map(|(name, value)| Some((name, value?)));
    HttpResponse(always.into_iter().chain(sometimes).map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `http-challenge-token`.
pub(super) enum HttpChallenges {}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpChallenge {
    realm: String,
    nonce: Octets,
    #[serde(deserialize_with = "nullable")]
    opaque: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    domain: Option<Octets>,
    stale: bool,
    algorithm: HttpAlgorithm,
    #[serde(deserialize_with = "nullable")]
    qop: Option<HttpQop>,
    charset: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
enum HttpAlgorithm {
    #[serde(rename = "absent")]
    Absent,
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "MD5-sess")]
    Md5Sess,
    #[serde(rename = "unknown")]
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HttpQop {
    auth: bool,
    auth_int: bool,
    others: bool,
}

impl Operation for HttpChallenges {
    const NAME: &'static str = "http-challenge-token";
    type Input = Input;
    type Expected = Expected<HttpChallenge>;

    fn status(expected: &Self::Expected) -> Status {
        expected.status
    }

    fn run(input: &Input) -> Result<Self::Expected, String> {
        Ok(expected(Challenge::parse(&input.token.0, &Limits::default()).map(http_challenge)))
    }
}

fn http_challenge(challenge: Challenge) -> HttpChallenge {
    use crate::digest::Algorithm;
    HttpChallenge {
        realm: challenge.realm,
        nonce: Octets(challenge.nonce),
        opaque: challenge.opaque.map(Octets),
        domain: challenge.domain.map(Octets),
        stale: challenge.stale,
        algorithm: match challenge.algorithm {
            OfferedAlgorithm::Absent => HttpAlgorithm::Absent,
            OfferedAlgorithm::Known(Algorithm::Md5) => HttpAlgorithm::Md5,
            OfferedAlgorithm::Known(Algorithm::Md5Sess) => HttpAlgorithm::Md5Sess,
            OfferedAlgorithm::Unknown(_) => HttpAlgorithm::Unknown,
        },
        qop: challenge.qop.map(|OfferedQop { auth, auth_int, others }| HttpQop { auth, auth_int, others }),
        charset: challenge.charset.into(),
    }
}

/// `sasl-response-token`.
pub(super) enum SaslResponses {}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaslResponse {
    username: String,
    realm: String,
    nonce: Octets,
    cnonce: Octets,
    nc: Octets,
    qop: Octets,
    #[serde(rename = "digest-uri")]
    digest_uri: Octets,
    response: Digest,
    maxbuf: u32,
    charset: Encoding,
    #[serde(deserialize_with = "nullable")]
    cipher: Option<String>,
    #[serde(deserialize_with = "nullable")]
    authzid: Option<String>,
}

impl Operation for SaslResponses {
    const NAME: &'static str = "sasl-response-token";
    type Input = Input;
    type Expected = Expected<SaslResponse>;

    fn status(expected: &Self::Expected) -> Status {
        expected.status
    }

    fn run(input: &Input) -> Result<Self::Expected, String> {
        let response = sasl::Response::parse(&input.token.0, &Limits::default());
        Ok(expected(response.map(|response| SaslResponse {
            username: response.username.into_owned(),
            realm: response.realm.into_owned(),
            nonce: octets(&response.nonce),
            cnonce: octets(&response.cnonce),
            nc: octets(response.nc_text),
            qop: octets(&response.qop_text),
            digest_uri: octets(&response.digest_uri),
            response: Digest(response.response),
            maxbuf: response.maxbuf.get(),
            charset: response.charset.into(),
            cipher: response.cipher.map(|cipher| cipher.as_str().to_owned()),
            authzid: response.authzid.map(|authzid| authzid.into_owned()),
        })))
    }
}

/// `sasl-challenge-token`.
pub(super) enum SaslChallenges {}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaslChallenge {
    realms: Vec<String>,
    nonce: Octets,
    qop: SaslQop,
    stale: bool,
    maxbuf: u32,
    charset: Encoding,
    algorithm: SaslAlgorithm,
    ciphers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum SaslAlgorithm {
    #[serde(rename = "md5-sess")]
    Md5Sess,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SaslQop {
    auth: bool,
    auth_int: bool,
    auth_conf: bool,
    others: bool,
}

impl Operation for SaslChallenges {
    const NAME: &'static str = "sasl-challenge-token";
    type Input = Input;
    type Expected = Expected<SaslChallenge>;

    fn status(expected: &Self::Expected) -> Status {
        expected.status
    }

    fn run(input: &Input) -> Result<Self::Expected, String> {
        Ok(expected(sasl::Challenge::parse(&input.token.0, &Limits::default()).map(sasl_challenge)))
    }
}

fn sasl_challenge(challenge: sasl::Challenge) -> SaslChallenge {
    let sasl::OfferedQop { auth, auth_int, auth_conf, others } = challenge.qop;
    SaslChallenge {
        realms: challenge.realms,
        nonce: Octets(challenge.nonce),
        qop: SaslQop { auth, auth_int, auth_conf, others },
        stale: challenge.stale,
        maxbuf: challenge.maxbuf.get(),
        charset: challenge.charset.into(),
        algorithm: match challenge.algorithm {
            sasl::OfferedAlgorithm::Md5Sess => SaslAlgorithm::Md5Sess,
            sasl::OfferedAlgorithm::Unknown(_) => SaslAlgorithm::Unknown,
        },
        ciphers: challenge.ciphers.iter().map(|cipher| cipher.as_str().to_owned()).collect(),
    }
}
