//! Sizes, offsets, constants and signatures of the C ABI are those of Windows, as `windows-sys` declares them.
#![cfg(all(feature = "capi", target_pointer_width = "64"))]
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use digest_ssp::capi;
use digest_ssp::status::SecurityStatus;

/// Compares structures: every member's offset, and the size and alignment of the whole.
macro_rules! same_layout {
    ($($name:ident of $($module:ident)::+ { $($member:ident),* $(,)? })*) => {{
        $({
            use windows_sys::Win32::$($module::)+$name as Theirs;
            use capi::$name as Ours;
            let name = stringify!($name);
            assert_eq!((size_of::<Ours>(), align_of::<Ours>()), (size_of::<Theirs>(), align_of::<Theirs>()),
                "{name}");
            $(
                let offsets = [core::mem::offset_of!(Ours, $member), core::mem::offset_of!(Theirs, $member)];
                assert_eq!(offsets[0], offsets[1], "{name}.{}", stringify!($member));
            )*
            // No member is left out of the comparison, on either side.
            let _ = |Ours { $($member: _),* }: Ours| ();
            let _ = |Theirs { $($member: _),* }: Theirs| ();
        })*
        [$(stringify!($name)),*]
    }};
}

#[test]
fn structures() {
    let compared = same_layout! {
        SecHandle of Security::Credentials {
            dwLower, dwUpper,
        }
        LUID of Foundation {
            LowPart, HighPart,
        }
        SecBuffer of Security::Authentication::Identity {
            cbBuffer, BufferType, pvBuffer,
        }
        SecBufferDesc of Security::Authentication::Identity {
            ulVersion, cBuffers, pBuffers,
        }
        SEC_WINNT_AUTH_IDENTITY_A of System::Rpc {
            User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags,
        }
        SEC_WINNT_AUTH_IDENTITY_W of System::Rpc {
            User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags,
        }
        SEC_WINNT_AUTH_IDENTITY_EXA of Security::Authentication::Identity {
            Version, Length, User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags, PackageList,
                PackageListLength,
        }
        SEC_WINNT_AUTH_IDENTITY_EXW of Security::Authentication::Identity {
            Version, Length, User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags, PackageList,
                PackageListLength,
        }
        SecPkgInfoA of Security::Authentication::Identity {
            fCapabilities, wVersion, wRPCID, cbMaxToken, Name, Comment,
        }
        SecPkgInfoW of Security::Authentication::Identity {
            fCapabilities, wVersion, wRPCID, cbMaxToken, Name, Comment,
        }
        SecPkgContext_Sizes of Security::Authentication::Identity {
            cbMaxToken, cbMaxSignature, cbBlockSize, cbSecurityTrailer,
        }
        SecPkgContext_StreamSizes of Security::Authentication::Identity {
            cbHeader, cbTrailer, cbMaximumMessage, cBuffers, cbBlockSize,
        }
        SecPkgContext_Lifespan of Security::Authentication::Identity {
            tsStart, tsExpiry,
        }
        SecPkgContext_Flags of Security::Authentication::Identity {
            Flags,
        }
        SecPkgContext_SessionKey of Security::Authentication::Identity {
            SessionKeyLength, SessionKey,
        }
        SecPkgContext_ClientSpecifiedTarget of Security::Authentication::Identity {
            sTargetName,
        }
        SecPkgContext_NamesA of Security::Authentication::Identity {
            sUserName,
        }
        SecPkgContext_NamesW of Security::Authentication::Identity {
            sUserName,
        }
        SecPkgContext_KeyInfoA of Security::Authentication::Identity {
            sSignatureAlgorithmName, sEncryptAlgorithmName, KeySize, SignatureAlgorithm, EncryptAlgorithm,
        }
        SecPkgContext_KeyInfoW of Security::Authentication::Identity {
            sSignatureAlgorithmName, sEncryptAlgorithmName, KeySize, SignatureAlgorithm, EncryptAlgorithm,
        }
        SecPkgContext_PackageInfoA of Security::Authentication::Identity {
            PackageInfo,
        }
        SecPkgContext_PackageInfoW of Security::Authentication::Identity {
            PackageInfo,
        }
        SecurityFunctionTableA of Security::Authentication::Identity {
            dwVersion, EnumerateSecurityPackagesA, QueryCredentialsAttributesA, AcquireCredentialsHandleA,
                FreeCredentialsHandle, Reserved2, InitializeSecurityContextA, AcceptSecurityContext,
                CompleteAuthToken, DeleteSecurityContext, ApplyControlToken, QueryContextAttributesA,
                ImpersonateSecurityContext, RevertSecurityContext, MakeSignature, VerifySignature,
                FreeContextBuffer, QuerySecurityPackageInfoA, Reserved3, Reserved4, ExportSecurityContext,
                ImportSecurityContextA, AddCredentialsA, Reserved8, QuerySecurityContextToken, EncryptMessage,
                DecryptMessage, SetContextAttributesA, SetCredentialsAttributesA, ChangeAccountPasswordA,
                QueryContextAttributesExA, QueryCredentialsAttributesExA,
        }
        SecurityFunctionTableW of Security::Authentication::Identity {
            dwVersion, EnumerateSecurityPackagesW, QueryCredentialsAttributesW, AcquireCredentialsHandleW,
                FreeCredentialsHandle, Reserved2, InitializeSecurityContextW, AcceptSecurityContext,
                CompleteAuthToken, DeleteSecurityContext, ApplyControlToken, QueryContextAttributesW,
                ImpersonateSecurityContext, RevertSecurityContext, MakeSignature, VerifySignature,
                FreeContextBuffer, QuerySecurityPackageInfoW, Reserved3, Reserved4, ExportSecurityContext,
                ImportSecurityContextW, AddCredentialsW, Reserved8, QuerySecurityContextToken, EncryptMessage,
                DecryptMessage, SetContextAttributesW, SetCredentialsAttributesW, ChangeAccountPasswordW,
                QueryContextAttributesExW, QueryCredentialsAttributesExW,
        }
    };
    // The halves of a LARGE_INTEGER are an i64 in windows-sys.
    assert_eq!((size_of::<capi::TimeStamp>(), align_of::<capi::TimeStamp>()), (8, align_of::<i64>()));
    assert_eq!(size_of::<capi::LARGE_INTEGER_PARTS>(), 8);
    assert_eq!(core::mem::offset_of!(capi::LARGE_INTEGER_PARTS, HighPart), 4);
    let sources = [
        include_str!("../src/capi/types.rs"),
        include_str!("../src/capi/attribute_types.rs"),
        include_str!("../src/capi/function_types.rs"),
    ];
    let declared = sources.iter().flat_map(|source| names_after(source, "pub struct ", " {"));
    let uncompared: Vec<&str> = declared.filter(|name| !compared.contains(name)).collect();
    assert_eq!(uncompared, ["LARGE_INTEGER_PARTS"]);
}

