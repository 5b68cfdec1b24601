//! The Digest protocol as pure functions over bytes.
#![forbid(unsafe_code)]
