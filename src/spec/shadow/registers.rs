//! What the shadow remembers: credentials, contexts, challenges and sessions, the clock.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use crate::buffer::SecHandle;
use crate::digest::{Algorithm, Challenge, Charset, Qop, SessionKey};
use crate::spec::call::AuthIdentity;
use crate::spec::setup::{EnvironmentFault, Policy, Setup};
use crate::spec::vocabulary::{Count, Role, ValueIndex};

/// Credentials behind a handle.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The identity inbound credentials share sessions under.
    pub principal: String,
    /// Whether an acceptor may use them.
    pub inbound: bool,
    /// Whom an initiator answers for.
    pub outbound: Option<AuthIdentity>,
    /// How many credentials were acquired before them.
    pub ordinal: usize,
}

/// A live context.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its role.
    pub role: Role,
    /// Its state, a value of the fact `state`.
    pub state: ValueIndex,
    /// How many contexts were made before it.
    pub ordinal: usize,
    /// The credentials handle it was made with.
    pub credential: SecHandle,
    /// The identity of those credentials.
    pub principal: String,
    /// The challenge it put out and waits for an answer to (acceptor). It does not keep the session alive that
    /// another context makes of it.
    pub put_out: Option<usize>,
    /// The session it refers to, or the challenge whose answer it has to complete (acceptor).
    pub holds: Option<usize>,
    /// The challenge put out for a completion that will continue (acceptor).
    pub pending: Option<usize>,
    /// The challenge it answered (initiator).
    pub answer: Option<Answer>,
}

/// A challenge that an acceptor put out, and the session it may have become.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The credentials identity it belongs to.
    pub principal: String,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// The opaque.
    pub opaque: Vec<u8>,
    /// The realm.
    pub realm: String,
    /// The quality of protection offered, later agreed.
    pub qop: Qop,
    /// The algorithm offered, later agreed.
    pub algorithm: Algorithm,
    /// When it was put out.
    pub issued_at: u64,
    /// Wrong answers so far.
    pub failures: u32,
    /// Whether a token can still name it.
    pub listed: bool,
    /// How many contexts refer to it.
    pub holders: usize,
    /// The session, once answered.
    pub session: Option<Session>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user's name.
    pub username: String,
    /// The charset of the initial response.
    pub charset: Charset,
    /// The extended-protection directives of the initial response.
    pub extended: [Option<Vec<u8>>; 3],
    /// H(A1).
    pub key: SessionKey,
    /// The last count.
    pub last: u32,
    /// Every count used.
    pub used: BTreeSet<u32>,
}

/// What an initiator remembers of its response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The challenge.
    pub challenge: Challenge,
    /// The user name written.
    pub username: String,
    /// H(A1).
    pub key: SessionKey,
    /// The quality of protection chosen; `None` is the form of RFC 2069.
    pub qop: Option<Qop>,
    /// The cnonce.
    pub cnonce: Vec<u8>,
    /// The last count sent.
    pub nc: u32,
    /// The method of the last request.
    pub method: Vec<u8>,
    /// The uri of the last request.
    pub uri: Vec<u8>,
    /// The token put out.
    pub token: Vec<u8>,
}

/// Everything the spec machine remembers.
#[derive(Clone, Debug)]
pub struct Registers {
    /// How the subject is configured.
    pub setup: Setup,
    /// The clock, in milliseconds since the start of the run.
    pub now: u64,
    /// What of the environment fails.
    pub fault: EnvironmentFault,
    /// Whether the account source fails.
    pub accounts_down: bool,
    /// Live credentials.
    pub credentials: BTreeMap<SecHandle, Credentials>,
    /// Freed credentials.
    pub freed: BTreeSet<SecHandle>,
    /// Live contexts.
    pub contexts: BTreeMap<SecHandle, Context>,
    /// Deleted contexts.
    pub deleted: BTreeSet<SecHandle>,
    /// Handles of another provider.
    pub foreign: BTreeSet<SecHandle>,
    /// Challenges and sessions, in the order they were put out.
    pub exchanges: Vec<Exchange>,
    /// How many contexts were made so far.
    pub contexts_made: usize,
    /// The constant that every expiry is.
    pub expiry: Option<u64>,
}

/// What nonce and opaque name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// A live challenge or session.
    Live(usize),
    /// A session that ended.
    Ended(usize),
    /// Two different live ones.
    Two,
    /// Nothing.
    Nothing,
}

impl Context {
    /// The challenge or session it is about (acceptor).
    pub fn exchange(&self) -> Option<usize> {
        self.holds.or(self.put_out)
    }
}

impl Exchange {
    /// Whether a token may still name it.
    pub fn is_live(&self) -> bool {
        self.listed && (self.session.is_none() || self.holders > 0)
    }
}

