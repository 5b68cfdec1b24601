//! NTLM of the crate `sspi` (sspi-rs) as a subject of digest-ssp's conformance suite.
//!
//! Its interface is Rust's: a context is a value that exactly one owner has, and a message is a slice. What a caller in
//! C can get wrong about handles, versions and pointers cannot be said here; such calls are refused with a reason, so
//! that no answer is made up. A panic is a crash.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, stdin, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};

use digest_ssp::buffer::SecHandle;
use digest_ssp::conformance::protocol::serve;
use digest_ssp::conformance::{Subject, SubjectError};
use digest_ssp::spec::call::{Attribute, AuthIdentity, Buffer, Descriptor, SessionKeyBytes};
use digest_ssp::spec::names::Need;
use digest_ssp::spec::setup::Setup;
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus;
use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation, EncryptionFlags, Ntlm,
    SecurityBuffer, SecurityBufferRef, ServerRequestFlags, Sspi, SspiImpl, Username,
};

/// What the crate calls a credentials handle.
type Credentials = Option<AuthIdentityBuffers>;

/// Attributes that are asked for, by the numbers of sspi.h.
const SIZES: u32 = 0;
const NAMES: u32 = 1;
const SESSION_KEY: u32 = 9;
const PACKAGE_INFO: u32 = 10;

/// A context, and the numbers of its messages: the interface leaves counting to the caller.
struct Context {
    ntlm: Ntlm,
    sent: u32,
    received: u32,
}

#[derive(Default)]
struct SspiRs {
    credentials: BTreeMap<SecHandle, Credentials>,
    contexts: BTreeMap<SecHandle, Context>,
    /// Handles are never used again, so that a stale one names nothing.
    made: u64,
}

/// A call that the interface has no words for.
fn inexpressible(what: &str) -> SubjectError {
    SubjectError::Unable(format!("the interface of the crate sspi cannot be told {what}"))
}

fn status(result: &Result<sspi::SecurityStatus, sspi::Error>) -> SecurityStatus {
    SecurityStatus(match result {
        Ok(sspi::SecurityStatus::Ok) => 0,
        Ok(sspi::SecurityStatus::ContinueNeeded) => 0x0009_0312,
        Ok(sspi::SecurityStatus::CompleteNeeded) => 0x0009_0313,
        Ok(sspi::SecurityStatus::CompleteAndContinue) => 0x0009_0314,
        Ok(sspi::SecurityStatus::LocalLogon) => 0x0009_0315,
        Ok(sspi::SecurityStatus::ContextExpired) => 0x0009_0317,
        Ok(sspi::SecurityStatus::IncompleteCredentials) => 0x0009_0320,
        Ok(sspi::SecurityStatus::Renegotiate) => 0x0009_0321,
        Ok(sspi::SecurityStatus::NoLsaContext) => 0x0009_0323,
        Err(error) => u32::from(error.error_type),
    })
}

fn buffer_type(buffer: &Buffer) -> Result<BufferType, SubjectError> {
    match buffer.buffer_type.kind().0 {
        0 => Ok(BufferType::Empty),
        1 => Ok(BufferType::Data),
        2 => Ok(BufferType::Token),
        3 => Ok(BufferType::TransportToPackageParameters),
        9 => Ok(BufferType::Padding),
        10 => Ok(BufferType::Stream),
        _other => Err(inexpressible("a buffer of this type")),
    }
}

/// The buffers of a good descriptor.
fn buffers(descriptor: Option<&Descriptor>) -> Result<&[Buffer], SubjectError> {
    let Some(descriptor) = descriptor else { return Err(inexpressible("that there is no descriptor")) };
    let buffers = descriptor.buffers.as_deref().unwrap_or_default();
    let is_good = descriptor.version == 0
        && descriptor.count as usize == buffers.len()
        && buffers.iter().all(|buffer| buffer.count as usize == buffer.data.as_ref().map_or(0, Vec::len));
    if is_good { Ok(buffers) } else { Err(inexpressible("a flawed descriptor")) }
}

