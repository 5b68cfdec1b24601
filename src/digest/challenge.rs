//! The challenge (RFC 2617 section 3.2.1).
#![forbid(unsafe_code)]

use super::charset::{Charset, decode, encode};
use super::directives::{Directive, DirectiveWriter, Limits, directives};
use super::error::{TokenError, Unwritable, invalid, place};
use super::hash::{Algorithm, Qop};
use thiserror::Error;

/// The longest challenge, in bytes; "less than 2048 bytes" (RFC 2831 section 2.1.1, the page
/// `contents-of-a-digest-challenge`).
pub const MAXIMUM_CHALLENGE: usize = 2047;

/// What a server asks a response for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The realm the account belongs to.
    pub realm: String,
    /// The server's nonce.
    pub nonce: Vec<u8>,
    /// What the client must return unchanged, if the server sent it.
    pub opaque: Option<Vec<u8>>,
    /// The URIs that share the account, as sent.
    pub domain: Option<Vec<u8>>,
    /// Whether only the nonce of the last response was wrong.
    pub stale: bool,
    /// The algorithm asked for.
    pub algorithm: OfferedAlgorithm,
    /// The qualities of protection offered; `None` is a server after RFC 2069.
    pub qop: Option<OfferedQop>,
    /// How `username` and `realm` are encoded.
    pub charset: Charset,
}

/// The `algorithm` of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferedAlgorithm {
    /// No such directive, which means MD5.
    Absent,
    /// One this crate knows.
    Known(Algorithm),
    /// Another one, as spelled: "the challenge should be ignored" (RFC 2617 section 3.2.1).
    Unknown(Vec<u8>),
}

impl OfferedAlgorithm {
    /// The algorithm to answer with, if this crate knows it.
    pub fn effective(&self) -> Option<Algorithm> {
        match self {
            Self::Absent => Some(Algorithm::Md5),
            Self::Known(algorithm) => Some(*algorithm),
            Self::Unknown(_) => None,
        }
    }
}

/// The `qop` of a challenge: a list of which at least one member was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferedQop {
    /// `auth` is offered.
    pub auth: bool,
    /// `auth-int` is offered.
    pub auth_int: bool,
    /// Something else is offered, which clients must ignore (RFC 2617 section 3.2.1).
    pub others: bool,
}

impl OfferedQop {
    /// Only `auth`.
    pub const AUTH: Self = Self { auth: true, auth_int: false, others: false };
    /// Only `auth-int`.
    pub const AUTH_INT: Self = Self { auth: false, auth_int: true, others: false };

    /// Whether this quality of protection is offered.
    pub const fn offers(&self, qop: Qop) -> bool {
        match qop {
            Qop::Auth => self.auth,
            Qop::AuthInt => self.auth_int,
        }
    }

    /// The members of a list separated by commas and white space; `None` if there is none at all.
    fn parse(list: &[u8]) -> Option<Self> {
        let mut offered = None;
        for member in list.split(|octet| matches!(octet, b',' | b' ' | b'\t' | b'\r' | b'\n')) {
            if member.is_empty() {
                continue;
            }
            let offered = offered.get_or_insert(Self { auth: false, auth_int: false, others: false });
            match Qop::from_token(member) {
                Some(Qop::Auth) => offered.auth = true,
                Some(Qop::AuthInt) => offered.auth_int = true,
                None => offered.others = true,
            }
        }
        offered
    }

    /// The list. Of other members only their presence is known, so `auth-conf` stands for them: the one
    /// further value that a document has (RFC 2831 section 2.1.1).
    fn to_list(self) -> String {
        let members = [(self.auth, "auth"), (self.auth_int, "auth-int"), (self.others, "auth-conf")];
        let offered: Vec<_> = members.into_iter().filter_map(|(offered, name)| offered.then_some(name)).collect();
        offered.join(",")
    }
}

/// Why a challenge cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChallengeError {
    /// It would be longer than [`MAXIMUM_CHALLENGE`].
    #[error("the challenge has {bytes} bytes, more than {MAXIMUM_CHALLENGE}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A value cannot stand in a token.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

#[derive(Default)]
struct Slots<'a> {
    realm: Option<Directive<'a>>,
    nonce: Option<Vec<u8>>,
    domain: Option<Vec<u8>>,
    opaque: Option<Vec<u8>>,
    stale: Option<bool>,
    algorithm: Option<OfferedAlgorithm>,
    qop: Option<OfferedQop>,
    charset: Option<Charset>,
}

