//! The C ABI: the functions of `sspi.h`, with their types, names and calling convention, over one [`package`] of the
//! process.
//!
//! The accounts of servers come from an htdigest file that the environment variable `DIGEST_SSP_ACCOUNTS` names. It is
//! read when an account is needed for the first time; without one that is whole, AcceptSecurityContext answers
//! SEC_E_NO_AUTHENTICATING_AUTHORITY. The realm of challenges is that of `DIGEST_SSP_REALM`, 1 to 256 printable characters of
//! US-ASCII; on HTTP a buffer of the caller goes before it. Everything else is [`Configuration::default`].
//!
//! # What a caller in C promises
//!
//! A pointer that is neither NULL nor points to what the function takes is outside the contract: nothing can be said of
//! what happens then. cBuffers structures are at pBuffers, cbBuffer bytes at pvBuffer, and no other thread touches them
//! during the call. Buffers that a call only writes need not be initialised. Buffers may overlap.
//!
//! Everything else has a status: NULL wherever it may not be, descriptors of another version or with a NULL that has a
//! length, handles that are stale, forged, of the other kind or all zeros, memory that FreeContextBuffer did not give
//! or has taken back, strings that are malformed in their encoding. A panic ends in SEC_E_INTERNAL_ERROR.
//!
//! Every function may be called from any thread at any time.
//!
//! # Who calls, and how
//!
//! With the environment variable `DIGEST_SSP_TRACE` every call leaves a line in the file that it names, without secrets;
//! `digest-ssp trace check` judges the caller by it.
//!
//! [`package`]: crate::package
//! [`Configuration::default`]: crate::package::configuration::Configuration
#![allow(unsafe_code, reason = "pointers of a caller in C; each block says why it may")]
#![warn(clippy::undocumented_unsafe_blocks)]

mod attribute_types;
mod attributes;
mod blocks;
mod buffers;
mod constants;
mod contexts;
#[cfg(feature = "capi-control")]
mod control;
mod credentials;
mod function_types;
mod identity;
mod memory;
mod messages;
mod packages;
mod provider;
mod status;
mod strings;
mod table;
mod trace;
mod types;

pub use attribute_types::*;
pub use attributes::*;
pub use constants::*;
pub use contexts::*;
#[cfg(feature = "capi-control")]
pub use control::DigestSspControl;
pub use credentials::*;
pub use function_types::*;
pub use messages::*;
pub use packages::*;
pub use provider::{ACCOUNTS_VARIABLE, REALM_VARIABLE};
pub use table::*;
pub use trace::TRACE_VARIABLE;
pub use types::*;
