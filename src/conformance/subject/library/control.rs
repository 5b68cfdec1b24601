//! DigestSspControl: what a library may export so that its clock, faults and configuration can be tested.
#![allow(unsafe_code, reason = "calls a function of a library")]

use super::frame::Frame;
use super::layouts::Control;
use crate::conformance::protocol::{Answer, Request};
use crate::conformance::subject::SubjectError;

/// Room for an answer, in bytes.
const ROOM: usize = 65_536;

/// Asks a library. Request and answer are those of the adapter protocol.
///
/// # Errors
/// It cannot do that, or what it answers is no answer.
pub(super) fn ask(frame: &mut Frame<'_>, control: Control, request: &Request) -> Result<Answer, SubjectError> {
    let errored = |problem: String| SubjectError::Errored(format!("DigestSspControl: {problem}"));
    let request = serde_json::to_vec(request).map_err(|error| errored(error.to_string()))?;
    let length = u32::try_from(request.len()).map_err(|_| errored("the request is too long".into()))?;
    let at = frame.constant(&request, "the request of DigestSspControl")?;
    let room = frame.room(&vec![0; ROOM], "the answer of DigestSspControl")?;
    let written = frame.variable(ROOM as u32, "the length of the answer of DigestSspControl")?;
    // SAFETY: everything is what the function takes.
    let code = unsafe { control(at.cast(), length, frame.pointer(room), frame.pointer(written)) };
    if code != 0 {
        return Err(errored(format!("it returned {code}")));
    }
    let written = frame.value::<u32>(written) as usize;
    let answer = frame
        .bytes(room)
        .get(..written)
        .ok_or_else(|| errored(format!("it says that it wrote {written} bytes where there is room for {ROOM}")))?;
    match serde_json::from_slice(answer).map_err(|error| errored(format!("it wrote no answer: {error}")))? {
        Answer::Unable { message } => Err(SubjectError::Unable(message)),
        Answer::Error { message } => Err(SubjectError::Errored(message)),
        Answer::Crashed { message } => Err(SubjectError::Crashed(message)),
        answer @ (Answer::Started { .. }
        | Answer::Outcome(_)
        | Answer::ForeignHandle { .. }
        | Answer::Done {}
        | Answer::Ended(_)) => Ok(answer),
    }
}
