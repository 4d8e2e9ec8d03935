//! The plugin's parameters: a JSON Schema, which the host checks requests by, and the same as a
//! type.

use serde::Deserialize;
use stampede_framework::parameters::{ParameterList, parameter};

/// The parameters as they come from the host, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZookeeperSettings {
    /// How many voters there have to be.
    pub least_voters: u32,
    /// Heap of each server; what it is granted less the rest of its JVM when absent.
    pub heap_mib: Option<u32>,
    /// Length of a tick.
    pub tick_ms: u32,
    /// Ticks that a follower may take to connect and to take over what there is.
    pub init_ticks: u32,
    /// Ticks that a follower may be behind.
    pub sync_ticks: u32,
    /// Snapshots that are kept.
    pub snapshots: u32,
    /// Connections of one client's address to one server.
    pub client_connections: u32,
    /// Whether writes and reads on every voter have to verify the cluster.
    pub smoke: bool,
    /// The tarball's checksum, in place of the pinned one.
    pub sha512: Option<String>,
}

/// The most that a setting of MiB may name: 64 GiB; more is no heap of ZooKeeper's.
const MOST_HEAP_MIB: u32 = 64 << 10;
/// The smallest heap that a setting may name.
pub(crate) const LEAST_HEAP_MIB: u32 = 128;

/// The JSON Schema of [`ZookeeperSettings`].
pub(crate) fn parameters() -> ParameterList {
    let integer = |description: &str, least: u32, most: u32| {
        parameter("integer", description)
            .with("minimum", least)
            .with("maximum", most)
    };
    ParameterList::new()
        .add(
            "least_voters",
            parameter("integer", "How many servers have to vote: 3 outlive one, 5 two. 1 is for trials, since all stops with it.")
                .with("enum", [1, 3, 5, 7].as_slice())
                .or(3)
                .basic(),
        )
        .add(
            "heap_mib",
            integer("Heap of each server, which holds all data; by default what a node has for it, 1024 at most.", LEAST_HEAP_MIB, MOST_HEAP_MIB)
                .in_unit("MiB")
                .basic(),
        )
        .add(
            "tick_ms",
            integer("Length of a tick; sessions end after 2 to 20 of them.", 100, 60_000).in_unit("ms").or(2_000),
        )
        // Apache's sample says 10; a server of a gigabyte takes longer to copy on a busy cloud.
        .add("init_ticks", integer("Ticks that a server may take to join and to copy all data.", 2, 1_000).or(30))
        .add("sync_ticks", integer("Ticks that a server may be behind before it is left out.", 2, 1_000).or(5))
        // ZooKeeper itself keeps all for ever, until the disk is full.
        .add("snapshots", integer("Snapshots that each server keeps.", 3, 1_000).or(3))
        .add("client_connections", integer("Connections of one address to one server; 0: no bound.", 0, 100_000).or(60))
        .add(
            "smoke",
            parameter("boolean", "Whether writes and reads on every voter have to verify the cluster.").or(true),
        )
        .add(
            "sha512",
            parameter("string", "Checksum of the tarball, in place of the release's own: for a mirror that holds other bytes, or a release whose checksum is not known here.")
                .with("pattern", "^[0-9a-f]{128}$"),
        )
}
