//! Extended protection: the hash of channel bindings, what a response presents, the cnonce that covers it.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::Operation;
use super::values::{Digest, Hex, Octets, Status, nullable};
use crate::digest::bindings::{is_upgraded_challenge, presented, upgraded_cnonce};
use crate::digest::hash::equal;
use crate::digest::{ChannelBindings, Limits, Presented, Response};

/// `channel-bindings`.
pub(super) enum Hashes {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HashInput {
    buffer: Hex,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HashExpected {
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<Digest>,
}

impl Operation for Hashes {
    const NAME: &'static str = "channel-bindings";
    type Input = HashInput;
    type Expected = HashExpected;

    fn status(expected: &HashExpected) -> Status {
        expected.status
    }

    fn run(input: &HashInput) -> Result<HashExpected, String> {
        let hash = ChannelBindings::parse(&input.buffer.0).map(|bindings| Digest(bindings.hash())).ok();
        Ok(HashExpected { status: Status::of(hash.is_some(), Status::INVALID_TOKEN), hash })
    }
}

/// `extended-protection`.
pub(super) enum Presenting {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresentInput {
    token: Octets,
    #[serde(deserialize_with = "nullable")]
    bindings: Option<Hex>,
    policy: Policy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Policy {
    AllowMissing,
    Required,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresentExpected {
    status: Status,
    presented: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_name: Option<Octets>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Missing,
    Bound,
    Inconsistent,
}

impl Operation for Presenting {
    const NAME: &'static str = "extended-protection";
    type Input = PresentInput;
    type Expected = PresentExpected;

    fn status(expected: &PresentExpected) -> Status {
        expected.status
    }

    fn run(input: &PresentInput) -> Result<PresentExpected, String> {
        let response = Response::parse(&input.token.0, &Limits::default()).map_err(|error| error.to_string())?;
        let channel = input.bindings.as_ref().map(|buffer| ChannelBindings::parse(&buffer.0)).transpose();
        let channel = channel.map_err(|error| error.to_string())?.map(|bindings| bindings.hash());
        let (good, presented, service_name) = match presented(&response) {
            Presented::Missing => (input.policy == Policy::AllowMissing, Kind::Missing, None),
            Presented::Inconsistent => (false, Kind::Inconsistent, None),
            Presented::Bound { service_name, channel_binding } => {
                let same = channel.is_none_or(|channel| equal(&channel, &channel_binding));
                (same, Kind::Bound, Some(Octets(service_name.to_vec())))
            }
        };
        Ok(PresentExpected { status: Status::of(good, Status::BAD_BINDINGS), presented, service_name })
    }
}

/// `upgraded-cnonce`.
pub(super) enum Upgraded {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpgradedInput {
    nonce: Octets,
    service_name: Octets,
    /// 32 digits, hashed as they stand here.
    channel_binding: String,
    entropy: Digest,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpgradedExpected {
    status: Status,
    upgraded: bool,
    cnonce: String,
}

impl Operation for Upgraded {
    const NAME: &'static str = "upgraded-cnonce";
    type Input = UpgradedInput;
    type Expected = UpgradedExpected;

    fn status(expected: &UpgradedExpected) -> Status {
        expected.status
    }

    fn run(input: &UpgradedInput) -> Result<UpgradedExpected, String> {
        let binding = input.channel_binding.as_bytes().try_into().map_err(|_| "channel_binding is 32 digits")?;
        let cnonce = upgraded_cnonce(&input.service_name.0, binding, &input.entropy.0);
        Ok(UpgradedExpected {
            status: Status::OK,
            upgraded: is_upgraded_challenge(&input.nonce.0),
            cnonce: String::from_utf8_lossy(&cnonce).into_owned(),
        })
    }
}
