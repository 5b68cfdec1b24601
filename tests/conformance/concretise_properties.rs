//! What is wished of a call is what the shadow says about it: `facts(concretise(f)) == f`, in the states of a plan.

use crate::specification;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use digest_ssp::conformance::plan::approach;
use digest_ssp::conformance::run::run_sequence;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::spec::Specification;
use digest_ssp::spec::model::CallSpec;
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::vocabulary::{
    Answered, Asked, Count, Credential, Fact, Facts, Offered, Output, OutputDescriptor, Qop, State, Username, Word,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

/// A call of a mechanism with facts that its table lists together.
#[derive(Clone, Copy, Debug)]
struct Planned {
    profile: Profile,
    call: CallName,
    facts: Facts,
}

impl Planned {
    fn is<W: Word>(&self, word: W) -> bool {
        self.facts.is(word)
    }
}

/// Combinations that the tables list and no call has, because facts that the tables hold apart hang together.
struct Unrealizable {
    family: &'static str,
    why: &'static str,
    holds: fn(&Planned) -> bool,
}

const UNREALIZABLE: &[Unrealizable] = &[
    Unrealizable {
        family: "completions of HTTP on SASL",
        why: "a response of SASL is complete in itself, so that no body is waited for and nothing continues",
        holds: |facts| {
            let of_http = [
                State::CompleteNeededInitial,
                State::CompleteAndContinueInitial,
                State::CompleteAndContinueSubsequent,
                State::CompleteNeeded,
                State::CompleteAndContinue,
            ];
            facts.profile == Profile::DigestSasl && of_http.iter().any(|state| facts.is(*state))
        },
    },
    Unrealizable {
        family: "room in an output that cannot be read",
        why: "a descriptor that promises memory it does not have has no output buffer",
        holds: |facts| {
            (facts.is(OutputDescriptor::Count) || facts.is(OutputDescriptor::Buffer))
                && (facts.is(Output::Enough) || facts.is(Output::Small))
        },
    },
    Unrealizable {
        family: "asked for more than negotiated, by a token of that quality, as offered",
        why: "asked=more means that auth was offered, so that a token with auth-int differs from the offer",
        holds: |facts| facts.is(Asked::More) && facts.is(Qop::AuthInt) && facts.is(Offered::Same),
    },
    Unrealizable {
        family: "a count behind the window of what is no session yet",
        why: "of a challenge not answered yet no count was used",
        holds: |facts| initial_completion(facts) && facts.is(Answered::No) && facts.is(Count::TooOld),
    },
    Unrealizable {
        family: "nobody's name, not to be written",
        why: "without outbound credentials there is no user whose name could not be written",
        holds: |planned| {
            let known = planned.is(Credential::Good) || planned.is(Credential::Other);
            planned.call == CallName::InitializeSecurityContext && !known && planned.is(Username::NotEncodable)
        },
    },
];

fn initial_completion(facts: &Planned) -> bool {
    facts.is(State::CompleteNeededInitial) || facts.is(State::CompleteAndContinueInitial)
}

/// Those of every table, and of a table that mechanisms share those of each.
fn combinations(specification: &Specification) -> Vec<Vec<Planned>> {
    let of = |(tables, profile): (&CallSpec, Profile)| {
        let mut all = Vec::new();
        let mut push = |facts: &Facts| all.push(Planned { profile, call: tables.name, facts: *facts });
        let visited = tables.for_each_combination(&mut push);
        visited.expect("`spec check` refuses ambiguous facts");
        all
    };
    let tables = |profile: &Profile| specification.of(*profile).map(|tables| (tables, *profile)).collect::<Vec<_>>();
    Profile::ALL.iter().flat_map(tables).map(of).collect()
}

/// Those that some call can have.
fn realizable(specification: &Specification) -> Vec<Vec<Planned>> {
    let can_be = |planned: &Planned| !UNREALIZABLE.iter().any(|family| (family.holds)(planned));
    let mut all = combinations(specification);
    all.iter_mut().for_each(|of_call| of_call.retain(can_be));
    all
}

/// What the shadow says about the call that is planned for these facts.
fn facts_of_plan(specification: &Arc<Specification>, planned: &Planned, seed: u64) -> Facts {
    let Planned { profile, call, facts } = planned;
    let sequence = approach(*profile, *call, facts, seed);
    let trace = run_sequence(specification, &mut Oracle::new(Arc::clone(specification)), &sequence);
    assert!(trace.failure().is_none(), "the tables answer otherwise than the tables");
    trace.steps.last().map(|step| step.judgement.facts).expect("a plan ends with a call")
}

#[test]
fn every_wish_that_can_be_had_is_had() {
    let specification = specification();
    let combinations = realizable(&specification);
    // Every call gets its share, whatever the number of its combinations.
    let drawn = (0..combinations.len(), any::<Index>(), any::<u64>());
    let strategy = drawn.prop_map(|(call, index, seed)| (*index.get(&combinations[call]), seed));
    let configuration = ProptestConfig {
        cases: 2048,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/concretise_properties.txt",
        ))),
        ..ProptestConfig::default()
    };
    proptest!(configuration, |((planned, seed) in strategy)| {
        prop_assert_eq!(facts_of_plan(&specification, &planned, seed), planned.facts);
    });
}

