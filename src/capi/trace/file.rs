//! The file of the trace: appended to line by line, by every process that has it.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Instant;

use serde::Serialize;

use super::Call;
use crate::sync::{Mutex, lock};

/// Names the file that gets a line of JSON for every call. It is opened at the first one.
pub const TRACE_VARIABLE: &str = "DIGEST_SSP_TRACE";

/// The version of the lines; it changes when a program that reads them must.
const TRACE_VERSION: u32 = 1;

struct Trace {
    path: PathBuf,
    begun: Instant,
    appended: Mutex<Appended>,
}

struct Appended {
    file: File,
    /// The process that the last line is of; 0 before the first.
    process: u32,
    /// Of the last line of that process.
    sequence: u64,
}

/// The first line of a process.
#[derive(Serialize)]
struct Head {
    record: &'static str,
    trace_version: u32,
    package: &'static str,
    package_version: &'static str,
    process: u32,
    /// The process that this one was forked from, whose handles and blocks it has too.
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from: Option<u32>,
}

/// A line of a call.
#[derive(Serialize)]
struct Line<'a> {
    record: &'static str,
    process: u32,
    thread: u64,
    sequence: u64,
    nanoseconds: u64,
    #[serde(flatten)]
    call: &'a Call,
}

fn trace() -> Option<&'static Trace> {
    static TRACE: OnceLock<Option<Trace>> = OnceLock::new();
    TRACE
        .get_or_init(|| {
            let path = PathBuf::from(std::env::var_os(TRACE_VARIABLE)?);
            match open(&path) {
                Ok(file) => {
                    let appended = Mutex::new(Appended { file, process: 0, sequence: 0 });
                    Some(Trace { path, begun: Instant::now(), appended })
                }
                Err(error) => {
                    complain(&path, &error);
                    None
                }
            }
        })
        .as_ref()
}

fn open(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Names of users stand in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether lines are written.
pub(in crate::capi) fn is_recording() -> bool {
    trace().is_some()
}

/// Writes the line of a call, and before the first of a process its head.
///
/// Numbered and written under one lock, so the lines of a process stand in the order of their numbers: a handle or block
/// is given before anybody can use it.
pub(super) fn write(call: &Call) {
    let Some(trace) = trace() else { return };
    let mut appended = lock(&trace.appended);
    if let Err(error) = appended.append(call, trace.begun) {
        complain(&trace.path, &error);
    }
}

impl Appended {
    fn append(&mut self, call: &Call, begun: Instant) -> io::Result<()> {
        let process = std::process::id();
        if self.process != process {
            let head = Head {
                record: "process",
                trace_version: TRACE_VERSION,
                package: env!("CARGO_PKG_NAME"),
                package_version: env!("CARGO_PKG_VERSION"),
                process,
                forked_from: (self.process != 0).then_some(self.process),
            };
            self.line(&head)?;
            self.process = process;
            self.sequence = 0;
        }
        // Counted also where the line cannot be written: whoever reads the trace must notice.
        self.sequence += 1;
        let nanoseconds = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.line(&Line { record: "call", process, thread: thread(), sequence: self.sequence, nanoseconds, call })
    }

    /// One write for a line, which other processes that append do not tear.
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// The number of this thread, by its first call.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: Cell<u64> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    // A call while the thread's variables are being dropped.
    NUMBER.try_with(Cell::get).unwrap_or(0)
}

/// One line on standard error, once.
fn complain(path: &std::path::Path, error: &io::Error) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Nobody is left to be told of a closed standard error.
        let _ =
            writeln!(io::stderr(), "digest-ssp: {TRACE_VARIABLE}={}: {error}; the trace is not whole", path.display());
    });
}

#[cfg(test)]
mod tests {
    use super::thread;

    #[test]
    fn each_thread_has_a_number_and_keeps_it() {
        let numbers = || std::thread::spawn(|| [thread(), thread()]).join().expect("it ends");
        let [[one, again], [other, _]] = [numbers(), numbers()];
        assert_eq!(one, again);
        assert_ne!(one, other);
    }
}
