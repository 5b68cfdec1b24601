//! AcceptSecurityContext, InitializeSecurityContext, CompleteAuthToken and DeleteSecurityContext.
#![allow(unsafe_code, reason = "exports functions that take pointers of a caller in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]
#![allow(clippy::too_many_arguments, reason = "the signatures are those of the Windows headers")]

use super::buffers::{Layout, Message};
use super::constants::{
    ASC_REQ_ALLOCATE_MEMORY, ASC_RET_ALLOCATED_MEMORY, ISC_REQ_ALLOCATE_MEMORY, ISC_RET_ALLOCATED_MEMORY,
    SEC_E_INVALID_PARAMETER,
};
use super::credentials::time_stamp;
use super::memory;
use super::provider::{from_c, package, to_c};
use super::status::{Failed, answer, succeed};
use super::strings::{Ansi, Encoding, Wide};
use super::trace::Recording;
use super::types::{self, CredHandle, CtxtHandle, SEC_CHAR, SEC_WCHAR, SECURITY_STATUS, SecBufferDesc, TimeStamp};
use crate::buffer::SecHandle;
use crate::package::{AcceptRequirements, InitializeRequirements};
use crate::status::SecurityStatus;

/// The server's side: makes a challenge, or judges a response.
///
/// pInput: TOKEN the response, PKG_PARAMS in order method, reserved, H(Entity), realm (UTF-16LE), CHANNEL_BINDINGS.
/// pOutput: the first writable TOKEN. TargetDataRep is ignored. pfContextAttr and ptsExpiry may be NULL, phNewContext
/// too where there is a phContext; both may be one pointer.
///
/// SEC_E_INVALID_PARAMETER: phNewContext is NULL and phContext too.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn AcceptSecurityContext(
    phCredential: *mut CredHandle,
    phContext: *mut CtxtHandle,
    pInput: *mut SecBufferDesc,
    fContextReq: u32,
    _TargetDataRep: u32,
    phNewContext: *mut CtxtHandle,
    pOutput: *mut SecBufferDesc,
    pfContextAttr: *mut u32,
    ptsExpiry: *mut TimeStamp,
) -> SECURITY_STATUS {
    let results = Results { context: phNewContext, attributes: pfContextAttr, expiry: ptsExpiry };
    answer("AcceptSecurityContext", |trace| {
        trace.flags(fContextReq);
        // SAFETY: that is what the caller of this function says.
        let (credential, context) = unsafe { handles(phCredential, phContext, &results, trace) }?;
        let layout = output_layout(fContextReq & ASC_REQ_ALLOCATE_MEMORY != 0);
        // SAFETY: as above.
        let (mut input, mut output) =
            unsafe { (Message::read(pInput, Layout::Input)?, Message::read(pOutput, layout)?) };
        let accepted = Message::call(input.as_mut(), |input| {
            Message::call(output.as_mut(), |output| {
                let requirements = AcceptRequirements::from_bits_retain(fContextReq);
                package().accept_security_context(credential, context, input, requirements, output)
            })
        });
        // SAFETY: as above.
        let is_allocated = unsafe { Message::write_back(output.as_mut()) };
        trace.message("pInput", input.as_ref());
        trace.message("pOutput", output.as_ref());
        let accepted = accepted?;
        let attributes = accepted.attributes.bits() | if is_allocated { ASC_RET_ALLOCATED_MEMORY } else { 0 };
        // SAFETY: as above.
        unsafe { results.write(accepted.context, attributes, time_stamp(accepted.expiry), trace) };
        Ok(accepted.status)
    })
}

