//! The acceptor's side of SSPI, called as .NET's HttpListener calls it, without any sockets.
//!
//! AcceptSecurityContext is always called without a context handle. The newest handle of a session is kept until the nonce lifetime plus a
//! minute; every other handle is deleted as soon as nobody holds it. What the server knows of its channel goes with
//! every call, as a read-only buffer.
#![forbid(unsafe_code)]

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use super::kept::{KeptSessions, SessionName};
use super::protection::{ExtendedProtection, ServiceNames};
use super::record::{CallLog, CallRecord, SspiCall};
use crate::buffer::{BufferType, CredHandle, CtxtHandle, SecBuffer, SecBufferDesc};
use crate::context::failure::Failure;
use crate::digest::hash::{hex, md5};
use crate::digest::{MAXIMUM_CHALLENGE, Qop, ResponseDirectives, uri};
use crate::package::attributes::{PACKAGE_NAME, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, SECPKG_ATTR_NAMES};
use crate::package::credentials::SECPKG_CRED_INBOUND;
use crate::package::{AcceptRequirements, ContextAttribute, SecurityPackage};
use crate::status::SecurityStatus;
use crate::sync::{Mutex, lock};

/// How long a session is kept beyond the lifetime of its nonce, so that its client still learns `stale=true`.
const GRACE: Duration = Duration::from_secs(60);
/// The longest realm: quoted, it must leave room in a challenge of less than 2048 bytes.
const MAXIMUM_REALM: usize = 512;

/// What protects a server's resources.
pub struct Gate {
    package: SecurityPackage,
    credential: CredHandle,
    /// UTF-16LE, as AcceptSecurityContext takes it.
    realm: Vec<u8>,
    requirements: AcceptRequirements,
    /// A SEC_CHANNEL_BINDINGS structure, where TLS ends here.
    channel_bindings: Option<Vec<u8>>,
    services: ServiceNames,
    /// Room for a challenge and for an Authentication-Info that repeats the longest cnonce, each octet escaped.
    output_capacity: usize,
    kept: Mutex<KeptSessions>,
    log: Box<dyn CallLog>,
}

/// Why there is no gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The realm cannot stand in a challenge.
    #[error("a realm is 1 to {MAXIMUM_REALM} printable US-ASCII characters")]
    Realm,
    /// The package gives no credentials.
    #[error("AcquireCredentialsHandle: {0}")]
    Credentials(Failure),
}

/// What a gate must know of a request before its body is read.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The request target, in any form.
    pub target: &'a [u8],
    /// The value of the Authorization header without its scheme; empty if there is none.
    pub token: &'a [u8],
}

/// What AcceptSecurityContext made of a request.
#[derive(Debug)]
pub enum Outcome {
    /// SEC_E_OK.
    Authenticated(Authenticated),
    /// SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE: read the body, then complete.
    BodyNeeded(Pending),
    /// Anything else.
    Refused(Refusal),
}

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 401 with this challenge (without its scheme).
    Challenge(Vec<u8>),
    /// 401 with this challenge: who the client is was shown, but it meant another service.
    OtherService(Vec<u8>),
    /// 400: the token is malformed, or its uri is not the request target.
    BadRequest,
    /// 503: limits are reached, or the account source is down.
    Unavailable,
    /// 500.
    Internal,
}

/// A context that is deleted when nobody holds it any more.
struct OwnedContext {
    gate: Arc<Gate>,
    /// `None` once it is kept.
    handle: Option<CtxtHandle>,
    count: Option<[u8; 8]>,
}

impl OwnedContext {
    fn release(mut self) -> Option<CtxtHandle> {
        self.handle.take()
    }
}

impl Drop for OwnedContext {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.gate.delete(handle, self.count);
        }
    }
}

/// A request that waits for its body. Dropped, it authenticates nobody.
pub struct Pending {
    context: OwnedContext,
    status: SecurityStatus,
    message: Message,
    /// The challenge that came with SEC_I_COMPLETE_AND_CONTINUE.
    challenge: Vec<u8>,
}

