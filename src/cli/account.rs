//! Accounts and protection, as arguments spell them.
#![forbid(unsafe_code)]

use core::fmt;
use core::str::FromStr;
use std::env::VarError;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use digest_ssp::digest::{Algorithm, Qop};
use digest_ssp::package::accounts::HtdigestFile;
use digest_ssp::serve::gate::{GateError, checked_realm};
use zeroize::Zeroizing;

use super::SetupError;

/// The variable that may hold the password of a client.
const PASSWORD_VARIABLE: &str = "DIGEST_SSP_PASSWORD";

/// Who a client is.
#[derive(Args)]
pub(super) struct Who {
    /// Who it is; without a password here, in the options or in DIGEST_SSP_PASSWORD there is none.
    #[arg(long, value_name = "NAME[:PASSWORD]")]
    user: Zeroizing<String>,
    /// The password; --user is the name alone.
    #[arg(long, conflicts_with = "password_file")]
    password: Option<Zeroizing<String>>,
    /// File whose first line is the password; --user is the name alone.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
}

impl Who {
    /// Name and password, from wherever the password is.
    pub(super) fn read(&self) -> Result<NameAndPassword, SetupError> {
        let Self { user, password, password_file } = self;
        let named = |password: &str| {
            if user.is_empty() {
                return Err(SetupError::from("--user: a name is not empty".to_owned()));
            }
            Ok(NameAndPassword { name: (**user).clone(), password: Zeroizing::new(password.to_owned()) })
        };
        if let Some(password) = password {
            return named(password);
        }
        if let Some(file) = password_file {
            let name = file.display();
            let text = std::fs::read_to_string(file).map(Zeroizing::new);
            let text = text.map_err(|error| format!("--password-file {name}: {error}"))?;
            return named(text.lines().next().unwrap_or_default());
        }
        if user.contains(':') {
            return user.parse().map_err(|error| format!("--user: {error}").into());
        }
        match std::env::var(PASSWORD_VARIABLE).map(Zeroizing::new) {
            Ok(password) => named(&password),
            Err(VarError::NotPresent) => Err(format!(
                "--user: there is no password; give NAME:PASSWORD, --password, --password-file or {PASSWORD_VARIABLE}"
            )
            .into()),
            // What it holds may be the password all the same, and is not repeated.
            Err(VarError::NotUnicode(_)) => Err(format!("{PASSWORD_VARIABLE}: it is not UTF-8").into()),
        }
    }
}

pub(super) fn read_htdigest(option: &str, file: &Path) -> Result<HtdigestFile, SetupError> {
    let name = file.display();
    // Each hash is as good as a password within its realm.
    let bytes = std::fs::read(file).map(Zeroizing::new).map_err(|error| format!("{option} {name}: {error}"))?;
    HtdigestFile::parse(&bytes)
        .map_err(|error| format!("{option} {name}: {error}; write it with `htdigest` of Apache").into())
}

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
