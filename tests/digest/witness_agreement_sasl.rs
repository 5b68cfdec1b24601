//! `digest::sasl` and `digest::bindings` against the independent Python witness (`tests/witness/README.md` has the
//! protocol). What it needs is what `witness_agreement.rs` needs.

use crate::witness_support::{
    Draw, account, assert_no_disagreement, from_hex, generated, octets, offence_answer, seed, text, to_hex, verified,
};
use digest_ssp::digest::bindings::{NO_CHANNEL, is_upgraded_challenge, presented, upgraded_cnonce};
use digest_ssp::digest::hash::{equal, hex};
use digest_ssp::digest::sasl::{
    Challenge, Cipher, Ciphers, Direction, Layer, LayerError, MaxBuf, OfferedAlgorithm, OfferedQop, Qop, Receiver,
    Response, ResponseFields, Sender, rspauth_token,
};
use digest_ssp::digest::{
    A2, Algorithm, AuthenticationInfo, ChannelBindings, Charset, ExtendedProtection, Limits, Presented, Protection,
    SessionKey, TokenError, UserHash, response,
};
use serde_json::{Value, json};

const MESSAGES: usize = 5000;
/// Scripts of up to six messages in one direction; each layer gets a sixth of them.
const SCRIPTS: usize = 1200;
const BINDINGS: usize = 2000;

// The subject's answer, in the shape of the protocol.

fn judge(request: &Value) -> Value {
    match text(request, "kind") {
        "sasl-response" => judge_response(request),
        "sasl-challenge" => judge_challenge(request),
        "sasl-rspauth" => judge_rspauth(request),
        "sasl-layer" => Ok(run_script(request)),
        "channel-bindings" => Ok(judge_bindings(request)),
        "presented" => judge_presented(request),
        "upgraded" => Ok(judge_upgraded(request)),
        other => panic!("no kind of the protocol: {other}"),
    }
    .unwrap_or_else(|offence| offence_answer(&offence))
}

fn field(request: &Value, name: &str) -> Vec<u8> {
    octets(request, name).unwrap_or_else(|| panic!("a request without {name}"))
}

fn digits(digest: &[u8; 16]) -> String {
    to_hex(digest)
}

fn charset_name(charset: Charset) -> &'static str {
    match charset {
        Charset::Iso8859_1 => "iso-8859-1",
        Charset::Utf8 => "utf-8",
    }
}

fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Integrity => "auth-int",
        Layer::Confidentiality(cipher) => cipher.as_str(),
    }
}

fn judge_response(request: &Value) -> Result<Value, TokenError> {
    let token = field(request, "token");
    let response = Response::parse(&token, &Limits::default())?;
    let (username, realm, password) = account(request);
    let user = UserHash::new(username, realm, password);
    let key = SessionKey::sasl(&user, &response.nonce, &response.cnonce, response.authzid.as_deref());
    let right = equal(&response.digest(&key), &response.response);
    let nc = std::str::from_utf8(&response.nc_text).expect("hexadecimal digits");
    assert_eq!(u32::from_str_radix(nc, 16), Ok(response.nc));
    Ok(json!({
        "verdict": if right { "right" } else { "differs" },
        "position": null,
        "fields": {
            "username": to_hex(response.username.as_bytes()),
            "realm": to_hex(response.realm.as_bytes()),
            "nonce": to_hex(&response.nonce),
            "cnonce": to_hex(&response.cnonce),
            "nc": to_hex(&response.nc_text),
            "qop": response.qop.as_str(),
            "qop_text": to_hex(&response.qop_text),
            "digest-uri": to_hex(&response.digest_uri),
            "response": digits(&response.response),
            "maxbuf": response.maxbuf.get(),
            "charset": charset_name(response.charset),
            "cipher": response.cipher.map(Cipher::as_str),
            "authzid": response.authzid.as_deref().map(|authzid| to_hex(authzid.as_bytes())),
            "layer": response.layer().map(layer_name),
        },
        "session_key": to_hex(&*key.to_bytes()),
        "rspauth": digits(&response.rspauth(&key)),
    }))
}

