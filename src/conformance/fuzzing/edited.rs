//! Good calls of the Digest package, edited: what a holder of the secret sends, and then anybody changed.
#![forbid(unsafe_code)]

use super::{Counterexample, counterexample, offence, tables, unanswered};
use crate::buffer::BufferType;
use crate::conformance::action::Action;
use crate::conformance::concretise::concretise;
use crate::conformance::encoding::Reader;
use crate::conformance::plan::{Sequence, approach};
use crate::conformance::subject::SubjectError;
use crate::conformance::subject::builtin::Builtin;
use crate::conformance::walk::{Step, Walk};
use crate::spec::call::{Buffer, Call, Descriptor};
use crate::spec::names::{CallName, Profile};
use crate::spec::vocabulary::{
    Direction, Entity, Facts, Handle, Message, Names, Output, Qop, Role, Seal, State, Token,
};

/// A good call: what it is made of, and where it leads from.
type Base = (Profile, CallName, Role, State, Qop);

/// How many good calls [`complete_auth_token`] edits.
pub const COMPLETIONS: usize = WAITING.len();

/// How many good calls [`layers`] edits.
pub const LAYERS: usize = PROTECTED.len();

/// The states in which CompleteAuthToken has something to complete, with the qualities of protection that lead there.
const WAITING: [Base; 10] = {
    use CallName::CompleteAuthToken as Complete;
    use Profile::{DigestHttp as Http, DigestSasl as Sasl};
    [
        (Http, Complete, Role::Acceptor, State::CompleteNeededInitial, Qop::AuthInt),
        (Http, Complete, Role::Acceptor, State::CompleteNeededSubsequent, Qop::Auth),
        (Http, Complete, Role::Acceptor, State::CompleteNeededSubsequent, Qop::AuthInt),
        (Http, Complete, Role::Acceptor, State::CompleteAndContinueInitial, Qop::AuthInt),
        (Http, Complete, Role::Acceptor, State::CompleteAndContinueSubsequent, Qop::Auth),
        (Http, Complete, Role::Acceptor, State::CompleteAndContinueSubsequent, Qop::AuthInt),
        (Http, Complete, Role::Initiator, State::CompleteNeeded, Qop::AuthInt),
        (Http, Complete, Role::Initiator, State::CompleteAndContinue, Qop::AuthInt),
        (Sasl, Complete, Role::Acceptor, State::CompleteNeededSubsequent, Qop::Auth),
        (Sasl, Complete, Role::Acceptor, State::CompleteNeededSubsequent, Qop::AuthInt),
    ]
};

/// The calls that a layer of RFC 2831 serves, on either side.
const PROTECTED: [Base; 12] = {
    use CallName::{DecryptMessage, EncryptMessage, MakeSignature, VerifySignature};
    const fn of(call: CallName, role: Role, qop: Qop) -> Base {
        (Profile::DigestSasl, call, role, State::Established, qop)
    }
    [
        of(DecryptMessage, Role::Acceptor, Qop::AuthConf),
        of(DecryptMessage, Role::Initiator, Qop::AuthConf),
        of(DecryptMessage, Role::Acceptor, Qop::AuthInt),
        of(DecryptMessage, Role::Initiator, Qop::AuthInt),
        of(VerifySignature, Role::Acceptor, Qop::AuthInt),
        of(VerifySignature, Role::Initiator, Qop::AuthInt),
        of(VerifySignature, Role::Acceptor, Qop::AuthConf),
        of(VerifySignature, Role::Initiator, Qop::AuthConf),
        of(EncryptMessage, Role::Acceptor, Qop::AuthConf),
        of(EncryptMessage, Role::Initiator, Qop::AuthInt),
        of(MakeSignature, Role::Acceptor, Qop::AuthInt),
        of(MakeSignature, Role::Initiator, Qop::AuthConf),
    ]
};

/// The way to a good call, and the call.
fn good((profile, call, role, state, qop): Base, seed: u8) -> Sequence {
    let facts = Facts::default().with(Handle::Live).with(role).with(state).with(qop);
    let facts = if call == CallName::CompleteAuthToken {
        facts.with(Token::WellFormed).with(Names::This).with(Entity::Given).with(Output::Enough)
    } else {
        facts.with(Message::Given).with(Direction::Alive).with(Seal::Right).with(Output::Enough)
    };
    approach(profile, call, &facts, seed.into())
}

/// An edited request into a context that waits for it, and then the request as it was.
///
/// The first byte picks the state, the second the request. If the third is 255 the rest is the token itself;
/// otherwise edits follow: which buffer of the message, and what [`encoding`](crate::conformance::encoding) reads of an edit.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn complete_auth_token(bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    edited(&WAITING, bytes)
}

