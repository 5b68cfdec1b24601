//! The acceptor's side of HTTP: what its client sends with a token.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SecHandle};
use crate::spec::call::{Buffer, Call, Descriptor};
use crate::spec::names::{CallName, Profile};
use crate::spec::shadow::registers::{Context, Exchange, Registers, Terms};
use crate::spec::vocabulary as fact;

use super::bindings::{self, Bindings};
use super::draft::{Draft, Origin};
use super::{Concretiser, PROXY_BINDINGS, buffers};

impl<'a> Concretiser<'a> {
    /// The exchanges that the nonce and the opaque of a token come from.
    fn origin(&mut self, principal: &str, own: Option<usize>) -> Origin<'a> {
        let registers: &'a Registers = self.registers;
        let all = || {
            registers.exchanges.iter().enumerate().rev().filter(|(_, exchange)| {
                exchange.principal == principal && exchange.offer.profile() == Profile::DigestHttp
            })
        };
        let live = || all().filter(|(_, exchange)| exchange.is_live());
        let one = |exchange: Option<&'a Exchange>| Origin { nonce: exchange, opaque: exchange };
        let own_exchange = own.map(|own| &registers.exchanges[own]);
        let not_own = |(index, _): &(usize, &Exchange)| Some(*index) != own;
        match () {
            // A context that holds nothing any more is asked with what it may have held.
            () if self.wishes(fact::Names::This) => {
                one(own_exchange.or_else(|| live().map(|(_, exchange)| exchange).next()))
            }
            () if self.wishes(fact::Names::Other) => one(live().find(not_own).map(|(_, exchange)| exchange)),
            () if self.wishes(fact::Names::Challenge) => {
                let own_open = own_exchange.filter(|exchange| exchange.is_live() && exchange.session.is_none());
                one(own_open
                    .or_else(|| live().map(|(_, exchange)| exchange).find(|exchange| exchange.session.is_none())))
            }
            () if self.wishes(fact::Names::Session) => {
                // An established context's own session is `this` to it.
                let is_other =
                    |(index, _): &(usize, &Exchange)| !self.wishes(fact::State::Established) || Some(*index) != own;
                let mut sessions = live().filter(|(_, exchange)| exchange.session.is_some());
                one(sessions.find(is_other).map(|(_, exchange)| exchange))
            }
            () if self.wishes(fact::Names::Ended) => one(all()
                .map(|(_, exchange)| exchange)
                .find(|exchange| exchange.session.is_some() && !exchange.is_live())),
            () if self.wishes(fact::Names::Two) => {
                let mut both: Vec<_> = live().map(|(_, exchange)| exchange).take(4).collect();
                self.rng.shuffle(&mut both);
                Origin { nonce: both.first().copied(), opaque: both.get(1).copied() }
            }
            () if self.wishes(fact::Names::Nothing) => {
                // What a context holds is `this` to it, forgotten or not.
                let is_accept = self.action.call == CallName::AcceptSecurityContext;
                let one_known = live().map(|(_, exchange)| exchange).next();
                match self.rng.u8(..5) {
                    0 => Origin { nonce: one_known, opaque: None },
                    1 => Origin { nonce: None, opaque: one_known },
                    // What lives under another credentials identity is nothing under this one.
                    2 => one(registers.exchanges.iter().rev().find(|exchange| exchange.principal != principal)),
                    3 => one(all()
                        .filter(|(index, _)| is_accept || Some(*index) != own)
                        .map(|(_, exchange)| exchange)
                        .find(|exchange| !exchange.listed && exchange.session.is_none())),
                    _other => one(None),
                }
            }
            () => match self.action.which {
                Some(back) => one(live().nth(usize::from(back)).map(|(_, exchange)| exchange)),
                None => one(own_exchange.or_else(|| live().next().map(|(_, exchange)| exchange))),
            },
        }
    }

    pub(super) fn accept(&mut self, context: Option<SecHandle>) -> Call {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let credential = self.credential(known, |credentials| credentials.inbound, |_| true);
        let principal = known.map(|context| context.principal.clone()).or_else(|| {
            credential
                .and_then(|credential| self.registers.credentials.get(&credential))
                .map(|credentials| credentials.principal.clone())
        });
        let principal = principal.unwrap_or_default();
        let origin = self.origin(&principal, known.and_then(Context::exchange));
        let bindings = Bindings::choose(origin.nonce, self.action, &mut self.rng);
        let draft = Draft::make(self.registers, origin, self.action, &bindings.presented, true, &mut self.rng);
        let flaw = self.flaw();
        let token = draft.write(flaw, self.token_bytes(), &mut self.rng);
        let any_token_wish = self.action.wishes.get(fact::Fact::Token).is_some();
        let nothing_to_answer =
            origin.nonce.is_none() && self.action.wishes.get(fact::Fact::Names).is_none() && !any_token_wish;
        let token = if nothing_to_answer { None } else { self.token_buffer(token) };
        let realm = self.realm();
        let mut parameters = vec![draft.method, Vec::new(), draft.entity, realm];
        if self.rng.u8(..4) == 0 {
            parameters[1].clone_from(&draft.target);
        }
        let mut input = buffers::message(token, parameters, &mut self.rng);
        self.add_channel(&bindings, &mut input);
        let output = self.output(&[BufferType::TOKEN]);
        let integrity = [0x2_0000, 0x4, 0x8][self.rng.usize(..3)];
        let asks = match () {
            () if self.wishes(fact::Asked::More) => true,
            () if self.wishes(fact::Asked::Within) => {
                origin.nonce.is_some_and(|exchange| exchange.offer.http_qop() == Some(crate::digest::Qop::AuthInt))
                    && self.rng.bool()
            }
            // Without a token the wish for a quality of protection is a wish for the challenge's.
            () => self.wishes(fact::Qop::AuthInt),
        };
        let mut requirements = self.http_flag(Profile::DigestHttp, context) | if asks { integrity } else { 0 };
        if bindings.required {
            requirements |= PROXY_BINDINGS;
        }
        if self.wishes(fact::Flags::Unsupported) {
            requirements |= 0x10;
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

    fn realm(&mut self) -> Vec<u8> {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        match () {
            () if self.wishes(fact::RealmForm::Given) => utf16(&self.registers.setup.realm),
            () if self.wishes(fact::RealmForm::Malformed) => match self.rng.u8(..4) {
                0 => b"d".to_vec(),
                1 => utf16("réalm"),
                2 => vec![0x00, 0xD8],
                _other => utf16("line\r\nbreak"),
            },
            () => Vec::new(),
        }
    }

    pub(super) fn complete(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        if let Some(message) = known.and_then(|context| self.complete_own(context)) {
            return self.descriptor(message);
        }
        let principal = known.map(|context| context.principal.clone()).unwrap_or_default();
        let origin = self.origin(&principal, known.and_then(Context::exchange));
        let bindings = Bindings::choose(origin.nonce, self.action, &mut self.rng);
        let draft = Draft::make(self.registers, origin, self.action, &bindings.presented, false, &mut self.rng);
        let flaw = self.flaw();
        let token = draft.write(flaw, self.token_bytes(), &mut self.rng);
        let token = self.token_buffer(token);
        // Where there is no token, an output of that type would be taken for one.
        let outputs: &[BufferType] =
            if token.is_some() { &[BufferType::TOKEN, BufferType::PADDING] } else { &[BufferType::PADDING] };
        let mut message = buffers::message(token, vec![draft.method, draft.target, draft.entity], &mut self.rng);
        self.add_channel(&bindings, &mut message);
        let small_or_large = self.output(outputs);
        message.extend(small_or_large.buffer());
        self.descriptor(message)
    }

    /// The caller's channel, wherever it stands; malformed where that is wished.
    fn add_channel(&mut self, bindings: &Bindings, message: &mut Vec<Buffer>) {
        let buffer = match self.wishes(fact::Descriptor::ChannelBindings) {
            true => Some(bindings::malformed(&mut self.rng)),
            false => bindings.buffer(&mut self.rng),
        };
        if let Some(buffer) = buffer {
            // Behind the token, where there is one.
            let first = message.len().min(1);
            message.insert(self.rng.usize(first..=message.len()), buffer);
        }
    }

    /// Whether a client of HTTP named its target under extended protection.
    pub(super) fn has_target(&self, context: &Context) -> bool {
        let session = context.holds.and_then(|exchange| self.registers.exchanges[exchange].session.as_ref());
        session.is_some_and(|session| matches!(session.terms, Terms::Http { service_name: Some(_), .. }))
    }
}
