//! Which nodes there are to be, group by group.

use super::*;
use crate::{
    cluster::{limits::MAX_NODE_ID, problem::lines, test_groups::group},
    orchestrator::planning::resolve::tests_support::spec,
};

fn three() -> ClusterSpec {
    let mut spec = spec();
    spec.groups.add(group("edge", 1));
    spec
}

/// The names of the nodes with these counts, after these have been taken away.
fn chosen(
    from: &ClusterSpec,
    counts: &[(&str, u32)],
    remove: &[&str],
) -> Result<Vec<String>, String> {
    let mut to = from.clone();
    for (group, count) in counts {
        to.groups.get_mut(group).unwrap().count = *count;
    }
    let mut by_group: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in remove {
        let group = node.split('-').next().unwrap().to_owned();
        by_group.entry(group).or_default().push((*node).to_owned());
    }
    let is_counted = |group: &str| counts.iter().any(|(name, _)| *name == group);
    choose_nodes(from, to, &by_group, is_counted)
        .map(|spec| spec.node_names())
        .map_err(|problems| lines(&problems))
}

#[test]
fn each_group_grows_and_shrinks_by_itself() {
    let from = three();
    let told = |counts: &[(&str, u32)], remove: &[&str]| chosen(&from, counts, remove).unwrap();
    assert_eq!(told(&[], &[]), ["master", "worker-1", "worker-2", "edge"]);
    assert_eq!(
        told(&[("edge", 3), ("worker", 1)], &[]),
        ["master", "worker-1", "edge", "edge-2", "edge-3"]
    );
    assert_eq!(
        told(&[("edge", 2)], &["worker-1"]),
        ["master", "worker-2", "edge", "edge-2"]
    );
    assert_eq!(
        told(&[("worker", 1)], &["worker-1"]),
        ["master", "worker-2", "edge"]
    );
}

#[test]
fn a_group_that_is_left_out_loses_all_its_nodes_whatever_else_is_said_of_them() {
    let from = three();
    let without = |remove: &[&str]| {
        let mut to = from.clone();
        let edge = to.groups.get_mut("edge").unwrap();
        *edge = edge.emptied();
        let named = remove.iter().map(|node| (*node).to_owned()).collect();
        let by_group = BTreeMap::from([("edge".to_owned(), named)]);
        choose_nodes(&from, to, &by_group, |_| false).map_err(|problems| lines(&problems))
    };
    for remove in [&[][..], &["edge"]] {
        let to = without(remove).unwrap();
        assert_eq!(to.node_names(), ["master", "worker-1", "worker-2"]);
        assert_eq!(to.groups.get("edge").unwrap().last_id(), 1);
    }
    assert_eq!(
        without(&["edge-7"]).unwrap_err(),
        "edge.remove: there is no edge `edge-7` (there are: edge)"
    );
}

#[test]
fn all_that_cannot_be_is_told_at_once() {
    let told = chosen(
        &three(),
        &[("worker", 7)],
        &["edge", "worker-1", "worker-9", "worker-8", "zoo-1"],
    );
    assert_eq!(
        told.unwrap_err(),
        "zoo.remove: there is no group `zoo` (there are: master, worker, edge)\n\
         workers.remove: there is no worker `worker-9` (there are: worker-1, worker-2)\n\
         workers.remove: there is no worker `worker-8` (there are: worker-1, worker-2)\n\
         edge.remove: no edge would be left (leave `edge` out of `groups` instead)"
    );
}

#[test]
fn ids_are_never_given_out_twice() {
    let from = three().with_workers(vec![1]);
    assert_eq!(from.worker_group().last_id(), 2);
    assert_eq!(
        chosen(&from, &[("worker", 2)], &[]).unwrap(),
        ["master", "worker-1", "worker-3", "edge"]
    );
    let mut taken_back = spec();
    taken_back.groups.keep_given_ids(&three().groups);
    assert_eq!(
        chosen(&taken_back, &[("edge", 2)], &[]).unwrap(),
        ["master", "worker-1", "worker-2", "edge-2", "edge-3"],
        "a group that was added and taken back"
    );
}

#[test]
fn the_last_id_of_a_group_is_the_last_one_that_has_an_address() {
    let with = |cidr: &str, last: u32| {
        let spec = spec().with_workers(vec![last - 1, last]);
        ClusterSpec {
            cidr: cidr.to_owned(),
            ..spec
        }
    };
    for (cidr, most, why) in [
        ("10.77.0.0/22", MAX_NODE_ID, "the last one there can be"),
        (
            "10.0.0.0/24",
            212,
            "the last one that `10.0.0.0/24` has an address for",
        ),
    ] {
        assert!(chosen(&with(cidr, most - 1), &[("worker", 3)], &[]).is_ok());
        let told = chosen(&with(cidr, most), &[("worker", 3)], &[]).unwrap_err();
        let wanted = format!(
            "workers: worker-{} would be the first above worker-{most}, {why} (ids are never given \
             out twice: deploy a new cluster)",
            most + 1
        );
        assert_eq!(told, wanted);
        assert!(chosen(&with(cidr, most), &[("worker", 1)], &[]).is_ok());
    }
}

#[test]
fn what_cannot_be_is_refused_under_the_groups_own_attributes() {
    let told =
        |counts: &[(&str, u32)], remove: &[&str]| chosen(&three(), counts, remove).unwrap_err();
    assert_eq!(
        told(&[], &["edge-2"]),
        "edge.remove: there is no edge `edge-2` (there are: edge)"
    );
    assert_eq!(
        told(&[], &["edge"]),
        "edge.remove: no edge would be left (leave `edge` out of `groups` instead)"
    );
    assert_eq!(
        told(&[], &["worker-1", "worker-2"]),
        "workers.remove: no worker would be left (delete the cluster instead)"
    );
    assert_eq!(
        told(&[], &["zoo-1"]),
        "zoo.remove: there is no group `zoo` (there are: master, worker, edge)"
    );
    assert_eq!(
        told(&[("worker", 3)], &["worker-1"]),
        "workers: 3 workers are asked for, and 1 are left without those named (leave `workers` out, \
         or let both say the same)"
    );
}

#[test]
fn all_groups_together_have_no_more_nodes_than_a_cluster_can_be_recovered_with() {
    let from = ClusterSpec {
        cidr: "10.77.0.0/20".to_owned(),
        ..three()
    };
    let most = MAX_CLUSTER_NODES - 3;
    assert!(chosen(&from, &[("edge", most)], &[]).is_ok());
    let refused = chosen(&from, &[("edge", most + 1)], &[]).unwrap_err();
    assert!(
        refused.contains("groups: have 252 nodes together"),
        "{refused}"
    );
    let instead = chosen(&from, &[("edge", most + 1)], &["worker-1"]);
    assert!(instead.is_ok(), "one leaves: {instead:?}");
}
