//! The security package at run time: handles over a pure core.
//!
//! [`SecurityPackage`] has the SSPI calls. A call finds its context by handle, reads the descriptors, steps
//! the core and writes the output. Each context has a lock of its own, and no two of them are ever held at once;
//! concurrent calls on one handle see the context before or after each other.
//!
//! # SASL, and the layer after it
//!
//! Both sides of DIGEST-MD5 (RFC 2831) in one process. What would go over the wire is `challenge`, `response`, `proof` and
//! `wrapped`. For HTTP both sides add the HTTP flag, and give the request in PKG_PARAMS; the README shows a server of that.
//!
//! ```
//! use digest_ssp::buffer::{BufferType, SecBuffer, SecBufferDesc};
//! use digest_ssp::package::accounts::MemoryAccounts;
//! use digest_ssp::package::configuration::Configuration;
//! use digest_ssp::package::credentials::{SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND};
//! use digest_ssp::package::environment::SystemEnvironment;
//! use digest_ssp::package::{
//!     AcceptRequirements, AuthIdentity, Failure, InitializeRequirements, QualityOfProtection, SecurityPackage,
//! };
//! use digest_ssp::status::SecurityStatus;
//!
//! /// A call with one TOKEN in and room for one out; what it answers and what it wrote.
//! fn exchange<T>(
//!     token: &[u8],
//!     call: impl FnOnce(&mut SecBufferDesc<'_, '_>, &mut SecBufferDesc<'_, '_>) -> Result<T, Failure>,
//! ) -> Result<(T, Vec<u8>), Failure> {
//!     let (mut token, mut memory) = (token.to_vec(), [0; 4096]);
//!     let mut input = [SecBuffer::new(BufferType::TOKEN, &mut token)];
//!     let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
//!     let answer = call(&mut SecBufferDesc::new(&mut input), &mut SecBufferDesc::new(&mut output))?;
//!     Ok((answer, output[0].bytes().unwrap_or_default().to_vec()))
//! }
//!
//! fn main() -> Result<(), Failure> {
//!     let mut accounts = MemoryAccounts::new();
//!     accounts.insert("alice", "example.com", "secret");
//!     let configuration = Configuration { realm: "example.com".to_owned(), ..Configuration::default() };
//!     let server = SecurityPackage::new(configuration, accounts, SystemEnvironment);
//!     let inbound = server.acquire_credentials_handle(None, "WDigest", SECPKG_CRED_INBOUND, None, None)?;
//!     // CONFIDENTIALITY is qop=auth-conf, INTEGRITY auth-int, and none of them auth.
//!     let accept = |context, token: &[u8]| {
//!         exchange(token, |input, output| {
//!             let requirements = AcceptRequirements::CONFIDENTIALITY;
//!             let credential = Some(inbound.credential);
//!             server.accept_security_context(credential, context, Some(input), requirements, Some(output))
//!         })
//!     };
//!
//!     let client = SecurityPackage::new(Configuration::default(), MemoryAccounts::new(), SystemEnvironment);
//!     let alice = AuthIdentity::new("alice", "", "secret");
//!     let outbound = client.acquire_credentials_handle(None, "WDigest", SECPKG_CRED_OUTBOUND, None, Some(&alice))?;
//!     let initialize = |context, token: &[u8]| {
//!         exchange(token, |input, output| {
//!             let requirements = InitializeRequirements::CONFIDENTIALITY;
//!             let (credential, service) = (Some(outbound.credential), Some(&b"imap/mail.example.com"[..]));
//!             client.initialize_security_context(credential, context, service, requirements, Some(input), Some(output))
//!         })
//!     };
//!
//!     // An empty token asks for a challenge. The server checks the response and proves that it knows the password too.
//!     let (challenged, challenge) = accept(None, b"")?;
//!     let (responded, response) = initialize(None, &challenge)?;
//!     let (accepted, proof) = accept(Some(challenged.context), &response)?;
//!     assert_eq!(accepted.status, SecurityStatus::SEC_E_OK);
//!     assert!(proof.starts_with(b"rspauth="));
//!     let (established, nothing) = initialize(Some(responded.context), &proof)?;
//!     assert_eq!((established.status, nothing), (SecurityStatus::SEC_E_OK, Vec::new()));
//!
//!     // The message is encrypted where it stands, and what follows it goes into a second buffer.
//!     let (mut message, mut rest) = (b"a003 LOGOUT".to_vec(), [0; 24]);
//!     let mut buffers =
//!         [SecBuffer::new(BufferType::DATA, &mut message), SecBuffer::new(BufferType::PADDING, &mut rest)];
//!     client.encrypt_message(Some(established.context), Some(&mut SecBufferDesc::new(&mut buffers)))?;
//!     let mut wrapped: Vec<u8> = buffers.iter().filter_map(SecBuffer::bytes).flatten().copied().collect();
//!
//!     // On the wire its length goes before it, 4 bytes in network order, which is not in the buffer.
//!     let mut buffers = [SecBuffer::new(BufferType::STREAM, &mut wrapped)];
//!     let quality =
//!         server.decrypt_message(Some(accepted.context), Some(&mut SecBufferDesc::new(&mut buffers)))?;
//!     assert_eq!(quality, QualityOfProtection::Encrypted);
//!     assert_eq!(buffers[0].bytes(), Some(&b"a003 LOGOUT"[..]));
//!
//!     client.delete_security_context(Some(established.context))?;
//!     server.delete_security_context(Some(accepted.context))
//! }
//! ```
#![forbid(unsafe_code)]

