//! What an engine left: judged, told once, and moved when that is written down.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use digest_ssp::conformance::fuzzing::{self, Counterexample};
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::report::FindingKind;
use digest_ssp::conformance::subject::process::Process;
use digest_ssp::spec::Specification;
use wait_timeout::ChildExt;

use super::super::SetupError;
use super::engine::{MEMORY, TIMEOUT};
use super::minimise::shortest;
use super::store::{Finding, Found, Store, below, is_only_slow, name};

/// How long after it was changed last a file of a running engine is still being written, for all that is known.
const WRITING: Duration = Duration::from_secs(2);

/// How long one input is run again at most.
const AGAIN: Duration = Duration::from_secs(30);

/// How long it is tried to leave out something of inputs that show what is new, whenever what an engine left is taken in.
const MINIMISING: Duration = Duration::from_secs(20);

/// How much of what a target said is read, in bytes from its end: a library may say anything before that.
const READ: u64 = 1 << 20;

/// How much of it is kept, in bytes from its end.
const SAID: usize = 1 << 16;

/// How long a line that tells a finding is at most, in bytes.
const LINE: usize = 300;

/// Who judges what a target found.
pub(super) struct Judge<'j> {
    pub(super) tables: &'j Specification,
    pub(super) target: &'j str,
    pub(super) program: &'j Path,
    pub(super) environment: &'j [(&'static str, PathBuf)],
    /// Apart from this process: what was found may end it, or hang.
    pub(super) subject: &'j mut Process,
    pub(super) begun: Instant,
}

impl Judge<'_> {
    /// Takes in everything that the engine left; while it runs, what it may still be writing or cannot be run is left for later.
    pub(super) fn take_in(&mut self, store: &mut Store, is_running: bool) -> Result<(), SetupError> {
        let (artifacts, judged) = (store.artifacts(self.target)?, store.judged(self.target)?);
        let files = below(&artifacts).map_err(|error| format!("{}: {error}", artifacts.display()))?;
        let is_whole = |file: &PathBuf| {
            let age =
                std::fs::metadata(file).and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
            !is_running || age.is_some_and(|age| age > WRITING)
        };
        let until = Instant::now() + MINIMISING;
        for file in files.into_iter().filter(is_whole) {
            let cannot = |error: std::io::Error| SetupError(format!("{}: {error}", file.display()));
            let name = name(&file);
            if !is_only_slow(&name) {
                let bytes = std::fs::read(&file).map_err(cannot)?;
                if !self.judge_sequence(&bytes, store)? {
                    let found = match self.by_message(bytes) {
                        Ok(found) => found,
                        // It lies there yet when the engine has ended.
                        Err(_) if is_running => continue,
                        Err(problem) => return Err(problem),
                    };
                    let is_known = store.knows(&found.key);
                    store.find(if is_known { found } else { self.minimised(found, until) })?;
                }
            }
            std::fs::rename(&file, judged.join(name)).map_err(cannot)?;
        }
        Ok(())
    }

    /// Judges an input that is a sequence apart from the fuzzer; whether something is wrong.
    pub(super) fn judge_sequence(&mut self, bytes: &[u8], store: &mut Store) -> Result<bool, SetupError> {
        let Some(sequence) = fuzzing::meaning(self.target, bytes) else { return Ok(false) };
        let is_new = |kind: FindingKind, row: &str| !store.knows(&key(kind, row));
        let Some(counterexample) = fuzzing::judged(self.subject, sequence, &is_new) else { return Ok(false) };
        let Counterexample { row, finding } = *counterexample;
        let key = key(finding.kind, &row);
        let row = Some(row).filter(|row| !row.is_empty());
        let told = self.finding(kind(finding.kind), row, &finding.difference);
        let sequence = Some(finding.reproducer);
        store.find(Found { key, finding: told, input: bytes.to_vec(), sequence, said: None })?;
        Ok(true)
    }

    fn finding(&self, kind: &str, row: Option<String>, what: &str) -> Finding {
        Finding {
            name: String::new(),
            target: self.target.to_owned(),
            also: Vec::new(),
            kind: kind.to_owned(),
            row,
            what: line(what),
            times: 1,
            after_seconds: self.begun.elapsed().as_secs_f64(),
            has_sequence: false,
        }
    }

    /// What the target says of the input when it is run with it alone.
    fn by_message(&self, input: Vec<u8>) -> Result<Found, SetupError> {
        let cannot = |error| format!("{}: it cannot be run again: {error}", self.program.display());
        let said = self.said(&input).map_err(cannot)?;
        let Message { kind, row, what, same_by } = message(&said, &|row| self.tables.row(row).is_some());
        let key = match same_by {
            SameBy::Anywhere(same) => format!("{kind} {same}"),
            SameBy::InTarget(same) => format!("{kind} {} {same}", self.target),
        };
        let sequence = reproducer(&said);
        Ok(Found { key, finding: self.finding(kind, row, &what), input, sequence, said: Some(end(&said)) })
    }

    /// The same with as little of the input as shows it; what takes long, or does not show again, as it is.
    fn minimised(&self, found: Found, until: Instant) -> Found {
        if !matches!(found.finding.kind.as_str(), "property" | "sanitizer" | "crash") {
            return found;
        }
        let mut least = None;
        shortest(found.input.clone(), until, &mut |input| {
            let again = self.by_message(input.to_vec()).ok().filter(|again| again.key == found.key);
            let is_same = again.is_some();
            if let Some(mut shorter) = again {
                shorter.finding.after_seconds = found.finding.after_seconds;
                least = Some(shorter);
            }
            is_same
        });
        least.unwrap_or(found)
    }

    /// What the program writes to standard error with one input, which libFuzzer takes as a file and AFL++ from its input.
    fn said(&self, input: &[u8]) -> std::io::Result<String> {
        let (mut file, output) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
        file.write_all(input)?;
        file.flush()?;
        let mut child = Command::new(self.program)
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(file.path())
            .envs(self.environment.iter().cloned())
            .stdin(File::open(file.path())?)
            .stdout(Stdio::null())
            .stderr(output.reopen()?)
            .spawn()?;
        let Some(status) = child.wait_timeout(AGAIN)? else {
            child.kill()?;
            child.wait()?;
            return Ok(format!("ERROR: libFuzzer: timeout after {} seconds", AGAIN.as_secs()));
        };
        let mut written = output.reopen()?;
        let length = written.metadata()?.len();
        written.seek(SeekFrom::Start(length.saturating_sub(READ)))?;
        let mut last = Vec::new();
        written.take(READ).read_to_end(&mut last)?;
        let said = String::from_utf8_lossy(&last).into_owned();
        // Who has no sanitizer dies in silence; a signal is what is known then.
        Ok(if status.code().is_none() { format!("{said}\nERROR: {status}") } else { said })
    }
}

