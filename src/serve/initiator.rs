//! The initiator's side of SSPI, without any sockets.
#![forbid(unsafe_code)]

use core::fmt;
use std::sync::Arc;

use super::record::{CallLog, CallRecord, SspiCall, count_of};
use crate::buffer::{BufferType, CredHandle, CtxtHandle, SecBuffer, SecBufferDesc};
use crate::context::failure::Failure;
use crate::digest::Qop;
use crate::digest::hash::{hex, md5};
use crate::package::accounts::MemoryAccounts;
use crate::package::attributes::PACKAGE_NAME;
use crate::package::configuration::Configuration;
use crate::package::credentials::{AuthIdentity, SECPKG_CRED_OUTBOUND};
use crate::package::environment::SystemEnvironment;
use crate::package::{InitializeRequirements, Initialized, SecurityPackage};
use crate::status::SecurityStatus;

/// Room for a response, which repeats a challenge of less than 2048 bytes, beside a user name and a target.
const RESPONSE_ROOM: usize = 8192;

/// Whether the server must prove that it knows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerProof {
    /// Its answer to the response must carry a right Authentication-Info (ISC_REQ_MUTUAL_AUTH).
    Required,
    /// It need not.
    NotRequired,
}

/// A user who makes requests.
pub struct Initiator {
    package: SecurityPackage,
    credential: CredHandle,
    username_bytes: usize,
    requirements: InitializeRequirements,
    log: Box<dyn CallLog>,
}

/// A request that needs an Authorization header.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The request target, in origin form.
    pub target: &'a [u8],
    /// The body, as sent.
    pub body: &'a [u8],
    /// Where it is sent.
    pub channel: OutgoingChannel<'a>,
}

/// What is known of the channel that a request is sent over; a server that asks for it is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingChannel<'a> {
    /// The service principal name, such as `HTTP/www.example.com`; empty when there is none.
    pub service_name: &'a [u8],
    /// A SEC_CHANNEL_BINDINGS structure; empty where nothing is around the connection.
    pub bindings: &'a [u8],
}

/// Where a context stands, as far as its user must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No challenge was answered yet.
    New,
    /// The server's proof is awaited.
    Responded,
    /// Further requests need no challenge.
    Established,
}

/// The context of one server; deleted when dropped.
pub struct InitiatorContext {
    initiator: Arc<Initiator>,
    handle: CtxtHandle,
}

impl Initiator {
    /// Acquires credentials for a user.
    ///
    /// # Errors
    /// AcquireCredentialsHandle failed: the user name is empty.
    pub fn new(
        user: &str,
        password: &str,
        qop: Qop,
        proof: ServerProof,
        log: impl CallLog + 'static,
    ) -> Result<Arc<Self>, Failure> {
        let package = SecurityPackage::new(Configuration::default(), MemoryAccounts::new(), SystemEnvironment);
        let identity = AuthIdentity::new(user, "", password);
        let acquired =
            package.acquire_credentials_handle(None, PACKAGE_NAME, SECPKG_CRED_OUTBOUND, None, Some(&identity));
        let call = SspiCall::AcquireCredentialsHandle;
        log.record(&CallRecord::of(call, ("none", "none"), None, &acquired, |_| SecurityStatus::SEC_E_OK));
        let credential = acquired?.credential;
        let qop = match qop {
            Qop::Auth => InitializeRequirements::empty(),
            Qop::AuthInt => InitializeRequirements::INTEGRITY,
        };
        let proof = match proof {
            ServerProof::Required => InitializeRequirements::MUTUAL_AUTH,
            ServerProof::NotRequired => InitializeRequirements::empty(),
        };
        let requirements = InitializeRequirements::HTTP | qop | proof;
        Ok(Arc::new(Self { package, credential, username_bytes: user.len(), requirements, log: Box::new(log) }))
    }

    /// InitializeSecurityContext without input: a context that waits for a challenge.
    ///
    /// # Errors
    /// InitializeSecurityContext failed.
    pub fn begin(self: &Arc<Self>, target: &[u8]) -> Result<InitiatorContext, Failure> {
        let result = self.package.initialize_security_context(
            Some(self.credential),
            None,
            Some(target),
            self.requirements,
            None,
            None,
        );
        self.record_initialize("none", None, &result);
        Ok(InitiatorContext { initiator: Arc::clone(self), handle: result?.context })
    }

    fn state(&self, handle: CtxtHandle) -> &'static str {
        self.package.state(handle).unwrap_or("none")
    }

    fn room(&self, request: &OutgoingRequest<'_>) -> usize {
        // Every octet of name and target may be escaped, or be two in UTF-8.
        let variable = self.username_bytes.saturating_add(request.target.len());
        let variable = variable.saturating_add(request.channel.service_name.len());
        RESPONSE_ROOM.saturating_add(variable.saturating_mul(2))
    }

    fn record_initialize(&self, before: &'static str, output: Option<&[u8]>, result: &Result<Initialized, Failure>) {
        let after = result.as_ref().ok().map_or(before, |initialized| self.state(initialized.context));
        let count = output.and_then(|output| self.count(output));
        let call = SspiCall::InitializeSecurityContext;
        self.log.record(&CallRecord::of(call, (before, after), count, result, |initialized| initialized.status));
    }

    fn count(&self, response: &[u8]) -> Option<[u8; 8]> {
        count_of(response, &self.package.configuration().limits.token)
    }
}

impl Drop for Initiator {
    fn drop(&mut self) {
        let result = self.package.free_credentials_handle(Some(self.credential));
        let call = SspiCall::FreeCredentialsHandle;
        self.log.record(&CallRecord::of(call, ("none", "none"), None, &result, |()| SecurityStatus::SEC_E_OK));
    }
}

