//! What both roles call: a package with one credentials handle, every call recorded.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{Negotiated, SaslError};
use crate::buffer::{BufferType, CredHandle, CtxtHandle, SecBuffer, SecBufferDesc};
use crate::context::failure::Failure;
use crate::digest::sasl::{Cipher, Qop, Response};
use crate::package::attributes::{PACKAGE_NAME, SECPKG_ATTR_KEY_INFO, SECPKG_ATTR_NAMES};
use crate::package::credentials::AuthIdentity;
use crate::package::{ContextAttribute, SecurityPackage};
use crate::serve::record::{CallLog, CallRecord, SspiCall};
use crate::status::SecurityStatus;

/// The most that EncryptMessage adds, in bytes: 8 of padding, 10 of a MAC, 6 of type and number.
const TRAILER: usize = 24;
/// How long the length before a wrapped message is, in bytes (RFC 2831 sections 2.3 and 2.4).
const LENGTH: usize = 4;

/// A package, its only credentials and a log.
pub(super) struct Calls {
    pub(super) package: SecurityPackage,
    pub(super) credential: CredHandle,
    log: Box<dyn CallLog>,
}

impl Calls {
    /// AcquireCredentialsHandle. `credential_use` is SECPKG_CRED_*.
    pub(super) fn begin(
        package: SecurityPackage,
        credential_use: u32,
        identity: Option<&AuthIdentity>,
        log: impl CallLog + 'static,
    ) -> Result<Self, Failure> {
        let acquired = package.acquire_credentials_handle(None, PACKAGE_NAME, credential_use, None, identity);
        let call = SspiCall::AcquireCredentialsHandle;
        log.record(&CallRecord::of(call, ("none", "none"), None, &acquired, |_| SecurityStatus::SEC_E_OK));
        let credential = acquired?.credential;
        Ok(Self { package, credential, log: Box::new(log) })
    }

    pub(super) fn state(&self, context: Option<CtxtHandle>) -> &'static str {
        context.and_then(|context| self.package.state(context)).unwrap_or("none")
    }

    /// `nc` of a response, if it can be read.
    pub(super) fn count(&self, response: &[u8]) -> Option<[u8; 8]> {
        Response::parse(response, &self.package.configuration().limits.token).ok().map(|response| response.nc_text)
    }

    pub(super) fn record<T>(
        &self,
        call: SspiCall,
        states: (&'static str, &'static str),
        count: Option<[u8; 8]>,
        result: &Result<T, Failure>,
        status: impl FnOnce(&T) -> SecurityStatus,
    ) {
        self.log.record(&CallRecord::of(call, states, count, result, status));
    }

    pub(super) fn delete(&self, context: CtxtHandle) {
        let before = self.state(Some(context));
        let result = self.package.delete_security_context(Some(context));
        let states = (before, self.state(Some(context)));
        self.record(SspiCall::DeleteSecurityContext, states, None, &result, |()| SecurityStatus::SEC_E_OK);
    }

    /// What the exchange of an established context agreed on, as its attributes tell it.
    pub(super) fn negotiated(&self, context: CtxtHandle) -> Result<Negotiated, Failure> {
        let mut negotiated = Negotiated { user: String::new(), qop: Qop::Auth, cipher: None };
        for attribute in [SECPKG_ATTR_NAMES, SECPKG_ATTR_KEY_INFO] {
            match self.query(context, attribute)? {
                ContextAttribute::Names { user_name } => negotiated.user = user_name,
                ContextAttribute::KeyInfo { signature_algorithm, encrypt_algorithm, key_size: _ } => {
                    negotiated.cipher = Cipher::from_token(encrypt_algorithm.as_bytes());
                    negotiated.qop = match (signature_algorithm, negotiated.cipher) {
                        ("", _) => Qop::Auth,
                        (_, None) => Qop::AuthInt,
                        (_, Some(_)) => Qop::AuthConf,
                    };
                }
                ContextAttribute::Sizes { .. }
                | ContextAttribute::StreamSizes { .. }
                | ContextAttribute::Lifespan { .. }
                | ContextAttribute::SessionKey(_)
                | ContextAttribute::PackageInfo { .. }
                | ContextAttribute::ClientSpecifiedTarget(_)
                | ContextAttribute::Flags(_) => {}
            }
        }
        Ok(negotiated)
    }

    fn query(&self, context: CtxtHandle, attribute: u32) -> Result<ContextAttribute, Failure> {
        let state = self.state(Some(context));
        let result = self.package.query_context_attributes(Some(context), attribute);
        self.record(SspiCall::QueryContextAttributes, (state, state), None, &result, |_| SecurityStatus::SEC_E_OK);
        result
    }

    /// EncryptMessage: the wrapped message with its length before it, as it goes over the wire.
    pub(super) fn wrap(&self, context: CtxtHandle, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        let (mut data, mut trailer) = (Zeroizing::new(message.to_vec()), [0; TRAILER]);
        let mut buffers =
            [SecBuffer::new(BufferType::DATA, &mut data), SecBuffer::new(BufferType::PADDING, &mut trailer)];
        let state = self.state(Some(context));
        let result = self.package.encrypt_message(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        let states = (state, self.state(Some(context)));
        self.record(SspiCall::EncryptMessage, states, None, &result, |()| SecurityStatus::SEC_E_OK);
        result?;
        let wrapped: Vec<u8> = buffers.iter().filter_map(SecBuffer::bytes).flatten().copied().collect();
        // A peer's maxbuf is less than 2 to the power of 24.
        let length = u32::try_from(wrapped.len()).unwrap_or(u32::MAX);
        Ok([&length.to_be_bytes(), wrapped.as_slice()].concat())
    }

    /// DecryptMessage: the message, from what came over the wire with its length before it.
    pub(super) fn unwrap(&self, context: CtxtHandle, wire: &[u8]) -> Result<Vec<u8>, SaslError> {
        let Some((length, wrapped)) = wire.split_first_chunk::<LENGTH>() else {
            return Err(SaslError::Length { announced: 0, found: wire.len() });
        };
        let announced = u32::from_be_bytes(*length);
        if usize::try_from(announced) != Ok(wrapped.len()) {
            return Err(SaslError::Length { announced, found: wrapped.len() });
        }
        let mut stream = Zeroizing::new(wrapped.to_vec());
        let mut buffers = [SecBuffer::new(BufferType::STREAM, &mut stream)];
        let state = self.state(Some(context));
        let result = self.package.decrypt_message(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        let states = (state, self.state(Some(context)));
        self.record(SspiCall::DecryptMessage, states, None, &result, |_| SecurityStatus::SEC_E_OK);
        result?;
        Ok(buffers.iter().find_map(SecBuffer::bytes).unwrap_or_default().to_vec())
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let result = self.package.free_credentials_handle(Some(self.credential));
        let call = SspiCall::FreeCredentialsHandle;
        self.record(call, ("none", "none"), None, &result, |()| SecurityStatus::SEC_E_OK);
    }
}
