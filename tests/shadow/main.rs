//! The shadow judged by hand-made calls and outcomes; what must happen is taken from the documents and the decisions
//! about them, never from what the shadow says.
#![cfg(feature = "spec")]
#![forbid(unsafe_code)]

mod bindings;
mod buffers;
mod calls;
mod completion;
mod counts;
mod layers;
mod lifetimes;
mod memory;
mod names;
mod properties;
mod responses;
mod sasl;
mod sasl_support;
mod support;
mod verdicts;
