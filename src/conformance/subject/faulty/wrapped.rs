//! Faults that no table can say: a machine that is right, and something around it that is not.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::oracle::Oracle;
use super::super::{Subject, SubjectError};
use crate::buffer::SecHandle;
use crate::digest::Response;
use crate::spec::call::Buffer;
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::shadow::reading;
use crate::spec::shadow::registers::Context;
use crate::spec::vocabulary::Fact;
use crate::spec::{Call, Outcome};

/// What stands between the caller and the machine.
type Between<M> = fn(&mut Oracle, &mut M, &Call) -> Result<Outcome, SubjectError>;

struct Wrapped<M> {
    oracle: Oracle,
    memory: M,
    configure: fn(&mut Setup),
    between: Between<M>,
}

/// A machine whose calls are meddled with, with a memory of its own that starts over with each sequence.
pub(super) fn wrapped<M: Default + 'static>(oracle: Oracle, between: Between<M>) -> Box<dyn Subject> {
    Box::new(Wrapped { oracle, memory: M::default(), configure: |_| {}, between })
}

/// A machine that is configured otherwise than it was told.
pub(super) fn configured(oracle: Oracle, configure: fn(&mut Setup)) -> Box<dyn Subject> {
    Box::new(Wrapped { oracle, memory: (), configure, between: |oracle, (), call| oracle.call(call) })
}

impl<M: Default> Subject for Wrapped<M> {
    fn name(&self) -> String {
        self.oracle.name()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.oracle.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.memory = M::default();
        let mut setup = setup.clone();
        (self.configure)(&mut setup);
        self.oracle.start(&setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        (self.between)(&mut self.oracle, &mut self.memory, call)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.oracle.advance(milliseconds)
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.oracle.inject(fault)
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.oracle.take_accounts_down(down)
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.oracle.spend_counts(context)
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.oracle.spend_sequences(context)
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        self.oracle.foreign_handle()
    }
}

// --- What meddlers ask

/// The response in a call's token.
pub(super) fn response(call: &Call) -> Option<Response<'_>> {
    let (_, token) = reading::token(reading::buffers(call.input()))?;
    Response::parse(token.bytes(), &crate::digest::Limits::default()).ok()
}

/// The live context of a call.
pub(super) fn context<'o>(oracle: &'o Oracle, call: &Call) -> Option<&'o Context> {
    oracle.shadow().registers().contexts.get(&call.context()?)
}

/// Whether a completion is due on a context.
pub(super) fn is_pending(context: &Context) -> bool {
    Fact::State.values()[context.state as usize].starts_with("complete-")
}

/// The nonce of the session that the context of a call refers to.
pub(super) fn session_nonce(oracle: &Oracle, call: &Call) -> Option<Vec<u8>> {
    let exchange = &oracle.shadow().registers().exchanges[context(oracle, call)?.holds?];
    exchange.session.as_ref().map(|_| exchange.nonce.clone())
}

/// The same call with its nonce spoilt, so that its token names nothing.
pub(super) fn with_spoilt_nonce(call: &Call, nonce: &[u8]) -> Call {
    let mut call = call.clone();
    let input = match &mut call {
        Call::AcceptSecurityContext { input, .. } => input.as_mut(),
        Call::InitializeSecurityContext { .. }
        | Call::AcquireCredentialsHandle { .. }
        | Call::FreeCredentialsHandle { .. }
        | Call::CompleteAuthToken { .. }
        | Call::MakeSignature { .. }
        | Call::VerifySignature { .. }
        | Call::EncryptMessage { .. }
        | Call::DecryptMessage { .. }
        | Call::QueryContextAttributes { .. }
        | Call::DeleteSecurityContext { .. } => None,
    };
    let buffers = input.and_then(|input| input.buffers.as_mut()).into_iter().flatten();
    for data in buffers.filter_map(|buffer| buffer.data.as_mut()) {
        if let Some(at) = find(data, nonce) {
            data[at] = b'X';
        }
    }
    call
}

/// The same completion on another context.
pub(super) fn on_another(call: &Call, other: SecHandle) -> Call {
    let mut call = call.clone();
    if let Call::CompleteAuthToken { context, .. } = &mut call {
        *context = Some(other);
    }
    call
}

/// The buffers of an outcome that the function may have written.
pub(super) fn written(outcome: &mut Outcome) -> &mut [Buffer] {
    outcome.output.as_mut().and_then(|output| output.buffers.as_deref_mut()).unwrap_or_default()
}

/// Where a text begins.
pub(super) fn find(data: &[u8], text: &[u8]) -> Option<usize> {
    data.windows(text.len().max(1)).position(|window| window == text)
}
