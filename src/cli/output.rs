//! Where results go: standard output, plain unless it is a terminal, or a file, all of it or nothing.
#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use digest_ssp::spec::Specification;
use indicatif::{ProgressBar, ProgressStyle};

use super::SetupError;

/// The form of what is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// For a person.
    Human,
    /// For a program.
    Json,
}

/// The tables of this build.
pub(super) fn tables() -> Result<Arc<Specification>, SetupError> {
    let tables = Specification::embedded();
    tables.map(Arc::new).map_err(|error| SetupError(format!("the tables of this build are broken: {error}")))
}

/// Prints to standard output; styles reach terminals only, and none where `NO_COLOR` is set.
pub(super) fn print(text: &str) -> Result<(), SetupError> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever closed standard output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(format!("standard output: {error}").into()),
        Ok(()) => Ok(()),
    }
}

/// A bar on standard error, which only a terminal shows.
pub(super) fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// A sign of life on standard error, for what has no known end; only a terminal shows it.
pub(super) fn spinner() -> ProgressBar {
    if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

/// A value as an indented document.
pub(super) fn json(value: &serde_json::Value) -> Result<String, SetupError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| format!("it has no form in JSON: {error}"))?;
    Ok(text + "\n")
}

/// The file of `--output`, written as [`write_whole`] does.
pub(super) fn write_file(file: &Path, text: &str) -> Result<(), SetupError> {
    write_whole(file, text).map_err(|error| format!("--output {}: {error}", file.display()).into())
}

/// Writes a file beside its final place and then renames it, so that no reader sees half of it.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let plain = anstream::adapter::strip_str(text).to_string();
    let Some(last) = file.file_name() else { return Err(io::Error::other("it names no file")) };
    let mut beside = last.to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = file.with_file_name(beside);
    let written = std::fs::write(&beside, plain).and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        // What was begun is of no use; if it cannot be removed either, the first error says more.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
