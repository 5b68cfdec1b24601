//! What is passed to a library: the structures of `sspi.h` and the types of its functions.
//!
//! Declared a second time and not taken from `capi`: that is one of the libraries under test. `unsigned long` of Windows
//! has 32 bits; the headers of WinPR say `ULONG` for it and give that 32 bits on every system. What a compiler pads is a
//! member here.
#![allow(unsafe_code, reason = "types of functions whose callers must say why they may call them")]

use core::ffi::c_void;

use crate::buffer;

/// SecHandle.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SecHandle {
    pub(super) lower: usize,
    pub(super) upper: usize,
}

impl SecHandle {
    /// The same words; `None` where a pointer of this system has fewer bits.
    pub(super) fn of(handle: buffer::SecHandle) -> Option<Self> {
        Some(Self { lower: handle.lower.try_into().ok()?, upper: handle.upper.try_into().ok()? })
    }

    /// The handle that a caller holds now: `None` where it is zeroed, or made invalid in the way of `sspi.h`.
    pub(super) fn held(self) -> Option<buffer::SecHandle> {
        let invalid = Self { lower: usize::MAX, upper: usize::MAX };
        let handle = buffer::SecHandle { lower: self.lower as u64, upper: self.upper as u64 };
        Some(handle).filter(|_| self != Self::default() && self != invalid)
    }
}

/// SecBuffer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct SecBuffer {
    pub(super) count: u32,
    pub(super) buffer_type: u32,
    pub(super) memory: *mut c_void,
}

/// SecBufferDesc.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct SecBufferDesc {
    pub(super) version: u32,
    pub(super) count: u32,
    pub(super) buffers: *mut SecBuffer,
}

/// SEC_WINNT_AUTH_IDENTITY, in either encoding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct AuthIdentity {
    pub(super) user: *const c_void,
    pub(super) user_length: u32,
    pub(super) padding: u32,
    pub(super) domain: *const c_void,
    pub(super) domain_length: u32,
    pub(super) padding_too: u32,
    pub(super) password: *const c_void,
    pub(super) password_length: u32,
    pub(super) flags: u32,
}

/// SEC_WINNT_AUTH_IDENTITY_ANSI.
pub(super) const IDENTITY_ANSI: u32 = 1;
/// SEC_WINNT_AUTH_IDENTITY_UNICODE.
pub(super) const IDENTITY_UNICODE: u32 = 2;
/// ISC_REQ_ALLOCATE_MEMORY and ASC_REQ_ALLOCATE_MEMORY.
pub(super) const ALLOCATE_MEMORY: u32 = 0x100;
/// SECURITY_NATIVE_DREP.
pub(super) const NATIVE_DATA: u32 = 0x10;

/// SecPkgContext_Sizes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) maximum_token: u32,
    pub(super) maximum_signature: u32,
    pub(super) block_size: u32,
    pub(super) security_trailer: u32,
}

/// SecPkgContext_StreamSizes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamSizes {
    pub(super) header: u32,
    pub(super) trailer: u32,
    pub(super) maximum_message: u32,
    pub(super) buffers: u32,
    pub(super) block_size: u32,
}

/// SecPkgContext_Names and SecPkgContext_ClientSpecifiedTarget.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) name: *mut c_void,
}

/// SecPkgContext_KeyInfo.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyInfo {
    pub(super) signature_algorithm_name: *mut c_void,
    pub(super) encryption_algorithm_name: *mut c_void,
    pub(super) key_size: u32,
    pub(super) signature_algorithm: u32,
    pub(super) encryption_algorithm: u32,
    pub(super) padding: u32,
}

/// SecPkgContext_SessionKey.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionKey {
    pub(super) length: u32,
    pub(super) padding: u32,
    pub(super) key: *mut c_void,
}

/// SecPkgInfo.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct PackageInfo {
    pub(super) capabilities: u32,
    pub(super) version: u16,
    pub(super) rpc_id: u16,
    pub(super) maximum_token: u32,
    pub(super) padding: u32,
    pub(super) name: *mut c_void,
    pub(super) comment: *mut c_void,
}

/// A variable that the library makes point to memory of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    pub(super) to: *mut c_void,
}

// Strings are `c_void`, so that the A and W forms of a function have one type.

/// AcquireCredentialsHandle.
pub(super) type Acquire = unsafe extern "system" fn(
    principal: *mut c_void,
    package: *mut c_void,
    credential_use: u32,
    logon_id: *mut c_void,
    identity: *mut c_void,
    get_key: *mut c_void,
    get_key_argument: *mut c_void,
    credential: *mut SecHandle,
    expiry: *mut i64,
) -> i32;

