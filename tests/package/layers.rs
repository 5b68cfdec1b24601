//! SASL messages through the package: signed, encrypted, altered, out of sequence, too long; and what a context tells.

use crate::support::sasl::*;
use crate::support::*;
use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::context::sasl::layers::{PlainMessage, SignedMessage};
use digest_ssp::digest::hash::md5;
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf};
use digest_ssp::package::failure::PeerMisbehaviour;
use digest_ssp::package::{
    AcceptRequirements, ContextAttribute, Failure, InitializeRequirements, QualityOfProtection, SecurityPackage,
};
use digest_ssp::status::SecurityStatus as Status;

/// Both sides of one exchange.
struct Pair {
    server: Server,
    peer: Peer,
    accepted: CtxtHandle,
    established: CtxtHandle,
}

impl Pair {
    fn new(accept: AcceptRequirements, cipher: Option<Cipher>) -> Self {
        let ciphers = cipher.map_or(Ciphers::ALL, |cipher| Ciphers::EMPTY.with(cipher));
        let server = Server::new(|configuration| configuration.ciphers = ciphers);
        let peer = Peer::default();
        let initialize = match accept {
            INTEGRITY => InitializeRequirements::INTEGRITY,
            CONFIDENTIALITY => InitializeRequirements::CONFIDENTIALITY,
            _ => InitializeRequirements::empty(),
        };
        let [accepted, established] = sasl_exchange(&server, &peer, accept, initialize);
        Self { server, peer, accepted, established }
    }

    fn integrity() -> Self {
        Self::new(INTEGRITY, None)
    }

    fn confidentiality(cipher: Cipher) -> Self {
        Self::new(CONFIDENTIALITY, Some(cipher))
    }

    /// The package and handle of the client, then of the server.
    fn sides(&self) -> [(&SecurityPackage, CtxtHandle); 2] {
        [(&self.peer.package, self.established), (&self.server.package, self.accepted)]
    }
}

/// HMAC-MD5 (RFC 2104) by hand.
fn hmac(key: &[u8; 16], message: &[u8]) -> [u8; 16] {
    let pad = |octet: u8| -> Vec<u8> {
        key.iter().copied().chain(std::iter::repeat(0)).take(64).map(|byte| byte ^ octet).collect()
    };
    md5(&[&pad(0x5C), &md5(&[&pad(0x36), message])])
}

/// The MAC block of RFC 2831 2.3, of what the client sends.
fn mac_block(key: &[u8; 16], number: u32, message: &[u8]) -> Vec<u8> {
    let signing = md5(&[key, b"Digest session key to client-to-server signing key magic constant"]);
    let mac = hmac(&signing, &[&number.to_be_bytes(), message].concat());
    [&mac[..10], &[0, 1], &number.to_be_bytes()].concat()
}

#[test]
fn hmac_by_hand_is_that_of_rfc_2202() {
    // RFC 2202 section 2, test case 1.
    assert_eq!(hex_text(&hmac(&[0x0b; 16], b"Hi There")), "9294727a3638bb1c13f48ef8158bfc9d");
}

#[test]
fn a_signature_is_what_the_rfc_says() {
    let server = Server::default();
    let client = SaslClient::auth_int();
    let (context, nonce) = server.sasl_establish(&client);
    let key = client.key(&nonce);
    for (number, message) in (0..).zip([&b"one"[..], b"", b"three"]) {
        verify(&server.package, context, message, &mac_block(&key, number, message)).expect("the next number");
    }
    // EncryptMessage signs too; both calls share the numbers of their direction.
    let wrapped = [b"four".to_vec(), mac_block(&key, 3, b"four")].concat();
    let (result, plaintext) = decrypt(&server.package, context, &wrapped);
    assert_eq!((result.expect("the next number"), plaintext), (QualityOfProtection::SignOnly, b"four".to_vec()));
    assert_eq!(QualityOfProtection::SignOnly.bits(), 0x8000_0000);
}

