//! Learning: what machine a subject is under a named alphabet, and how that differs from the tables.
//!
//! [`learn()`] drives a subject by L# ([`lsharp`]) over an [`Alphabet`]; words that refute a guess come from the generated
//! suite of the tables, from the guess's own suite, and from random walks. What the shadow judges wrong, and a death, is one
//! output, [`WRONG`]: what a subject answers wrong may come from memory that is freed, and the machine has an end all the
//! same; what was answered is told beside it. It ends the word: what a subject does after that nobody can say, so every later
//! answer is [`LOST`].
//!
//! What a symbol leaves open is drawn once, so that what is learned is a machine even where a subject does not treat all
//! members of a symbol alike (one attribute supported, another not). Whether it does is asked afterwards, by the words that
//! the last guess stood: a word that is answered otherwise with members that are drawn anew for every input, and as before with
//! the ones drawn once, is a difference of its own.
#![forbid(unsafe_code)]

pub mod compare;
pub mod draw;
pub mod lsharp;
pub mod tree;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fastrand::Rng;

use super::action::Action;
use super::generate::alphabet::Alphabet;
use super::generate::mealy::Mealy;
use super::generate::method::Method;
use super::generate::outputs::Outputs;
use super::generate::unfold::{Reference, SILENT, answer, output};
use super::subject::{Subject, SubjectError};
use super::walk::Walk;
use crate::spec::model::Row;
use crate::spec::{Specification, Verdict};
use compare::{Difference, Named, differences};
use lsharp::{Learner, Teacher};
use tree::Contradiction;

/// What an input is answered that was answered wrong, or not at all.
pub const WRONG: &str = "(wrong)";

/// What every input is answered after one that was wrong, or that got no answer.
pub const LOST: &str = "(after a wrong answer)";

/// How hard is looked for words that refute a guess.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many states more than the guess its own suite is for, and more than the tables theirs; the subject is that machine
    /// if it has no more.
    pub extra_states: usize,
    /// How many random walks, of up to 30 inputs each.
    pub walks: usize,
    /// What walks and all that symbols leave open are drawn from.
    pub seed: u64,
    /// How many words may be asked until a machine is found, so that learning ends whatever the subject does.
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
    /// What was answered wrong, each answer with a shortest trace of those asked.
    pub wrong: Vec<Difference>,
    /// Where other members of the same symbols are answered otherwise.
    pub unlike: Vec<Difference>,
}

impl Learned {
    fn named(&self) -> Named<'_> {
        Named { machine: &self.machine, inputs: &self.inputs, outputs: &self.outputs }
    }

    /// How many states the subject has: what is behind a wrong answer is none of them.
    pub fn states(&self) -> usize {
        let named = self.named();
        (0..self.machine.states()).filter(|state| !named.is_lost(*state)).count()
    }

    /// How it differs from the reference machine of its alphabet: what was answered wrong, where members of a symbol are not
    /// alike, and then what is right by itself and yet another machine.
    pub fn differences(&self, tables: &Reference) -> Vec<Difference> {
        let machine = tables.over_symbols();
        let expected = Named { machine: &machine, inputs: &self.inputs, outputs: &tables.outputs };
        let mut all = [self.wrong.as_slice(), &self.unlike].concat();
        let is_told =
            |difference: &Difference| matches!(difference, Difference::Otherwise { actual, .. } if actual == WRONG);
        all.extend(differences(expected, self.named()).into_iter().filter(|difference| !is_told(difference)));
        all
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
    /// As many words as allowed, and no machine.
    #[error("{words} words were asked and no machine found: more words may find one, or there is none")]
    TooManyWords {
        /// How many words were asked.
        words: usize,
        /// What was answered wrong meanwhile, each answer with a shortest trace of those asked.
        wrong: Vec<Difference>,
    },
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
    TooManyWords,
}

