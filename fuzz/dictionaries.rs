//! Dictionaries for fuzzers: the words of the formats that targets read, taken from `spec/` and the vocabulary that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use digest_ssp::buffer::BufferType;
use digest_ssp::conformance::action::{Action, CallAction, Edit, Wishes};
use digest_ssp::conformance::encoding::encode;
use digest_ssp::conformance::plan::{Sequence, credentials_of_every_kind};
use digest_ssp::spec::names::CallName;
use digest_ssp::spec::setup::Setup;
use digest_ssp::spec::vocabulary::Fact;
use serde_json::Value;

/// What a fuzzer puts into an input as one.
type Words = BTreeSet<Vec<u8>>;

/// The kinds of tokens that the vectors have: of acceptors, and of initiators.
pub(crate) const CHALLENGES: [&str; 2] = ["http_challenge", "sasl_challenge"];
pub(crate) const RESPONSES: [&str; 2] = ["http_response", "sasl_response"];

/// In how many tokens of the vectors a word must be, to be one that implementations know.
const KNOWN: usize = 5;

/// The dictionaries by target: what stands in `fuzz/dictionaries`. `root` is where the package is.
pub(crate) fn dictionaries(root: &Path) -> BTreeMap<&'static str, String> {
    let spec = root.join("spec");
    let texts = |words: BTreeSet<String>| words.into_iter().map(String::into_bytes).collect::<Words>();
    let (tokens, lines, tables) = (texts(of_tokens(&spec)), texts(of_lines(&spec)), texts(of_tables(&spec)));
    let (wishes, edits, buffers) = (of_wishes(), of_edits(), of_buffers());
    let targets = [
        ("adapter_protocol", &lines),
        ("capi", &buffers),
        ("challenge", &tokens),
        ("complete_auth_token", &tokens),
        ("differential", &wishes),
        ("directives", &tokens),
        ("layers", &edits),
        ("operations", &wishes),
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
    for kind in CHALLENGES.iter().chain(&RESPONSES) {
        for token in vectors(spec, kind) {
            let is_letter =
                |word: &&str| word.bytes().any(|byte| byte.is_ascii_lowercase() && !byte.is_ascii_hexdigit());
            for word in words(&token).filter(is_letter).collect::<BTreeSet<_>>() {
                *times.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    times.into_iter().filter(|(_, times)| *times >= KNOWN).map(|(word, _)| word).collect()
}

/// The tokens of the vectors of that kind.
pub(crate) fn vectors(spec: &Path, kind: &str) -> Vec<String> {
    let file = json(&spec.join(format!("vectors/{kind}_token.json")));
    let mut texts = Vec::new();
    strings_at("token", &file, &mut texts);
    texts.into_iter().map(str::to_owned).collect()
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

/// What is said of a call behind its kind, its context and its variety.
fn said_of(call: CallAction) -> Vec<u8> {
    const BEFORE: usize = 4 + 1 + 1 + 8;
    let mut actions = credentials_of_every_kind();
    actions.push(Action::Call(call));
    let mut bytes = encode(&Sequence { setup: Setup::default(), actions }).expect("one call has bytes");
    bytes.split_off(BEFORE)
}

/// A wish for each value of each fact, of whatever call it becomes one.
fn of_wishes() -> Words {
    let values = |fact: &'static Fact| (0..=u8::MAX).zip(fact.values()).map(move |(value, _)| (*fact, value));
    let wish = |(fact, value)| {
        let mut wishes = Wishes::default();
        wishes.set(fact, value);
        said_of(CallAction { wishes, ..CallAction::new(CallName::AcceptSecurityContext, 0) })
    };
    Fact::ALL.iter().flat_map(values).map(wish).collect()
}

/// Edits of the buffers of a message where its parts begin: the MAC, the type and the number of RFC 2831 section 2.3.
fn of_edits() -> Words {
    let edits = [0, 10, 12].into_iter().flat_map(|at| {
        let bytes =
            [0, 1, u8::MAX].into_iter().flat_map(move |byte| [Edit::Overwrite { at, byte }, Edit::Insert { at, byte }]);
        bytes.chain([Edit::Remove { at }, Edit::Truncate { at }])
    });
    let said = |edit| {
        let said = said_of(CallAction { edits: vec![edit], ..CallAction::new(CallName::DecryptMessage, 0) });
        // Without how many wishes and how many edits there are.
        said[2..].to_vec()
    };
    edits.map(said).flat_map(|edit| (0..3).map(move |buffer| [&[buffer], edit.as_slice()].concat())).collect()
}

/// Buffers of each type with each attribute: a good one that is of that type now, and NULL with a length.
fn of_buffers() -> Words {
    let types = [
        BufferType::EMPTY,
        BufferType::DATA,
        BufferType::TOKEN,
        BufferType::PKG_PARAMS,
        BufferType::STREAM_TRAILER,
        BufferType::STREAM_HEADER,
        BufferType::PADDING,
        BufferType::STREAM,
        BufferType::CHANNEL_BINDINGS,
        BufferType::TARGET_HOST,
    ];
    let bytes = types.into_iter().flat_map(|kind| [0, 0x20, 0x40].map(|attribute| kind.0 as u8 | attribute));
    bytes.flat_map(|kind| [vec![1, 0, kind], vec![2, kind, u8::MAX]]).collect()
}

/// As libFuzzer and AFL++ read it: a word in quotes on each line.
fn written(words: &Words) -> String {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        _unprintable => format!("\\x{byte:02X}"),
    };
    words.iter().map(|word| format!("\"{}\"\n", word.iter().map(escaped).collect::<String>())).collect()
}
