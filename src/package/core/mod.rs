//! The pure core: any context, and every call on it.
//!
//! Each call is a total function of context, input and [`World`]: it gives back the next context beside what
//! happened. One method for each call and not one `step` over an enum of calls: so the outcome of a call has that
//! call's type, and nobody has to say what happens when AcceptSecurityContext returns a signature.
//!
//! A context keeps its mechanism; without one the HTTP flag chooses it.
#![forbid(unsafe_code)]

pub(super) mod http;
mod sasl;

use std::sync::Arc;

use http::HttpContext;
use sasl::SaslContext;
use zeroize::Zeroizing;

use crate::context::acceptor::Acceptor;
use crate::context::attributes::ContextAttribute;
use crate::context::failure::{Failure, Misuse};
use crate::context::initiator::{CompletedDigest, Initiator, OutboundCredentials};
use crate::context::input::{AcceptInput, InitializeInput, OwnTokenMessage, RequestMessage, ResponseMessage};
use crate::context::requirements::{AcceptRequirements, InitializeRequirements};
use crate::context::sasl::layers::{PlainMessage, QualityOfProtection, SignedMessage, WrappedMessage};
use crate::context::sasl::{self as context_sasl, TokenMessage};
use crate::context::{Completable, Completion, Context, Rejected, Room, World};
use crate::status::SecurityStatus;

/// A context of either mechanism, in any state of either role.
#[derive(Debug)]
pub(super) enum AnyContext {
    Http(HttpContext),
    Sasl(SaslContext),
}

/// What a call that can succeed in several ways came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted<F> {
    pub(super) status: SecurityStatus,
    /// The ASC_RET_* or ISC_RET_* flags.
    pub(super) flags: F,
}

/// What is to be done with the output buffers.
pub(super) enum Output {
    /// An error leaves them alone.
    Untouched,
    /// A success writes this, and cbBuffer with it; often nothing.
    Written(Vec<u8>),
    /// An initiator's token is completed in place.
    Completed(CompletedDigest),
    /// The signature of a SASL message.
    Signature([u8; 16]),
    /// A SASL message is encrypted in place, and the rest goes into a buffer of its own.
    Encrypted { message: Zeroizing<Vec<u8>>, rest: Vec<u8> },
    /// A SASL message is decrypted in place.
    Decrypted(Zeroizing<Vec<u8>>),
}

impl Output {
    /// A success with nothing to write says so in cbBuffer.
    fn optional(output: Option<Vec<u8>>) -> Self {
        Self::Written(output.unwrap_or_default())
    }
}

/// What a call came to: the next context, the result, and the output.
pub(super) type Step<T> = Transition<AnyContext, T>;

/// A step of a context of one mechanism.
type Transition<C, T> = (C, Result<T, Failure>, Output);

/// CompleteAuthToken's message before it is known whose it is; roles and mechanisms read it differently.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompletionMessage<'a> {
    pub(super) token: &'a [u8],
    pub(super) token_is_writable: bool,
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) entity: &'a [u8],
    pub(super) bindings: &'a [u8],
    pub(super) capacity: Option<usize>,
}

impl<'a> CompletionMessage<'a> {
    fn of_peer(&self) -> ResponseMessage<'a> {
        let Self { token, method, target, entity, bindings, capacity, .. } = *self;
        ResponseMessage { token, method, target, entity, bindings, capacity }
    }

    fn of_own(&self) -> OwnTokenMessage<'a> {
        let Self { token, token_is_writable: writable, method, target: uri, entity, bindings, .. } = *self;
        OwnTokenMessage { token, writable, method, uri, entity, bindings }
    }

    fn of_sasl_peer(&self) -> TokenMessage<'a> {
        let Self { token, capacity, .. } = *self;
        TokenMessage { token, capacity }
    }
}

/// MakeSignature's message before it is known of which mechanism it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignatureMessage<'a> {
    /// HTTP: the next request.
    pub(super) request: RequestMessage<'a>,
    /// SASL: a message.
    pub(super) message: PlainMessage<'a>,
}

/// VerifySignature's message before it is known of which mechanism it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerificationMessage<'a> {
    /// HTTP: a further request.
    pub(super) response: ResponseMessage<'a>,
    /// SASL: a message and its signature.
    pub(super) message: SignedMessage<'a>,
}

