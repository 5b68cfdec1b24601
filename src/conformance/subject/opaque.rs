//! A package of three tokens that asks for completions, as NTLM does in places: what any package is tried out with.
//!
//! Its cryptography is a toy: an MD5 over a secret that everybody can read here. It knows nothing of the tables.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use super::{Subject, SubjectError};
use crate::buffer::{BufferType, SECBUFFER_VERSION, SecHandle};
use crate::digest::hash::md5;
use crate::spec::call::{Attribute, Buffer, Call, Descriptor, Outcome, PackageInfo};
use crate::spec::names::Need;
use crate::spec::setup::Setup;
use crate::status::SecurityStatus;

const SECRET: &[u8] = b"a secret that is none";
/// What the tokens begin with; a sum of 16 octets follows.
const NEGOTIATE: &[u8] = b"negotiate:";
const CHALLENGE: &[u8] = b"challenge:";
const AUTHENTICATE: &[u8] = b"authenticate:";
const SUM: usize = 16;

/// SECPKG_FLAG_INTEGRITY, SECPKG_FLAG_PRIVACY and SECPKG_FLAG_CONNECTION.
const CAPABILITIES: u32 = 0x1 | 0x2 | 0x10;
/// Where memory that is given away would begin.
const BLOCKS: u64 = 0x0B10_C000;

/// Something it does wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// CompleteAuthToken succeeds where nothing is to be completed.
    CompletesUnasked,
    /// CompleteAuthToken does not look at its descriptor.
    CompletesWithoutToken,
    /// CompleteAuthToken takes credentials for a context.
    CompletesCredentials,
    /// A deleted context goes on working.
    DeletesNothing,
    /// A second deletion is an error of its own.
    DeletesOnce,
    /// Messages are protected before the completion.
    ProtectsTooEarly,
    /// InitializeSecurityContext goes on without the completion.
    GoesOnUncompleted,
    /// Nobody looks at the sums of messages.
    AcceptsAltered,
    /// Credentials of every package can be had.
    KnowsEveryPackage,
    /// A message that was encrypted is decrypted to something else.
    GarblesMessages,
    /// EnumerateSecurityPackages tells of other packages only.
    HidesItself,
    /// QuerySecurityPackageInfo succeeds whatever the name.
    DescribesEveryPackage,
    /// FreeContextBuffer succeeds whatever the pointer.
    FreesAnything,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// A token of the peer is waited for.
    Waiting,
    /// A completion is due, and then that is the phase.
    Due(Next),
    Established,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Waiting,
    Established,
}

#[derive(Clone, Debug)]
struct Side {
    initiates: bool,
    phase: Phase,
    nonce: Vec<u8>,
    sent: u64,
    received: u64,
}

/// The package.
#[derive(Debug)]
pub struct Opaque {
    flaw: Option<Flaw>,
    package: String,
    credentials: BTreeMap<SecHandle, u32>,
    contexts: BTreeMap<SecHandle, Side>,
    deleted: BTreeSet<SecHandle>,
    blocks: BTreeSet<SecHandle>,
    handles: u64,
}

impl Default for Opaque {
    fn default() -> Self {
        Self::new(None)
    }
}

/// A success: the status, and what is put out or reported.
struct Done {
    status: SecurityStatus,
    handle: Option<SecHandle>,
    output: Option<Descriptor>,
    attribute: Option<Attribute>,
}

type Answer = Result<Done, SecurityStatus>;

