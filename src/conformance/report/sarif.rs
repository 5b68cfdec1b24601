//! A report as SARIF 2.1.0, for viewers of findings: rules are rows, results are findings.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::details::{Details, Reference, counts, distinct, sources};
use super::{Conclusion, Finding, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use crate::conformance::expect::{Expected, Stale};
use crate::digest::hash::{hex, md5};
use crate::spec::Specification;
use crate::spec::model::Row;
use crate::spec::visible::visible;

/// The rules that are no rows.
const SMOKE: &str = "smoke-exchange";
const STALE: &str = "stale-expectation";

/// The report as one indented document that ends in a line break.
///
/// # Errors
/// Where a value has no form in JSON; no report holds such a value.
pub fn report(specification: &Specification, report: &Report, strictness: Strictness) -> serde_json::Result<String> {
    let mut results = Results { rules: Vec::new(), results: Vec::new() };
    for of_profile in &report.profiles {
        if let Some(smoke) = &of_profile.smoke {
            results.smoke(of_profile, smoke);
        }
        for row in &of_profile.rows {
            results.row(specification, of_profile, row, strictness);
        }
    }
    for stale in &report.stale {
        results.stale(stale);
    }
    let conclusion = report.conclusion(strictness);
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "digest-ssp",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": results.rules,
            }},
            "invocations": [{ "executionSuccessful": conclusion != Conclusion::NothingShown }],
            "columnKind": "unicodeCodePoints",
            "results": results.results,
            "properties": {
                "subject": visible(&report.subject),
                "specVersion": report.spec_version,
                "seed": report.seed,
                "conclusion": conclusion,
            },
        }],
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

struct Results {
    rules: Vec<Value>,
    results: Vec<Value>,
}

impl Results {
    /// The position of a rule, which is made where it is not there yet.
    fn rule(&mut self, id: &str, make: impl FnOnce() -> Value) -> usize {
        match self.rules.iter().position(|rule| rule["id"] == id) {
            Some(position) => position,
            None => {
                self.rules.push(make());
                self.rules.len() - 1
            }
        }
    }

    fn row(&mut self, specification: &Specification, profile: &ProfileReport, report: &RowReport, strict: Strictness) {
        let Some(row) = specification.row(&report.row) else { return };
        for finding in distinct(report) {
            let Some(details) = Details::of(specification, report, finding) else { continue };
            let position = self.rule(&report.row, || rule(specification, row));
            let mut result = json!({
                "ruleId": report.row,
                "ruleIndex": position,
                "level": level(finding.kind.verdict(), strict),
                "message": { "text": message(finding, &details) },
                "locations": [location(profile, report, &finding.state)],
                "partialFingerprints": { "digestSsp/v1": fingerprint(profile, report, finding) },
                "properties": {
                    "profile": profile.profile,
                    "kind": finding.kind,
                    "situation": details.requirement,
                    "state": finding.state,
                    "facts": finding.facts,
                    "expected": details.expected,
                    "actual": visible(&details.actual),
                    "difference": visible(&finding.difference),
                    "steps": details.steps,
                    "reproducer": finding.reproducer,
                },
            });
            if let Some(Expected { reason, link, .. }) = &report.expected {
                let justification = link.as_ref().map_or_else(|| reason.clone(), |link| format!("{reason} <{link}>"));
                result["suppressions"] =
                    json!([{ "kind": "external", "status": "accepted", "justification": visible(&justification) }]);
            }
            self.results.push(result);
        }
        if report.findings.is_empty() && counts(report.verdict, strict) {
            let position = self.rule(&report.row, || rule(specification, row));
            self.results.push(json!({
                "ruleId": report.row,
                "ruleIndex": position,
                "level": level(report.verdict, strict),
                "message": { "text": visible(report.note.as_deref().unwrap_or("it did not run")) },
                "locations": [location(profile, report, "")],
                "properties": { "profile": profile.profile, "kind": report.verdict },
            }));
        }
    }

    fn smoke(&mut self, profile: &ProfileReport, reason: &str) {
        let text = "The smoke exchange succeeds; where it does not, the findings of the rows say little";
        let position = self.rule(SMOKE, || plain_rule(SMOKE, text));
        self.results.push(json!({
            "ruleId": SMOKE,
            "ruleIndex": position,
            "level": "error",
            "message": { "text": format!("{}: {}", profile.profile, visible(reason)) },
            "properties": { "profile": profile.profile },
        }));
    }

    fn stale(&mut self, Stale { entry, why }: &Stale) {
        let text = "Every entry of the expectations file is true of some row; one that is not should be removed";
        let position = self.rule(STALE, || plain_rule(STALE, text));
        let message =
            format!("{} is expected of {} in line {}, but {why}", entry.verdict.name(), entry.row, entry.line);
        self.results.push(json!({
            "ruleId": STALE,
            "ruleIndex": position,
            "level": "error",
            "message": { "text": message },
            "properties": { "entry": entry },
        }));
    }
}

fn plain_rule(id: &str, text: &str) -> Value {
    json!({ "id": id, "shortDescription": { "text": text }, "help": { "text": text } })
}

fn rule(specification: &Specification, row: &Row) -> Value {
    let sources = sources(specification, row);
    let mut text = row.outcome.why.clone();
    for Reference { title, url } in &sources {
        text.push_str(&format!("\n{title} <{}>", url.unwrap_or("unknown")));
    }
    let mut rule = json!({
        "id": row.id,
        "shortDescription": { "text": format!("{}: {}", row.call, row.outcome.why) },
        "fullDescription": { "text": super::human::expected(&row.outcome) },
        "help": { "text": text },
        "properties": { "level": row.level, "provenance": row.provenance },
    });
    if let Some(url) = sources.iter().find_map(|source| source.url) {
        rule["helpUri"] = url.into();
    }
    rule
}

fn level(verdict: RowVerdict, strictness: Strictness) -> &'static str {
    match (verdict.is_wrong(), counts(verdict, strictness)) {
        (true, _) => "error",
        (false, true) => "warning",
        (false, false) => "note",
    }
}

fn message(finding: &Finding, details: &Details<'_>) -> String {
    let text = format!("{}: expected {}, actual {}", finding.difference, details.expected, details.actual);
    visible(&text).into_owned()
}

/// There is no file to point into: what is wrong is a call in a state.
fn location(profile: &ProfileReport, report: &RowReport, state: &str) -> Value {
    let place = if state.is_empty() { String::new() } else { format!("/{state}") };
    json!({ "logicalLocations": [{
        "name": report.call,
        "fullyQualifiedName": format!("{}/{}{place}", profile.profile, report.call),
        "kind": "function",
    }]})
}

/// The same for the same finding in another run, with another seed, of another version of the subject.
fn fingerprint(profile: &ProfileReport, report: &RowReport, finding: &Finding) -> String {
    let parts =
        [profile.profile.name(), &report.row, finding.kind.verdict().name(), &finding.actual, &finding.difference];
    let digest = hex(&md5(&[parts.join("\n").as_bytes()]));
    String::from_utf8_lossy(&digest).into_owned()
}
