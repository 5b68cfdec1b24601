// digest-ssp: the functions of sspi.h over the Digest security package (HTTP Digest, SASL DIGEST-MD5).
//
// A server's accounts come from the htdigest file that the environment variable DIGEST_SSP_ACCOUNTS names, the realm of its
// challenges from DIGEST_SSP_REALM. DIGEST_SSP_TRACE names a file that gets a line for every call.
// On Windows the declarations are those of sspi.h itself; there and elsewhere `unsigned long` of that header has 32
// bits and a wide character 16.
//
// Made by cbindgen from src/capi; DIGEST_SSP_WRITE_HEADER=1 cargo test --features capi --test capi_header makes it anew.

#ifndef DIGEST_SSP_H
#define DIGEST_SSP_H


#if defined(_WIN32)

#ifndef SECURITY_WIN32
#define SECURITY_WIN32
#endif
#include <windows.h>
#include <sspi.h>

#ifndef WDIGEST_SP_NAME_A
#define WDIGEST_SP_NAME_A "WDigest"
#define WDIGEST_SP_NAME_W L"WDigest"
#endif
#ifndef WDIGEST_SP_NAME
#ifdef UNICODE
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_W
#else
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_A
#endif
#endif
#ifndef SIGN_ONLY
#define SIGN_ONLY 0x80000000
#endif

#else

#include <stdint.h>

#ifndef SEC_ENTRY
#define SEC_ENTRY
#endif

#define WDIGEST_SP_NAME_A "WDigest"
#define WDIGEST_SP_NAME_W u"WDigest"

// The call succeeded.
#define SEC_E_OK ((SECURITY_STATUS)0x00000000)
// Send the output to the peer, wait for its token, call the same function again.
#define SEC_I_CONTINUE_NEEDED ((SECURITY_STATUS)0x00090312)
// Finish building the message, then call CompleteAuthToken.
#define SEC_I_COMPLETE_NEEDED ((SECURITY_STATUS)0x00090313)
// Call CompleteAuthToken, send its output, wait for the peer's token.
#define SEC_I_COMPLETE_AND_CONTINUE ((SECURITY_STATUS)0x00090314)
// Schannel: the credentials supplied are incomplete (listed for InitializeSecurityContext, never returned here).
#define SEC_I_INCOMPLETE_CREDENTIALS ((SECURITY_STATUS)0x00090320)
// The context must be renegotiated (listed for MakeSignature, never returned here).
#define SEC_I_RENEGOTIATE ((SECURITY_STATUS)0x00090321)
// A buffer is too small, or memory is short.
#define SEC_E_INSUFFICIENT_MEMORY ((SECURITY_STATUS)0x80090300)
// The handle names nothing.
#define SEC_E_INVALID_HANDLE ((SECURITY_STATUS)0x80090301)
// The package has no such function, or does not support what was asked of it.
#define SEC_E_UNSUPPORTED_FUNCTION ((SECURITY_STATUS)0x80090302)
// The target was not recognised.
#define SEC_E_TARGET_UNKNOWN ((SECURITY_STATUS)0x80090303)
// An error that maps to no other SSPI code.
#define SEC_E_INTERNAL_ERROR ((SECURITY_STATUS)0x80090304)
// No package of that name.
#define SEC_E_SECPKG_NOT_FOUND ((SECURITY_STATUS)0x80090305)
// The caller does not own the credentials it asks for.
#define SEC_E_NOT_OWNER ((SECURITY_STATUS)0x80090306)
// The token or the descriptor is malformed.
#define SEC_E_INVALID_TOKEN ((SECURITY_STATUS)0x80090308)
// The quality of protection is not supported by both sides.
#define SEC_E_QOP_NOT_SUPPORTED ((SECURITY_STATUS)0x8009030A)
// The logon failed.
#define SEC_E_LOGON_DENIED ((SECURITY_STATUS)0x8009030C)
// The credentials supplied were not recognised.
#define SEC_E_UNKNOWN_CREDENTIALS ((SECURITY_STATUS)0x8009030D)
// There are no credentials, or their handle is not valid.
#define SEC_E_NO_CREDENTIALS ((SECURITY_STATUS)0x8009030E)
// The message was altered.
#define SEC_E_MESSAGE_ALTERED ((SECURITY_STATUS)0x8009030F)
// The message, or the call, is out of sequence.
#define SEC_E_OUT_OF_SEQUENCE ((SECURITY_STATUS)0x80090310)
// No authority could be contacted for authentication.
#define SEC_E_NO_AUTHENTICATING_AUTHORITY ((SECURITY_STATUS)0x80090311)
// The context was closed already (listed for EncryptMessage, never returned here).
#define SEC_E_CONTEXT_EXPIRED ((SECURITY_STATUS)0x80090317)
// The message is incomplete.
#define SEC_E_INCOMPLETE_MESSAGE ((SECURITY_STATUS)0x80090318)
// A buffer is too small for what belongs there (EncryptMessage, DecryptMessage).
#define SEC_E_BUFFER_TOO_SMALL ((SECURITY_STATUS)0x80090321)
// The peer's principal is not the intended one.
#define SEC_E_WRONG_PRINCIPAL ((SECURITY_STATUS)0x80090322)
// The quality of service asked for cannot be given.
#define SEC_E_SECURITY_QOS_FAILED ((SECURITY_STATUS)0x80090332)
// The context belongs to other credentials.
#define SEC_E_WRONG_CREDENTIAL_HANDLE ((SECURITY_STATUS)0x80090336)
// The cipher is not supported (listed for EncryptMessage and DecryptMessage, never returned here).
#define SEC_E_CRYPTO_SYSTEM_INVALID ((SECURITY_STATUS)0x80090337)
// The channel binding policy was not satisfied.
#define SEC_E_BAD_BINDINGS ((SECURITY_STATUS)0x80090346)
// NTSTATUS: the context is established already (AcceptSecurityContext).
#define STATUS_LOGON_FAILURE ((SECURITY_STATUS)0xC000006D)
// NTSTATUS: a parameter is not valid (MakeSignature: a count that is not numeric).
#define STATUS_INVALID_PARAMETER ((SECURITY_STATUS)0xC000000D)
// A pointer is NULL where the function must write. Digest's pages know no status for that.
#define SEC_E_INVALID_PARAMETER ((SECURITY_STATUS)0x8009035D)

// Credentials of a server.
#define SECPKG_CRED_INBOUND 1
// Credentials of a client.
#define SECPKG_CRED_OUTBOUND 2
// Credentials of both.
#define SECPKG_CRED_BOTH 3

// The strings of an identity have bytes.
#define SEC_WINNT_AUTH_IDENTITY_ANSI 0x1
// The strings of an identity have 16-bit characters.
#define SEC_WINNT_AUTH_IDENTITY_UNICODE 0x2
// The strings of an identity lie behind it in one block; it changes nothing here.
#define SEC_WINNT_AUTH_IDENTITY_MARSHALLED 0x4
// For Kerberos; it changes nothing here.
#define SEC_WINNT_AUTH_IDENTITY_ONLY 0x8
// Version of SEC_WINNT_AUTH_IDENTITY_EX.
#define SEC_WINNT_AUTH_IDENTITY_VERSION 0x200
// Version of SEC_WINNT_AUTH_IDENTITY_EX2, which is SEC_E_UNKNOWN_CREDENTIALS here.
#define SEC_WINNT_AUTH_IDENTITY_VERSION_2 0x201

