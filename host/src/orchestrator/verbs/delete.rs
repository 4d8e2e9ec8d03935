//! Delete: record what is wanted, ask Heat, and let the background see to the rest. What Heat refuses
//! is withdrawn, and a deletion that waits for somebody is tried again by whoever asks next.

use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    reconcile::{
        step::reconcile_once,
        worker::{mark_blocked, spawn_worker, withdraw_deletion},
    },
    requeue::Requeue,
    state::{cluster_handle::ClusterHandle, locked_cluster::LockedCluster},
    verbs::find::{find_cluster, find_waiting_deletion},
};
use crate::store::{ClusterRecord, deletion_transitions::MAX_DELETION_WISHES};

/// What became of a wish to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletionAnswer {
    /// Nothing is left: there was nothing in the cloud.
    Gone,
    /// Heat has taken it.
    Taken,
    /// It is recorded, and Heat has not taken it yet, for this reason.
    Recorded(String),
}

/// Takes the cluster away, in whatever phase it is. Runs to its end even when the request is
/// dropped.
pub(super) async fn delete_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
) -> Result<DeletionAnswer, OrchestratorError> {
    match find_cluster(&context, &caller, &name).await {
        Ok(handle) => {
            let cluster = handle.lock().await;
            let record = context.state.registry.reload(&cluster).await?;
            if record.is_live() {
                return delete_living(&context, &caller, &cluster, &record).await;
            }
        }
        Err(OrchestratorError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let deleting = find_waiting_deletion(&context, &caller, &name).await?;
    let (handle, _) = deleting.ok_or(OrchestratorError::NotFound(name))?;
    retry_deletion(&context, &caller, &handle).await
}

async fn delete_living(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
) -> Result<DeletionAnswer, OrchestratorError> {
    let (owner, registry) = (caller.user_id(), &context.state.registry);
    let was_deployed = decided_on.spec.is_some()
        || decided_on.stack_id().is_some()
        || decided_on.lifecycle.create_sent_s().is_some();
    if was_deployed && decided_on.is_anothers(owner) {
        return delete_anothers(context, caller, cluster, decided_on).await;
    }
    let record = registry
        .change_record(cluster, decided_on, |record| record.request_deletion(owner))
        .await?;
    cluster.set_withdrawn(None);
    cluster.clear_volunteers();
    tracing::info!(cluster.id = %record.id, project.id = %record.project_id, "asked to delete `{}`", record.name);
    if !was_deployed {
        return match registry.drop_record(cluster, &record).await {
            // Another process may have dropped it.
            Ok(()) | Err(OrchestratorError::NotFound(_)) => Ok(DeletionAnswer::Gone),
            // What is wanted is recorded, and the background sees to it.
            Err(error) => {
                spawn_worker(context, cluster);
                Ok(DeletionAnswer::Recorded(error.to_string()))
            }
        };
    }
    let step = reconcile_once(context, cluster, &caller.session, None).await;
    if let Err(failed) = &step
        && cluster.record().lifecycle.is_deletion_undecided()
        && failed.is_refusal()
    {
        if let Err(error) = withdraw_deletion(context, cluster, failed).await {
            if matches!(error, OrchestratorError::Conflict(_)) {
                mark_blocked(context, cluster, &error).await;
            }
            spawn_worker(context, cluster);
            return Err(error);
        }
        // A change that was under way goes on.
        spawn_worker(context, cluster);
    }
    conclude(context, caller, cluster, step)
}

/// Has Heat decide whether the caller may delete what somebody else has asked for; until it has, the
/// cluster stays what it is and whose it is, for everybody to see, and the wish is remembered.
async fn delete_anothers(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
) -> Result<DeletionAnswer, OrchestratorError> {
    let (user, registry) = (caller.user_id(), &context.state.registry);
    let wishes = &decided_on.deletion_wishes;
    if !wishes.contains(user) && wishes.len() >= MAX_DELETION_WISHES {
        return Err(OrchestratorError::TooMany(format!(
            "{MAX_DELETION_WISHES} others have asked to delete `{}`, and heat has answered none of them; ask again when it has",
            decided_on.name
        )));
    }
    let wish = |record: &mut ClusterRecord| record.wish_deletion(user);
    let record = registry.change_record(cluster, decided_on, wish).await?;
    cluster.set_withdrawn(None);
    tracing::info!(cluster.id = %record.id, project.id = %record.project_id, "asked to delete `{}`, which is another user's", record.name);
    let step = reconcile_once(context, cluster, &caller.session, None).await;
    if step.as_ref().is_err_and(OrchestratorError::is_refusal) {
        // Whoever has asked is told.
        cluster.set_withdrawn(None);
    }
    conclude(context, caller, cluster, step)
}

/// Asks Heat once more to delete what is left of a cluster, with the caller's token. The wish stays
/// its owner's until Heat has taken it from the caller.
async fn retry_deletion(
    context: &Arc<Context>,
    caller: &Caller,
    handle: &Arc<ClusterHandle>,
) -> Result<DeletionAnswer, OrchestratorError> {
    let cluster = handle.lock().await;
    let registry = &context.state.registry;
    let before = registry.reload(&cluster).await?;
    if before.blocked_reason().is_some() {
        let retry = ClusterRecord::retry_deletion;
        registry.change_record(&cluster, &before, retry).await?;
    }
    cluster.add_volunteer(caller.user_id());
    tracing::info!(cluster.id = %before.id, "asked once more to delete `{}`", before.name);
    let step = reconcile_once(context, &cluster, &caller.session, None).await;
    if step.as_ref().is_err_and(OrchestratorError::is_refusal) {
        cluster.drop_volunteer(caller.user_id());
        if let Some(reason) = before.blocked_reason() {
            let blocked = |record: &mut ClusterRecord| record.mark_blocked(reason);
            let now = cluster.record();
            registry.change_record(&cluster, &now, blocked).await?;
        }
    }
    conclude(context, caller, &cluster, step)
}

/// What the caller is told, and what goes on in the background.
fn conclude(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    step: Result<Requeue, OrchestratorError>,
) -> Result<DeletionAnswer, OrchestratorError> {
    let record = cluster.record();
    let answer = match step {
        Err(error) if error.is_refusal() => return Err(error),
        Err(OrchestratorError::Unauthorized(words)) => {
            context.state.sessions.forget_session(&caller.session);
            // A newer one may have come meanwhile; otherwise the worker notes who is waited for.
            spawn_worker(context, cluster);
            return Err(OrchestratorError::Unauthorized(words));
        }
        Err(error) => {
            tracing::warn!(cluster.id = %record.id, "heat was not asked to delete `{}` yet: {error}", record.name);
            DeletionAnswer::Recorded(error.to_string())
        }
        Ok(Requeue::Gone) => DeletionAnswer::Gone,
        Ok(_) if context.state.registry.is_leased_elsewhere(cluster, &record) => {
            DeletionAnswer::Recorded("another process is at work on it".to_owned())
        }
        Ok(_) if record.is_live() => {
            DeletionAnswer::Recorded("a create of its stack may still arrive at heat".to_owned())
        }
        Ok(_) => DeletionAnswer::Taken,
    };
    spawn_worker(context, cluster);
    Ok(answer)
}
