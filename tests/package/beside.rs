//! What is no SSPI call: where it is refused, and what is printed of a package.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use digest_ssp::buffer::CtxtHandle;
use digest_ssp::context::World;
use digest_ssp::context::http::Http;
use digest_ssp::context::sasl::layers::Wrapped;
use digest_ssp::context::sessions::Sessions;
use digest_ssp::digest::hash::md5;
use digest_ssp::package::accounts::{HtdigestFile, MemoryAccounts};
use digest_ssp::package::{AcceptRequirements, Failure, InitializeRequirements, SecurityPackage};
use digest_ssp::status::SecurityStatus as Status;

use super::support::sasl::{SaslClient, sasl_exchange, sasl_input};
use super::support::{
    Client, Input, Message, Offer, Peer, Server, TestEnvironment, acquire_inbound, directive, untouched,
};

const NOBODY: CtxtHandle = CtxtHandle { lower: 7, upper: 7 };

fn status<T>(result: &Result<T, Failure>) -> Status {
    result.as_ref().map_or_else(|failure| failure.status, |_| Status::SEC_E_OK)
}

fn proof(package: &SecurityPackage, context: CtxtHandle) -> Status {
    status(&package.authentication_info(context, &md5(&[b"answer"])))
}

/// An initiator on HTTP with its handle, established after one request.
fn established(server: &Server) -> (Peer, CtxtHandle) {
    let peer = Peer::default();
    let (_, challenge) = server.accept(None, &Input::default());
    let (result, _) = peer.initialize(None, &Offer { token: Some(&challenge), ..Offer::default() });
    let initialized = result.expect("a challenge");
    assert_eq!(peer.state(initialized.context), "established");
    (peer, initialized.context)
}

#[test]
fn the_proof_over_a_body_is_an_acceptors_of_auth_int() {
    let server = Server::default();
    let (challenged, _) = server.challenge(AcceptRequirements::HTTP);
    assert_eq!(proof(&server.package, NOBODY), Status::SEC_E_INVALID_HANDLE);
    assert_eq!(proof(&server.package, challenged), Status::SEC_E_OUT_OF_SEQUENCE);
    let (accepted, _) = server.establish(&Client::default());
    assert_eq!(proof(&server.package, accepted), Status::SEC_E_QOP_NOT_SUPPORTED);
    let (peer, initiator) = established(&server);
    assert_eq!(proof(&peer.package, initiator), Status::SEC_E_UNSUPPORTED_FUNCTION);
    // On SASL the proof comes with the exchange.
    let (accept, initialize) = (AcceptRequirements::empty(), InitializeRequirements::empty());
    let (challenged, _) = server.sasl_challenge(accept);
    assert_eq!(proof(&server.package, challenged), Status::SEC_E_OUT_OF_SEQUENCE);
    let [accepted, initiator] = sasl_exchange(&server, &peer, accept, initialize);
    assert_eq!(proof(&server.package, accepted), Status::SEC_E_QOP_NOT_SUPPORTED);
    assert_eq!(proof(&peer.package, initiator), Status::SEC_E_UNSUPPORTED_FUNCTION);
}

