//! The committed seeds of the fuzz targets, replayed through what the targets call, and what they reach.
#![cfg(feature = "adapters")]
#![forbid(unsafe_code)]

#[path = "../fuzz/dictionaries.rs"]
mod dictionaries;
mod seeds;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use digest_ssp::conformance::Step;
use digest_ssp::conformance::encoding::decode;
use digest_ssp::conformance::fuzzing::{self, Counterexample};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::status::SecurityStatus;
use proptest::test_runner::{TestCaseError, TestRunner};
use seeds::committed::files;
use seeds::{configuration, like_seeds, seeds};

/// Whether it was made for something, which its name says.
fn is_planned(name: &str) -> bool {
    !name.starts_with("found-") && !name.starts_with("regression-")
}

fn completes(step: &Step) -> bool {
    step.call.name() == CallName::CompleteAuthToken && step.outcome.status == SecurityStatus::SEC_E_OK
}

fn rows(steps: &[Step]) -> impl Iterator<Item = String> + '_ {
    steps.iter().filter_map(|step| step.judgement.row.clone())
}

/// How to mend what a change of plans or concretisers does to the seeds.
const AGAIN: &str = "`cargo run --example seed_corpus` writes the seeds again";

#[test]
fn operations_reach_every_row() {
    let mut reached = BTreeSet::new();
    let (mut complete, mut all) = (0, 0);
    for (name, bytes) in seeds("operations") {
        let trace = fuzzing::operations(decode(&bytes)).unwrap_or_else(|found| panic!("{name}: {found}"));
        if is_planned(&name) {
            // Behind the row stands what is special of the way to it.
            let own = rows(&trace.steps).any(|row| row == name.split('+').next().unwrap_or(&name));
            assert!(own, "{name} does not reach its row any more; {AGAIN}");
            reached.extend(rows(&trace.steps));
        }
        complete += usize::from(trace.steps.iter().any(completes));
        all += 1;
    }
    let specification = Specification::embedded().expect("the embedded tables load");
    // Fuzzers know what a token should be: of any package nobody does.
    let of_digest = Profile::DIGEST.iter().flat_map(|profile| specification.of(*profile));
    let rows = of_digest.flat_map(|tables| &tables.rows).map(|row| &row.id);
    let missing: Vec<_> = rows.filter(|id| !reached.contains(*id)).collect();
    assert!(missing.is_empty(), "no seed reaches {missing:?}; {AGAIN}");
    assert!(complete * 10 >= all * 3, "{complete} of {all} seeds complete a token; {AGAIN}");
}

/// What stands behind the row of a seed may be the name of what it tells.
#[test]
fn seeds_of_faults_tell_them() {
    let specification = Arc::new(Specification::embedded().expect("the embedded tables load"));
    let mut told = 0;
    for (name, bytes) in seeds("operations") {
        let Some((row, fault)) = name.split_once('+') else { continue };
        let Some(fault) = faulty::all().find(|known| known.name == fault) else { continue };
        let found = fuzzing::differential(&mut *fault.subject(&specification), decode(&bytes)).err();
        assert_eq!(found.map(|found| found.row).as_deref(), Some(row), "{name}; {AGAIN}");
        told += 1;
    }
    assert!(told > 0, "no seed is of a fault; {AGAIN}");
}

#[test]
fn edited_requests_reach_every_waiting_state() {
    let mut reached = BTreeSet::new();
    let (mut complete, mut all) = (0, 0);
    for (name, bytes) in seeds("complete_auth_token").into_iter().filter(|(name, _)| is_planned(name)) {
        let steps = fuzzing::complete_auth_token(&bytes).unwrap_or_else(|found| panic!("{name}: {found}"));
        let [.., edited, _good] = steps.as_slice() else { panic!("{name}: no completion") };
        reached.insert((edited.state, edited.outcome.status));
        complete += usize::from(completes(edited));
        all += 1;
    }
    for state in [
        "complete-needed-initial",
        "complete-needed-subsequent",
        "complete-and-continue-initial",
        "complete-and-continue-subsequent",
        "complete-needed",
        "complete-and-continue",
    ] {
        for status in
            [SecurityStatus::SEC_E_OK, SecurityStatus::SEC_E_INVALID_TOKEN, SecurityStatus::SEC_E_MESSAGE_ALTERED]
        {
            assert!(reached.contains(&(state, status)), "no seed gets {status} in {state}; {AGAIN}");
        }
    }
    assert!(complete < all, "no seed is refused");
}

