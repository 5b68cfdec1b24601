//! The protection of messages on SASL: what goes on the wire, and what is made of what comes.

use super::sasl_support::{SaslBench, SaslRequest, setup};
use super::support::{Bench, buffer, room};
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::sasl::{Cipher, MaxBuf, Qop};
use digest_ssp::spec::call::{Buffer, Call, Descriptor, Outcome};
use digest_ssp::status::SecurityStatus as Status;

const MESSAGE: &[u8] = b"A1 LOGOUT\r\n";

fn bench() -> Bench {
    Bench::with(setup())
}

/// Established with a layer; the cipher matters for auth-conf only.
fn established(bench: &mut Bench, qop: Qop, cipher: Cipher) -> (SecHandle, SaslRequest) {
    let (context, nonce) = bench.sasl_challenged(qop);
    let cipher = (qop == Qop::AuthConf).then_some(cipher);
    let request = SaslRequest { cipher, ..SaslRequest::answering(&nonce, qop) };
    bench.sasl_authenticates(context, &request);
    (context, request)
}

fn sign(context: SecHandle, message: &[u8], capacity: usize) -> Call {
    let buffers = vec![buffer(BufferType::DATA.read_only(), message), room(BufferType::TOKEN, capacity)];
    Call::MakeSignature { context: Some(context), message: Some(Descriptor::new(buffers)) }
}

fn verify(context: SecHandle, message: &[u8], signature: &[u8]) -> Call {
    let buffers = vec![buffer(BufferType::DATA, message), buffer(BufferType::PADDING, signature)];
    Call::VerifySignature { context: Some(context), message: Some(Descriptor::new(buffers)) }
}

fn encrypt(context: SecHandle, message: &[u8], capacity: usize) -> Call {
    let buffers = vec![buffer(BufferType::DATA, message), room(BufferType::PADDING, capacity)];
    Call::EncryptMessage { context: Some(context), message: Some(Descriptor::new(buffers)) }
}

fn decrypt(context: SecHandle, wrapped: &[u8]) -> Call {
    let buffers = vec![buffer(BufferType::STREAM, wrapped), Buffer::null(BufferType::DATA)];
    Call::DecryptMessage { context: Some(context), message: Some(Descriptor::new(buffers)) }
}

fn buffers_of(outcome: &mut Outcome) -> &mut [Buffer] {
    outcome.output.as_mut().and_then(|output| output.buffers.as_mut()).expect("there are buffers")
}

/// The outcome in which a buffer of the message begins with these bytes and counts them.
fn writing(mut outcome: Outcome, position: usize, bytes: &[u8]) -> Outcome {
    let buffers = buffers_of(&mut outcome);
    let data = buffers[position].data.get_or_insert_default();
    data[..bytes.len()].copy_from_slice(bytes);
    buffers[position].count = u32::try_from(bytes.len()).expect("short");
    outcome
}

fn wrap(sender: &mut digest_ssp::digest::sasl::Sender, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut data = message.to_vec();
    let mut rest = vec![0; sender.layer().trailer_len(message.len())];
    sender.encrypt(&mut data, &mut rest).expect("there are numbers left");
    (data, rest)
}

const LAYERS: [(Qop, Cipher); 6] = [
    (Qop::AuthInt, Cipher::Rc4),
    (Qop::AuthConf, Cipher::Rc4),
    (Qop::AuthConf, Cipher::TripleDes),
    (Qop::AuthConf, Cipher::Rc4_56),
    (Qop::AuthConf, Cipher::Rc4_40),
    (Qop::AuthConf, Cipher::Des),
];

/// RFC 2831 section 2.3: ten octets of a MAC, the type 1 in two octets, the number in four, from 0.
#[test]
fn a_signature_ends_with_type_and_number() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthInt, Cipher::Rc4);
    let (_, mut server) = request.senders();
    for number in 0..3_u8 {
        let call = sign(context, MESSAGE, 16);
        let signature = server.sign(MESSAGE).expect("there are numbers left");
        assert_eq!(signature[10..], [0, 1, 0, 0, 0, number]);
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
        let mut other = signature;
        other[0] ^= 1;
        bench.fail("ms-sasl-signed", &call, &writing(outcome.clone(), 1, &other));
        bench.fail("ms-sasl-signed", &call, &writing(outcome.clone(), 1, &signature[..15]));
        bench.pass("ms-sasl-signed", &call, &writing(outcome, 1, &signature));
    }
}

