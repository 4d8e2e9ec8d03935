//! Reads what a stack itself tells of its cluster: the parameter that carries a [`StackSnapshot`]
//! as JSON. Anyone in the project can write it, so that it is checked like a request. Pure.

use std::collections::BTreeSet;

pub(crate) use crate::store::StackSnapshot;
use crate::{
    cluster::{
        ClusterSpec, GroupSpec, NodeIds,
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
            groups.len() <= MAX_GROUPS
                && groups.clone().all(is_sane_group)
                && groups
                    .map(|group| &group.name)
                    .collect::<BTreeSet<_>>()
                    .len()
                    == spec.groups.iter().len()
                && spec.groups.node_count() <= MAX_CLUSTER_NODES
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

fn is_sane_group(group: &GroupSpec) -> bool {
    // What is written out, since what is not is as many as are said.
    let ids = &group.ids;
    is_group_name(&group.name)
        && group.count <= MAX_GROUP_NODES
        && group.ids_given <= MAX_NODE_ID
        && group.root_volume_gib <= Some(MAX_ROOT_VOLUME_GIB)
        && ids.len() <= MAX_GROUP_NODES as usize
        && ids.iter().all(is_id)
}

fn is_id(id: &u32) -> bool {
    (1..=MAX_NODE_ID).contains(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{NodeGroups, test_groups::group},
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
        assert!(read(spec().with_worker_group(|group| group.ids = vec![1, MAX_NODE_ID])).is_some());
        assert_eq!(
            read(spec().with_worker_group(|group| group.ids = vec![0])),
            None
        );
        assert_eq!(
            read(spec().with_worker_group(|group| group.ids = vec![MAX_NODE_ID + 1])),
            None
        );
        assert_eq!(
            read(
                spec().with_worker_group(|group| group.ids = vec![1; MAX_GROUP_NODES as usize + 1])
            ),
            None
        );
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
