//! SecBufferDesc of C, as the package takes it, and back.
//!
//! The package works on copies. What a call may only write is not read, so it may be uninitialised; what a call did not
//! write is not written back, so it may be constant.
#![allow(unsafe_code, reason = "reads and writes the buffers of a caller in C")]

use core::ffi::c_void;
use core::ptr::null_mut;

use zeroize::Zeroizing;

use super::memory::{self, OutOfMemory};
use super::{blocks, trace, types};
use crate::buffer::{BufferType, SECBUFFER_VERSION, SecBuffer, SecBufferDesc};

/// A descriptor with more buffers than this is malformed: no layout has more than a few.
const MOST_BUFFERS: u32 = 64;

/// The longest output. A buffer of more bytes counts as one of so many.
const MOST_ROOM: u32 = 65_536;

/// What a call does with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// It is read.
    Input,
    /// It is read, and replaced.
    InPlace,
    /// It is written.
    Output,
    /// It is written, in memory that the package allocates.
    Allocated,
    /// Nothing but whether it is well-formed.
    Ignored,
}

/// The layouts of the calls (those of [`crate::package::SecurityPackage`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// pInput, and the message of VerifySignature.
    Input,
    /// pOutput.
    Output,
    /// pOutput with ASC_REQ_ALLOCATE_MEMORY or ISC_REQ_ALLOCATE_MEMORY.
    AllocatedOutput,
    /// The message of CompleteAuthToken.
    Completion,
    /// The message of MakeSignature.
    Signature,
    /// The message of EncryptMessage.
    Encryption,
    /// The message of DecryptMessage.
    Decryption,
}

impl Layout {
    /// What the call does with a buffer; `earlier` are the types of those before it.
    fn purpose(self, buffer_type: BufferType, earlier: &[BufferType]) -> Purpose {
        let kind = buffer_type.kind();
        let is_writable = buffer_type.is_writable();
        let is_first = !earlier.iter().any(|other| other.kind() == kind);
        let is_first_writable = !earlier.iter().any(|other| other.kind() == kind && other.is_writable());
        match self {
            Self::Input => Purpose::Input,
            Self::Output | Self::AllocatedOutput if kind != BufferType::TOKEN || !is_writable => Purpose::Ignored,
            Self::Output => Purpose::Output,
            Self::AllocatedOutput if is_first_writable => Purpose::Allocated,
            Self::AllocatedOutput => Purpose::Ignored,
            Self::Completion if !is_writable => Purpose::Input,
            Self::Completion if kind == BufferType::TOKEN && is_first => Purpose::InPlace,
            Self::Completion | Self::Signature
                if is_writable && (kind == BufferType::TOKEN || kind == BufferType::PADDING) =>
            {
                Purpose::Output
            }
            Self::Completion | Self::Signature => Purpose::Input,
            Self::Encryption if !is_writable => Purpose::Ignored,
            Self::Encryption if kind == BufferType::DATA && is_first_writable => Purpose::InPlace,
            Self::Encryption if [BufferType::DATA, BufferType::PADDING, BufferType::STREAM_TRAILER].contains(&kind) => {
                Purpose::Output
            }
            Self::Encryption => Purpose::Ignored,
            Self::Decryption => {
                let is_message =
                    |it: BufferType| it.is_writable() && [BufferType::DATA, BufferType::STREAM].contains(&it.kind());
                if is_message(buffer_type) && !earlier.iter().copied().any(is_message) {
                    Purpose::InPlace
                } else {
                    Purpose::Ignored
                }
            }
        }
    }
}

/// One buffer of the caller, and the copy that the package works on.
struct Buffer {
    /// Where the caller has its SecBuffer.
    place: *mut types::SecBuffer,
    given: types::SecBuffer,
    purpose: Purpose,
    /// `None` where pvBuffer is NULL and the package has no memory to bring either.
    memory: Option<Zeroizing<Vec<u8>>>,
    /// What the copy held before the call.
    before: Zeroizing<Vec<u8>>,
    /// cbBuffer, before the call and after it.
    count: u32,
    count_before: u32,
    /// The number of the block that was allocated for what the call wrote.
    block: Option<u64>,
}

/// A message of the caller: a SecBufferDesc that is not NULL.
pub(super) struct Message {
    version: u32,
    count: u32,
    /// `None` where pBuffers is NULL, or cBuffers or ulVersion such that nothing there is looked at.
    buffers: Option<Vec<Buffer>>,
}