#[test]
fn no_message_is_printed() {
    let (message, signature) = (&b"attack at dawn"[..], &[7; 16][..]);
    let mut memory = message.to_vec();
    let mut buffers = [SecBuffer::new(BufferType::DATA, &mut memory)];
    let octets = format!("{message:?}");
    for printed in [
        format!("{:?}", SecBufferDesc::new(&mut buffers)),
        format!("{:?}", PlainMessage { message: Some(message), capacity: Some(16) }),
        format!("{:?}", SignedMessage { message: Some(message), signature: Some(signature) }),
    ] {
        assert!(printed.contains("14") && !printed.contains(octets.trim_matches(['[', ']'])), "{printed}");
    }
}

#[test]
fn messages_go_both_ways() {
    let mut pairs = vec![Pair::integrity()];
    pairs.extend(Cipher::ALL.map(Pair::confidentiality));
    for pair in pairs {
        let [client, server] = pair.sides();
        for (from, to) in [(client, server), (server, client), (client, server)] {
            for message in [&b""[..], b"a", b"a longer message than a block"] {
                let signature = sign(from.0, from.1, message).expect("a signature");
                assert_eq!(signature.len(), 16);
                verify(to.0, to.1, message, &signature).expect("the next number");
                let wrapped = encrypt(from.0, from.1, message).expect("a wrapped message");
                let (result, plaintext) = decrypt(to.0, to.1, &wrapped);
                let quality = result.expect("the next number");
                assert_eq!(plaintext, message);
                let encrypted = quality == QualityOfProtection::Encrypted;
                assert!(message.is_empty() || encrypted != wrapped.starts_with(message));
            }
        }
    }
}

#[test]
fn what_is_altered_or_out_of_sequence_changes_nothing_under_integrity() {
    let pair = Pair::integrity();
    let [client, server] = pair.sides();
    let first = sign(client.0, client.1, b"first").expect("a signature");
    let second = sign(client.0, client.1, b"second").expect("a signature");
    let mut of_another_type = first.clone();
    of_another_type[11] = 2;
    let mut flipped = first.clone();
    flipped[0] ^= 1;
    for (message, signature, expected) in [
        (&b"other"[..], &first[..], Status::SEC_E_MESSAGE_ALTERED),
        (b"first", &of_another_type, Status::SEC_E_MESSAGE_ALTERED),
        (b"first", &flipped, Status::SEC_E_MESSAGE_ALTERED),
        (b"first", &first[..15], Status::SEC_E_MESSAGE_ALTERED),
        (b"first", b"", Status::SEC_E_MESSAGE_ALTERED),
        (b"second", &second, Status::SEC_E_OUT_OF_SEQUENCE),
    ] {
        assert_eq!(status(&verify(server.0, server.1, message, signature)), expected);
        let wrapped = [message, signature].concat();
        let (result, left) = decrypt(server.0, server.1, &wrapped);
        if signature.len() == 16 {
            assert_eq!(status(&result), expected);
        }
        assert_eq!(left, wrapped, "nothing is delivered");
    }
    assert_eq!(status(&decrypt(server.0, server.1, &[0; 15]).0), Status::SEC_E_INCOMPLETE_MESSAGE);
    verify(server.0, server.1, b"first", &first).expect("the next number");
    let (result, _) = decrypt(server.0, server.1, &[&b"second"[..], &second].concat());
    result.expect("the next number");
    assert_eq!(status(&verify(server.0, server.1, b"second", &second)), Status::SEC_E_OUT_OF_SEQUENCE);
    // Who sent it cannot have been this side.
    let own = sign(server.0, server.1, b"mine").expect("a signature");
    assert_eq!(status(&verify(server.0, server.1, b"mine", &own)), Status::SEC_E_MESSAGE_ALTERED);
}

