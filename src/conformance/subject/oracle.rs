//! The tables as a subject: it answers from the rows alone, over real bytes.
//!
//! The reference machine of suites and learning. With changed tables behind it, it is the fault model.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Subject, SubjectError};
use crate::buffer::{BufferType, SecHandle};
use crate::digest::bindings::{UPGRADED, upgraded_cnonce};
use crate::digest::{
    A2, Algorithm, AuthenticationInfo, Challenge, Charset, ExtendedProtection, OfferedAlgorithm, OfferedQop, Qop,
    ResponseFields, SessionKey, UserHash, charset, directives, hash, sasl,
};

use crate::spec::call::{Attribute, Call, Outcome, PackageInfo};
use crate::spec::model::{Allowed, Row};
use crate::spec::names::{Buffers, HandleOutcome, Need, Profile};
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::shadow::attributes::PACKAGE_VERSION;
use crate::spec::shadow::opaque::{NAMES, SIZES};
use crate::spec::shadow::questions::SaslOffer;
use crate::spec::shadow::reading;
use crate::spec::shadow::registers::{Extended, HttpAnswer, Offer, SaslAnswer};
use crate::spec::{Shadow, Specification};
use crate::status::SecurityStatus;

/// The tables, answering.
#[derive(Clone, Debug)]
pub struct Oracle {
    specification: Arc<Specification>,
    shadow: Shadow,
    /// Which of the oracles of this process: no two of them issue the same handle, so that what is run on several is as distinct
    /// as what is run on one.
    provider: u64,
    handles: u64,
    entropy: fastrand::Rng,
}

/// What some positions of a message hold afterwards, and pfQOP.
struct InPlace {
    places: Vec<(usize, Vec<u8>)>,
    quality: Option<u32>,
}

impl Oracle {
    /// A subject that does what these tables say.
    pub fn new(specification: Arc<Specification>) -> Self {
        let shadow = Shadow::new(Arc::clone(&specification), Setup::default());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let provider = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { specification, shadow, provider, handles: 0, entropy: fastrand::Rng::with_seed(0) }
    }

    /// The shadow that answers.
    pub fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// Draws its nonces from the beginning again, as a package does whose entropy is a constant.
    pub(super) fn repeat_entropy(&mut self) {
        self.entropy = fastrand::Rng::with_seed(0);
    }

    fn octets(&mut self) -> Vec<u8> {
        (0..32).map(|_| b"0123456789abcdef"[self.entropy.usize(..16)]).collect()
    }

    fn challenge(&mut self, call: &Call, stale: bool) -> Option<Vec<u8>> {
        let (mut nonce, opaque) = (self.octets(), self.octets());
        match self.shadow.profile_of(call) {
            Profile::DigestHttp => {
                let (realm, qop) = self.shadow.challenge_parameters(call)?;
                if self.shadow.announces_upgrade(call) {
                    nonce.splice(..0, *UPGRADED);
                }
                let algorithm = self.shadow.registers().setup.algorithm.into();
                challenge_bytes(realm, nonce, opaque, algorithm, qop, stale)
            }
            Profile::DigestSasl => {
                let SaslOffer { realm, qop, ciphers, maxbuf } = self.shadow.sasl_offer(call)?;
                let challenge = sasl::Challenge {
                    realms: vec![realm],
                    nonce,
                    qop: sasl::OfferedQop::only(qop),
                    stale,
                    maxbuf,
                    charset: Charset::Utf8,
                    algorithm: sasl::OfferedAlgorithm::Md5Sess,
                    ciphers,
                };
                challenge.to_bytes().ok()
            }
            Profile::AnyPackage => None,
        }
    }

