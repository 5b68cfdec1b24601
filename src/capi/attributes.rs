//! QueryContextAttributes.
#![allow(unsafe_code, reason = "exports functions that take pointers of a caller in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]

use core::ffi::c_void;

use super::attribute_types::{
    SecPkgContext_ClientSpecifiedTarget, SecPkgContext_Flags, SecPkgContext_KeyInfoA, SecPkgContext_KeyInfoW,
    SecPkgContext_Lifespan, SecPkgContext_NamesA, SecPkgContext_NamesW, SecPkgContext_PackageInfoA,
    SecPkgContext_PackageInfoW, SecPkgContext_SessionKey, SecPkgContext_Sizes, SecPkgContext_StreamSizes,
};
use super::constants::SEC_E_INVALID_PARAMETER;
use super::credentials::time_stamp;
use super::packages::{PackageInfo, give_info};
use super::provider::{from_c, package};
use super::status::{Failed, succeed};
use super::strings::{Ansi, Wide};
use super::trace::Recording;
use super::types::{CtxtHandle, SECURITY_STATUS};
use super::{blocks, memory};
use crate::package::ContextAttribute;
use crate::package::attributes::PACKAGE_INFO;

/// What an established context has; strings in the encoding of the A functions.
///
/// pBuffer is the structure of the attribute, SecPkgContext_*. Free every pointer in it with FreeContextBuffer.
///
/// SEC_E_INVALID_PARAMETER: pBuffer is NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn QueryContextAttributesA(
    phContext: *mut CtxtHandle,
    ulAttribute: u32,
    pBuffer: *mut c_void,
) -> SECURITY_STATUS {
    // SAFETY: that is what the caller of this function says.
    succeed("QueryContextAttributesA", |trace| unsafe { query::<Ansi>(phContext, ulAttribute, pBuffer, trace) })
}

/// What an established context has; strings in UTF-16. See QueryContextAttributesA.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn QueryContextAttributesW(
    phContext: *mut CtxtHandle,
    ulAttribute: u32,
    pBuffer: *mut c_void,
) -> SECURITY_STATUS {
    // SAFETY: that is what the caller of this function says.
    succeed("QueryContextAttributesW", |trace| unsafe { query::<Wide>(phContext, ulAttribute, pBuffer, trace) })
}

/// An encoding in which attributes are told.
trait Attributes: PackageInfo {
    /// SecPkgContext_Names.
    type Names: Copy;
    /// SecPkgContext_KeyInfo.
    type KeyInfo: Copy;
    /// SecPkgContext_PackageInfo.
    type Package: Copy;

    fn names(user_name: *mut c_void) -> Self::Names;
    fn key_info(signature_algorithm: *mut c_void, encrypt_algorithm: *mut c_void, key_size: u32) -> Self::KeyInfo;
    fn package(info: *mut Self::Info) -> Self::Package;
}

impl Attributes for Ansi {
    type Names = SecPkgContext_NamesA;
    type KeyInfo = SecPkgContext_KeyInfoA;
    type Package = SecPkgContext_PackageInfoA;

    fn names(user_name: *mut c_void) -> SecPkgContext_NamesA {
        SecPkgContext_NamesA { sUserName: user_name.cast() }
    }

    fn key_info(signature: *mut c_void, encrypt: *mut c_void, key_size: u32) -> SecPkgContext_KeyInfoA {
        SecPkgContext_KeyInfoA {
            sSignatureAlgorithmName: signature.cast(),
            sEncryptAlgorithmName: encrypt.cast(),
            KeySize: key_size,
            SignatureAlgorithm: 0,
            EncryptAlgorithm: 0,
        }
    }

    fn package(info: *mut Self::Info) -> SecPkgContext_PackageInfoA {
        SecPkgContext_PackageInfoA { PackageInfo: info }
    }
}

impl Attributes for Wide {
    type Names = SecPkgContext_NamesW;
    type KeyInfo = SecPkgContext_KeyInfoW;
    type Package = SecPkgContext_PackageInfoW;

    fn names(user_name: *mut c_void) -> SecPkgContext_NamesW {
        SecPkgContext_NamesW { sUserName: user_name.cast() }
    }

