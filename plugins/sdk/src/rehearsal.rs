//! A cluster as the host would plan it, for a plugin's native tests: components placed on groups,
//! defaults filled in, memory shared out. It places and shares by the contract's rules for a new
//! cluster; wishes of the user (`<group>.components`, `memory_share`) are set by hand.
//!
//! ```
//! use stampede_framework::rehearsal::Rehearsal;
//! use stampede_framework::{component, need};
//!
//! let cluster = Rehearsal::new(&[("master", 1, 4_096), ("worker", 3, 2_048)])
//!     .placing(&[component("voter", &["worker"]).on_nodes(3).voting()]);
//! assert_eq!(cluster.nodes_of("voter"), ["worker-1", "worker-2", "worker-3"]);
//! let grants = cluster.grants(&[need("voter").least(384).most(1_152).weight(1)]);
//! assert_eq!(grants[0].memory_mib, 1_152);
//! ```

use serde_json::{Map, Value};

use crate::{Component, Descriptor, Grant, Member, Need, Placement, Request, Service, owned};

/// A node with no more than this keeps [`SMALL_RESERVE_MIB`] for itself.
const SMALL_NODE_MIB: u32 = 4_096;
const SMALL_RESERVE_MIB: u32 = 512;
const RESERVE_MIB: u32 = 1_024;
const VCPUS: u32 = 2;
const DISK_GIB: u32 = 40;

/// A group of nodes.
#[derive(Clone, Debug, PartialEq)]
struct RehearsedGroup {
    name: String,
    memory_mib: u32,
    nodes: Vec<String>,
}

/// A cluster that is planned for a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    groups: Vec<RehearsedGroup>,
    placements: Vec<Placement>,
    services: Vec<Service>,
}

impl Rehearsal {
    /// Groups, each with its number of nodes and their memory in MiB; a node has 2 processors. The
    /// first node of `master` and of other groups that people are on has the group's name.
    pub fn new(groups: &[(&str, u32, u32)]) -> Self {
        let group = |(name, nodes, memory_mib): &(&str, u32, u32)| RehearsedGroup {
            name: (*name).to_owned(),
            memory_mib: *memory_mib,
            nodes: (1..=*nodes)
                .map(|id| match (*name, id) {
                    ("master", 1) => (*name).to_owned(),
                    _ => format!("{name}-{id}"),
                })
                .collect(),
        };
        Self {
            groups: groups.iter().map(group).collect(),
            placements: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Components as they are placed in a new cluster, after those that were placed before.
    #[must_use]
    pub fn placing(mut self, components: &[Component]) -> Self {
        for component in components {
            let nodes = self.place(component);
            self = self.with_members(&component.name, &nodes);
        }
        self
    }

    /// Members by hand, with the indexes from 1: what was placed there of that name is replaced.
    #[must_use]
    pub fn with_members(mut self, component: &str, nodes: &[impl AsRef<str>]) -> Self {
        let members = (1..)
            .zip(nodes)
            .map(|(index, node)| Member {
                node: node.as_ref().to_owned(),
                index,
            })
            .collect();
        let placement = Placement {
            component: component.to_owned(),
            members,
        };
        match self
            .placements
            .iter_mut()
            .find(|one| one.component == component)
        {
            Some(one) => *one = placement,
            None => self.placements.push(placement),
        }
        self
    }

    /// A service of another plugin.
    #[must_use]
    pub fn with_service(mut self, name: &str, attributes: &[(&str, &str)]) -> Self {
        let attributes = attributes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.services.push(Service {
            name: name.to_owned(),
            attributes: attributes.collect(),
        });
        self
    }

    fn place(&self, component: &Component) -> Vec<String> {
        let is_of = |group: &&RehearsedGroup, name: &String| name == "*" || group.name == *name;
        let there: Vec<&RehearsedGroup> = component
            .groups
            .iter()
            .flat_map(|name| self.groups.iter().filter(move |group| is_of(group, name)))
            .filter(|group| !group.nodes.is_empty())
            .collect();
        let wanted = component.nodes as usize;
        let mut nodes: Vec<String> = if wanted == 0 {
            there.iter().flat_map(|group| group.nodes.clone()).collect()
        } else {
            let enough = there.iter().find(|group| group.nodes.len() >= wanted);
            let group = enough.or(there.first());
            let nodes = group.map(|group| group.nodes.iter().take(wanted).cloned());
            nodes.into_iter().flatten().collect()
        };
        if component.most > 0 {
            nodes.truncate(component.most as usize);
        }
        if component.odd && nodes.len().is_multiple_of(2) {
            nodes.pop();
        }
        nodes
    }

    /// The nodes of a component by index.
    pub fn nodes_of(&self, component: &str) -> Vec<&str> {
        let placement = self
            .placements
            .iter()
            .find(|one| one.component == component);
        placement
            .into_iter()
            .flat_map(|one| one.members.iter().map(|member| member.node.as_str()))
            .collect()
    }

    /// What the plugin is asked: the first of its versions, and its defaults beside `settings`.
    /// `claimed`: the components that are left in `generate`; none: all.
    pub fn request(&self, descriptor: &Descriptor, settings: &Value, claimed: &[Need]) -> Request {
        let schema: Value = serde_json::from_str(&descriptor.parameters).unwrap_or_default();
        let mut all: Map<String, Value> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, one)| Some((name.clone(), one.get("default")?.clone())))
            .collect();
        all.extend(settings.as_object().cloned().unwrap_or_default());
        let own = |name: &str| descriptor.components.iter().any(|one| one.name == name);
        let is_there = |one: &&Placement| {
            claimed.is_empty()
                || !own(&one.component)
                || claimed.iter().any(|need| need.component == one.component)
        };
        Request {
            cluster: "demo".to_owned(),
            version: owned(descriptor.versions.first().map(String::as_str))
                .pop()
                .unwrap_or_default(),
            settings: Value::Object(all).to_string(),
            placements: self.placements.iter().filter(is_there).cloned().collect(),
            services: self.services.clone(),
        }
    }

