//! What callers owe the package: the rules of `spec/callers.toml`, and who breaks them in a trace of calls.
//!
//! A trace is what a package writes of the calls that it gets, a line of JSON for each
//! (`spec/schemas/trace.schema.json`). Judged is the caller alone: what it did with the handles, the memory and the
//! statuses that it was given, whatever the package made of that.
#![forbid(unsafe_code)]

mod judge;
mod process;
pub mod report;
pub mod trace;

pub use judge::judge;

use serde::{Deserialize, Serialize};

use super::names::{Level, Provenance};

macro_rules! rules {
    ($($(#[$documentation:meta])* $rule:ident $id:literal;)*) => {
        /// A rule for callers.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum CallerRule { $($(#[$documentation])* $rule),* }

        impl CallerRule {
            /// Every rule, in the order in which `spec/callers.toml` has them.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// Its id in `spec/callers.toml`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$rule => $id),* }
            }
        }
    };
}

rules! {
    /// CompleteAuthToken where nothing is to complete.
    CompleteNotAsked "complete-not-asked";
    /// Another call where CompleteAuthToken is due.
    CompletionSkipped "completion-skipped";
    /// Deletion where CompleteAuthToken is due.
    CompletionAbandoned "completion-abandoned";
    /// A handle of credentials for that of a context.
    CredentialsAsContext "credentials-as-context";
    /// A handle of a context for that of credentials.
    ContextAsCredentials "context-as-credentials";
    /// A context in use although CompleteAuthToken failed on it.
    FailedCompletionIgnored "failed-completion-ignored";
    /// A context in use although its exchange goes on.
    UsedBeforeEstablished "used-before-established";
    /// A context in use although its exchange failed.
    FailedExchangeIgnored "failed-exchange-ignored";
    /// A handle that no call gave.
    HandleNeverGiven "handle-never-given";
    /// A context in use although it is deleted.
    ContextUsedAfterDeletion "context-used-after-deletion";
    /// A context deleted again.
    ContextDeletedTwice "context-deleted-twice";
    /// Credentials in use, or freed again, although they are freed.
    CredentialsUsedAfterFreeing "credentials-used-after-freeing";
    /// Credentials freed before their contexts are deleted.
    CredentialsFreedEarly "credentials-freed-early";
    /// Nowhere to put the handle of a context.
    NewContextMissing "new-context-missing";
    /// A context that is never deleted.
    ContextLeaked "context-leaked";
    /// Credentials that are never freed.
    CredentialsLeaked "credentials-leaked";
    /// Memory that is never freed.
    BufferLeaked "buffer-leaked";
    /// Memory freed again.
    BufferFreedTwice "buffer-freed-twice";
    /// Memory freed that the package did not give.
    BufferNotGiven "buffer-not-given";
}

/// A rule as `spec/callers.toml` has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallerRuleEntry {
    /// Its identifier.
    pub id: String,
    /// What must be so.
    pub text: String,
    /// How binding it is.
    pub level: Level,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The documents it rests on.
    pub sources: Vec<String>,
    /// Why.
    pub why: String,
}

/// A place where a caller breaks a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallerFinding {
    /// The rule.
    pub rule: CallerRule,
    /// The process.
    pub process: u32,
    /// The line of the call that breaks it; of what is leaked, the line of the call that gave it.
    pub line: usize,
    /// The earlier line that makes it wrong.
    pub since: Option<usize>,
    /// The function called there, and what is wrong about it.
    pub what: String,
}

/// What a trace shows of its caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerReport {
    /// The packages that wrote it, with their versions, each once.
    pub packages: Vec<String>,
    /// How many processes there were.
    pub processes: usize,
    /// How many calls.
    pub calls: usize,
    /// The line in whose middle the trace ends. Nothing is said of leaks then.
    pub torn: Option<usize>,
    /// The findings by line.
    pub findings: Vec<CallerFinding>,
}
