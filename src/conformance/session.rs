//! A subject for the length of a run: which sequences it has served, what it gave no answer to, and how that is
//! reproduced.
//!
//! A subject that dies or hangs must not make a run endless, and what it died of must be shown again by a sequence
//! alone. Where one process serves all sequences, the cause may lie in an earlier one.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::action::Action;
use super::plan::Sequence;
use super::run::Trace;
use super::subject::{Subject, SubjectError};
use super::walk::{Walk, due};
use crate::spec::{Shadow, Specification, Verdict};

/// How many times in a row the subject may die or hang at a start before nothing more is tried.
const FAILED_STARTS: usize = 3;

/// How many calls of a row may hang, or die where none was ever answered, before no more are made.
const UNANSWERED: usize = 2;

/// How many earlier sequences of a process may have a part in its death.
const HISTORY: usize = 256;

/// How many times as many earlier sequences are tried where those tried do not show the death.
const GROWTH: usize = 4;

/// How many times sequences are run to find the shortest that shows a death.
const TRIALS: usize = 192;

/// A subject, and what became of it.
pub(super) struct Session<'r> {
    specification: &'r Arc<Specification>,
    subject: &'r mut dyn Subject,
    /// What the process has served, the latest last; nothing where each sequence has its own.
    history: VecDeque<Sequence>,
    /// What the process had served that died last.
    before: Vec<Sequence>,
    /// How often calls of a row got no answer.
    unanswered: BTreeMap<String, usize>,
    /// Rows whose calls are not made any more.
    given_up: BTreeSet<String>,
    /// Why the subject could not be started, the last times that it was tried.
    failed_starts: Vec<SubjectError>,
}

impl<'r> Session<'r> {
    pub(super) fn new(specification: &'r Arc<Specification>, subject: &'r mut dyn Subject) -> Self {
        Self {
            specification,
            subject,
            history: VecDeque::new(),
            before: Vec::new(),
            unanswered: BTreeMap::new(),
            given_up: BTreeSet::new(),
            failed_starts: Vec::new(),
        }
    }

    pub(super) fn subject(&self) -> &dyn Subject {
        self.subject
    }

    /// Why nothing more can be tried, if so.
    pub(super) fn is_lost(&self) -> Option<&SubjectError> {
        self.failed_starts.last().filter(|_| self.failed_starts.len() >= FAILED_STARTS)
    }

    /// Runs one sequence from the start.
    pub(super) fn run(&mut self, sequence: &Sequence) -> Trace {
        let trace = run_avoiding(self.specification, self.subject, sequence, &self.given_up);
        let died = trace.error.as_ref().is_some_and(is_end);
        match &trace.error {
            Some(error) if died && !trace.has_started => self.failed_starts.push(error.clone()),
            Some(_) | None => self.failed_starts.clear(),
        }
        if died {
            self.before = std::mem::take(&mut self.history).into();
        } else if self.subject.is_persistent() {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(sequence.clone());
        }
        trace
    }

    /// The row that a call without an answer is charged to. `answered` tells whether other calls of it were answered.
    pub(super) fn charge(&mut self, sequence: &Sequence, trace: &Trace, answered: impl Fn(&str) -> bool) -> String {
        let (row, _) = unanswered(self.specification, sequence, trace);
        let is_hopeless = match &trace.error {
            Some(SubjectError::TimedOut(_)) => true,
            Some(SubjectError::Crashed(_)) => !answered(&row),
            Some(SubjectError::Errored(_) | SubjectError::Unable(_) | SubjectError::Unstable(_)) | None => false,
        };
        if is_hopeless && trace.has_started {
            let times = self.unanswered.entry(row.clone()).or_default();
            *times += 1;
            if *times >= UNANSWERED {
                self.given_up.insert(row.clone());
            }
        }
        row
    }

    /// The shortest sequence found that fails in the same row in the same way as this one.
    pub(super) fn minimise(&mut self, sequence: &Sequence, trace: &Trace) -> Sequence {
        let Some(failed) = trace.failure() else { return sequence.clone() };
        let (_, actions) = done(self.specification, sequence, trace, trace.steps.len());
        let cut = Sequence { setup: sequence.setup.clone(), actions };
        let mut fails = |candidate: &Sequence| {
            let again = self.run(candidate);
            again.failure().is_some_and(|step| {
                (&step.judgement.row, &step.judgement.verdict) == (&failed.judgement.row, &failed.judgement.verdict)
            })
        };
        if fails(&cut) { shortest(cut, &mut fails) } else { sequence.clone() }
    }

