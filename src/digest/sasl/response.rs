//! The response (RFC 2831 section 2.1.2), as an acceptor reads it and as an initiator writes it.
#![forbid(unsafe_code)]

use super::challenge::read_maxbuf;
use super::{Cipher, Layer, MaxBuf, Qop, is_digest_uri};
use crate::digest::authentication_info::nc_digits;
use crate::digest::charset::{Charset, decode_cow, encode};
use crate::digest::directives::{Directive, DirectiveWriter, Limits, directives};
use crate::digest::error::{TokenError, invalid, place};
use crate::digest::hash::{A2, Protection, SessionKey, unhex32};
use crate::digest::response::{nc_number, nc_value, required};
use std::borrow::Cow;

/// The method under a client's digest; a server's proof has an empty one (RFC 2831 sections 2.1.2.1 and 2.1.3).
const AUTHENTICATE: &[u8] = b"AUTHENTICATE";

/// What stands in place of H(entity body) where there is a layer: 32 zeros as digits (RFC 2831 section 2.1.2.1).
const NO_ENTITY: &[u8; 16] = &[0; 16];

/// A response that an acceptor can judge: every directive it requires is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The user's name; backslashes as MS-DPSP section 2.2 reads them.
    pub username: Cow<'a, str>,
    /// The realm; empty when there is none.
    pub realm: Cow<'a, str>,
    /// The server's nonce.
    pub nonce: Cow<'a, [u8]>,
    /// The client's nonce.
    pub cnonce: Cow<'a, [u8]>,
    /// The nonce count.
    pub nc: u32,
    /// The text of `nc` as spelled, which is what the digest covers.
    pub nc_text: [u8; 8],
    /// The quality of protection; `auth` when there is none.
    pub qop: Qop,
    /// The text of `qop` as spelled, which is what the digest covers; `auth` when there is none.
    pub qop_text: Cow<'a, [u8]>,
    /// The service and host that the client means, see [`is_digest_uri`].
    pub digest_uri: Cow<'a, [u8]>,
    /// The digest.
    pub response: [u8; 16],
    /// The longest wrapped message that the client receives.
    pub maxbuf: MaxBuf,
    /// The encoding of `username` and `realm`.
    pub charset: Charset,
    /// The cipher; always there under `auth-conf` once parsed.
    pub cipher: Option<Cipher>,
    /// Whom the user wants to act as; never empty.
    pub authzid: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct Slots<'a> {
    username: Option<Directive<'a>>,
    realm: Option<Directive<'a>>,
    nonce: Option<Cow<'a, [u8]>>,
    cnonce: Option<Cow<'a, [u8]>>,
    nc: Option<[u8; 8]>,
    qop: Option<(Qop, Cow<'a, [u8]>)>,
    digest_uri: Option<Cow<'a, [u8]>>,
    response: Option<[u8; 16]>,
    maxbuf: Option<MaxBuf>,
    charset: Option<Charset>,
    cipher: Option<Cipher>,
    authzid: Option<Cow<'a, str>>,
}