/// A request that is authenticated; [`Authenticated::finish`] keeps its session.
pub struct Authenticated {
    context: OwnedContext,
    session: Option<SessionName>,
    user: String,
    authentication_info: Vec<u8>,
    qop: Option<Qop>,
}

/// What CompleteAuthToken is given again.
struct Message {
    token: Vec<u8>,
    method: Vec<u8>,
    target: Vec<u8>,
    facts: TokenFacts,
}

/// What the caller itself reads of a token.
#[derive(Default)]
struct TokenFacts {
    count: Option<[u8; 8]>,
    qop: Option<Qop>,
    uri: Option<Vec<u8>>,
    session: Option<SessionName>,
}

impl TokenFacts {
    fn of(token: &[u8], package: &SecurityPackage) -> Self {
        let Ok(token) = ResponseDirectives::parse(token, &package.configuration().limits.token) else {
            return Self::default();
        };
        let session = token.nonce.zip(token.opaque);
        Self {
            count: token.nc,
            qop: token.qop.map(|(qop, _)| qop),
            uri: token.uri.map(|uri| uri.into_owned()),
            session: session
                .map(|(nonce, opaque)| SessionName { nonce: nonce.into_owned(), opaque: opaque.into_owned() }),
        }
    }
}

/// The realm, if a challenge can carry it.
///
/// # Errors
/// [`GateError::Realm`].
pub fn checked_realm(realm: &str) -> Result<&str, GateError> {
    let printable = realm.bytes().all(|octet| matches!(octet, 0x20..=0x7E));
    let lengths = 1..=MAXIMUM_REALM;
    if printable && lengths.contains(&realm.len()) { Ok(realm) } else { Err(GateError::Realm) }
}

impl Gate {
    /// A gate that challenges for the realm of the package's configuration, with that quality of protection.
    ///
    /// # Errors
    /// A realm that no challenge can carry; AcquireCredentialsHandle failed.
    pub fn new(package: SecurityPackage, qop: Qop, log: impl CallLog + 'static) -> Result<Arc<Self>, GateError> {
        Self::with_protection(package, qop, ExtendedProtection::default(), log)
    }

    /// A gate that knows the channel of its requests, or whom they must name.
    ///
    /// # Errors
    /// A realm that no challenge can carry; AcquireCredentialsHandle failed.
    pub fn with_protection(
        package: SecurityPackage,
        qop: Qop,
        protection: ExtendedProtection,
        log: impl CallLog + 'static,
    ) -> Result<Arc<Self>, GateError> {
        let ExtendedProtection { channel, services } = protection;
        let configuration = package.configuration();
        let realm = checked_realm(&configuration.realm)?;
        let realm = realm.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let integrity = match qop {
            Qop::Auth => AcceptRequirements::empty(),
            Qop::AuthInt => AcceptRequirements::INTEGRITY,
        };
        let requirements = AcceptRequirements::HTTP | integrity | channel.requirements();
        let channel_bindings = channel.bindings();
        let kept = KeptSessions::new(
            configuration.nonce_lifetime.saturating_add(GRACE),
            // The other half is for requests that are under way.
            configuration.limits.contexts / 2,
        );
        let output_capacity =
            configuration.limits.token.token_bytes.saturating_mul(2).saturating_add(MAXIMUM_CHALLENGE);
        let acquired = package.acquire_credentials_handle(None, PACKAGE_NAME, SECPKG_CRED_INBOUND, None, None);
        let call = SspiCall::AcquireCredentialsHandle;
        log.record(&CallRecord::of(call, ("none", "none"), None, &acquired, |_| SecurityStatus::SEC_E_OK));
        let credential = acquired.map_err(GateError::Credentials)?.credential;
        let (kept, log) = (Mutex::new(kept), Box::new(log));
        Ok(Arc::new(Self {
            package,
            credential,
            realm,
            requirements,
            channel_bindings,
            services,
            output_capacity,
            kept,
            log,
        }))
    }

