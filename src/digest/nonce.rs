//! The server's nonce: when it was made, and entropy (RFC 2617 section 3.2.1).
#![forbid(unsafe_code)]

use super::hash::{hex_pair, unhex};
use core::time::Duration;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long after `earlier` this is; zero if it is not after it, because a clock may be set back.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A nonce of this package: 48 lower-case hexadecimal digits, 8 bytes of time and 16 of entropy.
///
/// The time is for whoever reads a log; nothing is believed because of it, a nonce counts only if it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce {
    text: [u8; 48],
    issued_at: Timestamp,
}

impl Nonce {
    /// A nonce made now.
    pub fn new(now: Timestamp, entropy: [u8; 16]) -> Self {
        let mut text = [0; 48];
        let bytes = now.0.to_be_bytes().into_iter().chain(entropy);
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&hex_pair(byte));
        }
        Self { text, issued_at: now }
    }

    /// The nonce with exactly that text; `None` for a text that [`Nonce::new`] cannot have made.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = <[u8; 48]>::try_from(text).ok()?;
        if text.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        unhex::<24>(&text)?;
        let time = unhex::<8>(text.first_chunk::<16>()?)?;
        Some(Self { text, issued_at: Timestamp(u64::from_be_bytes(time)) })
    }

    /// The text, as it stands in `nonce`.
    pub const fn as_bytes(&self) -> &[u8; 48] {
        &self.text
    }

    /// When it was made.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// How old it is; zero if the clock was set back meanwhile.
    pub const fn age(&self, now: Timestamp) -> Duration {
        now.since(self.issued_at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Nonce, Timestamp};
    use core::time::Duration;

    const TEXT: &[u8; 48] = b"000001234567890a000102030405060708090a0b0c0d0e0f";

    #[test]
    fn time_comes_first_then_entropy() {
        let entropy = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let nonce = Nonce::new(Timestamp(0x0123_4567_890a), entropy);
        assert_eq!(nonce.as_bytes(), TEXT);
        assert_eq!(Nonce::parse(TEXT), Some(nonce));
        assert_eq!(nonce.issued_at(), Timestamp(0x0123_4567_890a));
    }

    #[test]
    fn other_texts_are_no_nonces() {
        assert_eq!(Nonce::parse(b""), None);
        assert_eq!(Nonce::parse(&TEXT[..47]), None);
        assert_eq!(Nonce::parse(&[TEXT, &b"0"[..]].concat()), None);
        assert_eq!(Nonce::parse(&TEXT.to_ascii_uppercase()), None);
        let mut other = *TEXT;
        other[47] = b'g';
        assert_eq!(Nonce::parse(&other), None);
    }

    #[test]
    fn a_clock_set_back_makes_no_age() {
        let nonce = Nonce::new(Timestamp(5000), [0; 16]);
        assert_eq!(nonce.age(Timestamp(6500)), Duration::from_millis(1500));
        assert_eq!(nonce.age(Timestamp(5000)), Duration::ZERO);
        assert_eq!(nonce.age(Timestamp(10)), Duration::ZERO);
    }
}
