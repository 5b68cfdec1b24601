//! What may be wrong with a token, read or written.
#![forbid(unsafe_code)]

use super::directives::{Directive, SyntaxError};
use thiserror::Error;

/// Why a token was refused: the first offence in the order of the text, and what is missing last.
///
/// Positions are byte offsets into the token. A directive is judged as a whole once its text is read,
/// so a directive whose own text is malformed is a syntax error even if its name stood before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// The text does not follow the grammar.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A known directive stands there twice (decided; RFC 2617 leaves it open, RFC 2831 section 2.1.2 refuses it).
    #[error("byte {position}: the directive {directive} was given already")]
    Repeated {
        /// Its name, in lower case.
        directive: &'static str,
        /// Where the name stands the second time.
        position: usize,
    },
    /// The value of a known directive is outside of what it may be.
    #[error("byte {position}: the value of {directive} must be {expected}")]
    Invalid {
        /// Its name, in lower case.
        directive: &'static str,
        /// Where the value begins, without the quote.
        position: usize,
        /// What the value must be, to follow "must be".
        expected: &'static str,
    },
    /// A required directive is not in the token.
    #[error("the directive {directive} is missing")]
    Missing {
        /// Its name, in lower case.
        directive: &'static str,
    },
}

/// A value that no token can carry: a control character, or a character that the charset lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the value of {directive} cannot be written in a token")]
pub struct Unwritable {
    /// The directive's name.
    pub directive: &'static str,
}

/// Puts a known directive's value into its place. A second one is refused before its value is judged.
pub(super) fn place<T>(
    slot: &mut Option<T>,
    name: &'static str,
    directive: &Directive<'_>,
    value: impl FnOnce() -> Result<T, TokenError>,
) -> Result<(), TokenError> {
    if slot.is_some() {
        return Err(TokenError::Repeated { directive: name, position: directive.name_at });
    }
    *slot = Some(value()?);
    Ok(())
}

/// The refusal of a known directive's value.
pub(super) fn invalid(name: &'static str, directive: &Directive<'_>, expected: &'static str) -> TokenError {
    TokenError::Invalid { directive: name, position: directive.value_at, expected }
}

#[cfg(test)]
mod tests {
    use crate::digest::{Limits, Response, Unwritable};

    #[test]
    fn an_offence_says_where_and_what() {
        for (token, text) in [
            (&b"nc=1"[..], "byte 3: the value of nc must be 8 hexadecimal digits"),
            (b"nonce=a, Nonce=b", "byte 9: the directive nonce was given already"),
            (b"realm=r", "the directive username is missing"),
            (b"realm=\"r", "byte 6: the quoted string has no closing quote"),
        ] {
            let error = Response::parse(token, &Limits::default()).expect_err(text);
            assert_eq!(error.to_string(), text);
        }
        let error = Unwritable { directive: "realm" };
        assert_eq!(error.to_string(), "the value of realm cannot be written in a token");
    }
}
