//! The words: facts.toml against the vocabulary, and texts where a reader needs one.
#![forbid(unsafe_code)]

use super::{Report, Rule};
use crate::spec::callers::CallerRule;
use crate::spec::model::{FactText, Specification};
use crate::spec::vocabulary::{Fact, ValueIndex};

pub(super) fn check(specification: &Specification, report: &mut Report) {
    explained(specification, report);
    used(specification, report);
    callers(specification, report);
    texts(specification, report);
}

fn explained(specification: &Specification, report: &mut Report) {
    let words: Vec<&str> = Fact::ALL.iter().map(|fact| fact.name()).collect();
    let explained: Vec<&str> = specification.facts.iter().map(|fact| fact.name.as_str()).collect();
    compare("facts.toml", &words, &explained, report);
    for fact in Fact::ALL {
        let Some(text) = specification.facts.iter().find(|text| text.name == fact.name()) else { continue };
        let explained: Vec<&str> = text.values.iter().map(|value| value.name.as_str()).collect();
        compare(&format!("facts.toml: fact `{}`", fact.name()), fact.values(), &explained, report);
    }
}

fn compare(place: &str, words: &[&str], explained: &[&str], report: &mut Report) {
    for word in words.iter().filter(|word| !explained.contains(word)) {
        report.add(Rule::Vocabulary, place, format!("`{word}` is not explained"));
    }
    for (position, word) in explained.iter().enumerate() {
        if !words.contains(word) {
            report.add(Rule::Vocabulary, place, format!("`{word}` is not in the vocabulary"));
        }
        if explained[..position].contains(word) {
            report.add(Rule::IdTwice, place, format!("`{word}` is explained twice"));
        }
    }
    let same_words = words.iter().all(|word| explained.contains(word)) && words.len() == explained.len();
    if same_words && words != explained {
        report.add(Rule::Vocabulary, place, "the order is not that of the vocabulary");
    }
}

fn callers(specification: &Specification, report: &mut Report) {
    let judged: Vec<&str> = CallerRule::ALL.iter().map(|rule| rule.id()).collect();
    let explained: Vec<&str> = specification.callers.iter().map(|rule| rule.id.as_str()).collect();
    for id in judged.iter().filter(|id| !explained.contains(id)) {
        report.add(Rule::Callers, "callers.toml", format!("`{id}` is not explained"));
    }
    for id in explained.iter().filter(|id| !judged.contains(id)) {
        report.add(Rule::Callers, "callers.toml", format!("nobody is judged by `{id}`"));
    }
    let same_rules = judged.len() == explained.len() && judged.iter().all(|id| explained.contains(id));
    if same_rules && judged != explained {
        report.add(Rule::Callers, "callers.toml", "the order is not that of the rules");
    }
}

fn used(specification: &Specification, report: &mut Report) {
    let uses = |fact: Fact, value: ValueIndex| {
        specification
            .calls
            .iter()
            .any(|call| call.facts.iter().any(|rule| rule.fact == fact && rule.values.contains(&value)))
    };
    for fact in Fact::ALL {
        for (value, name) in (0..).zip(fact.values()) {
            if !uses(*fact, value) {
                report.add(
                    Rule::WordUnused,
                    format!("fact `{}`", fact.name()),
                    format!("no call has the value `{name}`"),
                );
            }
        }
    }
}

fn texts(specification: &Specification, report: &mut Report) {
    let mut need = |place: String, text: &str| {
        if text.trim().is_empty() {
            report.add(Rule::TextMissing, place, "nothing is said");
        }
    };
    need("spec.toml: spec_version".to_owned(), &specification.version);
    for call in &specification.calls {
        need(format!("call {}", call.title()), &call.text);
        for situation in &call.situations {
            need(format!("{}: situation `{}`", call.title(), situation.id), &situation.text);
        }
        for exception in &call.exceptions {
            need(format!("{}: exception {}", call.title(), exception.status), &exception.why);
        }
        for row in &call.rows {
            need(format!("row `{}`: why", row.id), &row.outcome.why);
            for alternative in row.also.iter().chain(&row.accept) {
                need(format!("row `{}`: {}: why", row.id, alternative.status), &alternative.why);
            }
        }
    }
    for FactText { name, text, values } in &specification.facts {
        need(format!("facts.toml: fact `{name}`"), text);
        for value in values {
            need(format!("facts.toml: fact `{name}`: value `{}`", value.name), &value.text);
        }
    }
    for status in &specification.statuses {
        need(format!("statuses.toml: {}", status.name), &status.meaning);
    }
    for state in &specification.states {
        need(format!("machine.toml: {} `{}`", state.role, state.name), &state.text);
    }
    for rule in &specification.callers {
        for (field, text) in [("text", &rule.text), ("why", &rule.why)] {
            need(format!("caller rule `{}`: {field}", rule.id), text);
        }
    }
    for source in &specification.sources {
        for (field, text) in
            [("title", &source.title), ("publisher", &source.publisher), ("url", &source.url), ("read", &source.read)]
        {
            need(format!("source `{}`: {field}", source.id), text);
        }
    }
    for erratum in &specification.errata {
        for (field, text) in [("says", &erratum.says), ("against", &erratum.against), ("decision", &erratum.decision)] {
            need(format!("erratum `{}`: {field}", erratum.id), text);
        }
    }
    for observation in &specification.observations {
        for (field, text) in [("implementation", &observation.implementation), ("seen", &observation.seen)] {
            need(format!("observation `{}`: {field}", observation.id), text);
        }
    }
}
