//! ISO 8859-1 and UTF-8 on the wire and in hashes (RFC 2831 sections 2.1.1 and 2.1.2.1).
#![forbid(unsafe_code)]

use std::borrow::Cow;

/// The character encoding of `username`, `realm` on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// No `charset` directive.
    #[default]
    Iso8859_1,
    /// `charset=utf-8`.
    Utf8,
}

impl Charset {
    /// The charset named by the value of a `charset` directive; only `utf-8` may be (RFC 2831 section 2.1.1).
    pub fn from_token(value: &[u8]) -> Option<Self> {
        value.eq_ignore_ascii_case(b"utf-8").then_some(Self::Utf8)
    }
}

/// The text of these octets; `None` if they are no UTF-8 and should be. Every octet is ISO 8859-1.
pub fn decode(octets: &[u8], charset: Charset) -> Option<Cow<'_, str>> {
    match charset {
        Charset::Utf8 => core::str::from_utf8(octets).ok().map(Cow::Borrowed),
        Charset::Iso8859_1 => Some(match core::str::from_utf8(octets) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            Ok(_) | Err(_) => Cow::Owned(octets.iter().copied().map(char::from).collect()),
        }),
    }
}

/// As [`decode`], for octets that may be owned: borrows as long as they did.
pub(super) fn decode_cow(octets: Cow<'_, [u8]>, charset: Charset) -> Option<Cow<'_, str>> {
    match octets {
        Cow::Borrowed(octets) => decode(octets, charset),
        Cow::Owned(octets) => decode(&octets, charset).map(|text| Cow::Owned(text.into_owned())),
    }
}

/// The octets of this text on the wire; `None` if it has a character that ISO 8859-1 lacks and the charset is that.
pub fn encode(text: &str, charset: Charset) -> Option<Cow<'_, [u8]>> {
    match charset {
        Charset::Utf8 => Some(Cow::Borrowed(text.as_bytes())),
        Charset::Iso8859_1 => iso_8859_1(text),
    }
}

/// The octets of this text as hash input: ISO 8859-1 if every character fits, else UTF-8 (RFC 2831 section 2.1.2.1).
pub fn hash_form(text: &str) -> Cow<'_, [u8]> {
    iso_8859_1(text).unwrap_or(Cow::Borrowed(text.as_bytes()))
}

fn iso_8859_1(text: &str) -> Option<Cow<'_, [u8]>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    if !text.chars().all(|character| u8::try_from(character).is_ok()) {
        return None;
    }
    // Room for all before the first: the text may be a password, and growing would leave copies behind.
    let mut octets = Vec::with_capacity(text.len());
    octets.extend(text.chars().filter_map(|character| u8::try_from(character).ok()));
    Some(Cow::Owned(octets))
}

#[cfg(test)]
mod tests {
    use super::{Charset, decode, decode_cow, encode, hash_form};
    use std::borrow::Cow;

    #[test]
    fn only_utf_8_is_named() {
        assert_eq!(Charset::from_token(b"UTF-8"), Some(Charset::Utf8));
        assert_eq!(Charset::from_token(b"utf8"), None);
        assert_eq!(Charset::from_token(b"iso-8859-1"), None);
        assert_eq!(Charset::from_token(b""), None);
    }

    #[test]
    fn the_same_octets_are_two_texts() {
        assert_eq!(decode(b"J\xc3\xa4", Charset::Utf8).as_deref(), Some("J\u{e4}"));
        assert_eq!(decode(b"J\xc3\xa4", Charset::Iso8859_1).as_deref(), Some("J\u{c3}\u{a4}"));
        assert_eq!(decode(b"J\xe4", Charset::Utf8), None);
        assert_eq!(decode(b"J\xe4", Charset::Iso8859_1).as_deref(), Some("J\u{e4}"));
    }

    #[test]
    fn utf_8_is_strict() {
        for malformed in [&b"\xc0\xaf"[..], b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xff"] {
            assert_eq!(decode(malformed, Charset::Utf8), None, "{malformed:x?}");
            assert_eq!(decode_cow(Cow::Owned(malformed.to_vec()), Charset::Utf8), None, "{malformed:x?}");
        }
    }

    #[test]
    fn ascii_is_borrowed() {
        for charset in [Charset::Iso8859_1, Charset::Utf8] {
            assert!(matches!(decode(b"Mufasa", charset), Some(Cow::Borrowed("Mufasa"))));
            assert!(matches!(encode("Mufasa", charset), Some(Cow::Borrowed(b"Mufasa"))));
        }
        assert!(matches!(hash_form("Mufasa"), Cow::Borrowed(b"Mufasa")));
    }

    #[test]
    fn every_octet_is_iso_8859_1() {
        let octets: Vec<u8> = (0..=255).collect();
        let text = decode(&octets, Charset::Iso8859_1).expect("ISO 8859-1 has all octets");
        assert_eq!(encode(&text, Charset::Iso8859_1).as_deref(), Some(&octets[..]));
    }

    #[test]
    fn what_iso_8859_1_lacks_is_not_encoded() {
        assert_eq!(encode("\u{20ac}", Charset::Iso8859_1), None);
        assert_eq!(encode("\u{100}", Charset::Iso8859_1), None);
        assert_eq!(encode("\u{20ac}", Charset::Utf8).as_deref(), Some(&b"\xe2\x82\xac"[..]));
    }

    /// RFC 2831 section 2.1.2.1.
    #[test]
    fn hash_form_is_iso_8859_1_if_every_character_fits() {
        assert_eq!(hash_form("\u{e4}\u{ff}").as_ref(), b"\xe4\xff");
        assert_eq!(hash_form("\u{e4}\u{100}").as_ref(), b"\xc3\xa4\xc4\x80");
        assert_eq!(hash_form("").as_ref(), b"");
    }
}
