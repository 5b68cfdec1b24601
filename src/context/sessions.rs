//! Challenges and sessions of one provider: plain data, changed in atomic steps under one short lock.
//!
//! A challenge belongs to the provider, not to a handle; a session ends with its last reference.
//! Immutable facts are shared out (`Arc`), so that digests are verified outside the lock; what must
//! happen exactly once ([`Sessions::answer`], [`Sessions::take_count`]) checks and changes in one step.
//!
//! Each [`Mechanism`] has [`Sessions`] of its own and references of its own type: nothing of HTTP can name, answer or
//! count anything of SASL.
#![forbid(unsafe_code)]

use core::fmt;
use core::hash::Hash;
use core::marker::PhantomData;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counts::{NonceCounts, SequencePolicy};
use super::environment::World;
use super::sealed;
use crate::digest::{ChallengeError, Nonce, Timestamp};
use crate::sync::{Mutex, lock};

/// A mechanism of the package: what it issues, and what that becomes once it is answered. Sealed: HTTP and SASL.
pub trait Mechanism: sealed::Sealed + fmt::Debug + Copy + Eq + Hash {
    /// A challenge as it was issued; nothing of it ever changes.
    type Challenge: Issued;
    /// An answered challenge; nothing of it ever changes but its counts, which [`Sessions`] keeps.
    type Session: Answered<Self::Challenge>;

    /// The challenges and sessions of this mechanism.
    fn sessions<'w>(world: &World<'w>) -> &'w Mutex<Sessions<Self>>;
}

/// A challenge as it was issued.
pub trait Issued: fmt::Debug + Clone + Eq + Hash {
    /// What the acceptor decides about it before there is a nonce.
    type Terms: Clone;
    /// The entropy in it.
    type Entropy: Default + AsMut<[u8]>;

    /// A challenge on those terms, not yet issued. On the same terms every challenge has the same length.
    fn new(terms: Self::Terms, now: Timestamp, entropy: Self::Entropy) -> Self;

    /// The terms again.
    fn into_terms(self) -> Self::Terms;

    /// The credentials identity under which it can be answered (one virtual host).
    fn identity(&self) -> &Arc<str>;

    /// The nonce, which knows its age.
    fn nonce(&self) -> &Nonce;

    /// The opaque string, where the mechanism has one.
    fn opaque(&self) -> Option<&[u8; 32]>;

    /// The token, with `stale=true` where the credentials were right and only the nonce was not.
    ///
    /// # Errors
    /// It would be longer than an initiator would read, or a value cannot stand in a token.
    fn to_bytes(&self, stale: bool) -> Result<Vec<u8>, ChallengeError>;
}

/// An answered challenge.
pub trait Answered<C>: fmt::Debug + Clone + Eq + Hash {
    /// The challenge it answered.
    fn challenge(&self) -> &Arc<C>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct EntryId(u64);

/// A counted reference to a challenge or session; whoever holds it gives it back with [`Sessions::release`].
///
/// It pins what it refers to: eviction and failures only ever make a challenge unfindable. Under feature `model` whoever copies
/// the contexts of a world copies their [`Sessions`] with them.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
#[must_use = "a reference that is not released keeps its session alive for ever"]
pub struct Reference<M>(EntryId, PhantomData<M>);

impl<M> Reference<M> {
    fn to(id: EntryId) -> Self {
        Self(id, PhantomData)
    }
}

impl<M: Mechanism> Reference<M> {
    /// Does what an account source or environment may break off by a panic. The context that holds this reference is lost
    /// with it, and nobody else could give it back.
    pub(super) fn through<T>(&self, world: &World<'_>, work: impl FnOnce() -> T) -> T {
        let held = Held::new(Self::to(self.0), world);
        let done = work();
        // The context still has it.
        let Self(..) = held.keep();
        done
    }
}

/// A reference that goes back unless it is kept, whichever way a call ends: an error, or a panic of the account source or
/// the environment.
pub(super) struct Held<'w, M: Mechanism> {
    sessions: &'w Mutex<Sessions<M>>,
    reference: Reference<M>,
}

