//! The libraries that tests load or link, built in a directory of their own.
#![allow(dead_code, reason = "each test program uses its part")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs a program that must succeed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    output
}

/// Cargo, told nothing of the package that is tested here. Build scripts (that of ring) look at what cargo says to a test
/// about its package: the build would be another one, and the next build of whoever runs the tests another again.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let is_about_the_package =
        |name: &str| ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_about_the_package)) {
        cargo.env_remove(name);
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

pub(crate) fn scratch() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("library");
    std::fs::create_dir_all(&scratch).expect("the target directory can be written");
    scratch
}

/// Our own C library with that feature, in the profile of this test. The crate is an rlib; rustc is asked for the other
/// type, as cargo-c does.
pub(crate) fn ours(feature: &str) -> PathBuf {
    // To cargo a library for C is the same whatever its features are: in one directory each would replace the other, and
    // be built again.
    let target = scratch().join(feature);
    let mut cargo = cargo();
    cargo
        .args(["rustc", "--quiet", "--lib", "--no-default-features", "--crate-type", "cdylib"])
        .args(["--features", feature])
        .arg("--target-dir")
        .arg(&target);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    run(&mut cargo);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    target.join(profile).join(file_name("digest_ssp"))
}

/// The library of tests/libraries/faulty.rs, in the profile of this test.
pub(crate) fn faulty() -> PathBuf {
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--example", "faulty_library"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if !cfg!(feature = "cli") {
        cargo.args(["--no-default-features", "--features", "adapters"]);
    }
    run(&mut cargo);
    let test = env::current_exe().expect("this test has a file");
    // target/PROFILE/deps/TEST
    let profile = test.parent().and_then(Path::parent).expect("tests are two directories deep");
    profile.join("examples").join(file_name("faulty_library"))
}

/// A library in C.
pub(crate) fn compiled(source: &str, name: &str, options: &[&str]) -> PathBuf {
    let library = scratch().join(file_name(name));
    let made = library.with_extension(format!("{}.{:?}.made", std::process::id(), std::thread::current().id()));
    run(Command::new("gcc")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"])
        .args(options)
        .arg("-o")
        .arg(&made)
        .arg(source));
    std::fs::rename(&made, &library).unwrap_or_else(|error| panic!("{}: {error}", library.display()));
    library
}

/// The library of tests/libraries/hostile.c in one of its modes.
pub(crate) fn hostile(mode: &str, options: &[&str]) -> PathBuf {
    let name = format!("hostile-{mode}{}", options.concat());
    let mode = format!("-DMODE={mode}");
    compiled("tests/libraries/hostile.c", &name, &[&[mode.as_str()], options].concat())
}

/// The library of tests/libraries/lying.c in one of its modes: our own library but for that.
pub(crate) fn lying(mode: &str) -> PathBuf {
    let honest = format!("-DHONEST=\"{}\"", ours("capi-control").display());
    compiled("tests/libraries/lying.c", &format!("lying-{mode}"), &[&format!("-DMODE={mode}"), &honest])
}

/// The file that holds a library of that name.
pub(crate) fn file_name(library: &str) -> String {
    format!("{}{library}{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}
