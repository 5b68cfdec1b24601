//! Calls and tokens of SASL DIGEST-MD5 made by hand: chris of RFC 2831 section 4.

use super::support::{Bench, OutcomeExt, buffer, room};
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::hash::hex;
use digest_ssp::digest::sasl::{
    Cipher, Direction, Layer, MaxBuf, Qop, Receiver, ResponseFields, Sender, rspauth_token,
};
use digest_ssp::digest::{Charset, SessionKey, UserHash};
use digest_ssp::spec::Setup;
use digest_ssp::spec::call::{AuthIdentity, Call, Descriptor, Outcome};
use digest_ssp::spec::names::Profile;
use digest_ssp::spec::setup::AccountEntry;
use digest_ssp::status::SecurityStatus as Status;

/// ASC_REQ_CONFIDENTIALITY, ISC_REQ_CONFIDENTIALITY.
pub(crate) const CONFIDENTIALITY: u32 = 0x10;
pub(crate) const ASC_INTEGRITY: u32 = 0x2_0000;
pub(crate) const ISC_INTEGRITY: u32 = 0x1_0000;
pub(crate) const REALM: &str = "elwood.innosoft.com";
pub(crate) const URI: &[u8] = b"imap/elwood.innosoft.com";
pub(crate) const ROOM: usize = 4096;

/// The server of RFC 2831 section 4.
pub(crate) fn setup() -> Setup {
    let account =
        |username: &str| AccountEntry { username: username.into(), realm: REALM.into(), password: "secret".into() };
    Setup {
        accounts: vec![account("chris"), account("other")],
        realm: REALM.into(),
        ..Setup::default().of(Profile::DigestSasl)
    }
}

/// The flags of an acceptor that offers a quality of protection.
pub(crate) fn flags(qop: Qop) -> u32 {
    match qop {
        Qop::Auth => 0,
        Qop::AuthInt => ASC_INTEGRITY,
        Qop::AuthConf => CONFIDENTIALITY,
    }
}

/// The flags of an initiator that wants a quality of protection.
pub(crate) fn wants(qop: Qop) -> u32 {
    match qop {
        Qop::Auth => 0,
        Qop::AuthInt => ISC_INTEGRITY,
        Qop::AuthConf => CONFIDENTIALITY,
    }
}

/// A response in the making.
#[derive(Clone, Debug)]
pub(crate) struct SaslRequest {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: Option<String>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) cnonce: Vec<u8>,
    pub(crate) nc: u32,
    pub(crate) qop: Qop,
    pub(crate) cipher: Option<Cipher>,
    pub(crate) maxbuf: Option<MaxBuf>,
    pub(crate) digest_uri: Vec<u8>,
    pub(crate) charset: Charset,
    pub(crate) authzid: Option<String>,
}

impl SaslRequest {
    /// What chris sends first.
    pub(crate) fn answering(nonce: &[u8], qop: Qop) -> Self {
        Self {
            username: "chris".into(),
            password: "secret".into(),
            realm: Some(REALM.into()),
            nonce: nonce.to_vec(),
            cnonce: b"OA6MHXh6VqTrRk".to_vec(),
            nc: 1,
            qop,
            cipher: (qop == Qop::AuthConf).then_some(Cipher::Rc4),
            maxbuf: (qop != Qop::Auth).then_some(MaxBuf::DEFAULT),
            digest_uri: URI.to_vec(),
            charset: Charset::Utf8,
            authzid: None,
        }
    }

    pub(crate) fn counted(&self, nc: u32) -> Self {
        Self { nc, ..self.clone() }
    }

    pub(crate) fn key(&self) -> SessionKey {
        let realm = self.realm.as_deref().unwrap_or_default();
        let user = UserHash::new(&self.username, realm, &self.password);
        SessionKey::sasl(&user, &self.nonce, &self.cnonce, self.authzid.as_deref())
    }

    fn fields(&self) -> ResponseFields<'_> {
        ResponseFields {
            username: &self.username,
            realm: self.realm.as_deref(),
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            nc: self.nc,
            qop: self.qop,
            cipher: self.cipher,
            maxbuf: self.maxbuf,
            digest_uri: &self.digest_uri,
            charset: self.charset,
            authzid: self.authzid.as_deref(),
        }
    }

    pub(crate) fn token(&self) -> Vec<u8> {
        self.token_with(&hex(&self.fields().digest(&self.key())))
    }

    /// The token with a digest that is nobody's.
    pub(crate) fn forged(&self) -> Vec<u8> {
        self.token_with(&[b'5'; 32])
    }

    fn token_with(&self, digits: &[u8; 32]) -> Vec<u8> {
        let mut token = Vec::new();
        self.fields().write(digits, &mut token).expect("what the tests write can stand in a token");
        token
    }

    pub(crate) fn rspauth(&self) -> Vec<u8> {
        rspauth_token(&self.fields().rspauth(&self.key())).to_vec()
    }

    pub(crate) fn layer(&self) -> Layer {
        match (self.qop, self.cipher) {
            (Qop::AuthConf, Some(cipher)) => Layer::Confidentiality(cipher),
            (Qop::AuthConf | Qop::AuthInt | Qop::Auth, _) => Layer::Integrity,
        }
    }

    /// What the client sends with, and what the server does.
    pub(crate) fn senders(&self) -> (Sender, Sender) {
        let sender = |direction| Sender::new(&self.key(), direction, self.layer());
        (sender(Direction::ClientToServer), sender(Direction::ServerToClient))
    }

    /// What the client receives with.
    pub(crate) fn client_receiver(&self) -> Receiver {
        Receiver::new(&self.key(), Direction::ServerToClient, self.layer())
    }
}

