//! `--expect`: what it excuses, what it does not hide, and when it is stale.
#![forbid(unsafe_code)]

use digest_ssp::conformance::expect::{self, Expectations};
use digest_ssp::conformance::report::{Conclusion, FindingKind, Report, RowReport, RowVerdict, Strictness};
use digest_ssp::spec::names::Profile;
use serde_json::Value;

use crate::support::{Scratch, complaint, finding, refused, report, row, run, specification};

const HTTP: Profile = Profile::DigestHttp;
const SASL: Profile = Profile::DigestSasl;

fn fails(id: &str) -> RowReport {
    row(id, RowVerdict::Fail, vec![finding(FindingKind::Fail, "SEC_E_OK")])
}

fn applied(entries: &str, profiles: Vec<(Profile, Vec<RowReport>)>) -> Report {
    let mut report = report(profiles);
    let expectations = Expectations::parse(entries).unwrap_or_else(|error| panic!("{error}"));
    expectations.apply(specification(), Profile::ALL, &mut report);
    report
}

fn verdicts(report: &Report) -> Vec<RowVerdict> {
    report.rows().map(|row| row.verdict).collect()
}

fn entry(row: &str, verdict: &str) -> String {
    format!("[[expect]]\nrow = \"{row}\"\nverdict = \"{verdict}\"\nreason = \"it is known\"\n")
}

#[test]
fn a_row_that_is_wrong_as_expected_is_xfail_and_keeps_its_findings() {
    let text = entry("cat-count-us?d", "fail") + "link = \"https://bugs.example/17\"\n";
    let report = applied(&text, vec![(HTTP, vec![fails("cat-count-used"), fails("cat-digest-differs-initial")])]);
    assert_eq!(verdicts(&report), [RowVerdict::Xfail, RowVerdict::Fail]);
    let first = report.rows().next().expect("there are two");
    let known = first.expected.as_ref().expect("it is known");
    assert_eq!((known.verdict, known.reason.as_str()), (RowVerdict::Fail, "it is known"));
    assert_eq!((known.link.as_deref(), first.findings.len()), (Some("https://bugs.example/17"), 1));
    assert!(report.stale.is_empty());
    assert_eq!(report.conclusion(Strictness::Lenient), Conclusion::Findings, "the other row is wrong");
    let alone = applied(&text, vec![(HTTP, vec![fails("cat-count-used")])]);
    assert_eq!(alone.conclusion(Strictness::Strict), Conclusion::Conforms);
}

#[test]
fn every_verdict_but_pass_and_xfail_can_be_expected() {
    for verdict in RowVerdict::ALL.iter().copied() {
        let text = entry("cat-count-used", verdict.name());
        if [RowVerdict::Pass, RowVerdict::Xfail].contains(&verdict) {
            let error = Expectations::parse(&text).expect_err("it asks for no excuse");
            assert!(error.to_string().starts_with("line 3: verdict: "), "{error}");
        } else {
            let report = applied(&text, vec![(HTTP, vec![row("cat-count-used", verdict, Vec::new())])]);
            assert_eq!(verdicts(&report), [RowVerdict::Xfail], "{}", verdict.name());
        }
    }
}

#[test]
fn what_is_worse_than_expected_is_not_hidden() {
    // Another verdict: the entry is stale besides.
    let crashes = row("cat-count-used", RowVerdict::Crash, vec![finding(FindingKind::Crash, "SIGSEGV")]);
    let report = applied(&entry("cat-count-used", "fail"), vec![(HTTP, vec![crashes.clone()])]);
    assert_eq!((verdicts(&report), report.stale.len()), (vec![RowVerdict::Crash], 1));
    // A crash beside the failure: the entry holds, and does not excuse it.
    let mut both = fails("cat-count-used");
    both.findings.extend(crashes.findings);
    let report = applied(&entry("cat-count-used", "fail"), vec![(HTTP, vec![both.clone()])]);
    assert_eq!((verdicts(&report), report.stale.len()), (vec![RowVerdict::Fail], 0));
    // Who expects both has said so.
    let text = entry("cat-count-used", "fail") + &entry("cat-*", "crash");
    let report = applied(&text, vec![(HTTP, vec![both])]);
    assert_eq!((verdicts(&report), report.stale.len()), (vec![RowVerdict::Xfail], 0));
    // A deviation beside a failure is nothing worse.
    let mut deviates = fails("cat-count-used");
    deviates.findings.push(finding(FindingKind::Deviation, "SEC_E_INVALID_TOKEN"));
    let report = applied(&entry("cat-count-used", "fail"), vec![(HTTP, vec![deviates])]);
    assert_eq!(verdicts(&report), [RowVerdict::Xfail]);
}

