//! The tables as they stand in `spec/`, and the form in which they are looked up.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::callers::CallerRuleEntry;
use super::names::{Applies, Buffers, CallName, Effect, HandleOutcome, Level, Need, Profile, Provenance};
use super::vocabulary::{Fact, Facts, ValueIndex};

/// One name or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// A conjunction: fact name → the values allowed; a value with `!` before it excludes, "n/a" is "not applicable".
pub type PatternText = BTreeMap<String, OneOrMany>;

/// `spec/calls/*.toml`: everything about one call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFile {
    /// The call itself.
    pub call: CallHeader,
    /// Its facts in the order of checks.
    #[serde(default)]
    pub fact: Vec<FactEntry>,
    /// Its situations in order; the first that matches holds.
    #[serde(default)]
    pub situation: Vec<SituationText>,
    /// Its rows.
    #[serde(default)]
    pub row: Vec<RowText>,
}

/// The head of a call's file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallHeader {
    /// The function.
    pub name: CallName,
    /// The mechanism, or the mechanisms, that the table describes.
    pub profile: ProfileText,
    /// What it is for.
    pub text: String,
    /// The return codes its page documents.
    pub documented: Vec<String>,
    /// Documented return codes that no row produces, each with the reason.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// Where it is documented.
    pub sources: Vec<String>,
}

/// One mechanism or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ProfileText {
    /// One.
    One(Profile),
    /// Several.
    Many(Vec<Profile>),
}

impl ProfileText {
    /// The profiles.
    pub fn profiles(&self) -> &[Profile] {
        match self {
            Self::One(profile) => std::slice::from_ref(profile),
            Self::Many(profiles) => profiles,
        }
    }
}

/// A documented status that no row produces.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The status.
    pub status: String,
    /// Why no row produces it.
    pub why: String,
}

/// A fact of a call: when it exists and which of its values are no departure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactEntry {
    /// The fact.
    pub fact: String,
    /// It exists when one of these holds; always when empty.
    #[serde(default)]
    pub when: Vec<PatternText>,
    /// The values it can have here; all of the fact's when empty.
    #[serde(default)]
    pub values: Vec<String>,
    /// The values that are no departure, the best first; the first of `values` when empty.
    #[serde(default)]
    pub fine: Vec<String>,
}

/// A situation: a name for one or more patterns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SituationText {
    /// Its name, unique within the call.
    pub id: String,
    /// It holds when one of these holds.
    pub when: Vec<PatternText>,
    /// What it is, for people.
    pub text: String,
}

/// A row as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowText {
    /// Its identifier: never changes, never reused.
    pub id: String,
    /// The role of the live context; absent where there is none.
    pub role: Option<String>,
    /// The states it applies in; "none" where there is no live context.
    pub state: OneOrMany,
    /// The situations it applies in.
    pub situation: OneOrMany,
    /// The status.
    pub status: String,
    /// The state afterwards; "same" where it stays what it was.
    pub next: String,
    /// The handle afterwards.
    pub handle: HandleOutcome,
    /// What the buffers hold afterwards.
    pub buffers: Buffers,
    /// What happens to the registers.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// What may happen just as well, where the documents leave it to the package.
    #[serde(default)]
    pub also: Vec<AlternativeText>,
    /// What another implementation may do without being wrong.
    #[serde(default)]
    pub accept: Vec<AlternativeText>,
    /// What it applies to.
    pub applies: Vec<Applies>,
    /// What a subject must offer for it to be testable.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// How binding it is.
    pub level: Level,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The documents and sections it rests on.
    pub sources: Vec<String>,
    /// Why, in one line.
    pub why: String,
}

/// An accepted alternative as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternativeText {
    /// The status.
    pub status: String,
    /// The state afterwards; the row's when absent.
    pub next: Option<String>,
    /// The handle afterwards; the row's when absent.
    pub handle: Option<HandleOutcome>,
    /// The buffers afterwards; the row's when absent.
    pub buffers: Option<Buffers>,
    /// The effects; the row's when absent.
    pub effects: Option<Vec<Effect>>,
    /// Why it is not wrong.
    pub why: String,
}

