//! H, KD, A1 and A2 (RFC 2617 section 3.2.2).
#![forbid(unsafe_code)]

use super::charset::hash_form;
use core::fmt;
use core::hash::{Hash, Hasher};
use md5::{Digest as _, Md5};
use std::borrow::Cow;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How A1 is made (RFC 2617 section 3.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// A1 is username, realm and password; also what a missing directive means.
    Md5,
    /// A1 also holds the nonce and cnonce of the first response.
    Md5Sess,
}

impl Algorithm {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
        }
    }

    /// The algorithm of that name, ignoring ASCII case.
    pub fn from_token(value: &[u8]) -> Option<Self> {
        [Self::Md5, Self::Md5Sess].into_iter().find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }
}

/// The quality of protection (RFC 2617 section 3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Qop {
    /// Authentication.
    Auth,
    /// Authentication with integrity of the entity body.
    AuthInt,
}

impl Qop {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The quality of protection of that name, ignoring ASCII case.
    pub fn from_token(value: &[u8]) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }
}

/// MD5 over the parts after each other. The hasher's state is zeroized when it goes (md-5, feature `zeroize`).
pub fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Md5::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// 32 lower-case hexadecimal digits (RFC 2617 section 3.1.3, LHEX).
pub fn hex(bytes: &[u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&hex_pair(*byte));
    }
    digits
}

/// The two lower-case digits of a byte.
pub(super) fn hex_pair(byte: u8) -> [u8; 2] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + (value - 10) };
    [digit(byte >> 4), digit(byte & 0x0F)]
}

/// The bytes of exactly 32 hexadecimal digits in either case; `None` for anything else.
pub fn unhex32(digits: &[u8]) -> Option<[u8; 16]> {
    unhex(digits)
}

/// The bytes of exactly 2 `N` hexadecimal digits in either case.
pub(super) fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => return None,
            };
            *byte = (*byte << 4) | value;
        }
    }
    Some(bytes)
}

/// Whether two digests are equal, in time that does not depend on where they differ.
pub fn equal(a: &[u8; 16], b: &[u8; 16]) -> bool {
    a.ct_eq(b).into()
}

/// H(username ":" realm ":" password), which is as good as the password within its realm.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct UserHash([u8; 16]);

impl UserHash {
    /// The hash with each field in its hash form: ISO 8859-1 if it fits, else UTF-8 (RFC 2831 section 2.1.2.1).
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        let mut password = hash_form(password);
        let hash = Self::of(&hash_form(username), &hash_form(realm), &password);
        if let Cow::Owned(octets) = &mut password {
            octets.zeroize();
        }
        hash
    }

    /// The hash with every field in UTF-8, as clients after RFC 7616 section 4 make it.
    pub fn utf8(username: &str, realm: &str, password: &str) -> Self {
        Self::of(username.as_bytes(), realm.as_bytes(), password.as_bytes())
    }

    /// The hash itself, as an account source stores it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash from exactly 32 hexadecimal digits in either case, as htdigest files hold it.
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        unhex32(digits).map(Self)
    }

    fn of(username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        Self(md5(&[username, b":", realm, b":", password]))
    }
}

impl PartialEq for UserHash {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for UserHash {}

impl fmt::Debug for UserHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserHash(..)")
    }
}

/// H(A1) in hexadecimal digits: what a session keeps and every later request is judged by.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// H(A1). For MD5-sess from the nonce and cnonce of the first response, and from the user's hash in
    /// hexadecimal digits (RFC 2617 section 3.2.2.2; its sample code takes the raw hash, and no peer does).
    pub fn new(algorithm: Algorithm, user: &UserHash, nonce: &[u8], cnonce: &[u8]) -> Self {
        let key = Self(hex(&user.0));
        match algorithm {
            Algorithm::Md5 => key,
            Algorithm::Md5Sess => {
                let hash = Zeroizing::new(md5(&[&key.0, b":", nonce, b":", cnonce]));
                Self(hex(&hash))
            }
        }
    }

    /// The digest with qop: KD(H(A1), nonce ":" nc ":" cnonce ":" qop ":" H(A2)), RFC 2617 section 3.2.2.1.
    pub fn response(&self, nonce: &[u8], protection: &Protection<'_>, a2: &A2<'_>) -> [u8; 16] {
        let Protection { qop, nc, cnonce } = *protection;
        md5(&[&self.0, b":", nonce, b":", nc, b":", cnonce, b":", qop, b":", &a2.hash()])
    }

    /// The digest without qop, as RFC 2069 has it: KD(H(A1), nonce ":" H(A2)).
    pub fn response_without_qop(&self, nonce: &[u8], a2: &A2<'_>) -> [u8; 16] {
        md5(&[&self.0, b":", nonce, b":", &a2.hash()])
    }
}

impl PartialEq for SessionKey {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SessionKey {}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionKey(..)")
    }
}

/// What the digest covers beside the request when there is a qop, each as it stands on the wire, unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection<'a> {
    /// The value of `qop` as spelled.
    pub qop: &'a [u8],
    /// The value of `nc` as spelled.
    pub nc: &'a [u8],
    /// The value of `cnonce`.
    pub cnonce: &'a [u8],
}

/// The request under the digest (RFC 2617 section 3.2.2.3); of a server's proof with an empty method (section 3.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum A2<'a> {
    /// method ":" uri; for qop=auth and for no qop.
    Auth {
        /// The method as the caller gave it; empty in `rspauth`.
        method: &'a [u8],
        /// The value of `uri`.
        uri: &'a [u8],
    },
    /// method ":" uri ":" H(entity body).
    AuthInt {
        /// The method as the caller gave it; empty in `rspauth`.
        method: &'a [u8],
        /// The value of `uri`.
        uri: &'a [u8],
        /// H(entity body).
        entity: &'a [u8; 16],
    },
}

impl A2<'_> {
    /// H(A2) in hexadecimal digits.
    fn hash(&self) -> [u8; 32] {
        hex(&match *self {
            Self::Auth { method, uri } => md5(&[method, b":", uri]),
            Self::AuthInt { method, uri, entity } => md5(&[method, b":", uri, b":", &hex(entity)]),
        })
    }
}
