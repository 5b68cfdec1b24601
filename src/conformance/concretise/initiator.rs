//! The initiator's side: challenges and proofs as a server makes them, completions and next headers.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SecHandle};
use crate::digest::charset::encode;
use crate::digest::{Charset, Qop, hash};
use crate::spec::call::{Buffer, Call, Descriptor};
use crate::spec::names::Profile;
use crate::spec::shadow::registers::{Context, Credentials, HttpAnswer};
use crate::spec::vocabulary as fact;

use super::wire::{self, Flaw, Piece};
use super::{Concretiser, bindings, buffers, draft};

const INTEGRITY: [u32; 3] = [0x1_0000, 0x4, 0x8];

impl Concretiser<'_> {
    /// A challenge and the flags under which the wished quality of protection is chosen.
    fn challenge(&mut self) -> (Vec<Piece>, u32) {
        let mut mutual = self.wishes(fact::Mutual::Yes);
        let any = ["auth", "auth,auth-int", "auth-int, auth", "auth , auth-conf"];
        let integrity_offers = ["auth-int", "auth,auth-int", "auth-conf,auth-int"];
        let mut algorithm = [None, Some("MD5"), Some("md5"), Some("MD5-sess")][self.rng.usize(..4)];
        let (offer, integrity) = match () {
            () if self.wishes(fact::Qop::AuthInt) => (Some(integrity_offers[self.rng.usize(..3)]), true),
            () if self.wishes(fact::Qop::Absent) => {
                mutual = false;
                algorithm = algorithm.filter(|name| *name != "MD5-sess");
                (None, false)
            }
            () if self.wishes(fact::Qop::None) => match self.rng.u8(1..6) {
                1 => (Some("auth-int"), false),
                2 => (Some("auth"), true),
                3 => (None, true),
                4 => {
                    mutual = true;
                    (None, false)
                }
                _other => (Some("auth-conf"), self.rng.bool()),
            },
            () => (Some(any[self.rng.usize(..4)]), false),
        };
        if self.wishes(fact::Algorithm::Unknown) {
            algorithm = Some(["SHA-256", "SHA-256-sess", "SHA-512-256", "token"][self.rng.usize(..4)]);
        }
        let mut nonce = draft::octets(32, &mut self.rng);
        if self.wishes(fact::Upgraded::Yes) || self.wishes(fact::Upgraded::Unused) {
            let prefix = ["+Upgraded+v1", "+Upgraded+"][usize::from(self.rng.u8(..4) == 0)];
            nonce.splice(..0, prefix.bytes());
        } else if self.rng.u8(..8) == 0 {
            nonce.splice(..0, *b"+upgraded+v1");
        }
        let mut pieces = vec![Piece::new("realm", self.realm_offered()), Piece::new("nonce", nonce)];
        if let Some(offer) = offer {
            pieces.push(Piece::new("qop", offer));
        }
        if let Some(algorithm) = algorithm {
            pieces.push(Piece::new("algorithm", algorithm));
        }
        if self.rng.u8(..4) != 0 {
            pieces.push(Piece::new("opaque", draft::octets(16, &mut self.rng)));
        }
        if self.rng.u8(..4) == 0 {
            pieces.push(Piece::new("domain", "/ http://www.example.org/"));
        }
        if self.wishes(fact::Stale::Yes) {
            pieces.push(Piece::new("stale", if self.rng.bool() { "true" } else { "TRUE" }));
        } else if self.rng.u8(..4) == 0 {
            pieces.push(Piece::new("stale", "false"));
        }
        let integrity = if integrity { INTEGRITY[self.rng.usize(..3)] } else { 0 };
        (pieces, integrity | if mutual { 0x2 } else { 0 })
    }

    fn realm_offered(&mut self) -> &'static str {
        ["digest-ssp", "testrealm@host.com", "with \"quotes\" and \\", ""][self.rng.usize(..4)]
    }

    /// The credentials to answer with, and whether their user's name is beyond ISO 8859-1.
    pub(super) fn outbound_credential(&mut self, context: Option<&Context>) -> (Option<SecHandle>, bool) {
        let needs_utf8 = |credentials: &Credentials| {
            let identity = credentials.outbound.as_ref();
            identity.is_some_and(|identity| encode(&identity.user, Charset::Iso8859_1).is_none())
        };
        let any_user = !self.wishes(fact::Username::NotEncodable);
        let credential = self.credential(
            context,
            |credentials| credentials.outbound.is_some(),
            |credentials| any_user || needs_utf8(credentials),
        );
        let registered = credential.and_then(|credential| self.registers.credentials.get(&credential));
        (credential, registered.is_some_and(needs_utf8))
    }

    /// Whether a challenge says charset=utf-8.
    pub(super) fn takes_utf8(&mut self, user_needs_it: bool) -> bool {
        !self.wishes(fact::Username::NotEncodable) && (user_needs_it || self.rng.bool())
    }

    pub(super) fn initialize(&mut self, context: Option<SecHandle>) -> Call {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let (credential, user_needs_utf8) = self.outbound_credential(known);
        let proof = known.and_then(|context| self.proof(context));
        let (mut pieces, mut requirements) = self.challenge();
        requirements |= self.http_flag(Profile::DigestHttp, context);
        if self.takes_utf8(user_needs_utf8) {
            pieces.push(Piece::new("charset", "utf-8"));
        }
        let is_proof = proof.is_some();
        let required: &[&str] = if is_proof { &[] } else { &["realm", "nonce"] };
        let flaw = self.flaw();
        let (proof_pieces, body) = proof.unwrap_or_default();
        let pieces = if is_proof { proof_pieces } else { pieces };
        let mut token = wire::write(pieces, required, flaw, self.token_bytes().min(2047), &mut self.rng);
        token = self.padded_if_malformed(token, flaw);
        let no_challenge_yet =
            known.is_none() && self.action.wishes.is_empty() && self.action.variety.is_multiple_of(4);
        let token = if no_challenge_yet { None } else { self.token_buffer(token) };
        let mut method = draft::method(self.action, &mut self.rng);
        if is_proof {
            method = b"GET".to_vec();
        }
        let entity = match () {
            () if self.wishes(fact::Entity::Absent) => Vec::new(),
            () if self.wishes(fact::Entity::Malformed) => draft::malformed_entity(&mut self.rng),
            () if is_proof => body,
            () => draft::entity_hash(&mut self.rng),
        };
        let mut input = buffers::message(token, vec![method, entity], &mut self.rng);
        let extended = self.extended();
        input.extend(extended);
        if self.wishes(fact::Flags::Unsupported) {
            requirements |= [0x1, 0x40, 0x10][self.rng.usize(..3)];
        }
        let target_name = match () {
            () if self.wishes(fact::TargetName::Empty) => Some(Vec::new()).filter(|_| self.rng.bool()),
            () if self.wishes(fact::TargetName::NotAscii) => Some("/é".as_bytes().to_vec()),
            () => Some(draft::uri(&mut self.rng)),
        };
        let output = self.output(&[BufferType::TOKEN]);
        Call::InitializeSecurityContext {
            credential,
            context,
            target_name,
            requirements,
            input: self.descriptor(input),
            output: buffers::output_descriptor(output, self.action),
        }
    }

    /// The caller's target host and channel.
    fn extended(&mut self) -> Vec<Buffer> {
        let mut both = match () {
            () if self.wishes(fact::Descriptor::ChannelBindings) => return vec![bindings::malformed(&mut self.rng)],
            () if self.wishes(fact::Descriptor::TargetHost) => {
                return vec![bindings::target_host(false, &mut self.rng)];
            }
            // Empty is not given.
            () if self.wishes(fact::Upgraded::Unused) => {
                vec![Buffer::null(BufferType::TARGET_HOST), Buffer::null(BufferType::CHANNEL_BINDINGS)]
            }
            () => vec![bindings::target_host(true, &mut self.rng), bindings::some_channel(&mut self.rng)],
        };
        self.rng.shuffle(&mut both);
        let at_least = usize::from(self.wishes(fact::Upgraded::Yes));
        both.truncate(self.rng.usize(at_least..=2));
        both
    }

    /// What breaks a response need not break a challenge; an unfinished quoted string breaks everything.
    pub(super) fn padded_if_malformed(&mut self, mut token: Vec<u8>, flaw: Flaw) -> Vec<u8> {
        if flaw == Flaw::Malformed {
            // No name; and no quote either, which could close one left open.
            token.extend_from_slice(b",=");
        }
        token
    }

    /// The Authentication-Info that a context in `responded` waits for, and the body it is over.
    fn proof(&mut self, context: &Context) -> Option<(Vec<Piece>, Vec<u8>)> {
        let answer = context.http_answer()?;
        let responded = fact::Fact::State.values()[context.state as usize] == "responded";
        // Only a challenge has directives that it must have.
        if !responded || self.wishes(fact::Kind::Challenge) || self.wishes(fact::Token::DirectiveMissing) {
            return None;
        }
        let body = draft::entity_hash(&mut self.rng);
        let rspauth = answer.rspauth(hash::unhex32(&body)).unwrap_or_default();
        let mut pieces = Vec::new();
        let wrong = self.wishes(fact::Proof::Wrong);
        // Without H(response body) nothing says that the proof itself is wrong.
        let judgeable = answer.qop != Some(Qop::AuthInt)
            || !(self.wishes(fact::Entity::Absent) || self.wishes(fact::Entity::Malformed));
        let way = self.rng.u8(if judgeable { 0..3 } else { 1..3 });
        if !self.wishes(fact::Proof::Absent) {
            let mut digits = hash::hex(&rspauth);
            if wrong && way == 0 {
                digits[0] = if digits[0] == b'0' { b'1' } else { b'0' };
            }
            pieces.push(Piece::new("rspauth", digits));
        }
        if wrong && way == 1 {
            pieces.push(Piece::new("nc", crate::digest::nc_value(answer.nc.wrapping_add(1))));
        } else if self.rng.bool() {
            pieces.push(Piece::new("nc", crate::digest::nc_value(answer.nc)));
        }
        if wrong && way == 2 {
            pieces.push(Piece::new("cnonce", [answer.cnonce.as_slice(), b"x"].concat()));
        } else if self.rng.bool() {
            pieces.push(Piece::new("cnonce", answer.cnonce.clone()));
        }
        if self.rng.bool() || pieces.is_empty() {
            pieces.push(Piece::new("nextnonce", draft::octets(16, &mut self.rng)));
        }
        Some((pieces, body))
    }

    /// The message of an initiator's completion; `None` where the context is not one that waits for it.
    pub(super) fn complete_own(&mut self, context: &Context) -> Option<Vec<Buffer>> {
        let answer = context.http_answer().filter(|_| context.holds.is_none())?;
        let token = match () {
            () if self.wishes(fact::Ours::Absent) => None,
            () if self.wishes(fact::Ours::Empty) => Some(Buffer::null(BufferType::TOKEN)),
            () if self.wishes(fact::Ours::ReadOnly) => {
                Some(Buffer::new(BufferType::TOKEN.read_only(), answer.token.clone()))
            }
            () if self.wishes(fact::Ours::Differs) => Some(Buffer::new(BufferType::TOKEN, self.changed(answer))),
            () => Some(Buffer::new(BufferType::TOKEN, self.edited(answer.token.clone()))),
        };
        let pick = |own: &[u8], empty: bool, differs: bool| match () {
            () if empty => Vec::new(),
            () if differs => [own, b"x"].concat(),
            () => own.to_vec(),
        };
        let (no_method, other_method) = (self.wishes(fact::Method::Empty), self.wishes(fact::Method::Differs));
        let (no_target, other_target) = (self.wishes(fact::Target::Empty), self.wishes(fact::Target::Differs));
        let method = pick(&answer.method, no_method, other_method);
        let target = pick(&answer.uri, no_target, other_target);
        let entity = self.own_entity();
        let mut message = buffers::message(token, vec![method, target, entity], &mut self.rng);
        if self.wishes(fact::Descriptor::ChannelBindings) {
            message.push(bindings::malformed(&mut self.rng));
        }
        Some(message)
    }

    fn changed(&mut self, answer: &HttpAnswer) -> Vec<u8> {
        match self.rng.u8(..3) {
            0 => [answer.token.as_slice(), b" "].concat(),
            1 => answer.token[..answer.token.len() - 1].to_vec(),
            _other => {
                let mut token = answer.token.clone();
                let at = self.rng.usize(..token.len());
                token[at] ^= 1;
                token
            }
        }
    }

    fn own_entity(&mut self) -> Vec<u8> {
        match () {
            () if self.wishes(fact::Entity::Absent) => Vec::new(),
            () if self.wishes(fact::Entity::Malformed) => draft::malformed_entity(&mut self.rng),
            () => draft::entity_hash(&mut self.rng),
        }
    }

    /// The message of MakeSignature on HTTP.
    pub(super) fn next_header(&mut self) -> Option<Descriptor> {
        let method = draft::method(self.action, &mut self.rng);
        let url = match () {
            () if self.wishes(fact::TargetName::Empty) => Vec::new(),
            () if self.wishes(fact::TargetName::NotAscii) => "/é".into(),
            () => draft::uri(&mut self.rng),
        };
        let entity = self.own_entity();
        let token = Some(Buffer::null(BufferType::TOKEN)).filter(|_| self.rng.u8(..4) != 0);
        let mut message = buffers::message(token, vec![method, url, entity], &mut self.rng);
        message.extend(self.output(&[BufferType::PADDING]).buffer());
        self.descriptor(message)
    }
}
