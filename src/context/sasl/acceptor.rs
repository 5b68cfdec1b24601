//! The acceptor's states and AcceptSecurityContext (SASL).
//!
//! Order of checks: the descriptors (the caller's), flags, token form, what it names, protection asked against
//! negotiated, what was offered, account source, digest, authzid, age, count, output, environment, room for a handle.
//!
//! A response is complete in itself, so an answer is verified at once and the server proves itself in the same call
//! (RFC 2831 section 2.1.3). A fast reauthentication is completed by CompleteAuthToken, and nothing is put out before:
//! a proof given for an unverified digest would let anybody try passwords offline.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::TokenMessage;
use super::layers::MessageProtection;
use super::sessions::{ChallengeTerms, IssuedChallenge, Offer, Sasl, Session};
use crate::context::attributes::{ContextAttribute, Facts, Protected, query};
use crate::context::environment::World;
use crate::context::failure::{EnvironmentFailure, Failure, LogonFailure, Misuse, PeerMisbehaviour, Reason};
use crate::context::input::required_room;
use crate::context::issuing::{Prepared, Ready, is_expired};
use crate::context::requirements::AcceptRequirements;
use crate::context::sessions::{Answer, Answered, Held, Issued, Named, Reference, Sessions};
use crate::context::verification::authenticate_sasl;
use crate::context::{CompleteNeeded, Context, New, Rejected, Room};
use crate::digest::sasl::{Ciphers, Direction, Qop, Response, rspauth_token};
use crate::digest::{Charset, SessionKey};
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
pub struct Challenged {
    challenge: Arc<IssuedChallenge>,
}

/// Pending: a response that continues a session (RFC 2831 section 2.2).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct FastReauthentication {
    pub(super) session: Arc<Session>,
    pub(super) reference: Reference<Sasl>,
}

/// The client authenticated, and this side proved itself.
#[derive(Debug)]
pub struct Established {
    pub(super) session: Arc<Session>,
    pub(super) reference: Reference<Sasl>,
    pub(super) protection: MessageProtection,
}

impl Established {
    /// After that response, whose maxbuf the messages of this side respect. Its numbers begin at 0.
    pub(super) fn new(session: Arc<Session>, reference: Reference<Sasl>, response: &Response<'_>) -> Self {
        let direction = Direction::ServerToClient;
        let protection = MessageProtection::new(response.layer(), session.key(), direction, response.maxbuf);
        Self { session, reference, protection }
    }
}

/// What became of AcceptSecurityContext. Bytes are for the output TOKEN.
#[derive(Debug)]
pub enum Acceptance<C> {
    /// SEC_I_CONTINUE_NEEDED with a challenge.
    Challenged(Context<Acceptor, Challenged>, Vec<u8>),
    /// SEC_I_COMPLETE_NEEDED without a token.
    CompleteNeeded(Context<Acceptor, CompleteNeeded<FastReauthentication>>),
    /// SEC_E_OK, with this side's proof.
    Established(Context<Acceptor, Established>, Vec<u8>),
    /// An error that left everything as it was.
    Unchanged(C, Failure),
    /// SEC_E_LOGON_DENIED on a context that was there already.
    Rejected(Context<Acceptor, Rejected>, Failure),
}

/// The next state with its output, before it is known whose context it becomes.
enum Next {
    Challenged(Arc<IssuedChallenge>, Vec<u8>),
    FastReauthentication(FastReauthentication),
    Established(Established, Vec<u8>),
}

impl Context<Acceptor, New> {
    /// AcceptSecurityContext without a context handle.
    pub fn accept(
        self,
        input: &TokenMessage<'_>,
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
        input: &TokenMessage<'_>,
        requirements: AcceptRequirements,
        world: World<'_>,
    ) -> Acceptance<Self> {
        let attempt = Attempt { identity: &self.role.identity, room: Room::Granted, input, requirements, world };
        match attempt.judge() {
            Ok(next) => next.into_acceptance(self.role),
            Err(failure) => match failure.reason {
                Reason::Logon(_) => Acceptance::Rejected(self.moved(Rejected::STATE), failure),
                Reason::Misuse(_) | Reason::Bindings(_) | Reason::Peer(_) | Reason::Environment(_) => {
                    Acceptance::Unchanged(self, failure)
                }
            },
        }
    }
}