/// The state a live context is in after a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Next {
    /// What it was.
    Same,
    /// No live context.
    None,
    /// That state (a value of the fact `state`).
    State(ValueIndex),
}

impl Next {
    /// The name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::None => "none",
            Self::State(state) => Fact::State.values()[state as usize],
        }
    }
}

/// One outcome that a row allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowed {
    /// The status.
    pub status: crate::status::SecurityStatus,
    /// The state afterwards.
    pub next: Next,
    /// The handle afterwards.
    pub handle: HandleOutcome,
    /// What the buffers hold.
    pub buffers: Buffers,
    /// What happens to the registers.
    pub effects: Vec<Effect>,
    /// Why it is allowed.
    pub why: String,
}

/// A row, looked up by (role, state, situation).
#[derive(Clone, Debug)]
pub struct Row {
    /// Its identifier.
    pub id: String,
    /// The call.
    pub call: CallName,
    /// The role of the live context, if there is one.
    pub role: Option<ValueIndex>,
    /// The states it applies in; `None` is "no live context".
    pub states: Vec<Option<ValueIndex>>,
    /// The situations it applies in, as positions among the call's.
    pub situations: Vec<usize>,
    /// What must happen.
    pub outcome: Allowed,
    /// What may happen just as well.
    pub also: Vec<Allowed>,
    /// What may happen instead.
    pub accept: Vec<Allowed>,
    /// What it applies to.
    pub applies: Vec<Applies>,
    /// What a subject must offer.
    pub needs: Vec<Need>,
    /// How binding it is.
    pub level: Level,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Its sources.
    pub sources: Vec<String>,
}

impl Row {
    /// What must happen, one or the other.
    pub fn required(&self) -> impl Iterator<Item = &Allowed> {
        std::iter::once(&self.outcome).chain(&self.also)
    }

    /// Every outcome that is not wrong.
    pub fn allowed(&self) -> impl Iterator<Item = &Allowed> {
        self.required().chain(&self.accept)
    }
}

/// A conjunction over facts, ready to be matched.
#[derive(Clone, Debug, Default)]
pub struct Pattern(pub(super) Vec<(Fact, u32)>);

/// The bit of "n/a" in the mask of a [`Pattern`].
pub(super) const NOT_APPLICABLE_BIT: u32 = 1 << 31;

impl Pattern {
    /// Whether the facts satisfy it.
    pub fn matches(&self, facts: &Facts) -> bool {
        self.0.iter().all(|(fact, mask)| mask & Self::bit(*fact, facts) != 0)
    }

    /// The bit of the value that a fact has.
    pub(super) fn bit(fact: Fact, facts: &Facts) -> u32 {
        facts.get(fact).map_or(NOT_APPLICABLE_BIT, |value| 1 << value)
    }
}

/// A fact of a call, ready to be enumerated.
#[derive(Clone, Debug)]
pub struct FactRule {
    /// The fact.
    pub fact: Fact,
    /// It exists when one of these holds; always when empty.
    pub when: Vec<Pattern>,
    /// The values it can have here.
    pub values: Vec<ValueIndex>,
    /// The values that are no departure, the best first.
    pub fine: Vec<ValueIndex>,
}

impl FactRule {
    /// Whether the fact exists, given the facts before it.
    pub fn exists(&self, facts: &Facts) -> bool {
        self.when.is_empty() || self.when.iter().any(|pattern| pattern.matches(facts))
    }
}

/// A situation, ready to be matched.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Its name.
    pub id: String,
    /// It holds when one of these holds.
    pub when: Vec<Pattern>,
    /// What it is.
    pub text: String,
}

