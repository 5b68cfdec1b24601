//! The committed seeds of the fuzz targets, and bytes like them: the third engine over what the targets call.

#[path = "../../fuzz/seeds.rs"]
pub(crate) mod committed;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

/// The committed seeds of a target by name.
pub(crate) fn seeds(target: &str) -> Vec<committed::Named> {
    let seeds = committed::seeds(target).unwrap_or_else(|error| panic!("{error}"));
    assert!(seeds.len() >= 24, "{target} has {} seeds", seeds.len());
    seeds
}

/// A seed of a target with bytes changed, and bytes behind it.
pub(crate) fn like_seeds(target: &str) -> impl Strategy<Value = Vec<u8>> {
    let seeds: Vec<Vec<u8>> = seeds(target).into_iter().map(|(_, bytes)| bytes).collect();
    let changes = vec((any::<Index>(), any::<u8>()), 0..8);
    (select(seeds), changes, vec(any::<u8>(), 0..32)).prop_map(|(mut bytes, changes, more)| {
        for (at, byte) in changes {
            // An empty one has nothing to change.
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes.extend(more);
        bytes
    })
}

/// How long a target is run: it takes `PROPTEST_CASES` as everything does, of which code that is not optimised does fewer.
pub(crate) fn configuration() -> ProptestConfig {
    let all = ProptestConfig::default();
    ProptestConfig {
        cases: (all.cases / if cfg!(debug_assertions) { 32 } else { 2 }).max(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/fuzz_targets.txt"))),
        ..all
    }
}
