//! The nodes of a cluster as plugins are told of them: groups, ids, names, addresses; and whether
//! their flavors and numbers suit the frameworks. Pure.

use std::collections::BTreeMap;

use crate::{
    cluster::{
        ClusterSpec, GroupSpec, Problem, contract_bridge,
        default_groups::one_node,
        flavor_choice::{advise_flavor, fits},
        framework::{ClusterNode, NodeGroup, NodeResources, PluginDescriptor},
        group_addresses::GroupAddresses,
        group_value::attribute_of,
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

/// The smallest size of a node of each role over the whole chain.
pub fn smallest_resources(chain: &[&PluginDescriptor]) -> BTreeMap<String, NodeResources> {
    let mut sizes: BTreeMap<String, NodeResources> = BTreeMap::new();
    for role in chain.iter().flat_map(|descriptor| &descriptor.roles) {
        let size = sizes.entry(role.name.clone()).or_insert(role.smallest);
        *size = NodeResources {
            vcpus: size.vcpus.max(role.smallest.vcpus),
            ram_mib: size.ram_mib.max(role.smallest.ram_mib),
            disk_gib: size.disk_gib.max(role.smallest.disk_gib),
        };
    }
    sizes
}

/// Flavors that are too small, with one that is not; numbers of nodes that a framework does not run
/// on; roles that there are none of; groups on which nothing runs.
pub fn check_nodes(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    chain: &[&PluginDescriptor],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sizes = smallest_resources(chain);
    for group in spec.groups.iter().filter(|group| !group.is_empty()) {
        let flavor = chosen.of_group(&group.name);
        if let Some(size) = sizes.get(&group.name).filter(|size| !fits(&flavor, size)) {
            let has = format!("`{}` has {}", flavor.name, flavor.resources());
            let needs = format!(
                "{} needs {} MiB, {} vCPUs and {} GiB",
                one_node(&group.name),
                size.ram_mib,
                size.vcpus,
                size.disk_gib
            );
            problems.push(Problem::new(
                attribute_of(&group.name, "flavor"),
                format!("{has}; {needs}"),
                advise_flavor(&chosen.flavors, size),
            ));
        }
    }
    problems.extend(contract_bridge::check_groups(&spec.groups, chain));
    problems
}
