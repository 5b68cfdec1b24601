//! AcceptSecurityContext and CompleteAuthToken of an acceptor, decision by decision (spec-notes section 4).

use std::sync::atomic::Ordering;

use crate::support::*;
use digest_ssp::buffer::{BufferType, SecBuffer, SecBufferDesc, SecHandle};
use digest_ssp::digest::hash::md5;
use digest_ssp::package::configuration::SequencePolicy;
use digest_ssp::package::{AcceptRequirements, SecurityPackage};
use digest_ssp::status::SecurityStatus as Status;

#[test]
fn the_package_says_what_it_is_and_knows_no_other() {
    let [told] = SecurityPackage::enumerate_security_packages();
    assert_eq!((told.name, told.version, told.rpc_id, told.max_token), ("WDigest", 1, 21, 4096));
    let asked = |name| SecurityPackage::query_security_package_info(name).map_err(|failure| failure.status);
    assert_eq!((asked("WDigest"), asked("wdigest")), (Ok(told), Ok(told)));
    for other in ["", "NTLM", "WDigest2"] {
        assert_eq!(asked(other), Err(Status::SEC_E_SECPKG_NOT_FOUND));
    }
}

#[test]
fn a_package_tells_its_settings() {
    let server = Server::new(|configuration| configuration.limits.contexts = 7);
    assert_eq!(server.package.configuration().limits.contexts, 7);
}

/// What asks for auth-int gets all that auth-int is (quality-of-protection).
#[test]
fn each_flag_of_integrity_grants_them_all() {
    let all =
        HTTP | AcceptRequirements::INTEGRITY | AcceptRequirements::REPLAY_DETECT | AcceptRequirements::SEQUENCE_DETECT;
    for (asked, granted) in [
        (HTTP, HTTP),
        (HTTP | AcceptRequirements::CONNECTION, HTTP),
        (AUTH_INT, all),
        (HTTP | AcceptRequirements::REPLAY_DETECT, all),
        (HTTP | AcceptRequirements::SEQUENCE_DETECT, all),
    ] {
        let (result, _) = Server::default().accept(None, &Input { requirements: asked, ..Input::default() });
        assert_eq!(result.expect("a challenge").attributes, granted, "{asked:?}");
    }
}

#[test]
fn the_first_call_gets_a_challenge() {
    let server = Server::default();
    let (context, challenge) = server.challenge(HTTP);
    assert_eq!(server.state(context), "challenged");
    assert_eq!(challenge.realm, REALM);
    assert!(!challenge.stale);
    let (result, output) = server.accept(Some(context), &Input::default());
    assert_eq!(result.expect("an empty token on challenged").context, context);
    assert_ne!(parse(&output).nonce, challenge.nonce);
}

#[test]
fn a_realm_comes_with_the_call() {
    let server = Server::default();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (result, output) = server.accept(None, &Input { realm: &utf16("other realm"), ..Input::default() });
    result.expect("a good realm");
    assert_eq!(parse(&output).realm, "other realm");
    let surrogate = 0xD800_u16.to_le_bytes();
    for realm in [&b"abc"[..], &surrogate, &utf16("\u{e4}"), &utf16("a\nb")] {
        let (result, output) = server.accept(None, &Input { realm, ..Input::default() });
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN, "{realm:?}");
        assert!(untouched(&output));
    }
    let (result, _) = server.accept(None, &Input { realm: &utf16(&"r".repeat(2048)), ..Input::default() });
    assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
}

