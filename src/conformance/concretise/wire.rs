//! Writing directives in every style that the grammar allows, and breaking them in every way that it does not.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::digest::directives;

/// A directive to be written.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) name: &'static str,
    pub(super) value: Vec<u8>,
    /// Whether to stand twice is no offence.
    may_repeat: bool,
}

impl Piece {
    pub(super) fn new(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { name, value: value.into(), may_repeat: false }
    }

    /// One that may stand more than once.
    pub(super) fn repeatable(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { may_repeat: true, ..Self::new(name, value) }
    }
}

/// Ways in which a list of directives is written wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flaw {
    /// Not at all.
    None,
    /// It does not parse, or a known directive has no valid value.
    Malformed,
    /// A known directive stands twice.
    Twice,
    /// One of these is missing.
    Missing,
}

/// What a directive mostly takes beside its value.
const ROOM: usize = 24;

/// Writes the directives; `required` are those that a flaw [`Flaw::Missing`] may leave out.
pub(super) fn write(
    mut pieces: Vec<Piece>,
    required: &[&str],
    flaw: Flaw,
    token_bytes: usize,
    rng: &mut Rng,
) -> Vec<u8> {
    // What may repeat means something by its order.
    if rng.bool() && !pieces.iter().any(|piece| piece.may_repeat) {
        rng.shuffle(&mut pieces);
    }
    match flaw {
        Flaw::None | Flaw::Malformed => {}
        Flaw::Twice => {
            let known: Vec<usize> = (0..pieces.len()).filter(|index| !pieces[*index].may_repeat).collect();
            if let Some(&index) = rng.choice(&known) {
                let again = pieces[index].clone();
                pieces.insert(rng.usize(index..=pieces.len() - 1) + 1, again);
            }
        }
        Flaw::Missing => {
            let candidates: Vec<usize> = pieces
                .iter()
                .enumerate()
                .filter(|(_, piece)| required.contains(&piece.name))
                .map(|(index, _)| index)
                .collect();
            if let Some(index) = rng.choice(&candidates) {
                pieces.remove(*index);
            }
        }
    }
    let mut out = Vec::with_capacity(pieces.iter().map(|piece| piece.value.len() + ROOM).sum());
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(blank(rng));
            out.push(b',');
            out.extend_from_slice(blank(rng));
        }
        if rng.u8(..16) == 0 {
            out.extend_from_slice(b", ,");
        }
        if rng.u8(..16) == 0 {
            out.extend_from_slice(b"X-unknown=\"a, \\\"b\\\" = c\", x-unknown=d,");
        }
        directive(piece, &mut out, rng);
    }
    if flaw == Flaw::Malformed { malform(out, &pieces, token_bytes, rng) } else { out }
}

fn blank(rng: &mut Rng) -> &'static [u8] {
    match rng.u8(..8) {
        0 => b" ",
        1 => b"\t",
        2 => b"\r\n ",
        3 => b"  ",
        _other => b"",
    }
}

fn directive(piece: &Piece, out: &mut Vec<u8>, rng: &mut Rng) {
    if rng.u8(..4) == 0 {
        out.extend(piece.name.bytes().map(|octet| if rng.bool() { octet.to_ascii_uppercase() } else { octet }));
    } else {
        out.extend_from_slice(piece.name.as_bytes());
    }
    let around = if rng.u8(..8) == 0 { " " } else { "" };
    out.extend_from_slice(around.as_bytes());
    out.push(b'=');
    out.extend_from_slice(around.as_bytes());
    let is_bare = |octet: &u8| matches!(octet, 0x21..=0x7E | 0x80..) && !matches!(octet, b',' | b'"' | b'\\');
    // To the end in any case, which is sooner than to see at each octet whether to end.
    let bare = !piece.value.is_empty() && piece.value.iter().map(is_bare).fold(true, |all, is_bare| all & is_bare);
    // A comma ends a bare value, so blanks or quotes are never in question here.
    if bare && rng.u8(..3) == 0 {
        out.extend_from_slice(&piece.value);
        return;
    }
    out.push(b'"');
    if piece.name == "username" {
        badly_quoted(&piece.value, out, rng);
    } else {
        directives::escape(&piece.value, out);
    }
    out.push(b'"');
}

/// As clients do that leave a backslash in a user name as it is, where that cannot be told from an escape.
fn badly_quoted(value: &[u8], out: &mut Vec<u8>, rng: &mut Rng) {
    for (index, octet) in value.iter().enumerate() {
        let next = value.get(index + 1);
        let badly_escaped = next.is_some_and(|next| !matches!(next, b'"' | b'\\')) && rng.bool();
        match octet {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' if badly_escaped => out.push(b'\\'),
            b'\\' => out.extend_from_slice(b"\\\\"),
            other => out.push(*other),
        }
    }
}

fn malform(mut token: Vec<u8>, pieces: &[Piece], token_bytes: usize, rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..7) {
        0 => token.extend_from_slice(b",unfinished=\"abc"),
        1 => token.extend_from_slice(b",noequals"),
        2 => token.extend_from_slice(b",empty="),
        3 => token.extend_from_slice(b",control=\"a\x01b\""),
        4 => token.extend_from_slice(b" second=value"),
        5 => {
            let padding = token_bytes + 1 - token.len().min(token_bytes);
            token.extend_from_slice(b",padding=");
            token.resize(token.len() + padding, b'x');
        }
        _other => token = [bad_value(pieces, rng), token].concat(),
    }
    token
}

/// A known directive with a value it may not have, standing first.
fn bad_value(pieces: &[Piece], rng: &mut Rng) -> Vec<u8> {
    let has = |name| pieces.iter().any(|piece| piece.name == name);
    let values: &[&str] = match () {
        () if has("digest-uri") || has("cnonce") && !has("uri") => &[
            "nc=0000000,",
            "maxbuf=16,",
            "maxbuf=16777216,",
            "maxbuf=1e3,",
            "digest-uri=imap,",
            "digest-uri=\"imap/\",",
            "cipher=aes,",
            "charset=latin1,",
            "authzid=\"\",",
            "qop=auth-none,",
            "response=0123456789abcdef,",
        ],
        () if has("response") || has("username") => &["nc=0000000,"],
        () => &["charset=latin1,"],
    };
    values[rng.usize(..values.len())].into()
}
