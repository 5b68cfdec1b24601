//! The acceptor's side of SASL: what its client sends.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SecHandle};
use crate::digest::sasl::Qop;
use crate::spec::call::{Buffer, Call, Descriptor};
use crate::spec::names::Profile;
use crate::spec::setup::EnvironmentFault;
use crate::spec::shadow::registers::{Context, Exchange, Registers, Terms};
use crate::spec::vocabulary as fact;

use super::super::count::Counts;
use super::super::{Concretiser, PROXY_BINDINGS, buffers};
use super::draft::{Draft, Known, KnownSession, Origin};

/// ASC_REQ_CONFIDENTIALITY.
const CONFIDENTIALITY: u32 = 0x10;
/// ASC_REQ_INTEGRITY, ASC_REQ_REPLAY_DETECT, ASC_REQ_SEQUENCE_DETECT.
const INTEGRITY: [u32; 3] = [0x2_0000, 0x4, 0x8];

/// What a client knows of an exchange of SASL.
fn known<'r>(exchange: &'r Exchange) -> Option<Known<'r>> {
    let session = exchange.session.as_ref().and_then(|session| match &session.terms {
        Terms::Http { .. } => None,
        Terms::Sasl { cnonce, authzid } => Some(KnownSession {
            username: &session.username,
            cnonce,
            authzid: authzid.as_deref(),
            charset: session.charset,
            counts: Counts { last: session.last, used: &session.used },
            key: &session.key,
        }),
    });
    Some(Known { nonce: &exchange.nonce, realm: &exchange.realm, qop: exchange.offer.sasl_qop()?, session })
}

fn named<'r>(exchange: Option<&'r Exchange>) -> Origin<'r> {
    Origin { known: exchange.and_then(known), named: true }
}

impl<'a> Concretiser<'a> {
    /// What the nonce of a response is of, and whether the rest of it names that as well.
    fn sasl_origin(&mut self, principal: &str, own: Option<usize>) -> Origin<'a> {
        let registers: &'a Registers = self.registers;
        let of_sasl = |exchange: &Exchange| exchange.offer.profile() == Profile::DigestSasl;
        let ours = |exchange: &Exchange| of_sasl(exchange) && exchange.principal == principal;
        let all = || registers.exchanges.iter().enumerate().rev().filter(|(_, exchange)| ours(exchange));
        let fresh = |index: usize| registers.fault == EnvironmentFault::Clock || !registers.is_expired(index);
        let protected = |exchange: &Exchange| exchange.offer.sasl_qop() == Some(Qop::AuthConf);
        // What a token names by all its values; a challenge answered wrongly too often is forgotten.
        let can_be_found = |(index, exchange): &(usize, &Exchange)| match exchange.session {
            Some(_) => fresh(*index) && !protected(exchange),
            None => exchange.listed,
        };
        let live = || all().filter(|(_, exchange)| exchange.is_live()).filter(can_be_found);
        let first = |mut exchanges: Box<dyn Iterator<Item = (usize, &'a Exchange)> + '_>| {
            exchanges.next().map(|(_, exchange)| exchange)
        };
        let own_exchange = own.map(|own| &registers.exchanges[own]);
        match () {
            // A context that holds nothing any more is asked with what it may have held.
            () if self.wishes(fact::Names::This) => named(own_exchange.or_else(|| first(Box::new(live())))),
            () if self.wishes(fact::Names::Other) => {
                named(first(Box::new(live().filter(|(index, _)| Some(*index) != own))))
            }
            () if self.wishes(fact::Names::Challenge) => {
                let own_open = own_exchange.filter(|exchange| exchange.is_live() && exchange.session.is_none());
                let open = live().filter(|(_, exchange)| exchange.session.is_none());
                named(own_open.or_else(|| first(Box::new(open))))
            }
            () if self.wishes(fact::Names::Session) => {
                // An established context's own session is `this` to it.
                let is_own = |index: usize| self.wishes(fact::State::Established) && Some(index) == own;
                let sessions = live().filter(|(index, exchange)| exchange.session.is_some() && !is_own(*index));
                named(first(Box::new(sessions)))
            }
            () if self.wishes(fact::Names::Ended) => {
                let ended = all().filter(|(_, exchange)| exchange.session.is_some() && !exchange.is_live());
                named(first(Box::new(ended.filter(can_be_found))))
            }
            () if self.wishes(fact::Names::Nothing) => {
                let session = |(_, exchange): &(usize, &Exchange)| exchange.session.is_some();
                let not_found = all().filter(|found| !can_be_found(found));
                let elsewhere = registers.exchanges.iter().rev().find(|exchange| of_sasl(exchange) && !ours(exchange));
                match self.rng.u8(..8) {
                    0 => named(elsewhere),
                    1..5 => named(first(Box::new(not_found))),
                    5..7 => {
                        let known = first(Box::new(all().filter(session))).and_then(known);
                        Origin { known, named: known.is_none() }
                    }
                    _other => named(None),
                }
            }
            () => match self.action.which {
                Some(back) => named(live().nth(usize::from(back)).map(|(_, exchange)| exchange)),
                None => named(own_exchange.or_else(|| first(Box::new(live())))),
            },
        }
    }

