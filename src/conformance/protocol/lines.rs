//! Lines of bounded length.
#![forbid(unsafe_code)]

use std::io::{BufRead, Read, Write};

use serde::Serialize;

/// How long a line may be, in bytes.
pub const LONGEST_LINE: usize = 16 << 20;

/// What came before the next line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A whole line, without its break.
    Whole(Vec<u8>),
    /// The input ended within a line.
    Cut(Vec<u8>),
    /// More than [`LONGEST_LINE`] bytes and no line break; the rest of the line is still to be read.
    TooLong,
    /// Nothing: the input ended.
    End,
}

/// Reads a line. No more than [`LONGEST_LINE`] and one bytes are taken or kept.
///
/// # Errors
/// Where the input cannot be read.
pub fn read_line(input: &mut impl BufRead) -> std::io::Result<Line> {
    let mut line = Vec::new();
    input.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
    Ok(match line.last() {
        None => Line::End,
        Some(b'\n') => {
            line.pop();
            Line::Whole(line)
        }
        Some(_) if line.len() > LONGEST_LINE => Line::TooLong,
        Some(_) => Line::Cut(line),
    })
}

/// Writes a message as a line, in one piece, and flushes.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_line(output: &mut impl Write, message: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}
