//! What SASL issues, and what that becomes once it is answered.
//!
//! There is no `opaque` (RFC 2831 section 2.1.1 has none): a nonce alone names a challenge, and a session is known by
//! the nonce and everything that must be as before for a fast reauthentication (RFC 2831 section 2.2.1).
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::context::environment::World;
use crate::context::sealed;
use crate::context::sessions::{Answered, Issued, Mechanism, Sessions};
use crate::digest::sasl::{Challenge, Ciphers, MaxBuf, OfferedAlgorithm, OfferedQop, Qop, Response};
use crate::digest::{ChallengeError, Charset, Nonce, SessionKey, Timestamp};
use crate::sync::Mutex;

/// SASL DIGEST-MD5: what the absence of the HTTP flag of a first call chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sasl;

impl sealed::Sealed for Sasl {}
impl Mechanism for Sasl {
    type Challenge = IssuedChallenge;
    type Session = Session;

    fn sessions<'w>(world: &World<'w>) -> &'w Mutex<Sessions<Self>> {
        world.sasl_sessions
    }
}

/// The one quality of protection that a challenge offers, with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offer {
    /// `auth`: no message is protected.
    Auth,
    /// `auth-int`.
    Integrity {
        /// The longest wrapped message this side receives.
        maxbuf: MaxBuf,
    },
    /// `auth-conf`.
    Confidentiality {
        /// The longest wrapped message this side receives.
        maxbuf: MaxBuf,
        /// The ciphers, at least one.
        ciphers: Ciphers,
    },
}

impl Offer {
    /// The quality of protection.
    pub const fn qop(&self) -> Qop {
        match self {
            Self::Auth => Qop::Auth,
            Self::Integrity { .. } => Qop::AuthInt,
            Self::Confidentiality { .. } => Qop::AuthConf,
        }
    }
}

/// What an acceptor decides about a challenge before there is a nonce.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChallengeTerms {
    /// The credentials identity under which the challenge can be answered (one virtual host).
    pub identity: Arc<str>,
    /// The realm.
    pub realm: String,
    /// What is offered.
    pub offer: Offer,
    /// Utf8 where charset=utf-8 is offered.
    pub charset: Charset,
}

/// A challenge as it was issued; nothing of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuedChallenge {
    terms: ChallengeTerms,
    nonce: Nonce,
}

impl IssuedChallenge {
    /// What was decided about it.
    pub fn terms(&self) -> &ChallengeTerms {
        &self.terms
    }

    /// The first directive of `response` that this challenge did not offer: qop, realm, cipher.
    pub fn departure(&self, response: &Response<'_>) -> Option<&'static str> {
        if response.qop != self.terms.offer.qop() {
            return Some("qop");
        }
        if *response.realm != *self.terms.realm {
            return Some("realm");
        }
        match self.terms.offer {
            Offer::Auth | Offer::Integrity { .. } => None,
            Offer::Confidentiality { ciphers, .. } => {
                let offered = response.cipher.is_some_and(|cipher| ciphers.contains(cipher));
                if offered { None } else { Some("cipher") }
            }
        }
    }
}

impl Issued for IssuedChallenge {
    type Terms = ChallengeTerms;
    type Entropy = [u8; 16];

    fn new(terms: ChallengeTerms, now: Timestamp, entropy: [u8; 16]) -> Self {
        Self { terms, nonce: Nonce::new(now, entropy) }
    }

    fn into_terms(self) -> ChallengeTerms {
        self.terms
    }

    fn identity(&self) -> &Arc<str> {
        &self.terms.identity
    }

    fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    fn opaque(&self) -> Option<&[u8; 32]> {
        None
    }

    fn to_bytes(&self, stale: bool) -> Result<Vec<u8>, ChallengeError> {
        let (maxbuf, ciphers) = match self.terms.offer {
            Offer::Auth => (MaxBuf::DEFAULT, Ciphers::EMPTY),
            Offer::Integrity { maxbuf } => (maxbuf, Ciphers::EMPTY),
            Offer::Confidentiality { maxbuf, ciphers } => (maxbuf, ciphers),
        };
        Challenge {
            realms: vec![self.terms.realm.clone()],
            nonce: self.nonce.as_bytes().to_vec(),
            qop: OfferedQop::only(self.terms.offer.qop()),
            stale,
            maxbuf,
            charset: self.terms.charset,
            algorithm: OfferedAlgorithm::Md5Sess,
            ciphers,
        }
        .to_bytes()
    }
}

/// An answered challenge; nothing of it ever changes but its counts, which [`Sessions`] keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    challenge: Arc<IssuedChallenge>,
    username: String,
    realm: String,
    cnonce: Vec<u8>,
    authzid: Option<String>,
    charset: Charset,
    key: SessionKey,
}

impl Session {
    /// The session that `response` begins by answering `challenge`.
    pub fn new(challenge: Arc<IssuedChallenge>, response: &Response<'_>, key: SessionKey) -> Self {
        Self {
            challenge,
            username: response.username.clone().into_owned(),
            realm: response.realm.clone().into_owned(),
            cnonce: response.cnonce.to_vec(),
            authzid: response.authzid.clone().map(std::borrow::Cow::into_owned),
            charset: response.charset,
            key,
        }
    }

    /// The user's name, as the initial response gave it.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// H(A1), fixed until the next challenge.
    pub fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Whether `response` continues this session: nonce, username, realm, cnonce and authzid are its own
    /// (RFC 2831 section 2.2.1).
    pub fn is_named_by(&self, response: &Response<'_>) -> bool {
        *response.nonce == self.challenge.nonce.as_bytes()[..]
            && *response.username == *self.username
            && *response.realm == *self.realm
            && *response.cnonce == *self.cnonce
            && response.authzid.as_deref() == self.authzid.as_deref()
    }

    /// Whether it may be reauthenticated fast: under auth-conf the keystream would repeat.
    pub fn is_reauthenticated_fast(&self) -> bool {
        match self.challenge.terms.offer {
            Offer::Auth | Offer::Integrity { .. } => true,
            Offer::Confidentiality { .. } => false,
        }
    }

    /// The first directive that a fast reauthentication may not change, though no digest covers it or the digest
    /// covers whatever it says. maxbuf is the new connection's.
    pub fn departure(&self, response: &Response<'_>) -> Option<&'static str> {
        if response.charset != self.charset {
            Some("charset")
        } else if response.qop != self.challenge.terms.offer.qop() {
            Some("qop")
        } else {
            None
        }
    }
}

impl Answered<IssuedChallenge> for Session {
    fn challenge(&self) -> &Arc<IssuedChallenge> {
        &self.challenge
    }
}
