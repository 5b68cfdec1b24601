//! The acceptor's states and AcceptSecurityContext (HTTP).
//!
//! Order of checks: input and output descriptors (the caller's), the realm and the channel bindings supplied, flags,
//! token form, what it says about its channel, what it names, protection asked against negotiated, method and
//! H(Entity), what was offered, account source, digest, age, count, output.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::bindings::{BindingsPolicy, ChannelCheck};
use super::environment::World;
use super::failure::{EnvironmentFailure, Failure, LogonFailure, Misuse, PeerMisbehaviour};
use super::http::{ChallengeTerms, Http, IssuedChallenge, Session};
use super::input::{AcceptInput, optional_entity, required_room};
use super::issuing::{Prepared, Ready, is_expired};
use super::requirements::AcceptRequirements;
use super::sessions::{Answer, Answered, Held, Issued, Named, NamesTwo, Reference, Sessions};
use super::verification::authenticate;
use super::{CompleteAndContinue, CompleteNeeded, Context, New, Pending, Rejected, Room, sealed};
use crate::digest::{A2, AuthenticationInfo, Charset, Qop, Response, SessionKey};
use crate::sync::{Mutex, lock};

/// The role of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acceptor {
    identity: Arc<str>,
}

impl Acceptor {
    /// The role under that credentials identity: contexts of the same identity share challenges and sessions.
    pub fn new(identity: Arc<str>) -> Self {
        Self { identity }
    }

    /// The credentials identity.
    pub fn identity(&self) -> &str {
        &self.identity
    }
}

/// A challenge was sent; a response is awaited, on this handle or on none.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Challenged {
    pub(super) challenge: Arc<IssuedChallenge>,
}

/// Pending: the first response to a challenge, whose body was not read yet.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Initial {
    pub(super) challenge: Arc<IssuedChallenge>,
    pub(super) reference: Reference<Http>,
    pub(super) policy: BindingsPolicy,
}

/// Pending: a further request of a session.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Subsequent {
    pub(super) session: Arc<Session>,
    pub(super) reference: Reference<Http>,
    pub(super) policy: BindingsPolicy,
}

impl sealed::Sealed for Initial {}
impl Pending for Initial {
    type Next = Arc<IssuedChallenge>;
}
impl sealed::Sealed for Subsequent {}
impl Pending for Subsequent {
    type Next = Arc<IssuedChallenge>;
}

/// The request authenticated.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Established {
    pub(super) session: Arc<Session>,
    pub(super) reference: Reference<Http>,
    pub(super) policy: BindingsPolicy,
    pub(super) proof: Proof,
}

/// What of the authenticated request the server's proof covers.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub(super) enum Proof {
    /// qop=auth: it needs no body and was given with SEC_E_OK.
    Given,
    /// qop=auth-int: it covers the body of a response that is yet to be written.
    OverBody { uri: Vec<u8>, qop: Vec<u8>, nc: [u8; 8], cnonce: Vec<u8> },
}

impl Proof {
    pub(super) fn of(response: &Response<'_>) -> Self {
        match response.qop {
            Qop::Auth => Self::Given,
            Qop::AuthInt => Self::OverBody {
                uri: response.uri.to_vec(),
                qop: response.qop_text.to_vec(),
                nc: response.nc_text,
                cnonce: response.cnonce.to_vec(),
            },
        }
    }
}

/// What became of AcceptSecurityContext. Bytes are for the output TOKEN.
#[derive(Debug)]
pub enum Acceptance<C> {
    /// SEC_I_CONTINUE_NEEDED with a challenge.
    Challenged(Context<Acceptor, Challenged>, Vec<u8>),
    /// SEC_I_COMPLETE_NEEDED for the answer of a challenge.
    CompleteNeededInitial(Context<Acceptor, CompleteNeeded<Initial>>),
    /// SEC_I_COMPLETE_NEEDED for a further request of a session.
    CompleteNeededSubsequent(Context<Acceptor, CompleteNeeded<Subsequent>>),
    /// SEC_I_COMPLETE_AND_CONTINUE for the answer of an expired challenge, with a fresh one.
    CompleteAndContinueInitial(Context<Acceptor, CompleteAndContinue<Initial>>, Vec<u8>),
    /// SEC_I_COMPLETE_AND_CONTINUE for a further request on an expired nonce, with a fresh challenge.
    CompleteAndContinueSubsequent(Context<Acceptor, CompleteAndContinue<Subsequent>>, Vec<u8>),
    /// SEC_E_OK, with Authentication-Info where it was asked for.
    Established(Context<Acceptor, Established>, Option<Vec<u8>>),
    /// An error that left everything as it was.
    Unchanged(C, Failure),
    /// SEC_E_LOGON_DENIED on a context that was there already.
    Rejected(Context<Acceptor, Rejected>, Failure),
}

