//! The challenge (RFC 2831 section 2.1.1).
#![forbid(unsafe_code)]

use super::{Cipher, Ciphers, MaxBuf, Qop};
use crate::digest::challenge::{ChallengeError, MAXIMUM_CHALLENGE};
use crate::digest::charset::{Charset, decode, encode};
use crate::digest::directives::{Directive, DirectiveWriter, Limits, directives};
use crate::digest::error::{TokenError, invalid, place};

/// What a server asks a response for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The realms that the user may have an account in, in the order of the text; none is allowed.
    pub realms: Vec<String>,
    /// The server's nonce.
    pub nonce: Vec<u8>,
    /// The qualities of protection offered; a missing directive offers `auth`.
    pub qop: OfferedQop,
    /// Whether only the nonce of the last response was wrong.
    pub stale: bool,
    /// The longest wrapped message that the server receives.
    pub maxbuf: MaxBuf,
    /// How `realm` is encoded, and whether a response may say `charset=utf-8`.
    pub charset: Charset,
    /// The algorithm, which must be there.
    pub algorithm: OfferedAlgorithm,
    /// The ciphers offered for `auth-conf`, as far as this crate knows them.
    pub ciphers: Ciphers,
}

/// The `algorithm` of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferedAlgorithm {
    /// `md5-sess`, the only one of RFC 2831.
    Md5Sess,
    /// Another one, as spelled; a client then does not answer.
    Unknown(Vec<u8>),
}

/// The `qop` of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferedQop {
    /// `auth` is offered.
    pub auth: bool,
    /// `auth-int` is offered.
    pub auth_int: bool,
    /// `auth-conf` is offered.
    pub auth_conf: bool,
    /// Members that this crate does not know are offered.
    pub others: bool,
}

impl OfferedQop {
    const NONE: Self = Self { auth: false, auth_int: false, auth_conf: false, others: false };

    /// One quality of protection and nothing else.
    pub const fn only(qop: Qop) -> Self {
        Self::NONE.with(qop)
    }

    /// Whether this quality of protection is offered.
    pub const fn offers(&self, qop: Qop) -> bool {
        match qop {
            Qop::Auth => self.auth,
            Qop::AuthInt => self.auth_int,
            Qop::AuthConf => self.auth_conf,
        }
    }

    const fn with(self, qop: Qop) -> Self {
        match qop {
            Qop::Auth => Self { auth: true, ..self },
            Qop::AuthInt => Self { auth_int: true, ..self },
            Qop::AuthConf => Self { auth_conf: true, ..self },
        }
    }

    /// Whether a layer is offered, so that `maxbuf` means something.
    const fn offers_layer(&self) -> bool {
        self.auth_int || self.auth_conf
    }

    fn parse(list: &[u8]) -> Option<Self> {
        let mut members = members(list).peekable();
        members.peek()?;
        Some(members.fold(Self::NONE, |offered, member| match Qop::from_token(member) {
            Some(qop) => offered.with(qop),
            None => Self { others: true, ..offered },
        }))
    }

    /// The list. Of other members only their presence is known, so `other` stands for them.
    fn to_list(self) -> String {
        let known = Qop::ALL.into_iter().filter(|qop| self.offers(*qop)).map(Qop::as_str);
        known.chain(self.others.then_some("other")).collect::<Vec<_>>().join(",")
    }
}

/// The members of a list separated by commas and white space.
fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|octet| matches!(octet, b',' | b' ' | b'\t' | b'\r' | b'\n')).filter(|member| !member.is_empty())
}

/// The known ciphers of a list; `None` if it has no member at all.
fn parse_ciphers(list: &[u8]) -> Option<Ciphers> {
    let mut members = members(list).peekable();
    members.peek()?;
    Some(members.filter_map(Cipher::from_token).collect())
}

#[derive(Default)]
struct Slots<'a> {
    realms: Vec<Directive<'a>>,
    nonce: Option<Vec<u8>>,
    qop: Option<OfferedQop>,
    stale: Option<bool>,
    maxbuf: Option<MaxBuf>,
    charset: Option<Charset>,
    algorithm: Option<OfferedAlgorithm>,
    ciphers: Option<Ciphers>,
}

