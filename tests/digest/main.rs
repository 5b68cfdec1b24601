//! The protocol by its properties, by what OpenJDK wrapped, and beside an independent witness.
#![cfg(feature = "digest")]
#![forbid(unsafe_code)]

#[path = "../program_support/mod.rs"]
mod program_support;
mod properties;
mod sasl_layers;
mod sasl_tokens;
mod texts;
mod witness_agreement;
mod witness_agreement_sasl;
mod witness_support;