/// The next state with its output, before it is known whose context it becomes.
enum Next {
    Challenged(Arc<IssuedChallenge>, Vec<u8>),
    Initial(Initial),
    Subsequent(Subsequent),
    InitialAndContinue(Initial, Arc<IssuedChallenge>, Vec<u8>),
    SubsequentAndContinue(Subsequent, Arc<IssuedChallenge>, Vec<u8>),
    Established(Established, Option<Vec<u8>>),
}

impl Context<Acceptor, New> {
    /// AcceptSecurityContext without a context handle.
    pub fn accept(
        self,
        input: &AcceptInput<'_>,
        requirements: AcceptRequirements,
        world: World<'_>,
    ) -> Acceptance<Self> {
        let attempt = Attempt { identity: &self.role.identity, room: self.state.room, input, requirements, world };
        match attempt.judge() {
            Ok(next) => next.into_acceptance(self.role),
            // An error without a handle creates none.
            Err(failure) => Acceptance::Unchanged(self, failure),
        }
    }
}

impl Context<Acceptor, Challenged> {
    /// AcceptSecurityContext on a context that waits for a response. Which challenge or session the token names does
    /// not matter: the handle goes over to it.
    pub fn accept(
        self,
        input: &AcceptInput<'_>,
        requirements: AcceptRequirements,
        world: World<'_>,
    ) -> Acceptance<Self> {
        let attempt = Attempt { identity: &self.role.identity, room: Room::Granted, input, requirements, world };
        match attempt.judge() {
            Ok(next) => next.into_acceptance(self.role),
            Err(failure) if failure.reason == LogonFailure::Denied.into() => {
                Acceptance::Rejected(self.moved(Rejected::STATE), failure)
            }
            Err(failure) => Acceptance::Unchanged(self, failure),
        }
    }
}

impl Next {
    fn into_acceptance<C>(self, role: Acceptor) -> Acceptance<C> {
        match self {
            Self::Challenged(challenge, token) => {
                Acceptance::Challenged(Context { role, state: Challenged { challenge } }, token)
            }
            Self::Initial(pending) => {
                Acceptance::CompleteNeededInitial(Context { role, state: CompleteNeeded { pending } })
            }
            Self::Subsequent(pending) => {
                Acceptance::CompleteNeededSubsequent(Context { role, state: CompleteNeeded { pending } })
            }
            Self::InitialAndContinue(pending, next, token) => Acceptance::CompleteAndContinueInitial(
                Context { role, state: CompleteAndContinue { pending, next } },
                token,
            ),
            Self::SubsequentAndContinue(pending, next, token) => Acceptance::CompleteAndContinueSubsequent(
                Context { role, state: CompleteAndContinue { pending, next } },
                token,
            ),
            Self::Established(state, proof) => Acceptance::Established(Context { role, state }, proof),
        }
    }
}

/// One call of AcceptSecurityContext.
struct Attempt<'a> {
    identity: &'a Arc<str>,
    room: Room,
    input: &'a AcceptInput<'a>,
    requirements: AcceptRequirements,
    world: World<'a>,
}

/// What an answer to a challenge deserves.
enum Judged {
    Established(Arc<Session>, Option<Vec<u8>>),
    Stale(Arc<IssuedChallenge>, Vec<u8>),
    CompleteNeeded,
    CompleteAndContinue(Arc<IssuedChallenge>, Vec<u8>),
    AnsweredMeanwhile(Arc<Session>),
}

