//! What is wished of a call is what the shadow says about it: `facts(concretise(f)) == f`, in the states of a plan.
#![cfg(feature = "conformance")]
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::Arc;

use digest_ssp::conformance::plan::approach;
use digest_ssp::conformance::run::run_sequence;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::CallName;
use digest_ssp::spec::vocabulary::{
    Answered, Asked, Count, Credential, Facts, Offered, Output, OutputDescriptor, Outside, Qop, State, Username,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

/// Combinations that the tables list and no call has, because facts that the tables hold apart hang together.
struct Unrealizable {
    family: &'static str,
    why: &'static str,
    holds: fn(CallName, &Facts) -> bool,
}

const UNREALIZABLE: &[Unrealizable] = &[
    Unrealizable {
        family: "room in an output that cannot be read",
        why: "a descriptor that promises memory it does not have has no output buffer",
        holds: |_, facts| {
            (facts.is(OutputDescriptor::Count) || facts.is(OutputDescriptor::Buffer))
                && (facts.is(Output::Enough) || facts.is(Output::Small))
        },
    },
    Unrealizable {
        family: "asked for more than negotiated, by a token of that quality, as offered",
        why: "asked=more means that auth was offered, so that a token with auth-int differs from the offer",
        holds: |_, facts| facts.is(Asked::More) && facts.is(Qop::AuthInt) && facts.is(Offered::Same),
    },
    Unrealizable {
        family: "auth within an initial completion",
        why: "only an offer of auth-int leaves an answer to be completed, so that a token with auth differs from it",
        holds: |_, facts| initial_completion(facts) && facts.is(Qop::Auth) && facts.is(Outside::Same),
    },
    Unrealizable {
        family: "a count behind the window of a session that has seen one",
        why: "of a challenge not answered yet no count was used, and of one that expired before it was no second",
        holds: |_, facts| {
            let one_at_most = facts.is(Answered::No) || facts.is(State::CompleteAndContinueInitial);
            initial_completion(facts) && one_at_most && facts.is(Count::TooOld)
        },
    },
    Unrealizable {
        family: "nobody's name, not to be written",
        why: "without outbound credentials there is no user whose name could not be written",
        holds: |call, facts| {
            let known = facts.is(Credential::Good) || facts.is(Credential::Other);
            call == CallName::InitializeSecurityContext && !known && facts.is(Username::NotEncodable)
        },
    },
];

fn initial_completion(facts: &Facts) -> bool {
    facts.is(State::CompleteNeededInitial) || facts.is(State::CompleteAndContinueInitial)
}

fn tables() -> Arc<Specification> {
    Arc::new(Specification::embedded().expect("the embedded tables load"))
}

fn combinations(specification: &Specification) -> Vec<Vec<(CallName, Facts)>> {
    let of = |tables: &digest_ssp::spec::model::CallSpec| {
        let mut all = Vec::new();
        let visited = tables.for_each_combination(&mut |facts| all.push((tables.name, *facts)));
        visited.expect("`spec check` refuses ambiguous facts");
        all
    };
    specification.calls.iter().map(of).collect()
}

/// What the shadow says about the call that is planned for these facts.
fn facts_of_plan(specification: &Arc<Specification>, (call, facts): (CallName, &Facts), seed: u64) -> Facts {
    let trace = run_sequence(specification, &mut Oracle::new(Arc::clone(specification)), &approach(call, facts, seed));
    assert!(trace.failure().is_none(), "the tables answer otherwise than the tables");
    trace.steps.last().map(|step| step.judgement.facts).expect("a plan ends with a call")
}

#[test]
fn every_wish_that_can_be_had_is_had() {
    let specification = tables();
    let combinations = combinations(&specification);
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
        let (call, facts) = planned;
        prop_assume!(!UNREALIZABLE.iter().any(|family| (family.holds)(call, &facts)));
        prop_assert_eq!(facts_of_plan(&specification, (call, &facts), seed), facts);
    });
}

#[test]
fn every_row_is_reached_by_a_realizable_combination() {
    let specification = tables();
    let mut rows = BTreeSet::new();
    for (call, facts) in combinations(&specification).into_iter().flatten() {
        if !UNREALIZABLE.iter().any(|family| (family.holds)(call, &facts)) {
            let tables = specification.call(call).expect("its combinations came from there");
            rows.extend(tables.row(&facts).map(|(_, row)| row.id.clone()));
        }
    }
    let without: Vec<_> = specification.rows().map(|row| &row.id).filter(|row| !rows.contains(*row)).collect();
    assert!(without.is_empty(), "no call can have the facts of {without:?}");
}

#[test]
fn every_exception_is_needed() {
    let specification = tables();
    let combinations: Vec<_> = combinations(&specification).into_iter().flatten().collect();
    for Unrealizable { family, why, holds } in UNREALIZABLE {
        let only = |call, facts: &Facts| {
            UNREALIZABLE.iter().filter(|other| (other.holds)(call, facts)).count() == 1 && holds(call, facts)
        };
        let members: Vec<_> = combinations.iter().filter(|(call, facts)| only(*call, facts)).collect();
        assert!(!members.is_empty(), "{family}: nothing is excepted by it alone");
        for (call, facts) in members.iter().step_by(members.len().div_ceil(32)) {
            for seed in 0..4 {
                let had = facts_of_plan(&specification, (*call, facts), seed);
                assert_ne!(had, *facts, "{family}: {call} has {facts} though {why}");
            }
        }
    }
}
