//! SASL contexts in any state of either role, and every call on them.
//!
//! A call that is not due has its answer here, because on the typestates it does not exist.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{
    ACCEPT, AUTHENTICATION_INFO, COMPLETE, DECRYPT, ENCRYPT, Granted, INITIALIZE, MAKE, Output, Transition, VERIFY,
    completed, same_credentials, same_identity,
};
use crate::context::attributes::ContextAttribute;
use crate::context::failure::{Failure, Misuse};
use crate::context::initiator::OutboundCredentials;
use crate::context::requirements::{AcceptRequirements, InitializeRequirements};
use crate::context::sasl::acceptor::{self, Acceptance};
use crate::context::sasl::initiator::{self, Initialization};
use crate::context::sasl::layers::{
    MessageProtection, PlainMessage, QualityOfProtection, SignedMessage, Wrapped, WrappedMessage,
};
use crate::context::sasl::{Acceptor, FastReauthentication, InitializeInput, Initiator, TokenMessage};
use crate::context::{Completable, CompleteNeeded, Context, New, Rejected, World};
use crate::status::SecurityStatus;

type Step<T> = Transition<SaslContext, T>;

/// A context in any state of either role.
#[derive(Debug)]
pub(in crate::package) enum SaslContext {
    AcceptorNew(Context<Acceptor, New>),
    AcceptorChallenged(Context<Acceptor, acceptor::Challenged>),
    AcceptorCompleteNeeded(Context<Acceptor, CompleteNeeded<FastReauthentication>>),
    AcceptorEstablished(Context<Acceptor, acceptor::Established>),
    AcceptorRejected(Context<Acceptor, Rejected>),
    InitiatorNew(Context<Initiator, New>),
    InitiatorInitial(Context<Initiator, initiator::Initial>),
    InitiatorResponded(Context<Initiator, initiator::Responded>),
    InitiatorEstablished(Context<Initiator, initiator::Established>),
    InitiatorRejected(Context<Initiator, Rejected>),
}

