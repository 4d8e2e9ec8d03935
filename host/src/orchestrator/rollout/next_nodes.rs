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
/// A node that is not there, a group of which none would be left, two numbers that contradict each
/// other, or no id left to give out.
pub(crate) fn choose_nodes(
    from: &ClusterSpec,
    mut to: ClusterSpec,
    remove: &BTreeMap<String, Vec<String>>,
    is_counted: impl Fn(&str) -> bool,
) -> Result<ClusterSpec, Problem> {
    if let Some(unknown) = remove.keys().find(|name| from.groups.get(name).is_none()) {
        let there: Vec<&str> = from.groups.names().collect();
        return Err(Problem::new(
            attribute_of(unknown, "remove"),
            format!("there is no group `{unknown}`"),
            format!("there are: {}", there.join(", ")),
        ));
    }
    let network = to.cidr.parse().ok().map(GroupAddresses::new);
    for (place, wanted) in to.groups.iter_mut().enumerate() {
        let before = from.groups.get(&wanted.name);
        let last = before.map_or(0, GroupSpec::last_id);
        let ids = match before.filter(|group| !group.is_empty()) {
            Some(group) => {
                let none = Vec::new();
                let remove = remove.get(&group.name).unwrap_or(&none);
                if wanted.is_empty() {
                    // All of them leave; whoever names some says nothing else.
                    without_named(group, remove)?;
                    continue;
                }
                next_ids(group, wanted.count, remove, is_counted(&group.name))?
            }
            None => new_ids(last, wanted.count),
        };
        let most = network.map_or(MAX_NODE_ID, |network| network.last_id(place));
        if ids.iter().any(|id| *id > last && *id > most) {
            return Err(no_more_ids(wanted, most, &to.cidr));
        }
        if before.is_some_and(|group| group.node_ids() == ids) {
            wanted.count = before.map_or(wanted.count, |group| group.count);
        } else if last > 0 {
            wanted.ids_given = last;
            *wanted = wanted.with_ids(ids);
        }
    }
    let nodes = to.groups.node_count();
    if nodes > MAX_CLUSTER_NODES && nodes > from.groups.node_count() {
        return Err(too_many_nodes(nodes));
    }
    Ok(to)
}

/// The ids of a group's nodes: without those named, or as many as are wanted.
fn next_ids(
    group: &GroupSpec,
    count: u32,
    remove: &[String],
    is_counted: bool,
) -> Result<Vec<u32>, Problem> {
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
        return Err(Problem::new(count, message, hint));
    }
    if ids.is_empty() {
        let hint = match find_default(&group.name) {
            Some(_) => "delete the cluster instead".to_owned(),
            None => format!("leave `{}` out of `{GROUPS_ATTRIBUTE}` instead", group.name),
        };
        return Err(Problem::new(
            attribute_of(&group.name, "remove"),
            format!("no {} would be left", group.name),
            hint,
        ));
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
fn without_named(group: &GroupSpec, remove: &[String]) -> Result<Vec<u32>, Problem> {
    let mut ids = group.node_ids();
    for name in remove {
        let id = group.id_of(name);
        let Some(at) = id.and_then(|id| ids.iter().position(|there| *there == id)) else {
            let there: Vec<String> = ids.iter().take(8).map(|id| group.node_name(*id)).collect();
            return Err(Problem::new(
                attribute_of(&group.name, "remove"),
                format!("there is no {} `{name}`", group.name),
                format!("there are: {}", there.join(", ")),
            ));
        };
        ids.remove(at);
    }
    Ok(ids)
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