    /// What the buffers class of a row means for this call: bytes for the output.
    fn written(&mut self, buffers: Buffers, call: &Call) -> Option<Vec<u8>> {
        match buffers {
            // What is done in place is written by `in_place`.
            Buffers::Untouched
            | Buffers::Unjudged
            | Buffers::AttributeValue
            | Buffers::PackageInfo
            | Buffers::Wrapped
            | Buffers::Plaintext
            | Buffers::Protected
            | Buffers::Recovered => None,
            // Tokens of any package mean nothing; completing one turns it around.
            Buffers::Token => Some(if self.shadow.output_is_enough(call) { self.octets() } else { Vec::new() }),
            Buffers::TokenCompleted => {
                let registers = self.shadow.registers();
                let token = registers.contexts.get(&call.context()?)?.opaque.token.clone();
                token.map(|token| token.into_iter().rev().collect())
            }
            Buffers::Empty => Some(Vec::new()),
            Buffers::Challenge => self.challenge(call, false),
            Buffers::ChallengeStale => self.challenge(call, true),
            Buffers::ChallengeIfOutput | Buffers::ChallengeStaleIfOutput => {
                let stale = buffers == Buffers::ChallengeStaleIfOutput;
                self.shadow.output_is_enough(call).then(|| self.challenge(call, stale)).flatten()
            }
            Buffers::PendingChallengeStale => self.pending(call),
            Buffers::PendingChallengeStaleIfOutput => {
                self.shadow.output_is_enough(call).then(|| self.pending(call)).flatten()
            }
            Buffers::AuthenticationInfoIfOutput => Some(self.authentication_info(call).unwrap_or_default()),
            Buffers::Response => match self.shadow.profile_of(call) {
                Profile::DigestHttp => self.response(call, true),
                Profile::DigestSasl => self.sasl_response(call),
                Profile::AnyPackage => None,
            },
            Buffers::ResponseAgain => written_sasl(&self.shadow.sasl_answer_again(call)?),
            Buffers::Rspauth => self.shadow.rspauth(call).map(|rspauth| sasl::rspauth_token(&rspauth).to_vec()),
            Buffers::Signature => self.shadow.signature(call).map(Vec::from),
            Buffers::ResponseUnfinished => self.response(call, false),
            Buffers::Header => self.header(call),
            Buffers::ResponseFinished => self.finished(call),
        }
    }

    fn pending(&self, call: &Call) -> Option<Vec<u8>> {
        let registers = self.shadow.registers();
        let pending = &registers.exchanges[registers.contexts.get(&call.context()?)?.pending?];
        let (realm, nonce) = (pending.realm.clone(), pending.nonce.clone());
        match &pending.offer {
            Offer::Http { opaque, qop, algorithm } => {
                challenge_bytes(realm, nonce, opaque.clone(), *algorithm, *qop, true)
            }
            Offer::Sasl { .. } => None,
        }
    }

    fn authentication_info(&self, call: &Call) -> Option<Vec<u8>> {
        let (key, response) = self.shadow.right_response(call)?;
        if response.qop == Qop::AuthInt || !self.shadow.output_is_enough(call) {
            return None;
        }
        let rspauth =
            key.response(&response.nonce, &response.protection(), &A2::Auth { method: b"", uri: &response.uri });
        let info = AuthenticationInfo {
            rspauth: Some(rspauth),
            qop: Some(response.qop),
            cnonce: Some(response.cnonce.to_vec()),
            nc: Some(response.nc_text),
            nextnonce: None,
        };
        info.to_bytes().ok()
    }

    fn response(&mut self, call: &Call, finished: bool) -> Option<Vec<u8>> {
        let extended = self.shadow.extended_protection(call);
        let cnonce = match &extended {
            Some(Extended { service_name, channel_binding }) => {
                let entropy = std::array::from_fn(|_| self.entropy.u8(..));
                upgraded_cnonce(service_name, channel_binding, &entropy).to_vec()
            }
            None => self.octets(),
        };
        let (challenge, identity) = self.shadow.challenge_and_identity(call)?;
        let Call::InitializeSecurityContext { target_name, requirements, .. } = call else { return None };
        let integrity = requirements & (0x1_0000 | 0x4 | 0x8) != 0;
        let qop = challenge.qop.as_ref().map(|_| if integrity { Qop::AuthInt } else { Qop::Auth });
        let username = identity.wire_name();
        let key = SessionKey::new(
            challenge.algorithm.effective()?,
            &UserHash::new(&username, &challenge.realm, &identity.password),
            &challenge.nonce,
            &cnonce,
        );
        let answer = HttpAnswer {
            challenge,
            username,
            key,
            qop,
            cnonce,
            extended,
            nc: 1,
            method: self.shadow.parameter(call, 0).to_vec(),
            uri: target_name.clone().unwrap_or_default(),
            token: Vec::new(),
        };
        let entity = hash::unhex32(self.shadow.parameter(call, 1));
        write(&answer, finished.then_some(entity))
    }

