//! The types of the functions and the tables that hold them.
#![allow(unsafe_code, reason = "says that the tables are constant")]
#![allow(non_camel_case_types, non_snake_case, reason = "the names are those of the Windows headers")]

use core::ffi::c_void;

use super::types::{
    BOOLEAN, CredHandle, CtxtHandle, SEC_CHAR, SEC_WCHAR, SECURITY_STATUS, SecBuffer, SecBufferDesc, SecPkgInfoA,
    SecPkgInfoW, TimeStamp,
};

/// A callback of AcquireCredentialsHandle that Digest does not use.
pub type SEC_GET_KEY_FN = Option<
    unsafe extern "system" fn(
        Arg: *mut c_void,
        Principal: *mut c_void,
        KeyVer: u32,
        Key: *mut *mut c_void,
        Status: *mut SECURITY_STATUS,
    ),
>;
/// EnumerateSecurityPackagesA.
pub type ENUMERATE_SECURITY_PACKAGES_FN_A =
    Option<unsafe extern "system" fn(pcPackages: *mut u32, ppPackageInfo: *mut *mut SecPkgInfoA) -> SECURITY_STATUS>;
/// QuerySecurityPackageInfoA.
pub type QUERY_SECURITY_PACKAGE_INFO_FN_A = Option<
    unsafe extern "system" fn(pszPackageName: *mut SEC_CHAR, ppPackageInfo: *mut *mut SecPkgInfoA) -> SECURITY_STATUS,
