//! Background workers: a task for each cluster that still has something to do, which reconciles
//! until nothing is left, or until no user's token is left to do it with. Where there are more such
//! clusters than tasks may be, tasks go from one to the next.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;

use super::step::reconcile_once;
use crate::{
    metrics::WorkOutcome,
    openstack::CloudSession,
    orchestrator::{
        context::Context,
        error::OrchestratorError,
        requeue::Requeue,
        state::{
            cluster_handle::ClusterHandle,
            locked_cluster::LockedCluster,
            sessions,
            status::needs_reconcile,
            worker_places::{ClusterWork, WorkerTries},
        },
    },
    store::ClusterRecord,
    system::clock::monotonic_now,
};

/// So often a worker that may not delete looks whether the delete is withdrawn.
const UNDECIDED_LOOKS: u32 = 5;

/// One step for somebody who looks and cannot wait for the background; none when somebody else is
/// at it, or was a moment ago.
pub(crate) async fn reconcile_if_idle(
    context: &Context,
    handle: &Arc<ClusterHandle>,
    session: &CloudSession,
) {
    if !needs_reconcile(&handle.record())
        || handle.refresh.is_fresh(context.state.limits.observe_every)
    {
        return;
    }
    let Some(cluster) = handle.try_lock() else {
        return;
    };
    if let Err(error) = reconcile_once(context, &cluster, session, None).await {
        handle.refresh.record_contact(Some(error.to_string()));
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
    /// It is not due, and another cluster may be.
    Rotate,
}

/// Takes care of the cluster in the background until nothing is left to do, or no token is left to
/// do it with.
pub(crate) fn spawn_worker(context: &Arc<Context>, handle: &Arc<ClusterHandle>) {
    handle.clear_forbidden();
    if handle.has_worker.swap(true, Ordering::AcqRel) {
        return;
    }
    let state = &context.state;
    let work = ClusterWork {
        handle: Arc::clone(handle),
        due: state.clock.monotonic_now(),
        tries: WorkerTries::default(),
    };
    if let Some(work) = state.workers.begin(work) {
        let context = Arc::clone(context);
        tokio::spawn(async move {
            let mut next = Some(work);
            while let Some(work) = next {
                next = take_care(&context, work).await;
            }
        });
    }
}

/// Takes care of one cluster until nothing is left to do or another one waits for this task; which
/// is next.
async fn take_care(context: &Context, mut work: ClusterWork) -> Option<ClusterWork> {
    let state = &context.state;
    let mut panics = 0;
    loop {
        let handle = Arc::clone(&work.handle);
        let run = AssertUnwindSafe(run_worker(context, &mut work));
        let Ok(end) = run.catch_unwind().await else {
            // What a panic leaves is whole: the record is written in one piece, locks are given
            // back. The cluster must not stay without anybody who takes care of it.
            let record = handle.record();
            tracing::error!(cluster.id = %record.id, "the work on `{}` broke off by a defect of this host, and begins again", record.name);
            state.clock.sleep(state.limits.pause(panics)).await;
            panics += 1;
            continue;
        };
        if end == WorkerExit::Rotate {
            return Some(state.workers.rotate(work));
        }
        handle.has_worker.store(false, Ordering::Release);
        // A request or a token may have come while the run ended.
        if !should_continue(context, &handle, end) || handle.has_worker.swap(true, Ordering::AcqRel)
        {
            return state.workers.next();
        }
        work.tries.failures = 0;
    }
}

fn should_continue(context: &Context, handle: &ClusterHandle, end: WorkerExit) -> bool {
    let sessions = &context.state.sessions;
    let is_served = match end {
        WorkerExit::Gone => false,
        WorkerExit::Done | WorkerExit::Rotate => true,
        WorkerExit::NoToken => sessions
            .session_for(handle)
            .is_some_and(|session| !handle.is_forbidden(&session)),
        WorkerExit::Owner => sessions.has_actor(handle),
    };
    is_served && needs_reconcile(&handle.record())
}

async fn run_worker(context: &Context, work: &mut ClusterWork) -> WorkerExit {
    let ClusterWork { handle, due, tries } = work;
    let sessions = &context.state.sessions;
    let clock = &context.state.clock;
    let ahead = due.saturating_duration_since(clock.monotonic_now());
    if !ahead.is_zero() {
        clock.sleep(ahead).await;
    }
    while needs_reconcile(&handle.record()) {
        // Before the session is chosen, which may end while a turn is waited for.
        let turn = context.state.take_action_turn(handle).await;
        let _pin = sessions.pin_actors(handle);
        let turn_of = usize::try_from(tries.failures).unwrap_or(usize::MAX);
        let Some(session) = sessions.session_in_turn(handle, turn_of) else {
            sessions.add_waits(sessions::any_and_owner(&handle.record()));
            sessions.add_waits(sessions::actor_waits(handle));
            return WorkerExit::NoToken;
        };
        // Held until what an error means for the cluster is recorded, and not while it waits.
        let cluster = handle.lock().await;
        let has_wish = handle.record().has_wish_to_decide();
        let serves_wish = has_wish && handle.record().deletion_wishes.contains(&session.user().id);
        let was_unanswered = handle.record().lease.is_some();
        let after = if handle.is_forbidden(&session) {
            Ok(Requeue::Owner)
        } else {
            reconcile_measured(context, &cluster, &session).await
        };
        let step = TakenStep {
            was_unanswered,
            cluster: &cluster,
            session: &session,
            has_wish,
            serves_wish,
        };
        let pause = match pause_after(context, &step, tries, after).await {
            Ok(pause) => pause,
            Err(exit) => return exit,
        };
        drop((cluster, turn));
        if context.state.workers.has_waiting() {
            *due = clock.monotonic_now() + pause;
            return WorkerExit::Rotate;
        }
        clock.sleep(pause).await;
    }
    WorkerExit::Done
}

/// The pause after one failure more.
fn pause_after_failure(context: &Context, tries: &mut WorkerTries) -> Duration {
    tries.failures = tries.failures.saturating_add(1);
    context.state.limits.pause(tries.failures - 1)
}

/// The run ends where what it has come to is recorded. What the store did not take is tried again,
/// and not at once.
fn end_where(
    is_recorded: bool,
    context: &Context,
    tries: &mut WorkerTries,
) -> Result<Duration, WorkerExit> {
    if is_recorded {
        Err(WorkerExit::Done)
    } else {
        Ok(pause_after_failure(context, tries))
    }
}

/// Those are waited for who may act, and the cluster shows it, or why somebody who is there may not.
fn wait_for_actor(context: &Context, handle: &ClusterHandle, session: &CloudSession) {
    if handle.rejection_reason(&handle.record()).is_none() {
        let words = "nobody is logged in who may have the cloud take it";
        let error = OrchestratorError::Unauthorized(words.into());
        handle.note_send_failure(session, &error, context.state.clock.unix_now_s());
    }
    let waits = sessions::actor_waits(handle);
    context.state.sessions.add_waits(waits);
}

/// A step that was taken: of which cluster, with whose session, whether an earlier call was
/// unanswered then, and whether anybody, or this very user, wants gone what is another's.
struct TakenStep<'a> {
    cluster: &'a LockedCluster<'a>,
    session: &'a CloudSession,
    was_unanswered: bool,
    has_wish: bool,
    serves_wish: bool,
}