/// One call as one mechanism has it, or as several share it: facts, situations, rows.
#[derive(Clone, Debug)]
pub struct CallSpec {
    /// The function.
    pub name: CallName,
    /// The mechanisms whose calls it describes.
    pub profiles: Vec<Profile>,
    /// What it is for.
    pub text: String,
    /// The statuses its page documents.
    pub documented: Vec<crate::status::SecurityStatus>,
    /// Documented statuses that no row produces.
    pub exceptions: Vec<Exception>,
    /// Where it is documented.
    pub sources: Vec<String>,
    /// Its facts in the order of checks.
    pub facts: Vec<FactRule>,
    /// Its situations in order.
    pub situations: Vec<Situation>,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl CallSpec {
    /// The name of the table for readers: the call, and the profile where others have tables of their own.
    pub fn title(&self) -> String {
        match self.profiles.as_slice() {
            [profile] => format!("{} ({})", self.name, profile.title()),
            [] | [_, ..] => self.name.to_string(),
        }
    }

    /// The name of the table in `pins.toml` and in links: the call, then "-sasl" where it is SASL's own and
    /// "-any" where it is that of any package.
    pub fn key(&self) -> String {
        match self.profiles.as_slice() {
            [Profile::DigestSasl] => format!("{}-sasl", self.name),
            [Profile::AnyPackage] => format!("{}-any", self.name),
            [] | [_, ..] => self.name.to_string(),
        }
    }

    /// The first situation that matches, as its position.
    pub fn situation(&self, facts: &Facts) -> Option<usize> {
        self.situations.iter().position(|situation| situation.when.iter().any(|pattern| pattern.matches(facts)))
    }

    /// The row of these facts, with its position: the first; `spec check` shows that there is no second.
    pub fn row(&self, facts: &Facts) -> Option<(usize, &Row)> {
        self.rows_of(facts).next()
    }

    /// Every row of these facts.
    pub fn rows_of<'a>(&'a self, facts: &Facts) -> impl Iterator<Item = (usize, &'a Row)> + 'a {
        let situation = self.situation(facts);
        let (role, state) = (facts.get(Fact::Role), facts.get(Fact::State));
        self.rows.iter().enumerate().filter(move |(_, row)| {
            row.role == role && row.states.contains(&state) && situation.is_some_and(|id| row.situations.contains(&id))
        })
    }

    /// The rules of those facts that are not as they are in an all-good call.
    pub fn departures<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = &'a FactRule> + 'a {
        let departs = |rule: &&FactRule| facts.get(rule.fact).is_some_and(|value| !rule.fine.contains(&value));
        self.facts.iter().filter(|rule| rule.exists(facts)).filter(departs)
    }

    /// The rule by which a fact exists, given the facts before it.
    pub fn rule_of(&self, fact: Fact, facts: &Facts) -> Option<&FactRule> {
        self.facts.iter().find(|rule| rule.fact == fact && rule.exists(facts))
    }
}

/// A status and what it means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatusEntry {
    /// Its documented name.
    pub name: String,
    /// Its value, "0x" and eight digits.
    pub value: String,
    /// What it means.
    pub meaning: String,
    /// Where that is documented.
    pub sources: Vec<String>,
}

/// A state of one role.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StateEntry {
    /// acceptor or initiator.
    pub role: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub text: String,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The documents it rests on.
    pub sources: Vec<String>,
}

/// A fact explained.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FactText {
    /// Its name.
    pub name: String,
    /// What it is.
    pub text: String,
    /// Its values explained, in order, the good one first.
    pub values: Vec<ValueText>,
}

/// A value of a fact explained.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ValueText {
    /// Its name.
    pub name: String,
    /// What it means.
    pub text: String,
}

/// A document that rows rest on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its identifier, as rows cite it before the `#`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// Where it is published.
    pub url: String,
    /// The revision or the month it was read.
    pub read: String,
    /// Its sections: the name after the `#`, and the heading.
    #[serde(default)]
    pub sections: BTreeMap<String, String>,
}

