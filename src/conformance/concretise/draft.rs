//! A response as a client of an acceptor makes it: drafted, changed by a holder of the secret, sealed, tampered with.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::digest::{A2, Algorithm, Charset, Protection, Qop, SessionKey, UserHash, charset, hash};
use crate::spec::setup::AccountEntry;
use crate::spec::shadow::registers::{Exchange, Registers};
use crate::spec::vocabulary as fact;

use super::super::action::CallAction;
use super::bindings::Presented;
use super::count::{self, Counts};
use super::wire::{self, Flaw, Piece};

const REQUIRED: &[&str] = &["username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response", "opaque"];
const METHODS: &[&str] = &["GET", "POST", "HEAD", "PUT", "OPTIONS", "M-SEARCH"];
const URIS: &[&str] =
    &["/", "/dir/index.html", "/a?b=c&d=\"e\"", "/with,comma", "*", "http://www.example.org/dir?x", "/%C3%A9t%C3%A9"];

/// A request with its response directives.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) entity: Vec<u8>,
    username: String,
    realm: String,
    nonce: Vec<u8>,
    opaque: Vec<u8>,
    uri: Vec<u8>,
    qop: Qop,
    nc: [u8; 8],
    cnonce: Vec<u8>,
    algorithm: Algorithm,
    charset: Charset,
    extended: [Option<Vec<u8>>; 3],
    response: [u8; 32],
}

/// Where the nonce, the opaque and the agreement of a draft come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'r> {
    pub(super) nonce: Option<&'r Exchange>,
    pub(super) opaque: Option<&'r Exchange>,
}

pub(super) fn method(action: &CallAction, rng: &mut Rng) -> Vec<u8> {
    if action.wishes.is(fact::Method::Empty) { Vec::new() } else { METHODS[rng.usize(..METHODS.len())].into() }
}

pub(super) fn uri(rng: &mut Rng) -> Vec<u8> {
    URIS[rng.usize(..URIS.len())].into()
}

pub(super) fn octets(length: usize, rng: &mut Rng) -> Vec<u8> {
    (0..length).map(|_| b"0123456789abcdef"[rng.usize(..16)]).collect()
}

/// A hexadecimal MD5 of some body, in either case; sometimes of the empty one.
pub(super) fn entity_hash(rng: &mut Rng) -> Vec<u8> {
    let body = octets(rng.usize(..3), rng);
    let digits = hash::hex(&hash::md5(&[&body]));
    if rng.u8(..4) == 0 { digits.to_ascii_uppercase() } else { digits.to_vec() }
}

pub(super) fn malformed_entity(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..3) {
        0 => octets(31, rng),
        1 => octets(33, rng),
        _other => [&octets(31, rng)[..], b"g"].concat(),
    }
}

fn account<'r>(registers: &'r Registers, realm: &str, rng: &mut Rng) -> Option<&'r AccountEntry> {
    let fitting: Vec<_> = registers.setup.accounts.iter().filter(|account| account.realm == realm).collect();
    rng.choice(&fitting).copied()
}

impl Draft {
    /// Drafts, seals and tampers, as the wishes say.
    pub(super) fn make(
        registers: &Registers,
        origin: Origin<'_>,
        action: &CallAction,
        presented: &Presented,
        accepts: bool,
        rng: &mut Rng,
    ) -> Self {
        let mut draft = Self::good(registers, origin, action, rng);
        let (extended, cnonce) = presented.directives(rng);
        draft.extended = extended;
        draft.cnonce = cnonce.unwrap_or(draft.cnonce);
        let session = origin.nonce.and_then(|exchange| exchange.session.as_ref());
        let counts = session.map(|session| Counts { last: session.last, used: &session.used });
        draft.nc = count::choose(registers.setup.policy, counts, action, accepts, rng);
        let swap_negotiated = action.wishes.is(fact::Offered::Differs) || action.wishes.is(fact::Outside::Differs);
        if swap_negotiated {
            draft.swap(registers, origin.nonce, action, rng);
        }
        draft.entity = match () {
            () if action.wishes.is(fact::Entity::Absent) => Vec::new(),
            () if action.wishes.is(fact::Entity::Malformed) => malformed_entity(rng),
            () if draft.qop == Qop::Auth && rng.bool() => Vec::new(),
            () => entity_hash(rng),
        };
        draft.target = match () {
            () if action.wishes.is(fact::Target::Empty) => Vec::new(),
            () if action.wishes.is(fact::Target::Differs) => [draft.uri.as_slice(), b"-elsewhere"].concat(),
            () if !action.wishes.is(fact::Target::Same) && rng.u8(..4) == 0 => Vec::new(),
            () if draft.uri.starts_with(b"/") && rng.u8(..4) == 0 => {
                [b"http://www.example.org", draft.uri.as_slice()].concat()
            }
            () => draft.uri.clone(),
        };
        draft.seal(registers, origin.nonce, rng);
        if action.wishes.is(fact::Digest::Differs) {
            draft.tamper(registers, origin.nonce, rng);
        }
        draft
    }

