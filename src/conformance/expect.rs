//! Expectations: a file of known failures, each with its reason. A row that is wrong as an entry says is `xfail`; an entry
//! that nothing answers to any more is stale, which is a finding itself, so that no list of excuses outlives its bugs.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::report::details::counts;
use super::report::{FindingKind, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use super::run::matches_glob;
use crate::spec::Specification;
use crate::spec::names::Profile;
use crate::spec::visible::visible;

/// The verdicts that can be expected: all but those that ask for no excuse.
pub const VERDICTS: &[RowVerdict] = &[
    RowVerdict::Deviation,
    RowVerdict::Fail,
    RowVerdict::Crash,
    RowVerdict::Timeout,
    RowVerdict::Unstable,
    RowVerdict::Skipped,
    RowVerdict::Errored,
];

/// A file of expectations; `spec/schemas/expect.schema.json` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    entries: Vec<Expectation>,
}

/// One entry: these rows have this verdict, for this reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// The id of a row, or a pattern, see [`matches_glob`].
    pub row: String,
    /// The profile it is about; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The verdict.
    pub verdict: RowVerdict,
    /// Why that is so.
    pub reason: String,
    /// Where it is told at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The line of the file where the entry begins.
    pub line: usize,
}

/// What a row that became `xfail` was expected to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The verdict that it would have.
    pub verdict: RowVerdict,
    /// Why that is so.
    pub reason: String,
    /// Where it is told at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// An entry that is true of no row any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// The entry.
    #[serde(flatten)]
    pub entry: Expectation,
    /// What its rows are instead.
    pub why: String,
}

/// Why a file of expectations cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ExpectationError {
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    #[serde(default)]
    expect: Vec<Spanned<EntryText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    row: Pattern,
    profile: Option<Profile>,
    verdict: VerdictName,
    reason: Reason,
    link: Option<Link>,
}

/// What ids and patterns of ids are made of.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Pattern(String);

impl TryFrom<String> for Pattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-*?".contains(&octet);
        let is_one = !text.is_empty() && text.bytes().all(allowed);
        is_one.then_some(Self(text)).ok_or("row: an id has small letters, digits and `-`, a pattern `*` and `?` too")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct VerdictName(RowVerdict);

impl TryFrom<String> for VerdictName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let verdict = VERDICTS.iter().copied().find(|verdict| verdict.name() == name);
        verdict.map(Self).ok_or_else(|| {
            let known: Vec<_> = VERDICTS.iter().map(|verdict| verdict.name()).collect();
            format!("verdict: `{name}` cannot be expected; there are {}", known.join(", "))
        })
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() { Err("reason: it says nothing") } else { Ok(Self(text)) }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Link(String);

impl TryFrom<String> for Link {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // It becomes a link in reports: no other scheme, nothing that ends it early.
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_one = rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_graphic()));
        is_one.then_some(Self(text)).ok_or("link: it must be an address that begins with https:// or http://")
    }
}

impl Expectations {
    /// The entries of a text in TOML.
    ///
    /// # Errors
    /// The first place where the text is no such file: its line, and what is wrong.
    pub fn parse(text: &str) -> Result<Self, ExpectationError> {
        let line = |offset: usize| text.bytes().take(offset).filter(|octet| *octet == b'\n').count() + 1;
        let file: FileText = toml::from_str(text).map_err(|error| ExpectationError {
            line: error.span().map_or(1, |span| line(span.start)),
            what: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        })?;
        let entry = |entry: Spanned<EntryText>| {
            let line = line(entry.span().start);
            let EntryText { row, profile, verdict, reason, link } = entry.into_inner();
            let link = link.map(|link| link.0);
            Expectation { row: row.0, profile, verdict: verdict.0, reason: reason.0, link, line }
        };
        Ok(Self { entries: file.expect.into_iter().map(entry).collect() })
    }