#[test]
#[should_panic(expected = "SecHandle.dwLower")]
fn a_member_in_another_place_is_noticed() {
    mod capi {
        #[repr(C)]
        #[allow(non_snake_case, reason = "the names are those of the Windows headers")]
        pub(super) struct SecHandle {
            pub(super) dwUpper: usize,
            pub(super) dwLower: usize,
        }
    }
    same_layout! { SecHandle of Security::Credentials { dwLower, dwUpper } };
}

/// What stands between `before`, at the beginning of a line, and `after`.
fn names_after<'a>(source: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    source.lines().filter_map(move |line| line.strip_prefix(before)?.split_once(after).map(|(name, _)| name))
}

/// Compares constants with those of the same name.
macro_rules! same_value {
    ($($($module:ident)::+ { $($name:ident),* $(,)? })*) => {{
        $({
            use windows_sys::Win32::$($module)::+ as theirs;
            $(assert_eq!(i128::from(capi::$name), i128::from(theirs::$name), "{}", stringify!($name));)*
        })*
        [$($(stringify!($name)),*),*]
    }};
}

#[test]
fn constants() {
    let compared: BTreeSet<&str> = same_value! {
        Foundation { SEC_E_OK, SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_NEEDED, SEC_I_COMPLETE_AND_CONTINUE,
            SEC_I_INCOMPLETE_CREDENTIALS, SEC_I_RENEGOTIATE, SEC_E_INSUFFICIENT_MEMORY, SEC_E_INVALID_HANDLE,
            SEC_E_UNSUPPORTED_FUNCTION, SEC_E_TARGET_UNKNOWN, SEC_E_INTERNAL_ERROR, SEC_E_SECPKG_NOT_FOUND,
            SEC_E_NOT_OWNER, SEC_E_INVALID_TOKEN, SEC_E_QOP_NOT_SUPPORTED, SEC_E_LOGON_DENIED,
            SEC_E_UNKNOWN_CREDENTIALS, SEC_E_NO_CREDENTIALS, SEC_E_MESSAGE_ALTERED, SEC_E_OUT_OF_SEQUENCE,
            SEC_E_NO_AUTHENTICATING_AUTHORITY, SEC_E_INCOMPLETE_MESSAGE, SEC_E_BUFFER_TOO_SMALL,
            SEC_E_WRONG_PRINCIPAL, SEC_E_SECURITY_QOS_FAILED, SEC_E_WRONG_CREDENTIAL_HANDLE, SEC_E_BAD_BINDINGS,
            SEC_E_CONTEXT_EXPIRED, SEC_E_CRYPTO_SYSTEM_INVALID, STATUS_INVALID_PARAMETER, SEC_E_INVALID_PARAMETER }
        Security::Authentication::Identity { SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND, SECPKG_CRED_BOTH,
            SEC_WINNT_AUTH_IDENTITY_MARSHALLED, SEC_WINNT_AUTH_IDENTITY_ONLY, SEC_WINNT_AUTH_IDENTITY_VERSION,
            SEC_WINNT_AUTH_IDENTITY_VERSION_2, SECBUFFER_VERSION, SECBUFFER_EMPTY, SECBUFFER_DATA, SECBUFFER_TOKEN,
            SECBUFFER_PKG_PARAMS, SECBUFFER_STREAM_TRAILER, SECBUFFER_STREAM_HEADER, SECBUFFER_PADDING,
            SECBUFFER_STREAM, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TARGET_HOST, SECBUFFER_READONLY,
            SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_ATTRMASK, ASC_REQ_REPLAY_DETECT, ASC_REQ_SEQUENCE_DETECT,
            ASC_REQ_CONFIDENTIALITY, ASC_REQ_ALLOCATE_MEMORY, ASC_REQ_CONNECTION, ASC_REQ_EXTENDED_ERROR,
            ASC_REQ_INTEGRITY, ASC_REQ_PROXY_BINDINGS, ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_RET_REPLAY_DETECT,
            ASC_RET_SEQUENCE_DETECT, ASC_RET_CONFIDENTIALITY, ASC_RET_ALLOCATED_MEMORY, ASC_RET_INTEGRITY,
            ISC_REQ_DELEGATE, ISC_REQ_MUTUAL_AUTH, ISC_REQ_REPLAY_DETECT, ISC_REQ_SEQUENCE_DETECT,
            ISC_REQ_CONFIDENTIALITY, ISC_REQ_PROMPT_FOR_CREDS, ISC_REQ_ALLOCATE_MEMORY, ISC_REQ_CONNECTION,
            ISC_REQ_EXTENDED_ERROR, ISC_REQ_STREAM, ISC_REQ_INTEGRITY, ISC_RET_MUTUAL_AUTH, ISC_RET_REPLAY_DETECT,
            ISC_RET_SEQUENCE_DETECT, ISC_RET_CONFIDENTIALITY, ISC_RET_ALLOCATED_MEMORY, ISC_RET_INTEGRITY,
            SECPKG_ATTR_SIZES, SECPKG_ATTR_NAMES, SECPKG_ATTR_LIFESPAN, SECPKG_ATTR_STREAM_SIZES,
            SECPKG_ATTR_KEY_INFO, SECPKG_ATTR_SESSION_KEY, SECPKG_ATTR_PACKAGE_INFO, SECPKG_ATTR_FLAGS,
            SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, SECPKG_FLAG_INTEGRITY, SECPKG_FLAG_PRIVACY, SECPKG_FLAG_CONNECTION,
            SECPKG_FLAG_MULTI_REQUIRED, SECPKG_FLAG_ASCII_BUFFERS, SECPKG_FLAG_MUTUAL_AUTH, SECURITY_NATIVE_DREP,
            SECURITY_NETWORK_DREP, SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
            SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5, SECQOP_WRAP_NO_ENCRYPT }
        System::Rpc { SEC_WINNT_AUTH_IDENTITY_ANSI, SEC_WINNT_AUTH_IDENTITY_UNICODE, RPC_C_AUTHN_DIGEST }
    }
    .into();
    let declared = names_after(include_str!("../src/capi/constants.rs"), "pub const ", ":");
    let uncompared: Vec<&str> = declared.filter(|name| !compared.contains(name)).collect();
    // windows-sys has no name for these: they are of sspi.h and wdigest.h alone.
    assert_eq!(uncompared, ["STATUS_LOGON_FAILURE", "ASC_REQ_HTTP", "ISC_REQ_HTTP", "SIGN_ONLY"]);
    assert_eq!([capi::ASC_REQ_HTTP, capi::ISC_REQ_HTTP], [0x1000_0000; 2]);
    assert_eq!((capi::SECURITY_NETWORK_DREP, capi::SIGN_ONLY), (0, 0x8000_0000));
}