impl<'a> Slots<'a> {
    fn take(&mut self, directive: &Directive<'a>) -> Result<(), TokenError> {
        if directive.is("realm") {
            return place(&mut self.realm, "realm", directive, || Ok(*directive));
        }
        let value = directive.unescaped();
        if directive.is("nonce") {
            place(&mut self.nonce, "nonce", directive, || Ok(value.into_owned()))
        } else if directive.is("domain") {
            place(&mut self.domain, "domain", directive, || Ok(value.into_owned()))
        } else if directive.is("opaque") {
            place(&mut self.opaque, "opaque", directive, || Ok(value.into_owned()))
        } else if directive.is("stale") {
            place(&mut self.stale, "stale", directive, || Ok(value.eq_ignore_ascii_case(b"true")))
        } else if directive.is("algorithm") {
            place(&mut self.algorithm, "algorithm", directive, || {
                Ok(match Algorithm::from_token(&value) {
                    Some(known) => OfferedAlgorithm::Known(known),
                    None => OfferedAlgorithm::Unknown(value.into_owned()),
                })
            })
        } else if directive.is("qop") {
            place(&mut self.qop, "qop", directive, || {
                OfferedQop::parse(&value).ok_or_else(|| invalid("qop", directive, "a list of at least one member"))
            })
        } else if directive.is("charset") {
            place(&mut self.charset, "charset", directive, || {
                Charset::from_token(&value).ok_or_else(|| invalid("charset", directive, "utf-8"))
            })
        } else {
            Ok(())
        }
    }
}

impl Challenge {
    /// Reads a challenge. Unknown directives are ignored (RFC 2617 section 3.2.1, auth-param).
    ///
    /// # Errors
    /// Malformed text or more than [`MAXIMUM_CHALLENGE`] bytes, a known directive twice, a value outside of
    /// what it may be, or no `realm` or `nonce`.
    pub fn parse(token: &[u8], limits: &Limits) -> Result<Self, TokenError> {
        let limits = Limits { token_bytes: limits.token_bytes.min(MAXIMUM_CHALLENGE), ..*limits };
        let mut slots = Slots::default();
        for directive in directives(token, &limits) {
            slots.take(&directive?)?;
        }
        let charset = slots.charset.unwrap_or_default();
        let realm = slots
            .realm
            .map(|directive| {
                let decoded = decode(&directive.unescaped(), charset).map(|text| text.into_owned());
                decoded.ok_or_else(|| invalid("realm", &directive, "UTF-8"))
            })
            .transpose()?;
        Ok(Self {
            realm: realm.ok_or(TokenError::Missing { directive: "realm" })?,
            nonce: slots.nonce.ok_or(TokenError::Missing { directive: "nonce" })?,
            opaque: slots.opaque,
            domain: slots.domain,
            stale: slots.stale.unwrap_or(false),
            algorithm: slots.algorithm.unwrap_or(OfferedAlgorithm::Absent),
            qop: slots.qop,
            charset,
        })
    }

    /// The challenge as a token, directives in the order of RFC 2617 section 3.2.1; `stale` only when true.
    ///
    /// # Errors
    /// More than [`MAXIMUM_CHALLENGE`] bytes, or a value that a token cannot carry.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ChallengeError> {
        let mut out = Vec::new();
        let mut writer = DirectiveWriter::new(&mut out);
        match encode(&self.realm, self.charset) {
            Some(realm) => writer.quoted("realm", &realm),
            None => writer.refuse("realm"),
        };
        if let Some(domain) = &self.domain {
            writer.quoted("domain", domain);
        }
        writer.quoted("nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            writer.quoted("opaque", opaque);
        }
        if self.stale {
            writer.token("stale", b"true");
        }
        match &self.algorithm {
            OfferedAlgorithm::Absent => {}
            OfferedAlgorithm::Known(algorithm) => {
                writer.token("algorithm", algorithm.as_str().as_bytes());
            }
            OfferedAlgorithm::Unknown(name) => {
                writer.quoted("algorithm", name);
            }
        }
        if let Some(qop) = self.qop {
            let list = qop.to_list();
            if list.is_empty() {
                writer.refuse("qop");
            } else {
                writer.quoted("qop", list.as_bytes());
            }
        }
        match self.charset {
            Charset::Iso8859_1 => {}
            Charset::Utf8 => {
                writer.token("charset", b"utf-8");
            }
        }
        writer.finish()?;
        if out.len() > MAXIMUM_CHALLENGE {
            return Err(ChallengeError::TooLong { bytes: out.len() });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, ChallengeError, MAXIMUM_CHALLENGE, OfferedAlgorithm, OfferedQop};
    use crate::digest::{Algorithm, Charset, Limits, Qop, SyntaxError, SyntaxErrorKind, TokenError, Unwritable};

