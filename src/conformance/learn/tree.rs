//! What was observed, as a tree of words; and states told apart by it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::conformance::generate::mealy::{Mealy, Transition};

/// A place in the tree: a word that was observed.
pub type Place = usize;

#[derive(Clone, Debug, Default)]
struct Node {
    /// By input: the output, and the place behind it.
    children: BTreeMap<usize, (usize, Place)>,
    parent: Option<(Place, usize)>,
}

/// The words observed so far, with their outputs.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// The same word was answered in two ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// The word up to where the answers part.
    pub word: Vec<usize>,
    /// What it was answered before.
    pub before: usize,
    /// What it is answered now.
    pub now: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Tree {
    /// The empty word.
    pub const ROOT: Place = 0;

    /// Adds a word with its outputs; its place.
    ///
    /// # Errors
    /// Where a beginning of the word was answered otherwise before.
    pub fn observe(&mut self, word: &[usize], outputs: &[usize]) -> Result<Place, Contradiction> {
        let mut place = Self::ROOT;
        for (position, (input, output)) in word.iter().zip(outputs).enumerate() {
            place = match self.nodes[place].children.get(input) {
                Some((before, next)) if before == output => *next,
                Some((before, _)) => {
                    return Err(Contradiction { word: word[..=position].to_vec(), before: *before, now: *output });
                }
                None => {
                    let next = self.nodes.len();
                    self.nodes.push(Node { children: BTreeMap::new(), parent: Some((place, *input)) });
                    self.nodes[place].children.insert(*input, (*output, next));
                    next
                }
            };
        }
        Ok(place)
    }

    /// What a word was answered, if all of it was observed.
    pub fn outputs(&self, word: &[usize]) -> Option<Vec<usize>> {
        let mut place = Self::ROOT;
        let mut answer = |input: &usize| {
            let (output, next) = self.nodes[place].children.get(input)?;
            place = *next;
            Some(*output)
        };
        word.iter().map(&mut answer).collect()
    }

    /// The word of a place.
    pub fn word(&self, mut place: Place) -> Vec<usize> {
        let mut word = Vec::new();
        while let Some((parent, input)) = self.nodes[place].parent {
            word.push(input);
            place = parent;
        }
        word.reverse();
        word
    }

    /// The output of an input at a place, and the place behind it.
    pub fn step(&self, place: Place, input: usize) -> Option<(usize, Place)> {
        self.nodes[place].children.get(&input).copied()
    }

    /// A shortest word that both places were asked and answered otherwise: the two are apart.
    pub fn apart(&self, one: Place, other: Place) -> Option<Vec<usize>> {
        // Breadth first, so that what later words are made of is short.
        let mut queue = std::collections::VecDeque::from([(one, other, Vec::new())]);
        while let Some((one, other, word)) = queue.pop_front() {
            for (input, (output, next)) in &self.nodes[one].children {
                let Some((other_output, other_next)) = self.step(other, *input) else { continue };
                let longer = [word.as_slice(), &[*input]].concat();
                if *output != other_output {
                    return Some(longer);
                }
                queue.push_back((*next, other_next, longer));
            }
        }
        None
    }

    /// A shortest observed word from a place that a machine in a state answers otherwise.
    pub fn refutes(&self, place: Place, machine: &Mealy, state: usize) -> Option<Vec<usize>> {
        let mut queue = std::collections::VecDeque::from([(place, state, Vec::new())]);
        while let Some((place, state, word)) = queue.pop_front() {
            for (input, (output, next)) in &self.nodes[place].children {
                let Transition { output: expected, next: state } = machine.step(state, *input);
                let longer = [word.as_slice(), &[*input]].concat();
                if *output != expected {
                    return Some(longer);
                }
                queue.push_back((*next, state, longer));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_apart_once_the_same_word_was_answered_otherwise() {
        let mut tree = Tree::default();
        let after = tree.observe(&[0], &[7]).expect("nothing was observed before");
        assert_eq!(tree.apart(Tree::ROOT, after), None);
        tree.observe(&[0, 0], &[7, 8]).expect("it goes on from what was observed");
        assert_eq!(tree.apart(Tree::ROOT, after), Some(vec![0]));
        assert_eq!(tree.word(after), [0]);
        assert_eq!(tree.outputs(&[0, 0]), Some(vec![7, 8]));
        assert_eq!(tree.outputs(&[0, 1]), None);
    }

    #[test]
    fn a_word_that_is_answered_in_two_ways_is_a_contradiction() {
        let mut tree = Tree::default();
        tree.observe(&[0, 1], &[1, 2]).expect("nothing was observed before");
        let contradiction = tree.observe(&[0, 1, 0], &[1, 3, 0]);
        assert_eq!(contradiction, Err(Contradiction { word: vec![0, 1], before: 2, now: 3 }));
    }
}
