//! Conformance: actions, cases, the runner, verdicts and reports. The only room that knows both witnesses.
#![forbid(unsafe_code)]

pub mod action;
pub mod concretise;
pub mod plan;
pub mod report;
pub mod run;
pub mod subject;

pub use action::{Action, CallAction};
pub use report::{Report, RowVerdict};
pub use run::{Options, run};
pub use subject::{Subject, SubjectError};
