//! SecBuffer, SecBufferDesc and SecHandle: the shapes in which SSPI passes data.
#![forbid(unsafe_code)]

use core::fmt;

/// The type of a [`SecBuffer`], attribute bits included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferType(pub u32);

impl BufferType {
    /// Undefined; a package may replace it.
    pub const EMPTY: Self = Self(0);
    /// Packet data.
    pub const DATA: Self = Self(1);
    /// Security token.
    pub const TOKEN: Self = Self(2);
    /// Package-specific parameters.
    pub const PKG_PARAMS: Self = Self(3);
    /// The part of a stream behind its data.
    pub const STREAM_TRAILER: Self = Self(6);
    /// The part of a stream before its data.
    pub const STREAM_HEADER: Self = Self(7);
    /// Padding; MakeSignature writes the next header there.
    pub const PADDING: Self = Self(9);
    /// A whole message as it came from the stream.
    pub const STREAM: Self = Self(10);
    /// Channel bindings.
    pub const CHANNEL_BINDINGS: Self = Self(14);
    /// The service principal name of the target.
    pub const TARGET_HOST: Self = Self(16);
    /// Attribute: the package must not write this buffer.
    pub const READONLY: u32 = 0x8000_0000;
    /// Attribute: read-only, with its checksum verified.
    pub const READONLY_WITH_CHECKSUM: u32 = 0x1000_0000;
    /// The bits that hold attributes and not the type (SECBUFFER_ATTRMASK).
    pub const ATTRIBUTE_MASK: u32 = 0xF000_0000;

    /// The type without its attribute bits.
    pub const fn kind(self) -> Self {
        Self(self.0 & !Self::ATTRIBUTE_MASK)
    }

    /// Whether the package may write the buffer.
    pub const fn is_writable(self) -> bool {
        self.0 & (Self::READONLY | Self::READONLY_WITH_CHECKSUM) == 0
    }

    /// The same type with the read-only attribute.
    pub const fn read_only(self) -> Self {
        Self(self.0 | Self::READONLY)
    }
}

impl fmt::Debug for BufferType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind() {
            Self::EMPTY => "EMPTY",
            Self::DATA => "DATA",
            Self::TOKEN => "TOKEN",
            Self::PKG_PARAMS => "PKG_PARAMS",
            Self::STREAM_TRAILER => "STREAM_TRAILER",
            Self::STREAM_HEADER => "STREAM_HEADER",
            Self::PADDING => "PADDING",
            Self::STREAM => "STREAM",
            Self::CHANNEL_BINDINGS => "CHANNEL_BINDINGS",
            Self::TARGET_HOST => "TARGET_HOST",
            Self(other) => return write!(formatter, "SECBUFFER(0x{other:X})"),
        };
        formatter.write_str(name)?;
        if self.is_writable() { Ok(()) } else { formatter.write_str("|READONLY") }
    }
}

/// SECBUFFER_VERSION, the only version a [`SecBufferDesc`] may carry.
pub const SECBUFFER_VERSION: u32 = 0;

/// One buffer of a message: its type, its memory and how much of it counts.
///
/// As in C, `count` (cbBuffer) is the length of what is there, for an output buffer its
/// capacity before the call and the bytes written after it. `data` (pvBuffer) may be NULL.
pub struct SecBuffer<'a> {
    /// BufferType: what the buffer holds.
    pub buffer_type: BufferType,
    /// cbBuffer, in bytes. More than the memory holds makes the descriptor malformed.
    pub count: u32,
    /// pvBuffer.
    pub data: Option<&'a mut [u8]>,
}

impl<'a> SecBuffer<'a> {
    /// A buffer over all of `data`.
    pub fn new(buffer_type: BufferType, data: &'a mut [u8]) -> Self {
        let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { buffer_type, count, data: Some(data) }
    }

    /// A buffer without memory: cbBuffer 0, pvBuffer NULL.
    pub fn null(buffer_type: BufferType) -> Self {
        Self { buffer_type, count: 0, data: None }
    }

    /// What is there, or `None` where `count` promises more than `data` holds.
    pub fn bytes(&self) -> Option<&[u8]> {
        let count = self.count as usize;
        match &self.data {
            Some(data) => data.get(..count),
            None if count == 0 => Some(&[]),
            None => None,
        }
    }
}

impl fmt::Debug for SecBuffer<'_> {
    /// Without what is in the memory: it may be a message that was encrypted before.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { buffer_type, count, data } = self;
        let memory = data.as_ref().map(|data| data.len());
        let mut fields = formatter.debug_struct("SecBuffer");
        fields.field("buffer_type", buffer_type).field("count", count).field("memory", &memory).finish()
    }
}

/// A descriptor of a whole message (SecBufferDesc).
#[derive(Debug)]
pub struct SecBufferDesc<'d, 'a> {
    /// ulVersion; [`SECBUFFER_VERSION`] or the descriptor is malformed.
    pub version: u32,
    /// cBuffers. More than `buffers` holds makes the descriptor malformed.
    pub count: u32,
    /// pBuffers.
    pub buffers: Option<&'d mut [SecBuffer<'a>]>,
}

impl<'d, 'a> SecBufferDesc<'d, 'a> {
    /// A descriptor of all of `buffers`.
    pub fn new(buffers: &'d mut [SecBuffer<'a>]) -> Self {
        let count = u32::try_from(buffers.len()).unwrap_or(u32::MAX);
        Self { version: SECBUFFER_VERSION, count, buffers: Some(buffers) }
    }
}

/// SecHandle: two words, meaningful only to the package that made them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct SecHandle {
    /// dwLower.
    pub lower: u64,
    /// dwUpper.
    pub upper: u64,
}

/// A handle of credentials; nothing but its use tells it from a [`CtxtHandle`], as in C.
pub type CredHandle = SecHandle;
/// A handle of a security context.
pub type CtxtHandle = SecHandle;
