//! Writes the committed seeds of the fuzz targets: `cargo run --example seed_corpus`, from the root of the package.
//!
//! `operations` gets planned sequences until every row is reached that can be, each named by the row it was made for, and those that
//! reach a row under limits so low that they are met, complete once more what was completed or was not, or tell a subject that is
//! wrong on purpose, which no plan but something in `regressions` may do;
//! `complete_auth_token` a good request, edited ones and a raw token for each waiting state, `layers` the same for each call of a
//! layer; `directives`, `challenge` and `response` the tokens that those exchange and some of the vectors'; `spec_tables` each table
//! and an edit of it; `capi` a descriptor of each shape on each way, `adapter_protocol` an edit of each sort; and each what is in
//! `regressions/` below its name. `differential` takes the seeds of `operations`. The dictionaries are written, too.
#![forbid(unsafe_code)]

mod dictionaries;
mod seeds;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dictionaries::{CHALLENGES, RESPONSES};
use digest_ssp::conformance::Step;
use digest_ssp::conformance::action::{Action, CallAction};
use digest_ssp::conformance::encoding::{decode, encode};
use digest_ssp::conformance::fuzzing;
use digest_ssp::conformance::plan::{Sequence, approach, plan};
use digest_ssp::conformance::run::Trace;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::spec::Specification;
use digest_ssp::spec::call::Descriptor;
use digest_ssp::spec::load::EMBEDDED;
use digest_ssp::spec::model::CallSpec;
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::setup::{Limits, Setup};
use digest_ssp::spec::vocabulary::{Digest, Facts, Names, Output};
use digest_ssp::status::SecurityStatus;

type Corpus = BTreeMap<String, Vec<u8>>;

/// How many plans are tried for a row, the simplest first.
const TRIES: usize = 400;
/// How many calls follow what is to be seen.
const FOLLOWING: u64 = 4;
/// How the name of a seed ends that reaches its row under low limits.
const AT_LIMITS: &str = "+limits";
/// How the name of a seed ends that completes once more.
const AGAIN: &str = "+again";
/// How many tokens the parsers start with.
const TOKENS: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let specification = Arc::new(Specification::embedded()?);
    let (mut operations, mut steps) = operations(&specification);
    operations.append(&mut telling(&specification, &operations, &regressions()?));
    let (completions, more) = edited(fuzzing::COMPLETIONS, &EDITS, fuzzing::complete_auth_token);
    steps.extend(more);
    let (layers, _) = edited(fuzzing::LAYERS, &EDITS_OF_MESSAGES, fuzzing::layers);
    write("operations", &operations)?;
    let completed = operations.values().filter(|bytes| completes_a_token(bytes)).count();
    println!("{completed} of them reach SEC_E_OK from CompleteAuthToken");
    write("complete_auth_token", &completions)?;
    write("layers", &layers)?;
    let descriptors = steps.iter().flat_map(|step| [step.call.input(), step.outcome.output.as_ref()]);
    let all: BTreeSet<&[u8]> = descriptors.filter_map(first_token).collect();
    let of_vectors = |mut exchanged: Corpus, kinds: &[&str]| {
        exchanged.append(&mut vectors(kinds));
        exchanged
    };
    write("directives", &of_vectors(tokens(&all, |_token| true), &[CHALLENGES, RESPONSES].concat()))?;
    let has = |token: &[u8], directive: &[u8]| token.windows(directive.len()).any(|window| window == directive);
    write("response", &of_vectors(tokens(&all, |token| has(token, b"response=")), &RESPONSES))?;
    write("challenge", &of_vectors(tokens(&all, |token| !has(token, b"response=")), &CHALLENGES))?;
    write("spec_tables", &tables())?;
    write("capi", &shapes())?;
    write("adapter_protocol", &lines())?;
    for (target, text) in dictionaries::dictionaries(Path::new(".")) {
        fs::create_dir_all("fuzz/dictionaries")?;
        fs::write(Path::new("fuzz/dictionaries").join(format!("{target}.dict")), text)?;
    }
    Ok(())
}

