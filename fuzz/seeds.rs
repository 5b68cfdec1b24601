//! The files that are committed of the fuzz targets, for whoever writes, replays or counts them.
#![allow(dead_code, reason = "each program uses its part")]

use std::path::Path;
use std::{fs, io};

/// A file's name and its content.
pub(crate) type Named = (String, Vec<u8>);

/// The seeds of a target: those that `cargo run --example seed_corpus` writes and those of `.ci/found`, without what a fuzzer left
/// beside them under the SHA-1 of its content.
pub(crate) fn seeds(target: &str) -> io::Result<Vec<Named>> {
    let left = |name: &str| name.len() == 40 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut seeds = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target))?;
    seeds.retain(|(name, _)| !left(name));
    Ok(seeds)
}

/// The files of a directory in the order of their names, without what is in directories below it.
pub(crate) fn files(directory: &Path) -> io::Result<Vec<Named>> {
    let cannot = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            files.push((name.to_string_lossy().into_owned(), fs::read(&path).map_err(cannot)?));
        }
    }
    files.sort();
    Ok(files)
}
