//! One cluster as a user asked for it, typed, before anything was looked up: every field that is
//! `None` is found in the cloud or defaulted later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{framework::CLUSTER, pins::ClusterPins};

/// One cluster as asked for. Made by [`super::attributes`] from `stampede.*` attributes or `--set`;
/// a new field that users set takes a row of [`super::attribute_schema`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// The cluster's name: the entity's last path part, or `--name`.
    pub name: String,
    /// In the order asked for; without the plugin `cluster`, which is always first.
    pub frameworks: Vec<FrameworkChoice>,
    /// How many workers.
    pub workers: u32,
    /// Their ids, where they are not 1 to `workers`: ids are never given out twice. Empty before
    /// the first change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worker_ids: Vec<u32>,
    /// The highest id that was ever given out, where it is none of those that are there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ids_given: u32,
    /// Flavor name or id of the master.
    pub master_flavor: Option<String>,
    /// Flavor name or id of the workers.
    pub worker_flavor: Option<String>,
    /// Image name or id.
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
    /// CIDRs that may reach admin and public ports from outside.
    pub access: Vec<String>,
    /// Download mirror: a base URL without a trailing slash.
    pub mirror: Option<String>,
    /// Proxy for packages: a URL.
    pub proxy: Option<String>,
    /// How long the nodes may take until the cluster is verified, in seconds.
    pub timeout_s: u32,
    /// Raw parameter texts by framework: `settings["hadoop"]["replication"] = "2"`. Typed later, by
    /// the plugin's schema.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Parameters that plugins have computed at deploy and that stay as they are while nodes come
    /// and go; the user's own win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub computed: BTreeMap<String, BTreeMap<String, String>>,
    /// What it was made of; none before it is planned, and in records of former versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins: Option<Box<ClusterPins>>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ClusterSpec {
    /// The ids of the workers, in their order.
    pub fn ids(&self) -> Vec<u32> {
        if self.worker_ids.is_empty() {
            (1..=self.workers).collect()
        } else {
            self.worker_ids.clone()
        }
    }

    /// The names of its workers: `worker-7`.
    pub fn worker_names(&self) -> Vec<String> {
        let ids = self.ids().into_iter();
        ids.map(|id| format!("worker-{id}")).collect()
    }

    /// The highest id that was ever given out.
    pub fn last_id(&self) -> u32 {
        self.ids()
            .into_iter()
            .max()
            .unwrap_or(0)
            .max(self.ids_given)
    }

    /// The same cluster with these workers; what ids were given out is kept.
    pub fn with_ids(&self, ids: Vec<u32>) -> Self {
        let ids_given = self.last_id().max(ids.iter().copied().max().unwrap_or(0));
        Self {
            workers: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            worker_ids: ids,
            ids_given,
            ..self.clone()
        }
    }

    /// The size of the volume that each node boots from, where it boots from one: a parameter of
    /// the plugin `cluster` that decides which flavors fit.
    pub fn root_volume_gib(&self) -> Option<u32> {
        let settings = self.settings.get(CLUSTER)?;
        let size: u32 = settings.get("root_volume_gib")?.trim().parse().ok()?;
        (size > 0).then_some(size)
    }

    /// The image by which the cloud is asked: the pinned id, else what the user named.
    pub fn image_reference(&self) -> Option<&str> {
        self.pinned(|pins| &pins.image_id, &self.image)
    }

    /// The master's flavor likewise.
    pub fn master_flavor_reference(&self) -> Option<&str> {
        self.pinned(|pins| &pins.master_flavor_id, &self.master_flavor)
    }

    /// The workers' flavor likewise.
    pub fn worker_flavor_reference(&self) -> Option<&str> {
        self.pinned(|pins| &pins.worker_flavor_id, &self.worker_flavor)
    }

    /// The external network likewise.
    pub fn external_network_reference(&self) -> Option<&str> {
        self.pinned(|pins| &pins.external_network_id, &self.external_network)
    }

    fn pinned<'a>(
        &'a self,
        id: fn(&ClusterPins) -> &Option<String>,
        named: &'a Option<String>,
    ) -> Option<&'a str> {
        let pinned = self.pins.as_deref().and_then(|pins| id(pins).as_deref());
        pinned.or(named.as_deref())
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