#[test]
fn a_right_answer_establishes_and_is_proved() {
    for algorithm in ["MD5", "MD5-sess"] {
        let server = Server::new(|configuration| {
            configuration.algorithm =
                digest_ssp::digest::Algorithm::from_token(algorithm.as_bytes()).expect("a known algorithm");
        });
        let client = Client { algorithm: Some(algorithm), ..Client::default() };
        let (context, challenge) = server.challenge(HTTP);
        let token = client.token(&challenge, 1);
        let (result, info) = server.accept(Some(context), &client.input(&token));
        let accepted = result.expect("a right response");
        assert_eq!((accepted.status, accepted.context), (Status::SEC_E_OK, context));
        assert_eq!(server.state(context), "established");
        // RFC 2617 3.2.3: A2 = ":" digest-uri-value.
        let nonce = text(&challenge.nonce);
        let proof = client.seal(&client.key(&nonce), &nonce, "00000001", "", "");
        assert_eq!(directive(&info, "rspauth"), Some(proof), "{algorithm}");
        assert_eq!(directive(&info, "nc"), Some("00000001".to_owned()));
        assert_eq!(server.package.sessions().1, 1);
    }
}

#[test]
fn a_wrong_digest_rejects_a_handle_and_makes_none() {
    let server = Server::default();
    for client in [
        Client { password: "wrong".to_owned(), ..Client::default() },
        Client { username: "nobody".to_owned(), ..Client::default() },
    ] {
        let (context, challenge) = server.challenge(HTTP);
        let token = client.token(&challenge, 1);
        let (without, output) = server.accept(None, &client.input(&token));
        assert_eq!(status(&without), Status::SEC_E_LOGON_DENIED);
        assert!(untouched(&output));
        let (with, _) = server.accept(Some(context), &client.input(&token));
        assert_eq!(status(&with), Status::SEC_E_LOGON_DENIED);
        assert_eq!(server.state(context), "rejected");
        let (again, _) = server.accept(Some(context), &client.input(&token));
        assert_eq!(status(&again), Status::SEC_E_OUT_OF_SEQUENCE);
        // The challenge is the provider's: an honest client can answer it still.
        let honest = Client::default();
        let (result, _) = server.accept(None, &honest.input(&honest.token(&challenge, 1)));
        assert_eq!(result.expect("the challenge is answerable").status, Status::SEC_E_OK);
    }
}

#[test]
fn stale_is_said_to_who_knows_the_password_only() {
    let server = Server::default();
    let honest = Client::default();
    let thief = Client { password: "guess".to_owned(), ..Client::default() };
    let (_, challenge) = server.challenge(HTTP);
    let mut forgotten = challenge.clone();
    forgotten.nonce = b"unheard of".to_vec();
    // An unknown nonce, and one count too many on a known one.
    for (client, challenge, count, stale) in
        [(&honest, &forgotten, 7, true), (&thief, &forgotten, 7, false), (&honest, &challenge, 2, true)]
    {
        let (result, output) = server.accept(None, &client.input(&client.token(challenge, count)));
        assert_eq!(result.expect("a fresh challenge").status, Status::SEC_I_CONTINUE_NEEDED);
        assert_eq!(parse(&output).stale, stale);
    }
    server.expire();
    let (result, output) = server.accept(None, &honest.input(&honest.token(&challenge, 1)));
    assert_eq!(result.expect("a fresh challenge").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse(&output).stale);
    let (result, _) = server.accept(None, &thief.input(&thief.token(&challenge, 1)));
    assert_eq!(status(&result), Status::SEC_E_LOGON_DENIED);
}

#[test]
fn exactly_the_lifetime_is_fresh() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.challenge(HTTP);
    server.expire();
    server.knobs.now.fetch_sub(1, Ordering::SeqCst);
    let (result, _) = server.accept(None, &client.input(&client.token(&challenge, 1)));
    assert_eq!(result.expect("a right response").status, Status::SEC_E_OK);
}