#[test]
fn an_entry_that_is_true_of_no_row_is_stale_and_a_finding() {
    let passes = || vec![(HTTP, vec![row("cat-count-used", RowVerdict::Pass, Vec::new())])];
    let text = entry("dsc-deleted-never", "fail") + &entry("cat-count-used", "fail");
    let report = applied(&text, passes());
    assert_eq!(report.conclusion(Strictness::Lenient), Conclusion::Findings);
    let stale: Vec<_> = report.stale.iter().map(|stale| (stale.entry.line, stale.why.as_str())).collect();
    assert_eq!(stale, [(1, "no row has such an id"), (5, "cat-count-used is pass in digest-http")]);
    // Nothing shown is graver than something stale.
    let mut nothing = passes();
    nothing[0].1[0].ran = 0;
    assert_eq!(applied(&text, nothing).conclusion(Strictness::Lenient), Conclusion::NothingShown);
}

#[test]
fn rows_that_were_not_chosen_make_no_entry_stale() {
    let passes = |profile, id: &str| vec![(profile, vec![row(id, RowVerdict::Pass, Vec::new())])];
    // Others of the pattern may still fail, in this profile or in the other.
    for text in ["cat-*", "cat-sasl-count-used"] {
        assert!(applied(&entry(text, "fail"), passes(HTTP, "cat-count-used")).stale.is_empty(), "{text}");
    }
    // A row that both profiles have: only where both ran, or the entry is about one, does anybody know.
    let text = entry("dsc-deleted", "fail");
    assert!(applied(&text, passes(HTTP, "dsc-deleted")).stale.is_empty());
    let both = [passes(HTTP, "dsc-deleted"), passes(SASL, "dsc-deleted")].concat();
    assert_eq!(applied(&text, both).stale.len(), 1);
    let of_one = |profile: &str| format!("{text}profile = \"{profile}\"\n");
    assert_eq!(applied(&of_one("digest-http"), passes(HTTP, "dsc-deleted")).stale.len(), 1);
    assert!(applied(&of_one("digest-sasl"), passes(HTTP, "dsc-deleted")).stale.is_empty());
}

#[test]
fn an_entry_is_about_its_profile_only() {
    let both = vec![(HTTP, vec![fails("dsc-deleted")]), (SASL, vec![fails("dsc-deleted")])];
    let report = applied(&(entry("dsc-deleted", "fail") + "profile = \"digest-sasl\"\n"), both);
    assert_eq!(verdicts(&report), [RowVerdict::Fail, RowVerdict::Xfail]);
}

#[test]
fn what_is_recorded_excuses_what_it_was_recorded_from() {
    let mut both = fails("cat-digest-differs-initial");
    both.findings.push(finding(FindingKind::Crash, "SIGSEGV"));
    let deviates = row("cat-count-used", RowVerdict::Deviation, vec![finding(FindingKind::Deviation, "SEC_E_OK")]);
    let rows = || vec![(HTTP, vec![fails("dsc-deleted"), both.clone(), deviates.clone()])];
    let reason = "it has a \"quote\" and a \\";
    let text = expect::record(&report(rows()), Strictness::Lenient, reason);
    let after = applied(&text, rows());
    assert_eq!(verdicts(&after), [RowVerdict::Xfail, RowVerdict::Xfail, RowVerdict::Deviation], "{text}");
    assert_eq!(
        after.rows().next().and_then(|row| row.expected.clone()).map(|known| known.reason).as_deref(),
        Some(reason)
    );
    let strict = expect::record(&report(rows()), Strictness::Strict, reason);
    assert_eq!(applied(&strict, rows()).conclusion(Strictness::Strict), Conclusion::Conforms, "{strict}");
}

