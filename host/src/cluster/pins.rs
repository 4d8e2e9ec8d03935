//! What a cluster was made of: recorded with its deploy, so that a later version of Stampede, of a
//! plugin or of the cloud's image changes nothing that nobody asked for. No I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::NodeFlavors;

/// What a cluster was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterPins {
    /// The version of Stampede.
    #[serde(default)]
    pub host_version: String,
    /// The plugins of the chain by name.
    #[serde(default)]
    pub plugins: BTreeMap<String, PinnedPlugin>,
    /// The image that new nodes boot from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// The master's flavor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_flavor_id: Option<String>,
    /// The flavor of new workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_flavor_id: Option<String>,
    /// The external network; none for no way in or out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_network_id: Option<String>,
    /// The sizes that the nodes' settings were computed for.
    pub flavors: NodeFlavors,
    /// Whether its nodes were made of more than one plan: then a change is laid over what the stack
    /// has, since no plan of now makes all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mixed: bool,
}

/// A plugin as it made a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedPlugin {
    /// The framework's version; empty where it has none.
    pub version: String,
    /// SHA-256 of the plugin, in hexadecimal; empty where it is not known.
    #[serde(default)]
    pub digest: String,
    /// Its parameters, typed, the defaults of that time filled in.
    pub settings: Map<String, Value>,
}

impl ClusterPins {
    /// The settings that a plugin was asked with.
    pub fn settings_of(&self, plugin: &str) -> Option<&Map<String, Value>> {
        self.plugins.get(plugin).map(|pinned| &pinned.settings)
    }

    /// Whether these plugins are byte for byte those that made the cluster.
    pub fn has_same_plugins(&self, others: &BTreeMap<String, PinnedPlugin>) -> bool {
        let digests = |all: &BTreeMap<String, PinnedPlugin>| -> BTreeMap<String, String> {
            all.iter()
                .map(|(name, plugin)| (name.clone(), plugin.digest.clone()))
                .collect()
        };
        digests(&self.plugins) == digests(others)
    }
}
