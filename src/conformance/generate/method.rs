//! Test suites with a guarantee: the W-method and the H-method.
//!
//! Both make words such that every machine of at most `n + extra` states that answers all of them as the minimal machine
//! of `n` states does answers every word so. W: M. P. Vasilevskii, "Failure diagnosis of automata" (1973), and
//! T. S. Chow, "Testing software design modeled by finite-state machines" (1978). H: R. Dorofeeva, K. El-Fakih and
//! N. Yevtushenko, "An improved conformance testing method" (2005).
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mealy::{Mealy, Separators};

/// A word of inputs.
pub type Word = Vec<usize>;

/// How a suite is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// One characterisation set behind every word of the transition cover.
    W,
    /// Behind each word only what tells its state from those that a word before it leads to.
    H,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::H, Self::W];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::W => "w",
            Self::H => "h",
        }
    }

    /// A suite for a minimal machine, in which no word is the beginning of another.
    pub fn suite(self, machine: &Mealy, extra: usize) -> Vec<Word> {
        let cover: Vec<Word> = machine.access().into_iter().flatten().collect();
        let separators = machine.separating_words();
        match self {
            Self::W => w(machine, &cover, &separators, extra),
            Self::H => h(machine, &cover, &separators, extra),
        }
    }
}

/// All words of a length.
fn words(inputs: usize, length: usize) -> Vec<Word> {
    (0..length).fold(vec![Vec::new()], |words, _| {
        words.iter().flat_map(|word| (0..inputs).map(move |input| [word.as_slice(), &[input]].concat())).collect()
    })
}

fn w(machine: &Mealy, cover: &[Word], separators: &Separators, extra: usize) -> Vec<Word> {
    let characterisation = separators.all();
    let mut tree = Tree::default();
    for length in 0..=extra + 1 {
        for middle in words(machine.inputs(), length) {
            for access in cover {
                tree.insert(&[access.as_slice(), &middle].concat());
                for word in &characterisation {
                    tree.insert(&[access.as_slice(), &middle, word].concat());
                }
            }
        }
    }
    tree.words()
}

fn h(machine: &Mealy, cover: &[Word], separators: &Separators, extra: usize) -> Vec<Word> {
    let mut tree = Tree::default();
    // Words to which others are compared: those of the cover, each with its place in the tree and its state.
    let place = |tree: &mut Tree, word: &[usize]| (tree.insert(word), machine.after(0, word));
    let covers: Vec<(usize, usize)> = cover.iter().map(|word| place(&mut tree, word)).collect();
    let middles: Vec<Word> = (1..=extra + 1).flat_map(|length| words(machine.inputs(), length)).collect();
    for access in cover {
        for middle in &middles {
            tree.insert(&[access.as_slice(), middle].concat());
        }
    }
    for (position, one) in covers.iter().enumerate() {
        for other in &covers[..position] {
            tree.separate(machine, separators, *one, *other);
        }
    }
    for access in cover {
        for middle in &middles {
            let mut along = Vec::with_capacity(middle.len());
            for length in 1..=middle.len() {
                along.push(place(&mut tree, &[access.as_slice(), &middle[..length]].concat()));
            }
            let Some((end, before)) = along.split_last() else { continue };
            for other in covers.iter().chain(before) {
                tree.separate(machine, separators, *end, *other);
            }
        }
    }
    tree.words()
}

/// Words as a tree, by their beginnings.
#[derive(Default)]
struct Tree {
    nodes: Vec<BTreeMap<usize, usize>>,
}

impl Tree {
    /// The place of a word, which is there afterwards.
    fn insert(&mut self, word: &[usize]) -> usize {
        self.insert_from(0, word)
    }

    fn insert_from(&mut self, from: usize, word: &[usize]) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(BTreeMap::new());
        }
        word.iter().fold(from, |node, input| match self.nodes[node].get(input) {
            Some(next) => *next,
            None => {
                let next = self.nodes.len();
                self.nodes.push(BTreeMap::new());
                self.nodes[node].insert(*input, next);
                next
            }
        })
    }

    /// Sees to it that two places of different states have a continuation in common which they answer otherwise.
    fn separate(&mut self, machine: &Mealy, separators: &Separators, one: (usize, usize), other: (usize, usize)) {
        let ((node, state), (other_node, other_state)) = (one, other);
        let Some(word) = separators.get(state, other_state).filter(|_| state != other_state) else { return };
        if !self.are_separated(machine, one, other) {
            self.insert_from(node, word);
            self.insert_from(other_node, word);
        }
    }

    fn are_separated(&self, machine: &Mealy, one: (usize, usize), other: (usize, usize)) -> bool {
        let ((node, state), (other_node, other_state)) = (one, other);
        self.nodes[node].iter().any(|(input, next)| {
            let Some(other_next) = self.nodes[other_node].get(input) else { return false };
            let (of_one, of_other) = (machine.step(state, *input), machine.step(other_state, *input));
            of_one.output != of_other.output
                || (of_one.next != of_other.next
                    && self.are_separated(machine, (*next, of_one.next), (*other_next, of_other.next)))
        })
    }

    /// The words that are not the beginning of another one, in order.
    fn words(&self) -> Vec<Word> {
        let mut words = Vec::new();
        let mut open = vec![(0, Vec::new())];
        while let Some((node, word)) = open.pop() {
            let children = self.nodes.get(node).into_iter().flatten();
            let longer: Vec<(usize, Word)> =
                children.rev().map(|(input, next)| (*next, [word.as_slice(), &[*input]].concat())).collect();
            if longer.is_empty() && !word.is_empty() {
                words.push(word);
            }
            open.extend(longer);
        }
        words
    }
}
