//! SECURITY_STATUS: the words in which every SSPI call answers.
#![forbid(unsafe_code)]

use core::fmt;

/// A SECURITY_STATUS as SSPI functions return it, any 32-bit value.
///
/// A newtype and not an enum: an implementation under test may return anything, and what it
/// returned must survive into the report.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecurityStatus(pub u32);

macro_rules! statuses {
    ($($(#[$documentation:meta])* $name:ident = $value:literal;)*) => {
        impl SecurityStatus {
            $($(#[$documentation])* pub const $name: Self = Self($value);)*

            /// Every status this crate knows by name, in the order of their declaration.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

statuses! {
    /// The call succeeded.
    SEC_E_OK = 0x0000_0000;
    /// Send the output to the peer, wait for its token, call the same function again.
    SEC_I_CONTINUE_NEEDED = 0x0009_0312;
    /// Finish building the message, then call CompleteAuthToken.
    SEC_I_COMPLETE_NEEDED = 0x0009_0313;
    /// Call CompleteAuthToken, send its output, wait for the peer's token.
    SEC_I_COMPLETE_AND_CONTINUE = 0x0009_0314;
    /// Schannel: the credentials supplied are incomplete (listed for InitializeSecurityContext, never returned here).
    SEC_I_INCOMPLETE_CREDENTIALS = 0x0009_0320;
    /// The context must be renegotiated (listed for MakeSignature, never returned here).
    SEC_I_RENEGOTIATE = 0x0009_0321;
    /// A buffer is too small, or memory is short.
    SEC_E_INSUFFICIENT_MEMORY = 0x8009_0300;
    /// The handle names nothing.
    SEC_E_INVALID_HANDLE = 0x8009_0301;
    /// The package has no such function, or does not support what was asked of it.
    SEC_E_UNSUPPORTED_FUNCTION = 0x8009_0302;
    /// The target was not recognised.
    SEC_E_TARGET_UNKNOWN = 0x8009_0303;
    /// An error that maps to no other SSPI code.
    SEC_E_INTERNAL_ERROR = 0x8009_0304;
    /// No package of that name.
    SEC_E_SECPKG_NOT_FOUND = 0x8009_0305;
    /// The caller does not own the credentials it asks for.
    SEC_E_NOT_OWNER = 0x8009_0306;
    /// The token or the descriptor is malformed.
    SEC_E_INVALID_TOKEN = 0x8009_0308;
    /// The quality of protection is not supported by both sides.
    SEC_E_QOP_NOT_SUPPORTED = 0x8009_030A;
    /// The logon failed.
    SEC_E_LOGON_DENIED = 0x8009_030C;
    /// The credentials supplied were not recognised.
    SEC_E_UNKNOWN_CREDENTIALS = 0x8009_030D;
    /// There are no credentials, or their handle is not valid.
    SEC_E_NO_CREDENTIALS = 0x8009_030E;
    /// The message was altered.
    SEC_E_MESSAGE_ALTERED = 0x8009_030F;
    /// The message, or the call, is out of sequence.
    SEC_E_OUT_OF_SEQUENCE = 0x8009_0310;
    /// No authority could be contacted for authentication.
    SEC_E_NO_AUTHENTICATING_AUTHORITY = 0x8009_0311;
    /// The context was closed already (listed for EncryptMessage, never returned here).
    SEC_E_CONTEXT_EXPIRED = 0x8009_0317;
    /// The message is incomplete.
    SEC_E_INCOMPLETE_MESSAGE = 0x8009_0318;
    /// A buffer is too small for what belongs there (EncryptMessage, DecryptMessage).
    SEC_E_BUFFER_TOO_SMALL = 0x8009_0321;
    /// The peer's principal is not the intended one.
    SEC_E_WRONG_PRINCIPAL = 0x8009_0322;
    /// The quality of service asked for cannot be given.
    SEC_E_SECURITY_QOS_FAILED = 0x8009_0332;
    /// The context belongs to other credentials.
    SEC_E_WRONG_CREDENTIAL_HANDLE = 0x8009_0336;
    /// The cipher is not supported (listed for EncryptMessage and DecryptMessage, never returned here).
    SEC_E_CRYPTO_SYSTEM_INVALID = 0x8009_0337;
    /// A parameter is not valid (no page of a call lists it).
    SEC_E_INVALID_PARAMETER = 0x8009_035D;
    /// The channel binding policy was not satisfied.
    SEC_E_BAD_BINDINGS = 0x8009_0346;
    /// NTSTATUS: the context is established already (AcceptSecurityContext).
    STATUS_LOGON_FAILURE = 0xC000_006D;
    /// NTSTATUS: a parameter is not valid (MakeSignature: a count that is not numeric).
    STATUS_INVALID_PARAMETER = 0xC000_000D;
}

impl SecurityStatus {
    /// The documented name, if this crate knows it.
    pub fn name(self) -> Option<&'static str> {
        Self::ALL.iter().find(|(_, status)| *status == self).map(|(name, _)| *name)
    }

    /// The status of that documented name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, status)| *status)
    }

    /// Whether this is an error: success and informational codes have the severity bit clear.
    pub const fn is_error(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// Whether CompleteAuthToken is due after this status.
    pub const fn is_completion_due(self) -> bool {
        matches!(self, Self::SEC_I_COMPLETE_NEEDED | Self::SEC_I_COMPLETE_AND_CONTINUE)
    }
}

impl fmt::Display for SecurityStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for SecurityStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self} (0x{:08X})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SecurityStatus;

    #[test]
    fn names_and_values_are_unique() {
        for (index, (name, status)) in SecurityStatus::ALL.iter().enumerate() {
            assert_eq!(SecurityStatus::from_name(name), Some(*status));
            assert!(!SecurityStatus::ALL[..index].iter().any(|(_, other)| other == status), "{name}");
        }
    }

    #[test]
    fn unknown_values_keep_their_digits() {
        assert_eq!(SecurityStatus(0x8009_9999).to_string(), "0x80099999");
    }
}
