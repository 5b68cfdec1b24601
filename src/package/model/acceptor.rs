//! The acceptor: contexts of the core, under a server that completes what it is told to complete.
#![forbid(unsafe_code)]

use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;
use std::sync::Arc;

use super::fault::Fault;
use super::message::Request;
use super::surroundings::{Authority, Surroundings};
use crate::context::acceptor::Acceptor as Role;
use crate::context::attributes::{ContextAttribute, SECPKG_ATTR_NAMES};
use crate::context::input::{AcceptInput, ResponseMessage};
use crate::context::requirements::AcceptRequirements;
use crate::context::sessions::Sessions;
use crate::context::{Context, Room};
use crate::package::core::http::HttpContext;
use crate::package::core::{CompletionMessage, Output};
use crate::status::SecurityStatus;

/// The one virtual host.
const IDENTITY: &str = "host";
/// More than any challenge here.
const CAPACITY: Option<usize> = Some(4096);

/// A context that the server holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub(super) context: Arc<HttpContext>,
    /// The request on which CompleteAuthToken is due.
    due: Option<Arc<Request>>,
    /// Whether SEC_E_OK followed SEC_I_COMPLETE_AND_CONTINUE here.
    pub(super) was_continued: bool,
    /// Whether a call ever refused the peer for good here.
    pub(super) was_rejected: bool,
    /// Whether the server takes whoever it talks to for authenticated, besides what the context says.
    is_taken_for_established: bool,
}

/// What a call came to.
pub(super) enum Answer {
    /// SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_AND_CONTINUE: a challenge for the peer.
    Challenge(Vec<u8>),
    /// The request is authenticated.
    Authenticated(Arc<Request>),
    /// Anything else.
    Nothing,
}

/// The acceptor's side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Acceptor {
    requirements: AcceptRequirements,
    /// In an order that does not tell which came first.
    contexts: Vec<Held>,
}

impl Acceptor {
    pub(super) fn new(requirements: AcceptRequirements) -> Self {
        Self { requirements, contexts: Vec::new() }
    }

    pub(super) fn contexts(&self) -> &[Held] {
        &self.contexts
    }

    /// Puts the contexts into an order of their own.
    pub(super) fn sort(&mut self) {
        self.contexts.sort_by_cached_key(|held| {
            let mut hasher = DefaultHasher::new();
            held.hash(&mut hasher);
            hasher.finish()
        });
    }

    /// AcceptSecurityContext for a first token, which is none.
    pub(super) fn ask(&mut self, initiator: usize, surroundings: &mut Surroundings) -> Answer {
        self.accept(None, Some(initiator), None, surroundings)
    }

    /// AcceptSecurityContext for a request, without a context handle. The context that it makes is the last one.
    pub(super) fn deliver(
        &mut self,
        request: &Arc<Request>,
        fault: Option<Fault>,
        surroundings: &mut Surroundings,
    ) -> Answer {
        self.accept(Some(request), None, fault, surroundings)
    }

    fn accept(
        &mut self,
        request: Option<&Arc<Request>>,
        initiator: Option<usize>,
        fault: Option<Fault>,
        surroundings: &mut Surroundings,
    ) -> Answer {
        let context = HttpContext::AcceptorNew(Context::new(Role::new(IDENTITY.into()), Room::Granted));
        let (token, method): (&[u8], &[u8]) =
            request.map_or((b"", b""), |request| (request.token.as_slice(), request.method.as_slice()));
        // The body is read after this call.
        let input = AcceptInput { token, method, capacity: CAPACITY, ..AcceptInput::default() };
        let (context, granted, output) = surroundings.with(initiator, Authority::Up, |world| {
            context.accept(Some(IDENTITY), Ok(input), self.requirements, world)
        });
        let Ok(granted) = granted else { return Answer::Nothing };
        let mut held = Held {
            context: Arc::new(context),
            due: None,
            was_continued: false,
            was_rejected: false,
            is_taken_for_established: false,
        };
        held.due = request.filter(|_| held.is_due()).cloned();
        self.contexts.push(held);
        match (output, request) {
            // AcceptSecurityContext knows no target but the token's: whether that is the request's is for its caller to see.
            (_, Some(request)) if granted.status == SecurityStatus::SEC_E_OK => {
                let is_asked_for = request.is_for_its_target() || fault == Some(Fault::TargetNotCompared);
                if is_asked_for { Answer::Authenticated(Arc::clone(request)) } else { Answer::Nothing }
            }
            (Output::Written(challenge), _) if !challenge.is_empty() => Answer::Challenge(challenge),
            _ => Answer::Nothing,
        }
    }

