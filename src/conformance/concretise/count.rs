//! The count a client writes: the next one, or one that stands to the last as is wished.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::spec::setup::Policy;
use crate::spec::vocabulary as fact;

use super::super::action::CallAction;

/// The counts of a session; those of a challenge that nobody answered yet are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts<'r> {
    pub(super) last: u32,
    pub(super) used: &'r BTreeSet<u32>,
}

/// The digits of nc.
pub(super) fn choose(
    policy: Policy,
    counts: Option<Counts<'_>>,
    action: &CallAction,
    accepts: bool,
    rng: &mut Rng,
) -> [u8; 8] {
    let last = counts.map_or(0, |counts| counts.last);
    let used = |nc: u32| nc == 0 || counts.is_some_and(|counts| counts.used.contains(&nc));
    let window = match policy {
        Policy::Strict => 0,
        Policy::Window(window) => window.get(),
    };
    let next = last.saturating_add(1);
    let unused = |range: std::ops::RangeInclusive<u32>| range.clone().take(4096).find(|nc| !used(*nc) && *nc != next);
    let nc = match () {
        () if action.wishes.is(fact::Count::Used) => {
            let known: Vec<u32> =
                counts.into_iter().flat_map(|counts| counts.used.iter().copied()).chain([0]).collect();
            rng.choice(&known).copied()
        }
        () if action.wishes.is(fact::Count::Within) => {
            let (low, high) = (last.saturating_sub(window) + 1, last.saturating_add(window));
            // As far as it may be, or as near.
            let far = Some(high).filter(|nc| action.variety.is_multiple_of(2) && !used(*nc) && *nc != next);
            far.or_else(|| unused(low..=high))
        }
        () if action.wishes.is(fact::Count::TooOld) => unused(1..=last.saturating_sub(window)),
        () if action.wishes.is(fact::Count::TooFar) && accepts && counts.is_none() => {
            Some(*rng.choice(&[0, 2, 3, 256, u32::MAX]).unwrap_or(&2))
        }
        () if action.wishes.is(fact::Count::TooFar) => {
            let first = last.saturating_add(window.max(1)).saturating_add(1);
            let far = [first, first.saturating_add(1), first.saturating_add(255), u32::MAX];
            Some(*rng.choice(&far).unwrap_or(&first))
        }
        // An unauthenticated count decides nothing, so on a wrong digest any will do.
        () if action.wishes.is(fact::Digest::Differs) && rng.bool() => {
            rng.choice(&[0, 1, last, next.saturating_add(1), u32::MAX]).copied()
        }
        () => Some(next),
    };
    let text = crate::digest::nc_value(nc.unwrap_or(next));
    if rng.u8(..4) == 0 { text.map(|digit| digit.to_ascii_uppercase()) } else { text }
}
