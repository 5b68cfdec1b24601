//! What travels between the parties, and what an adversary makes of it.
#![forbid(unsafe_code)]

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::directives::{Limits, directives};

/// A request, as it leaves an initiator: the request line, H(Entity) and the Authorization header's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    /// H(Entity) in hexadecimal digits; empty under qop=auth.
    pub(super) entity: Vec<u8>,
    pub(super) token: Vec<u8>,
}

impl Request {
    /// Whether the token is for the target of the request line.
    pub(super) fn is_for_its_target(&self) -> bool {
        value_of(&self.token, "uri") == Some(&self.target)
    }

    /// Whether it answers that challenge, as it was sent.
    pub(super) fn answers(&self, challenge: &[u8]) -> bool {
        let is_same = |name: &str| value_of(&self.token, name) == value_of(challenge, name);
        is_same("nonce") && is_same("opaque")
    }

    /// Whether both ask for the same, in the same words where words count: request line, body, and what the digest is over.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let is_same = |name: &str| value_of(&self.token, name) == value_of(&other.token, name);
        let same_line = self.method == other.method && self.target == other.target && self.entity == other.entity;
        same_line && ["username", "nonce", "nc", "cnonce", "uri", "response"].into_iter().all(is_same)
    }
}

/// A part of a message that an adversary can replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The method of the request line.
    Method,
    /// The target of the request line.
    Target,
    /// H(Entity), as whoever receives the body finds it.
    Entity,
    /// A directive of the token.
    Username,
    /// A directive of the token.
    Realm,
    /// A directive of the token.
    Nonce,
    /// A directive of the token.
    Uri,
    /// A directive of the token.
    Qop,
    /// A directive of the token.
    Nc,
    /// A directive of the token.
    Cnonce,
    /// A directive of the token.
    Response,
    /// A directive of the token.
    Opaque,
    /// A directive of the token.
    Algorithm,
}

impl Part {
    /// Those of a request.
    pub(super) const OF_REQUESTS: [Self; 13] = [
        Self::Method,
        Self::Target,
        Self::Entity,
        Self::Username,
        Self::Realm,
        Self::Nonce,
        Self::Uri,
        Self::Qop,
        Self::Nc,
        Self::Cnonce,
        Self::Response,
        Self::Opaque,
        Self::Algorithm,
    ];
    /// Those of a challenge.
    pub(super) const OF_CHALLENGES: [Self; 5] = [Self::Realm, Self::Nonce, Self::Qop, Self::Opaque, Self::Algorithm];

    /// A fixed value of the adversary's own: of the form that the part has, and of nobody else.
    fn foreign(self) -> &'static [u8] {
        match self {
            Self::Method => b"PUT",
            Self::Target | Self::Uri => b"/elsewhere",
            Self::Entity | Self::Nonce | Self::Response | Self::Opaque => b"ffffffffffffffffffffffffffffffff",
            Self::Username => b"mallory",
            Self::Realm => b"elsewhere",
            Self::Qop => b"auth-conf",
            Self::Nc => b"00000003",
            Self::Cnonce => b"foreign",
            Self::Algorithm => b"MD5-sess",
        }
    }

    /// The name of the directive, where it is one.
    fn directive(self) -> Option<&'static str> {
        match self {
            Self::Method | Self::Target | Self::Entity => None,
            Self::Username => Some("username"),
            Self::Realm => Some("realm"),
            Self::Nonce => Some("nonce"),
            Self::Uri => Some("uri"),
            Self::Qop => Some("qop"),
            Self::Nc => Some("nc"),
            Self::Cnonce => Some("cnonce"),
            Self::Response => Some("response"),
            Self::Opaque => Some("opaque"),
            Self::Algorithm => Some("algorithm"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Method => "method",
            Self::Target => "target",
            Self::Entity => "H(Entity)",
            Self::Username
            | Self::Realm
            | Self::Nonce
            | Self::Uri
            | Self::Qop
            | Self::Nc
            | Self::Cnonce
            | Self::Response
            | Self::Opaque
            | Self::Algorithm => self.directive().unwrap_or_default(),
        };
        f.write_str(name)
    }
}

/// Where the value of a replaced part comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The same part of another recorded message of that number.
    Recorded(usize),
    /// A fixed value of the adversary's own.
    Foreign,
}

/// One part of a message is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// Which.
    pub part: Part,
    /// By what.
    pub by: Source,
}

impl Edit {
    /// All of a message: `of` are its parts, and there are as many `recorded` ones, of which it is one itself.
    pub(super) fn all(of: &[Part], recorded: usize, own: usize) -> impl Iterator<Item = Self> {
        let sources = (0..recorded).filter(move |number| *number != own).map(Source::Recorded).chain([Source::Foreign]);
        let sources: Vec<Source> = sources.collect();
        of.iter().flat_map(move |part| sources.clone().into_iter().map(|by| Self { part: *part, by }))
    }

    /// The recorded message that the value comes from, or none where it is the adversary's own; `None` where there is no such
    /// message.
    pub(super) fn source<T>(self, recorded: &[T]) -> Option<Option<&T>> {
        match self.by {
            Source::Foreign => Some(None),
            Source::Recorded(number) => recorded.get(number).map(Some),
        }
    }

    /// The request with the part replaced, by that of another one or of the adversary's own; `None` where it has no such part,
    /// or the same value there.
    pub(super) fn of_request(self, request: &Request, source: Option<&Request>) -> Option<Request> {
        let foreign = self.part.foreign();
        let edited = match self.part {
            Part::Method => {
                let method = source.map_or(foreign, |source| &source.method);
                Request { method: other(&request.method, method)?, ..request.clone() }
            }
            Part::Target => {
                let target = source.map_or(foreign, |source| &source.target);
                Request { target: other(&request.target, target)?, ..request.clone() }
            }
            // Under qop=auth nobody looks at the body.
            Part::Entity if request.entity.is_empty() => return None,
            Part::Entity => {
                let entity = source.map_or(foreign, |source| &source.entity);
                Request { entity: other(&request.entity, entity)?, ..request.clone() }
            }
            Part::Username
            | Part::Realm
            | Part::Nonce
            | Part::Uri
            | Part::Qop
            | Part::Nc
            | Part::Cnonce
            | Part::Response
            | Part::Opaque
            | Part::Algorithm => {
                let token = self.of_token(&request.token, source.map(|source| source.token.as_slice()))?;
                Request { token, ..request.clone() }
            }
        };
        Some(edited)
    }

    /// The token with a directive replaced; `None` where it has no such directive, or the same value there.
    pub(super) fn of_token(self, token: &[u8], source: Option<&[u8]>) -> Option<Vec<u8>> {
        let name = self.part.directive()?;
        let (at, old) = value(token, name)?;
        let new = match source {
            Some(source) => value_of(source, name)?,
            None => self.part.foreign(),
        };
        (new != old).then(|| [&token[..at], new, &token[at + old.len()..]].concat())
    }
}

/// What replaces a value, unless it is the same.
fn other(value: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    (value != by).then(|| by.to_vec())
}

/// The value of a directive, as it is written.
fn value_of<'a>(token: &'a [u8], name: &str) -> Option<&'a [u8]> {
    value(token, name).map(|(_, value)| value)
}

/// Where the value of a directive is, as it is written.
fn value<'a>(token: &'a [u8], name: &str) -> Option<(usize, &'a [u8])> {
    let mut all = directives(token, const { &Limits { token_bytes: 65_536, directives: 64 } });
    let found = all.find_map(|directive| directive.ok().filter(|directive| directive.is(name)))?;
    Some((found.value_at, found.value))
}