>;
/// AcquireCredentialsHandleA.
pub type ACQUIRE_CREDENTIALS_HANDLE_FN_A = Option<
    unsafe extern "system" fn(
        pszPrincipal: *mut SEC_CHAR,
        pszPackage: *mut SEC_CHAR,
        fCredentialUse: u32,
        pvLogonID: *mut c_void,
        pAuthData: *mut c_void,
        pGetKeyFn: SEC_GET_KEY_FN,
        pvGetKeyArgument: *mut c_void,
        phCredential: *mut CredHandle,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// InitializeSecurityContextA.
pub type INITIALIZE_SECURITY_CONTEXT_FN_A = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        phContext: *mut CtxtHandle,
        pszTargetName: *mut SEC_CHAR,
        fContextReq: u32,
        Reserved1: u32,
        TargetDataRep: u32,
        pInput: *mut SecBufferDesc,
        Reserved2: u32,
        phNewContext: *mut CtxtHandle,
        pOutput: *mut SecBufferDesc,
        pfContextAttr: *mut u32,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// QueryContextAttributesA.
pub type QUERY_CONTEXT_ATTRIBUTES_FN_A = Option<
    unsafe extern "system" fn(phContext: *mut CtxtHandle, ulAttribute: u32, pBuffer: *mut c_void) -> SECURITY_STATUS,
>;
/// QueryContextAttributesExA.
pub type QUERY_CONTEXT_ATTRIBUTES_EX_FN_A = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// QueryCredentialsAttributesA.
pub type QUERY_CREDENTIALS_ATTRIBUTES_FN_A = Option<
    unsafe extern "system" fn(phCredential: *mut CredHandle, ulAttribute: u32, pBuffer: *mut c_void) -> SECURITY_STATUS,
>;
/// QueryCredentialsAttributesExA.
pub type QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// SetContextAttributesA.
pub type SET_CONTEXT_ATTRIBUTES_FN_A = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// SetCredentialsAttributesA.
pub type SET_CREDENTIALS_ATTRIBUTES_FN_A = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// ImportSecurityContextA.
pub type IMPORT_SECURITY_CONTEXT_FN_A = Option<
    unsafe extern "system" fn(
        pszPackage: *mut SEC_CHAR,
        pPackedContext: *mut SecBuffer,
        Token: *mut c_void,
        phContext: *mut CtxtHandle,
    ) -> SECURITY_STATUS,
>;
/// AddCredentialsA.
pub type ADD_CREDENTIALS_FN_A = Option<
    unsafe extern "system" fn(
        hCredentials: *mut CredHandle,
        pszPrincipal: *mut SEC_CHAR,
        pszPackage: *mut SEC_CHAR,
        fCredentialUse: u32,
        pAuthData: *mut c_void,
        pGetKeyFn: SEC_GET_KEY_FN,
        pvGetKeyArgument: *mut c_void,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// ChangeAccountPasswordA.
pub type CHANGE_PASSWORD_FN_A = Option<
    unsafe extern "system" fn(
        pszPackageName: *mut SEC_CHAR,
        pszDomainName: *mut SEC_CHAR,
        pszAccountName: *mut SEC_CHAR,
        pszOldPassword: *mut SEC_CHAR,
        pszNewPassword: *mut SEC_CHAR,
        bImpersonating: BOOLEAN,
        dwReserved: u32,
        pOutput: *mut SecBufferDesc,
    ) -> SECURITY_STATUS,
>;
/// EnumerateSecurityPackagesW.
pub type ENUMERATE_SECURITY_PACKAGES_FN_W =
    Option<unsafe extern "system" fn(pcPackages: *mut u32, ppPackageInfo: *mut *mut SecPkgInfoW) -> SECURITY_STATUS>;
/// QuerySecurityPackageInfoW.
pub type QUERY_SECURITY_PACKAGE_INFO_FN_W = Option<
    unsafe extern "system" fn(pszPackageName: *mut SEC_WCHAR, ppPackageInfo: *mut *mut SecPkgInfoW) -> SECURITY_STATUS,
>;
/// AcquireCredentialsHandleW.
pub type ACQUIRE_CREDENTIALS_HANDLE_FN_W = Option<
    unsafe extern "system" fn(
        pszPrincipal: *mut SEC_WCHAR,
        pszPackage: *mut SEC_WCHAR,
        fCredentialUse: u32,
        pvLogonID: *mut c_void,
        pAuthData: *mut c_void,
        pGetKeyFn: SEC_GET_KEY_FN,
        pvGetKeyArgument: *mut c_void,
        phCredential: *mut CredHandle,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// InitializeSecurityContextW.
pub type INITIALIZE_SECURITY_CONTEXT_FN_W = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        phContext: *mut CtxtHandle,
        pszTargetName: *mut SEC_WCHAR,
        fContextReq: u32,
        Reserved1: u32,
        TargetDataRep: u32,
        pInput: *mut SecBufferDesc,
        Reserved2: u32,
        phNewContext: *mut CtxtHandle,
        pOutput: *mut SecBufferDesc,
        pfContextAttr: *mut u32,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// QueryContextAttributesW.
pub type QUERY_CONTEXT_ATTRIBUTES_FN_W = Option<
    unsafe extern "system" fn(phContext: *mut CtxtHandle, ulAttribute: u32, pBuffer: *mut c_void) -> SECURITY_STATUS,
>;
/// QueryContextAttributesExW.
pub type QUERY_CONTEXT_ATTRIBUTES_EX_FN_W = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// QueryCredentialsAttributesW.
pub type QUERY_CREDENTIALS_ATTRIBUTES_FN_W = Option<
    unsafe extern "system" fn(phCredential: *mut CredHandle, ulAttribute: u32, pBuffer: *mut c_void) -> SECURITY_STATUS,
>;
/// QueryCredentialsAttributesExW.
pub type QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// SetContextAttributesW.
pub type SET_CONTEXT_ATTRIBUTES_FN_W = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// SetCredentialsAttributesW.
pub type SET_CREDENTIALS_ATTRIBUTES_FN_W = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        ulAttribute: u32,
        pBuffer: *mut c_void,
        cbBuffer: u32,
    ) -> SECURITY_STATUS,
>;
/// ImportSecurityContextW.
pub type IMPORT_SECURITY_CONTEXT_FN_W = Option<
    unsafe extern "system" fn(
        pszPackage: *mut SEC_WCHAR,
        pPackedContext: *mut SecBuffer,
        Token: *mut c_void,
        phContext: *mut CtxtHandle,
    ) -> SECURITY_STATUS,
>;
/// AddCredentialsW.
pub type ADD_CREDENTIALS_FN_W = Option<
    unsafe extern "system" fn(
        hCredentials: *mut CredHandle,
        pszPrincipal: *mut SEC_WCHAR,
        pszPackage: *mut SEC_WCHAR,
        fCredentialUse: u32,
        pAuthData: *mut c_void,
        pGetKeyFn: SEC_GET_KEY_FN,
        pvGetKeyArgument: *mut c_void,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// ChangeAccountPasswordW.
pub type CHANGE_PASSWORD_FN_W = Option<
    unsafe extern "system" fn(
        pszPackageName: *mut SEC_WCHAR,
        pszDomainName: *mut SEC_WCHAR,
        pszAccountName: *mut SEC_WCHAR,
        pszOldPassword: *mut SEC_WCHAR,
        pszNewPassword: *mut SEC_WCHAR,
        bImpersonating: BOOLEAN,
        dwReserved: u32,
        pOutput: *mut SecBufferDesc,
    ) -> SECURITY_STATUS,
>;
/// FreeCredentialsHandle.
pub type FREE_CREDENTIALS_HANDLE_FN =
    Option<unsafe extern "system" fn(phCredential: *mut CredHandle) -> SECURITY_STATUS>;
/// AcceptSecurityContext.
pub type ACCEPT_SECURITY_CONTEXT_FN = Option<
    unsafe extern "system" fn(
        phCredential: *mut CredHandle,
        phContext: *mut CtxtHandle,
        pInput: *mut SecBufferDesc,
        fContextReq: u32,
        TargetDataRep: u32,
        phNewContext: *mut CtxtHandle,
        pOutput: *mut SecBufferDesc,
        pfContextAttr: *mut u32,
        ptsExpiry: *mut TimeStamp,
    ) -> SECURITY_STATUS,
>;
/// CompleteAuthToken.
pub type COMPLETE_AUTH_TOKEN_FN =
    Option<unsafe extern "system" fn(phContext: *mut CtxtHandle, pToken: *mut SecBufferDesc) -> SECURITY_STATUS>;
/// DeleteSecurityContext.
pub type DELETE_SECURITY_CONTEXT_FN = Option<unsafe extern "system" fn(phContext: *mut CtxtHandle) -> SECURITY_STATUS>;
/// ApplyControlToken.
pub type APPLY_CONTROL_TOKEN_FN =
    Option<unsafe extern "system" fn(phContext: *mut CtxtHandle, pInput: *mut SecBufferDesc) -> SECURITY_STATUS>;
/// ImpersonateSecurityContext.
pub type IMPERSONATE_SECURITY_CONTEXT_FN =
    Option<unsafe extern "system" fn(phContext: *mut CtxtHandle) -> SECURITY_STATUS>;
/// RevertSecurityContext.
pub type REVERT_SECURITY_CONTEXT_FN = Option<unsafe extern "system" fn(phContext: *mut CtxtHandle) -> SECURITY_STATUS>;
/// MakeSignature.
pub type MAKE_SIGNATURE_FN = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        fQOP: u32,
        pMessage: *mut SecBufferDesc,
        MessageSeqNo: u32,
    ) -> SECURITY_STATUS,
>;
/// VerifySignature.
pub type VERIFY_SIGNATURE_FN = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        pMessage: *mut SecBufferDesc,
        MessageSeqNo: u32,
        pfQOP: *mut u32,
    ) -> SECURITY_STATUS,
>;
/// EncryptMessage.
pub type ENCRYPT_MESSAGE_FN = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        fQOP: u32,
        pMessage: *mut SecBufferDesc,
        MessageSeqNo: u32,
    ) -> SECURITY_STATUS,
