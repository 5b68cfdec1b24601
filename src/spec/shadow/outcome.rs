//! Holding an outcome against what the tables allow, and learning from what the subject put out.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::digest::{
    A2, AuthenticationInfo, Challenge, Charset, Protection, Qop, ResponseDirectives, SessionKey, UserHash, directives,
    nc_value,
};
use crate::spec::call::{Buffer, Call, Descriptor, Outcome};
use crate::spec::model::Allowed;
use crate::spec::names::{Buffers, HandleOutcome, Profile};
use crate::spec::vocabulary::Output;

use super::bindings::{answers_with, check_directives};
use super::facts::{ASC_INTEGRITY, ISC_INTEGRITY};
use super::opaque::check_within;
use super::reading;
use super::registers::{Answer, Exchange, HttpAnswer, Offer, Registers};
use super::view::View;

/// What the subject put out, as far as later calls depend on it.
#[derive(Debug)]
pub(super) enum Learned {
    Nothing,
    /// The challenge put out.
    Challenge(Box<Exchange>),
    /// The response put out.
    Response(Box<Answer>),
}

impl HttpAnswer {
    /// The count of the next header; the form of RFC 2069 has none, so that none can run out.
    pub fn next_count(&self) -> Option<u32> {
        if self.qop.is_some() { self.nc.checked_add(1) } else { Some(self.nc) }
    }

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
pub(super) type Difference = String;

impl Registers {
    /// Whether an outcome is the one allowed, and what is learned from it.
    pub(super) fn matches(&self, allowed: &Allowed, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        if outcome.status != allowed.status {
            return Err(format!("status {}", outcome.status));
        }
        self.check_handle(allowed.handle, view, outcome)?;
        let learned = self.check_buffers(allowed.buffers, view, outcome)?;
        match view.profile {
            Profile::DigestHttp | Profile::DigestSasl => self.check_granted(view, outcome, &learned)?,
            // Which flags a package grants, and when its contexts expire, is its own affair.
            Profile::AnyPackage => {}
        }
        Ok(learned)
    }

