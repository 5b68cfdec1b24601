//! What a call's buffers say, read the way `spec/facts.toml` defines it.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SECBUFFER_VERSION};
use crate::digest::bindings::ChannelBindings;
use crate::spec::call::{Buffer, Call, Descriptor};
use crate::spec::names::Profile;
use crate::spec::vocabulary::{self as fact, RealmForm};

/// Capacities below this are too small for any output of HTTP; testers use nothing between it and 2048.
pub const SMALL: usize = 64;

/// The form of a descriptor; `None` is NULL.
pub fn form(descriptor: Option<&Descriptor>) -> fact::Descriptor {
    let Some(descriptor) = descriptor else { return fact::Descriptor::Absent };
    if descriptor.version != SECBUFFER_VERSION {
        return fact::Descriptor::Version;
    }
    let buffers = descriptor.buffers.as_deref();
    if descriptor.count as usize > buffers.map_or(0, <[Buffer]>::len) {
        return fact::Descriptor::Count;
    }
    let counted = &buffers.unwrap_or_default()[..descriptor.count as usize];
    let promises_too_much = |buffer: &Buffer| buffer.count as usize > buffer.data.as_ref().map_or(0, Vec::len);
    if counted.iter().any(promises_too_much) { fact::Descriptor::Buffer } else { fact::Descriptor::Good }
}

/// The buffers of a good descriptor.
pub fn buffers(descriptor: Option<&Descriptor>) -> &[Buffer] {
    let Some(descriptor) = descriptor else { return &[] };
    let buffers = descriptor.buffers.as_deref().unwrap_or_default();
    &buffers[..buffers.len().min(descriptor.count as usize)]
}

/// The first TOKEN buffer, with its position.
pub fn token(buffers: &[Buffer]) -> Option<(usize, &Buffer)> {
    buffers.iter().enumerate().find(|(_, buffer)| buffer.buffer_type.kind() == BufferType::TOKEN)
}

/// The n-th PKG_PARAMS buffer; empty where there are fewer.
pub fn parameter(buffers: &[Buffer], position: usize) -> &[u8] {
    let mut parameters = buffers.iter().filter(|buffer| buffer.buffer_type.kind() == BufferType::PKG_PARAMS);
    parameters.nth(position).map_or(&[], Buffer::bytes)
}

fn is_output(buffer: &Buffer, kinds: &[BufferType]) -> bool {
    kinds.contains(&buffer.buffer_type.kind()) && buffer.buffer_type.is_writable() && !buffer.bytes().is_empty()
}

/// Where pOutput takes a token: its first writable TOKEN buffer with memory.
pub fn separate_output(buffers: &[Buffer]) -> Option<usize> {
    buffers.iter().position(|buffer| is_output(buffer, &[BufferType::TOKEN]))
}

/// Where a message takes an output: the first writable TOKEN or PADDING buffer with memory behind its token.
pub fn output_after_token(buffers: &[Buffer]) -> Option<usize> {
    let (token, _) = token(buffers)?;
    let after = token + 1;
    buffers[after..]
        .iter()
        .position(|buffer| is_output(buffer, &[BufferType::TOKEN, BufferType::PADDING]))
        .map(|at| after + at)
}

/// Where MakeSignature puts the header: the first writable PADDING buffer with memory, else as [`output_after_token`].
pub fn header_output(buffers: &[Buffer]) -> Option<usize> {
    let padding = buffers.iter().position(|buffer| is_output(buffer, &[BufferType::PADDING]));
    padding.or_else(|| output_after_token(buffers))
}

/// Capacities below this are too small for any output of SASL's context calls: a proof has 40 octets. Testers use nothing
/// between it and 2048.
pub const SMALL_ON_SASL: usize = 40;

/// The form of the input descriptor of a call, with what a call on HTTP reads in it by type.
pub fn form_of_call(call: &Call, profile: Profile) -> fact::Descriptor {
    let form = form(call.input());
    let (reads_bindings, reads_target) = match (call, profile) {
        (Call::InitializeSecurityContext { .. }, Profile::DigestHttp) => (true, true),
        (
            Call::AcceptSecurityContext { .. } | Call::CompleteAuthToken { .. } | Call::VerifySignature { .. },
            Profile::DigestHttp,
        ) => (true, false),
        (
            Call::InitializeSecurityContext { .. }
            | Call::AcceptSecurityContext { .. }
            | Call::CompleteAuthToken { .. }
            | Call::VerifySignature { .. },
            Profile::DigestSasl,
        )
        | (_, Profile::AnyPackage)
        | (
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::MakeSignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. },
            Profile::DigestHttp | Profile::DigestSasl,
        ) => (false, false),
    };
    let buffers = buffers(call.input());
    let bindings_are_malformed =
        || channel_bindings(buffers).is_some_and(|octets| ChannelBindings::parse(octets).is_err());
    let target_is_malformed = || target_host(buffers).is_some_and(|octets| target_text(octets).is_none());
    match form {
        fact::Descriptor::Good if reads_bindings && bindings_are_malformed() => fact::Descriptor::ChannelBindings,
        fact::Descriptor::Good if reads_target && target_is_malformed() => fact::Descriptor::TargetHost,
        fact::Descriptor::Good
        | fact::Descriptor::Absent
        | fact::Descriptor::Version
        | fact::Descriptor::Count
        | fact::Descriptor::Buffer
        | fact::Descriptor::ChannelBindings
        | fact::Descriptor::TargetHost => form,
    }
}

