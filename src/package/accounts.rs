//! Account sources: in memory, and the files that Apache's `htdigest` writes.
#![forbid(unsafe_code)]

use core::fmt;
use std::collections::BTreeMap;

pub use crate::context::environment::{Account, AccountSource, AccountSourceUnavailable};
use crate::digest::UserHash;

/// Accounts by realm and user name.
type Accounts = BTreeMap<String, BTreeMap<String, Account>>;

fn find(accounts: &Accounts, username: &str, realm: &str) -> Option<Account> {
    accounts.get(realm)?.get(username).cloned()
}

/// Accounts in memory. It keeps H(username:realm:password), not the password.
#[derive(Clone, Default)]
pub struct MemoryAccounts {
    accounts: Accounts,
}

impl MemoryAccounts {
    /// No accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an account, or replaces the one of that user in that realm.
    pub fn insert(&mut self, username: &str, realm: &str, password: &str) {
        let account = Account::from_password(username, realm, password);
        self.accounts.entry(realm.to_owned()).or_default().insert(username.to_owned(), account);
    }
}

impl AccountSource for MemoryAccounts {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        Ok(find(&self.accounts, username, realm))
    }
}

impl fmt::Debug for MemoryAccounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemoryAccounts").finish_non_exhaustive()
    }
}

/// The accounts of an `htdigest` file: lines of `user:realm:H(user:realm:password)`.
#[derive(Clone)]
pub struct HtdigestFile {
    accounts: Accounts,
}

impl HtdigestFile {
    /// Reads a file. Empty lines and lines that begin with `#` say nothing.
    ///
    /// The user is what stands before the first colon, the hash what stands behind the last one; a realm may have
    /// colons in it.
    ///
    /// # Errors
    /// The first line, from 1, that is not UTF-8, lacks a colon, has no 32 hexadecimal digits, or has an account again.
    pub fn parse(file: &[u8]) -> Result<Self, HtdigestError> {
        let mut accounts = Accounts::new();
        for (index, line) in file.split(|octet| *octet == b'\n').enumerate() {
            let error = |offence| HtdigestError { line: index + 1, offence };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let line = core::str::from_utf8(line).map_err(|_| error(HtdigestOffence::NotUtf8))?;
            let (username, rest) = line.split_once(':').ok_or(error(HtdigestOffence::Fields))?;
            let (realm, hash) = rest.rsplit_once(':').ok_or(error(HtdigestOffence::Fields))?;
            let hash = UserHash::from_hex(hash.as_bytes()).ok_or(error(HtdigestOffence::Hash))?;
            let users = accounts.entry(realm.to_owned()).or_default();
            if users.insert(username.to_owned(), Account::from_hash(hash)).is_some() {
                return Err(error(HtdigestOffence::Twice));
            }
        }
        Ok(Self { accounts })
    }
}

impl AccountSource for HtdigestFile {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        Ok(find(&self.accounts, username, realm))
    }
}

impl fmt::Debug for HtdigestFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HtdigestFile").finish_non_exhaustive()
    }
}

/// A line that is no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {offence}")]
pub struct HtdigestError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub offence: HtdigestOffence,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HtdigestOffence {
    /// It is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// It is not user:realm:hash.
    #[error("not user:realm:hash")]
    Fields,
    /// The hash is not 32 hexadecimal digits.
    #[error("the hash is not 32 hexadecimal digits")]
    Hash,
    /// That user has an account in that realm already.
    #[error("this user has an account in this realm already")]
    Twice,
}

#[cfg(test)]
mod tests {
    use super::*;

    // H(A1) of RFC 2617 3.5: Mufasa, testrealm@host.com, Circle Of Life.
    const MUFASA: &str = "Mufasa:testrealm@host.com:939e7578ed9e3c518a452acee763bce9";

    #[test]
    fn a_file_and_a_password_make_the_same_account() {
        let file = format!("# accounts\r\n\r\n{MUFASA}\r\n");
        let file = HtdigestFile::parse(file.as_bytes()).expect("the file is well-formed");
        let mut memory = MemoryAccounts::new();
        memory.insert("Mufasa", "testrealm@host.com", "Circle Of Life");
        let [from_file, from_memory] =
            [&file as &dyn AccountSource, &memory].map(|source| source.lookup("Mufasa", "testrealm@host.com"));
        assert_eq!(from_file, from_memory);
        assert!(matches!(from_file, Ok(Some(_))));
        assert_eq!(file.lookup("Mufasa", "elsewhere"), Ok(None));
        assert_eq!(file.lookup("mufasa", "testrealm@host.com"), Ok(None));
    }

    #[test]
    fn an_error_names_the_line() {
        for (file, line, offence) in [
            ("nobody".to_owned(), 1, HtdigestOffence::Fields),
            ("\nuser:939e7578ed9e3c518a452acee763bce9".to_owned(), 2, HtdigestOffence::Fields),
            (format!("{MUFASA}\n{MUFASA}\n"), 2, HtdigestOffence::Twice),
            (format!("{MUFASA}0"), 1, HtdigestOffence::Hash),
        ] {
            let error = HtdigestFile::parse(file.as_bytes()).expect_err("the file has an offence");
            assert_eq!(error, HtdigestError { line, offence }, "{file}");
            assert!(error.to_string().starts_with(&format!("line {line}: ")));
        }
        let error = HtdigestFile::parse(b"us\xE9r:realm:939e7578ed9e3c518a452acee763bce9").expect_err("not UTF-8");
        assert_eq!(error.offence, HtdigestOffence::NotUtf8);
    }
}