impl<'a> Slots<'a> {
    fn take(&mut self, directive: &Directive<'a>) -> Result<(), TokenError> {
        if directive.is("realm") {
            self.realms.push(*directive);
            return Ok(());
        }
        let value = directive.unescaped();
        if directive.is("nonce") {
            place(&mut self.nonce, "nonce", directive, || Ok(value.into_owned()))
        } else if directive.is("qop") {
            place(&mut self.qop, "qop", directive, || {
                OfferedQop::parse(&value).ok_or_else(|| invalid("qop", directive, "a list of at least one member"))
            })
        } else if directive.is("stale") {
            place(&mut self.stale, "stale", directive, || Ok(value.eq_ignore_ascii_case(b"true")))
        } else if directive.is("maxbuf") {
            place(&mut self.maxbuf, "maxbuf", directive, || read_maxbuf(&value, directive))
        } else if directive.is("charset") {
            place(&mut self.charset, "charset", directive, || {
                Charset::from_token(&value).ok_or_else(|| invalid("charset", directive, "utf-8"))
            })
        } else if directive.is("algorithm") {
            place(&mut self.algorithm, "algorithm", directive, || {
                Ok(if value.eq_ignore_ascii_case(b"md5-sess") {
                    OfferedAlgorithm::Md5Sess
                } else {
                    OfferedAlgorithm::Unknown(value.into_owned())
                })
            })
        } else if directive.is("cipher") {
            place(&mut self.ciphers, "cipher", directive, || {
                parse_ciphers(&value).ok_or_else(|| invalid("cipher", directive, "a list of at least one member"))
            })
        } else {
            Ok(())
        }
    }
}

/// The value of a `maxbuf` directive.
pub(super) fn read_maxbuf(value: &[u8], directive: &Directive<'_>) -> Result<MaxBuf, TokenError> {
    MaxBuf::from_digits(value).ok_or_else(|| invalid("maxbuf", directive, "a number from 17 to 16777215"))
}

