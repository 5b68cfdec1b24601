//! MakeSignature, VerifySignature, EncryptMessage and DecryptMessage of an established context (RFC 2831 sections 2.3
//! and 2.4; `makesignature`, `verifysignature`, `encryptmessage`, `decryptmessage`).
//!
//! Order of checks: qop, buffers, a receiving direction that is dead, lengths, then the layer. The 4 bytes that say how
//! long a message is are the caller's. On every failure all buffers are as they were before.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::Zeroizing;

use crate::context::attributes::LayerSizes;
use crate::context::failure::{Failure, Misuse, PeerMisbehaviour};
use crate::context::input::required_room;
use crate::digest::SessionKey;
use crate::digest::sasl::{Direction, Layer, LayerError, MaxBuf, Qop, Receiver, Sender, SequenceExhausted};

/// What protects the messages of an established context.
#[derive(Debug)]
pub enum MessageProtection {
    /// `auth`: nothing.
    None,
    /// `auth-int` or `auth-conf`.
    Layer(Box<SecurityLayer>),
}

/// A layer in both directions, each with numbers of its own.
pub struct SecurityLayer {
    layer: Layer,
    /// The longest message the peer can receive, before it is wrapped.
    maximum_message: u32,
    sender: Sender,
    /// It knows whether it is dead.
    receiver: Receiver,
}

impl fmt::Debug for SecurityLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecurityLayer")
            .field("layer", &self.layer)
            .field("maximum_message", &self.maximum_message)
            .finish_non_exhaustive()
    }
}

/// MakeSignature and EncryptMessage: a message.
#[derive(Clone, Copy, Default)]
pub struct PlainMessage<'a> {
    /// DATA; `None` where there is none.
    pub message: Option<&'a [u8]>,
    /// Room in the buffer for the signature, or for what follows the message; `None` where there is none.
    pub capacity: Option<usize>,
}

impl fmt::Debug for PlainMessage<'_> {
    /// The message by its length.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, capacity } = self;
        let mut fields = formatter.debug_struct("PlainMessage");
        fields.field("bytes", &message.map(<[u8]>::len)).field("capacity", capacity).finish_non_exhaustive()
    }
}

/// VerifySignature: a message and its signature.
#[derive(Clone, Copy, Default)]
pub struct SignedMessage<'a> {
    /// DATA; `None` where there is none.
    pub message: Option<&'a [u8]>,
    /// TOKEN or PADDING; `None` where there is none.
    pub signature: Option<&'a [u8]>,
}

impl fmt::Debug for SignedMessage<'_> {
    /// The message by its length.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, signature } = self;
        let mut fields = formatter.debug_struct("SignedMessage");
        fields.field("bytes", &message.map(<[u8]>::len)).field("signature", signature).finish_non_exhaustive()
    }
}

/// DecryptMessage: a wrapped message.
#[derive(Debug, Clone, Copy, Default)]
pub struct WrappedMessage<'a> {
    /// STREAM or DATA; `None` where there is none.
    pub wrapped: Option<&'a [u8]>,
}

/// A message that was wrapped.
pub struct Wrapped {
    /// What takes the message's place: of its length.
    pub message: Zeroizing<Vec<u8>>,
    /// What follows it on the wire.
    pub rest: Vec<u8>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = (self.message.len(), self.rest.len());
        formatter.debug_struct("Wrapped").field("lengths", &lengths).finish_non_exhaustive()
    }
}

/// pfQOP of DecryptMessage: how the message was protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QualityOfProtection {
    /// It was encrypted and signed.
    Encrypted,
    /// SIGN_ONLY: it was signed.
    SignOnly,
}

impl QualityOfProtection {
    /// The value of pfQOP.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Encrypted => 0,
            Self::SignOnly => 0x8000_0000,
        }
    }
}

impl MessageProtection {
    /// Of one side, before the first message. `direction` is the one its own messages go; `peer` is the maxbuf of the
    /// other side.
    pub(super) fn new(layer: Option<Layer>, key: &SessionKey, direction: Direction, peer: MaxBuf) -> Self {
        match layer {
            None => Self::None,
            Some(layer) => Self::Layer(Box::new(SecurityLayer {
                layer,
                maximum_message: layer.maximum_message(peer),
                sender: Sender::new(key, direction, layer),
                receiver: Receiver::new(key, direction.reverse(), layer),
            })),
        }
    }

    pub(super) fn qop(&self) -> Qop {
        match self {
            Self::None => Qop::Auth,
            Self::Layer(layer) => layer.layer.qop(),
        }
    }

    pub(super) fn sizes(&self) -> Option<LayerSizes> {
        match self {
            Self::None => None,
            Self::Layer(layer) => Some(LayerSizes { layer: layer.layer, maximum_message: layer.maximum_message }),
        }
    }

    fn layer(&mut self) -> Result<&mut SecurityLayer, Misuse> {
        match self {
            Self::None => Err(Misuse::NoLayer),
            Self::Layer(layer) => Ok(layer),
        }
    }

    /// Every number of what this side sends was used elsewhere; not an SSPI call.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED under `auth`: there are no numbers.
    pub fn spend_sequence_numbers(&mut self) -> Result<(), Misuse> {
        self.layer()?.sender.spend();
        Ok(())
    }

