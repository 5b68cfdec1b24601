//! From the texts in `spec/` to a [`Specification`]: one pass that finds every problem it can.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::callers::CallerRuleEntry;
use super::compile;
use super::model::{
    CallFile, CallSpec, Erratum, FactText, Observation, Observed, Pins, Source, Specification, StateEntry, StatusEntry,
};
use super::names::Profile;
use super::visible::visible;

/// Every file of `spec/`, compiled in: its name below `spec/` and its text.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("spec.toml", include_str!("../../spec/spec.toml")),
    ("statuses.toml", include_str!("../../spec/statuses.toml")),
    ("machine.toml", include_str!("../../spec/machine.toml")),
    ("facts.toml", include_str!("../../spec/facts.toml")),
    ("sources.toml", include_str!("../../spec/sources.toml")),
    ("errata.toml", include_str!("../../spec/errata.toml")),
    ("observations.toml", include_str!("../../spec/observations.toml")),
    ("callers.toml", include_str!("../../spec/callers.toml")),
    ("pins.toml", include_str!("../../spec/pins.toml")),
    ("calls/accept_security_context.toml", include_str!("../../spec/calls/accept_security_context.toml")),
    ("calls/acquire_credentials_handle.toml", include_str!("../../spec/calls/acquire_credentials_handle.toml")),
    ("calls/complete_auth_token.toml", include_str!("../../spec/calls/complete_auth_token.toml")),
    ("calls/decrypt_message.toml", include_str!("../../spec/calls/decrypt_message.toml")),
    ("calls/delete_security_context.toml", include_str!("../../spec/calls/delete_security_context.toml")),
    ("calls/encrypt_message.toml", include_str!("../../spec/calls/encrypt_message.toml")),
    ("calls/enumerate_security_packages.toml", include_str!("../../spec/calls/enumerate_security_packages.toml")),
    ("calls/free_context_buffer.toml", include_str!("../../spec/calls/free_context_buffer.toml")),
    ("calls/free_credentials_handle.toml", include_str!("../../spec/calls/free_credentials_handle.toml")),
    ("calls/initialize_security_context.toml", include_str!("../../spec/calls/initialize_security_context.toml")),
    ("calls/make_signature.toml", include_str!("../../spec/calls/make_signature.toml")),
    ("calls/query_context_attributes.toml", include_str!("../../spec/calls/query_context_attributes.toml")),
    ("calls/query_security_package_info.toml", include_str!("../../spec/calls/query_security_package_info.toml")),
    ("calls/verify_signature.toml", include_str!("../../spec/calls/verify_signature.toml")),
    ("calls/any/accept_security_context.toml", include_str!("../../spec/calls/any/accept_security_context.toml")),
    ("calls/any/acquire_credentials_handle.toml", include_str!("../../spec/calls/any/acquire_credentials_handle.toml")),
    ("calls/any/complete_auth_token.toml", include_str!("../../spec/calls/any/complete_auth_token.toml")),
    ("calls/any/decrypt_message.toml", include_str!("../../spec/calls/any/decrypt_message.toml")),
    ("calls/any/delete_security_context.toml", include_str!("../../spec/calls/any/delete_security_context.toml")),
    ("calls/any/encrypt_message.toml", include_str!("../../spec/calls/any/encrypt_message.toml")),
    (
        "calls/any/initialize_security_context.toml",
        include_str!("../../spec/calls/any/initialize_security_context.toml"),
    ),
    ("calls/any/make_signature.toml", include_str!("../../spec/calls/any/make_signature.toml")),
    ("calls/any/query_context_attributes.toml", include_str!("../../spec/calls/any/query_context_attributes.toml")),
    ("calls/any/verify_signature.toml", include_str!("../../spec/calls/any/verify_signature.toml")),
    ("calls/sasl/accept_security_context.toml", include_str!("../../spec/calls/sasl/accept_security_context.toml")),
    ("calls/sasl/complete_auth_token.toml", include_str!("../../spec/calls/sasl/complete_auth_token.toml")),
    ("calls/sasl/decrypt_message.toml", include_str!("../../spec/calls/sasl/decrypt_message.toml")),
    ("calls/sasl/encrypt_message.toml", include_str!("../../spec/calls/sasl/encrypt_message.toml")),
    (
        "calls/sasl/initialize_security_context.toml",
        include_str!("../../spec/calls/sasl/initialize_security_context.toml"),
    ),
    ("calls/sasl/make_signature.toml", include_str!("../../spec/calls/sasl/make_signature.toml")),
    ("calls/sasl/query_context_attributes.toml", include_str!("../../spec/calls/sasl/query_context_attributes.toml")),
    ("calls/sasl/verify_signature.toml", include_str!("../../spec/calls/sasl/verify_signature.toml")),
    ("observed/sspi-rs.toml", include_str!("../../spec/observed/sspi-rs.toml")),
    ("observed/winpr.toml", include_str!("../../spec/observed/winpr.toml")),
    ("observed/wine.toml", include_str!("../../spec/observed/wine.toml")),
];

