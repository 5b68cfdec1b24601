//! The constants that callers need, with the values of `sspi.h`, `winerror.h`, `rpcdce.h` and `wdigest.h`.
#![forbid(unsafe_code)]

use super::types::SECURITY_STATUS;

/// The call succeeded.
pub const SEC_E_OK: SECURITY_STATUS = 0x00000000_u32 as SECURITY_STATUS;
/// Send the output to the peer, wait for its token, call the same function again.
pub const SEC_I_CONTINUE_NEEDED: SECURITY_STATUS = 0x00090312_u32 as SECURITY_STATUS;
/// Finish building the message, then call CompleteAuthToken.
pub const SEC_I_COMPLETE_NEEDED: SECURITY_STATUS = 0x00090313_u32 as SECURITY_STATUS;
/// Call CompleteAuthToken, send its output, wait for the peer's token.
pub const SEC_I_COMPLETE_AND_CONTINUE: SECURITY_STATUS = 0x00090314_u32 as SECURITY_STATUS;
/// Schannel: the credentials supplied are incomplete (listed for InitializeSecurityContext, never returned here).
pub const SEC_I_INCOMPLETE_CREDENTIALS: SECURITY_STATUS = 0x00090320_u32 as SECURITY_STATUS;
/// The context must be renegotiated (listed for MakeSignature, never returned here).
pub const SEC_I_RENEGOTIATE: SECURITY_STATUS = 0x00090321_u32 as SECURITY_STATUS;
/// A buffer is too small, or memory is short.
pub const SEC_E_INSUFFICIENT_MEMORY: SECURITY_STATUS = 0x80090300_u32 as SECURITY_STATUS;
/// The handle names nothing.
pub const SEC_E_INVALID_HANDLE: SECURITY_STATUS = 0x80090301_u32 as SECURITY_STATUS;
/// The package has no such function, or does not support what was asked of it.
pub const SEC_E_UNSUPPORTED_FUNCTION: SECURITY_STATUS = 0x80090302_u32 as SECURITY_STATUS;
/// The target was not recognised.
pub const SEC_E_TARGET_UNKNOWN: SECURITY_STATUS = 0x80090303_u32 as SECURITY_STATUS;
/// An error that maps to no other SSPI code.
pub const SEC_E_INTERNAL_ERROR: SECURITY_STATUS = 0x80090304_u32 as SECURITY_STATUS;
/// No package of that name.
pub const SEC_E_SECPKG_NOT_FOUND: SECURITY_STATUS = 0x80090305_u32 as SECURITY_STATUS;
/// The caller does not own the credentials it asks for.
pub const SEC_E_NOT_OWNER: SECURITY_STATUS = 0x80090306_u32 as SECURITY_STATUS;
/// The token or the descriptor is malformed.
pub const SEC_E_INVALID_TOKEN: SECURITY_STATUS = 0x80090308_u32 as SECURITY_STATUS;
/// The quality of protection is not supported by both sides.
pub const SEC_E_QOP_NOT_SUPPORTED: SECURITY_STATUS = 0x8009030A_u32 as SECURITY_STATUS;
/// The logon failed.
pub const SEC_E_LOGON_DENIED: SECURITY_STATUS = 0x8009030C_u32 as SECURITY_STATUS;
/// The credentials supplied were not recognised.
pub const SEC_E_UNKNOWN_CREDENTIALS: SECURITY_STATUS = 0x8009030D_u32 as SECURITY_STATUS;
/// There are no credentials, or their handle is not valid.
pub const SEC_E_NO_CREDENTIALS: SECURITY_STATUS = 0x8009030E_u32 as SECURITY_STATUS;
/// The message was altered.
pub const SEC_E_MESSAGE_ALTERED: SECURITY_STATUS = 0x8009030F_u32 as SECURITY_STATUS;
/// The message, or the call, is out of sequence.
pub const SEC_E_OUT_OF_SEQUENCE: SECURITY_STATUS = 0x80090310_u32 as SECURITY_STATUS;
/// No authority could be contacted for authentication.
pub const SEC_E_NO_AUTHENTICATING_AUTHORITY: SECURITY_STATUS = 0x80090311_u32 as SECURITY_STATUS;
/// The context was closed already (listed for EncryptMessage, never returned here).
pub const SEC_E_CONTEXT_EXPIRED: SECURITY_STATUS = 0x80090317_u32 as SECURITY_STATUS;
/// The message is incomplete.
pub const SEC_E_INCOMPLETE_MESSAGE: SECURITY_STATUS = 0x80090318_u32 as SECURITY_STATUS;
/// A buffer is too small for what belongs there (EncryptMessage, DecryptMessage).
pub const SEC_E_BUFFER_TOO_SMALL: SECURITY_STATUS = 0x80090321_u32 as SECURITY_STATUS;
/// The peer's principal is not the intended one.
pub const SEC_E_WRONG_PRINCIPAL: SECURITY_STATUS = 0x80090322_u32 as SECURITY_STATUS;
/// The quality of service asked for cannot be given.
pub const SEC_E_SECURITY_QOS_FAILED: SECURITY_STATUS = 0x80090332_u32 as SECURITY_STATUS;
/// The context belongs to other credentials.
pub const SEC_E_WRONG_CREDENTIAL_HANDLE: SECURITY_STATUS = 0x80090336_u32 as SECURITY_STATUS;
/// The cipher is not supported (listed for EncryptMessage and DecryptMessage, never returned here).
pub const SEC_E_CRYPTO_SYSTEM_INVALID: SECURITY_STATUS = 0x80090337_u32 as SECURITY_STATUS;
/// The channel binding policy was not satisfied.
pub const SEC_E_BAD_BINDINGS: SECURITY_STATUS = 0x80090346_u32 as SECURITY_STATUS;
/// NTSTATUS: the context is established already (AcceptSecurityContext).
pub const STATUS_LOGON_FAILURE: SECURITY_STATUS = 0xC000006D_u32 as SECURITY_STATUS;
/// NTSTATUS: a parameter is not valid (MakeSignature: a count that is not numeric).
pub const STATUS_INVALID_PARAMETER: SECURITY_STATUS = 0xC000000D_u32 as SECURITY_STATUS;
/// A pointer is NULL where the function must write. Digest's pages know no status for that.
pub const SEC_E_INVALID_PARAMETER: SECURITY_STATUS = 0x8009035D_u32 as SECURITY_STATUS;

