//! Families seen in the wild, as far as a callee can show them (section 8 of the notes).
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::Tables;
use super::wrapped::{context, wrapped};
use crate::buffer::SecHandle;
use crate::spec::model::Next;
use crate::spec::names::{Buffers, Effect, Profile};
use crate::spec::vocabulary::{State, Word};
use crate::spec::{Call, Outcome};
use crate::status::SecurityStatus;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "credentials-handle-completes",
        text: "CompleteAuthToken succeeds on a credentials handle, as curl passes it.",
        reference: "curl lib/vauth/digest_sspi.c; observation curl-credentials-handle",
        profile: Profile::DigestHttp,
        fails: &["cat-handle-names-nothing"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let credentials = &oracle.shadow().registers().credentials;
                let is_credentials = call.context().is_some_and(|handle| credentials.contains_key(&handle));
                if matches!(call, Call::CompleteAuthToken { .. }) && is_credentials {
                    return Ok(Outcome::untouched(SecurityStatus::SEC_E_OK, call));
                }
                oracle.call(call)
            })
        },
    },
    Fault {
        name: "complete-needed-for-ok",
        text: "The answer to a challenge is SEC_I_COMPLETE_NEEDED where Windows answers SEC_E_OK.",
        reference: "sspi-rs issue 167, WinPR 2; observations sspi-rs-ntlm-complete-needed, winpr-2-ntlm",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-right", "asc-answer-right-challenged"],
        skipped: &[
            "asc-ended-named",
            "asc-ended-named-challenged",
            "asc-ended-named-right",
            "asc-ended-named-right-challenged",
            "asc-established-empty",
            "asc-established-request",
            "asc-names-two",
            "asc-names-two-challenged",
            "asc-session-found-challenged",
            "asc-session-found-expired-challenged",
            "cat-digest-differs-subsequent",
            "dec-unsupported",
            "enc-unsupported",
            "qca-unavailable",
            "qca-unsupported",
            "vs-age-undecidable",
            "vs-bad-bindings",
            "vs-count",
            "vs-descriptor-malformed",
            "vs-digest-differs",
            "vs-entity-missing",
            "vs-expired",
            "vs-method-empty",
            "vs-outside-differs",
            "vs-target-differs",
            "vs-token-absent",
            "vs-token-malformed",
            "vs-token-names-another",
        ],
        make: |specification| {
            let rows = ["asc-answer-right", "asc-answer-right-challenged"];
            Tables::of(specification)
                .change(&rows, |allowed| {
                    allowed.status = SecurityStatus::SEC_I_COMPLETE_NEEDED;
                    allowed.next = Next::State(State::CompleteNeededInitial.index());
                    allowed.buffers = Buffers::Empty;
                    allowed.effects.retain(|effect| *effect != Effect::OpenSession);
                })
                .subject()
        },
    },
    Fault {
        name: "initiator-completes-auth",
        text: "InitializeSecurityContext answers SEC_I_COMPLETE_NEEDED though nothing is left to complete.",
        reference: "notes 4, Initiator, never SEC_I_COMPLETE_*; the family of sspi-rs issue 167",
        profile: Profile::DigestHttp,
        fails: &["isc-answered", "isc-answered-initial", "isc-answered-reauthenticated", "isc-answered-stale"],
        skipped: &[
            "dec-unsupported-initiator",
            "enc-unsupported-initiator",
            "isc-answered-mutual-reauthenticated",
            "isc-unfinished-mutual-reauthenticated",
            "isc-unfinished-reauthenticated",
            "ms-descriptor-malformed",
            "ms-entity-missing",
            "ms-exhausted",
            "ms-message-incomplete",
            "ms-output-absent",
            "ms-output-small",
            "qca-unavailable-initiator",
            "qca-unsupported-initiator",
            "vs-initiator",
        ],
        make: |specification| {
            let rows = ["isc-answered", "isc-answered-initial", "isc-answered-stale", "isc-answered-reauthenticated"];
            Tables::of(specification)
                .change(&rows, |allowed| {
                    allowed.status = SecurityStatus::SEC_I_COMPLETE_NEEDED;
                    allowed.next = Next::State(State::CompleteNeeded.index());
                })
                .subject()
        },
    },
    Fault {
        name: "complete-always-ok",
        text: "CompleteAuthToken answers SEC_E_OK whatever it is given.",
        reference: "sspi-rs Kerberos, PKU2U, CredSSP; WinPR 3 Negotiate; observations sspi-rs-unconditional, winpr-3-negotiate",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-accounts-down",
            "cat-bad-bindings",
            "cat-challenge-cannot-be-made",
            "cat-count-too-far",
            "cat-count-too-far-continue",
            "cat-count-too-old",
            "cat-count-too-old-continue",
            "cat-count-used",
            "cat-count-used-continue",
            "cat-descriptor-malformed",
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-entity-missing",
            "cat-handle-names-nothing",
            "cat-initiator-descriptor-malformed",
            "cat-initiator-entity-missing",
            "cat-initiator-message-differs",
            "cat-initiator-token-absent",
            "cat-initiator-token-not-ours",
            "cat-method-empty",
            "cat-nothing-to-complete",
            "cat-nothing-to-complete-initiator",
            "cat-output-absent",
            "cat-output-small",
            "cat-outside-differs",
            "cat-target-differs",
            "cat-token-absent",
            "cat-token-malformed",
            "cat-token-names-another",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                if matches!(call, Call::CompleteAuthToken { .. }) {
                    outcome.status = SecurityStatus::SEC_E_OK;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "second-completion-ok",
        text: "A second call of CompleteAuthToken on the same context answers SEC_E_OK.",
        reference: "sspi-rs NTLM; observation sspi-rs-ntlm-second-call",
        profile: Profile::DigestHttp,
        fails: &["cat-nothing-to-complete", "cat-nothing-to-complete-initiator"],
        skipped: &[],
        make: |specification| {
            wrapped::<BTreeSet<SecHandle>>(Oracle::new(specification.clone()), |oracle, completed, call| {
                let live = context(oracle, call).is_some();
                let mut outcome = oracle.call(call)?;
                if let (Call::CompleteAuthToken { .. }, Some(handle), true) = (call, call.context(), live) {
                    match outcome.status {
                        SecurityStatus::SEC_E_OK => {
                            completed.insert(handle);
                        }
                        SecurityStatus::SEC_E_OUT_OF_SEQUENCE if completed.contains(&handle) => {
                            outcome.status = SecurityStatus::SEC_E_OK;
                        }
                        _other => {}
                    }
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "completed-inside-accept",
        text: "AcceptSecurityContext completes by itself, and there is no CompleteAuthToken.",
        reference: "WinPR 3 NTLM; observation winpr-3-no-function",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-session-found",
            "asc-session-found-challenged",
            "cat-accounts-down",
            "cat-bad-bindings",
            "cat-challenge-cannot-be-made",
            "cat-completed-initial",
            "cat-continued",
            "cat-count-too-far",
            "cat-count-too-far-continue",
            "cat-count-used",
            "cat-count-used-continue",
            "cat-descriptor-malformed",
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-entity-missing",
            "cat-handle-names-nothing",
            "cat-initiator-completed",
            "cat-initiator-continued",
            "cat-initiator-descriptor-malformed",
            "cat-initiator-entity-missing",
            "cat-initiator-message-differs",
            "cat-initiator-token-absent",
            "cat-initiator-token-not-ours",
            "cat-method-empty",
            "cat-output-absent",
            "cat-output-small",
            "cat-outside-differs",
            "cat-target-differs",
            "cat-token-absent",
            "cat-token-malformed",
            "cat-token-names-another",
        ],
        skipped: &[
            "cat-completed-answered-elsewhere",
            "cat-completed-subsequent",
            "cat-count-too-old",
            "cat-count-too-old-continue",
        ],
        make: |specification| {
            let rows = ["asc-session-found", "asc-session-found-challenged"];
            let tables = Tables::of(specification).change(&rows, |allowed| {
                allowed.status = SecurityStatus::SEC_E_OK;
                allowed.next = Next::State(State::Established.index());
            });
            wrapped::<()>(tables.oracle(), |oracle, (), call| {
                if matches!(call, Call::CompleteAuthToken { .. }) {
                    Ok(Outcome::untouched(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION, call))
                } else {
                    oracle.call(call)
                }
            })
        },
    },
    Fault {
        name: "no-function",
        text: "SEC_I_COMPLETE_NEEDED is answered, and CompleteAuthToken is SEC_E_UNSUPPORTED_FUNCTION in every state.",
        reference: "WinPR 3 NTLM; observation winpr-3-no-function",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-accounts-down",
            "cat-bad-bindings",
            "cat-challenge-cannot-be-made",
            "cat-completed-initial",
            "cat-completed-subsequent",
            "cat-continued",
            "cat-count-too-far",
            "cat-count-too-far-continue",
            "cat-count-used",
            "cat-count-used-continue",
            "cat-descriptor-malformed",
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-entity-missing",
            "cat-handle-names-nothing",
            "cat-initiator-completed",
            "cat-initiator-continued",
            "cat-initiator-descriptor-malformed",
            "cat-initiator-entity-missing",
            "cat-initiator-message-differs",
            "cat-initiator-token-absent",
            "cat-initiator-token-not-ours",
            "cat-method-empty",
            "cat-output-absent",
            "cat-output-small",
            "cat-outside-differs",
            "cat-target-differs",
            "cat-token-absent",
            "cat-token-malformed",
            "cat-token-names-another",
        ],
        skipped: &["cat-completed-answered-elsewhere", "cat-count-too-old", "cat-count-too-old-continue"],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                if matches!(call, Call::CompleteAuthToken { .. }) {
                    Ok(Outcome::untouched(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION, call))
                } else {
                    oracle.call(call)
                }
            })
        },
    },
    Fault {
        name: "handle-lost-after-complete",
        text: "After SEC_I_COMPLETE_* the handle names nothing, so that it can be neither completed nor deleted.",
        reference: "Wine dlls/secur32/wrapper.c; observations wine-lost-package, wine-lost-package-delete",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-accounts-down",
            "cat-bad-bindings",
            "cat-challenge-cannot-be-made",
            "cat-completed-initial",
            "cat-completed-subsequent",
            "cat-continued",
            "cat-count-too-far",
            "cat-count-too-far-continue",
            "cat-count-used",
            "cat-count-used-continue",
            "cat-descriptor-malformed",
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-entity-missing",
            "cat-initiator-completed",
            "cat-initiator-continued",
            "cat-initiator-descriptor-malformed",
            "cat-initiator-entity-missing",
            "cat-initiator-message-differs",
            "cat-initiator-token-absent",
            "cat-initiator-token-not-ours",
            "cat-method-empty",
            "cat-output-absent",
            "cat-output-small",
            "cat-outside-differs",
            "cat-target-differs",
            "cat-token-absent",
            "cat-token-malformed",
            "cat-token-names-another",
            "dsc-deleted",
            "dsc-deleted-initiator",
        ],
        skipped: &["cat-completed-answered-elsewhere", "cat-count-too-old", "cat-count-too-old-continue"],
        make: |specification| {
            wrapped::<BTreeSet<SecHandle>>(Oracle::new(specification.clone()), |oracle, lost, call| {
                if call.context().is_some_and(|handle| lost.contains(&handle)) {
                    return Ok(Outcome::untouched(SecurityStatus::SEC_E_INVALID_HANDLE, call));
                }
                let outcome = oracle.call(call)?;
                if outcome.status.is_completion_due() {
                    lost.extend(outcome.handle);
                }
                Ok(outcome)
            })
        },
    },
];
