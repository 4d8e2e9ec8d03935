//! From what a cluster is to what it is to be: the steps, and those back. Pure.

use std::collections::BTreeMap;

use crate::{
    bundle::node_update,
    cluster::{
        ClusterChange, ClusterSpec, GroupSpec, NodeIds, RolloutStep,
        change::{ChangeReport, FileDigests},
        contract_bridge::leaves_by_drain,
        node_group::{join_nodes, leading_node, nodes_beyond},
    },
};

/// Of so many nodes of a group one is notified of new settings at a time.
const NODES_PER_TURN: usize = 10;

/// The steps from one to the other. `first` is the first generation to give out.
///
/// New settings come first: group by group, the nodes of each in turns, each turn only when the one
/// before works again. Then nodes are added, or the leaving ones are let go, where their group's
/// are, and taken away; those are not asked themselves, since who leaves may be dead. Steps that tell
/// nobody only change the stack.
pub(crate) fn plan_steps(
    from: &ClusterSpec,
    to: &ClusterSpec,
    old: &FileDigests,
    new: &FileDigests,
    first: u32,
) -> Vec<RolloutStep> {
    let (before, after) = (from.node_ids(), to.node_ids());
    let gone = nodes_beyond(&before, &after);
    let leaving = from.groups.names_of(&gone);
    let joining = to.groups.names_of(&nodes_beyond(&after, &before));
    let leader = || vec![leading_node(&from.groups)];
    let staying = |group: &GroupSpec| -> Vec<String> {
        let names = group.node_names().into_iter();
        names.filter(|name| !leaving.contains(name)).collect()
    };
    // Those that leave are there until they have been let go.
    let all = join_nodes(&before, &after);
    let mut steps = Vec::new();
    for group in from.groups.iter() {
        if !differ(old, new, &group.name) {
            continue;
        }
        let staying = staying(group);
        for turn in staying.chunks(staying.len().div_ceil(NODES_PER_TURN).max(1)) {
            let title = step_title("new settings on", turn);
            steps.push(settings_step(
                title,
                &before,
                turn.to_vec(),
                &["setup", "ready"],
            ));
        }
    }
    if !joining.is_empty() {
        let title = step_title("adding", &joining);
        steps.push(settings_step(title, &all, leader(), &[]));
    }
    if !leaving.is_empty() {
        let drained = from.groups.names_of(&by_drain(gone));
        if !drained.is_empty() {
            steps.push(drain_step(from, &drained, &all));
        }
        let title = step_title("taking away", &leaving);
        steps.push(settings_step(title, &after, leader(), &["setup"]));
    }
    if steps.is_empty() {
        // Nothing that a running daemon reads: mirror, proxy, who may reach the cluster.
        let title = "new settings of the cloud".to_owned();
        let told = from.groups.iter().flat_map(staying).collect();
        steps.push(settings_step(title, &before, told, &[]));
    }
    number_steps(steps, first)
}

/// A step with the new settings that lets nobody go; its generation is given with all of them.
fn settings_step(
    title: String,
    nodes: &NodeIds,
    told: Vec<String>,
    stages: &[&str],
) -> RolloutStep {
    RolloutStep {
        title,
        generation: 0,
        nodes: nodes.clone(),
        new_settings: true,
        told,
        stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
        leaving: Vec::new(),
        may_be_dead: false,
        digest: None,
    }
}

/// The leading node lets these go, which are there until it has.
fn drain_step(cluster: &ClusterSpec, leaving: &[String], nodes: &NodeIds) -> RolloutStep {
    let step = settings_step(
        step_title("letting go of", leaving),
        nodes,
        vec![leading_node(&cluster.groups)],
        &["drain"],
    );
    RolloutStep {
        leaving: leaving.to_vec(),
        ..step
    }
}

/// Those of these nodes that are let go before they are taken away; nobody keeps anything on the
/// others.
fn by_drain(mut nodes: NodeIds) -> NodeIds {
    nodes.retain(|group, _| leaves_by_drain(group));
    nodes
}

/// Gives out generations from `first` on.
fn number_steps(mut steps: Vec<RolloutStep>, first: u32) -> Vec<RolloutStep> {
    let mut next = first;
    for step in &mut steps {
        step.generation = next;
        next = next.saturating_add(1);
    }
    steps
}

