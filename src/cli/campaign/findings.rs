//! What an engine left: judged, told once, and moved when that is written down.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use digest_ssp::conformance::Subject;
use digest_ssp::conformance::fuzzing::{self, Counterexample};
use wait_timeout::ChildExt;

use super::super::SetupError;
use super::store::{Finding, Found, Store};

/// How long one input is run again at most.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

/// How long a line that tells a finding is at most, in bytes.
const LINE: usize = 300;

/// Who judges what a target found.
pub(super) struct Judge<'j> {
    pub(super) target: &'j str,
    pub(super) program: &'j Path,
    pub(super) subject: &'j mut dyn Subject,
    pub(super) begun: Instant,
}

impl Judge<'_> {
    /// Takes in everything that the engine left.
    pub(super) fn take_in(&mut self, store: &mut Store) -> Result<(), SetupError> {
        let (artifacts, judged) = (store.artifacts(self.target)?, store.judged(self.target)?);
        let entries = std::fs::read_dir(&artifacts).map_err(|error| format!("{}: {error}", artifacts.display()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.sort();
        for file in files {
            let cannot = |error: std::io::Error| SetupError(format!("{}: {error}", file.display()));
            let bytes = std::fs::read(&file).map_err(cannot)?;
            if !self.judge_sequence(&bytes, store)? {
                let found = self.by_message(&file, bytes);
                store.find(found)?;
            }
            let name = file.file_name().unwrap_or_default();
            std::fs::rename(&file, judged.join(name)).map_err(cannot)?;
        }
        Ok(())
    }

    /// Judges an input that is a sequence apart from the fuzzer; whether something is wrong.
    pub(super) fn judge_sequence(&mut self, bytes: &[u8], store: &mut Store) -> Result<bool, SetupError> {
        let Some(sequence) = fuzzing::meaning(self.target, bytes) else { return Ok(false) };
        let Some(counterexample) = fuzzing::judged(self.subject, sequence) else { return Ok(false) };
        let Counterexample { row, finding } = *counterexample;
        let kind = format!("{:?}", finding.kind).to_ascii_lowercase();
        let row = Some(row).filter(|row| !row.is_empty());
        let sequence = serde_json::to_string_pretty(&finding.reproducer).map_err(|error| error.to_string())?;
        let key = format!("{kind} {}", row.as_deref().unwrap_or(&finding.difference));
        let finding = self.finding(&kind, row, &finding.difference);
        store.find(Found { key, finding, input: bytes.to_vec(), sequence: Some(sequence + "\n") })?;
        Ok(true)
    }

    fn finding(&self, kind: &str, row: Option<String>, what: &str) -> Finding {
        Finding {
            name: String::new(),
            target: self.target.to_owned(),
            kind: kind.to_owned(),
            row,
            what: line(what),
            times: 1,
            after_seconds: self.begun.elapsed().as_secs_f64(),
            has_sequence: false,
        }
    }

    /// What the target says of the input when it is run with it alone.
    fn by_message(&self, file: &Path, input: Vec<u8>) -> Found {
        let said = said(self.program, file).unwrap_or_else(|error| format!("it cannot be run again: {error}"));
        let Message { kind, row, what } = message(&said);
        let key = format!("{kind} {} {}", self.target, row.clone().unwrap_or_else(|| without_values(&what)));
        Found { key, finding: self.finding(kind, row, &what), input, sequence: None }
    }
}

/// What the program writes to standard error with one input.
fn said(program: &Path, file: &Path) -> std::io::Result<String> {
    let output = tempfile::NamedTempFile::new()?;
    let mut child =
        Command::new(program).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output.reopen()?).spawn()?;
    if child.wait_timeout(AGAIN)?.is_none() {
        child.kill()?;
        child.wait()?;
        return Ok(format!("ERROR: libFuzzer: timeout after {} seconds", AGAIN.as_secs()));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(output.path())?).into_owned())
}

/// What a target said.
#[derive(PartialEq, Eq, Debug)]
struct Message {
    kind: &'static str,
    row: Option<String>,
    what: String,
}

/// What a message says of an input: what does not hold, what the sanitizer found, or that it took too much.
fn message(said: &str) -> Message {
    let of = |kind, row, what: &str| Message { kind, row, what: what.to_owned() };
    let lines = || said.lines().map(str::trim);
    if let Some(after) =
        lines().skip_while(|line| !(line.starts_with("thread ") && line.contains("panicked at"))).nth(1)
    {
        let row = after.strip_prefix("row ").and_then(|rest| rest.split_once(": ")).map(|(row, _)| row.to_owned());
        return of("property", row.filter(|row| !row.is_empty()), after);
    }
    if let Some(summary) = lines().find(|line| line.starts_with("SUMMARY: ")) {
        let kind = match summary {
            line if line.contains("timeout") => "timeout",
            line if line.contains("out-of-memory") => "memory",
            _other => "sanitizer",
        };
        return of(kind, None, summary);
    }
    match lines().find(|line| line.contains("ERROR: ")) {
        Some(line) if line.contains("timeout") => of("timeout", None, line),
        Some(line) => of("sanitizer", None, line),
        None => of("unstable", None, "it ended the target once, and not when it was run again"),
    }
}

/// One line of bounded length.
fn line(text: &str) -> String {
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
    use super::{LINE, Message, line, message, without_values};

    #[test]
    fn what_a_target_said_is_understood() {
        let panicked = "INFO: Running\nthread '<unnamed>' panicked at src/lib.rs:27:17:\nrow cat-done: status SEC_E_OK\n\
                        note: run with\nSUMMARY: libFuzzer: deadly signal\n";
        let row = Some("cat-done".to_owned());
        let what = "row cat-done: status SEC_E_OK".to_owned();
        assert_eq!(message(panicked), Message { kind: "property", row, what });
        let sanitizer = "==1==ERROR: AddressSanitizer: heap-buffer-overflow on\nSUMMARY: AddressSanitizer: heap-buffer-overflow a.c:3 in f\n";
        assert_eq!(message(sanitizer).kind, "sanitizer");
        assert!(message(sanitizer).what.ends_with("in f"));
        assert_eq!(message("SUMMARY: libFuzzer: timeout").kind, "timeout");
        assert_eq!(message("SUMMARY: libFuzzer: out-of-memory (used)").kind, "memory");
        assert_eq!(message("INFO: nothing").kind, "unstable");
    }

    #[test]
    fn what_differs_in_values_is_the_same() {
        assert_eq!(without_values("at 12: \"abc\" is"), without_values("at 7: \"d\" is"));
        assert_ne!(without_values("at 12: a"), without_values("at 12: b"));
        assert!(line(&"ä\n".repeat(1000)).len() <= LINE + 3);
    }
}
