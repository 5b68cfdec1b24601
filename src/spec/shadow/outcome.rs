//! Holding an outcome against what the tables allow, and learning from what the subject put out.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::digest::{
    A2, AuthenticationInfo, Challenge, Charset, Protection, Qop, ResponseDirectives, SessionKey, UserHash, directives,
    nc_value,
};
use crate::spec::call::{Attribute, Buffer, Call, Descriptor, Outcome};
use crate::spec::model::Allowed;
use crate::spec::names::{Buffers, HandleOutcome};
use crate::status::SecurityStatus;

use super::facts::{ASC_INTEGRITY, ISC_INTEGRITY, View, output_is_enough};
use super::reading;
use super::registers::{Answer, Exchange, Registers};

pub(super) const ASC_RET_INTEGRITY: u32 = 0x2_0000;
pub(super) const ISC_RET_INTEGRITY: u32 = 0x1_0000;

/// What the subject put out, as far as later calls depend on it.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// The challenge put out.
    pub(super) exchange: Option<Exchange>,
    /// The response put out.
    pub(super) answer: Option<Answer>,
}

impl Answer {
    /// The digest of a request.
    fn digest(&self, nonce: &[u8], nc: u32, a2: &A2<'_>) -> [u8; 16] {
        match self.qop {
            Some(qop) => {
                let nc = nc_value(nc);
                self.key.response(
                    nonce,
                    &Protection { qop: qop.as_str().as_bytes(), nc: &nc, cnonce: &self.cnonce },
                    a2,
                )
            }
            None => self.key.response_without_qop(nonce, a2),
        }
    }

    /// The digest of the last request; `None` where auth-int lacks H(entity body).
    pub fn request_digest(&self, entity: Option<&[u8; 16]>) -> Option<[u8; 16]> {
        let (method, uri) = (self.method.as_slice(), self.uri.as_slice());
        let a2 = match self.qop {
            None | Some(Qop::Auth) => A2::Auth { method, uri },
            Some(Qop::AuthInt) => A2::AuthInt { method, uri, entity: entity? },
        };
        Some(self.digest(&self.challenge.nonce, self.nc, &a2))
    }

    /// The rspauth the server must send for the last request.
    pub fn rspauth(&self, entity: Option<[u8; 16]>) -> Option<[u8; 16]> {
        let qop = self.qop?;
        let a2 = match (qop, &entity) {
            (Qop::Auth, _) => A2::Auth { method: b"", uri: &self.uri },
            (Qop::AuthInt, Some(entity)) => A2::AuthInt { method: b"", uri: &self.uri, entity },
            (Qop::AuthInt, None) => return None,
        };
        Some(self.digest(&self.challenge.nonce, self.nc, &a2))
    }
}

/// What differs, in words.
type Difference = String;

impl Registers {
    /// Whether an outcome is the one allowed, and what is learned from it.
    pub(super) fn matches(&self, allowed: &Allowed, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        if outcome.status != allowed.status {
            return Err(format!("status {}", outcome.status));
        }
        self.check_handle(allowed.handle, view, outcome)?;
        let learned = self.check_buffers(allowed.buffers, view, outcome)?;
        self.check_granted(view, outcome, &learned)?;
        Ok(learned)
    }

    /// The attributes and the expiry, which are valid on success: integrity exactly if it was negotiated, looked at on
    /// the final return only, and one constant for all expiries.
    fn check_granted(&self, view: &View<'_>, outcome: &Outcome, learned: &Learned) -> Result<(), Difference> {
        let constant = outcome.expiry.is_none_or(|expiry| self.expiry.is_none_or(|known| known == expiry));
        require(constant, || "the expiry is not the constant it was before".into())?;
        let Some(granted) = outcome.granted.filter(|_| outcome.status == SecurityStatus::SEC_E_OK) else {
            return Ok(());
        };
        let known =
            view.handle.and_then(|handle| self.contexts.get(&handle)).and_then(|context| context.answer.as_ref());
        let (qop, integrity) = match view.call {
            Call::AcceptSecurityContext { .. } => (view.response().map(|response| response.qop), ASC_RET_INTEGRITY),
            Call::InitializeSecurityContext { .. } => {
                (learned.answer.as_ref().or(known).and_then(|answer| answer.qop), ISC_RET_INTEGRITY)
            }
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => return Ok(()),
        };
        let right = (granted & integrity != 0) == (qop == Some(Qop::AuthInt));
        require(right, || "the attributes say of integrity what was not negotiated".into())
    }

