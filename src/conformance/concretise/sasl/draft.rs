//! A SASL response as a client of an acceptor makes it: drafted, changed by a holder of the secret, sealed, tampered
//! with.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::digest::sasl::{Cipher, Qop};
use crate::digest::{A2, Charset, Protection, SessionKey, UserHash, charset, hash};
use crate::spec::setup::{self, AccountEntry};
use crate::spec::shadow::registers::Registers;
use crate::spec::vocabulary as fact;

use super::super::super::action::CallAction;
use super::super::count::{self, Counts};
use super::super::draft::octets;
use super::super::wire::{self, Flaw, Piece};

const REQUIRED: &[&str] = &["username", "nonce", "cnonce", "nc", "digest-uri", "response"];
const DIGEST_URIS: &[&str] =
    &["imap/elwood.innosoft.com", "acap/elwood.innosoft.com", "ldap/db.example.org/backend", "imap/host/", "x/\"y\\"];
/// What a client may announce; larger ones would only make the longest message long.
const MAXBUFS: [Option<u32>; 8] = [None, None, Some(17), Some(40), Some(100), Some(1024), Some(4096), Some(65_536)];

/// What a client knows of the challenge or session that its response is about.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Known<'r> {
    pub(in super::super) nonce: &'r [u8],
    pub(in super::super) realm: &'r str,
    pub(in super::super) qop: Qop,
    pub(in super::super) session: Option<KnownSession<'r>>,
}

/// What a client knows of its session.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct KnownSession<'r> {
    pub(in super::super) username: &'r str,
    pub(in super::super) cnonce: &'r [u8],
    pub(in super::super) authzid: Option<&'r str>,
    pub(in super::super) charset: Charset,
    pub(in super::super) counts: Counts<'r>,
    pub(in super::super) key: &'r SessionKey,
}

/// What a response is about, and whether it names it or only has its nonce.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Origin<'r> {
    pub(in super::super) known: Option<Known<'r>>,
    pub(in super::super) named: bool,
}

/// A response.
#[derive(Clone, Debug)]
pub(in super::super) struct Draft {
    username: String,
    realm: String,
    nonce: Vec<u8>,
    cnonce: Vec<u8>,
    nc: [u8; 8],
    qop: Qop,
    /// As it is written; `None` leaves it out, which is auth.
    qop_text: Option<Vec<u8>>,
    cipher: Option<Cipher>,
    maxbuf: Option<u32>,
    digest_uri: Vec<u8>,
    charset: Charset,
    authzid: Option<String>,
    response: [u8; 32],
}

/// A digest-uri in one of its forms.
pub(in super::super) fn digest_uri(rng: &mut Rng) -> Vec<u8> {
    DIGEST_URIS[rng.usize(..DIGEST_URIS.len())].into()
}

/// A maxbuf that a peer announces.
pub(in super::super) fn maxbuf(rng: &mut Rng) -> Option<u32> {
    MAXBUFS[rng.usize(..MAXBUFS.len())]
}

fn accounts<'r>(registers: &'r Registers, realm: &str) -> Vec<&'r AccountEntry> {
    registers.setup.accounts.iter().filter(|account| account.realm == realm).collect()
}

fn offered(registers: &Registers) -> Vec<Cipher> {
    registers.setup.ciphers.iter().map(|cipher| Cipher::from(*cipher)).collect()
}

impl Draft {
    /// Drafts, seals and tampers, as the wishes say.
    pub(in super::super) fn make(
        registers: &Registers,
        origin: Origin<'_>,
        action: &CallAction,
        accepts: bool,
        rng: &mut Rng,
    ) -> Self {
        let session = origin.known.and_then(|known| known.session);
        let mut draft = Self::good(registers, origin.known, action, rng);
        let counts = session.map(|session| session.counts);
        draft.nc = count::choose(registers.setup.policy, counts, action, accepts, rng);
        if !origin.named {
            draft.rename(registers, session, rng);
        }
        if action.wishes.is(fact::Offered::Differs) {
            draft.swap_offered(registers, origin.known, !action.wishes.is(fact::Digest::Matches), rng);
        }
        if action.wishes.is(fact::Outside::Differs) {
            draft.swap_outside(origin.known, rng);
        }
        if action.wishes.is(fact::Authzid::Refused) {
            draft.authzid = Some(if rng.bool() { "root".into() } else { format!("{}x", draft.username) });
        }
        // Whoever renames an account's session is right by the account and not by the session.
        let key = session.filter(|_| origin.named).map(|session| session.key);
        draft.spell(rng);
        draft.seal(registers, key);
        if action.wishes.is(fact::Digest::Differs) {
            draft.tamper(registers, session.is_some(), key, rng);
        }
        draft
    }

