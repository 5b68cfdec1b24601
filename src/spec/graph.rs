//! The state machine of each role as a diagram: what rows require, calls and statuses on the edges.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::collections::{BTreeMap, BTreeSet};

use super::compile::{NO_STATE, maker};
use super::model::{CallSpec, Next, Specification};
use super::names::{CallName, Profile};
use super::vocabulary::{Fact, Role, ValueIndex, Word};
use crate::status::SecurityStatus;

/// A change of state that rows require: calls that keep the state are not drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The state before; "none" is "no live context".
    pub from: &'static str,
    /// The state afterwards.
    pub to: &'static str,
    /// The calls that lead there, each with the statuses it says so with.
    pub calls: BTreeMap<CallName, BTreeSet<SecurityStatus>>,
}

impl Transition {
    /// "Call: STATUS, STATUS", one line for each call.
    fn labels(&self) -> Vec<String> {
        self.calls
            .iter()
            .map(|(call, statuses)| {
                let statuses: Vec<String> = statuses.iter().map(ToString::to_string).collect();
                format!("{call}: {}", statuses.join(", "))
            })
            .collect()
    }
}

/// The transitions of a role, in the order of its states in machine.toml.
pub fn transitions(specification: &Specification, profile: Profile, role: Role) -> Vec<Transition> {
    let states = states(specification, profile, role);
    let mut merged: BTreeMap<(usize, usize), Transition> = BTreeMap::new();
    let position = |name: &str| states.iter().position(|state| *state == name);
    let rows = specification.of(profile).flat_map(|table| table.rows.iter());
    for row in rows.filter(|row| row.role.or_else(|| maker(row.call)) == Some(role.index())) {
        for (allowed, state) in row.required().flat_map(|allowed| row.states.iter().map(move |state| (allowed, state)))
        {
            let to = match allowed.next {
                Next::Same => continue,
                Next::None => NO_STATE,
                Next::State(state) => Fact::State.values()[usize::from(state)],
            };
            let from = state.map_or(NO_STATE, |state| Fact::State.values()[usize::from(state)]);
            let (Some(before), Some(after)) = (position(from), position(to)) else { continue };
            if from == NO_STATE && to == NO_STATE {
                continue;
            }
            let transition =
                merged.entry((before, after)).or_insert_with(|| Transition { from, to, calls: BTreeMap::new() });
            transition.calls.entry(row.call).or_default().insert(allowed.status);
        }
    }
    merged.into_values().collect()
}

/// The states that contexts of a mechanism can be in, in the order of machine.toml.
fn states(specification: &Specification, profile: Profile, role: Role) -> Vec<&str> {
    let name = Fact::Role.values()[usize::from(role.index())];
    let has =
        |state: &str| state == NO_STATE || specification.of(profile).any(|table| makes(table, role.index(), state));
    let of_role = specification.states.iter().filter(|state| state.role == name);
    of_role.map(|state| state.name.as_str()).filter(|state| has(state)).collect()
}

/// Whether a row of a table leads into a state, whatever the state before.
pub(super) fn makes(table: &CallSpec, role: ValueIndex, state: &str) -> bool {
    table
        .rows
        .iter()
        .filter(|row| row.role.or_else(|| maker(row.call)) == Some(role))
        .any(|row| row.required().any(|allowed| allowed.next.name() == state))
}

/// The name in drawings of what every state with a live context has in common.
const ANY: &str = "any state";

/// The transitions as they are drawn: what leads from every live state to one and the same is drawn once, from [`ANY`].
fn drawn(specification: &Specification, profile: Profile, role: Role) -> Vec<Transition> {
    let transitions = transitions(specification, profile, role);
    let live = states(specification, profile, role).into_iter().filter(|state| *state != NO_STATE).count();
    let alike = |one: &Transition, other: &Transition| {
        other.from != NO_STATE && (one.to, &one.calls) == (other.to, &other.calls)
    };
    let (common, mut own): (Vec<Transition>, Vec<Transition>) = transitions
        .iter()
        .cloned()
        .partition(|one| one.from != NO_STATE && transitions.iter().filter(|other| alike(one, other)).count() == live);
    for transition in common {
        let transition = Transition { from: ANY, ..transition };
        if !own.contains(&transition) {
            own.push(transition);
        }
    }
    own
}

