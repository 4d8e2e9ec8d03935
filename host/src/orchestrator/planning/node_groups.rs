//! The nodes of a cluster with their flavors, ids, names and addresses. Pure.

use crate::{
    cluster::{
        ClusterSpec, GroupSpec,
        framework::{ClusterNode, NodeGroup},
        group_addresses::GroupAddresses,
    },
    orchestrator::planning::planner::ResolvedFlavors,
};

/// The groups that have nodes, in their order.
pub fn node_groups(spec: &ClusterSpec, chosen: &ResolvedFlavors) -> Vec<NodeGroup> {
    let network = spec.cidr.parse().ok().map(GroupAddresses::new);
    let node = |place: usize, group: &GroupSpec, id: u32| {
        let address = network.and_then(|network| network.address(place, id));
        ClusterNode {
            id,
            name: group.node_name(id),
            // What has none was refused with the spec.
            address: address
                .map(|address| address.to_string())
                .unwrap_or_default(),
        }
    };
    let placed = spec.groups.iter().enumerate();
    placed
        .filter(|(_, group)| !group.is_empty())
        .map(|(place, group)| NodeGroup {
            role: group.name.clone(),
            flavor: chosen.of_group(&group.name),
            image: spec.image_of(group).unwrap_or_default().to_owned(),
            nodes: group
                .node_ids()
                .into_iter()
                .map(|id| node(place, group, id))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_groups::group;
    use crate::cluster::{CloudAccess, Flavor, attribute_schema::default_spec};

    #[test]
    fn nodes_have_addresses_by_their_groups_and_ids() {
        let mut spec = default_spec().with_workers((1..=250).collect());
        spec.image = Some("debian-12".to_owned());
        let mut edge = group("edge", 1);
        edge.image = Some("other".to_owned());
        spec.groups.add(edge);
        let flavor = Flavor {
            name: "tiny".to_owned(),
            vcpus: 1,
            ram_mib: 2_048,
            disk_gib: 20,
        };
        let chosen = ResolvedFlavors {
            flavors: Vec::new(),
            groups: [("edge".to_owned(), flavor)].into(),
            signal_transport: String::new(),
            access: CloudAccess::default(),
        };
        let groups = node_groups(&spec, &chosen);
        let told = |at: usize, node: usize| {
            let node = &groups[at].nodes[node];
            (node.name.as_str(), node.address.as_str())
        };
        assert_eq!(told(0, 0), ("master", "10.77.0.10"));
        assert_eq!(told(1, 0), ("worker-1", "10.77.0.11"));
        assert_eq!(told(1, 249), ("worker-250", "10.77.1.4"));
        assert_eq!(told(2, 0), ("edge", "10.77.2.67"));
        assert_eq!(
            (groups[1].image.as_str(), groups[2].image.as_str()),
            ("debian-12", "other")
        );
        assert_eq!(groups[2].flavor.name, "tiny");
        let mut without = spec.clone();
        let gone = without.groups.get("edge").map(GroupSpec::emptied).unwrap();
        *without.groups.get_mut("edge").unwrap() = gone;
        assert_eq!(node_groups(&without, &chosen).len(), 2, "who has no nodes");
    }
}
