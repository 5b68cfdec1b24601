//! Handles, credentials and attributes.
#![forbid(unsafe_code)]

use super::Fault;
use super::tables::{Tables, answers, forgets, pretends};
use crate::spec::names::{Buffers, Effect, Profile};
use crate::spec::vocabulary::State;
use crate::status::SecurityStatus;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "handle-not-checked",
        text: "A handle that names nothing is reported as a context in the wrong state.",
        reference: "notes 4, CompleteAuthToken, phContext NULL, zeroed, deleted, forged",
        profile: Profile::DigestHttp,
        fails: &["cat-handle-names-nothing"],
        skipped: &[],
        make: |specification| {
            let status = answers(SecurityStatus::SEC_E_OUT_OF_SEQUENCE);
            Tables::of(specification).change(&["cat-handle-names-nothing"], status).subject()
        },
    },
    Fault {
        name: "attributes-too-early",
        text: "QueryContextAttributes answers before anybody is authenticated.",
        reference: "notes 4, Others, QueryContextAttributes, state before attribute",
        profile: Profile::DigestHttp,
        fails: &["qca-not-established", "qca-not-established-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["qca-not-established", "qca-not-established-initiator"], |allowed| {
                    pretends(allowed);
                    allowed.buffers = Buffers::AttributeValue;
                })
                .subject()
        },
    },
    Fault {
        name: "attribute-invented",
        text: "QueryContextAttributes succeeds for attributes that the package has not.",
        reference: "notes 4, Others, unsupported attribute SEC_E_UNSUPPORTED_FUNCTION",
        profile: Profile::DigestHttp,
        fails: &["qca-unsupported", "qca-unsupported-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["qca-unsupported", "qca-unsupported-initiator"], "qca-answered").subject()
        },
    },
    Fault {
        name: "pending-not-deleted",
        text: "DeleteSecurityContext is refused while a completion is due.",
        reference: "notes 4, Others, DeleteSecurityContext: live, pending or not",
        profile: Profile::DigestHttp,
        fails: &["dsc-deleted"],
        skipped: &[],
        make: |specification| {
            let pending = [
                State::CompleteNeededInitial,
                State::CompleteNeededSubsequent,
                State::CompleteAndContinueInitial,
                State::CompleteAndContinueSubsequent,
            ];
            Tables::of(specification)
                .change_in("dsc-deleted", &pending, |allowed| {
                    pretends(allowed);
                    allowed.status = SecurityStatus::SEC_E_OUT_OF_SEQUENCE;
                })
                .subject()
        },
    },
    Fault {
        name: "second-deletion-refused",
        text: "Deleting a handle twice is an error.",
        reference: "notes 4, Others, deleted before: SEC_E_OK (documented)",
        profile: Profile::DigestHttp,
        fails: &["dsc-deleted-before"],
        skipped: &[],
        make: |specification| {
            let status = answers(SecurityStatus::SEC_E_INVALID_HANDLE);
            Tables::of(specification).change(&["dsc-deleted-before"], status).subject()
        },
    },
    Fault {
        name: "anything-deleted",
        text: "Deleting a handle that never existed succeeds.",
        reference: "notes 4, Others, never existed: SEC_E_INVALID_HANDLE",
        profile: Profile::DigestHttp,
        fails: &["dsc-never-existed"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["dsc-never-existed"], answers(SecurityStatus::SEC_E_OK)).subject()
        },
    },
    Fault {
        name: "credentials-not-freed",
        text: "Freed credentials go on working.",
        reference: "decisions, FreeCredentialsHandle; notes 4, bad credentials handle SEC_E_NO_CREDENTIALS",
        profile: Profile::DigestHttp,
        fails: &["asc-no-credentials", "fch-credential-names-nothing"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["fch-freed"], forgets(Effect::FreeCredentials)).subject()
        },
    },
    Fault {
        name: "any-package-acquired",
        text: "AcquireCredentialsHandle takes every package name.",
        reference: "decisions, AcquireCredentialsHandle, SEC_E_SECPKG_NOT_FOUND",
        profile: Profile::DigestHttp,
        fails: &["ach-other-package"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["ach-other-package"], "ach-acquired").subject(),
    },
];
