//! Where the nodes of each group stand in the cluster's own network. A node's address follows from
//! its group's place and its id alone, so that every name that a cluster can ever have has an
//! address from the start, and no node moves when others come or go.
//!
//! Counted from the first node's address on: the first node of the first group; the second group's
//! block, one address an id; then blocks of one size, a share of what the network has left: one for
//! the further nodes of the first group, and one for each further group there can be. Pure.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{
    Problem,
    default_groups::{self, DEFAULT_GROUPS, find_default},
    framework::{ClusterNode, NodeGroup},
    limits::{
        FIRST_NODE_OFFSET, MAX_GROUPS, MAX_NODE_ID, MAX_PREFIX, MAX_SPARE_ADDRESSES, MIN_PREFIX,
    },
    node_group::{GroupSpec, NodeGroups},
};

/// Addresses behind the last node's that are not the cloud's range: the broadcast, and the end.
const END_ADDRESSES: u32 = 2;

/// The place of the first further group; all of them have blocks of one size.
const FURTHER_PLACE: usize = 2;

/// The blocks of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupAddresses {
    network: Ipv4Net,
    /// How many addresses there are from the first node's on.
    room: u32,
}

impl GroupAddresses {
    /// The blocks of this network.
    pub fn new(network: Ipv4Net) -> Self {
        let addresses = count_addresses(network);
        let taken = u64::from(FIRST_NODE_OFFSET + END_ADDRESSES) + spare_addresses(network);
        let room = addresses.saturating_sub(taken).saturating_add(1);
        Self {
            network,
            room: u32::try_from(room).unwrap_or(u32::MAX),
        }
    }

    /// How many ids a further block holds.
    fn share(self) -> u32 {
        let shares = u32::try_from(MAX_GROUPS.saturating_sub(1)).unwrap_or(u32::MAX);
        let left = self.room.saturating_sub(MAX_NODE_ID + 1);
        (left / shares.max(1)).min(MAX_NODE_ID)
    }

    /// The highest id that a node of the group at this place can have.
    pub fn last_id(self, place: usize) -> u32 {
        match place {
            0 => self.share().saturating_add(1).min(MAX_NODE_ID),
            1 => self.room.saturating_sub(1).min(MAX_NODE_ID),
            _ => self.share(),
        }
    }

    /// The address of a node; none where the network has none for it.
    pub fn address(self, place: usize, id: u32) -> Option<Ipv4Addr> {
        if id == 0 || id > self.last_id(place) {
            return None;
        }
        let block = |number: usize| {
            let number = u32::try_from(number).ok()?;
            (MAX_NODE_ID + 1).checked_add(number.checked_mul(self.share())?)
        };
        let above = match (place, id) {
            (0, 1) => 0,
            (0, id) => block(0)?.checked_add(id - 2)?,
            (1, id) => id,
            (place, id) => block(place - 1)?.checked_add(id - 1)?,
        };
        let offset = FIRST_NODE_OFFSET.checked_add(above)?;
        let address = u32::from(self.network.network()).checked_add(offset)?;
        Some(Ipv4Addr::from(address))
    }

    /// Every name that nodes of these groups can ever have, with its address: what every node
    /// resolves from its first boot on.
    pub fn all_names(self, groups: &NodeGroups) -> impl Iterator<Item = (String, Ipv4Addr)> {
        groups.iter().enumerate().flat_map(move |(place, group)| {
            let ids = 1..=self.last_id(place);
            ids.filter_map(move |id| Some((group.node_name(id), self.address(place, id)?)))
        })
    }

    /// The blocks of groups whose block nothing else tells, as nodes read them: for each its name,
    /// its first address, how many names it can have, and what the first is. `edge:10.77.2.67:68:edge`.
    pub fn further_blocks(self, groups: &[NodeGroup]) -> String {
        let block = |group: &NodeGroup| {
            let node = group.nodes.first()?;
            let address: Ipv4Addr = node.address.parse().ok()?;
            let first = u32::from(address).checked_sub(node.id.checked_sub(1)?)?;
            let (name, count) = (&group.role, self.last_id(FURTHER_PLACE));
            // Whoever had the first id is gone, and nobody gets it again.
            let is_bare = node.id == 1 && node.name == *name;
            let called = if is_bare {
                name.clone()
            } else {
                format!("{name}-1")
            };
            Some(format!("{name}:{}:{count}:{called}", Ipv4Addr::from(first)))
        };
        let is_further = |group: &&NodeGroup| find_default(&group.role).is_none();
        let blocks = groups.iter().filter(is_further).filter_map(block);
        blocks.collect::<Vec<_>>().join(" ")
    }

