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
