//! CompleteAuthToken and VerifySignature of an acceptor.
//!
//! Order of checks: channel bindings supplied, token, its form, what it says about its channel, what it names, method,
//! H(Entity), directives outside the hash, target, account source, digest, count, output. An unauthenticated count never decides anything.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::acceptor::{Acceptor, Challenged, Established, Initial, Proof, Subsequent, proof_for_output};
use super::attributes::{ContextAttribute, Facts, Protected, query};
use super::bindings::{BindingsPolicy, ChannelCheck};
use super::environment::World;
use super::failure::{EnvironmentFailure, Failure, Misuse, PeerMisbehaviour};
use super::http::{ChallengeTerms, Http, IssuedChallenge, Session};
use super::input::{ResponseMessage, required_entity, required_room};
use super::issuing::{fresh_if_room, is_expired};
use super::refusal::Refused;
use super::requirements::AcceptRequirements;
use super::sessions::{Answer, Answered, Issued, Reference};
use super::verification::{authenticate, is_made_with};
use super::{Completable, CompleteAndContinue, CompleteNeeded, Completion, Context, sealed};
use crate::digest::uri::same_target;
use crate::digest::{A2, AuthenticationInfo, Protection, Qop, Response, SessionKey};
use crate::sync::lock;

impl sealed::Sealed for Context<Acceptor, CompleteNeeded<Initial>> {}
impl Completable for Context<Acceptor, CompleteNeeded<Initial>> {
    type Role = Acceptor;
    type Completed = Context<Acceptor, Established>;
    type Message<'a> = ResponseMessage<'a>;
    type Output = Option<Vec<u8>>;

    fn complete_auth_token(self, message: &ResponseMessage<'_>, world: World<'_>) -> Completion<Self> {
        let pending = &self.state.pending;
        let done = pending.reference.through(&world, || {
            let request = Request::new(message, pending.policy, world)?;
            complete_initial(&pending.challenge, &pending.reference, &request)
        });
        match done {
            Ok(Done { session, proof, info }) => {
                let Initial { reference, policy, .. } = self.state.pending;
                let state = Established { session, reference, policy, proof };
                Completion::Completed(Context { role: self.role, state }, info)
            }
            Err(refused) => refused.leave(self, |context| (context.role, context.state.pending.reference), world),
        }
    }
}

impl sealed::Sealed for Context<Acceptor, CompleteNeeded<Subsequent>> {}
impl Completable for Context<Acceptor, CompleteNeeded<Subsequent>> {
    type Role = Acceptor;
    type Completed = Context<Acceptor, Established>;
    type Message<'a> = ResponseMessage<'a>;
    type Output = Option<Vec<u8>>;

    fn complete_auth_token(self, message: &ResponseMessage<'_>, world: World<'_>) -> Completion<Self> {
        let pending = &self.state.pending;
        let done = pending.reference.through(&world, || {
            let request = Request::new(message, pending.policy, world)?;
            complete_subsequent(&pending.session, &pending.reference, &request)
        });
        match done {
            Ok((proof, info)) => {
                let Subsequent { session, reference, policy } = self.state.pending;
                let state = Established { session, reference, policy, proof };
                Completion::Completed(Context { role: self.role, state }, info)
            }
            Err(refused) => refused.leave(self, |context| (context.role, context.state.pending.reference), world),
        }
    }
}

impl sealed::Sealed for Context<Acceptor, CompleteAndContinue<Initial>> {}
impl Completable for Context<Acceptor, CompleteAndContinue<Initial>> {
    type Role = Acceptor;
    type Completed = Context<Acceptor, Challenged>;
    type Message<'a> = ResponseMessage<'a>;
    /// The challenge, now with `stale=true`: SEC_E_OK authenticates nobody here.
    type Output = Vec<u8>;

    fn complete_auth_token(self, message: &ResponseMessage<'_>, world: World<'_>) -> Completion<Self> {
        let Initial { challenge, reference, policy } = &self.state.pending;
        let done = reference.through(&world, || {
            let request = Request::new(message, *policy, world)?;
            let (response, _) = judge_initial(challenge, reference, &request)?;
            continue_with(&self.state.next, reference, &response, &request)
        });
        match done {
            Ok(token) => {
                lock(world.http_sessions).release(self.state.pending.reference);
                let state = Challenged { challenge: self.state.next };
                Completion::Completed(Context { role: self.role, state }, token)
            }
            Err(refused) => refused.leave(self, |context| (context.role, context.state.pending.reference), world),
        }
    }
}