pub mod accounts;
pub mod configuration;
mod core;
pub mod credentials;
pub mod environment;
mod handles;
mod layouts;
mod message;
#[cfg(feature = "model")]
pub mod model;

use ::core::fmt;
use ::core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use self::core::{AnyContext, Output, Step};
use accounts::AccountSource;
use configuration::Configuration;
pub use credentials::AuthIdentity;
use credentials::Credentials;
use environment::Environment;
use handles::{Kind, Lookup, ProviderId, Reservation, Table};
use layouts::{accept_message, completion_message, initialize_message, signature_message, verification_message};
use message::{OutputSlot, Slots, overwrite, write};

pub use crate::context::TimeStamp;
pub use crate::context::attributes::{self, ContextAttribute, PackageInfo};
pub use crate::context::failure::{self, Failure, Reason};
pub use crate::context::requirements::{AcceptRequirements, InitializeRequirements};
pub use crate::context::sasl::layers::QualityOfProtection;

use crate::buffer::{CredHandle, CtxtHandle, SecBufferDesc};
use crate::context::failure::Misuse;
use crate::context::http::Http;
use crate::context::sasl::Sasl;
use crate::context::sasl::layers::{PlainMessage, WrappedMessage};
use crate::context::sessions::{Mechanism, Sessions};
use crate::context::{Room, World};
use crate::status::SecurityStatus;
use crate::sync::{Mutex, lock};

/// A context behind its handle; `None` once it is deleted.
type Cell = Arc<Mutex<Option<AnyContext>>>;

/// One instance of the Digest security package. Its handles mean nothing to another instance.
pub struct SecurityPackage {
    configuration: Configuration,
    accounts: Box<dyn AccountSource>,
    environment: Box<dyn Environment>,
    http_sessions: Mutex<Sessions<Http>>,
    sasl_sessions: Mutex<Sessions<Sasl>>,
    contexts: Mutex<Table<Cell>>,
    credentials: Mutex<Table<Credentials>>,
    next_credentials: AtomicU64,
}

/// What AcquireCredentialsHandle gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquired {
    /// phCredential.
    pub credential: CredHandle,
    /// ptsExpiry.
    pub expiry: TimeStamp,
}

/// What AcceptSecurityContext gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// SEC_E_OK, SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE.
    pub status: SecurityStatus,
    /// phNewContext: new, or the one that was given.
    pub context: CtxtHandle,
    /// pfContextAttr, the ASC_RET_* flags.
    pub attributes: AcceptRequirements,
    /// ptsExpiry: a constant maximum.
    pub expiry: TimeStamp,
}

/// What InitializeSecurityContext gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initialized {
    /// SEC_E_OK, SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE.
    pub status: SecurityStatus,
    /// phNewContext: new, or the one that was given.
    pub context: CtxtHandle,
    /// pfContextAttr, the ISC_RET_* flags.
    pub attributes: InitializeRequirements,
    /// ptsExpiry: a constant maximum.
    pub expiry: TimeStamp,
}

impl fmt::Debug for SecurityPackage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecurityPackage").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}

