//! The reference machines before Spin: what is asserted of them holds, and a machine of which it does not is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine_support::{made, specification};
use crate::program_support::available;
use digest_ssp::conformance::generate::alphabet;
use digest_ssp::conformance::generate::mealy::Transition;
use digest_ssp::conformance::generate::promela::{ModelError, model};

fn output(directory: &Path, program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).current_dir(directory).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{} {arguments:?}: {}\n{stdout}{stderr}", program.display(), output.status);
    stdout
}

/// What the verifier that Spin makes of a model says of it; `None` where there is no Spin, which on CI is a failure.
fn verified(name: &str, model: &str) -> Option<String> {
    if !available("spin", Command::new("spin").arg("-V")) {
        return None;
    }
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("spin").join(name);
    fs::create_dir_all(&directory).expect("the target directory can be written");
    fs::write(directory.join("model.pml"), model).expect("the target directory can be written");
    output(&directory, Path::new("spin"), &["-a", "model.pml"]);
    output(&directory, Path::new("gcc"), &["-w", "-DSAFETY", "-o", "pan", "pan.c"]);
    Some(output(&directory, &directory.join("pan"), &[]))
}

#[test]
fn what_is_asserted_holds_of_the_machines_of_one_context() {
    let specification = specification();
    let mut checked = 0;
    for (name, _) in alphabet::names() {
        let (alphabet, reference) = made(&specification, name);
        match model(&specification, &alphabet, &reference) {
            Ok(model) => {
                let Some(said) = verified(name, &model) else { return };
                assert!(said.contains("errors: 0"), "{said}");
                // Every transition is taken: nothing that leads to a state is left out.
                let unreached = said.split("unreached in proctype machine").nth(1).expect("it tells");
                assert!(unreached.contains("-end-") && !unreached.contains("state = "), "{said}");
                checked += 1;
            }
            Err(ModelError::SeveralContexts(..)) => assert!(alphabet.contexts > 1),
        }
    }
    assert_eq!(checked, 2);
}

/// The machine with another answer, or another way to go, where a word leads.
struct Change {
    alphabet: &'static str,
    word: &'static [&'static str],
    symbol: &'static str,
    /// The output it gives instead, and the word after whose output it stays where it was.
    output: Option<&'static str>,
    stays: bool,
    /// A part of the assertion that is violated, as Spin writes it: without the names that the model gives.
    asserted: &'static str,
}

const CHALLENGE: &str = "AcceptSecurityContext token=absent qop=auth-int";
const LATER: &str = "AcceptSecurityContext entity=absent";
const COMPLETE: &str = "CompleteAuthToken names=this entity=given";
const ALTERED: &str = "CompleteAuthToken names=this entity=given digest=differs";
const GOES_ON: &str =
    "InitializeSecurityContext token=well-formed kind=challenge qop=auth-int entity=absent stale=yes mutual=yes";

const CHANGES: &[Change] = &[
    Change {
        alphabet: "digest-acceptor",
        word: &[CHALLENGE],
        symbol: COMPLETE,
        output: Some("SEC_E_OK handle=same buffers=authentication-info-if-output"),
        stays: false,
        asserted: "due",
    },
    // Completed again: the first success leaves the context where it was.
    Change {
        alphabet: "digest-acceptor",
        word: &[CHALLENGE, LATER],
        symbol: COMPLETE,
        output: None,
        stays: true,
        asserted: "due",
    },
    Change {
        alphabet: "digest-acceptor",
        word: &[CHALLENGE, LATER, ALTERED],
        symbol: "VerifySignature names=this entity=given",
        output: Some("SEC_E_OK handle=same buffers=untouched"),
        stays: false,
        asserted: "before==",
    },
    Change {
        alphabet: "digest-acceptor",
        word: &[CHALLENGE],
        symbol: "DeleteSecurityContext",
        output: Some("SEC_E_INVALID_HANDLE handle=same buffers=untouched"),
        stays: true,
        asserted: "handle==",
    },
    Change {
        alphabet: "digest-acceptor",
        word: &[CHALLENGE],
        symbol: "DeleteSecurityContext handle=forged",
        output: Some("SEC_E_OK handle=none buffers=untouched"),
        stays: true,
        asserted: "violated!(",
    },
    Change {
        alphabet: "digest-initiator",
        word: &[GOES_ON, "CompleteAuthToken entity=given ours=same"],
        symbol: "MakeSignature entity=given",
        output: Some("SEC_E_OK handle=same buffers=header"),
        stays: true,
        asserted: "established",
    },
];

#[test]
fn a_machine_of_which_it_does_not_hold_is_refused() {
    let specification = specification();
    for (number, change) in CHANGES.iter().enumerate() {
        let (alphabet, mut reference) = made(&specification, change.alphabet);
        let class = |name: &str| {
            let symbol = alphabet.position(name).unwrap_or_else(|| panic!("no symbol {name}"));
            reference.classes.iter().position(|class| class.contains(&symbol)).expect("a class has it")
        };
        let word: Vec<usize> = change.word.iter().map(|name| class(name)).collect();
        let state = reference.machine.after(0, &word);
        let input = class(change.symbol);
        let step = reference.machine.step(state, input);
        let output = change.output.map_or(step.output, |wanted| {
            reference.outputs.iter().position(|output| output == wanted).unwrap_or_else(|| panic!("no output {wanted}"))
        });
        let next = if change.stays { state } else { step.next };
        let changed = reference.machine.clone().with(state, input, Transition { output, next });
        assert_ne!(changed, reference.machine, "{}: nothing is changed", change.symbol);
        reference.machine = changed;
        let model = model(&specification, &alphabet, &reference).unwrap_or_else(|error| panic!("{error}"));
        let Some(said) = verified(&format!("changed-{number}"), &model) else { return };
        assert!(said.contains("errors: 1"), "{}: {said}", change.symbol);
        let violated =
            said.lines().find(|line| line.contains("assertion violated")).unwrap_or_else(|| panic!("{said}"));
        assert!(violated.replace(' ', "").contains(change.asserted), "{}: {violated}", change.symbol);
    }
}