impl Attempt<'_> {
    fn judge(&self) -> Result<Next, Failure> {
        self.supplied_realm()?;
        let channel = self.channel()?;
        if !self.requirements.contains(AcceptRequirements::HTTP) {
            return Err(Misuse::AcceptorMechanism.into());
        }
        if self.requirements.contains(AcceptRequirements::CONFIDENTIALITY) {
            return Err(Misuse::Confidentiality.into());
        }
        if self.input.token.is_empty() {
            let (challenge, token) = self.challenge(false)?;
            return Ok(Next::Challenged(challenge, token));
        }
        let limits = &self.world.configuration.limits.token;
        let response = Response::parse(self.input.token, limits).map_err(PeerMisbehaviour::from)?;
        channel.judge(&response)?;
        let policy = self.policy();
        let named = lock(self.world.http_sessions).name_by_both(self.identity, &response.nonce, &response.opaque);
        match named.map_err(|NamesTwo| PeerMisbehaviour::NamesTwo)? {
            None => self.unknown_nonce(&response),
            Some(Named::Session(session, reference)) => {
                self.further_request(&response, session, Held::new(reference, &self.world))
            }
            Some(Named::Challenge(challenge, reference)) => {
                let held = Held::new(reference, &self.world);
                match self.answer(&response, &challenge, held.reference())? {
                    Judged::Established(session, info) => {
                        let (reference, proof) = (held.keep(), Proof::of(&response));
                        Ok(Next::Established(Established { session, reference, policy, proof }, info))
                    }
                    Judged::CompleteNeeded => Ok(Next::Initial(Initial { challenge, reference: held.keep(), policy })),
                    Judged::CompleteAndContinue(next, token) => {
                        let initial = Initial { challenge, reference: held.keep(), policy };
                        Ok(Next::InitialAndContinue(initial, next, token))
                    }
                    Judged::AnsweredMeanwhile(session) => self.further_request(&response, session, held),
                    Judged::Stale(challenge, token) => Ok(Next::Challenged(challenge, token)),
                }
            }
        }
    }

    /// A token that names nothing: a fresh challenge, `stale=true` if only the nonce was wrong.
    fn unknown_nonce(&self, response: &Response<'_>) -> Result<Next, Failure> {
        let entity = self.method_and_entity(response)?;
        let stale = match (response.qop, &entity) {
            // The body is not read yet, so nobody can say whether the digest is right.
            (Qop::AuthInt, None) => false,
            (Qop::Auth, _) | (Qop::AuthInt, Some(_)) => {
                authenticate(response, self.input.method, entity.as_ref(), self.world)
                    .map_err(|_| EnvironmentFailure::AccountSource)?
                    .is_some()
            }
        };
        let (challenge, token) = self.challenge(stale)?;
        Ok(Next::Challenged(challenge, token))
    }

    /// A token that names a session: CompleteAuthToken will judge it. Age is judged here, once.
    fn further_request(
        &self,
        response: &Response<'_>,
        session: Arc<Session>,
        held: Held<'_, Http>,
    ) -> Result<Next, Failure> {
        let next = self.judge_further_request(response, &session)?;
        let subsequent = Subsequent { session, reference: held.keep(), policy: self.policy() };
        Ok(match next {
            None => Next::Subsequent(subsequent),
            Some((next, token)) => Next::SubsequentAndContinue(subsequent, next, token),
        })
    }

    fn judge_further_request(
        &self,
        response: &Response<'_>,
        session: &Session,
    ) -> Result<Option<Ready<Http>>, Failure> {
        self.negotiated(session.challenge())?;
        self.method_and_entity(response)?;
        if is_expired(session.challenge().nonce(), self.world)? {
            return self.challenge(false).map(Some);
        }
        self.room.required()?;
        Ok(None)
    }

    /// A token that answers a challenge: verified at once, unless the body must be read first.
    fn answer(
        &self,
        response: &Response<'_>,
        challenge: &Arc<IssuedChallenge>,
        reference: &Reference<Http>,
    ) -> Result<Judged, Failure> {
        self.negotiated(challenge)?;
        let entity = self.method_and_entity(response)?;
        if let Some(directive) = challenge.departure(response) {
            return Err(PeerMisbehaviour::NotOffered(directive).into());
        }
        if response.qop == Qop::AuthInt && entity.is_none() {
            if is_expired(challenge.nonce(), self.world)? {
                let (next, token) = self.challenge(false)?;
                return Ok(Judged::CompleteAndContinue(next, token));
            }
            self.room.required()?;
            return Ok(Judged::CompleteNeeded);
        }
        let key = authenticate(response, self.input.method, entity.as_ref(), self.world)
            .map_err(|_| EnvironmentFailure::AccountSource)?;
        let Some(key) = key else {
            lock(self.world.http_sessions).fail(reference, self.world.configuration.limits.failures);
            return Err(LogonFailure::Denied.into());
        };
        if is_expired(challenge.nonce(), self.world)? || response.nc != 1 {
            let (challenge, token) = self.challenge(true)?;
            return Ok(Judged::Stale(challenge, token));
        }
        let info = proof_for_output(response, &key, self.input.capacity);
        if let Some(info) = &info {
            required_room(self.input.capacity, info.len())?;
        }
        self.room.required()?;
        let session = Session::new(Arc::clone(challenge), response, key);
        let mut sessions = lock(self.world.http_sessions);
        match sessions.answer(reference, session, response.nc, self.world.configuration.sequence) {
            Answer::Taken(session) => Ok(Judged::Established(session, info)),
            Answer::AnsweredBefore(session) => Ok(Judged::AnsweredMeanwhile(session)),
            // Every policy takes 00000001 first, and it is 00000001.
            Answer::CountRefused => Err(PeerMisbehaviour::Count(response.nc).into()),
        }
    }

    /// What the flags of this call ask must not be more than what was negotiated.
    fn negotiated(&self, challenge: &IssuedChallenge) -> Result<(), Misuse> {
        match (self.requirements.qop(), challenge.terms().qop) {
            (Qop::AuthInt, Qop::Auth) => Err(Misuse::MoreThanNegotiated),
            (Qop::Auth, Qop::Auth | Qop::AuthInt) | (Qop::AuthInt, Qop::AuthInt) => Ok(()),
        }
    }

    /// The method must be there; H(Entity) may be missing, and matters for auth-int only.
    fn method_and_entity(&self, response: &Response<'_>) -> Result<Option<[u8; 16]>, Misuse> {
        if self.input.method.is_empty() {
            return Err(Misuse::NoMethod);
        }
        match response.qop {
            Qop::Auth => Ok(None),
            Qop::AuthInt => optional_entity(self.input.entity),
        }
    }

    fn policy(&self) -> BindingsPolicy {
        BindingsPolicy::of(self.requirements)
    }

    /// What the caller knows about the channel.
    fn channel(&self) -> Result<ChannelCheck<'_>, Misuse> {
        ChannelCheck::new(self.policy(), self.input.bindings)
    }

    /// A fresh challenge on the terms of this call.
    fn challenge(&self, stale: bool) -> Result<Ready<Http>, Failure> {
        let configuration = self.world.configuration;
        let terms = ChallengeTerms {
            identity: Arc::clone(self.identity),
            realm: self.supplied_realm()?.unwrap_or_else(|| configuration.realm.clone()),
            algorithm: configuration.algorithm,
            qop: self.requirements.qop(),
            charset: if configuration.charset_utf8 { Charset::Utf8 } else { Charset::Iso8859_1 },
            nonce_form: self.channel()?.nonce_form(),
        };
        let prepared = Prepared::<Http>::new(terms, stale, self.input.capacity, self.world)?;
        self.room.required()?;
        prepared.issue(self.world)
    }

    /// The realm that the caller supplies (UTF-16LE), if any. A malformed one is refused whether or not a challenge
    /// is due: what the caller got wrong must not depend on what the peer sent.
    fn supplied_realm(&self) -> Result<Option<String>, Misuse> {
        let (units, odd) = self.input.realm.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(Misuse::Realm);
        }
        if units.is_empty() {
            return Ok(None);
        }
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
        let characters = char::decode_utf16(units)
            .map(|unit| unit.ok().filter(|unit| matches!(unit, ' '..='~')).ok_or(Misuse::Realm));
        characters.collect::<Result<String, _>>().map(Some)
    }
}