impl SecurityPackage {
    /// A package without any credentials or contexts.
    pub fn new(
        configuration: Configuration,
        accounts: impl AccountSource + 'static,
        environment: impl Environment + 'static,
    ) -> Self {
        let provider = ProviderId::unique();
        let contexts = Table::new(provider, Kind::Context, configuration.limits.contexts);
        Self {
            configuration,
            accounts: Box::new(accounts),
            environment: Box::new(environment),
            http_sessions: Mutex::new(Sessions::default()),
            sasl_sessions: Mutex::new(Sessions::default()),
            contexts: Mutex::new(contexts),
            credentials: Mutex::new(Table::new(provider, Kind::Credentials, usize::MAX)),
            next_credentials: AtomicU64::new(0),
        }
    }

    /// The settings this package was made with.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// EnumerateSecurityPackages (`enumeratesecuritypackages`): the packages that there are, which is this one.
    pub fn enumerate_security_packages() -> [PackageInfo; 1] {
        [attributes::PACKAGE_INFO]
    }

    /// QuerySecurityPackageInfo (`querysecuritypackageinfo`).
    ///
    /// # Errors
    /// SEC_E_SECPKG_NOT_FOUND for any name but that of this package.
    pub fn query_security_package_info(package: &str) -> Result<PackageInfo, Failure> {
        if package.eq_ignore_ascii_case(attributes::PACKAGE_NAME) {
            Ok(attributes::PACKAGE_INFO)
        } else {
            Err(Misuse::UnknownPackage.into())
        }
    }

    /// AcquireCredentialsHandle (`acquirecredentialshandle--digest`). `credential_use` is SECPKG_CRED_*.
    ///
    /// Inbound handles of the same principal share challenges and sessions; different principals are different
    /// virtual hosts.
    ///
    /// # Errors
    /// SEC_E_SECPKG_NOT_FOUND, SEC_E_NOT_OWNER, SEC_E_UNKNOWN_CREDENTIALS, SEC_E_NO_CREDENTIALS,
    /// SEC_E_INSUFFICIENT_MEMORY, judged in this order.
    pub fn acquire_credentials_handle(
        &self,
        principal: Option<&str>,
        package: &str,
        credential_use: u32,
        logon_id: Option<u64>,
        identity: Option<&AuthIdentity>,
    ) -> Result<Acquired, Failure> {
        let id = self.next_credentials.fetch_add(1, Ordering::Relaxed);
        let credentials = Credentials::acquire(id, principal, package, credential_use, logon_id, identity)?;
        let mut table = lock(&self.credentials);
        let place = table.reserve().ok_or(Misuse::CredentialsLimit)?;
        Ok(Acquired { credential: table.fill(place, credentials), expiry: TimeStamp::MAXIMUM })
    }

    /// FreeCredentialsHandle. Contexts and sessions survive it.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE for anything but a live credentials handle of this package.
    pub fn free_credentials_handle(&self, credential: Option<CredHandle>) -> Result<(), Failure> {
        let handle = credential.ok_or(Misuse::CredentialsHandle)?;
        match lock(&self.credentials).remove(handle) {
            Lookup::Live(_) => Ok(()),
            Lookup::Deleted | Lookup::Never => Err(Misuse::CredentialsHandle.into()),
        }
    }

