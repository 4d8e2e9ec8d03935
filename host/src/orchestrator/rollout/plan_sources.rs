//! What plans of a change are made of where the plugins of now do not make all of them. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::orchestrator::planning::{
    new_node_values::has_other_values,
    pinning::drop_cloud_constraints,
    place_cluster::classes_of_nodes,
    planner::{ClaimedCluster, StackPlan},
    template_overlay::without_gone_nodes,
};
use crate::{
    bundle::{member_news::members_file, node_frame::host_version, node_script::NodeContent},
    cluster::{ClusterSpec, NodeGroups, PinnedPlugin, component::ComponentPlacement},
};

/// The stack alone: for plugins that can no longer plan what they once made.
pub(super) struct StackSource {
    pub(super) template: Value,
    pub(super) files: BTreeMap<String, String>,
    pub(super) groups: NodeGroups,
}

impl StackSource {
    pub(super) fn plan(&self, claimed: &ClaimedCluster) -> StackPlan {
        // All that the nodes are told is who has what.
        let told = NodeContent {
            variables: Vec::new(),
            files: vec![members_file(&claimed.placements)],
        };
        let classes: BTreeSet<String> = classes_of(claimed).into_values().collect();
        let nodes = claimed.spec.node_ids();
        StackPlan {
            template: without_gone_nodes(&self.template, &self.groups, &nodes),
            files: self.files.clone(),
            contents: classes
                .into_iter()
                .map(|class| (class, told.clone()))
                .collect(),
            ..StackPlan::default()
        }
    }
}

/// One of the plans of a change.
#[derive(Clone)]
pub(crate) struct DistinctPlan {
    pub(crate) planned: Arc<StackPlan>,
    pub(crate) files: Arc<BTreeMap<String, String>>,
}

impl DistinctPlan {
    pub(super) fn new(mut planned: StackPlan) -> Self {
        drop_cloud_constraints(&mut planned.template);
        Self {
            files: Arc::new(planned.files.clone()),
            planned: Arc::new(planned),
        }
    }
}

/// The class of each node.
pub(super) fn classes_of(claimed: &ClaimedCluster) -> BTreeMap<String, String> {
    classes_of_nodes(&claimed.spec, &claimed.placements)
}

/// Components of nodes that leave go with them, where nobody can say who takes their place.
pub(crate) fn without_members(
    placements: &[ComponentPlacement],
    to: &ClusterSpec,
) -> Vec<ComponentPlacement> {
    let nodes: BTreeSet<String> = to.node_names().into_iter().collect();
    let mut placements = placements.to_vec();
    for placement in &mut placements {
        placement
            .members
            .retain(|member| nodes.contains(&member.node));
    }
    placements.retain(|placement| !placement.members.is_empty());
    placements
}

/// Whether a plan of now is not all that the cluster is made of, or is to be.
pub(super) fn needs_overlay(
    from: &ClusterSpec,
    to: &ClusterSpec,
    plugins: &BTreeMap<String, PinnedPlugin>,
) -> bool {
    let is_of_now = from.pins.as_deref().is_some_and(|pins| {
        !pins.mixed && pins.host_version == host_version() && pins.has_same_plugins(plugins)
    });
    !is_of_now || has_other_values(from, to)
}

/// The files that a template names.
pub(super) fn file_names(template: &Value) -> Vec<String> {
    match template {
        Value::Object(map) => {
            let own = map.get("get_file").and_then(Value::as_str);
            let inner = map.values().flat_map(file_names);
            own.map(str::to_owned).into_iter().chain(inner).collect()
        }
        Value::Array(list) => list.iter().flat_map(file_names).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_stampede_made_is_not_made_anew_by_a_plan_of_now() {
        let flavor = json!({ "id": "f", "name": "f", "vcpus": 1, "ram_mib": 1, "disk_gib": 1 });
        let made_by = |version: &str| {
            let flavors = json!({ "master": flavor, "worker": flavor });
            let pins = json!({ "host_version": version, "flavors": flavors });
            ClusterSpec {
                pins: serde_json::from_value(pins).unwrap(),
                ..ClusterSpec::default()
            }
        };
        let plugins = BTreeMap::new();
        let of_now = made_by(host_version());
        assert!(!needs_overlay(&of_now, &of_now, &plugins));
        // The same release, with another frame on its nodes.
        let before = made_by(env!("CARGO_PKG_VERSION"));
        assert!(needs_overlay(&before, &before, &plugins));
    }
}