/// The Authentication-Info that goes with SEC_E_OK: for qop=auth, where there is an output to receive it.
pub(super) fn proof_for_output(response: &Response<'_>, key: &SessionKey, capacity: Option<usize>) -> Option<Vec<u8>> {
    capacity?;
    match response.qop {
        Qop::Auth => {
            let a2 = A2::Auth { method: b"", uri: &response.uri };
            let info = AuthenticationInfo {
                rspauth: Some(key.response(&response.nonce, &response.protection(), &a2)),
                qop: Some(Qop::Auth),
                cnonce: Some(response.cnonce.to_vec()),
                nc: Some(response.nc_text),
                nextnonce: None,
            };
            // A cnonce that cannot be written again (folded lines) costs the client its proof, not its logon.
            info.to_bytes().ok()
        }
        Qop::AuthInt => None,
    }
}

macro_rules! deletable {
    ($($state:ty => $reference:expr;)*) => {
        $(impl Context<Acceptor, $state> {
            /// DeleteSecurityContext: drops the context and what is pending on it. The session of others is not touched.
            pub fn delete(self, sessions: &Mutex<Sessions<Http>>) {
                let reference: fn($state) -> Option<Reference<Http>> = $reference;
                if let Some(reference) = reference(self.state) {
                    lock(sessions).release(reference);
                }
            }
        })*
    };
}

deletable! {
    Challenged => |_| None;
    CompleteNeeded<Initial> => |state| Some(state.pending.reference);
    CompleteNeeded<Subsequent> => |state| Some(state.pending.reference);
    CompleteAndContinue<Initial> => |state| Some(state.pending.reference);
    CompleteAndContinue<Subsequent> => |state| Some(state.pending.reference);
    Established => |state| Some(state.reference);
    Rejected => |_| None;
}
