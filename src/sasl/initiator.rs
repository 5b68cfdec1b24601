//! A client's side of DIGEST-MD5: one exchange after another, the later ones fast where that is allowed.
#![forbid(unsafe_code)]

use core::fmt;

use super::calls::Calls;
use super::{Progress, SaslError};
use crate::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use crate::context::failure::Failure;
use crate::digest::sasl::{MAXIMUM_RESPONSE, Qop};
use crate::package::accounts::MemoryAccounts;
use crate::package::configuration::Configuration;
use crate::package::credentials::{AuthIdentity, SECPKG_CRED_OUTBOUND};
use crate::package::environment::SystemEnvironment;
use crate::package::{InitializeRequirements, SecurityPackage};
use crate::serve::record::{CallLog, SspiCall};
use crate::status::SecurityStatus;

/// Who a client authenticates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The type of the service, such as `imap`.
    pub service: String,
    /// Its host.
    pub host: String,
}

/// Who authenticates.
#[derive(Clone, Copy)]
pub struct User<'a> {
    /// The name.
    pub name: &'a str,
    /// The realm to choose among those offered; empty: the first.
    pub realm: &'a str,
    /// The password.
    pub password: &'a str,
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, realm, password: _ } = self;
        formatter.debug_struct("User").field("name", name).field("realm", realm).finish_non_exhaustive()
    }
}

/// An initiator of DIGEST-MD5 with at most one context.
pub struct Initiator {
    calls: Calls,
    requirements: InitializeRequirements,
    digest_uri: String,
    context: Option<CtxtHandle>,
}

impl Initiator {
    /// Acquires credentials; `configuration` says which ciphers and which maxbuf.
    ///
    /// # Errors
    /// AcquireCredentialsHandle failed: the user name is empty.
    pub fn new(
        configuration: Configuration,
        user: &User<'_>,
        qop: Qop,
        peer: &Peer,
        log: impl CallLog + 'static,
    ) -> Result<Self, Failure> {
        let package = SecurityPackage::new(configuration, MemoryAccounts::new(), SystemEnvironment);
        let requirements = match qop {
            Qop::Auth => InitializeRequirements::empty(),
            Qop::AuthInt => InitializeRequirements::INTEGRITY,
            Qop::AuthConf => InitializeRequirements::CONFIDENTIALITY,
        };
        let digest_uri = format!("{}/{}", peer.service, peer.host);
        let identity = AuthIdentity::new(user.name, user.realm, user.password);
        let calls = Calls::begin(package, SECPKG_CRED_OUTBOUND, Some(&identity), log)?;
        Ok(Self { calls, requirements, digest_uri, context: None })
    }

    /// Takes a challenge or the server's proof.
    ///
    /// # Errors
    /// InitializeSecurityContext failed. A context that was established before stays, unless the peer's token ended it.
    pub fn take(&mut self, token: &[u8]) -> Result<Progress, SaslError> {
        self.initialize(Some(token))
    }

    /// Authenticates anew on the same connection's context, without a challenge (RFC 2831 section 2.2): a response, or
    /// [`Progress::PeerSpeaks`] where the exchange must begin with a challenge.
    ///
    /// # Errors
    /// InitializeSecurityContext failed.
    pub fn reauthenticate(&mut self) -> Result<Progress, SaslError> {
        self.initialize(None)
    }

    fn initialize(&mut self, token: Option<&[u8]>) -> Result<Progress, SaslError> {
        let before = self.calls.state(self.context);
        let mut token = token.map(<[u8]>::to_vec);
        let mut input: Vec<_> =
            token.as_deref_mut().map(|token| SecBuffer::new(BufferType::TOKEN, token)).into_iter().collect();
        let mut input = if input.is_empty() { None } else { Some(SecBufferDesc::new(&mut input)) };
        let mut memory = [0; MAXIMUM_RESPONSE];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = self.calls.package.initialize_security_context(
            Some(self.calls.credential),
            self.context,
            Some(self.digest_uri.as_bytes()),
            self.requirements,
            input.as_mut(),
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        let output = if result.is_ok() { output.iter().find_map(SecBuffer::bytes).unwrap_or_default() } else { &[] };
        let after = result.as_ref().ok().map(|initialized| initialized.context).or(self.context);
        let states = (before, self.calls.state(after));
        let count = self.calls.count(output);
        self.calls.record(SspiCall::InitializeSecurityContext, states, count, &result, |ok| ok.status);
        match result {
            Ok(initialized) => {
                self.context = Some(initialized.context);
                if initialized.status == SecurityStatus::SEC_E_OK {
                    let negotiated = self.calls.negotiated(initialized.context)?;
                    return Ok(Progress::Authenticated { proof: None, negotiated });
                }
                Ok(if output.is_empty() { Progress::PeerSpeaks } else { Progress::Token(output.to_vec()) })
            }
            Err(failure) => {
                if self.established().is_err() {
                    self.forget();
                }
                Err(failure.into())
            }
        }
    }

    /// The context whose layer protects messages now.
    fn established(&self) -> Result<CtxtHandle, SaslError> {
        let context = self.context.ok_or(SaslError::NotAuthenticated)?;
        if self.calls.state(Some(context)) == "established" { Ok(context) } else { Err(SaslError::NotAuthenticated) }
    }

    /// Whether a token of the peer is awaited.
    pub fn is_under_way(&self) -> bool {
        self.context.is_some() && self.established().is_err()
    }

    /// EncryptMessage: what goes over the wire, with its length before it.
    ///
    /// # Errors
    /// Nobody is authenticated, or EncryptMessage failed.
    pub fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.calls.wrap(self.established()?, message)
    }

    /// DecryptMessage: the message, from what came over the wire with its length before it.
    ///
    /// # Errors
    /// Nobody is authenticated, the length is wrong, or DecryptMessage failed.
    pub fn unwrap(&self, wire: &[u8]) -> Result<Vec<u8>, SaslError> {
        self.calls.unwrap(self.established()?, wire)
    }

    fn forget(&mut self) {
        if let Some(context) = self.context.take() {
            self.calls.delete(context);
        }
    }
}

impl Drop for Initiator {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Initiator").field("digest_uri", &self.digest_uri).finish_non_exhaustive()
    }
}
