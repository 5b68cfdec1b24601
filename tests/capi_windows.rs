//! include/digest_ssp.h on Windows: mingw-w64 compiles it, and its own sspi.h says what the C ABI says.
#![cfg(all(feature = "capi", target_pointer_width = "64"))]
#![forbid(unsafe_code)]

mod program_support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use digest_ssp::capi::*;
use program_support::available;

const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Whether there is the compiler; on CI there must be.
fn is_there() -> bool {
    available(COMPILER, Command::new(COMPILER).arg("--version"))
}

fn compile(name: &str, source: &str, options: &[&str]) -> Output {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capi_windows");
    fs::create_dir_all(&scratch).expect("the target directory can be written");
    let file = scratch.join(name);
    fs::write(&file, source).expect("the target directory can be written");
    let mut command = Command::new(COMPILER);
    command.args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include")).args(options).arg(&file);
    command.output().expect("it ran just now")
}

#[track_caller]
fn compiles(name: &str, source: &str, options: &[&str]) {
    let output = compile(name, source, options);
    assert!(output.status.success(), "{name} {options:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// An assertion for each of the structures that their size is the same there.
macro_rules! sizes {
    ($($name:ident),* $(,)?) => {
        [$(format!("_Static_assert(sizeof({0}) == {1}, \"{0}\");\n", stringify!($name), size_of::<$name>())),*].concat()
    };
}

fn structures() -> String {
    sizes!(
        SecHandle,
        LUID,
        LARGE_INTEGER,
        SecBuffer,
        SecBufferDesc,
        SEC_WINNT_AUTH_IDENTITY_A,
        SEC_WINNT_AUTH_IDENTITY_W,
        SEC_WINNT_AUTH_IDENTITY_EXA,
        SEC_WINNT_AUTH_IDENTITY_EXW,
        SecPkgInfoA,
        SecPkgInfoW,
        SecPkgContext_Sizes,
        SecPkgContext_StreamSizes,
        SecPkgContext_Lifespan,
        SecPkgContext_Flags,
        SecPkgContext_SessionKey,
        SecPkgContext_NamesA,
        SecPkgContext_NamesW,
        SecPkgContext_KeyInfoA,
        SecPkgContext_KeyInfoW,
        SecPkgContext_PackageInfoA,
        SecPkgContext_PackageInfoW,
    )
}

/// For each constant that is defined there too: it has the same value. How many there are of ours.
fn constants() -> (String, usize) {
    let source = include_str!("../src/capi/constants.rs");
    let (mut assertions, mut count) = (String::new(), 0);
    for line in source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, rest) = line.split_once(": ").expect("a constant has a type");
        let (_, value) = rest.split_once(" = ").expect("a constant has a value");
        let value = value.trim_end_matches(';').trim_end_matches("_u32 as SECURITY_STATUS");
        assertions += &format!("#ifdef {name}\n_Static_assert((unsigned)({name}) == {value}u, \"{name}\");\n#endif\n");
        count += 1;
    }
    (assertions, count)
}

const INCLUDE: &str = "#include \"digest_ssp.h\"\n";

#[test]
fn the_header_is_that_of_windows() {
    if !is_there() {
        return;
    }
    // Twice, behind the system's own, and with names of either encoding.
    let own = format!("#include <windows.h>\n{INCLUDE}{INCLUDE}const void *name = WDIGEST_SP_NAME;\n");
    for encoding in [&[][..], &["-DUNICODE"]] {
        compiles("header.c", &own, &[&["-std=c11"], encoding].concat());
    }
    let (constants, count) = constants();
    assert!(count > 100, "{count}");
    compiles("same.c", &(INCLUDE.to_owned() + &structures() + &constants), &["-std=c11"]);
}

#[test]
fn what_is_otherwise_there_is_noticed() {
    if !is_there() {
        return;
    }
    let wrong = [
        structures().replace("sizeof(SecBuffer) == 16", "sizeof(SecBuffer) == 12"),
        constants().0.replace("(SECBUFFER_TOKEN) == 2u", "(SECBUFFER_TOKEN) == 3u"),
        "#define AcquireCredentialsHandle AcquireCredentialsHandleA\n".to_owned(),
    ];
    for source in wrong {
        assert!(!compile("wrong.c", &(INCLUDE.to_owned() + &source), &["-std=c11"]).status.success(), "{source}");
    }
}