    fn check_handle(&self, expected: HandleOutcome, view: &View<'_>, outcome: &Outcome) -> Result<(), Difference> {
        let makes_handles = matches!(
            view.call,
            Call::AcceptSecurityContext { .. }
                | Call::InitializeSecurityContext { .. }
                | Call::AcquireCredentialsHandle { .. }
        ) || view.call.gives_memory();
        match (expected, outcome.handle) {
            (HandleOutcome::New, None) => Err("no handle came back".into()),
            (HandleOutcome::New, Some(handle)) => {
                // Where handles are addresses, memory may well have that of a handle.
                let known = match view.call.gives_memory() {
                    true => self.blocks.contains(&handle),
                    false => self.contexts.contains_key(&handle) || self.credentials.contains_key(&handle),
                };
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
        let reports = matches!(expected, Buffers::AttributeValue | Buffers::PackageInfo);
        require(reports || outcome.attribute.is_none(), || "an attribute was reported beside an error".into())?;
        // What is written in place has no output buffer of its own.
        match expected {
            Buffers::ResponseFinished => return self.check_finished(view, outcome),
            Buffers::Wrapped => return self.check_wrapped(view, outcome),
            Buffers::Plaintext => return self.check_plaintext(view, outcome),
            Buffers::Token => return Self::check_token(view, outcome),
            Buffers::TokenCompleted => {
                let position = reading::token(view.buffers).map(|(position, _)| position);
                return unchanged_but(view.call.output(), outcome.output.as_ref(), position).map(|_| Learned::Nothing);
            }
            Buffers::Protected => return Self::check_protected(view, outcome),
            Buffers::Recovered => return self.check_recovered(view, outcome),
            Buffers::Unjudged => return check_within(view, outcome),
            Buffers::PackageInfo => return self.check_package_info(view, outcome),
            Buffers::AttributeValue if view.profile == Profile::AnyPackage => {
                return Self::check_opaque_attribute(view, outcome);
            }
            Buffers::Untouched
            | Buffers::Empty
            | Buffers::Challenge
            | Buffers::ChallengeStale
            | Buffers::ChallengeStaleIfOutput
            | Buffers::ChallengeIfOutput
            | Buffers::PendingChallengeStale
            | Buffers::PendingChallengeStaleIfOutput
            | Buffers::AuthenticationInfoIfOutput
            | Buffers::Response
            | Buffers::ResponseUnfinished
            | Buffers::Header
            | Buffers::Rspauth
            | Buffers::ResponseAgain
            | Buffers::Signature
            | Buffers::AttributeValue => {}
        }
        let written = written(view, outcome)?;
        let enough = self.output_is_enough(view);
        match expected {
            Buffers::Untouched => untouched(view, outcome),
            Buffers::ChallengeIfOutput | Buffers::ChallengeStaleIfOutput | Buffers::PendingChallengeStaleIfOutput
                if !enough =>
            {
                untouched(view, outcome)
            }
            Buffers::AttributeValue => self.check_attribute(view, outcome),
            Buffers::Empty => empty(written),
            Buffers::Challenge | Buffers::ChallengeIfOutput => self.check_challenge(view, written, false),
            Buffers::ChallengeStale | Buffers::ChallengeStaleIfOutput => self.check_challenge(view, written, true),
            Buffers::PendingChallengeStale | Buffers::PendingChallengeStaleIfOutput => {
                self.check_pending(view, written)
            }
            Buffers::AuthenticationInfoIfOutput => self.check_authentication_info(view, written, enough),
            Buffers::Response if view.profile == Profile::DigestSasl => self.check_sasl_response(view, written),
            Buffers::Response => self.check_response(view, written, true),
            Buffers::ResponseUnfinished => self.check_response(view, written, false),
            Buffers::Header => self.check_header(view, written),
            Buffers::Rspauth => self.check_rspauth(view, written),
            Buffers::ResponseAgain => self.check_response_again(view, written),
            Buffers::Signature => self.check_signature(view, written),
            Buffers::ResponseFinished => self.check_finished(view, outcome),
            Buffers::Wrapped => self.check_wrapped(view, outcome),
            Buffers::Plaintext => self.check_plaintext(view, outcome),
            // These were judged above.
            Buffers::Token
            | Buffers::TokenCompleted
            | Buffers::Protected
            | Buffers::Recovered
            | Buffers::PackageInfo
            | Buffers::Unjudged => Ok(Learned::Nothing),
        }
    }

    /// Whether an output of enough capacity was given.
    pub(super) fn output_is_enough(&self, view: &View<'_>) -> bool {
        matches!(self.capacity(view), Output::Enough)
    }

    /// The credentials identity that a challenge of this call belongs to.
    pub(super) fn principal_of(&self, view: &View<'_>) -> String {
        let principal = view.handle.and_then(|handle| self.contexts.get(&handle)).map(|context| &context.principal);
        let credentials = || self.credentials.get(&view.call.credential()?).map(|credentials| &credentials.principal);
        principal.or_else(credentials).cloned().unwrap_or_default()
    }

    /// The exchange whose realm and qop a challenge of this call must carry.
    fn check_challenge(&self, view: &View<'_>, written: Option<&[u8]>, stale: bool) -> Result<Learned, Difference> {
        if view.profile == Profile::DigestSasl {
            return self.check_sasl_challenge(view, written, stale);
        }
        let token = put_out(written, "challenge")?;
        let challenge = Challenge::parse(token, &self.token_limits())
            .map_err(|error| format!("the challenge is malformed: {error}"))?;
        let (realm, qop) = if matches!(view.call, Call::AcceptSecurityContext { .. }) {
            let qop = if view.call.requirements() & ASC_INTEGRITY == 0 { Qop::Auth } else { Qop::AuthInt };
            (view.realm.as_ref().unwrap_or(&self.setup.realm), qop)
        } else {
            let exchange = self.exchange_of(view).ok_or("no challenge belongs here")?;
            let qop = self.exchanges[exchange].offer.http_qop().ok_or("no challenge belongs here")?;
            (&self.exchanges[exchange].realm, qop)
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
        self.check_nonce(view, &challenge.nonce)?;
        let known = |exchange: &Exchange| {
            exchange.nonce == challenge.nonce || exchange.offer.opaque() == Some(opaque.as_slice())
        };
        require(!self.exchanges.iter().any(known), || "nonce or opaque were used before".into())?;
        Ok(Learned::Challenge(Box::new(Exchange {
            principal: self.principal_of(view),
            nonce: challenge.nonce,
            realm: challenge.realm,
            offer: Offer::Http { opaque, qop, algorithm },
            issued_at: self.now,
            failures: 0,
            listed: true,
            holders: 0,
            session: None,
        })))
    }

    fn check_pending(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = put_out(written, "challenge")?;
        let challenge = Challenge::parse(token, &self.token_limits())
            .map_err(|error| format!("the challenge is malformed: {error}"))?;
        let context = view.handle.and_then(|handle| self.contexts.get(&handle)).ok_or("no context")?;
        let pending = &self.exchanges[context.pending.ok_or("no challenge is pending")?];
        require(challenge.stale, || "stale is false".into())?;
        let same = challenge.nonce == pending.nonce
            && challenge.opaque.as_deref() == pending.offer.opaque()
            && challenge.realm == pending.realm;
        require(same, || "it is not the challenge that AcceptSecurityContext put out".into())?;
        Ok(Learned::Nothing)
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
        let token = put_out(written, "Authentication-Info")?;
        let info = AuthenticationInfo::parse(token, &self.token_limits())
            .map_err(|error| format!("the Authentication-Info is malformed: {error}"))?;
        let key = self.key_that_matches(view).ok_or("there is no key")?;
        let expected =
            key.response(&response.nonce, &response.protection(), &A2::Auth { method: b"", uri: &response.uri });
        require(info.rspauth == Some(expected), || "rspauth is not right".into())?;
        require(info.nc.is_none_or(|nc| nc.eq_ignore_ascii_case(&response.nc_text)), || "nc is another".into())?;
        require(info.cnonce.is_none_or(|cnonce| *cnonce == *response.cnonce), || "cnonce is another".into())?;
        require(info.qop.is_none_or(|qop| qop == response.qop), || "qop is another".into())?;
        Ok(Learned::Nothing)
    }

    fn check_response(&self, view: &View<'_>, written: Option<&[u8]>, finished: bool) -> Result<Learned, Difference> {
        let token = put_out(written, "response")?;
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
        let extended = answers_with(view);
        check_directives(&directives, extended.as_ref())?;
        let cnonce = directives.cnonce.as_deref().unwrap_or_default().to_vec();
        let method = view.parameter(0).to_vec();
        let uri = target_name.clone().unwrap_or_default();
        let given = directives.response.ok_or("there is no response directive")?;
        let answer = |hash: &UserHash| HttpAnswer {
            key: SessionKey::new(algorithm, hash, &challenge.nonce, &cnonce),
            challenge: challenge.clone(),
            username: username.clone(),
            qop,
            cnonce: cnonce.clone(),
            nc: 1,
            method: method.clone(),
            uri: uri.clone(),
            token: token.to_vec(),
            extended: extended.clone(),
        };
        let hashes = hashes(&username, &challenge.realm, &identity.password, challenge.charset);
        if !finished {
            // CompleteAuthToken overwrites these octets, so they are looked at as they stand, escapes and all.
            let digits = self.response_digits(token).and_then(|digits| token.get(digits));
            require(digits == Some(&[b'0'; 32]), || "the response directive is not 32 zeros".into())?;
            return Ok(hashes.first().map_or(Learned::Nothing, |hash| http(answer(hash))));
        }
        let entity = view.entity_hash();
        let right = hashes.iter().map(answer).find(|answer| answer.request_digest(entity.as_ref()) == Some(given));
        right.map(http).ok_or_else(|| "the response is not the right digest".into())
    }

    fn check_header(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = put_out(written, "header")?;
        let directives = ResponseDirectives::parse(token, &self.token_limits())
            .map_err(|error| format!("the header is malformed: {error}"))?;
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let before = context.and_then(|context| context.http_answer()).ok_or("there is no session")?;
        let (method, uri) = (view.parameter(0).to_vec(), view.parameter(1).to_vec());
        let cnonce = directives.cnonce.as_deref().unwrap_or_default().to_vec();
        let nc = before.next_count().ok_or("the count is exhausted")?;
        check_directives(&directives, before.extended.as_ref())?;
        require(before.extended.is_none() || cnonce == before.cnonce, || "the cnonce changed".into())?;
        let answer = HttpAnswer { cnonce, nc, method, uri, token: token.to_vec(), ..before.clone() };
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
        Ok(http(answer))
    }

    fn check_finished(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let before = context.and_then(|context| context.http_answer()).ok_or("there is no response to finish")?;
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
        let answer = HttpAnswer { token: token.to_vec(), ..before.clone() };
        Ok(http(answer))
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

fn http(answer: HttpAnswer) -> Learned {
    Learned::Response(Box::new(Answer::Http(answer)))
}

/// What was put out, if anything was.
pub(super) fn put_out<'o>(written: Option<&'o [u8]>, what: &str) -> Result<&'o [u8], Difference> {
    written.filter(|token| !token.is_empty()).ok_or_else(|| format!("no {what} was put out"))
}

pub(super) fn require(holds: bool, difference: impl FnOnce() -> Difference) -> Result<(), Difference> {
    if holds { Ok(()) } else { Err(difference()) }
}

fn untouched(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
    require(view.call.output() == outcome.output.as_ref(), || "a buffer was written".into())?;
    Ok(Learned::Nothing)
}

fn empty(written: Option<&[u8]>) -> Result<Learned, Difference> {
    match written {
        None | Some([]) => Ok(Learned::Nothing),
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
pub(super) fn unchanged_but<'o>(
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
            fits(old, new)?;
            output = Some(new.bytes());
        } else {
            require(old == new, || format!("buffer {index} was written"))?;
        }
    }
    Ok(output)
}

/// Compares two images of a descriptor except for some buffers, and returns what those hold.
pub(super) fn unchanged_except<'o, const N: usize>(
    before: Option<&Descriptor>,
    after: Option<&'o Descriptor>,
    places: [usize; N],
) -> Result<[&'o [u8]; N], Difference> {
    let mut masked = after.cloned();
    let old = before.and_then(|descriptor| descriptor.buffers.as_deref()).unwrap_or_default();
    let new = after.and_then(|descriptor| descriptor.buffers.as_deref()).unwrap_or_default();
    let mut found = [&[][..]; N];
    for (found, place) in found.iter_mut().zip(places) {
        let (Some(old), Some(new)) = (old.get(place), new.get(place)) else { return Err("a buffer is gone".into()) };
        fits(old, new)?;
        *found = new.bytes();
        let masked = masked.as_mut().and_then(|descriptor| descriptor.buffers.as_mut());
        if let Some(masked) = masked.and_then(|buffers| buffers.get_mut(place)) {
            *masked = old.clone();
        }
    }
    require(masked.as_ref() == before, || "more than these buffers was written".into())?;
    Ok(found)
}

/// A buffer for output keeps its type, and the same memory was written within the capacity that the caller gave.
fn fits(old: &Buffer, new: &Buffer) -> Result<(), Difference> {
    let capacity = old.bytes().len();
    let (old_memory, new_memory) = (old.data.as_deref().unwrap_or_default(), new.data.as_deref().unwrap_or_default());
    let is_within = new.count as usize <= capacity
        && old_memory.len() == new_memory.len()
        && old_memory.get(capacity..) == new_memory.get(capacity..);
    require(old.buffer_type == new.buffer_type, || "the output buffer changed its type".into())?;
    require(is_within, || "the output buffer was written beyond its capacity".into())
}
