//! The consistent combinations of the facts of a call.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::model::CallSpec;
use super::vocabulary::{Fact, Facts};

/// Two rules by which one fact would exist at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ambiguous {
    /// The fact.
    pub fact: Fact,
    /// The facts before it.
    pub facts: Facts,
}

impl CallSpec {
    /// Calls `visit` with every consistent combination of facts, in the order of the tables.
    ///
    /// A fact exists exactly if a rule of it holds on the facts before it, and then takes each of the rule's values;
    /// everything else is "not applicable".
    ///
    /// # Errors
    /// The first combination on which two rules of one fact hold; what was visited before it stays visited.
    pub fn for_each_combination(&self, visit: &mut dyn FnMut(&Facts)) -> Result<(), Ambiguous> {
        self.descend(0, &mut Facts::default(), visit)
    }

    /// Every consistent combination of facts that `key` has a key for, by that key, with its departures: those with the fewest
    /// first, in the order of the tables where they have as many.
    ///
    /// Ambiguous facts, which are a finding of `spec check`, only mean fewer combinations here.
    pub fn combinations_by<K: Ord>(&self, key: impl Fn(&Facts) -> Option<K>) -> BTreeMap<K, Vec<(usize, Facts)>> {
        let mut found: BTreeMap<K, Vec<(usize, Facts)>> = BTreeMap::new();
        let _ambiguous = self.for_each_combination(&mut |facts| {
            if let Some(key) = key(facts) {
                found.entry(key).or_default().push((self.departures(facts).count(), *facts));
            }
        });
        for combinations in found.values_mut() {
            combinations.sort_by_key(|(departures, _)| *departures);
        }
        found
    }

    fn descend(&self, position: usize, facts: &mut Facts, visit: &mut dyn FnMut(&Facts)) -> Result<(), Ambiguous> {
        let Some(rule) = self.facts.get(position) else {
            visit(facts);
            return Ok(());
        };
        if !rule.exists(facts) {
            return self.descend(position + 1, facts, visit);
        }
        if facts.get(rule.fact).is_some() {
            return Err(Ambiguous { fact: rule.fact, facts: *facts });
        }
        for value in &rule.values {
            facts.set(rule.fact, Some(*value));
            let below = self.descend(position + 1, facts, visit);
            facts.set(rule.fact, None);
            below?;
        }
        Ok(())
    }
}
