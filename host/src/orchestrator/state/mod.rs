//! What is known of clusters and of those who use them.
//!
//! Layout
//! - [`view`]: what clients are shown
//! - `refresh`: one poll of Heat for however many ask
//! - `cluster_registry`: clusters in use, over the store; `cluster_table`: by id and name;
//!   `cluster_handle`: one of them
//! - `locked_cluster`: the lock of a cluster, as a value that is passed on
//! - `leased_call`: a call that changes something in the cloud, which one process at a time makes
//! - [`node_access`]: the way to a cluster's nodes (pure)
//! - `observation`: when a cluster was observed last, and who waits
//! - `request_settlement`: what has become of requests by what a record says; `time_left`: how long
//!   what is under way will take, by former runs
//! - `send_failure`: why the cloud has not taken what is to be sent (pure)
//! - `sessions`: the last good token of each user, in memory
//! - `end_watch`: when the ends of clusters are looked at next; `idle_watch`: when their jobs are
//! - [`idle_jobs`]: what nodes tell of a cluster's jobs, together
//! - `recovery_table`: where stacks were looked through for clusters that the store does not know
//! - `group_cache`: groups that were read from the store
//! - `cluster_figures`: what an operator's scrapes are told, as far as it has changed
//! - `cloud_gate`: how much is asked of the cloud at once, for all clusters together
//! - `worker_places`: how many tasks the background work has
//! - `waiting`: what a deletion waits for, in words
//! - [`status`]: what Heat shows, folded into what is remembered (pure)

pub(crate) mod cloud_gate;
pub(crate) mod cluster_figures;
pub(crate) mod cluster_handle;
pub(crate) mod cluster_registry;
mod cluster_table;
pub(crate) mod end_watch;
pub(crate) mod group_cache;
pub mod idle_jobs;
pub(crate) mod idle_watch;
pub(crate) mod leased_call;
pub(crate) mod locked_cluster;
pub mod node_access;
pub(crate) mod observation;
pub(crate) mod recovery_table;
pub(crate) mod refresh;
pub(crate) mod request_settlement;
pub(crate) mod send_failure;
pub(crate) mod sessions;
pub mod status;
pub(crate) mod time_left;
pub mod view;
pub(crate) mod waiting;
pub(crate) mod worker_places;

use super::limits::OrchestratorLimits;
use crate::{store::RecordStore, system::clock::HostClock};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use cloud_gate::{CloudGate, CloudTurn, TurnLimits};
use cluster_handle::ClusterHandle;
use cluster_registry::ClusterRegistry;
use end_watch::EndWatch;
use idle_watch::IdleWatch;
use leased_call::LeasedCalls;
use sessions::{SessionRegistry, TokenWait};
use tokio::sync::Semaphore;
use worker_places::WorkerPlaces;

/// The clusters in use and the sessions of their users.
pub(crate) struct SharedState {
    pub(crate) registry: ClusterRegistry,
    pub(crate) sessions: SessionRegistry,
    pub(crate) limits: OrchestratorLimits,
    pub(crate) clock: HostClock,
    /// Turns of observations.
    pub(crate) looks: CloudGate,
    /// Places of observations that have a turn or wait for one.
    pub(crate) queued_looks: Arc<Semaphore>,
    /// Turns of background work.
    pub(crate) actions: CloudGate,
    /// Background work that there is.
    pub(crate) workers: WorkerPlaces,
    /// Calls that have the cloud change something.
    pub(crate) leased_calls: LeasedCalls,
    /// When ends are looked at next.
    pub(crate) ends: EndWatch,
    /// When the jobs of which cluster are.
    pub(crate) idle: IdleWatch,
    /// Whether somebody lets go of what has had its time.
    pub(crate) is_swept: AtomicBool,
    /// When the journal was looked through last for what has had its time.
    pub(crate) pruned_s: AtomicU64,
}

impl SharedState {
    pub(crate) fn new(
        store: RecordStore,
        limits: OrchestratorLimits,
        clock: HostClock,
        waiting: impl IntoIterator<Item = TokenWait>,
    ) -> Self {
        Self {
            registry: ClusterRegistry::new(store, clock.clone(), &limits),
            sessions: SessionRegistry::new(limits.sessions, waiting),
            looks: CloudGate::new(TurnLimits {
                all: limits.looks,
                region: limits.region_looks,
                project: limits.project_looks,
            }),
            queued_looks: Arc::new(Semaphore::new(limits.queued_looks)),
            actions: CloudGate::new(TurnLimits {
                all: limits.actions,
                region: limits.region_actions,
                project: limits.project_actions,
            }),
            workers: WorkerPlaces::new(limits.workers),
            leased_calls: LeasedCalls::default(),
            ends: EndWatch::default(),
            idle: IdleWatch::default(),
            is_swept: false.into(),
            pruned_s: 0.into(),
            limits,
            clock,
        }
    }

    /// Begins nothing more in the background and has the cloud change nothing more, and waits at most
    /// for `limit` until what is under way, requests among it, has its answers: a process that ends
    /// in the middle of a call leaves a lease behind.
    pub(crate) async fn settle(&self, limit: std::time::Duration) {
        let ended = async {
            // Whoever has a turn may still make a call.
            self.actions.close().await;
            self.leased_calls.close().await;
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(
                "ending while the cloud has not answered; the next process waits for it"
            );
        }
    }

    /// Waits for a turn of background work.
    pub(crate) async fn take_action_turn(&self, handle: &ClusterHandle) -> CloudTurn {
        let record = handle.record();
        self.actions.enter(&record.region, &record.project_id).await
    }
}