impl<'a> Slots<'a> {
    fn take(&mut self, directive: &Directive<'a>) -> Result<(), TokenError> {
        let value = || directive.unescaped();
        if directive.is("username") {
            place(&mut self.username, "username", directive, || Ok(*directive))
        } else if directive.is("realm") {
            place(&mut self.realm, "realm", directive, || Ok(*directive))
        } else if directive.is("nonce") {
            place(&mut self.nonce, "nonce", directive, || Ok(value()))
        } else if directive.is("cnonce") {
            place(&mut self.cnonce, "cnonce", directive, || Ok(value()))
        } else if directive.is("nc") {
            place(&mut self.nc, "nc", directive, || {
                nc_digits(&value()).ok_or_else(|| invalid("nc", directive, "8 hexadecimal digits"))
            })
        } else if directive.is("qop") {
            place(&mut self.qop, "qop", directive, || {
                let text = value();
                let qop = Qop::from_token(&text);
                Ok((qop.ok_or_else(|| invalid("qop", directive, "auth, auth-int or auth-conf"))?, text))
            })
        } else if directive.is("digest-uri") {
            place(&mut self.digest_uri, "digest-uri", directive, || match value() {
                uri if is_digest_uri(&uri) => Ok(uri),
                _ => Err(invalid("digest-uri", directive, "a service and a host, separated by \"/\"")),
            })
        } else if directive.is("response") {
            place(&mut self.response, "response", directive, || {
                unhex32(&value()).ok_or_else(|| invalid("response", directive, "32 hexadecimal digits"))
            })
        } else if directive.is("maxbuf") {
            place(&mut self.maxbuf, "maxbuf", directive, || read_maxbuf(&value(), directive))
        } else if directive.is("charset") {
            place(&mut self.charset, "charset", directive, || {
                Charset::from_token(&value()).ok_or_else(|| invalid("charset", directive, "utf-8"))
            })
        } else if directive.is("cipher") {
            place(&mut self.cipher, "cipher", directive, || {
                Cipher::from_token(&value())
                    .ok_or_else(|| invalid("cipher", directive, "rc4, 3des, rc4-56, rc4-40 or des"))
            })
        } else if directive.is("authzid") {
            // RFC 2831 section 2.1.2: in UTF-8 whatever the charset, and not empty.
            place(&mut self.authzid, "authzid", directive, || {
                let authzid = decode_cow(value(), Charset::Utf8).filter(|text| !text.is_empty());
                authzid.ok_or_else(|| invalid("authzid", directive, "UTF-8, not empty"))
            })
        } else {
            Ok(())
        }
    }
}

impl<'a> Response<'a> {
    /// Reads a response that an acceptor can judge. Unknown directives are ignored (RFC 2831 section 2.1.2, auth-param).
    ///
    /// # Errors
    /// Malformed text, a known directive twice, or a value outside of what it may be; then of `username` and
    /// `realm`, whose encoding a later `charset` decides; then the first that is missing of username, nonce,
    /// cnonce, nc, digest-uri, response, and cipher under `qop=auth-conf`.
    pub fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, TokenError> {
        let mut slots = Slots::default();
        for directive in directives(token, limits) {
            slots.take(&directive?)?;
        }
        let charset = slots.charset.unwrap_or_default();
        let text = |name, directive: Directive<'a>, octets| {
            decode_cow(octets, charset).ok_or_else(|| invalid(name, &directive, "UTF-8"))
        };
        let username = slots.username.map(|directive| text("username", directive, directive.unescaped_username()));
        let username = username.transpose()?;
        let realm = slots.realm.map(|directive| text("realm", directive, directive.unescaped())).transpose()?;

        let username = required("username", username)?;
        let nonce = required("nonce", slots.nonce)?;
        let cnonce = required("cnonce", slots.cnonce)?;
        let nc_text = required("nc", slots.nc)?;
        let digest_uri = required("digest-uri", slots.digest_uri)?;
        let response = required("response", slots.response)?;
        let (qop, qop_text) = slots.qop.unwrap_or((Qop::Auth, Cow::Borrowed(Qop::Auth.as_str().as_bytes())));
        match qop {
            Qop::Auth | Qop::AuthInt => {}
            Qop::AuthConf => {
                required("cipher", slots.cipher)?;
            }
        }
        Ok(Self {
            username,
            realm: realm.unwrap_or_default(),
            nonce,
            cnonce,
            nc: nc_number(&nc_text),
            nc_text,
            qop,
            qop_text,
            digest_uri,
            response,
            maxbuf: slots.maxbuf.unwrap_or_default(),
            charset,
            cipher: slots.cipher,
            authzid: slots.authzid,
        })
    }

    /// The digest this response must have under that key (RFC 2831 section 2.1.2.1).
    pub fn digest(&self, key: &SessionKey) -> [u8; 16] {
        key.response(&self.nonce, &self.protection(), &a2(self.qop, AUTHENTICATE, &self.digest_uri))
    }

    /// The server's proof for this response (RFC 2831 section 2.1.3).
    pub fn rspauth(&self, key: &SessionKey) -> [u8; 16] {
        key.response(&self.nonce, &self.protection(), &a2(self.qop, b"", &self.digest_uri))
    }

    /// What protects the messages after it, if anything does.
    pub fn layer(&self) -> Option<Layer> {
        Layer::of(self.qop, self.cipher)
    }

    fn protection(&self) -> Protection<'_> {
        Protection { qop: &self.qop_text, nc: &self.nc_text, cnonce: &self.cnonce }
    }
}

