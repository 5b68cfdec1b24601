//! MakeSignature, VerifySignature, EncryptMessage and DecryptMessage.
//!
//! MessageSeqNo is ignored: Digest counts itself (`encryptmessage--digest`, `decryptmessage--digest`).
#![allow(unsafe_code, reason = "exports functions that take pointers of a caller in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]

use super::buffers::{Layout, Message};
use super::constants::{SEC_E_INVALID_HANDLE, SEC_E_QOP_NOT_SUPPORTED};
use super::memory;
use super::provider::{from_c, package};
use super::status::{Failed, succeed};
use super::trace::Recording;
use super::types::{CtxtHandle, SECURITY_STATUS, SecBufferDesc};
use crate::buffer::SecHandle;

/// HTTP: makes the Authorization of a client's next request. SASL: signs a message.
///
/// HTTP: PKG_PARAMS in order method, URL, H(Entity); the first writable PADDING, or a second TOKEN, receives it. SASL:
/// the first DATA is the message; the first writable TOKEN or PADDING receives 16 bytes. MessageSeqNo is ignored.
///
/// SEC_E_QOP_NOT_SUPPORTED: fQOP is not 0.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn MakeSignature(
    phContext: *mut CtxtHandle,
    fQOP: u32,
    pMessage: *mut SecBufferDesc,
    _MessageSeqNo: u32,
) -> SECURITY_STATUS {
    succeed("MakeSignature", |trace| {
        // SAFETY: that is what the caller of this function says.
        let context = unsafe { context_for(phContext, fQOP, trace) }?;
        // SAFETY: as above.
        let mut message = unsafe { Message::read(pMessage, Layout::Signature) }?;
        let result = Message::call(message.as_mut(), |message| package().make_signature(context, message));
        // SAFETY: as above.
        unsafe { Message::write_back(message.as_mut()) };
        trace.message("pMessage", message.as_ref());
        Ok(result?)
    })
}

/// HTTP: finds and completes a further request of a server's session in one call. SASL: verifies a signature.
///
/// HTTP: the layout of CompleteAuthToken. SASL: the first DATA is the message, the first TOKEN or PADDING its
/// signature. MessageSeqNo is ignored. *pfQOP becomes 0; pfQOP may be NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn VerifySignature(
    phContext: *mut CtxtHandle,
    pMessage: *mut SecBufferDesc,
    _MessageSeqNo: u32,
    pfQOP: *mut u32,
) -> SECURITY_STATUS {
    succeed("VerifySignature", |trace| {
        // SAFETY: that is what the caller of this function says.
        let (context, mut message) =
            unsafe { (memory::read(phContext).map(from_c), Message::read(pMessage, Layout::Input)?) };
        trace.handle("phContext", context);
        trace.message("pMessage", message.as_ref());
        Message::call(message.as_mut(), |message| package().verify_signature(context, message))?;
        // SAFETY: as above.
        unsafe { memory::write(pfQOP, 0) };
        Ok(())
    })
}

/// SASL: wraps a message.
///
/// The first writable DATA is the message, and is replaced; the first writable PADDING, else STREAM_TRAILER, else a
/// second DATA receives what follows it on the wire. The 4 bytes of the length before both are the caller's.
/// MessageSeqNo is ignored.
///
/// SEC_E_QOP_NOT_SUPPORTED: fQOP is not 0.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn EncryptMessage(
    phContext: *mut CtxtHandle,
    fQOP: u32,
    pMessage: *mut SecBufferDesc,
    _MessageSeqNo: u32,
) -> SECURITY_STATUS {
    succeed("EncryptMessage", |trace| {
        // SAFETY: that is what the caller of this function says.
        let context = unsafe { context_for(phContext, fQOP, trace) }?;
        // SAFETY: as above.
        let mut message = unsafe { Message::read(pMessage, Layout::Encryption) }?;
        let result = Message::call(message.as_mut(), |message| package().encrypt_message(context, message));
        // SAFETY: as above.
        unsafe { Message::write_back(message.as_mut()) };
        trace.message("pMessage", message.as_ref());
        Ok(result?)
    })
}

/// SASL: unwraps a message.
///
/// The first writable STREAM or DATA holds the wrapped message without the 4 bytes of its length; the plaintext
/// replaces it, and cbBuffer becomes its length. Where that was a STREAM, the first writable DATA whose cbBuffer is 0
/// then points to the plaintext within it. MessageSeqNo is ignored. *pfQOP becomes SIGN_ONLY, or 0 for what was
/// encrypted; pfQOP may be NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DecryptMessage(
    phContext: *mut CtxtHandle,
    pMessage: *mut SecBufferDesc,
    _MessageSeqNo: u32,
    pfQOP: *mut u32,
) -> SECURITY_STATUS {
    succeed("DecryptMessage", |trace| {
        // SAFETY: that is what the caller of this function says.
        let (context, mut message) =
            unsafe { (memory::read(phContext).map(from_c), Message::read(pMessage, Layout::Decryption)?) };
        trace.handle("phContext", context);
        let protection = Message::call(message.as_mut(), |message| package().decrypt_message(context, message));
        if protection.is_ok() {
            // SAFETY: as above.
            unsafe {
                Message::write_back(message.as_mut());
                if let Some(message) = &message {
                    message.point_to_plaintext();
                }
            }
        }
        trace.message("pMessage", message.as_ref());
        // SAFETY: as above.
        unsafe { memory::write(pfQOP, protection?.bits()) };
        Ok(())
    })
}

/// The context, for the one quality of protection that there is: 0, that of the context.
///
/// # Safety
/// `context` is NULL, or can be read.
unsafe fn context_for(
    context: *const CtxtHandle,
    quality: u32,
    trace: &mut Recording,
) -> Result<Option<SecHandle>, Failed> {
    // SAFETY: that is what the caller of this function says.
    let context = unsafe { memory::read(context) }.map(from_c);
    trace.handle("phContext", context);
    match (context.and_then(|context| package().state(context)), quality) {
        (_, 0) => Ok(context),
        (Some(_), _) => Err(Failed(SEC_E_QOP_NOT_SUPPORTED)),
        (None, _) => Err(Failed(SEC_E_INVALID_HANDLE)),
    }
}