/// One thing wrong with one file, said in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, below `spec/`.
    pub file: String,
    /// The row, situation, fact or key; empty where it is the file itself.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "spec/{}: ", self.file)?;
        if !self.place.is_empty() {
            write!(formatter, "{}: ", self.place)?;
        }
        formatter.write_str(&self.what)
    }
}

/// Why the tables could not be loaded: everything that was found, one line each.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct SpecError {
    /// What was found, in the order of the files.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Where problems are gathered while a file is read.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    pub(super) file: &'a str,
    pub(super) found: &'a mut Vec<Problem>,
}

impl Problems<'_> {
    pub(super) fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        // Names and values are of the tables, in which TOML can escape anything.
        let [place, what] = [place.into(), what.into()].map(|text: String| visible(&text).into_owned());
        self.found.push(Problem { file: self.file.to_owned(), place, what });
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    spec_version: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct StatusFile {
    #[serde(default)]
    status: Vec<StatusEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MachineFile {
    #[serde(default)]
    state: Vec<StateEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FactFile {
    #[serde(default)]
    fact: Vec<FactText>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SourceFile {
    #[serde(default)]
    source: Vec<Source>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ErrataFile {
    #[serde(default)]
    erratum: Vec<Erratum>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ObservationFile {
    #[serde(default)]
    observation: Vec<Observation>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CallerFile {
    #[serde(default)]
    rule: Vec<CallerRuleEntry>,
}

impl Specification {
    /// The tables this crate was built with.
    ///
    /// # Errors
    /// Never for a released crate: a test loads them. Before that, what is wrong with them.
    pub fn embedded() -> Result<Self, SpecError> {
        Self::load(EMBEDDED)
    }

    /// The tables of a directory laid out as `spec/` is: its `*.toml`, those of `calls/` and those of `observed/`.
    ///
    /// # Errors
    /// Files that cannot be read, and everything [`Specification::load`] finds.
    pub fn from_directory(directory: &Path) -> Result<Self, SpecError> {
        let files = read_directory(directory)?;
        let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Self::load(&borrowed)
    }

    /// The tables in these texts, given with their names below `spec/` ("statuses.toml", "calls/….toml").
    ///
    /// # Errors
    /// Every problem found: a text that is no TOML or has an unknown key, an unknown fact, value, status, state,
    /// situation or role, a file that is missing, unknown or given twice.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, SpecError> {
        let mut problems = Vec::new();
        for (position, (name, _)) in files.iter().enumerate() {
            if files[..position].iter().any(|(other, _)| other == name) {
                Problems { file: name, found: &mut problems }.add("", "the file is given twice");
            }
            if !name.starts_with("calls/") && !name.starts_with(OBSERVED) && !TABLES.contains(name) {
                Problems { file: name, found: &mut problems }.add("", "no such table is known");
            }
        }
        let version = table(files, "spec.toml", &mut problems).map(|file: SpecFile| file.spec_version);
        let statuses = table(files, "statuses.toml", &mut problems).map(|file: StatusFile| file.status);
        let states =
            table(files, "machine.toml", &mut problems).map(|file: MachineFile| file.state).unwrap_or_default();
        let facts = table(files, "facts.toml", &mut problems).map(|file: FactFile| file.fact);
        let sources = table(files, "sources.toml", &mut problems).map(|file: SourceFile| file.source);
        let errata = table(files, "errata.toml", &mut problems).map(|file: ErrataFile| file.erratum);
        let observations =
            table(files, "observations.toml", &mut problems).map(|file: ObservationFile| file.observation);
        let callers = table(files, "callers.toml", &mut problems).map(|file: CallerFile| file.rule);
        let pins = table(files, "pins.toml", &mut problems).map(|pins: Pins| pins);
        let calls = calls(files, &states, &mut problems);
        let observed = observed(files, &mut problems);
        if !problems.is_empty() {
            return Err(SpecError { problems });
        }
        Ok(Self {
            version: version.unwrap_or_default(),
            statuses: statuses.unwrap_or_default(),
            states,
            facts: facts.unwrap_or_default(),
            calls,
            sources: sources.unwrap_or_default(),
            errata: errata.unwrap_or_default(),
            observations: observations.unwrap_or_default(),
            observed,
            callers: callers.unwrap_or_default(),
            pins: pins.unwrap_or_default(),
        })
    }
}

const TABLES: &[&str] = &[
    "spec.toml",
    "statuses.toml",
    "machine.toml",
    "facts.toml",
    "sources.toml",
    "errata.toml",
    "observations.toml",
    "callers.toml",
    "pins.toml",
];

/// Where the files of [`Observed`] are.
const OBSERVED: &str = "observed/";

fn table<T: DeserializeOwned>(files: &[(&str, &str)], name: &str, found: &mut Vec<Problem>) -> Option<T> {
    let mut problems = Problems { file: name, found };
    match files.iter().find(|(file, _)| *file == name) {
        Some((_, text)) => parse(text, &mut problems),
        None => {
            problems.add("", "the file is missing");
            None
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str, problems: &mut Problems<'_>) -> Option<T> {
    match toml::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let line = error.span().map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            let place = line.map_or_else(String::new, |line| format!("line {line}"));
            problems.add(place, error.message().split_whitespace().collect::<Vec<_>>().join(" "));
            None
        }
    }
}

/// What was observed, in the order of the files.
fn observed(files: &[(&str, &str)], found: &mut Vec<Problem>) -> Vec<Observed> {
    let of_observed = files.iter().filter(|(name, _)| name.starts_with(OBSERVED));
    of_observed.filter_map(|(name, text)| parse(text, &mut Problems { file: name, found })).collect()
}

/// The tables, in the order in which [`CallName`](super::names::CallName) declares their calls, HTTP before SASL.
fn calls(files: &[(&str, &str)], states: &[StateEntry], found: &mut Vec<Problem>) -> Vec<CallSpec> {
    let mut calls: Vec<CallSpec> = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("calls/")) {
        let mut problems = Problems { file: name, found };
        let Some(file) = parse::<CallFile>(text, &mut problems) else { continue };
        let call = compile::call(file, states, &mut problems);
        let expected = file_name(call.name.name(), &call.profiles);
        if *name != expected {
            problems.add("call", format!("{} belongs into {expected}", call.title()));
        }
        if call.profiles.is_empty() {
            problems.add("call.profile", "no mechanism is named");
        }
        calls.push(call);
    }
    calls.sort_by(|one, other| (one.name, &one.profiles).cmp(&(other.name, &other.profiles)));
    calls
}

/// The name below `spec/` of the file of a table: CompleteAuthToken is in `calls/complete_auth_token.toml`, SASL's own
/// table of it in `calls/sasl/complete_auth_token.toml`, that of any package in `calls/any/complete_auth_token.toml`.
pub fn file_name(call: &str, profiles: &[Profile]) -> String {
    let mut name = String::from(match profiles {
        [Profile::DigestSasl] => "calls/sasl/",
        [Profile::AnyPackage] => "calls/any/",
        [] | [Profile::DigestHttp] | [_, _, ..] => "calls/",
    });
    for (position, character) in call.chars().enumerate() {
        if character.is_ascii_uppercase() && position > 0 {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name + ".toml"
}

/// The names and texts of the tables of a directory, sorted by name.
///
/// # Errors
/// What cannot be read.
pub fn read_directory(directory: &Path) -> Result<Vec<(String, String)>, SpecError> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for prefix in ["", "calls/", "calls/any/", "calls/sasl/", OBSERVED] {
        if let Err(error) = read_folder(prefix, &directory.join(prefix), &mut files) {
            problems.push(Problem { file: prefix.to_owned(), place: String::new(), what: error.to_string() });
        }
    }
    files.sort();
    if problems.is_empty() { Ok(files) } else { Err(SpecError { problems }) }
}

fn read_folder(prefix: &str, folder: &Path, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((format!("{prefix}{name}"), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EMBEDDED, Problems, Profile, Specification, file_name, read_directory};
    use std::path::Path;

    #[test]
    fn a_problem_is_one_line_whatever_is_escaped_in_a_table() {
        let mut found = Vec::new();
        Problems { file: "a.toml", found: &mut found }.add("row `x\n`", "`\u{1b}[2J\r` is no value of it");
        assert_eq!(found[0].to_string(), r"spec/a.toml: row `x\n`: `\u{1b}[2J\r` is no value of it");
    }

    #[test]
    fn the_tables_compiled_in_are_those_of_the_directory() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
        let mut embedded: Vec<(String, String)> =
            EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        embedded.sort();
        let read = read_directory(&directory).expect("spec/ can be read");
        let names = |files: &[(String, String)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&embedded), names(&read));
        assert!(embedded == read, "a table has changed since this crate was built");
    }

    #[test]
    fn the_tables_compiled_in_can_be_loaded() {
        if let Err(error) = Specification::embedded() {
            panic!("{error}");
        }
    }

    #[test]
    fn a_call_is_found_under_its_name_in_snake_case() {
        assert_eq!(file_name("CompleteAuthToken", &[Profile::DigestHttp]), "calls/complete_auth_token.toml");
        assert_eq!(file_name("CompleteAuthToken", &[Profile::DigestSasl]), "calls/sasl/complete_auth_token.toml");
        assert_eq!(file_name("CompleteAuthToken", &[Profile::AnyPackage]), "calls/any/complete_auth_token.toml");
        assert_eq!(file_name("DeleteSecurityContext", Profile::ALL), "calls/delete_security_context.toml");
    }
}
