//! The profile of any package: three packages that have it, what is skipped and why, and what is handed over.

use crate::specification;
use std::collections::BTreeMap;

use digest_ssp::buffer::BufferType;
use digest_ssp::conformance::action::{Action, CallAction, Goal};
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::{Conclusion, Strictness};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::{Options, Report, RowVerdict, Step, Subject, Walk, run};
use digest_ssp::spec::call::{Call, Descriptor};
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::vocabulary::{Role, State, Use};
use digest_ssp::spec::{Setup, Verdict};
use digest_ssp::status::SecurityStatus;

fn options(only: &[&str]) -> Options {
    let only = only.iter().map(|pattern| (*pattern).to_owned()).collect();
    Options { profiles: vec![Profile::AnyPackage], only, cases: 16, ..Options::default() }
}

fn ran(subject: &mut dyn Subject) -> Report {
    run(&specification(), subject, &options(&[]))
}

/// The rows that did not run, by the reason.
fn skipped(report: &Report) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in report.with_verdict(RowVerdict::Skipped) {
        reasons.entry(row.note.as_deref().unwrap_or_default()).or_default().push(&row.row);
    }
    reasons
}

/// Everything passes but what is skipped.
fn passes(report: &Report) {
    assert_eq!(report.conclusion(Strictness::Strict), Conclusion::Conforms);
    for row in report.rows().filter(|row| row.verdict != RowVerdict::Skipped) {
        assert_eq!(row.verdict, RowVerdict::Pass, "{}: {:?}", row.row, row.findings);
        assert!(row.ran > 0, "{} did not run", row.row);
    }
}

#[test]
fn the_tables_answer_for_themselves() {
    let report = ran(&mut Oracle::new(specification()));
    passes(&report);
    assert_eq!(skipped(&report), BTreeMap::new());
}

#[test]
fn a_package_that_asks_for_completions_reaches_all_but_what_it_never_asks() {
    let report = ran(&mut Opaque::default());
    passes(&report);
    let reason = "AcceptSecurityContext never answered SEC_I_COMPLETE_AND_CONTINUE";
    let expected = BTreeMap::from([(reason, vec!["cat-any-continued"])]);
    assert_eq!(skipped(&report), expected);
}

/// SASL's DIGEST-MD5 as a package of which nothing is known: a completion is never due in it.
#[test]
fn the_reference_implementation_passes_what_it_reaches() {
    let report = ran(&mut Builtin::default());
    passes(&report);
    let skipped = skipped(&report);
    let of = |role: &str, status: &str| {
        let reason = format!("{role} never answered {status}");
        skipped.get(reason.as_str()).cloned().unwrap_or_default()
    };
    for role in ["InitializeSecurityContext", "AcceptSecurityContext"] {
        let suffix = if role == "InitializeSecurityContext" { "-initiator" } else { "" };
        assert_eq!(of(role, "SEC_I_COMPLETE_NEEDED"), [format!("cat-any-completed{suffix}")]);
        assert_eq!(of(role, "SEC_I_COMPLETE_AND_CONTINUE"), [format!("cat-any-continued{suffix}")]);
        assert_eq!(of(role, "SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE").len(), 6);
    }
    assert_eq!(skipped.values().map(Vec::len).sum::<usize>(), 16);
}

#[test]
fn a_package_that_is_not_there_shows_nothing() {
    let options = Options { package: Some("NTLM".into()), ..options(&["cat-any-*"]) };
    let report = run(&specification(), &mut Builtin::default(), &options);
    assert_eq!(report.conclusion(Strictness::Lenient), Conclusion::NothingShown);
    let smoke = report.profiles[0].smoke.as_deref();
    assert_eq!(smoke, Some("AcquireCredentialsHandle answered SEC_E_SECPKG_NOT_FOUND in the smoke exchange"));
    // The package that the run names is the one that is asked for.
    let report = run(&specification(), &mut Opaque::default(), &options);
    assert_eq!(report.conclusion(Strictness::Lenient), Conclusion::Conforms);
}

fn begun<S: Subject>(subject: S) -> Walk<S> {
    let mut walk =
        Walk::start(&specification(), subject, &Setup::default().of(Profile::AnyPackage)).expect("it starts");
    for used in [Use::Inbound, Use::Outbound] {
        let acquire = CallAction::new(CallName::AcquireCredentialsHandle, 0).wishing(used);
        walk.perform(&Action::Call(acquire)).expect("it answers");
    }
    walk
}

