//! The findings, each with its grounds, the gravest rows first.
#![forbid(unsafe_code)]

use maud::{Markup, html};

use super::{badge, class, link};
use crate::conformance::expect::Expected;
use crate::conformance::report::details::{Details, Reference, counts, distinct};
use crate::conformance::report::{Finding, ProfileReport, RowReport, RowVerdict, Strictness};
use crate::spec::Specification;
use crate::spec::visible::visible;

/// What counts first, then what is expected, then what is allowed.
pub(super) fn findings(specification: &Specification, report: &ProfileReport, strictness: Strictness) -> Markup {
    let mut rows: Vec<&RowReport> = report.rows.iter().filter(|row| !row.findings.is_empty()).collect();
    rows.sort_by_key(|row| (!counts(row.verdict, strictness), row.verdict != RowVerdict::Xfail));
    html! {
        h3 { "Findings" }
        @if rows.is_empty() { p { "There are none." } }
        @for row in rows {
            @for (number, finding) in (1_usize..).zip(distinct(row)) {
                (told(specification, report, row, number, finding))
            }
        }
    }
}

fn told(
    specification: &Specification,
    report: &ProfileReport,
    row: &RowReport,
    number: usize,
    finding: &Finding,
) -> Markup {
    let Some(details) = Details::of(specification, row, finding) else { return html! {} };
    let Details { row: asked, requirement, sources, expected, actual, steps, json } = &details;
    html! {
        details.finding.row.(class(row.verdict)) {
            summary {
                (badge(finding.kind.verdict()))
                @if row.verdict == RowVerdict::Xfail { " " (badge(row.verdict)) }
                h4 { (row.row) }
                span.difference { (row.call) ": " (visible(&finding.difference)) }
            }
            div.grounds id={ (report.profile) "." (row.row) "." (number) } {
                @if let Some(known) = &row.expected { (excuse(known)) }
                dl {
                    dt { "Requirement" }
                    dd {
                        @if !requirement.is_empty() { p { (requirement) } }
                        p { (asked.outcome.why) }
                        p.level { (asked.level) ", " (asked.provenance) }
                    }
                    dt { "Sources" }
                    dd { ul.sources { @for source in sources { li { (reference(source)) } } } }
                    dt { "Expected" }
                    dd.wanted { (expected) }
                    dt { "Actual" }
                    dd.got { (visible(actual)) }
                    dt { "Difference" }
                    dd { (visible(&finding.difference)) }
                    @if !finding.state.is_empty() { dt { "State before" } dd { code { (finding.state) } } }
                    @if !finding.facts.is_empty() {
                        dt { "Facts" }
                        dd { ul.chips { @for fact in finding.facts.split_whitespace() { li { code { (fact) } } } } }
                    }
                    dt { "Reproducer" }
                    dd {
                        ol.steps { @for step in steps { li { (step) } } }
                        p.hint { "One click selects the line below; " code { "digest-ssp reproduce -" } " reads it." }
                        pre tabindex="0" aria-label={ "Reproducer of " (row.row) " as JSON" } { code { (json) } }
                    }
                }
            }
        }
    }
}

fn excuse(Expected { verdict, reason, link: address }: &Expected) -> Markup {
    html! {
        p.excuse { strong { "Expected to be " (verdict.name()) ": " } (visible(reason)) (link(address.as_deref())) }
    }
}

fn reference(Reference { title, url }: &Reference<'_>) -> Markup {
    html! {
        @match url {
            Some(url) => a href=(url) rel="noreferrer" { (title) },
            None => (title),
        }
    }
}
