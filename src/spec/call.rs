//! A call and its outcome as a tester sees them: owned, comparable, serialisable.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::names::CallName;
use crate::buffer::{BufferType, SECBUFFER_VERSION, SecHandle};
use crate::status::SecurityStatus;

/// A SecBuffer with its memory.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Buffer {
    /// BufferType, attribute bits included.
    pub buffer_type: BufferType,
    /// cbBuffer, in bytes.
    pub count: u32,
    /// pvBuffer and all the memory behind it.
    pub data: Option<Vec<u8>>,
}

impl Buffer {
    /// A buffer over all of `data`.
    pub fn new(buffer_type: BufferType, data: Vec<u8>) -> Self {
        Self { buffer_type, count: u32::try_from(data.len()).unwrap_or(u32::MAX), data: Some(data) }
    }

    /// cbBuffer 0, pvBuffer NULL.
    pub fn null(buffer_type: BufferType) -> Self {
        Self { buffer_type, count: 0, data: None }
    }

    /// The bytes that count.
    pub fn bytes(&self) -> &[u8] {
        let data = self.data.as_deref().unwrap_or_default();
        data.get(..self.count as usize).unwrap_or(data)
    }
}

/// A SecBufferDesc with its buffers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Descriptor {
    /// ulVersion.
    pub version: u32,
    /// cBuffers.
    pub count: u32,
    /// pBuffers.
    pub buffers: Option<Vec<Buffer>>,
}

impl Descriptor {
    /// A good descriptor of these buffers.
    pub fn new(buffers: Vec<Buffer>) -> Self {
        let count = u32::try_from(buffers.len()).unwrap_or(u32::MAX);
        Self { version: SECBUFFER_VERSION, count, buffers: Some(buffers) }
    }
}

/// SEC_WINNT_AUTH_IDENTITY.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AuthIdentity {
    /// User.
    pub user: String,
    /// Domain.
    pub domain: String,
    /// Password.
    pub password: String,
}

impl AuthIdentity {
    /// The user name on the wire: `domain\user`, or the user alone.
    pub fn wire_name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }
}

impl core::fmt::Debug for AuthIdentity {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("AuthIdentity")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// One SSPI call with its arguments; `None` is NULL.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the fields are the documented parameters of each function")]
pub enum Call {
    /// AcquireCredentialsHandle.
    AcquireCredentialsHandle {
        principal: Option<String>,
        package: String,
        credential_use: u32,
        logon_id: Option<u64>,
        identity: Option<AuthIdentity>,
    },
    /// FreeCredentialsHandle.
    FreeCredentialsHandle { credential: Option<SecHandle> },
    /// EnumerateSecurityPackages.
    EnumerateSecurityPackages {},
    /// QuerySecurityPackageInfo.
    QuerySecurityPackageInfo { package: String },
    /// FreeContextBuffer. The pointer is the handle that stands for it, see [`Outcome::handle`].
    FreeContextBuffer { block: Option<SecHandle> },
    /// InitializeSecurityContext.
    InitializeSecurityContext {
        credential: Option<SecHandle>,
        context: Option<SecHandle>,
        target_name: Option<Vec<u8>>,
        requirements: u32,
        input: Option<Descriptor>,
        output: Option<Descriptor>,
    },
    /// AcceptSecurityContext.
    AcceptSecurityContext {
        credential: Option<SecHandle>,
        context: Option<SecHandle>,
        requirements: u32,
        input: Option<Descriptor>,
        output: Option<Descriptor>,
    },
    /// CompleteAuthToken.
    CompleteAuthToken { context: Option<SecHandle>, token: Option<Descriptor> },
    /// MakeSignature.
    MakeSignature { context: Option<SecHandle>, message: Option<Descriptor> },
    /// VerifySignature.
    VerifySignature { context: Option<SecHandle>, message: Option<Descriptor> },
    /// EncryptMessage.
    EncryptMessage { context: Option<SecHandle>, message: Option<Descriptor> },
    /// DecryptMessage.
    DecryptMessage { context: Option<SecHandle>, message: Option<Descriptor> },
    /// QueryContextAttributes.
    QueryContextAttributes { context: Option<SecHandle>, attribute: u32 },
    /// DeleteSecurityContext.
    DeleteSecurityContext { context: Option<SecHandle> },
}

impl Call {
    /// The function called.
    pub fn name(&self) -> CallName {
        match self {
            Self::AcquireCredentialsHandle { .. } => CallName::AcquireCredentialsHandle,
            Self::FreeCredentialsHandle { .. } => CallName::FreeCredentialsHandle,
            Self::EnumerateSecurityPackages {} => CallName::EnumerateSecurityPackages,
            Self::QuerySecurityPackageInfo { .. } => CallName::QuerySecurityPackageInfo,
            Self::FreeContextBuffer { .. } => CallName::FreeContextBuffer,
            Self::InitializeSecurityContext { .. } => CallName::InitializeSecurityContext,
            Self::AcceptSecurityContext { .. } => CallName::AcceptSecurityContext,
            Self::CompleteAuthToken { .. } => CallName::CompleteAuthToken,
            Self::MakeSignature { .. } => CallName::MakeSignature,
            Self::VerifySignature { .. } => CallName::VerifySignature,
            Self::EncryptMessage { .. } => CallName::EncryptMessage,
            Self::DecryptMessage { .. } => CallName::DecryptMessage,
            Self::QueryContextAttributes { .. } => CallName::QueryContextAttributes,
            Self::DeleteSecurityContext { .. } => CallName::DeleteSecurityContext,
        }
    }

