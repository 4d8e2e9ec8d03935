//! The groups that every cluster has, and the words for them: how people say them, and the short
//! names of their attributes. Nothing else in the host knows these words, but for the rows of their
//! attributes in [`super::attribute_schema`] and what former versions have written
//! (`former_records`). Pure.

use super::node_group::NodeGroups;

/// The group whose first node the others join.
pub const MASTER: &str = "master";
/// The group of the nodes that hold the data and do the work.
pub const WORKER: &str = "worker";
/// Both, as the attribute `groups` says them.
pub const GROUPS: &str = "master,worker";
/// The group whose first node people reach by its outer address.
pub const OUTER_GROUP: &str = MASTER;
/// The output that holds that address; the plugin `cluster` defines it.
pub const OUTER_ADDRESS: &str = "master_address";
/// What it is, for people.
pub const OUTER_ADDRESS_TITLE: &str = "where the master is reached";
/// How many workers, as users write it.
pub const WORKERS: &str = "workers";
/// Which workers leave, as users write it.
pub(super) const WORKERS_TO_REMOVE: &str = "workers.remove";

/// A group that every cluster has.
pub struct DefaultGroup {
    /// Its name.
    pub name: &'static str,
    /// How many nodes, where nobody says it.
    pub count: u32,
    /// Whether its first node has no number, however many there are.
    pub bare_first: bool,
    /// One of its nodes, for people.
    pub one: &'static str,
    /// Several of them, for people.
    pub many: &'static str,
    /// The short names of its attributes, each behind the full one.
    pub short_names: &'static [(&'static str, &'static str)],
}

/// They, in the order of their places.
pub static DEFAULT_GROUPS: [DefaultGroup; 2] = [
    DefaultGroup {
        name: MASTER,
        count: 1,
        bare_first: true,
        one: "a master",
        many: "masters",
        short_names: &[],
    },
    DefaultGroup {
        name: WORKER,
        count: WORKER_COUNT,
        bare_first: false,
        one: "a worker",
        many: WORKERS,
        short_names: &[
            ("worker.count", WORKERS),
            ("worker.remove", WORKERS_TO_REMOVE),
        ],
    },
];

/// How many workers, where nobody says it.
pub(super) const WORKER_COUNT: u32 = 2;

/// The one of this name.
pub fn find_default(name: &str) -> Option<&'static DefaultGroup> {
    DEFAULT_GROUPS.iter().find(|group| group.name == name)
}

/// The group that people mean when they say how large a cluster is: the last of those that every
/// cluster has.
pub fn sized_group() -> &'static DefaultGroup {
    let [.., last] = &DEFAULT_GROUPS;
    last
}

/// The node by which people come into a cluster.
pub fn leading_node(groups: &NodeGroups) -> String {
    let group = groups.get(OUTER_GROUP);
    let name = group.and_then(|group| group.node_names().into_iter().next());
    name.unwrap_or_else(|| OUTER_GROUP.to_owned())
}

/// One node of a group, for people: `a worker`, `a node of edge`.
pub fn one_node(group: &str) -> String {
    match find_default(group) {
        Some(known) => known.one.to_owned(),
        None => format!("a node of {group}"),
    }
}

/// Several nodes of a group, for people: `workers`, `nodes of edge`.
pub fn many_nodes(group: &str) -> String {
    match find_default(group) {
        Some(known) => known.many.to_owned(),
        None => format!("nodes of {group}"),
    }
}

/// So many nodes of a group, for people: `a worker`, `3 workers`.
pub fn count_nodes(group: &str, count: u32) -> String {
    if count == 1 {
        one_node(group)
    } else {
        format!("{count} {}", many_nodes(group))
    }
}

/// The name under which an attribute of ours, without `stampede.`, is kept and shown: the short one
/// where it has one.
pub fn canonical_name(name: &str) -> &str {
    let short = DEFAULT_GROUPS
        .iter()
        .flat_map(|group| group.short_names)
        .find(|(full, _)| *full == name);
    short.map_or(name, |(_, short)| *short)
}

/// Attributes of former versions, and what says the same now.
pub(super) const RENAMED: [(&str, &str); 4] = [
    ("hadoop.data_volume_gib", "worker.volume_gib"),
    ("hadoop.data_volume_keep", "cluster.volume_keep"),
    ("hadoop.data_volume_type", "cluster.volume_type"),
    ("hadoop.data_volume_zone", "cluster.volume_zone"),
];