    /// AcceptSecurityContext for one request.
    pub fn accept(self: &Arc<Self>, request: &RequestHead<'_>) -> Outcome {
        let over = lock(&self.kept).expired(Instant::now());
        self.delete_all(over);
        let facts = TokenFacts::of(request.token, &self.package);
        let (status, context, output) = match self.call_accept(request.token, request.method, facts.count) {
            Ok(accepted) => accepted,
            Err(failure) => return Outcome::Refused(self.refusal(&failure, Vec::new())),
        };
        if status == SecurityStatus::SEC_E_OK {
            let same = facts.uri.as_ref().is_some_and(|uri| uri::same_target(uri, request.target));
            if !same {
                return Outcome::Refused(Refusal::BadRequest);
            }
            match self.admit(context, facts, output) {
                Ok(authenticated) => Outcome::Authenticated(authenticated),
                Err(refusal) => Outcome::Refused(refusal),
            }
        } else if status.is_completion_due() {
            let (token, method, target) = (request.token.to_vec(), request.method.to_vec(), request.target.to_vec());
            let message = Message { token, method, target, facts };
            Outcome::BodyNeeded(Pending { context, status, message, challenge: output })
        } else {
            Outcome::Refused(Refusal::Challenge(output))
        }
    }

    /// CompleteAuthToken for a request whose body is read.
    ///
    /// # Errors
    /// The request is not to be served: CompleteAuthToken failed, or it was the answer to an expired nonce.
    pub fn complete(self: &Arc<Self>, pending: Pending, body: &[u8]) -> Result<Authenticated, Refusal> {
        let Pending { context, status, message, challenge } = pending;
        let (result, output) = self.call_complete(&context, &message, body);
        match result {
            Err(failure) => {
                let output = output.unwrap_or(challenge);
                // Before a further call may need the place.
                drop(context);
                Err(self.refusal(&failure, output))
            }
            // The count was right and the nonce too old: nobody is authenticated.
            Ok(()) if status == SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE => {
                Err(Refusal::Challenge(output.unwrap_or(challenge)))
            }
            Ok(()) => self.admit(context, message.facts, output.unwrap_or_default()),
        }
    }

    /// Deletes every context that is kept and frees the credentials; what is under way fails afterwards.
    pub fn close(&self) {
        let all = lock(&self.kept).take_all();
        self.delete_all(all);
        let result = self.package.free_credentials_handle(Some(self.credential));
        let call = SspiCall::FreeCredentialsHandle;
        self.log.record(&CallRecord::of(call, ("none", "none"), None, &result, |()| SecurityStatus::SEC_E_OK));
    }

    /// What is asked of a context that is established.
    fn admit(
        self: &Arc<Self>,
        context: OwnedContext,
        facts: TokenFacts,
        authentication_info: Vec<u8>,
    ) -> Result<Authenticated, Refusal> {
        match self.means_this_service(&context) {
            Ok(true) => {}
            Ok(false) => {
                // With its only context the session ends.
                drop(context);
                return Err(self.fresh_challenge().map_or_else(|refusal| refusal, Refusal::OtherService));
            }
            Err(failure) => return Err(self.refusal(&failure, Vec::new())),
        }
        let user = match self.query(&context, SECPKG_ATTR_NAMES) {
            Ok(attribute) => name_in(attribute),
            Err(failure) => return Err(self.refusal(&failure, Vec::new())),
        };
        Ok(Authenticated { context, session: facts.session, user, authentication_info, qop: facts.qop })
    }

