//! The grammar of a token: a comma-separated list of `name=value` (RFC 2617 section 1.2, RFC 2616 section 2).
#![forbid(unsafe_code)]

use super::error::Unwritable;
use core::iter::FusedIterator;
use std::borrow::Cow;
use thiserror::Error;

/// How much of a token is read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The longest token accepted, in bytes.
    pub token_bytes: usize,
    /// The most directives accepted in one token; empty list members do not count.
    pub directives: usize,
}

impl Default for Limits {
    /// 8192 bytes, 64 directives.
    fn default() -> Self {
        Self { token_bytes: 8192, directives: 64 }
    }
}

/// One `name=value` as it stands in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Directive<'a> {
    /// The name as spelled.
    pub name: &'a [u8],
    /// Where the name begins, as a byte offset into the token.
    pub name_at: usize,
    /// The raw value; for a quoted string what is between the quotes, with its escapes.
    pub value: &'a [u8],
    /// Where `value` begins, as a byte offset into the token.
    pub value_at: usize,
    /// Whether the value was a quoted string.
    pub quoted: bool,
}

impl<'a> Directive<'a> {
    /// Whether this is the directive of that name; directive names ignore ASCII case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value with quoted pairs resolved: `\x` is `x` (RFC 2616 section 2.2). A bare value is its own meaning.
    pub fn unescaped(&self) -> Cow<'a, [u8]> {
        self.resolve_pairs(|_| true)
    }

    /// The value as the `username` of a response: only `\\` and `\"` are quoted pairs, any other backslash
    /// stands for itself, because clients send `DOMAIN\user` badly escaped (MS-DPSP section 2.2).
    pub fn unescaped_username(&self) -> Cow<'a, [u8]> {
        self.resolve_pairs(|escaped| matches!(escaped, b'\\' | b'"'))
    }

    fn resolve_pairs(&self, is_pair: impl Fn(u8) -> bool) -> Cow<'a, [u8]> {
        if !self.quoted || !self.value.contains(&b'\\') {
            return Cow::Borrowed(self.value);
        }
        let mut unescaped = Vec::with_capacity(self.value.len());
        let mut octets = self.value.iter().copied();
        while let Some(octet) = octets.next() {
            if octet != b'\\' {
                unescaped.push(octet);
                continue;
            }
            match octets.next() {
                Some(escaped) if is_pair(escaped) => unescaped.push(escaped),
                Some(escaped) => unescaped.extend([b'\\', escaped]),
                // A hand-made Directive may end in a backslash; a parsed one cannot.
                None => unescaped.push(b'\\'),
            }
        }
        Cow::Owned(unescaped)
    }
}

/// A departure from the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("byte {position}: {kind}")]
pub struct SyntaxError {
    /// Where, as a byte offset into the token.
    pub position: usize,
    /// What.
    pub kind: SyntaxErrorKind,
}

/// The departures from the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum SyntaxErrorKind {
    /// The token is longer than [`Limits::token_bytes`]; the position is the first byte too many.
    #[error("the token is too long")]
    TokenTooLong,
    /// There are more directives than [`Limits::directives`]; the position is the name of the first one too many.
    #[error("there are too many directives")]
    TooManyDirectives,
    /// A list member begins with something that is no RFC 2616 token character.
    #[error("a directive name was expected")]
    NameExpected,
    /// A name is not followed by `=`.
    #[error("\"=\" was expected after the directive name")]
    EqualsExpected,
    /// A bare value has no octet at all; an empty value is written `""`.
    #[error("a value was expected")]
    ValueExpected,
    /// A value is followed by something that is neither a comma nor the end.
    #[error("a comma was expected after the value")]
    CommaExpected,
    /// A quoted string does not end; the position is its opening quote.
    #[error("the quoted string has no closing quote")]
    UnterminatedString,
    /// A control character (0x00-0x1F except folding, or 0x7F).
    #[error("a control character is not allowed here")]
    ControlCharacter,
    /// A CR or LF that is not the CRLF of a folded line.
    #[error("a line break must be CRLF followed by a space or tab")]
    BareLineBreak,
}

/// Reads the directives of a token one by one, without allocating.
///
/// The iterator yields the directives in the order of the text, and after the first departure from the
/// grammar that error and nothing more. Whether the text after a value is well-formed is judged by the
/// call after it, so that offences come in the order of the text.
pub fn directives<'a>(token: &'a [u8], limits: &Limits) -> Directives<'a> {
    let place = if token.len() > limits.token_bytes {
        Place::TooLong { position: limits.token_bytes }
    } else {
        Place::Member { at: 0 }
    };
    Directives { token, remaining: limits.directives, place }
}

