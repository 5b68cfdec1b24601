//! Making an action concrete: a call with real handles, buffers and tokens, from the shadow's registers.
//!
//! One concretiser per fact; `facts(concretise(f)) == f` is a property of the tests.
#![forbid(unsafe_code)]

mod buffers;
mod draft;
mod initiator;
mod wire;

use fastrand::Rng;

use crate::buffer::{BufferType, SecHandle};
use crate::spec::call::{AuthIdentity, Buffer, Call, Descriptor};
use crate::spec::names::CallName;
use crate::spec::shadow::registers::{Context, Exchange, Registers};
use crate::spec::vocabulary as fact;

use super::action::CallAction;
use buffers::Output;
use draft::{Draft, Origin};
use wire::Flaw;

/// The call that an action means now. Total: whatever cannot be had is replaced by the nearest thing.
pub fn concretise(action: &CallAction, registers: &Registers) -> Call {
    Concretiser { action, registers, rng: Rng::with_seed(action.variety) }.call()
}

struct Concretiser<'a> {
    action: &'a CallAction,
    registers: &'a Registers,
    rng: Rng,
}

impl<'a> Concretiser<'a> {
    fn wishes<W: fact::Word>(&self, word: W) -> bool {
        self.action.wishes.is(word)
    }

    fn call(mut self) -> Call {
        match self.action.call {
            CallName::AcquireCredentialsHandle => self.acquire(),
            CallName::FreeCredentialsHandle => {
                Call::FreeCredentialsHandle { credential: self.credential(None, |_| true, |_| true) }
            }
            CallName::AcceptSecurityContext => self.accept(),
            CallName::InitializeSecurityContext => self.initialize(),
            CallName::CompleteAuthToken => {
                let (context, message) = self.complete();
                Call::CompleteAuthToken { context, token: message }
            }
            CallName::VerifySignature => {
                let (context, message) = self.complete();
                Call::VerifySignature { context, message }
            }
            CallName::MakeSignature => self.make_signature(),
            CallName::QueryContextAttributes => {
                let context = self.context();
                let from: &[u32] = match () {
                    () if self.wishes(fact::Attribute::Unsupported) => &[3, 4, 6, 7, 8, 0x50, 0x7FFF_FFFF, u32::MAX],
                    () if self.wishes(fact::Attribute::PackageInfo) => &[10],
                    () => &[0, 1, 2, 5, 14],
                };
                Call::QueryContextAttributes { context, attribute: from[self.rng.usize(..from.len())] }
            }
            CallName::DeleteSecurityContext => Call::DeleteSecurityContext { context: self.context() },
        }
    }

    // --- Handles

    fn random_handle(&mut self) -> SecHandle {
        SecHandle { lower: self.rng.u64(1..), upper: self.rng.u64(1..) }
    }

    /// The live context counted back from the newest.
    fn live(&self) -> Option<(SecHandle, &'a Context)> {
        let registers: &'a Registers = self.registers;
        let mut contexts: Vec<_> = registers.contexts.iter().collect();
        contexts.sort_by_key(|(_, context)| std::cmp::Reverse(context.ordinal));
        let position = usize::from(self.action.context?).checked_rem(contexts.len())?;
        contexts.get(position).map(|(handle, context)| (**handle, *context))
    }

    fn context(&mut self) -> Option<SecHandle> {
        let registers = self.registers;
        match () {
            () if self.wishes(fact::Handle::Null) => None,
            () if self.wishes(fact::Handle::Zeroed) => Some(SecHandle::default()),
            () if self.wishes(fact::Handle::Deleted) => {
                registers.deleted.last().copied().or_else(|| Some(self.random_handle()))
            }
            () if self.wishes(fact::Handle::Foreign) => {
                registers.foreign.last().copied().or_else(|| Some(self.random_handle()))
            }
            () if self.wishes(fact::Handle::Credentials) => {
                let credentials: Vec<_> = registers.credentials.keys().copied().collect();
                self.rng.choice(&credentials).copied()
            }
            () if self.wishes(fact::Handle::Forged) => {
                let near = self.live().filter(|_| self.rng.bool()).map(|(handle, _)| handle);
                let forged = near.map(|handle| SecHandle { upper: handle.upper ^ (1 << self.rng.u32(..63)), ..handle });
                let unknown = |handle: &SecHandle| {
                    !registers.contexts.contains_key(handle) && !registers.deleted.contains(handle)
                };
                forged.filter(unknown).or_else(|| Some(self.random_handle()))
            }
            () => self.live().map(|(handle, _)| handle),
        }
    }