fn write(target: &str, corpus: &Corpus) -> std::io::Result<()> {
    let directory = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&directory)?;
    for entry in fs::read_dir(&directory)? {
        let entry = entry?;
        // What fuzzers found nobody can plan.
        if !entry.file_name().to_string_lossy().starts_with("found-") {
            fs::remove_file(entry.path())?;
        }
    }
    for (name, bytes) in corpus {
        fs::write(directory.join(name), bytes)?;
    }
    let regressions = Path::new("fuzz/regressions").join(target);
    if regressions.is_dir() {
        for (name, bytes) in seeds::files(&regressions)? {
            fs::write(directory.join(format!("regression-{name}")), bytes)?;
        }
    }
    println!("{target}: {} seeds, {} bytes", corpus.len(), corpus.values().map(Vec::len).sum::<usize>());
    Ok(())
}

fn completes(step: &Step) -> bool {
    step.call.name() == CallName::CompleteAuthToken && step.outcome.status == SecurityStatus::SEC_E_OK
}

fn completes_a_token(bytes: &[u8]) -> bool {
    fuzzing::operations(decode(bytes)).is_ok_and(|trace| trace.steps.iter().any(completes))
}

fn rows(trace: &Trace) -> impl Iterator<Item = &str> {
    trace.steps.iter().filter_map(|step| step.judgement.row.as_deref())
}

fn operations(specification: &Specification) -> (Corpus, Vec<Step>) {
    let (mut corpus, mut steps) = (Corpus::new(), Vec::new());
    let mut reached: BTreeSet<String> = BTreeSet::new();
    // What is only handed over, of any package, has no bytes.
    let of_digest = |tables: &&CallSpec| tables.profiles.iter().any(|profile| Profile::DIGEST.contains(profile));
    let mut calls: Vec<&CallSpec> = specification.calls.iter().filter(of_digest).collect();
    // What CompleteAuthToken needs reaches most of what the others have.
    calls.sort_by_key(|tables| tables.name != CallName::CompleteAuthToken);
    for tables in calls {
        for (row, combinations) in by_row(tables) {
            if let Some(bytes) = at_limits(tables, &row, &combinations) {
                corpus.insert(format!("{row}{AT_LIMITS}"), bytes);
            }
            if let Some(bytes) = completed_again(tables, &row, &combinations) {
                corpus.insert(format!("{row}{AGAIN}"), bytes);
            }
            if reached.contains(&row) {
                continue;
            }
            match seed(tables, &row, &combinations) {
                Some((bytes, trace)) => {
                    reached.extend(rows(&trace).map(str::to_owned));
                    steps.extend(trace.steps);
                    corpus.insert(row, bytes);
                }
                None => println!("{row}: no plan reaches it"),
            }
        }
    }
    (corpus, steps)
}

/// The combinations of each row, those with the fewest departures first, in the order of the tables.
fn by_row(tables: &CallSpec) -> Vec<(String, Vec<Facts>)> {
    let mut combinations: BTreeMap<usize, Vec<(usize, Facts)>> = BTreeMap::new();
    let visited = tables.for_each_combination(&mut |facts| {
        if let Some((row, _)) = tables.row(facts) {
            combinations.entry(row).or_default().push((tables.departures(facts).count(), *facts));
        }
    });
    visited.expect("`spec check` refuses ambiguous facts");
    let sorted = combinations.into_iter().map(|(row, mut all)| {
        all.sort_by_key(|(departures, _)| *departures);
        (tables.rows[row].id.clone(), all.into_iter().map(|(_, facts)| facts).collect())
    });
    sorted.collect()
}

/// A sequence that reaches the row; if it can be, one that completes a token as well.
fn seed(tables: &CallSpec, row: &str, combinations: &[Facts]) -> Option<(Vec<u8>, Trace)> {
    let mut fallback = None;
    for (bytes, trace) in reaching(tables, row, combinations, |_setup| true) {
        if trace.steps.iter().any(completes) {
            return Some((bytes, trace));
        }
        fallback.get_or_insert((bytes, trace));
    }
    fallback
}