impl Next {
    fn into_acceptance<C>(self, role: Acceptor) -> Acceptance<C> {
        match self {
            Self::Challenged(challenge, token) => {
                Acceptance::Challenged(Context { role, state: Challenged { challenge } }, token)
            }
            Self::FastReauthentication(pending) => {
                Acceptance::CompleteNeeded(Context { role, state: CompleteNeeded { pending } })
            }
            Self::Established(state, proof) => Acceptance::Established(Context { role, state }, proof),
        }
    }
}

/// One call of AcceptSecurityContext.
struct Attempt<'a> {
    identity: &'a Arc<str>,
    room: Room,
    input: &'a TokenMessage<'a>,
    requirements: AcceptRequirements,
    world: World<'a>,
}

/// What an answer to a challenge deserves.
enum Judged {
    Established(Arc<Session>, Vec<u8>),
    Stale(Arc<IssuedChallenge>, Vec<u8>),
    AnsweredMeanwhile(Arc<Session>),
}

impl Attempt<'_> {
    fn judge(&self) -> Result<Next, Failure> {
        self.check_flags()?;
        if self.input.token.is_empty() {
            return self.challenge(false);
        }
        let limits = &self.world.configuration.limits.token;
        let response = Response::parse(self.input.token, limits).map_err(PeerMisbehaviour::from)?;
        let named = lock(self.world.sasl_sessions).name(self.identity, &response.nonce);
        match named {
            None => self.unknown_nonce(&response),
            Some(Named::Session(session, reference)) => {
                self.further(&response, session, Held::new(reference, &self.world))
            }
            Some(Named::Challenge(challenge, reference)) => {
                let held = Held::new(reference, &self.world);
                match self.answer(&response, &challenge, held.reference())? {
                    Judged::Established(session, proof) => {
                        Ok(Next::Established(Established::new(session, held.keep(), &response), proof))
                    }
                    Judged::AnsweredMeanwhile(session) => self.further(&response, session, held),
                    Judged::Stale(challenge, token) => Ok(Next::Challenged(challenge, token)),
                }
            }
        }
    }

    fn check_flags(&self) -> Result<(), Misuse> {
        if self.requirements.contains(AcceptRequirements::HTTP) {
            return Err(Misuse::AcceptorMechanism);
        }
        if self.requirements.contains(AcceptRequirements::PROXY_BINDINGS) {
            return Err(Misuse::SaslBindings);
        }
        if self.requirements.sasl_qop() == Qop::AuthConf && self.world.configuration.ciphers == Ciphers::EMPTY {
            return Err(Misuse::NoCiphers);
        }
        Ok(())
    }

    /// A token that names nothing: a fresh challenge, `stale=true` if only the nonce was wrong.
    fn unknown_nonce(&self, response: &Response<'_>) -> Result<Next, Failure> {
        let key = authenticate_sasl(response, self.world).map_err(|_| EnvironmentFailure::AccountSource)?;
        self.challenge(key.is_some())
    }

    /// A token with the nonce of a session: it names that session if it may continue it, and nothing otherwise.
    fn further(&self, response: &Response<'_>, session: Arc<Session>, held: Held<'_, Sasl>) -> Result<Next, Failure> {
        if self.judge_further(response, &session)? {
            return Ok(Next::FastReauthentication(FastReauthentication { session, reference: held.keep() }));
        }
        drop(held);
        self.unknown_nonce(response)
    }

    /// Whether `response` names the session whose nonce it has. The age is judged here, once.
    fn judge_further(&self, response: &Response<'_>, session: &Session) -> Result<bool, Failure> {
        if !session.is_named_by(response)
            || !session.is_reauthenticated_fast()
            || is_expired(session.challenge().nonce(), self.world)?
        {
            return Ok(false);
        }
        self.negotiated(session.challenge())?;
        self.room.required()?;
        Ok(true)
    }

    /// A token that answers a challenge: verified at once.
    fn answer(
        &self,
        response: &Response<'_>,
        challenge: &Arc<IssuedChallenge>,
        reference: &Reference<Sasl>,
    ) -> Result<Judged, Failure> {
        self.negotiated(challenge)?;
        if let Some(directive) = challenge.departure(response) {
            return Err(PeerMisbehaviour::NotOffered(directive).into());
        }
        let key = authenticate_sasl(response, self.world).map_err(|_| EnvironmentFailure::AccountSource)?;
        let Some(key) = key else {
            lock(self.world.sasl_sessions).fail(reference, self.world.configuration.limits.failures);
            return Err(LogonFailure::Denied.into());
        };
        // Nobody may act as somebody else; that is no wrong password, so the challenge stays as it is.
        if response.authzid.as_ref().is_some_and(|authzid| *authzid != response.username) {
            return Err(LogonFailure::NotAuthorized.into());
        }
        if is_expired(challenge.nonce(), self.world)? || response.nc != 1 {
            let (challenge, token) = self.issue(true)?;
            return Ok(Judged::Stale(challenge, token));
        }
        let proof = proof(response, &key);
        required_room(self.input.capacity, proof.len())?;
        self.room.required()?;
        let session = Session::new(Arc::clone(challenge), response, key);
        let mut sessions = lock(self.world.sasl_sessions);
        match sessions.answer(reference, session, response.nc, self.world.configuration.sequence) {
            Answer::Taken(session) => Ok(Judged::Established(session, proof)),
            Answer::AnsweredBefore(session) => Ok(Judged::AnsweredMeanwhile(session)),
            // Every policy takes 00000001 first, and it is 00000001.
            Answer::CountRefused => Err(PeerMisbehaviour::Count(response.nc).into()),
        }
    }

    /// What the flags of this call ask must not be more than what was negotiated.
    fn negotiated(&self, challenge: &IssuedChallenge) -> Result<(), Misuse> {
        if self.requirements.sasl_qop() > challenge.terms().offer.qop() {
            Err(Misuse::MoreThanNegotiated)
        } else {
            Ok(())
        }
    }

    fn challenge(&self, stale: bool) -> Result<Next, Failure> {
        self.issue(stale).map(|(challenge, token)| Next::Challenged(challenge, token))
    }

    /// A fresh challenge on the terms of this call.
    fn issue(&self, stale: bool) -> Result<Ready<Sasl>, Failure> {
        let configuration = self.world.configuration;
        let maxbuf = configuration.maxbuf;
        let terms = ChallengeTerms {
            identity: Arc::clone(self.identity),
            realm: configuration.realm.clone(),
            offer: match self.requirements.sasl_qop() {
                Qop::Auth => Offer::Auth,
                Qop::AuthInt => Offer::Integrity { maxbuf },
                Qop::AuthConf => Offer::Confidentiality { maxbuf, ciphers: configuration.ciphers },
            },
            charset: if configuration.charset_utf8 { Charset::Utf8 } else { Charset::Iso8859_1 },
        };
        let prepared = Prepared::<Sasl>::new(terms, stale, self.input.capacity, self.world)?;
        self.room.required()?;
        prepared.issue(self.world)
    }
}

