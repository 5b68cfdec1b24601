//! Whatever is called and whatever comes back: the facts are a consistent combination of the tables, one row judges
//! it, nothing panics, and what fails changes nothing.

use crate::calls::{FOREIGN, call, descriptor, some_handle, token};
use crate::sasl_support::{self, SaslBench, SaslRequest};
use crate::support::{self, Bench, HTTP, ISC_INTEGRITY, ISC_MUTUAL_AUTH, OutcomeExt, ROOM, Request, handle};
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::{Qop, sasl};
use digest_ssp::spec::call::{Attribute, AuthIdentity, Buffer, Descriptor};
use digest_ssp::spec::model::CallSpec;
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::setup::{Cipher, EnvironmentFault, Limits, OfferedAlgorithm, Policy, Setup};
use digest_ssp::spec::shadow::Judgement;
use digest_ssp::spec::vocabulary::{Fact, Facts};
use digest_ssp::spec::{Call, Outcome, Shadow, Verdict};
use digest_ssp::status::SecurityStatus as Status;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::num::NonZeroU32;

/// What a subject may do to a call: anything. `None` stands for what the row says.
#[derive(Clone, Debug)]
struct Wild {
    status: Option<Status>,
    handle: Option<SecHandle>,
    input: Option<Option<Descriptor>>,
    output: Option<Option<Descriptor>>,
    written: Option<(prop::sample::Index, Vec<u8>, u32)>,
    attribute: Option<Attribute>,
    granted: Option<u32>,
    expiry: Option<u64>,
}

fn wild() -> BoxedStrategy<Wild> {
    let status = prop_oneof![
        4 => Just(None),
        1 => any::<u32>().prop_map(|status| Some(Status(status))),
        2 => Just(Some(Status::SEC_E_OK)),
    ];
    let attribute = prop_oneof![Just(None), Just(Some(Attribute::Other)), Just(Some(Attribute::Names("alice".into())))];
    let written = prop::option::weighted(
        0.8,
        (any::<prop::sample::Index>(), token(), prop_oneof![4 => Just(0), 1 => any::<u32>()]),
    );
    (
        status,
        some_handle(),
        prop::option::weighted(0.1, descriptor()),
        prop::option::weighted(0.2, descriptor()),
        written,
        attribute,
        prop::option::of(any::<u32>()),
        prop::option::weighted(0.1, any::<u64>()),
    )
        .prop_map(|(status, handle, input, output, written, attribute, granted, expiry)| Wild {
            status,
            handle,
            input,
            output,
            written,
            attribute,
            granted,
            expiry,
        })
        .boxed()
}

impl Wild {
    fn outcome(&self, call: &Call, expected: Option<Status>) -> Outcome {
        let status = self.status.or(expected).unwrap_or(Status::SEC_E_OK);
        let mut outcome = Outcome::untouched(status, call);
        if let Some(input) = &self.input {
            outcome.input.clone_from(input);
        }
        if let Some(output) = &self.output {
            outcome.output.clone_from(output);
        }
        let buffers = outcome.output.as_mut().and_then(|output| output.buffers.as_mut());
        if let (Some((at, bytes, surplus)), Some(buffers)) =
            (&self.written, buffers.filter(|buffers| !buffers.is_empty()))
        {
            let buffer = at.get(buffers).clone();
            let position = at.index(buffers.len());
            let mut data = buffer.data.unwrap_or_default();
            let length = bytes.len().min(data.len());
            data[..length].copy_from_slice(&bytes[..length]);
            let count = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(*surplus);
            buffers[position] = Buffer { buffer_type: buffer.buffer_type, count, data: Some(data) };
        }
        // Out of the way of the handles that the bench will make.
        let elsewhere = |handle: SecHandle| SecHandle { lower: handle.lower.saturating_add(1000), ..handle };
        outcome.handle = self.handle.map(elsewhere);
        outcome.attribute.clone_from(&self.attribute);
        outcome.granted = self.granted;
        outcome.expiry = self.expiry;
        outcome
    }
}

