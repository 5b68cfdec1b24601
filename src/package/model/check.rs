//! The check: every state that can be reached, by stateright.
#![forbid(unsafe_code)]

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};
use stateright::{Checker, HasDiscoveries, Model};

use super::fault::Fault;
use super::properties::{Expectation, Property};
use super::surroundings::USERS;
use super::{Action, Edit, Extent, Protection, Source, State};

/// What stateright is given.
struct Checked {
    protection: Protection,
    fault: Option<Fault>,
    initial: State,
    /// What was seen already, which is not looked for any more: stateright would, and keep the last steps that it found.
    seen: [AtomicBool; Property::ALL.len()],
}

impl Checked {
    fn new(protection: Protection, extent: Extent, fault: Option<Fault>) -> Self {
        Self { protection, fault, initial: State::new(protection, extent), seen: Default::default() }
    }
}

/// stateright asks by a function that knows nothing but the model and the state.
fn holds<const NUMBER: usize>(model: &Checked, state: &State) -> bool {
    let (property, seen) = (Property::ALL[NUMBER], &model.seen[NUMBER]);
    match property.expectation() {
        Expectation::Always => property.holds(model.fault, state),
        Expectation::Sometimes => {
            let is_new = !seen.load(Ordering::Relaxed) && property.holds(model.fault, state);
            is_new && !seen.swap(true, Ordering::Relaxed)
        }
    }
}

impl Model for Checked {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial.clone()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        state.actions(actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        state.after(action, self.fault).map(|(after, _)| after)
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let conditions: [fn(&Self, &State) -> bool; Property::ALL.len()] = [
            holds::<0>,
            holds::<1>,
            holds::<2>,
            holds::<3>,
            holds::<4>,
            holds::<5>,
            holds::<6>,
            holds::<7>,
            holds::<8>,
            holds::<9>,
            holds::<10>,
            holds::<11>,
            holds::<12>,
            holds::<13>,
            holds::<14>,
            holds::<15>,
            holds::<16>,
            holds::<17>,
        ];
        let property = |(property, condition): (Property, fn(&Self, &State) -> bool)| match property.expectation() {
            Expectation::Always => stateright::Property::always(property.name(), condition),
            Expectation::Sometimes => stateright::Property::sometimes(property.name(), condition),
        };
        let expected = Property::ALL.into_iter().zip(conditions);
        expected.filter(|(expected, _)| expected.is_expected_under(self.protection)).map(property).collect()
    }
}

/// Steps from the beginning, as they can be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What the server offers.
    pub protection: Protection,
    /// How much was tried.
    pub extent: Extent,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// The steps.
    pub actions: Vec<Action>,
}

impl Case {
    /// Takes the steps again, and gives back which of what must hold always does not at their end; `None` where a step is
    /// not possible.
    #[must_use]
    pub fn replay(&self) -> Option<Vec<Property>> {
        let mut state = State::new(self.protection, self.extent);
        for action in &self.actions {
            state = state.after(*action, self.fault)?.0;
        }
        let broken =
            |property: &Property| property.expectation() == Expectation::Always && !property.holds(self.fault, &state);
        Some(Property::ALL.into_iter().filter(broken).collect())
    }
}

impl fmt::Display for Case {
    /// A line for each step, with what CompleteAuthToken answered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut state = Some(State::new(self.protection, self.extent));
        for (number, action) in self.actions.iter().enumerate() {
            write!(f, "{:3}. {action}", number + 1)?;
            match state.as_ref().and_then(|state| state.after(*action, self.fault)) {
                Some((after, Some(status))) => {
                    state = Some(after);
                    writeln!(f, ": {status}")?;
                }
                Some((after, None)) => {
                    state = Some(after);
                    writeln!(f)?;
                }
                None => {
                    state = None;
                    writeln!(f, ": not possible here")?;
                }
            }
        }
        Ok(())
    }
}

/// What was found of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds of every state.
    Holds,
    /// It does not hold at the end of these steps.
    Broken(Case),
    /// It is seen at the end of these steps.
    Reached(Case),
    /// It is seen in no state.
    NotReached,
    /// The check ended before it was known.
    Unknown,
}

