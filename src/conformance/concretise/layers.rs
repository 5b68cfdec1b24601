//! Messages as they are protected: what the caller of a context gives to protect, and what its peer, the tester, sends.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::buffer::{BufferType, SecHandle};
use crate::digest::sasl::{Layer, Sender};
use crate::spec::call::{Buffer, Descriptor};
use crate::spec::shadow::registers::{Context, Layers};
use crate::spec::vocabulary as fact;

use super::Concretiser;

/// Number and type stand at the end of a protected message, its MAC before them.
const NUMBER: usize = 4;
const TYPE: usize = 6;
const MAC: usize = 16;

/// A buffer that may be written, or one that may not.
fn any(kind: BufferType, octets: Vec<u8>, rng: &mut Rng) -> Buffer {
    Buffer::new(if rng.u8(..4) == 0 { kind.read_only() } else { kind }, octets)
}

fn flip(octets: &mut [u8], at: usize) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= 1;
    }
}

impl<'a> Concretiser<'a> {
    fn layers(&self, context: Option<SecHandle>) -> Option<&'a Layers> {
        self.registers.contexts.get(&context?)?.layers.as_ref()
    }

    /// Whether messages of the context are protected.
    pub(super) fn has_layer(&self, context: &Context) -> bool {
        context.layers.is_some()
    }

    /// A message that the peer can receive, or one too long for it.
    fn message(&mut self, layers: Option<&Layers>) -> Vec<u8> {
        let most = layers.map_or(64, |layers| layers.maximum_message as usize);
        let length = match (self.wishes(fact::Message::TooLong), self.rng.u8(..16)) {
            (true, _) => most + 1 + self.rng.usize(..8),
            (false, 0) => most.min(1024),
            (false, 1) => 0,
            (false, _) => self.rng.usize(..=most.min(64)),
        };
        (0..length).map(|_| self.rng.u8(..)).collect()
    }

    /// The message of MakeSignature on SASL.
    pub(super) fn message_to_sign(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let layers = self.layers(context);
        let message = self.message(layers);
        let message = any(BufferType::DATA, message, &mut self.rng);
        let message = Some(message).filter(|_| !self.wishes(fact::Message::Absent));
        let kind = if self.rng.bool() { BufferType::TOKEN } else { BufferType::PADDING };
        let output = self.room(kind, 16);
        self.in_any_order(message, output)
    }

    /// A buffer for so many octets.
    fn room(&mut self, kind: BufferType, needed: usize) -> Option<Buffer> {
        let capacity = match () {
            () if self.wishes(fact::Output::Small) => self.rng.usize(1..needed.max(2)),
            () if self.wishes(fact::Output::Absent) => {
                return match self.rng.u8(..3) {
                    0 => None,
                    1 => Some(Buffer::new(kind.read_only(), vec![0xA5; 64])),
                    _other => Some(Buffer::null(kind)),
                };
            }
            () => needed + if self.rng.bool() { 0 } else { self.rng.usize(..32) },
        };
        Some(Buffer::new(kind, vec![0xA5; capacity]))
    }

    fn in_any_order(&mut self, one: Option<Buffer>, other: Option<Buffer>) -> Option<Descriptor> {
        let mut buffers: Vec<Buffer> = one.into_iter().chain(other).collect();
        if self.rng.bool() {
            buffers.reverse();
        }
        if self.rng.u8(..8) == 0 {
            buffers.push(Buffer::null(BufferType::EMPTY));
        }
        self.descriptor(buffers)
    }

    /// The message of EncryptMessage, in one of the layouts that its page describes.
    pub(super) fn message_to_wrap(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let layers = self.layers(context);
        let message = self.message(layers);
        let absent = self.wishes(fact::Message::Absent);
        // Under a block cipher the padding depends on the message: of none it is that of an empty one.
        let length = if absent { 0 } else { message.len() };
        let needed = layers.map_or(16, |layers| layers.layer().trailer_len(length));
        let layout = self.rng.u8(..4);
        // A second DATA is one only behind a first that may be written.
        let kind = match layout {
            0 if !absent => BufferType::DATA,
            1 => BufferType::STREAM_TRAILER,
            _other => BufferType::PADDING,
        };
        let rest = self.room(kind, needed);
        let data = match absent {
            true if self.rng.bool() => Some(Buffer::new(BufferType::DATA.read_only(), message)),
            true => None,
            false => Some(Buffer::new(BufferType::DATA, message)),
        };
        let mut buffers = Vec::new();
        if layout == 1 {
            buffers.push(Buffer::null(BufferType::STREAM_HEADER));
        }
        buffers.extend(data);
        buffers.extend(rest);
        if layout == 2 {
            // As in the layouts of other packages: a TOKEN before both, which this one does not look at.
            buffers.insert(0, Buffer::new(BufferType::TOKEN, vec![0xA5; 32]));
        }
        self.descriptor(buffers)
    }

    /// What the peer has sent before, and sends next.
    fn peer(&self, context: Option<SecHandle>) -> Option<Sender> {
        self.layers(context).map(|layers| layers.peer.clone())
    }

    /// The peer, other numbers ahead; or at its first message again.
    fn out_of_step(&mut self, context: Option<SecHandle>, peer: &Sender) -> Sender {
        let layers = self.layers(context);
        if let Some(first) =
            layers.map(|layers| &layers.peer_at_first).filter(|_| peer.sequence() > 0 && self.rng.bool())
        {
            return first.clone();
        }
        let mut ahead = peer.clone();
        for _ in 0..self.rng.usize(1..4) {
            // Nobody gets so far that the numbers end.
            let _ = ahead.sign(b"lost on the way");
        }
        ahead
    }

    /// The message of VerifySignature on SASL, signed by the peer.
    pub(super) fn signed(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let peer = self.peer(context);
        let mut message: Vec<u8> = (0..self.rng.usize(..64)).map(|_| self.rng.u8(..)).collect();
        let signer = match &peer {
            Some(peer) if self.wishes(fact::Seal::Number) => Some(self.out_of_step(context, peer)),
            Some(peer) => Some(peer.clone()),
            None => None,
        };
        let signature = signer.and_then(|mut signer| signer.sign(&message).ok());
        let mut signature = signature.unwrap_or([7; MAC]).to_vec();
        if self.wishes(fact::Seal::Altered) {
            match self.rng.u8(..5) {
                0 => flip(&mut signature, MAC - TYPE + 1),
                1 => signature.truncate(self.rng.usize(..MAC)),
                2 => signature.push(0),
                // Whoever changes the number has no MAC for it.
                3 => flip(&mut signature, MAC - 1),
                _other if message.is_empty() || self.rng.bool() => flip(&mut signature, self.rng.usize(..MAC - TYPE)),
                _other => flip(&mut message, 0),
            }
        }
        let message = any(BufferType::DATA, message, &mut self.rng);
        let message = Some(message).filter(|_| !self.wishes(fact::Message::Absent));
        let kind = if self.rng.bool() { BufferType::TOKEN } else { BufferType::PADDING };
        let signature = any(kind, signature, &mut self.rng);
        let signature = Some(signature).filter(|_| !self.wishes(fact::Signature::Absent));
        self.in_any_order(message, signature)
    }

    /// The message of DecryptMessage, wrapped by the peer.
    pub(super) fn wrapped(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let kind = if self.rng.bool() { BufferType::STREAM } else { BufferType::DATA };
        let wire = match self.peer(context) {
            Some(peer) => self.wire(context, peer),
            None => vec![0x5A; self.rng.usize(..64)],
        };
        let mut buffers = match self.wishes(fact::Message::Absent) {
            true if self.rng.bool() => vec![Buffer::new(kind.read_only(), wire)],
            true => vec![Buffer::new(BufferType::TOKEN, wire)],
            false => vec![Buffer::new(kind, self.edited(wire))],
        };
        // Room that other packages ask for, as in the page's example.
        for _ in 0..self.rng.usize(..4) {
            buffers.push(Buffer::null(BufferType::EMPTY));
        }
        self.descriptor(buffers)
    }

    /// A message on the wire, with what is wished of its seal.
    fn wire(&mut self, context: Option<SecHandle>, mut peer: Sender) -> Vec<u8> {
        let layer = peer.layer();
        let is_confidential = matches!(layer, Layer::Confidentiality(_));
        if self.wishes(fact::Seal::Number) && !is_confidential {
            peer = self.out_of_step(context, &peer);
        }
        let mut message: Vec<u8> = (0..self.rng.usize(..64)).map(|_| self.rng.u8(..)).collect();
        let mut rest = vec![0; layer.trailer_len(message.len())];
        // Nobody gets so far that the numbers end.
        let _ = peer.encrypt(&mut message, &mut rest);
        let mut wire = [message, rest].concat();
        let length = wire.len();
        match () {
            () if self.wishes(fact::Seal::Incomplete) => wire.truncate(self.rng.usize(..layer.minimum_wrapped())),
            () if self.wishes(fact::Seal::Number) && is_confidential => {
                let digit = 1 << self.rng.u8(..8);
                wire[length - self.rng.usize(1..=NUMBER)] ^= digit;
            }
            () if self.wishes(fact::Seal::Altered) && (is_confidential || self.rng.u8(..3) == 0) => {
                let octet = self.rng.usize(1..=2);
                flip(&mut wire, length - NUMBER - octet);
            }
            () if self.wishes(fact::Seal::Altered) => {
                let before_the_type = self.rng.usize(..length - TYPE);
                flip(&mut wire, before_the_type);
            }
            () if self.wishes(fact::Seal::Lost) => self.lose(layer, &mut wire),
            () => {}
        }
        wire
    }

    /// Changes what is only seen to be changed once it is decrypted.
    fn lose(&mut self, layer: Layer, wire: &mut Vec<u8>) {
        let end = wire.len() - TYPE;
        let by_blocks = match layer {
            Layer::Integrity => false,
            Layer::Confidentiality(cipher) => cipher.block_size().is_some(),
        };
        match self.rng.u8(..4) {
            // An octet more, or less: nothing that a block cipher makes.
            0 => wire.insert(self.rng.usize(..end), 0x5A),
            1 if end > MAC => drop(wire.remove(self.rng.usize(..end))),
            // The last block holds the padding, or the end of the MAC.
            2 if by_blocks => {
                let last = self.rng.usize(end - 8..end);
                flip(wire, last);
            }
            _other => {
                let at = self.rng.usize(..end);
                flip(wire, at);
            }
        }
    }
}
