//! Which buffer of a call is what, for both mechanisms: a descriptor is read once, before it is known whose context it is for.
#![forbid(unsafe_code)]

use super::core::{CompletionMessage, SignatureMessage, VerificationMessage};
use super::message::{OutputSlot, Slots};
use crate::buffer::{BufferType, SecBufferDesc};
use crate::context::failure::{DescriptorError, Misuse};
use crate::context::input::{AcceptInput, InitializeInput, RequestMessage, ResponseMessage};
use crate::context::sasl::layers::{PlainMessage, SignedMessage};

fn output_slot(output: Option<&SecBufferDesc<'_, '_>>) -> Result<Option<OutputSlot>, DescriptorError> {
    Ok(Slots::optional(output)?.output_token())
}

/// AcceptSecurityContext: what is read, and where output goes.
pub(super) fn accept_message<'b>(
    input: Option<&'b SecBufferDesc<'_, '_>>,
    output: Option<&SecBufferDesc<'_, '_>>,
) -> Result<(AcceptInput<'b>, Option<OutputSlot>), Misuse> {
    let slots = Slots::optional(input).map_err(Misuse::Input)?;
    let slot = output_slot(output).map_err(Misuse::Output)?;
    let input = AcceptInput {
        token: slots.token().unwrap_or_default(),
        method: slots.parameter(0),
        entity: slots.parameter(2),
        realm: slots.parameter(3),
        bindings: slots.first(BufferType::CHANNEL_BINDINGS),
        capacity: slot.map(|slot| slot.capacity),
    };
    Ok((input, slot))
}

/// InitializeSecurityContext: what is read, and where output goes.
pub(super) fn initialize_message<'b>(
    target: &'b [u8],
    input: Option<&'b SecBufferDesc<'_, '_>>,
    output: Option<&SecBufferDesc<'_, '_>>,
) -> Result<(InitializeInput<'b>, Option<OutputSlot>), Misuse> {
    let slots = Slots::optional(input).map_err(Misuse::Input)?;
    let slot = output_slot(output).map_err(Misuse::Output)?;
    let input = InitializeInput {
        token: slots.token(),
        target,
        method: slots.parameter(0),
        entity: slots.parameter(1),
        target_host: slots.first(BufferType::TARGET_HOST),
        bindings: slots.first(BufferType::CHANNEL_BINDINGS),
        capacity: slot.map(|slot| slot.capacity),
    };
    Ok((input, slot))
}

/// CompleteAuthToken.
pub(super) fn completion_message<'b>(slots: &Slots<'b, '_>) -> CompletionMessage<'b> {
    CompletionMessage {
        token: slots.token().unwrap_or_default(),
        token_is_writable: slots.token_is_writable(),
        method: slots.parameter(0),
        target: slots.parameter(1),
        entity: slots.parameter(2),
        bindings: slots.first(BufferType::CHANNEL_BINDINGS),
        capacity: slots.output_after_token().map(|slot| slot.capacity),
    }
}

/// MakeSignature: on HTTP the request, on SASL the message.
pub(super) fn signature_message<'b>(
    slots: &Slots<'b, '_>,
    header: Option<OutputSlot>,
    signature: Option<OutputSlot>,
) -> SignatureMessage<'b> {
    SignatureMessage {
        request: RequestMessage {
            method: slots.parameter(0),
            target: slots.parameter(1),
            entity: slots.parameter(2),
            capacity: header.map(|slot| slot.capacity),
        },
        message: PlainMessage { message: slots.data(), capacity: signature.map(|slot| slot.capacity) },
    }
}

/// VerifySignature: on HTTP the response, on SASL the message and its signature.
pub(super) fn verification_message<'b>(slots: &Slots<'b, '_>) -> VerificationMessage<'b> {
    VerificationMessage {
        response: ResponseMessage {
            token: slots.token().unwrap_or_default(),
            method: slots.parameter(0),
            target: slots.parameter(1),
            entity: slots.parameter(2),
            bindings: slots.first(BufferType::CHANNEL_BINDINGS),
            capacity: None,
        },
        message: SignedMessage { message: slots.data(), signature: slots.signature() },
    }
}