/// What is no such file, and what is said of it.
const BROKEN: &[(&str, &str)] = &[
    ("[[expect]]\nrow = \"a\"\nverdict = \"fail\"\nreason = \"b\"\nxyzzy = 1\n", "line 5: unknown field `xyzzy`"),
    ("[[expected]]\nrow = \"a\"\n", "line 1: unknown field `expected`"),
    ("\n\n[[expect]]\nrow = \"a\"\nverdict = \"fail\"\n", "line 3: missing field `reason`"),
    ("[[expect]]\nrow = \"a\"\nverdict = \"fail\"\nreason = \" \"\n", "line 4: reason: "),
    ("[[expect]]\nrow = \"a\"\nverdict = \"broken\"\nreason = \"b\"\n", "line 3: verdict: `broken` "),
    ("[[expect]]\nrow = \"A b\"\nverdict = \"fail\"\nreason = \"b\"\n", "line 2: row: "),
    (
        "[[expect]]\nrow = \"a\"\nprofile = \"digest\"\nverdict = \"fail\"\nreason = \"b\"\n",
        "line 3: unknown variant `digest`",
    ),
    ("[[expect]]\nrow = \"a\"\nverdict = \"fail\"\nreason = \"b\"\nlink = \"javascript:a\"\n", "line 5: link: "),
    ("[[expect]]\nrow = \"a\"\nverdict = \"fail\"\nreason = \"b\"\nlink = \"https://a b\"\n", "line 5: link: "),
    ("[[expect]]\nrow = 1\nverdict = \"fail\"\nreason = \"b\"\n", "line 2: "),
    ("[[expect\n", "line 1: "),
];

#[test]
fn a_file_that_is_none_is_refused_with_its_line() {
    for (text, said) in BROKEN {
        let error = Expectations::parse(text).expect_err(text).to_string();
        assert!(error.starts_with(said) && error.lines().count() == 1, "{error} is not {said}");
    }
    let scratch = Scratch::new("broken");
    let file = scratch.write("known.toml", BROKEN[0].0);
    refused(&run(&["conform", "--only", "cat-count-used", "--expect", &file]), "known.toml: line 5: unknown field");
}

#[test]
fn the_schema_takes_what_is_taken_and_refuses_what_is_refused() {
    let schema: Value =
        serde_json::from_str(include_str!("../../spec/schemas/expect.schema.json")).expect("the schema is JSON");
    let full = entry("cat-*", "crash") + "profile = \"digest-sasl\"\nlink = \"http://bugs.example\"\n";
    for text in ["", &full, &(full.clone() + &entry("a?b", "errored"))] {
        assert!(Expectations::parse(text).is_ok());
        let value: Value = toml::from_str(text).expect("it is TOML");
        assert_eq!(complaint(schema.clone(), &value), None, "{text}");
    }
    for (text, _) in BROKEN {
        let Ok(value) = toml::from_str::<Value>(text) else { continue };
        assert!(complaint(schema.clone(), &value).is_some(), "{text}");
    }
    let enumerated = |pointer: &str| -> Vec<String> {
        let names = schema.pointer(pointer).and_then(Value::as_array).expect("it is a list");
        names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let profiles: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
    assert_eq!(enumerated("/$defs/entry/properties/profile/enum"), profiles);
    let verdicts: Vec<_> = expect::VERDICTS.iter().map(|verdict| verdict.name()).collect();
    assert_eq!(enumerated("/$defs/entry/properties/verdict/enum"), verdicts);
}
