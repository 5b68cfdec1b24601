//! SASL authentication through the package: challenges, answers, fast reauthentication, both roles.
//!
//! What goes over the wire is judged by a client that signs by hand; that one is held to the examples of RFC 2831.
#![cfg(all(feature = "package", not(shuttle)))]
#![forbid(unsafe_code)]

mod package_support;

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;

use digest_ssp::buffer::{BufferType, SecBuffer, SecBufferDesc};
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf};
use digest_ssp::package::configuration::SequencePolicy;
use digest_ssp::package::credentials::SECPKG_CRED_OUTBOUND;
use digest_ssp::package::failure::{LogonFailure, Misuse, PeerMisbehaviour};
use digest_ssp::package::{AcceptRequirements, AuthIdentity, ContextAttribute, InitializeRequirements};
use digest_ssp::status::SecurityStatus as Status;
use package_support::sasl::*;
use package_support::*;

const NONE: InitializeRequirements = InitializeRequirements::empty();

/// RFC 2831 section 4, both examples; the password is "secret".
const EXAMPLES: [(&str, &str, &str, &str, &str); 2] = [
    (
        "imap/elwood.innosoft.com",
        "OA6MG9tEQGm2hh",
        "OA6MHXh6VqTrRk",
        "d388dad90d4bbd760a152321f2143af7",
        "ea40f60335c427b5527b84dbabcdfffd",
    ),
    (
        "acap/elwood.innosoft.com",
        "OA9BSXrbuRhWay",
        "OA9BSuZWMSpW8m",
        "6084c6db3fede7352c551284490fd0fc",
        "2f0b3d7c3c2e486600ef710726aa2eae",
    ),
];

fn chris(digest_uri: &str, cnonce: &str) -> SaslClient {
    SaslClient {
        username: "chris".to_owned(),
        realm: "elwood.innosoft.com".to_owned(),
        digest_uri: digest_uri.to_owned(),
        cnonce: cnonce.to_owned(),
        more: ",charset=utf-8".to_owned(),
        ..SaslClient::default()
    }
}

#[test]
fn the_hand_signs_as_the_rfc_does() {
    for (digest_uri, nonce, cnonce, response, proof) in EXAMPLES {
        let client = chris(digest_uri, cnonce);
        assert_eq!(client.seal(nonce, "00000001", "AUTHENTICATE"), response);
        assert_eq!(text(&client.proof(nonce, 1)), format!("rspauth={proof}"));
    }
}

/// The acceptor never made the nonces of the RFC, so it cannot say more than that everything else was right.
#[test]
fn the_responses_of_the_rfc_are_stale() {
    let server = Server::with_accounts(|_| {}, &[("chris", "elwood.innosoft.com", "secret")]);
    for (digest_uri, nonce, cnonce, response, _) in EXAMPLES {
        let token = format!(
            "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"{nonce}\",nc=00000001,\
             cnonce=\"{cnonce}\",digest-uri=\"{digest_uri}\",response={response},qop=auth"
        );
        let altered = token.replace(response, &response.replace(['0', '1'], "2"));
        for (token, stale) in [(token, true), (altered, false)] {
            let (result, output) = server.accept(None, &sasl_input(token.as_bytes(), AUTH));
            assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
            assert_eq!(parse_sasl(&output).stale, stale);
        }
    }
}

