//! A server with a deterministic environment, and a client that signs by hand.
#![allow(dead_code, reason = "each test program uses its part: tests/interleavings is another")]

pub(crate) mod sasl;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use digest_ssp::buffer::{BufferType, CredHandle, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::directives::{Limits as TokenLimits, directives};
use digest_ssp::digest::hash::{hex, md5};
use digest_ssp::digest::{Challenge, Timestamp};
use digest_ssp::package::accounts::{Account, AccountSource, AccountSourceUnavailable, MemoryAccounts};
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::credentials::{SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND};
use digest_ssp::package::environment::{Environment, EnvironmentError};
use digest_ssp::package::{
    AcceptRequirements, Accepted, AuthIdentity, Failure, InitializeRequirements, Initialized, SecurityPackage,
};
use digest_ssp::status::SecurityStatus;

pub(crate) const HTTP: AcceptRequirements = AcceptRequirements::HTTP;
pub(crate) const AUTH_INT: AcceptRequirements = AcceptRequirements::HTTP.union(AcceptRequirements::INTEGRITY);
pub(crate) const REALM: &str = "realm";

/// What a test turns.
#[derive(Debug, Default)]
pub(crate) struct Knobs {
    pub(crate) now: AtomicU64,
    pub(crate) drawn: AtomicU64,
    pub(crate) clock_down: AtomicBool,
    pub(crate) entropy_down: AtomicBool,
    pub(crate) accounts_down: AtomicBool,
}

pub(crate) struct TestEnvironment(pub(crate) Arc<Knobs>);

impl Environment for TestEnvironment {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        if self.0.clock_down.load(Ordering::SeqCst) {
            return Err(EnvironmentError::Clock);
        }
        Ok(Timestamp(self.0.now.load(Ordering::SeqCst)))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        if self.0.entropy_down.load(Ordering::SeqCst) {
            return Err(EnvironmentError::Entropy);
        }
        for chunk in bytes.chunks_mut(8) {
            let word = self.0.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

struct TestAccounts(Arc<Knobs>, MemoryAccounts);

impl AccountSource for TestAccounts {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        if self.0.accounts_down.load(Ordering::SeqCst) {
            return Err(AccountSourceUnavailable);
        }
        self.1.lookup(username, realm)
    }
}

pub(crate) struct Server {
    pub(crate) package: SecurityPackage,
    pub(crate) knobs: Arc<Knobs>,
    pub(crate) credential: CredHandle,
}

impl Default for Server {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl Server {
    pub(crate) fn new(configure: impl FnOnce(&mut Configuration)) -> Self {
        Self::with_accounts(configure, &[("alice", REALM, "secret"), ("j\u{fc}rgen", REALM, "p\u{e4}ss\u{ff}")])
    }

    /// With these users, each in its realm with its password.
    pub(crate) fn with_accounts(configure: impl FnOnce(&mut Configuration), users: &[(&str, &str, &str)]) -> Self {
        let knobs = Arc::new(Knobs::default());
        knobs.now.store(1_000_000, Ordering::SeqCst);
        let mut configuration = Configuration { realm: REALM.to_owned(), ..Configuration::default() };
        configure(&mut configuration);
        let mut accounts = MemoryAccounts::new();
        for (user, realm, password) in users {
            accounts.insert(user, realm, password);
        }
        let accounts = TestAccounts(Arc::clone(&knobs), accounts);
        let package = SecurityPackage::new(configuration, accounts, TestEnvironment(Arc::clone(&knobs)));
        let credential = acquire_inbound(&package, None);
        Self { package, knobs, credential }
    }

    /// Lets the nonces of now expire, by one millisecond.
    pub(crate) fn expire(&self) {
        let lifetime = self.package.configuration().nonce_lifetime.as_millis();
        let step = u64::try_from(lifetime).expect("the tests use short lifetimes") + 1;
        self.knobs.now.fetch_add(step, Ordering::SeqCst);
    }

    pub(crate) fn accept(
        &self,
        context: Option<CtxtHandle>,
        input: &Input<'_>,
    ) -> (Result<Accepted, Failure>, Vec<u8>) {
        let mut parts = [input.token, input.method, b"", input.entity, input.realm].map(<[u8]>::to_vec);
        let kinds = [BufferType::TOKEN, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS];
        let kinds = kinds.into_iter().chain([BufferType::PKG_PARAMS]);
        let mut buffers: Vec<SecBuffer<'_>> =
            kinds.zip(&mut parts).map(|(kind, part)| SecBuffer::new(kind.read_only(), part)).collect();
        let mut bindings = input.bindings.to_vec();
        if !bindings.is_empty() {
            buffers.push(SecBuffer::new(BufferType::CHANNEL_BINDINGS.read_only(), &mut bindings));
        }
        let mut memory = vec![0xAA; input.capacity];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let mut output_descriptor = SecBufferDesc::new(&mut output);
        let result = self.package.accept_security_context(
            Some(input.credential.unwrap_or(self.credential)),
            context,
            Some(&mut SecBufferDesc::new(&mut buffers)),
            input.requirements,
            if input.capacity == 0 { None } else { Some(&mut output_descriptor) },
        );
        (result, written(&output[0]))
    }