#[test]
fn auth_int_waits_for_the_body() {
    let server = Server::default();
    let client = Client::auth_int();
    let (context, challenge) = server.challenge(AUTH_INT);
    let token = client.token(&challenge, 1);
    let (result, output) = server.accept(Some(context), &Input { entity: b"", ..client.input(&token) });
    assert_eq!(result.expect("the body is not read yet").status, Status::SEC_I_COMPLETE_NEEDED);
    assert!(output.is_empty());
    assert_eq!(server.state(context), "complete-needed-initial");
    // What the caller can mend consumes nothing.
    for (message, expected) in [
        (Message { entity: b"", ..client.message(&token) }, Status::SEC_E_INVALID_TOKEN),
        (Message { entity: b"xyz", ..client.message(&token) }, Status::SEC_E_INVALID_TOKEN),
        (Message { method: b"", ..client.message(&token) }, Status::SEC_E_INVALID_TOKEN),
        (Message { token: b"", ..client.message(&token) }, Status::SEC_E_INVALID_TOKEN),
    ] {
        let (result, _) = server.complete(context, &message);
        assert_eq!(status(&result), expected);
        assert_eq!(server.state(context), "complete-needed-initial");
    }
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    let (result, _) = server.complete(context, &client.message(&token));
    assert_eq!(status(&result), Status::SEC_E_INTERNAL_ERROR);
    server.knobs.accounts_down.store(false, Ordering::SeqCst);
    let (result, output) = server.complete(context, &client.message(&token));
    result.expect("a right response");
    assert!(output.is_empty(), "auth-int proves over a response body");
    assert_eq!(server.state(context), "established");
    let body = md5(&[b"response"]);
    let info = server.package.authentication_info(context, &body).expect("auth-int");
    let nonce = text(&challenge.nonce);
    let proof = client.seal(&client.key(&nonce), &nonce, "00000001", "", &hex_text(&body));
    assert_eq!(directive(&info, "rspauth"), Some(proof));
}

#[test]
fn an_altered_body_is_noticed_and_the_completion_spent() {
    let server = Server::default();
    let client = Client::auth_int();
    let (_, challenge) = server.challenge(AUTH_INT);
    let token = client.token(&challenge, 1);
    for tampered in [
        Client { entity: hex_text(&md5(&[b"other"])), ..client.clone() },
        Client { method: "PUT".to_owned(), ..client.clone() },
        Client { uri: "/other".to_owned(), ..client.clone() },
    ] {
        let (result, _) = server.accept(None, &Input { entity: b"", ..client.input(&token) });
        let context = result.expect("the body is not read yet").context;
        let (result, _) = server.complete(context, &tampered.message(&token));
        assert_eq!(status(&result), Status::SEC_E_MESSAGE_ALTERED);
        assert_eq!(server.state(context), "rejected");
        let (result, _) = server.complete(context, &client.message(&token));
        assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
    }
    let nobody = Client { username: "nobody".to_owned(), ..client.clone() };
    let token = nobody.token(&challenge, 1);
    let (result, _) = server.accept(None, &Input { entity: b"", ..nobody.input(&token) });
    let (result, _) = server.complete(result.expect("no digest is judged yet").context, &nobody.message(&token));
    assert_eq!(status(&result), Status::SEC_E_MESSAGE_ALTERED);
    assert_eq!(server.package.sessions().1, 0, "a rejected context refers to nothing");
}

#[test]
fn a_further_request_is_completed_with_the_cached_key() {
    let server = Server::default();
    let client = Client::default();
    let (first, challenge) = server.establish(&client);
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    let token = client.token(&challenge, 2);
    let context = server.pending(&client, &token);
    assert_eq!(server.state(context), "complete-needed-subsequent");
    let (result, info) = server.complete(context, &client.message(&token));
    result.expect("a right response");
    assert!(directive(&info, "rspauth").is_some());
    assert_eq!(server.state(context), "established");
    let (again, _) = server.complete(context, &client.message(&token));
    assert_eq!(status(&again), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(server.state(context), "established");
    for handle in [first, context] {
        server.package.delete_security_context(Some(handle)).expect("a live handle");
    }
    assert_eq!(server.package.sessions(), (0, 0), "the session ends with its last handle");
    server.knobs.accounts_down.store(false, Ordering::SeqCst);
    let token = client.token(&challenge, 3);
    let (result, output) = server.accept(None, &client.input(&token));
    assert_eq!(result.expect("a fresh challenge").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse(&output).stale);
}

#[test]
fn of_two_handles_that_complete_one_token_one_succeeds() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let token = client.token(&challenge, 2);
    let [one, other] = [server.pending(&client, &token), server.pending(&client, &token)];
    server.complete(one, &client.message(&token)).0.expect("the first");
    let (result, output) = server.complete(other, &client.message(&token));
    assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(server.state(other), "rejected");
    let fresh = parse(&output);
    assert!(fresh.stale);
    let token = client.token(&fresh, 1);
    let (result, _) = server.accept(None, &client.input(&token));
    assert_eq!(result.expect("the challenge is answerable").status, Status::SEC_E_OK);
}

