//! Making an action concrete: a call with real handles, buffers and tokens, from the shadow's registers.
//!
//! One concretiser per fact; `facts(concretise(f)) == f` is a property of the tests.
#![forbid(unsafe_code)]

mod acceptor;
mod any;
mod bindings;
mod buffers;
mod count;
mod draft;
mod initiator;
mod layers;
mod message;
mod sasl;
mod wire;

use fastrand::Rng;

use crate::buffer::{BufferType, SecHandle};
use crate::spec::call::{AuthIdentity, Buffer, Call, Descriptor};
use crate::spec::names::{CallName, Profile};
use crate::spec::shadow::registers::{Context, Registers};
use crate::spec::vocabulary as fact;
use crate::spec::vocabulary::Word;

pub use any::exchange;

use super::action::CallAction;
use buffers::Output;
use wire::Flaw;

/// ISC_REQ_HTTP and ASC_REQ_HTTP.
const HTTP: u32 = 0x1000_0000;
/// ASC_REQ_PROXY_BINDINGS.
const PROXY_BINDINGS: u32 = 0x0400_0000;
/// SECPKG_ATTR_STREAM_SIZES.
const STREAM_SIZES: u32 = 4;
/// SECPKG_ATTR_CLIENT_SPECIFIED_TARGET.
const CLIENT_SPECIFIED_TARGET: u32 = 27;