impl<'w, M: Mechanism> Held<'w, M> {
    pub(super) fn new(reference: Reference<M>, world: &World<'w>) -> Self {
        Self { sessions: M::sessions(world), reference }
    }

    pub(super) fn reference(&self) -> &Reference<M> {
        &self.reference
    }

    /// For a context that needs it from now on.
    pub(super) fn keep(self) -> Reference<M> {
        let kept = Reference::to(self.reference.0);
        core::mem::forget(self);
        kept
    }
}

impl<M: Mechanism> Drop for Held<'_, M> {
    fn drop(&mut self) {
        lock(self.sessions).release(Reference::to(self.reference.0));
    }
}

/// What a token names under one credentials identity.
#[derive(Debug)]
pub enum Named<M: Mechanism> {
    /// An unanswered challenge.
    Challenge(Arc<M::Challenge>, Reference<M>),
    /// A session.
    Session(Arc<M::Session>, Reference<M>),
}

/// nonce and opaque of a token belong to two different live challenges or sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamesTwo;

/// What became of an answer.
#[derive(Debug)]
pub enum Answer<S> {
    /// The challenge is now this session, its count taken.
    Taken(Arc<S>),
    /// The count is not acceptable; the challenge is unanswered still.
    CountRefused,
    /// Somebody else answered before; this is the session.
    AnsweredBefore(Arc<S>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Standing<M: Mechanism> {
    Unanswered { challenge: Arc<M::Challenge>, failures: u32 },
    Answered { session: Arc<M::Session>, counts: NonceCounts },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry<M: Mechanism> {
    standing: Standing<M>,
    references: usize,
    /// Whether tokens can name it.
    listed: bool,
}

impl<M: Mechanism> Entry<M> {
    fn challenge(&self) -> &Arc<M::Challenge> {
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

/// All challenges and sessions of one mechanism of one provider.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sessions<M: Mechanism> {
    entries: BTreeMap<EntryId, Entry<M>>,
    hosts: BTreeMap<Arc<str>, VirtualHost>,
    /// The unanswered challenges that tokens can name, oldest first.
    unanswered: BTreeSet<EntryId>,
    issued: u64,
}

impl<M: Mechanism> Default for Sessions<M> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), hosts: BTreeMap::new(), unanswered: BTreeSet::new(), issued: 0 }
    }
}

impl<M: Mechanism> fmt::Debug for Sessions<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sessions")
            .field("entries", &self.entries.len())
            .field("unanswered", &self.unanswered.len())
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

