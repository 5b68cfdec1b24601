//! The layers that protect messages after authentication (RFC 2831 sections 2.3 and 2.4).
//!
//! The wire of one message, without the 4 bytes of its length that a caller puts before it:
//! under `auth-int` the message, 10 bytes of its MAC, the message type 1 in 2 bytes, its number in 4;
//! under `auth-conf` the message, padding and MAC encrypted, then type and number in the clear.
#![forbid(unsafe_code)]

use super::streams::{Decryptor, Encryptor};
use super::{Cipher, MaxBuf, Qop};
use crate::digest::hash::{SessionKey, md5};
use core::fmt;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _, ConstantTimeGreater as _};
use thiserror::Error;
use zeroize::Zeroizing;

/// The bytes of a MAC block: 10 of HMAC-MD5, 2 of type, 4 of number.
const MAC_BLOCK: usize = 16;
/// How much of HMAC-MD5 is sent.
const MAC: usize = 10;
/// Type and number, which are never encrypted.
const FOOTER: usize = 6;
/// The only message type there is.
const MESSAGE_TYPE: [u8; 2] = [0, 1];

/// What protects messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// A MAC (RFC 2831 section 2.3).
    Integrity,
    /// A MAC and a cipher (RFC 2831 section 2.4).
    Confidentiality(Cipher),
}

impl Layer {
    /// The layer that a response with these directives asks for; `None` under `auth`, or if no cipher says which.
    pub(super) fn of(qop: Qop, cipher: Option<Cipher>) -> Option<Self> {
        match qop {
            Qop::Auth => None,
            Qop::AuthInt => Some(Self::Integrity),
            Qop::AuthConf => cipher.map(Self::Confidentiality),
        }
    }

    /// The quality of protection that this layer serves.
    pub const fn qop(self) -> Qop {
        match self {
            Self::Integrity => Qop::AuthInt,
            Self::Confidentiality(_) => Qop::AuthConf,
        }
    }

    /// The cipher, if there is one.
    pub const fn cipher(self) -> Option<Cipher> {
        match self {
            Self::Integrity => None,
            Self::Confidentiality(cipher) => Some(cipher),
        }
    }

    const fn block_size(self) -> Option<usize> {
        match self {
            Self::Integrity => None,
            Self::Confidentiality(cipher) => cipher.block_size(),
        }
    }

    /// The most bytes that wrapping adds to a message: 16, with a block cipher 24.
    pub const fn overhead(self) -> u32 {
        match self.block_size() {
            None => 16,
            Some(_) => 24,
        }
    }

    /// The longest message, in bytes, for a peer with that `maxbuf`; `maxbuf` limits the wrapped one.
    pub const fn maximum_message(self, maxbuf: MaxBuf) -> u32 {
        maxbuf.get().saturating_sub(self.overhead())
    }

    /// The bytes that wrapping adds to a message of that length: with a block cipher padding of 1 to 8, and always 16.
    pub const fn trailer_len(self, message_length: usize) -> usize {
        match self.block_size() {
            None => MAC_BLOCK,
            Some(block) => block - (message_length % block + MAC) % block + MAC_BLOCK,
        }
    }

    /// The fewest bytes that a wrapped message can have: 16, with a block cipher 22 (two blocks, type and number).
    pub const fn minimum_wrapped(self) -> usize {
        self.trailer_len(0)
    }
}

/// Which way messages go; each way has keys and numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What the client sends.
    ClientToServer,
    /// What the server sends.
    ServerToClient,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }

    /// Kic or Kis.
    fn signing_key(self, key: &SessionKey) -> Zeroizing<[u8; 16]> {
        let constant: &[u8] = match self {
            Self::ClientToServer => b"Digest session key to client-to-server signing key magic constant",
            Self::ServerToClient => b"Digest session key to server-to-client signing key magic constant",
        };
        Zeroizing::new(md5(&[&*key.to_bytes(), constant]))
    }

    /// Kcc or Kcs.
    fn sealing_key(self, key: &SessionKey, cipher: Cipher) -> Zeroizing<[u8; 16]> {
        let constant: &[u8] = match self {
            Self::ClientToServer => b"Digest H(A1) to client-to-server sealing key magic constant",
            Self::ServerToClient => b"Digest H(A1) to server-to-client sealing key magic constant",
        };
        let length = match cipher {
            Cipher::Rc4_40 => 5,
            Cipher::Rc4_56 => 7,
            Cipher::Rc4 | Cipher::TripleDes | Cipher::Des => 16,
        };
        let hash = key.to_bytes();
        Zeroizing::new(md5(&[hash.split_at(length).0, constant]))
    }
}