/// What makes a call hit something: indices of live handles, and a token of the session there is.
#[derive(Clone, Copy, Debug)]
struct Aim {
    context: Option<prop::sample::Index>,
    credential: Option<prop::sample::Index>,
    /// Its count, as a distance from the last one, and whether its digest is right.
    session: Option<(u32, bool)>,
    sane: bool,
}

fn aim() -> impl Strategy<Value = Aim> {
    let index = |weight| prop::option::weighted(weight, any::<prop::sample::Index>());
    let session = prop::option::weighted(0.7, (0..3_u32, prop::bool::weighted(0.7)));
    (index(0.7), index(0.9), session, prop::bool::weighted(0.7)).prop_map(|(context, credential, session, sane)| Aim {
        context,
        credential,
        session,
        sane,
    })
}

impl Aim {
    fn at(self, call: &Call, shadow: &Shadow, session: Option<&Request>) -> Call {
        let mut call = call.clone();
        let registers = shadow.registers();
        let contexts: Vec<_> = registers.contexts.keys().copied().collect();
        let live: Vec<_> = registers.credentials.keys().copied().collect();
        let pick = |handles: &[SecHandle], index: Option<prop::sample::Index>| {
            index.filter(|_| !handles.is_empty()).map(|index| *index.get(handles))
        };
        match &mut call {
            Call::InitializeSecurityContext { credential, context, requirements, .. }
            | Call::AcceptSecurityContext { credential, context, requirements, .. } => {
                *context = pick(&contexts, self.context);
                if let Some(made_with) = context.and_then(|context| registers.contexts.get(&context)) {
                    *credential = Some(made_with.credential);
                } else {
                    *credential = pick(&live, self.credential);
                }
                if self.sane {
                    *requirements = HTTP;
                }
            }
            Call::CompleteAuthToken { context, .. }
            | Call::MakeSignature { context, .. }
            | Call::VerifySignature { context, .. }
            | Call::EncryptMessage { context, .. }
            | Call::DecryptMessage { context, .. }
            | Call::QueryContextAttributes { context, .. }
            | Call::DeleteSecurityContext { context } => *context = pick(&contexts, self.context).or(*context),
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. } => {}
        }
        let token = session.zip(self.session).map(|(session, (distance, right))| {
            let request = session.counted(session.nc.saturating_add(distance).saturating_sub(1));
            if right { request.token() } else { request.forged() }
        });
        let has_input =
            call.input().is_some_and(|input| input.buffers.as_ref().is_some_and(|buffers| !buffers.is_empty()));
        if let Some(token) = token.filter(|_| has_input) {
            return support::with_input(call, |input| {
                if let Some(buffer) = input.buffers.as_mut().and_then(|buffers| buffers.first_mut()) {
                    *buffer = Buffer::new(BufferType::TOKEN, token);
                }
            });
        }
        call
    }
}

/// What goes well, where the state of things allows it.
trait Tries {
    /// A challenge and its right answer; `None` if either did not pass.
    fn try_established(&mut self) -> Option<Request>;
    /// A later request looks for its session.
    fn try_found(&mut self, request: &Request) -> Judgement;
    /// An initiator answers a challenge; with auth-int its body is not read yet.
    fn try_initiated(&mut self, auth_int: bool, mutual: bool) -> Judgement;
    /// On SASL: a challenge, its right answer, the server's proof; then messages in both directions.
    fn try_protected(&mut self, qop: sasl::Qop) -> Vec<Judgement>;
}

