//! InitializeSecurityContext, CompleteAuthToken and MakeSignature of an initiator, and whole exchanges with an acceptor.

use std::sync::atomic::Ordering;

use crate::support::sasl::over;
use crate::support::*;
use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::context::initiator::OutboundCredentials;
use digest_ssp::digest::hash::md5;
use digest_ssp::digest::{Algorithm, Charset};
use digest_ssp::package::credentials::{SECPKG_CRED_BOTH, SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND};
use digest_ssp::package::{AuthIdentity, ContextAttribute, InitializeRequirements};
use digest_ssp::status::SecurityStatus as Status;
use zeroize::Zeroizing;

const MUTUAL: InitializeRequirements = InitializeRequirements::HTTP.union(InitializeRequirements::MUTUAL_AUTH);
const INTEGRITY: InitializeRequirements = InitializeRequirements::HTTP.union(InitializeRequirements::INTEGRITY);
const BOTH: InitializeRequirements = MUTUAL.union(INTEGRITY);

const CHALLENGE: &[u8] = b"realm=\"realm\",nonce=\"n\",qop=\"auth, auth-int\",opaque=\"o\",algorithm=MD5";

fn entity(body: &[u8]) -> Vec<u8> {
    hex_text(&md5(&[body])).into_bytes()
}