// ulVersion of a SecBufferDesc.
#define SECBUFFER_VERSION 0
// Nothing.
#define SECBUFFER_EMPTY 0
// A message.
#define SECBUFFER_DATA 1
// A token, or a signature.
#define SECBUFFER_TOKEN 2
// Parameters of Digest, told apart by their order.
#define SECBUFFER_PKG_PARAMS 3
// What follows a message on the wire.
#define SECBUFFER_STREAM_TRAILER 6
// What precedes a message on the wire: nothing.
#define SECBUFFER_STREAM_HEADER 7
// What follows a message on the wire, or room for a header.
#define SECBUFFER_PADDING 9
// A message as it came.
#define SECBUFFER_STREAM 10
// A SEC_CHANNEL_BINDINGS structure.
#define SECBUFFER_CHANNEL_BINDINGS 14
// The service principal name that a client means.
#define SECBUFFER_TARGET_HOST 16
// Attribute: the package does not write the buffer.
#define SECBUFFER_READONLY 0x80000000
// Attribute: the package does not write the buffer.
#define SECBUFFER_READONLY_WITH_CHECKSUM 0x10000000
// The bits that are attributes.
#define SECBUFFER_ATTRMASK 0xF0000000

// qop=auth-int.
#define ASC_REQ_REPLAY_DETECT 0x4
// qop=auth-int.
#define ASC_REQ_SEQUENCE_DETECT 0x8
// qop=auth-conf, SASL only.
#define ASC_REQ_CONFIDENTIALITY 0x10
// The package allocates the output TOKEN; free it with FreeContextBuffer.
#define ASC_REQ_ALLOCATE_MEMORY 0x100
// Ignored.
#define ASC_REQ_CONNECTION 0x800
// Ignored.
#define ASC_REQ_EXTENDED_ERROR 0x8000
// qop=auth-int.
#define ASC_REQ_INTEGRITY 0x20000
// A response must say which channel it means; HTTP only.
#define ASC_REQ_PROXY_BINDINGS 0x4000000
// HTTP and not SASL; a response need not say which channel it means.
#define ASC_REQ_ALLOW_MISSING_BINDINGS 0x10000000
// HTTP and not SASL.
#define ASC_REQ_HTTP 0x10000000
// qop=auth-int or auth-conf.
#define ASC_RET_REPLAY_DETECT 0x4
// qop=auth-int or auth-conf.
#define ASC_RET_SEQUENCE_DETECT 0x8
// qop=auth-conf.
#define ASC_RET_CONFIDENTIALITY 0x10
// The package allocated the output TOKEN.
#define ASC_RET_ALLOCATED_MEMORY 0x100
// qop=auth-int or auth-conf.
#define ASC_RET_INTEGRITY 0x20000

// Not supported.
#define ISC_REQ_DELEGATE 0x1
// Wait for the proof of an HTTP server.
#define ISC_REQ_MUTUAL_AUTH 0x2
// qop=auth-int.
#define ISC_REQ_REPLAY_DETECT 0x4
// qop=auth-int.
#define ISC_REQ_SEQUENCE_DETECT 0x8
// qop=auth-conf, SASL only.
#define ISC_REQ_CONFIDENTIALITY 0x10
// Not supported.
#define ISC_REQ_PROMPT_FOR_CREDS 0x40
// The package allocates the output TOKEN; free it with FreeContextBuffer.
#define ISC_REQ_ALLOCATE_MEMORY 0x100
// Ignored.
#define ISC_REQ_CONNECTION 0x800
// Ignored.
#define ISC_REQ_EXTENDED_ERROR 0x4000
// Ignored.
#define ISC_REQ_STREAM 0x8000
// qop=auth-int.
#define ISC_REQ_INTEGRITY 0x10000
// HTTP and not SASL.
#define ISC_REQ_HTTP 0x10000000
// The server proved itself, or will.
#define ISC_RET_MUTUAL_AUTH 0x2
// qop=auth-int or auth-conf.
#define ISC_RET_REPLAY_DETECT 0x4
// qop=auth-int or auth-conf.
#define ISC_RET_SEQUENCE_DETECT 0x8
// qop=auth-conf.
#define ISC_RET_CONFIDENTIALITY 0x10
// The package allocated the output TOKEN.
#define ISC_RET_ALLOCATED_MEMORY 0x100
// qop=auth-int or auth-conf.
#define ISC_RET_INTEGRITY 0x10000

// SecPkgContext_Sizes.
#define SECPKG_ATTR_SIZES 0
// SecPkgContext_Names.
#define SECPKG_ATTR_NAMES 1
// SecPkgContext_Lifespan.
#define SECPKG_ATTR_LIFESPAN 2
// SecPkgContext_StreamSizes: of SASL with a layer.
#define SECPKG_ATTR_STREAM_SIZES 4
// SecPkgContext_KeyInfo.
#define SECPKG_ATTR_KEY_INFO 5
// SecPkgContext_SessionKey.
#define SECPKG_ATTR_SESSION_KEY 9
// SecPkgContext_PackageInfo.
#define SECPKG_ATTR_PACKAGE_INFO 10
// SecPkgContext_Flags.
#define SECPKG_ATTR_FLAGS 14
// SecPkgContext_ClientSpecifiedTarget: of an HTTP server whose client told its channel.
#define SECPKG_ATTR_CLIENT_SPECIFIED_TARGET 27

// It signs.
#define SECPKG_FLAG_INTEGRITY 0x1
// It encrypts.
#define SECPKG_FLAG_PRIVACY 0x2
// It is for connections.
#define SECPKG_FLAG_CONNECTION 0x10
// It takes several legs.
#define SECPKG_FLAG_MULTI_REQUIRED 0x20
// Its tokens are text.
#define SECPKG_FLAG_ASCII_BUFFERS 0x4000
// The server proves itself too.
#define SECPKG_FLAG_MUTUAL_AUTH 0x10000

// TargetDataRep, which Digest ignores.
#define SECURITY_NATIVE_DREP 0x10
// TargetDataRep, which Digest ignores.
#define SECURITY_NETWORK_DREP 0
// wVersion of a SecPkgInfo.
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION 1
// dwVersion of the tables of functions.
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5 5
// wRPCID of Digest.
#define RPC_C_AUTHN_DIGEST 21
// fQOP that no function takes: only 0 is.
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001
// pfQOP of DecryptMessage for a message that was signed and not encrypted.
#define SIGN_ONLY 0x80000000


// What every call returns: a SEC_E_* or SEC_I_* code.
typedef int32_t SECURITY_STATUS;

// A character of the A functions: UTF-8.
typedef char SEC_CHAR;

