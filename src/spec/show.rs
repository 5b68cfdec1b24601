//! A row, a call or a state on its own: as text for a person, as JSON for a program.
//!
//! The JSON carries `spec_version` and is described by `spec/schemas/show.schema.json`.
#![forbid(unsafe_code)]

use core::fmt::Write;

use serde_json::{Value, json};

use super::compile::NO_STATE;
use super::describe::{self, Condition};
use super::model::{Allowed, CallSpec, Observed, Pattern, Row, Specification, StateEntry};
use super::names::CallName;
use super::vocabulary::{Fact, ValueIndex};

/// A row as text, or `None` where there is no such row.
pub fn row(specification: &Specification, id: &str) -> Option<String> {
    let (call, row) = specification.find(id)?;
    let mut text = format!("{}\n", row.id);
    let states: Vec<&str> = row.states.iter().map(|state| describe::state(row, *state)).collect();
    field(&mut text, "call", &call.title());
    field(&mut text, "role", describe::role(row).unwrap_or("no live context"));
    field(&mut text, "state", &states.join(", "));
    for situation in row.situations.iter().map(|situation| &call.situations[*situation]) {
        field(&mut text, "situation", &format!("{}: {}", situation.id, situation.text));
        field(&mut text, "when", &describe::patterns(&situation.when));
    }
    outcome(&mut text, row.level.name(), &row.outcome);
    for also in &row.also {
        outcome(&mut text, "or", also);
    }
    for accepted in &row.accept {
        outcome(&mut text, "accepted", accepted);
    }
    let applies: Vec<&str> = row.applies.iter().map(|profile| profile.name()).collect();
    field(&mut text, "applies to", &applies.join(", "));
    if !row.needs.is_empty() {
        let needs: Vec<&str> = row.needs.iter().map(|need| need.name()).collect();
        field(&mut text, "testable with", &needs.join(", "));
    }
    field(&mut text, "provenance", row.provenance.name());
    documents(&mut text, specification, &row.sources);
    for erratum in describe::errata(specification, id) {
        field(&mut text, "erratum", &format!("{}: {}", erratum.id, erratum.decision));
    }
    for seen in describe::observations(specification, id) {
        field(&mut text, "observed", &format!("{}, {}: {}", seen.id, seen.implementation, seen.seen));
    }
    for (observed, verdict) in describe::verdicts(specification, id) {
        let who = format!("{} {}, {}", observed.implementation, observed.version, observed.package);
        field(&mut text, "verdict", &format!("{verdict}: {who}"));
    }
    Some(text)
}

/// A call as text, every table of it: facts, situations and rows; `None` where no table describes it.
pub fn call(specification: &Specification, name: CallName) -> Option<String> {
    let tables: Vec<String> = specification.tables_of(name).map(|call| table(specification, call)).collect();
    (!tables.is_empty()).then(|| tables.join("\n"))
}

fn table(specification: &Specification, call: &CallSpec) -> String {
    let mut text = format!("{}\n", call.title());
    field(&mut text, "what it is", &call.text);
    let documented: Vec<String> = call.documented.iter().map(ToString::to_string).collect();
    field(&mut text, "documented", &documented.join(", "));
    for exception in &call.exceptions {
        field(&mut text, "exception", &format!("{}: {}", exception.status, exception.why));
    }
    documents(&mut text, specification, &call.sources);
    text.push_str("\nfacts, in the order of checks\n");
    for rule in &call.facts {
        let values = names(rule.fact, &rule.values).join(" | ");
        let _ = writeln!(text, "  {:<18} {values}", rule.fact.name());
        if !rule.when.is_empty() {
            let _ = writeln!(text, "  {:<18} when {}", "", describe::patterns(&rule.when));
        }
    }
    text.push_str("\nsituations, in order; the first that matches holds\n");
    for (number, situation) in (1..).zip(&call.situations) {
        let _: u32 = number;
        let _ = writeln!(text, "  {number:>2} {}: {}", situation.id, situation.text);
        let _ = writeln!(text, "     when {}", describe::patterns(&situation.when));
    }
    text.push_str("\nrows\n");
    for row in &call.rows {
        summary(&mut text, row);
    }
    text
}