/// Credentials of a server.
pub const SECPKG_CRED_INBOUND: u32 = 1;
/// Credentials of a client.
pub const SECPKG_CRED_OUTBOUND: u32 = 2;
/// Credentials of both.
pub const SECPKG_CRED_BOTH: u32 = 3;

/// The strings of an identity have bytes.
pub const SEC_WINNT_AUTH_IDENTITY_ANSI: u32 = 0x1;
/// The strings of an identity have 16-bit characters.
pub const SEC_WINNT_AUTH_IDENTITY_UNICODE: u32 = 0x2;
/// The strings of an identity lie behind it in one block; it changes nothing here.
pub const SEC_WINNT_AUTH_IDENTITY_MARSHALLED: u32 = 0x4;
/// For Kerberos; it changes nothing here.
pub const SEC_WINNT_AUTH_IDENTITY_ONLY: u32 = 0x8;
/// Version of SEC_WINNT_AUTH_IDENTITY_EX.
pub const SEC_WINNT_AUTH_IDENTITY_VERSION: u32 = 0x200;
/// Version of SEC_WINNT_AUTH_IDENTITY_EX2, which is SEC_E_UNKNOWN_CREDENTIALS here.
pub const SEC_WINNT_AUTH_IDENTITY_VERSION_2: u32 = 0x201;