    fn read(token: &[u8]) -> Result<Challenge, TokenError> {
        Challenge::parse(token, &Limits::default())
    }

    fn good(token: &[u8]) -> Challenge {
        read(token).unwrap_or_else(|error| panic!("{}: {error}", token.escape_ascii()))
    }

    fn plain() -> Challenge {
        Challenge {
            realm: "r".into(),
            nonce: b"n".to_vec(),
            opaque: None,
            domain: None,
            stale: false,
            algorithm: OfferedAlgorithm::Absent,
            qop: None,
            charset: Charset::Iso8859_1,
        }
    }

    /// RFC 2617 section 3.5, line folding included.
    #[test]
    fn rfc_2617_example() {
        let token = b"\r\n         realm=\"testrealm@host.com\",\r\n         qop=\"auth,auth-int\",\r\n         \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let expected = Challenge {
            realm: "testrealm@host.com".into(),
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093".to_vec(),
            opaque: Some(b"5ccc069c403ebaf9f0171e9517f40e41".to_vec()),
            qop: Some(OfferedQop { auth: true, auth_int: true, others: false }),
            ..plain()
        };
        assert_eq!(read(token), Ok(expected));
    }

    /// RFC 2831 section 4.
    #[test]
    fn rfc_2831_example() {
        let token =
            b"realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",\r\n   algorithm=md5-sess,charset=utf-8";
        let expected = Challenge {
            realm: "elwood.innosoft.com".into(),
            nonce: b"OA6MG9tEQGm2hh".to_vec(),
            algorithm: OfferedAlgorithm::Known(Algorithm::Md5Sess),
            qop: Some(OfferedQop::AUTH),
            charset: Charset::Utf8,
            ..plain()
        };
        assert_eq!(read(token), Ok(expected));
    }

    /// The form of RFC 2069: no qop, no algorithm; unknown directives may repeat.
    #[test]
    fn rfc_2069_form() {
        let challenge = good(b"realm=r,nonce=n,x=1,X=\"2\"");
        assert_eq!(challenge, plain());
        assert_eq!(challenge.algorithm.effective(), Some(Algorithm::Md5));
    }

    #[test]
    fn stale_is_true_or_false() {
        assert!(good(b"realm=r,nonce=n,stale=true").stale);
        assert!(good(b"realm=r,nonce=n,stale=\"TRUE\"").stale);
        for other in ["false", "FALSE", "\"\"", "yes", "1", "\" true\""] {
            assert!(!good(format!("realm=r,nonce=n,stale={other}").as_bytes()).stale, "{other}");
        }
    }

    #[test]
    fn unknown_algorithms_are_kept_as_spelled() {
        let challenge = good(b"realm=r,nonce=n,algorithm=SHA-256");
        assert_eq!(challenge.algorithm, OfferedAlgorithm::Unknown(b"SHA-256".to_vec()));
        assert_eq!(challenge.algorithm.effective(), None);
    }

    #[test]
    fn qop_is_a_list() {
        for (list, expected) in [
            ("auth", OfferedQop::AUTH),
            ("\"auth\"", OfferedQop::AUTH),
            ("\"AUTH-INT\"", OfferedQop::AUTH_INT),
            ("\" auth , auth-int \"", OfferedQop { auth: true, auth_int: true, others: false }),
            ("\"auth,\r\n auth-int\"", OfferedQop { auth: true, auth_int: true, others: false }),
            ("\",,auth,auth-conf\"", OfferedQop { auth: true, auth_int: false, others: true }),
            ("\"auth-conf\"", OfferedQop { auth: false, auth_int: false, others: true }),
        ] {
            let challenge = good(format!("realm=r,nonce=n,qop={list}").as_bytes());
            assert_eq!(challenge.qop, Some(expected), "{list}");
        }
        assert!(OfferedQop::AUTH.offers(Qop::Auth) && !OfferedQop::AUTH.offers(Qop::AuthInt));
        assert!(OfferedQop::AUTH_INT.offers(Qop::AuthInt) && !OfferedQop::AUTH_INT.offers(Qop::Auth));
    }

    #[test]
    fn a_qop_without_members_is_refused() {
        for list in ["\"\"", "\" , ,\t\""] {
            let error = read(format!("realm=r,nonce=n,qop={list}").as_bytes()).expect_err(list);
            assert!(matches!(error, TokenError::Invalid { directive: "qop", position: 21, .. }), "{error}");
        }
    }

    #[test]
    fn realm_is_read_in_the_charset_wherever_that_stands() {
        assert_eq!(good(b"realm=\"\xc3\xa4\",nonce=n,charset=UTF-8").realm, "\u{e4}");
        assert_eq!(good(b"realm=\"\xe4\",nonce=n").realm, "\u{e4}");
        let error = TokenError::Invalid { directive: "realm", position: 7, expected: "UTF-8" };
        assert_eq!(read(b"realm=\"\xe4\",charset=utf-8"), Err(error));
        let error = TokenError::Invalid { directive: "charset", position: 24, expected: "utf-8" };
        assert_eq!(read(b"realm=r,nonce=n,charset=iso-8859-1"), Err(error));
    }

    #[test]
    fn realm_and_nonce_are_required() {
        assert_eq!(read(b""), Err(TokenError::Missing { directive: "realm" }));
        assert_eq!(read(b"nonce=n"), Err(TokenError::Missing { directive: "realm" }));
        assert_eq!(read(b"realm=r"), Err(TokenError::Missing { directive: "nonce" }));
    }

    #[test]
    fn known_directives_stand_once() {
        for name in ["realm", "nonce", "domain", "opaque", "stale", "algorithm", "qop", "charset"] {
            let token = format!("{name}=utf-8,{}=utf-8", name.to_ascii_uppercase());
            let error = read(token.as_bytes()).expect_err(name);
            let position = name.len() + 7;
            assert!(
                matches!(error, TokenError::Repeated { directive, position: at } if directive == name && at == position)
            );
        }
    }

    /// "Less than 2048 bytes": both sides of the boundary, written and read.
    #[test]
    fn a_challenge_has_less_than_2048_bytes() {
        let sized = |nonce| Challenge { nonce: vec![b'n'; nonce], ..plain() };
        let overhead = sized(0).to_bytes().expect("a short challenge").len();
        let longest = sized(MAXIMUM_CHALLENGE - overhead);
        let token = longest.to_bytes().expect("2047 bytes are allowed");
        assert_eq!(token.len(), 2047);
        assert_eq!(read(&token).as_ref(), Ok(&longest));

        let too_long = sized(MAXIMUM_CHALLENGE - overhead + 1);
        assert_eq!(too_long.to_bytes(), Err(ChallengeError::TooLong { bytes: 2048 }));
        let error = SyntaxError { position: 2047, kind: SyntaxErrorKind::TokenTooLong };
        assert_eq!(read(&[&token[..], b" "].concat()), Err(error.into()));
    }

    #[test]
    fn a_challenge_as_text() {
        let challenge = Challenge {
            realm: "a \"b\"\u{e4}".into(),
            nonce: b"n".to_vec(),
            opaque: Some(b"o".to_vec()),
            domain: Some(b"/a /b".to_vec()),
            stale: true,
            algorithm: OfferedAlgorithm::Known(Algorithm::Md5Sess),
            qop: Some(OfferedQop { auth: true, auth_int: true, others: false }),
            charset: Charset::Utf8,
        };
        let expected = b"realm=\"a \\\"b\\\"\xc3\xa4\",domain=\"/a /b\",nonce=\"n\",opaque=\"o\",stale=true,\
            algorithm=MD5-sess,qop=\"auth,auth-int\",charset=utf-8";
        assert_eq!(challenge.to_bytes().as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn what_a_challenge_cannot_say() {
        let unwritable = |directive| Err(ChallengeError::Unwritable(Unwritable { directive }));
        assert_eq!(Challenge { realm: "\u{20ac}".into(), ..plain() }.to_bytes(), unwritable("realm"));
        assert_eq!(Challenge { realm: "a\r\nb".into(), ..plain() }.to_bytes(), unwritable("realm"));
        assert_eq!(Challenge { nonce: b"\n".to_vec(), ..plain() }.to_bytes(), unwritable("nonce"));
        let nothing = OfferedQop { auth: false, auth_int: false, others: false };
        assert_eq!(Challenge { qop: Some(nothing), ..plain() }.to_bytes(), unwritable("qop"));
    }
}
