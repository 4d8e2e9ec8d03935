//! Delete: record what is wanted, ask Heat, and let the background see to the rest.

use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    reconcile::{step::reconcile_once, worker::spawn_worker},
    state::sessions,
    verbs::find::find_cluster,
};

/// Takes the cluster away, in whatever phase it is. Runs to its end even when the request is
/// dropped.
pub(crate) async fn delete_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
) -> Result<(), OrchestratorError> {
    let handle = find_cluster(&context, &caller, &name).await?;
    let cluster = handle.lock().await;
    if !context.state.registry.reload(&cluster).await?.is_live() {
        return Err(OrchestratorError::NotFound(name));
    }
    let owner = caller.user_id();
    let registry = &context.state.registry;
    let record = registry
        .change_record(&cluster, |record| record.request_deletion(owner))
        .await?;
    tracing::info!(cluster.id = %record.id, project.id = %record.project_id, "asked to delete `{name}`");
    let was_deployed = record.spec.is_some()
        || record.stack_id().is_some()
        || record.lifecycle.create_sent_s().is_some();
    if !was_deployed {
        return context.state.registry.drop_record(&cluster).await;
    }
    let step = reconcile_once(&context, &cluster, &caller.session, None).await;
    drop(cluster);
    if let Err(error) = &step {
        tracing::warn!(cluster.id = %record.id, "heat was not asked to delete `{name}` yet: {error}");
    }
    if let Err(OrchestratorError::Unauthorized(words)) = step {
        context.state.sessions.forget_session(&caller.session);
        context
            .state
            .sessions
            .add_waits([sessions::owner_wait(&record)]);
        return Err(OrchestratorError::Unauthorized(words));
    }
    spawn_worker(&context, &handle);
    Ok(())
}
