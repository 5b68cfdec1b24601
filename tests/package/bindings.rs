//! Extended protection through the package: what a response says about its channel, on every call and in both roles.

use crate::support::*;
use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::Challenge;
use digest_ssp::digest::hash::md5;
use digest_ssp::package::failure::{BadBindings, Reason};
use digest_ssp::package::{AcceptRequirements, ContextAttribute, Failure};
use digest_ssp::status::SecurityStatus as Status;

const REQUIRED: AcceptRequirements = HTTP.union(AcceptRequirements::PROXY_BINDINGS);
const SERVICE: &str = "HTTP/host";
const NO_CHANNEL: &str = "00000000000000000000000000000000";

/// A SEC_CHANNEL_BINDINGS structure with application data only.
fn structure(application_data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(application_data.len()).expect("short data");
    let integers = [0, 0, 0, 0, 0, 0, length, 32];
    let mut buffer: Vec<u8> = integers.into_iter().flat_map(u32::to_le_bytes).collect();
    buffer.extend_from_slice(application_data);
    buffer
}

/// draft-santesson-digestbind-01: types, lengths and data, integers little-endian.
fn channel_hash(application_data: &[u8]) -> String {
    let length = u32::try_from(application_data.len()).expect("short data").to_le_bytes();
    hex_text(&md5(&[&[0; 16], &length, application_data]))
}

/// A client of a service on a channel.
fn bound(service: &str, channel_binding: &str) -> Client {
    let hash = hex_text(&md5(&[format!("{service}:{channel_binding}").as_bytes()]));
    Client {
        cnonce: format!("+Upgraded+v1{hash}0a4f113b"),
        more: format!(
            ",hashed-dirs=\"service-name,channel-binding\",service-name=\"{service}\",\
             channel-binding=\"{channel_binding}\""
        ),
        ..Client::default()
    }
}

fn bad(result: Result<impl std::fmt::Debug, Failure>) -> BadBindings {
    match result.expect_err("bad bindings") {
        Failure { status: Status::SEC_E_BAD_BINDINGS, reason: Reason::Bindings(why) } => why,
        other => panic!("{other:?}"),
    }
}

/// A challenge whose call cares about channels.
fn invitation(server: &Server) -> Challenge {
    server.challenge(REQUIRED).1
}

#[test]
fn a_nonce_invites_where_the_call_cares() {
    let server = Server::default();
    let ours = structure(b"channel");
    for (requirements, bindings, upgraded) in
        [(HTTP, &b""[..], false), (HTTP, &ours, true), (REQUIRED, b"", true), (REQUIRED, &ours, true)]
    {
        let (result, output) = server.accept(None, &Input { requirements, bindings, ..Input::default() });
        assert_eq!(result.expect("an empty token gets a challenge").status, Status::SEC_I_CONTINUE_NEEDED);
        assert_eq!(parse(&output).nonce.starts_with(b"+Upgraded+v1"), upgraded);
    }
}

