//! Computing the facts of a call from the call and the registers, and from nothing else.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::digest::{AuthenticationInfo, Challenge, Qop as DigestQop, Response, SessionKey, TokenError, UserHash};
use crate::digest::{Limits, charset, directives, hash, uri};
use crate::spec::call::{AuthIdentity, Buffer, Call};
use crate::spec::model::{CallSpec, FactRule};
use crate::spec::setup::EnvironmentFault;
use crate::spec::vocabulary::{
    Accounts, Age, Answered, Asked, Attribute, Count, Credential, Descriptor, Digest, Fact, Facts, Fault, Flags,
    Handle, Identity, Kind, Logon, Method, Mutual, Names, Offered, Ours, Output, OutputDescriptor, Outside, Package,
    Proof, Qop, Room, Stale, Target, TargetName, Token, Use, Username, ValueIndex, Word,
};

use super::reading;
use super::registers::{Answer, Context, Credentials, Named, Registers, Session};

/// ISC_REQ_* and ASC_REQ_* that ask for integrity, per call.
pub(super) const ISC_INTEGRITY: u32 = 0x1_0000 | 0x4 | 0x8;
pub(super) const ASC_INTEGRITY: u32 = 0x2_0000 | 0x4 | 0x8;
pub(super) const ISC_MUTUAL_AUTH: u32 = 0x2;
const CONFIDENTIALITY: u32 = 0x10;
const ISC_UNSUPPORTED: u32 = 0x1 | 0x40 | CONFIDENTIALITY;
/// The name of the package, WDIGEST_SP_NAME.
pub(super) const PACKAGE_NAME: &str = "WDigest";
/// SECPKG_ATTR_PACKAGE_INFO.
const PACKAGE_INFO: u32 = 10;
/// SECPKG_ATTR_*: SIZES, NAMES, LIFESPAN, KEY_INFO, FLAGS.
const ATTRIBUTES: [u32; 5] = [0, 1, 2, 5, 14];

/// A token as the call's function reads it.
pub(super) enum Reading<'c> {
    /// There is none, or it is empty, or the function reads none.
    Nothing,
    /// A response, for an acceptor.
    Response(Box<Result<Response<'c>, TokenError>>),
    /// A challenge, for an initiator.
    Challenge(Box<Result<Challenge, TokenError>>),
    /// An Authentication-Info, for an initiator.
    Proof(Result<AuthenticationInfo, TokenError>),
}

/// A call, read once.
pub(super) struct View<'c> {
    pub(super) call: &'c Call,
    pub(super) handle: Option<SecHandle>,
    pub(super) buffers: &'c [Buffer],
    pub(super) output_buffers: &'c [Buffer],
    pub(super) output: Option<usize>,
    pub(super) reading: Reading<'c>,
    /// The challenge or session the token names.
    pub(super) named: Named,
    pub(super) realm: Option<String>,
}

impl<'c> View<'c> {
    pub(super) fn response(&self) -> Option<&Response<'c>> {
        match &self.reading {
            Reading::Response(response) => response.as_ref().as_ref().ok(),
            Reading::Nothing | Reading::Challenge(_) | Reading::Proof(_) => None,
        }
    }

    pub(super) fn challenge(&self) -> Option<&Challenge> {
        match &self.reading {
            Reading::Challenge(challenge) => challenge.as_ref().as_ref().ok(),
            Reading::Nothing | Reading::Response(_) | Reading::Proof(_) => None,
        }
    }

    pub(super) fn proof(&self) -> Option<&AuthenticationInfo> {
        match &self.reading {
            Reading::Proof(proof) => proof.as_ref().ok(),
            Reading::Nothing | Reading::Response(_) | Reading::Challenge(_) => None,
        }
    }

    pub(super) fn parameter(&self, position: usize) -> &'c [u8] {
        reading::parameter(self.buffers, position)
    }

    /// Which PKG_PARAMS is HEntity.
    pub(super) fn entity(&self) -> &'c [u8] {
        // InitializeSecurityContext has the uri as a parameter of its own.
        let position = if matches!(self.call, Call::InitializeSecurityContext { .. }) { 1 } else { 2 };
        self.parameter(position)
    }

    pub(super) fn entity_hash(&self) -> Option<[u8; 16]> {
        hash::unhex32(self.entity())
    }
}

