//! How records and snapshots of former versions said what is said by node groups today: a cluster
//! had one master and numbered workers, each with a flavor of its own and all with one image. They
//! are read, and written anew by groups with whatever changes the record next. And what becomes of
//! clusters that were made by a former version of the plugin contract. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{
    CloudAccess, ClusterSpec, Flavor, PluginContract,
    default_groups::{MASTER, WORKER},
};

/// Why a cluster cannot be changed that was made by a former version of the plugin contract; none
/// where it was made by the one of now. Nothing is known of what stands on its nodes but by name.
pub(crate) fn refuse_change(spec: &ClusterSpec) -> Option<String> {
    let pins = spec.pins.as_deref();
    let contract = pins.map_or_else(PluginContract::default, |pins| pins.contract);
    (contract != PluginContract::SPOKEN).then(|| {
        format!(
            "`{}` was made by the plugin contract {contract}, which this Stampede no longer speaks: it is shown and deleted as before, and cannot be changed; deploy a new cluster",
            spec.name
        )
    })
}

/// The groups of a spec, in either form.
#[derive(Deserialize)]
pub(super) struct StoredGroups<Group> {
    groups: Option<Vec<Group>>,
    workers: Option<u32>,
    #[serde(default)]
    worker_ids: Vec<u32>,
    #[serde(default)]
    ids_given: u32,
    #[serde(default)]
    master_flavor: Option<String>,
    #[serde(default)]
    worker_flavor: Option<String>,
}

/// A group as a former version has written it.
pub(super) struct FormerGroup {
    pub(super) name: &'static str,
    pub(super) count: u32,
    pub(super) ids: Vec<u32>,
    pub(super) ids_given: u32,
    pub(super) flavor: Option<String>,
}

impl<Group> StoredGroups<Group> {
    /// The groups; what `restore` makes of them where a former version has written them.
    ///
    /// # Errors
    /// It is neither.
    pub(super) fn into_groups(
        self,
        restore: impl FnOnce([FormerGroup; 2]) -> Vec<Group>,
    ) -> Result<Vec<Group>, &'static str> {
        if let Some(groups) = self.groups {
            return Ok(groups);
        }
        let Some(workers) = self.workers else {
            return Err("missing field `groups`");
        };
        let master = FormerGroup {
            name: MASTER,
            count: 1,
            ids: Vec::new(),
            ids_given: 0,
            flavor: self.master_flavor,
        };
        let worker = FormerGroup {
            name: WORKER,
            count: workers,
            ids: self.worker_ids,
            ids_given: self.ids_given,
            flavor: self.worker_flavor,
        };
        Ok(restore([master, worker]))
    }
}

/// The flavors of a cluster's nodes, in either form.
#[derive(Deserialize)]
pub(super) struct StoredFlavors {
    #[serde(default)]
    groups: BTreeMap<String, Flavor>,
    master: Option<Flavor>,
    worker: Option<Flavor>,
    #[serde(default)]
    pub(super) access: CloudAccess,
}

impl StoredFlavors {
    /// By group.
    pub(super) fn by_group(&self) -> BTreeMap<String, Flavor> {
        let mut groups = self.groups.clone();
        for (group, flavor) in [(MASTER, &self.master), (WORKER, &self.worker)] {
            groups.extend(
                flavor
                    .iter()
                    .map(|flavor| (group.to_owned(), flavor.clone())),
            );
        }
        groups
    }
}

/// What new nodes are made of, in either form.
#[derive(Deserialize)]
pub(super) struct StoredGroupPins<Pins> {
    groups: Option<BTreeMap<String, Pins>>,
    #[serde(default)]
    image_id: Option<String>,
    #[serde(default)]
    master_flavor_id: Option<String>,
    #[serde(default)]
    worker_flavor_id: Option<String>,
}

impl<Pins> StoredGroupPins<Pins> {
    /// By group; `restore` makes one of a flavor's and an image's id.
    pub(super) fn into_groups(
        self,
        restore: impl Fn(Option<String>, Option<String>) -> Pins,
    ) -> BTreeMap<String, Pins> {
        if let Some(groups) = self.groups {
            return groups;
        }
        let flavors = [
            (MASTER, self.master_flavor_id),
            (WORKER, self.worker_flavor_id),
        ];
        let groups = flavors.into_iter();
        groups
            .map(|(group, flavor)| (group.to_owned(), restore(flavor, self.image_id.clone())))
            .collect()
    }
}

/// Ids by group; in records of former versions the workers' alone, without a word.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredIds {
    ByGroup(BTreeMap<String, Vec<u32>>),
    OfWorkers(Vec<u32>),
}

/// The nodes that there are after a step, by group.
pub(super) fn read_step_nodes<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Vec<u32>>, D::Error> {
    Ok(match StoredIds::deserialize(from)? {
        StoredIds::ByGroup(ids) => ids,
        StoredIds::OfWorkers(ids) => [(MASTER, vec![1]), (WORKER, ids)]
            .map(|(group, ids)| (group.to_owned(), ids))
            .into(),
    })
}

/// The nodes that a change has added, by group.
pub(super) fn read_added_nodes<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Vec<u32>>, D::Error> {
    Ok(match StoredIds::deserialize(from)? {
        StoredIds::ByGroup(ids) => ids,
        StoredIds::OfWorkers(ids) if ids.is_empty() => BTreeMap::new(),
        StoredIds::OfWorkers(ids) => BTreeMap::from([(WORKER.to_owned(), ids)]),
    })
}
