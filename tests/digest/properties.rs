//! What holds for every token: reading undoes writing, spelling does not matter, and nothing panics.

use digest_ssp::digest::charset::{decode, encode, hash_form};
use digest_ssp::digest::hash::{A2, equal, hex, md5, unhex32};
use digest_ssp::digest::uri::{origin_form, same_target};
use digest_ssp::digest::{
    Algorithm, AuthenticationInfo, Challenge, ChallengeError, Charset, DirectiveWriter, Limits, MAXIMUM_CHALLENGE,
    Nonce, OfferedAlgorithm, OfferedQop, Protection, Qop, Response, ResponseDirectives, ResponseFields, SessionKey,
    SyntaxErrorKind, Timestamp, TokenError, UserHash, directives, nc_value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

fn configuration() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/digest_properties.txt",
        ))),
        ..ProptestConfig::default()
    }
}

/// Strategies for every type that stands on the wire.
mod strategy {
    use super::*;
    use crate::texts::{charset, text, text_octet};

    pub(super) fn algorithm() -> impl Strategy<Value = Algorithm> {
        select(vec![Algorithm::Md5, Algorithm::Md5Sess])
    }

    pub(super) fn qop() -> impl Strategy<Value = Qop> {
        select(vec![Qop::Auth, Qop::AuthInt])
    }