impl Challenge {
    /// Reads a challenge. Unknown directives are ignored, `opaque` and `domain` among them (RFC 2831 section 2.1.1,
    /// auth-param).
    ///
    /// # Errors
    /// Malformed text or more than [`MAXIMUM_CHALLENGE`] bytes, a known directive other than `realm` twice, a
    /// value outside of what it may be, or no `nonce` or `algorithm`.
    pub fn parse(token: &[u8], limits: &Limits) -> Result<Self, TokenError> {
        let limits = Limits { token_bytes: limits.token_bytes.min(MAXIMUM_CHALLENGE), ..*limits };
        let mut slots = Slots::default();
        for directive in directives(token, &limits) {
            slots.take(&directive?)?;
        }
        let charset = slots.charset.unwrap_or_default();
        let realm = |directive: &Directive<'_>| {
            let decoded = decode(&directive.unescaped(), charset).map(|text| text.into_owned());
            decoded.ok_or_else(|| invalid("realm", directive, "UTF-8"))
        };
        Ok(Self {
            realms: slots.realms.iter().map(realm).collect::<Result<_, _>>()?,
            nonce: slots.nonce.ok_or(TokenError::Missing { directive: "nonce" })?,
            qop: slots.qop.unwrap_or(OfferedQop::only(Qop::Auth)),
            stale: slots.stale.unwrap_or(false),
            maxbuf: slots.maxbuf.unwrap_or_default(),
            charset,
            algorithm: slots.algorithm.ok_or(TokenError::Missing { directive: "algorithm" })?,
            ciphers: slots.ciphers.unwrap_or_default(),
        })
    }

    /// The challenge as a token: `stale` only when true, `cipher` and `maxbuf` only where the `qop` gives them a meaning.
    ///
    /// # Errors
    /// More than [`MAXIMUM_CHALLENGE`] bytes, a value that a token cannot carry, or no `qop` at all.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ChallengeError> {
        let mut out = Vec::new();
        let mut writer = DirectiveWriter::new(&mut out);
        for realm in &self.realms {
            match encode(realm, self.charset) {
                Some(realm) => writer.quoted("realm", &realm),
                None => writer.refuse("realm"),
            };
        }
        writer.quoted("nonce", &self.nonce);
        if self.qop == OfferedQop::NONE {
            writer.refuse("qop");
        } else {
            writer.quoted("qop", self.qop.to_list().as_bytes());
        }
        if self.stale {
            writer.token("stale", b"true");
        }
        if self.qop.auth_conf && !self.ciphers.is_empty() {
            writer.quoted("cipher", self.ciphers.to_string().as_bytes());
        }
        if self.qop.offers_layer() {
            writer.token("maxbuf", self.maxbuf.get().to_string().as_bytes());
        }
        match self.charset {
            Charset::Iso8859_1 => {}
            Charset::Utf8 => {
                writer.token("charset", b"utf-8");
            }
        }
        match &self.algorithm {
            OfferedAlgorithm::Md5Sess => writer.token("algorithm", b"md5-sess"),
            OfferedAlgorithm::Unknown(name) => writer.quoted("algorithm", name),
        };
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
    use crate::digest::sasl::{Cipher, Ciphers, MaxBuf, Qop};
    use crate::digest::{Charset, Limits, SyntaxError, SyntaxErrorKind, TokenError, Unwritable};

    fn read(token: &[u8]) -> Result<Challenge, TokenError> {
        Challenge::parse(token, &Limits::default())
    }

    fn good(rest: &str) -> Challenge {
        let token = format!("nonce=n,algorithm=md5-sess{rest}");
        read(token.as_bytes()).unwrap_or_else(|error| panic!("{token}: {error}"))
    }

    fn plain() -> Challenge {
        Challenge {
            realms: Vec::new(),
            nonce: b"n".to_vec(),
            qop: OfferedQop::only(Qop::Auth),
            stale: false,
            maxbuf: MaxBuf::DEFAULT,
            charset: Charset::Iso8859_1,
            algorithm: OfferedAlgorithm::Md5Sess,
            ciphers: Ciphers::EMPTY,
        }
    }

    /// RFC 2831 section 4, both examples; the second is said to have 94 octets, without the line break.
    #[test]
    fn rfc_2831_examples() {
        let expected = Challenge {
            realms: vec!["elwood.innosoft.com".into()],
            nonce: b"OA6MG9tEQGm2hh".to_vec(),
            charset: Charset::Utf8,
            ..plain()
        };
        let token =
            b"realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",\r\n   algorithm=md5-sess,charset=utf-8";
        assert_eq!(read(token), Ok(expected.clone()));
        let token =
            b"realm=\"elwood.innosoft.com\",nonce=\"OA9BSXrbuRhWay\",qop=\"auth\",algorithm=md5-sess,charset=utf-8";
        assert_eq!(token.len(), 94);
        let second = Challenge { nonce: b"OA9BSXrbuRhWay".to_vec(), ..expected };
        assert_eq!(read(token), Ok(second.clone()));
        assert_eq!(second.to_bytes().expect("it was read").len(), 94);
    }

    #[test]
    fn what_is_not_said_has_a_meaning() {
        assert_eq!(good(""), plain());
        // What HTTP knows means nothing here, and may repeat.
        assert_eq!(good(",opaque=o,opaque=o,domain=\"/\",domain=\"/\",x=1,X=2"), plain());
    }

    #[test]
    fn realms_may_repeat() {
        let challenge = good(",realm=b,Realm=\"a\",realm=b,charset=utf-8,realm=\"\u{e4}\"");
        assert_eq!(challenge.realms, ["b", "a", "b", "\u{e4}"]);
        let token = b"nonce=n,realm=a,realm=\"\xe4\",charset=utf-8";
        let error = TokenError::Invalid { directive: "realm", position: 23, expected: "UTF-8" };
        assert_eq!(read(token), Err(error));
    }

    #[test]
    fn qop_and_cipher_are_lists() {
        let all = OfferedQop { auth: true, auth_int: true, auth_conf: true, others: false };
        for (list, expected) in [
            ("auth-conf", OfferedQop::only(Qop::AuthConf)),
            ("\"AUTH-INT\"", OfferedQop::only(Qop::AuthInt)),
            ("\"auth, auth-int,\tauth-conf,\"", all),
            ("\"auth,\r\n auth-int auth-conf x\"", OfferedQop { others: true, ..all }),
            ("x", OfferedQop { others: true, ..OfferedQop::NONE }),
        ] {
            assert_eq!(good(&format!(",qop={list}")).qop, expected, "{list}");
        }
        for (list, expected) in [
            ("\"rc4-40,rc4, 3DES\"", "rc4,3des,rc4-40"),
            ("des", "des"),
            ("\"rc4-56,aes,,rc4-56\"", "rc4-56"),
            ("aes-128", ""),
        ] {
            assert_eq!(good(&format!(",cipher={list}")).ciphers.to_string(), expected, "{list}");
        }
        for qop in Qop::ALL {
            assert_eq!(Qop::ALL.map(|other| OfferedQop::only(qop).offers(other)), Qop::ALL.map(|other| other == qop));
        }
    }

    #[test]
    fn values_outside_of_what_they_may_be() {
        for (name, value) in [
            ("qop", "\"\""),
            ("qop", "\" , ,\t\""),
            ("cipher", "\"\""),
            ("cipher", "\",\""),
            ("maxbuf", "16"),
            ("maxbuf", "16777216"),
            ("maxbuf", "\"\""),
            ("maxbuf", "-1"),
            ("charset", "iso-8859-1"),
        ] {
            let error = read(format!("x=1,{name}={value}").as_bytes()).expect_err(name);
            let value_at = 4 + name.len() + 1 + usize::from(value.starts_with('"'));
            assert!(
                matches!(error, TokenError::Invalid { directive, position, .. } if directive == name && position == value_at),
                "{error}"
            );
        }
        assert_eq!(good(",maxbuf=17").maxbuf, MaxBuf::MINIMUM);
        assert_eq!(good(",maxbuf=\"16777215\"").maxbuf, MaxBuf::MAXIMUM);
        assert!(good(",stale=\"TRUE\"").stale && !good(",stale=yes").stale);
    }

    #[test]
    fn nonce_and_algorithm_are_required() {
        assert_eq!(read(b""), Err(TokenError::Missing { directive: "nonce" }));
        assert_eq!(read(b"realm=r,algorithm=md5-sess"), Err(TokenError::Missing { directive: "nonce" }));
        assert_eq!(read(b"nonce=n"), Err(TokenError::Missing { directive: "algorithm" }));
        let read = read(b"nonce=n,algorithm=MD5").expect("an algorithm that nobody answers");
        assert_eq!(read.algorithm, OfferedAlgorithm::Unknown(b"MD5".to_vec()));
        assert_eq!(Challenge::parse(b"nonce=n,algorithm=\"MD5-SESS\"", &Limits::default()), Ok(plain()));
    }

    #[test]
    fn known_directives_stand_once() {
        for (name, value) in [
            ("nonce", "1"),
            ("qop", "auth"),
            ("stale", "true"),
            ("maxbuf", "65536"),
            ("charset", "utf-8"),
            ("algorithm", "md5-sess"),
            ("cipher", "rc4"),
        ] {
            let first = format!("{name}={value}");
            let token = format!("{first},{}=\"\"", name.to_ascii_uppercase());
            let error = TokenError::Repeated { directive: name, position: first.len() + 1 };
            assert_eq!(read(token.as_bytes()), Err(error));
        }
    }

    #[test]
    fn a_challenge_as_text() {
        let conf = Challenge {
            realms: vec!["a \"b\"\u{e4}".into(), "c".into()],
            qop: OfferedQop::only(Qop::AuthConf),
            stale: true,
            charset: Charset::Utf8,
            ciphers: [Cipher::Des, Cipher::Rc4].into_iter().collect(),
            ..plain()
        };
        let expected = b"realm=\"a \\\"b\\\"\xc3\xa4\",realm=\"c\",nonce=\"n\",qop=\"auth-conf\",stale=true,\
            cipher=\"rc4,des\",maxbuf=65536,charset=utf-8,algorithm=md5-sess";
        assert_eq!(conf.to_bytes().as_deref(), Ok(&expected[..]));
        let int = Challenge { qop: OfferedQop::only(Qop::AuthInt), realms: Vec::new(), ..conf.clone() };
        let expected = b"nonce=\"n\",qop=\"auth-int\",stale=true,maxbuf=65536,charset=utf-8,algorithm=md5-sess";
        assert_eq!(int.to_bytes().as_deref(), Ok(&expected[..]));
        let auth = Challenge { qop: OfferedQop::only(Qop::Auth), stale: false, charset: Charset::Iso8859_1, ..int };
        assert_eq!(auth.to_bytes().as_deref(), Ok(&b"nonce=\"n\",qop=\"auth\",algorithm=md5-sess"[..]));
    }

    /// RFC 2831 section 2.1.1: "less than 2048 bytes".
    #[test]
    fn a_challenge_has_less_than_2048_bytes() {
        let sized = |nonce| Challenge { nonce: vec![b'n'; nonce], ..plain() };
        let overhead = sized(0).to_bytes().expect("a short challenge").len();
        let token = sized(MAXIMUM_CHALLENGE - overhead).to_bytes().expect("2047 bytes are allowed");
        assert_eq!(token.len(), 2047);
        assert!(read(&token).is_ok());
        let too_long = sized(MAXIMUM_CHALLENGE - overhead + 1);
        assert_eq!(too_long.to_bytes(), Err(ChallengeError::TooLong { bytes: 2048 }));
        let error = SyntaxError { position: 2047, kind: SyntaxErrorKind::TokenTooLong };
        assert_eq!(read(&[&token[..], b" "].concat()), Err(error.into()));
    }

    #[test]
    fn what_a_challenge_cannot_say() {
        let unwritable = |directive| Err(ChallengeError::Unwritable(Unwritable { directive }));
        assert_eq!(Challenge { realms: vec!["\u{20ac}".into()], ..plain() }.to_bytes(), unwritable("realm"));
        assert_eq!(Challenge { nonce: b"\n".to_vec(), ..plain() }.to_bytes(), unwritable("nonce"));
        assert_eq!(Challenge { qop: OfferedQop::NONE, ..plain() }.to_bytes(), unwritable("qop"));
        let algorithm = OfferedAlgorithm::Unknown(b"\0".to_vec());
        assert_eq!(Challenge { algorithm, ..plain() }.to_bytes(), unwritable("algorithm"));
    }
}