/// The client's side: answers a challenge; pszTargetName in bytes.
///
/// pszTargetName is the request target, on SASL the digest-uri. pInput: TOKEN the challenge or the server's proof,
/// PKG_PARAMS in order method, H(Entity), TARGET_HOST, CHANNEL_BINDINGS. pOutput: the first writable TOKEN. Reserved1,
/// Reserved2 and TargetDataRep are ignored. pfContextAttr and ptsExpiry may be NULL, phNewContext too where there is a
/// phContext; both may be one pointer.
///
/// SEC_E_INVALID_PARAMETER: phNewContext is NULL and phContext too.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn InitializeSecurityContextA(
    phCredential: *mut CredHandle,
    phContext: *mut CtxtHandle,
    pszTargetName: *mut SEC_CHAR,
    fContextReq: u32,
    _Reserved1: u32,
    _TargetDataRep: u32,
    pInput: *mut SecBufferDesc,
    _Reserved2: u32,
    phNewContext: *mut CtxtHandle,
    pOutput: *mut SecBufferDesc,
    pfContextAttr: *mut u32,
    ptsExpiry: *mut TimeStamp,
) -> SECURITY_STATUS {
    let target = pszTargetName.cast_const().cast();
    let results = Results { context: phNewContext, attributes: pfContextAttr, expiry: ptsExpiry };
    answer("InitializeSecurityContextA", |trace| {
        // SAFETY: that is what the caller of this function says.
        unsafe { initialize::<Ansi>(phCredential, phContext, target, fContextReq, pInput, pOutput, &results, trace) }
    })
}

/// The client's side: answers a challenge; pszTargetName in UTF-16. See InitializeSecurityContextA.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn InitializeSecurityContextW(
    phCredential: *mut CredHandle,
    phContext: *mut CtxtHandle,
    pszTargetName: *mut SEC_WCHAR,
    fContextReq: u32,
    _Reserved1: u32,
    _TargetDataRep: u32,
    pInput: *mut SecBufferDesc,
    _Reserved2: u32,
    phNewContext: *mut CtxtHandle,
    pOutput: *mut SecBufferDesc,
    pfContextAttr: *mut u32,
    ptsExpiry: *mut TimeStamp,
) -> SECURITY_STATUS {
    let results = Results { context: phNewContext, attributes: pfContextAttr, expiry: ptsExpiry };
    answer("InitializeSecurityContextW", |trace| {
        // SAFETY: that is what the caller of this function says.
        unsafe {
            initialize::<Wide>(phCredential, phContext, pszTargetName, fContextReq, pInput, pOutput, &results, trace)
        }
    })
}

/// Completes what AcceptSecurityContext or InitializeSecurityContext left to complete.
///
/// pToken of a server: TOKEN the response, PKG_PARAMS in order method, request target, H(Entity), CHANNEL_BINDINGS; the
/// first writable TOKEN or PADDING behind the first TOKEN receives the server's proof, or a challenge. Of a client:
/// TOKEN what InitializeSecurityContext put out, completed in place, PKG_PARAMS in order method, uri, H(Entity).
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn CompleteAuthToken(
    phContext: *mut CtxtHandle,
    pToken: *mut SecBufferDesc,
) -> SECURITY_STATUS {
    succeed("CompleteAuthToken", |trace| {
        // SAFETY: that is what the caller of this function says.
        let (context, mut message) =
            unsafe { (memory::read(phContext).map(from_c), Message::read(pToken, Layout::Completion)?) };
        trace.handle("phContext", context);
        let result = Message::call(message.as_mut(), |message| package().complete_auth_token(context, message));
        // SAFETY: as above. What failed may have put out a challenge.
        unsafe { Message::write_back(message.as_mut()) };
        trace.message("pToken", message.as_ref());
        Ok(result?)
    })
}

/// Deletes a context. One that was deleted before is SEC_E_OK.
///
/// # Safety
/// phContext is NULL, or points to a handle.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DeleteSecurityContext(phContext: *mut CtxtHandle) -> SECURITY_STATUS {
    succeed("DeleteSecurityContext", |trace| {
        // SAFETY: that is what the caller of this function says.
        let context = unsafe { memory::read(phContext) }.map(from_c);
        trace.handle("phContext", context);
        Ok(package().delete_security_context(context)?)
    })
}

