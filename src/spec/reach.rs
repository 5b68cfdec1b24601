//! In which states a call can be in which of its situations; and of the others, why not.
//!
//! All of it is counted from the tables, none of it listed by hand.
#![forbid(unsafe_code)]

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use super::combinations::Ambiguous;
use super::compile::{NO_STATE, NOT_APPLICABLE};
use super::describe::Condition;
use super::graph;
use super::model::{CallSpec, Pattern, Specification};
use super::names::Profile;
use super::vocabulary::{Fact, Facts, ValueIndex};

/// The context that a call is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    role: Option<ValueIndex>,
    state: Option<ValueIndex>,
}

impl Place {
    /// The one that facts are at.
    pub fn of(facts: &Facts) -> Self {
        Self { role: facts.get(Fact::Role), state: facts.get(Fact::State) }
    }

    /// Whether contexts of a mechanism can be there: tables that several mechanisms share have the states of all.
    pub fn exists_under(self, specification: &Specification, profile: Profile) -> bool {
        let (Some(role), Some(state)) = (self.role, self.state) else { return true };
        let state = Fact::State.values()[usize::from(state)];
        specification.of(profile).any(|table| graph::makes(table, role, state))
    }
}

impl fmt::Display for Place {
    /// "acceptor established"; "none" where there is no live context, "n/a" where its state does not matter.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |fact: Fact, value: ValueIndex| fact.values()[usize::from(value)];
        match (self.role, self.state) {
            (Some(role), Some(state)) => write!(formatter, "{} {}", name(Fact::Role, role), name(Fact::State, state)),
            (Some(role), None) => write!(formatter, "{} {NOT_APPLICABLE}", name(Fact::Role, role)),
            (None, _) => formatter.write_str(NO_STATE),
        }
    }
}

/// A state, and a situation by its position in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Point {
    /// The context.
    pub place: Place,
    /// The situation.
    pub situation: usize,
}

impl Point {
    /// The one that facts are at; `None` where the tables have no situation for them.
    pub fn of(call: &CallSpec, facts: &Facts) -> Option<Self> {
        Some(Self { place: Place::of(facts), situation: call.situation(facts)? })
    }
}

/// Why a situation cannot be in a state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Where it would be, one of these holds already, which stand before it.
    Preceded(BTreeSet<usize>),
    /// One of these would have to hold, and none ever does there.
    Never(Vec<Condition>),
    /// What it asks for is there, but never together.
    NeverTogether,
}

impl Reason {
    /// In words.
    pub fn told(&self, call: &CallSpec) -> String {
        match self {
            Self::Preceded(others) => {
                let others: Vec<&str> = others.iter().map(|other| call.situations[*other].id.as_str()).collect();
                format!("preceded by {}", others.join(", "))
            }
            Self::Never(conditions) => {
                let conditions: Vec<String> = conditions.iter().map(|condition| format!("({condition})")).collect();
                format!("there is never {}", conditions.join(" or "))
            }
            Self::NeverTogether => String::from("what it asks for is never there together"),
        }
    }
}

/// What of a call can be.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The points that some combination of facts is at.
    pub reachable: BTreeSet<Point>,
    /// All others of its states and situations.
    pub unreachable: BTreeMap<Point, Reason>,
}

/// Everything that is said of one place while its combinations are counted.
#[derive(Default)]
struct Seen {
    /// The values that each fact takes.
    values: BTreeMap<Fact, u32>,
    /// Of each situation that holds without being the first: those that are.
    preceded: BTreeMap<usize, BTreeSet<usize>>,
}

impl Reach {
    /// Counts that of a call.
    ///
    /// # Errors
    /// Where the facts of the call are ambiguous.
    pub fn of(call: &CallSpec) -> Result<Self, Ambiguous> {
        let mut seen: BTreeMap<Place, Seen> = BTreeMap::new();
        let mut reachable = BTreeSet::new();
        call.for_each_combination(&mut |facts| {
            let here = seen.entry(Place::of(facts)).or_default();
            for rule in &call.facts {
                *here.values.entry(rule.fact).or_default() |= Pattern::bit(rule.fact, facts);
            }
            let holds = |pattern: &Pattern| pattern.matches(facts);
            let all = call.situations.iter().enumerate().filter(|(_, situation)| situation.when.iter().any(holds));
            let mut all = all.map(|(position, _)| position);
            let Some(first) = all.next() else { return };
            reachable.insert(Point { place: Place::of(facts), situation: first });
            for other in all {
                here.preceded.entry(other).or_default().insert(first);
            }
        })?;
        let mut unreachable = BTreeMap::new();
        for (place, seen) in &mut seen {
            for (situation, text) in call.situations.iter().enumerate() {
                let point = Point { place: *place, situation };
                if !reachable.contains(&point) {
                    let reason = match seen.preceded.remove(&situation) {
                        Some(others) => Reason::Preceded(others),
                        None => seen.why_never(&text.when),
                    };
                    unreachable.insert(point, reason);
                }
            }
        }
        Ok(Self { reachable, unreachable })
    }
}

impl Seen {
    /// What of the patterns, none of which ever holds, is never there.
    fn why_never(&self, patterns: &[Pattern]) -> Reason {
        let values = |fact: Fact| self.values.get(&fact).copied().unwrap_or_default();
        let mut conditions = Vec::new();
        for pattern in patterns {
            match pattern.unmet(values) {
                None => return Reason::NeverTogether,
                Some(condition) if conditions.contains(&condition) => {}
                Some(condition) => conditions.push(condition),
            }
        }
        Reason::Never(conditions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::names::CallName;

    fn told(state: &str, situation: &str) -> Option<String> {
        let specification = Specification::embedded().expect("the tables load");
        let call = specification.of(Profile::DigestHttp).find(|call| call.name == CallName::CompleteAuthToken);
        let call = call.expect("there is such a table");
        let reach = Reach::of(call).expect("its facts are not ambiguous");
        let situation = call.situations.iter().position(|known| known.id == situation).expect("it is declared");
        let at = |point: &Point| point.situation == situation && point.place.to_string() == state;
        if reach.reachable.iter().any(at) {
            return None;
        }
        Some(reach.unreachable.iter().find(|(point, _)| at(point)).expect("it is one or the other").1.told(call))
    }

    /// CompleteAuthToken looks at a token where it is due, and asks the account source for first answers only.
    #[test]
    fn what_cannot_be_has_a_reason() {
        let accounts_down = "accounts-down";
        assert_eq!(told("acceptor complete-needed-initial", accounts_down), None);
        let further = told("acceptor complete-needed-subsequent", accounts_down);
        assert_eq!(further.as_deref(), Some("there is never (accounts = down)"));
    }
}