// What a package says of itself.
typedef struct SecPkgInfoA {
  // SECPKG_FLAG_*.
  uint32_t fCapabilities;
  // SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION.
  uint16_t wVersion;
  // The number that remote procedure calls know the package by.
  uint16_t wRPCID;
  // The largest token, in bytes.
  uint32_t cbMaxToken;
  // The name of the package.
  SEC_CHAR *Name;
  // A comment on it.
  SEC_CHAR *Comment;
} SecPkgInfoA;

// EnumerateSecurityPackagesA.
typedef SECURITY_STATUS (*ENUMERATE_SECURITY_PACKAGES_FN_A)(uint32_t *pcPackages, struct SecPkgInfoA **ppPackageInfo);

// A handle: two words, meaningful only to the package.
typedef struct SecHandle {
  // The package's own.
  uintptr_t dwLower;
  // The package's own.
  uintptr_t dwUpper;
} SecHandle;

// A handle of credentials.
typedef struct SecHandle CredHandle;

// QueryCredentialsAttributesA.
typedef SECURITY_STATUS (*QUERY_CREDENTIALS_ATTRIBUTES_FN_A)(CredHandle *phCredential,
                                                             uint32_t ulAttribute,
                                                             void *pBuffer);

// A callback of AcquireCredentialsHandle that Digest does not use.
typedef void (*SEC_GET_KEY_FN)(void *Arg, void *Principal, uint32_t KeyVer, void **Key, SECURITY_STATUS *Status);

// The halves of a 64-bit integer.
typedef struct LARGE_INTEGER_PARTS {
  // The lower half.
  uint32_t LowPart;
  // The upper half.
  int32_t HighPart;
} LARGE_INTEGER_PARTS;

// A 64-bit integer, whole or in halves.
typedef union LARGE_INTEGER {
  // In halves.
  struct LARGE_INTEGER_PARTS u;
  // Whole.
  int64_t QuadPart;
} LARGE_INTEGER;

// A time, in 100 ns since 1601.
typedef union LARGE_INTEGER TimeStamp;

// AcquireCredentialsHandleA.
typedef SECURITY_STATUS (*ACQUIRE_CREDENTIALS_HANDLE_FN_A)(SEC_CHAR *pszPrincipal,
                                                           SEC_CHAR *pszPackage,
                                                           uint32_t fCredentialUse,
                                                           void *pvLogonID,
                                                           void *pAuthData,
                                                           SEC_GET_KEY_FN pGetKeyFn,
                                                           void *pvGetKeyArgument,
                                                           CredHandle *phCredential,
                                                           TimeStamp *ptsExpiry);

// FreeCredentialsHandle.
typedef SECURITY_STATUS (*FREE_CREDENTIALS_HANDLE_FN)(CredHandle *phCredential);

// A handle of a security context.
typedef struct SecHandle CtxtHandle;

// One buffer of a message.
typedef struct SecBuffer {
  // Length of what is in pvBuffer; of an output buffer its room before the call.
  uint32_t cbBuffer;
  // SECBUFFER_*.
  uint32_t BufferType;
  // The memory; NULL where cbBuffer is 0.
  void *pvBuffer;
} SecBuffer;

// The buffers of a whole message.
typedef struct SecBufferDesc {
  // SECBUFFER_VERSION.
  uint32_t ulVersion;
  // How many buffers there are.
  uint32_t cBuffers;
  // The buffers; NULL where there are none.
  struct SecBuffer *pBuffers;
} SecBufferDesc;

// InitializeSecurityContextA.
typedef SECURITY_STATUS (*INITIALIZE_SECURITY_CONTEXT_FN_A)(CredHandle *phCredential,
                                                            CtxtHandle *phContext,
                                                            SEC_CHAR *pszTargetName,
                                                            uint32_t fContextReq,
                                                            uint32_t Reserved1,
                                                            uint32_t TargetDataRep,
                                                            struct SecBufferDesc *pInput,
                                                            uint32_t Reserved2,
                                                            CtxtHandle *phNewContext,
                                                            struct SecBufferDesc *pOutput,
                                                            uint32_t *pfContextAttr,
                                                            TimeStamp *ptsExpiry);

// AcceptSecurityContext.
typedef SECURITY_STATUS (*ACCEPT_SECURITY_CONTEXT_FN)(CredHandle *phCredential,
                                                      CtxtHandle *phContext,
                                                      struct SecBufferDesc *pInput,
                                                      uint32_t fContextReq,
                                                      uint32_t TargetDataRep,
                                                      CtxtHandle *phNewContext,
                                                      struct SecBufferDesc *pOutput,
                                                      uint32_t *pfContextAttr,
                                                      TimeStamp *ptsExpiry);

// CompleteAuthToken.
typedef SECURITY_STATUS (*COMPLETE_AUTH_TOKEN_FN)(CtxtHandle *phContext, struct SecBufferDesc *pToken);

// DeleteSecurityContext.
typedef SECURITY_STATUS (*DELETE_SECURITY_CONTEXT_FN)(CtxtHandle *phContext);

// ApplyControlToken.
typedef SECURITY_STATUS (*APPLY_CONTROL_TOKEN_FN)(CtxtHandle *phContext, struct SecBufferDesc *pInput);

// QueryContextAttributesA.
typedef SECURITY_STATUS (*QUERY_CONTEXT_ATTRIBUTES_FN_A)(CtxtHandle *phContext, uint32_t ulAttribute, void *pBuffer);

// ImpersonateSecurityContext.
typedef SECURITY_STATUS (*IMPERSONATE_SECURITY_CONTEXT_FN)(CtxtHandle *phContext);

// RevertSecurityContext.
typedef SECURITY_STATUS (*REVERT_SECURITY_CONTEXT_FN)(CtxtHandle *phContext);

// MakeSignature.
typedef SECURITY_STATUS (*MAKE_SIGNATURE_FN)(CtxtHandle *phContext,
                                             uint32_t fQOP,
                                             struct SecBufferDesc *pMessage,
                                             uint32_t MessageSeqNo);

// VerifySignature.
typedef SECURITY_STATUS (*VERIFY_SIGNATURE_FN)(CtxtHandle *phContext,
                                               struct SecBufferDesc *pMessage,
                                               uint32_t MessageSeqNo,
                                               uint32_t *pfQOP);

// FreeContextBuffer.
typedef SECURITY_STATUS (*FREE_CONTEXT_BUFFER_FN)(void *pvContextBuffer);

// QuerySecurityPackageInfoA.
typedef SECURITY_STATUS (*QUERY_SECURITY_PACKAGE_INFO_FN_A)(SEC_CHAR *pszPackageName, struct SecPkgInfoA **ppPackageInfo);

// ExportSecurityContext.
typedef SECURITY_STATUS (*EXPORT_SECURITY_CONTEXT_FN)(CtxtHandle *phContext,
                                                      uint32_t fFlags,
                                                      struct SecBuffer *pPackedContext,
                                                      void **pToken);

// ImportSecurityContextA.
typedef SECURITY_STATUS (*IMPORT_SECURITY_CONTEXT_FN_A)(SEC_CHAR *pszPackage,
                                                        struct SecBuffer *pPackedContext,
                                                        void *Token,
                                                        CtxtHandle *phContext);

