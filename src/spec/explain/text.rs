//! A request explained, as text.
#![forbid(unsafe_code)]

use core::fmt::Write;

use super::request::{Basis, DigestCheck, Explanation};
use super::status::situations;
use super::{documents, field};
use crate::digest::{Directive, TokenError};
use crate::spec::model::Specification;

/// How many columns of a token stand before and after the place that is pointed at.
const BEFORE: usize = 40;
const AFTER: usize = 36;

/// An explanation as text: directives, offence, facts, row, and the rows beside it.
pub fn text(specification: &Specification, token: &[u8], explained: &Explanation<'_, '_>) -> String {
    let mut text = String::from("directives, with their byte offsets into the token\n");
    for directive in &explained.directives {
        let _ = writeln!(text, "  {:>4}  {}", directive.name_at, one(directive));
    }
    if let Some(offence) = &explained.offence {
        let _ = writeln!(text, "\noffence\n  {offence}");
        if let Some(position) = position(offence) {
            let (line, column) = excerpt(token, position);
            let _ = writeln!(text, "  {line}\n  {:column$}^", "");
        }
    }
    if let Some(said) = digest(&explained.digest) {
        let _ = writeln!(text, "\ndigest\n  {said}");
    }
    facts(&mut text, explained);
    row(&mut text, specification, explained);
    text
}

fn one(directive: &Directive<'_>) -> String {
    let name = printable(directive.name);
    let username = directive.is("username");
    let value = if username { directive.unescaped_username() } else { directive.unescaped() };
    let raw =
        if value == directive.value { String::new() } else { format!(", written {}", printable(directive.value)) };
    let form = if directive.quoted { "quoted" } else { "bare" };
    format!("{name} = {} ({form} at {}{raw}): {}", printable(&value), directive.value_at, meaning(directive))
}

/// What an acceptor does with a directive.
fn meaning(directive: &Directive<'_>) -> &'static str {
    const KNOWN: [(&str, &str); 14] = [
        ("username", "hashed in A1"),
        ("realm", "hashed in A1"),
        ("nonce", "hashed; names the challenge or session"),
        ("uri", "hashed in A2"),
        ("qop", "hashed as spelled"),
        ("nc", "the nonce count, hashed as spelled"),
        ("cnonce", "hashed"),
        ("response", "the digest, compared as 16 bytes"),
        ("opaque", "names the challenge or session; the hash does not cover it"),
        ("algorithm", "must be what was negotiated; the hash does not cover it"),
        ("charset", "the encoding of username and realm; the hash does not cover it"),
        ("hashed-dirs", "must stay what the first request had; the hash does not cover it"),
        ("service-name", "must stay what the first request had; the hash does not cover it"),
        ("channel-binding", "must stay what the first request had; the hash does not cover it"),
    ];
    let known = KNOWN.iter().find(|(name, _)| directive.is(name));
    known.map_or("unknown, not judged", |(_, meaning)| *meaning)
}

fn position(offence: &TokenError) -> Option<usize> {
    match offence {
        TokenError::Syntax(error) => Some(error.position),
        TokenError::Repeated { position, .. } | TokenError::Invalid { position, .. } => Some(*position),
        TokenError::Missing { .. } => None,
    }
}

/// Octets as text on one line: what is no text in UTF-8, and every control character, as `\xNN`.
fn printable(octets: &[u8]) -> String {
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut text, character);
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02X}");
        }
    }
    text
}

fn push(text: &mut String, character: char) {
    if character.is_control() {
        let mut octets = [0; 4];
        for octet in character.encode_utf8(&mut octets).bytes() {
            let _ = write!(text, "\\x{octet:02X}");
        }
    } else {
        text.push(character);
    }
}

