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

pub(super) fn required<T>(directive: &'static str, value: Option<T>) -> Result<T, TokenError> {
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
pub(super) fn nc_number(digits: &[u8; 8]) -> u32 {
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
    /// What the digest covers of the channel through the cnonce, under extended protection.
    pub extended: Option<ExtendedProtection<'a>>,
}

/// The directives of extended protection (draft-santesson-digestbind-01). The cnonce beside them must be one of
/// [`upgraded_cnonce`](super::bindings::upgraded_cnonce) for the same two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedProtection<'a> {
    /// The service that the client means; empty if it names none.
    pub service_name: &'a [u8],
    /// The hash of the channel's bindings in hexadecimal digits, or [`NO_CHANNEL`](super::bindings::NO_CHANNEL).
    pub channel_binding: &'a [u8; 32],
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
        if let Some(ExtendedProtection { service_name, channel_binding }) = self.extended {
            writer.quoted("hashed-dirs", b"service-name,channel-binding");
            writer.quoted("service-name", service_name);
            writer.quoted("channel-binding", channel_binding);
        }
        writer.finish().ok()?;
        Some(response_at)
    }
}

#[cfg(test)]
mod tests {
    use super::{ExtendedProtection, Response, ResponseDirectives, ResponseFields, nc_value};
    use crate::digest::hash::{hex, md5};
    use crate::digest::{
        Algorithm, Charset, Limits, Qop, SessionKey, SyntaxError, SyntaxErrorKind, TokenError, UserHash,
    };
    use std::borrow::Cow;

    /// RFC 2617 section 3.5, line folding included.
    const RFC_2617: &[u8] = b"username=\"Mufasa\",\r\n         realm=\"testrealm@host.com\",\r\n         \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n         uri=\"/dir/index.html\",\r\n         qop=auth,\r\n         \
        nc=00000001,\r\n         cnonce=\"0a4f113b\",\r\n         response=\"6629fae49393a05397450978507c4ef1\",\r\n         \
        opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

    /// All that an acceptor requires, in the order of the list.
    const REQUIRED: [(&str, &str); 9] = [
        ("username", "u"),
        ("realm", "r"),
        ("nonce", "n"),
        ("uri", "/"),
        ("qop", "auth"),
        ("nc", "00000001"),
        ("cnonce", "c"),
        ("response", "00112233445566778899aabbccddeeff"),
        ("opaque", "o"),
    ];

    fn token(directives: &[(&str, &str)]) -> Vec<u8> {
        let members: Vec<_> = directives.iter().map(|(name, value)| format!("{name}={value}")).collect();
        members.join(",").into_bytes()
    }

