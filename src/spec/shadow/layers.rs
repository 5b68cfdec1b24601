//! The protection of messages on SASL: predicted octet for octet.
#![forbid(unsafe_code)]

use crate::digest::SessionKey;
use crate::digest::sasl::{Direction as Way, Layer, LayerError, MaxBuf, Receiver, Sender};
use crate::spec::call::{Buffer, Call, Outcome};
use crate::spec::vocabulary::{Count, Direction, Message, Output, Role, Seal, Signature};

use super::outcome::{Difference, Learned, require, unchanged_except};
use super::reading;
use super::registers::Registers;
use super::view::View;

/// pfQOP of a message that was signed and not encrypted (SIGN_ONLY, SECQOP_WRAP_NO_ENCRYPT).
pub const SIGN_ONLY: u32 = 0x8000_0000;

/// What protects the messages of an established context.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The longest message that the peer can receive, in bytes.
    pub maximum_message: u32,
    /// What is sent.
    pub sender: Sender,
    /// What is received.
    pub receiver: Receiver,
    /// What the peer sends next: of all that arrived, the state after it. For testers, who are the peer.
    pub peer: Sender,
    /// What the peer sent first.
    pub peer_at_first: Sender,
    /// The context was told that its numbers were spent elsewhere.
    pub spent: bool,
}

impl Layers {
    /// The layers of a context that was just established, before the first message.
    pub fn begin(role: Role, key: &SessionKey, layer: Layer, peer: MaxBuf) -> Self {
        let way = match role {
            Role::Acceptor => Way::ServerToClient,
            Role::Initiator => Way::ClientToServer,
        };
        Self {
            maximum_message: layer.maximum_message(peer),
            sender: Sender::new(key, way, layer),
            receiver: Receiver::new(key, way.reverse(), layer),
            peer: Sender::new(key, way.reverse(), layer),
            peer_at_first: Sender::new(key, way.reverse(), layer),
            spent: false,
        }
    }

    /// What protects the messages.
    pub fn layer(&self) -> Layer {
        self.sender.layer()
    }

    fn is_exhausted(&self) -> bool {
        self.spent || self.sender.sequence() > u64::from(u32::MAX)
    }
}

impl Registers {
    fn layers(&self, view: &View<'_>) -> Option<&Layers> {
        self.contexts.get(&view.handle?)?.layers.as_ref()
    }

    /// The fact `message`.
    pub(super) fn message(&self, view: &View<'_>) -> Message {
        let most = self.layers(view).map_or(u32::MAX, |layers| layers.maximum_message);
        let sends = matches!(view.call, Call::MakeSignature { .. } | Call::EncryptMessage { .. });
        match view.message_bytes() {
            None => Message::Absent,
            Some(message) if sends && message.len() as u64 > u64::from(most) => Message::TooLong,
            Some(_) => Message::Given,
        }
    }

    /// The fact `signature`.
    pub(super) fn signature_given(view: &View<'_>) -> Signature {
        if reading::signature(view.buffers).is_some() { Signature::Given } else { Signature::Absent }
    }

    /// The fact `direction`.
    pub(super) fn direction(&self, view: &View<'_>) -> Option<Direction> {
        Some(if self.layers(view)?.receiver.is_dead() { Direction::Dead } else { Direction::Alive })
    }

    /// The fact `count` of what is sent.
    pub(super) fn next_number(&self, view: &View<'_>) -> Option<Count> {
        Some(if self.layers(view)?.is_exhausted() { Count::Exhausted } else { Count::Next })
    }

    /// The fact `output` of what is sent: the exact length is known.
    pub(super) fn room_for_protection(&self, view: &View<'_>) -> Option<Output> {
        let length = view.message_bytes().map_or(0, <[u8]>::len);
        let needed = match view.call {
            Call::EncryptMessage { .. } => self.layers(view)?.layer().trailer_len(length),
            Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::DecryptMessage { .. }
            | Call::InitializeSecurityContext { .. }
            | Call::AcceptSecurityContext { .. }
            | Call::CompleteAuthToken { .. }
            | Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => 16,
        };
        Some(reading::capacity_for(view.buffers, view.output, needed))
    }

    /// The fact `seal`.
    pub(super) fn seal(&self, view: &View<'_>) -> Option<Seal> {
        let mut receiver = self.layers(view)?.receiver.clone();
        let message = view.message_bytes()?;
        if matches!(view.call, Call::VerifySignature { .. }) {
            let signature = &view.buffers[reading::signature(view.buffers)?];
            return Some(match receiver.verify(message, signature.bytes()) {
                Ok(()) => Seal::Right,
                Err(LayerError::OutOfSequence) => Seal::Number,
                Err(LayerError::Altered | LayerError::Incomplete | LayerError::Dead) => Seal::Altered,
            });
        }
        Some(match receiver.decrypt(&mut message.to_vec()) {
            Ok(_) => Seal::Right,
            Err(LayerError::Incomplete) => Seal::Incomplete,
            Err(LayerError::OutOfSequence) => Seal::Number,
            Err(LayerError::Altered | LayerError::Dead) if receiver.is_dead() => Seal::Lost,
            Err(LayerError::Altered | LayerError::Dead) => Seal::Altered,
        })
    }

