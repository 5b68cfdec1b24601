//! Memory that tells who writes beyond it: every piece ends at a page that nobody may touch, and what stands before it
//! is a pattern that nobody may change.
//!
//! Regions are mapped once and used again, so that a call maps nothing.
#![allow(unsafe_code, reason = "maps memory and writes what a library reads")]

use std::collections::BTreeMap;
use std::io;
use std::ptr::{self, NonNull};

/// The unit of the pattern. Pages are a multiple of it.
const UNIT: usize = 4096;

/// What stands where nothing was put. Without zeros, which are what is written most.
static PATTERN: [u8; UNIT] = {
    let mut pattern = [0; UNIT];
    let mut state: u32 = 0x9E37_79B9;
    let mut index = 0;
    while index < UNIT {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pattern[index] = (state >> 24) as u8 | 1;
        index += 1;
    }
    pattern
};

/// Pages that can be written, between two that cannot be touched.
#[derive(Debug)]
struct Region {
    start: NonNull<u8>,
    length: usize,
}

/// A piece of a region, at its end.
#[derive(Debug)]
pub(super) struct Piece {
    region: Region,
    size: usize,
}

/// The regions that no piece is in.
#[derive(Debug)]
pub(super) struct Arena {
    page: usize,
    free: BTreeMap<usize, Vec<Region>>,
    late: usize,
}

impl Arena {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: it takes a number and returns one.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).ok().filter(|page| *page > 0 && page.is_multiple_of(UNIT));
        let page = page.ok_or_else(|| io::Error::other("pages of an unusual size"))?;
        Ok(Self { page, free: BTreeMap::new(), late: 0 })
    }

    /// A piece that holds these bytes. What cannot be touched begins right behind it, so it is aligned as far as its
    /// size is.
    pub(super) fn place(&mut self, bytes: &[u8]) -> io::Result<Piece> {
        let length = bytes.len().max(1).div_ceil(self.page).next_power_of_two() * self.page;
        let region = match self.free.get_mut(&length).and_then(Vec::pop) {
            Some(region) => region,
            None => self.map(length)?,
        };
        let late = changed(region.bytes());
        if late > 0 {
            self.late += late;
            region.fill(0);
        }
        let piece = Piece { region, size: bytes.len() };
        // SAFETY: the piece is that long and lies in a region that nobody else has now.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), piece.at(), bytes.len()) };
        Ok(piece)
    }

    /// Takes a piece back, and says how many bytes of the pattern before it are no longer what they were.
    pub(super) fn take_back(&mut self, piece: Piece) -> usize {
        let before = piece.region.length - piece.size;
        let changed = changed(&piece.region.bytes()[..before]);
        piece.region.fill(if changed == 0 { before } else { 0 });
        self.free.entry(piece.region.length).or_default().push(piece.region);
        changed
    }

    /// How many bytes were found to be written in memory that no call had any more.
    pub(super) fn written_late(&mut self) -> usize {
        std::mem::take(&mut self.late)
    }

    fn map(&self, length: usize) -> io::Result<Region> {
        let whole = length + 2 * self.page;
        let (nothing, private) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address of the system's choice.
        let mapped = unsafe { libc::mmap(ptr::null_mut(), whole, nothing, private, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = mapped.wrapping_byte_add(self.page);
        // SAFETY: the middle of what was mapped just now.
        if unsafe { libc::mprotect(start, length, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            let error = io::Error::last_os_error();
            // SAFETY: it was mapped just now, and nobody has its address.
            unsafe { libc::munmap(mapped, whole) };
            return Err(error);
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("memory at address 0"))?;
        let region = Region { start, length };
        region.fill(0);
        Ok(region)
    }
}

/// How many bytes are not what the pattern has in their place. Nearly always none, so whole units are compared first.
fn changed(bytes: &[u8]) -> usize {
    let differing = bytes.chunks(UNIT).filter(|chunk| **chunk != PATTERN[..chunk.len()]);
    differing.map(|chunk| chunk.iter().zip(&PATTERN).filter(|(now, then)| now != then).count()).sum()
}

impl Drop for Arena {
    fn drop(&mut self) {
        for region in self.free.values().flatten() {
            let mapped = region.start.as_ptr().wrapping_sub(self.page).cast();
            // SAFETY: it was mapped by `map`, with that length, and no piece is in it.
            unsafe { libc::munmap(mapped, region.length + 2 * self.page) };
        }
    }
}

impl Region {
    fn bytes(&self) -> &[u8] {
        // SAFETY: so much is mapped there, nobody writes to it while no call is under way, and any bytes are bytes.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// Writes the pattern from there to the end.
    fn fill(&self, from: usize) {
        let mut at = from;
        while at < self.length {
            let pattern = &PATTERN[at % UNIT..];
            // SAFETY: the length is a multiple of the unit, so the rest of this one is in the region, which is ours.
            unsafe { ptr::copy_nonoverlapping(pattern.as_ptr(), self.start.as_ptr().add(at), pattern.len()) };
            at += pattern.len();
        }
    }
}

impl Piece {
    /// Where it begins.
    pub(super) fn at(&self) -> *mut u8 {
        self.region.start.as_ptr().wrapping_add(self.region.length - self.size)
    }

    /// What it holds now.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.region.bytes()[self.region.length - self.size..]
    }

    /// The bytes from an address on, where all of them are in the piece.
    pub(super) fn part(&self, address: usize, length: usize) -> Option<&[u8]> {
        let offset = address.checked_sub(self.at().addr())?;
        self.bytes().get(offset..offset.checked_add(length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(piece: &Piece, offset: isize, byte: u8) {
        // SAFETY: the tests write within the pages that can be written.
        unsafe { piece.at().offset(offset).write(byte) };
    }

    #[test]
    fn a_piece_holds_its_bytes_and_ends_at_the_end_of_a_page() {
        let mut arena = Arena::new().expect("this system has pages");
        for size in [0, 1, 16, 4095, 4096, 4097, 70_000] {
            let bytes: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let piece = arena.place(&bytes).expect("there is memory");
            assert_eq!(piece.bytes(), bytes);
            assert_eq!((piece.at().addr() + size) % arena.page, 0, "{size}");
            assert_eq!(arena.take_back(piece), 0, "{size}");
        }
    }

    #[test]
    fn what_is_written_before_a_piece_is_counted_once() {
        let mut arena = Arena::new().expect("this system has pages");
        for (size, offsets) in [(16, &[-1, -2, -4080][..]), (5000, &[-1, -3192]), (4096, &[])] {
            let piece = arena.place(&vec![7; size]).expect("there is memory");
            for offset in offsets {
                write(&piece, *offset, 0);
            }
            write(&piece, 0, 0);
            assert_eq!(arena.take_back(piece), offsets.len());
            let piece = arena.place(&vec![7; size]).expect("there is memory");
            assert_eq!(arena.take_back(piece), 0, "the pattern was not mended");
        }
    }

    #[test]
    fn what_is_written_after_the_call_is_noticed() {
        let mut arena = Arena::new().expect("this system has pages");
        let piece = arena.place(&[7; 16]).expect("there is memory");
        let stale = piece.at();
        arena.take_back(piece);
        // SAFETY: its page is still mapped, and can be written.
        unsafe { stale.write(0) };
        arena.place(&[7; 16]).expect("there is memory");
        assert_eq!(arena.written_late(), 1);
        arena.place(&[7; 16]).expect("there is memory");
        assert_eq!(arena.written_late(), 0);
    }
}