impl Registers {
    /// Reads a call.
    pub(super) fn view<'c>(&self, call: &'c Call) -> View<'c> {
        let buffers = reading::buffers(call.input());
        let output_buffers = reading::buffers(call.output());
        let handle = call.context();
        let context = handle.and_then(|handle| self.contexts.get(&handle));
        let limits = self.token_limits();
        let token = reading::token(buffers).map_or(&[][..], |(_, buffer)| buffer.bytes());
        let output = match call {
            Call::AcceptSecurityContext { .. } | Call::InitializeSecurityContext { .. } => {
                reading::separate_output(output_buffers)
            }
            Call::MakeSignature { .. } => reading::header_output(buffers),
            Call::CompleteAuthToken { .. } => reading::output_after_token(buffers),
            Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => None,
        };
        let good = reading::form(call.input()) as u8 == Descriptor::Good as u8;
        let read = if token.is_empty() || !good {
            Reading::Nothing
        } else {
            match call {
                Call::AcceptSecurityContext { .. } | Call::CompleteAuthToken { .. } | Call::VerifySignature { .. } => {
                    Reading::Response(Box::new(Response::parse(token, &limits)))
                }
                Call::InitializeSecurityContext { .. } => initiator_reading(context, token, &limits),
                Call::MakeSignature { .. }
                | Call::EncryptMessage { .. }
                | Call::DecryptMessage { .. }
                | Call::AcquireCredentialsHandle { .. }
                | Call::FreeCredentialsHandle { .. }
                | Call::QueryContextAttributes { .. }
                | Call::DeleteSecurityContext { .. } => Reading::Nothing,
            }
        };
        let is_accept = matches!(call, Call::AcceptSecurityContext { .. });
        let realm = if is_accept { reading::realm(reading::parameter(buffers, 3)).1 } else { None };
        let mut view =
            View { call, handle, buffers, output_buffers, output, reading: read, named: Named::Nothing, realm };
        let principal = context.map(|context| context.principal.as_str()).or_else(|| {
            let credential = self.credentials.get(&call.credential()?)?;
            Some(credential.principal.as_str())
        });
        if let (Some(response), Some(principal)) = (view.response(), principal) {
            view.named = self.named(principal, &response.nonce, &response.opaque);
        }
        view
    }

    /// Every fact of a call that exists for it.
    pub(super) fn facts(&self, spec: &CallSpec, view: &View<'_>) -> Facts {
        let mut facts = Facts::default();
        for rule in &spec.facts {
            if facts.get(rule.fact).is_none() && rule.exists(&facts) {
                facts.set(rule.fact, self.fact(rule.fact, view));
            }
        }
        facts
    }

    /// The facts as they would be without the departures among `facts`: what lies behind those.
    pub(super) fn facts_behind(&self, spec: &CallSpec, facts: &Facts, view: &View<'_>) -> Facts {
        let departs = |rule: &FactRule| facts.get(rule.fact).is_some_and(|value| !rule.fine.contains(&value));
        // Without its method or its body nobody can say that a digest is wrong.
        let digest_is_judgeable =
            !spec.facts.iter().any(|rule| matches!(rule.fact, Fact::Method | Fact::Entity) && departs(rule));
        let mut behind = Facts::default();
        for rule in &spec.facts {
            if behind.get(rule.fact).is_some() || !rule.exists(&behind) {
                continue;
            }
            let is_judgeable = !departs(rule) && (rule.fact != Fact::Digest || digest_is_judgeable);
            let given = self.fact(rule.fact, view).filter(|value| is_judgeable && rule.values.contains(value));
            behind.set(rule.fact, given.or_else(|| rule.fine.first().copied()));
        }
        behind
    }

    fn context(&self, view: &View<'_>) -> Option<&Context> {
        self.contexts.get(&view.handle?)
    }

    fn answer(&self, view: &View<'_>) -> Option<&Answer> {
        self.context(view)?.answer.as_ref()
    }

    /// The challenge or session that a response is judged against.
    pub(super) fn exchange_of(&self, view: &View<'_>) -> Option<usize> {
        if matches!(view.call, Call::CompleteAuthToken { .. } | Call::VerifySignature { .. }) {
            return self.context(view)?.holds;
        }
        match view.named {
            Named::Live(exchange) => Some(exchange),
            Named::Ended(_) | Named::Two | Named::Nothing => None,
        }
    }

    fn session_of(&self, view: &View<'_>) -> Option<&Session> {
        self.exchanges[self.exchange_of(view)?].session.as_ref()
    }

    fn fact(&self, fact: Fact, view: &View<'_>) -> Option<ValueIndex> {
        fn is<W: Word>(word: W) -> Option<ValueIndex> {
            Some(word.index())
        }
        match fact {
            Fact::Handle => is(self.handle(view.handle)),
            Fact::Credential => is(self.credential(view)),
            Fact::Role => is(self.context(view)?.role),
            Fact::State => Some(self.context(view)?.state),
            Fact::Descriptor => is(reading::form(view.call.input())),
            Fact::OutputDescriptor => is(match reading::form(view.call.output()) {
                // An output descriptor is read neither for channel bindings nor for a target.
                Descriptor::Good | Descriptor::Absent | Descriptor::ChannelBindings | Descriptor::TargetHost => {
                    OutputDescriptor::Good
                }
                Descriptor::Version => OutputDescriptor::Version,
                Descriptor::Count => OutputDescriptor::Count,
                Descriptor::Buffer => OutputDescriptor::Buffer,
            }),
            Fact::Flags => is(self.flags(view)),
            Fact::RealmForm => is(reading::realm(view.parameter(3)).0),
            Fact::Token => is(token(view)),
            Fact::Kind => match &view.reading {
                Reading::Proof(_) => is(Kind::AuthenticationInfo),
                Reading::Challenge(_) => is(Kind::Challenge),
                Reading::Nothing | Reading::Response(_) => None,
            },
            Fact::Names => is(self.names(view)),
            Fact::Asked => {
                let auth = self.exchanges[self.exchange_of(view)?].qop == DigestQop::Auth;
                is(if auth && view.call.requirements() & ASC_INTEGRITY != 0 { Asked::More } else { Asked::Within })
            }
            Fact::Method => is(self.method(view)),
            Fact::Qop => self.qop(view).map(Word::index),
            Fact::Entity => is(reading::entity(view.entity())),
            Fact::Offered => {
                let (exchange, response) = (&self.exchanges[self.exchange_of(view)?], view.response()?);
                let same = response.qop == exchange.qop
                    && response.algorithm() == exchange.algorithm
                    && response.realm == exchange.realm;
                is(if same { Offered::Same } else { Offered::Differs })
            }
            Fact::Outside => is(if self.outside_is_same(view)? { Outside::Same } else { Outside::Differs }),
            Fact::Target => is(self.target(view)?),
            Fact::TargetName => is(target_name(view)),
            Fact::Age => is(if self.is_expired(self.exchange_of(view)?) { Age::Expired } else { Age::Fresh }),
            Fact::Answered => is(if self.session_of(view).is_some() { Answered::Elsewhere } else { Answered::No }),
            Fact::Accounts => is(if self.accounts_down { Accounts::Down } else { Accounts::Up }),
            Fact::Digest => {
                let matches = self.key_that_matches(view).is_some();
                is(if matches { Digest::Matches } else { Digest::Differs })
            }
            Fact::Count => is(self.count_fact(view)?),
            Fact::Output => is(reading::capacity(view.output_buffers, view.output)),
            Fact::Fault => is(self.fault_during(view.call)),
            Fact::Room => is(if self.contexts.len() >= self.setup.limits.contexts { Room::Full } else { Room::Some }),
            Fact::Stale => is(if view.challenge()?.stale { Stale::Yes } else { Stale::No }),
            Fact::Mutual => is(if view.call.requirements() & ISC_MUTUAL_AUTH != 0 { Mutual::Yes } else { Mutual::No }),
            Fact::Proof => is(self.proof(view)?),
            Fact::Ours => is(self.ours(view)?),
            Fact::Bindings
            | Fact::Algorithm
            | Fact::Authzid
            | Fact::Attempt
            | Fact::Reauthentication
            | Fact::Upgraded
            | Fact::Message
            | Fact::Signature
            | Fact::Direction
            | Fact::Seal => None,
            Fact::Username => {
                let challenge = view.challenge()?;
                // Without credentials there is no name, and that is a departure of its own.
                let identity = self.outbound(view).and_then(|credentials| credentials.outbound.as_ref());
                let encodable =
                    identity.is_none_or(|identity| charset::encode(&identity.wire_name(), challenge.charset).is_some());
                is(if encodable { Username::Encodable } else { Username::NotEncodable })
            }
            Fact::Package => is(package_asked(acquisition(view.call)?.package)),
            Fact::Logon => is(if acquisition(view.call)?.logon_id.is_none() { Logon::Null } else { Logon::Other }),
            Fact::Use => is(credential_use_asked(acquisition(view.call)?.credential_use)),
            Fact::Identity => is(identity_given(acquisition(view.call)?.identity)),
            Fact::Attribute => {
                let Call::QueryContextAttributes { attribute, .. } = view.call else { return None };
                is(match *attribute {
                    PACKAGE_INFO => Attribute::PackageInfo,
                    attribute if ATTRIBUTES.contains(&attribute) => Attribute::Supported,
                    _unsupported => Attribute::Unsupported,
                })
            }
        }
    }

    fn handle(&self, handle: Option<SecHandle>) -> Handle {
        match handle {
            None => Handle::Null,
            Some(handle) if self.contexts.contains_key(&handle) => Handle::Live,
            Some(handle) if handle == SecHandle::default() => Handle::Zeroed,
            Some(handle) if self.credentials.contains_key(&handle) => Handle::Credentials,
            Some(handle) if self.deleted.contains(&handle) => Handle::Deleted,
            Some(handle) if self.foreign.contains(&handle) => Handle::Foreign,
            Some(_) => Handle::Forged,
        }
    }

    fn credential(&self, view: &View<'_>) -> Credential {
        let Some(handle) = view.call.credential() else { return Credential::Null };
        let Some(credentials) = self.credentials.get(&handle) else {
            return match () {
                () if handle == SecHandle::default() => Credential::Zeroed,
                () if self.contexts.contains_key(&handle) => Credential::Context,
                () if self.freed.contains(&handle) => Credential::Freed,
                () if self.foreign.contains(&handle) => Credential::Foreign,
                () => Credential::Forged,
            };
        };
        let context = self.context(view);
        let accepts = matches!(view.call, Call::AcceptSecurityContext { .. });
        let initializes = matches!(view.call, Call::InitializeSecurityContext { .. });
        let principal_is_other = context.is_some_and(|context| context.principal != credentials.principal);
        let handle_is_other = context.is_some_and(|context| context.credential != handle);
        match () {
            () if accepts && !credentials.inbound => Credential::WrongDirection,
            () if initializes && credentials.outbound.is_none() => Credential::WrongDirection,
            () if accepts && principal_is_other => Credential::Other,
            () if initializes && handle_is_other => Credential::Other,
            () => Credential::Good,
        }
    }

    fn flags(&self, view: &View<'_>) -> Flags {
        let refused =
            if matches!(view.call, Call::InitializeSecurityContext { .. }) { ISC_UNSUPPORTED } else { CONFIDENTIALITY };
        let unsupported = view.call.requirements() & refused != 0;
        if unsupported { Flags::Unsupported } else { Flags::Supported }
    }

    fn names(&self, view: &View<'_>) -> Names {
        if matches!(view.call, Call::AcceptSecurityContext { .. }) {
            let established = Fact::State.value("established");
            let own = self
                .context(view)
                .filter(|context| Some(context.state) == established)
                .and_then(|context| context.holds);
            return match view.named {
                Named::Live(exchange) if Some(exchange) == own => Names::This,
                Named::Live(exchange) if self.exchanges[exchange].session.is_some() => Names::Session,
                Named::Live(_) => Names::Challenge,
                Named::Ended(_) => Names::Ended,
                Named::Two => Names::Two,
                Named::Nothing => Names::Nothing,
            };
        }
        let ours = self.exchange_of(view).map(|exchange| &self.exchanges[exchange]);
        let is_ours = |response: &Response<'_>| {
            ours.is_some_and(|ours| {
                response.nonce == ours.nonce.as_slice() && response.opaque == ours.opaque.as_slice()
            })
        };
        match view.named {
            _named if view.response().is_some_and(is_ours) => Names::This,
            Named::Live(_) | Named::Ended(_) => Names::Other,
            Named::Two => Names::Two,
            Named::Nothing => Names::Nothing,
        }
    }

    fn method(&self, view: &View<'_>) -> Method {
        let method = view.parameter(0);
        let differs = matches!(view.call, Call::CompleteAuthToken { .. })
            && self.answer(view).is_some_and(|answer| answer.method != method);
        if method.is_empty() {
            Method::Empty
        } else if differs {
            Method::Differs
        } else {
            Method::Given
        }
    }

    fn qop(&self, view: &View<'_>) -> Option<Qop> {
        let of = |qop| match qop {
            DigestQop::Auth => Qop::Auth,
            DigestQop::AuthInt => Qop::AuthInt,
        };
        match &view.reading {
            Reading::Response(_) => Some(of(view.response()?.qop)),
            Reading::Challenge(_) => Some(choice(view.challenge()?, view.call.requirements())),
            Reading::Proof(_) | Reading::Nothing => Some(self.answer(view)?.qop.map_or(Qop::Absent, of)),
        }
    }

    fn outside_is_same(&self, view: &View<'_>) -> Option<bool> {
        let (exchange, response) = (&self.exchanges[self.exchange_of(view)?], view.response()?);
        let negotiated = response.realm == exchange.realm
            && response.algorithm() == exchange.algorithm
            && response.qop == exchange.qop;
        let sessions = exchange.session.as_ref().is_none_or(|session| {
            response.username == session.username
                && response.charset == session.charset
                && extended(response)
                    .iter()
                    .zip(&session.extended)
                    .all(|(given, known)| given.as_deref() == known.as_deref())
        });
        Some(negotiated && sessions)
    }

    fn target(&self, view: &View<'_>) -> Option<Target> {
        let target = view.parameter(1);
        // An initiator knows the bytes it wrote; an acceptor compares what two parties wrote.
        let same = match self.answer(view) {
            Some(answer) => answer.uri == target,
            None => uri::same_target(target, &view.response()?.uri),
        };
        Some(match target {
            [] => Target::Empty,
            _target if same => Target::Same,
            _target => Target::Differs,
        })
    }

    /// The key under which the response is right: the session's, or one made from the account.
    pub(super) fn key_that_matches(&self, view: &View<'_>) -> Option<SessionKey> {
        let response = view.response()?;
        let entity = view.entity_hash();
        let is_right =
            |key: &SessionKey| response.digest(key, view.parameter(0), entity.as_ref()) == Some(response.response);
        if let Some(session) = self.session_of(view) {
            return Some(session.key.clone()).filter(is_right);
        }
        let account = self
            .setup
            .accounts
            .iter()
            .find(|account| response.username == account.username && response.realm == account.realm)?;
        let hashes =
            [UserHash::new, UserHash::utf8].map(|hash| hash(&account.username, &account.realm, &account.password));
        let keys = hashes.map(|hash| SessionKey::new(response.algorithm(), &hash, &response.nonce, &response.cnonce));
        keys.into_iter().find(is_right)
    }

    fn count_fact(&self, view: &View<'_>) -> Option<Count> {
        Some(match view.call {
            Call::AcceptSecurityContext { .. } => {
                if view.response()?.nc == 1 {
                    Count::Next
                } else {
                    Count::TooFar
                }
            }
            Call::MakeSignature { .. } => {
                if self.answer(view)?.nc == u32::MAX {
                    Count::Exhausted
                } else {
                    Count::Next
                }
            }
            Call::CompleteAuthToken { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::InitializeSecurityContext { .. }
            | Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => self.count(self.exchange_of(view)?, view.response()?.nc),
        })
    }

    /// What of the environment fails that the call asks: an initiator has no use for the clock, VerifySignature none
    /// for entropy.
    fn fault_during(&self, call: &Call) -> Fault {
        match self.fault {
            EnvironmentFault::Clock if !matches!(call, Call::InitializeSecurityContext { .. }) => Fault::Clock,
            EnvironmentFault::Entropy if !matches!(call, Call::VerifySignature { .. }) => Fault::Entropy,
            EnvironmentFault::None | EnvironmentFault::Clock | EnvironmentFault::Entropy => Fault::None,
        }
    }

    fn proof(&self, view: &View<'_>) -> Option<Proof> {
        let (answer, proof) = (self.answer(view)?, view.proof()?);
        let Some(rspauth) = proof.rspauth else { return Some(Proof::Absent) };
        // Without H(response body) nothing says that the proof is wrong.
        let expected = answer.rspauth(view.entity_hash()).unwrap_or(rspauth);
        let same_nc = proof.nc.is_none_or(|nc| nc.eq_ignore_ascii_case(&crate::digest::nc_value(answer.nc)));
        let same_cnonce = proof.cnonce.as_ref().is_none_or(|cnonce| *cnonce == answer.cnonce);
        Some(if rspauth == expected && same_nc && same_cnonce { Proof::Right } else { Proof::Wrong })
    }

    fn ours(&self, view: &View<'_>) -> Option<Ours> {
        let answer = self.answer(view)?;
        Some(match reading::token(view.buffers) {
            None => Ours::Absent,
            Some((_, token)) if token.bytes().is_empty() => Ours::Empty,
            Some((_, token)) if !token.buffer_type.is_writable() => Ours::ReadOnly,
            Some((_, token)) if token.bytes() != answer.token => Ours::Differs,
            Some(_) => Ours::Same,
        })
    }

    /// The credentials an initiator answers with.
    pub(super) fn outbound(&self, view: &View<'_>) -> Option<&Credentials> {
        self.credentials.get(&view.call.credential()?)
    }
}

