//! What the shadow remembers: credentials, contexts, challenges and sessions, the clock.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use crate::buffer::SecHandle;
use crate::digest::sasl::{self, Ciphers, MaxBuf};
use crate::digest::{Algorithm, Challenge, Charset, Qop, SessionKey};
use crate::spec::call::{AuthIdentity, Call};
use crate::spec::names::Profile;
use crate::spec::setup::{EnvironmentFault, Policy, Setup};
use crate::spec::vocabulary::{Count, Role, ValueIndex};

pub use super::layers::Layers;
pub use super::opaque::Opaque;

/// ASC_REQ_HTTP and ISC_REQ_HTTP.
pub const REQ_HTTP: u32 = 0x1000_0000;

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
    /// The mechanism it was made with and keeps.
    pub profile: Profile,
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
    /// Whether the call that found the session or answered the challenge required channel bindings (acceptor on HTTP).
    pub requires_bindings: bool,
    /// The challenge it answered (initiator).
    pub answer: Option<Answer>,
    /// What protects its messages (SASL, established with more than qop=auth).
    pub layers: Option<Layers>,
    /// What was put out and is to be handed over (any package).
    pub opaque: Opaque,
}

impl Context {
    /// The answer of an initiator on HTTP.
    pub fn http_answer(&self) -> Option<&HttpAnswer> {
        match self.answer.as_ref()? {
            Answer::Http(answer) => Some(answer),
            Answer::Sasl(_) => None,
        }
    }

    /// The answer of an initiator on SASL.
    pub fn sasl_answer(&self) -> Option<&SaslAnswer> {
        match self.answer.as_ref()? {
            Answer::Sasl(answer) => Some(answer),
            Answer::Http(_) => None,
        }
    }
}

/// A challenge that an acceptor put out, and the session it may have become.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The credentials identity it belongs to.
    pub principal: String,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// The realm.
    pub realm: String,
    /// What was offered, and is agreed once it is answered.
    pub offer: Offer,
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

/// What a challenge offers.
#[derive(Clone, Debug)]
pub enum Offer {
    /// On HTTP.
    Http {
        /// The opaque.
        opaque: Vec<u8>,
        /// The quality of protection.
        qop: Qop,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// On SASL.
    Sasl {
        /// The quality of protection.
        qop: sasl::Qop,
        /// The ciphers, for auth-conf.
        ciphers: Ciphers,
    },
}

impl Offer {
    /// The mechanism.
    pub fn profile(&self) -> Profile {
        match self {
            Self::Http { .. } => Profile::DigestHttp,
            Self::Sasl { .. } => Profile::DigestSasl,
        }
    }

    /// The quality of protection on HTTP.
    pub fn http_qop(&self) -> Option<Qop> {
        match self {
            Self::Http { qop, .. } => Some(*qop),
            Self::Sasl { .. } => None,
        }
    }

    /// The quality of protection on SASL.
    pub fn sasl_qop(&self) -> Option<sasl::Qop> {
        match self {
            Self::Sasl { qop, .. } => Some(*qop),
            Self::Http { .. } => None,
        }
    }

    /// The opaque of HTTP.
    pub fn opaque(&self) -> Option<&[u8]> {
        match self {
            Self::Http { opaque, .. } => Some(opaque),
            Self::Sasl { .. } => None,
        }
    }

    /// The algorithm of HTTP.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Http { algorithm, .. } => Some(*algorithm),
            Self::Sasl { .. } => None,
        }
    }
}

/// What an initial response settled beside what was offered.
#[derive(Clone, Debug)]
pub enum Terms {
    /// On HTTP.
    Http {
        /// The extended-protection directives: hashed-dirs, service-name, channel-binding.
        extended: [Option<Vec<u8>>; 3],
        /// The service the client meant, where it presented extended protection.
        service_name: Option<Vec<u8>>,
    },
    /// On SASL.
    Sasl {
        /// The cnonce.
        cnonce: Vec<u8>,
        /// Whom the client acts as, where it said so.
        authzid: Option<String>,
    },
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user's name.
    pub username: String,
    /// The charset of the initial response.
    pub charset: Charset,
    /// What else it settled.
    pub terms: Terms,
    /// H(A1).
    pub key: SessionKey,
    /// The last count.
    pub last: u32,
    /// Every count used.
    pub used: BTreeSet<u32>,
}

