//! InitSecurityInterface, and the entries of the table that Digest has nothing for.
#![allow(unsafe_code, reason = "exports functions by name")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]
#![allow(clippy::too_many_arguments, reason = "the signatures are those of the Windows headers")]

use core::ffi::c_void;
use core::ptr::null_mut;

use super::attributes::{QueryContextAttributesA, QueryContextAttributesW};
use super::constants::{SEC_E_UNSUPPORTED_FUNCTION, SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5};
use super::contexts::{
    AcceptSecurityContext, CompleteAuthToken, DeleteSecurityContext, InitializeSecurityContextA,
    InitializeSecurityContextW,
};
use super::credentials::{AcquireCredentialsHandleA, AcquireCredentialsHandleW, FreeCredentialsHandle};
use super::function_types::{SEC_GET_KEY_FN, SecurityFunctionTableA, SecurityFunctionTableW};
use super::messages::{DecryptMessage, EncryptMessage, MakeSignature, VerifySignature};
use super::packages::{
    EnumerateSecurityPackagesA, EnumerateSecurityPackagesW, FreeContextBuffer, QuerySecurityPackageInfoA,
    QuerySecurityPackageInfoW,
};
use super::status::{Failed, answer};
use super::types::{
    BOOLEAN, CredHandle, CtxtHandle, SEC_CHAR, SEC_WCHAR, SECURITY_STATUS, SecBuffer, SecBufferDesc, TimeStamp,
};

/// The table of all functions, strings in the encoding of the A functions.
///
/// It is constant and never freed. An entry that Digest has nothing for answers SEC_E_UNSUPPORTED_FUNCTION.
#[unsafe(no_mangle)]
pub extern "system" fn InitSecurityInterfaceA() -> *mut SecurityFunctionTableA {
    (&raw const TABLE_A).cast_mut()
}

/// The table of all functions, strings in UTF-16.
///
/// It is constant and never freed. An entry that Digest has nothing for answers SEC_E_UNSUPPORTED_FUNCTION.
#[unsafe(no_mangle)]
pub extern "system" fn InitSecurityInterfaceW() -> *mut SecurityFunctionTableW {
    (&raw const TABLE_W).cast_mut()
}

static TABLE_A: SecurityFunctionTableA = SecurityFunctionTableA {
    dwVersion: SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5,
    EnumerateSecurityPackagesA: Some(EnumerateSecurityPackagesA),
    QueryCredentialsAttributesA: Some(unsupported::QueryCredentialsAttributesA),
    AcquireCredentialsHandleA: Some(AcquireCredentialsHandleA),
    FreeCredentialsHandle: Some(FreeCredentialsHandle),
    Reserved2: null_mut(),
    InitializeSecurityContextA: Some(InitializeSecurityContextA),
    AcceptSecurityContext: Some(AcceptSecurityContext),
    CompleteAuthToken: Some(CompleteAuthToken),
    DeleteSecurityContext: Some(DeleteSecurityContext),
    ApplyControlToken: Some(unsupported::ApplyControlToken),
    QueryContextAttributesA: Some(QueryContextAttributesA),
    ImpersonateSecurityContext: Some(unsupported::ImpersonateSecurityContext),
    RevertSecurityContext: Some(unsupported::RevertSecurityContext),
    MakeSignature: Some(MakeSignature),
    VerifySignature: Some(VerifySignature),
    FreeContextBuffer: Some(FreeContextBuffer),
    QuerySecurityPackageInfoA: Some(QuerySecurityPackageInfoA),
    Reserved3: null_mut(),
    Reserved4: null_mut(),
    ExportSecurityContext: Some(unsupported::ExportSecurityContext),
    ImportSecurityContextA: Some(unsupported::ImportSecurityContextA),
    AddCredentialsA: Some(unsupported::AddCredentialsA),
    Reserved8: null_mut(),
    QuerySecurityContextToken: Some(unsupported::QuerySecurityContextToken),
    EncryptMessage: Some(EncryptMessage),
    DecryptMessage: Some(DecryptMessage),
    SetContextAttributesA: Some(unsupported::SetContextAttributesA),
    SetCredentialsAttributesA: Some(unsupported::SetCredentialsAttributesA),
    ChangeAccountPasswordA: Some(unsupported::ChangeAccountPasswordA),
    QueryContextAttributesExA: Some(unsupported::QueryContextAttributesExA),
    QueryCredentialsAttributesExA: Some(unsupported::QueryCredentialsAttributesExA),
};

