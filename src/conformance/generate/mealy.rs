//! Deterministic, complete Mealy machines over numbered inputs: what suites are made of and faults are made in.
#![forbid(unsafe_code)]

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// What a machine does in a state on an input.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Transition {
    /// The output, as its number.
    pub output: usize,
    /// The state afterwards.
    pub next: usize,
}

/// A deterministic, complete Mealy machine. It begins in state 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mealy {
    inputs: usize,
    transitions: Vec<Transition>,
}

impl Mealy {
    /// A machine of these states, each with a transition for every input.
    ///
    /// # Panics
    /// Where a state has another number of transitions than the first, or one leads to no state: whoever makes a
    /// machine knows both.
    pub fn new(states: &[Vec<Transition>]) -> Self {
        let inputs = states.first().map_or(0, Vec::len);
        assert!(states.iter().all(|state| state.len() == inputs), "a machine is complete");
        let transitions: Vec<Transition> = states.iter().flatten().copied().collect();
        assert!(transitions.iter().all(|transition| transition.next < states.len()), "a transition leads to a state");
        Self { inputs, transitions }
    }

    /// How many states it has.
    pub fn states(&self) -> usize {
        self.transitions.len().checked_div(self.inputs).unwrap_or(0)
    }

    /// How many inputs it has.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// What it does in a state on an input.
    pub fn step(&self, state: usize, input: usize) -> Transition {
        self.transitions[state * self.inputs + input]
    }

    /// The same machine with another transition there.
    #[must_use]
    pub fn with(mut self, state: usize, input: usize, transition: Transition) -> Self {
        self.transitions[state * self.inputs + input] = transition;
        self
    }

    /// The same machine with one more state, which is as the one given.
    #[must_use]
    pub fn with_copy_of(mut self, state: usize) -> Self {
        let of = state * self.inputs;
        self.transitions.extend_from_within(of..of + self.inputs);
        self
    }

    /// Where a word leads.
    pub fn after(&self, state: usize, word: &[usize]) -> usize {
        word.iter().fold(state, |state, input| self.step(state, *input).next)
    }

    /// The outputs of a word.
    pub fn outputs(&self, mut state: usize, word: &[usize]) -> Vec<usize> {
        let of = |input: &usize| {
            let Transition { output, next } = self.step(state, *input);
            state = next;
            output
        };
        word.iter().map(of).collect()
    }

    /// The inputs in classes: those of one class have the same outputs and lead to the same states, whatever the state.
    pub fn classes(&self) -> Vec<Vec<usize>> {
        let mut classes: BTreeMap<Vec<(usize, usize)>, Vec<usize>> = BTreeMap::new();
        for input in 0..self.inputs {
            let step = |state| {
                let Transition { output, next } = self.step(state, input);
                (output, next)
            };
            classes.entry((0..self.states()).map(step).collect()).or_default().push(input);
        }
        let mut classes: Vec<Vec<usize>> = classes.into_values().collect();
        classes.sort();
        classes
    }

    /// The machine with one input for each class, which steps as the first of its class does.
    #[must_use]
    pub fn over(&self, classes: &[Vec<usize>]) -> Self {
        let row = |state| classes.iter().map(|class| self.step(state, class[0])).collect();
        Self::new(&(0..self.states()).map(row).collect::<Vec<_>>())
    }

    /// For each state a shortest word that leads to it from the first, or `None` where nothing does.
    pub fn access(&self) -> Vec<Option<Vec<usize>>> {
        let mut access: Vec<Option<Vec<usize>>> = vec![None; self.states()];
        let mut queue = VecDeque::new();
        if let Some(first) = access.first_mut() {
            *first = Some(Vec::new());
            queue.push_back((0, Vec::new()));
        }
        while let Some((state, word)) = queue.pop_front() {
            for input in 0..self.inputs {
                let next = self.step(state, input).next;
                if access[next].is_none() {
                    let longer = [word.as_slice(), &[input]].concat();
                    access[next] = Some(longer.clone());
                    queue.push_back((next, longer));
                }
            }
        }
        access
    }

