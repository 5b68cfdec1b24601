//! The one package of this process, its accounts, and its handles as C has them.
#![forbid(unsafe_code)]

use std::sync::OnceLock;

use super::types;
use crate::buffer::SecHandle;
use crate::package::SecurityPackage;
use crate::package::accounts::{Account, AccountSource, AccountSourceUnavailable, HtdigestFile};
use crate::package::configuration::Configuration;
use crate::package::environment::SystemEnvironment;

/// Names the htdigest file that has a server's accounts. It is read when an account is needed for the first time.
pub const ACCOUNTS_VARIABLE: &str = "DIGEST_SSP_ACCOUNTS";

/// The package that every call of this process goes to.
pub(super) fn package() -> &'static SecurityPackage {
    static PACKAGE: OnceLock<SecurityPackage> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        SecurityPackage::new(Configuration::default(), FileOfAccounts { file: OnceLock::new() }, SystemEnvironment)
    })
}

/// The file that [`ACCOUNTS_VARIABLE`] names. Where there is none, or none that is whole, nobody can be asked.
struct FileOfAccounts {
    file: OnceLock<Option<HtdigestFile>>,
}

impl AccountSource for FileOfAccounts {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        let file = self.file.get_or_init(|| {
            let file = std::fs::read(std::env::var_os(ACCOUNTS_VARIABLE)?).ok()?;
            HtdigestFile::parse(&file).ok()
        });
        file.as_ref().ok_or(AccountSourceUnavailable)?.lookup(username, realm)
    }
}

// A handle of the package has two words of 64 bits.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("the C ABI is for systems with 64-bit pointers");

/// A handle of C as the package knows it.
pub(super) fn from_c(handle: types::SecHandle) -> SecHandle {
    SecHandle { lower: handle.dwLower as u64, upper: handle.dwUpper as u64 }
}

/// A handle of the package as C knows it.
pub(super) fn to_c(handle: SecHandle) -> types::SecHandle {
    // No bits are lost where a pointer has 64.
    types::SecHandle { dwLower: handle.lower as usize, dwUpper: handle.upper as usize }
}