/// All 2 to the power of 32 numbers were used; one more message would repeat one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("every sequence number was used")]
pub struct SequenceExhausted;

/// Why a message is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum LayerError {
    /// It is shorter than any wrapped message; nothing was consumed.
    #[error("the message is shorter than any wrapped message")]
    Incomplete,
    /// It is not what the peer sent. After that a cipher has lost its state, and the direction is dead.
    #[error("the message was altered")]
    Altered,
    /// Its number is not the next; nothing was consumed.
    #[error("the message is out of sequence")]
    OutOfSequence,
    /// An altered message came before it and this direction delivers nothing any more.
    #[error("an altered message has ended this direction")]
    Dead,
}

/// Protects the messages of one direction.
///
/// A clone goes its own way from here; cloning under RC4 takes time linear in what was sent.
#[derive(Clone)]
pub struct Sender {
    layer: Layer,
    signing_key: Zeroizing<[u8; 16]>,
    encryptor: Option<Encryptor>,
    sequence: u64,
}

impl Sender {
    /// The sending end, before the first message.
    pub fn new(key: &SessionKey, direction: Direction, layer: Layer) -> Self {
        let encryptor = layer.cipher().map(|cipher| Encryptor::new(cipher, &direction.sealing_key(key, cipher)));
        Self { layer, signing_key: direction.signing_key(key), encryptor, sequence: 0 }
    }

    /// The layer.
    pub const fn layer(&self) -> Layer {
        self.layer
    }

    /// The number of the next message; 2 to the power of 32 once there is none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Every number was used, by whoever else sends in this direction: nothing can be sent any more.
    pub fn spend(&mut self) {
        self.sequence = u64::from(u32::MAX) + 1;
    }

    /// The signature of a message, which is not encrypted: MAC, type and number.
    ///
    /// # Errors
    /// No number is left.
    pub fn sign(&mut self, message: &[u8]) -> Result<[u8; 16], SequenceExhausted> {
        let number = self.next_number()?;
        Ok(mac_block(&self.signing_key, number, message))
    }

    /// Wraps a message: encrypts it where it stands (under [`Layer::Integrity`] it stays) and writes the rest.
    ///
    /// # Errors
    /// No number is left; message and trailer are as before.
    ///
    /// # Panics
    /// `trailer` is not [`Layer::trailer_len`] bytes long.
    pub fn encrypt(&mut self, message: &mut [u8], trailer: &mut [u8]) -> Result<(), SequenceExhausted> {
        let length = self.layer.trailer_len(message.len());
        assert_eq!(trailer.len(), length, "the trailer of this message has {length} bytes");
        let number = self.next_number()?;
        let (padding, block) = trailer.split_at_mut(length - MAC_BLOCK);
        // At most the 8 bytes of a block.
        padding.fill(padding.len() as u8);
        block.copy_from_slice(&mac_block(&self.signing_key, number, message));
        if let Some(encryptor) = &mut self.encryptor {
            encryptor.encrypt(message, trailer.split_at_mut(length - FOOTER).0);
        }
        Ok(())
    }

