//! Computing the facts of a call from the call and the registers, and from nothing else.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::digest::sasl::OfferedAlgorithm;
use crate::digest::{Challenge, Qop as DigestQop, Response, SessionKey, TokenError, UserHash, charset, uri};
use crate::spec::call::{AuthIdentity, Call};
use crate::spec::model::{CallSpec, FactRule};
use crate::spec::names::Profile;
use crate::spec::setup::{AccountEntry, EnvironmentFault};
use crate::spec::vocabulary::{
    Accounts, Age, Algorithm, Answered, Asked, Block, Count, Credential, Descriptor, Digest, Fact, Facts, Fault, Flags,
    Handle, Identity, Kind, Logon, Method, Mutual, Names, Offered, Ours, Output, OutputDescriptor, Outside, Package,
    Proof, Qop, Room, Stale, Target, TargetName, Token, Use, Username, ValueIndex, Word,
};

use super::bindings::PROXY_BINDINGS;
use super::reading;
use super::registers::{Context, Credentials, HttpAnswer, Named, Offer, REQ_HTTP, Registers, Session, Terms};
use super::sasl::ciphers;
use super::view::{Reading, View};

/// ISC_REQ_* and ASC_REQ_* that ask for integrity, per call.
pub(super) const ISC_INTEGRITY: u32 = 0x1_0000 | 0x4 | 0x8;
pub(super) const ASC_INTEGRITY: u32 = 0x2_0000 | 0x4 | 0x8;
pub(super) const ISC_MUTUAL_AUTH: u32 = 0x2;
pub(super) const CONFIDENTIALITY: u32 = 0x10;
/// ISC_REQ_DELEGATE and ISC_REQ_PROMPT_FOR_CREDS.
const ISC_UNSUPPORTED: u32 = 0x1 | 0x40;
/// The name of the package, WDIGEST_SP_NAME.
pub(super) const PACKAGE_NAME: &str = "WDigest";
impl Registers {
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