#[test]
fn a_challenge_offers_what_the_flags_say() {
    let server = Server::new(|configuration| {
        configuration.ciphers = [Cipher::Des, Cipher::Rc4, Cipher::Rc4_40].into_iter().collect();
        configuration.maxbuf = MaxBuf::new(4096).expect("within its bounds");
    });
    for (requirements, start, granted) in [
        (AUTH, "realm=\"realm\",nonce=\"{}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess", AUTH),
        (
            AcceptRequirements::REPLAY_DETECT,
            "realm=\"realm\",nonce=\"{}\",qop=\"auth-int\",maxbuf=4096,charset=utf-8,algorithm=md5-sess",
            INTEGRITY | AcceptRequirements::REPLAY_DETECT | AcceptRequirements::SEQUENCE_DETECT,
        ),
        (
            CONFIDENTIALITY | INTEGRITY,
            "realm=\"realm\",nonce=\"{}\",qop=\"auth-conf\",cipher=\"rc4,rc4-40,des\",maxbuf=4096,charset=utf-8,\
             algorithm=md5-sess",
            INTEGRITY
                | AcceptRequirements::REPLAY_DETECT
                | AcceptRequirements::SEQUENCE_DETECT
                | AcceptRequirements::CONFIDENTIALITY,
        ),
    ] {
        let (result, output) = server.accept(None, &sasl_input(b"", requirements));
        let accepted = result.expect("an empty token gets a challenge");
        assert_eq!((accepted.status, accepted.attributes), (Status::SEC_I_CONTINUE_NEEDED, granted));
        let nonce = text(&parse_sasl(&output).nonce);
        assert_eq!(text(&output), start.replace("{}", &nonce));
    }
    let server = Server::new(|configuration| configuration.ciphers = Ciphers::EMPTY);
    for requirements in [CONFIDENTIALITY, AcceptRequirements::PROXY_BINDINGS] {
        let (result, _) = server.accept(None, &sasl_input(b"", requirements));
        assert_eq!(status(&result), Status::SEC_E_SECURITY_QOS_FAILED);
    }
    let (result, _) = server.accept(None, &sasl_input(b"", INTEGRITY));
    assert!(result.is_ok(), "a cipher is for auth-conf");
}

#[test]
fn a_context_keeps_its_mechanism() {
    let server = Server::default();
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let client = SaslClient::default();
    let token = client.token(&nonce, 1);
    let (result, _) = server.accept(Some(handle), &Input { token: &token, ..Input::default() });
    assert_eq!(status(&result), Status::SEC_E_SECURITY_QOS_FAILED);
    let (result, _) = server.accept(Some(handle), &client.input(&token));
    assert_eq!(result.expect("nothing was consumed").status, Status::SEC_E_OK);

    let peer = Peer::default();
    let (initial, _) = peer.initialize(None, &sasl_offer(None, NONE));
    let initial = initial.expect("a first call").context;
    let http = sasl_offer(None, InitializeRequirements::HTTP);
    assert_eq!(status(&peer.initialize(Some(initial), &http).0), Status::SEC_E_UNSUPPORTED_FUNCTION);
    assert_eq!(peer.state(initial), "initial");
    let (result, _) = peer.initialize(None, &Offer::default());
    let of_http = result.expect("a first call").context;
    assert_eq!(status(&peer.initialize(Some(of_http), &sasl_offer(None, NONE)).0), Status::SEC_E_UNSUPPORTED_FUNCTION);
}

/// A nonce of one mechanism is nobody's in the other.
#[test]
fn the_mechanisms_never_name_each_other() {
    let server = Server::default();
    let (_, http) = server.challenge(HTTP);
    let nonce = text(&http.nonce);
    let client = SaslClient::default();
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 1)));
    assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
    let (_, nonce) = server.sasl_challenge(AUTH);
    let mut foreign = http.clone();
    foreign.nonce = nonce.into_bytes();
    let of_http = Client::default();
    let (result, output) = server.accept(None, &of_http.input(&of_http.token(&foreign, 1)));
    assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse(&output).stale);
    let (result, _) = server.accept(None, &of_http.input(&of_http.token(&http, 1)));
    assert_eq!(result.expect("its own challenge").status, Status::SEC_E_OK);
}