#[test]
fn a_response_is_judged_by_policy_and_channel() {
    let ours = structure(b"channel");
    let (here, elsewhere) = (channel_hash(b"channel"), channel_hash(b"another"));
    let upper = here.to_uppercase();
    let none = Client::default;
    let edited = |from: &str, to: &str| {
        let client = bound(SERVICE, &here);
        Client { more: client.more.replace(from, to), ..client }
    };
    let uncovered = Client { cnonce: "0a4f113b".to_owned(), ..bound(SERVICE, &here) };
    let bare = Client { cnonce: bound(SERVICE, &here).cnonce.replace("0a4f113b", ""), ..bound(SERVICE, &here) };
    let prefix_only = Client { cnonce: "+Upgraded+v1abc".to_owned(), ..none() };
    let reordered = edited("service-name,channel-binding\"", "Channel-Binding, x ,SERVICE-NAME\"");
    let (missing, inconsistent, different) = (BadBindings::Missing, BadBindings::Inconsistent, BadBindings::Different);
    for (name, client, requirements, bindings, expected) in [
        ("missing, allowed", none(), HTTP, &b""[..], None),
        ("missing, allowed, channel known", none(), HTTP, &ours, None),
        ("missing, required", none(), REQUIRED, b"", Some(missing)),
        ("missing, required, channel known", none(), REQUIRED, &ours, Some(missing)),
        ("bound", bound(SERVICE, &here), HTTP, &ours, None),
        ("bound, required", bound(SERVICE, &here), REQUIRED, &ours, None),
        ("upper case", bound(SERVICE, &upper), REQUIRED, &ours, None),
        ("list", reordered, REQUIRED, &ours, None),
        ("no service", bound("", &here), REQUIRED, &ours, None),
        ("proxied", bound(SERVICE, &elsewhere), REQUIRED, b"", None),
        ("no channel, proxied", bound(SERVICE, NO_CHANNEL), REQUIRED, b"", None),
        ("elsewhere", bound(SERVICE, &elsewhere), HTTP, &ours, Some(different)),
        ("no channel", bound(SERVICE, NO_CHANNEL), HTTP, &ours, Some(different)),
        ("uncovered", uncovered, HTTP, b"", Some(inconsistent)),
        ("no entropy", bare, HTTP, b"", Some(inconsistent)),
        ("prefix", prefix_only, HTTP, b"", Some(inconsistent)),
        ("list", edited("service-name,", ""), HTTP, b"", Some(inconsistent)),
        ("no list", edited(",hashed-dirs=", ",x="), HTTP, b"", Some(inconsistent)),
        ("no service", edited(",service-name=", ",x="), HTTP, b"", Some(inconsistent)),
        ("other service", edited("HTTP/host", "HTTP/other"), HTTP, b"", Some(inconsistent)),
        ("no channel", edited(",channel-binding=", ",x="), HTTP, b"", Some(inconsistent)),
        ("digits", bound(SERVICE, "x"), HTTP, b"", Some(inconsistent)),
    ] {
        let server = Server::default();
        let (handle, challenge) = server.challenge(HTTP);
        let token = client.token(&challenge, 1);
        let input = Input { requirements, bindings, ..client.input(&token) };
        for context in [None, Some(handle)] {
            let (result, output) = server.accept(context, &input);
            match expected {
                None if context.is_none() => {
                    assert_eq!(result.expect(name).status, Status::SEC_E_OK, "{name}");
                    break;
                }
                None => panic!("{name}: the first call answered"),
                Some(why) => {
                    assert_eq!(bad(result), why, "{name}");
                    assert!(untouched(&output), "{name}");
                    assert_eq!(server.state(handle), "challenged", "{name}");
                }
            }
        }
    }
}

/// Bindings come before what a token names, and nothing is counted or consumed.
#[test]
fn bindings_come_before_the_digest() {
    let server = Server::new(|configuration| configuration.limits.failures = 1);
    let challenge = invitation(&server);
    let wrong = Client { password: "wrong".to_owned(), ..Client::default() };
    let token = wrong.token(&challenge, 1);
    let (result, _) = server.accept(None, &Input { requirements: REQUIRED, ..wrong.input(&token) });
    assert_eq!(bad(result), BadBindings::Missing);
    let client = bound(SERVICE, NO_CHANNEL);
    let token = client.token(&challenge, 1);
    let (result, _) = server.accept(None, &Input { requirements: REQUIRED, ..client.input(&token) });
    assert_eq!(result.expect("no failure was counted").status, Status::SEC_E_OK);
}

#[test]
fn completions_remember_the_policy() {
    let ours = structure(b"channel");
    let client = bound(SERVICE, &channel_hash(b"channel"));
    let server = Server::default();
    let challenge = invitation(&server);
    let token = client.token(&challenge, 1);
    let input = Input { requirements: REQUIRED, bindings: &ours, ..client.input(&token) };
    assert!(server.accept(None, &input).0.is_ok());
    let pending = |requirements| -> CtxtHandle {
        let token = client.token(&challenge, 2);
        let (result, _) = server.accept(None, &Input { requirements, ..client.input(&token) });
        result.expect("a further request").context
    };
    let further = |client: &Client| client.token_with_key(&client.key(&text(&challenge.nonce)), &challenge, 2);
    let plain = further(&Client::default());
    let complete = |handle, token: &[u8], bindings: &[u8]| -> Result<(), Failure> {
        server.complete(handle, &Message { bindings, ..client.message(token) }).0
    };
    let required = pending(REQUIRED);
    assert_eq!(bad(complete(required, &plain, b"")), BadBindings::Missing);
    let good = further(&client);
    let another = structure(b"another");
    assert_eq!(bad(complete(required, &good, &another)), BadBindings::Different);
    assert_eq!(server.state(required), "complete-needed-subsequent", "nothing was consumed");
    // Where it may be missing, the session's directives still must be as before.
    let allowed = pending(HTTP);
    assert_eq!(status(&complete(allowed, &plain, b"")), Status::SEC_E_MESSAGE_ALTERED);
    let (service, channel) = (SERVICE, channel_hash(b"channel"));
    for other in [bound("HTTP/other", &channel), bound(service, &channel_hash(b"another"))] {
        let allowed = pending(HTTP);
        assert_eq!(status(&complete(allowed, &further(&other), b"")), Status::SEC_E_MESSAGE_ALTERED);
    }
    complete(required, &good, &ours).expect("the right channel");

    // VerifySignature goes on under the same policy.
    let verify = |token: &[u8], bindings: &[u8]| -> Result<(), Failure> {
        let mut parts = [token, b"GET", b"/index", b"", bindings].map(<[u8]>::to_vec);
        let kinds = [BufferType::TOKEN, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS];
        let kinds = kinds.into_iter().chain([BufferType::CHANNEL_BINDINGS]);
        let mut buffers: Vec<SecBuffer<'_>> =
            kinds.zip(&mut parts).map(|(kind, part)| SecBuffer::new(kind, part)).collect();
        server.package.verify_signature(Some(required), Some(&mut SecBufferDesc::new(&mut buffers)))
    };
    assert_eq!(bad(verify(&plain, b"")), BadBindings::Missing);
    let next = client.token(&challenge, 3);
    assert_eq!(bad(verify(&next, &another)), BadBindings::Different);
    verify(&next, b"").expect("proxied");
    verify(&client.token(&challenge, 4), &ours).expect("the right channel");
}