/// ulVersion of a SecBufferDesc.
pub const SECBUFFER_VERSION: u32 = 0;
/// Nothing.
pub const SECBUFFER_EMPTY: u32 = 0;
/// A message.
pub const SECBUFFER_DATA: u32 = 1;
/// A token, or a signature.
pub const SECBUFFER_TOKEN: u32 = 2;
/// Parameters of Digest, told apart by their order.
pub const SECBUFFER_PKG_PARAMS: u32 = 3;
/// What follows a message on the wire.
pub const SECBUFFER_STREAM_TRAILER: u32 = 6;
/// What precedes a message on the wire: nothing.
pub const SECBUFFER_STREAM_HEADER: u32 = 7;
/// What follows a message on the wire, or room for a header.
pub const SECBUFFER_PADDING: u32 = 9;
/// A message as it came.
pub const SECBUFFER_STREAM: u32 = 10;
/// A SEC_CHANNEL_BINDINGS structure.
pub const SECBUFFER_CHANNEL_BINDINGS: u32 = 14;
/// The service principal name that a client means.
pub const SECBUFFER_TARGET_HOST: u32 = 16;
/// Attribute: the package does not write the buffer.
pub const SECBUFFER_READONLY: u32 = 0x80000000;
/// Attribute: the package does not write the buffer.
pub const SECBUFFER_READONLY_WITH_CHECKSUM: u32 = 0x10000000;
/// The bits that are attributes.
pub const SECBUFFER_ATTRMASK: u32 = 0xF0000000;

/// qop=auth-int.
pub const ASC_REQ_REPLAY_DETECT: u32 = 0x4;
/// qop=auth-int.
pub const ASC_REQ_SEQUENCE_DETECT: u32 = 0x8;
/// qop=auth-conf, SASL only.
pub const ASC_REQ_CONFIDENTIALITY: u32 = 0x10;
/// The package allocates the output TOKEN; free it with FreeContextBuffer.
pub const ASC_REQ_ALLOCATE_MEMORY: u32 = 0x100;
/// Ignored.
pub const ASC_REQ_CONNECTION: u32 = 0x800;
/// Ignored.
pub const ASC_REQ_EXTENDED_ERROR: u32 = 0x8000;
/// qop=auth-int.
pub const ASC_REQ_INTEGRITY: u32 = 0x20000;
/// A response must say which channel it means; HTTP only.
pub const ASC_REQ_PROXY_BINDINGS: u32 = 0x4000000;
/// HTTP and not SASL; a response need not say which channel it means.
pub const ASC_REQ_ALLOW_MISSING_BINDINGS: u32 = 0x10000000;
/// HTTP and not SASL.
pub const ASC_REQ_HTTP: u32 = 0x10000000;
/// qop=auth-int or auth-conf.
pub const ASC_RET_REPLAY_DETECT: u32 = 0x4;
/// qop=auth-int or auth-conf.
pub const ASC_RET_SEQUENCE_DETECT: u32 = 0x8;
/// qop=auth-conf.
pub const ASC_RET_CONFIDENTIALITY: u32 = 0x10;
/// The package allocated the output TOKEN.
pub const ASC_RET_ALLOCATED_MEMORY: u32 = 0x100;
/// qop=auth-int or auth-conf.
pub const ASC_RET_INTEGRITY: u32 = 0x20000;