    fn check_handle(&self, expected: HandleOutcome, view: &View<'_>, outcome: &Outcome) -> Result<(), Difference> {
        let makes_handles = matches!(
            view.call,
            Call::AcceptSecurityContext { .. }
                | Call::InitializeSecurityContext { .. }
                | Call::AcquireCredentialsHandle { .. }
        );
        match (expected, outcome.handle) {
            (HandleOutcome::New, None) => Err("no handle came back".into()),
            (HandleOutcome::New, Some(handle)) => {
                let known = self.contexts.contains_key(&handle) || self.credentials.contains_key(&handle);
                require(!known, || "the handle that came back is live already".into())?;
                require(handle != SecHandle::default(), || "the handle that came back is zeroed".into())
            }
            (HandleOutcome::None, Some(handle)) if makes_handles && Some(handle) != view.handle => {
                Err("a handle came back".into())
            }
            (HandleOutcome::Same, Some(handle)) if Some(handle) != view.handle => {
                Err("another handle came back".into())
            }
            (HandleOutcome::Same, None) if makes_handles && !outcome.status.is_error() => {
                Err("the handle was zeroed".into())
            }
            (HandleOutcome::None | HandleOutcome::Same, _) => Ok(()),
        }
    }

    fn check_buffers(&self, expected: Buffers, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        if expected == Buffers::ResponseFinished {
            return self.check_finished(view, outcome);
        }
        let written = written(view, outcome)?;
        let reports = expected == Buffers::AttributeValue;
        require(reports || outcome.attribute.is_none(), || "an attribute was reported beside an error".into())?;
        let enough = output_is_enough(view);
        match expected {
            Buffers::Untouched => untouched(view, outcome),
            Buffers::ChallengeStaleIfOutput | Buffers::PendingChallengeStaleIfOutput if !enough => {
                untouched(view, outcome)
            }
            Buffers::AttributeValue => self.check_attribute(view, outcome),
            Buffers::Empty => empty(written),
            Buffers::Challenge => self.check_challenge(view, written, false),
            Buffers::ChallengeStale | Buffers::ChallengeStaleIfOutput => self.check_challenge(view, written, true),
            Buffers::PendingChallengeStale | Buffers::PendingChallengeStaleIfOutput => {
                self.check_pending(view, written)
            }
            Buffers::AuthenticationInfoIfOutput => self.check_authentication_info(view, written, enough),
            Buffers::Response => self.check_response(view, written, true),
            Buffers::ResponseUnfinished => self.check_response(view, written, false),
            Buffers::Header => self.check_header(view, written),
            Buffers::ChallengeIfOutput
            | Buffers::Rspauth
            | Buffers::ResponseAgain
            | Buffers::Signature
            | Buffers::Wrapped
            | Buffers::Plaintext => Err("this is not judged yet".into()),
            Buffers::ResponseFinished => self.check_finished(view, outcome),
        }
    }

    fn check_attribute(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let session = context.and_then(|context| self.exchanges[context.holds?].session.as_ref());
        let answer = context.and_then(|context| context.answer.as_ref());
        let username = session.map(|session| &session.username).or(answer.map(|answer| &answer.username));
        let asks_names = matches!(view.call, Call::QueryContextAttributes { attribute: 1, .. });
        match (&outcome.attribute, username) {
            (Some(Attribute::Names(name)), Some(username)) if asks_names && name == username => Ok(Learned::default()),
            (Some(Attribute::Names(name)), _) => Err(format!("the name reported is {name:?}")),
            (Some(Attribute::Other), _) if !asks_names => Ok(Learned::default()),
            (
                Some(
                    Attribute::Sizes { .. }
                    | Attribute::StreamSizes { .. }
                    | Attribute::KeyInfo { .. }
                    | Attribute::SessionKey(_)
                    | Attribute::ClientSpecifiedTarget(_),
                ),
                _,
            ) => Ok(Learned::default()),
            (Some(Attribute::Other) | None, _) => Err("the attribute was not reported".into()),
        }
    }

