//! The binary `digest-ssp`.
#![forbid(unsafe_code)]

fn main() {}
