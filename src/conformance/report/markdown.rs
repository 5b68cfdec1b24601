//! A report as Markdown, for summaries of CI jobs and for issues.
#![forbid(unsafe_code)]

use core::fmt::Write;

use super::details::{Details, counts, distinct};
use super::{Conclusion, Finding, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use crate::conformance::expect::{Expected, Stale};
use crate::spec::Specification;
use crate::spec::visible::visible;

/// The whole report: a table of counts, every finding, what was expected, what is stale.
pub fn report(specification: &Specification, report: &Report, strictness: Strictness) -> String {
    let mut text = format!("# Conformance of {}\n\n", escaped(&report.subject));
    let conclusion = match report.conclusion(strictness) {
        Conclusion::Conforms => "conforms",
        Conclusion::Findings => "findings",
        Conclusion::NothingShown => "nothing is shown",
    };
    let _ = writeln!(text, "**{conclusion}**; spec {}, seed {}\n", escaped(&report.spec_version), report.seed);
    table_of_counts(&mut text, report, strictness);
    for of_profile in &report.profiles {
        profile(&mut text, specification, of_profile, strictness);
    }
    stale(&mut text, report);
    text
}

fn table_of_counts(text: &mut String, report: &Report, strictness: Strictness) {
    let present: Vec<_> =
        RowVerdict::ALL.iter().copied().filter(|verdict| report.with_verdict(*verdict).next().is_some()).collect();
    let names: String = present.iter().map(|verdict| format!(" {} |", verdict.name())).collect();
    let _ = writeln!(text, "| profile | conclusion | rows |{names}");
    let _ = writeln!(text, "|---|---|--:|{}", "--:|".repeat(present.len()));
    for of_profile in &report.profiles {
        let counts: String =
            present.iter().map(|verdict| format!(" {} |", of_profile.with_verdict(*verdict).count())).collect();
        let conclusion = match of_profile.conclusion(strictness) {
            Conclusion::Conforms => "conforms",
            Conclusion::Findings => "does not conform",
            Conclusion::NothingShown => "nothing is shown",
        };
        let _ = writeln!(text, "| {} | {conclusion} | {} |{counts}", of_profile.profile, of_profile.rows.len());
    }
}

fn profile(text: &mut String, specification: &Specification, report: &ProfileReport, strictness: Strictness) {
    let told = |row: &&RowReport| row.verdict != RowVerdict::Pass && row.verdict != RowVerdict::Skipped;
    if report.smoke.is_none() && !report.rows.iter().any(|row| told(&row)) {
        return;
    }
    let _ = writeln!(text, "\n## {}", report.profile);
    if let Some(smoke) = &report.smoke {
        let _ = writeln!(text, "\nThe smoke exchange failed: {}", escaped(smoke));
    }
    for row in report.rows.iter().filter(|row| counts(row.verdict, strictness)) {
        let _ = writeln!(text, "\n### {}: `{}`", row.verdict.name(), row.row);
        if let Some(note) = &row.note {
            let _ = writeln!(text, "\n{}", escaped(note));
        }
        for finding in distinct(row) {
            in_full(text, specification, row, finding);
        }
    }
    let deviations = report.with_verdict(RowVerdict::Deviation).filter(|row| !counts(row.verdict, strictness));
    table(
        text,
        "Deviations",
        ["row", "actual", "why it is allowed"],
        deviations.flat_map(|row| {
            distinct(row).map(|finding| [code(&row.row), escaped(&finding.actual), escaped(&finding.difference)])
        }),
    );
    table(
        text,
        "As expected",
        ["row", "verdict", "reason"],
        report.rows.iter().filter_map(|row| {
            let Expected { verdict, reason, link } = row.expected.as_ref()?;
            let link = link.as_ref().map(|link| format!(" <{link}>")).unwrap_or_default();
            Some([code(&row.row), verdict.name().to_owned(), escaped(reason) + &link])
        }),
    );
}

fn table(text: &mut String, title: &str, head: [&str; 3], rows: impl Iterator<Item = [String; 3]>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "\n### {title}\n\n| {} |\n|---|---|---|", head.join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

fn in_full(text: &mut String, specification: &Specification, row: &RowReport, finding: &Finding) {
    let Some(details) = Details::of(specification, row, finding) else { return };
    let state = if finding.state.is_empty() { String::new() } else { format!(" in {}", code(&finding.state)) };
    let _ = writeln!(text, "\n{}{state}: {}\n", row.call, escaped(&finding.difference));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "* {name}: {value}");
    };
    if !details.requirement.is_empty() {
        line("requirement", &escaped(&details.requirement));
    }
    line("why", &escaped(&details.row.outcome.why));
    for source in &details.sources {
        let title = escaped(&source.title);
        line("source", &source.url.map_or_else(|| title.clone(), |url| format!("[{title}](<{url}>)")));
    }
    line("expected", &escaped(&details.expected));
    line("actual", &escaped(&details.actual));
    if !finding.facts.is_empty() {
        line("facts", &code(&finding.facts));
    }
    let _ = writeln!(text, "\n<details><summary>Reproducer</summary>\n");
    for (number, step) in (1_usize..).zip(&details.steps) {
        let _ = writeln!(text, "{number}. {}", escaped(step));
    }
    let fence = "`".repeat(longest_run(&details.json).max(2) + 1);
    let _ = writeln!(text, "\n{fence}json\n{}\n{fence}\n\n</details>", details.json);
}

fn stale(text: &mut String, report: &Report) {
    let rows = report.stale.iter().map(|Stale { entry, why }| {
        let profile = entry.profile.map(|profile| format!(" in {profile}")).unwrap_or_default();
        let expected = format!("{}{profile}, line {}", entry.verdict.name(), entry.line);
        [code(&entry.row), expected, escaped(why)]
    });
    table(text, "Stale expectations, which should be removed", ["row", "expected", "is"], rows);
}

/// A text as itself: nothing in it is markup, not even HTML or a link to a person.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => escaped.extend(['\\', character]),
            character => escaped.push(character),
        }
    }
    escaped
}

/// A text between as many backticks as it takes.
fn code(text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{code, escaped};

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("a|b <script>`x`\n@me"), "a\\|b &lt;script&gt;\\`x\\`\\\\n&#64;me");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(code("cat-count-used"), "`cat-count-used`");
    }
}
