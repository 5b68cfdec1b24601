//! What QueryContextAttributes tells of an established context.
#![forbid(unsafe_code)]

use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

use super::TimeStamp;
use crate::digest::SessionKey;
use crate::digest::sasl::{Cipher, Layer};

/// SECPKG_ATTR_SIZES.
pub const SECPKG_ATTR_SIZES: u32 = 0;
/// SECPKG_ATTR_NAMES.
pub const SECPKG_ATTR_NAMES: u32 = 1;
/// SECPKG_ATTR_LIFESPAN.
pub const SECPKG_ATTR_LIFESPAN: u32 = 2;
/// SECPKG_ATTR_STREAM_SIZES: of a SASL context that protects messages.
pub const SECPKG_ATTR_STREAM_SIZES: u32 = 4;
/// SECPKG_ATTR_KEY_INFO.
pub const SECPKG_ATTR_KEY_INFO: u32 = 5;
/// SECPKG_ATTR_SESSION_KEY: H(A1).
pub const SECPKG_ATTR_SESSION_KEY: u32 = 9;
/// SECPKG_ATTR_PACKAGE_INFO.
pub const SECPKG_ATTR_PACKAGE_INFO: u32 = 10;
/// SECPKG_ATTR_FLAGS.
pub const SECPKG_ATTR_FLAGS: u32 = 14;
/// SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: of an HTTP acceptor whose client told its channel.
pub const SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: u32 = 27;

/// The name of the package (WDIGEST_SP_NAME).
pub const PACKAGE_NAME: &str = "WDigest";
/// A comment on the package.
pub const PACKAGE_COMMENT: &str = "Digest authentication for HTTP (RFC 2617) and SASL (RFC 2831)";
/// The largest token a caller must make room for, in bytes: a challenge is shorter than 2048, a response repeats what
/// it challenges beside a user name and a target.
pub const MAXIMUM_TOKEN: u32 = 4096;

/// SECPKG_FLAG_INTEGRITY, SECPKG_FLAG_PRIVACY, SECPKG_FLAG_CONNECTION, SECPKG_FLAG_MULTI_REQUIRED,
/// SECPKG_FLAG_ASCII_BUFFERS and SECPKG_FLAG_MUTUAL_AUTH.
const CAPABILITIES: u32 = 0x1_4033;

/// What the package says of itself (SecPkgInfo).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PackageInfo {
    /// fCapabilities: SECPKG_FLAG_*.
    pub capabilities: u32,
    /// wVersion.
    pub version: u16,
    /// wRPCID.
    pub rpc_id: u16,
    /// cbMaxToken, in bytes.
    pub max_token: u32,
    /// Name.
    pub name: &'static str,
    /// Comment.
    pub comment: &'static str,
}

/// What there is to say of this package: SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION, and the number of Digest among
/// RPC_C_AUTHN_*.
pub const PACKAGE_INFO: PackageInfo = PackageInfo {
    capabilities: CAPABILITIES,
    version: 1,
    rpc_id: 21,
    max_token: MAXIMUM_TOKEN,
    name: PACKAGE_NAME,
    comment: PACKAGE_COMMENT,
};

/// One attribute of a context (`querycontextattributes--digest`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextAttribute {
    /// SecPkgContext_Sizes, in bytes.
    Sizes {
        /// cbMaxToken.
        max_token: u32,
        /// cbMaxSignature: what MakeSignature writes; on HTTP a header.
        max_signature: u32,
        /// cbBlockSize: of a block cipher, else 0.
        block_size: u32,
        /// cbSecurityTrailer: the most that EncryptMessage adds; 0 where nothing protects messages.
        security_trailer: u32,
    },
    /// SecPkgContext_StreamSizes, in bytes: of a SASL context that protects messages.
    StreamSizes {
        /// cbHeader: nothing precedes a message.
        header: u32,
        /// cbTrailer: the most that EncryptMessage adds.
        trailer: u32,
        /// cbMaximumMessage: the longest message the peer can receive, before it is wrapped.
        maximum_message: u32,
        /// cBuffers: the message and what follows it.
        buffers: u32,
        /// cbBlockSize: of a block cipher, else 1.
        block_size: u32,
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
    /// SecPkgContext_SessionKey: H(A1).
    SessionKey(SessionKeyBytes),
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
    /// SecPkgContext_ClientSpecifiedTarget: the service that the client means, as its response names it. The package
    /// does not judge it; whoever knows what the service is called compares.
    ClientSpecifiedTarget(String),
}

/// H(A1), raw: as secret as the password for as long as its session lives.
#[derive(Clone)]
pub struct SessionKeyBytes(Zeroizing<[u8; 16]>);

impl Deref for SessionKeyBytes {
    type Target = [u8; 16];

    fn deref(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SessionKeyBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionKeyBytes(..)")
    }
}

impl PartialEq for SessionKeyBytes {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        crate::digest::hash::equal(self, other)
    }
}

impl Eq for SessionKeyBytes {}

