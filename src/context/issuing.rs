//! Making a challenge: length, time and entropy first, so that what fails issues nothing.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::World;
use super::failure::{EnvironmentFailure, Failure, Misuse};
use super::input::required_room;
use super::sessions::{ChallengeTerms, IssuedChallenge};
use crate::digest::{Nonce, Timestamp, hash};
use crate::sync::lock;

/// A challenge that can be answered, and its token.
pub(super) type Issued = (Arc<IssuedChallenge>, Vec<u8>);

/// A challenge that is made and fits, but cannot be answered yet.
pub(super) struct Prepared {
    challenge: IssuedChallenge,
    /// The token.
    token: Vec<u8>,
}

impl Prepared {
    /// Makes a challenge on those terms for an output of that capacity.
    pub(super) fn new(
        terms: ChallengeTerms,
        stale: bool,
        capacity: Option<usize>,
        world: World<'_>,
    ) -> Result<Self, Failure> {
        let terms = fitting(terms, stale, capacity)?;
        let now = world.environment.now().map_err(EnvironmentFailure::from)?;
        let mut entropy = [0; 32];
        world.environment.fill(&mut entropy).map_err(EnvironmentFailure::from)?;
        let [nonce, opaque] = halves(entropy);
        let challenge = IssuedChallenge::new(terms, Nonce::new(now, nonce), hash::hex(&opaque));
        let token = challenge.to_bytes(stale).map_err(|_| Misuse::ChallengeTooLong)?;
        Ok(Self { challenge, token })
    }

    /// Issues it: from now on it can be answered.
    pub(super) fn issue(self, world: World<'_>) -> Result<Issued, Failure> {
        let issued = lock(world.sessions).issue(self.challenge, world.configuration.limits.challenges);
        // Entropy that repeats itself is a failure of its source.
        let challenge = issued.ok_or(EnvironmentFailure::Entropy)?;
        Ok((challenge, self.token))
    }
}

/// The terms, if their challenge fits; every nonce and opaque string has the same length.
fn fitting(terms: ChallengeTerms, stale: bool, capacity: Option<usize>) -> Result<ChallengeTerms, Failure> {
    let sample = IssuedChallenge::new(terms, Nonce::new(Timestamp(0), [0; 16]), [b'0'; 32]);
    let needed = sample.to_bytes(stale).map_err(|_| Misuse::ChallengeTooLong)?.len();
    required_room(capacity, needed)?;
    Ok(sample.into_terms())
}

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (half, part) in halves.iter_mut().zip(bytes.chunks_exact(16)) {
        half.copy_from_slice(part);
    }
    halves
}

/// A challenge for who was out of sequence: on the terms of before, with `stale=true`, if there is room for it.
///
/// # Errors
/// Clock or entropy failed, where there is room.
pub(super) fn fresh_if_room(
    terms: &ChallengeTerms,
    capacity: Option<usize>,
    world: World<'_>,
) -> Result<Option<Vec<u8>>, Failure> {
    match fitting(terms.clone(), true, capacity) {
        Ok(terms) => Prepared::new(terms, true, capacity, world)?.issue(world).map(|(_, token)| Some(token)),
        Err(_) => Ok(None),
    }
}
