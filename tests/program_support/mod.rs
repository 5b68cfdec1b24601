//! The programs that tests talk to.
#![allow(dead_code, reason = "each test program uses its part")]

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// Whether `program arguments` succeeds; if not, the test is skipped on a desk and fails where CI=true.
pub(crate) fn available(what: &str, command: &mut Command) -> bool {
    let found = command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !found {
        assert!(env::var("CI").as_deref() != Ok("true"), "CI=true, and there is no {what}: .ci/peers installs it");
        eprintln!("skipped: there is no {what}");
    }
    found
}

/// Python: PYTHON says which.
pub(crate) fn python() -> OsString {
    env::var_os("PYTHON").unwrap_or_else(|| "python3".into())
}
