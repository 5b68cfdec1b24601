//! SASL: challenges, sessions and their fast reauthentication, both roles.
#![forbid(unsafe_code)]

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, answers, consumes_nothing, forgets, pretends, writes};
use super::wrapped::{find, put_output, sasl_response, sasl_session, wrapped, written};
use crate::buffer::SecHandle;
use crate::digest::sasl::{Qop, rspauth_token};
use crate::spec::model::Next;
use crate::spec::names::{Buffers, CallName, Effect, Profile};
use crate::spec::setup::EnvironmentFault;
use crate::spec::vocabulary::{State, Word};
use crate::spec::{Call, Outcome};
use crate::status::SecurityStatus;

/// A session found, whatever the tables say; the handle leads nowhere.
fn found(call: &Call) -> Outcome {
    let mut outcome = Outcome::untouched(SecurityStatus::SEC_I_COMPLETE_NEEDED, call);
    outcome.handle = call.context().or(Some(SecHandle { lower: 0xF01D, upper: 1 }));
    if let Some(first) = written(&mut outcome).first_mut() {
        first.count = 0;
    }
    outcome
}

/// Whether a response names nothing, and is right all the same.
fn names_nothing(oracle: &Oracle, call: &Call) -> bool {
    let row = oracle.shadow().expect(call).row;
    row.is_some_and(|row| row.id.starts_with("asc-sasl-nothing-named-right"))
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "proof-before-completion",
        text: "AcceptSecurityContext proves the server where it finds a session, before the response is verified.",
        reference: "notes 5, SASL, rspauth only on SEC_E_OK: before that it would be an oracle for guessing",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-session-found", "asc-sasl-session-found-challenged", "cat-sasl-completed"],
        skipped: &[
            "asc-sasl-completion-due",
            "cat-sasl-challenge-cannot-be-made",
            "cat-sasl-count-too-far",
            "cat-sasl-count-too-old",
            "cat-sasl-count-used",
            "cat-sasl-descriptor-malformed",
            "cat-sasl-digest-differs",
            "cat-sasl-output-absent",
            "cat-sasl-output-small",
            "cat-sasl-outside-differs",
            "cat-sasl-token-absent",
            "cat-sasl-token-malformed",
            "cat-sasl-token-names-another",
        ],
        make: |specification| {
            let rows = ["asc-sasl-session-found", "asc-sasl-session-found-challenged"];
            Tables::of(specification).change(&rows, writes(Buffers::Rspauth)).subject()
        },
    },
    Fault {
        name: "proof-for-a-wrong-digest",
        text: "A completion that fails proves the server nevertheless.",
        reference: "notes 5, SASL, CompleteAuthToken writes rspauth only on SEC_E_OK",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-digest-differs", "cat-sasl-outside-differs"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let key = sasl_session(oracle, call).map(|(_, session)| session.key.clone());
                let proof = key.zip(sasl_response(call)).map(|(key, response)| rspauth_token(&response.rspauth(&key)));
                let place = oracle.shadow().output_position(call);
                let mut outcome = oracle.call(call)?;
                let altered = outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED;
                if let (Call::CompleteAuthToken { .. }, true, Some(proof), Some(place)) = (call, altered, proof, place)
                {
                    put_output(&mut outcome, place, &proof);
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "confidential-session-found",
        text: "A session of auth-conf is authenticated again with its old keys, so that the keystream repeats.",
        reference: "decisions of issue 3 C, notes 5: fresh challenge instead, as recorded between Cyrus peers",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-nothing-named-right", "asc-sasl-nothing-named-right-challenged"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let is_confidential = sasl_session(oracle, call).zip(sasl_response(call)).is_some_and(
                    |((exchange, session), response)| {
                        exchange.offer.sasl_qop() == Some(Qop::AuthConf)
                            && exchange.is_live()
                            && response.username == session.username
                    },
                );
                if is_confidential && names_nothing(oracle, call) { Ok(found(call)) } else { oracle.call(call) }
            })
        },
    },
    Fault {
        name: "expired-session-found",
        text: "A session is found though its nonce has expired.",
        reference: "decisions of issue 3 C, a session is named until its nonce expires",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-nothing-named-right", "asc-sasl-nothing-named-right-challenged"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let registers = oracle.shadow().registers();
                let expired = registers.fault == EnvironmentFault::None
                    && sasl_session(oracle, call).zip(sasl_response(call)).is_some_and(
                        |((exchange, session), response)| {
                            let index = registers.exchanges.iter().position(|other| other.nonce == exchange.nonce);
                            exchange.is_live()
                                && exchange.offer.sasl_qop() != Some(Qop::AuthConf)
                                && response.username == session.username
                                && index.is_some_and(|index| registers.is_expired(index))
                        },
                    );
                if expired && names_nothing(oracle, call) { Ok(found(call)) } else { oracle.call(call) }
            })
        },
    },
    Fault {
        name: "session-named-by-nonce-alone",
        text: "A session is found by its nonce, whoever the user, the cnonce and the authzid say that the client is.",
        reference: "notes 5, SASL, sessions are found by nonce, then username, realm, cnonce, authzid",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-nothing-named-right", "asc-sasl-nothing-named-right-challenged"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let registers = oracle.shadow().registers();
                let has_nonce = sasl_session(oracle, call).is_some_and(|(exchange, _)| {
                    let index = registers.exchanges.iter().position(|other| other.nonce == exchange.nonce);
                    exchange.is_live()
                        && exchange.offer.sasl_qop() != Some(Qop::AuthConf)
                        && index.is_some_and(|index| !registers.is_expired(index))
                });
                if has_nonce && names_nothing(oracle, call) { Ok(found(call)) } else { oracle.call(call) }
            })
        },
    },
    Fault {
        name: "reauthentication-replayed",
        text: "A count that was used, or lies beyond the next, completes a fast reauthentication.",
        reference: "notes 5, SASL, fast reauthentication: nc + 1",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-count-too-far", "cat-sasl-count-too-old", "cat-sasl-count-used"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-sasl-count-used", "cat-sasl-count-too-old", "cat-sasl-count-too-far"];
            Tables::of(specification).like(&rows, "cat-sasl-completed").subject()
        },
    },
    Fault {
        name: "reauthentication-counts-nothing",
        text: "A completed fast reauthentication does not use its count up.",
        reference: "decisions of issue 3 D, notes 3, the count is the session's",
        profile: Profile::DigestSasl,
        fails: &[
            "cat-sasl-challenge-cannot-be-made",
            "cat-sasl-completed",
            "cat-sasl-count-used",
            "cat-sasl-output-absent",
            "cat-sasl-output-small",
        ],
        skipped: &["cat-sasl-count-too-old"],
        make: |specification| {
            Tables::of(specification).change(&["cat-sasl-completed"], forgets(Effect::TakeCount)).subject()
        },
    },
    Fault {
        name: "sasl-outside-not-compared",
        text: "charset and qop of a fast reauthentication are not compared with the session's.",
        reference: "decisions of issue 3 D, outside the hash",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-outside-differs"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::CompleteAuthToken, "outside-differs").subject()
        },
    },
    Fault {
        name: "sasl-any-token-completes",
        text: "The response of another session completes this one.",
        reference: "decisions of issue 3 D, it must name this session",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-token-names-another"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-sasl-token-names-another"], pretends).subject(),
    },
    Fault {
        name: "sasl-digest-not-checked",
        text: "A fast reauthentication is completed without its digest being verified.",
        reference: "decisions of issue 3 D, digest",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-digest-differs"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-sasl-digest-differs"], pretends).subject(),
    },
    Fault {
        name: "sasl-stale-for-a-wrong-digest",
        text: "The challenge after a wrong digest says stale=true, so that the client tries again without asking the user.",
        reference: "decisions of issue 3 D, MESSAGE_ALTERED: a fresh challenge without stale",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-digest-differs", "cat-sasl-outside-differs"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-sasl-digest-differs", "cat-sasl-outside-differs"];
            Tables::of(specification).change(&rows, writes(Buffers::ChallengeStaleIfOutput)).subject()
        },
    },
    Fault {
        name: "sasl-guessed-again",
        text: "A completion with a wrong digest may be tried again on the same handle.",
        reference: "decisions of issue 3 D, the handle is rejected",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-nothing-to-complete"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["cat-sasl-digest-differs"], |allowed| {
                    consumes_nothing(allowed);
                    allowed.buffers = Buffers::Untouched;
                })
                .subject()
        },
    },
    Fault {
        name: "proof-needs-no-output",
        text: "A completion whose proof nobody can receive succeeds.",
        reference: "decisions of issue 3 D, the output is required",
        profile: Profile::DigestSasl,
        fails: &["cat-sasl-output-absent", "cat-sasl-output-small"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["cat-sasl-output-absent", "cat-sasl-output-small"], pretends).subject()
        },
    },
    Fault {
        name: "server-not-proved",
        text: "An initial response is accepted without the server's proof.",
        reference: "RFC 2831 2.1.3; decisions of issue 3 C",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-answer-right", "asc-sasl-answer-right-challenged"],
        skipped: &[
            "asc-sasl-completion-due",
            "asc-sasl-ended-named",
            "asc-sasl-ended-named-challenged",
            "asc-sasl-ended-named-right",
            "asc-sasl-ended-named-right-challenged",
            "asc-sasl-established",
            "asc-sasl-established-empty",
            "asc-sasl-established-request",
            "asc-sasl-session-found",
            "asc-sasl-session-found-challenged",
            "cat-sasl-challenge-cannot-be-made",
            "cat-sasl-completed",
            "cat-sasl-count-too-far",
            "cat-sasl-count-too-old",
            "cat-sasl-count-used",
            "cat-sasl-descriptor-malformed",
            "cat-sasl-digest-differs",
            "cat-sasl-output-absent",
            "cat-sasl-output-small",
            "cat-sasl-outside-differs",
            "cat-sasl-token-absent",
            "cat-sasl-token-malformed",
            "cat-sasl-token-names-another",
            "dec-sasl-altered",
            "dec-sasl-dead",
            "dec-sasl-descriptor-malformed",
            "dec-sasl-incomplete",
            "dec-sasl-lost",
            "dec-sasl-message-absent",
            "dec-sasl-no-layer",
            "dec-sasl-number",
            "dec-sasl-unwrapped",
            "enc-sasl-descriptor-malformed",
            "enc-sasl-exhausted",
            "enc-sasl-message-absent",
            "enc-sasl-message-too-long",
            "enc-sasl-no-layer",
            "enc-sasl-output-absent",
            "enc-sasl-output-small",
            "enc-sasl-wrapped",
            "ms-sasl-descriptor-malformed",
            "ms-sasl-exhausted",
            "ms-sasl-message-absent",
            "ms-sasl-message-too-long",
            "ms-sasl-no-layer",
            "ms-sasl-output-absent",
            "ms-sasl-output-small",
            "ms-sasl-signed",
            "qca-sasl-answered",
            "qca-sasl-unavailable",
            "qca-sasl-unsupported",
            "vs-sasl-altered",
            "vs-sasl-dead",
            "vs-sasl-descriptor-malformed",
            "vs-sasl-message-absent",
            "vs-sasl-no-layer",
            "vs-sasl-number",
            "vs-sasl-verified",
        ],
        make: |specification| {
            let rows = ["asc-sasl-answer-right", "asc-sasl-answer-right-challenged"];
            Tables::of(specification).change(&rows, writes(Buffers::Empty)).subject()
        },
    },
    Fault {
        name: "initial-count-not-checked",
        text: "An initial response may begin with any count.",
        reference: "decisions of issue 3 C, nc other than 1",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-answer-count", "asc-sasl-answer-count-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-sasl-answer-count"], "asc-sasl-answer-right")
                .like(&["asc-sasl-answer-count-challenged"], "asc-sasl-answer-right-challenged")
                .subject()
        },
    },
    Fault {
        name: "sasl-expired-challenge-accepted",
        text: "An initial response is accepted however old its nonce is.",
        reference: "decisions of issue 3 C, nonce expired",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-answer-expired", "asc-sasl-answer-expired-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["asc-sasl-answer-expired"], "asc-sasl-answer-right")
                .like(&["asc-sasl-answer-expired-challenged"], "asc-sasl-answer-right-challenged")
                .subject()
        },
    },
    Fault {
        name: "acts-as-anybody",
        text: "Whoever has a password may act as anybody.",
        reference: "decisions of issue 3 C, authzid given and different from username",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-authzid-refused", "asc-sasl-authzid-refused-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "authzid-refused").subject()
        },
    },
    Fault {
        name: "sasl-offer-not-compared",
        text: "A response may take a qop, a realm or a cipher that was not offered.",
        reference: "decisions of issue 3 C, offered",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-not-offered", "asc-sasl-not-offered-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "not-offered").subject()
        },
    },
    Fault {
        name: "protection-not-negotiated",
        text: "More protection is promised than the challenge offered or the session negotiated.",
        reference: "decisions of issue 3 C, flags ask for more",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-asked-more", "asc-sasl-asked-more-challenged"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::AcceptSecurityContext, "asked-more").subject()
        },
    },
    Fault {
        name: "sasl-guesses-not-counted",
        text: "Wrong answers to a challenge are never too many.",
        reference: "decisions of issue 3 C, failure counted",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-nothing-named-right"],
        skipped: &[],
        make: |specification| {
            let rows = ["asc-sasl-answer-wrong", "asc-sasl-answer-wrong-challenged"];
            Tables::of(specification).change(&rows, forgets(Effect::CountFailure)).subject()
        },
    },
    Fault {
        name: "sasl-stale-for-anybody",
        text: "Who names nothing is told stale=true, though the password is wrong.",
        reference: "decisions of issue 3 C, stale=true exactly if the digest verifies",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-nothing-named", "asc-sasl-nothing-named-challenged"],
        skipped: &[],
        make: |specification| {
            let rows = ["asc-sasl-nothing-named", "asc-sasl-nothing-named-challenged"];
            Tables::of(specification).change(&rows, writes(Buffers::ChallengeStale)).subject()
        },
    },
    Fault {
        name: "mechanisms-mixed",
        text: "A context of SASL goes on as if it were HTTP's, where the flags say so.",
        reference: "decisions of issue 3 A, a context keeps its mechanism",
        profile: Profile::DigestSasl,
        fails: &["asc-sasl-other-mechanism-challenged", "isc-sasl-other-mechanism-context"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .without(CallName::AcceptSecurityContext, "other-mechanism")
                .without(CallName::InitializeSecurityContext, "other-mechanism")
                .subject()
        },
    },
    Fault {
        name: "server-believed",
        text: "The initiator takes any rspauth for the server's proof.",
        reference: "RFC 2831 2.1.3; decisions of issue 3 E",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-proof-wrong"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["isc-sasl-proof-wrong"], "isc-sasl-proof-right").subject()
        },
    },
    Fault {
        name: "silent-server-believed",
        text: "The initiator needs no rspauth.",
        reference: "decisions of issue 3 E, a token without rspauth",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-proof-absent"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["isc-sasl-proof-absent"], "isc-sasl-proof-right").subject()
        },
    },
    Fault {
        name: "sasl-proof-not-awaited",
        text: "The initiator is established as soon as it has responded.",
        reference: "decisions of issue 3 E, the server always proves itself, whatever ISC_REQ_MUTUAL_AUTH",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-answered", "isc-sasl-answered-initial"],
        skipped: &[
            "dec-sasl-altered-initiator",
            "dec-sasl-dead-initiator",
            "dec-sasl-descriptor-malformed-initiator",
            "dec-sasl-incomplete-initiator",
            "dec-sasl-lost-initiator",
            "dec-sasl-message-absent-initiator",
            "dec-sasl-no-layer-initiator",
            "dec-sasl-number-initiator",
            "dec-sasl-unwrapped-initiator",
            "enc-sasl-descriptor-malformed-initiator",
            "enc-sasl-exhausted-initiator",
            "enc-sasl-message-absent-initiator",
            "enc-sasl-message-too-long-initiator",
            "enc-sasl-no-layer-initiator",
            "enc-sasl-output-absent-initiator",
            "enc-sasl-output-small-initiator",
            "enc-sasl-wrapped-initiator",
            "isc-sasl-answered-reauthenticated",
            "isc-sasl-answered-responded",
            "isc-sasl-proof-absent",
            "isc-sasl-proof-not-sent",
            "isc-sasl-proof-right",
            "isc-sasl-proof-wrong",
            "isc-sasl-reauthenticated",
            "isc-sasl-reauthentication-impossible",
            "isc-sasl-refused",
            "isc-sasl-rejected",
            "isc-sasl-target-differs",
            "isc-sasl-token-needed-context",
            "ms-sasl-descriptor-malformed-initiator",
            "ms-sasl-exhausted-initiator",
            "ms-sasl-message-absent-initiator",
            "ms-sasl-message-too-long-initiator",
            "ms-sasl-no-layer-initiator",
            "ms-sasl-output-absent-initiator",
            "ms-sasl-output-small-initiator",
            "ms-sasl-signed-initiator",
            "qca-sasl-answered-initiator",
            "qca-sasl-unavailable-initiator",
            "qca-sasl-unsupported-initiator",
            "vs-sasl-altered-initiator",
            "vs-sasl-dead-initiator",
            "vs-sasl-descriptor-malformed-initiator",
            "vs-sasl-message-absent-initiator",
            "vs-sasl-no-layer-initiator",
            "vs-sasl-number-initiator",
            "vs-sasl-verified-initiator",
        ],
        make: |specification| {
            let rows = [
                "isc-sasl-answered",
                "isc-sasl-answered-initial",
                "isc-sasl-answered-responded",
                "isc-sasl-answered-reauthenticated",
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
        name: "reauthenticated-with-the-same-count",
        text: "The initiator authenticates again with the count it sent before.",
        reference: "RFC 2831 2.2.2; decisions of issue 3 E, nc + 1",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-reauthenticated"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                if let Call::InitializeSecurityContext { .. } = call {
                    for data in written(&mut outcome).iter_mut().filter_map(|buffer| buffer.data.as_mut()) {
                        if let Some(at) = find(data, b"nc=00000002") {
                            data[at + 10] = b'1';
                        }
                    }
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "keystream-repeated",
        text: "The initiator authenticates again fast though auth-conf was negotiated, or though no count is left.",
        reference: "decisions of issue 3 E: as if there were no challenge",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-reauthentication-impossible"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["isc-sasl-reauthentication-impossible"], "isc-sasl-reauthenticated")
                .subject()
        },
    },
    Fault {
        name: "refusal-ignored",
        text: "The initiator answers the challenge that refuses its response.",
        reference: "decisions of issue 3 E, a challenge without stale: SEC_E_LOGON_DENIED",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-refused"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["isc-sasl-refused"], "isc-sasl-answered-responded").subject()
        },
    },
    Fault {
        name: "protection-downgraded",
        text: "The initiator goes without a challenge that offers what its flags ask for.",
        reference: "decisions of issue 3 E, SEC_E_QOP_NOT_SUPPORTED",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-nothing-in-common", "isc-sasl-nothing-in-common-context"],
        skipped: &[],
        make: |specification| {
            let rows = ["isc-sasl-nothing-in-common", "isc-sasl-nothing-in-common-context"];
            Tables::of(specification).change(&rows, answers(SecurityStatus::SEC_I_CONTINUE_NEEDED)).subject()
        },
    },
    Fault {
        name: "any-service",
        text: "Authenticating again is possible for another service than before.",
        reference: "decisions of issue 3 E, pszTargetName must be the same",
        profile: Profile::DigestSasl,
        fails: &["isc-sasl-target-differs"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).like(&["isc-sasl-target-differs"], "isc-sasl-reauthenticated").subject()
        },
    },
];
