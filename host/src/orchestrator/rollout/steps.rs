//! From what a cluster is to what it is to be: the steps, and those back. Pure.

use std::collections::BTreeMap;

use crate::orchestrator::planning::cluster_plan::nodes::{MASTER, WORKER};
use crate::{
    bundle::node_update,
    cluster::{
        ClusterChange, ClusterSpec, RolloutStep,
        change::{ChangeReport, FileDigests},
    },
};

/// Of so many workers one is notified of new settings at a time.
const WORKERS_PER_TURN: usize = 10;

/// The steps from one to the other. `first` is the first generation to give out.
///
/// New settings come first: the master, then the workers in turns, each turn only when the one
/// before works again. Then workers are added, or the leaving ones are let go and taken away; those
/// are not asked themselves, since who leaves may be dead. Steps that tell nobody only change the
/// stack.
pub(crate) fn plan_steps(
    from: &ClusterSpec,
    to: &ClusterSpec,
    old: &FileDigests,
    new: &FileDigests,
    first: u32,
) -> Vec<RolloutStep> {
    let (before, after) = (from.ids(), to.ids());
    let leaving: Vec<String> = before
        .iter()
        .filter(|id| !after.contains(id))
        .map(|id| worker_name(*id))
        .collect();
    let joining: Vec<String> = after
        .iter()
        .filter(|id| !before.contains(id))
        .map(|id| worker_name(*id))
        .collect();
    let master = || vec![MASTER.to_owned()];
    let mut steps = Vec::new();
    let staying: Vec<String> = before
        .iter()
        .filter(|id| after.contains(id))
        .map(|id| worker_name(*id))
        .collect();
    if differ(old, new, MASTER) {
        steps.push(settings_step(
            step_title("new settings on", &master()),
            &before,
            master(),
            &["setup", "ready"],
        ));
    }
    if differ(old, new, WORKER) {
        for turn in staying.chunks(staying.len().div_ceil(WORKERS_PER_TURN).max(1)) {
            steps.push(settings_step(
                step_title("new settings on", turn),
                &before,
                turn.to_vec(),
                &["setup", "ready"],
            ));
        }
    }
    if !joining.is_empty() {
        steps.push(settings_step(
            step_title("adding", &joining),
            &after,
            master(),
            &[],
        ));
    }
    if !leaving.is_empty() {
        steps.push(drain_step(&leaving, &before));
        steps.push(settings_step(
            step_title("taking away", &leaving),
            &after,
            master(),
            &["setup"],
        ));
    }
    if steps.is_empty() {
        // Nothing that a running daemon reads: mirror, proxy, who may reach the cluster.
        let told = master().into_iter().chain(staying).collect();
        steps.push(settings_step(
            "new settings of the cloud".to_owned(),
            &before,
            told,
            &[],
        ));
    }
    number_steps(steps, first)
}

/// A step with the new settings that lets nobody go; its generation is given with all of them.
fn settings_step(
    title: String,
    workers: &[u32],
    told: Vec<String>,
    stages: &[&str],
) -> RolloutStep {
    RolloutStep {
        title,
        generation: 0,
        workers: workers.to_vec(),
        new_settings: true,
        told,
        stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
        leaving: Vec::new(),
        may_be_dead: false,
        digest: None,
    }
}

/// The master lets these workers go, which are there until it has.
fn drain_step(leaving: &[String], workers: &[u32]) -> RolloutStep {
    let step = settings_step(
        step_title("letting go of", leaving),
        workers,
        vec![MASTER.to_owned()],
        &["drain"],
    );
    RolloutStep {
        leaving: leaving.to_vec(),
        ..step
    }
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

/// The steps that lead back from wherever the change is: new workers that have `reported` anything
/// may hold something already and are let go first; then the stack is as before, and every node
/// that was notified of anything; then workers that were to leave, which may have ended what they
/// ran.
pub(crate) fn plan_rollback(
    from: &ClusterSpec,
    change: &ClusterChange,
    reported: impl Fn(&str) -> bool,
    first: u32,
) -> Vec<RolloutStep> {
    let there = from.ids();
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
    let is_there = |node: &str| node == MASTER || there.iter().any(|id| worker_name(*id) == node);
    let leaving: Vec<String> = begun()
        .flat_map(RolloutStep::leaves)
        .filter(|node| is_there(node))
        .cloned()
        .collect();
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
    let held: Vec<u32> = change
        .added
        .iter()
        .copied()
        .filter(|id| reported(&worker_name(*id)))
        .collect();
    if !held.is_empty() {
        let names: Vec<String> = held.iter().map(|id| worker_name(*id)).collect();
        steps.push(drain_step(&names, &[there.as_slice(), &held].concat()));
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

/// `worker-7`.
pub(crate) fn worker_name(id: u32) -> String {
    format!("{WORKER}-{id}")
}

/// The paths that differ on the nodes of a role.
pub(crate) fn changed_paths(old: &FileDigests, new: &FileDigests, role: &str) -> Vec<String> {
    let none = BTreeMap::new();
    node_update::differing_paths(
        old.get(role).unwrap_or(&none),
        new.get(role).unwrap_or(&none),
    )
}

fn differ(old: &FileDigests, new: &FileDigests, role: &str) -> bool {
    !changed_paths(old, new, role).is_empty()
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