/// The name of a sort of finding.
fn kind(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Fail => "fail",
        FindingKind::Deviation => "deviation",
        FindingKind::Crash => "crash",
        FindingKind::Timeout => "timeout",
        FindingKind::Unstable => "unstable",
        FindingKind::Errored => "errored",
    }
}

/// What findings of sequences have in common that are one.
fn key(of: FindingKind, row: &str) -> String {
    format!("{} {row}", kind(of))
}

/// What makes a finding the same as another of its sort.
#[derive(PartialEq, Eq, Debug)]
enum SameBy {
    /// A row, a place in the code, the frames of a stack of what went wrong: whichever target shows it.
    Anywhere(String),
    /// The words of a target, and what has no words, is its own.
    InTarget(String),
}

/// What a target said.
#[derive(PartialEq, Eq, Debug)]
struct Message {
    kind: &'static str,
    row: Option<String>,
    what: String,
    same_by: SameBy,
}

/// The sequence that a target said shows what does not hold.
fn reproducer(said: &str) -> Option<Sequence> {
    let told = said.lines().find_map(|line| line.strip_prefix("reproducer: "))?;
    serde_json::from_str(told).ok()
}

/// The end of what a target said, as far as it is kept.
fn end(said: &str) -> String {
    let from = (said.len().saturating_sub(SAID)..=said.len()).find(|from| said.is_char_boundary(*from));
    said[from.unwrap_or_default()..].to_owned()
}

/// How many frames of a stack say what it is.
const FRAMES: usize = 3;

/// Where the targets themselves say that something does not hold, whatever it is; elsewhere the place is what is wrong.
const OF_TARGETS: &str = "fuzz_targets/";
/// Where the libraries of the language are: anybody comes there.
const OF_RUST: &str = "/rustc/";