impl sealed::Sealed for Context<Acceptor, CompleteAndContinue<Subsequent>> {}
impl Completable for Context<Acceptor, CompleteAndContinue<Subsequent>> {
    type Role = Acceptor;
    type Completed = Context<Acceptor, Challenged>;
    type Message<'a> = ResponseMessage<'a>;
    /// The challenge, now with `stale=true`: SEC_E_OK authenticates nobody here.
    type Output = Vec<u8>;

    fn complete_auth_token(self, message: &ResponseMessage<'_>, world: World<'_>) -> Completion<Self> {
        let Subsequent { session, reference, policy } = &self.state.pending;
        let done = reference.through(&world, || {
            let request = Request::new(message, *policy, world)?;
            let response = judge_request(session, &request)?;
            continue_with(&self.state.next, reference, &response, &request)
        });
        match done {
            Ok(token) => {
                lock(world.http_sessions).release(self.state.pending.reference);
                let state = Challenged { challenge: self.state.next };
                Completion::Completed(Context { role: self.role, state }, token)
            }
            Err(refused) => refused.leave(self, |context| (context.role, context.state.pending.reference), world),
        }
    }
}

impl Context<Acceptor, Established> {
    /// The session of this context: whose identity is reported.
    pub fn session(&self) -> &Session {
        &self.state.session
    }

    /// QueryContextAttributes.
    ///
    /// # Errors
    /// SEC_E_UNSUPPORTED_FUNCTION for an attribute the package has not.
    pub fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        let facts = Facts {
            username: self.session().username(),
            flags: self.granted().bits(),
            key: self.session().key(),
            protected: Protected::Http { service_name: self.session().service_name() },
        };
        query(attribute, &facts).ok_or_else(|| Misuse::UnsupportedAttribute(attribute).into())
    }

    /// The ASC_RET_* flags of this context.
    pub fn granted(&self) -> AcceptRequirements {
        AcceptRequirements::granted(self.session().challenge().terms().qop)
    }

    /// VerifySignature: a further request of this session, found and completed in one call. It takes the count.
    ///
    /// # Errors
    /// As CompleteAuthToken; SEC_E_OUT_OF_SEQUENCE also where the nonce expired. Nothing is pending that could be
    /// consumed: the context stays as it was.
    pub fn verify_signature(&mut self, message: &ResponseMessage<'_>, world: World<'_>) -> Result<(), Failure> {
        let Established { session, reference, policy, proof } = &mut self.state;
        let response = judge_request(session, &Request::new(message, *policy, world)?)?;
        if reference.through(&world, || is_expired(session.challenge().nonce(), world))? {
            return Err(PeerMisbehaviour::Expired.into());
        }
        if !lock(world.http_sessions).take_count(reference, response.nc, world.configuration.sequence) {
            return Err(PeerMisbehaviour::Count(response.nc).into());
        }
        *proof = Proof::of(&response);
        Ok(())
    }

    /// The Authentication-Info over a response body whose MD5 is `response_body_hash`, for the request this context
    /// authenticated last with qop=auth-int (RFC 2617 3.2.3). Not an SSPI call.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED for qop=auth, whose Authentication-Info came with SEC_E_OK.
    pub fn authentication_info(&self, response_body_hash: &[u8; 16]) -> Result<Vec<u8>, Failure> {
        match &self.state.proof {
            Proof::Given => Err(Misuse::NoBodyProof.into()),
            Proof::OverBody { uri, qop, nc, cnonce } => {
                let session = &self.state.session;
                let protection = Protection { qop, nc, cnonce };
                let a2 = A2::AuthInt { method: b"", uri, entity: response_body_hash };
                let nonce = session.challenge().nonce().as_bytes();
                let info = AuthenticationInfo {
                    rspauth: Some(session.key().response(nonce, &protection, &a2)),
                    qop: Some(Qop::AuthInt),
                    cnonce: Some(cnonce.clone()),
                    nc: Some(*nc),
                    nextnonce: None,
                };
                info.to_bytes().map_err(|_| PeerMisbehaviour::Unrepeatable.into())
            }
        }
    }
}

