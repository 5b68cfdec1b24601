//! Any package: a package of three tokens with one flaw, and tables that answer otherwise.
#![forbid(unsafe_code)]

use super::super::opaque::{Flaw, Opaque};
use super::Fault;
use super::tables::{Tables, answers, pretends};
use crate::spec::names::Profile;
use crate::status::SecurityStatus;

/// What a package that never answers SEC_I_COMPLETE_AND_CONTINUE to a server does not come to.
const NEVER_CONTINUED: &[&str] = &["cat-any-continued"];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "any-completes-unasked",
        text: "CompleteAuthToken succeeds though no call asked for it, as sspi-rs' Kerberos, PKU2U and CredSSP do.",
        reference: "the state rule, completeauthtoken#remarks",
        profile: Profile::AnyPackage,
        fails: &["cat-any-nothing-to-complete", "cat-any-nothing-to-complete-initiator"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::CompletesUnasked))),
    },
    Fault {
        name: "any-completes-without-token",
        text: "CompleteAuthToken does not look at pToken.",
        reference: "completeauthtoken#parameters",
        profile: Profile::AnyPackage,
        fails: &["cat-any-descriptor-malformed", "cat-any-descriptor-malformed-initiator"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::CompletesWithoutToken))),
    },
    Fault {
        name: "any-completes-credentials",
        text: "CompleteAuthToken succeeds on a credentials handle, so that curl's mistake is not noticed.",
        reference: "completeauthtoken#returns",
        profile: Profile::AnyPackage,
        fails: &["cat-any-handle-credentials"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::CompletesCredentials))),
    },
    Fault {
        name: "any-deletes-nothing",
        text: "A deleted context goes on working.",
        reference: "deletesecuritycontext#returns",
        profile: Profile::AnyPackage,
        fails: &[
            "cat-any-handle-deleted",
            "dec-any-handle-deleted",
            "enc-any-handle-deleted",
            "isc-any-handle-deleted",
            "ms-any-handle-deleted",
            "vs-any-handle-deleted",
        ],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::DeletesNothing))),
    },
    Fault {
        name: "any-deletes-once",
        text: "A second deletion is out of sequence.",
        reference: "deletesecuritycontext#returns",
        profile: Profile::AnyPackage,
        fails: &["dsc-any-deleted-before"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::DeletesOnce))),
    },
    Fault {
        name: "any-protects-too-early",
        text: "Messages are signed and encrypted while the completion is due.",
        reference: "completeauthtoken#remarks",
        profile: Profile::AnyPackage,
        fails: &[
            "enc-any-completion-due",
            "enc-any-completion-due-initiator",
            "ms-any-completion-due",
            "ms-any-completion-due-initiator",
        ],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::ProtectsTooEarly))),
    },
    Fault {
        name: "any-goes-on-uncompleted",
        text: "InitializeSecurityContext goes on though the completion is due.",
        reference: "completeauthtoken#remarks",
        profile: Profile::AnyPackage,
        fails: &["isc-any-completion-due"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::GoesOnUncompleted))),
    },
    Fault {
        name: "any-accepts-altered",
        text: "A message that was changed on its way is taken.",
        reference: "verifysignature#returns, decryptmessage--general#returns",
        profile: Profile::AnyPackage,
        fails: &["dec-any-altered", "dec-any-altered-initiator", "vs-any-altered", "vs-any-altered-initiator"],
        skipped: &[
            "cat-any-continued",
            "dec-any-after-refusal",
            "dec-any-after-refusal-initiator",
            "vs-any-after-refusal",
            "vs-any-after-refusal-initiator",
        ],
        make: |_| Box::new(Opaque::new(Some(Flaw::AcceptsAltered))),
    },
    Fault {
        name: "any-garbles-messages",
        text: "What is decrypted is not what was encrypted.",
        reference: "decryptmessage--general#returns",
        profile: Profile::AnyPackage,
        fails: &["dec-any-received", "dec-any-received-initiator"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::GarblesMessages))),
    },
    Fault {
        name: "any-knows-every-package",
        text: "AcquireCredentialsHandle takes every package name.",
        reference: "acquirecredentialshandle--general#returns",
        profile: Profile::AnyPackage,
        fails: &["ach-any-other-package"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::KnowsEveryPackage))),
    },
    Fault {
        name: "any-attribute-invented",
        text: "QueryContextAttributes succeeds for an attribute that no package has.",
        reference: "querycontextattributes--general#returns",
        profile: Profile::AnyPackage,
        fails: &["qca-any-unsupported", "qca-any-unsupported-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["qca-any-unsupported", "qca-any-unsupported-initiator"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
    Fault {
        name: "any-bad-credentials-unnoticed",
        text: "AcceptSecurityContext answers on freed credentials as on a bad token.",
        reference: "acceptsecuritycontext--general#returns",
        profile: Profile::AnyPackage,
        fails: &["asc-any-credential-names-nothing"],
        skipped: &[],
        make: |specification| {
            let status = answers(SecurityStatus::SEC_E_INVALID_TOKEN);
            Tables::of(specification).change(&["asc-any-credential-names-nothing"], status).subject()
        },
    },
    Fault {
        name: "any-hides-itself",
        text: "EnumerateSecurityPackages tells of other packages only.",
        reference: "enumeratesecuritypackages#parameters",
        profile: Profile::AnyPackage,
        fails: &["esp-enumerated"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::HidesItself))),
    },
    Fault {
        name: "any-describes-every-package",
        text: "QuerySecurityPackageInfo succeeds whatever the name.",
        reference: "decisions, QuerySecurityPackageInfo, SEC_E_SECPKG_NOT_FOUND",
        profile: Profile::AnyPackage,
        fails: &["qspi-other-package"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::DescribesEveryPackage))),
    },
    Fault {
        name: "any-frees-anything",
        text: "FreeContextBuffer succeeds whatever the pointer, as WinPR's does.",
        reference: "decisions, FreeContextBuffer, freed or foreign: SEC_E_INVALID_HANDLE",
        profile: Profile::AnyPackage,
        fails: &["fcb-not-allocated"],
        skipped: NEVER_CONTINUED,
        make: |_| Box::new(Opaque::new(Some(Flaw::FreesAnything))),
    },
];
