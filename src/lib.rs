//! An executable specification of SSPI's **CompleteAuthToken** and of the Microsoft Digest
//! security package it belongs to, a reference implementation, and a conformance suite.
//!
//! Two witnesses that never meet: `spec` holds the requirements as data and judges by them;
//! `package` implements them without ever consulting that data. Only `conformance` knows both.

pub mod buffer;
pub mod status;

#[cfg(feature = "digest")]
pub mod digest;

#[cfg(feature = "package")]
pub mod context;
#[cfg(feature = "package")]
pub mod package;
#[cfg(feature = "package")]
pub mod sync;

#[cfg(feature = "spec")]
pub mod spec;

#[cfg(feature = "conformance")]
pub mod conformance;

#[cfg(feature = "serve")]
pub mod sasl;
#[cfg(feature = "serve")]
pub mod serve;

#[cfg(all(doctest, feature = "package"))]
#[doc = include_str!("../README.md")]
struct Readme;
