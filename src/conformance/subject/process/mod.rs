//! A program behind a pipe as a subject: anything that speaks the [adapter protocol](crate::conformance::protocol).
//!
//! Whatever it does, an answer is had in time, or an error that says what happened; after an error that leaves its state
//! unknown the program is killed, with all of its process group, and started anew at the next
//! [`start`](super::Subject::start).
#![forbid(unsafe_code)]

mod adapter;
pub(in crate::conformance) mod came;
mod check;
mod launch;
mod pipe;

use std::time::Duration;

pub use self::adapter::{Adapter, Connect, Connection};
pub use self::launch::Launch;

/// How long an answer may take where nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What one sequence can do to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// Nothing: the program forks at each start.
    Fork,
    /// Nothing: each sequence has a process of its own.
    Fresh,
    /// Anything: one process for all, until it dies.
    Persistent,
}

impl Isolation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fork, Self::Fresh, Self::Persistent];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Fresh => "fresh",
            Self::Persistent => "persistent",
        }
    }
}

/// A program as a subject.
pub type Process = Adapter<Launch>;