const ACCEPT: &str = "AcceptSecurityContext";
const INITIALIZE: &str = "InitializeSecurityContext";
const COMPLETE: &str = "CompleteAuthToken";
const MAKE: &str = "MakeSignature";
const VERIFY: &str = "VerifySignature";
const ENCRYPT: &str = "EncryptMessage";
const DECRYPT: &str = "DecryptMessage";
const AUTHENTICATION_INFO: &str = "authentication_info";
const ADVANCE: &str = "advance_nonce_count";
const SPEND: &str = "spend_sequence_numbers";

impl AnyContext {
    /// An acceptor's context that does not exist yet, of the mechanism that the flags name.
    pub(super) fn acceptor(identity: Arc<str>, room: Room, requirements: AcceptRequirements) -> Self {
        if requirements.contains(AcceptRequirements::HTTP) {
            Self::Http(HttpContext::AcceptorNew(Context::new(Acceptor::new(identity), room)))
        } else {
            Self::Sasl(SaslContext::AcceptorNew(Context::new(context_sasl::Acceptor::new(identity), room)))
        }
    }

    /// An initiator's context that does not exist yet, of the mechanism that the flags name.
    pub(super) fn initiator(
        credentials: Arc<OutboundCredentials>,
        room: Room,
        requirements: InitializeRequirements,
    ) -> Self {
        if requirements.contains(InitializeRequirements::HTTP) {
            Self::Http(HttpContext::InitiatorNew(Context::new(Initiator::new(credentials), room)))
        } else {
            Self::Sasl(SaslContext::InitiatorNew(Context::new(context_sasl::Initiator::new(credentials), room)))
        }
    }

    /// The name of the state, as the specification prints it.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::Http(context) => context.state(),
            Self::Sasl(context) => context.state(),
        }
    }

    /// AcceptSecurityContext.
    pub(super) fn accept(
        self,
        identity: Option<&str>,
        input: Result<AcceptInput<'_>, Misuse>,
        requirements: AcceptRequirements,
        world: World<'_>,
    ) -> Step<Granted<AcceptRequirements>> {
        match self {
            Self::Http(context) => http_step(context.accept(identity, input, requirements, world)),
            Self::Sasl(context) => {
                let input = input.map(|AcceptInput { token, capacity, .. }| TokenMessage { token, capacity });
                sasl_step(context.accept(identity, input, requirements, world))
            }
        }
    }

    /// InitializeSecurityContext.
    pub(super) fn initialize(
        self,
        credentials: Option<&OutboundCredentials>,
        input: Result<InitializeInput<'_>, Misuse>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Step<Granted<InitializeRequirements>> {
        match self {
            Self::Http(context) => http_step(context.initialize(credentials, input, requirements, world)),
            Self::Sasl(context) => {
                let input = input.map(|InitializeInput { token, target, capacity, .. }| {
                    context_sasl::InitializeInput { token, target, capacity }
                });
                sasl_step(context.initialize(credentials, input, requirements, world))
            }
        }
    }

    /// Tells an established initiator that counts up to `last` were sent elsewhere; not an SSPI call.
    pub(super) fn advance_nonce_count(&mut self, last: u32) -> Result<(), Misuse> {
        match self {
            Self::Http(context) => context.advance_nonce_count(last),
            Self::Sasl(context) => context.advance_nonce_count(ADVANCE, last),
        }
    }

    /// Tells an established SASL context that every sequence number was used elsewhere; not an SSPI call.
    pub(super) fn spend_sequence_numbers(&mut self) -> Result<(), Misuse> {
        match self {
            Self::Http(_) => Err(Misuse::OutOfSequence { call: SPEND, state: self.state() }),
            Self::Sasl(context) => context.spend_sequence_numbers(SPEND),
        }
    }

    /// CompleteAuthToken.
    pub(super) fn complete_auth_token(
        self,
        message: Result<CompletionMessage<'_>, Misuse>,
        world: World<'_>,
    ) -> Step<()> {
        match self {
            Self::Http(context) => http_step(context.complete_auth_token(message, world)),
            Self::Sasl(context) => {
                let message = message.map(|message| message.of_sasl_peer());
                sasl_step(context.complete_auth_token(message, world))
            }
        }
    }

    /// MakeSignature.
    pub(super) fn make_signature(self, message: Result<SignatureMessage<'_>, Misuse>) -> Step<()> {
        match self {
            Self::Http(context) => http_step(context.make_signature(message.map(|message| message.request))),
            Self::Sasl(context) => sasl_step(context.make_signature(message.map(|message| message.message))),
        }
    }

    /// VerifySignature.
    pub(super) fn verify_signature(
        self,
        message: Result<VerificationMessage<'_>, Misuse>,
        world: World<'_>,
    ) -> Step<()> {
        match self {
            Self::Http(context) => http_step(context.verify_signature(message.map(|message| message.response), world)),
            Self::Sasl(context) => sasl_step(context.verify_signature(message.map(|message| message.message))),
        }
    }

    /// EncryptMessage.
    pub(super) fn encrypt_message(self, message: Result<PlainMessage<'_>, Misuse>) -> Step<()> {
        match self {
            Self::Http(context) => http_step(context.protect_message(ENCRYPT)),
            Self::Sasl(context) => sasl_step(context.encrypt_message(message)),
        }
    }

    /// DecryptMessage.
    pub(super) fn decrypt_message(self, message: Result<WrappedMessage<'_>, Misuse>) -> Step<QualityOfProtection> {
        match self {
            Self::Http(context) => http_step(context.protect_message(DECRYPT)),
            Self::Sasl(context) => sasl_step(context.decrypt_message(message)),
        }
    }

    /// QueryContextAttributes: it changes nothing.
    pub(super) fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        match self {
            Self::Http(context) => context.query_context_attributes(attribute),
            Self::Sasl(context) => context.query_context_attributes(attribute),
        }
    }

    /// The server's proof over a response body; not an SSPI call.
    pub(super) fn authentication_info(&self, response_body_hash: &[u8; 16]) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Http(context) => context.authentication_info(response_body_hash),
            Self::Sasl(context) => context.authentication_info(),
        }
    }

    /// DeleteSecurityContext.
    pub(super) fn delete(self, world: World<'_>) {
        match self {
            Self::Http(context) => context.delete(world),
            Self::Sasl(context) => context.delete(world),
        }
    }
}