    /// What a quoted string may mean: text and folded lines.
    pub(super) fn text_octets() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            20 => text_octet().prop_map(|octet| vec![octet]),
            1 => Just(b"\r\n ".to_vec()),
            1 => Just(b"\r\n\t".to_vec()),
        ];
        vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    /// A request target; never empty.
    pub(super) fn uri() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "/[a-z0-9/._%-]{0,20}(\\?[a-z0-9=&]{0,10})?".prop_map(String::into_bytes),
            "[a-z][a-z0-9+.-]{0,5}://[a-z0-9.:@-]{0,12}(/[a-z0-9/]{0,10})?(\\?[a-z=&]{0,6})?"
                .prop_map(String::into_bytes),
            text_octets().prop_filter("a uri is not empty", |uri| !uri.is_empty()),
        ]
    }

    pub(super) fn offered_algorithm() -> impl Strategy<Value = OfferedAlgorithm> {
        let unknown = prop_oneof![
            select(vec![b"SHA-256".to_vec(), b"MD5-session".to_vec(), b"".to_vec()]),
            text_octets().prop_filter("known", |name| Algorithm::from_token(name).is_none()),
        ];
        prop_oneof![
            Just(OfferedAlgorithm::Absent),
            algorithm().prop_map(OfferedAlgorithm::Known),
            unknown.prop_map(OfferedAlgorithm::Unknown),
        ]
    }

    /// A list of qualities of protection with at least one member.
    pub(super) fn offered_qop() -> impl Strategy<Value = OfferedQop> {
        (1..8u8).prop_map(|bits| OfferedQop { auth: bits & 1 != 0, auth_int: bits & 2 != 0, others: bits & 4 != 0 })
    }

    pub(super) fn challenge() -> impl Strategy<Value = Challenge> {
        let rest = (
            text_octets(),
            option::of(text_octets()),
            option::of(text_octets()),
            any::<bool>(),
            offered_algorithm(),
            option::of(offered_qop()),
        );
        (charset().prop_flat_map(|charset| (Just(charset), text(charset))), rest).prop_map(
            |((charset, realm), (nonce, opaque, domain, stale, algorithm, qop))| Challenge {
                realm,
                nonce,
                opaque,
                domain,
                stale,
                algorithm,
                qop,
                charset,
            },
        )
    }

    /// 8 hexadecimal digits in any case.
    pub(super) fn nc_text() -> impl Strategy<Value = [u8; 8]> {
        proptest::array::uniform8(select(b"0123456789abcdefABCDEF".to_vec()))
    }

    pub(super) fn authentication_info() -> impl Strategy<Value = AuthenticationInfo> {
        (
            option::of(any::<[u8; 16]>()),
            option::of(qop()),
            option::of(text_octets()),
            option::of(nc_text()),
            option::of(text_octets()),
        )
            .prop_map(|(rspauth, qop, cnonce, nc, nextnonce)| AuthenticationInfo {
                rspauth,
                qop,
                cnonce,
                nc,
                nextnonce,
            })
    }

    /// What [`ResponseFields`] borrows.
    #[derive(Clone, Debug)]
    pub(super) struct OwnedResponse {
        pub(super) username: String,
        pub(super) realm: String,
        pub(super) nonce: Vec<u8>,
        pub(super) uri: Vec<u8>,
        pub(super) protection: Option<(Qop, u32, Vec<u8>)>,
        pub(super) response: [u8; 16],
        pub(super) response_digits: [u8; 32],
        pub(super) opaque: Option<Vec<u8>>,
        pub(super) algorithm: Option<Algorithm>,
        pub(super) charset: Charset,
    }

    impl OwnedResponse {
        pub(super) fn fields(&self) -> ResponseFields<'_> {
            ResponseFields {
                username: &self.username,
                realm: &self.realm,
                nonce: &self.nonce,
                uri: &self.uri,
                protection: self.protection.as_ref().map(|(qop, nc, cnonce)| (*qop, *nc, &cnonce[..])),
                response: &self.response_digits,
                opaque: self.opaque.as_deref(),
                algorithm: self.algorithm,
                charset: self.charset,
                extended: None,
            }
        }

        pub(super) fn written(&self) -> Vec<u8> {
            let mut out = Vec::new();
            self.fields().write(&mut out).expect("the strategy makes only what can be written");
            out
        }
    }

    pub(super) fn response() -> impl Strategy<Value = OwnedResponse> {
        let identity = charset().prop_flat_map(|charset| (Just(charset), text(charset), text(charset)));
        let rest = (
            text_octets(),
            uri(),
            option::of((qop(), any::<u32>(), text_octets())),
            any::<[u8; 16]>(),
            option::of(text_octets()),
            option::of(algorithm()),
        );
        (identity, rest).prop_map(
            |((charset, username, realm), (nonce, uri, protection, response, opaque, algorithm))| OwnedResponse {
                username,
                realm,
                nonce,
                uri,
                protection,
                response,
                response_digits: hex(&response),
                opaque,
                algorithm,
                charset,
            },
        )
    }

    /// A token of any kind.
    pub(super) fn token() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            challenge().prop_filter_map("too long", |challenge| challenge.to_bytes().ok()),
            response().prop_map(|response| response.written()),
            authentication_info().prop_filter_map("writable", |info| info.to_bytes().ok()),
        ]
    }

    /// Octets that are nearly a token: a good one with a few octets replaced, taken away or put in.
    pub(super) fn damaged_token() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![any::<u8>(), select(b"\"\\=, \t\r\n\0\x7f;a".to_vec())];
        (token(), vec((any::<Index>(), octet, 0..3u8), 1..5)).prop_map(|(mut token, damages)| {
            for (index, octet, damage) in damages {
                let at = index.index(token.len() + 1);
                match (damage, at < token.len()) {
                    (0, true) => token[at] = octet,
                    (1, true) => drop(token.remove(at)),
                    _ => token.insert(at, octet),
                }
            }
            token
        })
    }

    /// Any octets, often such as the grammar knows.
    pub(super) fn octets() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            vec(any::<u8>(), 0..200),
            vec(select(b"ab=\"\\, \t\r\n,=\x80".to_vec()), 0..40),
            damaged_token(),
            vec(
                select(vec![
                    &b"nc="[..],
                    b"qop=",
                    b"username=",
                    b"\"",
                    b",",
                    b"\\",
                    b"auth",
                    b"00000001",
                    b" ",
                    b"\r\n "
                ]),
                0..30
            )
            .prop_map(|pieces| pieces.concat()),
        ]
    }

    /// White space that may stand around commas and equals signs.
    pub(super) fn white_space() -> impl Strategy<Value = &'static str> {
        select(vec!["", "", " ", "\t", "\r\n ", " \r\n\t "])
    }

    /// How a directive may be spelled: white space, the case of its name, needless quoted pairs.
    pub(super) fn spelling()
    -> impl Strategy<Value = (&'static str, &'static str, &'static str, &'static str, bool, bool)> {
        let commas = select(vec![",", ",,", " , ,\r\n "]);
        (white_space(), white_space(), white_space(), commas, any::<bool>(), any::<bool>())
    }
}

const KNOWN_LIMITS: Limits = Limits { token_bytes: 8192, directives: 64 };