/// The parameter that receives a context.
const NEW_CONTEXT: &str = "phNewContext";

/// Where a call puts its results; each may be NULL.
struct Results {
    context: *mut CtxtHandle,
    attributes: *mut u32,
    expiry: *mut TimeStamp,
}

impl Results {
    /// # Safety
    /// Each is NULL, or can be written.
    unsafe fn write(&self, context: SecHandle, attributes: u32, expiry: TimeStamp, trace: &mut Recording) {
        trace.given(NEW_CONTEXT, (!self.context.is_null()).then_some(context));
        // SAFETY: that is what the caller of this function says.
        unsafe {
            memory::write(self.context, to_c(context));
            memory::write(self.attributes, attributes);
            memory::write(self.expiry, expiry);
        }
    }
}

fn output_layout(allocates: bool) -> Layout {
    if allocates { Layout::AllocatedOutput } else { Layout::Output }
}

/// The handles that a call was given. A new context needs a place for its handle, or nobody could ever delete it.
///
/// # Safety
/// Each is NULL, or can be read; that of the results can be written.
unsafe fn handles(
    credential: *const CredHandle,
    context: *const CtxtHandle,
    results: &Results,
    trace: &mut Recording,
) -> Result<(Option<SecHandle>, Option<SecHandle>), Failed> {
    // SAFETY: that is what the caller of this function says.
    let (credential, context) = unsafe { (memory::read(credential).map(from_c), memory::read(context).map(from_c)) };
    trace.handle("phCredential", credential);
    trace.handle("phContext", context);
    if results.context.is_null() {
        trace.given(NEW_CONTEXT, None);
    }
    if context.is_none() {
        if results.context.is_null() {
            return Err(Failed(SEC_E_INVALID_PARAMETER));
        }
        // What fails makes no context, and whoever looks at its handle all the same must find none.
        // SAFETY: it is not NULL, so the caller of this function says that it can be written.
        unsafe { memory::write(results.context, types::SecHandle::default()) };
        trace.given(NEW_CONTEXT, Some(from_c(types::SecHandle::default())));
    }
    Ok((credential, context))
}

/// # Safety
/// As InitializeSecurityContext.
unsafe fn initialize<E: Encoding>(
    credential: *const CredHandle,
    context: *const CtxtHandle,
    target: *const E::Unit,
    requirements: u32,
    input: *const SecBufferDesc,
    output: *const SecBufferDesc,
    results: &Results,
    trace: &mut Recording,
) -> Result<SecurityStatus, Failed> {
    trace.flags(requirements);
    // SAFETY: that is what the caller of this function says.
    let (credential, context) = unsafe { handles(credential, context, results, trace) }?;
    // SAFETY: as above.
    let target = unsafe { memory::until_zero(target) }?.map(|target| E::to_bytes(&target));
    let layout = output_layout(requirements & ISC_REQ_ALLOCATE_MEMORY != 0);
    // SAFETY: as above.
    let (mut input, mut output) = unsafe { (Message::read(input, Layout::Input)?, Message::read(output, layout)?) };
    let initialized = Message::call(input.as_mut(), |input| {
        Message::call(output.as_mut(), |output| {
            let requirements = InitializeRequirements::from_bits_retain(requirements);
            package().initialize_security_context(credential, context, target.as_deref(), requirements, input, output)
        })
    });
    // SAFETY: as above.
    let is_allocated = unsafe { Message::write_back(output.as_mut()) };
    trace.message("pInput", input.as_ref());
    trace.message("pOutput", output.as_ref());
    let initialized = initialized?;
    let attributes = initialized.attributes.bits() | if is_allocated { ISC_RET_ALLOCATED_MEMORY } else { 0 };
    // SAFETY: as above.
    unsafe { results.write(initialized.context, attributes, time_stamp(initialized.expiry), trace) };
    Ok(initialized.status)
}
