//! Generated suites: what they are made of, that they find faults, and that the reference implementation passes them.

use std::sync::Arc;

use crate::machine_support::{self, is_valid, specification};
use digest_ssp::conformance::generate::alphabet::{self, Alphabet, Symbol};
use digest_ssp::conformance::generate::faults::{Judge, Tally};
use digest_ssp::conformance::generate::method::Method;
use digest_ssp::conformance::generate::suite::{SUITE_VERSION, Suite, SuiteError, named};
use digest_ssp::conformance::generate::tables::{difference, judge, mutants};
use digest_ssp::conformance::generate::unfold::{Reference, UnfoldError, unfold};
use digest_ssp::conformance::run::run_suite;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::{Action, CallAction, Options, Report, RowVerdict, Subject};
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::CallName;
use digest_ssp::spec::vocabulary::{Asked, Role, Token};
use fastrand::Rng;

fn made(specification: &Arc<Specification>, name: &str, method: Method, extra: usize) -> (Alphabet, Reference, Suite) {
    let (alphabet, reference) = machine_support::made(specification, name);
    let suite = Suite::of(specification, &alphabet, &reference, method, extra);
    (alphabet, reference, suite)
}

fn ran(specification: &Arc<Specification>, subject: &mut dyn Subject, suite: &Suite) -> Report {
    let drawable = suite.drawable(specification).unwrap_or_else(|error| panic!("{error}"));
    run_suite(specification, subject, &drawable, &Options::default(), &mut |_done| {})
}

fn wrong(report: &Report) -> Vec<&str> {
    report.rows().filter(|row| row.verdict != RowVerdict::Pass).map(|row| row.row.as_str()).collect()
}

/// Symbols, classes, states and outputs of each alphabet. A change of the tables changes them, and is looked at then.
const PINS: [(&str, [usize; 4]); 4] = [
    ("digest-acceptor", [53, 22, 36, 27]),
    ("digest-session", [34, 14, 53, 21]),
    ("digest-initiator", [43, 21, 25, 30]),
    ("any-package", [26, 10, 25, 11]),
];

#[test]
fn every_alphabet_makes_a_minimal_machine_of_few_classes() {
    let specification = specification();
    assert_eq!(alphabet::names().map(|(name, _)| name).collect::<Vec<_>>(), PINS.map(|(name, _)| name));
    for (name, pins) in PINS {
        let (alphabet, reference, _) = made(&specification, name, Method::H, 0);
        let found =
            [alphabet.symbols.len(), reference.classes.len(), reference.machine.states(), reference.outputs.len()];
        assert_eq!(found, pins, "{name}");
        assert!(reference.machine.is_minimal(), "{name}");
        assert!(reference.classes.len() <= 25, "{name}");
        let mut members: Vec<usize> = reference.classes.concat();
        members.sort_unstable();
        assert_eq!(members, (0..alphabet.symbols.len()).collect::<Vec<_>>(), "{name}: each symbol is in one class");
    }
}

/// Every status that the page of CompleteAuthToken documents is an output of some machine, but for those that only a
/// failing environment shows.
#[test]
fn the_machines_show_what_is_documented_of_complete_auth_token() {
    let specification = specification();
    let outputs: Vec<String> =
        PINS.iter().flat_map(|(name, _)| made(&specification, name, Method::H, 0).1.outputs).collect();
    for status in
        ["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_INVALID_TOKEN", "SEC_E_OUT_OF_SEQUENCE", "SEC_E_MESSAGE_ALTERED"]
    {
        assert!(outputs.iter().any(|output| output.starts_with(status)), "{status}");
    }
    assert!(outputs.iter().any(|output| output.starts_with("SEC_I_COMPLETE_NEEDED")));
    assert!(outputs.iter().any(|output| output.starts_with("SEC_I_COMPLETE_AND_CONTINUE")));
}

