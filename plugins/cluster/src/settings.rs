//! The plugin's parameters: their schema and their type.

use serde::Deserialize;
use serde_json::json;
use stampede_plugin::settings::FIXED_KEYWORD;

/// As the host hands them over, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
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
    /// Size of the volume that each node boots from; 0: the flavor's own disk.
    #[serde(default)]
    pub(crate) root_volume_gib: u32,
    /// Where the nodes are; none: where the cloud puts them.
    #[serde(default)]
    pub(crate) availability_zone: Option<String>,
}

/// What Nova's default quota (`server_group_members`) allows.
fn spread_workers() -> u32 {
    10
}

/// The largest root volume in GiB.
const MAX_ROOT_VOLUME_GIB: u32 = 16_384;

/// The JSON Schema of [`ClusterSettings`].
pub(crate) fn schema() -> String {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "dns_nameservers": {
                "type": "array", "maxItems": 5, "items": {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$"}, "default": [],
                "description": "IPv4 addresses of the nodes' name servers, as a JSON array; by default the cloud's own.",
            },
            "mtu": {
                "type": "integer", "minimum": 1280, "maximum": 9216,
                "description": "Largest packet on the cluster's network in bytes; by default the cloud's own.",
            },
            "spread_workers": {
                "type": "integer", "minimum": 0, "maximum": 250, "default": spread_workers(),
                "description": "How many workers, by their numbers, are put on different compute hosts where possible; 0 for none. \
                    Nova's default quota (server_group_members) allows ten. Fixed once the cluster is made.",
            },
            "root_volume_gib": {
                "type": "integer", "minimum": 0, "maximum": MAX_ROOT_VOLUME_GIB, "default": 0, FIXED_KEYWORD: true,
                "description": "Size in GiB of the volume that each node boots from, for flavors without a disk of their own; \
                    0 boots from the flavor's disk.",
            },
            "availability_zone": {
                "type": "string", "pattern": "^[^\\p{Cc}]{1,255}$", FIXED_KEYWORD: true,
                "description": "Availability zone of the nodes; by default where the cloud puts them.",
            },
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_schema_and_of_the_type_are_the_same() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        let defaults: serde_json::Map<_, _> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, body)| Some((name.clone(), body.get("default")?.clone())))
            .collect();
        let filled: ClusterSettings = serde_json::from_value(defaults.into()).unwrap();
        assert_eq!(filled, serde_json::from_str("{}").unwrap());
    }
}