#[test]
fn signing_and_encrypting_share_their_numbers() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthConf, Cipher::Rc4);
    let (mut client, mut server) = request.senders();
    let call = sign(context, MESSAGE, 16);
    let signature = server.sign(MESSAGE).expect("there are numbers left");
    bench.pass("ms-sasl-signed", &call, &writing(Outcome::untouched(Status::SEC_E_OK, &call), 1, &signature));
    let call = encrypt(context, MESSAGE, 16);
    let (data, rest) = wrap(&mut server, MESSAGE);
    assert_eq!(rest[10..], [0, 1, 0, 0, 0, 1]);
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.pass("enc-sasl-wrapped", &call, &writing(writing(outcome, 0, &data), 1, &rest));
    let signature = client.sign(MESSAGE).expect("there are numbers left");
    let call = verify(context, MESSAGE, &signature);
    bench.pass_status("vs-sasl-verified", &call, Status::SEC_E_OK);
    let (data, rest) = wrap(&mut client, MESSAGE);
    let wrapped = [data, rest].concat();
    let call = decrypt(context, &wrapped);
    let outcome = Outcome { quality: Some(0), ..Outcome::untouched(Status::SEC_E_OK, &call) };
    bench.pass("dec-sasl-unwrapped", &call, &writing(outcome, 0, MESSAGE));
}

#[test]
fn messages_go_there_and_back_under_every_layer() {
    for (qop, cipher) in LAYERS {
        let mut bench = bench();
        let (context, request) = established(&mut bench, qop, cipher);
        let (mut client, mut server) = request.senders();
        let mut receiver = request.client_receiver();
        for message in [MESSAGE, b"", &[7; 300]] {
            let (data, rest) = wrap(&mut server, message);
            let call = encrypt(context, message, 24);
            let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
            if !message.is_empty() {
                bench.fail("enc-sasl-wrapped", &call, &writing(outcome.clone(), 1, &rest).clone_with_flip(0));
                let in_place = writing(writing(outcome, 0, &data), 1, &rest);
                bench.fail("enc-sasl-wrapped", &call, &writing(in_place.clone(), 1, &rest[..rest.len() - 1]));
                bench.pass("enc-sasl-wrapped", &call, &in_place);
            } else {
                // An empty message has no memory to write into.
                bench.pass("enc-sasl-wrapped", &call, &writing(outcome, 1, &rest));
            }
            let mut wrapped = [data, rest].concat();
            let length = receiver.decrypt(&mut wrapped).expect("the peer can read it");
            assert_eq!(&wrapped[..length], message);
            let (data, rest) = wrap(&mut client, message);
            let wrapped = [data, rest].concat();
            let call = decrypt(context, &wrapped);
            let quality = if qop == Qop::AuthInt { 0x8000_0000 } else { 0 };
            let outcome = writing(Outcome::untouched(Status::SEC_E_OK, &call), 0, message);
            bench.fail(
                "dec-sasl-unwrapped",
                &call,
                &Outcome { quality: Some(quality ^ 0x8000_0000), ..outcome.clone() },
            );
            bench.fail("dec-sasl-unwrapped", &call, &outcome);
            let too_much = writing(outcome.clone(), 0, &wrapped[..message.len() + 1]);
            bench.fail("dec-sasl-unwrapped", &call, &Outcome { quality: Some(quality), ..too_much });
            bench.pass("dec-sasl-unwrapped", &call, &Outcome { quality: Some(quality), ..outcome });
        }
    }
}

