//! Which component runs on which node. Pure.
//!
//! A component is placed by its descriptor, or by the user's wishes for a group. What was placed
//! before stays: nothing moves because other nodes come or go, and an index is given again only
//! when its node is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::resolve::listed;
use crate::cluster::{
    Problem,
    component::{ComponentMember, ComponentPlacement, ComponentSpec, EVERY_GROUP},
    group_value::GROUPS_ATTRIBUTE,
    limits::{MAX_CLUSTER_NODES, MAX_GROUPS},
};

/// A group of nodes, as placing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementGroup {
    /// `worker`.
    pub name: String,
    /// Its nodes that are there or are to be, by id.
    pub nodes: Vec<String>,
    /// What the user wants on it (`stampede.<group>.components`): a component, and on how many of
    /// its nodes where that was said.
    pub wishes: Vec<(String, Option<u32>)>,
}

/// Places every component, in order.
///
/// `recorded` is what was placed before, of nodes that leave too: their indexes are not free yet.
///
/// # Errors
/// All that cannot be placed, at once.
pub fn place_components(
    components: &[ComponentSpec],
    groups: &[PlacementGroup],
    recorded: &[ComponentPlacement],
) -> Result<Vec<ComponentPlacement>, Vec<Problem>> {
    let mut problems = check_wishes(components, groups);
    let recorded: BTreeMap<&str, &ComponentPlacement> = recorded
        .iter()
        .map(|placement| (placement.component.as_str(), placement))
        .collect();
    let mut placements = Vec::new();
    for component in components {
        let before = recorded.get(component.name.as_str()).copied();
        let (wanted, asked_by) = match wished_nodes(component, groups, before) {
            Some((nodes, group)) => (nodes, Some(group)),
            None => (default_nodes(component, groups, before), None),
        };
        let (nodes, fault) = bound_number(component, wanted, asked_by);
        problems.extend(fault);
        placements.push(ComponentPlacement {
            component: component.name.clone(),
            members: number_members(nodes, before),
        });
    }
    if problems.is_empty() {
        Ok(placements)
    } else {
        Err(problems)
    }
}

/// Groups that the host makes because none has nodes that a component could go to: name and number
/// of nodes. One that the user has left without nodes is not made behind his back.
pub fn missing_groups(
    components: &[ComponentSpec],
    groups: &[PlacementGroup],
) -> BTreeMap<String, u32> {
    let is_there = |name: &String| groups.iter().any(|group| group.name == *name);
    let has_nodes = |name: &String| {
        let mut named = groups
            .iter()
            .filter(|group| name == EVERY_GROUP || group.name == *name);
        named.any(|group| !group.nodes.is_empty())
    };
    let mut missing = BTreeMap::new();
    for component in components {
        let is_wished = groups
            .iter()
            .any(|group| wish_of(group, component).is_some());
        if is_wished || component.groups.iter().any(has_nodes) {
            continue;
        }
        let mut names = component.groups.iter();
        if let Some(first) = names.find(|name| *name != EVERY_GROUP && !is_there(name)) {
            let nodes = missing.entry(first.clone()).or_insert(1);
            *nodes = component.nodes.max(*nodes);
        }
    }
    missing
}

/// What is wrong with groups that the host would make beside these: no user could have asked for
/// them.
pub fn check_made_groups(groups: &[PlacementGroup], made: &BTreeMap<String, u32>) -> Vec<Problem> {
    if made.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = made.keys().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    let mut problems = Vec::new();
    let count = groups.len() + made.len();
    if count > MAX_GROUPS {
        problems.push(Problem::new(
            GROUPS_ATTRIBUTE,
            format!(
                "with {names}, which the frameworks need, there are {count}, at most {MAX_GROUPS} are taken"
            ),
            "name the components of some of them by GROUP.components on another group",
        ));
    }
    let there: usize = groups.iter().map(|group| group.nodes.len()).sum();
    let nodes = made.values().fold(there, |sum, nodes| {
        sum.saturating_add(usize::try_from(*nodes).unwrap_or(usize::MAX))
    });
    if nodes > MAX_CLUSTER_NODES as usize {
        problems.push(Problem::new(
            GROUPS_ATTRIBUTE,
            format!(
                "have {nodes} nodes together with {names}, which the frameworks need; a cluster has at most {MAX_CLUSTER_NODES}"
            ),
            "ask for fewer nodes, or name the components of those groups by GROUP.components on another one",
        ));
    }
    problems
}

fn wish_of<'a>(
    group: &'a PlacementGroup,
    component: &ComponentSpec,
) -> Option<&'a (String, Option<u32>)> {
    group
        .wishes
        .iter()
        .find(|(name, _)| *name == component.name)
}

fn check_wishes(components: &[ComponentSpec], groups: &[PlacementGroup]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for group in groups {
        let path = format!("{}.components", group.name);
        let mut seen = BTreeSet::new();
        for (name, number) in &group.wishes {
            if !components.iter().any(|component| component.name == *name) {
                let known = components.iter().map(|component| component.name.as_str());
                problems.push(Problem::new(
                    &path,
                    format!("no framework of this cluster has a component `{name}`"),
                    listed(name, known),
                ));
            } else if !seen.insert(name) {
                problems.push(Problem::new(
                    &path,
                    format!("names `{name}` twice"),
                    "name it once",
                ));
            }
            let has = group.nodes.len();
            if number.is_some_and(|number| number == 0 || number as usize > has) {
                let number = number.unwrap_or_default();
                problems.push(Problem::new(
                    &path,
                    format!("wants `{name}` on {number} nodes, and the group has {has}"),
                    format!(
                        "a number from 1 to {has}, or more nodes by {}.count",
                        group.name
                    ),
                ));
            } else if has == 0 {
                problems.push(Problem::new(
                    &path,
                    format!("wants `{name}` on a group that has no nodes"),
                    format!("give it nodes by {}.count", group.name),
                ));
            }
        }
    }
    problems
}

