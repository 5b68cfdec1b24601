//! The libraries that the tests of the loader load, built once in a directory of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
}

fn scratch() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("library");
    std::fs::create_dir_all(&scratch).expect("the target directory can be written");
    scratch
}

/// Our own C library with those features, optimised as what is shipped. The crate is an rlib; rustc is asked for the
/// other type, as cargo-c does.
pub(crate) fn ours(features: &[&str]) -> PathBuf {
    let target = scratch().join(format!("ours-{}", features.join("-")));
    run(Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["rustc", "--quiet", "--release", "--lib", "--no-default-features", "--crate-type", "cdylib"])
        .args(["--features", &features.join(",")])
        .arg("--target-dir")
        .arg(&target));
    target.join("release").join(file_name("digest_ssp"))
}

/// The file that holds a library of that name.
pub(crate) fn file_name(library: &str) -> String {
    format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}
