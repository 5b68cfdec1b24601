//! The response (RFC 2617 section 3.2.2), as an acceptor reads it and as an initiator writes it.
#![forbid(unsafe_code)]

use super::authentication_info::nc_digits;
use super::charset::{Charset, decode_cow, encode};
use super::directives::{Directive, DirectiveWriter, Limits, directives};
use super::error::{TokenError, invalid, place};
use super::hash::{A2, Algorithm, Protection, Qop, SessionKey, hex_pair, unhex, unhex32};
use std::borrow::Cow;

/// A response as it stands in the token: every directive optional, each value judged by itself.
///
/// For who must look at a response that an acceptor would refuse (RFC 2069 form, directives missing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseDirectives<'a> {
    /// The user's name; backslashes as MS-DPSP section 2.2 reads them.
    pub username: Option<Cow<'a, str>>,
    /// The realm.
    pub realm: Option<Cow<'a, str>>,
    /// The server's nonce.
    pub nonce: Option<Cow<'a, [u8]>>,
    /// The request target as the client signed it; never empty.
    pub uri: Option<Cow<'a, [u8]>>,
    /// The quality of protection, and its text as spelled.
    pub qop: Option<(Qop, Cow<'a, [u8]>)>,
    /// The nonce count, 8 hexadecimal digits as spelled.
    pub nc: Option<[u8; 8]>,
    /// The client's nonce.
    pub cnonce: Option<Cow<'a, [u8]>>,
    /// The digest.
    pub response: Option<[u8; 16]>,
    /// What the server asked to be returned.
    pub opaque: Option<Cow<'a, [u8]>>,
    /// The algorithm, if named.
    pub algorithm: Option<Algorithm>,
    /// The encoding of `username` and `realm`.
    pub charset: Charset,
    /// `hashed-dirs` (draft-santesson-digestbind-01).
    pub hashed_dirs: Option<Cow<'a, [u8]>>,
    /// `service-name` (draft-santesson-digestbind-01).
    pub service_name: Option<Cow<'a, [u8]>>,
    /// `channel-binding` (draft-santesson-digestbind-01).
    pub channel_binding: Option<Cow<'a, [u8]>>,
    /// All others, in the order of the token; they may repeat.
    pub unknown: Vec<Directive<'a>>,
}

/// A response that an acceptor can judge: every directive it requires is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The user's name; backslashes as MS-DPSP section 2.2 reads them.
    pub username: Cow<'a, str>,
    /// The realm.
    pub realm: Cow<'a, str>,
    /// The server's nonce.
    pub nonce: Cow<'a, [u8]>,
    /// The request target as the client signed it; never empty.
    pub uri: Cow<'a, [u8]>,
    /// The quality of protection.
    pub qop: Qop,
    /// The text of `qop` as spelled, which is what the digest covers.
    pub qop_text: Cow<'a, [u8]>,
    /// The nonce count.
    pub nc: u32,
    /// The text of `nc` as spelled, which is what the digest covers.
    pub nc_text: [u8; 8],
    /// The client's nonce.
    pub cnonce: Cow<'a, [u8]>,
    /// The digest.
    pub response: [u8; 16],
    /// What the server asked to be returned.
    pub opaque: Cow<'a, [u8]>,
    /// The algorithm, if named; see [`Response::algorithm`].
    pub algorithm: Option<Algorithm>,
    /// The encoding of `username` and `realm`.
    pub charset: Charset,
    /// `hashed-dirs` (draft-santesson-digestbind-01).
    pub hashed_dirs: Option<Cow<'a, [u8]>>,
    /// `service-name` (draft-santesson-digestbind-01).
    pub service_name: Option<Cow<'a, [u8]>>,
    /// `channel-binding` (draft-santesson-digestbind-01).
    pub channel_binding: Option<Cow<'a, [u8]>>,
}

#[derive(Default)]
struct Slots<'a> {
    username: Option<Directive<'a>>,
    realm: Option<Directive<'a>>,
    nonce: Option<Cow<'a, [u8]>>,
    uri: Option<Cow<'a, [u8]>>,
    qop: Option<(Qop, Cow<'a, [u8]>)>,
    nc: Option<[u8; 8]>,
    cnonce: Option<Cow<'a, [u8]>>,
    response: Option<[u8; 16]>,
    opaque: Option<Cow<'a, [u8]>>,
    algorithm: Option<Algorithm>,
    charset: Option<Charset>,
    hashed_dirs: Option<Cow<'a, [u8]>>,
    service_name: Option<Cow<'a, [u8]>>,
    channel_binding: Option<Cow<'a, [u8]>>,
    unknown: Vec<Directive<'a>>,
}

