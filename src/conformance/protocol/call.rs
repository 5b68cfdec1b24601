//! A call as a message. Every member is always there; null is NULL.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::values::{DescriptorMessage, Handle, Hex, Optional, Word};
use crate::buffer::SecHandle;
use crate::spec::call::{AuthIdentity, Call, Descriptor};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Call", deny_unknown_fields)]
pub(super) enum CallMessage {
    AcquireCredentialsHandle {
        principal: Option<String>,
        package: String,
        credential_use: u32,
        #[serde(with = "Optional::<Word>")]
        logon_id: Option<u64>,
        identity: Option<AuthIdentity>,
    },
    FreeCredentialsHandle {
        #[serde(with = "Optional::<Handle>")]
        credential: Option<SecHandle>,
    },
    EnumerateSecurityPackages {},
    QuerySecurityPackageInfo {
        package: String,
    },
    FreeContextBuffer {
        #[serde(with = "Optional::<Handle>")]
        block: Option<SecHandle>,
    },
    InitializeSecurityContext {
        #[serde(with = "Optional::<Handle>")]
        credential: Option<SecHandle>,
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<Hex>")]
        target_name: Option<Vec<u8>>,
        requirements: u32,
        #[serde(with = "Optional::<DescriptorMessage>")]
        input: Option<Descriptor>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        output: Option<Descriptor>,
    },
    AcceptSecurityContext {
        #[serde(with = "Optional::<Handle>")]
        credential: Option<SecHandle>,
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        requirements: u32,
        #[serde(with = "Optional::<DescriptorMessage>")]
        input: Option<Descriptor>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        output: Option<Descriptor>,
    },
    CompleteAuthToken {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        token: Option<Descriptor>,
    },
    MakeSignature {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        message: Option<Descriptor>,
    },
    VerifySignature {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        message: Option<Descriptor>,
    },
    EncryptMessage {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        message: Option<Descriptor>,
    },
    DecryptMessage {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        #[serde(with = "Optional::<DescriptorMessage>")]
        message: Option<Descriptor>,
    },
    QueryContextAttributes {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
        attribute: u32,
    },
    DeleteSecurityContext {
        #[serde(with = "Optional::<Handle>")]
        context: Option<SecHandle>,
    },
}
