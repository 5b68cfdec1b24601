//! HTTP contexts in any state of either role, and every call on them.
//!
//! A call that is not due has its answer here, because on the typestates it does not exist.
#![forbid(unsafe_code)]

use super::{
    ACCEPT, AUTHENTICATION_INFO, COMPLETE, CompletionMessage, Granted, INITIALIZE, MAKE, Output, Transition, VERIFY,
    completed, same_credentials, same_identity,
};
use crate::context::acceptor::{self, Acceptance, Acceptor};
use crate::context::attributes::ContextAttribute;
use crate::context::failure::{Failure, Misuse};
use crate::context::initiator::{self, Initialization, Initiator, OutboundCredentials};
use crate::context::input::{AcceptInput, InitializeInput, RequestMessage, ResponseMessage};
use crate::context::requirements::{AcceptRequirements, InitializeRequirements};
use crate::context::{Completable, CompleteAndContinue, CompleteNeeded, Context, New, Rejected, World};
use crate::status::SecurityStatus;

type Step<T> = Transition<HttpContext, T>;

/// A context in any state of either role.
#[derive(Debug)]
#[cfg_attr(feature = "model", derive(Clone, PartialEq, Eq, Hash))]
pub(in crate::package) enum HttpContext {
    AcceptorNew(Context<Acceptor, New>),
    AcceptorChallenged(Context<Acceptor, acceptor::Challenged>),
    AcceptorCompleteNeededInitial(Context<Acceptor, CompleteNeeded<acceptor::Initial>>),
    AcceptorCompleteNeededSubsequent(Context<Acceptor, CompleteNeeded<acceptor::Subsequent>>),
    AcceptorCompleteAndContinueInitial(Context<Acceptor, CompleteAndContinue<acceptor::Initial>>),
    AcceptorCompleteAndContinueSubsequent(Context<Acceptor, CompleteAndContinue<acceptor::Subsequent>>),
    AcceptorEstablished(Context<Acceptor, acceptor::Established>),
    AcceptorRejected(Context<Acceptor, Rejected>),
    InitiatorNew(Context<Initiator, New>),
    InitiatorInitial(Context<Initiator, initiator::Initial>),
    InitiatorResponded(Context<Initiator, initiator::Responded>),
    InitiatorCompleteNeeded(Context<Initiator, CompleteNeeded<initiator::Response>>),
    InitiatorCompleteAndContinue(Context<Initiator, CompleteAndContinue<initiator::Response>>),
    InitiatorEstablished(Context<Initiator, initiator::Established>),
    InitiatorRejected(Context<Initiator, Rejected>),
}

