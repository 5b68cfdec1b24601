//! The shadow judged by hand-made calls and outcomes; what must happen is taken from the documents and the decisions
//! about them, never from what the shadow says.
#![cfg(feature = "spec")]
#![forbid(unsafe_code)]

mod buffers;
mod completion;
mod counts;
mod lifetimes;
mod names;
mod responses;
mod support;
mod verdicts;
