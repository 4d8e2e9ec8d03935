//! Groups of a cluster: names and ids that never move, and what former versions have written.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cluster::{
    ClusterPins, ClusterSpec, RolloutStep,
    change::NodeFlavors,
    group_addresses::GroupAddresses,
    limits::{MAX_CLUSTER_NODES, MAX_GROUP_NAME_CHARS, MAX_NAME_CHARS, MAX_NODE_ID},
    test_groups::{group, with_master},
};

fn three() -> NodeGroups {
    let mut groups = NodeGroups::default();
    groups.add(group("edge", 1));
    groups
}

#[test]
fn a_group_that_begins_with_one_node_keeps_the_bare_name_for_it() {
    let mut groups = three();
    groups.add(group("zoo", 3));
    let wanted = [
        "master", "worker-1", "worker-2", "edge", "zoo-1", "zoo-2", "zoo-3",
    ];
    assert_eq!(groups.node_names(), wanted);
    let grown = groups.with_ids(&NodeIds::from([
        ("master".to_owned(), vec![1, 2]),
        ("worker".to_owned(), vec![1]),
        ("edge".to_owned(), vec![1, 2]),
        ("zoo".to_owned(), vec![2]),
    ]));
    let wanted = ["master", "master-2", "worker-1", "edge", "edge-2", "zoo-2"];
    assert_eq!(grown.node_names(), wanted);
    for node in grown.node_names() {
        let (group, id) = grown.find_node(&node).unwrap();
        assert_eq!(group.node_name(id), node);
    }
    for nobody in ["edge-1", "edge-02", "worker", "edge-", "edges", "host", ""] {
        assert_eq!(grown.find_node(nobody), None, "{nobody}");
    }
}

#[test]
fn the_longest_name_of_a_server_is_a_host_name() {
    let group = "g".repeat(MAX_GROUP_NAME_CHARS);
    let node = self::group(&group, 2).node_name(MAX_NODE_ID);
    let server = format!("{}-{node}", "c".repeat(MAX_NAME_CHARS));
    assert!(server.len() <= 63, "{}", server.len());
    // Heat's names of resources and parameters, which bear it, have 255.
    assert!(format!("stampede_change_{group}").len() <= 255);
}

#[test]
fn nodes_that_join_leave_and_are_in_both_are_told_by_group() {
    let ids = |worker: &[u32], edge: &[u32]| {
        let mut ids = with_master(worker);
        ids.insert("edge".to_owned(), edge.to_vec());
        ids
    };
    let (before, after) = (ids(&[1, 2], &[1]), ids(&[2, 3], &[1, 2]));
    let of = |ids: &NodeIds| three().names_of(ids);
    assert_eq!(of(&nodes_beyond(&after, &before)), ["worker-3", "edge-2"]);
    assert_eq!(of(&nodes_beyond(&before, &after)), ["worker-1"]);
    let both = join_nodes(&before, &after);
    assert_eq!(
        both,
        ids(&[1, 2, 3], &[1, 2]),
        "those that were there first"
    );
}

#[test]
fn a_change_that_is_taken_back_gives_no_id_out_again() {
    let before = NodeGroups::default();
    let mut after = three();
    after.get_mut("worker").unwrap().count = 4;
    let mut kept = before.clone();
    kept.keep_given_ids(&after);
    assert_eq!(kept.node_names(), before.node_names());
    assert_eq!(kept.get("worker").unwrap().last_id(), 4);
    let edge = kept.get("edge").unwrap();
    assert!(edge.is_empty() && edge.last_id() == 1);
}

#[test]
fn what_is_written_is_by_groups_and_short_where_nothing_was_changed() {
    let spec = ClusterSpec {
        groups: three(),
        ..ClusterSpec::default()
    };
    let written = serde_json::to_value(&spec).unwrap();
    assert_eq!(
        written["groups"],
        json!([
            { "name": "master", "count": 1, "bare_first": true },
            { "name": "worker", "count": 2 },
            { "name": "edge", "count": 1, "bare_first": true },
        ])
    );
    let read: ClusterSpec = serde_json::from_value(written).unwrap();
    assert_eq!(read, spec);
}

