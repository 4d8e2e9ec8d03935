//! What a framework plugin is asked, and what it claims, as the host uses
//! them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::component::{ComponentNeed, ComponentPlacement};

/// What a plugin is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameworkRequest {
    /// The cluster's name.
    pub cluster: String,
    /// One of the descriptor's versions; empty where there are none.
    pub version: String,
    /// Satisfies the descriptor's schema; defaults and what was computed are filled in.
    pub settings: Map<String, Value>,
    /// Every component of every plugin, in the order.
    pub placements: Vec<ComponentPlacement>,
    /// Of other plugins.
    pub services: Vec<FrameworkService>,
}

/// What others need to know to use a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkService {
    /// `hdfs`.
    pub name: String,
    /// Such as (`url`, `hdfs://master:8020`); never a secret.
    pub attributes: Vec<(String, String)>,
}

/// What a plugin needs before anything is generated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkClaims {
    /// One for each component that the cluster is to have.
    pub needs: Vec<ComponentNeed>,
    /// Additions to others' configuration.
    pub extensions: Vec<ConfigExtension>,
    /// What parameters come to that are not in the settings, as a user would write them.
    pub computed: Vec<(String, String)>,
}

impl FrameworkClaims {
    /// Whether a component is claimed.
    pub fn has_need_of(&self, component: &str) -> bool {
        self.needs.iter().any(|need| need.component == component)
    }
}

/// An addition to the configuration of whoever provides a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConfigExtension {
    /// `yarn`.
    pub service: String,
    /// What the provider knows it by.
    pub key: String,
    /// What is added.
    pub value: String,
}

/// What a component has on each of its nodes in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentGrant {
    /// The component.
    pub component: String,
    /// The group.
    pub group: String,
    /// The node's, which all its components share.
    pub vcpus: u32,
    /// Never less than was claimed.
    pub memory_mib: u32,
    /// The node's root disk; 0: not known.
    #[serde(default)]
    pub disk_gib: u32,
    /// The node's volume; 0: none.
    #[serde(default)]
    pub volume_gib: u32,
}

/// All that `generate` is asked with, and what the host judges the answer by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenerateQuestion {
    /// The request, without components that were not claimed.
    pub request: FrameworkRequest,
    /// One for each claimed component of the plugin and group that has it.
    pub grants: Vec<ComponentGrant>,
    /// Those of the services that it provides, in the order of the plugins that claimed them.
    pub extensions: Vec<ConfigExtension>,
    /// What the plugin has claimed. It is not told again.
    pub needs: Vec<ComponentNeed>,
    /// The group of each node. Plugins are not told.
    pub node_groups: BTreeMap<String, String>,
}

impl GenerateQuestion {
    /// Whether the plugin has claimed the component.
    pub fn is_claimed(&self, component: &str) -> bool {
        self.need(component).is_some()
    }

    /// What a component of the plugin needs.
    pub fn need(&self, component: &str) -> Option<&ComponentNeed> {
        self.needs.iter().find(|need| need.component == component)
    }
}
