//! A campaign for people, and for programs.
#![forbid(unsafe_code)]

use core::fmt::Write;

use serde_json::{Value, json};

use super::engine::Counts;
use super::store::{Campaign, Finding};

/// How a run is, in a line.
pub(super) fn line(target: &str, counts: &Counts, findings: usize) -> String {
    let Counts { executions, per_second, coverage, corpus, seconds } = counts;
    let speed = format!("{executions} executions, {per_second} a second, coverage {coverage}, corpus {corpus}");
    format!("{target}: {speed}, findings {findings}, {seconds:.0} s")
}

/// A campaign as its file has it, and what waits to be taken in.
pub(super) fn json(campaign: &Campaign, open: usize) -> Value {
    let mut value = json!(campaign);
    value["not_judged"] = open.into();
    value
}

/// What was run, target by target.
pub(super) fn targets(campaign: &Campaign) -> String {
    let mut text = format!(
        "{:<19} {:>12} {:>9} {:>9} {:>7} {:>8} {:>9}\n",
        "target", "executions", "a second", "coverage", "corpus", "seconds", "findings"
    );
    for (name, target) in &campaign.targets {
        let findings =
            campaign.findings.iter().filter(|finding| finding.target == *name || finding.also.contains(name)).count();
        let per_second = if target.seconds > 0.0 { target.executions as f64 / target.seconds } else { 0.0 };
        let _ = writeln!(
            text,
            "{name:<19} {:>12} {per_second:>9.0} {:>9} {:>7} {:>8.0} {findings:>9}",
            target.executions, target.coverage, target.corpus, target.seconds,
        );
    }
    text
}

/// What was run, and what was found; `open` artifacts wait to be taken in.
pub(super) fn human(campaign: &Campaign, open: usize) -> String {
    let mut text = targets(campaign);
    for Finding { name, target, also, kind, row, what, times, after_seconds, has_sequence } in &campaign.findings {
        let row = row.as_deref().map_or_else(String::new, |row| format!(" of row {row}"));
        let also = if also.is_empty() { String::new() } else { format!(", and by {}", also.join(" and ")) };
        // A property is told by the target, whose subject need not be that of `reproduce`.
        let ending = if *has_sequence && kind != "property" { "json" } else { "input" };
        let _ = writeln!(text, "\n{kind}{row}, by {target} after {after_seconds:.1} s{also}, {times} times");
        let _ = writeln!(text, "  {what}\n  findings/{name}.{ending}");
    }
    if open > 0 {
        let _ = writeln!(
            text,
            "\n{open} inputs are not judged: a run is under way, or was interrupted and `campaign run` judges them"
        );
    }
    for (name, problem) in campaign.problems() {
        let _ = writeln!(text, "\n{name} could not be run: {problem}");
    }
    match campaign.findings.len() {
        0 if open > 0 || campaign.problems().next().is_some() => {}
        0 => text.push_str("\nnothing was found\n"),
        1 => text.push_str("\n1 finding\n"),
        several => text.push_str(&format!("\n{several} findings\n")),
    }
    text
}