impl Opaque {
    /// The package as it should be, or with a flaw.
    pub fn new(flaw: Option<Flaw>) -> Self {
        Self {
            flaw,
            package: String::new(),
            credentials: BTreeMap::new(),
            contexts: BTreeMap::new(),
            deleted: BTreeSet::new(),
            blocks: BTreeSet::new(),
            handles: 0,
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn new_handle(&mut self) -> SecHandle {
        self.handles += 1;
        SecHandle { lower: 0x000A_C1DE, upper: self.handles }
    }

    fn side(&self, context: Option<SecHandle>) -> Result<(SecHandle, Side), SecurityStatus> {
        let context = context.ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)?;
        let side = self.contexts.get(&context).ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)?;
        Ok((context, side.clone()))
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match call {
            Call::AcquireCredentialsHandle { package, credential_use, .. } => {
                if !package.eq_ignore_ascii_case(&self.package) && !self.is(Flaw::KnowsEveryPackage) {
                    return Err(SecurityStatus::SEC_E_SECPKG_NOT_FOUND);
                }
                let handle = self.new_handle();
                self.credentials.insert(handle, *credential_use);
                Ok(Done { handle: Some(handle), ..done(call) })
            }
            Call::FreeCredentialsHandle { credential } => {
                let freed = credential.and_then(|credential| self.credentials.remove(&credential));
                freed.map(|_| done(call)).ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)
            }
            Call::EnumerateSecurityPackages {} => {
                let itself = (!self.is(Flaw::HidesItself)).then(|| self.package.clone());
                Ok(self.give(call, ["Negotiate".to_owned()].into_iter().chain(itself)))
            }
            Call::QuerySecurityPackageInfo { package } => {
                if !package.eq_ignore_ascii_case(&self.package) && !self.is(Flaw::DescribesEveryPackage) {
                    return Err(SecurityStatus::SEC_E_SECPKG_NOT_FOUND);
                }
                Ok(self.give(call, [package.clone()]))
            }
            Call::FreeContextBuffer { block } => {
                let known = block.is_some_and(|block| self.blocks.remove(&block));
                let frees = known || (block.is_some() && self.is(Flaw::FreesAnything));
                frees.then(|| done(call)).ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)
            }
            Call::InitializeSecurityContext { credential, context, input, .. } => {
                self.feed(call, true, *credential, *context, input.as_ref())
            }
            Call::AcceptSecurityContext { credential, context, input, .. } => {
                self.feed(call, false, *credential, *context, input.as_ref())
            }
            Call::CompleteAuthToken { context, token } => self.complete(call, *context, token.as_ref()),
            Call::MakeSignature { context, .. } | Call::EncryptMessage { context, .. } => self.protect(call, *context),
            Call::VerifySignature { context, .. } | Call::DecryptMessage { context, .. } => {
                self.receive(call, *context)
            }
            Call::QueryContextAttributes { context, attribute } => {
                let (_, side) = self.side(*context)?;
                if side.phase != Phase::Established {
                    return Err(SecurityStatus::SEC_E_INVALID_HANDLE);
                }
                let attribute = match attribute {
                    0 => Attribute::Sizes { maximum_signature: 16, block_size: 0, security_trailer: 16 },
                    1 => Attribute::Names("somebody".to_owned()),
                    10 => Attribute::Other,
                    _unknown => return Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION),
                };
                Ok(Done { attribute: Some(attribute), ..done(call) })
            }
            Call::DeleteSecurityContext { context } => self.delete(call, *context),
        }
    }

    /// Memory that tells of these packages.
    fn give(&mut self, call: &Call, names: impl IntoIterator<Item = String>) -> Done {
        let block = SecHandle { upper: 0, lower: BLOCKS + 0x100 * self.new_handle().upper };
        self.blocks.insert(block);
        let told = |name| PackageInfo { name, capabilities: CAPABILITIES, version: 1, rpc_id: 10, maximum_token: 64 };
        let packages = names.into_iter().map(told).collect();
        Done { handle: Some(block), attribute: Some(Attribute::Packages(packages)), ..done(call) }
    }

    fn delete(&mut self, call: &Call, context: Option<SecHandle>) -> Answer {
        let context = context.ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)?;
        if self.deleted.contains(&context) {
            let refuses = self.is(Flaw::DeletesOnce);
            return if refuses { Err(SecurityStatus::SEC_E_OUT_OF_SEQUENCE) } else { Ok(done(call)) };
        }
        if !self.contexts.contains_key(&context) {
            return Err(SecurityStatus::SEC_E_INVALID_HANDLE);
        }
        if !self.is(Flaw::DeletesNothing) {
            self.contexts.remove(&context);
        }
        self.deleted.insert(context);
        Ok(done(call))
    }

    /// Either side's next token: negotiate and authenticate of the initiator, the acceptor's challenge and its consent.
    fn feed(
        &mut self,
        call: &Call,
        initiates: bool,
        credential: Option<SecHandle>,
        context: Option<SecHandle>,
        input: Option<&Descriptor>,
    ) -> Answer {
        let known = context.map(|context| self.side(Some(context))).transpose()?;
        if known.as_ref().is_some_and(|(_, side)| side.initiates != initiates) {
            return Err(SecurityStatus::SEC_E_INVALID_HANDLE);
        }
        let used = credential.and_then(|credential| self.credentials.get(&credential));
        let direction = if initiates { 2 } else { 1 };
        if known.is_none() && used.is_none_or(|used| used & direction == 0) {
            return Err(SecurityStatus::SEC_E_NO_CREDENTIALS);
        }
        let goes_on = |side: &Side| match side.phase {
            Phase::Waiting => true,
            Phase::Due(_) => initiates && self.is(Flaw::GoesOnUncompleted),
            Phase::Established => false,
        };
        match &known {
            Some((_, side)) if side.phase == Phase::Established && !initiates => {
                return Err(SecurityStatus::STATUS_LOGON_FAILURE);
            }
            Some((_, side)) if !goes_on(side) => return Err(SecurityStatus::SEC_E_OUT_OF_SEQUENCE),
            Some(_) | None => {}
        }
        let buffers = input.map(|input| readable(Some(input))).transpose()?.unwrap_or_default();
        if let Some(output) = call.output() {
            readable(Some(output))?;
        }
        let token = buffers.iter().find(|buffer| buffer.buffer_type.kind() == BufferType::TOKEN).map(Buffer::bytes);
        let (status, phase, nonce, token) = match (initiates, &known) {
            (true, None) => {
                let token = [NEGOTIATE, &[0; SUM]].concat();
                (SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE, Phase::Due(Next::Waiting), Vec::new(), token)
            }
            (false, None) => {
                let token = token.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
                if token != [NEGOTIATE, &sum(&[NEGOTIATE])].concat() {
                    return Err(SecurityStatus::SEC_E_INVALID_TOKEN);
                }
                let nonce = sum(&[b"nonce", &self.handles.to_be_bytes()]).to_vec();
                let token = [CHALLENGE, &nonce].concat();
                (SecurityStatus::SEC_I_CONTINUE_NEEDED, Phase::Waiting, nonce, token)
            }
            (true, Some((_, side))) if side.phase == Phase::Due(Next::Waiting) => {
                (SecurityStatus::SEC_I_CONTINUE_NEEDED, Phase::Waiting, Vec::new(), Vec::new())
            }
            (true, Some(_)) => {
                let nonce = token.and_then(|token| token.strip_prefix(CHALLENGE));
                let nonce = nonce.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?.to_vec();
                let token = [AUTHENTICATE, &[0; SUM]].concat();
                (SecurityStatus::SEC_I_COMPLETE_NEEDED, Phase::Due(Next::Established), nonce, token)
            }
            (false, Some((_, side))) => {
                let token = token.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
                if token != [AUTHENTICATE, &sum(&[AUTHENTICATE, &side.nonce])].concat() {
                    return Err(SecurityStatus::SEC_E_LOGON_DENIED);
                }
                let phase = Phase::Due(Next::Established);
                (SecurityStatus::SEC_I_COMPLETE_NEEDED, phase, side.nonce.clone(), Vec::new())
            }
        };
        let output = put_token(call.output(), &token)?;
        let handle = known.map_or_else(|| self.new_handle(), |(context, _)| context);
        self.contexts.insert(handle, Side { initiates, phase, nonce, sent: 0, received: 0 });
        Ok(Done { status, handle: Some(handle), output, ..done(call) })
    }

    fn complete(&mut self, call: &Call, context: Option<SecHandle>, token: Option<&Descriptor>) -> Answer {
        let is_credentials = context.is_some_and(|context| self.credentials.contains_key(&context));
        if is_credentials && self.is(Flaw::CompletesCredentials) {
            return Ok(done(call));
        }
        let (context, mut side) = self.side(context)?;
        let Phase::Due(next) = side.phase else {
            let pretends = self.is(Flaw::CompletesUnasked);
            return if pretends { Ok(done(call)) } else { Err(SecurityStatus::SEC_E_OUT_OF_SEQUENCE) };
        };
        let mut output = token.cloned();
        match readable(token) {
            Ok(_) => {}
            Err(_) if self.is(Flaw::CompletesWithoutToken) => output = None,
            Err(status) => return Err(status),
        }
        let buffers = output.as_mut().and_then(|output| output.buffers.as_mut()).into_iter().flatten();
        for data in buffers.filter_map(|buffer| buffer.data.as_mut()) {
            let prefix = if next == Next::Waiting { NEGOTIATE } else { AUTHENTICATE };
            if data.starts_with(prefix) {
                data.truncate(prefix.len());
                data.extend(sum(&[prefix, &side.nonce]));
            }
        }
        side.phase = match next {
            Next::Waiting => Phase::Waiting,
            Next::Established => Phase::Established,
        };
        self.contexts.insert(context, side);
        Ok(Done { output: output.or_else(|| call.output().cloned()), ..done(call) })
    }

    /// The context of a call on messages, and its buffers.
    fn messages<'c>(
        &self,
        call: &'c Call,
        context: Option<SecHandle>,
    ) -> Result<(SecHandle, Side, &'c [Buffer]), SecurityStatus> {
        let (context, side) = self.side(context)?;
        let early = matches!(side.phase, Phase::Due(_)) && self.is(Flaw::ProtectsTooEarly);
        if side.phase != Phase::Established && !early {
            return Err(SecurityStatus::SEC_E_OUT_OF_SEQUENCE);
        }
        Ok((context, side, readable(call.input())?))
    }

    fn protect(&mut self, call: &Call, context: Option<SecHandle>) -> Answer {
        let (context, mut side, buffers) = self.messages(call, context)?;
        let data = position(buffers, BufferType::DATA)?;
        let token = position(buffers, BufferType::TOKEN)?;
        let message = buffers[data].bytes();
        let key = sum(&[b"key", &side.nonce, &[u8::from(side.initiates)], &side.sent.to_be_bytes()]);
        let mut output = call.output().cloned();
        put(&mut output, token, &sum(&[&key, message]))?;
        if matches!(call, Call::EncryptMessage { .. }) {
            put(&mut output, data, &encrypted(&key, message))?;
        }
        side.sent += 1;
        self.contexts.insert(context, side);
        Ok(Done { output, ..done(call) })
    }

    fn receive(&mut self, call: &Call, context: Option<SecHandle>) -> Answer {
        let (context, mut side, buffers) = self.messages(call, context)?;
        let data = position(buffers, BufferType::DATA)?;
        let token = position(buffers, BufferType::TOKEN)?;
        let key = sum(&[b"key", &side.nonce, &[u8::from(!side.initiates)], &side.received.to_be_bytes()]);
        let decrypts = matches!(call, Call::DecryptMessage { .. });
        let given = buffers[data].bytes();
        let message = if decrypts { encrypted(&key, given) } else { given.to_vec() };
        if buffers[token].bytes() != sum(&[&key, &message]) && !self.is(Flaw::AcceptsAltered) {
            return Err(SecurityStatus::SEC_E_MESSAGE_ALTERED);
        }
        let mut output = call.output().cloned();
        if decrypts {
            let garbled = message.iter().rev().copied().chain([0]).take(message.len()).collect::<Vec<_>>();
            put(&mut output, data, if self.is(Flaw::GarblesMessages) { &garbled } else { &message })?;
        }
        side.received += 1;
        self.contexts.insert(context, side);
        Ok(Done { output, ..done(call) })
    }
}

