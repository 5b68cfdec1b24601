//! The walk over every state and situation of the tables: nothing is left out, and who is wrong is found there.

use crate::specification;
use std::collections::BTreeSet;

use digest_ssp::conformance::refinement::{Walked, refine};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::{Subject, SubjectError};
use digest_ssp::spec::names::{Need, Profile};
use digest_ssp::spec::setup::Setup;
use digest_ssp::spec::{Call, Outcome};

/// Another count is another table: `spec/pins.toml` has the counts of each, of all mechanisms that share it.
#[test]
fn the_reference_implementation_is_as_the_tables_say_in_every_state_and_situation() {
    for (profile, pinned) in [(Profile::DigestHttp, 402), (Profile::DigestSasl, 294)] {
        for seed in [1, 2] {
            let walked = refine(&specification(), &mut Builtin::default(), profile, seed);
            let otherwise: Vec<&Walked> = walked.iter().filter(|walked| !walked.is_refined()).collect();
            assert!(otherwise.is_empty(), "{otherwise:?}");
            assert_eq!(walked.iter().map(|walked| walked.visited).sum::<usize>(), pinned, "{}", profile.title());
        }
    }
}

#[test]
fn what_is_wrong_is_found_where_it_is() {
    let specification = specification();
    let fault = faulty::all().find(|fault| fault.name == "second-deletion-refused").expect("it is in the catalogue");
    let walked = refine(&specification, fault.subject(&specification).as_mut(), Profile::DigestHttp, 1);
    let wrong: BTreeSet<(&str, &str)> = walked
        .iter()
        .flat_map(|walked| walked.wrong.iter().map(|wrong| (walked.call.as_str(), wrong.point.as_str())))
        .collect();
    assert_eq!(wrong, BTreeSet::from([("DeleteSecurityContext", "none: deleted-before")]));
    assert!(walked.iter().any(|walked| !walked.is_refined()));
}

/// The reference implementation, of which nothing is asked but to answer calls.
struct Plain(Builtin);

impl Subject for Plain {
    fn name(&self) -> String {
        "plain".into()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        BTreeSet::new()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.0.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        self.0.call(call)
    }

    fn foreign_handle(&mut self) -> Result<digest_ssp::buffer::SecHandle, SubjectError> {
        self.0.foreign_handle()
    }
}

#[test]
fn what_a_subject_lacks_is_told_and_is_not_its_fault() {
    let walked = refine(&specification(), &mut Plain(Builtin::default()), Profile::DigestHttp, 1);
    let unvisited: Vec<_> = walked.iter().flat_map(|walked| &walked.unvisited).collect();
    let lacks = |point: &str, need: Need| {
        unvisited.iter().any(|unvisited| unvisited.point == point && unvisited.lacks.contains(&need))
    };
    assert!(lacks("acceptor complete-and-continue-initial: good", Need::Clock), "{unvisited:?}");
    assert!(lacks("acceptor complete-needed-initial: accounts-down", Need::Faults), "{unvisited:?}");
    assert!(unvisited.iter().all(|unvisited| !unvisited.lacks.is_empty()), "{unvisited:?}");
    assert!(walked.iter().all(Walked::is_refined));
}