static TABLE_W: SecurityFunctionTableW = SecurityFunctionTableW {
    dwVersion: SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5,
    EnumerateSecurityPackagesW: Some(EnumerateSecurityPackagesW),
    QueryCredentialsAttributesW: Some(unsupported::QueryCredentialsAttributesW),
    AcquireCredentialsHandleW: Some(AcquireCredentialsHandleW),
    FreeCredentialsHandle: Some(FreeCredentialsHandle),
    Reserved2: null_mut(),
    InitializeSecurityContextW: Some(InitializeSecurityContextW),
    AcceptSecurityContext: Some(AcceptSecurityContext),
    CompleteAuthToken: Some(CompleteAuthToken),
    DeleteSecurityContext: Some(DeleteSecurityContext),
    ApplyControlToken: Some(unsupported::ApplyControlToken),
    QueryContextAttributesW: Some(QueryContextAttributesW),
    ImpersonateSecurityContext: Some(unsupported::ImpersonateSecurityContext),
    RevertSecurityContext: Some(unsupported::RevertSecurityContext),
    MakeSignature: Some(MakeSignature),
    VerifySignature: Some(VerifySignature),
    FreeContextBuffer: Some(FreeContextBuffer),
    QuerySecurityPackageInfoW: Some(QuerySecurityPackageInfoW),
    Reserved3: null_mut(),
    Reserved4: null_mut(),
    ExportSecurityContext: Some(unsupported::ExportSecurityContext),
    ImportSecurityContextW: Some(unsupported::ImportSecurityContextW),
    AddCredentialsW: Some(unsupported::AddCredentialsW),
    Reserved8: null_mut(),
    QuerySecurityContextToken: Some(unsupported::QuerySecurityContextToken),
    EncryptMessage: Some(EncryptMessage),
    DecryptMessage: Some(DecryptMessage),
    SetContextAttributesW: Some(unsupported::SetContextAttributesW),
    SetCredentialsAttributesW: Some(unsupported::SetCredentialsAttributesW),
    ChangeAccountPasswordW: Some(unsupported::ChangeAccountPasswordW),
    QueryContextAttributesExW: Some(unsupported::QueryContextAttributesExW),
    QueryCredentialsAttributesExW: Some(unsupported::QueryCredentialsAttributesExW),
};

/// The entries that Digest has nothing for. They read nothing that they are given.
mod unsupported {
    use super::*;

    fn refuse(function: &'static str) -> SECURITY_STATUS {
        answer(function, |_| Err(Failed(SEC_E_UNSUPPORTED_FUNCTION)))
    }

    pub(super) extern "system" fn QueryCredentialsAttributesA(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
    ) -> SECURITY_STATUS {
        refuse("QueryCredentialsAttributesA")
    }

    pub(super) extern "system" fn ApplyControlToken(_: *mut CtxtHandle, _: *mut SecBufferDesc) -> SECURITY_STATUS {
        refuse("ApplyControlToken")
    }

    pub(super) extern "system" fn ImpersonateSecurityContext(_: *mut CtxtHandle) -> SECURITY_STATUS {
        refuse("ImpersonateSecurityContext")
    }

    pub(super) extern "system" fn RevertSecurityContext(_: *mut CtxtHandle) -> SECURITY_STATUS {
        refuse("RevertSecurityContext")
    }

    pub(super) extern "system" fn ExportSecurityContext(
        _: *mut CtxtHandle,
        _: u32,
        _: *mut SecBuffer,
        _: *mut *mut c_void,
    ) -> SECURITY_STATUS {
        refuse("ExportSecurityContext")
    }

