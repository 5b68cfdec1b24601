//! Learning: the reference implementation is the machine that the tables are, and who is another is told how.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::machine_support::{made, specification};
use boon::{Compiler, Schemas};
use digest_ssp::conformance::generate::unfold::Reference;
use digest_ssp::conformance::learn::compare::Difference;
use digest_ssp::conformance::learn::{LearnError, Learned, Options, draw, learn};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty::{self, Fault};
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::{Subject, SubjectError};
use digest_ssp::spec::names::Need;
use digest_ssp::spec::setup::Setup;
use digest_ssp::spec::{Call, Outcome, Specification};
use digest_ssp::status::SecurityStatus;

fn learned(specification: &Arc<Specification>, subject: &mut dyn Subject, name: &str) -> Result<Learned, LearnError> {
    let (alphabet, tables) = made(specification, name);
    let options = Options { walks: 200, ..Options::default() };
    learn(specification, subject, &alphabet, &tables, None, options, &mut |_words| {})
}

fn tables(specification: &Arc<Specification>, name: &str) -> Reference {
    made(specification, name).1
}

#[test]
fn the_reference_implementation_is_the_machine_that_the_tables_are() {
    let specification = specification();
    let alphabets: &[&str] = if cfg!(debug_assertions) {
        &["digest-initiator"]
    } else {
        &["digest-acceptor", "digest-session", "digest-initiator"]
    };
    for name in alphabets {
        let learned = learned(&specification, &mut Builtin::default(), name).unwrap_or_else(|error| panic!("{error}"));
        let tables = tables(&specification, name);
        assert_eq!(learned.differences(&tables), [], "{name}");
        assert_eq!(learned.machine.states(), tables.machine.states(), "{name}");
        assert!(learned.words > 1000, "{name}: {}", learned.words);
    }
}

/// Whether a difference of a subject that is wrong on purpose is wrong by a row that its fault names.
fn is_told(specification: &Arc<Specification>, fault: &'static Fault, alphabet: &str) -> bool {
    let learned = learned(specification, fault.subject(specification).as_mut(), alphabet)
        .unwrap_or_else(|error| panic!("{} under {alphabet}: {error}", fault.name));
    learned.differences(&tables(specification, alphabet)).iter().any(|difference| match difference {
        Difference::Otherwise { actual, .. } => {
            fault.fails.iter().any(|row| actual.contains(&format!(", wrong by {row}: ")))
        }
        Difference::Missing { .. } | Difference::Added { .. } => false,
    })
}

#[test]
fn a_subject_that_is_wrong_on_purpose_is_told_how() {
    let specification = specification();
    for name in ["altered-message-completes", "replay-completes"] {
        let fault = faulty::all().find(|fault| fault.name == name).expect("it is in the catalogue");
        assert!(is_told(&specification, fault, "digest-session"), "{name}");
    }
}

/// Of a package that is driven through its own two sides, whatever it chooses among what is allowed is learned.
#[test]
fn any_package_is_learned_through_its_own_peer() {
    let specification = specification();
    let learned =
        learned(&specification, &mut Opaque::default(), "any-package").unwrap_or_else(|error| panic!("{error}"));
    assert!(learned.machine.states() > 5, "{}", learned.machine.states());
    assert!(learned.outputs.iter().any(|output| output.starts_with("SEC_I_COMPLETE")), "{:?}", learned.outputs);
    assert!(learned.outputs.iter().all(|output| !output.contains("wrong")), "{:?}", learned.outputs);
}

/// A subject that forgets, every few calls, that a handle was deleted.
struct Moody {
    inner: Builtin,
    deletions: usize,
}

impl Subject for Moody {
    fn name(&self) -> String {
        "moody".into()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.inner.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.inner.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let mut outcome = self.inner.call(call)?;
        if matches!(call, Call::DeleteSecurityContext { .. }) {
            self.deletions += 1;
            if self.deletions.is_multiple_of(7) {
                outcome.status = SecurityStatus::SEC_E_INTERNAL_ERROR;
            }
        }
        Ok(outcome)
    }

    fn foreign_handle(&mut self) -> Result<digest_ssp::buffer::SecHandle, SubjectError> {
        self.inner.foreign_handle()
    }
}

#[test]
fn who_answers_in_two_ways_is_told_with_both() {
    let specification = specification();
    let mut moody = Moody { inner: Builtin::default(), deletions: 0 };
    match learned(&specification, &mut moody, "digest-initiator") {
        Err(LearnError::NotDeterministic { symbols, before, now }) => {
            assert!(symbols.iter().any(|symbol| symbol.starts_with("DeleteSecurityContext")), "{symbols:?}");
            assert_ne!(before, now);
        }
        other => panic!("{:?}", other.map(|learned| learned.words)),
    }
}

#[test]
fn machines_are_drawn_and_written() {
    let specification = specification();
    let learned =
        learned(&specification, &mut Opaque::default(), "any-package").unwrap_or_else(|error| panic!("{error}"));
    let dot = draw::dot(&learned);
    assert!(dot.starts_with("digraph") && dot.contains("start -> 0") && dot.ends_with("}\n"), "{dot}");
    assert!(draw::mermaid(&learned).contains("[*] --> s0"));
    let json =
        draw::json(&specification.version, &learned, &learned.differences(&tables(&specification, "any-package")));
    let schema =
        serde_json::from_str(include_str!("../../spec/schemas/machine.schema.json")).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:machine", schema).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:machine", &mut schemas).expect("the schema is one");
    assert!(schemas.validate(&json, index).is_ok());
    let mut other = json;
    other["states"][0][0] = serde_json::json!(["SEC_E_OK", 0]);
    assert!(schemas.validate(&other, index).is_err());
}