/// This side's proof for that response (RFC 2831 section 2.1.3).
pub(super) fn proof(response: &Response<'_>, key: &SessionKey) -> Vec<u8> {
    rspauth_token(&response.rspauth(key)).to_vec()
}

impl Context<Acceptor, Established> {
    /// The session of this context: whose identity is reported.
    pub fn session(&self) -> &Session {
        &self.state.session
    }

    /// What protects the messages of this context.
    pub fn protection(&mut self) -> &mut MessageProtection {
        &mut self.state.protection
    }

    /// QueryContextAttributes.
    ///
    /// # Errors
    /// SEC_E_UNSUPPORTED_FUNCTION for an attribute the context has not.
    pub fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        let facts = Facts {
            username: self.session().username(),
            flags: self.granted().bits(),
            key: self.session().key(),
            protected: Protected::Sasl(self.state.protection.sizes()),
        };
        query(attribute, &facts).ok_or_else(|| Misuse::UnsupportedAttribute(attribute).into())
    }

    /// The ASC_RET_* flags of this context.
    pub fn granted(&self) -> AcceptRequirements {
        AcceptRequirements::sasl_granted(self.state.protection.qop())
    }
}

macro_rules! deletable {
    ($($state:ty => $reference:expr;)*) => {
        $(impl Context<Acceptor, $state> {
            /// DeleteSecurityContext: drops the context and what is pending on it. The session of others is untouched.
            pub fn delete(self, sessions: &Mutex<Sessions<Sasl>>) {
                let reference: fn($state) -> Option<Reference<Sasl>> = $reference;
                if let Some(reference) = reference(self.state) {
                    lock(sessions).release(reference);
                }
            }
        })*
    };
}

deletable! {
    Challenged => |_| None;
    CompleteNeeded<FastReauthentication> => |state| Some(state.pending.reference);
    Established => |state| Some(state.reference);
    Rejected => |_| None;
}
