//! The reference machines of the tables.

use std::sync::Arc;

use boon::{Compiler, Schemas};
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

/// Whether it is as the schema says, which has that identifier.
pub(crate) fn is_valid(identifier: &str, schema: &str, json: &serde_json::Value) -> bool {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource(identifier, schema).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile(identifier, &mut schemas).expect("the schema is one");
    schemas.validate(json, index).is_ok()
}
