//! What a file of vectors must not say, whatever its operation.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::file::{File, Source, Vector};
use super::{Operation, verdict};

const SCHEMA: &str = "../schemas/vectors.schema.json";

/// The vector that breaks a rule, if it is one, and the rule.
type Found = (Option<String>, String);

/// Every rule that the file breaks; `inputs` are those of its vectors in their order.
pub(super) fn problems<O: Operation>(name: &str, file: &File<O>, inputs: &[Value]) -> Vec<Found> {
    let mut found = Vec::new();
    of_the_file(name, file, &mut found);
    let vectors: Vec<&Vector<O>> = file.groups.iter().flat_map(|group| &group.vectors).collect();
    for vector in &vectors {
        let of_it = |text| (Some(vector.id.clone()), text);
        found.extend(of_the_vector(vector).into_iter().chain(flags(vector, file)).map(of_it));
    }
    let used: BTreeSet<&String> = vectors.iter().flat_map(|vector| &vector.flags).collect();
    let unused = file.notes.keys().filter(|flag| !used.contains(flag));
    found.extend(unused.map(|flag| (None, format!("no vector has the flag of the note {flag}"))));
    found.extend(duplicates(&vectors, inputs));
    found
}

fn of_the_file<O: Operation>(name: &str, file: &File<O>, found: &mut Vec<Found>) {
    let mut say = |text: String| found.push((None, text));
    if file.schema != SCHEMA {
        say(format!("$schema is {}, and has to be {SCHEMA}", file.schema));
    }
    let proper = format!("{}.json", file.operation.replace('-', "_"));
    if name != proper {
        say(format!("a file of {} is called {proper}", file.operation));
    }
    if file.about.trim().is_empty() {
        say("`about` says nothing".to_owned());
    }
    if file.groups.is_empty() {
        say("it has no group".to_owned());
    }
    for group in &file.groups {
        if group.about.trim().is_empty() {
            say("a group's `about` says nothing".to_owned());
        }
        if group.vectors.is_empty() {
            say(format!("the group `{}` has no vector", group.about));
        }
    }
    for (flag, note) in &file.notes {
        if note.description.trim().is_empty() {
            say(format!("the note {flag} says nothing"));
        }
        for link in note.links.iter().filter(|link| !link.starts_with("https://")) {
            say(format!("the note {flag} links to {link}, which is no https address"));
        }
    }
}

fn of_the_vector<O: Operation>(vector: &Vector<O>) -> Vec<String> {
    let mut found = Vec::new();
    if !is_id(&vector.id, O::NAME) {
        found.push(format!("an id is {}, a slash, and words of small letters, digits and hyphens", O::NAME));
    }
    if vector.comment.trim().is_empty() {
        found.push("`comment` says nothing".to_owned());
    }
    if vector.result != verdict(O::status(&vector.expected)) {
        found.push("`valid` goes with SEC_E_OK, `invalid` with anything else".to_owned());
    }
    let named = match &vector.source {
        Source::Published { document, section } => ![document, section].iter().any(|text| text.trim().is_empty()),
        Source::Interop { peer } => !peer.trim().is_empty(),
        Source::Generated {} => true,
    };
    if !named {
        found.push("`source` names nothing".to_owned());
    }
    found
}

fn is_id(id: &str, operation: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    id.strip_prefix(operation).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| rest.split('/').all(word))
}

fn flags<O: Operation>(vector: &Vector<O>, file: &File<O>) -> Vec<String> {
    let mut found = Vec::new();
    if vector.flags.is_empty() {
        found.push("it has no flag".to_owned());
    }
    let mut seen = BTreeSet::new();
    for flag in &vector.flags {
        if !seen.insert(flag) {
            found.push(format!("it has the flag {flag} twice"));
        } else if !file.notes.contains_key(flag) {
            found.push(format!("no note explains the flag {flag}"));
        }
    }
    found
}

fn duplicates<O: Operation>(vectors: &[&Vector<O>], inputs: &[Value]) -> Vec<Found> {
    let mut first: HashMap<String, &str> = HashMap::new();
    let mut found = Vec::new();
    for (vector, input) in vectors.iter().zip(inputs) {
        // A map of serde_json keeps its names in order, so that the order in the file is no matter.
        match first.get(&input.to_string()) {
            Some(earlier) => found.push((Some(vector.id.clone()), format!("its input is that of {earlier}"))),
            None => drop(first.insert(input.to_string(), &vector.id)),
        }
    }
    found
}
