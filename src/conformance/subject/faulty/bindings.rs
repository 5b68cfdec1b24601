//! Extended protection on HTTP.
#![forbid(unsafe_code)]

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, pretends, rejects};
use super::wrapped::{call_as, context, each_input, reseal, response, without_buffers, wrapped};
use crate::buffer::BufferType;
use crate::digest::bindings::{Presented, presented};
use crate::spec::Call;
use crate::spec::model::Row;
use crate::spec::names::{Effect, Profile};
use crate::status::SecurityStatus;

/// ASC_REQ_PROXY_BINDINGS.
const PROXY_BINDINGS: u32 = 0x0400_0000;
const CHANNEL: [BufferType; 1] = [BufferType::CHANNEL_BINDINGS];
const CHANNEL_AND_TARGET: [BufferType; 2] = [BufferType::CHANNEL_BINDINGS, BufferType::TARGET_HOST];

/// The call of an acceptor without the demand for channel bindings.
fn undemanding(call: &Call) -> Call {
    let mut call = call.clone();
    if let Call::AcceptSecurityContext { requirements, .. } = &mut call {
        *requirements &= !PROXY_BINDINGS;
    }
    call
}

fn is_bound(call: &Call) -> bool {
    response(call).is_some_and(|response| matches!(presented(&response), Presented::Bound { .. }))
}

