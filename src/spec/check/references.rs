//! Identifiers, and what refers to them: sources, rows, calls.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::{Report, Rule};
use crate::spec::model::{Observed, Specification};
use crate::spec::names::CallName;

pub(super) fn check(specification: &Specification, report: &mut Report) {
    identifiers("row", specification.rows().map(|row| row.id.as_str()), report);
    for call in &specification.calls {
        let kind = format!("{}: situation", call.title());
        identifiers(&kind, call.situations.iter().map(|situation| situation.id.as_str()), report);
    }
    identifiers("source", specification.sources.iter().map(|source| source.id.as_str()), report);
    identifiers("erratum", specification.errata.iter().map(|erratum| erratum.id.as_str()), report);
    identifiers("observation", specification.observations.iter().map(|entry| entry.id.as_str()), report);
    identifiers("caller rule", specification.callers.iter().map(|rule| rule.id.as_str()), report);
    sources(specification, report);
    bearings(specification, report);
}

fn identifiers<'a>(kind: &str, identifiers: impl Iterator<Item = &'a str>, report: &mut Report) {
    let mut known = BTreeSet::new();
    for id in identifiers {
        let form = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || !id.bytes().all(form) {
            report.add(Rule::IdForm, format!("{kind} `{id}`"), "only a-z, 0-9 and hyphens make an identifier");
        }
        if !known.insert(id) {
            report.add(Rule::IdTwice, format!("{kind} `{id}`"), "the identifier is taken");
        }
    }
}

/// Whether a reference must name a section of its document.
#[derive(Clone, Copy)]
enum Precision {
    Document,
    Section,
}

fn sources(specification: &Specification, report: &mut Report) {
    let mut cite = |place: String, sources: &[String], precision: Precision| {
        if sources.is_empty() {
            report.add(Rule::SourceMissing, &place, "it names no source");
        }
        for (position, reference) in sources.iter().enumerate() {
            if sources[..position].contains(reference) {
                report.add(Rule::SourceTwice, &place, format!("`{reference}` is named twice"));
            }
            match (specification.source(reference), precision) {
                (Some((_, Some(_))), _) | (Some((_, None)), Precision::Document) => {}
                (Some((source, None)), Precision::Section) if source.sections.is_empty() => {}
                (Some((_, None)), Precision::Section) => {
                    report.add(Rule::SourceUnknown, &place, format!("`{reference}` names no section"));
                }
                (None, _) => {
                    report.add(
                        Rule::SourceUnknown,
                        &place,
                        format!("`{reference}` is no document or section in sources.toml"),
                    );
                }
            }
        }
    };
    for call in &specification.calls {
        cite(format!("call {}", call.title()), &call.sources, Precision::Section);
    }
    for row in specification.rows() {
        cite(format!("row `{}`", row.id), &row.sources, Precision::Section);
    }
    for status in &specification.statuses {
        cite(format!("status {}", status.name), &status.sources, Precision::Section);
    }
    for state in &specification.states {
        cite(format!("{} `{}`", state.role, state.name), &state.sources, Precision::Section);
    }
    for rule in &specification.callers {
        cite(format!("caller rule `{}`", rule.id), &rule.sources, Precision::Section);
    }
    for erratum in &specification.errata {
        cite(format!("erratum `{}`", erratum.id), &erratum.sources, Precision::Document);
    }
    for observation in &specification.observations {
        cite(format!("observation `{}`", observation.id), &observation.sources, Precision::Document);
    }
}

fn bearings(specification: &Specification, report: &mut Report) {
    let mut bear = |place: String, rows: &[String]| {
        for row in rows {
            if specification.row(row).is_none() {
                report.add(Rule::RowUnknown, &place, format!("there is no row `{row}`"));
            }
        }
    };
    for erratum in &specification.errata {
        bear(format!("erratum `{}`", erratum.id), &erratum.rows);
    }
    for observation in &specification.observations {
        bear(format!("observation `{}`", observation.id), &observation.rows);
    }
    for observation in &specification.observations {
        if CallName::from_name(&observation.call).is_none() {
            let what = format!("`{}` is no call", observation.call);
            report.add(Rule::CallUnknown, format!("observation `{}`", observation.id), what);
        }
    }
    for observed in &specification.observed {
        self::observed(specification, observed, report);
    }
}

fn observed(specification: &Specification, observed: &Observed, report: &mut Report) {
    let mut add = |what: String| report.add(Rule::Observed, format!("observed {}", observed.implementation), what);
    if observed.spec_version != specification.version {
        add(format!("the tables were of version {}: run .ci/observe", observed.spec_version));
    }
    for (name, value) in
        [("version", &observed.version), ("package", &observed.package), ("observed", &observed.observed)]
    {
        if value.is_empty() {
            add(format!("`{name}` is empty"));
        }
    }
    let rows = || specification.of(observed.profile).flat_map(|tables| &tables.rows);
    for id in observed.rows.keys().filter(|id| !rows().any(|row| row.id == **id)) {
        add(format!("{} has no row `{id}`", observed.profile));
    }
    for row in rows().filter(|row| !observed.rows.contains_key(&row.id)) {
        add(format!("it has no verdict on `{}`: run .ci/observe", row.id));
    }
}