    /// What happened, told otherwise where it did not happen again; and the shortest sequence known that shows it, of
    /// the sequence that was run last.
    ///
    /// Only a death is tried again: each hang lasts as long as the tester waits.
    pub(super) fn reproduce(
        &mut self,
        row: &str,
        error: &SubjectError,
        sequence: &Sequence,
        trace: &Trace,
    ) -> (SubjectError, Sequence) {
        let (_, actions) = unanswered(self.specification, sequence, trace);
        let cut = Sequence { setup: sequence.setup.clone(), actions };
        let SubjectError::Crashed(how) = error else {
            return (error.clone(), cut);
        };
        let before = std::mem::take(&mut self.before);
        let mut trials = 0;
        let mut dies = |candidate: &Sequence| {
            trials += 1;
            if trials > TRIALS {
                return false;
            }
            self.subject.renew();
            let trace = run_avoiding(self.specification, self.subject, candidate, &BTreeSet::new());
            trace.error.as_ref() == Some(error) && unanswered(self.specification, candidate, &trace).0 == row
        };
        let mut found = dies(&cut).then(|| cut.clone());
        let mut length = 1;
        while found.is_none() && length / GROWTH < before.len() {
            let earlier = &before[before.len().saturating_sub(length)..];
            let together = joined(earlier, &cut);
            found = dies(&together).then_some(together);
            length *= GROWTH;
        }
        let shortest = found.map(|found| shortest(found, &mut dies));
        self.subject.renew();
        match shortest {
            Some(reproducer) => (error.clone(), reproducer),
            None => (SubjectError::Unstable(how.clone()), cut),
        }
    }
}

/// Whether the process of a subject is gone after that.
fn is_end(error: &SubjectError) -> bool {
    match error {
        SubjectError::Crashed(_) | SubjectError::TimedOut(_) | SubjectError::Unstable(_) => true,
        SubjectError::Errored(_) | SubjectError::Unable(_) => false,
    }
}

/// Runs one sequence from the start. It ends before a call of a row that was given up.
pub(super) fn run_avoiding(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    sequence: &Sequence,
    given_up: &BTreeSet<String>,
) -> Trace {
    let mut trace =
        Trace { steps: Vec::with_capacity(sequence.actions.len()), error: None, has_started: false, avoided: None };
    if let Err(error) = go(specification, subject, sequence, given_up, &mut trace) {
        trace.error = Some(error);
    }
    trace
}