/// The first buffer of a type, if it is not empty.
fn given(buffers: &[Buffer], kind: BufferType) -> Option<&[u8]> {
    let first = buffers.iter().find(|buffer| buffer.buffer_type.kind() == kind)?;
    Some(first.bytes()).filter(|octets| !octets.is_empty())
}

/// The channel bindings of a call, where they are given.
pub fn channel_bindings(buffers: &[Buffer]) -> Option<&[u8]> {
    given(buffers, BufferType::CHANNEL_BINDINGS)
}

/// The target host of a call, where it is given.
pub fn target_host(buffers: &[Buffer]) -> Option<&[u8]> {
    given(buffers, BufferType::TARGET_HOST)
}

/// A target host as printable US-ASCII: UTF-16LE where the length is even and an octet before the last is zero, else
/// UTF-8; a NUL at the end is dropped.
pub fn target_text(octets: &[u8]) -> Option<String> {
    let before_last = octets.split_last().map_or(octets, |(_, before)| before);
    let text = if octets.len().is_multiple_of(2) && before_last.contains(&0) {
        let units = octets.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()?
    } else {
        core::str::from_utf8(octets).ok()?.to_owned()
    };
    let text = text.strip_suffix('\0').unwrap_or(&text);
    text.chars().all(|character| (' '..='~').contains(&character)).then(|| text.to_owned())
}

fn first_of(buffers: &[Buffer], kinds: &[BufferType]) -> Option<usize> {
    buffers.iter().position(|buffer| kinds.contains(&buffer.buffer_type.kind()))
}

fn first_writable(buffers: &[Buffer], kinds: &[BufferType]) -> Option<usize> {
    let fits = |buffer: &Buffer| kinds.contains(&buffer.buffer_type.kind()) && buffer.buffer_type.is_writable();
    buffers.iter().position(fits)
}

/// Where a message stands that is signed or verified: the first DATA buffer.
pub fn data(buffers: &[Buffer]) -> Option<usize> {
    first_of(buffers, &[BufferType::DATA])
}

/// Where a message stands that is encrypted in place: the first writable DATA buffer.
pub fn data_to_encrypt(buffers: &[Buffer]) -> Option<usize> {
    first_writable(buffers, &[BufferType::DATA])
}

/// Where a message stands that is decrypted in place: the first writable STREAM or DATA buffer.
pub fn wrapped(buffers: &[Buffer]) -> Option<usize> {
    first_writable(buffers, &[BufferType::STREAM, BufferType::DATA])
}

/// What may point to the plaintext within the message once that is decrypted in place: where that is a STREAM, the first
/// writable DATA buffer in which nothing is (`spec/errata.toml`, decrypt-buffer-type).
pub fn plaintext_pointer(buffers: &[Buffer]) -> Option<usize> {
    let is_stream = buffers[wrapped(buffers)?].buffer_type.kind() == BufferType::STREAM;
    let is_free = |buffer: &Buffer| {
        buffer.buffer_type.kind() == BufferType::DATA && buffer.buffer_type.is_writable() && buffer.count == 0
    };
    buffers.iter().position(is_free).filter(|_| is_stream)
}

/// Where a signature to verify stands: the first TOKEN or PADDING buffer.
pub fn signature(buffers: &[Buffer]) -> Option<usize> {
    first_of(buffers, &[BufferType::TOKEN, BufferType::PADDING])
}

/// Where MakeSignature puts a signature: the first writable TOKEN or PADDING buffer with memory.
pub fn signature_output(buffers: &[Buffer]) -> Option<usize> {
    buffers.iter().position(|buffer| is_output(buffer, &[BufferType::TOKEN, BufferType::PADDING]))
}

/// Where EncryptMessage puts what comes behind the message: the first PADDING, else the first STREAM_TRAILER, else a
/// second DATA, all writable and with memory.
pub fn rest_output(buffers: &[Buffer], message: Option<usize>) -> Option<usize> {
    let first = |kind| buffers.iter().position(|buffer| is_output(buffer, &[kind]));
    let second_data = || {
        let after = message? + 1;
        let is_data = |buffer: &Buffer| is_output(buffer, &[BufferType::DATA]);
        buffers.get(after..)?.iter().position(is_data).map(|position| after + position)
    };
    first(BufferType::PADDING).or_else(|| first(BufferType::STREAM_TRAILER)).or_else(second_data)
}

