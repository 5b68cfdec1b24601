//! Test vectors for implementers (`spec/vectors`): what their files say, what they must not say, and what this crate's
//! digest layer makes of them.
//!
//! The expected values come from documents, from other programs and from the Python witness, never from here.
#![forbid(unsafe_code)]

mod bindings;
mod file;
mod http;
mod layers;
mod lint;
mod sasl;
mod tokens;
mod values;

use core::fmt;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::status::SecurityStatus;
use file::{File, Verdict};
use values::Status;

/// What the files of a directory have, and what is wrong with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each file that could be read, in the order of their names.
    pub files: Vec<Summary>,
    /// What was found, in the order of the files.
    pub problems: Vec<Problem>,
}

/// How much a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The file's name, without its directory.
    pub file: String,
    /// Vectors that must be accepted.
    pub valid: usize,
    /// Vectors that must be refused.
    pub invalid: usize,
    /// Of all of them, those whose expected values a document prints.
    pub published: usize,
    /// Of all of them, those which another program wrote.
    pub interop: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name, without its directory.
    pub file: String,
    /// The vector's id, where it is about one.
    pub vector: Option<String>,
    /// What is wrong, in one line.
    pub text: String,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, valid, invalid, published, interop } = self;
        let all = valid + invalid;
        write!(
            formatter,
            "{file:<26} {all:>4} vectors {valid:>4} valid {invalid:>4} invalid {published:>3} published {interop:>3} interop"
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.file)?;
        if let Some(vector) = &self.vector {
            write!(formatter, "{vector}: ")?;
        }
        formatter.write_str(&self.text)
    }
}

/// Reads every `*.json` of a directory, lints the files, and runs every vector through the digest layer.
///
/// # Errors
/// The directory, or a file in it, cannot be read; or there is no such file.
pub fn check(directory: &Path) -> Result<Report, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| failed(directory, error))? {
        let path = entry.map_err(|error| failed(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!("{}: no *.json is there", directory.display()));
    }
    paths.sort();
    let mut checking = Checking::default();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        checking.file(&name, &text);
    }
    Ok(checking.report)
}

/// One kind of vector: what is given, what is expected, and what the digest layer makes of it.
trait Operation {
    /// Its name in the files, and the beginning of every id.
    const NAME: &'static str;
    /// What is given.
    type Input: DeserializeOwned + fmt::Debug;
    /// What must come out.
    type Expected: DeserializeOwned + Serialize + PartialEq + fmt::Debug;

    /// The status that decides whether a vector is valid.
    fn status(expected: &Self::Expected) -> Status;

    /// What the digest layer makes of it.
    ///
    /// # Errors
    /// The input is none of this operation, in words that say why.
    fn run(input: &Self::Input) -> Result<Self::Expected, String>;
}

/// The state of a check: what one file says of another is seen here.
#[derive(Default)]
struct Checking {
    report: Report,
    /// Which file and vector an id belongs to.
    ids: HashMap<String, String>,
}

impl Checking {
    fn file(&mut self, name: &str, text: &str) {
        // What `operation` says decides what everything else must look like.
        let operation = match serde_json::from_str::<file::Head>(text) {
            Ok(head) => head.operation,
            Err(error) => return self.problem(name, None, format!("it is no file of vectors: {error}")),
        };
        let check = match operation.as_str() {
            http::SessionKeys::NAME => Self::vectors::<http::SessionKeys>,
            http::Responses::NAME => Self::vectors::<http::Responses>,
            http::Proofs::NAME => Self::vectors::<http::Proofs>,
            tokens::HttpResponses::NAME => Self::vectors::<tokens::HttpResponses>,
            tokens::HttpChallenges::NAME => Self::vectors::<tokens::HttpChallenges>,
            sasl::SessionKeys::NAME => Self::vectors::<sasl::SessionKeys>,
            sasl::Responses::NAME => Self::vectors::<sasl::Responses>,
            sasl::Proofs::NAME => Self::vectors::<sasl::Proofs>,
            tokens::SaslResponses::NAME => Self::vectors::<tokens::SaslResponses>,
            tokens::SaslChallenges::NAME => Self::vectors::<tokens::SaslChallenges>,
            layers::Wrapping::NAME => Self::vectors::<layers::Wrapping>,
            layers::Unwrapping::NAME => Self::vectors::<layers::Unwrapping>,
            bindings::Hashes::NAME => Self::vectors::<bindings::Hashes>,
            bindings::Presenting::NAME => Self::vectors::<bindings::Presenting>,
            bindings::Upgraded::NAME => Self::vectors::<bindings::Upgraded>,
            _ => return self.problem(name, None, format!("there is no operation {operation}")),
        };
        check(self, name, text);
    }

    fn vectors<O: Operation>(&mut self, name: &str, text: &str) {
        let file = match serde_json::from_str::<File<O>>(text) {
            Ok(file) => file,
            Err(error) => return self.problem(name, None, format!("it does not follow the schema: {error}")),
        };
        let inputs = file::inputs(text);
        for (vector, problem) in lint::problems(name, &file, &inputs) {
            self.problem(name, vector, problem);
        }
        let mut summary = Summary { file: name.to_owned(), valid: 0, invalid: 0, published: 0, interop: 0 };
        for vector in file.groups.iter().flat_map(|group| &group.vectors) {
            summary.count(vector);
            if let Some(elsewhere) = self.ids.insert(vector.id.clone(), name.to_owned()) {
                self.problem(name, Some(vector.id.clone()), format!("this id is there already, in {elsewhere}"));
            }
            if let Some(difference) = difference::<O>(&vector.input, &vector.expected) {
                self.problem(name, Some(vector.id.clone()), difference);
            }
        }
        self.report.files.push(summary);
    }

    fn problem(&mut self, file: &str, vector: Option<String>, text: String) {
        self.report.problems.push(Problem { file: file.to_owned(), vector, text });
    }
}

impl Summary {
    fn count<O: Operation>(&mut self, vector: &file::Vector<O>) {
        match vector.result {
            Verdict::Valid => self.valid += 1,
            Verdict::Invalid => self.invalid += 1,
        }
        match vector.source {
            file::Source::Published { .. } => self.published += 1,
            file::Source::Interop { .. } => self.interop += 1,
            file::Source::Generated {} => {}
        }
    }
}

/// What the digest layer says, if it says something else.
fn difference<O: Operation>(input: &O::Input, expected: &O::Expected) -> Option<String> {
    let shown = |value: &O::Expected| serde_json::to_string(value).unwrap_or_else(|_| format!("{value:?}"));
    match O::run(input) {
        Err(why) => Some(format!("it cannot be run: {why}")),
        Ok(outcome) if outcome == *expected => None,
        Ok(outcome) => Some(format!("the vector says {}, the digest layer {}", shown(expected), shown(&outcome))),
    }
}

/// Whether a vector with this status has to be accepted.
fn verdict(status: Status) -> Verdict {
    if status.0 == SecurityStatus::SEC_E_OK { Verdict::Valid } else { Verdict::Invalid }
}
