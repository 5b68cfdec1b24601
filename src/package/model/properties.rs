//! What must hold of every state, and what must be seen in some.
//!
//! What a property says of a call is asked of the core itself, on a copy of the state.
#![forbid(unsafe_code)]

use core::fmt;

use serde::Serialize;

use super::acceptor::{Answer, Held};
use super::fault::Fault;
use super::surroundings::Authority;
use super::{Protection, State};
use crate::status::SecurityStatus;

/// A property, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Every completion of SEC_I_COMPLETE_NEEDED that returned SEC_E_OK, and every AcceptSecurityContext that did, was of a
    /// request that the holder of the secret made, for that method, target, entity and count.
    OnlyTheHolderIsAuthenticated,
    /// Each request is authenticated at most once.
    AtMostOnce,
    /// SEC_E_OK after SEC_I_COMPLETE_AND_CONTINUE authenticates nobody.
    ContinuingAuthenticatesNobody,
    /// CompleteAuthToken answers SEC_E_OUT_OF_SEQUENCE where it is not due.
    CompletesOnlyWhatIsDue,
    /// No call on a rejected context but DeleteSecurityContext succeeds or changes it.
    RejectedForGood,
    /// While a context of a session lives, the next request of its initiator is authenticated, whatever others did.
    NobodyElseBlocksASession,
    /// When all contexts are deleted nothing refers to any challenge or session.
    DeletionFrees,
    /// Somebody is authenticated by a completion.
    CompletionIsReached,
    /// A request that was authenticated before is refused.
    ReplayIsRefused,
    /// Something is completed after SEC_I_COMPLETE_AND_CONTINUE.
    ContinuingIsReached,
    /// A context is there on which no completion is due.
    NothingDueIsReached,
    /// A context is rejected.
    RejectedIsReached,
    /// An initiator with a session has one more request under way.
    SessionIsReached,
    /// A context refers to a session.
    HeldSessionIsReached,
    /// A completion that is due answers SEC_E_INVALID_TOKEN: its caller has lost the request.
    InvalidTokenIsReached,
    /// A completion that is due answers SEC_E_OUT_OF_SEQUENCE.
    OutOfSequenceIsReached,
    /// A completion that is due answers SEC_E_MESSAGE_ALTERED.
    MessageAlteredIsReached,
    /// A completion that is due answers SEC_E_INTERNAL_ERROR: the account source is down.
    InternalErrorIsReached,
}

/// Whether a property must hold of every state or must be seen in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// Of every state.
    Always,
    /// Of at least one.
    Sometimes,
}

impl Property {
    /// All there are: each of what must hold always stands before what shows that it is not idle; then the statuses.
    pub const ALL: [Self; 18] = [
        Self::OnlyTheHolderIsAuthenticated,
        Self::CompletionIsReached,
        Self::AtMostOnce,
        Self::ReplayIsRefused,
        Self::ContinuingAuthenticatesNobody,
        Self::ContinuingIsReached,
        Self::CompletesOnlyWhatIsDue,
        Self::NothingDueIsReached,
        Self::RejectedForGood,
        Self::RejectedIsReached,
        Self::NobodyElseBlocksASession,
        Self::SessionIsReached,
        Self::DeletionFrees,
        Self::HeldSessionIsReached,
        Self::InvalidTokenIsReached,
        Self::OutOfSequenceIsReached,
        Self::MessageAlteredIsReached,
        Self::InternalErrorIsReached,
    ];

