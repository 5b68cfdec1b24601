//! Every rule of `spec check` refuses a table that breaks it, and the tables of this crate break none.

use crate::support::Edit::{Remove, Replace};
use crate::support::{ACCEPT, BROKEN, DELETE, Edit, FREE, INITIALIZE, UNLOADABLE, edited};
use digest_ssp::spec::check::{Finding, Rule, check};
use digest_ssp::spec::load::EMBEDDED;
use digest_ssp::spec::model::Specification;
use digest_ssp::spec::names::{CallName, Profile};

fn load(edits: &[Edit]) -> Result<Specification, Vec<String>> {
    load_files(&edited(edits))
}

fn load_files(files: &[(String, String)]) -> Result<Specification, Vec<String>> {
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Specification::load(&borrowed).map_err(|error| error.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn the_tables_of_this_crate_break_no_rule() {
    let report = check(&Specification::embedded().expect("a test of `load` shows that the tables load"));
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(
        report.is_sound(),
        "{}\n\nThe numbers counted, for spec/pins.toml:\n\n{}",
        findings.join("\n"),
        report.pins()
    );
}

fn is_large(name: &str) -> bool {
    [ACCEPT, INITIALIZE, "calls/sasl/accept_security_context.toml", "calls/sasl/initialize_security_context.toml"]
        .contains(&name)
}

/// The findings on edited tables. The two large calls are left out where they are not what is edited: they take long
/// to enumerate in a debug build.
fn findings(edits: &[Edit]) -> Vec<Finding> {
    let mut files = edited(edits);
    files.retain(|(name, _)| !is_large(name) || edits.iter().any(|edit| is_large(edit.file())));
    let specification = load_files(&files).unwrap_or_else(|problems| panic!("{edits:?}: {problems:?}"));
    check(&specification).findings
}

#[test]
fn every_broken_table_is_refused_with_its_finding() {
    for (rule, edits, expected) in BROKEN {
        let findings = findings(edits);
        let found = |finding: &Finding| finding.rule == *rule && finding.to_string().contains(expected);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.iter().any(found), "{rule}: {expected}: not among\n{}", lines.join("\n"));
    }
}

#[test]
fn no_finding_expected_of_a_broken_table_is_there_before_it_is_broken() {
    let before = findings(&[]);
    for (rule, _, expected) in BROKEN.iter().filter(|(_, edits, _)| !edits.iter().any(|edit| is_large(edit.file()))) {
        let found = |finding: &Finding| finding.rule == *rule && finding.to_string().contains(expected);
        assert!(!before.iter().any(found), "{rule}: {expected}");
    }
}

#[test]
fn every_rule_has_a_broken_table() {
    for rule in Rule::ALL {
        assert!(BROKEN.iter().any(|(broken, ..)| broken == rule), "no broken table shows that `{rule}` can fail");
    }
}

#[test]
fn a_state_that_machine_toml_leaves_out_is_found() {
    let mut specification = Specification::embedded().expect("a test of `load` shows that the tables load");
    specification.states.retain(|state| state.name != "responded");
    let findings = check(&specification).findings;
    let found =
        |finding: &&Finding| finding.to_string() == "states: state `responded`: machine.toml does not explain it";
    assert_eq!(findings.iter().filter(found).count(), 1, "{findings:?}");
}

#[test]
fn what_cannot_be_loaded_says_where_and_why_in_one_line() {
    for (edits, expected) in UNLOADABLE {
        let problems = load(edits).map(|_| ()).expect_err("the tables must not load");
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: not among {problems:#?}");
        assert!(problems.iter().all(|problem| !problem.contains('\n')), "{problems:#?}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let edits = [
        Replace(FREE, "status = \"SEC_E_OK\"", "status = \"SEC_E_BOREDOM\""),
        Replace(DELETE, "situation = \"good\"", "situation = \"sunny\""),
        Remove("facts.toml"),
    ];
    let problems = load(&edits).map(|_| ()).expect_err("the tables must not load");
    assert_eq!(problems.len(), 4, "{problems:#?}");
}

#[test]
fn a_file_twice_or_unknown_is_refused() {
    let mut files = EMBEDDED.to_vec();
    files.push(files[0]);
    files.push(("weather.toml", ""));
    let error = Specification::load(&files).map(|_| ()).expect_err("the tables must not load");
    let lines = error.to_string();
    assert!(lines.contains("spec/spec.toml: the file is given twice"), "{lines}");
    assert!(lines.contains("spec/weather.toml: no such table is known"), "{lines}");
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let error = Specification::from_directory(std::path::Path::new("no/such/directory")).map(|_| ());
    assert_eq!(error.expect_err("it must not load").problems.len(), 5);
}

/// Counted by hand from the values of the facts: what is not live has neither role nor state.
#[test]
fn the_combinations_of_small_calls_are_those_counted_by_hand() {
    let tables = Specification::embedded().expect("a test of `load` shows that the tables load");
    let handles_not_live = 6;
    let (states_of_acceptors, states_of_initiators) = (7, 6);
    let contexts = handles_not_live + states_of_acceptors + states_of_initiators;
    // Package and logon have two values each; identity exists, with three, for outbound and both, not for the other two.
    let acquisitions = 2 * 2 * (1 + 3 + 3 + 1);
    for (call, expected) in [
        (CallName::DeleteSecurityContext, contexts),
        (CallName::QueryContextAttributes, 4 * contexts),
        (CallName::FreeCredentialsHandle, 7),
        (CallName::AcquireCredentialsHandle, acquisitions),
    ] {
        let mut counted = 0;
        let call = tables.call(call, Profile::DigestHttp).expect("every call has a table");
        call.for_each_combination(&mut |_| counted += 1).expect("no fact is ambiguous");
        assert_eq!(counted, expected, "{}", call.name);
    }
    // SASL has four states of each role; four kinds of attributes; on HTTP two functions look at nothing but the state.
    let contexts_of_sasl = handles_not_live + 4 + 4;
    for (call, profile, expected) in [
        (CallName::QueryContextAttributes, Profile::DigestSasl, 4 * contexts_of_sasl),
        (CallName::EncryptMessage, Profile::DigestHttp, contexts),
        (CallName::DecryptMessage, Profile::DigestHttp, contexts),
    ] {
        let mut counted = 0;
        let call = tables.call(call, profile).expect("every call has a table");
        call.for_each_combination(&mut |_| counted += 1).expect("no fact is ambiguous");
        assert_eq!(counted, expected, "{}", call.title());
    }
}
