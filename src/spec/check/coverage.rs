//! Every consistent combination of facts has exactly one situation and exactly one row, and nothing is left over.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, Rule};
use crate::spec::model::{CallSpec, Numbers, Specification};
use crate::spec::reach::{Place, Point};
use crate::spec::vocabulary::{Fact, Facts, ValueIndex};

/// Where a rule is broken on many combinations at once: how many, and the first of them.
#[derive(Default)]
struct Broken(BTreeMap<(Rule, String, String), (u64, String)>);

impl Broken {
    fn add(&mut self, rule: Rule, place: String, what: String, facts: &Facts) {
        self.0.entry((rule, place, what)).or_insert_with(|| (0, facts.to_string())).0 += 1;
    }
}

pub(super) fn check(call: &CallSpec, report: &mut Report) {
    let mut broken = Broken::default();
    let mut reachable = BTreeSet::new();
    let mut rows_used: BTreeSet<(usize, Option<ValueIndex>, usize)> = BTreeSet::new();
    let mut numbers =
        Numbers { situations: call.situations.len() as u64, rows: call.rows.len() as u64, ..Numbers::default() };
    let enumerated = call.for_each_combination(&mut |facts| {
        numbers.combinations += 1;
        let Some(situation) = call.situation(facts) else {
            broken.add(Rule::NoSituation, call.title(), context(facts), facts);
            return;
        };
        reachable.insert(Point { place: Place::of(facts), situation });
        let mut rows = call.rows_of(facts);
        let Some((position, row)) = rows.next() else {
            let what = format!("{}, situation `{}`", context(facts), call.situations[situation].id);
            broken.add(Rule::NoRow, call.title(), what, facts);
            return;
        };
        rows_used.insert((position, facts.get(Fact::State), situation));
        for (_, other) in rows {
            let what = format!("row `{}` too, {}", other.id, context(facts));
            broken.add(Rule::SeveralRows, format!("row `{}`", row.id), what, facts);
        }
    });
    if let Err(ambiguous) = enumerated {
        let place = format!("{}: fact `{}`", call.title(), ambiguous.fact.name());
        report.add(Rule::FactAmbiguous, place, format!("two of its rules hold on {}", ambiguous.facts));
        return;
    }
    for ((rule, place, what), (count, example)) in broken.0 {
        report.add(rule, place, format!("{what} ({count} combinations, the first: {example})"));
    }
    let situations_used: BTreeSet<usize> = reachable.iter().map(|point| point.situation).collect();
    for (position, situation) in call.situations.iter().enumerate() {
        if !situations_used.contains(&position) {
            let place = format!("{}: situation `{}`", call.title(), situation.id);
            report.add(Rule::SituationUnused, place, "it is the first match of no combination");
        }
    }
    for (position, row) in call.rows.iter().enumerate() {
        for state in &row.states {
            for situation in &row.situations {
                if !rows_used.contains(&(position, *state, *situation)) {
                    let state = state.map_or("none", |state| Fact::State.values()[usize::from(state)]);
                    let what = format!(
                        "no combination has state `{state}` and situation `{}`",
                        call.situations[*situation].id
                    );
                    report.add(Rule::RowUnused, format!("row `{}`", row.id), what);
                }
            }
        }
        if row.states.is_empty() || row.situations.is_empty() {
            report.add(Rule::RowUnused, format!("row `{}`", row.id), "it names no state or no situation");
        }
    }
    numbers.reachable = reachable.len() as u64;
    report.counts.insert(call.key(), numbers);
}

fn context(facts: &Facts) -> String {
    match facts.get(Fact::Role) {
        None => String::from("no live context"),
        Some(_) => format!("{} in state `{}`", facts.name(Fact::Role), facts.name(Fact::State)),
    }
}

/// The numbers counted against those pinned.
pub(super) fn pins(specification: &Specification, report: &mut Report) {
    let counts = report.counts.clone();
    for (call, counted) in &counts {
        match specification.pins.call.get(call) {
            None => report.add(Rule::Pins, call.as_str(), format!("nothing is pinned, {}", said(counted))),
            Some(pinned) if pinned != counted => {
                report.add(Rule::Pins, call.as_str(), format!("pinned are {}, {}", numbers(pinned), said(counted)));
            }
            Some(_) => {}
        }
    }
    for name in specification.pins.call.keys() {
        if !specification.calls.iter().any(|call| call.key() == *name) {
            report.add(Rule::Pins, name.as_str(), "numbers are pinned for a table that is not there");
        }
    }
}

fn said(counted: &Numbers) -> String {
    format!("counted were {}", numbers(counted))
}

fn numbers(numbers: &Numbers) -> String {
    let Numbers { combinations, situations, rows, reachable } = numbers;
    format!("{combinations} combinations, {situations} situations, {rows} rows, {reachable} reachable")
}