impl Registers {
    /// The registers before the first call.
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            now: 0,
            fault: EnvironmentFault::None,
            accounts_down: false,
            credentials: BTreeMap::new(),
            freed: BTreeSet::new(),
            contexts: BTreeMap::new(),
            deleted: BTreeSet::new(),
            foreign: BTreeSet::new(),
            exchanges: Vec::new(),
            contexts_made: 0,
            expiry: None,
        }
    }

    /// The limits of the parsers, as the subject declared them.
    pub fn token_limits(&self) -> crate::digest::Limits {
        crate::digest::Limits { token_bytes: self.setup.limits.token_bytes, directives: self.setup.limits.directives }
    }

    /// What nonce and opaque name under a credentials identity.
    pub fn named(&self, principal: &str, nonce: &[u8], opaque: &[u8]) -> Named {
        let ours = || self.exchanges.iter().enumerate().filter(|(_, exchange)| exchange.principal == principal);
        let by_nonce = ours().find(|(_, exchange)| exchange.is_live() && exchange.nonce == nonce);
        let by_opaque = ours().find(|(_, exchange)| exchange.is_live() && exchange.opaque == opaque);
        match (by_nonce, by_opaque) {
            (Some((a, _)), Some((b, _))) if a == b => Named::Live(a),
            (Some(_), Some(_)) => Named::Two,
            (Some(_), None) | (None, Some(_)) | (None, None) => ours()
                .find(|(_, exchange)| {
                    exchange.session.is_some() && exchange.nonce == nonce && exchange.opaque == opaque
                })
                .map_or(Named::Nothing, |(index, _)| Named::Ended(index)),
        }
    }

    /// Whether the nonce of a challenge or session has expired.
    pub fn is_expired(&self, exchange: usize) -> bool {
        self.now.saturating_sub(self.exchanges[exchange].issued_at) > self.setup.nonce_lifetime
    }

    /// How a count stands to a session's; a challenge not answered yet counts from 0.
    pub fn count(&self, exchange: usize, nc: u32) -> Count {
        let session = self.exchanges[exchange].session.as_ref();
        let last = session.map_or(0, |session| session.last);
        let used = session.is_some_and(|session| session.used.contains(&nc));
        match self.setup.policy {
            _ if nc == 0 || used => Count::Used,
            // Nothing comes after ffffffff, not even what a window left unused.
            _ if last == u32::MAX => Count::TooOld,
            _ if Some(nc) == last.checked_add(1) => Count::Next,
            Policy::Strict => {
                if nc <= last {
                    Count::Used
                } else {
                    Count::TooFar
                }
            }
            Policy::Window(window) => {
                if u64::from(nc) + u64::from(window.get()) <= u64::from(last) {
                    Count::TooOld
                } else if u64::from(nc) > u64::from(last) + u64::from(window.get()) {
                    Count::TooFar
                } else {
                    Count::Within
                }
            }
        }
    }

    /// A context drops what it refers to; a session without contexts ends.
    pub fn release(&mut self, handle: SecHandle) {
        let Some(context) = self.contexts.get_mut(&handle) else { return };
        context.pending = None;
        context.answer = None;
        context.put_out = None;
        if let Some(exchange) = context.holds.take() {
            self.exchanges[exchange].holders -= 1;
        }
    }

    /// A context waits for an answer to a challenge, and refers to nothing else any more.
    pub fn wait_for_answer(&mut self, handle: SecHandle, exchange: usize) {
        self.release(handle);
        if let Some(context) = self.contexts.get_mut(&handle) {
            context.put_out = Some(exchange);
        }
    }

    /// A context refers to a session, or to the challenge whose answer it has to complete.
    pub fn hold(&mut self, handle: SecHandle, exchange: usize) {
        self.exchanges[exchange].holders += 1;
        let before = self.contexts.get_mut(&handle).and_then(|context| context.holds.replace(exchange));
        if let Some(before) = before {
            self.exchanges[before].holders -= 1;
        }
    }

    /// A challenge becomes answerable; one too many forgets the oldest unanswered one.
    pub fn register(&mut self, exchange: Exchange) -> usize {
        self.exchanges.push(exchange);
        let is_unanswered = |exchange: &Exchange| exchange.listed && exchange.session.is_none();
        let unanswered = self.exchanges.iter().filter(|exchange| is_unanswered(exchange)).count();
        let oldest = self.exchanges.iter_mut().find(|exchange| is_unanswered(exchange));
        if let Some(oldest) = oldest.filter(|_| unanswered > self.setup.limits.challenges) {
            oldest.listed = false;
        }
        self.exchanges.len() - 1
    }
}