#[test]
fn an_altered_message_that_was_decrypted_ends_its_direction() {
    for cipher in Cipher::ALL {
        let pair = Pair::confidentiality(cipher);
        let [client, server] = pair.sides();
        let signature = sign(client.0, client.1, b"signed").expect("a signature");
        verify(server.0, server.1, b"signed", &signature).expect("the next number");
        let first = encrypt(client.0, client.1, b"first").expect("a wrapped message");
        let second = encrypt(client.0, client.1, b"second").expect("a wrapped message");
        let mut of_another_type = first.clone();
        let at = first.len() - 5;
        of_another_type[at] = 2;
        let short = if cipher.block_size().is_some() { 21 } else { 15 };
        for (wrapped, expected) in [
            (of_another_type, Status::SEC_E_MESSAGE_ALTERED),
            (second.clone(), Status::SEC_E_OUT_OF_SEQUENCE),
            (vec![0; short], Status::SEC_E_INCOMPLETE_MESSAGE),
            (Vec::new(), Status::SEC_E_INCOMPLETE_MESSAGE),
        ] {
            let (result, left) = decrypt(server.0, server.1, &wrapped);
            assert_eq!((status(&result), left), (expected, wrapped), "{cipher:?}: nothing is consumed");
        }
        // A signature that is wrong takes no cipher's state.
        assert_eq!(status(&verify(server.0, server.1, b"x", &signature)), Status::SEC_E_MESSAGE_ALTERED);
        decrypt(server.0, server.1, &first).0.expect("the next number");
        let mut altered = second.clone();
        altered[0] ^= 1;
        let (result, left) = decrypt(server.0, server.1, &altered);
        assert_eq!((status(&result), left), (Status::SEC_E_MESSAGE_ALTERED, altered), "{cipher:?}");
        // Dead: whatever comes, before its length is looked at.
        for wrapped in [&second[..], b""] {
            let failure = decrypt(server.0, server.1, wrapped).0.expect_err("the direction is dead");
            assert_eq!(failure.reason, PeerMisbehaviour::DirectionDead.into());
            assert_eq!(failure.status, Status::SEC_E_OUT_OF_SEQUENCE);
        }
        assert_eq!(status(&verify(server.0, server.1, b"x", b"")), Status::SEC_E_OUT_OF_SEQUENCE);
        assert_eq!(status(&server.0.decrypt_message(Some(server.1), None)), Status::SEC_E_INVALID_TOKEN);
        // The context is established still and sends.
        assert_eq!(pair.server.state(server.1), "established");
        let answer = encrypt(server.0, server.1, b"answer").expect("the other direction");
        assert_eq!(decrypt(client.0, client.1, &answer).1, b"answer");
    }
}

/// A block cipher's message whose length is no multiple of the block was altered.
#[test]
fn a_broken_block_ends_its_direction() {
    let pair = Pair::confidentiality(Cipher::Des);
    let [client, server] = pair.sides();
    let mut wrapped = encrypt(client.0, client.1, b"message").expect("a wrapped message");
    wrapped.insert(0, 0);
    assert_eq!(status(&decrypt(server.0, server.1, &wrapped).0), Status::SEC_E_MESSAGE_ALTERED);
    wrapped.remove(0);
    assert_eq!(status(&decrypt(server.0, server.1, &wrapped).0), Status::SEC_E_OUT_OF_SEQUENCE);
}

