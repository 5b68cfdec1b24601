//! Account sources and environments are foreign code: where they panic, nothing is pinned for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use digest_ssp::buffer::{BufferType, CredHandle, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::{Challenge, Limits, Timestamp, sasl};
use digest_ssp::package::accounts::{Account, AccountSource, AccountSourceUnavailable, MemoryAccounts};
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::credentials::SECPKG_CRED_INBOUND;
use digest_ssp::package::environment::{Environment, EnvironmentError, SystemEnvironment};
use digest_ssp::package::{AcceptRequirements, Accepted, Failure, SecurityPackage};
use digest_ssp::status::SecurityStatus as Status;

const SASL: AcceptRequirements = AcceptRequirements::empty();

/// Works until it is told not to.
#[derive(Clone, Default)]
struct Wrong {
    accounts: Arc<AtomicBool>,
    clock: Arc<AtomicBool>,
}

impl AccountSource for Wrong {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        assert!(!self.accounts.load(Ordering::SeqCst), "as foreign code may");
        let mut accounts = MemoryAccounts::new();
        accounts.insert("alice", "test", "secret");
        accounts.lookup(username, realm)
    }
}

impl Environment for Wrong {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        assert!(!self.clock.load(Ordering::SeqCst), "as foreign code may");
        SystemEnvironment.now()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        SystemEnvironment.fill(bytes)
    }
}

struct Server {
    package: SecurityPackage,
    credential: CredHandle,
    wrong: Wrong,
}

impl Server {
    fn new() -> Self {
        let wrong = Wrong::default();
        let configuration = Configuration { realm: "test".to_owned(), ..Configuration::default() };
        let package = SecurityPackage::new(configuration, wrong.clone(), wrong.clone());
        let acquired = package.acquire_credentials_handle(None, "WDigest", SECPKG_CRED_INBOUND, None, None);
        Self { package, credential: acquired.expect("inbound credentials need nobody").credential, wrong }
    }

    fn accept(&self, token: &[u8], requirements: AcceptRequirements) -> (Result<Accepted, Failure>, Vec<u8>) {
        let (mut token, mut method, mut memory) = (token.to_vec(), b"GET".to_vec(), vec![0; 2048]);
        let mut input =
            [SecBuffer::new(BufferType::TOKEN, &mut token), SecBuffer::new(BufferType::PKG_PARAMS, &mut method)];
        let mut output = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
        let result = self.package.accept_security_context(
            Some(self.credential),
            None,
            Some(&mut SecBufferDesc::new(&mut input)),
            requirements,
            Some(&mut SecBufferDesc::new(&mut output)),
        );
        (result, output[0].bytes().unwrap_or_default().to_vec())
    }

    fn complete(&self, context: CtxtHandle, token: &[u8]) -> Result<(), Failure> {
        let (mut token, mut method, mut entity) = (token.to_vec(), b"GET".to_vec(), [b'0'; 32]);
        let mut memory = vec![0; 2048];
        let mut buffers = [
            SecBuffer::new(BufferType::TOKEN, &mut token),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut method),
            SecBuffer::null(BufferType::PKG_PARAMS),
            SecBuffer::new(BufferType::PKG_PARAMS, &mut entity),
            SecBuffer::new(BufferType::TOKEN, &mut memory),
        ];
        self.package.complete_auth_token(Some(context), Some(&mut SecBufferDesc::new(&mut buffers)))
    }
}

/// Runs a call in which foreign code panics.
fn panics<T>(call: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "foreign code was not asked");
}

