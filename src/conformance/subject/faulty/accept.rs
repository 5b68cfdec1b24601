//! AcceptSecurityContext.
#![forbid(unsafe_code)]

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, answers, challenges, pretends, rejects};
use super::wrapped::{response, wrapped};
use crate::spec::model::Next;
use crate::spec::names::{Buffers, CallName, Effect, HandleOutcome, Profile};
use crate::spec::vocabulary::{State, Word};
use crate::spec::{Call, Outcome};
use crate::status::SecurityStatus;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "wrong-answer-authenticates",
        text: "The response to a challenge is never compared.",
        reference: "notes 4, AcceptSecurityContext, wrong digest or unknown user",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-wrong", "asc-answer-wrong-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-answer-wrong"], "asc-answer-right")
                .like(&["asc-answer-wrong-challenged"], "asc-answer-right-challenged")
                .subject()
        },
    },
    Fault {
        name: "unknown-user-told",
        text: "An unknown user is answered with another status than a wrong password.",
        reference: "notes 4, AcceptSecurityContext, wrong digest or unknown user, same work for both",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-wrong", "asc-answer-wrong-challenged"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                let accounts = &oracle.shadow().registers().setup.accounts;
                let known = response(call)
                    .is_some_and(|response| accounts.iter().any(|account| account.username == response.username));
                let denied = outcome.status == SecurityStatus::SEC_E_LOGON_DENIED;
                if denied && !known && matches!(call, Call::AcceptSecurityContext { .. }) {
                    outcome.status = SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "rejected-answer-tries-again",
        text: "A wrong answer leaves its handle challenged, so that the next answer on it authenticates.",
        reference: "notes 4, AcceptSecurityContext, the handle rejected",
        profile: Profile::DigestHttp,
        fails: &["asc-rejected"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-answer-wrong-challenged"], |allowed| {
                    allowed.next = Next::Same;
                    allowed.effects = vec![Effect::CountFailure];
                })
                .subject()
        },
    },
    Fault {
        name: "first-count-not-compared",
        text: "An answer with another count than 00000001 authenticates.",
        reference: "notes 4, AcceptSecurityContext, nc not 00000001",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-count", "asc-answer-count-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "answer-right-but-count").subject()
        },
    },
    Fault {
        name: "body-not-waited-for",
        text: "auth-int without HEntity is refused at once instead of waiting for the body.",
        reference: "notes 4, AcceptSecurityContext, the body is not read yet",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-unread-body",
            "asc-unread-body-challenged",
            "asc-unread-body-expired",
            "asc-unread-body-expired-challenged",
        ],
        skipped: &[
            "cat-accounts-down",
            "cat-completed-answered-elsewhere",
            "cat-completed-initial",
            "cat-digest-differs-initial",
        ],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-unread-body", "asc-unread-body-expired"], "asc-entity-malformed")
                .like(
                    &["asc-unread-body-challenged", "asc-unread-body-expired-challenged"],
                    "asc-entity-malformed-challenged",
                )
                .subject()
        },
    },
    Fault {
        name: "request-authenticated-by-accept",
        text: "A later request is reported as authenticated before its token was completed.",
        reference: "notes 4, AcceptSecurityContext, token names a session",
        profile: Profile::DigestHttp,
        fails: &["asc-session-found", "asc-session-found-challenged"],
        skipped: &["cat-completed-subsequent", "cat-count-too-old"],
        make: |specification| {
            let rows = ["asc-session-found", "asc-session-found-challenged"];
            Tables::of(specification)
                .change(&rows, |allowed| {
                    allowed.status = SecurityStatus::SEC_E_OK;
                    allowed.next = Next::State(State::Established.index());
                })
                .subject()
        },
    },
    Fault {
        name: "expired-session-completes",
        text: "A request with an expired nonce is to be completed as if it were fresh.",
        reference: "notes 4, AcceptSecurityContext, nonce expired SEC_I_COMPLETE_AND_CONTINUE",
        profile: Profile::DigestHttp,
        fails: &["asc-session-found-expired", "asc-session-found-expired-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-session-found-expired"], "asc-session-found")
                .like(&["asc-session-found-expired-challenged"], "asc-session-found-challenged")
                .subject()
        },
    },
    Fault {
        name: "established-accepts-anything",
        text: "AcceptSecurityContext on an established context answers SEC_E_OK whatever the token.",
        reference: "notes 4, AcceptSecurityContext, established",
        profile: Profile::DigestHttp,
        fails: &["asc-established"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["asc-established"], pretends).subject(),
    },
    Fault {
        name: "pending-completion-overwritten",
        text: "AcceptSecurityContext on a context that waits to be completed starts over.",
        reference: "notes 4, AcceptSecurityContext, any complete-… state",
        profile: Profile::DigestHttp,
        fails: &["asc-completion-due"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["asc-completion-due"], "asc-challenge-again").subject(),
    },
    Fault {
        name: "rejected-handle-revived",
        text: "A rejected context is challenged again.",
        reference: "notes 4, AcceptSecurityContext, rejected",
        profile: Profile::DigestHttp,
        fails: &["asc-rejected"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["asc-rejected"], "asc-challenge-again").subject(),
    },
    Fault {
        name: "malformed-answer-rejects",
        text: "A malformed token makes a challenged context useless, so anybody can lock the honest client out.",
        reference: "notes 4, AcceptSecurityContext, malformed: state unchanged",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-right-challenged"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["asc-token-malformed-challenged"], rejects).subject(),
    },
    Fault {
        name: "method-empty-accepted",
        text: "A token whose request has no method is judged all the same.",
        reference: "notes 4, AcceptSecurityContext and CompleteAuthToken, method empty",
        profile: Profile::DigestHttp,
        fails: &["asc-method-empty", "asc-method-empty-challenged", "cat-method-empty", "vs-method-empty"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-method-empty"], challenges(HandleOutcome::New))
                .change(&["asc-method-empty-challenged"], challenges(HandleOutcome::Same))
                .change(&["cat-method-empty", "vs-method-empty"], pretends)
                .subject()
        },
    },
    Fault {
        name: "offer-not-compared",
        text: "An answer with another qop, algorithm or realm than its challenge offered is judged by its digest alone.",
        reference: "notes 5, refuses a response without qop or with one not offered",
        profile: Profile::DigestHttp,
        fails: &["asc-not-offered", "asc-not-offered-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "not-offered").subject()
        },
    },
    Fault {
        name: "asked-more-ignored",
        text: "Flags that ask for integrity are ignored where auth was negotiated.",
        reference: "notes 4, AcceptSecurityContext, more than was negotiated",
        profile: Profile::DigestHttp,
        fails: &["asc-asked-more", "asc-asked-more-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "asked-more").subject()
        },
    },
    Fault {
        name: "confidentiality-promised",
        text: "CONFIDENTIALITY over HTTP is granted, which HTTP Digest has not.",
        reference: "notes 4, AcceptSecurityContext, flags and environment",
        profile: Profile::DigestHttp,
        fails: &["asc-flags-unsupported", "asc-flags-unsupported-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "flags-unsupported").subject()
        },
    },
    Fault {
        name: "other-credentials-ignored",
        text: "A context is continued with credentials of another virtual host.",
        reference: "notes 4, AcceptSecurityContext, handle used with other credentials",
        profile: Profile::DigestHttp,
        fails: &["asc-other-credentials"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["asc-other-credentials"], "asc-challenge-again").subject()
        },
    },
    Fault {
        name: "credentials-status-another",
        text: "Bad credentials are SEC_E_UNKNOWN_CREDENTIALS.",
        reference: "notes 4, AcceptSecurityContext, bad credentials handle SEC_E_NO_CREDENTIALS",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-no-credentials",
            "asc-no-credentials-context",
            "isc-no-credentials",
            "isc-no-credentials-context",
        ],
        skipped: &[],
        make: |specification| {
            let rows = [
                "asc-no-credentials",
                "asc-no-credentials-context",
                "isc-no-credentials",
                "isc-no-credentials-context",
            ];
            Tables::of(specification).change(&rows, answers(SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)).subject()
        },
    },
    Fault {
        name: "authority-absence-denies",
        text: "Where the account source is down, honest users are refused as if their password were wrong.",
        reference: "notes 4, account source down SEC_E_NO_AUTHENTICATING_AUTHORITY, in a completion SEC_E_INTERNAL_ERROR",
        profile: Profile::DigestHttp,
        fails: &["asc-accounts-down", "asc-accounts-down-challenged", "cat-accounts-down"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-accounts-down"], "asc-answer-wrong")
                .like(&["asc-accounts-down-challenged"], "asc-answer-wrong-challenged")
                .like(&["cat-accounts-down"], "cat-digest-differs-initial")
                .subject()
        },
    },
    Fault {
        name: "error-leaves-a-handle",
        text: "A wrong answer without a context leaves its caller a handle.",
        reference: "notes 3, an error without a handle creates none",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-wrong"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-answer-wrong"], |allowed| {
                    allowed.handle = HandleOutcome::New;
                    allowed.next = Next::State(State::Rejected.index());
                })
                .subject()
        },
    },
    Fault {
        name: "output-truncated",
        text: "A challenge is cut off to fit an output buffer that is too small.",
        reference: "notes 3, an output buffer too small",
        profile: Profile::DigestHttp,
        fails: &["asc-output-small", "asc-output-small-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-output-small"], challenges(HandleOutcome::New))
                .change(&["asc-output-small-challenged"], challenges(HandleOutcome::Same))
                .subject()
        },
    },
    Fault {
        name: "output-absent-ignored",
        text: "A challenge is made though there is nowhere to put it.",
        reference: "notes 3, output absent where it is required",
        profile: Profile::DigestHttp,
        fails: &["asc-output-absent", "asc-output-absent-challenged", "cat-output-absent"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["asc-output-absent"], challenges(HandleOutcome::New))
                .change(&["asc-output-absent-challenged"], challenges(HandleOutcome::Same))
                .like(&["cat-output-absent"], "cat-continued")
                .subject()
        },
    },
    Fault {
        name: "room-without-end",
        text: "The limit of contexts is not kept.",
        reference: "decisions, Limits.contexts",
        profile: Profile::DigestHttp,
        fails: &["asc-no-room", "isc-no-room"],
        skipped: &[],
        make: |specification| {
            super::wrapped::configured(Oracle::new(specification.clone()), |setup| {
                setup.limits.contexts = usize::MAX;
            })
        },
    },
    Fault {
        name: "output-written-on-error",
        text: "On a wrong answer the output token is emptied, as if something had been put out.",
        reference: "notes 3, what a failure leaves; decisions, on an error the output is untouched",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-wrong", "asc-answer-wrong-challenged"],
        skipped: &[],
        make: |specification| {
            let rows = ["asc-answer-wrong", "asc-answer-wrong-challenged"];
            Tables::of(specification).change(&rows, |allowed| allowed.buffers = Buffers::Empty).subject()
        },
    },
    Fault {
        name: "token-overwritten",
        text: "The caller's token is zeroed while it is read, which leaves nothing to complete.",
        reference: "notes 2, the same array goes to CompleteAuthToken",
        profile: Profile::DigestHttp,
        fails: &["asc-answer-right"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome: Outcome = oracle.call(call)?;
                let first = matches!(call, Call::AcceptSecurityContext { context: None, .. });
                if outcome.status == SecurityStatus::SEC_E_OK && first {
                    let input = outcome.input.as_mut().and_then(|input| input.buffers.as_mut());
                    if let Some(data) = input.into_iter().flatten().find_map(|buffer| buffer.data.as_mut()) {
                        data.fill(0);
                    }
                }
                Ok(outcome)
            })
        },
    },
];
