//! Calls and outcomes made by hand, and a bench that holds the shadow's verdicts against expected ones.

use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::hash::{hex, md5};
use digest_ssp::digest::{A2, Algorithm, Charset, Protection, Qop, ResponseFields, SessionKey, UserHash, nc_value};
use digest_ssp::spec::call::{AuthIdentity, Buffer, Call, Descriptor, Outcome};
use digest_ssp::spec::shadow::Judgement;
use digest_ssp::spec::vocabulary::Fact;
use digest_ssp::spec::{Setup, Shadow, Specification, Verdict};
use digest_ssp::status::SecurityStatus as Status;
use std::sync::{Arc, LazyLock};

/// ASC_REQ_HTTP, ISC_REQ_HTTP.
pub(crate) const HTTP: u32 = 0x1000_0000;
/// ASC_REQ_INTEGRITY.
pub(crate) const ASC_INTEGRITY: u32 = 0x2_0000;
/// ISC_REQ_INTEGRITY.
pub(crate) const ISC_INTEGRITY: u32 = 0x1_0000;
/// ISC_REQ_MUTUAL_AUTH.
pub(crate) const ISC_MUTUAL_AUTH: u32 = 0x2;
/// Room enough for every output.
pub(crate) const ROOM: usize = 2048;
/// The slot of CompleteAuthToken's output.
pub(crate) const SLOT_4: usize = 4;

static TABLES: LazyLock<Arc<Specification>> =
    LazyLock::new(|| Arc::new(Specification::embedded().expect("the tables of this crate load")));

/// A handle of that number.
pub(crate) fn handle(number: u64) -> SecHandle {
    SecHandle { lower: number, upper: 1 }
}

/// A buffer of that type.
pub(crate) fn buffer(buffer_type: BufferType, bytes: &[u8]) -> Buffer {
    if bytes.is_empty() { Buffer::null(buffer_type) } else { Buffer::new(buffer_type, bytes.to_vec()) }
}

/// An output buffer of that capacity.
pub(crate) fn room(buffer_type: BufferType, capacity: usize) -> Buffer {
    buffer(buffer_type, &vec![0xAA; capacity])
}

/// A response in the making: everything it is sealed over.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) username: String,
    pub(crate) realm: String,
    pub(crate) password: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) opaque: Vec<u8>,
    pub(crate) method: Vec<u8>,
    pub(crate) uri: Vec<u8>,
    pub(crate) qop: Qop,
    pub(crate) nc: u32,
    pub(crate) cnonce: Vec<u8>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) charset: Charset,
    /// H(A1), where it is not made from the password, nonce and cnonce of this request.
    pub(crate) key: Option<SessionKey>,
    /// H(Entity) that the digest covers.
    pub(crate) entity: [u8; 16],
    /// RFC 7616 clients hash UTF-8 throughout.
    pub(crate) utf8_hash: bool,
}

impl Request {
    /// What alice sends first.
    pub(crate) fn answering(issued: &Issued) -> Self {
        Self {
            username: "alice".into(),
            realm: "digest-ssp".into(),
            password: "secret".into(),
            nonce: issued.nonce.clone(),
            opaque: issued.opaque.clone(),
            method: b"GET".to_vec(),
            uri: b"/dir/index.html".to_vec(),
            qop: issued.qop,
            nc: 1,
            cnonce: b"0a4f113b".to_vec(),
            algorithm: None,
            charset: Charset::Iso8859_1,
            key: None,
            entity: md5(&[b"body"]),
            utf8_hash: false,
        }
    }

    /// The same with another count.
    pub(crate) fn counted(&self, nc: u32) -> Self {
        Self { nc, ..self.clone() }
    }

    /// H(A1).
    pub(crate) fn session_key(&self) -> SessionKey {
        let hash = if self.utf8_hash { UserHash::utf8 } else { UserHash::new };
        let user = hash(&self.username, &self.realm, &self.password);
        let fresh = || SessionKey::new(self.algorithm.unwrap_or(Algorithm::Md5), &user, &self.nonce, &self.cnonce);
        self.key.clone().unwrap_or_else(fresh)
    }

    fn digest(&self, method: &[u8]) -> [u8; 16] {
        let a2 = match self.qop {
            Qop::Auth => A2::Auth { method, uri: &self.uri },
            Qop::AuthInt => A2::AuthInt { method, uri: &self.uri, entity: &self.entity },
        };
        let nc = nc_value(self.nc);
        let protection = Protection { qop: self.qop.as_str().as_bytes(), nc: &nc, cnonce: &self.cnonce };
        self.session_key().response(&self.nonce, &protection, &a2)
    }