>;
/// DecryptMessage.
pub type DECRYPT_MESSAGE_FN = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        pMessage: *mut SecBufferDesc,
        MessageSeqNo: u32,
        pfQOP: *mut u32,
    ) -> SECURITY_STATUS,
>;
/// FreeContextBuffer.
pub type FREE_CONTEXT_BUFFER_FN = Option<unsafe extern "system" fn(pvContextBuffer: *mut c_void) -> SECURITY_STATUS>;
/// ExportSecurityContext.
pub type EXPORT_SECURITY_CONTEXT_FN = Option<
    unsafe extern "system" fn(
        phContext: *mut CtxtHandle,
        fFlags: u32,
        pPackedContext: *mut SecBuffer,
        pToken: *mut *mut c_void,
    ) -> SECURITY_STATUS,
>;
/// QuerySecurityContextToken.
pub type QUERY_SECURITY_CONTEXT_TOKEN_FN =
    Option<unsafe extern "system" fn(phContext: *mut CtxtHandle, Token: *mut *mut c_void) -> SECURITY_STATUS>;

/// Every function of the interface, version 5, as InitSecurityInterfaceA gives it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecurityFunctionTableA {
    /// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5.
    pub dwVersion: u32,
    /// The function of that name.
    pub EnumerateSecurityPackagesA: ENUMERATE_SECURITY_PACKAGES_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryCredentialsAttributesA: QUERY_CREDENTIALS_ATTRIBUTES_FN_A,
    /// The function of that name.
    pub AcquireCredentialsHandleA: ACQUIRE_CREDENTIALS_HANDLE_FN_A,
    /// The function of that name.
    pub FreeCredentialsHandle: FREE_CREDENTIALS_HANDLE_FN,
    /// NULL.
    pub Reserved2: *mut c_void,
    /// The function of that name.
    pub InitializeSecurityContextA: INITIALIZE_SECURITY_CONTEXT_FN_A,
    /// The function of that name.
    pub AcceptSecurityContext: ACCEPT_SECURITY_CONTEXT_FN,
    /// The function of that name.
    pub CompleteAuthToken: COMPLETE_AUTH_TOKEN_FN,
    /// The function of that name.
    pub DeleteSecurityContext: DELETE_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ApplyControlToken: APPLY_CONTROL_TOKEN_FN,
    /// The function of that name.
    pub QueryContextAttributesA: QUERY_CONTEXT_ATTRIBUTES_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ImpersonateSecurityContext: IMPERSONATE_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub RevertSecurityContext: REVERT_SECURITY_CONTEXT_FN,
    /// The function of that name.
    pub MakeSignature: MAKE_SIGNATURE_FN,
    /// The function of that name.
    pub VerifySignature: VERIFY_SIGNATURE_FN,
    /// The function of that name.
    pub FreeContextBuffer: FREE_CONTEXT_BUFFER_FN,
    /// The function of that name.
    pub QuerySecurityPackageInfoA: QUERY_SECURITY_PACKAGE_INFO_FN_A,
    /// NULL.
    pub Reserved3: *mut c_void,
    /// NULL.
    pub Reserved4: *mut c_void,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ExportSecurityContext: EXPORT_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ImportSecurityContextA: IMPORT_SECURITY_CONTEXT_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub AddCredentialsA: ADD_CREDENTIALS_FN_A,
    /// NULL.
    pub Reserved8: *mut c_void,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QuerySecurityContextToken: QUERY_SECURITY_CONTEXT_TOKEN_FN,
    /// The function of that name.
    pub EncryptMessage: ENCRYPT_MESSAGE_FN,
    /// The function of that name.
    pub DecryptMessage: DECRYPT_MESSAGE_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub SetContextAttributesA: SET_CONTEXT_ATTRIBUTES_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub SetCredentialsAttributesA: SET_CREDENTIALS_ATTRIBUTES_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ChangeAccountPasswordA: CHANGE_PASSWORD_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryContextAttributesExA: QUERY_CONTEXT_ATTRIBUTES_EX_FN_A,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryCredentialsAttributesExA: QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A,
}