    /// Whether the service that the client named, if it named one, is one of those here.
    fn means_this_service(&self, context: &OwnedContext) -> Result<bool, Failure> {
        if self.services.is_any() {
            return Ok(true);
        }
        match self.query(context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET) {
            Ok(attribute) => Ok(self.services.contains(&name_in(attribute))),
            // The policy let a response without extended protection pass.
            Err(failure) if failure.status == SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    fn query(&self, context: &OwnedContext, attribute: u32) -> Result<ContextAttribute, Failure> {
        let state = self.state(context.handle);
        let result = self.package.query_context_attributes(context.handle, attribute);
        let call = SspiCall::QueryContextAttributes;
        let states = (state, self.state(context.handle));
        self.log.record(&CallRecord::of(call, states, context.count, &result, |_| SecurityStatus::SEC_E_OK));
        result
    }

    fn call_accept(
        self: &Arc<Self>,
        token: &[u8],
        method: &[u8],
        count: Option<[u8; 8]>,
    ) -> Result<(SecurityStatus, OwnedContext, Vec<u8>), Failure> {
        let (mut token, mut method, mut realm) = (token.to_vec(), method.to_vec(), self.realm.clone());
        let mut bindings = self.channel_bindings.clone();
        let mut input = vec![
            SecBuffer::new(BufferType::TOKEN, &mut token),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::null(BufferType::PKG_PARAMS),
            SecBuffer::null(BufferType::PKG_PARAMS),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut realm),
        ];
        input.extend(bindings.as_deref_mut().map(bindings_buffer));
        let mut memory = vec![0; self.output_capacity];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = self.package.accept_security_context(
            Some(self.credential),
            None,
            Some(&mut SecBufferDesc::new(&mut input)),
            self.requirements,
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        let handle = result.as_ref().ok().map(|accepted| accepted.context);
        let states = ("none", self.state(handle));
        self.log.record(&CallRecord::of(SspiCall::AcceptSecurityContext, states, count, &result, |ok| ok.status));
        let context = |handle| OwnedContext { gate: Arc::clone(self), handle: Some(handle), count };
        let written = output.iter().find_map(SecBuffer::bytes).unwrap_or_default().to_vec();
        result.map(|accepted| (accepted.status, context(accepted.context), written))
    }

    /// What CompleteAuthToken returns, and what it wrote if it wrote something.
    fn call_complete(
        &self,
        context: &OwnedContext,
        message: &Message,
        body: &[u8],
    ) -> (Result<(), Failure>, Option<Vec<u8>>) {
        let (mut token, mut method) = (message.token.clone(), message.method.clone());
        let (mut target, mut entity) = (message.target.clone(), hex(&md5(&[body])));
        let mut memory = vec![0; self.output_capacity];
        let mut bindings = self.channel_bindings.clone();
        let mut buffers = vec![
            SecBuffer::new(BufferType::TOKEN, &mut token),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut target),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut entity),
            SecBuffer::new(BufferType::TOKEN, &mut memory),
        ];
        let output_place = buffers.len() - 1;
        buffers.extend(bindings.as_deref_mut().map(bindings_buffer));
        let before = self.state(context.handle);
        let result = self.package.complete_auth_token(context.handle, Some(&mut SecBufferDesc::new(&mut buffers)));
        let states = (before, self.state(context.handle));
        let ok = |(): &()| SecurityStatus::SEC_E_OK;
        let call = SspiCall::CompleteAuthToken;
        self.log.record(&CallRecord::of(call, states, message.facts.count, &result, ok));
        let written = buffers.get(output_place).and_then(SecBuffer::bytes).unwrap_or_default();
        // A buffer nobody wrote keeps its capacity as its count, or gets none.
        let written = (!written.is_empty() && written.len() < self.output_capacity).then(|| written.to_vec());
        (result, written)
    }

