//! Computing the facts of a call from the call and the registers, and from nothing else.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::digest::{AuthenticationInfo, Challenge, Qop as DigestQop, Response, SessionKey, TokenError, UserHash};
use crate::digest::{Limits, charset, directives, hash, uri};
use crate::spec::call::{Buffer, Call};
use crate::spec::model::CallSpec;
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
/// SECPKG_ATTR_*: SIZES, NAMES, LIFESPAN, KEY_INFO, PACKAGE_INFO, FLAGS.
const ATTRIBUTES: [u32; 6] = [0, 1, 2, 5, 10, 14];

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
        match self.call {
            Call::InitializeSecurityContext { .. } => self.parameter(1),
            _other => self.parameter(2),
        }
    }

    pub(super) fn entity_hash(&self) -> Option<[u8; 16]> {
        hash::unhex32(self.entity())
    }

    fn requirements(&self) -> u32 {
        match self.call {
            Call::InitializeSecurityContext { requirements, .. } | Call::AcceptSecurityContext { requirements, .. } => {
                *requirements
            }
            _other => 0,
        }
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
                | Call::AcquireCredentialsHandle { .. }
                | Call::FreeCredentialsHandle { .. }
                | Call::QueryContextAttributes { .. }
                | Call::DeleteSecurityContext { .. } => Reading::Nothing,
            }
        };
        let realm = match call {
            Call::AcceptSecurityContext { .. } => reading::realm(reading::parameter(buffers, 3)).1,
            _other => None,
        };
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

    fn context(&self, view: &View<'_>) -> Option<&Context> {
        self.contexts.get(&view.handle?)
    }

    fn answer(&self, view: &View<'_>) -> Option<&Answer> {
        self.context(view)?.answer.as_ref()
    }

    /// The challenge or session that a response is judged against.
    pub(super) fn exchange_of(&self, view: &View<'_>) -> Option<usize> {
        match view.call {
            Call::CompleteAuthToken { .. } | Call::VerifySignature { .. } => self.context(view)?.holds,
            _other => match view.named {
                Named::Live(exchange) => Some(exchange),
                Named::Ended(_) | Named::Two | Named::Nothing => None,
            },
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
                Descriptor::Good | Descriptor::Absent => OutputDescriptor::Good,
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
                is(if auth && view.requirements() & ASC_INTEGRITY != 0 { Asked::More } else { Asked::Within })
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
            Fact::Fault => is(match self.fault {
                EnvironmentFault::None => Fault::None,
                EnvironmentFault::Entropy => Fault::Entropy,
                EnvironmentFault::Clock => Fault::Clock,
            }),
            Fact::Room => is(if self.contexts.len() >= self.setup.limits.contexts { Room::Full } else { Room::Some }),
            Fact::Stale => is(if view.challenge()?.stale { Stale::Yes } else { Stale::No }),
            Fact::Mutual => is(if view.requirements() & ISC_MUTUAL_AUTH != 0 { Mutual::Yes } else { Mutual::No }),
            Fact::Proof => is(self.proof(view)?),
            Fact::Ours => is(self.ours(view)?),
            Fact::Username => {
                let challenge = view.challenge()?;
                let name = wire_name(self.outbound(view)?.outbound.as_ref()?);
                let encodable = charset::encode(&name, challenge.charset).is_some();
                is(if encodable { Username::Encodable } else { Username::NotEncodable })
            }
            Fact::Package | Fact::Logon | Fact::Use | Fact::Identity => acquired(fact, view.call),
            Fact::Attribute => match view.call {
                Call::QueryContextAttributes { attribute, .. } if ATTRIBUTES.contains(attribute) => {
                    is(Attribute::Supported)
                }
                _other => is(Attribute::Unsupported),
            },
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
        match view.call {
            Call::AcceptSecurityContext { .. } if !credentials.inbound => Credential::WrongDirection,
            Call::InitializeSecurityContext { .. } if credentials.outbound.is_none() => Credential::WrongDirection,
            Call::AcceptSecurityContext { .. }
                if context.is_some_and(|context| context.principal != credentials.principal) =>
            {
                Credential::Other
            }
            Call::InitializeSecurityContext { .. } if context.is_some_and(|context| context.credential != handle) => {
                Credential::Other
            }
            _other => Credential::Good,
        }
    }

    fn flags(&self, view: &View<'_>) -> Flags {
        let unsupported = match view.call {
            Call::InitializeSecurityContext { requirements, .. } => requirements & ISC_UNSUPPORTED != 0,
            Call::AcceptSecurityContext { requirements, .. } => requirements & CONFIDENTIALITY != 0,
            _other => false,
        };
        if unsupported { Flags::Unsupported } else { Flags::Supported }
    }

    fn names(&self, view: &View<'_>) -> Names {
        match view.call {
            Call::AcceptSecurityContext { .. } => match view.named {
                Named::Live(exchange) if self.exchanges[exchange].session.is_some() => Names::Session,
                Named::Live(_) => Names::Challenge,
                Named::Ended(_) => Names::Ended,
                Named::Two => Names::Two,
                Named::Nothing => Names::Nothing,
            },
            _other => {
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
            Reading::Challenge(_) => Some(choice(view.challenge()?, view.requirements())),
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
        let same = match view.response() {
            Some(response) => uri::same_target(target, &response.uri),
            None => self.answer(view)?.uri == target,
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
        match view.call {
            Call::AcceptSecurityContext { .. } => {
                Some(if view.response()?.nc == 1 { Count::Next } else { Count::TooFar })
            }
            Call::MakeSignature { .. } => {
                Some(if self.answer(view)?.nc == u32::MAX { Count::Exhausted } else { Count::Next })
            }
            _other => Some(self.count(self.exchange_of(view)?, view.response()?.nc)),
        }
    }

    fn proof(&self, view: &View<'_>) -> Option<Proof> {
        let (answer, proof) = (self.answer(view)?, view.proof()?);
        let Some(rspauth) = proof.rspauth else { return Some(Proof::Absent) };
        let expected = answer.rspauth(view.entity_hash())?;
        let same_nc = proof.nc.is_none_or(|nc| nc.eq_ignore_ascii_case(&crate::digest::nc_value(answer.nc)));
        let same_cnonce = proof.cnonce.as_ref().is_none_or(|cnonce| *cnonce == answer.cnonce);
        Some(if rspauth == expected && same_nc && same_cnonce { Proof::Right } else { Proof::Wrong })
    }

    fn ours(&self, view: &View<'_>) -> Option<Ours> {
        let answer = self.answer(view)?;
        Some(match reading::token(view.buffers) {
            None => Ours::Absent,
            Some((_, token)) if token.bytes().is_empty() => Ours::Empty,
            Some((_, token)) if token.bytes() != answer.token => Ours::Differs,
            Some((_, token)) if !token.buffer_type.is_writable() => Ours::ReadOnly,
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
        _other => view.parameter(1),
    };
    if name.is_empty() {
        TargetName::Empty
    } else if name.is_ascii() || matches!(view.call, Call::MakeSignature { .. }) {
        TargetName::Given
    } else {
        TargetName::NotAscii
    }
}

fn acquired(fact: Fact, call: &Call) -> Option<ValueIndex> {
    let Call::AcquireCredentialsHandle { package, credential_use, logon_id, identity, .. } = call else { return None };
    let index = match fact {
        Fact::Package => {
            if package.eq_ignore_ascii_case(PACKAGE_NAME) { Package::Digest } else { Package::Other }.index()
        }
        Fact::Logon => if logon_id.is_none() { Logon::Null } else { Logon::Other }.index(),
        Fact::Use => match credential_use {
            1 => Use::Inbound,
            2 => Use::Outbound,
            3 => Use::Both,
            _other => Use::Invalid,
        }
        .index(),
        Fact::Identity => match identity {
            None => Identity::Absent,
            Some(identity) if identity.user.is_empty() => Identity::Empty,
            Some(_) => Identity::Given,
        }
        .index(),
        _other => return None,
    };
    Some(index)
}

/// The extended-protection directives of a response.
pub(super) fn extended<'a>(response: &'a Response<'_>) -> [Option<std::borrow::Cow<'a, [u8]>>; 3] {
    let borrowed = |value: &'a Option<std::borrow::Cow<'_, [u8]>>| value.as_deref().map(std::borrow::Cow::Borrowed);
    [borrowed(&response.hashed_dirs), borrowed(&response.service_name), borrowed(&response.channel_binding)]
}

/// The user name that an identity answers with.
pub(super) fn wire_name(identity: &crate::spec::call::AuthIdentity) -> String {
    if identity.domain.is_empty() { identity.user.clone() } else { format!("{}\\{}", identity.domain, identity.user) }
}

/// Whether an output of enough capacity was given.
pub(super) fn output_is_enough(view: &View<'_>) -> bool {
    matches!(reading::capacity(view.output_buffers, view.output), Output::Enough)
}
