//! The components of a cluster on its nodes, and the groups that the host makes because a component
//! has nowhere else to go. Pure.

use std::collections::BTreeMap;

use super::placement::{PlacementGroup, check_made_groups, missing_groups, place_components};
use crate::bundle::node_classes::name_classes;
use crate::cluster::component::{ComponentPlacement, ComponentSpec};
use crate::cluster::group_addresses::GroupAddresses;
use crate::cluster::group_attributes::sized_new_group;
use crate::cluster::group_value::GROUPS_ATTRIBUTE;
use crate::cluster::limits::MAX_GROUP_NODES;
use crate::cluster::{ClusterSpec, Problem};

/// A cluster whose components have their nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedCluster {
    /// What was asked for, with the groups that the host has made behind all others.
    pub spec: ClusterSpec,
    /// Every component, in the order.
    pub placements: Vec<ComponentPlacement>,
}

/// Places components. `recorded` is where they were before.
///
/// # Errors
/// All that cannot be placed, at once; or, before that, the groups that cannot be made.
pub fn place_cluster(
    spec: &ClusterSpec,
    components: &[ComponentSpec],
    recorded: &[ComponentPlacement],
) -> Result<PlacedCluster, Vec<Problem>> {
    let missing = missing_groups(components, &placement_groups(spec));
    let spec = with_groups(spec, &missing)?;
    let placements = place_components(components, &placement_groups(&spec), recorded)?;
    Ok(PlacedCluster { spec, placements })
}

/// The group of each node.
pub fn groups_of_nodes(spec: &ClusterSpec) -> BTreeMap<String, String> {
    let groups = spec.groups.with_nodes();
    groups
        .flat_map(|group| {
            let nodes = group.node_names().into_iter();
            nodes.map(|node| (node, group.name.clone()))
        })
        .collect()
}

/// The name of each node's class.
pub fn classes_of_nodes(
    spec: &ClusterSpec,
    placements: &[ComponentPlacement],
) -> BTreeMap<String, String> {
    name_classes(placements, &groups_of_nodes(spec))
}

/// Groups that were left without nodes, too: they are not made anew.
fn placement_groups(spec: &ClusterSpec) -> Vec<PlacementGroup> {
    let groups = spec.groups.iter();
    groups
        .map(|group| PlacementGroup {
            name: group.name.clone(),
            nodes: group.node_names(),
            wishes: group.components.clone(),
        })
        .collect()
}

/// The same with these groups, each of so many nodes. That no plugin asks for one of a name that no
/// group can have was seen when it was loaded.
fn with_groups(
    spec: &ClusterSpec,
    missing: &BTreeMap<String, u32>,
) -> Result<ClusterSpec, Vec<Problem>> {
    let mut problems = check_made_groups(&placement_groups(spec), missing);
    let mut made = spec.clone();
    for (name, count) in missing {
        if *count > MAX_GROUP_NODES {
            problems.push(Problem::new(
                GROUPS_ATTRIBUTE,
                format!(
                    "with `{name}`, which the frameworks need, one has {count} nodes, a group has at most {MAX_GROUP_NODES}"
                ),
                "name its components by GROUP.components on another group",
            ));
        }
        made.groups.add(sized_new_group(name, *count));
    }
    if problems.is_empty()
        && !missing.is_empty()
        && let Ok(network) = made.cidr.parse()
    {
        let fits = GroupAddresses::new(network).check("network.cidr", &made.groups);
        problems.extend(fits.err());
    }
    if problems.is_empty() {
        Ok(made)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::attribute_schema::default_spec;
    use crate::cluster::limits::{MAX_CLUSTER_NODES, MAX_GROUPS};
    use crate::cluster::problem::lines;

    fn component(name: &str, group: &str, nodes: u32) -> ComponentSpec {
        ComponentSpec {
            name: name.to_owned(),
            groups: vec![group.to_owned()],
            nodes,
            ..ComponentSpec::default()
        }
    }

    fn groups_of(spec: &ClusterSpec) -> Vec<(&str, u32)> {
        let groups = spec.groups.iter();
        groups
            .map(|group| (group.name.as_str(), group.count))
            .collect()
    }

    #[test]
    fn a_group_is_made_for_what_has_nowhere_to_go() {
        let all = [
            component("namenode", "master", 1),
            component("kafka_controller", "controller", 3),
            component("gateway", "edge", 0),
        ];
        let placed = place_cluster(&default_spec(), &all, &[]).unwrap();
        assert_eq!(
            groups_of(&placed.spec),
            [("master", 1), ("worker", 2), ("controller", 3), ("edge", 1)]
        );
        let nodes: Vec<&str> = placed
            .placements
            .iter()
            .flat_map(|placement| &placement.members)
            .map(|member| member.node.as_str())
            .collect();
        assert_eq!(
            nodes,
            [
                "master",
                "controller-1",
                "controller-2",
                "controller-3",
                "edge"
            ]
        );
        let groups = groups_of_nodes(&placed.spec);
        assert_eq!(
            (groups.len(), groups["controller-2"].as_str()),
            (7, "controller")
        );
        // Without what it was made for, and where the user says another, there is none.
        let without = place_cluster(&default_spec(), &all[..1], &[]).unwrap();
        assert_eq!(groups_of(&without.spec), [("master", 1), ("worker", 2)]);
        let mut moved = default_spec();
        moved.groups.get_mut("worker").unwrap().components = vec![("gateway".to_owned(), Some(1))];
        let moved = place_cluster(&moved, &all[2..], &[]).unwrap();
        assert_eq!(moved.placements[0].members[0].node, "worker-1");
        assert_eq!(groups_of(&moved.spec), [("master", 1), ("worker", 2)]);
    }

    #[test]
    fn groups_that_cannot_be_made_are_refused() {
        let large = ClusterSpec {
            cidr: "10.0.0.0/16".to_owned(),
            ..default_spec()
        };
        let told = |count: usize, nodes: u32| {
            let all: Vec<ComponentSpec> = (0..count)
                .map(|at| component(&format!("c{at}"), &format!("g{at}"), nodes))
                .collect();
            place_cluster(&large, &all, &[]).map_err(|problems| lines(&problems))
        };
        assert!(told(MAX_GROUPS - 2, 1).is_ok());
        let many = told(MAX_GROUPS - 1, 1).unwrap_err();
        assert!(many.contains("there are 9, at most 8 are taken"), "{many}");
        // With a master and two workers.
        assert!(told(1, MAX_CLUSTER_NODES - 3).is_ok());
        let nodes = told(1, MAX_CLUSTER_NODES - 2).unwrap_err();
        assert!(nodes.contains("have 252 nodes together"), "{nodes}");
        let group = told(1, MAX_GROUP_NODES + 1).unwrap_err();
        assert!(group.contains("one has 251 nodes"), "{group}");
        // The network has to hold them.
        let all = [component("c", "g", 200)];
        let small = ClusterSpec {
            cidr: "10.0.0.0/26".to_owned(),
            ..default_spec()
        };
        let narrow = place_cluster(&small, &all, &[]).unwrap_err();
        assert_eq!(narrow[0].path, "network.cidr");
    }
}
