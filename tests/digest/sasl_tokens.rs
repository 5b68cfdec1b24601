//! What holds for every SASL token and every channel binding: reading undoes writing, offences have their place,
//! and nothing panics.

use digest_ssp::digest::bindings::{NO_CHANNEL, is_upgraded_challenge, presented, upgraded_cnonce};
use digest_ssp::digest::hash::{hex, unhex32};
use digest_ssp::digest::sasl::{
    Challenge, Cipher, Ciphers, Layer, MaxBuf, OfferedAlgorithm, OfferedQop, Qop, Response, ResponseFields,
    is_digest_uri, rspauth_token,
};
use digest_ssp::digest::{
    AuthenticationInfo, ChallengeError, ChannelBindings, Charset, ExtendedProtection, Limits, MAXIMUM_CHALLENGE, Nonce,
    Presented, SessionKey, SyntaxError, SyntaxErrorKind, Timestamp, TokenError, UserHash,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::FileFailurePersistence;

fn configuration() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/sasl_tokens.txt"))),
        ..ProptestConfig::default()
    }
}

const LIMITS: Limits = Limits { token_bytes: 8192, directives: 64 };

/// Strategies for every type that stands on the wire.
mod strategy {
    use super::*;
    use crate::texts::{charset, text, text_octet};

    pub(super) fn text_octets() -> impl Strategy<Value = Vec<u8>> {
        vec(text_octet(), 0..30)
    }

    pub(super) fn qop() -> impl Strategy<Value = Qop> {
        select(Qop::ALL.to_vec())
    }

    pub(super) fn ciphers() -> impl Strategy<Value = Ciphers> {
        subsequence(Cipher::ALL.to_vec(), 0..=5).prop_map(Ciphers::from_iter)
    }

    pub(super) fn maxbuf() -> impl Strategy<Value = MaxBuf> {
        prop_oneof![
            select(vec![MaxBuf::MINIMUM, MaxBuf::DEFAULT, MaxBuf::MAXIMUM]),
            (17..=16_777_215u32).prop_map(|bytes| MaxBuf::new(bytes).expect("within the bounds")),
        ]
    }