impl Tries for Bench {
    fn try_established(&mut self) -> Option<Request> {
        let call = support::accept(self.credential, None, b"");
        let (context, issued) = (self.new_handle(), self.issue(Qop::Auth));
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        self.shadow.absorb(&call, &outcome.writing(0, &issued.token(false)));
        let request = Request { algorithm: Some(self.algorithm), ..Request::answering(&issued) };
        let call = support::accept(self.credential, Some(context), &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        let judged = self.shadow.absorb(&call, &outcome.writing(0, &request.authentication_info()));
        matches!(judged.verdict, Verdict::Pass).then_some(request)
    }

    fn try_found(&mut self, request: &Request) -> Judgement {
        let call = support::accept(self.credential, None, &request.token());
        let outcome = Outcome::untouched(Status::SEC_I_COMPLETE_NEEDED, &call).with_handle(self.new_handle());
        self.shadow.absorb(&call, &outcome.writing(0, b""))
    }

    fn try_protected(&mut self, qop: sasl::Qop) -> Vec<Judgement> {
        let call = sasl_support::sasl_accept(self.credential, None, sasl_support::flags(qop), b"");
        let (context, nonce) = (self.new_handle(), self.nonce());
        let outcome = Outcome::untouched(Status::SEC_I_CONTINUE_NEEDED, &call).with_handle(context);
        let challenged = self.shadow.absorb(&call, &outcome.writing(0, &sasl_support::challenge(&nonce, qop, false)));
        let request = SaslRequest::answering(&nonce, qop);
        let call = sasl_support::sasl_accept(self.credential, Some(context), 0, &request.token());
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call).with_handle(context);
        let established = self.shadow.absorb(&call, &outcome.writing(0, &request.rspauth()));
        let buffers = vec![support::buffer(BufferType::DATA, b"message"), support::room(BufferType::PADDING, 24)];
        let call = Call::EncryptMessage { context: Some(context), message: Some(Descriptor::new(buffers)) };
        let outcome = Outcome::untouched(Status::SEC_E_OK, &call);
        let outcome = match self.shadow.wrapped(&call) {
            Some((data, rest)) => outcome.writing(0, &data).writing(1, &rest),
            None => outcome,
        };
        vec![challenged, established, self.shadow.absorb(&call, &outcome)]
    }

    fn try_initiated(&mut self, auth_int: bool, mutual: bool) -> Judgement {
        let identity = AuthIdentity { user: "alice".into(), domain: String::new(), password: "secret".into() };
        let credential = self.acquire(None, 2, Some(identity));
        let issued = self.issue(if auth_int { Qop::AuthInt } else { Qop::Auth });
        let flags = HTTP | if auth_int { ISC_INTEGRITY } else { 0 } | if mutual { ISC_MUTUAL_AUTH } else { 0 };
        let call = Call::InitializeSecurityContext {
            credential: Some(credential),
            context: None,
            target_name: Some(b"/dir/index.html".to_vec()),
            requirements: flags,
            input: Some(Descriptor::new(vec![
                support::buffer(BufferType::TOKEN, &issued.token(false)),
                support::buffer(BufferType::PKG_PARAMS, b"GET"),
            ])),
            output: Some(Descriptor::new(vec![support::room(BufferType::TOKEN, ROOM)])),
        };
        let request = Request { algorithm: Some(self.algorithm), ..Request::answering(&issued) };
        let token = if auth_int { request.token_with_digest([0; 16]) } else { request.token() };
        let status = match (auth_int, mutual) {
            (false, false) => Status::SEC_E_OK,
            (false, true) => Status::SEC_I_CONTINUE_NEEDED,
            (true, false) => Status::SEC_I_COMPLETE_NEEDED,
            (true, true) => Status::SEC_I_COMPLETE_AND_CONTINUE,
        };
        let outcome = Outcome::untouched(status, &call).with_handle(self.new_handle());
        self.shadow.absorb(&call, &outcome.writing(0, &token))
    }
}

impl Peer for Shadow {
    fn peers_message(&self, context: SecHandle, message: &[u8]) -> Option<Vec<u8>> {
        let mut peer = self.registers().contexts.get(&context)?.layers.as_ref()?.peer.clone();
        let mut wrapped = message.to_vec();
        let mut rest = vec![0; peer.layer().trailer_len(message.len())];
        peer.encrypt(&mut wrapped, &mut rest).ok()?;
        Some([wrapped, rest].concat())
    }
}

/// What the peer of a context does.
trait Peer {
    /// The next message of the peer, as it comes from the wire.
    fn peers_message(&self, context: SecHandle, message: &[u8]) -> Option<Vec<u8>>;
}

