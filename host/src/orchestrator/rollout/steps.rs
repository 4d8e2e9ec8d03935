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

/// Of so many workers one is told of new settings at a time.
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
    for (generation, step) in (first..).zip(&mut steps) {
        step.generation = generation;
    }
    steps
}

/// The steps that lead back from wherever the change is: new workers that have `reported` anything
/// may hold something already and are let go first; then the stack is as before, and every node
/// that was told of anything; then workers that were to leave, which may have ended what they ran.
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
    /// All that were told have done it.
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
mod tests {
    use super::*;
    use crate::orchestrator::planning::resolve::tests_support::spec;

    fn installed(master: &str, worker: &str) -> FileDigests {
        let of = |text: &str| {
            BTreeMap::from([("/etc/hadoop/hdfs-site.xml".to_owned(), text.to_owned())])
        };
        BTreeMap::from([
            (MASTER.to_owned(), of(master)),
            (WORKER.to_owned(), of(worker)),
        ])
    }

    fn told(
        from: &ClusterSpec,
        to: &ClusterSpec,
        new: &FileDigests,
    ) -> Vec<(String, String, String, usize)> {
        let steps = plan_steps(from, to, &installed("a", "a"), new, 5);
        assert!(
            steps
                .iter()
                .enumerate()
                .all(|(at, step)| step.generation as usize == at + 5),
            "{steps:?}"
        );
        steps
            .into_iter()
            .map(|step| {
                (
                    step.title,
                    step.told.join(" "),
                    step.stages.join(" "),
                    step.workers.len(),
                )
            })
            .collect()
    }

    fn row(
        title: &str,
        told: &str,
        stages: &str,
        workers: usize,
    ) -> (String, String, String, usize) {
        (
            title.to_owned(),
            told.to_owned(),
            stages.to_owned(),
            workers,
        )
    }

    #[test]
    fn more_workers_touch_no_old_node_but_for_the_masters_list() {
        let from = spec().with_ids(vec![1, 2]);
        let to = from.with_ids(vec![1, 2, 3]);
        assert_eq!(
            told(&from, &to, &installed("a", "a")),
            [row("adding worker-3", "master", "", 3)]
        );
    }

    #[test]
    fn fewer_workers_are_let_go_before_they_are_taken_away() {
        let from = spec().with_ids(vec![1, 2, 3]);
        let to = from.with_ids(vec![1, 3]);
        let wanted = [
            row("letting go of worker-2", "master", "drain", 3),
            row("taking away worker-2", "master", "setup", 2),
        ];
        assert_eq!(told(&from, &to, &installed("a", "a")), wanted);
        assert_eq!(
            plan_steps(&from, &to, &installed("a", "a"), &installed("a", "a"), 1)[0].leaving,
            ["worker-2"]
        );
    }

    #[test]
    fn settings_go_to_the_master_and_then_to_the_workers_in_turns() {
        let from = spec().with_ids((1..=2).collect());
        let wanted = [
            row("new settings on master", "master", "setup ready", 2),
            row("new settings on worker-1", "worker-1", "setup ready", 2),
            row("new settings on worker-2", "worker-2", "setup ready", 2),
        ];
        assert_eq!(told(&from, &from, &installed("b", "b")), wanted);
        assert_eq!(told(&from, &from, &installed("b", "a")), wanted[..1]);
        assert_eq!(told(&from, &from, &installed("a", "b")), wanted[1..]);
        let many = spec().with_ids((1..=250).collect());
        let steps = plan_steps(&many, &many, &installed("a", "a"), &installed("a", "b"), 1);
        assert_eq!(
            (steps.len(), steps[0].told.len()),
            (10, 25),
            "a tenth at a time"
        );
        assert_eq!(
            steps[0].title,
            "new settings on worker-1, worker-2, worker-3 and 22 more"
        );
    }

    #[test]
    fn both_at_once_are_settings_first_and_leaving_workers_get_none() {
        let from = spec().with_ids(vec![1, 2]);
        let to = from.with_ids(vec![2]);
        let titles: Vec<String> = told(&from, &to, &installed("b", "b"))
            .into_iter()
            .map(|step| step.0)
            .collect();
        assert_eq!(
            titles,
            [
                "new settings on master",
                "new settings on worker-2",
                "letting go of worker-1",
                "taking away worker-1"
            ]
        );
    }

    #[test]
    fn what_no_daemon_reads_is_told_to_all_at_once_and_runs_nothing() {
        let from = spec().with_ids(vec![1, 2]);
        let told = told(&from, &from, &installed("a", "a"));
        assert_eq!(
            told,
            [row(
                "new settings of the cloud",
                "master worker-1 worker-2",
                "",
                2
            )]
        );
    }