    fn good(registers: &Registers, known: Option<Known<'_>>, action: &CallAction, rng: &mut Rng) -> Self {
        let session = known.and_then(|known| known.session);
        let realm = known.map_or(registers.setup.realm.as_str(), |known| known.realm).to_owned();
        let account = rng.choice(accounts(registers, &realm));
        let username = session.map(|session| session.username).or(account.map(|account| account.username.as_str()));
        let username = username.unwrap_or("nobody").to_owned();
        let latin = charset::encode(&username, Charset::Iso8859_1).is_some();
        let charset = match session {
            Some(session) => session.charset,
            None if latin && rng.bool() => Charset::Iso8859_1,
            None => Charset::Utf8,
        };
        let any = [Qop::Auth, Qop::AuthInt, Qop::AuthConf];
        let qop = match () {
            () if action.wishes.is(fact::Qop::Auth) => Qop::Auth,
            () if action.wishes.is(fact::Qop::AuthInt) => Qop::AuthInt,
            () if action.wishes.is(fact::Qop::AuthConf) => Qop::AuthConf,
            () => known.map_or_else(|| any[rng.usize(..3)], |known| known.qop),
        };
        let cipher = rng.choice(offered(registers)).or_else(|| rng.choice(Cipher::ALL));
        let authzid = match session {
            Some(session) => session.authzid.map(str::to_owned),
            None => Some(username.clone()).filter(|_| rng.u8(..4) == 0),
        };
        let cnonce = match session {
            Some(session) => session.cnonce.to_vec(),
            None => octets(rng.usize(..24), rng),
        };
        Self {
            nonce: known.map_or_else(|| octets(32, rng), |known| known.nonce.to_vec()),
            cnonce,
            nc: *b"00000001",
            qop,
            qop_text: None,
            cipher,
            maxbuf: maxbuf(rng),
            digest_uri: digest_uri(rng),
            charset,
            authzid,
            username,
            realm,
            response: [b'0'; 32],
        }
    }

    /// The same nonce for somebody else: what SASL names a session by, beside it.
    fn rename(&mut self, registers: &Registers, session: Option<KnownSession<'_>>, rng: &mut Rng) {
        let Some(session) = session else { return };
        let other = |account: &&&AccountEntry| account.username != session.username;
        match rng.u8(..4) {
            0 => {
                if let Some(account) = accounts(registers, &self.realm).iter().find(other) {
                    self.username.clone_from(&account.username);
                    self.charset = Charset::Utf8;
                    return;
                }
            }
            1 => {
                let elsewhere = |account: &&AccountEntry| account.realm != self.realm;
                if let Some(account) = registers.setup.accounts.iter().find(elsewhere) {
                    self.realm.clone_from(&account.realm);
                    self.username.clone_from(&account.username);
                    self.charset = Charset::Utf8;
                    self.authzid = None;
                    return;
                }
            }
            2 => {
                self.authzid = match &self.authzid {
                    Some(_) => None,
                    None => Some(self.username.clone()),
                };
                return;
            }
            _other => {}
        }
        self.cnonce = octets(25, rng);
    }

    /// A holder of the secret takes what was not offered.
    fn swap_offered(&mut self, registers: &Registers, known: Option<Known<'_>>, nobodys: bool, rng: &mut Rng) {
        if known.is_some_and(|known| known.qop != self.qop) {
            return; // The wish for another qop is a difference already.
        }
        let not_offered = |cipher: &setup::Cipher| !registers.setup.ciphers.contains(cipher);
        match rng.u8(..3) {
            0 if self.qop == Qop::AuthConf => {
                if let Some(cipher) = setup::Cipher::ALL.into_iter().find(not_offered) {
                    self.cipher = Some(cipher.into());
                    return;
                }
            }
            // Without a realm there is no account.
            1 if nobodys => {
                self.realm.clear();
                return;
            }
            _other => {}
        }
        let elsewhere = registers.setup.accounts.iter().find(|account| account.realm != self.realm);
        if let Some(account) = elsewhere {
            self.realm.clone_from(&account.realm);
            self.username.clone_from(&account.username);
            self.charset = Charset::Utf8;
            self.authzid = self.authzid.take().map(|_own| self.username.clone());
        }
    }

