//! What a call's buffers say, read the way `spec/facts.toml` defines it.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SECBUFFER_VERSION};
use crate::spec::call::{Buffer, Descriptor};
use crate::spec::vocabulary::{self as fact, RealmForm};

/// Capacities below this are too small for any output; testers use nothing between it and 2048.
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

/// The fact `output` of an output position.
pub fn capacity(buffers: &[Buffer], position: Option<usize>) -> fact::Output {
    match position.map(|position| buffers[position].bytes().len()) {
        None => fact::Output::Absent,
        Some(capacity) if capacity < SMALL => fact::Output::Small,
        Some(_) => fact::Output::Enough,
    }
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
