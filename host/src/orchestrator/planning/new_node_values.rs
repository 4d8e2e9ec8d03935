//! What the nodes that a change adds are made of: another image, flavor or key pair than those that
//! are there, group by group. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::{ClusterSpec, GroupSpec};

/// What a name in a plan names: an image and a flavor may have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKind {
    /// Of Glance.
    Image,
    /// Of Nova.
    Flavor,
}

/// What new nodes are made of where it is not what the plans say, which are made for all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNodeValues {
    /// By group and kind: an image or a flavor as the plans name it, and the one to take.
    pub replaced: BTreeMap<(String, NamedKind), (String, String)>,
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
            let Some(wanted) = kept_group(group, to) else {
                continue;
            };
            let mut replace = |kind, before: Option<&str>, after: Option<&str>| {
                if let (Some(before), Some(after)) = (before, after) {
                    let values = (before.to_owned(), after.to_owned());
                    new.replaced.insert((group.name.clone(), kind), values);
                }
            };
            if from.image_of(group) != to.image_of(wanted) {
                let (before, after) = (from.image_reference(group), to.image_reference(wanted));
                replace(NamedKind::Image, before, after);
            }
            if group.flavor != wanted.flavor {
                let (before, after) = (from.flavor_reference(group), to.flavor_reference(wanted));
                replace(NamedKind::Flavor, before, after);
            }
        }
        new
    }

    /// A value as a plan has it, or the one that new nodes of the group have in its place.
    pub fn value(&self, group: Option<&str>, kind: NamedKind, planned: Value) -> Value {
        let replaced = group.and_then(|group| self.replaced.get(&(group.to_owned(), kind)));
        match replaced {
            Some((before, after)) if planned.as_str() == Some(before) => after.as_str().into(),
            _ => planned,
        }
    }
}

/// The same group after a change, where it has nodes then.
fn kept_group<'a>(group: &GroupSpec, to: &'a ClusterSpec) -> Option<&'a GroupSpec> {
    to.groups
        .get(&group.name)
        .filter(|wanted| !wanted.is_empty())
}

/// Whether a change has new nodes made of something else than those that are there.
pub fn has_other_values(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let has_others = |group: &GroupSpec| {
        let Some(wanted) = kept_group(group, to) else {
            return false;
        };
        group.flavor != wanted.flavor || from.image_of(group) != to.image_of(wanted)
    };
    from.key != to.key || from.groups.iter().any(has_others)
}

/// The cluster as it is, with the groups that the change adds: without nodes, but with what these
/// are to be made of.
pub fn with_new_groups(from: &ClusterSpec, to: &ClusterSpec) -> ClusterSpec {
    let mut with_new = from.clone();
    let is_new = |name: &str| from.groups.get(name).is_none_or(GroupSpec::is_empty);
    for group in to.groups.iter().filter(|group| is_new(&group.name)) {
        let without_nodes = GroupSpec {
            count: 0,
            ids: Vec::new(),
            // Heat counts ids, and those of the nodes that come are given out with them.
            ids_given: from.groups.get(&group.name).map_or(0, GroupSpec::last_id),
            ..group.clone()
        };
        match with_new.groups.get_mut(&group.name) {
            Some(known) => *known = without_nodes,
            None => with_new.groups.add(without_nodes),
        }
        let made_of = to.pins.as_deref();
        let made_of = made_of.and_then(|pins| pins.groups.get(&group.name));
        if let (Some(pins), Some(made_of)) = (with_new.pins.as_deref_mut(), made_of) {
            pins.groups.insert(group.name.clone(), made_of.clone());
        }
    }
    with_new
}

/// What a parameter names, in Heat's words: `glance.image`.
pub fn custom_constraint(parameter: &Value) -> Option<&str> {
    let constraints = parameter.get("constraints")?.as_array()?;
    constraints
        .iter()
        .find_map(|constraint| constraint.get("custom_constraint")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_groups::group;

    #[test]
    fn a_group_that_comes_has_given_out_no_more_ids_than_before_it_came() {
        let edge = group("edge", 0);
        let gone = edge.with_ids(vec![1, 2]).emptied();
        let given = |before: Option<GroupSpec>, ids: &[u32]| {
            let mut from = ClusterSpec::default();
            let mut to = from.clone();
            let last = before.as_ref().map_or(0, GroupSpec::last_id);
            before.into_iter().for_each(|group| from.groups.add(group));
            let kept = GroupSpec {
                ids_given: last,
                ..edge.clone()
            };
            to.groups.add(kept.with_ids(ids.to_vec()));
            let with_new = with_new_groups(&from, &to);
            let edge = with_new.groups.get("edge").unwrap();
            assert!(edge.is_empty());
            edge.last_id()
        };
        assert_eq!(given(None, &[1, 2]), 0, "it comes for the first time");
        assert_eq!(given(Some(gone), &[3, 4]), 2, "it comes again");
    }
}