/// What an initiator remembers of its response.
#[derive(Clone, Debug)]
pub enum Answer {
    /// On HTTP.
    Http(HttpAnswer),
    /// On SASL.
    Sasl(SaslAnswer),
}

impl Answer {
    /// The user name written.
    pub fn username(&self) -> &str {
        match self {
            Self::Http(answer) => &answer.username,
            Self::Sasl(answer) => &answer.username,
        }
    }

    /// H(A1).
    pub fn key(&self) -> &SessionKey {
        match self {
            Self::Http(answer) => &answer.key,
            Self::Sasl(answer) => &answer.key,
        }
    }
}

/// What an initiator on SASL remembers of its response.
#[derive(Clone, Debug)]
pub struct SaslAnswer {
    /// The nonce of the challenge.
    pub nonce: Vec<u8>,
    /// The charset of the challenge.
    pub charset: Charset,
    /// The longest wrapped message the server receives.
    pub peer_maxbuf: MaxBuf,
    /// The user name written.
    pub username: String,
    /// The realm written.
    pub realm: Option<String>,
    /// H(A1).
    pub key: SessionKey,
    /// The quality of protection chosen.
    pub qop: sasl::Qop,
    /// The cipher chosen.
    pub cipher: Option<sasl::Cipher>,
    /// The longest wrapped message the client receives, where it was written.
    pub maxbuf: Option<MaxBuf>,
    /// The cnonce.
    pub cnonce: Vec<u8>,
    /// The last count sent.
    pub nc: u32,
    /// The digest-uri.
    pub digest_uri: Vec<u8>,
}

impl SaslAnswer {
    /// The response as it is written.
    pub fn fields(&self) -> sasl::ResponseFields<'_> {
        sasl::ResponseFields {
            username: &self.username,
            realm: self.realm.as_deref(),
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            nc: self.nc,
            qop: self.qop,
            cipher: self.cipher,
            maxbuf: self.maxbuf,
            digest_uri: &self.digest_uri,
            charset: self.charset,
            authzid: None,
        }
    }
}

/// What an initiator on HTTP remembers of its response.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
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
    /// Extended protection, where the response carries it.
    pub extended: Option<Extended>,
}

