//! What an initiator keeps of one answered challenge: enough for every further request, not the password.
#![forbid(unsafe_code)]

use super::bindings::ToldChannel;
use super::requirements::InitializeRequirements;
use crate::digest::hash::hex;
use crate::digest::{
    A2, Algorithm, Challenge, Charset, OfferedAlgorithm, Protection, Qop, ResponseFields, SessionKey, UserHash,
    nc_value,
};

/// An answered challenge, or one about to be.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub(super) struct Exchange<K = SessionKey> {
    username: String,
    realm: String,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    /// As in the challenge, when it had one.
    algorithm: Option<Algorithm>,
    charset: Charset,
    /// `None`: the form of RFC 2069.
    qop: Option<Qop>,
    granted: InitializeRequirements,
    /// What is told of service and channel, where the server invited it.
    told: Option<ToldChannel>,
    /// It stays the one of the first response, for servers that keep H(A1) and for those that rebuild it.
    cnonce: Vec<u8>,
    key: K,
}

/// No key yet: only lengths are known.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub(super) struct NoKey;

impl Exchange<NoKey> {
    /// Before there is a cnonce.
    pub(super) fn new(
        challenge: Challenge,
        username: String,
        qop: Option<Qop>,
        granted: InitializeRequirements,
        told: Option<ToldChannel>,
    ) -> Self {
        let algorithm = match challenge.algorithm {
            OfferedAlgorithm::Known(algorithm) => Some(algorithm),
            OfferedAlgorithm::Absent | OfferedAlgorithm::Unknown(_) => None,
        };
        Self {
            username,
            realm: challenge.realm,
            nonce: challenge.nonce,
            opaque: challenge.opaque,
            algorithm,
            charset: challenge.charset,
            qop,
            granted,
            cnonce: cnonce(told.as_ref(), &[0; 16]),
            told,
            key: NoKey,
        }
    }

    /// With the cnonce made of that entropy, and the key that follows from it.
    pub(super) fn with_cnonce(self, algorithm: Algorithm, user: &UserHash, entropy: &[u8; 16]) -> Exchange {
        let cnonce = cnonce(self.told.as_ref(), entropy);
        let key = SessionKey::new(algorithm, user, &self.nonce, &cnonce);
        let Self { username, realm, nonce, opaque, algorithm, charset, qop, granted, told, .. } = self;
        Exchange { username, realm, nonce, opaque, algorithm, charset, qop, granted, told, cnonce, key }
    }
}

/// A cnonce of that entropy, which covers what is told of the channel. Its length does not depend on the entropy.
fn cnonce(told: Option<&ToldChannel>, entropy: &[u8; 16]) -> Vec<u8> {
    match told {
        Some(told) => told.cnonce(entropy),
        None => hex(entropy).to_vec(),
    }
}

impl<K> Exchange<K> {
    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn qop(&self) -> Option<Qop> {
        self.qop
    }

    pub(super) fn granted(&self) -> InitializeRequirements {
        self.granted
    }

    /// The response and where in it its 32 digits stand; `None` if a value cannot be written.
    pub(super) fn header(&self, uri: &[u8], count: u32, response: &[u8; 32]) -> Option<(Vec<u8>, usize)> {
        let mut token = Vec::new();
        let response_at = ResponseFields {
            username: &self.username,
            realm: &self.realm,
            nonce: &self.nonce,
            uri,
            protection: self.qop.map(|qop| (qop, count, &self.cnonce[..])),
            response,
            opaque: self.opaque.as_deref(),
            algorithm: self.algorithm,
            charset: self.charset,
            extended: self.told.as_ref().map(ToldChannel::directives),
        }
        .write(&mut token)?;
        Some((token, response_at))
    }
}

impl Exchange {
    /// H(A1).
    pub(super) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// The digest of a request; `entity` counts for auth-int.
    pub(super) fn digest(&self, method: &[u8], uri: &[u8], entity: Option<&[u8; 16]>, count: u32) -> [u8; 16] {
        let a2 = match entity {
            Some(entity) => A2::AuthInt { method, uri, entity },
            None => A2::Auth { method, uri },
        };
        match self.qop {
            Some(qop) => {
                let nc = nc_value(count);
                let protection = Protection { qop: qop.as_str().as_bytes(), nc: &nc, cnonce: &self.cnonce };
                self.key.response(&self.nonce, &protection, &a2)
            }
            None => self.key.response_without_qop(&self.nonce, &a2),
        }
    }

    /// The `rspauth` of a server that knows the password, for the first request (RFC 2617 3.2.3).
    pub(super) fn proof(&self, uri: &[u8], body: Option<&[u8; 16]>) -> [u8; 16] {
        self.digest(b"", uri, body, 1)
    }

    /// Whether cnonce and nc, where the server repeats them, are those of the first request.
    pub(super) fn repeats(&self, cnonce: Option<&[u8]>, nc: Option<&[u8; 8]>) -> bool {
        cnonce.is_none_or(|cnonce| *cnonce == *self.cnonce) && nc.is_none_or(|nc| *nc == nc_value(1))
    }
}
