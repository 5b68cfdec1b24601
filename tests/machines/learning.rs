//! Learning: the reference implementation is the machine that the tables are, and who is another is told how.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::machine_support::{is_valid, made, specification};
use digest_ssp::conformance::generate::unfold::Reference;
use digest_ssp::conformance::learn::compare::Difference;
use digest_ssp::conformance::learn::{LearnError, Learned, Options, WRONG, draw, learn};
use digest_ssp::conformance::parallel::on_all_processors;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty::{self, Fault};
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::{Subject, SubjectError};
use digest_ssp::spec::names::{Need, Profile};
use digest_ssp::spec::setup::Setup;
use digest_ssp::spec::{Call, Outcome, Specification};
use digest_ssp::status::SecurityStatus;

fn learned(specification: &Arc<Specification>, subject: &mut dyn Subject, name: &str) -> Result<Learned, LearnError> {
    let options = Options { walks: 200, most_words: 40_000, ..Options::default() };
    learned_with(specification, subject, name, options)
}

fn learned_with(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    name: &str,
    options: Options,
) -> Result<Learned, LearnError> {
    let (alphabet, tables) = made(specification, name);
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

/// Whether learning a subject that is wrong on purpose says that it is wrong by one of these rows.
fn is_told(
    specification: &Arc<Specification>,
    fault: &Fault,
    result: Result<Learned, LearnError>,
    alphabet: &str,
    rows: &[&str],
) -> bool {
    let differences = match result {
        Ok(learned) => learned.differences(&tables(specification, alphabet)),
        // Who forgets nothing has no end of states.
        Err(LearnError::TooManyWords { wrong, .. }) => wrong,
        Err(error) => panic!("{} under {alphabet}: {error}", fault.name),
    };
    let is_named = |difference: &Difference| match difference {
        Difference::Otherwise { actual, .. } => rows.iter().any(|row| actual.contains(&format!(", wrong by {row}: "))),
        Difference::Unlike { .. } | Difference::Missing { .. } | Difference::Added { .. } => false,
    };
    differences.iter().any(is_named)
}

fn named(name: &str) -> &'static Fault {
    faulty::all().find(|fault| fault.name == name).unwrap_or_else(|| panic!("{name} is in the catalogue"))
}

#[test]
fn a_subject_that_is_wrong_on_purpose_is_told_how() {
    let specification = specification();
    for name in ["altered-message-completes", "replay-completes"] {
        let fault = named(name);
        let result = learned(&specification, fault.subject(&specification).as_mut(), "digest-session");
        assert!(is_told(&specification, fault, result, "digest-session", fault.fails), "{name}");
    }
}

/// Faults that need one state more than the tables have, with the alphabet and the row that show them: a guess without them
/// stands what is asked without extra states.
const ONE_STATE_MORE: [(&str, &str, &str); 3] = [
    ("count-not-increased", "digest-initiator", "ms-signed"),
    ("identity-of-the-last-token", "digest-session", "qca-answered"),
    // It names the completion that comes next; two verifications show it as well.
    ("verification-takes-no-count", "digest-acceptor", "vs-verified"),
];

/// Faults of rows that an alphabet reaches, though not by what shows the fault.
const NOT_IN_THE_ALPHABETS: [(&str, &str); 12] = [
    ("guesses-without-limit", "an answer to a challenge that failed too often"),
    ("virtual-hosts-shared", "credentials of a second principal"),
    ("another-pending-completed", "a handle other than the newest"),
    ("strict-for-window", "counts that overtake each other"),
    ("answered-elsewhere-not-noticed", "a handle other than the newest"),
    ("internal-error-consumes", "accounts that are down"),
    ("accounts-asked-for-what-is-cached", "MD5-sess"),
    ("channel-hashed-big-endian", "channel bindings"),
    ("policy-forgotten", "channel bindings"),
    ("bad-bindings-consume", "channel bindings"),
    ("upgrade-not-answered", "channel bindings"),
    ("cnonce-without-the-hash", "channel bindings"),
];

