//! AcquireCredentialsHandle and FreeCredentialsHandle.
#![allow(unsafe_code, reason = "exports functions that take pointers of a caller in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]
#![allow(clippy::too_many_arguments, reason = "the signatures are those of the Windows headers")]

use core::ffi::c_void;

use super::constants::{SEC_E_INVALID_PARAMETER, SEC_E_SECPKG_NOT_FOUND, SEC_E_UNKNOWN_CREDENTIALS};
use super::function_types::SEC_GET_KEY_FN;
use super::provider::{from_c, package, to_c};
use super::status::{Failed, succeed};
use super::strings::{Ansi, Encoding, Wide};
use super::trace::Recording;
use super::types::{CredHandle, LARGE_INTEGER, LUID, SEC_CHAR, SEC_WCHAR, SECURITY_STATUS, TimeStamp};
use super::{identity, memory};

/// Acquires a handle of credentials; strings in the encoding of the A functions.
///
/// pszPackage is WDIGEST_SP_NAME. Inbound handles of the same pszPrincipal share challenges and sessions; pszPrincipal
/// may be NULL. pAuthData is a SEC_WINNT_AUTH_IDENTITY or SEC_WINNT_AUTH_IDENTITY_EX, in the encoding that its Flags
/// say; outbound needs one. pvLogonID must be NULL. pGetKeyFn and pvGetKeyArgument are ignored. ptsExpiry may be NULL.
///
/// SEC_E_INVALID_PARAMETER: phCredential is NULL. SEC_E_UNKNOWN_CREDENTIALS also for an identity that is malformed.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn AcquireCredentialsHandleA(
    pszPrincipal: *mut SEC_CHAR,
    pszPackage: *mut SEC_CHAR,
    fCredentialUse: u32,
    pvLogonID: *mut c_void,
    pAuthData: *mut c_void,
    _pGetKeyFn: SEC_GET_KEY_FN,
    _pvGetKeyArgument: *mut c_void,
    phCredential: *mut CredHandle,
    ptsExpiry: *mut TimeStamp,
) -> SECURITY_STATUS {
    let names = Names::<Ansi> { principal: pszPrincipal.cast(), package: pszPackage.cast() };
    succeed("AcquireCredentialsHandleA", |trace| {
        // SAFETY: that is what the caller of this function says.
        unsafe { acquire(names, fCredentialUse, pvLogonID, pAuthData, phCredential, ptsExpiry, trace) }
    })
}

/// Acquires a handle of credentials; strings in UTF-16. See AcquireCredentialsHandleA.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn AcquireCredentialsHandleW(
    pszPrincipal: *mut SEC_WCHAR,
    pszPackage: *mut SEC_WCHAR,
    fCredentialUse: u32,
    pvLogonID: *mut c_void,
    pAuthData: *mut c_void,
    _pGetKeyFn: SEC_GET_KEY_FN,
    _pvGetKeyArgument: *mut c_void,
    phCredential: *mut CredHandle,
    ptsExpiry: *mut TimeStamp,
) -> SECURITY_STATUS {
    let names = Names::<Wide> { principal: pszPrincipal, package: pszPackage };
    succeed("AcquireCredentialsHandleW", |trace| {
        // SAFETY: that is what the caller of this function says.
        unsafe { acquire(names, fCredentialUse, pvLogonID, pAuthData, phCredential, ptsExpiry, trace) }
    })
}

/// Frees a handle of credentials. Contexts and sessions survive it.
///
/// # Safety
/// phCredential is NULL, or points to a handle.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn FreeCredentialsHandle(phCredential: *mut CredHandle) -> SECURITY_STATUS {
    succeed("FreeCredentialsHandle", |trace| {
        // SAFETY: that is what the caller of this function says.
        let credential = unsafe { memory::read(phCredential) }.map(from_c);
        trace.handle("phCredential", credential);
        Ok(package().free_credentials_handle(credential)?)
    })
}

struct Names<E: Encoding> {
    principal: *const E::Unit,
    package: *const E::Unit,
}

/// # Safety
/// As AcquireCredentialsHandle.
unsafe fn acquire<E: Encoding>(
    names: Names<E>,
    credential_use: u32,
    logon_id: *const c_void,
    auth_data: *const c_void,
    credential: *mut CredHandle,
    expiry: *mut TimeStamp,
    trace: &mut Recording,
) -> Result<(), Failed> {
    trace.credential_use(credential_use);
    if credential.is_null() {
        trace.given("phCredential", None);
        return Err(Failed(SEC_E_INVALID_PARAMETER));
    }
    // SAFETY: that is what the caller of this function says.
    let (principal, package_name) =
        unsafe { (memory::until_zero(names.principal)?, memory::until_zero(names.package)?) };
    let package_name = package_name.and_then(|name| E::decode(&name)).ok_or(Failed(SEC_E_SECPKG_NOT_FOUND))?;
    let principal =
        principal.map(|principal| E::decode(&principal).ok_or(Failed(SEC_E_UNKNOWN_CREDENTIALS))).transpose()?;
    // SAFETY: as above.
    let logon_id = unsafe { memory::read(logon_id.cast::<LUID>()) };
    let logon_id = logon_id.map(|id| u64::from(id.HighPart.cast_unsigned()) << 32 | u64::from(id.LowPart));
    // SAFETY: as above.
    let identity = unsafe { identity::read(auth_data) }?;
    let acquired = package().acquire_credentials_handle(
        principal.as_ref().map(|principal| principal.as_str()),
        &package_name,
        credential_use,
        logon_id,
        identity.as_ref(),
    )?;
    trace.given("phCredential", Some(acquired.credential));
    // SAFETY: as above.
    unsafe {
        memory::write(credential, to_c(acquired.credential));
        memory::write(expiry, time_stamp(acquired.expiry));
    }
    Ok(())
}

/// A time as C has it.
pub(super) fn time_stamp(time: crate::package::TimeStamp) -> TimeStamp {
    LARGE_INTEGER { QuadPart: i64::try_from(time.0).unwrap_or(i64::MAX) }
}
