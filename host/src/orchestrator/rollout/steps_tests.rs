//! The steps of a change and those back, as tables.

use super::*;
use crate::{
    cluster::test_groups::{group, workers_alone},
    orchestrator::planning::resolve::tests_support::spec,
};

fn installed(master: &str, worker: &str) -> FileDigests {
    let of =
        |text: &str| BTreeMap::from([("/etc/hadoop/hdfs-site.xml".to_owned(), text.to_owned())]);
    BTreeMap::from([
        ("master".to_owned(), of(master)),
        ("worker".to_owned(), of(worker)),
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
                step.nodes["worker"].len(),
            )
        })
        .collect()
}

fn row(title: &str, told: &str, stages: &str, workers: usize) -> (String, String, String, usize) {
    (
        title.to_owned(),
        told.to_owned(),
        stages.to_owned(),
        workers,
    )
}

#[test]
fn more_workers_touch_no_old_node_but_for_the_masters_list() {
    let from = spec().with_workers(vec![1, 2]);
    let to = from.with_workers(vec![1, 2, 3]);
    assert_eq!(
        told(&from, &to, &installed("a", "a")),
        [row("adding worker-3", "master", "", 3)]
    );
}

#[test]
fn fewer_workers_are_let_go_before_they_are_taken_away() {
    let from = spec().with_workers(vec![1, 2, 3]);
    let to = from.with_workers(vec![1, 3]);
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
    let from = spec().with_workers((1..=2).collect());
    let wanted = [
        row("new settings on master", "master", "setup ready", 2),
        row("new settings on worker-1", "worker-1", "setup ready", 2),
        row("new settings on worker-2", "worker-2", "setup ready", 2),
    ];
    assert_eq!(told(&from, &from, &installed("b", "b")), wanted);
    assert_eq!(told(&from, &from, &installed("b", "a")), wanted[..1]);
    assert_eq!(told(&from, &from, &installed("a", "b")), wanted[1..]);
    let many = spec().with_workers((1..=250).collect());
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
    let from = spec().with_workers(vec![1, 2]);
    let to = from.with_workers(vec![2]);
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
    let from = spec().with_workers(vec![1, 2]);
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
    let from = spec().with_workers(vec![1, 2]);
    let to = from.with_workers(vec![1, 2, 3]);
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
        added: workers_alone(&[3]),
        rolling_back_because: None,
        resolved: None,
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
                    step.nodes["worker"].len(),
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
    let from = spec().with_workers(vec![1, 2]);
    let to = from.with_workers(vec![1]);
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
                    step.nodes["worker"].len(),
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
        ..drain_step(&spec(), &[], &NodeIds::new())
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
        added: NodeIds::new(),
        rolling_back_because: None,
        resolved: None,
    }
}

#[test]
fn three_groups_take_turns_in_their_order_and_come_and_go_together() {
    let mut from = spec();
    from.groups.add(group("edge", 1));
    let mut new = installed("b", "b");
    let mut old = installed("a", "a");
    old.insert("edge".to_owned(), old["worker"].clone());
    new.insert("edge".to_owned(), new["worker"].clone());
    let ids = |worker: &[u32], edge: &[u32], zoo: &[u32]| {
        let all = [
            ("master", &[1][..]),
            ("worker", worker),
            ("edge", edge),
            ("zoo", zoo),
        ];
        all.map(|(group, ids)| (group.to_owned(), ids.to_vec()))
            .into()
    };
    let mut to = from.clone();
    to.groups.add(group("zoo", 2));
    let to = to.with_nodes(&ids(&[2], &[1, 2], &[1, 2]));
    let steps = plan_steps(&from, &to, &old, &new, 1);
    let shown: Vec<(&str, String)> = steps
        .iter()
        .map(|step| (step.title.as_str(), step.told.join(" ")))
        .collect();
    let row = |title, told: &str| (title, told.to_owned());
    assert_eq!(
        shown,
        [
            row("new settings on master", "master"),
            row("new settings on worker-2", "worker-2"),
            row("new settings on edge", "edge"),
            row("adding edge-2, zoo-1, zoo-2", "master"),
            row("letting go of worker-1", "master"),
            row("taking away worker-1", "master"),
        ]
    );
    let before: NodeIds = ids(&[1, 2], &[1], &[]);
    let before: NodeIds = before
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    assert_eq!(steps[0].nodes, before);
    assert_eq!(
        steps[3].nodes,
        ids(&[1, 2], &[1, 2], &[1, 2]),
        "who leaves is there"
    );
    assert_eq!(steps[5].nodes, ids(&[2], &[1, 2], &[1, 2]));
    // Back: of groups that nobody lets go the new ones are taken away at once, and the groups are as
    // before.
    let change = ClusterChange {
        to: to.clone(),
        added: nodes_beyond(&to.node_ids(), &from.node_ids()),
        at: 3,
        notified_nodes: vec!["master".to_owned(), "edge".to_owned()],
        steps,
        ..nothing()
    };
    let back = plan_rollback(&from, &change, |node| node != "zoo-1", 9);
    let shown: Vec<&str> = back.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(shown, ["taking the change back"]);
    assert_eq!(back[0].nodes, before);
    assert_eq!(back[0].told, ["master", "edge"]);
}

#[test]
fn a_group_goes_with_workers_that_alone_are_let_go_and_both_are_called_back() {
    let mut from = spec().with_workers(vec![1, 2]);
    from.groups.add(group("edge", 2));
    let mut to = from.with_workers(vec![1]);
    let edge = to.groups.get_mut("edge").unwrap();
    *edge = edge.emptied();
    let mut old = installed("a", "a");
    old.insert("edge".to_owned(), old["worker"].clone());
    let steps = plan_steps(&from, &to, &old, &installed("a", "a"), 1);
    let shown: Vec<(&str, &[String])> = steps
        .iter()
        .map(|step| (step.title.as_str(), step.leaving.as_slice()))
        .collect();
    assert_eq!(
        shown,
        [
            ("letting go of worker-2", &["worker-2".to_owned()][..]),
            ("taking away worker-2, edge-1, edge-2", &[]),
        ]
    );
    let back = |at: usize| {
        let change = ClusterChange {
            to: to.clone(),
            at,
            notified_nodes: vec!["master".to_owned()],
            steps: steps.clone(),
            ..nothing()
        };
        let back = plan_rollback(&from, &change, |_| true, 9);
        assert!(back.iter().all(|step| step.nodes == from.node_ids()));
        back.last().unwrap().told.clone()
    };
    assert_eq!(back(0), ["worker-2"]);
    assert_eq!(back(1), ["worker-2", "edge-1", "edge-2"]);
}
