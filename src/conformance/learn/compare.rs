//! How a machine differs from another: what is missing, added, or answered otherwise, each with a shortest trace.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::LOST;
use crate::conformance::generate::mealy::Mealy;

/// A machine with the names of its inputs and outputs.
#[derive(Clone, Copy, Debug)]
pub struct Named<'m> {
    /// The machine.
    pub machine: &'m Mealy,
    /// The names of its inputs.
    pub inputs: &'m [String],
    /// The names of its outputs.
    pub outputs: &'m [String],
}

impl Named<'_> {
    /// Whether it is the state behind a wrong answer, in which nobody can say what the subject does.
    pub fn is_lost(&self, state: usize) -> bool {
        let mut outputs = (0..self.machine.inputs()).map(|input| self.machine.step(state, input).output);
        outputs.all(|output| self.outputs[output] == LOST)
    }
}

/// A difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// After a trace an input is answered otherwise.
    Otherwise {
        /// The names of the inputs, the last of them the one that is answered otherwise.
        trace: Vec<String>,
        /// What the tables answer.
        expected: String,
        /// What the subject answers.
        actual: String,
    },
    /// With other members of its symbols, a word is answered otherwise than what was learned of it.
    Unlike {
        /// The names of the inputs, the last of them the one that is answered otherwise.
        trace: Vec<String>,
        /// What was learned.
        learned: String,
        /// What the subject answers.
        actual: String,
    },
    /// A state of the tables that no word reaches in the subject without a difference before.
    Missing {
        /// A shortest word that leads to it in the tables.
        trace: Vec<String>,
    },
    /// A state of the subject that the tables have not: no word without a difference before leads to it.
    Added {
        /// A shortest word that leads to it in the subject.
        trace: Vec<String>,
    },
}

/// The differences of a subject's machine from that of the tables, over the same inputs: one for every transition that is
/// answered otherwise and is reached by answers that are the same.
pub fn differences(tables: Named<'_>, subject: Named<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    // Pairs of states that a word leads to without a difference.
    let mut words: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::from([((0, 0), Vec::new())]);
    let mut queue = VecDeque::from([(0, 0)]);
    let named = |word: &[usize]| -> Vec<String> { word.iter().map(|input| tables.inputs[*input].clone()).collect() };
    while let Some((expected, actual)) = queue.pop_front() {
        let word = words[&(expected, actual)].clone();
        for input in 0..tables.machine.inputs() {
            let (should, does) = (tables.machine.step(expected, input), subject.machine.step(actual, input));
            let longer = [word.as_slice(), &[input]].concat();
            let (should_answer, answers) = (&tables.outputs[should.output], &subject.outputs[does.output]);
            if should_answer != answers {
                if told.insert((expected, input, answers)) {
                    found.push(Difference::Otherwise {
                        trace: named(&longer),
                        expected: should_answer.clone(),
                        actual: answers.clone(),
                    });
                }
                continue;
            }
            let next = (should.next, does.next);
            if let std::collections::btree_map::Entry::Vacant(place) = words.entry(next) {
                place.insert(longer);
                queue.push_back(next);
            }
        }
    }
    let reached: BTreeSet<usize> = words.keys().map(|(expected, _)| *expected).collect();
    let mut shown: BTreeSet<usize> = words.keys().map(|(_, actual)| *actual).collect();
    shown.extend((0..subject.machine.states()).filter(|state| subject.is_lost(*state)));
    let beyond = |machine: &Mealy, reached: &BTreeSet<usize>| -> Vec<Vec<usize>> {
        let access = machine.access();
        let beyond = access.into_iter().enumerate().filter(|(state, _)| !reached.contains(state));
        beyond.filter_map(|(_, word)| word).collect()
    };
    found.extend(beyond(tables.machine, &reached).iter().map(|word| Difference::Missing { trace: named(word) }));
    found.extend(beyond(subject.machine, &shown).iter().map(|word| Difference::Added { trace: named(word) }));
    found
}
