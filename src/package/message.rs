//! SecBufferDesc to typed slots, and back.
//!
//! Several PKG_PARAMS can only be told apart by their order among themselves; every other buffer is found by its
//! type (`using-secbufferdesc-and-secbuffer`; the CompleteAuthToken and MakeSignature layouts).
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SECBUFFER_VERSION, SecBuffer, SecBufferDesc};
use crate::context::failure::DescriptorError;

/// The buffers of one good descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots<'b, 'a> {
    buffers: &'b [SecBuffer<'a>],
}

/// An output buffer: where it is and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutputSlot {
    index: usize,
    pub(super) capacity: usize,
}

/// A buffer whose content is replaced in place.
#[derive(Clone, Copy)]
pub(super) struct Message<'b> {
    index: usize,
    pub(super) bytes: &'b [u8],
}

impl Message<'_> {
    pub(super) fn slot(&self) -> OutputSlot {
        OutputSlot { index: self.index, capacity: self.bytes.len() }
    }
}

impl<'b, 'a> Slots<'b, 'a> {
    /// The buffers of a descriptor that must be there.
    pub(super) fn required(descriptor: Option<&'b SecBufferDesc<'_, 'a>>) -> Result<Self, DescriptorError> {
        Self::of(descriptor.ok_or(DescriptorError::Null)?)
    }

    /// The buffers of a descriptor that may be NULL, which means none.
    pub(super) fn optional(descriptor: Option<&'b SecBufferDesc<'_, 'a>>) -> Result<Self, DescriptorError> {
        match descriptor {
            Some(descriptor) => Self::of(descriptor),
            None => Ok(Self { buffers: &[] }),
        }
    }