    pub(super) fn digest_uri() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[a-z]{1,8}/[a-z0-9.-]{1,20}(/[a-z0-9./-]{0,20})?".prop_map(String::into_bytes),
            vec(text_octet(), 3..20).prop_filter("a service and a host", |uri| is_digest_uri(uri)),
        ]
    }

    pub(super) fn challenge() -> impl Strategy<Value = Challenge> {
        let realms = charset().prop_flat_map(|charset| (Just(charset), vec(text(charset), 0..4)));
        let offered_qop = (1..16u8).prop_map(|bits| OfferedQop {
            auth: bits & 1 != 0,
            auth_int: bits & 2 != 0,
            auth_conf: bits & 4 != 0,
            others: bits & 8 != 0,
        });
        let unknown = text_octets().prop_filter("known", |name| !name.eq_ignore_ascii_case(b"md5-sess"));
        let algorithm = prop_oneof![
            3 => Just(OfferedAlgorithm::Md5Sess),
            1 => unknown.prop_map(OfferedAlgorithm::Unknown),
        ];
        (realms, text_octets(), offered_qop, any::<bool>(), maxbuf(), algorithm, ciphers()).prop_map(
            |((charset, realms), nonce, qop, stale, maxbuf, algorithm, ciphers)| Challenge {
                realms,
                nonce,
                qop,
                stale,
                maxbuf,
                charset,
                algorithm,
                ciphers,
            },
        )
    }

    /// What [`ResponseFields`] borrows.
    #[derive(Clone, Debug)]
    pub(super) struct OwnedResponse {
        pub(super) username: String,
        pub(super) realm: Option<String>,
        pub(super) nonce: Vec<u8>,
        pub(super) cnonce: Vec<u8>,
        pub(super) nc: u32,
        pub(super) qop: Qop,
        pub(super) cipher: Option<Cipher>,
        pub(super) maxbuf: Option<MaxBuf>,
        pub(super) digest_uri: Vec<u8>,
        pub(super) charset: Charset,
        pub(super) authzid: Option<String>,
    }

    impl OwnedResponse {
        pub(super) fn fields(&self) -> ResponseFields<'_> {
            ResponseFields {
                username: &self.username,
                realm: self.realm.as_deref(),
                nonce: &self.nonce,
                cnonce: &self.cnonce,
                nc: self.nc,
                qop: self.qop,
                cipher: self.cipher,
                maxbuf: self.maxbuf,
                digest_uri: &self.digest_uri,
                charset: self.charset,
                authzid: self.authzid.as_deref(),
            }
        }

        pub(super) fn key(&self, password: &str) -> SessionKey {
            let user = UserHash::new(&self.username, self.realm.as_deref().unwrap_or(""), password);
            SessionKey::sasl(&user, &self.nonce, &self.cnonce, self.authzid.as_deref())
        }
    }

    /// A response that its own parser takes: a cipher under auth-conf.
    pub(super) fn response() -> impl Strategy<Value = OwnedResponse> {
        let identity = charset().prop_flat_map(|charset| (Just(charset), text(charset), option::of(text(charset))));
        let authzid = text(Charset::Utf8).prop_filter("authzid is not empty", |text| !text.is_empty());
        let rest = (
            text_octets(),
            text_octets(),
            prop_oneof![Just(1), any::<u32>()],
            qop(),
            select(Cipher::ALL.to_vec()),
            option::of(maxbuf()),
            digest_uri(),
            option::of(authzid),
        );
        (identity, rest).prop_map(
            |((charset, username, realm), (nonce, cnonce, nc, qop, cipher, maxbuf, digest_uri, authzid))| {
                let cipher = (qop == Qop::AuthConf).then_some(cipher);
                OwnedResponse { username, realm, nonce, cnonce, nc, qop, cipher, maxbuf, digest_uri, charset, authzid }
            },
        )
    }

    #[derive(Clone, Debug)]
    pub(super) struct OwnedBindings {
        pub(super) initiator: (u32, Vec<u8>),
        pub(super) acceptor: (u32, Vec<u8>),
        pub(super) application_data: Vec<u8>,
    }

    impl OwnedBindings {
        pub(super) fn bindings(&self) -> ChannelBindings<'_> {
            ChannelBindings {
                initiator_address_type: self.initiator.0,
                initiator_address: &self.initiator.1,
                acceptor_address_type: self.acceptor.0,
                acceptor_address: &self.acceptor.1,
                application_data: &self.application_data,
            }
        }
    }

    pub(super) fn bindings() -> impl Strategy<Value = OwnedBindings> {
        let octets = || vec(any::<u8>(), 0..20);
        ((any::<u32>(), octets()), (any::<u32>(), octets()), octets())
            .prop_map(|(initiator, acceptor, application_data)| OwnedBindings { initiator, acceptor, application_data })
    }
}

/// Where an offence is said to be, if it is somewhere.
fn position(error: &TokenError) -> Option<usize> {
    match error {
        TokenError::Syntax(error) => Some(error.position),
        TokenError::Repeated { position, .. } | TokenError::Invalid { position, .. } => Some(*position),
        TokenError::Missing { .. } => None,
    }
}

/// A token with this written after it, and where that begins.
fn with_end(token: &[u8], end: &str) -> (Vec<u8>, usize) {
    ([token, b",", end.as_bytes()].concat(), token.len() + 1)
}