impl<'a> Slots<'a> {
    fn take(&mut self, directive: Directive<'a>) -> Result<(), TokenError> {
        let directive = &directive;
        let value = || directive.unescaped();
        if directive.is("username") {
            place(&mut self.username, "username", directive, || Ok(*directive))
        } else if directive.is("realm") {
            place(&mut self.realm, "realm", directive, || Ok(*directive))
        } else if directive.is("nonce") {
            place(&mut self.nonce, "nonce", directive, || Ok(value()))
        } else if directive.is("uri") {
            place(&mut self.uri, "uri", directive, || match value() {
                uri if uri.is_empty() => Err(invalid("uri", directive, "a request target, not empty")),
                uri => Ok(uri),
            })
        } else if directive.is("qop") {
            place(&mut self.qop, "qop", directive, || {
                let text = value();
                let qop = Qop::from_token(&text).ok_or_else(|| invalid("qop", directive, "auth or auth-int"))?;
                Ok((qop, text))
            })
        } else if directive.is("nc") {
            place(&mut self.nc, "nc", directive, || {
                nc_digits(&value()).ok_or_else(|| invalid("nc", directive, "8 hexadecimal digits"))
            })
        } else if directive.is("cnonce") {
            place(&mut self.cnonce, "cnonce", directive, || Ok(value()))
        } else if directive.is("response") {
            place(&mut self.response, "response", directive, || {
                unhex32(&value()).ok_or_else(|| invalid("response", directive, "32 hexadecimal digits"))
            })
        } else if directive.is("opaque") {
            place(&mut self.opaque, "opaque", directive, || Ok(value()))
        } else if directive.is("algorithm") {
            place(&mut self.algorithm, "algorithm", directive, || {
                Algorithm::from_token(&value()).ok_or_else(|| invalid("algorithm", directive, "MD5 or MD5-sess"))
            })
        } else if directive.is("charset") {
            place(&mut self.charset, "charset", directive, || {
                Charset::from_token(&value()).ok_or_else(|| invalid("charset", directive, "utf-8"))
            })
        } else if directive.is("hashed-dirs") {
            place(&mut self.hashed_dirs, "hashed-dirs", directive, || Ok(value()))
        } else if directive.is("service-name") {
            place(&mut self.service_name, "service-name", directive, || Ok(value()))
        } else if directive.is("channel-binding") {
            place(&mut self.channel_binding, "channel-binding", directive, || Ok(value()))
        } else {
            self.unknown.push(*directive);
            Ok(())
        }
    }
}

impl<'a> ResponseDirectives<'a> {
    /// Reads a response, whatever directives it has.
    ///
    /// # Errors
    /// Malformed text, a known directive twice, or a value outside of what it may be; of `username` and
    /// `realm`, whose encoding a later `charset` decides, last.
    pub fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, TokenError> {
        let mut slots = Slots::default();
        for directive in directives(token, limits) {
            slots.take(directive?)?;
        }
        let charset = slots.charset.unwrap_or_default();
        let text = |name, directive: Directive<'a>, octets| {
            decode_cow(octets, charset).ok_or_else(|| invalid(name, &directive, "UTF-8"))
        };
        let username = slots.username.map(|directive| text("username", directive, directive.unescaped_username()));
        let username = username.transpose()?;
        let realm = slots.realm.map(|directive| text("realm", directive, directive.unescaped())).transpose()?;
        Ok(Self {
            username,
            realm,
            nonce: slots.nonce,
            uri: slots.uri,
            qop: slots.qop,
            nc: slots.nc,
            cnonce: slots.cnonce,
            response: slots.response,
            opaque: slots.opaque,
            algorithm: slots.algorithm,
            charset,
            hashed_dirs: slots.hashed_dirs,
            service_name: slots.service_name,
            channel_binding: slots.channel_binding,
            unknown: slots.unknown,
        })
    }

    /// The response if it has every directive that an acceptor requires.
    ///
    /// # Errors
    /// The first that is missing of username, realm, nonce, uri, qop, nc, cnonce, response, opaque.
    pub fn require_all(self) -> Result<Response<'a>, TokenError> {
        let username = required("username", self.username)?;
        let realm = required("realm", self.realm)?;
        let nonce = required("nonce", self.nonce)?;
        let uri = required("uri", self.uri)?;
        let (qop, qop_text) = required("qop", self.qop)?;
        let nc_text = required("nc", self.nc)?;
        let cnonce = required("cnonce", self.cnonce)?;
        let response = required("response", self.response)?;
        let opaque = required("opaque", self.opaque)?;
        Ok(Response {
            username,
            realm,
            nonce,
            uri,
            qop,
            qop_text,
            nc: nc_number(&nc_text),
            nc_text,
            cnonce,
            response,
            opaque,
            algorithm: self.algorithm,
            charset: self.charset,
            hashed_dirs: self.hashed_dirs,
            service_name: self.service_name,
            channel_binding: self.channel_binding,
        })
    }
}