/// Plans of each call for each of PROPTEST_CASES.
const PLANS_PER_CASE: usize = 40;

/// The wishes that were not had, by what was had instead and where: how often, and one of them.
#[derive(Default)]
struct Misses(BTreeMap<String, (usize, String)>);

impl Misses {
    fn note(&mut self, planned: &Planned, seed: u64, had: &Facts) {
        let Planned { profile, call, facts: wished } = planned;
        let differs = |fact: &&Fact| wished.get(**fact) != had.get(**fact);
        let difference = |fact: &Fact| format!("{}={} was {}", fact.name(), wished.name(*fact), had.name(*fact));
        let differences: Vec<_> = Fact::ALL.iter().filter(differs).map(difference).collect();
        let family = format!("{profile} {call} in {}: {}", wished.name(Fact::State), differences.join(", "));
        self.0.entry(family).or_insert_with(|| (0, format!("seed {seed}: {wished}"))).0 += 1;
    }

    fn join(&mut self, other: Self) {
        for (family, (count, example)) in other.0 {
            self.0.entry(family).or_insert((0, example)).0 += count;
        }
    }
}

impl fmt::Display for Misses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (family, (count, example)) in &self.0 {
            writeln!(formatter, "{count} x {family}\n    {example}")?;
        }
        Ok(())
    }
}

/// So many plans: of a small table every combination under many seeds, of a large one every so manyth combination. Which
/// these are, and the seeds, depends on `begin`.
fn sweep(specification: &Arc<Specification>, combinations: &[Planned], plans: usize, begin: u64) -> Misses {
    let stride = combinations.len().div_ceil(plans);
    let part = |parts: usize, part: usize| {
        let mut misses = Misses::default();
        for index in (part..plans).step_by(parts) {
            let position = u64::try_from(index * stride).unwrap_or_default().wrapping_add(begin);
            let length = u64::try_from(combinations.len()).unwrap_or(u64::MAX);
            let at = usize::try_from(position % length).unwrap_or_default();
            let Some(planned) = combinations.get(at) else { continue };
            let seed = position.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let had = facts_of_plan(specification, planned, seed);
            if had != planned.facts {
                misses.note(planned, seed, &had);
            }
        }
        misses
    };
    std::thread::scope(|scope| {
        let parts = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..parts).map(|index| scope.spawn(move || part(parts, index))).collect();
        let mut all = Misses::default();
        for thread in threads {
            all.join(thread.join().expect("the tables answer as the tables"));
        }
        all
    })
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a minute without optimisation: run it with --release, as .ci/long does")]
fn every_wish_of_every_call_is_had_under_many_seeds() {
    let configuration = ProptestConfig::default();
    let begin = match configuration.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    let plans = PLANS_PER_CASE * usize::try_from(configuration.cases).expect("as many as fit");
    let specification = specification();
    let mut misses = Misses::default();
    for combinations in realizable(&specification).iter().filter(|of_call| !of_call.is_empty()) {
        misses.join(sweep(&specification, combinations, plans, begin));
    }
    assert!(misses.0.is_empty(), "under PROPTEST_RNG_SEED={begin}\n{misses}");
}

#[test]
fn every_row_is_reached_by_a_realizable_combination() {
    let specification = specification();
    let mut rows = BTreeSet::new();
    for planned in realizable(&specification).into_iter().flatten() {
        let tables = specification.call(planned.call, planned.profile).expect("its combinations came from there");
        rows.extend(tables.row(&planned.facts).map(|(_, row)| row.id.clone()));
    }
    let without: Vec<_> = specification.rows().map(|row| &row.id).filter(|row| !rows.contains(*row)).collect();
    assert!(without.is_empty(), "no call can have the facts of {without:?}");
}

#[test]
fn every_exception_is_needed() {
    let specification = specification();
    let combinations: Vec<_> = combinations(&specification).into_iter().flatten().collect();
    for Unrealizable { family, why, holds } in UNREALIZABLE {
        let only = |planned: &&Planned| {
            UNREALIZABLE.iter().filter(|other| (other.holds)(planned)).count() == 1 && holds(planned)
        };
        let members: Vec<_> = combinations.iter().filter(only).collect();
        assert!(!members.is_empty(), "{family}: nothing is excepted by it alone");
        for planned in members.iter().step_by(members.len().div_ceil(32)) {
            for seed in 0..4 {
                let had = facts_of_plan(&specification, planned, seed);
                let Planned { call, facts, .. } = planned;
                assert_ne!(had, *facts, "{family}: {call} has {facts} though {why}");
            }
        }
    }
}