#[test]
fn counts_overtake_each_other_within_a_window_only() {
    let window = SequencePolicy::Window(2.try_into().expect("not zero"));
    for (policy, first) in [(SequencePolicy::Strict, Some(Status::SEC_E_OUT_OF_SEQUENCE)), (window, None)] {
        let server = Server::new(|configuration| configuration.sequence = policy);
        let client = Client::default();
        let (_, challenge) = server.establish(&client);
        let [three, two] = [3, 2].map(|count| client.token(&challenge, count));
        let context = server.pending(&client, &three);
        let (result, _) = server.complete(context, &client.message(&three));
        assert_eq!(result.err().map(|failure| failure.status), first);
        let context = server.pending(&client, &two);
        server.complete(context, &client.message(&two)).0.expect("two is good under both");
    }
}

#[test]
fn what_the_peer_did_consumes_and_what_the_caller_did_does_not() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let (_, other) = server.establish(&client);
    let good = client.token(&challenge, 2);
    let edit = |from: &str, to: &str| text(&good).replace(from, to).into_bytes();
    let altered = Status::SEC_E_MESSAGE_ALTERED;
    let invalid = Status::SEC_E_INVALID_TOKEN;
    let wrong = Client { password: "wrong".to_owned(), ..client.clone() }.token(&challenge, 2);
    let for_other = client.token(&other, 2);
    let elsewhere = Message { target: b"/elsewhere", ..client.message(&good) };
    let cases: Vec<(&str, Vec<u8>, Status)> = vec![
        ("malformed", b"username=\"".to_vec(), invalid),
        ("missing", edit(",qop=auth", ""), invalid),
        ("twice", edit(",qop=auth", ",qop=auth,qop=auth"), invalid),
        ("another session", for_other, invalid),
        ("nothing", edit("opaque=\"", "opaque=\"0"), invalid),
        ("wrong key", wrong, altered),
        ("username", edit("username=\"alice\"", "username=\"bob\""), altered),
        ("realm", edit("realm=\"realm\"", "realm=\"other\""), altered),
        ("algorithm", edit("algorithm=MD5", "algorithm=MD5-sess"), altered),
        ("charset", edit("algorithm=MD5", "algorithm=MD5,charset=utf-8"), altered),
        ("nc", edit("nc=00000002", "nc=00000003"), altered),
        ("late", client.token(&challenge, 1), Status::SEC_E_OUT_OF_SEQUENCE),
        ("zero", client.token(&challenge, 0), Status::SEC_E_OUT_OF_SEQUENCE),
        ("gap", client.token(&challenge, 4), Status::SEC_E_OUT_OF_SEQUENCE),
    ];
    for (name, token, expected) in cases {
        let context = server.pending(&client, &good);
        let (result, output) = server.complete(context, &client.message(&token));
        assert_eq!(status(&result), expected, "{name}");
        assert_eq!(server.state(context), "rejected", "{name}");
        assert_eq!(untouched(&output), expected != Status::SEC_E_OUT_OF_SEQUENCE, "{name}");
    }
    let context = server.pending(&client, &good);
    assert_eq!(status(&server.complete(context, &elsewhere).0), altered);
    let context = server.pending(&client, &good);
    let mended: Vec<(&str, Message<'_>, Status)> = vec![
        ("no token", Message { token: b"", ..client.message(&good) }, invalid),
        ("no method", Message { method: b"", ..client.message(&good) }, invalid),
        ("too small", Message { capacity: 10, ..client.message(&good) }, Status::SEC_E_INSUFFICIENT_MEMORY),
    ];
    for (name, message, expected) in mended {
        let (result, output) = server.complete(context, &message);
        assert_eq!(status(&result), expected, "{name}");
        assert!(untouched(&output));
        assert_eq!(server.state(context), "complete-needed-subsequent", "{name}");
    }
    let absolute = Message { target: b"http://host/index", capacity: 0, ..client.message(&good) };
    server.complete(context, &absolute).0.expect("the absolute form is reduced, and the output may be absent");
}