#[test]
fn a_message_is_as_long_as_the_peer_can_receive() {
    let server = Server::new(|configuration| configuration.ciphers = Ciphers::ALL);
    for (client, overhead) in
        [(SaslClient::auth_int(), 16), (SaslClient::auth_conf("rc4-56"), 16), (SaslClient::auth_conf("des"), 24)]
    {
        let client = SaslClient { maxbuf: Some(64), ..client };
        let (context, _) = server.sasl_establish(&client);
        let most = vec![b'm'; 64 - overhead];
        let too_long = vec![b'm'; 65 - overhead];
        assert_eq!(status(&sign(&server.package, context, &too_long)), Status::SEC_E_INVALID_TOKEN);
        assert_eq!(status(&encrypt(&server.package, context, &too_long)), Status::SEC_E_BUFFER_TOO_SMALL);
        let wrapped = encrypt(&server.package, context, &most).expect("as long as it may be");
        assert!(wrapped.len() <= 64);
        assert_eq!(wrapped[wrapped.len() - 4..], [0; 4], "what failed took no number");
    }
    // A maxbuf that leaves no room for a message.
    let client = SaslClient { maxbuf: Some(17), ..SaslClient::auth_conf("des") };
    let (context, _) = server.sasl_establish(&client);
    assert_eq!(status(&encrypt(&server.package, context, b"m")), Status::SEC_E_BUFFER_TOO_SMALL);
    encrypt(&server.package, context, b"").expect("an empty message");
    // Of a fast reauthentication the later maxbuf counts, on its handle.
    let client = SaslClient { maxbuf: Some(64), ..SaslClient::auth_int() };
    let (first, nonce) = server.sasl_establish(&client);
    let later = SaslClient { maxbuf: Some(32), ..client };
    let token = later.token(&nonce, 2);
    let second = server.sasl_pending(&later, &token);
    server.complete(second, &Message { token: &token, ..Message::default() }).0.expect("a right response");
    let message = [b'm'; 17];
    sign(&server.package, first, &message).expect("64 bytes wrapped");
    assert_eq!(status(&sign(&server.package, second, &message)), Status::SEC_E_INVALID_TOKEN);
    // Each handle has numbers of its own.
    assert_eq!(sign(&server.package, second, b"m").expect("32 bytes wrapped")[12..], [0; 4]);
}

