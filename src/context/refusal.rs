//! What a failed completion of an acceptor leaves behind, the same for both mechanisms.
#![forbid(unsafe_code)]

use super::environment::World;
use super::failure::Failure;
use super::sessions::{Mechanism, Reference};
use super::{Completable, Completion, Context, Rejected};
use crate::sync::lock;

/// A completion that failed, with the challenge that goes out all the same.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) challenge: Option<Vec<u8>>,
}

impl<F: Into<Failure>> From<F> for Refused {
    fn from(failure: F) -> Self {
        Self { failure: failure.into(), challenge: None }
    }
}

impl Refused {
    /// The context as it was, or a rejected one without its reference.
    pub(super) fn leave<M: Mechanism, C: Completable>(
        self,
        context: C,
        reject: impl FnOnce(C) -> (C::Role, Reference<M>),
        world: World<'_>,
    ) -> Completion<C> {
        let Self { failure, challenge } = self;
        if failure.reason.consumes_completion() {
            let (role, reference) = reject(context);
            lock(M::sessions(&world)).release(reference);
            Completion::Rejected { context: Context { role, state: Rejected::STATE }, failure, challenge }
        } else {
            Completion::StillPending(context, failure)
        }
    }
}
