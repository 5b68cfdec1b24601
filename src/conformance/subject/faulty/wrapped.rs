//! Faults that no table can say: a machine that is right, and something around it that is not.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::oracle::Oracle;
pub(super) use super::super::oracle::put as put_output;
use super::super::{Subject, SubjectError};
use crate::buffer::{BufferType, SecHandle};
use crate::digest::{A2, Algorithm, Protection, Qop, Response, ResponseDirectives, SessionKey, UserHash, hash, sasl};
use crate::spec::call::{AuthIdentity, Buffer};
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::shadow::reading;
use crate::spec::shadow::registers::{Context, Exchange, Session};
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
        | Call::EnumerateSecurityPackages {}
        | Call::QuerySecurityPackageInfo { .. }
        | Call::FreeContextBuffer { .. }
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

/// The response of SASL in a call's token.
pub(super) fn sasl_response(call: &Call) -> Option<sasl::Response<'_>> {
    let (_, token) = reading::token(reading::buffers(call.input()))?;
    sasl::Response::parse(token.bytes(), &crate::digest::Limits::default()).ok()
}

/// The session of SASL that has the nonce of a call's token, and the challenge it was made of.
pub(super) fn sasl_session<'o>(oracle: &'o Oracle, call: &Call) -> Option<(&'o Exchange, &'o Session)> {
    let response = sasl_response(call)?;
    let exchanges = &oracle.shadow().registers().exchanges;
    let named = exchanges.iter().find(|exchange| *exchange.nonce == *response.nonce)?;
    Some((named, named.session.as_ref()?))
}

/// The same call with other buffers where it reads.
pub(super) fn each_input(call: &Call, mut change: impl FnMut(&mut Buffer)) -> Call {
    let mut call = call.clone();
    let input = match &mut call {
        Call::AcceptSecurityContext { input, .. } | Call::InitializeSecurityContext { input, .. } => input.as_mut(),
        Call::CompleteAuthToken { token: message, .. } | Call::VerifySignature { message, .. } => message.as_mut(),
        Call::AcquireCredentialsHandle { .. }
        | Call::FreeCredentialsHandle { .. }
        | Call::EnumerateSecurityPackages {}
        | Call::QuerySecurityPackageInfo { .. }
        | Call::FreeContextBuffer { .. }
        | Call::MakeSignature { .. }
        | Call::EncryptMessage { .. }
        | Call::DecryptMessage { .. }
        | Call::QueryContextAttributes { .. }
        | Call::DeleteSecurityContext { .. } => None,
    };
    input.and_then(|input| input.buffers.as_mut()).into_iter().flatten().for_each(&mut change);
    call
}

/// The same call, with nothing in its buffers of these types.
pub(super) fn without_buffers(call: &Call, kinds: &[BufferType]) -> Call {
    each_input(call, |buffer| {
        if kinds.contains(&buffer.buffer_type.kind()) {
            *buffer = Buffer::null(buffer.buffer_type);
        }
    })
}

/// What the machine does on another call, told as if it were what the caller made.
pub(super) fn call_as(oracle: &mut Oracle, call: &Call, other: &Call) -> Result<Outcome, SubjectError> {
    let mut outcome = oracle.call(other)?;
    if outcome.input.is_some() {
        outcome.input = call.input().cloned();
        return Ok(outcome);
    }
    let (made, meant) = (reading::buffers(call.input()), reading::buffers(other.input()));
    for ((made, meant), told) in made.iter().zip(meant).zip(written(&mut outcome)) {
        if made != meant {
            told.clone_from(made);
        }
    }
    Ok(outcome)
}

/// Gives the response that was put out a cnonce like any other, and seals it again.
pub(super) fn reseal(outcome: &mut Outcome, identity: &AuthIdentity, method: &[u8], entity: &[u8]) {
    let limits = crate::digest::Limits::default();
    for buffer in written(outcome) {
        let token = buffer.bytes().to_vec();
        let Ok(directives) = ResponseDirectives::parse(&token, &limits) else { continue };
        let Some(sealed) = resealed(&directives, identity, method, entity) else { continue };
        let Some(data) = buffer.data.as_mut() else { continue };
        for (old, new) in sealed {
            if let Some(at) = find(data, &old) {
                data[at..at + old.len()].copy_from_slice(&new);
            }
        }
    }
}

/// The old and new octets of cnonce and response.
fn resealed(
    directives: &ResponseDirectives<'_>,
    identity: &AuthIdentity,
    method: &[u8],
    entity: &[u8],
) -> Option<[(Vec<u8>, Vec<u8>); 2]> {
    directives.hashed_dirs.as_ref()?;
    let (old, before) = (directives.cnonce.as_deref()?, directives.response?);
    let cnonce: Vec<u8> = old.iter().rev().map(|octet| if octet.is_ascii_hexdigit() { *octet } else { b'0' }).collect();
    let (realm, nonce) = (directives.realm.as_deref()?, directives.nonce.as_deref()?);
    let user = UserHash::new(&identity.wire_name(), realm, &identity.password);
    let key = SessionKey::new(directives.algorithm.unwrap_or(Algorithm::Md5), &user, nonce, &cnonce);
    let (qop, text) = directives.qop.as_ref()?;
    let (uri, nc) = (directives.uri.as_deref()?, directives.nc?);
    let entity = hash::unhex32(entity);
    let a2 = match qop {
        Qop::Auth => A2::Auth { method, uri },
        Qop::AuthInt => A2::AuthInt { method, uri, entity: entity.as_ref()? },
    };
    let digest = key.response(nonce, &Protection { qop: text, nc: &nc, cnonce: &cnonce }, &a2);
    Some([(old.to_vec(), cnonce), (hash::hex(&before).to_vec(), hash::hex(&digest).to_vec())])
}

/// Where a text begins.
pub(super) fn find(data: &[u8], text: &[u8]) -> Option<usize> {
    data.windows(text.len().max(1)).position(|window| window == text)
}