/// Whatever is wrong in a row that an alphabet reaches is told, where the alphabet has what shows it.
#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn all_subjects_that_are_wrong_on_purpose_are_told_how() {
    let specification = specification();
    let alphabets = ["digest-acceptor", "digest-session", "digest-initiator"].map(|name| {
        let (alphabet, tables) = made(&specification, name);
        (name, alphabet.setup.profile, tables.rows)
    });
    let reached = |fault: &Fault| {
        let reaches = |(name, profile, rows): &(&'static str, Profile, BTreeSet<String>)| {
            (*profile == fault.profile && fault.fails.iter().any(|row| rows.contains(*row))).then_some(*name)
        };
        alphabets.iter().filter_map(reaches).collect::<Vec<_>>()
    };
    let faults: Vec<(&'static Fault, Vec<&str>)> =
        faulty::all().map(|fault| (fault, reached(fault))).filter(|(_, names)| !names.is_empty()).collect();
    let told = on_all_processors(faults.len(), |numbers| {
        let of = |number: usize| {
            let (fault, names) = &faults[number];
            let is_told = names.iter().any(|name| {
                let result = learned(&specification, fault.subject(&specification).as_mut(), name);
                is_told(&specification, fault, result, name, fault.fails)
            });
            (number, is_told)
        };
        numbers.map(of).collect()
    });
    let untold: BTreeSet<&str> =
        faults.iter().zip(&told).filter(|(_, is_told)| !**is_told).map(|((fault, _), _)| fault.name).collect();
    let expected: BTreeSet<&str> = ONE_STATE_MORE
        .iter()
        .map(|(name, ..)| *name)
        .chain(NOT_IN_THE_ALPHABETS.iter().map(|(name, _)| *name))
        .collect();
    assert_eq!(untold, expected);
    assert_eq!(faults.len() - untold.len(), 74);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn what_needs_a_state_more_is_told_when_one_is_looked_for() {
    let specification = specification();
    let told = on_all_processors(ONE_STATE_MORE.len(), |numbers| {
        let of = |number: usize| {
            let (name, alphabet, row) = ONE_STATE_MORE[number];
            let fault = named(name);
            // As many words as the suite of the tables has, and some that say what its answers mean.
            let options = Options { extra_states: 1, walks: 0, most_words: 300_000, ..Options::default() };
            let result = learned_with(&specification, fault.subject(&specification).as_mut(), alphabet, options);
            (number, is_told(&specification, fault, result, alphabet, &[row]))
        };
        numbers.map(of).collect()
    });
    assert_eq!(told, [true; 3]);
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

/// A subject whose outcomes are altered.
struct Altered<S, A> {
    inner: S,
    alter: A,
}

impl<S: Subject, A: FnMut(&Call, &mut Outcome)> Subject for Altered<S, A> {
    fn name(&self) -> String {
        format!("{}, altered", self.inner.name())
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.inner.capabilities()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.inner.start(setup)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let mut outcome = self.inner.call(call)?;
        (self.alter)(call, &mut outcome);
        Ok(outcome)
    }

    fn foreign_handle(&mut self) -> Result<digest_ssp::buffer::SecHandle, SubjectError> {
        self.inner.foreign_handle()
    }
}

#[test]
fn who_answers_in_two_ways_is_told_with_both() {
    let specification = specification();
    let mut deletions = 0_u32;
    // Every few calls it forgets that it can delete.
    let alter = |call: &Call, outcome: &mut Outcome| {
        if matches!(call, Call::DeleteSecurityContext { .. }) {
            deletions += 1;
            if deletions.is_multiple_of(7) {
                outcome.status = SecurityStatus::SEC_E_INTERNAL_ERROR;
            }
        }
    };
    match learned(&specification, &mut Altered { inner: Builtin::default(), alter }, "digest-initiator") {
        Err(LearnError::NotDeterministic { symbols, before, now }) => {
            assert!(symbols.iter().any(|symbol| symbol.starts_with("DeleteSecurityContext")), "{symbols:?}");
            assert_ne!(before, now);
        }
        other => panic!("{:?}", other.map(|learned| learned.words)),
    }
}

/// Who stands all that a guess is asked and answers otherwise afterwards is told so, and not that members are not alike.
#[test]
fn who_changes_after_the_machine_is_found_is_not_deterministic() {
    let specification = specification();
    let calls = |most: u32| {
        let mut made = 0_u32;
        let alter = |call: &Call, outcome: &mut Outcome| {
            made += 1;
            if matches!(call, Call::DeleteSecurityContext { .. }) && made > most {
                outcome.status = SecurityStatus::SEC_E_INTERNAL_ERROR;
            }
        };
        let result = learned(&specification, &mut Altered { inner: Builtin::default(), alter }, "digest-initiator");
        (result, made)
    };
    let (whole, made) = calls(u32::MAX);
    assert_eq!(whole.map(|learned| learned.unlike), Ok(Vec::new()));
    // Half of the words, nearly, are asked to find the machine, and as many afterwards.
    match calls(made - 100).0 {
        Err(LearnError::NotDeterministic { now, .. }) => assert_eq!(now, WRONG),
        other => panic!("{:?}", other.map(|learned| learned.unlike)),
    }
}

#[test]
fn who_cannot_be_prepared_is_not_learned() {
    let specification = specification();
    let alter = |call: &Call, outcome: &mut Outcome| {
        if matches!(call, Call::AcquireCredentialsHandle { .. }) {
            outcome.status = SecurityStatus::SEC_E_NOT_OWNER;
        }
    };
    match learned(&specification, &mut Altered { inner: Builtin::default(), alter }, "digest-initiator") {
        Err(LearnError::Subject(SubjectError::Errored(why))) => {
            assert!(why.contains("AcquireCredentialsHandle") && why.contains("SEC_E_NOT_OWNER"), "{why}");
        }
        other => panic!("{:?}", other.map(|learned| learned.words)),
    }
}

/// Who knows one attribute and not another is a machine all the same, and both answers are told.
#[test]
fn who_does_not_treat_members_of_a_symbol_alike_is_told_so() {
    let specification = specification();
    let alter = |call: &Call, outcome: &mut Outcome| {
        if matches!(call, Call::QueryContextAttributes { attribute: 1, .. }) && outcome.attribute.is_some() {
            outcome.status = SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION;
            outcome.attribute = None;
        }
    };
    let learned = learned(&specification, &mut Altered { inner: Opaque::default(), alter }, "any-package")
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(learned.wrong, []);
    assert!(!learned.unlike.is_empty());
    for difference in &learned.unlike {
        let Difference::Unlike { trace, learned, actual } = difference else { panic!("{difference:?}") };
        assert!(trace.last().is_some_and(|last| last.starts_with("QueryContextAttributes")), "{trace:?}");
        let unsupported = [learned, actual].map(|answer| answer.starts_with("SEC_E_UNSUPPORTED_FUNCTION"));
        assert_eq!(unsupported.iter().filter(|is| **is).count(), 1, "{learned}, {actual}");
    }
    assert!(is_machine(&draw::json(&specification.version, &learned, &learned.unlike)));
}

/// Freed memory answers anything, which is one wrong answer, and the machine has an end.
#[test]
fn what_is_wrong_in_ever_other_ways_is_one_output() {
    let specification = specification();
    let mut calls = 0_u32;
    let alter = |call: &Call, outcome: &mut Outcome| {
        if matches!(call, Call::DeleteSecurityContext { .. }) && outcome.status == SecurityStatus::SEC_E_INVALID_HANDLE
        {
            calls += 1;
            let any = [SecurityStatus::SEC_E_LOGON_DENIED, SecurityStatus::SEC_E_INTERNAL_ERROR];
            outcome.status = any[usize::from(calls.is_multiple_of(2))];
        }
    };
    let learned = learned(&specification, &mut Altered { inner: Builtin::default(), alter }, "digest-initiator")
        .unwrap_or_else(|error| panic!("{error}"));
    let statuses = ["SEC_E_LOGON_DENIED", "SEC_E_INTERNAL_ERROR"];
    let is_told = |status: &&str| {
        learned.wrong.iter().any(|difference| {
            matches!(difference, Difference::Otherwise { actual, expected, .. }
            if actual.starts_with(*status) && expected.starts_with("SEC_E_INVALID_HANDLE"))
        })
    };
    assert!(statuses.iter().all(is_told), "{:?}", learned.wrong);
    assert_eq!(learned.outputs.iter().filter(|output| *output == WRONG).count(), 1);
    assert_eq!(learned.unlike, []);
    // What is behind a wrong answer is no state of the subject.
    let tables = tables(&specification, "digest-initiator");
    let added = |difference: &Difference| matches!(difference, Difference::Added { .. });
    assert_eq!(learned.states() + 1, learned.machine.states());
    assert!(!learned.differences(&tables).iter().any(added));
}

/// Whether it is as the schema of machines says.
fn is_machine(json: &serde_json::Value) -> bool {
    is_valid("urn:digest-ssp:machine", include_str!("../../spec/schemas/machine.schema.json"), json)
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
    assert!(is_machine(&json));
    let mut other = json;
    other["states"][0][0] = serde_json::json!(["SEC_E_OK", 0]);
    assert!(!is_machine(&other));
}