    /// What these needs are granted, of one plugin or of all; where a group is too small for all
    /// that they take at least, each gets that all the same.
    pub fn grants(&self, needs: &[Need]) -> Vec<Grant> {
        let mut grants = Vec::new();
        for group in &self.groups {
            let is_here = |need: &&Need| {
                let nodes = self.nodes_of(&need.component);
                group
                    .nodes
                    .iter()
                    .any(|node| nodes.contains(&node.as_str()))
            };
            let here: Vec<&Need> = needs.iter().filter(is_here).collect();
            let reserve = if group.memory_mib <= SMALL_NODE_MIB {
                SMALL_RESERVE_MIB
            } else {
                RESERVE_MIB
            };
            // just above a small node there is not less to share than on it
            let small = group.memory_mib.min(SMALL_NODE_MIB);
            let shared = group
                .memory_mib
                .saturating_sub(reserve)
                .max(small.saturating_sub(SMALL_RESERVE_MIB));
            grants.extend(share(&here, shared).map(|(need, memory_mib)| Grant {
                component: need.component.clone(),
                group: group.name.clone(),
                vcpus: VCPUS,
                memory_mib,
                disk_gib: DISK_GIB,
                volume_gib: 0,
            }));
        }
        let place = |grant: &Grant| {
            needs
                .iter()
                .position(|need| need.component == grant.component)
        };
        grants.sort_by_key(place);
        grants
    }

    /// What the components of a group take at least, in MiB.
    pub fn least_mib(&self, group: &str, needs: &[Need]) -> u32 {
        let group = self.groups.iter().find(|one| one.name == group);
        let here = needs.iter().filter(|need| {
            let nodes = self.nodes_of(&need.component);
            group.is_some_and(|group| group.nodes.iter().any(|one| nodes.contains(&one.as_str())))
        });
        here.map(|need| need.least_mib).sum()
    }
}

/// Each its least, and by its weight of what is left, with the largest level for which there is
/// enough.
fn share<'a>(needs: &[&'a Need], shared: u32) -> impl Iterator<Item = (&'a Need, u32)> {
    let part = |need: &Need, level: u32| {
        let most = if need.most_mib == 0 {
            u32::MAX
        } else {
            need.most_mib
        };
        need.least_mib
            .saturating_add(need.weight.saturating_mul(level))
            .min(most)
    };
    let sum = |level: u32| -> u64 { needs.iter().map(|need| u64::from(part(need, level))).sum() };
    let (mut low, mut high) = (0, shared);
    while low < high {
        let level = low + (high - low).div_ceil(2);
        if sum(level) <= u64::from(shared) {
            low = level;
        } else {
            high = level - 1;
        }
    }
    let parts: Vec<(&Need, u32)> = needs.iter().map(|need| (*need, part(need, low))).collect();
    parts.into_iter()
}
