//! The reference machines of the tables.

use std::sync::Arc;

use digest_ssp::conformance::generate::alphabet::Alphabet;
use digest_ssp::conformance::generate::suite::{named, reference};
use digest_ssp::conformance::generate::unfold::Reference;
use digest_ssp::spec::Specification;

pub(crate) fn specification() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the tables in spec/ load, which tests/spec shows"))
}

/// An alphabet, and what the tables are under it.
pub(crate) fn made(specification: &Arc<Specification>, name: &str) -> (Alphabet, Reference) {
    let alphabet = named(specification, name).unwrap_or_else(|error| panic!("{error}"));
    let reference = reference(specification, &alphabet).unwrap_or_else(|error| panic!("{error}"));
    (alphabet, reference)
}