/// A state as text, of every role that has it: what it is and what its rows are; `None` where there is none.
pub fn state(specification: &Specification, name: &str) -> Option<String> {
    let mut text = String::new();
    for entry in specification.states.iter().filter(|entry| entry.name == name) {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{} `{}`", entry.role, entry.name);
        field(&mut text, "what it is", &entry.text);
        field(&mut text, "provenance", entry.provenance.name());
        documents(&mut text, specification, &entry.sources);
        for (call, rows) in rows_of(specification, entry) {
            let _ = writeln!(text, "\n  {}", call.title());
            for row in rows {
                summary(&mut text, row);
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<14} {value}");
}

fn outcome(text: &mut String, kind: &str, allowed: &Allowed) {
    let effects: Vec<&str> = allowed.effects.iter().map(|effect| effect.name()).collect();
    let value = format!("{} (0x{:08X})", allowed.status, allowed.status.0);
    field(text, kind, &value);
    let after = format!("next {}, handle {}, buffers {}", allowed.next.name(), allowed.handle, allowed.buffers);
    field(text, "", &after);
    if !effects.is_empty() {
        field(text, "", &format!("effects {}", effects.join(", ")));
    }
    field(text, "", &allowed.why);
}

fn documents(text: &mut String, specification: &Specification, references: &[String]) {
    for reference in references {
        match describe::reference(specification, reference) {
            None => field(text, "document", reference),
            Some(resolved) => {
                let heading = resolved.heading_with_number().map(|heading| format!(", {heading}")).unwrap_or_default();
                let line = format!("{}{heading} <{}>", resolved.source.title, resolved.source.url);
                field(text, "document", &line);
            }
        }
    }
}

fn summary(text: &mut String, row: &Row) {
    let _ = writeln!(text, "  {}: {}, next {}", row.id, row.outcome.status, row.outcome.next.name());
}

fn names(fact: Fact, values: &[ValueIndex]) -> Vec<&'static str> {
    values.iter().map(|value| fact.values()[usize::from(*value)]).collect()
}

/// The rows that apply in a state, call by call; rows without a role belong to the state "none".
fn rows_of<'a>(
    specification: &'a Specification,
    entry: &'a StateEntry,
) -> impl Iterator<Item = (&'a CallSpec, Vec<&'a Row>)> {
    specification.calls.iter().filter_map(|call| {
        let applies = |row: &&Row| match describe::role(row) {
            None => entry.name == NO_STATE,
            Some(role) => {
                role == entry.role && row.states.iter().any(|state| describe::state(row, *state) == entry.name)
            }
        };
        let rows: Vec<&Row> = call.rows.iter().filter(applies).collect();
        (!rows.is_empty()).then_some((call, rows))
    })
}

/// A row as JSON, or `None` where there is no such row.
pub fn row_json(specification: &Specification, id: &str) -> Option<Value> {
    let (call, row) = specification.find(id)?;
    Some(json!({
        "spec_version": specification.version,
        "kind": "row",
        "row": row_value(specification, call, row),
    }))
}

/// A call as JSON, every table of it with its rows in full, or `None` where no table describes it.
pub fn call_json(specification: &Specification, name: CallName) -> Option<Value> {
    let tables: Vec<Value> = specification.tables_of(name).map(|call| table_value(specification, call)).collect();
    (!tables.is_empty())
        .then(|| json!({ "spec_version": specification.version, "kind": "call", "name": name, "tables": tables }))
}

