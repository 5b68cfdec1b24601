//! The memory of one call: everything the library is given a pointer to, and what it may do with it.
#![allow(unsafe_code, reason = "makes structures that point to memory, and reads what a library wrote")]

use core::ffi::c_void;
use std::ptr::null_mut;

use super::arena::{Arena, Piece};
use super::layouts::{self, FreeBuffer, SecBuffer, SecBufferDesc};
use crate::buffer::BufferType;
use crate::conformance::subject::SubjectError;
use crate::spec::call::{Buffer, Descriptor};

/// Whether the library may write to a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    /// It may.
    ReadWrite,
    /// It may not.
    ReadOnly,
}

/// A piece and what is known of it.
#[derive(Debug)]
struct Lent {
    piece: Piece,
    what: String,
    access: Access,
    before: Vec<u8>,
}

/// Names a piece of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

/// The memory of one call.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    arena: &'a mut Arena,
    lent: Vec<Lent>,
}

/// A descriptor that a call takes, as it was and where it lies.
#[derive(Debug)]
pub(super) struct LentDescriptor<'c> {
    descriptor: &'c Descriptor,
    place: Place,
    /// The array, and for each of its buffers the memory.
    array: Option<(Place, Vec<Option<Place>>)>,
}

/// Types that any bytes are a value of, and whose bytes are all initialised.
///
/// # Safety
/// They consist of integers and pointers, without padding.
pub(super) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($name:ty),*) => {$(
        // SAFETY: integers and pointers, whose sizes leave no room for padding on systems with 64 bits.
        unsafe impl Plain for $name {}
    )*};
}

plain!(u32, i64, u64, layouts::SecHandle, SecBuffer, SecBufferDesc, layouts::Sizes);
plain!(layouts::StreamSizes, layouts::Name, layouts::KeyInfo, layouts::SessionKey, layouts::AuthIdentity);
plain!(layouts::Pointer, layouts::PackageInfo);

impl<'a> Frame<'a> {
    pub(super) fn new(arena: &'a mut Arena) -> Self {
        Self { arena, lent: Vec::new() }
    }

    fn lend(&mut self, bytes: &[u8], what: impl Into<String>, access: Access) -> Result<Place, SubjectError> {
        let piece = self.arena.place(bytes).map_err(|error| {
            SubjectError::Errored(format!("there is no memory for what the library is given: {error}"))
        })?;
        let before = if access == Access::ReadOnly { bytes.to_vec() } else { Vec::new() };
        self.lent.push(Lent { piece, what: what.into(), access, before });
        Ok(Place(self.lent.len() - 1))
    }

    /// Bytes that the library may only read; a pointer to them.
    pub(super) fn constant(&mut self, bytes: &[u8], what: &str) -> Result<*mut c_void, SubjectError> {
        let place = self.lend(bytes, what, Access::ReadOnly)?;
        Ok(self.pointer(place))
    }

    /// The same for what is NULL where there is nothing.
    pub(super) fn optional(&mut self, bytes: Option<&[u8]>, what: &str) -> Result<*mut c_void, SubjectError> {
        bytes.map_or(Ok(null_mut()), |bytes| self.constant(bytes, what))
    }

    /// Bytes that the library may write.
    pub(super) fn room(&mut self, bytes: &[u8], what: &str) -> Result<Place, SubjectError> {
        self.lend(bytes, what, Access::ReadWrite)
    }

    /// A variable that the library may write.
    pub(super) fn variable<T: Plain>(&mut self, value: T, what: &str) -> Result<Place, SubjectError> {
        self.room(bytes_of(&value), what)
    }

    /// A structure that the library may only read; a pointer to it.
    pub(super) fn structure<T: Plain>(&mut self, value: T, what: &str) -> Result<*mut c_void, SubjectError> {
        self.constant(bytes_of(&value), what)
    }

    pub(super) fn pointer<T>(&self, place: Place) -> *mut T {
        self.lent[place.0].piece.at().cast()
    }

    /// What a variable holds now.
    pub(super) fn value<T: Plain>(&self, place: Place) -> T {
        let bytes = self.bytes(place);
        assert!(bytes.len() >= size_of::<T>(), "a variable is read as what it was lent as");
        // SAFETY: there are so many bytes, and any are a value of a plain type.
        unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
    }

    /// What a piece holds now.
    pub(super) fn bytes(&self, place: Place) -> &[u8] {
        self.lent[place.0].piece.bytes()
    }