    /// AcceptSecurityContext (`acceptsecuritycontext--digest`). On a first call the HTTP flag says HTTP, its absence
    /// SASL; a context keeps its mechanism.
    ///
    /// HTTP input: first TOKEN the response, PKG_PARAMS in order method, reserved, H(Entity), realm (UTF-16LE), and
    /// CHANNEL_BINDINGS. Output: the first writable TOKEN receives the challenge, or the Authentication-Info that goes
    /// with SEC_E_OK. SASL: of the input nothing but the TOKEN is read; the output receives the challenge, or the proof
    /// that goes with SEC_E_OK and must have room.
    ///
    /// # Errors
    /// See [`failure`]; an error without a context handle creates none.
    pub fn accept_security_context(
        &self,
        credential: Option<CredHandle>,
        context: Option<CtxtHandle>,
        input: Option<&mut SecBufferDesc<'_, '_>>,
        requirements: AcceptRequirements,
        output: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<Accepted, Failure> {
        let existing = self.existing(context)?;
        let identity = self.credentials(credential).and_then(Credentials::inbound);
        let (message, slot) = match accept_message(input.as_deref(), output.as_deref()) {
            Ok((message, slot)) => (Ok(message), slot),
            Err(misuse) => (Err(misuse), None),
        };
        let call = |any: AnyContext| any.accept(identity.as_deref(), message, requirements, self.world());
        let begin = identity.clone().map(|identity| move |room| AnyContext::acceptor(identity, room, requirements));
        let (context, result, written) = self.step_or_begin(existing, begin, call)?;
        write_output(output, slot, &written);
        let granted = result?;
        Ok(Accepted { status: granted.status, context, attributes: granted.flags, expiry: TimeStamp::MAXIMUM })
    }

    /// InitializeSecurityContext (`initializesecuritycontext--digest`). `target_name` is the request target; on SASL
    /// the digest-uri, serv-type "/" host [ "/" serv-name ]. The HTTP flag chooses the mechanism as for an acceptor.
    ///
    /// HTTP input: first TOKEN the challenge or the Authentication-Info, PKG_PARAMS in order method, H(Entity), and
    /// TARGET_HOST and CHANNEL_BINDINGS for a server that invites the client to tell its channel. SASL: of the input
    /// nothing but the TOKEN is read, and an established context authenticates again, fast, without one. Output: the
    /// first writable TOKEN receives the response.
    ///
    /// # Errors
    /// See [`failure`]; an error without a context handle creates none.
    pub fn initialize_security_context(
        &self,
        credential: Option<CredHandle>,
        context: Option<CtxtHandle>,
        target_name: Option<&[u8]>,
        requirements: InitializeRequirements,
        input: Option<&mut SecBufferDesc<'_, '_>>,
        output: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<Initialized, Failure> {
        let existing = self.existing(context)?;
        let credentials = self.credentials(credential).and_then(Credentials::outbound);
        let target = target_name.unwrap_or_default();
        let (message, slot) = match initialize_message(target, input.as_deref(), output.as_deref()) {
            Ok((message, slot)) => (Ok(message), slot),
            Err(misuse) => (Err(misuse), None),
        };
        let call = |any: AnyContext| any.initialize(credentials.as_deref(), message, requirements, self.world());
        let begin =
            credentials.clone().map(|credentials| move |room| AnyContext::initiator(credentials, room, requirements));
        let (context, result, written) = self.step_or_begin(existing, begin, call)?;
        write_output(output, slot, &written);
        let granted = result?;
        Ok(Initialized { status: granted.status, context, attributes: granted.flags, expiry: TimeStamp::MAXIMUM })
    }

    /// CompleteAuthToken (`completeauthtoken`).
    ///
    /// HTTP acceptor: first TOKEN the response, PKG_PARAMS in order method, request target, H(Entity), and
    /// CHANNEL_BINDINGS; the first writable TOKEN or PADDING after the message TOKEN receives Authentication-Info or a
    /// challenge. HTTP initiator: first TOKEN what InitializeSecurityContext put out, completed in place; PKG_PARAMS in
    /// order method, uri, H(Entity).
    /// SASL acceptor, a fast reauthentication: first TOKEN the response; the first writable TOKEN or PADDING after it
    /// receives the proof, and must be there.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE, SEC_E_INVALID_TOKEN, SEC_E_MESSAGE_ALTERED,
    /// SEC_E_INSUFFICIENT_MEMORY, SEC_E_BAD_BINDINGS, SEC_E_INTERNAL_ERROR. What the caller can mend consumes nothing.
    pub fn complete_auth_token(
        &self,
        context: Option<CtxtHandle>,
        token: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let slots = Slots::required(token.as_deref());
        let message = slots.map(|slots| completion_message(&slots)).map_err(Misuse::Input);
        let slot = slots.ok().and_then(|slots| slots.output_after_token());
        let own = slots.ok().and_then(|slots| slots.token_slot());
        let (result, output) = step(&cell, |any| any.complete_auth_token(message, self.world()))?;
        match output {
            Output::Completed(digest) => overwrite(token, own, digest.at, &digest.digits),
            Output::Untouched
            | Output::Written(_)
            | Output::Signature(_)
            | Output::Encrypted { .. }
            | Output::Decrypted(_) => write_output(token, slot, &output),
        }
        result
    }

    /// MakeSignature (`makesignature`, `protecting-messages-using-microsoft-digest`).
    ///
    /// HTTP: the Authorization value of an initiator's next request. PKG_PARAMS in order method, URL, H(Entity); the
    /// first writable PADDING, or a second TOKEN, receives it. SASL: the signature of a message, 16 bytes. The first
    /// DATA is the message; the first writable TOKEN or PADDING receives the signature.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_QOP_NOT_SUPPORTED (SASL with
    /// qop=auth), SEC_E_INVALID_TOKEN, SEC_E_INSUFFICIENT_MEMORY; none of them takes a nonce count or a sequence
    /// number.
    pub fn make_signature(
        &self,
        context: Option<CtxtHandle>,
        message: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let slots = Slots::required(message.as_deref());
        let header_slot = slots.ok().and_then(|slots| slots.output_padding());
        let signature_slot = slots.ok().and_then(|slots| slots.output_signature());
        let parts = slots.map_err(Misuse::Input).map(|slots| signature_message(&slots, header_slot, signature_slot));
        let (result, output) = step(&cell, |any| any.make_signature(parts))?;
        match output {
            Output::Signature(signature) => write(message, signature_slot, &signature),
            Output::Untouched
            | Output::Written(_)
            | Output::Completed(_)
            | Output::Encrypted { .. }
            | Output::Decrypted(_) => write_output(message, header_slot, &output),
        }
        result
    }

    /// Tells an established initiator that another holder of its session (a process that shares it) has sent counts up
    /// to `last`, so that the next header counts on from there. Not an SSPI call.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE; SEC_E_OUT_OF_SEQUENCE in any other state, and for a count below the last one sent.
    pub fn advance_nonce_count(&self, context: Option<CtxtHandle>, last: u32) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let mut context = lock(&cell);
        Ok(context.as_mut().ok_or(Misuse::ContextHandle)?.advance_nonce_count(last)?)
    }

    /// Tells an established SASL context that another holder of it has sent messages with every sequence number, so
    /// that nothing can be sent under it any more. Not an SSPI call.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE; SEC_E_OUT_OF_SEQUENCE in any other state; SEC_E_QOP_NOT_SUPPORTED where nothing protects
    /// messages.
    pub fn spend_sequence_numbers(&self, context: Option<CtxtHandle>) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let mut context = lock(&cell);
        Ok(context.as_mut().ok_or(Misuse::ContextHandle)?.spend_sequence_numbers()?)
    }

