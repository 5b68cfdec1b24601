//! Strategies for what tokens of both mechanisms carry.

use digest_ssp::digest::Charset;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn charset() -> impl Strategy<Value = Charset> {
    select(vec![Charset::Iso8859_1, Charset::Utf8])
}

/// An octet that a quoted string may hold, the two that must be escaped often.
pub(crate) fn text_octet() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 0x20..=0x7Eu8, 4 => 0x80..=0xFFu8, 1 => Just(b'\t'), 2 => Just(b'"'), 2 => Just(b'\\'), 1 => Just(b',')]
}

/// A user or realm that the charset can carry.
pub(crate) fn text(charset: Charset) -> BoxedStrategy<String> {
    let character = match charset {
        Charset::Iso8859_1 => text_octet().prop_map(char::from).boxed(),
        Charset::Utf8 => prop_oneof![
            3 => (0x20..=0x7Eu8).prop_map(char::from),
            2 => proptest::char::range('\u{80}', char::MAX),
            1 => select(vec!['"', '\\', '\t', '\u{e4}', '\u{20ac}', '\u{1f511}']),
        ]
        .boxed(),
    };
    vec(character, 0..20).prop_map(String::from_iter).boxed()
}