    fn read(token: &[u8]) -> Result<ResponseDirectives<'_>, TokenError> {
        ResponseDirectives::parse(token, &Limits::default())
    }

    #[test]
    fn rfc_2617_example() {
        let response = Response::parse(RFC_2617, &Limits::default()).expect("the example of the RFC");
        assert_eq!(response.username, "Mufasa");
        assert_eq!(response.realm, "testrealm@host.com");
        assert_eq!(response.uri, &b"/dir/index.html"[..]);
        assert_eq!((response.qop, response.nc, response.algorithm()), (Qop::Auth, 1, Algorithm::Md5));
        assert_eq!(response.opaque, &b"5ccc069c403ebaf9f0171e9517f40e41"[..]);

        let user = UserHash::new("Mufasa", "testrealm@host.com", "Circle Of Life");
        let key = SessionKey::new(response.algorithm(), &user, &response.nonce, &response.cnonce);
        assert_eq!(response.digest(&key, b"GET", None), Some(response.response));
        assert_ne!(response.digest(&key, b"POST", None), Some(response.response));
        assert_ne!(response.digest(&key, b"", None), Some(response.response));
    }

    /// The value is the one of `hash::tests::md5_sess`, there from Python's hashlib.
    #[test]
    fn auth_int_needs_the_entity() {
        let token = b"username=Mufasa,realm=\"testrealm@host.com\",nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093,\
            uri=/dir/index.html,qop=auth-int,nc=00000001,cnonce=0a4f113b,response=663893FF97F02100977C85E0A7D71B69,\
            opaque=o,algorithm=md5-SESS";
        let response = Response::parse(token, &Limits::default()).expect("a good response");
        let user = UserHash::new("Mufasa", "testrealm@host.com", "Circle Of Life");
        let key = SessionKey::new(response.algorithm(), &user, &response.nonce, &response.cnonce);
        assert_eq!(response.digest(&key, b"POST", None), None);
        assert_eq!(response.digest(&key, b"POST", Some(&md5(&[b"hello"]))), Some(response.response));
        assert_ne!(response.digest(&key, b"POST", Some(&md5(&[]))), Some(response.response));
    }

    /// The values are those of `hash::tests::md5_sess` ("spelled"): qop and nc are hashed as they stand there.
    #[test]
    fn qop_and_nc_are_hashed_as_spelled() {
        let token = b"username=Mufasa,realm=\"testrealm@host.com\",nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093,\
            uri=/dir/index.html,qop=\"AUTH\",nc=\"0000000A\",cnonce=0a4f113b,response=5a8e9c56e7352c88a1297f73ad40d17c,\
            opaque=o,algorithm=MD5-sess";
        let response = Response::parse(token, &Limits::default()).expect("a good response");
        assert_eq!((response.qop, response.nc, &response.nc_text), (Qop::Auth, 10, b"0000000A"));
        let user = UserHash::new("Mufasa", "testrealm@host.com", "Circle Of Life");
        let key = SessionKey::new(response.algorithm(), &user, &response.nonce, &response.cnonce);
        assert_eq!(response.digest(&key, b"GET", None), Some(response.response));
    }

    #[test]
    fn each_required_directive_is_required_in_order() {
        assert!(Response::parse(&token(&REQUIRED), &Limits::default()).is_ok());
        for missing in 0..REQUIRED.len() {
            let name = REQUIRED[missing].0;
            let others: Vec<_> = REQUIRED.into_iter().filter(|(other, _)| *other != name).collect();
            let error = TokenError::Missing { directive: name };
            assert_eq!(Response::parse(&token(&others), &Limits::default()), Err(error.clone()));
            assert_eq!(Response::parse(&token(&REQUIRED[..missing]), &Limits::default()), Err(error));
        }
    }

    /// The form of RFC 2069 can be read, but not judged.
    #[test]
    fn rfc_2069_form() {
        let token = b"username=\"Mufasa\",realm=\"testrealm@host.com\",nonce=\"n\",uri=\"/\",\
            response=\"1949323746fe6a43ef61f9606e7febea\",opaque=\"o\"";
        let directives = read(token).expect("well-formed");
        assert_eq!((&directives.qop, directives.nc, &directives.cnonce), (&None, None, &None));
        assert_eq!(directives.require_all(), Err(TokenError::Missing { directive: "qop" }));
    }

    #[test]
    fn known_directives_stand_once_and_others_may_repeat() {
        let further = [
            ("algorithm", "MD5"),
            ("charset", "utf-8"),
            ("hashed-dirs", "h"),
            ("service-name", "s"),
            ("channel-binding", "b"),
        ];
        for (name, value) in REQUIRED.into_iter().chain(further) {
            let upper = name.to_ascii_uppercase();
            let first = token(&[(name, value)]);
            assert!(read(&first).is_ok(), "{name}");
            let error = TokenError::Repeated { directive: name, position: first.len() + 1 };
            assert_eq!(read(&token(&[(name, value), (&upper, value)])), Err(error.clone()));
            // The second one is refused before its value is looked at.
            assert_eq!(read(&token(&[(name, value), (&upper, "\"\"")])), Err(error));
        }
        let repeated = token(&[("x", "1"), ("auth-param", "2"), ("X", "3")]);
        let directives = read(&repeated).expect("unknown directives may repeat");
        let values: Vec<_> = directives.unknown.iter().map(|directive| directive.value).collect();
        assert_eq!(values, [b"1", b"2", b"3"]);
    }

    #[test]
    fn values_outside_of_what_they_may_be() {
        for (name, value) in [
            ("uri", "\"\""),
            ("qop", "auth-conf"),
            ("qop", "\"auth,auth-int\""),
            ("qop", "\" auth\""),
            ("nc", "1"),
            ("nc", "000000001"),
            ("nc", "0000000g"),
            ("nc", "+0000001"),
            ("response", "00112233445566778899aabbccddeef"),
            ("response", "00112233445566778899aabbccddeeff0"),
            ("response", "00112233445566778899aabbccddeefg"),
            ("algorithm", "SHA-256"),
            ("algorithm", "\"\""),
            ("charset", "iso-8859-1"),
            ("charset", "utf8"),
        ] {
            let text = token(&[("x", "1"), (name, value)]);
            let value_at = 4 + name.len() + 1 + usize::from(value.starts_with('"'));
            let error = read(&text).expect_err(name);
            assert!(
                matches!(error, TokenError::Invalid { directive, position, .. } if directive == name && position == value_at),
                "{error}"
            );
        }
    }

    #[test]
    fn the_first_offence_wins() {
        let invalid = TokenError::Invalid { directive: "nc", position: 3, expected: "8 hexadecimal digits" };
        assert_eq!(read(b"nc=1,qop=x,a"), Err(invalid));
        let syntax = SyntaxError { position: 1, kind: SyntaxErrorKind::EqualsExpected };
        assert_eq!(read(b"a,nc=1"), Err(syntax.into()));
        assert_eq!(read(b"cnonce=1,cnonce=2,nc=1"), Err(TokenError::Repeated { directive: "cnonce", position: 9 }));
        // What is missing comes last, and an encoding before it.
        let encoding = TokenError::Invalid { directive: "username", position: 9, expected: "UTF-8" };
        assert_eq!(Response::parse(b"username=\xe4,charset=utf-8", &Limits::default()), Err(encoding));
        // An encoding is judged after the scan, so that a later syntax error comes before it.
        let syntax = SyntaxError { position: 26, kind: SyntaxErrorKind::EqualsExpected };
        assert_eq!(read(b"username=\xe4,charset=utf-8,x"), Err(syntax.into()));
    }

    #[test]
    fn the_charset_may_stand_anywhere() {
        let name = |token: &'static [u8]| read(token).expect("a good token").username;
        assert_eq!(name(b"charset=utf-8,username=\"J\xc3\xa4\"").as_deref(), Some("J\u{e4}"));
        assert_eq!(name(b"username=\"J\xc3\xa4\",charset=\"UTF-8\"").as_deref(), Some("J\u{e4}"));
        assert_eq!(name(b"username=\"J\xc3\xa4\"").as_deref(), Some("J\u{c3}\u{a4}"));
        assert_eq!(name(b"username=\"J\xe4\"").as_deref(), Some("J\u{e4}"));
        // Username is judged before realm, whichever comes first.
        let error = TokenError::Invalid { directive: "username", position: 17, expected: "UTF-8" };
        assert_eq!(read(b"realm=\xe4,username=\xe4,charset=utf-8"), Err(error));
        let error = TokenError::Invalid { directive: "realm", position: 6, expected: "UTF-8" };
        assert_eq!(read(b"realm=\xe4,username=u,charset=utf-8"), Err(error));
    }

    #[test]
    fn backslashes_in_username_and_elsewhere() {
        let directives = read(b"username=\"D\\u\\\\v\\\"\",realm=\"D\\u\\\\v\\\"\"").expect("a good token");
        assert_eq!(directives.username.as_deref(), Some("D\\u\\v\""));
        assert_eq!(directives.realm.as_deref(), Some("Du\\v\""));
    }

    #[test]
    fn nothing_is_copied_that_needs_no_unescaping() {
        let response = Response::parse(RFC_2617, &Limits::default()).expect("the example of the RFC");
        assert!(matches!((&response.username, &response.realm), (Cow::Borrowed(_), Cow::Borrowed(_))));
        for value in [&response.nonce, &response.uri, &response.qop_text, &response.cnonce, &response.opaque] {
            assert!(matches!(value, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn limits_hold() {
        let text = token(&REQUIRED);
        let limits = Limits { directives: 8, ..Limits::default() };
        let position = text.len() - "opaque=o".len();
        let error = SyntaxError { position, kind: SyntaxErrorKind::TooManyDirectives };
        assert_eq!(Response::parse(&text, &limits), Err(error.into()));
        let limits = Limits { token_bytes: 10, ..Limits::default() };
        let error = SyntaxError { position: 10, kind: SyntaxErrorKind::TokenTooLong };
        assert_eq!(Response::parse(&text, &limits), Err(error.into()));
    }

    fn fields<'a>(username: &'a str, charset: Charset, response: &'a [u8; 32]) -> ResponseFields<'a> {
        ResponseFields {
            username,
            realm: "r",
            nonce: b"n",
            uri: b"/\"",
            protection: Some((Qop::AuthInt, 10, b"c")),
            response,
            opaque: Some(b"o"),
            algorithm: Some(Algorithm::Md5Sess),
            charset,
            extended: None,
        }
    }

    #[test]
    fn what_an_initiator_writes() {
        let mut out = b"Digest ".to_vec();
        let digits = hex(&[0xab; 16]);
        let at = fields("D\\J\u{e4}", Charset::Utf8, &digits).write(&mut out).expect("UTF-8 has all characters");
        let expected =
            b"Digest username=\"D\\\\J\xc3\xa4\",realm=\"r\",nonce=\"n\",uri=\"/\\\"\",cnonce=\"c\",nc=0000000a,\
            qop=auth-int,response=\"abababababababababababababababab\",opaque=\"o\",algorithm=MD5-sess,charset=utf-8";
        assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
        assert_eq!(out.get(at..at + 32), Some(&digits[..]));

        out.clear();
        let bare = ResponseFields {
            protection: None,
            opaque: None,
            algorithm: None,
            ..fields("J\u{e4}", Charset::Iso8859_1, &digits)
        };
        bare.write(&mut out).expect("ISO 8859-1 has these characters");
        let expected =
            b"username=\"J\xe4\",realm=\"r\",nonce=\"n\",uri=\"/\\\"\",response=\"abababababababababababababababab\"";
        assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn extended_protection_stands_last() {
        let digits = hex(&[0xab; 16]);
        let extended = Some(ExtendedProtection { service_name: b"HTTP/\"a\"", channel_binding: &[b'0'; 32] });
        let mut out = Vec::new();
        ResponseFields { extended, ..fields("u", Charset::Utf8, &digits) }.write(&mut out).expect("printable");
        let end = b",charset=utf-8,hashed-dirs=\"service-name,channel-binding\",service-name=\"HTTP/\\\"a\\\"\",\
            channel-binding=\"00000000000000000000000000000000\"";
        assert!(out.ends_with(end), "{}", out.escape_ascii());
        let extended = Some(ExtendedProtection { service_name: b"\n", channel_binding: &[b'0'; 32] });
        assert_eq!(ResponseFields { extended, ..fields("u", Charset::Utf8, &digits) }.write(&mut out), None);
    }

    #[test]
    fn what_an_initiator_cannot_write() {
        let mut out = b"before".to_vec();
        assert_eq!(fields("\u{20ac}", Charset::Iso8859_1, &[b'0'; 32]).write(&mut out), None);
        assert_eq!(fields("a\r\nb", Charset::Utf8, &[b'0'; 32]).write(&mut out), None);
        assert_eq!(out, b"before");
    }

    #[test]
    fn nonce_counts() {
        assert_eq!(&nc_value(0), b"00000000");
        assert_eq!(&nc_value(0x0123_4abc), b"01234abc");
        assert_eq!(&nc_value(u32::MAX), b"ffffffff");
    }
}