#[test]
fn a_right_answer_establishes_and_is_proved() {
    for client in [SaslClient::default(), SaslClient::auth_int(), SaslClient::auth_conf("3des")] {
        let server = Server::default();
        let (first, nonce) = server.sasl_challenge(client.requirements());
        let token = client.token(&nonce, 1);
        // On the handle of the challenge or on none.
        let handle = if client.qop == "auth" { Some(first) } else { None };
        let (result, output) = server.accept(handle, &client.input(&token));
        let accepted = result.expect("a right response");
        assert_eq!((accepted.status, server.state(accepted.context)), (Status::SEC_E_OK, "established"));
        assert_eq!(output, client.proof(&nonce, 1));
        assert_eq!(server.package.sessions(), (1, 1));
        let (again, _) = server.accept(Some(accepted.context), &client.input(b""));
        assert_eq!(status(&again), Status::STATUS_LOGON_FAILURE);
        server.package.delete_security_context(Some(accepted.context)).expect("live");
        assert_eq!(server.package.sessions(), (0, 0), "the session ends with its last handle");
    }
}

/// RFC 2831 2.1.2.1: a missing qop is auth, a missing realm is empty.
#[test]
fn directives_may_be_missing() {
    let server = Server::with_accounts(|configuration| configuration.realm = String::new(), &[("alice", "", "secret")]);
    let client = SaslClient { realm: String::new(), ..SaslClient::default() };
    let (_, nonce) = server.sasl_challenge(AUTH);
    let token = text(&client.token(&nonce, 1)).replace("realm=\"\",", "").replace("qop=auth,", "");
    let (result, output) = server.accept(None, &client.input(token.as_bytes()));
    assert_eq!(result.expect("a right response").status, Status::SEC_E_OK);
    assert_eq!(output, client.proof(&nonce, 1));
}

#[test]
fn what_departs_from_the_challenge_changes_nothing() {
    let server = Server::new(|configuration| configuration.ciphers = Ciphers::EMPTY.with(Cipher::Rc4));
    let confidential = SaslClient::auth_conf("rc4");
    let (handle, nonce) = server.sasl_challenge(CONFIDENTIALITY);
    let good = confidential.token(&nonce, 1);
    let with = |replaced: &str, by: &str| text(&good).replace(replaced, by).into_bytes();
    for (name, token, expected) in [
        ("qop", SaslClient::auth_int().token(&nonce, 1), Status::SEC_E_INVALID_TOKEN),
        ("realm", with("realm=\"realm\"", "realm=\"other\""), Status::SEC_E_INVALID_TOKEN),
        ("cipher", SaslClient::auth_conf("des").token(&nonce, 1), Status::SEC_E_INVALID_TOKEN),
        ("no cipher", with(",cipher=rc4", ""), Status::SEC_E_INVALID_TOKEN),
        ("unknown cipher", with("cipher=rc4", "cipher=aes"), Status::SEC_E_INVALID_TOKEN),
        ("maxbuf", with("nc=", "maxbuf=16,nc="), Status::SEC_E_INVALID_TOKEN),
        ("digest-uri", with("imap/host", "imap"), Status::SEC_E_INVALID_TOKEN),
        ("twice", with("nc=", "nonce=\"x\",nc="), Status::SEC_E_INVALID_TOKEN),
        ("malformed", b"=".to_vec(), Status::SEC_E_INVALID_TOKEN),
    ] {
        for context in [None, Some(handle)] {
            let (result, output) = server.accept(context, &confidential.input(&token));
            assert_eq!(status(&result), expected, "{name}");
            assert!(untouched(&output), "{name}");
        }
        assert_eq!(server.state(handle), "challenged", "{name}");
    }
    // More than was negotiated, in the order of strength.
    for (client, more) in [
        (SaslClient::default(), INTEGRITY),
        (SaslClient::default(), CONFIDENTIALITY),
        (SaslClient::auth_int(), CONFIDENTIALITY),
    ] {
        let (_, nonce) = server.sasl_challenge(client.requirements());
        let (result, _) = server.accept(None, &sasl_input(&client.token(&nonce, 1), more));
        assert_eq!(status(&result), Status::SEC_E_SECURITY_QOS_FAILED);
        let (result, _) = server.accept(None, &sasl_input(&client.token(&nonce, 1), AUTH));
        assert_eq!(result.expect("less is fine").status, Status::SEC_E_OK);
    }
    let (result, _) = server.accept(Some(handle), &confidential.input(&good));
    assert_eq!(result.expect("nothing was consumed").status, Status::SEC_E_OK);
}

