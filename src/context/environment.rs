//! The only way in for time, entropy and accounts: everything a context does is replayable.
#![forbid(unsafe_code)]

use core::fmt;

use super::configuration::Configuration;
use super::failure::EnvironmentFailure;
use super::http::Http;
use super::sasl::Sasl;
use super::sessions::Sessions;
use crate::digest::hash::UserHash;
use crate::digest::nonce::Timestamp;
use crate::sync::Mutex;

/// A clock and a source of entropy.
pub trait Environment: Send + Sync {
    /// The time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`EnvironmentError::Clock`] where there is no time to be had.
    fn now(&self) -> Result<Timestamp, EnvironmentError>;

    /// Fills `bytes` with entropy.
    ///
    /// # Errors
    /// [`EnvironmentError::Entropy`] where there is none to be had; what `bytes` holds then is not used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError>;
}

/// The environment failed; it reaches the caller as SEC_E_INTERNAL_ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EnvironmentError {
    /// There is no time.
    #[error("the clock failed")]
    Clock,
    /// There is no entropy.
    #[error("the source of entropy failed")]
    Entropy,
}

impl From<EnvironmentError> for EnvironmentFailure {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Clock => Self::Clock,
            EnvironmentError::Entropy => Self::Entropy,
        }
    }
}

/// Where the accounts are: an authority that may be down.
///
/// It is asked without any lock of the package held but that of the context in question. A panic passes through the call
/// to its caller, and a context that was given is lost: its handle names nothing any more, and can be deleted.
pub trait AccountSource: Send + Sync {
    /// The account of that user in that realm, both as decoded from the wire.
    ///
    /// # Errors
    /// [`AccountSourceUnavailable`] where the authority cannot be asked; never for an unknown user.
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable>;
}

/// The authority cannot be asked; SEC_E_NO_AUTHENTICATING_AUTHORITY, within a completion SEC_E_INTERNAL_ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the account source is unavailable")]
pub struct AccountSourceUnavailable;

/// What an acceptor keeps of a password: H(username:realm:password), in both encodings when they differ.
///
/// RFC 2831 2.1.2.1 hashes each field in ISO 8859-1 where it fits; RFC 7616 clients hash UTF-8 throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    primary: UserHash,
    utf8: Option<UserHash>,
}

impl Account {
    /// The account of a user whose password is known in clear.
    pub fn from_password(username: &str, realm: &str, password: &str) -> Self {
        let primary = UserHash::new(username, realm, password);
        let utf8 = UserHash::utf8(username, realm, password);
        let utf8 = if utf8 == primary { None } else { Some(utf8) };
        Self { primary, utf8 }
    }

    /// The account of a user of whom only the hash is known; it holds for the encoding it was made in.
    pub fn from_hash(primary: UserHash) -> Self {
        Self { primary, utf8: None }
    }

    pub(super) fn primary(&self) -> &UserHash {
        &self.primary
    }

    pub(super) fn utf8(&self) -> Option<&UserHash> {
        self.utf8.as_ref()
    }
}

/// Everything outside a context that an operation on it may touch.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Time and entropy.
    pub environment: &'a dyn Environment,
    /// Accounts.
    pub accounts: &'a dyn AccountSource,
    /// Challenges and sessions of HTTP. Locked for single steps only, never while an environment or account source
    /// is asked.
    pub http_sessions: &'a Mutex<Sessions<Http>>,
    /// Challenges and sessions of SASL, locked like those of HTTP and never together with them.
    pub sasl_sessions: &'a Mutex<Sessions<Sasl>>,
    /// Realm, policy, limits.
    pub configuration: &'a Configuration,
}

impl fmt::Debug for World<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("World").field("configuration", self.configuration).finish_non_exhaustive()
    }
}
