//! A report as a program reads it; `spec/schemas/conform.schema.json` describes it.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::{Conclusion, ProfileReport, Report, RowVerdict, Strictness};
use crate::conformance::expect::Stale;

/// The version of the form; it changes when a program that reads it must.
pub const REPORT_VERSION: u32 = 3;

#[derive(Serialize)]
struct Document<'a> {
    report_version: u32,
    strict: bool,
    conclusion: Conclusion,
    spec_version: &'a str,
    subject: &'a str,
    seed: u64,
    profiles: Vec<ProfileDocument<'a>>,
    stale: &'a [Stale],
}

#[derive(Serialize)]
struct ProfileDocument<'a> {
    conclusion: Conclusion,
    counts: Counts,
    #[serde(flatten)]
    report: &'a ProfileReport,
}

#[derive(Serialize)]
struct Counts {
    pass: usize,
    deviation: usize,
    fail: usize,
    crash: usize,
    timeout: usize,
    unstable: usize,
    skipped: usize,
    errored: usize,
    xfail: usize,
    concretisations: usize,
}

fn profile(report: &ProfileReport, strictness: Strictness) -> ProfileDocument<'_> {
    let count = |verdict| report.with_verdict(verdict).count();
    let counts = Counts {
        pass: count(RowVerdict::Pass),
        deviation: count(RowVerdict::Deviation),
        fail: count(RowVerdict::Fail),
        crash: count(RowVerdict::Crash),
        timeout: count(RowVerdict::Timeout),
        unstable: count(RowVerdict::Unstable),
        skipped: count(RowVerdict::Skipped),
        errored: count(RowVerdict::Errored),
        xfail: count(RowVerdict::Xfail),
        concretisations: report.rows.iter().map(|row| row.ran).sum(),
    };
    ProfileDocument { conclusion: report.conclusion(strictness), counts, report }
}

/// The report as one indented document that ends in a line break.
///
/// # Errors
/// Where a value has no form in JSON; no report holds such a value.
pub fn report(report: &Report, strictness: Strictness) -> serde_json::Result<String> {
    let document = Document {
        report_version: REPORT_VERSION,
        strict: strictness == Strictness::Strict,
        conclusion: report.conclusion(strictness),
        spec_version: &report.spec_version,
        subject: &report.subject,
        seed: report.seed,
        profiles: report.profiles.iter().map(|report| profile(report, strictness)).collect(),
        stale: &report.stale,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
