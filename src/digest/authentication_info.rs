//! Authentication-Info: the server's proof (RFC 2617 section 3.2.3).
#![forbid(unsafe_code)]

use super::directives::{Directive, DirectiveWriter, Limits, directives};
use super::error::{TokenError, Unwritable, invalid, place};
use super::hash::{Qop, hex, unhex, unhex32};

/// The value of an Authentication-Info header, every directive optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationInfo {
    /// The server's digest.
    pub rspauth: Option<[u8; 16]>,
    /// The quality of protection that `rspauth` was made with.
    pub qop: Option<Qop>,
    /// The client's nonce, returned.
    pub cnonce: Option<Vec<u8>>,
    /// The client's nonce count, returned: 8 hexadecimal digits as spelled. Compare them ignoring ASCII case.
    pub nc: Option<[u8; 8]>,
    /// The nonce the client should use next.
    pub nextnonce: Option<Vec<u8>>,
}

impl AuthenticationInfo {
    /// Reads the value. Unknown directives are ignored.
    ///
    /// # Errors
    /// Malformed text, a known directive twice, or a value outside of what it may be.
    pub fn parse(token: &[u8], limits: &Limits) -> Result<Self, TokenError> {
        let mut info = Self::default();
        for directive in directives(token, limits) {
            info.take(&directive?)?;
        }
        Ok(info)
    }

    fn take(&mut self, directive: &Directive<'_>) -> Result<(), TokenError> {
        let value = directive.unescaped();
        if directive.is("rspauth") {
            place(&mut self.rspauth, "rspauth", directive, || {
                unhex32(&value).ok_or_else(|| invalid("rspauth", directive, "32 hexadecimal digits"))
            })
        } else if directive.is("qop") {
            place(&mut self.qop, "qop", directive, || {
                Qop::from_token(&value).ok_or_else(|| invalid("qop", directive, "auth or auth-int"))
            })
        } else if directive.is("cnonce") {
            place(&mut self.cnonce, "cnonce", directive, || Ok(value.into_owned()))
        } else if directive.is("nc") {
            place(&mut self.nc, "nc", directive, || {
                nc_digits(&value).ok_or_else(|| invalid("nc", directive, "8 hexadecimal digits"))
            })
        } else if directive.is("nextnonce") {
            place(&mut self.nextnonce, "nextnonce", directive, || Ok(value.into_owned()))
        } else {
            Ok(())
        }
    }

    /// The value: `qop=auth,rspauth="…",cnonce="…",nc=00000001`, then `nextnonce`.
    ///
    /// # Errors
    /// A value that a token cannot carry.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Unwritable> {
        let mut out = Vec::new();
        let mut writer = DirectiveWriter::new(&mut out);
        if let Some(qop) = self.qop {
            writer.token("qop", qop.as_str().as_bytes());
        }
        if let Some(rspauth) = &self.rspauth {
            writer.quoted("rspauth", &hex(rspauth));
        }
        if let Some(cnonce) = &self.cnonce {
            writer.quoted("cnonce", cnonce);
        }
        if let Some(nc) = &self.nc {
            match nc_digits(nc) {
                Some(digits) => writer.token("nc", &digits),
                None => writer.refuse("nc"),
            };
        }
        if let Some(nextnonce) = &self.nextnonce {
            writer.quoted("nextnonce", nextnonce);
        }
        writer.finish()?;
        Ok(out)
    }
}

/// The text of an nc-value if it is one: exactly 8 hexadecimal digits in either case.
pub(super) fn nc_digits(text: &[u8]) -> Option<[u8; 8]> {
    unhex::<4>(text)?;
    text.try_into().ok()
}
