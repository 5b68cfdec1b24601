//! Real HTTP over the package: an acceptor's side ([`Server`]) and an initiator's ([`fetch`]).
//!
//! [`Gate`] knows SSPI and no sockets, [`Server`] knows HTTP and no digests; so with [`initiator`] and [`fetch`]. The
//! buffer layout is the one of .NET's HttpListener. [`tls`] is around the connections; what is known of a channel
//! reaches the package as [`protection`] says.
#![forbid(unsafe_code)]

pub mod fetch;
pub mod gate;
pub mod headers;
pub mod initiator;
mod kept;
pub mod protection;
pub mod record;
pub mod server;
pub mod tls;

pub use gate::Gate;
pub use protection::ExtendedProtection;
pub use record::{CallLog, CallRecord, SspiCall};
pub use server::{HttpLimits, Server};