/// Not supported.
pub const ISC_REQ_DELEGATE: u32 = 0x1;
/// Wait for the proof of an HTTP server.
pub const ISC_REQ_MUTUAL_AUTH: u32 = 0x2;
/// qop=auth-int.
pub const ISC_REQ_REPLAY_DETECT: u32 = 0x4;
/// qop=auth-int.
pub const ISC_REQ_SEQUENCE_DETECT: u32 = 0x8;
/// qop=auth-conf, SASL only.
pub const ISC_REQ_CONFIDENTIALITY: u32 = 0x10;
/// Not supported.
pub const ISC_REQ_PROMPT_FOR_CREDS: u32 = 0x40;
/// The package allocates the output TOKEN; free it with FreeContextBuffer.
pub const ISC_REQ_ALLOCATE_MEMORY: u32 = 0x100;
/// Ignored.
pub const ISC_REQ_CONNECTION: u32 = 0x800;
/// Ignored.
pub const ISC_REQ_EXTENDED_ERROR: u32 = 0x4000;
/// Ignored.
pub const ISC_REQ_STREAM: u32 = 0x8000;
/// qop=auth-int.
pub const ISC_REQ_INTEGRITY: u32 = 0x10000;
/// HTTP and not SASL.
pub const ISC_REQ_HTTP: u32 = 0x10000000;
/// The server proved itself, or will.
pub const ISC_RET_MUTUAL_AUTH: u32 = 0x2;
/// qop=auth-int or auth-conf.
pub const ISC_RET_REPLAY_DETECT: u32 = 0x4;
/// qop=auth-int or auth-conf.
pub const ISC_RET_SEQUENCE_DETECT: u32 = 0x8;
/// qop=auth-conf.
pub const ISC_RET_CONFIDENTIALITY: u32 = 0x10;
/// The package allocated the output TOKEN.
pub const ISC_RET_ALLOCATED_MEMORY: u32 = 0x100;
/// qop=auth-int or auth-conf.
pub const ISC_RET_INTEGRITY: u32 = 0x10000;

/// SecPkgContext_Sizes.
pub const SECPKG_ATTR_SIZES: u32 = 0;
/// SecPkgContext_Names.
pub const SECPKG_ATTR_NAMES: u32 = 1;
/// SecPkgContext_Lifespan.
pub const SECPKG_ATTR_LIFESPAN: u32 = 2;
/// SecPkgContext_StreamSizes: of SASL with a layer.
pub const SECPKG_ATTR_STREAM_SIZES: u32 = 4;
/// SecPkgContext_KeyInfo.
pub const SECPKG_ATTR_KEY_INFO: u32 = 5;
/// SecPkgContext_SessionKey.
pub const SECPKG_ATTR_SESSION_KEY: u32 = 9;
/// SecPkgContext_PackageInfo.
pub const SECPKG_ATTR_PACKAGE_INFO: u32 = 10;
/// SecPkgContext_Flags.
pub const SECPKG_ATTR_FLAGS: u32 = 14;
/// SecPkgContext_ClientSpecifiedTarget: of an HTTP server whose client told its channel.
pub const SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: u32 = 27;

/// It signs.
pub const SECPKG_FLAG_INTEGRITY: u32 = 0x1;
/// It encrypts.
pub const SECPKG_FLAG_PRIVACY: u32 = 0x2;
/// It is for connections.
pub const SECPKG_FLAG_CONNECTION: u32 = 0x10;
/// It takes several legs.
pub const SECPKG_FLAG_MULTI_REQUIRED: u32 = 0x20;
/// Its tokens are text.
pub const SECPKG_FLAG_ASCII_BUFFERS: u32 = 0x4000;
/// The server proves itself too.
pub const SECPKG_FLAG_MUTUAL_AUTH: u32 = 0x10000;

/// TargetDataRep, which Digest ignores.
pub const SECURITY_NATIVE_DREP: u32 = 0x10;
/// TargetDataRep, which Digest ignores.
pub const SECURITY_NETWORK_DREP: u32 = 0;
/// wVersion of a SecPkgInfo.
pub const SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION: u32 = 1;
/// dwVersion of the tables of functions.
pub const SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5: u32 = 5;
/// wRPCID of Digest.
pub const RPC_C_AUTHN_DIGEST: u32 = 21;
/// fQOP that no function takes: only 0 is.
pub const SECQOP_WRAP_NO_ENCRYPT: u32 = 0x80000001;
/// pfQOP of DecryptMessage for a message that was signed and not encrypted.
pub const SIGN_ONLY: u32 = 0x80000000;