    fn of(descriptor: &'b SecBufferDesc<'_, 'a>) -> Result<Self, DescriptorError> {
        if descriptor.version != SECBUFFER_VERSION {
            return Err(DescriptorError::Version(descriptor.version));
        }
        let buffers: &'b [SecBuffer<'a>] = descriptor.buffers.as_deref().unwrap_or_default();
        let buffers = buffers.get(..descriptor.count as usize).ok_or(DescriptorError::Count(descriptor.count))?;
        match buffers.iter().position(|buffer| buffer.bytes().is_none()) {
            Some(index) => Err(DescriptorError::Buffer(index)),
            None => Ok(Self { buffers }),
        }
    }

    fn token_at(&self) -> Option<usize> {
        self.buffers.iter().position(|buffer| buffer.buffer_type.kind() == BufferType::TOKEN)
    }

    /// The first TOKEN, writable or not.
    pub(super) fn token(&self) -> Option<&'b [u8]> {
        self.buffers.get(self.token_at()?).map(bytes)
    }

    /// Whether the first TOKEN may be written.
    pub(super) fn token_is_writable(&self) -> bool {
        let token = self.token_at().and_then(|index| self.buffers.get(index));
        token.is_some_and(|token| token.buffer_type.is_writable())
    }

    /// The first buffer of that type, writable or not; empty where there is none.
    pub(super) fn first(&self, kind: BufferType) -> &'b [u8] {
        let mut found = self.buffers.iter().filter(|buffer| buffer.buffer_type.kind() == kind);
        found.next().map(bytes).unwrap_or_default()
    }

    /// SASL MakeSignature, VerifySignature: the first DATA, writable or not.
    pub(super) fn data(&self) -> Option<&'b [u8]> {
        self.buffers.iter().find(|buffer| buffer.buffer_type.kind() == BufferType::DATA).map(bytes)
    }

    /// SASL VerifySignature: the first TOKEN or PADDING, writable or not.
    pub(super) fn signature(&self) -> Option<&'b [u8]> {
        let is_signature = |kind| kind == BufferType::TOKEN || kind == BufferType::PADDING;
        self.buffers.iter().find(|buffer| is_signature(buffer.buffer_type.kind())).map(bytes)
    }

    /// SASL MakeSignature: the first writable TOKEN or PADDING with room.
    pub(super) fn output_signature(&self) -> Option<OutputSlot> {
        self.output_from(0, &[BufferType::TOKEN, BufferType::PADDING])
    }

    /// EncryptMessage: the first writable DATA, which may be empty.
    pub(super) fn message(&self) -> Option<Message<'b>> {
        self.first_writable(|kind| kind == BufferType::DATA)
    }

    /// EncryptMessage: where what follows the message goes. The first writable PADDING with room, else such a
    /// STREAM_TRAILER, else a further DATA.
    pub(super) fn output_rest(&self) -> Option<OutputSlot> {
        self.output_from(0, &[BufferType::PADDING])
            .or_else(|| self.output_from(0, &[BufferType::STREAM_TRAILER]))
            .or_else(|| self.output_from(self.message()?.index + 1, &[BufferType::DATA]))
    }

    /// DecryptMessage: the first writable STREAM or DATA.
    pub(super) fn wrapped(&self) -> Option<Message<'b>> {
        self.first_writable(|kind| kind == BufferType::STREAM || kind == BufferType::DATA)
    }

    fn first_writable(&self, is_it: impl Fn(BufferType) -> bool) -> Option<Message<'b>> {
        let index = self
            .buffers
            .iter()
            .position(|buffer| is_it(buffer.buffer_type.kind()) && buffer.buffer_type.is_writable())?;
        self.buffers.get(index).map(|buffer| Message { index, bytes: bytes(buffer) })
    }

    /// The PKG_PARAMS of that number, from 0; empty where there is none.
    pub(super) fn parameter(&self, number: usize) -> &'b [u8] {
        let mut parameters = self.buffers.iter().filter(|buffer| buffer.buffer_type.kind() == BufferType::PKG_PARAMS);
        parameters.nth(number).map(bytes).unwrap_or_default()
    }

    /// AcceptSecurityContext, InitializeSecurityContext: the first writable TOKEN of the output descriptor.
    pub(super) fn output_token(&self) -> Option<OutputSlot> {
        let token = self.first_writable(|kind| kind == BufferType::TOKEN)?;
        self.slot(token.index)
    }

    /// CompleteAuthToken: the first writable TOKEN or PADDING with room after the message TOKEN.
    pub(super) fn output_after_token(&self) -> Option<OutputSlot> {
        self.output_from(self.token_at()? + 1, &[BufferType::TOKEN, BufferType::PADDING])
    }

    /// MakeSignature: the first writable PADDING with room, else a second TOKEN.
    pub(super) fn output_padding(&self) -> Option<OutputSlot> {
        self.output_from(0, &[BufferType::PADDING])
            .or_else(|| self.output_from(self.token_at()? + 1, &[BufferType::TOKEN]))
    }

    /// From a position on, the first writable buffer of one of those types with room.
    fn output_from(&self, start: usize, kinds: &[BufferType]) -> Option<OutputSlot> {
        let after = self.buffers.iter().enumerate().skip(start);
        let mut of_kind =
            after.filter(|(_, buffer)| kinds.contains(&buffer.buffer_type.kind()) && buffer.buffer_type.is_writable());
        of_kind.find_map(|(index, _)| self.slot(index))
    }

    /// A buffer without room counts as absent.
    fn slot(&self, index: usize) -> Option<OutputSlot> {
        let capacity = self.buffers.get(index).map(bytes)?.len();
        if capacity == 0 { None } else { Some(OutputSlot { index, capacity }) }
    }

    /// Where the first TOKEN is, to write into it.
    pub(super) fn token_slot(&self) -> Option<OutputSlot> {
        self.token_at().and_then(|index| self.slot(index))
    }
}

fn bytes<'b>(buffer: &'b SecBuffer<'_>) -> &'b [u8] {
    buffer.bytes().unwrap_or_default()
}

/// Writes `output` into its slot and sets cbBuffer; nothing to write sets it to 0.
pub(super) fn write(descriptor: Option<&mut SecBufferDesc<'_, '_>>, slot: Option<OutputSlot>, output: &[u8]) {
    let Some(buffer) = buffer_at(descriptor, slot) else { return };
    let Some(place) = buffer.data.as_deref_mut().and_then(|data| data.get_mut(..output.len())) else { return };
    place.copy_from_slice(output);
    buffer.count = u32::try_from(output.len()).unwrap_or(u32::MAX);
}

/// Overwrites part of a buffer and leaves cbBuffer as it is.
pub(super) fn overwrite(
    descriptor: Option<&mut SecBufferDesc<'_, '_>>,
    slot: Option<OutputSlot>,
    at: usize,
    part: &[u8],
) {
    let Some(buffer) = buffer_at(descriptor, slot) else { return };
    let place = buffer.data.as_deref_mut().and_then(|data| data.get_mut(at..)?.get_mut(..part.len()));
    if let Some(place) = place {
        place.copy_from_slice(part);
    }
}

fn buffer_at<'d, 'a>(
    descriptor: Option<&'d mut SecBufferDesc<'_, 'a>>,
    slot: Option<OutputSlot>,
) -> Option<&'d mut SecBuffer<'a>> {
    descriptor?.buffers.as_deref_mut()?.get_mut(slot?.index)
}
