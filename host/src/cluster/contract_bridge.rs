//! What the plugin contract 0.1.0 takes for granted of node groups: a cluster has one master, which
//! runs `drain` and is told of nodes that come and go, and workers; plugins place their roles on
//! these two. Whoever deals with groups asks here what that means for them. It goes with that
//! contract. Pure.

use super::{
    ClusterSpec, Problem,
    attribute_names::MEMORY_SHARE,
    default_groups::{MASTER, WORKER, find_default, many_nodes, one_node},
    framework::{ClusterNode, NodeGroup, PluginDescriptor, RoleCardinality},
    group_attributes::is_group_name,
    group_value::{GROUPS_ATTRIBUTE, attribute_of},
    node_group::{GroupSpec, NodeGroups},
};

/// The one role whose nodes let others go: `drain` scripts run there.
pub const DRAINING_ROLE: &str = MASTER;
/// The role whose node users reach by its outer address.
pub const OUTER_ROLE: &str = MASTER;
/// The output that holds that address; the plugin `cluster` defines it.
pub const OUTER_ADDRESS: &str = "master_address";
/// What it is, for people.
pub const OUTER_ADDRESS_TITLE: &str = "where the master is reached";

/// The node that is told of nodes that come and go, and lets them go.
pub fn leading_node(groups: &NodeGroups) -> String {
    let master = groups.get(MASTER);
    let name = master.and_then(|group| group.node_names().into_iter().next());
    name.unwrap_or_else(|| MASTER.to_owned())
}

/// Whether a group may get nodes beside those that it was made with.
pub fn may_grow(group: &str) -> bool {
    group != MASTER
}

/// Whether nodes of a group are let go by the plugins' `drain` before they are taken away: it is told
/// of workers alone.
pub fn leaves_by_drain(group: &str) -> bool {
    group == WORKER
}

/// Why a group of a running cluster can neither get nodes nor lose any: one of these plugins, which
/// run on it, may keep something on its nodes, and lets go of others alone. Nodes that come are
/// refused too, since the way back would have to let them go.
pub fn check_undrained(group: &str, draining: &[&str]) -> Option<Problem> {
    let plugins = draining.iter().map(|plugin| format!("`{plugin}`"));
    let plugins: Vec<String> = plugins.collect();
    (!plugins.is_empty() && !leaves_by_drain(group)).then(|| {
        let message = format!(
            "{} runs on group `{group}` and lets go of {} alone, so that its nodes can neither come nor leave",
            plugins.join(" and "),
            many_nodes(WORKER)
        );
        let hint = "leave the group as it is, or deploy a new cluster";
        Problem::new(attribute_of(group, "count"), message, hint)
    })
}

/// What the scripts of this contract know of the cluster's nodes.
pub fn node_variables(groups: &[NodeGroup]) -> [(&'static str, String); 4] {
    let nodes = |role: &str| -> Vec<&ClusterNode> {
        let groups = groups.iter().filter(|group| group.role == role);
        groups.flat_map(|group| &group.nodes).collect()
    };
    let (masters, workers) = (nodes(MASTER), nodes(WORKER));
    let of_master = |part: fn(&ClusterNode) -> &String| {
        let master = masters.first();
        master.map(|node| part(node).clone()).unwrap_or_default()
    };
    let names: Vec<&str> = workers.iter().map(|node| node.name.as_str()).collect();
    [
        ("STAMPEDE_MASTER", of_master(|node| &node.name)),
        ("STAMPEDE_MASTER_ADDRESS", of_master(|node| &node.address)),
        ("STAMPEDE_WORKERS", names.join(" ")),
        ("STAMPEDE_WORKER_COUNT", workers.len().to_string()),
    ]
}

/// What a request says that plugins of this contract know nothing of.
pub fn refuse_newer_values(spec: &ClusterSpec) -> Vec<Problem> {
    let placed = spec
        .groups
        .iter()
        .filter(|group| !group.components.is_empty());
    let placed = placed.map(|group| attribute_of(&group.name, "components"));
    let kept = spec.groups.iter();
    let kept = kept.filter(|group| group.volume_gib.is_some_and(|size| size > 0));
    let kept = kept.map(|group| attribute_of(&group.name, "volume_gib"));
    let shared = spec.memory_shares.keys();
    let shared = shared.map(|framework| format!("{framework}.{MEMORY_SHARE}"));
    let opened = (!spec.open.is_empty()).then(|| "network.open".to_owned());
    let meant = "network.open_unauthenticated".to_owned();
    let meant = spec.open_unauthenticated.then_some(meant);
    let all = placed.chain(kept).chain(shared).chain(opened).chain(meant);
    let message = "the frameworks of this cluster speak contract 0.1.0, which does not have this";
    all.map(|path| Problem::new(path, message, "leave it out"))
        .collect()
}

/// Numbers of nodes that a framework does not run on, roles that there are no groups of, and groups
/// on which nothing would run.
pub fn check_groups(groups: &NodeGroups, chain: &[&PluginDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for group in groups.with_nodes() {
        let mut roles = chain.iter().flat_map(|descriptor| &descriptor.roles);
        if find_default(&group.name).is_none() && !roles.any(|role| role.name == group.name) {
            problems.push(Problem::new(
                GROUPS_ATTRIBUTE,
                format!(
                    "no framework of this cluster places anything on group `{}`",
                    group.name
                ),
                "leave it out",
            ));
        }
    }
    // Every script of this contract names the one master.
    if let Some(master) = groups.get(MASTER).filter(|master| master.count != 1) {
        problems.push(Problem::new(
            attribute_of(MASTER, "count"),
            format!(
                "frameworks run on exactly one master, not on {}",
                master.count
            ),
            "1",
        ));
    }
    for descriptor in chain {
        for role in &descriptor.roles {
            let group = groups.get(&role.name).filter(|group| !group.is_empty());
            let problem = match group {
                Some(group) if group.name == MASTER => None,
                Some(group) => cardinality_problem(&descriptor.name, group, role.cardinality),
                None => Some(missing_role(&descriptor.name, &role.name, groups)),
            };
            problems.extend(problem);
        }
    }
    problems
}

fn cardinality_problem(
    plugin: &str,
    group: &GroupSpec,
    cardinality: RoleCardinality,
) -> Option<Problem> {
    let (name, count) = (&group.name, group.count);
    let (message, hint) = match cardinality {
        RoleCardinality::ExactlyOne if count != 1 => {
            let one = one_node(name);
            let one = one.strip_prefix("a ").unwrap_or(&one);
            let message = format!("`{plugin}` runs on exactly one {one}, not on {count}");
            (message, "1".to_owned())
        }
        RoleCardinality::Odd if count.is_multiple_of(2) => {
            let many = many_nodes(name);
            let message = format!("`{plugin}` needs an odd number of {many}, not {count}");
            let hint = format!("{} or {}", count.saturating_sub(1), count.saturating_add(1));
            (message, hint)
        }
        _ => return None,
    };
    Some(Problem::new(attribute_of(name, "count"), message, hint))
}

fn missing_role(plugin: &str, role: &str, groups: &NodeGroups) -> Problem {
    let there = groups.with_nodes().map(|group| many_nodes(&group.name));
    let there: Vec<String> = there.collect();
    let message = format!(
        "`{plugin}` runs on nodes of the role `{role}`; there are {}",
        there.join(" and ")
    );
    if !is_group_name(role) {
        return Problem::new("framework", message, "leave it out");
    }
    let hint = format!("name the group `{role}` in `{GROUPS_ATTRIBUTE}`, or leave `{plugin}` out");
    Problem::new("framework", message, hint)
}
