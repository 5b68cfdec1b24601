//! What QueryContextAttributes tells of an established context.
#![forbid(unsafe_code)]

use super::TimeStamp;

/// SECPKG_ATTR_SIZES.
pub const SECPKG_ATTR_SIZES: u32 = 0;
/// SECPKG_ATTR_NAMES.
pub const SECPKG_ATTR_NAMES: u32 = 1;
/// SECPKG_ATTR_LIFESPAN.
pub const SECPKG_ATTR_LIFESPAN: u32 = 2;
/// SECPKG_ATTR_KEY_INFO.
pub const SECPKG_ATTR_KEY_INFO: u32 = 5;
/// SECPKG_ATTR_SESSION_KEY: never given out.
pub const SECPKG_ATTR_SESSION_KEY: u32 = 9;
/// SECPKG_ATTR_PACKAGE_INFO.
pub const SECPKG_ATTR_PACKAGE_INFO: u32 = 10;
/// SECPKG_ATTR_FLAGS.
pub const SECPKG_ATTR_FLAGS: u32 = 14;

/// The name of the package (WDIGEST_SP_NAME).
pub const PACKAGE_NAME: &str = "WDigest";
/// A comment on the package.
pub const PACKAGE_COMMENT: &str = "HTTP Digest authentication (RFC 2617)";
/// The largest token a caller must make room for, in bytes: a challenge is shorter than 2048, a response repeats what
/// it challenges beside a user name and a target.
pub const MAXIMUM_TOKEN: u32 = 4096;

/// One attribute of a context (`querycontextattributes--digest`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContextAttribute {
    /// SecPkgContext_Sizes, in bytes.
    Sizes {
        /// cbMaxToken.
        max_token: u32,
        /// cbMaxSignature: the header that MakeSignature writes.
        max_signature: u32,
        /// cbBlockSize: HTTP encrypts nothing.
        block_size: u32,
        /// cbSecurityTrailer: HTTP encrypts nothing.
        security_trailer: u32,
    },
    /// SecPkgContext_Names.
    Names {
        /// sUserName: the session's user.
        user_name: String,
    },
    /// SecPkgContext_Lifespan.
    Lifespan {
        /// tsStart.
        start: TimeStamp,
        /// tsExpiry: a constant maximum.
        expiry: TimeStamp,
    },
    /// SecPkgContext_KeyInfo: HTTP signs with the digest and encrypts nothing.
    KeyInfo {
        /// sSignatureAlgorithmName.
        signature_algorithm: &'static str,
        /// sEncryptAlgorithmName.
        encrypt_algorithm: &'static str,
        /// KeySize, in bits.
        key_size: u32,
    },
    /// SecPkgInfo.
    PackageInfo {
        /// Name.
        name: &'static str,
        /// Comment.
        comment: &'static str,
        /// cbMaxToken.
        max_token: u32,
    },
    /// SecPkgContext_Flags: the ASC_RET_* or ISC_RET_* flags of the context.
    Flags(u32),
}

/// What the two roles tell differently.
pub(super) struct Facts<'a> {
    pub(super) username: &'a str,
    pub(super) flags: u32,
}

/// The attribute of that number, if it is supported.
pub(super) fn query(attribute: u32, facts: &Facts<'_>) -> Option<ContextAttribute> {
    match attribute {
        SECPKG_ATTR_SIZES => Some(ContextAttribute::Sizes {
            max_token: MAXIMUM_TOKEN,
            max_signature: MAXIMUM_TOKEN,
            block_size: 0,
            security_trailer: 0,
        }),
        SECPKG_ATTR_NAMES => Some(ContextAttribute::Names { user_name: facts.username.to_owned() }),
        SECPKG_ATTR_LIFESPAN => Some(ContextAttribute::Lifespan { start: TimeStamp(0), expiry: TimeStamp::MAXIMUM }),
        SECPKG_ATTR_KEY_INFO => {
            Some(ContextAttribute::KeyInfo { signature_algorithm: "MD5", encrypt_algorithm: "", key_size: 128 })
        }
        SECPKG_ATTR_PACKAGE_INFO => Some(ContextAttribute::PackageInfo {
            name: PACKAGE_NAME,
            comment: PACKAGE_COMMENT,
            max_token: MAXIMUM_TOKEN,
        }),
        SECPKG_ATTR_FLAGS => Some(ContextAttribute::Flags(facts.flags)),
        _ => None,
    }
}
