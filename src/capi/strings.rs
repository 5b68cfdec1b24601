//! The two encodings: bytes of the A functions, 16-bit characters of the W functions.
//!
//! The A functions speak UTF-8, as on a Windows whose code page that is.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::types::Plain;

/// One of the two encodings.
pub(super) trait Encoding {
    /// A character.
    type Unit: Plain + Zeroize + Default + PartialEq + fmt::Debug;

    /// The text; `None` where it is malformed.
    fn decode(units: &[Self::Unit]) -> Option<Zeroizing<String>>;

    /// The text in bytes; what is malformed stays recognisably so.
    fn to_bytes(units: &[Self::Unit]) -> Vec<u8>;

    /// The bytes of the characters and of a NUL behind them.
    fn encode(text: &str) -> Vec<u8>;
}

/// Of the A functions.
#[derive(Debug)]
pub(super) enum Ansi {}

/// Of the W functions.
#[derive(Debug)]
pub(super) enum Wide {}

impl Encoding for Ansi {
    type Unit = u8;

    fn decode(units: &[u8]) -> Option<Zeroizing<String>> {
        core::str::from_utf8(units).ok().map(|text| Zeroizing::new(text.to_owned()))
    }

    fn to_bytes(units: &[u8]) -> Vec<u8> {
        units.to_vec()
    }

    fn encode(text: &str) -> Vec<u8> {
        text.bytes().chain([0]).collect()
    }
}

impl Encoding for Wide {
    type Unit = u16;

    fn decode(units: &[u16]) -> Option<Zeroizing<String>> {
        // Room for the longest UTF-8, so that a password leaves no copy behind where the string grew.
        let mut text = Zeroizing::new(String::with_capacity(units.len() * 3));
        for character in char::decode_utf16(units.iter().copied()) {
            text.push(character.ok()?);
        }
        Some(text)
    }

    fn to_bytes(units: &[u16]) -> Vec<u8> {
        String::from_utf16_lossy(units).into_bytes()
    }

    fn encode(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_ne_bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // U+00FC and U+1D11E, in UTF-8 and UTF-16 as The Unicode Standard tables 3-6 and 3-5 have them.
    const TEXT: &str = "\u{FC}\u{1D11E}";

    #[test]
    fn both_encodings_say_the_same() {
        let bytes = [0xC3, 0xBC, 0xF0, 0x9D, 0x84, 0x9E];
        let wide = [0x00FC, 0xD834, 0xDD1E];
        assert_eq!(Ansi::decode(&bytes).as_deref().map(String::as_str), Some(TEXT));
        assert_eq!(Wide::decode(&wide).as_deref().map(String::as_str), Some(TEXT));
        assert_eq!(Ansi::to_bytes(&bytes), bytes);
        assert_eq!(Wide::to_bytes(&wide), bytes);
        assert_eq!(Ansi::encode(TEXT), [bytes.as_slice(), &[0]].concat());
        assert_eq!(Wide::encode(TEXT), [0x00FC_u16, 0xD834, 0xDD1E, 0].map(u16::to_ne_bytes).concat());
    }

    #[test]
    fn what_is_malformed_is_no_text() {
        assert_eq!(Ansi::decode(b"\xFC"), None);
        assert_eq!(Wide::decode(&[0xD834]), None);
        assert_eq!(Wide::decode(&[0xDD1E, 0xD834]), None);
    }
}
