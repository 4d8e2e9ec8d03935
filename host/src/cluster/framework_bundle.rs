//! What a framework plugin adds to a cluster, as the host uses it: data that
//! nodes bring about, scripts, endpoints and services.
//!
//! `components` names the plugin's own that were claimed, and is never empty.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::framework_request::FrameworkService;

/// What one plugin adds, and nothing of what others do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameworkBundle {
    /// Whose it is.
    pub plugin: String,
    /// A JSON object of HOT's sections; may have none.
    pub template: Value,
    /// What package managers bring.
    pub software: Vec<NodeSoftware>,
    /// Downloads with a checksum.
    pub artifacts: Vec<DownloadArtifact>,
    /// What nodes make and keep.
    pub secrets: Vec<NodeSecret>,
    /// Texts that stand on nodes.
    pub files: Vec<ConfigFile>,
    /// Daemons.
    pub units: Vec<DaemonUnit>,
    /// Whether components work.
    pub checks: Vec<ComponentCheck>,
    /// Bash.
    pub scripts: Vec<ComponentScript>,
    /// Where the framework is reached.
    pub endpoints: Vec<ComponentEndpoint>,
    /// One for each that the descriptor provides.
    pub services: Vec<FrameworkService>,
}

/// What a package manager brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSoftware {
    /// Whose units restart when it changes.
    pub components: Vec<String>,
    /// What, and by whom.
    pub source: SoftwareSource,
}

/// Who brings software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SoftwareSource {
    /// The distribution.
    Apt {
        /// Its packages.
        packages: Vec<String>,
    },
    /// A Java, of the image, of the distribution, or by the operator's URL.
    Java {
        /// The oldest that will do.
        oldest: u32,
        /// The newest that will do.
        newest: u32,
    },
    /// Python's package index.
    Pip {
        /// The environment's folder.
        to: String,
        /// Requirements, each pinned.
        lines: Vec<String>,
    },
}

/// A download with a checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadArtifact {
    /// Whose units restart when it changes.
    pub components: Vec<String>,
    /// Below the mirror and each of `bases`.
    pub path: String,
    /// URLs, the best first.
    pub bases: Vec<String>,
    /// Lower-case hexadecimal.
    pub sha512: String,
    /// What `uname -m` says; empty: all.
    pub machine: String,
    /// Below `/opt`.
    pub to: String,
}

/// Digits that nodes make and keep, root's alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSecret {
    /// What files and scripts call it.
    pub name: String,
    /// The same on all nodes.
    pub shared: bool,
}

/// A text that stands on nodes before any script runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// On whose nodes, and whose units it concerns.
    pub components: Vec<String>,
    /// On the nodes of these groups alone; empty: of all.
    pub groups: Vec<String>,
    /// Absolute.
    pub path: String,
    /// `user` or `user:group`.
    pub owner: String,
    /// Permissions.
    pub mode: u32,
    /// What its change means to units.
    pub effect: FileEffect,
    /// With `@{...}`.
    pub content: String,
}

/// What the change of a file means to the units of its components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileEffect {
    /// Whoever reads it will read it again.
    Nothing,
    /// They are reloaded.
    Reload,
    /// They restart.
    Restart,
}

/// A daemon that systemd runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonUnit {
    /// Whose it is.
    pub component: String,
    /// On the nodes of these groups alone; empty: of all.
    pub groups: Vec<String>,
    /// Without `.service`.
    pub name: String,
    /// `user` or `user:group`.
    pub owner: String,
    /// Further groups of the system that its owner's user is in.
    #[serde(default)]
    pub member_of: Vec<String>,
    /// As in `ExecStart`, with `@{...}`.
    pub exec: String,
    /// Folders of its data.
    pub data: Vec<String>,
    /// Further lines of its section `Service`.
    pub directives: Vec<(String, String)>,
}

impl FrameworkBundle {
    /// The components that tell of jobs.
    pub fn job_tellers(&self) -> impl Iterator<Item = String> {
        let checks = self.checks.iter();
        let telling = checks.filter(|check| matches!(check.probe, CheckProbe::Jobs { .. }));
        telling.map(|check| check.component.clone())
    }
}

/// Whether a component works on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentCheck {
    /// The component.
    pub component: String,
    /// How that is found out.
    pub probe: CheckProbe,
}

/// How it is found out whether a component works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckProbe {
    /// A connection is taken.
    Tcp {
        /// At this port.
        port: u16,
    },
    /// A page answers well.
    Http {
        /// By `https`.
        tls: bool,
        /// At this port.
        port: u16,
        /// Begins with `/`, or empty.
        path: String,
    },
    /// Bash ends well.
    Exec {
        /// One line.
        command: String,
    },
    /// Bash prints how many jobs run or wait: no part of health.
    Jobs {
        /// One line.
        command: String,
    },
}

/// Bash of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentScript {
    /// The component.
    pub component: String,
    /// When it runs.
    pub stage: ComponentStage,
    /// Bash.
    pub body: String,
}

/// When a script of a component runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentStage {
    /// Before its units start.
    Setup,
    /// Until it works.
    Ready,
    /// A real job.
    Smoke,
    /// Before members leave.
    Drain,
    /// After members have come or gone.
    Members,
}

impl ComponentStage {
    /// As the contract and file names say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Ready => "ready",
            Self::Smoke => "smoke",
            Self::Drain => "drain",
            Self::Members => "members",
        }
    }
}

/// Where people and programs reach a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentEndpoint {
    /// An output of the stack.
    pub name: String,
    /// For people.
    pub description: String,
    /// On each of its nodes.
    pub component: String,
    /// `http`, `hdfs`.
    pub scheme: String,
    /// One that the component claims.
    pub port: u16,
    /// Begins with `/`, or empty.
    pub path: String,
    /// Who may reach it.
    pub reach: EndpointReach,
    /// The secret of the plugin's that it asks for; none: it asks for none.
    pub secret: Option<String>,
}

/// Who may reach an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointReach {
    /// Programs on the cluster's nodes.
    Cluster,
    /// People too, through SSH.
    Tunnel,
    /// Whom the user opens it to.
    Outside,
}

impl EndpointReach {
    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Tunnel => "tunnel",
            Self::Outside => "outside",
        }
    }
}