impl SaslContext {
    /// The name of the state, as the specification prints it.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::AcceptorNew(_) | Self::InitiatorNew(_) => "none",
            Self::AcceptorChallenged(_) => "challenged",
            Self::AcceptorCompleteNeeded(_) => "complete-needed-subsequent",
            Self::AcceptorEstablished(_) | Self::InitiatorEstablished(_) => "established",
            Self::AcceptorRejected(_) | Self::InitiatorRejected(_) => "rejected",
            Self::InitiatorInitial(_) => "initial",
            Self::InitiatorResponded(_) => "responded",
        }
    }

    fn failed<T>(self, failure: impl Into<Failure>) -> Step<T> {
        (self, Err(failure.into()), Output::Untouched)
    }

    fn not_due(&self, call: &'static str) -> Misuse {
        Misuse::OutOfSequence { call, state: self.state() }
    }

    fn out_of_sequence<T>(self, call: &'static str) -> Step<T> {
        let misuse = self.not_due(call);
        self.failed(misuse)
    }

    fn acceptor_identity(&self) -> Option<&str> {
        match self {
            Self::AcceptorNew(context) => Some(context.role().identity()),
            Self::AcceptorChallenged(context) => Some(context.role().identity()),
            Self::AcceptorCompleteNeeded(context) => Some(context.role().identity()),
            Self::AcceptorEstablished(context) => Some(context.role().identity()),
            Self::AcceptorRejected(context) => Some(context.role().identity()),
            Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => None,
        }
    }

    fn outbound_credentials(&self) -> Option<&OutboundCredentials> {
        match self {
            Self::InitiatorNew(context) => Some(context.role().credentials()),
            Self::InitiatorInitial(context) => Some(context.role().credentials()),
            Self::InitiatorResponded(context) => Some(context.role().credentials()),
            Self::InitiatorEstablished(context) => Some(context.role().credentials()),
            Self::InitiatorRejected(context) => Some(context.role().credentials()),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_) => None,
        }
    }

    /// AcceptSecurityContext.
    pub(super) fn accept(
        self,
        identity: Option<&str>,
        input: Result<TokenMessage<'_>, Misuse>,
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
            Self::AcceptorCompleteNeeded(_) | Self::AcceptorRejected(_) => self.out_of_sequence(ACCEPT),
            Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorEstablished(_)
            | Self::InitiatorRejected(_) => self.failed(Misuse::ContextHandle),
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
            Self::InitiatorRejected(_) => self.out_of_sequence(INITIALIZE),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_) => self.failed(Misuse::ContextHandle),
        }
    }

    /// CompleteAuthToken.
    pub(super) fn complete_auth_token(self, message: Result<TokenMessage<'_>, Misuse>, world: World<'_>) -> Step<()> {
        match self {
            Self::AcceptorCompleteNeeded(context) => match message {
                Ok(message) => completed(
                    context.complete_auth_token(&message, world),
                    Self::AcceptorCompleteNeeded,
                    Self::AcceptorEstablished,
                    Self::AcceptorRejected,
                    Output::Written,
                ),
                Err(misuse) => Self::AcceptorCompleteNeeded(context).failed(misuse),
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

    /// Moves the last nonce count of an established initiator forward.
    pub(super) fn advance_nonce_count(&mut self, call: &'static str, last: u32) -> Result<(), Misuse> {
        match self {
            Self::InitiatorEstablished(context) => context.advance_nonce_count(last),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorEstablished(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorRejected(_) => Err(self.not_due(call)),
        }
    }

    /// Uses up the sequence numbers of what an established context sends.
    pub(super) fn spend_sequence_numbers(&mut self, call: &'static str) -> Result<(), Misuse> {
        self.protection(call)?.spend_sequence_numbers()
    }

    /// What protects the messages of either role, for a call that is due only once the context is established.
    fn protection(&mut self, call: &'static str) -> Result<&mut MessageProtection, Misuse> {
        match self {
            Self::AcceptorEstablished(context) => Ok(context.protection()),
            Self::InitiatorEstablished(context) => Ok(context.protection()),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorRejected(_) => Err(self.not_due(call)),
        }
    }

    fn protected<T>(
        mut self,
        call: &'static str,
        work: impl FnOnce(&mut MessageProtection) -> Result<(T, Output), Failure>,
    ) -> Step<T> {
        match self.protection(call).map_err(Failure::from).and_then(work) {
            Ok((result, output)) => (self, Ok(result), output),
            Err(failure) => self.failed(failure),
        }
    }

    /// MakeSignature.
    pub(super) fn make_signature(self, message: Result<PlainMessage<'_>, Misuse>) -> Step<()> {
        self.protected(MAKE, |protection| Ok(((), Output::Signature(protection.make_signature(message)?))))
    }

    /// VerifySignature.
    pub(super) fn verify_signature(self, message: Result<SignedMessage<'_>, Misuse>) -> Step<()> {
        self.protected(VERIFY, |protection| {
            protection.verify_signature(message)?;
            Ok(((), Output::Untouched))
        })
    }

    /// EncryptMessage.
    pub(super) fn encrypt_message(self, message: Result<PlainMessage<'_>, Misuse>) -> Step<()> {
        self.protected(ENCRYPT, |protection| {
            let Wrapped { message, rest } = protection.encrypt_message(message)?;
            Ok(((), Output::Encrypted { message, rest }))
        })
    }

    /// DecryptMessage.
    pub(super) fn decrypt_message(self, message: Result<WrappedMessage<'_>, Misuse>) -> Step<QualityOfProtection> {
        self.protected(DECRYPT, |protection| {
            let (plaintext, quality): (Zeroizing<Vec<u8>>, _) = protection.decrypt_message(message)?;
            Ok((quality, Output::Decrypted(plaintext)))
        })
    }

    /// QueryContextAttributes: it changes nothing.
    pub(super) fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        match self {
            Self::AcceptorEstablished(context) => context.query_context_attributes(attribute),
            Self::InitiatorEstablished(context) => context.query_context_attributes(attribute),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorRejected(_) => Err(Misuse::NotEstablished(self.state()).into()),
        }
    }

    /// The server's proof over a response body: SASL has no bodies.
    pub(super) fn authentication_info(&self) -> Result<Vec<u8>, Failure> {
        match self {
            Self::AcceptorEstablished(_) => Err(Misuse::NoBodyProof.into()),
            Self::InitiatorEstablished(_) => Err(Misuse::NotForThisRole(AUTHENTICATION_INFO).into()),
            Self::AcceptorNew(_)
            | Self::AcceptorChallenged(_)
            | Self::AcceptorCompleteNeeded(_)
            | Self::AcceptorRejected(_)
            | Self::InitiatorNew(_)
            | Self::InitiatorInitial(_)
            | Self::InitiatorResponded(_)
            | Self::InitiatorRejected(_) => Err(self.not_due(AUTHENTICATION_INFO).into()),
        }
    }

    /// DeleteSecurityContext.
    pub(super) fn delete(self, world: World<'_>) {
        match self {
            Self::AcceptorNew(_) | Self::InitiatorNew(_) => {}
            Self::AcceptorChallenged(context) => context.delete(world.sasl_sessions),
            Self::AcceptorCompleteNeeded(context) => context.delete(world.sasl_sessions),
            Self::AcceptorEstablished(context) => context.delete(world.sasl_sessions),
            Self::AcceptorRejected(context) => context.delete(world.sasl_sessions),
            Self::InitiatorInitial(context) => context.delete(),
            Self::InitiatorResponded(context) => context.delete(),
            Self::InitiatorEstablished(context) => context.delete(),
            Self::InitiatorRejected(context) => context.delete(),
        }
    }
}

fn accepted<C>(
    acceptance: Acceptance<C>,
    requirements: AcceptRequirements,
    unchanged: impl FnOnce(C) -> SaslContext,
) -> Step<Granted<AcceptRequirements>> {
    let step = |context, status, flags, output| (context, Ok(Granted { status, flags }), Output::optional(output));
    let offered = requirements.sasl_offered();
    match acceptance {
        Acceptance::Challenged(context, token) => {
            step(SaslContext::AcceptorChallenged(context), SecurityStatus::SEC_I_CONTINUE_NEEDED, offered, Some(token))
        }
        Acceptance::CompleteNeeded(context) => {
            step(SaslContext::AcceptorCompleteNeeded(context), SecurityStatus::SEC_I_COMPLETE_NEEDED, offered, None)
        }
        Acceptance::Established(context, proof) => {
            let granted = context.granted();
            step(SaslContext::AcceptorEstablished(context), SecurityStatus::SEC_E_OK, granted, Some(proof))
        }
        Acceptance::Unchanged(context, failure) => unchanged(context).failed(failure),
        Acceptance::Rejected(context, failure) => SaslContext::AcceptorRejected(context).failed(failure),
    }
}

fn initialized<C>(
    initialization: Initialization<C>,
    unchanged: impl FnOnce(C) -> SaslContext,
) -> Step<Granted<InitializeRequirements>> {
    let step = |context, status, flags, output| (context, Ok(Granted { status, flags }), Output::optional(output));
    match initialization {
        Initialization::Initial(context) => step(
            SaslContext::InitiatorInitial(context),
            SecurityStatus::SEC_I_CONTINUE_NEEDED,
            InitializeRequirements::empty(),
            None,
        ),
        Initialization::Responded(context, token) => {
            let granted = context.granted();
            let context = SaslContext::InitiatorResponded(context);
            step(context, SecurityStatus::SEC_I_CONTINUE_NEEDED, granted, Some(token))
        }
        Initialization::Established(context) => {
            let granted = context.granted();
            step(SaslContext::InitiatorEstablished(context), SecurityStatus::SEC_E_OK, granted, None)
        }
        Initialization::Unchanged(context, failure) => unchanged(context).failed(failure),
        Initialization::Rejected(context, failure) => SaslContext::InitiatorRejected(context).failed(failure),
    }
}