/// One completion: its message, and what that must say about its channel.
struct Request<'a, 'm> {
    message: &'a ResponseMessage<'m>,
    channel: ChannelCheck<'m>,
    world: World<'a>,
}

impl<'a, 'm> Request<'a, 'm> {
    fn new(message: &'a ResponseMessage<'m>, policy: BindingsPolicy, world: World<'a>) -> Result<Self, Misuse> {
        Ok(Self { message, channel: ChannelCheck::new(policy, message.bindings)?, world })
    }
}

struct Done {
    session: Arc<Session>,
    proof: Proof,
    info: Option<Vec<u8>>,
}

/// The answer of a challenge, after its body was read.
fn complete_initial(
    challenge: &Arc<IssuedChallenge>,
    reference: &Reference<Http>,
    request: &Request<'_, '_>,
) -> Result<Done, Refused> {
    let Request { message, world, .. } = *request;
    let (response, key) = match judge_initial(challenge, reference, request)? {
        (response, InitialKey::Own(key)) => (response, key),
        (response, InitialKey::Session(session)) => {
            let (proof, info) = take_count(&session, reference, &response, request)?;
            return Ok(Done { session, proof, info });
        }
    };
    let info = proof_for_output(&response, &key, message.capacity);
    check_output_after_count(challenge, reference, &response, info.as_deref(), request)?;
    let session = Session::new(Arc::clone(challenge), &response, key);
    let answer = lock(world.http_sessions).answer(reference, session, response.nc, world.configuration.sequence);
    match answer {
        Answer::Taken(session) => Ok(Done { session, proof: Proof::of(&response), info }),
        Answer::CountRefused => Err(out_of_sequence(challenge, &response, request)),
        // Somebody else answered since it was judged: then the session judges.
        Answer::AnsweredBefore(session) => {
            judge_against_session(&session, &response, message)?;
            let (proof, info) = take_count(&session, reference, &response, request)?;
            Ok(Done { session, proof, info })
        }
    }
}

/// A further request of a session.
fn complete_subsequent(
    session: &Arc<Session>,
    reference: &Reference<Http>,
    request: &Request<'_, '_>,
) -> Result<(Proof, Option<Vec<u8>>), Refused> {
    let response = judge_request(session, request)?;
    take_count(session, reference, &response, request)
}

/// Everything about a request of `session` but its count.
fn judge_request<'m>(session: &Session, request: &Request<'_, 'm>) -> Result<Response<'m>, Failure> {
    let response = named_response(session.challenge(), request)?;
    judge_against_session(session, &response, request.message)?;
    Ok(response)
}

fn judge_against_session(
    session: &Session,
    response: &Response<'_>,
    message: &ResponseMessage<'_>,
) -> Result<(), Failure> {
    let entity = method_and_entity(response, message)?;
    if let Some(directive) = session.departure(response) {
        return Err(PeerMisbehaviour::DirectiveAltered(directive).into());
    }
    same_request(response, message)?;
    if is_made_with(session.key(), response, message.method, entity.as_ref()) {
        Ok(())
    } else {
        Err(PeerMisbehaviour::DigestAltered.into())
    }
}

/// What judged the answer of a challenge.
enum InitialKey {
    /// The account source.
    Own(SessionKey),
    /// The session that the challenge has become through another handle.
    Session(Arc<Session>),
}

/// Everything about the answer of `challenge` but its count.
fn judge_initial<'m>(
    challenge: &IssuedChallenge,
    reference: &Reference<Http>,
    request: &Request<'_, 'm>,
) -> Result<(Response<'m>, InitialKey), Failure> {
    let Request { message, world, .. } = *request;
    let response = named_response(challenge, request)?;
    let answered = lock(world.http_sessions).session(reference);
    if let Some(session) = answered {
        judge_against_session(&session, &response, message)?;
        return Ok((response, InitialKey::Session(session)));
    }
    let entity = method_and_entity(&response, message)?;
    if let Some(directive) = challenge.departure(&response) {
        return Err(PeerMisbehaviour::DirectiveAltered(directive).into());
    }
    same_request(&response, message)?;
    let key = authenticate(&response, message.method, entity.as_ref(), world)
        .map_err(|_| EnvironmentFailure::AccountSourceInCompletion)?;
    match key {
        Some(key) => Ok((response, InitialKey::Own(key))),
        None => {
            lock(world.http_sessions).fail(reference, world.configuration.limits.failures);
            Err(PeerMisbehaviour::DigestAltered.into())
        }
    }
}