/// A part of the token around a place, and the column of that place in it.
fn excerpt(token: &[u8], position: usize) -> (String, usize) {
    let position = position.min(token.len());
    // Every octet outside of US-ASCII takes four columns here, so that the column can be counted.
    let shown = |octets: &[u8]| -> String {
        octets.iter().fold(String::new(), |mut text, octet| {
            match octet {
                b' '..=b'~' => text.push(char::from(*octet)),
                _ => {
                    let _ = write!(text, "\\x{octet:02X}");
                }
            }
            text
        })
    };
    let (before, after) = token.split_at(position);
    let left = before.len().saturating_sub(BEFORE);
    let right = after.len().min(AFTER);
    let head = format!("{}{}", if left > 0 { "..." } else { "" }, shown(&before[left..]));
    let tail = format!("{}{}", shown(&after[..right]), if right < after.len() { "..." } else { "" });
    let column = head.len();
    (head + &tail, column)
}

fn digest(check: &DigestCheck) -> Option<String> {
    Some(match check {
        DigestCheck::NotTried => return None,
        DigestCheck::Matches => "it is right under this secret".to_owned(),
        DigestCheck::Differs { right_for: Some(method) } => {
            format!("it is wrong for this method and right for {method}: the request was changed on its way")
        }
        DigestCheck::Differs { right_for: None } => "it is wrong under this secret".to_owned(),
        DigestCheck::OtherUser { username } => {
            format!("the secret is another user's; the token is from {}", printable(username.as_bytes()))
        }
        DigestCheck::EntityNeeded => "qop=auth-int covers the body: give its hash to have it judged".to_owned(),
        DigestCheck::SessionNeeded => "it is wrong unless the session's first request had another cnonce: with \
                                       MD5-sess only the first cnonce makes the key"
            .to_owned(),
    })
}

fn facts(text: &mut String, explained: &Explanation<'_, '_>) {
    let _ = writeln!(text, "\nfacts of {} in {}", explained.call.title(), explained.state);
    for (basis, name) in [(Basis::Given, "said"), (Basis::Read, "read"), (Basis::Assumed, "assumed")] {
        let of = explained.facts.iter().filter(|known| known.basis == basis);
        let of: Vec<String> = of.map(|known| format!("{}={}", known.fact.name(), known.value)).collect();
        if !of.is_empty() {
            field(text, name, &of.join(" "));
        }
    }
}

fn row(text: &mut String, specification: &Specification, explained: &Explanation<'_, '_>) {
    let Some(row) = explained.row else {
        let _ = writeln!(text, "\nno row applies");
        return;
    };
    let _ = writeln!(text, "\nrow {}", row.id);
    for situation in situations(explained.call, row) {
        field(text, "when", situation);
    }
    let (status, next) = (row.outcome.status, row.outcome.next.name());
    let (handle, buffers) = (row.outcome.handle, row.outcome.buffers);
    field(text, "status", &format!("{status}, next {next}, handle {handle}, buffers {buffers}"));
    field(text, "why", &row.outcome.why);
    documents(text, specification, &row.sources);
    if !explained.otherwise.is_empty() {
        let _ = writeln!(text, "\nif an assumption does not hold");
    }
    for other in &explained.otherwise {
        let fact = format!("{}={}", other.fact.name(), other.values.join("|"));
        let _ = writeln!(text, "  {fact:<32} {:<28} {}", other.row.outcome.status.to_string(), other.row.id);
    }
}

#[cfg(test)]
mod tests {
    use super::{excerpt, printable};

    #[test]
    fn the_caret_stands_under_the_octet() {
        let (line, column) = excerpt(b"nc=1, qop=\x01", 3);
        assert_eq!((line.as_str(), column), ("nc=1, qop=\\x01", 3));
        let (line, column) = excerpt(b"\xFF\"a", 2);
        assert_eq!((line.as_str(), column), ("\\xFF\"a", 5));
        let long = [b'a'; 200];
        let (line, column) = excerpt(&long, 100);
        assert_eq!((line.len(), column), (3 + 40 + 36 + 3, 43));
        assert_eq!(excerpt(b"ab", 9), ("ab".to_owned(), 2));
    }

    #[test]
    fn what_is_printed_moves_no_cursor() {
        assert_eq!(printable("J\u{fc}rgen\r\n\u{1b}[2J".as_bytes()), "J\u{fc}rgen\\x0D\\x0A\\x1B[2J");
        assert_eq!(printable(b"\xFCber"), "\\xFCber");
    }
}