    /// The token.
    pub(crate) fn token(&self) -> Vec<u8> {
        self.token_with_digest(self.digest(&self.method))
    }

    /// The token with a digest that is nobody's.
    pub(crate) fn forged(&self) -> Vec<u8> {
        self.token_with_digest([0x55; 16])
    }

    pub(crate) fn token_with_digest(&self, digest: [u8; 16]) -> Vec<u8> {
        let mut token = Vec::new();
        ResponseFields {
            username: &self.username,
            realm: &self.realm,
            nonce: &self.nonce,
            uri: &self.uri,
            protection: Some((self.qop, self.nc, &self.cnonce)),
            response: &hex(&digest),
            opaque: Some(&self.opaque),
            algorithm: self.algorithm,
            charset: self.charset,
            extended: None,
        }
        .write(&mut token)
        .expect("what the tests write can stand in a token");
        token
    }

    /// The Authentication-Info that proves the server (RFC 2617 3.2.3; A2 without a method).
    pub(crate) fn authentication_info(&self) -> Vec<u8> {
        let rspauth = String::from_utf8_lossy(&hex(&self.digest(b""))).into_owned();
        format!("rspauth=\"{rspauth}\"").into_bytes()
    }
}

/// A challenge that the subject put out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) nonce: Vec<u8>,
    pub(crate) opaque: Vec<u8>,
    pub(crate) qop: Qop,
    pub(crate) realm: String,
    pub(crate) algorithm: Algorithm,
}

impl Issued {
    /// The token.
    pub(crate) fn token(&self, stale: bool) -> Vec<u8> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let stale = if stale { ",stale=true" } else { "" };
        format!(
            "realm=\"{}\",nonce=\"{}\",opaque=\"{}\"{stale},algorithm={},qop=\"{}\"",
            self.realm,
            text(&self.nonce),
            text(&self.opaque),
            self.algorithm.as_str(),
            self.qop.as_str(),
        )
        .into_bytes()
    }
}

/// An outcome, built step by step.
pub(crate) trait OutcomeExt {
    /// A handle came back.
    fn with_handle(self, handle: SecHandle) -> Outcome;
    /// A buffer of the output descriptor holds these bytes.
    fn writing(self, position: usize, bytes: &[u8]) -> Outcome;
    /// A buffer of the input descriptor holds these bytes.
    fn writing_input(self, position: usize, bytes: &[u8]) -> Outcome;
}

fn write(descriptor: &mut Option<Descriptor>, position: usize, bytes: &[u8]) {
    let buffers = descriptor.as_mut().and_then(|descriptor| descriptor.buffers.as_mut()).expect("there are buffers");
    let buffer = &mut buffers[position];
    let data = buffer.data.get_or_insert_default();
    if data.len() < bytes.len() {
        data.resize(bytes.len(), 0);
    }
    data[..bytes.len()].copy_from_slice(bytes);
    buffer.count = u32::try_from(bytes.len()).expect("short");
}

impl OutcomeExt for Outcome {
    fn with_handle(mut self, handle: SecHandle) -> Outcome {
        self.handle = Some(handle);
        self
    }

    fn writing(mut self, position: usize, bytes: &[u8]) -> Outcome {
        write(&mut self.output, position, bytes);
        self
    }

    fn writing_input(mut self, position: usize, bytes: &[u8]) -> Outcome {
        write(&mut self.input, position, bytes);
        self
    }
}

/// AcceptSecurityContext as an HTTP server calls it: TOKEN, method, reserved, HEntity, realm; output TOKEN.
pub(crate) fn accept(credential: SecHandle, context: Option<SecHandle>, token: &[u8]) -> Call {
    accept_with(credential, context, HTTP, token, b"GET", b"")
}

/// The same with flags, method and HEntity.
pub(crate) fn accept_with(
    credential: SecHandle,
    context: Option<SecHandle>,
    requirements: u32,
    token: &[u8],
    method: &[u8],
    entity: &[u8],
) -> Call {
    Call::AcceptSecurityContext {
        credential: Some(credential),
        context,
        requirements,
        input: Some(Descriptor::new(vec![
            buffer(BufferType::TOKEN, token),
            buffer(BufferType::PKG_PARAMS, method),
            buffer(BufferType::PKG_PARAMS, b""),
            buffer(BufferType::PKG_PARAMS, entity),
            buffer(BufferType::PKG_PARAMS, b""),
        ])),
        output: Some(Descriptor::new(vec![room(BufferType::TOKEN, ROOM)])),
    }
}

/// CompleteAuthToken as an HTTP server calls it: TOKEN, method, target, HEntity, output TOKEN.
pub(crate) fn complete(context: SecHandle, token: &[u8]) -> Call {
    complete_with(context, token, b"GET", b"", b"", ROOM)
}