/// The iterator made by [`directives`].
#[derive(Clone, Debug)]
pub struct Directives<'a> {
    token: &'a [u8],
    remaining: usize,
    place: Place,
}

/// Where in the list the reader stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nothing will be read.
    TooLong { position: usize },
    /// A directive, an empty member or the end may follow.
    Member { at: usize },
    /// A comma or the end must follow.
    Separator { at: usize },
    /// The end was reached, or an error was told.
    Done,
}

impl<'a> Iterator for Directives<'a> {
    type Item = Result<Directive<'a>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        self.place = match &read {
            Ok(Some((_, at))) => Place::Separator { at: *at },
            Ok(None) | Err(_) => Place::Done,
        };
        read.map(|found| found.map(|(directive, _)| directive)).transpose()
    }
}

impl FusedIterator for Directives<'_> {}

impl<'a> Directives<'a> {
    /// The next directive and where its text ends; `None` at the end of the token.
    fn read(&mut self) -> Result<Option<(Directive<'a>, usize)>, SyntaxError> {
        let mut at = match self.place {
            Place::TooLong { position } => return Err(SyntaxError { position, kind: SyntaxErrorKind::TokenTooLong }),
            Place::Done => return Ok(None),
            Place::Member { at } => self.skip_white_space(at)?,
            Place::Separator { at } => {
                let at = self.skip_white_space(at)?;
                match self.octet(at) {
                    None | Some(b',') => at,
                    Some(_) => return Err(self.unexpected(at, SyntaxErrorKind::CommaExpected)),
                }
            }
        };
        while self.octet(at) == Some(b',') {
            at = self.skip_white_space(at + 1)?;
        }
        if self.octet(at).is_none() {
            return Ok(None);
        }
        let name_at = at;
        let name_end = self.run_end(at, &TOKEN_OCTETS);
        if name_end == name_at {
            return Err(self.unexpected(at, SyntaxErrorKind::NameExpected));
        }
        if self.remaining == 0 {
            return Err(SyntaxError { position: name_at, kind: SyntaxErrorKind::TooManyDirectives });
        }
        self.remaining -= 1;
        at = self.skip_white_space(name_end)?;
        if self.octet(at) != Some(b'=') {
            return Err(self.unexpected(at, SyntaxErrorKind::EqualsExpected));
        }
        at = self.skip_white_space(at + 1)?;
        let quoted = self.octet(at) == Some(b'"');
        let (value_at, value_end, end) = if quoted {
            let value_end = self.quoted_string_end(at)?;
            (at + 1, value_end, value_end + 1)
        } else {
            let value_end = self.run_end(at, &BARE_OCTETS);
            if value_end == at {
                return Err(self.unexpected(at, SyntaxErrorKind::ValueExpected));
            }
            (at, value_end, value_end)
        };
        let name = self.slice(name_at, name_end);
        let value = self.slice(value_at, value_end);
        Ok(Some((Directive { name, name_at, value, value_at, quoted }, end)))
    }