/// What a step means for the cluster, which is recorded: the pause before the next one, or that the
/// run ends.
async fn pause_after(
    context: &Context,
    step: &TakenStep<'_>,
    tries: &mut WorkerTries,
    after: Result<Requeue, OrchestratorError>,
) -> Result<Duration, WorkerExit> {
    let (cluster, session) = (step.cluster, step.session);
    let handle: &Arc<ClusterHandle> = cluster;
    if !matches!(after, Err(OrchestratorError::Outdated(_))) {
        tries.outdated = 0;
    }
    Ok(match after {
        // What one has asked for is done, and another's wish is left.
        Ok(Requeue::Done) if needs_reconcile(&handle.record()) => context.state.limits.follow_every,
        Ok(Requeue::Done) => return Err(WorkerExit::Done),
        Ok(Requeue::Gone) | Err(OrchestratorError::NotFound(_)) => return Err(WorkerExit::Gone),
        Ok(Requeue::Owner)
            if tries.failures < UNDECIDED_LOOKS && may_be_withdrawn(handle, session) =>
        {
            tries.failures += 1;
            context.state.limits.pause(tries.failures)
        }
        Ok(Requeue::Owner) => {
            wait_for_actor(context, handle, session);
            return Err(WorkerExit::Owner);
        }
        Ok(Requeue::Later(pause)) => {
            tries.failures = 0;
            fair_pause(context, pause)
        }
        // Somebody else has changed the cluster meanwhile: what is next is decided again, at
        // once only where that has not just been so.
        Err(OrchestratorError::Outdated(_)) => {
            tries.outdated += 1;
            context.state.limits.pause_again(tries.outdated)
        }
        // The wish is dropped, nobody waits for the answer any more: the cluster shows why.
        Err(error) if step.serves_wish && error.is_refusal() => Duration::ZERO,
        // Nobody waits for this answer any more: the cluster shows it.
        Err(error)
            if error.is_refusal()
                && !handle.is_volunteer(session)
                && handle.record().lifecycle.is_deletion_undecided() =>
        {
            let is_recorded = withdraw_refused(context, cluster, &error).await;
            end_where(is_recorded, context, tries)?
        }
        // Nobody waits for this answer any more, and there is nothing to take back: the cluster
        // shows how the change ended, and can be changed by others.
        Err(error) if ends_change(context, step, &error) => {
            let is_recorded = drop_refused_change(context, cluster, &error).await;
            end_where(is_recorded, context, tries)?
        }
        // Another token may do: what is wanted stands until it comes.
        Err(error @ (OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_))) => {
            reject_session(context, handle, session, &error);
            Duration::ZERO
        }
        // Nobody is told of a delete that is given up, so it is never given up for a cloud that
        // is away.
        Err(
            OrchestratorError::Cloud(_)
            | OrchestratorError::Internal(_)
            | OrchestratorError::Busy { .. },
        ) if tries.failures < context.state.limits.creates
            || step.has_wish
            || !handle.record().is_live()
            || handle.record().change().is_some() =>
        {
            pause_after_failure(context, tries)
        }
        Err(error) => {
            let is_recorded = mark_blocked(context, cluster, &error).await;
            end_where(is_recorded, context, tries)?
        }
    })
}

