//! The committed seeds of the fuzz targets, and bytes like them: the third engine over what the targets call.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

/// The seeds of a target by name: those that `cargo run --example seed_corpus` writes and those of `.ci/found`, without what a fuzzer
/// left beside them under the SHA-1 of its content.
pub(crate) fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let left = |name: &str| name.len() == 40 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut seeds = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target));
    seeds.retain(|(name, _)| !left(name));
    assert!(seeds.len() >= 24, "{target} has {} seeds", seeds.len());
    seeds
}

/// The files of a directory, by their names.
pub(crate) fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let paths = entries.map(|entry| entry.expect("the directory can be read").path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut files: Vec<_> = paths
        .map(|path| (name(&path).expect("it is a file's"), fs::read(&path).expect("the file can be read")))
        .collect();
    files.sort();
    files
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
