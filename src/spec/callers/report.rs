//! What a trace shows of its caller, for a person and for a program (`spec/schemas/callers.schema.json`).
#![forbid(unsafe_code)]

use core::fmt::Write;

use serde_json::{Value, json};

use super::{CallerFinding, CallerReport, CallerRule, CallerRuleEntry};
use crate::spec::describe;
use crate::spec::model::Specification;
use crate::spec::names::Level;

/// The version of the JSON form; it changes when a program that reads it must.
pub const CALLERS_VERSION: u32 = 1;

/// What the tables say of a rule.
fn entry(specification: &Specification, rule: CallerRule) -> Option<&CallerRuleEntry> {
    specification.callers.iter().find(|entry| entry.id == rule.id())
}

fn level(specification: &Specification, finding: &CallerFinding) -> Level {
    entry(specification, finding.rule).map_or(Level::Must, |entry| entry.level)
}

impl CallerReport {
    /// The findings of rules of a level.
    pub fn of_level<'a>(
        &'a self,
        specification: &'a Specification,
        wanted: Level,
    ) -> impl Iterator<Item = &'a CallerFinding> {
        self.findings.iter().filter(move |finding| level(specification, finding) == wanted)
    }
}

/// The report as text: rule by rule, each with its documents and the lines that break it.
pub fn human(specification: &Specification, report: &CallerReport) -> String {
    let mut text = format!(
        "trace    {}, processes {}, calls {}\nspec     {}\n",
        report.packages.join(", "),
        report.processes,
        report.calls,
        specification.version
    );
    for rule in CallerRule::ALL {
        let mut findings = report.findings.iter().filter(|finding| finding.rule == *rule).peekable();
        let Some(entry) = findings.peek().and_then(|_| entry(specification, *rule)) else { continue };
        let _ = writeln!(text, "\n{} {}", entry.level, entry.id);
        let _ = writeln!(text, "  requirement  {}", entry.text);
        for source in documents(specification, &entry.sources) {
            let _ = writeln!(text, "  source       {source}");
        }
        for finding in findings {
            let since = finding.since.map_or_else(String::new, |since| format!(" (since line {since})"));
            let process = if report.processes > 1 { format!("process {}: ", finding.process) } else { String::new() };
            let _ = writeln!(text, "  line {:<7} {process}{}{since}", finding.line, finding.what);
        }
    }
    if let Some(line) = report.torn {
        let _ =
            writeln!(text, "\nthe trace ends in the middle of line {line}: judged up to there, and nothing of leaks");
    }
    let [must, should] = [Level::Must, Level::Should].map(|level| report.of_level(specification, level).count());
    let _ = writeln!(text, "\n{} findings: {must} must, {should} should", report.findings.len());
    text
}

fn documents(specification: &Specification, references: &[String]) -> Vec<String> {
    let one = |reference: &String| {
        let resolved = describe::reference(specification, reference)?;
        let heading = resolved.heading_with_number().map(|heading| format!(", {heading}")).unwrap_or_default();
        Some(format!("{}{heading} <{}>", resolved.source.title, resolved.source.url))
    };
    references.iter().filter_map(one).collect()
}

/// The report as a value.
pub fn json(specification: &Specification, report: &CallerReport) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .filter_map(|finding| {
            let entry = entry(specification, finding.rule)?;
            Some(json!({
                "rule": entry.id,
                "level": entry.level.name(),
                "requirement": entry.text,
                "provenance": entry.provenance.name(),
                "sources": entry.sources.iter().filter_map(|reference| source(specification, reference)).collect::<Vec<_>>(),
                "process": finding.process,
                "line": finding.line,
                "since": finding.since,
                "what": finding.what,
            }))
        })
        .collect();
    json!({
        "callers_version": CALLERS_VERSION,
        "spec_version": specification.version,
        "packages": report.packages,
        "processes": report.processes,
        "calls": report.calls,
        "torn": report.torn,
        "findings": findings,
    })
}

fn source(specification: &Specification, reference: &str) -> Option<Value> {
    let resolved = describe::reference(specification, reference)?;
    Some(json!({
        "reference": reference,
        "title": resolved.source.title,
        "heading": resolved.heading,
        "url": resolved.source.url,
    }))
}
