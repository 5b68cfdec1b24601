//! The SASL mechanism DIGEST-MD5 (RFC 2831) over the package, without any protocol around it.
//!
//! [`Acceptor`] and [`Initiator`] know SSPI and no lines, [`lines`] knows lines and no tokens.
#![forbid(unsafe_code)]

mod acceptor;
mod calls;
mod initiator;
pub mod lines;

pub use acceptor::{Acceptor, AcceptorError, Service};
pub use initiator::{Initiator, Peer, User};

use core::fmt;

use crate::context::failure::Failure;
use crate::digest::sasl::{Cipher, Qop};
use crate::status::SecurityStatus;

/// What became of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The exchange goes on: this token is for the peer.
    Token(Vec<u8>),
    /// The exchange goes on, and the peer speaks next.
    PeerSpeaks,
    /// The exchange succeeded; the peer still needs the proof, if there is one.
    Authenticated {
        /// `rspauth`, which an acceptor owes.
        proof: Option<Vec<u8>>,
        /// What was agreed on.
        negotiated: Negotiated,
    },
}

/// What an exchange agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Who was authenticated.
    pub user: String,
    /// The quality of protection.
    pub qop: Qop,
    /// What encrypts messages, with auth-conf.
    pub cipher: Option<Cipher>,
}

impl fmt::Display for Negotiated {
    /// `QOP CIPHER USER`, the cipher `-` when there is none.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cipher = self.cipher.map_or("-", Cipher::as_str);
        write!(formatter, "{} {cipher} {}", self.qop.as_str(), self.user.escape_debug())
    }
}

/// Why a token or a message led nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// An SSPI call failed.
    #[error("{0}")]
    Sspi(#[from] Failure),
    /// The client is authenticated, but means another service or host (RFC 2831 section 2.1.2, digest-uri).
    #[error("{}: the client means {}", SecurityStatus::SEC_E_LOGON_DENIED, .0.escape_debug())]
    OtherService(String),
    /// The 4 bytes before a wrapped message are not its length.
    #[error(
        "{}: a wrapped message is its length in 4 bytes and {announced} bytes more, and there are {found}",
        SecurityStatus::SEC_E_INCOMPLETE_MESSAGE
    )]
    Length {
        /// What the first bytes say.
        announced: u32,
        /// What follows them.
        found: usize,
    },
    /// Nobody is authenticated yet, or not any more.
    #[error("{}: no exchange has succeeded yet", SecurityStatus::SEC_E_OUT_OF_SEQUENCE)]
    NotAuthenticated,
}
