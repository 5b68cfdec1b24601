//! An outcome as a message. The status is always there; other members may be left out, which is the same as null.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::values::{As, DescriptorMessage, Handle, Hex, Optional, Status, Word};
use crate::buffer::SecHandle;
use crate::spec::call::{Attribute, Descriptor, Outcome, PackageInfo, SessionKeyBytes};
use crate::status::SecurityStatus;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Outcome", deny_unknown_fields)]
pub(super) struct OutcomeMessage {
    #[serde(with = "As::<Status>")]
    status: SecurityStatus,
    #[serde(default, with = "Optional::<Handle>")]
    handle: Option<SecHandle>,
    #[serde(default, with = "Optional::<DescriptorMessage>")]
    input: Option<Descriptor>,
    #[serde(default, with = "Optional::<DescriptorMessage>")]
    output: Option<Descriptor>,
    #[serde(default, with = "Optional::<AttributeMessage>")]
    attribute: Option<Attribute>,
    #[serde(default)]
    granted: Option<u32>,
    #[serde(default, with = "Optional::<Word>")]
    expiry: Option<u64>,
    #[serde(default)]
    quality: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Attribute", rename_all = "snake_case", deny_unknown_fields)]
enum AttributeForm {
    Names(String),
    Sizes { maximum_signature: u32, block_size: u32, security_trailer: u32 },
    StreamSizes { header: u32, trailer: u32, maximum_message: u32, buffers: u32, block_size: u32 },
    KeyInfo { signature_algorithm: String, encryption_algorithm: String, key_size: u32 },
    SessionKey(#[serde(with = "As::<Hex>")] SessionKeyBytes),
    ClientSpecifiedTarget(String),
    Packages(Vec<PackageInfo>),
    Other,
}

/// An attribute, so that it can be optional.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct AttributeMessage(#[serde(with = "AttributeForm")] Attribute);

impl From<Attribute> for AttributeMessage {
    fn from(attribute: Attribute) -> Self {
        Self(attribute)
    }
}

impl From<AttributeMessage> for Attribute {
    fn from(message: AttributeMessage) -> Self {
        message.0
    }
}