/// A2 of RFC 2831 section 2.1.2.1.
fn a2<'a>(qop: Qop, method: &'a [u8], uri: &'a [u8]) -> A2<'a> {
    match qop {
        Qop::Auth => A2::Auth { method, uri },
        Qop::AuthInt | Qop::AuthConf => A2::AuthInt { method, uri, entity: NO_ENTITY },
    }
}

/// What an initiator puts out.
#[derive(Clone, Copy, Debug)]
pub struct ResponseFields<'a> {
    /// The user's name.
    pub username: &'a str,
    /// The realm chosen from the challenge; the directive is not written without one.
    pub realm: Option<&'a str>,
    /// The nonce of the challenge.
    pub nonce: &'a [u8],
    /// The client's nonce.
    pub cnonce: &'a [u8],
    /// The nonce count.
    pub nc: u32,
    /// The quality of protection.
    pub qop: Qop,
    /// The cipher, for `auth-conf`.
    pub cipher: Option<Cipher>,
    /// The longest wrapped message that the client receives, where there is a layer.
    pub maxbuf: Option<MaxBuf>,
    /// The service and host.
    pub digest_uri: &'a [u8],
    /// The charset of the challenge.
    pub charset: Charset,
    /// Whom the user wants to act as.
    pub authzid: Option<&'a str>,
}

impl ResponseFields<'_> {
    /// The digest under that key (RFC 2831 section 2.1.2.1).
    pub fn digest(&self, key: &SessionKey) -> [u8; 16] {
        self.proof(key, AUTHENTICATE)
    }

    /// The proof that the server owes for it (RFC 2831 section 2.1.3).
    pub fn rspauth(&self, key: &SessionKey) -> [u8; 16] {
        self.proof(key, b"")
    }

    /// What protects the messages after it, if anything does.
    pub fn layer(&self) -> Option<Layer> {
        Layer::of(self.qop, self.cipher)
    }

    fn proof(&self, key: &SessionKey, method: &[u8]) -> [u8; 16] {
        let protection = Protection { qop: self.qop.as_str().as_bytes(), nc: &nc_value(self.nc), cnonce: self.cnonce };
        key.response(self.nonce, &protection, &a2(self.qop, method, self.digest_uri))
    }

    /// Appends the response, with these digits as its digest, to `out`.
    ///
    /// `None`, and `out` as it was, if a value cannot stand in a token: a control character, or a character
    /// outside ISO 8859-1 without `charset=utf-8`. `authzid` is always UTF-8.
    pub fn write(&self, response: &[u8; 32], out: &mut Vec<u8>) -> Option<()> {
        let username = encode(self.username, self.charset)?;
        let realm = match self.realm {
            Some(realm) => Some(encode(realm, self.charset)?),
            None => None,
        };
        let mut writer = DirectiveWriter::new(out);
        writer.quoted("username", &username);
        if let Some(realm) = realm {
            writer.quoted("realm", &realm);
        }
        writer.quoted("nonce", self.nonce);
        writer.quoted("cnonce", self.cnonce);
        writer.token("nc", &nc_value(self.nc));
        writer.token("qop", self.qop.as_str().as_bytes());
        if let Some(cipher) = self.cipher {
            writer.token("cipher", cipher.as_str().as_bytes());
        }
        if let Some(maxbuf) = self.maxbuf {
            writer.token("maxbuf", maxbuf.get().to_string().as_bytes());
        }
        writer.quoted("digest-uri", self.digest_uri);
        writer.token("response", response);
        match self.charset {
            Charset::Iso8859_1 => {}
            Charset::Utf8 => {
                writer.token("charset", b"utf-8");
            }
        }
        if let Some(authzid) = self.authzid {
            writer.quoted("authzid", authzid.as_bytes());
        }
        writer.finish().ok()
    }
}
