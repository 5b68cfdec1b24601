//! The caller's memory: the only reads and writes through its pointers.
//!
//! What is behind a pointer is copied and never borrowed. Buffers of a caller may overlap, may be read-only although
//! nothing says so, and may lie at any address; a copy is right for all of them.
#![allow(unsafe_code, reason = "reads and writes through pointers of a caller in C")]

use zeroize::{Zeroize, Zeroizing};

use super::types::Plain;

/// There is no memory for a copy of what the caller gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfMemory;

/// What is there; `None` for NULL.
///
/// # Safety
/// `from` is NULL or can be read, at any alignment.
pub(super) unsafe fn read<T: Plain>(from: *const T) -> Option<T> {
    if from.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, so the caller of this function says that it can be read; any bytes are a `T`.
    Some(unsafe { from.read_unaligned() })
}

/// Writes a value, unless there is NULL.
///
/// # Safety
/// `to` is NULL or can be written, at any alignment.
pub(super) unsafe fn write<T: Copy>(to: *mut T, value: T) {
    if !to.is_null() {
        // SAFETY: it is not NULL, so the caller of this function says that it can be written.
        unsafe { to.write_unaligned(value) };
    }
}

/// A copy of `count` values; of none for NULL.
///
/// # Safety
/// `from` is NULL, or `count` values from there can be read, at any alignment.
///
/// # Errors
/// [`OutOfMemory`]: the count is the caller's, so its size is no reason to abort.
pub(super) unsafe fn copy<T: Plain + Zeroize>(from: *const T, count: usize) -> Result<Zeroizing<Vec<T>>, OutOfMemory> {
    let mut copy = Vec::new();
    if from.is_null() || count == 0 {
        return Ok(Zeroizing::new(copy));
    }
    copy.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    let bytes = count * size_of::<T>();
    // SAFETY: the caller of this function says that so much can be read; so much was reserved, so the product does
    // not overflow; new memory does not overlap; a byte has no alignment.
    unsafe { from.cast::<u8>().copy_to_nonoverlapping(copy.as_mut_ptr().cast::<u8>(), bytes) };
    // SAFETY: `count` values were written just now, and any bytes are a `T`.
    unsafe { copy.set_len(count) };
    Ok(Zeroizing::new(copy))
}

/// A copy of what stands before the first zero; `None` for NULL.
///
/// # Safety
/// `from` is NULL, or it can be read up to a zero, at any alignment.
///
/// # Errors
/// [`OutOfMemory`].
pub(super) unsafe fn until_zero<T: Plain + Zeroize + Default + PartialEq>(
    from: *const T,
) -> Result<Option<Zeroizing<Vec<T>>>, OutOfMemory> {
    if from.is_null() {
        return Ok(None);
    }
    let mut count = 0;
    // SAFETY: the caller of this function says that it can be read up to a zero, and none was before `count`.
    while unsafe { from.wrapping_add(count).read_unaligned() } != T::default() {
        count += 1;
    }
    // SAFETY: so much was read just now.
    unsafe { copy(from, count) }.map(Some)
}

/// Writes `bytes`.
///
/// # Safety
/// So many bytes from `to` can be written.
pub(super) unsafe fn put(to: *mut u8, bytes: &[u8]) {
    // SAFETY: the caller of this function says that so much can be written; what is ours does not overlap its memory.
    unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}