/// The calls of an exchange to its goal.
fn exchanged<S: Subject>(walk: &mut Walk<S>, goal: &Goal) -> Vec<Step> {
    let mut step = || walk.perform(&Action::Exchange(goal.clone())).expect("it answers");
    let steps: Vec<Step> = (0..20).map_while(|_| step()).collect();
    assert!(step().is_none(), "behind the goal there are no steps");
    assert!(steps.iter().all(|step| step.judgement.verdict == Verdict::Pass), "{steps:?}");
    steps
}

fn token(descriptor: Option<&Descriptor>) -> Option<Vec<u8>> {
    let buffers = descriptor?.buffers.as_ref()?;
    let token = buffers.iter().find(|buffer| buffer.buffer_type == BufferType::TOKEN)?;
    Some(token.bytes().to_vec())
}

#[test]
fn each_side_is_handed_what_the_other_put_out_once_it_is_complete() {
    let steps = exchanged(&mut begun(Opaque::default()), &Goal::default());
    let calls: Vec<CallName> = steps.iter().map(|step| step.call.name()).collect();
    use CallName::{AcceptSecurityContext, CompleteAuthToken, InitializeSecurityContext};
    assert_eq!(
        calls,
        [
            InitializeSecurityContext,
            CompleteAuthToken,
            AcceptSecurityContext,
            InitializeSecurityContext,
            CompleteAuthToken,
            AcceptSecurityContext,
            CompleteAuthToken,
        ]
    );
    assert_eq!(steps[0].outcome.status, SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE);
    let put_out = |step: usize| token(steps[step].outcome.output.as_ref());
    let given = |step: usize| token(steps[step].call.input());
    // What is completed is what was put out, and what is handed over is what was completed.
    assert_ne!(put_out(0), put_out(1), "the completion rewrites the token");
    for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)] {
        assert_eq!(given(to), put_out(from), "step {from} to step {to}");
        assert!(given(to).is_some());
    }
}

#[test]
fn an_exchange_stops_at_its_goal() {
    let mut walk = begun(Opaque::default());
    let mut at = Goal::default();
    at.at = at.at.with(Role::Initiator).with(State::InProgress);
    assert_eq!(exchanged(&mut walk, &at).len(), 2, "the first token, and its completion");
    let before = Goal { before: Some(CallName::InitializeSecurityContext), at: at.at };
    assert_eq!(exchanged(&mut walk, &before).len(), 1, "the challenge");
    assert_eq!(exchanged(&mut walk, &Goal::default()).len(), 4);
    assert!(walk.shadow().registers().contexts.values().all(|context| context.state == established()));
}

fn established() -> u8 {
    digest_ssp::spec::vocabulary::Fact::State.value("established").expect("it is a state")
}

#[test]
fn a_sequence_with_an_exchange_is_written_and_read() {
    let mut goal = Goal { before: Some(CallName::CompleteAuthToken), ..Goal::default() };
    goal.at = goal.at.with(Role::Acceptor).with(State::CompleteNeeded);
    let setup = Setup { package: Some("NTLM".into()), ..Setup::default().of(Profile::AnyPackage) };
    let sequence = Sequence { setup, actions: vec![Action::Exchange(goal), Action::Exchange(Goal::default())] };
    let json = serde_json::to_string(&sequence).expect("it has a form in JSON");
    assert!(
        json.contains(
            r#"{"exchange":{"before":"CompleteAuthToken","at":{"role":"acceptor","state":"complete-needed"}}}"#
        ),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Sequence>(&json).expect("it is what was written"), sequence);
    let digest = serde_json::to_string(&Setup::default()).expect("it has a form in JSON");
    assert!(!digest.contains("package"), "the set-up of Digest is what it was");
}

/// A token that is not the peer's is never made; without one, the tables say so.
#[test]
fn nobody_makes_up_a_token() {
    let mut walk = begun(Opaque::default());
    let accept = CallAction::new(CallName::AcceptSecurityContext, 0);
    let step = walk.perform(&Action::Call(accept)).expect("it answers").expect("a call");
    assert!(matches!(&step.call, Call::AcceptSecurityContext { context: None, .. }));
    assert_eq!(token(step.call.input()), None);
    assert_eq!(step.judgement.row.as_deref(), Some("asc-any-token-absent"));
    assert_eq!(step.judgement.verdict, Verdict::Pass);
}