impl HttpContext {
    /// The name of the state, as the specification prints it.
    pub(in crate::package) fn state(&self) -> &'static str {
        match self {
            Self::AcceptorNew(_) | Self::InitiatorNew(_) => "none",
            Self::AcceptorChallenged(_) => "challenged",
            Self::AcceptorCompleteNeededInitial(_) => "complete-needed-initial",
            Self::AcceptorCompleteNeededSubsequent(_) => "complete-needed-subsequent",
            Self::AcceptorCompleteAndContinueInitial(_) => "complete-and-continue-initial",
            Self::AcceptorCompleteAndContinueSubsequent(_) => "complete-and-continue-subsequent",
            Self::AcceptorEstablished(_) | Self::InitiatorEstablished(_) => "established",
            Self::AcceptorRejected(_) | Self::InitiatorRejected(_) => "rejected",
            Self::InitiatorInitial(_) => "initial",
            Self::InitiatorResponded(_) => "responded",
            Self::InitiatorCompleteNeeded(_) => "complete-needed",
            Self::InitiatorCompleteAndContinue(_) => "complete-and-continue",
        }
    }

    fn failed<T>(self, failure: impl Into<Failure>) -> Step<T> {
        (self, Err(failure.into()), Output::Untouched)
    }

    fn out_of_sequence<T>(self, call: &'static str) -> Step<T> {
        let state = self.state();
        self.failed(Misuse::OutOfSequence { call, state })
    }

    fn acceptor_identity(&self) -> Option<&str> {
        match self {
            Self::AcceptorNew(context) => Some(context.role().identity()),
            Self::AcceptorChallenged(context) => Some(context.role().identity()),
            Self::AcceptorCompleteNeededInitial(context) => Some(context.role().identity()),
            Self::AcceptorCompleteNeededSubsequent(context) => Some(context.role().identity()),
            Self::AcceptorCompleteAndContinueInitial(context) => Some(context.role().identity()),
            Self::AcceptorCompleteAndContinueSubsequent(context) => Some(context.role().identity()),
            Self::AcceptorEstablished(context) => Some(context.role().identity()),
            Self::AcceptorRejected(context) => Some(context.role().identity()),
            Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => None,
        }
    }

    fn outbound_credentials(&self) -> Option<&OutboundCredentials> {
        match self {
            Self::InitiatorNew(context) => Some(context.role().credentials()),
            Self::InitiatorInitial(context) => Some(context.role().credentials()),
            Self::InitiatorResponded(context) => Some(context.role().credentials()),
            Self::InitiatorCompleteNeeded(context) => Some(context.role().credentials()),
            Self::InitiatorCompleteAndContinue(context) => Some(context.role().credentials()),
            Self::InitiatorEstablished(context) => Some(context.role().credentials()),
            Self::InitiatorRejected(context) => Some(context.role().credentials()),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_) => None,
        }
    }

    /// AcceptSecurityContext.
    pub(in crate::package) fn accept(
        self,
        identity: Option<&str>,
        input: Result<AcceptInput<'_>, Misuse>,
        requirements: AcceptRequirements,
        world: World<'_>,
    ) -> Step<Granted<AcceptRequirements>> {
        if let Err(misuse) = same_identity(self.acceptor_identity(), identity) {
            return self.failed(misuse);
        }
        match self {
            Self::AcceptorNew(context) => match input {
                Ok(input) => accepted(context.accept(&input, requirements, world), requirements, Self::AcceptorNew),
                Err(misuse) => Self::AcceptorNew(context).failed(misuse),
            },
            Self::AcceptorChallenged(context) => match input {
                Ok(input) => {
                    accepted(context.accept(&input, requirements, world), requirements, Self::AcceptorChallenged)
                }
                Err(misuse) => Self::AcceptorChallenged(context).failed(misuse),
            },
            // Documented for a context that is established already; the state comes before the descriptor.
            Self::AcceptorEstablished(_) => self.failed(Misuse::AlreadyEstablished),
            Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorRejected(_) => self.out_of_sequence(ACCEPT),
            Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => self.failed(Misuse::ContextHandle),
        }
    }

    /// InitializeSecurityContext.
    pub(in crate::package) fn initialize(
        self,
        credentials: Option<&OutboundCredentials>,
        input: Result<InitializeInput<'_>, Misuse>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Step<Granted<InitializeRequirements>> {
        if let Err(misuse) = same_credentials(self.outbound_credentials(), credentials) {
            return self.failed(misuse);
        }
        match self {
            Self::InitiatorNew(context) => match input {
                Ok(input) => initialized(context.initialize(&input, requirements, world), Self::InitiatorNew),
                Err(misuse) => Self::InitiatorNew(context).failed(misuse),
            },
            Self::InitiatorInitial(context) => match input {
                Ok(input) => initialized(context.initialize(&input, requirements, world), Self::InitiatorInitial),
                Err(misuse) => Self::InitiatorInitial(context).failed(misuse),
            },
            Self::InitiatorResponded(context) => match input {
                Ok(input) => initialized(context.initialize(&input, requirements, world), Self::InitiatorResponded),
                Err(misuse) => Self::InitiatorResponded(context).failed(misuse),
            },
            Self::InitiatorEstablished(context) => match input {
                Ok(input) => initialized(context.initialize(&input, requirements, world), Self::InitiatorEstablished),
                Err(misuse) => Self::InitiatorEstablished(context).failed(misuse),
            },
            Self::InitiatorCompleteNeeded(_) | Self::InitiatorCompleteAndContinue(_) | Self::InitiatorRejected(_) => {
                self.out_of_sequence(INITIALIZE)
            }
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_) => self.failed(Misuse::ContextHandle),
        }
    }

    /// Moves the last nonce count of an established initiator forward.
    pub(in crate::package) fn advance_nonce_count(&mut self, last: u32) -> Result<(), Misuse> {
        match self {
            Self::InitiatorEstablished(context) => context.advance_nonce_count(last),
            Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorRejected(_)
            | Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_) => {
                Err(Misuse::OutOfSequence { call: "advance_nonce_count", state: self.state() })
            }
        }
    }

    /// CompleteAuthToken.
    pub(in crate::package) fn complete_auth_token(
        self,
        message: Result<CompletionMessage<'_>, Misuse>,
        world: World<'_>,
    ) -> Step<()> {
        match self {
            Self::AcceptorCompleteNeededInitial(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_peer(), world),
                    Self::AcceptorCompleteNeededInitial,
                    Self::AcceptorEstablished,
                    Self::AcceptorRejected,
                    Output::optional,
                ),
                Err(misuse) => Self::AcceptorCompleteNeededInitial(context).failed(misuse),
            },
            Self::AcceptorCompleteNeededSubsequent(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_peer(), world),
                    Self::AcceptorCompleteNeededSubsequent,
                    Self::AcceptorEstablished,
                    Self::AcceptorRejected,
                    Output::optional,
                ),
                Err(misuse) => Self::AcceptorCompleteNeededSubsequent(context).failed(misuse),
            },
            Self::AcceptorCompleteAndContinueInitial(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_peer(), world),
                    Self::AcceptorCompleteAndContinueInitial,
                    Self::AcceptorChallenged,
                    Self::AcceptorRejected,
                    Output::Written,
                ),
                Err(misuse) => Self::AcceptorCompleteAndContinueInitial(context).failed(misuse),
            },
            Self::AcceptorCompleteAndContinueSubsequent(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_peer(), world),
                    Self::AcceptorCompleteAndContinueSubsequent,
                    Self::AcceptorChallenged,
                    Self::AcceptorRejected,
                    Output::Written,
                ),
                Err(misuse) => Self::AcceptorCompleteAndContinueSubsequent(context).failed(misuse),
            },
            Self::InitiatorCompleteNeeded(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_own(), world),
                    Self::InitiatorCompleteNeeded,
                    Self::InitiatorEstablished,
                    Self::InitiatorRejected,
                    Output::Completed,
                ),
                Err(misuse) => Self::InitiatorCompleteNeeded(context).failed(misuse),
            },
            Self::InitiatorCompleteAndContinue(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message.of_own(), world),
                    Self::InitiatorCompleteAndContinue,
                    Self::InitiatorResponded,
                    Self::InitiatorRejected,
                    Output::Completed,
                ),
                Err(misuse) => Self::InitiatorCompleteAndContinue(context).failed(misuse),
            },
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => self.out_of_sequence(COMPLETE),
        }
    }

    /// MakeSignature.
    pub(in crate::package) fn make_signature(self, message: Result<RequestMessage<'_>, Misuse>) -> Step<()> {
        match self {
            Self::InitiatorEstablished(mut context) => {
                let made = message.map_err(Failure::from).and_then(|message| context.make_signature(&message));
                match made {
                    Ok(header) => (Self::InitiatorEstablished(context), Ok(()), Output::Written(header)),
                    Err(failure) => Self::InitiatorEstablished(context).failed(failure),
                }
            }
            Self::AcceptorEstablished(_) => self.failed(Misuse::NotForThisRole(MAKE)),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorRejected(_) => self.out_of_sequence(MAKE),
        }
    }

    /// VerifySignature.
    pub(in crate::package) fn verify_signature(
        self,
        message: Result<ResponseMessage<'_>, Misuse>,
        world: World<'_>,
    ) -> Step<()> {
        match self {
            Self::AcceptorEstablished(mut context) => {
                let verified =
                    message.map_err(Failure::from).and_then(|message| context.verify_signature(&message, world));
                (Self::AcceptorEstablished(context), verified, Output::Untouched)
            }
            Self::InitiatorEstablished(_) => self.failed(Misuse::NotForThisRole(VERIFY)),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorRejected(_) => self.out_of_sequence(VERIFY),
        }
    }

    /// EncryptMessage and DecryptMessage: HTTP protects no messages. What is pending is due all the same.
    pub(in crate::package) fn protect_message<T>(self, call: &'static str) -> Step<T> {
        match self {
            Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_) => self.out_of_sequence(call),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => self.failed(Misuse::NotForHttp(call)),
        }
    }

    /// QueryContextAttributes: it changes nothing.
    pub(in crate::package) fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        match self {
            Self::AcceptorEstablished(context) => context.query_context_attributes(attribute),
            Self::InitiatorEstablished(context) => context.query_context_attributes(attribute),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorRejected(_) => Err(Misuse::NotEstablished(self.state()).into()),
        }
    }

    /// The server's proof over a response body; not an SSPI call.
    pub(in crate::package) fn authentication_info(&self, response_body_hash: &[u8; 16]) -> Result<Vec<u8>, Failure> {
        match self {
            Self::AcceptorEstablished(context) => context.authentication_info(response_body_hash),
            Self::InitiatorEstablished(_) => Err(Misuse::NotForThisRole(AUTHENTICATION_INFO).into()),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeededInitial(_)
            | Self::AcceptorCompleteNeededSubsequent(_)
            | Self::AcceptorCompleteAndContinueInitial(_)
            | Self::AcceptorCompleteAndContinueSubsequent(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorCompleteNeeded(_)
            | Self::InitiatorCompleteAndContinue(_)
            | Self::InitiatorRejected(_) => {
                Err(Misuse::OutOfSequence { call: AUTHENTICATION_INFO, state: self.state() }.into())
            }
        }
    }

    /// DeleteSecurityContext.
    pub(in crate::package) fn delete(self, world: World<'_>) {
        match self {
            Self::AcceptorNew(_) | Self::InitiatorNew(_) => {}
            Self::AcceptorChallenged(context) => context.delete(world.http_sessions),
            Self::AcceptorCompleteNeededInitial(context) => context.delete(world.http_sessions),
            Self::AcceptorCompleteNeededSubsequent(context) => context.delete(world.http_sessions),
            Self::AcceptorCompleteAndContinueInitial(context) => context.delete(world.http_sessions),
            Self::AcceptorCompleteAndContinueSubsequent(context) => context.delete(world.http_sessions),
            Self::AcceptorEstablished(context) => context.delete(world.http_sessions),
            Self::AcceptorRejected(context) => context.delete(world.http_sessions),
            Self::InitiatorInitial(context) => context.delete(),
            Self::InitiatorResponded(context) => context.delete(),
            Self::InitiatorCompleteNeeded(context) => context.delete(),
            Self::InitiatorCompleteAndContinue(context) => context.delete(),
            Self::InitiatorEstablished(context) => context.delete(),
            Self::InitiatorRejected(context) => context.delete(),
        }
    }
}