/// What a word was answered.
struct Answers {
    /// One for each input.
    all: Vec<String>,
    /// The one that is [`WRONG`].
    wrong: Option<Wrong>,
}

/// Input, the output learned and that of another member, each with a shortest word.
type Unlike = BTreeMap<(usize, usize, usize), Vec<usize>>;

/// An answer that is wrong.
struct Wrong {
    position: usize,
    expected: String,
    actual: String,
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
    /// The answers that are wrong, as what was expected and what was done, each with the shortest of the words that it came to.
    wrong: BTreeMap<(String, String), Vec<usize>>,
    observer: &'a mut dyn FnMut(usize),
}

impl Asked<'_> {
    fn answers(&mut self, symbols: &[Action]) -> Result<Answers, SubjectError> {
        let mut setup = self.alphabet.setup.clone();
        setup.package.clone_from(&self.package);
        let mut walk = Walk::start(self.specification, &mut *self.subject, &setup)?;
        for action in &self.alphabet.preamble {
            if let Some(step) = walk.perform(action)?
                && matches!(step.judgement.verdict, Verdict::Fail(_))
            {
                let (call, outcome) = (step.call.name(), output(self.specification, &step));
                return Err(SubjectError::Errored(format!("it cannot be prepared: {call} was answered {outcome}")));
            }
        }
        let mut all = Vec::with_capacity(symbols.len());
        let mut wrong = None;
        for (position, action) in symbols.iter().enumerate() {
            let answered = match walk.perform(action) {
                Ok(Some(step)) => {
                    let output = output(self.specification, &step);
                    if matches!(step.judgement.verdict, Verdict::Fail(_)) { Err(output) } else { Ok(output) }
                }
                Ok(None) => Ok(SILENT.to_owned()),
                Err(error @ (SubjectError::Unable(_) | SubjectError::Errored(_))) => return Err(error),
                // A death is an answer too: what was done to it shows by the word.
                Err(SubjectError::Crashed(how)) => Err(format!("crashed: {how}{}", by(&walk, action))),
                Err(SubjectError::TimedOut(_)) => Err(format!("no answer in time{}", by(&walk, action))),
                Err(SubjectError::Unstable(how)) => Err(format!("unstable: {how}{}", by(&walk, action))),
            };
            match answered {
                Ok(output) => all.push(output),
                Err(actual) => {
                    all.push(WRONG.to_owned());
                    // The shadow stands where it stood before the call.
                    let required = |row: &Row| row.required().map(answer).collect::<Vec<_>>().join(" or ");
                    let expected = walk.expected(action).map_or_else(|| SILENT.to_owned(), required);
                    wrong = Some(Wrong { position, expected, actual });
                    break;
                }
            }
        }
        all.resize(symbols.len(), LOST.to_owned());
        Ok(Answers { all, wrong })
    }

    /// Asks a word, with these actions for its symbols.
    fn told(&mut self, word: &[usize], actions: &[Action]) -> Result<Vec<String>, Stopped> {
        self.words += 1;
        self.steps += word.len();
        (self.observer)(self.words);
        let Answers { all, wrong } = self.answers(actions).map_err(Stopped::Subject)?;
        if let Some(Wrong { position, expected, actual }) = wrong {
            keep_shortest(&mut self.wrong, (expected, actual), &word[..=position]);
        }
        Ok(all)
    }

    fn names(&self, word: &[usize]) -> Vec<String> {
        word.iter().map(|input| self.alphabet.symbols[*input].name.clone()).collect()
    }

    /// What was answered wrong, as differences from the tables.
    fn wrong(&self) -> Vec<Difference> {
        let difference = |((expected, actual), word): (&(String, String), &Vec<usize>)| Difference::Otherwise {
            trace: self.names(word),
            expected: expected.clone(),
            actual: actual.clone(),
        };
        self.wrong.iter().map(difference).collect()
    }

    /// Where words are answered otherwise than was learned when other members of their symbols are asked: each input and pair of
    /// outputs once, with the shortest of these words. Who does not stand to what was learned is not deterministic.
    fn unlike(&mut self, machine: &Mealy, words: &[Vec<usize>]) -> Result<Unlike, Stopped> {
        let mut found = Unlike::new();
        for word in words {
            let learned = machine.outputs(0, word);
            let Some((position, actual)) =
                self.parting(word, &members(self.alphabet, self.options.seed, word), &learned)?
            else {
                continue;
            };
            let word = &word[..=position];
            if let Some((position, now)) =
                self.parting(word, &representatives(self.alphabet, self.options.seed, word), &learned)?
            {
                let word = word[..=position].to_vec();
                return Err(Contradiction { word, before: learned[position], now }.into());
            }
            keep_shortest(&mut found, (word[position], learned[position], actual), word);
        }
        Ok(found)
    }

    /// The first position at which a word is answered otherwise with these actions than was learned, and that answer.
    fn parting(
        &mut self,
        word: &[usize],
        actions: &[Action],
        learned: &[usize],
    ) -> Result<Option<(usize, usize)>, Stopped> {
        let answers = self.told(word, actions)?.into_iter().map(|answer| self.outputs.number(answer));
        let mut parted = answers.zip(learned).enumerate().filter(|(_, (actual, learned))| actual != *learned);
        Ok(parted.next().map(|(position, (actual, _))| (position, actual)))
    }
}

