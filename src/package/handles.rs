//! Handles: generational, tagged with what they are of, bound to their provider.
//!
//! A table remembers every handle it ever issued (by generation), because DeleteSecurityContext tells a handle
//! that was deleted from one that never was.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::buffer::SecHandle;

/// A provider, unique in this process; its handles mean nothing to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ProviderId(u64);

impl ProviderId {
    pub(super) fn unique() -> Self {
        // From 1, so that no handle is all zeros.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a handle is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Credentials,
    Context,
}

impl Kind {
    const BITS: u32 = 8;

    fn tag(self) -> u64 {
        match self {
            Self::Credentials => u64::from(b'C'),
            Self::Context => u64::from(b'X'),
        }
    }
}

/// What a handle refers to in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup<T> {
    Live(T),
    /// Issued once, gone since.
    Deleted,
    /// Never issued by this table.
    Never,
}

#[derive(Debug)]
struct Slot<T> {
    /// How many handles this slot has issued; the last one is live where there is an entry.
    generation: u32,
    entry: Option<T>,
}

/// A place for one more entry, taken before the entry is made.
#[derive(Debug)]
#[must_use = "a reservation counts as a live handle until it is filled or cancelled"]
pub(super) struct Reservation(u32);

/// The live entries of one kind of one provider.
#[derive(Debug)]
pub(super) struct Table<T> {
    upper: u64,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// Live entries and reservations.
    taken: usize,
    limit: usize,
}

impl<T: Clone> Table<T> {
    pub(super) fn new(provider: ProviderId, kind: Kind, limit: usize) -> Self {
        let upper = (provider.0 << Kind::BITS) | kind.tag();
        Self { upper, slots: Vec::new(), free: Vec::new(), taken: 0, limit }
    }

    /// A place for one more entry; `None` at the limit.
    pub(super) fn reserve(&mut self) -> Option<Reservation> {
        if self.taken >= self.limit {
            return None;
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Slot { generation: 0, entry: None });
                index
            }
        };
        self.taken += 1;
        Some(Reservation(index))
    }

    /// Issues the handle of that entry.
    pub(super) fn fill(&mut self, reservation: Reservation, entry: T) -> SecHandle {
        let index = reservation.0;
        let slot = &mut self.slots[index as usize];
        slot.generation += 1;
        slot.entry = Some(entry);
        SecHandle { lower: (u64::from(index) << 32) | u64::from(slot.generation), upper: self.upper }
    }

    pub(super) fn cancel(&mut self, reservation: Reservation) {
        self.vacate(reservation.0);
    }

    pub(super) fn get(&self, handle: SecHandle) -> Lookup<T> {
        match self.place(handle) {
            Lookup::Live((_, entry)) => Lookup::Live(entry.clone()),
            Lookup::Deleted => Lookup::Deleted,
            Lookup::Never => Lookup::Never,
        }
    }

    pub(super) fn remove(&mut self, handle: SecHandle) -> Lookup<T> {
        let (index, entry) = match self.place(handle) {
            Lookup::Live((index, entry)) => (index, entry.clone()),
            Lookup::Deleted => return Lookup::Deleted,
            Lookup::Never => return Lookup::Never,
        };
        self.slots[index as usize].entry = None;
        self.vacate(index);
        Lookup::Live(entry)
    }

    fn place(&self, handle: SecHandle) -> Lookup<(u32, &T)> {
        if handle.upper != self.upper {
            return Lookup::Never;
        }
        let [index, generation] = [handle.lower >> 32, handle.lower & u64::from(u32::MAX)];
        let slot = usize::try_from(index).ok().and_then(|index| self.slots.get(index));
        match slot {
            Some(slot) if generation >= 1 && generation <= u64::from(slot.generation) => match &slot.entry {
                // An index fits: the table has no more slots than u32 can count.
                Some(entry) if generation == u64::from(slot.generation) => Lookup::Live((index as u32, entry)),
                Some(_) | None => Lookup::Deleted,
            },
            Some(_) | None => Lookup::Never,
        }
    }

    fn vacate(&mut self, index: u32) {
        self.taken = self.taken.saturating_sub(1);
        // A slot that has issued all its generations is never used again.
        if self.slots[index as usize].generation < u32::MAX {
            self.free.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(limit: usize) -> Table<char> {
        Table::new(ProviderId::unique(), Kind::Context, limit)
    }

    fn insert(table: &mut Table<char>, entry: char) -> SecHandle {
        let reservation = table.reserve().expect("the tests stay below the limit");
        table.fill(reservation, entry)
    }

    #[test]
    fn a_handle_is_live_then_deleted_and_never_another_one() {
        let mut table = table(2);
        let first = insert(&mut table, 'a');
        assert_eq!(table.get(first), Lookup::Live('a'));
        assert_eq!(table.remove(first), Lookup::Live('a'));
        assert_eq!(table.get(first), Lookup::Deleted);
        assert_eq!(table.remove(first), Lookup::Deleted);
        let second = insert(&mut table, 'b');
        assert_ne!(first, second);
        assert_eq!(table.get(first), Lookup::Deleted);
        assert_eq!(table.get(second), Lookup::Live('b'));
    }

    #[test]
    fn a_slot_is_used_again_until_it_has_issued_all_its_generations() {
        let mut table = table(2);
        let index = |handle: SecHandle| handle.lower >> 32;
        let first = insert(&mut table, 'a');
        table.remove(first);
        let again = insert(&mut table, 'b');
        assert_eq!(index(again), index(first));
        table.slots[index(again) as usize].generation = u32::MAX;
        let spent = SecHandle { lower: again.lower | u64::from(u32::MAX), ..again };
        assert_eq!(table.remove(spent), Lookup::Live('b'));
        let last = insert(&mut table, 'c');
        assert_ne!(index(last), index(first));
        assert_eq!(table.get(last), Lookup::Live('c'));
    }

    #[test]
    fn what_was_never_issued_is_never() {
        let mut table = table(2);
        let handle = insert(&mut table, 'a');
        for (lower, upper) in [
            (0, 0),
            (handle.lower, 0),
            (0, handle.upper),
            (handle.lower + 1, handle.upper),
            (handle.lower | (1 << 32), handle.upper),
            (handle.lower, handle.upper ^ 1),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(table.get(SecHandle { lower, upper }), Lookup::Never, "{lower:x} {upper:x}");
        }
        let mut of_another_provider = self::table(2);
        let foreign = insert(&mut of_another_provider, 'b');
        assert_eq!(foreign.lower, handle.lower);
        assert_eq!(table.get(foreign), Lookup::Never);
    }

    #[test]
    fn a_reservation_counts_and_a_cancelled_one_does_not() {
        let mut table = table(1);
        let reservation = table.reserve().expect("the table is empty");
        assert!(table.reserve().is_none());
        table.cancel(reservation);
        let handle = insert(&mut table, 'a');
        assert!(table.reserve().is_none());
        assert_eq!(table.remove(handle), Lookup::Live('a'));
        assert!(table.reserve().is_some());
    }
}
