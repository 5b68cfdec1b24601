//! CompleteAuthToken and VerifySignature, acceptor.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, consumes_nothing, forgets, pretends, rejects, writes};
use super::wrapped::{configured, context, find, is_pending, on_another, response, session_nonce, wrapped, written};
use crate::spec::Call;
use crate::spec::call::Attribute;
use crate::spec::model::Next;
use crate::spec::names::{Buffers, CallName, Effect, Profile};
use crate::spec::setup::Policy;
use crate::spec::vocabulary::{Count, Role, State, Word};
use crate::status::SecurityStatus;

const CALLER_CAN_MEND: [&str; 6] = [
    "cat-descriptor-malformed",
    "cat-token-absent",
    "cat-method-empty",
    "cat-entity-missing",
    "cat-output-absent",
    "cat-output-small",
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "any-token-completes",
        text: "The token of another session completes this one.",
        reference: "notes 4, CompleteAuthToken, it must name the session or challenge of the handle",
        profile: Profile::DigestHttp,
        fails: &["cat-token-names-another", "vs-token-names-another"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-token-names-another", "vs-token-names-another"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
    Fault {
        name: "another-pending-completed",
        text: "Of parallel requests the newest is completed, whichever handle is given.",
        reference: "notes 3, nobody can consume another's",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-answered-elsewhere", "cat-continued", "qca-answered"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let is_due =
                    matches!(call, Call::CompleteAuthToken { .. }) && context(oracle, call).is_some_and(is_pending);
                let contexts = &oracle.shadow().registers().contexts;
                let newest = contexts
                    .iter()
                    .filter(|(_, context)| is_pending(context))
                    .max_by_key(|(_, context)| context.ordinal)
                    .map(|(handle, _)| *handle);
                match newest.filter(|_| is_due) {
                    Some(newest) => {
                        let mut outcome = oracle.call(&on_another(call, newest))?;
                        outcome.handle = call.context();
                        Ok(outcome)
                    }
                    None => oracle.call(call),
                }
            })
        },
    },
    Fault {
        name: "target-not-compared",
        text: "A header made for one resource authenticates a request for another.",
        reference: "notes 4, CompleteAuthToken, method, target",
        profile: Profile::DigestHttp,
        fails: &["cat-target-differs", "vs-target-differs"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .without(CallName::CompleteAuthToken, "target-differs")
                .without(CallName::VerifySignature, "target-differs")
                .subject()
        },
    },
    Fault {
        name: "empty-entity-is-empty-body",
        text: "An empty HEntity buffer is taken as the hash of an empty body.",
        reference: "notes 4, CompleteAuthToken, an empty body is MD5(\"\"), never an empty buffer",
        profile: Profile::DigestHttp,
        fails: &["cat-entity-missing", "vs-entity-missing"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .like(&["cat-entity-missing"], "cat-digest-differs-subsequent")
                .like(&["vs-entity-missing"], "vs-digest-differs")
                .subject()
        },
    },
    Fault {
        name: "entity-not-needed",
        text: "auth-int completes without HEntity: the body is not protected.",
        reference: "notes 4, CompleteAuthToken, HEntity needed for auth-int",
        profile: Profile::DigestHttp,
        fails: &["cat-entity-missing", "vs-entity-missing"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["cat-entity-missing", "vs-entity-missing"], pretends).subject()
        },
    },
    Fault {
        name: "outside-not-compared",
        text: "Directives that the cached key does not cover are not compared: username, realm, algorithm and others.",
        reference: "notes 4, CompleteAuthToken, directives outside the hash",
        profile: Profile::DigestHttp,
        fails: &["cat-outside-differs", "vs-outside-differs"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .without(CallName::CompleteAuthToken, "outside-differs")
                .without(CallName::VerifySignature, "outside-differs")
                .subject()
        },
    },
    Fault {
        name: "identity-of-the-last-token",
        text: "The user name reported is the one of the last token seen, not the session's.",
        reference: "notes 4, CompleteAuthToken, the identity reported is always the session's",
        profile: Profile::DigestHttp,
        fails: &["qca-answered"],
        skipped: &[],
        make: |specification| {
            wrapped::<Option<String>>(Oracle::new(specification.clone()), |oracle, last, call| {
                if let Some(response) = response(call) {
                    *last = Some(response.username.to_string());
                }
                let acceptor = context(oracle, call).is_some_and(|context| context.role == Role::Acceptor);
                let mut outcome = oracle.call(call)?;
                if let (true, Some(Attribute::Names(name)), Some(last)) = (acceptor, &mut outcome.attribute, last) {
                    name.clone_from(last);
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "altered-message-completes",
        text: "The digest of a completion is never compared.",
        reference: "notes 4, CompleteAuthToken, digest wrong",
        profile: Profile::DigestHttp,
        fails: &["cat-digest-differs-initial", "cat-digest-differs-subsequent", "vs-digest-differs"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-digest-differs-initial", "cat-digest-differs-subsequent", "vs-digest-differs"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
    Fault {
        name: "count-before-digest",
        text: "The count decides before anybody is known to have sent it.",
        reference: "notes 3, an unauthenticated count never decides anything",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-outside-differs",
            "cat-target-differs",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let registers = oracle.shadow().registers();
                let exchange = context(oracle, call).and_then(|context| context.holds);
                let count =
                    exchange.zip(response(call)).map(|(exchange, response)| registers.count(exchange, response.nc));
                let acceptable = matches!(count, None | Some(Count::Next | Count::Within));
                let mut outcome = oracle.call(call)?;
                let altered = outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED;
                if altered && !acceptable && matches!(call, Call::CompleteAuthToken { .. }) {
                    outcome.status = SecurityStatus::SEC_E_OUT_OF_SEQUENCE;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "replay-completes",
        text: "A count that was used before is accepted again.",
        reference: "notes 4, CompleteAuthToken, count",
        profile: Profile::DigestHttp,
        fails: &["cat-count-used", "cat-count-used-continue"],
        skipped: &[],
        make: |specification| Tables::of(specification).without(CallName::CompleteAuthToken, "count-used").subject(),
    },
    Fault {
        name: "old-count-completes",
        text: "A count before the window is accepted, though whether it was used is not known any more.",
        reference: "notes 4, CompleteAuthToken, window(n)",
        profile: Profile::DigestHttp,
        fails: &["cat-count-too-old", "cat-count-too-old-continue"],
        skipped: &[],
        make: |specification| Tables::of(specification).without(CallName::CompleteAuthToken, "count-too-old").subject(),
    },
    Fault {
        name: "gap-completes",
        text: "Any count that is higher than the last is accepted.",
        reference: "notes 4, CompleteAuthToken, strict: exactly last + 1",
        profile: Profile::DigestHttp,
        fails: &["cat-count-too-far", "cat-count-too-far-continue"],
        skipped: &[],
        make: |specification| Tables::of(specification).without(CallName::CompleteAuthToken, "count-too-far").subject(),
    },
    Fault {
        name: "window-for-strict",
        text: "A window of counts is accepted where the policy is strict.",
        reference: "notes 4, CompleteAuthToken, strict: exactly last + 1",
        profile: Profile::DigestHttp,
        fails: &["cat-count-too-far", "cat-count-too-far-continue", "vs-count"],
        skipped: &[],
        make: |specification| {
            configured(Oracle::new(specification.clone()), |setup| {
                if setup.policy == Policy::Strict {
                    setup.policy = Policy::Window(NonZeroU32::MAX);
                }
            })
        },
    },
    Fault {
        name: "strict-for-window",
        text: "Parallel requests that overtake each other are refused though a window is configured.",
        reference: "notes 4, CompleteAuthToken, counts 3 then 2: window(2) both OK",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-completed-answered-elsewhere",
            "cat-completed-initial",
            "cat-completed-subsequent",
            "cat-continued",
            "cat-output-absent",
            "cat-output-small",
        ],
        skipped: &["cat-count-too-old", "cat-count-too-old-continue"],
        make: |specification| configured(Oracle::new(specification.clone()), |setup| setup.policy = Policy::Strict),
    },
    Fault {
        name: "count-not-taken",
        text: "A completion does not update the count, so that its token completes again.",
        reference: "notes 4, CompleteAuthToken, check and update are one atomic step",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-challenge-cannot-be-made",
            "cat-completed-answered-elsewhere",
            "cat-completed-subsequent",
            "cat-continued",
            "cat-count-used-continue",
            "cat-output-absent",
            "cat-output-small",
            "vs-count",
            "vs-verified",
        ],
        skipped: &["cat-count-too-old", "cat-count-too-old-continue"],
        make: |specification| {
            let rows = ["cat-completed-subsequent", "cat-completed-answered-elsewhere"];
            Tables::of(specification).change(&rows, forgets(Effect::TakeCount)).subject()
        },
    },
    Fault {
        name: "answered-elsewhere-not-noticed",
        text: "Of two handles that wait to complete the same first token both succeed.",
        reference: "notes 4, CompleteAuthToken, of two handles completing the same token one gets SEC_E_OK",
        profile: Profile::DigestHttp,
        fails: &["cat-count-used"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change_in("cat-count-used", &[State::CompleteNeededInitial], |allowed| {
                    pretends(allowed);
                    allowed.next = Next::State(State::Established.index());
                })
                .subject()
        },
    },
    Fault {
        name: "continue-takes-count",
        text: "SEC_E_OK after SEC_I_COMPLETE_AND_CONTINUE updates the count of a session it does not authenticate.",
        reference: "notes 4, CompleteAuthToken, the count is checked, not updated",
        profile: Profile::DigestHttp,
        fails: &["cat-continued"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["cat-continued"], |allowed| allowed.effects.insert(0, Effect::TakeCount))
                .subject()
        },
    },
    Fault {
        name: "continue-establishes",
        text: "SEC_E_OK after SEC_I_COMPLETE_AND_CONTINUE establishes the context, though its nonce had expired.",
        reference: "notes 4, CompleteAuthToken, SEC_E_OK here authenticates nobody",
        profile: Profile::DigestHttp,
        fails: &["qca-not-established"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .change(&["cat-continued"], |allowed| {
                    allowed.next = Next::State(State::Established.index());
                    allowed.effects = vec![Effect::OpenSession];
                })
                .subject()
        },
    },
    Fault {
        name: "continue-makes-another-challenge",
        text: "Completing puts out another challenge than the one AcceptSecurityContext made.",
        reference: "notes 4, CompleteAuthToken writes the same one with stale=true",
        profile: Profile::DigestHttp,
        fails: &["cat-continued"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["cat-continued"], writes(Buffers::ChallengeStale)).subject()
        },
    },
    Fault {
        name: "replay-challenge-not-stale",
        text: "The challenge beside SEC_E_OUT_OF_SEQUENCE has no stale=true, so people are asked for their password again.",
        reference: "notes 4, CompleteAuthToken, digest right, count not acceptable",
        profile: Profile::DigestHttp,
        fails: &["cat-count-too-far", "cat-count-too-old", "cat-count-used"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-count-used", "cat-count-too-old", "cat-count-too-far"];
            Tables::of(specification).change(&rows, writes(Buffers::Challenge)).subject()
        },
    },
    Fault {
        name: "mendable-error-consumes",
        text: "What the caller could mend ends the pending completion.",
        reference: "notes 3, what a failure consumes",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-completed-answered-elsewhere",
            "cat-completed-initial",
            "cat-completed-subsequent",
            "cat-continued",
        ],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&CALLER_CAN_MEND, rejects).subject(),
    },
    Fault {
        name: "internal-error-consumes",
        text: "An account source that was down ends the pending completion.",
        reference: "notes 3, SEC_E_INTERNAL_ERROR consumes nothing",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-initial", "cat-continued"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["cat-accounts-down"], rejects).subject(),
    },
    Fault {
        name: "altered-message-tries-again",
        text: "SEC_E_MESSAGE_ALTERED leaves the completion pending, so that a guess costs nothing.",
        reference: "notes 3, what the peer's token did consumes the pending completion",
        profile: Profile::DigestHttp,
        fails: &["cat-nothing-to-complete"],
        skipped: &[],
        make: |specification| {
            let rows = [
                "cat-digest-differs-initial",
                "cat-digest-differs-subsequent",
                "cat-outside-differs",
                "cat-target-differs",
            ];
            Tables::of(specification).change(&rows, consumes_nothing).subject()
        },
    },
    Fault {
        name: "malformed-token-tries-again",
        text: "A malformed token, or one of another session, leaves the completion pending.",
        reference: "notes 3, what the peer's token did consumes the pending completion",
        profile: Profile::DigestHttp,
        fails: &["cat-nothing-to-complete"],
        skipped: &[],
        make: |specification| {
            let rows = ["cat-token-malformed", "cat-token-names-another"];
            Tables::of(specification).change(&rows, consumes_nothing).subject()
        },
    },
    Fault {
        name: "rspauth-wrong",
        text: "The rspauth of a completion is not the right one.",
        reference: "notes 5, rspauth = the same KD with A2 = \":\" uri",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-subsequent"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                if matches!(call, Call::CompleteAuthToken { .. }) && outcome.status == SecurityStatus::SEC_E_OK {
                    let text = b"rspauth=\"";
                    for data in written(&mut outcome).iter_mut().filter_map(|buffer| buffer.data.as_mut()) {
                        if let Some(digit) = find(data, text).and_then(|at| data.get_mut(at + text.len())) {
                            *digit = if *digit == b'0' { b'1' } else { b'0' };
                        }
                    }
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "altered-token-zeroed",
        text: "The token of an altered message is zeroed in the caller's buffer.",
        reference: "notes 4, CompleteAuthToken, buffers",
        profile: Profile::DigestHttp,
        fails: &[
            "cat-digest-differs-initial",
            "cat-digest-differs-subsequent",
            "cat-initiator-message-differs",
            "cat-outside-differs",
            "cat-target-differs",
        ],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                let altered = outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED;
                let completes = matches!(call, Call::CompleteAuthToken { .. });
                let data = written(&mut outcome).iter_mut().find_map(|buffer| buffer.data.as_mut());
                if let Some(data) = data.filter(|_| altered && completes) {
                    data.fill(0);
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "accounts-asked-for-what-is-cached",
        text: "A later request is judged under a key made anew, as MD5-sess servers without a session do.",
        reference: "notes 5, H(A1) with the nonce and cnonce of the initial response, fixed until the next challenge",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-answered-elsewhere", "cat-completed-subsequent", "cat-continued", "vs-verified"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let rebuilt =
                    oracle.shadow().registers().setup.algorithm == crate::spec::setup::OfferedAlgorithm::Md5Sess;
                let acceptor = context(oracle, call).is_some_and(|context| context.role == Role::Acceptor);
                let cached = session_nonce(oracle, call).is_some();
                let mut outcome = oracle.call(call)?;
                let completes = matches!(call, Call::CompleteAuthToken { .. } | Call::VerifySignature { .. });
                if completes && acceptor && cached && rebuilt && outcome.status == SecurityStatus::SEC_E_OK {
                    outcome = crate::spec::Outcome::untouched(SecurityStatus::SEC_E_MESSAGE_ALTERED, call);
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "verification-completes",
        text: "VerifySignature succeeds on a context that waits to be completed.",
        reference: "notes 4, Others, VerifySignature, established only",
        profile: Profile::DigestHttp,
        fails: &["vs-not-established"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["vs-not-established"], pretends).subject(),
    },
    Fault {
        name: "verification-accepts-replay",
        text: "VerifySignature does not look at the count.",
        reference: "notes 4, Others, VerifySignature, same counter",
        profile: Profile::DigestHttp,
        fails: &["vs-count"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).without(CallName::VerifySignature, "count-not-acceptable").subject()
        },
    },
    Fault {
        name: "verification-ignores-age",
        text: "VerifySignature does not look at the age of the nonce.",
        reference: "notes 4, Others, VerifySignature, expired nonce SEC_E_OUT_OF_SEQUENCE",
        profile: Profile::DigestHttp,
        fails: &["vs-expired"],
        skipped: &[],
        make: |specification| Tables::of(specification).without(CallName::VerifySignature, "expired").subject(),
    },
    Fault {
        name: "verification-takes-no-count",
        text: "VerifySignature does not update the count.",
        reference: "notes 4, Others, VerifySignature, same counter",
        profile: Profile::DigestHttp,
        fails: &["cat-completed-subsequent"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["vs-verified"], forgets(Effect::TakeCount)).subject(),
    },
    Fault {
        name: "verification-failure-rejects",
        text: "An altered message ends the context that VerifySignature was asked on.",
        reference: "decisions, VerifySignature, failures leave the handle established",
        profile: Profile::DigestHttp,
        fails: &["asc-session-found", "asc-session-found-expired", "qca-answered"],
        skipped: &[],
        make: |specification| Tables::of(specification).change(&["vs-digest-differs"], rejects).subject(),
    },
];
