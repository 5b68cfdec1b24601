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

    /// H(A1) of SASL: of the user's hash *raw*, the nonce, the cnonce, and the authzid in UTF-8 if one was sent
    /// (RFC 2831 section 2.1.2.1).
    pub fn sasl(user: &UserHash, nonce: &[u8], cnonce: &[u8], authzid: Option<&str>) -> Self {
        let hash = Zeroizing::new(match authzid {
            None => md5(&[&user.0, b":", nonce, b":", cnonce]),
            Some(authzid) => md5(&[&user.0, b":", nonce, b":", cnonce, b":", authzid.as_bytes()]),
        });
        Self(hex(&hash))
    }

    /// H(A1) itself, which the keys of the SASL layers are made from (RFC 2831 sections 2.3 and 2.4).
    pub fn to_bytes(&self) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(unhex32(&self.0).expect("every constructor writes 32 hexadecimal digits"))
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

#[cfg(test)]
mod tests {
    use super::{A2, Algorithm, Protection, Qop, SessionKey, UserHash, equal, hex, md5, unhex32};
    use zeroize::ZeroizeOnDrop;

    const NONCE: &[u8] = b"dcd98b7102dd2f0e8b11d0f600bfb0c093";
    const CNONCE: &[u8] = b"0a4f113b";
    const URI: &[u8] = b"/dir/index.html";

    fn mufasa() -> UserHash {
        UserHash::new("Mufasa", "testrealm@host.com", "Circle Of Life")
    }

    fn protection<'a>(qop: &'a [u8], nc: &'a [u8]) -> Protection<'a> {
        Protection { qop, nc, cnonce: CNONCE }
    }

    fn digits(digest: [u8; 16]) -> String {
        hex(&digest).into_iter().map(char::from).collect()
    }

