//! How a subject is configured before a run, which the shadow must know as well.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// An account of the account source.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountEntry {
    /// The user's name.
    pub username: String,
    /// The realm.
    pub realm: String,
    /// The password.
    pub password: String,
}

impl core::fmt::Debug for AccountEntry {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("AccountEntry")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// Which counts are acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Exactly the last count plus one.
    Strict,
    /// Unused, and at most that far before or after the last count.
    Window(NonZeroU32),
}

/// The algorithm an acceptor offers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum OfferedAlgorithm {
    /// MD5.
    #[serde(rename = "MD5")]
    Md5,
    /// MD5-sess.
    #[serde(rename = "MD5-sess")]
    Md5Sess,
}

impl From<OfferedAlgorithm> for crate::digest::Algorithm {
    fn from(algorithm: OfferedAlgorithm) -> Self {
        match algorithm {
            OfferedAlgorithm::Md5 => Self::Md5,
            OfferedAlgorithm::Md5Sess => Self::Md5Sess,
        }
    }
}

/// The limits of a provider.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Contexts at a time.
    pub contexts: usize,
    /// Unanswered challenges at a time; one more forgets the oldest.
    pub challenges: usize,
    /// Wrong answers to one challenge before it is forgotten.
    pub failures: u32,
    /// Bytes of a token.
    pub token_bytes: usize,
    /// Directives of a token.
    pub directives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { contexts: 4096, challenges: 4096, failures: 8, token_bytes: 8192, directives: 64 }
    }
}

/// The configuration of one run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The accounts.
    pub accounts: Vec<AccountEntry>,
    /// The realm of challenges whose caller gives none.
    pub realm: String,
    /// The algorithm offered.
    pub algorithm: OfferedAlgorithm,
    /// How long a nonce lives, in milliseconds.
    pub nonce_lifetime: u64,
    /// Which counts are acceptable.
    pub policy: Policy,
    /// The limits.
    pub limits: Limits,
}

impl Default for Setup {
    fn default() -> Self {
        let account = |username: &str, realm: &str, password: &str| AccountEntry {
            username: username.into(),
            realm: realm.into(),
            password: password.into(),
        };
        Self {
            accounts: vec![
                account("alice", "digest-ssp", "secret"),
                account("bob", "digest-ssp", "Circle Of Life"),
                account("jürgen", "digest-ssp", "pässword"),
                account("Ольга", "digest-ssp", "пароль"),
                account("alice", "other realm", "secret"),
            ],
            realm: "digest-ssp".into(),
            algorithm: OfferedAlgorithm::Md5,
            nonce_lifetime: 60_000,
            policy: Policy::Strict,
            limits: Limits::default(),
        }
    }
}

/// What of the environment can be made to fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentFault {
    /// Nothing.
    #[default]
    None,
    /// Entropy.
    Entropy,
    /// The clock.
    Clock,
}