fn judge_challenge(request: &Value) -> Result<Value, TokenError> {
    let challenge = Challenge::parse(&field(request, "token"), &Limits::default())?;
    let OfferedQop { auth, auth_int, auth_conf, others } = challenge.qop;
    Ok(json!({"verdict": "ok", "position": null, "fields": {
        "realms": challenge.realms.iter().map(|realm| to_hex(realm.as_bytes())).collect::<Vec<_>>(),
        "nonce": to_hex(&challenge.nonce),
        "qop": {"auth": auth, "auth-int": auth_int, "auth-conf": auth_conf, "others": others},
        "stale": challenge.stale,
        "maxbuf": challenge.maxbuf.get(),
        "charset": charset_name(challenge.charset),
        "algorithm": match challenge.algorithm {
            OfferedAlgorithm::Md5Sess => "md5-sess",
            OfferedAlgorithm::Unknown(_) => "unknown",
        },
        "ciphers": challenge.ciphers.iter().map(Cipher::as_str).collect::<Vec<_>>(),
    }}))
}

fn judge_rspauth(request: &Value) -> Result<Value, TokenError> {
    let info = AuthenticationInfo::parse(&field(request, "token"), &Limits::default())?;
    let Some(rspauth) = info.rspauth else { return Ok(json!({"verdict": "missing:rspauth", "position": null})) };
    let (username, realm, password) = account(request);
    let user = UserHash::new(username, realm, password);
    let (nonce, cnonce, uri) = (field(request, "nonce"), field(request, "cnonce"), field(request, "digest_uri"));
    let authzid = octets(request, "authzid").map(|authzid| String::from_utf8(authzid).expect("authzid is UTF-8"));
    let key = SessionKey::sasl(&user, &nonce, &cnonce, authzid.as_deref());
    let qop = field(request, "qop");
    let a2 = match Qop::from_token(&qop).expect("a qop of SASL") {
        Qop::Auth => A2::Auth { method: b"", uri: &uri },
        Qop::AuthInt | Qop::AuthConf => A2::AuthInt { method: b"", uri: &uri, entity: &[0; 16] },
    };
    let protection = Protection { qop: &qop, nc: &field(request, "nc"), cnonce: &cnonce };
    let right = equal(&key.response(&nonce, &protection, &a2), &rspauth);
    Ok(json!({"verdict": if right { "right" } else { "differs" }, "position": null}))
}

fn status(error: LayerError) -> &'static str {
    match error {
        LayerError::Incomplete => "incomplete",
        LayerError::Altered => "altered",
        LayerError::OutOfSequence => "out-of-sequence",
        LayerError::Dead => "dead",
    }
}

/// H(A1) of these octets.
fn session_key(octets: &[u8]) -> SessionKey {
    // The key of plain MD5 is the user hash itself.
    SessionKey::new(Algorithm::Md5, &UserHash::from_bytes(octets.try_into().expect("16 octets")), b"", b"")
}

fn layer(name: &str) -> Layer {
    match name {
        "auth-int" => Layer::Integrity,
        cipher => Layer::Confidentiality(Cipher::from_token(cipher.as_bytes()).expect("a cipher")),
    }
}

fn wrap(sender: &mut Sender, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let mut trailer = vec![0; sender.layer().trailer_len(message.len())];
    sender.encrypt(&mut message, &mut trailer).expect("sequence numbers are left");
    message.append(&mut trailer);
    message
}

/// The status, and the message where it is delivered; elsewhere the buffer must be as it was.
fn unwrap(receiver: &mut Receiver, wrapped: &[u8]) -> Value {
    let mut buffer = wrapped.to_vec();
    match receiver.decrypt(&mut buffer) {
        Ok(length) => json!({"status": "ok", "message": to_hex(&buffer[..length])}),
        Err(error) => {
            assert_eq!(buffer, wrapped, "a message that is not delivered leaves no plaintext behind");
            json!({"status": status(error), "message": null})
        }
    }
}

