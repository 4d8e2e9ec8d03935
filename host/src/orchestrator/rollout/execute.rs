//! Executes a change to a running cluster: one step at a time, each an update of the stack that
//! tells some nodes something, done when Heat is done and every node notified has answered. A step
//! that fails leads back to what was before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use tracing::Instrument;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    requeue::Requeue,
    rollout::{
        change_plan,
        rollback::{roll_back, signal_ready_for_removed},
        steps::{self, StepStatus},
    },
    stack::{snapshot::StackSnapshot, stack_request, step_plan::ChangePlan},
    state::{
        cluster_handle::WatchedFact, leased_call::call_with_lease, locked_cluster::LockedCluster,
        refresh, status,
    },
};
use crate::{
    cluster::{ClusterChange, RolloutStep},
    metrics::WorkOutcome,
    openstack::{CloudSession, CreateStack, StackId},
    store::{ClusterRecord, ObservedState},
};

/// How long nodes may take beyond their own limit until they have answered, in seconds.
const ANSWER_MARGIN_S: u64 = 300;
/// How long those are waited for that may be dead, in seconds.
const LAST_CALL_S: u64 = 300;
/// Under this name the host itself says in the stack's events which change it has seen the end of,
/// for one that starts on an empty disk.
const HOST: &str = "host";

/// The one next thing of a change.
pub(crate) async fn advance_rollout(
    context: &Context,
    cluster: &LockedCluster<'_>,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let record = cluster.record();
    let step = record.change().map(|change| (change.at, change.step()));
    let span = tracing::info_span!(
        "rollout.step",
        cluster.id = %record.id,
        step.number = step.map_or(0, |(at, _)| at + 1),
        step.title = step.and_then(|(_, step)| step).map_or("ending", |step| &step.title),
    );
    advance_step(context, cluster, session)
        .instrument(span)
        .await
}

async fn advance_step(
    context: &Context,
    cluster: &LockedCluster<'_>,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let record = cluster.record();
    let (Some(change), Some(id)) = (record.change(), record.stack_id()) else {
        return Ok(Requeue::Done);
    };
    let stack = StackId {
        name: record.stack_name.clone(),
        id: id.to_owned(),
    };
    let Some(step) = change.step() else {
        return finish_change(context, cluster, &record, session, &stack).await;
    };
    let may_change = cluster.may_change(session);
    let Some(sent_s) = change.sent_s else {
        if !may_change {
            return Ok(Requeue::Owner);
        }
        // What fails is noted by who has the step taken.
        return match try_to_send(context, cluster, &record, session).await {
            // What this token may not do another one of the owner's may; the way back would be
            // forbidden too.
            Err(
                error @ (OrchestratorError::Invalid(_)
                | OrchestratorError::Conflict(_)
                | OrchestratorError::NotApplicable(_)),
            ) => {
                let now = cluster.record();
                if now.change().map(under_way) != Some((Some(step), None)) {
                    // What failed is no longer what is under way.
                    return Err(OrchestratorError::Outdated(now.name.clone()));
                }
                if now.is_change_untaken() && record.lease.is_none() {
                    // There is nothing to lead back from: no earlier try was left unanswered.
                    return Err(error);
                }
                roll_back(context, cluster, &now, session, &stack, &error.to_string()).await
            }
            other => other,
        };
    };
    if let Err(error) = refresh::fetch_status(&context.state, cluster, session).await {
        cluster.refresh.record_contact(Some(error.to_string()));
        return Err(error);
    }
    cluster.refresh.record_contact(None);
    let seen = cluster.record();
    if !seen.is_decided_on(&record) {
        // Another process has gone on: `step` is no longer the one that is under way.
        return Err(OrchestratorError::Outdated(seen.name.clone()));
    }
    if status::is_deleted_outside(&seen.observed) {
        return end_lost_change(context, cluster, &seen).await;
    }
    if is_over(&seen) {
        return finish_change(context, cluster, &seen, session, &stack).await;
    }
    let fact = WatchedFact::Step(step.generation, sent_s);
    let waited = cluster.watch(&fact, context.state.clock.monotonic_now());
    let verdict = step_verdict(&seen, step, waited);
    observe_step(context, &verdict, waited);
    match verdict {
        StepVerdict::Wait => Ok(Requeue::Later(context.state.limits.follow_every)),
        StepVerdict::Next(later) => {
            next_step(context, cluster, &seen, session, &stack, &later).await
        }
        StepVerdict::Failed(_) if !may_change => Ok(Requeue::Owner),
        StepVerdict::Failed(why) => {
            tracing::warn!(cluster.id = %seen.id, "`{}`: {} failed: {why}", seen.name, step.title);
            roll_back(context, cluster, &seen, session, &stack, &why).await
        }
    }
}

