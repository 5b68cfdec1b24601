//! The initiator's states, InitializeSecurityContext, CompleteAuthToken and MakeSignature (HTTP).
//!
//! Order of checks in InitializeSecurityContext: descriptors (the caller's), target host and channel bindings, flags,
//! token form, a refusal of the server, target, method, algorithm and qop, H(Entity), character set, output, entropy.
#![forbid(unsafe_code)]

use core::fmt;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::attributes::{ContextAttribute, Facts, Protected, query};
use super::bindings::{OwnChannel, given};
use super::environment::World;
use super::exchange::Exchange;
use super::failure::{EnvironmentFailure, Failure, LogonFailure, Misuse, PeerMisbehaviour};
use super::input::{InitializeInput, OwnTokenMessage, RequestMessage, optional_entity, required_entity, required_room};
use super::requirements::InitializeRequirements;
use super::{
    Completable, CompleteAndContinue, CompleteNeeded, Completion, Context, New, Pending, Rejected, Room, sealed,
};
use crate::digest::hash::{equal, hex};
use crate::digest::{AuthenticationInfo, Challenge, Charset, Qop, TokenError, UserHash, directives};

/// The credentials of a client. Contexts keep them alive after their handle was freed.
pub struct OutboundCredentials {
    id: u64,
    user: String,
    domain: Option<String>,
    password: Zeroizing<String>,
}

impl OutboundCredentials {
    /// Credentials under an id of their own: a context belongs to one credentials handle. An empty domain is none.
    pub fn new(id: u64, user: String, domain: String, password: Zeroizing<String>) -> Self {
        let domain = if domain.is_empty() { None } else { Some(domain) };
        Self { id, user, domain, password }
    }

    /// Whether both are the same credentials handle's.
    pub fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's domain, if there is one.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// `domain\user`, or the user alone where there is no domain.
    pub fn username(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{domain}\\{}", self.user),
            None => self.user.clone(),
        }
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for OutboundCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OutboundCredentials")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// The same handle's: the rest never changes.
impl PartialEq for OutboundCredentials {
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
    }
}

impl Eq for OutboundCredentials {}

impl Hash for OutboundCredentials {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// The role of a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Initiator {
    credentials: Arc<OutboundCredentials>,
}

impl Initiator {
    /// The role with those credentials.
    pub fn new(credentials: Arc<OutboundCredentials>) -> Self {
        Self { credentials }
    }

    /// Whose role it is.
    pub fn credentials(&self) -> &OutboundCredentials {
        &self.credentials
    }
}

/// InitializeSecurityContext was called without a challenge (`initial`).
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Initial(());

/// A response went out; the server's proof is awaited.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Responded {
    exchange: Exchange,
    uri: Vec<u8>,
}

/// Pending: a response whose H(Entity) is not known yet. Its digest is 32 zeros.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Response {
    exchange: Exchange,
    method: Vec<u8>,
    uri: Vec<u8>,
    token: Vec<u8>,
    /// Where in `token` the digest is.
    response_at: usize,
}

impl sealed::Sealed for Response {}
impl Pending for Response {
    /// The server's proof needs no more than what is pending.
    type Next = ();
}

/// The exchange is done on this side: further requests are signed.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Established {
    exchange: Exchange,
    /// The last nonce count that went out.
    count: u32,
}

/// What became of InitializeSecurityContext. Bytes are for the output TOKEN.
#[derive(Debug)]
pub enum Initialization<C> {
    /// SEC_I_CONTINUE_NEEDED without a token.
    Initial(Context<Initiator, Initial>),
    /// SEC_I_CONTINUE_NEEDED with a response: the server must prove itself.
    Responded(Context<Initiator, Responded>, Vec<u8>),
    /// SEC_I_COMPLETE_NEEDED with a response that lacks its digest.
    CompleteNeeded(Context<Initiator, CompleteNeeded<Response>>, Vec<u8>),
    /// SEC_I_COMPLETE_AND_CONTINUE with a response that lacks its digest; after it the server must prove itself.
    CompleteAndContinue(Context<Initiator, CompleteAndContinue<Response>>, Vec<u8>),
    /// SEC_E_OK, with a response unless it was the server's proof that was read.
    Established(Context<Initiator, Established>, Option<Vec<u8>>),
    /// An error that left everything as it was.
    Unchanged(C, Failure),
    /// The server refused the credentials, or did not prove itself.
    Rejected(Context<Initiator, Rejected>, Failure),
}

