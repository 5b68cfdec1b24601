//! The suite against the reference implementation, and against the tables themselves.

use crate::specification;
use std::sync::Arc;

use digest_ssp::conformance::report::{Strictness, json};
use digest_ssp::conformance::run::{MINIMUM_PER_ROW, run_on_all_processors};
use digest_ssp::conformance::subject::{builtin::Builtin, faulty, oracle::Oracle};
use digest_ssp::conformance::{Options, Report, RowVerdict, Subject, run};
use digest_ssp::spec::names::Profile;

/// One seed will do where nothing is optimised.
const SEEDS: &[u64] = if cfg!(debug_assertions) { &[1] } else { &[1, 20, 0xD1_6E57] };

/// What is not as it should be, a line each.
fn complaints(report: &Report) -> Vec<String> {
    let smokes = report.profiles.iter().filter_map(|profile| profile.smoke.as_ref());
    let smoke = smokes.map(|reason| format!("the smoke exchange failed: {reason}"));
    let rows = report.rows().filter_map(|row| {
        let finding = row.findings.first().map(|finding| format!(": {} ({})", finding.difference, finding.facts));
        match row.verdict {
            RowVerdict::Pass | RowVerdict::Deviation if row.ran >= MINIMUM_PER_ROW => None,
            RowVerdict::Pass | RowVerdict::Deviation => Some(format!("{} ran {} times only", row.row, row.ran)),
            RowVerdict::Fail
            | RowVerdict::Crash
            | RowVerdict::Timeout
            | RowVerdict::Unstable
            | RowVerdict::Skipped
            | RowVerdict::Errored
            | RowVerdict::Xfail => {
                Some(format!("{} {:?}{}", row.row, row.verdict, finding.or(row.note.clone()).unwrap_or_default()))
            }
        }
    });
    smoke.chain(rows).collect()
}

fn is_right(mut subject: impl Subject) {
    let specification = specification();
    for &seed in SEEDS {
        let report = run(&specification, &mut subject, &Options { seed, ..Options::default() });
        let complaints = complaints(&report);
        assert!(complaints.is_empty(), "{}, seed {seed}:\n{}", subject.name(), complaints.join("\n"));
        for (profile, report) in Profile::DIGEST.iter().zip(&report.profiles) {
            assert_eq!(report.profile, *profile);
            assert_eq!(report.rows.len(), specification.of(*profile).map(|tables| tables.rows.len()).sum::<usize>());
        }
        assert_eq!(report.profiles.len(), Profile::DIGEST.len());
    }
}

#[test]
fn the_reference_implementation_has_no_failing_row() {
    is_right(Builtin::default());
}

#[test]
fn the_tables_have_no_failing_row() {
    is_right(Oracle::new(specification()));
}

/// All six statuses that the page documents come from CompleteAuthToken in a run of the suite.
#[test]
fn every_documented_status_of_complete_auth_token_is_a_row_that_passes() {
    let specification = specification();
    let options = Options { only: vec!["cat-*".into()], ..Options::default() };
    let report = run(&specification, &mut Builtin::default(), &options);
    let documented = [
        "SEC_E_OK",
        "SEC_E_INVALID_HANDLE",
        "SEC_E_INVALID_TOKEN",
        "SEC_E_OUT_OF_SEQUENCE",
        "SEC_E_MESSAGE_ALTERED",
        "SEC_E_INTERNAL_ERROR",
    ];
    for status in documented {
        let answered = report
            .with_verdict(RowVerdict::Pass)
            .any(|passed| specification.row(&passed.row).is_some_and(|row| row.outcome.status.to_string() == status));
        assert!(answered, "no row that answers {status} passed");
    }
}

/// Two runs with one seed are one run: reproducers would be worthless otherwise.
#[test]
fn a_seed_decides_everything() {
    let specification = specification();
    let options = Options { only: vec!["dsc-*".into()], ..Options::default() };
    let ran = |subject: &mut dyn Subject| {
        let report = run(&specification, subject, &options);
        report.rows().map(|row| (row.row.clone(), row.verdict, row.ran)).collect::<Vec<_>>()
    };
    assert_eq!(ran(&mut Builtin::default()), ran(&mut Builtin::default()));
}

/// Whoever implements one mechanism only runs the rows of that one.
#[test]
fn a_profile_can_be_run_alone() {
    let specification = specification();
    for &profile in Profile::ALL {
        let options = Options { profiles: vec![profile], only: vec!["qca-*".into()], ..Options::default() };
        let report = run(&specification, &mut Oracle::new(Arc::clone(&specification)), &options);
        let ran: Vec<_> = report.profiles.iter().map(|report| report.profile).collect();
        assert_eq!(ran, [profile]);
        assert!(report.rows().all(|row| row.row.starts_with("qca-sasl-") == (profile == Profile::DigestSasl)));
        assert!(report.rows().all(|row| row.row.starts_with("qca-any-") == (profile == Profile::AnyPackage)));
        assert!(report.rows().count() > 8);
    }
    // Of a profile that has none of the rows chosen nothing is said.
    let options = Options { only: vec!["dec-sasl-*".into()], ..Options::default() };
    let report = run(&specification, &mut Oracle::new(Arc::clone(&specification)), &options);
    assert_eq!(report.profiles.iter().map(|report| report.profile).collect::<Vec<_>>(), [Profile::DigestSasl]);
}

/// What one subject finds row by row, several find together: the same findings in the same order, byte for byte.
#[test]
fn on_all_processors_the_report_is_the_same() {
    let specification = specification();
    let fault = faulty::all().find(|fault| fault.name == "replay-completes").expect("it is in the catalogue");
    let makes: [&(dyn Fn() -> Box<dyn Subject> + Sync); 2] =
        [&|| Box::new(Builtin::default()), &|| fault.subject(&specification)];
    for (make, is_right) in makes.into_iter().zip([true, false]) {
        let only = ["cat-count-*", "cat-sasl-*", "dsc-*"].map(str::to_owned).to_vec();
        let options = Options { only, cases: 16, ..Options::default() };
        let one = run(&specification, make().as_mut(), &options);
        let several = run_on_all_processors(&specification, make, &options, &|_progress| {});
        let written = |report| json::report(report, Strictness::Strict).expect("it has a form in JSON");
        assert_eq!(written(&several), written(&one));
        assert_eq!(one.rows().all(|row| row.verdict == RowVerdict::Pass), is_right);
    }
}
