//! The initiator: InitializeSecurityContext, its CompleteAuthToken, MakeSignature.
#![forbid(unsafe_code)]

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, consumes_nothing, pretends, rejects, writes};
use super::wrapped::wrapped;
use crate::spec::Call;
use crate::spec::model::Next;
use crate::spec::names::{Buffers, CallName, HandleOutcome, Profile};
use crate::spec::vocabulary::{State, Word};
use crate::status::SecurityStatus;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "zeros-left",
        text: "CompleteAuthToken leaves the 32 zeros where the digest belongs.",
        reference: "notes 4, Initiator, response is 32 zeros until CompleteAuthToken overwrites it",
        profile: Profile::DigestHttp,
        fails: &["cat-initiator-completed", "cat-initiator-continued"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-initiator-completed", "cat-initiator-continued"];
            Tables::of(specification).change(&rows, writes(Buffers::Untouched)).subject()
        },
    },
    Fault {
        name: "foreign-token-finished",
        text: "CompleteAuthToken accepts another token than InitializeSecurityContext put out.",
        reference: "notes 4, Initiator, ISC's output byte for byte",
        profile: Profile::DigestHttp,
        fails: &["cat-initiator-token-not-ours"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-initiator-token-not-ours"], pretends).subject(),
    },
    Fault {
        name: "other-message-finished",
        text: "CompleteAuthToken finishes a token for another method or uri than it was made for.",
        reference: "notes 4, Initiator, method and uri empty or equal to ISC's",
        profile: Profile::DigestHttp,
        fails: &["cat-initiator-message-differs"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::CompleteAuthToken, "message-differs").subject()
        },
    },
    Fault {
        name: "other-message-tries-again",
        text: "A message that changed meanwhile leaves the initiator's completion pending.",
        reference: "notes 3, what a failure consumes, both roles alike",
        profile: Profile::DigestHttp,
        fails: &["cat-nothing-to-complete-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-initiator-message-differs", "cat-initiator-token-not-ours"];
            Tables::of(specification).change(&rows, consumes_nothing).subject()
        },
    },
    Fault {
        name: "token-alone-finished",
        text: "CompleteAuthToken succeeds on a descriptor with ISC's token alone, as curl passes it.",
        reference: "notes 4, Initiator, a descriptor with ISC's token alone (as curl's)",
        profile: Profile::DigestHttp,
        fails: &["cat-initiator-entity-missing"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-initiator-entity-missing"], pretends).subject(),
    },
    Fault {
        name: "initiator-mendable-error-consumes",
        text: "What the caller could mend ends the initiator's pending completion.",
        reference: "notes 3, what a failure consumes, both roles alike",
        profile: Profile::DigestHttp,
        fails: &["cat-initiator-completed", "cat-initiator-continued"],
        skipped: &[],
        make: |specification| {
            let rows =
                ["cat-initiator-descriptor-malformed", "cat-initiator-token-absent", "cat-initiator-entity-missing"];
            Tables::of(specification).change(&rows, rejects).subject()
        },
    },
    Fault {
        name: "initiator-completion-forgotten",
        text: "InitializeSecurityContext on a context that waits to be completed answers SEC_E_OK.",
        reference: "notes 4, any complete-… state, also for ISC",
        profile: Profile::DigestHttp,
        fails: &["isc-completion-due"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["isc-completion-due"], pretends).subject(),
    },
    Fault {
        name: "wrong-proof-accepted",
        text: "A wrong rspauth proves the server.",
        reference: "notes 4, Initiator, responded, Authentication-Info",
        profile: Profile::DigestHttp,
        fails: &["isc-proof-wrong"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["isc-proof-wrong"], "isc-proof-right").subject(),
    },
    Fault {
        name: "absent-proof-accepted",
        text: "An absent rspauth proves the server.",
        reference: "notes 4, Initiator, responded, Authentication-Info",
        profile: Profile::DigestHttp,
        fails: &["isc-proof-absent", "isc-proof-not-sent"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["isc-proof-absent", "isc-proof-not-sent"], "isc-proof-right").subject()
        },
    },
    Fault {
        name: "proof-not-awaited",
        text: "Mutual authentication is asked for and success is reported before the server proved anything.",
        reference: "notes 4, Initiator, with mutual authentication requested SEC_I_CONTINUE_NEEDED",
        profile: Profile::DigestHttp,
        fails: &["isc-answered-mutual", "isc-answered-mutual-initial", "isc-answered-mutual-reauthenticated"],
        skipped: &[
            "isc-answered-mutual-stale",
            "isc-answered-stale",
            "isc-proof-absent",
            "isc-proof-entity-missing",
            "isc-proof-not-sent",
            "isc-proof-wrong",
            "isc-refused",
            "isc-unfinished-mutual-stale",
            "isc-unfinished-stale",
        ],
        make: |specification| {
            let rows = [
                "isc-answered-mutual",
                "isc-answered-mutual-initial",
                "isc-answered-mutual-stale",
                "isc-answered-mutual-reauthenticated",
            ];
            Tables::of(specification)
                .change(&rows, |allowed| {
                    allowed.status = SecurityStatus::SEC_E_OK;
                    allowed.next = Next::State(State::Established.index());
                })
                .subject()
        },
    },
    Fault {
        name: "refusal-answered-again",
        text: "A challenge without stale=true, which refuses the password, is answered with the same password again.",
        reference: "notes 4, Initiator, without it: responded, SEC_E_LOGON_DENIED",
        profile: Profile::DigestHttp,
        fails: &["isc-refused"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::InitializeSecurityContext, "refused").subject()
        },
    },
    Fault {
        name: "initiator-revived",
        text: "A rejected initiator starts over.",
        reference: "notes 4, Initiator, rejected",
        profile: Profile::DigestHttp,
        fails: &["isc-rejected"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["isc-rejected"], "isc-started-again").subject(),
    },
    Fault {
        name: "nothing-in-common-ignored",
        text: "A challenge whose algorithm or qop is unknown is reported as answered.",
        reference: "notes 4, Initiator, no common qop, unknown algorithm (curl issue 6302)",
        profile: Profile::DigestHttp,
        fails: &["isc-nothing-in-common", "isc-nothing-in-common-context"],
        skipped: &[],
        make: |specification| {
            let established = Next::State(State::Established.index());
            Tables::of(specification)
                .change(&["isc-nothing-in-common"], |allowed| {
                    pretends(allowed);
                    allowed.handle = HandleOutcome::New;
                    allowed.next = established;
                })
                .change(&["isc-nothing-in-common-context"], pretends)
                .subject()
        },
    },
    Fault {
        name: "delegation-promised",
        text: "DELEGATE, PROMPT_FOR_CREDS and CONFIDENTIALITY are granted over HTTP.",
        reference: "notes 4, Initiator, DELEGATE, PROMPT_FOR_CREDS, CONFIDENTIALITY with HTTP",
        profile: Profile::DigestHttp,
        fails: &["isc-flags-unsupported", "isc-flags-unsupported-context"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::InitializeSecurityContext, "flags-unsupported").subject()
        },
    },
    Fault {
        name: "reauthentication-refused",
        text: "An established initiator does not answer another challenge.",
        reference: "notes 4, Initiator, established: reauthentication (documented)",
        profile: Profile::DigestHttp,
        fails: &[
            "isc-answered-mutual-reauthenticated",
            "isc-answered-reauthenticated",
            "isc-unfinished-mutual-reauthenticated",
            "isc-unfinished-reauthenticated",
        ],
        skipped: &[],
        make: |specification| {
            let rows = [
                "isc-answered-reauthenticated",
                "isc-answered-mutual-reauthenticated",
                "isc-unfinished-reauthenticated",
                "isc-unfinished-mutual-reauthenticated",
            ];
            Tables::of(specification).like(&rows, "isc-rejected").subject()
        },
    },
    Fault {
        name: "count-not-increased",
        text: "Every further header carries count 00000002.",
        reference: "notes 2, MakeSignature makes the next header, nc + 1",
        profile: Profile::DigestHttp,
        fails: &["ms-signed"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let before = oracle.clone();
                let outcome = oracle.call(call)?;
                if matches!(call, Call::MakeSignature { .. }) {
                    *oracle = before;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "count-wraps",
        text: "After ffffffff a header is signed all the same.",
        reference: "notes 4, Others, MakeSignature, after ffffffff SEC_E_OUT_OF_SEQUENCE",
        profile: Profile::DigestHttp,
        fails: &["ms-exhausted"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["ms-exhausted"], pretends).subject(),
    },
    Fault {
        name: "body-signed-unseen",
        text: "MakeSignature signs auth-int without HEntity.",
        reference: "notes 4, Others, MakeSignature, auth-int without HEntity",
        profile: Profile::DigestHttp,
        fails: &["ms-entity-missing"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["ms-entity-missing"], pretends).subject(),
    },
    Fault {
        name: "acceptor-signs",
        text: "MakeSignature succeeds on an HTTP acceptor.",
        reference: "notes 4, Others, MakeSignature, on an HTTP acceptor SEC_E_UNSUPPORTED_FUNCTION",
        profile: Profile::DigestHttp,
        fails: &["ms-acceptor"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["ms-acceptor"], pretends).subject(),
    },
    Fault {
        name: "pending-context-signs",
        text: "MakeSignature succeeds before the context is established.",
        reference: "notes 4, Others, MakeSignature, established only",
        profile: Profile::DigestHttp,
        fails: &["ms-not-established", "ms-not-established-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["ms-not-established", "ms-not-established-initiator"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
];
