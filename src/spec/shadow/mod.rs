//! The shadow: the spec machine with its own memory, which says what must happen and judges what did.
//!
//! It learns nonces and opaques only from what a subject puts out, and never reads the subject's insides.
#![forbid(unsafe_code)]

pub mod attributes;
mod bindings;
mod effects;
mod facts;
pub mod layers;
pub mod opaque;
mod outcome;
pub mod questions;
pub mod reading;
pub mod registers;
mod sasl;
mod sasl_outcome;
mod view;

use std::sync::Arc;

use crate::buffer::SecHandle;

use super::call::{Call, Outcome};
use super::model::{Allowed, CallSpec, Next, Row, Specification};
use super::names::{Buffers, HandleOutcome, Profile};
use super::setup::{EnvironmentFault, Setup};
use super::vocabulary::{Digest, Fact, Facts, Role};
use crate::status::SecurityStatus;
use registers::{Answer, Registers};

/// The spec machine: tables and registers.
#[derive(Clone, Debug)]
pub struct Shadow {
    specification: Arc<Specification>,
    registers: Registers,
}

/// What the tables say about a call.
#[derive(Clone, Debug)]
pub struct Expectation<'s> {
    /// The facts of the call.
    pub facts: Facts,
    /// The row that applies. `None` would be a hole in the tables, which `spec check` excludes.
    pub row: Option<&'s Row>,
}

/// How an outcome stands to the tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is what the row says.
    Pass,
    /// It is not, yet it is not wrong: an accepted alternative, or another departure judged first.
    Deviation(String),
    /// It is wrong: what differs from the row.
    Fail(String),
}

/// A verdict with its grounds.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The facts of the call.
    pub facts: Facts,
    /// The row that applied.
    pub row: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Shadow {
    /// The machine before the first call.
    pub fn new(specification: Arc<Specification>, setup: Setup) -> Self {
        Self { specification, registers: Registers::new(setup) }
    }

    /// The tables.
    pub fn specification(&self) -> &Specification {
        &self.specification
    }

    /// The registers, for testers that make calls from them.
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// The subject's clock was advanced.
    pub fn advance(&mut self, milliseconds: u64) {
        self.registers.now = self.registers.now.saturating_add(milliseconds);
    }

    /// The subject's environment was made to fail, or mended.
    pub fn inject(&mut self, fault: EnvironmentFault) {
        self.registers.fault = fault;
    }

    /// The subject's account source was taken down, or brought back.
    pub fn take_accounts_down(&mut self, down: bool) {
        self.registers.accounts_down = down;
    }

    /// The newest context, if it is an initiator's and established.
    pub fn newest_established_initiator(&self) -> Option<SecHandle> {
        let newest = self.registers.contexts.iter().max_by_key(|(_, context)| context.ordinal);
        let established = Fact::State.value("established");
        newest
            .filter(|(_, context)| matches!(context.role, Role::Initiator) && Some(context.state) == established)
            .map(|(handle, _)| *handle)
    }

    /// An initiator was told that all its counts were spent.
    pub fn spend_counts(&mut self, context: SecHandle) {
        match self.registers.contexts.get_mut(&context).and_then(|context| context.answer.as_mut()) {
            Some(Answer::Http(answer)) => answer.nc = u32::MAX,
            Some(Answer::Sasl(answer)) => answer.nc = u32::MAX,
            None => {}
        }
    }

    /// The newest context, if its messages are protected.
    pub fn newest_with_layers(&self) -> Option<SecHandle> {
        let newest = self.registers.contexts.iter().max_by_key(|(_, context)| context.ordinal);
        // Who authenticates again keeps the old layers until new ones begin, and cannot use them.
        let established = Fact::State.value("established");
        let has_layers = |context: &registers::Context| context.layers.is_some() && Some(context.state) == established;
        newest.filter(|(_, context)| has_layers(context)).map(|(handle, _)| *handle)
    }

    /// A context was told that all numbers of the messages it sends were spent.
    pub fn spend_sequence(&mut self, context: SecHandle) {
        if let Some(layers) = self.registers.contexts.get_mut(&context).and_then(|context| context.layers.as_mut()) {
            layers.spent = true;
        }
    }

    /// A handle of another provider became known.
    pub fn learn_foreign_handle(&mut self, handle: SecHandle) {
        self.registers.foreign.insert(handle);
    }

    /// The mechanism whose table answers a call: that of its live context; without one the HTTP flag of the two calls
    /// that make contexts decides, and for all others the run.
    pub fn profile_of(&self, call: &Call) -> Profile {
        let context = call.context().and_then(|handle| self.registers.contexts.get(&handle));
        context.map_or_else(|| self.registers.profile_without_context(call), |context| context.profile)
    }

    fn tables(&self, call: &Call) -> Option<&CallSpec> {
        self.specification.call(call.name(), self.profile_of(call))
    }

    /// What must happen on this call.
    pub fn expect(&self, call: &Call) -> Expectation<'_> {
        let Some(tables) = self.tables(call) else { return Expectation { facts: Facts::default(), row: None } };
        let facts = self.registers.facts(tables, &self.registers.view(call));
        Expectation { facts, row: tables.row(&facts).map(|(_, row)| row) }
    }

    /// Judges what happened and goes on in the state that follows from it.
    ///
    /// After [`Verdict::Fail`] the registers are unchanged: what the subject's state is then nobody knows, and
    /// the sequence should end.
    pub fn absorb(&mut self, call: &Call, outcome: &Outcome) -> Judgement {
        let specification = Arc::clone(&self.specification);
        let Some(tables) = specification.call(call.name(), self.profile_of(call)) else {
            return Judgement {
                facts: Facts::default(),
                row: None,
                verdict: Verdict::Fail("the call is not in the tables".into()),
            };
        };
        let view = self.registers.view(call);
        let facts = self.registers.facts(tables, &view);
        let Some((_, row)) = tables.row(&facts) else {
            return Judgement { facts, row: None, verdict: Verdict::Fail(format!("no row for {facts}")) };
        };
        let judged = |verdict| Judgement { facts, row: Some(row.id.clone()), verdict };
        let difference = match self.registers.matches(&row.outcome, &view, outcome) {
            Ok(learned) => {
                self.registers.apply(&row.outcome, &view, outcome, learned);
                return judged(Verdict::Pass);
            }
            Err(difference) => difference,
        };
        for allowed in &row.also {
            if let Ok(learned) = self.registers.matches(allowed, &view, outcome) {
                self.registers.apply(allowed, &view, outcome, learned);
                return judged(Verdict::Pass);
            }
        }
        let accepted = row.accept.iter().map(|allowed| (allowed.clone(), allowed.why.clone()));
        let hidden = hidden_departures(tables, row, &facts, &self.registers.facts_behind(tables, &facts, &view));
        for (allowed, why) in accepted.chain(other_departures(tables, &facts)).chain(hidden) {
            if let Ok(learned) = self.registers.matches(&allowed, &view, outcome) {
                self.registers.apply(&allowed, &view, outcome, learned);
                return judged(Verdict::Deviation(why));
            }
        }
        judged(Verdict::Fail(difference))
    }
}