    /// Accepts with an empty token: the challenge and its handle.
    pub(crate) fn challenge(&self, requirements: AcceptRequirements) -> (CtxtHandle, Challenge) {
        let (result, output) = self.accept(None, &Input { requirements, ..Input::default() });
        let accepted = result.expect("an empty token gets a challenge");
        assert_eq!(accepted.status, SecurityStatus::SEC_I_CONTINUE_NEEDED);
        (accepted.context, parse(&output))
    }

    /// An established session with its handle, after one request with nonce count 1.
    pub(crate) fn establish(&self, client: &Client) -> (CtxtHandle, Challenge) {
        let (first, challenge) = self.challenge(client.requirements());
        let token = client.token(&challenge, 1);
        let (result, _) = self.accept(None, &client.input(&token));
        let accepted = result.expect("a right response");
        assert_eq!(accepted.status, SecurityStatus::SEC_E_OK);
        self.package.delete_security_context(Some(first)).expect("a live handle");
        (accepted.context, challenge)
    }

    /// An answer that waits for the body, and so for its completion.
    pub(crate) fn pending(&self, client: &Client, token: &[u8]) -> CtxtHandle {
        let (result, output) = self.accept(None, &Input { entity: b"", ..client.input(token) });
        let accepted = result.expect("a token that answers, or names a session");
        assert_eq!(accepted.status, SecurityStatus::SEC_I_COMPLETE_NEEDED);
        assert!(output.is_empty(), "nothing is written, and cbBuffer says so");
        accepted.context
    }

    pub(crate) fn complete(&self, context: CtxtHandle, message: &Message<'_>) -> (Result<(), Failure>, Vec<u8>) {
        let mut parts = [message.token, message.method, message.target, message.entity].map(<[u8]>::to_vec);
        let kinds = [BufferType::TOKEN, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS];
        let mut memory = vec![0xAA; message.capacity];
        let mut buffers: Vec<SecBuffer<'_>> =
            kinds.into_iter().zip(&mut parts).map(|(kind, part)| SecBuffer::new(kind, part)).collect();
        buffers.push(SecBuffer::new(BufferType::TOKEN, &mut memory));
        let mut bindings = message.bindings.to_vec();
        if !bindings.is_empty() {
            buffers.push(SecBuffer::new(BufferType::CHANNEL_BINDINGS, &mut bindings));
        }
        let result = self.package.complete_auth_token(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        (result, written(&buffers[4]))
    }

    pub(crate) fn state(&self, context: CtxtHandle) -> &'static str {
        self.package.state(context).unwrap_or("none")
    }
}

pub(crate) fn acquire_inbound(package: &SecurityPackage, principal: Option<&str>) -> CredHandle {
    package
        .acquire_credentials_handle(principal, "WDigest", SECPKG_CRED_INBOUND, None, None)
        .expect("inbound credentials need nothing")
        .credential
}

/// What an output buffer holds after a call; 0xAA where it was left alone.
fn written(buffer: &SecBuffer<'_>) -> Vec<u8> {
    buffer.bytes().unwrap_or_default().to_vec()
}

/// Whether an output buffer was left alone.
pub(crate) fn untouched(output: &[u8]) -> bool {
    !output.is_empty() && output.iter().all(|octet| *octet == 0xAA)
}

pub(crate) fn parse(token: &[u8]) -> Challenge {
    Challenge::parse(token, &TokenLimits::default()).expect("the package writes challenges that parse")
}

/// The unescaped value of a directive of a token.
pub(crate) fn directive(token: &[u8], name: &str) -> Option<String> {
    directives(token, &TokenLimits::default())
        .map(|directive| directive.expect("a well-formed token"))
        .find(|directive| directive.is(name))
        .map(|directive| String::from_utf8(directive.unescaped().into_owned()).expect("the tests use UTF-8"))
}

/// AcceptSecurityContext's input, all good.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) token: &'a [u8],
    pub(crate) method: &'a [u8],
    pub(crate) entity: &'a [u8],
    pub(crate) realm: &'a [u8],
    /// A buffer of its own, unless it is empty.
    pub(crate) bindings: &'a [u8],
    pub(crate) capacity: usize,
    pub(crate) requirements: AcceptRequirements,
    pub(crate) credential: Option<CredHandle>,
}

impl Default for Input<'_> {
    fn default() -> Self {
        Self {
            token: b"",
            method: b"GET",
            entity: b"",
            realm: b"",
            bindings: b"",
            capacity: 2048,
            requirements: HTTP,
            credential: None,
        }
    }
}

/// CompleteAuthToken's message, all good but for the token.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) token: &'a [u8],
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) entity: &'a [u8],
    /// A buffer of its own, unless it is empty.
    pub(crate) bindings: &'a [u8],
    pub(crate) capacity: usize,
}

