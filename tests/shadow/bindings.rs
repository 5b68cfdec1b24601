//! Extended protection on HTTP (draft-santesson-digestbind-01): channels presented, required, compared, carried.

use super::support::{
    Bench, HTTP, ISC_INTEGRITY, Issued, OutcomeExt, ROOM, Request, SLOT_4, accept, accept_with, buffer, complete, room,
    with_input,
};
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::Qop;
use digest_ssp::digest::bindings::ChannelBindings;
use digest_ssp::digest::hash::{hex, md5};
use digest_ssp::spec::call::{Attribute, AuthIdentity, Call, Descriptor, Outcome};
use digest_ssp::status::SecurityStatus as Status;

/// ASC_REQ_PROXY_BINDINGS.
const PROXY_BINDINGS: u32 = 0x0400_0000;
const ZEROS: &[u8; 32] = &[b'0'; 32];

/// The channel of a TLS connection as .NET hands it over: application data alone.
fn channel() -> Vec<u8> {
    ChannelBindings { application_data: b"tls-server-end-point:0123", ..ChannelBindings::default() }.to_buffer()
}

/// MD5 over types, lengths and data as the draft serialises them.
fn channel_hash() -> [u8; 32] {
    let zeros = [0_u8; 16];
    let length = 25_u32.to_le_bytes();
    hex(&md5(&[&zeros, &length, b"tls-server-end-point:0123"]))
}

/// A request that presents a service and a channel; its token with the directives.
pub(crate) fn bound(request: &Request, service: &[u8], channel: &[u8; 32]) -> (Request, Vec<u8>) {
    let covered = hex(&md5(&[service, b":", channel]));
    let cnonce = [b"+Upgraded+v1", &covered[..], b"00112233445566778899aabbccddeeff"].concat();
    let request = Request { cnonce, ..request.clone() };
    let directives = [
        &request.token()[..],
        b",hashed-dirs=\"service-name,channel-binding\",service-name=\"",
        service,
        b"\",channel-binding=\"",
        channel,
        b"\"",
    ];
    let token = directives.concat();
    (request, token)
}

fn with_channel(call: Call, channel: &[u8]) -> Call {
    let channel = channel.to_vec();
    with_input(call, move |input| {
        let buffers = input.buffers.as_mut().expect("there are buffers");
        buffers.push(buffer(BufferType::CHANNEL_BINDINGS.read_only(), &channel));
        input.count += 1;
    })
}

fn upgraded(bench: &mut Bench) -> Issued {
    let issued = bench.issue(Qop::Auth);
    Issued { nonce: [b"+Upgraded+v1", &issued.nonce[..]].concat(), ..issued }
}

/// A challenge under a policy: the nonce announces extended protection.
fn challenged(bench: &mut Bench, flags: u32, known: Option<&[u8]>) -> (SecHandle, Issued) {
    let call = accept_with(bench.credential, None, HTTP | flags, b"", b"GET", b"");
    let call = known.map_or(call.clone(), |known| with_channel(call, known));
    let context = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    let plain = bench.issue(Qop::Auth);
    bench.fail("asc-challenge", &call, &outcome.clone().writing(0, &plain.token(false)));
    let issued = upgraded(bench);
    bench.pass("asc-challenge", &call, &outcome.writing(0, &issued.token(false)));
    (context, issued)
}

#[test]
fn a_nonce_announces_what_the_call_knows_or_requires() {
    let mut bench = Bench::new();
    challenged(&mut bench, PROXY_BINDINGS, None);
    challenged(&mut bench, 0, Some(&channel()));
    // Nothing is known: the nonce may not announce it.
    let call = accept(bench.credential, None, b"");
    let (context, issued) = (bench.new_handle(), upgraded(&mut bench));
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
    bench.fail("asc-challenge", &call, &outcome.writing(0, &issued.token(false)));
}

