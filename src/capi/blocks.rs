//! Memory that the package gives away and FreeContextBuffer takes back.
//!
//! Every block is registered, so a pointer that is none of them, or none any more, is told from one that is.
#![allow(unsafe_code, reason = "gives memory away by address, and takes it back")]

use core::ffi::c_void;
use core::ptr::slice_from_raw_parts_mut;
use std::collections::BTreeMap;

use zeroize::Zeroize;

use super::memory;
use super::trace::is_recording;
use crate::sync::{Mutex, lock};

/// The blocks that are given away, by the complement of the address: whoever looks for leaks must not find a block in
/// use because it is registered.
static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks { given: BTreeMap::new(), freed: BTreeMap::new(), last: 0 });

struct Blocks {
    given: BTreeMap<usize, Block>,
    /// The numbers of the blocks that were freed last at an address, where a trace is written.
    freed: BTreeMap<usize, u64>,
    /// The number of the last block.
    last: u64,
}

struct Block {
    /// Its length.
    words: usize,
    /// No other block of this process has it, also none that is at the same address later.
    number: u64,
}

/// What was at an address that somebody gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenBack {
    /// The block of that number, which is freed now.
    Block(u64),
    /// No block any more, but the one of that number was there before. Only where a trace is written.
    Before(u64),
    /// No block.
    Nothing,
}

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

/// Wipes and frees the block at that address, if there is one.
pub(super) fn take_back(address: *mut c_void) -> TakenBack {
    let mut blocks = lock(&BLOCKS);
    let Some(Block { words, number }) = blocks.given.remove(&!address.addr()) else {
        return blocks.freed.get(&!address.addr()).map_or(TakenBack::Nothing, |number| TakenBack::Before(*number));
    };
    if is_recording() {
        blocks.freed.insert(!address.addr(), number);
    }
    drop(blocks);
    // SAFETY: `Box::into_raw` gave that address and length, and what was registered is removed once. In words, as it
    // was made.
    let mut block = unsafe { Box::from_raw(slice_from_raw_parts_mut(address.cast::<u64>(), words)) };
    block.zeroize();
    TakenBack::Block(number)
}

/// The number of the block at that address.
pub(super) fn number(address: *mut c_void) -> Option<u64> {
    lock(&BLOCKS).given.get(&!address.addr()).map(|block| block.number)
}

/// A new block. Its memory is in words, because structures with pointers begin at its address.
fn zeroed(bytes: usize) -> *mut c_void {
    let words = bytes.div_ceil(size_of::<u64>()).max(1);
    let block = Box::into_raw(vec![0_u64; words].into_boxed_slice()).cast::<c_void>();
    let mut blocks = lock(&BLOCKS);
    blocks.last += 1;
    let number = blocks.last;
    blocks.given.insert(!block.addr(), Block { words, number });
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
        let number = number(block).expect("it is given");
        assert_eq!(take_back(block.wrapping_byte_add(1)), TakenBack::Nothing);
        assert_eq!(take_back(block), TakenBack::Block(number));
        assert_eq!(take_back(block), TakenBack::Nothing);
        assert_eq!(take_back(null_mut()), TakenBack::Nothing);
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
        assert_eq!(take_back(second), TakenBack::Nothing);
        assert!(matches!(take_back(pair.cast()), TakenBack::Block(_)));
    }
}