    fn header(&self, call: &Call) -> Option<Vec<u8>> {
        let before = self.shadow.registers().contexts.get(&call.context()?)?.http_answer()?;
        let answer = HttpAnswer {
            nc: before.next_count()?,
            method: self.shadow.parameter(call, 0).to_vec(),
            uri: self.shadow.parameter(call, 1).to_vec(),
            ..before.clone()
        };
        write(&answer, Some(hash::unhex32(self.shadow.parameter(call, 2))))
    }

    fn finished(&self, call: &Call) -> Option<Vec<u8>> {
        let answer = self.shadow.registers().contexts.get(&call.context()?)?.http_answer()?;
        let entity = hash::unhex32(self.shadow.parameter(call, 2));
        let digits = hash::hex(&answer.request_digest(entity.as_ref())?);
        let mut token = answer.token.clone();
        let limits = self.shadow.registers().token_limits();
        let place = directives::directives(&token, &limits)
            .filter_map(Result::ok)
            .find(|directive| directive.is("response"))?;
        let at = place.value_at..place.value_at + place.value.len();
        token.get_mut(at)?.copy_from_slice(&digits);
        Some(token)
    }

    fn sasl_response(&mut self, call: &Call) -> Option<Vec<u8>> {
        let cnonce = self.octets();
        let plan = self.shadow.sasl_plan(call)?;
        let key = SessionKey::sasl(&plan.user, &plan.nonce, &cnonce, None);
        let answer = SaslAnswer {
            nonce: plan.nonce,
            charset: plan.charset,
            // What the server receives does not stand in a response.
            peer_maxbuf: sasl::MaxBuf::DEFAULT,
            username: plan.username,
            realm: plan.realm,
            key,
            qop: plan.qop,
            cipher: plan.cipher,
            maxbuf: plan.maxbuf,
            cnonce,
            nc: 1,
            digest_uri: plan.digest_uri,
        };
        written_sasl(&answer)
    }

    /// What is done to a message where it stands.
    fn in_place(&mut self, buffers: Buffers, call: &Call) -> Option<InPlace> {
        let message = self.shadow.message_position(call)?;
        match buffers {
            Buffers::Wrapped => {
                let (encrypted, rest) = self.shadow.wrapped(call)?;
                let places = vec![(message, encrypted), (self.shadow.output_position(call)?, rest)];
                Some(InPlace { places, quality: None })
            }
            Buffers::Plaintext => {
                let (plaintext, quality) = self.shadow.plaintext(call)?;
                Some(InPlace { places: vec![(message, plaintext)], quality: Some(quality) })
            }
            Buffers::Protected if matches!(call, Call::MakeSignature { .. }) => {
                Some(InPlace { places: vec![(self.shadow.output_position(call)?, self.octets())], quality: None })
            }
            Buffers::Protected => {
                let given = reading::buffers(call.input());
                let trailer = given.iter().position(|buffer| buffer.buffer_type == BufferType::TOKEN)?;
                let encrypted = given.get(message)?.bytes().iter().map(|octet| !octet).collect();
                Some(InPlace { places: vec![(message, encrypted), (trailer, self.octets())], quality: None })
            }
            Buffers::Recovered => {
                let decrypted =
                    reading::buffers(call.input()).get(message)?.bytes().iter().map(|octet| !octet).collect();
                Some(InPlace { places: vec![(message, decrypted)], quality: Some(0) })
            }
            Buffers::Untouched
            | Buffers::Unjudged
            | Buffers::Token
            | Buffers::TokenCompleted
            | Buffers::Empty
            | Buffers::Challenge
            | Buffers::ChallengeStale
            | Buffers::ChallengeIfOutput
            | Buffers::ChallengeStaleIfOutput
            | Buffers::PendingChallengeStale
            | Buffers::PendingChallengeStaleIfOutput
            | Buffers::AuthenticationInfoIfOutput
            | Buffers::Response
            | Buffers::ResponseUnfinished
            | Buffers::ResponseFinished
            | Buffers::ResponseAgain
            | Buffers::Header
            | Buffers::Rspauth
            | Buffers::Signature
            | Buffers::AttributeValue
            | Buffers::PackageInfo => None,
        }
    }

