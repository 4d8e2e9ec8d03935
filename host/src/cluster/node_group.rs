//! Node groups: which nodes a cluster has, by their groups and ids, and what each group's nodes are
//! made of. A node's id is never given out twice in its group, and its name follows from group and
//! id alone, so that nodes may come and go without another one's name or address moving. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    default_groups,
    former_records::{FormerGroup, StoredGroups},
};

/// Ids of nodes by the name of their group.
pub type NodeIds = BTreeMap<String, Vec<u32>>;

/// One group of a cluster as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSpec {
    /// A lower-case word.
    pub name: String,
    /// How many nodes.
    pub count: u32,
    /// Their ids, where they are not 1 to `count`. Empty before the first change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u32>,
    /// The highest id that was ever given out, where it is none of those that are there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ids_given: u32,
    /// Whether the node with the id 1 is called as the group, without a number: of a group that
    /// began with one node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare_first: bool,
    /// Flavor name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// Image name or id, where it is not that of all nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where they are; none: where all nodes are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// The size of the volume that each boots from, 0 for the flavor's own disk; none: that of all
    /// nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_volume_gib: Option<u32>,
    /// The size of the volume for data that each has; 0 and none: they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_gib: Option<u32>,
    /// Components that are to be on its nodes, on so many of them where that is said; others go where
    /// their frameworks say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<(String, Option<u32>)>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl GroupSpec {
    /// The ids of its nodes, in their order.
    pub fn node_ids(&self) -> Vec<u32> {
        if self.ids.is_empty() {
            (1..=self.count).collect()
        } else {
            self.ids.clone()
        }
    }

    /// Whether it has no node: it was taken away, and only keeps its place and what ids it has given.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What is left of a group whose nodes are gone: its name, how its first node was called, and
    /// which ids were given out. What its nodes were made of is nobody's any more.
    pub fn emptied(&self) -> Self {
        Self {
            name: self.name.clone(),
            ids_given: self.last_id(),
            bare_first: self.bare_first,
            ..Self::default()
        }
    }

    /// The name of one of its nodes: `worker-7`.
    pub fn node_name(&self, id: u32) -> String {
        if self.bare_first && id == 1 {
            self.name.clone()
        } else {
            format!("{}-{id}", self.name)
        }
    }

    /// The names of its nodes, in the order of their ids.
    pub fn node_names(&self) -> Vec<String> {
        let ids = self.node_ids().into_iter();
        ids.map(|id| self.node_name(id)).collect()
    }

    /// The id that a node of this name has, whether there is one or not; none where no node of the
    /// group can be called so.
    pub fn id_of(&self, node: &str) -> Option<u32> {
        if node == self.name {
            return self.bare_first.then_some(1);
        }
        let number = node.strip_prefix(&self.name)?.strip_prefix('-')?;
        let id = number.parse().ok()?;
        (self.node_name(id) == node).then_some(id)
    }

    /// The highest id that was ever given out.
    pub fn last_id(&self) -> u32 {
        let there = self.node_ids().into_iter().max();
        there.unwrap_or(0).max(self.ids_given)
    }

    /// The same group with these nodes; what ids were given out is kept.
    pub fn with_ids(&self, ids: Vec<u32>) -> Self {
        let ids_given = self.last_id().max(ids.iter().copied().max().unwrap_or(0));
        Self {
            count: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            ids,
            ids_given,
            ..self.clone()
        }
    }
}

/// The groups of a cluster, each by its place: those of every cluster first, then further ones in
/// the order in which they were named. A group keeps its place, from which its addresses follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredGroups<GroupSpec>")]
pub struct NodeGroups {
    groups: Vec<GroupSpec>,
}

impl TryFrom<StoredGroups<GroupSpec>> for NodeGroups {
    type Error = &'static str;

    fn try_from(stored: StoredGroups<GroupSpec>) -> Result<Self, Self::Error> {
        let restore = |former: [FormerGroup; 2]| {
            let mut groups = Self::default();
            for written in former {
                if let Some(group) = groups.get_mut(written.name) {
                    group.count = written.count;
                    group.ids = written.ids;
                    group.ids_given = written.ids_given;
                    group.flavor = written.flavor;
                }
            }
            groups.groups
        };
        Ok(Self::new(stored.into_groups(restore)?))
    }
}

impl Default for NodeGroups {
    /// The groups of every cluster.
    fn default() -> Self {
        Self::new(
            default_groups::DEFAULT_GROUPS
                .iter()
                .map(|group| GroupSpec {
                    name: group.name.to_owned(),
                    count: group.count,
                    bare_first: group.bare_first,
                    ..GroupSpec::default()
                }),
        )
    }
}