    /// The signature that MakeSignature must write.
    pub(super) fn expected_signature(&self, view: &View<'_>) -> Option<[u8; 16]> {
        self.layers(view)?.sender.clone().sign(view.message_bytes()?).ok()
    }

    /// What EncryptMessage must leave in the buffer of the message and write into that for the rest.
    pub(super) fn expected_wrapped(&self, view: &View<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
        let layers = self.layers(view)?;
        let mut message = view.message_bytes()?.to_vec();
        let mut rest = vec![0; layers.layer().trailer_len(message.len())];
        layers.sender.clone().encrypt(&mut message, &mut rest).ok()?;
        Some((message, rest))
    }

    /// What DecryptMessage must deliver, and pfQOP.
    pub(super) fn expected_plaintext(&self, view: &View<'_>) -> Option<(Vec<u8>, u32)> {
        let layers = self.layers(view)?;
        let mut message = view.message_bytes()?.to_vec();
        let length = layers.receiver.clone().decrypt(&mut message).ok()?;
        message.truncate(length);
        let quality = match layers.layer() {
            Layer::Integrity => SIGN_ONLY,
            Layer::Confidentiality(_) => 0,
        };
        Some((message, quality))
    }

    pub(super) fn check_signature(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let expected = self.expected_signature(view).ok_or("nothing can be signed here")?;
        require(written == Some(&expected), || "the signature is not right".into())?;
        Ok(Learned::Nothing)
    }

    pub(super) fn check_wrapped(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let (message, rest) = self.expected_wrapped(view).ok_or("nothing can be encrypted here")?;
        let places = [view.message.ok_or("there is no message")?, view.output.ok_or("there is no output")?];
        let [new_message, new_rest] = unchanged_except(view.call.output(), outcome.output.as_ref(), places)?;
        require(new_message == message, || "the message is not what belongs on the wire".into())?;
        require(new_rest == rest, || "what is behind the message is not what belongs on the wire".into())?;
        Ok(Learned::Nothing)
    }

    pub(super) fn check_plaintext(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let (plaintext, quality) = self.expected_plaintext(view).ok_or("nothing can be decrypted here")?;
        let place = [view.message.ok_or("there is no message")?];
        let mut after = outcome.output.clone();
        // What points to the plaintext, and to nothing else, is nothing that was written.
        if let Some(pointer) = reading::plaintext_pointer(view.buffers)
            && let Some(now) = after.as_mut().and_then(|after| after.buffers.as_mut()?.get_mut(pointer))
            && *now == Buffer::new(view.buffers[pointer].buffer_type, plaintext.clone())
        {
            now.clone_from(&view.buffers[pointer]);
        }
        let [delivered] = unchanged_except(view.call.output(), after.as_ref(), place)?;
        require(delivered == plaintext, || "the plaintext is not what was sent".into())?;
        require(outcome.quality == Some(quality), || format!("pfQOP is {:?}, not {quality:#010x}", outcome.quality))?;
        Ok(Learned::Nothing)
    }

    /// The next message was sent.
    pub(super) fn send(&mut self, view: &View<'_>) {
        let Some(message) = view.message_bytes() else { return };
        let Some(layers) = view.handle.and_then(|handle| self.contexts.get_mut(&handle)?.layers.as_mut()) else {
            return;
        };
        // Its octets were judged before; only the state of the sender is wanted.
        if matches!(view.call, Call::EncryptMessage { .. }) {
            let mut rest = vec![0; layers.layer().trailer_len(message.len())];
            let _ = layers.sender.encrypt(&mut message.to_vec(), &mut rest);
        } else {
            let _ = layers.sender.sign(message);
        }
    }

    /// The next message was received, or the attempt has lost the state of the cipher.
    pub(super) fn receive(&mut self, view: &View<'_>) {
        let Some(message) = view.message_bytes() else { return };
        let signature = reading::signature(view.buffers).map(|position| view.buffers[position].bytes());
        let Some(layers) = view.handle.and_then(|handle| self.contexts.get_mut(&handle)?.layers.as_mut()) else {
            return;
        };
        if matches!(view.call, Call::VerifySignature { .. }) {
            if layers.receiver.verify(message, signature.unwrap_or_default()).is_ok() {
                let _ = layers.peer.sign(message);
            }
        } else {
            let mut message = message.to_vec();
            if let Ok(length) = layers.receiver.decrypt(&mut message) {
                // The same plaintext leaves the peer's cipher in the same state.
                let mut rest = vec![0; layers.layer().trailer_len(length)];
                let _ = layers.peer.encrypt(&mut message[..length], &mut rest);
            }
        }
    }
}