// AddCredentialsA.
typedef SECURITY_STATUS (*ADD_CREDENTIALS_FN_A)(CredHandle *hCredentials,
                                                SEC_CHAR *pszPrincipal,
                                                SEC_CHAR *pszPackage,
                                                uint32_t fCredentialUse,
                                                void *pAuthData,
                                                SEC_GET_KEY_FN pGetKeyFn,
                                                void *pvGetKeyArgument,
                                                TimeStamp *ptsExpiry);

// QuerySecurityContextToken.
typedef SECURITY_STATUS (*QUERY_SECURITY_CONTEXT_TOKEN_FN)(CtxtHandle *phContext, void **Token);

// EncryptMessage.
typedef SECURITY_STATUS (*ENCRYPT_MESSAGE_FN)(CtxtHandle *phContext,
                                              uint32_t fQOP,
                                              struct SecBufferDesc *pMessage,
                                              uint32_t MessageSeqNo);

// DecryptMessage.
typedef SECURITY_STATUS (*DECRYPT_MESSAGE_FN)(CtxtHandle *phContext,
                                              struct SecBufferDesc *pMessage,
                                              uint32_t MessageSeqNo,
                                              uint32_t *pfQOP);

// SetContextAttributesA.
typedef SECURITY_STATUS (*SET_CONTEXT_ATTRIBUTES_FN_A)(CtxtHandle *phContext,
                                                       uint32_t ulAttribute,
                                                       void *pBuffer,
                                                       uint32_t cbBuffer);

// SetCredentialsAttributesA.
typedef SECURITY_STATUS (*SET_CREDENTIALS_ATTRIBUTES_FN_A)(CredHandle *phCredential,
                                                           uint32_t ulAttribute,
                                                           void *pBuffer,
                                                           uint32_t cbBuffer);

// TRUE or FALSE.
typedef uint8_t BOOLEAN;

// ChangeAccountPasswordA.
typedef SECURITY_STATUS (*CHANGE_PASSWORD_FN_A)(SEC_CHAR *pszPackageName,
                                                SEC_CHAR *pszDomainName,
                                                SEC_CHAR *pszAccountName,
                                                SEC_CHAR *pszOldPassword,
                                                SEC_CHAR *pszNewPassword,
                                                BOOLEAN bImpersonating,
                                                uint32_t dwReserved,
                                                struct SecBufferDesc *pOutput);

// QueryContextAttributesExA.
typedef SECURITY_STATUS (*QUERY_CONTEXT_ATTRIBUTES_EX_FN_A)(CtxtHandle *phContext,
                                                            uint32_t ulAttribute,
                                                            void *pBuffer,
                                                            uint32_t cbBuffer);

// QueryCredentialsAttributesExA.
typedef SECURITY_STATUS (*QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A)(CredHandle *phCredential,
                                                                uint32_t ulAttribute,
                                                                void *pBuffer,
                                                                uint32_t cbBuffer);

// Every function of the interface, version 5, as InitSecurityInterfaceA gives it.
typedef struct SecurityFunctionTableA {
  // SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5.
  uint32_t dwVersion;
  // The function of that name.
  ENUMERATE_SECURITY_PACKAGES_FN_A EnumerateSecurityPackagesA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CREDENTIALS_ATTRIBUTES_FN_A QueryCredentialsAttributesA;
  // The function of that name.
  ACQUIRE_CREDENTIALS_HANDLE_FN_A AcquireCredentialsHandleA;
  // The function of that name.
  FREE_CREDENTIALS_HANDLE_FN FreeCredentialsHandle;
  // NULL.
  void *Reserved2;
  // The function of that name.
  INITIALIZE_SECURITY_CONTEXT_FN_A InitializeSecurityContextA;
  // The function of that name.
  ACCEPT_SECURITY_CONTEXT_FN AcceptSecurityContext;
  // The function of that name.
  COMPLETE_AUTH_TOKEN_FN CompleteAuthToken;
  // The function of that name.
  DELETE_SECURITY_CONTEXT_FN DeleteSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  APPLY_CONTROL_TOKEN_FN ApplyControlToken;
  // The function of that name.
  QUERY_CONTEXT_ATTRIBUTES_FN_A QueryContextAttributesA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  IMPERSONATE_SECURITY_CONTEXT_FN ImpersonateSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  REVERT_SECURITY_CONTEXT_FN RevertSecurityContext;
  // The function of that name.
  MAKE_SIGNATURE_FN MakeSignature;
  // The function of that name.
  VERIFY_SIGNATURE_FN VerifySignature;
  // The function of that name.
  FREE_CONTEXT_BUFFER_FN FreeContextBuffer;
  // The function of that name.
  QUERY_SECURITY_PACKAGE_INFO_FN_A QuerySecurityPackageInfoA;
  // NULL.
  void *Reserved3;
  // NULL.
  void *Reserved4;
  // SEC_E_UNSUPPORTED_FUNCTION.
  EXPORT_SECURITY_CONTEXT_FN ExportSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  IMPORT_SECURITY_CONTEXT_FN_A ImportSecurityContextA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  ADD_CREDENTIALS_FN_A AddCredentialsA;
  // NULL.
  void *Reserved8;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_SECURITY_CONTEXT_TOKEN_FN QuerySecurityContextToken;
  // The function of that name.
  ENCRYPT_MESSAGE_FN EncryptMessage;
  // The function of that name.
  DECRYPT_MESSAGE_FN DecryptMessage;
  // SEC_E_UNSUPPORTED_FUNCTION.
  SET_CONTEXT_ATTRIBUTES_FN_A SetContextAttributesA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  SET_CREDENTIALS_ATTRIBUTES_FN_A SetCredentialsAttributesA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  CHANGE_PASSWORD_FN_A ChangeAccountPasswordA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CONTEXT_ATTRIBUTES_EX_FN_A QueryContextAttributesExA;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A QueryCredentialsAttributesExA;
} SecurityFunctionTableA;

// A character of the W functions: UTF-16.
typedef uint16_t SEC_WCHAR;

// What a package says of itself, in UTF-16.
typedef struct SecPkgInfoW {
  // SECPKG_FLAG_*.
  uint32_t fCapabilities;
  // SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION.
  uint16_t wVersion;
  // The number that remote procedure calls know the package by.
  uint16_t wRPCID;
  // The largest token, in bytes.
  uint32_t cbMaxToken;
  // The name of the package.
  SEC_WCHAR *Name;
  // A comment on it.
  SEC_WCHAR *Comment;
} SecPkgInfoW;

// EnumerateSecurityPackagesW.
typedef SECURITY_STATUS (*ENUMERATE_SECURITY_PACKAGES_FN_W)(uint32_t *pcPackages, struct SecPkgInfoW **ppPackageInfo);

// QueryCredentialsAttributesW.
typedef SECURITY_STATUS (*QUERY_CREDENTIALS_ATTRIBUTES_FN_W)(CredHandle *phCredential,
                                                             uint32_t ulAttribute,
                                                             void *pBuffer);