    /// The class of each state: states of one class answer every word alike.
    fn blocks(&self) -> Vec<usize> {
        let mut blocks = vec![0; self.states()];
        let mut count = 1;
        loop {
            let mut numbers: HashMap<Vec<(usize, usize)>, usize> = HashMap::new();
            let signature = |state: usize| -> Vec<(usize, usize)> {
                let of = |input| {
                    let Transition { output, next } = self.step(state, input);
                    (output, blocks[next])
                };
                std::iter::once((blocks[state], 0)).chain((0..self.inputs).map(of)).collect()
            };
            let refined: Vec<usize> = (0..self.states())
                .map(|state| {
                    let number = numbers.len();
                    *numbers.entry(signature(state)).or_insert(number)
                })
                .collect();
            let found = numbers.len();
            blocks = refined;
            if found == count {
                return blocks;
            }
            count = found;
        }
    }

    /// Whether no two of its states answer every word alike, and each is reached.
    pub fn is_minimal(&self) -> bool {
        let distinct: BTreeSet<usize> = self.blocks().into_iter().collect();
        distinct.len() == self.states() && self.access().iter().all(Option::is_some)
    }

    /// The minimal machine that answers every word as this one does, and which of its states each of this one's is;
    /// `None` for those that nothing leads to. States are numbered in the order in which they are reached.
    pub fn minimised(&self) -> (Self, Vec<Option<usize>>) {
        let blocks = self.blocks();
        let mut order: Vec<usize> = Vec::new();
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([0]);
        while let Some(state) = queue.pop_front() {
            if numbers.contains_key(&blocks[state]) {
                continue;
            }
            numbers.insert(blocks[state], order.len());
            order.push(state);
            queue.extend((0..self.inputs).map(|input| self.step(state, input).next));
        }
        let of = |state: usize, input: usize| {
            let Transition { output, next } = self.step(state, input);
            Transition { output, next: numbers[&blocks[next]] }
        };
        let states: Vec<Vec<Transition>> =
            order.iter().map(|state| (0..self.inputs).map(|input| of(*state, input)).collect()).collect();
        let reached = self.access();
        let which = (0..self.states()).map(|state| reached[state].as_ref().map(|_| numbers[&blocks[state]])).collect();
        (Self::new(&states), which)
    }

    /// A shortest word that two states answer otherwise; `None` where there is none.
    pub fn separating(&self, one: usize, other: usize) -> Option<Vec<usize>> {
        difference((self, one), (self, other))
    }

    /// A shortest word for each pair of states, the lower first; `None` where they answer every word alike.
    pub fn separating_words(&self) -> Separators {
        let states = self.states();
        let mut words = Separators { states, words: vec![None; states * states] };
        // Shorter words first, so that each is made of one that is known.
        let mut waiting: Vec<(usize, usize)> =
            (0..states).flat_map(|one| (one + 1..states).map(move |other| (one, other))).collect();
        loop {
            let mut found = Vec::new();
            waiting.retain(|&(one, other)| {
                let word = (0..self.inputs).find_map(|input| {
                    let (of_one, of_other) = (self.step(one, input), self.step(other, input));
                    if of_one.output != of_other.output {
                        return Some(vec![input]);
                    }
                    let rest = words.get(of_one.next, of_other.next)?;
                    Some([&[input], rest].concat())
                });
                let is_found = word.is_some();
                found.extend(word.map(|word| ((one, other), word)));
                !is_found
            });
            if found.is_empty() {
                return words;
            }
            for ((one, other), word) in found {
                words.words[one * states + other] = Some(word);
            }
        }
    }
}

/// Words that tell states apart.
#[derive(Clone, Debug)]
pub struct Separators {
    states: usize,
    words: Vec<Option<Vec<usize>>>,
}

impl Separators {
    /// A shortest word that two states answer otherwise.
    pub fn get(&self, one: usize, other: usize) -> Option<&[usize]> {
        self.words[one.min(other) * self.states + one.max(other)].as_deref()
    }

