//! The settings of a package.
#![forbid(unsafe_code)]

pub use crate::context::configuration::{Configuration, Limits};
pub use crate::context::counts::SequencePolicy;
