//! The types of the plugin contract as the host uses them, of its newest version, and the keywords
//! that stand in its texts.
//!
//! They mirror `wit/framework`; `plugin` converts. Nothing here knows WebAssembly, Heat or HTTP.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Flavor, parameter_schema::ParameterSchema};

/// The plugin that every chain begins with.
pub const CLUSTER: &str = "cluster";
/// A keyword of a parameter's JSON Schema in [`PluginDescriptor::parameters`]: with the value
/// `true` the parameter is fixed with the cluster, and an update that changes it is refused.
/// Plugins write it by the SDK's constant of the same name.
pub const FIXED_KEYWORD: &str = "x-stampede-fixed";
/// A keyword of the whole schema in [`PluginDescriptor::parameters`]: an object with the oldest and
/// the newest Java that each version runs on, `{"3.5.0": [17, 17]}`. Images whose distribution
/// packages none of these are refused before anything is made.
pub const JAVA_KEYWORD: &str = "x-stampede-java";
/// What an attribute's name in [`ProvidedService::attributes`] begins with when it says a parameter
/// that the plugin has computed: `setting.replication` = `2` keeps `replication` at 2 while nodes
/// come and go, unless the user says it.
pub const KEPT_SETTING_PREFIX: &str = "setting.";

/// What a plugin is and what it can be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDescriptor {
    /// The name that a request uses: `hadoop`.
    pub name: String,
    /// For people: `Apache Hadoop`.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Versions of the framework, newest first; may be empty.
    pub versions: Vec<String>,
    /// One of `versions`, or empty where there are none.
    pub default_version: String,
    /// Services that must be there before this plugin is asked.
    pub requires: Vec<String>,
    /// Services that this plugin brings.
    pub provides: Vec<String>,
    /// The node groups that it runs on.
    pub roles: Vec<NodeRole>,
    /// JSON Schema of an object, one property a parameter.
    pub parameters: ParameterSchema,
    /// TCP ports that the framework listens on.
    pub ports: Vec<FrameworkPort>,
    /// The HOT resource types that its template may hold.
    pub resource_types: Vec<String>,
}

/// A node group that a framework runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRole {
    /// `master`, `worker`.
    pub name: String,
    /// How many nodes it may have.
    pub cardinality: RoleCardinality,
    /// The smallest flavor that makes sense.
    pub smallest: NodeResources,
}

/// How many nodes a role may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleCardinality {
    /// One.
    ExactlyOne,
    /// At least one.
    OneOrMore,
    /// 1, 3, 5 ...
    Odd,
}

/// The size of a node, or what a node needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeResources {
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub ram_mib: u32,
    /// Root disk in GiB.
    pub disk_gib: u32,
}

impl std::fmt::Display for NodeResources {
    /// As messages say it: `4096 MiB of memory, 2 vCPUs and 20 GiB of disk`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} MiB of memory, {} vCPUs and {} GiB of disk",
            self.ram_mib, self.vcpus, self.disk_gib
        )
    }
}

/// A TCP port that a framework listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkPort {
    /// The number.
    pub number: u16,
    /// The role whose nodes listen.
    pub role: String,
    /// What it is for.
    pub purpose: String,
    /// Who has to reach it.
    pub audience: PortAudience,
}

/// Who has to reach a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortAudience {
    /// The cluster's own nodes.
    Cluster,
    /// Its administrator.
    Admin,
    /// Its users.
    Public,
}

/// What a plugin is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginRequest {
    /// The cluster's name.
    pub cluster: String,
    /// One of the descriptor's versions.
    pub version: String,
    /// The nodes, group by group; `master` first.
    pub groups: Vec<NodeGroup>,
    /// Satisfies the descriptor's schema; defaults are filled in.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The names of those settings that the user gave. All others are the plugin's own word: its
    /// default, now or at deploy, or what it has computed. Plugins are not told.
    #[serde(skip)]
    pub given: BTreeSet<String>,
    /// The cluster's network.
    pub network: ClusterNetwork,
    /// A base URL without a trailing slash.
    pub mirror: Option<String>,
    /// A URL.
    pub proxy: Option<String>,
    /// A key pair's name.
    pub key: Option<String>,
    /// `HEAT_SIGNAL`, `CFN_SIGNAL`, `TOKEN_SIGNAL` or `TEMP_URL_SIGNAL`.
    pub signal_transport: String,
    /// How long the nodes may take, in seconds.
    pub timeout_s: u32,
    /// What the plugins before this one provide.
    pub services: Vec<ProvidedService>,
    /// What the plugins before this one have taken.
    pub taken: Vec<ResourceClaim>,
}

/// The nodes of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// `master`, `worker`.
    pub role: String,
    /// The same for all of them.
    pub flavor: Flavor,
    /// An image's name or id.
    pub image: String,
    /// In the order of their ids.
    pub nodes: Vec<ClusterNode>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNode {
    /// From 1, stable, never given out twice in its group.
    pub id: u32,
    /// `master`, `worker-7`.
    pub name: String,
    /// Its fixed IPv4 address.
    pub address: String,
}

/// The cluster's own network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNetwork {
    /// IPv4.
    pub cidr: String,
    /// The external network's name or id.
    pub external: Option<String>,
    /// CIDRs that may reach the admin and public ports.
    pub access: Vec<String>,
}

/// Something that one framework offers to those after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvidedService {
    /// `hdfs`, `yarn`.
    pub name: String,
    /// The plugin that provides it.
    pub plugin: String,
    /// The node where it is reached.
    pub node: String,
    /// Such as (`url`, `hdfs://master:8020`).
    pub attributes: Vec<(String, String)>,
}

/// What a framework has taken on each node of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceClaim {
    /// The role.
    pub role: String,
    /// The plugin that took it.
    pub plugin: String,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// TCP ports.
    pub ports: Vec<u16>,
}

/// Where people and programs reach the framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkEndpoint {
    /// `[a-z][a-z0-9_]*`: an output of the stack.
    pub name: String,
    /// For people.
    pub description: String,
    /// The role whose node answers.
    pub role: String,
    /// `http`, `hdfs`.
    pub scheme: String,
    /// TCP.
    pub port: u16,
    /// Begins with `/`, or empty.
    pub path: String,
    /// Who is to reach it.
    pub audience: PortAudience,
}
