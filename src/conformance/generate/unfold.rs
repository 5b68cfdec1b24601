//! The reference machine: the tables, answering, unfolded over a finite alphabet.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::abstraction::Abstract;
use super::alphabet::Alphabet;
use super::mealy::{Mealy, Transition};
use super::outputs::Outputs;
use crate::conformance::SubjectError;
use crate::conformance::subject::oracle::Oracle;
use crate::conformance::walk::{Step, Walk};
use crate::spec::model::Allowed;
use crate::spec::shadow::Judgement;
use crate::spec::vocabulary::{Fact, Word};
use crate::spec::{Specification, Verdict};

/// How many ways to a state are compared, and under how many seeds each symbol is drawn there.
const WITNESSES: usize = 3;

/// No alphabet of ours comes near.
const MOST_STATES: usize = 4096;

/// Why the tables do not unfold to a machine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnfoldError {
    /// The tables gave no answer.
    #[error("{0} after {1:?}")]
    NoAnswer(SubjectError, Vec<String>),
    /// A word makes more contexts than the alphabet is for.
    #[error("{0:?} makes more contexts than the alphabet has")]
    TooManyContexts(Vec<String>),
    /// More states than any alphabet should have.
    #[error("more than {MOST_STATES} states")]
    TooManyStates,
    /// The same symbol is answered in two ways in what should be one state.
    #[error("{symbol} is answered {one} after {after_one:?} and {other} after {after_other:?}")]
    Ambiguous {
        /// The symbol.
        symbol: String,
        /// An answer.
        one: String,
        /// The word before it.
        after_one: Vec<String>,
        /// The other answer.
        other: String,
        /// The word before that.
        after_other: Vec<String>,
    },
}

/// The reference machine of an alphabet.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The minimal machine over the input classes.
    pub machine: Mealy,
    /// The outputs, by number.
    pub outputs: Vec<String>,
    /// The input classes, by number: the symbols whose outcomes agree in every state.
    pub classes: Vec<Vec<usize>>,
    /// A name for each state: where its access word leads.
    pub states: Vec<String>,
    /// The rows that its transitions are answered by.
    pub rows: BTreeSet<String>,
    /// How many states were told apart before those that answer alike became one.
    pub unfolded: usize,
}

impl Reference {
    /// The machine over the symbols themselves, each of which steps as its class does.
    pub fn over_symbols(&self) -> Mealy {
        let mut class_of = vec![0; self.classes.iter().map(Vec::len).sum()];
        for (class, symbols) in self.classes.iter().enumerate() {
            for symbol in symbols {
                class_of[*symbol] = class;
            }
        }
        let row = |state: usize| class_of.iter().map(|class| self.machine.step(state, *class)).collect();
        Mealy::new(&(0..self.machine.states()).map(row).collect::<Vec<_>>())
    }
}

/// What a step is to an observer: what the row requires that the outcome met.
pub fn output(specification: &Specification, step: &Step) -> String {
    let Judgement { row, verdict, .. } = &step.judgement;
    let found = row.as_deref().and_then(|row| specification.find(row)).map(|(_, row)| row);
    let status = step.outcome.status;
    let met = found.and_then(|row| row.required().find(|allowed| allowed.status == status));
    match (verdict, met) {
        (Verdict::Pass, Some(met)) => answer(met),
        (Verdict::Pass, None) => format!("{status}"),
        (Verdict::Deviation(why), _) => format!("{status}, a deviation: {why}"),
        (Verdict::Fail(why), _) => {
            format!("{status}, wrong by {}: {why}", row.as_deref().unwrap_or("no row"))
        }
    }
}

/// An outcome as an output: all of it that is judged.
pub fn answer(Allowed { status, handle, buffers, .. }: &Allowed) -> String {
    format!("{status} handle={handle} buffers={buffers}")
}

/// What an action without a call is answered.
pub const SILENT: &str = "-";

struct Node {
    /// Some walks that lead there, with the words that they took.
    walks: Vec<(Walk<Oracle>, Vec<usize>)>,
}

struct Unfolding<'u> {
    specification: &'u Arc<Specification>,
    alphabet: &'u Alphabet,
    numbers: HashMap<Abstract, usize>,
    nodes: Vec<Node>,
    outputs: Outputs,
    rows: BTreeSet<String>,
    queue: VecDeque<usize>,
}

