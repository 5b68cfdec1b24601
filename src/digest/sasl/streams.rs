//! The ciphers at work: RC4, and DES and triple DES in CBC mode, each running on from message to message.
#![forbid(unsafe_code)]

use super::Cipher;
use des::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U8};
use des::{Des, TdesEde2};
use rc4::{Rc4, StreamCipher};
use zeroize::Zeroizing;

/// The longest thing that ends a message and is encrypted: less than a block of the message, padding and MAC.
const LONGEST_TAIL: usize = 24;

/// The encrypting end.
#[derive(Clone)]
pub(super) enum Encryptor {
    Rc4(Keystream),
    TripleDes(Chain<TdesEde2>),
    Des(Chain<Des>),
}

/// The decrypting end.
#[derive(Clone)]
pub(super) enum Decryptor {
    Rc4(Keystream),
    TripleDes(Chain<TdesEde2>),
    Des(Chain<Des>),
}

impl Encryptor {
    /// From Kcc or Kcs, as RFC 2831 section 2.4 cuts it.
    pub(super) fn new(cipher: Cipher, key: &[u8; 16]) -> Self {
        match cipher {
            Cipher::Rc4 | Cipher::Rc4_56 | Cipher::Rc4_40 => Self::Rc4(Keystream::new(key)),
            Cipher::TripleDes => Self::TripleDes(Chain::triple_des(key)),
            Cipher::Des => Self::Des(Chain::des(key)),
        }
    }

    /// Encrypts `message` and then `ending` (padding and MAC) as if they were one.
    ///
    /// For a block cipher both together are whole blocks, which padding is for.
    pub(super) fn encrypt(&mut self, message: &mut [u8], ending: &mut [u8]) {
        match self {
            Self::Rc4(keystream) => {
                keystream.apply(message);
                keystream.apply(ending);
            }
            Self::TripleDes(chain) => chain.encrypt(message, ending),
            Self::Des(chain) => chain.encrypt(message, ending),
        }
    }
}

impl Decryptor {
    /// From Kcc or Kcs, as RFC 2831 section 2.4 cuts it.
    pub(super) fn new(cipher: Cipher, key: &[u8; 16]) -> Self {
        match cipher {
            Cipher::Rc4 | Cipher::Rc4_56 | Cipher::Rc4_40 => Self::Rc4(Keystream::new(key)),
            Cipher::TripleDes => Self::TripleDes(Chain::triple_des(key)),
            Cipher::Des => Self::Des(Chain::des(key)),
        }
    }

    /// The length of a block in bytes; `None` is a stream cipher.
    pub(super) const fn block_size(&self) -> Option<usize> {
        match self {
            Self::Rc4(_) => None,
            Self::TripleDes(_) | Self::Des(_) => Some(8),
        }
    }

    /// Decrypts in place; of a block cipher whole blocks.
    pub(super) fn decrypt(&mut self, text: &mut [u8]) {
        match self {
            Self::Rc4(keystream) => keystream.apply(text),
            Self::TripleDes(chain) => chain.decrypt(text),
            Self::Des(chain) => chain.decrypt(text),
        }
    }
}

/// The RC4 keystream of one direction.
pub(super) struct Keystream {
    key: Zeroizing<[u8; 16]>,
    cipher: Rc4,
    position: u64,
}

impl Keystream {
    fn new(key: &[u8; 16]) -> Self {
        let cipher = Rc4::new_from_slice(key).expect("RC4 takes keys of 1 to 256 bytes, and this has 16");
        Self { key: Zeroizing::new(*key), cipher, position: 0 }
    }

    fn apply(&mut self, text: &mut [u8]) {
        self.cipher.apply_keystream(text);
        self.position += text.len() as u64;
    }
}

impl Clone for Keystream {
    /// In time linear in what was encrypted so far: the crate's cipher cannot be copied, so it is run up to here again.
    fn clone(&self) -> Self {
        let mut clone = Self::new(&self.key);
        let mut passed = Zeroizing::new([0; 256]);
        while clone.position < self.position {
            let missing = self.position - clone.position;
            let step = usize::try_from(missing).map_or(passed.len(), |missing| missing.min(passed.len()));
            clone.apply(passed.split_at_mut(step).0);
        }
        clone
    }
}

/// A block cipher in CBC mode, with the last block of ciphertext (first: the initialisation vector).
#[derive(Clone)]
pub(super) struct Chain<C> {
    cipher: C,
    last: Zeroizing<[u8; 8]>,
}

impl Chain<Des> {
    fn des(key: &[u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, ..] = *key;
        let des = Zeroizing::new(des_key([a, b, c, d, e, f, g]));
        Self { cipher: Des::new((&*des).into()), last: Zeroizing::new(initialisation_vector(key)) }
    }
}