#[test]
fn a_wrong_digest_rejects_and_counts() {
    let server = Server::new(|configuration| configuration.limits.failures = 2);
    let client = SaslClient::default();
    let wrong = SaslClient { password: "other".to_owned(), ..client.clone() };
    let stranger = SaslClient { username: "mallory".to_owned(), ..client.clone() };
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let (result, output) = server.accept(Some(handle), &client.input(&wrong.token(&nonce, 1)));
    assert_eq!(result.expect_err("a wrong password").reason, LogonFailure::Denied.into());
    assert!(untouched(&output));
    assert_eq!(server.state(handle), "rejected");
    assert_eq!(status(&server.accept(Some(handle), &client.input(b"")).0), Status::SEC_E_OUT_OF_SEQUENCE);
    let (result, _) = server.accept(None, &client.input(&stranger.token(&nonce, 1)));
    assert_eq!(status(&result), Status::SEC_E_LOGON_DENIED);
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 1)));
    assert_eq!(result.expect("it names nothing any more").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
}

#[test]
fn nobody_acts_as_somebody_else() {
    let server = Server::new(|configuration| configuration.limits.failures = 1);
    let own = SaslClient { authzid: Some("alice".to_owned()), ..SaslClient::default() };
    let other = SaslClient { authzid: Some("bob".to_owned()), ..SaslClient::default() };
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let (result, _) = server.accept(Some(handle), &other.input(&other.token(&nonce, 1)));
    assert_eq!(result.expect_err("another user").reason, LogonFailure::NotAuthorized.into());
    assert_eq!(server.state(handle), "rejected");
    let (result, output) = server.accept(None, &own.input(&own.token(&nonce, 1)));
    assert_eq!(result.expect("no failure was counted").status, Status::SEC_E_OK);
    assert_eq!(output, own.proof(&nonce, 1));
}

#[test]
fn an_old_nonce_or_a_later_count_is_stale() {
    let server = Server::default();
    let client = SaslClient::default();
    let (_, nonce) = server.sasl_challenge(AUTH);
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 2)));
    assert_eq!(result.expect("a right digest").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
    server.expire();
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 1)));
    assert_eq!(result.expect("a right digest").status, Status::SEC_I_CONTINUE_NEEDED);
    let fresh = parse_sasl(&output);
    assert!(fresh.stale);
    let (result, _) = server.accept(None, &client.input(&client.token(&text(&fresh.nonce), 1)));
    assert_eq!(result.expect("the fresh one").status, Status::SEC_E_OK);
}

#[test]
fn the_proof_must_have_room() {
    let server = Server::default();
    let client = SaslClient::default();
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let token = client.token(&nonce, 1);
    for (capacity, expected) in [(0, Status::SEC_E_INVALID_TOKEN), (PROOF - 1, Status::SEC_E_INSUFFICIENT_MEMORY)] {
        for context in [None, Some(handle)] {
            let (result, _) = server.accept(context, &Input { capacity, ..client.input(&token) });
            assert_eq!(status(&result), expected);
        }
        assert_eq!(server.state(handle), "challenged");
    }
    let (result, output) = server.accept(Some(handle), &Input { capacity: PROOF, ..client.input(&token) });
    assert_eq!(result.expect("nothing was consumed").status, Status::SEC_E_OK);
    assert_eq!(output, client.proof(&nonce, 1));
}

