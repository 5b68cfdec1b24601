//! Any package: tokens and messages that are handed over as they are, and never looked into.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::buffer::{BufferType, SecHandle};
use crate::spec::call::{Attribute, Buffer, Call, Descriptor, Outcome};
use crate::spec::model::Allowed;
use crate::spec::names::{Buffers, Effect, Profile};
use crate::spec::vocabulary::{self as fact, Output, Role, Seal, Token};

use super::facts::PACKAGE_NAME;
use super::outcome::{Difference, Learned, require, unchanged_but};
use super::reading;
use super::registers::{Context, Registers};
use super::view::View;

/// Capacities below this are too small for any token; testers use nothing between it and what is enough for all.
pub const SMALL_FOR_ANY: usize = 16;

/// SECPKG_ATTR_SIZES, SECPKG_ATTR_NAMES and SECPKG_ATTR_PACKAGE_INFO.
pub const SIZES: u32 = 0;
/// SECPKG_ATTR_NAMES.
pub const NAMES: u32 = 1;
/// SECPKG_ATTR_PACKAGE_INFO.
pub const PACKAGE_INFO: u32 = 10;

/// What is known of a context of any package.
#[derive(Clone, Debug, Default)]
pub struct Opaque {
    /// The context at the other end, by how many contexts were made before it.
    pub peer: Option<usize>,
    /// The token put out that the peer has not been handed yet.
    pub token: Option<Vec<u8>>,
    /// How many tokens were put out.
    pub legs: usize,
    /// What SECPKG_ATTR_SIZES reported.
    pub sizes: Option<Sizes>,
    /// Messages for the peer that it has not received yet.
    pub sent: VecDeque<Protected>,
    /// Whether a message was refused, so that the numbers of the two sides may have come apart.
    pub out_of_step: bool,
}

/// How much room the protection of a message takes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// cbMaxSignature, in bytes.
    pub signature: u32,
    /// cbSecurityTrailer, in bytes.
    pub trailer: u32,
}

/// A message on its way to the peer.
#[derive(Clone, Debug)]
pub enum Protected {
    /// MakeSignature signed it.
    Signed {
        /// The message.
        message: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    },
    /// EncryptMessage encrypted it.
    Encrypted {
        /// The message.
        plaintext: Vec<u8>,
        /// The buffers that DecryptMessage is given.
        wire: Vec<Buffer>,
    },
}

impl Registers {
    /// The live context that was made after so many others.
    pub fn nth_context(&self, ordinal: usize) -> Option<(SecHandle, &Context)> {
        let found = self.contexts.iter().find(|(_, context)| context.ordinal == ordinal);
        found.map(|(handle, context)| (*handle, context))
    }

    /// The context at the other end of an exchange.
    pub fn peer_of(&self, context: &Context) -> Option<(SecHandle, &Context)> {
        self.nth_context(context.opaque.peer?)
    }

    /// Whose token is handed to a context; to none that is made by it, that of the newest initiator without a peer.
    pub fn hands_over(&self, receiver: Option<&Context>) -> Option<(SecHandle, &Context)> {
        let is_alone = |context: &Context| matches!(context.role, Role::Initiator) && context.opaque.peer.is_none();
        let giver = match receiver {
            Some(receiver) => self.peer_of(receiver),
            None => {
                let alone = self.contexts.iter().filter(|(_, context)| is_alone(context));
                alone.max_by_key(|(_, context)| context.ordinal).map(|(handle, context)| (*handle, context))
            }
        };
        giver.filter(|(_, context)| context.opaque.token.is_some())
    }

    /// The name of the package under test.
    pub fn package(&self) -> &str {
        self.setup.package.as_deref().unwrap_or(PACKAGE_NAME)
    }

    fn opaque_context(&self, view: &View<'_>) -> Option<&Context> {
        self.contexts.get(&view.handle?)
    }

    /// Whose token the call hands over, if it is that token.
    fn giver(&self, view: &View<'_>) -> Option<(SecHandle, &Context)> {
        let (_, given) = reading::token(view.buffers)?;
        let giver = self.hands_over(self.opaque_context(view));
        giver.filter(|(_, context)| context.opaque.token.as_deref() == Some(given.bytes()))
    }

    /// The fact `token` of any package.
    pub(super) fn opaque_token(&self, view: &View<'_>) -> Token {
        if self.giver(view).is_some() { Token::WellFormed } else { Token::Absent }
    }

