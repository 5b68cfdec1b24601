//! The environment of a real process.
#![forbid(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

pub use crate::context::environment::{Environment, EnvironmentError};
use crate::digest::Timestamp;

/// The system's clock and its source of entropy.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| EnvironmentError::Clock)?;
        u64::try_from(since.as_millis()).map(Timestamp).map_err(|_| EnvironmentError::Clock)
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        getrandom::fill(bytes).map_err(|_| EnvironmentError::Entropy)
    }
}
