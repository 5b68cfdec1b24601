//! What `serve`, `fetch` and `sasl` do: in process, and as programs before clients of other makers.
#![cfg(feature = "serve")]
#![forbid(unsafe_code)]

mod clocked;
#[cfg(feature = "cli")]
mod curl;
#[cfg(feature = "cli")]
mod fetch;
mod in_process;
mod ports;
#[cfg(feature = "cli")]
#[path = "../program_support/mod.rs"]
mod program_support;
#[cfg(feature = "cli")]
mod python;
#[cfg(feature = "cli")]
mod sasl_lines;
mod sasl_properties;
#[cfg(feature = "cli")]
mod server;
#[cfg(feature = "cli")]
mod support;
#[cfg(feature = "cli")]
mod tls;
