//! Looks at an update without doing it: what it would do, or why it would be refused. One function for
//! dry runs and for forms, which checks in the order of the update itself.

use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::quota::{self, QuotaNeed},
    rollout::{desired_state, update_request::UpdateRequest},
    stack::snapshot::StackSnapshot,
    state::{refresh, time_left::former_runs},
    verbs::{
        at_rest::at_rest,
        cluster_idle::NewIdle,
        find::{find_cluster, live_record},
        new_ends::NewEnds,
        plan_change::plan_beyond_quotas,
        preview::{AttributeChange, ChangePreview, describe_change, kept_attributes},
        update,
    },
};
use crate::{
    cluster::{
        ClusterSpec, Lifecycle, Problem, end_time::EXPIRES, former_runs::RunShape, idle_limit::IDLE,
    },
    openstack::StackId,
    store::ClusterRecord,
};

/// An update as it was looked at.
pub(crate) struct LookedAtUpdate {
    /// The cluster as it would be.
    pub(crate) to: ClusterSpec,
    /// What would become of it.
    pub(crate) change: ChangePreview,
    /// What is added takes so much of the project's quotas.
    pub(crate) needs: Vec<QuotaNeed>,
    /// Quotas that do not suffice: the update is refused for them.
    pub(crate) problems: Vec<Problem>,
}

impl LookedAtUpdate {
    /// One that changes nothing in the cloud.
    fn kept(to: ClusterSpec, change: ChangePreview) -> Self {
        Self {
            to,
            change,
            needs: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// What an update would do.
pub(crate) async fn preview_update(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    mut given: ClientAttributes,
) -> Result<ChangePreview, OrchestratorError> {
    let handle = find_cluster(context, caller, name).await?;
    let caller = &caller.at(&handle.record());
    let age = context.state.limits.observe_every;
    refresh::refresh_cluster(&context.state, &handle, &caller.session, age).await;
    let record = live_record(context, &handle, name).await?;
    let NewEnds { end, idle } = update::take_ends(context, &record, caller.user_id(), &mut given)?;
    let looked = look_at_update(context, caller, &record, given).await?;
    if !looked.problems.is_empty() {
        return Err(OrchestratorError::Invalid(looked.problems));
    }
    let mut change = looked.change;
    if let Some((before, after)) = end.describe(&record) {
        change.attributes.push(AttributeChange {
            name: EXPIRES.to_owned(),
            before,
            after: Some(after),
        });
    }
    change.attributes.extend(described_idle(&idle, &record));
    Ok(change)
}

/// What a request makes of the time that a cluster may be without jobs.
pub(crate) fn described_idle(idle: &NewIdle, record: &ClusterRecord) -> Option<AttributeChange> {
    let (before, after) = idle.describe(record)?;
    Some(AttributeChange {
        name: IDLE.to_owned(),
        before,
        after: Some(after),
    })
}

/// Looks at an update of a cluster whose record was just read.
///
/// # Errors
/// What it is refused for, but for quotas.
pub(crate) async fn look_at_update(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    given: ClientAttributes,
) -> Result<LookedAtUpdate, OrchestratorError> {
    let request = UpdateRequest::from_attributes(given, &context.attribute_names, record);
    if record.lifecycle == Lifecycle::Requested {
        let merged = update::merge_before_deploy(context, record, request)?;
        let to = context.parse_spec(record, &merged)?;
        return Ok(LookedAtUpdate::kept(to, kept_attributes(record, &merged)));
    }
    let record = &newest_record(caller, record).await?;
    let target = desired_state::change_target(context, record, &request)?;
    if record.change().is_none() && !target.changes_cluster() {
        let kept = kept_attributes(record, &target.attributes);
        return Ok(LookedAtUpdate::kept(target.to, kept));
    }
    let from = target.from.clone();
    at_rest(record)?;
    caller.session.refuse_without_trust()?;
    let planned = plan_beyond_quotas(context, caller, record, target).await?;
    let has_steps = !planned.change.steps.is_empty();
    let shape = RunShape::of_change(&planned.change);
    let former_runs = former_runs(&context.state, &record.project_id, &shape).await;
    Ok(LookedAtUpdate {
        to: planned.change.to.clone(),
        needs: planned.needs.clone(),
        problems: quota::check_quotas(&planned.needs),
        change: ChangePreview {
            former_runs: former_runs.filter(|_| has_steps),
            ..describe_change(record, &from, planned)
        },
    })
}

/// The record, or what another host has made of the cluster since.
async fn newest_record(
    caller: &Caller,
    record: &ClusterRecord,
) -> Result<ClusterRecord, OrchestratorError> {
    let mut newest = record.clone();
    if let (Some(id), None) = (record.stack_id().map(str::to_owned), record.change()) {
        let name = record.stack_name.clone();
        let shown = caller.session.show_stack(&StackId { name, id }).await?;
        let carried = StackSnapshot::from_stack(&shown);
        if carried.is_newer(record) {
            newest
                .adopt_snapshot(&carried)
                .map_err(|refused| OrchestratorError::internal(refused.to_string()))?;
        }
    }
    Ok(newest)
}
