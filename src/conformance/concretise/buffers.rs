//! Putting buffers and descriptors together, good and flawed.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::buffer::BufferType;
use crate::spec::call::{Buffer, Descriptor};
use crate::spec::vocabulary::{Fact, ValueIndex};

use super::super::action::CallAction;

/// An output buffer to be.
pub(super) enum Output {
    /// No descriptor, or no such buffer in it.
    None,
    /// A buffer without memory.
    Null(BufferType),
    /// A buffer of that type and capacity.
    Capacity(BufferType, usize),
}

impl Output {
    pub(super) fn buffer(self) -> Option<Buffer> {
        match self {
            Self::None => None,
            Self::Null(buffer_type) => Some(Buffer::null(buffer_type)),
            Self::Capacity(buffer_type, capacity) => Some(Buffer::new(buffer_type, vec![0xA5; capacity])),
        }
    }
}

/// The token and its parameters in their order, with buffers in between that no function looks at.
pub(super) fn message(token: Option<Buffer>, parameters: Vec<Vec<u8>>, rng: &mut Rng) -> Vec<Buffer> {
    let mut buffers: Vec<Buffer> = token.into_iter().collect();
    for parameter in parameters {
        let buffer_type = if rng.u8(..4) == 0 { BufferType::PKG_PARAMS.read_only() } else { BufferType::PKG_PARAMS };
        buffers.push(if parameter.is_empty() && rng.bool() {
            Buffer::null(buffer_type)
        } else {
            Buffer::new(buffer_type, parameter)
        });
        if rng.u8(..16) == 0 {
            buffers.push(Buffer::null(BufferType::EMPTY));
        }
    }
    buffers
}

/// A descriptor flawed in the way that a value of `descriptor` or `output-descriptor` names.
pub(super) fn flawed(mut descriptor: Descriptor, wish: Option<ValueIndex>, rng: &mut Rng) -> Option<Descriptor> {
    let name = wish.map_or("good", |wish| Fact::Descriptor.values()[wish as usize]);
    match name {
        "absent" => return None,
        "version" => descriptor.version = rng.u32(1..),
        "count" => {
            descriptor.buffers = None;
            descriptor.count = rng.u32(1..8);
        }
        "buffer" => {
            if descriptor.count == 0 {
                descriptor = Descriptor::new(vec![Buffer::null(BufferType::DATA)]);
            }
            let length = descriptor.buffers.as_ref().map_or(0, Vec::len);
            if let Some(buffer) =
                descriptor.buffers.as_mut().and_then(|buffers| buffers.get_mut(rng.usize(..length.max(1))))
            {
                buffer.data = None;
                buffer.count = rng.u32(1..4096);
            }
        }
        _other => {}
    }
    Some(descriptor)
}

/// pOutput: one buffer, or none.
pub(super) fn output_descriptor(output: Output, action: &CallAction) -> Option<Descriptor> {
    let mut rng = Rng::with_seed(action.variety ^ 0x6F75_7470_7574);
    let flaw = action.wishes.get(Fact::OutputDescriptor).map(|wish| Fact::OutputDescriptor.values()[wish as usize]);
    let flaw = flaw.and_then(|name| Fact::Descriptor.value(name));
    let buffer = output.buffer();
    let promises_memory = flaw.map(|flaw| Fact::Descriptor.values()[flaw as usize]) == Some("buffer");
    if buffer.is_none() && !promises_memory {
        return if rng.bool() && flaw.is_none_or(|flaw| flaw == 0) {
            None
        } else {
            flawed(Descriptor::new(Vec::new()), flaw, &mut rng)
        };
    }
    let buffer = buffer.unwrap_or_else(|| Buffer::new(BufferType::TOKEN, vec![0xA5; 2048]));
    flawed(Descriptor::new(vec![buffer]), flaw, &mut rng)
}
