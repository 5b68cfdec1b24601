//! What a suite's states are told apart by: the shadow's registers, without names, numbers and times.
//!
//! What is left out is what the claim of a suite does not cover: how far counts have come, how much time has passed,
//! which of several challenges or sessions that are alike is meant.
#![forbid(unsafe_code)]

use crate::digest::{Qop, sasl};
use crate::spec::Shadow;
use crate::spec::names::Profile;
use crate::spec::setup::EnvironmentFault;
use crate::spec::shadow::registers::{Answer, Context, Exchange, Registers};
use crate::spec::vocabulary::{Role, ValueIndex};

/// The registers as far as the next calls' outcomes depend on them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Abstract {
    contexts: Vec<AbstractContext>,
    /// What a token can name beside what the contexts refer to, without doubles.
    others: Vec<AbstractExchange>,
    has_deleted: bool,
    credentials: usize,
    has_freed: bool,
    fault: EnvironmentFault,
    accounts_down: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct AbstractContext {
    profile: Profile,
    role: Role,
    state: ValueIndex,
    put_out: Option<AbstractExchange>,
    holds: Option<AbstractExchange>,
    pending: Option<AbstractExchange>,
    requires_bindings: bool,
    answer: Option<AbstractAnswer>,
    layers: Option<(bool, bool)>,
    opaque: AbstractOpaque,
}

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct AbstractExchange {
    is_live: bool,
    is_answered: bool,
    is_expired: bool,
    failures: u32,
    http_qop: Option<Qop>,
    sasl_qop: Option<sasl::Qop>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum AbstractAnswer {
    Http { qop: Option<Qop>, is_exhausted: bool, is_extended: bool },
    Sasl { qop: sasl::Qop, is_exhausted: bool },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct AbstractOpaque {
    /// The peer by its place among the live contexts, if it is one.
    peer: Option<Option<usize>>,
    has_token: bool,
    legs: usize,
    sent: usize,
    out_of_step: bool,
}

impl Abstract {
    /// What is left of the registers of a shadow.
    pub fn of(shadow: &Shadow) -> Self {
        let registers = shadow.registers();
        let mut contexts: Vec<&Context> = registers.contexts.values().collect();
        contexts.sort_by_key(|context| std::cmp::Reverse(context.ordinal));
        let referred: Vec<usize> =
            contexts.iter().flat_map(|context| [context.put_out, context.holds, context.pending]).flatten().collect();
        let is_other = |(position, exchange): &(usize, &Exchange)| !referred.contains(position) && exchange.is_live();
        let others = registers.exchanges.iter().enumerate().filter(is_other);
        let mut others: Vec<AbstractExchange> =
            others.map(|(position, _)| AbstractExchange::of(registers, position)).collect();
        others.sort_unstable();
        others.dedup();
        Self {
            contexts: contexts.iter().map(|context| AbstractContext::of(registers, &contexts, context)).collect(),
            others,
            has_deleted: !registers.deleted.is_empty(),
            credentials: registers.credentials.len(),
            has_freed: !registers.freed.is_empty(),
            fault: registers.fault,
            accounts_down: registers.accounts_down,
        }
    }

    /// How many contexts are alive.
    pub fn contexts(&self) -> usize {
        self.contexts.len()
    }
}

impl AbstractContext {
    fn of(registers: &Registers, all: &[&Context], context: &Context) -> Self {
        let exchange = |position: Option<usize>| position.map(|position| AbstractExchange::of(registers, position));
        let place = |ordinal: usize| all.iter().position(|other| other.ordinal == ordinal);
        let opaque = &context.opaque;
        Self {
            profile: context.profile,
            role: context.role,
            state: context.state,
            put_out: exchange(context.put_out),
            holds: exchange(context.holds),
            pending: exchange(context.pending),
            requires_bindings: context.requires_bindings,
            answer: context.answer.as_ref().map(AbstractAnswer::of),
            layers: context.layers.as_ref().map(|layers| (layers.spent, layers.receiver.is_dead())),
            opaque: AbstractOpaque {
                peer: opaque.peer.map(place),
                has_token: opaque.token.is_some(),
                legs: opaque.legs,
                sent: opaque.sent.len(),
                out_of_step: opaque.out_of_step,
            },
        }
    }
}

impl AbstractExchange {
    fn of(registers: &Registers, position: usize) -> Self {
        let exchange = &registers.exchanges[position];
        Self {
            is_live: exchange.is_live(),
            is_answered: exchange.session.is_some(),
            is_expired: registers.is_expired(position),
            failures: exchange.failures,
            http_qop: exchange.offer.http_qop(),
            sasl_qop: exchange.offer.sasl_qop(),
        }
    }
}

impl AbstractAnswer {
    fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Http(answer) => Self::Http {
                qop: answer.qop,
                is_exhausted: answer.next_count().is_none(),
                is_extended: answer.extended.is_some(),
            },
            Answer::Sasl(answer) => Self::Sasl { qop: answer.qop, is_exhausted: answer.nc == u32::MAX },
        }
    }
}
