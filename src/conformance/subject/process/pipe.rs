//! A process under way: a request goes in, an answer comes out, in time or not at all.
#![forbid(unsafe_code)]

use std::io::{BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use wait_timeout::ChildExt;

use super::adapter::{Connect, Connection};
use super::came::Came;
use super::launch::{Launch, describe, end, kill};
use crate::conformance::protocol::{Answer, Line, Request, read_line};
use crate::conformance::subject::SubjectError;

/// How long a process that was told to end, or that closed its output, has before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A process, and a thread that writes to it and reads from it; nothing that it does blocks the tester.
#[derive(Debug)]
pub struct Pipe {
    child: Child,
    /// Lines to write; gone when the process is to end.
    requests: Option<Sender<Vec<u8>>>,
    answers: Receiver<Came>,
}

impl Connect for Launch {
    type Connection = Pipe;

    /// Starts the program.
    fn connect(&mut self) -> Result<Pipe, SubjectError> {
        let cannot = |error: std::io::Error| {
            SubjectError::Errored(format!("{} cannot be started: {error}", self.program().display()))
        };
        let mut child = self.spawn().map_err(cannot)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            kill(&mut child);
            return Err(SubjectError::Errored("the process has no pipes".to_owned()));
        };
        let (requests, to_write) = channel();
        let (tell, answers) = channel();
        // It ends with the process, whose end breaks both pipes.
        std::thread::spawn(move || exchange(input, output, &to_write, &tell));
        Ok(Pipe { child, requests: Some(requests), answers })
    }
}

impl Connection for Pipe {
    fn ask(&mut self, request: &Request, timeout: Duration) -> Result<Answer, SubjectError> {
        let mut line = serde_json::to_vec(request)
            .map_err(|error| SubjectError::Errored(format!("the request cannot be written: {error}")))?;
        line.push(b'\n');
        if self.requests.as_ref().is_none_or(|requests| requests.send(line).is_err()) {
            return Err(self.ended(""));
        }
        match self.answers.recv_timeout(timeout) {
            Ok(came) => came.answer(|detail| self.ended(detail)),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended("")),
            Err(RecvTimeoutError::Timeout) => Err(SubjectError::TimedOut(timeout)),
        }
    }

    fn close(mut self) {
        self.requests = None;
        // The output ends with the process; what it still writes is nobody's answer.
        while self.answers.recv_timeout(GRACE).is_ok() {}
        let _ = self.child.wait_timeout(GRACE);
    }
}

impl Pipe {
    /// What to say where the output ended.
    fn ended(&mut self, detail: &str) -> SubjectError {
        match self.child.wait_timeout(GRACE) {
            Ok(Some(status)) => SubjectError::Crashed(describe(end(status)) + detail),
            Ok(None) => SubjectError::Errored(format!("it closed its output{detail} and went on running")),
            Err(error) => SubjectError::Errored(format!("its end cannot be waited for: {error}")),
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Writes lines as they come, and reads one after each.
fn exchange(mut input: ChildStdin, output: ChildStdout, requests: &Receiver<Vec<u8>>, tell: &Sender<Came>) {
    let mut output = BufReader::with_capacity(1 << 16, output);
    for request in requests {
        let came = match turn(&mut input, &mut output, &request) {
            Ok(came) => came,
            Err(error) => Came::Broken(error),
        };
        let goes_on = matches!(came, Came::Line(Line::Whole(_)));
        if tell.send(came).is_err() || !goes_on {
            return;
        }
    }
    drop(input);
    // Nothing is asked any more: until the output ends, so that a process that is still writing can.
    let _ = std::io::copy(&mut output, &mut std::io::sink());
}

fn turn(input: &mut ChildStdin, output: &mut BufReader<ChildStdout>, request: &[u8]) -> std::io::Result<Came> {
    if has_more(output) {
        return read_line(output).map(Came::Unasked);
    }
    match input.write_all(request) {
        // It is gone or deaf, but what it said before that can still be read.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    read_line(output).map(Came::Line)
}

/// Whether there is something to read that nobody asked for. The end is nothing.
#[cfg(unix)]
fn has_more(output: &BufReader<ChildStdout>) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled = [PollFd::new(output.get_ref(), PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().contains(PollFlags::IN);
    ready || !output.buffer().is_empty()
}

/// Whether there is something to read that nobody asked for, as far as it was read already.
#[cfg(not(unix))]
fn has_more(output: &BufReader<ChildStdout>) -> bool {
    !output.buffer().is_empty()
}
