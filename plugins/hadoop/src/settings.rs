//! The plugin's parameters: a JSON Schema, which the host checks requests by, and the same as a
//! Rust type for serde. What a value means is decided elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use stampede_framework::parameters::{ParameterList, ParameterSpec, parameter};

/// The parameters as they come from the host, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HadoopSettings {
    /// Copies of each block; computed from the number of DataNodes when absent.
    pub replication: Option<u32>,
    /// HDFS block size in MiB.
    #[serde(default = "default_block_size_mib")]
    pub block_size_mib: u32,
    /// NameNode's heap.
    pub namenode_heap_mib: Option<u32>,
    /// ResourceManager's heap.
    pub resourcemanager_heap_mib: Option<u32>,
    /// History server's heap.
    pub historyserver_heap_mib: Option<u32>,
    /// DataNode's heap.
    pub datanode_heap_mib: Option<u32>,
    /// NodeManager's own heap.
    pub nodemanager_heap_mib: Option<u32>,
    /// What a NodeManager grants to containers.
    pub nodemanager_memory_mib: Option<u32>,
    /// The unit of allocation.
    pub minimum_allocation_mib: Option<u32>,
    /// The largest container.
    pub maximum_allocation_mib: Option<u32>,
    /// A map task's container.
    pub map_memory_mib: Option<u32>,
    /// A reduce task's container.
    pub reduce_memory_mib: Option<u32>,
    /// A MapReduce ApplicationMaster's container.
    pub am_memory_mib: Option<u32>,
    /// The tarball's checksum, in place of the pinned one.
    pub sha512: Option<String>,
    /// How long containers on a leaving worker may go on.
    #[serde(default = "default_drain_s")]
    pub drain_s: u32,
    /// Whether a real job verifies the cluster.
    #[serde(default = "default_true")]
    pub smoke: bool,
    /// Further properties of core-site.xml.
    #[serde(default)]
    pub core_site: BTreeMap<String, String>,
    /// Further properties of hdfs-site.xml.
    #[serde(default)]
    pub hdfs_site: BTreeMap<String, String>,
    /// Further properties of yarn-site.xml.
    #[serde(default)]
    pub yarn_site: BTreeMap<String, String>,
    /// Further properties of mapred-site.xml.
    #[serde(default)]
    pub mapred_site: BTreeMap<String, String>,
}

impl HadoopSettings {
    /// The further properties of each file, by its name.
    pub fn further_properties(&self) -> [(&'static str, &BTreeMap<String, String>); 4] {
        [
            ("core", &self.core_site),
            ("hdfs", &self.hdfs_site),
            ("yarn", &self.yarn_site),
            ("mapred", &self.mapred_site),
        ]
    }
}

fn default_block_size_mib() -> u32 {
    128
}

fn default_drain_s() -> u32 {
    600
}

fn default_true() -> bool {
    true
}

/// The largest number of MiB that a memory setting may name: 4 TiB.
const MOST_MIB: u32 = 4 << 20;

/// The smallest heap that a setting may name.
pub const LEAST_HEAP_MIB: u32 = 128;

/// The JSON Schema of [`HadoopSettings`].
pub fn parameters() -> ParameterList {
    let mut list = ParameterList::new()
        .add(
            "replication",
            integer(
                "Copies that HDFS keeps of each block; by default 3, or one a worker where there are fewer.",
                1,
                512,
            )
            .basic(),
        )
        .add(
            "block_size_mib",
            integer("Size of an HDFS block in MiB.", 1, 2048)
                .in_unit("MiB")
                .or(default_block_size_mib()),
        );
    for (name, what) in HEAPS {
        let what = format!("{what} in MiB; by default a share of the node's memory.");
        list = list.add(
            name,
            integer(&what, LEAST_HEAP_MIB, MOST_MIB).in_unit("MiB"),
        );
    }
    for (name, what) in CONTAINERS {
        let what = format!("{what} in MiB; by default computed from the workers' flavor.");
        list = list.add(name, integer(&what, 64, MOST_MIB).in_unit("MiB"));
    }
    list = list
        .add(
            "sha512",
            parameter(
                "string",
                "Checksum of Hadoop's tarball, in place of the release's own; for a mirror that holds other bytes.",
            )
            .with("pattern", "^[0-9a-f]{128}$")
            .fixed(),
        )
        .add(
            "drain_s",
            integer(
                "Seconds that containers on a worker that leaves may go on before YARN moves them.",
                1,
                86_400,
            )
            .in_unit("s")
            .or(default_drain_s()),
        )
        .add(
            "smoke",
            parameter(
                "boolean",
                "Whether a word count on YARN has to verify the cluster before it is complete.",
            )
            .or(default_true())
            .basic(),
        );
    for file in ["core", "hdfs", "yarn", "mapred"] {
        let what = format!(
            "Further properties of {file}-site.xml, as a JSON object; they win over Stampede's own, but for the \
             folders, addresses and files that its scripts rely on."
        );
        let further = parameter("object", &what)
            .with("additionalProperties", json!({"type": "string"}))
            .or(json!({}));
        list = list.add(&format!("{file}_site"), further);
    }
    list
}

const HEAPS: [(&str, &str); 5] = [
    (
        "namenode_heap_mib",
        "Heap of the NameNode, beside which its checkpoint takes as much again,",
    ),
    ("resourcemanager_heap_mib", "Heap of the ResourceManager"),
    (
        "historyserver_heap_mib",
        "Heap of the MapReduce history server",
    ),
    ("datanode_heap_mib", "Heap of each DataNode"),
    ("nodemanager_heap_mib", "Heap of each NodeManager itself"),
];

const CONTAINERS: [(&str, &str); 6] = [
    (
        "nodemanager_memory_mib",
        "Memory that each NodeManager grants to containers",
    ),
    ("minimum_allocation_mib", "Unit of YARN's memory allocation"),
    ("maximum_allocation_mib", "Memory of the largest container"),
    ("map_memory_mib", "Memory of a map task's container"),
    ("reduce_memory_mib", "Memory of a reduce task's container"),
    (
        "am_memory_mib",
        "Memory of a MapReduce ApplicationMaster's container",
    ),
];

fn integer(description: &str, minimum: u32, maximum: u32) -> ParameterSpec {
    parameter("integer", description)
        .with("minimum", minimum)
        .with("maximum", maximum)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    fn schema() -> Value {
        serde_json::from_str(&parameters().into_json()).unwrap()
    }

    #[test]
    fn the_schema_and_the_type_name_the_same_parameters() {
        let mut example = Map::new();
        for (name, body) in schema()["properties"].as_object().unwrap() {
            assert!(
                body["description"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.')),
                "{name}"
            );
            example.insert(
                name.clone(),
                match body["type"].as_str().unwrap() {
                    "integer" => body["minimum"].clone(),
                    "boolean" => true.into(),
                    "object" => json!({"a": "b"}),
                    _ => "x".into(),
                },
            );
        }
        // every parameter of the schema is a field (unknown ones are denied), and `Debug` shows
        // every field: none is left unset
        let settings: HadoopSettings = serde_json::from_value(Value::Object(example)).unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("None") && !shown.contains("{}"), "{shown}");
    }

    #[test]
    fn the_defaults_of_the_schema_are_those_of_the_type() {
        let schema = schema();
        let defaults: Map<String, Value> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, body)| Some((name.clone(), body.get("default")?.clone())))
            .collect();
        let filled: HadoopSettings = serde_json::from_value(Value::Object(defaults)).unwrap();
        assert_eq!(filled, serde_json::from_str("{}").unwrap());
    }
}