#[test]
fn a_channel_is_compared_and_nothing_is_consumed() {
    let mut bench = Bench::new();
    let (context, issued) = challenged(&mut bench, 0, Some(&channel()));
    let request = Request::answering(&issued);
    let row = "asc-bad-bindings-challenged";
    for wrong in [ZEROS, &hex(&[7; 16])] {
        let (request, token) = bound(&request, b"HTTP/host", wrong);
        let call = with_channel(accept(bench.credential, Some(context), &token), &channel());
        let success = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        bench.fail(row, &call, &success.writing(0, &request.authentication_info()));
        bench.pass_status(row, &call, Status::SEC_E_BAD_BINDINGS);
        // Without a buffer nobody compares: the channel ended elsewhere.
        assert_eq!(
            bench.shadow.expect(&accept(bench.credential, Some(context), &token)).row.map(|row| row.id.as_str()),
            Some("asc-answer-right-challenged")
        );
    }
    let (request, token) = bound(&request, b"HTTP/host", &channel_hash());
    let call = with_channel(accept(bench.credential, Some(context), &token), &channel());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.pass("asc-answer-right-challenged", &call, &outcome.writing(0, &request.authentication_info()));
    let call = Call::QueryContextAttributes { context: Some(context), attribute: 27 };
    let reports = |name: &str| Outcome {
        attribute: Some(Attribute::ClientSpecifiedTarget(name.into())),
        ..Outcome::untouched(Status::SEC_E_OK, &call)
    };
    bench.fail("qca-answered", &call, &reports("HTTP/other"));
    bench.pass("qca-answered", &call, &reports("HTTP/host"));
}

#[test]
fn what_is_missing_is_allowed_unless_it_is_required() {
    let mut bench = Bench::new();
    let (context, issued) = challenged(&mut bench, PROXY_BINDINGS, None);
    let request = Request::answering(&issued);
    let flags = HTTP | PROXY_BINDINGS;
    let call = accept_with(bench.credential, Some(context), flags, &request.token(), b"GET", b"");
    bench.pass_status("asc-bad-bindings-challenged", &call, Status::SEC_E_BAD_BINDINGS);
    bench.authenticates(context, &request);
    let call = Call::QueryContextAttributes { context: Some(context), attribute: 27 };
    bench.pass_status("qca-unavailable", &call, Status::SEC_E_UNSUPPORTED_FUNCTION);
}

#[test]
fn half_a_presentation_is_inconsistent() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let (good, token) = bound(&request, b"HTTP/host", ZEROS);
    let text = String::from_utf8(token).expect("it is ASCII");
    for broken in [
        good.token(),
        [&request.token()[..], b",service-name=\"HTTP/host\""].concat(),
        text.replace("service-name=\"HTTP/host\"", "service-name=\"HTTP/other\"").into_bytes(),
        text.replace("\"service-name,channel-binding\"", "\"service-name\"").into_bytes(),
        text.replace("channel-binding=\"00", "channel-binding=\"0").into_bytes(),
    ] {
        let call = accept(bench.credential, Some(context), &broken);
        let row = bench.shadow.expect(&call).row.map(|row| row.id.clone());
        assert_eq!(row.as_deref(), Some("asc-bad-bindings-challenged"), "{}", String::from_utf8_lossy(&broken));
        bench.pass_status("asc-bad-bindings-challenged", &call, Status::SEC_E_BAD_BINDINGS);
    }
    let spaced = text.replace("\"service-name,channel-binding\"", "\"Channel-Binding , SERVICE-NAME,other\"");
    let call = accept(bench.credential, Some(context), spaced.as_bytes());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.pass("asc-answer-right-challenged", &call, &outcome.writing(0, &good.authentication_info()));
}

