//! The plugin that every cluster has, and nodes as plugins are told of them. Pure.

use serde::{Deserialize, Serialize};

use super::Flavor;

/// The plugin that every chain begins with.
pub const CLUSTER: &str = "cluster";

/// The size of a node, or what a node needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeResources {
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub ram_mib: u32,
    /// Root disk in GiB.
    pub disk_gib: u32,
}

impl std::fmt::Display for NodeResources {
    /// As messages say it: `4096 MiB of memory, 2 vCPUs and 20 GiB of disk`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} MiB of memory, {} vCPUs and {} GiB of disk",
            self.ram_mib, self.vcpus, self.disk_gib
        )
    }
}

/// The nodes of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// `master`, `worker`.
    pub role: String,
    /// The same for all of them.
    pub flavor: Flavor,
    /// An image's name or id.
    pub image: String,
    /// In the order of their ids.
    pub nodes: Vec<ClusterNode>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNode {
    /// From 1, stable, never given out twice in its group.
    pub id: u32,
    /// `master`, `worker-7`.
    pub name: String,
    /// Its fixed IPv4 address.
    pub address: String,
}