type Edit = fn(&mut Message<'_>);

/// Answers CHALLENGE with those requirements and without H(Entity).
fn answer(peer: &Peer, requirements: InitializeRequirements) -> (CtxtHandle, Status, Vec<u8>) {
    let offer = Offer { token: Some(CHALLENGE), requirements, ..Offer::default() };
    let (result, token) = peer.initialize(None, &offer);
    let initialized = result.expect("a good challenge");
    (initialized.context, initialized.status, token)
}

#[test]
fn credentials_tell_whose_they_are_and_no_password() {
    let password = Zeroizing::new("Circle Of Life".to_owned());
    let credentials = OutboundCredentials::new(7, "alice".to_owned(), "domain".to_owned(), password);
    let told = r#"OutboundCredentials { id: 7, user: "alice", domain: Some("domain"), .. }"#;
    assert_eq!(format!("{credentials:?}"), told);
}

/// What needs auth-int gets all that auth-int is (quality-of-protection).
#[test]
fn each_flag_of_integrity_grants_them_all() {
    use InitializeRequirements as Flag;
    let (http, all) = (Flag::HTTP, INTEGRITY | Flag::REPLAY_DETECT | Flag::SEQUENCE_DETECT);
    for (asked, granted) in [
        (http, http),
        (http | Flag::CONNECTION, http),
        (MUTUAL, MUTUAL),
        (INTEGRITY, all),
        (http | Flag::REPLAY_DETECT, all),
        (http | Flag::SEQUENCE_DETECT, all),
        (BOTH, all | MUTUAL),
    ] {
        let offer = Offer { token: Some(CHALLENGE), requirements: asked, ..Offer::default() };
        let (result, _) = Peer::new("alice", "secret").initialize(None, &offer);
        assert_eq!(result.expect("a good challenge").attributes, granted, "{asked:?}");
    }
}

#[test]
fn whole_exchanges_authenticate_both_sides() {
    for algorithm in [Algorithm::Md5, Algorithm::Md5Sess] {
        for charset_utf8 in [true, false] {
            whole_exchange(algorithm, charset_utf8, "alice", "secret");
            whole_exchange(algorithm, charset_utf8, "j\u{fc}rgen", "p\u{e4}ss\u{ff}");
        }
    }
}

fn whole_exchange(algorithm: Algorithm, charset_utf8: bool, user: &str, password: &str) {
    let server = Server::new(|configuration| {
        configuration.algorithm = algorithm;
        configuration.charset_utf8 = charset_utf8;
    });
    let peer = Peer::new(user, password);
    let (result, empty) = peer.initialize(None, &Offer::default());
    let begun = result.expect("a first call");
    assert_eq!(begun.status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(empty.is_empty());
    assert_eq!(peer.state(begun.context), "initial");
    let (_, challenge) = server.accept(None, &Input::default());
    let offer = Offer { token: Some(&challenge), requirements: MUTUAL, ..Offer::default() };
    let (result, response) = peer.initialize(Some(begun.context), &offer);
    let responded = result.expect("a challenge");
    assert_eq!((responded.status, responded.context), (Status::SEC_I_CONTINUE_NEEDED, begun.context));
    assert!(responded.attributes.contains(InitializeRequirements::MUTUAL_AUTH));
    assert_eq!(peer.state(responded.context), "responded");
    let (result, info) = server.accept(None, &Input { token: &response, ..Input::default() });
    let accepted = result.expect("a right response");
    assert_eq!(accepted.status, Status::SEC_E_OK, "{algorithm:?} {charset_utf8} {user}");
    let (result, output) = peer.initialize(Some(responded.context), &Offer { token: Some(&info), ..Offer::default() });
    assert_eq!(result.expect("a right proof").status, Status::SEC_E_OK);
    assert!(output.is_empty());
    assert_eq!(peer.state(responded.context), "established");
    for (package, context) in [(&peer.package, responded.context), (&server.package, accepted.context)] {
        let names = package.query_context_attributes(Some(context), 1).expect("established");
        assert_eq!(names, ContextAttribute::Names { user_name: user.to_owned() });
    }
    for count in ["00000002", "00000003"] {
        let next = Message { target: b"/next?x=1", ..Message::default() };
        let (result, header) = peer.sign(responded.context, &next);
        result.expect("the next request");
        assert_eq!(directive(&header, "nc").as_deref(), Some(count));
        let (result, _) = server.accept(None, &Input { token: &header, ..Input::default() });
        let waiting = result.expect("it names the session");
        assert_eq!(waiting.status, Status::SEC_I_COMPLETE_NEEDED);
        let (result, info) = server.complete(waiting.context, &Message { token: &header, ..next });
        result.expect("a right response");
        assert!(directive(&info, "rspauth").is_some());
    }
}

#[test]
fn auth_int_exchanges_complete_on_both_sides() {
    for requirements in [INTEGRITY, BOTH] {
        let server = Server::default();
        let peer = Peer::default();
        let (_, challenge) = server.accept(None, &Input { requirements: AUTH_INT, ..Input::default() });
        let offer = Offer { token: Some(&challenge), requirements, method: b"POST", ..Offer::default() };
        let (result, token) = peer.initialize(None, &offer);
        let waiting = result.expect("the body is not known yet");
        let mutual = requirements.contains(InitializeRequirements::MUTUAL_AUTH);
        let due = if mutual { Status::SEC_I_COMPLETE_AND_CONTINUE } else { Status::SEC_I_COMPLETE_NEEDED };
        assert_eq!(waiting.status, due);
        assert_eq!(directive(&token, "response"), Some("0".repeat(32)));
        let digest = entity(b"body");
        let message = Message { token: &token, method: b"POST", entity: &digest, ..Message::default() };
        let (result, whole) = peer.complete(waiting.context, &message);
        result.expect("its own token");
        assert_eq!(whole.len(), token.len());
        assert_eq!(peer.state(waiting.context), if mutual { "responded" } else { "established" });
        let input = Input { token: &whole, method: b"POST", requirements: AUTH_INT, ..Input::default() };
        let (result, _) = server.accept(None, &input);
        let accepted = result.expect("the body is not read yet");
        assert_eq!(accepted.status, Status::SEC_I_COMPLETE_NEEDED);
        let (result, _) = server.complete(accepted.context, &Message { token: &whole, ..message });
        result.expect("a right response");
        if mutual {
            let body = md5(&[b"answer"]);
            let info = server.package.authentication_info(accepted.context, &body).expect("auth-int");
            let (result, _) = peer.initialize(Some(waiting.context), &Offer { token: Some(&info), ..Offer::default() });
            assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN, "H(response body) is missing");
            let right = hex_text(&body);
            let offer = Offer { token: Some(&info), entity: right.as_bytes(), ..Offer::default() };
            let (result, _) = peer.initialize(Some(waiting.context), &offer);
            assert_eq!(result.expect("a right proof").status, Status::SEC_E_OK);
        }
        let next = Message { method: b"PUT", target: b"/next", entity: &digest, ..Message::default() };
        let (result, _) = peer.sign(waiting.context, &Message { entity: b"", ..next });
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
        let (result, header) = peer.sign(waiting.context, &next);
        result.expect("the next request");
        assert_eq!(directive(&header, "nc").as_deref(), Some("00000002"), "the failure took no count");
        let (result, _) =
            server.accept(None, &Input { token: &header, method: b"PUT", requirements: AUTH_INT, ..Input::default() });
        let further = result.expect("it names the session").context;
        let (result, _) = server.complete(further, &Message { token: &header, ..next });
        result.expect("a right response");
    }
}

#[test]
fn a_completion_is_bound_to_the_token_it_completes() {
    let peer = Peer::default();
    let digest = entity(b"body");
    let spent: [(Edit, Status); 3] = [
        (|message| message.token = b"username=\"x\"", Status::SEC_E_INVALID_TOKEN),
        (|message| message.method = b"PUT", Status::SEC_E_MESSAGE_ALTERED),
        (|message| message.target = b"/other", Status::SEC_E_MESSAGE_ALTERED),
    ];
    for (edit, expected) in spent {
        let (context, _, token) = answer(&peer, INTEGRITY);
        let good = Message { token: &token, entity: &digest, ..Message::default() };
        let mut bad = Message { entity: b"", ..good };
        edit(&mut bad);
        let (result, after) = peer.complete(context, &bad);
        assert_eq!(status(&result), expected);
        assert_eq!(after, bad.token, "the token is left alone");
        assert_eq!(peer.state(context), "rejected");
        assert_eq!(status(&peer.complete(context, &good).0), Status::SEC_E_OUT_OF_SEQUENCE);
    }
    let (context, due, token) = answer(&peer, INTEGRITY);
    assert_eq!(due, Status::SEC_I_COMPLETE_NEEDED);
    let good = Message { token: &token, entity: &digest, ..Message::default() };
    for bad in [Message { token: b"", ..good }, Message { entity: b"", ..good }, Message { entity: b"no hash", ..good }]
    {
        let (result, after) = peer.complete(context, &bad);
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
        assert_eq!(after, bad.token);
        assert_eq!(peer.state(context), "complete-needed");
    }
    // A descriptor with InitializeSecurityContext's token alone, and one that may not be written.
    for buffer_type in [BufferType::TOKEN, BufferType::TOKEN.read_only()] {
        let (mut own, mut method, mut hash) = (token.clone(), b"GET".to_vec(), digest.clone());
        let mut buffers = vec![SecBuffer::new(buffer_type, &mut own)];
        if !buffer_type.is_writable() {
            buffers.push(SecBuffer::new(BufferType::PKG_PARAMS, &mut method));
            buffers.push(SecBuffer::null(BufferType::PKG_PARAMS));
            buffers.push(SecBuffer::new(BufferType::PKG_PARAMS, &mut hash));
        }
        let result = peer.package.complete_auth_token(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
        drop(buffers);
        assert_eq!(own, token);
    }
    let offer = Offer { token: Some(CHALLENGE), ..Offer::default() };
    assert_eq!(status(&peer.initialize(Some(context), &offer).0), Status::SEC_E_OUT_OF_SEQUENCE);
    let (result, whole) = peer.complete(context, &Message { method: b"", target: b"", ..good });
    result.expect("method and uri may be left out");
    let client = Client {
        qop: "auth-int",
        cnonce: directive(&token, "cnonce").expect("a cnonce"),
        entity: text(&digest),
        ..Client::default()
    };
    let right = client.seal(&client.key("n"), "n", "00000001", "GET", &client.entity);
    assert_eq!(directive(&whole, "response"), Some(right.clone()));
    assert_eq!(text(&whole), text(&token).replace(&"0".repeat(32), &right), "nothing else changed");
}

#[test]
fn a_response_is_what_the_rfcs_say() {
    let peer = Peer::default();
    let (_, due, token) = answer(&peer, InitializeRequirements::HTTP);
    assert_eq!(due, Status::SEC_E_OK);
    let cnonce = directive(&token, "cnonce").expect("a cnonce");
    let client = Client { cnonce: cnonce.clone(), ..Client::default() };
    let right = client.seal(&client.key("n"), "n", "00000001", "GET", "");
    assert_eq!(
        text(&token),
        format!(
            "username=\"alice\",realm=\"realm\",nonce=\"n\",uri=\"/index\",cnonce=\"{cnonce}\",nc=00000001,qop=auth,\
             response=\"{right}\",opaque=\"o\",algorithm=MD5"
        )
    );
    // RFC 2069: KD(H(A1), nonce ":" H(A2)), and no more directives than the challenge had.
    let old = Offer { token: Some(b"realm=\"realm\",nonce=\"n\""), ..Offer::default() };
    let (result, token) = peer.initialize(None, &old);
    assert_eq!(result.expect("the form of RFC 2069").status, Status::SEC_E_OK);
    let a2 = hex_text(&md5(&[b"GET:/index"]));
    let right = hex_text(&md5(&[format!("{}:n:{a2}", client.key("n")).as_bytes()]));
    assert_eq!(
        text(&token),
        format!("username=\"alice\",realm=\"realm\",nonce=\"n\",uri=\"/index\",response=\"{right}\"")
    );
    assert_eq!(
        status(&peer.initialize(None, &Offer { requirements: MUTUAL, ..old }).0),
        Status::SEC_E_QOP_NOT_SUPPORTED
    );
}

#[test]
fn challenges_that_cannot_be_answered() {
    let peer = Peer::default();
    let (context, _) = peer.initialize(None, &Offer::default());
    let context = context.expect("a first call").context;
    let good = Offer { token: Some(CHALLENGE), ..Offer::default() };
    let with = |token| Offer { token: Some(token), ..good };
    let requiring = |requirements| Offer { requirements: InitializeRequirements::HTTP | requirements, ..good };
    let cases = [
        ("auth only", with(b"realm=r,nonce=n,qop=auth-int"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("unknown qop", with(b"realm=r,nonce=n,qop=future"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("unknown algorithm", with(b"realm=r,nonce=n,qop=auth,algorithm=SHA-256"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("no nonce", with(b"realm=r"), Status::SEC_E_INVALID_TOKEN),
        ("malformed", with(b"realm=\""), Status::SEC_E_INVALID_TOKEN),
        ("no method", Offer { method: b"", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("no target", Offer { target: b"", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("target", Offer { target: b"/\xE4", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("injection", Offer { target: b"/\r\nX: y", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("entity", Offer { entity: b"x", ..requiring(InitializeRequirements::INTEGRITY) }, Status::SEC_E_INVALID_TOKEN),
        ("output absent", Offer { capacity: 0, ..good }, Status::SEC_E_INVALID_TOKEN),
        ("output too small", Offer { capacity: 20, ..good }, Status::SEC_E_INSUFFICIENT_MEMORY),
        ("delegate", requiring(InitializeRequirements::DELEGATE), Status::SEC_E_UNSUPPORTED_FUNCTION),
        ("prompt", requiring(InitializeRequirements::PROMPT_FOR_CREDS), Status::SEC_E_UNSUPPORTED_FUNCTION),
        ("confidentiality", requiring(InitializeRequirements::CONFIDENTIALITY), Status::SEC_E_UNSUPPORTED_FUNCTION),
    ];
    for (name, offer, expected) in &cases {
        for context in [None, Some(context)] {
            let (result, output) = peer.initialize(context, offer);
            assert_eq!(status(&result), *expected, "{name}");
            assert!(untouched(&output) || offer.capacity == 0, "{name}");
        }
        assert_eq!(peer.state(context), "initial", "{name}");
    }
    peer.knobs.entropy_down.store(true, Ordering::SeqCst);
    assert_eq!(status(&peer.initialize(Some(context), &good).0), Status::SEC_E_INTERNAL_ERROR);
    peer.knobs.entropy_down.store(false, Ordering::SeqCst);
    assert_eq!(peer.initialize(Some(context), &good).0.expect("unchanged").status, Status::SEC_E_OK);
}

#[test]
fn a_server_that_does_not_prove_itself_is_rejected() {
    let peer = Peer::default();
    let zeros = "0".repeat(32);
    let wrong = format!("rspauth=\"{zeros}\"");
    for (token, expected, next) in [
        (&b""[..], Status::SEC_E_WRONG_PRINCIPAL, "rejected"),
        (b"qop=auth", Status::SEC_E_WRONG_PRINCIPAL, "rejected"),
        (wrong.as_bytes(), Status::SEC_E_MESSAGE_ALTERED, "rejected"),
        (b"rspauth=\"xyz\"", Status::SEC_E_INVALID_TOKEN, "responded"),
        (b"realm=r,nonce=n2,qop=auth", Status::SEC_E_LOGON_DENIED, "rejected"),
        (b"realm=r,nonce=n2,qop=future", Status::SEC_E_LOGON_DENIED, "rejected"),
        (b"realm=r,nonce=n2,qop=future,stale=true", Status::SEC_E_QOP_NOT_SUPPORTED, "responded"),
    ] {
        let (context, due, _) = answer(&peer, MUTUAL);
        assert_eq!(due, Status::SEC_I_CONTINUE_NEEDED);
        let (result, _) = peer.initialize(Some(context), &Offer { token: Some(token), ..Offer::default() });
        assert_eq!(status(&result), expected, "{}", text(token));
        assert_eq!(peer.state(context), next, "{}", text(token));
    }
    let (context, _, response) = answer(&peer, MUTUAL);
    assert_eq!(status(&peer.initialize(Some(context), &Offer::default()).0), Status::SEC_E_INVALID_TOKEN);
    let client = Client { cnonce: directive(&response, "cnonce").expect("a cnonce"), ..Client::default() };
    let proof = client.seal(&client.key("n"), "n", "00000001", "", "");
    for (repeated, expected) in [
        (",nc=00000002", Some(Status::SEC_E_MESSAGE_ALTERED)),
        (",cnonce=\"other\"", Some(Status::SEC_E_MESSAGE_ALTERED)),
        ("", None),
    ] {
        let (context, _, again) = answer(&peer, MUTUAL);
        let client = Client { cnonce: directive(&again, "cnonce").expect("a cnonce"), ..client.clone() };
        let proof = client.seal(&client.key("n"), "n", "00000001", "", "");
        let info = format!("rspauth=\"{proof}\"{repeated}");
        let (result, _) = peer.initialize(Some(context), &Offer { token: Some(info.as_bytes()), ..Offer::default() });
        assert_eq!(result.err().map(|failure| failure.status), expected, "{repeated}");
    }
    let info = format!("rspauth=\"{proof}\",nc=00000001,cnonce=\"{}\",nextnonce=\"x\"", client.cnonce);
    let (result, _) = peer.initialize(Some(context), &Offer { token: Some(info.as_bytes()), ..Offer::default() });
    assert_eq!(result.expect("a right proof").status, Status::SEC_E_OK);
}

#[test]
fn a_further_challenge_is_answered_from_the_start() {
    let peer = Peer::default();
    let stale = b"realm=\"realm\",nonce=\"n2\",qop=auth,stale=true";
    let fresh = b"realm=\"realm\",nonce=\"n2\",qop=auth";
    let (responded, _, _) = answer(&peer, MUTUAL);
    let (result, token) = peer.initialize(Some(responded), &Offer { token: Some(stale), ..Offer::default() });
    assert_eq!(result.expect("a stale challenge").status, Status::SEC_E_OK);
    assert_eq!(directive(&token, "nc").as_deref(), Some("00000001"));
    let (established, _, _) = answer(&peer, InitializeRequirements::HTTP);
    peer.sign(established, &Message::default()).0.expect("the next request");
    for token in [None, Some(&b""[..])] {
        let (result, _) = peer.initialize(Some(established), &Offer { token, ..Offer::default() });
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
    }
    let (result, token) = peer.initialize(Some(established), &Offer { token: Some(fresh), ..Offer::default() });
    assert_eq!(result.expect("reauthentication").status, Status::SEC_E_OK);
    assert_eq!(directive(&token, "nc").as_deref(), Some("00000001"));
    assert_eq!(directive(&token, "nonce").as_deref(), Some("n2"));
}

/// MakeSignature: a second TOKEN, where there is no PADDING; never the first.
#[test]
fn a_second_token_takes_the_header_where_there_is_no_padding() {
    let peer = Peer::default();
    let (context, _, _) = answer(&peer, InitializeRequirements::HTTP);
    let room = [0xAA; 512];
    let parts = [
        (BufferType::TOKEN, &room[..]),
        (BufferType::PKG_PARAMS, b"GET"),
        (BufferType::PKG_PARAMS, b"/next"),
        (BufferType::PKG_PARAMS, b""),
        (BufferType::TOKEN, &room),
    ];
    let (result, left) = over(&parts, |message| peer.package.make_signature(Some(context), Some(message)));
    result.expect("the next request");
    assert_eq!(directive(&left[4], "nc").as_deref(), Some("00000002"));
    assert_eq!(left[0], room);
}

#[test]
fn signatures_cost_a_count_only_when_made() {
    let peer = Peer::default();
    let (context, _, token) = answer(&peer, InitializeRequirements::HTTP);
    for (message, expected) in [
        (Message { method: b"", ..Message::default() }, Status::SEC_E_INVALID_TOKEN),
        (Message { target: b"", ..Message::default() }, Status::SEC_E_INVALID_TOKEN),
        (Message { capacity: 0, ..Message::default() }, Status::SEC_E_INVALID_TOKEN),
        (Message { capacity: 20, ..Message::default() }, Status::SEC_E_INSUFFICIENT_MEMORY),
    ] {
        let (result, output) = peer.sign(context, &message);
        assert_eq!(status(&result), expected);
        assert!(untouched(&output) || message.capacity == 0);
    }
    assert_eq!(status(&peer.package.make_signature(Some(context), None)), Status::SEC_E_INVALID_TOKEN);
    assert_eq!(status(&peer.package.verify_signature(Some(context), None)), Status::SEC_E_UNSUPPORTED_FUNCTION);
    let (result, header) = peer.sign(context, &Message::default());
    result.expect("the next request");
    assert_eq!(directive(&header, "nc").as_deref(), Some("00000002"));
    assert_eq!(directive(&header, "cnonce"), directive(&token, "cnonce"), "the cnonce stays");
    let (responded, _, _) = answer(&peer, MUTUAL);
    assert_eq!(status(&peer.sign(responded, &Message::default()).0), Status::SEC_E_OUT_OF_SEQUENCE);
}

#[test]
fn credentials_are_judged_in_order() {
    let Server { package, .. } = Server::default();
    let user = AuthIdentity::new("alice", "", "secret");
    let nobody = AuthIdentity::new("", "domain", "secret");
    let acquire = |package_name: &str, credential_use, logon, identity| {
        let acquired = package.acquire_credentials_handle(None, package_name, credential_use, logon, identity);
        acquired.map(|acquired| acquired.credential).map_err(|failure| failure.status)
    };
    assert_eq!(acquire("NTLM", 9, Some(1), None), Err(Status::SEC_E_SECPKG_NOT_FOUND));
    assert_eq!(acquire("WDigest", 9, Some(1), None), Err(Status::SEC_E_NOT_OWNER));
    for credential_use in [0, 4, 9, u32::MAX] {
        assert_eq!(acquire("WDigest", credential_use, None, None), Err(Status::SEC_E_UNKNOWN_CREDENTIALS));
    }
    for credential_use in [SECPKG_CRED_OUTBOUND, SECPKG_CRED_BOTH] {
        for identity in [None, Some(&nobody)] {
            assert_eq!(acquire("WDIGEST", credential_use, None, identity), Err(Status::SEC_E_NO_CREDENTIALS));
        }
    }
    let inbound = acquire("wdigest", SECPKG_CRED_INBOUND, None, None).expect("inbound");
    let outbound = acquire("wdigest", SECPKG_CRED_OUTBOUND, None, Some(&user)).expect("outbound");
    let other = acquire("wdigest", SECPKG_CRED_BOTH, None, Some(&user)).expect("both");
    let flags = InitializeRequirements::HTTP;
    let initialize = |credential, context| {
        let initialized = package.initialize_security_context(credential, context, None, flags, None, None);
        initialized.map(|initialized| initialized.context).map_err(|failure| failure.status)
    };
    assert_eq!(initialize(Some(inbound), None), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(initialize(None, None), Err(Status::SEC_E_NO_CREDENTIALS));
    let context = initialize(Some(outbound), None).expect("a first call");
    assert_eq!(initialize(Some(context), None), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(initialize(Some(other), Some(context)), Err(Status::SEC_E_WRONG_CREDENTIAL_HANDLE));
    let accepted = package.accept_security_context(Some(outbound), None, None, HTTP, None);
    assert_eq!(status(&accepted), Status::SEC_E_NO_CREDENTIALS);
    package.free_credentials_handle(Some(outbound)).expect("live");
    assert_eq!(initialize(Some(outbound), Some(context)), Err(Status::SEC_E_NO_CREDENTIALS));
    let debug = format!("{user:?}");
    assert!(debug.contains("alice") && !debug.contains("secret"), "{debug}");
}

#[test]
fn names_on_the_wire() {
    let Server { package, .. } = Server::default();
    let answer = |user: &str, domain: &str, password: &str, challenge: &[u8]| {
        let identity = AuthIdentity::new(user, domain, password);
        let acquired = package.acquire_credentials_handle(None, "WDigest", SECPKG_CRED_OUTBOUND, None, Some(&identity));
        let credential = acquired.expect("an identity").credential;
        let (mut token, mut method, mut memory) = (challenge.to_vec(), b"GET".to_vec(), vec![0; 2048]);
        let mut input =
            [SecBuffer::new(BufferType::TOKEN, &mut token), SecBuffer::new(BufferType::PKG_PARAMS, &mut method)];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = package.initialize_security_context(
            Some(credential),
            None,
            Some(b"/"),
            InitializeRequirements::HTTP,
            Some(&mut SecBufferDesc::new(&mut input)),
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        result.map(|_| output[0].bytes().unwrap_or_default().to_vec()).map_err(|failure| failure.status)
    };
    let plain = b"realm=r,nonce=n,qop=auth";
    let utf8 = b"realm=r,nonce=n,qop=auth,charset=utf-8";
    let begins = |token: &[u8], start: &[u8]| assert!(token.starts_with(start), "{}", String::from_utf8_lossy(token));
    begins(&answer("bob", "corp", "x", plain).expect("a domain"), b"username=\"corp\\\\bob\",");
    begins(&answer("j\u{fc}", "", "x", plain).expect("ISO 8859-1"), b"username=\"j\xFC\",");
    begins(&answer("j\u{fc}", "", "x", utf8).expect("UTF-8"), b"username=\"j\xC3\xBC\",");
    begins(&answer("\u{20ac}", "", "\u{20ac}", utf8).expect("UTF-8"), b"username=\"\xE2\x82\xAC\",");
    assert_eq!(answer("\u{20ac}", "", "x", plain), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(answer("x", "", "\u{20ac}", plain), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(Charset::default(), Charset::Iso8859_1, "what no charset means");
}
