//! The steps back, as tables.

use super::*;
use crate::{
    cluster::{ClusterSpec, GroupSpec, NodeGroups, change::FileDigests, test_groups::group},
    orchestrator::rollout::steps::{
        plan_steps,
        tests::{ALIKE, FOUR, OTHER, THREE, change, lines},
    },
};

/// The change whose step `at` is under way, by the nodes that were told until then.
pub(crate) fn under_way(nodes: &ChangeNodes, at: usize, added: &[u32]) -> ClusterChange {
    let steps = plan_steps(nodes, 1);
    let mut told: Vec<String> = Vec::new();
    for node in steps.iter().take(at + 1).flat_map(|step| &step.told) {
        if !told.contains(node) {
            told.push(node.clone());
        }
    }
    let worker: GroupSpec = group("worker", 3);
    ClusterChange {
        attributes: Default::default(),
        endpoints: Default::default(),
        to: ClusterSpec {
            groups: NodeGroups::new([worker]),
            ..ClusterSpec::default()
        },
        installed: FileDigests::new(),
        steps,
        at,
        sent_s: Some(1),
        notified_nodes: told,
        added: NodeIds::from([("worker".to_owned(), added.to_vec())]),
        rolling_back_because: None,
        resolved: None,
        upgrade: nodes.upgrade,
        replaced: Default::default(),
    }
}

fn back(nodes: &ChangeNodes, change: &ClusterChange, reported: &str) -> Vec<RolloutStep> {
    let steps = plan_rollback(nodes, change, |node| node == reported, 9);
    let generations: Vec<u32> = steps.iter().map(|step| step.generation).collect();
    assert_eq!(generations, (9..).take(steps.len()).collect::<Vec<u32>>());
    steps
}

#[test]
fn those_that_were_told_get_their_former_files_in_turns() {
    let nodes = change(THREE, THREE, [ALIKE, OTHER]);
    let change = under_way(&nodes, 1, &[]);
    assert_eq!(
        lines(&back(&nodes, &change, "nobody")),
        [
            "taking the change back | master | setup ready |  | Before",
            "taking the change back on worker-1 | worker-1 | setup ready |  | Before",
        ]
    );
}

#[test]
fn new_nodes_that_may_hold_something_are_let_go_and_those_who_heard_of_them_hear_again() {
    let nodes = change(THREE, FOUR, [ALIKE, ALIKE]);
    let taking_in = under_way(&nodes, 1, &[3]);
    let steps = back(&nodes, &taking_in, "worker-3");
    assert_eq!(
        lines(&steps),
        [
            "letting go of worker-3 | master | drain | resourcemanager namenode | Joined",
            "taking the change back | master | setup ready |  | Before",
            "members are as before | master | members | resourcemanager | Before",
        ]
    );
    assert_eq!(steps[0].leaving, ["worker-3"]);
    // One that never said anything holds nothing, and must not be made once more.
    let steps = back(&nodes, &taking_in, "nobody");
    assert_eq!(steps.len(), 2);
    assert!(steps.iter().all(|step| step.nodes["worker"] == [1, 2]));
    // While it was only added, nobody had heard of it.
    let adding = under_way(&nodes, 0, &[3]);
    assert_eq!(
        lines(&back(&nodes, &adding, "nobody")),
        ["taking the change back |  |  |  | Before"]
    );
}

#[test]
fn who_was_to_leave_is_called_back_last_and_may_be_dead() {
    let nodes = change(FOUR, THREE, [ALIKE, ALIKE]);
    // Where Heat refuses to take it away, it is still there.
    for (at, sent_s) in [(0, Some(1)), (1, None)] {
        let mut leaving = under_way(&nodes, at, &[]);
        leaving.sent_s = sent_s;
        let wanted = [
            "taking the change back | master | setup ready |  | Before",
            "taking the change back on worker-3 | worker-3 | setup ready |  | Before",
            "members are as before | master | members | resourcemanager | Before",
        ];
        let steps = back(&nodes, &leaving, "nobody");
        assert_eq!(lines(&steps), wanted, "step {at}");
        let may_be_dead: Vec<bool> = steps.iter().map(|step| step.may_be_dead).collect();
        assert_eq!(may_be_dead, [false, true, false]);
        (leaving.steps, leaving.at) = (steps, 0);
        leaving.rolling_back_because = Some("no".to_owned());
        let again = back(&nodes, &leaving, "nobody");
        assert_eq!(lines(&again), wanted, "once more where that failed");
    }
}

#[test]
fn who_was_taken_away_is_told_nothing_since_it_boots_anew() {
    let nodes = change(FOUR, THREE, [ALIKE, ALIKE]);
    for at in [1, 2] {
        let mut leaving = under_way(&nodes, at, &[]);
        let wanted = [
            "taking the change back | master | setup ready |  | Before",
            "members are as before | master | members | resourcemanager | Before",
        ];
        let steps = back(&nodes, &leaving, "nobody");
        assert_eq!(lines(&steps), wanted, "step {at}");
        assert!(steps.iter().all(|step| step.nodes["worker"] == [1, 2, 3]));
        (leaving.steps, leaving.at) = (steps, 0);
        leaving.rolling_back_because = Some("no".to_owned());
        let again = back(&nodes, &leaving, "nobody");
        assert_eq!(lines(&again), wanted, "once more where that failed");
    }
}