fn run_script(request: &Value) -> Value {
    let direction = match text(request, "direction") {
        "client-to-server" => Direction::ClientToServer,
        "server-to-client" => Direction::ServerToClient,
        other => panic!("no direction: {other}"),
    };
    let (key, layer) = (session_key(&field(request, "session_key")), layer(text(request, "layer")));
    let (mut sender, mut receiver) = (Sender::new(&key, direction, layer), Receiver::new(&key, direction, layer));
    let script = request["script"].as_array().expect("a script");
    let mut take = |step: &Value| match text(step, "do") {
        "sign" => {
            let signature = sender.sign(&field(step, "message")).expect("sequence numbers are left");
            json!({"signature": to_hex(&signature)})
        }
        "wrap" => json!({"wrapped": to_hex(&wrap(&mut sender, &field(step, "message")))}),
        "verify" => {
            let verified = receiver.verify(&field(step, "message"), &field(step, "signature"));
            json!({"status": verified.map_or_else(status, |()| "ok")})
        }
        "unwrap" => unwrap(&mut receiver, &field(step, "wrapped")),
        other => panic!("no step: {other}"),
    };
    json!({"verdict": "ok", "steps": script.iter().map(&mut take).collect::<Vec<_>>()})
}

fn judge_bindings(request: &Value) -> Value {
    let buffer = field(request, "buffer");
    match ChannelBindings::parse(&buffer) {
        Err(_) => json!({"verdict": "invalid"}),
        Ok(bindings) => json!({
            "verdict": "ok",
            "initiator_type": bindings.initiator_address_type,
            "initiator": to_hex(bindings.initiator_address),
            "acceptor_type": bindings.acceptor_address_type,
            "acceptor": to_hex(bindings.acceptor_address),
            "application_data": to_hex(bindings.application_data),
            "hash": digits(&bindings.hash()),
        }),
    }
}

fn judge_presented(request: &Value) -> Result<Value, TokenError> {
    let token = field(request, "token");
    let response = response::Response::parse(&token, &Limits::default())?;
    let (verdict, service_name, channel_binding) = match presented(&response) {
        Presented::Missing => ("missing", None, None),
        Presented::Inconsistent => ("inconsistent", None, None),
        Presented::Bound { service_name, channel_binding } => {
            ("bound", Some(to_hex(service_name)), Some(channel_binding))
        }
    };
    Ok(json!({
        "verdict": verdict,
        "position": null,
        "service_name": service_name,
        "channel_binding": channel_binding.as_ref().map(digits),
    }))
}

fn judge_upgraded(request: &Value) -> Value {
    let (binding, entropy) = (field(request, "channel_binding"), field(request, "entropy"));
    let cnonce = upgraded_cnonce(
        &field(request, "service_name"),
        binding.as_slice().try_into().expect("32 digits"),
        entropy.as_slice().try_into().expect("16 octets"),
    );
    let upgraded = is_upgraded_challenge(&field(request, "nonce"));
    json!({"verdict": "ok", "upgraded": upgraded, "cnonce": to_hex(&cnonce)})
}

// The comparison.

/// Where subject and witness contradict each other about one request: None when they agree.
fn disagreement(request: &Value, witness: &Value) -> Option<String> {
    let subject = judge(request);
    let mut witness = witness.clone();
    // The subject's types do not keep unknown directives.
    witness.as_object_mut().expect("an answer").remove("unknown");
    (subject != witness).then(|| {
        let shown = ["token", "buffer"].iter().find_map(|name| octets(request, name)).unwrap_or_default();
        format!("{}\nrequest: {request}\n  digest says {subject}\n witness says {witness}\n", shown.escape_ascii())
    })
}

fn agree_on(profile: &str, count: usize) {
    let lines = generated(profile, seed(), count);
    assert_no_disagreement(lines.iter().filter_map(|line| disagreement(line, &line["expected"])));
}

/// The witness's answers to requests of the subject; what no hand has touched must be good in its eyes, whatever
/// the subject says.
fn verified_of_the_subject(requests: &[Value]) -> Vec<Value> {
    let answers = verified(requests);
    assert_no_disagreement(requests.iter().zip(&answers).filter_map(|(request, answer)| disagreement(request, answer)));
    let untouched = requests.iter().zip(&answers).filter(|(request, _)| request["mutated"] == false);
    for (request, answer) in untouched {
        assert_eq!(answer["verdict"], request["intention"], "{request}\n{answer}");
    }
    answers
}

#[test]
fn the_subject_agrees_with_messages_of_the_witness() {
    agree_on("sasl", MESSAGES);
}