    fn good(registers: &Registers, origin: Origin<'_>, action: &CallAction, rng: &mut Rng) -> Self {
        let exchange = origin.nonce;
        let session = exchange.and_then(|exchange| exchange.session.as_ref());
        let realm = exchange.map_or(&registers.setup.realm, |exchange| &exchange.realm).clone();
        let account = account(registers, &realm, rng);
        let username =
            session.map(|session| session.username.clone()).or_else(|| account.map(|account| account.username.clone()));
        let username = username.unwrap_or_else(|| "nobody".into());
        let latin = charset::encode(&username, Charset::Iso8859_1).is_some();
        let charset = match session {
            Some(session) => session.charset,
            None if latin && rng.bool() => Charset::Iso8859_1,
            None => Charset::Utf8,
        };
        let qop = match () {
            () if action.wishes.is(fact::Qop::Auth) => Qop::Auth,
            () if action.wishes.is(fact::Qop::AuthInt) => Qop::AuthInt,
            () => exchange.and_then(|exchange| exchange.offer.http_qop()).unwrap_or(if rng.bool() {
                Qop::Auth
            } else {
                Qop::AuthInt
            }),
        };
        let random = |rng: &mut Rng| octets(32, rng);
        Self {
            method: method(action, rng),
            target: Vec::new(),
            entity: Vec::new(),
            username,
            nonce: origin.nonce.map_or_else(|| random(rng), |exchange| exchange.nonce.clone()),
            opaque: origin
                .opaque
                .and_then(|exchange| exchange.offer.opaque())
                .map_or_else(|| random(rng), <[u8]>::to_vec),
            uri: uri(rng),
            qop,
            nc: *b"00000001",
            cnonce: {
                let length = rng.usize(..24);
                octets(length, rng)
            },
            algorithm: exchange
                .and_then(|exchange| exchange.offer.algorithm())
                .unwrap_or(registers.setup.algorithm.into()),
            charset,
            extended: [None, None, None],
            realm,
            response: [b'0'; 32],
        }
    }

    /// A holder of the secret changes what the cached key does not cover, or what was offered.
    fn swap(&mut self, registers: &Registers, exchange: Option<&Exchange>, action: &CallAction, rng: &mut Rng) {
        let session = exchange.and_then(|exchange| exchange.session.as_ref());
        let qop_is_wished = action.wishes.get(fact::Fact::Qop).is_some();
        if exchange.is_some_and(|exchange| exchange.offer.http_qop() != Some(self.qop)) {
            return; // The wish for another qop is a difference already.
        }
        let choices = if session.is_some() { 5 } else { 3 };
        match rng.u8(..choices) {
            0 if !qop_is_wished => {
                self.qop = match self.qop {
                    Qop::Auth => Qop::AuthInt,
                    Qop::AuthInt => Qop::Auth,
                }
            }
            0 | 1 => {
                self.algorithm = match self.algorithm {
                    Algorithm::Md5 => Algorithm::Md5Sess,
                    Algorithm::Md5Sess => Algorithm::Md5,
                }
            }
            2 => {
                let elsewhere: Vec<_> =
                    registers.setup.accounts.iter().filter(|account| account.realm != self.realm).collect();
                if let Some(account) = rng.choice(&elsewhere) {
                    self.realm.clone_from(&account.realm);
                    if session.is_none() {
                        self.username.clone_from(&account.username);
                        self.charset = Charset::Utf8;
                    }
                }
            }
            3 => {
                let others: Vec<_> =
                    registers.setup.accounts.iter().filter(|account| account.username != self.username).collect();
                if let Some(account) = rng.choice(&others) {
                    self.username.clone_from(&account.username);
                }
                if charset::encode(&self.username, self.charset).is_none() {
                    self.username = "mallory".into();
                }
            }
            _other => {
                let other = match self.charset {
                    Charset::Iso8859_1 => Charset::Utf8,
                    Charset::Utf8 => Charset::Iso8859_1,
                };
                if charset::encode(&self.username, other).is_some() {
                    self.charset = other;
                } else {
                    self.username = "mallory".into();
                }
            }
        }
    }

