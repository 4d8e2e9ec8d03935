//! The plugin's parameters, and what the host fills in: their schema and their types.

use serde::Deserialize;
use stampede_framework::parameters::{HOST_KEYWORD, ParameterList, ParameterSpec, parameter};

/// What users set, defaults filled in by the host.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct ClusterSettings {
    /// Name servers of the nodes; none: the cloud's own.
    #[serde(default)]
    pub(crate) dns_nameservers: Vec<String>,
    /// Bytes of a packet on the cluster's network; none: the cloud's own.
    #[serde(default)]
    pub(crate) mtu: Option<u32>,
    /// Workers up to this id are put on different compute hosts where possible.
    #[serde(default = "spread_workers")]
    pub(crate) spread_workers: u32,
    /// Size of the volume that nodes boot from whose group says nothing; 0: the flavor's own disk.
    #[serde(default)]
    pub(crate) root_volume_gib: u32,
    /// Where nodes are whose group says nothing; none: where the cloud puts them.
    #[serde(default)]
    pub(crate) availability_zone: Option<String>,
    /// Type of the nodes' volumes for data; none: the cloud's default.
    #[serde(default)]
    pub(crate) volume_type: Option<String>,
    /// Where these volumes are; none: where the cloud puts them.
    #[serde(default)]
    pub(crate) volume_zone: Option<String>,
    /// Whether these volumes stay when the cluster is deleted.
    #[serde(default)]
    pub(crate) volume_keep: bool,
}

/// What the host fills in, in `generate` alone.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct HostFacts {
    pub(crate) network: NetworkFacts,
    /// Those that have nodes, in the order of their addresses.
    pub(crate) groups: Vec<GroupFacts>,
    /// The key pair that may log in.
    pub(crate) key: Option<String>,
    pub(crate) signal_transport: String,
    /// How long the nodes may take.
    pub(crate) timeout_s: u32,
    /// How many signals complete the cluster: of all nodes that there ever were.
    pub(crate) ready_count: u32,
}

/// The cluster's network.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct NetworkFacts {
    pub(crate) cidr: String,
    /// The network that leads outside; none: nothing leads there.
    pub(crate) external: Option<String>,
}

/// Nodes that are alike.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct GroupFacts {
    pub(crate) name: String,
    pub(crate) flavor: String,
    pub(crate) image: String,
    /// Size of the volume that its nodes boot from; 0: the flavor's own disk.
    #[serde(default)]
    pub(crate) root_volume_gib: Option<u32>,
    #[serde(default)]
    pub(crate) availability_zone: Option<String>,
    /// Size of each node's volume for data; 0: none.
    #[serde(default)]
    pub(crate) volume_gib: u32,
    pub(crate) nodes: Vec<NodeFacts>,
}

/// A node.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct NodeFacts {
    /// Its host name: `worker-7`.
    pub(crate) name: String,
    pub(crate) address: String,
    /// The file of the template's that it runs at its first boot.
    pub(crate) file: String,
}

impl HostFacts {
    /// All nodes, by group.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeFacts> {
        self.groups.iter().flat_map(|group| &group.nodes)
    }

    /// The node that people come to: the first master.
    pub(crate) fn entry(&self) -> Option<&NodeFacts> {
        let masters = self.groups.iter().find(|group| group.name == "master");
        masters.and_then(|group| group.nodes.first())
    }
}