#[test]
fn a_fault_of_the_environment_consumes_nothing() {
    let server = Server::default();
    let client = SaslClient::default();
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let token = client.token(&nonce, 1);
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    let (result, _) = server.accept(Some(handle), &client.input(&token));
    assert_eq!(status(&result), Status::SEC_E_NO_AUTHENTICATING_AUTHORITY);
    server.knobs.accounts_down.store(false, Ordering::SeqCst);
    server.knobs.clock_down.store(true, Ordering::SeqCst);
    assert_eq!(status(&server.accept(Some(handle), &client.input(&token)).0), Status::SEC_E_INTERNAL_ERROR);
    server.knobs.clock_down.store(false, Ordering::SeqCst);
    server.knobs.entropy_down.store(true, Ordering::SeqCst);
    assert_eq!(status(&server.accept(None, &client.input(b"")).0), Status::SEC_E_INTERNAL_ERROR);
    // An answer needs none.
    assert!(server.accept(Some(handle), &client.input(&token)).0.is_ok());
}

#[test]
fn a_fast_reauthentication_is_completed() {
    for client in [SaslClient::default(), SaslClient::auth_int()] {
        let server = Server::default();
        let (_, nonce) = server.sasl_establish(&client);
        let token = client.token(&nonce, 2);
        let pending = server.sasl_pending(&client, &token);
        assert_eq!(server.state(pending), "complete-needed-subsequent");
        assert_eq!(status(&server.accept(Some(pending), &client.input(&token)).0), Status::SEC_E_OUT_OF_SEQUENCE);
        let (result, output) = server.complete(pending, &Message { token: &token, ..Message::default() });
        result.expect("a right response");
        assert_eq!(output, client.proof(&nonce, 2));
        assert_eq!(server.state(pending), "established");
        let (again, _) = server.complete(pending, &Message { token: &token, ..Message::default() });
        assert_eq!(status(&again), Status::SEC_E_OUT_OF_SEQUENCE);
        assert_eq!(server.package.sessions(), (1, 2));
        // On the handle of a challenge too.
        let (challenged, _) = server.sasl_challenge(client.requirements());
        let token = client.token(&nonce, 3);
        let (result, output) = server.accept(Some(challenged), &client.input(&token));
        let accepted = result.expect("it names the session");
        assert_eq!(accepted.status, Status::SEC_I_COMPLETE_NEEDED);
        assert_eq!((accepted.context, output), (challenged, Vec::new()), "no proof before the digest was judged");
        server.complete(challenged, &Message { token: &token, ..Message::default() }).0.expect("a right response");
    }
}

