//! What an acceptor offers and tolerates.
#![forbid(unsafe_code)]

use core::time::Duration;

use super::counts::SequencePolicy;
use crate::digest::directives;
use crate::digest::hash::Algorithm;
use crate::digest::sasl::{Ciphers, MaxBuf};

/// The settings of one security package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The realm of a challenge whose caller names none.
    pub realm: String,
    /// The algorithm that challenges ask for.
    pub algorithm: Algorithm,
    /// How long a nonce is good, to the millisecond: exactly this old is still fresh.
    pub nonce_lifetime: Duration,
    /// Which nonce counts are acceptable.
    pub sequence: SequencePolicy,
    /// Bounds of memory and work.
    pub limits: Limits,
    /// Whether challenges offer charset=utf-8 (RFC 2831 2.1.1).
    pub charset_utf8: bool,
    /// The ciphers of SASL auth-conf, offered by acceptors and accepted by initiators (RFC 2831 section 2.1.1).
    pub ciphers: Ciphers,
    /// The longest wrapped SASL message that either role says it receives, in bytes (RFC 2831 section 2.1.1).
    pub maxbuf: MaxBuf,
}

impl Default for Configuration {
    /// Realm "digest-ssp", MD5, ten hours, strict counting; of SASL every cipher, and wrapped messages of 65 536 bytes.
    fn default() -> Self {
        Self {
            realm: "digest-ssp".to_owned(),
            algorithm: Algorithm::Md5,
            nonce_lifetime: Duration::from_secs(10 * 60 * 60),
            sequence: SequencePolicy::Strict,
            limits: Limits::default(),
            charset_utf8: true,
            ciphers: Ciphers::ALL,
            maxbuf: MaxBuf::DEFAULT,
        }
    }
}

/// Bounds of memory and work. None of them lets a third party end an established session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Live contexts; one more is SEC_E_INSUFFICIENT_MEMORY.
    pub contexts: usize,
    /// Unanswered challenges of each mechanism that can be answered; one more makes the oldest name nothing.
    pub challenges: usize,
    /// Wrong digests after which a challenge names nothing.
    pub failures: u32,
    /// Bounds of a token.
    pub token: directives::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { contexts: 65_536, challenges: 16_384, failures: 16, token: directives::Limits::default() }
    }
}