/// The call that an action means now. Total: whatever cannot be had is replaced by the nearest thing.
pub fn concretise(action: &CallAction, registers: &Registers) -> Call {
    let call = Concretiser { action, registers, rng: Rng::with_seed(action.variety) }.call();
    message::edited(call, action, registers)
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
            CallName::AcquireCredentialsHandle => match self.registers.setup.profile {
                Profile::DigestHttp | Profile::DigestSasl => self.acquire(),
                Profile::AnyPackage => self.acquire_any(),
            },
            CallName::FreeCredentialsHandle => {
                Call::FreeCredentialsHandle { credential: self.credential(None, |_| true, |_| true) }
            }
            CallName::EnumerateSecurityPackages => Call::EnumerateSecurityPackages {},
            CallName::QuerySecurityPackageInfo => Call::QuerySecurityPackageInfo { package: self.package() },
            CallName::FreeContextBuffer => Call::FreeContextBuffer { block: self.block() },
            CallName::AcceptSecurityContext => {
                let context = self.context();
                match self.mechanism(context) {
                    Profile::DigestHttp => self.accept(context),
                    Profile::DigestSasl => self.accept_sasl(context),
                    Profile::AnyPackage => self.accept_any(context),
                }
            }
            CallName::InitializeSecurityContext => {
                let context = self.context();
                match self.mechanism(context) {
                    Profile::DigestHttp => self.initialize(context),
                    Profile::DigestSasl => self.initialize_sasl(context),
                    Profile::AnyPackage => self.initialize_any(context),
                }
            }
            CallName::CompleteAuthToken => {
                let context = self.context();
                let token = match self.mechanism(context) {
                    Profile::DigestHttp => self.complete(context),
                    Profile::DigestSasl => self.complete_sasl(context),
                    Profile::AnyPackage => return self.complete_any(context),
                };
                Call::CompleteAuthToken { context, token }
            }
            CallName::VerifySignature => {
                let context = self.context();
                let message = match self.mechanism(context) {
                    Profile::DigestHttp => self.complete(context),
                    Profile::DigestSasl => self.signed(context),
                    Profile::AnyPackage => self.received_any(context),
                };
                Call::VerifySignature { context, message }
            }
            CallName::MakeSignature => {
                let context = self.context();
                let message = match self.mechanism(context) {
                    Profile::DigestHttp => self.next_header(),
                    Profile::DigestSasl => self.message_to_sign(context),
                    Profile::AnyPackage => self.message_to_sign_any(context),
                };
                Call::MakeSignature { context, message }
            }
            CallName::EncryptMessage => {
                let context = self.context();
                let message = match self.mechanism(context) {
                    Profile::DigestHttp | Profile::DigestSasl => self.message_to_wrap(context),
                    Profile::AnyPackage => self.message_to_encrypt_any(context),
                };
                Call::EncryptMessage { context, message }
            }
            CallName::DecryptMessage => {
                let context = self.context();
                let message = match self.mechanism(context) {
                    Profile::DigestHttp | Profile::DigestSasl => self.wrapped(context),
                    Profile::AnyPackage => self.received_any(context),
                };
                Call::DecryptMessage { context, message }
            }
            CallName::QueryContextAttributes => {
                let context = self.context();
                let attribute = match self.mechanism(context) {
                    Profile::DigestHttp | Profile::DigestSasl => self.attribute(context),
                    Profile::AnyPackage => self.attribute_any(),
                };
                Call::QueryContextAttributes { context, attribute }
            }
            CallName::DeleteSecurityContext => Call::DeleteSecurityContext { context: self.context() },
        }
    }

    /// The mechanism of a call: its context's; without one that of the run, where nothing else is wished.
    fn mechanism(&self, context: Option<SecHandle>) -> Profile {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        match (known, self.registers.setup.profile) {
            (Some(known), _) => known.profile,
            (None, Profile::DigestHttp) if self.wishes(fact::Flags::OtherMechanism) => Profile::DigestSasl,
            (None, Profile::DigestSasl) if self.wishes(fact::Flags::OtherMechanism) => Profile::DigestHttp,
            (None, profile) => profile,
        }
    }

    /// The HTTP flag as the mechanism has it; for a live context the other one, where that is wished.
    fn http_flag(&self, profile: Profile, context: Option<SecHandle>) -> u32 {
        let is_live = context.is_some_and(|context| self.registers.contexts.contains_key(&context));
        let other = is_live && self.wishes(fact::Flags::OtherMechanism);
        match (profile, other) {
            (Profile::DigestHttp, false) | (Profile::DigestSasl, true) => HTTP,
            (Profile::DigestHttp, true) | (Profile::DigestSasl, false) | (Profile::AnyPackage, _) => 0,
        }
    }

    fn attribute(&mut self, context: Option<SecHandle>) -> u32 {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let (streams, target) = known.map_or((false, false), |known| (self.has_layer(known), self.has_target(known)));
        let optional = [(STREAM_SIZES, streams), (CLIENT_SPECIFIED_TARGET, target)];
        let of =
            |wanted: bool| optional.into_iter().filter(move |(_, has)| *has == wanted).map(|(attribute, _)| attribute);
        let from: Vec<u32> = match () {
            () if self.wishes(fact::Attribute::Unsupported) => vec![3, 6, 7, 8, 0x50, 0x7FFF_FFFF, u32::MAX],
            () if self.wishes(fact::Attribute::PackageInfo) => vec![10],
            () if self.wishes(fact::Attribute::Unavailable) => of(false).collect(),
            () => of(true).chain([0, 1, 2, 5, 9, 14]).collect(),
        };
        self.rng.choice(from).unwrap_or(1)
    }

    // --- Handles

    fn random_handle(&mut self) -> SecHandle {
        SecHandle { lower: self.rng.u64(1..), upper: self.rng.u64(1..) }
    }

    /// The live context counted back from the newest; of any package, where each side has one, among those of a role.
    fn live(&self) -> Option<(SecHandle, &'a Context)> {
        let registers: &'a Registers = self.registers;
        let by_role = registers.setup.profile == Profile::AnyPackage;
        let role = self.action.wishes.get(fact::Fact::Role).filter(|_| by_role);
        let is_meant = |context: &Context| role.is_none_or(|role| role == context.role.index());
        let mut contexts: Vec<_> = registers.contexts.iter().filter(|(_, context)| is_meant(context)).collect();
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
                    // Another provider's may be one bit away, as providers are counted.
                    !registers.contexts.contains_key(handle)
                        && !registers.deleted.contains(handle)
                        && !registers.foreign.contains(handle)
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

    /// The name of the package under test as it is written, or of one that there is nowhere.
    fn package(&mut self) -> String {
        match () {
            () if self.wishes(fact::Package::Other) => ["NoSuchPackage", "", "WDigest2"][self.rng.usize(..3)].into(),
            () => self.registers.package().to_owned(),
        }
    }

    /// Memory of the package, or a pointer to something else. Where the memory wished for cannot be had it is NULL: any
    /// other pointer may be the end of the process.
    fn block(&mut self) -> Option<SecHandle> {
        let (blocks, freed) = (&self.registers.blocks, &self.registers.freed_blocks);
        match () {
            () if self.wishes(fact::Block::Null) => None,
            () if self.wishes(fact::Block::Freed) => freed.last().copied(),
            () if self.wishes(fact::Block::Foreign) => {
                let near = blocks.last().filter(|_| self.rng.bool());
                let inside = near.map(|block| SecHandle { lower: block.lower.wrapping_add(8), ..*block });
                let unknown = |block: &SecHandle| !blocks.contains(block) && !freed.contains(block);
                inside.filter(unknown).or_else(|| Some(SecHandle { lower: self.rng.u64(1..), upper: 0 }))
            }
            () => blocks.last().copied(),
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

    // --- Tokens and buffers

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
}
