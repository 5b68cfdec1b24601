//! The SASL initiator through the package: responses, the server's proof, fast reauthentication, and both sides at once.
//!
//! What goes over the wire is judged by a client that signs by hand, which `package_sasl` holds to RFC 2831.

use std::sync::atomic::Ordering;

use crate::support::sasl::*;
use crate::support::*;
use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf};
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::credentials::SECPKG_CRED_OUTBOUND;
use digest_ssp::package::failure::{Misuse, PeerMisbehaviour};
use digest_ssp::package::{AuthIdentity, ContextAttribute, InitializeRequirements, SecurityPackage};
use digest_ssp::status::SecurityStatus as Status;

const NONE: InitializeRequirements = InitializeRequirements::empty();

#[test]
fn whole_exchanges_authenticate_both_sides() {
    let integrity = InitializeRequirements::INTEGRITY;
    let confidentiality = InitializeRequirements::CONFIDENTIALITY;
    for (accept, initialize) in [(AUTH, NONE), (INTEGRITY, integrity), (CONFIDENTIALITY, confidentiality)] {
        let (server, peer) = (Server::default(), Peer::default());
        let [accepted, established] = sasl_exchange(&server, &peer, accept, initialize);
        let attribute = |package: &SecurityPackage, handle, number| {
            package.query_context_attributes(Some(handle), number).expect("an attribute of every context")
        };
        let names = ContextAttribute::Names { user_name: "alice".to_owned() };
        assert_eq!(attribute(&server.package, accepted, 1), names);
        assert_eq!(attribute(&peer.package, established, 1), names);
        assert_eq!(attribute(&server.package, accepted, 9), attribute(&peer.package, established, 9));
        let integrity = 0x2_000C;
        let expected = match initialize {
            NONE => [0, 2],
            _ if initialize == InitializeRequirements::INTEGRITY => [integrity, 0x1_000E],
            _ => [integrity | 0x10, 0x1_001E],
        };
        let flags = [attribute(&server.package, accepted, 14), attribute(&peer.package, established, 14)];
        assert_eq!(flags, expected.map(ContextAttribute::Flags));
        // And again, fast, where that is allowed.
        let (result, token) = peer.initialize(Some(established), &sasl_offer(None, initialize));
        let again = result.expect("an established context may always authenticate again");
        assert_eq!(again.status, Status::SEC_I_CONTINUE_NEEDED);
        if accept == CONFIDENTIALITY {
            assert_eq!((peer.state(established), token), ("initial", Vec::new()));
            continue;
        }
        assert_eq!(peer.state(established), "responded");
        assert_eq!(directive(&token, "nc").as_deref(), Some("00000002"));
        let (result, _) = server.accept(None, &sasl_input(&token, accept));
        let pending = result.expect("it names the session");
        assert_eq!(pending.status, Status::SEC_I_COMPLETE_NEEDED);
        let (result, proof) = server.complete(pending.context, &Message { token: &token, ..Message::default() });
        result.expect("a right response");
        let (result, _) = peer.initialize(Some(established), &sasl_offer(Some(&proof), initialize));
        assert_eq!(result.expect("a right proof").status, Status::SEC_E_OK);
    }
}

/// The challenge of the RFC's first example.
const CHALLENGE: &[u8] =
    b"realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",algorithm=md5-sess,charset=utf-8";

fn chris_answering(peer: &Peer) -> (CtxtHandle, Vec<u8>, SaslClient) {
    let offer = Offer { target: b"imap/elwood.innosoft.com", ..sasl_offer(Some(CHALLENGE), NONE) };
    let (result, token) = peer.initialize(None, &offer);
    let initialized = result.expect("a challenge that can be answered");
    assert_eq!(initialized.status, Status::SEC_I_CONTINUE_NEEDED);
    let client = chris("imap/elwood.innosoft.com", &directive(&token, "cnonce").expect("a cnonce"));
    (initialized.context, token, client)
}