    /// A credentials handle as the wishes say; without any, the context's own or one that `fits`. Of those that
    /// fit, one that is `preferred`.
    fn credential(
        &mut self,
        context: Option<&Context>,
        fits: impl Fn(&crate::spec::shadow::registers::Credentials) -> bool,
        preferred: impl Fn(&crate::spec::shadow::registers::Credentials) -> bool,
    ) -> Option<SecHandle> {
        let registers = self.registers;
        let some = |candidates: Vec<SecHandle>, rng: &mut Rng| rng.choice(&candidates).copied();
        let of =
            |predicate: &dyn Fn(&SecHandle, &crate::spec::shadow::registers::Credentials) -> bool| -> Vec<SecHandle> {
                registers
                    .credentials
                    .iter()
                    .filter(|(handle, credentials)| predicate(handle, credentials))
                    .map(|(handle, _)| *handle)
                    .collect()
            };
        match () {
            () if self.wishes(fact::Credential::Null) => None,
            () if self.wishes(fact::Credential::Zeroed) => Some(SecHandle::default()),
            () if self.wishes(fact::Credential::Freed) => registers.freed.last().copied(),
            () if self.wishes(fact::Credential::Foreign) => registers.foreign.last().copied(),
            () if self.wishes(fact::Credential::Context) => registers.contexts.keys().next_back().copied(),
            () if self.wishes(fact::Credential::Forged) => Some(self.random_handle()),
            () if self.wishes(fact::Credential::WrongDirection) => {
                let wrong = of(&|_, credentials| !fits(credentials));
                some(wrong, &mut self.rng)
            }
            () if self.wishes(fact::Credential::Other) => {
                let other = of(&|handle, credentials| {
                    let own = context.is_some_and(|context| {
                        context.credential == *handle
                            || (credentials.inbound && context.principal == credentials.principal)
                    });
                    fits(credentials) && preferred(credentials) && !own
                });
                some(other, &mut self.rng)
            }
            () => {
                let own = context
                    .map(|context| context.credential)
                    .filter(|handle| registers.credentials.contains_key(handle));
                own.or_else(|| {
                    let good = |credentials: &_| fits(credentials) && preferred(credentials);
                    let mut fitting: Vec<_> =
                        registers.credentials.iter().filter(|(_, credentials)| good(credentials)).collect();
                    fitting.sort_by_key(|(_, credentials)| credentials.ordinal);
                    let shared = fitting
                        .iter()
                        .position(|(_, credentials)| credentials.inbound && credentials.outbound.is_none());
                    let position = if self.action.call == CallName::InitializeSecurityContext {
                        usize::from(self.action.which.unwrap_or(0)).checked_rem(fitting.len())
                    } else {
                        shared.or(Some(0))
                    };
                    fitting.get(position?).map(|(handle, _)| **handle)
                })
            }
        }
    }

    fn acquire(&mut self) -> Call {
        let uses: &[u32] = match () {
            () if self.wishes(fact::Use::Invalid) => &[0, 4, 5, 0x8000_0000, u32::MAX],
            () if self.wishes(fact::Use::Inbound) => &[1],
            () if self.wishes(fact::Use::Outbound) => &[2],
            () if self.wishes(fact::Use::Both) => &[3],
            () => &[1, 2, 3],
        };
        let credential_use = uses[self.rng.usize(..uses.len())];
        let accounts = &self.registers.setup.accounts;
        let position = usize::try_from(self.action.variety).unwrap_or(0).checked_rem(accounts.len());
        let account = position.and_then(|position| accounts.get(position));
        // Without any account somebody still asks, whom no account source knows.
        let (username, password) =
            account.map_or(("mallory", "secret"), |account| (&account.username, &account.password));
        let identity = AuthIdentity {
            user: if self.wishes(fact::Identity::Empty) { String::new() } else { username.to_owned() },
            domain: if self.action.variety % 16 == 7 { "EXAMPLE".into() } else { String::new() },
            password: password.to_owned(),
        };
        let needed = credential_use & 2 != 0 || self.rng.bool();
        Call::AcquireCredentialsHandle {
            principal: if self.action.variety.is_multiple_of(2) { None } else { Some("www.example.org".into()) },
            package: if self.wishes(fact::Package::Other) {
                ["NTLM", "", "WDigest2", "Kerberos"][self.rng.usize(..4)].into()
            } else {
                ["WDigest", "wdigest", "WDIGEST"][self.rng.usize(..3)].into()
            },
            credential_use,
            logon_id: self.wishes(fact::Logon::Other).then(|| self.rng.u64(..)),
            identity: Some(identity).filter(|_| needed && !self.wishes(fact::Identity::Absent)),
        }
    }

    // --- The acceptor's side