fn table_value(specification: &Specification, call: &CallSpec) -> Value {
    let facts: Vec<Value> = call
        .facts
        .iter()
        .map(|rule| {
            json!({
                "fact": rule.fact.name(),
                "when": patterns_value(&rule.when),
                "values": names(rule.fact, &rule.values),
                "fine": names(rule.fact, &rule.fine),
            })
        })
        .collect();
    let situations: Vec<Value> = call
        .situations
        .iter()
        .map(|situation| json!({ "id": situation.id, "text": situation.text, "when": patterns_value(&situation.when) }))
        .collect();
    json!({
        "profiles": call.profiles,
        "text": call.text,
        "documented": call.documented.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "exceptions": call.exceptions,
        "sources": references_value(specification, &call.sources),
        "facts": facts,
        "situations": situations,
        "rows": call.rows.iter().map(|row| row_value(specification, call, row)).collect::<Vec<_>>(),
    })
}

/// A state as JSON, of every role that has it, or `None` where there is none.
pub fn state_json(specification: &Specification, name: &str) -> Option<Value> {
    let states: Vec<Value> = specification
        .states
        .iter()
        .filter(|entry| entry.name == name)
        .map(|entry| {
            let rows: Vec<&str> =
                rows_of(specification, entry).flat_map(|(_, rows)| rows).map(|row| row.id.as_str()).collect();
            json!({
                "role": entry.role,
                "name": entry.name,
                "text": entry.text,
                "provenance": entry.provenance,
                "sources": references_value(specification, &entry.sources),
                "rows": rows,
            })
        })
        .collect();
    (!states.is_empty()).then(|| json!({ "spec_version": specification.version, "kind": "state", "states": states }))
}

fn row_value(specification: &Specification, call: &CallSpec, row: &Row) -> Value {
    let situations: Vec<&str> = row.situations.iter().map(|position| call.situations[*position].id.as_str()).collect();
    let verdict = |(observed, verdict): (&Observed, &str)| {
        json!({
            "implementation": observed.implementation,
            "version": observed.version,
            "package": observed.package,
            "observed": observed.observed,
            "verdict": verdict,
        })
    };
    let verdicts: Vec<Value> = describe::verdicts(specification, &row.id).map(verdict).collect();
    json!({
        "id": row.id,
        "call": row.call,
        "profiles": call.profiles,
        "role": describe::role(row),
        "states": row.states.iter().map(|state| describe::state(row, *state)).collect::<Vec<_>>(),
        "situations": situations,
        "outcome": allowed_value(&row.outcome),
        "also": row.also.iter().map(allowed_value).collect::<Vec<_>>(),
        "accept": row.accept.iter().map(allowed_value).collect::<Vec<_>>(),
        "applies": row.applies,
        "needs": row.needs,
        "level": row.level,
        "provenance": row.provenance,
        "sources": references_value(specification, &row.sources),
        "errata": describe::errata(specification, &row.id).map(|entry| entry.id.as_str()).collect::<Vec<_>>(),
        "observations": describe::observations(specification, &row.id).map(|entry| entry.id.as_str()).collect::<Vec<_>>(),
        "verdicts": verdicts,
    })
}

fn allowed_value(allowed: &Allowed) -> Value {
    json!({
        "status": { "name": allowed.status.to_string(), "value": format!("0x{:08X}", allowed.status.0) },
        "next": allowed.next.name(),
        "handle": allowed.handle,
        "buffers": allowed.buffers,
        "effects": allowed.effects,
        "why": allowed.why,
    })
}

fn references_value(specification: &Specification, references: &[String]) -> Vec<Value> {
    let value = |reference: &String| {
        let resolved = describe::reference(specification, reference);
        json!({
            "reference": reference,
            "title": resolved.as_ref().map(|resolved| resolved.source.title.as_str()),
            "heading": resolved.as_ref().and_then(|resolved| resolved.heading),
            "url": resolved.as_ref().map(|resolved| resolved.source.url.as_str()),
        })
    };
    references.iter().map(value).collect()
}

fn patterns_value(patterns: &[Pattern]) -> Vec<Value> {
    let condition = |condition: Condition| match condition {
        Condition::OneOf(fact, values) => json!({ "fact": fact.name(), "one_of": values }),
        Condition::NoneOf(fact, values) => json!({ "fact": fact.name(), "none_of": values }),
    };
    patterns.iter().map(|pattern| pattern.conditions().into_iter().map(condition).collect()).collect()
}
