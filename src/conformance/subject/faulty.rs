//! Subjects that are wrong on purpose.
#![forbid(unsafe_code)]