    fn octet(&self, at: usize) -> Option<u8> {
        self.token.get(at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.token.get(from..to).unwrap_or_default()
    }

    /// The end of the longest run of such octets from `at`.
    fn run_end(&self, at: usize, these: &Octets) -> usize {
        let rest = self.token.get(at..).unwrap_or_default();
        at + rest.iter().position(|octet| !these[usize::from(*octet)]).unwrap_or(rest.len())
    }

    /// Skips `*LWS`, LWS = [CRLF] 1*( SP | HT ).
    fn skip_white_space(&self, mut at: usize) -> Result<usize, SyntaxError> {
        loop {
            match self.octet(at) {
                Some(b' ' | b'\t') => at += 1,
                Some(b'\r' | b'\n') => at = self.skip_fold(at)?,
                Some(_) | None => return Ok(at),
            }
        }
    }

    /// Skips the CRLF and the blank of a folded line.
    fn skip_fold(&self, at: usize) -> Result<usize, SyntaxError> {
        if starts_with_fold(self.token.get(at..).unwrap_or_default()) {
            Ok(at + 3)
        } else {
            Err(SyntaxError { position: at, kind: SyntaxErrorKind::BareLineBreak })
        }
    }

    /// Where the closing quote of the string that opens at `opening` stands.
    fn quoted_string_end(&self, opening: usize) -> Result<usize, SyntaxError> {
        let mut at = opening + 1;
        loop {
            match self.octet(at) {
                None => return Err(SyntaxError { position: opening, kind: SyntaxErrorKind::UnterminatedString }),
                Some(b'"') => return Ok(at),
                Some(b'\\') => {
                    // The escaped octet may be a quote or a backslash, but no control character and no fold.
                    match self.octet(at + 1) {
                        Some(octet) if !is_text_octet(octet) => return Err(self.control_character(at + 1, octet)),
                        Some(_) => at += 2,
                        None => at += 1,
                    }
                }
                Some(b'\r' | b'\n') => at = self.skip_fold(at)?,
                Some(octet) if is_text_octet(octet) => at = self.run_end(at + 1, &PLAIN_OCTETS),
                Some(octet) => return Err(self.control_character(at, octet)),
            }
        }
    }

    fn control_character(&self, position: usize, octet: u8) -> SyntaxError {
        let kind = match octet {
            b'\r' | b'\n' => SyntaxErrorKind::BareLineBreak,
            _ => SyntaxErrorKind::ControlCharacter,
        };
        SyntaxError { position, kind }
    }

    /// The error at `at`: a control character is told as such, anything else by what was expected instead.
    fn unexpected(&self, at: usize, expected: SyntaxErrorKind) -> SyntaxError {
        match self.octet(at) {
            Some(octet) if octet.is_ascii_control() => self.control_character(at, octet),
            Some(_) | None => SyntaxError { position: at, kind: expected },
        }
    }
}

/// Appends a value as it stands between quotes: with `\` before each `"` and `\` (RFC 2616 section 2.2, quoted-pair).
pub(crate) fn escape(mut value: &[u8], out: &mut Vec<u8>) {
    while let Some(special) = value.iter().position(|octet| matches!(octet, b'"' | b'\\')) {
        out.extend_from_slice(&value[..special]);
        out.extend_from_slice(&[b'\\', value[special]]);
        value = &value[special + 1..];
    }
    out.extend_from_slice(value);
}

fn starts_with_fold(octets: &[u8]) -> bool {
    matches!(octets, [b'\r', b'\n', b' ' | b'\t', ..])
}

/// Which octets belong to a class: every octet of every token is looked up in one.
type Octets = [bool; 256];

static TOKEN_OCTETS: Octets = octets(Class::Token);
static BARE_OCTETS: Octets = octets(Class::Bare);
/// What stands for itself in a quoted string.
static PLAIN_OCTETS: Octets = octets(Class::Plain);

enum Class {
    Token,
    Bare,
    Plain,
}

const fn octets(class: Class) -> Octets {
    let mut octets = [false; 256];
    let mut octet = 0_u8;
    loop {
        octets[octet as usize] = match class {
            Class::Token => is_token_octet(octet),
            Class::Bare => is_bare_octet(octet),
            Class::Plain => is_text_octet(octet) && !matches!(octet, b'"' | b'\\'),
        };
        octet = match octet.checked_add(1) {
            Some(next) => next,
            None => return octets,
        };
    }
}

/// RFC 2616 section 2.2 token: any CHAR except CTLs and separators.
const fn is_token_octet(octet: u8) -> bool {
    matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        || octet.is_ascii_alphanumeric()
}

/// What a bare value is made of; wider than a token, because clients send URIs and base64 unquoted.
const fn is_bare_octet(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7E | 0x80..=0xFF) && octet != b',' && octet != b'"'
}

/// RFC 2616 section 2.2 TEXT without folding.
const fn is_text_octet(octet: u8) -> bool {
    matches!(octet, b'\t' | 0x20..=0x7E | 0x80..=0xFF)
}

/// Writes directives after each other into a vector, separated by commas.
///
/// A value that the grammar cannot carry (a control character, an empty bare value) writes nothing, and
/// [`DirectiveWriter::finish`] then takes back everything: a header cannot be split through a value.
#[derive(Debug)]
pub struct DirectiveWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    offence: Option<Unwritable>,
}

