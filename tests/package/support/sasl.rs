//! The SASL side: a client that signs by hand, and messages under a layer.

use digest_ssp::buffer::{BufferType, CtxtHandle, SecBuffer, SecBufferDesc};
use digest_ssp::digest::hash::md5;
use digest_ssp::digest::sasl::Challenge;
use digest_ssp::package::{
    AcceptRequirements, Accepted, Failure, InitializeRequirements, Initialized, QualityOfProtection, SecurityPackage,
};
use digest_ssp::status::SecurityStatus;

use super::{Input, Offer, Peer, REALM, Server, TokenLimits, hex_text, text};

pub(crate) const AUTH: AcceptRequirements = AcceptRequirements::empty();
pub(crate) const INTEGRITY: AcceptRequirements = AcceptRequirements::INTEGRITY;
pub(crate) const CONFIDENTIALITY: AcceptRequirements = AcceptRequirements::CONFIDENTIALITY;
/// The length of `rspauth=` and its digits.
pub(crate) const PROOF: usize = 40;

/// A client that signs by hand: every directive can be wrong before or after the seal.
#[derive(Clone)]
pub(crate) struct SaslClient {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: String,
    pub(crate) digest_uri: String,
    pub(crate) qop: &'static str,
    pub(crate) cnonce: String,
    pub(crate) cipher: Option<&'static str>,
    pub(crate) maxbuf: Option<u32>,
    pub(crate) authzid: Option<String>,
    /// Appended as it is.
    pub(crate) more: String,
}

impl Default for SaslClient {
    fn default() -> Self {
        Self {
            username: "alice".to_owned(),
            password: "secret".to_owned(),
            realm: REALM.to_owned(),
            digest_uri: "imap/host".to_owned(),
            qop: "auth",
            cnonce: "OA6MHXh6VqTrRk".to_owned(),
            cipher: None,
            maxbuf: None,
            authzid: None,
            more: String::new(),
        }
    }
}

impl SaslClient {
    pub(crate) fn auth_int() -> Self {
        Self { qop: "auth-int", ..Self::default() }
    }

    pub(crate) fn auth_conf(cipher: &'static str) -> Self {
        Self { qop: "auth-conf", cipher: Some(cipher), ..Self::default() }
    }

    /// The flags under which a server offers this client's qop.
    pub(crate) fn requirements(&self) -> AcceptRequirements {
        match self.qop {
            "auth-int" => INTEGRITY,
            "auth-conf" => CONFIDENTIALITY,
            _ => AUTH,
        }
    }

    /// H(A1), raw (RFC 2831 2.1.2.1).
    pub(crate) fn key(&self, nonce: &str) -> [u8; 16] {
        let user = md5(&[format!("{}:{}:{}", self.username, self.realm, self.password).as_bytes()]);
        let session = format!(":{nonce}:{}", self.cnonce);
        match &self.authzid {
            Some(authzid) => md5(&[&user, session.as_bytes(), b":", authzid.as_bytes()]),
            None => md5(&[&user, session.as_bytes()]),
        }
    }

    /// KD over A2, whose method is AUTHENTICATE, or empty for a server's proof.
    pub(crate) fn seal(&self, nonce: &str, count: &str, method: &str) -> String {
        let zeros = "0".repeat(32);
        let a2 = match self.qop {
            "auth" => format!("{method}:{}", self.digest_uri),
            _ => format!("{method}:{}:{zeros}", self.digest_uri),
        };
        let a2 = hex_text(&md5(&[a2.as_bytes()]));
        let data = format!("{}:{nonce}:{count}:{}:{}:{a2}", hex_text(&self.key(nonce)), self.cnonce, self.qop);
        hex_text(&md5(&[data.as_bytes()]))
    }

    pub(crate) fn token(&self, nonce: &str, count: u32) -> Vec<u8> {
        let count = format!("{count:08x}");
        let response = self.seal(nonce, &count, "AUTHENTICATE");
        let Self { username, realm, digest_uri, qop, cnonce, cipher, maxbuf, authzid, more, .. } = self;
        let mut token = format!(
            "username=\"{username}\",realm=\"{realm}\",nonce=\"{nonce}\",cnonce=\"{cnonce}\",nc={count},qop={qop},\
             digest-uri=\"{digest_uri}\",response={response}"
        );
        for (name, value) in [("cipher", cipher.map(str::to_owned)), ("maxbuf", maxbuf.map(|size| size.to_string()))] {
            if let Some(value) = value {
                token = format!("{token},{name}={value}");
            }
        }
        if let Some(authzid) = authzid {
            token = format!("{token},authzid=\"{authzid}\"");
        }
        format!("{token}{more}").into_bytes()
    }

    /// The proof a server that knows the password gives for the response with that count.
    pub(crate) fn proof(&self, nonce: &str, count: u32) -> Vec<u8> {
        format!("rspauth={}", self.seal(nonce, &format!("{count:08x}"), "")).into_bytes()
    }

    pub(crate) fn input<'a>(&self, token: &'a [u8]) -> Input<'a> {
        sasl_input(token, self.requirements())
    }
}

/// The client of the examples of RFC 2831 section 4; the password is "secret".
pub(crate) fn chris(digest_uri: &str, cnonce: &str) -> SaslClient {
    SaslClient {
        username: "chris".to_owned(),
        realm: "elwood.innosoft.com".to_owned(),
        digest_uri: digest_uri.to_owned(),
        cnonce: cnonce.to_owned(),
        more: ",charset=utf-8".to_owned(),
        ..SaslClient::default()
    }
}

/// Of the input a SASL acceptor reads nothing but the token; what else is there is nonsense.
pub(crate) fn sasl_input(token: &[u8], requirements: AcceptRequirements) -> Input<'_> {
    Input { token, requirements, entity: b"no hash", realm: b"odd", ..Input::default() }
}

