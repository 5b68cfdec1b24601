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

/// The longest response that is written, in bytes; "less than 4096 bytes" (RFC 2831 section 2.1.2). A longer one is read all
/// the same, as far as [`Limits`] go.
pub const MAXIMUM_RESPONSE: usize = 4095;

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

#[cfg(test)]
mod tests {
    use super::{Response, ResponseFields};
    use crate::digest::hash::{SessionKey, UserHash, hex, unhex32};
    use crate::digest::sasl::{Cipher, Layer, MaxBuf, Qop};
    use crate::digest::{Charset, Limits, SyntaxError, SyntaxErrorKind, TokenError};
    use std::borrow::Cow;

    /// RFC 2831 section 4, IMAP.
    const IMAP: &[u8] = b"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",\r\n   \
        nonce=\"OA6MG9tEQGm2hh\",nc=00000001,cnonce=\"OA6MHXh6VqTrRk\",\r\n   \
        digest-uri=\"imap/elwood.innosoft.com\",\r\n   response=d388dad90d4bbd760a152321f2143af7,qop=auth";
    /// RFC 2831 section 4, ACAP.
    const ACAP: &[u8] = b"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",\r\n   \
        nonce=\"OA9BSXrbuRhWay\",nc=00000001,cnonce=\"OA9BSuZWMSpW8m\",\r\n   \
        digest-uri=\"acap/elwood.innosoft.com\",\r\n   response=6084c6db3fede7352c551284490fd0fc,qop=auth";

    const REQUIRED: [(&str, &str); 6] = [
        ("username", "u"),
        ("nonce", "n"),
        ("cnonce", "c"),
        ("nc", "00000001"),
        ("digest-uri", "imap/host"),
        ("response", "00112233445566778899aabbccddeeff"),
    ];

    fn token(directives: &[(&str, &str)]) -> Vec<u8> {
        let members: Vec<_> = directives.iter().map(|(name, value)| format!("{name}={value}")).collect();
        members.join(",").into_bytes()
    }

