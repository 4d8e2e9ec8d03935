//! One cluster in use: its record, its lock and its last observation, shared by all that work on it
//! in this process. Asks no cloud and no store.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::orchestrator::{
    locks::lock_mutex,
    state::{observation::RefreshState, status::needs_reconcile},
};
use crate::{openstack::CloudSession, store::ClusterRecord};

/// One cluster in use.
#[derive(Debug)]
pub(crate) struct ClusterHandle {
    /// Taken by [`ClusterHandle::lock`] only.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// The last observation.
    pub(crate) refresh: RefreshState,
    /// Whether a background task takes care of it.
    pub(crate) has_worker: std::sync::atomic::AtomicBool,
    /// The session with which a service forbade what is wanted, and its words; the same is not
    /// tried again in the background.
    pub(crate) forbidden: Mutex<Option<(CloudSession, Arc<str>)>>,
    record: RwLock<Arc<ClusterRecord>>,
}

impl ClusterHandle {
    pub(super) fn new(record: ClusterRecord) -> Arc<Self> {
        let record = RwLock::new(Arc::new(record));
        Arc::new(Self {
            turn: tokio::sync::Mutex::new(()),
            refresh: RefreshState::default(),
            has_worker: false.into(),
            forbidden: Mutex::default(),
            record,
        })
    }

    /// Its record, as this process read or wrote it last.
    pub(crate) fn record(&self) -> Arc<ClusterRecord> {
        Arc::clone(&self.record.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What keeps the cluster from going on until another token comes: the words of the service
    /// that forbade it.
    pub(crate) fn rejection_reason(&self, record: &ClusterRecord) -> Option<Arc<str>> {
        lock_mutex(&self.forbidden)
            .as_ref()
            .filter(|_| needs_reconcile(record))
            .map(|(_, words)| Arc::clone(words))
    }

    /// Whether a service has forbidden this session what the cluster needs.
    pub(crate) fn is_forbidden(&self, session: &CloudSession) -> bool {
        lock_mutex(&self.forbidden)
            .as_ref()
            .is_some_and(|(forbidden, _)| forbidden.is_same_token(session))
    }

    /// Takes a record that was read or written, where it is not older than the one that is held.
    pub(super) fn set(&self, record: ClusterRecord) -> Arc<ClusterRecord> {
        let mut slot = self.record.write().unwrap_or_else(PoisonError::into_inner);
        // Another writer of this process may have been faster to take the lock with what it wrote
        // later.
        if record.revision >= slot.revision {
            *slot = Arc::new(record);
        }
        Arc::clone(&slot)
    }
}