// AcquireCredentialsHandleW.
typedef SECURITY_STATUS (*ACQUIRE_CREDENTIALS_HANDLE_FN_W)(SEC_WCHAR *pszPrincipal,
                                                           SEC_WCHAR *pszPackage,
                                                           uint32_t fCredentialUse,
                                                           void *pvLogonID,
                                                           void *pAuthData,
                                                           SEC_GET_KEY_FN pGetKeyFn,
                                                           void *pvGetKeyArgument,
                                                           CredHandle *phCredential,
                                                           TimeStamp *ptsExpiry);

// InitializeSecurityContextW.
typedef SECURITY_STATUS (*INITIALIZE_SECURITY_CONTEXT_FN_W)(CredHandle *phCredential,
                                                            CtxtHandle *phContext,
                                                            SEC_WCHAR *pszTargetName,
                                                            uint32_t fContextReq,
                                                            uint32_t Reserved1,
                                                            uint32_t TargetDataRep,
                                                            struct SecBufferDesc *pInput,
                                                            uint32_t Reserved2,
                                                            CtxtHandle *phNewContext,
                                                            struct SecBufferDesc *pOutput,
                                                            uint32_t *pfContextAttr,
                                                            TimeStamp *ptsExpiry);

// QueryContextAttributesW.
typedef SECURITY_STATUS (*QUERY_CONTEXT_ATTRIBUTES_FN_W)(CtxtHandle *phContext, uint32_t ulAttribute, void *pBuffer);

// QuerySecurityPackageInfoW.
typedef SECURITY_STATUS (*QUERY_SECURITY_PACKAGE_INFO_FN_W)(SEC_WCHAR *pszPackageName,
                                                            struct SecPkgInfoW **ppPackageInfo);

// ImportSecurityContextW.
typedef SECURITY_STATUS (*IMPORT_SECURITY_CONTEXT_FN_W)(SEC_WCHAR *pszPackage,
                                                        struct SecBuffer *pPackedContext,
                                                        void *Token,
                                                        CtxtHandle *phContext);

// AddCredentialsW.
typedef SECURITY_STATUS (*ADD_CREDENTIALS_FN_W)(CredHandle *hCredentials,
                                                SEC_WCHAR *pszPrincipal,
                                                SEC_WCHAR *pszPackage,
                                                uint32_t fCredentialUse,
                                                void *pAuthData,
                                                SEC_GET_KEY_FN pGetKeyFn,
                                                void *pvGetKeyArgument,
                                                TimeStamp *ptsExpiry);

// SetContextAttributesW.
typedef SECURITY_STATUS (*SET_CONTEXT_ATTRIBUTES_FN_W)(CtxtHandle *phContext,
                                                       uint32_t ulAttribute,
                                                       void *pBuffer,
                                                       uint32_t cbBuffer);

// SetCredentialsAttributesW.
typedef SECURITY_STATUS (*SET_CREDENTIALS_ATTRIBUTES_FN_W)(CredHandle *phCredential,
                                                           uint32_t ulAttribute,
                                                           void *pBuffer,
                                                           uint32_t cbBuffer);

// ChangeAccountPasswordW.
typedef SECURITY_STATUS (*CHANGE_PASSWORD_FN_W)(SEC_WCHAR *pszPackageName,
                                                SEC_WCHAR *pszDomainName,
                                                SEC_WCHAR *pszAccountName,
                                                SEC_WCHAR *pszOldPassword,
                                                SEC_WCHAR *pszNewPassword,
                                                BOOLEAN bImpersonating,
                                                uint32_t dwReserved,
                                                struct SecBufferDesc *pOutput);

// QueryContextAttributesExW.
typedef SECURITY_STATUS (*QUERY_CONTEXT_ATTRIBUTES_EX_FN_W)(CtxtHandle *phContext,
                                                            uint32_t ulAttribute,
                                                            void *pBuffer,
                                                            uint32_t cbBuffer);

// QueryCredentialsAttributesExW.
typedef SECURITY_STATUS (*QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W)(CredHandle *phCredential,
                                                                uint32_t ulAttribute,
                                                                void *pBuffer,
                                                                uint32_t cbBuffer);

// Every function of the interface, version 5, as InitSecurityInterfaceW gives it.
typedef struct SecurityFunctionTableW {
  // SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5.
  uint32_t dwVersion;
  // The function of that name.
  ENUMERATE_SECURITY_PACKAGES_FN_W EnumerateSecurityPackagesW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CREDENTIALS_ATTRIBUTES_FN_W QueryCredentialsAttributesW;
  // The function of that name.
  ACQUIRE_CREDENTIALS_HANDLE_FN_W AcquireCredentialsHandleW;
  // The function of that name.
  FREE_CREDENTIALS_HANDLE_FN FreeCredentialsHandle;
  // NULL.
  void *Reserved2;
  // The function of that name.
  INITIALIZE_SECURITY_CONTEXT_FN_W InitializeSecurityContextW;
  // The function of that name.
  ACCEPT_SECURITY_CONTEXT_FN AcceptSecurityContext;
  // The function of that name.
  COMPLETE_AUTH_TOKEN_FN CompleteAuthToken;
  // The function of that name.
  DELETE_SECURITY_CONTEXT_FN DeleteSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  APPLY_CONTROL_TOKEN_FN ApplyControlToken;
  // The function of that name.
  QUERY_CONTEXT_ATTRIBUTES_FN_W QueryContextAttributesW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  IMPERSONATE_SECURITY_CONTEXT_FN ImpersonateSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  REVERT_SECURITY_CONTEXT_FN RevertSecurityContext;
  // The function of that name.
  MAKE_SIGNATURE_FN MakeSignature;
  // The function of that name.
  VERIFY_SIGNATURE_FN VerifySignature;
  // The function of that name.
  FREE_CONTEXT_BUFFER_FN FreeContextBuffer;
  // The function of that name.
  QUERY_SECURITY_PACKAGE_INFO_FN_W QuerySecurityPackageInfoW;
  // NULL.
  void *Reserved3;
  // NULL.
  void *Reserved4;
  // SEC_E_UNSUPPORTED_FUNCTION.
  EXPORT_SECURITY_CONTEXT_FN ExportSecurityContext;
  // SEC_E_UNSUPPORTED_FUNCTION.
  IMPORT_SECURITY_CONTEXT_FN_W ImportSecurityContextW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  ADD_CREDENTIALS_FN_W AddCredentialsW;
  // NULL.
  void *Reserved8;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_SECURITY_CONTEXT_TOKEN_FN QuerySecurityContextToken;
  // The function of that name.
  ENCRYPT_MESSAGE_FN EncryptMessage;
  // The function of that name.
  DECRYPT_MESSAGE_FN DecryptMessage;
  // SEC_E_UNSUPPORTED_FUNCTION.
  SET_CONTEXT_ATTRIBUTES_FN_W SetContextAttributesW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  SET_CREDENTIALS_ATTRIBUTES_FN_W SetCredentialsAttributesW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  CHANGE_PASSWORD_FN_W ChangeAccountPasswordW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CONTEXT_ATTRIBUTES_EX_FN_W QueryContextAttributesExW;
  // SEC_E_UNSUPPORTED_FUNCTION.
  QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W QueryCredentialsAttributesExW;
} SecurityFunctionTableW;

