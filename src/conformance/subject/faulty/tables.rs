//! Faults as changed tables: what the oracle answers from says something else.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::super::Subject;
use super::super::oracle::Oracle;
use crate::spec::Specification;
use crate::spec::model::{Allowed, Next};
use crate::spec::names::{Buffers, CallName, Effect, HandleOutcome};
use crate::spec::vocabulary::{State, Word};
use crate::status::SecurityStatus;

/// Tables about to be wrong. An edit that names nothing changes nothing, and then nothing fails as pinned.
pub(super) struct Tables(Specification);

impl Tables {
    /// The tables as they should be.
    pub(super) fn of(specification: &Specification) -> Self {
        Self(specification.clone())
    }

    /// A situation is never recognised; what comes after it in the order of checks decides.
    pub(super) fn without(mut self, call: CallName, situation: &str) -> Self {
        let tables = self.0.calls.iter_mut().filter(|tables| tables.name == call);
        for situation in tables.flat_map(|tables| &mut tables.situations).filter(|other| other.id == situation) {
            situation.when.clear();
        }
        self
    }

    /// Rows have another outcome.
    pub(super) fn change(mut self, rows: &[&str], change: impl Fn(&mut Allowed)) -> Self {
        for row in self.0.calls.iter_mut().flat_map(|tables| &mut tables.rows) {
            if rows.contains(&row.id.as_str()) {
                change(&mut row.outcome);
            }
        }
        self
    }

    /// Rows have the outcome of another row.
    pub(super) fn like(self, rows: &[&str], model: &str) -> Self {
        match self.0.row(model).map(|row| row.outcome.clone()) {
            Some(outcome) => self.change(rows, |allowed| *allowed = outcome.clone()),
            None => self,
        }
    }

    /// A row has another outcome in one of its states only.
    pub(super) fn change_in(mut self, row: &str, states: &[State], change: impl Fn(&mut Allowed)) -> Self {
        let states: Vec<_> = states.iter().map(|state| Some(state.index())).collect();
        for tables in &mut self.0.calls {
            let Some(original) = tables.rows.iter_mut().find(|candidate| candidate.id == row) else { continue };
            let mut split = original.clone();
            original.states.retain(|state| !states.contains(state));
            split.states.retain(|state| states.contains(state));
            change(&mut split.outcome);
            tables.rows.push(split);
        }
        self
    }

    /// The machine that answers from them.
    pub(super) fn oracle(self) -> Oracle {
        Oracle::new(Arc::new(self.0))
    }

    /// The same as a subject.
    pub(super) fn subject(self) -> Box<dyn Subject> {
        Box::new(self.oracle())
    }
}

/// Another status, and nothing else.
pub(super) fn answers(status: SecurityStatus) -> impl Fn(&mut Allowed) {
    move |allowed| allowed.status = status
}

/// Success that does nothing.
pub(super) fn pretends(allowed: &mut Allowed) {
    allowed.status = SecurityStatus::SEC_E_OK;
    allowed.next = Next::Same;
    allowed.buffers = Buffers::Untouched;
    allowed.effects.clear();
}

/// The failure consumes nothing.
pub(super) fn consumes_nothing(allowed: &mut Allowed) {
    allowed.next = Next::Same;
    allowed.effects.clear();
}

/// The failure consumes the context.
pub(super) fn rejects(allowed: &mut Allowed) {
    allowed.next = Next::State(State::Rejected.index());
    allowed.effects = vec![Effect::Release];
}

/// Other buffers, and nothing else.
pub(super) fn writes(buffers: Buffers) -> impl Fn(&mut Allowed) {
    move |allowed| allowed.buffers = buffers
}

/// An effect is left out.
pub(super) fn forgets(effect: Effect) -> impl Fn(&mut Allowed) {
    move |allowed| allowed.effects.retain(|other| *other != effect)
}

/// A first challenge, with a new handle or on the one given.
pub(super) fn challenges(handle: HandleOutcome) -> impl Fn(&mut Allowed) {
    move |allowed| {
        *allowed = Allowed {
            status: SecurityStatus::SEC_I_CONTINUE_NEEDED,
            next: Next::State(State::Challenged.index()),
            handle,
            buffers: Buffers::Challenge,
            effects: vec![Effect::Release, Effect::RegisterChallenge, Effect::HoldIssuedChallenge],
            why: String::new(),
        }
    }
}
