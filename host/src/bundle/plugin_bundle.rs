//! The plugin bundle: what one plugin adds to a cluster, as the host holds it whatever version of
//! the contract the plugin speaks.

use serde::{Deserialize, Serialize};

use crate::cluster::framework::{FrameworkEndpoint, ProvidedService, ResourceClaim};

/// What one plugin returns: its own resources, files and scripts, and nothing of what others do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginBundle {
    /// The plugin's name.
    pub plugin: String,
    /// HOT: `parameters`, `resources`, `outputs`, `conditions`, each optional.
    pub template: serde_json::Value,
    /// Files that stand on the nodes before any script runs.
    pub files: Vec<PluginFile>,
    /// What the nodes run.
    pub scripts: Vec<NodeScript>,
    /// Where the framework is reached.
    pub endpoints: Vec<FrameworkEndpoint>,
    /// What it offers to those after it.
    pub services: Vec<ProvidedService>,
    /// What it has taken of the nodes.
    pub taken: Vec<ResourceClaim>,
}

impl PluginBundle {
    /// What its template holds in a section, by name.
    pub fn section(&self, section: &str) -> impl Iterator<Item = (&String, &serde_json::Value)> {
        super::plugin_template::section_of(&self.template, section)
    }
}

/// A file on the nodes, byte for byte, owned by root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFile {
    /// The roles whose nodes get it.
    pub roles: Vec<String>,
    /// Absolute.
    pub path: String,
    /// Such as 0o644.
    pub mode: u32,
    /// UTF-8 text.
    pub content: String,
}

/// A bash script that nodes of a role run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeScript {
    /// The role.
    pub role: String,
    /// When.
    pub stage: ScriptStage,
    /// For people and for the path on the node.
    pub name: String,
    /// Without the frame.
    pub body: String,
}

/// When a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptStage {
    /// Installs, configures, starts.
    Setup,
    /// Exits 0 once this role works.
    Ready,
    /// Verifies the framework by a real job.
    Smoke,
    /// Before a node leaves.
    Drain,
}

impl ScriptStage {
    /// As it stands in paths and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Ready => "ready",
            Self::Smoke => "smoke",
            Self::Drain => "drain",
        }
    }
}