// Who a client is. Which of the two encodings it holds is told by Flags, not by the function.
typedef struct SEC_WINNT_AUTH_IDENTITY_A {
  // The user name.
  uint8_t *User;
  // Its length in bytes, without a NUL.
  uint32_t UserLength;
  // The domain; NULL for none.
  uint8_t *Domain;
  // Its length in bytes, without a NUL.
  uint32_t DomainLength;
  // The password; NULL for an empty one.
  uint8_t *Password;
  // Its length in bytes, without a NUL.
  uint32_t PasswordLength;
  // SEC_WINNT_AUTH_IDENTITY_ANSI.
  uint32_t Flags;
} SEC_WINNT_AUTH_IDENTITY_A;

// Who a client is, in UTF-16.
typedef struct SEC_WINNT_AUTH_IDENTITY_W {
  // The user name.
  uint16_t *User;
  // Its length in characters, without a NUL.
  uint32_t UserLength;
  // The domain; NULL for none.
  uint16_t *Domain;
  // Its length in characters, without a NUL.
  uint32_t DomainLength;
  // The password; NULL for an empty one.
  uint16_t *Password;
  // Its length in characters, without a NUL.
  uint32_t PasswordLength;
  // SEC_WINNT_AUTH_IDENTITY_UNICODE.
  uint32_t Flags;
} SEC_WINNT_AUTH_IDENTITY_W;

// Who a client is, with a version before it.
typedef struct SEC_WINNT_AUTH_IDENTITY_EXA {
  // SEC_WINNT_AUTH_IDENTITY_VERSION.
  uint32_t Version;
  // The size of this structure.
  uint32_t Length;
  // The user name.
  uint8_t *User;
  // Its length in bytes, without a NUL.
  uint32_t UserLength;
  // The domain; NULL for none.
  uint8_t *Domain;
  // Its length in bytes, without a NUL.
  uint32_t DomainLength;
  // The password; NULL for an empty one.
  uint8_t *Password;
  // Its length in bytes, without a NUL.
  uint32_t PasswordLength;
  // SEC_WINNT_AUTH_IDENTITY_ANSI.
  uint32_t Flags;
  // For Negotiate; not read.
  uint8_t *PackageList;
  // For Negotiate; not read.
  uint32_t PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXA;

// Who a client is, in UTF-16, with a version before it.
typedef struct SEC_WINNT_AUTH_IDENTITY_EXW {
  // SEC_WINNT_AUTH_IDENTITY_VERSION.
  uint32_t Version;
  // The size of this structure.
  uint32_t Length;
  // The user name.
  uint16_t *User;
  // Its length in characters, without a NUL.
  uint32_t UserLength;
  // The domain; NULL for none.
  uint16_t *Domain;
  // Its length in characters, without a NUL.
  uint32_t DomainLength;
  // The password; NULL for an empty one.
  uint16_t *Password;
  // Its length in characters, without a NUL.
  uint32_t PasswordLength;
  // SEC_WINNT_AUTH_IDENTITY_UNICODE.
  uint32_t Flags;
  // For Negotiate; not read.
  uint16_t *PackageList;
  // For Negotiate; not read.
  uint32_t PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXW;

// A locally unique identifier.
typedef struct LUID {
  // The lower half.
  uint32_t LowPart;
  // The upper half.
  int32_t HighPart;
} LUID;

// SECPKG_ATTR_SIZES, in bytes.
typedef struct SecPkgContext_Sizes {
  // The largest token.
  uint32_t cbMaxToken;
  // The most that MakeSignature writes.
  uint32_t cbMaxSignature;
  // The block of a block cipher, else 0.
  uint32_t cbBlockSize;
  // The most that EncryptMessage adds.
  uint32_t cbSecurityTrailer;
} SecPkgContext_Sizes;

// SECPKG_ATTR_STREAM_SIZES, in bytes.
typedef struct SecPkgContext_StreamSizes {
  // What precedes a message: nothing.
  uint32_t cbHeader;
  // The most that follows it.
  uint32_t cbTrailer;
  // The longest message that EncryptMessage takes.
  uint32_t cbMaximumMessage;
  // How many buffers EncryptMessage needs.
  uint32_t cBuffers;
  // The block of a block cipher, else 1.
  uint32_t cbBlockSize;
} SecPkgContext_StreamSizes;

// SECPKG_ATTR_LIFESPAN.
typedef struct SecPkgContext_Lifespan {
  // When the context began: unknown, 0.
  TimeStamp tsStart;
  // When it ends: never.
  TimeStamp tsExpiry;
} SecPkgContext_Lifespan;

// SECPKG_ATTR_FLAGS.
typedef struct SecPkgContext_Flags {
  // ASC_RET_* or ISC_RET_*.
  uint32_t Flags;
} SecPkgContext_Flags;

// SECPKG_ATTR_SESSION_KEY: H(A1), as secret as the password while the session lives.
typedef struct SecPkgContext_SessionKey {
  // 16.
  uint32_t SessionKeyLength;
  // The key; FreeContextBuffer wipes it.
  uint8_t *SessionKey;
} SecPkgContext_SessionKey;

// SECPKG_ATTR_CLIENT_SPECIFIED_TARGET.
typedef struct SecPkgContext_ClientSpecifiedTarget {
  // The service that the client means, in UTF-16 also from QueryContextAttributesA.
  SEC_WCHAR *sTargetName;
} SecPkgContext_ClientSpecifiedTarget;

// SECPKG_ATTR_NAMES.
typedef struct SecPkgContext_NamesA {
  // The user of the session.
  SEC_CHAR *sUserName;
} SecPkgContext_NamesA;

// SECPKG_ATTR_NAMES, in UTF-16.
typedef struct SecPkgContext_NamesW {
  // The user of the session.
  SEC_WCHAR *sUserName;
} SecPkgContext_NamesW;

// SECPKG_ATTR_KEY_INFO.
typedef struct SecPkgContext_KeyInfoA {
  // What signs.
  SEC_CHAR *sSignatureAlgorithmName;
  // What encrypts; empty for nothing.
  SEC_CHAR *sEncryptAlgorithmName;
  // In bits.
  uint32_t KeySize;
  // No number is known: 0.
  uint32_t SignatureAlgorithm;
  // No number is known: 0.
  uint32_t EncryptAlgorithm;
} SecPkgContext_KeyInfoA;

// SECPKG_ATTR_KEY_INFO, in UTF-16.
typedef struct SecPkgContext_KeyInfoW {
  // What signs.
  SEC_WCHAR *sSignatureAlgorithmName;
  // What encrypts; empty for nothing.
  SEC_WCHAR *sEncryptAlgorithmName;
  // In bits.
  uint32_t KeySize;
  // No number is known: 0.
  uint32_t SignatureAlgorithm;
  // No number is known: 0.
  uint32_t EncryptAlgorithm;
} SecPkgContext_KeyInfoW;

// SECPKG_ATTR_PACKAGE_INFO.
typedef struct SecPkgContext_PackageInfoA {
  // What the package says of itself, with its strings in one block.
  struct SecPkgInfoA *PackageInfo;
} SecPkgContext_PackageInfoA;

// SECPKG_ATTR_PACKAGE_INFO, in UTF-16.
typedef struct SecPkgContext_PackageInfoW {
  // What the package says of itself, with its strings in one block.
  struct SecPkgInfoW *PackageInfo;
} SecPkgContext_PackageInfoW;

// InitSecurityInterfaceA.
typedef struct SecurityFunctionTableA *(*INIT_SECURITY_INTERFACE_A)(void);

// InitSecurityInterfaceW.
typedef struct SecurityFunctionTableW *(*INIT_SECURITY_INTERFACE_W)(void);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The table of all functions, strings in the encoding of the A functions.
//
// It is constant and never freed. An entry that Digest has nothing for answers SEC_E_UNSUPPORTED_FUNCTION.
struct SecurityFunctionTableA *InitSecurityInterfaceA(void);

// The table of all functions, strings in UTF-16.
//
// It is constant and never freed. An entry that Digest has nothing for answers SEC_E_UNSUPPORTED_FUNCTION.
struct SecurityFunctionTableW *InitSecurityInterfaceW(void);

// The packages there are: one. Free the array with FreeContextBuffer.
//
// SEC_E_INVALID_PARAMETER: a pointer is NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS EnumerateSecurityPackagesA(uint32_t *pcPackages, struct SecPkgInfoA **ppPackageInfo);

// The packages there are: one. Free the array with FreeContextBuffer.
//
// SEC_E_INVALID_PARAMETER: a pointer is NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS EnumerateSecurityPackagesW(uint32_t *pcPackages, struct SecPkgInfoW **ppPackageInfo);

// What a package says of itself. Free the structure with FreeContextBuffer.
//
// SEC_E_SECPKG_NOT_FOUND: pszPackageName is not WDIGEST_SP_NAME. SEC_E_INVALID_PARAMETER: ppPackageInfo is NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS QuerySecurityPackageInfoA(SEC_CHAR *pszPackageName, struct SecPkgInfoA **ppPackageInfo);

// What a package says of itself. Free the structure with FreeContextBuffer.
//
// SEC_E_SECPKG_NOT_FOUND: pszPackageName is not WDIGEST_SP_NAME. SEC_E_INVALID_PARAMETER: ppPackageInfo is NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS QuerySecurityPackageInfoW(SEC_WCHAR *pszPackageName, struct SecPkgInfoW **ppPackageInfo);

// Wipes and frees memory that the package allocated.
//
// SEC_E_INVALID_HANDLE: the package did not allocate it, or it is freed already; NULL is nothing either.
//
// Contract:
// Nobody uses the memory any more. The pointer itself may be any.
SECURITY_STATUS FreeContextBuffer(void *pvContextBuffer);

// Acquires a handle of credentials; strings in the encoding of the A functions.
//
// pszPackage is WDIGEST_SP_NAME. Inbound handles of the same pszPrincipal share challenges and sessions; pszPrincipal
// may be NULL. pAuthData is a SEC_WINNT_AUTH_IDENTITY or SEC_WINNT_AUTH_IDENTITY_EX, in the encoding that its Flags
// say; outbound needs one. pvLogonID must be NULL. pGetKeyFn and pvGetKeyArgument are ignored. ptsExpiry may be NULL.
//
// SEC_E_INVALID_PARAMETER: phCredential is NULL. SEC_E_UNKNOWN_CREDENTIALS also for an identity that is malformed.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS AcquireCredentialsHandleA(SEC_CHAR *pszPrincipal,
                                          SEC_CHAR *pszPackage,
                                          uint32_t fCredentialUse,
                                          void *pvLogonID,
                                          void *pAuthData,
                                          SEC_GET_KEY_FN pGetKeyFn,
                                          void *pvGetKeyArgument,
                                          CredHandle *phCredential,
                                          TimeStamp *ptsExpiry);

// Acquires a handle of credentials; strings in UTF-16. See AcquireCredentialsHandleA.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS AcquireCredentialsHandleW(SEC_WCHAR *pszPrincipal,
                                          SEC_WCHAR *pszPackage,
                                          uint32_t fCredentialUse,
                                          void *pvLogonID,
                                          void *pAuthData,
                                          SEC_GET_KEY_FN pGetKeyFn,
                                          void *pvGetKeyArgument,
                                          CredHandle *phCredential,
                                          TimeStamp *ptsExpiry);

