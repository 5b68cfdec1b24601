//! EnumerateSecurityPackages, QuerySecurityPackageInfo and FreeContextBuffer.
#![allow(unsafe_code, reason = "exports functions that take pointers of a caller in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]

use core::ffi::c_void;

use super::blocks::{self, TakenBack};
use super::constants::{
    RPC_C_AUTHN_DIGEST, SEC_E_INVALID_HANDLE, SEC_E_INVALID_PARAMETER, SEC_E_SECPKG_NOT_FOUND,
    SECPKG_FLAG_ASCII_BUFFERS, SECPKG_FLAG_CONNECTION, SECPKG_FLAG_INTEGRITY, SECPKG_FLAG_MULTI_REQUIRED,
    SECPKG_FLAG_MUTUAL_AUTH, SECPKG_FLAG_PRIVACY, SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
};
use super::memory;
use super::status::{Failed, succeed};
use super::strings::{Ansi, Encoding, Wide};
use super::trace::Recording;
use super::types::{SEC_CHAR, SEC_WCHAR, SECURITY_STATUS, SecPkgInfoA, SecPkgInfoW};
use crate::package::attributes::PACKAGE_INFO;
use crate::package::{PackageInfo as Told, SecurityPackage};

// What the package says of itself, by the names that callers in C have for it.
const _: () = {
    let capabilities = SECPKG_FLAG_INTEGRITY
        | SECPKG_FLAG_PRIVACY
        | SECPKG_FLAG_CONNECTION
        | SECPKG_FLAG_MULTI_REQUIRED
        | SECPKG_FLAG_ASCII_BUFFERS
        | SECPKG_FLAG_MUTUAL_AUTH;
    assert!(PACKAGE_INFO.capabilities == capabilities);
    assert!(PACKAGE_INFO.version as u32 == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION);
    assert!(PACKAGE_INFO.rpc_id as u32 == RPC_C_AUTHN_DIGEST);
};

/// The packages there are: one. Free the array with FreeContextBuffer.
///
/// SEC_E_INVALID_PARAMETER: a pointer is NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn EnumerateSecurityPackagesA(
    pcPackages: *mut u32,
    ppPackageInfo: *mut *mut SecPkgInfoA,
) -> SECURITY_STATUS {
    // SAFETY: that is what the caller of this function says.
    succeed("EnumerateSecurityPackagesA", |trace| unsafe { enumerate::<Ansi>(pcPackages, ppPackageInfo, trace) })
}

/// The packages there are: one. Free the array with FreeContextBuffer.
///
/// SEC_E_INVALID_PARAMETER: a pointer is NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn EnumerateSecurityPackagesW(
    pcPackages: *mut u32,
    ppPackageInfo: *mut *mut SecPkgInfoW,
) -> SECURITY_STATUS {
    // SAFETY: that is what the caller of this function says.
    succeed("EnumerateSecurityPackagesW", |trace| unsafe { enumerate::<Wide>(pcPackages, ppPackageInfo, trace) })
}

/// What a package says of itself. Free the structure with FreeContextBuffer.
///
/// SEC_E_SECPKG_NOT_FOUND: pszPackageName is not WDIGEST_SP_NAME. SEC_E_INVALID_PARAMETER: ppPackageInfo is NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn QuerySecurityPackageInfoA(
    pszPackageName: *mut SEC_CHAR,
    ppPackageInfo: *mut *mut SecPkgInfoA,
) -> SECURITY_STATUS {
    let name = pszPackageName.cast_const().cast();
    // SAFETY: that is what the caller of this function says.
    succeed("QuerySecurityPackageInfoA", |trace| unsafe { query::<Ansi>(name, ppPackageInfo, trace) })
}

