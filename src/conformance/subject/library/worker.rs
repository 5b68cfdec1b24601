//! A process that serves a subject to a tester, so that what the subject does to its process is not done to the tester.
//!
//! The tester starts it through [`Process`](crate::conformance::subject::process::Process) and speaks the
//! [adapter protocol](crate::conformance::protocol) with it. Under [`Isolation::Fork`] the subject is loaded once, and
//! each sequence is served by a child that is forked off at its start: whatever a sequence leaves behind ends with it,
//! and where the child dies the parent says of what. A sequence costs a fork and the turns of a pipe: on a virtual machine of
//! two processors some 800 a second are served so, and 1,500 where all of it is kept on one of them (`taskset`), where a bare
//! program forks 4,500 times.
#![allow(unsafe_code, reason = "fork and _exit, which nobody offers as safe functions")]
#![warn(clippy::undocumented_unsafe_blocks)]

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec, retry_on_intr};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, WaitStatus, setrlimit, waitpid};
use rustix::stdio;

use crate::conformance::protocol::{Answer, End, Line, Request, answer, read_line, serve, write_line};
use crate::conformance::subject::process::Isolation;
use crate::conformance::subject::{Subject, SubjectError};
use crate::spec::names::Need;
use crate::spec::setup::Setup;
use crate::spec::{Call, Outcome};

/// How the tester is spoken with: descriptors that nothing but the worker knows.
#[derive(Debug)]
pub struct Channel {
    input: File,
    output: File,
}

impl Channel {
    /// Takes standard input and output away from the rest of the process. Who reads standard input finds nothing from
    /// now on, and who prints prints to standard error.
    ///
    /// The worker dies with the thread of the tester that started it.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn take() -> io::Result<Self> {
        const FIRST_PRIVATE: i32 = 3;
        die_with_parent()?;
        // A crash is told by its signal; nobody asked for an image of the memory.
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        let input = fcntl_dupfd_cloexec(stdio::stdin(), FIRST_PRIVATE)?;
        let output = fcntl_dupfd_cloexec(stdio::stdout(), FIRST_PRIVATE)?;
        stdio::dup2_stdin(File::open("/dev/null")?)?;
        stdio::dup2_stdout(stdio::stderr())?;
        Ok(Self { input: input.into(), output: output.into() })
    }
}

/// Serves a subject until the tester has nothing more to ask. Where it could not be loaded, that is what is answered.
///
/// For [`Isolation::Fork`] the process must have one thread.
///
/// # Errors
/// Where the channel breaks.
pub fn run(channel: Channel, isolation: Isolation, subject: Result<Box<dyn Subject>, String>) -> io::Result<()> {
    let Channel { input, output } = channel;
    let input = BufReader::new(input);
    match (subject, isolation) {
        (Ok(mut subject), Isolation::Fork) => serve_forking(&mut *subject, input, output),
        (Ok(mut subject), Isolation::Fresh | Isolation::Persistent) => serve(&mut *subject, input, output),
        (Err(problem), Isolation::Fork | Isolation::Fresh | Isolation::Persistent) => {
            serve(&mut Unloaded(problem), input, output)
        }
    }
}

/// What stands for a subject that could not be loaded.
struct Unloaded(String);

impl Subject for Unloaded {
    fn name(&self) -> String {
        "nothing".to_owned()
    }

    fn capabilities(&self) -> std::collections::BTreeSet<Need> {
        std::collections::BTreeSet::new()
    }

    fn start(&mut self, _setup: &Setup) -> Result<(), SubjectError> {
        Err(SubjectError::Errored(self.0.clone()))
    }

    fn call(&mut self, _call: &Call) -> Result<Outcome, SubjectError> {
        Err(SubjectError::Errored(self.0.clone()))
    }
}

fn serve_forking(subject: &mut dyn Subject, mut input: BufReader<File>, mut output: File) -> io::Result<()> {
    // A byte in it for each child that ended as it should. Its exit code cannot tell: a library may call exit.
    let (ends, end) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    loop {
        let refused = |message: &str| Answer::Error { message: message.to_owned() };
        let answer = match read_line(&mut input)? {
            Line::Whole(line) => match serde_json::from_slice(&line) {
                Ok(start @ Request::Start { .. }) => match fork(subject, start, &mut input, &mut output, &end)? {
                    Some(child) => match await_end(child, &ends)? {
                        Some(died) => {
                            // What was sent to the child, and not read by it, is nobody's request any more.
                            forget_unread(&mut input)?;
                            Answer::Ended(died)
                        }
                        None => continue,
                    },
                    None => refused("the worker cannot fork"),
                },
                Ok(Request::Stop {}) => Answer::Done {},
                Ok(
                    Request::Call(_)
                    | Request::Advance { .. }
                    | Request::Inject { .. }
                    | Request::AccountsDown { .. }
                    | Request::SpendCounts { .. }
                    | Request::SpendSequences { .. }
                    | Request::ForeignHandle {},
                ) => refused("no sequence is under way"),
                Err(error) => refused(&format!("no request: {error}")),
            },
            Line::TooLong | Line::Cut(_) | Line::End => return Ok(()),
        };
        write_line(&mut output, &answer)?;
    }
}