    /// phContext, where the function has one and it is not NULL.
    pub fn context(&self) -> Option<SecHandle> {
        match self {
            Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. } => None,
            Self::InitializeSecurityContext { context, .. }
            | Self::AcceptSecurityContext { context, .. }
            | Self::CompleteAuthToken { context, .. }
            | Self::MakeSignature { context, .. }
            | Self::VerifySignature { context, .. }
            | Self::EncryptMessage { context, .. }
            | Self::DecryptMessage { context, .. }
            | Self::QueryContextAttributes { context, .. }
            | Self::DeleteSecurityContext { context } => *context,
        }
    }

    /// phCredential, where the function has one and it is not NULL.
    pub fn credential(&self) -> Option<SecHandle> {
        match self {
            Self::FreeCredentialsHandle { credential }
            | Self::InitializeSecurityContext { credential, .. }
            | Self::AcceptSecurityContext { credential, .. } => *credential,
            Self::AcquireCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::CompleteAuthToken { .. }
            | Self::MakeSignature { .. }
            | Self::VerifySignature { .. }
            | Self::EncryptMessage { .. }
            | Self::DecryptMessage { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => None,
        }
    }

    /// pvContextBuffer, where the function has one and it is not NULL.
    pub fn block(&self) -> Option<SecHandle> {
        let Self::FreeContextBuffer { block } = self else { return None };
        *block
    }

    /// Whether what the function makes is memory of the package.
    pub fn gives_memory(&self) -> bool {
        matches!(self, Self::EnumerateSecurityPackages {} | Self::QuerySecurityPackageInfo { .. })
    }

    /// fContextReq; 0 where the function has none.
    pub fn requirements(&self) -> u32 {
        match self {
            Self::InitializeSecurityContext { requirements, .. } | Self::AcceptSecurityContext { requirements, .. } => {
                *requirements
            }
            Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::CompleteAuthToken { .. }
            | Self::MakeSignature { .. }
            | Self::VerifySignature { .. }
            | Self::EncryptMessage { .. }
            | Self::DecryptMessage { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => 0,
        }
    }

    /// The descriptor the function reads its message from.
    pub fn input(&self) -> Option<&Descriptor> {
        match self {
            Self::InitializeSecurityContext { input, .. } | Self::AcceptSecurityContext { input, .. } => input.as_ref(),
            Self::CompleteAuthToken { token: message, .. }
            | Self::MakeSignature { message, .. }
            | Self::VerifySignature { message, .. }
            | Self::EncryptMessage { message, .. }
            | Self::DecryptMessage { message, .. } => message.as_ref(),
            Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => None,
        }
    }

    /// The descriptor the function may write: pOutput, or the message itself.
    pub fn output(&self) -> Option<&Descriptor> {
        match self {
            Self::InitializeSecurityContext { output, .. } | Self::AcceptSecurityContext { output, .. } => {
                output.as_ref()
            }
            Self::CompleteAuthToken { .. }
            | Self::MakeSignature { .. }
            | Self::VerifySignature { .. }
            | Self::EncryptMessage { .. }
            | Self::DecryptMessage { .. }
            | Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => self.input(),
        }
    }

    /// Where [`input`](Self::input) stands; `None` for a function that has none.
    pub fn input_mut(&mut self) -> Option<&mut Option<Descriptor>> {
        match self {
            Self::InitializeSecurityContext { input, .. } | Self::AcceptSecurityContext { input, .. } => Some(input),
            Self::CompleteAuthToken { token: message, .. }
            | Self::MakeSignature { message, .. }
            | Self::VerifySignature { message, .. }
            | Self::EncryptMessage { message, .. }
            | Self::DecryptMessage { message, .. } => Some(message),
            Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => None,
        }
    }

    /// Where [`output`](Self::output) stands; `None` for a function that has none.
    pub fn output_mut(&mut self) -> Option<&mut Option<Descriptor>> {
        match self {
            Self::InitializeSecurityContext { output, .. } | Self::AcceptSecurityContext { output, .. } => Some(output),
            Self::CompleteAuthToken { .. }
            | Self::MakeSignature { .. }
            | Self::VerifySignature { .. }
            | Self::EncryptMessage { .. }
            | Self::DecryptMessage { .. }
            | Self::AcquireCredentialsHandle { .. }
            | Self::FreeCredentialsHandle { .. }
            | Self::EnumerateSecurityPackages {}
            | Self::QuerySecurityPackageInfo { .. }
            | Self::FreeContextBuffer { .. }
            | Self::QueryContextAttributes { .. }
            | Self::DeleteSecurityContext { .. } => self.input_mut(),
        }
    }
}

/// What a package says of itself: SecPkgInfo as far as programs read it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageInfo {
    /// Name.
    pub name: String,
    /// fCapabilities.
    pub capabilities: u32,
    /// wVersion.
    pub version: u16,
    /// wRPCID.
    pub rpc_id: u16,
    /// cbMaxToken, in bytes.
    pub maximum_token: u32,
}

/// What a query reported, as far as it is judged.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Attribute {
    /// SECPKG_ATTR_NAMES: sUserName.
    Names(String),
    /// SECPKG_ATTR_SIZES without the maximum token.
    Sizes {
        /// cbMaxSignature, in bytes.
        maximum_signature: u32,
        /// cbBlockSize, in bytes.
        block_size: u32,
        /// cbSecurityTrailer, in bytes.
        security_trailer: u32,
    },
    /// SECPKG_ATTR_STREAM_SIZES.
    StreamSizes {
        /// cbHeader, in bytes.
        header: u32,
        /// cbTrailer, in bytes.
        trailer: u32,
        /// cbMaximumMessage, in bytes.
        maximum_message: u32,
        /// cBuffers.
        buffers: u32,
        /// cbBlockSize, in bytes.
        block_size: u32,
    },
    /// SECPKG_ATTR_KEY_INFO.
    KeyInfo {
        /// sSignatureAlgorithmName.
        signature_algorithm: String,
        /// sEncryptAlgorithmName.
        encryption_algorithm: String,
        /// KeySize, in bits.
        key_size: u32,
    },
    /// SECPKG_ATTR_SESSION_KEY.
    SessionKey(SessionKeyBytes),
    /// SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: sTargetName.
    ClientSpecifiedTarget(String),
    /// What EnumerateSecurityPackages and QuerySecurityPackageInfo report: of every package, or of one.
    Packages(Vec<PackageInfo>),
    /// Any other attribute, or one of an HTTP context whose value is not judged.
    Other,
}