impl Unfolding<'_> {
    fn names(&self, word: &[usize]) -> Vec<String> {
        word.iter().map(|symbol| self.alphabet.symbols[*symbol].name.clone()).collect()
    }

    /// The number of the state that a walk has reached.
    fn number(&mut self, walk: Walk<Oracle>, word: Vec<usize>) -> Result<usize, UnfoldError> {
        let state = Abstract::of(walk.shadow());
        if state.contexts() > self.alphabet.contexts {
            return Err(UnfoldError::TooManyContexts(self.names(&word)));
        }
        let next = self.nodes.len();
        let number = *self.numbers.entry(state).or_insert(next);
        if number == next {
            if next == MOST_STATES {
                return Err(UnfoldError::TooManyStates);
            }
            self.nodes.push(Node { walks: Vec::new() });
            self.queue.push_back(next);
        }
        let walks = &mut self.nodes[number].walks;
        if walks.len() < WITNESSES {
            walks.push((walk, word));
        }
        Ok(number)
    }

    fn perform(
        &mut self,
        walk: &mut Walk<Oracle>,
        word: &[usize],
        symbol: usize,
        seed: u64,
    ) -> Result<String, UnfoldError> {
        let action = self.alphabet.symbols[symbol].drawn(seed);
        let step = walk.perform(&action).map_err(|error| UnfoldError::NoAnswer(error, self.names(word)))?;
        let Some(step) = step else { return Ok(SILENT.to_owned()) };
        self.rows.extend(step.judgement.row.clone());
        Ok(output(self.specification, &step))
    }

    /// The transition of a symbol, which is the same on every walk to the state and under every seed.
    fn transition(&mut self, number: usize, symbol: usize, witnesses: usize) -> Result<(String, usize), UnfoldError> {
        let mut known: Option<(String, usize, Vec<usize>)> = None;
        for seed in 0..witnesses {
            let walks = &self.nodes[number].walks;
            let (walk, word) = &walks[seed % walks.len()];
            let (mut walk, word) = (walk.clone(), word.clone());
            let output = self.perform(&mut walk, &word, symbol, seed as u64 * 7919 + symbol as u64)?;
            let next = self.number(walk, [word.as_slice(), &[symbol]].concat())?;
            if let Some((known, known_next, known_word)) = &known
                && (*known != output || *known_next != next)
            {
                return Err(UnfoldError::Ambiguous {
                    symbol: self.alphabet.symbols[symbol].name.clone(),
                    one: format!("{known} (state {known_next})"),
                    after_one: self.names(known_word),
                    other: format!("{output} (state {next})"),
                    after_other: self.names(&word),
                });
            }
            known = known.or(Some((output, next, word)));
        }
        let (output, next, _) = known.unwrap_or((SILENT.to_owned(), number, Vec::new()));
        Ok((output, next))
    }
}

/// Unfolds the tables over an alphabet: the minimal machine that they are to its user, and which symbols are one input.
///
/// # Errors
/// [`UnfoldError`], where under this alphabet they are none.
pub fn unfold(specification: &Arc<Specification>, alphabet: &Alphabet) -> Result<Reference, UnfoldError> {
    let none = |error| UnfoldError::NoAnswer(error, Vec::new());
    let mut walk = Walk::start(specification, Oracle::new(Arc::clone(specification)), &alphabet.setup).map_err(none)?;
    for action in &alphabet.preamble {
        walk.perform(action).map_err(none)?;
    }
    let mut unfolding = Unfolding {
        specification,
        alphabet,
        numbers: HashMap::new(),
        nodes: Vec::new(),
        outputs: Outputs::default(),
        rows: BTreeSet::new(),
        queue: VecDeque::new(),
    };
    unfolding.number(walk, Vec::new())?;
    while let Some(number) = unfolding.queue.pop_front() {
        for symbol in 0..alphabet.symbols.len() {
            unfolding.transition(number, symbol, 1)?;
        }
    }
    // Every state is known now, with more ways to it than the first.
    let mut states = Vec::new();
    for number in 0..unfolding.nodes.len() {
        let mut transitions = Vec::new();
        for symbol in 0..alphabet.symbols.len() {
            let (output, next) = unfolding.transition(number, symbol, WITNESSES)?;
            let output = unfolding.outputs.number(output);
            transitions.push(Transition { output, next });
        }
        states.push(transitions);
    }
    Ok(reference(unfolding, &Mealy::new(&states)))
}

fn reference(unfolding: Unfolding<'_>, unfolded: &Mealy) -> Reference {
    let (minimal, which) = unfolded.minimised();
    let classes = minimal.classes();
    let machine = minimal.over(&classes);
    let mut states = vec![String::new(); minimal.states()];
    for (number, node) in unfolding.nodes.iter().enumerate().rev() {
        if let (Some(state), Some((walk, _))) = (which[number], node.walks.first()) {
            states[state] = name(walk);
        }
    }
    Reference {
        machine,
        outputs: unfolding.outputs.names(),
        classes,
        states,
        rows: unfolding.rows,
        unfolded: unfolded.states(),
    }
}

/// Role and state of the contexts that a walk has made.
fn name(walk: &Walk<Oracle>) -> String {
    let contexts = walk.shadow().registers().contexts.values();
    let names: Vec<String> = contexts
        .map(|context| {
            let role = Fact::Role.values()[usize::from(context.role.index())];
            format!("{role} {}", Fact::State.values()[usize::from(context.state)])
        })
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