    /// What to answer to a failure; `output` is the challenge that came with it, or empty.
    fn refusal(self: &Arc<Self>, failure: &Failure, output: Vec<u8>) -> Refusal {
        match failure.status {
            SecurityStatus::SEC_E_INVALID_TOKEN => Refusal::BadRequest,
            SecurityStatus::SEC_E_INSUFFICIENT_MEMORY | SecurityStatus::SEC_E_NO_AUTHENTICATING_AUTHORITY => {
                Refusal::Unavailable
            }
            SecurityStatus::SEC_E_LOGON_DENIED
            | SecurityStatus::SEC_E_MESSAGE_ALTERED
            | SecurityStatus::SEC_E_OUT_OF_SEQUENCE
            | SecurityStatus::SEC_E_BAD_BINDINGS
            | SecurityStatus::SEC_E_SECURITY_QOS_FAILED => {
                if output.is_empty() {
                    self.fresh_challenge().map_or_else(|refusal| refusal, Refusal::Challenge)
                } else {
                    Refusal::Challenge(output)
                }
            }
            // A SECURITY_STATUS is any number; what is left says nothing about the client.
            _ => Refusal::Internal,
        }
    }

    /// A challenge from a call with an empty token.
    fn fresh_challenge(self: &Arc<Self>) -> Result<Vec<u8>, Refusal> {
        match self.call_accept(b"", b"", None) {
            Ok((_, _, challenge)) => Ok(challenge),
            Err(failure) if failure.status == SecurityStatus::SEC_E_INSUFFICIENT_MEMORY => Err(Refusal::Unavailable),
            Err(_) => Err(Refusal::Internal),
        }
    }

    fn state(&self, handle: Option<CtxtHandle>) -> &'static str {
        handle.and_then(|handle| self.package.state(handle)).unwrap_or("none")
    }

    fn delete(&self, handle: CtxtHandle, count: Option<[u8; 8]>) {
        let before = self.state(Some(handle));
        let result = self.package.delete_security_context(Some(handle));
        let states = (before, self.state(Some(handle)));
        let ok = |(): &()| SecurityStatus::SEC_E_OK;
        self.log.record(&CallRecord::of(SspiCall::DeleteSecurityContext, states, count, &result, ok));
    }

    fn delete_all(&self, handles: Vec<CtxtHandle>) {
        for handle in handles {
            self.delete(handle, None);
        }
    }
}

/// The user's name or the service's, whichever was asked for.
fn name_in(attribute: ContextAttribute) -> String {
    match attribute {
        ContextAttribute::Names { user_name: name } | ContextAttribute::ClientSpecifiedTarget(name) => name,
        ContextAttribute::Sizes { .. }
        | ContextAttribute::StreamSizes { .. }
        | ContextAttribute::Lifespan { .. }
        | ContextAttribute::SessionKey(_)
        | ContextAttribute::KeyInfo { .. }
        | ContextAttribute::PackageInfo { .. }
        | ContextAttribute::Flags(_) => String::new(),
    }
}

fn bindings_buffer(bindings: &mut [u8]) -> SecBuffer<'_> {
    SecBuffer::new(BufferType::CHANNEL_BINDINGS.read_only(), bindings)
}

impl Authenticated {
    /// The user's name, as the session knows it.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Keeps the session in place of the context it had before; returns the value of Authentication-Info, which for
    /// auth-int proves `response_body`.
    pub fn finish(self, response_body: &[u8]) -> Option<Vec<u8>> {
        let Self { context, session, user: _, authentication_info, qop } = self;
        let gate = Arc::clone(&context.gate);
        let proof = match (qop, context.handle) {
            (Some(Qop::AuthInt), Some(handle)) => gate.package.authentication_info(handle, &md5(&[response_body])).ok(),
            (Some(Qop::Auth) | None, _) | (Some(Qop::AuthInt), None) => Some(authentication_info),
        };
        // A token that named no session cannot have authenticated; without a name the context is deleted.
        if let Some(session) = session
            && let Some(handle) = context.release()
        {
            let replaced = lock(&gate.kept).keep(session, handle, Instant::now());
            gate.delete_all(replaced);
        }
        proof.filter(|proof| !proof.is_empty())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").field("package", &self.package).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Authenticated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authenticated").field("user", &self.user).finish_non_exhaustive()
    }
}