#[test]
fn what_names_no_session_gets_a_challenge() {
    let server = Server::default();
    let client = SaslClient::auth_int();
    let (_, nonce) = server.sasl_establish(&client);
    let renamed = |client: SaslClient| client.token(&nonce, 2);
    let known = |authzid: Option<&str>, cnonce: &str| SaslClient {
        authzid: authzid.map(str::to_owned),
        cnonce: cnonce.to_owned(),
        ..client.clone()
    };
    for (token, stale) in [
        (renamed(known(None, "another")), true),
        (renamed(known(Some("alice"), &client.cnonce)), true),
        (renamed(SaslClient { username: "mallory".to_owned(), ..client.clone() }), false),
        (renamed(SaslClient { realm: "other".to_owned(), ..client.clone() }), false),
        (client.token("nobody", 2), true),
    ] {
        let (result, output) = server.accept(None, &client.input(&token));
        assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
        assert_eq!(parse_sasl(&output).stale, stale, "{}", text(&token));
    }
    // The same token as before names the session; the count is what refuses it.
    let pending = server.sasl_pending(&client, &client.token(&nonce, 1));
    let replayed = client.token(&nonce, 1);
    let (result, _) = server.complete(pending, &Message { token: &replayed, ..Message::default() });
    assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
    // More than was negotiated.
    let (result, _) = server.accept(None, &sasl_input(&client.token(&nonce, 2), CONFIDENTIALITY));
    assert_eq!(status(&result), Status::SEC_E_SECURITY_QOS_FAILED);
    // An expired session is not named.
    server.expire();
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 2)));
    assert_eq!(result.expect("expired").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
    // Nor is one under auth-conf: its keystream would repeat.
    let client = SaslClient::auth_conf("rc4");
    let (_, nonce) = server.sasl_establish(&client);
    let (result, output) = server.accept(None, &client.input(&client.token(&nonce, 2)));
    assert_eq!(result.expect("a fresh challenge").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
}

#[test]
fn what_the_peer_did_spends_a_completion() {
    let client = SaslClient::auth_int();
    let server = Server::default();
    let (_, nonce) = server.sasl_establish(&client);
    let (_, other) = server.sasl_establish(&client);
    let good = client.token(&nonce, 2);
    let with = |replaced: &str, by: &str| text(&good).replace(replaced, by).into_bytes();
    let wrong = SaslClient { password: "wrong".to_owned(), ..client.clone() };
    for (name, token, expected, challenge) in [
        ("malformed", b"=".to_vec(), Status::SEC_E_INVALID_TOKEN, None),
        ("no digest-uri", with("digest-uri", "uri"), Status::SEC_E_INVALID_TOKEN, None),
        ("another session", client.token(&other, 2), Status::SEC_E_INVALID_TOKEN, None),
        ("another user", with("alice", "bob"), Status::SEC_E_INVALID_TOKEN, None),
        ("authzid", with("nc=", "authzid=\"alice\",nc="), Status::SEC_E_INVALID_TOKEN, None),
        ("charset", with("nc=", "charset=utf-8,nc="), Status::SEC_E_MESSAGE_ALTERED, Some(false)),
        ("qop", SaslClient::default().token(&nonce, 2), Status::SEC_E_MESSAGE_ALTERED, Some(false)),
        ("digest", wrong.token(&nonce, 2), Status::SEC_E_MESSAGE_ALTERED, Some(false)),
        ("digest before count", wrong.token(&nonce, 9), Status::SEC_E_MESSAGE_ALTERED, Some(false)),
        ("used", client.token(&nonce, 1), Status::SEC_E_OUT_OF_SEQUENCE, Some(true)),
        ("gap", client.token(&nonce, 3), Status::SEC_E_OUT_OF_SEQUENCE, Some(true)),
        ("zero", client.token(&nonce, 0), Status::SEC_E_OUT_OF_SEQUENCE, Some(true)),
    ] {
        for capacity in [2048, 8, 0] {
            let pending = server.sasl_pending(&client, &good);
            let (result, output) = server.complete(pending, &Message { token: &token, capacity, ..Message::default() });
            assert_eq!(status(&result), expected, "{name} {capacity}");
            assert_eq!(server.state(pending), "rejected", "{name} {capacity}");
            let written = (capacity == 2048 && !untouched(&output)).then(|| parse_sasl(&output));
            let expected = challenge.filter(|_| capacity == 2048);
            assert_eq!(written.as_ref().map(|challenge| challenge.stale), expected, "{name} {capacity}");
            if let Some(challenge) = written {
                let fresh = client.token(&text(&challenge.nonce), 1);
                let (result, _) = server.accept(None, &client.input(&fresh));
                let answered = result.expect("the challenge belongs to the provider");
                assert_eq!(answered.status, Status::SEC_E_OK, "{name}");
                server.package.delete_security_context(Some(answered.context)).expect("live");
            }
            server.package.delete_security_context(Some(pending)).expect("live");
        }
    }
    // Nothing of all that took a count.
    let pending = server.sasl_pending(&client, &good);
    let (result, _) = server.complete(pending, &Message { token: &good, ..Message::default() });
    result.expect("the next count is still 2");
    assert_eq!(server.package.sessions().1, 3);
}

#[test]
fn what_the_caller_can_mend_spends_nothing() {
    let server = Server::default();
    let client = SaslClient::default();
    let (_, nonce) = server.sasl_establish(&client);
    let good = client.token(&nonce, 2);
    let pending = server.sasl_pending(&client, &good);
    let message = Message { token: &good, ..Message::default() };
    for (message, expected) in [
        (Message { token: b"", ..message }, Status::SEC_E_INVALID_TOKEN),
        (Message { capacity: 0, ..message }, Status::SEC_E_INVALID_TOKEN),
        (Message { capacity: PROOF - 1, ..message }, Status::SEC_E_INSUFFICIENT_MEMORY),
    ] {
        assert_eq!(status(&server.complete(pending, &message).0), expected);
        assert_eq!(server.state(pending), "complete-needed-subsequent");
    }
    assert_eq!(status(&server.package.complete_auth_token(Some(pending), None)), Status::SEC_E_INVALID_TOKEN);
    // A challenge that cannot be made.
    let altered = SaslClient { password: "wrong".to_owned(), ..client.clone() }.token(&nonce, 2);
    for knob in [&server.knobs.clock_down, &server.knobs.entropy_down] {
        for token in [&altered, &client.token(&nonce, 9)] {
            knob.store(true, Ordering::SeqCst);
            let (result, output) = server.complete(pending, &Message { token, ..message });
            assert_eq!(status(&result), Status::SEC_E_INTERNAL_ERROR);
            assert!(untouched(&output));
            knob.store(false, Ordering::SeqCst);
        }
    }
    // The accounts are not asked, and the age was judged before.
    server.expire();
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    // Method, target and H(Entity) are not SASL's.
    let (result, output) = server.complete(pending, &Message { method: b"", target: b"?", entity: b"!", ..message });
    result.expect("nothing was consumed");
    assert_eq!(output, client.proof(&nonce, 2));
}

#[test]
fn counts_hold_across_handles() {
    let server =
        Server::new(|configuration| configuration.sequence = SequencePolicy::Window(NonZeroU32::new(2).expect("2")));
    let client = SaslClient::default();
    let (_, nonce) = server.sasl_establish(&client);
    let token = |count| client.token(&nonce, count);
    let [two, three, again] = [2, 3, 3].map(|count| (count, server.sasl_pending(&client, &token(count))));
    for ((count, handle), expected) in [(three, None), (two, None), (again, Some(Status::SEC_E_OUT_OF_SEQUENCE))] {
        let (result, _) = server.complete(handle, &Message { token: &token(count), ..Message::default() });
        assert_eq!(result.err().map(|failure| failure.status), expected);
    }
}

#[test]
fn whole_exchanges_authenticate_both_sides() {
    let integrity = InitializeRequirements::INTEGRITY;
    let confidentiality = InitializeRequirements::CONFIDENTIALITY;
    for (accept, initialize) in [(AUTH, NONE), (INTEGRITY, integrity), (CONFIDENTIALITY, confidentiality)] {
        let (server, peer) = (Server::default(), Peer::default());
        let [accepted, established] = sasl_exchange(&server, &peer, accept, initialize);
        let attribute = |package: &digest_ssp::package::SecurityPackage, handle, number| {
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

fn chris_answering(peer: &Peer) -> (digest_ssp::buffer::CtxtHandle, Vec<u8>, SaslClient) {
    let offer = Offer { target: b"imap/elwood.innosoft.com", ..sasl_offer(Some(CHALLENGE), NONE) };
    let (result, token) = peer.initialize(None, &offer);
    let initialized = result.expect("a challenge that can be answered");
    assert_eq!(initialized.status, Status::SEC_I_CONTINUE_NEEDED);
    let client = chris("imap/elwood.innosoft.com", &directive(&token, "cnonce").expect("a cnonce"));
    (initialized.context, token, client)
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
    let configure = |configuration: &mut digest_ssp::package::configuration::Configuration| {
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
