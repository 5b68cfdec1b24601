//! Challenges, nonces, and what a token names.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, challenges, forgets, writes};
use super::wrapped::{configured, context, response, session_nonce, with_spoilt_nonce, wrapped};
use crate::spec::names::{Buffers, Effect, HandleOutcome, Profile};
use crate::spec::{Call, Outcome};
use crate::status::SecurityStatus;

/// A session nobody finds any more, though handles refer to it: tokens that name it name nothing.
fn unless_ended(oracle: &mut Oracle, ended: &BTreeSet<Vec<u8>>, call: &Call) -> Result<Outcome, super::SubjectError> {
    let exchanges = &oracle.shadow().registers().exchanges;
    let is_live = |nonce: &Vec<u8>| exchanges.iter().any(|exchange| exchange.is_live() && exchange.nonce == *nonce);
    let nonce = response(call).map(|response| response.nonce.to_vec());
    let nonce = nonce.filter(|nonce| ended.contains(nonce) && is_live(nonce));
    let (Some(nonce), Call::AcceptSecurityContext { .. }) = (nonce, call) else { return oracle.call(call) };
    let mut outcome = oracle.call(&with_spoilt_nonce(call, &nonce))?;
    outcome.input = call.input().cloned();
    Ok(outcome)
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "nonce-reused",
        text: "Every challenge carries the nonce and opaque of the first.",
        reference: "notes 3, a challenge is answerable once",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-answer-count",
            "asc-answer-count-challenged",
            "asc-answer-expired",
            "asc-answer-expired-challenged",
            "asc-challenge",
            "asc-challenge-again",
            "asc-ended-named",
            "asc-ended-named-right",
            "asc-nothing-named-challenged",
            "asc-nothing-named-right",
            "asc-nothing-named-right-challenged",
            "asc-session-found-expired",
            "asc-unread-body-expired",
            "asc-unread-body-expired-challenged",
            "cat-count-too-far",
            "cat-count-too-old",
            "cat-count-used",
        ],
        skipped: &[
            "asc-ended-named-challenged",
            "asc-ended-named-right-challenged",
            "asc-names-two",
            "asc-names-two-challenged",
            "asc-no-room",
            "asc-session-found-challenged",
            "asc-session-found-expired-challenged",
            "cat-continued",
            "cat-count-too-far-continue",
            "cat-count-too-old-continue",
            "cat-count-used-continue",
            "cat-output-absent",
            "isc-no-room",
        ],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                oracle.repeat_entropy();
                oracle.call(call)
            })
        },
    },
    Fault {
        name: "nonce-never-expires",
        text: "The age of a nonce is never judged.",
        reference: "notes 4, AcceptSecurityContext, digest right but nonce expired; age is judged here, once",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-answer-expired",
            "asc-answer-expired-challenged",
            "asc-environment-fails",
            "asc-environment-fails-challenged",
            "asc-output-absent",
            "asc-output-absent-challenged",
            "asc-output-small",
            "asc-output-small-challenged",
            "asc-session-found-expired",
            "asc-session-found-expired-challenged",
            "asc-unread-body-expired",
            "asc-unread-body-expired-challenged",
            "vs-expired",
        ],
        skipped: &[
            "cat-continued",
            "cat-count-too-far-continue",
            "cat-count-too-old-continue",
            "cat-count-used-continue",
            "cat-output-absent",
        ],
        make: |specification| {
            configured(Oracle::new(specification.clone()), |setup| setup.nonce_lifetime = u64::MAX / 2)
        },
    },
    Fault {
        name: "expired-answer-authenticates",
        text: "An answer to an expired challenge authenticates instead of earning stale=true.",
        reference: "notes 4, AcceptSecurityContext, digest right but nonce expired",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-expired", "asc-answer-expired-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-answer-expired"], "asc-answer-right")
                .like(&["asc-answer-expired-challenged"], "asc-answer-right-challenged")
                .subject()
        },
    },
    Fault {
        name: "stale-undeserved",
        text: "A token that names nothing earns stale=true without its digest being checked.",
        reference: "notes 3, stale=true if and only if its digest verifies",
        profile: Profile::DigestHttp,
        fails: &["asc-ended-named", "asc-ended-named-challenged", "asc-nothing-named", "asc-nothing-named-challenged"],
        skipped: &[],
        make: |specification| {
            let rows =
                ["asc-nothing-named", "asc-nothing-named-challenged", "asc-ended-named", "asc-ended-named-challenged"];
            Tables::of(specification).change(&rows, writes(Buffers::ChallengeStale)).subject()
        },
    },
    Fault {
        name: "stale-never",
        text: "A right digest with an unknown nonce earns no stale=true, so people are asked for their password again.",
        reference: "notes 3, clients come back by themselves after a restart",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-ended-named-right",
            "asc-ended-named-right-challenged",
            "asc-nothing-named-right",
            "asc-nothing-named-right-challenged",
        ],
        skipped: &[],
        make: |specification| {
            let rows = [
                "asc-nothing-named-right",
                "asc-nothing-named-right-challenged",
                "asc-ended-named-right",
                "asc-ended-named-right-challenged",
            ];
            Tables::of(specification).change(&rows, writes(Buffers::Challenge)).subject()
        },
    },
    Fault {
        name: "opaque-not-compared",
        text: "Nonce of one and opaque of another are taken as a token that names nothing.",
        reference: "notes 3, nonce and opaque of two different live ones",
        profile: Profile::DigestHttp,
        fails: &["asc-names-two", "asc-names-two-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-names-two"], "asc-nothing-named")
                .like(&["asc-names-two-challenged"], "asc-nothing-named-challenged")
                .subject()
        },
    },
    Fault {
        name: "challenge-answered-twice",
        text: "An answered challenge does not become a session: its nonce can be answered again.",
        reference: "notes 3, answering is atomic and happens once",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-ended-named",
            "asc-ended-named-challenged",
            "asc-environment-fails",
            "asc-environment-fails-challenged",
            "asc-no-room",
            "asc-output-absent",
            "asc-output-absent-challenged",
            "asc-output-small",
            "asc-output-small-challenged",
            "asc-session-found",
            "asc-session-found-challenged",
            "asc-session-found-expired",
            "asc-session-found-expired-challenged",
            "cat-completed-subsequent",
            "cat-continued",
            "qca-answered",
            "vs-age-undecidable",
            "vs-count",
            "vs-expired",
            "vs-outside-differs",
            "vs-verified",
        ],
        skipped: &["cat-digest-differs-subsequent"],
        make: |specification| {
            let rows = ["asc-answer-right", "asc-answer-right-challenged"];
            Tables::of(specification).change(&rows, forgets(Effect::OpenSession)).subject()
        },
    },
    Fault {
        name: "ended-nonce-answered-again",
        text: "The nonce of a session that ended authenticates initially again.",
        reference: "notes 3, an answered nonce never authenticates initially again",
        profile: Profile::DigestHttp,
        fails: &["asc-ended-named-right", "asc-ended-named-right-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-ended-named-right"], "asc-answer-right")
                .like(&["asc-ended-named-right-challenged"], "asc-answer-right-challenged")
                .subject()
        },
    },
    Fault {
        name: "guesses-without-limit",
        text: "A challenge can be answered wrongly for ever.",
        reference: "notes 3, answerable until failed too often",
        profile: Profile::DigestHttp,
        fails: &["asc-nothing-named-right"],
        skipped: &[],
        make: |specification| configured(Oracle::new(specification.clone()), |setup| setup.limits.failures = u32::MAX),
    },
    Fault {
        name: "challenges-without-limit",
        text: "Unanswered challenges are never forgotten.",
        reference: "notes 3, answerable until evicted",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-nothing-named",
            "asc-nothing-named-challenged",
            "asc-nothing-named-right",
            "asc-nothing-named-right-challenged",
            "asc-output-absent",
        ],
        skipped: &[],
        make: |specification| {
            configured(Oracle::new(specification.clone()), |setup| setup.limits.challenges = usize::MAX)
        },
    },
    Fault {
        name: "virtual-hosts-shared",
        text: "Credentials of different principals share sessions and challenges.",
        reference: "notes 3, under the same credentials identity; notes 4, handle used with other credentials",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-environment-fails",
            "asc-nothing-named",
            "asc-nothing-named-challenged",
            "asc-nothing-named-right",
            "asc-nothing-named-right-challenged",
            "asc-other-credentials",
            "asc-output-small",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut call = call.clone();
                if let Call::AcquireCredentialsHandle { principal, .. } = &mut call {
                    *principal = None;
                }
                oracle.call(&call)
            })
        },
    },
    Fault {
        name: "deletion-ends-session",
        text: "Deleting one handle ends the session that other handles still refer to.",
        reference: "notes 3, the session ends with its last handle",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-asked-more-challenged",
            "asc-environment-fails",
            "asc-environment-fails-challenged",
            "asc-names-two-challenged",
            "asc-no-room",
            "asc-session-found",
            "asc-session-found-challenged",
            "asc-session-found-expired",
            "asc-session-found-expired-challenged",
        ],
        skipped: &["cat-count-too-old"],
        make: |specification| {
            wrapped::<BTreeSet<Vec<u8>>>(Oracle::new(specification.clone()), |oracle, ended, call| {
                if matches!(call, Call::DeleteSecurityContext { .. }) {
                    ended.extend(session_nonce(oracle, call));
                }
                unless_ended(oracle, ended, call)
            })
        },
    },
    Fault {
        name: "rejection-ends-session",
        text: "One altered message ends the session for every handle, so that anybody can end it.",
        reference: "notes 4, after a failure of the peer's token the session lives on through its other handles",
        profile: Profile::DigestHttp,
        fails: &["asc-session-found", "asc-session-found-expired"],
        skipped: &[],
        make: |specification| {
            wrapped::<BTreeSet<Vec<u8>>>(Oracle::new(specification.clone()), |oracle, ended, call| {
                let nonce = session_nonce(oracle, call);
                let outcome = unless_ended(oracle, ended, call)?;
                if outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED {
                    ended.extend(nonce);
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "deletion-forgotten",
        text: "A deleted handle goes on naming its context.",
        reference: "notes 4, every other call on a deleted handle SEC_E_INVALID_HANDLE",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-accounts-down",
            "asc-accounts-down-challenged",
            "asc-challenge",
            "asc-environment-fails",
            "asc-environment-fails-challenged",
            "asc-handle-names-nothing",
            "asc-output-absent",
            "asc-output-absent-challenged",
            "asc-output-small",
            "asc-output-small-challenged",
            "cat-handle-names-nothing",
            "dec-handle-names-nothing",
            "enc-handle-names-nothing",
            "ms-handle-names-nothing",
            "vs-handle-names-nothing",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                if matches!(call, Call::DeleteSecurityContext { .. }) && context(oracle, call).is_some() {
                    return Ok(Outcome::untouched(SecurityStatus::SEC_E_OK, call));
                }
                oracle.call(call)
            })
        },
    },
    Fault {
        name: "entropy-failure-ignored",
        text: "Where entropy or clock fails, a challenge is made all the same.",
        reference: "notes 4, SEC_E_INTERNAL_ERROR",
        profile: Profile::DigestHttp,
        fails: &["asc-environment-fails", "asc-environment-fails-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-environment-fails"], challenges(HandleOutcome::New))
                .change(&["asc-environment-fails-challenged"], challenges(HandleOutcome::Same))
                .subject()
        },
    },
];
