//! `target/interop/peers.json`: which program showed what.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::case::{Case, Role};
use crate::peers::Peer;

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Passed,
    Failed,
    /// The program is not installed.
    Skipped,
}

/// One case and its fate, if it ran.
struct Entry {
    peer: Peer,
    role: Role,
    shows: String,
    fate: Option<Fate>,
}

#[derive(Default)]
struct Contents {
    entries: Vec<Entry>,
    versions: BTreeMap<Peer, String>,
}

/// `target/interop`.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop")
}

/// What is known so far; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Report(Arc<Mutex<Contents>>);

impl Report {
    /// A report in which nothing ran yet, in the order of `cases`.
    pub(crate) fn of(cases: &[Case]) -> Self {
        let entries =
            cases.iter().map(|case| Entry { peer: case.peer, role: case.role, shows: case.shows.clone(), fate: None });
        Self(Arc::new(Mutex::new(Contents { entries: entries.collect(), versions: BTreeMap::new() })))
    }

    pub(crate) fn version(&self, peer: Peer, version: String) {
        self.contents(|contents| contents.versions.insert(peer, version));
    }

    pub(crate) fn record(&self, peer: Peer, role: Role, shows: &str, fate: Fate) {
        self.contents(|contents| {
            let mut entries = contents.entries.iter_mut();
            let entry = entries.find(|entry| entry.peer == peer && entry.role == role && entry.shows == shows);
            entry.expect("the report was made of the cases").fate = Some(fate);
        });
    }

    /// Writes the file, unless no case was asked for. `complete` says whether every case ran and passed: only then it tells what
    /// passes.
    pub(crate) fn write(&self) -> io::Result<()> {
        if self.contents(|contents| contents.entries.iter().all(|entry| entry.fate.is_none())) {
            return Ok(());
        }
        let text = format!("{:#}\n", self.document());
        let directory = directory();
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("peers.json"), text)
    }

    /// The file's contents.
    pub(crate) fn document(&self) -> Value {
        self.contents(|contents| {
            let complete = contents.entries.iter().all(|entry| entry.fate == Some(Fate::Passed));
            let mut rows: Vec<(Peer, Role)> = Vec::new();
            for entry in &contents.entries {
                if !rows.contains(&(entry.peer, entry.role)) {
                    rows.push((entry.peer, entry.role));
                }
            }
            let (witnesses, peers): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, role)| *role == Role::Witness);
            let [peers, witnesses] = [peers, witnesses]
                .map(|rows| -> Vec<Value> { rows.into_iter().map(|(peer, role)| contents.row(peer, role)).collect() });
            json!({ "complete": complete, "peers": peers, "witnesses": witnesses })
        })
    }

    fn contents<T>(&self, use_it: impl FnOnce(&mut Contents) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Contents {
    fn row(&self, peer: Peer, role: Role) -> Value {
        let with = |fate| -> Vec<&str> {
            let entries = self.entries.iter().filter(|entry| entry.peer == peer && entry.role == role);
            entries.filter(|entry| entry.fate == fate).map(|entry| entry.shows.as_str()).collect()
        };
        json!({
            "peer": peer.name(),
            "role": role.as_str(),
            "version": self.versions.get(&peer),
            "passed": with(Some(Fate::Passed)),
            "failed": with(Some(Fate::Failed)),
            "skipped": with(Some(Fate::Skipped)),
            "not_run": with(None),
        })
    }
}