    #[test]
    fn the_way_back_tells_those_that_were_told_and_are_still_there() {
        let from = spec().with_ids(vec![1, 2]);
        let to = from.with_ids(vec![1, 2, 3]);
        let (old, new) = (installed("a", "a"), installed("b", "b"));
        let mut change = ClusterChange {
            attributes: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            to: to.clone(),
            installed: new.clone(),
            steps: plan_steps(&from, &to, &old, &new, 1),
            at: 3,
            sent_s: Some(1),
            notified_nodes: ["master", "worker-1", "worker-2", "worker-3"]
                .map(str::to_owned)
                .to_vec(),
            added: vec![3],
            rolling_back_because: None,
        };
        let back = |change: &ClusterChange, reported: &str| {
            let steps = plan_rollback(&from, change, |node| node == reported, 9);
            assert!(
                steps
                    .iter()
                    .enumerate()
                    .all(|(at, step)| step.generation as usize == at + 9),
                "{steps:?}"
            );
            steps
                .into_iter()
                .map(|step| {
                    (
                        step.title,
                        step.told.join(" "),
                        step.stages.join(" "),
                        step.workers.len(),
                    )
                })
                .collect::<Vec<_>>()
        };
        let all = row(
            "taking the change back",
            "master worker-1 worker-2",
            "setup ready",
            2,
        );
        assert_eq!(back(&change, "nobody"), std::slice::from_ref(&all));
        let drained = [row("letting go of worker-3", "master", "drain", 3), all];
        assert_eq!(
            back(&change, "worker-3"),
            drained,
            "it may hold blocks already"
        );
        (change.steps, change.at, change.notified_nodes) = (
            plan_steps(&from, &to, &old, &old, 1),
            0,
            vec!["master".to_owned()],
        );
        assert_eq!(
            back(&change, "nobody"),
            [row("taking the change back", "master", "", 2)],
            "only variables went out"
        );
    }

    #[test]
    fn workers_that_were_to_leave_are_called_back_after_the_master_and_may_be_dead() {
        let from = spec().with_ids(vec![1, 2]);
        let to = from.with_ids(vec![1]);
        let same = installed("a", "a");
        let mut change = ClusterChange {
            to: to.clone(),
            steps: plan_steps(&from, &to, &same, &same, 1),
            notified_nodes: vec!["master".into()],
            ..nothing()
        };
        let wanted = [
            row("taking the change back", "master", "setup ready", 2),
            row(
                "taking the change back on worker-2",
                "worker-2",
                "setup ready",
                2,
            ),
        ];
        let shown = |steps: &[RolloutStep]| -> Vec<_> {
            steps
                .iter()
                .map(|step| {
                    (
                        step.title.clone(),
                        step.told.join(" "),
                        step.stages.join(" "),
                        step.workers.len(),
                    )
                })
                .collect()
        };
        let first = plan_rollback(&from, &change, |_| true, 2);
        assert_eq!(shown(&first), wanted);
        assert_eq!(
            first
                .iter()
                .map(|step| step.may_be_dead)
                .collect::<Vec<_>>(),
            [false, true]
        );
        (change.steps, change.at, change.rolling_back_because) = (first, 0, Some("no".into()));
        assert_eq!(
            shown(&plan_rollback(&from, &change, |_| true, 4)),
            wanted,
            "and once more where that failed"
        );
    }

    #[test]
    fn answers_count_when_they_are_of_this_step() {
        let step = RolloutStep {
            told: vec!["master".into(), "worker-1".into()],
            generation: 4,
            ..drain_step(&[], &[])
        };
        let answer = |generation, error: Option<&str>| ChangeReport {
            generation,
            error: error.map(str::to_owned),
        };
        let said = |pairs: &[(&str, ChangeReport)]| {
            pairs
                .iter()
                .map(|(node, answer)| ((*node).to_owned(), answer.clone()))
                .collect()
        };
        assert_eq!(
            step_status(&step, &said(&[("master", answer(4, None))])),
            StepStatus::Missing(vec!["worker-1".into()])
        );
        let old = said(&[
            ("master", answer(4, None)),
            ("worker-1", answer(3, Some("old"))),
        ]);
        assert_eq!(
            step_status(&step, &old),
            StepStatus::Missing(vec!["worker-1".into()])
        );
        assert_eq!(
            step_status(
                &step,
                &said(&[("master", answer(4, None)), ("worker-1", answer(4, None))])
            ),
            StepStatus::Done
        );
        assert_eq!(
            step_status(&step, &said(&[("worker-1", answer(4, Some("no")))])),
            StepStatus::Failed("worker-1: no".into())
        );
    }

    fn nothing() -> ClusterChange {
        ClusterChange {
            attributes: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            to: spec(),
            installed: FileDigests::new(),
            steps: Vec::new(),
            at: 0,
            sent_s: None,
            notified_nodes: Vec::new(),
            added: Vec::new(),
            rolling_back_because: None,
        }
    }
}
