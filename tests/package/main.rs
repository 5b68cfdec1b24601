//! The package by its calls, against peers that sign by hand.
#![cfg(feature = "package")]
#![forbid(unsafe_code)]

mod acceptor;
mod beside;
mod bindings;
mod challenges;
mod environment;
mod initiator;
mod layers;
mod panics;
mod properties;
mod sasl;
mod sasl_initiator;
mod sasl_properties;
#[cfg(feature = "conformance")]
mod state_machine;
mod support;