impl Context<Initiator, New> {
    /// InitializeSecurityContext without a context handle.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let room = self.state.room;
        self.begin(room, input, requirements, world)
    }
}

impl Context<Initiator, Initial> {
    /// InitializeSecurityContext before any challenge was answered.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        self.begin(Room::Granted, input, requirements, world)
    }
}

impl<S> Context<Initiator, S> {
    fn begin(
        self,
        room: Room,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room, input, requirements, world };
        let outcome = attempt.check_call().map_err(Failure::from).and_then(|()| match input.token {
            None | Some([]) => attempt.room.required().map(|()| None).map_err(Failure::from),
            Some(token) => attempt.answer(parse_challenge(token, world)?).map(Some),
        });
        match outcome {
            Ok(None) => Initialization::Initial(self.moved(Initial(()))),
            Ok(Some(reply)) => reply.into_initialization(self.role),
            Err(failure) => Initialization::Unchanged(self, failure),
        }
    }
}

impl Context<Initiator, Responded> {
    /// InitializeSecurityContext with the server's Authentication-Info, or with another challenge.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room: Room::Granted, input, requirements, world };
        match self.state.judge(&attempt) {
            Ok(Heard::Proved) => Initialization::Established(
                Context { role: self.role, state: Established { exchange: self.state.exchange, count: 1 } },
                None,
            ),
            Ok(Heard::Stale(reply)) => reply.into_initialization(self.role),
            Err(Unheard::Unchanged(failure)) => Initialization::Unchanged(self, failure),
            Err(Unheard::Rejected(failure)) => Initialization::Rejected(self.moved(Rejected::STATE), failure),
        }
    }
}

impl Context<Initiator, Established> {
    /// InitializeSecurityContext with a new challenge: reauthentication.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room: Room::Granted, input, requirements, world };
        let reply = attempt.check_call().map_err(Failure::from).and_then(|()| match input.token {
            None | Some([]) => Err(Misuse::NoToken.into()),
            Some(token) => attempt.answer(parse_challenge(token, world)?),
        });
        match reply {
            Ok(reply) => reply.into_initialization(self.role),
            Err(failure) => Initialization::Unchanged(self, failure),
        }
    }

    /// Counts up to `last` were sent by another holder of this session.
    ///
    /// # Errors
    /// [`Misuse::CountBackwards`]: what was sent cannot be taken back.
    pub fn advance_nonce_count(&mut self, last: u32) -> Result<(), Misuse> {
        if last < self.state.count {
            return Err(Misuse::CountBackwards);
        }
        self.state.count = last;
        Ok(())
    }

    /// MakeSignature: the header of the next request, nonce count one up.
    ///
    /// # Errors
    /// SEC_E_INVALID_TOKEN without method, URL or, for auth-int, H(Entity), or without output;
    /// SEC_E_INSUFFICIENT_MEMORY for a small one; SEC_E_OUT_OF_SEQUENCE after nonce count ffffffff. None of them
    /// takes a nonce count.
    pub fn make_signature(&mut self, message: &RequestMessage<'_>) -> Result<Vec<u8>, Failure> {
        let Established { exchange, count } = &mut self.state;
        required_method(message.method)?;
        required_target(message.target)?;
        let entity = match exchange.qop() {
            Some(Qop::AuthInt) => Some(required_entity(message.entity)?),
            Some(Qop::Auth) | None => None,
        };
        // A header without qop has no count (RFC 2069), so none can run out.
        let next = match exchange.qop() {
            Some(Qop::Auth | Qop::AuthInt) => count.checked_add(1).ok_or(Misuse::CountExhausted)?,
            None => *count,
        };
        let digest = exchange.digest(message.method, message.target, entity.as_ref(), next);
        let (header, _) = exchange.header(message.target, next, &hex(&digest)).ok_or(Misuse::CharacterSet)?;
        required_room(message.capacity, header.len())?;
        *count = next;
        Ok(header)
    }

    /// QueryContextAttributes.
    ///
    /// # Errors
    /// SEC_E_UNSUPPORTED_FUNCTION for an attribute the package has not.
    pub fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        let exchange = &self.state.exchange;
        let facts = Facts {
            username: exchange.username(),
            flags: exchange.granted().bits(),
            key: exchange.key(),
            protected: Protected::Http { service_name: None },
        };
        query(attribute, &facts).ok_or_else(|| Misuse::UnsupportedAttribute(attribute).into())
    }

    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        self.state.exchange.granted()
    }
}