    /// Makes rows that are as expected `xfail`, and names the entries that are stale; `offered` are the profiles that a run
    /// of this subject could have had, whether or not they were chosen.
    pub fn apply(&self, specification: &Specification, offered: &[Profile], report: &mut Report) {
        let stale = self.entries.iter().filter_map(|entry| {
            entry.stale(specification, offered, report).map(|why| Stale { entry: entry.clone(), why })
        });
        report.stale = stale.collect();
        for ProfileReport { profile, rows, .. } in &mut report.profiles {
            for row in rows {
                let own: Vec<&Expectation> =
                    self.entries.iter().filter(|entry| entry.concerns(*profile, &row.row)).collect();
                // Who expects a failure does not expect a crash beside it.
                let known = verdicts(row).iter().all(|shown| own.iter().any(|entry| entry.verdict == *shown));
                let Some(entry) = own.iter().find(|entry| entry.verdict == row.verdict && known) else { continue };
                let Expectation { verdict, reason, link, .. } = entry;
                row.expected = Some(Expected { verdict: *verdict, reason: reason.clone(), link: link.clone() });
                row.verdict = RowVerdict::Xfail;
            }
        }
    }
}

/// What a row shows: its verdict first, then those of findings beside it; a deviation beside something else is none.
fn verdicts(row: &RowReport) -> Vec<RowVerdict> {
    let mut verdicts = vec![row.verdict];
    for finding in row.findings.iter().filter(|finding| finding.kind != FindingKind::Deviation) {
        if !verdicts.contains(&finding.kind.verdict()) {
            verdicts.push(finding.kind.verdict());
        }
    }
    verdicts
}

/// Everything that counts against the subject: profile, row, verdict.
pub fn failures(report: &Report, strictness: Strictness) -> impl Iterator<Item = (Profile, &str, RowVerdict)> {
    report.profiles.iter().flat_map(move |ran| {
        let wrong = ran.rows.iter().filter(move |row| counts(row.verdict, strictness));
        wrong.flat_map(|row| verdicts(row).into_iter().map(|verdict| (ran.profile, row.row.as_str(), verdict)))
    })
}

/// A file that expects everything that counts against the subject today, for that reason.
pub fn record(report: &Report, strictness: Strictness, reason: &str) -> String {
    let subject = visible(&report.subject);
    let mut text = format!(
        "# What is known to be wrong with {subject}: a row that is wrong as an entry says has the verdict xfail.\n\
         # Replace each reason by the real one, and add `link = \"https://...\"` where it is told at length.\n\
         # An entry that is true of no row any more fails the run: remove it.\n"
    );
    let reason = toml::Value::from(reason);
    for (profile, row, verdict) in failures(report, strictness) {
        let verdict = verdict.name();
        text.push_str(&format!(
            "\n[[expect]]\nrow = \"{row}\"\nprofile = \"{profile}\"\nverdict = \"{verdict}\"\nreason = {reason}\n"
        ));
    }
    text
}

impl Expectation {
    fn concerns(&self, profile: Profile, row: &str) -> bool {
        self.profile.is_none_or(|own| own == profile) && matches_glob(&self.row, row)
    }

    /// Why the entry is stale, if it is. Rows that did not take part may still be as it says.
    fn stale(&self, specification: &Specification, offered: &[Profile], report: &Report) -> Option<String> {
        let concerned = |profile: Profile| {
            specification
                .of(profile)
                .flat_map(|tables| &tables.rows)
                .filter(move |row| self.concerns(profile, &row.id))
                .count()
        };
        let rows: usize = offered.iter().map(|profile| concerned(*profile)).sum();
        if rows == 0 {
            return Some("no row has such an id".to_owned());
        }
        let ran: Vec<(Profile, &RowReport)> = report
            .profiles
            .iter()
            .flat_map(|ran| ran.rows.iter().map(|row| (ran.profile, row)))
            .filter(|(profile, row)| self.concerns(*profile, &row.row))
            .collect();
        if ran.len() < rows || ran.iter().any(|(_, row)| verdicts(row).contains(&self.verdict)) {
            return None;
        }
        let told =
            ran.iter().take(3).map(|(profile, row)| format!("{} is {} in {profile}", row.row, row.verdict.name()));
        let rest = if ran.len() > 3 { format!(", and so on for {} more", ran.len() - 3) } else { String::new() };
        Some(format!("{}{rest}", told.collect::<Vec<_>>().join(", ")))
    }
}