// Frees a handle of credentials. Contexts and sessions survive it.
//
// Contract:
// phCredential is NULL, or points to a handle.
SECURITY_STATUS FreeCredentialsHandle(CredHandle *phCredential);

// The server's side: makes a challenge, or judges a response.
//
// pInput: TOKEN the response, PKG_PARAMS in order method, reserved, H(Entity), realm (UTF-16LE), CHANNEL_BINDINGS.
// pOutput: the first writable TOKEN. TargetDataRep is ignored. pfContextAttr and ptsExpiry may be NULL, phNewContext
// too where there is a phContext; both may be one pointer.
//
// SEC_E_INVALID_PARAMETER: phNewContext is NULL and phContext too.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS AcceptSecurityContext(CredHandle *phCredential,
                                      CtxtHandle *phContext,
                                      struct SecBufferDesc *pInput,
                                      uint32_t fContextReq,
                                      uint32_t TargetDataRep,
                                      CtxtHandle *phNewContext,
                                      struct SecBufferDesc *pOutput,
                                      uint32_t *pfContextAttr,
                                      TimeStamp *ptsExpiry);

// The client's side: answers a challenge; pszTargetName in bytes.
//
// pszTargetName is the request target, on SASL the digest-uri. pInput: TOKEN the challenge or the server's proof,
// PKG_PARAMS in order method, H(Entity), TARGET_HOST, CHANNEL_BINDINGS. pOutput: the first writable TOKEN. Reserved1,
// Reserved2 and TargetDataRep are ignored. pfContextAttr and ptsExpiry may be NULL, phNewContext too where there is a
// phContext; both may be one pointer.
//
// SEC_E_INVALID_PARAMETER: phNewContext is NULL and phContext too.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS InitializeSecurityContextA(CredHandle *phCredential,
                                           CtxtHandle *phContext,
                                           SEC_CHAR *pszTargetName,
                                           uint32_t fContextReq,
                                           uint32_t Reserved1,
                                           uint32_t TargetDataRep,
                                           struct SecBufferDesc *pInput,
                                           uint32_t Reserved2,
                                           CtxtHandle *phNewContext,
                                           struct SecBufferDesc *pOutput,
                                           uint32_t *pfContextAttr,
                                           TimeStamp *ptsExpiry);

