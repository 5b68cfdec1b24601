//! Which buffers are read, which are written, and how much fits.

use super::support::*;
use digest_ssp::buffer::BufferType;
use digest_ssp::digest::Qop;
use digest_ssp::spec::call::{Buffer, Descriptor};
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus as Status;

fn output(call: Call, buffers: Vec<Buffer>) -> Call {
    with_output(call, Some(Descriptor::new(buffers)))
}

#[test]
fn a_challenge_needs_an_output() {
    let mut bench = Bench::new();
    let call = accept(bench.credential, None, b"");
    let read_only = BufferType(BufferType::TOKEN.0 | BufferType::READONLY);
    for absent in [
        with_output(call.clone(), None),
        output(call.clone(), vec![]),
        output(call.clone(), vec![Buffer::null(BufferType::TOKEN)]),
        output(call.clone(), vec![room(BufferType::DATA, ROOM)]),
        output(call.clone(), vec![room(read_only, ROOM)]),
    ] {
        bench.pass_status("asc-output-absent", &absent, Status::SEC_E_INVALID_TOKEN);
    }
    let small = output(call.clone(), vec![room(BufferType::TOKEN, 8)]);
    bench.pass_status("asc-output-small", &small, Status::SEC_E_INSUFFICIENT_MEMORY);
    // The first that may be written.
    let second = output(call, vec![room(read_only, ROOM), room(BufferType::TOKEN, ROOM)]);
    let (new, issued) = (bench.new_handle(), bench.issue(Qop::Auth));
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &second).with_handle(new);
    bench.fail("asc-challenge", &second, &outcome.clone().writing(0, &issued.token(false)));
    bench.pass("asc-challenge", &second, &outcome.writing(1, &issued.token(false)));
}

#[test]
fn no_input_at_all_is_an_empty_token() {
    let mut bench = Bench::new();
    let mut call = accept(bench.credential, None, b"");
    if let Call::AcceptSecurityContext { input, .. } = &mut call {
        *input = None;
    }
    let no_token = with_input(accept(bench.credential, None, b""), |input| input.count = 0);
    for call in [call, no_token] {
        let (new, issued) = (bench.new_handle(), bench.issue(Qop::Auth));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new);
        bench.pass("asc-challenge", &call, &outcome.writing(0, &issued.token(false)));
    }
}

#[test]
fn malformed_descriptors() {
    let mut bench = Bench::new();
    let call = accept(bench.credential, None, b"");
    let mut broken = Descriptor::new(vec![room(BufferType::TOKEN, ROOM)]);
    broken.version = 1;
    let mut promising = Descriptor::new(vec![room(BufferType::TOKEN, ROOM)]);
    promising.count = 2;
    let no_memory = Descriptor::new(vec![Buffer { buffer_type: BufferType::TOKEN, count: 1, data: None }]);
    let no_buffers = Descriptor { version: 0, count: 1, buffers: None };
    for descriptor in [broken, promising, no_memory, no_buffers] {
        let of_output = with_output(call.clone(), Some(descriptor.clone()));
        bench.pass_status("asc-descriptor-malformed", &of_output, Status::SEC_E_INVALID_TOKEN);
        let of_input = with_input(call.clone(), |input| *input = descriptor);
        bench.pass_status("asc-descriptor-malformed", &of_input, Status::SEC_E_INVALID_TOKEN);
    }
}

#[test]
fn the_realm_is_utf_16_that_us_ascii_can_represent() {
    let mut bench = Bench::new();
    let with_realm = |bench: &Bench, realm: &[u8]| {
        let realm = buffer(BufferType::PKG_PARAMS, realm);
        with_input(accept(bench.credential, None, b""), |input| {
            if let Some(buffers) = &mut input.buffers {
                buffers[4] = realm;
            }
        })
    };
    for malformed in [&b"o"[..], b"\xFC\0", b"\0\xD8", b"\n\0"] {
        let call = with_realm(&bench, malformed);
        bench.pass_status("asc-descriptor-malformed", &call, Status::SEC_E_INVALID_TOKEN);
    }
    let call = with_realm(&bench, b"o\0t\0h\0e\0r\0 \0r\0e\0a\0l\0m\0");
    let (new, issued) = (bench.new_handle(), bench.issue(Qop::Auth));
    let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new);
    bench.fail("asc-challenge", &call, &outcome.clone().writing(0, &issued.token(false)));
    let issued = Issued { realm: "other realm".into(), ..issued };
    bench.pass("asc-challenge", &call, &outcome.writing(0, &issued.token(false)));
    let request = Request { realm: "other realm".into(), ..Request::answering(&issued) };
    bench.authenticates(new, &request);
}

