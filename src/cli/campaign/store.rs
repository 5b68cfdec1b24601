//! The directory of a campaign: what was run, what was found, and the corpora.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use digest_ssp::conformance::plan::Sequence;
use serde::{Deserialize, Serialize};

use super::super::SetupError;
use super::super::output::write_whole;
use super::engine::Counts;

/// The version of `campaign.json`.
pub(super) const CAMPAIGN_VERSION: u32 = 1;

/// What a campaign did and found: see `spec/schemas/campaign.schema.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Campaign {
    pub(super) campaign_version: u32,
    pub(super) spec_version: String,
    pub(super) engine: String,
    /// The library that `differential` goes to, where it is not the C ABI of this crate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) library: Option<String>,
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) findings: Vec<Finding>,
}

impl Campaign {
    /// Why targets could not be run the last time.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().filter_map(|(name, target)| Some((name.as_str(), target.problem.as_deref()?)))
    }

    /// Adds what a run did since it was added last.
    pub(super) fn add(&mut self, target: &str, counts: &Counts, added: &Counts) {
        let entry = self.targets.entry(target.to_owned()).or_default();
        entry.executions += counts.executions.saturating_sub(added.executions);
        entry.seconds += counts.seconds - added.seconds;
        entry.coverage = counts.coverage;
        entry.corpus = counts.corpus;
    }
}

/// What was done with a target.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Target {
    /// That an engine began.
    pub(super) runs: u64,
    pub(super) executions: u64,
    pub(super) seconds: f64,
    /// Of the last run.
    pub(super) coverage: u64,
    /// Of the last run.
    pub(super) corpus: u64,
    /// Why it could not be run the last time, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// What was found, once for all that violate the same.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Finding {
    /// The name of its files below `findings/`.
    pub(super) name: String,
    /// Who showed it first.
    pub(super) target: String,
    /// Who else did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) also: Vec<String>,
    /// What sort: `fail`, `crash`, … as in a report; `property` where a target said that something does not hold, `sanitizer`,
    /// `timeout`, `memory`.
    pub(super) kind: String,
    /// The row that it offends, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<String>,
    /// What it is, in one line.
    pub(super) what: String,
    /// How often an input showed it, that of seeds in every run.
    pub(super) times: u64,
    /// After how many seconds of the run that found it.
    pub(super) after_seconds: f64,
    /// Whether there is a sequence that shows it.
    pub(super) has_sequence: bool,
}

/// What was found, before it has a name: what is the same has the same key.
pub(super) struct Found {
    pub(super) key: String,
    pub(super) finding: Finding,
    pub(super) input: Vec<u8>,
    pub(super) sequence: Option<Sequence>,
    /// What the target said of the input.
    pub(super) said: Option<String>,
}

#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    campaign: Campaign,
}

fn cannot(path: &Path, error: &std::io::Error) -> SetupError {
    SetupError(format!("{}: {error}", path.display()))
}