/// The step that is under way, and when Heat accepted it.
fn under_way(change: &ClusterChange) -> (Option<&RolloutStep>, Option<u64>) {
    (change.step(), change.sent_s)
}

/// Somebody else deletes the stack, or has: the change has nothing left to lead to. What becomes of
/// the stack is shown, and its cluster can be deleted.
async fn end_lost_change(
    context: &Context,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
) -> Result<Requeue, OrchestratorError> {
    let abandon = ClusterRecord::abandon_change;
    let registry = &context.state.registry;
    let record = registry.change_record(cluster, decided_on, abandon).await?;
    context.change_plans.remove(&record.id);
    let status = record.observed.status.as_deref().unwrap_or_default();
    tracing::warn!(cluster.id = %record.id, "the change of `{}` ends, since its stack is {status}", record.name);
    Ok(Requeue::Done)
}

/// Whether the host that saw the change to its end has said so: what has become of the stack since
/// is another matter.
fn is_over(record: &ClusterRecord) -> bool {
    let said = record
        .observed
        .answers
        .get(HOST)
        .map(|answer| answer.generation);
    let last = record
        .change()
        .and_then(|change| change.steps.last())
        .map(|step| step.generation);
    // A line that tells of a change that nobody began is nobody's word.
    said.is_some() && said == last
}

/// What has become of a step that Heat has accepted.
#[derive(Debug, PartialEq, Eq)]
enum StepVerdict {
    Wait,
    /// These want to take their turn later.
    Next(Vec<String>),
    Failed(String),
}

/// Records a step that has ended. One that began in another process is measured from when this one
/// saw it first.
fn observe_step(context: &Context, verdict: &StepVerdict, took: Duration) {
    let outcome = match verdict {
        StepVerdict::Wait => return,
        StepVerdict::Next(_) => WorkOutcome::Succeeded,
        StepVerdict::Failed(_) => WorkOutcome::Failed,
    };
    context.metrics.observe_rollout_step(outcome, took);
}

fn step_verdict(record: &ClusterRecord, step: &RolloutStep, waited: Duration) -> StepVerdict {
    let status = record.observed.status.as_deref().unwrap_or_default();
    // Other failures, such as a check's, are not of this step.
    if status == "UPDATE_FAILED" {
        return StepVerdict::Failed(
            status::describe_failure(record).unwrap_or_else(|| format!("heat says {status}")),
        );
    }
    match steps::step_status(step, &record.observed.answers) {
        StepStatus::Failed(why) if !status.ends_with("_IN_PROGRESS") => StepVerdict::Failed(why),
        _ if status.ends_with("_IN_PROGRESS") => StepVerdict::Wait,
        StepStatus::Done(later) => StepVerdict::Next(later),
        StepStatus::Failed(why) => StepVerdict::Failed(why),
        StepStatus::Missing(nodes) => {
            let most = match &record.spec {
                _ if step.may_be_dead => LAST_CALL_S,
                Some(spec) => u64::from(spec.timeout_s) + ANSWER_MARGIN_S,
                None => ANSWER_MARGIN_S,
            };
            if waited < Duration::from_secs(most) {
                return StepVerdict::Wait;
            }
            if step.may_be_dead {
                return StepVerdict::Next(Vec::new());
            }
            let shown = nodes.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            StepVerdict::Failed(format!(
                "{shown} did not answer within {most} s; see journalctl -u stampede-watch there"
            ))
        }
    }
}