    /// A holder of the secret changes what a session keeps and its key does not cover.
    fn swap_outside(&mut self, known: Option<Known<'_>>, rng: &mut Rng) {
        if known.is_some_and(|known| known.qop != self.qop) {
            return;
        }
        let other = match self.charset {
            Charset::Iso8859_1 => Charset::Utf8,
            Charset::Utf8 => Charset::Iso8859_1,
        };
        if rng.bool() && charset::encode(&self.username, other).is_some() {
            self.charset = other;
            return;
        }
        self.qop = match self.qop {
            Qop::Auth => Qop::AuthInt,
            Qop::AuthInt | Qop::AuthConf => Qop::Auth,
        };
    }

    /// How the quality of protection is spelt, which the digest covers.
    fn spell(&mut self, rng: &mut Rng) {
        let text = self.qop.as_str();
        self.qop_text = match rng.u8(..4) {
            0 if self.qop == Qop::Auth => None,
            1 => Some(text.to_ascii_uppercase().into()),
            _other => Some(text.into()),
        };
    }

    fn seal(&mut self, registers: &Registers, key: Option<&SessionKey>) {
        let known = accounts(registers, &self.realm).into_iter().find(|account| account.username == self.username);
        let password = known.map_or("nobody's", |account| account.password.as_str());
        let own = || self.own_key(password);
        self.response = hash::hex(&self.digest(&key.cloned().unwrap_or_else(own)));
    }

    fn own_key(&self, password: &str) -> SessionKey {
        let user = UserHash::new(&self.username, &self.realm, password);
        SessionKey::sasl(&user, &self.nonce, &self.cnonce, self.authzid.as_deref())
    }

    fn digest(&self, key: &SessionKey) -> [u8; 16] {
        let qop = self.qop_text.as_deref().unwrap_or(b"auth");
        let protection = Protection { qop, nc: &self.nc, cnonce: &self.cnonce };
        let (method, uri) = (&b"AUTHENTICATE"[..], self.digest_uri.as_slice());
        let a2 = match self.qop {
            Qop::Auth => A2::Auth { method, uri },
            Qop::AuthInt | Qop::AuthConf => A2::AuthInt { method, uri, entity: &[0; 16] },
        };
        key.response(&self.nonce, &protection, &a2)
    }

    /// Somebody without the secret changes what it covers, or guesses.
    fn tamper(&mut self, registers: &Registers, is_session: bool, key: Option<&SessionKey>, rng: &mut Rng) {
        match rng.u8(..6) {
            0 => {
                let digit = rng.usize(..32);
                self.response[digit] = if self.response[digit] == b'0' { b'1' } else { b'0' };
            }
            1 => self.digest_uri = [self.digest_uri.as_slice(), b"x"].concat(),
            2 if !is_session => self.cnonce = octets(25, rng),
            3 if !is_session => {
                self.username = "nobody".into();
                self.authzid = None;
                self.seal(registers, key);
            }
            4 if !is_session => self.authzid = Some("somebody".into()),
            _other => self.response = hash::hex(&self.digest(&self.own_key("a guess"))),
        }
    }

    /// The token.
    pub(in super::super) fn write(&self, flaw: Flaw, token_bytes: usize, rng: &mut Rng) -> Vec<u8> {
        let text =
            |value: &str| charset::encode(value, self.charset).map(std::borrow::Cow::into_owned).unwrap_or_default();
        let upper = rng.u8(..4) == 0;
        let response = if upper { self.response.to_ascii_uppercase() } else { self.response.to_vec() };
        let mut pieces = vec![
            Piece::new("username", text(&self.username)),
            Piece::new("nonce", self.nonce.clone()),
            Piece::new("cnonce", self.cnonce.clone()),
            Piece::new("nc", self.nc),
            Piece::new("digest-uri", self.digest_uri.clone()),
            Piece::new("response", response),
        ];
        if !self.realm.is_empty() {
            pieces.push(Piece::new("realm", text(&self.realm)));
        }
        if let Some(qop) = &self.qop_text {
            pieces.push(Piece::new("qop", qop.clone()));
        }
        if let Some(cipher) = self.cipher.filter(|_| self.qop == Qop::AuthConf) {
            let text = cipher.as_str();
            pieces.push(Piece::new("cipher", if upper { text.to_ascii_uppercase() } else { text.to_owned() }));
        }
        if let Some(maxbuf) = self.maxbuf {
            pieces.push(Piece::new("maxbuf", maxbuf.to_string()));
        }
        if self.charset == Charset::Utf8 {
            pieces.push(Piece::new("charset", "utf-8"));
        }
        if let Some(authzid) = &self.authzid {
            pieces.push(Piece::new("authzid", authzid.clone()));
        }
        let of_cipher: &[&str] = if self.qop == Qop::AuthConf { &["cipher"] } else { &[] };
        wire::write(pieces, &[REQUIRED, of_cipher].concat(), flaw, token_bytes, rng)
    }
}