#[test]
#[should_panic(expected = "SECBUFFER_DATA")]
fn another_value_is_noticed() {
    mod capi {
        pub(super) const SECBUFFER_DATA: u32 = 2;
    }
    same_value! { Security::Authentication::Identity { SECBUFFER_DATA } };
}

/// Every status that the package can return has its name here.
#[test]
fn statuses() {
    let source = include_str!("../src/capi/constants.rs");
    for (name, status) in SecurityStatus::ALL {
        let declaration = format!("pub const {name}: SECURITY_STATUS = 0x{:08X}_u32 as SECURITY_STATUS;", status.0);
        assert!(source.contains(&declaration), "{declaration}");
    }
}

/// Says twice what the type of a function is, once in the words of each side; each must be what that side declares.
macro_rules! same_signatures {
    ($($pointer:ident = fn($($parameter:ty),*) $(-> $result:ty)?: $($function:ident),*;)*) => {
        #[allow(non_camel_case_types, unused_imports, reason = "the names are those of the Windows headers")]
        mod ours {
            use core::ffi::c_void;
            use digest_ssp::capi::*;
            pub(crate) fn compiles() {
                $(
                    let _ = |pointer: $pointer| -> Option<unsafe extern "system" fn($($parameter),*) $(-> $result)?> {
                        pointer
                    };
                    $(let _: $pointer = Some($function);)*
                )*
            }
        }
        #[allow(non_camel_case_types, clippy::upper_case_acronyms,
            reason = "the names are those of the Windows headers")]
        mod theirs {
            use core::ffi::c_void;
            use windows_sys::Win32::Security::Authentication::Identity::*;
            use windows_sys::Win32::Security::Credentials::SecHandle;
            type CredHandle = SecHandle;
            type CtxtHandle = SecHandle;
            type SECURITY_STATUS = windows_sys::core::HRESULT;
            type SEC_CHAR = i8;
            type SEC_WCHAR = u16;
            type TimeStamp = i64;
            type BOOLEAN = bool;
            pub(crate) fn compiles() {
                $(
                    let _ = |pointer: $pointer| -> Option<unsafe extern "system" fn($($parameter),*) $(-> $result)?> {
                        pointer
                    };
                )*
            }
        }
        const COMPARED: &[&str] = &[$(stringify!($pointer)),*];
    };
}