/// Without `charset` what is hashed is ISO 8859-1 (RFC 2831 section 2.1.1).
#[test]
fn a_password_has_the_characters_of_the_challenge() {
    let latin_1 = text(CHALLENGE).replace(",charset=utf-8", "");
    for (password, expected) in
        [("p\u{e4}ss\u{ff}", Status::SEC_I_CONTINUE_NEEDED), ("p\u{101}ss", Status::SEC_E_NO_CREDENTIALS)]
    {
        let (result, _) = Peer::new("chris", password).initialize(None, &sasl_offer(Some(latin_1.as_bytes()), NONE));
        let told = result.map_or_else(|failure| failure.status, |initialized| initialized.status);
        assert_eq!(told, expected, "{password}");
    }
}

#[test]
fn a_response_is_what_the_rfc_says() {
    let peer = Peer::new("chris", "secret");
    let (context, token, client) = chris_answering(&peer);
    assert_eq!(client.cnonce.len(), 32);
    let right = client.seal("OA6MG9tEQGm2hh", "00000001", "AUTHENTICATE");
    assert_eq!(
        text(&token),
        format!(
            "username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",cnonce=\"{}\",nc=00000001,\
             qop=auth,digest-uri=\"imap/elwood.innosoft.com\",response={right},charset=utf-8",
            client.cnonce
        )
    );
    let proof = text(&client.proof("OA6MG9tEQGm2hh", 1));
    let quoted = proof.replace("rspauth=", "rspauth=\"") + "\"";
    let (result, _) = peer.initialize(Some(context), &sasl_offer(Some(quoted.as_bytes()), NONE));
    let established = result.expect("a right proof, quoted or not");
    assert_eq!((established.status, established.attributes), (Status::SEC_E_OK, InitializeRequirements::MUTUAL_AUTH));
    // Fast reauthentication: the same nonce and cnonce, the service again or not at all.
    for target in [&b"imap/other"[..], b"imap"] {
        let other = Offer { target, ..sasl_offer(None, NONE) };
        let failure = peer.initialize(Some(context), &other).0.expect_err("another service");
        assert_eq!((failure.status, failure.reason), (Status::SEC_E_INVALID_TOKEN, Misuse::AnotherService.into()));
    }
    for (capacity, expected) in [(0, Status::SEC_E_INVALID_TOKEN), (99, Status::SEC_E_INSUFFICIENT_MEMORY)] {
        let small = Offer { capacity, target: b"", ..sasl_offer(None, NONE) };
        assert_eq!(status(&peer.initialize(Some(context), &small).0), expected);
        assert_eq!(peer.state(context), "established");
    }
    let (result, token) = peer.initialize(Some(context), &Offer { target: b"", ..sasl_offer(Some(b""), NONE) });
    assert_eq!(result.expect("reauthentication").status, Status::SEC_I_CONTINUE_NEEDED);
    assert_eq!(directive(&token, "response"), Some(client.seal("OA6MG9tEQGm2hh", "00000002", "AUTHENTICATE")));
    let proof = client.proof("OA6MG9tEQGm2hh", 2);
    let (result, _) = peer.initialize(Some(context), &sasl_offer(Some(&proof), NONE));
    assert_eq!(result.expect("a right proof").status, Status::SEC_E_OK);
}

