//! Leads a change back to what was before: chooses the steps back, and records them. They are
//! planned when the first one is sent, on the flavors that the change was planned on.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    requeue::Requeue,
    rollout::{
        nodes_at_rest::{ChangeNodes, NodesAtRest},
        rested_clusters::placements_between,
        steps_back::plan_rollback,
    },
    state::{locked_cluster::LockedCluster, status},
};
use crate::{
    cluster::{ClusterChange, ClusterSpec, change::FileDigests, node_group::join_nodes},
    openstack::{CloudSession, StackId},
    store::ClusterRecord,
};

/// Leads back to what was before; where that fails too, says what is broken and stops.
pub(crate) async fn roll_back(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
    stack: &StackId,
    why: &str,
) -> Result<Requeue, OrchestratorError> {
    let Some(change) = record.change() else {
        return Ok(Requeue::Done);
    };
    if let Some(first) = &change.rolling_back_because {
        let nodes = if change.notified_nodes.is_empty() {
            "no node".to_owned()
        } else {
            change.notified_nodes.join(", ")
        };
        let words = format!(
            "a change failed ({first}) and could not be taken back ({why}); {nodes} may run with either setting"
        );
        return Err(OrchestratorError::Conflict(words));
    }
    // Failures of nodes that are taken away must not fail the stack for ever.
    for node in change.to.groups.names_of(&change.added) {
        signal_ready_for_removed(session, stack, &node).await?;
    }
    let (owner, why) = (record.owner.clone(), why.to_owned());
    start_rollback(context, cluster, record, why, owner).await?;
    Ok(Requeue::Later(Duration::ZERO))
}

/// Records the way back, from wherever the change is, and whose it is.
pub(crate) async fn start_rollback(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    why: String,
    owner: Option<String>,
) -> Result<Arc<ClusterRecord>, OrchestratorError> {
    let (Some(change), Some(from)) = (record.change(), &record.spec) else {
        return Ok(Arc::new(record.clone()));
    };
    let seen = &record.observed;
    let reported = |node: &str| {
        seen.reports.iter().any(|report| report.node == node)
            || seen.ready.iter().any(|ready| ready == node)
    };
    context.change_plans.remove(&record.id);
    let steps = plan_rollback(
        &nodes_of_record(record, from, change),
        change,
        reported,
        record.notified.generation.saturating_add(1),
    );
    let back = |record: &mut ClusterRecord| record.start_rollback(&why, owner.as_deref(), &steps);
    let registry = &context.state.registry;
    registry.change_record(cluster, record, back).await
}

/// The nodes of a change by what is recorded of it: what stands on them before and after.
fn nodes_of_record(
    record: &ClusterRecord,
    from: &ClusterSpec,
    change: &ClusterChange,
) -> ChangeNodes {
    let to = &change.to;
    let all = to.with_nodes(&join_nodes(&from.node_ids(), &to.node_ids()));
    let [before, settled, joined, done] = placements_between(from, to);
    let (was, is) = (&record.notified.installed, &change.installed);
    let made = |spec: &ClusterSpec, placements, installed: &FileDigests| {
        NodesAtRest::new(spec, placements, installed.clone(), BTreeMap::new())
    };
    let mut rests = [
        made(from, before, was),
        made(from, settled, was),
        made(&all, joined, is),
        made(to, done, is),
    ];
    // What stood on nodes on the way is not recorded: those that stay have the scripts of one end.
    let [first, _, most, last] = &mut rests;
    most.classes.extend(first.classes.clone());
    most.classes.extend(last.classes.clone());
    for (class, files) in was {
        let known = most.installed.entry(class.clone());
        known.or_insert_with(|| files.clone());
    }
    let pins = [from, to].map(|spec| spec.pins.as_deref());
    let needs = pins.into_iter().flatten().flat_map(|pins| &pins.needs);
    let plugins = needs.flat_map(|(plugin, needs)| {
        let components = needs.iter().map(|need| need.component.clone());
        components.map(|component| (component, plugin.clone()))
    });
    ChangeNodes {
        rests,
        plugins: plugins.collect(),
        deaf: record
            .observed
            .nodes_without_metadata
            .iter()
            .cloned()
            .collect(),
        upgrade: change.upgrade,
    }
}

/// A node that is taken away counts as ready from now on: the wait condition counts every id that
/// was ever given out, and one failure among them would fail it for good.
pub(crate) async fn signal_ready_for_removed(
    session: &CloudSession,
    stack: &StackId,
    node: &str,
) -> Result<(), OrchestratorError> {
    let signal = json!({ "id": node, "status": "SUCCESS", "reason": format!("{node} {}", status::TAKEN_AWAY), "data": status::TAKEN_AWAY });
    Ok(session
        .signal_resource(stack, status::READY_HANDLE, &signal)
        .await?)
}
