//! Credentials: what AcquireCredentialsHandle makes and FreeCredentialsHandle frees.
#![forbid(unsafe_code)]

use core::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::context::attributes::PACKAGE_NAME;
use crate::context::failure::Misuse;
use crate::context::initiator::OutboundCredentials;

/// SECPKG_CRED_INBOUND: for AcceptSecurityContext.
pub const SECPKG_CRED_INBOUND: u32 = 1;
/// SECPKG_CRED_OUTBOUND: for InitializeSecurityContext.
pub const SECPKG_CRED_OUTBOUND: u32 = 2;
/// SECPKG_CRED_BOTH.
pub const SECPKG_CRED_BOTH: u32 = 3;

/// SEC_WINNT_AUTH_IDENTITY: who a client is.
#[derive(Clone)]
pub struct AuthIdentity {
    user: String,
    domain: String,
    password: Zeroizing<String>,
}

impl AuthIdentity {
    /// That user; with a domain that is not empty the user name on the wire is `domain\user`, on SASL only where the
    /// server does not offer the domain as a realm.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), domain: domain.into(), password: Zeroizing::new(password.into()) }
    }
}

impl fmt::Debug for AuthIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthIdentity")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// What a credentials handle is good for.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// The credentials identity (one virtual host).
    Inbound(Arc<str>),
    Outbound(Arc<OutboundCredentials>),
    Both(Arc<str>, Arc<OutboundCredentials>),
}

impl Credentials {
    /// What AcquireCredentialsHandle asks for; `id` is unique within the provider.
    pub(super) fn acquire(
        id: u64,
        principal: Option<&str>,
        package: &str,
        credential_use: u32,
        logon_id: Option<u64>,
        identity: Option<&AuthIdentity>,
    ) -> Result<Self, Misuse> {
        if !package.eq_ignore_ascii_case(PACKAGE_NAME) {
            return Err(Misuse::UnknownPackage);
        }
        if logon_id.is_some() {
            return Err(Misuse::LogonId);
        }
        let inbound = || Arc::from(principal.unwrap_or_default());
        let outbound = || {
            let identity = identity.filter(|identity| !identity.user.is_empty()).ok_or(Misuse::NoIdentity)?;
            let AuthIdentity { user, domain, password } = identity.clone();
            Ok(Arc::new(OutboundCredentials::new(id, user, domain, password)))
        };
        match credential_use {
            SECPKG_CRED_INBOUND => Ok(Self::Inbound(inbound())),
            SECPKG_CRED_OUTBOUND => outbound().map(Self::Outbound),
            SECPKG_CRED_BOTH => outbound().map(|outbound| Self::Both(inbound(), outbound)),
            other => Err(Misuse::CredentialUse(other)),
        }
    }

    pub(super) fn inbound(self) -> Option<Arc<str>> {
        match self {
            Self::Inbound(identity) | Self::Both(identity, _) => Some(identity),
            Self::Outbound(_) => None,
        }
    }

    pub(super) fn outbound(self) -> Option<Arc<OutboundCredentials>> {
        match self {
            Self::Outbound(credentials) | Self::Both(_, credentials) => Some(credentials),
            Self::Inbound(_) => None,
        }
    }
}
