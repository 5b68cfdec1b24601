//! include/digest_ssp.h is what cbindgen makes of src/capi. `DIGEST_SSP_WRITE_HEADER=1` makes it anew.
#![cfg(feature = "capi")]

use std::path::{Path, PathBuf};
use std::{env, fs};

const COMMITTED: &str = "include/digest_ssp.h";

/// The files of src/capi that declare what the header has, in the order in which it has it.
const SOURCES: [&str; 9] = [
    "types",
    "attribute_types",
    "function_types",
    "table",
    "packages",
    "credentials",
    "contexts",
    "messages",
    "attributes",
];

/// cbindgen knows no `extern "system"`, which on every system that the library is for is what C compilers do; and a
/// parameter that is ignored has the name that it has in sspi.h.
fn as_cbindgen_reads_it(source: &str) -> String {
    source
        .replace("extern \"system\"", "extern \"C\"")
        .replace("\n    _", "\n    ")
        .replace("/// # Safety\n", "/// Contract:\n")
}

/// The constants as macros: cbindgen would write their bits as decimal numbers.
fn macros(source: &str) -> String {
    let mut macros = String::new();
    let mut documentation = "";
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("/// ") {
            documentation = text;
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let (name, rest) = constant.split_once(": ").expect("a constant has a type");
            let value = match rest.strip_suffix(';').and_then(|rest| rest.split_once(" = ")) {
                Some(("u32", value)) => value.to_owned(),
                Some(("SECURITY_STATUS", value)) => {
                    let digits = value.strip_suffix("_u32 as SECURITY_STATUS").expect("a status has unsigned bits");
                    format!("((SECURITY_STATUS){digits})")
                }
                other => panic!("no macro can be made of {name}: {other:?}"),
            };
            macros.push_str(&format!("// {documentation}\n#define {name} {value}\n"));
        } else if line.is_empty() {
            macros.push('\n');
        }
    }
    macros
}

fn made() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capi_header");
    fs::create_dir_all(&scratch).expect("the target directory can be written");
    let mut configuration =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is well-formed");
    let constants = fs::read_to_string(root.join("src/capi/constants.rs")).expect("the source is there");
    configuration.after_includes.get_or_insert_default().push_str(&macros(&constants));
    let mut builder = cbindgen::Builder::new().with_config(configuration);
    for name in SOURCES {
        let file = format!("{name}.rs");
        let source = fs::read_to_string(root.join("src/capi").join(&file)).expect("the source is there");
        fs::write(scratch.join(&file), as_cbindgen_reads_it(&source)).expect("the target directory can be written");
        builder = builder.with_src(scratch.join(&file));
    }
    let mut header = Vec::new();
    builder.generate().expect("cbindgen understands the sources").write(&mut header);
    String::from_utf8(header).expect("a header is text")
}

#[test]
fn the_committed_header_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let made = made();
    if env::var_os("DIGEST_SSP_WRITE_HEADER").is_some() {
        fs::write(&path, &made).expect("the header can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "{COMMITTED} is stale: DIGEST_SSP_WRITE_HEADER=1 makes it anew");
}

/// Whatever the library exports by name is declared, and nothing else.
#[test]
fn the_header_declares_every_export() {
    let header = made();
    let mut exports = Vec::new();
    for name in SOURCES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/capi").join(format!("{name}.rs"));
        let source = fs::read_to_string(path).expect("the source is there");
        for exported in source.split("#[unsafe(no_mangle)]").skip(1) {
            let (_, rest) = exported.split_once("extern \"system\" fn ").expect("what is exported is a function");
            exports.push(rest.split_once('(').expect("it has parameters").0.to_owned());
        }
    }
    assert_eq!(exports.len(), 21, "{exports:?}");
    for name in exports {
        let declarations = header.lines().filter(|line| line.starts_with("SECURITY_STATUS ") || line.contains("Init"));
        assert!(declarations.clone().any(|line| line.contains(&format!("{name}("))), "{name} is not declared");
    }
}