fn done(call: &Call) -> Done {
    Done { status: SecurityStatus::SEC_E_OK, handle: None, output: call.output().cloned(), attribute: None }
}

fn sum(parts: &[&[u8]]) -> [u8; SUM] {
    md5(&[&[SECRET], parts].concat())
}

/// A stream of sums over the message; the same again takes it off.
fn encrypted(key: &[u8], message: &[u8]) -> Vec<u8> {
    let stream = (0..=u8::MAX).flat_map(|block| sum(&[key, &[block]]));
    message.iter().zip(stream).map(|(octet, mask)| octet ^ mask).collect()
}

/// The buffers of a descriptor, if they hold what they promise.
fn readable(descriptor: Option<&Descriptor>) -> Result<&[Buffer], SecurityStatus> {
    let descriptor = descriptor.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    let buffers = descriptor.buffers.as_deref().unwrap_or_default();
    let counted = buffers.get(..descriptor.count as usize).ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    let holds = |buffer: &Buffer| buffer.count as usize <= buffer.data.as_ref().map_or(0, Vec::len);
    if descriptor.version != SECBUFFER_VERSION || !counted.iter().all(holds) {
        return Err(SecurityStatus::SEC_E_INVALID_TOKEN);
    }
    Ok(counted)
}

fn position(buffers: &[Buffer], kind: BufferType) -> Result<usize, SecurityStatus> {
    buffers.iter().position(|buffer| buffer.buffer_type.kind() == kind).ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)
}