impl<M: Mechanism> Sessions<M> {
    /// Issues a challenge: from now on it can be answered. The oldest unanswered ones beyond `limit` cannot any more.
    ///
    /// `None` if nonce or opaque are in use already, which only an entropy source that repeats itself brings about.
    pub fn issue(&mut self, challenge: M::Challenge, limit: usize) -> Option<Arc<M::Challenge>> {
        let host = self.hosts.entry(Arc::clone(challenge.identity())).or_default();
        let opaque = challenge.opaque();
        if host.by_nonce.contains_key(challenge.nonce().as_bytes())
            || opaque.is_some_and(|opaque| host.by_opaque.contains_key(opaque))
        {
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

    /// Finds what a nonce names under that identity, and refers to it.
    pub fn name(&mut self, identity: &str, nonce: &[u8]) -> Option<Named<M>> {
        let id = *self.hosts.get(identity)?.by_nonce.get(nonce)?;
        self.refer(id)
    }

    /// Finds what nonce and opaque both name under that identity, and refers to it.
    ///
    /// # Errors
    /// They name two different things.
    pub fn name_by_both(&mut self, identity: &str, nonce: &[u8], opaque: &[u8]) -> Result<Option<Named<M>>, NamesTwo> {
        let Some(host) = self.hosts.get(identity) else { return Ok(None) };
        let by_nonce = host.by_nonce.get(nonce).copied();
        let by_opaque = <&[u8; 32]>::try_from(opaque).ok().and_then(|opaque| host.by_opaque.get(opaque)).copied();
        match (by_nonce, by_opaque) {
            (Some(one), Some(other)) if one == other => Ok(self.refer(one)),
            (Some(_), Some(_)) => Err(NamesTwo),
            (Some(_), None) | (None, Some(_)) | (None, None) => Ok(None),
        }
    }

    fn refer(&mut self, id: EntryId) -> Option<Named<M>> {
        let entry = self.entries.get_mut(&id)?;
        entry.references += 1;
        Some(match &entry.standing {
            Standing::Unanswered { challenge, .. } => Named::Challenge(Arc::clone(challenge), Reference::to(id)),
            Standing::Answered { session, .. } => Named::Session(Arc::clone(session), Reference::to(id)),
        })
    }

    /// The session that the challenge has become, if it was answered.
    pub fn session(&self, reference: &Reference<M>) -> Option<Arc<M::Session>> {
        match &self.entries.get(&reference.0)?.standing {
            Standing::Unanswered { .. } => None,
            Standing::Answered { session, .. } => Some(Arc::clone(session)),
        }
    }

    /// Counts a wrong digest against an unanswered challenge; at `limit` of them no token can name it any more.
    pub fn fail(&mut self, reference: &Reference<M>, limit: u32) {
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
    pub fn answer(
        &mut self,
        reference: &Reference<M>,
        session: M::Session,
        count: u32,
        policy: SequencePolicy,
    ) -> Answer<M::Session> {
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
    pub fn take_count(&mut self, reference: &Reference<M>, count: u32, policy: SequencePolicy) -> bool {
        match self.entries.get_mut(&reference.0).map(|entry| &mut entry.standing) {
            Some(Standing::Answered { counts, .. }) => counts.take(count, policy),
            Some(Standing::Unanswered { .. }) | None => false,
        }
    }

    /// Whether a count would be acceptable; an unanswered challenge has had none.
    pub fn accepts_count(&self, reference: &Reference<M>, count: u32, policy: SequencePolicy) -> bool {
        match self.entries.get(&reference.0).map(|entry| &entry.standing) {
            Some(Standing::Answered { counts, .. }) => counts.accepts(count, policy),
            Some(Standing::Unanswered { .. }) => NonceCounts::default().accepts(count, policy),
            None => false,
        }
    }

    /// Gives a reference back. A session ends with its last one; a challenge lives on while tokens can name it.
    pub fn release(&mut self, reference: Reference<M>) {
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

    /// How many challenges and sessions there are, whether or not tokens can name them.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The references there are: one for each context that is pending on a challenge or session, or established.
    pub fn references(&self) -> usize {
        self.entries.values().map(|entry| entry.references).sum()
    }

    fn list(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.listed = true;
        let challenge = Arc::clone(entry.challenge());
        let host = self.hosts.entry(Arc::clone(challenge.identity())).or_default();
        // An occupied place (entropy that repeats itself) stays with whom tokens can name already.
        host.by_nonce.entry(challenge.nonce().as_bytes().to_vec()).or_insert(id);
        if let Some(opaque) = challenge.opaque() {
            host.by_opaque.entry(*opaque).or_insert(id);
        }
    }

    /// Makes an entry unfindable, and forgets it if nobody refers to it.
    fn unlist(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let challenge = Arc::clone(entry.challenge());
        let forgotten = entry.references == 0;
        if entry.listed {
            entry.listed = false;
            if let Some(host) = self.hosts.get_mut(challenge.identity()) {
                let nonce = challenge.nonce().as_bytes();
                if host.by_nonce.get(nonce) == Some(&id) {
                    host.by_nonce.remove(nonce);
                }
                if let Some(opaque) = challenge.opaque()
                    && host.by_opaque.get(opaque) == Some(&id)
                {
                    host.by_opaque.remove(opaque);
                }
                if host.by_nonce.is_empty() && host.by_opaque.is_empty() {
                    self.hosts.remove(challenge.identity());
                }
            }
        }
        if forgotten {
            self.entries.remove(&id);
        }
    }
}