impl Message {
    /// The message at that address; `None` for NULL.
    ///
    /// # Safety
    /// Where they are not NULL and the version is right, `descriptor` can be read, pBuffers has cBuffers structures
    /// that can be read and written, and every pvBuffer has cbBuffer bytes that can be read and, unless BufferType says
    /// read-only, written wherever the call has something to write. Other calls leave all of it alone meanwhile.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub(super) unsafe fn read(
        descriptor: *const types::SecBufferDesc,
        layout: Layout,
    ) -> Result<Option<Self>, OutOfMemory> {
        // SAFETY: that is what the caller of this function says.
        let Some(descriptor) = (unsafe { memory::read(descriptor) }) else { return Ok(None) };
        let types::SecBufferDesc { ulVersion: version, cBuffers: count, pBuffers: buffers } = descriptor;
        if version != SECBUFFER_VERSION || count > MOST_BUFFERS || buffers.is_null() {
            return Ok(Some(Self { version, count, buffers: None }));
        }
        let mut earlier = Vec::new();
        let mut copies = Vec::new();
        for index in 0..count as usize {
            let place = buffers.wrapping_add(index);
            // SAFETY: that is what the caller of this function says.
            let Some(given) = (unsafe { memory::read(place) }) else { continue };
            let buffer_type = BufferType(given.BufferType);
            // SAFETY: that is what the caller of this function says.
            copies.push(unsafe { Buffer::read(place, given, layout.purpose(buffer_type, &earlier)) }?);
            earlier.push(buffer_type);
        }
        Ok(Some(Self { version, count, buffers: Some(copies) }))
    }

    /// Runs a call on the copies.
    pub(super) fn call<R>(message: Option<&mut Self>, call: impl FnOnce(Option<&mut SecBufferDesc<'_, '_>>) -> R) -> R {
        let Some(message) = message else { return call(None) };
        let mut buffers: Option<Vec<SecBuffer<'_>>> =
            message.buffers.as_mut().map(|buffers| buffers.iter_mut().map(Buffer::copy).collect());
        let mut descriptor =
            SecBufferDesc { version: message.version, count: message.count, buffers: buffers.as_deref_mut() };
        let result = call(Some(&mut descriptor));
        let counts: Vec<u32> = buffers.iter().flatten().map(|buffer| buffer.count).collect();
        for (buffer, count) in message.buffers.iter_mut().flatten().zip(counts) {
            buffer.count = count;
        }
        result
    }

    /// Gives the caller what the call wrote. Whether memory was allocated for it.
    ///
    /// # Safety
    /// As [`Self::read`].
    pub(super) unsafe fn write_back(message: Option<&mut Self>) -> bool {
        let mut is_allocated = false;
        for buffer in message.into_iter().filter_map(|message| message.buffers.as_mut()).flatten() {
            // SAFETY: that is what the caller of this function says.
            is_allocated |= unsafe { buffer.write_back() };
        }
        is_allocated
    }

    /// What a trace tells of it, after whatever the call wrote.
    pub(super) fn recorded(&self) -> trace::Descriptor {
        let buffers = self.buffers.as_ref().map(|buffers| buffers.iter().map(Buffer::recorded).collect());
        trace::Descriptor { version: self.version, count: self.count, buffers }
    }

    /// After DecryptMessage of a STREAM: the first writable DATA that is empty points to the plaintext within the stream.
    ///
    /// # Safety
    /// As [`Self::read`].
    pub(super) unsafe fn point_to_plaintext(&self) {
        let all = || self.buffers.iter().flatten();
        let has_kind = |buffer: &Buffer, kind| BufferType(buffer.given.BufferType).kind() == kind;
        let stream = all().find(|buffer| buffer.purpose == Purpose::InPlace && has_kind(buffer, BufferType::STREAM));
        let is_free = |buffer: &Buffer| BufferType(buffer.given.BufferType).is_writable() && buffer.given.cbBuffer == 0;
        let data = all().find(|buffer| has_kind(buffer, BufferType::DATA) && is_free(buffer));
        if let (Some(stream), Some(data)) = (stream, data) {
            let pointed = types::SecBuffer { cbBuffer: stream.count, pvBuffer: stream.given.pvBuffer, ..data.given };
            // SAFETY: it was read from there, and the caller of this function says that it can be written.
            unsafe { memory::write(data.place, pointed) };
        }
    }
}

impl Buffer {
    /// # Safety
    /// As [`Message::read`].
    unsafe fn read(
        place: *mut types::SecBuffer,
        given: types::SecBuffer,
        purpose: Purpose,
    ) -> Result<Self, OutOfMemory> {
        let given_count = given.cbBuffer;
        let (memory, count) = match purpose {
            Purpose::Allocated => (Some(room(MOST_ROOM)?), MOST_ROOM),
            // What is not well-formed goes to the package as it is, to be judged in its turn.
            _ if given.pvBuffer.is_null() => (None, given_count),
            Purpose::Input | Purpose::InPlace => {
                // SAFETY: that is what the caller of this function says.
                (Some(unsafe { memory::copy(given.pvBuffer.cast::<u8>(), given_count as usize) }?), given_count)
            }
            Purpose::Output => (Some(room(given_count.min(MOST_ROOM))?), given_count.min(MOST_ROOM)),
            Purpose::Ignored => (None, 0),
        };
        let before = match purpose {
            Purpose::InPlace => memory.clone().unwrap_or_default(),
            Purpose::Input | Purpose::Output | Purpose::Allocated | Purpose::Ignored => Zeroizing::default(),
        };
        Ok(Self { place, given, purpose, memory, before, count, count_before: count, block: None })
    }