#[test]
fn a_spec_of_a_former_version_is_read_as_a_master_and_workers() {
    let mut former = serde_json::to_value(ClusterSpec::default()).unwrap();
    let fields = former.as_object_mut().unwrap();
    fields.remove("groups");
    let refused = serde_json::from_value::<ClusterSpec>(former.clone()).unwrap_err();
    assert!(refused.to_string().contains("groups"), "{refused}");
    former["workers"] = json!(2);
    former["worker_ids"] = json!([1, 3]);
    former["ids_given"] = json!(4);
    former["master_flavor"] = json!("large");
    former["worker_flavor"] = json!("small");
    let read: ClusterSpec = serde_json::from_value(former).unwrap();
    assert_eq!(read.node_names(), ["master", "worker-1", "worker-3"]);
    assert_eq!(read.flavors(), [Some("large"), Some("small")]);
    assert_eq!(read.worker_group().last_id(), 4);
}

#[test]
fn pins_flavors_and_steps_of_a_former_version_are_read_by_groups() {
    let size = |name: &str| json!({ "name": name, "vcpus": 1, "ram_mib": 2, "disk_gib": 3 });
    let flavors = json!({ "master": size("m"), "worker": size("w") });
    let read: NodeFlavors = serde_json::from_value(flavors.clone()).unwrap();
    assert_eq!(read.groups["worker"].name, "w");
    assert_eq!(read.groups["master"].name, "m");
    let pins = json!({ "image_id": "i", "worker_flavor_id": "w", "flavors": flavors });
    let pins: ClusterPins = serde_json::from_value(pins).unwrap();
    let made_of = |group: &str| {
        let pins = &pins.groups[group];
        (pins.image_id.as_deref(), pins.flavor_id.as_deref())
    };
    assert_eq!(made_of("master"), (Some("i"), None));
    assert_eq!(made_of("worker"), (Some("i"), Some("w")));
    let again: ClusterPins = serde_json::from_str(&serde_json::to_string(&pins).unwrap()).unwrap();
    assert_eq!(again, pins);
    let step = json!({
        "title": "", "generation": 1, "workers": [1, 3], "settled": true, "told": [],
        "stages": [], "leaving": [],
    });
    let step: RolloutStep = serde_json::from_value(step).unwrap();
    assert_eq!(step.nodes, with_master(&[1, 3]));
    let again: RolloutStep = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
    assert_eq!(again, step);
}

#[test]
fn the_most_nodes_of_a_cluster_are_those_of_its_largest_group_and_one() {
    assert_eq!(
        MAX_CLUSTER_NODES,
        crate::cluster::limits::MAX_GROUP_NODES + 1
    );
}

proptest! {
    /// Whatever groups grow, shrink and are added, a node that stays keeps its name and address,
    /// and no two nodes that there ever were share one.
    #[test]
    fn names_and_addresses_never_move(
        counts in prop::collection::vec((0_usize..5, 1_u32..40), 1..12),
        prefix in 20_u8..=22,
    ) {
        let network = format!("10.77.0.0/{prefix}").parse().unwrap();
        let network = GroupAddresses::new(network);
        let names = ["master", "worker", "edge", "zoo", "compute"];
        let mut groups = NodeGroups::default();
        let mut ever: BTreeMap<String, String> = BTreeMap::new();
        for (at, count) in counts {
            groups.add(group(names[at], 1));
            let mut nodes = groups.node_ids();
            let ids = nodes.entry(names[at].to_owned()).or_default();
            let mut last = groups.get(names[at]).unwrap().last_id();
            // The first one leaves, so that ids are not 1 to n.
            if ids.len() > 1 {
                ids.remove(0);
            }
            ids.truncate(count as usize);
            while ids.len() < count as usize {
                last += 1;
                ids.push(last);
            }
            groups = groups.with_ids(&nodes);
            for (place, group) in groups.iter().enumerate() {
                for id in group.node_ids() {
                    let Some(address) = network.address(place, id) else { continue };
                    let (name, address) = (group.node_name(id), address.to_string());
                    let before = ever.insert(name.clone(), address.clone());
                    prop_assert!(before.is_none_or(|before| before == address), "{}", name);
                }
            }
        }
        let mut addresses: Vec<&String> = ever.values().collect();
        addresses.sort();
        addresses.dedup();
        prop_assert_eq!(addresses.len(), ever.len());
    }
}