impl Default for Message<'_> {
    fn default() -> Self {
        Self { token: b"", method: b"GET", target: b"/index", entity: b"", bindings: b"", capacity: 2048 }
    }
}

/// A client that signs by hand: every directive can be wrong before or after the seal.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: String,
    pub(crate) uri: String,
    pub(crate) method: String,
    pub(crate) qop: &'static str,
    pub(crate) cnonce: String,
    /// H(Entity) in hexadecimal digits.
    pub(crate) entity: String,
    pub(crate) algorithm: Option<&'static str>,
    /// Appended as it is.
    pub(crate) more: String,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            username: "alice".to_owned(),
            password: "secret".to_owned(),
            realm: REALM.to_owned(),
            uri: "/index".to_owned(),
            method: "GET".to_owned(),
            qop: "auth",
            cnonce: "0a4f113b".to_owned(),
            entity: hex_text(&md5(&[b"body"])),
            algorithm: Some("MD5"),
            more: String::new(),
        }
    }
}

impl Client {
    pub(crate) fn auth_int() -> Self {
        Self { qop: "auth-int", ..Self::default() }
    }

    pub(crate) fn requirements(&self) -> AcceptRequirements {
        if self.qop == "auth-int" { AUTH_INT } else { HTTP }
    }

    pub(crate) fn input<'a>(&'a self, token: &'a [u8]) -> Input<'a> {
        Input {
            token,
            method: self.method.as_bytes(),
            entity: self.entity.as_bytes(),
            requirements: self.requirements(),
            ..Input::default()
        }
    }

    pub(crate) fn message<'a>(&'a self, token: &'a [u8]) -> Message<'a> {
        Message {
            token,
            method: self.method.as_bytes(),
            target: self.uri.as_bytes(),
            entity: self.entity.as_bytes(),
            ..Message::default()
        }
    }

    /// H(A1), as the RFCs have it.
    pub(crate) fn key(&self, nonce: &str) -> String {
        let user = hex_text(&md5(&[format!("{}:{}:{}", self.username, self.realm, self.password).as_bytes()]));
        match self.algorithm {
            Some("MD5-sess") => hex_text(&md5(&[format!("{user}:{nonce}:{}", self.cnonce).as_bytes()])),
            Some(_) | None => user,
        }
    }

    pub(crate) fn seal(&self, key: &str, nonce: &str, count: &str, method: &str, entity: &str) -> String {
        let mut a2 = format!("{method}:{}", self.uri);
        if self.qop == "auth-int" {
            a2 = format!("{a2}:{entity}");
        }
        let a2 = hex_text(&md5(&[a2.as_bytes()]));
        let data = format!("{key}:{nonce}:{count}:{}:{}:{a2}", self.cnonce, self.qop);
        hex_text(&md5(&[data.as_bytes()]))
    }

    pub(crate) fn token(&self, challenge: &Challenge, count: u32) -> Vec<u8> {
        self.token_with_key(&self.key(&text(&challenge.nonce)), challenge, count)
    }

    pub(crate) fn token_with_key(&self, key: &str, challenge: &Challenge, count: u32) -> Vec<u8> {
        let nonce = text(&challenge.nonce);
        let opaque = text(challenge.opaque.as_deref().unwrap_or_default());
        let count = format!("{count:08x}");
        let response = self.seal(key, &nonce, &count, &self.method, &self.entity);
        let Self { username, realm, uri, qop, cnonce, more, .. } = self;
        let mut token = format!(
            "username=\"{username}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"{uri}\",cnonce=\"{cnonce}\",\
             nc={count},qop={qop},response=\"{response}\",opaque=\"{opaque}\""
        );
        if let Some(algorithm) = self.algorithm {
            token = format!("{token},algorithm={algorithm}");
        }
        format!("{token}{more}").into_bytes()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the package writes ASCII")
}

pub(crate) fn hex_text(bytes: &[u8; 16]) -> String {
    text(&hex(bytes))
}

/// The status of a call that should have failed.
pub(crate) fn status<T: std::fmt::Debug>(result: &Result<T, Failure>) -> SecurityStatus {
    match result {
        Ok(value) => panic!("it succeeded: {value:?}"),
        Err(failure) => failure.status,
    }
}

/// The initiator's side of a package.
pub(crate) struct Peer {
    pub(crate) package: SecurityPackage,
    pub(crate) knobs: Arc<Knobs>,
    pub(crate) credential: CredHandle,
}

/// InitializeSecurityContext's input, all good but for the token.
#[derive(Clone, Copy)]
pub(crate) struct Offer<'a> {
    pub(crate) token: Option<&'a [u8]>,
    pub(crate) method: &'a [u8],
    pub(crate) entity: &'a [u8],
    pub(crate) target: &'a [u8],
    /// Buffers of their own, unless they are empty.
    pub(crate) target_host: &'a [u8],
    pub(crate) bindings: &'a [u8],
    pub(crate) capacity: usize,
    pub(crate) requirements: InitializeRequirements,
}

