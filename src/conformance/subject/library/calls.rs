//! A call of the spec as a call in C, and what it did as an outcome.
#![allow(unsafe_code, reason = "calls functions of a library")]

use core::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut};

use super::attributes;
use super::exports::{Encoded, Functions};
use super::frame::{Frame, LentDescriptor, Place};
use super::layouts::{self, ALLOCATE_MEMORY, IDENTITY_ANSI, IDENTITY_UNICODE, NATIVE_DATA, Pointer, SecHandle};
use super::text::Encoding;
use crate::buffer;
use crate::conformance::subject::SubjectError;
use crate::spec::call::{AuthIdentity, Call, Descriptor, Outcome};
use crate::spec::names::CallName;
use crate::status::SecurityStatus;

/// A function, the encoding of its texts, and the texts.
type Chosen<F, const N: usize> = (F, Encoding, [Option<Vec<u8>>; N]);

/// A call under way.
pub(super) struct Caller<'f, 'a> {
    pub(super) functions: &'f Functions,
    pub(super) frame: &'f mut Frame<'a>,
}

/// What comes back beside the status, as far as a function has it.
#[derive(Default)]
struct Results {
    handle: Option<Place>,
    granted: Option<Place>,
    expiry: Option<Place>,
}

fn lacking(call: CallName) -> SubjectError {
    SubjectError::Unable(format!("the library has no {call}"))
}

fn in_c(handle: buffer::SecHandle) -> Result<SecHandle, SubjectError> {
    SecHandle::of(handle).ok_or_else(|| SubjectError::Unable("a handle of this system has fewer bits".into()))
}

/// The status as the spec has it: the same 32 bits.
fn status(code: i32) -> SecurityStatus {
    SecurityStatus(code.cast_unsigned())
}

