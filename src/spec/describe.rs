//! The tables said again: patterns as words, states as names, references as titles and links.
#![forbid(unsafe_code)]

use super::compile::{NO_STATE, NOT_APPLICABLE};
use super::model::{Erratum, NOT_APPLICABLE_BIT, Observation, Observed, Pattern, Row, Source, Specification};
use super::vocabulary::{Fact, ValueIndex};

/// What a pattern demands of one fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// It has one of these values ("n/a" among them).
    OneOf(Fact, Vec<&'static str>),
    /// It has none of these values; it may be "n/a".
    NoneOf(Fact, Vec<&'static str>),
}

impl core::fmt::Display for Condition {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OneOf(fact, values) => write!(formatter, "{} = {}", fact.name(), values.join(" | ")),
            Self::NoneOf(fact, values) => write!(formatter, "{} ≠ {}", fact.name(), values.join(" | ")),
        }
    }
}

impl Pattern {
    /// What it demands, fact by fact; empty where it always holds.
    pub fn conditions(&self) -> Vec<Condition> {
        self.0.iter().map(|(fact, mask)| condition(*fact, *mask)).collect()
    }

    /// The first that is not met where facts take no values but these.
    pub(super) fn unmet(&self, values: impl Fn(Fact) -> u32) -> Option<Condition> {
        let unmet = self.0.iter().find(|(fact, mask)| mask & values(*fact) == 0);
        unmet.map(|(fact, mask)| condition(*fact, *mask))
    }
}

fn condition(fact: Fact, mask: u32) -> Condition {
    let values = |wanted: bool| {
        (0..).zip(fact.values()).filter(move |(bit, _)| (mask & (1_u32 << bit) != 0) == wanted).map(|(_, name)| *name)
    };
    // As it is written in the tables: "!value" is the only way to allow "n/a" beside other values without naming it.
    if mask & NOT_APPLICABLE_BIT != 0 && values(false).count() < values(true).count() {
        return Condition::NoneOf(fact, values(false).collect());
    }
    let not_applicable = (mask & NOT_APPLICABLE_BIT != 0).then_some(NOT_APPLICABLE);
    Condition::OneOf(fact, values(true).chain(not_applicable).collect())
}

/// The patterns of a situation or fact as one line: "always", or alternatives of conjunctions.
pub(super) fn patterns(patterns: &[Pattern]) -> String {
    let one = |pattern: &Pattern| {
        let conditions: Vec<String> = pattern.conditions().iter().map(Condition::to_string).collect();
        if conditions.is_empty() { String::from("always") } else { conditions.join(", ") }
    };
    if patterns.is_empty() {
        return String::from("always");
    }
    patterns.iter().map(one).collect::<Vec<_>>().join("; or ")
}

/// The name of a state of a row; "none" is "no live context", "n/a" a live context whose state does not matter.
pub(super) fn state(row: &Row, state: Option<ValueIndex>) -> &'static str {
    match (state, row.role) {
        (Some(state), _) => Fact::State.values()[usize::from(state)],
        (None, None) => NO_STATE,
        (None, Some(_)) => NOT_APPLICABLE,
    }
}

/// The name of the role of a row, if it has one.
pub(super) fn role(row: &Row) -> Option<&'static str> {
    row.role.map(|role| Fact::Role.values()[usize::from(role)])
}

/// A reference resolved.
#[derive(Clone, Debug)]
pub(super) struct Reference<'a> {
    pub(super) source: &'a Source,
    pub(super) section: Option<&'a str>,
    pub(super) heading: Option<&'a str>,
}

impl Reference<'_> {
    /// The heading of the section, after its number where it has one.
    pub(super) fn heading_with_number(&self) -> Option<String> {
        let heading = self.heading?;
        match self.section {
            Some(section) if section.starts_with(|first: char| first.is_ascii_digit()) => {
                Some(format!("{section}, {heading}"))
            }
            Some(_) | None => Some(heading.to_owned()),
        }
    }
}

/// A reference `document#section` resolved, if `spec check` lets it pass.
pub(super) fn reference<'a>(specification: &'a Specification, reference: &'a str) -> Option<Reference<'a>> {
    let (source, heading) = specification.source(reference)?;
    Some(Reference { source, section: reference.split_once('#').map(|(_, section)| section), heading })
}

/// The errata that bear on a row.
pub(super) fn errata<'a>(specification: &'a Specification, row: &'a str) -> impl Iterator<Item = &'a Erratum> {
    specification.errata.iter().filter(move |erratum| erratum.rows.iter().any(|id| id == row))
}

/// The observations that bear on a row.
pub(super) fn observations<'a>(
    specification: &'a Specification,
    row: &'a str,
) -> impl Iterator<Item = &'a Observation> {
    specification.observations.iter().filter(move |observation| observation.rows.iter().any(|id| id == row))
}

/// The verdicts on a row of the implementations that were observed.
pub(super) fn verdicts<'a>(
    specification: &'a Specification,
    row: &'a str,
) -> impl Iterator<Item = (&'a Observed, &'a str)> {
    specification.observed.iter().filter_map(move |observed| Some((observed, observed.rows.get(row)?.as_str())))
}

#[cfg(test)]
mod tests {
    use super::{Condition, patterns};
    use crate::spec::model::{NOT_APPLICABLE_BIT, Pattern};
    use crate::spec::vocabulary::Fact;

    // Values of the fact `output` in the vocabulary: enough (1), absent (2), small (4).

    #[test]
    fn values_that_are_allowed_are_named() {
        let pattern = Pattern(vec![(Fact::Output, 0b101)]);
        assert_eq!(pattern.conditions(), [Condition::OneOf(Fact::Output, vec!["enough", "small"])]);
        assert_eq!(patterns(&[pattern]), "output = enough | small");
    }

    #[test]
    fn values_that_are_excluded_are_named() {
        let pattern = Pattern(vec![(Fact::Output, NOT_APPLICABLE_BIT | 0b110)]);
        assert_eq!(patterns(&[pattern]), "output ≠ enough");
    }

    #[test]
    fn not_applicable_is_named() {
        let pattern = Pattern(vec![(Fact::Output, NOT_APPLICABLE_BIT | 0b001)]);
        assert_eq!(patterns(&[pattern]), "output = enough | n/a");
    }

    #[test]
    fn nothing_demanded_is_always() {
        assert_eq!(patterns(&[Pattern::default()]), "always");
        assert_eq!(patterns(&[]), "always");
        let both = [Pattern(vec![(Fact::Age, 1), (Fact::Stale, 2)]), Pattern(vec![(Fact::Age, 2)])];
        assert_eq!(patterns(&both), "age = fresh, stale = yes; or age = expired");
    }
}
