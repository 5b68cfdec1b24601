//! Good calls of the Digest package, edited: what a holder of the secret sends, and then anybody changed.
#![forbid(unsafe_code)]

use super::{Counterexample, operations};
use crate::conformance::action::{Action, BufferEdit, CallAction, Edit};
use crate::conformance::encoding::Reader;
use crate::conformance::plan::{Sequence, approach};
use crate::conformance::walk::Step;
use crate::spec::names::{CallName, Profile};
use crate::spec::vocabulary::{
    Direction, Entity, Facts, Handle, Message, Names, Output, Qop, Role, Seal, State, Token,
};

/// A good call: what it is made of, and where it leads from.
pub(super) type Base = (Profile, CallName, Role, State, Qop);

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

/// How many good calls there are.
pub(super) const ALL: usize = WAITING.len() + PROTECTED.len();

/// One of all good calls.
pub(super) fn any(number: u8) -> Base {
    let number = usize::from(number) % ALL;
    WAITING.get(number).copied().unwrap_or_else(|| PROTECTED[number - WAITING.len()])
}

/// The way to a good call, and the call.
pub(super) fn good((profile, call, role, state, qop): Base, seed: u8) -> Sequence {
    let facts = Facts::default().with(Handle::Live).with(role).with(state).with(qop);
    let facts = if call == CallName::CompleteAuthToken {
        facts.with(Token::WellFormed).with(Names::This).with(Entity::Given).with(Output::Enough)
    } else {
        facts.with(Message::Given).with(Direction::Alive).with(Seal::Right).with(Output::Enough)
    };
    approach(profile, call, &facts, seed.into())
}

/// An edited request into a context that waits for it, and then a good one.
///
/// The first byte picks the state, the second the request. If the third is 255 the rest is the token itself; otherwise edits
/// follow, as [`encoding`](crate::conformance::encoding) reads them, each after a byte that says which buffer of the message is
/// edited; its highest bit says that a holder of the secret seals the message after that.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn complete_auth_token(bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    operations(edited_request(bytes)).map(|trace| trace.steps)
}

/// The sequence that bytes mean to [`complete_auth_token`].
pub(super) fn edited_request(bytes: &[u8]) -> Sequence {
    edited(&WAITING, bytes)
}

/// An edited message into the layer of RFC 2831 of an established context, and then a good one. The bytes mean what those of
/// [`complete_auth_token`] do, the first of them a call; there is no response in a message, so that nothing is sealed anew.
///
/// # Errors
/// The first answer that the tables do not allow.
pub fn layers(bytes: &[u8]) -> Result<Vec<Step>, Box<Counterexample>> {
    operations(edited_message(bytes)).map(|trace| trace.steps)
}

/// The sequence that bytes mean to [`layers`].
pub(super) fn edited_message(bytes: &[u8]) -> Sequence {
    edited(&PROTECTED, bytes)
}

fn edited(bases: &[Base], bytes: &[u8]) -> Sequence {
    let mut reader = Reader { bytes };
    let base = bases[usize::from(reader.byte()) % bases.len()];
    let mut sequence = good(base, reader.byte());
    if let Some(Action::Call(last)) = sequence.actions.last().cloned() {
        sequence.actions.pop();
        sequence.actions.extend([edit(last.clone(), reader), last].map(Action::Call));
    }
    sequence
}

fn edit(mut call: CallAction, mut reader: Reader<'_>) -> CallAction {
    if let Some((255, token)) = reader.bytes.split_first() {
        let insert = |(at, byte): (u16, &u8)| Edit::Insert { at, byte: *byte };
        let edits = [Edit::Truncate { at: 0 }].into_iter().chain((0..=u16::MAX).zip(token).map(insert));
        call.after_seal.extend(edits.map(|edit| BufferEdit { buffer: 0, edit }));
        return call;
    }
    while !reader.is_empty() {
        let which = reader.byte();
        let edit = BufferEdit { buffer: which & 0x7F, edit: reader.edit() };
        if which >> 7 == 1 { call.before_seal.push(edit) } else { call.after_seal.push(edit) }
    }
    call
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

    /// The same edit of the method is an alteration after the seal, and another good request before it.
    #[test]
    fn who_holds_the_secret_may_say_something_else() {
        let (mut sealed, mut altered) = (0, 0);
        for request in 0..64 {
            let status = |buffer: u8| {
                let steps = complete_auth_token(&[0, request, buffer, 1, 0, 0, b'X']).expect("as the tables say");
                steps[steps.len() - 2].outcome.status
            };
            sealed += u32::from(status(0x81) == SecurityStatus::SEC_E_OK);
            altered += u32::from(status(1) == SecurityStatus::SEC_E_MESSAGE_ALTERED);
        }
        assert!(sealed > 32 && altered > 32, "{sealed}, {altered}");
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