    /// What is answered of what a row requires: of any package, whose exchange has three tokens of either side, each state
    /// once.
    fn choice<'r>(&self, row: &'r Row, call: &Call) -> &'r Allowed {
        let context = call.context().and_then(|handle| self.shadow.registers().contexts.get(&handle));
        let status = match context.map_or(0, |context| context.opaque.legs) {
            0 => SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE,
            1 => SecurityStatus::SEC_I_CONTINUE_NEEDED,
            _later => SecurityStatus::SEC_I_COMPLETE_NEEDED,
        };
        let is_open = !row.outcome.status.is_error();
        row.also.iter().find(|allowed| is_open && allowed.status == status).unwrap_or(&row.outcome)
    }

    /// Memory that was given away: the address is where none is.
    fn block(&mut self) -> SecHandle {
        self.handles += 1;
        SecHandle { lower: 0x0B10_C000 + 0x1_0000_0000 * self.handles, upper: self.provider }
    }

    /// What the package under test says of itself.
    fn package_info(&self) -> PackageInfo {
        PackageInfo {
            name: self.shadow.registers().package().to_owned(),
            capabilities: CONNECTION,
            version: PACKAGE_VERSION,
            rpc_id: NO_RPC_ID,
            maximum_token: 4096,
        }
    }

    fn handle(&mut self) -> SecHandle {
        self.handles += 1;
        SecHandle { lower: 0x0AC1_E000 + 0x1_0000_0000 * self.provider, upper: self.handles }
    }
}

/// SECPKG_FLAG_CONNECTION.
const CONNECTION: u32 = 0x10;
/// SECPKG_ID_NONE.
const NO_RPC_ID: u16 = 0xFFFF;

/// An attribute of a package that signs and encrypts with 32 octets.
fn attribute_of_any(call: &Call) -> Option<Attribute> {
    let Call::QueryContextAttributes { attribute, .. } = call else { return None };
    Some(match *attribute {
        SIZES => Attribute::Sizes { maximum_signature: 32, block_size: 0, security_trailer: 32 },
        NAMES => Attribute::Names("somebody".to_owned()),
        _other => Attribute::Other,
    })
}

/// A response of SASL.
fn written_sasl(answer: &SaslAnswer) -> Option<Vec<u8>> {
    let fields = answer.fields();
    let mut out = Vec::new();
    fields.write(&hash::hex(&fields.digest(&answer.key)), &mut out)?;
    Some(out)
}

/// Puts bytes into a buffer that a function may write.
pub(super) fn put(outcome: &mut Outcome, position: usize, bytes: &[u8]) {
    let buffers = outcome.output.as_mut().and_then(|output| output.buffers.as_mut());
    let Some(buffer) = buffers.and_then(|buffers| buffers.get_mut(position)) else { return };
    let memory = buffer.data.as_deref_mut().unwrap_or_default();
    let length = bytes.len().min(memory.len());
    memory[..length].copy_from_slice(&bytes[..length]);
    buffer.count = u32::try_from(length).unwrap_or(u32::MAX);
}

/// A challenge as the tables have it: one quality of protection, the algorithm named, charset=utf-8 offered.
fn challenge_bytes(
    realm: String,
    nonce: Vec<u8>,
    opaque: Vec<u8>,
    algorithm: Algorithm,
    qop: Qop,
    stale: bool,
) -> Option<Vec<u8>> {
    let challenge = Challenge {
        realm,
        nonce,
        opaque: Some(opaque),
        domain: None,
        stale,
        algorithm: OfferedAlgorithm::Known(algorithm),
        qop: Some(match qop {
            Qop::Auth => OfferedQop::AUTH,
            Qop::AuthInt => OfferedQop::AUTH_INT,
        }),
        charset: Charset::Utf8,
    };
    challenge.to_bytes().ok()
}