/// What callers of STREAM read: DATA that was empty says how much there is of the plaintext, and where.
#[test]
fn data_may_point_to_the_plaintext_within_a_stream() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthInt, Cipher::Rc4);
    let (mut client, _) = request.senders();
    let (data, rest) = wrap(&mut client, MESSAGE);
    let nowhere = Buffer::null;
    let call_with = |kind, others: [Buffer; 3]| {
        let buffers = [vec![buffer(kind, &[&data[..], &rest].concat())], others.to_vec()].concat();
        Call::DecryptMessage { context: Some(context), message: Some(Descriptor::new(buffers)) }
    };
    let pointing = |call: &Call, position: usize, bytes: &[u8]| {
        let mut outcome = Outcome { quality: Some(0x8000_0000), ..Outcome::untouched(Status::SEC_E_OK, call) };
        let buffers = buffers_of(&mut outcome);
        buffers[position] = buffer(buffers[position].buffer_type, bytes);
        writing(outcome, 0, MESSAGE)
    };
    let data = BufferType::DATA;
    let call = call_with(BufferType::STREAM, [nowhere(data.read_only()), nowhere(data), nowhere(data)]);
    for (position, bytes) in [(1, MESSAGE), (2, &MESSAGE[1..]), (3, MESSAGE)] {
        bench.fail("dec-sasl-unwrapped", &call, &pointing(&call, position, bytes));
    }
    let call = call_with(BufferType::STREAM, [nowhere(BufferType::PADDING), buffer(data, b"full"), nowhere(data)]);
    for position in [1, 2] {
        bench.fail("dec-sasl-unwrapped", &call, &pointing(&call, position, MESSAGE));
    }
    // More is counted than is there.
    let mut counted = pointing(&call, 3, MESSAGE);
    buffers_of(&mut counted)[3].count = u32::MAX;
    bench.fail("dec-sasl-unwrapped", &call, &counted);
    // It is written into memory that was not given for it.
    let behind = Buffer { count: 0, ..buffer(data, &[0; 64]) };
    let with_memory = call_with(BufferType::STREAM, [nowhere(BufferType::PADDING), behind.clone(), nowhere(data)]);
    let mut written = pointing(&with_memory, 2, MESSAGE);
    buffers_of(&mut written)[2] =
        Buffer { count: MESSAGE.len() as u32, data: Some([MESSAGE, &[0; 53]].concat()), ..behind };
    bench.fail("dec-sasl-unwrapped", &with_memory, &written);
    let in_data = call_with(data, [nowhere(data), nowhere(data), nowhere(data)]);
    bench.fail("dec-sasl-unwrapped", &in_data, &pointing(&in_data, 1, MESSAGE));
    bench.pass("dec-sasl-unwrapped", &call, &pointing(&call, 3, MESSAGE));
}

trait Flip {
    fn clone_with_flip(self, position: usize) -> Outcome;
}

impl Flip for Outcome {
    /// One octet of a buffer is another.
    fn clone_with_flip(mut self, position: usize) -> Outcome {
        buffers_of(&mut self)[position].data.as_mut().expect("it has memory")[0] ^= 0x80;
        self
    }
}

#[test]
fn an_initiator_protects_in_the_other_direction() {
    let mut bench = bench();
    let credential = bench.chris("");
    let (context, request) = bench.sasl_responded(credential, Qop::AuthInt);
    bench.sasl_proved(credential, context, &request);
    let (mut client, mut server) = request.senders();
    let call = sign(context, MESSAGE, 16);
    let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    let wrong = server.clone().sign(MESSAGE).expect("there are numbers left");
    bench.fail("ms-sasl-signed-initiator", &call, &writing(outcome.clone(), 1, &wrong));
    let right = client.sign(MESSAGE).expect("there are numbers left");
    bench.pass("ms-sasl-signed-initiator", &call, &writing(outcome, 1, &right));
    let signature = server.sign(MESSAGE).expect("there are numbers left");
    bench.pass_status("vs-sasl-verified-initiator", &verify(context, MESSAGE, &signature), Status::SEC_E_OK);
}

#[test]
fn replays_gaps_and_changes_consume_nothing() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthInt, Cipher::Rc4);
    let (mut client, _) = request.senders();
    let signatures = [0; 3].map(|_| client.sign(MESSAGE).expect("there are numbers left"));
    let number = Status::SEC_E_OUT_OF_SEQUENCE;
    bench.pass_status("vs-sasl-number", &verify(context, MESSAGE, &signatures[1]), number);
    bench.pass_status("vs-sasl-verified", &verify(context, MESSAGE, &signatures[0]), Status::SEC_E_OK);
    bench.pass_status("vs-sasl-number", &verify(context, MESSAGE, &signatures[0]), number);
    let success = |call: &Call| Outcome::untouched(Status::SEC_E_OK, call);
    let replay = verify(context, MESSAGE, &signatures[0]);
    bench.fail("vs-sasl-number", &replay, &success(&replay));
    for altered in [
        verify(context, b"another", &signatures[1]),
        verify(context, MESSAGE, &signatures[1][..15]),
        verify(context, MESSAGE, &[&signatures[1][..11], &[2][..], &signatures[1][12..]].concat()),
    ] {
        bench.fail("vs-sasl-altered", &altered, &success(&altered));
        bench.pass_status("vs-sasl-altered", &altered, Status::SEC_E_MESSAGE_ALTERED);
    }
    bench.pass_status("vs-sasl-verified", &verify(context, MESSAGE, &signatures[1]), Status::SEC_E_OK);
}

