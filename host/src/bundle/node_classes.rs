//! Nodes that are told the same: those of one group with the same components. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::component::ComponentPlacement;

/// Nodes of one group with the same components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeClass {
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
    let mut by_node: BTreeMap<&str, BTreeSet<String>> = node_groups
        .keys()
        .map(|node| (node.as_str(), BTreeSet::new()))
        .collect();
    for placement in placements {
        for member in &placement.members {
            let components = by_node.entry(member.node.as_str()).or_default();
            components.insert(placement.component.clone());
        }
    }
    let mut classes: BTreeMap<(String, BTreeSet<String>), String> = BTreeMap::new();
    for (node, components) in by_node {
        let group = node_groups.get(node).cloned().unwrap_or_default();
        let class = classes.entry((group, components));
        class.or_insert_with(|| node.to_owned());
    }
    let classes = classes.into_iter();
    classes
        .map(|((group, components), example)| NodeClass {
            group,
            components,
            example,
        })
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
        let classes = node_classes(&placements, &groups.into());
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
        let voter = ["voter".to_owned()];
        assert!(classes[1].has_thing_of(&voter, &[]) && !classes[0].has_thing_of(&voter, &[]));
        assert!(!classes[1].has_thing_of(&voter, &["b".to_owned()]));
    }
}