    /// VerifySignature (`verifysignature`, `protecting-messages-using-microsoft-digest`); nothing is written.
    ///
    /// HTTP: a further request of an acceptor's established session, found and completed in one call, in the layout of
    /// CompleteAuthToken. SASL: the first DATA is a message of the peer, the first TOKEN or PADDING its signature.
    ///
    /// # Errors
    /// HTTP: those of CompleteAuthToken, and SEC_E_UNSUPPORTED_FUNCTION on an initiator's context. SASL:
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE, SEC_E_QOP_NOT_SUPPORTED, SEC_E_INVALID_TOKEN,
    /// SEC_E_MESSAGE_ALTERED.
    pub fn verify_signature(
        &self,
        context: Option<CtxtHandle>,
        message: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let slots = Slots::required(message.as_deref());
        let message = slots.map_err(Misuse::Input).map(|slots| verification_message(&slots));
        step(&cell, |any| any.verify_signature(message, self.world()))?.0
    }

    /// EncryptMessage (`encryptmessage`), SASL: wraps a message for the peer.
    ///
    /// The first writable DATA is encrypted in place (with qop=auth-int it stays). The first writable PADDING, else
    /// STREAM_TRAILER, else a second DATA receives what follows it on the wire. The 4 bytes of the length that go
    /// before both are the caller's (RFC 2831 section 2.3).
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE, SEC_E_QOP_NOT_SUPPORTED with qop=auth, SEC_E_UNSUPPORTED_FUNCTION
    /// on HTTP, SEC_E_INVALID_TOKEN, SEC_E_BUFFER_TOO_SMALL; none of them takes a sequence number.
    pub fn encrypt_message(
        &self,
        context: Option<CtxtHandle>,
        message: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<(), Failure> {
        let cell = self.live(context)?;
        let slots = Slots::required(message.as_deref());
        let own = slots.ok().and_then(|slots| slots.message()).map(|message| message.slot());
        let rest_slot = slots.ok().and_then(|slots| slots.output_rest());
        let plain = slots.map_err(Misuse::Input).map(|slots| PlainMessage {
            message: slots.message().map(|message| message.bytes),
            capacity: rest_slot.map(|slot| slot.capacity),
        });
        let (result, output) = step(&cell, |any| any.encrypt_message(plain))?;
        match output {
            Output::Encrypted { message: encrypted, rest } => {
                let mut message = message;
                write(message.as_deref_mut(), own, &encrypted);
                write(message, rest_slot, &rest);
            }
            Output::Untouched
            | Output::Written(_)
            | Output::Completed(_)
            | Output::Signature(_)
            | Output::Decrypted(_) => {}
        }
        result
    }

    /// DecryptMessage (`decryptmessage`), SASL: unwraps a message of the peer.
    ///
    /// The first writable STREAM or DATA holds the whole wrapped message without the 4 bytes of its length; the
    /// plaintext replaces it, and cbBuffer becomes its length. On any failure all buffers are as they were.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE, SEC_E_QOP_NOT_SUPPORTED with qop=auth, SEC_E_UNSUPPORTED_FUNCTION
    /// on HTTP, SEC_E_INVALID_TOKEN, SEC_E_INCOMPLETE_MESSAGE, SEC_E_MESSAGE_ALTERED. An altered message that had to
    /// be decrypted to see that ends the receiving direction.
    pub fn decrypt_message(
        &self,
        context: Option<CtxtHandle>,
        message: Option<&mut SecBufferDesc<'_, '_>>,
    ) -> Result<QualityOfProtection, Failure> {
        let cell = self.live(context)?;
        let slots = Slots::required(message.as_deref());
        let own = slots.ok().and_then(|slots| slots.wrapped()).map(|message| message.slot());
        let wrapped = slots
            .map_err(Misuse::Input)
            .map(|slots| WrappedMessage { wrapped: slots.wrapped().map(|message| message.bytes) });
        let (result, output) = step(&cell, |any| any.decrypt_message(wrapped))?;
        match output {
            Output::Decrypted(plaintext) => write(message, own, &plaintext),
            Output::Untouched
            | Output::Written(_)
            | Output::Completed(_)
            | Output::Signature(_)
            | Output::Encrypted { .. } => {}
        }
        result
    }

    /// QueryContextAttributes (`querycontextattributes--digest`). `attribute` is SECPKG_ATTR_*.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE also for a context that is not established; SEC_E_UNSUPPORTED_FUNCTION.
    pub fn query_context_attributes(
        &self,
        context: Option<CtxtHandle>,
        attribute: u32,
    ) -> Result<ContextAttribute, Failure> {
        let cell = self.live(context)?;
        let context = lock(&cell);
        context.as_ref().ok_or(Misuse::ContextHandle)?.query_context_attributes(attribute)
    }

    /// DeleteSecurityContext: drops a context and what is pending on it; a session ends with its last context.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE for a handle that this package never issued. One that was deleted before is SEC_E_OK.
    pub fn delete_security_context(&self, context: Option<CtxtHandle>) -> Result<(), Failure> {
        let removed = lock(&self.contexts).remove(context.ok_or(Misuse::ContextHandle)?);
        match removed {
            Lookup::Live(cell) => {
                // A call that runs on this handle ends first.
                let context = lock(&cell).take();
                if let Some(context) = context {
                    context.delete(self.world());
                }
                Ok(())
            }
            Lookup::Deleted => Ok(()),
            Lookup::Never => Err(Misuse::ContextHandle.into()),
        }
    }

    /// The Authentication-Info over a response body whose MD5 is `response_body_hash`, for the request that an
    /// acceptor's context authenticated last with qop=auth-int. Not an SSPI call.
    ///
    /// # Errors
    /// SEC_E_INVALID_HANDLE, SEC_E_OUT_OF_SEQUENCE before the context is established, SEC_E_QOP_NOT_SUPPORTED for
    /// qop=auth, SEC_E_UNSUPPORTED_FUNCTION on an initiator's context.
    pub fn authentication_info(&self, context: CtxtHandle, response_body_hash: &[u8; 16]) -> Result<Vec<u8>, Failure> {
        let cell = self.live(Some(context))?;
        let context = lock(&cell);
        context.as_ref().ok_or(Misuse::ContextHandle)?.authentication_info(response_body_hash)
    }

    /// The name of the state of a context, for logs; `None` for a handle that is not live.
    pub fn state(&self, context: CtxtHandle) -> Option<&'static str> {
        let cell = self.live(Some(context)).ok()?;
        let context = lock(&cell);
        context.as_ref().map(AnyContext::state)
    }

