//! The SASL mechanism DIGEST-MD5 (RFC 2831): its tokens, and the layers that protect messages afterwards.
//!
//! The grammar, the charsets and the hash are those of HTTP Digest; what differs is here.
#![forbid(unsafe_code)]

pub mod challenge;
pub mod ciphers;
pub mod layers;
pub mod response;
mod streams;

pub use challenge::{Challenge, OfferedAlgorithm, OfferedQop};
pub use ciphers::{Cipher, Ciphers};
pub use layers::{Direction, Layer, LayerError, Receiver, Sender, SequenceExhausted};
pub use response::{MAXIMUM_RESPONSE, Response, ResponseFields};

use super::hash::hex;

/// The quality of protection (RFC 2831 section 2.1.1), from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Qop {
    /// Authentication.
    Auth,
    /// Authentication with integrity of the messages.
    AuthInt,
    /// Authentication with integrity and confidentiality of the messages.
    AuthConf,
}

impl Qop {
    /// All, from weak to strong.
    pub const ALL: [Self; 3] = [Self::Auth, Self::AuthInt, Self::AuthConf];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
            Self::AuthConf => "auth-conf",
        }
    }

    /// The quality of protection of that name, ignoring ASCII case.
    pub fn from_token(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }
}

/// `maxbuf`: the longest wrapped message that its sender can receive, in bytes (RFC 2831 sections 2.1.1 and 2.1.2).
///
/// From 17 to 16 777 215: more than the 16 bytes of a MAC, less than 2 to the power of 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaxBuf(u32);

impl MaxBuf {
    /// What a missing directive means.
    pub const DEFAULT: Self = Self(65_536);
    /// The least that may be.
    pub const MINIMUM: Self = Self(17);
    /// The most that may be.
    pub const MAXIMUM: Self = Self(16_777_215);

    /// So many bytes, if `maxbuf` may say that.
    pub const fn new(bytes: u32) -> Option<Self> {
        if bytes < Self::MINIMUM.0 || bytes > Self::MAXIMUM.0 { None } else { Some(Self(bytes)) }
    }

    /// How many bytes.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The value of a `maxbuf` directive: decimal digits, at least one; leading zeros are allowed.
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() {
            return None;
        }
        let value = digits.iter().try_fold(0u32, |value, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            Some(value.saturating_mul(10).saturating_add(digit))
        })?;
        Self::new(value)
    }
}

impl Default for MaxBuf {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether this may be a `digest-uri`: serv-type "/" host, neither empty, then whatever follows the next "/"
/// (RFC 2831 section 2.1.2).
pub fn is_digest_uri(value: &[u8]) -> bool {
    let mut parts = value.split(|octet| *octet == b'/');
    let mut named = || parts.next().is_some_and(|part| !part.is_empty());
    named() && named()
}

/// The server's proof as a token: `rspauth=` and the digits bare (RFC 2831 section 2.1.3).
///
/// [`AuthenticationInfo`](super::AuthenticationInfo) reads it.
pub fn rspauth_token(rspauth: &[u8; 16]) -> [u8; 40] {
    let mut token = *b"rspauth=00000000000000000000000000000000";
    for (octet, digit) in token.iter_mut().rev().zip(hex(rspauth).into_iter().rev()) {
        *octet = digit;
    }
    token
}

#[cfg(test)]
mod tests {
    use super::{MaxBuf, Qop, is_digest_uri, rspauth_token};
    use crate::digest::hash::unhex32;
    use crate::digest::{AuthenticationInfo, Limits};

    #[test]
    fn names_ignore_case_and_have_an_order() {
        assert_eq!(Qop::from_token(b"AUTH-Conf"), Some(Qop::AuthConf));
        assert_eq!(Qop::from_token(b"auth"), Some(Qop::Auth));
        assert_eq!(Qop::from_token(b"auth-in"), None);
        assert_eq!(Qop::from_token(b""), None);
        assert!(Qop::ALL.is_sorted());
    }

    /// RFC 2831 section 2.1.1: more than 16, less than 2 to the power of 24.
    #[test]
    fn both_ends_of_maxbuf() {
        for (digits, value) in [
            ("17", Some(17)),
            ("16", None),
            ("0", None),
            ("65536", Some(65_536)),
            ("16777215", Some(16_777_215)),
            ("16777216", None),
            ("4294967313", None),
            ("18446744073709551633", None),
            ("0000000000000000000017", Some(17)),
            ("", None),
            ("+17", None),
            ("-17", None),
            ("17 ", None),
            ("0x11", None),
            ("1e3", None),
            ("\u{664}\u{665}", None),
        ] {
            assert_eq!(MaxBuf::from_digits(digits.as_bytes()).map(MaxBuf::get), value, "{digits}");
        }
        assert_eq!(MaxBuf::new(16), None);
        assert_eq!(MaxBuf::new(17), Some(MaxBuf::MINIMUM));
        assert_eq!(MaxBuf::new(16_777_215), Some(MaxBuf::MAXIMUM));
        assert_eq!(MaxBuf::new(16_777_216), None);
        assert_eq!(MaxBuf::default().get(), 65_536);
    }

    #[test]
    fn a_digest_uri_names_a_service_and_a_host() {
        for good in ["imap/elwood.innosoft.com", "smtp/mail3.example.com/example.com", "a/b", "a/b/", "a/b//c"] {
            assert!(is_digest_uri(good.as_bytes()), "{good}");
        }
        for bad in ["", "/", "imap", "imap/", "/host", "//", "imap//host"] {
            assert!(!is_digest_uri(bad.as_bytes()), "{bad}");
        }
    }

    /// RFC 2831 section 4, the first example.
    #[test]
    fn the_proof_is_bare() {
        let proof = unhex32(b"ea40f60335c427b5527b84dbabcdfffd").expect("the digits of the RFC");
        let token = rspauth_token(&proof);
        assert_eq!(&token, b"rspauth=ea40f60335c427b5527b84dbabcdfffd");
        let read = |token: &[u8]| AuthenticationInfo::parse(token, &Limits::default()).map(|info| info.rspauth);
        assert_eq!(read(&token), Ok(Some(proof)));
        assert_eq!(read(b"rspauth=\"ea40f60335c427b5527b84dbabcdfffd\""), Ok(Some(proof)));
    }
}
