//! The reference machine in Promela, for [Spin](https://spinroot.com): a second opinion on what holds of it.
//!
//! What is asserted is stated over what a caller sees, the call, its status and its handle, and what a caller can remember of
//! them. The names of states serve for one thing only: which of them are rejected.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::collections::BTreeSet;

use super::alphabet::Alphabet;
use super::unfold::{Reference, SILENT};
use crate::spec::Specification;
use crate::spec::names::CallName;
use crate::spec::vocabulary::{Fact, Handle};
use crate::status::SecurityStatus;

/// Time passes, or nothing is called.
const ELAPSE: &str = "elapse";

/// Any call on a handle that is not that of the context.
const ELSEWHERE: &str = "elsewhere";

/// DeleteSecurityContext on the handle of a context that is deleted already.
const DELETE_AGAIN: &str = "delete_again";

/// What follows on a step, and what must hold then. `before` is the state before it.
const OBSERVER: &str = "\
inline observe() {
  if
  :: call == elapse -> skip
  :: call == delete_again -> assert(state == before)
  :: call == elsewhere ->
    /* Whoever calls with another handle is refused, and nothing changes for the context. */
    assert(!succeeded);
    assert(state == before)
  :: else ->
    /* Without a context nothing succeeds but what makes one; and nobody gets a second one. */
    assert(live || !succeeded || handle == new);
    assert(!live || handle != new);
    /* A rejected context stays rejected and does nothing; it can be deleted. */
    assert(!live || !rejected(before) || call == DeleteSecurityContext || (rejected(state) && !succeeded));
    if
    :: call == CompleteAuthToken && status == SEC_E_OK ->
      /* Completion is possible after SEC_I_COMPLETE_NEEDED and SEC_I_COMPLETE_AND_CONTINUE, once for each. */
      assert(due != elapse);
      /* What goes on authenticates nobody yet. */
      established = (due == SEC_I_COMPLETE_NEEDED);
      due = elapse
    :: (call == MakeSignature || call == VerifySignature) && status == SEC_E_OK ->
      /* Nobody signs or verifies for a peer that is not authenticated. */
      assert(established)
    :: call == DeleteSecurityContext ->
      /* A context can be deleted in every state, and is gone then. */
      assert(!live || (status == SEC_E_OK && handle == none));
      live = false; established = false; due = elapse
    :: (call == AcceptSecurityContext || call == InitializeSecurityContext) && succeeded ->
      /* A completion that is due is not passed over. */
      assert(due == elapse);
      established = (status == SEC_E_OK);
      if
      :: status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE -> due = status
      :: else -> skip
      fi
    :: else -> skip
    fi;
    if
    :: handle == new -> live = true
    :: else -> skip
    fi
  fi
}
";

/// Why a machine has no model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModelError {
    /// The assertions are about a caller with one context.
    #[error("{0} is for {1} contexts at a time, and what is asserted is of one")]
    SeveralContexts(&'static str, usize),
}

/// The model: the machine as one process, and what must hold of every step of it.
///
/// # Errors
/// An alphabet for several contexts.
pub fn model(specification: &Specification, alphabet: &Alphabet, reference: &Reference) -> Result<String, ModelError> {
    if alphabet.contexts > 1 {
        return Err(ModelError::SeveralContexts(alphabet.name, alphabet.contexts));
    }
    let kinds: Vec<BTreeSet<&str>> = reference.classes.iter().map(|class| kinds(alphabet, class)).collect();
    let answers: Vec<(&str, &str)> = reference.outputs.iter().map(|output| answer(output)).collect();
    // Those that are asserted about are declared in any case.
    let asserted = [
        ELAPSE,
        ELSEWHERE,
        DELETE_AGAIN,
        "AcceptSecurityContext",
        "CompleteAuthToken",
        "DeleteSecurityContext",
        "InitializeSecurityContext",
        "MakeSignature",
        "VerifySignature",
        "SEC_E_OK",
        "SEC_I_COMPLETE_AND_CONTINUE",
        "SEC_I_COMPLETE_NEEDED",
        "new",
        "same",
        "none",
    ];
    let mut names: BTreeSet<&str> = BTreeSet::from(asserted);
    names.extend(kinds.iter().flatten());
    names.extend(answers.iter().map(|(status, _)| *status));
    let succeeded: Vec<String> = SecurityStatus::ALL
        .iter()
        .filter(|(name, status)| !status.is_error() && names.contains(name))
        .map(|(name, _)| format!("status == {name}"))
        .collect();
    let rejected: Vec<String> = (0..reference.machine.states())
        .filter(|state| reference.states[*state].ends_with(" rejected"))
        .map(|state| format!("(s) == {state}"))
        .collect();
    let mut text = format!(
        "/* The tables of digest-ssp, version {}, under the alphabet {}. */\n\n",
        specification.version, alphabet.name
    );
    let _ = writeln!(text, "mtype = {{ {} }};\n", names.into_iter().collect::<Vec<_>>().join(", "));
    let _ = writeln!(text, "#define succeeded ({})", succeeded.join(" || "));
    let none_is = if rejected.is_empty() { "false".to_owned() } else { rejected.join(" || ") };
    let _ = writeln!(text, "#define rejected(s) ({none_is})\n");
    text.push_str("byte state, before;\nmtype call, status, handle;\n\n");
    text.push_str("/* What a caller remembers; `due` is the status that asked for a completion. */\n");
    text.push_str("bool live, established;\nmtype due = elapse;\n\n");
    text.push_str(OBSERVER);
    text.push_str("\nactive proctype machine() {\n  do\n  :: atomic {\n    before = state;\n    if\n");
    for state in 0..reference.machine.states() {
        let _ = writeln!(text, "    /* {} */", reference.states[state]);
        for (class, kinds) in kinds.iter().enumerate() {
            let transition = reference.machine.step(state, class);
            let (status, handle) = answers[transition.output];
            for kind in kinds {
                let _ = writeln!(
                    text,
                    "    :: before == {state} -> call = {kind}; status = {status}; handle = {handle}; state = {}",
                    transition.next
                );
            }
        }
    }
    text.push_str("    fi;\n    observe()\n  }\n  od\n}\n");
    Ok(text)
}

/// The calls of a class, as the model names them.
fn kinds<'a>(alphabet: &Alphabet, class: &[usize]) -> BTreeSet<&'a str> {
    let kind = |symbol: &usize| match alphabet.symbols[*symbol].action.as_call() {
        Some(call) if call.call == CallName::DeleteSecurityContext && call.wishes.is(Handle::Deleted) => DELETE_AGAIN,
        Some(call) if call.wishes.get(Fact::Handle).is_some() => ELSEWHERE,
        Some(call) => call.call.name(),
        None => ELAPSE,
    };
    class.iter().map(kind).collect()
}

/// Status and handle of an output.
fn answer(output: &str) -> (&str, &str) {
    if output == SILENT {
        return (ELAPSE, "same");
    }
    let mut words = output.split(' ');
    let status = words.next().unwrap_or(ELAPSE);
    (status, words.find_map(|word| word.strip_prefix("handle=")).unwrap_or("same"))
}
