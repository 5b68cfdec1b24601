//! The return codes: those the pages document, those the rows produce, and what can be told apart from outside.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::{Report, Rule};
use crate::spec::model::{Allowed, CallSpec, Row, Specification};
use crate::spec::names::Provenance;
use crate::status::SecurityStatus;

pub(super) fn check(specification: &Specification, report: &mut Report) {
    for call in &specification.calls {
        documented(call, report);
        for row in &call.rows {
            provenance(call, row, report);
            distinguishable(row, report);
        }
    }
    explained(specification, report);
}

fn documented(call: &CallSpec, report: &mut Report) {
    let produced: BTreeSet<SecurityStatus> =
        call.rows.iter().flat_map(Row::allowed).map(|allowed| allowed.status).collect();
    let excepted = |status: &SecurityStatus| {
        call.exceptions.iter().any(|exception| SecurityStatus::from_name(&exception.status) == Some(*status))
    };
    for status in &call.documented {
        if !produced.contains(status) && !excepted(status) {
            let what = format!("{status} is documented, but no row produces it and no exception says why");
            report.add(Rule::StatusNotProduced, call.title(), what);
        }
    }
    for exception in &call.exceptions {
        let place = format!("{}: exception {}", call.title(), exception.status);
        let status = SecurityStatus::from_name(&exception.status);
        if status.is_some_and(|status| produced.contains(&status)) {
            report.add(Rule::ExceptionIdle, &place, "a row produces it");
        }
        if !status.is_some_and(|status| call.documented.contains(&status)) {
            report.add(Rule::ExceptionIdle, place, "the page does not document it");
        }
    }
}

fn provenance(call: &CallSpec, row: &Row, report: &mut Report) {
    match row.provenance {
        Provenance::Documented if !call.documented.contains(&row.outcome.status) => {
            let what = format!(
                "{} is not among the return codes of its page, so the row is not `documented`",
                row.outcome.status
            );
            report.add(Rule::StatusNotDocumented, format!("row `{}`", row.id), what);
        }
        Provenance::Documented | Provenance::Derived | Provenance::Decided => {}
    }
}

fn distinguishable(row: &Row, report: &mut Report) {
    let outcomes: Vec<&Allowed> = row.allowed().collect();
    for (position, one) in outcomes.iter().enumerate() {
        for other in &outcomes[..position] {
            if (one.status, one.handle, one.buffers) == (other.status, other.handle, other.buffers) {
                let what = if one.next == other.next && one.effects == other.effects {
                    "stands twice"
                } else {
                    "is allowed twice with different consequences"
                };
                let what = format!("{} with handle `{}` and buffers `{}` {what}", one.status, one.handle, one.buffers);
                report.add(Rule::OutcomesIndistinguishable, format!("row `{}`", row.id), what);
            }
        }
    }
}

/// statuses.toml against the statuses of the crate.
fn explained(specification: &Specification, report: &mut Report) {
    for (position, entry) in specification.statuses.iter().enumerate() {
        let place = format!("statuses.toml: {}", entry.name);
        match SecurityStatus::from_name(&entry.name) {
            None => report.add(Rule::Statuses, &place, "the crate knows no such status"),
            Some(status) => {
                let value = format!("0x{:08X}", status.0);
                if entry.value != value {
                    report.add(Rule::Statuses, &place, format!("its value is {value}, not {}", entry.value));
                }
            }
        }
        if specification.statuses[..position].iter().any(|other| other.name == entry.name) {
            report.add(Rule::IdTwice, place, "the status stands there already");
        }
    }
    for (name, _) in SecurityStatus::ALL {
        if !specification.statuses.iter().any(|entry| entry.name == *name) {
            report.add(Rule::Statuses, format!("status {name}"), "statuses.toml does not explain it");
        }
    }
}