#[test]
fn integrity_alone_is_never_dead() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthInt, Cipher::Rc4);
    let (mut client, _) = request.senders();
    let (data, rest) = wrap(&mut client, MESSAGE);
    let wrapped = [data, rest].concat();
    let mut altered = wrapped.clone();
    altered[0] ^= 1;
    bench.pass_status("dec-sasl-altered", &decrypt(context, &altered), Status::SEC_E_MESSAGE_ALTERED);
    bench.pass_status("dec-sasl-incomplete", &decrypt(context, &wrapped[..15]), Status::SEC_E_INCOMPLETE_MESSAGE);
    let call = decrypt(context, &wrapped);
    let outcome = Outcome { quality: Some(0x8000_0000), ..Outcome::untouched(Status::SEC_E_OK, &call) };
    bench.pass("dec-sasl-unwrapped", &call, &writing(outcome, 0, MESSAGE));
    bench.pass_status("dec-sasl-number", &decrypt(context, &wrapped), Status::SEC_E_OUT_OF_SEQUENCE);
}

#[test]
fn a_wrong_mac_behind_a_cipher_ends_the_direction() {
    for (qop, cipher) in LAYERS.into_iter().filter(|(qop, _)| *qop == Qop::AuthConf) {
        let mut bench = bench();
        let (context, request) = established(&mut bench, qop, cipher);
        let (mut client, mut server) = request.senders();
        let (data, rest) = wrap(&mut client, MESSAGE);
        let wrapped = [data, rest].concat();
        let shortest = if matches!(cipher, Cipher::Des | Cipher::TripleDes) { 22 } else { 16 };
        let short = decrypt(context, &wrapped[..shortest - 1]);
        bench.pass_status("dec-sasl-incomplete", &short, Status::SEC_E_INCOMPLETE_MESSAGE);
        let footer = wrapped.len() - 6;
        let with = |at: usize, octet: u8| {
            let mut changed = wrapped.clone();
            changed[at] ^= octet;
            decrypt(context, &changed)
        };
        // Type and number are judged before decrypting, and nothing is lost.
        bench.pass_status("dec-sasl-altered", &with(footer + 1, 2), Status::SEC_E_MESSAGE_ALTERED);
        bench.pass_status("dec-sasl-number", &with(footer + 5, 1), Status::SEC_E_OUT_OF_SEQUENCE);
        let lost = with(0, 1);
        let delivered = writing(Outcome::untouched(Status::SEC_E_MESSAGE_ALTERED, &lost), 0, MESSAGE);
        bench.fail("dec-sasl-lost", &lost, &delivered);
        bench.pass_status("dec-sasl-lost", &lost, Status::SEC_E_MESSAGE_ALTERED);
        let right = decrypt(context, &wrapped);
        let outcome = Outcome { quality: Some(0), ..Outcome::untouched(Status::SEC_E_OK, &right) };
        bench.fail("dec-sasl-dead", &right, &writing(outcome, 0, MESSAGE));
        bench.deviation("dec-sasl-dead", &right, &Outcome::untouched(Status::SEC_E_MESSAGE_ALTERED, &right));
        bench.pass_status("dec-sasl-dead", &right, Status::SEC_E_OUT_OF_SEQUENCE);
        let signature = client.sign(MESSAGE).expect("there are numbers left");
        bench.pass_status("vs-sasl-dead", &verify(context, MESSAGE, &signature), Status::SEC_E_OUT_OF_SEQUENCE);
        // Sending still works, and the context is what it was.
        assert_eq!(bench.state(context), "established");
        let call = encrypt(context, MESSAGE, 24);
        let (data, rest) = wrap(&mut server, MESSAGE);
        let outcome = writing(writing(Outcome::untouched(Status::SEC_E_OK, &call), 0, &data), 1, &rest);
        bench.pass("enc-sasl-wrapped", &call, &outcome);
    }
}

/// RFC 2831 section 2.1.1: maxbuf is the most that the peer receives, MAC and padding included.
#[test]
fn the_peers_maxbuf_limits_what_is_sent() {
    let mut bench = bench();
    let (context, nonce) = bench.sasl_challenged(Qop::AuthInt);
    let maxbuf = MaxBuf::new(20);
    let request = SaslRequest { maxbuf, ..SaslRequest::answering(&nonce, Qop::AuthInt) };
    bench.sasl_authenticates(context, &request);
    let (_, mut server) = request.senders();
    bench.pass_status("ms-sasl-message-too-long", &sign(context, b"12345", 16), Status::SEC_E_INVALID_TOKEN);
    bench.pass_status("enc-sasl-message-too-long", &encrypt(context, b"12345", 16), Status::SEC_E_BUFFER_TOO_SMALL);
    let call = sign(context, b"1234", 16);
    let signature = server.sign(b"1234").expect("there are numbers left");
    bench.pass("ms-sasl-signed", &call, &writing(Outcome::untouched(Status::SEC_E_OK, &call), 1, &signature));
}

