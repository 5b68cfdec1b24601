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

#[cfg(test)]
mod tests {
    use super::AuthenticationInfo;
    use crate::digest::{Limits, Qop, TokenError, Unwritable};

    fn read(token: &[u8]) -> Result<AuthenticationInfo, TokenError> {
        AuthenticationInfo::parse(token, &Limits::default())
    }

    #[test]
    fn every_directive() {
        let info = AuthenticationInfo {
            rspauth: Some([0xab; 16]),
            qop: Some(Qop::AuthInt),
            cnonce: Some(b"c\"d".to_vec()),
            nc: Some(*b"0000000A"),
            nextnonce: Some(b"n".to_vec()),
        };
        let text =
            b"qop=auth-int,rspauth=\"abababababababababababababababab\",cnonce=\"c\\\"d\",nc=0000000A,nextnonce=\"n\"";
        assert_eq!(info.to_bytes().as_deref(), Ok(&text[..]));
        assert_eq!(read(text), Ok(info));
    }

    #[test]
    fn nothing_is_required_and_the_unknown_is_ignored() {
        assert_eq!(read(b""), Ok(AuthenticationInfo::default()));
        assert_eq!(read(b"x=1, x=2"), Ok(AuthenticationInfo::default()));
        assert_eq!(AuthenticationInfo::default().to_bytes().as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn quoted_and_bare_are_the_same() {
        let quoted = read(b"QOP=\"Auth\",RSPAUTH=\"ABABABABABABABABABABABABABABABAB\",nc=\"00000001\"");
        assert_eq!(quoted, read(b"qop=auth,rspauth=abababababababababababababababab,nc=00000001"));
        assert!(quoted.is_ok());
    }

    #[test]
    fn values_outside_of_what_they_may_be() {
        for (token, name, at) in [
            (&b"rspauth=\"\""[..], "rspauth", 9),
            (b"rspauth=ababababababababababababababab", "rspauth", 8),
            (b"rspauth=gbababababababababababababababab", "rspauth", 8),
            (b"x=1,qop=auth-conf", "qop", 8),
            (b"nc=1", "nc", 3),
            (b"nc=0000000g", "nc", 3),
            (b"nc=000000001", "nc", 3),
        ] {
            let error = read(token).expect_err(name);
            assert!(
                matches!(error, TokenError::Invalid { directive, position, .. } if directive == name && position == at),
                "{error}"
            );
        }
    }

    #[test]
    fn known_directives_stand_once() {
        for (token, name, at) in [
            (&b"cnonce=1,cnonce=2"[..], "cnonce", 9),
            (b"nextnonce=1,NextNonce=2", "nextnonce", 12),
            (b"qop=auth,qop=auth", "qop", 9),
            (b"nc=00000001,nc=00000001", "nc", 12),
            (b"rspauth=abababababababababababababababab,rspauth=abababababababababababababababab", "rspauth", 41),
        ] {
            assert_eq!(read(token), Err(TokenError::Repeated { directive: name, position: at }));
        }
    }

    #[test]
    fn what_it_cannot_say() {
        let info = AuthenticationInfo { nc: Some(*b"0000 001"), ..AuthenticationInfo::default() };
        assert_eq!(info.to_bytes(), Err(Unwritable { directive: "nc" }));
        let info = AuthenticationInfo { nextnonce: Some(b"\r\n".to_vec()), ..AuthenticationInfo::default() };
        assert_eq!(info.to_bytes(), Err(Unwritable { directive: "nextnonce" }));
    }
}