#[test]
fn both_methods_find_every_single_fault_of_every_machine() {
    let specification = specification();
    for (name, _) in PINS {
        for method in Method::ALL {
            let (_, reference, suite) = made(&specification, name, method, 0);
            let judge = Judge::new(&reference.machine, reference.outputs.len(), &suite.sequences);
            for tally in [judge.single_output_faults(), judge.single_transfer_faults()] {
                assert_eq!(tally.survived, 0, "{name} {}", method.name());
                assert!(tally.killed > 1000, "{name} {}: {tally:?}", method.name());
            }
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn no_fault_of_machines_or_tables_survives_a_suite_with_an_extra_state() {
    let specification = specification();
    let mut of_tables = Tally::default();
    for (name, _) in PINS {
        let (_, reference, suite) = made(&specification, name, Method::H, 1);
        let mut rng = Rng::with_seed(1);
        let on_machines = Judge::new(&reference.machine, reference.outputs.len(), &suite.sequences);
        let drawn = [on_machines.double_faults(10_000, &mut rng), on_machines.extra_state_faults(10_000, &mut rng)];
        for tally in drawn {
            assert_eq!(tally.survived, 0, "{name}");
            assert!(tally.killed > 9_000, "{name}: {tally:?}");
        }
        let drawable = suite.drawable(&specification).expect("it was made just now");
        let mutants = mutants(&specification, &reference.rows, 125, &mut rng);
        let (tally, survivors) = judge(&specification, &drawable, &mutants, 1).expect("the tables answer");
        assert_eq!(survivors, [], "{name}");
        of_tables += tally;
    }
    assert_eq!(of_tables.total(), 500);
    assert!(of_tables.killed > 300, "{of_tables:?}");
}

#[test]
fn the_reference_implementation_passes_every_suite() {
    let specification = specification();
    // With an extra state where that is a matter of seconds.
    let extra = usize::from(!cfg!(debug_assertions));
    for (name, _) in &PINS[..3] {
        let (_, _, suite) = made(&specification, name, Method::H, extra);
        let report = ran(&specification, &mut Builtin::default(), &suite);
        assert_eq!(wrong(&report), [""; 0], "{name}");
        assert!(report.rows().count() > 20, "{name}");
    }
    let (_, _, suite) = made(&specification, "any-package", Method::H, extra);
    let report = ran(&specification, &mut Oracle::new(Arc::clone(&specification)), &suite);
    assert_eq!(wrong(&report), [""; 0]);
}

#[test]
fn a_subject_that_is_wrong_on_purpose_fails_the_rows_that_a_suite_reaches() {
    let specification = specification();
    let (_, _, suite) = made(&specification, "digest-session", Method::H, 0);
    for name in ["continue-establishes", "replay-completes"] {
        let fault = faulty::all().find(|fault| fault.name == name).expect("it is in the catalogue");
        let report = ran(&specification, fault.subject(&specification).as_mut(), &suite);
        let wrong = wrong(&report);
        assert!(wrong.iter().any(|row| fault.fails.contains(row)), "{name}: {wrong:?}");
    }
}

/// The abstraction is checked and not believed: what it forgets must not matter.
#[test]
fn an_alphabet_that_is_no_machine_is_refused() {
    let specification = specification();
    let with = |name: &str, action: CallAction| {
        let mut alphabet = named(&specification, name).expect("it is there");
        alphabet.symbols.push(Symbol { name: "one more".into(), action: Action::Call(action.on(0)) });
        unfold(&specification, &alphabet).err()
    };
    // Whoever asks for no more than was offered may ask for integrity or not, and is challenged accordingly.
    let either = CallAction::new(CallName::AcceptSecurityContext, 0).wishing(Token::Absent).wishing(Asked::Within);
    let refused = with("digest-acceptor", either);
    assert!(matches!(refused, Some(UnfoldError::Ambiguous { .. })), "{refused:?}");
    // Who deletes the client's side alone, again and again, leaves servers without end.
    let deletion = CallAction::new(CallName::DeleteSecurityContext, 0).wishing(Role::Initiator);
    let refused = with("any-package", deletion);
    assert!(matches!(refused, Some(UnfoldError::TooManyContexts(_))), "{refused:?}");
}

#[test]
fn faulty_tables_are_told_from_right_ones() {
    let specification = specification();
    let (alphabet, reference, suite) = made(&specification, "digest-initiator", Method::H, 0);
    let mut rng = Rng::with_seed(2);
    let mutants = mutants(&specification, &reference.rows, 12, &mut rng);
    let shown = mutants
        .iter()
        .filter(|mutant| difference(&specification, &alphabet, mutant).expect("the tables answer").is_some());
    assert!(shown.count() > 6);
    // A suite that does nothing lets every one of them pass, and is told so.
    let nothing = Suite { sequences: vec![vec![0]], ..suite };
    let drawable = nothing.drawable(&specification).expect("it names what there is");
    let (tally, survivors) = judge(&specification, &drawable, &mutants, 1).expect("the tables answer");
    assert!(tally.survived > 6, "{tally:?}");
    assert_eq!(survivors.len(), tally.survived);
    assert!(survivors.iter().all(|survivor| !survivor.word.is_empty()));
}

#[test]
fn a_suite_is_written_and_read() {
    let specification = specification();
    let (_, _, suite) = made(&specification, "digest-initiator", Method::W, 0);
    let json = serde_json::to_vec(&suite).expect("it has a form in JSON");
    assert_eq!(Suite::read(&specification, &json), Ok(suite.clone()));
    assert_eq!(suite.length(), suite.sequences.iter().flatten().count());

    let is_suite = |json: &serde_json::Value| {
        is_valid("urn:digest-ssp:suite", include_str!("../../spec/schemas/suite.schema.json"), json)
    };
    let value = serde_json::from_slice(&json).expect("it was written just now");
    assert!(is_suite(&value));
    let mut other = value;
    other["sequences"][0][0] = serde_json::json!(-1);
    assert!(!is_suite(&other));

    let read = |suite: &Suite| Suite::read(&specification, &serde_json::to_vec(suite).expect("it has a form in JSON"));
    let version = Suite { suite_version: SUITE_VERSION + 1, ..suite.clone() };
    assert_eq!(read(&version), Err(SuiteError::Version(SUITE_VERSION + 1)));
    let tables = Suite { spec_version: "0".into(), ..suite.clone() };
    assert!(matches!(read(&tables), Err(SuiteError::OtherTables(..))));
    let alphabet = Suite { alphabet: "digest".into(), ..suite.clone() };
    assert!(matches!(read(&alphabet), Err(SuiteError::NoAlphabet(_))));
    let mut symbol = suite.clone();
    symbol.classes[1][0] = "CompleteAuthToken twice".into();
    assert_eq!(read(&symbol), Err(SuiteError::NoSymbol(1, "CompleteAuthToken twice".into())));
    let mut empty = suite.clone();
    empty.classes[2].clear();
    assert_eq!(read(&empty), Err(SuiteError::EmptyClass(2)));
    let class = Suite { sequences: vec![vec![0], vec![0, 99]], ..suite };
    assert_eq!(read(&class), Err(SuiteError::NoClass(1, 99)));
    assert!(matches!(Suite::read(&specification, b"{"), Err(SuiteError::Syntax(_))));
}
