//! Any package: calls whose tokens and messages are what the peer made, handed over as they are.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SecHandle};
use crate::spec::call::{AuthIdentity, Buffer, Call, Descriptor};
use crate::spec::names::CallName;
use crate::spec::shadow::opaque::{NAMES, PACKAGE_INFO, Protected, SIZES, SMALL_FOR_ANY, Sizes};
use crate::spec::shadow::registers::{Context, Registers};
use crate::spec::vocabulary as fact;

use super::super::action::{CallAction, Goal};
use super::super::exchange::{self, Due};
use super::Concretiser;
use super::buffers::{self, Output};

/// Whom an initiator wants to talk to; of the form that every package can read.
const TARGET: &[u8] = b"HTTP/localhost";
/// ISC_REQ_* and ASC_REQ_* of replay detection, sequence detection and confidentiality.
const PROTECTION: u32 = 0x4 | 0x8 | 0x10;
/// ISC_REQ_INTEGRITY.
const ISC_INTEGRITY: u32 = 0x1_0000;
/// ASC_REQ_INTEGRITY.
const ASC_INTEGRITY: u32 = 0x2_0000;
/// More than the tokens of the usual packages.
const ROOM: usize = 12_288;
/// Room for a signature, where the package has not said how much it needs.
const UNKNOWN: u32 = 64;

/// The next call of an exchange, if one is due and the goal is not reached.
pub fn exchange(goal: &Goal, registers: &Registers) -> Option<Call> {
    let Due { call, context } = exchange::next(goal, registers)?;
    let action = CallAction::new(call, 0);
    let concretiser = Concretiser { action: &action, registers, rng: fastrand::Rng::with_seed(0) };
    Some(match call {
        CallName::InitializeSecurityContext => concretiser.initialize_any(context),
        CallName::AcceptSecurityContext => concretiser.accept_any(context),
        CallName::CompleteAuthToken
        | CallName::AcquireCredentialsHandle
        | CallName::FreeCredentialsHandle
        | CallName::EnumerateSecurityPackages
        | CallName::QuerySecurityPackageInfo
        | CallName::FreeContextBuffer
        | CallName::MakeSignature
        | CallName::VerifySignature
        | CallName::EncryptMessage
        | CallName::DecryptMessage
        | CallName::QueryContextAttributes
        | CallName::DeleteSecurityContext => concretiser.complete_any(context),
    })
}

