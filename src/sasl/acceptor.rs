//! A server's side of DIGEST-MD5: one exchange after another, the later ones perhaps fast (RFC 2831 section 2.2).
#![forbid(unsafe_code)]

use core::fmt;

use super::calls::Calls;
use super::{Progress, SaslError};
use crate::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use crate::context::failure::Failure;
use crate::digest::sasl::{Ciphers, Qop, Response};
use crate::package::credentials::SECPKG_CRED_INBOUND;
use crate::package::{AcceptRequirements, SecurityPackage};
use crate::serve::gate::{GateError, checked_realm};
use crate::serve::record::{CallLog, SspiCall};
use crate::status::SecurityStatus;

/// Room for a challenge, which is shorter than 2048 bytes, and for a proof.
const OUTPUT: usize = 2048;

/// An acceptor of DIGEST-MD5.
pub struct Acceptor {
    calls: Calls,
    requirements: AcceptRequirements,
    service: Service,
    standing: Standing,
}

/// Which digest-uri clients may mean (RFC 2831 section 2.1.2: serv-type "/" host). The package does not judge it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// The type of the service, such as `imap`; any when it is `None`.
    pub service: Option<String>,
    /// The host; any when it is `None`.
    pub host: Option<String>,
}

impl Service {
    /// Whether a digest-uri means this service, ignoring ASCII case. A third part, the serv-name of a replicated
    /// service, may be anything.
    fn is_meant_by(&self, digest_uri: &[u8]) -> bool {
        let mut parts = digest_uri.split(|octet| *octet == b'/');
        let mut next_is = |expected: &Option<String>| {
            let part = parts.next().unwrap_or_default();
            expected.as_ref().is_none_or(|expected| part.eq_ignore_ascii_case(expected.as_bytes()))
        };
        let service = next_is(&self.service);
        next_is(&self.host) && service
    }
}

/// Why there is no acceptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptorError {
    /// The realm cannot stand in a challenge.
    #[error("{0}")]
    Realm(GateError),
    /// The package gives no credentials.
    #[error("AcquireCredentialsHandle: {0}")]
    Credentials(#[from] Failure),
    /// auth-conf has nothing to encrypt with.
    #[error("auth-conf needs a cipher")]
    NoCipher,
}

/// Where the exchanges stand. The established context of the last one that succeeded is kept: with it its session would
/// end, and nobody could authenticate fast.
enum Standing {
    /// None is under way, and the last one did not succeed.
    Ended { kept: Option<CtxtHandle> },
    /// A response is awaited; without a context the challenge is known to the package alone.
    Challenged { context: Option<CtxtHandle>, kept: Option<CtxtHandle> },
    /// The last one succeeded.
    Established { context: CtxtHandle },
}

impl Acceptor {
    /// An acceptor with the realm, ciphers and maxbuf of the package's configuration.
    ///
    /// # Errors
    /// A realm that no challenge can carry; auth-conf without ciphers; AcquireCredentialsHandle failed.
    pub fn new(
        package: SecurityPackage,
        qop: Qop,
        service: Service,
        log: impl CallLog + 'static,
    ) -> Result<Self, AcceptorError> {
        checked_realm(&package.configuration().realm).map_err(AcceptorError::Realm)?;
        if qop == Qop::AuthConf && package.configuration().ciphers == Ciphers::EMPTY {
            return Err(AcceptorError::NoCipher);
        }
        let requirements = match qop {
            Qop::Auth => AcceptRequirements::empty(),
            Qop::AuthInt => AcceptRequirements::INTEGRITY,
            Qop::AuthConf => AcceptRequirements::CONFIDENTIALITY,
        };
        let calls = Calls::begin(package, SECPKG_CRED_INBOUND, None, log)?;
        Ok(Self { calls, requirements, service, standing: Standing::Ended { kept: None } })
    }

    /// Begins an exchange with a challenge, whatever is under way.
    ///
    /// # Errors
    /// AcceptSecurityContext failed.
    pub fn challenge(&mut self) -> Result<Vec<u8>, SaslError> {
        let kept = self.end();
        let (accepted, challenge) = self.accept(None, b"");
        let (_, context) = accepted?;
        self.standing = Standing::Challenged { context: Some(context), kept };
        Ok(challenge)
    }

    /// Judges a response; if no exchange is under way, an initial one (RFC 2831 section 2.2).
    ///
    /// # Errors
    /// The exchange ended: AcceptSecurityContext or CompleteAuthToken failed, or the client means another service.
    pub fn respond(&mut self, response: &[u8]) -> Result<Progress, SaslError> {
        let (existing, kept) = match self.standing {
            Standing::Challenged { context, kept } => (context, kept),
            Standing::Ended { kept } => (None, kept),
            Standing::Established { context } => (None, Some(context)),
        };
        let (accepted, output) = self.accept(existing, response);
        let (status, context) = match accepted {
            Ok(accepted) => accepted,
            Err(failure) => {
                self.end();
                return Err(failure.into());
            }
        };
        if existing != Some(context)
            && let Some(existing) = existing
        {
            self.calls.delete(existing);
        }
        let proof = match status {
            SecurityStatus::SEC_E_OK => output,
            SecurityStatus::SEC_I_COMPLETE_NEEDED => match self.complete(context, response) {
                Ok(proof) => proof,
                // A fast reauthentication that fails may be followed by a whole one (RFC 2831 section 2.2.2).
                Err((_, challenge)) if !challenge.is_empty() => {
                    self.calls.delete(context);
                    self.standing = Standing::Challenged { context: None, kept };
                    return Ok(Progress::Token(challenge));
                }
                Err((failure, _)) => {
                    self.standing = Standing::Challenged { context: Some(context), kept };
                    self.end();
                    return Err(failure.into());
                }
            },
            _ => {
                self.standing = Standing::Challenged { context: Some(context), kept };
                return Ok(Progress::Token(output));
            }
        };
        self.authenticated(context, kept, response, proof)
    }