/// Where several departures meet, the failure due to each of the others alone: the order of checks is decided
/// here, so another order deviates. What would count a wrong digest as anything but a failure of the digest or of
/// something before it stays out.
fn other_departures<'a>(tables: &'a CallSpec, facts: &'a Facts) -> impl Iterator<Item = (Allowed, String)> + 'a {
    let departing: Vec<Fact> = tables.departures(facts).map(|rule| rule.fact).collect();
    let several = departing.len() > 1;
    let kept = departing.clone();
    kept.into_iter().filter(move |_| several).flat_map(move |fact| {
        let alone = only(tables, facts, &departing, fact);
        let row = tables.row(&alone).map(|(_, row)| row);
        let allowed = row.into_iter().flat_map(Row::allowed);
        let wrong_digest = facts.is(Digest::Differs) && fact != Fact::State;
        let is_sound = move |allowed: &&Allowed| {
            let unsound = wrong_digest && allowed.status == SecurityStatus::SEC_E_OUT_OF_SEQUENCE;
            allowed.status.is_error() && !unsound && allowed.handle != HandleOutcome::New
        };
        let id = row.map_or("", |row| &row.id);
        let judged = move |allowed: &Allowed| (allowed.clone(), format!("{} was judged first (row {id})", fact.name()));
        allowed.filter(is_sound).map(judged)
    })
}

/// As [`other_departures`], for departures that the tables do not look for behind an earlier one: `behind` are the
/// facts as they would be without those that are there. Such a failure leaves everything as it is.
fn hidden_departures(tables: &CallSpec, row: &Row, facts: &Facts, behind: &Facts) -> Vec<(Allowed, String)> {
    let hidden: Vec<Fact> = tables.departures(behind).map(|rule| rule.fact).collect();
    let wrong_digest = facts.is(Digest::Differs) || behind.is(Digest::Differs);
    let judged = |fact: &Fact| {
        let (_, other) = tables.row(&only(tables, behind, &hidden, *fact))?;
        let unsound = wrong_digest && other.outcome.status == SecurityStatus::SEC_E_OUT_OF_SEQUENCE;
        let is_failure = other.outcome.status.is_error() && !unsound;
        let allowed = Allowed {
            next: if row.outcome.next == Next::None { Next::None } else { Next::Same },
            handle: row.outcome.handle,
            buffers: Buffers::Untouched,
            effects: Vec::new(),
            ..other.outcome.clone()
        };
        is_failure.then(|| (allowed, format!("{} was judged first (row {})", fact.name(), other.id)))
    };
    let departs = tables.departures(facts).next().is_some() && row.outcome.handle != HandleOutcome::New;
    hidden.iter().filter(|_| departs).filter_map(judged).collect()
}