fn http_step<T>((context, result, output): Transition<HttpContext, T>) -> Step<T> {
    (AnyContext::Http(context), result, output)
}

fn sasl_step<T>((context, result, output): Transition<SaslContext, T>) -> Step<T> {
    (AnyContext::Sasl(context), result, output)
}

/// AcceptSecurityContext: the handle comes before the credentials; an initiator's is none of this function's handles.
fn same_identity(own: Option<&str>, given: Option<&str>) -> Result<(), Misuse> {
    match (own, given) {
        (None, _) => Err(Misuse::ContextHandle),
        (Some(_), None) => Err(Misuse::NoCredentials),
        (Some(own), Some(given)) if own != given => Err(Misuse::WrongCredentials),
        (Some(_), Some(_)) => Ok(()),
    }
}

/// InitializeSecurityContext: as for an acceptor.
fn same_credentials(own: Option<&OutboundCredentials>, given: Option<&OutboundCredentials>) -> Result<(), Misuse> {
    match (own, given) {
        (None, _) => Err(Misuse::ContextHandle),
        (Some(_), None) => Err(Misuse::NoCredentials),
        (Some(own), Some(given)) if !own.is(given) => Err(Misuse::WrongCredentials),
        (Some(_), Some(_)) => Ok(()),
    }
}

fn completed<C: Completable, A>(
    completion: Completion<C>,
    pending: impl FnOnce(C) -> A,
    done: impl FnOnce(C::Completed) -> A,
    rejected: impl FnOnce(Context<C::Role, Rejected>) -> A,
    output: impl FnOnce(C::Output) -> Output,
) -> Transition<A, ()> {
    match completion {
        Completion::Completed(context, written) => (done(context), Ok(()), output(written)),
        Completion::StillPending(context, failure) => (pending(context), Err(failure), Output::Untouched),
        Completion::Rejected { context, failure, challenge } => {
            (rejected(context), Err(failure), challenge.map_or(Output::Untouched, Output::Written))
        }
    }
}
