//! What stands on the nodes of a cluster at rest, and who of them has what. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::orchestrator::planning::place_cluster::classes_of_nodes;
use crate::{
    bundle::{
        node_script::NodeContent,
        node_update::differing_paths,
        node_upgrade::split_files,
        unit_effects::{restarted_components, script_at, shown_path},
    },
    cluster::{
        ClusterRest, ClusterSpec, NodeIds, change::FileDigests, component::ComponentPlacement,
    },
};

/// The nodes of a cluster at rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodesAtRest {
    /// By group.
    pub(crate) ids: NodeIds,
    /// By group and id.
    pub(crate) names: Vec<String>,
    /// Every component, in the order.
    pub(crate) placements: Vec<ComponentPlacement>,
    /// The class of each node.
    pub(crate) classes: BTreeMap<String, String>,
    /// By class.
    pub(crate) installed: FileDigests,
    /// By class; of none where it is only known what stood there before.
    pub(crate) contents: BTreeMap<String, NodeContent>,
}

impl NodesAtRest {
    /// Those of this cluster.
    pub(crate) fn new(
        spec: &ClusterSpec,
        placements: Vec<ComponentPlacement>,
        installed: FileDigests,
        contents: BTreeMap<String, NodeContent>,
    ) -> Self {
        Self {
            ids: spec.node_ids(),
            names: spec.node_names(),
            classes: classes_of_nodes(spec, &placements),
            placements,
            installed,
            contents,
        }
    }

    pub(crate) fn has_node(&self, node: &str) -> bool {
        self.names.iter().any(|name| name == node)
    }

    /// The class of a node; of none that is not there.
    pub(crate) fn class_of(&self, node: &str) -> &str {
        self.classes.get(node).map_or("", String::as_str)
    }

    fn files_of(&self, node: &str) -> Option<&BTreeMap<String, String>> {
        self.installed.get(self.class_of(node))
    }

    /// The paths that differ on a node from another cluster at rest.
    pub(crate) fn changed_paths(&self, from: &Self, node: &str) -> Vec<String> {
        let none = BTreeMap::new();
        let [from, to] = [from, self].map(|nodes| nodes.files_of(node).unwrap_or(&none));
        differing_paths(from, to)
    }

    /// The stages that a component has a script for on a node.
    pub(crate) fn has_script(&self, node: &str, component: &str, stage: &str) -> bool {
        let mut paths = self.files_of(node).into_iter().flat_map(BTreeMap::keys);
        paths.any(|path| script_at(path) == Some((stage, component)))
    }

    /// The components whose units restart on a node where these paths are new; all that it has where
    /// nobody knows.
    pub(crate) fn restarts(&self, node: &str, paths: &[String]) -> BTreeSet<String> {
        match self.contents.get(self.class_of(node)) {
            Some(content) => restarted_components(content, paths),
            None => self.components_of(node),
        }
    }

    /// A path as people know it.
    pub(crate) fn shown_path(&self, node: &str, path: &str) -> String {
        let content = self.contents.get(self.class_of(node));
        content.map_or_else(|| path.to_owned(), |content| shown_path(content, path))
    }

    /// All that a node has.
    pub(crate) fn components_of(&self, node: &str) -> BTreeSet<String> {
        let placed = self.placements.iter().filter(|one| one.has(node));
        placed.map(|one| one.component.clone()).collect()
    }
}

/// The nodes of a change, as they are in each of the clusters at rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeNodes {
    pub(crate) rests: [NodesAtRest; 4],
    /// The plugin of each component.
    pub(crate) plugins: BTreeMap<String, String>,
    /// Nodes that cannot be told anything.
    pub(crate) deaf: BTreeSet<String>,
    /// The number of the change, where it is an upgrade.
    pub(crate) upgrade: Option<u32>,
}

impl ChangeNodes {
    pub(crate) fn at(&self, rest: ClusterRest) -> &NodesAtRest {
        rest.pick(&self.rests)
    }

    /// Into how many parts the new files of each of these nodes are cut in an upgrade.
    pub(crate) fn new_parts<'a>(
        &self,
        upgrade: u32,
        nodes: &[&'a String],
    ) -> BTreeMap<&'a str, usize> {
        let (before, after) = (self.at(ClusterRest::Before), self.at(ClusterRest::Settled));
        let mut known: BTreeMap<(&str, Vec<String>), usize> = BTreeMap::new();
        let mut parts = BTreeMap::new();
        for node in nodes {
            let class = after.class_of(node);
            let Some(content) = after.contents.get(class) else {
                continue;
            };
            let paths = after.changed_paths(before, node);
            let entry = known.entry((class, paths.clone()));
            let count = entry.or_insert_with(|| split_files(upgrade, content, &paths).len());
            parts.insert(node.as_str(), *count);
        }
        parts
    }

    pub(crate) fn plugin_of(&self, component: &str) -> &str {
        self.plugins.get(component).map_or("", String::as_str)
    }
}
