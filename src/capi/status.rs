//! How a call ends: one SECURITY_STATUS, also where code of ours panics.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::constants::{SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR};
use super::memory::OutOfMemory;
use super::trace::Recording;
use super::types::SECURITY_STATUS;
use crate::package::Failure;
use crate::status::SecurityStatus;

/// The status of a call that failed; nothing else tells why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed(pub(super) SECURITY_STATUS);

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self(code(failure.status))
    }
}

impl From<OutOfMemory> for Failed {
    fn from(_: OutOfMemory) -> Self {
        Self(SEC_E_INSUFFICIENT_MEMORY)
    }
}

/// The same 32 bits, signed as C has them.
pub(super) fn code(status: SecurityStatus) -> SECURITY_STATUS {
    status.0.cast_signed()
}

/// Runs a call that ends in a status of its own, and records it under the name of its function. A panic ends in
/// SEC_E_INTERNAL_ERROR and never in the caller's frames.
pub(super) fn answer(
    function: &'static str,
    call: impl FnOnce(&mut Recording) -> Result<SecurityStatus, Failed>,
) -> SECURITY_STATUS {
    let mut recording = Recording::begin(function);
    // Whatever a panic leaves behind in the package is whole (`crate::sync::lock`).
    let status = match catch_unwind(AssertUnwindSafe(|| call(&mut recording))) {
        Ok(Ok(status)) => code(status),
        Ok(Err(Failed(status))) => status,
        Err(_) => SEC_E_INTERNAL_ERROR,
    };
    recording.end(status);
    status
}

/// As [`answer`], for a call that succeeds with SEC_E_OK.
pub(super) fn succeed(
    function: &'static str,
    call: impl FnOnce(&mut Recording) -> Result<(), Failed>,
) -> SECURITY_STATUS {
    answer(function, |recording| call(recording).map(|()| SecurityStatus::SEC_E_OK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::SEC_E_OK;

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(answer("Test", |_| panic!("a test panics")), SEC_E_INTERNAL_ERROR);
        assert_eq!(succeed("Test", |_| panic!("a test panics")), SEC_E_INTERNAL_ERROR);
    }

    #[test]
    fn a_status_keeps_its_bits() {
        assert_eq!(answer("Test", |_| Ok(SecurityStatus(0x8009_0312))), 0x8009_0312_u32.cast_signed());
        assert_eq!(answer("Test", |_| Err(OutOfMemory.into())), SEC_E_INSUFFICIENT_MEMORY);
        assert_eq!(succeed("Test", |_| Ok(())), SEC_E_OK);
    }
}