    fn key_info(signature: *mut c_void, encrypt: *mut c_void, key_size: u32) -> SecPkgContext_KeyInfoW {
        SecPkgContext_KeyInfoW {
            sSignatureAlgorithmName: signature.cast(),
            sEncryptAlgorithmName: encrypt.cast(),
            KeySize: key_size,
            SignatureAlgorithm: 0,
            EncryptAlgorithm: 0,
        }
    }

    fn package(info: *mut Self::Info) -> SecPkgContext_PackageInfoW {
        SecPkgContext_PackageInfoW { PackageInfo: info }
    }
}

/// # Safety
/// As QueryContextAttributes.
unsafe fn query<E: Attributes>(
    context: *const CtxtHandle,
    attribute: u32,
    buffer: *mut c_void,
    trace: &mut Recording,
) -> Result<(), Failed> {
    // SAFETY: that is what the caller of this function says.
    let context = unsafe { memory::read(context) }.map(from_c);
    trace.handle("phContext", context);
    trace.attribute(attribute);
    let attribute = package().query_context_attributes(context, attribute)?;
    if buffer.is_null() {
        return Err(Failed(SEC_E_INVALID_PARAMETER));
    }
    // SAFETY: the caller of this function says that the structure of the attribute can be written there.
    unsafe { write::<E>(&attribute, buffer, trace) };
    Ok(())
}

/// # Safety
/// The structure of that attribute can be written at `buffer`.
unsafe fn write<E: Attributes>(attribute: &ContextAttribute, buffer: *mut c_void, trace: &mut Recording) {
    let mut give = |text: &[u8]| trace.allocated(blocks::give(text));
    // SAFETY: each arm writes the structure of its attribute, as the caller of this function says that one can.
    unsafe {
        match attribute {
            ContextAttribute::Sizes { max_token, max_signature, block_size, security_trailer } => {
                let sizes = SecPkgContext_Sizes {
                    cbMaxToken: *max_token,
                    cbMaxSignature: *max_signature,
                    cbBlockSize: *block_size,
                    cbSecurityTrailer: *security_trailer,
                };
                memory::write(buffer.cast(), sizes);
            }
            ContextAttribute::StreamSizes { header, trailer, maximum_message, buffers, block_size } => {
                let sizes = SecPkgContext_StreamSizes {
                    cbHeader: *header,
                    cbTrailer: *trailer,
                    cbMaximumMessage: *maximum_message,
                    cBuffers: *buffers,
                    cbBlockSize: *block_size,
                };
                memory::write(buffer.cast(), sizes);
            }
            ContextAttribute::Names { user_name } => {
                memory::write(buffer.cast(), E::names(give(&E::encode(user_name))))
            }
            ContextAttribute::Lifespan { start, expiry } => {
                let lifespan = SecPkgContext_Lifespan { tsStart: time_stamp(*start), tsExpiry: time_stamp(*expiry) };
                memory::write(buffer.cast(), lifespan);
            }
            ContextAttribute::SessionKey(key) => {
                let key =
                    SecPkgContext_SessionKey { SessionKeyLength: key.len() as u32, SessionKey: give(&key[..]).cast() };
                memory::write(buffer.cast(), key);
            }
            ContextAttribute::KeyInfo { signature_algorithm, encrypt_algorithm, key_size } => {
                let names = [signature_algorithm, encrypt_algorithm].map(|name| give(&E::encode(name)));
                let info = E::key_info(names[0], names[1], *key_size);
                memory::write(buffer.cast(), info);
            }
            ContextAttribute::PackageInfo { .. } => {
                memory::write(buffer.cast(), E::package(trace.allocated(give_info::<E>(PACKAGE_INFO))));
            }
            ContextAttribute::Flags(flags) => memory::write(buffer.cast(), SecPkgContext_Flags { Flags: *flags }),
            ContextAttribute::ClientSpecifiedTarget(target) => {
                let target = give(&<Wide as super::strings::Encoding>::encode(target));
                memory::write(buffer.cast(), SecPkgContext_ClientSpecifiedTarget { sTargetName: target.cast() });
            }
        }
    }
}