/// A challenge as a server of the default setup writes it.
pub(crate) fn challenge(nonce: &[u8], qop: Qop, stale: bool) -> Vec<u8> {
    let nonce = String::from_utf8_lossy(nonce);
    let stale = if stale { ",stale=true" } else { "" };
    let layer = match qop {
        Qop::Auth => "",
        Qop::AuthInt => ",maxbuf=65536",
        Qop::AuthConf => ",cipher=\"rc4,3des,rc4-56,rc4-40,des\",maxbuf=65536",
    };
    format!(
        "realm=\"{REALM}\",nonce=\"{nonce}\",qop=\"{}\"{stale}{layer},charset=utf-8,algorithm=md5-sess",
        qop.as_str()
    )
    .into_bytes()
}

pub(crate) fn sasl_accept(credential: SecHandle, context: Option<SecHandle>, requirements: u32, token: &[u8]) -> Call {
    Call::AcceptSecurityContext {
        credential: Some(credential),
        context,
        requirements,
        input: Some(Descriptor::new(vec![buffer(BufferType::TOKEN, token)])),
        output: Some(Descriptor::new(vec![room(BufferType::TOKEN, ROOM)])),
    }
}

pub(crate) fn sasl_complete(context: SecHandle, token: &[u8], capacity: usize) -> Call {
    Call::CompleteAuthToken {
        context: Some(context),
        token: Some(Descriptor::new(vec![buffer(BufferType::TOKEN, token), room(BufferType::TOKEN, capacity)])),
    }
}

pub(crate) fn sasl_initialize(
    credential: SecHandle,
    context: Option<SecHandle>,
    requirements: u32,
    target: &[u8],
    token: &[u8],
) -> Call {
    Call::InitializeSecurityContext {
        credential: Some(credential),
        context,
        target_name: Some(target.to_vec()),
        requirements,
        input: Some(Descriptor::new(vec![buffer(BufferType::TOKEN, token)])),
        output: Some(Descriptor::new(vec![room(BufferType::TOKEN, ROOM)])),
    }
}

/// What goes well on SASL.
pub(crate) trait SaslBench {
    /// A nonce that was never put out.
    fn nonce(&mut self) -> Vec<u8>;
    /// A first call puts a challenge out.
    fn sasl_challenged(&mut self, qop: Qop) -> (SecHandle, Vec<u8>);
    /// Chris answers a challenge; the server proves itself.
    fn sasl_established(&mut self, qop: Qop) -> (SecHandle, SaslRequest);
    /// A right answer on a `challenged` handle.
    fn sasl_authenticates(&mut self, context: SecHandle, request: &SaslRequest);
    /// Outbound credentials of chris in a domain.
    fn chris(&mut self, domain: &str) -> SecHandle;
    /// An initiator answers a challenge.
    fn sasl_responded(&mut self, credential: SecHandle, qop: Qop) -> (SecHandle, SaslRequest);
    /// The server proves itself to an initiator.
    fn sasl_proved(&mut self, credential: SecHandle, context: SecHandle, request: &SaslRequest);
}

impl SaslBench for Bench {
    fn nonce(&mut self) -> Vec<u8> {
        format!("OA6MG9tEQGm2hh{:04}", self.number()).into_bytes()
    }

    #[track_caller]
    fn sasl_challenged(&mut self, qop: Qop) -> (SecHandle, Vec<u8>) {
        let call = sasl_accept(self.credential, None, flags(qop), b"");
        let (context, nonce) = (self.new_handle(), self.nonce());
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        self.pass("asc-sasl-challenge", &call, &outcome.writing(0, &challenge(&nonce, qop, false)));
        (context, nonce)
    }

    #[track_caller]
    fn sasl_established(&mut self, qop: Qop) -> (SecHandle, SaslRequest) {
        let (context, nonce) = self.sasl_challenged(qop);
        let request = SaslRequest::answering(&nonce, qop);
        self.sasl_authenticates(context, &request);
        (context, request)
    }

    #[track_caller]
    fn sasl_authenticates(&mut self, context: SecHandle, request: &SaslRequest) {
        let call = sasl_accept(self.credential, Some(context), flags(request.qop), &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        self.pass("asc-sasl-answer-right-challenged", &call, &outcome.writing(0, &request.rspauth()));
        assert_eq!(self.state(context), "established");
    }

    #[track_caller]
    fn chris(&mut self, domain: &str) -> SecHandle {
        let identity = AuthIdentity { user: "chris".into(), domain: domain.into(), password: "secret".into() };
        self.acquire(None, 2, Some(identity))
    }

    #[track_caller]
    fn sasl_responded(&mut self, credential: SecHandle, qop: Qop) -> (SecHandle, SaslRequest) {
        let nonce = self.nonce();
        let call = sasl_initialize(credential, None, wants(qop), URI, &challenge(&nonce, qop, false));
        let (context, request) = (self.new_handle(), SaslRequest::answering(&nonce, qop));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        self.pass("isc-sasl-answered", &call, &outcome.writing(0, &request.token()));
        assert_eq!(self.state(context), "responded");
        (context, request)
    }

    #[track_caller]
    fn sasl_proved(&mut self, credential: SecHandle, context: SecHandle, request: &SaslRequest) {
        let call = sasl_initialize(credential, Some(context), 0, URI, &request.rspauth());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context).writing(0, b"");
        self.pass("isc-sasl-proof-right", &call, &outcome);
        assert_eq!(self.state(context), "established");
    }
}