    fn copy(&mut self) -> SecBuffer<'_> {
        SecBuffer {
            buffer_type: BufferType(self.given.BufferType),
            count: self.count,
            data: self.memory.as_mut().map(|memory| memory.as_mut_slice()),
        }
    }

    /// What the call wrote; `None` where it wrote nothing.
    fn written(&self) -> Option<&[u8]> {
        let memory = self.memory.as_deref()?;
        let is_written = match self.purpose {
            Purpose::InPlace => self.count != self.count_before || **memory != **self.before,
            // A header is text, and what ends with the number of a message has its type before that: never all zeros.
            Purpose::Output | Purpose::Allocated => {
                self.count != self.count_before || memory.iter().any(|octet| *octet != 0)
            }
            Purpose::Input | Purpose::Ignored => false,
        };
        match self.purpose {
            _ if !is_written => None,
            // Behind a plaintext that is shorter than its message nothing has changed.
            Purpose::InPlace => Some(memory),
            Purpose::Output | Purpose::Allocated | Purpose::Input | Purpose::Ignored => {
                memory.get(..self.count as usize)
            }
        }
    }

    /// # Safety
    /// As [`Message::read`].
    unsafe fn write_back(&mut self) -> bool {
        let Some(written) = self.written() else { return false };
        let is_allocated = self.purpose == Purpose::Allocated && !written.is_empty();
        let memory: *mut c_void = match self.purpose {
            Purpose::Allocated if is_allocated => blocks::give(written),
            Purpose::Allocated => null_mut(),
            Purpose::Input | Purpose::InPlace | Purpose::Output | Purpose::Ignored => {
                // SAFETY: no more than cbBuffer was copied from there or promised to the package, and the caller of
                // this function says that it can be written.
                unsafe { memory::put(self.given.pvBuffer.cast(), written) };
                self.given.pvBuffer
            }
        };
        let buffer = types::SecBuffer { cbBuffer: self.count, pvBuffer: memory, ..self.given };
        // SAFETY: it was read from there, and the caller of this function says that it can be written.
        unsafe { memory::write(self.place, buffer) };
        if is_allocated {
            self.block = blocks::number(memory);
        }
        is_allocated
    }

    fn recorded(&self) -> trace::Buffer {
        let kind = BufferType(self.given.BufferType).kind();
        // Messages and their seals are nobody's business.
        let is_told = [BufferType::TOKEN, BufferType::PADDING].contains(&kind);
        let read = match self.purpose {
            Purpose::Input => self.memory.as_deref(),
            Purpose::InPlace => Some(&*self.before),
            Purpose::Output | Purpose::Allocated | Purpose::Ignored => None,
        };
        let after = self.written().map(|written| trace::Written {
            length: self.count,
            block: self.block,
            text: is_told.then(|| trace::text(written)).flatten(),
        });
        trace::Buffer {
            buffer_type: self.given.BufferType,
            length: self.given.cbBuffer,
            null: self.given.pvBuffer.is_null(),
            text: read.filter(|_| kind == BufferType::TOKEN).and_then(|token| trace::text(token)),
            after,
        }
    }
}

/// So many zeros.
fn room(bytes: u32) -> Result<Zeroizing<Vec<u8>>, OutOfMemory> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes as usize).map_err(|_| OutOfMemory)?;
    room.resize(bytes as usize, 0);
    Ok(Zeroizing::new(room))
}

#[cfg(test)]
mod tests {
    use core::ptr::null_mut;

    use super::Purpose::{Allocated, Ignored, InPlace, Input, Output};
    use super::{Buffer, BufferType, Layout, Purpose, Zeroizing, types};

    const DATA: BufferType = BufferType::DATA;
    const TOKEN: BufferType = BufferType::TOKEN;
    const PADDING: BufferType = BufferType::PADDING;
    const STREAM: BufferType = BufferType::STREAM;
    const TRAILER: BufferType = BufferType::STREAM_TRAILER;
    const PARAMETERS: BufferType = BufferType::PKG_PARAMS;

