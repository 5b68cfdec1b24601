//! The conformance run, and what it is made of.
#![cfg(feature = "conformance")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod any_package;
mod concretise_properties;
mod observed;
#[path = "../program_support/mod.rs"]
mod program_support;
mod refinement;
mod run;
mod vectors;
mod wrong_on_purpose;

use std::sync::Arc;

use digest_ssp::spec::Specification;

fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}