    /// The exchange whose realm and qop a challenge of this call must carry.
    fn check_challenge(&self, view: &View<'_>, written: Option<&[u8]>, stale: bool) -> Result<Learned, Difference> {
        let token = written.filter(|token| !token.is_empty()).ok_or("no challenge was put out")?;
        let challenge = Challenge::parse(token, &self.token_limits())
            .map_err(|error| format!("the challenge is malformed: {error}"))?;
        let (realm, qop) = if matches!(view.call, Call::AcceptSecurityContext { .. }) {
            let qop = if view.call.requirements() & ASC_INTEGRITY == 0 { Qop::Auth } else { Qop::AuthInt };
            (view.realm.as_ref().unwrap_or(&self.setup.realm), qop)
        } else {
            let exchange = self.exchange_of(view).ok_or("no challenge belongs here")?;
            (&self.exchanges[exchange].realm, self.exchanges[exchange].qop)
        };
        let opaque = challenge.opaque.clone().ok_or("the challenge has no opaque")?;
        let offered = challenge.qop.as_ref().ok_or("the challenge has no qop")?;
        let algorithm = self.setup.algorithm.into();
        require(challenge.stale == stale, || format!("stale is {}", challenge.stale))?;
        require(challenge.realm == *realm, || format!("the realm is {:?}", challenge.realm))?;
        require(offered.auth == (qop == Qop::Auth) && offered.auth_int == (qop == Qop::AuthInt), || {
            "qop is not what the flags ask".into()
        })?;
        require(challenge.algorithm.effective() == Some(algorithm), || {
            "the algorithm is not the configured one".into()
        })?;
        let known = |exchange: &Exchange| exchange.nonce == challenge.nonce || exchange.opaque == opaque;
        require(!self.exchanges.iter().any(known), || "nonce or opaque were used before".into())?;
        let principal = view.handle.and_then(|handle| self.contexts.get(&handle)).map(|context| &context.principal);
        let credentials = || self.credentials.get(&view.call.credential()?).map(|credentials| &credentials.principal);
        let principal = principal.or_else(credentials).cloned().unwrap_or_default();
        Ok(Learned {
            exchange: Some(Exchange {
                principal,
                nonce: challenge.nonce,
                opaque,
                realm: challenge.realm,
                qop,
                algorithm,
                issued_at: self.now,
                failures: 0,
                listed: true,
                holders: 0,
                session: None,
            }),
            answer: None,
        })
    }

    fn check_pending(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = written.filter(|token| !token.is_empty()).ok_or("no challenge was put out")?;
        let challenge = Challenge::parse(token, &self.token_limits())
            .map_err(|error| format!("the challenge is malformed: {error}"))?;
        let context = view.handle.and_then(|handle| self.contexts.get(&handle)).ok_or("no context")?;
        let pending = &self.exchanges[context.pending.ok_or("no challenge is pending")?];
        require(challenge.stale, || "stale is false".into())?;
        let same = challenge.nonce == pending.nonce
            && challenge.opaque.as_deref() == Some(&pending.opaque)
            && challenge.realm == pending.realm;
        require(same, || "it is not the challenge that AcceptSecurityContext put out".into())?;
        Ok(Learned::default())
    }

    fn check_authentication_info(
        &self,
        view: &View<'_>,
        written: Option<&[u8]>,
        enough: bool,
    ) -> Result<Learned, Difference> {
        let response = view.response().ok_or("there is no response")?;
        if response.qop == Qop::AuthInt || !enough {
            return empty(written);
        }
        let token = written.filter(|token| !token.is_empty()).ok_or("no Authentication-Info was put out")?;
        let info = AuthenticationInfo::parse(token, &self.token_limits())
            .map_err(|error| format!("the Authentication-Info is malformed: {error}"))?;
        let key = self.key_that_matches(view).ok_or("there is no key")?;
        let expected =
            key.response(&response.nonce, &response.protection(), &A2::Auth { method: b"", uri: &response.uri });
        require(info.rspauth == Some(expected), || "rspauth is not right".into())?;
        require(info.nc.is_none_or(|nc| nc.eq_ignore_ascii_case(&response.nc_text)), || "nc is another".into())?;
        require(info.cnonce.is_none_or(|cnonce| *cnonce == *response.cnonce), || "cnonce is another".into())?;
        require(info.qop.is_none_or(|qop| qop == response.qop), || "qop is another".into())?;
        Ok(Learned::default())
    }