/// A thing that happens to a subject.
#[derive(Clone, Debug)]
enum Step {
    Call(Box<Call>, Box<Wild>, Aim),
    /// Something that goes well, so that there are sessions to talk about.
    Establish,
    Protect(sasl::Qop),
    /// The peer's next message arrives at a context, perhaps with one octet changed.
    Receive(prop::sample::Index, Vec<u8>, Option<prop::sample::Index>),
    Pend,
    Advance(u64),
    Inject(EnvironmentFault),
    Accounts(bool),
    Spend(prop::sample::Index),
    Initiate {
        auth_int: bool,
        mutual: bool,
    },
}

fn step() -> BoxedStrategy<Step> {
    let fault = prop_oneof![
        3 => Just(EnvironmentFault::None),
        1 => Just(EnvironmentFault::Entropy),
        1 => Just(EnvironmentFault::Clock),
    ];
    prop_oneof![
        12 => (call(), wild(), aim()).prop_map(|(call, wild, aim)| Step::Call(Box::new(call), Box::new(wild), aim)),
        2 => Just(Step::Establish),
        2 => prop::sample::select(sasl::Qop::ALL.to_vec()).prop_map(Step::Protect),
        3 => (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..40), prop::option::weighted(0.3, any::<prop::sample::Index>()))
            .prop_map(|(context, message, flipped)| Step::Receive(context, message, flipped)),
        3 => Just(Step::Pend),
        1 => prop_oneof![Just(60_000_u64), Just(60_001), any::<u64>()].prop_map(Step::Advance),
        1 => fault.prop_map(Step::Inject),
        1 => prop::bool::weighted(0.3).prop_map(Step::Accounts),
        1 => any::<prop::sample::Index>().prop_map(Step::Spend),
        2 => any::<(bool, bool)>().prop_map(|(auth_int, mutual)| Step::Initiate { auth_int, mutual }),
    ]
    .boxed()
}

fn setup() -> impl Strategy<Value = Setup> {
    let policy = prop_oneof![
        Just(Policy::Strict),
        (1..4_u32).prop_map(|size| Policy::Window(NonZeroU32::MIN.saturating_add(size))),
        Just(Policy::Window(NonZeroU32::MAX)),
    ];
    let limit = || prop_oneof![2 => Just(4096_usize), 1 => 0..4_usize];
    let algorithm = prop_oneof![2 => Just(OfferedAlgorithm::Md5), 1 => Just(OfferedAlgorithm::Md5Sess)];
    let profile = prop::sample::select(Profile::DIGEST.to_vec());
    let ciphers =
        prop_oneof![3 => Just(Cipher::ALL.to_vec()), 1 => prop::sample::subsequence(Cipher::ALL.to_vec(), 0..5)];
    let maxbuf = prop_oneof![3 => Just(65_536), 1 => 17..100_u32];
    (policy, limit(), limit(), 0..9_u32, algorithm, profile, ciphers, maxbuf).prop_map(
        |(policy, contexts, challenges, failures, algorithm, profile, ciphers, maxbuf)| {
            let of_profile = match profile {
                Profile::DigestHttp | Profile::AnyPackage => Setup::default(),
                Profile::DigestSasl => sasl_support::setup(),
            };
            let limits = Limits { contexts, challenges, failures, ..Limits::default() };
            Setup { policy, algorithm, limits, ciphers, maxbuf, ..of_profile }
        },
    )
}

/// Every fact that a rule makes exist has one of the rule's values, and no other fact has any.
fn consistent(tables: &CallSpec, facts: &Facts) -> Result<(), TestCaseError> {
    let mut seen = Facts::default();
    for rule in &tables.facts {
        if !rule.exists(&seen) {
            continue;
        }
        prop_assert!(seen.get(rule.fact).is_none(), "{} exists twice: {facts}", rule.fact.name());
        let value = facts.get(rule.fact);
        prop_assert!(value.is_some_and(|value| rule.values.contains(&value)), "{}: {facts}", rule.fact.name());
        seen.set(rule.fact, value);
    }
    prop_assert_eq!(seen.to_string(), facts.to_string());
    Ok(())
}

