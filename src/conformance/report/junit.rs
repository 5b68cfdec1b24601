//! A report as JUnit XML, for the pages of CI services: a suite for each profile, a test case for each row.
#![forbid(unsafe_code)]

use core::fmt::Write;

use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::details::{Details, counts, distinct};
use super::{Finding, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use crate::conformance::expect::{Expected, Stale};
use crate::spec::Specification;
use crate::spec::visible::visible;

/// The report as one document that ends in a line break.
///
/// # Errors
/// Where a value has no form in XML; no report holds such a value.
pub fn report(
    specification: &Specification,
    report: &Report,
    strictness: Strictness,
) -> Result<String, SerializeError> {
    let mut document = quick_junit::Report::new("digest-ssp conform");
    for of_profile in &report.profiles {
        document.add_test_suite(profile(specification, report, of_profile, strictness));
    }
    if !report.stale.is_empty() {
        let mut suite = TestSuite::new("expectations");
        suite.add_test_cases(report.stale.iter().map(stale));
        document.add_test_suite(suite);
    }
    Ok(document.to_string()?.trim_end().to_owned() + "\n")
}

fn profile(
    specification: &Specification,
    report: &Report,
    of_profile: &ProfileReport,
    strictness: Strictness,
) -> TestSuite {
    let mut suite = TestSuite::new(of_profile.profile.name());
    let seed = report.seed.to_string();
    for (name, value) in [("subject", report.subject.as_str()), ("spec", &report.spec_version), ("seed", &seed)] {
        suite.add_property(Property::new(name, XmlString::new(visible(value))));
    }
    if let Some(smoke) = &of_profile.smoke {
        let status = told(NonSuccessKind::Error, "smoke", smoke, "");
        let mut case = TestCase::new("smoke exchange", status);
        case.set_classname(of_profile.profile.name());
        suite.add_test_case(case);
    }
    suite.add_test_cases(of_profile.rows.iter().map(|row| {
        let mut case = TestCase::new(row.row.as_str(), status(specification, row, strictness));
        case.set_classname(format!("{}.{}", of_profile.profile, row.call));
        case.set_assertions(row.ran);
        case
    }));
    suite
}

fn status(specification: &Specification, row: &RowReport, strictness: Strictness) -> TestCaseStatus {
    let note = row.note.as_deref().unwrap_or_default();
    match row.verdict {
        RowVerdict::Pass => TestCaseStatus::success(),
        RowVerdict::Deviation if !counts(row.verdict, strictness) => TestCaseStatus::success(),
        RowVerdict::Deviation | RowVerdict::Fail => found(specification, NonSuccessKind::Failure, row),
        RowVerdict::Crash | RowVerdict::Timeout | RowVerdict::Unstable | RowVerdict::Errored => {
            found(specification, NonSuccessKind::Error, row)
        }
        RowVerdict::Skipped => skipped("skipped", note),
        RowVerdict::Xfail => match &row.expected {
            Some(Expected { verdict, reason, link }) => {
                let link = link.as_ref().map(|link| format!(" <{link}>")).unwrap_or_default();
                skipped("xfail", &format!("{}, as expected: {reason}{link}", verdict.name()))
            }
            None => skipped("xfail", note),
        },
    }
}

fn skipped(sort: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(sort).set_message(XmlString::new(visible(message)));
    status
}

fn told(kind: NonSuccessKind, sort: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(sort).set_message(XmlString::new(visible(message)));
    if !text.is_empty() {
        status.set_description(text);
    }
    status
}

/// The findings of a row: the gravest in the message, all in the text.
fn found(specification: &Specification, kind: NonSuccessKind, row: &RowReport) -> TestCaseStatus {
    let text: String = distinct(row).map(|finding| in_full(specification, row, finding)).collect();
    let first = row.findings.first().map(|finding| finding.difference.as_str());
    told(kind, row.verdict.name(), first.or(row.note.as_deref()).unwrap_or_default(), &text)
}

fn in_full(specification: &Specification, row: &RowReport, finding: &Finding) -> String {
    let mut text = format!("\n{}\n", finding.kind.verdict().name());
    let Some(details) = Details::of(specification, row, finding) else { return text };
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12} {}", visible(value));
    };
    line("requirement", &details.requirement);
    line("", &details.row.outcome.why);
    for source in &details.sources {
        line("source", &format!("{} <{}>", source.title, source.url.unwrap_or("unknown")));
    }
    line("expected", &details.expected);
    line("actual", &details.actual);
    line("difference", &finding.difference);
    line("state", &finding.state);
    line("facts", &finding.facts);
    for (number, step) in (1_usize..).zip(&details.steps) {
        line("", &format!("{number:>2}. {step}"));
    }
    line("reproducer", &details.json);
    text
}

fn stale(Stale { entry, why }: &Stale) -> TestCase {
    let profile = entry.profile.map(|profile| format!(" in {profile}")).unwrap_or_default();
    let message = format!("{}{profile} is expected in line {}, but {why}", entry.verdict.name(), entry.line);
    let mut case = TestCase::new(entry.row.as_str(), told(NonSuccessKind::Failure, "stale", &message, ""));
    case.set_classname("expectations");
    case
}
