//! Memory that the package gives away and FreeContextBuffer takes back.
//!
//! Every block is registered, so a pointer that is none of them, or none any more, is told from one that is.
#![allow(unsafe_code, reason = "gives memory away by address, and takes it back")]

use core::ffi::c_void;
use std::collections::BTreeMap;

use zeroize::Zeroize;

use super::memory;
use crate::sync::{Mutex, lock};

/// The blocks that are given away, by address.
static BLOCKS: Mutex<BTreeMap<usize, Block>> = Mutex::new(BTreeMap::new());

/// A block: what `Box::into_raw` gave. In words, because structures with pointers begin at its address.
struct Block(*mut [u64]);

// SAFETY: the memory belongs to no thread; this pointer is used once, to free it.
unsafe impl Send for Block {}

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
pub(super) fn take_back(address: *const c_void) -> bool {
    let Some(Block(words)) = lock(&BLOCKS).remove(&address.addr()) else { return false };
    // SAFETY: it came from `Box::into_raw`, and what was registered is removed once.
    let mut words = unsafe { Box::from_raw(words) };
    words.zeroize();
    true
}

fn zeroed(bytes: usize) -> *mut c_void {
    let words = Box::into_raw(vec![0_u64; bytes.div_ceil(size_of::<u64>()).max(1)].into_boxed_slice());
    let block = words.cast::<c_void>();
    lock(&BLOCKS).insert(block.addr(), Block(words));
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_back_once() {
        let block = give(b"");
        assert!(!block.is_null());
        assert!(!take_back(block.wrapping_byte_add(1)));
        assert!(take_back(block));
        assert!(!take_back(block));
        assert!(!take_back(core::ptr::null()));
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