/// The facts as they would be if `kept` were the only departure: the others mended, and what then exists fine.
fn only(tables: &CallSpec, facts: &Facts, departing: &[Fact], kept: Fact) -> Facts {
    let mut alone = Facts::default();
    for rule in &tables.facts {
        if alone.get(rule.fact).is_some() || !rule.exists(&alone) {
            continue;
        }
        let given = facts.get(rule.fact).filter(|value| rule.values.contains(value));
        let mended = departing.contains(&rule.fact) && rule.fact != kept;
        alone.set(rule.fact, given.filter(|_| !mended).or_else(|| rule.fine.first().copied()));
    }
    alone
}

#[cfg(test)]
mod tests {
    use super::other_departures;
    use crate::spec::model::{Allowed, Row, Specification};
    use crate::spec::names::{Buffers, Effect};
    use crate::spec::vocabulary::{Count, Digest, Fact, Facts, Names};
    use crate::status::SecurityStatus;

    /// Calls `visit` with every outcome that is not wrong, for every combination of facts that is `wanted`.
    fn for_each_outcome(wanted: fn(&Facts) -> bool, visit: &mut dyn FnMut(&Facts, &Row, &Allowed)) {
        let specification = Specification::embedded().expect("the tables of this crate load");
        for tables in &specification.calls {
            let mut of = |facts: &Facts| {
                if !wanted(facts) {
                    return;
                }
                let (_, row) = tables.row(facts).expect("`spec check` finds one row for each combination");
                visit(facts, row, &row.outcome);
                row.accept.iter().for_each(|allowed| visit(facts, row, allowed));
                other_departures(tables, facts).for_each(|(allowed, _)| visit(facts, row, &allowed));
            };
            tables.for_each_combination(&mut of).expect("`spec check` finds no fact that exists twice");
        }
    }

    #[test]
    fn a_wrong_digest_is_always_a_failure_and_never_a_matter_of_counts() {
        let mut seen = 0;
        for_each_outcome(|facts| facts.is(Digest::Differs), &mut |facts, row, allowed| {
            seen += 1;
            assert_ne!(allowed.status, SecurityStatus::SEC_E_OUT_OF_SEQUENCE, "{}: {facts}", row.id);
            assert_ne!(allowed.status, SecurityStatus::SEC_E_OK, "{}: {facts}", row.id);
            let stale = match allowed.buffers {
                Buffers::ChallengeStale
                | Buffers::ChallengeStaleIfOutput
                | Buffers::PendingChallengeStale
                | Buffers::PendingChallengeStaleIfOutput => true,
                Buffers::ChallengeIfOutput
                | Buffers::Rspauth
                | Buffers::ResponseAgain
                | Buffers::Signature
                | Buffers::Wrapped
                | Buffers::Plaintext
                | Buffers::Untouched
                | Buffers::Empty
                | Buffers::Challenge
                | Buffers::AuthenticationInfoIfOutput
                | Buffers::Response
                | Buffers::ResponseUnfinished
                | Buffers::ResponseFinished
                | Buffers::Header
                | Buffers::Token
                | Buffers::TokenCompleted
                | Buffers::Protected
                | Buffers::Recovered
                | Buffers::Unjudged
                | Buffers::PackageInfo
                | Buffers::AttributeValue => false,
            };
            assert!(!stale, "{}: {facts}", row.id);
            // Who names nothing is challenged, and a session that outlived its handles is judged by completing.
            let named = !facts.is(Names::Nothing) && !facts.is(Names::Ended);
            assert!(allowed.status.is_error() || !named, "{}: {facts}", row.id);
        });
        assert!(seen > 1000, "only {seen} outcomes of a wrong digest");
    }

    #[test]
    fn nobody_is_authenticated_beside_a_right_digest_and_an_acceptable_count() {
        let mut seen = 0;
        let judged = |facts: &Facts| facts.get(Fact::Digest).is_some();
        for_each_outcome(judged, &mut |facts, row, allowed| {
            let takes = allowed.effects.iter().any(|effect| matches!(effect, Effect::OpenSession | Effect::TakeCount));
            if takes {
                seen += 1;
                assert!(facts.is(Digest::Matches), "{}: {facts}", row.id);
                assert!(facts.is(Count::Next) || facts.is(Count::Within), "{}: {facts}", row.id);
            }
        });
        assert!(seen > 10, "only {seen} outcomes authenticate");
    }
}
