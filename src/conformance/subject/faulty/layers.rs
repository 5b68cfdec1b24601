//! The protection of messages on SASL.
#![forbid(unsafe_code)]

use super::super::Subject;
use super::super::oracle::Oracle;
use super::Fault;
use super::tables::{Tables, answers, forgets, pretends};
use super::wrapped::{context, wrapped, written};
use crate::digest::sasl::Layer;
use crate::spec::Call;
use crate::spec::call::{Attribute, SessionKeyBytes};
use crate::spec::model::Allowed;
use crate::spec::names::{CallName, Effect, Profile};
use crate::status::SecurityStatus;

/// An effect more.
fn also(effect: Effect) -> impl Fn(&mut Allowed) {
    move |allowed| allowed.effects.push(effect)
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "signatures-in-any-order",
        text: "VerifySignature takes a message again, or one that is not the next.",
        reference: "notes 5, auth-int: good but unexpected number OUT_OF_SEQUENCE",
        profile: Profile::DigestSasl,
        fails: &["vs-sasl-number", "vs-sasl-number-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["vs-sasl-number", "vs-sasl-number-initiator"], pretends).subject()
        },
    },
    Fault {
        name: "messages-in-any-order",
        text: "DecryptMessage takes a message again, or one that is not the next.",
        reference: "notes 5, auth-conf: number unexpected OUT_OF_SEQUENCE before decrypting",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-number", "dec-sasl-number-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["dec-sasl-number", "dec-sasl-number-initiator"], pretends).subject()
        },
    },
    Fault {
        name: "signature-not-verified",
        text: "VerifySignature looks at the number and not at the MAC.",
        reference: "notes 5, MAC bad MESSAGE_ALTERED",
        profile: Profile::DigestSasl,
        fails: &["vs-sasl-altered", "vs-sasl-altered-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["vs-sasl-altered", "vs-sasl-altered-initiator"], pretends).subject()
        },
    },
    Fault {
        name: "message-not-verified",
        text: "DecryptMessage looks at the number and not at the MAC.",
        reference: "notes 5, MAC bad MESSAGE_ALTERED",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-altered", "dec-sasl-altered-initiator", "dec-sasl-lost", "dec-sasl-lost-initiator"],
        skipped: &["dec-sasl-dead", "dec-sasl-dead-initiator", "vs-sasl-dead", "vs-sasl-dead-initiator"],
        make: |specification| {
            let rows = ["dec-sasl-altered", "dec-sasl-altered-initiator", "dec-sasl-lost", "dec-sasl-lost-initiator"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
    Fault {
        name: "padding-oracle",
        text: "A message that is no whole number of blocks is told from one whose MAC is wrong.",
        reference: "notes 5, padding and MAC errors look alike",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-lost", "dec-sasl-lost-initiator"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let length = oracle.shadow().message_position(call).and_then(|position| {
                    call.input().and_then(|input| Some(input.buffers.as_ref()?.get(position)?.bytes().len()))
                });
                let layer = context(oracle, call).and_then(|context| Some(context.layers.as_ref()?.layer()));
                let broken = match (layer, length) {
                    (Some(Layer::Confidentiality(cipher)), Some(length)) => {
                        cipher.block_size().is_some_and(|block| !(length.saturating_sub(6)).is_multiple_of(block))
                    }
                    (Some(Layer::Integrity) | None, _) | (Some(Layer::Confidentiality(_)), None) => false,
                };
                let mut outcome = oracle.call(call)?;
                let altered = outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED;
                if matches!(call, Call::DecryptMessage { .. }) && altered && broken {
                    outcome.status = SecurityStatus::SEC_E_INVALID_TOKEN;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "dead-direction-revived",
        text: "After a message that could not be decrypted the next one is taken as if nothing had happened.",
        reference: "notes 5, that direction is dead (cipher state is lost)",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-dead", "dec-sasl-dead-initiator", "vs-sasl-dead", "vs-sasl-dead-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["dec-sasl-lost", "dec-sasl-lost-initiator"];
            Tables::of(specification).change(&rows, forgets(Effect::KillReceiving)).subject()
        },
    },
    Fault {
        name: "plaintext-before-the-mac",
        text: "What was decrypted stands in the caller's buffer though its MAC is wrong.",
        reference: "decisions of issue 3 F, nothing of a plaintext is delivered on failure",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-altered", "dec-sasl-altered-initiator", "dec-sasl-lost", "dec-sasl-lost-initiator"],
        skipped: &["dec-sasl-dead", "dec-sasl-dead-initiator", "vs-sasl-dead", "vs-sasl-dead-initiator"],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let position = oracle.shadow().message_position(call);
                let mut outcome = oracle.call(call)?;
                let altered = outcome.status == SecurityStatus::SEC_E_MESSAGE_ALTERED;
                if let (Call::DecryptMessage { .. }, true, Some(position)) = (call, altered, position) {
                    let data = written(&mut outcome).get_mut(position).and_then(|buffer| buffer.data.as_mut());
                    if let Some(first) = data.and_then(|data| data.first_mut()) {
                        *first ^= 0x55;
                    }
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "maxbuf-ignored",
        text: "Messages are wrapped and signed that are longer than the peer receives.",
        reference: "notes 5, maxbuf limits the wrapped buffer",
        profile: Profile::DigestSasl,
        fails: &[
            "enc-sasl-message-too-long",
            "enc-sasl-message-too-long-initiator",
            "ms-sasl-message-too-long",
            "ms-sasl-message-too-long-initiator",
        ],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .without(CallName::EncryptMessage, "message-too-long")
                .without(CallName::MakeSignature, "message-too-long")
                .subject()
        },
    },
    Fault {
        name: "number-taken-by-a-failure",
        text: "A message that finds no room for what belongs behind it takes a number.",
        reference: "decisions of issue 3 F, nothing consumed",
        profile: Profile::DigestSasl,
        fails: &["enc-sasl-wrapped", "enc-sasl-wrapped-initiator", "ms-sasl-signed", "ms-sasl-signed-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["enc-sasl-output-small", "enc-sasl-output-small-initiator"];
            Tables::of(specification).change(&rows, also(Effect::SignNext)).subject()
        },
    },
    Fault {
        name: "signature-takes-no-number",
        text: "MakeSignature and EncryptMessage do not count together.",
        reference: "decisions of issue 3 F, they share one counter",
        profile: Profile::DigestSasl,
        fails: &["enc-sasl-wrapped", "enc-sasl-wrapped-initiator", "ms-sasl-signed", "ms-sasl-signed-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["ms-sasl-signed", "ms-sasl-signed-initiator"];
            Tables::of(specification).change(&rows, forgets(Effect::SignNext)).subject()
        },
    },
    Fault {
        name: "received-number-stays",
        text: "The number of the next message received stays the same, so that every message can be repeated.",
        reference: "decisions of issue 3 F, sequence numbers",
        profile: Profile::DigestSasl,
        fails: &[
            "dec-sasl-lost",
            "dec-sasl-lost-initiator",
            "dec-sasl-number",
            "dec-sasl-number-initiator",
            "dec-sasl-unwrapped",
            "dec-sasl-unwrapped-initiator",
            "vs-sasl-number",
            "vs-sasl-number-initiator",
            "vs-sasl-verified",
            "vs-sasl-verified-initiator",
        ],
        skipped: &[],
        make: |specification| {
            let rows = [
                "vs-sasl-verified",
                "vs-sasl-verified-initiator",
                "dec-sasl-unwrapped",
                "dec-sasl-unwrapped-initiator",
            ];
            Tables::of(specification).change(&rows, forgets(Effect::ReceiveNext)).subject()
        },
    },
    Fault {
        name: "unprotected-after-completion",
        text: "A context that authenticated again fast has no layer.",
        reference: "notes 5, each handle has its own layer state",
        profile: Profile::DigestSasl,
        fails: &[
            "dec-sasl-altered",
            "dec-sasl-descriptor-malformed",
            "dec-sasl-incomplete",
            "dec-sasl-message-absent",
            "dec-sasl-number",
            "dec-sasl-unwrapped",
            "enc-sasl-descriptor-malformed",
            "enc-sasl-exhausted",
            "enc-sasl-message-absent",
            "enc-sasl-message-too-long",
            "enc-sasl-output-absent",
            "enc-sasl-output-small",
            "enc-sasl-wrapped",
            "ms-sasl-descriptor-malformed",
            "ms-sasl-exhausted",
            "ms-sasl-message-absent",
            "ms-sasl-message-too-long",
            "ms-sasl-output-absent",
            "ms-sasl-output-small",
            "ms-sasl-signed",
            "qca-sasl-answered",
            "vs-sasl-altered",
            "vs-sasl-descriptor-malformed",
            "vs-sasl-message-absent",
            "vs-sasl-number",
            "vs-sasl-verified",
        ],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["cat-sasl-completed"], forgets(Effect::BeginLayers)).subject()
        },
    },
    Fault {
        name: "wrapped-under-auth",
        text: "EncryptMessage succeeds where nothing protects messages, and leaves them as they are.",
        reference: "notes 5, qop=auth SEC_E_QOP_NOT_SUPPORTED",
        profile: Profile::DigestSasl,
        fails: &["enc-sasl-no-layer", "enc-sasl-no-layer-initiator"],
        skipped: &[],
        make: |specification| {
            Tables::of(specification).change(&["enc-sasl-no-layer", "enc-sasl-no-layer-initiator"], pretends).subject()
        },
    },
    Fault {
        name: "wrapped-too-early",
        text: "Messages are signed before anybody is authenticated.",
        reference: "decisions of issue 3 F, not established: SEC_E_OUT_OF_SEQUENCE",
        profile: Profile::DigestSasl,
        fails: &["ms-sasl-not-established", "ms-sasl-not-established-initiator"],
        skipped: &[],
        make: |specification| {
            let rows = ["ms-sasl-not-established", "ms-sasl-not-established-initiator"];
            Tables::of(specification).change(&rows, pretends).subject()
        },
    },
    Fault {
        name: "signed-called-encrypted",
        text: "pfQOP does not say that a message was signed only.",
        reference: "decisions of issue 3 F, SIGN_ONLY for auth-int",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-unwrapped", "dec-sasl-unwrapped-initiator"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                outcome.quality = outcome.quality.map(|_| 0);
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "numbers-wrap-around",
        text: "After the number ffffffff messages go on being protected.",
        reference: "decisions of issue 3 F, the 33rd bit",
        profile: Profile::DigestSasl,
        fails: &[
            "enc-sasl-exhausted",
            "enc-sasl-exhausted-initiator",
            "ms-sasl-exhausted",
            "ms-sasl-exhausted-initiator",
        ],
        skipped: &[],
        make: |specification| {
            Tables::of(specification)
                .without(CallName::EncryptMessage, "exhausted")
                .without(CallName::MakeSignature, "exhausted")
                .subject()
        },
    },
    Fault {
        name: "incomplete-called-altered",
        text: "A message of which the end is missing yet is taken for an attack.",
        reference: "notes 5, short input SEC_E_INCOMPLETE_MESSAGE",
        profile: Profile::DigestSasl,
        fails: &["dec-sasl-incomplete", "dec-sasl-incomplete-initiator"],
        skipped: &[],
        make: |specification| {
            let status = answers(SecurityStatus::SEC_E_MESSAGE_ALTERED);
            Tables::of(specification)
                .change(&["dec-sasl-incomplete", "dec-sasl-incomplete-initiator"], status)
                .subject()
        },
    },
    Fault {
        name: "trailer-of-a-stream-cipher",
        text: "SECPKG_ATTR_STREAM_SIZES tells a trailer without room for padding.",
        reference: "decisions of issue 3 G, trailer 16 or 24",
        profile: Profile::DigestSasl,
        fails: &["qca-sasl-answered", "qca-sasl-answered-initiator"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                if let Some(Attribute::StreamSizes { trailer, .. }) = &mut outcome.attribute {
                    *trailer = 16;
                }
                Ok(outcome)
            })
        },
    },
    Fault {
        name: "session-key-of-nobody",
        text: "SECPKG_ATTR_SESSION_KEY is zeros.",
        reference: "decisions of issue 3 G, H(A1)",
        profile: Profile::DigestSasl,
        fails: &["qca-sasl-answered", "qca-sasl-answered-initiator"],
        skipped: &[],
        make: |specification| {
            wrapped::<()>(Oracle::new(specification.clone()), |oracle, (), call| {
                let mut outcome = oracle.call(call)?;
                if let Some(Attribute::SessionKey(key)) = &mut outcome.attribute {
                    *key = SessionKeyBytes(vec![0; 16]);
                }
                Ok(outcome)
            })
        },
    },
];
