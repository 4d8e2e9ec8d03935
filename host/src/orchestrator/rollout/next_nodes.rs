//! Which nodes a running cluster is to have: of each group those named go, or the last ones; new ones
//! get ids that nobody has had. Pure.

use std::collections::BTreeMap;

use crate::cluster::{
    ClusterSpec, GroupSpec, Problem,
    default_groups::{find_default, many_nodes},
    group_addresses::GroupAddresses,
    group_attributes::too_many_nodes,
    group_value::{GROUPS_ATTRIBUTE, attribute_of},
    limits::{MAX_CLUSTER_NODES, MAX_NODE_ID},
};

/// The cluster as it is to be, with the ids of its nodes. `remove` names those to take away, by
/// group; `is_counted` knows of which groups the request says how many there are to be.
///
/// # Errors
/// All at once: nodes that are not there, groups of which none would be left, numbers that
/// contradict each other, or no ids left to give out.
pub(crate) fn choose_nodes(
    from: &ClusterSpec,
    mut to: ClusterSpec,
    remove: &BTreeMap<String, Vec<String>>,
    is_counted: impl Fn(&str) -> bool,
) -> Result<ClusterSpec, Vec<Problem>> {
    let there: Vec<&str> = from.groups.names().collect();
    let unknown = remove.keys().filter(|name| !there.contains(&name.as_str()));
    let mut problems: Vec<Problem> = unknown
        .map(|name| {
            let message = format!("there is no group `{name}`");
            let hint = format!("there are: {}", there.join(", "));
            Problem::new(attribute_of(name, "remove"), message, hint)
        })
        .collect();
    let network = to.cidr.parse().ok().map(GroupAddresses::new);
    let cidr = to.cidr.clone();
    let none = Vec::new();
    for (place, wanted) in to.groups.iter_mut().enumerate() {
        let named = remove.get(&wanted.name).unwrap_or(&none);
        let counted = is_counted(&wanted.name);
        let most = network.map_or(MAX_NODE_ID, |network| network.last_id(place));
        if let Err(found) = choose_of_group(from, wanted, named, counted, most, &cidr) {
            problems.extend(found);
        }
    }
    let nodes = to.groups.node_count();
    if nodes > MAX_CLUSTER_NODES && nodes > from.groups.node_count() {
        problems.push(too_many_nodes(nodes));
    }
    if problems.is_empty() {
        Ok(to)
    } else {
        Err(problems)
    }
}

/// Gives a group its nodes. `most` is the highest id that the network has an address for.
fn choose_of_group(
    from: &ClusterSpec,
    wanted: &mut GroupSpec,
    remove: &[String],
    is_counted: bool,
    most: u32,
    cidr: &str,
) -> Result<(), Vec<Problem>> {
    let before = from.groups.get(&wanted.name);
    let last = before.map_or(0, GroupSpec::last_id);
    let ids = match before.filter(|group| !group.is_empty()) {
        // All of them leave; whoever names some says nothing else.
        Some(group) if wanted.is_empty() => return without_named(group, remove).map(drop),
        Some(group) => next_ids(group, wanted.count, remove, is_counted)?,
        None => new_ids(last, wanted.count),
    };
    if ids.iter().any(|id| *id > last && *id > most) {
        return Err(vec![no_more_ids(wanted, most, cidr)]);
    }
    if before.is_some_and(|group| group.node_ids() == ids) {
        wanted.count = before.map_or(wanted.count, |group| group.count);
    } else if last > 0 {
        wanted.ids_given = last;
        *wanted = wanted.with_ids(ids);
    }
    Ok(())
}

/// The ids of a group's nodes: without those named, or as many as are wanted.
fn next_ids(
    group: &GroupSpec,
    count: u32,
    remove: &[String],
    is_counted: bool,
) -> Result<Vec<u32>, Vec<Problem>> {
    let mut ids = without_named(group, remove)?;
    let wanted = if remove.is_empty() || is_counted && count != group.count {
        count as usize
    } else {
        ids.len()
    };
    if !remove.is_empty() && wanted != ids.len() {
        let count = attribute_of(&group.name, "count");
        let message = format!(
            "{wanted} {} are asked for, and {} are left without those named",
            many_nodes(&group.name),
            ids.len()
        );
        let hint = format!("leave `{count}` out, or let both say the same");
        return Err(vec![Problem::new(count, message, hint)]);
    }
    if ids.is_empty() {
        let hint = match find_default(&group.name) {
            Some(_) => "delete the cluster instead".to_owned(),
            None => format!("leave `{}` out of `{GROUPS_ATTRIBUTE}` instead", group.name),
        };
        return Err(vec![Problem::new(
            attribute_of(&group.name, "remove"),
            format!("no {} would be left", group.name),
            hint,
        )]);
    }
    ids.truncate(wanted);
    let more = u32::try_from(wanted.saturating_sub(ids.len())).unwrap_or(u32::MAX);
    ids.extend(new_ids(group.last_id(), more));
    Ok(ids)
}

/// So many ids behind the last one that was given out.
fn new_ids(last: u32, count: u32) -> Vec<u32> {
    (1..=count).map(|more| last.saturating_add(more)).collect()
}

/// The ids of a group without those of the nodes named.
fn without_named(group: &GroupSpec, remove: &[String]) -> Result<Vec<u32>, Vec<Problem>> {
    let mut ids = group.node_ids();
    let there: Vec<String> = ids.iter().take(8).map(|id| group.node_name(*id)).collect();
    let mut problems = Vec::new();
    for name in remove {
        let id = group.id_of(name);
        match id.and_then(|id| ids.iter().position(|there| *there == id)) {
            Some(at) => drop(ids.remove(at)),
            None => problems.push(Problem::new(
                attribute_of(&group.name, "remove"),
                format!("there is no {} `{name}`", group.name),
                format!("there are: {}", there.join(", ")),
            )),
        }
    }
    if problems.is_empty() {
        Ok(ids)
    } else {
        Err(problems)
    }
}

fn no_more_ids(group: &GroupSpec, most: u32, cidr: &str) -> Problem {
    let why = match most {
        MAX_NODE_ID => "the last one there can be".to_owned(),
        _ => format!("the last one that `{cidr}` has an address for"),
    };
    Problem::new(
        attribute_of(&group.name, "count"),
        format!(
            "{} would be the first above {}, {why}",
            group.node_name(most.saturating_add(1)),
            group.node_name(most)
        ),
        "ids are never given out twice: deploy a new cluster",
    )
}

#[cfg(test)]
#[path = "next_nodes_tests.rs"]
mod tests;