/// A place where the documents contradict themselves, each other, or what is seen.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Erratum {
    /// Its identifier.
    pub id: String,
    /// What stands where.
    pub says: String,
    /// What stands against it.
    pub against: String,
    /// What this spec does.
    pub decision: String,
    /// The documents.
    pub sources: Vec<String>,
    /// The rows it bears on, by id.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// What a named implementation was seen to do; it stands beside the rows and never changes them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Its identifier.
    pub id: String,
    /// The implementation and its version.
    pub implementation: String,
    /// The call.
    pub call: String,
    /// What was seen.
    pub seen: String,
    /// Where it was seen or reported.
    pub sources: Vec<String>,
    /// The rows it bears on, by id.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// The verdicts on what a named implementation answered to its own caller (`spec/observed`, made by `.ci/observe`); like an
/// observation it stands beside the rows and never changes them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The implementation.
    pub implementation: String,
    /// Its version.
    pub version: String,
    /// The package that was under test.
    pub package: String,
    /// The profile that was run.
    pub profile: Profile,
    /// The version of the tables that judged.
    pub spec_version: String,
    /// The day, as ISO 8601 writes it.
    pub observed: String,
    /// The verdict on each row of the profile, by id: a name that reports of `conform` use, `unstable` where runs differ.
    pub rows: BTreeMap<String, String>,
}

/// `spec/pins.toml`: how large the tables are, so that no edit changes what is covered unnoticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The numbers of each table, by its key.
    #[serde(default)]
    pub call: BTreeMap<String, Numbers>,
}

/// How large the tables of one call are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Consistent combinations of facts.
    pub combinations: u64,
    /// Situations.
    pub situations: u64,
    /// Rows.
    pub rows: u64,
    /// The pairs of a state and a situation that can be.
    pub reachable: u64,
}

/// The whole specification.
#[derive(Clone, Debug)]
pub struct Specification {
    /// Its version.
    pub version: String,
    /// The statuses.
    pub statuses: Vec<StatusEntry>,
    /// The states.
    pub states: Vec<StateEntry>,
    /// The facts explained.
    pub facts: Vec<FactText>,
    /// The tables: of each call one for each mechanism, or one for both.
    pub calls: Vec<CallSpec>,
    /// The documents.
    pub sources: Vec<Source>,
    /// The errata.
    pub errata: Vec<Erratum>,
    /// The observations.
    pub observations: Vec<Observation>,
    /// The verdicts on named implementations.
    pub observed: Vec<Observed>,
    /// What callers owe the package.
    pub callers: Vec<CallerRuleEntry>,
    /// The numbers that `spec check` must count again.
    pub pins: Pins,
}

impl Specification {
    /// The table of a call of a mechanism.
    pub fn call(&self, name: CallName, profile: Profile) -> Option<&CallSpec> {
        self.calls.iter().find(|call| call.name == name && call.profiles.contains(&profile))
    }

    /// Every table of a call.
    pub fn tables_of(&self, name: CallName) -> impl Iterator<Item = &CallSpec> {
        self.calls.iter().filter(move |call| call.name == name)
    }

    /// The tables of a mechanism, those it shares among them.
    pub fn of(&self, profile: Profile) -> impl Iterator<Item = &CallSpec> {
        self.calls.iter().filter(move |call| call.profiles.contains(&profile))
    }

    /// A row by its identifier, with the table it stands in.
    pub fn find(&self, id: &str) -> Option<(&CallSpec, &Row)> {
        self.calls.iter().find_map(|call| call.rows.iter().find(|row| row.id == id).map(|row| (call, row)))
    }

    /// A row by its identifier.
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.find(id).map(|(_, row)| row)
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.calls.iter().flat_map(|call| call.rows.iter())
    }

    /// The text of a source reference `document#section`, if it is one.
    pub fn source(&self, reference: &str) -> Option<(&Source, Option<&str>)> {
        let (document, section) = reference.split_once('#').map_or((reference, None), |(d, s)| (d, Some(s)));
        let source = self.sources.iter().find(|source| source.id == document)?;
        match section {
            None => Some((source, None)),
            Some(section) => source.sections.get(section).map(|heading| (source, Some(heading.as_str()))),
        }
    }
}