    fn next_number(&mut self) -> Result<u32, SequenceExhausted> {
        let number = u32::try_from(self.sequence).map_err(|_| SequenceExhausted)?;
        self.sequence += 1;
        Ok(number)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Sender");
        fields.field("layer", &self.layer).field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// Judges and opens the messages of one direction.
///
/// A clone goes its own way from here; cloning under RC4 takes time linear in what was received.
#[derive(Clone)]
pub struct Receiver {
    layer: Layer,
    signing_key: Zeroizing<[u8; 16]>,
    opening: Opening,
    sequence: u64,
}

/// How messages are opened.
#[derive(Clone)]
enum Opening {
    /// They are in the clear.
    Clear,
    /// They are decrypted.
    Decrypt(Box<Decryptor>),
    /// An altered message took the cipher's state with it.
    Dead,
}

impl Receiver {
    /// The receiving end, before the first message. `direction` is the one that the messages go.
    pub fn new(key: &SessionKey, direction: Direction, layer: Layer) -> Self {
        let opening = match layer {
            Layer::Integrity => Opening::Clear,
            Layer::Confidentiality(cipher) => {
                Opening::Decrypt(Box::new(Decryptor::new(cipher, &direction.sealing_key(key, cipher))))
            }
        };
        Self { layer, signing_key: direction.signing_key(key), opening, sequence: 0 }
    }

    /// The number that the next message must have.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether nothing will be delivered any more.
    pub const fn is_dead(&self) -> bool {
        matches!(self.opening, Opening::Dead)
    }

    /// Judges a message that came in the clear with its signature.
    ///
    /// # Errors
    /// The direction is dead; the signature is not 16 bytes, of type 1 and right for the number it carries; or
    /// that number is not the next. Nothing changes by any of them.
    pub fn verify(&mut self, message: &[u8], signature: &[u8]) -> Result<(), LayerError> {
        match self.opening {
            Opening::Dead => Err(LayerError::Dead),
            Opening::Clear | Opening::Decrypt(_) => self.judge(message, signature),
        }
    }

    /// Opens a wrapped message: the plaintext then stands at its start, and the answer is how long that is.
    ///
    /// # Errors
    /// The direction is dead; the message is shorter than any can be, altered, or not the next. The buffer is
    /// then as before. Only an altered message that had to be decrypted to see that ends the direction; whether
    /// its padding or its MAC is wrong cannot be told.
    pub fn decrypt(&mut self, wrapped: &mut [u8]) -> Result<usize, LayerError> {
        match &mut self.opening {
            Opening::Dead => Err(LayerError::Dead),
            Opening::Clear => {
                let length = wrapped.len().checked_sub(MAC_BLOCK).ok_or(LayerError::Incomplete)?;
                let (message, signature) = wrapped.split_at(length);
                self.judge(message, signature)?;
                Ok(length)
            }
            Opening::Decrypt(decryptor) => {
                if wrapped.len() < self.layer.minimum_wrapped() {
                    return Err(LayerError::Incomplete);
                }
                let (encrypted, footer) = wrapped.split_last_chunk::<FOOTER>().ok_or(LayerError::Incomplete)?;
                let number = number(footer).ok_or(LayerError::Altered)?;
                if u64::from(number) != self.sequence {
                    return Err(LayerError::OutOfSequence);
                }
                let Some(plaintext) = open(decryptor, &self.signing_key, number, encrypted) else {
                    self.opening = Opening::Dead;
                    return Err(LayerError::Altered);
                };
                for (target, octet) in wrapped.iter_mut().zip(plaintext.iter()) {
                    *target = *octet;
                }
                self.sequence += 1;
                Ok(plaintext.len())
            }
        }
    }

    /// A MAC block against the message and the number that is next.
    fn judge(&mut self, message: &[u8], signature: &[u8]) -> Result<(), LayerError> {
        let signature = <&[u8; MAC_BLOCK]>::try_from(signature).map_err(|_| LayerError::Altered)?;
        let footer = signature.last_chunk::<FOOTER>().ok_or(LayerError::Altered)?;
        let number = number(footer).ok_or(LayerError::Altered)?;
        let expected = mac_block(&self.signing_key, number, message);
        if !bool::from(expected.ct_eq(signature)) {
            return Err(LayerError::Altered);
        }
        if u64::from(number) != self.sequence {
            return Err(LayerError::OutOfSequence);
        }
        self.sequence += 1;
        Ok(())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Receiver");
        fields.field("layer", &self.layer).field("sequence", &self.sequence).field("dead", &self.is_dead());
        fields.finish_non_exhaustive()
    }
}

/// The number in type and number, if the type is 1.
fn number(footer: &[u8; FOOTER]) -> Option<u32> {
    let [a, b, number @ ..] = *footer;
    ([a, b] == MESSAGE_TYPE).then(|| u32::from_be_bytes(number))
}

/// The plaintext of what was encrypted; `None` if padding or MAC are wrong.
///
/// The caller's bytes are not touched, so that nothing of a plaintext nobody vouches for is left anywhere.
fn open(
    decryptor: &mut Decryptor,
    signing_key: &[u8; 16],
    number: u32,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let block = decryptor.block_size();
    if !encrypted.len().is_multiple_of(block.unwrap_or(1)) {
        return None;
    }
    let mut plaintext = Zeroizing::new(encrypted.to_vec());
    decryptor.decrypt(&mut plaintext);
    let (padded, received) = plaintext.split_last_chunk::<MAC>()?;
    let (padding, padding_is_right) = match block {
        None => (0, Choice::from(1)),
        Some(_) => padding(padded),
    };
    let message = padded.get(..padded.len() - padding)?;
    let right = mac(signing_key, number, message).ct_eq(received) & padding_is_right;
    let length = message.len();
    bool::from(right).then(|| {
        plaintext.truncate(length);
        plaintext
    })
}

/// How many bytes of padding end this, and whether they are what they must be: that many times that number,
/// 1 to 8. Wrong padding counts as one byte, so that the MAC is made over some message in any case.
fn padding(padded: &[u8]) -> (usize, Choice) {
    let count = padded.last().copied().unwrap_or(0);
    let mut right = count.ct_gt(&0) & !count.ct_gt(&8);
    let present = u8::try_from(padded.len()).unwrap_or(u8::MAX);
    right &= !count.ct_gt(&present);
    for (index, octet) in (0..8u8).zip(padded.iter().rev()) {
        right &= !count.ct_gt(&index) | octet.ct_eq(&count);
    }
    let counted = u8::conditional_select(&1, &count, right);
    (usize::from(counted).min(padded.len()), right)
}

/// The first 10 bytes of HMAC(Ki, {number, message}).
fn mac(signing_key: &[u8; 16], number: u32, message: &[u8]) -> [u8; MAC] {
    let mut hmac = Hmac::<Md5>::new_from_slice(signing_key).expect("HMAC takes keys of any length");
    hmac.update(&number.to_be_bytes());
    hmac.update(message);
    let hash: [u8; 16] = hmac.finalize().into_bytes().into();
    let [a, b, c, d, e, f, g, h, i, j, ..] = hash;
    [a, b, c, d, e, f, g, h, i, j]
}

/// MAC, type and number.
fn mac_block(signing_key: &[u8; 16], number: u32, message: &[u8]) -> [u8; MAC_BLOCK] {
    let mut block = [0; MAC_BLOCK];
    let parts = mac(signing_key, number, message).into_iter().chain(MESSAGE_TYPE).chain(number.to_be_bytes());
    for (octet, part) in block.iter_mut().zip(parts) {
        *octet = part;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::{
        Cipher, Direction, Layer, LayerError, MaxBuf, Receiver, Sender, SequenceExhausted, mac, mac_block, padding,
    };
    use crate::digest::hash::{SessionKey, UserHash, unhex32};

    fn key() -> SessionKey {
        SessionKey::sasl(&UserHash::new("chris", "elwood.innosoft.com", "secret"), b"n", b"c", None)
    }

    #[test]
    fn a_sender_whose_numbers_are_spent_sends_nothing_more() {
        let mut sender = Sender::new(&key(), Direction::ClientToServer, Layer::Integrity);
        assert!(sender.sign(b"the first").is_ok());
        sender.spend();
        assert_eq!(sender.sign(b"one more"), Err(SequenceExhausted));
    }

    /// RFC 2202 section 2, test cases 1 to 3 and 5: the first four octets of the data stand for the number.
    #[test]
    fn hmac_md5_of_rfc_2202() {
        let jefe = *b"Jefe\0\0\0\0\0\0\0\0\0\0\0\0";
        for (key, data, digest) in [
            ([0x0b; 16], b"Hi There".to_vec(), b"9294727a3638bb1c13f48ef8158bfc9d"),
            (jefe, b"what do ya want for nothing?".to_vec(), b"750c783e6ab0b503eaa86e310a5db738"),
            ([0xaa; 16], vec![0xdd; 50], b"56be34521d144c88dbb8c733f0e8b3f6"),
            ([0x0c; 16], b"Test With Truncation".to_vec(), b"56461ef2342edc00f9bab995690efd4c"),
        ] {
            let (number, message) = data.split_first_chunk::<4>().expect("the data is longer");
            let digest = unhex32(digest).expect("the digits of the RFC");
            assert_eq!(mac(&key, u32::from_be_bytes(*number), message), digest[..10]);
        }
    }

    #[test]
    fn lengths() {
        let rc4 = Layer::Confidentiality(Cipher::Rc4);
        let des = Layer::Confidentiality(Cipher::Des);
        assert_eq!([Layer::Integrity, rc4, des].map(Layer::overhead), [16, 16, 24]);
        assert_eq!([Layer::Integrity, rc4, des].map(Layer::minimum_wrapped), [16, 16, 22]);
        for length in 0..64 {
            assert_eq!(Layer::Integrity.trailer_len(length), 16);
            assert_eq!(rc4.trailer_len(length), 16);
            let trailer = des.trailer_len(length);
            assert!((17..=24).contains(&trailer));
            // Everything but type and number is whole blocks.
            assert_eq!((length + trailer - 6) % 8, 0);
        }
        assert_eq!(Layer::Integrity.maximum_message(MaxBuf::DEFAULT), 65_520);
        assert_eq!(des.maximum_message(MaxBuf::DEFAULT), 65_512);
        assert_eq!(Layer::Integrity.maximum_message(MaxBuf::MINIMUM), 1);
        assert_eq!(des.maximum_message(MaxBuf::MINIMUM), 0);
    }

    /// RFC 2831 section 2.4: one or more octets, each the number of octets.
    #[test]
    fn padding_is_right_or_counts_as_one() {
        for (padded, count) in [
            (&[9, 9, 1][..], Some(1)),
            (&[9, 9, 3, 3, 3], Some(3)),
            (&[3, 3, 3], Some(3)),
            (&[8; 8], Some(8)),
            (&[8; 9], Some(8)),
            (&[9, 9, 0], None),
            (&[9; 16], None),
            (&[9, 3, 2, 3], None),
            (&[2, 3, 3, 3, 2, 3], None),
            (&[3, 3], None),
            (&[8; 7], None),
            (&[255; 255], None),
        ] {
            let (found, right) = padding(padded);
            assert_eq!((found, bool::from(right)), (count.unwrap_or(1), count.is_some()), "{padded:?}");
        }
    }

    /// A peer that pads otherwise, with the right MAC: refused like a wrong MAC.
    #[test]
    fn wrong_padding_looks_like_a_wrong_mac() {
        let layer = Layer::Confidentiality(Cipher::Des);
        // 6 octets leave 8 of padding, 13 leave 1.
        for (message, padding, is_right) in [
            (&b"abcdef"[..], &[8; 8][..], true),
            (b"abcdef", &[8, 8, 8, 7, 8, 8, 8, 8], false),
            (b"abcdef", &[8, 8, 8, 8, 8, 8, 8, 0], false),
            (b"abcdef", &[16; 16], false),
            (b"0123456789abc", &[1], true),
            (b"0123456789abc", &[9; 9], false),
            (b"0123456789abc", &[0], false),
            (b"", &[6; 6], true),
            (b"", &[7; 6], false),
        ] {
            let mut sender = Sender::new(&key(), Direction::ClientToServer, layer);
            let mut receiver = Receiver::new(&key(), Direction::ClientToServer, layer);
            let block = mac_block(&sender.signing_key, 0, message);
            let mut wire = [message, padding, &block].concat();
            let encrypted = wire.len() - 6;
            sender.encryptor.as_mut().expect("DES").encrypt(&mut wire[..encrypted], &mut []);
            let before = wire.clone();
            if is_right {
                assert_eq!(receiver.decrypt(&mut wire), Ok(message.len()));
                assert!(wire.starts_with(message));
            } else {
                assert_eq!(receiver.decrypt(&mut wire), Err(LayerError::Altered));
                assert_eq!((wire, receiver.is_dead()), (before, true));
            }
        }
    }

    #[test]
    fn numbers_run_out() {
        for layer in [Layer::Integrity, Layer::Confidentiality(Cipher::Rc4)] {
            let mut sender = Sender::new(&key(), Direction::ClientToServer, layer);
            let mut receiver = Receiver::new(&key(), Direction::ClientToServer, layer);
            (sender.sequence, receiver.sequence) = (u64::from(u32::MAX), u64::from(u32::MAX));
            let last = sender.sign(b"last").expect("the number ffffffff is there");
            assert_eq!(last[12..], [0xFF; 4]);
            assert_eq!(receiver.verify(b"last", &last), Ok(()));
            assert_eq!(sender.sign(b"one more"), Err(SequenceExhausted));
            let (mut message, mut trailer) = (*b"one more", [7; 16]);
            assert_eq!(sender.encrypt(&mut message, &mut trailer), Err(SequenceExhausted));
            assert_eq!((&message, trailer), (b"one more", [7; 16]));
            assert_eq!((sender.sequence(), receiver.sequence()), (1 << 32, 1 << 32));
            // The number 0 does not come again.
            let again = Sender::new(&key(), Direction::ClientToServer, layer).sign(b"again");
            assert_eq!(receiver.verify(b"again", &again.expect("a new sender")), Err(LayerError::OutOfSequence));
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let layer = Layer::Confidentiality(Cipher::Rc4);
        let sender = Sender::new(&key(), Direction::ClientToServer, layer);
        let receiver = Receiver::new(&key(), Direction::ClientToServer, layer);
        assert_eq!(format!("{sender:?}"), "Sender { layer: Confidentiality(Rc4), sequence: 0, .. }");
        assert_eq!(format!("{receiver:?}"), "Receiver { layer: Confidentiality(Rc4), sequence: 0, dead: false, .. }");
    }

    #[test]
    #[should_panic(expected = "the trailer of this message has 23 bytes")]
    fn a_trailer_of_another_length_is_a_mistake_of_the_caller() {
        let mut sender = Sender::new(&key(), Direction::ClientToServer, Layer::Confidentiality(Cipher::Des));
        let _ = sender.encrypt(&mut [1, 2, 3, 4, 5, 6, 7], &mut [0; 16]);
    }
}