    /// The fact `output` of any package.
    pub(super) fn opaque_capacity(view: &View<'_>) -> Output {
        reading::capacity_for(view.output_buffers, view.output, SMALL_FOR_ANY)
    }

    /// The fact `direction` of any package.
    pub(super) fn opaque_direction(&self, view: &View<'_>) -> Option<fact::Direction> {
        let out_of_step = self.opaque_context(view)?.opaque.out_of_step;
        Some(if out_of_step { fact::Direction::Dead } else { fact::Direction::Alive })
    }

    /// The message that the peer protected first of those that were not received yet.
    fn awaited(&self, view: &View<'_>) -> Option<&Protected> {
        let (_, peer) = self.peer_of(self.opaque_context(view)?)?;
        peer.opaque.sent.front()
    }

    /// The fact `seal` of any package.
    pub(super) fn opaque_seal(&self, view: &View<'_>) -> Seal {
        let signature = reading::signature(view.buffers).map(|position| view.buffers[position].bytes());
        let is_awaited = match (view.call, self.awaited(view)) {
            (Call::VerifySignature { .. }, Some(Protected::Signed { message, signature: awaited })) => {
                view.message_bytes() == Some(message.as_slice()) && signature == Some(awaited.as_slice())
            }
            (Call::DecryptMessage { .. }, Some(Protected::Encrypted { wire, .. })) => view.buffers == wire.as_slice(),
            (_, Some(Protected::Signed { .. } | Protected::Encrypted { .. }) | None) => false,
        };
        if is_awaited { Seal::Right } else { Seal::Altered }
    }

    /// The fact `attribute` of any package.
    pub(super) fn opaque_attribute(attribute: u32) -> fact::Attribute {
        match attribute {
            PACKAGE_INFO => fact::Attribute::PackageInfo,
            SIZES | NAMES => fact::Attribute::Supported,
            _unsupported => fact::Attribute::Unsupported,
        }
    }

    // --- Outcomes

    pub(super) fn check_token(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        unchanged_but(view.call.output(), outcome.output.as_ref(), view.output).map(|_| Learned::Nothing)
    }

    pub(super) fn check_protected(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        if matches!(view.call, Call::MakeSignature { .. }) {
            return Self::check_token(view, outcome);
        }
        check_within(view, outcome)
    }

    pub(super) fn check_recovered(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        check_within(view, outcome)?;
        let Some(Protected::Encrypted { plaintext, .. }) = self.awaited(view) else {
            return Err("nothing can be decrypted here".into());
        };
        let buffers = reading::buffers(outcome.output.as_ref());
        let is_there = buffers.iter().any(|buffer| buffer.bytes() == plaintext.as_slice());
        require(is_there, || "no buffer holds what was sent".into())?;
        Ok(Learned::Nothing)
    }

    pub(super) fn check_opaque_attribute(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let reported = outcome.attribute.as_ref().ok_or("the attribute was not reported")?;
        let Call::QueryContextAttributes { attribute, .. } = view.call else { return Ok(Learned::Nothing) };
        let fits = match reported {
            Attribute::Sizes { .. } => *attribute == SIZES,
            Attribute::Names(_) => *attribute == NAMES,
            Attribute::Other => !matches!(*attribute, SIZES | NAMES),
            Attribute::StreamSizes { .. }
            | Attribute::KeyInfo { .. }
            | Attribute::SessionKey(_)
            | Attribute::ClientSpecifiedTarget(_)
            | Attribute::Packages(_) => false,
        };
        require(fits, || format!("reported was {reported:?}"))?;
        Ok(Learned::Nothing)
    }

