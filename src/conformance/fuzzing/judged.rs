//! What a fuzzer found, judged apart from the fuzzer: which row, and the shortest sequence that shows it.
#![forbid(unsafe_code)]

use super::edited::{edited_message, edited_request};
use super::{Counterexample, Wrong, counterexample, tables, unanswered, wrong};
use crate::conformance::encoding::decode;
use crate::conformance::plan::Sequence;
use crate::conformance::report::FindingKind;
use crate::conformance::run::adapt;
use crate::conformance::session::Session;
use crate::conformance::subject::Subject;

/// The sequence that bytes mean to a target; `None` where they mean something else to it.
pub fn meaning(target: &str, bytes: &[u8]) -> Option<Sequence> {
    match target {
        "operations" | "differential" => Some(decode(bytes)),
        "complete_auth_token" => Some(edited_request(bytes)),
        "layers" => Some(edited_message(bytes)),
        _other => None,
    }
}

/// What a subject does wrong in a sequence, as far as it offers what the sequence needs; `None` where nothing is wrong by the
/// tables. Where `is_new` says so of the kind and the row, it comes with the shortest sequence known that shows it.
pub fn judged(
    subject: &mut dyn Subject,
    mut sequence: Sequence,
    is_new: &dyn Fn(FindingKind, &str) -> bool,
) -> Option<Box<Counterexample>> {
    adapt(&mut sequence, &subject.capabilities());
    let mut session = Session::new(tables(), subject);
    let trace = session.run(&sequence);
    match wrong(&trace)? {
        Wrong::Answer(step, why) => {
            let row = step.judgement.row.as_deref().unwrap_or_default();
            let is_new = is_new(FindingKind::Fail, row);
            let reproducer = if is_new { session.minimise(&sequence, &trace) } else { sequence };
            Some(counterexample(step, why, reproducer))
        }
        Wrong::NoAnswer(error) => {
            let row = session.charge(&sequence, &trace, |_row| false);
            let mut found = unanswered(error, sequence.clone());
            if is_new(found.finding.kind, &row) {
                let (error, reproducer) = session.reproduce(&row, error, &sequence, &trace);
                found = unanswered(&error, reproducer);
            }
            found.row = row;
            Some(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{judged, meaning};
    use crate::conformance::encoding::encode;
    use crate::conformance::plan::{Sequence, plan};
    use crate::conformance::report::FindingKind;
    use crate::conformance::subject::builtin::Builtin;
    use crate::conformance::subject::faulty;
    use crate::spec::Specification;
    use crate::spec::names::{CallName, Profile};
    use crate::spec::vocabulary::{Facts, Handle};

    #[test]
    fn what_is_wrong_is_told_with_its_row_and_a_sequence_as_short() {
        let specification = Arc::new(Specification::embedded().expect("the embedded tables load"));
        let facts = Facts::default().with(Handle::Deleted);
        let sequence = plan(Profile::DigestHttp, CallName::DeleteSecurityContext, &facts, 1);
        let is_new = |_: FindingKind, _: &str| true;
        assert!(judged(&mut Builtin::default(), sequence.clone(), &is_new).is_none());
        let fault =
            faulty::all().find(|fault| fault.name == "second-deletion-refused").expect("it is in the catalogue");
        let bytes = encode(&sequence).expect("planned sequences are bytes");
        let meant = meaning("operations", &bytes).expect("these bytes are a sequence");
        assert_eq!(meant, sequence);
        let mut subject = fault.subject(&specification);
        let found = judged(subject.as_mut(), meant.clone(), &is_new).expect("it refuses");
        assert_eq!(found.row, "dsc-deleted-before");
        let Sequence { actions, .. } = &found.finding.reproducer;
        assert!(actions.len() < sequence.actions.len(), "{actions:?}");
        let known = judged(subject.as_mut(), meant.clone(), &|_, row| row != "dsc-deleted-before").expect("it refuses");
        assert_eq!(known.finding.reproducer, meant);
    }

    #[test]
    fn bytes_of_other_targets_are_no_sequence() {
        for target in ["challenge", "spec_tables", "adapter_protocol", "capi"] {
            assert_eq!(meaning(target, &[0; 40]), None, "{target}");
        }
        for target in ["complete_auth_token", "layers", "differential"] {
            assert!(meaning(target, &[0; 40]).is_some(), "{target}");
        }
    }
}
