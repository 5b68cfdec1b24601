//! Making a challenge: length, time and entropy first, so that what fails issues nothing.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::World;
use super::failure::{EnvironmentFailure, Failure, Misuse};
use super::input::required_room;
use super::sessions::{Issued, Mechanism};
use crate::digest::{Nonce, Timestamp};
use crate::sync::lock;

/// A challenge that can be answered, and its token.
pub(super) type Ready<M> = (Arc<<M as Mechanism>::Challenge>, Vec<u8>);

type Terms<M> = <<M as Mechanism>::Challenge as Issued>::Terms;

/// A challenge that is made and fits, but cannot be answered yet.
pub(super) struct Prepared<M: Mechanism> {
    challenge: M::Challenge,
    /// The token.
    token: Vec<u8>,
}

impl<M: Mechanism> Prepared<M> {
    /// Makes a challenge on those terms for an output of that capacity.
    pub(super) fn new(
        terms: Terms<M>,
        stale: bool,
        capacity: Option<usize>,
        world: World<'_>,
    ) -> Result<Self, Failure> {
        Self::of_fitting(fitting::<M>(terms, stale, capacity)?, stale, world)
    }

    /// Makes a challenge on terms of which [`fitting`] knows that there is room for it.
    fn of_fitting(terms: Terms<M>, stale: bool, world: World<'_>) -> Result<Self, Failure> {
        let now = world.environment.now().map_err(EnvironmentFailure::from)?;
        let mut entropy = <M::Challenge as Issued>::Entropy::default();
        world.environment.fill(entropy.as_mut()).map_err(EnvironmentFailure::from)?;
        let challenge = M::Challenge::new(terms, now, entropy);
        let token = challenge.to_bytes(stale).map_err(|_| Misuse::ChallengeTooLong)?;
        Ok(Self { challenge, token })
    }

    /// Issues it: from now on it can be answered.
    pub(super) fn issue(self, world: World<'_>) -> Result<Ready<M>, Failure> {
        let issued = lock(M::sessions(&world)).issue(self.challenge, world.configuration.limits.challenges);
        // Entropy that repeats itself is a failure of its source.
        let challenge = issued.ok_or(EnvironmentFailure::Entropy)?;
        Ok((challenge, self.token))
    }
}

/// The terms, if their challenge fits; on the same terms every challenge has the same length.
fn fitting<M: Mechanism>(terms: Terms<M>, stale: bool, capacity: Option<usize>) -> Result<Terms<M>, Failure> {
    let sample = M::Challenge::new(terms, Timestamp(0), <M::Challenge as Issued>::Entropy::default());
    let needed = sample.to_bytes(stale).map_err(|_| Misuse::ChallengeTooLong)?.len();
    required_room(capacity, needed)?;
    Ok(sample.into_terms())
}

/// A challenge for a peer whose completion failed, if there is room for it: `stale` where its digest was right.
///
/// # Errors
/// Clock or entropy failed, where there is room.
pub(super) fn fresh_if_room<M: Mechanism>(
    terms: Terms<M>,
    stale: bool,
    capacity: Option<usize>,
    world: World<'_>,
) -> Result<Option<Vec<u8>>, Failure> {
    match fitting::<M>(terms, stale, capacity) {
        Ok(terms) => Prepared::<M>::of_fitting(terms, stale, world)?.issue(world).map(|(_, token)| Some(token)),
        Err(_) => Ok(None),
    }
}

/// Whether a nonce is older than the lifetime; exactly the lifetime is still fresh.
pub(super) fn is_expired(nonce: &Nonce, world: World<'_>) -> Result<bool, Failure> {
    let now = world.environment.now().map_err(EnvironmentFailure::from)?;
    Ok(nonce.age(now) > world.configuration.nonce_lifetime)
}
