//! What both agreement tests need: the witness's process, its protocol, and a source of test cases.

use crate::program_support::python;
use digest_ssp::digest::TokenError;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

// Octets as the protocol writes them.

pub(crate) fn to_hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes everything");
        text
    })
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("the protocol writes octets as hex");
    (0..text.len()).step_by(2).map(digit).collect()
}

pub(crate) fn octets(request: &Value, name: &str) -> Option<Vec<u8>> {
    request.get(name).and_then(Value::as_str).map(from_hex)
}

pub(crate) fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request.get(name).and_then(Value::as_str).expect("a text field of the protocol")
}

pub(crate) fn account(request: &Value) -> (&str, &str, &str) {
    (text(request, "username"), text(request, "realm"), text(request, "password"))
}

/// The answer to a token that the subject refuses.
pub(crate) fn offence_answer(offence: &TokenError) -> Value {
    match offence {
        TokenError::Syntax(syntax) => json!({"verdict": "syntax", "position": syntax.position}),
        TokenError::Repeated { directive, position } => {
            json!({"verdict": format!("repeated:{directive}"), "position": position})
        }
        TokenError::Invalid { directive, position, expected: _ } => {
            json!({"verdict": format!("invalid:{directive}"), "position": position})
        }
        TokenError::Missing { directive } => json!({"verdict": format!("missing:{directive}"), "position": null}),
    }
}

pub(crate) fn assert_no_disagreement(disagreements: impl Iterator<Item = String>) {
    let disagreements: Vec<_> = disagreements.collect();
    let shown: String = disagreements.iter().take(10).map(String::as_str).collect();
    assert!(disagreements.is_empty(), "{} disagreements, the first:\n{shown}", disagreements.len());
}

// The witness's process.

pub(crate) fn witness(arguments: &[&str], input: String) -> Vec<Value> {
    let python = python();
    let mut process = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/witness.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("this test needs Python 3 ({}; PYTHON names another): {error}", python.display())
        });
    let mut stdin = process.stdin.take().expect("stdin is piped");
    // Written from aside, as the answers begin to come before all is written.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().expect("the witness runs");
    // `generate` may end without reading; then there was nothing to write either.
    writer.join().expect("the writer does not panic").expect("the witness reads its input");
    assert!(output.status.success(), "the witness failed: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("the witness writes UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("the witness writes JSON")).collect()
}

/// Requests of that profile with the witness's answers.
pub(crate) fn generated(profile: &str, seed: u64, count: usize) -> Vec<Value> {
    let (seed, count_text) = (seed.to_string(), count.to_string());
    let lines = witness(&["generate", "--profile", profile, "--seed", &seed, "--count", &count_text], String::new());
    assert_eq!(lines.len(), count);
    lines
}

pub(crate) fn verified(requests: &[Value]) -> Vec<Value> {
    let input = requests.iter().map(|request| format!("{request}\n")).collect();
    let answers = witness(&["verify"], input);
    assert_eq!(answers.len(), requests.len());
    answers
}

pub(crate) fn seed() -> u64 {
    std::env::var("WITNESS_SEED").map_or(1, |seed| seed.parse().expect("WITNESS_SEED is a number"))
}

/// SplitMix64: enough to draw test cases, the same everywhere.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("a small bound");
        usize::try_from((z ^ (z >> 31)) % bound).expect("below the bound")
    }

    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(crate) fn octets_below(&mut self, bound: usize) -> Vec<u8> {
        let length = self.below(bound);
        std::iter::repeat_with(|| self.octet()).take(length).collect()
    }

    pub(crate) fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("below 256")
    }

    /// A nonce, cnonce or opaque that a token can carry.
    pub(crate) fn opaque_text(&mut self) -> Vec<u8> {
        let mut octets = self.octets_below(40);
        octets.retain(|&octet| octet == b'\t' || (octet >= 0x20 && octet != 0x7f));
        octets
    }

    /// The request to judge a token, which may have been edited.
    pub(crate) fn with_token(&mut self, mut request: Value, mut token: Vec<u8>) -> Value {
        let mutated = self.below(3) > 0;
        if mutated {
            self.edit(&mut token);
        }
        request["token"] = to_hex(&token).into();
        request["mutated"] = mutated.into();
        request
    }

    pub(crate) fn edit(&mut self, token: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let octet = if self.once_in(2) { self.octet() } else { self.one_of(b"\",=\\ \t\r\n0a") };
            let at = self.below(token.len() + 1);
            match self.below(4) {
                0 => token.insert(at, octet),
                1 if at < token.len() => token[at] = octet,
                2 if at < token.len() => drop(token.remove(at)),
                3 if self.once_in(4) => token.truncate(at),
                _ => token.splice(at..at, *b"\r\n ").for_each(drop),
            }
        }
    }
}
