//! The one package of this process, its accounts, and its handles as C has them.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::sync::OnceLock;

use super::types;
use crate::buffer::SecHandle;
use crate::package::SecurityPackage;
use crate::package::accounts::{Account, AccountSource, AccountSourceUnavailable, HtdigestFile};
use crate::package::configuration::Configuration;
use crate::package::environment::SystemEnvironment;

/// Names the htdigest file that has a server's accounts. It is read when an account is needed for the first time.
pub const ACCOUNTS_VARIABLE: &str = "DIGEST_SSP_ACCOUNTS";

/// Names the realm of challenges whose caller names none. On SASL that is every one: the pages of AcceptSecurityContext
/// have a buffer for the realm on HTTP alone.
pub const REALM_VARIABLE: &str = "DIGEST_SSP_REALM";

/// The longest realm: a challenge has to fit into the 2048 bytes that servers are told to have for it.
const LONGEST_REALM: usize = 256;

/// The package that every call of this process goes to.
#[cfg(not(feature = "capi-control"))]
pub(super) fn package() -> &'static SecurityPackage {
    static PACKAGE: OnceLock<SecurityPackage> = OnceLock::new();
    PACKAGE.get_or_init(of_this_process)
}

#[cfg(feature = "capi-control")]
pub(super) use super::control::package;

/// The package of a process that nobody tests.
pub(super) fn of_this_process() -> SecurityPackage {
    let configuration = configuration(std::env::var_os(REALM_VARIABLE));
    SecurityPackage::new(configuration, FileOfAccounts { file: OnceLock::new() }, SystemEnvironment)
}

/// The configuration with that realm, where it is one: printable US-ASCII, as the realm of a caller has to be.
fn configuration(realm: Option<OsString>) -> Configuration {
    let default = Configuration::default();
    let is_printable = |realm: &String| realm.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    let realm = realm.and_then(|realm| realm.into_string().ok()).filter(is_printable);
    match realm.filter(|realm| (1..=LONGEST_REALM).contains(&realm.len())) {
        Some(realm) => Configuration { realm, ..default },
        None => default,
    }
}

/// The file that [`ACCOUNTS_VARIABLE`] names. Where there is none, or none that is whole, nobody can be asked.
struct FileOfAccounts {
    file: OnceLock<Option<HtdigestFile>>,
}

impl AccountSource for FileOfAccounts {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        let file = self.file.get_or_init(|| read(std::env::var_os(ACCOUNTS_VARIABLE)));
        file.as_ref().ok_or(AccountSourceUnavailable)?.lookup(username, realm)
    }
}

/// A whole file of accounts.
fn read(path: Option<OsString>) -> Option<HtdigestFile> {
    let file = std::fs::read(path?).ok()?;
    HtdigestFile::parse(&file).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_printable_and_of_a_length_that_fits() {
        for realm in ["testrealm@host.com", "a \"quoted\" realm", &"r".repeat(LONGEST_REALM)] {
            assert_eq!(configuration(Some(realm.into())).realm, realm);
        }
        for realm in ["", "two\r\nlines", "r\u{e9}alm", &"r".repeat(LONGEST_REALM + 1)] {
            assert_eq!(configuration(Some(realm.into())), Configuration::default(), "{realm}");
        }
        assert_eq!(configuration(None), Configuration::default());
    }

    #[test]
    fn without_a_whole_file_nobody_can_be_asked() {
        let directory = std::env::temp_dir();
        let malformed = directory.join(format!("digest-ssp-accounts-{}", std::process::id()));
        std::fs::write(&malformed, "nobody\n").expect("the temporary directory can be written");
        let missing = malformed.with_extension("missing");
        for path in [None, Some(missing.into_os_string()), Some(malformed.clone().into_os_string())] {
            let accounts = FileOfAccounts { file: OnceLock::from(read(path)) };
            assert_eq!(accounts.lookup("Mufasa", "testrealm@host.com"), Err(AccountSourceUnavailable));
        }
        // RFC 2617 section 3.5.
        let account = "Mufasa:testrealm@host.com:939e7578ed9e3c518a452acee763bce9\n";
        std::fs::write(&malformed, account).expect("the temporary directory can be written");
        let accounts = FileOfAccounts { file: OnceLock::from(read(Some(malformed.clone().into_os_string()))) };
        assert!(matches!(accounts.lookup("Mufasa", "testrealm@host.com"), Ok(Some(_))));
        std::fs::remove_file(&malformed).expect("it was written just now");
    }
}