/// What fuzzing found once: the reproducers that it printed, and for each target what is no sequence, which is among its seeds.
#[test]
fn regressions_stay_mended() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let sequences = files(&directory).expect("there are regressions");
    assert!(!sequences.is_empty(), "no regression in {}", directory.display());
    for (name, text) in sequences {
        let sequence = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        fuzzing::operations(sequence).unwrap_or_else(|found| panic!("{name}: {found}"));
    }
    let mut held = 0;
    for target in fs::read_dir(&directory).expect("there are regressions").map(|entry| entry.expect("an entry")) {
        if !target.path().is_dir() {
            continue;
        }
        let target_seeds = seeds(&target.file_name().to_string_lossy());
        for (name, bytes) in files(&target.path()).expect("the directory can be read") {
            let seed = (format!("regression-{name}"), bytes);
            assert!(target_seeds.contains(&seed), "{} is no seed; {AGAIN}", target.path().join(name).display());
            held += 1;
        }
    }
    assert!(held > 0, "no target has regressions");
}

/// What a target holds against bytes.
type Target = fn(&[u8]) -> Result<(), String>;

fn told<T>(result: Result<T, Box<Counterexample>>) -> Result<(), String> {
    result.map(|_| ()).map_err(|found| found.to_string())
}

const TARGETS: [(&str, Target); 9] = [
    ("adapter_protocol", fuzzing::adapter_protocol),
    // In C these are replayed by tests/library_subject.rs.
    ("capi", |bytes| fuzzing::descriptors(&mut Builtin::default(), bytes)),
    ("challenge", fuzzing::challenge),
    ("complete_auth_token", |bytes| told(fuzzing::complete_auth_token(bytes))),
    ("directives", fuzzing::directives),
    ("layers", |bytes| told(fuzzing::layers(bytes))),
    ("operations", |bytes| told(fuzzing::operations(decode(bytes)))),
    ("response", fuzzing::response),
    ("spec_tables", fuzzing::spec_tables),
];

#[test]
fn nothing_is_held_against_the_seeds() {
    for (target, holds) in TARGETS {
        for (name, bytes) in seeds(target) {
            assert_eq!(holds(&bytes), Ok(()), "{target}: {name}");
        }
    }
}

/// `differential`, and `capi` in C, are in tests/library_subject.rs.
#[test]
fn nothing_is_held_against_bytes_like_the_seeds() {
    for (target, holds) in TARGETS {
        let held = TestRunner::new(configuration())
            .run(&like_seeds(target), |bytes| holds(&bytes).map_err(TestCaseError::fail));
        held.unwrap_or_else(|found| panic!("{target}: {found}"));
    }
}

/// Each target is a program, has a corpus, and is replayed here; nothing is replayed that is none.
#[test]
fn every_target_is_built_seeded_and_replayed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |below: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(directory.join(below)).expect("the directory can be read");
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        entries.filter_map(|entry| stem(&entry.expect("an entry").path())).collect()
    };
    let manifest = fs::read_to_string(directory.join("Cargo.toml")).expect("the fuzz package has a manifest");
    let manifest: toml::Table = manifest.parse().expect("it is TOML");
    let programs = manifest["bin"].as_array().expect("there are programs");
    let built: BTreeSet<String> =
        programs.iter().filter_map(|program| program["name"].as_str()).map(str::to_owned).collect();
    let replayed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), replayed);
    // It takes what `operations` takes.
    let targets: BTreeSet<String> = replayed.into_iter().chain(["differential".to_owned()]).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(built, targets);
}

/// The dictionaries that `cargo run --example seed_corpus` writes are those that are committed.
#[test]
fn the_dictionaries_are_the_words_of_the_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = dictionaries::dictionaries(root);
    let committed = fs::read_dir(root.join("fuzz/dictionaries")).expect("there are dictionaries").count();
    assert_eq!(committed, made.len());
    for (target, text) in made {
        assert!((20..1000).contains(&text.lines().count()), "{target}: {} words", text.lines().count());
        let file = root.join("fuzz/dictionaries").join(format!("{target}.dict"));
        assert!(fs::read_to_string(file).is_ok_and(|committed| committed == text), "{target}: {AGAIN}");
    }
    let tokens = &dictionaries::dictionaries(root)["response"];
    for word in ["username", "nonce", "auth-int", "MD5-sess", "opaque"] {
        assert!(tokens.lines().any(|line| line == format!("\"{word}\"")), "{word} is missing in {tokens}");
    }
}