/// Where the user wants it, and the first group that names it; none where no group does.
fn wished_nodes<'a>(
    component: &ComponentSpec,
    groups: &'a [PlacementGroup],
    before: Option<&ComponentPlacement>,
) -> Option<(Vec<String>, &'a str)> {
    let mut nodes = Vec::new();
    let mut asked_by = None;
    for group in groups {
        if let Some((_, number)) = wish_of(group, component) {
            asked_by = asked_by.or(Some(group.name.as_str()));
            let number = number.map_or(group.nodes.len(), |number| number as usize);
            nodes.extend(choose_nodes(group, number, before));
        }
    }
    asked_by.map(|group| (nodes, group))
}

/// Where its descriptor wants it.
fn default_nodes(
    component: &ComponentSpec,
    groups: &[PlacementGroup],
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    let is_for =
        |group: &&PlacementGroup, name: &String| name == EVERY_GROUP || group.name == *name;
    let mut there: Vec<&PlacementGroup> = Vec::new();
    for name in &component.groups {
        let named = groups.iter().filter(|group| is_for(group, name));
        there.extend(named.filter(|group| !group.nodes.is_empty()));
    }
    if component.nodes == 0 {
        let mut nodes: Vec<String> = there.iter().flat_map(|group| group.nodes.clone()).collect();
        if component.most > 0 || component.odd {
            let most = match component.most {
                0 => nodes.len(),
                most => most as usize,
            };
            nodes = lower_even(component, prefer_members(nodes, most, before), before);
        }
        return nodes;
    }
    // Whoever has members already keeps them, though another group could now have more.
    let stays = |group: &&PlacementGroup| {
        before.is_some_and(|before| group.nodes.iter().any(|node| before.has(node)))
    };
    let number = component.nodes as usize;
    let all = || there.iter().copied();
    let chosen = all()
        .find(stays)
        .or_else(|| all().find(|group| group.nodes.len() >= number))
        .or_else(|| all().next());
    let Some(group) = chosen else {
        return Vec::new();
    };
    lower_even(component, choose_nodes(group, number, before), before)
}

/// Of what votes an even number bears no more failures than one less: whoever would come last does not
/// come. A member that stays is not taken away for that: then the even number is told.
fn lower_even(
    component: &ComponentSpec,
    mut nodes: Vec<String>,
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    let is_member = |node: &String| before.is_some_and(|before| before.has(node));
    if component.odd && nodes.len().is_multiple_of(2) {
        nodes.pop_if(|last| !is_member(last));
    }
    nodes
}

/// So many nodes of a group: its members first, then those with the lowest ids.
fn choose_nodes(
    group: &PlacementGroup,
    number: usize,
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    prefer_members(group.nodes.clone(), number, before)
}

fn prefer_members(
    nodes: Vec<String>,
    number: usize,
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    let index_of = |node: &String| {
        let members = before.into_iter().flat_map(|before| &before.members);
        members
            .filter(|member| member.node == *node)
            .map(|member| member.index)
            .next()
    };
    let (mut first, rest): (Vec<String>, Vec<String>) =
        nodes.into_iter().partition(|node| index_of(node).is_some());
    first.sort_by_key(|node| index_of(node));
    first.extend(rest);
    first.truncate(number);
    first
}

/// How many there may be. What the host chooses itself it has bounded, but for members that stay.
fn bound_number(
    component: &ComponentSpec,
    nodes: Vec<String>,
    asked_by: Option<&str>,
) -> (Vec<String>, Option<Problem>) {
    let (name, number) = (&component.name, nodes.len());
    let path = || {
        asked_by.map_or("framework".to_owned(), |group| {
            format!("{group}.components")
        })
    };
    let fault = if component.most > 0 && number > component.most as usize {
        let most = component.most;
        Some(Problem::new(
            path(),
            format!("`{name}` would be on {number} nodes, and may be on {most}"),
            format!("name {most} or fewer, such as GROUP.components={name}:{most}"),
        ))
    } else if component.odd && number % 2 == 0 && number > 0 {
        let (fewer, more) = (number - 1, number + 1);
        Some(Problem::new(
            path(),
            format!(
                "`{name}` votes, and would be on {number} nodes: an even number bears no more failures than {fewer}"
            ),
            match asked_by {
                Some(_) => format!("an odd number, such as GROUP.components={name}:{fewer}"),
                None => format!(
                    "keep or add a node, so that it is on {more}; or say that {fewer} will do, by GROUP.components={name}:{fewer}"
                ),
            },
        ))
    } else {
        None
    };
    (nodes, fault)
}

/// Numbers for members: they keep theirs, and who comes gets the smallest that nobody has or had
/// until now.
fn number_members(nodes: Vec<String>, before: Option<&ComponentPlacement>) -> Vec<ComponentMember> {
    let known = before.map_or(&[][..], |before| &before.members);
    let mut taken: BTreeSet<u32> = known.iter().map(|member| member.index).collect();
    let mut free = 1..;
    let mut members: Vec<ComponentMember> = nodes
        .into_iter()
        .map(|node| {
            let index = known
                .iter()
                .find(|member| member.node == node)
                .map(|member| member.index)
                .or_else(|| free.find(|index| taken.insert(*index)))
                .unwrap_or(u32::MAX);
            ComponentMember { node, index }
        })
        .collect();
    members.sort_by_key(|member| member.index);
    members
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