    fn check_response(&self, view: &View<'_>, written: Option<&[u8]>, finished: bool) -> Result<Learned, Difference> {
        let token = written.filter(|token| !token.is_empty()).ok_or("no response was put out")?;
        let directives = ResponseDirectives::parse(token, &self.token_limits())
            .map_err(|error| format!("the response is malformed: {error}"))?;
        let challenge = view.challenge().ok_or("there was no challenge")?.clone();
        let Call::InitializeSecurityContext { target_name, requirements, .. } = view.call else {
            return Err("no response belongs here".into());
        };
        let identity =
            self.outbound(view).and_then(|credentials| credentials.outbound.clone()).ok_or("there is no identity")?;
        let username = identity.wire_name();
        let qop =
            challenge.qop.as_ref().map(|_| if requirements & ISC_INTEGRITY == 0 { Qop::Auth } else { Qop::AuthInt });
        require(directives.username.as_deref() == Some(username.as_str()), || "username is not the identity's".into())?;
        require(directives.realm.as_deref() == Some(challenge.realm.as_str()), || {
            "realm is not the challenge's".into()
        })?;
        require(directives.nonce.as_deref() == Some(&*challenge.nonce), || "nonce is not the challenge's".into())?;
        require(directives.opaque.as_deref() == challenge.opaque.as_deref(), || {
            "opaque is not the challenge's".into()
        })?;
        require(directives.uri.as_deref() == target_name.as_deref(), || "uri is not the target name".into())?;
        require(directives.qop.as_ref().map(|(qop, _)| *qop) == qop, || "qop is not what the flags ask".into())?;
        require(directives.charset == challenge.charset, || "charset is not the challenge's".into())?;
        let algorithm = challenge.algorithm.effective().ok_or("the algorithm is unknown")?;
        require(directives.algorithm.unwrap_or(crate::digest::Algorithm::Md5) == algorithm, || {
            "algorithm is not the challenge's".into()
        })?;
        if qop.is_some() {
            require(directives.nc == Some(*b"00000001"), || "nc is not 00000001".into())?;
            require(directives.cnonce.as_ref().is_some_and(|cnonce| !cnonce.is_empty()), || {
                "there is no cnonce".into()
            })?;
        }
        let cnonce = directives.cnonce.as_deref().unwrap_or_default().to_vec();
        let method = view.parameter(0).to_vec();
        let uri = target_name.clone().unwrap_or_default();
        let given = directives.response.ok_or("there is no response directive")?;
        let answer = |hash: &UserHash| Answer {
            key: SessionKey::new(algorithm, hash, &challenge.nonce, &cnonce),
            challenge: challenge.clone(),
            username: username.clone(),
            qop,
            cnonce: cnonce.clone(),
            nc: 1,
            method: method.clone(),
            uri: uri.clone(),
            token: token.to_vec(),
        };
        let hashes = hashes(&username, &challenge.realm, &identity.password, challenge.charset);
        if !finished {
            // CompleteAuthToken overwrites these octets, so they are looked at as they stand, escapes and all.
            let digits = self.response_digits(token).and_then(|digits| token.get(digits));
            require(digits == Some(&[b'0'; 32]), || "the response directive is not 32 zeros".into())?;
            return Ok(Learned { exchange: None, answer: hashes.first().map(answer) });
        }
        let entity = view.entity_hash();
        let right = hashes.iter().map(answer).find(|answer| answer.request_digest(entity.as_ref()) == Some(given));
        right
            .map(|answer| Learned { exchange: None, answer: Some(answer) })
            .ok_or_else(|| "the response is not the right digest".into())
    }

    fn check_header(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = written.filter(|token| !token.is_empty()).ok_or("no header was put out")?;
        let directives = ResponseDirectives::parse(token, &self.token_limits())
            .map_err(|error| format!("the header is malformed: {error}"))?;
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let before = context.and_then(|context| context.answer.as_ref()).ok_or("there is no session")?;
        let (method, uri) = (view.parameter(0).to_vec(), view.parameter(1).to_vec());
        let cnonce = directives.cnonce.as_deref().unwrap_or_default().to_vec();
        let nc = before.nc.checked_add(1).ok_or("the count is exhausted")?;
        let answer = Answer { cnonce, nc, method, uri, token: token.to_vec(), ..before.clone() };
        require(directives.username.as_deref() == Some(answer.username.as_str()), || "username changed".into())?;
        require(directives.realm.as_deref() == Some(answer.challenge.realm.as_str()), || "realm changed".into())?;
        require(directives.nonce.as_deref() == Some(&*answer.challenge.nonce), || "nonce changed".into())?;
        require(directives.opaque.as_deref() == answer.challenge.opaque.as_deref(), || "opaque changed".into())?;
        require(directives.uri.as_deref() == Some(&*answer.uri), || "uri is not the URL given".into())?;
        require(directives.qop.as_ref().map(|(qop, _)| *qop) == answer.qop, || "qop changed".into())?;
        require(directives.charset == answer.challenge.charset, || "charset changed".into())?;
        let algorithm = directives.algorithm.unwrap_or(crate::digest::Algorithm::Md5);
        require(answer.challenge.algorithm.effective() == Some(algorithm), || "algorithm changed".into())?;
        if answer.qop.is_some() {
            require(directives.nc == Some(nc_value(nc)), || "nc is not the next count".into())?;
        }
        let entity = view.entity_hash();
        let digest = answer.request_digest(entity.as_ref()).ok_or("H(Entity) is missing")?;
        require(directives.response == Some(digest), || "the response is not the right digest".into())?;
        Ok(Learned { exchange: None, answer: Some(answer) })
    }

