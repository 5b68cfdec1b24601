//! What is told of a finding, whatever the form of the report.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::human::{describe, expected};
use super::{Finding, RowReport, RowVerdict, Strictness};
use crate::spec::Specification;
use crate::spec::model::{CallSpec, Row};

/// A document that a row rests on.
pub(super) struct Reference<'a> {
    /// Its title and heading.
    pub(super) title: String,
    /// Where it is published; nothing where the tables do not know it.
    pub(super) url: Option<&'a str>,
}

/// The grounds of a finding: what the tables say of its row, and how it is shown again.
pub(super) struct Details<'a> {
    /// The row.
    pub(super) row: &'a Row,
    /// The situation by name and text; empty where there was no answer.
    pub(super) requirement: String,
    /// The documents.
    pub(super) sources: Vec<Reference<'a>>,
    /// The outcome of the row in one line, and those that are as right.
    pub(super) expected: String,
    /// What came back, in one line.
    pub(super) actual: String,
    /// The actions of the reproducer as sentences.
    pub(super) steps: Vec<String>,
    /// The reproducer as one line of JSON.
    pub(super) json: String,
}

impl<'a> Details<'a> {
    /// Nothing where the tables have no such row.
    pub(super) fn of(specification: &'a Specification, report: &RowReport, finding: &Finding) -> Option<Self> {
        let (tables, row) = specification.find(&report.row)?;
        Some(Self {
            row,
            requirement: situation(tables, &finding.situation),
            sources: sources(specification, row),
            expected: all_expected(row),
            actual: format!("{}, {}", finding.actual, finding.returned),
            steps: finding.reproducer.actions.iter().map(describe).collect(),
            // A sequence holds nothing that could not be written as JSON.
            json: serde_json::to_string(&finding.reproducer).unwrap_or_default(),
        })
    }
}

fn all_expected(row: &Row) -> String {
    let outcomes: Vec<_> = core::iter::once(&row.outcome).chain(&row.also).map(expected).collect();
    outcomes.join("; or ")
}

fn situation(tables: &CallSpec, id: &str) -> String {
    let known = tables.situations.iter().find(|situation| situation.id == id);
    known.map_or_else(|| id.to_owned(), |situation| format!("{id}: {}", situation.text))
}

/// The documents a row rests on.
pub(super) fn sources<'a>(specification: &'a Specification, row: &Row) -> Vec<Reference<'a>> {
    let reference = |reference: &String| match specification.source(reference) {
        Some((source, heading)) => {
            let heading = heading.map(|heading| format!(", {heading}")).unwrap_or_default();
            Reference { title: format!("{}{heading}", source.title), url: Some(&source.url) }
        }
        None => Reference { title: reference.clone(), url: None },
    };
    row.sources.iter().map(reference).collect()
}

/// The findings of a row, of those that are the same answer for the same reason the first.
pub(super) fn distinct(report: &RowReport) -> impl Iterator<Item = &Finding> {
    let mut told = BTreeSet::new();
    report.findings.iter().filter(move |finding| told.insert((finding.kind, &finding.actual, &finding.difference)))
}

/// Whether a verdict, of a row or of one finding, counts against the subject.
pub(in crate::conformance) fn counts(verdict: RowVerdict, strictness: Strictness) -> bool {
    verdict.is_wrong() || (verdict == RowVerdict::Deviation && strictness == Strictness::Strict)
}
