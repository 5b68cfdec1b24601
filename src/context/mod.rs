//! The typestate machine: a security context is a [`Context`] of a role in a state.
//!
//! Each state carries exactly its own data and has exactly the calls that are due in it; every other
//! call does not compile (`tests/ui`). A call consumes the context and returns the next one, or the
//! same one where nothing was consumed, or a [`Rejected`] one. Nothing here does I/O, reads a clock or
//! takes entropy but through [`World`].
//!
//! The roles of HTTP lie here, those of SASL in [`sasl`]: one machinery, two mechanisms that never meet.
//!
//! What an operation touches lies here too, below `package`: sessions as plain data, and the traits through which
//! time, entropy and accounts come in. So contexts never look up to the shell that holds them.
//!
//! Sources: `completeauthtoken`, `maintaining-the-security-context-between-connections`, `acceptsecuritycontext--digest`,
//! `initializesecuritycontext--digest`, `protecting-messages-using-microsoft-digest`.
#![forbid(unsafe_code)]

pub mod acceptor;
pub mod attributes;
pub mod bindings;
mod completing;
pub mod configuration;
pub mod counts;
pub mod environment;
mod exchange;
pub mod failure;
pub mod http;
pub mod initiator;
pub mod input;
mod issuing;
mod refusal;
pub mod requirements;
pub mod sasl;
pub mod sessions;
mod verification;

use core::fmt;

pub use environment::World;
use failure::{Failure, Misuse};

/// A security context: a role in a state.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Context<Role, State> {
    role: Role,
    state: State,
}

impl<Role, State> Context<Role, State> {
    /// Whose context this is.
    pub fn role(&self) -> &Role {
        &self.role
    }

    fn moved<Next>(self, state: Next) -> Context<Role, Next> {
        Context { role: self.role, state }
    }
}

/// No context yet (`none`): the first call makes one, or nothing.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct New {
    room: Room,
}

/// Whether a handle can be had for the context that a first call makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Room {
    /// There is one.
    Granted,
    /// As many contexts as the limits allow are live.
    Exhausted,
}

impl Room {
    fn required(self) -> Result<(), Misuse> {
        match self {
            Self::Granted => Ok(()),
            Self::Exhausted => Err(Misuse::ContextLimit),
        }
    }
}

impl<Role> Context<Role, New> {
    /// A context that does not exist yet.
    pub fn new(role: Role, room: Room) -> Self {
        Self { role, state: New { room } }
    }
}

/// The peer's token was refused for good. Nothing is due but DeleteSecurityContext.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct Rejected(());

impl Rejected {
    const STATE: Self = Self(());
}

/// SEC_I_COMPLETE_NEEDED was returned: CompleteAuthToken is due.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct CompleteNeeded<P> {
    pending: P,
}

/// SEC_I_COMPLETE_AND_CONTINUE was returned: CompleteAuthToken is due, and after it another token of the peer.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub struct CompleteAndContinue<P: Pending> {
    pending: P,
    next: P::Next,
}

mod sealed {
    pub trait Sealed {}
}

/// What a completion is waiting for.
pub trait Pending: sealed::Sealed + fmt::Debug {
    /// What continues the exchange after SEC_I_COMPLETE_AND_CONTINUE.
    type Next: fmt::Debug;
}

/// A context on which CompleteAuthToken is due. Sealed: these are the only ones.
pub trait Completable: sealed::Sealed + Sized {
    /// The role of the context.
    type Role;
    /// The context after a completion that succeeded.
    type Completed;
    /// What CompleteAuthToken needs of the message.
    type Message<'a>;
    /// What it writes.
    type Output;

    /// CompleteAuthToken.
    ///
    /// Consumes what is pending: completed, or rejected because of the peer's token. Where the caller
    /// can mend the failure the context comes back as it was.
    fn complete_auth_token(self, message: &Self::Message<'_>, world: World<'_>) -> Completion<Self>;
}

/// What became of a completion.
#[derive(Debug)]
pub enum Completion<C: Completable> {
    /// SEC_E_OK.
    Completed(C::Completed, C::Output),
    /// Nothing was consumed; the caller can mend it and call again.
    StillPending(C, Failure),
    /// The pending completion is spent.
    Rejected {
        /// The context, which no longer refers to any session.
        context: Context<C::Role, Rejected>,
        /// Why.
        failure: Failure,
        /// A challenge for an honest peer to go on with, where one was due and there was room for it.
        challenge: Option<Vec<u8>>,
    },
}

/// When credentials or a context expire: never.
///
/// "There is no expiration time for Digest security contexts or credentials" (`acquirecredentialshandle--digest`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeStamp(pub u64);

impl TimeStamp {
    /// The constant maximum, in 100 ns since 1601: the largest that a signed 64-bit FILETIME can tell.
    pub const MAXIMUM: Self = Self(0x7FFF_FFFF_FFFF_FFFF);
}