#[test]
fn the_subject_agrees_with_layers_of_the_witness() {
    agree_on("layers", SCRIPTS);
}

#[test]
fn the_subject_agrees_with_bindings_of_the_witness() {
    agree_on("bindings", BINDINGS);
}

#[test]
fn the_witness_agrees_with_messages_of_the_subject() {
    let mut draw = Draw(seed());
    let requests: Vec<Value> = std::iter::repeat_with(|| draw.sasl_message()).flatten().take(MESSAGES).collect();
    let answers = verified_of_the_subject(&requests);
    let bad = answers.iter().filter(|answer| answer["verdict"] != "ok" && answer["verdict"] != "right").count();
    assert!(bad > MESSAGES / 4, "only {bad} messages are bad");
}

#[test]
fn the_witness_unwraps_what_the_subject_wraps() {
    let mut draw = Draw(seed());
    let requests: Vec<Value> = std::iter::repeat_with(|| draw.script()).take(SCRIPTS).collect();
    let answers = verified_of_the_subject(&requests);
    for (request, answer) in requests.iter().zip(&answers).filter(|(request, _)| request["mutated"] == false) {
        let steps = answer["steps"].as_array().expect("steps");
        assert!(steps.iter().all(|step| step.get("status").is_none_or(|status| status == "ok")), "{request}\n{answer}");
    }
}

#[test]
fn the_witness_agrees_with_bindings_of_the_subject() {
    let mut draw = Draw(seed());
    let requests: Vec<Value> = std::iter::repeat_with(|| draw.bindings()).flatten().take(BINDINGS).collect();
    verified_of_the_subject(&requests);
}

#[test]
fn a_wrong_expectation_is_a_disagreement() {
    let lines: Vec<Value> =
        ["sasl", "layers", "bindings"].into_iter().flat_map(|profile| generated(profile, seed(), 300)).collect();
    let with = |kind: &str, verdict: &str| {
        let one = |line: &&Value| line["kind"] == kind && line["expected"]["verdict"] == verdict;
        lines.iter().find(one).unwrap_or_else(|| panic!("no {verdict} {kind}"))
    };
    for (line, pointer, value) in [
        (with("sasl-response", "right"), "/verdict", json!("differs")),
        (with("sasl-response", "right"), "/rspauth", json!("00")),
        (with("sasl-response", "right"), "/session_key", json!("00")),
        (with("sasl-response", "right"), "/fields/maxbuf", json!(1)),
        (with("sasl-response", "right"), "/fields/layer", json!("none")),
        (with("sasl-response", "syntax"), "/position", json!(100_000)),
        (with("sasl-challenge", "ok"), "/fields/ciphers", json!(["aes"])),
        (with("sasl-challenge", "ok"), "/fields/realms", json!(["ff"])),
        (with("sasl-rspauth", "right"), "/verdict", json!("differs")),
        (with("sasl-layer", "ok"), "/steps/0", json!({"wrapped": ""})),
        (with("channel-bindings", "ok"), "/hash", json!("00")),
        (with("presented", "bound"), "/verdict", json!("missing")),
        (with("upgraded", "ok"), "/cnonce", json!("")),
    ] {
        assert_eq!(disagreement(line, &line["expected"]), None);
        let mut wrong = line["expected"].clone();
        *wrong.pointer_mut(pointer).expect("the answer has it") = value;
        assert!(disagreement(line, &wrong).is_some(), "{pointer} of {line}");
    }
}

// Requests from the subject's own formatters.

const USERNAMES: [&str; 7] = ["chris", "DOMAIN\\user", "say \"hi\"", "a\\\\b\\", "", "Jäsøn Doe", "Живаго"];
const REALMS: [&str; 6] = ["elwood.innosoft.com", "", "a, \"b\" \\ c", "Süd", "реалм", "x"];
const PASSWORDS: [&str; 5] = ["secret", "", "Straße", "€", "p:\"\\"];
const DIGEST_URIS: [&[u8]; 5] =
    [b"imap/elwood.innosoft.com", b"smtp/mail3.example.com/example.com", b"a/\"b\"", b"a/b\\c", b"x/caf\xc3\xa9"];
