//! Reads what a stack itself tells of its cluster: the parameter that carries a [`StackSnapshot`]
//! as JSON. Anyone in the project can write it, so that it is checked like a request. Pure.

use std::collections::BTreeSet;

pub(crate) use crate::store::StackSnapshot;
use crate::{
    cluster::{
        ClusterSpec, GroupSpec, NodeIds,
        default_groups::{DEFAULT_GROUPS, DefaultGroup},
        group_attributes::is_group_name,
        limits::{
            MAX_CLUSTER_NODES, MAX_GENERATION, MAX_GROUP_NODES, MAX_GROUPS, MAX_NODE_ID,
            MAX_ROOT_VOLUME_GIB,
        },
    },
    openstack::HeatStack,
};

/// The template's parameter that carries the client's attributes as JSON, so that a record can be
/// made again from Heat alone.
pub(crate) const REQUEST_PARAMETER: &str = "stampede_request";

impl StackSnapshot {
    /// What this stack carries.
    pub(crate) fn from_stack(shown: &HeatStack) -> Self {
        let text = shown
            .parameters
            .get(REQUEST_PARAMETER)
            .and_then(|value| value.as_str());
        let carried: Self = text
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        if carried.is_sane() {
            carried
        } else {
            Self::default()
        }
    }

    /// Anyone in the project can write what a stack carries: what no request could have led to is
    /// not ours.
    fn is_sane(&self) -> bool {
        let is_sane = |spec: &ClusterSpec| {
            let groups = spec.groups.iter();
            let mut defaults = DEFAULT_GROUPS.iter();
            let begins_with = |default: &DefaultGroup, group: Option<&GroupSpec>| {
                group.is_some_and(|group| {
                    group.name == default.name
                        && group.bare_first == default.bare_first
                        && !group.is_empty()
                })
            };
            let mut places = groups.clone();
            groups.len() <= MAX_GROUPS
                && defaults.all(|default| begins_with(default, places.next()))
                && groups.clone().all(is_sane_group)
                && groups
                    .map(|group| &group.name)
                    .collect::<BTreeSet<_>>()
                    .len()
                    == spec.groups.iter().len()
                && spec.groups.node_count() <= MAX_CLUSTER_NODES
                && are_sane_places(spec)
        };
        let specs = self
            .spec
            .iter()
            .chain(self.change.iter().map(|change| &change.to));
        let steps = || self.change.iter().flat_map(|change| &change.steps);
        let given_out = &self.notified.nodes;
        let generations = std::iter::once(self.notified.generation)
            .chain(given_out.values().copied())
            .chain(steps().map(|step| step.generation))
            .all(|generation| generation <= MAX_GENERATION);
        // On the way back there are old and new ones at once.
        let most = 2 * MAX_GROUP_NODES as usize;
        let are_sane = |nodes: &NodeIds| {
            nodes.len() <= MAX_GROUPS
                && nodes
                    .values()
                    .all(|ids| ids.len() <= most && ids.iter().all(is_id))
        };
        let added = self.change.iter().all(|change| are_sane(&change.added));
        let nodes = steps().all(|step| are_sane(&step.nodes));
        specs.into_iter().all(is_sane) && added && nodes && generations
    }
}

/// Components are on nodes that the cluster's groups may have; their names travel to nodes.
fn are_sane_places(spec: &ClusterSpec) -> bool {
    let placements = spec.pins.iter().flat_map(|pins| &pins.placements);
    let mut placements = placements.take(MAX_PLACEMENTS + 1).enumerate();
    placements.all(|(at, placement)| {
        let mut name = placement.component.chars();
        let mut members = placement.members.iter();
        at < MAX_PLACEMENTS
            && name.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && placement.members.len() <= MAX_CLUSTER_NODES as usize
            && members.all(|member| spec.groups.find_node(&member.node).is_some())
    })
}

/// Components of a cluster, as the contract bounds them.
const MAX_PLACEMENTS: usize = 1_024;

fn is_sane_group(group: &GroupSpec) -> bool {
    // What is written out, since what is not is as many as are said.
    let ids = &group.ids;
    is_group_name(&group.name)
        && group.count <= MAX_GROUP_NODES
        && group.ids_given <= MAX_NODE_ID
        && group.root_volume_gib <= Some(MAX_ROOT_VOLUME_GIB)
        && ids.len() <= MAX_GROUP_NODES as usize
        && ids.iter().all(is_id)
        && (ids.is_empty() || ids.len() == group.count as usize)
        && ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
}