/// Up to where the row is reached, and some calls that are good, so that what was left behind is seen.
fn followed(bytes: &[u8], trace: &Trace, row: &str, next: impl Fn(u64) -> CallAction) -> Option<Vec<u8>> {
    let step = trace.steps.iter().find(|step| step.judgement.row.as_deref() == Some(row))?;
    let mut sequence = decode(bytes);
    sequence.actions.truncate(step.number);
    sequence.actions.extend((0..FOLLOWING).map(|variety| Action::Call(next(variety))));
    encode(&sequence).filter(|bytes| fuzzing::operations(decode(bytes)).is_ok())
}

/// What tells each subject that is wrong on purpose from a right one, where none of these seeds does: a plan, or what fuzzing found.
fn telling(specification: &Arc<Specification>, seeds: &Corpus, regressions: &[Vec<u8>]) -> Corpus {
    let mut corpus = Corpus::new();
    for fault in faulty::all().filter(|fault| Profile::DIGEST.contains(&fault.profile)) {
        let mut subject = fault.subject(specification);
        let mut row_told =
            |bytes: &Vec<u8>| fuzzing::differential(&mut *subject, decode(bytes)).err().map(|found| found.row);
        if seeds.values().chain(corpus.values()).any(|bytes| row_told(bytes).is_some()) {
            continue;
        }
        let planned = fault.fails.iter().find_map(|row| {
            let (tables, _) = specification.find(row)?;
            let (_, combinations) = by_row(tables).into_iter().find(|(id, _)| id == row)?;
            let mut plans = reaching(tables, row, &combinations, |_setup| true);
            plans.find(|(bytes, _)| row_told(bytes).is_some()).map(|(bytes, _)| ((*row).to_owned(), bytes))
        });
        let found = planned.or_else(|| regressions.iter().find_map(|bytes| Some((row_told(bytes)?, bytes.clone()))));
        if found.is_none() {
            println!("{}: nothing tells it", fault.name);
        }
        corpus.extend(found.map(|(row, bytes)| (format!("{row}+{}", fault.name), bytes)));
    }
    corpus
}

/// The sequences that fuzzing found once, as the bytes that mean them; what was made shorter than bytes can be has none.
fn regressions() -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    for (name, text) in seeds::files(Path::new("fuzz/regressions"))? {
        let sequence: Sequence = serde_json::from_slice(&text).map_err(|error| format!("{name}: {error}"))?;
        found.extend(encode(&sequence));
    }
    Ok(found)
}

/// CompleteAuthToken once more, after it reached the row.
fn completed_again(tables: &CallSpec, row: &str, combinations: &[Facts]) -> Option<Vec<u8>> {
    if tables.name != CallName::CompleteAuthToken {
        return None;
    }
    let again = |variety| {
        let completion = CallAction { context: Some(0), ..CallAction::new(tables.name, variety) };
        completion.wishing(Names::This)
    };
    reaching(tables, row, combinations, |_setup| true).find_map(|(bytes, trace)| followed(&bytes, &trace, row, again))
}

/// The row under low limits; then the right answer to a challenge that was forgotten.
fn at_limits(tables: &CallSpec, row: &str, combinations: &[Facts]) -> Option<Vec<u8>> {
    let (bytes, trace) = reaching(tables, row, combinations, has_low_limits).next()?;
    let forgotten = |variety| {
        let answer = CallAction::new(CallName::AcceptSecurityContext, variety);
        answer.wishing(Names::Nothing).wishing(Digest::Matches).wishing(Output::Enough)
    };
    Some(followed(&bytes, &trace, row, forgotten).unwrap_or(bytes))
}

/// Whether challenges are forgotten soon, or answered wrongly only a few times.
fn has_low_limits(setup: &Setup) -> bool {
    let usual = Limits::default();
    setup.limits.challenges < usual.challenges || setup.limits.failures < usual.failures
}

