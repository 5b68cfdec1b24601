//! Handles, credentials and attributes.
#![forbid(unsafe_code)]

use super::super::oracle::Oracle;
use super::super::{Subject, SubjectError};
use super::Fault;
use super::tables::{Tables, answers, forgets, pretends};
use super::wrapped::wrapped;
use crate::buffer::SecHandle;
use crate::spec::call::{Attribute, Call, Outcome, PackageInfo};
use crate::spec::names::{Buffers, Effect, Profile};
use crate::spec::vocabulary::State;
use crate::status::SecurityStatus;

/// Changes what an outcome tells of packages, where it tells of some.
fn retell(mut outcome: Outcome, change: impl Fn(&mut Vec<PackageInfo>)) -> Outcome {
    if let Some(Attribute::Packages(packages)) = &mut outcome.attribute {
        change(packages);
    }
    outcome
}

/// Memory that QuerySecurityPackageInfo gives away is at one address; what stands behind it is remembered.
fn shared_memory(oracle: &mut Oracle, behind: &mut Vec<SecHandle>, call: &Call) -> Result<Outcome, SubjectError> {
    const SHARED: SecHandle = SecHandle { lower: 0x5000, upper: 0 };
    if call.block() == Some(SHARED) {
        return oracle.call(&Call::FreeContextBuffer { block: behind.pop().or(Some(SHARED)) });
    }
    let outcome = oracle.call(call)?;
    if !matches!(call, Call::QuerySecurityPackageInfo { .. }) {
        return Ok(outcome);
    }
    behind.extend(outcome.handle);
    Ok(Outcome { handle: outcome.handle.map(|_| SHARED), ..outcome })
}

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
    Fault {
        name: "unknown-package-described",
        text: "QuerySecurityPackageInfo describes the package whatever the name asked for.",
        reference: "decisions, QuerySecurityPackageInfo, SEC_E_SECPKG_NOT_FOUND",
        profile: Profile::DigestHttp,
        fails: &["qspi-other-package"],
        skipped: &[],
        make: |specification| Tables::of(specification).like(&["qspi-other-package"], "qspi-described").subject(),
    },
    Fault {
        name: "another-package-described",
        text: "QuerySecurityPackageInfo describes the first package there is, not the one asked for.",
        reference: "querysecuritypackageinfo#parameters",
        profile: Profile::DigestHttp,
        fails: &["qspi-described"],
        skipped: &[],
        make: |specification| {
            wrapped(Tables::of(specification).oracle(), |oracle, (), call| {
                let outcome = oracle.call(call)?;
                let other = |packages: &mut Vec<PackageInfo>| packages[0].name = "Negotiate".to_owned();
                let asks = matches!(call, Call::QuerySecurityPackageInfo { .. });
                Ok(if asks { retell(outcome, other) } else { outcome })
            })
        },
    },
    Fault {
        name: "package-not-enumerated",
        text: "EnumerateSecurityPackages leaves out a package whose credentials can be had.",
        reference: "enumeratesecuritypackages#parameters",
        profile: Profile::DigestSasl,
        fails: &["esp-enumerated"],
        skipped: &[],
        make: |specification| {
            wrapped(Tables::of(specification).oracle(), |oracle, (), call| {
                let outcome = oracle.call(call)?;
                let enumerates = matches!(call, Call::EnumerateSecurityPackages {});
                Ok(if enumerates { retell(outcome, Vec::clear) } else { outcome })
            })
        },
    },
    Fault {
        name: "package-version-not-one",
        text: "wVersion is that of something else than the interface.",
        reference: "secpkginfo#members",
        profile: Profile::DigestHttp,
        fails: &["esp-enumerated", "qspi-described"],
        skipped: &["fcb-freed", "fcb-not-allocated"],
        make: |specification| {
            wrapped(Tables::of(specification).oracle(), |oracle, (), call| {
                let told = |packages: &mut Vec<PackageInfo>| packages[0].version = 10;
                oracle.call(call).map(|outcome| retell(outcome, told))
            })
        },
    },
    Fault {
        name: "memory-given-twice",
        text: "QuerySecurityPackageInfo gives the same memory to everybody, so that who frees it frees it for all.",
        reference: "querysecuritypackageinfo#remarks",
        profile: Profile::DigestHttp,
        fails: &["qspi-described"],
        skipped: &[],
        make: |specification| wrapped(Tables::of(specification).oracle(), shared_memory),
    },
    Fault {
        name: "memory-freed-twice",
        text: "FreeContextBuffer succeeds for memory that was freed before, and for what never was the package's.",
        reference: "decisions, FreeContextBuffer, freed or foreign: SEC_E_INVALID_HANDLE; WinPR does so",
        profile: Profile::DigestHttp,
        fails: &["fcb-not-allocated"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["fcb-not-allocated"], answers(SecurityStatus::SEC_E_OK)).subject()
        },
    },
    Fault {
        name: "memory-not-freed",
        text: "FreeContextBuffer refuses memory of QuerySecurityPackageInfo and EnumerateSecurityPackages.",
        reference: "freecontextbuffer#remarks",
        profile: Profile::DigestSasl,
        fails: &["fcb-freed"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["fcb-freed"], |allowed| {
                    allowed.status = SecurityStatus::SEC_E_INVALID_HANDLE;
                    allowed.effects.clear();
                })
                .subject()
        },
    },
    Fault {
        name: "null-memory-unsupported",
        text: "FreeContextBuffer of NULL says that there is no such function.",
        reference: "decisions, FreeContextBuffer, NULL: SEC_E_INVALID_HANDLE",
        profile: Profile::DigestHttp,
        fails: &["fcb-null"],
        skipped: &[],
        make: |specification| {
            let status = answers(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION);
            Tables::of(specification).change(&["fcb-null"], status).subject()
        },
    },
];
