//! What `conform` reports: expectations, every form of the report, reproducers run again, an adopter's CI.
#![cfg(feature = "cli")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

mod browser;
mod expectations;
mod formats;
mod init_ci;
mod progress;
mod reproduce;
mod support;