impl Teacher for Asked<'_> {
    type Error = Stopped;

    fn inputs(&self) -> usize {
        self.alphabet.symbols.len()
    }

    fn ask(&mut self, word: &[usize]) -> Result<Vec<usize>, Stopped> {
        if self.words >= self.options.most_words {
            return Err(Stopped::TooManyWords);
        }
        let answers = self.told(word, &representatives(self.alphabet, self.options.seed, word))?;
        Ok(answers.into_iter().map(|answer| self.outputs.number(answer)).collect())
    }
}

/// The actions of a word, what is open in them drawn once for each symbol.
fn representatives(alphabet: &Alphabet, seed: u64, word: &[usize]) -> Vec<Action> {
    word.iter().map(|input| alphabet.symbols[*input].drawn(varied(seed, *input))).collect()
}

/// The actions of a word, what is open in each drawn from the word up to it: the same whenever the same word is asked, and drawn
/// anew even where the symbol is the first of it.
fn members(alphabet: &Alphabet, seed: u64, word: &[usize]) -> Vec<Action> {
    let mut variety = varied(seed, alphabet.symbols.len());
    let drawn = |input: &usize| {
        variety = varied(variety, *input);
        alphabet.symbols[*input].drawn(variety)
    };
    word.iter().map(drawn).collect()
}

/// What row a death is wrong by.
fn by<S: Subject>(walk: &Walk<S>, action: &Action) -> String {
    walk.expected(action).map_or_else(String::new, |row| format!(", wrong by {}", row.id))
}

/// Keeps the word if none as short is known.
fn keep_shortest<K: Ord>(words: &mut BTreeMap<K, Vec<usize>>, key: K, word: &[usize]) {
    let shortest = words.entry(key).or_insert_with(|| word.to_vec());
    if word.len() < shortest.len() {
        *shortest = word.to_vec();
    }
}

