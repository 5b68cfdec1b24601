//! The tables: what is refused, and what is shown.
#![cfg(feature = "spec")]
#![forbid(unsafe_code)]

mod check;
mod show;
mod support;