    /// RFC 1321 section A.5.
    #[test]
    fn md5_of_the_rfc_1321_suite() {
        assert_eq!(digits(md5(&[])), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(digits(md5(&[b"abc"])), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(digits(md5(&[b"message", b" ", b"digest"])), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    /// RFC 2617 section 3.5.
    #[test]
    fn rfc_2617_example() {
        let key = SessionKey::new(Algorithm::Md5, &mufasa(), NONCE, CNONCE);
        let a2 = A2::Auth { method: b"GET", uri: URI };
        let response = key.response(NONCE, &protection(b"auth", b"00000001"), &a2);
        assert_eq!(digits(response), "6629fae49393a05397450978507c4ef1");
    }

    /// RFC 7616 section 3.9.1, the MD5 half.
    #[test]
    fn rfc_7616_example() {
        let user = UserHash::new("Mufasa", "http-auth@example.org", "Circle of Life");
        let nonce = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let key = SessionKey::new(Algorithm::Md5, &user, nonce, cnonce);
        let protection = Protection { qop: b"auth", nc: b"00000001", cnonce };
        let response = key.response(nonce, &protection, &A2::Auth { method: b"GET", uri: URI });
        assert_eq!(digits(response), "8ca523f5e9506fed4657c9700eebdbec");
    }

    /// RFC 2069 section 2.4 as its erratum 749 corrects it; the value printed in the RFC itself is wrong.
    #[test]
    fn rfc_2069_example() {
        let user = UserHash::new("Mufasa", "testrealm@host.com", "CircleOfLife");
        let key = SessionKey::new(Algorithm::Md5, &user, NONCE, b"");
        let response = key.response_without_qop(NONCE, &A2::Auth { method: b"GET", uri: URI });
        assert_eq!(digits(response), "1949323746fe6a43ef61f9606e7febea");
    }

    /// No document prints an MD5-sess response over HTTP, so these come from Python's hashlib:
    ///
    /// ```text
    /// python3 -c "
    /// from hashlib import md5
    /// H = lambda *p: md5(b':'.join(p)).hexdigest().encode()
    /// n, c, u = b'dcd98b7102dd2f0e8b11d0f600bfb0c093', b'0a4f113b', b'/dir/index.html'
    /// a1 = H(H(b'Mufasa', b'testrealm@host.com', b'Circle Of Life'), n, c)
    /// print(H(a1, n, b'00000001', c, b'auth', H(b'GET', u)))
    /// print(H(a1, n, b'00000001', c, b'auth-int', H(b'POST', u, H(b'hello'))))
    /// print(H(a1, n, b'00000001', c, b'auth', H(b'', u)))
    /// print(H(a1, n, b'0000000A', c, b'AUTH', H(b'GET', u)))"
    /// ```
    #[test]
    fn md5_sess() {
        let key = SessionKey::new(Algorithm::Md5Sess, &mufasa(), NONCE, CNONCE);
        let auth = A2::Auth { method: b"GET", uri: URI };
        let first = protection(b"auth", b"00000001");
        assert_eq!(digits(key.response(NONCE, &first, &auth)), "8e3825c57e897f5a0dec6c2d4e5059d0");

        let entity = md5(&[b"hello"]);
        let integrity = A2::AuthInt { method: b"POST", uri: URI, entity: &entity };
        let response = key.response(NONCE, &protection(b"auth-int", b"00000001"), &integrity);
        assert_eq!(digits(response), "663893ff97f02100977c85e0a7d71b69");

        let rspauth = key.response(NONCE, &first, &A2::Auth { method: b"", uri: URI });
        assert_eq!(digits(rspauth), "b600873c6b5797f53d87684d8fc17026");

        let spelled = key.response(NONCE, &protection(b"AUTH", b"0000000A"), &auth);
        assert_eq!(digits(spelled), "5a8e9c56e7352c88a1297f73ad40d17c");
    }

    /// MD5 with auth-int, and the server's proof over a body; from Python's hashlib, names as above:
    ///
    /// ```text
    /// a1 = H(b'Mufasa', b'testrealm@host.com', b'Circle Of Life')
    /// print(H(a1, n, b'00000001', c, b'auth-int', H(b'GET', u, H(b''))))
    /// print(H(a1, n, b'00000001', c, b'auth-int', H(b'', u, H(b'hello'))))
    /// ```
    #[test]
    fn auth_int() {
        let key = SessionKey::new(Algorithm::Md5, &mufasa(), NONCE, CNONCE);
        let first = protection(b"auth-int", b"00000001");
        let empty = A2::AuthInt { method: b"GET", uri: URI, entity: &md5(&[]) };
        assert_eq!(digits(key.response(NONCE, &first, &empty)), "5e6610ecf9ba3017a4870ad48e3ad30b");
        let proof = A2::AuthInt { method: b"", uri: URI, entity: &md5(&[b"hello"]) };
        assert_eq!(digits(key.response(NONCE, &first, &proof)), "b132f1a6fcf3b31b06cef6f942d49c5b");
    }

    /// The user of RFC 7616 section 3.9.2 under MD5 (the RFC prints only SHA-512-256). From Python's hashlib,
    /// `u = 'J\u00e4s\u00f8n Doe'`:
    ///
    /// ```text
    /// md5(b':'.join([u.encode('latin1'), b'api@example.org', b'Secret, or not?'])).hexdigest()
    /// md5(b':'.join([u.encode('utf-8'), b'api@example.org', b'Secret, or not?'])).hexdigest()
    /// md5(b':'.join(['J\u00e4'.encode('latin1'), b'r', '\u20ac\u00e4'.encode('utf-8')])).hexdigest()
    /// ```
    #[test]
    fn each_field_has_its_own_hash_form() {
        let (user, realm, password) = ("J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?");
        let latin = UserHash::from_hex(b"3154462bb5e836c82336a2e57d3c75a5");
        assert_eq!(Some(UserHash::new(user, realm, password)), latin);
        let utf8 = UserHash::from_hex(b"83a3f7f6b83f71c5c2eb7c6dd2dd4c4b");
        assert_eq!(Some(UserHash::utf8(user, realm, password)), utf8);
        let mixed = UserHash::from_hex(b"2522f46de768ca951461a22f97f6bfd4");
        assert_eq!(Some(UserHash::new("J\u{e4}", "r", "\u{20ac}\u{e4}")), mixed);
    }

    #[test]
    fn md5_ignores_the_nonces_and_md5_sess_does_not() {
        let key = |algorithm, nonce, cnonce| SessionKey::new(algorithm, &mufasa(), nonce, cnonce);
        assert_eq!(key(Algorithm::Md5, b"a", b"b"), key(Algorithm::Md5, b"c", b"d"));
        assert_ne!(key(Algorithm::Md5Sess, b"a", b"b"), key(Algorithm::Md5Sess, b"c", b"b"));
        assert_ne!(key(Algorithm::Md5Sess, b"a", b"b"), key(Algorithm::Md5Sess, b"a", b"d"));
        assert_ne!(key(Algorithm::Md5Sess, b"a", b"b"), key(Algorithm::Md5, b"a", b"b"));
    }

    #[test]
    fn hexadecimal_digits() {
        let bytes = [0x00, 0x01, 0x09, 0x0a, 0x0f, 0x10, 0x99, 0x9a, 0xa0, 0xaf, 0xf0, 0xfa, 0xff, 0x7f, 0x80, 0x5a];
        assert_eq!(&hex(&bytes), b"0001090a0f10999aa0aff0faff7f805a");
        assert_eq!(unhex32(b"0001090a0f10999aa0aff0faff7f805a"), Some(bytes));
        assert_eq!(unhex32(b"0001090A0F10999AA0AFF0FAFF7F805A"), Some(bytes));
        assert_eq!(unhex32(b"0001090a0f10999aa0aff0faff7f805"), None);
        assert_eq!(unhex32(b"0001090a0f10999aa0aff0faff7f805a0"), None);
        assert_eq!(unhex32(b"0001090a0f10999aa0aff0faff7f805g"), None);
        assert_eq!(unhex32(b"0001090a0f10999aa0aff0faff7f80 a"), None);
        assert_eq!(unhex32(b""), None);
    }

    #[test]
    fn names_on_the_wire() {
        assert_eq!(Algorithm::from_token(b"md5-SESS"), Some(Algorithm::Md5Sess));
        assert_eq!(Algorithm::from_token(b"md5"), Some(Algorithm::Md5));
        assert_eq!(Algorithm::from_token(b"SHA-256"), None);
        assert_eq!(Algorithm::from_token(b""), None);
        assert_eq!(Qop::from_token(b"Auth"), Some(Qop::Auth));
        assert_eq!(Qop::from_token(b"AUTH-INT"), Some(Qop::AuthInt));
        assert_eq!(Qop::from_token(b"auth-conf"), None);
        assert_eq!(Qop::from_token(b"auth "), None);
    }

    #[test]
    fn equality_sees_every_byte() {
        let digest = [7; 16];
        assert!(equal(&digest, &digest.clone()));
        for index in 0..16 {
            let mut other = digest;
            other[index] ^= 1;
            assert!(!equal(&digest, &other), "byte {index}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let user = mufasa();
        assert_eq!(format!("{user:?}"), "UserHash(..)");
        assert_eq!(format!("{:?}", SessionKey::new(Algorithm::Md5, &user, b"", b"")), "SessionKey(..)");
    }

    /// Compiles only if the states that see secrets are wiped when they go.
    #[test]
    fn secrets_are_zeroized() {
        fn is_zeroized_on_drop<T: ZeroizeOnDrop>() {}
        is_zeroized_on_drop::<md5::Md5>();
        is_zeroized_on_drop::<UserHash>();
        is_zeroized_on_drop::<SessionKey>();
    }
}
