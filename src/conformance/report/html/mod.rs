//! A report as one HTML file that loads nothing and runs nothing: what it shows, it holds, and a policy in its head forbids
//! the rest. Rows are filtered by the style sheet, findings open by themselves where a link leads into them.
#![forbid(unsafe_code)]

mod findings;
mod matrix;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::details::counts;
use super::{Conclusion, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use crate::conformance::expect::Stale;
use crate::spec::Specification;
use crate::spec::visible::visible;

/// No script, no request: even a text that got through the escaping could do nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Ours, and so not escaped.
const STYLE: PreEscaped<&str> = PreEscaped(include_str!("report.css"));

/// The whole report.
pub fn report(specification: &Specification, report: &Report, strictness: Strictness) -> String {
    let subject = visible(&report.subject);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Conformance of " (subject) }
                style { (STYLE) }
            }
            body {
                header { (head(report, strictness)) }
                main {
                    @if !report.stale.is_empty() { (stale(&report.stale)) }
                    @for of_profile in &report.profiles { (profile(specification, of_profile, strictness)) }
                }
                footer {
                    p { "Written by digest-ssp " (env!("CARGO_PKG_VERSION")) ". The same version, seed and number of cases give
                         the same report." }
                }
            }
        }
    };
    document.into_string() + "\n"
}

fn head(report: &Report, strictness: Strictness) -> Markup {
    let conclusion = report.conclusion(strictness);
    let (class, symbol, text) = match conclusion {
        Conclusion::Conforms => ("good", "✓", "It conforms."),
        Conclusion::Findings if report.rows().any(|row| counts(row.verdict, strictness)) => {
            ("bad", "✗", "It does not conform.")
        }
        Conclusion::Findings => ("bad", "✗", "It conforms, but expectations are stale."),
        Conclusion::NothingShown => ("bad", "!", "Nothing is shown of it."),
    };
    let rows = report.rows().count();
    let wrong = report.rows().filter(|row| counts(row.verdict, strictness)).count();
    let known = report.with_verdict(RowVerdict::Xfail).count();
    html! {
        p.kicker { "SSPI · CompleteAuthToken · Digest" }
        h1 { "Conformance of " span.subject { (visible(&report.subject)) } }
        p.conclusion.(class) role="status" {
            span aria-hidden="true" { (symbol) } " " strong { (text) } " "
            (wrong) " of " (rows) " rows are wrong"
            @if known > 0 { ", and " (known) " wrong as expected" }
            "."
        }
        dl.facts {
            div { dt { "Specification" } dd { (report.spec_version) } }
            div { dt { "Seed" } dd { (report.seed) } }
            div { dt { "Deviations" } dd { @match strictness {
                Strictness::Lenient => "are allowed",
                Strictness::Strict => "count as findings",
            } } }
        }
        @if report.profiles.len() > 1 {
            nav aria-label="Profiles" { ul {
                @for of_profile in &report.profiles {
                    li { a href={ "#" (of_profile.profile) } { (of_profile.profile) } }
                }
            } }
        }
    }
}

fn stale(stale: &[Stale]) -> Markup {
    html! {
        section.stale aria-labelledby="stale" {
            h2 #stale { "Stale expectations" }
            p { "These entries of the expectations file are true of no row any more, and should be removed." }
            ul {
                @for Stale { entry, why } in stale {
                    li {
                        "Line " (entry.line) ": " code { (entry.row) } " is expected to be " (badge(entry.verdict))
                        @if let Some(profile) = entry.profile { " in " (profile) }
                        ", but " (visible(why)) "."
                        p.reason { "Reason given: " (visible(&entry.reason)) (link(entry.link.as_deref())) }
                    }
                }
            }
        }
    }
}

fn profile(specification: &Specification, report: &ProfileReport, strictness: Strictness) -> Markup {
    let name = report.profile;
    let conclusion = match report.conclusion(strictness) {
        Conclusion::Conforms => "conforms",
        Conclusion::Findings => "does not conform",
        Conclusion::NothingShown => "nothing is shown",
    };
    let concretisations: usize = report.rows.iter().map(|row| row.ran).sum();
    html! {
        section.profile aria-labelledby=(name) {
            h2 id=(name) { (name) " " span.word { (conclusion) } }
            @if let Some(smoke) = &report.smoke {
                p.smoke { strong { "The smoke exchange failed: " } (visible(smoke)) }
            }
            p { (report.rows.len()) " rows, " (concretisations) " distinct concretisations. Untick a verdict to hide its rows." }
            (filter(report))
            (matrix::matrix(report))
            (findings::findings(specification, report, strictness))
            (matrix::rows(specification, report))
        }
    }
}

/// The counts, each of which shows and hides its rows.
fn filter(report: &ProfileReport) -> Markup {
    html! {
        fieldset.filter {
            legend { "Rows by verdict" }
            @for verdict in RowVerdict::ALL {
                @let count = report.with_verdict(*verdict).count();
                @if count > 0 {
                    label.tile.(class(*verdict)) {
                        input type="checkbox" class={ "show-" (verdict.name()) } checked;
                        span.symbol aria-hidden="true" { (symbol(*verdict)) }
                        span.count { (count) } " " span.name { (verdict.name()) }
                    }
                }
            }
        }
    }
}

/// The class by which the style sheet colours and hides a verdict.
fn class(verdict: RowVerdict) -> String {
    format!("v-{}", verdict.name())
}

/// What stands for a verdict where there is room for one character.
const fn symbol(verdict: RowVerdict) -> &'static str {
    match verdict {
        RowVerdict::Pass => "✓",
        RowVerdict::Deviation => "≈",
        RowVerdict::Fail => "✗",
        RowVerdict::Crash => "!",
        RowVerdict::Timeout => "…",
        RowVerdict::Unstable => "?",
        RowVerdict::Skipped => "–",
        RowVerdict::Errored => "E",
        RowVerdict::Xfail => "x",
    }
}

fn badge(verdict: RowVerdict) -> Markup {
    html! {
        span.badge.(class(verdict)) { span aria-hidden="true" { (symbol(verdict)) } " " (verdict.name()) }
    }
}

/// An address out of the expectations file or the tables; nothing else becomes a link.
fn link(url: Option<&str>) -> Markup {
    let is_address = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    html! {
        @if let Some(url) = url.filter(is_address) { " " a href=(url) rel="noreferrer" { (url) } }
    }
}

/// Where a row is told of: its first finding, or its line in the list of rows.
fn anchor(report: &ProfileReport, row: &RowReport) -> String {
    let finding = if row.findings.is_empty() { "" } else { ".1" };
    format!("{}.{}{finding}", report.profile, row.row)
}
