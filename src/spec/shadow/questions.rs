//! What a subject that answers from the tables asks of the shadow to write real bytes.
#![forbid(unsafe_code)]

use crate::digest::sasl::{self, Cipher, Ciphers, MaxBuf};
use crate::digest::{Challenge, Charset, Qop, Response, SessionKey, UserHash};
use crate::spec::call::{Attribute, AuthIdentity, Call};

use super::attributes::ISC_RET_INTEGRITY;
use super::bindings::answers_with;
use super::facts::{ASC_INTEGRITY, ISC_INTEGRITY};
use super::registers::{Extended, SaslAnswer};
use super::sasl::{ciphers, maxbuf};
use super::{Shadow, reading};

/// A challenge of SASL that a call puts out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaslOffer {
    /// The realm.
    pub realm: String,
    /// The quality of protection.
    pub qop: sasl::Qop,
    /// The ciphers, for auth-conf.
    pub ciphers: Ciphers,
    /// The longest wrapped message that is received.
    pub maxbuf: MaxBuf,
}

/// What a response of SASL must say, but for its cnonce.
#[derive(Clone, Debug)]
pub struct SaslPlan {
    /// The user name.
    pub username: String,
    /// The realm, where one is written.
    pub realm: Option<String>,
    /// The nonce of the challenge.
    pub nonce: Vec<u8>,
    /// The charset of the challenge.
    pub charset: Charset,
    /// The quality of protection.
    pub qop: sasl::Qop,
    /// The cipher, for auth-conf.
    pub cipher: Option<Cipher>,
    /// maxbuf, where it is written.
    pub maxbuf: Option<MaxBuf>,
    /// The digest-uri.
    pub digest_uri: Vec<u8>,
    /// H(username:realm:password).
    pub user: UserHash,
}

impl Shadow {
    /// Realm and quality of protection of a challenge that this call puts out.
    pub fn challenge_parameters(&self, call: &Call) -> Option<(String, Qop)> {
        let view = self.registers.view(call);
        if let Call::AcceptSecurityContext { requirements, .. } = call {
            let qop = if requirements & ASC_INTEGRITY == 0 { Qop::Auth } else { Qop::AuthInt };
            return Some((view.realm.unwrap_or_else(|| self.registers.setup.realm.clone()), qop));
        }
        let exchange = &self.registers.exchanges[self.registers.exchange_of(&view)?];
        Some((exchange.realm.clone(), exchange.offer.http_qop()?))
    }

    /// Whether the nonce of a challenge on HTTP that this call puts out begins with +Upgraded+v1.
    pub fn announces_upgrade(&self, call: &Call) -> bool {
        self.registers.announces_upgrade(&self.registers.view(call))
    }

    /// The extended protection that the response to the challenge of this call carries, or that of the response before.
    pub fn extended_protection(&self, call: &Call) -> Option<Extended> {
        let view = self.registers.view(call);
        let before = || self.registers.contexts.get(&view.handle?)?.http_answer()?.extended.clone();
        if view.challenge().is_some() { answers_with(&view) } else { before() }
    }

    /// What a challenge of SASL that this call puts out says.
    pub fn sasl_offer(&self, call: &Call) -> Option<SaslOffer> {
        let view = self.registers.view(call);
        let (setup, qop) = (&self.registers.setup, self.registers.offered_by(&view)?);
        let ciphers = match qop {
            sasl::Qop::Auth | sasl::Qop::AuthInt => Ciphers::EMPTY,
            sasl::Qop::AuthConf => ciphers(setup),
        };
        Some(SaslOffer { realm: setup.realm.clone(), qop, ciphers, maxbuf: maxbuf(setup) })
    }

    /// What the response to the challenge of this call says.
    pub fn sasl_plan(&self, call: &Call) -> Option<SaslPlan> {
        let plan = self.registers.plan(&self.registers.view(call))?;
        Some(SaslPlan {
            username: plan.username,
            realm: plan.realm,
            nonce: plan.nonce,
            charset: plan.charset,
            qop: plan.qop,
            cipher: plan.cipher,
            maxbuf: plan.maxbuf,
            digest_uri: plan.digest_uri,
            user: plan.user,
        })
    }

    /// The answer of a fast reauthentication.
    pub fn sasl_answer_again(&self, call: &Call) -> Option<SaslAnswer> {
        self.registers.answer_again(&self.registers.view(call))
    }

    /// The server's proof for the response of this call.
    pub fn rspauth(&self, call: &Call) -> Option<[u8; 16]> {
        self.registers.expected_rspauth(&self.registers.view(call))
    }

    /// The signature of the message of this call.
    pub fn signature(&self, call: &Call) -> Option<[u8; 16]> {
        self.registers.expected_signature(&self.registers.view(call))
    }

    /// What is in the buffer of the message after it was encrypted, and what is in that for the rest.
    pub fn wrapped(&self, call: &Call) -> Option<(Vec<u8>, Vec<u8>)> {
        self.registers.expected_wrapped(&self.registers.view(call))
    }

    /// The plaintext of the message of this call, and pfQOP.
    pub fn plaintext(&self, call: &Call) -> Option<(Vec<u8>, u32)> {
        self.registers.expected_plaintext(&self.registers.view(call))
    }

    /// Where the message to protect stands, or the one protected.
    pub fn message_position(&self, call: &Call) -> Option<usize> {
        self.registers.view(call).message
    }

    /// The attribute that must be reported, as far as it is judged.
    pub fn attribute(&self, call: &Call) -> Option<Attribute> {
        self.registers.expected_attribute(&self.registers.view(call))
    }

    /// The response on HTTP that this call judges, with the key it is right under.
    pub fn right_response<'c>(&self, call: &'c Call) -> Option<(SessionKey, Response<'c>)> {
        let view = self.registers.view(call);
        Some((self.registers.key_that_matches(&view)?.clone(), view.response()?.clone()))
    }

    /// The challenge that this call answers, and for whom.
    pub fn challenge_and_identity(&self, call: &Call) -> Option<(Challenge, AuthIdentity)> {
        let view = self.registers.view(call);
        let identity = self.registers.outbound(&view)?.outbound.clone()?;
        Some((view.challenge()?.clone(), identity))
    }

    /// pfContextAttr of a call that ends an exchange, as far as it tells of protection.
    pub fn negotiated_flags(&self, call: &Call) -> Option<u32> {
        let view = self.registers.view(call);
        // The answer to a challenge of HTTP is not in the registers yet.
        if let (Call::InitializeSecurityContext { requirements, .. }, Some(challenge)) = (call, view.challenge()) {
            let integrity = challenge.qop.is_some() && requirements & ISC_INTEGRITY != 0;
            return Some(if integrity { ISC_RET_INTEGRITY } else { 0 });
        }
        self.registers.granted_flags(&view, None).map(|(_, granted)| granted)
    }

    /// The user of an established context.
    pub fn username(&self, call: &Call) -> Option<String> {
        self.registers.username_of(self.registers.contexts.get(&call.context()?)?)
    }

    /// The n-th PKG_PARAMS buffer of a call.
    pub fn parameter<'c>(&self, call: &'c Call, position: usize) -> &'c [u8] {
        reading::parameter(reading::buffers(call.input()), position)
    }

    /// Whether an output of enough capacity was given.
    pub fn output_is_enough(&self, call: &Call) -> bool {
        self.registers.output_is_enough(&self.registers.view(call))
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
