//! A subject and its shadow, going through the same actions side by side.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::action::Action;
use super::concretise::{concretise, exchange};
use super::subject::{Subject, SubjectError};
use crate::spec::call::{Call, Outcome};
use crate::spec::model::Row;
use crate::spec::names::Need;
use crate::spec::setup::Setup;
use crate::spec::shadow::Judgement;
use crate::spec::vocabulary::Fact;
use crate::spec::{Shadow, Specification};

/// One call, as it went.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which action of the walk it came of, counted from one.
    pub number: usize,
    /// The call.
    pub call: Call,
    /// What the subject did.
    pub outcome: Outcome,
    /// The state of the context before the call.
    pub state: &'static str,
    /// How that stands to the tables.
    pub judgement: Judgement,
}

/// A subject under way, and the shadow that judges it.
///
/// After a step that failed nobody knows the subject's state, and the walk should end.
#[derive(Clone, Debug)]
pub struct Walk<S> {
    specification: Arc<Specification>,
    subject: S,
    shadow: Shadow,
    performed: usize,
}

impl<S: Subject> Walk<S> {
    /// Starts the subject over, with that configuration.
    ///
    /// # Errors
    /// Where the subject cannot be started.
    pub fn start(specification: &Arc<Specification>, mut subject: S, setup: &Setup) -> Result<Self, SubjectError> {
        let shadow = started(specification, &mut subject, setup)?;
        Ok(Self { specification: Arc::clone(specification), subject, shadow, performed: 0 })
    }

    /// The shadow.
    pub fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// The subject.
    pub fn subject(&self) -> &S {
        &self.subject
    }

    /// The row that the call of the action would be judged by now, if it makes one.
    pub fn expected(&self, action: &Action) -> Option<&Row> {
        due(action, &self.shadow).and_then(|call| self.shadow.expect(&call).row)
    }

    /// Does what the action says; a step where it says to call.
    ///
    /// # Errors
    /// Where the subject gave no answer.
    pub fn perform(&mut self, action: &Action) -> Result<Option<Step>, SubjectError> {
        self.performed += 1;
        match action {
            Action::Call(_) | Action::Exchange(_) => {
                return due(action, &self.shadow).map(|call| self.call(call)).transpose();
            }
            Action::Expire => {
                let lifetime = self.shadow.registers().setup.nonce_lifetime.saturating_add(1);
                self.subject.advance(lifetime)?;
                self.shadow.advance(lifetime);
            }
            Action::Inject(fault) => {
                self.subject.inject(*fault)?;
                self.shadow.inject(*fault);
            }
            Action::AccountsDown(down) => {
                self.subject.take_accounts_down(*down)?;
                self.shadow.take_accounts_down(*down);
            }
            Action::SpendCounts => {
                if let Some(context) = self.shadow.newest_established_initiator() {
                    self.subject.spend_counts(context)?;
                    self.shadow.spend_counts(context);
                }
            }
            Action::SpendSequences => {
                if let Some(context) = self.shadow.newest_with_layers() {
                    self.subject.spend_sequences(context)?;
                    self.shadow.spend_sequence(context);
                }
            }
            Action::StartOver(setup) => self.shadow = started(&self.specification, &mut self.subject, setup)?,
        }
        Ok(None)
    }

    /// Makes a call.
    ///
    /// # Errors
    /// Where the subject gave no answer.
    pub fn call(&mut self, call: Call) -> Result<Step, SubjectError> {
        let outcome = self.subject.call(&call)?;
        let context = call.context().and_then(|handle| self.shadow.registers().contexts.get(&handle));
        let state = context.map_or("none", |context| Fact::State.values()[context.state as usize]);
        let judgement = self.shadow.absorb(&call, &outcome);
        Ok(Step { number: self.performed, call, outcome, state, judgement })
    }
}

/// The call that the action makes now, if it makes one.
pub(super) fn due(action: &Action, shadow: &Shadow) -> Option<Call> {
    match action {
        Action::Call(action) => Some(concretise(action, shadow.registers())),
        Action::Exchange(goal) => exchange(goal, shadow.registers()),
        Action::Expire
        | Action::Inject(_)
        | Action::AccountsDown(_)
        | Action::SpendCounts
        | Action::SpendSequences
        | Action::StartOver(_) => None,
    }
}

/// Starts a subject, and makes the shadow it begins with.
fn started(
    specification: &Arc<Specification>,
    subject: &mut impl Subject,
    setup: &Setup,
) -> Result<Shadow, SubjectError> {
    subject.start(setup)?;
    let mut shadow = Shadow::new(Arc::clone(specification), setup.clone());
    if subject.capabilities().contains(&Need::TwoProviders) {
        shadow.learn_foreign_handle(subject.foreign_handle()?);
    }
    Ok(shadow)
}
