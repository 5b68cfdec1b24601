//! The model with an adversary: every state, and every acceptor that is wrong on purpose.
#![cfg(feature = "model")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

use digest_ssp::package::model::{
    Case, Expectation, Extent, Fault, Outcome, Property, Protection, Report, Requests, check,
};

/// Enough for every property that must be seen, and for every fault: what a debug build visits in seconds.
const SMALL: Extent = Extent { deliveries: 1, requests: Requests::One };

/// What was found otherwise than expected.
fn unexpected(report: &Report) -> Vec<String> {
    let others = report.findings.iter().filter(|finding| !finding.is_as_expected());
    others.map(|finding| format!("{}: {:?}", finding.property, finding.outcome)).collect()
}

/// Another count is another model, or another core: look at what changed before it is pinned anew.
fn assert_all_states(extent: Extent, pinned: [(Protection, usize); 2]) {
    for (protection, states) in pinned {
        let report = check(protection, extent, None);
        assert_eq!(unexpected(&report), Vec::<String>::new(), "{protection}");
        assert!(report.is_exhaustive, "{protection}");
        assert_eq!(report.states, states, "{protection}");
    }
}

#[test]
fn every_property_holds_of_every_state() {
    assert_all_states(SMALL, [(Protection::Auth, 45_424), (Protection::AuthInt, 86_322)]);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a minute in the release profile, some in this one")]
fn every_property_holds_of_every_state_of_the_whole_model() {
    assert_all_states(Extent::default(), [(Protection::Auth, 696_811), (Protection::AuthInt, 904_690)]);
}

/// The negative test of the check: what a fault breaks is found broken, by steps that show it when they are taken again, and
/// that show nothing where nothing is wrong.
#[test]
fn every_fault_is_found() {
    for fault in Fault::ALL {
        let broken = fault.breaks();
        let reports = Protection::ALL.into_iter().map(|protection| check(protection, SMALL, Some(fault)));
        let found = reports.into_iter().find_map(|report| {
            match &report.finding(broken).expect("it is expected under both").outcome {
                Outcome::Broken(case) => Some(Some(case.clone())),
                Outcome::NotReached => Some(None),
                Outcome::Holds | Outcome::Reached(_) | Outcome::Unknown => None,
            }
        });
        let case = found.unwrap_or_else(|| panic!("{fault:?} breaks {broken}, and nothing shows it"));
        assert_eq!(case.is_some(), broken.expectation() == Expectation::Always, "{fault:?}");
        let Some(case) = case else { continue };
        assert!(case.replay().is_some_and(|found| found.contains(&broken)), "{fault:?}: {case}");
        let json = serde_json::to_string(&case).expect("it has a form");
        assert_eq!(serde_json::from_str::<Case>(&json).expect("it is read again"), case);
        let sound = Case { fault: None, ..case };
        assert!(sound.replay().is_none_or(|found| found.is_empty()), "{fault:?}: {sound}");
    }
}

#[test]
fn every_property_that_must_always_hold_has_a_fault_that_breaks_it() {
    let always = Property::ALL.into_iter().filter(|property| property.expectation() == Expectation::Always);
    for property in always {
        assert!(Fault::ALL.iter().any(|fault| fault.breaks() == property), "nothing breaks {property}");
    }
}

/// Steps are for people.
#[test]
fn a_case_is_printed_with_what_complete_auth_token_answered() {
    let report = check(Protection::Auth, SMALL, Some(Fault::DigestNotCompared));
    let finding = report.finding(Fault::DigestNotCompared.breaks()).expect("it is reported");
    let Outcome::Broken(case) = &finding.outcome else { panic!("{:?}", finding.outcome) };
    let printed = case.to_string();
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].contains("1. ") && lines[0].ends_with("asks, and is challenged"), "{printed}");
    assert!(
        lines.iter().any(|line| line.contains(" is delivered with the ") && line.ends_with(": SEC_E_OK")),
        "{printed}"
    );
}