impl Chain<TdesEde2> {
    fn triple_des(key: &[u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, ..] = *key;
        let mut keys = Zeroizing::new([0; 16]);
        let (first, second) = keys.split_at_mut(8);
        first.copy_from_slice(&des_key([a, b, c, d, e, f, g]));
        second.copy_from_slice(&des_key([h, i, j, k, l, m, n]));
        Self { cipher: TdesEde2::new((&*keys).into()), last: Zeroizing::new(initialisation_vector(key)) }
    }
}

/// 56 bits over 8 bytes, 7 in each and the lowest for a parity that nobody looks at.
fn des_key(bits: [u8; 7]) -> [u8; 8] {
    let [a, b, c, d, e, f, g] = bits;
    let bits = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
    [49, 42, 35, 28, 21, 14, 7, 0].map(|shift| (((bits >> shift) & 0x7F) as u8) << 1)
}

/// The last 8 bytes of Kcc or Kcs.
fn initialisation_vector(key: &[u8; 16]) -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = *key;
    [a, b, c, d, e, f, g, h]
}

fn xor(block: &mut [u8; 8], other: &[u8; 8]) {
    for (octet, other) in block.iter_mut().zip(other) {
        *octet ^= other;
    }
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>> Chain<C> {
    fn encrypt(&mut self, message: &mut [u8], ending: &mut [u8]) {
        let (blocks, rest) = message.as_chunks_mut::<8>();
        self.encrypt_blocks(blocks);
        let tail_length = rest.len() + ending.len();
        let mut tail = Zeroizing::new([0; LONGEST_TAIL]);
        for (octet, source) in tail.iter_mut().zip(rest.iter().chain(ending.iter())) {
            *octet = *source;
        }
        let (blocks, _) = tail.as_chunks_mut::<8>();
        self.encrypt_blocks(blocks.get_mut(..tail_length / 8).unwrap_or_default());
        for (target, octet) in rest.iter_mut().chain(ending.iter_mut()).zip(tail.iter()) {
            *target = *octet;
        }
    }

    fn encrypt_blocks(&mut self, blocks: &mut [[u8; 8]]) {
        for block in blocks {
            xor(block, &self.last);
            self.cipher.encrypt_block(<&mut Block<C>>::from(&mut *block));
            *self.last = *block;
        }
    }
}

impl<C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U8>> Chain<C> {
    fn decrypt(&mut self, text: &mut [u8]) {
        let (blocks, _) = text.as_chunks_mut::<8>();
        for block in blocks {
            let ciphertext = *block;
            self.cipher.decrypt_block(<&mut Block<C>>::from(&mut *block));
            xor(block, &self.last);
            *self.last = ciphertext;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chain, Encryptor, des_key};
    use crate::digest::sasl::Cipher;

    /// 56 bits: all of them arrive, and none in a place of parity.
    #[test]
    fn every_bit_of_a_des_key_is_used() {
        assert_eq!(des_key([0; 7]), [0; 8]);
        assert_eq!(des_key([0xFF; 7]), [0xFE; 8]);
        assert_eq!(des_key([0x80, 0, 0, 0, 0, 0, 1]), [0x80, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(des_key([1, 0, 0, 0, 0, 0, 0]), [0, 0x80, 0, 0, 0, 0, 0, 0]);
    }

    /// `printf 'Now is the time for all ' | openssl enc -provider legacy -provider default -des-cbc -nopad
    /// -K 0123456789abcdef -iv 1234567890abcdef`, the example of FIPS 81 appendix C: the parity bits of that key,
    /// taken out, leave the 7 bytes here.
    #[test]
    fn cbc_of_fips_81() {
        let key = [0x00, 0x45, 0x13, 0x38, 0x95, 0x73, 0x77, 0, 0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF];
        let ciphertext = [
            0xE5, 0xC7, 0xCD, 0xDE, 0x87, 0x2B, 0xF2, 0x7C, 0x43, 0xE9, 0x34, 0x00, 0x8C, 0x38, 0x9C, 0x0F, 0x68, 0x37,
            0x88, 0x49, 0x9A, 0x7C, 0x05, 0xF6,
        ];
        assert_eq!(
            des_key([0x00, 0x45, 0x13, 0x38, 0x95, 0x73, 0x77]),
            [0x00, 0x22, 0x44, 0x66, 0x88, 0xAA, 0xCC, 0xEE]
        );
        for cut in 0..=24 {
            let mut text = *b"Now is the time for all ";
            let (message, ending) = text.split_at_mut(cut);
            Chain::des(&key).encrypt(message, ending);
            assert_eq!(text, ciphertext, "cut at {cut}");
        }
    }

    #[test]
    fn a_clone_goes_on_from_here() {
        for cipher in Cipher::ALL {
            let mut encryptor = Encryptor::new(cipher, &[7; 16]);
            encryptor.encrypt(&mut [0; 1000], &mut []);
            let mut clone = encryptor.clone();
            let (mut a, mut b) = ([1; 24], [1; 24]);
            encryptor.encrypt(&mut a, &mut []);
            clone.encrypt(&mut b, &mut []);
            assert_eq!(a, b, "{cipher:?}");
        }
    }
}
