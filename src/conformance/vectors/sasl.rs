//! SASL: H(A1), the response-value, the server's proof.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use serde::Deserialize;

use super::Operation;
use super::http::{KeyExpected, ProofExpected, ResponseExpected};
use super::values::{Digest, Octets, Status, nullable};
use crate::digest::hash::equal;
use crate::digest::sasl::{MaxBuf, Qop, Response};
use crate::digest::{Charset, SessionKey, UserHash};

/// `sasl-session-key`.
pub(super) enum SessionKeys {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyInput {
    username: String,
    realm: String,
    password: String,
    #[serde(deserialize_with = "nullable")]
    authzid: Option<String>,
    nonce: Octets,
    cnonce: Octets,
}

impl Operation for SessionKeys {
    const NAME: &'static str = "sasl-session-key";
    type Input = KeyInput;
    type Expected = KeyExpected;

    fn status(expected: &KeyExpected) -> Status {
        expected.status
    }

    fn run(input: &KeyInput) -> Result<KeyExpected, String> {
        let user = UserHash::new(&input.username, &input.realm, &input.password);
        let key = SessionKey::sasl(&user, &input.nonce.0, &input.cnonce.0, input.authzid.as_deref());
        Ok(KeyExpected { status: Status::OK, session_key: Digest(*key.to_bytes()) })
    }
}

/// The response that has these values, and the key under which it is judged.
fn exchange<'a>(
    (username, realm, password): (&'a str, &'a str, &str),
    [nonce, nc, cnonce, qop, digest_uri]: [&'a Octets; 5],
    authzid: Option<&'a str>,
) -> Result<(Response<'a>, SessionKey), String> {
    let nc_text: [u8; 8] = nc.0.as_slice().try_into().map_err(|_| "nc is 8 digits")?;
    let digits = str::from_utf8(&nc_text).map_err(|_| "nc is 8 digits")?;
    let response = Response {
        username: Cow::Borrowed(username),
        realm: Cow::Borrowed(realm),
        nonce: Cow::Borrowed(&nonce.0),
        cnonce: Cow::Borrowed(&cnonce.0),
        nc: u32::from_str_radix(digits, 16).map_err(|_| "nc is 8 digits")?,
        nc_text,
        qop: Qop::from_token(&qop.0).ok_or("qop is auth, auth-int or auth-conf")?,
        qop_text: Cow::Borrowed(&qop.0),
        digest_uri: Cow::Borrowed(&digest_uri.0),
        response: [0; 16],
        maxbuf: MaxBuf::DEFAULT,
        charset: Charset::Utf8,
        cipher: None,
        authzid: authzid.map(Cow::Borrowed),
    };
    let key = SessionKey::sasl(&UserHash::new(username, realm, password), &nonce.0, &cnonce.0, authzid);
    Ok((response, key))
}

/// `sasl-response`.
pub(super) enum Responses {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseInput {
    username: String,
    realm: String,
    password: String,
    nonce: Octets,
    nc: Octets,
    cnonce: Octets,
    qop: Octets,
    digest_uri: Octets,
    #[serde(deserialize_with = "nullable")]
    authzid: Option<String>,
    response: Digest,
}

impl Operation for Responses {
    const NAME: &'static str = "sasl-response";
    type Input = ResponseInput;
    type Expected = ResponseExpected;

    fn status(expected: &ResponseExpected) -> Status {
        expected.status
    }

    fn run(input: &ResponseInput) -> Result<ResponseExpected, String> {
        let ResponseInput { username, realm, password, nonce, nc, cnonce, qop, digest_uri, authzid, response } = input;
        let values = [nonce, nc, cnonce, qop, digest_uri];
        let (fields, key) = exchange((username, realm, password), values, authzid.as_deref())?;
        let due = fields.digest(&key);
        Ok(ResponseExpected {
            status: Status::of(equal(&response.0, &due), Status::LOGON_DENIED),
            session_key: Digest(*key.to_bytes()),
            response: Digest(due),
        })
    }
}

/// `sasl-rspauth`.
pub(super) enum Proofs {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofInput {
    username: String,
    realm: String,
    password: String,
    nonce: Octets,
    nc: Octets,
    cnonce: Octets,
    qop: Octets,
    digest_uri: Octets,
    #[serde(deserialize_with = "nullable")]
    authzid: Option<String>,
    rspauth: Digest,
}

impl Operation for Proofs {
    const NAME: &'static str = "sasl-rspauth";
    type Input = ProofInput;
    type Expected = ProofExpected;

    fn status(expected: &ProofExpected) -> Status {
        expected.status
    }

    fn run(input: &ProofInput) -> Result<ProofExpected, String> {
        let ProofInput { username, realm, password, nonce, nc, cnonce, qop, digest_uri, authzid, rspauth } = input;
        let values = [nonce, nc, cnonce, qop, digest_uri];
        let (fields, key) = exchange((username, realm, password), values, authzid.as_deref())?;
        let due = fields.rspauth(&key);
        let right = equal(&rspauth.0, &due);
        Ok(ProofExpected { status: Status::of(right, Status::MESSAGE_ALTERED), rspauth: Digest(due) })
    }
}