impl Context<Initiator, Responded> {
    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        self.state.exchange.granted()
    }
}

impl Context<Initiator, CompleteNeeded<Response>> {
    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        self.state.pending.exchange.granted()
    }
}

impl Context<Initiator, CompleteAndContinue<Response>> {
    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        self.state.pending.exchange.granted()
    }
}

/// What the server said after a response.
enum Heard {
    Proved,
    Stale(Box<Reply>),
}

enum Unheard {
    Unchanged(Failure),
    Rejected(Failure),
}

impl<F: Into<Failure>> From<F> for Unheard {
    fn from(failure: F) -> Self {
        Self::Unchanged(failure.into())
    }
}

impl Responded {
    fn judge(&self, attempt: &Attempt<'_>) -> Result<Heard, Unheard> {
        attempt.check_call()?;
        let reject = |failure: Failure| Err(Unheard::Rejected(failure));
        let token = match attempt.input.token {
            None => return Err(Misuse::NoToken.into()),
            Some([]) => return reject(PeerMisbehaviour::ProofAbsent.into()),
            Some(token) => token,
        };
        let limits = &attempt.world.configuration.limits.token;
        if is_challenge(token, attempt.world).map_err(PeerMisbehaviour::from)? {
            let challenge = parse_challenge(token, attempt.world)?;
            if !challenge.stale {
                return reject(LogonFailure::Refused.into());
            }
            return Ok(Heard::Stale(Box::new(attempt.answer(challenge)?)));
        }
        let info = AuthenticationInfo::parse(token, limits).map_err(PeerMisbehaviour::from)?;
        let Some(rspauth) = info.rspauth else { return reject(PeerMisbehaviour::ProofAbsent.into()) };
        let body = match self.exchange.qop() {
            Some(Qop::AuthInt) => Some(required_entity(attempt.input.entity)?),
            Some(Qop::Auth) | None => None,
        };
        let ours = self.exchange.repeats(info.cnonce.as_deref(), info.nc.as_ref());
        if ours && equal(&rspauth, &self.exchange.proof(&self.uri, body.as_ref())) {
            Ok(Heard::Proved)
        } else {
            reject(PeerMisbehaviour::ProofAltered.into())
        }
    }
}