/// A property, and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The property.
    pub property: Property,
    /// What was found.
    pub outcome: Outcome,
}

impl Finding {
    /// Whether it is as it must be.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        match self.outcome {
            Outcome::Holds | Outcome::Reached(_) => true,
            Outcome::Broken(_) | Outcome::NotReached | Outcome::Unknown => false,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the server offered.
    pub protection: Protection,
    /// How much was tried.
    pub extent: Extent,
    /// What was wrong with it.
    pub fault: Option<Fault>,
    /// States that differ.
    pub states: usize,
    /// Steps that were tried.
    pub steps: usize,
    /// The most steps to a state.
    pub depth: usize,
    /// Whether every state was seen.
    pub is_exhaustive: bool,
    /// All properties.
    pub findings: Vec<Finding>,
}

impl Report {
    /// What was found of that property.
    #[must_use]
    pub fn finding(&self, property: Property) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.property == property)
    }
}

/// Checks every state; with a fault, until what it breaks is found broken.
#[must_use]
pub fn check(protection: Protection, extent: Extent, fault: Option<Fault>) -> Report {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let until = match fault.map(Fault::breaks) {
        Some(broken) if broken.expectation() == Expectation::Always => {
            HasDiscoveries::AnyOf(BTreeSet::from([broken.name()]))
        }
        // Nothing is found of what always holds, so this is never met, and no state is left out.
        Some(_) | None => HasDiscoveries::All,
    };
    let checker =
        Checked::new(protection, extent, fault).checker().threads(threads).finish_when(until).spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let is_exhaustive = !fault.is_some_and(|fault| discoveries.contains_key(fault.breaks().name()));
    let finding = |property: Property| {
        let found = discoveries.remove(property.name()).map(|path| Case {
            protection,
            extent,
            fault,
            actions: path.into_actions(),
        });
        let outcome = match (property.expectation(), found) {
            (Expectation::Always, Some(case)) => Outcome::Broken(case),
            (Expectation::Sometimes, Some(case)) => Outcome::Reached(case),
            (Expectation::Always, None) if is_exhaustive => Outcome::Holds,
            (Expectation::Sometimes, None) if is_exhaustive => Outcome::NotReached,
            (Expectation::Always | Expectation::Sometimes, None) => Outcome::Unknown,
        };
        Finding { property, outcome }
    };
    let expected = Property::ALL.into_iter().filter(|property| property.is_expected_under(protection));
    let findings = expected.map(finding).collect();
    Report {
        protection,
        extent,
        fault,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        is_exhaustive,
        findings,
    }
}

/// Serves stateright's Explorer, in which a person walks through the states with a browser; it does not return.
pub fn explore(protection: Protection, extent: Extent, fault: Option<Fault>, address: SocketAddr) {
    Checked::new(protection, extent, fault).checker().serve(address);
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = |initiator: usize| USERS.get(initiator).map_or("nobody", |(user, _)| user);
        match *self {
            Self::Ask { initiator } => write!(f, "{} asks, and is challenged", user(initiator)),
            Self::Challenge { initiator, challenge, edit } => {
                write!(f, "{} answers challenge {}", user(initiator), challenge + 1)?;
                edited(f, edit)
            }
            Self::Deliver { request, edit } => {
                write!(f, "request {} is delivered", request + 1)?;
                edited(f, edit)
            }
            Self::Complete { context } => write!(f, "CompleteAuthToken on context {}", context + 1),
            Self::Delete { context } => write!(f, "DeleteSecurityContext on context {}", context + 1),
            Self::Expire => write!(f, "the nonces expire"),
        }
    }
}

fn edited(f: &mut fmt::Formatter<'_>, edit: Option<Edit>) -> fmt::Result {
    match edit {
        None => Ok(()),
        Some(Edit { part, by: Source::Recorded(number) }) => write!(f, " with the {part} of number {}", number + 1),
        Some(Edit { part, by: Source::Foreign }) => write!(f, " with a {part} of the adversary's own"),
    }
}
