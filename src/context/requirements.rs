//! The context requirement flags of both functions, with the names and values of `sspi.h`.
#![forbid(unsafe_code)]

use crate::digest::hash::Qop;

bitflags::bitflags! {
    /// ASC_REQ_*: what the caller of AcceptSecurityContext asks for. Unknown bits are kept and ignored.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct AcceptRequirements: u32 {
        /// ASC_REQ_REPLAY_DETECT: auth-int.
        const REPLAY_DETECT = 0x4;
        /// ASC_REQ_SEQUENCE_DETECT: auth-int.
        const SEQUENCE_DETECT = 0x8;
        /// ASC_REQ_CONFIDENTIALITY: auth-conf, SASL only.
        const CONFIDENTIALITY = 0x10;
        /// ASC_REQ_ALLOCATE_MEMORY: ignored where the caller always brings memory.
        const ALLOCATE_MEMORY = 0x100;
        /// ASC_REQ_CONNECTION.
        const CONNECTION = 0x800;
        /// ASC_REQ_EXTENDED_ERROR.
        const EXTENDED_ERROR = 0x8000;
        /// ASC_REQ_INTEGRITY: auth-int.
        const INTEGRITY = 0x2_0000;
        /// ASC_REQ_PROXY_BINDINGS.
        const PROXY_BINDINGS = 0x400_0000;
        /// ASC_REQ_HTTP; `sspi.h` gives ASC_REQ_ALLOW_MISSING_BINDINGS the same value.
        const HTTP = 0x1000_0000;
        const _ = !0;
    }
}

impl AcceptRequirements {
    /// The quality of protection these flags stand for (quality-of-protection).
    pub(super) fn qop(self) -> Qop {
        if self.intersects(Self::INTEGRITY | Self::REPLAY_DETECT | Self::SEQUENCE_DETECT) {
            Qop::AuthInt
        } else {
            Qop::Auth
        }
    }

    /// The ASC_RET_* flags of a context that is not established yet: what a challenge on these terms offers.
    pub(crate) fn offered(self) -> Self {
        Self::granted(self.qop())
    }

    /// The ASC_RET_* flags of a context with that quality of protection.
    pub(super) fn granted(qop: Qop) -> Self {
        match qop {
            Qop::Auth => Self::HTTP,
            Qop::AuthInt => Self::HTTP | Self::INTEGRITY | Self::REPLAY_DETECT | Self::SEQUENCE_DETECT,
        }
    }
}

bitflags::bitflags! {
    /// ISC_REQ_*: what the caller of InitializeSecurityContext asks for. Unknown bits are kept and ignored.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct InitializeRequirements: u32 {
        /// ISC_REQ_DELEGATE: not supported.
        const DELEGATE = 0x1;
        /// ISC_REQ_MUTUAL_AUTH: wait for the server's proof (Authentication-Info).
        const MUTUAL_AUTH = 0x2;
        /// ISC_REQ_REPLAY_DETECT: auth-int.
        const REPLAY_DETECT = 0x4;
        /// ISC_REQ_SEQUENCE_DETECT: auth-int.
        const SEQUENCE_DETECT = 0x8;
        /// ISC_REQ_CONFIDENTIALITY: auth-conf, SASL only.
        const CONFIDENTIALITY = 0x10;
        /// ISC_REQ_PROMPT_FOR_CREDS: not supported.
        const PROMPT_FOR_CREDS = 0x40;
        /// ISC_REQ_ALLOCATE_MEMORY: ignored where the caller always brings memory.
        const ALLOCATE_MEMORY = 0x100;
        /// ISC_REQ_CONNECTION.
        const CONNECTION = 0x800;
        /// ISC_REQ_EXTENDED_ERROR.
        const EXTENDED_ERROR = 0x4000;
        /// ISC_REQ_STREAM.
        const STREAM = 0x8000;
        /// ISC_REQ_INTEGRITY: auth-int.
        const INTEGRITY = 0x1_0000;
        /// ISC_REQ_HTTP.
        const HTTP = 0x1000_0000;
        const _ = !0;
    }
}

impl InitializeRequirements {
    /// Whether these flags need auth-int (quality-of-protection).
    pub(super) fn integrity(self) -> bool {
        self.intersects(Self::INTEGRITY | Self::REPLAY_DETECT | Self::SEQUENCE_DETECT)
    }

    /// The ISC_RET_* flags of a context with that quality of protection.
    pub(super) fn granted(qop: Option<Qop>, mutual: bool) -> Self {
        let protection = match qop {
            None | Some(Qop::Auth) => Self::HTTP,
            Some(Qop::AuthInt) => Self::HTTP | Self::INTEGRITY | Self::REPLAY_DETECT | Self::SEQUENCE_DETECT,
        };
        if mutual { protection | Self::MUTUAL_AUTH } else { protection }
    }
}
