//! What the nodes that a change adds are made of: another image, flavor or key pair than those that
//! are there, group by group. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::{ClusterSpec, GroupSpec};

/// What new nodes are made of where it is not what the plans say, which are made for all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNodeValues {
    /// By group: an image or a flavor as the plans name it, and the one to take.
    pub replaced: BTreeMap<String, BTreeMap<String, String>>,
    /// Another key pair; empty for none.
    pub key: Option<String>,
}

impl NewNodeValues {
    /// What a change has new nodes made of.
    pub fn of_change(from: &ClusterSpec, to: &ClusterSpec) -> Self {
        let mut new = Self {
            key: (from.key != to.key).then(|| to.key.clone().unwrap_or_default()),
            ..Self::default()
        };
        for group in from.groups.iter() {
            let Some(wanted) = to.groups.get(&group.name) else {
                continue;
            };
            let mut replaced = BTreeMap::new();
            let mut replace = |before: Option<&str>, after: Option<&str>| {
                if let (Some(before), Some(after)) = (before, after) {
                    replaced.insert(before.to_owned(), after.to_owned());
                }
            };
            if from.image_of(group) != to.image_of(wanted) {
                replace(from.image_reference(group), to.image_reference(wanted));
            }
            if group.flavor != wanted.flavor {
                replace(from.flavor_reference(group), to.flavor_reference(wanted));
            }
            new.replaced.insert(group.name.clone(), replaced);
        }
        new
    }

    /// A value as a plan has it, or the one that new nodes of the group have in its place.
    pub fn value(&self, group: Option<&str>, planned: Value) -> Value {
        let replaced = group.and_then(|group| self.replaced.get(group));
        let name = planned.as_str();
        match name.and_then(|name| replaced?.get(name)) {
            Some(other) => Value::from(other.as_str()),
            None => planned,
        }
    }
}

/// Whether a change has new nodes made of something else than those that are there.
pub fn has_other_values(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let has_others = |group: &GroupSpec| {
        let Some(wanted) = to.groups.get(&group.name) else {
            return false;
        };
        group.flavor != wanted.flavor || from.image_of(group) != to.image_of(wanted)
    };
    from.key != to.key || from.groups.iter().any(has_others)
}