#[test]
fn a_server_must_prove_itself() {
    let peer = Peer::new("chris", "secret");
    let zeros = format!("rspauth={}", "0".repeat(32));
    let stale = [CHALLENGE, b",stale=true"].concat();
    for (token, expected, next) in [
        (None, Status::SEC_E_INVALID_TOKEN, "responded"),
        (Some(&b""[..]), Status::SEC_E_WRONG_PRINCIPAL, "rejected"),
        (Some(b"qop=auth"), Status::SEC_E_WRONG_PRINCIPAL, "rejected"),
        (Some(zeros.as_bytes()), Status::SEC_E_MESSAGE_ALTERED, "rejected"),
        (Some(b"rspauth=1"), Status::SEC_E_INVALID_TOKEN, "responded"),
        (Some(CHALLENGE), Status::SEC_E_LOGON_DENIED, "rejected"),
    ] {
        let (context, ..) = chris_answering(&peer);
        let (result, _) = peer.initialize(Some(context), &sasl_offer(token, NONE));
        assert_eq!(status(&result), expected);
        assert_eq!(peer.state(context), next);
    }
    let (context, ..) = chris_answering(&peer);
    let (result, token) = peer.initialize(Some(context), &sasl_offer(Some(&stale), NONE));
    assert_eq!(result.expect("only the nonce was wrong").status, Status::SEC_I_CONTINUE_NEEDED);
    assert_eq!(directive(&token, "nc").as_deref(), Some("00000001"));
    // The first proof is none of the second response.
    let (context, _, client) = chris_answering(&peer);
    let proof = client.proof("OA6MG9tEQGm2hh", 1);
    peer.initialize(Some(context), &sasl_offer(Some(&proof), NONE)).0.expect("a right proof");
    let unnamed = Offer { target: b"", ..sasl_offer(None, NONE) };
    peer.initialize(Some(context), &unnamed).0.expect("reauthentication");
    // Who declines a fast reauthentication starts over (RFC 2831 2.2.2).
    let (result, token) = peer.initialize(Some(context), &sasl_offer(Some(CHALLENGE), NONE));
    assert_eq!(result.expect("a new challenge").status, Status::SEC_I_CONTINUE_NEEDED);
    assert_eq!(directive(&token, "nc").as_deref(), Some("00000001"));
    let (result, _) = peer.initialize(Some(context), &sasl_offer(Some(&proof), NONE));
    assert_eq!(result.expect_err("an old proof").reason, PeerMisbehaviour::ProofAltered.into());
}

#[test]
fn without_a_challenge_nothing_is_said() {
    let peer = Peer::default();
    // Neither target nor output are looked at yet.
    let offer =
        |token| Offer { capacity: 0, target: b"", ..sasl_offer(token, InitializeRequirements::CONFIDENTIALITY) };
    for token in [None, Some(&b""[..])] {
        let (result, _) = peer.initialize(None, &offer(token));
        let initialized = result.expect("a first call");
        assert_eq!((initialized.status, initialized.attributes), (Status::SEC_I_CONTINUE_NEEDED, NONE));
        assert_eq!(peer.state(initialized.context), "initial");
        let (result, output) = peer.initialize(Some(initialized.context), &sasl_offer(token, NONE));
        assert_eq!((result.expect("still none").status, output), (Status::SEC_I_CONTINUE_NEEDED, Vec::new()));
        let complete = |context| status(&peer.package.complete_auth_token(context, None));
        assert_eq!(complete(Some(initialized.context)), Status::SEC_E_OUT_OF_SEQUENCE);
    }
    // An initiator never completes a token, whatever its state: a SASL response is complete in itself.
    let (server, client) = (Server::default(), Peer::default());
    let [_, established] = sasl_exchange(&server, &client, AUTH, NONE);
    let (context, ..) = chris_answering(&peer);
    for (package, context) in [(&client.package, established), (&peer.package, context)] {
        assert_eq!(status(&package.complete_auth_token(Some(context), None)), Status::SEC_E_OUT_OF_SEQUENCE);
    }
}

