//! Machines as pictures and as data.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Learned;
use super::compare::Difference;
use crate::conformance::generate::mealy::Transition;

/// The version of the form in which machines are written.
pub const MACHINE_VERSION: u32 = 1;

/// The machine and its differences from the tables: see `spec/schemas/machine.schema.json`.
pub fn json(spec_version: &str, learned: &Learned, differences: &[Difference]) -> Value {
    let machine = &learned.machine;
    let transition = |state: usize, input: usize| {
        let Transition { output, next } = machine.step(state, input);
        json!([output, next])
    };
    let states: Vec<Value> = (0..machine.states())
        .map(|state| (0..machine.inputs()).map(|input| transition(state, input)).collect())
        .collect();
    json!({
        "machine_version": MACHINE_VERSION,
        "spec_version": spec_version,
        "subject": learned.subject,
        "alphabet": learned.alphabet,
        "words": learned.words,
        "steps": learned.steps,
        "inputs": learned.inputs,
        "outputs": learned.outputs,
        "states": states,
        "differences": differences,
    })
}

/// The transitions that lead somewhere else, by where they lead: the labels together. What stays is left out, for a picture
/// that can be looked at.
fn edges(learned: &Learned) -> BTreeMap<(usize, usize), Vec<String>> {
    let machine = &learned.machine;
    let mut edges: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for state in 0..machine.states() {
        for input in 0..machine.inputs() {
            let Transition { output, next } = machine.step(state, input);
            if next != state {
                let status = learned.outputs[output].split(' ').next().unwrap_or_default();
                edges.entry((state, next)).or_default().push(format!("{} / {status}", learned.inputs[input]));
            }
        }
    }
    edges
}

/// How many labels an edge shows.
const LABELS: usize = 4;

fn label(labels: &[String], line_break: &str) -> String {
    let mut shown: Vec<String> = labels.iter().take(LABELS).cloned().collect();
    if labels.len() > LABELS {
        shown.push(format!("and {} more", labels.len() - LABELS));
    }
    shown.join(line_break)
}

/// A graph in the language of Graphviz.
pub fn dot(learned: &Learned) -> String {
    let mut text = String::from(
        "digraph machine {\n  rankdir=LR;\n  node [shape=circle];\n  start [shape=point];\n  start -> 0;\n",
    );
    for ((from, to), labels) in edges(learned) {
        let _ = writeln!(text, "  {from} -> {to} [label=\"{}\"];", label(&labels, "\\n"));
    }
    text + "}\n"
}

/// A state diagram in the language of Mermaid.
pub fn mermaid(learned: &Learned) -> String {
    let mut text = String::from("stateDiagram-v2\n  [*] --> s0\n");
    for ((from, to), labels) in edges(learned) {
        let _ = writeln!(text, "  s{from} --> s{to}: {}", label(&labels, "<br/>"));
    }
    text
}