impl NodeGroups {
    /// These, in this order.
    pub fn new(groups: impl IntoIterator<Item = GroupSpec>) -> Self {
        Self {
            groups: groups.into_iter().collect(),
        }
    }

    /// All of them, in the order of their places.
    pub fn iter(&self) -> std::slice::Iter<'_, GroupSpec> {
        self.groups.iter()
    }

    /// The same, to change.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, GroupSpec> {
        self.groups.iter_mut()
    }

    /// Those that have nodes.
    pub fn with_nodes(&self) -> impl Iterator<Item = &GroupSpec> + Clone {
        self.groups.iter().filter(|group| !group.is_empty())
    }

    /// Whether there is one of this name that has nodes.
    pub fn has_nodes(&self, name: &str) -> bool {
        self.get(name).is_some_and(|group| !group.is_empty())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&GroupSpec> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut GroupSpec> {
        self.groups.iter_mut().find(|group| group.name == name)
    }

    /// Adds a group behind all others, where there is none of its name.
    pub fn add(&mut self, group: GroupSpec) {
        if self.get(&group.name).is_none() {
            self.groups.push(group);
        }
    }

    /// How many nodes there are in all of them.
    pub fn node_count(&self) -> u32 {
        let counts = self.groups.iter().map(|group| group.count);
        counts.fold(0, u32::saturating_add)
    }

    /// How many ids were ever given out, where groups come and go beside those that every cluster has.
    pub fn given_beside_others(&self) -> Option<u32> {
        let mut groups = self.groups.iter();
        let has_further = groups.any(|group| default_groups::find_default(&group.name).is_none());
        let given = self.groups.iter().map(GroupSpec::last_id);
        has_further.then(|| given.fold(0, u32::saturating_add))
    }

    /// The ids of all nodes.
    pub fn node_ids(&self) -> NodeIds {
        let groups = self.groups.iter();
        groups
            .map(|group| (group.name.clone(), group.node_ids()))
            .collect()
    }

    /// The names of all nodes, group by group.
    pub fn node_names(&self) -> Vec<String> {
        let groups = self.groups.iter();
        groups.flat_map(GroupSpec::node_names).collect()
    }

    /// The names of these nodes, group by group.
    pub fn names_of(&self, ids: &NodeIds) -> Vec<String> {
        let of = |group: &'_ GroupSpec| -> Vec<String> {
            let ids = ids.get(&group.name).into_iter().flatten();
            ids.map(|id| group.node_name(*id)).collect()
        };
        self.groups.iter().flat_map(of).collect()
    }

    /// The group and the id that a node of this name has, whether there is one or not.
    pub fn find_node(&self, node: &str) -> Option<(&GroupSpec, u32)> {
        let mut groups = self.groups.iter();
        groups.find_map(|group| Some((group, group.id_of(node)?)))
    }

    /// Keeps in mind which ids others have given out: those of a change that is taken back. A group
    /// that it has added stays, without nodes.
    pub fn keep_given_ids(&mut self, others: &Self) {
        for other in others.iter() {
            let given = other.last_id();
            match self.get_mut(&other.name) {
                Some(group) => group.ids_given = group.last_id().max(given),
                None => self.groups.push(other.emptied()),
            }
        }
    }

    /// The same groups with these nodes; a group that is not named has none.
    pub fn with_ids(&self, ids: &NodeIds) -> Self {
        let of = |group: &GroupSpec| match ids.get(&group.name) {
            Some(ids) => group.with_ids(ids.clone()),
            None => GroupSpec {
                count: 0,
                ..group.with_ids(Vec::new())
            },
        };
        Self::new(self.groups.iter().map(of))
    }
}

/// The nodes of `of` that are not in `without`, by group; groups without any are left out.
pub fn nodes_beyond(of: &NodeIds, without: &NodeIds) -> NodeIds {
    let rest = |group: &String, ids: &[u32]| -> Vec<u32> {
        let is_there = |id: &u32| {
            let there = without.get(group);
            there.is_some_and(|there| there.contains(id))
        };
        ids.iter().copied().filter(|id| !is_there(id)).collect()
    };
    let groups = of.iter();
    groups
        .map(|(group, ids)| (group.clone(), rest(group, ids)))
        .filter(|(_, ids)| !ids.is_empty())
        .collect()
}

/// The nodes of both.
pub fn join_nodes(one: &NodeIds, other: &NodeIds) -> NodeIds {
    let mut both = one.clone();
    for (group, ids) in nodes_beyond(other, one) {
        both.entry(group).or_default().extend(ids);
    }
    both
}

#[cfg(test)]
#[path = "node_group_tests.rs"]
mod tests;