/// Forks. `None` where the system refuses; the child does not return.
fn fork(
    subject: &mut dyn Subject,
    start: Request,
    input: &mut BufReader<File>,
    output: &mut File,
    end: &OwnedFd,
) -> io::Result<Option<Pid>> {
    // SAFETY: the worker has one thread, so that the child is a whole copy of it, and may do all that the parent may.
    // Where a library started threads of its own, they are missing in the child: what it then does is its own doing.
    let child = unsafe { libc::fork() };
    match child {
        0 => {
            // A panic of the subject is a crash, and must not end in the parent's part of the program.
            let served = catch_unwind(AssertUnwindSafe(|| serve_one(subject, start, input, output)));
            let code = match served {
                Ok(_served_or_broken) => {
                    // The parent reads it after the end. Where it cannot be told, it tells of exit code 0.
                    let _ = rustix::io::write(end, &[1]);
                    0
                }
                Err(_panic) => 101,
            };
            // SAFETY: NULL flushes all that the subject printed by means of C, which _exit does not.
            unsafe { libc::fflush(core::ptr::null_mut()) };
            // SAFETY: it has no preconditions; what is to be done at exit is the parent's.
            unsafe { libc::_exit(code) }
        }
        -1 => Ok(None),
        child => Pid::from_raw(child).map(Some).ok_or_else(|| io::Error::other("fork returned no process")),
    }
}

/// Serves one sequence.
fn serve_one(
    subject: &mut dyn Subject,
    start: Request,
    input: &mut BufReader<File>,
    output: &mut File,
) -> io::Result<()> {
    die_with_parent()?;
    write_line(output, &answer(subject, start))?;
    loop {
        let refused = |message: String| Answer::Error { message };
        let told = match read_line(input)? {
            Line::Whole(line) => match serde_json::from_slice(&line) {
                Ok(Request::Stop {}) => return write_line(output, &Answer::Done {}),
                Ok(Request::Start { .. }) => refused("a sequence is under way, and was not stopped".to_owned()),
                Ok(
                    request @ (Request::Call(_)
                    | Request::Advance { .. }
                    | Request::Inject { .. }
                    | Request::AccountsDown { .. }
                    | Request::SpendCounts { .. }
                    | Request::SpendSequences { .. }
                    | Request::ForeignHandle {}),
                ) => answer(subject, request),
                Err(error) => refused(format!("no request: {error}")),
            },
            Line::TooLong | Line::Cut(_) | Line::End => return Ok(()),
        };
        write_line(output, &told)?;
    }
}

/// Waits for a child. How it died, unless it ended as it should.
fn await_end(child: Pid, ends: &OwnedFd) -> io::Result<Option<End>> {
    let status = loop {
        if let Some((_, status)) = retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()))? {
            break status;
        }
    };
    let mut byte = [0];
    match rustix::io::read(ends, &mut byte) {
        Ok(1) => Ok(None),
        Ok(_) | Err(Errno::AGAIN) => Ok(Some(died(status))),
        Err(error) => Err(error.into()),
    }
}

fn died(status: WaitStatus) -> End {
    status.terminating_signal().map_or_else(|| End::ExitCode(status.exit_status().unwrap_or_default()), End::Signal)
}

fn forget_unread(input: &mut BufReader<File>) -> io::Result<()> {
    let buffered = input.buffer().len();
    input.consume(buffered);
    let mut polled = [PollFd::new(input.get_ref(), PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    retry_on_intr(|| poll(&mut polled, Some(&now)))?;
    if polled[0].revents().contains(PollFlags::IN) {
        read_line(input)?;
    }
    Ok(())
}

/// The system kills this process where the one that started it dies, whatever this one is doing then.
#[cfg(target_os = "linux")]
fn die_with_parent() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// The end of the input tells this process where the one that started it dies.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> io::Result<()> {
    Ok(())
}