impl InitiatorContext {
    /// Where the context stands.
    pub fn standing(&self) -> Standing {
        match self.state() {
            "established" => Standing::Established,
            "responded" => Standing::Responded,
            // What is rejected or lost must begin anew.
            _ => Standing::New,
        }
    }

    /// Answers a challenge: the value of Authorization for `request`.
    ///
    /// For auth-int InitializeSecurityContext is called as if the body were not known yet, and CompleteAuthToken
    /// finishes the response: the way of a client that learns its body while it sends the message. The channel must be
    /// the one that the response goes over, not the one that the challenge came over.
    ///
    /// # Errors
    /// InitializeSecurityContext or CompleteAuthToken failed.
    pub fn answer(&self, challenge: &[u8], request: &OutgoingRequest<'_>) -> Result<Vec<u8>, Failure> {
        let Initiator { package, credential, requirements, .. } = &*self.initiator;
        let (mut challenge, mut method) = (challenge.to_vec(), request.method.to_vec());
        let OutgoingChannel { service_name, bindings } = request.channel;
        let (mut service_name, mut bindings) = (service_name.to_vec(), bindings.to_vec());
        let mut input = [
            SecBuffer::new(BufferType::TOKEN, &mut challenge),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::null(BufferType::PKG_PARAMS),
            SecBuffer::new(BufferType::TARGET_HOST.read_only(), &mut service_name),
            SecBuffer::new(BufferType::CHANNEL_BINDINGS.read_only(), &mut bindings),
        ];
        let mut memory = vec![0; self.initiator.room(request)];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let before = self.state();
        let result = package.initialize_security_context(
            Some(*credential),
            Some(self.handle),
            Some(request.target),
            *requirements,
            Some(&mut SecBufferDesc::new(&mut input)),
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        let response = output.iter().find_map(SecBuffer::bytes).unwrap_or_default().to_vec();
        self.initiator.record_initialize(before, result.is_ok().then_some(&response), &result);
        if result?.status.is_completion_due() { self.complete(response, request) } else { Ok(response) }
    }

    /// MakeSignature: the value of Authorization for a further request of an established context.
    ///
    /// # Errors
    /// MakeSignature failed.
    pub fn sign(&self, request: &OutgoingRequest<'_>) -> Result<Vec<u8>, Failure> {
        let (mut method, mut target) = (request.method.to_vec(), request.target.to_vec());
        let mut entity = hex(&md5(&[request.body]));
        let mut memory = vec![0; self.initiator.room(request)];
        let mut buffers = [
            SecBuffer::null(BufferType::TOKEN),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut target),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut entity),
            SecBuffer::new(BufferType::PADDING, &mut memory),
        ];
        let before = self.state();
        let result =
            self.initiator.package.make_signature(Some(self.handle), Some(&mut SecBufferDesc::new(&mut buffers)));
        let header = buffers.last().and_then(SecBuffer::bytes).unwrap_or_default().to_vec();
        let count = if result.is_ok() { self.initiator.count(&header) } else { None };
        self.record(SspiCall::MakeSignature, before, count, &result);
        result.map(|()| header)
    }

    /// Checks the server's proof: the value of Authentication-Info, empty if there was none.
    ///
    /// # Errors
    /// InitializeSecurityContext failed: SEC_E_WRONG_PRINCIPAL without a proof, SEC_E_MESSAGE_ALTERED for a wrong one.
    pub fn verify(&self, info: &[u8], request: &OutgoingRequest<'_>, response_body: &[u8]) -> Result<(), Failure> {
        let Initiator { package, credential, requirements, .. } = &*self.initiator;
        let (mut info, mut method) = (info.to_vec(), request.method.to_vec());
        let mut entity = hex(&md5(&[response_body]));
        let mut input = [
            SecBuffer::new(BufferType::TOKEN, &mut info),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut entity),
        ];
        let before = self.state();
        let result = package.initialize_security_context(
            Some(*credential),
            Some(self.handle),
            Some(request.target),
            *requirements,
            Some(&mut SecBufferDesc::new(&mut input)),
            None,
        );
        self.initiator.record_initialize(before, None, &result);
        result.map(|_| ())
    }

    /// CompleteAuthToken: overwrites the zeros of a response in place.
    fn complete(&self, mut response: Vec<u8>, request: &OutgoingRequest<'_>) -> Result<Vec<u8>, Failure> {
        let (mut method, mut target) = (request.method.to_vec(), request.target.to_vec());
        let mut entity = hex(&md5(&[request.body]));
        let count = self.initiator.count(&response);
        let mut buffers = [
            SecBuffer::new(BufferType::TOKEN, &mut response),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut target),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut entity),
        ];
        let before = self.state();
        let message = &mut SecBufferDesc::new(&mut buffers);
        let result = self.initiator.package.complete_auth_token(Some(self.handle), Some(message));
        self.record(SspiCall::CompleteAuthToken, before, count, &result);
        result.map(|()| response)
    }

    fn state(&self) -> &'static str {
        self.initiator.state(self.handle)
    }

    fn record(&self, call: SspiCall, before: &'static str, count: Option<[u8; 8]>, result: &Result<(), Failure>) {
        let record = CallRecord::of(call, (before, self.state()), count, result, |()| SecurityStatus::SEC_E_OK);
        self.initiator.log.record(&record);
    }
}

impl Drop for InitiatorContext {
    fn drop(&mut self) {
        let before = self.state();
        let result = self.initiator.package.delete_security_context(Some(self.handle));
        self.record(SspiCall::DeleteSecurityContext, before, None, &result);
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Initiator").field("requirements", &self.requirements).finish_non_exhaustive()
    }
}

impl fmt::Debug for InitiatorContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InitiatorContext").field("state", &self.state()).finish_non_exhaustive()
    }
}
