//! The hands: they take one step at a time, as [`decide`](super::decide) says, record each intent
//! before acting on it, and go on in the background with what a request cannot wait for: a create
//! whose answer was lost, a delete until nothing is left.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Context, OrchestratorError,
    cluster_registry::{ClusterHandle, lock_mutex, now_s},
    decide::{self, ReconcileAction, RecordFacts, StackObservation},
    deploy,
    planner::StackPlan,
    rollout, sessions, stack_request, status,
};
use crate::{
    cluster::{DesiredState, LifecyclePhase},
    metrics::WorkOutcome,
    openstack::{CloudSession, StackId},
    store::ClusterRecord,
    system::clock::monotonic_now,
};

/// What is left to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requeue {
    /// Nothing.
    Done,
    /// Look again after this pause.
    Later(Duration),
    /// The owner's token must do the rest.
    Owner,
    /// Nothing is left of the cluster, its record among it.
    Gone,
}

/// Takes the one next step. The caller holds the cluster's turn. `planned` is what to create, where
/// it is known already.
pub(super) async fn reconcile_once(
    inner: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    planned: Option<StackPlan>,
) -> Result<Requeue, OrchestratorError> {
    let record = inner.book.reload(entity).await?;
    if record.wish == DesiredState::Deploy && record.stack_id.is_some() && record.change.is_some() {
        return rollout::advance_rollout(inner, entity, session).await;
    }
    // The first create of a cluster needs no look for an older one: nobody has asked for a stack of
    // this name yet.
    let shown = if planned.is_some() && record.create_sent_s.is_none() {
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
    let in_flight =
        sent.is_some_and(|sent| now_s().saturating_sub(sent) < inner.limits.create_grace.as_secs());
    let known = RecordFacts {
        wish: record.wish,
        has_stack: record.stack_id.is_some(),
        create_in_flight: in_flight,
        deletes: record.deletes,
    };
    if record.wish == DesiredState::Delete && !matches!(sight, StackObservation::Foreign) {
        record_status(inner, entity, shown.as_ref()).await?;
    }
    match (
        decide::next_action(known, sight, inner.limits.deletes),
        shown,
    ) {
        (ReconcileAction::Create | ReconcileAction::Delete, _)
            if !sessions::may_act(session, &record) =>
        {
            Ok(Requeue::Owner)
        }
        (ReconcileAction::Create, _) => {
            create_stack(inner, entity, session, &record, planned).await
        }
        (ReconcileAction::Adopt, Some(shown)) => {
            adopt_stack(inner, entity, &shown.id, &shown.status).await
        }
        (ReconcileAction::Delete, Some(shown)) => {
            delete_stack(
                inner,
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
        (ReconcileAction::Wait, _) => Ok(Requeue::Later(inner.limits.follow_every)),
        (ReconcileAction::Forget, _) => {
            inner.book.drop_record(entity).await?;
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
            inner
                .book
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
    inner: &Context,
    entity: &ClusterHandle,
    shown: Option<&crate::openstack::HeatStack>,
) -> Result<(), OrchestratorError> {
    let Some(shown) = shown else { return Ok(()) };
    let change = |record: &mut ClusterRecord| {
        record.seen.status = Some(shown.status.clone());
        record.seen.reason.clone_from(&shown.status_reason);
    };
    inner.book.change_record(entity, change).await?;
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
    inner: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    record: &ClusterRecord,
    planned: Option<StackPlan>,
) -> Result<Requeue, OrchestratorError> {
    let planned = match (planned, &record.spec) {
        (Some(planned), _) => planned,
        (None, Some(spec)) => deploy::plan_deploy(inner, session, spec).await?.1,
        (None, None) => {
            return Err(OrchestratorError::Internal(format!(
                "the record of `{}` holds no plan; delete the cluster",
                record.name
            )));
        }
    };
    inner
        .book
        .change_record(entity, |record| record.create_sent_s = Some(now_s()))
        .await?;
    match session
        .create_stack(&stack_request::build_stack_request(
            record,
            &inner.host,
            &planned,
            &Default::default(),
        ))
        .await
    {
        Ok(id) => {
            tracing::info!(cluster.id = %record.id, stack.id = %id.id, "created stack `{}` for `{}`", id.name, record.name);
            adopt_stack(inner, entity, &id.id, "CREATE_IN_PROGRESS").await
        }
        Err(error) => {
            tracing::warn!(cluster.id = %record.id, "no stack for `{}`: {error}", record.name);
            entity.look.record_contact(Some(error.to_string()));
            if !error.is_transient() || error.is_unacted() {
                inner
                    .book
                    .change_record(entity, |record| record.create_sent_s = None)
                    .await?;
            }
            Err(error.into())
        }
    }
}

async fn adopt_stack(
    inner: &Context,
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
    let record = inner.book.change_record(entity, change).await?;
    entity.look.record_contact(None);
    Ok(if record.wish == DesiredState::Delete {
        Requeue::Later(Duration::ZERO)
    } else {
        Requeue::Done
    })
}

async fn delete_stack(
    inner: &Context,
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
    let record = inner.book.change_record(entity, change).await?;
    session.delete_stack(id).await?;
    tracing::info!(cluster.id = %record.id, stack.id = %id.id, "asked heat to delete `{}`, which was {status}", record.name);
    Ok(Requeue::Later(if failed {
        inner.limits.pause(record.deletes)
    } else {
        inner.limits.follow_every
    }))
}

/// Whether something is left to do that no request waits for.
pub(super) fn needs_reconcile(record: &ClusterRecord) -> bool {
    let open = match record.wish {
        DesiredState::None => false,
        DesiredState::Deploy => record.stack_id.is_none() || record.change.is_some(),
        DesiredState::Delete => true,
    };
    open && record.stuck.is_none()
}

/// One step for somebody who looks and cannot wait for the background; none when somebody else is
/// at it, or was a moment ago.
pub(super) async fn reconcile_if_idle(
    inner: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
) {
    if !needs_reconcile(&entity.record()) || entity.look.is_fresh(inner.limits.observe_every) {
        return;
    }
    let Ok(_turn) = entity.turn.try_lock() else {
        return;
    };
    if let Err(error) = reconcile_once(inner, entity, session, None).await {
        entity.look.record_contact(Some(error.to_string()));
    }
}

/// How a run in the background ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkerExit {
    /// Nothing is left to do, or only a person can help.
    Done,
    /// Nothing is left of the cluster.
    Gone,
    /// No token of the project is left.
    NoToken,
    /// Only another token of the owner's would do.
    Owner,
}

/// Takes care of the cluster in the background until nothing is left to do, or no token is left to
/// do it with.
pub(super) fn spawn_worker(inner: &Arc<Context>, entity: &Arc<ClusterHandle>) {
    *lock_mutex(&entity.forbidden) = None;
    if entity.followed.swap(true, Ordering::AcqRel) {
        return;
    }
    let (inner, entity) = (Arc::clone(inner), Arc::clone(entity));
    tokio::spawn(async move {
        loop {
            let end = run_worker(&inner, &entity).await;
            entity.followed.store(false, Ordering::Release);
            // A wish or a token may have come while the run ended.
            if !should_continue(&inner, &entity, end)
                || entity.followed.swap(true, Ordering::AcqRel)
            {
                return;
            }
        }
    });
}

fn should_continue(inner: &Context, entity: &ClusterHandle, end: WorkerExit) -> bool {
    let record = entity.record();
    let session = || {
        inner
            .sessions
            .session_for(&record)
            .filter(|session| !is_forbidden(entity, session))
    };
    let is_served = match end {
        WorkerExit::Gone => false,
        WorkerExit::Done => true,
        WorkerExit::NoToken => session().is_some(),
        WorkerExit::Owner => session().is_some_and(|session| sessions::may_act(&session, &record)),
    };
    is_served && needs_reconcile(&record)
}

/// What keeps the cluster from going on until another token comes.
pub(super) fn rejection_reason(entity: &ClusterHandle, record: &ClusterRecord) -> Option<Arc<str>> {
    lock_mutex(&entity.forbidden)
        .as_ref()
        .filter(|_| needs_reconcile(record))
        .map(|(_, words)| Arc::clone(words))
}

fn is_forbidden(entity: &ClusterHandle, session: &CloudSession) -> bool {
    lock_mutex(&entity.forbidden)
        .as_ref()
        .is_some_and(|(forbidden, _)| forbidden.is_same_token(session))
}

async fn run_worker(inner: &Context, entity: &ClusterHandle) -> WorkerExit {
    let mut failures = 0;
    while needs_reconcile(&entity.record()) {
        let record = entity.record();
        let Some(session) = inner.sessions.session_for(&record) else {
            inner.sessions.add_waits(sessions::any_and_owner(&record));
            return WorkerExit::NoToken;
        };
        let after = if is_forbidden(entity, &session) {
            Ok(Requeue::Owner)
        } else {
            let _turn = entity.turn.lock().await;
            let start = monotonic_now();
            let after = reconcile_once(inner, entity, &session, None).await;
            let outcome = WorkOutcome::of_result(&after);
            inner.metrics.observe_reconcile(outcome, start.elapsed());
            after
        };
        let pause = match after {
            Ok(Requeue::Done) => return WorkerExit::Done,
            Ok(Requeue::Gone) | Err(OrchestratorError::NotFound(_)) => return WorkerExit::Gone,
            Ok(Requeue::Owner) => {
                inner.sessions.add_waits([sessions::owner_wait(&record)]);
                return WorkerExit::Owner;
            }
            Ok(Requeue::Later(pause)) => {
                failures = 0;
                pause
            }
            // Another token may do: the wish stands until it comes.
            Err(error @ (OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_))) => {
                reject_session(inner, entity, &session, &error);
                continue;
            }
            // Nobody is told of a delete that is given up, so it is never given up for a cloud that
            // is away.
            Err(
                OrchestratorError::Cloud(_)
                | OrchestratorError::Internal(_)
                | OrchestratorError::Busy { .. },
            ) if failures < inner.limits.creates
                || entity.record().wish == DesiredState::Delete
                || entity.record().change.is_some() =>
            {
                failures = failures.saturating_add(1);
                inner.limits.pause(failures - 1)
            }
            Err(error) => {
                mark_blocked(inner, entity, &error).await;
                return WorkerExit::Done;
            }
        };
        tokio::time::sleep(pause).await;
    }
    WorkerExit::Done
}

/// A token that ended is of no more use to anyone; one that may not do what this cluster needs may
/// still serve others.
fn reject_session(
    inner: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    error: &OrchestratorError,
) {
    let record = entity.record();
    tracing::warn!(cluster.id = %record.id, "`{}` waits for another token of its owner: {error}", record.name);
    entity.look.record_contact(Some(error.to_string()));
    match error {
        OrchestratorError::Unauthorized(_) => inner.sessions.forget_session(session),
        _ => *lock_mutex(&entity.forbidden) = Some((session.clone(), error.to_string().into())),
    }
}

/// What only a person can help with is kept in the record and logged once.
async fn mark_blocked(inner: &Context, entity: &ClusterHandle, error: &OrchestratorError) {
    let words = error.to_string();
    let record = entity.record();
    tracing::error!(cluster.id = %record.id, "`{}` is stuck: {words}", record.name);
    if let Err(error) = inner
        .book
        .change_record(entity, |record| record.stuck = Some(words.clone()))
        .await
    {
        tracing::error!(cluster.id = %record.id, "cannot record that: {error}");
    }
}

/// After a restart, or once a project has a good token again: goes on with what is pending there.
pub(super) async fn resume_project(
    inner: &Arc<Context>,
    project_id: &str,
) -> Result<(), OrchestratorError> {
    for entity in inner.book.list_project(project_id).await? {
        let record = entity.record();
        if record.wish == DesiredState::Delete && record.stuck.is_some() {
            inner
                .book
                .change_record(&entity, |record| (record.stuck, record.deletes) = (None, 0))
                .await?;
        }
        if needs_reconcile(&entity.record()) {
            tracing::info!(cluster.id = %record.id, "going on with `{}`", record.name);
            spawn_worker(inner, &entity);
        }
    }
    Ok(())
}