/// The session key that QueryContextAttributes reported: a secret.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionKeyBytes(pub Vec<u8>);

impl core::fmt::Debug for SessionKeyBytes {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "SessionKeyBytes({} bytes)", self.0.len())
    }
}

/// What a call did, as far as its caller can see.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Outcome {
    /// The status.
    pub status: SecurityStatus,
    /// phNewContext or phCredential after the call; `None` where it is zeroed or the function has none. Memory that the
    /// package gives away is a handle as well: the lower word is its address, or any number that stands for it.
    pub handle: Option<SecHandle>,
    /// The input descriptor after the call, of functions that have a separate output.
    pub input: Option<Descriptor>,
    /// The descriptor the function may write, after the call.
    pub output: Option<Descriptor>,
    /// What was reported, after a successful query.
    pub attribute: Option<Attribute>,
    /// pfContextAttr, where the function has it and succeeded.
    pub granted: Option<u32>,
    /// ptsExpiry, where the function has it and succeeded, in 100 ns since 1601.
    pub expiry: Option<u64>,
    /// pfQOP, after a successful DecryptMessage.
    pub quality: Option<u32>,
}

impl Outcome {
    /// An outcome with that status that touched nothing of the call.
    pub fn untouched(status: SecurityStatus, call: &Call) -> Self {
        let separate = matches!(call, Call::InitializeSecurityContext { .. } | Call::AcceptSecurityContext { .. });
        Self {
            status,
            handle: None,
            input: if separate { call.input().cloned() } else { None },
            output: call.output().cloned(),
            attribute: None,
            granted: None,
            expiry: None,
            quality: None,
        }
    }
}
