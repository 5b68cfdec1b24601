//! The context requirement flags of both functions, with the names and values of `sspi.h`.
#![forbid(unsafe_code)]

use super::failure::Misuse;
use crate::digest::hash::Qop;
use crate::digest::sasl;

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
        /// ASC_REQ_PROXY_BINDINGS: a response must say which channel it means. HTTP only.
        const PROXY_BINDINGS = 0x400_0000;
        /// ASC_REQ_HTTP; `sspi.h` gives ASC_REQ_ALLOW_MISSING_BINDINGS the same value.
        const HTTP = 0x1000_0000;
        const _ = !0;
    }
}

impl AcceptRequirements {
    /// Each of these calls for auth-int, which grants them all.
    const PROTECTION: Self = Self::INTEGRITY.union(Self::REPLAY_DETECT).union(Self::SEQUENCE_DETECT);

    /// The quality of protection these flags stand for (quality-of-protection).
    pub(super) fn qop(self) -> Qop {
        if self.intersects(Self::PROTECTION) { Qop::AuthInt } else { Qop::Auth }
    }

    /// The quality of protection these flags stand for on SASL (quality-of-protection).
    pub(super) fn sasl_qop(self) -> sasl::Qop {
        if self.contains(Self::CONFIDENTIALITY) {
            return sasl::Qop::AuthConf;
        }
        match self.qop() {
            Qop::Auth => sasl::Qop::Auth,
            Qop::AuthInt => sasl::Qop::AuthInt,
        }
    }

    /// As [`Self::offered`], on SASL.
    pub(crate) fn sasl_offered(self) -> Self {
        Self::sasl_granted(self.sasl_qop())
    }

    /// As [`Self::granted`], on SASL.
    pub(super) fn sasl_granted(qop: sasl::Qop) -> Self {
        match qop {
            sasl::Qop::Auth => Self::empty(),
            sasl::Qop::AuthInt => Self::PROTECTION,
            sasl::Qop::AuthConf => Self::PROTECTION.union(Self::CONFIDENTIALITY),
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
            Qop::AuthInt => Self::HTTP.union(Self::PROTECTION),
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
    /// Each of these calls for auth-int, which grants them all.
    const PROTECTION: Self = Self::INTEGRITY.union(Self::REPLAY_DETECT).union(Self::SEQUENCE_DETECT);

    /// Whether these flags need auth-int (quality-of-protection).
    pub(super) fn integrity(self) -> bool {
        self.intersects(Self::PROTECTION)
    }

    /// The quality of protection these flags need on SASL (quality-of-protection).
    pub(super) fn sasl_qop(self) -> sasl::Qop {
        match (self.contains(Self::CONFIDENTIALITY), self.integrity()) {
            (true, _) => sasl::Qop::AuthConf,
            (false, true) => sasl::Qop::AuthInt,
            (false, false) => sasl::Qop::Auth,
        }
    }

    /// No mechanism of the package supports these.
    pub(super) fn check_unsupported(self) -> Result<(), Misuse> {
        for (flag, name) in [(Self::DELEGATE, "ISC_REQ_DELEGATE"), (Self::PROMPT_FOR_CREDS, "ISC_REQ_PROMPT_FOR_CREDS")]
        {
            if self.contains(flag) {
                return Err(Misuse::UnsupportedRequirement(name));
            }
        }
        Ok(())
    }

    /// The ISC_RET_* flags of a SASL context with that quality of protection: its server always proves itself.
    pub(super) fn sasl_granted(qop: sasl::Qop) -> Self {
        match qop {
            sasl::Qop::Auth => Self::MUTUAL_AUTH,
            sasl::Qop::AuthInt => Self::MUTUAL_AUTH.union(Self::PROTECTION),
            sasl::Qop::AuthConf => Self::MUTUAL_AUTH.union(Self::PROTECTION).union(Self::CONFIDENTIALITY),
        }
    }

    /// The ISC_RET_* flags of a context with that quality of protection.
    pub(super) fn granted(qop: Option<Qop>, mutual: bool) -> Self {
        let protection = match qop {
            None | Some(Qop::Auth) => Self::HTTP,
            Some(Qop::AuthInt) => Self::HTTP.union(Self::PROTECTION),
        };
        if mutual { protection.union(Self::MUTUAL_AUTH) } else { protection }
    }
}