/// A challenge has nonce and realm; anything else that parses is Authentication-Info.
pub(super) fn is_challenge(token: &[u8], world: World<'_>) -> Result<bool, TokenError> {
    for directive in directives(token, &world.configuration.limits.token) {
        let directive = directive?;
        if directive.is("nonce") || directive.is("realm") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parse_challenge(token: &[u8], world: World<'_>) -> Result<Challenge, PeerMisbehaviour> {
    Challenge::parse(token, &world.configuration.limits.token).map_err(PeerMisbehaviour::from)
}

fn required_method(method: &[u8]) -> Result<(), Misuse> {
    if method.is_empty() { Err(Misuse::NoMethod) } else { Ok(()) }
}

/// A request target that can stand in a header: US-ASCII without control characters.
fn required_target(target: &[u8]) -> Result<(), Misuse> {
    if !target.is_empty() && target.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        Ok(())
    } else {
        Err(Misuse::Target)
    }
}

/// A response that was made.
enum Reply {
    Whole { exchange: Exchange, uri: Vec<u8>, token: Vec<u8>, mutual: bool },
    WithoutEntity { pending: Response, mutual: bool },
}

impl Reply {
    fn into_initialization<C>(self, role: Initiator) -> Initialization<C> {
        match self {
            Self::Whole { exchange, uri, token, mutual: true } => {
                Initialization::Responded(Context { role, state: Responded { exchange, uri } }, token)
            }
            Self::Whole { exchange, token, mutual: false, .. } => {
                let state = Established { exchange, count: 1 };
                Initialization::Established(Context { role, state }, Some(token))
            }
            Self::WithoutEntity { pending, mutual: true } => {
                let token = pending.token.clone();
                let state = CompleteAndContinue { pending, next: () };
                Initialization::CompleteAndContinue(Context { role, state }, token)
            }
            Self::WithoutEntity { pending, mutual: false } => {
                let token = pending.token.clone();
                Initialization::CompleteNeeded(Context { role, state: CompleteNeeded { pending } }, token)
            }
        }
    }
}

/// One call of InitializeSecurityContext.
struct Attempt<'a> {
    credentials: &'a OutboundCredentials,
    room: Room,
    input: &'a InitializeInput<'a>,
    requirements: InitializeRequirements,
    world: World<'a>,
}

impl Attempt<'_> {
    /// What the caller got wrong whatever the server sent.
    fn check_call(&self) -> Result<(), Misuse> {
        self.channel()?;
        self.check_flags()
    }

    /// What the caller knows of service and channel.
    fn channel(&self) -> Result<OwnChannel<'_>, Misuse> {
        OwnChannel::new(self.input.target_host, self.input.bindings)
    }

    fn check_flags(&self) -> Result<(), Misuse> {
        if !self.requirements.contains(InitializeRequirements::HTTP) {
            return Err(Misuse::InitiatorMechanism);
        }
        self.requirements.check_unsupported()?;
        if self.requirements.contains(InitializeRequirements::CONFIDENTIALITY) {
            return Err(Misuse::UnsupportedRequirement("ISC_REQ_CONFIDENTIALITY"));
        }
        Ok(())
    }

    /// The response to a challenge, nonce count 1.
    fn answer(&self, challenge: Challenge) -> Result<Reply, Failure> {
        let InitializeInput { target, method, entity, capacity, .. } = *self.input;
        required_target(target)?;
        required_method(method)?;
        let algorithm = challenge.algorithm.effective().ok_or(PeerMisbehaviour::NoCommonProtection)?;
        let qop = self.choose_qop(&challenge)?;
        let entity = match qop {
            Some(Qop::AuthInt) => optional_entity(entity)?,
            Some(Qop::Auth) | None => None,
        };
        let (username, password) = (self.credentials.username(), self.credentials.password());
        match challenge.charset {
            // The username is judged where it is written.
            Charset::Iso8859_1 if password.chars().any(|character| character > '\u{ff}') => {
                return Err(Misuse::CharacterSet.into());
            }
            Charset::Iso8859_1 | Charset::Utf8 => {}
        }
        let user = UserHash::new(&username, &challenge.realm, password);
        let mutual = self.requirements.contains(InitializeRequirements::MUTUAL_AUTH);
        let granted = InitializeRequirements::granted(qop, mutual);
        // Every cnonce has the same length: what does not fit costs no entropy.
        // Without qop there is no cnonce that could cover the channel.
        let told = match qop {
            Some(Qop::Auth | Qop::AuthInt) => self.channel()?.told_to(&challenge.nonce),
            None => None,
        };
        let exchange = Exchange::new(challenge, username, qop, granted, told);
        let (sample, response_at) = exchange.header(target, 1, &[b'0'; 32]).ok_or(Misuse::CharacterSet)?;
        required_room(capacity, sample.len())?;
        self.room.required()?;
        let mut entropy = [0; 16];
        self.world.environment.fill(&mut entropy).map_err(EnvironmentFailure::from)?;
        let exchange = exchange.with_cnonce(algorithm, &user, &entropy);
        if qop == Some(Qop::AuthInt) && entity.is_none() {
            let (token, response_at) = exchange.header(target, 1, &[b'0'; 32]).unwrap_or((sample, response_at));
            let pending = Response { exchange, method: method.to_vec(), uri: target.to_vec(), token, response_at };
            return Ok(Reply::WithoutEntity { pending, mutual });
        }
        let digest = exchange.digest(method, target, entity.as_ref(), 1);
        let (token, _) = exchange.header(target, 1, &hex(&digest)).ok_or(Misuse::CharacterSet)?;
        Ok(Reply::Whole { exchange, uri: target.to_vec(), token, mutual })
    }

    /// The one quality of protection that these requirements call for, if the challenge offers it; `None` is the form
    /// of RFC 2069, whose server can prove nothing and which cannot tell the cnonce that MD5-sess needs.
    fn choose_qop(&self, challenge: &Challenge) -> Result<Option<Qop>, PeerMisbehaviour> {
        let wanted = if self.requirements.integrity() { Qop::AuthInt } else { Qop::Auth };
        match &challenge.qop {
            Some(offered) if offered.offers(wanted) => Ok(Some(wanted)),
            Some(_) => Err(PeerMisbehaviour::NoCommonProtection),
            None => {
                let mutual = self.requirements.contains(InitializeRequirements::MUTUAL_AUTH);
                let session = challenge.algorithm.effective() == Some(crate::digest::Algorithm::Md5Sess);
                if wanted == Qop::AuthInt || mutual || session {
                    Err(PeerMisbehaviour::NoCommonProtection)
                } else {
                    Ok(None)
                }
            }
        }
    }
}