/// What roles and mechanisms tell differently.
pub(super) struct Facts<'a> {
    pub(super) username: &'a str,
    pub(super) flags: u32,
    pub(super) key: &'a SessionKey,
    pub(super) protected: Protected<'a>,
}

/// What a mechanism knows of its protection.
pub(super) enum Protected<'a> {
    /// The request is what is protected; an acceptor may know which service its client means.
    Http { service_name: Option<&'a [u8]> },
    /// Messages are, where there is a layer.
    Sasl(Option<LayerSizes>),
}

/// A layer and how long a message may be under it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerSizes {
    pub(super) layer: Layer,
    pub(super) maximum_message: u32,
}

impl LayerSizes {
    /// The block of a block cipher.
    fn block_size(&self) -> Option<u32> {
        self.layer.cipher().and_then(Cipher::block_size).and_then(|size| u32::try_from(size).ok())
    }
}

/// The attribute of that number, if the context has it.
pub(super) fn query(attribute: u32, facts: &Facts<'_>) -> Option<ContextAttribute> {
    match attribute {
        SECPKG_ATTR_SIZES => Some(sizes(&facts.protected)),
        SECPKG_ATTR_NAMES => Some(ContextAttribute::Names { user_name: facts.username.to_owned() }),
        SECPKG_ATTR_LIFESPAN => Some(ContextAttribute::Lifespan { start: TimeStamp(0), expiry: TimeStamp::MAXIMUM }),
        SECPKG_ATTR_STREAM_SIZES => stream_sizes(&facts.protected),
        SECPKG_ATTR_KEY_INFO => Some(key_info(&facts.protected)),
        SECPKG_ATTR_SESSION_KEY => Some(ContextAttribute::SessionKey(SessionKeyBytes(facts.key.to_bytes()))),
        SECPKG_ATTR_PACKAGE_INFO => Some(ContextAttribute::PackageInfo {
            name: PACKAGE_NAME,
            comment: PACKAGE_COMMENT,
            max_token: MAXIMUM_TOKEN,
        }),
        SECPKG_ATTR_FLAGS => Some(ContextAttribute::Flags(facts.flags)),
        SECPKG_ATTR_CLIENT_SPECIFIED_TARGET => client_specified_target(&facts.protected),
        _ => None,
    }
}

fn sizes(protected: &Protected<'_>) -> ContextAttribute {
    let [max_signature, block_size, security_trailer] = match protected {
        Protected::Http { .. } => [MAXIMUM_TOKEN, 0, 0],
        Protected::Sasl(None) => [0, 0, 0],
        Protected::Sasl(Some(sizes)) => [16, sizes.block_size().unwrap_or(0), sizes.layer.overhead()],
    };
    ContextAttribute::Sizes { max_token: MAXIMUM_TOKEN, max_signature, block_size, security_trailer }
}

fn stream_sizes(protected: &Protected<'_>) -> Option<ContextAttribute> {
    match protected {
        Protected::Http { .. } | Protected::Sasl(None) => None,
        Protected::Sasl(Some(sizes)) => Some(ContextAttribute::StreamSizes {
            header: 0,
            trailer: sizes.layer.overhead(),
            maximum_message: sizes.maximum_message,
            buffers: 2,
            block_size: sizes.block_size().unwrap_or(1),
        }),
    }
}

fn key_info(protected: &Protected<'_>) -> ContextAttribute {
    let (signature_algorithm, encrypt_algorithm, key_size) = match protected {
        Protected::Http { .. } => ("MD5", "", 128),
        Protected::Sasl(None) => ("", "", 0),
        Protected::Sasl(Some(LayerSizes { layer: Layer::Integrity, .. })) => ("HMAC-MD5", "", 128),
        Protected::Sasl(Some(LayerSizes { layer: Layer::Confidentiality(cipher), .. })) => {
            ("HMAC-MD5", cipher.as_str(), cipher.key_bits())
        }
    };
    ContextAttribute::KeyInfo { signature_algorithm, encrypt_algorithm, key_size }
}

fn client_specified_target(protected: &Protected<'_>) -> Option<ContextAttribute> {
    match protected {
        Protected::Http { service_name: Some(name) } => {
            Some(ContextAttribute::ClientSpecifiedTarget(String::from_utf8_lossy(name).into_owned()))
        }
        Protected::Http { service_name: None } | Protected::Sasl(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{PACKAGE_INFO, SessionKeyBytes};
    use zeroize::Zeroizing;

    /// In the order in which the constant names them, with the values of sspi.h.
    #[test]
    fn the_package_says_what_it_can() {
        let flags = [0x1, 0x2, 0x10, 0x20, 0x4000, 0x1_0000];
        assert_eq!(PACKAGE_INFO.capabilities, flags.iter().sum::<u32>());
    }

    #[test]
    fn a_session_key_is_compared_and_never_shown() {
        let key = |first| SessionKeyBytes(Zeroizing::new([first; 16]));
        assert!(key(1) == key(1) && key(1) != key(2));
        assert_eq!(format!("{:?}", key(1)), "SessionKeyBytes(..)");
    }
}