/// Gives Heat the template of the step that is next. Heat's refusal of the first step is the
/// client's to hear; a later one leads back.
pub(crate) async fn send_step(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let sent = try_to_send(context, cluster, record, session).await;
    if let Err(error) = &sent {
        cluster.note_send_failure(session, error, context.state.clock.unix_now_s());
    }
    sent
}

async fn try_to_send(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let (Some(change), Some(id)) = (
        record.change().cloned(),
        record.stack_id().map(str::to_owned),
    ) else {
        return Ok(Requeue::Done);
    };
    let stack = &StackId {
        name: record.stack_name.clone(),
        id,
    };
    let Some(step) = change.step() else {
        return Ok(Requeue::Done);
    };
    let now_s = context.state.clock.unix_now_s();
    // A former process may have got as far as Heat, or another host further than we.
    let shown = session.look_for_stack(stack).await?;
    let after = |seen: &ObservedState| match &shown {
        Some(shown) => status::fold_status(seen, shown),
        None => status::mark_gone(seen),
    };
    let shown = match &shown {
        Some(shown) if !status::is_deleted_outside(&after(&record.observed)) => shown,
        _ => {
            let registry = &context.state.registry;
            let seen = registry.fold_observation(cluster, record, after).await?;
            if !seen.is_decided_on(record) {
                return Err(OrchestratorError::Outdated(seen.name.clone()));
            }
            return end_lost_change(context, cluster, &seen).await;
        }
    };
    let carried = StackSnapshot::from_stack(shown);
    if carried.change.as_ref().and_then(ClusterChange::step) != Some(step) {
        if carried.is_newer(record) {
            adopt_snapshot(context, cluster, record, &carried).await?;
            return Ok(Requeue::Later(Duration::ZERO));
        }
        if change.rolling_back_because.is_some() {
            for node in change.to.groups.names_of(&change.added) {
                signal_ready_for_removed(session, stack, &node).await?;
            }
        }
        update_stack(context, cluster, record, session, stack, step).await?;
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}`: {}", record.name, step.title);
    } else {
        let mark = |record: &mut ClusterRecord| record.mark_step_sent(step, now_s);
        let registry = &context.state.registry;
        registry.change_record(cluster, record, mark).await?;
    }
    Ok(Requeue::Later(context.state.limits.follow_every))
}

/// Has Heat update the stack as the step was planned. What was begun by another goes on as this
/// user's, since Heat has taken it from them.
async fn update_stack(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
    stack: &StackId,
    step: &RolloutStep,
) -> Result<(), OrchestratorError> {
    let (plan, planned) = change_plan::find_or_make_plan(context, cluster, record, session).await?;
    let asked = step_request(context, &planned, &plan, step)?;
    let (now_s, user) = (context.state.clock.unix_now_s(), &session.user().id);
    let sent = call_with_lease(
        &context.state,
        cluster,
        &planned,
        |_| Ok(()),
        session.update_stack(stack, &asked),
        |record, answer| {
            // A delete that was asked for meanwhile leaves no change to note it in.
            if answer.is_err() || record.change().is_none() {
                return Ok(());
            }
            record.mark_step_sent(step, now_s)?;
            match &record.owner {
                Some(owner) if owner != user => record.take_over(user),
                _ => Ok(()),
            }
        },
    );
    Box::pin(sent).await.map(drop)
}

/// The record as another host has made it, where it has changed the cluster since ours has: then
/// its word is taken over ours.
pub(crate) async fn catch_up(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
) -> Result<Option<Arc<ClusterRecord>>, OrchestratorError> {
    let Some(id) = record.stack_id().map(str::to_owned) else {
        return Ok(None);
    };
    let name = record.stack_name.clone();
    let Some(shown) = session.look_for_stack(&StackId { name, id }).await? else {
        return Ok(None);
    };
    let carried = StackSnapshot::from_stack(&shown);
    if !carried.is_newer(record) {
        return Ok(None);
    }
    adopt_snapshot(context, cluster, record, &carried)
        .await
        .map(Some)
}

async fn adopt_snapshot(
    context: &Context,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    carried: &StackSnapshot,
) -> Result<Arc<ClusterRecord>, OrchestratorError> {
    let adopt = |record: &mut ClusterRecord| record.adopt_snapshot(carried);
    let registry = &context.state.registry;
    let record = registry.change_record(cluster, decided_on, adopt).await?;
    tracing::warn!(cluster.id = %record.id, "another host has changed `{}`; going on from there", record.name);
    Ok(record)
}

/// What Heat is given in a step: its template as it was planned, and the record as it is once Heat
/// has accepted this.
fn step_request(
    context: &Context,
    record: &ClusterRecord,
    plan: &ChangePlan,
    step: &RolloutStep,
) -> Result<CreateStack, OrchestratorError> {
    let Some(planned) = plan.step(step) else {
        return Err(OrchestratorError::internal(format!(
            "step `{}` of `{}` is not planned",
            step.title, record.name
        )));
    };
    let carried = record.with_step_sent(step, context.state.clock.unix_now_s());
    Ok(stack_request::complete_request(
        &carried,
        &context.host,
        planned.template(),
        BTreeMap::clone(&planned.files),
        planned.parameters.clone(),
    ))
}

async fn next_step(
    context: &Context,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    session: &CloudSession,
    stack: &StackId,
    later: &[String],
) -> Result<Requeue, OrchestratorError> {
    let steps = decided_on
        .change()
        .map(|change| steps::postpone_turns(&change.steps, change.at, later));
    let go = |record: &mut ClusterRecord| match &steps {
        Some(steps) if !later.is_empty() => record.postpone_turns(steps),
        _ => record.next_step(),
    };
    let registry = &context.state.registry;
    let record = registry.change_record(cluster, decided_on, go).await?;
    if record
        .change()
        .is_some_and(|change| change.step().is_none())
    {
        return finish_change(context, cluster, &record, session, stack).await;
    }
    Ok(Requeue::Later(Duration::ZERO))
}

/// The last step is done: the cluster is what was asked for, or as it was before.
async fn finish_change(
    context: &Context,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    session: &CloudSession,
    stack: &StackId,
) -> Result<Requeue, OrchestratorError> {
    publish_change_done(decided_on, session, stack).await;
    let done = |record: &mut ClusterRecord| {
        let unanswered = record
            .change()
            .map(|change| unanswered_nodes(change, &record.observed));
        record.finish_change(&unanswered.unwrap_or_default())
    };
    let registry = &context.state.registry;
    let record = registry.change_record(cluster, decided_on, done).await?;
    context.change_plans.remove(&record.id);
    match record.rollback_reason() {
        Some(why) => {
            tracing::warn!(cluster.id = %record.id, "`{}` is as it was before: {why}", record.name)
        }
        None => tracing::info!(cluster.id = %record.id, "`{}` is changed", record.name),
    }
    Ok(Requeue::Done)
}

/// Tells those who find the cluster again by its stack that the change has ended, since the stack
/// carries it on. Nothing is lost without it.
async fn publish_change_done(record: &ClusterRecord, session: &CloudSession, stack: &StackId) {
    let Some(last) = record.change().and_then(|change| change.steps.last()) else {
        return;
    };
    let line = format!("{HOST} change {} done", last.generation);
    let signal = json!({ "id": format!("change-{HOST}"), "status": "SUCCESS", "reason": line, "data": line });
    if let Err(error) = session
        .signal_resource(stack, status::PROGRESS_HANDLE, &signal)
        .await
    {
        tracing::warn!(cluster.id = %record.id, "cannot note in the stack that the change of `{}` has ended: {error}", record.name);
    }
}

/// Who may be dead, and has not answered.
fn unanswered_nodes(change: &ClusterChange, seen: &ObservedState) -> String {
    let steps = change.steps.iter().filter(|step| step.may_be_dead);
    let missing = steps.filter_map(|step| match steps::step_status(step, &seen.answers) {
        StepStatus::Missing(nodes) => Some(nodes.join(", ")),
        _ => None,
    });
    missing
        .map(|nodes| format!("; {nodes} did not answer"))
        .collect()
}

#[cfg(test)]
#[path = "execute_tests.rs"]
mod tests;
