//! Challenges and sessions of one provider: plain data, changed in atomic steps under one short lock.
//!
//! A challenge belongs to the provider, not to a handle; a session ends with its last reference.
//! Immutable facts are shared out (`Arc`), so that digests are verified outside the lock; what must
//! happen exactly once ([`Sessions::answer`], [`Sessions::take_count`]) checks and changes in one step.
#![forbid(unsafe_code)]

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counts::{NonceCounts, SequencePolicy};
use crate::digest::challenge::{OfferedAlgorithm, OfferedQop};
use crate::digest::{Algorithm, Challenge, ChallengeError, Charset, Nonce, Qop, Response, SessionKey};

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
}

/// A challenge as it was issued; nothing of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuedChallenge {
    terms: ChallengeTerms,
    nonce: Nonce,
    opaque: [u8; 32],
}

impl IssuedChallenge {
    /// A challenge with that nonce and opaque, not yet issued.
    pub fn new(terms: ChallengeTerms, nonce: Nonce, opaque: [u8; 32]) -> Self {
        Self { terms, nonce, opaque }
    }

    pub(super) fn into_terms(self) -> ChallengeTerms {
        self.terms
    }

    /// What was decided about it.
    pub fn terms(&self) -> &ChallengeTerms {
        &self.terms
    }

    /// The nonce, which knows its age.
    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// The opaque string.
    pub fn opaque(&self) -> &[u8] {
        &self.opaque
    }

    /// Whether nonce and opaque of `response` are both those of this challenge.
    pub fn is_named_by(&self, response: &Response<'_>) -> bool {
        *response.nonce == self.nonce.as_bytes()[..] && *response.opaque == self.opaque[..]
    }