    #[test]
    fn each_layout_says_what_its_call_does_with_buffers() {
        let types: &[(Layout, &[(BufferType, Purpose)])] = &[
            (Layout::Input, &[(TOKEN, Input), (DATA.read_only(), Input), (PARAMETERS, Input)]),
            (Layout::Output, &[(TOKEN, Output), (TOKEN, Output), (TOKEN.read_only(), Ignored), (DATA, Ignored)]),
            (
                Layout::AllocatedOutput,
                &[(TOKEN.read_only(), Ignored), (DATA, Ignored), (TOKEN, Allocated), (TOKEN, Ignored)],
            ),
            (
                Layout::Completion,
                &[
                    (PARAMETERS, Input),
                    (TOKEN, InPlace),
                    (TOKEN, Output),
                    (PADDING, Output),
                    (TOKEN.read_only(), Input),
                    (PADDING.read_only(), Input),
                ],
            ),
            (Layout::Completion, &[(TOKEN.read_only(), Input), (TOKEN, Output)]),
            (
                Layout::Signature,
                &[
                    (TOKEN, Output),
                    (PADDING, Output),
                    (DATA, Input),
                    (PARAMETERS, Input),
                    (TOKEN.read_only(), Input),
                    (PADDING.read_only(), Input),
                ],
            ),
            (
                Layout::Encryption,
                &[
                    (DATA.read_only(), Ignored),
                    (DATA, InPlace),
                    (DATA, Output),
                    (PADDING, Output),
                    (TRAILER, Output),
                    (PADDING.read_only(), Ignored),
                    (TOKEN, Ignored),
                ],
            ),
            (
                Layout::Decryption,
                &[(TOKEN, Ignored), (STREAM.read_only(), Ignored), (DATA, InPlace), (STREAM, Ignored)],
            ),
            (Layout::Decryption, &[(DATA.read_only(), Ignored), (STREAM, InPlace), (DATA, Ignored)]),
        ];
        for (layout, buffers) in types {
            let kinds: Vec<BufferType> = buffers.iter().map(|(kind, _)| *kind).collect();
            for (at, (kind, purpose)) in buffers.iter().enumerate() {
                assert_eq!(layout.purpose(*kind, &kinds[..at]), *purpose, "{layout:?} {at}");
            }
        }
    }

    /// A buffer of two bytes, after a call.
    fn buffer(kind: BufferType, purpose: Purpose, before: &[u8], now: &[u8], count: u32) -> Buffer {
        Buffer {
            place: null_mut(),
            given: types::SecBuffer { cbBuffer: 2, BufferType: kind.0, pvBuffer: null_mut() },
            purpose,
            memory: Some(Zeroizing::new(now.to_vec())),
            before: Zeroizing::new(before.to_vec()),
            count,
            count_before: 2,
            block: None,
        }
    }

    #[test]
    fn what_was_not_written_is_not_written_back() {
        let written =
            |purpose, before, now, count| buffer(DATA, purpose, before, now, count).written().map(<[u8]>::to_vec);
        assert_eq!(written(InPlace, b"ab", b"ab", 2), None);
        assert_eq!(written(InPlace, b"ab", b"ac", 2), Some(b"ac".to_vec()));
        assert_eq!(written(InPlace, b"ab", b"ab", 1), Some(b"ab".to_vec()), "all of it, whatever counts now");
        for purpose in [Output, Allocated] {
            assert_eq!(written(purpose, b"", &[0, 0], 2), None);
            assert_eq!(written(purpose, b"", &[0, 7], 2), Some(vec![0, 7]));
            assert_eq!(written(purpose, b"", &[0, 0], 1), Some(vec![0]));
        }
        for purpose in [Input, Ignored] {
            assert_eq!(written(purpose, b"ab", b"ac", 1), None);
        }
    }

    #[test]
    fn a_trace_tells_what_tokens_say_and_of_messages_nothing() {
        let (one, other) = ("nc=00000001", "nc=00000002");
        let told = |kind, purpose| {
            let told = buffer(kind, purpose, one.as_bytes(), other.as_bytes(), 11).recorded();
            (told.text, told.after.map(|after| after.text))
        };
        let [one, other] = [one, other].map(|text| Some(text.to_owned()));
        assert_eq!(told(TOKEN, Input), (other.clone(), None));
        assert_eq!(told(TOKEN, InPlace), (one, Some(other.clone())));
        assert_eq!(told(TOKEN, Output), (None, Some(other.clone())));
        assert_eq!(told(TOKEN, Allocated), (None, Some(other.clone())));
        assert_eq!(told(TOKEN, Ignored), (None, None));
        // What CompleteAuthToken puts there is a token, what it held before need not be one.
        assert_eq!(told(PADDING, InPlace), (None, Some(other.clone())));
        for kind in [DATA, STREAM, TRAILER, PARAMETERS] {
            assert_eq!(told(kind, Input), (None, None));
            assert_eq!(told(kind, InPlace), (None, Some(None)));
            assert_eq!(told(kind, Output), (None, Some(None)));
        }
    }
}
