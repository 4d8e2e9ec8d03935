//! The plugin's parameters: a JSON Schema, which the host checks requests by, and the same as a
//! Rust type for serde. What a value means is decided elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stampede_plugin::settings::{FIXED_KEYWORD, JAVA_KEYWORD};

use crate::units::RELEASES;

/// The parameters as they come from the host, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HadoopSettings {
    /// Copies of each block; computed from the number of workers when absent.
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
    /// A data volume for each worker in GiB; 0 for none.
    #[serde(default)]
    pub data_volume_gib: u32,
    /// The volume's type; the cloud's default when absent.
    pub data_volume_type: Option<String>,
    /// Where the volumes are; the cloud's default when absent.
    pub data_volume_zone: Option<String>,
    /// Whether volumes outlive the cluster.
    #[serde(default)]
    pub data_volume_keep: bool,
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
pub fn schema() -> String {
    let mut properties = Map::new();
    add_hdfs(&mut properties);
    add_memory(&mut properties);
    add_volumes(&mut properties);
    add_operation(&mut properties);
    for file in ["core", "hdfs", "yarn", "mapred"] {
        let description = format!(
            "Further properties of {file}-site.xml, as a JSON object; they win over Stampede's own, but for the folders, addresses and files that its scripts rely on."
        );
        properties.insert(
            format!("{file}_site"),
            json!({"type": "object", "description": description, "additionalProperties": {"type": "string"}, "default": {}}),
        );
    }
    let java = RELEASES.map(|release| {
        let (oldest, newest) = release.java;
        (release.version.to_owned(), json!([oldest, newest]))
    });
    json!({"type": "object", "properties": properties, "additionalProperties": false, JAVA_KEYWORD: Map::from_iter(java)})
        .to_string()
}

fn add_hdfs(properties: &mut Map<String, Value>) {
    properties.insert(
        "replication".to_owned(),
        integer_schema(
            "Copies that HDFS keeps of each block; by default 3, or one a worker where there are fewer.",
            1,
            512,
        ),
    );
    let mut block = integer_schema("Size of an HDFS block in MiB.", 1, 2048);
    block["default"] = default_block_size_mib().into();
    properties.insert("block_size_mib".to_owned(), block);
}

fn add_memory(properties: &mut Map<String, Value>) {
    for (name, what) in [
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
    ] {
        let what = format!("{what} in MiB; by default a share of the node's memory.");
        properties.insert(
            name.to_owned(),
            integer_schema(&what, LEAST_HEAP_MIB, MOST_MIB),
        );
    }
    for (name, what) in [
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
    ] {
        let what = format!("{what} in MiB; by default computed from the workers' flavor.");
        properties.insert(name.to_owned(), integer_schema(&what, 64, MOST_MIB));
    }
}

fn add_volumes(properties: &mut Map<String, Value>) {
    let mut volume = integer_schema(
        "Size of a data volume for each worker in GiB, for HDFS's blocks and YARN's local files; 0 keeps both on the root disk.",
        0,
        65_536,
    );
    volume["default"] = 0.into();
    let kind = json!({"type": "string", "description": "Type of the data volumes; by default the cloud's own.", "pattern": "^[^\\p{Cc}]{1,255}$"});
    let keep = json!({"type": "boolean", "description": "Whether the workers' volumes stay when the cluster is deleted. They hold the blocks and not their names, which are the NameNode's: no new cluster can read them.", "default": false});
    properties.insert("data_volume_gib".to_owned(), mark_fixed(volume));
    properties.insert("data_volume_type".to_owned(), mark_fixed(kind));
    let zone = json!({"type": "string", "description": "Availability zone of the data volumes; by default the cloud's own.", "pattern": "^[^\\p{Cc}]{1,255}$"});
    properties.insert("data_volume_zone".to_owned(), mark_fixed(zone));
    properties.insert("data_volume_keep".to_owned(), mark_fixed(keep));
}

/// What is installed, how workers leave, and whether the cluster is verified.
fn add_operation(properties: &mut Map<String, Value>) {
    let sha512 = json!({"type": "string", "pattern": "^[0-9a-f]{128}$",
        "description": "Checksum of Hadoop's tarball, in place of the release's own; for a mirror that holds other bytes."});
    properties.insert("sha512".to_owned(), mark_fixed(sha512));
    let mut drain_s = integer_schema(
        "Seconds that containers on a worker that leaves may go on before YARN moves them.",
        1,
        86_400,
    );
    drain_s["default"] = default_drain_s().into();
    properties.insert("drain_s".to_owned(), drain_s);
    properties.insert(
        "smoke".to_owned(),
        json!({"type": "boolean", "description": "Whether a word count on YARN has to verify the cluster before it is complete.", "default": true}),
    );
}

/// A parameter that cannot change in a running cluster; the host refuses it by name.
fn mark_fixed(mut body: Value) -> Value {
    body[FIXED_KEYWORD] = true.into();
    body
}

fn integer_schema(description: &str, minimum: u32, maximum: u32) -> Value {
    json!({"type": "integer", "description": description, "minimum": minimum, "maximum": maximum})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_and_the_type_name_the_same_parameters() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let mut example = Map::new();
        for (name, body) in schema["properties"].as_object().unwrap() {
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
        let schema: Value = serde_json::from_str(&schema()).unwrap();
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