/// What a message says of an input: what does not hold, what the sanitizer found, or that it took too much. A row is one that is known:
/// a library can say anything.
fn message(said: &str, is_row: &dyn Fn(&str) -> bool) -> Message {
    let lines = || said.lines().map(str::trim);
    let mut panicked = lines().skip_while(|line| !(line.starts_with("thread ") && line.contains("panicked at")));
    if let (Some(at), Some(what)) = (panicked.next(), panicked.next()) {
        let row = what.strip_prefix("row ").and_then(|rest| rest.split_once(": ")).map(|(row, _)| row.to_owned());
        let row = row.filter(|row| is_row(row));
        let place = at.rsplit_once("panicked at ").map_or("", |(_, place)| place);
        let same_by = match &row {
            Some(row) => SameBy::Anywhere(row.clone()),
            None if [OF_TARGETS, OF_RUST].iter().any(|part| place.contains(part)) => {
                SameBy::InTarget(without_values(what))
            }
            None => SameBy::Anywhere(format!("{place} {}", without_values(what))),
        };
        return Message { kind: "property", row, what: what.to_owned(), same_by };
    }
    match lines().find(|line| line.starts_with("SUMMARY: ") || line.contains("ERROR: ")) {
        Some(first) => {
            let summary = lines().find(|line| line.starts_with("SUMMARY: ")).unwrap_or(first);
            let kind = match summary {
                summary if summary.contains("timeout") => "timeout",
                summary if summary.contains("out-of-memory") => "memory",
                summary if summary.starts_with("ERROR: signal") => "crash",
                _other => "sanitizer",
            };
            let frames: Vec<&str> = lines().filter_map(frame).filter(|name| is_telling(name)).take(FRAMES).collect();
            // Without names of functions the addresses are what there is.
            let same = if frames.is_empty() { summary.to_owned() } else { frames.join(" ") };
            let same_by = match kind {
                "sanitizer" | "crash" if !frames.is_empty() => SameBy::Anywhere(same),
                // Where it was when time or memory was over need not be what took it.
                _other => SameBy::InTarget(same),
            };
            Message { kind, row: None, what: summary.to_owned(), same_by }
        }
        // All of that is one finding, whose inputs stay where they were judged.
        None => Message {
            kind: "unstable",
            row: None,
            what: "it ended the target once, and not when it was run again".to_owned(),
            same_by: SameBy::InTarget(String::new()),
        },
    }
}

/// The function of a line of a stack, with the place that follows it left out.
fn frame(line: &str) -> Option<&str> {
    let name = line.strip_prefix('#')?.split_once(" in ")?.1;
    Some(name.split_once(" /").map_or(name, |(name, _)| name))
}

/// Whether a function tells what went wrong: those of the language's libraries, of fuzzers and of sanitizers are in all stacks.
fn is_telling(name: &str) -> bool {
    let everywhere = [
        "std::",
        "core::",
        "alloc::",
        "<std::",
        "<core::",
        "<alloc::",
        "<[",
        "<&",
        "<*",
        "fuzzer::",
        "libfuzzer_sys",
        "__",
        "alloc",
        "malloc",
        "calloc",
        "realloc",
        "free",
        "mem",
        "try_allocate",
        "with_capacity",
        "from_elem",
        "call_once",
        "catch_unwind",
        "{closure",
    ];
    !everywhere.iter().any(|beginning| name.starts_with(beginning))
}

