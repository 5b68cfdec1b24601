//! The specification as data, and the machinery that loads it, checks it, renders it and judges by it.
//!
//! The tables live in `spec/` and are compiled in. This room never sees the implementation.
#![forbid(unsafe_code)]

pub mod call;
pub mod callers;
pub mod check;
pub mod combinations;
mod compile;
pub mod describe;
pub mod explain;
pub mod graph;
pub mod load;
pub mod model;
pub mod names;
pub mod reach;
pub mod render;
pub mod setup;
pub mod shadow;
pub mod show;
pub(crate) mod visible;
pub mod vocabulary;

pub use call::{Call, Outcome};
pub use model::Specification;
pub use setup::Setup;
pub use shadow::{Shadow, Verdict};