/// How an initiator reads a token: in `responded` it may be the server's proof.
fn initiator_reading<'c>(context: Option<&Context>, token: &'c [u8], limits: &Limits) -> Reading<'c> {
    let responded = context.is_some_and(|context| Fact::State.values()[context.state as usize] == "responded");
    let is_challenge = || {
        let mut challenge = false;
        for directive in directives::directives(token, limits) {
            match directive {
                Ok(directive) => challenge |= directive.is("nonce") || directive.is("realm"),
                Err(_) => return challenge,
            }
        }
        challenge
    };
    if responded && !is_challenge() {
        Reading::Proof(AuthenticationInfo::parse(token, limits))
    } else {
        Reading::Challenge(Box::new(Challenge::parse(token, limits)))
    }
}

fn token(view: &View<'_>) -> Token {
    let error = match &view.reading {
        Reading::Nothing => {
            return if reading::token(view.buffers).is_some() { Token::Empty } else { Token::Absent };
        }
        Reading::Response(response) => response.as_ref().as_ref().err(),
        Reading::Challenge(challenge) => challenge.as_ref().as_ref().err(),
        Reading::Proof(proof) => proof.as_ref().err(),
    };
    match error {
        None => Token::WellFormed,
        Some(TokenError::Syntax(_) | TokenError::Invalid { .. }) => Token::Malformed,
        Some(TokenError::Repeated { .. }) => Token::DirectiveTwice,
        Some(TokenError::Missing { .. }) => Token::DirectiveMissing,
    }
}