#[test]
fn challenges_that_cannot_be_answered() {
    let peer = Peer::default();
    let (context, _) = peer.initialize(None, &sasl_offer(None, NONE));
    let context = context.expect("a first call").context;
    let good = sasl_offer(Some(CHALLENGE), NONE);
    let with = |token| Offer { token: Some(token), ..good };
    let requiring = |requirements| Offer { requirements, ..good };
    let conf = |token| Offer { requirements: InitializeRequirements::CONFIDENTIALITY, ..with(token) };
    for (name, offer, expected) in [
        ("auth-int only", with(b"nonce=n,algorithm=md5-sess,qop=auth-int"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("MD5", with(b"nonce=n,algorithm=MD5"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("integrity", requiring(InitializeRequirements::SEQUENCE_DETECT), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("cipher", conf(b"nonce=n,algorithm=md5-sess,qop=auth-conf,cipher=aes"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("no cipher", conf(b"nonce=n,algorithm=md5-sess,qop=auth-conf"), Status::SEC_E_QOP_NOT_SUPPORTED),
        ("no nonce", with(b"realm=r,algorithm=md5-sess"), Status::SEC_E_INVALID_TOKEN),
        ("no algorithm", with(b"nonce=n"), Status::SEC_E_INVALID_TOKEN),
        ("maxbuf", with(b"nonce=n,algorithm=md5-sess,maxbuf=16777216"), Status::SEC_E_INVALID_TOKEN),
        ("no target", Offer { target: b"", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("no host", Offer { target: b"imap/", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("target", Offer { target: b"imap/\xE4", ..good }, Status::SEC_E_INVALID_TOKEN),
        ("output absent", Offer { capacity: 0, ..good }, Status::SEC_E_INVALID_TOKEN),
        ("output too small", Offer { capacity: 20, ..good }, Status::SEC_E_INSUFFICIENT_MEMORY),
        ("delegate", requiring(InitializeRequirements::DELEGATE), Status::SEC_E_UNSUPPORTED_FUNCTION),
        ("prompt", requiring(InitializeRequirements::PROMPT_FOR_CREDS), Status::SEC_E_UNSUPPORTED_FUNCTION),
    ] {
        for context in [None, Some(context)] {
            let (result, output) = peer.initialize(context, &offer);
            assert_eq!(status(&result), expected, "{name}");
            assert!(untouched(&output) || offer.capacity == 0, "{name}");
        }
        assert_eq!(peer.state(context), "initial", "{name}");
    }
    peer.knobs.entropy_down.store(true, Ordering::SeqCst);
    assert_eq!(status(&peer.initialize(Some(context), &good).0), Status::SEC_E_INTERNAL_ERROR);
    peer.knobs.entropy_down.store(false, Ordering::SeqCst);
    assert!(peer.initialize(Some(context), &good).0.is_ok());
    for other in ["accept", "complete"] {
        let result = match other {
            "accept" => {
                peer.package.accept_security_context(Some(peer.credential), Some(context), None, AUTH, None).map(drop)
            }
            _ => peer.package.complete_auth_token(Some(context), None),
        };
        let expected = if other == "accept" { Status::SEC_E_INVALID_HANDLE } else { Status::SEC_E_OUT_OF_SEQUENCE };
        assert_eq!(status(&result), expected);
    }
}

#[test]
fn realms_domains_and_names_on_the_wire() {
    let Server { package, .. } = Server::default();
    let answer = |user: &str, domain: &str, password: &str, challenge: &str| {
        let identity = AuthIdentity::new(user, domain, password);
        let acquired = package.acquire_credentials_handle(None, "WDigest", SECPKG_CRED_OUTBOUND, None, Some(&identity));
        let credential = acquired.expect("an identity").credential;
        let mut token = format!("nonce=n,algorithm=md5-sess,{challenge}").into_bytes();
        let mut memory = vec![0; 2048];
        let mut input = [SecBuffer::new(BufferType::TOKEN, &mut token)];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = package.initialize_security_context(
            Some(credential),
            None,
            Some(b"imap/host"),
            NONE,
            Some(&mut SecBufferDesc::new(&mut input)),
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        result.map(|_| output[0].bytes().unwrap_or_default().to_vec()).map_err(|failure| failure.status)
    };
    for (domain, challenge, start) in [
        ("", "realm=one,realm=two", "username=\"bob\",realm=\"one\","),
        ("", "", "username=\"bob\",nonce="),
        ("corp", "", "username=\"bob\",realm=\"corp\","),
        ("corp", "realm=one,realm=two", "username=\"corp\\\\bob\",realm=\"one\","),
        ("two", "realm=one,realm=two", "username=\"bob\",realm=\"two\","),
    ] {
        let token = text(&answer("bob", domain, "x", challenge).expect("a challenge that can be answered"));
        assert!(token.starts_with(start), "{token}");
        // The digest is over the names as they are sent.
        let value = |name| directive(token.as_bytes(), name).unwrap_or_default();
        let username = if start.contains('\\') { "corp\\bob" } else { "bob" };
        let client = SaslClient {
            username: username.to_owned(),
            realm: value("realm"),
            password: "x".to_owned(),
            cnonce: value("cnonce"),
            ..SaslClient::default()
        };
        assert_eq!(value("response"), client.seal("n", "00000001", "AUTHENTICATE"), "{token}");
    }
    assert!(answer("j\u{fc}", "", "x", "").expect("ISO 8859-1").starts_with(b"username=\"j\xFC\","));
    assert!(answer("j\u{fc}", "", "x", "charset=utf-8").expect("UTF-8").starts_with(b"username=\"j\xC3\xBC\","));
    assert_eq!(answer("\u{20ac}", "", "x", ""), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(answer("x", "\u{20ac}", "x", ""), Err(Status::SEC_E_NO_CREDENTIALS));
    assert_eq!(answer("x", "", "\u{20ac}", ""), Err(Status::SEC_E_NO_CREDENTIALS));
    assert!(answer("\u{20ac}", "", "\u{20ac}", "charset=utf-8").is_ok());
}

#[test]
fn an_initiator_says_what_its_layer_needs() {
    let configure = |configuration: &mut Configuration| {
        configuration.maxbuf = MaxBuf::new(1024).expect("within its bounds");
        configuration.ciphers = Ciphers::ALL.without(Cipher::Rc4);
    };
    let peer = Peer::configured("alice", "secret", configure);
    let challenge = b"realm=realm,nonce=n,qop=\"auth,auth-int,auth-conf\",cipher=\"des,3des,rc4\",algorithm=md5-sess";
    for (requirements, expected) in [
        (NONE, "qop=auth,digest-uri="),
        (InitializeRequirements::INTEGRITY, "qop=auth-int,maxbuf=1024,digest-uri="),
        (InitializeRequirements::CONFIDENTIALITY, "qop=auth-conf,cipher=3des,maxbuf=1024,digest-uri="),
    ] {
        let (result, token) = peer.initialize(None, &sasl_offer(Some(challenge), requirements));
        assert!(result.is_ok());
        assert!(text(&token).contains(expected), "{}", text(&token));
    }
}

/// RFC 2831 section 2.1.2: "The size of a digest-response MUST be less than 4096 bytes."
#[test]
fn a_response_is_shorter_than_4096_bytes() {
    let answer = |realm: usize, user: usize, target: usize| {
        let peer = Peer::new(&"u".repeat(user), "secret");
        let challenge = format!("realm=\"{}\",nonce=n,algorithm=md5-sess", "r".repeat(realm));
        let target = format!("imap/{}", "h".repeat(target));
        let offer =
            Offer { target: target.as_bytes(), capacity: 10_000, ..sasl_offer(Some(challenge.as_bytes()), NONE) };
        let (result, token) = peer.initialize(None, &offer);
        result.map(|_| token.len())
    };
    let rest = answer(1000, 1, 1).expect("a short response") - 1002;
    let left = 4095 - rest - 1000;
    assert_eq!(answer(1000, left - 1000, 1000).expect("as long as may be"), 4095);
    for (realm, user, target) in [(1001, left - 1000, 1000), (1000, left - 999, 1000), (1000, left - 1000, 1001)] {
        let failure = answer(realm, user, target).expect_err("one byte more");
        assert_eq!((failure.status, failure.reason), (Status::SEC_E_INVALID_TOKEN, Misuse::ResponseTooLong.into()));
    }
}