/// The row that says what must happen.
fn expected<'o>(oracle: &'o Oracle, call: &Call) -> Option<&'o Row> {
    oracle.shadow().expect(call).row
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "channel-not-compared",
        text: "The channel of a response is not compared with the caller's.",
        reference: "decisions of issue 3 H, bound, buffer given, channel-binding differs",
        profile: Profile::DigestHttp,
        fails: &["asc-bad-bindings", "asc-bad-bindings-challenged", "cat-bad-bindings", "vs-bad-bindings"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                // What else a channel is good for stays: a challenge for the next response is upgraded.
                let differs = expected(oracle, call).is_some_and(|row| row.id.contains("bad-bindings"));
                if is_bound(call) && differs {
                    return call_as(oracle, call, &without_buffers(call, &CHANNEL));
                }
                oracle.call(call)
            })
        },
    },
    Fault {
        name: "channel-hashed-big-endian",
        text: "The integers of the channel bindings are hashed in the byte order of networks.",
        reference: "decisions of issue 3 H, u32le; SEC_CHANNEL_BINDINGS",
        profile: Profile::DigestHttp,
        fails: &[
            "asc-accounts-down",
            "asc-accounts-down-challenged",
            "asc-answer-count",
            "asc-answer-count-challenged",
            "asc-answer-expired",
            "asc-answer-expired-challenged",
            "asc-answer-right",
            "asc-answer-right-challenged",
            "asc-answer-wrong",
            "asc-answer-wrong-challenged",
            "asc-asked-more",
            "asc-asked-more-challenged",
            "asc-entity-malformed",
            "asc-entity-malformed-challenged",
            "asc-environment-fails",
            "asc-environment-fails-challenged",
            "asc-method-empty",
            "asc-method-empty-challenged",
            "asc-names-two",
            "asc-names-two-challenged",
            "asc-no-room",
            "asc-not-offered",
            "asc-not-offered-challenged",
            "asc-nothing-named",
            "asc-nothing-named-challenged",
            "asc-nothing-named-right",
            "asc-nothing-named-right-challenged",
            "asc-output-absent",
            "asc-output-absent-challenged",
            "asc-output-small",
            "asc-output-small-challenged",
            "asc-unread-body",
            "asc-unread-body-challenged",
            "asc-unread-body-expired",
            "asc-unread-body-expired-challenged",
            "cat-accounts-down",
            "cat-challenge-cannot-be-made",
            "cat-completed-initial",
            "cat-completed-subsequent",
            "cat-continued",
            "cat-count-used",
            "cat-count-used-continue",
            "cat-digest-differs-initial",
            "cat-entity-missing",
            "cat-method-empty",
            "cat-output-small",
            "cat-target-differs",
            "cat-token-names-another",
            "isc-answered",
            "isc-answered-initial",
            "isc-answered-mutual",
            "isc-answered-mutual-initial",
            "isc-answered-mutual-reauthenticated",
            "isc-answered-mutual-stale",
            "isc-answered-reauthenticated",
            "isc-answered-stale",
            "isc-unfinished",
            "isc-unfinished-initial",
            "isc-unfinished-mutual",
            "isc-unfinished-mutual-initial",
            "isc-unfinished-mutual-reauthenticated",
            "isc-unfinished-mutual-stale",
            "isc-unfinished-reauthenticated",
            "isc-unfinished-stale",
            "vs-token-names-another",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let swapped = each_input(call, |buffer| {
                    let is_channel = buffer.buffer_type.kind() == BufferType::CHANNEL_BINDINGS;
                    let data = buffer.data.as_mut().filter(|data| is_channel && data.len() >= 32);
                    if let Some(data) = data {
                        // The types of the addresses stand for all: a length could not be read any more.
                        data[..4].reverse();
                        data[12..16].reverse();
                    }
                });
                call_as(oracle, call, &swapped)
            })
        },
    },
    Fault {
        name: "missing-bindings-allowed",
        text: "A response without channel bindings is accepted though the caller requires them.",
        reference: "decisions of issue 3 H, policy Required",
        profile: Profile::DigestHttp,
        fails: &["asc-bad-bindings", "asc-bad-bindings-challenged"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                match response(call).map(|response| presented(&response) == Presented::Missing) {
                    Some(true) => oracle.call(&undemanding(call)),
                    Some(false) | None => oracle.call(call),
                }
            })
        },
    },
    Fault {
        name: "policy-forgotten",
        text: "CompleteAuthToken and VerifySignature have no flags, and forget that channel bindings were required.",
        reference: "decisions of issue 3 H, the policy is that of the ASC call",
        profile: Profile::DigestHttp,
        fails: &["cat-bad-bindings", "cat-completed-subsequent", "cat-count-too-far", "cat-count-used"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let challenges =
                    expected(oracle, call).is_some_and(|row| row.outcome.effects.contains(&Effect::RegisterChallenge));
                if is_bound(call) && !challenges { oracle.call(&undemanding(call)) } else { oracle.call(call) }
            })
        },
    },
    Fault {
        name: "inconsistent-is-denied",
        text: "A response whose cnonce does not cover its channel is refused as if the password were wrong.",
        reference: "decisions of issue 3 H, inconsistent: SEC_E_BAD_BINDINGS, nothing consumed",
        profile: Profile::DigestHttp,
        fails: &["asc-bad-bindings", "asc-bad-bindings-challenged", "cat-bad-bindings", "vs-bad-bindings"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                let inconsistent =
                    response(call).is_some_and(|response| presented(&response) == Presented::Inconsistent);
                if inconsistent && outcome.status == SecurityStatus::SEC_E_BAD_BINDINGS {
                    outcome.status = SecurityStatus::SEC_E_LOGON_DENIED;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "bad-bindings-consume",
        text: "A completion for another channel ends the context, though the buffer is the caller's to mend.",
        reference: "decisions of issue 3 H, nothing consumed, state unchanged",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-initial", "cat-completed-subsequent", "cat-continued"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-bad-bindings"], rejects).subject(),
    },
    Fault {
        name: "bad-bindings-complete",
        text: "A completion for another channel succeeds.",
        reference: "decisions of issue 3 H, bad: SEC_E_BAD_BINDINGS",
        profile: Profile::DigestHttp,
        fails: &["cat-bad-bindings", "vs-bad-bindings"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["cat-bad-bindings", "vs-bad-bindings"], pretends).subject()
        },
    },
    Fault {
        name: "upgrade-not-announced",
        text: "The nonce of a challenge does not say that the server understands channel bindings.",
        reference: "decisions of issue 3 H, the nonce starts with +Upgraded+v1; draft-santesson-digestbind-01",
        profile: Profile::DigestHttp,
        fails: &["asc-challenge", "asc-challenge-again"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let asks_challenge = matches!(call, Call::AcceptSecurityContext { .. }) && response(call).is_none();
                if asks_challenge && context(oracle, call).is_none_or(|context| context.holds.is_none()) {
                    return call_as(oracle, call, &without_buffers(&undemanding(call), &CHANNEL));
                }
                oracle.call(call)
            })
        },
    },
    Fault {
        name: "upgrade-not-answered",
        text: "The initiator does not tell its channel to a server that asks for it.",
        reference: "decisions of issue 3 H, initiator",
        profile: Profile::DigestHttp,
        fails: &[
            "isc-answered",
            "isc-answered-initial",
            "isc-answered-mutual",
            "isc-answered-mutual-initial",
            "isc-answered-mutual-reauthenticated",
            "isc-answered-mutual-stale",
            "isc-answered-reauthenticated",
            "isc-answered-stale",
            "isc-descriptor-malformed",
            "isc-descriptor-malformed-context",
            "isc-unfinished",
            "isc-unfinished-initial",
            "isc-unfinished-mutual",
            "isc-unfinished-mutual-initial",
            "isc-unfinished-mutual-reauthenticated",
            "isc-unfinished-mutual-stale",
            "isc-unfinished-reauthenticated",
            "isc-unfinished-stale",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| match call {
                Call::InitializeSecurityContext { .. } => {
                    call_as(oracle, call, &without_buffers(call, &CHANNEL_AND_TARGET))
                }
                Call::AcceptSecurityContext { .. }
                | Call::AcquireCredentialsHandle { .. }
                | Call::FreeCredentialsHandle { .. }
                | Call::EnumerateSecurityPackages {}
                | Call::QuerySecurityPackageInfo { .. }
                | Call::FreeContextBuffer { .. }
                | Call::CompleteAuthToken { .. }
                | Call::MakeSignature { .. }
                | Call::VerifySignature { .. }
                | Call::EncryptMessage { .. }
                | Call::DecryptMessage { .. }
                | Call::QueryContextAttributes { .. }
                | Call::DeleteSecurityContext { .. } => oracle.call(call),
            })
        },
    },
    Fault {
        name: "cnonce-without-the-hash",
        text: "The initiator writes the directives of its channel and a cnonce that does not cover them.",
        reference: "decisions of issue 3 H, cnonce; notes 6",
        profile: Profile::DigestHttp,
        fails: &[
            "isc-answered",
            "isc-answered-initial",
            "isc-answered-mutual",
            "isc-answered-mutual-initial",
            "isc-answered-mutual-reauthenticated",
            "isc-answered-mutual-stale",
            "isc-answered-reauthenticated",
            "isc-answered-stale",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let identity = oracle.shadow().challenge_and_identity(call).map(|(_, identity)| identity);
                let mut outcome = oracle.call(call)?;
                if let (Call::InitializeSecurityContext { .. }, Some(identity)) = (call, identity) {
                    reseal(
                        &mut outcome,
                        &identity,
                        oracle.shadow().parameter(call, 0),
                        oracle.shadow().parameter(call, 1),
                    );
                }
                Ok(outcome)
            })
        },
    },
];
