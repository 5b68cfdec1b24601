//! Memory that the package gives away and FreeContextBuffer takes back.
//!
//! Every block is registered, so a pointer that is none of them, or none any more, is told from one that is.
#![allow(unsafe_code, reason = "gives memory away by address, and takes it back")]

use core::ffi::c_void;
use core::ptr::slice_from_raw_parts_mut;
use std::collections::BTreeMap;

use zeroize::Zeroize;

use super::memory;
use crate::sync::{Mutex, lock};

/// The lengths, in words, of the blocks that are given away, by the complement of the address: whoever looks for leaks
/// must not find a block in use because it is registered.
static BLOCKS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// A block with these bytes; never NULL, and of one byte at least.
pub(super) fn give(bytes: &[u8]) -> *mut c_void {
    let block = zeroed(bytes.len());
    // SAFETY: the block has that length, and nobody else knows it yet.
    unsafe { memory::put(block.cast(), bytes) };
    block
}

/// A block with a structure, and behind it the strings that its members point to.
pub(super) fn give_structure<T: Copy, const N: usize>(
    strings: [&[u8]; N],
    structure: impl FnOnce([*mut c_void; N]) -> T,
) -> *mut T {
    const { assert!(align_of::<T>() <= align_of::<u64>()) };
    let length = strings.iter().map(|string| string.len().next_multiple_of(2)).sum::<usize>();
    let block = zeroed(size_of::<T>() + length);
    let mut offset = size_of::<T>();
    let members = strings.map(|string| {
        let member = block.wrapping_byte_add(offset);
        // SAFETY: the block has room for the structure and for every string, and nobody else knows it yet.
        unsafe { memory::put(member.cast(), string) };
        // An even offset is good for characters of either size.
        offset += string.len().next_multiple_of(2);
        member
    });
    let block = block.cast::<T>();
    // SAFETY: the structure is what the block begins with.
    unsafe { memory::write(block, structure(members)) };
    block
}

/// Wipes and frees a block. Whether there was one at that address.
pub(super) fn take_back(address: *mut c_void) -> bool {
    let Some(words) = lock(&BLOCKS).remove(&!address.addr()) else { return false };
    // SAFETY: `Box::into_raw` gave that address and length, and what was registered is removed once. In words, as it
    // was made.
    let mut block = unsafe { Box::from_raw(slice_from_raw_parts_mut(address.cast::<u64>(), words)) };
    block.zeroize();
    true
}

/// A new block. Its memory is in words, because structures with pointers begin at its address.
fn zeroed(bytes: usize) -> *mut c_void {
    let words = bytes.div_ceil(size_of::<u64>()).max(1);
    let block = Box::into_raw(vec![0_u64; words].into_boxed_slice()).cast::<c_void>();
    lock(&BLOCKS).insert(!block.addr(), words);
    block
}

#[cfg(test)]
mod tests {
    use core::ptr::null_mut;

    use super::*;

    #[test]
    fn a_block_is_taken_back_once() {
        let block = give(b"");
        assert!(!block.is_null());
        assert!(!take_back(block.wrapping_byte_add(1)));
        assert!(take_back(block));
        assert!(!take_back(block));
        assert!(!take_back(null_mut()));
    }

    #[test]
    fn a_structure_and_its_strings_are_one_block() {
        let pair = give_structure([b"odd\0".as_slice(), b"\x01"], |members| members);
        // SAFETY: it was given just now.
        let [first, second] = unsafe { pair.read() };
        assert_eq!(first.addr() - pair.addr(), size_of::<[*mut c_void; 2]>());
        assert_eq!(second.addr() - first.addr(), 4);
        // SAFETY: as above.
        assert_eq!(unsafe { second.cast::<u8>().read() }, 1);
        assert!(!take_back(second));
        assert!(take_back(pair.cast()));
    }
}
