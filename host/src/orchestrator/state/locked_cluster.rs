//! The lock of a cluster as a value: whoever holds it is the only one in this process that changes
//! the cluster's record or asks Heat to create, update or delete its stack. Functions that need
//! the lock take [`LockedCluster`], so that the compiler sees to it that it is held.
//!
//! Observations need no lock: they only fold what Heat shows into the record
//! ([`ClusterRegistry::fold_observation`](super::cluster_registry::ClusterRegistry::fold_observation)).

use std::{ops::Deref, sync::Arc};

use tokio::sync::MutexGuard;

use super::cluster_handle::ClusterHandle;

/// A cluster whose lock is held until this value is dropped. Of two deploys at once one makes the
/// stack, and the other one finds it.
pub(crate) struct LockedCluster<'a> {
    handle: &'a Arc<ClusterHandle>,
    _guard: MutexGuard<'a, ()>,
}

impl ClusterHandle {
    /// Waits for the lock. What was read of the record before may be old by then: reload it.
    pub(crate) async fn lock(self: &Arc<Self>) -> LockedCluster<'_> {
        LockedCluster {
            handle: self,
            _guard: self.turn.lock().await,
        }
    }

    /// The lock, where nobody holds it.
    pub(crate) fn try_lock(self: &Arc<Self>) -> Option<LockedCluster<'_>> {
        let guard = self.turn.try_lock().ok()?;
        Some(LockedCluster {
            handle: self,
            _guard: guard,
        })
    }
}

impl Deref for LockedCluster<'_> {
    type Target = Arc<ClusterHandle>;

    fn deref(&self) -> &Self::Target {
        self.handle
    }
}