    /// Goes on with what a context of any package put out, and hands over what it was given.
    pub(super) fn remember_opaque(
        &mut self,
        allowed: &Allowed,
        view: &View<'_>,
        outcome: &Outcome,
        handle: Option<SecHandle>,
    ) {
        if view.profile != Profile::AnyPackage {
            return;
        }
        let written = |position: Option<usize>| {
            let buffer = reading::buffers(outcome.output.as_ref()).get(position?)?;
            Some(buffer.bytes().to_vec())
        };
        let giver = self.giver(view).map(|(handle, context)| (handle, context.ordinal));
        let receives = allowed.effects.contains(&Effect::ReceiveNext);
        let sender = self.opaque_context(view).and_then(|context| self.peer_of(context)).map(|(handle, _)| handle);
        let Some(context) = handle.and_then(|handle| self.contexts.get_mut(&handle)) else { return };
        let ordinal = context.ordinal;
        let opaque = &mut context.opaque;
        match allowed.buffers {
            Buffers::Token => {
                opaque.token = Some(written(view.output).unwrap_or_default());
                opaque.legs += 1;
                if let Some((_, giver)) = giver {
                    opaque.peer = Some(giver);
                }
            }
            Buffers::TokenCompleted => opaque.token = written(reading::token(view.buffers).map(|(at, _)| at)),
            Buffers::Protected => opaque.sent.extend(protected(view, outcome.output.as_ref())),
            Buffers::AttributeValue => {
                if let Some(Attribute::Sizes { maximum_signature, security_trailer, .. }) = &outcome.attribute {
                    opaque.sizes = Some(Sizes { signature: *maximum_signature, trailer: *security_trailer });
                }
            }
            Buffers::Untouched
            | Buffers::Unjudged
            | Buffers::PackageInfo
            | Buffers::Recovered
            | Buffers::Empty
            | Buffers::Challenge
            | Buffers::ChallengeStale
            | Buffers::ChallengeStaleIfOutput
            | Buffers::ChallengeIfOutput
            | Buffers::PendingChallengeStale
            | Buffers::PendingChallengeStaleIfOutput
            | Buffers::AuthenticationInfoIfOutput
            | Buffers::Response
            | Buffers::ResponseUnfinished
            | Buffers::ResponseFinished
            | Buffers::Header
            | Buffers::Rspauth
            | Buffers::ResponseAgain
            | Buffers::Signature
            | Buffers::Wrapped
            | Buffers::Plaintext => {}
        }
        opaque.out_of_step |= allowed.effects.contains(&Effect::KillReceiving);
        let handed_over = giver.filter(|_| allowed.buffers == Buffers::Token);
        if let Some(giver) = handed_over.and_then(|(handle, _)| self.contexts.get_mut(&handle)) {
            giver.opaque.token = None;
            giver.opaque.peer = Some(ordinal);
        }
        if let Some(sender) = sender.filter(|_| receives).and_then(|handle| self.contexts.get_mut(&handle)) {
            sender.opaque.sent.pop_front();
        }
    }
}

/// Whether nothing was written beyond the memory that the caller gave.
pub(super) fn check_within(view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
    let buffers = |descriptor: Option<&Descriptor>| -> Vec<Buffer> {
        descriptor.and_then(|descriptor| descriptor.buffers.clone()).unwrap_or_default()
    };
    let (before, after) = (buffers(view.call.output()), buffers(outcome.output.as_ref()));
    require(before.len() == after.len(), || "the descriptor changed".into())?;
    let is_within = |(old, new): (&Buffer, &Buffer)| {
        let capacity = old.bytes().len();
        let (old, new) = (old.data.as_deref().unwrap_or_default(), new.data.as_deref().unwrap_or_default());
        old.len() == new.len() && old.get(capacity..) == new.get(capacity..)
    };
    require(before.iter().zip(&after).all(is_within), || "a buffer was written beyond its capacity".into())?;
    Ok(Learned::Nothing)
}

/// What MakeSignature or EncryptMessage made for the peer.
fn protected(view: &View<'_>, after: Option<&Descriptor>) -> Option<Protected> {
    let (before, after) = (view.buffers, reading::buffers(after));
    let message = view.message_bytes()?.to_vec();
    if matches!(view.call, Call::MakeSignature { .. }) {
        return Some(Protected::Signed { message, signature: after.get(view.output?)?.bytes().to_vec() });
    }
    let data = after.get(view.message?)?.bytes();
    // What was written belongs to what is sent; what was not is not looked at by the package.
    let written = |kind: BufferType| -> Option<&[u8]> {
        let position = before.iter().position(|buffer| buffer.buffer_type.kind() == kind)?;
        let (old, new) = (before[position].bytes(), after.get(position)?.bytes());
        Some(new).filter(|new| *new != old && !new.is_empty())
    };
    let padding = written(BufferType::PADDING);
    let wire = match written(BufferType::TOKEN) {
        // A trailer of its own: each part stays in a buffer of its type.
        Some(trailer) => {
            let parts =
                [(BufferType::TOKEN, Some(trailer)), (BufferType::DATA, Some(data)), (BufferType::PADDING, padding)];
            parts.into_iter().filter_map(|(kind, part)| Some(Buffer::new(kind, part?.to_vec()))).collect()
        }
        // One stretch of bytes on the wire.
        None => vec![Buffer::new(BufferType::DATA, [data, padding.unwrap_or_default()].concat())],
    };
    Some(Protected::Encrypted { plaintext: message, wire })
}