/// What a package says of itself. Free the structure with FreeContextBuffer.
///
/// SEC_E_SECPKG_NOT_FOUND: pszPackageName is not WDIGEST_SP_NAME. SEC_E_INVALID_PARAMETER: ppPackageInfo is NULL.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn QuerySecurityPackageInfoW(
    pszPackageName: *mut SEC_WCHAR,
    ppPackageInfo: *mut *mut SecPkgInfoW,
) -> SECURITY_STATUS {
    // SAFETY: that is what the caller of this function says.
    succeed("QuerySecurityPackageInfoW", |trace| unsafe { query::<Wide>(pszPackageName, ppPackageInfo, trace) })
}

/// Wipes and frees memory that the package allocated.
///
/// SEC_E_INVALID_HANDLE: the package did not allocate it, or it is freed already; NULL is nothing either.
///
/// # Safety
/// Nobody uses the memory any more. The pointer itself may be any.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn FreeContextBuffer(pvContextBuffer: *mut c_void) -> SECURITY_STATUS {
    succeed("FreeContextBuffer", |trace| {
        let taken_back = blocks::take_back(pvContextBuffer);
        trace.freed(pvContextBuffer.is_null(), &taken_back);
        match taken_back {
            TakenBack::Block(_) => Ok(()),
            TakenBack::Before(_) | TakenBack::Nothing => Err(Failed(SEC_E_INVALID_HANDLE)),
        }
    })
}

/// An encoding in which a package says what it is.
pub(super) trait PackageInfo: Encoding {
    /// SecPkgInfo.
    type Info: Copy;

    fn info(told: Told, name: *mut c_void, comment: *mut c_void) -> Self::Info;
}

impl PackageInfo for Ansi {
    type Info = SecPkgInfoA;

    fn info(told: Told, name: *mut c_void, comment: *mut c_void) -> SecPkgInfoA {
        SecPkgInfoA {
            fCapabilities: told.capabilities,
            wVersion: told.version,
            wRPCID: told.rpc_id,
            cbMaxToken: told.max_token,
            Name: name.cast(),
            Comment: comment.cast(),
        }
    }
}

impl PackageInfo for Wide {
    type Info = SecPkgInfoW;

    fn info(told: Told, name: *mut c_void, comment: *mut c_void) -> SecPkgInfoW {
        SecPkgInfoW {
            fCapabilities: told.capabilities,
            wVersion: told.version,
            wRPCID: told.rpc_id,
            cbMaxToken: told.max_token,
            Name: name.cast(),
            Comment: comment.cast(),
        }
    }
}

/// A block with what the package says of itself.
pub(super) fn give_info<E: PackageInfo>(told: Told) -> *mut E::Info {
    let strings = [E::encode(told.name), E::encode(told.comment)];
    let [name, comment] = &strings;
    blocks::give_structure([name, comment], |[name, comment]| E::info(told, name, comment))
}

/// # Safety
/// As EnumerateSecurityPackages.
unsafe fn enumerate<E: PackageInfo>(
    count: *mut u32,
    packages: *mut *mut E::Info,
    trace: &mut Recording,
) -> Result<(), Failed> {
    if count.is_null() || packages.is_null() {
        return Err(Failed(SEC_E_INVALID_PARAMETER));
    }
    // One structure is an array of one.
    let [told] = SecurityPackage::enumerate_security_packages();
    // SAFETY: that is what the caller of this function says.
    unsafe {
        memory::write(packages, trace.allocated(give_info::<E>(told)));
        memory::write(count, 1);
    }
    Ok(())
}

/// # Safety
/// As QuerySecurityPackageInfo.
unsafe fn query<E: PackageInfo>(
    name: *const E::Unit,
    package: *mut *mut E::Info,
    trace: &mut Recording,
) -> Result<(), Failed> {
    // SAFETY: that is what the caller of this function says.
    let name = unsafe { memory::until_zero(name) }?.and_then(|name| E::decode(&name));
    let name = name.ok_or(Failed(SEC_E_SECPKG_NOT_FOUND))?;
    let told = SecurityPackage::query_security_package_info(&name)?;
    if package.is_null() {
        return Err(Failed(SEC_E_INVALID_PARAMETER));
    }
    // SAFETY: as above.
    unsafe { memory::write(package, trace.allocated(give_info::<E>(told))) };
    Ok(())
}
