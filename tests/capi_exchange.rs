//! tests/capi/exchange.c: whole exchanges by a program in C, against the shared library, under valgrind.
#![cfg(feature = "capi")]
#![forbid(unsafe_code)]

mod library_support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use library_support::{ours, run};

/// Mufasa: RFC 2617 section 3.5. chris: `printf chris:digest-ssp:secret | md5sum`.
const ACCOUNTS: &str = "Mufasa:testrealm@host.com:939e7578ed9e3c518a452acee763bce9\n\
                        chris:digest-ssp:f77f53a6a556e7c108ca6557ce059ad1\n";

/// What valgrind ends with where it has something to say.
const FOUND: i32 = 99;

fn scratch() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capi");
    fs::create_dir_all(&scratch).expect("the target directory can be written");
    scratch
}

fn compile(source: &Path, program: &Path, library: &Path) {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    run(Command::new("gcc")
        .args(["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(program)
        .arg(library));
}

fn valgrind(program: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"])
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .arg(format!("--error-exitcode={FOUND}"))
        .arg(program);
    valgrind
}

#[test]
fn whole_exchanges_in_c_without_an_error_or_a_leak() {
    let library = ours("capi");
    let scratch = scratch();
    let accounts = scratch.join("accounts");
    fs::write(&accounts, ACCOUNTS).expect("the target directory can be written");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capi");

    let program = scratch.join("exchange");
    compile(&tests.join("exchange.c"), &program, &library);
    run(valgrind(&program).env("DIGEST_SSP_ACCOUNTS", &accounts));
    // The same while every call is recorded: what the caller did not initialise is not read for that either.
    let trace = scratch.join("exchange.jsonl");
    run(valgrind(&program).env("DIGEST_SSP_ACCOUNTS", &accounts).env("DIGEST_SSP_TRACE", &trace));
    assert!(fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("CompleteAuthToken")));

    // The realm of SASL is that of the environment: who has no account in it cannot log on, who has one can.
    let mut elsewhere = Command::new(&program);
    elsewhere.env("DIGEST_SSP_ACCOUNTS", &accounts).env("DIGEST_SSP_REALM", "elsewhere");
    assert_eq!(elsewhere.output().expect("it ran above").status.code(), Some(1));
    // `printf chris:elsewhere:secret | md5sum`.
    let moved = ACCOUNTS.to_owned() + "chris:elsewhere:7e0daeb74335914235a0c290eb77990f\n";
    fs::write(&accounts, moved).expect("the target directory can be written");
    run(&mut elsewhere);

    // Without accounts the exchange cannot succeed, so the program does look.
    let status = Command::new(&program).env_remove("DIGEST_SSP_ACCOUNTS").output().expect("it ran above").status;
    assert_eq!(status.code(), Some(1));

    // A program that leaks what the package gave it, and one that reads behind it: valgrind does look.
    for wrong in ["LEAK", "OVERREAD"] {
        let program = scratch.join(wrong);
        let source = scratch.join(format!("{wrong}.c"));
        let text = fs::read_to_string(tests.join("wrong.c")).expect("the source is there");
        fs::write(&source, format!("#define {wrong}\n{text}")).expect("the target directory can be written");
        compile(&source, &program, &library);
        let status = valgrind(&program).output().expect("it ran above").status;
        assert_eq!(status.code(), Some(FOUND), "{wrong}");
    }
}
