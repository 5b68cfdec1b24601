//! TLS around a connection, on both sides, and the channel binding that goes with it.
//!
//! rustls with the primitives of ring. What a package sees of the channel is [`ServerEndPoint`] alone.
#![forbid(unsafe_code)]

mod client;
mod end_point;
mod server;

pub use client::{RootsError, TrustedRoots};
pub use end_point::{EndPointError, ServerEndPoint};
pub use server::{IdentityError, ServerIdentity};

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

/// The only protocol spoken here, as ALPN spells it (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";

/// Named where it is used, so that no other crate in the process decides it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
