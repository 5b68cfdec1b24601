//! What a call does to the registers.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use crate::buffer::SecHandle;
use crate::spec::call::{Call, Outcome};
use crate::spec::model::{Allowed, Next};
use crate::spec::names::{Effect, HandleOutcome};
use crate::spec::vocabulary::Role;

use super::bindings::service_name;
use super::facts::extended;
use super::layers::Layers;
use super::outcome::Learned;
use super::registers::{Answer, Context, Credentials, Opaque, Registers, Session, Terms};
use super::view::View;

impl Registers {
    /// Goes on in the state that follows from an allowed outcome.
    pub(super) fn apply(&mut self, allowed: &Allowed, view: &View<'_>, outcome: &Outcome, learned: Learned) {
        self.expiry = self.expiry.or(outcome.expiry);
        let handle = match allowed.handle {
            HandleOutcome::New => outcome.handle,
            HandleOutcome::Same | HandleOutcome::None => view.handle,
        };
        // What the token names, and the key it is right under, are judged by the registers before the call.
        let exchange = self.exchange_of(view).or(match view.named {
            super::registers::Named::Live(exchange) | super::registers::Named::Ended(exchange) => Some(exchange),
            super::registers::Named::Two | super::registers::Named::Nothing => None,
        });
        let session = exchange.and_then(|exchange| self.new_session(exchange, view));
        if let (HandleOutcome::New, Some(handle)) = (allowed.handle, handle) {
            self.new_context(handle, view.call);
        }
        let (mut challenge, response) = match learned {
            Learned::Nothing => (None, None),
            Learned::Challenge(exchange) => (Some(exchange), None),
            Learned::Response(answer) => (None, Some(answer)),
        };
        let mut issued = None;
        for effect in &allowed.effects {
            match effect {
                Effect::RegisterCredentials => self.register_credentials(view.call, outcome.handle),
                Effect::FreeCredentials => {
                    if let Some(credential) = view.call.credential() {
                        self.credentials.remove(&credential);
                        self.freed.insert(credential);
                    }
                }
                Effect::RegisterBlock => {
                    if let Some(block) = outcome.handle {
                        // An address can come again.
                        self.freed_blocks.remove(&block);
                        self.blocks.insert(block);
                    }
                }
                Effect::FreeBlock => {
                    if let Some(block) = view.call.block() {
                        self.blocks.remove(&block);
                        self.freed_blocks.insert(block);
                    }
                }
                Effect::RegisterChallenge => issued = challenge.take().map(|exchange| self.register(*exchange)),
                Effect::HoldIssuedChallenge => {
                    if let (Some(handle), Some(issued)) = (handle, issued) {
                        self.wait_for_answer(handle, issued);
                    }
                }
                Effect::HoldNamed => {
                    if let (Some(handle), Some(exchange)) = (handle, exchange) {
                        self.hold(handle, exchange);
                    }
                    let requires = self.requires_bindings(view);
                    if let Some(context) = handle.and_then(|handle| self.contexts.get_mut(&handle)) {
                        context.requires_bindings = requires;
                    }
                }
                Effect::PendIssuedChallenge => {
                    if let Some(context) = handle.and_then(|handle| self.contexts.get_mut(&handle)) {
                        context.pending = issued;
                    }
                }
                Effect::OpenSession => {
                    if let (Some(exchange), Some(session)) = (exchange, &session) {
                        self.exchanges[exchange].session = Some(session.clone());
                        self.exchanges[exchange].listed = true;
                    }
                }
                Effect::TakeCount => {
                    let session = exchange.and_then(|exchange| self.exchanges[exchange].session.as_mut());
                    if let (Some(session), Some(nc)) = (session, view.nc()) {
                        session.used.insert(nc);
                        session.last = session.last.max(nc);
                    }
                }
                Effect::CountFailure => {
                    let unanswered = exchange
                        .map(|exchange| &mut self.exchanges[exchange])
                        .filter(|exchange| exchange.session.is_none());
                    if let Some(exchange) = unanswered {
                        exchange.failures += 1;
                        exchange.listed &= exchange.failures < self.setup.limits.failures;
                    }
                }
                Effect::Release => {
                    if let Some(handle) = handle {
                        self.release(handle);
                    }
                }
                Effect::HoldPendingChallenge => {
                    let context = handle.and_then(|handle| self.contexts.get_mut(&handle));
                    let pending = context.and_then(|context| context.pending.take());
                    if let (Some(handle), Some(pending)) = (handle, pending) {
                        self.wait_for_answer(handle, pending);
                    }
                }
                Effect::Delete => {
                    if let Some(handle) = handle {
                        self.contexts.remove(&handle);
                        self.deleted.insert(handle);
                    }
                }
                // What was put out is remembered below: a completion in place has no effect of its own.
                Effect::AnswerChallenge | Effect::NextCount => {}
                Effect::BeginLayers => {
                    let layers = self.layers_of(view, exchange);
                    if let Some(context) = handle.and_then(|handle| self.contexts.get_mut(&handle)) {
                        context.layers = layers;
                    }
                }
                Effect::SignNext => self.send(view),
                Effect::ReceiveNext | Effect::KillReceiving => self.receive(view),
            }
        }
        self.remember_answer(handle, response);
        self.remember_opaque(allowed, view, outcome, handle);
        if let (Next::State(state), Some(context)) =
            (allowed.next, handle.and_then(|handle| self.contexts.get_mut(&handle)))
        {
            context.state = state;
        }
    }

