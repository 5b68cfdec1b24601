//! Machines: suites made from them, learning them, and second opinions by programs of others.
#![cfg(feature = "conformance")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod learning;
mod machine_support;
#[path = "../program_support/mod.rs"]
mod program_support;
mod spin;
mod suites;
mod w_method;
