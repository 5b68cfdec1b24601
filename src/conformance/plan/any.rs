//! Any package: the way to a state goes over the subject's own initiator and acceptor.
#![forbid(unsafe_code)]

use super::super::action::{Action, CallAction, Goal};
use super::Planner;
use crate::spec::model::Row;
use crate::spec::names::CallName;
use crate::spec::vocabulary as fact;
use crate::spec::vocabulary::{Fact, Facts};

/// How many calls an exchange has at most: ten tokens, each completed.
const STEPS: usize = 20;

/// How every sequence begins: credentials for either side, and some that are freed.
fn credentials() -> Vec<Action> {
    let acquire = |used: fact::Use| CallAction::new(CallName::AcquireCredentialsHandle, 0).wishing(used);
    let calls = [
        acquire(fact::Use::Inbound),
        acquire(fact::Use::Outbound),
        acquire(fact::Use::Inbound),
        CallAction::new(CallName::FreeCredentialsHandle, 0),
    ];
    calls.into_iter().map(Action::Call).collect()
}

/// Why the row of a package that never failed was not reached.
pub fn unreached(row: &Row) -> String {
    let states: Vec<&str> =
        row.states.iter().flatten().map(|state| Fact::State.values()[usize::from(*state)]).collect();
    let role = row.role.map_or("neither side", |role| match Fact::Role.values()[usize::from(role)] {
        "acceptor" => "AcceptSecurityContext",
        _initiator => "InitializeSecurityContext",
    });
    let never = match states.as_slice() {
        ["complete-needed"] => "SEC_I_COMPLETE_NEEDED",
        ["complete-and-continue"] => "SEC_I_COMPLETE_AND_CONTINUE",
        ["complete-needed", "complete-and-continue"] => "SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE",
        ["in-progress"] => "SEC_I_CONTINUE_NEEDED",
        _others => return "the package never came to where the row applies".to_owned(),
    };
    format!("{role} never answered {never}")
}

impl Planner {
    /// Steps of the exchange to a goal, as many as any package takes; those behind the goal are none.
    fn exchange(&mut self, goal: &Goal) {
        self.actions.extend((0..STEPS).map(|_| Action::Exchange(goal.clone())));
    }

    fn exchange_until(&mut self, role: fact::Role, state: fact::State) {
        let mut goal = Goal::default();
        goal.at = goal.at.with(role).with(state);
        self.exchange(&goal);
    }

    fn exchange_before(&mut self, call: CallName, role: fact::Role, state: fact::State) {
        let mut goal = Goal { before: Some(call), ..Goal::default() };
        goal.at = goal.at.with(role).with(state);
        self.exchange(&goal);
    }

    /// The first call of an exchange, and nothing more.
    fn begin_exchange(&mut self) {
        self.actions.push(Action::Exchange(Goal::default()));
    }

    /// A call on the newest context of a role.
    fn on_role(&mut self, call: CallName, role: fact::Role) -> CallAction {
        self.new_call(call).on(0).wishing(role)
    }

    /// The way to the facts of a call.
    pub(super) fn any_reach(&mut self, call: CallName, facts: &Facts) {
        self.actions.extend(credentials());
        if facts.is(fact::Handle::Deleted) {
            self.begin_exchange();
            let delete = self.new_call(CallName::DeleteSecurityContext).on(0);
            self.call(delete);
        }
        if facts.is(fact::Credential::Context) {
            self.begin_exchange();
        }
        let role = match facts.name(Fact::Role) {
            "initiator" => fact::Role::Initiator,
            "acceptor" => fact::Role::Acceptor,
            _none if call == CallName::AcceptSecurityContext => {
                let accepting = Goal { before: Some(CallName::AcceptSecurityContext), ..Goal::default() };
                return self.exchange(&accepting);
            }
            _none => return,
        };
        self.any_reach_state(call, facts, role);
        self.any_messages(call, facts, role);
    }

