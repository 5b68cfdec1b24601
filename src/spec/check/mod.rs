//! `spec check`: what must be true of the tables before anybody judges by them.
#![forbid(unsafe_code)]

mod coverage;
mod machine;
mod references;
mod statuses;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use super::model::{CallSpec, Numbers, Specification};
use super::names::{Applies, CallName, Profile};

macro_rules! rules {
    ($($(#[$documentation:meta])* $rule:ident $name:literal;)*) => {
        /// A rule of `spec check`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule { $($(#[$documentation])* $rule),* }

        impl Rule {
            /// Every rule, in the order in which findings are reported.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// Its name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),* }
            }
        }
    };
}

rules! {
    /// Every call has a table for every mechanism.
    CallMissing "call-missing";
    /// No call has two tables for one mechanism.
    TableTwice "table-twice";
    /// A row applies to the mechanisms of its table, all of them and no other, or to any package.
    AppliesElsewhere "applies-elsewhere";
    /// At most one rule of a fact holds at a time.
    FactAmbiguous "fact-ambiguous";
    /// Every combination of facts matches a situation.
    NoSituation "no-situation";
    /// Every combination of facts has a row.
    NoRow "no-row";
    /// No combination of facts has two rows.
    SeveralRows "several-rows";
    /// Every situation is the first match of some combination.
    SituationUnused "situation-unused";
    /// Every state and situation of a row is that of some combination.
    RowUnused "row-unused";
    /// The numbers of combinations, situations and rows of each table are the pinned ones.
    Pins "pins";
    /// Every state of either role is reached from none, in the tables of Digest and in those of any package.
    StateUnreachable "state-unreachable";
    /// Handles and states go together: a new context has a new handle, a context that is gone has none.
    HandleAndState "handle-and-state";
    /// An error that leaves the state as it was changes nothing else: no register but a failure counted or a direction
    /// whose cipher is lost, no buffer but a challenge for the peer to go on with.
    ErrorLeavesTraces "error-leaves-traces";
    /// A context that becomes rejected drops its reference.
    RejectedHolds "rejected-holds";
    /// Every documented status is produced by a row, or is an exception.
    StatusNotProduced "status-not-produced";
    /// An exception is documented and not produced.
    ExceptionIdle "exception-idle";
    /// A row whose status the page of its call does not list is not `documented`.
    StatusNotDocumented "status-not-documented";
    /// No two outcomes of a row look alike from outside and differ in what follows.
    OutcomesIndistinguishable "outcomes-indistinguishable";
    /// Everything that claims something names its sources.
    SourceMissing "source-missing";
    /// Every source named is a document and, for rows, a section of it where it has sections.
    SourceUnknown "source-unknown";
    /// No source is named twice in one place.
    SourceTwice "source-twice";
    /// Every row an erratum or observation names exists.
    RowUnknown "row-unknown";
    /// The call an observation names exists.
    CallUnknown "call-unknown";
    /// No identifier stands twice.
    IdTwice "id-twice";
    /// Identifiers are lower-case letters, digits and hyphens.
    IdForm "id-form";
    /// What is decided, accepted, excepted or explained has a reason or a text.
    TextMissing "text-missing";
    /// facts.toml explains exactly the vocabulary, in its order.
    Vocabulary "vocabulary";
    /// Every fact and value of the vocabulary is used by some call.
    WordUnused "word-unused";
    /// statuses.toml explains exactly the statuses the crate knows, with their values.
    Statuses "statuses";
    /// machine.toml explains exactly the states of the vocabulary.
    States "states";
    /// An implementation was observed with these tables: a verdict on each row of its profile, and on no other.
    Observed "observed";
    /// callers.toml has exactly the rules that callers are judged by, in their order.
    Callers "callers";
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A place where the tables break a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The call, row, situation, fact or entry.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.rule, self.place, self.what)
    }
}

/// What `spec check` found and counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// The places where a rule is broken, rule by rule; empty for sound tables.
    pub findings: Vec<Finding>,
    /// How large each table is, by its key.
    pub counts: BTreeMap<String, Numbers>,
    /// The keys in the order of the tables.
    order: Vec<String>,
}

impl Report {
    /// Whether no rule is broken.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// The numbers as `spec/pins.toml` has them.
    pub fn pins(&self) -> String {
        let mut text = String::from("# Counted by `spec check`; a change here is a change in what is covered.\n");
        for call in &self.order {
            let Some(numbers) = self.counts.get(call) else { continue };
            text.push_str(&format!(
                "\n[call.{call}]\ncombinations = {}\nsituations = {}\nrows = {}\nreachable = {}\n",
                numbers.combinations, numbers.situations, numbers.rows, numbers.reachable
            ));
        }
        text
    }

    fn add(&mut self, rule: Rule, place: impl Into<String>, what: impl Into<String>) {
        self.findings.push(Finding { rule, place: place.into(), what: what.into() });
    }
}

/// One table of a call for each mechanism.
fn tables_of(specification: &Specification, name: CallName, report: &mut Report) {
    for profile in Profile::ALL {
        let tables = specification.tables_of(name).filter(|table| table.profiles.contains(profile)).count();
        let place = format!("{name} ({})", profile.title());
        match tables {
            0 => report.add(Rule::CallMissing, place, "no table describes it"),
            1 => {}
            several => report.add(Rule::TableTwice, place, format!("{several} tables describe it")),
        }
    }
}

fn applies(call: &CallSpec, report: &mut Report) {
    for row in &call.rows {
        for profile in Profile::ALL {
            let belongs = call.profiles.contains(profile);
            let applies = row.applies.iter().any(|applies| applies.covers(*profile));
            let any = row.applies.contains(&Applies::AnyPackage);
            if belongs != applies && !any {
                let what = if belongs { "the table describes" } else { "the table does not describe" };
                let what = format!("{what} {profile}, of which the row says otherwise");
                report.add(Rule::AppliesElsewhere, format!("row `{}`", row.id), what);
            }
        }
    }
}

/// Checks the tables against every [`Rule`].
pub fn check(specification: &Specification) -> Report {
    let mut report = Report::default();
    for name in CallName::ALL {
        tables_of(specification, *name, &mut report);
    }
    for call in &specification.calls {
        report.order.push(call.key());
        coverage::check(call, &mut report);
        applies(call, &mut report);
    }
    coverage::pins(specification, &mut report);
    machine::check(specification, &mut report);
    statuses::check(specification, &mut report);
    references::check(specification, &mut report);
    words::check(specification, &mut report);
    report.findings.sort();
    report
}