/// Buffers that are read, or empty ones that are written: the crate grows them as it needs.
fn owned(buffers: &[Buffer], is_output: bool) -> Result<Vec<SecurityBuffer>, SubjectError> {
    let own = |buffer: &Buffer| {
        let octets = if is_output { Vec::new() } else { buffer.bytes().to_vec() };
        Ok(SecurityBuffer::new(octets, buffer_type(buffer)?))
    };
    buffers.iter().map(own).collect()
}

/// The descriptor after the call. What the crate wrote beyond the room given is its own; the room is the caller's.
fn written(told: Option<&Descriptor>, buffers: &[SecurityBuffer]) -> Option<Descriptor> {
    let mut descriptor = told?.clone();
    for (buffer, after) in descriptor.buffers.iter_mut().flatten().zip(buffers) {
        if let (false, Some(data)) = (after.buffer.is_empty(), &mut buffer.data) {
            let length = after.buffer.len().max(data.len());
            data.resize(length, 0);
            data[..after.buffer.len()].copy_from_slice(&after.buffer);
        }
        if buffer.data.is_some() {
            buffer.count = u32::try_from(after.buffer.len()).unwrap_or(u32::MAX);
        }
    }
    Some(descriptor)
}

impl SspiRs {
    fn new_handle(&mut self) -> SecHandle {
        self.made += 1;
        SecHandle { lower: self.made, upper: 0x5353_5049 }
    }

    fn credential(&self, handle: Option<SecHandle>) -> Result<Credentials, SubjectError> {
        let known = handle.and_then(|handle| self.credentials.get(&handle));
        known.cloned().ok_or_else(|| inexpressible("credentials that there are not"))
    }

    /// The context, taken out: exactly one owner has it. A new one where none is given.
    fn take(&mut self, handle: Option<SecHandle>) -> Result<(SecHandle, Context), SubjectError> {
        match handle {
            None => Ok((self.new_handle(), Context { ntlm: Ntlm::new(), sent: 0, received: 0 })),
            Some(handle) => {
                let context = self.contexts.remove(&handle);
                context.map(|context| (handle, context)).ok_or_else(|| inexpressible("a context that there is not"))
            }
        }
    }

    fn context(&mut self, handle: Option<SecHandle>) -> Result<&mut Context, SubjectError> {
        let known = handle.and_then(|handle| self.contexts.get_mut(&handle));
        known.ok_or_else(|| inexpressible("a context that there is not"))
    }

    fn acquire(&mut self, package: &str, usage: u32, identity: Option<&AuthIdentity>) -> Result<Outcome, SubjectError> {
        if !package.eq_ignore_ascii_case(sspi::ntlm::PKG_NAME) {
            return Err(inexpressible("the name of another package"));
        }
        let usage = match usage {
            1 => CredentialUse::Inbound,
            2 => CredentialUse::Outbound,
            3 => CredentialUse::Both,
            _other => return Err(inexpressible("this use of credentials")),
        };
        let identity = identity.map(|identity| {
            let domain = Some(identity.domain.as_str()).filter(|domain| !domain.is_empty());
            let username = Username::new(&identity.user, domain);
            username.map(|username| sspi::AuthIdentity { username, password: identity.password.clone().into() })
        });
        let identity = identity.transpose().map_err(|_| inexpressible("this name of a user"))?;
        let mut ntlm = Ntlm::new();
        let builder = ntlm.acquire_credentials_handle().with_credential_use(usage);
        let result = match &identity {
            Some(identity) => builder.with_auth_data(identity).execute(&mut ntlm),
            None => builder.execute(&mut ntlm),
        };
        let mut outcome = blank(status(&result.as_ref().map(|_| sspi::SecurityStatus::Ok).map_err(Clone::clone)));
        if let Ok(acquired) = result {
            let handle = self.new_handle();
            self.credentials.insert(handle, acquired.credentials_handle);
            outcome.handle = Some(handle);
        }
        Ok(outcome)
    }

