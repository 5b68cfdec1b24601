//! Reading a trace, line by line, with the number of the line wherever something is wrong with it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde::Deserialize;

use crate::status::SecurityStatus;

/// The version of the lines that this program reads.
pub const TRACE_VERSION: u32 = 1;

/// The longest line: descriptors are short, and of a token there is no more than its directives.
const LONGEST_LINE: u64 = 1 << 20;

/// Why a trace says nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TraceError {
    /// Where.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A process begins.
    Process(Head),
    /// A call.
    Call(Call),
    /// The end of the trace in the middle of a line.
    Torn,
}

/// The first line of a process.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Head {
    /// The version of the lines.
    pub trace_version: u32,
    /// Who wrote them.
    #[serde(default)]
    pub package: String,
    /// Its version.
    #[serde(default)]
    pub package_version: String,
    /// The number of the process.
    #[serde(default)]
    pub process: u32,
    /// The process that it was forked from.
    #[serde(default)]
    pub forked_from: Option<u32>,
}

/// A call.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The number of the process.
    pub process: u32,
    /// The number of the thread.
    pub thread: u64,
    /// The number of the call in its process.
    pub sequence: u64,
    /// When it ended, since the trace of the process began.
    pub nanoseconds: u64,
    /// The name of the function, with its A or W.
    pub function: String,
    /// The handles that it was given, by parameter; `None` for NULL.
    pub handles: BTreeMap<String, Option<String>>,
    /// What it left in the handles it was to write, by parameter; `None` for NULL.
    pub given: BTreeMap<String, Option<String>>,
    /// fContextReq.
    #[serde(default)]
    pub flags: Option<u32>,
    /// fCredentialUse.
    #[serde(default)]
    pub credential_use: Option<u32>,
    /// ulAttribute.
    #[serde(default)]
    pub attribute: Option<u32>,
    /// The messages, by parameter; `None` for NULL.
    pub messages: BTreeMap<String, Option<Descriptor>>,
    /// The blocks that the caller has to free.
    pub allocated: Vec<u64>,
    /// What FreeContextBuffer was given.
    #[serde(default)]
    pub freed: Option<Freed>,
    /// How it ended.
    #[serde(deserialize_with = "status")]
    pub status: SecurityStatus,
}

/// A SecBufferDesc.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// ulVersion.
    pub version: u32,
    /// cBuffers.
    pub count: u32,
    /// The buffers; `None` where none was looked at.
    pub buffers: Option<Vec<Buffer>>,
}

/// A SecBuffer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// BufferType.
    #[serde(rename = "type")]
    pub buffer_type: u32,
    /// cbBuffer.
    pub length: u32,
    /// Whether pvBuffer was NULL.
    pub null: bool,
    /// The directives of a token, masked.
    #[serde(default)]
    pub text: Option<String>,
    /// What the call made of it.
    #[serde(default)]
    pub after: Option<Written>,
}

/// A SecBuffer that a call wrote.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// cbBuffer.
    pub length: u32,
    /// The block that was allocated for it.
    #[serde(default)]
    pub block: Option<u64>,
    /// The directives of a token, masked.
    #[serde(default)]
    pub text: Option<String>,
}

/// What FreeContextBuffer was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freed {
    /// A block.
    Block(u64),
    /// A block that was freed before.
    Again(u64),
    /// Memory that the package never gave.
    Foreign,
    /// NULL.
    Null,
}

#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Record {
    Process(Head),
    Call(Box<Call>),
}

fn status<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecurityStatus, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("0x");
    let digits = digits.filter(|digits| digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).map(SecurityStatus);
    let known = SecurityStatus::from_name(&text).or(value);
    known.ok_or_else(|| serde::de::Error::custom("status: neither a name nor 0x and eight digits"))
}

/// The lines of a trace, numbered from 1.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: usize,
}

/// Reads a trace.
pub fn lines<R: BufRead>(input: R) -> Lines<R> {
    Lines { input, line: 0 }
}

impl<R: BufRead> Lines<R> {
    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// What cannot be read, and what is no line of a trace.
    pub fn next_line(&mut self) -> Result<Option<(usize, Line)>, TraceError> {
        self.line += 1;
        let line = self.line;
        let error = |what: String| TraceError { line, what };
        let mut text = Vec::new();
        let read = (&mut self.input).take(LONGEST_LINE + 1).read_until(b'\n', &mut text);
        let read = read.map_err(|problem| error(problem.to_string()))?;
        if read == 0 {
            return Ok(None);
        }
        if text.pop_if(|last| *last == b'\n').is_none() {
            let is_too_long = read as u64 > LONGEST_LINE;
            return if is_too_long {
                Err(error("longer than a line can be".to_owned()))
            } else {
                Ok(Some((line, Line::Torn)))
            };
        }
        let record: Record =
            serde_json::from_slice(&text).map_err(|problem| error(format!("no line of a trace: {problem}")))?;
        match record {
            Record::Process(head) if head.trace_version != TRACE_VERSION => {
                Err(error(format!("the trace has version {}, this program reads {TRACE_VERSION}", head.trace_version)))
            }
            Record::Process(head) => Ok(Some((line, Line::Process(head)))),
            Record::Call(call) => Ok(Some((line, Line::Call(*call)))),
        }
    }
}