/// The quality of protection that an initiator must choose.
fn choice(challenge: &Challenge, requirements: u32) -> Qop {
    let integrity = requirements & ISC_INTEGRITY != 0;
    let mutual = requirements & ISC_MUTUAL_AUTH != 0;
    let Some(algorithm) = challenge.algorithm.effective() else { return Qop::None };
    match &challenge.qop {
        Some(offered) if integrity && offered.auth_int => Qop::AuthInt,
        Some(offered) if !integrity && offered.auth => Qop::Auth,
        None if !integrity && !mutual && algorithm == crate::digest::Algorithm::Md5 => Qop::Absent,
        Some(_) | None => Qop::None,
    }
}

fn target_name(view: &View<'_>) -> TargetName {
    let name = match view.call {
        Call::InitializeSecurityContext { target_name, .. } => target_name.as_deref().unwrap_or_default(),
        Call::MakeSignature { .. }
        | Call::CompleteAuthToken { .. }
        | Call::VerifySignature { .. }
        | Call::EncryptMessage { .. }
        | Call::DecryptMessage { .. }
        | Call::AcceptSecurityContext { .. }
        | Call::AcquireCredentialsHandle { .. }
        | Call::FreeCredentialsHandle { .. }
        | Call::QueryContextAttributes { .. }
        | Call::DeleteSecurityContext { .. } => view.parameter(1),
    };
    if name.is_empty() {
        TargetName::Empty
    } else if name.iter().all(|octet| (b' '..=b'~').contains(octet)) {
        TargetName::Given
    } else {
        TargetName::NotAscii
    }
}