/// The challenge that lets an honest client go on invites as its call does.
#[test]
fn a_fresh_challenge_of_a_completion_invites_too() {
    let ours = structure(b"channel");
    let client = Client::default();
    for (bindings, upgraded) in [(&b""[..], false), (&ours, true)] {
        let server = Server::default();
        let (_, challenge) = server.establish(&client);
        let token = client.token(&challenge, 2);
        let (result, _) = server.accept(None, &client.input(&token));
        let handle = result.expect("a further request").context;
        let late = client.token(&challenge, 9);
        let (result, output) = server.complete(handle, &Message { bindings, ..client.message(&late) });
        assert_eq!(status(&result), Status::SEC_E_OUT_OF_SEQUENCE);
        assert_eq!(parse(&output).nonce.starts_with(b"+Upgraded+v1"), upgraded);
    }
}

#[test]
fn malformed_bindings_are_the_callers() {
    let server = Server::default();
    let client = Client::default();
    let (_, challenge) = server.establish(&client);
    let token = client.token(&challenge, 2);
    let (result, _) = server.accept(None, &client.input(&token));
    let pending = result.expect("a further request").context;
    let mut outside = structure(b"channel");
    outside.pop();
    let mut far = structure(b"");
    far[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    let peer = Peer::default();
    let (initial, _) = peer.initialize(None, &Offer::default());
    let initial = initial.expect("a first call").context;
    for bindings in [&[0; 31][..], &outside, &far] {
        let invalid = Status::SEC_E_INVALID_TOKEN;
        assert_eq!(status(&server.accept(None, &Input { bindings, ..Input::default() }).0), invalid);
        let (result, _) = server.complete(pending, &Message { bindings, ..client.message(&token) });
        assert_eq!(status(&result), invalid);
        assert_eq!(server.state(pending), "complete-needed-subsequent");
        assert_eq!(status(&peer.initialize(Some(initial), &Offer { bindings, ..Offer::default() }).0), invalid);
    }
    for target_host in [&b"HTTP/h\xF6st"[..], b"HTTP/host\r\n", b"\xFF"] {
        let offer = Offer { target_host, ..Offer::default() };
        assert_eq!(status(&peer.initialize(Some(initial), &offer).0), Status::SEC_E_INVALID_TOKEN);
    }
    assert_eq!(peer.state(initial), "initial");
    server.complete(pending, &client.message(&token)).0.expect("nothing was consumed");
}

#[test]
fn a_client_tells_its_channel_where_it_is_invited() {
    let peer = Peer::default();
    let ours = structure(b"channel");
    let here = channel_hash(b"channel");
    let utf_16: Vec<u8> = SERVICE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let invited = b"realm=\"realm\",nonce=\"+Upgraded+v1abc\",qop=\"auth\",algorithm=MD5,charset=utf-8";
    let other_version = b"realm=\"realm\",nonce=\"+Upgraded+v2abc\",qop=\"auth\"";
    let other_case = b"realm=\"realm\",nonce=\"+upgraded+v1abc\",qop=\"auth\"";
    let old = b"realm=\"realm\",nonce=\"+Upgraded+v1abc\"";
    for (challenge, target_host, bindings, expected) in [
        (&invited[..], SERVICE.as_bytes(), &ours[..], Some((SERVICE, &here[..]))),
        (invited, &utf_16, b"", Some((SERVICE, NO_CHANNEL))),
        (invited, b"", &ours, Some(("", &here))),
        (other_version, SERVICE.as_bytes(), b"", Some((SERVICE, NO_CHANNEL))),
        (invited, b"", b"", None),
        (other_case, SERVICE.as_bytes(), &ours, None),
        (old, SERVICE.as_bytes(), &ours, None),
        (b"realm=\"realm\",nonce=\"abc\",qop=\"auth\"", SERVICE.as_bytes(), &ours, None),
    ] {
        let offer = Offer { token: Some(challenge), target_host, bindings, ..Offer::default() };
        let (result, token) = peer.initialize(None, &offer);
        let context = result.expect("a challenge that can be answered").context;
        let value = |token: &[u8], name| directive(token, name);
        assert_eq!(value(&token, "service-name").as_deref(), expected.map(|(service, _)| service));
        assert_eq!(value(&token, "channel-binding").as_deref(), expected.map(|(_, channel)| channel));
        let list = expected.map(|_| "service-name,channel-binding");
        assert_eq!(value(&token, "hashed-dirs").as_deref(), list);
        let Some((service, channel)) = expected else { continue };
        let cnonce = value(&token, "cnonce").expect("a cnonce");
        let hash = hex_text(&md5(&[format!("{service}:{channel}").as_bytes()]));
        let entropy = cnonce.strip_prefix(&format!("+Upgraded+v1{hash}")).expect("the cnonce covers the directives");
        assert_eq!(entropy.len(), 32);
        // Every further request tells the same.
        let (result, header) = peer.sign(context, &Message::default());
        result.expect("the next request");
        for name in ["cnonce", "hashed-dirs", "service-name", "channel-binding"] {
            assert_eq!(value(&header, name), value(&token, name), "{name}");
        }
        if challenge == invited {
            let start = "charset=utf-8,hashed-dirs=\"service-name,channel-binding\",service-name=";
            assert!(text(&token).contains(start), "{}", text(&token));
        }
    }
}

#[test]
fn both_sides_agree_on_the_channel() {
    let ours = structure(b"tls-server-end-point:");
    let (server, peer) = (Server::default(), Peer::default());
    let invite = Input { requirements: REQUIRED, bindings: &ours, ..Input::default() };
    let (result, challenge) = server.accept(None, &invite);
    let challenged = result.expect("an empty token gets a challenge").context;
    let offer = Offer { token: Some(&challenge), target_host: SERVICE.as_bytes(), bindings: &ours, ..Offer::default() };
    let (result, response) = peer.initialize(None, &offer);
    let client = result.expect("a challenge that can be answered").context;
    let elsewhere = structure(b"tls-server-end-point:another");
    let answer = Input { token: &response, ..invite };
    let (result, _) = server.accept(Some(challenged), &Input { bindings: &elsewhere, ..answer });
    assert_eq!(bad(result), BadBindings::Different);
    let (result, _) = server.accept(Some(challenged), &answer);
    let established = result.expect("the right channel").context;
    let target = server.package.query_context_attributes(Some(established), 27);
    assert_eq!(target.expect("a service"), ContextAttribute::ClientSpecifiedTarget(SERVICE.to_owned()));
    // A further request through MakeSignature.
    let (result, header) = peer.sign(client, &Message::default());
    result.expect("the next request");
    let (result, _) = server.accept(None, &Input { token: &header, ..invite });
    let pending = result.expect("a further request").context;
    let message = Message { token: &header, bindings: &ours, ..Message::default() };
    server.complete(pending, &message).0.expect("the right channel");
    // Who told nothing has no target, nor has an initiator.
    let (plain, _) = server.establish(&Client::default());
    let unsupported = Status::SEC_E_UNSUPPORTED_FUNCTION;
    assert_eq!(status(&server.package.query_context_attributes(Some(plain), 27)), unsupported);
    assert_eq!(status(&peer.package.query_context_attributes(Some(client), 27)), unsupported);
}

/// An auth-int response whose body is not read yet keeps the policy of its call, too.
#[test]
fn an_initial_completion_remembers_the_policy() {
    let server = Server::default();
    let requirements = AUTH_INT | AcceptRequirements::PROXY_BINDINGS;
    let (_, challenge) = server.challenge(requirements);
    let client = Client { qop: "auth-int", ..bound(SERVICE, NO_CHANNEL) };
    let token = client.token(&challenge, 1);
    let (result, _) = server.accept(None, &Input { entity: b"", requirements, ..client.input(&token) });
    let pending = result.expect("the body is not read yet");
    assert_eq!(pending.status, Status::SEC_I_COMPLETE_NEEDED);
    let plain = Client::auth_int().token(&challenge, 1);
    let (result, _) = server.complete(pending.context, &client.message(&plain));
    assert_eq!(bad(result), BadBindings::Missing);
    assert_eq!(server.state(pending.context), "complete-needed-initial");
    server.complete(pending.context, &client.message(&token)).0.expect("it tells its service");
}