/// Plans under such a set-up that reach the row.
fn reaching(
    tables: &CallSpec,
    row: &str,
    combinations: &[Facts],
    is_wanted: impl Fn(&Setup) -> bool,
) -> impl Iterator<Item = (Vec<u8>, Trace)> {
    (0..TRIES).filter_map(move |attempt| {
        let facts = combinations.get(attempt % combinations.len().clamp(1, TRIES / 4))?;
        let number = u64::try_from(attempt).unwrap_or(0);
        // What mechanisms share is reached by either.
        let profile = *tables.profiles.get(attempt % tables.profiles.len().max(1))?;
        let planned = [plan(profile, tables.name, facts, number), approach(profile, tables.name, facts, number)];
        let bytes = planned.iter().filter(|sequence| is_wanted(&sequence.setup)).find_map(encode)?;
        match fuzzing::operations(decode(&bytes)) {
            Ok(trace) => {
                let is_reached = rows(&trace).any(|reached| reached == row);
                is_reached.then_some((bytes, trace))
            }
            Err(counterexample) => {
                println!("{counterexample}");
                None
            }
        }
    })
}

/// Shapes of a descriptor, as `fuzzing::descriptors` reads them.
const SHAPES: [(&str, &[u8]); 7] = [
    ("good", &[0, 0, 3, 0, 0, 0, 1, 0, 2]),
    ("null-with-length", &[0, 0, 2, 0, 0, 2, 2, 9]),
    ("not-all-counted", &[0, 0, 2, 0, 0, 3, 2, 4, b'a', b'b', b'c', b'd', 1]),
    ("another-type", &[0, 0, 2, 1, 0, 0x29, 0, 1]),
    ("no-descriptor", &[0, 0, 0xFF]),
    ("no-buffers", &[1, 0, 0xFE, 3]),
    ("stream-and-nowhere", &[0, 0, 3, 1, 0, 0x0A, 2, 0x21, 0, 2, 1, 0]),
];

/// Each shape on each way, on one of its last calls.
fn shapes() -> Corpus {
    let mut corpus = Corpus::new();
    for way in 0..u8::try_from(fuzzing::COMPLETIONS + fuzzing::LAYERS).unwrap_or(u8::MAX) {
        for (back, (name, shape)) in (0..).zip(SHAPES) {
            corpus.insert(format!("{way:02}-{name}"), [&[way, way, back % 3], shape].concat());
        }
    }
    corpus
}

/// What becomes of a line, as `fuzzing::adapter_protocol` reads it, after how many that are left as they are.
const LINES: [(&str, usize, &[u8]); 8] = [
    ("honest", 0, &[]),
    ("ends", 3, &[255]),
    ("empty", 4, &[254, 0]),
    ("no-start", 0, b"\xFE\x0B{\"done\":{}}\n"),
    ("another-kind", 2, b"\xFE\x0B{\"done\":{}}"),
    ("two-lines", 3, &[128, 1, 5, 0, b'\n']),
    ("overwritten", 5, &[129, 0, 9, 0, b'x', 0, 40, 0, b'"']),
    ("truncated", 5, &[128, 3, 40, 0]),
];

fn lines() -> Corpus {
    let mut corpus = Corpus::new();
    for way in 0..u8::try_from(fuzzing::COMPLETIONS + fuzzing::LAYERS).unwrap_or(u8::MAX) {
        let (name, before, edit) = LINES[usize::from(way) % LINES.len()];
        for (isolation, word) in (0..).zip(["fork", "fresh", "persistent"]) {
            let bytes = [&[way, way, isolation], vec![0; before].as_slice(), edit].concat();
            corpus.insert(format!("{way:02}-{word}-{name}"), bytes);
        }
    }
    corpus
}

