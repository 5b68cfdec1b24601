//! The server's nonce: when it was made, and entropy (RFC 2617 section 3.2.1).
#![forbid(unsafe_code)]

use super::bindings::UPGRADED;
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

/// A nonce of this package: 48 lower-case hexadecimal digits, 8 bytes of time and 16 of entropy; before them
/// [`UPGRADED`] if the challenge invites to extended protection.
///
/// The time is for whoever reads a log; nothing is believed because of it, a nonce counts only if it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce {
    /// The prefix always stands here; `form` says whether it belongs to the nonce.
    text: [u8; UPGRADED.len() + DIGITS],
    form: Form,
    issued_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Plain,
    Upgraded,
}

/// How many hexadecimal digits a nonce has.
const DIGITS: usize = 48;

impl Nonce {
    /// A nonce made now.
    pub fn new(now: Timestamp, entropy: [u8; 16]) -> Self {
        Self::of(Form::Plain, now, entropy)
    }

    /// A nonce made now that tells a client that the server understands channel bindings
    /// (draft-santesson-digestbind-01).
    pub fn upgraded(now: Timestamp, entropy: [u8; 16]) -> Self {
        Self::of(Form::Upgraded, now, entropy)
    }

    fn of(form: Form, now: Timestamp, entropy: [u8; 16]) -> Self {
        let mut text = [0; UPGRADED.len() + DIGITS];
        let (prefix, digits) = text.split_at_mut(UPGRADED.len());
        prefix.copy_from_slice(UPGRADED);
        let bytes = now.0.to_be_bytes().into_iter().chain(entropy);
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&hex_pair(byte));
        }
        Self { text, form, issued_at: now }
    }

    /// The nonce with exactly that text; `None` for a text that neither constructor can have made.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (form, digits) = match text.strip_prefix(UPGRADED) {
            Some(digits) => (Form::Upgraded, digits),
            None => (Form::Plain, text),
        };
        if digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let bytes = unhex::<{ DIGITS / 2 }>(digits)?;
        let (time, entropy) = bytes.split_first_chunk::<8>()?;
        Some(Self::of(form, Timestamp(u64::from_be_bytes(*time)), entropy.try_into().ok()?))
    }

    /// The text, as it stands in `nonce`.
    pub const fn as_bytes(&self) -> &[u8] {
        match self.form {
            Form::Plain => self.text.split_at(UPGRADED.len()).1,
            Form::Upgraded => &self.text,
        }
    }

    /// Whether the challenge invites to extended protection.
    pub const fn is_upgraded(&self) -> bool {
        match self.form {
            Form::Plain => false,
            Form::Upgraded => true,
        }
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
    fn an_upgraded_nonce_has_the_prefix_before_the_same_digits() {
        let entropy = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let nonce = Nonce::upgraded(Timestamp(0x0123_4567_890a), entropy);
        let text = [b"+Upgraded+v1", &TEXT[..]].concat();
        assert_eq!(nonce.as_bytes(), text);
        assert_eq!(Nonce::parse(&text), Some(nonce));
        assert!(nonce.is_upgraded());
        assert_ne!(Nonce::parse(TEXT), Some(nonce));
        assert_eq!(Nonce::parse(&[b"+upgraded+v1", &TEXT[..]].concat()), None);
        assert_eq!(Nonce::parse(&[b"+Upgraded+v1", &text[..]].concat()), None);
        assert_eq!(Nonce::parse(b"+Upgraded+v1"), None);
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
