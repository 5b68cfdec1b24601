//! The SASL acceptor through the package: challenges, answers, fast reauthentication.
//!
//! What goes over the wire is judged by a client that signs by hand; that one is held to the examples of RFC 2831.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;

use crate::support::sasl::*;
use crate::support::*;
use digest_ssp::digest::sasl::{Cipher, Ciphers, MaxBuf};
use digest_ssp::package::configuration::SequencePolicy;
use digest_ssp::package::failure::LogonFailure;
use digest_ssp::package::{AcceptRequirements, InitializeRequirements};
use digest_ssp::status::SecurityStatus as Status;

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
fn virtual_hosts_share_nothing() {
    let server = Server::default();
    let client = SaslClient::default();
    let elsewhere = acquire_inbound(&server.package, Some("elsewhere"));
    let (handle, nonce) = server.sasl_challenge(AUTH);
    let token = client.token(&nonce, 1);
    let foreign = Input { credential: Some(elsewhere), ..client.input(&token) };
    assert_eq!(status(&server.accept(Some(handle), &foreign).0), Status::SEC_E_WRONG_CREDENTIAL_HANDLE);
    let (result, output) = server.accept(None, &foreign);
    assert_eq!(result.expect("it names nothing there").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
    assert!(server.accept(Some(handle), &client.input(&token)).0.is_ok());
}

#[test]
fn limits_consume_nothing() {
    let server = Server::new(|configuration| {
        configuration.limits.contexts = 2;
        configuration.limits.challenges = 1;
    });
    let client = SaslClient::default();
    let (first, nonce) = server.sasl_establish(&client);
    let (second, other) = server.sasl_challenge(AUTH);
    for token in [client.token(&nonce, 2), client.token(&other, 1), Vec::new()] {
        let (result, output) = server.accept(None, &client.input(&token));
        assert_eq!(status(&result), Status::SEC_E_INSUFFICIENT_MEMORY);
        assert!(untouched(&output));
    }
    let (result, _) = server.accept(Some(second), &client.input(&client.token(&other, 1)));
    assert_eq!(result.expect("the challenge was not answered").status, Status::SEC_E_OK);
    server.package.delete_security_context(Some(second)).expect("live");
    let pending = server.sasl_pending(&client, &client.token(&nonce, 2));
    server.package.delete_security_context(Some(pending)).expect("live");
    server.package.delete_security_context(Some(first)).expect("live");
    // The older of two challenges names nothing any more.
    let (_, evicted) = server.sasl_challenge(AUTH);
    let (fresh, _) = server.sasl_challenge(AUTH);
    let (result, output) = server.accept(Some(fresh), &client.input(&client.token(&evicted, 1)));
    assert_eq!(result.expect("it names nothing").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse_sasl(&output).stale);
}

#[test]
fn a_challenge_must_have_room() {
    let server = Server::default();
    for (capacity, expected) in [(0, Status::SEC_E_INVALID_TOKEN), (60, Status::SEC_E_INSUFFICIENT_MEMORY)] {
        let (result, output) = server.accept(None, &Input { capacity, ..sasl_input(b"", AUTH) });
        assert_eq!(status(&result), expected);
        assert!(untouched(&output) || capacity == 0);
    }
    assert_eq!(server.package.sessions(), (0, 0), "no challenge was issued");
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
