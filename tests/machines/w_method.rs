//! The W-method of other makers on the same machines: AALpy's kills the faults that our suites kill, and no other.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::machine_support::{made, specification};
use crate::program_support::{available, python};
use digest_ssp::conformance::generate::alphabet;
use digest_ssp::conformance::generate::method::Method;
use digest_ssp::conformance::generate::suite::Suite;
use serde_json::{Value, json};

/// How many faulty machines are drawn of each machine.
const FAULTS: u64 = 300;

/// The machine of an alphabet over the classes of its symbols, and the sequences of our suite.
fn machine(name: &str) -> Value {
    let specification = specification();
    let (alphabet, reference) = made(&specification, name);
    let suite = Suite::of(&specification, &alphabet, &reference, Method::W, 0);
    let machine = &reference.machine;
    let cell = |state: usize, input: usize| {
        let step = machine.step(state, input);
        [step.output, step.next]
    };
    let row = |state: usize| (0..machine.inputs()).map(|input| cell(state, input)).collect::<Vec<_>>();
    let states: Vec<_> = (0..machine.states()).map(row).collect();
    json!({ "outputs": reference.outputs.len(), "states": states, "sequences": suite.sequences })
}

/// What both kill of the faults of a machine; `None` where there is no AALpy, which on CI is a failure.
fn killed(machine: &Value) -> Option<Value> {
    if !available("AALpy", Command::new(python()).args(["-c", "import aalpy"])) {
        return None;
    }
    let mut kills = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/w_method.py"))
        .args([FAULTS.to_string(), "1".into()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was found before");
    // It reads all before it writes anything.
    let mut stdin = kills.stdin.take().expect("stdin is piped");
    stdin.write_all(machine.to_string().as_bytes()).expect("it reads all");
    drop(stdin);
    let output = kills.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", output.status);
    Some(serde_json::from_slice(&output.stdout).expect("it prints JSON"))
}

#[test]
fn both_kill_the_same_faults() {
    for (alphabet, _) in alphabet::names() {
        let Some(told) = killed(&machine(alphabet)) else { return };
        for none in ["only_ours", "only_theirs", "survived"] {
            assert_eq!(told[none], Value::Array(Vec::new()), "{alphabet}: {told}");
        }
        let [ours, theirs, equivalent] = ["ours", "theirs", "equivalent"].map(|name| told[name].as_u64());
        assert_eq!(ours, theirs, "{alphabet}: {told}");
        assert_eq!(ours.zip(equivalent).map(|(killed, equivalent)| killed + equivalent), Some(FAULTS), "{alphabet}");
    }
}

/// The comparison must be able to fail: a suite that lacks most of its sequences.
#[test]
fn what_a_poor_suite_leaves_is_told() {
    let mut poor = machine("digest-acceptor");
    poor["sequences"].as_array_mut().expect("a suite has sequences").truncate(20);
    let Some(told) = killed(&poor) else { return };
    assert_eq!(told["only_ours"], Value::Array(Vec::new()), "{told}");
    assert!(told["only_theirs"].as_array().is_some_and(|faults| faults.len() > 50), "{told}");
}