/// The fact `output` of an output position, where that much is needed.
pub fn capacity_for(buffers: &[Buffer], position: Option<usize>, needed: usize) -> fact::Output {
    match position.map(|position| buffers[position].bytes().len()) {
        None => fact::Output::Absent,
        Some(capacity) if capacity < needed => fact::Output::Small,
        Some(_) => fact::Output::Enough,
    }
}

/// The fact `output` of an output position on HTTP.
pub fn capacity(buffers: &[Buffer], position: Option<usize>) -> fact::Output {
    capacity_for(buffers, position, SMALL)
}

/// The realm in UTF-16LE that AcceptSecurityContext's caller supplies.
pub fn realm(octets: &[u8]) -> (RealmForm, Option<String>) {
    if octets.is_empty() {
        return (RealmForm::Absent, None);
    }
    let units = octets.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text)
            if octets.len().is_multiple_of(2) && text.chars().all(|character| (' '..='~').contains(&character)) =>
        {
            (RealmForm::Given, Some(text))
        }
        Ok(_) | Err(_) => (RealmForm::Malformed, None),
    }
}

/// The fact `entity` of an HEntity buffer.
pub fn entity(octets: &[u8]) -> fact::Entity {
    if octets.is_empty() {
        fact::Entity::Absent
    } else if crate::digest::hash::unhex32(octets).is_some() {
        fact::Entity::Given
    } else {
        fact::Entity::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::{capacity, entity, form, header_output, output_after_token, parameter, realm, separate_output, token};
    use super::{
        channel_bindings, data, data_to_encrypt, rest_output, signature, signature_output, target_host, target_text,
        wrapped,
    };
    use crate::buffer::BufferType;
    use crate::spec::call::{Buffer, Descriptor};
    use crate::spec::vocabulary as fact;

    fn of(buffer_type: BufferType, bytes: &[u8]) -> Buffer {
        Buffer::new(buffer_type, bytes.to_vec())
    }

    fn descriptor(version: u32, count: u32, buffers: Option<Vec<Buffer>>) -> Descriptor {
        Descriptor { version, count, buffers }
    }

    #[test]
    fn a_descriptor_promises_no_more_than_it_has() {
        let promise = |count, data: Option<&[u8]>| Buffer {
            buffer_type: BufferType::TOKEN,
            count,
            data: data.map(<[u8]>::to_vec),
        };
        for (given, expected) in [
            (descriptor(0, 0, None), fact::Descriptor::Good),
            (descriptor(0, 1, None), fact::Descriptor::Count),
            (descriptor(0, u32::MAX, Some(vec![])), fact::Descriptor::Count),
            (descriptor(1, u32::MAX, None), fact::Descriptor::Version),
            (descriptor(0, 1, Some(vec![promise(1, None)])), fact::Descriptor::Buffer),
            (descriptor(0, 1, Some(vec![promise(u32::MAX, Some(b"a"))])), fact::Descriptor::Buffer),
            (descriptor(0, 1, Some(vec![promise(0, None)])), fact::Descriptor::Good),
            (descriptor(0, 1, Some(vec![promise(1, Some(b"ab"))])), fact::Descriptor::Good),
            // What is not counted is not looked at.
            (descriptor(0, 0, Some(vec![promise(1, None)])), fact::Descriptor::Good),
        ] {
            assert_eq!(form(Some(&given)), expected, "{given:?}");
        }
        assert_eq!(form(None), fact::Descriptor::Absent);
    }

    #[test]
    fn the_first_token_is_the_message_and_parameters_count_by_themselves() {
        let buffers = [
            of(BufferType::PKG_PARAMS, b"GET"),
            of(BufferType::TOKEN.read_only(), b"first"),
            of(BufferType::PKG_PARAMS, b"/"),
            of(BufferType::TOKEN, b"second"),
        ];
        assert_eq!(token(&buffers).map(|(at, buffer)| (at, buffer.bytes())), Some((1, &b"first"[..])));
        assert_eq!([0, 1, 2].map(|position| parameter(&buffers, position)), [&b"GET"[..], b"/", b""]);
        assert_eq!(token(&[]), None);
    }

    #[test]
    fn an_output_can_be_written_and_has_memory() {
        let buffers = [
            of(BufferType::PADDING, b"before"),
            of(BufferType::TOKEN, b"message"),
            of(BufferType::TOKEN.read_only(), b"read-only"),
            Buffer::null(BufferType::TOKEN),
            of(BufferType::DATA, b"data"),
            of(BufferType::PADDING, b"padding"),
            of(BufferType::TOKEN, b"last"),
        ];
        assert_eq!(output_after_token(&buffers), Some(5));
        assert_eq!(output_after_token(&buffers[2..]), Some(3), "a read-only token is a message all the same");
        assert_eq!(output_after_token(&buffers[4..6]), None, "there is no message");
        assert_eq!(output_after_token(&buffers[6..]), None);
        assert_eq!(separate_output(&buffers[2..]), Some(4));
        assert_eq!(header_output(&buffers), Some(0));
        assert_eq!(header_output(&buffers[1..2]), None);
    }

    #[test]
    fn what_is_protected_is_found_by_type() {
        let buffers = [
            of(BufferType::DATA.read_only(), b"read-only"),
            of(BufferType::DATA, b"first"),
            of(BufferType::STREAM.read_only(), b"read-only"),
            of(BufferType::STREAM, b"stream"),
            of(BufferType::DATA, b"second"),
            of(BufferType::STREAM_TRAILER, b"trailer"),
            of(BufferType::PADDING, b"padding"),
            of(BufferType::TOKEN, b"token"),
        ];
        assert_eq!((data(&buffers), data_to_encrypt(&buffers), wrapped(&buffers)), (Some(0), Some(1), Some(1)));
        assert_eq!((signature(&buffers), signature_output(&buffers)), (Some(6), Some(6)));
        let rest = |length: usize| rest_output(&buffers[..length], data_to_encrypt(&buffers[..length]));
        assert_eq!([2, 5, 6, 7].map(rest), [None, Some(4), Some(5), Some(6)]);
        assert_eq!((data(&buffers[2..4]), wrapped(&buffers[2..4])), (None, Some(1)));
        assert_eq!(rest_output(&buffers[4..5], Some(0)), None, "the message is not its own rest");
    }

    #[test]
    fn a_target_is_utf_16_where_it_has_a_zero_octet_before_its_last() {
        let texts: [(&[u8], Option<&str>); 8] = [
            (b"HTTP/host", Some("HTTP/host")),
            (b"HTTP/host\0", Some("HTTP/host")),
            (b"HTTP/hosts\0", Some("HTTP/hosts")),
            (b"H\0T\0\0\0", Some("HT")),
            (b"H\0\n\0", None),
            (b"\xC3\xB6", None),
            (b"\0\xD8", None),
            (b"ab", Some("ab")),
        ];
        for (octets, text) in texts {
            assert_eq!(target_text(octets).as_deref(), text, "{octets:?}");
        }
    }

    #[test]
    fn the_first_buffer_of_a_type_decides() {
        let empty_first = [
            Buffer::null(BufferType::CHANNEL_BINDINGS),
            of(BufferType::CHANNEL_BINDINGS, b"later"),
            of(BufferType::TARGET_HOST.read_only(), b"host"),
        ];
        assert_eq!(channel_bindings(&empty_first), None);
        assert_eq!(channel_bindings(&empty_first[1..]), Some(&b"later"[..]));
        assert_eq!(target_host(&empty_first), Some(&b"host"[..]));
    }

    #[test]
    fn capacities() {
        let buffers = [of(BufferType::TOKEN, &[0; 63]), of(BufferType::TOKEN, &[0; 64])];
        assert_eq!(capacity(&buffers, None), fact::Output::Absent);
        assert_eq!(capacity(&buffers, Some(0)), fact::Output::Small);
        assert_eq!(capacity(&buffers, Some(1)), fact::Output::Enough);
    }

    #[test]
    fn realms_are_utf_16_in_us_ascii() {
        assert_eq!(realm(b""), (fact::RealmForm::Absent, None));
        assert_eq!(realm(b"a\0 \0~\0"), (fact::RealmForm::Given, Some("a ~".into())));
        for malformed in [&b"a"[..], b"a\0b", b"\0\xD8", b"\0\xDC\0\xD8", b"\x7F\0", b"\x1F\0", b"\xFC\0", b"\0\0"] {
            assert_eq!(realm(malformed), (fact::RealmForm::Malformed, None), "{malformed:?}");
        }
    }

    #[test]
    fn an_entity_is_32_hexadecimal_digits() {
        assert_eq!(entity(b""), fact::Entity::Absent);
        assert_eq!(entity(b"d41d8cd98f00b204e9800998ecf8427e"), fact::Entity::Given);
        assert_eq!(entity(b"D41D8CD98F00B204E9800998ECF8427E"), fact::Entity::Given);
        for malformed in [&b"d41d8cd98f00b204e9800998ecf8427"[..], b"d41d8cd98f00b204e9800998ecf8427e0", &[b'g'; 32]] {
            assert_eq!(entity(malformed), fact::Entity::Malformed);
        }
    }
}
