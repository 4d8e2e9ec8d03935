//! Brings clusters without jobs to their end: asks their nodes when it may be time to, announces the
//! end, takes that back where a job came, and deletes with the login of who may. What nodes told is
//! asked for afresh directly before anything is said or done, in a task of its own that holds no
//! cluster meanwhile; where they cannot be asked nothing happens.

use std::sync::Arc;

use super::cluster_ends::delete_ended;
use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    state::{
        cluster_handle::ClusterHandle, idle_jobs::cluster_jobs, locked_cluster::LockedCluster,
        refresh, sessions,
    },
};
use crate::{
    cluster::{
        ClusterIdle, ClusterJobs, IdleNotice, IdleStep,
        idle_limit::{IDLE, LOOK_EVERY_S},
    },
    store::{ClusterRecord, StoredIdle},
    system::utc_time::format_utc,
};

/// Begins to look at the clusters where it is time to.
pub(crate) async fn follow_idle(context: &Arc<Context>) {
    let (state, now_s) = (&context.state, context.state.clock.unix_now_s());
    let Some(turn) = state.idle.take_turn() else {
        // Its end wakes the next one.
        return;
    };
    let limits = match state.registry.store().idle_limits().await {
        Ok(limits) => limits,
        Err(error) => {
            tracing::error!(
                "cannot read which clusters end without jobs, which is tried again: {error}"
            );
            return;
        }
    };
    let due = state.idle.due(limits, now_s);
    if let (true, Some(nearest_s)) = (due.is_empty(), state.idle.nearest_s()) {
        state.ends.look_before(nearest_s);
    }
    if due.is_empty() {
        return;
    }
    let context = Arc::clone(context);
    tokio::spawn(async move {
        for one in due {
            look_at(&context, &one).await;
        }
        drop(turn);
        context.state.ends.look_now();
    });
}

async fn look_at(context: &Arc<Context>, one: &StoredIdle) {
    let state = &context.state;
    let later_s = || state.clock.unix_now_s().saturating_add(LOOK_EVERY_S);
    state.idle.set_next(&one.id, one.idle, later_s());
    let found = state.registry.read_by_id(&one.project_id, &one.id).await;
    let followed = match found {
        Ok(Some(handle)) => follow_cluster(context, &handle).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    match followed {
        Ok(()) | Err(OrchestratorError::NotFound(_)) => {}
        Err(OrchestratorError::Outdated(_)) => state.idle.forget(&one.id),
        Err(error) => {
            tracing::warn!(cluster.id = %one.id, "cannot look whether jobs run, which is tried again: {error}");
        }
    }
}

/// Asks the nodes of one cluster, and does what is to be done.
///
/// # Errors
/// Nobody could be asked, or somebody else has decided something: it is tried again.
pub(crate) async fn follow_cluster(
    context: &Arc<Context>,
    handle: &Arc<ClusterHandle>,
) -> Result<(), OrchestratorError> {
    let (state, known) = (&context.state, handle.record());
    if known.idle.is_none() || !known.is_live() {
        return Ok(());
    }
    let Some(session) = state.sessions.session_for(handle) else {
        state.sessions.add_waits(sessions::any_and_owner(&known));
        return note_overdue(context, handle).await;
    };
    let turn = state.looks.enter(&known.region, &known.project_id).await;
    let session = session.in_region(&known.region);
    refresh::fetch_jobs(state, handle, &session).await?;
    drop(turn);
    let Some(cluster) = handle.try_lock() else {
        return Err(OrchestratorError::Outdated(known.name.clone()));
    };
    let record = state.registry.reload(&cluster).await?;
    let Some(idle) = record.idle.filter(|_| record.is_live()) else {
        return Ok(());
    };
    let (jobs, now_s) = (cluster_jobs(&record), state.clock.unix_now_s());
    let seen = seen_at_rest(idle, jobs, now_s);
    let jobs = jobs.unwrap_or(ClusterJobs::Unknown);
    let step = seen.decide(jobs, now_s);
    let now = after_step(seen, step);
    let record = keep(context, &cluster, &record, now).await?;
    tell_step(&record, step);
    let next_s = now.next_look_s(jobs, now_s);
    state.idle.set_next(&record.id, now, next_s);
    if step != IdleStep::Delete {
        return Ok(());
    }
    if !delete_ended(context, &cluster, &record, IDLE).await? {
        note_overdue_locked(context, &cluster).await?;
    }
    Ok(())
}

/// From when on time without jobs counts: since the host has seen the cluster at rest.
fn seen_at_rest(idle: ClusterIdle, jobs: Option<ClusterJobs>, now_s: u64) -> ClusterIdle {
    let rest_s = jobs.map(|_| idle.rest_s.unwrap_or(now_s));
    ClusterIdle { rest_s, ..idle }
}

fn after_step(idle: ClusterIdle, step: IdleStep) -> ClusterIdle {
    let notice = match step {
        IdleStep::Wait | IdleStep::Delete => idle.notice,
        IdleStep::Announce(notice) => Some(notice),
        IdleStep::TakeBack => None,
    };
    ClusterIdle { notice, ..idle }
}

async fn keep(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &Arc<ClusterRecord>,
    now: ClusterIdle,
) -> Result<Arc<ClusterRecord>, OrchestratorError> {
    if record.idle == Some(now) {
        return Ok(Arc::clone(record));
    }
    let follow = |record: &mut ClusterRecord| record.follow_idle(now);
    let registry = &context.state.registry;
    registry.change_record(cluster, record, follow).await
}

fn tell_step(record: &ClusterRecord, step: IdleStep) {
    let (id, name) = (&record.id, &record.name);
    match step {
        IdleStep::Wait | IdleStep::Delete => {}
        IdleStep::Announce(notice) => {
            let (since, at) = (format_utc(notice.since_s), format_utc(notice.at_s));
            tracing::warn!(cluster.id = %id, "`{name}` has had no job since {since}, and will be deleted at {at} unless one runs");
        }
        IdleStep::TakeBack => {
            tracing::warn!(cluster.id = %id, "`{name}` is not deleted for having no jobs: one has run, or that is not known any more");
        }
    }
}

/// Nobody is there to ask with: an end that has come says so.
async fn note_overdue(
    context: &Arc<Context>,
    handle: &Arc<ClusterHandle>,
) -> Result<(), OrchestratorError> {
    match handle.try_lock() {
        Some(cluster) => note_overdue_locked(context, &cluster).await,
        None => Ok(()),
    }
}

async fn note_overdue_locked(
    context: &Arc<Context>,
    cluster: &LockedCluster<'_>,
) -> Result<(), OrchestratorError> {
    let state = &context.state;
    let record = state.registry.reload(cluster).await?;
    let now_s = state.clock.unix_now_s();
    let is_new = |notice: &IdleNotice| notice.at_s <= now_s && !notice.is_over;
    let Some((idle, notice)) = record
        .idle
        .and_then(|idle| Some((idle, idle.notice.filter(is_new)?)))
    else {
        return Ok(());
    };
    let is_over = true;
    let notice = Some(IdleNotice { is_over, ..notice });
    let now = ClusterIdle { notice, ..idle };
    let record = keep(context, cluster, &record, now).await?;
    let next_s = now_s.saturating_add(LOOK_EVERY_S);
    state.idle.set_next(&record.id, now, next_s);
    tracing::warn!(cluster.id = %record.id, "`{}` is to be deleted for having no jobs, and nobody is logged in who may", record.name);
    Ok(())
}