/// A response; without an entity to speak of, unfinished.
fn write(answer: &HttpAnswer, entity: Option<Option<[u8; 16]>>) -> Option<Vec<u8>> {
    let response = match entity {
        Some(entity) => hash::hex(&answer.request_digest(entity.as_ref())?),
        None => [b'0'; 32],
    };
    let fields = ResponseFields {
        username: &answer.username,
        realm: &answer.challenge.realm,
        nonce: &answer.challenge.nonce,
        uri: &answer.uri,
        protection: answer.qop.map(|qop| (qop, answer.nc, answer.cnonce.as_slice())),
        response: &response,
        opaque: answer.challenge.opaque.as_deref(),
        algorithm: match answer.challenge.algorithm {
            OfferedAlgorithm::Known(algorithm) => Some(algorithm),
            OfferedAlgorithm::Absent | OfferedAlgorithm::Unknown(_) => None,
        },
        charset: answer.challenge.charset,
        extended: answer.extended.as_ref().map(|extended| ExtendedProtection {
            service_name: &extended.service_name,
            channel_binding: &extended.channel_binding,
        }),
    };
    charset::encode(&answer.username, answer.challenge.charset)?;
    let mut out = Vec::new();
    fields.write(&mut out)?;
    Some(out)
}

impl Subject for Oracle {
    fn name(&self) -> String {
        format!("the tables (spec {})", self.specification.version)
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        Need::ALL.iter().copied().collect()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.shadow = Shadow::new(Arc::clone(&self.specification), setup.clone());
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let specification = Arc::clone(&self.specification);
        let expectation = self.shadow.expect(call);
        let facts = expectation.facts;
        let row = specification
            .call(call.name(), self.shadow.profile_of(call))
            .and_then(|tables| tables.row(&facts))
            .map(|(_, row)| row);
        let row = row.ok_or_else(|| SubjectError::Errored(format!("the tables have no row for {facts}")))?;
        let chosen = self.choice(row, call);
        let mut outcome = Outcome::untouched(chosen.status, call);
        outcome.handle = match chosen.handle {
            HandleOutcome::New if chosen.buffers == Buffers::PackageInfo => Some(self.block()),
            HandleOutcome::New => Some(self.handle()),
            HandleOutcome::Same => call.context(),
            HandleOutcome::None => None,
        };
        if !chosen.status.is_error() {
            outcome.granted = self.shadow.negotiated_flags(call);
            outcome.expiry = outcome.granted.map(|_| u64::MAX >> 1);
        }
        if chosen.buffers == Buffers::AttributeValue {
            outcome.attribute = match self.shadow.profile_of(call) {
                Profile::DigestHttp | Profile::DigestSasl => self.shadow.attribute(call),
                Profile::AnyPackage => attribute_of_any(call),
            };
        }
        if chosen.buffers == Buffers::PackageInfo {
            outcome.attribute = Some(Attribute::Packages(vec![self.package_info()]));
        }
        if let Some(InPlace { places, quality }) = self.in_place(chosen.buffers, call) {
            for (position, bytes) in places {
                put(&mut outcome, position, &bytes);
            }
            outcome.quality = quality;
        }
        if let Some(bytes) = self.written(chosen.buffers, call) {
            let in_place = matches!(chosen.buffers, Buffers::ResponseFinished | Buffers::TokenCompleted);
            let position = if in_place { self.shadow.token_position(call) } else { self.shadow.output_position(call) };
            if let Some(position) = position {
                put(&mut outcome, position, &bytes);
            }
        }
        self.shadow.absorb(call, &outcome);
        Ok(outcome)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.shadow.advance(milliseconds);
        Ok(())
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.shadow.inject(fault);
        Ok(())
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.shadow.take_accounts_down(down);
        Ok(())
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.shadow.spend_counts(context);
        Ok(())
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.shadow.spend_sequence(context);
        Ok(())
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        let handle = SecHandle { lower: 0x0F0E_1641, upper: self.entropy.u64(1..) };
        self.shadow.learn_foreign_handle(handle);
        Ok(handle)
    }
}