#[test]
fn bindings_that_are_none_are_a_descriptor_error() {
    let mut bench = Bench::new();
    let (context, _) = bench.challenged(Qop::Auth);
    let mut outside = channel();
    outside[24] = 26;
    for malformed in [&channel()[..31], &outside] {
        let call = with_channel(accept(bench.credential, Some(context), b""), malformed);
        bench.pass_status("asc-descriptor-malformed-challenged", &call, Status::SEC_E_INVALID_TOKEN);
    }
}

#[test]
fn the_policy_of_a_session_holds_when_it_is_completed() {
    let mut bench = Bench::new();
    let (context, issued) = challenged(&mut bench, PROXY_BINDINGS, None);
    let (request, token) = bound(&Request::answering(&issued), b"HTTP/host", &channel_hash());
    let flags = HTTP | PROXY_BINDINGS;
    let call = accept_with(bench.credential, Some(context), flags, &token, b"GET", b"");
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
    bench.pass("asc-answer-right-challenged", &call, &outcome.writing(0, &request.authentication_info()));
    let next = Request { key: Some(request.session_key()), ..request.counted(2) };
    let (next, token) = bound(&next, b"HTTP/host", &channel_hash());
    let call = accept_with(bench.credential, None, flags, &token, b"GET", b"");
    let pending = bench.new_handle();
    let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(pending);
    bench.pass("asc-session-found", &call, &outcome.writing(0, b""));
    let bare = Request { key: Some(request.session_key()), cnonce: b"plain".to_vec(), ..request.counted(2) };
    let call = complete(pending, &bare.token());
    bench.fail(
        "cat-bad-bindings",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).writing(SLOT_4, &bare.authentication_info()),
    );
    bench.deviation("cat-bad-bindings", &call, &Outcome::untouched(Status::SEC_E_MESSAGE_ALTERED, &call));
    bench.pass_status("cat-bad-bindings", &call, Status::SEC_E_BAD_BINDINGS);
    let call = with_channel(complete(pending, &token), &channel());
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.pass("cat-completed-subsequent", &call, &outcome.writing(SLOT_4, &next.authentication_info()));
}

/// A buffer that is found by its type.
type Given<'a> = (BufferType, &'a [u8]);