impl<'a> DirectiveWriter<'a> {
    /// Appends to what is in `out` already.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, offence: None }
    }

    /// Writes `name=value`. Returns where in the vector the value begins.
    pub fn token(&mut self, name: &'static str, value: &[u8]) -> usize {
        if value.is_empty() || !value.iter().copied().all(is_bare_octet) {
            return self.refuse(name);
        }
        self.begin(name);
        let value_at = self.out.len();
        self.out.extend_from_slice(value);
        value_at
    }

    /// Writes `name="value"`, with `\` and `"` escaped. Returns where in the vector the value begins.
    pub fn quoted(&mut self, name: &'static str, value: &[u8]) -> usize {
        if !is_quotable(value) {
            return self.refuse(name);
        }
        self.begin(name);
        self.out.push(b'"');
        let value_at = self.out.len();
        escape(value, self.out);
        self.out.push(b'"');
        value_at
    }

    /// Ends the token. On an error the vector is as it was before the writer.
    ///
    /// # Errors
    /// The first directive whose value the grammar cannot carry.
    pub fn finish(self) -> Result<(), Unwritable> {
        match self.offence {
            None => Ok(()),
            Some(offence) => {
                self.out.truncate(self.start);
                Err(offence)
            }
        }
    }

    /// Notes a value that cannot be written, found by the caller (a character outside the charset).
    pub(super) fn refuse(&mut self, name: &'static str) -> usize {
        self.offence.get_or_insert(Unwritable { directive: name });
        self.out.len()
    }

    fn begin(&mut self, name: &str) {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'=');
    }
}