    /// Flags that ask for a quality of protection.
    fn asking(&mut self, qop: Qop) -> u32 {
        let integrity = INTEGRITY[self.rng.usize(..3)];
        match qop {
            Qop::Auth => 0,
            Qop::AuthInt => integrity,
            Qop::AuthConf => CONFIDENTIALITY | if self.rng.bool() { integrity } else { 0 },
        }
    }

    /// The quality of protection that the flags of the call ask for.
    fn asked(&mut self, origin: Origin<'_>) -> Qop {
        let negotiated = origin.known.map(|known| known.qop);
        let without_cipher = self.registers.setup.ciphers.is_empty();
        match (negotiated, &self.action.wishes) {
            (Some(Qop::Auth), wishes) if wishes.is(fact::Asked::More) && !without_cipher && self.rng.bool() => {
                Qop::AuthConf
            }
            (Some(Qop::Auth), wishes) if wishes.is(fact::Asked::More) => Qop::AuthInt,
            (Some(Qop::AuthInt), wishes) if wishes.is(fact::Asked::More) => Qop::AuthConf,
            (Some(negotiated), wishes) if wishes.is(fact::Asked::Within) && self.rng.bool() => negotiated,
            // Without a token the wish for a quality of protection is a wish for the challenge's.
            (_, wishes) if wishes.is(fact::Qop::AuthConf) => Qop::AuthConf,
            (_, wishes) if wishes.is(fact::Qop::AuthInt) => Qop::AuthInt,
            (_, _) => Qop::Auth,
        }
    }

    pub(in super::super) fn accept_sasl(&mut self, context: Option<SecHandle>) -> Call {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let credential = self.credential(known, |credentials| credentials.inbound, |_| true);
        let principal = known.map(|context| context.principal.clone()).or_else(|| {
            credential
                .and_then(|credential| self.registers.credentials.get(&credential))
                .map(|credentials| credentials.principal.clone())
        });
        let origin = self.sasl_origin(&principal.unwrap_or_default(), known.and_then(Context::exchange));
        let draft = Draft::make(self.registers, origin, self.action, true, &mut self.rng);
        let flaw = self.flaw();
        let token = draft.write(flaw, self.token_bytes(), &mut self.rng);
        let any_token_wish = self.action.wishes.get(fact::Fact::Token).is_some();
        let nothing_to_answer =
            origin.known.is_none() && self.action.wishes.get(fact::Fact::Names).is_none() && !any_token_wish;
        let token = if nothing_to_answer { None } else { self.token_buffer(token) };
        // Nothing else is read, and a realm least of all.
        let ignored =
            if self.rng.u8(..4) == 0 { vec![b"AUTHENTICATE".to_vec(), Vec::new(), b"x".to_vec()] } else { vec![] };
        let input = buffers::message(token, ignored, &mut self.rng);
        let output = self.output(&[BufferType::TOKEN]);
        let qop = self.asked(origin);
        let mut requirements = self.http_flag(Profile::DigestSasl, context) | self.asking(qop);
        if self.wishes(fact::Flags::Unsupported) {
            let may_ask = !self.wishes(fact::Asked::Within);
            let without_cipher = may_ask && self.registers.setup.ciphers.is_empty() && self.rng.bool();
            requirements |= if without_cipher { CONFIDENTIALITY } else { PROXY_BINDINGS };
        }
        if self.rng.u8(..4) == 0 {
            requirements |= 0x800 | 0x8000;
        }
        Call::AcceptSecurityContext {
            credential,
            context,
            requirements,
            input: self.descriptor(input),
            output: buffers::output_descriptor(output, self.action),
        }
    }

    pub(in super::super) fn complete_sasl(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let live = context.and_then(|context| self.registers.contexts.get(&context));
        let principal = live.map(|context| context.principal.clone()).unwrap_or_default();
        let own = live.and_then(Context::exchange);
        let mut origin = self.sasl_origin(&principal, own);
        if self.wishes(fact::Names::Nothing) {
            origin = Origin { known: None, named: true };
        } else if self.wishes(fact::Names::Other) && self.rng.bool() {
            // The nonce of the handle's session, for somebody else.
            let session = own.and_then(|own| known(&self.registers.exchanges[own]));
            origin = Origin { known: session, named: session.is_none() };
        }
        let draft = Draft::make(self.registers, origin, self.action, false, &mut self.rng);
        let flaw = self.flaw();
        let token = draft.write(flaw, self.token_bytes(), &mut self.rng);
        let token = self.token_buffer(token);
        // Where there is no token, an output of that type would be taken for one.
        let outputs: &[BufferType] =
            if token.is_some() { &[BufferType::TOKEN, BufferType::PADDING] } else { &[BufferType::PADDING] };
        let mut message: Vec<Buffer> = buffers::message(token, Vec::new(), &mut self.rng);
        let small_or_large = self.output(outputs);
        message.extend(small_or_large.buffer());
        self.descriptor(message)
    }
}