    /// The exchanges that the nonce and the opaque of a token come from.
    fn origin(&mut self, principal: &str, own: Option<usize>) -> Origin<'a> {
        let registers: &'a Registers = self.registers;
        let all =
            || registers.exchanges.iter().enumerate().rev().filter(|(_, exchange)| exchange.principal == principal);
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
                let one_known = live().map(|(_, exchange)| exchange).next();
                match self.rng.u8(..5) {
                    0 => Origin { nonce: one_known, opaque: None },
                    1 => Origin { nonce: None, opaque: one_known },
                    // What lives under another credentials identity is nothing under this one.
                    2 => one(registers.exchanges.iter().rev().find(|exchange| exchange.principal != principal)),
                    3 => one(all()
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

    fn flaw(&self) -> Flaw {
        match () {
            () if self.wishes(fact::Token::Malformed) => Flaw::Malformed,
            () if self.wishes(fact::Token::DirectiveTwice) => Flaw::Twice,
            () if self.wishes(fact::Token::DirectiveMissing) => Flaw::Missing,
            () => Flaw::None,
        }
    }

    fn token_bytes(&self) -> usize {
        self.registers.setup.limits.token_bytes
    }

    /// The TOKEN buffer: as written, or absent or empty as the wishes say.
    fn token_buffer(&mut self, token: Vec<u8>) -> Option<Buffer> {
        let buffer_type = if self.rng.u8(..4) == 0 { BufferType::TOKEN.read_only() } else { BufferType::TOKEN };
        match () {
            () if self.wishes(fact::Token::Absent) => None,
            () if self.wishes(fact::Token::Empty) && self.rng.bool() => Some(Buffer::null(buffer_type)),
            () if self.wishes(fact::Token::Empty) => Some(Buffer::new(buffer_type, Vec::new())),
            () => Some(Buffer::new(buffer_type, self.edited(token))),
        }
    }

    fn edited(&self, mut token: Vec<u8>) -> Vec<u8> {
        for edit in &self.action.edits {
            edit.apply(&mut token);
        }
        token
    }

    fn accept(&mut self) -> Call {
        let context = self.context();
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let credential = self.credential(known, |credentials| credentials.inbound, |_| true);
        let principal = known.map(|context| context.principal.clone()).or_else(|| {
            credential
                .and_then(|credential| self.registers.credentials.get(&credential))
                .map(|credentials| credentials.principal.clone())
        });
        let principal = principal.unwrap_or_default();
        let origin = self.origin(&principal, known.and_then(Context::exchange));
        let draft = Draft::make(self.registers, origin, self.action, true, &mut self.rng);
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
        let input = buffers::message(token, parameters, &mut self.rng);
        let output = self.output(&[BufferType::TOKEN]);
        let integrity = [0x2_0000, 0x4, 0x8][self.rng.usize(..3)];
        let asks = match () {
            () if self.wishes(fact::Asked::More) => true,
            () if self.wishes(fact::Asked::Within) => {
                origin.nonce.is_some_and(|exchange| exchange.qop == crate::digest::Qop::AuthInt) && self.rng.bool()
            }
            // Without a token the wish for a quality of protection is a wish for the challenge's.
            () => self.wishes(fact::Qop::AuthInt),
        };
        let mut requirements = 0x1000_0000 | if asks { integrity } else { 0 };
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

    fn output(&mut self, kinds: &[BufferType]) -> Output {
        let kind = kinds[self.rng.usize(..kinds.len())];
        match () {
            () if self.wishes(fact::Output::Small) => Output::Capacity(kind, self.rng.usize(1..32)),
            () if self.wishes(fact::Output::Absent) => match self.rng.u8(..4) {
                0 => Output::None,
                1 => Output::Capacity(kind.read_only(), 2048),
                2 => Output::Null(kind),
                _other => Output::Capacity(BufferType::DATA, 2048),
            },
            () => Output::Capacity(kind, 2048 + self.rng.usize(..64)),
        }
    }

    /// A descriptor of these buffers, flawed as the wishes say.
    fn descriptor(&mut self, buffers: Vec<Buffer>) -> Option<Descriptor> {
        buffers::flawed(Descriptor::new(buffers), self.action.wishes.get(fact::Fact::Descriptor), &mut self.rng)
    }

    fn complete(&mut self) -> (Option<SecHandle>, Option<Descriptor>) {
        let context = self.context();
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        if let Some(message) = known.and_then(|context| self.complete_own(context)) {
            return (context, self.descriptor(message));
        }
        let principal = known.map(|context| context.principal.clone()).unwrap_or_default();
        let origin = self.origin(&principal, known.and_then(Context::exchange));
        let draft = Draft::make(self.registers, origin, self.action, false, &mut self.rng);
        let flaw = self.flaw();
        let token = draft.write(flaw, self.token_bytes(), &mut self.rng);
        let token = self.token_buffer(token);
        // Where there is no token, an output of that type would be taken for one.
        let outputs: &[BufferType] =
            if token.is_some() { &[BufferType::TOKEN, BufferType::PADDING] } else { &[BufferType::PADDING] };
        let mut message = buffers::message(token, vec![draft.method, draft.target, draft.entity], &mut self.rng);
        let small_or_large = self.output(outputs);
        message.extend(small_or_large.buffer());
        (context, self.descriptor(message))
    }
}
