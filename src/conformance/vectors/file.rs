//! The form that every file of vectors has (`spec/schemas/vectors.schema.json`).
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Operation;
use super::values::unique;

/// What a file says it is about; the rest is read by it.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) operation: String,
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(super) struct File<O: Operation> {
    /// Where its schema lies; for editors.
    #[serde(rename = "$schema")]
    pub(super) schema: String,
    pub(super) operation: String,
    pub(super) about: String,
    /// What each flag means.
    #[serde(deserialize_with = "unique")]
    pub(super) notes: BTreeMap<String, Note>,
    pub(super) groups: Vec<Group<O>>,
}

/// What a flag means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[serde(rename = "bug")]
    pub(super) _bug: Bug,
    pub(super) description: String,
    pub(super) links: Vec<String>,
}

/// The kind of mistake that a vector finds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Bug {
    Basic,
    EdgeCase,
    Interoperability,
    LenientParser,
    MissingCheck,
    WrongConstruction,
}

/// Vectors that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(super) struct Group<O: Operation> {
    pub(super) about: String,
    pub(super) vectors: Vec<Vector<O>>,
}

/// One vector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(super) struct Vector<O: Operation> {
    pub(super) id: String,
    pub(super) comment: String,
    pub(super) flags: Vec<String>,
    pub(super) result: Verdict,
    pub(super) source: Source,
    pub(super) input: O::Input,
    pub(super) expected: O::Expected,
}

/// Whether it has to be accepted or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Valid,
    Invalid,
}

/// Where its expected values come from.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Source {
    /// A document prints them.
    Published { document: String, section: String },
    /// Another program wrote them.
    Interop { peer: String },
    /// The Python witness computed them.
    Generated {},
}

/// The inputs as they stand in the file, in its order: two that are the same are one vector too many.
pub(super) fn inputs(text: &str) -> Vec<Value> {
    #[derive(Deserialize)]
    struct Raw {
        groups: Vec<RawGroup>,
    }
    #[derive(Deserialize)]
    struct RawGroup {
        vectors: Vec<RawVector>,
    }
    #[derive(Deserialize)]
    struct RawVector {
        input: Value,
    }
    let raw = serde_json::from_str::<Raw>(text).map(|raw| raw.groups).unwrap_or_default();
    raw.into_iter().flat_map(|group| group.vectors).map(|vector| vector.input).collect()
}
