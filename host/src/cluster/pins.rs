//! What a cluster was made of: recorded with its deploy, so that a later version of Stampede, of a
//! plugin or of the cloud's image changes nothing that nobody asked for. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    change::NodeFlavors,
    component::{ComponentNeed, ComponentPlacement},
    former_records::StoredGroupPins,
    framework_request::{ComponentGrant, ConfigExtension, FrameworkClaims},
    placement_text,
    plugin_contract::PluginContract,
};

/// What a cluster was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPins")]
pub struct ClusterPins {
    /// The version of Stampede.
    pub host_version: String,
    /// The plugins of the chain by name.
    pub plugins: BTreeMap<String, PinnedPlugin>,
    /// What new nodes are made of, by group.
    pub groups: BTreeMap<String, GroupPins>,
    /// The external network; none for no way in or out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_network_id: Option<String>,
    /// The sizes that the nodes' settings were computed for.
    pub flavors: NodeFlavors,
    /// Whether its nodes were made of more than one plan: then a change is laid over what the stack
    /// has, since no plan of now makes all of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mixed: bool,
    /// The contract that its plugins speak.
    #[serde(skip_serializing_if = "PluginContract::is_first")]
    pub contract: PluginContract,
    /// Which nodes have which components.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "placement_text")]
    pub placements: Vec<ComponentPlacement>,
    /// What each plugin has claimed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, Vec<ComponentNeed>>,
    /// What each plugin adds to the configuration of others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Vec<ConfigExtension>>,
    /// What each component has on the nodes of each group, by plugin.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<String, Vec<ComponentGrant>>,
    /// The components that tell of jobs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub job_tellers: BTreeSet<String>,
}

/// The same as it is stored, by this or a former version.
#[derive(Deserialize)]
struct StoredPins {
    #[serde(default)]
    host_version: String,
    #[serde(default)]
    plugins: BTreeMap<String, PinnedPlugin>,
    #[serde(flatten)]
    groups: StoredGroupPins<GroupPins>,
    #[serde(default)]
    external_network_id: Option<String>,
    flavors: NodeFlavors,
    #[serde(default)]
    mixed: bool,
    #[serde(default)]
    contract: PluginContract,
    #[serde(default, with = "placement_text")]
    placements: Vec<ComponentPlacement>,
    #[serde(default)]
    needs: BTreeMap<String, Vec<ComponentNeed>>,
    #[serde(default)]
    extensions: BTreeMap<String, Vec<ConfigExtension>>,
    #[serde(default)]
    grants: BTreeMap<String, Vec<ComponentGrant>>,
    #[serde(default)]
    job_tellers: BTreeSet<String>,
}

impl From<StoredPins> for ClusterPins {
    fn from(stored: StoredPins) -> Self {
        let restore = |flavor_id, image_id| GroupPins {
            flavor_id,
            image_id,
        };
        Self {
            host_version: stored.host_version,
            plugins: stored.plugins,
            groups: stored.groups.into_groups(restore),
            external_network_id: stored.external_network_id,
            flavors: stored.flavors,
            mixed: stored.mixed,
            contract: stored.contract,
            placements: stored.placements,
            needs: stored.needs,
            extensions: stored.extensions,
            grants: stored.grants,
            job_tellers: stored.job_tellers,
        }
    }
}

/// What new nodes of a group are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPins {
    /// Their flavor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor_id: Option<String>,
    /// The image that they boot from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
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
    /// What a plugin claimed; what it computed stands in its settings.
    pub fn claims_of(&self, plugin: &str) -> FrameworkClaims {
        FrameworkClaims {
            needs: self.needs.get(plugin).cloned().unwrap_or_default(),
            extensions: self.extensions.get(plugin).cloned().unwrap_or_default(),
            computed: Vec::new(),
        }
    }

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
