//! Learning: what machine a subject is under a named alphabet, and how that differs from the tables.
//!
//! [`learn()`] drives a subject by L# ([`lsharp`]) over an [`Alphabet`]; words that refute a guess come from the generated
//! suite of the tables, from the guess's own suite, and from random walks. What the shadow judges wrong ends a word: what a
//! subject does after that nobody can say, so every later answer is [`LOST`].
#![forbid(unsafe_code)]

pub mod compare;
pub mod draw;
pub mod lsharp;
pub mod tree;

use std::sync::Arc;

use fastrand::Rng;

use super::generate::alphabet::Alphabet;
use super::generate::mealy::Mealy;
use super::generate::method::Method;
use super::generate::outputs::Outputs;
use super::generate::unfold::{Reference, SILENT, output};
use super::plan::Sequence;
use super::subject::{Subject, SubjectError};
use super::walk::Walk;
use crate::spec::{Specification, Verdict};
use compare::{Difference, Named, differences};
use lsharp::{Learner, Teacher};
use tree::Contradiction;

/// What every input is answered after one that was wrong, or that got no answer.
pub const LOST: &str = "(after a wrong answer)";

/// How hard is looked for words that refute a guess.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many states more than the guess its own suite is for; the subject is that machine if it has no more.
    pub extra_states: usize,
    /// How many random walks, of up to 30 inputs each.
    pub walks: usize,
    /// What walks and all that symbols leave open are drawn from.
    pub seed: u64,
    /// How many words may be asked, so that learning ends whatever the subject does.
    pub most_words: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { extra_states: 0, walks: 1000, seed: 1, most_words: 1_000_000 }
    }
}

/// The machine that a subject is, as far as was asked.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The subject.
    pub subject: String,
    /// The alphabet.
    pub alphabet: String,
    /// The machine, over the symbols of the alphabet.
    pub machine: Mealy,
    /// The names of its inputs.
    pub inputs: Vec<String>,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// How many guesses were refuted.
    pub refuted: usize,
    /// How many words the subject was asked.
    pub words: usize,
    /// How many inputs that were.
    pub steps: usize,
}

impl Learned {
    /// How it differs from the reference machine of its alphabet.
    pub fn differences(&self, tables: &Reference) -> Vec<Difference> {
        let machine = tables.over_symbols();
        let expected = Named { machine: &machine, inputs: &self.inputs, outputs: &tables.outputs };
        differences(expected, Named { machine: &self.machine, inputs: &self.inputs, outputs: &self.outputs })
    }
}

/// Why nothing was learned.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LearnError {
    /// The subject could not be started, or has no words for what was asked.
    #[error("{0}")]
    Subject(SubjectError),
    /// The subject answers the same word in two ways, which is a finding of its own.
    #[error("it is not deterministic: {symbols:?} was answered {before}, and then {now}")]
    NotDeterministic {
        /// The word up to where the answers part.
        symbols: Vec<String>,
        /// The answer before.
        before: String,
        /// The answer now.
        now: String,
    },
    /// More words than allowed.
    #[error("{0} words were asked and no machine found: more words may find one, or there is none")]
    TooManyWords(usize),
}

impl From<Contradiction> for Stopped {
    fn from(contradiction: Contradiction) -> Self {
        Self::Contradiction(contradiction)
    }
}

/// Why a teacher gave up, before its numbers are made names.
enum Stopped {
    Subject(SubjectError),
    Contradiction(Contradiction),
    TooManyWords(usize),
}

/// A subject that answers words.
struct Asked<'a> {
    specification: &'a Arc<Specification>,
    subject: &'a mut dyn Subject,
    alphabet: &'a Alphabet,
    options: Options,
    package: Option<String>,
    outputs: Outputs,
    words: usize,
    steps: usize,
    observer: &'a mut dyn FnMut(usize),
}

impl Asked<'_> {
    /// The sequence of a word, as a reproducer holds it. What a symbol leaves open is drawn from the word up to it: the same
    /// whenever the same word is asked.
    fn sequence(&self, word: &[usize]) -> Sequence {
        let mut variety = Rng::with_seed(self.options.seed).u64(..);
        let symbols = word.iter().map(|input| {
            variety = Rng::with_seed(variety ^ *input as u64).u64(..);
            self.alphabet.symbols[*input].drawn(variety)
        });
        let mut setup = self.alphabet.setup.clone();
        setup.package.clone_from(&self.package);
        Sequence { setup, actions: self.alphabet.preamble.iter().cloned().chain(symbols).collect() }
    }

    fn answers(&mut self, word: &[usize]) -> Result<Vec<String>, SubjectError> {
        let Sequence { setup, actions } = self.sequence(word);
        let (preamble, symbols) = actions.split_at(self.alphabet.preamble.len());
        let mut walk = Walk::start(self.specification, &mut *self.subject, &setup)?;
        for action in preamble {
            walk.perform(action)?;
        }
        let mut answers = Vec::with_capacity(word.len());
        for action in symbols {
            match walk.perform(action) {
                Ok(Some(step)) => {
                    answers.push(output(self.specification, &step));
                    if matches!(step.judgement.verdict, Verdict::Fail(_)) {
                        break;
                    }
                }
                Ok(None) => answers.push(SILENT.to_owned()),
                Err(error @ (SubjectError::Unable(_) | SubjectError::Errored(_))) => return Err(error),
                // A death is an answer too: what was done to it shows by the word.
                Err(SubjectError::Crashed(how)) => {
                    answers.push(format!("crashed: {how}"));
                    break;
                }
                Err(SubjectError::TimedOut(_)) => {
                    answers.push("no answer in time".to_owned());
                    break;
                }
                Err(SubjectError::Unstable(how)) => {
                    answers.push(format!("unstable: {how}"));
                    break;
                }
            }
        }
        answers.resize(word.len(), LOST.to_owned());
        Ok(answers)
    }
}

