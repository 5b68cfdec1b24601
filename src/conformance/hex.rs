//! Octets as pairs of small hexadecimal digits.
#![forbid(unsafe_code)]

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The octets of pairs of small hexadecimal digits; `None` for anything else.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// The octets in pairs of small hexadecimal digits.
pub(super) fn to_hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        text.extend([digit(octet >> 4), digit(octet & 15)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{from_hex, to_hex};

    #[test]
    fn octets_have_one_spelling() {
        assert_eq!(to_hex(&[0, 0x9a, 0xff]), "009aff");
        assert_eq!(from_hex("009aff"), Some(vec![0, 0x9a, 0xff]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        for refused in ["0", "0g", "FF", "0x00", " 00", "+0", "\u{e9}"] {
            assert_eq!(from_hex(refused), None, "{refused}");
        }
    }
}