    fn read(token: &[u8]) -> Result<Response<'_>, TokenError> {
        Response::parse(token, &Limits::default())
    }

    fn chris() -> UserHash {
        UserHash::new("chris", "elwood.innosoft.com", "secret")
    }

    #[test]
    fn rfc_2831_examples() {
        for (token, proof) in [(IMAP, b"ea40f60335c427b5527b84dbabcdfffd"), (ACAP, b"2f0b3d7c3c2e486600ef710726aa2eae")]
        {
            let response = read(token).expect("an example of the RFC");
            assert_eq!((&*response.username, &*response.realm), ("chris", "elwood.innosoft.com"));
            assert_eq!((response.nc, response.qop, response.layer()), (1, Qop::Auth, None));
            assert_eq!((response.maxbuf, response.charset, response.cipher), (MaxBuf::DEFAULT, Charset::Utf8, None));
            let key = SessionKey::sasl(&chris(), &response.nonce, &response.cnonce, response.authzid.as_deref());
            assert_eq!(response.digest(&key), response.response);
            assert_eq!(Some(response.rspauth(&key)), unhex32(proof));
            let stranger = UserHash::new("chris", "elwood.innosoft.com", "Secret");
            let other = SessionKey::sasl(&stranger, &response.nonce, &response.cnonce, None);
            assert_ne!(response.digest(&other), response.response);
        }
    }

    /// What RFC 2831 prints no value for (raw A1 with authzid, 32 zeros, spelled qop and nc) comes from Python's
    /// hashlib:
    ///
    /// ```text
    /// python3 -c "
    /// from hashlib import md5
    /// H = lambda *p: md5(b':'.join(p)).hexdigest().encode()
    /// n, c, u = b'OA6MG9tEQGm2hh', b'OA6MHXh6VqTrRk', b'imap/elwood.innosoft.com'
    /// raw, z = md5(b'chris:elwood.innosoft.com:secret').digest(), b'0' * 32
    /// a1 = H(raw, n, c)
    /// print(H(a1, n, b'00000001', c, b'auth-int', H(b'AUTHENTICATE', u, z)))
    /// print(H(a1, n, b'00000001', c, b'auth-int', H(b'', u, z)))
    /// print(H(a1, n, b'0000000A', c, b'AUTH-Conf', H(b'AUTHENTICATE', u, z)))
    /// a1 = H(raw, n, c, '\u00e4'.encode())
    /// print(H(a1, n, b'00000001', c, b'auth', H(b'AUTHENTICATE', u)))"
    /// ```
    #[test]
    fn layers_authzid_and_spelling_are_under_the_digest() {
        let start = "username=chris,realm=\"elwood.innosoft.com\",nonce=OA6MG9tEQGm2hh,cnonce=OA6MHXh6VqTrRk,\
            digest-uri=\"imap/elwood.innosoft.com\"";
        for (rest, digest, proof) in [
            (
                "nc=00000001,qop=auth-int,maxbuf=17",
                "89fdc8198a2499ec4b6d0045c00ae24a",
                Some("2342e4b9b84956beda20b94d83cc8fe0"),
            ),
            ("nc=0000000A,qop=\"AUTH-Conf\",cipher=3DES", "14b8fc2a25994670a114e7e9dca6c483", None),
            ("nc=00000001,authzid=\"\u{e4}\"", "b8d085449ef566852de142e3d2df54a8", None),
        ] {
            let token = format!("{start},{rest},response={digest}");
            let response = read(token.as_bytes()).unwrap_or_else(|error| panic!("{token}: {error}"));
            let key = SessionKey::sasl(&chris(), &response.nonce, &response.cnonce, response.authzid.as_deref());
            assert_eq!(response.digest(&key), response.response, "{rest}");
            if let Some(proof) = proof {
                assert_eq!(Some(response.rspauth(&key)), unhex32(proof.as_bytes()), "{rest}");
            }
        }
    }

    #[test]
    fn what_is_not_said_has_a_meaning() {
        let text = token(&REQUIRED);
        let response = read(&text).expect("all that is required");
        assert_eq!((&*response.realm, response.qop, &*response.qop_text), ("", Qop::Auth, &b"auth"[..]));
        assert_eq!((response.maxbuf, response.charset), (MaxBuf::DEFAULT, Charset::Iso8859_1));
        assert_eq!((response.cipher, response.authzid.as_deref(), response.layer()), (None, None, None));
        // What HTTP knows means nothing here, and may repeat.
        let rest = [("opaque", "1"), ("opaque", "2"), ("algorithm", "x"), ("uri", "\"\""), ("hashed-dirs", "x")];
        let more: Vec<_> = REQUIRED.into_iter().chain(rest).collect();
        assert_eq!(read(&token(&more)), Ok(response));
    }

    #[test]
    fn the_layer_follows_qop_and_cipher() {
        let with = |rest: &[(&'static str, &'static str)]| {
            let text = token(&[&REQUIRED[..], rest].concat());
            Response::parse(&text, &Limits::default()).map(|response| response.layer())
        };
        assert_eq!(with(&[("qop", "auth"), ("cipher", "rc4")]), Ok(None));
        assert_eq!(with(&[("qop", "auth-int")]), Ok(Some(Layer::Integrity)));
        let conf = [("qop", "auth-conf"), ("cipher", "des")];
        assert_eq!(with(&conf), Ok(Some(Layer::Confidentiality(Cipher::Des))));
        assert_eq!(with(&conf[..1]), Err(TokenError::Missing { directive: "cipher" }));
    }

    #[test]
    fn each_required_directive_is_required_in_order() {
        for missing in 0..REQUIRED.len() {
            let name = REQUIRED[missing].0;
            let others: Vec<_> = REQUIRED.into_iter().filter(|(other, _)| *other != name).collect();
            let error = TokenError::Missing { directive: name };
            assert_eq!(read(&token(&others)), Err(error.clone()));
            assert_eq!(read(&token(&REQUIRED[..missing])), Err(error));
        }
    }

    #[test]
    fn known_directives_stand_once() {
        let further = [
            ("realm", "r"),
            ("qop", "auth"),
            ("maxbuf", "1024"),
            ("charset", "utf-8"),
            ("cipher", "rc4"),
            ("authzid", "a"),
        ];
        for (name, value) in REQUIRED.into_iter().chain(further) {
            let first = token(&[(name, value)]);
            let upper = name.to_ascii_uppercase();
            let error = TokenError::Repeated { directive: name, position: first.len() + 1 };
            assert_eq!(read(&token(&[(name, value), (&upper, "\"\"")])), Err(error));
        }
    }

    #[test]
    fn values_outside_of_what_they_may_be() {
        for (name, value) in [
            ("nc", "1"),
            ("nc", "0000000g"),
            ("qop", "auth-con"),
            ("qop", "\"auth,auth-int\""),
            ("digest-uri", "\"\""),
            ("digest-uri", "imap"),
            ("digest-uri", "imap/"),
            ("digest-uri", "/host"),
            ("response", "00112233445566778899aabbccddeef"),
            ("response", "00112233445566778899aabbccddeefg"),
            ("maxbuf", "16"),
            ("maxbuf", "16777216"),
            ("maxbuf", "\"65536 \""),
            ("charset", "utf8"),
            ("cipher", "\"rc4,des\""),
            ("cipher", "rc4-128"),
            ("authzid", "\"\""),
        ] {
            let text = token(&[("x", "1"), (name, value)]);
            let value_at = 4 + name.len() + 1 + usize::from(value.starts_with('"'));
            let error = read(&text).expect_err(name);
            assert!(
                matches!(error, TokenError::Invalid { directive, position, .. } if directive == name && position == value_at),
                "{error}"
            );
        }
        // UTF-8 whatever the charset is.
        let error = TokenError::Invalid { directive: "authzid", position: 8, expected: "UTF-8, not empty" };
        assert_eq!(read(b"authzid=\xe4"), Err(error));
    }

    #[test]
    fn the_first_offence_wins() {
        let invalid = TokenError::Invalid { directive: "nc", position: 3, expected: "8 hexadecimal digits" };
        assert_eq!(read(b"nc=1,qop=x,a"), Err(invalid));
        let syntax = SyntaxError { position: 26, kind: SyntaxErrorKind::EqualsExpected };
        assert_eq!(read(b"username=\xe4,charset=utf-8,x"), Err(syntax.into()));
        let encoding = TokenError::Invalid { directive: "username", position: 17, expected: "UTF-8" };
        assert_eq!(read(b"realm=\xe4,username=\xe4,charset=utf-8"), Err(encoding));
        let encoding = TokenError::Invalid { directive: "realm", position: 6, expected: "UTF-8" };
        assert_eq!(read(b"realm=\xe4,charset=utf-8"), Err(encoding));
        // Of what is missing, the cipher comes last.
        assert_eq!(read(b"qop=auth-conf"), Err(TokenError::Missing { directive: "username" }));
    }

    #[test]
    fn backslashes_in_username_and_elsewhere() {
        let text = token(
            &[&REQUIRED[1..], &[("username", "\"D\\u\\\\v\""), ("realm", "\"D\\u\""), ("authzid", "\"D\\u\"")]]
                .concat(),
        );
        let response = read(&text).expect("a good token");
        assert_eq!((&*response.username, &*response.realm), ("D\\u\\v", "Du"));
        assert_eq!(response.authzid.as_deref(), Some("Du"));
    }

    #[test]
    fn nothing_is_copied_that_needs_no_unescaping() {
        let response = read(IMAP).expect("the example of the RFC");
        assert!(matches!((&response.username, &response.realm), (Cow::Borrowed(_), Cow::Borrowed(_))));
        for value in [&response.nonce, &response.cnonce, &response.qop_text, &response.digest_uri] {
            assert!(matches!(value, Cow::Borrowed(_)));
        }
    }

    fn fields() -> ResponseFields<'static> {
        ResponseFields {
            username: "D\\J\u{e4}",
            realm: Some("r"),
            nonce: b"n\"",
            cnonce: b"c",
            nc: 10,
            qop: Qop::AuthConf,
            cipher: Some(Cipher::TripleDes),
            maxbuf: Some(MaxBuf::MINIMUM),
            digest_uri: b"imap/host",
            charset: Charset::Utf8,
            authzid: Some("\u{20ac}"),
        }
    }

    #[test]
    fn what_an_initiator_writes() {
        let digits = hex(&[0xab; 16]);
        let mut out = b"before ".to_vec();
        assert_eq!(fields().write(&digits, &mut out), Some(()));
        let expected = b"before username=\"D\\\\J\xc3\xa4\",realm=\"r\",nonce=\"n\\\"\",cnonce=\"c\",nc=0000000a,\
            qop=auth-conf,cipher=3des,maxbuf=17,digest-uri=\"imap/host\",response=abababababababababababababababab,\
            charset=utf-8,authzid=\"\xe2\x82\xac\"";
        assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());

        out.clear();
        let bare = ResponseFields {
            realm: None,
            qop: Qop::Auth,
            cipher: None,
            maxbuf: None,
            charset: Charset::Iso8859_1,
            authzid: None,
            ..fields()
        };
        assert_eq!(bare.write(&digits, &mut out), Some(()));
        let expected = b"username=\"D\\\\J\xe4\",nonce=\"n\\\"\",cnonce=\"c\",nc=0000000a,qop=auth,\
            digest-uri=\"imap/host\",response=abababababababababababababababab";
        assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn what_an_initiator_cannot_write() {
        let mut out = b"before".to_vec();
        for unwritable in [
            ResponseFields { username: "\u{20ac}", charset: Charset::Iso8859_1, ..fields() },
            ResponseFields { realm: Some("\u{20ac}"), charset: Charset::Iso8859_1, ..fields() },
            ResponseFields { digest_uri: b"a/\r\nb", ..fields() },
            ResponseFields { authzid: Some("a\nb"), ..fields() },
        ] {
            assert_eq!(unwritable.write(&[b'0'; 32], &mut out), None);
            assert_eq!(out, b"before");
        }
    }
}
