//! What the fuzz targets hold against bytes; here so that tests can replay their corpora.
#![forbid(unsafe_code)]

mod tokens;

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::action::Action;
use super::concretise::concretise;
use super::encoding::Reader;
use super::plan::{Sequence, approach};
use super::report::{Finding, FindingKind};
use super::run::{Trace, run_sequence};
use super::subject::builtin::Builtin;
use super::subject::{Subject, SubjectError};
use super::walk::{Step, Walk};
use crate::buffer::BufferType;
use crate::spec::call::{Call, Descriptor};
use crate::spec::names::{CallName, Profile};
use crate::spec::vocabulary::{Entity, Facts, Handle, Names, Output, Qop, Role, State, Token};
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
        let Finding { state, facts, actual, returned, difference, reproducer, .. } = &self.finding;
        writeln!(formatter, "row {}: {difference}", self.row)?;
        writeln!(formatter, "state {state}, facts {facts}, answered {actual} with {returned}")?;
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
            let tables = step.judgement.row.as_deref().and_then(|row| tables().find(row));
            let departures = tables.map_or(0, |(tables, _)| tables.departures(&step.judgement.facts).count());
            (departures < 2).then_some(why.as_str())
        }
    }
}

fn counterexample(step: &Step, why: &str, reproducer: Sequence) -> Box<Counterexample> {
    let row = step.judgement.row.clone().unwrap_or_default();
    let kind = match step.judgement.verdict {
        Verdict::Fail(_) => FindingKind::Fail,
        Verdict::Pass | Verdict::Deviation(_) => FindingKind::Deviation,
    };
    Box::new(Counterexample { row, finding: Finding::new(tables(), kind, step, why, reproducer) })
}

fn unanswered(error: &SubjectError, reproducer: Sequence) -> Box<Counterexample> {
    Box::new(Counterexample { row: String::new(), finding: Finding::without_answer(error, reproducer) })
}

/// A sequence against the reference implementation.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn operations(sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    judge(&mut Builtin::default(), sequence)
}

/// A sequence against any subject.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn judge(subject: &mut dyn Subject, sequence: Sequence) -> Result<Trace, Box<Counterexample>> {
    let trace = run_sequence(tables(), subject, &sequence);
    if let Some(error) = &trace.error {
        return Err(unanswered(error, sequence));
    }
    match trace.steps.iter().find_map(|step| offence(step).map(|why| (step, why))) {
        Some((step, why)) => Err(counterexample(step, why, sequence)),
        None => Ok(trace),
    }
}

/// In how many ways [`complete_auth_token`] comes to something to complete.
pub const WAYS: usize = 10;

/// The states in which CompleteAuthToken has something to complete, with the qualities of protection that lead there.
const WAITING: [(Profile, Role, State, Qop); WAYS] = [
    (Profile::DigestHttp, Role::Acceptor, State::CompleteNeededInitial, Qop::AuthInt),
    (Profile::DigestHttp, Role::Acceptor, State::CompleteNeededSubsequent, Qop::Auth),
    (Profile::DigestHttp, Role::Acceptor, State::CompleteNeededSubsequent, Qop::AuthInt),
    (Profile::DigestHttp, Role::Acceptor, State::CompleteAndContinueInitial, Qop::AuthInt),
    (Profile::DigestHttp, Role::Acceptor, State::CompleteAndContinueSubsequent, Qop::Auth),
    (Profile::DigestHttp, Role::Acceptor, State::CompleteAndContinueSubsequent, Qop::AuthInt),
    (Profile::DigestHttp, Role::Initiator, State::CompleteNeeded, Qop::AuthInt),
    (Profile::DigestHttp, Role::Initiator, State::CompleteAndContinue, Qop::AuthInt),
    (Profile::DigestSasl, Role::Acceptor, State::CompleteNeededSubsequent, Qop::Auth),
    (Profile::DigestSasl, Role::Acceptor, State::CompleteNeededSubsequent, Qop::AuthInt),
];

/// The way to a context that waits for CompleteAuthToken and a good call to complete it, for each value of a byte.
fn waiting(state: u8, seed: u8) -> Sequence {
    let (profile, role, state, qop) = WAITING[usize::from(state) % WAITING.len()];
    let facts = Facts::default().with(Handle::Live).with(role).with(state).with(qop);
    let facts = facts.with(Token::WellFormed).with(Names::This).with(Entity::Given).with(Output::Enough);
    approach(profile, CallName::CompleteAuthToken, &facts, seed.into())
}

/// An edited request into a context that waits for it, and then the request as it was.
///
/// The first byte picks the state, the second the request. If the third is 255 the rest is the token itself;
/// otherwise edits follow: which buffer of the message, and what [`encoding`](super::encoding) reads of an edit.
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
        // The facts know a small output and one that is enough for anything, and nothing in between.
        let outputs = [BufferType::TOKEN, BufferType::PADDING];
        let is_output = position > 0 && outputs.contains(&buffer.buffer_type.kind());
        if let Some(data) = buffer.data.as_mut().filter(|_| !is_output) {
            edit.apply(data);
            buffer.count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{WAITING, complete_auth_token, judge, waiting};
    use crate::conformance::plan::credentials_of_every_kind;
    use crate::conformance::subject::{Subject, SubjectError};
    use crate::spec::call::{Call, Outcome};
    use crate::spec::names::Need;
    use crate::spec::setup::Setup;
    use crate::spec::vocabulary::{Fact, Word};
    use crate::status::SecurityStatus;

    /// Says yes to everything and does nothing.
    struct Agreeable;

    impl Subject for Agreeable {
        fn name(&self) -> String {
            "agreeable".into()
        }

        fn capabilities(&self) -> BTreeSet<Need> {
            BTreeSet::new()
        }

        fn start(&mut self, _setup: &Setup) -> Result<(), SubjectError> {
            Ok(())
        }

        fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
            Ok(Outcome::untouched(SecurityStatus::SEC_E_OK, call))
        }
    }

    #[test]
    fn a_wrong_answer_is_a_counterexample_that_can_be_replayed() {
        let sequence =
            crate::conformance::plan::Sequence { setup: Setup::default(), actions: credentials_of_every_kind() };
        let found = judge(&mut Agreeable, sequence.clone()).expect_err("credentials without a handle");
        assert!(found.row.starts_with("ach"), "{}", found.row);
        let text = found.to_string();
        let json = text.split_once("reproducer: ").expect("the reproducer is named").1;
        let again: crate::conformance::plan::Sequence = serde_json::from_str(json).expect("it is a sequence");
        assert_eq!(again, sequence);
    }

    #[test]
    fn an_initiator_compares_its_uri_byte_for_byte() {
        let mut altered = 0;
        for request in 0..=u8::MAX {
            // Removes an octet of the target: of the authority, where the uri is absolute.
            let steps = complete_auth_token(&[6, request, 2, 2, 9, 0]).expect("as the tables say");
            altered += u32::from(steps[steps.len() - 2].outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED);
        }
        assert!(altered > 16, "{altered}");
    }

    #[test]
    fn every_waiting_state_is_reached_and_completed() {
        for (index, (_, _, state, _)) in WAITING.into_iter().enumerate() {
            let index = u8::try_from(index).expect("ten ways");
            assert!(!waiting(index, 0).actions.is_empty());
            let steps = complete_auth_token(&[index, 0]).expect("good calls are answered as the tables say");
            let completion = &steps[steps.len() - 2];
            assert_eq!(completion.state, Fact::State.values()[usize::from(state.index())]);
            assert_eq!(completion.outcome.status, SecurityStatus::SEC_E_OK, "{}", completion.state);
        }
    }
}