fn judge(shadow: &mut Shadow, call: &Call, wild: &Wild) -> Result<(), TestCaseError> {
    let expectation = shadow.expect(call);
    let facts = expectation.facts;
    let status = expectation.row.map(|row| row.outcome.status);
    prop_assert!(status.is_some(), "no row: {}", facts);
    let profile = shadow.profile_of(call);
    let tables = shadow.specification().call(call.name(), profile).ok_or_else(|| TestCaseError::fail("no tables"))?;
    consistent(tables, &facts)?;
    let before = format!("{:?}", shadow.registers());
    let judged = shadow.absorb(call, &wild.outcome(call, status));
    prop_assert_eq!(judged.facts.to_string(), facts.to_string());
    if matches!(judged.verdict, Verdict::Fail(_)) {
        prop_assert_eq!(format!("{:?}", shadow.registers()), before);
    }
    // No reference is lost or counted twice.
    let registers = shadow.registers();
    for (index, exchange) in registers.exchanges.iter().enumerate() {
        let holders = registers.contexts.values().filter(|context| context.holds == Some(index)).count();
        prop_assert_eq!(exchange.holders, holders);
    }
    // What a tester may ask of the same call does not panic either.
    let _ = (shadow.challenge_parameters(call), shadow.right_response(call), shadow.challenge_and_identity(call));
    let _ = (shadow.negotiated_flags(call), shadow.username(call), shadow.output_position(call));
    let _ = (shadow.announces_upgrade(call), shadow.extended_protection(call), shadow.attribute(call));
    let _ = (shadow.sasl_offer(call), shadow.sasl_plan(call), shadow.sasl_answer_again(call), shadow.rspauth(call));
    let _ = (shadow.signature(call), shadow.wrapped(call), shadow.plaintext(call), shadow.message_position(call));
    Ok(())
}

/// What the peer sent is delivered; what was changed on the way is not.
fn receive(
    shadow: &mut Shadow,
    context: prop::sample::Index,
    message: &[u8],
    flipped: Option<prop::sample::Index>,
) -> Result<(), TestCaseError> {
    let alive: Vec<SecHandle> = shadow
        .registers()
        .contexts
        .iter()
        .filter(|(_, context)| context.layers.as_ref().is_some_and(|layers| !layers.receiver.is_dead()))
        .map(|(handle, _)| *handle)
        .collect();
    if alive.is_empty() {
        return Ok(());
    }
    let context = *context.get(&alive);
    let established = Fact::State.value("established");
    let Some(mut wrapped) = shadow.peers_message(context, message) else { return Ok(()) };
    if let Some(flipped) = flipped {
        let at = flipped.index(wrapped.len());
        wrapped[at] ^= 1;
    }
    let buffers = vec![support::buffer(BufferType::STREAM, &wrapped)];
    let call = Call::DecryptMessage { context: Some(context), message: Some(Descriptor::new(buffers)) };
    let is_delivered = flipped.is_none() && shadow.registers().contexts[&context].state == established.unwrap_or(0);
    prop_assert_eq!(shadow.plaintext(&call).is_some_and(|(plaintext, _)| plaintext == message), flipped.is_none());
    let mut outcome = Outcome::untouched(Status::SEC_E_OK, &call);
    outcome.quality = shadow.plaintext(&call).map(|(_, quality)| quality);
    let delivered = outcome.output.as_mut().and_then(|output| output.buffers.as_mut()).and_then(|all| all.first_mut());
    if let Some(buffer) = delivered {
        buffer.data.get_or_insert_default()[..message.len()].copy_from_slice(message);
        buffer.count = u32::try_from(message.len()).unwrap_or(u32::MAX);
    }
    let judged = shadow.absorb(&call, &outcome);
    prop_assert_eq!(matches!(judged.verdict, Verdict::Pass), is_delivered, "{:?} {}", judged.verdict, judged.facts);
    if flipped.is_some() {
        let row = shadow.expect(&call).row.map(|row| row.outcome.status).unwrap_or(Status::SEC_E_OK);
        let refused = shadow.absorb(&call, &Outcome::untouched(row, &call));
        prop_assert!(row.is_error() && matches!(refused.verdict, Verdict::Pass), "{}", refused.facts);
    }
    Ok(())
}