fn accepted<C>(
    acceptance: Acceptance<C>,
    requirements: AcceptRequirements,
    unchanged: impl FnOnce(C) -> HttpContext,
) -> Step<Granted<AcceptRequirements>> {
    let step = |context, status, flags, output| (context, Ok(Granted { status, flags }), Output::optional(output));
    let offered = requirements.offered();
    match acceptance {
        Acceptance::Challenged(context, token) => {
            step(HttpContext::AcceptorChallenged(context), SecurityStatus::SEC_I_CONTINUE_NEEDED, offered, Some(token))
        }
        Acceptance::CompleteNeededInitial(context) => step(
            HttpContext::AcceptorCompleteNeededInitial(context),
            SecurityStatus::SEC_I_COMPLETE_NEEDED,
            offered,
            None,
        ),
        Acceptance::CompleteNeededSubsequent(context) => step(
            HttpContext::AcceptorCompleteNeededSubsequent(context),
            SecurityStatus::SEC_I_COMPLETE_NEEDED,
            offered,
            None,
        ),
        Acceptance::CompleteAndContinueInitial(context, token) => step(
            HttpContext::AcceptorCompleteAndContinueInitial(context),
            SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE,
            offered,
            Some(token),
        ),
        Acceptance::CompleteAndContinueSubsequent(context, token) => step(
            HttpContext::AcceptorCompleteAndContinueSubsequent(context),
            SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE,
            offered,
            Some(token),
        ),
        Acceptance::Established(context, info) => {
            let granted = context.granted();
            step(HttpContext::AcceptorEstablished(context), SecurityStatus::SEC_E_OK, granted, info)
        }
        Acceptance::Unchanged(context, failure) => unchanged(context).failed(failure),
        Acceptance::Rejected(context, failure) => HttpContext::AcceptorRejected(context).failed(failure),
    }
}

