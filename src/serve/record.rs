//! One line per SSPI call: what was called, what it did to the context, what it returned.
#![forbid(unsafe_code)]

use core::fmt;

use crate::context::failure::Failure;
use crate::digest::{Limits, ResponseDirectives};
use crate::status::SecurityStatus;

/// An SSPI function that a server or client here calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SspiCall {
    /// AcquireCredentialsHandle.
    AcquireCredentialsHandle,
    /// FreeCredentialsHandle.
    FreeCredentialsHandle,
    /// AcceptSecurityContext.
    AcceptSecurityContext,
    /// InitializeSecurityContext.
    InitializeSecurityContext,
    /// CompleteAuthToken.
    CompleteAuthToken,
    /// MakeSignature.
    MakeSignature,
    /// EncryptMessage.
    EncryptMessage,
    /// DecryptMessage.
    DecryptMessage,
    /// QueryContextAttributes.
    QueryContextAttributes,
    /// DeleteSecurityContext.
    DeleteSecurityContext,
}

impl SspiCall {
    /// The name of the function.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcquireCredentialsHandle => "AcquireCredentialsHandle",
            Self::FreeCredentialsHandle => "FreeCredentialsHandle",
            Self::AcceptSecurityContext => "AcceptSecurityContext",
            Self::InitializeSecurityContext => "InitializeSecurityContext",
            Self::CompleteAuthToken => "CompleteAuthToken",
            Self::MakeSignature => "MakeSignature",
            Self::EncryptMessage => "EncryptMessage",
            Self::DecryptMessage => "DecryptMessage",
            Self::QueryContextAttributes => "QueryContextAttributes",
            Self::DeleteSecurityContext => "DeleteSecurityContext",
        }
    }
}

/// One SSPI call, as it is logged.
///
/// Displayed as one line whose first six words are stable:
/// `CALL STATE -> STATE STATUS nc=COUNT`, for instance
/// `AcceptSecurityContext none -> complete-needed-subsequent SEC_I_COMPLETE_NEEDED nc=00000002`.
/// States are those of the spec, `none` where there is no context; the count is the one of the response token of the call, `-` where
/// there is none. After a failure ` # ` and a reason for people follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The function.
    pub call: SspiCall,
    /// The state of the context before the call.
    pub before: &'static str,
    /// The state of the context after the call.
    pub after: &'static str,
    /// What the function returned.
    pub status: SecurityStatus,
    /// `nc` of the response token in question, as it is spelled.
    pub count: Option<[u8; 8]>,
    /// Why it failed, if it did.
    pub reason: Option<String>,
}

impl CallRecord {
    pub(crate) fn of<T>(
        call: SspiCall,
        (before, after): (&'static str, &'static str),
        count: Option<[u8; 8]>,
        result: &Result<T, Failure>,
        status: impl FnOnce(&T) -> SecurityStatus,
    ) -> Self {
        let (status, reason) = match result {
            Ok(value) => (status(value), None),
            Err(failure) => (failure.status, Some(failure.reason.to_string())),
        };
        Self { call, before, after, status, count, reason }
    }
}

impl fmt::Display for CallRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, before, after, status, count, reason } = self;
        write!(formatter, "{} {before} -> {after} {status} nc=", call.as_str())?;
        match count {
            Some(count) => write!(formatter, "{}", count.escape_ascii())?,
            None => formatter.write_str("-")?,
        }
        match reason {
            Some(reason) => write!(formatter, " # {}", reason.escape_debug()),
            None => Ok(()),
        }
    }
}

/// Where the records go. Calls come from several threads, each in the order of its own calls.
pub trait CallLog: Send + Sync {
    /// Takes one record.
    fn record(&self, record: &CallRecord);
}

impl<F: Fn(&CallRecord) + Send + Sync> CallLog for F {
    fn record(&self, record: &CallRecord) {
        self(record);
    }
}

/// `nc` of a response token, if it can be read.
pub(super) fn count_of(token: &[u8], limits: &Limits) -> Option<[u8; 8]> {
    ResponseDirectives::parse(token, limits).ok()?.nc
}

#[cfg(test)]
mod tests {
    use super::{CallRecord, SspiCall};
    use crate::status::SecurityStatus;

    #[test]
    fn a_record_is_one_line() {
        let record = CallRecord {
            call: SspiCall::AcceptSecurityContext,
            before: "none",
            after: "complete-needed-subsequent",
            status: SecurityStatus::SEC_I_COMPLETE_NEEDED,
            count: Some(*b"00000002"),
            reason: None,
        };
        assert_eq!(
            record.to_string(),
            "AcceptSecurityContext none -> complete-needed-subsequent SEC_I_COMPLETE_NEEDED nc=00000002"
        );
        let record = CallRecord { count: None, reason: Some("a\nb".to_owned()), ..record };
        assert!(record.to_string().ends_with(" nc=- # a\\nb"));
    }
}
