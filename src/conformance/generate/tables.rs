//! Tables with a fault: what a suite must find over real bytes, and whether it could.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use fastrand::Rng;

use super::abstraction::Abstract;
use super::alphabet::Alphabet;
use super::faults::Tally;
use super::suite::Drawable;
use crate::conformance::SubjectError;
use crate::conformance::run::run_sequence;
use crate::conformance::subject::oracle::Oracle;
use crate::conformance::walk::Walk;
use crate::spec::model::{Allowed, Next, Row};
use crate::spec::names::{Effect, HandleOutcome};
use crate::spec::{Specification, Verdict};
use crate::status::SecurityStatus;

/// Tables of which one row is another, and what was changed.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The row and what was changed in it.
    pub change: String,
    /// The tables.
    pub specification: Arc<Specification>,
}

/// Faulty tables, drawn: an output fault (another status that the function's rows have) or a transfer fault (another state
/// afterwards, or an effect that is left out) in one of these rows.
pub fn mutants(specification: &Specification, rows: &BTreeSet<String>, count: usize, rng: &mut Rng) -> Vec<Mutant> {
    let rows: Vec<&String> = rows.iter().collect();
    let mut mutants = Vec::with_capacity(count);
    // Not every draw is a change.
    for _ in 0..count * 64 {
        if mutants.len() == count || rows.is_empty() {
            break;
        }
        mutants.extend(mutant(specification, rows[rng.usize(..rows.len())], rng));
    }
    mutants
}

fn mutant(specification: &Specification, id: &str, rng: &mut Rng) -> Option<Mutant> {
    let (tables, _) = specification.find(id)?;
    let all = || tables.rows.iter().flat_map(Row::allowed);
    let statuses: BTreeSet<SecurityStatus> = all().map(|allowed| allowed.status).collect();
    let states: BTreeSet<u8> = all()
        .filter_map(|allowed| match allowed.next {
            Next::State(state) => Some(state),
            Next::Same | Next::None => None,
        })
        .collect();
    let mut changed = specification.clone();
    let row = changed.calls.iter_mut().flat_map(|call| &mut call.rows).find(|row| row.id == id)?;
    let before = row.outcome.clone();
    change(&mut row.outcome, &statuses, &states, rng);
    let after = &row.outcome;
    let what = match () {
        () if after.status != before.status => format!("{} instead of {}", after.status, before.status),
        () if after.next != before.next => format!("next {:?} instead of {:?}", after.next, before.next),
        () if after.effects != before.effects => format!("effects {:?} instead of {:?}", after.effects, before.effects),
        () => return None,
    };
    Some(Mutant { change: format!("{id}: {what}"), specification: Arc::new(changed) })
}

fn change(outcome: &mut Allowed, statuses: &BTreeSet<SecurityStatus>, states: &BTreeSet<u8>, rng: &mut Rng) {
    // What keeps the memory of the tables themselves in order is left as it is.
    let removable = |effect: &Effect| !matches!(effect, Effect::RegisterCredentials | Effect::Delete);
    match rng.u8(..3) {
        0 => outcome.status = rng.choice(statuses.iter().copied()).unwrap_or(outcome.status),
        1 if outcome.handle != HandleOutcome::None => {
            outcome.next = rng.choice(states.iter().copied()).map_or(outcome.next, Next::State);
        }
        _effects => {
            let candidates: Vec<usize> =
                (0..outcome.effects.len()).filter(|position| removable(&outcome.effects[*position])).collect();
            if let Some(position) = rng.choice(candidates) {
                outcome.effects.remove(position);
            }
        }
    }
}

/// Whether any word over the alphabet shows the fault: a search of the product of the right tables and the faulty ones,
/// over real bytes. The word, by the names of its symbols; `None` proves that under the abstraction there is none.
///
/// # Errors
/// Where the faulty tables give no answer at all.
pub fn difference(
    specification: &Arc<Specification>,
    alphabet: &Alphabet,
    mutant: &Mutant,
) -> Result<Option<Vec<String>>, SubjectError> {
    let oracle = Oracle::new(Arc::clone(&mutant.specification));
    let mut walk = Walk::start(specification, oracle, &alphabet.setup)?;
    for action in &alphabet.preamble {
        walk.perform(action)?;
    }
    let key = |walk: &Walk<Oracle>| (Abstract::of(walk.shadow()), Abstract::of(walk.subject().shadow()));
    let mut known = HashSet::from([key(&walk)]);
    let mut queue = VecDeque::from([(walk, Vec::<usize>::new())]);
    while let Some((walk, word)) = queue.pop_front() {
        for (position, symbol) in alphabet.symbols.iter().enumerate() {
            let mut next = walk.clone();
            let longer = [word.as_slice(), &[position]].concat();
            let shows = match next.perform(&symbol.drawn(longer.len() as u64)) {
                Ok(step) => step.is_some_and(|step| step.judgement.verdict != Verdict::Pass),
                // The faulty tables are lost in a state that no row of theirs is for.
                Err(_) => true,
            };
            if shows {
                return Ok(Some(longer.iter().map(|position| alphabet.symbols[*position].name.clone()).collect()));
            }
            if known.insert(key(&next)) {
                queue.push_back((next, longer));
            }
        }
    }
    Ok(None)
}

/// Faulty tables that a suite does not find out, though it could.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survivor {
    /// The row and what was changed in it.
    pub change: String,
    /// A word that shows it, by the names of its symbols.
    pub word: Vec<String>,
}

/// Runs a suite against faulty tables; what became of them, and of those that survived each.
///
/// # Errors
/// Where faulty tables give no answer at all.
pub fn judge(
    specification: &Arc<Specification>,
    suite: &Drawable<'_>,
    mutants: &[Mutant],
    seed: u64,
) -> Result<(Tally, Vec<Survivor>), SubjectError> {
    let mut tally = Tally::default();
    let mut survivors = Vec::new();
    for mutant in mutants {
        let Some(word) = difference(specification, &suite.alphabet, mutant)? else {
            tally.equivalent += 1;
            continue;
        };
        let mut oracle = Oracle::new(Arc::clone(&mutant.specification));
        let is_killed = suite.sequences(seed).any(|sequence| {
            let trace = run_sequence(specification, &mut oracle, &sequence);
            trace.error.is_some() || trace.steps.iter().any(|step| step.judgement.verdict != Verdict::Pass)
        });
        if is_killed {
            tally.killed += 1;
        } else {
            tally.survived += 1;
            survivors.push(Survivor { change: mutant.change.clone(), word });
        }
    }
    Ok((tally, survivors))
}
