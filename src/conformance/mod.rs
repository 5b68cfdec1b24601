//! Conformance: actions, cases, the runner, verdicts and reports. The only room that knows both witnesses.
#![deny(unsafe_code)]

pub mod action;
#[cfg(feature = "arbitrary")]
mod arbitrary;
pub mod concretise;
pub mod encoding;
pub mod exchange;
pub mod expect;
pub mod fuzzing;
pub mod generate;
mod hex;
pub mod learn;
pub mod parallel;
pub mod plan;
pub mod protocol;
pub mod refinement;
pub mod report;
pub mod reproduce;
pub mod run;
mod session;
pub mod subject;
pub mod vectors;
pub mod walk;

pub use action::{Action, CallAction};
pub use report::{Report, RowVerdict};
pub use run::{Options, run};
pub use subject::{Subject, SubjectError};
pub use walk::{Step, Walk};