proptest! {
    #![proptest_config(configuration())]

    #[test]
    fn reading_undoes_writing_challenge(challenge in strategy::challenge()) {
        match challenge.to_bytes() {
            Ok(token) => {
                prop_assert!(token.len() <= MAXIMUM_CHALLENGE);
                prop_assert_eq!(Challenge::parse(&token, &KNOWN_LIMITS), Ok(challenge));
            }
            Err(error) => {
                let is_too_long = matches!(error, ChallengeError::TooLong { bytes } if bytes > MAXIMUM_CHALLENGE);
                prop_assert!(is_too_long, "{}", error);
            }
        }
    }

    #[test]
    fn reading_undoes_writing_authentication_info(info in strategy::authentication_info()) {
        let token = info.to_bytes().expect("the strategy makes only what can be written");
        prop_assert_eq!(AuthenticationInfo::parse(&token, &KNOWN_LIMITS), Ok(info));
    }

    #[test]
    fn reading_undoes_writing_response(owned in strategy::response()) {
        let mut token = b"before".to_vec();
        let response_at = owned.fields().write(&mut token).expect("the strategy makes only what can be written");
        prop_assert_eq!(token.get(response_at..response_at + 32), Some(&owned.response_digits[..]));
        let token = token.strip_prefix(b"before").expect("writing appends");
        let read = ResponseDirectives::parse(token, &KNOWN_LIMITS).expect("what was written can be read");
        prop_assert_eq!(read.username.as_deref(), Some(&*owned.username));
        prop_assert_eq!(read.realm.as_deref(), Some(&*owned.realm));
        prop_assert_eq!(read.nonce.as_deref(), Some(&*owned.nonce));
        prop_assert_eq!(read.uri.as_deref(), Some(&*owned.uri));
        prop_assert_eq!(read.response, Some(owned.response));
        prop_assert_eq!(read.opaque.as_deref(), owned.opaque.as_deref());
        prop_assert_eq!(read.algorithm, owned.algorithm);
        prop_assert_eq!(read.charset, owned.charset);
        prop_assert_eq!(read.qop.as_ref().map(|(qop, _)| *qop), owned.protection.as_ref().map(|(qop, ..)| *qop));
        prop_assert_eq!(read.nc, owned.protection.as_ref().map(|(_, nc, _)| nc_value(*nc)));
        prop_assert_eq!(read.cnonce.as_deref(), owned.protection.as_ref().map(|(.., cnonce)| &cnonce[..]));
        prop_assert_eq!((&read.hashed_dirs, &read.service_name, &read.channel_binding), (&None, &None, &None));
        prop_assert!(read.unknown.is_empty());

        let missing = match (&owned.protection, &owned.opaque) {
            (None, _) => Some("qop"),
            (Some(_), None) => Some("opaque"),
            (Some(_), Some(_)) => None,
        };
        match (read.require_all(), missing) {
            (Ok(response), None) => {
                prop_assert_eq!(Some(response.nc), owned.protection.as_ref().map(|(_, nc, _)| *nc));
                prop_assert_eq!(Response::parse(token, &KNOWN_LIMITS), Ok(response));
            }
            (found, Some(directive)) => prop_assert_eq!(found, Err(TokenError::Missing { directive })),
            (Err(error), None) => prop_assert!(false, "{}", error),
        }
    }

    /// What the initiator seals the acceptor verifies, and nobody else does.
    #[test]
    fn a_sealed_response_verifies(
        owned in strategy::response(),
        protection in (strategy::qop(), any::<u32>(), strategy::text_octets()),
        method in "[A-Z]{1,8}",
        entity in any::<[u8; 16]>(),
        password in ".{0,20}",
    ) {
        let (qop, nc, cnonce) = &protection;
        let algorithm = owned.algorithm.unwrap_or(Algorithm::Md5);
        let user = UserHash::new(&owned.username, &owned.realm, &password);
        let key = SessionKey::new(algorithm, &user, &owned.nonce, cnonce);
        let a2 = match qop {
            Qop::Auth => A2::Auth { method: method.as_bytes(), uri: &owned.uri },
            Qop::AuthInt => A2::AuthInt { method: method.as_bytes(), uri: &owned.uri, entity: &entity },
        };
        let covered = Protection { qop: qop.as_str().as_bytes(), nc: &nc_value(*nc), cnonce };
        let digest = key.response(&owned.nonce, &covered, &a2);
        let sealed = strategy::OwnedResponse {
            protection: Some(protection.clone()),
            opaque: Some(owned.opaque.clone().unwrap_or_default()),
            response: digest,
            response_digits: hex(&digest),
            ..owned.clone()
        };
        let token = sealed.written();
        let response = Response::parse(&token, &KNOWN_LIMITS).expect("complete");
        prop_assert_eq!(response.digest(&key, method.as_bytes(), Some(&entity)), Some(response.response));
        prop_assert_ne!(response.digest(&key, b"other", Some(&entity)), Some(response.response));
        let stranger = UserHash::new(&owned.username, &owned.realm, &format!("{password}x"));
        let other_key = SessionKey::new(response.algorithm(), &stranger, &response.nonce, &response.cnonce);
        prop_assert_ne!(response.digest(&other_key, method.as_bytes(), Some(&entity)), Some(response.response));
    }

    /// White space, empty members, the case of names, quoted pairs and the order of directives mean nothing.
    #[test]
    fn spelling_does_not_matter(
        pairs in vec(("[a-zA-Z][a-zA-Z0-9!#$%&'*+.^_`|~-]{0,8}", strategy::text_octets()), 0..8),
        spellings in vec(strategy::spelling(), 8),
    ) {
        let mut token = Vec::new();
        for ((name, value), (before, around, after, comma, upper, pairs_everywhere)) in pairs.iter().zip(&spellings) {
            let name = if *upper { name.to_ascii_uppercase() } else { name.clone() };
            token.extend_from_slice(format!("{before}{name}{around}={after}\"").as_bytes());
            for &octet in value {
                // A fold cannot be escaped, every other octet can.
                let in_fold = matches!(octet, b'\r' | b'\n' | b' ' | b'\t');
                if matches!(octet, b'"' | b'\\') || (*pairs_everywhere && !in_fold) {
                    token.push(b'\\');
                }
                token.push(octet);
            }
            token.extend_from_slice(format!("\"{before}{comma}").as_bytes());
        }
        let read: Result<Vec<_>, _> = directives(&token, &KNOWN_LIMITS).collect();
        let read = read.expect("every spelling is allowed");
        prop_assert_eq!(read.len(), pairs.len());
        for (directive, (name, value)) in read.iter().zip(&pairs) {
            prop_assert!(directive.is(name));
            prop_assert_eq!(&*directive.unescaped(), &value[..]);
        }
    }

    #[test]
    fn order_does_not_matter(owned in strategy::response(), rotation in any::<Index>()) {
        let token = owned.written();
        let members: Vec<_> = directives(&token, &KNOWN_LIMITS).map(|read| read.expect("what was written can be read")).collect();
        let ends: Vec<_> = members.iter().map(|read| read.value_at + read.value.len() + usize::from(read.quoted)).collect();
        let mut texts: Vec<_> = members.iter().zip(ends).filter_map(|(read, end)| token.get(read.name_at..end)).collect();
        texts.rotate_left(rotation.index(members.len()));
        let turned = texts.join(&b',');
        prop_assert_eq!(ResponseDirectives::parse(&turned, &KNOWN_LIMITS), ResponseDirectives::parse(&token, &KNOWN_LIMITS));
    }

    #[test]
    fn a_writer_never_splits_a_header(values in vec(vec(any::<u8>(), 0..12), 1..4)) {
        let mut out = b"before".to_vec();
        let mut writer = DirectiveWriter::new(&mut out);
        for value in &values {
            writer.quoted("a", value);
            writer.token("b", value);
        }
        let written = writer.finish();
        match written {
            Ok(()) => {
                let read: Result<Vec<_>, _> = directives(&out[6..], &KNOWN_LIMITS).collect();
                let read = read.expect("what was written can be read");
                let values_twice = values.iter().flat_map(|value| [value, value]);
                prop_assert!(read.iter().map(|directive| directive.unescaped().into_owned()).eq(values_twice.cloned()));
            }
            Err(_) => prop_assert_eq!(&out[..], b"before"),
        }
    }

    /// Nothing panics, errors stand inside of the token, and what is read is where it is said to be.
    #[test]
    fn any_octets_are_read_or_refused(token in strategy::octets()) {
        let mut reader = directives(&token, &KNOWN_LIMITS);
        let mut end = 0;
        for read in reader.by_ref() {
            match read {
                Ok(directive) => {
                    prop_assert!(directive.name_at >= end);
                    end = directive.value_at + directive.value.len();
                    prop_assert_eq!(token.get(directive.name_at..directive.name_at + directive.name.len()), Some(directive.name));
                    prop_assert_eq!(token.get(directive.value_at..end), Some(directive.value));
                    prop_assert_eq!(directive.quoted, token[directive.value_at - 1] == b'"');
                    prop_assert!(directive.unescaped().len() <= directive.unescaped_username().len());
                }
                Err(error) => {
                    prop_assert!(error.position <= token.len());
                    prop_assert_ne!(error.kind, SyntaxErrorKind::TokenTooLong);
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
        prop_assert_eq!(reader.next(), None);
        if let Ok(challenge) = Challenge::parse(&token, &KNOWN_LIMITS) {
            // Escapes may make it longer than it may be, and of other members of qop only their presence is known.
            if let Ok(written) = challenge.to_bytes() {
                prop_assert_eq!(Challenge::parse(&written, &KNOWN_LIMITS), Ok(challenge));
            }
        }
        if let Ok(info) = AuthenticationInfo::parse(&token, &KNOWN_LIMITS) {
            let written = info.to_bytes().expect("what was read can be written");
            prop_assert_eq!(AuthenticationInfo::parse(&written, &KNOWN_LIMITS), Ok(info));
        }
        if let Ok(response) = Response::parse(&token, &KNOWN_LIMITS) {
            let key = SessionKey::new(response.algorithm(), &UserHash::from_bytes([0; 16]), &response.nonce, &response.cnonce);
            prop_assert!(response.digest(&key, b"GET", Some(&[0; 16])).is_some());
            prop_assert_eq!(response.digest(&key, b"GET", None).is_some(), response.qop == Qop::Auth);
        }
        prop_assert!(origin_form(&token).len() <= token.len() + 1);
        prop_assert!(same_target(&token, &token));
        let _ = (Nonce::parse(&token), unhex32(&token), UserHash::from_hex(&token), decode(&token, Charset::Utf8));
    }

    /// No prefix of a token panics, and an acceptor's list of what is missing is complete.
    #[test]
    fn every_prefix_is_read_or_refused(token in strategy::token(), end in any::<Index>()) {
        let prefix = &token[..end.index(token.len() + 1)];
        let _ = (Challenge::parse(prefix, &KNOWN_LIMITS), AuthenticationInfo::parse(prefix, &KNOWN_LIMITS));
        if let Err(error) = Response::parse(prefix, &KNOWN_LIMITS) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn limits_are_exact(count in 0..80usize, allowed in 0..80usize) {
        let token = vec!["a=b"; count].join(",");
        let limits = Limits { token_bytes: token.len(), directives: allowed };
        let read = directives(token.as_bytes(), &limits);
        prop_assert_eq!(read.clone().filter(Result::is_ok).count(), count.min(allowed));
        prop_assert_eq!(read.filter(Result::is_err).count(), usize::from(count > allowed));
        if count > 0 {
            let limits = Limits { token_bytes: token.len() - 1, ..limits };
            let refused = directives(token.as_bytes(), &limits).next();
            let is_too_long = matches!(refused, Some(Err(error)) if error.kind == SyntaxErrorKind::TokenTooLong);
            prop_assert!(is_too_long);
        }
    }

    #[test]
    fn nonces_keep_their_time(time in any::<u64>(), entropy in any::<[u8; 16]>(), later in any::<u64>()) {
        let nonce = Nonce::new(Timestamp(time), entropy);
        prop_assert_eq!(Nonce::parse(nonce.as_bytes()), Some(nonce));
        prop_assert_eq!(nonce.issued_at(), Timestamp(time));
        prop_assert_eq!(nonce.age(Timestamp(later)).as_millis(), u128::from(later.saturating_sub(time)));
    }

    #[test]
    fn digits_and_bytes(bytes in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
        prop_assert_eq!(unhex32(&hex(&bytes)), Some(bytes));
        prop_assert_eq!(unhex32(&hex(&bytes).to_ascii_uppercase()), Some(bytes));
        prop_assert_eq!(equal(&bytes, &other), bytes == other);
        prop_assert_eq!(md5(&[&bytes, &other]), md5(&[&[bytes, other].concat()]));
    }

    #[test]
    fn charsets_lose_nothing(text in any::<String>(), charset in crate::texts::charset()) {
        if let Some(octets) = encode(&text, charset) {
            let decoded = decode(&octets, charset);
            prop_assert_eq!(decoded.as_deref(), Some(&*text));
        }
        prop_assert!(encode(&text, Charset::Utf8).is_some());
        let fits = text.chars().all(|character| u32::from(character) < 256);
        prop_assert_eq!(encode(&text, Charset::Iso8859_1).is_some(), fits);
        let form = if fits { Charset::Iso8859_1 } else { Charset::Utf8 };
        let hashed = hash_form(&text);
        let decoded = decode(&hashed, form);
        prop_assert_eq!(decoded.as_deref(), Some(&*text));
    }

    #[test]
    fn origin_form_is_idempotent(target in strategy::uri()) {
        let once = origin_form(&target);
        prop_assert_eq!(origin_form(&once), once.clone());
        prop_assert!(same_target(&target, &once));
    }
}