impl Caller<'_, '_> {
    /// Makes the call.
    ///
    /// # Errors
    /// The library lacks the function, the call cannot be told in C, or what came back cannot be read.
    pub(super) fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let name = call.name();
        let functions = self.functions;
        match call {
            Call::AcquireCredentialsHandle { .. } => self.acquire(call),
            Call::FreeCredentialsHandle { credential } => {
                self.release(functions.free_credentials, *credential, "phCredential", call)
            }
            Call::EnumerateSecurityPackages {} => self.enumerate(name),
            Call::QuerySecurityPackageInfo { package } => self.query_package(package, name),
            Call::FreeContextBuffer { block } => self.free_block(*block, name),
            Call::DeleteSecurityContext { context } => self.release(functions.delete, *context, "phContext", call),
            Call::AcceptSecurityContext { .. } => self.accept(call),
            Call::InitializeSecurityContext { .. } => self.initialize(call),
            Call::CompleteAuthToken { context, token } => {
                let function = functions.complete.ok_or_else(|| lacking(name))?;
                self.message(*context, token.as_ref(), "pToken", |context, token| {
                    // SAFETY: everything is what the function takes, NULL and flaws as the documents forbid them.
                    unsafe { function(context, token) }
                })
            }
            Call::MakeSignature { context, message } => {
                self.protect(functions.make_signature, *context, message.as_ref(), name)
            }
            Call::EncryptMessage { context, message } => {
                self.protect(functions.encrypt, *context, message.as_ref(), name)
            }
            Call::VerifySignature { context, message } => {
                self.unprotect(functions.verify_signature, *context, message.as_ref(), name).map(|(outcome, _)| outcome)
            }
            Call::DecryptMessage { context, message } => {
                let (outcome, quality) = self.unprotect(functions.decrypt, *context, message.as_ref(), name)?;
                let quality = Some(quality).filter(|_| !outcome.status.is_error());
                Ok(Outcome { quality, ..outcome })
            }
            Call::QueryContextAttributes { context, attribute } => self.query(*context, *attribute),
        }
    }

    /// The function in an encoding that can tell all texts, UTF-16 first.
    fn choose<F: Copy, const N: usize>(
        functions: Encoded<F>,
        name: CallName,
        texts: [Option<&[u8]>; N],
    ) -> Result<Chosen<F, N>, SubjectError> {
        let forms = [(functions.wide, Encoding::Wide), (functions.ansi, Encoding::Ansi)];
        if forms.iter().all(|(function, _)| function.is_none()) {
            return Err(lacking(name));
        }
        for (function, encoding) in forms {
            let Some(function) = function else { continue };
            let encoded = texts.map(|text| text.map(|text| encoding.terminated(text)));
            if encoded.iter().all(|text| *text != Some(None)) {
                return Ok((function, encoding, encoded.map(Option::flatten)));
            }
        }
        Err(SubjectError::Unable(format!("{name} of the library cannot be given such a text")))
    }

    /// A handle in memory; NULL for none.
    fn handle(&mut self, handle: Option<buffer::SecHandle>, what: &str) -> Result<*mut SecHandle, SubjectError> {
        let Some(handle) = handle else { return Ok(null_mut()) };
        let handle = in_c(handle)?;
        // The documents do not promise that it stays as it is.
        let place = self.frame.variable(handle, what)?;
        Ok(self.frame.pointer(place))
    }

    fn identity(&mut self, identity: Option<&AuthIdentity>, encoding: Encoding) -> Result<*mut c_void, SubjectError> {
        let Some(identity) = identity else { return Ok(null_mut()) };
        let mut part = |text: &str, what: &str| {
            let (bytes, characters) = encoding.characters(text);
            let at = if text.is_empty() { null_mut() } else { self.frame.constant(&bytes, what)? };
            Ok::<_, SubjectError>((at.cast_const(), u32::try_from(characters).unwrap_or(u32::MAX)))
        };
        let (user, user_length) = part(&identity.user, "User")?;
        let (domain, domain_length) = part(&identity.domain, "Domain")?;
        let (password, password_length) = part(&identity.password, "Password")?;
        let flags = match encoding {
            Encoding::Wide => IDENTITY_UNICODE,
            Encoding::Ansi => IDENTITY_ANSI,
        };
        let padding = 0;
        let structure = layouts::AuthIdentity {
            user,
            user_length,
            padding,
            domain,
            domain_length,
            padding_too: padding,
            password,
            password_length,
            flags,
        };
        self.frame.structure(structure, "pAuthData")
    }

    fn acquire(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let Call::AcquireCredentialsHandle { principal, package, credential_use, logon_id, identity } = call else {
            return Err(lacking(call.name()));
        };
        let texts = [principal.as_deref().map(str::as_bytes), Some(package.as_bytes())];
        let (function, encoding, [principal, package]) = Self::choose(self.functions.acquire, call.name(), texts)?;
        let principal = self.frame.optional(principal.as_deref(), "pszPrincipal")?;
        let package = self.frame.optional(package.as_deref(), "pszPackage")?;
        // A LUID: the lower half, then the upper.
        let logon_id = logon_id.map(|id| [id as u32, (id >> 32) as u32].map(u32::to_ne_bytes).concat());
        let logon_id = self.frame.optional(logon_id.as_deref(), "pvLogonID")?;
        let identity = self.identity(identity.as_ref(), encoding)?;
        let results = Results {
            handle: Some(self.frame.variable(SecHandle::default(), "phCredential")?),
            granted: None,
            expiry: Some(self.frame.variable(0_i64, "ptsExpiry")?),
        };
        let (handle, expiry) = (self.pointer(results.handle), self.pointer(results.expiry));
        // SAFETY: everything is what the function takes.
        let code = unsafe {
            function(principal, package, *credential_use, logon_id, identity, null_mut(), null_mut(), handle, expiry)
        };
        Ok(self.outcome(status(code), &results))
    }

    fn release(
        &mut self,
        function: Option<layouts::Release>,
        handle: Option<buffer::SecHandle>,
        what: &str,
        call: &Call,
    ) -> Result<Outcome, SubjectError> {
        let function = function.ok_or_else(|| lacking(call.name()))?;
        let handle = self.handle(handle, what)?;
        // SAFETY: everything is what the function takes.
        let code = unsafe { function(handle) };
        Ok(self.outcome(status(code), &Results::default()))
    }

    fn enumerate(&mut self, name: CallName) -> Result<Outcome, SubjectError> {
        let (function, encoding, []) = Self::choose(self.functions.enumerate_packages, name, [])?;
        let count = self.frame.variable(0_u32, "pcPackages")?;
        let packages = self.frame.variable(Pointer { to: null_mut() }, "ppPackageInfo")?;
        // SAFETY: everything is what the function takes.
        let code = unsafe { function(self.frame.pointer(count), self.frame.pointer(packages)) };
        self.told(status(code), packages, self.frame.value(count), encoding)
    }

    fn query_package(&mut self, package: &str, name: CallName) -> Result<Outcome, SubjectError> {
        let texts = [Some(package.as_bytes())];
        let (function, encoding, [package]) = Self::choose(self.functions.query_package, name, texts)?;
        let package = self.frame.optional(package.as_deref(), "pszPackageName")?;
        let told = self.frame.variable(Pointer { to: null_mut() }, "ppPackageInfo")?;
        // SAFETY: everything is what the function takes.
        let code = unsafe { function(package, self.frame.pointer(told)) };
        self.told(status(code), told, 1, encoding)
    }

    /// The memory that a library gave away, and what it says of packages.
    fn told(
        &self,
        status: SecurityStatus,
        packages: Place,
        count: u32,
        encoding: Encoding,
    ) -> Result<Outcome, SubjectError> {
        let Pointer { to } = self.frame.value(packages);
        let handle = (!to.is_null()).then(|| buffer::SecHandle { lower: to.expose_provenance() as u64, upper: 0 });
        let reports = !status.is_error() && handle.is_some();
        let attribute = reports.then(|| attributes::packages(to, count, encoding)).transpose()?;
        Ok(Outcome { handle, attribute, ..self.outcome(status, &Results::default()) })
    }

    fn free_block(&mut self, block: Option<buffer::SecHandle>, name: CallName) -> Result<Outcome, SubjectError> {
        let function = self.functions.free_buffer.ok_or_else(|| lacking(name))?;
        let address = block.map_or(Ok(0), |block| usize::try_from(block.lower));
        let address = address.map_err(|_| SubjectError::Unable("a pointer of this system has fewer bits".into()))?;
        // SAFETY: it is memory of the library that nobody reads any more, NULL, or anything else where the library says
        // that it tells; see `Library::call`.
        let code = unsafe { function(with_exposed_provenance_mut(address)) };
        Ok(self.outcome(status(code), &Results::default()))
    }

    fn accept(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let function = self.functions.accept.ok_or_else(|| lacking(call.name()))?;
        self.establish(call, None, |establishing| {
            let Establishing { credential, context, requirements, input, output, new_context, granted, expiry, .. } =
                establishing;
            // SAFETY: everything is what the function takes, NULL and flaws as the documents forbid them.
            unsafe {
                function(credential, context, input, requirements, NATIVE_DATA, new_context, output, granted, expiry)
            }
        })
    }

    fn initialize(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let target = match call {
            Call::InitializeSecurityContext { target_name, .. } => target_name.as_deref(),
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::AcceptSecurityContext { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => None,
        };
        let (function, _, [target]) = Self::choose(self.functions.initialize, call.name(), [target])?;
        self.establish(call, target.as_deref(), |establishing| {
            let Establishing {
                credential,
                context,
                target,
                requirements,
                input,
                output,
                new_context,
                granted,
                expiry,
            } = establishing;
            // SAFETY: everything is what the function takes, NULL and flaws as the documents forbid them.
            unsafe {
                function(
                    credential,
                    context,
                    target,
                    requirements,
                    0,
                    NATIVE_DATA,
                    input,
                    0,
                    new_context,
                    output,
                    granted,
                    expiry,
                )
            }
        })
    }

    /// What AcceptSecurityContext and InitializeSecurityContext have in common.
    fn establish(
        &mut self,
        call: &Call,
        target: Option<&[u8]>,
        function: impl FnOnce(Establishing) -> i32,
    ) -> Result<Outcome, SubjectError> {
        let results = Results {
            // Another variable than that of phContext, with the same in it: the pages of both functions allow a caller to
            // pass one for both, so that a package need not write a handle that stays.
            handle: Some(self.frame.variable(call.context().map_or(Ok(SecHandle::default()), in_c)?, "phNewContext")?),
            granted: Some(self.frame.variable(0_u32, "pfContextAttr")?),
            expiry: Some(self.frame.variable(0_i64, "ptsExpiry")?),
        };
        let input = self.frame.descriptor(call.input(), "pInput")?;
        let output = self.frame.descriptor(call.output(), "pOutput")?;
        let establishing = Establishing {
            credential: self.handle(call.credential(), "phCredential")?,
            context: self.handle(call.context(), "phContext")?,
            target: self.frame.optional(target, "pszTargetName")?,
            requirements: call.requirements(),
            input: self.frame.pointer_to(input.as_ref()),
            output: self.frame.pointer_to(output.as_ref()),
            new_context: self.pointer(results.handle),
            granted: self.pointer(results.granted),
            expiry: self.pointer(results.expiry),
        };
        let code = function(establishing);
        let free = self.functions.free_buffer.filter(|_| call.requirements() & ALLOCATE_MEMORY != 0);
        let (input, output) = (self.frame.read(input.as_ref(), None)?, self.frame.read(output.as_ref(), free)?);
        Ok(Outcome { input, output, ..self.outcome(status(code), &results) })
    }

    /// A call that takes a context and one descriptor.
    fn message(
        &mut self,
        context: Option<buffer::SecHandle>,
        message: Option<&Descriptor>,
        what: &str,
        function: impl FnOnce(*mut SecHandle, *mut layouts::SecBufferDesc) -> i32,
    ) -> Result<Outcome, SubjectError> {
        let context = self.handle(context, "phContext")?;
        let message: Option<LentDescriptor<'_>> = self.frame.descriptor(message, what)?;
        let code = function(context, self.frame.pointer_to(message.as_ref()));
        let output = self.frame.read(message.as_ref(), None)?;
        Ok(Outcome { output, ..self.outcome(status(code), &Results::default()) })
    }

    fn protect(
        &mut self,
        function: Option<layouts::Protect>,
        context: Option<buffer::SecHandle>,
        message: Option<&Descriptor>,
        name: CallName,
    ) -> Result<Outcome, SubjectError> {
        let function = function.ok_or_else(|| lacking(name))?;
        self.message(context, message, "pMessage", |context, message| {
            // SAFETY: everything is what the function takes, NULL and flaws as the documents forbid them.
            unsafe { function(context, 0, message, 0) }
        })
    }

    /// The outcome, and the quality of protection.
    fn unprotect(
        &mut self,
        function: Option<layouts::Unprotect>,
        context: Option<buffer::SecHandle>,
        message: Option<&Descriptor>,
        name: CallName,
    ) -> Result<(Outcome, u32), SubjectError> {
        let function = function.ok_or_else(|| lacking(name))?;
        let quality = self.frame.variable(0_u32, "pfQOP")?;
        let at = self.frame.pointer(quality);
        let outcome = self.message(context, message, "pMessage", |context, message| {
            // SAFETY: everything is what the function takes, NULL and flaws as the documents forbid them.
            unsafe { function(context, message, 0, at) }
        })?;
        Ok((outcome, self.frame.value(quality)))
    }

    fn query(&mut self, context: Option<buffer::SecHandle>, attribute: u32) -> Result<Outcome, SubjectError> {
        let (function, encoding, []) = Self::choose(self.functions.query, CallName::QueryContextAttributes, [])?;
        let context = self.handle(context, "phContext")?;
        let room = self.frame.room(&vec![0; attributes::size(attribute)], "pBuffer")?;
        // SAFETY: everything is what the function takes: the room is that of the attribute.
        let code = unsafe { function(context, attribute, self.frame.pointer(room)) };
        let mut outcome = self.outcome(status(code), &Results::default());
        if !outcome.status.is_error() {
            let reported = attributes::read(self.frame, room, attribute, encoding, self.functions.free_buffer)?;
            outcome.attribute = Some(reported);
        }
        Ok(outcome)
    }

    /// A pointer to a variable; NULL for none.
    fn pointer<T>(&self, place: Option<Place>) -> *mut T {
        place.map_or(null_mut(), |place| self.frame.pointer(place))
    }

    /// What a caller reads from its variables.
    fn outcome(&self, status: SecurityStatus, results: &Results) -> Outcome {
        let succeeded = |place: &Option<Place>| place.filter(|_| !status.is_error());
        let expiry = succeeded(&results.expiry).map(|place| self.frame.value::<i64>(place).cast_unsigned());
        Outcome {
            status,
            handle: results.handle.and_then(|place| self.frame.value::<SecHandle>(place).held()),
            input: None,
            output: None,
            attribute: None,
            granted: succeeded(&results.granted).map(|place| self.frame.value(place)),
            expiry,
            quality: None,
        }
    }
}

/// The arguments of AcceptSecurityContext and InitializeSecurityContext.
struct Establishing {
    credential: *mut SecHandle,
    context: *mut SecHandle,
    target: *mut c_void,
    requirements: u32,
    input: *mut layouts::SecBufferDesc,
    output: *mut layouts::SecBufferDesc,
    new_context: *mut SecHandle,
    granted: *mut u32,
    expiry: *mut i64,
}
