//! What a user asked for, before anything was looked up: every field that is `None` is found or defaulted later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One cluster as asked for. Made by [`super::attributes`] from `stampede.*` attributes or `--set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The cluster's name: the entity's last path part, or `--name`.
    pub name: String,
    /// In the order asked for; without the plugin `cluster`, which is always first.
    pub frameworks: Vec<Framework>,
    /// How many workers.
    pub workers: u32,
    /// Flavor name or id of the master.
    pub master_flavor: Option<String>,
    /// Flavor name or id of the workers.
    pub worker_flavor: Option<String>,
    /// Image name or id.
    pub image: Option<String>,
    /// Key pair name.
    pub key: Option<String>,
    /// External network name or id.
    pub external_network: Option<String>,
    /// The cluster's own network, IPv4 CIDR.
    pub cidr: String,
    /// CIDRs that may reach admin and public ports from outside.
    pub access: Vec<String>,
    /// Download mirror: a base URL without a trailing slash.
    pub mirror: Option<String>,
    /// Proxy for packages: a URL.
    pub proxy: Option<String>,
    /// How long the nodes may take until the cluster is proved, in seconds.
    pub timeout_s: u32,
    /// Raw parameter texts by framework: `settings["hadoop"]["replication"] = "2"`. Typed later, by the plugin's schema.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
}

/// A framework asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framework {
    /// A plugin's name.
    pub name: String,
    /// `None`: the plugin's default.
    pub version: Option<String>,
}