    /// CompleteAuthToken with the request that is due, or with an empty message where none is.
    pub(super) fn complete(
        &mut self,
        position: usize,
        fault: Option<Fault>,
        authority: Authority,
        surroundings: &mut Surroundings,
    ) -> (SecurityStatus, Answer) {
        let held = &mut self.contexts[position];
        let continues = held.continues();
        let before = (held.context.clone(), surroundings.sessions.clone());
        let request = held.due.clone();
        let context = HttpContext::clone(&held.context);
        let (context, completed, output) = surroundings.with(None, authority, |world| {
            let message = request.as_deref().map_or(CompletionMessage::NOTHING, of_request);
            // A challenge is written where it was announced; a fresh one for a failure would only be one more of many.
            let message = CompletionMessage { capacity: CAPACITY.filter(|_| continues), ..message };
            context.complete_auth_token(Ok(message), world)
        });
        held.context = Arc::new(context);
        held.was_rejected |= held.is_rejected();
        let status = completed.map_or_else(|failure| failure.status, |()| SecurityStatus::SEC_E_OK);
        let status = fault.map_or(status, |fault| fault.completes(held.is_due(), status));
        if !held.is_due() {
            held.due = None;
        }
        match (status, request) {
            (SecurityStatus::SEC_E_OK, Some(_)) if continues => {
                held.was_continued = true;
                held.is_taken_for_established = fault == Some(Fault::ContinueEstablishes);
                let Output::Written(challenge) = output else { return (status, Answer::Nothing) };
                (status, Answer::Challenge(challenge))
            }
            (SecurityStatus::SEC_E_OK, Some(request)) => {
                if fault == Some(Fault::CountsForgotten) {
                    surroundings.sessions = before.1;
                }
                (status, Answer::Authenticated(request))
            }
            _ => {
                match fault {
                    Some(Fault::RejectedComesBack) if held.is_rejected() => {
                        (held.context, surroundings.sessions) = before;
                    }
                    Some(Fault::FailureEndsSessions) if held.is_rejected() => {
                        surroundings.sessions = Arc::new(Sessions::default());
                    }
                    Some(_) | None => {}
                }
                (status, Answer::Nothing)
            }
        }
    }

    /// The server lost the request that is due, and completes with nothing.
    pub(super) fn lose_request(&mut self, position: usize) {
        self.contexts[position].due = None;
    }

    /// DeleteSecurityContext.
    pub(super) fn delete(&mut self, position: usize, fault: Option<Fault>, surroundings: &mut Surroundings) {
        let held = self.contexts.remove(position);
        if fault != Some(Fault::DeletionLeaks) {
            surroundings.with(None, Authority::Up, |world| HttpContext::clone(&held.context).delete(world));
        }
    }
}

impl Held {
    /// Whether CompleteAuthToken is due.
    pub(super) fn is_due(&self) -> bool {
        self.continues()
            || matches!(
                *self.context,
                HttpContext::AcceptorCompleteNeededInitial(_) | HttpContext::AcceptorCompleteNeededSubsequent(_)
            )
    }

    fn continues(&self) -> bool {
        matches!(
            *self.context,
            HttpContext::AcceptorCompleteAndContinueInitial(_) | HttpContext::AcceptorCompleteAndContinueSubsequent(_)
        )
    }

    pub(super) fn is_rejected(&self) -> bool {
        matches!(*self.context, HttpContext::AcceptorRejected(_))
    }

    /// The request on which CompleteAuthToken is due.
    pub(super) fn due(&self) -> Option<&Request> {
        self.due.as_deref()
    }

    /// Whether it is rejected, and no call on it but DeleteSecurityContext succeeds or changes it.
    pub(super) fn is_rejected_for_good(&self) -> bool {
        let mut surroundings = Surroundings::default();
        let untouched = |context: HttpContext, failed: bool| failed && context == *self.context;
        let (after, accepted, _) = surroundings.with(None, Authority::Up, |world| {
            let input = AcceptInput { capacity: CAPACITY, ..AcceptInput::default() };
            HttpContext::clone(&self.context).accept(Some(IDENTITY), Ok(input), AcceptRequirements::HTTP, world)
        });
        let accepts_nothing = untouched(after, accepted.is_err());
        let (after, completed, _) = surroundings.with(None, Authority::Up, |world| {
            HttpContext::clone(&self.context).complete_auth_token(Ok(CompletionMessage::NOTHING), world)
        });
        let completes_nothing = untouched(after, completed.is_err());
        let (after, verified, _) = surroundings.with(None, Authority::Up, |world| {
            HttpContext::clone(&self.context).verify_signature(Ok(ResponseMessage::default()), world)
        });
        let verifies_nothing = untouched(after, verified.is_err());
        self.is_rejected() && accepts_nothing && completes_nothing && verifies_nothing && !self.authenticates()
    }

    /// Whose name it has.
    pub(super) fn user(&self) -> Option<String> {
        match self.context.query_context_attributes(SECPKG_ATTR_NAMES) {
            Ok(ContextAttribute::Names { user_name }) => Some(user_name),
            Ok(_) | Err(_) => None,
        }
    }

    /// Whether it has the name of somebody.
    pub(super) fn authenticates(&self) -> bool {
        self.is_taken_for_established || self.user().is_some()
    }
}

fn of_request(request: &Request) -> CompletionMessage<'_> {
    let Request { method, target, entity, token } = request;
    CompletionMessage { token, method, target, entity, ..CompletionMessage::NOTHING }
}

impl CompletionMessage<'_> {
    /// Nothing is in it.
    pub(super) const NOTHING: Self = Self {
        token: b"",
        token_is_writable: false,
        method: b"",
        target: b"",
        entity: b"",
        bindings: b"",
        capacity: None,
    };
}
