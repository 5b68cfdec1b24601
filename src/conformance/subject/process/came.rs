//! What comes back for a request, and what can be said of it.
//!
//! Whatever an adapter writes is shown in one line of bounded length that no terminal takes for a command.
#![forbid(unsafe_code)]

use super::launch::describe;
use crate::conformance::protocol::{Answer, LONGEST_LINE, Line};
use crate::conformance::subject::SubjectError;

/// How much of what an adapter wrote is shown, in bytes.
const SHOWN: usize = 120;

/// How much of a text that an adapter is meant to show is shown, in bytes.
pub(super) const TEXT: usize = 1000;

/// What came back for a request.
#[derive(Debug)]
pub(in crate::conformance) enum Came {
    /// A line.
    Line(Line),
    /// It stood in the output before anything was asked.
    Unasked(Line),
    /// The output cannot be read.
    Broken(std::io::Error),
}

impl Came {
    /// The answer that it is.
    ///
    /// # Errors
    /// It is none. `ended` says what became of who wrote it, where the output ended.
    pub(in crate::conformance) fn answer(
        self,
        ended: impl FnOnce(&str) -> SubjectError,
    ) -> Result<Answer, SubjectError> {
        match self {
            Self::Line(Line::Whole(line)) => serde_json::from_slice(&line).map_err(|error| {
                let error = text(&error.to_string(), TEXT);
                SubjectError::Errored(format!("a line of its output is no answer: {error}: {}", shown(&line)))
            }),
            Self::Line(Line::Cut(line)) => Err(ended(&format!(" within the line {}", shown(&line)))),
            Self::Line(Line::TooLong) => {
                Err(SubjectError::Errored(format!("a line of its output has more than {LONGEST_LINE} bytes")))
            }
            Self::Line(Line::End) => Err(ended("")),
            Self::Unasked(line) => Err(unasked(&line)),
            Self::Broken(error) => Err(ended(&format!(" ({error})"))),
        }
    }
}

/// What to say of a line before which nothing was asked. A death may come at any time; nothing else may.
fn unasked(line: &Line) -> SubjectError {
    let line = match line {
        Line::Whole(line) | Line::Cut(line) => line.as_slice(),
        Line::TooLong | Line::End => &[],
    };
    match serde_json::from_slice(line) {
        Ok(Answer::Ended(end)) => SubjectError::Crashed(describe(end)),
        Ok(
            Answer::Started { .. }
            | Answer::Outcome(_)
            | Answer::ForeignHandle { .. }
            | Answer::Done {}
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. },
        )
        | Err(_) => SubjectError::Errored(format!("it wrote when nothing was asked: {}", shown(line))),
    }
}

fn shown(line: &[u8]) -> String {
    let start = line.get(..SHOWN).unwrap_or(line).escape_ascii();
    if line.len() > SHOWN { format!("\"{start}\"…") } else { format!("\"{start}\"") }
}

/// A text in one line of no more than so many bytes and one sign that it goes on.
pub(super) fn text(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let before = shown.len();
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        if shown.len() > most {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Came, TEXT, text};
    use crate::conformance::protocol::Line;
    use crate::conformance::subject::SubjectError;

    #[test]
    fn texts_are_one_line_of_bounded_length() {
        assert_eq!(text("as it is: ä", TEXT), "as it is: ä");
        assert_eq!(text("two\nlines\u{1b}[2J", TEXT), "two\\nlines\\u{1b}[2J");
        assert_eq!(text("12345", 4), "1234…");
        assert_eq!(text("123\n", 4), "123…");
    }

    #[test]
    fn a_line_that_is_no_answer_is_told_in_one() {
        let line = format!("{{\"un\\nknown{}\":1}}", "x".repeat(100_000)).into_bytes();
        let came = Came::Line(Line::Whole(line));
        let error = came.answer(|_detail| SubjectError::Crashed(String::new())).expect_err("it is none").to_string();
        assert!(error.len() < 2 * TEXT && !error.contains('\n'), "{error}");
    }
}
