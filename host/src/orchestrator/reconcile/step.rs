//! The hands: they take one step at a time, as [`decide`](super::decide) says, record each intent
//! before acting on it, and go on in the background with what a request cannot wait for: a create
//! whose answer was lost, a delete until nothing is left.

use std::time::Duration;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    locks::now_s,
    planning::plan_deploy::plan_deploy,
    reconcile::decide::{self, ReconcileAction, RecordFacts, StackObservation},
    requeue::Requeue,
    rollout::execute::advance_rollout,
    stack::stack_request,
    state::{cluster_registry::ClusterHandle, sessions, status},
};
use crate::{
    cluster::{DesiredState, LifecyclePhase},
    openstack::{CloudSession, CreateStack, StackId},
    store::ClusterRecord,
};

/// Takes the one next step. The caller holds the cluster's turn. `checked` is what to create, where
/// Heat has checked it already.
pub(crate) async fn reconcile_once(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    checked: Option<CreateStack>,
) -> Result<Requeue, OrchestratorError> {
    let record = context.state.registry.reload(entity).await?;
    if record.wish == DesiredState::Deploy && record.stack_id.is_some() && record.change.is_some() {
        return advance_rollout(context, entity, session).await;
    }
    // The first create of a cluster needs no look for an older one: nobody has asked for a stack of
    // this name yet.
    let shown = if checked.is_some() && record.create_sent_s.is_none() {
        None
    } else {
        find_stack(session, &record).await?
    };
    let sight = match &shown {
        None => StackObservation::Absent,
        Some(shown)
            if record.stack_id.is_none() && !stack_request::is_ours(&record, &shown.tags) =>
        {
            StackObservation::Foreign
        }
        Some(shown) => StackObservation::Ours(&shown.status),
    };
    let sent = record.create_sent_s.filter(|_| record.stack_id.is_none());
    let in_flight = sent.is_some_and(|sent| {
        now_s().saturating_sub(sent) < context.state.limits.create_grace.as_secs()
    });
    let known = RecordFacts {
        wish: record.wish,
        has_stack: record.stack_id.is_some(),
        create_in_flight: in_flight,
        deletes: record.deletes,
    };
    if record.wish == DesiredState::Delete && !matches!(sight, StackObservation::Foreign) {
        record_status(context, entity, shown.as_ref()).await?;
    }
    match (
        decide::next_action(known, sight, context.state.limits.deletes),
        shown,
    ) {
        (ReconcileAction::Create | ReconcileAction::Delete, _)
            if !sessions::may_act(session, &record) =>
        {
            Ok(Requeue::Owner)
        }
        (ReconcileAction::Create, _) => {
            create_stack(context, entity, session, &record, checked).await
        }
        (ReconcileAction::Adopt, Some(shown)) => {
            adopt_stack(context, entity, &shown.id, &shown.status).await
        }
        (ReconcileAction::Delete, Some(shown)) => {
            delete_stack(
                context,
                entity,
                session,
                &StackId {
                    name: shown.name,
                    id: shown.id,
                },
                &shown.status,
            )
            .await
        }
        (ReconcileAction::Wait, _) => Ok(Requeue::Later(context.state.limits.follow_every)),
        (ReconcileAction::Forget, _) => {
            context.state.registry.drop_record(entity).await?;
            tracing::info!(cluster.id = %record.id, "nothing is left of `{}`", record.name);
            Ok(Requeue::Gone)
        }
        (ReconcileAction::Conflict, _) => {
            let words = format!(
                "a stack named `{}` is there that is not this cluster's; delete it or the cluster",
                record.stack_name
            );
            Err(OrchestratorError::Conflict(words))
        }
        (ReconcileAction::GiveUp, Some(shown)) => {
            let words = format!(
                "heat failed {} times to delete stack `{}`: {}; delete it by hand, or restart stampede to try again",
                record.deletes, shown.name, shown.status_reason
            );
            Err(OrchestratorError::Conflict(words))
        }
        (ReconcileAction::Lost, _) => {
            let seen = status::mark_gone(&record.seen);
            context
                .state
                .registry
                .change_record(entity, |record| record.seen.clone_from(&seen))
                .await?;
            Ok(Requeue::Done)
        }
        (
            ReconcileAction::Rest
            | ReconcileAction::Adopt
            | ReconcileAction::Delete
            | ReconcileAction::GiveUp,
            _,
        ) => Ok(Requeue::Done),
    }
}

