//! The rows: calls by rows at a glance, and all of them as a list.
#![forbid(unsafe_code)]

use maud::{Markup, html};

use super::{anchor, badge, class, link, symbol};
use crate::conformance::report::{ProfileReport, RowReport};
use crate::spec::Specification;
use crate::spec::names::CallName;
use crate::spec::visible::visible;

/// A line for each call, in it a cell for each row.
pub(super) fn matrix(report: &ProfileReport) -> Markup {
    html! {
        table.matrix role="table" {
            caption { "Calls and their rows; every cell leads to what was found, or to the row" }
            thead role="rowgroup" { tr role="row" {
                th scope="col" role="columnheader" { "Call" }
                th scope="col" role="columnheader" { "Rows" }
                th.number scope="col" role="columnheader" { "Ran" }
            } }
            tbody role="rowgroup" {
                @for call in CallName::ALL {
                    @let rows: Vec<&RowReport> = report.rows.iter().filter(|row| row.call == *call).collect();
                    @if !rows.is_empty() {
                        tr role="row" {
                            th scope="row" role="rowheader" { (call) }
                            td role="cell" { ul.cells { @for row in &rows { (cell(report, row)) } } }
                            td.number role="cell" {
                                (rows.iter().filter(|row| row.ran > 0).count())
                                span.of { " of " (rows.len()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(report: &ProfileReport, row: &RowReport) -> Markup {
    let verdict = row.verdict.name();
    html! {
        li.row.(class(row.verdict)) {
            a.cell.(class(row.verdict)) href={ "#" (anchor(report, row)) } title={ (row.row) ": " (verdict) }
                aria-label={ (row.row) ": " (verdict) } { (symbol(row.verdict)) }
        }
    }
}

/// Every row with its verdict and what it asks for.
pub(super) fn rows(specification: &Specification, report: &ProfileReport) -> Markup {
    html! {
        details.rows {
            summary { h3 { "All rows" } }
            table.list role="table" {
                caption { "Every row, its verdict, and how many distinct concretisations ran" }
                thead role="rowgroup" { tr role="row" {
                    th scope="col" role="columnheader" { "Row" }
                    th scope="col" role="columnheader" { "Verdict" }
                    th.number scope="col" role="columnheader" { "Ran" }
                    th scope="col" role="columnheader" { "What it asks for" }
                } }
                tbody role="rowgroup" {
                    @for row in &report.rows {
                        tr.row.(class(row.verdict)) role="row" id={ (report.profile) "." (row.row) } {
                            th scope="row" role="rowheader" { code { (row.row) } }
                            td role="cell" { (badge(row.verdict)) }
                            td.number role="cell" { (row.ran) }
                            td role="cell" { (asks(specification, row)) }
                        }
                    }
                }
            }
        }
    }
}

fn asks(specification: &Specification, row: &RowReport) -> Markup {
    html! {
        @if let Some(known) = specification.row(&row.row) {
            code { (known.outcome.status) } ": " (known.outcome.why)
        }
        @if let Some(note) = &row.note { p.reason { (visible(note)) } }
        @if let Some(expected) = &row.expected {
            p.reason { "Expected: " (expected.verdict.name()) ". " (visible(&expected.reason)) (link(expected.link.as_deref())) }
        }
    }
}