/// The parameters of AcquireCredentialsHandle that facts are about.
struct Acquisition<'c> {
    package: &'c str,
    credential_use: u32,
    logon_id: Option<u64>,
    identity: Option<&'c AuthIdentity>,
}

fn acquisition(call: &Call) -> Option<Acquisition<'_>> {
    let Call::AcquireCredentialsHandle { package, credential_use, logon_id, identity, .. } = call else { return None };
    Some(Acquisition { package, credential_use: *credential_use, logon_id: *logon_id, identity: identity.as_ref() })
}

fn package_asked(name: &str) -> Package {
    if name.eq_ignore_ascii_case(PACKAGE_NAME) { Package::Digest } else { Package::Other }
}

fn credential_use_asked(credential_use: u32) -> Use {
    match credential_use {
        1 => Use::Inbound,
        2 => Use::Outbound,
        3 => Use::Both,
        _invalid => Use::Invalid,
    }
}

fn identity_given(identity: Option<&AuthIdentity>) -> Identity {
    match identity {
        None => Identity::Absent,
        Some(identity) if identity.user.is_empty() => Identity::Empty,
        Some(_) => Identity::Given,
    }
}

/// The extended-protection directives of a response.
pub(super) fn extended<'a>(response: &'a Response<'_>) -> [Option<std::borrow::Cow<'a, [u8]>>; 3] {
    let borrowed = |value: &'a Option<std::borrow::Cow<'_, [u8]>>| value.as_deref().map(std::borrow::Cow::Borrowed);
    [borrowed(&response.hashed_dirs), borrowed(&response.service_name), borrowed(&response.channel_binding)]
}

/// Whether an output of enough capacity was given.
pub(super) fn output_is_enough(view: &View<'_>) -> bool {
    matches!(reading::capacity(view.output_buffers, view.output), Output::Enough)
}
