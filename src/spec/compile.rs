//! From the text of one call to the form in which its rows are looked up.
#![forbid(unsafe_code)]

use super::load::Problems;
use super::model::{
    Allowed, AlternativeText, CallFile, CallSpec, FactEntry, FactRule, NOT_APPLICABLE_BIT, Next, OneOrMany, Pattern,
    PatternText, Row, RowText, Situation, SituationText, StateEntry,
};
use super::names::CallName;
use super::vocabulary::{Fact, Facts, Handle, Role, ValueIndex, Word};
use crate::status::SecurityStatus;

/// The name of "no live context" among states.
pub(super) const NO_STATE: &str = "none";
/// The name of "every state of the role that the table lists" among states.
const EVERY_STATE: &str = "*";
/// The name of "not applicable" among the values of a fact.
pub(super) const NOT_APPLICABLE: &str = "n/a";

/// Compiles the file of a call; what is wrong goes to `problems`.
pub(super) fn call(file: CallFile, states: &[StateEntry], problems: &mut Problems<'_>) -> CallSpec {
    let header = file.call;
    let documented = header.documented.iter().filter_map(|name| status("call.documented", name, problems)).collect();
    for exception in &header.exceptions {
        status("call.exceptions", &exception.status, problems);
    }
    let mut facts: Vec<FactRule> = Vec::new();
    for entry in &file.fact {
        if let Some(rule) = fact_rule(entry, &facts, problems) {
            facts.push(rule);
        }
    }
    let known: Vec<Fact> = facts.iter().map(|rule| rule.fact).collect();
    let situations = file.situation.into_iter().map(|text| situation(text, &known, problems)).collect::<Vec<_>>();
    let compiler = RowCompiler { call: header.name, states, facts: &facts, situations: &situations };
    let rows = file.row.into_iter().filter_map(|text| compiler.row(text, problems)).collect();
    CallSpec {
        name: header.name,
        profiles: header.profile.profiles().to_vec(),
        text: header.text,
        documented,
        exceptions: header.exceptions,
        sources: header.sources,
        facts,
        situations,
        rows,
    }
}

fn status(place: &str, name: &str, problems: &mut Problems<'_>) -> Option<SecurityStatus> {
    let status = SecurityStatus::from_name(name);
    if status.is_none() {
        problems.add(place, format!("`{name}` is no status"));
    }
    status
}

fn fact_rule(entry: &FactEntry, before: &[FactRule], problems: &mut Problems<'_>) -> Option<FactRule> {
    let place = format!("fact `{}`", entry.fact);
    let Some(fact) = Fact::from_name(&entry.fact) else {
        problems.add(place, "no such fact is in the vocabulary");
        return None;
    };
    let known: Vec<Fact> = before.iter().map(|rule| rule.fact).filter(|other| *other != fact).collect();
    let when = patterns(&place, &entry.when, &known, problems);
    let values = values(&place, fact, &entry.values, problems);
    let values =
        if entry.values.is_empty() { (0..).take(fact.values().len()).collect::<Vec<ValueIndex>>() } else { values };
    let mut fine = self::values(&place, fact, &entry.fine, problems);
    if entry.fine.is_empty() {
        fine.extend(values.first());
    }
    for value in fine.iter().filter(|value| !values.contains(value)) {
        problems.add(&place, format!("`{}` is fine but not among its values", fact.values()[usize::from(*value)]));
    }
    Some(FactRule { fact, when, values, fine })
}

fn values(place: &str, fact: Fact, names: &[String], problems: &mut Problems<'_>) -> Vec<ValueIndex> {
    let mut values = Vec::new();
    for name in names {
        match fact.value(name) {
            None => problems.add(place, format!("`{name}` is no value of `{}`", fact.name())),
            Some(value) if values.contains(&value) => problems.add(place, format!("`{name}` stands twice")),
            Some(value) => values.push(value),
        }
    }
    values
}

fn situation(text: SituationText, known: &[Fact], problems: &mut Problems<'_>) -> Situation {
    let when = patterns(&format!("situation `{}`", text.id), &text.when, known, problems);
    if text.when.is_empty() {
        problems.add(format!("situation `{}`", text.id), "`when` is empty, so it never holds (write [{}] for always)");
    }
    Situation { id: text.id, when, text: text.text }
}

