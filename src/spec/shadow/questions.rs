//! What a subject that answers from the tables asks of the shadow to write real bytes.
#![forbid(unsafe_code)]

use crate::digest::{Challenge, Qop, Response, SessionKey};
use crate::spec::call::{AuthIdentity, Call};

use super::facts::{ASC_INTEGRITY, ISC_INTEGRITY, output_is_enough};
use super::outcome::{ASC_RET_INTEGRITY, ISC_RET_INTEGRITY};
use super::{Shadow, reading};

impl Shadow {
    /// Realm and quality of protection of a challenge that this call puts out.
    pub fn challenge_parameters(&self, call: &Call) -> Option<(String, Qop)> {
        let view = self.registers.view(call);
        if let Call::AcceptSecurityContext { requirements, .. } = call {
            let qop = if requirements & ASC_INTEGRITY == 0 { Qop::Auth } else { Qop::AuthInt };
            return Some((view.realm.unwrap_or_else(|| self.registers.setup.realm.clone()), qop));
        }
        let exchange = &self.registers.exchanges[self.registers.exchange_of(&view)?];
        Some((exchange.realm.clone(), exchange.qop))
    }

    /// The response that this call judges, with the key it is right under.
    pub fn right_response<'c>(&self, call: &'c Call) -> Option<(SessionKey, Response<'c>)> {
        let view = self.registers.view(call);
        Some((self.registers.key_that_matches(&view)?, view.response()?.clone()))
    }

    /// The challenge that this call answers, and for whom.
    pub fn challenge_and_identity(&self, call: &Call) -> Option<(Challenge, AuthIdentity)> {
        let view = self.registers.view(call);
        let identity = self.registers.outbound(&view)?.outbound.clone()?;
        Some((view.challenge()?.clone(), identity))
    }

    /// pfContextAttr of a call that makes or continues a context, as far as it tells of integrity.
    pub fn negotiated_flags(&self, call: &Call) -> Option<u32> {
        let view = self.registers.view(call);
        let has_integrity = |qop: Option<Qop>| qop == Some(Qop::AuthInt);
        match call {
            Call::AcceptSecurityContext { .. } => {
                let integrity = has_integrity(view.response().map(|response| response.qop));
                Some(if integrity { ASC_RET_INTEGRITY } else { 0 })
            }
            Call::InitializeSecurityContext { requirements, .. } => {
                let context = view.handle.and_then(|handle| self.registers.contexts.get(&handle));
                let known = context.and_then(|context| context.answer.as_ref()).and_then(|answer| answer.qop);
                let answers =
                    view.challenge().map(|challenge| challenge.qop.is_some() && requirements & ISC_INTEGRITY != 0);
                let integrity = answers.unwrap_or(has_integrity(known));
                Some(if integrity { ISC_RET_INTEGRITY } else { 0 })
            }
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => None,
        }
    }

    /// The user of an established context.
    pub fn username(&self, call: &Call) -> Option<String> {
        let context = self.registers.contexts.get(&call.context()?)?;
        let session = context.holds.and_then(|exchange| self.registers.exchanges[exchange].session.as_ref());
        let answer = context.answer.as_ref().map(|answer| &answer.username);
        session.map(|session| &session.username).or(answer).cloned()
    }

    /// The n-th PKG_PARAMS buffer of a call.
    pub fn parameter<'c>(&self, call: &'c Call, position: usize) -> &'c [u8] {
        reading::parameter(reading::buffers(call.input()), position)
    }

    /// Whether an output of enough capacity was given.
    pub fn output_is_enough(&self, call: &Call) -> bool {
        output_is_enough(&self.registers.view(call))
    }

    /// Where the output goes.
    pub fn output_position(&self, call: &Call) -> Option<usize> {
        self.registers.view(call).output
    }

    /// Where the token stands.
    pub fn token_position(&self, call: &Call) -> Option<usize> {
        reading::token(reading::buffers(call.input())).map(|(position, _)| position)
    }
}
