//! `digest` against the independent Python witness (`tests/witness/README.md` has the protocol).
//!
//! Needs Python 3: `python3` on the path, or what the environment variable `PYTHON` names.
//! `WITNESS_SEED` replaces the seed.

use crate::witness_support::{
    Draw, account, assert_no_disagreement, from_hex, generated, octets, offence_answer, seed, text, to_hex, verified,
};
use digest_ssp::digest::hash::{equal, hex, unhex32};
use digest_ssp::digest::{
    A2, Algorithm, AuthenticationInfo, Challenge, Charset, Limits, OfferedAlgorithm, OfferedQop, Protection, Qop,
    Response, ResponseDirectives, ResponseFields, SessionKey, TokenError, UserHash, charset,
};
use serde_json::{Map, Value, json};

const COUNT: usize = 5000;

// The subject's answer, in the shape of the protocol.

fn judge(request: &Value) -> Value {
    let token = octets(request, "token").expect("every request has a token");
    let answer = match text(request, "kind") {
        "response" => judge_response(request, &token),
        "challenge" => judge_challenge(&token),
        "authentication-info" => judge_authentication_info(request, &token),
        other => panic!("no kind of the protocol: {other}"),
    };
    answer.unwrap_or_else(|offence| offence_answer(&offence))
}

fn parsed(verdict: &str, fields: Map<String, Value>) -> Value {
    json!({"verdict": verdict, "position": null, "fields": fields})
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<&[u8]>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), to_hex(value).into());
    }
}

/// What `A2` needs of the entity, or the verdict that says why there is none.
fn entity(request: &Value, qop: Option<Qop>) -> Result<Option<[u8; 16]>, &'static str> {
    match (qop, octets(request, "entity")) {
        (None | Some(Qop::Auth), _) => Ok(None),
        (Some(Qop::AuthInt), Some(entity)) if !entity.is_empty() => unhex32(&entity).map(Some).ok_or("entity-invalid"),
        (Some(Qop::AuthInt), _) => Err("entity-missing"),
    }
}

fn key(request: &Value, algorithm: Algorithm, user: &UserHash, nonce: &[u8], cnonce: &[u8]) -> SessionKey {
    let (session_nonce, session_cnonce) = (octets(request, "session_nonce"), octets(request, "session_cnonce"));
    SessionKey::new(
        algorithm,
        user,
        session_nonce.as_deref().unwrap_or(nonce),
        session_cnonce.as_deref().unwrap_or(cnonce),
    )
}

fn judge_response(request: &Value, token: &[u8]) -> Result<Value, TokenError> {
    let directives = ResponseDirectives::parse(token, &Limits::default())?;
    let unknown: Vec<Value> =
        directives.unknown.iter().map(|each| json!([to_hex(each.name), to_hex(&each.unescaped())])).collect();
    let response = directives.require_all()?;
    let mut answer = parsed(response_verdict(request, &response), response_fields(&response));
    answer["unknown"] = unknown.into();
    Ok(answer)
}

