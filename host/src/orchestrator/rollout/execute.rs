//! The hands of a change to a running cluster: one step at a time, each an update of the stack that
//! tells some nodes something, done when Heat is done and every node told has answered. A step that
//! fails leads back to what was before.

use std::collections::BTreeMap;

use serde_json::json;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    locks::now_s,
    planning::cluster_plan::nodes::WORKER,
    requeue::Requeue,
    rollout::{
        change_plan::{self, after_step},
        rollback::{roll_back, signal_ready_for_removed},
        steps::{self, StepStatus},
    },
    stack::{snapshot::StackSnapshot, stack_request, step_plan::ChangePlan},
    state::{cluster_registry::ClusterHandle, refresh, sessions, status},
};
use crate::{
    cluster::{ClusterChange, ClusterSpec, RolloutStep, progress::StageOutcome},
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

/// The one next thing of a change. The caller holds the cluster's turn.
pub(crate) async fn advance_rollout(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let record = entity.record();
    let (Some(change), Some(id)) = (&record.change, &record.stack_id) else {
        return Ok(Requeue::Done);
    };
    let stack = StackId {
        name: record.stack_name.clone(),
        id: id.clone(),
    };
    let Some(step) = change.step() else {
        return finish_change(context, entity, session, &stack).await;
    };
    let may_act = sessions::may_act(session, &record);
    if change.sent_s.is_none() {
        if !may_act {
            return Ok(Requeue::Owner);
        }
        return match send_step(context, entity, session).await {
            // What this token may not do another one of the owner's may; the way back would be
            // forbidden too.
            Err(
                error @ (OrchestratorError::Invalid(_)
                | OrchestratorError::Conflict(_)
                | OrchestratorError::NotApplicable(_)),
            ) => roll_back(context, entity, session, &stack, &error.to_string()).await,
            other => other,
        };
    }
    if let Some(error) = refresh::fetch_status(&context.state, entity, session).await {
        entity.look.record_contact(Some(error.clone()));
        return Err(OrchestratorError::Cloud(error));
    }
    entity.look.record_contact(None);
    let record = entity.record();
    if record.seen.gone {
        context
            .state
            .registry
            .change_record(entity, |record| record.change = None)
            .await?;
        return Ok(Requeue::Done);
    }
    if is_over(&record) {
        return finish_change(context, entity, session, &stack).await;
    }
    match step_verdict(&record, step, change.sent_s.unwrap_or_default(), now_s()) {
        StepVerdict::Wait => Ok(Requeue::Later(context.state.limits.follow_every)),
        StepVerdict::Next => next_step(context, entity, session, &stack).await,
        StepVerdict::Failed(_) if !may_act => Ok(Requeue::Owner),
        StepVerdict::Failed(why) => {
            tracing::warn!(cluster.id = %record.id, "`{}`: {} failed: {why}", record.name, step.title);
            roll_back(context, entity, session, &stack, &why).await
        }
    }
}

/// Whether the host that saw the change to its end has said so: what has become of the stack since
/// is another matter.
fn is_over(record: &ClusterRecord) -> bool {
    let said = record
        .seen
        .answers
        .get(HOST)
        .map(|answer| answer.generation);
    let last = record
        .change
        .as_ref()
        .and_then(|change| change.steps.last())
        .map(|step| step.generation);
    said.is_some() && said >= last
}

/// What has become of a step that Heat has accepted.
#[derive(Debug, PartialEq, Eq)]
enum StepVerdict {
    Wait,
    Next,
    Failed(String),
}

fn step_verdict(
    record: &ClusterRecord,
    step: &RolloutStep,
    sent_s: u64,
    now_s: u64,
) -> StepVerdict {
    let status = record.seen.status.as_deref().unwrap_or_default();
    // Other failures, such as a check's, are not of this step.
    if status == "UPDATE_FAILED" {
        return StepVerdict::Failed(
            status::describe_failure(record).unwrap_or_else(|| format!("heat says {status}")),
        );
    }
    match steps::step_status(step, &record.seen.answers) {
        StepStatus::Failed(why) if !status.ends_with("_IN_PROGRESS") => StepVerdict::Failed(why),
        _ if status.ends_with("_IN_PROGRESS") => StepVerdict::Wait,
        StepStatus::Done => StepVerdict::Next,
        StepStatus::Failed(why) => StepVerdict::Failed(why),
        StepStatus::Missing(nodes) => {
            let most = match &record.spec {
                _ if step.may_be_dead => LAST_CALL_S,
                Some(spec) => u64::from(spec.timeout_s) + ANSWER_MARGIN_S,
                None => ANSWER_MARGIN_S,
            };
            if now_s.saturating_sub(sent_s) < most {
                return StepVerdict::Wait;
            }
            if step.may_be_dead {
                return StepVerdict::Next;
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
    entity: &ClusterHandle,
    session: &CloudSession,
) -> Result<Requeue, OrchestratorError> {
    let record = entity.record();
    let (Some(change), Some(id)) = (record.change.clone(), record.stack_id.clone()) else {
        return Ok(Requeue::Done);
    };
    let stack = &StackId {
        name: record.stack_name.clone(),
        id,
    };
    let Some(step) = change.step() else {
        return Ok(Requeue::Done);
    };
    // A former process may have got as far as Heat, or another host further than we.
    let carried = StackSnapshot::from_stack(&session.show_stack(stack).await?);
    if carried.change.as_ref().and_then(ClusterChange::step) != Some(step) {
        if carried.is_newer(&record) {
            adopt_snapshot(context, entity, &carried).await?;
            return Ok(Requeue::Later(std::time::Duration::ZERO));
        }
        for id in change.added.iter().filter(|_| change.undone.is_some()) {
            signal_ready_for_removed(session, stack, *id).await?;
        }
        let plan = change_plan::find_or_make_plan(context, entity, session).await?;
        let asked = step_request(context, &entity.record(), &plan, step)?;
        session.update_stack(stack, &asked).await?;
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}`: {}", record.name, step.title);
    }
    let told = after_step(&record.told, step);
    let mark = |record: &mut ClusterRecord| {
        if let Some(change) = &mut record.change {
            change.sent_s = Some(now_s());
            for node in change
                .steps
                .get(change.at)
                .map(|step| step.told.clone())
                .unwrap_or_default()
            {
                if !change.touched.contains(&node) {
                    change.touched.push(node);
                }
            }
        }
        record.told.clone_from(&told);
        (record.seen.signalled, record.seen.failed) = (None, None);
        // What Heat shows next may be from before it began.
        record.seen.status = Some("UPDATE_IN_PROGRESS".to_owned());
    };
    context.state.registry.change_record(entity, mark).await?;
    Ok(Requeue::Later(context.state.limits.follow_every))
}

/// Whether another host has changed the cluster since ours has: then its word is taken over ours.
pub(crate) async fn catch_up(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
) -> Result<bool, OrchestratorError> {
    let record = entity.record();
    let Some(id) = record.stack_id.clone() else {
        return Ok(false);
    };
    let carried = StackSnapshot::from_stack(
        &session
            .show_stack(&StackId {
                name: record.stack_name.clone(),
                id,
            })
            .await?,
    );
    if !carried.is_newer(&record) {
        return Ok(false);
    }
    adopt_snapshot(context, entity, &carried).await?;
    Ok(true)
}

async fn adopt_snapshot(
    context: &Context,
    entity: &ClusterHandle,
    carried: &StackSnapshot,
) -> Result<(), OrchestratorError> {
    let record = context
        .state
        .registry
        .change_record(entity, |record| carried.apply_to(record))
        .await?;
    tracing::warn!(cluster.id = %record.id, "another host has changed `{}`; going on from there", record.name);
    Ok(())
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
        return Err(OrchestratorError::Internal(format!(
            "step `{}` of `{}` is not planned",
            step.title, record.name
        )));
    };
    let mut carried = record.clone();
    carried.told = after_step(&record.told, step);
    if let Some(change) = &mut carried.change {
        change.sent_s = Some(now_s());
        change.touched.extend(step.told.iter().cloned());
    }
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
    entity: &ClusterHandle,
    session: &CloudSession,
    stack: &StackId,
) -> Result<Requeue, OrchestratorError> {
    let go = |record: &mut ClusterRecord| {
        if let Some(change) = &mut record.change {
            change.at += 1;
            change.sent_s = None;
        }
    };
    let record = context.state.registry.change_record(entity, go).await?;
    if record
        .change
        .as_ref()
        .is_some_and(|change| change.step().is_none())
    {
        return finish_change(context, entity, session, stack).await;
    }
    Ok(Requeue::Later(std::time::Duration::ZERO))
}

/// The last step is done: the cluster is what was wished, or as it was before.
async fn finish_change(
    context: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
    stack: &StackId,
) -> Result<Requeue, OrchestratorError> {
    publish_change_done(entity, session, stack).await;
    let done = |record: &mut ClusterRecord| {
        let Some(change) = record.change.take() else {
            return;
        };
        let unheard = unanswered_nodes(&change, &record.seen);
        match change.undone {
            Some(why) => record.setback = Some(why + &unheard),
            None => {
                record.setback = None;
                record.attributes = change.attributes;
                record.spec = Some(change.to);
                record.endpoints = change.endpoints;
                record.told.installed = change.installed;
            }
        }
        let there: Vec<String> = record
            .spec
            .iter()
            .flat_map(ClusterSpec::ids)
            .map(steps::worker_name)
            .collect();
        let is_there =
            |node: &str| !node.starts_with(WORKER) || there.iter().any(|there| there == node);
        record.told.nodes.retain(|node, _| is_there(node));
        record.seen.answers.retain(|node, _| is_there(node));
        // What failed on the way is told by the setback; a later failure must not be told in these
        // words.
        record
            .seen
            .reports
            .retain(|report| is_there(&report.node) && report.outcome != StageOutcome::Failed);
        record.seen.ready.retain(|node| is_there(node));
        record.seen.deaf.retain(|node| is_there(node));
        (record.seen.signalled, record.seen.failed) = (None, None);
    };
    let record = context.state.registry.change_record(entity, done).await?;
    context.change_plans.remove(&record.id);
    match &record.setback {
        Some(why) => {
            tracing::warn!(cluster.id = %record.id, "`{}` is as it was before: {why}", record.name)
        }
        None => tracing::info!(cluster.id = %record.id, "`{}` is changed", record.name),
    }
    Ok(Requeue::Done)
}

/// Tells those who find the cluster again by its stack that the change has ended, since the stack
/// carries it on. Nothing is lost without it.
async fn publish_change_done(entity: &ClusterHandle, session: &CloudSession, stack: &StackId) {
    let record = entity.record();
    let Some(last) = record
        .change
        .as_ref()
        .and_then(|change| change.steps.last())
    else {
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
