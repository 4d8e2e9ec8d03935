//! A call by which the cloud creates, changes or deletes a cluster. Of all processes that share the
//! store one at a time makes such a call for a cluster: it takes the cluster's lease in the same
//! write that says what is about to be asked, and gives it back with the outcome. A process that
//! died in between is waited for until nothing of its call can arrive any more.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    openstack::CloudError,
    orchestrator::{
        error::OrchestratorError,
        state::{SharedState, locked_cluster::LockedCluster},
    },
    store::{ClusterRecord, TransitionResult},
};

/// More calls than ever are under way at once.
const MAX_LEASED_CALLS: u32 = 1 << 20;

/// The calls of this process that are under way.
#[derive(Debug)]
pub(crate) struct LeasedCalls(Semaphore);

impl Default for LeasedCalls {
    fn default() -> Self {
        Self(Semaphore::new(MAX_LEASED_CALLS as usize))
    }
}

impl LeasedCalls {
    /// One more; after [`Self::close`] it is waited for without an end.
    async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.0.acquire().await.ok()
    }

    /// Lets no more begin, and waits until those that have begun have their outcomes recorded.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.0.acquire_many(MAX_LEASED_CALLS).await {
            all.forget();
        }
    }
}

/// Makes the call, where `announce` fits the record that it was decided on; `record` what became
/// of it, where the cloud has said so. An answer that was lost leaves the lease to run out for
/// others; this process may ask again.
///
/// # Errors
/// `Outdated`: another process has the lease or has decided something since; the call was not made.
/// Else what the cloud or the store says.
pub(crate) async fn call_with_lease<T>(
    state: &SharedState,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    announce: impl Fn(&mut ClusterRecord) -> TransitionResult,
    call: impl Future<Output = Result<T, CloudError>>,
    record: impl Fn(&mut ClusterRecord, Result<&T, &CloudError>) -> TransitionResult,
) -> Result<(Arc<ClusterRecord>, T), OrchestratorError> {
    let registry = &state.registry;
    let _under_way = state.leased_calls.enter().await;
    let (_, lease) = registry.take_lease(cluster, decided_on, announce).await?;
    let limit = state.limits.leased_call;
    let Ok(outcome) = tokio::time::timeout(limit, call).await else {
        let words = format!("the cloud has not answered within {} s", limit.as_secs());
        return Err(OrchestratorError::cloud(words));
    };
    if let Err(error) = &outcome
        && error.is_transient()
        && !error.is_unacted()
    {
        return Err(error.clone().into());
    }
    let after = registry
        .end_lease(cluster, &lease, |kept| record(kept, outcome.as_ref()))
        .await;
    // The cloud's refusal is what its caller must hear, whatever the store says.
    let answer = outcome?;
    Ok((after?, answer))
}