impl NodeFacts {
    /// What the names of its resources begin with.
    pub(crate) fn prefix(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Its number within its group: 7 of `worker-7`, and 1 of `worker`.
    pub(crate) fn id(&self) -> u32 {
        let number = self.name.rsplit_once('-');
        number.map_or(1, |(_, id)| id.parse().unwrap_or(1))
    }
}

/// What Nova's default quota (`server_group_members`) allows.
fn spread_workers() -> u32 {
    10
}

/// What the cloud calls a zone or a type. Its length is no part of it: a pattern that counts such
/// characters takes megabytes.
const CLOUD_NAME: &str = "^[^\\p{Cc}]*$";
/// The largest root volume in GiB.
const MAX_ROOT_VOLUME_GIB: u32 = 16_384;

/// Of [`ClusterSettings`] and [`HostFacts`].
pub(crate) fn parameters() -> ParameterList {
    add_host_facts(add_volumes(placing_parameters()))
}

fn placing_parameters() -> ParameterList {
    let address =
        serde_json::json!({"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$"});
    ParameterList::new()
        .add(
            "dns_nameservers",
            parameter("array", "IPv4 addresses of the nodes' name servers, as a JSON array; by default the cloud's own.")
                .with("maxItems", 5)
                .with("items", address)
                .or(serde_json::json!([])),
        )
        .add(
            "mtu",
            parameter("integer", "Largest packet on the cluster's network in bytes; by default the cloud's own.")
                .with("minimum", 1280)
                .with("maximum", 9216),
        )
        .add(
            "spread_workers",
            parameter(
                "integer",
                "How many workers, by their numbers, are put on different compute hosts where possible; 0 for none. \
                 Nova's default quota (server_group_members) allows ten. Fixed once the cluster is made.",
            )
            .with("minimum", 0)
            .with("maximum", 250)
            .or(spread_workers()),
        )
        .add(
            "root_volume_gib",
            parameter(
                "integer",
                "Size in GiB of the volume that each node boots from, for flavors without a disk of their own; \
                 0 boots from the flavor's disk.",
            )
            .with("minimum", 0)
            .with("maximum", MAX_ROOT_VOLUME_GIB)
            .in_unit("GiB")
            .or(0)
            .fixed(),
        )
        .add(
            "availability_zone",
            parameter("string", "Availability zone of the nodes; by default where the cloud puts them.")
                .with("pattern", CLOUD_NAME)
                .with("minLength", 1)
                .with("maxLength", 255)
                .fixed(),
        )
}

fn add_volumes(list: ParameterList) -> ParameterList {
    list.add(
            "volume_type",
            parameter("string", "Type of the nodes' volumes for data (GROUP.volume_gib); by default the cloud's own.")
                .with("pattern", CLOUD_NAME)
                .with("minLength", 1)
                .with("maxLength", 255)
                .fixed(),
        )
        .add(
            "volume_zone",
            parameter("string", "Availability zone of the nodes' volumes for data; by default where the cloud puts them.")
                .with("pattern", CLOUD_NAME)
                .with("minLength", 1)
                .with("maxLength", 255)
                .fixed(),
        )
        .add(
            "volume_keep",
            parameter(
                "boolean",
                "Whether the nodes' volumes for data stay when the cluster is deleted; no new cluster takes over by \
                 itself what is on them.",
            )
            .or(false)
            .fixed(),
        )
}

fn add_host_facts(list: ParameterList) -> ParameterList {
    list.add(
        "network",
        fact(
            "network",
            "object",
            "The cluster's network, and the one that leads outside.",
        ),
    )
    .add(
        "groups",
        fact("groups", "array", "Groups with their nodes."),
    )
    .add(
        "key",
        fact("key", "string", "Key pair that may log in.")
            .with("type", serde_json::json!(["string", "null"])),
    )
    .add(
        "signal_transport",
        fact("signal_transport", "string", "How nodes signal Heat."),
    )
    .add(
        "timeout_s",
        fact("timeout_s", "integer", "How long the nodes may take.").in_unit("s"),
    )
    .add(
        "ready_count",
        fact("ready_count", "integer", "How many nodes there ever were."),
    )
}

fn fact(name: &str, kind: &str, description: &str) -> ParameterSpec {
    parameter(kind, description).with(HOST_KEYWORD, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_schema_and_of_the_type_are_the_same() {
        let schema: serde_json::Value = serde_json::from_str(&parameters().into_json()).unwrap();
        let defaults: serde_json::Map<_, _> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, body)| Some((name.clone(), body.get("default")?.clone())))
            .collect();
        assert_eq!(defaults.len(), 4);
        let filled: ClusterSettings = serde_json::from_value(defaults.into()).unwrap();
        assert_eq!(filled, serde_json::from_str("{}").unwrap());
    }

    #[test]
    fn a_nodes_number_is_in_its_name() {
        let id = |name: &str| {
            let node = serde_json::json!({"name": name, "address": "10.77.0.10", "file": "x"});
            serde_json::from_value::<NodeFacts>(node).unwrap().id()
        };
        assert_eq!((id("worker-7"), id("master"), id("edge")), (7, 1, 1));
    }
}