    pub(super) extern "system" fn ImportSecurityContextA(
        _: *mut SEC_CHAR,
        _: *mut SecBuffer,
        _: *mut c_void,
        _: *mut CtxtHandle,
    ) -> SECURITY_STATUS {
        refuse("ImportSecurityContextA")
    }

    pub(super) extern "system" fn AddCredentialsA(
        _: *mut CredHandle,
        _: *mut SEC_CHAR,
        _: *mut SEC_CHAR,
        _: u32,
        _: *mut c_void,
        _: SEC_GET_KEY_FN,
        _: *mut c_void,
        _: *mut TimeStamp,
    ) -> SECURITY_STATUS {
        refuse("AddCredentialsA")
    }

    pub(super) extern "system" fn QuerySecurityContextToken(
        _: *mut CtxtHandle,
        _: *mut *mut c_void,
    ) -> SECURITY_STATUS {
        refuse("QuerySecurityContextToken")
    }

    pub(super) extern "system" fn SetContextAttributesA(
        _: *mut CtxtHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("SetContextAttributesA")
    }

    pub(super) extern "system" fn SetCredentialsAttributesA(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("SetCredentialsAttributesA")
    }

    pub(super) extern "system" fn ChangeAccountPasswordA(
        _: *mut SEC_CHAR,
        _: *mut SEC_CHAR,
        _: *mut SEC_CHAR,
        _: *mut SEC_CHAR,
        _: *mut SEC_CHAR,
        _: BOOLEAN,
        _: u32,
        _: *mut SecBufferDesc,
    ) -> SECURITY_STATUS {
        refuse("ChangeAccountPasswordA")
    }

    pub(super) extern "system" fn QueryContextAttributesExA(
        _: *mut CtxtHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("QueryContextAttributesExA")
    }

    pub(super) extern "system" fn QueryCredentialsAttributesExA(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("QueryCredentialsAttributesExA")
    }

    pub(super) extern "system" fn QueryCredentialsAttributesW(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
    ) -> SECURITY_STATUS {
        refuse("QueryCredentialsAttributesW")
    }

    pub(super) extern "system" fn ImportSecurityContextW(
        _: *mut SEC_WCHAR,
        _: *mut SecBuffer,
        _: *mut c_void,
        _: *mut CtxtHandle,
    ) -> SECURITY_STATUS {
        refuse("ImportSecurityContextW")
    }

    pub(super) extern "system" fn AddCredentialsW(
        _: *mut CredHandle,
        _: *mut SEC_WCHAR,
        _: *mut SEC_WCHAR,
        _: u32,
        _: *mut c_void,
        _: SEC_GET_KEY_FN,
        _: *mut c_void,
        _: *mut TimeStamp,
    ) -> SECURITY_STATUS {
        refuse("AddCredentialsW")
    }

    pub(super) extern "system" fn SetContextAttributesW(
        _: *mut CtxtHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("SetContextAttributesW")
    }

    pub(super) extern "system" fn SetCredentialsAttributesW(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("SetCredentialsAttributesW")
    }

    pub(super) extern "system" fn ChangeAccountPasswordW(
        _: *mut SEC_WCHAR,
        _: *mut SEC_WCHAR,
        _: *mut SEC_WCHAR,
        _: *mut SEC_WCHAR,
        _: *mut SEC_WCHAR,
        _: BOOLEAN,
        _: u32,
        _: *mut SecBufferDesc,
    ) -> SECURITY_STATUS {
        refuse("ChangeAccountPasswordW")
    }

    pub(super) extern "system" fn QueryContextAttributesExW(
        _: *mut CtxtHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("QueryContextAttributesExW")
    }

    pub(super) extern "system" fn QueryCredentialsAttributesExW(
        _: *mut CredHandle,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> SECURITY_STATUS {
        refuse("QueryCredentialsAttributesExW")
    }
}
