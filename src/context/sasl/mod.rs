//! The typestates of SASL DIGEST-MD5: roles, states and sessions of their own beside those of HTTP.
//!
//! What SASL has not does not exist here: no request whose body is yet to come, so nothing is ever completed but a
//! fast reauthentication ([`CompleteNeeded`](super::CompleteNeeded)`<`[`FastReauthentication`]`>`), and no challenge
//! goes out beside a completion.
//!
//! Sources: RFC 2831; `acceptsecuritycontext--digest`, `initializesecuritycontext--digest`,
//! `authenticating-subsequent-requests-using-microsoft-digest`, `makesignature`, `verifysignature`, `encryptmessage`,
//! `decryptmessage`, `quality-of-protection`.
#![forbid(unsafe_code)]

pub mod acceptor;
mod completing;
mod exchange;
pub mod initiator;
pub mod layers;
pub mod sessions;

pub use acceptor::{Acceptor, FastReauthentication};
pub use initiator::Initiator;
pub use sessions::Sasl;

/// AcceptSecurityContext and CompleteAuthToken of an acceptor: the response, and where the answer goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenMessage<'a> {
    /// The response; for AcceptSecurityContext empty where there is none yet.
    pub token: &'a [u8],
    /// Room in the output, `None` where there is none.
    pub capacity: Option<usize>,
}

/// InitializeSecurityContext: the challenge or the server's proof, and the service it is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitializeInput<'a> {
    /// The server's token; `None` where there is no TOKEN buffer, empty where the server sent nothing.
    pub token: Option<&'a [u8]>,
    /// pszTargetName: the digest-uri, serv-type "/" host [ "/" serv-name ] (RFC 2831 section 2.1.2).
    pub target: &'a [u8],
    /// Room in the output TOKEN, `None` where there is none.
    pub capacity: Option<usize>,
}