/// Another variety for each input.
fn varied(variety: u64, input: usize) -> u64 {
    Rng::with_seed(variety ^ input as u64).u64(..)
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
        wrong: BTreeMap::new(),
        observer,
    };
    let found = found(&mut asked, &suite(&tables.machine, &tables.classes, options.extra_states), options);
    let wrong = asked.wrong();
    let inputs = asked.alphabet.symbols.iter().map(|symbol| symbol.name.clone()).collect::<Vec<_>>();
    let Asked { outputs, words, steps, .. } = asked;
    let outputs = outputs.names();
    let names = |word: Vec<usize>| word.into_iter().map(|input| inputs[input].clone()).collect();
    match found {
        Ok(Found { machine, refuted, unlike }) => {
            let difference = |((_, learned, actual), word): ((usize, usize, usize), Vec<usize>)| Difference::Unlike {
                trace: names(word),
                learned: outputs[learned].clone(),
                actual: outputs[actual].clone(),
            };
            let unlike = unlike.into_iter().map(difference).collect();
            let alphabet = alphabet.name.to_owned();
            Ok(Learned { subject: name, alphabet, machine, inputs, outputs, refuted, words, steps, wrong, unlike })
        }
        Err(Stopped::Subject(error)) => Err(LearnError::Subject(error)),
        Err(Stopped::TooManyWords) => Err(LearnError::TooManyWords { words, wrong }),
        Err(Stopped::Contradiction(Contradiction { word, before, now })) => Err(LearnError::NotDeterministic {
            symbols: names(word),
            before: outputs[before].clone(),
            now: outputs[now].clone(),
        }),
    }
}

/// The suite of a machine over classes, in the first inputs of those: learning has tried each of them in each state.
fn suite(machine: &Mealy, classes: &[Vec<usize>], extra_states: usize) -> Vec<Vec<usize>> {
    let words = Method::H.suite(machine, extra_states);
    words.into_iter().map(|word| word.into_iter().map(|class| classes[class][0]).collect()).collect()
}

/// What was learned, by numbers.
struct Found {
    machine: Mealy,
    refuted: usize,
    unlike: Unlike,
}

fn found(asked: &mut Asked<'_>, of_the_tables: &[Vec<usize>], options: Options) -> Result<Found, Stopped> {
    let mut rng = Rng::with_seed(options.seed);
    let inputs = asked.inputs();
    // The words that a guess must stand: the suite of the tables, its own, and walks.
    let mut against = |guess: &Mealy| -> Vec<Vec<usize>> {
        let classes = guess.classes();
        let own = suite(&guess.over(&classes), &classes, options.extra_states);
        let walk = |_| (0..rng.usize(1..=30)).map(|_| rng.usize(..inputs)).collect();
        let mut seen = HashSet::new();
        let all = of_the_tables.iter().cloned().chain(own).chain((0..options.walks).map(walk));
        all.filter(|word| seen.insert(word.clone())).collect()
    };
    let mut learner = Learner::new(asked);
    let mut refuted = 0;
    let (machine, stood) = loop {
        let guess = learner.hypothesis()?;
        let words = against(&guess);
        let Some(word) = refutation(&mut learner, &guess, &words)? else { break (guess, words) };
        refuted += 1;
        learner.take(&guess, &word)?;
    };
    let unlike = asked.unlike(&machine, &stood)?;
    Ok(Found { machine, refuted, unlike })
}

/// A word that is answered otherwise than the guess says, if one is found.
fn refutation(
    learner: &mut Learner<'_, Asked<'_>>,
    guess: &Mealy,
    words: &[Vec<usize>],
) -> Result<Option<Vec<usize>>, Stopped> {
    for word in words {
        if learner.outputs(word)? != guess.outputs(0, word) {
            return Ok(Some(word.clone()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{members, representatives};
    use crate::conformance::generate::suite::named;
    use crate::spec::Specification;

    #[test]
    fn members_are_drawn_anew_for_the_first_input_too() {
        let specification = Specification::embedded().expect("the embedded tables load");
        let alphabet = named(&specification, "any-package").expect("the alphabet is one");
        let words: Vec<[usize; 1]> = (0..alphabet.symbols.len()).map(|input| [input]).collect();
        let is_other =
            |seed| words.iter().any(|word| members(&alphabet, seed, word) != representatives(&alphabet, seed, word));
        assert!((0..8).all(is_other));
        assert_eq!(members(&alphabet, 1, &words[0]), members(&alphabet, 1, &words[0]));
    }
}