    /// MakeSignature. Under auth-conf too it signs only.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED under `auth`; then the caller's: SEC_E_INVALID_TOKEN where a buffer is missing or the
    /// message too long, SEC_E_INSUFFICIENT_MEMORY; SEC_E_OUT_OF_SEQUENCE once every number was used. None of them
    /// takes a number.
    pub fn make_signature(&mut self, message: Result<PlainMessage<'_>, Misuse>) -> Result<[u8; 16], Failure> {
        let layer = self.layer()?;
        let PlainMessage { message, capacity } = message?;
        let message = message.ok_or(Misuse::NoData)?;
        let capacity = capacity.ok_or(Misuse::OutputAbsent)?;
        if !layer.has_room_for(message) {
            return Err(Misuse::MessageTooLongToSign { length: message.len(), maximum: layer.maximum_message }.into());
        }
        required_room(Some(capacity), 16)?;
        Ok(layer.sender.sign(message).map_err(exhausted)?)
    }

    /// VerifySignature.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED under `auth`; SEC_E_INVALID_TOKEN where a buffer is missing; SEC_E_MESSAGE_ALTERED;
    /// SEC_E_OUT_OF_SEQUENCE where the number is not the next or an altered message ended this direction. The number
    /// that is next stays the same.
    pub fn verify_signature(&mut self, message: Result<SignedMessage<'_>, Misuse>) -> Result<(), Failure> {
        let layer = self.layer()?;
        let SignedMessage { message, signature } = message?;
        let message = message.ok_or(Misuse::NoData)?;
        let signature = signature.ok_or(Misuse::NoSignature)?;
        layer.receiver.verify(message, signature).map_err(undeliverable)
    }

    /// EncryptMessage. Under auth-int it signs, and the message stays as it is.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED under `auth`; then the caller's: SEC_E_INVALID_TOKEN where a buffer is missing,
    /// SEC_E_BUFFER_TOO_SMALL for a message too long or too little room for the rest; SEC_E_OUT_OF_SEQUENCE once every
    /// number was used. None of them takes a number.
    pub fn encrypt_message(&mut self, message: Result<PlainMessage<'_>, Misuse>) -> Result<Wrapped, Failure> {
        let layer = self.layer()?;
        let PlainMessage { message, capacity } = message?;
        let message = message.ok_or(Misuse::NoData)?;
        let capacity = capacity.ok_or(Misuse::OutputAbsent)?;
        if !layer.has_room_for(message) {
            return Err(Misuse::MessageTooLong { length: message.len(), maximum: layer.maximum_message }.into());
        }
        let needed = layer.layer.trailer_len(message.len());
        if capacity < needed {
            return Err(Misuse::TrailerTooSmall { capacity, needed }.into());
        }
        let mut message = Zeroizing::new(message.to_vec());
        let mut rest = vec![0; needed];
        layer.sender.encrypt(&mut message, &mut rest).map_err(exhausted)?;
        Ok(Wrapped { message, rest })
    }

    /// DecryptMessage: the plaintext, and how it was protected.
    ///
    /// # Errors
    /// SEC_E_QOP_NOT_SUPPORTED under `auth`; SEC_E_INVALID_TOKEN where the buffer is missing; SEC_E_INCOMPLETE_MESSAGE;
    /// SEC_E_MESSAGE_ALTERED, which under auth-conf ends this direction if it was decrypted to see that;
    /// SEC_E_OUT_OF_SEQUENCE where the number is not the next or this direction has ended.
    pub fn decrypt_message(
        &mut self,
        message: Result<WrappedMessage<'_>, Misuse>,
    ) -> Result<(Zeroizing<Vec<u8>>, QualityOfProtection), Failure> {
        let layer = self.layer()?;
        let wrapped = message?.wrapped.ok_or(Misuse::NoData)?;
        let mut message = Zeroizing::new(wrapped.to_vec());
        let length = layer.receiver.decrypt(&mut message).map_err(undeliverable)?;
        message.truncate(length);
        let quality = match layer.layer {
            Layer::Integrity => QualityOfProtection::SignOnly,
            Layer::Confidentiality(_) => QualityOfProtection::Encrypted,
        };
        Ok((message, quality))
    }
}

impl SecurityLayer {
    fn has_room_for(&self, message: &[u8]) -> bool {
        u32::try_from(message.len()).is_ok_and(|length| length <= self.maximum_message)
    }
}

fn exhausted(SequenceExhausted: SequenceExhausted) -> Misuse {
    Misuse::SequenceExhausted
}

fn undeliverable(error: LayerError) -> Failure {
    match error {
        LayerError::Incomplete => Misuse::MessageIncomplete.into(),
        LayerError::Altered => PeerMisbehaviour::MessageAltered.into(),
        LayerError::OutOfSequence => PeerMisbehaviour::MessageOutOfSequence.into(),
        LayerError::Dead => PeerMisbehaviour::DirectionDead.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::MessageProtection;
    use crate::digest::sasl::{Direction, Layer, MaxBuf};
    use crate::digest::{SessionKey, UserHash};

    #[test]
    fn a_layer_tells_what_it_is_and_no_key() {
        let key = SessionKey::sasl(&UserHash::from_bytes([7; 16]), b"nonce", b"cnonce", None);
        let protection =
            MessageProtection::new(Some(Layer::Integrity), &key, Direction::ClientToServer, MaxBuf::DEFAULT);
        let told = "Layer(SecurityLayer { layer: Integrity, maximum_message: 65520, .. })";
        assert_eq!(format!("{protection:?}"), told);
    }
}
