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