/// What is meant to go well on SASL does, so that the property speaks of sessions with layers.
#[test]
fn the_steps_of_sasl_go_well() {
    for qop in sasl::Qop::ALL {
        let mut bench = Bench::with(sasl_support::setup());
        let judged = bench.try_protected(qop);
        let passed = judged.iter().filter(|judged| matches!(judged.verdict, Verdict::Pass)).count();
        assert_eq!(passed, if qop == sasl::Qop::Auth { 2 } else { 3 }, "{judged:?}");
        let layers = bench.shadow.registers().contexts.values().filter(|context| context.layers.is_some()).count();
        assert_eq!(layers, usize::from(qop != sasl::Qop::Auth));
    }
}

#[test]
fn facts_that_are_not_consistent_are_noticed() {
    let bench = Bench::new();
    let call = Call::DeleteSecurityContext { context: Some(handle(7)) };
    let facts = bench.shadow.expect(&call).facts;
    let tables =
        |name| bench.shadow.specification().call(name, Profile::DigestHttp).expect("every call has its tables");
    assert!(consistent(tables(CallName::DeleteSecurityContext), &facts).is_ok());
    // A fact is missing, one is there that no rule makes exist, one has a value that is not among its rule's.
    assert!(consistent(tables(CallName::DeleteSecurityContext), &Facts::default()).is_err());
    let mut surplus = facts;
    surplus.set(Fact::Stale, Some(0));
    assert!(consistent(tables(CallName::DeleteSecurityContext), &surplus).is_err());
    // Without a context there are no credentials other than its own.
    let mut strange = bench.shadow.expect(&support::accept(bench.credential, None, b"")).facts;
    assert!(consistent(tables(CallName::AcceptSecurityContext), &strange).is_ok());
    strange.set(Fact::Credential, Fact::Credential.value("other"));
    assert!(consistent(tables(CallName::AcceptSecurityContext), &strange).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/shadow_properties.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_called_and_whatever_comes_back(setup in setup(), steps in prop::collection::vec(step(), 1..24)) {
        let mut bench = Bench::with(setup);
        bench.shadow.learn_foreign_handle(handle(FOREIGN));
        let mut session: Option<Request> = None;
        for step in &steps {
            match step {
                Step::Call(call, wild, aim) => {
                    let call = aim.at(call, &bench.shadow, session.as_ref());
                    judge(&mut bench.shadow, &call, wild)?;
                }
                Step::Establish => session = bench.try_established().or(session),
                Step::Protect(qop) => {
                    for judged in bench.try_protected(*qop) {
                        prop_assert!(judged.row.is_some(), "no row: {}", judged.facts);
                    }
                }
                Step::Receive(context, message, flipped) => receive(&mut bench.shadow, *context, message, *flipped)?,
                Step::Pend => {
                    if let Some(session) = &mut session {
                        session.nc = session.nc.saturating_add(1);
                        let judged = bench.try_found(session);
                        prop_assert!(judged.row.is_some(), "no row: {}", judged.facts);
                    }
                }
                Step::Advance(milliseconds) => bench.shadow.advance(*milliseconds),
                Step::Inject(fault) => bench.shadow.inject(*fault),
                Step::Accounts(down) => bench.shadow.take_accounts_down(*down),
                Step::Spend(index) => {
                    let contexts: Vec<_> = bench.shadow.registers().contexts.keys().copied().collect();
                    if !contexts.is_empty() {
                        bench.shadow.spend_counts(*index.get(&contexts));
                    }
                }
                Step::Initiate { auth_int, mutual } => {
                    let judged = bench.try_initiated(*auth_int, *mutual);
                    prop_assert!(judged.row.is_some(), "no row: {}", judged.facts);
                }
            }
        }
    }
}