/// The token, well-formed and naming `challenge` or the session it has become.
fn named_response<'m>(challenge: &IssuedChallenge, request: &Request<'_, 'm>) -> Result<Response<'m>, Failure> {
    let Request { message, channel, world } = request;
    if message.token.is_empty() {
        return Err(Misuse::NoToken.into());
    }
    let limits = &world.configuration.limits.token;
    let response = Response::parse(message.token, limits).map_err(PeerMisbehaviour::from)?;
    channel.judge(&response)?;
    if !challenge.is_named_by(&response) {
        return Err(PeerMisbehaviour::NamesAnother.into());
    }
    Ok(response)
}

/// The method must be there, and H(Entity) for auth-int.
fn method_and_entity(response: &Response<'_>, message: &ResponseMessage<'_>) -> Result<Option<[u8; 16]>, Misuse> {
    if message.method.is_empty() {
        return Err(Misuse::NoMethod);
    }
    match response.qop {
        Qop::Auth => Ok(None),
        Qop::AuthInt => required_entity(message.entity).map(Some),
    }
}

/// The digest covers the token's uri; the request target, where it is given, must be the same.
fn same_request(response: &Response<'_>, message: &ResponseMessage<'_>) -> Result<(), PeerMisbehaviour> {
    if message.target.is_empty() || same_target(&response.uri, message.target) {
        Ok(())
    } else {
        Err(PeerMisbehaviour::TargetAltered)
    }
}

/// Count and output of a request that is right otherwise: SEC_E_OK.
fn take_count(
    session: &Session,
    reference: &Reference<Http>,
    response: &Response<'_>,
    request: &Request<'_, '_>,
) -> Result<(Proof, Option<Vec<u8>>), Refused> {
    let Request { message, world, .. } = *request;
    let info = proof_for_output(response, session.key(), message.capacity);
    check_output_after_count(session.challenge(), reference, response, info.as_deref(), request)?;
    if !lock(world.http_sessions).take_count(reference, response.nc, world.configuration.sequence) {
        return Err(out_of_sequence(session.challenge(), response, request));
    }
    Ok((Proof::of(response), info))
}

/// An output too small consumes nothing, but comes after the count: who is out of sequence hears that.
fn check_output_after_count(
    challenge: &IssuedChallenge,
    reference: &Reference<Http>,
    response: &Response<'_>,
    info: Option<&[u8]>,
    request: &Request<'_, '_>,
) -> Result<(), Refused> {
    let Some(info) = info else { return Ok(()) };
    match required_room(request.message.capacity, info.len()) {
        Ok(()) => Ok(()),
        Err(too_small) => {
            let world = request.world;
            if lock(world.http_sessions).accepts_count(reference, response.nc, world.configuration.sequence) {
                Err(too_small.into())
            } else {
                Err(out_of_sequence(challenge, response, request))
            }
        }
    }
}

/// The digest was right and the count is not: a fresh challenge lets an honest client go on.
fn out_of_sequence(challenge: &IssuedChallenge, response: &Response<'_>, request: &Request<'_, '_>) -> Refused {
    let terms = ChallengeTerms { nonce_form: request.channel.nonce_form(), ..challenge.terms().clone() };
    match fresh_if_room::<Http>(terms, true, request.message.capacity, request.world) {
        Ok(challenge) => Refused { failure: PeerMisbehaviour::Count(response.nc).into(), challenge },
        Err(failure) => failure.into(),
    }
}

/// SEC_I_COMPLETE_AND_CONTINUE, all right: the count is checked and not taken, and the challenge that
/// AcceptSecurityContext made goes out with `stale=true`.
fn continue_with(
    next: &IssuedChallenge,
    reference: &Reference<Http>,
    response: &Response<'_>,
    request: &Request<'_, '_>,
) -> Result<Vec<u8>, Refused> {
    let Request { message, world, .. } = *request;
    let token = next.to_bytes(true).map_err(|_| Misuse::ChallengeTooLong)?;
    let room = required_room(message.capacity, token.len());
    if !lock(world.http_sessions).accepts_count(reference, response.nc, world.configuration.sequence) {
        let challenge = room.is_ok().then_some(token);
        return Err(Refused { failure: PeerMisbehaviour::Count(response.nc).into(), challenge });
    }
    room?;
    Ok(token)
}