/// The extended protection of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extended {
    /// service-name.
    pub service_name: Vec<u8>,
    /// channel-binding, as digits.
    pub channel_binding: [u8; 32],
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
    /// Memory that the package gave away and has not got back.
    pub blocks: BTreeSet<SecHandle>,
    /// Memory that it got back.
    pub freed_blocks: BTreeSet<SecHandle>,
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
            blocks: BTreeSet::new(),
            freed_blocks: BTreeSet::new(),
            foreign: BTreeSet::new(),
            exchanges: Vec::new(),
            contexts_made: 0,
            expiry: None,
        }
    }

    /// The mechanism of a call that names no live context.
    pub fn profile_without_context(&self, call: &Call) -> Profile {
        match call {
            Call::InitializeSecurityContext { .. } | Call::AcceptSecurityContext { .. }
                if self.setup.profile == Profile::AnyPackage =>
            {
                Profile::AnyPackage
            }
            Call::InitializeSecurityContext { requirements, .. } | Call::AcceptSecurityContext { requirements, .. } => {
                if requirements & REQ_HTTP == 0 {
                    Profile::DigestSasl
                } else {
                    Profile::DigestHttp
                }
            }
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => self.setup.profile,
        }
    }

    /// The limits of the parsers, as the subject declared them.
    pub fn token_limits(&self) -> crate::digest::Limits {
        crate::digest::Limits { token_bytes: self.setup.limits.token_bytes, directives: self.setup.limits.directives }
    }

    /// What nonce and opaque name under a credentials identity on HTTP.
    pub fn named(&self, principal: &str, nonce: &[u8], opaque: &[u8]) -> Named {
        let ours = || {
            let belongs = |exchange: &Exchange| exchange.principal == principal && exchange.offer.opaque().is_some();
            self.exchanges.iter().enumerate().filter(move |(_, exchange)| belongs(exchange))
        };
        let by_nonce = ours().find(|(_, exchange)| exchange.is_live() && exchange.nonce == nonce);
        let by_opaque = ours().find(|(_, exchange)| exchange.is_live() && exchange.offer.opaque() == Some(opaque));
        match (by_nonce, by_opaque) {
            (Some((a, _)), Some((b, _))) if a == b => Named::Live(a),
            (Some(_), Some(_)) => Named::Two,
            (Some(_), None) | (None, Some(_)) | (None, None) => ours()
                .find(|(_, exchange)| {
                    exchange.session.is_some() && exchange.nonce == nonce && exchange.offer.opaque() == Some(opaque)
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
        context.layers = None;
        context.put_out = None;
        context.opaque = Opaque::default();
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

    /// A challenge becomes answerable; one too many forgets the oldest unanswered one of its mechanism.
    pub fn register(&mut self, exchange: Exchange) -> usize {
        // Each mechanism has room of its own: a flood of the one pushes nothing of the other out.
        let mechanism = exchange.offer.profile();
        self.exchanges.push(exchange);
        let is_unanswered = |exchange: &Exchange| {
            exchange.offer.profile() == mechanism && exchange.listed && exchange.session.is_none()
        };
        let unanswered = self.exchanges.iter().filter(|exchange| is_unanswered(exchange)).count();
        let oldest = self.exchanges.iter_mut().find(|exchange| is_unanswered(exchange));
        if let Some(oldest) = oldest.filter(|_| unanswered > self.setup.limits.challenges) {
            oldest.listed = false;
        }
        self.exchanges.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Exchange, Named, Offer, Opaque, Registers, Session, Terms};
    use crate::buffer::SecHandle;
    use crate::digest::{Algorithm, Charset, Qop, SessionKey, UserHash};
    use crate::spec::names::Profile;
    use crate::spec::setup::{Limits, Policy, Setup};
    use crate::spec::vocabulary::{Count, Role};
    use std::collections::BTreeSet;
    use std::num::NonZeroU32;

    fn exchange(name: &str) -> Exchange {
        Exchange {
            principal: String::new(),
            nonce: format!("nonce {name}").into_bytes(),
            realm: "realm".into(),
            offer: Offer::Http {
                opaque: format!("opaque {name}").into_bytes(),
                qop: Qop::Auth,
                algorithm: Algorithm::Md5,
            },
            issued_at: 0,
            failures: 0,
            listed: true,
            holders: 0,
            session: None,
        }
    }

    fn session(last: u32, used: &[u32]) -> Session {
        let user = UserHash::new("user", "realm", "password");
        Session {
            username: "user".into(),
            charset: Charset::Iso8859_1,
            terms: Terms::Http { extended: [None, None, None], service_name: None },
            key: SessionKey::new(Algorithm::Md5, &user, b"nonce", b"cnonce"),
            last,
            used: used.iter().copied().collect::<BTreeSet<_>>(),
        }
    }

    fn registers(policy: Policy, challenges: usize) -> Registers {
        let limits = Limits { challenges, ..Limits::default() };
        Registers::new(Setup { policy, limits, ..Setup::default() })
    }

    fn counts(policy: Policy, session: Option<Session>) -> impl Fn(u32) -> Count {
        let mut registers = registers(policy, 9);
        let one = registers.register(Exchange { session, ..exchange("one") });
        move |nc| registers.count(one, nc)
    }

    #[test]
    fn strict_counts() {
        let of = counts(Policy::Strict, Some(session(3, &[1, 2, 3])));
        assert_eq!(
            [0, 1, 3, 4, 5, u32::MAX].map(of),
            [Count::Used, Count::Used, Count::Used, Count::Next, Count::TooFar, Count::TooFar]
        );
        let of = counts(Policy::Strict, None);
        assert_eq!([0, 1, 2].map(of), [Count::Used, Count::Next, Count::TooFar]);
    }

    #[test]
    fn windows() {
        let window = |size| Policy::Window(NonZeroU32::MIN.saturating_add(size - 1));
        let of = counts(window(2), Some(session(10, &[8, 10])));
        assert_eq!(
            [0, 8, 7, 9, 10, 11, 12, 13].map(of),
            [
                Count::Used,
                Count::Used,
                Count::TooOld,
                Count::Within,
                Count::Used,
                Count::Next,
                Count::Within,
                Count::TooFar
            ]
        );
        // The window neither wraps at the end nor reaches below 1.
        let of = counts(window(u32::MAX), Some(session(u32::MAX - 1, &[u32::MAX - 1])));
        assert_eq!([0, 1, u32::MAX].map(of), [Count::Used, Count::Within, Count::Next]);
        let of = counts(window(5), Some(session(u32::MAX, &[u32::MAX])));
        assert!([1, u32::MAX - 1].map(&of).iter().all(|count| *count == Count::TooOld));
        assert_eq!(of(u32::MAX), Count::Used);
    }

    #[test]
    fn nonce_and_opaque_name_together() {
        let mut registers = registers(Policy::Strict, 9);
        let one = registers.register(exchange("one"));
        let ended = registers.register(Exchange { session: Some(session(1, &[1])), ..exchange("ended") });
        let other_host = registers.register(Exchange { principal: "host".into(), ..exchange("host") });
        let live = registers.register(exchange("two"));
        let named = |nonce: &str, opaque: &str| {
            registers.named("", format!("nonce {nonce}").as_bytes(), format!("opaque {opaque}").as_bytes())
        };
        assert_eq!(named("one", "one"), Named::Live(one));
        assert_eq!(named("one", "two"), Named::Two);
        assert_eq!(named("two", "two"), Named::Live(live));
        assert_eq!(named("ended", "ended"), Named::Ended(ended));
        for (nonce, opaque) in [("one", "ended"), ("ended", "one"), ("one", "x"), ("x", "one"), ("x", "x")] {
            assert_eq!(named(nonce, opaque), Named::Nothing, "{nonce} {opaque}");
        }
        assert_eq!(named("host", "host"), Named::Nothing);
        assert_eq!(named("one", "host"), Named::Nothing);
        assert_eq!(registers.named("host", b"nonce host", b"opaque host"), Named::Live(other_host));
    }

    #[test]
    fn the_oldest_unanswered_challenge_goes_first() {
        let mut registers = registers(Policy::Strict, 2);
        let answered = registers.register(Exchange { session: Some(session(1, &[1])), ..exchange("answered") });
        let [oldest, second, third] = ["oldest", "second", "third"].map(|name| registers.register(exchange(name)));
        let listed = [answered, oldest, second, third].map(|index| registers.exchanges[index].listed);
        assert_eq!(listed, [true, false, true, true]);
    }

    #[test]
    fn a_context_holds_one_exchange_at_a_time() {
        let mut registers = registers(Policy::Strict, 9);
        let [one, two] = ["one", "two"].map(|name| registers.register(exchange(name)));
        let handle = SecHandle { lower: 1, upper: 1 };
        registers.contexts.insert(
            handle,
            Context {
                profile: Profile::DigestHttp,
                role: Role::Acceptor,
                state: 0,
                ordinal: 0,
                credential: SecHandle::default(),
                principal: String::new(),
                put_out: None,
                holds: None,
                pending: None,
                requires_bindings: false,
                answer: None,
                layers: None,
                opaque: Opaque::default(),
            },
        );
        let holders = |registers: &Registers| [one, two].map(|index| registers.exchanges[index].holders);
        registers.hold(handle, one);
        registers.hold(handle, one);
        assert_eq!(holders(&registers), [1, 0]);
        registers.hold(handle, two);
        assert_eq!(holders(&registers), [0, 1]);
        registers.wait_for_answer(handle, one);
        assert_eq!(holders(&registers), [0, 0], "who waits for an answer keeps no session alive");
        assert_eq!(registers.contexts[&handle].exchange(), Some(one));
        registers.hold(handle, two);
        registers.release(handle);
        registers.release(handle);
        assert_eq!(holders(&registers), [0, 0]);
        assert_eq!(registers.contexts[&handle].exchange(), None);
    }

    #[test]
    fn a_nonce_is_expired_beyond_its_lifetime() {
        let mut registers = registers(Policy::Strict, 9);
        let late = registers.register(Exchange { issued_at: 1000, ..exchange("one") });
        let lifetime = registers.setup.nonce_lifetime;
        for (now, expired) in [(0, false), (1000 + lifetime, false), (1001 + lifetime, true), (u64::MAX, true)] {
            registers.now = now;
            assert_eq!(registers.is_expired(late), expired, "{now}");
        }
    }
}
