//! Any package: the subject's initiator and acceptor, fed with what the other put out.
#![forbid(unsafe_code)]

use crate::buffer::SecHandle;
use crate::spec::names::CallName;
use crate::spec::shadow::registers::{Context, Registers};
use crate::spec::vocabulary::{Fact, Role, State, Word};

use super::action::Goal;

/// The call that is due next in an exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// The function.
    pub call: CallName,
    /// The context it is on; `None` where it makes one.
    pub context: Option<SecHandle>,
}

/// The call that is due next in the exchange of the newest initiator, or the first one of a new exchange; `None` where
/// the goal is reached, or the exchange has come to its end.
pub fn next(goal: &Goal, registers: &Registers) -> Option<Due> {
    let due = due(registers).filter(|_| !is_there(goal, registers))?;
    let on = due.context.and_then(|context| registers.contexts.get(&context));
    let stops = goal.before == Some(due.call)
        && match on {
            None => goal.at.is_empty(),
            Some(context) => is_as_wished(goal, context),
        };
    (!stops).then_some(due)
}

fn is_as_wished(goal: &Goal, context: &Context) -> bool {
    let state = goal.at.get(Fact::State);
    goal.at.is(context.role) && state.is_none_or(|state| state == context.state)
}

/// Whether the newest context of the role is where it should be.
fn is_there(goal: &Goal, registers: &Registers) -> bool {
    let of_role = registers.contexts.values().filter(|context| goal.at.is(context.role));
    let newest = of_role.max_by_key(|context| context.ordinal);
    goal.before.is_none() && newest.is_some_and(|context| is_as_wished(goal, context))
}

fn is_in(context: &Context, state: State) -> bool {
    context.state == state.index()
}

fn is_completion_due(context: &Context) -> bool {
    is_in(context, State::CompleteNeeded) || is_in(context, State::CompleteAndContinue)
}

/// Whether there is something to hand over: a token that is not empty, or an empty one where more is to come.
fn has_word(context: &Context) -> bool {
    let token = context.opaque.token.as_ref();
    token.is_some_and(|token| !token.is_empty() || is_in(context, State::InProgress))
}

fn due(registers: &Registers) -> Option<Due> {
    let of_role = registers.contexts.iter().filter(|(_, context)| matches!(context.role, Role::Initiator));
    let Some((initiator, initiating)) = of_role.max_by_key(|(_, context)| context.ordinal) else {
        return Some(Due { call: CallName::InitializeSecurityContext, context: None });
    };
    let accepting = registers.peer_of(initiating);
    let on = |call, context| Some(Due { call, context: Some(context) });
    match accepting {
        _ if is_completion_due(initiating) => on(CallName::CompleteAuthToken, *initiator),
        None if has_word(initiating) && initiating.opaque.peer.is_none() => {
            Some(Due { call: CallName::AcceptSecurityContext, context: None })
        }
        None => None,
        Some((acceptor, accepting)) if is_completion_due(accepting) => on(CallName::CompleteAuthToken, acceptor),
        Some((acceptor, accepting)) if has_word(initiating) && is_in(accepting, State::InProgress) => {
            on(CallName::AcceptSecurityContext, acceptor)
        }
        Some((_, accepting)) if has_word(accepting) && is_in(initiating, State::InProgress) => {
            on(CallName::InitializeSecurityContext, *initiator)
        }
        Some(_) => None,
    }
}