fn patterns(place: &str, texts: &[PatternText], known: &[Fact], problems: &mut Problems<'_>) -> Vec<Pattern> {
    texts.iter().map(|text| pattern(place, text, known, problems)).collect()
}

fn pattern(place: &str, text: &PatternText, known: &[Fact], problems: &mut Problems<'_>) -> Pattern {
    let mut masks = Vec::new();
    for (name, values) in text {
        let Some(fact) = Fact::from_name(name) else {
            problems.add(place, format!("no fact `{name}` is in the vocabulary"));
            continue;
        };
        if !known.contains(&fact) {
            problems.add(place, format!("`{name}` is no fact of this call, or none that stands before this"));
        }
        masks.push((fact, mask(place, fact, values, problems)));
    }
    Pattern(masks)
}

/// The values a pattern allows, as bits; "!value" allows all others, "n/a" among them.
fn mask(place: &str, fact: Fact, values: &OneOrMany, problems: &mut Problems<'_>) -> u32 {
    let every = fact.values().iter().enumerate().fold(NOT_APPLICABLE_BIT, |mask, (value, _)| mask | 1 << value);
    let (mut allowed, mut excluded) = (0, 0);
    for name in values.names() {
        let (side, value) = match name.strip_prefix('!') {
            Some(value) => (&mut excluded, value),
            None => (&mut allowed, name.as_str()),
        };
        match (value, fact.value(value)) {
            (NOT_APPLICABLE, _) => *side |= NOT_APPLICABLE_BIT,
            (_, Some(value)) => *side |= 1 << value,
            (_, None) => problems.add(place, format!("`{value}` is no value of `{}`", fact.name())),
        }
    }
    match (allowed, excluded) {
        (0, 0) => {
            problems.add(place, format!("no value of `{}` is named", fact.name()));
            0
        }
        (allowed, 0) => allowed,
        (0, excluded) => every & !excluded,
        (_, _) => {
            problems.add(place, format!("`{}` is both restricted and excluded from", fact.name()));
            0
        }
    }
}

struct RowCompiler<'a> {
    call: CallName,
    states: &'a [StateEntry],
    facts: &'a [FactRule],
    situations: &'a [Situation],
}

