//! Octets as pairs of small hexadecimal digits.
#![forbid(unsafe_code)]

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What stands in [`VALUES`] for an octet that is no digit.
const NONE: u8 = 0xFF;

/// The value of each octet as a small digit. Messages are mostly octets, so this is a table.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The octets of pairs of small hexadecimal digits; `None` for anything else.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    let mut octets = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        let (high, low) = (VALUES[usize::from(high)], VALUES[usize::from(low)]);
        if high == NONE || low == NONE {
            return None;
        }
        octets.push(high << 4 | low);
    }
    Some(octets)
}

/// The octets in pairs of small hexadecimal digits.
pub(super) fn to_hex(octets: &[u8]) -> String {
    let digit = |value: u8| DIGITS[usize::from(value)];
    let digits: Vec<u8> = octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect();
    // They are ASCII.
    String::from_utf8(digits).unwrap_or_default()
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