/// The same with method, target, HEntity and the capacity of the output.
pub(crate) fn complete_with(
    context: SecHandle,
    token: &[u8],
    method: &[u8],
    target: &[u8],
    entity: &[u8],
    capacity: usize,
) -> Call {
    Call::CompleteAuthToken {
        context: Some(context),
        token: Some(Descriptor::new(vec![
            buffer(BufferType::TOKEN, token),
            buffer(BufferType::PKG_PARAMS, method),
            buffer(BufferType::PKG_PARAMS, target),
            buffer(BufferType::PKG_PARAMS, entity),
            room(BufferType::TOKEN, capacity),
        ])),
    }
}

/// DeleteSecurityContext.
pub(crate) fn delete(context: SecHandle) -> Call {
    Call::DeleteSecurityContext { context: Some(context) }
}

/// Changes the output descriptor of a call.
pub(crate) fn with_output(mut call: Call, descriptor: Option<Descriptor>) -> Call {
    if let Some(output) = call.output_mut() {
        *output = descriptor;
    }
    call
}

/// Changes the input descriptor of a call.
pub(crate) fn with_input(mut call: Call, change: impl FnOnce(&mut Descriptor)) -> Call {
    if let Some(input) = call.input_mut() {
        change(input.as_mut().expect("there is an input"));
    }
    call
}

/// A shadow, and a subject that behaves as the test says.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) shadow: Shadow,
    pub(crate) credential: SecHandle,
    pub(crate) algorithm: Algorithm,
    made: u64,
}

impl Bench {
    /// With the setup of suites.
    pub(crate) fn new() -> Self {
        Self::with(Setup::default())
    }

    /// With that setup, and inbound credentials of the principal "".
    pub(crate) fn with(setup: Setup) -> Self {
        let algorithm = setup.algorithm.into();
        let shadow = Shadow::new(Arc::clone(&TABLES), setup);
        let mut bench = Self { shadow, credential: handle(0), algorithm, made: 0 };
        bench.credential = bench.acquire(None, 1, None);
        bench
    }

    /// A number that was never used.
    pub(crate) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A handle that was never used.
    pub(crate) fn new_handle(&mut self) -> SecHandle {
        let number = self.number();
        handle(number)
    }

    /// AcquireCredentialsHandle.
    pub(crate) fn acquire(
        &mut self,
        principal: Option<&str>,
        credential_use: u32,
        identity: Option<AuthIdentity>,
    ) -> SecHandle {
        let call = Call::AcquireCredentialsHandle {
            principal: principal.map(Into::into),
            package: "WDigest".into(),
            credential_use,
            logon_id: None,
            identity,
        };
        let new = self.new_handle();
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(new);
        assert_eq!(self.shadow.absorb(&call, &outcome).verdict, Verdict::Pass);
        new
    }

    /// A challenge that was never put out.
    pub(crate) fn issue(&mut self, qop: Qop) -> Issued {
        let number = self.number();
        Issued {
            nonce: format!("nonce{number:08}").into_bytes(),
            opaque: format!("opaque{number:08}").into_bytes(),
            qop,
            realm: "digest-ssp".into(),
            algorithm: self.algorithm,
        }
    }

    fn judge(&mut self, call: &Call, outcome: &Outcome) -> Judgement {
        self.shadow.absorb(call, outcome)
    }

    /// The outcome is what the row says.
    #[track_caller]
    pub(crate) fn pass(&mut self, row: &str, call: &Call, outcome: &Outcome) {
        let judged = self.judge(call, outcome);
        assert_eq!((judged.row.as_deref(), &judged.verdict), (Some(row), &Verdict::Pass), "{}", judged.facts);
    }

    /// The outcome is not what the row says, and not wrong.
    #[track_caller]
    pub(crate) fn deviation(&mut self, row: &str, call: &Call, outcome: &Outcome) {
        let judged = self.judge(call, outcome);
        assert_eq!(judged.row.as_deref(), Some(row), "{}", judged.facts);
        assert!(matches!(judged.verdict, Verdict::Deviation(_)), "{:?} {}", judged.verdict, judged.facts);
    }

    /// The outcome is wrong, and the registers stay what they were.
    #[track_caller]
    pub(crate) fn fail(&mut self, row: &str, call: &Call, outcome: &Outcome) {
        let before = format!("{:?}", self.shadow.registers());
        let judged = self.judge(call, outcome);
        assert_eq!(judged.row.as_deref(), Some(row), "{}", judged.facts);
        assert!(matches!(judged.verdict, Verdict::Fail(_)), "{:?} {}", judged.verdict, judged.facts);
        assert_eq!(format!("{:?}", self.shadow.registers()), before);
    }