impl RowCompiler<'_> {
    fn row(&self, text: RowText, problems: &mut Problems<'_>) -> Option<Row> {
        let place = format!("row `{}`", text.id);
        let role = match &text.role {
            None => None,
            Some(name) => {
                let role = Fact::Role.value(name);
                if role.is_none() {
                    problems.add(&place, format!("`{name}` is no role"));
                    return None;
                }
                role
            }
        };
        let states = self.states(&place, role, &text.state, problems);
        let situations = self.situations(&place, &text.situation, problems);
        let status = status(&place, &text.status, problems);
        let next = self.next(&place, role, &text.next, problems);
        let outcome = Allowed {
            status: status?,
            next: next?,
            handle: text.handle,
            buffers: text.buffers,
            effects: text.effects,
            why: text.why,
        };
        let mut alternatives = |texts: Vec<AlternativeText>| -> Vec<Allowed> {
            let compiled = |text| self.alternative(&place, role, &outcome, text, problems);
            texts.into_iter().filter_map(compiled).collect()
        };
        let (also, accept) = (alternatives(text.also), alternatives(text.accept));
        Some(Row {
            id: text.id,
            call: self.call,
            role,
            states,
            situations,
            outcome,
            also,
            accept,
            applies: text.applies,
            needs: text.needs,
            level: text.level,
            provenance: text.provenance,
            sources: text.sources,
        })
    }

    fn alternative(
        &self,
        place: &str,
        role: Option<ValueIndex>,
        outcome: &Allowed,
        text: AlternativeText,
        problems: &mut Problems<'_>,
    ) -> Option<Allowed> {
        let status = status(place, &text.status, problems);
        let next = match &text.next {
            None => Some(outcome.next),
            Some(next) => self.next(place, role, next, problems),
        };
        Some(Allowed {
            status: status?,
            next: next?,
            handle: text.handle.unwrap_or(outcome.handle),
            buffers: text.buffers.unwrap_or(outcome.buffers),
            effects: text.effects.unwrap_or_else(|| outcome.effects.clone()),
            why: text.why,
        })
    }

    fn states(
        &self,
        place: &str,
        role: Option<ValueIndex>,
        names: &OneOrMany,
        problems: &mut Problems<'_>,
    ) -> Vec<Option<ValueIndex>> {
        let mut states = Vec::new();
        for name in names.names() {
            match (name.as_str(), role) {
                (NO_STATE, None) => states.push(None),
                (NOT_APPLICABLE, Some(_)) => states.push(None),
                (NO_STATE, Some(_)) => problems.add(place, "a row with a role has a live context, not state `none`"),
                (_, None) => problems.add(place, format!("state `{name}` needs a role")),
                (EVERY_STATE, Some(role)) => states.extend(self.listed(role).into_iter().map(Some)),
                (_, Some(role)) => states.extend(self.state(place, role, name, problems).map(Some)),
            }
        }
        let twice = states.iter().enumerate().any(|(position, state)| states[..position].contains(state));
        if twice {
            problems.add(place, "a state stands twice");
        }
        states
    }

    /// The states of a role that the table lists.
    fn listed(&self, role: ValueIndex) -> Vec<ValueIndex> {
        let mut live = Facts::default().with(Handle::Live);
        live.set(Fact::Role, Some(role));
        let rules = || self.facts.iter().filter(|rule| rule.fact == Fact::State && rule.exists(&live));
        self.of_role(role).into_iter().filter(|state| rules().any(|rule| rule.values.contains(state))).collect()
    }

    fn of_role(&self, role: ValueIndex) -> Vec<ValueIndex> {
        let role = Fact::Role.values()[usize::from(role)];
        self.states
            .iter()
            .filter(|state| state.role == role && state.name != NO_STATE)
            .filter_map(|state| Fact::State.value(&state.name))
            .collect()
    }

    fn state(&self, place: &str, role: ValueIndex, name: &str, problems: &mut Problems<'_>) -> Option<ValueIndex> {
        let state = Fact::State.value(name).filter(|state| self.of_role(role).contains(state));
        if state.is_none() {
            problems.add(place, format!("`{name}` is no state of the {}", Fact::Role.values()[usize::from(role)]));
        }
        state
    }

    fn next(&self, place: &str, role: Option<ValueIndex>, name: &str, problems: &mut Problems<'_>) -> Option<Next> {
        match (name, role.or_else(|| maker(self.call))) {
            ("same", _) => Some(Next::Same),
            (NO_STATE, _) => Some(Next::None),
            (_, Some(role)) => self.state(place, role, name, problems).map(Next::State),
            (_, None) => {
                problems.add(place, format!("{} makes no context, so `{name}` cannot be next", self.call));
                None
            }
        }
    }

    fn situations(&self, place: &str, names: &OneOrMany, problems: &mut Problems<'_>) -> Vec<usize> {
        let mut positions = Vec::new();
        for name in names.names() {
            match self.situations.iter().position(|situation| situation.id == *name) {
                None => problems.add(place, format!("no situation `{name}` is declared")),
                Some(position) if positions.contains(&position) => {
                    problems.add(place, format!("situation `{name}` stands twice"));
                }
                Some(position) => positions.push(position),
            }
        }
        positions
    }
}

/// The role of the contexts a call makes where there was none.
pub(super) fn maker(call: CallName) -> Option<ValueIndex> {
    match call {
        CallName::AcceptSecurityContext => Some(Role::Acceptor.index()),
        CallName::InitializeSecurityContext => Some(Role::Initiator.index()),
        CallName::AcquireCredentialsHandle
        | CallName::FreeCredentialsHandle
        | CallName::EnumerateSecurityPackages
        | CallName::QuerySecurityPackageInfo
        | CallName::FreeContextBuffer
        | CallName::CompleteAuthToken
        | CallName::MakeSignature
        | CallName::VerifySignature
        | CallName::EncryptMessage
        | CallName::DecryptMessage
        | CallName::QueryContextAttributes
        | CallName::DeleteSecurityContext => None,
    }
}
