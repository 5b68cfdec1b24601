//! Finding the functions of a library.
#![allow(unsafe_code, reason = "loads a library and calls what it exports")]

use std::fmt::Write as _;
use std::mem::ManuallyDrop;
use std::path::Path;

use libloading::Library;

use super::layouts::{
    Accept, Acquire, Complete, Control, EnumeratePackages, FreeBuffer, FunctionTable, Initialize, Interface,
    InterfaceEx, Protect, Query, QueryPackage, Release, Unprotect,
};

/// The function in both encodings, as far as there is one.
#[derive(Clone, Copy)]
pub(super) struct Encoded<F> {
    /// UTF-16.
    pub(super) wide: Option<F>,
    /// Bytes.
    pub(super) ansi: Option<F>,
}

/// What a library has. What is `None` it has not.
pub(super) struct Functions {
    pub(super) acquire: Encoded<Acquire>,
    pub(super) initialize: Encoded<Initialize>,
    pub(super) query: Encoded<Query>,
    pub(super) enumerate_packages: Encoded<EnumeratePackages>,
    pub(super) query_package: Encoded<QueryPackage>,
    pub(super) free_credentials: Option<Release>,
    pub(super) accept: Option<Accept>,
    pub(super) complete: Option<Complete>,
    pub(super) delete: Option<Release>,
    pub(super) make_signature: Option<Protect>,
    pub(super) verify_signature: Option<Unprotect>,
    pub(super) encrypt: Option<Protect>,
    pub(super) decrypt: Option<Unprotect>,
    pub(super) free_buffer: Option<FreeBuffer>,
    pub(super) control: Option<Control>,
    /// Never unloaded: it may have threads, and handlers that run at the end of the process. `None` where it is linked.
    _library: Option<ManuallyDrop<Library>>,
}

/// Where the functions of one encoding come from.
struct Tables<'t> {
    wide: Option<&'t FunctionTable>,
    ansi: Option<&'t FunctionTable>,
}

impl Tables<'_> {
    fn either<F>(&self, of: impl Fn(&FunctionTable) -> Option<F>) -> Option<F> {
        self.wide.and_then(&of).or_else(|| self.ansi.and_then(&of))
    }

    fn both<F>(&self, of: impl Fn(&FunctionTable) -> Option<F>) -> Encoded<F> {
        Encoded { wide: self.wide.and_then(&of), ansi: self.ansi.and_then(&of) }
    }
}