/// Edits of a request, as `fuzzing::complete_auth_token` reads them: buffer, kind, position, byte.
const EDITS: [(&str, &[u8]); 9] = [
    ("good", &[]),
    ("token-overwritten", &[0, 0, 40, 0, b'x']),
    ("token-inserted", &[0, 1, 25, 0, b'"']),
    ("token-truncated", &[0, 3, 100, 0]),
    ("method-changed", &[1, 1, 0, 0, b'X']),
    // Sealed again: a holder of the secret says something else.
    ("target-changed-and-sealed", &[0x82, 1, 3, 0, b'x']),
    ("cnonce-or-such-changed-and-sealed", &[0x80, 0, 90, 0, b'5']),
    ("method-changed-and-sealed-and-changed", &[0x81, 1, 0, 0, b'X', 1, 2, 0, 0]),
    ("target-and-entity-changed", &[2, 2, 1, 0, 3, 0, 5, 0, b'0']),
];

/// Edits of a message of a layer, read in the same way.
const EDITS_OF_MESSAGES: [(&str, &[u8]); 4] = [
    ("good", &[]),
    ("first-buffer-overwritten", &[0, 0, 3, 0, b'x']),
    ("second-buffer-inserted", &[1, 1, 2, 0, b'x']),
    ("first-buffer-truncated", &[0, 3, 5, 0]),
];

/// Seeds of a target that edits good calls, and the steps they came to.
fn edited<E: std::fmt::Display>(
    bases: usize,
    edits: &[(&str, &[u8])],
    target: fn(&[u8]) -> Result<Vec<Step>, E>,
) -> (Corpus, Vec<Step>) {
    let (mut corpus, mut all) = (Corpus::new(), Vec::new());
    for base in 0..u8::try_from(bases).unwrap_or(u8::MAX) {
        let mut record = |edit: &str, bytes: Vec<u8>| match target(&bytes) {
            Ok(steps) => {
                let Some(last) = steps.len().checked_sub(2) else { return };
                corpus.insert(format!("{base:02}-{}-{}-{edit}", steps[last].call.name(), steps[last].state), bytes);
                all.extend(steps);
            }
            Err(offence) => println!("{offence}"),
        };
        for (name, edit) in edits {
            record(name, [&[base, base], *edit].concat());
        }
        let good = target(&[base, base]).ok();
        let token = good.as_ref().and_then(|steps| steps.last()).and_then(|step| first_token(step.call.input()));
        record("raw", [&[base, base, 255], token.unwrap_or_default()].concat());
    }
    (corpus, all)
}

/// Each table as it is, and with one byte changed.
fn tables() -> Corpus {
    let mut corpus = Corpus::new();
    for (which, (name, _)) in (0..u8::MAX).zip(EMBEDDED) {
        let name = name.replace(['/', '.'], "-");
        corpus.insert(format!("{name}-edited"), vec![which, 0, which, 1, b'"']);
        corpus.insert(name, vec![which]);
    }
    corpus.insert("text".to_owned(), b"\x00\xffspec_version = \"1\"\n[[call]]\nname = {}\n".to_vec());
    corpus
}

fn first_token(descriptor: Option<&Descriptor>) -> Option<&[u8]> {
    descriptor?.buffers.as_ref()?.first().map(|buffer| buffer.bytes())
}

fn tokens(all: &BTreeSet<&[u8]>, is_wanted: impl Fn(&[u8]) -> bool) -> Corpus {
    picked("token", all.iter().copied().filter(|token| token.contains(&b'=') && is_wanted(token)))
}

/// Some of the tokens that the vectors of these kinds hold, right and wrong.
fn vectors(kinds: &[&str]) -> Corpus {
    let all = kinds.iter().flat_map(|kind| dictionaries::vectors(Path::new("spec"), kind));
    let all: BTreeSet<Vec<u8>> = all.map(String::into_bytes).collect();
    picked("vector", all.iter().map(Vec::as_slice))
}

/// So many of them as seeds, in even steps.
fn picked<'t>(name: &str, all: impl Iterator<Item = &'t [u8]>) -> Corpus {
    let short: Vec<&[u8]> = all.filter(|token| token.len() < 1024).collect();
    let stride = short.len().div_ceil(TOKENS).max(1);
    let picked = short.into_iter().step_by(stride).enumerate();
    picked.map(|(number, token)| (format!("{name}-{number:02}"), token.to_vec())).collect()
}
