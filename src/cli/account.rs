//! Accounts and protection, as arguments spell them.
#![forbid(unsafe_code)]

use core::fmt;
use core::str::FromStr;

use digest_ssp::digest::{Algorithm, Qop};
use digest_ssp::serve::gate::{GateError, checked_realm};
use zeroize::Zeroizing;

/// `NAME:PASSWORD`.
#[derive(Clone)]
pub(super) struct NameAndPassword {
    pub(super) name: String,
    pub(super) password: Zeroizing<String>,
}

impl FromStr for NameAndPassword {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((name, password)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) })
            }
            Some(_) | None => Err("an account is NAME:PASSWORD, with a name that is not empty"),
        }
    }
}

impl fmt::Debug for NameAndPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NameAndPassword").field("name", &self.name).finish_non_exhaustive()
    }
}

pub(super) fn qop(text: &str) -> Result<Qop, &'static str> {
    Qop::from_token(text.as_bytes()).ok_or("it is auth or auth-int")
}

pub(super) fn algorithm(text: &str) -> Result<Algorithm, &'static str> {
    Algorithm::from_token(text.as_bytes()).ok_or("it is MD5 or MD5-sess")
}

pub(super) fn realm(text: &str) -> Result<String, GateError> {
    checked_realm(text).map(str::to_owned)
}