    fn establish(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let is_initiator = matches!(call, Call::InitializeSecurityContext { .. });
        let mut credential = self.credential(call.credential())?;
        let told_input = match call {
            Call::InitializeSecurityContext { input, .. } | Call::AcceptSecurityContext { input, .. } => input.as_ref(),
            _other => None,
        };
        let mut input = match told_input {
            None => None,
            some => Some(owned(buffers(some)?, false)?),
        };
        let mut output = owned(buffers(call.output())?, true)?;
        let (handle, mut context) = self.take(call.context())?;
        let ntlm = &mut context.ntlm;
        let result = if is_initiator {
            let target = match call {
                Call::InitializeSecurityContext { target_name, .. } => target_name.clone().unwrap_or_default(),
                _other => Vec::new(),
            };
            let target = String::from_utf8(target).map_err(|_| inexpressible("a target that is no UTF-8"))?;
            let mut builder = ntlm
                .initialize_security_context()
                .with_credentials_handle(&mut credential)
                .with_context_requirements(ClientRequestFlags::from_bits_truncate(call.requirements()))
                .with_target_data_representation(DataRepresentation::Native)
                .with_target_name(&target)
                .with_output(&mut output);
            if let Some(input) = &mut input {
                builder = builder.with_input(input);
            }
            ntlm.initialize_security_context_impl(&mut builder)
                .and_then(|mut generator| generator.resolve_to_result())
                .map(|result| (result.status, result.flags.bits()))
        } else {
            let builder = ntlm
                .accept_security_context()
                .with_credentials_handle(&mut credential)
                .with_context_requirements(ServerRequestFlags::from_bits_truncate(call.requirements()))
                .with_target_data_representation(DataRepresentation::Native)
                .with_output(&mut output);
            let builder = match &mut input {
                Some(input) => builder.with_input(input),
                None => builder,
            };
            ntlm.accept_security_context_impl(builder)
                .and_then(|mut generator| generator.resolve_to_result())
                .map(|result| (result.status, result.flags.bits()))
        };
        let mut outcome = blank(status(&result.as_ref().map(|(status, _)| *status).map_err(Clone::clone)));
        outcome.input = told_input.cloned();
        outcome.output = call.output().cloned();
        if let Ok((_, flags)) = result {
            outcome.output = written(call.output(), &output);
            outcome.handle = Some(handle);
            outcome.granted = Some(flags);
            outcome.expiry = Some(0);
        }
        if outcome.handle.is_some() || call.context().is_some() {
            self.contexts.insert(handle, context);
        }
        Ok(outcome)
    }

    fn complete(&mut self, context: Option<SecHandle>, token: Option<&Descriptor>) -> Result<Outcome, SubjectError> {
        let mut message = owned(buffers(token)?, false)?;
        let result = self.context(context)?.ntlm.complete_auth_token(&mut message);
        let mut outcome = blank(status(&result));
        // As it was, unless the crate changed it.
        let is_same = buffers(token)?.iter().zip(&message).all(|(told, after)| told.bytes() == after.buffer);
        outcome.output = if is_same { token.cloned() } else { written(token, &message) };
        Ok(outcome)
    }

    fn protect(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let told = call.output();
        let mut descriptor = told.cloned();
        buffers(told)?;
        let context = self.context(call.context())?;
        let kinds: Vec<BufferType> = buffers(told)?.iter().map(buffer_type).collect::<Result<_, _>>()?;
        let mut quality = None;
        let (result, lengths) = {
            let memory = descriptor.iter_mut().filter_map(|descriptor| descriptor.buffers.as_mut()).flatten();
            let octets = memory.map(|buffer| buffer.data.as_deref_mut().unwrap_or_default());
            let mut message = Vec::new();
            for (octets, kind) in octets.zip(kinds) {
                message.push(match kind {
                    BufferType::Data => SecurityBufferRef::data_buf(octets),
                    BufferType::Token => SecurityBufferRef::token_buf(octets),
                    BufferType::Stream => SecurityBufferRef::stream_buf(octets),
                    BufferType::Padding => SecurityBufferRef::padding_buf(octets),
                    _other => return Err(inexpressible("a message with a buffer of this type")),
                });
            }
            let result = match call {
                Call::MakeSignature { .. } => {
                    let result = context.ntlm.make_signature(0, &mut message, context.sent);
                    context.sent += u32::from(result.is_ok());
                    result.map(|()| sspi::SecurityStatus::Ok)
                }
                Call::VerifySignature { .. } => {
                    let result = context.ntlm.verify_signature(&mut message, context.received);
                    context.received += u32::from(result.is_ok());
                    result.map(|_| sspi::SecurityStatus::Ok)
                }
                Call::EncryptMessage { .. } => context.ntlm.encrypt_message(EncryptionFlags::empty(), &mut message),
                _decrypts => context.ntlm.decrypt_message(&mut message).map(|flags| {
                    quality = Some(flags.bits());
                    sspi::SecurityStatus::Ok
                }),
            };
            let lengths: Vec<usize> = message.iter().map(SecurityBufferRef::buf_len).collect();
            (result, lengths)
        };
        for (buffer, length) in descriptor.iter_mut().filter_map(|all| all.buffers.as_mut()).flatten().zip(lengths) {
            buffer.count = u32::try_from(length).unwrap_or(u32::MAX);
        }
        Ok(Outcome { output: descriptor, quality, ..blank(status(&result)) })
    }

