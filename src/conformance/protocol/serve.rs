//! The side of an adapter.
#![forbid(unsafe_code)]

use std::io::{BufRead, Write};

use super::{Answer, LONGEST_LINE, Line, PROTOCOL_VERSION, Request, read_line, write_line};
use crate::conformance::subject::{Subject, SubjectError};

/// Serves a subject: reads requests and writes answers until the input ends.
///
/// A line that is no request is answered with an `error`.
///
/// # Errors
/// Where input or output breaks.
pub fn serve(subject: &mut dyn Subject, mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    loop {
        let answer = match read_line(&mut input)? {
            Line::Whole(line) => match serde_json::from_slice(&line) {
                Ok(request) => answer(subject, request),
                Err(error) => refusal(format!("no request: {error}")),
            },
            Line::TooLong => {
                input.skip_until(b'\n')?;
                refusal(format!("no request: a line of more than {LONGEST_LINE} bytes"))
            }
            Line::Cut(_) | Line::End => return Ok(()),
        };
        write_line(&mut output, &answer)?;
    }
}

/// What a subject answers to a request.
pub fn answer(subject: &mut dyn Subject, request: Request) -> Answer {
    tried(subject, request).unwrap_or_else(|error| match error {
        SubjectError::Crashed(message) => Answer::Crashed { message },
        SubjectError::Errored(_) | SubjectError::TimedOut(_) | SubjectError::Unstable(_) => refusal(error.to_string()),
    })
}

fn refusal(message: String) -> Answer {
    Answer::Error { message }
}

fn tried(subject: &mut dyn Subject, request: Request) -> Result<Answer, SubjectError> {
    match request {
        Request::Start { protocol: PROTOCOL_VERSION, setup } => {
            subject.start(&setup)?;
            let (name, capabilities) = (subject.name(), subject.capabilities());
            return Ok(Answer::Started { protocol: PROTOCOL_VERSION, name, capabilities });
        }
        Request::Start { protocol, .. } => {
            let message = format!("this adapter speaks version {PROTOCOL_VERSION} of the protocol, not {protocol}");
            return Err(SubjectError::Errored(message));
        }
        Request::Call(call) => return subject.call(&call).map(Answer::Outcome),
        Request::Advance { milliseconds } => subject.advance(milliseconds)?,
        Request::Inject { fault } => subject.inject(fault)?,
        Request::AccountsDown { down } => subject.take_accounts_down(down)?,
        Request::SpendCounts { context } => subject.spend_counts(context)?,
        Request::SpendSequences { context } => subject.spend_sequences(context)?,
        Request::ForeignHandle {} => {
            return subject.foreign_handle().map(|handle| Answer::ForeignHandle { handle });
        }
        Request::Stop {} => {}
    }
    Ok(Answer::Done {})
}
