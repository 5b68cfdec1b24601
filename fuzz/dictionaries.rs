//! Dictionaries for fuzzers: the words of the formats that targets read, taken from `spec/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// In how many tokens of the vectors a word must be, to be one that implementations know.
const KNOWN: usize = 5;

/// The dictionaries by target: what stands in `fuzz/dictionaries`. `root` is where the package is.
pub(crate) fn dictionaries(root: &Path) -> BTreeMap<&'static str, String> {
    let spec = root.join("spec");
    let (tokens, lines, tables) = (of_tokens(&spec), of_lines(&spec), of_tables(&spec));
    let targets = [
        ("adapter_protocol", &lines),
        ("challenge", &tokens),
        ("complete_auth_token", &tokens),
        ("directives", &tokens),
        ("response", &tokens),
        ("spec_tables", &tables),
    ];
    targets.map(|(target, words)| (target, written(words))).into_iter().collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_in_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    text.split(move |character| !is_in_word(character)).filter(|word| (2..32).contains(&word.len()))
}

/// Directives and their values: the words that many tokens of the vectors have.
fn of_tokens(spec: &Path) -> BTreeSet<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in ["http_challenge", "http_response", "sasl_challenge", "sasl_response"] {
        let file = json(&spec.join(format!("vectors/{name}_token.json")));
        let mut texts = Vec::new();
        strings_at("token", &file, &mut texts);
        for token in texts {
            let is_letter =
                |word: &&str| word.bytes().any(|byte| byte.is_ascii_lowercase() && !byte.is_ascii_hexdigit());
            for word in words(token).filter(is_letter).collect::<BTreeSet<_>>() {
                *times.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    times.into_iter().filter(|(_, times)| *times >= KNOWN).map(|(word, _)| word).collect()
}

/// Every text below that name.
fn strings_at<'v>(name: &str, value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                found.extend(value.as_str().filter(|_| member == name));
                strings_at(name, value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings_at(name, value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What the schema of the adapter protocol names, in quotes, and the statuses.
fn of_lines(spec: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    named(&json(&spec.join("schemas/adapter.schema.json")), &mut names);
    let statuses = read(&spec.join("statuses.toml"));
    names.extend(words(&statuses).filter(|word| word.starts_with("SEC_")).map(str::to_owned));
    names.into_iter().map(|name| format!("\"{name}\"")).collect()
}

/// Members and values that a schema names.
fn named(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (member, value) in members {
                match (member.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        names.extend(properties.keys().cloned());
                        properties.values().for_each(|property| named(property, names));
                    }
                    ("const", Value::String(value)) => names.extend([value.clone()]),
                    ("enum", Value::Array(values)) => {
                        names.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    (_, other) => named(other, names),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| named(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keys and headings of the tables, and the names of facts and their values.
fn of_tables(spec: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in ["calls/complete_auth_token.toml", "facts.toml", "machine.toml", "statuses.toml", "sources.toml"] {
        let text = read(&spec.join(file));
        for line in text.lines() {
            if line.starts_with('[') {
                found.insert(line.to_owned());
            } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| words(key).eq([*key])) {
                found.insert(format!("{key} = "));
            }
        }
    }
    found.extend(
        words(&read(&spec.join("facts.toml"))).filter(|word| word.contains('-')).map(|word| format!("\"{word}\"")),
    );
    found
}

/// As libFuzzer and AFL++ read it: a word in quotes on each line.
fn written(words: &BTreeSet<String>) -> String {
    let line = |word: &String| format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""));
    words.iter().map(line).collect()
}
