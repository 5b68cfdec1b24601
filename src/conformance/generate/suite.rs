//! Suites as data: made once, read and run by anyone.
#![forbid(unsafe_code)]

use std::sync::Arc;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::alphabet::{self, Alphabet, Symbol};
use super::method::{Method, Word};
use super::unfold::{Reference, UnfoldError, unfold};
use crate::conformance::plan::Sequence;
use crate::spec::Specification;

/// The version of the form in which suites are written.
pub const SUITE_VERSION: u32 = 1;

/// A suite as it is written: see `spec/schemas/suite.schema.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// [`SUITE_VERSION`].
    pub suite_version: u32,
    /// The version of the tables it was made of.
    pub spec_version: String,
    /// The name of its alphabet.
    pub alphabet: String,
    /// How it was made.
    pub method: Method,
    /// How many states more than the reference machine a subject may have.
    pub extra_states: usize,
    /// How many states the reference machine has.
    pub states: usize,
    /// The input classes, each with the names of its symbols.
    pub classes: Vec<Vec<String>>,
    /// The sequences: numbers of input classes.
    pub sequences: Vec<Word>,
}

/// Why there is no suite.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SuiteError {
    /// There is no alphabet of that name.
    #[error("there is no alphabet named {0:?}; there are {known}", known = alphabets())]
    NoAlphabet(String),
    /// The tables are no machine under the alphabet.
    #[error("under the alphabet {0} the tables are no machine: {1}")]
    NoMachine(String, Box<UnfoldError>),
    /// What was read is no suite.
    #[error("no suite: {0}")]
    Syntax(String),
    /// What was read is a suite of another form.
    #[error("suite_version {0} is none that this program reads: it reads {SUITE_VERSION}")]
    Version(u32),
    /// The suite was made of other tables.
    #[error("the suite was made of spec {0}, and these tables are {1}: make it anew with `digest-ssp suite`")]
    OtherTables(String, String),
    /// A symbol of the suite is none of its alphabet.
    #[error("class {0}: the alphabet has no symbol {1:?}")]
    NoSymbol(usize, String),
    /// A class has no symbols.
    #[error("class {0} has no symbols")]
    EmptyClass(usize),
    /// A sequence names a class that there is not.
    #[error("sequence {0}: there is no class {1}")]
    NoClass(usize, usize),
}

fn alphabets() -> String {
    alphabet::names().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// The alphabet of that name.
///
/// # Errors
/// Where there is none.
pub fn named(specification: &Specification, name: &str) -> Result<Alphabet, SuiteError> {
    Alphabet::named(specification, name).ok_or_else(|| SuiteError::NoAlphabet(name.to_owned()))
}

/// The reference machine of an alphabet.
///
/// # Errors
/// Where under the alphabet the tables are none.
pub fn reference(specification: &Arc<Specification>, alphabet: &Alphabet) -> Result<Reference, SuiteError> {
    unfold(specification, alphabet).map_err(|error| SuiteError::NoMachine(alphabet.name.to_owned(), Box::new(error)))
}

impl Suite {
    /// The suite of a reference machine.
    pub fn of(
        specification: &Specification,
        alphabet: &Alphabet,
        reference: &Reference,
        method: Method,
        extra_states: usize,
    ) -> Self {
        let names = |class: &Vec<usize>| class.iter().map(|symbol| alphabet.symbols[*symbol].name.clone()).collect();
        Self {
            suite_version: SUITE_VERSION,
            spec_version: specification.version.clone(),
            alphabet: alphabet.name.to_owned(),
            method,
            extra_states,
            states: reference.machine.states(),
            classes: reference.classes.iter().map(names).collect(),
            sequences: method.suite(&reference.machine, extra_states),
        }
    }

    /// Reads a suite.
    ///
    /// # Errors
    /// Where it is none that can be run with these tables.
    pub fn read(specification: &Specification, json: &[u8]) -> Result<Self, SuiteError> {
        let suite: Self = serde_json::from_slice(json).map_err(|error| SuiteError::Syntax(error.to_string()))?;
        if suite.suite_version != SUITE_VERSION {
            return Err(SuiteError::Version(suite.suite_version));
        }
        if suite.spec_version != specification.version {
            return Err(SuiteError::OtherTables(suite.spec_version, specification.version.clone()));
        }
        suite.drawable(specification)?;
        Ok(suite)
    }

    /// How many actions its sequences have together.
    pub fn length(&self) -> usize {
        self.sequences.iter().map(Vec::len).sum()
    }

    /// The suite, ready to be drawn from.
    ///
    /// # Errors
    /// Where it names what there is not.
    pub fn drawable(&self, specification: &Specification) -> Result<Drawable<'_>, SuiteError> {
        let alphabet = named(specification, &self.alphabet)?;
        let symbol = |class: usize, name: &String| {
            let position = alphabet.position(name).ok_or_else(|| SuiteError::NoSymbol(class, name.clone()))?;
            Ok(alphabet.symbols[position].clone())
        };
        let members = |(class, names): (usize, &Vec<String>)| {
            let members: Vec<Symbol> = names.iter().map(|name| symbol(class, name)).collect::<Result<_, _>>()?;
            if members.is_empty() { Err(SuiteError::EmptyClass(class)) } else { Ok(members) }
        };
        let classes = self.classes.iter().enumerate().map(members).collect::<Result<Vec<_>, _>>()?;
        for (position, sequence) in self.sequences.iter().enumerate() {
            if let Some(class) = sequence.iter().find(|class| **class >= classes.len()) {
                return Err(SuiteError::NoClass(position, *class));
            }
        }
        Ok(Drawable { suite: self, alphabet, classes })
    }
}

/// A suite whose names are all known.
#[derive(Clone, Debug)]
pub struct Drawable<'s> {
    suite: &'s Suite,
    /// Its alphabet.
    pub alphabet: Alphabet,
    classes: Vec<Vec<Symbol>>,
}

impl Drawable<'_> {
    /// How many sequences it has.
    pub fn len(&self) -> usize {
        self.suite.sequences.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.suite.sequences.is_empty()
    }

    /// Its sequences. Which member stands for a class, and what is open in it, is drawn for each anew.
    pub fn sequences(&self, seed: u64) -> impl Iterator<Item = Sequence> + '_ {
        let mut rng = Rng::with_seed(seed);
        self.suite.sequences.iter().map(move |word| {
            let mut drawn = Vec::with_capacity(self.alphabet.preamble.len() + word.len());
            drawn.extend(self.alphabet.preamble.iter().cloned());
            for class in word {
                let members = &self.classes[*class];
                drawn.push(members[rng.usize(..members.len())].drawn(rng.u64(..)));
            }
            Sequence { setup: self.alphabet.setup.clone(), actions: drawn }
        })
    }
}
