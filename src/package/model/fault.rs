//! Acceptors that are wrong on purpose: each breaks one property, and the check must find how.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::properties::Property;
use crate::status::SecurityStatus;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// CompleteAuthToken answers SEC_E_OK where the digest is another one.
    DigestNotCompared,
    /// The caller of AcceptSecurityContext takes SEC_E_OK for a request to another target than the token is for.
    TargetNotCompared,
    /// A completion leaves the nonce count as it was.
    CountsForgotten,
    /// Whoever completed SEC_I_COMPLETE_AND_CONTINUE is taken for authenticated.
    ContinueEstablishes,
    /// CompleteAuthToken answers SEC_E_OK where it is not due.
    CompletesUnasked,
    /// A refused completion leaves the context as it was.
    RejectedComesBack,
    /// A refused completion ends the sessions of everybody.
    FailureEndsSessions,
    /// DeleteSecurityContext forgets the handle alone.
    DeletionLeaks,
    /// SEC_E_INVALID_TOKEN where the digest is another one.
    AlteredIsInvalid,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::DigestNotCompared,
        Self::TargetNotCompared,
        Self::CountsForgotten,
        Self::ContinueEstablishes,
        Self::CompletesUnasked,
        Self::RejectedComesBack,
        Self::FailureEndsSessions,
        Self::DeletionLeaks,
        Self::AlteredIsInvalid,
    ];

    /// The name, as it is printed and asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DigestNotCompared => "digest-not-compared",
            Self::TargetNotCompared => "target-not-compared",
            Self::CountsForgotten => "counts-forgotten",
            Self::ContinueEstablishes => "continue-establishes",
            Self::CompletesUnasked => "completes-unasked",
            Self::RejectedComesBack => "rejected-comes-back",
            Self::FailureEndsSessions => "failure-ends-sessions",
            Self::DeletionLeaks => "deletion-leaks",
            Self::AlteredIsInvalid => "altered-is-invalid",
        }
    }

    /// The property that does not hold any more.
    #[must_use]
    pub fn breaks(self) -> Property {
        match self {
            Self::DigestNotCompared | Self::TargetNotCompared => Property::OnlyTheHolderIsAuthenticated,
            Self::CountsForgotten => Property::AtMostOnce,
            Self::ContinueEstablishes => Property::ContinuingAuthenticatesNobody,
            Self::CompletesUnasked => Property::CompletesOnlyWhatIsDue,
            Self::RejectedComesBack => Property::RejectedForGood,
            Self::FailureEndsSessions => Property::NobodyElseBlocksASession,
            Self::DeletionLeaks => Property::DeletionFrees,
            Self::AlteredIsInvalid => Property::MessageAlteredIsReached,
        }
    }

    /// What CompleteAuthToken answers, where the core answers `status` and the context is due afterwards or not.
    pub(super) fn completes(self, was_due: bool, status: SecurityStatus) -> SecurityStatus {
        match (self, status) {
            (Self::DigestNotCompared, SecurityStatus::SEC_E_MESSAGE_ALTERED) => SecurityStatus::SEC_E_OK,
            (Self::AlteredIsInvalid, SecurityStatus::SEC_E_MESSAGE_ALTERED) => SecurityStatus::SEC_E_INVALID_TOKEN,
            (Self::CompletesUnasked, SecurityStatus::SEC_E_OUT_OF_SEQUENCE) if !was_due => SecurityStatus::SEC_E_OK,
            _ => status,
        }
    }
}
