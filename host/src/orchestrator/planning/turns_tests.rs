//! Who takes turns with whom, as tables.

use super::*;
use crate::cluster::component::ComponentMember;

fn placed(component: &str, nodes: &[String]) -> ComponentPlacement {
    let members = (1..).zip(nodes).map(|(index, node)| ComponentMember {
        node: node.clone(),
        index,
    });
    ComponentPlacement {
        component: component.to_owned(),
        members: members.collect(),
    }
}

fn workers(count: usize) -> Vec<String> {
    (1..=count).map(|id| format!("worker-{id}")).collect()
}

fn node(name: &str, restarts: &[&str]) -> TurnNode {
    TurnNode {
        name: name.to_owned(),
        restarts: restarts.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn shown(turns: &[Vec<String>]) -> Vec<String> {
    turns.iter().map(|turn| turn.join(" ")).collect()
}

#[test]
fn nodes_of_earlier_components_come_first_and_quiet_ones_last_and_together() {
    let placements = [
        placed("namenode", &["master".to_owned()]),
        placed("datanode", &workers(3)),
        placed("voter", &workers(2)),
    ];
    let turns = take_turns(
        vec![
            node("edge", &[]),
            node("worker-3", &["datanode"]),
            node("worker-2", &["voter"]),
            node("worker-1", &["datanode", "voter"]),
            node("edge-2", &[]),
            node("master", &["namenode"]),
        ],
        &placements,
    );
    assert_eq!(
        shown(&turns),
        ["master", "worker-1", "worker-3", "worker-2", "edge edge-2"]
    );
}

#[test]
fn at_most_a_tenth_and_at_least_one_of_each_component_restart_at_a_time() {
    for (count, first) in [(1, 1), (10, 1), (19, 1), (20, 2), (250, 25)] {
        let all = workers(count);
        let placements = [placed("datanode", &all), placed("voter", &all[..1])];
        let nodes = all.iter().map(|name| node(name, &["datanode"]));
        let turns = take_turns(nodes.collect(), &placements);
        assert_eq!(turns[0].len(), first, "{count}");
        assert_eq!(turns.concat(), all, "each once, by index");
    }
    // Each component counts by itself: of three voters one at a time, whatever else they have.
    let all = workers(30);
    let placements = [
        placed("datanode", &all),
        placed("voter", &all[..3]),
        placed("namenode", &["master".to_owned()]),
    ];
    let nodes = all.iter().map(|name| {
        let is_voter = placements[1].has(name);
        node(
            name,
            if is_voter {
                &["datanode", "voter"]
            } else {
                &["datanode"]
            },
        )
    });
    let turns = take_turns(nodes.collect(), &placements);
    for turn in &turns {
        let voters = turn.iter().filter(|name| placements[1].has(name)).count();
        assert!(voters <= 1 && turn.len() <= 3, "{turn:?}");
    }
    assert_eq!(turns.concat().len(), 30);
    assert_eq!(
        turns.len(),
        10,
        "nobody waits for those that do not restart what it does"
    );
}

#[test]
fn what_every_node_has_says_nothing_of_who_comes_first() {
    let all = ["master".to_owned(), "worker-1".to_owned()];
    let placements = [
        placed("node", &all),
        placed("worker", &all[1..]),
        placed("client", &all),
    ];
    let turns = take_turns(
        vec![
            node("master", &["node", "client"]),
            node("worker-1", &["node", "worker"]),
        ],
        &placements,
    );
    assert_eq!(shown(&turns), ["master", "worker-1"]);
}
