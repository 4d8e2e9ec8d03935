//! What is known of clusters and of those who use them.
//!
//! Layout
//! - [`view`]: what clients are shown
//! - `refresh`: one poll of Heat for however many ask
//! - `cluster_registry`: clusters in use, over the store; `cluster_handle`: one of them
//! - `locked_cluster`: the lock of a cluster, as a value that is passed on
//! - `leased_call`: a call that changes something in the cloud, which one process at a time makes
//! - [`node_access`]: the way to a cluster's nodes (pure)
//! - `observation`: when a cluster was observed last, and who waits
//! - `sessions`: the last good token of each user, in memory
//! - `recovery_table`: where stacks were looked through for clusters that the store does not know
//! - `group_cache`: groups that were read from the store
//! - `cloud_gate`: how much is asked of the cloud at once, for all clusters together
//! - `waiting`: what a deletion waits for, in words
//! - [`status`]: what Heat shows, folded into what is remembered (pure)

pub(crate) mod cloud_gate;
pub(crate) mod cluster_handle;
pub(crate) mod cluster_registry;
pub(crate) mod group_cache;
pub(crate) mod leased_call;
pub(crate) mod locked_cluster;
pub mod node_access;
pub(crate) mod observation;
pub(crate) mod recovery_table;
pub(crate) mod refresh;
pub(crate) mod sessions;
pub mod status;
pub mod view;
pub(crate) mod waiting;

use super::limits::OrchestratorLimits;
use crate::system::clock::HostClock;
use cloud_gate::{CloudGate, CloudTurn, WorkerCount};
use cluster_handle::ClusterHandle;
use cluster_registry::ClusterRegistry;
use sessions::SessionRegistry;

/// The clusters in use and the sessions of their users.
pub(crate) struct SharedState {
    pub(crate) registry: ClusterRegistry,
    pub(crate) sessions: SessionRegistry,
    pub(crate) limits: OrchestratorLimits,
    pub(crate) clock: HostClock,
    /// Turns of observations.
    pub(crate) looks: CloudGate,
    /// Turns of background work.
    pub(crate) actions: CloudGate,
    /// Background work that there is.
    pub(crate) workers: WorkerCount,
}

impl SharedState {
    /// Waits for a turn of background work.
    pub(crate) async fn take_action_turn(&self, handle: &ClusterHandle) -> CloudTurn {
        self.actions.enter(&handle.record().project_id).await
    }
}
