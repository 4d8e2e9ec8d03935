//! What plugins look up in a request again and again. Pure reading; it decides nothing.

use crate::{Node, NodeGroup, Request, Service, Share};

impl Request {
    /// The group of a role: `master`, `worker`.
    pub fn group(&self, role: &str) -> Option<&NodeGroup> {
        self.groups.iter().find(|group| group.role == role)
    }

    /// The master, which every cluster has one of.
    pub fn master(&self) -> Option<&Node> {
        self.group("master")?.nodes.first()
    }

    /// The workers in the order of their ids.
    pub fn workers(&self) -> &[Node] {
        self.group("worker").map_or(&[], |group| &group.nodes)
    }

    /// All nodes, the master first.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.groups.iter().flat_map(|group| &group.nodes)
    }

    /// What a plugin before this one provides.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The memory in MiB that the plugins before this one have taken on each node of a role.
    pub fn taken_mib(&self, role: &str) -> u32 {
        self.taken
            .iter()
            .filter(|share| share.role == role)
            .map(|share: &Share| share.memory_mib)
            .sum()
    }
}

impl Service {
    /// An attribute's value: `url`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Node {
    /// The prefix of the node's resources: `worker_7` for `worker-7`.
    pub fn prefix(&self) -> String {
        self.name.replace('-', "_")
    }
}