    fn answer(&self, view: &View<'_>) -> Option<&HttpAnswer> {
        self.context(view)?.http_answer()
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
            Fact::Descriptor => is(view.form),
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
            Fact::Token if view.profile == Profile::AnyPackage => is(self.opaque_token(view)),
            Fact::Token => is(token(view)),
            Fact::Kind => match &view.reading {
                Reading::Proof(_) => is(Kind::AuthenticationInfo),
                Reading::Challenge(_) | Reading::SaslChallenge(_) => is(Kind::Challenge),
                Reading::Nothing | Reading::Response(_) | Reading::SaslResponse(_) => None,
            },
            Fact::Names => is(self.names(view)?),
            Fact::Bindings => is(self.bindings(view)?),
            Fact::Asked => is(self.asked(view)?),
            Fact::Method => is(self.method(view)),
            Fact::Qop => self.qop(view).map(Word::index),
            Fact::Entity => is(reading::entity(view.entity())),
            Fact::Algorithm => is(if is_algorithm_known(view)? { Algorithm::Known } else { Algorithm::Unknown }),
            Fact::Offered => is(self.offered(view)?),
            Fact::Outside => is(if self.outside_is_same(view)? { Outside::Same } else { Outside::Differs }),
            Fact::Target => is(self.target(view)?),
            Fact::TargetName => is(match view.profile {
                Profile::DigestHttp => target_name(view),
                Profile::DigestSasl => self.target_name_on_sasl(view),
                Profile::AnyPackage => return None,
            }),
            Fact::Age => is(if self.is_expired(self.exchange_of(view)?) { Age::Expired } else { Age::Fresh }),
            Fact::Answered => is(if self.session_of(view).is_some() { Answered::Elsewhere } else { Answered::No }),
            Fact::Accounts => is(if self.accounts_down { Accounts::Down } else { Accounts::Up }),
            Fact::Digest => {
                let matches = self.key_that_matches(view).is_some();
                is(if matches { Digest::Matches } else { Digest::Differs })
            }
            Fact::Count => is(self.count_fact(view)?),
            Fact::Authzid => is(Self::authzid(view)?),
            Fact::Attempt => is(self.attempt(view)?),
            Fact::Reauthentication => is(self.reauthentication(view)?),
            Fact::Upgraded => is(self.upgraded(view)?),
            Fact::Message => is(self.message(view)),
            Fact::Signature => is(Self::signature_given(view)),
            Fact::Direction if view.profile == Profile::AnyPackage => is(self.opaque_direction(view)?),
            Fact::Direction => is(self.direction(view)?),
            Fact::Seal if view.profile == Profile::AnyPackage => is(self.opaque_seal(view)),
            Fact::Seal => is(self.seal(view)?),
            Fact::Output => is(self.capacity(view)),
            Fact::Fault => is(self.fault_during(view.call)),
            Fact::Room => is(if self.contexts.len() >= self.setup.limits.contexts { Room::Full } else { Room::Some }),
            Fact::Stale => is(if view.stale()? { Stale::Yes } else { Stale::No }),
            Fact::Mutual => is(if view.call.requirements() & ISC_MUTUAL_AUTH != 0 { Mutual::Yes } else { Mutual::No }),
            Fact::Proof => is(self.proof(view)?),
            Fact::Ours => is(self.ours(view)?),
            Fact::Username => {
                let encodable = self.is_encodable(view)?;
                is(if encodable { Username::Encodable } else { Username::NotEncodable })
            }
            Fact::Package => is(self.package_asked(package_of(view.call)?)),
            Fact::Logon => is(if acquisition(view.call)?.logon_id.is_none() { Logon::Null } else { Logon::Other }),
            Fact::Use => is(credential_use_asked(acquisition(view.call)?.credential_use)),
            Fact::Identity => is(identity_given(acquisition(view.call)?.identity)),
            Fact::Attribute => is(self.attribute(view)?),
            Fact::Block => is(self.block(view.call.block())),
        }
    }

    /// Whether an output of enough capacity was given.
    pub(super) fn capacity(&self, view: &View<'_>) -> Output {
        let protects = matches!(view.call, Call::MakeSignature { .. } | Call::EncryptMessage { .. });
        match view.profile {
            Profile::DigestHttp => reading::capacity(view.output_buffers, view.output),
            Profile::AnyPackage => Self::opaque_capacity(view),
            Profile::DigestSasl if protects => self.room_for_protection(view).unwrap_or(Output::Absent),
            Profile::DigestSasl => reading::capacity_for(view.output_buffers, view.output, reading::SMALL_ON_SASL),
        }
    }

    /// The fact `asked`.
    fn asked(&self, view: &View<'_>) -> Option<Asked> {
        match view.profile {
            Profile::DigestHttp => {
                let auth = self.exchanges[self.exchange_of(view)?].offer.http_qop() == Some(DigestQop::Auth);
                let asks = view.call.requirements() & ASC_INTEGRITY != 0;
                Some(if auth && asks { Asked::More } else { Asked::Within })
            }
            Profile::DigestSasl => self.asked_on_sasl(view),
            Profile::AnyPackage => None,
        }
    }

    /// The fact `offered`.
    fn offered(&self, view: &View<'_>) -> Option<Offered> {
        match &self.exchanges[self.exchange_of(view)?].offer {
            Offer::Http { qop, algorithm, .. } => {
                let (exchange, response) = (&self.exchanges[self.exchange_of(view)?], view.response()?);
                let same =
                    response.qop == *qop && response.algorithm() == *algorithm && response.realm == exchange.realm;
                Some(if same { Offered::Same } else { Offered::Differs })
            }
            Offer::Sasl { .. } => self.offered_on_sasl(view),
        }
    }

    fn is_encodable(&self, view: &View<'_>) -> Option<bool> {
        let Some(challenge) = view.challenge() else { return self.is_encodable_on_sasl(view) };
        // Without credentials there is no name, and that is a departure of its own.
        let identity = self.outbound(view).and_then(|credentials| credentials.outbound.as_ref());
        Some(identity.is_none_or(|identity| charset::encode(&identity.wire_name(), challenge.charset).is_some()))
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

    fn block(&self, block: Option<SecHandle>) -> Block {
        match block {
            None => Block::Null,
            Some(block) if block == SecHandle::default() => Block::Null,
            Some(block) if self.blocks.contains(&block) => Block::Allocated,
            Some(block) if self.freed_blocks.contains(&block) => Block::Freed,
            Some(_) => Block::Foreign,
        }
    }

    fn flags(&self, view: &View<'_>) -> Flags {
        let flags = view.call.requirements();
        let initiates = matches!(view.call, Call::InitializeSecurityContext { .. });
        let no_cipher = flags & CONFIDENTIALITY != 0 && ciphers(&self.setup).is_empty();
        let unsupported = match view.profile {
            Profile::DigestHttp if initiates => flags & (ISC_UNSUPPORTED | CONFIDENTIALITY) != 0,
            Profile::DigestHttp => flags & CONFIDENTIALITY != 0,
            Profile::DigestSasl if initiates => flags & ISC_UNSUPPORTED != 0,
            Profile::DigestSasl => flags & PROXY_BINDINGS != 0 || no_cipher,
            Profile::AnyPackage => false,
        };
        let http = view.profile == Profile::DigestHttp;
        if self.context(view).is_some() && (flags & REQ_HTTP != 0) != http {
            Flags::OtherMechanism
        } else if unsupported {
            Flags::Unsupported
        } else {
            Flags::Supported
        }
    }

    fn names(&self, view: &View<'_>) -> Option<Names> {
        if matches!(view.call, Call::AcceptSecurityContext { .. }) {
            let established = Fact::State.value("established");
            let own = self
                .context(view)
                .filter(|context| Some(context.state) == established)
                .and_then(|context| context.holds);
            return Some(match view.named {
                Named::Live(exchange) if Some(exchange) == own => Names::This,
                Named::Live(exchange) if self.exchanges[exchange].session.is_some() => Names::Session,
                Named::Live(_) => Names::Challenge,
                Named::Ended(_) => Names::Ended,
                Named::Two => Names::Two,
                Named::Nothing => Names::Nothing,
            });
        }
        if view.profile == Profile::DigestSasl {
            return self.names_on_completion(view);
        }
        let ours = self.exchange_of(view).map(|exchange| &self.exchanges[exchange]);
        let is_ours = |response: &Response<'_>| {
            ours.is_some_and(|ours| {
                response.nonce == ours.nonce.as_slice() && Some(&*response.opaque) == ours.offer.opaque()
            })
        };
        Some(match view.named {
            _named if view.response().is_some_and(is_ours) => Names::This,
            Named::Live(_) | Named::Ended(_) => Names::Other,
            Named::Two => Names::Two,
            Named::Nothing => Names::Nothing,
        })
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
            Reading::SaslChallenge(_) => self.choice_on_sasl(view),
            Reading::SaslResponse(_) => None,
            Reading::Proof(_) | Reading::Nothing if view.profile == Profile::DigestSasl => {
                let layers = self.context(view)?.layers.as_ref();
                Some(match layers.map(|layers| layers.layer().cipher()) {
                    None => Qop::Auth,
                    Some(None) => Qop::AuthInt,
                    Some(Some(_)) => Qop::AuthConf,
                })
            }
            Reading::Proof(_) | Reading::Nothing => Some(self.answer(view)?.qop.map_or(Qop::Absent, of)),
        }
    }

    fn outside_is_same(&self, view: &View<'_>) -> Option<bool> {
        let exchange = &self.exchanges[self.exchange_of(view)?];
        let Offer::Http { qop, algorithm, .. } = &exchange.offer else { return self.outside_is_same_on_sasl(view) };
        let response = view.response()?;
        let negotiated = response.realm == exchange.realm && response.algorithm() == *algorithm && response.qop == *qop;
        let sessions = exchange.session.as_ref().is_none_or(|session| {
            let same_extended = match &session.terms {
                Terms::Http { extended: known, .. } => {
                    extended(response).iter().zip(known).all(|(given, known)| given.as_deref() == known.as_deref())
                }
                Terms::Sasl { .. } => false,
            };
            response.username == session.username && response.charset == session.charset && same_extended
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
    pub(super) fn key_that_matches<'v>(&self, view: &'v View<'_>) -> Option<&'v SessionKey> {
        view.key.get_or_init(|| self.find_key(view)).as_ref()
    }

    fn find_key(&self, view: &View<'_>) -> Option<SessionKey> {
        if view.profile == Profile::DigestSasl {
            return self.key_that_matches_on_sasl(view);
        }
        let response = view.response()?;
        let entity = view.entity_hash();
        let is_right =
            |key: &SessionKey| response.digest(key, view.parameter(0), entity.as_ref()) == Some(response.response);
        if let Some(session) = self.session_of(view) {
            return Some(session.key.clone()).filter(is_right);
        }
        let account = self.account(&response.username, &response.realm)?;
        let hashes =
            [UserHash::new, UserHash::utf8].map(|hash| hash(&account.username, &account.realm, &account.password));
        let keys = hashes.map(|hash| SessionKey::new(response.algorithm(), &hash, &response.nonce, &response.cnonce));
        keys.into_iter().find(is_right)
    }

    /// The account of that name in that realm, as the subject was configured.
    pub fn account(&self, username: &str, realm: &str) -> Option<&AccountEntry> {
        self.setup.accounts.iter().find(|account| account.username == username && account.realm == realm)
    }

    fn key_that_matches_on_sasl(&self, view: &View<'_>) -> Option<SessionKey> {
        let response = view.sasl_response()?;
        let is_right = |key: &SessionKey| response.digest(key) == response.response;
        if let Some(session) = self.session_of(view) {
            return Some(session.key.clone()).filter(is_right);
        }
        let account = self.account(&response.username, &response.realm)?;
        let hash = UserHash::new(&account.username, &account.realm, &account.password);
        Some(SessionKey::sasl(&hash, &response.nonce, &response.cnonce, response.authzid.as_deref())).filter(is_right)
    }

    fn count_fact(&self, view: &View<'_>) -> Option<Count> {
        Some(match view.call {
            Call::AcceptSecurityContext { .. } => {
                if view.nc()? == 1 {
                    Count::Next
                } else {
                    Count::TooFar
                }
            }
            Call::MakeSignature { .. } | Call::EncryptMessage { .. } if view.profile == Profile::DigestSasl => {
                return self.next_number(view);
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
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => self.count(self.exchange_of(view)?, view.nc()?),
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
        if let Some(answer) = self.context(view)?.sasl_answer() {
            let expected = answer.fields().rspauth(&answer.key);
            return Some(match view.proof()?.rspauth {
                None => Proof::Absent,
                Some(rspauth) if rspauth == expected => Proof::Right,
                Some(_) => Proof::Wrong,
            });
        }
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

    /// The fact `package`.
    fn package_asked(&self, name: &str) -> Package {
        if name.eq_ignore_ascii_case(self.package()) { Package::Known } else { Package::Other }
    }

    /// The credentials an initiator answers with.
    pub(super) fn outbound(&self, view: &View<'_>) -> Option<&Credentials> {
        self.credentials.get(&view.call.credential()?)
    }
}

fn token(view: &View<'_>) -> Token {
    let error = match &view.reading {
        Reading::Nothing => {
            return if reading::token(view.buffers).is_some() { Token::Empty } else { Token::Absent };
        }
        Reading::Response(response) => response.as_ref().as_ref().err(),
        Reading::Challenge(challenge) => challenge.as_ref().as_ref().err(),
        Reading::SaslResponse(response) => response.as_ref().as_ref().err(),
        Reading::SaslChallenge(challenge) => challenge.as_ref().as_ref().err(),
        Reading::Proof(proof) => proof.as_ref().err(),
    };
    match error {
        None => Token::WellFormed,
        Some(TokenError::Syntax(_) | TokenError::Invalid { .. }) => Token::Malformed,
        Some(TokenError::Repeated { .. }) => Token::DirectiveTwice,
        Some(TokenError::Missing { .. }) => Token::DirectiveMissing,
    }
}

/// Whether the algorithm of the challenge is one of the mechanism's.
fn is_algorithm_known(view: &View<'_>) -> Option<bool> {
    let http = view.challenge().map(|challenge| challenge.algorithm.effective().is_some());
    let sasl = view.sasl_challenge().map(|challenge| matches!(challenge.algorithm, OfferedAlgorithm::Md5Sess));
    http.or(sasl)
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
        | Call::EnumerateSecurityPackages {}
        | Call::QuerySecurityPackageInfo { .. }
        | Call::FreeContextBuffer { .. }
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
    credential_use: u32,
    logon_id: Option<u64>,
    identity: Option<&'c AuthIdentity>,
}

fn acquisition(call: &Call) -> Option<Acquisition<'_>> {
    let Call::AcquireCredentialsHandle { credential_use, logon_id, identity, .. } = call else { return None };
    Some(Acquisition { credential_use: *credential_use, logon_id: *logon_id, identity: identity.as_ref() })
}

/// The name of the package that a call is about.
fn package_of(call: &Call) -> Option<&str> {
    match call {
        Call::AcquireCredentialsHandle { package, .. } | Call::QuerySecurityPackageInfo { package } => Some(package),
        Call::FreeCredentialsHandle { .. }
        | Call::EnumerateSecurityPackages {}
        | Call::FreeContextBuffer { .. }
        | Call::InitializeSecurityContext { .. }
        | Call::AcceptSecurityContext { .. }
        | Call::CompleteAuthToken { .. }
        | Call::MakeSignature { .. }
        | Call::VerifySignature { .. }
        | Call::EncryptMessage { .. }
        | Call::DecryptMessage { .. }
        | Call::QueryContextAttributes { .. }
        | Call::DeleteSecurityContext { .. } => None,
    }
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