/// The steps that lead back from wherever the change is: new nodes that have `reported` anything
/// may hold something already and are let go first; then the stack is as before, and every node
/// that was notified of anything; then nodes that were to leave, which may have ended what they
/// ran.
pub(crate) fn plan_rollback(
    from: &ClusterSpec,
    change: &ClusterChange,
    reported: impl Fn(&str) -> bool,
    first: u32,
) -> Vec<RolloutStep> {
    let (there, names) = (from.node_ids(), from.node_names());
    // On the way back already, all of it is to be gone again.
    let begun = || {
        change
            .steps
            .iter()
            .take(if change.rolling_back_because.is_some() {
                usize::MAX
            } else {
                change.at + 1
            })
    };
    let is_there = |node: &String| names.contains(node);
    let taken = begun().flat_map(|step| from.groups.names_of(&nodes_beyond(&there, &step.nodes)));
    let mut leaving: Vec<String> = Vec::new();
    for node in begun().flat_map(RolloutStep::leaves).cloned().chain(taken) {
        if is_there(&node) && !leaving.contains(&node) {
            leaving.push(node);
        }
    }
    let told = |node: &String| is_there(node) && !leaving.contains(node);
    let told: Vec<String> = change
        .notified_nodes
        .iter()
        .filter(|node| told(node))
        .cloned()
        .collect();
    // Where only variables went out, only variables come back.
    let ran = begun().any(|step| !step.stages.is_empty());
    let stages: &[&str] = if ran { &["setup", "ready"] } else { &[] };
    let mut steps = Vec::new();
    let held = |group: &GroupSpec| -> (String, Vec<u32>) {
        let added = change.added.get(&group.name).into_iter().flatten();
        let held = added.filter(|id| reported(&group.node_name(**id)));
        (group.name.clone(), held.copied().collect())
    };
    let held: NodeIds = by_drain(change.to.groups.iter().map(held).collect());
    let holding = change.to.groups.names_of(&held);
    if !holding.is_empty() {
        steps.push(drain_step(from, &holding, &join_nodes(&there, &held)));
    }
    steps.push(RolloutStep {
        new_settings: false,
        ..settings_step("taking the change back".to_owned(), &there, told, stages)
    });
    if !leaving.is_empty() {
        let title = step_title("taking the change back on", &leaving);
        steps.push(RolloutStep {
            new_settings: false,
            may_be_dead: true,
            ..settings_step(title, &there, leaving, stages)
        });
    }
    number_steps(steps, first)
}

/// What the nodes answered to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepStatus {
    /// All that were notified have done it.
    Done,
    /// These have not answered yet.
    Missing(Vec<String>),
    /// One has failed, and why.
    Failed(String),
}

/// What the nodes answered to a step.
pub(crate) fn step_status(step: &RolloutStep, said: &BTreeMap<String, ChangeReport>) -> StepStatus {
    let mut missing = Vec::new();
    for node in &step.told {
        match said
            .get(node)
            .filter(|answer| answer.generation == step.generation)
        {
            Some(ChangeReport {
                error: Some(error), ..
            }) => return StepStatus::Failed(format!("{node}: {error}")),
            Some(_) => {}
            None => missing.push(node.clone()),
        }
    }
    if missing.is_empty() {
        StepStatus::Done
    } else {
        StepStatus::Missing(missing)
    }
}

/// The paths that differ on the nodes of a group.
pub(crate) fn changed_paths(old: &FileDigests, new: &FileDigests, group: &str) -> Vec<String> {
    let none = BTreeMap::new();
    node_update::differing_paths(
        old.get(group).unwrap_or(&none),
        new.get(group).unwrap_or(&none),
    )
}

fn differ(old: &FileDigests, new: &FileDigests, group: &str) -> bool {
    !changed_paths(old, new, group).is_empty()
}

/// `adding worker-3, worker-4 and 7 more`.
fn step_title(what: &str, nodes: &[String]) -> String {
    let shown = nodes.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = nodes.len().saturating_sub(3);
    if more == 0 {
        format!("{what} {shown}")
    } else {
        format!("{what} {shown} and {more} more")
    }
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