impl<'a> Concretiser<'a> {
    fn known(&self, context: Option<SecHandle>) -> Option<&'a Context> {
        self.registers.contexts.get(&context?)
    }

    pub(super) fn acquire_any(&mut self) -> Call {
        let inbound = self.wishes(fact::Use::Inbound) || (!self.wishes(fact::Use::Outbound) && self.rng.bool());
        let package = if self.wishes(fact::Package::Other) { "NoSuchPackage" } else { self.registers.package() };
        // Servers too: where no authority is asked, it is all that a package has to know its client by.
        let account = self.registers.setup.accounts.first();
        Call::AcquireCredentialsHandle {
            principal: None,
            package: package.to_owned(),
            credential_use: if inbound { 1 } else { 2 },
            logon_id: None,
            identity: account.map(|account| AuthIdentity {
                user: account.username.clone(),
                domain: String::new(),
                password: account.password.clone(),
            }),
        }
    }

    fn output_any(&mut self) -> Option<Descriptor> {
        let output = match () {
            () if self.wishes(fact::Output::Small) => {
                Output::Capacity(BufferType::TOKEN, self.rng.usize(1..SMALL_FOR_ANY))
            }
            () if self.wishes(fact::Output::Absent) && self.rng.bool() => Output::Null(BufferType::TOKEN),
            () if self.wishes(fact::Output::Absent) => Output::None,
            () => Output::Capacity(BufferType::TOKEN, ROOM),
        };
        buffers::output_descriptor(output, self.action)
    }

    /// The token that the peer put out, in a descriptor as wished.
    fn handed_over(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let giver = self.registers.hands_over(self.known(context));
        let token = giver.and_then(|(_, giver)| giver.opaque.token.clone());
        let token = token.filter(|_| !self.wishes(fact::Token::Absent));
        let buffer =
            token.map_or_else(|| Buffer::null(BufferType::EMPTY), |token| Buffer::new(BufferType::TOKEN, token));
        self.descriptor(vec![buffer])
    }

    pub(super) fn initialize_any(mut self, context: Option<SecHandle>) -> Call {
        let credential = self.credential(self.known(context), |known| known.outbound.is_some(), |_| true);
        let input = context.and_then(|context| self.handed_over(Some(context)));
        Call::InitializeSecurityContext {
            credential,
            context,
            target_name: Some(TARGET.to_vec()),
            requirements: ISC_INTEGRITY | PROTECTION,
            input,
            output: self.output_any(),
        }
    }

    pub(super) fn accept_any(mut self, context: Option<SecHandle>) -> Call {
        let credential = self.credential(self.known(context), |known| known.inbound, |_| true);
        let input = self.handed_over(context);
        let requirements = ASC_INTEGRITY | PROTECTION;
        Call::AcceptSecurityContext { credential, context, requirements, input, output: self.output_any() }
    }

    /// The token that was put out last, to be completed.
    pub(super) fn complete_any(mut self, context: Option<SecHandle>) -> Call {
        let token = self.known(context).and_then(|known| known.opaque.token.clone()).unwrap_or_default();
        let token = self.descriptor(vec![Buffer::new(BufferType::TOKEN, token)]);
        Call::CompleteAuthToken { context, token }
    }

    pub(super) fn attribute_any(&self) -> u32 {
        match () {
            () if self.wishes(fact::Attribute::Unsupported) => [0x7FFF_FFFF, u32::MAX][self.parity()],
            () if self.wishes(fact::Attribute::PackageInfo) => PACKAGE_INFO,
            () => [SIZES, NAMES][self.parity()],
        }
    }

    fn parity(&self) -> usize {
        usize::from(!self.action.variety.is_multiple_of(2))
    }

    // --- Messages

    fn message_any(&mut self) -> Vec<u8> {
        (0..self.rng.usize(1..=64)).map(|_| self.rng.u8(..)).collect()
    }

    fn sizes(&self, context: Option<SecHandle>) -> Sizes {
        let known = self.known(context).and_then(|known| known.opaque.sizes);
        let given = |size: u32| if size == 0 { UNKNOWN } else { size };
        let Sizes { signature, trailer } = known.unwrap_or(Sizes { signature: UNKNOWN, trailer: UNKNOWN });
        Sizes { signature: given(signature), trailer: given(trailer) }
    }

    fn data(&mut self, message: Vec<u8>) -> Option<Buffer> {
        Some(Buffer::new(BufferType::DATA, message)).filter(|_| !self.wishes(fact::Message::Absent))
    }

    pub(super) fn message_to_sign_any(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let signature = self.sizes(context).signature as usize;
        let message = self.message_any();
        let data = self.data(message);
        let token = Buffer::new(BufferType::TOKEN, vec![0xA5; signature]);
        self.descriptor(data.into_iter().chain([token]).collect())
    }

    /// A trailer before the message as most packages have it, and room behind it for those that write there.
    pub(super) fn message_to_encrypt_any(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let trailer = self.sizes(context).trailer as usize;
        let message = self.message_any();
        let data = self.data(message);
        let [token, padding] =
            [BufferType::TOKEN, BufferType::PADDING].map(|kind| Buffer::new(kind, vec![0xA5; trailer]));
        self.descriptor([token].into_iter().chain(data).chain([padding]).collect())
    }

    /// What the peer protected first of those messages that were not received yet; something it never sent, where there
    /// is none.
    fn awaited(&mut self, context: Option<SecHandle>) -> Vec<Buffer> {
        let peer = self.known(context).and_then(|known| self.registers.peer_of(known));
        match peer.and_then(|(_, peer)| peer.opaque.sent.front()) {
            Some(Protected::Signed { message, signature }) => {
                vec![Buffer::new(BufferType::DATA, message.clone()), Buffer::new(BufferType::TOKEN, signature.clone())]
            }
            Some(Protected::Encrypted { wire, .. }) => wire.clone(),
            None => {
                let message = (0..64).map(|_| self.rng.u8(..)).collect();
                vec![Buffer::new(BufferType::TOKEN, vec![7; 16]), Buffer::new(BufferType::DATA, message)]
            }
        }
    }

    pub(super) fn received_any(&mut self, context: Option<SecHandle>) -> Option<Descriptor> {
        let mut buffers = self.awaited(context);
        if self.wishes(fact::Seal::Altered) {
            let data = buffers.iter_mut().filter(|buffer| buffer.buffer_type == BufferType::DATA);
            // Only the message: of what protects it a package may leave something unused.
            for first in data.filter_map(|buffer| buffer.data.as_mut()?.first_mut()) {
                *first ^= 1 << self.rng.u32(..8);
            }
        }
        if self.wishes(fact::Message::Absent) {
            buffers.retain(|buffer| buffer.buffer_type != BufferType::DATA);
        }
        self.descriptor(buffers)
    }
}
