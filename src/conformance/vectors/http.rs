//! HTTP: H(A1), the digest of a request, the server's proof.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::Operation;
use super::values::{Digest, Octets, Status, nullable};
use crate::digest::hash::{equal, unhex32};
use crate::digest::{A2, Algorithm, Protection, Qop, SessionKey, UserHash};

/// An `algorithm` as the files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Named {
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "MD5-sess")]
    Md5Sess,
}

impl From<Named> for Algorithm {
    fn from(named: Named) -> Self {
        match named {
            Named::Md5 => Self::Md5,
            Named::Md5Sess => Self::Md5Sess,
        }
    }
}

/// `http-session-key`.
pub(super) enum SessionKeys {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyInput {
    username: String,
    realm: String,
    password: String,
    algorithm: Named,
    nonce: Octets,
    cnonce: Octets,
}

/// What becomes of an account.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyExpected {
    pub(super) status: Status,
    pub(super) session_key: Digest,
}

impl Operation for SessionKeys {
    const NAME: &'static str = "http-session-key";
    type Input = KeyInput;
    type Expected = KeyExpected;

    fn status(expected: &KeyExpected) -> Status {
        expected.status
    }

    fn run(input: &KeyInput) -> Result<KeyExpected, String> {
        let user = UserHash::new(&input.username, &input.realm, &input.password);
        let key = SessionKey::new(input.algorithm.into(), &user, &input.nonce.0, &input.cnonce.0);
        Ok(KeyExpected { status: Status::OK, session_key: Digest(*key.to_bytes()) })
    }
}

/// What both sides hash of a request, beside its method.
struct Hashed<'a> {
    account: (&'a str, &'a str, &'a str),
    algorithm: Option<Named>,
    method: &'a [u8],
    uri: &'a [u8],
    nonce: &'a [u8],
    nc: Option<&'a Octets>,
    cnonce: Option<&'a Octets>,
    qop: Option<&'a Octets>,
    entity: Option<&'a str>,
}

impl Hashed<'_> {
    fn key(&self, user: &UserHash) -> SessionKey {
        let algorithm = self.algorithm.map_or(Algorithm::Md5, Algorithm::from);
        SessionKey::new(algorithm, user, self.nonce, self.cnonce.map_or(b"", |cnonce| &cnonce.0))
    }

    fn user(&self) -> UserHash {
        let (username, realm, password) = self.account;
        UserHash::new(username, realm, password)
    }

    /// As RFC 7616 clients hash it.
    fn user_in_utf8(&self) -> UserHash {
        let (username, realm, password) = self.account;
        UserHash::utf8(username, realm, password)
    }

    fn digest(&self, user: &UserHash) -> Result<[u8; 16], String> {
        let entity = self.entity.map(|entity| unhex32(entity.as_bytes()).ok_or("entity is 32 digits")).transpose()?;
        let Some(qop) = self.qop else {
            let a2 = A2::Auth { method: self.method, uri: self.uri };
            return Ok(self.key(user).response_without_qop(self.nonce, &a2));
        };
        let (Some(nc), Some(cnonce)) = (self.nc, self.cnonce) else { return Err("qop needs nc and cnonce".to_owned()) };
        let a2 = match (Qop::from_token(&qop.0).ok_or("qop is auth or auth-int")?, &entity) {
            (Qop::Auth, _) => A2::Auth { method: self.method, uri: self.uri },
            (Qop::AuthInt, Some(entity)) => A2::AuthInt { method: self.method, uri: self.uri, entity },
            (Qop::AuthInt, None) => return Err("auth-int needs entity".to_owned()),
        };
        let protection = Protection { qop: &qop.0, nc: &nc.0, cnonce: &cnonce.0 };
        Ok(self.key(user).response(self.nonce, &protection, &a2))
    }
}

/// `http-response`.
pub(super) enum Responses {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseInput {
    username: String,
    realm: String,
    password: String,
    #[serde(deserialize_with = "nullable")]
    algorithm: Option<Named>,
    method: Octets,
    uri: Octets,
    nonce: Octets,
    #[serde(deserialize_with = "nullable")]
    nc: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    cnonce: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    qop: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    entity: Option<String>,
    response: Digest,
}

/// What a client computes, and whether what was sent is right.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseExpected {
    pub(super) status: Status,
    pub(super) session_key: Digest,
    pub(super) response: Digest,
}

impl Operation for Responses {
    const NAME: &'static str = "http-response";
    type Input = ResponseInput;
    type Expected = ResponseExpected;

    fn status(expected: &ResponseExpected) -> Status {
        expected.status
    }

    fn run(input: &ResponseInput) -> Result<ResponseExpected, String> {
        let hashed = Hashed {
            account: (&input.username, &input.realm, &input.password),
            algorithm: input.algorithm,
            method: &input.method.0,
            uri: &input.uri.0,
            nonce: &input.nonce.0,
            nc: input.nc.as_ref(),
            cnonce: input.cnonce.as_ref(),
            qop: input.qop.as_ref(),
            entity: input.entity.as_deref(),
        };
        let (user, user_in_utf8) = (hashed.user(), hashed.user_in_utf8());
        let (response, other) = (hashed.digest(&user)?, hashed.digest(&user_in_utf8)?);
        let right = equal(&input.response.0, &response) || equal(&input.response.0, &other);
        Ok(ResponseExpected {
            status: Status::of(right, Status::LOGON_DENIED),
            session_key: Digest(*hashed.key(&user).to_bytes()),
            response: Digest(response),
        })
    }
}

/// `http-rspauth`.
pub(super) enum Proofs {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofInput {
    username: String,
    realm: String,
    password: String,
    #[serde(deserialize_with = "nullable")]
    algorithm: Option<Named>,
    uri: Octets,
    nonce: Octets,
    #[serde(deserialize_with = "nullable")]
    nc: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    cnonce: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    qop: Option<Octets>,
    #[serde(deserialize_with = "nullable")]
    entity: Option<String>,
    rspauth: Digest,
}

/// What a server computes, and whether what it sent is right.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofExpected {
    pub(super) status: Status,
    pub(super) rspauth: Digest,
}

impl Operation for Proofs {
    const NAME: &'static str = "http-rspauth";
    type Input = ProofInput;
    type Expected = ProofExpected;

    fn status(expected: &ProofExpected) -> Status {
        expected.status
    }

    fn run(input: &ProofInput) -> Result<ProofExpected, String> {
        let hashed = Hashed {
            account: (&input.username, &input.realm, &input.password),
            algorithm: input.algorithm,
            method: b"",
            uri: &input.uri.0,
            nonce: &input.nonce.0,
            nc: input.nc.as_ref(),
            cnonce: input.cnonce.as_ref(),
            qop: input.qop.as_ref(),
            entity: input.entity.as_deref(),
        };
        let rspauth = hashed.digest(&hashed.user())?;
        let right = equal(&input.rspauth.0, &rspauth);
        Ok(ProofExpected { status: Status::of(right, Status::MESSAGE_ALTERED), rspauth: Digest(rspauth) })
    }
}