#[test]
fn descriptors_consume_nothing() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let good = client.token(&challenge, 2);
    let context = server.pending(&client, &good);
    let result = server.package.complete_auth_token(Some(context), None);
    assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
    let mut none = SecBufferDesc { version: 0, count: 1, buffers: None };
    assert_eq!(
        status(&server.package.complete_auth_token(Some(context), Some(&mut none))),
        Status::SEC_E_INVALID_TOKEN
    );
    let mut method = b"GET".to_vec();
    for (version, count, beyond) in [(1, 2, 0), (0, 3, 0), (0, 2, 1), (0, 0, 0)] {
        let mut token = good.clone();
        let mut buffers =
            [SecBuffer::new(BufferType::TOKEN, &mut token), SecBuffer::new(BufferType::PKG_PARAMS, &mut method)];
        buffers[0].count += beyond;
        let mut descriptor = SecBufferDesc::new(&mut buffers);
        (descriptor.version, descriptor.count) = (version, count);
        let result = server.package.complete_auth_token(Some(context), Some(&mut descriptor));
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN, "{version} {count} {beyond}");
    }
    let mut null = [SecBuffer { buffer_type: BufferType::TOKEN, count: 1, data: None }];
    let result = server.package.complete_auth_token(Some(context), Some(&mut SecBufferDesc::new(&mut null)));
    assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN);
    server.complete(context, &client.message(&good)).0.expect("nothing was consumed");
}

#[test]
fn an_expired_nonce_is_completed_and_continued() {
    for client in [Client::default(), Client::auth_int()] {
        let server = Server::default();
        let (_, challenge) = server.establish(&client);
        server.expire();
        let token = client.token(&challenge, 2);
        let (result, output) = server.accept(None, &client.input(&token));
        let accepted = result.expect("a token that names a session");
        assert_eq!(accepted.status, Status::SEC_I_COMPLETE_AND_CONTINUE);
        let context = accepted.context;
        assert_eq!(server.state(context), "complete-and-continue-subsequent");
        let before = parse(&output);
        assert!(!before.stale);
        for (capacity, expected) in [(0, Status::SEC_E_INVALID_TOKEN), (9, Status::SEC_E_INSUFFICIENT_MEMORY)] {
            let (result, _) = server.complete(context, &Message { capacity, ..client.message(&token) });
            assert_eq!(status(&result), expected);
        }
        let (result, output) = server.complete(context, &client.message(&token));
        result.expect("a right response");
        let after = parse(&output);
        assert!(after.stale);
        assert_eq!((after.nonce, &after.opaque), (before.nonce.clone(), &before.opaque));
        assert_eq!(server.state(context), "challenged", "nobody authenticated");
        // The count was checked and not taken.
        let (result, output) = server.accept(None, &client.input(&token));
        let context = result.expect("a token that names a session").context;
        server.complete(context, &client.message(&token)).0.expect("the same count again");
        let late = client.token(&challenge, 1);
        let (result, next) = server.accept(None, &client.input(&late));
        let context = result.expect("a token that names a session").context;
        let (result, output_late) = server.complete(context, &client.message(&late));
        assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
        assert_eq!(parse(&output_late).nonce, parse(&next).nonce, "the challenge that was made already");
        assert!(parse(&output_late).stale && !output.is_empty());
        assert_eq!(server.state(context), "rejected");
    }
}