    fn check_finished(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let before = context.and_then(|context| context.answer.as_ref()).ok_or("there is no response to finish")?;
        let (position, _) = reading::token(view.buffers).ok_or("there is no token")?;
        let after = unchanged_but(view.call.output(), outcome.output.as_ref(), Some(position))?;
        let token = after.ok_or("the token is gone")?;
        let digits = self.response_digits(&before.token).ok_or("the token had no response directive")?;
        let entity = view.entity_hash();
        let expected = before.request_digest(entity.as_ref()).ok_or("H(Entity) is missing")?;
        let given = token.get(digits.clone()).and_then(crate::digest::hash::unhex32);
        require(given == Some(expected), || "the response is not the right digest".into())?;
        let around = |token: &[u8]| Some((token.get(..digits.start)?.to_vec(), token.get(digits.end..)?.to_vec()));
        require(around(token) == around(&before.token), || "more than the zeros of the token was overwritten".into())?;
        Ok(Learned { exchange: None, answer: Some(Answer { token: token.to_vec(), ..before.clone() }) })
    }

    /// Where the octets of the response directive stand in a token.
    fn response_digits(&self, token: &[u8]) -> Option<std::ops::Range<usize>> {
        directives::directives(token, &self.token_limits())
            .filter_map(Result::ok)
            .find(|directive| directive.is("response"))
            .map(|directive| directive.value_at..directive.value_at + directive.value.len())
    }
}

/// The two forms of H(username:realm:password) that an initiator may use.
fn hashes(username: &str, realm: &str, password: &str, charset: Charset) -> Vec<UserHash> {
    let field_by_field = UserHash::new(username, realm, password);
    match charset {
        Charset::Iso8859_1 => vec![field_by_field],
        Charset::Utf8 => vec![field_by_field, UserHash::utf8(username, realm, password)],
    }
}

fn require(holds: bool, difference: impl FnOnce() -> Difference) -> Result<(), Difference> {
    if holds { Ok(()) } else { Err(difference()) }
}

fn untouched(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
    require(view.call.output() == outcome.output.as_ref(), || "a buffer was written".into())?;
    Ok(Learned::default())
}

fn empty(written: Option<&[u8]>) -> Result<Learned, Difference> {
    match written {
        None | Some([]) => Ok(Learned::default()),
        Some(bytes) => Err(format!("{} bytes were put out", bytes.len())),
    }
}

/// What stands in the output buffer after the call, if there is one; nothing else may have changed.
fn written<'o>(view: &View<'_>, outcome: &'o Outcome) -> Result<Option<&'o [u8]>, Difference> {
    if matches!(view.call, Call::AcceptSecurityContext { .. } | Call::InitializeSecurityContext { .. }) {
        require(view.call.input() == outcome.input.as_ref(), || "an input buffer was written".into())?;
    }
    unchanged_but(view.call.output(), outcome.output.as_ref(), view.output)
}

/// Compares two images of a descriptor except for one buffer, and returns what that one holds.
fn unchanged_but<'o>(
    before: Option<&Descriptor>,
    after: Option<&'o Descriptor>,
    position: Option<usize>,
) -> Result<Option<&'o [u8]>, Difference> {
    let (Some(before), Some(after)) = (before, after) else {
        require(before.is_none() && after.is_none(), || "a descriptor appeared or vanished".into())?;
        return Ok(None);
    };
    let (old, new) = (before.buffers.as_deref().unwrap_or_default(), after.buffers.as_deref().unwrap_or_default());
    let same_shape = before.version == after.version && before.count == after.count && old.len() == new.len();
    require(same_shape, || "the descriptor changed".into())?;
    let mut output = None;
    for (index, (old, new)) in old.iter().zip(new).enumerate() {
        if Some(index) == position {
            require(fits(old, new), || "the output buffer changed its type or was written beyond its capacity".into())?;
            output = Some(new.bytes());
        } else {
            require(old == new, || format!("buffer {index} was written"))?;
        }
    }
    Ok(output)
}

/// Whether the same memory was written within the capacity that the caller gave.
fn fits(old: &Buffer, new: &Buffer) -> bool {
    let capacity = old.bytes().len();
    let (old_memory, new_memory) = (old.data.as_deref().unwrap_or_default(), new.data.as_deref().unwrap_or_default());
    old.buffer_type == new.buffer_type
        && new.count as usize <= capacity
        && old_memory.len() == new_memory.len()
        && old_memory.get(capacity..) == new_memory.get(capacity..)
}
