//! In which turns nodes that stay are told of what is new: at most a tenth of the nodes of each
//! component whose units restart at a time, nodes of earlier components first. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::component::{ComponentPlacement, placement_of};

/// Of so many nodes of a component one restarts at a time.
const NODES_PER_TURN: usize = 10;

/// A node that is told.
#[derive(Clone, Debug)]
pub(crate) struct TurnNode {
    pub(crate) name: String,
    /// The components whose units restart on it.
    pub(crate) restarts: BTreeSet<String>,
}

/// The turns, each with its nodes. Those on which nothing restarts come last, all at once.
pub(crate) fn take_turns(
    nodes: Vec<TurnNode>,
    placements: &[ComponentPlacement],
) -> Vec<Vec<String>> {
    let common = common_components(placements);
    let mut by_component: BTreeMap<usize, Vec<TurnNode>> = BTreeMap::new();
    let mut quiet = Vec::new();
    for node in nodes {
        let restarts = |name: &String| node.restarts.contains(name);
        // What all nodes have says nothing of who comes first, unless there is nothing else.
        let place = |is_wanted: &dyn Fn(&String) -> bool| {
            placements
                .iter()
                .position(|one| restarts(&one.component) && is_wanted(&one.component))
        };
        let first = place(&|name| !common.contains(name)).or_else(|| place(&|_| true));
        match first {
            Some(first) => by_component.entry(first).or_default().push(node),
            None => quiet.push(node.name),
        }
    }
    let mut turns = Vec::new();
    for (first, mut nodes) in by_component {
        let component = placements.get(first);
        nodes.sort_by_key(|node| {
            let mut members = component.into_iter().flat_map(|one| &one.members);
            members.position(|member| member.node == node.name)
        });
        turns.extend(split_turns(nodes, placements));
    }
    if !quiet.is_empty() {
        turns.push(quiet);
    }
    turns
}

/// Components that every node with any has.
fn common_components(placements: &[ComponentPlacement]) -> BTreeSet<String> {
    let members = placements.iter().flat_map(|one| &one.members);
    let nodes: BTreeSet<&str> = members.map(|member| member.node.as_str()).collect();
    let common = placements
        .iter()
        .filter(|one| one.members.len() == nodes.len());
    common.map(|one| one.component.clone()).collect()
}

fn split_turns(nodes: Vec<TurnNode>, placements: &[ComponentPlacement]) -> Vec<Vec<String>> {
    let most = |component: &str| {
        let placement = placement_of(placements, component);
        let members = placement.map_or(0, |one| one.members.len());
        (members / NODES_PER_TURN).max(1)
    };
    let mut turns = Vec::new();
    let mut left = nodes;
    while !left.is_empty() {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let (mut turn, mut later) = (Vec::new(), Vec::new());
        for node in left {
            let is_free = |name: &String| taken.get(name).copied().unwrap_or(0) < most(name);
            if node.restarts.iter().all(is_free) {
                for name in &node.restarts {
                    *taken.entry(name.clone()).or_default() += 1;
                }
                turn.push(node.name);
            } else {
                later.push(node);
            }
        }
        turns.push(turn);
        left = later;
    }
    turns
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