    fn any_reach_state(&mut self, call: CallName, facts: &Facts, role: fact::Role) {
        let own = match role {
            fact::Role::Initiator => CallName::InitializeSecurityContext,
            fact::Role::Acceptor => CallName::AcceptSecurityContext,
        };
        match facts.name(Fact::State) {
            "in-progress" if call == own => self.exchange_before(own, role, fact::State::InProgress),
            "in-progress" => self.exchange_until(role, fact::State::InProgress),
            "complete-needed" => self.exchange_until(role, fact::State::CompleteNeeded),
            "complete-and-continue" => self.exchange_until(role, fact::State::CompleteAndContinue),
            // Both sides, so that messages can be exchanged.
            "established" => self.exchange(&Goal::default()),
            "rejected" => {
                self.exchange_before(own, role, fact::State::InProgress);
                let flawed = self.on_role(own, role).wishing(fact::Descriptor::Version);
                self.call(flawed);
            }
            _other => {}
        }
    }

    /// Messages that were exchanged before the call, and the one that it receives.
    fn any_messages(&mut self, call: CallName, facts: &Facts, role: fact::Role) {
        let (send, receive, sender) = match call {
            CallName::MakeSignature => (call, CallName::VerifySignature, role),
            CallName::EncryptMessage => (call, CallName::DecryptMessage, role),
            CallName::VerifySignature => (CallName::MakeSignature, call, other(role)),
            CallName::DecryptMessage => (CallName::EncryptMessage, call, other(role)),
            CallName::AcquireCredentialsHandle
            | CallName::FreeCredentialsHandle
            | CallName::EnumerateSecurityPackages
            | CallName::QuerySecurityPackageInfo
            | CallName::FreeContextBuffer
            | CallName::InitializeSecurityContext
            | CallName::AcceptSecurityContext
            | CallName::CompleteAuthToken
            | CallName::QueryContextAttributes
            | CallName::DeleteSecurityContext => return,
        };
        if !facts.is(fact::State::Established) {
            return;
        }
        let receives = call == receive;
        // Variety 0 asks for the sizes.
        let sizes = CallAction::new(CallName::QueryContextAttributes, 0).on(0).wishing(sender);
        self.call(sizes.wishing(fact::Attribute::Supported));
        let mut seals = vec![fact::Seal::Right; self.rng.usize(..3)];
        if facts.is(fact::Direction::Dead) {
            seals.push(fact::Seal::Altered);
        }
        for seal in seals {
            let sent = self.on_role(send, sender);
            self.call(sent);
            let received = self.on_role(receive, other(sender)).wishing(seal);
            self.call(received);
        }
        if receives {
            let sent = self.on_role(send, sender);
            self.call(sent);
        }
    }

    /// What became of the exchange, and the end of the context.
    pub(super) fn any_aftermath(&mut self, call: CallName, facts: &Facts) {
        let goes_on = match call {
            CallName::InitializeSecurityContext | CallName::AcceptSecurityContext => facts.is(fact::Output::Enough),
            CallName::CompleteAuthToken => facts.is(fact::Descriptor::Good),
            CallName::AcquireCredentialsHandle
            | CallName::FreeCredentialsHandle
            | CallName::EnumerateSecurityPackages
            | CallName::QuerySecurityPackageInfo
            | CallName::FreeContextBuffer
            | CallName::MakeSignature
            | CallName::VerifySignature
            | CallName::EncryptMessage
            | CallName::DecryptMessage
            | CallName::QueryContextAttributes
            | CallName::DeleteSecurityContext => false,
        };
        if goes_on {
            self.exchange(&Goal::default());
        }
        let is_left = facts.is(fact::Handle::Live) && call != CallName::DeleteSecurityContext;
        if goes_on || is_left {
            let delete = self.new_call(CallName::DeleteSecurityContext).on(0);
            self.call(delete);
        }
    }
}

fn other(role: fact::Role) -> fact::Role {
    match role {
        fact::Role::Initiator => fact::Role::Acceptor,
        fact::Role::Acceptor => fact::Role::Initiator,
    }
}

/// The facts of a context that is established, whose attribute is asked for: the end of a smoke exchange.
pub fn established(role: fact::Role) -> Facts {
    let facts = Facts::default().with(fact::Handle::Live).with(role).with(fact::State::Established);
    facts.with(fact::Attribute::Supported)
}