    /// Touches nothing, with that status.
    #[track_caller]
    pub(crate) fn pass_status(&mut self, row: &str, call: &Call, status: Status) {
        self.pass(row, call, &Outcome::untouched(status, call));
    }

    /// The state of a context by name; "none" without one.
    pub(crate) fn state(&self, context: SecHandle) -> &'static str {
        let context = self.shadow.registers().contexts.get(&context);
        context.map_or("none", |context| Fact::State.values()[usize::from(context.state)])
    }

    /// A first call puts a challenge out.
    #[track_caller]
    pub(crate) fn challenged(&mut self, qop: Qop) -> (SecHandle, Issued) {
        let flags = match qop {
            Qop::Auth => HTTP,
            Qop::AuthInt => HTTP | ASC_INTEGRITY,
        };
        let call = accept_with(self.credential, None, flags, b"", b"GET", b"");
        let (context, issued) = (self.new_handle(), self.issue(qop));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call);
        self.pass("asc-challenge", &call, &outcome.with_handle(context).writing(0, &issued.token(false)));
        assert_eq!(self.state(context), "challenged");
        (context, issued)
    }

    /// Alice answers a challenge at once; the first request of her session.
    #[track_caller]
    pub(crate) fn established(&mut self) -> (SecHandle, Request) {
        let (context, issued) = self.challenged(Qop::Auth);
        let request = Request { algorithm: Some(self.algorithm), ..Request::answering(&issued) };
        self.authenticates(context, &request);
        (context, request)
    }

    /// A `challenged` handle is established by a right answer.
    #[track_caller]
    pub(crate) fn authenticates(&mut self, context: SecHandle, request: &Request) {
        let call = accept(self.credential, Some(context), &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        self.pass("asc-answer-right-challenged", &call, &outcome.writing(0, &request.authentication_info()));
        assert_eq!(self.state(context), "established");
    }

    /// A later request finds its session: a new handle.
    #[track_caller]
    pub(crate) fn found(&mut self, request: &Request) -> SecHandle {
        let call = accept(self.credential, None, &request.token());
        let context = self.new_handle();
        let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(context);
        self.pass("asc-session-found", &call, &outcome.writing(0, b""));
        assert_eq!(self.state(context), "complete-needed-subsequent");
        context
    }

    /// A later request under an expired nonce: a new handle, and the challenge that is pending.
    #[track_caller]
    pub(crate) fn found_expired(&mut self, request: &Request) -> (SecHandle, Issued) {
        let call = accept(self.credential, None, &request.token());
        let (context, issued) = (self.new_handle(), self.issue(Qop::Auth));
        let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_AND_CONTINUE, &call).with_handle(context);
        self.pass("asc-session-found-expired", &call, &outcome.writing(0, &issued.token(false)));
        assert_eq!(self.state(context), "complete-and-continue-subsequent");
        (context, issued)
    }

    /// A token is answered with a fresh challenge: a new handle.
    #[track_caller]
    pub(crate) fn rechallenged(&mut self, row: &str, token: &[u8], stale: bool) -> (SecHandle, Issued) {
        let call = accept(self.credential, None, token);
        let (context, issued) = (self.new_handle(), self.issue(Qop::Auth));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        self.pass(row, &call, &outcome.writing(0, &issued.token(stale)));
        assert_eq!(self.state(context), "challenged");
        (context, issued)
    }

    /// A pending request is authenticated.
    #[track_caller]
    pub(crate) fn completes(&mut self, context: SecHandle, request: &Request) {
        let call = complete(context, &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
        self.pass("cat-completed-subsequent", &call, &outcome.writing(SLOT_4, &request.authentication_info()));
        assert_eq!(self.state(context), "established");
    }

    /// A pending request has a count that is not acceptable; the fresh challenge.
    #[track_caller]
    pub(crate) fn out_of_sequence(&mut self, row: &str, context: SecHandle, request: &Request) -> Issued {
        let call = complete(context, &request.token());
        let issued = self.issue(request.qop);
        let outcome = Outcome::untouched(Status::SEC_E_OUT_OF_SEQUENCE, &call);
        self.pass(row, &call, &outcome.writing(SLOT_4, &issued.token(true)));
        assert_eq!(self.state(context), "rejected");
        issued
    }

    /// A handle is deleted.
    #[track_caller]
    pub(crate) fn deleted(&mut self, context: SecHandle) {
        self.pass_status("dsc-deleted", &delete(context), Status::SEC_E_OK);
        assert_eq!(self.state(context), "none");
    }
}