    /// The words that tell a state from every other, none of them the beginning of another.
    pub fn of(&self, state: usize) -> Vec<&[usize]> {
        let others = (0..self.states).filter(|other| *other != state);
        without_beginnings(others.filter_map(|other| self.get(state, other)).collect())
    }

    /// The words that tell every two states apart: a characterisation set.
    pub fn all(&self) -> Vec<&[usize]> {
        without_beginnings(self.words.iter().filter_map(Option::as_deref).collect())
    }
}

/// The words that are not the beginning of another one.
fn without_beginnings(mut words: Vec<&[usize]>) -> Vec<&[usize]> {
    words.sort_unstable();
    words.dedup();
    let is_beginning = |position: usize| words.get(position + 1).is_some_and(|next| next.starts_with(words[position]));
    let kept: Vec<usize> = (0..words.len()).filter(|position| !is_beginning(*position)).collect();
    kept.into_iter().map(|position| words[position]).collect()
}

/// A shortest word that a state of one machine and one of another answer otherwise, by a search of their product;
/// `None` is a proof that there is none.
pub fn difference(one: (&Mealy, usize), other: (&Mealy, usize)) -> Option<Vec<usize>> {
    let ((first, start), (second, other_start)) = (one, other);
    /// A state of either machine.
    type Pair = (usize, usize);
    // Whence each pair was reached, and by which input.
    let mut came_from: HashMap<Pair, Option<(Pair, usize)>> = HashMap::new();
    came_from.insert((start, other_start), None);
    let mut queue = VecDeque::from([(start, other_start)]);
    while let Some(pair) = queue.pop_front() {
        for input in 0..first.inputs() {
            let (of_one, of_other) = (first.step(pair.0, input), second.step(pair.1, input));
            if of_one.output != of_other.output {
                let mut word = vec![input];
                let mut at = pair;
                while let Some((before, input)) = came_from[&at] {
                    word.push(input);
                    at = before;
                }
                word.reverse();
                return Some(word);
            }
            let next = (of_one.next, of_other.next);
            if let Entry::Vacant(place) = came_from.entry(next) {
                place.insert(Some((pair, input)));
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter: input 0 counts up to the last state and stays there, input 1 tells whether it is there.
    fn counter(states: usize) -> Mealy {
        let step = |output, next| Transition { output, next };
        let of = |state: usize| {
            let is_last = state + 1 == states;
            vec![step(0, if is_last { state } else { state + 1 }), step(usize::from(is_last), state)]
        };
        Mealy::new(&(0..states).map(of).collect::<Vec<_>>())
    }

    #[test]
    fn states_that_answer_alike_are_one() {
        let machine = counter(4);
        assert!(machine.is_minimal());
        let copy = |next| Transition { output: 0, next };
        let doubled = machine.clone().with_copy_of(2).with(1, 0, copy(4)).with(4, 1, copy(4));
        assert!(!doubled.is_minimal());
        let (minimal, which) = doubled.minimised();
        assert_eq!(minimal, machine);
        assert_eq!(which, [Some(0), Some(1), None, Some(3), Some(2)]);
        assert_eq!(difference((&machine, 0), (&doubled, 0)), None);
    }

    #[test]
    fn a_difference_is_the_shortest() {
        let machine = counter(4);
        let other = machine.clone().with(2, 0, Transition { output: 0, next: 0 });
        assert_eq!(difference((&machine, 0), (&other, 0)), Some(vec![0, 0, 0, 1]));
    }

    #[test]
    fn every_two_states_are_told_apart() {
        let machine = counter(5);
        let separators = machine.separating_words();
        for one in 0..5 {
            for other in (0..5).filter(|other| *other != one) {
                let word = separators.get(one, other).expect("the machine is minimal");
                assert_ne!(machine.outputs(one, word), machine.outputs(other, word));
                assert_eq!(Some(word.len()), machine.separating(one, other).map(|word| word.len()));
            }
        }
        assert!(separators.all().len() < 10);
    }
}