proptest! {
    #![proptest_config(configuration())]

    /// What is written is read again, as far as the qop gives it a meaning.
    #[test]
    fn a_written_challenge_is_read(challenge in strategy::challenge()) {
        let token = match challenge.to_bytes() {
            Ok(token) => token,
            Err(error) => {
                let too_long = matches!(error, ChallengeError::TooLong { bytes } if bytes > MAXIMUM_CHALLENGE);
                prop_assert!(too_long, "{}", error);
                return Ok(());
            }
        };
        let said = Challenge {
            maxbuf: if challenge.qop.auth_int || challenge.qop.auth_conf { challenge.maxbuf } else { MaxBuf::DEFAULT },
            ciphers: if challenge.qop.auth_conf { challenge.ciphers } else { Ciphers::EMPTY },
            ..challenge
        };
        prop_assert_eq!(Challenge::parse(&token, &LIMITS), Ok(said));
    }

    /// What the initiator writes the acceptor reads, and both make the same digests of it.
    #[test]
    fn a_written_response_is_read(owned in strategy::response(), password in ".{0,20}") {
        let key = owned.key(&password);
        let digest = owned.fields().digest(&key);
        let mut token = b"before".to_vec();
        owned.fields().write(&hex(&digest), &mut token).expect("the strategy makes only what can be written");
        let token = token.strip_prefix(b"before").expect("writing appends");
        let read = Response::parse(token, &LIMITS).expect("what was written can be read");
        prop_assert_eq!(&*read.username, &owned.username);
        prop_assert_eq!(&*read.realm, owned.realm.as_deref().unwrap_or(""));
        prop_assert_eq!(&*read.nonce, &owned.nonce);
        prop_assert_eq!(&*read.cnonce, &owned.cnonce);
        prop_assert_eq!((read.nc, read.qop, read.cipher), (owned.nc, owned.qop, owned.cipher));
        prop_assert_eq!(&*read.qop_text, owned.qop.as_str().as_bytes());
        prop_assert_eq!(read.maxbuf, owned.maxbuf.unwrap_or_default());
        prop_assert_eq!(&*read.digest_uri, &owned.digest_uri);
        prop_assert_eq!(read.charset, owned.charset);
        prop_assert_eq!(read.authzid.as_deref(), owned.authzid.as_deref());
        prop_assert_eq!(read.layer(), owned.fields().layer());
        prop_assert_eq!(read.layer().map(Layer::qop), (owned.qop != Qop::Auth).then_some(owned.qop));

        prop_assert_eq!(read.response, digest);
        prop_assert_eq!(read.digest(&key), digest);
        prop_assert_eq!(read.rspauth(&key), owned.fields().rspauth(&key));
        prop_assert_ne!(read.rspauth(&key), digest);
        prop_assert_ne!(read.digest(&owned.key(&format!("{password}x"))), digest);
    }

    /// Everything that the digest covers changes it.
    #[test]
    fn the_digest_covers_what_it_should(owned in strategy::response()) {
        let digest = owned.fields().digest(&owned.key("secret"));
        let mut others = vec![owned.clone(); 7];
        others[0].username.push('x');
        others[1].realm = Some(owned.realm.clone().unwrap_or_default() + "x");
        others[2].nonce.push(b'x');
        others[3].cnonce.push(b'x');
        others[4].nc = owned.nc.wrapping_add(1);
        others[5].digest_uri.push(b'x');
        others[6].authzid = Some(owned.authzid.clone().unwrap_or_default() + "x");
        for other in others {
            prop_assert_ne!(other.fields().digest(&other.key("secret")), digest, "{:?}", other);
        }
        // No realm and an empty one are the same.
        if owned.realm.as_deref().unwrap_or("").is_empty() {
            let other = strategy::OwnedResponse { realm: owned.realm.is_none().then(String::new), ..owned.clone() };
            prop_assert_eq!(other.fields().digest(&other.key("secret")), digest);
        }
    }

    /// What is wrong at the end of a good token is found there.
    #[test]
    fn an_offence_has_its_place(challenge in strategy::challenge(), response in strategy::response()) {
        let challenge = challenge.to_bytes().unwrap_or_default();
        let mut written = Vec::new();
        response.fields().write(&[b'0'; 32], &mut written).expect("the strategy makes only what can be written");
        let judge_challenge = |token: &[u8]| Challenge::parse(token, &LIMITS).map(|_| ());
        let judge_response = |token: &[u8]| Response::parse(token, &LIMITS).map(|_| ());
        for (end, expected) in [
            ("nonce=x", TokenError::Repeated { directive: "nonce", position: 0 }),
            ("x=\"", SyntaxError { position: 2, kind: SyntaxErrorKind::UnterminatedString }.into()),
        ] {
            for (token, error) in [
                (&challenge, judge_challenge(&with_end(&challenge, end).0)),
                (&written, judge_response(&with_end(&written, end).0)),
            ] {
                if !token.is_empty() {
                    let error = error.expect_err("an offence");
                    let at = with_end(token, end).1 + position(&expected).unwrap_or(0);
                    prop_assert_eq!(position(&error), Some(at));
                    prop_assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&expected));
                }
            }
        }
        let (token, at) = with_end(b"x=1", "maxbuf=16");
        for error in [judge_challenge(&token), judge_response(&token)] {
            prop_assert_eq!(position(&error.expect_err("too small")), Some(at + 7));
        }
    }

    /// A token that was cut or changed somewhere is read or refused, with a place in it.
    #[test]
    fn damaged_tokens_do_no_harm(
        challenge in strategy::challenge(),
        response in strategy::response(),
        place in any::<Index>(),
        octet in any::<u8>(),
    ) {
        let mut written = Vec::new();
        response.fields().write(&[b'0'; 32], &mut written).expect("the strategy makes only what can be written");
        for token in [challenge.to_bytes().unwrap_or_default(), written] {
            let at = place.index(token.len().max(1));
            let mut changed = token.clone();
            if let Some(there) = changed.get_mut(at) {
                *there = octet;
            }
            for token in [&token[..at.min(token.len())], &changed] {
                for error in
                    [Challenge::parse(token, &LIMITS).err(), Response::parse(token, &LIMITS).err()].into_iter().flatten()
                {
                    prop_assert!(position(&error).is_none_or(|position| position <= token.len()), "{}", error);
                }
            }
        }
    }

    #[test]
    fn any_octets_do_no_harm(token in vec(any::<u8>(), 0..300)) {
        let _ = Challenge::parse(&token, &LIMITS);
        let _ = Response::parse(&token, &LIMITS);
        let _ = ChannelBindings::parse(&token);
        let _ = Nonce::parse(&token);
        let _ = MaxBuf::from_digits(&token);
    }

    #[test]
    fn maxbuf_has_its_bounds(value in any::<u64>(), zeros in 0..5usize) {
        let text = format!("{}{value}", "0".repeat(zeros));
        let expected = u32::try_from(value).ok().filter(|bytes| (17..1 << 24).contains(bytes));
        prop_assert_eq!(MaxBuf::from_digits(text.as_bytes()).map(MaxBuf::get), expected);
        prop_assert_eq!(u32::try_from(value).ok().and_then(MaxBuf::new).map(MaxBuf::get), expected);
    }

    #[test]
    fn the_proof_is_read(rspauth in any::<[u8; 16]>()) {
        let token = rspauth_token(&rspauth);
        let read = AuthenticationInfo::parse(&token, &LIMITS);
        prop_assert_eq!(read, Ok(AuthenticationInfo { rspauth: Some(rspauth), ..AuthenticationInfo::default() }));
    }

    /// A set of ciphers is what was put into it.
    #[test]
    fn sets_of_ciphers(a in strategy::ciphers(), b in strategy::ciphers()) {
        let common: Vec<_> = Cipher::ALL.into_iter().filter(|cipher| a.contains(*cipher) && b.contains(*cipher)).collect();
        prop_assert_eq!(a.strongest_in_common(&b), common.first().copied());
        prop_assert_eq!(Ciphers::from_iter(a.iter()), a);
        for cipher in Cipher::ALL {
            prop_assert!(a.with(cipher).contains(cipher) && !a.without(cipher).contains(cipher));
        }
    }

    /// A structure of bindings is read as it was laid down, wherever its data lies.
    #[test]
    fn laid_down_bindings_are_read(owned in strategy::bindings(), gap in vec(any::<u8>(), 0..10), cut in any::<Index>()) {
        let bindings = owned.bindings();
        let buffer = bindings.to_buffer();
        prop_assert_eq!(ChannelBindings::parse(&buffer), Ok(bindings));
        let read = ChannelBindings::parse(&buffer[..cut.index(buffer.len())]);
        prop_assert!(read.is_err(), "{:?}", read);

        // The same data further back: each offset, the third integer of three, grows.
        let mut moved = buffer.clone();
        for at in [8, 20, 28] {
            let offset = u32::from_le_bytes(moved[at..at + 4].try_into().expect("four octets"));
            let offset = offset + u32::try_from(gap.len()).expect("a small gap");
            moved[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        }
        moved.splice(32..32, gap);
        prop_assert_eq!(ChannelBindings::parse(&moved), Ok(bindings));
    }

    /// Whatever of the bindings changes, their hash does.
    #[test]
    fn the_hash_covers_all_of_the_bindings(a in strategy::bindings(), b in strategy::bindings()) {
        prop_assert_eq!(a.bindings() == b.bindings(), a.bindings().hash() == b.bindings().hash());
        // What stands in one field does not count as what stands in the next.
        let swapped = ChannelBindings {
            initiator_address: a.bindings().acceptor_address,
            acceptor_address: a.bindings().initiator_address,
            ..a.bindings()
        };
        prop_assert_eq!(a.bindings() == swapped, a.bindings().hash() == swapped.hash());
    }

    /// What an initiator writes about its channel an acceptor reads as bound; and it stands under the digest.
    #[test]
    fn a_bound_response_is_bound(
        service in strategy::text_octets(),
        channel in option::of(any::<[u8; 16]>()),
        entropy in any::<[u8; 16]>(),
        bit in 0..8 * 44usize,
    ) {
        let channel_binding = channel.as_ref().map_or(NO_CHANNEL, hex);
        let cnonce = upgraded_cnonce(&service, &channel_binding, &entropy);
        prop_assert!(cnonce.ends_with(&hex(&entropy)));
        let write = |cnonce: &[u8], extended| {
            let mut token = Vec::new();
            let fields = digest_ssp::digest::ResponseFields {
                username: "u",
                realm: "r",
                nonce: b"n",
                uri: b"/",
                protection: Some((digest_ssp::digest::Qop::Auth, 1, cnonce)),
                response: &[b'0'; 32],
                opaque: Some(b"o"),
                algorithm: None,
                charset: Charset::Utf8,
                extended,
            };
            fields.write(&mut token).map(|_| token)
        };
        let extended = Some(ExtendedProtection { service_name: &service, channel_binding: &channel_binding });
        let token = write(&cnonce, extended).expect("the strategy makes only what can be written");
        let response = digest_ssp::digest::Response::parse(&token, &LIMITS).expect("complete");
        let expected = Presented::Bound {
            service_name: &service,
            channel_binding: unhex32(&channel_binding).expect("32 digits"),
        };
        prop_assert_eq!(presented(&response), expected);

        // One bit of what covers the directives is flipped; only the case of a digit does not matter.
        let mut flipped = cnonce;
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Some(token) = write(&flipped, extended) {
            let response = digest_ssp::digest::Response::parse(&token, &LIMITS).expect("complete");
            let same = flipped[..12] == cnonce[..12] && flipped.eq_ignore_ascii_case(&cnonce);
            prop_assert_eq!(presented(&response), if same { expected } else { Presented::Inconsistent });
        }
        let token = write(&cnonce, None).expect("printable");
        let response = digest_ssp::digest::Response::parse(&token, &LIMITS).expect("complete");
        prop_assert_eq!(presented(&response), Presented::Inconsistent);
    }

    #[test]
    fn nonces_are_read(now in any::<u64>(), entropy in any::<[u8; 16]>(), place in any::<Index>(), octet in any::<u8>()) {
        let plain = Nonce::new(Timestamp(now), entropy);
        let upgraded = Nonce::upgraded(Timestamp(now), entropy);
        for (nonce, is_upgraded) in [(plain, false), (upgraded, true)] {
            prop_assert_eq!(Nonce::parse(nonce.as_bytes()), Some(nonce));
            prop_assert_eq!(nonce.is_upgraded(), is_upgraded);
            prop_assert_eq!(is_upgraded_challenge(nonce.as_bytes()), is_upgraded);
            prop_assert_eq!(nonce.issued_at(), Timestamp(now));
            // Any other text is no nonce or another one.
            let mut text = nonce.as_bytes().to_vec();
            let at = place.index(text.len());
            text[at] = octet;
            prop_assert_eq!(Nonce::parse(&text) == Some(nonce), text == nonce.as_bytes());
        }
        prop_assert_eq!(upgraded.as_bytes().strip_prefix(b"+Upgraded+v1"), Some(plain.as_bytes()));
    }
}
