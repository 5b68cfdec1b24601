//! What the fuzz targets hold against bytes; here so that tests can replay their corpora.
#![forbid(unsafe_code)]

mod tokens;

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::action::Action;
use super::concretise::concretise;
use super::encoding::{Reader, decode};
use super::plan::{Sequence, approach};
use super::report::Finding;
use super::run::{Trace, run_sequence};
use super::subject::SubjectError;
use super::subject::builtin::Builtin;
use super::walk::{Step, Walk};
use crate::spec::call::{Call, Descriptor};
use crate::spec::names::CallName;
use crate::spec::vocabulary::{Entity, Facts, Handle, Mutual, Names, Output, Qop, Role, State, Token};
use crate::spec::{Specification, Verdict};

pub use tokens::tokens;

/// An answer that the tables do not allow.
#[derive(Debug)]
pub struct Counterexample {
    /// The row it offends.
    pub row: String,
    /// What was found, with the sequence that shows it.
    pub finding: Finding,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { state, facts, actual, difference, reproducer } = &self.finding;
        writeln!(formatter, "row {}: {difference}", self.row)?;
        writeln!(formatter, "state {state}, facts {facts}, answered {actual}")?;
        let json = serde_json::to_string(reproducer).map_err(|_| fmt::Error)?;
        write!(formatter, "reproducer: {json}")
    }
}

impl core::error::Error for Counterexample {}

fn tables() -> &'static Arc<Specification> {
    static TABLES: OnceLock<Arc<Specification>> = OnceLock::new();
    TABLES.get_or_init(|| Arc::new(Specification::embedded().expect("`spec check` loads the embedded tables")))
}

/// Why a step is not what the tables say, if so. Where several departures meet, the order of checks is free.
fn offence(step: &Step) -> Option<&str> {
    match &step.judgement.verdict {
        Verdict::Pass => None,
        Verdict::Fail(why) => Some(why),
        Verdict::Deviation(why) => {
            let tables = tables().call(step.call.name());
            let departures = tables.map_or(0, |tables| tables.departures(&step.judgement.facts).count());
            (departures < 2).then_some(why.as_str())
        }
    }
}

fn counterexample(step: &Step, why: &str, reproducer: Sequence) -> Box<Counterexample> {
    let row = step.judgement.row.clone().unwrap_or_default();
    Box::new(Counterexample { row, finding: Finding::new(step, why, reproducer) })
}

fn unanswered(error: &SubjectError, reproducer: Sequence) -> Box<Counterexample> {
    Box::new(Counterexample { row: String::new(), finding: Finding::without_answer(error, reproducer) })
}

/// The bytes as a sequence, against the reference implementation.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn operations(bytes: &[u8]) -> Result<Trace, Box<Counterexample>> {
    let sequence = decode(bytes);
    let trace = run_sequence(tables(), &mut Builtin::default(), &sequence);
    if let Some(error) = &trace.error {
        return Err(unanswered(error, sequence));
    }
    match trace.steps.iter().find_map(|step| offence(step).map(|why| (step, why))) {
        Some((step, why)) => Err(counterexample(step, why, sequence)),
        None => Ok(trace),
    }
}

/// The states in which CompleteAuthToken has something to complete.
const WAITING: [(Role, State); 6] = [
    (Role::Acceptor, State::CompleteNeededInitial),
    (Role::Acceptor, State::CompleteNeededSubsequent),
    (Role::Acceptor, State::CompleteAndContinueInitial),
    (Role::Acceptor, State::CompleteAndContinueSubsequent),
    (Role::Initiator, State::CompleteNeeded),
    (Role::Initiator, State::CompleteAndContinue),
];

/// The way to a context that waits for CompleteAuthToken and a good call to complete it, for each value of a byte.
fn waiting(state: u8, seed: u8) -> Sequence {
    let (role, state_word) = WAITING[usize::from(state) % WAITING.len()];
    let qop = if state & 0x80 == 0 { Qop::Auth } else { Qop::AuthInt };
    let facts = Facts::default().with(Handle::Live).with(role).with(state_word).with(qop);
    let facts = facts.with(Token::WellFormed).with(Names::This).with(Entity::Given).with(Output::Enough);
    let mutual = if matches!(state_word, State::CompleteAndContinue) { Mutual::Yes } else { Mutual::No };
    approach(CallName::CompleteAuthToken, &facts.with(mutual), seed.into())
}

/// An edited request into a context that waits for it, and then the request as it was.
///
/// The first byte picks the state, the second the request. If the third is 255 the rest is the token itself;
/// otherwise edits follow: which buffer, and what [`encoding`](super::encoding) reads of an edit.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn complete_auth_token(bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    let (head, rest) = bytes.split_at(bytes.len().min(2));
    let sequence = waiting(head.first().copied().unwrap_or(0), head.get(1).copied().unwrap_or(0));
    let mut steps = Vec::new();
    let mut record = |step: Step| match offence(&step) {
        Some(why) => Err(counterexample(&step, why, sequence.clone())),
        None => {
            steps.push(step);
            Ok(())
        }
    };
    let answered = |error: SubjectError| unanswered(&error, sequence.clone());
    let mut walk = Walk::start(tables(), Builtin::default(), &sequence.setup).map_err(answered)?;
    let Some((Action::Call(completion), before)) = sequence.actions.split_last() else { return Ok(steps) };
    for action in before {
        if let Some(step) = walk.perform(action).map_err(answered)? {
            record(step)?;
        }
    }
    let good = concretise(completion, walk.shadow().registers());
    let mut edited = good.clone();
    if let Call::CompleteAuthToken { token: Some(message), .. } = &mut edited {
        edit(message, rest);
    }
    for call in [edited, good] {
        record(walk.call(call).map_err(answered)?)?;
    }
    Ok(steps)
}

fn edit(message: &mut Descriptor, bytes: &[u8]) {
    let Some(buffers) = message.buffers.as_mut().filter(|buffers| !buffers.is_empty()) else { return };
    if let Some((255, token)) = bytes.split_first() {
        buffers[0].data = Some(token.to_vec());
        buffers[0].count = u32::try_from(token.len()).unwrap_or(u32::MAX);
        return;
    }
    let mut reader = Reader { bytes };
    while !reader.is_empty() {
        let position = usize::from(reader.byte()) % buffers.len();
        let edit = reader.edit();
        let buffer = &mut buffers[position];
        if let Some(data) = &mut buffer.data {
            edit.apply(data);
            buffer.count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        }
    }
}