impl Functions {
    /// Loads a library. The function table comes first, as callers of SSPI get their functions from it; the exports
    /// are for libraries that have no table.
    ///
    /// # Errors
    /// The file is no library, or exports nothing of SSPI.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        // A name without a directory is searched for elsewhere than here.
        // A name alone that is no file here is looked for where the system has its libraries.
        let is_name = path.components().count() == 1 && !path.exists();
        let path = if is_name { Ok(path.to_owned()) } else { std::path::absolute(path) };
        let path = path.map_err(|error| error.to_string())?;
        // SAFETY: what the library does as it is loaded is what is under test; see the module.
        let library = unsafe { Library::new(&path) }.map_err(|error| chain(&error))?;
        let library = ManuallyDrop::new(library);
        // SAFETY: the exports are what their names say; see the module.
        unsafe {
            let tables = Tables { wide: table(&library, 'W')?, ansi: table(&library, 'A')? };
            let functions = if tables.wide.is_some() || tables.ansi.is_some() {
                let control = export(&library, "DigestSspControl");
                Self { _library: Some(library), ..Self::from_tables(&tables, control) }
            } else {
                Self::from_exports(library)
            };
            functions.complete_or("it exports neither InitSecurityInterfaceW nor InitSecurityInterfaceA")
        }
    }

    /// The functions of this crate's C ABI.
    #[cfg(feature = "capi-control")]
    pub(super) fn linked() -> Self {
        use crate::capi::{DigestSspControl, InitSecurityInterfaceA, InitSecurityInterfaceW};
        let wide: *const FunctionTable = InitSecurityInterfaceW().cast_const().cast();
        let ansi: *const FunctionTable = InitSecurityInterfaceA().cast_const().cast();
        // SAFETY: both point to tables that are constant and never freed, of the layout of `sspi.h`.
        let tables = unsafe { Tables { wide: wide.as_ref(), ansi: ansi.as_ref() } };
        Self::from_tables(&tables, Some(DigestSspControl))
    }

    fn from_tables(tables: &Tables<'_>, control: Option<Control>) -> Self {
        Self {
            acquire: tables.both(|table| table.acquire),
            initialize: tables.both(|table| table.initialize),
            query: tables.both(|table| table.query),
            enumerate_packages: tables.both(|table| table.enumerate_packages),
            query_package: tables.both(|table| table.query_package),
            free_credentials: tables.either(|table| table.free_credentials),
            accept: tables.either(|table| table.accept),
            complete: tables.either(|table| table.complete),
            delete: tables.either(|table| table.delete),
            make_signature: tables.either(|table| table.make_signature),
            verify_signature: tables.either(|table| table.verify_signature),
            encrypt: tables.either(|table| table.encrypt),
            decrypt: tables.either(|table| table.decrypt),
            free_buffer: tables.either(|table| table.free_buffer),
            control,
            _library: None,
        }
    }

    /// # Safety
    /// Each export has the type of the function that it has the name of.
    unsafe fn from_exports(library: ManuallyDrop<Library>) -> Self {
        // SAFETY: that is what the caller of this function says, for all of them.
        unsafe {
            Self {
                acquire: exports(&library, "AcquireCredentialsHandle"),
                initialize: exports(&library, "InitializeSecurityContext"),
                query: exports(&library, "QueryContextAttributes"),
                enumerate_packages: exports(&library, "EnumerateSecurityPackages"),
                query_package: exports(&library, "QuerySecurityPackageInfo"),
                free_credentials: export(&library, "FreeCredentialsHandle"),
                accept: export(&library, "AcceptSecurityContext"),
                complete: export(&library, "CompleteAuthToken"),
                delete: export(&library, "DeleteSecurityContext"),
                make_signature: export(&library, "MakeSignature"),
                verify_signature: export(&library, "VerifySignature"),
                encrypt: export(&library, "EncryptMessage"),
                decrypt: export(&library, "DecryptMessage"),
                free_buffer: export(&library, "FreeContextBuffer"),
                control: export(&library, "DigestSspControl"),
                _library: Some(library),
            }
        }
    }

    /// Nothing can be asked of a library that gives no credentials.
    fn complete_or(self, problem: &str) -> Result<Self, String> {
        let acquires = self.acquire.wide.is_some() || self.acquire.ansi.is_some();
        if acquires { Ok(self) } else { Err(format!("{problem}, nor AcquireCredentialsHandleW or ...A")) }
    }
}

/// The table that InitSecurityInterface, or else its Ex form, gives for one encoding; `None` where neither is exported.
///
/// # Safety
/// Those exports are what their names say.
unsafe fn table<'t>(library: &Library, encoding: char) -> Result<Option<&'t FunctionTable>, String> {
    let (name, name_ex) = (format!("InitSecurityInterface{encoding}"), format!("InitSecurityInterfaceEx{encoding}"));
    // SAFETY: that is what the caller of this function says.
    let (interface, interface_ex) =
        unsafe { (export::<Interface>(library, &name), export::<InterfaceEx>(library, &name_ex)) };
    let (name, table) = match (interface, interface_ex) {
        // SAFETY: as above; neither has a parameter that could be wrong.
        (Some(interface), _) => (name, unsafe { interface() }),
        // SAFETY: as above.
        (None, Some(interface)) => (name_ex, unsafe { interface(0) }),
        (None, None) => return Ok(None),
    };
    // SAFETY: it is NULL, or a table as the documents describe it, which is never freed.
    let table = unsafe { table.as_ref() };
    table.map(Some).ok_or_else(|| format!("{name} returned NULL"))
}

/// # Safety
/// The exports have the type `F`.
unsafe fn exports<F: Copy>(library: &Library, name: &str) -> Encoded<F> {
    // SAFETY: that is what the caller of this function says.
    unsafe {
        let [wide, ansi] = ['W', 'A'].map(|encoding| export(library, &format!("{name}{encoding}")));
        Encoded { wide, ansi }
    }
}

/// # Safety
/// The export has the type `F`.
unsafe fn export<F: Copy>(library: &Library, name: &str) -> Option<F> {
    // SAFETY: that is what the caller of this function says.
    unsafe { library.get::<F>(name.as_bytes()) }.ok().map(|symbol| *symbol)
}

/// An error and what it comes from, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _never_fails = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
