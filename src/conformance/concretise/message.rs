//! Edits of a finished message: by a holder of the secret, who seals it again, and then by anybody.
#![forbid(unsafe_code)]

use crate::buffer::BufferType;
use crate::digest::{Response, SessionKey, UserHash, hash, sasl};
use crate::spec::call::{Buffer, Call};
use crate::spec::names::CallName;
use crate::spec::shadow::registers::Registers;

use super::super::action::{BufferEdit, CallAction};

/// The call with its message edited as the action says.
pub(super) fn edited(mut call: Call, action: &CallAction, registers: &Registers) -> Call {
    apply(&mut call, &action.before_seal);
    if !action.before_seal.is_empty() {
        seal(&mut call, registers);
    }
    apply(&mut call, &action.after_seal);
    call
}

/// The buffers of the message that comes to the package.
fn buffers(call: &mut Call) -> Option<&mut Vec<Buffer>> {
    call.input_mut()?.as_mut()?.buffers.as_mut()
}

/// Whether a call writes to such a buffer: the facts know an output that is small and one that is enough for anything, and
/// nothing in between.
fn is_output(call: CallName, position: usize, kind: BufferType) -> bool {
    let writes = matches!(call, CallName::MakeSignature | CallName::EncryptMessage)
        || call == CallName::CompleteAuthToken && position > 0;
    writes && [BufferType::TOKEN, BufferType::PADDING].contains(&kind)
}

fn apply(call: &mut Call, edits: &[BufferEdit]) {
    let name = call.name();
    let Some(buffers) = buffers(call) else { return };
    for BufferEdit { buffer, edit } in edits {
        let Some(position) = usize::from(*buffer).checked_rem(buffers.len()) else { return };
        let buffer = &mut buffers[position];
        let is_output = is_output(name, position, buffer.buffer_type.kind());
        if let Some(data) = buffer.data.as_mut().filter(|_| !is_output) {
            edit.apply(data);
            buffer.count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        }
    }
}

/// Makes the response of the token what the message says it must be, where the token can be read and has an account.
fn seal(call: &mut Call, registers: &Registers) {
    let Some(buffers) = buffers(call) else { return };
    let (tokens, parameters): (Vec<&mut Buffer>, Vec<&mut Buffer>) =
        buffers.iter_mut().partition(|buffer| buffer.buffer_type.kind() == BufferType::TOKEN);
    let parameters: Vec<&[u8]> = parameters
        .iter()
        .filter(|buffer| buffer.buffer_type.kind() == BufferType::PKG_PARAMS)
        .map(|buffer| buffer.bytes())
        .collect();
    let Some(token) = tokens.into_iter().next().and_then(|buffer| buffer.data.as_mut()) else { return };
    let sealed = sealed_on_http(token, &parameters, registers).or_else(|| sealed_on_sasl(token, registers));
    if let Some((before, response)) = sealed
        && let Some(place) = token.windows(before.len()).position(|digits| digits.eq_ignore_ascii_case(&before))
    {
        token[place..place + before.len()].copy_from_slice(&response);
    }
}

/// The digits of a response, before and after it is sealed again.
type Sealed = ([u8; 32], [u8; 32]);

/// Of method, target and entity, in this order.
fn sealed_on_http(token: &[u8], parameters: &[&[u8]], registers: &Registers) -> Option<Sealed> {
    let response = Response::parse(token, &registers.token_limits()).ok()?;
    let own = |user: &UserHash| SessionKey::new(response.algorithm(), user, &response.nonce, &response.cnonce);
    let key = key(registers, &response.nonce, &response.username, &response.realm, own)?;
    let method = parameters.first().copied().unwrap_or_default();
    let entity = parameters.get(2).and_then(|digits| hash::unhex32(digits));
    let digest = response.digest(&key, method, entity.as_ref())?;
    Some((hash::hex(&response.response), hash::hex(&digest)))
}

fn sealed_on_sasl(token: &[u8], registers: &Registers) -> Option<Sealed> {
    let response = sasl::Response::parse(token, &registers.token_limits()).ok()?;
    let own = |user: &UserHash| SessionKey::sasl(user, &response.nonce, &response.cnonce, response.authzid.as_deref());
    let key = key(registers, &response.nonce, &response.username, &response.realm, own)?;
    Some((hash::hex(&response.response), hash::hex(&response.digest(&key))))
}

/// The key of the session that a nonce is of, or else that of the account.
fn key(
    registers: &Registers,
    nonce: &[u8],
    username: &str,
    realm: &str,
    own: impl Fn(&UserHash) -> SessionKey,
) -> Option<SessionKey> {
    let sessions = registers.exchanges.iter().filter(|exchange| exchange.holders > 0 && exchange.nonce == nonce);
    if let Some(session) = sessions.filter_map(|exchange| exchange.session.as_ref()).next() {
        return Some(session.key.clone());
    }
    let account = registers.account(username, realm)?;
    Some(own(&UserHash::new(username, realm, &account.password)))
}