    fn query(&mut self, context: Option<SecHandle>, attribute: u32) -> Result<Outcome, SubjectError> {
        let ntlm = &mut self.context(context)?.ntlm;
        let result = match attribute {
            SIZES => ntlm.query_context_sizes().map(|sizes| Attribute::Sizes {
                maximum_signature: sizes.max_signature,
                block_size: sizes.block,
                security_trailer: sizes.security_trailer,
            }),
            NAMES => ntlm.query_context_names().map(|names| Attribute::Names(names.username.inner().to_owned())),
            SESSION_KEY => ntlm
                .query_context_session_key()
                .map(|keys| Attribute::SessionKey(SessionKeyBytes(keys.session_key.as_ref().clone()))),
            PACKAGE_INFO => ntlm.query_context_package_info().map(|_| Attribute::Other),
            _other => return Err(inexpressible("the number of this attribute")),
        };
        let mut outcome = blank(status(&result.as_ref().map(|_| sspi::SecurityStatus::Ok).map_err(Clone::clone)));
        outcome.attribute = result.ok();
        Ok(outcome)
    }

    fn answer(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        match call {
            Call::AcquireCredentialsHandle { package, credential_use, identity, .. } => {
                self.acquire(package, *credential_use, identity.as_ref())
            }
            Call::FreeCredentialsHandle { credential } => {
                let known = credential.and_then(|handle| self.credentials.remove(&handle));
                known.map(|_| blank(SecurityStatus(0))).ok_or_else(|| inexpressible("credentials that there are not"))
            }
            // What the crate tells of packages is a value: there is nothing to give back.
            Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. } => Err(inexpressible("memory that the package gives away")),
            Call::DeleteSecurityContext { context } => {
                let known = context.and_then(|handle| self.contexts.remove(&handle));
                known.map(|_| blank(SecurityStatus(0))).ok_or_else(|| inexpressible("a context that there is not"))
            }
            Call::InitializeSecurityContext { .. } | Call::AcceptSecurityContext { .. } => self.establish(call),
            Call::CompleteAuthToken { context, token } => self.complete(*context, token.as_ref()),
            Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. } => self.protect(call),
            Call::QueryContextAttributes { context, attribute } => self.query(*context, *attribute),
        }
    }
}

fn blank(status: SecurityStatus) -> Outcome {
    Outcome {
        status,
        handle: None,
        input: None,
        output: None,
        attribute: None,
        granted: None,
        expiry: None,
        quality: None,
    }
}

impl Subject for SspiRs {
    fn name(&self) -> String {
        "sspi-rs, NTLM of the crate sspi".into()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        BTreeSet::new()
    }

    fn start(&mut self, _setup: &Setup) -> Result<(), SubjectError> {
        self.credentials.clear();
        self.contexts.clear();
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        catch_unwind(AssertUnwindSafe(|| self.answer(call))).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(SubjectError::Crashed(format!("panicked: {said}")))
        })
    }
}

fn main() -> std::io::Result<()> {
    serve(&mut SspiRs::default(), BufReader::new(stdin().lock()), stdout().lock())
}
