//! The one lock of this crate: `std`'s, or that of the `shuttle` scheduler under `cfg(shuttle)`.
#![forbid(unsafe_code)]

#[cfg(shuttle)]
pub use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(shuttle))]
pub use std::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

/// Locks, also after a thread panicked while it held the lock.
///
/// Every critical section of this crate leaves its data whole at each point where foreign code
/// (an environment, an account source) could panic, so the data behind a poisoned lock is good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