fn initialize(credential: SecHandle, flags: u32, challenge: &[u8], extra: &[Given<'_>]) -> Call {
    let mut buffers = vec![
        buffer(BufferType::TOKEN, challenge),
        buffer(BufferType::PKG_PARAMS, b"GET"),
        buffer(BufferType::PKG_PARAMS, b""),
    ];
    buffers.extend(extra.iter().map(|(kind, bytes)| buffer(*kind, bytes)));
    Call::InitializeSecurityContext {
        credential: Some(credential),
        context: None,
        target_name: Some(b"/dir/index.html".to_vec()),
        requirements: HTTP | flags,
        input: Some(Descriptor::new(buffers)),
        output: Some(Descriptor::new(vec![room(BufferType::TOKEN, ROOM)])),
    }
}

fn alice(bench: &mut Bench) -> SecHandle {
    let identity = AuthIdentity { user: "alice".into(), domain: String::new(), password: "secret".into() };
    bench.acquire(None, 2, Some(identity))
}

#[test]
fn a_client_carries_what_it_knows_and_no_more() {
    let channel = channel();
    let target: Vec<u8> = "HTTP/host\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let host = (BufferType::TARGET_HOST, &target[..]);
    let ascii = (BufferType::TARGET_HOST, &b"HTTP/host"[..]);
    let known = (BufferType::CHANNEL_BINDINGS, &channel[..]);
    let cases: [(&[Given<'_>], &[u8], [u8; 32]); 4] = [
        (&[host], b"HTTP/host", *ZEROS),
        (&[ascii], b"HTTP/host", *ZEROS),
        (&[known], b"", channel_hash()),
        (&[known, host], b"HTTP/host", channel_hash()),
    ];
    let mut bench = Bench::new();
    let credential = alice(&mut bench);
    for (extra, service, hash) in cases {
        let issued = upgraded(&mut bench);
        let call = initialize(credential, 0, &issued.token(false), extra);
        let request = Request { algorithm: Some(bench.algorithm), ..Request::answering(&issued) };
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(bench.new_handle());
        bench.fail("isc-answered", &call, &outcome.clone().writing(0, &request.token()));
        let (_, other) = bound(&request, b"HTTP/other", &hash);
        bench.fail("isc-answered", &call, &outcome.clone().writing(0, &other));
        let (_, token) = bound(&request, service, &hash);
        bench.pass("isc-answered", &call, &outcome.writing(0, &token));
    }
    // A challenge that does not announce it, or a call that knows nothing.
    for (announces, extra) in [(false, &[host][..]), (true, &[][..])] {
        let issued = if announces { upgraded(&mut bench) } else { bench.issue(Qop::Auth) };
        let call = initialize(credential, 0, &issued.token(false), extra);
        let request = Request { algorithm: Some(bench.algorithm), ..Request::answering(&issued) };
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(bench.new_handle());
        let (_, token) = bound(&request, b"HTTP/host", ZEROS);
        bench.fail("isc-answered", &call, &outcome.clone().writing(0, &token));
        bench.pass("isc-answered", &call, &outcome.writing(0, &request.token()));
    }
}

#[test]
fn a_later_request_repeats_cnonce_and_directives() {
    let mut bench = Bench::new();
    let credential = alice(&mut bench);
    let issued = upgraded(&mut bench);
    let call = initialize(credential, 0, &issued.token(false), &[(BufferType::TARGET_HOST, b"HTTP/host")]);
    let context = bench.new_handle();
    let request = Request { algorithm: Some(bench.algorithm), ..Request::answering(&issued) };
    let (request, token) = bound(&request, b"HTTP/host", ZEROS);
    bench.pass(
        "isc-answered",
        &call,
        &Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, &token),
    );
    let call = Call::MakeSignature {
        context: Some(context),
        message: Some(Descriptor::new(vec![
            buffer(BufferType::TOKEN, b""),
            buffer(BufferType::PKG_PARAMS, b"GET"),
            buffer(BufferType::PKG_PARAMS, b"/dir/index.html"),
            buffer(BufferType::PKG_PARAMS, b""),
            room(BufferType::PADDING, ROOM),
        ])),
    };
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    let (next, token) = bound(&request.counted(2), b"HTTP/host", ZEROS);
    bench.fail("ms-signed", &call, &outcome.clone().writing(SLOT_4, &next.token()));
    bench.pass("ms-signed", &call, &outcome.writing(SLOT_4, &token));
}

#[test]
fn a_target_host_is_printable() {
    let mut bench = Bench::new();
    let credential = alice(&mut bench);
    let issued = bench.issue(Qop::Auth);
    for target in [&b"HTTP/h\xC3\xB6st"[..], b"HTTP\n", b"\xFF", b"H\0\0\xD8"] {
        let call = initialize(credential, 0, &issued.token(false), &[(BufferType::TARGET_HOST, target)]);
        bench.pass_status("isc-descriptor-malformed", &call, Status::SEC_E_INVALID_TOKEN);
    }
}

/// RFC 7616 servers send a challenge for each algorithm; one of SHA-256 alone cannot be answered.
#[test]
fn an_unknown_algorithm_has_nothing_in_common() {
    let mut bench = Bench::new();
    let credential = alice(&mut bench);
    for (flags, algorithm) in [(0, "SHA-256"), (ISC_INTEGRITY, "SHA-512-256-sess")] {
        let token = format!("realm=\"r\",nonce=\"n\",qop=\"auth,auth-int\",algorithm={algorithm}");
        let call = initialize(credential, flags, token.as_bytes(), &[]);
        bench.pass_status("isc-algorithm-unknown", &call, Status::SEC_E_QOP_NOT_SUPPORTED);
    }
}