/// Whether the cloud has refused a change of which it has taken nothing: who asked for it may not,
/// and nobody else who has asked for the same is there; or it is not right, whoever asks. A token
/// with which the cloud was not even asked says nothing of its user.
fn ends_change(context: &Context, step: &TakenStep<'_>, error: &OrchestratorError) -> bool {
    let (handle, session) = (step.cluster, step.session);
    let is_final = match error {
        OrchestratorError::Forbidden(_) => {
            !handle.is_volunteer(session)
                && session.refuse_without_trust().is_ok()
                && !context.state.sessions.has_other_actor(handle, session)
        }
        OrchestratorError::NotApplicable(_) => true,
        error => error.is_refusal(),
    };
    is_final && !step.was_unanswered && handle.record().is_change_untaken()
}

/// Whether it is recorded.
async fn drop_refused_change(
    context: &Context,
    cluster: &LockedCluster<'_>,
    error: &OrchestratorError,
) -> bool {
    let record = cluster.record();
    let user = record.owner.as_deref().unwrap_or("of another time");
    let words =
        format!("user {user} has asked for it, and the cloud has taken nothing of it: {error}");
    let drop_it = |record: &mut ClusterRecord| record.drop_untaken_change(&words);
    let registry = &context.state.registry;
    match registry.change_record(cluster, &record, drop_it).await {
        Ok(_) => {
            context.change_plans.remove(&record.id);
            tracing::warn!(cluster.id = %record.id, "the change of `{}` ends before it began: {words}", record.name);
            true
        }
        // Somebody else has decided something, which is decided on now.
        Err(OrchestratorError::Outdated(_)) => false,
        Err(error) => {
            tracing::error!(cluster.id = %record.id, "cannot record how the change of `{}` ended: {error}", record.name);
            false
        }
    }
}