#[test]
fn counts_go_forward_and_are_an_initiators() {
    let server = Server::default();
    let (accepted, _) = server.establish(&Client::default());
    let (peer, initiator) = established(&server);
    let advance = |package: &SecurityPackage, context, last| status(&package.advance_nonce_count(Some(context), last));
    assert_eq!(advance(&server.package, accepted, 9), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(advance(&peer.package, NOBODY, 9), Status::SEC_E_INVALID_HANDLE);
    for (last, expected) in [
        (0, Status::SEC_E_OUT_OF_SEQUENCE),
        (1, Status::SEC_E_OK),
        (9, Status::SEC_E_OK),
        (8, Status::SEC_E_OUT_OF_SEQUENCE),
    ] {
        assert_eq!(advance(&peer.package, initiator, last), expected, "{last}");
    }
    let next = Message { method: b"GET", target: b"/next", ..Message::default() };
    let (result, header) = peer.sign(initiator, &next);
    result.expect("counts are left");
    assert_eq!(directive(&header, "nc").as_deref(), Some("0000000a"));
    let [accepted, initiator] =
        sasl_exchange(&server, &peer, AcceptRequirements::empty(), InitializeRequirements::empty());
    assert_eq!(advance(&server.package, accepted, 9), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(advance(&peer.package, initiator, 0), Status::SEC_E_OUT_OF_SEQUENCE);
    for _ in 0..2 {
        assert_eq!(advance(&peer.package, initiator, 2), Status::SEC_E_OK);
    }
}

#[test]
fn numbers_of_messages_are_those_of_a_layer() {
    let server = Server::default();
    let (accepted, _) = server.establish(&Client::default());
    let spend = |context| status(&server.package.spend_sequence_numbers(Some(context)));
    assert_eq!(spend(accepted), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(spend(NOBODY), Status::SEC_E_INVALID_HANDLE);
    let (challenged, _) = server.sasl_challenge(AcceptRequirements::empty());
    assert_eq!(spend(challenged), Status::SEC_E_OUT_OF_SEQUENCE);
    assert_eq!(spend(server.sasl_establish(&SaslClient::default()).0), Status::SEC_E_QOP_NOT_SUPPORTED);
    assert_eq!(spend(server.sasl_establish(&SaslClient::auth_int()).0), Status::SEC_E_OK);
}

#[test]
fn entropy_that_repeats_itself_issues_nothing() {
    let server = Server::default();
    for input in [Input::default(), sasl_input(b"", AcceptRequirements::empty())] {
        let drawn = server.knobs.drawn.load(Ordering::SeqCst);
        let (result, _) = server.accept(None, &input);
        let first = result.expect("a challenge").context;
        server.knobs.drawn.store(drawn, Ordering::SeqCst);
        let (result, output) = server.accept(None, &input);
        assert_eq!(status(&result), Status::SEC_E_INTERNAL_ERROR);
        assert!(untouched(&output), "{output:?}");
        assert_eq!(server.state(first), "challenged");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let mut memory = MemoryAccounts::new();
    memory.insert("alice", "realm", "open sesame");
    let file = HtdigestFile::parse(b"alice:realm:939e7578ed9e3c518a452acee763bce9\n").expect("an account");
    let server = Server::default();
    acquire_inbound(&server.package, Some("www.example.org"));
    server.establish(&Client::default());
    let world = World {
        environment: &TestEnvironment(Arc::clone(&server.knobs)),
        accounts: &memory,
        http_sessions: &Mutex::new(Sessions::default()),
        sasl_sessions: &Mutex::new(Sessions::default()),
        configuration: server.package.configuration(),
    };
    let wrapped = Wrapped { message: b"sesame".to_vec().into(), rest: b"secret".to_vec() };
    // As text, and as a vector of bytes is printed that says nothing else.
    let tells = |printed: &str| {
        let secrets: [&[u8]; 5] = [b"sesame", b"secret", b"alice", b"939e", &[0x93, 0x9E, 0x75]];
        secrets.iter().any(|secret| {
            let octets = format!("{secret:?}");
            printed.contains(&*String::from_utf8_lossy(secret)) || printed.contains(octets.trim_matches(['[', ']']))
        })
    };
    assert!(tells("open sesame") && tells(&format!("{:?}", b"open sesame")) && !tells("nothing"));
    for (name, printed) in [
        ("MemoryAccounts", format!("{memory:?}")),
        ("HtdigestFile", format!("{file:?}")),
        ("SecurityPackage", format!("{:?}", server.package)),
        ("World", format!("{world:?}")),
        ("Wrapped", format!("{wrapped:?}")),
        ("Sessions", format!("{:?}", Sessions::<Http>::default())),
    ] {
        assert!(printed.starts_with(name) && !tells(&printed), "{printed}");
    }
}