impl Server {
    /// An empty token: the challenge's nonce and handle.
    pub(crate) fn sasl_challenge(&self, requirements: AcceptRequirements) -> (CtxtHandle, String) {
        let (result, output) = self.accept(None, &sasl_input(b"", requirements));
        let accepted = result.expect("an empty token gets a challenge");
        assert_eq!(accepted.status, SecurityStatus::SEC_I_CONTINUE_NEEDED);
        (accepted.context, text(&parse_sasl(&output).nonce))
    }

    /// An established session with its handle, after one response with nonce count 1.
    pub(crate) fn sasl_establish(&self, client: &SaslClient) -> (CtxtHandle, String) {
        let (handle, nonce) = self.sasl_challenge(client.requirements());
        let (result, output) = self.accept(Some(handle), &client.input(&client.token(&nonce, 1)));
        assert_eq!(result.expect("a right response").status, SecurityStatus::SEC_E_OK);
        assert_eq!(output, client.proof(&nonce, 1));
        (handle, nonce)
    }

    /// A fast reauthentication that waits for its completion.
    pub(crate) fn sasl_pending(&self, client: &SaslClient, token: &[u8]) -> CtxtHandle {
        let (result, output) = self.accept(None, &client.input(token));
        let accepted = result.expect("a token that names a session");
        assert_eq!((accepted.status, output), (SecurityStatus::SEC_I_COMPLETE_NEEDED, Vec::new()));
        accepted.context
    }
}

pub(crate) fn parse_sasl(token: &[u8]) -> Challenge {
    Challenge::parse(token, &TokenLimits::default()).expect("the package writes challenges that parse")
}

pub(crate) fn sasl_offer(token: Option<&[u8]>, requirements: InitializeRequirements) -> Offer<'_> {
    Offer { token, target: b"imap/host", requirements, ..Offer::default() }
}

/// Both sides of the package after an exchange, each with its handle.
pub(crate) fn sasl_exchange(
    server: &Server,
    peer: &Peer,
    accept: AcceptRequirements,
    initialize: InitializeRequirements,
) -> [CtxtHandle; 2] {
    let step = |context, input: &[u8]| -> (Accepted, Vec<u8>) {
        let (result, output) = server.accept(context, &sasl_input(input, accept));
        (result.expect("an honest client"), output)
    };
    let answer = |context, token: &[u8]| -> (Initialized, Vec<u8>) {
        let (result, output) = peer.initialize(context, &sasl_offer(Some(token), initialize));
        (result.expect("an honest server"), output)
    };
    let (challenged, challenge) = step(None, b"");
    let (responded, response) = answer(None, &challenge);
    assert_eq!(responded.status, SecurityStatus::SEC_I_CONTINUE_NEEDED);
    let (accepted, proof) = step(Some(challenged.context), &response);
    assert_eq!(accepted.status, SecurityStatus::SEC_E_OK);
    let (established, nothing) = answer(Some(responded.context), &proof);
    assert_eq!((established.status, nothing), (SecurityStatus::SEC_E_OK, Vec::new()));
    [accepted.context, established.context]
}

/// A buffer of that type over a copy of these bytes, and whether it may be written.
pub(crate) type Part<'a> = (BufferType, &'a [u8]);

/// Runs a call over these buffers and gives back what they hold then.
pub(crate) fn over<T>(
    parts: &[Part<'_>],
    call: impl FnOnce(&mut SecBufferDesc<'_, '_>) -> Result<T, Failure>,
) -> (Result<T, Failure>, Vec<Vec<u8>>) {
    let mut memory: Vec<Vec<u8>> = parts.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    let mut buffers: Vec<SecBuffer<'_>> =
        parts.iter().zip(&mut memory).map(|((kind, _), bytes)| SecBuffer::new(*kind, bytes)).collect();
    let result = call(&mut SecBufferDesc::new(&mut buffers));
    let left = buffers.iter().map(|buffer| buffer.bytes().unwrap_or_default().to_vec()).collect();
    (result, left)
}

/// MakeSignature: the signature.
pub(crate) fn sign(package: &SecurityPackage, context: CtxtHandle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let parts = [(BufferType::DATA.read_only(), message), (BufferType::TOKEN, &[0xAA; 16][..])];
    let (result, left) = over(&parts, |descriptor| package.make_signature(Some(context), Some(descriptor)));
    result.map(|()| left[1].clone())
}

/// VerifySignature.
pub(crate) fn verify(
    package: &SecurityPackage,
    context: CtxtHandle,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Failure> {
    let parts = [(BufferType::DATA.read_only(), message), (BufferType::PADDING.read_only(), signature)];
    over(&parts, |descriptor| package.verify_signature(Some(context), Some(descriptor))).0
}

/// EncryptMessage: the wrapped message as it goes over the wire.
pub(crate) fn encrypt(package: &SecurityPackage, context: CtxtHandle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let parts = [(BufferType::DATA, message), (BufferType::PADDING, &[0xAA; 24][..])];
    let (result, left) = over(&parts, |descriptor| package.encrypt_message(Some(context), Some(descriptor)));
    result.map(|()| left.concat())
}

/// DecryptMessage: how it was protected, and what the buffer holds then, also after a failure.
pub(crate) fn decrypt(
    package: &SecurityPackage,
    context: CtxtHandle,
    wrapped: &[u8],
) -> (Result<QualityOfProtection, Failure>, Vec<u8>) {
    let parts = [(BufferType::STREAM, wrapped)];
    let (result, mut left) = over(&parts, |descriptor| package.decrypt_message(Some(context), Some(descriptor)));
    (result, left.remove(0))
}