#[test]
fn authentication_info_goes_where_there_is_room() {
    let mut bench = Bench::new();
    let (context, issued) = bench.challenged(Qop::Auth);
    let request = Request::answering(&issued);
    let call = accept(bench.credential, Some(context), &request.token());
    let small = output(call.clone(), vec![room(BufferType::TOKEN, 16)]);
    bench.pass_status("asc-output-small-challenged", &small, Status::SEC_E_INSUFFICIENT_MEMORY);
    let absent = with_output(call, None);
    let success = Outcome::untouched(Status::SEC_E_OK, &absent).with_handle(context);
    bench.pass("asc-answer-right-challenged", &absent, &success);
    // Completion: the same, and the count is not used up by an error.
    let next = request.counted(2);
    let pending = bench.found(&next);
    let small = complete_with(pending, &next.token(), b"GET", b"", b"", 16);
    bench.pass_status("cat-output-small", &small, Status::SEC_E_INSUFFICIENT_MEMORY);
    bench.completes(pending, &next);
}

#[test]
fn a_completion_writes_token_or_padding_behind_the_message() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    let pending = bench.found(&request);
    let padded = with_input(complete(pending, &request.token()), |message| {
        if let Some(buffers) = &mut message.buffers {
            buffers[SLOT_4] = room(BufferType::PADDING, ROOM);
        }
    });
    let success = Outcome::untouched(Status::SEC_E_OK, &padded);
    bench.pass("cat-completed-subsequent", &padded, &success.writing(SLOT_4, &request.authentication_info()));
}

#[test]
fn a_read_only_message_is_read_and_a_read_only_output_is_none() {
    let mut bench = Bench::new();
    let (_, session) = bench.established();
    let request = session.counted(2);
    let pending = bench.found(&request);
    let call = with_input(complete(pending, &request.token()), |message| {
        if let Some(buffers) = &mut message.buffers {
            for position in [0, SLOT_4] {
                buffers[position].buffer_type = buffers[position].buffer_type.read_only();
            }
        }
    });
    let success = Outcome::untouched(Status::SEC_E_OK, &call);
    bench.fail("cat-completed-subsequent", &call, &success.clone().writing(SLOT_4, &request.authentication_info()));
    bench.pass("cat-completed-subsequent", &call, &success);
}

#[test]
fn writing_past_the_capacity_is_a_finding() {
    let mut bench = Bench::new();
    // 64 bytes lie behind the 1024 that the caller promised.
    let mut memory = room(BufferType::TOKEN, 1024 + 64);
    memory.count = 1024;
    let call = output(accept(bench.credential, None, b""), vec![memory]);
    let (new, issued) = (bench.new_handle(), bench.issue(Qop::Auth));
    let right =
        Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(new).writing(0, &issued.token(false));
    let mut overflown = right.clone();
    if let Some(data) = overflown
        .output
        .as_mut()
        .and_then(|output| output.buffers.as_mut())
        .and_then(|buffers| buffers[0].data.as_mut())
    {
        data[1024] ^= 1;
    }
    bench.fail("asc-challenge", &call, &overflown);
    let mut grown = right.clone();
    if let Some(buffers) = grown.output.as_mut().and_then(|output| output.buffers.as_mut()) {
        buffers[0].count = 1025;
    }
    bench.fail("asc-challenge", &call, &grown);
    bench.pass("asc-challenge", &call, &right);
}