    fn key(&self, registers: &Registers, exchange: Option<&Exchange>, rng: &mut Rng) -> SessionKey {
        // The key of a session that ended is forgotten with it.
        let kept = exchange.filter(|exchange| exchange.holders > 0);
        if let Some(session) = kept.and_then(|exchange| exchange.session.as_ref()) {
            return session.key.clone();
        }
        let known = registers.account(&self.username, &self.realm);
        let password = known.map_or("nobody's", |account| account.password.as_str());
        let hash = if rng.bool() { UserHash::new } else { UserHash::utf8 };
        SessionKey::new(self.algorithm, &hash(&self.username, &self.realm, password), &self.nonce, &self.cnonce)
    }

    fn seal(&mut self, registers: &Registers, exchange: Option<&Exchange>, rng: &mut Rng) {
        let key = self.key(registers, exchange, rng);
        self.response = hash::hex(&self.digest(&key));
    }

    fn digest(&self, key: &SessionKey) -> [u8; 16] {
        let protection = Protection { qop: self.qop.as_str().as_bytes(), nc: &self.nc, cnonce: &self.cnonce };
        let entity = hash::unhex32(&self.entity).unwrap_or_else(|| hash::md5(&[b"a body nobody read yet"]));
        let (method, uri) = (self.method.as_slice(), self.uri.as_slice());
        let a2 = match self.qop {
            Qop::Auth => A2::Auth { method, uri },
            Qop::AuthInt => A2::AuthInt { method, uri, entity: &entity },
        };
        key.response(&self.nonce, &protection, &a2)
    }

    /// Somebody without the secret changes what it covers, or guesses.
    fn tamper(&mut self, registers: &Registers, exchange: Option<&Exchange>, rng: &mut Rng) {
        let session = exchange.and_then(|exchange| exchange.session.as_ref());
        match rng.u8(..7) {
            0 => {
                let digit = rng.usize(..32);
                self.response[digit] = if self.response[digit] == b'0' { b'1' } else { b'0' };
            }
            1 => self.method = [self.method.as_slice(), b"X"].concat(),
            2 => {
                let same = self.target == self.uri;
                self.uri = [self.uri.as_slice(), b"?tampered"].concat();
                if same {
                    self.target.clone_from(&self.uri);
                } else if !self.target.is_empty() && !self.target.ends_with(b"-elsewhere") {
                    self.target = [self.target.as_slice(), b"?tampered"].concat();
                }
            }
            3 if self.extended.iter().all(Option::is_none) => self.cnonce = octets(25, rng),
            4 if session.is_none() => {
                self.username = "nobody".into();
                self.seal(registers, exchange, rng);
            }
            5 if self.qop == Qop::AuthInt && hash::unhex32(&self.entity).is_some() => {
                self.entity = hash::hex(&hash::md5(&[b"another body"])).to_vec();
            }
            _other => {
                let guess = UserHash::new(&self.username, &self.realm, "a guess");
                self.response =
                    hash::hex(&self.digest(&SessionKey::new(self.algorithm, &guess, &self.nonce, &self.cnonce)));
            }
        }
    }

    /// The token.
    pub(super) fn write(&self, flaw: Flaw, token_bytes: usize, rng: &mut Rng) -> Vec<u8> {
        let text =
            |value: &str| charset::encode(value, self.charset).map(std::borrow::Cow::into_owned).unwrap_or_default();
        let mut pieces = vec![
            Piece::new("username", text(&self.username)),
            Piece::new("realm", text(&self.realm)),
            Piece::new("nonce", self.nonce.clone()),
            Piece::new("uri", self.uri.clone()),
            Piece::new("qop", self.qop.as_str()),
            Piece::new("nc", self.nc),
            Piece::new("cnonce", self.cnonce.clone()),
            Piece::new(
                "response",
                if rng.u8(..4) == 0 { self.response.to_ascii_uppercase() } else { self.response.to_vec() },
            ),
            Piece::new("opaque", self.opaque.clone()),
        ];
        if self.algorithm == Algorithm::Md5Sess || rng.bool() {
            pieces.push(Piece::new("algorithm", self.algorithm.as_str()));
        }
        if self.charset == Charset::Utf8 {
            pieces.push(Piece::new("charset", "utf-8"));
        }
        for (name, value) in ["hashed-dirs", "service-name", "channel-binding"].into_iter().zip(&self.extended) {
            if let Some(value) = value {
                pieces.push(Piece::new(name, value.clone()));
            }
        }
        wire::write(pieces, REQUIRED, flaw, token_bytes, rng)
    }
}