    fn authenticated(
        &mut self,
        context: CtxtHandle,
        kept: Option<CtxtHandle>,
        response: &[u8],
        proof: Vec<u8>,
    ) -> Result<Progress, SaslError> {
        if let Some(meant) = self.other_service(response) {
            self.standing = Standing::Challenged { context: Some(context), kept };
            self.end();
            return Err(SaslError::OtherService(meant));
        }
        self.standing = Standing::Established { context };
        if let Some(kept) = kept {
            self.calls.delete(kept);
        }
        let negotiated = self.calls.negotiated(context)?;
        Ok(Progress::Authenticated { proof: Some(proof), negotiated })
    }

    /// The digest-uri of a response that means another service.
    fn other_service(&self, response: &[u8]) -> Option<String> {
        let response = Response::parse(response, &self.calls.package.configuration().limits.token).ok()?;
        let meant = &response.digest_uri;
        (!self.service.is_meant_by(meant)).then(|| String::from_utf8_lossy(meant).into_owned())
    }

    /// The context whose layer protects messages now.
    fn established(&self) -> Result<CtxtHandle, SaslError> {
        match self.standing {
            Standing::Established { context } => Ok(context),
            Standing::Ended { .. } | Standing::Challenged { .. } => Err(SaslError::NotAuthenticated),
        }
    }

    /// Whether a response is awaited.
    pub fn is_under_way(&self) -> bool {
        match self.standing {
            Standing::Challenged { .. } => true,
            Standing::Ended { .. } | Standing::Established { .. } => false,
        }
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

    /// Ends the exchange that is under way, if one is; the session that is kept lives on.
    fn end(&mut self) -> Option<CtxtHandle> {
        let kept = match self.standing {
            Standing::Challenged { context, kept } => {
                if let Some(context) = context {
                    self.calls.delete(context);
                }
                kept
            }
            Standing::Ended { kept } => kept,
            Standing::Established { context } => Some(context),
        };
        self.standing = Standing::Ended { kept };
        kept
    }

    /// AcceptSecurityContext, and what it wrote.
    fn accept(
        &self,
        context: Option<CtxtHandle>,
        token: &[u8],
    ) -> (Result<(SecurityStatus, CtxtHandle), Failure>, Vec<u8>) {
        let count = self.calls.count(token);
        let before = self.calls.state(context);
        let (mut token, mut memory) = (token.to_vec(), [0; OUTPUT]);
        let mut input = [SecBuffer::new(BufferType::TOKEN, &mut token)];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = self.calls.package.accept_security_context(
            Some(self.calls.credential),
            context,
            Some(&mut SecBufferDesc::new(&mut input)),
            self.requirements,
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        let after = result.as_ref().ok().map(|accepted| accepted.context).or(context);
        let states = (before, self.calls.state(after));
        self.calls.record(SspiCall::AcceptSecurityContext, states, count, &result, |accepted| accepted.status);
        let written = output.iter().find_map(SecBuffer::bytes).unwrap_or_default().to_vec();
        (result.map(|accepted| (accepted.status, accepted.context)), written)
    }

    /// CompleteAuthToken: the proof, or a failure and the challenge that came with it.
    fn complete(&self, context: CtxtHandle, response: &[u8]) -> Result<Vec<u8>, (Failure, Vec<u8>)> {
        let before = self.calls.state(Some(context));
        let (mut token, mut memory) = (response.to_vec(), [0; OUTPUT]);
        let mut buffers =
            [SecBuffer::new(BufferType::TOKEN, &mut token), SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let message = &mut SecBufferDesc::new(&mut buffers);
        let result = self.calls.package.complete_auth_token(Some(context), Some(message));
        let states = (before, self.calls.state(Some(context)));
        let count = self.calls.count(response);
        self.calls.record(SspiCall::CompleteAuthToken, states, count, &result, |()| SecurityStatus::SEC_E_OK);
        let written = buffers.last().and_then(SecBuffer::bytes).unwrap_or_default();
        // A buffer nobody wrote keeps its capacity as its count.
        let written = if written.len() < OUTPUT { written.to_vec() } else { Vec::new() };
        match result {
            Ok(()) => Ok(written),
            Err(failure) => Err((failure, written)),
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        if let Some(kept) = self.end() {
            self.calls.delete(kept);
        }
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Acceptor").field("requirements", &self.requirements).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn a_digest_uri_means_a_service_on_a_host() {
        let service = |service: Option<&str>, host: Option<&str>| Service {
            service: service.map(str::to_owned),
            host: host.map(str::to_owned),
        };
        let mail = service(Some("smtp"), Some("mail3.example.com"));
        for (digest_uri, meant) in [
            ("smtp/mail3.example.com", true),
            ("SMTP/MAIL3.example.com/example.com", true),
            ("imap/mail3.example.com", false),
            ("smtp/mail4.example.com/mail3.example.com", false),
            ("smtp", false),
            ("", false),
        ] {
            assert_eq!(mail.is_meant_by(digest_uri.as_bytes()), meant, "{digest_uri}");
        }
        assert!(service(None, Some("b")).is_meant_by(b"a/b") && !service(None, Some("b")).is_meant_by(b"b/a"));
        assert!(service(Some("a"), None).is_meant_by(b"a/b") && !service(Some("a"), None).is_meant_by(b"b/a"));
        assert!(service(None, None).is_meant_by(b"a/b"));
    }
}