/// A response of no value: nobody comes to judge it.
fn sasl_response(challenge: &[u8], count: u32) -> Vec<u8> {
    let nonce = sasl::Challenge::parse(challenge, &Limits::default()).expect("a challenge").nonce;
    let user = digest_ssp::digest::UserHash::new("alice", "test", "secret");
    let fields = sasl::ResponseFields {
        username: "alice",
        realm: Some("test"),
        nonce: &nonce,
        cnonce: b"c",
        nc: count,
        qop: sasl::Qop::Auth,
        cipher: None,
        maxbuf: None,
        digest_uri: b"imap/host",
        charset: digest_ssp::digest::Charset::Utf8,
        authzid: None,
    };
    let key = digest_ssp::digest::SessionKey::sasl(&user, &nonce, b"c", None);
    let mut token = Vec::new();
    let digits = digest_ssp::digest::hash::hex(&fields.digest(&key));
    fields.write(&digits, &mut token).expect("a response that can be written");
    token
}

#[test]
fn a_first_call_leaves_nothing_behind() {
    let server = Server::new();
    let (challenged, challenge) = server.accept(b"", SASL);
    let token = sasl_response(&challenge, 1);
    server.wrong.accounts.store(true, Ordering::SeqCst);
    panics(|| server.accept(&token, SASL));
    assert_eq!(server.package.sessions(), (1, 0), "the challenge can be answered still, and nobody refers to it");
    server.wrong.accounts.store(false, Ordering::SeqCst);
    assert_eq!(server.accept(&token, SASL).0.expect("a right response").status, Status::SEC_E_OK);
    server.package.delete_security_context(challenged.ok().map(|accepted| accepted.context)).expect("live");
}

/// The context is lost, and with it what it referred to.
fn assert_lost(server: &Server, context: CtxtHandle, references: usize) {
    assert_eq!(server.complete(context, b"x").map_err(|failure| failure.status), Err(Status::SEC_E_INVALID_HANDLE));
    assert_eq!(server.package.sessions().1, references);
    server.package.delete_security_context(Some(context)).expect("it was a handle once");
}

#[test]
fn a_completion_on_http_is_lost() {
    let server = Server::new();
    let requirements = AcceptRequirements::HTTP | AcceptRequirements::INTEGRITY;
    let (_, challenge) = server.accept(b"", requirements);
    let Challenge { nonce, opaque, .. } = Challenge::parse(&challenge, &Limits::default()).expect("a challenge");
    let [nonce, opaque] = [nonce, opaque.unwrap_or_default()].map(|value| String::from_utf8_lossy(&value).into_owned());
    let token = format!(
        "username=alice,realm=test,nonce=\"{nonce}\",uri=\"/\",qop=auth-int,nc=00000001,cnonce=c,response={},\
         opaque=\"{opaque}\",charset=utf-8",
        "0".repeat(32)
    );
    let pending = server.accept(token.as_bytes(), requirements).0.expect("it names the challenge");
    assert_eq!((pending.status, server.package.sessions().1), (Status::SEC_I_COMPLETE_NEEDED, 1));
    server.wrong.accounts.store(true, Ordering::SeqCst);
    panics(|| server.complete(pending.context, token.as_bytes()));
    assert_lost(&server, pending.context, 0);
}

#[test]
fn a_completion_on_sasl_is_lost_and_its_session_is_not() {
    let server = Server::new();
    let (_, challenge) = server.accept(b"", SASL);
    let established = server.accept(&sasl_response(&challenge, 1), SASL).0.expect("a right response");
    assert_eq!(established.status, Status::SEC_E_OK);
    let further = sasl_response(&challenge, 2);
    let pending = server.accept(&further, SASL).0.expect("it names the session");
    assert_eq!((pending.status, server.package.sessions().1), (Status::SEC_I_COMPLETE_NEEDED, 2));
    // A count that is out of sequence is answered with a challenge, which needs the time.
    server.wrong.clock.store(true, Ordering::SeqCst);
    panics(|| server.complete(pending.context, &sasl_response(&challenge, 9)));
    assert_lost(&server, pending.context, 1);
    server.wrong.clock.store(false, Ordering::SeqCst);
    let pending = server.accept(&further, SASL).0.expect("it names the session");
    server.complete(pending.context, &further).expect("the next count");
}