fn is_id(id: &u32) -> bool {
    (1..=MAX_NODE_ID).contains(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{
            ClusterPins, NodeGroups,
            component::{ComponentMember, ComponentPlacement},
            test_groups::group,
        },
        orchestrator::planning::resolve::tests_support::spec,
        store::NodeNotifications,
    };

    fn read(spec: ClusterSpec) -> Option<ClusterSpec> {
        let carried = StackSnapshot {
            spec: Some(spec),
            ..StackSnapshot::default()
        };
        let text = serde_json::to_string(&carried).unwrap();
        let parameters = serde_json::Map::from_iter([(REQUEST_PARAMETER.to_owned(), text.into())]);
        StackSnapshot::from_stack(&HeatStack {
            parameters,
            ..HeatStack::default()
        })
        .spec
    }

    #[test]
    fn what_no_request_could_have_led_to_is_not_read() {
        let with_ids = |ids: &[u32]| {
            let of = |group: &mut GroupSpec| {
                group.ids = ids.to_vec();
                group.count = u32::try_from(ids.len()).unwrap();
            };
            read(spec().with_worker_group(of))
        };
        assert!(read(spec().with_worker_group(|group| group.count = MAX_GROUP_NODES)).is_some());
        assert_eq!(
            read(spec().with_worker_group(|group| group.count = MAX_GROUP_NODES + 1)),
            None
        );
        assert_eq!(
            read(spec().with_worker_group(|group| group.count = u32::MAX)),
            None,
            "its ids would fill the memory"
        );
        assert!(with_ids(&[1, MAX_NODE_ID]).is_some());
        assert_eq!(with_ids(&[0]), None);
        assert_eq!(with_ids(&[MAX_NODE_ID + 1]), None);
        assert_eq!(with_ids(&[2, 2]), None, "one node twice");
        let ids: Vec<u32> = (1..=MAX_GROUP_NODES + 1).collect();
        assert!(with_ids(&ids[1..]).is_some());
        assert_eq!(with_ids(&ids), None);
        let other_count = |group: &mut GroupSpec| (group.ids, group.count) = (vec![1, 2], 3);
        assert_eq!(read(spec().with_worker_group(other_count)), None);
        assert_eq!(
            read(spec().with_worker_group(|group| group.ids_given = MAX_NODE_ID + 1)),
            None
        );
    }

    #[test]
    fn groups_that_no_request_could_have_led_to_are_not_read() {
        let with = |groups: &[(&str, u32)]| {
            let all = groups.iter().map(|(name, count)| group(name, *count));
            let groups = NodeGroups::new(spec().groups.iter().cloned().chain(all));
            read(ClusterSpec { groups, ..spec() })
        };
        assert!(with(&[("edge", 1), ("zoo", MAX_GROUP_NODES - 2)]).is_none());
        assert!(with(&[("edge", 1), ("zoo", MAX_GROUP_NODES - 3)]).is_some());
        assert_eq!(with(&[("edge", 1), ("edge", 1)]), None, "twice");
        for name in ["Edge", "a-b", "", "../x"] {
            assert_eq!(with(&[(name, 1)]), None, "{name}");
        }
        let names: Vec<String> = (2..=MAX_GROUPS).map(|n| format!("g{n}")).collect();
        let many: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        assert!(with(&many[1..]).is_some());
        assert_eq!(with(&many), None);
    }

    #[test]
    fn the_groups_of_every_cluster_stand_in_their_places_or_nothing_is_read() {
        let with = |change: &dyn Fn(&mut Vec<GroupSpec>)| {
            let mut groups: Vec<GroupSpec> = spec().groups.iter().cloned().collect();
            groups.push(group("edge", 1));
            change(&mut groups);
            let groups = NodeGroups::new(groups);
            read(ClusterSpec { groups, ..spec() })
        };
        assert!(with(&|_| ()).is_some());
        assert!(
            with(&|groups| groups[2] = groups[2].emptied()).is_some(),
            "one that was taken away keeps its place"
        );
        assert_eq!(with(&|groups| groups.swap(0, 1)), None);
        assert_eq!(with(&|groups| groups.swap(1, 2)), None);
        assert_eq!(with(&|groups| groups.truncate(1)), None);
        assert_eq!(with(&|groups| groups[0] = groups[0].emptied()), None);
        for place in [0, 1] {
            let renamed = |groups: &mut Vec<GroupSpec>| groups[place].bare_first ^= true;
            assert_eq!(with(&renamed), None, "its nodes would have other names");
        }
    }

    #[test]
    fn components_on_nodes_that_no_group_has_are_not_read() {
        let on = |component: &str, node: &str| {
            let member = ComponentMember {
                node: node.to_owned(),
                index: 1,
            };
            let placement = ComponentPlacement {
                component: component.to_owned(),
                members: vec![member],
            };
            let pins = ClusterPins {
                placements: vec![placement],
                ..ClusterPins::default()
            };
            read(ClusterSpec {
                pins: Some(Box::new(pins)),
                ..spec()
            })
        };
        assert!(on("datanode", "worker-1").is_some());
        assert_eq!(on("datanode", "edge"), None);
        assert_eq!(on("datanode", "worker-1\nmembers"), None);
        assert_eq!(on("data node", "worker-1"), None);
    }

    #[test]
    fn a_generation_that_leaves_no_room_for_the_next_ones_is_not_read() {
        let read = |generation: u32| {
            let carried = StackSnapshot {
                notified: NodeNotifications {
                    generation,
                    ..NodeNotifications::default()
                },
                ..StackSnapshot::default()
            };
            let text = serde_json::to_string(&carried).unwrap();
            let parameters =
                serde_json::Map::from_iter([(REQUEST_PARAMETER.to_owned(), text.into())]);
            let shown = HeatStack {
                parameters,
                ..HeatStack::default()
            };
            StackSnapshot::from_stack(&shown).notified.generation
        };
        assert_eq!(read(MAX_GENERATION), MAX_GENERATION);
        assert_eq!(read(MAX_GENERATION + 1), 0);
        assert_eq!(read(u32::MAX), 0);
    }
}