fn response_verdict(request: &Value, response: &Response<'_>) -> &'static str {
    let entity = match entity(request, Some(response.qop)) {
        Ok(entity) => entity,
        Err(verdict) => return verdict,
    };
    let method = octets(request, "method").expect("a response comes with its method");
    let (username, realm, password) = account(request);
    let right =
        [UserHash::new(username, realm, password), UserHash::utf8(username, realm, password)].iter().any(|user| {
            let key = key(request, response.algorithm(), user, &response.nonce, &response.cnonce);
            let digest = response.digest(&key, &method, entity.as_ref()).expect("the entity is there if it is needed");
            equal(&digest, &response.response)
        });
    if right { "right" } else { "differs" }
}

fn response_fields(response: &Response<'_>) -> Map<String, Value> {
    let wire =
        |text: &str| charset::encode(text, response.charset).expect("it was decoded from this charset").into_owned();
    let mut fields = Map::new();
    put(&mut fields, "username", Some(&wire(&response.username)));
    put(&mut fields, "realm", Some(&wire(&response.realm)));
    put(&mut fields, "nonce", Some(&response.nonce));
    put(&mut fields, "uri", Some(&response.uri));
    put(&mut fields, "qop", Some(&response.qop_text));
    put(&mut fields, "nc", Some(&response.nc_text));
    put(&mut fields, "cnonce", Some(&response.cnonce));
    put(&mut fields, "response", Some(&hex(&response.response)));
    put(&mut fields, "opaque", Some(&response.opaque));
    put(&mut fields, "algorithm", response.algorithm.map(|algorithm| algorithm.as_str().as_bytes()));
    put(&mut fields, "charset", (response.charset == Charset::Utf8).then_some(b"utf-8"));
    put(&mut fields, "hashed-dirs", response.hashed_dirs.as_deref());
    put(&mut fields, "service-name", response.service_name.as_deref());
    put(&mut fields, "channel-binding", response.channel_binding.as_deref());
    // The count as a number is what decides later; it must be the one that was hashed.
    let digits = std::str::from_utf8(&response.nc_text).expect("hexadecimal digits");
    assert_eq!(u32::from_str_radix(digits, 16), Ok(response.nc));
    fields
}

fn judge_challenge(token: &[u8]) -> Result<Value, TokenError> {
    let challenge = Challenge::parse(token, &Limits::default())?;
    let optional = |value: &Option<Vec<u8>>| value.as_deref().map(to_hex);
    Ok(json!({"verdict": "ok", "position": null, "fields": {
        "realm": to_hex(challenge.realm.as_bytes()),
        "nonce": to_hex(&challenge.nonce),
        "opaque": optional(&challenge.opaque),
        "domain": optional(&challenge.domain),
        "stale": challenge.stale,
        "algorithm": match &challenge.algorithm {
            OfferedAlgorithm::Absent => "absent",
            OfferedAlgorithm::Known(algorithm) => algorithm.as_str(),
            OfferedAlgorithm::Unknown(_) => "unknown",
        },
        "qop": challenge.qop.map(|OfferedQop { auth, auth_int, others }| {
            json!({"auth": auth, "auth-int": auth_int, "others": others})
        }),
        "charset": match challenge.charset {
            Charset::Iso8859_1 => "iso-8859-1",
            Charset::Utf8 => "utf-8",
        },
    }}))
}

fn judge_authentication_info(request: &Value, token: &[u8]) -> Result<Value, TokenError> {
    let info = AuthenticationInfo::parse(token, &Limits::default())?;
    let mut fields = Map::new();
    put(&mut fields, "rspauth", info.rspauth.as_ref().map(hex).as_ref().map(<[u8; 32]>::as_slice));
    put(&mut fields, "qop", info.qop.map(|qop| qop.as_str().as_bytes()));
    put(&mut fields, "cnonce", info.cnonce.as_deref());
    put(&mut fields, "nc", info.nc.as_ref().map(<[u8; 8]>::as_slice));
    put(&mut fields, "nextnonce", info.nextnonce.as_deref());
    let Some(rspauth) = info.rspauth else { return Ok(parsed("missing:rspauth", fields)) };

    let field = |name| octets(request, name).expect("the proved request's directives are given");
    let qop_text = octets(request, "qop");
    let qop = qop_text.as_deref().map(|qop| Qop::from_token(qop).expect("auth or auth-int"));
    let entity = match entity(request, qop) {
        Ok(entity) => entity,
        Err(verdict) => return Ok(parsed(verdict, fields)),
    };
    let (nonce, cnonce, nc, uri) = (field("nonce"), field("cnonce"), field("nc"), field("uri"));
    let algorithm = match request.get("algorithm").and_then(Value::as_str) {
        None => Algorithm::Md5,
        Some(name) => Algorithm::from_token(name.as_bytes()).expect("MD5 or MD5-sess"),
    };
    let (username, realm, password) = account(request);
    let key = key(request, algorithm, &UserHash::new(username, realm, password), &nonce, &cnonce);
    let a2 = match &entity {
        None => A2::Auth { method: b"", uri: &uri },
        Some(entity) => A2::AuthInt { method: b"", uri: &uri, entity },
    };
    let proof = match &qop_text {
        None => key.response_without_qop(&nonce, &a2),
        Some(qop) => key.response(&nonce, &Protection { qop, nc: &nc, cnonce: &cnonce }, &a2),
    };
    Ok(parsed(if equal(&proof, &rspauth) { "right" } else { "differs" }, fields))
}

// The comparison.

/// An answer without what the subject's types do not keep: the spelling of enumerations and numbers, and
/// unknown directives outside of responses.
fn comparable(kind: &str, mut answer: Value) -> Value {
    let spelled: &[&str] = match kind {
        "response" => &["response", "algorithm", "charset"],
        "authentication-info" => &["rspauth", "qop"],
        "challenge" => &[],
        other => panic!("no kind of the protocol: {other}"),
    };
    if let Some(answer) = answer.as_object_mut().filter(|_| kind != "response") {
        answer.remove("unknown");
    }
    for name in spelled {
        if let Some(value) = answer.get_mut("fields").and_then(|fields| fields.get_mut(name)) {
            let octets = from_hex(value.as_str().expect("octets"));
            *value = to_hex(&octets.to_ascii_lowercase()).into();
        }
    }
    answer
}

/// Where subject and witness contradict each other about one request: None when they agree.
fn disagreement(request: &Value, witness: &Value) -> Option<String> {
    let kind = text(request, "kind");
    let subject = comparable(kind, judge(request));
    let witness = comparable(kind, witness.clone());
    (subject != witness).then(|| {
        let token = octets(request, "token").expect("every request has a token");
        format!(
            "token: {}\nrequest: {request}\n  digest says {subject}\n witness says {witness}\n",
            token.escape_ascii()
        )
    })
}

#[test]
fn the_subject_agrees_with_headers_of_the_witness() {
    let lines = generated("http", seed(), COUNT);
    assert_no_disagreement(lines.iter().filter_map(|line| disagreement(line, &line["expected"])));
}

#[test]
fn the_witness_agrees_with_headers_of_the_subject() {
    let mut draw = Draw(seed());
    let requests: Vec<Value> = std::iter::repeat_with(|| draw.request()).flatten().take(COUNT).collect();
    let answers = verified(&requests);
    // What no hand has touched is right in the eyes of the witness, whatever the subject says.
    for (request, answer) in requests.iter().zip(&answers).filter(|(request, _)| request["mutated"] == false) {
        let expected = if request["kind"] == "challenge" { "ok" } else { "right" };
        assert_eq!(answer["verdict"], expected, "{request}\n{answer}");
    }
    let bad = answers.iter().filter(|answer| answer["verdict"] != "ok" && answer["verdict"] != "right").count();
    assert!(bad > COUNT / 4, "only {bad} headers are bad");
    assert_no_disagreement(requests.iter().zip(&answers).filter_map(|(request, answer)| disagreement(request, answer)));
}

#[test]
fn a_wrong_expectation_is_a_disagreement() {
    let lines = generated("http", seed(), 500);
    let with = |kind: &str, verdict: &str| {
        let one = |line: &&Value| line["kind"] == kind && line["expected"]["verdict"] == verdict;
        lines.iter().find(one).expect("one of 500")
    };
    let changed = |line: &Value, pointer: &str, value: Value| {
        let mut wrong = line["expected"].clone();
        *wrong.pointer_mut(pointer).expect("the answer has it") = value;
        wrong
    };
    for (line, pointer, value) in [
        (with("response", "right"), "/verdict", json!("differs")),
        (with("response", "right"), "/position", json!(0)),
        (with("response", "right"), "/fields/uri", json!("2f2f2f")),
        (with("response", "right"), "/fields/username", json!("ff")),
        (with("response", "right"), "/unknown", json!([["78", "31"]])),
        (with("response", "differs"), "/verdict", json!("right")),
        (with("response", "syntax"), "/position", json!(100_000)),
        (with("challenge", "ok"), "/fields/stale", json!("true")),
        (with("authentication-info", "missing:rspauth"), "/verdict", json!("right")),
    ] {
        assert_eq!(disagreement(line, &line["expected"]), None);
        assert!(disagreement(line, &changed(line, pointer, value)).is_some(), "{pointer} of {line}");
    }
    let mut lacking = with("response", "right")["expected"].clone();
    lacking["fields"].as_object_mut().expect("fields").remove("opaque");
    assert!(disagreement(with("response", "right"), &lacking).is_some());
}

// Headers from the subject's own formatters.

const USERNAMES: [&str; 8] =
    ["Mufasa", "DOMAIN\\user", "say \"hi\"", "a\\\\b\\", "", "Jäsøn Doe", "Живаго", "ключ\\\u{1f511}"];
const REALMS: [&str; 6] = ["testrealm@host.com", "", "a, \"b\" \\ c", "Süd", "реалм", "x"];
const PASSWORDS: [&str; 5] = ["Circle Of Life", "", "Straße", "€", "p:\"\\"];
const URIS: [&[u8]; 6] =
    [b"/dir/index.html", b"/a,b?c=\"d\"", b"*", b"http://www.nowhere.org/", b"/back\\slash", b"/caf\xc3\xa9"];
const METHODS: [&[u8]; 3] = [b"GET", b"POST", b"M-SEARCH"];

impl Draw {
    /// A request, or None where the formatter refuses the values drawn.
    fn request(&mut self) -> Option<Value> {
        let (request, token) = match self.below(4) {
            0 => self.challenge()?,
            1 => self.authentication_info()?,
            _ => self.response()?,
        };
        Some(self.with_token(request, token))
    }

    fn challenge(&mut self) -> Option<(Value, Vec<u8>)> {
        let offered = OfferedQop { auth: self.once_in(2), auth_int: self.once_in(2), others: self.once_in(4) };
        let algorithm = match self.below(4) {
            0 => OfferedAlgorithm::Absent,
            1 => OfferedAlgorithm::Known(Algorithm::Md5),
            2 => OfferedAlgorithm::Known(Algorithm::Md5Sess),
            _ => OfferedAlgorithm::Unknown(b"SHA-256".to_vec()),
        };
        let challenge = Challenge {
            realm: self.one_of(&REALMS).to_owned(),
            nonce: self.opaque_text(),
            opaque: self.once_in(2).then(|| self.opaque_text()),
            domain: self.once_in(4).then(|| b"/ http://www.nowhere.org/".to_vec()),
            stale: self.once_in(2),
            algorithm,
            qop: self.once_in(2).then_some(offered),
            charset: self.one_of(&[Charset::Iso8859_1, Charset::Utf8]),
        };
        let token = challenge.to_bytes().ok()?;
        // The way back through the subject itself, while it is at hand.
        assert_eq!(Challenge::parse(&token, &Limits::default()), Ok(challenge));
        Some((json!({"kind": "challenge"}), token))
    }

    fn http_exchange(&mut self) -> Exchange {
        let algorithm = self.one_of(&[None, Some(Algorithm::Md5), Some(Algorithm::Md5Sess)]);
        let (username, realm, password) = (self.one_of(&USERNAMES), self.one_of(&REALMS), self.one_of(&PASSWORDS));
        let (nonce, cnonce) = (self.opaque_text(), self.opaque_text());
        let user = UserHash::new(username, realm, password);
        let key = SessionKey::new(algorithm.unwrap_or(Algorithm::Md5), &user, &nonce, &cnonce);
        let mut entity = [0; 16];
        entity.fill_with(|| self.octet());
        let nc = self.one_of(&[1, 2, 0xffff_ffff, 0x00ab_cdef]);
        let qop = self.one_of(&[Qop::Auth, Qop::AuthInt]);
        Exchange { algorithm, username, realm, password, nonce, cnonce, key, entity, nc, qop, uri: self.one_of(&URIS) }
    }

    fn response(&mut self) -> Option<(Value, Vec<u8>)> {
        let exchange = self.http_exchange();
        let method = self.one_of(&METHODS);
        let opaque = self.opaque_text();
        let mut token = Vec::new();
        let fields = ResponseFields {
            username: exchange.username,
            realm: exchange.realm,
            nonce: &exchange.nonce,
            uri: exchange.uri,
            protection: Some((exchange.qop, exchange.nc, &exchange.cnonce)),
            response: &hex(&exchange.digest(method)),
            opaque: Some(&opaque),
            algorithm: exchange.algorithm,
            charset: self.one_of(&[Charset::Iso8859_1, Charset::Utf8]),
            extended: None,
        };
        fields.write(&mut token)?;
        let mut request = exchange.request("response");
        request["method"] = to_hex(method).into();
        Some((request, token))
    }

    fn authentication_info(&mut self) -> Option<(Value, Vec<u8>)> {
        let exchange = self.http_exchange();
        let info = AuthenticationInfo {
            rspauth: Some(exchange.digest(b"")),
            qop: self.once_in(2).then_some(exchange.qop),
            cnonce: Some(exchange.cnonce.clone()),
            nc: Some(exchange.nc_text()),
            nextnonce: self.once_in(4).then(|| self.opaque_text()),
        };
        let token = info.to_bytes().ok()?;
        let mut request = exchange.request("authentication-info");
        for (name, value) in [
            ("nonce", exchange.nonce.as_slice()),
            ("cnonce", &exchange.cnonce),
            ("nc", &exchange.nc_text()),
            ("uri", exchange.uri),
            ("qop", exchange.qop.as_str().as_bytes()),
        ] {
            request[name] = to_hex(value).into();
        }
        request["algorithm"] = exchange.algorithm.map(Algorithm::as_str).into();
        Some((request, token))
    }
}

struct Exchange {
    algorithm: Option<Algorithm>,
    username: &'static str,
    realm: &'static str,
    password: &'static str,
    nonce: Vec<u8>,
    cnonce: Vec<u8>,
    key: SessionKey,
    entity: [u8; 16],
    nc: u32,
    qop: Qop,
    uri: &'static [u8],
}

impl Exchange {
    fn nc_text(&self) -> [u8; 8] {
        digest_ssp::digest::nc_value(self.nc)
    }

    fn digest(&self, method: &[u8]) -> [u8; 16] {
        let a2 = match self.qop {
            Qop::Auth => A2::Auth { method, uri: self.uri },
            Qop::AuthInt => A2::AuthInt { method, uri: self.uri, entity: &self.entity },
        };
        let protection = Protection { qop: self.qop.as_str().as_bytes(), nc: &self.nc_text(), cnonce: &self.cnonce };
        self.key.response(&self.nonce, &protection, &a2)
    }

    fn request(&self, kind: &str) -> Value {
        json!({
            "kind": kind,
            "username": self.username,
            "realm": self.realm,
            "password": self.password,
            "entity": to_hex(&hex(&self.entity)),
        })
    }
}