async fn reconcile_measured(
    context: &Context,
    cluster: &LockedCluster<'_>,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let start = monotonic_now();
    let after = reconcile_once(context, cluster, session, None).await;
    let outcome = WorkOutcome::of_result(&after);
    context.metrics.observe_reconcile(outcome, start.elapsed());
    after
}

/// What is due at once stays so; who only looks again looks less often the more there are.
fn fair_pause(context: &Context, pause: Duration) -> Duration {
    let state = &context.state;
    if pause < state.limits.follow_every {
        return pause;
    }
    state.workers.fair_pause(pause, state.limits.looks_a_second)
}

/// Nobody waits for this refusal any more: the cluster shows it. What another process has decided
/// meanwhile is not blocked, but decided on again. Whether it is recorded.
async fn withdraw_refused(
    context: &Context,
    cluster: &LockedCluster<'_>,
    error: &OrchestratorError,
) -> bool {
    let words = format!("it was to be deleted, which was withdrawn: {error}");
    // Nobody is shown the cluster before it says why it is back.
    cluster.set_withdrawn(Some(words));
    let is_recorded = match withdraw_deletion(context, cluster, error).await {
        Err(why @ OrchestratorError::Conflict(_)) => mark_blocked(context, cluster, &why).await,
        withdrawn => withdrawn.is_ok(),
    };
    if !is_recorded {
        cluster.set_withdrawn(None);
    }
    is_recorded
}

/// Whether another process may withdraw the delete yet, which it would tell nobody of.
fn may_be_withdrawn(handle: &ClusterHandle, session: &CloudSession) -> bool {
    !handle.is_forbidden(session) && handle.record().lifecycle.is_deletion_undecided()
}

/// A token that ended is of no more use to anyone; one that may not do what this cluster needs may
/// still serve others.
fn reject_session(
    context: &Context,
    handle: &ClusterHandle,
    session: &CloudSession,
    error: &OrchestratorError,
) {
    let record = handle.record();
    tracing::warn!(cluster.id = %record.id, "`{}` waits for another token of its owner: {error}", record.name);
    handle.refresh.record_contact(Some(error.to_string()));
    match error {
        OrchestratorError::Unauthorized(_) => context.state.sessions.forget_session(session),
        _ => handle.forbid(session, &error.to_string()),
    }
}

/// Heat refuses to delete the stack: the cluster and its owner are what they were.
///
/// # Errors
/// `Conflict` when its name is another cluster's by now: then it stays as it is, to be deleted by
/// somebody who may; `Internal`.
pub(crate) async fn withdraw_deletion(
    context: &Context,
    cluster: &LockedCluster<'_>,
    refused: &OrchestratorError,
) -> Result<(), OrchestratorError> {
    let (record, registry) = (cluster.record(), &context.state.registry);
    let (project, region) = (&record.project_id, &record.region);
    match registry.find(project, region, &record.name).await {
        Err(OrchestratorError::NotFound(_)) => {}
        Ok(_) => {
            return Err(OrchestratorError::Conflict(format!(
                "{refused}; there is another cluster `{}` by now, so that this one cannot be what it was: somebody who may has to delete it",
                record.name
            )));
        }
        Err(error) => return Err(error),
    }
    let withdraw = ClusterRecord::withdraw_deletion;
    registry.change_record(cluster, &record, withdraw).await?;
    tracing::warn!(cluster.id = %record.id, "`{}` is not deleted: {refused}", record.name);
    Ok(())
}

/// What only a person can help with is kept in the record and logged once. Whether it is kept: else
/// whoever goes on has to pause, since the same will happen again.
pub(crate) async fn mark_blocked(
    context: &Context,
    cluster: &LockedCluster<'_>,
    error: &OrchestratorError,
) -> bool {
    let words = error.to_string();
    let record = cluster.record();
    tracing::error!(cluster.id = %record.id, "`{}` is blocked: {words}", record.name);
    let block = |record: &mut ClusterRecord| record.mark_blocked(&words);
    let registry = &context.state.registry;
    match registry.change_record(cluster, &record, block).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(cluster.id = %record.id, "cannot record that: {error}");
            false
        }
    }
}