/// pOutput with a token in it; an empty one needs no buffer.
fn put_token(output: Option<&Descriptor>, token: &[u8]) -> Result<Option<Descriptor>, SecurityStatus> {
    let mut output = output.cloned();
    let place = readable(output.as_ref()).and_then(|buffers| position(buffers, BufferType::TOKEN));
    match place {
        Ok(place) => put(&mut output, place, token)?,
        Err(_) if token.is_empty() => {}
        Err(status) => return Err(status),
    }
    Ok(output)
}

fn put(output: &mut Option<Descriptor>, place: usize, bytes: &[u8]) -> Result<(), SecurityStatus> {
    let buffers = output.as_mut().and_then(|output| output.buffers.as_mut());
    let buffer = buffers.and_then(|buffers| buffers.get_mut(place)).ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    let room = buffer.data.as_mut().and_then(|data| data.get_mut(..bytes.len()));
    let fits = bytes.len() <= buffer.count as usize;
    let count = u32::try_from(bytes.len()).map_err(|_| SecurityStatus::SEC_E_INSUFFICIENT_MEMORY)?;
    match room.filter(|_| fits) {
        Some(room) => room.copy_from_slice(bytes),
        None if bytes.is_empty() => {}
        None => return Err(SecurityStatus::SEC_E_INSUFFICIENT_MEMORY),
    }
    buffer.count = count;
    Ok(())
}

impl Subject for Opaque {
    fn name(&self) -> String {
        "a package that asks for completions".to_owned()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        BTreeSet::from([Need::CMemory, Need::CheckedMemory])
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        *self = Self { package: setup.package.clone().unwrap_or_else(|| "WDigest".to_owned()), ..Self::new(self.flaw) };
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        Ok(match self.answer(call) {
            Ok(Done { status, handle, output, attribute }) => {
                Outcome { handle, output, attribute, ..Outcome::untouched(status, call) }
            }
            Err(status) => Outcome::untouched(status, call),
        })
    }
}
