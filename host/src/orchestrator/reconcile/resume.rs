//! Goes on with what is pending in a project, as soon as somebody is there whose login may do it.

use std::sync::Arc;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    reconcile::{cluster_ends, idle_ends, worker::spawn_worker},
    state::status::needs_reconcile,
};
use crate::store::ClusterRecord;

/// After a restart, or once a project has a good token again: goes on with what is pending there.
pub(crate) async fn resume_project(
    context: &Arc<Context>,
    project_id: &str,
) -> Result<(), OrchestratorError> {
    let now_s = context.state.clock.unix_now_s();
    let is_unfinished = |record: &ClusterRecord| {
        needs_reconcile(record)
            || !record.is_live()
            || record.is_overdue(now_s)
            || record.idle.is_some()
    };
    let registry = &context.state.registry;
    for handle in registry.list_needed(project_id, is_unfinished).await? {
        let record = handle.record();
        if !record.is_live() && record.blocked_reason().is_some() {
            let cluster = handle.lock().await;
            let retry = ClusterRecord::retry_deletion;
            match registry.change_record(&cluster, &record, retry).await {
                // Somebody else has gone on with it.
                Ok(_) | Err(OrchestratorError::Outdated(_) | OrchestratorError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if record.is_overdue(now_s) {
            match cluster_ends::follow_end(context, &handle).await {
                Ok(()) | Err(OrchestratorError::Outdated(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if record.is_idle_overdue(now_s) {
            match idle_ends::follow_cluster(context, &handle).await {
                Ok(()) | Err(OrchestratorError::Outdated(_) | OrchestratorError::NotFound(_)) => {}
                // It is looked at again with all others.
                Err(error) => {
                    tracing::warn!(cluster.id = %record.id, "cannot look whether jobs run: {error}");
                }
            }
        } else if record.idle.is_some() {
            context.state.idle.forget(&record.id);
            context.state.ends.look_now();
        }
        if needs_reconcile(&handle.record()) {
            tracing::info!(cluster.id = %record.id, "going on with `{}`", record.name);
            spawn_worker(context, &handle);
        }
    }
    Ok(())
}