fn initialized<C>(
    initialization: Initialization<C>,
    unchanged: impl FnOnce(C) -> HttpContext,
) -> Step<Granted<InitializeRequirements>> {
    let step = |context, status, flags, output| (context, Ok(Granted { status, flags }), Output::optional(output));
    match initialization {
        Initialization::Initial(context) => step(
            HttpContext::InitiatorInitial(context),
            SecurityStatus::SEC_I_CONTINUE_NEEDED,
            InitializeRequirements::HTTP,
            None,
        ),
        Initialization::Responded(context, token) => {
            let granted = context.granted();
            let context = HttpContext::InitiatorResponded(context);
            step(context, SecurityStatus::SEC_I_CONTINUE_NEEDED, granted, Some(token))
        }
        Initialization::CompleteNeeded(context, token) => {
            let granted = context.granted();
            let context = HttpContext::InitiatorCompleteNeeded(context);
            step(context, SecurityStatus::SEC_I_COMPLETE_NEEDED, granted, Some(token))
        }
        Initialization::CompleteAndContinue(context, token) => {
            let granted = context.granted();
            let context = HttpContext::InitiatorCompleteAndContinue(context);
            step(context, SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE, granted, Some(token))
        }
        Initialization::Established(context, token) => {
            let granted = context.granted();
            step(HttpContext::InitiatorEstablished(context), SecurityStatus::SEC_E_OK, granted, token)
        }
        Initialization::Unchanged(context, failure) => unchanged(context).failed(failure),
        Initialization::Rejected(context, failure) => HttpContext::InitiatorRejected(context).failed(failure),
    }
}
