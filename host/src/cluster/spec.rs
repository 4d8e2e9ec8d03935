//! One cluster as a user asked for it, typed, before anything was looked up: every field that is
//! `None` is found in the cloud or defaulted later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    end_time::EndTime,
    framework::CLUSTER,
    group_value::attribute_of,
    idle_limit::IdleLimit,
    java_tarball::JavaTarball,
    node_group::{GroupSpec, NodeGroups, NodeIds},
    pins::{ClusterPins, GroupPins},
};

/// One cluster as asked for. Made by [`super::attributes`] from `stampede.*` attributes or `--set`;
/// a new field that users set takes a row of [`super::attribute_schema`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// The cluster's name: the entity's last path part, or `--name`.
    pub name: String,
    /// In the order asked for; without the plugin `cluster`, which is always first.
    pub frameworks: Vec<FrameworkChoice>,
    /// Its nodes, group by group.
    #[serde(flatten)]
    pub groups: NodeGroups,
    /// Image name or id of all nodes whose group has none of its own.
    pub image: Option<String>,
    /// Whether the image has a Java inside that the frameworks take.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub image_has_java: bool,
    /// Key pair name.
    pub key: Option<String>,
    /// External network name or id.
    pub external_network: Option<String>,
    /// The cluster's own network, IPv4 CIDR.
    pub cidr: String,
    /// CIDRs that may reach SSH from outside, and the endpoints of `open`.
    pub access: Vec<String>,
    /// Endpoints that these CIDRs may reach, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// Whether endpoints that ask for no secret may be opened to wide networks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_unauthenticated: bool,
    /// Download mirror: a base URL without a trailing slash.
    pub mirror: Option<String>,
    /// Proxy for packages: a URL.
    pub proxy: Option<String>,
    /// The index that Python packages come from: a base URL without a trailing slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python_index: Option<String>,
    /// Tarballs of Java, by version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub javas: Vec<JavaTarball>,
    /// How long the nodes may take until the cluster is verified, in seconds.
    pub timeout_s: u32,
    /// When it is to end, where the request or the operator says it. Deployed specs have none: the
    /// record keeps the end, which can be changed without the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<EndTime>,
    /// How long it may be without jobs, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleLimit>,
    /// The flavors that the operator allows to choose from; none: all. No part of what is recorded.
    #[serde(skip)]
    pub allowed_flavors: Option<Vec<String>>,
    /// Raw parameter texts by framework: `settings["hadoop"]["replication"] = "2"`. Typed later, by
    /// the plugin's schema.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// How much of each node's memory frameworks get, in percent, where the user says it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory_shares: BTreeMap<String, u32>,
    /// Parameters that plugins have computed at deploy and that stay as they are while nodes come
    /// and go; the user's own win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub computed: BTreeMap<String, BTreeMap<String, String>>,
    /// What it was made of; none before it is planned, and in records of former versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins: Option<Box<ClusterPins>>,
}

impl ClusterSpec {
    /// The ids of all nodes.
    pub fn node_ids(&self) -> NodeIds {
        self.groups.node_ids()
    }

    /// The names of all nodes, group by group.
    pub fn node_names(&self) -> Vec<String> {
        self.groups.node_names()
    }

    /// The same cluster with these nodes; what ids were given out is kept.
    pub fn with_nodes(&self, nodes: &NodeIds) -> Self {
        Self {
            groups: self.groups.with_ids(nodes),
            ..self.clone()
        }
    }

    /// The size of the volume that each node of a group boots from, where it boots from one, which
    /// decides which flavors fit: the group's own, else a parameter of the plugin `cluster`.
    pub fn root_volume_of(&self, group: &GroupSpec) -> Option<u32> {
        let of_all = || {
            let settings = self.settings.get(CLUSTER)?;
            settings.get("root_volume_gib")?.trim().parse().ok()
        };
        let size = group.root_volume_gib.or_else(of_all)?;
        (size > 0).then_some(size)
    }

    /// Where the nodes of a group are to be, and the attribute that says it: the group's own, else a
    /// parameter of the plugin `cluster`.
    pub fn zone_of<'a>(&'a self, group: &'a GroupSpec) -> Option<(&'a str, String)> {
        if let Some(zone) = &group.availability_zone {
            return Some((zone, attribute_of(&group.name, "availability_zone")));
        }
        let zone = self.settings.get(CLUSTER)?.get("availability_zone")?;
        let path = format!("{CLUSTER}.availability_zone");
        (!zone.is_empty()).then_some((zone, path))
    }

    /// The image that a group's nodes boot from, as the user named it.
    pub fn image_of<'a>(&'a self, group: &'a GroupSpec) -> Option<&'a str> {
        group.image.as_deref().or(self.image.as_deref())
    }

    /// The image of a group by which the cloud is asked: the pinned id, else what the user named.
    pub fn image_reference<'a>(&'a self, group: &'a GroupSpec) -> Option<&'a str> {
        let pinned = self
            .pins_of(group)
            .and_then(|pins| pins.image_id.as_deref());
        pinned.or(self.image_of(group))
    }

    /// The images by which the cloud is asked, each once.
    pub fn image_references(&self) -> Vec<&str> {
        let groups = self.groups.iter();
        let mut all: Vec<&str> = Vec::new();
        for reference in groups.filter_map(|group| self.image_reference(group)) {
            if !all.contains(&reference) {
                all.push(reference);
            }
        }
        all
    }

    /// The flavor of a group likewise.
    pub fn flavor_reference<'a>(&'a self, group: &'a GroupSpec) -> Option<&'a str> {
        let pinned = self
            .pins_of(group)
            .and_then(|pins| pins.flavor_id.as_deref());
        pinned.or(group.flavor.as_deref())
    }

    fn pins_of(&self, group: &GroupSpec) -> Option<&GroupPins> {
        self.pins.as_deref()?.groups.get(&group.name)
    }

    /// The external network likewise.
    pub fn external_network_reference(&self) -> Option<&str> {
        let pins = self.pins.as_deref();
        let pinned = pins.and_then(|pins| pins.external_network_id.as_deref());
        pinned.or(self.external_network.as_deref())
    }

    /// A plugin's parameters: what it has computed at deploy, the user's own over it.
    pub fn settings_of(&self, plugin: &str) -> BTreeMap<String, String> {
        let all = self
            .computed
            .get(plugin)
            .into_iter()
            .chain(self.settings.get(plugin))
            .flatten();
        all.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// A framework asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkChoice {
    /// A plugin's name.
    pub name: String,
    /// `None`: the plugin's default.
    pub version: Option<String>,
}