/// What CompleteAuthToken writes for an initiator: the digest, into its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedDigest {
    /// Where in the token.
    pub at: usize,
    /// The 32 hexadecimal digits that take the place of as many zeros.
    pub digits: [u8; 32],
}

impl Response {
    fn complete(&self, message: &OwnTokenMessage<'_>) -> Result<CompletedDigest, Misuse> {
        given(message.bindings)?;
        if message.token.is_empty() {
            return Err(Misuse::NoToken);
        }
        if !message.writable {
            return Err(Misuse::TokenReadOnly);
        }
        if message.token != self.token {
            return Err(Misuse::AnotherToken);
        }
        if !message.method.is_empty() && message.method != self.method {
            return Err(Misuse::AnotherRequest("the method"));
        }
        if !message.uri.is_empty() && message.uri != self.uri {
            return Err(Misuse::AnotherRequest("the uri"));
        }
        let entity = required_entity(message.entity)?;
        let digest = self.exchange.digest(&self.method, &self.uri, Some(&entity), 1);
        Ok(CompletedDigest { at: self.response_at, digits: hex(&digest) })
    }
}

fn refused<C: Completable<Role = Initiator>>(
    context: C,
    misuse: Misuse,
    role: impl FnOnce(C) -> Initiator,
) -> Completion<C> {
    let failure = Failure::from(misuse);
    if failure.reason.consumes_completion() {
        let context = Context { role: role(context), state: Rejected::STATE };
        Completion::Rejected { context, failure, challenge: None }
    } else {
        Completion::StillPending(context, failure)
    }
}

impl sealed::Sealed for Context<Initiator, CompleteNeeded<Response>> {}
impl Completable for Context<Initiator, CompleteNeeded<Response>> {
    type Role = Initiator;
    type Completed = Context<Initiator, Established>;
    type Message<'a> = OwnTokenMessage<'a>;
    type Output = CompletedDigest;