#[test]
fn an_expired_challenge_whose_body_is_not_read_is_completed_and_continued() {
    let server = Server::default();
    let client = Client::auth_int();
    let (_, challenge) = server.challenge(AUTH_INT);
    server.expire();
    let token = client.token(&challenge, 1);
    let (result, output) = server.accept(None, &Input { entity: b"", ..client.input(&token) });
    let accepted = result.expect("a token that names a challenge");
    assert_eq!(accepted.status, Status::SEC_I_COMPLETE_AND_CONTINUE);
    assert_eq!(server.state(accepted.context), "complete-and-continue-initial");
    let (result, stale) = server.complete(accepted.context, &client.message(&token));
    result.expect("a right response");
    assert_eq!(parse(&stale).nonce, parse(&output).nonce);
    assert_eq!(server.state(accepted.context), "challenged");
    let token = client.token(&parse(&stale), 1);
    let (result, _) = server.accept(Some(accepted.context), &client.input(&token));
    assert_eq!(result.expect("the fresh nonce").status, Status::SEC_E_OK);
}

#[test]
fn states_come_before_everything_but_handles_and_credentials() {
    let server = Server::default();
    let client = Client::default();
    let (context, challenge) = server.establish(&client);
    let (result, _) = server.accept(Some(context), &Input::default());
    assert_eq!(status(&result), Status::STATUS_LOGON_FAILURE);
    let elsewhere = acquire_inbound(&server.package, Some("elsewhere"));
    let (result, _) = server.accept(Some(context), &Input { credential: Some(elsewhere), ..Input::default() });
    assert_eq!(status(&result), Status::SEC_E_WRONG_CREDENTIAL_HANDLE);
    let token = client.token(&challenge, 2);
    let waiting = server.pending(&client, &token);
    let (result, _) = server.accept(Some(waiting), &client.input(&token));
    assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(status(&server.package.make_signature(Some(waiting), None)), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(status(&server.package.verify_signature(Some(waiting), None)), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(status(&server.package.make_signature(Some(context), None)), Status::SEC_E_UNSUPPORTED_FUNCTION);
    let query = server.package.query_context_attributes(Some(waiting), 9999);
    assert_eq!(status(&query), Status::SEC_E_INVALID_HANDLE);
    server.complete(waiting, &client.message(&token)).0.expect("what is pending stays");
    assert_eq!(status(&server.package.query_context_attributes(Some(context), 4)), Status::SEC_E_UNSUPPORTED_FUNCTION);
    for attribute in [0, 1, 2, 5, 10, 14] {
        server.package.query_context_attributes(Some(context), attribute).expect("a supported attribute");
    }
}

#[test]
fn handles_that_name_nothing() {
    let server = Server::default();
    let (context, _) = server.challenge(HTTP);
    let foreign = Server::default().challenge(HTTP).0;
    let forged = SecHandle { lower: context.lower + 1, ..context };
    let package = &server.package;
    let never = [None, Some(SecHandle::default()), Some(foreign), Some(forged), Some(server.credential)];
    let invalid = Status::SEC_E_INVALID_HANDLE;
    for handle in never {
        assert_eq!(status(&package.complete_auth_token(handle, None)), invalid, "{handle:?}");
        assert_eq!(status(&package.delete_security_context(handle)), invalid, "{handle:?}");
        assert_eq!(status(&package.make_signature(handle, None)), invalid);
        assert_eq!(status(&package.verify_signature(handle, None)), invalid);
        assert_eq!(status(&package.query_context_attributes(handle, 0)), invalid);
        if handle.is_some() {
            assert_eq!(status(&server.accept(handle, &Input::default()).0), invalid);
        }
    }
    package.delete_security_context(Some(context)).expect("live");
    package.delete_security_context(Some(context)).expect("deleted before");
    assert_eq!(status(&package.complete_auth_token(Some(context), None)), invalid);
    for handle in [Some(context), Some(SecHandle::default()), None] {
        assert_eq!(status(&package.free_credentials_handle(handle)), invalid);
    }
    package.free_credentials_handle(Some(server.credential)).expect("live");
    assert_eq!(status(&package.free_credentials_handle(Some(server.credential))), invalid);
    assert_eq!(status(&server.accept(None, &Input::default()).0), Status::SEC_E_NO_CREDENTIALS);
}

#[test]
fn virtual_hosts_share_nothing() {
    let server = Server::default();
    let client = Client::default();
    let elsewhere = acquire_inbound(&server.package, Some("elsewhere"));
    let again = acquire_inbound(&server.package, None);
    let (_, challenge) = server.challenge(HTTP);
    let token = client.token(&challenge, 1);
    let (result, output) = server.accept(None, &Input { credential: Some(elsewhere), ..client.input(&token) });
    assert_eq!(result.expect("it names nothing there").status, Status::SEC_I_CONTINUE_NEEDED);
    assert!(parse(&output).stale);
    let (result, _) = server.accept(None, &Input { credential: Some(again), ..client.input(&token) });
    assert_eq!(result.expect("the same principal").status, Status::SEC_E_OK);
}

#[test]
fn tokens_that_depart_from_the_challenge() {
    let server = Server::default();
    let client = Client::default();
    let (_, one) = server.challenge(HTTP);
    let (_, two) = server.challenge(HTTP);
    let good = client.token(&one, 1);
    let mut mixed = one.clone();
    mixed.opaque = two.opaque;
    for (name, token) in [
        ("mixed", client.token(&mixed, 1)),
        ("qop", Client::auth_int().token(&one, 1)),
        ("realm", Client { realm: "other".to_owned(), ..client.clone() }.token(&one, 1)),
        ("algorithm", Client { algorithm: Some("MD5-sess"), ..client.clone() }.token(&one, 1)),
        ("malformed", b"=".to_vec()),
    ] {
        let (result, output) = server.accept(None, &client.input(&token));
        assert_eq!(status(&result), Status::SEC_E_INVALID_TOKEN, "{name}");
        assert!(untouched(&output), "{name}");
    }
    let confidential = HTTP | AcceptRequirements::CONFIDENTIALITY;
    for requirements in [AUTH_INT, confidential] {
        let (result, _) = server.accept(None, &Input { requirements, ..client.input(&good) });
        assert_eq!(status(&result), Status::SEC_E_SECURITY_QOS_FAILED);
    }
    let (live, _) = server.challenge(HTTP);
    let sasl = Input { requirements: AcceptRequirements::empty(), ..Input::default() };
    assert_eq!(status(&server.accept(Some(live), &sasl).0), Status::SEC_E_SECURITY_QOS_FAILED, "HTTP it stays");
    assert_eq!(server.state(live), "challenged");
    let no_method = Input { method: b"", ..client.input(&good) };
    assert_eq!(status(&server.accept(None, &no_method).0), Status::SEC_E_INVALID_TOKEN);
    let small = Input { capacity: 8, ..client.input(&good) };
    assert_eq!(status(&server.accept(None, &small).0), Status::SEC_E_INSUFFICIENT_MEMORY);
    let (result, _) = server.accept(None, &Input { capacity: 0, ..client.input(&good) });
    assert_eq!(result.expect("nothing was consumed").status, Status::SEC_E_OK);
    let no_algorithm = Client { algorithm: None, ..client };
    let (_, three) = server.challenge(HTTP);
    let (result, _) = server.accept(None, &no_algorithm.input(&no_algorithm.token(&three, 1)));
    assert_eq!(result.expect("no algorithm means MD5").status, Status::SEC_E_OK);
}

#[test]
fn a_fault_of_the_environment_consumes_nothing() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let used = client.token(&challenge, 1);
    let context = server.pending(&client, &used);
    for knob in [&server.knobs.clock_down, &server.knobs.entropy_down] {
        knob.store(true, Ordering::SeqCst);
        let (result, output) = server.accept(None, &Input::default());
        assert_eq!(status(&result), Status::SEC_E_INTERNAL_ERROR);
        assert!(untouched(&output));
        let (result, output) = server.complete(context, &client.message(&used));
        assert_eq!(status(&result), Status::SEC_E_INTERNAL_ERROR);
        assert!(untouched(&output));
        assert_eq!(server.state(context), "complete-needed-subsequent");
        knob.store(false, Ordering::SeqCst);
    }
    server.knobs.accounts_down.store(true, Ordering::SeqCst);
    let (_, fresh) = server.challenge(HTTP);
    let (result, _) = server.accept(None, &client.input(&client.token(&fresh, 1)));
    assert_eq!(status(&result), Status::SEC_E_NO_AUTHENTICATING_AUTHORITY);
    let (result, _) = server.complete(context, &Message { capacity: 0, ..client.message(&used) });
    assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
}

#[test]
fn md5_sess_keeps_the_key_of_the_first_response() {
    let server = Server::new(|configuration| configuration.algorithm = digest_ssp::digest::Algorithm::Md5Sess);
    let client = Client { algorithm: Some("MD5-sess"), ..Client::default() };
    let (_, challenge) = server.establish(&client);
    let key = client.key(&text(&challenge.nonce));
    let next = Client { cnonce: "another".to_owned(), ..client };
    let rebuilt = next.token(&challenge, 2);
    let context = server.pending(&next, &rebuilt);
    assert_eq!(status(&server.complete(context, &next.message(&rebuilt)).0), Status::SEC_E_MESSAGE_ALTERED);
    let kept = next.token_with_key(&key, &challenge, 2);
    let context = server.pending(&next, &kept);
    server.complete(context, &next.message(&kept)).0.expect("the cached key with the new cnonce");
}

#[test]
fn users_outside_ascii_are_known_in_both_encodings() {
    let server = Server::default();
    // RFC 7616: UTF-8 throughout, announced on the wire.
    let client = Client {
        username: "j\u{fc}rgen".to_owned(),
        password: "p\u{e4}ss\u{ff}".to_owned(),
        more: ",charset=utf-8".to_owned(),
        ..Client::default()
    };
    server.establish(&client);
    let thief = Client { password: "guess".to_owned(), ..client };
    let (_, challenge) = server.challenge(HTTP);
    let (result, _) = server.accept(None, &thief.input(&thief.token(&challenge, 1)));
    assert_eq!(status(&result), Status::SEC_E_LOGON_DENIED);
}

#[test]
fn verify_signature_finds_and_completes_in_one_call() {
    let server = Server::default();
    let client = Client::default();
    let (context, challenge) = server.establish(&client);
    let verify = |token: &[u8], method: &[u8]| {
        let mut parts = [token.to_vec(), method.to_vec(), b"/index".to_vec()];
        let [token, method, target] = &mut parts;
        let mut buffers = [
            SecBuffer::new(BufferType::TOKEN, token),
            SecBuffer::new(BufferType::PKG_PARAMS, method),
            SecBuffer::new(BufferType::PKG_PARAMS, target),
        ];
        let result = server.package.verify_signature(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        result.map_err(|failure| failure.status)
    };
    let two = client.token(&challenge, 2);
    assert_eq!(verify(&two, b""), Err(Status::SEC_E_INVALID_TOKEN));
    assert_eq!(verify(b"", b"GET"), Err(Status::SEC_E_INVALID_TOKEN));
    assert_eq!(verify(&two, b"PUT"), Err(Status::SEC_E_MESSAGE_ALTERED));
    assert_eq!(verify(&two, b"GET"), Ok(()));
    assert_eq!(verify(&two, b"GET"), Err(Status::SEC_E_OUT_OF_SEQUENCE));
    server.knobs.clock_down.store(true, Ordering::SeqCst);
    let three = client.token(&challenge, 3);
    assert_eq!(verify(&three, b"GET"), Err(Status::SEC_E_INTERNAL_ERROR));
    server.knobs.clock_down.store(false, Ordering::SeqCst);
    assert_eq!(verify(&three, b"GET"), Ok(()));
    server.expire();
    assert_eq!(verify(&client.token(&challenge, 4), b"GET"), Err(Status::SEC_E_OUT_OF_SEQUENCE));
    assert_eq!(server.state(context), "established");
}
