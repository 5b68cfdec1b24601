//! The state machine: every state is reached, and handles go with states.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::{Report, Rule};
use crate::spec::compile::{NO_STATE, maker};
use crate::spec::model::{Allowed, CallSpec, Next, Row, Specification};
use crate::spec::names::{Buffers, Effect, HandleOutcome, Profile};
use crate::spec::vocabulary::{Fact, State, ValueIndex, Word};

pub(super) fn check(specification: &Specification, report: &mut Report) {
    declared(specification, report);
    for (role, name) in (0..).zip(Fact::Role.values()) {
        reachable(specification, role, name, report);
    }
    for row in specification.rows() {
        for allowed in row.allowed() {
            if let Some(what) = mismatch(row, allowed) {
                report.add(Rule::HandleAndState, format!("row `{}`", row.id), format!("{}: {what}", allowed.status));
            }
            if let Some(what) = trace(allowed) {
                report.add(Rule::ErrorLeavesTraces, format!("row `{}`", row.id), format!("{}: {what}", allowed.status));
            }
            if allowed.next == Next::State(State::Rejected.index()) && !allowed.effects.contains(&Effect::Release) {
                let what = format!("{}: the context is rejected and keeps its reference", allowed.status);
                report.add(Rule::RejectedHolds, format!("row `{}`", row.id), what);
            }
        }
    }
}

/// machine.toml against the vocabulary.
fn declared(specification: &Specification, report: &mut Report) {
    for (position, state) in specification.states.iter().enumerate() {
        let place = format!("machine.toml: {} `{}`", state.role, state.name);
        if Fact::Role.value(&state.role).is_none() {
            report.add(Rule::States, &place, "no such role is in the vocabulary");
        }
        if state.name != NO_STATE && Fact::State.value(&state.name).is_none() {
            report.add(Rule::States, &place, "no such state is in the vocabulary");
        }
        let twice =
            specification.states[..position].iter().any(|other| other.role == state.role && other.name == state.name);
        if twice {
            report.add(Rule::IdTwice, place, "the state is declared already");
        }
    }
    for name in Fact::State.values() {
        if !specification.states.iter().any(|state| state.name == *name) {
            report.add(Rule::States, format!("state `{name}`"), "machine.toml does not explain it");
        }
    }
}

/// The rows of contexts of a role in the tables of some profiles.
fn rows_of<'s>(
    specification: &'s Specification,
    profiles: &'s [Profile],
    role: ValueIndex,
) -> impl Iterator<Item = &'s Row> {
    let described = |call: &&CallSpec| call.profiles.iter().any(|profile| profiles.contains(profile));
    let rows = specification.calls.iter().filter(described).flat_map(|call| &call.rows);
    rows.filter(move |row| row.role.or_else(|| maker(row.call)) == Some(role))
}

/// The states of a role that are reached from none over what rows require, whatever else they accept.
fn reached(specification: &Specification, profiles: &[Profile], role: ValueIndex) -> BTreeSet<Option<ValueIndex>> {
    let mut reached: BTreeSet<Option<ValueIndex>> = BTreeSet::from([None]);
    loop {
        let next: BTreeSet<Option<ValueIndex>> = rows_of(specification, profiles, role)
            .filter(|row| row.states.iter().any(|state| reached.contains(state)))
            .flat_map(Row::required)
            .filter_map(|allowed| match allowed.next {
                Next::Same | Next::None => None,
                Next::State(state) => Some(Some(state)),
            })
            .collect();
        let before = reached.len();
        reached.extend(next);
        if reached.len() == before {
            return reached;
        }
    }
}

/// Whether every state of the role is reached in the tables that name it: Digest's, or those of any package.
fn reachable(specification: &Specification, role: ValueIndex, name: &str, report: &mut Report) {
    let machines = [Profile::DIGEST, &[Profile::AnyPackage]];
    for state in specification.states.iter().filter(|state| state.role == name && state.name != NO_STATE) {
        let Some(index) = Fact::State.value(&state.name) else { continue };
        let names = |profiles: &&&[Profile]| {
            rows_of(specification, profiles, role).any(|row| row.states.contains(&Some(index)))
        };
        let mut naming = machines.iter().filter(names).peekable();
        let is_lost = naming.peek().is_none()
            || naming.any(|profiles| !reached(specification, profiles, role).contains(&Some(index)));
        if is_lost {
            report.add(Rule::StateUnreachable, format!("{name} `{}`", state.name), "no row leads there from `none`");
        }
    }
}

/// What an error changes though it must not, if anything.
fn trace(allowed: &Allowed) -> Option<String> {
    if !allowed.status.is_error() {
        return None;
    }
    match allowed.buffers {
        Buffers::Untouched
        | Buffers::Unjudged
        | Buffers::ChallengeIfOutput
        | Buffers::ChallengeStaleIfOutput
        | Buffers::PendingChallengeStaleIfOutput => {}
        Buffers::Empty
        | Buffers::Challenge
        | Buffers::ChallengeStale
        | Buffers::PendingChallengeStale
        | Buffers::AuthenticationInfoIfOutput
        | Buffers::Response
        | Buffers::ResponseUnfinished
        | Buffers::ResponseFinished
        | Buffers::Header
        | Buffers::Rspauth
        | Buffers::ResponseAgain
        | Buffers::Signature
        | Buffers::Wrapped
        | Buffers::Plaintext
        | Buffers::Token
        | Buffers::TokenCompleted
        | Buffers::Protected
        | Buffers::Recovered
        | Buffers::PackageInfo
        | Buffers::AttributeValue => return Some(format!("an error leaves `{}` in the buffers", allowed.buffers)),
    }
    match allowed.next {
        Next::State(_) => None,
        Next::Same | Next::None => {
            let harmless = |effect: &&Effect| matches!(effect, Effect::CountFailure | Effect::KillReceiving);
            let effect = allowed.effects.iter().find(|effect| !harmless(effect))?;
            Some(format!("an error that changes no state has the effect `{effect}`"))
        }
    }
}

/// What is wrong about the handle and the state after a call, if anything is.
fn mismatch(row: &Row, allowed: &Allowed) -> Option<&'static str> {
    match (row.role, allowed.handle, allowed.next) {
        (None, HandleOutcome::None | HandleOutcome::Same, Next::State(_)) => {
            Some("a context is made without a new handle")
        }
        (None, HandleOutcome::New, Next::None | Next::Same) if maker(row.call).is_some() => {
            Some("a new handle comes back, but no context is made")
        }
        (None, _, _) => None,
        (Some(_), HandleOutcome::New, _) => Some("a new handle comes back though one was given"),
        (Some(_), HandleOutcome::Same, Next::None) => Some("the handle stays though its context is gone"),
        (Some(_), HandleOutcome::None, Next::Same | Next::State(_)) => {
            Some("the context stays though its handle is gone")
        }
        (Some(_), HandleOutcome::Same, Next::Same | Next::State(_)) | (Some(_), HandleOutcome::None, Next::None) => {
            None
        }
    }
}
