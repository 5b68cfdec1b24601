//! Strings as a library takes and gives them.
#![allow(unsafe_code, reason = "reads strings of a library")]

use core::ffi::c_void;

use crate::conformance::subject::SubjectError;

/// The two encodings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// UTF-16, of the W functions.
    Wide,
    /// Bytes, of the A functions: UTF-8.
    Ansi,
}

/// More characters than anything that a library has to tell.
const LONGEST: usize = 1 << 16;

impl Encoding {
    /// The bytes of a text without a NUL behind it, and how many characters that is.
    pub(super) fn characters(self, text: &str) -> (Vec<u8>, usize) {
        match self {
            Self::Wide => {
                let units: Vec<u16> = text.encode_utf16().collect();
                (units.iter().flat_map(|unit| unit.to_ne_bytes()).collect(), units.len())
            }
            Self::Ansi => (text.as_bytes().to_vec(), text.len()),
        }
    }

    /// The bytes of a text and a NUL behind it. `None` for a text that this encoding cannot pass whole.
    pub(super) fn terminated(self, text: &[u8]) -> Option<Vec<u8>> {
        if text.contains(&0) {
            return None;
        }
        match self {
            Self::Wide => {
                let (mut bytes, _) = self.characters(core::str::from_utf8(text).ok()?);
                bytes.extend([0, 0]);
                Some(bytes)
            }
            Self::Ansi => Some([text, &[0]].concat()),
        }
    }

    /// The text at an address, up to its NUL; what is malformed stays recognisably so.
    pub(super) fn read(self, from: *const c_void) -> Result<String, SubjectError> {
        let too_long = || SubjectError::Errored(format!("a text of the library has more than {LONGEST} characters"));
        if from.is_null() {
            return Ok(String::new());
        }
        match self {
            Self::Wide => {
                let at = from.cast::<u16>();
                // SAFETY: the library says that a text with a NUL behind it is there, and none was before `index`.
                let unit = |index| unsafe { at.wrapping_add(index).read_unaligned() };
                let length = (0..LONGEST).find(|index| unit(*index) == 0).ok_or_else(too_long)?;
                let units: Vec<u16> = (0..length).map(unit).collect();
                Ok(String::from_utf16_lossy(&units))
            }
            Self::Ansi => {
                let at = from.cast::<u8>();
                // SAFETY: as above.
                let unit = |index| unsafe { at.wrapping_add(index).read() };
                let length = (0..LONGEST).find(|index| unit(*index) == 0).ok_or_else(too_long)?;
                let units: Vec<u8> = (0..length).map(unit).collect();
                Ok(String::from_utf8_lossy(&units).into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // U+00FC and U+1D11E, in UTF-8 and UTF-16 as The Unicode Standard tables 3-6 and 3-5 have them.
    const TEXT: &str = "\u{FC}\u{1D11E}";

    #[test]
    fn texts_come_back() {
        for encoding in [Encoding::Wide, Encoding::Ansi] {
            let bytes = encoding.terminated(TEXT.as_bytes()).expect("it has no NUL");
            assert_eq!(encoding.read(bytes.as_ptr().cast()), Ok(TEXT.into()));
        }
        let wide = [0x00FC_u16, 0xD834, 0xDD1E].map(u16::to_ne_bytes).concat();
        assert_eq!(Encoding::Wide.characters(TEXT), (wide, 3));
        assert_eq!(Encoding::Ansi.characters(TEXT), (vec![0xC3, 0xBC, 0xF0, 0x9D, 0x84, 0x9E], 6));
    }

    #[test]
    fn what_an_encoding_cannot_pass_whole_is_not_passed() {
        assert_eq!(Encoding::Wide.terminated(b"\xFF"), None);
        assert_eq!(Encoding::Ansi.terminated(b"\xFF"), Some(b"\xFF\0".to_vec()));
        for encoding in [Encoding::Wide, Encoding::Ansi] {
            assert_eq!(encoding.terminated(b"a\0b"), None);
        }
    }

    #[test]
    fn a_text_without_an_end_is_an_error() {
        let endless = vec![1_u8; 2 * LONGEST + 2];
        for encoding in [Encoding::Wide, Encoding::Ansi] {
            assert!(encoding.read(endless.as_ptr().cast()).is_err());
        }
    }
}