const AUTHZIDS: [&str; 4] = ["admin", "Jäsøn", "Живаго", "a \"b\" \\ c"];
const MAXBUFS: [u32; 4] = [17, 1024, 65_536, 16_777_215];
const LAYERS: [Layer; 6] = [
    Layer::Integrity,
    Layer::Confidentiality(Cipher::Rc4),
    Layer::Confidentiality(Cipher::TripleDes),
    Layer::Confidentiality(Cipher::Rc4_56),
    Layer::Confidentiality(Cipher::Rc4_40),
    Layer::Confidentiality(Cipher::Des),
];

impl Draw {
    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.once_in(2).then(|| draw(self))
    }

    fn maxbuf(&mut self) -> MaxBuf {
        MaxBuf::new(self.one_of(&MAXBUFS)).expect("within the limits")
    }

    fn sixteen(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        octets.fill_with(|| self.octet());
        octets
    }

    /// A request, or None where the formatter refuses the values drawn.
    fn sasl_message(&mut self) -> Option<Value> {
        let (request, token) = match self.below(5) {
            0 => self.sasl_challenge()?,
            1 => self.rspauth()?,
            _ => self.sasl_response()?,
        };
        Some(self.with_token(request, token))
    }

    fn sasl_challenge(&mut self) -> Option<(Value, Vec<u8>)> {
        let algorithm = match self.below(3) {
            0 => OfferedAlgorithm::Unknown(b"SHA-256".to_vec()),
            _ => OfferedAlgorithm::Md5Sess,
        };
        let challenge = Challenge {
            realms: (0..self.below(3)).map(|_| self.one_of(&REALMS).to_owned()).collect(),
            nonce: self.opaque_text(),
            qop: OfferedQop::only(self.one_of(&Qop::ALL)),
            stale: self.once_in(2),
            maxbuf: self.maxbuf(),
            charset: self.one_of(&[Charset::Iso8859_1, Charset::Utf8]),
            algorithm,
            ciphers: Cipher::ALL.into_iter().filter(|_| self.once_in(2)).collect::<Ciphers>(),
        };
        let token = challenge.to_bytes().ok()?;
        Some((json!({"kind": "sasl-challenge", "intention": "ok"}), token))
    }

    /// A response, and the key under which it was made.
    fn sasl_exchange<T>(&mut self, then: impl FnOnce(Value, &ResponseFields<'_>, &SessionKey) -> T) -> T {
        let (username, realm, password) = (self.one_of(&USERNAMES), self.one_of(&REALMS), self.one_of(&PASSWORDS));
        let (nonce, cnonce) = (self.opaque_text(), self.opaque_text());
        let qop = self.one_of(&Qop::ALL);
        let fields = ResponseFields {
            username,
            realm: if realm.is_empty() { self.one_of(&[None, Some("")]) } else { Some(realm) },
            nonce: &nonce,
            cnonce: &cnonce,
            nc: self.one_of(&[1, 2, 0xffff_ffff, 0x00ab_cdef]),
            qop,
            cipher: (qop == Qop::AuthConf).then(|| self.one_of(&Cipher::ALL)),
            maxbuf: self.maybe(Self::maxbuf),
            digest_uri: self.one_of(&DIGEST_URIS),
            charset: self.one_of(&[Charset::Iso8859_1, Charset::Utf8]),
            authzid: self.maybe(|draw| draw.one_of(&AUTHZIDS)),
        };
        let key = SessionKey::sasl(&UserHash::new(username, realm, password), &nonce, &cnonce, fields.authzid);
        let request = json!({"username": username, "realm": realm, "password": password, "intention": "right"});
        then(request, &fields, &key)
    }

    fn sasl_response(&mut self) -> Option<(Value, Vec<u8>)> {
        self.sasl_exchange(|mut request, fields, key| {
            let mut token = Vec::new();
            fields.write(&hex(&fields.digest(key)), &mut token)?;
            request["kind"] = "sasl-response".into();
            Some((request, token))
        })
    }

    fn rspauth(&mut self) -> Option<(Value, Vec<u8>)> {
        self.sasl_exchange(|mut request, fields, key| {
            request["kind"] = "sasl-rspauth".into();
            let nc = digest_ssp::digest::nc_value(fields.nc);
            for (name, value) in [
                ("nonce", fields.nonce),
                ("cnonce", fields.cnonce),
                ("nc", &nc),
                ("qop", fields.qop.as_str().as_bytes()),
                ("digest_uri", fields.digest_uri),
            ] {
                request[name] = to_hex(value).into();
            }
            request["authzid"] = fields.authzid.map(|authzid| to_hex(authzid.as_bytes())).into();
            Some((request, rspauth_token(&fields.rspauth(key)).to_vec()))
        })
    }

    /// A few messages of one sender; some scripts alter one of them.
    fn script(&mut self) -> Value {
        let (octets, layer) = (self.sixteen(), self.one_of(&LAYERS));
        let direction = self.one_of(&[Direction::ClientToServer, Direction::ServerToClient]);
        let mut sender = Sender::new(&session_key(&octets), direction, layer);
        let mutated = self.once_in(2);
        let mut script = Vec::new();
        for _ in 0..=self.below(5) {
            let message = self.octets_below(120);
            let shown = to_hex(&message);
            let (made, mut taken, altered) = if self.once_in(4) {
                let signature = sender.sign(&message).expect("sequence numbers are left");
                (
                    json!({"do": "sign", "message": shown}),
                    json!({"do": "verify", "message": shown, "signature": to_hex(&signature)}),
                    "signature",
                )
            } else {
                let wrapped = wrap(&mut sender, &message);
                (
                    json!({"do": "wrap", "message": shown}),
                    json!({"do": "unwrap", "wrapped": to_hex(&wrapped)}),
                    "wrapped",
                )
            };
            if mutated && self.once_in(3) {
                let mut octets = from_hex(text(&taken, altered));
                self.edit(&mut octets);
                taken[altered] = to_hex(&octets).into();
            }
            script.extend([made, taken]);
        }
        json!({
            "kind": "sasl-layer",
            "session_key": to_hex(&octets),
            "direction": match direction {
                Direction::ClientToServer => "client-to-server",
                Direction::ServerToClient => "server-to-client",
            },
            "layer": layer_name(layer),
            "script": script,
            "mutated": mutated,
            "intention": "ok",
        })
    }

    /// Bindings, or a response that presents them.
    fn bindings(&mut self) -> Option<Value> {
        let mutated = self.once_in(2);
        if self.once_in(2) {
            let (initiator, acceptor, data) = (self.octets_below(20), self.octets_below(20), self.octets_below(60));
            let bindings = ChannelBindings {
                initiator_address_type: self.one_of(&[0, 2, 23, u32::MAX]),
                initiator_address: &initiator,
                acceptor_address_type: self.one_of(&[0, 2, 23, u32::MAX]),
                acceptor_address: &acceptor,
                application_data: &data,
            };
            let mut buffer = bindings.to_buffer();
            if mutated {
                self.edit(&mut buffer);
            }
            let buffer = to_hex(&buffer);
            return Some(json!({"kind": "channel-bindings", "buffer": buffer, "mutated": mutated, "intention": "ok"}));
        }
        let service_name = self.one_of::<&[u8]>(&[b"", b"HTTP/www.nowhere.org", b"a \"b\" \\"]);
        let channel_binding = if self.once_in(2) { NO_CHANNEL } else { hex(&self.sixteen()) };
        let cnonce = upgraded_cnonce(service_name, &channel_binding, &self.sixteen());
        let mut token = Vec::new();
        let fields = digest_ssp::digest::ResponseFields {
            username: "Mufasa",
            realm: "testrealm@host.com",
            nonce: b"+Upgraded+v1dcd98b7102dd2f0e8b11d0f600bfb0c093",
            uri: b"/dir/index.html",
            protection: Some((digest_ssp::digest::Qop::Auth, 1, &cnonce)),
            response: &NO_CHANNEL,
            opaque: Some(b"5ccc069c403ebaf9f0171e9517f40e41"),
            algorithm: None,
            charset: Charset::Iso8859_1,
            extended: Some(ExtendedProtection { service_name, channel_binding: &channel_binding }),
        };
        fields.write(&mut token)?;
        if mutated {
            self.edit(&mut token);
        }
        Some(json!({"kind": "presented", "token": to_hex(&token), "mutated": mutated, "intention": "bound"}))
    }
}