/// What lies in a directory, in the order of the names.
pub(super) fn below(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    Ok(paths)
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether libFuzzer left an artifact because it took long, with which nothing is wrong.
pub(super) fn is_only_slow(name: &str) -> bool {
    name.starts_with("slow-unit-")
}

fn made(directory: PathBuf) -> Result<PathBuf, SetupError> {
    std::fs::create_dir_all(&directory).map_err(|error| cannot(&directory, &error))?;
    Ok(directory)
}

impl Store {
    fn file(directory: &Path) -> PathBuf {
        directory.join("campaign.json")
    }

    /// The campaign that lives there, or a new one.
    pub(super) fn open(
        directory: &Path,
        engine: &str,
        library: Option<String>,
        spec_version: &str,
    ) -> Result<Self, SetupError> {
        if Self::file(directory).exists() {
            let mut store = Self::existing(directory)?;
            if store.campaign.library != library {
                let (place, there) = (directory.display(), store.campaign.library.as_deref().unwrap_or("this crate"));
                return Err(format!("--dir {place}: the campaign there is of {there}; name another directory").into());
            }
            return match store.campaign.engine == engine {
                true => {
                    store.campaign.spec_version = spec_version.to_owned();
                    Ok(store)
                }
                false => {
                    let (place, there) = (directory.display(), &store.campaign.engine);
                    Err(format!("--dir {place}: the campaign there is one of {there}; name another directory").into())
                }
            };
        }
        let campaign = Campaign {
            campaign_version: CAMPAIGN_VERSION,
            spec_version: spec_version.to_owned(),
            engine: engine.to_owned(),
            library,
            targets: BTreeMap::new(),
            findings: Vec::new(),
        };
        let store = Self { directory: made(directory.to_owned())?, campaign };
        store.save()?;
        Ok(store)
    }

    /// The campaign that lives there.
    pub(super) fn existing(directory: &Path) -> Result<Self, SetupError> {
        let file = Self::file(directory);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("--dir {}: no campaign lives there: {error}", directory.display()))?;
        let campaign: Campaign =
            serde_json::from_str(&text).map_err(|error| format!("{}: it is no campaign: {error}", file.display()))?;
        if campaign.campaign_version != CAMPAIGN_VERSION {
            let version = campaign.campaign_version;
            return Err(format!("{}: only version {CAMPAIGN_VERSION} is read, not {version}", file.display()).into());
        }
        Ok(Self { directory: directory.to_owned(), campaign })
    }

    pub(super) fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// What the engine found interesting, beside the seeds.
    pub(super) fn corpus(&self, target: &str) -> Result<PathBuf, SetupError> {
        made(self.directory.join(target).join("corpus"))
    }

    /// What ended the target, and was not taken in yet.
    pub(super) fn artifacts(&self, target: &str) -> Result<PathBuf, SetupError> {
        made(self.directory.join(target).join("artifacts"))
    }

    /// What the engine begins with: none as yet.
    pub(super) fn seeds(&self, target: &str) -> Result<PathBuf, SetupError> {
        let directory = self.directory.join(target).join("seeds");
        match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot(&directory, &error)),
            _gone => made(directory),
        }
    }

    /// What libFuzzer said beside how far it was.
    pub(super) fn log(&self, target: &str) -> Result<PathBuf, SetupError> {
        Ok(made(self.directory.join(target))?.join("engine.log"))
    }

    /// Where an artifact is moved to when it was taken in.
    pub(super) fn judged(&self, target: &str) -> Result<PathBuf, SetupError> {
        made(self.directory.join(target).join("judged"))
    }

    /// How many artifacts lie there that were not taken in: what an interrupted run left.
    pub(super) fn not_taken_in(&self) -> usize {
        let left = |target: &String| below(&self.directory.join(target).join("artifacts")).unwrap_or_default();
        let files = self.campaign.targets.keys().flat_map(left);
        files.filter(|file| !is_only_slow(&name(file))).count()
    }

    /// Another run of a target.
    pub(super) fn begin(&mut self, target: &str) -> Result<(), SetupError> {
        let entry = self.campaign.targets.entry(target.to_owned()).or_default();
        entry.runs += 1;
        entry.problem = None;
        self.save()
    }

    /// A target could not be run, or not to its end.
    pub(super) fn could_not_run(&mut self, target: &str, problem: String) -> Result<(), SetupError> {
        self.campaign.targets.entry(target.to_owned()).or_default().problem = Some(problem);
        self.save()
    }

    /// Whether there is a finding of that key.
    pub(super) fn knows(&self, key: &str) -> bool {
        let name = file_stem(key);
        self.campaign.findings.iter().any(|known| known.name == name)
    }

    /// Adds what a run did since it was written down last.
    pub(super) fn add(&mut self, target: &str, counts: &Counts, written: &Counts) -> Result<(), SetupError> {
        self.campaign.add(target, counts, written);
        self.save()
    }

    /// Takes in what was found: another input of what is known, or something new with files of its own.
    pub(super) fn find(&mut self, found: Found) -> Result<(), SetupError> {
        let Found { key, mut finding, input, sequence, said } = found;
        finding.name = file_stem(&key);
        match self.campaign.findings.iter_mut().find(|known| known.name == finding.name) {
            Some(known) => {
                known.times += 1;
                if known.target != finding.target && !known.also.contains(&finding.target) {
                    known.also.push(finding.target);
                }
            }
            None => {
                let directory = made(self.directory.join("findings"))?;
                let file = directory.join(format!("{}.input", finding.name));
                std::fs::write(&file, input).map_err(|error| cannot(&file, &error))?;
                finding.has_sequence = sequence.is_some();
                if let Some(sequence) = sequence {
                    write_json(&directory.join(format!("{}.json", finding.name)), &sequence)?;
                }
                if let Some(said) = said {
                    let file = directory.join(format!("{}.txt", finding.name));
                    write_whole(&file, &said).map_err(|error| cannot(&file, &error))?;
                }
                self.campaign.findings.push(finding);
            }
        }
        self.save()
    }

    fn save(&self) -> Result<(), SetupError> {
        write_json(&Self::file(&self.directory), &self.campaign)
    }
}

fn write_json(file: &Path, value: &impl Serialize) -> Result<(), SetupError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    write_whole(file, &(text + "\n")).map_err(|error| cannot(file, &error))
}

/// A name that a file can have.
fn file_stem(key: &str) -> String {
    let short: String = key
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' })
        .take(40)
        .collect();
    let [a, b, c, d, ..] = digest_ssp::digest::hash::md5(&[key.as_bytes()]);
    format!("{}-{:08x}", short.trim_matches('-'), u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::file_stem;

    #[test]
    fn names_are_of_files_and_their_own() {
        assert_eq!(file_stem("a/b").split('-').count(), 3);
        let long = |end: &str| file_stem(&("x".repeat(100) + end));
        assert_ne!(long("1"), long("2"));
        assert!(long("1").len() < 64);
    }
}
