//! Nonce counts: which one of a session is acceptable next.
#![forbid(unsafe_code)]

use core::num::NonZeroU32;
use std::collections::BTreeSet;

/// Which nonce counts an acceptor takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SequencePolicy {
    /// Exactly one more than the last.
    Strict,
    /// An unused one less than n below the last, or up to n above it: requests may overtake each other.
    Window(NonZeroU32),
}

/// The nonce counts of one session: the highest taken, and which below it were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NonceCounts {
    last: u32,
    /// Those taken that a window could still reach; at most n of them.
    used: BTreeSet<u32>,
}

impl NonceCounts {
    /// Whether the policy would take `count` now.
    ///
    /// 00000000 counts as used (RFC 2617 3.2.2: the first request sends 00000001); after ffffffff
    /// nothing is acceptable.
    pub fn accepts(&self, count: u32, policy: SequencePolicy) -> bool {
        if count == 0 || self.last == u32::MAX {
            return false;
        }
        match policy {
            SequencePolicy::Strict => count == self.last + 1,
            SequencePolicy::Window(width) => {
                let (count_wide, last) = (u64::from(count), u64::from(self.last));
                let width = u64::from(width.get());
                count_wide + width > last && count_wide <= last + width && !self.used.contains(&count)
            }
        }
    }

    /// Takes `count` if the policy accepts it; tells whether it did.
    pub fn take(&mut self, count: u32, policy: SequencePolicy) -> bool {
        if !self.accepts(count, policy) {
            return false;
        }
        self.last = self.last.max(count);
        match policy {
            SequencePolicy::Strict => {}
            SequencePolicy::Window(width) => {
                self.used.insert(count);
                // The lowest count a window still reaches is last - n + 1.
                let lowest = (self.last.saturating_sub(width.get())).saturating_add(1);
                self.used = self.used.split_off(&lowest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(width: u32) -> SequencePolicy {
        SequencePolicy::Window(NonZeroU32::new(width).expect("the tests use positive widths"))
    }

    fn run(policy: SequencePolicy, counts: &[u32]) -> Vec<bool> {
        let mut state = NonceCounts::default();
        counts.iter().map(|count| state.take(*count, policy)).collect()
    }

    #[test]
    fn strict_takes_the_next_only() {
        assert_eq!(run(SequencePolicy::Strict, &[0, 2, 1, 1, 3, 2, 3]), [false, false, true, false, false, true, true]);
    }

    #[test]
    fn counts_three_then_two_after_one() {
        assert_eq!(run(SequencePolicy::Strict, &[1, 3, 2]), [true, false, true]);
        assert_eq!(run(window(2), &[1, 3, 2]), [true, true, true]);
    }

    #[test]
    fn a_window_takes_each_count_once_and_forgets_the_old() {
        // last = 5, n = 3: acceptable are 3, 4 (unused), 6, 7, 8.
        assert_eq!(run(window(3), &[3, 5, 2, 3, 9, 4, 4, 8]), [true, true, false, false, false, true, false, true]);
        assert_eq!(run(window(1), &[1, 1, 3, 2]), [true, false, false, true]);
    }

    #[test]
    fn nothing_follows_the_last_count() {
        for policy in [SequencePolicy::Strict, window(2), window(u32::MAX)] {
            let mut state = NonceCounts { last: u32::MAX - 1, used: BTreeSet::new() };
            assert!(state.take(u32::MAX, policy));
            for count in [0, 1, u32::MAX - 1, u32::MAX] {
                assert!(!state.take(count, policy), "{policy:?} {count}");
            }
        }
    }
}