/// The state machine of a role in the language of Graphviz.
pub fn dot(specification: &Specification, profile: Profile, role: Role) -> String {
    let name = Fact::Role.values()[usize::from(role.index())];
    let mut graph = format!("// Rendered from the tables in spec/; do not edit.\ndigraph {name} {{\n");
    let _ = writeln!(graph, "    label=\"{name}, {}\";", profile.title());
    graph.push_str("    rankdir=TB;\n    node [shape=box, style=rounded, fontname=\"Helvetica\"];\n");
    graph.push_str("    edge [fontname=\"Helvetica\", fontsize=9];\n");
    for state in states(specification, profile, role) {
        let shape = if state == NO_STATE { " [shape=circle]" } else { "" };
        let _ = writeln!(graph, "    \"{state}\"{shape};");
    }
    let drawn = drawn(specification, profile, role);
    if drawn.iter().any(|transition| transition.from == ANY) {
        let _ = writeln!(graph, "    \"{ANY}\" [style=dashed];");
    }
    for transition in drawn {
        // "\l" ends a line of a label and sets it to the left.
        let label: String = transition.labels().iter().map(|line| format!("{line}\\l")).collect();
        let _ = writeln!(graph, "    \"{}\" -> \"{}\" [label=\"{label}\"];", transition.from, transition.to);
    }
    graph.push_str("}\n");
    graph
}

/// The state machine of a role in the language of Mermaid.
pub fn mermaid(specification: &Specification, profile: Profile, role: Role) -> String {
    let mut diagram = String::from("%% Rendered from the tables in spec/; do not edit.\nstateDiagram-v2\n");
    // Mermaid's identifiers take no hyphens, and its start and end are one "[*]".
    let identifier = |state: &str| if state == NO_STATE { String::from("[*]") } else { state.replace(['-', ' '], "_") };
    let drawn = drawn(specification, profile, role);
    let any = drawn.iter().any(|transition| transition.from == ANY).then_some(ANY);
    for state in states(specification, profile, role).into_iter().filter(|state| *state != NO_STATE).chain(any) {
        let _ = writeln!(diagram, "    state \"{state}\" as {}", identifier(state));
    }
    for transition in drawn {
        let label = transition.labels().join("<br>").replace(": ", " ");
        let _ = writeln!(diagram, "    {} --> {}: {label}", identifier(transition.from), identifier(transition.to));
    }
    diagram
}

#[cfg(test)]
mod tests {
    use super::{ANY, dot, drawn, mermaid, transitions};
    use crate::spec::model::Specification;
    use crate::spec::names::{CallName, Profile};
    use crate::spec::vocabulary::Role;
    use crate::status::SecurityStatus;

    fn tables() -> Specification {
        Specification::embedded().expect("a test of `load` shows that the tables load")
    }

    const BOTH: [(Profile, Role); 4] = [
        (Profile::DigestHttp, Role::Acceptor),
        (Profile::DigestHttp, Role::Initiator),
        (Profile::DigestSasl, Role::Acceptor),
        (Profile::DigestSasl, Role::Initiator),
    ];

    fn leads((profile, role): (Profile, Role), from: &str, to: &str, call: CallName, status: SecurityStatus) -> bool {
        transitions(&tables(), profile, role).iter().any(|transition| {
            (transition.from, transition.to) == (from, to)
                && transition.calls.get(&call).is_some_and(|statuses| statuses.contains(&status))
        })
    }

    /// The steps that the pages name for the server: challenge, answer, further request, completion.
    #[test]
    fn the_documented_path_of_the_server_is_drawn() {
        use CallName::{AcceptSecurityContext, CompleteAuthToken, DeleteSecurityContext};
        let leads = |from, to, call, status| leads((Profile::DigestHttp, Role::Acceptor), from, to, call, status);
        assert!(leads("none", "challenged", AcceptSecurityContext, SecurityStatus::SEC_I_CONTINUE_NEEDED));
        assert!(leads("challenged", "established", AcceptSecurityContext, SecurityStatus::SEC_E_OK));
        let found = "complete-needed-subsequent";
        assert!(leads("none", found, AcceptSecurityContext, SecurityStatus::SEC_I_COMPLETE_NEEDED));
        assert!(leads(found, "established", CompleteAuthToken, SecurityStatus::SEC_E_OK));
        assert!(leads(found, "rejected", CompleteAuthToken, SecurityStatus::SEC_E_MESSAGE_ALTERED));
        assert!(leads(found, "none", DeleteSecurityContext, SecurityStatus::SEC_E_OK));
        assert!(!leads("rejected", "established", CompleteAuthToken, SecurityStatus::SEC_E_OK));
    }