impl Default for Offer<'_> {
    fn default() -> Self {
        Self {
            token: None,
            method: b"GET",
            entity: b"",
            target: b"/index",
            target_host: b"",
            bindings: b"",
            capacity: 2048,
            requirements: InitializeRequirements::HTTP,
        }
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::new("alice", "secret")
    }
}

impl Peer {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self::configured(user, password, |_| {})
    }

    pub(crate) fn configured(user: &str, password: &str, configure: impl FnOnce(&mut Configuration)) -> Self {
        let Server { package, knobs, .. } = Server::new(configure);
        // Another sequence of cnonces than the server has of nonces.
        knobs.drawn.store(1 << 32, Ordering::SeqCst);
        let identity = AuthIdentity::new(user, "", password);
        let acquired = package.acquire_credentials_handle(None, "wdigest", SECPKG_CRED_OUTBOUND, None, Some(&identity));
        let credential = acquired.expect("an identity with a user").credential;
        Self { package, knobs, credential }
    }

    pub(crate) fn initialize(
        &self,
        context: Option<CtxtHandle>,
        offer: &Offer<'_>,
    ) -> (Result<Initialized, Failure>, Vec<u8>) {
        let mut token = offer.token.unwrap_or_default().to_vec();
        let mut parts = [offer.method, offer.entity].map(<[u8]>::to_vec);
        let mut buffers = Vec::new();
        if offer.token.is_some() {
            buffers.push(SecBuffer::new(BufferType::TOKEN, &mut token));
        }
        buffers.extend(parts.iter_mut().map(|part| SecBuffer::new(BufferType::PKG_PARAMS, part)));
        let mut channel = [offer.target_host, offer.bindings].map(<[u8]>::to_vec);
        let kinds = [BufferType::TARGET_HOST, BufferType::CHANNEL_BINDINGS];
        let channel = kinds.into_iter().zip(&mut channel).filter(|(_, part)| !part.is_empty());
        buffers.extend(channel.map(|(kind, part)| SecBuffer::new(kind, part)));
        let mut memory = vec![0xAA; offer.capacity];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let mut output_descriptor = SecBufferDesc::new(&mut output);
        let result = self.package.initialize_security_context(
            Some(self.credential),
            context,
            Some(offer.target),
            offer.requirements,
            Some(&mut SecBufferDesc::new(&mut buffers)),
            if offer.capacity == 0 { None } else { Some(&mut output_descriptor) },
        );
        (result, written(&output[0]))
    }

    /// Completes an own token in place; gives back what the buffer holds then.
    pub(crate) fn complete(&self, context: CtxtHandle, message: &Message<'_>) -> (Result<(), Failure>, Vec<u8>) {
        let mut parts = [message.token, message.method, message.target, message.entity].map(<[u8]>::to_vec);
        let kinds = [BufferType::TOKEN, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS];
        let mut buffers: Vec<SecBuffer<'_>> =
            kinds.into_iter().zip(&mut parts).map(|(kind, part)| SecBuffer::new(kind, part)).collect();
        let result = self.package.complete_auth_token(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        (result, written(&buffers[0]))
    }

    pub(crate) fn sign(&self, context: CtxtHandle, message: &Message<'_>) -> (Result<(), Failure>, Vec<u8>) {
        let mut parts = [&b""[..], message.method, message.target, message.entity].map(<[u8]>::to_vec);
        let kinds = [BufferType::TOKEN, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS, BufferType::PKG_PARAMS];
        let mut memory = vec![0xAA; message.capacity];
        let mut buffers: Vec<SecBuffer<'_>> =
            kinds.into_iter().zip(&mut parts).map(|(kind, part)| SecBuffer::new(kind, part)).collect();
        buffers.push(SecBuffer::new(BufferType::PADDING, &mut memory));
        let result = self.package.make_signature(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)));
        (result, written(&buffers[4]))
    }

    pub(crate) fn state(&self, context: CtxtHandle) -> &'static str {
        self.package.state(context).unwrap_or("none")
    }
}