    /// How many challenges and sessions there are, and how many references contexts hold to them.
    pub fn sessions(&self) -> (usize, usize) {
        let (http, http_references) = counted(&lock(&self.http_sessions));
        let (sasl, sasl_references) = counted(&lock(&self.sasl_sessions));
        (http + sasl, http_references + sasl_references)
    }

    fn world(&self) -> World<'_> {
        World {
            environment: &*self.environment,
            accounts: &*self.accounts,
            http_sessions: &self.http_sessions,
            sasl_sessions: &self.sasl_sessions,
            configuration: &self.configuration,
        }
    }

    fn credentials(&self, handle: Option<CredHandle>) -> Option<Credentials> {
        match lock(&self.credentials).get(handle?) {
            Lookup::Live(credentials) => Some(credentials),
            Lookup::Deleted | Lookup::Never => None,
        }
    }

    fn live(&self, handle: Option<CtxtHandle>) -> Result<Cell, Misuse> {
        match lock(&self.contexts).get(handle.ok_or(Misuse::ContextHandle)?) {
            Lookup::Live(cell) => Ok(cell),
            Lookup::Deleted | Lookup::Never => Err(Misuse::ContextHandle),
        }
    }

    /// The context of a handle that may be NULL, which stands for a context yet to be made.
    fn existing(&self, handle: Option<CtxtHandle>) -> Result<Option<(CtxtHandle, Cell)>, Misuse> {
        handle.map(|handle| Ok((handle, self.live(Some(handle))?))).transpose()
    }

    /// Steps an existing context, or begins one and issues its handle if the call made something of it.
    fn step_or_begin<T>(
        &self,
        existing: Option<(CtxtHandle, Cell)>,
        begin: Option<impl FnOnce(Room) -> AnyContext>,
        call: impl FnOnce(AnyContext) -> Step<T>,
    ) -> Result<(CtxtHandle, Result<T, Failure>, Output), Misuse> {
        if let Some((handle, cell)) = existing {
            let (result, output) = step(&cell, call)?;
            return Ok((handle, result, output));
        }
        let begin = begin.ok_or(Misuse::NoCredentials)?;
        let mut place = Place { contexts: &self.contexts, reservation: lock(&self.contexts).reserve() };
        let room = if place.reservation.is_some() { Room::Granted } else { Room::Exhausted };
        let (context, result, output) = call(begin(room));
        // An error without a handle creates none.
        if result.is_err() {
            context.delete(self.world());
            return Ok((CtxtHandle::default(), result, output));
        }
        match place.reservation.take() {
            Some(reservation) => {
                let cell = Arc::new(Mutex::new(Some(context)));
                Ok((lock(&self.contexts).fill(reservation, cell), result, output))
            }
            None => {
                context.delete(self.world());
                Err(Misuse::ContextLimit)
            }
        }
    }
}

/// A place for a context, given back unless it was filled, also when foreign code panics.
struct Place<'a> {
    contexts: &'a Mutex<Table<Cell>>,
    reservation: Option<Reservation>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            lock(self.contexts).cancel(reservation);
        }
    }
}

/// Steps the context of a live handle; a context deleted meanwhile is no context.
fn step<T>(cell: &Cell, call: impl FnOnce(AnyContext) -> Step<T>) -> Result<(Result<T, Failure>, Output), Misuse> {
    let mut context = lock(cell);
    let (next, result, output) = call(context.take().ok_or(Misuse::ContextHandle)?);
    *context = Some(next);
    Ok((result, output))
}

/// Challenges and sessions there are, and the references to them.
fn counted<M: Mechanism>(sessions: &Sessions<M>) -> (usize, usize) {
    (sessions.count(), sessions.references())
}

fn write_output(descriptor: Option<&mut SecBufferDesc<'_, '_>>, slot: Option<OutputSlot>, output: &Output) {
    match output {
        Output::Written(bytes) => write(descriptor, slot, bytes),
        Output::Untouched
        | Output::Completed(_)
        | Output::Signature(_)
        | Output::Encrypted { .. }
        | Output::Decrypted(_) => {}
    }
}