impl Teacher for Asked<'_> {
    type Error = Stopped;

    fn inputs(&self) -> usize {
        self.alphabet.symbols.len()
    }

    fn ask(&mut self, word: &[usize]) -> Result<Vec<usize>, Stopped> {
        if self.words >= self.options.most_words {
            return Err(Stopped::TooManyWords(self.words));
        }
        self.words += 1;
        self.steps += word.len();
        (self.observer)(self.words);
        let answers = self.answers(word).map_err(Stopped::Subject)?;
        Ok(answers.into_iter().map(|answer| self.outputs.number(answer)).collect())
    }
}

/// Learns what machine a subject is under an alphabet, of which `tables` is the reference machine. The observer is told how
/// many words were asked.
///
/// # Errors
/// [`LearnError`], where it is none, or cannot be driven.
pub fn learn(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    alphabet: &Alphabet,
    tables: &Reference,
    package: Option<String>,
    options: Options,
    observer: &mut dyn FnMut(usize),
) -> Result<Learned, LearnError> {
    let name = subject.name();
    let mut asked = Asked {
        specification,
        subject,
        alphabet,
        options,
        package,
        outputs: Outputs::default(),
        words: 0,
        steps: 0,
        observer,
    };
    let first = |class: &usize| tables.classes[*class][0];
    let suite = Method::H.suite(&tables.machine, 0);
    let suite: Vec<Vec<usize>> = suite.iter().map(|word| word.iter().map(first).collect()).collect();
    let learned = learned(&mut asked, &suite, options);
    let Asked { outputs, words, steps, .. } = asked;
    let outputs = outputs.names();
    let inputs: Vec<String> = alphabet.symbols.iter().map(|symbol| symbol.name.clone()).collect();
    match learned {
        Ok((machine, refuted)) => Ok(Learned {
            subject: name,
            alphabet: alphabet.name.to_owned(),
            machine,
            inputs,
            outputs,
            refuted,
            words,
            steps,
        }),
        Err(Stopped::Subject(error)) => Err(LearnError::Subject(error)),
        Err(Stopped::TooManyWords(words)) => Err(LearnError::TooManyWords(words)),
        Err(Stopped::Contradiction(Contradiction { word, before, now })) => Err(LearnError::NotDeterministic {
            symbols: word.into_iter().map(|input| inputs[input].clone()).collect(),
            before: outputs[before].clone(),
            now: outputs[now].clone(),
        }),
    }
}

fn learned(asked: &mut Asked<'_>, suite: &[Vec<usize>], options: Options) -> Result<(Mealy, usize), Stopped> {
    let mut rng = Rng::with_seed(options.seed);
    let inputs = asked.inputs();
    let mut learner = Learner::new(asked);
    let mut refuted = 0;
    loop {
        let guess = learner.hypothesis()?;
        let Some(word) = refutation(&mut learner, &guess, suite, inputs, options, &mut rng)? else {
            return Ok((guess, refuted));
        };
        refuted += 1;
        learner.take(&guess, &word)?;
    }
}

/// A word that is answered otherwise than the guess says, if one is found.
fn refutation(
    learner: &mut Learner<'_, Asked<'_>>,
    guess: &Mealy,
    suite: &[Vec<usize>],
    inputs: usize,
    options: Options,
    rng: &mut Rng,
) -> Result<Option<Vec<usize>>, Stopped> {
    let own = Method::H.suite(guess, options.extra_states);
    let walks = (0..options.walks).map(|_| (0..rng.usize(1..=30)).map(|_| rng.usize(..inputs)).collect::<Vec<_>>());
    let walks: Vec<Vec<usize>> = walks.collect();
    for word in suite.iter().chain(&own).chain(&walks) {
        if learner.outputs(word)? != guess.outputs(0, word) {
            return Ok(Some(word.clone()));
        }
    }
    Ok(None)
}
