//! The newest context of each session, kept so that the session outlives its connections.
#![forbid(unsafe_code)]

use core::time::Duration;
use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::time::Instant;

use crate::buffer::CtxtHandle;

/// What a token names: the nonce and the opaque of one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SessionName {
    pub(super) nonce: Vec<u8>,
    pub(super) opaque: Vec<u8>,
}

/// Every clock can hold a deadline this far away; 100 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// One handle per session. A handle that is not here any more must be deleted by whoever got it back.
#[derive(Debug)]
pub(super) struct KeptSessions {
    lifetime: Duration,
    capacity: usize,
    newest: HashMap<SessionName, CtxtHandle>,
    /// In the order of their deadlines, which is that of their beginning: a newer handle prolongs nothing.
    deadlines: VecDeque<(Instant, SessionName)>,
}

impl KeptSessions {
    /// Keeps each session for `lifetime` after its first authentication, at most `capacity` of them.
    pub(super) fn new(lifetime: Duration, capacity: usize) -> Self {
        Self {
            lifetime: lifetime.min(LONGEST),
            capacity: capacity.max(1),
            newest: HashMap::new(),
            deadlines: VecDeque::new(),
        }
    }

    /// Keeps `handle` as the newest of its session; the handles it takes the place of must be deleted.
    #[must_use]
    pub(super) fn keep(&mut self, name: SessionName, handle: CtxtHandle, now: Instant) -> Vec<CtxtHandle> {
        let mut replaced = self.expired(now);
        match self.newest.entry(name) {
            Entry::Occupied(mut newest) => replaced.push(newest.insert(handle)),
            Entry::Vacant(vacant) => {
                let deadline = now.checked_add(self.lifetime).unwrap_or(now);
                self.deadlines.push_back((deadline, vacant.key().clone()));
                vacant.insert(handle);
            }
        }
        while self.newest.len() > self.capacity {
            match self.oldest() {
                Some(handle) => replaced.push(handle),
                None => break,
            }
        }
        replaced
    }

    /// The handles of sessions that are over; they must be deleted.
    #[must_use]
    pub(super) fn expired(&mut self, now: Instant) -> Vec<CtxtHandle> {
        let mut over = Vec::new();
        while self.deadlines.front().is_some_and(|(deadline, _)| *deadline <= now) {
            over.extend(self.oldest());
        }
        over
    }

    /// All handles; they must be deleted.
    #[must_use]
    pub(super) fn take_all(&mut self) -> Vec<CtxtHandle> {
        self.deadlines.clear();
        self.newest.drain().map(|(_, handle)| handle).collect()
    }

    fn oldest(&mut self) -> Option<CtxtHandle> {
        let (_, name) = self.deadlines.pop_front()?;
        self.newest.remove(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u8) -> SessionName {
        SessionName { nonce: vec![number], opaque: vec![number, number] }
    }

    fn handle(number: u64) -> CtxtHandle {
        CtxtHandle { lower: number, upper: 0 }
    }

    #[test]
    fn a_newer_handle_takes_the_place_and_prolongs_nothing() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut kept = KeptSessions::new(10 * second, 8);
        assert_eq!(kept.keep(name(1), handle(1), start), []);
        assert_eq!(kept.keep(name(2), handle(2), start + 5 * second), []);
        assert_eq!(kept.keep(name(1), handle(3), start + 9 * second), [handle(1)]);
        assert_eq!(kept.expired(start + 10 * second), [handle(3)]);
        assert_eq!(kept.expired(start + 14 * second), []);
        assert_eq!(kept.keep(name(1), handle(4), start + 15 * second), [handle(2)]);
        assert_eq!(kept.take_all(), [handle(4)]);
        assert_eq!(kept.expired(start + 100 * second), []);
    }

    #[test]
    fn the_oldest_session_gives_way() {
        let start = Instant::now();
        let mut kept = KeptSessions::new(Duration::MAX, 2);
        assert_eq!(kept.keep(name(1), handle(1), start), []);
        assert_eq!(kept.keep(name(2), handle(2), start), []);
        assert_eq!(kept.keep(name(1), handle(3), start), [handle(1)]);
        assert_eq!(kept.keep(name(3), handle(4), start), [handle(3)]);
    }
}