/// What is seen of the stack by the way is kept for those who look at the cluster.
async fn record_status(
    context: &Context,
    entity: &ClusterHandle,
    shown: Option<&crate::openstack::HeatStack>,
) -> Result<(), OrchestratorError> {
    let Some(shown) = shown else { return Ok(()) };
    let change = |record: &mut ClusterRecord| {
        record.seen.status = Some(shown.status.clone());
        record.seen.reason.clone_from(&shown.status_reason);
    };
    context.state.registry.change_record(entity, change).await?;
    entity.look.record_contact(None);
    Ok(())
}

/// The stack of this record, by id where it is known, else by name.
async fn find_stack(
    session: &CloudSession,
    record: &ClusterRecord,
) -> Result<Option<crate::openstack::HeatStack>, OrchestratorError> {
    let shown = match &record.stack_id {
        Some(id) => session
            .show_stack(&StackId {
                name: record.stack_name.clone(),
                id: id.clone(),
            })
            .await
            .map(Some),
        None => session.find_stack(&record.stack_name).await,
    };
    match shown {
        Err(error) if error.is_not_found() => Ok(None),
        other => Ok(other?),
    }
}

async fn create_stack(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    record: &ClusterRecord,
    checked: Option<CreateStack>,
) -> Result<Requeue, OrchestratorError> {
    let request = match (checked, &record.spec) {
        (Some(request), _) => request,
        (None, Some(spec)) => {
            let planner = context.planner.as_ref();
            let chain = planner
                .order_plugins(spec)
                .map_err(OrchestratorError::Invalid)?;
            let made = plan_deploy(planner, session, spec, &chain).await?;
            stack_request::build_stack_request(record, &context.host, &made.planned)
        }
        (None, None) => {
            return Err(OrchestratorError::Internal(format!(
                "the record of `{}` holds no plan; delete the cluster",
                record.name
            )));
        }
    };
    context
        .state
        .registry
        .change_record(entity, |record| record.create_sent_s = Some(now_s()))
        .await?;
    match session.create_stack(&request).await {
        Ok(id) => {
            tracing::info!(cluster.id = %record.id, stack.id = %id.id, "created stack `{}` for `{}`", id.name, record.name);
            adopt_stack(context, entity, &id.id, "CREATE_IN_PROGRESS").await
        }
        Err(error) => {
            tracing::warn!(cluster.id = %record.id, "no stack for `{}`: {error}", record.name);
            entity.look.record_contact(Some(error.to_string()));
            if !error.is_transient() || error.is_unacted() {
                context
                    .state
                    .registry
                    .change_record(entity, |record| record.create_sent_s = None)
                    .await?;
            }
            Err(error.into())
        }
    }
}

async fn adopt_stack(
    context: &Context,
    entity: &ClusterHandle,
    id: &str,
    status: &str,
) -> Result<Requeue, OrchestratorError> {
    let change = |record: &mut ClusterRecord| {
        record.stack_id = Some(id.to_owned());
        record.create_sent_s = None;
        record.stuck = None;
        record.seen.status.get_or_insert_with(|| status.to_owned());
        if record.phase == LifecyclePhase::Initialised {
            record.phase = LifecyclePhase::Deployed;
        }
    };
    let record = context.state.registry.change_record(entity, change).await?;
    entity.look.record_contact(None);
    Ok(if record.wish == DesiredState::Delete {
        Requeue::Later(Duration::ZERO)
    } else {
        Requeue::Done
    })
}

async fn delete_stack(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    id: &StackId,
    status: &str,
) -> Result<Requeue, OrchestratorError> {
    let failed = status == "DELETE_FAILED";
    let change = |record: &mut ClusterRecord| {
        record.stack_id = Some(id.id.clone());
        record.deletes = if failed {
            record.deletes + 1
        } else {
            record.deletes.max(1)
        };
    };
    let record = context.state.registry.change_record(entity, change).await?;
    session.delete_stack(id).await?;
    tracing::info!(cluster.id = %record.id, stack.id = %id.id, "asked heat to delete `{}`, which was {status}", record.name);
    Ok(Requeue::Later(if failed {
        context.state.limits.pause(record.deletes)
    } else {
        context.state.limits.follow_every
    }))
}
