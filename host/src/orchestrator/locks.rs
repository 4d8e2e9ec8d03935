//! Locks that outlive a panic of their holder. Ground of the orchestrator.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock whose holder panicked guards plain maps that are whole at every step.
pub(crate) fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
