//! Hostile lines into the runner: what an adapter answers, edited.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::edited::{any, good};
use super::tables;
use crate::conformance::encoding::Reader;
use crate::conformance::protocol::{self, Answer, Line, Request, read_line};
use crate::conformance::run::run_sequence;
use crate::conformance::subject::SubjectError;
use crate::conformance::subject::builtin::Builtin;
use crate::conformance::subject::process::came::Came;
use crate::conformance::subject::process::{Adapter, Connect, Connection, DEFAULT_TIMEOUT, Isolation};
use crate::spec::Verdict;
use crate::status::SecurityStatus;

/// How long what is said of an adapter may be, in bytes, whatever it wrote.
const LONGEST_TEXT: usize = 4096;

/// A good sequence through an adapter that answers as the reference implementation does, but for what is edited in its lines.
///
/// The first byte picks the sequence, the second what is open in it, the third the isolation. For every answer one byte says
/// what becomes of its line: below 128 nothing; 255 that it ends without its break and the output with it; 254 that a line of
/// so many bytes stands in its place, the number and they following; anything else that some edits follow, as
/// [`encoding`](crate::conformance::encoding) reads them. A line break that is edited in makes two lines of it.
///
/// # Errors
/// What does not hold: where nothing was edited the sequence goes well, and whatever was is told in one line of bounded
/// length.
pub fn adapter_protocol(bytes: &[u8]) -> Result<(), String> {
    let mut reader = Reader { bytes };
    let sequence = good(any(reader.byte()), reader.byte());
    let isolation = Isolation::ALL[usize::from(reader.byte()) % Isolation::ALL.len()];
    let script = Rc::new(RefCell::new(Script { bytes: reader.bytes, is_edited: false }));
    let mut adapter = match Adapter::open(Hostile(Rc::clone(&script)), isolation, DEFAULT_TIMEOUT) {
        Ok(adapter) => adapter,
        Err(error) => return told(&error, script.borrow().is_edited),
    };
    let trace = run_sequence(tables(), &mut adapter, &sequence);
    let is_edited = script.borrow().is_edited;
    if let Some(error) = &trace.error {
        return told(error, is_edited);
    }
    let is_good = |verdict: &Verdict| matches!(verdict, Verdict::Pass);
    let Some(last) = trace.steps.last() else { return Err("nothing was called, and nothing went wrong".to_owned()) };
    let went_well = trace.steps.iter().all(|step| is_good(&step.judgement.verdict))
        && last.outcome.status == SecurityStatus::SEC_E_OK;
    if went_well || is_edited {
        return Ok(());
    }
    Err(format!("nothing was edited, and {} was answered {}", last.call.name(), last.outcome.status))
}

/// What must hold of a sequence that ended with an error.
fn told(error: &SubjectError, is_edited: bool) -> Result<(), String> {
    let text = error.to_string();
    if !is_edited {
        return Err(format!("nothing was edited, and there was an error: {text}"));
    }
    if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(format!("what is told is not one line of bounded length: {text:?}"));
    }
    Ok(())
}

/// What becomes of the lines, of all connections one after the other.
struct Script<'b> {
    bytes: &'b [u8],
    is_edited: bool,
}

/// Where an adapter is found that answers by the script.
struct Hostile<'b>(Rc<RefCell<Script<'b>>>);

struct Answering<'b> {
    script: Rc<RefCell<Script<'b>>>,
    honest: Builtin,
    /// What it wrote that was not read.
    written: Vec<u8>,
}

impl<'b> Connect for Hostile<'b> {
    type Connection = Answering<'b>;

    fn connect(&mut self) -> Result<Answering<'b>, SubjectError> {
        Ok(Answering { script: Rc::clone(&self.0), honest: Builtin::default(), written: Vec::new() })
    }
}

impl Answering<'_> {
    fn line(&mut self) -> Result<Line, SubjectError> {
        let mut rest = self.written.as_slice();
        let line = read_line(&mut rest).map_err(|error| SubjectError::Errored(error.to_string()))?;
        self.written = rest.to_vec();
        Ok(line)
    }
}

impl Connection for Answering<'_> {
    fn ask(&mut self, request: &Request, _timeout: Duration) -> Result<Answer, SubjectError> {
        let ended = |detail: &str| SubjectError::Crashed(format!("the script{detail}"));
        if !self.written.is_empty() {
            return Came::Unasked(self.line()?).answer(ended);
        }
        let answer = protocol::answer(&mut self.honest, request.clone());
        let honest = serde_json::to_vec(&answer).map_err(|error| SubjectError::Errored(error.to_string()))?;
        let written = self.script.borrow_mut().edited(&honest);
        self.written = written;
        Came::Line(self.line()?).answer(ended)
    }

    fn close(self) {}
}

impl Script<'_> {
    /// What is written in the place of a line.
    fn edited(&mut self, line: &[u8]) -> Vec<u8> {
        let mut reader = Reader { bytes: self.bytes };
        let mut edited = line.to_vec();
        let mut is_whole = true;
        match reader.byte() {
            0..128 => {}
            255 => is_whole = false,
            254 => {
                let length = usize::from(reader.byte()).min(reader.bytes.len());
                let (other, rest) = reader.bytes.split_at(length);
                edited = other.to_vec();
                reader.bytes = rest;
            }
            some => (0..=some % 4).for_each(|_| reader.edit().apply(&mut edited)),
        }
        self.bytes = reader.bytes;
        self.is_edited |= !is_whole || edited != line;
        if is_whole {
            edited.push(b'\n');
        }
        edited
    }
}

#[cfg(test)]
mod tests {
    use super::{adapter_protocol, told};
    use crate::conformance::subject::SubjectError;

    #[test]
    fn what_is_not_edited_goes_well_and_what_is_has_an_end() {
        for way in 0..22 {
            for isolation in 0..3 {
                assert_eq!(adapter_protocol(&[way, way, isolation]), Ok(()), "{way}");
                for at in 0..8 {
                    let honest = vec![0; at];
                    let edits: [&[u8]; 6] = [
                        &[255],
                        &[254, 0],
                        &[254, 9, b'{', b'"', b'd', b'o', b'n', b'e', b'"', b':', b'1'],
                        &[128, 1, 5, 0, b'\n'],
                        &[129, 0, 9, 0, 0x1B, 3, 40, 0],
                        &[128, 2, 0, 0],
                    ];
                    for edit in edits {
                        let bytes = [&[way, way, isolation], honest.as_slice(), edit].concat();
                        assert_eq!(adapter_protocol(&bytes), Ok(()), "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_hold_is_told() {
        let error = |text: &str| SubjectError::Errored(text.to_owned());
        assert_eq!(told(&error("one line"), true), Ok(()));
        assert!(told(&error("one line"), false).is_err());
        assert!(told(&error("two\nlines"), true).is_err());
        assert!(told(&error(&"long".repeat(2000)), true).is_err());
    }
}