same_signatures! {
    SEC_GET_KEY_FN = fn(*mut c_void, *mut c_void, u32, *mut *mut c_void, *mut SECURITY_STATUS): ;
    ENUMERATE_SECURITY_PACKAGES_FN_A = fn(
        *mut u32, *mut *mut SecPkgInfoA
    ) -> SECURITY_STATUS: EnumerateSecurityPackagesA;
    QUERY_SECURITY_PACKAGE_INFO_FN_A = fn(
        *mut SEC_CHAR, *mut *mut SecPkgInfoA
    ) -> SECURITY_STATUS: QuerySecurityPackageInfoA;
    ACQUIRE_CREDENTIALS_HANDLE_FN_A = fn(
        *mut SEC_CHAR, *mut SEC_CHAR, u32, *mut c_void, *mut c_void, SEC_GET_KEY_FN, *mut c_void, *mut CredHandle,
        *mut TimeStamp
    ) -> SECURITY_STATUS: AcquireCredentialsHandleA;
    INITIALIZE_SECURITY_CONTEXT_FN_A = fn(
        *mut CredHandle, *mut CtxtHandle, *mut SEC_CHAR, u32, u32, u32, *mut SecBufferDesc, u32, *mut CtxtHandle,
        *mut SecBufferDesc, *mut u32, *mut TimeStamp
    ) -> SECURITY_STATUS: InitializeSecurityContextA;
    QUERY_CONTEXT_ATTRIBUTES_FN_A = fn(*mut CtxtHandle, u32, *mut c_void) -> SECURITY_STATUS: QueryContextAttributesA;
    QUERY_CONTEXT_ATTRIBUTES_EX_FN_A = fn(*mut CtxtHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    QUERY_CREDENTIALS_ATTRIBUTES_FN_A = fn(*mut CredHandle, u32, *mut c_void) -> SECURITY_STATUS: ;
    QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A = fn(*mut CredHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    SET_CONTEXT_ATTRIBUTES_FN_A = fn(*mut CtxtHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    SET_CREDENTIALS_ATTRIBUTES_FN_A = fn(*mut CredHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    IMPORT_SECURITY_CONTEXT_FN_A = fn(
        *mut SEC_CHAR, *mut SecBuffer, *mut c_void, *mut CtxtHandle
    ) -> SECURITY_STATUS: ;
    ADD_CREDENTIALS_FN_A = fn(
        *mut CredHandle, *mut SEC_CHAR, *mut SEC_CHAR, u32, *mut c_void, SEC_GET_KEY_FN, *mut c_void, *mut TimeStamp
    ) -> SECURITY_STATUS: ;
    CHANGE_PASSWORD_FN_A = fn(
        *mut SEC_CHAR, *mut SEC_CHAR, *mut SEC_CHAR, *mut SEC_CHAR, *mut SEC_CHAR, BOOLEAN, u32, *mut SecBufferDesc
    ) -> SECURITY_STATUS: ;
    ENUMERATE_SECURITY_PACKAGES_FN_W = fn(
        *mut u32, *mut *mut SecPkgInfoW
    ) -> SECURITY_STATUS: EnumerateSecurityPackagesW;
    QUERY_SECURITY_PACKAGE_INFO_FN_W = fn(
        *mut SEC_WCHAR, *mut *mut SecPkgInfoW
    ) -> SECURITY_STATUS: QuerySecurityPackageInfoW;
    ACQUIRE_CREDENTIALS_HANDLE_FN_W = fn(
        *mut SEC_WCHAR, *mut SEC_WCHAR, u32, *mut c_void, *mut c_void, SEC_GET_KEY_FN, *mut c_void, *mut CredHandle,
        *mut TimeStamp
    ) -> SECURITY_STATUS: AcquireCredentialsHandleW;
    INITIALIZE_SECURITY_CONTEXT_FN_W = fn(
        *mut CredHandle, *mut CtxtHandle, *mut SEC_WCHAR, u32, u32, u32, *mut SecBufferDesc, u32, *mut CtxtHandle,
        *mut SecBufferDesc, *mut u32, *mut TimeStamp
    ) -> SECURITY_STATUS: InitializeSecurityContextW;
    QUERY_CONTEXT_ATTRIBUTES_FN_W = fn(*mut CtxtHandle, u32, *mut c_void) -> SECURITY_STATUS: QueryContextAttributesW;
    QUERY_CONTEXT_ATTRIBUTES_EX_FN_W = fn(*mut CtxtHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    QUERY_CREDENTIALS_ATTRIBUTES_FN_W = fn(*mut CredHandle, u32, *mut c_void) -> SECURITY_STATUS: ;
    QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W = fn(*mut CredHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    SET_CONTEXT_ATTRIBUTES_FN_W = fn(*mut CtxtHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    SET_CREDENTIALS_ATTRIBUTES_FN_W = fn(*mut CredHandle, u32, *mut c_void, u32) -> SECURITY_STATUS: ;
    IMPORT_SECURITY_CONTEXT_FN_W = fn(
        *mut SEC_WCHAR, *mut SecBuffer, *mut c_void, *mut CtxtHandle
    ) -> SECURITY_STATUS: ;
    ADD_CREDENTIALS_FN_W = fn(
        *mut CredHandle, *mut SEC_WCHAR, *mut SEC_WCHAR, u32, *mut c_void, SEC_GET_KEY_FN, *mut c_void, *mut TimeStamp
    ) -> SECURITY_STATUS: ;
    CHANGE_PASSWORD_FN_W = fn(
        *mut SEC_WCHAR, *mut SEC_WCHAR, *mut SEC_WCHAR, *mut SEC_WCHAR, *mut SEC_WCHAR, BOOLEAN, u32,
        *mut SecBufferDesc
    ) -> SECURITY_STATUS: ;
    FREE_CREDENTIALS_HANDLE_FN = fn(*mut CredHandle) -> SECURITY_STATUS: FreeCredentialsHandle;
    ACCEPT_SECURITY_CONTEXT_FN = fn(
        *mut CredHandle, *mut CtxtHandle, *mut SecBufferDesc, u32, u32, *mut CtxtHandle, *mut SecBufferDesc,
        *mut u32, *mut TimeStamp
    ) -> SECURITY_STATUS: AcceptSecurityContext;
    COMPLETE_AUTH_TOKEN_FN = fn(*mut CtxtHandle, *mut SecBufferDesc) -> SECURITY_STATUS: CompleteAuthToken;
    DELETE_SECURITY_CONTEXT_FN = fn(*mut CtxtHandle) -> SECURITY_STATUS: DeleteSecurityContext;
    APPLY_CONTROL_TOKEN_FN = fn(*mut CtxtHandle, *mut SecBufferDesc) -> SECURITY_STATUS: ;
    IMPERSONATE_SECURITY_CONTEXT_FN = fn(*mut CtxtHandle) -> SECURITY_STATUS: ;
    REVERT_SECURITY_CONTEXT_FN = fn(*mut CtxtHandle) -> SECURITY_STATUS: ;
    MAKE_SIGNATURE_FN = fn(*mut CtxtHandle, u32, *mut SecBufferDesc, u32) -> SECURITY_STATUS: MakeSignature;
    VERIFY_SIGNATURE_FN = fn(*mut CtxtHandle, *mut SecBufferDesc, u32, *mut u32) -> SECURITY_STATUS: VerifySignature;
    ENCRYPT_MESSAGE_FN = fn(*mut CtxtHandle, u32, *mut SecBufferDesc, u32) -> SECURITY_STATUS: EncryptMessage;
    DECRYPT_MESSAGE_FN = fn(*mut CtxtHandle, *mut SecBufferDesc, u32, *mut u32) -> SECURITY_STATUS: DecryptMessage;
    FREE_CONTEXT_BUFFER_FN = fn(*mut c_void) -> SECURITY_STATUS: FreeContextBuffer;
    EXPORT_SECURITY_CONTEXT_FN = fn(*mut CtxtHandle, u32, *mut SecBuffer, *mut *mut c_void) -> SECURITY_STATUS: ;
    QUERY_SECURITY_CONTEXT_TOKEN_FN = fn(*mut CtxtHandle, *mut *mut c_void) -> SECURITY_STATUS: ;
    INIT_SECURITY_INTERFACE_A = fn() -> *mut SecurityFunctionTableA: InitSecurityInterfaceA;
    INIT_SECURITY_INTERFACE_W = fn() -> *mut SecurityFunctionTableW: InitSecurityInterfaceW;
}

#[test]
fn signatures() {
    ours::compiles();
    theirs::compiles();
    let declared = names_after(include_str!("../src/capi/function_types.rs"), "pub type ", " =");
    let uncompared: Vec<&str> = declared.filter(|name| !COMPARED.contains(name)).collect();
    assert_eq!(uncompared, [""; 0]);
}
