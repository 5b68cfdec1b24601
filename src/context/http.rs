//! What HTTP issues, and what that becomes once it is answered.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::bindings::NonceForm;
use super::environment::World;
use super::sealed;
use super::sessions::{Answered, Issued, Mechanism, Sessions};
use crate::digest::challenge::{OfferedAlgorithm, OfferedQop};
use crate::digest::{Algorithm, Challenge, ChallengeError, Charset, Nonce, Qop, Response, SessionKey, Timestamp, hash};
use crate::sync::Mutex;

/// HTTP Digest: what the HTTP flag of a first call chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Http;

impl sealed::Sealed for Http {}
impl Mechanism for Http {
    type Challenge = IssuedChallenge;
    type Session = Session;

    fn sessions<'w>(world: &World<'w>) -> &'w Mutex<Sessions<Self>> {
        world.http_sessions
    }
}

/// What an acceptor decides about a challenge before there is a nonce.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChallengeTerms {
    /// The credentials identity under which the challenge can be answered (one virtual host).
    pub identity: Arc<str>,
    /// The realm.
    pub realm: String,
    /// The algorithm asked for.
    pub algorithm: Algorithm,
    /// The one quality of protection offered.
    pub qop: Qop,
    /// Utf8 where charset=utf-8 is offered.
    pub charset: Charset,
    /// Whether the nonce invites the client to tell its channel.
    pub nonce_form: NonceForm,
}

/// A challenge as it was issued; nothing of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuedChallenge {
    terms: ChallengeTerms,
    nonce: Nonce,
    opaque: [u8; 32],
}

impl IssuedChallenge {
    /// What was decided about it.
    pub fn terms(&self) -> &ChallengeTerms {
        &self.terms
    }

    /// Whether nonce and opaque of `response` are both those of this challenge.
    pub fn is_named_by(&self, response: &Response<'_>) -> bool {
        *response.nonce == self.nonce.as_bytes()[..] && *response.opaque == self.opaque[..]
    }

    /// The first directive of `response` that this challenge did not offer: qop, algorithm, realm.
    pub fn departure(&self, response: &Response<'_>) -> Option<&'static str> {
        if response.qop != self.terms.qop {
            Some("qop")
        } else if response.algorithm() != self.terms.algorithm {
            Some("algorithm")
        } else if *response.realm != *self.terms.realm {
            Some("realm")
        } else {
            None
        }
    }
}

impl Issued for IssuedChallenge {
    type Terms = ChallengeTerms;
    /// Of the nonce and of the opaque string.
    type Entropy = [u8; 32];

    fn new(terms: ChallengeTerms, now: Timestamp, entropy: [u8; 32]) -> Self {
        let [nonce, opaque] = halves(entropy);
        let nonce = match terms.nonce_form {
            NonceForm::Plain => Nonce::new(now, nonce),
            NonceForm::Upgraded => Nonce::upgraded(now, nonce),
        };
        Self { terms, nonce, opaque: hash::hex(&opaque) }
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
        Some(&self.opaque)
    }

    fn to_bytes(&self, stale: bool) -> Result<Vec<u8>, ChallengeError> {
        Challenge {
            realm: self.terms.realm.clone(),
            nonce: self.nonce.as_bytes().to_vec(),
            opaque: Some(self.opaque.to_vec()),
            domain: None,
            stale,
            algorithm: OfferedAlgorithm::Known(self.terms.algorithm),
            qop: Some(match self.terms.qop {
                Qop::Auth => OfferedQop::AUTH,
                Qop::AuthInt => OfferedQop::AUTH_INT,
            }),
            charset: self.terms.charset,
        }
        .to_bytes()
    }
}

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (half, part) in halves.iter_mut().zip(bytes.chunks_exact(16)) {
        half.copy_from_slice(part);
    }
    halves
}

/// An answered challenge; nothing of it ever changes but its counts, which [`Sessions`] keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    challenge: Arc<IssuedChallenge>,
    username: String,
    key: SessionKey,
    charset: Charset,
    hashed_dirs: Option<Vec<u8>>,
    service_name: Option<Vec<u8>>,
    channel_binding: Option<Vec<u8>>,
}

impl Session {
    /// The session that `response` begins by answering `challenge`.
    pub fn new(challenge: Arc<IssuedChallenge>, response: &Response<'_>, key: SessionKey) -> Self {
        let owned = |value: &Option<std::borrow::Cow<'_, [u8]>>| value.as_deref().map(<[u8]>::to_vec);
        Self {
            challenge,
            username: response.username.clone().into_owned(),
            key,
            charset: response.charset,
            hashed_dirs: owned(&response.hashed_dirs),
            service_name: owned(&response.service_name),
            channel_binding: owned(&response.channel_binding),
        }
    }

    /// The user's name, as the initial response gave it.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The service that the client means, where it told its channel. Empty if it names none.
    pub fn service_name(&self) -> Option<&[u8]> {
        self.service_name.as_deref()
    }

    /// H(A1), fixed until the next challenge.
    pub fn key(&self) -> &SessionKey {
        &self.key
    }

    /// The first directive outside the hash in which `response` departs from this session.
    ///
    /// The cached key would not notice any of them.
    pub fn departure(&self, response: &Response<'_>) -> Option<&'static str> {
        if *response.username != *self.username {
            Some("username")
        } else if let Some(directive) = self.challenge.departure(response) {
            Some(directive)
        } else if response.charset != self.charset {
            Some("charset")
        } else if response.hashed_dirs.as_deref() != self.hashed_dirs.as_deref() {
            Some("hashed-dirs")
        } else if response.service_name.as_deref() != self.service_name.as_deref() {
            Some("service-name")
        } else if response.channel_binding.as_deref() != self.channel_binding.as_deref() {
            Some("channel-binding")
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