/// An edited message into the layer of RFC 2831 of an established context, and then the message as it was. The bytes mean
/// what those of [`complete_auth_token`] do, the first of them a call.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn layers(bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    edited(&PROTECTED, bytes)
}

fn edited(bases: &[Base], bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    let (head, rest) = bytes.split_at(bytes.len().min(2));
    let base = bases[usize::from(head.first().copied().unwrap_or(0)) % bases.len()];
    let sequence = good(base, head.get(1).copied().unwrap_or(0));
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
    let Some((Action::Call(last), before)) = sequence.actions.split_last() else { return Ok(steps) };
    for action in before {
        if let Some(step) = walk.perform(action).map_err(answered)? {
            record(step)?;
        }
    }
    let good = concretise(last, walk.shadow().registers());
    let mut edited = good.clone();
    edit(&mut edited, rest);
    for call in [edited, good] {
        record(walk.call(call).map_err(answered)?)?;
    }
    Ok(steps)
}

/// The message of a call that is edited here.
fn message(call: &mut Call) -> Option<&mut Descriptor> {
    let (Call::CompleteAuthToken { token: message, .. }
    | Call::MakeSignature { message, .. }
    | Call::VerifySignature { message, .. }
    | Call::EncryptMessage { message, .. }
    | Call::DecryptMessage { message, .. }) = call
    else {
        return None;
    };
    message.as_mut()
}

/// Whether a call writes to such a buffer: the facts know an output that is small and one that is enough for anything, and
/// nothing in between.
fn is_output(call: CallName, position: usize, kind: BufferType) -> bool {
    let writes = matches!(call, CallName::MakeSignature | CallName::EncryptMessage)
        || call == CallName::CompleteAuthToken && position > 0;
    writes && [BufferType::TOKEN, BufferType::PADDING].contains(&kind)
}

fn edit(call: &mut Call, bytes: &[u8]) {
    let name = call.name();
    let Some(buffers) = message(call).and_then(|message| message.buffers.as_mut()) else { return };
    if buffers.is_empty() {
        return;
    }
    let input = |(position, buffer): &(usize, &mut Buffer)| !is_output(name, *position, buffer.buffer_type.kind());
    if let Some((255, token)) = bytes.split_first() {
        if let Some((_, buffer)) = buffers.iter_mut().enumerate().find(input) {
            buffer.data = Some(token.to_vec());
            buffer.count = u32::try_from(token.len()).unwrap_or(u32::MAX);
        }
        return;
    }
    let mut reader = Reader { bytes };
    while !reader.is_empty() {
        let position = usize::from(reader.byte()) % buffers.len();
        let edit = reader.edit();
        let buffer = &mut buffers[position];
        let is_output = is_output(name, position, buffer.buffer_type.kind());
        if let Some(data) = buffer.data.as_mut().filter(|_| !is_output) {
            edit.apply(data);
            buffer.count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PROTECTED, WAITING, complete_auth_token, good, layers};
    use crate::spec::vocabulary::{Fact, Word};
    use crate::status::SecurityStatus;

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
        for (index, base) in WAITING.into_iter().enumerate() {
            let index = u8::try_from(index).expect("ten ways");
            assert!(!good(base, 0).actions.is_empty());
            let steps = complete_auth_token(&[index, 0]).expect("good calls are answered as the tables say");
            let completion = &steps[steps.len() - 2];
            assert_eq!(completion.state, Fact::State.values()[usize::from(base.3.index())]);
            assert_eq!(completion.outcome.status, SecurityStatus::SEC_E_OK, "{}", completion.state);
        }
    }

    #[test]
    fn every_call_of_a_layer_is_reached_and_served_and_notices_an_edit() {
        for (index, base) in PROTECTED.into_iter().enumerate() {
            let index = u8::try_from(index).expect("twelve calls");
            let steps = layers(&[index, 0]).expect("good calls are answered as the tables say");
            let served = &steps[steps.len() - 2];
            assert_eq!((served.call.name(), served.state), (base.1, "established"));
            assert_eq!(served.outcome.status, SecurityStatus::SEC_E_OK, "{:?} {:?}", base.1, base.2);
        }
        for receiving in 0..8 {
            let truncated = layers(&[receiving, 0, 0, 3, 1, 0]).expect("as the tables say");
            assert_ne!(truncated[truncated.len() - 2].outcome.status, SecurityStatus::SEC_E_OK, "{receiving}");
        }
    }
}