    fn complete_auth_token(self, message: &OwnTokenMessage<'_>, _: World<'_>) -> Completion<Self> {
        match self.state.pending.complete(message) {
            Ok(digest) => {
                let state = Established { exchange: self.state.pending.exchange, count: 1 };
                Completion::Completed(Context { role: self.role, state }, digest)
            }
            Err(misuse) => refused(self, misuse, |context| context.role),
        }
    }
}

impl sealed::Sealed for Context<Initiator, CompleteAndContinue<Response>> {}
impl Completable for Context<Initiator, CompleteAndContinue<Response>> {
    type Role = Initiator;
    type Completed = Context<Initiator, Responded>;
    type Message<'a> = OwnTokenMessage<'a>;
    type Output = CompletedDigest;

    fn complete_auth_token(self, message: &OwnTokenMessage<'_>, _: World<'_>) -> Completion<Self> {
        match self.state.pending.complete(message) {
            Ok(digest) => {
                let Response { exchange, uri, .. } = self.state.pending;
                Completion::Completed(Context { role: self.role, state: Responded { exchange, uri } }, digest)
            }
            Err(misuse) => refused(self, misuse, |context| context.role),
        }
    }
}

macro_rules! deletable {
    ($($state:ty),*) => {
        $(impl Context<Initiator, $state> {
            /// DeleteSecurityContext: drops the context and what is pending on it.
            pub fn delete(self) {
                drop(self);
            }
        })*
    };
}

deletable!(Initial, Responded, CompleteNeeded<Response>, CompleteAndContinue<Response>, Established, Rejected);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Limits;
    use crate::digest::hash::SessionKey;

    #[test]
    fn credentials_are_told_apart_by_their_handle() {
        let of =
            |id, user: &str| OutboundCredentials::new(id, user.to_owned(), String::new(), "secret".to_owned().into());
        assert_eq!(of(1, "alice"), of(1, "bob"));
        assert_ne!(of(1, "alice"), of(2, "alice"));
    }

    fn established(count: u32) -> Context<Initiator, Established> {
        let challenge = Challenge::parse(b"realm=r,nonce=n,qop=auth", &Limits::default()).expect("well-formed");
        let user = UserHash::new("alice", "r", "secret");
        let algorithm = crate::digest::Algorithm::Md5;
        let granted = InitializeRequirements::HTTP;
        let exchange: Exchange<SessionKey> =
            Exchange::new(challenge, "alice".to_owned(), Some(Qop::Auth), granted, None)
                .with_cnonce(algorithm, &user, &[7; 16]);
        let credentials =
            OutboundCredentials::new(0, "alice".to_owned(), String::new(), Zeroizing::new("secret".to_owned()));
        Context { role: Initiator::new(Arc::new(credentials)), state: Established { exchange, count } }
    }

    #[test]
    fn nothing_follows_the_last_count() {
        let mut context = established(u32::MAX - 1);
        let message =
            RequestMessage { method: b"GET", target: b"/", capacity: Some(2048), ..RequestMessage::default() };
        let header = context.make_signature(&message).expect("the last count");
        assert!(String::from_utf8_lossy(&header).contains("nc=ffffffff"));
        // The output comes after the count.
        for capacity in [Some(2048), Some(1), None] {
            let failure =
                context.make_signature(&RequestMessage { capacity, ..message }).expect_err("no count is left");
            assert_eq!(failure.reason, Misuse::CountExhausted.into());
        }
        let failure = context.make_signature(&RequestMessage { method: b"", ..message }).expect_err("no method");
        assert_eq!(failure.reason, Misuse::NoMethod.into());
    }

    #[test]
    fn no_secret_is_printed() {
        let context = established(1);
        let key = SessionKey::new(crate::digest::Algorithm::Md5, &UserHash::new("alice", "r", "secret"), b"n", b"");
        let printed = format!("{context:?} {key:?}");
        assert!(printed.contains("alice"));
        // H(alice:r:secret).
        let hash = hex(&crate::digest::hash::md5(&[b"alice:r:secret"]));
        for secret in ["\"secret\"", &String::from_utf8_lossy(&hash)] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