fn required<T>(directive: &'static str, value: Option<T>) -> Result<T, TokenError> {
    value.ok_or(TokenError::Missing { directive })
}

impl<'a> Response<'a> {
    /// Reads a response that an acceptor can judge.
    ///
    /// # Errors
    /// As [`ResponseDirectives::parse`], then the first required directive that is missing.
    pub fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, TokenError> {
        ResponseDirectives::parse(token, limits)?.require_all()
    }

    /// The algorithm in force: MD5 if none is named (RFC 2617 section 3.2.1).
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Md5)
    }

    /// The digest this response must have under that key. `entity` is H(entity body) and only looked at for
    /// auth-int; `None` if it is missing there.
    pub fn digest(&self, key: &SessionKey, method: &[u8], entity: Option<&[u8; 16]>) -> Option<[u8; 16]> {
        let a2 = match self.qop {
            Qop::Auth => A2::Auth { method, uri: &self.uri },
            Qop::AuthInt => A2::AuthInt { method, uri: &self.uri, entity: entity? },
        };
        Some(key.response(&self.nonce, &self.protection(), &a2))
    }

    /// The directives beside the request that the digest covers; also what `rspauth` is made with.
    pub fn protection(&self) -> Protection<'_> {
        Protection { qop: &self.qop_text, nc: &self.nc_text, cnonce: &self.cnonce }
    }
}

/// An nc-value: the count in 8 lower-case hexadecimal digits (RFC 2617 section 3.2.2).
pub fn nc_value(nc: u32) -> [u8; 8] {
    let [a, b, c, d] = nc.to_be_bytes().map(hex_pair);
    [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]
}

/// The number of 8 hexadecimal digits.
fn nc_number(digits: &[u8; 8]) -> u32 {
    // Only `nc_digits` makes such arrays; anything else would count as used.
    unhex::<4>(digits).map_or(0, u32::from_be_bytes)
}

/// What an initiator puts out.
#[derive(Clone, Copy, Debug)]
pub struct ResponseFields<'a> {
    /// The user's name.
    pub username: &'a str,
    /// The realm of the challenge.
    pub realm: &'a str,
    /// The nonce of the challenge.
    pub nonce: &'a [u8],
    /// The request target.
    pub uri: &'a [u8],
    /// qop, nonce count and cnonce; `None` is the form of RFC 2069.
    pub protection: Option<(Qop, u32, &'a [u8])>,
    /// The digest in hexadecimal digits; zeros when CompleteAuthToken will overwrite them.
    pub response: &'a [u8; 32],
    /// The opaque of the challenge, if it had one.
    pub opaque: Option<&'a [u8]>,
    /// The algorithm of the challenge, if it had one.
    pub algorithm: Option<Algorithm>,
    /// The charset of the challenge.
    pub charset: Charset,
}

impl ResponseFields<'_> {
    /// Appends the response to `out` and returns where in `out` the 32 digits of the digest stand.
    ///
    /// `None`, and `out` as it was, if a value cannot stand in a token: a control character, or a character
    /// outside ISO 8859-1 without `charset=utf-8`.
    pub fn write(&self, out: &mut Vec<u8>) -> Option<usize> {
        let username = encode(self.username, self.charset)?;
        let realm = encode(self.realm, self.charset)?;
        let mut writer = DirectiveWriter::new(out);
        writer.quoted("username", &username);
        writer.quoted("realm", &realm);
        writer.quoted("nonce", self.nonce);
        writer.quoted("uri", self.uri);
        if let Some((qop, nc, cnonce)) = self.protection {
            writer.quoted("cnonce", cnonce);
            writer.token("nc", &nc_value(nc));
            writer.token("qop", qop.as_str().as_bytes());
        }
        let response_at = writer.quoted("response", self.response);
        if let Some(opaque) = self.opaque {
            writer.quoted("opaque", opaque);
        }
        if let Some(algorithm) = self.algorithm {
            writer.token("algorithm", algorithm.as_str().as_bytes());
        }
        match self.charset {
            Charset::Iso8859_1 => {}
            Charset::Utf8 => {
                writer.token("charset", b"utf-8");
            }
        }
        writer.finish().ok()?;
        Some(response_at)
    }
}
