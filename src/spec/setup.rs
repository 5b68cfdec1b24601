//! How a subject is configured before a run, which the shadow must know as well.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::names::Profile;
use crate::digest::hash::{hex, md5};
use crate::digest::sasl;

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

impl AccountEntry {
    /// Whether user name or password are other octets in ISO 8859-1 than in UTF-8, and can be told in both.
    fn has_second_key(&self) -> bool {
        let characters = || self.username.chars().chain(self.password.chars());
        characters().all(|character| u32::from(character) < 0x100)
            && !characters().all(|character| character.is_ascii())
    }
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
    /// Unanswered challenges of a mechanism at a time; one more forgets the oldest.
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

/// A cipher of SASL's confidentiality.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Cipher {
    /// RC4 with a key of 128 bits.
    #[serde(rename = "rc4")]
    Rc4,
    /// Triple DES with two keys.
    #[serde(rename = "3des")]
    TripleDes,
    /// RC4 with a key of 56 bits.
    #[serde(rename = "rc4-56")]
    Rc4_56,
    /// RC4 with a key of 40 bits.
    #[serde(rename = "rc4-40")]
    Rc4_40,
    /// DES.
    #[serde(rename = "des")]
    Des,
}

impl Cipher {
    /// All of them, in the documented order of preference.
    pub const ALL: [Self; 5] = [Self::Rc4, Self::TripleDes, Self::Rc4_56, Self::Rc4_40, Self::Des];
}

impl From<Cipher> for sasl::Cipher {
    fn from(cipher: Cipher) -> Self {
        match cipher {
            Cipher::Rc4 => Self::Rc4,
            Cipher::TripleDes => Self::TripleDes,
            Cipher::Rc4_56 => Self::Rc4_56,
            Cipher::Rc4_40 => Self::Rc4_40,
            Cipher::Des => Self::Des,
        }
    }
}

/// The configuration of one run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The mechanism of calls that neither a context nor a flag decides.
    #[serde(default = "default_profile")]
    pub profile: Profile,
    /// Any package: the name of the package under test, where it is not the Digest package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
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
    /// SASL: the ciphers that are offered and accepted.
    #[serde(default = "every_cipher")]
    pub ciphers: Vec<Cipher>,
    /// SASL: the largest wrapped message that is accepted, in bytes: 17 to 16777215.
    #[serde(default = "default_maxbuf")]
    pub maxbuf: u32,
}

fn default_profile() -> Profile {
    Profile::DigestHttp
}

fn every_cipher() -> Vec<Cipher> {
    Cipher::ALL.to_vec()
}

/// RFC 2831 2.1.1: the value of maxbuf where none is given.
fn default_maxbuf() -> u32 {
    65_536
}

impl Setup {
    /// The accounts as an htdigest file: a line `user:realm:H(user:realm:password)` for each, every field in UTF-8.
    pub fn htdigest(&self) -> Vec<u8> {
        let line = |account: &AccountEntry| {
            let [username, realm, password] =
                [&account.username, &account.realm, &account.password].map(|field| field.as_bytes());
            let hash = hex(&md5(&[username, b":", realm, b":", password]));
            [username, b":", realm, b":", &hash, b"\n"].concat()
        };
        self.accounts.iter().flat_map(line).collect()
    }

    /// What a subject that nobody can configure is taken to be. Its accounts come from an htdigest file, which has one
    /// key of an account; where ISO 8859-1 makes a second (RFC 2831 2.1.2.1), another account stands.
    pub fn unconfigured() -> Self {
        let mut setup = Self::default();
        for account in setup.accounts.iter_mut().filter(|account| account.has_second_key()) {
            (account.username, account.password) = ("carol".into(), "sesame".into());
        }
        setup
    }

    /// The same run with another mechanism.
    #[must_use]
    pub fn of(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }
}

impl Default for Setup {
    fn default() -> Self {
        let account = |username: &str, realm: &str, password: &str| AccountEntry {
            username: username.into(),
            realm: realm.into(),
            password: password.into(),
        };
        Self {
            profile: default_profile(),
            package: None,
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
            ciphers: every_cipher(),
            maxbuf: default_maxbuf(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_two_keys_is_replaced() {
        let names = |setup: Setup| setup.accounts.into_iter().map(|account| account.username).collect::<Vec<_>>();
        assert_eq!(
            names(Setup::default()),
            ["alice", "bob", "j\u{fc}rgen", "\u{41e}\u{43b}\u{44c}\u{433}\u{430}", "alice"]
        );
        assert_eq!(
            names(Setup::unconfigured()),
            ["alice", "bob", "carol", "\u{41e}\u{43b}\u{44c}\u{433}\u{430}", "alice"]
        );
    }
}
