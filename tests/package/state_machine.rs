//! The package against the tables, step by step: legal and illegal calls over several handles, sessions and hosts.
//!
//! The reference is the tables answering for themselves; what they answer decides which calls come next. The package
//! gets the same actions, is judged by a shadow of its own, and must be judged by the same rows all the way.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use digest_ssp::buffer::SecHandle;
use digest_ssp::conformance::action::{Action, CallAction, Wishes};
use digest_ssp::conformance::plan::credentials_of_every_kind;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::{Step, Subject, SubjectError, Walk};
use digest_ssp::spec::call::{Call, Outcome};
use digest_ssp::spec::names::{CallName, Need, Profile};
use digest_ssp::spec::setup::{Cipher, EnvironmentFault, Limits, OfferedAlgorithm, Policy, Setup};
use digest_ssp::spec::shadow::registers::Registers;
use digest_ssp::spec::vocabulary::{Bindings, Entity, Fact, Flags, Kind, Names, Output, Proof, Qop, Seal, Token};
use digest_ssp::spec::{Specification, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// What the tables did so far.
#[derive(Clone, Debug)]
struct Reference {
    walk: Walk<Oracle>,
    /// The rows of the calls so far; `None` for what is not a call.
    history: Vec<Option<String>>,
}

fn tables() -> Arc<Specification> {
    static TABLES: Mutex<Option<Arc<Specification>>> = Mutex::new(None);
    let mut tables = TABLES.lock().expect("no test panics while it loads the tables");
    let loaded = tables.get_or_insert_with(|| Arc::new(Specification::embedded().expect("the embedded tables load")));
    Arc::clone(loaded)
}

fn row(step: Option<&Step>) -> Option<String> {
    step.and_then(|step| step.judgement.row.clone())
}

fn setup() -> impl Strategy<Value = Setup> {
    let algorithm = select(vec![OfferedAlgorithm::Md5, OfferedAlgorithm::Md5Sess]);
    let policy = prop_oneof![
        Just(Policy::Strict),
        (1..8u32).prop_map(|window| Policy::Window(NonZeroU32::new(window).unwrap_or(NonZeroU32::MIN)))
    ];
    let limits = (select(vec![4, 4096]), select(vec![2, 4096]), select(vec![2, 8]))
        .prop_map(|(contexts, challenges, failures)| Limits { contexts, challenges, failures, ..Limits::default() });
    let ciphers = prop_oneof![
        2 => Just(Cipher::ALL.to_vec()),
        1 => proptest::sample::subsequence(Cipher::ALL.to_vec(), 0..5),
    ];
    let mechanism = (select(Profile::DIGEST), select(vec![17, 1024, 65_536]), ciphers);
    (algorithm, policy, limits, mechanism).prop_map(|(algorithm, policy, limits, (profile, maxbuf, ciphers))| Setup {
        profile,
        algorithm,
        policy,
        limits,
        ciphers,
        maxbuf,
        ..Setup::default()
    })
}

fn wishes(few: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Wishes> {
    let wish = (select(Fact::ALL), any::<Index>()).prop_map(|(fact, value)| (fact, value.index(fact.values().len())));
    vec(wish, few).prop_map(|all| {
        let mut wishes = Wishes::default();
        for (fact, value) in all {
            wishes.set(fact, u8::try_from(value).expect("facts have few values"));
        }
        wishes
    })
}

/// What an honest party does next with a context in that state.
fn legal(state: &str) -> Vec<CallAction> {
    let call = |name| CallAction::new(name, 0).wishing(Output::Enough);
    let accept = || call(CallName::AcceptSecurityContext);
    let initialize = || call(CallName::InitializeSecurityContext);
    match state {
        "challenged" => vec![
            accept().wishing(Names::Challenge).wishing(Entity::Given),
            accept().wishing(Names::Challenge).wishing(Entity::Absent),
            accept().wishing(Names::Session),
        ],
        "complete-needed-initial"
        | "complete-needed-subsequent"
        | "complete-and-continue-initial"
        | "complete-and-continue-subsequent" => {
            vec![call(CallName::CompleteAuthToken).wishing(Names::This).wishing(Entity::Given)]
        }
        "complete-needed" | "complete-and-continue" => vec![call(CallName::CompleteAuthToken).wishing(Entity::Given)],
        "initial" => vec![initialize()],
        "responded" => vec![initialize(), initialize().wishing(Kind::AuthenticationInfo).wishing(Proof::Right)],
        "established" => vec![
            initialize().wishing(Token::Empty),
            call(CallName::EncryptMessage),
            call(CallName::DecryptMessage),
            call(CallName::DecryptMessage).wishing(Seal::Lost),
            call(CallName::VerifySignature).wishing(Names::This).wishing(Entity::Given),
            call(CallName::MakeSignature).wishing(Entity::Given),
            call(CallName::QueryContextAttributes),
            call(CallName::DeleteSecurityContext),
        ],
        _rejected => vec![call(CallName::DeleteSecurityContext)],
    }
}

/// What begins something.
fn beginnings() -> Vec<CallAction> {
    let accept = || CallAction::new(CallName::AcceptSecurityContext, 0).wishing(Output::Enough);
    let initialize = || CallAction::new(CallName::InitializeSecurityContext, 0).wishing(Output::Enough);
    vec![
        accept().wishing(Token::Empty).wishing(Qop::Auth),
        accept().wishing(Token::Empty).wishing(Qop::AuthInt),
        accept().wishing(Token::Empty).wishing(Qop::AuthConf),
        accept().wishing(Token::Empty).wishing(Flags::OtherMechanism),
        accept().wishing(Names::Challenge).wishing(Bindings::Matches),
        accept().wishing(Names::Challenge).wishing(Flags::OtherMechanism),
        accept().wishing(Names::Challenge).wishing(Entity::Given),
        accept().wishing(Names::Challenge).wishing(Entity::Absent),
        accept().wishing(Names::Session),
        initialize().wishing(Token::Empty),
        initialize().wishing(Token::WellFormed).wishing(Entity::Given),
        initialize().wishing(Token::WellFormed).wishing(Qop::AuthConf),
        initialize().wishing(Token::WellFormed).wishing(Flags::OtherMechanism),
        initialize().wishing(Token::WellFormed).wishing(Qop::AuthInt).wishing(Entity::Absent),
    ]
}

/// Any call on anything, with few wishes. No edits: what they hit depends on how long the subject's nonces are.
fn illegal() -> impl Strategy<Value = CallAction> {
    (select(CallName::ALL), option::of(0..6u8), option::of(0..6u8), any::<u64>(), wishes(0..3)).prop_map(
        |(call, context, which, variety, wishes)| CallAction {
            context,
            which,
            wishes,
            ..CallAction::new(call, variety)
        },
    )
}

impl ReferenceStateMachine for Reference {
    type State = Self;
    type Transition = Action;

    fn init_state() -> BoxedStrategy<Self> {
        setup()
            .prop_map(|setup| {
                let tables = tables();
                let oracle = Oracle::new(Arc::clone(&tables));
                let mut walk = Walk::start(&tables, oracle, &setup).expect("the tables start");
                for action in credentials_of_every_kind() {
                    walk.perform(&action).expect("the tables answer");
                }
                Self { walk, history: Vec::new() }
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Action> {
        let mut contexts: Vec<_> = state.walk.shadow().registers().contexts.values().collect();
        contexts.sort_by_key(|context| std::cmp::Reverse(context.ordinal));
        let states = contexts.iter().map(|context| Fact::State.values()[usize::from(context.state)]);
        let continuations: Vec<CallAction> = (0u8..)
            .zip(states)
            .flat_map(|(position, state)| legal(state).into_iter().map(move |call| call.on(position)))
            .collect();
        let seeded = |calls: Vec<CallAction>| {
            (select(calls), any::<u64>(), option::weighted(0.5, 0..4u8)).prop_map(|(call, variety, which)| {
                Action::Call(CallAction { variety, which: which.filter(|_| call.context.is_none()), ..call })
            })
        };
        let departing = |calls: Vec<CallAction>| {
            (select(calls), any::<u64>(), wishes(1..3)).prop_map(|(call, variety, departures)| {
                let mut wishes = call.wishes.clone();
                for (fact, value) in departures.iter() {
                    wishes.set(fact, value);
                }
                Action::Call(CallAction { variety, wishes, ..call })
            })
        };
        let world = prop_oneof![
            2 => Just(Action::Expire),
            1 => Just(Action::SpendCounts),
            1 => Just(Action::SpendSequences),
            1 => select(vec![EnvironmentFault::Entropy, EnvironmentFault::Clock]).prop_map(Action::Inject),
            3 => Just(Action::Inject(EnvironmentFault::None)),
            1 => Just(Action::AccountsDown(true)),
            2 => Just(Action::AccountsDown(false)),
        ];
        let all = if continuations.is_empty() { beginnings() } else { continuations };
        prop_oneof![
            4 => seeded(beginnings()),
            8 => seeded(all.clone()),
            4 => departing(all),
            4 => illegal().prop_map(Action::Call),
            1 => world,
        ]
        .boxed()
    }

    fn apply(mut state: Self, transition: &Action) -> Self {
        let step = state.walk.perform(transition).expect("the tables answer");
        state.history.push(row(step.as_ref()));
        state
    }
}

/// A subject beside the reference.
struct Beside<S>(PhantomData<S>);

impl<S: Subject + Default> StateMachineTest for Beside<S> {
    type SystemUnderTest = Walk<S>;
    type Reference = Reference;

    fn init_test(reference: &Reference) -> Walk<S> {
        let setup = &reference.walk.shadow().registers().setup;
        let mut walk = Walk::start(&tables(), S::default(), setup).expect("the subject starts");
        for action in credentials_of_every_kind() {
            walk.perform(&action).expect("the subject answers");
        }
        walk
    }

    fn apply(mut walk: Walk<S>, reference: &Reference, transition: Action) -> Walk<S> {
        let step = walk.perform(&transition).expect("the subject answers");
        let expected = reference.history.last().expect("the reference went first");
        if let Some(step) = step {
            assert_eq!(step.judgement.verdict, Verdict::Pass, "{}", step.judgement.facts);
            assert_eq!(step.judgement.row, *expected, "{}", step.judgement.facts);
        }
        walk
    }

    fn check_invariants(walk: &Walk<S>, reference: &Reference) {
        let states = |registers: &Registers| {
            let contexts = registers.contexts.values();
            let mut states: Vec<_> = contexts.map(|context| (context.ordinal, context.state)).collect();
            states.sort_unstable();
            states
        };
        let (ours, theirs) = (walk.shadow().registers(), reference.walk.shadow().registers());
        assert_eq!(states(ours), states(theirs), "the subject and the tables are in different states");
    }
}

fn configuration() -> ProptestConfig {
    ProptestConfig {
        cases: 128,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/package_state_machine.txt",
        ))),
        ..ProptestConfig::default()
    }
}

/// Enough to find what is wrong; nobody reads the example.
fn bound_to_fail() -> ProptestConfig {
    ProptestConfig { max_shrink_iters: 16, failure_persistence: None, ..configuration() }
}

/// The package, but for one thing: it says that contexts are deleted, and keeps them.
#[derive(Default)]
struct Hoarder(Builtin);

impl Subject for Hoarder {
    fn name(&self) -> String {
        "hoarder".into()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.0.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.0.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let Call::DeleteSecurityContext { context } = call else { return self.0.call(call) };
        let asked = self.0.call(&Call::QueryContextAttributes { context: *context, attribute: 10 })?;
        Ok(Outcome { attribute: None, ..asked })
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.0.advance(milliseconds)
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.0.inject(fault)
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.0.take_accounts_down(down)
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.0.spend_counts(context)
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.0.spend_sequences(context)
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        self.0.foreign_handle()
    }
}

prop_state_machine! {
    #![proptest_config(configuration())]

    #[test]
    fn the_package_does_what_the_tables_say(sequential 1..60 => Beside<Builtin>);
}

prop_state_machine! {
    #![proptest_config(bound_to_fail())]

    #[test]
    #[should_panic(expected = "Test failed")]
    fn a_package_that_deletes_nothing_is_found_out(sequential 1..60 => Beside<Hoarder>);
}