    /// The name, as it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlyTheHolderIsAuthenticated => "only-the-holder-is-authenticated",
            Self::AtMostOnce => "at-most-once",
            Self::ContinuingAuthenticatesNobody => "continuing-authenticates-nobody",
            Self::CompletesOnlyWhatIsDue => "completes-only-what-is-due",
            Self::RejectedForGood => "rejected-for-good",
            Self::NobodyElseBlocksASession => "nobody-else-blocks-a-session",
            Self::DeletionFrees => "deletion-frees",
            Self::CompletionIsReached => "completion-is-reached",
            Self::ReplayIsRefused => "replay-is-refused",
            Self::ContinuingIsReached => "continuing-is-reached",
            Self::NothingDueIsReached => "nothing-due-is-reached",
            Self::RejectedIsReached => "rejected-is-reached",
            Self::SessionIsReached => "session-is-reached",
            Self::HeldSessionIsReached => "held-session-is-reached",
            Self::InvalidTokenIsReached => "invalid-token-is-reached",
            Self::OutOfSequenceIsReached => "out-of-sequence-is-reached",
            Self::MessageAlteredIsReached => "message-altered-is-reached",
            Self::InternalErrorIsReached => "internal-error-is-reached",
        }
    }

    /// What is expected of it.
    #[must_use]
    pub fn expectation(self) -> Expectation {
        match self {
            Self::OnlyTheHolderIsAuthenticated
            | Self::AtMostOnce
            | Self::ContinuingAuthenticatesNobody
            | Self::CompletesOnlyWhatIsDue
            | Self::RejectedForGood
            | Self::NobodyElseBlocksASession
            | Self::DeletionFrees => Expectation::Always,
            Self::CompletionIsReached
            | Self::ReplayIsRefused
            | Self::ContinuingIsReached
            | Self::NothingDueIsReached
            | Self::RejectedIsReached
            | Self::SessionIsReached
            | Self::HeldSessionIsReached
            | Self::InvalidTokenIsReached
            | Self::OutOfSequenceIsReached
            | Self::MessageAlteredIsReached
            | Self::InternalErrorIsReached => Expectation::Sometimes,
        }
    }

    /// Whether it can be expected where the server offers that: under qop=auth CompleteAuthToken asks no account source, which
    /// AcceptSecurityContext did before.
    #[must_use]
    pub fn is_expected_under(self, protection: Protection) -> bool {
        self != Self::InternalErrorIsReached || protection == Protection::AuthInt
    }

    /// Whether it holds of the state of a model with that fault.
    pub(super) fn holds(self, fault: Option<Fault>, state: &State) -> bool {
        match self {
            Self::OnlyTheHolderIsAuthenticated => !state.is_forged,
            Self::CompletionIsReached => state.authenticated.iter().any(|of| of[1] > 0),
            Self::AtMostOnce => state.authenticated.iter().flatten().all(|times| *times <= 1),
            Self::ReplayIsRefused => replay_is_refused(state, fault),
            Self::ContinuingAuthenticatesNobody => {
                state.acceptor.contexts().iter().all(|held| !held.was_continued || !held.authenticates())
            }
            Self::ContinuingIsReached => state.acceptor.contexts().iter().any(|held| held.was_continued),
            Self::CompletesOnlyWhatIsDue => {
                positions(state, |held| !held.is_due()).all(|position| leaves_alone(state, position, fault))
            }
            Self::NothingDueIsReached => state.acceptor.contexts().iter().any(|held| !held.is_due()),
            Self::RejectedForGood => {
                state.acceptor.contexts().iter().filter(|held| held.was_rejected).all(Held::is_rejected_for_good)
            }
            Self::RejectedIsReached => state.acceptor.contexts().iter().any(Held::is_rejected),
            Self::NobodyElseBlocksASession => {
                state.sessions_under_way().all(|number| is_authenticated_next(state, number, fault))
            }
            Self::SessionIsReached => state.sessions_under_way().next().is_some(),
            Self::DeletionFrees => {
                let mut after = state.clone();
                while !after.acceptor.contexts().is_empty() {
                    after.acceptor.delete(0, fault, &mut after.surroundings);
                }
                after.surroundings.sessions.references() == 0
            }
            Self::HeldSessionIsReached => state.surroundings.sessions.references() > 0,
            Self::InvalidTokenIsReached => positions(state, Held::is_due).any(|position| {
                let mut after = state.clone();
                after.acceptor.lose_request(position);
                let (status, _) = after.acceptor.complete(position, fault, Authority::Up, &mut after.surroundings);
                status == SecurityStatus::SEC_E_INVALID_TOKEN
            }),
            Self::OutOfSequenceIsReached => {
                refuses(state, Held::is_due, fault, Authority::Up, SecurityStatus::SEC_E_OUT_OF_SEQUENCE)
            }
            Self::MessageAlteredIsReached => answers(state, fault, SecurityStatus::SEC_E_MESSAGE_ALTERED),
            Self::InternalErrorIsReached => {
                refuses(state, Held::is_due, fault, Authority::Down, SecurityStatus::SEC_E_INTERNAL_ERROR)
            }
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where the contexts are of which something is so.
fn positions(state: &State, is: impl Fn(&Held) -> bool) -> impl Iterator<Item = usize> {
    state.acceptor.contexts().iter().enumerate().filter(move |(_, held)| is(held)).map(|(position, _)| position)
}

/// Whether a completion that is possible next answers so.
fn answers(state: &State, fault: Option<Fault>, status: SecurityStatus) -> bool {
    let mut actions = Vec::new();
    state.actions(&mut actions);
    actions.into_iter().any(|action| {
        let after = state.after(action, fault);
        after.is_some_and(|(_, completed)| completed == Some(status))
    })
}

/// Whether CompleteAuthToken would answer so on a context of which something is so.
fn refuses(
    state: &State,
    is: impl Fn(&Held) -> bool,
    fault: Option<Fault>,
    authority: Authority,
    status: SecurityStatus,
) -> bool {
    positions(state, is).any(|position| {
        let mut after = state.clone();
        after.acceptor.complete(position, fault, authority, &mut after.surroundings).0 == status
    })
}

/// Whether CompleteAuthToken refuses a context on which it is not due, and changes nothing.
fn leaves_alone(state: &State, position: usize, fault: Option<Fault>) -> bool {
    let mut after = state.clone();
    let (status, _) = after.acceptor.complete(position, fault, Authority::Up, &mut after.surroundings);
    status == SecurityStatus::SEC_E_OUT_OF_SEQUENCE && after == *state
}

fn replay_is_refused(state: &State, fault: Option<Fault>) -> bool {
    let is_replayed = |held: &Held| {
        let made = held.due().and_then(|request| state.made(request));
        made.is_some_and(|(by, number)| state.authenticated[by][number] > 0)
    };
    refuses(state, is_replayed, fault, Authority::Up, SecurityStatus::SEC_E_OUT_OF_SEQUENCE)
}

/// Whether the second request of an initiator is authenticated if it is delivered and completed now.
fn is_authenticated_next(state: &State, number: usize, fault: Option<Fault>) -> bool {
    let Some(request) = state.request(number, 1) else { return true };
    let mut after = state.clone();
    let known = after.acceptor.contexts().len();
    after.acceptor.deliver(request, fault, &mut after.surroundings);
    if !after.acceptor.contexts().get(known).is_some_and(Held::is_due) {
        return false;
    }
    let (_, answer) = after.acceptor.complete(known, fault, Authority::Up, &mut after.surroundings);
    matches!(answer, Answer::Authenticated(_))
}