/// Whether a quoted string can carry this value: text, and line breaks only as folding.
fn is_quotable(mut value: &[u8]) -> bool {
    while let Some(position) = value.iter().position(|&octet| !is_text_octet(octet)) {
        let rest = value.get(position..).unwrap_or_default();
        if !starts_with_fold(rest) {
            return false;
        }
        value = rest.get(3..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{Class, Directive, DirectiveWriter, Limits, SyntaxError, SyntaxErrorKind, directives, octets};
    use crate::digest::Unwritable;
    use std::borrow::Cow;

    fn read(token: &[u8]) -> Result<Vec<Directive<'_>>, SyntaxError> {
        directives(token, &Limits::default()).collect()
    }

    fn one(token: &[u8]) -> Directive<'_> {
        match read(token).as_deref() {
            Ok([directive]) => *directive,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(token: &[u8], position: usize, kind: SyntaxErrorKind) {
        assert_eq!(read(token), Err(SyntaxError { position, kind }), "{}", token.escape_ascii());
    }

    #[test]
    fn octets_belong_where_the_grammar_has_them() {
        let separators = b"()<>@,;:\\\"/[]?={} \t";
        let [token, bare, plain] = [Class::Token, Class::Bare, Class::Plain].map(octets);
        for octet in 0..=u8::MAX {
            let at = usize::from(octet);
            let is_control = octet < 0x20 || octet == 0x7F;
            assert_eq!(token[at], octet < 0x80 && !is_control && !separators.contains(&octet), "{octet:#x}");
            assert_eq!(bare[at], !is_control && !b" ,\"".contains(&octet), "{octet:#x}");
            assert_eq!(plain[at], (!is_control || octet == b'\t') && !b"\"\\".contains(&octet), "{octet:#x}");
        }
    }

    #[test]
    fn a_backslash_at_the_end_stands_for_itself() {
        let by_hand = Directive { name: b"realm", name_at: 0, value: b"a\\", value_at: 6, quoted: true };
        assert_eq!(by_hand.unescaped(), &b"a\\"[..]);
        assert_eq!(Directive { value: b"a\\\"", ..by_hand }.unescaped(), &b"a\""[..]);
    }

    #[test]
    fn names_values_and_where_they_stand() {
        let token = b"nonce=\"a\\\"b\", qop = auth";
        let expected = [
            Directive { name: b"nonce", name_at: 0, value: b"a\\\"b", value_at: 7, quoted: true },
            Directive { name: b"qop", name_at: 14, value: b"auth", value_at: 20, quoted: false },
        ];
        assert_eq!(read(token).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn names_ignore_case() {
        assert!(one(b"NoNcE=a").is("nonce"));
        assert!(!one(b"nonc=a").is("nonce"));
        assert!(!one(b"nonce2=a").is("nonce"));
    }

    #[test]
    fn white_space_and_empty_members_are_nothing() {
        for token in [&b""[..], b" ", b",", b",,, ,", b" \t,\r\n\t, \r\n \r\n "] {
            assert_eq!(read(token), Ok(vec![]), "{}", token.escape_ascii());
        }
        for token in [&b"a=b,c=d"[..], b" ,a\r\n =\t\"b\" ,, , c = d\r\n ,", b"\ta=b\t,\tc=\r\n\td\t"] {
            let names_and_values: Vec<_> =
                directives(token, &Limits::default()).map(|read| read.map(|found| (found.name, found.value))).collect();
            assert_eq!(names_and_values, [Ok((&b"a"[..], &b"b"[..])), Ok((b"c", b"d"))], "{}", token.escape_ascii());
        }
    }

    #[test]
    fn bare_values_are_wider_than_tokens() {
        assert_eq!(one(b"uri=/a?b=c;d@[e]\\f\xff").value, b"/a?b=c;d@[e]\\f\xff");
        assert_eq!(one(b"a=b\\c").unescaped(), &b"b\\c"[..]);
    }

    #[test]
    fn quoted_pairs() {
        assert_eq!(one(b"a=\"\"").unescaped(), &b""[..]);
        assert!(matches!(one(b"a=\"b, c=d\"").unescaped(), Cow::Borrowed(b"b, c=d")));
        assert_eq!(one(b"a=\"\\\\\\\"\\x\\\t\\\xff\"").unescaped(), &b"\\\"x\t\xff"[..]);
    }

    /// MS-DPSP section 2.2.
    #[test]
    fn a_badly_escaped_backslash_in_username() {
        assert_eq!(one(b"username=\"DOMAIN\\user\"").unescaped_username(), &b"DOMAIN\\user"[..]);
        assert_eq!(one(b"username=\"DOMAIN\\\\user\"").unescaped_username(), &b"DOMAIN\\user"[..]);
        assert_eq!(one(b"username=\"a\\\"b\"").unescaped_username(), &b"a\"b"[..]);
        assert_eq!(one(b"username=\"a\\\\\\\\b\"").unescaped_username(), &b"a\\\\b"[..]);
        assert_eq!(one(b"username=DOMAIN\\user").unescaped_username(), &b"DOMAIN\\user"[..]);
        assert_eq!(one(b"username=\"DOMAIN\\user\"").unescaped(), &b"DOMAINuser"[..]);
    }

    #[test]
    fn folding_in_a_quoted_string_is_kept() {
        assert_eq!(one(b"a=\"b\r\n c\r\n\td\"").unescaped(), &b"b\r\n c\r\n\td"[..]);
    }

    #[test]
    fn a_name_was_expected() {
        refused(b"=b", 0, SyntaxErrorKind::NameExpected);
        refused(b"a=b, \"c\"=d", 5, SyntaxErrorKind::NameExpected);
        refused(b"a=b,\xe4=d", 4, SyntaxErrorKind::NameExpected);
        refused(b"(a)=b", 0, SyntaxErrorKind::NameExpected);
    }

    #[test]
    fn an_equals_sign_was_expected() {
        refused(b"a", 1, SyntaxErrorKind::EqualsExpected);
        refused(b"a ", 2, SyntaxErrorKind::EqualsExpected);
        refused(b"Digest a=b", 7, SyntaxErrorKind::EqualsExpected);
        refused(b"a,b=c", 1, SyntaxErrorKind::EqualsExpected);
        refused(b"a@=c", 1, SyntaxErrorKind::EqualsExpected);
    }

    #[test]
    fn a_value_was_expected() {
        refused(b"a=", 2, SyntaxErrorKind::ValueExpected);
        refused(b"a= ,b=c", 3, SyntaxErrorKind::ValueExpected);
    }

    #[test]
    fn a_comma_was_expected() {
        refused(b"a=b c=d", 4, SyntaxErrorKind::CommaExpected);
        refused(b"a=\"b\"c=d", 5, SyntaxErrorKind::CommaExpected);
        refused(b"a=b\"c\"", 3, SyntaxErrorKind::CommaExpected);
        refused(b"a=\"\\\\\" \"", 7, SyntaxErrorKind::CommaExpected);
    }

    #[test]
    fn a_quoted_string_without_end() {
        refused(b"a=\"", 2, SyntaxErrorKind::UnterminatedString);
        refused(b"a=\"b, c=d", 2, SyntaxErrorKind::UnterminatedString);
        refused(b"a=\"b\\\"", 2, SyntaxErrorKind::UnterminatedString);
        refused(b"a=\"b\\", 2, SyntaxErrorKind::UnterminatedString);
    }

    #[test]
    fn control_characters() {
        refused(b"\0", 0, SyntaxErrorKind::ControlCharacter);
        refused(b"a\0=b", 1, SyntaxErrorKind::ControlCharacter);
        refused(b"a=\x7f", 2, SyntaxErrorKind::ControlCharacter);
        refused(b"a=b\x01", 3, SyntaxErrorKind::ControlCharacter);
        refused(b"a=\"\x1f\"", 3, SyntaxErrorKind::ControlCharacter);
        refused(b"a=\"\x7f\"", 3, SyntaxErrorKind::ControlCharacter);
        refused(b"a=\"\\\0\"", 4, SyntaxErrorKind::ControlCharacter);
    }

    #[test]
    fn line_breaks_that_do_not_fold() {
        refused(b"\r\n", 0, SyntaxErrorKind::BareLineBreak);
        refused(b"a=b\r\n", 3, SyntaxErrorKind::BareLineBreak);
        refused(b"a=b,\n c=d", 4, SyntaxErrorKind::BareLineBreak);
        refused(b"a=b,\r c=d", 4, SyntaxErrorKind::BareLineBreak);
        refused(b"a=\"b\r\nc\"", 4, SyntaxErrorKind::BareLineBreak);
        refused(b"a=\"b\n c\"", 4, SyntaxErrorKind::BareLineBreak);
        refused(b"a=\"b\\\r\n c\"", 5, SyntaxErrorKind::BareLineBreak);
    }

    #[test]
    fn a_token_too_long() {
        let limits = Limits { token_bytes: 3, ..Limits::default() };
        assert_eq!(directives(b"a=b", &limits).count(), 1);
        let error = SyntaxError { position: 3, kind: SyntaxErrorKind::TokenTooLong };
        let mut reader = directives(b"a=b ", &limits);
        assert_eq!(reader.next(), Some(Err(error)));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn too_many_directives() {
        let limits = Limits { directives: 2, ..Limits::default() };
        assert_eq!(directives(b",,a=b,,c=d,,", &limits).filter(Result::is_ok).count(), 2);
        let error = SyntaxError { position: 8, kind: SyntaxErrorKind::TooManyDirectives };
        assert_eq!(directives(b"a=b,c=d,e=f", &limits).last(), Some(Err(error)));
    }

    #[test]
    fn offences_come_in_order_and_once() {
        let mut reader = directives(b"a=b,c=d e", &Limits::default());
        assert!(matches!(reader.next(), Some(Ok(found)) if found.is("a")));
        assert!(matches!(reader.next(), Some(Ok(found)) if found.is("c")));
        let error = SyntaxError { position: 8, kind: SyntaxErrorKind::CommaExpected };
        assert_eq!(reader.next(), Some(Err(error)));
        assert_eq!(reader.next(), None);
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn an_error_says_where_and_what() {
        let error = read(b"a=b,c").expect_err("there is no value");
        assert_eq!(error.to_string(), "byte 5: \"=\" was expected after the directive name");
    }

    #[test]
    fn written_values_are_escaped() {
        let mut out = b"Digest ".to_vec();
        let mut writer = DirectiveWriter::new(&mut out);
        assert_eq!(writer.quoted("a", b"b\\c\"d"), 10);
        assert_eq!(writer.token("e", b"f"), 21);
        assert_eq!(writer.quoted("g", b""), 26);
        assert_eq!(writer.finish(), Ok(()));
        assert_eq!(out, b"Digest a=\"b\\\\c\\\"d\",e=f,g=\"\"");
    }

    #[test]
    fn what_cannot_be_written_writes_nothing() {
        for value in [&b"b\r\nc"[..], b"b\n", b"\r", b"b\r\n", b"\0", b"\x7f", b"b\r\n c\n"] {
            let mut out = b"before".to_vec();
            let mut writer = DirectiveWriter::new(&mut out);
            writer.token("a", b"b");
            writer.quoted("c", value);
            writer.token("d", b"");
            assert_eq!(writer.finish(), Err(Unwritable { directive: "c" }), "{}", value.escape_ascii());
            assert_eq!(out, b"before");
        }
        for value in [&b""[..], b"a b", b"a,b", b"a\"", b"a\r\n b", b"\t", b"\x7f"] {
            let mut out = Vec::new();
            let mut writer = DirectiveWriter::new(&mut out);
            writer.token("a", value);
            assert_eq!(writer.finish(), Err(Unwritable { directive: "a" }), "{}", value.escape_ascii());
        }
    }
}