/// One line of bounded length.
pub(super) fn line(text: &str) -> String {
    let mut line: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if line.len() > LINE {
        let end = (0..=LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}

/// What is the same of two messages about two inputs: numbers and what stands in quotes are of the input.
fn without_values(text: &str) -> String {
    let (mut same, mut is_quoted) = (String::new(), false);
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted || character.is_ascii_digit() => {}
            other => same.push(other),
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::{LINE, Message, SAID, SameBy, end, frame, is_telling, line, reproducer, without_values};

    fn message(said: &str) -> Message {
        super::message(said, &|row| row == "cat-done")
    }

    fn panicked(place: &str, what: &str) -> Message {
        message(&format!(
            "INFO: Running\nthread '<unnamed>' (7) panicked at {place}:\n{what}\nnote: run with\nSUMMARY: libFuzzer: deadly signal\n"
        ))
    }

    #[test]
    fn what_a_target_said_is_understood() {
        let row = panicked("fuzz_targets/capi.rs:4:1", "row cat-done: status SEC_E_OK");
        assert_eq!((row.kind, row.row.as_deref()), ("property", Some("cat-done")));
        assert_eq!(row.what, "row cat-done: status SEC_E_OK");
        assert_eq!(row.same_by, panicked("fuzz_targets/layers.rs:4:1", "row cat-done: another").same_by);
        for unknown in ["row : no answer", "row cat-\u{1b}[31m: no such row", "row cat-gone: it was renamed"] {
            let told = panicked("fuzz_targets/capi.rs:4:1", unknown);
            assert_eq!(told.row, None);
            assert!(matches!(told.same_by, SameBy::InTarget(_)), "{told:?}");
        }
        // Elsewhere the place is what is wrong, whatever target comes there.
        let at = |place: &str| panicked(place, "called `Option::unwrap()` on a `None` value").same_by;
        assert!(matches!(at("src/package/a.rs:1:2"), SameBy::Anywhere(_)));
        assert_ne!(at("src/package/a.rs:1:2"), at("src/package/b.rs:1:2"));
        assert!(matches!(at("/rustc/0/library/core/src/slice/sort.rs:1:2"), SameBy::InTarget(_)));
        let said = |place: &str| panicked(place, "it differs at 12").same_by;
        assert_eq!(said("fuzz_targets/capi.rs:4:1"), said("/b/fuzz/fuzz_targets/capi.rs:5:1"));
    }

    #[test]
    fn stacks_are_the_same_by_their_frames() {
        let stack = |frame: &str, address: &str| {
            format!(
                "==1==ERROR: AddressSanitizer: SEGV on\n    #0 0x{address} in memcpy /x\n    #1 0x{address} in a::{frame} /x:3\n\
                 SUMMARY: AddressSanitizer: SEGV (x.so+0x{address})\n"
            )
        };
        let of = |frame, address| message(&stack(frame, address));
        assert_eq!(of("f", "11").kind, "sanitizer");
        assert_eq!(of("f", "11").same_by, SameBy::Anywhere("a::f".to_owned()));
        assert_eq!(of("f", "11").same_by, of("f", "22").same_by);
        assert_ne!(of("f", "11").same_by, of("g", "11").same_by);
        let slow = message("    #0 0x11 in a::f /x:3\nSUMMARY: libFuzzer: timeout\n");
        assert_eq!(slow.same_by, SameBy::InTarget("a::f".to_owned()));
        let bare = |address: &str| message(&format!("SUMMARY: AddressSanitizer: SEGV (x.so+0x{address})\n")).same_by;
        assert_ne!(bare("11"), bare("22"));
        let leak = "#10 0x11 in digest_ssp::capi::blocks::zeroed /src/capi/blocks.rs:102:31";
        assert_eq!(frame(leak), Some("digest_ssp::capi::blocks::zeroed"));
        let everywhere =
            ["<alloc::alloc::Global as core::alloc::Allocator>::allocate", "fuzzer::PrintStackTrace()", "calloc"];
        assert!(is_telling("digest_ssp::capi::blocks::zeroed") && is_telling("complete"));
        assert!(!everywhere.into_iter().any(is_telling));
        assert_eq!(message("\nERROR: signal: 11 (SIGSEGV)").kind, "crash");
        assert_eq!(message("SUMMARY: libFuzzer: timeout").kind, "timeout");
        assert_eq!(message("SUMMARY: libFuzzer: out-of-memory (used)").kind, "memory");
        let nothing = message("INFO: nothing");
        assert_eq!((nothing.kind, nothing.same_by), ("unstable", SameBy::InTarget(String::new())));
    }

    #[test]
    fn a_sequence_that_a_target_tells_is_kept() {
        let sequence = |told: &str| reproducer(&format!("row cat-x: a status\nreproducer: {told}\nnote: run with\n"));
        let empty = super::Sequence { setup: Default::default(), actions: Vec::new() };
        let told = serde_json::to_string(&empty).expect("it has a form in JSON");
        assert_eq!(sequence(&told), Some(empty));
        assert_eq!(sequence("[7]"), None);
        assert_eq!(end(&"ä".repeat(SAID)).len(), SAID);
        assert_eq!(end("short"), "short");
    }

    #[test]
    fn what_differs_in_values_is_the_same() {
        assert_eq!(without_values("at 12: \"abc\" is"), without_values("at 7: \"d\" is"));
        assert_ne!(without_values("at 12: a"), without_values("at 12: b"));
        assert!(line(&"ä\n".repeat(1000)).len() <= LINE + 3);
    }
}