/// InitializeSecurityContext.
pub(super) type Initialize = unsafe extern "system" fn(
    credential: *mut SecHandle,
    context: *mut SecHandle,
    target: *mut c_void,
    requirements: u32,
    reserved: u32,
    data_representation: u32,
    input: *mut SecBufferDesc,
    reserved_too: u32,
    new_context: *mut SecHandle,
    output: *mut SecBufferDesc,
    granted: *mut u32,
    expiry: *mut i64,
) -> i32;

/// AcceptSecurityContext.
pub(super) type Accept = unsafe extern "system" fn(
    credential: *mut SecHandle,
    context: *mut SecHandle,
    input: *mut SecBufferDesc,
    requirements: u32,
    data_representation: u32,
    new_context: *mut SecHandle,
    output: *mut SecBufferDesc,
    granted: *mut u32,
    expiry: *mut i64,
) -> i32;

/// CompleteAuthToken.
pub(super) type Complete = unsafe extern "system" fn(context: *mut SecHandle, token: *mut SecBufferDesc) -> i32;
/// FreeCredentialsHandle and DeleteSecurityContext.
pub(super) type Release = unsafe extern "system" fn(handle: *mut SecHandle) -> i32;
/// QueryContextAttributes.
pub(super) type Query = unsafe extern "system" fn(context: *mut SecHandle, attribute: u32, to: *mut c_void) -> i32;
/// MakeSignature and EncryptMessage.
pub(super) type Protect = unsafe extern "system" fn(
    context: *mut SecHandle,
    quality: u32,
    message: *mut SecBufferDesc,
    sequence_number: u32,
) -> i32;
/// VerifySignature and DecryptMessage.
pub(super) type Unprotect = unsafe extern "system" fn(
    context: *mut SecHandle,
    message: *mut SecBufferDesc,
    sequence_number: u32,
    quality: *mut u32,
) -> i32;
/// EnumerateSecurityPackages.
pub(super) type EnumeratePackages = unsafe extern "system" fn(count: *mut u32, packages: *mut Pointer) -> i32;
/// QuerySecurityPackageInfo.
pub(super) type QueryPackage = unsafe extern "system" fn(name: *mut c_void, package: *mut Pointer) -> i32;
/// FreeContextBuffer.
pub(super) type FreeBuffer = unsafe extern "system" fn(memory: *mut c_void) -> i32;

/// SecurityFunctionTable as far as it is used; it goes on behind that. The A and W forms have one layout.
#[repr(C)]
pub(super) struct FunctionTable {
    pub(super) version: u32,
    pub(super) enumerate_packages: Option<EnumeratePackages>,
    pub(super) query_credentials_attributes: *const c_void,
    pub(super) acquire: Option<Acquire>,
    pub(super) free_credentials: Option<Release>,
    pub(super) reserved_2: *const c_void,
    pub(super) initialize: Option<Initialize>,
    pub(super) accept: Option<Accept>,
    pub(super) complete: Option<Complete>,
    pub(super) delete: Option<Release>,
    pub(super) apply_control_token: *const c_void,
    pub(super) query: Option<Query>,
    pub(super) impersonate: *const c_void,
    pub(super) revert: *const c_void,
    pub(super) make_signature: Option<Protect>,
    pub(super) verify_signature: Option<Unprotect>,
    pub(super) free_buffer: Option<FreeBuffer>,
    pub(super) query_package: Option<QueryPackage>,
    pub(super) reserved_3: *const c_void,
    pub(super) reserved_4: *const c_void,
    pub(super) export: *const c_void,
    pub(super) import: *const c_void,
    pub(super) add_credentials: *const c_void,
    pub(super) reserved_8: *const c_void,
    pub(super) query_token: *const c_void,
    pub(super) encrypt: Option<Protect>,
    pub(super) decrypt: Option<Unprotect>,
}

/// InitSecurityInterface.
pub(super) type Interface = unsafe extern "system" fn() -> *const FunctionTable;
/// InitSecurityInterfaceEx, as WinPR has it.
pub(super) type InterfaceEx = unsafe extern "system" fn(flags: u32) -> *const FunctionTable;
/// DigestSspControl.
pub(super) type Control =
    unsafe extern "C" fn(request: *const u8, request_length: u32, answer: *mut u8, answer_length: *mut u32) -> i32;
