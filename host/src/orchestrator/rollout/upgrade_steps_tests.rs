//! The steps of an upgrade, as tables.

use super::tests::{ALIKE, OTHER, THREE, change, lines, planned};
use super::*;
use crate::bundle::node_script::NodeFile;
use crate::cluster::ClusterChange;
use crate::orchestrator::rollout::steps_back::{plan_rollback, tests::under_way};

/// An upgrade of three nodes with so much on the master's and on the workers' in a new file.
fn upgrade(sizes: [usize; 2]) -> ChangeNodes {
    let mut nodes = change(THREE, THREE, [ALIKE, OTHER]);
    nodes.upgrade = Some(5);
    for (class, content) in &mut nodes.rests[1].contents {
        content.files.push(NodeFile {
            mode: 0o644,
            path: "/conf".to_owned(),
            // What no packing makes much smaller.
            content: (0..sizes[usize::from(class != "master")])
                .map(|n| crate::bundle::to_hex(&(n * 7_919).to_be_bytes()))
                .collect(),
        });
    }
    for rest in &mut nodes.rests[1..] {
        for files in rest.installed.values_mut() {
            files.insert("/opt/stampede/manifest".to_owned(), "new".to_owned());
        }
    }
    nodes
}

#[test]
fn an_upgrade_brings_files_first_and_gives_the_stack_what_is_new_last() {
    let turns = |title: &str, node: &str| {
        format!("{title} {node} | {node} | setup ready |  | Before/Settled")
    };
    let brought = |title: &str, nodes: &str| format!("{title} | {nodes} |  |  | Before/Settled");
    let turns = ["master", "worker-1", "worker-2"].map(|node| turns("new plugins on", node));
    let last = "what the cloud has of it |  |  |  | Done".to_owned();
    let all = "master worker-1 worker-2";
    let mut wanted = vec![brought("bringing what is new", all)];
    wanted.extend(turns.clone());
    wanted.push(last.clone());
    assert_eq!(planned(&upgrade([1, 1])), wanted);

    let mut wanted = vec![
        brought("bringing what is new (1 of 2)", all),
        brought("bringing what is new (2 of 2)", "worker-1 worker-2"),
    ];
    wanted.extend(turns);
    wanted.push(last.clone());
    let nodes = upgrade([1, 7_000]);
    assert_eq!(planned(&nodes), wanted);
    let parts: Vec<Option<u32>> = plan_steps(&nodes, 5)
        .iter()
        .map(|step| step.brings)
        .collect();
    assert_eq!(parts, [Some(0), Some(1), None, None, None, None]);

    // Nothing that a node knows.
    let mut nodes = change(THREE, THREE, [ALIKE, ALIKE]);
    nodes.upgrade = Some(5);
    assert_eq!(planned(&nodes), [last]);
}

#[test]
fn only_nodes_that_have_replaced_something_are_told_on_the_way_back() {
    let nodes = upgrade([1, 1]);
    let back = |at| {
        lines(&plan_rollback(
            &nodes,
            &under_way(&nodes, at, &[]),
            |_| true,
            9,
        ))
    };
    // Another that was only brought files may be dead.
    assert_eq!(back(0), ["taking the change back |  |  |  | Before"]);
    assert_eq!(
        back(1),
        ["taking the change back | master | setup ready |  | Before"]
    );
    let twice = ClusterChange {
        steps: plan_rollback(&nodes, &under_way(&nodes, 1, &[]), |_| true, 9),
        rolling_back_because: Some("no".to_owned()),
        ..under_way(&nodes, 1, &[])
    };
    assert_eq!(
        lines(&plan_rollback(&nodes, &twice, |_| true, 12)),
        ["taking the change back | master | setup ready |  | Before"]
    );
}
