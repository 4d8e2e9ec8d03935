//! What one plugin adds to a cluster.

use serde::{Deserialize, Serialize};

use crate::cluster::framework::{Endpoint, Service, Share};

/// The bundle of one plugin: its own resources, files and scripts, and nothing of what others do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The plugin's name.
    pub plugin: String,
    /// HOT: `parameters`, `resources`, `outputs`, `conditions`, each optional.
    pub template: serde_json::Value,
    /// Files that stand on the nodes before any script runs.
    pub files: Vec<File>,
    /// What the nodes run.
    pub scripts: Vec<Script>,
    /// Where the framework is reached.
    pub endpoints: Vec<Endpoint>,
    /// What it offers to those after it.
    pub services: Vec<Service>,
    /// What it has taken of the nodes.
    pub taken: Vec<Share>,
}

/// A file on the nodes, byte for byte, owned by root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
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
pub struct Script {
    /// The role.
    pub role: String,
    /// When.
    pub stage: Stage,
    /// For people and for the path on the node.
    pub name: String,
    /// Without the frame.
    pub body: String,
}

/// When a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Installs, configures, starts.
    Setup,
    /// Exits 0 once this role works.
    Ready,
    /// Proves the framework with a real job.
    Smoke,
    /// Before a node leaves.
    Drain,
}

impl Stage {
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