// SAFETY: functions, and pointers that are NULL.
unsafe impl Sync for SecurityFunctionTableA {}

/// Every function of the interface, version 5, as InitSecurityInterfaceW gives it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecurityFunctionTableW {
    /// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5.
    pub dwVersion: u32,
    /// The function of that name.
    pub EnumerateSecurityPackagesW: ENUMERATE_SECURITY_PACKAGES_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryCredentialsAttributesW: QUERY_CREDENTIALS_ATTRIBUTES_FN_W,
    /// The function of that name.
    pub AcquireCredentialsHandleW: ACQUIRE_CREDENTIALS_HANDLE_FN_W,
    /// The function of that name.
    pub FreeCredentialsHandle: FREE_CREDENTIALS_HANDLE_FN,
    /// NULL.
    pub Reserved2: *mut c_void,
    /// The function of that name.
    pub InitializeSecurityContextW: INITIALIZE_SECURITY_CONTEXT_FN_W,
    /// The function of that name.
    pub AcceptSecurityContext: ACCEPT_SECURITY_CONTEXT_FN,
    /// The function of that name.
    pub CompleteAuthToken: COMPLETE_AUTH_TOKEN_FN,
    /// The function of that name.
    pub DeleteSecurityContext: DELETE_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ApplyControlToken: APPLY_CONTROL_TOKEN_FN,
    /// The function of that name.
    pub QueryContextAttributesW: QUERY_CONTEXT_ATTRIBUTES_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ImpersonateSecurityContext: IMPERSONATE_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub RevertSecurityContext: REVERT_SECURITY_CONTEXT_FN,
    /// The function of that name.
    pub MakeSignature: MAKE_SIGNATURE_FN,
    /// The function of that name.
    pub VerifySignature: VERIFY_SIGNATURE_FN,
    /// The function of that name.
    pub FreeContextBuffer: FREE_CONTEXT_BUFFER_FN,
    /// The function of that name.
    pub QuerySecurityPackageInfoW: QUERY_SECURITY_PACKAGE_INFO_FN_W,
    /// NULL.
    pub Reserved3: *mut c_void,
    /// NULL.
    pub Reserved4: *mut c_void,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ExportSecurityContext: EXPORT_SECURITY_CONTEXT_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ImportSecurityContextW: IMPORT_SECURITY_CONTEXT_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub AddCredentialsW: ADD_CREDENTIALS_FN_W,
    /// NULL.
    pub Reserved8: *mut c_void,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QuerySecurityContextToken: QUERY_SECURITY_CONTEXT_TOKEN_FN,
    /// The function of that name.
    pub EncryptMessage: ENCRYPT_MESSAGE_FN,
    /// The function of that name.
    pub DecryptMessage: DECRYPT_MESSAGE_FN,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub SetContextAttributesW: SET_CONTEXT_ATTRIBUTES_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub SetCredentialsAttributesW: SET_CREDENTIALS_ATTRIBUTES_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub ChangeAccountPasswordW: CHANGE_PASSWORD_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryContextAttributesExW: QUERY_CONTEXT_ATTRIBUTES_EX_FN_W,
    /// SEC_E_UNSUPPORTED_FUNCTION.
    pub QueryCredentialsAttributesExW: QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W,
}

// SAFETY: functions, and pointers that are NULL.
unsafe impl Sync for SecurityFunctionTableW {}

/// InitSecurityInterfaceA.
pub type INIT_SECURITY_INTERFACE_A = Option<unsafe extern "system" fn() -> *mut SecurityFunctionTableA>;

/// InitSecurityInterfaceW.
pub type INIT_SECURITY_INTERFACE_W = Option<unsafe extern "system" fn() -> *mut SecurityFunctionTableW>;