#[test]
fn buffers_are_found_by_type_and_nothing_is_consumed_without_them() {
    const DATA: BufferType = BufferType::DATA;
    const TOKEN: BufferType = BufferType::TOKEN;
    const PADDING: BufferType = BufferType::PADDING;
    const TRAILER: BufferType = BufferType::STREAM_TRAILER;
    let pair = Pair::integrity();
    let [(package, context), _] = pair.sides();
    type Call = fn(&SecurityPackage, CtxtHandle, &[Part<'_>]) -> (Result<(), Failure>, Vec<Vec<u8>>);
    let make: Call = |package, context, parts| over(parts, |parts| package.make_signature(Some(context), Some(parts)));
    let encrypt: Call =
        |package, context, parts| over(parts, |parts| package.encrypt_message(Some(context), Some(parts)));
    let verify: Call =
        |package, context, parts| over(parts, |parts| package.verify_signature(Some(context), Some(parts)));
    let decrypt: Call =
        |package, context, parts| over(parts, |parts| package.decrypt_message(Some(context), Some(parts)).map(drop));
    let (m, room, small) = (&b"m"[..], &[0xAA; 16][..], &[0xAA; 15][..]);
    let invalid = Status::SEC_E_INVALID_TOKEN;
    let cases: &[(&str, Call, &[Part<'_>], Status)] = &[
        ("nothing", make, &[], invalid),
        ("no data", make, &[(TOKEN, room)], invalid),
        ("no signature", make, &[(DATA, m)], invalid),
        ("read-only signature", make, &[(DATA, m), (TOKEN.read_only(), room)], invalid),
        ("small signature", make, &[(DATA, m), (PADDING, small)], Status::SEC_E_INSUFFICIENT_MEMORY),
        ("nothing", encrypt, &[], invalid),
        ("read-only data", encrypt, &[(DATA.read_only(), m), (PADDING, room)], invalid),
        ("no rest", encrypt, &[(DATA, m)], invalid),
        ("token", encrypt, &[(DATA, m), (TOKEN, room)], invalid),
        ("small rest", encrypt, &[(DATA, m), (TRAILER, small)], Status::SEC_E_BUFFER_TOO_SMALL),
        ("nothing", verify, &[], invalid),
        ("no signature", verify, &[(DATA, m)], invalid),
        ("no data", verify, &[(TOKEN, room)], invalid),
        ("nothing", decrypt, &[], invalid),
        ("read-only", decrypt, &[(BufferType::STREAM.read_only(), room)], invalid),
        ("token", decrypt, &[(TOKEN, room)], invalid),
    ];
    for (name, call, parts, expected) in cases {
        let (result, left) = call(package, context, parts);
        assert_eq!(status(&result), *expected, "{name}");
        let before: Vec<_> = parts.iter().map(|(_, bytes)| bytes.to_vec()).collect();
        assert_eq!(left, before, "{name}");
    }
    for (number, call, parts, data, output) in [
        (0, make, &[(TOKEN.read_only(), m), (PADDING, room), (DATA.read_only(), m)][..], 2, 1),
        (1, make, &[(PADDING, room), (DATA, m), (TOKEN, room)], 1, 0),
        (2, encrypt, &[(TRAILER, room), (DATA, m), (PADDING, room)], 1, 2),
        (3, encrypt, &[(DATA, m), (TRAILER, room), (DATA, room)], 0, 1),
        (4, encrypt, &[(DATA.read_only(), room), (DATA, m), (DATA, room)], 1, 2),
    ] {
        let (result, left) = call(package, context, parts);
        result.expect("all buffers are there");
        assert_eq!(left[data], m);
        assert_eq!(left[output][10..], [0, 1, 0, 0, 0, number]);
    }
}

#[test]
fn without_a_layer_and_before_there_is_a_context() {
    let pair = Pair::new(AUTH, None);
    let (_, pending_nonce) = pair.server.sasl_establish(&SaslClient::default());
    let client = SaslClient::default();
    let token = client.token(&pending_nonce, 2);
    let pending = pair.server.sasl_pending(&client, &token);
    let (challenged, _) = pair.server.sasl_challenge(INTEGRITY);
    let http = pair.server.challenge(HTTP).0;
    let (of_http, _) = pair.server.establish(&Client::default());
    let http_client = Client::auth_int();
    let (_, challenge) = pair.server.challenge(AUTH_INT);
    let http_token = http_client.token(&challenge, 1);
    let (result, _) = pair.server.accept(None, &Input { entity: b"", ..http_client.input(&http_token) });
    let http_pending = result.expect("the body is not read yet").context;
    let package = &pair.server.package;
    type Call = fn(&SecurityPackage, CtxtHandle) -> Result<(), Failure>;
    let calls: [(&str, Call); 4] = [
        ("make", |package, context| package.make_signature(Some(context), None)),
        ("verify", |package, context| package.verify_signature(Some(context), None)),
        ("encrypt", |package, context| package.encrypt_message(Some(context), None)),
        ("decrypt", |package, context| package.decrypt_message(Some(context), None).map(drop)),
    ];
    for (name, call) in calls {
        assert_eq!(status(&call(package, pair.accepted)), Status::SEC_E_QOP_NOT_SUPPORTED, "{name}");
        for handle in [pending, challenged, http_pending] {
            assert_eq!(status(&call(package, handle)), Status::SEC_E_OUT_OF_SEQUENCE, "{name}");
        }
        let deleted = pair.server.sasl_challenge(AUTH).0;
        package.delete_security_context(Some(deleted)).expect("live");
        assert_eq!(status(&call(package, deleted)), Status::SEC_E_INVALID_HANDLE, "{name}");
    }
    for (name, call) in &calls[2..] {
        for handle in [http, of_http] {
            assert_eq!(status(&call(package, handle)), Status::SEC_E_UNSUPPORTED_FUNCTION, "{name}");
        }
    }
    let peer = &pair.peer;
    for (_, call) in calls {
        assert_eq!(status(&call(&peer.package, pair.established)), Status::SEC_E_QOP_NOT_SUPPORTED);
    }
}

#[test]
fn what_a_context_tells() {
    let sizes = |max_signature, block_size, security_trailer| ContextAttribute::Sizes {
        max_token: 4096,
        max_signature,
        block_size,
        security_trailer,
    };
    let stream = |trailer, maximum_message, block_size| {
        Some(ContextAttribute::StreamSizes { header: 0, trailer, maximum_message, buffers: 2, block_size })
    };
    let key = |signature_algorithm, encrypt_algorithm, key_size| ContextAttribute::KeyInfo {
        signature_algorithm,
        encrypt_algorithm,
        key_size,
    };
    let server = Server::default();
    let with = |client: SaslClient| SaslClient { maxbuf: Some(1000), ..client };
    let conf = |cipher| with(SaslClient::auth_conf(cipher));
    for (client, expected) in [
        (SaslClient::default(), (sizes(0, 0, 0), None, key("", "", 0))),
        (with(SaslClient::auth_int()), (sizes(16, 0, 16), stream(16, 984, 1), key("HMAC-MD5", "", 128))),
        (conf("rc4"), (sizes(16, 0, 16), stream(16, 984, 1), key("HMAC-MD5", "rc4", 128))),
        (conf("rc4-56"), (sizes(16, 0, 16), stream(16, 984, 1), key("HMAC-MD5", "rc4-56", 56))),
        (conf("rc4-40"), (sizes(16, 0, 16), stream(16, 984, 1), key("HMAC-MD5", "rc4-40", 40))),
        (conf("des"), (sizes(16, 8, 24), stream(24, 976, 8), key("HMAC-MD5", "des", 56))),
        (conf("3des"), (sizes(16, 8, 24), stream(24, 976, 8), key("HMAC-MD5", "3des", 112))),
    ] {
        let (context, nonce) = server.sasl_establish(&client);
        let query = |attribute| server.package.query_context_attributes(Some(context), attribute);
        assert_eq!(query(0).expect("sizes"), expected.0);
        match expected.1 {
            Some(stream) => assert_eq!(query(4).expect("stream sizes"), stream),
            None => assert_eq!(status(&query(4)), Status::SEC_E_UNSUPPORTED_FUNCTION),
        }
        assert_eq!(query(5).expect("key info"), expected.2);
        let ContextAttribute::SessionKey(session_key) = query(9).expect("the session key") else {
            panic!("another attribute")
        };
        assert_eq!(*session_key, client.key(&nonce));
        assert!(!format!("{session_key:?}").contains(&session_key[0].to_string()), "no secret is printed");
        assert_eq!(status(&query(27)), Status::SEC_E_UNSUPPORTED_FUNCTION);
    }
    let (challenged, _) = server.sasl_challenge(AUTH);
    assert_eq!(status(&server.package.query_context_attributes(Some(challenged), 99)), Status::SEC_E_INVALID_HANDLE);
    // HTTP tells its key as well.
    let client = Client { algorithm: Some("MD5"), ..Client::default() };
    let (context, challenge) = server.establish(&client);
    let key = server.package.query_context_attributes(Some(context), 9).expect("the session key");
    let ContextAttribute::SessionKey(key) = key else { panic!("another attribute") };
    assert_eq!(hex_text(&key), client.key(&text(&challenge.nonce)));
}

/// The longest message without a maxbuf of the peer: 65 536 bytes wrapped (RFC 2831 2.1.2).
#[test]
fn a_missing_maxbuf_means_65536() {
    let server = Server::new(|configuration| configuration.maxbuf = MaxBuf::MINIMUM);
    let (context, _) = server.sasl_establish(&SaslClient::auth_int());
    let sizes = server.package.query_context_attributes(Some(context), 4).expect("a layer");
    assert!(matches!(sizes, ContextAttribute::StreamSizes { maximum_message: 65_520, .. }));
}