    #[test]
    fn the_documented_path_of_the_client_is_drawn() {
        use CallName::{CompleteAuthToken, InitializeSecurityContext};
        let leads = |from, to, call, status| leads((Profile::DigestHttp, Role::Initiator), from, to, call, status);
        assert!(leads("none", "initial", InitializeSecurityContext, SecurityStatus::SEC_I_CONTINUE_NEEDED));
        let due = "complete-needed";
        assert!(leads("initial", due, InitializeSecurityContext, SecurityStatus::SEC_I_COMPLETE_NEEDED));
        assert!(leads(due, "established", CompleteAuthToken, SecurityStatus::SEC_E_OK));
        assert!(leads("responded", "rejected", InitializeSecurityContext, SecurityStatus::SEC_E_WRONG_PRINCIPAL));
    }

    /// RFC 2831: the server proves itself to every client, and sections 2.2.1 and 2.2.2 authenticate again.
    #[test]
    fn the_documented_paths_of_sasl_are_drawn() {
        use CallName::{AcceptSecurityContext, CompleteAuthToken, InitializeSecurityContext};
        let server = |from, to, call, status| leads((Profile::DigestSasl, Role::Acceptor), from, to, call, status);
        assert!(server("challenged", "established", AcceptSecurityContext, SecurityStatus::SEC_E_OK));
        let found = "complete-needed-subsequent";
        assert!(server("none", found, AcceptSecurityContext, SecurityStatus::SEC_I_COMPLETE_NEEDED));
        assert!(server(found, "established", CompleteAuthToken, SecurityStatus::SEC_E_OK));
        let client = |from, to, call, status| leads((Profile::DigestSasl, Role::Initiator), from, to, call, status);
        assert!(client("initial", "responded", InitializeSecurityContext, SecurityStatus::SEC_I_CONTINUE_NEEDED));
        assert!(client("responded", "established", InitializeSecurityContext, SecurityStatus::SEC_E_OK));
        assert!(client("established", "responded", InitializeSecurityContext, SecurityStatus::SEC_I_CONTINUE_NEEDED));
        assert!(!client("initial", "established", InitializeSecurityContext, SecurityStatus::SEC_E_OK));
    }

    /// Every context can be deleted, so the drawing says it once.
    #[test]
    fn what_every_state_has_in_common_is_drawn_once() {
        let tables = tables();
        for (profile, role) in BOTH {
            let (all, drawn) = (transitions(&tables, profile, role), drawn(&tables, profile, role));
            let deletes =
                |transition: &&super::Transition| transition.calls.contains_key(&CallName::DeleteSecurityContext);
            let live = super::states(&tables, profile, role).len() - 1;
            assert_eq!(all.iter().filter(deletes).count(), live);
            let once: Vec<_> =
                drawn.iter().filter(deletes).map(|transition| (transition.from, transition.to)).collect();
            assert_eq!(once, [(ANY, "none")]);
            assert_eq!(drawn.len() + live - 1, all.len());
        }
    }

    #[test]
    fn every_state_and_transition_is_in_both_drawings() {
        let tables = tables();
        for (profile, role) in BOTH {
            let (dot, mermaid) = (dot(&tables, profile, role), mermaid(&tables, profile, role));
            let edges = drawn(&tables, profile, role).len();
            assert_eq!(dot.matches(" -> ").count(), edges);
            assert_eq!(mermaid.matches(" --> ").count(), edges);
            for state in super::states(&tables, profile, role).into_iter().filter(|state| *state != "none") {
                assert!(dot.contains(&format!("    \"{state}\";\n")), "{state}");
                assert!(mermaid.contains(&format!("state \"{state}\" as ")), "{state}");
            }
        }
    }
}
