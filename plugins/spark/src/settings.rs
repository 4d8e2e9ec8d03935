//! The plugin's parameters: a JSON Schema, which the host checks requests by, and the same as a
//! type.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use stampede_framework::parameters::{ParameterList, ParameterSpec, parameter};

/// The parameters as they come from the host, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct SparkSettings {
    /// Heap of an executor; from what nodes have when absent.
    pub executor_memory_mib: Option<u32>,
    /// Tasks of an executor at a time; from what nodes have when absent.
    pub executor_cores: Option<u32>,
    /// Heap of a driver; from what nodes have when absent.
    pub driver_memory_mib: Option<u32>,
    /// Standalone: what a worker gives to executors.
    pub worker_memory_mib: Option<u32>,
    /// Whether executors come and go with the tasks that wait.
    pub dynamic_allocation: bool,
    /// Whether shuffle files outlive their executors.
    pub shuffle_service: bool,
    /// How long what applications logged is kept.
    pub event_log_days: u32,
    /// Standalone: how long work on a worker that leaves may go on.
    pub drain_s: u32,
    /// Further properties of spark-defaults.conf.
    pub defaults: BTreeMap<String, String>,
    /// Whether a job on every worker has to verify the cluster.
    pub smoke: bool,
    /// The tarball's checksum, in place of the pinned one.
    pub sha512: Option<String>,
}

/// An executor with less does not start: Spark wants 450 MiB, and a JVM counts a part of its heap
/// out.
pub(crate) const LEAST_HEAP_MIB: u32 = 512;
/// The most that a setting of MiB may name: 4 TiB.
const MOST_MIB: u32 = 4 << 20;

fn integer(description: &str, least: u32, most: u32) -> ParameterSpec {
    parameter("integer", description)
        .with("minimum", least)
        .with("maximum", most)
}

fn flag(description: &str, default: bool) -> ParameterSpec {
    parameter("boolean", description).or(default)
}

/// The JSON Schema of [`SparkSettings`].
pub(crate) fn parameters() -> ParameterList {
    let mib = |description| integer(description, LEAST_HEAP_MIB, MOST_MIB).in_unit("MiB");
    ParameterList::new()
        .add(
            "executor_memory_mib",
            mib("Heap of an executor; by default a part of what the smallest node gives.").basic(),
        )
        .add(
            "executor_cores",
            integer("Tasks that an executor runs at a time; by default the node's processors, shared by its executors.", 1, 1_024).basic(),
        )
        .add("driver_memory_mib", mib("Heap of a driver; by default 512, on large nodes 1024.").basic())
        .add(
            "worker_memory_mib",
            mib("Without YARN: memory that each worker gives to executors' heaps; by default three quarters of what it is granted, since Python's processes and what JVMs take beside their heaps come on top."),
        )
        // Spark itself says no: then an idle notebook keeps its executors from everybody else.
        .add("dynamic_allocation", flag("Whether executors come and go with the tasks that wait.", true).basic())
        // It needs the file yarn/spark-V-yarn-shuffle.jar of the official tarball, which distributions made from
        // Maven or PyPI lack. Without it executors whose shuffle files are in use are kept (shuffle tracking).
        .add(
            "shuffle_service",
            flag("Whether a service on each node keeps shuffle files, so that their executors can go; on YARN it runs in the NodeManagers, by a jar of Spark's official tarball.", false),
        )
        .add(
            "event_log_days",
            integer("Days for which the history server keeps what applications logged, with HDFS alone.", 1, 3_650).in_unit("d").or(30),
        )
        .add(
            "drain_s",
            integer("Without YARN: seconds that tasks on a worker that leaves may go on.", 1, 86_400).in_unit("s").or(600),
        )
        .add(
            "defaults",
            parameter("object", "Further properties for spark-defaults.conf, as a JSON object of texts; they win over Stampede's own, but for those that hold the cluster together.")
                .with("propertyNames", json!({"pattern": "^spark\\.[A-Za-z0-9._-]+$", "maxLength": 206}))
                .with("additionalProperties", json!({"type": "string", "pattern": "^[^\\p{Cc}]*$", "maxLength": 1_000}))
                .or(json!({})),
        )
        .add("smoke", flag("Whether a PySpark job on every worker has to verify the cluster.", true))
        .add(
            "sha512",
            parameter("string", "Checksum of the tarball, in place of the release's own: for a mirror that holds other bytes, or a release whose checksum is not known here.")
                .with("pattern", "^[0-9a-f]{128}$"),
        )
}