fn go(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    sequence: &Sequence,
    given_up: &BTreeSet<String>,
    trace: &mut Trace,
) -> Result<(), SubjectError> {
    let mut walk = Walk::start(specification, subject, &sequence.setup)?;
    trace.has_started = true;
    for action in &sequence.actions {
        if !given_up.is_empty()
            && let Some(call) = due(action, walk.shadow())
        {
            let row = walk.shadow().expect(&call).row.map(|row| row.id.clone());
            trace.avoided = row.filter(|row| given_up.contains(row));
            if trace.avoided.is_some() {
                return Ok(());
            }
        }
        if let Some(step) = walk.perform(action)? {
            let failed = matches!(step.judgement.verdict, Verdict::Fail(_));
            trace.steps.push(step);
            if failed {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The row of the first call that is not in the trace, and what was done up to it.
fn unanswered(specification: &Arc<Specification>, sequence: &Sequence, trace: &Trace) -> (String, Vec<Action>) {
    done(specification, sequence, trace, trace.steps.len() + 1)
}

/// The row of the last of so many calls, replayed on a shadow, and what was done up to it: what follows never ran, and steps
/// of an exchange that was at its goal were none.
fn done(specification: &Arc<Specification>, sequence: &Sequence, trace: &Trace, calls: usize) -> (String, Vec<Action>) {
    let mut shadow = Shadow::new(Arc::clone(specification), sequence.setup.clone());
    let mut steps = (1..).zip(&trace.steps);
    let mut done = Vec::new();
    for action in &sequence.actions {
        match action {
            Action::Call(_) | Action::Exchange(_) => {
                let Some(call) = due(action, &shadow) else { continue };
                done.push(action.clone());
                let Some((_, step)) = steps.next().filter(|(number, _)| *number < calls) else {
                    return (shadow.expect(&call).row.map_or_else(String::new, |row| row.id.clone()), done);
                };
                shadow.absorb(&step.call, &step.outcome);
                continue;
            }
            Action::Expire => shadow.advance(shadow.registers().setup.nonce_lifetime.saturating_add(1)),
            Action::Inject(fault) => shadow.inject(*fault),
            Action::AccountsDown(down) => shadow.take_accounts_down(*down),
            Action::SpendCounts => {
                if let Some(context) = shadow.newest_established_initiator() {
                    shadow.spend_counts(context);
                }
            }
            Action::SpendSequences => {
                if let Some(context) = shadow.newest_with_layers() {
                    shadow.spend_sequence(context);
                }
            }
            Action::StartOver(setup) => shadow = Shadow::new(Arc::clone(specification), setup.as_ref().clone()),
        }
        done.push(action.clone());
    }
    (String::new(), done)
}

/// Sequences one after the other in one process, as one.
fn joined(earlier: &[Sequence], last: &Sequence) -> Sequence {
    let mut sequences = earlier.iter().chain([last]);
    let Some(mut whole) = sequences.next().cloned() else { return last.clone() };
    for sequence in sequences {
        whole.actions.push(Action::StartOver(Box::new(sequence.setup.clone())));
        whole.actions.extend_from_slice(&sequence.actions);
    }
    whole
}

/// The shortest sequence found of which something holds that holds of this one: halves go first, then quarters, and so
/// on down to single actions.
fn shortest(sequence: Sequence, holds: &mut dyn FnMut(&Sequence) -> bool) -> Sequence {
    let mut best = without_earlier(sequence, holds);
    let mut size = best.actions.len().div_ceil(2);
    while size > 0 {
        let mut begin = 0;
        while begin < best.actions.len() {
            let end = best.actions.len().min(begin + size);
            let shorter = without(&best, begin..end);
            if !shorter.actions.is_empty() && holds(&shorter) {
                best = shorter;
            } else {
                begin = end;
            }
        }
        size /= 2;
    }
    best
}

/// The same without some actions. A start over that comes to be in front of everything is the start.
fn without(sequence: &Sequence, actions: Range<usize>) -> Sequence {
    let mut shorter = sequence.clone();
    shorter.actions.drain(actions);
    while let Some(Action::StartOver(setup)) = shorter.actions.first() {
        shorter.setup = setup.as_ref().clone();
        shorter.actions.remove(0);
    }
    shorter
}

/// The same without what comes before a start over, if that is not needed: whole sequences go first.
fn without_earlier(mut best: Sequence, holds: &mut dyn FnMut(&Sequence) -> bool) -> Sequence {
    let starts = |sequence: &Sequence| {
        let is_start = |action: &Action| matches!(action, Action::StartOver(_));
        sequence
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| is_start(action))
            .map(|(position, _)| position)
            .collect()
    };
    let mut sequence = 0;
    loop {
        // Where the sequences begin, and the end of those before the last, which is the one that shows it.
        let positions: Vec<usize> = starts(&best);
        let begin = match sequence {
            0 => Some(0),
            later => positions.get(later - 1).copied(),
        };
        let (Some(begin), Some(end)) = (begin, positions.get(sequence).copied()) else { return best };
        let shorter = without(&best, begin..end);
        if holds(&shorter) {
            best = shorter;
        } else {
            sequence += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{joined, shortest};
    use crate::conformance::action::Action;
    use crate::conformance::plan::Sequence;
    use crate::spec::setup::Setup;

    fn sequence(realm: &str, last: Action) -> Sequence {
        let setup = Setup { realm: realm.to_owned(), ..Setup::default() };
        Sequence { setup, actions: vec![Action::SpendCounts, last] }
    }

    #[test]
    fn what_is_not_needed_goes_and_the_set_up_of_what_stays_is_its_own() {
        let earlier = [sequence("a", Action::Expire), sequence("b", Action::Expire)];
        let whole = joined(&earlier, &sequence("c", Action::AccountsDown(true)));
        assert_eq!((whole.setup.realm.as_str(), whole.actions.len()), ("a", 8));
        let has = |sequence: &Sequence, wanted: &Action| sequence.actions.iter().filter(|is| *is == wanted).count();
        let alone = shortest(whole.clone(), &mut |candidate| has(candidate, &Action::AccountsDown(true)) == 1);
        assert_eq!((alone.setup.realm.as_str(), alone.actions), ("c", vec![Action::AccountsDown(true)]));
        let both = shortest(whole.clone(), &mut |candidate| {
            has(candidate, &Action::AccountsDown(true)) == 1 && has(candidate, &Action::Expire) == 2
        });
        assert_eq!(both.setup.realm, "a");
        assert_eq!(both.actions, [Action::Expire, Action::Expire, Action::AccountsDown(true)]);
        assert_eq!(shortest(whole.clone(), &mut |candidate| *candidate == whole), whole);
    }

    #[test]
    fn a_start_over_that_is_needed_stays() {
        let whole = joined(&[sequence("a", Action::Expire)], &sequence("b", Action::Expire));
        let is_start = |action: &Action| matches!(action, Action::StartOver(setup) if setup.realm == "b");
        let found = shortest(whole, &mut |candidate| {
            let start = candidate.actions.iter().position(is_start);
            start.is_some_and(|start| candidate.actions[..start].contains(&Action::Expire))
        });
        assert_eq!(found.actions.len(), 2);
        assert!(found.actions[0] == Action::Expire && is_start(&found.actions[1]));
    }
}
