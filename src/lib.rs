//! An executable specification of SSPI's **CompleteAuthToken** and of the Microsoft Digest
//! security package it belongs to, a reference implementation, and a conformance suite.
//!
//! Two witnesses that never meet: `spec` holds the requirements as data and judges by them;
//! `package` implements them without ever consulting that data. Only `conformance` knows both.
//!
//! Who wants to authenticate somebody begins at `package`, whose documentation goes through a whole SASL exchange with its
//! layer; at `serve` for HTTP over real connections, at `sasl` for SASL without buffers and descriptors. Who wants
//! tokens and hashes alone begins at `digest`; who wants to test another implementation, at `conformance`.

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

#[cfg(feature = "capi")]
pub mod capi;

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
