//! The types of `sspi.h`, `ntsecapi.h` and `rpcdce.h` that the calls take, member by member.
//!
//! `unsigned long` of Windows has 32 bits, also where a C compiler gives it 64; a wide character has 16 bits.
#![allow(unsafe_code, reason = "says which types have no invalid bit pattern; shows a union")]
#![allow(non_camel_case_types, non_snake_case, reason = "the names are those of the Windows headers")]

use core::ffi::{c_char, c_void};
use core::fmt;

/// What every call returns: a SEC_E_* or SEC_I_* code.
pub type SECURITY_STATUS = i32;
/// A character of the A functions: UTF-8.
pub type SEC_CHAR = c_char;
/// A character of the W functions: UTF-16.
pub type SEC_WCHAR = u16;
/// TRUE or FALSE.
pub type BOOLEAN = u8;

/// A type that any bytes are a value of.
///
/// # Safety
/// The type consists of integers and raw pointers, without padding that matters.
pub(super) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($name:ty),* $(,)?) => {
        $(
            // SAFETY: integers and raw pointers only.
            unsafe impl Plain for $name {}
        )*
    };
}

plain!(u8, u16, u32, LUID, SecHandle, SecBuffer, SecBufferDesc);
plain!(SEC_WINNT_AUTH_IDENTITY_A, SEC_WINNT_AUTH_IDENTITY_W, SEC_WINNT_AUTH_IDENTITY_EXA, SEC_WINNT_AUTH_IDENTITY_EXW);

/// A handle: two words, meaningful only to the package.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecHandle {
    /// The package's own.
    pub dwLower: usize,
    /// The package's own.
    pub dwUpper: usize,
}

/// A handle of credentials.
pub type CredHandle = SecHandle;
/// A handle of a security context.
pub type CtxtHandle = SecHandle;

/// The halves of a 64-bit integer.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LARGE_INTEGER_PARTS {
    /// The lower half.
    pub LowPart: u32,
    /// The upper half.
    pub HighPart: i32,
}

/// A 64-bit integer, whole or in halves.
#[repr(C)]
#[derive(Clone, Copy)]
pub union LARGE_INTEGER {
    /// In halves.
    pub u: LARGE_INTEGER_PARTS,
    /// Whole.
    pub QuadPart: i64,
}

impl fmt::Debug for LARGE_INTEGER {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: both members cover all 8 bytes, and any bytes are an i64.
        formatter.debug_tuple("LARGE_INTEGER").field(unsafe { &self.QuadPart }).finish()
    }
}

/// A time, in 100 ns since 1601.
pub type TimeStamp = LARGE_INTEGER;

/// A locally unique identifier.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LUID {
    /// The lower half.
    pub LowPart: u32,
    /// The upper half.
    pub HighPart: i32,
}

/// One buffer of a message.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecBuffer {
    /// Length of what is in pvBuffer; of an output buffer its room before the call.
    pub cbBuffer: u32,
    /// SECBUFFER_*.
    pub BufferType: u32,
    /// The memory; NULL where cbBuffer is 0.
    pub pvBuffer: *mut c_void,
}

/// The buffers of a whole message.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecBufferDesc {
    /// SECBUFFER_VERSION.
    pub ulVersion: u32,
    /// How many buffers there are.
    pub cBuffers: u32,
    /// The buffers; NULL where there are none.
    pub pBuffers: *mut SecBuffer,
}

/// Who a client is. Which of the two encodings it holds is told by Flags, not by the function.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SEC_WINNT_AUTH_IDENTITY_A {
    /// The user name.
    pub User: *mut u8,
    /// Its length in bytes, without a NUL.
    pub UserLength: u32,
    /// The domain; NULL for none.
    pub Domain: *mut u8,
    /// Its length in bytes, without a NUL.
    pub DomainLength: u32,
    /// The password; NULL for an empty one.
    pub Password: *mut u8,
    /// Its length in bytes, without a NUL.
    pub PasswordLength: u32,
    /// SEC_WINNT_AUTH_IDENTITY_ANSI.
    pub Flags: u32,
}

/// Who a client is, in UTF-16.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SEC_WINNT_AUTH_IDENTITY_W {
    /// The user name.
    pub User: *mut u16,
    /// Its length in characters, without a NUL.
    pub UserLength: u32,
    /// The domain; NULL for none.
    pub Domain: *mut u16,
    /// Its length in characters, without a NUL.
    pub DomainLength: u32,
    /// The password; NULL for an empty one.
    pub Password: *mut u16,
    /// Its length in characters, without a NUL.
    pub PasswordLength: u32,
    /// SEC_WINNT_AUTH_IDENTITY_UNICODE.
    pub Flags: u32,
}

/// Who a client is, with a version before it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SEC_WINNT_AUTH_IDENTITY_EXA {
    /// SEC_WINNT_AUTH_IDENTITY_VERSION.
    pub Version: u32,
    /// The size of this structure.
    pub Length: u32,
    /// The user name.
    pub User: *mut u8,
    /// Its length in bytes, without a NUL.
    pub UserLength: u32,
    /// The domain; NULL for none.
    pub Domain: *mut u8,
    /// Its length in bytes, without a NUL.
    pub DomainLength: u32,
    /// The password; NULL for an empty one.
    pub Password: *mut u8,
    /// Its length in bytes, without a NUL.
    pub PasswordLength: u32,
    /// SEC_WINNT_AUTH_IDENTITY_ANSI.
    pub Flags: u32,
    /// For Negotiate; not read.
    pub PackageList: *mut u8,
    /// For Negotiate; not read.
    pub PackageListLength: u32,
}

/// Who a client is, in UTF-16, with a version before it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SEC_WINNT_AUTH_IDENTITY_EXW {
    /// SEC_WINNT_AUTH_IDENTITY_VERSION.
    pub Version: u32,
    /// The size of this structure.
    pub Length: u32,
    /// The user name.
    pub User: *mut u16,
    /// Its length in characters, without a NUL.
    pub UserLength: u32,
    /// The domain; NULL for none.
    pub Domain: *mut u16,
    /// Its length in characters, without a NUL.
    pub DomainLength: u32,
    /// The password; NULL for an empty one.
    pub Password: *mut u16,
    /// Its length in characters, without a NUL.
    pub PasswordLength: u32,
    /// SEC_WINNT_AUTH_IDENTITY_UNICODE.
    pub Flags: u32,
    /// For Negotiate; not read.
    pub PackageList: *mut u16,
    /// For Negotiate; not read.
    pub PackageListLength: u32,
}

/// What a package says of itself.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgInfoA {
    /// SECPKG_FLAG_*.
    pub fCapabilities: u32,
    /// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION.
    pub wVersion: u16,
    /// The number that remote procedure calls know the package by.
    pub wRPCID: u16,
    /// The largest token, in bytes.
    pub cbMaxToken: u32,
    /// The name of the package.
    pub Name: *mut SEC_CHAR,
    /// A comment on it.
    pub Comment: *mut SEC_CHAR,
}

/// What a package says of itself, in UTF-16.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgInfoW {
    /// SECPKG_FLAG_*.
    pub fCapabilities: u32,
    /// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION.
    pub wVersion: u16,
    /// The number that remote procedure calls know the package by.
    pub wRPCID: u16,
    /// The largest token, in bytes.
    pub cbMaxToken: u32,
    /// The name of the package.
    pub Name: *mut SEC_WCHAR,
    /// A comment on it.
    pub Comment: *mut SEC_WCHAR,
}
