//! The structures that QueryContextAttributes fills. Pointers in them are freed with FreeContextBuffer.
#![forbid(unsafe_code)]
#![allow(non_camel_case_types, non_snake_case, reason = "the names are those of the Windows headers")]

use super::types::{SEC_CHAR, SEC_WCHAR, SecPkgInfoA, SecPkgInfoW, TimeStamp};

/// SECPKG_ATTR_SIZES, in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_Sizes {
    /// The largest token.
    pub cbMaxToken: u32,
    /// The most that MakeSignature writes.
    pub cbMaxSignature: u32,
    /// The block of a block cipher, else 0.
    pub cbBlockSize: u32,
    /// The most that EncryptMessage adds.
    pub cbSecurityTrailer: u32,
}

/// SECPKG_ATTR_STREAM_SIZES, in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_StreamSizes {
    /// What precedes a message: nothing.
    pub cbHeader: u32,
    /// The most that follows it.
    pub cbTrailer: u32,
    /// The longest message that EncryptMessage takes.
    pub cbMaximumMessage: u32,
    /// How many buffers EncryptMessage needs.
    pub cBuffers: u32,
    /// The block of a block cipher, else 1.
    pub cbBlockSize: u32,
}

/// SECPKG_ATTR_LIFESPAN.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_Lifespan {
    /// When the context began: unknown, 0.
    pub tsStart: TimeStamp,
    /// When it ends: never.
    pub tsExpiry: TimeStamp,
}

/// SECPKG_ATTR_FLAGS.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_Flags {
    /// ASC_RET_* or ISC_RET_*.
    pub Flags: u32,
}

/// SECPKG_ATTR_SESSION_KEY: H(A1), as secret as the password while the session lives.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_SessionKey {
    /// 16.
    pub SessionKeyLength: u32,
    /// The key; FreeContextBuffer wipes it.
    pub SessionKey: *mut u8,
}

/// SECPKG_ATTR_CLIENT_SPECIFIED_TARGET.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_ClientSpecifiedTarget {
    /// The service that the client means, in UTF-16 also from QueryContextAttributesA.
    pub sTargetName: *mut SEC_WCHAR,
}

/// SECPKG_ATTR_NAMES.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_NamesA {
    /// The user of the session.
    pub sUserName: *mut SEC_CHAR,
}

/// SECPKG_ATTR_KEY_INFO.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_KeyInfoA {
    /// What signs.
    pub sSignatureAlgorithmName: *mut SEC_CHAR,
    /// What encrypts; empty for nothing.
    pub sEncryptAlgorithmName: *mut SEC_CHAR,
    /// In bits.
    pub KeySize: u32,
    /// No number is known: 0.
    pub SignatureAlgorithm: u32,
    /// No number is known: 0.
    pub EncryptAlgorithm: u32,
}

/// SECPKG_ATTR_PACKAGE_INFO.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_PackageInfoA {
    /// What the package says of itself, with its strings in one block.
    pub PackageInfo: *mut SecPkgInfoA,
}

/// SECPKG_ATTR_NAMES, in UTF-16.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_NamesW {
    /// The user of the session.
    pub sUserName: *mut SEC_WCHAR,
}

/// SECPKG_ATTR_KEY_INFO, in UTF-16.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_KeyInfoW {
    /// What signs.
    pub sSignatureAlgorithmName: *mut SEC_WCHAR,
    /// What encrypts; empty for nothing.
    pub sEncryptAlgorithmName: *mut SEC_WCHAR,
    /// In bits.
    pub KeySize: u32,
    /// No number is known: 0.
    pub SignatureAlgorithm: u32,
    /// No number is known: 0.
    pub EncryptAlgorithm: u32,
}

/// SECPKG_ATTR_PACKAGE_INFO, in UTF-16.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecPkgContext_PackageInfoW {
    /// What the package says of itself, with its strings in one block.
    pub PackageInfo: *mut SecPkgInfoW,
}