    fn remember_answer(&mut self, handle: Option<SecHandle>, response: Option<Box<Answer>>) {
        let context = handle.and_then(|handle| self.contexts.get_mut(&handle));
        if let (Some(context), Some(answer)) = (context, response) {
            context.answer = Some(*answer);
        }
    }

    /// The layers of a context that is established by this call, if any were negotiated.
    fn layers_of(&self, view: &View<'_>, exchange: Option<usize>) -> Option<Layers> {
        if let Some(response) = view.sasl_response() {
            let session = self.exchanges[exchange?].session.as_ref()?;
            return Some(Layers::begin(Role::Acceptor, &session.key, response.layer()?, response.maxbuf));
        }
        match self.contexts.get(&view.handle?)?.answer.as_ref()? {
            Answer::Sasl(answer) => {
                let layer = answer.fields().layer()?;
                Some(Layers::begin(Role::Initiator, &answer.key, layer, answer.peer_maxbuf))
            }
            Answer::Http(_) => None,
        }
    }

    fn new_session(&self, exchange: usize, view: &View<'_>) -> Option<Session> {
        if self.exchanges[exchange].session.is_some() {
            return None;
        }
        let key = self.key_that_matches(view)?.clone();
        let session = |username: &str, charset, nc, terms| Session {
            username: username.to_owned(),
            charset,
            terms,
            key,
            last: nc,
            used: BTreeSet::from([nc]),
        };
        if let Some(response) = view.sasl_response() {
            let authzid = response.authzid.as_deref().map(str::to_owned);
            let terms = Terms::Sasl { cnonce: response.cnonce.to_vec(), authzid };
            return Some(session(&response.username, response.charset, response.nc, terms));
        }
        let response = view.response()?;
        let terms = Terms::Http {
            extended: extended(response).map(|value| value.map(std::borrow::Cow::into_owned)),
            service_name: service_name(response),
        };
        Some(session(&response.username, response.charset, response.nc, terms))
    }

    fn new_context(&mut self, handle: SecHandle, call: &Call) {
        let role = match call {
            Call::InitializeSecurityContext { .. } => Role::Initiator,
            Call::AcceptSecurityContext { .. }
            | Call::AcquireCredentialsHandle { .. }
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
            | Call::DeleteSecurityContext { .. } => Role::Acceptor,
        };
        let Some(credential) = call.credential() else {
            // Credentials themselves are registered by their own effect.
            return;
        };
        let principal =
            self.credentials.get(&credential).map(|credentials| credentials.principal.clone()).unwrap_or_default();
        self.deleted.remove(&handle);
        let ordinal = self.contexts_made;
        self.contexts_made += 1;
        self.contexts.insert(
            handle,
            Context {
                profile: self.profile_without_context(call),
                role,
                state: 0,
                ordinal,
                credential,
                principal,
                put_out: None,
                holds: None,
                pending: None,
                requires_bindings: false,
                answer: None,
                layers: None,
                opaque: Opaque::default(),
            },
        );
    }

    fn register_credentials(&mut self, call: &Call, handle: Option<SecHandle>) {
        let Call::AcquireCredentialsHandle { principal, credential_use, identity, .. } = call else { return };
        let Some(handle) = handle else { return };
        self.freed.remove(&handle);
        let ordinal = self.credentials.len() + self.freed.len();
        self.credentials.insert(
            handle,
            Credentials {
                principal: principal.clone().unwrap_or_default(),
                inbound: credential_use & 1 != 0,
                outbound: identity.clone().filter(|_| credential_use & 2 != 0),
                ordinal,
            },
        );
    }
}