    /// The token, with `stale=true` where the credentials were right and only the nonce was not.
    ///
    /// # Errors
    /// The realm makes it longer than an initiator would read, or cannot stand in a token.
    pub fn to_bytes(&self, stale: bool) -> Result<Vec<u8>, ChallengeError> {
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

/// An answered challenge; nothing of it ever changes but its counts, which [`Sessions`] keeps.
#[derive(Debug, PartialEq, Eq, Hash)]
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

    /// The challenge it answered.
    pub fn challenge(&self) -> &Arc<IssuedChallenge> {
        &self.challenge
    }

    /// The user's name, as the initial response gave it.
    pub fn username(&self) -> &str {
        &self.username
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct EntryId(u64);

/// A counted reference to a challenge or session; whoever holds it gives it back with [`Sessions::release`].
///
/// It pins what it refers to: eviction and failures only ever make a challenge unfindable.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "a reference that is not released keeps its session alive for ever"]
pub struct Reference(EntryId);

/// What a token names under one credentials identity.
#[derive(Debug)]
pub enum Named {
    /// Nothing that is live.
    Nothing,
    /// Two different live ones, by its nonce and its opaque.
    Two,
    /// An unanswered challenge.
    Challenge(Arc<IssuedChallenge>, Reference),
    /// A session.
    Session(Arc<Session>, Reference),
}

/// What became of an answer.
#[derive(Debug)]
pub enum Answer {
    /// The challenge is now this session, its count taken.
    Taken(Arc<Session>),
    /// The count is not acceptable; the challenge is unanswered still.
    CountRefused,
    /// Somebody else answered before; this is the session.
    AnsweredBefore(Arc<Session>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Standing {
    Unanswered { challenge: Arc<IssuedChallenge>, failures: u32 },
    Answered { session: Arc<Session>, counts: NonceCounts },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    standing: Standing,
    references: usize,
    /// Whether tokens can name it.
    listed: bool,
}

impl Entry {
    fn challenge(&self) -> &Arc<IssuedChallenge> {
        match &self.standing {
            Standing::Unanswered { challenge, .. } => challenge,
            Standing::Answered { session, .. } => session.challenge(),
        }
    }
}

/// What one credentials identity can find.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct VirtualHost {
    by_nonce: BTreeMap<Vec<u8>, EntryId>,
    by_opaque: BTreeMap<[u8; 32], EntryId>,
}

/// All challenges and sessions of one provider.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Sessions {
    entries: BTreeMap<EntryId, Entry>,
    hosts: BTreeMap<Arc<str>, VirtualHost>,
    /// The unanswered challenges that tokens can name, oldest first.
    unanswered: BTreeSet<EntryId>,
    issued: u64,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sessions")
            .field("entries", &self.entries.len())
            .field("unanswered", &self.unanswered.len())
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// Issues a challenge: from now on it can be answered. The oldest unanswered ones beyond `limit` cannot any more.
    ///
    /// `None` if nonce or opaque are in use already, which only an entropy source that repeats itself brings about.
    pub fn issue(&mut self, challenge: IssuedChallenge, limit: usize) -> Option<Arc<IssuedChallenge>> {
        let host = self.hosts.entry(Arc::clone(&challenge.terms.identity)).or_default();
        if host.by_nonce.contains_key(challenge.nonce.as_bytes()) || host.by_opaque.contains_key(&challenge.opaque) {
            return None;
        }
        self.issued += 1;
        let id = EntryId(self.issued);
        let challenge = Arc::new(challenge);
        let standing = Standing::Unanswered { challenge: Arc::clone(&challenge), failures: 0 };
        self.entries.insert(id, Entry { standing, references: 0, listed: false });
        self.list(id);
        self.unanswered.insert(id);
        while self.unanswered.len() > limit {
            let Some(oldest) = self.unanswered.pop_first() else { break };
            self.unlist(oldest);
        }
        Some(challenge)
    }

    /// Finds what nonce and opaque name under that identity, and refers to it.
    pub fn name(&mut self, identity: &str, nonce: &[u8], opaque: &[u8]) -> Named {
        let Some(host) = self.hosts.get(identity) else { return Named::Nothing };
        let by_nonce = host.by_nonce.get(nonce).copied();
        let by_opaque = <&[u8; 32]>::try_from(opaque).ok().and_then(|opaque| host.by_opaque.get(opaque)).copied();
        let id = match (by_nonce, by_opaque) {
            (Some(one), Some(other)) if one == other => one,
            (Some(_), Some(_)) => return Named::Two,
            (Some(_), None) | (None, Some(_)) | (None, None) => return Named::Nothing,
        };
        let Some(entry) = self.entries.get_mut(&id) else { return Named::Nothing };
        entry.references += 1;
        match &entry.standing {
            Standing::Unanswered { challenge, .. } => Named::Challenge(Arc::clone(challenge), Reference(id)),
            Standing::Answered { session, .. } => Named::Session(Arc::clone(session), Reference(id)),
        }
    }

    /// The session that the challenge has become, if it was answered.
    pub fn session(&self, reference: &Reference) -> Option<Arc<Session>> {
        match &self.entries.get(&reference.0)?.standing {
            Standing::Unanswered { .. } => None,
            Standing::Answered { session, .. } => Some(Arc::clone(session)),
        }
    }

    /// Counts a wrong digest against an unanswered challenge; at `limit` of them no token can name it any more.
    pub fn fail(&mut self, reference: &Reference, limit: u32) {
        let Some(entry) = self.entries.get_mut(&reference.0) else { return };
        match &mut entry.standing {
            Standing::Unanswered { failures, .. } => {
                *failures = failures.saturating_add(1);
                if *failures >= limit {
                    self.unanswered.remove(&reference.0);
                    self.unlist(reference.0);
                }
            }
            Standing::Answered { .. } => {}
        }
    }

    /// Answers a challenge with that session and takes the count of the answer: at most once, whoever comes first.
    pub fn answer(&mut self, reference: &Reference, session: Session, count: u32, policy: SequencePolicy) -> Answer {
        let Some(entry) = self.entries.get_mut(&reference.0) else { return Answer::CountRefused };
        match &entry.standing {
            Standing::Answered { session, .. } => Answer::AnsweredBefore(Arc::clone(session)),
            Standing::Unanswered { .. } => {
                let mut counts = NonceCounts::default();
                if !counts.take(count, policy) {
                    return Answer::CountRefused;
                }
                let session = Arc::new(session);
                entry.standing = Standing::Answered { session: Arc::clone(&session), counts };
                self.unanswered.remove(&reference.0);
                // A pinned challenge may have been evicted meanwhile; as a session it can be named again.
                self.list(reference.0);
                Answer::Taken(session)
            }
        }
    }

    /// Takes a nonce count if it is acceptable: check and update are one step. Tells whether it did.
    pub fn take_count(&mut self, reference: &Reference, count: u32, policy: SequencePolicy) -> bool {
        match self.entries.get_mut(&reference.0).map(|entry| &mut entry.standing) {
            Some(Standing::Answered { counts, .. }) => counts.take(count, policy),
            Some(Standing::Unanswered { .. }) | None => false,
        }
    }

    /// Whether a count would be acceptable; an unanswered challenge has had none.
    pub fn accepts_count(&self, reference: &Reference, count: u32, policy: SequencePolicy) -> bool {
        match self.entries.get(&reference.0).map(|entry| &entry.standing) {
            Some(Standing::Answered { counts, .. }) => counts.accepts(count, policy),
            Some(Standing::Unanswered { .. }) => NonceCounts::default().accepts(count, policy),
            None => false,
        }
    }

    /// Gives a reference back. A session ends with its last one; a challenge lives on while tokens can name it.
    pub fn release(&mut self, reference: Reference) {
        let id = reference.0;
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.references = entry.references.saturating_sub(1);
        if entry.references > 0 {
            return;
        }
        match entry.standing {
            Standing::Answered { .. } => self.unlist(id),
            Standing::Unanswered { .. } if entry.listed => {}
            Standing::Unanswered { .. } => {
                self.entries.remove(&id);
            }
        }
    }

    /// Challenges and sessions there are, whether or not tokens can name them.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The references there are: one for each context that is pending on a challenge or session, or established.
    pub fn references(&self) -> usize {
        self.entries.values().map(|entry| entry.references).sum()
    }

    fn list(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.listed = true;
        let challenge = Arc::clone(entry.challenge());
        let host = self.hosts.entry(Arc::clone(&challenge.terms.identity)).or_default();
        // An occupied place (entropy that repeats itself) stays with whom tokens can name already.
        host.by_nonce.entry(challenge.nonce.as_bytes().to_vec()).or_insert(id);
        host.by_opaque.entry(challenge.opaque).or_insert(id);
    }

    /// Makes an entry unfindable, and forgets it if nobody refers to it.
    fn unlist(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let challenge = Arc::clone(entry.challenge());
        let forgotten = entry.references == 0;
        if entry.listed {
            entry.listed = false;
            if let Some(host) = self.hosts.get_mut(&challenge.terms.identity) {
                if host.by_nonce.get(challenge.nonce.as_bytes()) == Some(&id) {
                    host.by_nonce.remove(challenge.nonce.as_bytes());
                }
                if host.by_opaque.get(&challenge.opaque) == Some(&id) {
                    host.by_opaque.remove(&challenge.opaque);
                }
                if host.by_nonce.is_empty() && host.by_opaque.is_empty() {
                    self.hosts.remove(&challenge.terms.identity);
                }
            }
        }
        if forgotten {
            self.entries.remove(&id);
        }
    }
}
