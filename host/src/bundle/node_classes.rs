//! Nodes that are told the same: those of one group with the same components. Pure.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::to_hex;
use crate::cluster::component::ComponentPlacement;

/// Hexadecimal digits of the digest of a set of components in a class's name.
const DIGEST_CHARS: usize = 8;

/// Nodes of one group with the same components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeClass {
    /// The group's name where all its nodes have the same components, else with a digest of these.
    pub name: String,
    /// Their group.
    pub group: String,
    /// Of all plugins.
    pub components: BTreeSet<String>,
    /// One of them, for messages.
    pub example: String,
}

impl NodeClass {
    /// Whether a thing of these components stands on them, that is for these groups alone, or for
    /// all where none is named.
    pub fn has_thing_of(&self, components: &[String], groups: &[String]) -> bool {
        (groups.is_empty() || groups.contains(&self.group))
            && components
                .iter()
                .any(|component| self.components.contains(component))
    }
}

/// The classes of a cluster's nodes. `node_groups` says each node's group.
pub fn node_classes(
    placements: &[ComponentPlacement],
    node_groups: &BTreeMap<String, String>,
) -> Vec<NodeClass> {
    classes_with_nodes(placements, node_groups)
        .into_iter()
        .map(|(class, _)| class)
        .collect()
}

/// The name of each node's class. It needs nothing that plugins generate: the plugin `cluster` is
/// told the names of the files before.
pub fn name_classes(
    placements: &[ComponentPlacement],
    node_groups: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    classes_with_nodes(placements, node_groups)
        .into_iter()
        .flat_map(|(class, nodes)| {
            let name = class.name;
            nodes
                .into_iter()
                .map(move |node| (node.to_owned(), name.clone()))
        })
        .collect()
}

/// The classes, and the nodes of each.
fn classes_with_nodes<'a>(
    placements: &'a [ComponentPlacement],
    node_groups: &'a BTreeMap<String, String>,
) -> Vec<(NodeClass, Vec<&'a str>)> {
    let mut by_node: BTreeMap<&str, BTreeSet<&str>> = node_groups
        .keys()
        .map(|node| (node.as_str(), BTreeSet::new()))
        .collect();
    for placement in placements {
        for member in &placement.members {
            let components = by_node.entry(member.node.as_str()).or_default();
            components.insert(&placement.component);
        }
    }
    let mut groups: BTreeMap<&str, BTreeMap<BTreeSet<&str>, Vec<&str>>> = BTreeMap::new();
    for (node, components) in by_node {
        let group = node_groups.get(node).map_or("", String::as_str);
        let alike = groups.entry(group).or_default().entry(components);
        alike.or_default().push(node);
    }
    let mut classes = Vec::new();
    for (group, sets) in groups {
        let is_one = sets.len() == 1;
        for (components, nodes) in sets {
            let name = if is_one {
                group.to_owned()
            } else {
                format!("{group}-{}", digest_set(&components))
            };
            let class = NodeClass {
                name,
                group: group.to_owned(),
                components: components.into_iter().map(str::to_owned).collect(),
                example: nodes.first().map_or("", |node| node).to_owned(),
            };
            classes.push((class, nodes));
        }
    }
    classes
}

fn digest_set(components: &BTreeSet<&str>) -> String {
    let mut hash = Sha256::new();
    for component in components {
        hash.update(component);
        hash.update("\n");
    }
    to_hex(&hash.finalize())
        .chars()
        .take(DIGEST_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::component::ComponentMember;

    fn placement(component: &str, nodes: &[&str]) -> ComponentPlacement {
        let members = (1..).zip(nodes).map(|(index, node)| ComponentMember {
            node: (*node).to_owned(),
            index,
        });
        ComponentPlacement {
            component: component.to_owned(),
            members: members.collect(),
        }
    }

    #[test]
    fn nodes_of_one_group_with_the_same_components_are_told_the_same() {
        let groups = [
            ("a-1", "a"),
            ("a-2", "a"),
            ("a-3", "a"),
            ("b-1", "b"),
            ("b-2", "b"),
        ];
        let groups = groups.map(|(node, group)| (node.to_owned(), group.to_owned()));
        let placements = [
            placement("every", &["a-1", "a-2", "a-3", "b-1", "b-2"]),
            placement("voter", &["a-1", "a-3"]),
        ];
        let node_groups = groups.into();
        let classes = node_classes(&placements, &node_groups);
        let shown: Vec<(&str, usize, &str)> = classes
            .iter()
            .map(|class| {
                (
                    class.group.as_str(),
                    class.components.len(),
                    class.example.as_str(),
                )
            })
            .collect();
        assert_eq!(shown, [("a", 1, "a-2"), ("a", 2, "a-1"), ("b", 1, "b-1")]);
        let alone = BTreeMap::from([("a-2".to_owned(), "a".to_owned())]);
        let only = name_classes(&placements[..0], &alone);
        assert_eq!(
            only["a-2"], "a",
            "a group of one class is called as the group"
        );
        let names = name_classes(&placements, &node_groups);
        let shown: Vec<&str> = names.values().map(String::as_str).collect();
        assert_eq!(shown, ["a-af4547f2", "a-ce706dbb", "a-af4547f2", "b", "b"]);
        let voter = ["voter".to_owned()];
        assert!(classes[1].has_thing_of(&voter, &[]) && !classes[0].has_thing_of(&voter, &[]));
        assert!(!classes[1].has_thing_of(&voter, &["b".to_owned()]));
    }
}