#[test]
fn what_the_caller_can_mend_consumes_no_number() {
    let mut bench = bench();
    let (context, request) = established(&mut bench, Qop::AuthConf, Cipher::TripleDes);
    let (_, mut server) = request.senders();
    let message = |buffers: Vec<Buffer>| Some(Descriptor::new(buffers));
    let data = || buffer(BufferType::DATA, MESSAGE);
    let encrypts = |buffers| Call::EncryptMessage { context: Some(context), message: message(buffers) };
    bench.pass_status(
        "enc-sasl-message-absent",
        &encrypts(vec![room(BufferType::PADDING, 24)]),
        Status::SEC_E_INVALID_TOKEN,
    );
    let read_only = buffer(BufferType::DATA.read_only(), MESSAGE);
    bench.pass_status(
        "enc-sasl-message-absent",
        &encrypts(vec![read_only, room(BufferType::PADDING, 24)]),
        Status::SEC_E_INVALID_TOKEN,
    );
    bench.pass_status("enc-sasl-output-absent", &encrypts(vec![data()]), Status::SEC_E_INVALID_TOKEN);
    // 11 octets and 10 of the MAC fill two blocks with 3 octets of padding; then type and number.
    bench.pass_status(
        "enc-sasl-output-small",
        &encrypts(vec![data(), room(BufferType::PADDING, 18)]),
        Status::SEC_E_BUFFER_TOO_SMALL,
    );
    bench.pass_status("ms-sasl-output-small", &sign(context, MESSAGE, 15), Status::SEC_E_INSUFFICIENT_MEMORY);
    bench.pass_status("ms-sasl-output-absent", &sign(context, MESSAGE, 0), Status::SEC_E_INVALID_TOKEN);
    let (first, rest) = wrap(&mut server, MESSAGE);
    assert_eq!(rest.len(), 19);
    for kind in [BufferType::STREAM_TRAILER, BufferType::DATA] {
        let mut bench = bench.clone();
        let call = encrypts(vec![buffer(BufferType::STREAM_HEADER, b""), data(), room(kind, 24)]);
        let outcome = writing(writing(Outcome::untouched(Status::SEC_E_OK, &call), 1, &first), 2, &rest);
        bench.pass("enc-sasl-wrapped", &call, &outcome);
    }
}

#[test]
fn without_a_layer_nothing_is_protected() {
    let mut bench = bench();
    let (context, _) = bench.sasl_established(Qop::Auth);
    let status = Status::SEC_E_QOP_NOT_SUPPORTED;
    bench.pass_status("ms-sasl-no-layer", &sign(context, MESSAGE, 16), status);
    bench.pass_status("vs-sasl-no-layer", &verify(context, MESSAGE, &[0; 16]), status);
    bench.pass_status("enc-sasl-no-layer", &encrypt(context, MESSAGE, 16), status);
    bench.pass_status("dec-sasl-no-layer", &decrypt(context, MESSAGE), status);
    let (challenged, _) = bench.sasl_challenged(Qop::AuthInt);
    let status = Status::SEC_E_OUT_OF_SEQUENCE;
    bench.pass_status("ms-sasl-not-established", &sign(challenged, MESSAGE, 16), status);
    bench.pass_status("dec-sasl-not-established", &decrypt(challenged, MESSAGE), status);
}

#[test]
fn numbers_run_out() {
    let mut bench = bench();
    let (context, _) = established(&mut bench, Qop::AuthInt, Cipher::Rc4);
    bench.shadow.spend_sequence(context);
    let status = Status::SEC_E_OUT_OF_SEQUENCE;
    bench.pass_status("ms-sasl-exhausted", &sign(context, MESSAGE, 16), status);
    bench.pass_status("enc-sasl-exhausted", &encrypt(context, MESSAGE, 16), status);
}

#[test]
fn http_has_no_layers() {
    let mut bench = Bench::new();
    let (context, _) = bench.established();
    bench.pass_status("enc-unsupported", &encrypt(context, MESSAGE, 16), Status::SEC_E_UNSUPPORTED_FUNCTION);
    bench.pass_status("dec-unsupported", &decrypt(context, MESSAGE), Status::SEC_E_UNSUPPORTED_FUNCTION);
    let (context, _) = bench.challenged(digest_ssp::digest::Qop::Auth);
    let call = encrypt(context, MESSAGE, 16);
    bench.deviation("enc-unsupported-early", &call, &Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call));
    bench.pass_status("enc-unsupported-early", &call, Status::SEC_E_UNSUPPORTED_FUNCTION);
}