// The client's side: answers a challenge; pszTargetName in UTF-16. See InitializeSecurityContextA.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS InitializeSecurityContextW(CredHandle *phCredential,
                                           CtxtHandle *phContext,
                                           SEC_WCHAR *pszTargetName,
                                           uint32_t fContextReq,
                                           uint32_t Reserved1,
                                           uint32_t TargetDataRep,
                                           struct SecBufferDesc *pInput,
                                           uint32_t Reserved2,
                                           CtxtHandle *phNewContext,
                                           struct SecBufferDesc *pOutput,
                                           uint32_t *pfContextAttr,
                                           TimeStamp *ptsExpiry);

// Completes what AcceptSecurityContext or InitializeSecurityContext left to complete.
//
// pToken of a server: TOKEN the response, PKG_PARAMS in order method, request target, H(Entity), CHANNEL_BINDINGS; the
// first writable TOKEN or PADDING behind the first TOKEN receives the server's proof, or a challenge. Of a client:
// TOKEN what InitializeSecurityContext put out, completed in place, PKG_PARAMS in order method, uri, H(Entity).
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS CompleteAuthToken(CtxtHandle *phContext, struct SecBufferDesc *pToken);

// Deletes a context. One that was deleted before is SEC_E_OK.
//
// Contract:
// phContext is NULL, or points to a handle.
SECURITY_STATUS DeleteSecurityContext(CtxtHandle *phContext);

// HTTP: makes the Authorization of a client's next request. SASL: signs a message.
//
// HTTP: PKG_PARAMS in order method, URL, H(Entity); the first writable PADDING, or a second TOKEN, receives it. SASL:
// the first DATA is the message; the first writable TOKEN or PADDING receives 16 bytes. MessageSeqNo is ignored.
//
// SEC_E_QOP_NOT_SUPPORTED: fQOP is not 0.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS MakeSignature(CtxtHandle *phContext,
                              uint32_t fQOP,
                              struct SecBufferDesc *pMessage,
                              uint32_t MessageSeqNo);

// HTTP: finds and completes a further request of a server's session in one call. SASL: verifies a signature.
//
// HTTP: the layout of CompleteAuthToken. SASL: the first DATA is the message, the first TOKEN or PADDING its
// signature. MessageSeqNo is ignored. *pfQOP becomes 0; pfQOP may be NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS VerifySignature(CtxtHandle *phContext,
                                struct SecBufferDesc *pMessage,
                                uint32_t MessageSeqNo,
                                uint32_t *pfQOP);

// SASL: wraps a message.
//
// The first writable DATA is the message, and is replaced; the first writable PADDING, else STREAM_TRAILER, else a
// second DATA receives what follows it on the wire. The 4 bytes of the length before both are the caller's.
// MessageSeqNo is ignored.
//
// SEC_E_QOP_NOT_SUPPORTED: fQOP is not 0.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS EncryptMessage(CtxtHandle *phContext,
                               uint32_t fQOP,
                               struct SecBufferDesc *pMessage,
                               uint32_t MessageSeqNo);

// SASL: unwraps a message.
//
// The first writable STREAM or DATA holds the wrapped message without the 4 bytes of its length; the plaintext
// replaces it, and cbBuffer becomes its length. Where that was a STREAM, the first writable DATA whose cbBuffer is 0
// then points to the plaintext within it. MessageSeqNo is ignored. *pfQOP becomes SIGN_ONLY, or 0 for what was
// encrypted; pfQOP may be NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS DecryptMessage(CtxtHandle *phContext,
                               struct SecBufferDesc *pMessage,
                               uint32_t MessageSeqNo,
                               uint32_t *pfQOP);

// What an established context has; strings in the encoding of the A functions.
//
// pBuffer is the structure of the attribute, SecPkgContext_*. Free every pointer in it with FreeContextBuffer.
//
// SEC_E_INVALID_PARAMETER: pBuffer is NULL.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS QueryContextAttributesA(CtxtHandle *phContext, uint32_t ulAttribute, void *pBuffer);

// What an established context has; strings in UTF-16. See QueryContextAttributesA.
//
// Contract:
// Every pointer is NULL, or points to what it says.
SECURITY_STATUS QueryContextAttributesW(CtxtHandle *phContext, uint32_t ulAttribute, void *pBuffer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

typedef SecHandle *PSecHandle;
typedef CredHandle *PCredHandle;
typedef CtxtHandle *PCtxtHandle;
typedef SecBuffer *PSecBuffer;
typedef SecBufferDesc *PSecBufferDesc;
typedef TimeStamp *PTimeStamp;
typedef LUID *PLUID;
typedef SecPkgInfoA *PSecPkgInfoA;
typedef SecPkgInfoW *PSecPkgInfoW;
typedef SecurityFunctionTableA *PSecurityFunctionTableA;
typedef SecurityFunctionTableW *PSecurityFunctionTableW;

#define SecInvalidateHandle(x) ((x)->dwLower = (x)->dwUpper = (uintptr_t)-1)
#define SecIsValidHandle(x) ((x)->dwLower != (uintptr_t)-1 && (x)->dwUpper != (uintptr_t)-1)

#ifdef UNICODE
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_W
#define AcquireCredentialsHandle AcquireCredentialsHandleW
#define EnumerateSecurityPackages EnumerateSecurityPackagesW
#define InitSecurityInterface InitSecurityInterfaceW
#define InitializeSecurityContext InitializeSecurityContextW
#define QueryContextAttributes QueryContextAttributesW
#define QuerySecurityPackageInfo QuerySecurityPackageInfoW
typedef SEC_WINNT_AUTH_IDENTITY_W SEC_WINNT_AUTH_IDENTITY;
typedef SEC_WINNT_AUTH_IDENTITY_EXW SEC_WINNT_AUTH_IDENTITY_EX;
typedef SecPkgInfoW SecPkgInfo;
typedef SecPkgContext_NamesW SecPkgContext_Names;
typedef SecPkgContext_KeyInfoW SecPkgContext_KeyInfo;
typedef SecPkgContext_PackageInfoW SecPkgContext_PackageInfo;
typedef SecurityFunctionTableW SecurityFunctionTable;
#else
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_A
#define AcquireCredentialsHandle AcquireCredentialsHandleA
#define EnumerateSecurityPackages EnumerateSecurityPackagesA
#define InitSecurityInterface InitSecurityInterfaceA
#define InitializeSecurityContext InitializeSecurityContextA
#define QueryContextAttributes QueryContextAttributesA
#define QuerySecurityPackageInfo QuerySecurityPackageInfoA
typedef SEC_WINNT_AUTH_IDENTITY_A SEC_WINNT_AUTH_IDENTITY;
typedef SEC_WINNT_AUTH_IDENTITY_EXA SEC_WINNT_AUTH_IDENTITY_EX;
typedef SecPkgInfoA SecPkgInfo;
typedef SecPkgContext_NamesA SecPkgContext_Names;
typedef SecPkgContext_KeyInfoA SecPkgContext_KeyInfo;
typedef SecPkgContext_PackageInfoA SecPkgContext_PackageInfo;
typedef SecurityFunctionTableA SecurityFunctionTable;
#endif

#endif  /* _WIN32 */

#endif  /* DIGEST_SSP_H */
