//! Somebody whose cluster it is not wants it gone. The record stays what it is until Heat has
//! answered: only what Heat takes from them deletes the cluster, and only Heat's refusal ends the
//! wish.

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    requeue::Requeue,
    state::{leased_call::call_with_lease, locked_cluster::LockedCluster},
};
use crate::{
    openstack::{CloudSession, HeatStack, StackId},
    store::ClusterRecord,
};

/// An id that no stack has. Heat looks for a stack only after it has looked whether the user may
/// delete any: 403 for who may not, 404 for who may.
const NO_STACK: &str = "00000000-0000-0000-0000-000000000000";

/// Has Heat decide for the user of this session. `shown` is the cluster's stack, where there is one.
///
/// # Errors
/// Heat's refusal, which has dropped the wish; or that Heat has not answered.
pub(crate) async fn decide_wish(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
    shown: Option<&HeatStack>,
) -> Result<Requeue, OrchestratorError> {
    let user = session.user().id.as_str();
    let stack_id = shown.map(|shown| shown.id.as_str());
    let stack = StackId {
        name: record.stack_name.clone(),
        id: stack_id.unwrap_or(NO_STACK).to_owned(),
    };
    let asked = call_with_lease(
        &context.state,
        cluster,
        record,
        |_| Ok(()),
        session.delete_stack(&stack),
        |record, answer| match answer {
            Ok(()) => record.fulfil_deletion_wish(user, stack_id),
            Err(_) => Ok(()),
        },
    );
    let (record, ()) = Box::pin(asked).await?;
    context.change_plans.remove(&record.id);
    tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}` is deleted as user {user} has asked", record.name);
    if stack_id.is_some() {
        return Ok(Requeue::Later(context.state.limits.follow_every));
    }
    context.state.registry.drop_record(cluster, &record).await?;
    Ok(Requeue::Gone)
}

/// Forgets the wish that Heat has refused: the cluster is what it was all the time, and shows why,
/// from the moment on that the wish is gone.
pub(crate) async fn drop_refused_wish(
    context: &Context,
    cluster: &LockedCluster<'_>,
    session: &CloudSession,
    error: OrchestratorError,
) -> OrchestratorError {
    if !error.is_refusal() {
        return error;
    }
    let (record, user) = (cluster.record(), session.user().id.as_str());
    let drop_wish = |record: &mut ClusterRecord| record.drop_deletion_wish(user);
    cluster.set_withdrawn(Some(format!(
        "user {user} has asked to delete it, which was withdrawn: {error}"
    )));
    let registry = &context.state.registry;
    match registry.change_record(cluster, &record, drop_wish).await {
        Ok(record) => {
            tracing::warn!(cluster.id = %record.id, "`{}` is not deleted as user {user} has asked: {error}", record.name);
            error
        }
        Err(failed) => {
            cluster.set_withdrawn(None);
            failed
        }
    }
}
