//! What is loaded into a process, and the worker whose process that is.
#![deny(unsafe_code)]

pub mod worker;
