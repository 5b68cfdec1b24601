//! What an initiator keeps of one answered challenge: enough for its proof, its layer and a fast reauthentication,
//! not the password.
#![forbid(unsafe_code)]

use crate::context::initiator::OutboundCredentials;
use crate::context::sasl::layers::MessageProtection;
use crate::digest::hash::hex;
use crate::digest::sasl::{Challenge, Direction, Layer, MaxBuf, Qop, ResponseFields};
use crate::digest::{Charset, SessionKey, UserHash};

/// An answered challenge, or one about to be.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Exchange<K = SessionKey> {
    /// As it is sent.
    username: String,
    realm: Option<String>,
    nonce: Vec<u8>,
    charset: Charset,
    /// `None` is qop=auth.
    layer: Option<Layer>,
    /// The longest wrapped message this side receives.
    own_maxbuf: MaxBuf,
    /// The longest wrapped message the server receives.
    peer_maxbuf: MaxBuf,
    digest_uri: Vec<u8>,
    cnonce: [u8; 32],
    key: K,
}

/// No key yet: only lengths are known.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NoKey;

impl Exchange<NoKey> {
    /// Before there is a cnonce.
    pub(super) fn new(
        challenge: Challenge,
        credentials: &OutboundCredentials,
        layer: Option<Layer>,
        own_maxbuf: MaxBuf,
        digest_uri: &[u8],
    ) -> Self {
        let (realm, username) = realm_and_username(&challenge.realms, credentials);
        Self {
            username,
            realm,
            nonce: challenge.nonce,
            charset: challenge.charset,
            layer,
            own_maxbuf,
            peer_maxbuf: challenge.maxbuf,
            digest_uri: digest_uri.to_vec(),
            cnonce: [b'0'; 32],
            key: NoKey,
        }
    }

    /// With the cnonce made of that entropy, and the key that follows from it.
    pub(super) fn with_cnonce(self, password: &str, entropy: &[u8; 16]) -> Exchange {
        let cnonce = hex(entropy);
        let user = UserHash::new(&self.username, self.realm.as_deref().unwrap_or_default(), password);
        let key = SessionKey::sasl(&user, &self.nonce, &cnonce, None);
        let Self { username, realm, nonce, charset, layer, own_maxbuf, peer_maxbuf, digest_uri, .. } = self;
        Exchange { username, realm, nonce, charset, layer, own_maxbuf, peer_maxbuf, digest_uri, cnonce, key }
    }

    /// A token of the length of the real one; `None` if a value cannot be written.
    pub(super) fn sample(&self) -> Option<Vec<u8>> {
        self.write(1, &[b'0'; 32])
    }
}

/// The realm of the response, and the user name in it (`initializesecuritycontext--digest`; RFC 2831 section 2.1.2).
///
/// A domain that the server offers as a realm is the realm; otherwise it goes before the user name.
fn realm_and_username(realms: &[String], credentials: &OutboundCredentials) -> (Option<String>, String) {
    let offered = |domain: &str| realms.iter().any(|realm| realm == domain);
    match (credentials.domain(), realms.first()) {
        (Some(domain), Some(first)) if !offered(domain) => (Some(first.clone()), credentials.username()),
        (Some(domain), Some(_) | None) => (Some(domain.to_owned()), credentials.user().to_owned()),
        (None, first) => (first.cloned(), credentials.user().to_owned()),
    }
}

impl<K> Exchange<K> {
    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn qop(&self) -> Qop {
        self.layer.map_or(Qop::Auth, Layer::qop)
    }

    pub(super) fn digest_uri(&self) -> &[u8] {
        &self.digest_uri
    }

    fn fields(&self, count: u32) -> ResponseFields<'_> {
        ResponseFields {
            username: &self.username,
            realm: self.realm.as_deref(),
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            nc: count,
            qop: self.qop(),
            cipher: self.layer.and_then(Layer::cipher),
            maxbuf: self.layer.map(|_| self.own_maxbuf),
            digest_uri: &self.digest_uri,
            charset: self.charset,
            authzid: None,
        }
    }

    fn write(&self, count: u32, response: &[u8; 32]) -> Option<Vec<u8>> {
        let mut token = Vec::new();
        self.fields(count).write(response, &mut token)?;
        Some(token)
    }
}

impl Exchange {
    /// The response with that nonce count; `None` if a value cannot be written.
    pub(super) fn response(&self, count: u32) -> Option<Vec<u8>> {
        self.write(count, &hex(&self.fields(count).digest(&self.key)))
    }

    /// The proof of a server that knows the password, for the response with that nonce count.
    pub(super) fn proof(&self, count: u32) -> [u8; 16] {
        self.fields(count).rspauth(&self.key)
    }

    /// H(A1).
    pub(super) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// What protects messages from now on.
    pub(super) fn protection(&self) -> MessageProtection {
        MessageProtection::new(self.layer, &self.key, Direction::ClientToServer, self.peer_maxbuf)
    }
}