    /// The blocks of all groups that have nodes, as nodes read them. The first
    /// group has two: its first node's, and that of its further nodes.
    pub fn all_blocks(self, groups: &[NodeGroup]) -> String {
        let [first, second] = &DEFAULT_GROUPS;
        let mut blocks = Vec::new();
        for group in groups.iter().filter(|group| !group.nodes.is_empty()) {
            let name = &group.role;
            let place = if *name == first.name {
                0
            } else if *name == second.name {
                1
            } else {
                blocks.push(self.further_blocks(std::slice::from_ref(group)));
                continue;
            };
            // Whoever had the first id is gone, and nobody gets it again.
            let is_bare = |node: &ClusterNode| node.id == 1 && node.name == *name;
            let called = if group.nodes.iter().any(is_bare) {
                name.clone()
            } else {
                format!("{name}-1")
            };
            let mut add = |from: u32, count: u32, called: &str| {
                if let Some(address) = self.address(place, from).filter(|_| count > 0) {
                    blocks.push(format!("{name}:{address}:{count}:{called}"));
                }
            };
            if place == 0 {
                add(1, 1, &called);
                add(2, self.last_id(0).saturating_sub(1), &format!("{name}-2"));
            } else {
                add(1, self.last_id(1), &called);
            }
        }
        blocks.join(" ")
    }

    /// Whether all nodes of these groups have addresses.
    ///
    /// # Errors
    /// All groups that do not fit, and a network that would do.
    pub fn check(self, path: &str, groups: &NodeGroups) -> Result<(), Problem> {
        let places = groups.iter().enumerate();
        let too_large: Vec<String> = places
            .filter(|(place, group)| group.last_id() > self.last_id(*place))
            .map(|(place, group)| self.tell_too_large(place, group))
            .collect();
        if too_large.is_empty() {
            return Ok(());
        }
        let net = self.network;
        let would_do = (MIN_PREFIX..net.prefix_len()).rev().find(|prefix| {
            let larger = Ipv4Net::new(net.network(), *prefix).map(|net| Self::new(net.trunc()));
            larger.is_ok_and(|larger| larger.holds(groups))
        });
        let hint = match would_do {
            Some(prefix) => format!("a /{prefix}, or fewer nodes"),
            None => format!("fewer nodes: /{MIN_PREFIX} to /{MAX_PREFIX} is taken"),
        };
        let message = format!("`{net}` {}", too_large.join("; "));
        Err(Problem::new(path, message, hint))
    }

    fn holds(self, groups: &NodeGroups) -> bool {
        let mut places = groups.iter().enumerate();
        places.all(|(place, group)| group.last_id() <= self.last_id(place))
    }

    fn tell_too_large(self, place: usize, group: &GroupSpec) -> String {
        let many = default_groups::many_nodes(&group.name);
        if place != 1 {
            let (room, needed) = (self.last_id(place), group.last_id());
            return format!("has addresses for {room} {many}, and {needed} are needed");
        }
        // One more than the highest above the first node's.
        let needed = u64::from(FIRST_NODE_OFFSET + group.last_id() + END_ADDRESSES)
            + spare_addresses(self.network);
        let has = count_addresses(self.network);
        format!("has {has} addresses, {} {many} need {needed}", group.count)
    }
}

fn count_addresses(network: Ipv4Net) -> u64 {
    1_u64 << (32 - network.prefix_len())
}

/// What the cloud keeps at the end for itself.
fn spare_addresses(network: Ipv4Net) -> u64 {
    u64::from(MAX_SPARE_ADDRESSES).min(count_addresses(network) / 8)
}

#[cfg(test)]
#[path = "group_addresses_tests.rs"]
mod tests;