    /// A descriptor as the call says; a pointer to it, and what is needed to read it back.
    pub(super) fn descriptor<'c>(
        &mut self,
        descriptor: Option<&'c Descriptor>,
        what: &str,
    ) -> Result<Option<LentDescriptor<'c>>, SubjectError> {
        let Some(descriptor) = descriptor else { return Ok(None) };
        let mut array = None;
        if let Some(buffers) = &descriptor.buffers {
            if descriptor.count as usize > buffers.len() {
                let problem = format!("{what}: cBuffers {} of {} buffers is no call", descriptor.count, buffers.len());
                return Err(SubjectError::Unable(problem));
            }
            let places = buffers.iter().enumerate().map(|(index, buffer)| {
                self.buffer(buffer, || format!("buffer {index} of {what} ({:?})", buffer.buffer_type))
            });
            let places = places.collect::<Result<Vec<_>, _>>()?;
            let structures = buffers.iter().zip(&places).flat_map(|(buffer, place)| {
                let memory = place.map_or(null_mut(), |place| self.pointer(place));
                let structure = SecBuffer { count: buffer.count, buffer_type: buffer.buffer_type.0, memory };
                bytes_of(&structure).to_vec()
            });
            let structures: Vec<u8> = structures.collect();
            array = Some((self.room(&structures, &format!("the SecBuffers of {what}"))?, places));
        }
        let buffers = array.as_ref().map_or(null_mut(), |(place, _)| self.pointer(*place));
        let structure = SecBufferDesc { version: descriptor.version, count: descriptor.count, buffers };
        let place = self.variable(structure, &format!("the SecBufferDesc {what}"))?;
        Ok(Some(LentDescriptor { descriptor, place, array }))
    }

    /// The memory of a buffer as far as it counts: what is behind that, the library cannot reach.
    fn buffer(&mut self, buffer: &Buffer, what: impl Fn() -> String) -> Result<Option<Place>, SubjectError> {
        let Some(data) = &buffer.data else { return Ok(None) };
        let bytes = data.get(..buffer.count as usize).ok_or_else(|| {
            SubjectError::Unable(format!("{}: cbBuffer {} of {} bytes is no call", what(), buffer.count, data.len()))
        })?;
        let access = if buffer.buffer_type.is_writable() { Access::ReadWrite } else { Access::ReadOnly };
        self.lend(bytes, what(), access).map(Some)
    }

    /// A pointer to a descriptor; NULL where there is none.
    pub(super) fn pointer_to(&self, descriptor: Option<&LentDescriptor<'_>>) -> *mut SecBufferDesc {
        descriptor.map_or(null_mut(), |descriptor| self.pointer(descriptor.place))
    }

    /// What a descriptor holds after the call. With `free`, memory that the library brought is given back to it.
    pub(super) fn read(
        &self,
        lent: Option<&LentDescriptor<'_>>,
        free: Option<FreeBuffer>,
    ) -> Result<Option<Descriptor>, SubjectError> {
        let Some(lent) = lent else { return Ok(None) };
        let structure: SecBufferDesc = self.value(lent.place);
        let given = lent.array.as_ref().map_or(null_mut(), |(place, _)| self.pointer::<SecBuffer>(*place));
        if structure.buffers != given {
            return Err(SubjectError::Crashed(format!("replaced pBuffers in {}", self.lent[lent.place.0].what)));
        }
        let mut buffers = None;
        if let (Some((place, places)), Some(before)) = (&lent.array, &lent.descriptor.buffers) {
            let structures = self.bytes(*place).chunks_exact(size_of::<SecBuffer>());
            let all = structures.zip(places).zip(before).map(|((bytes, place), before)| {
                // SAFETY: the chunk has so many bytes, and any are a SecBuffer.
                let now = unsafe { bytes.as_ptr().cast::<SecBuffer>().read_unaligned() };
                self.read_buffer(now, *place, before, free)
            });
            buffers = Some(all.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Some(Descriptor { version: structure.version, count: structure.count, buffers }))
    }

    fn read_buffer(
        &self,
        now: SecBuffer,
        place: Option<Place>,
        before: &Buffer,
        free: Option<FreeBuffer>,
    ) -> Result<Buffer, SubjectError> {
        let given = place.map_or(null_mut(), |place| self.pointer(place));
        let data = match place {
            _ if now.memory == given => before.data.as_ref().map(|before| {
                let mut data = before.clone();
                if let Some(place) = place {
                    data[..self.bytes(place).len()].copy_from_slice(self.bytes(place));
                }
                data
            }),
            _ if now.memory.is_null() => None,
            _ => Some(self.brought(now, free)?),
        };
        Ok(Buffer { buffer_type: BufferType(now.buffer_type), count: now.count, data })
    }

    /// The bytes of a buffer that the library made point elsewhere: into another buffer of the call, or to memory of
    /// its own.
    fn brought(&self, now: SecBuffer, free: Option<FreeBuffer>) -> Result<Vec<u8>, SubjectError> {
        let (address, length) = (now.memory.addr(), now.count as usize);
        if let Some(part) = self.lent.iter().find_map(|lent| lent.piece.part(address, length)) {
            return Ok(part.to_vec());
        }
        let bytes = copy_out(now.memory, length)?;
        if let Some(free) = free {
            // SAFETY: memory that was asked of the library, and that nobody else gives back.
            unsafe { free(now.memory) };
        }
        Ok(bytes)
    }

    /// Takes all memory back. What was written where nothing may be written is an error.
    pub(super) fn end(self) -> Result<(), SubjectError> {
        let Self { arena, lent } = self;
        let mut writes = Vec::new();
        for Lent { piece, what, access, before } in lent {
            if access == Access::ReadOnly {
                let changed = piece.bytes().iter().zip(&before).filter(|(now, before)| now != before).count();
                if changed > 0 {
                    writes.push(format!("{} in {what}, which is only to be read", bytes(changed)));
                }
            }
            let changed = arena.take_back(piece);
            if changed > 0 {
                writes.push(format!("{} before {what}", bytes(changed)));
            }
        }
        let late = arena.written_late();
        if late > 0 {
            writes.push(format!("{} in memory of an earlier call", bytes(late)));
        }
        if writes.is_empty() { Ok(()) } else { Err(SubjectError::Crashed(format!("wrote {}", writes.join(", and ")))) }
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// The bytes of a plain value.
fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: a plain value is all initialised bytes.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// Longer than anything that a library has to tell.
const LONGEST: usize = 1 << 24;

/// A copy of memory that the library says is there.
pub(super) fn copy_out(from: *const c_void, length: usize) -> Result<Vec<u8>, SubjectError> {
    if from.is_null() || length == 0 {
        return Ok(Vec::new());
    }
    if length > LONGEST {
        return Err(SubjectError::Errored(format!("the library says that {length} bytes are in memory of its own")));
    }
    // SAFETY: the library says so; where it lies, this ends like every other use of its pointer.
    Ok(unsafe { core::slice::from_raw_parts(from.cast::<u8>(), length) }.to_vec())
}
