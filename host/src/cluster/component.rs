//! Components of frameworks and where they are placed. No I/O.

use serde::{Deserialize, Serialize};

/// Stands for all groups in [`ComponentSpec::groups`].
pub const EVERY_GROUP: &str = "*";

/// One part of a framework that is placed on nodes: a daemon, or a client with its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSpec {
    /// `datanode`.
    pub name: String,
    /// Where it goes unless the user says otherwise.
    pub groups: Vec<String>,
    /// On so many nodes; 0: on every node of its groups.
    pub nodes: u32,
    /// More are refused; 0: no bound.
    pub most: u32,
    /// It votes: an even number makes no sense.
    pub odd: bool,
}

/// The nodes that have a component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentPlacement {
    /// The component's name.
    pub component: String,
    /// By index.
    pub members: Vec<ComponentMember>,
}

/// A node that has a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentMember {
    /// `worker-7`.
    pub node: String,
    /// Its number within the component, from 1: kept for as long as the node is a member.
    pub index: u32,
}

impl ComponentMember {
    /// The node's name without its number, and that, where the two come to the same name again.
    pub fn split_node(&self) -> (&str, Option<u32>) {
        split_node_name(&self.node)
    }
}

/// A node's name without its number, and that, where the two come to the same name again.
pub fn split_node_name(node: &str) -> (&str, Option<u32>) {
    let parts = node.rsplit_once('-').and_then(|(group, digits)| {
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits && number < u32::MAX).then_some((group, number))
    });
    parts.map_or((node, None), |(group, number)| (group, Some(number)))
}

/// What a component needs on each of its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentNeed {
    /// The component's name.
    pub component: String,
    /// All that its processes take at least, in MiB.
    pub least_mib: u32,
    /// What it can use, in MiB; 0: no bound.
    pub most_mib: u32,
    /// How much of the rest it gets beside others; 0: it gets its least.
    pub weight: u32,
    /// Of the root disk, in GiB.
    pub disk_gib: u32,
    /// TCP ports that it listens on.
    pub ports: Vec<u16>,
}

impl ComponentPlacement {
    /// Whether this node has it.
    pub fn has(&self, node: &str) -> bool {
        self.members.iter().any(|member| member.node == node)
    }
}
