//! The nodes of a cluster: groups, ids, names, addresses, and whether their flavors and numbers
//! suit the frameworks. Pure.

use std::{collections::BTreeMap, net::Ipv4Addr};

use ipnet::Ipv4Net;

use crate::{
    cluster::{
        ClusterSpec, Problem,
        flavor_choice::{advise_flavor, fits},
        framework::{ClusterNode, NodeGroup, NodeResources, PluginDescriptor, RoleCardinality},
        limits::MASTER_OFFSET,
    },
    orchestrator::planning::planner::ResolvedFlavors,
};

/// The role of the one node that others join.
pub const MASTER: &str = "master";
/// The role of all others.
pub const WORKER: &str = "worker";

/// The master's group, then the workers'. A node's address follows from its id alone: the master is
/// the network's tenth, worker n stands n above.
pub fn node_groups(spec: &ClusterSpec, chosen: &ResolvedFlavors) -> Vec<NodeGroup> {
    let base = spec
        .cidr
        .parse::<Ipv4Net>()
        .map_or(0, |net| u32::from(net.network()));
    let address =
        |above: u32| Ipv4Addr::from(base.saturating_add(MASTER_OFFSET + above)).to_string();
    let image = spec.image.clone().unwrap_or_default();
    let master = ClusterNode {
        id: 1,
        name: MASTER.to_owned(),
        address: address(0),
    };
    let workers = spec.ids().into_iter().map(|id| ClusterNode {
        id,
        name: format!("{WORKER}-{id}"),
        address: address(id),
    });
    vec![
        NodeGroup {
            role: MASTER.to_owned(),
            flavor: chosen.master.clone(),
            image: image.clone(),
            nodes: vec![master],
        },
        NodeGroup {
            role: WORKER.to_owned(),
            flavor: chosen.worker.clone(),
            image,
            nodes: workers.collect(),
        },
    ]
}

/// The smallest size of a node of each role over the whole chain.
pub fn smallest_resources(chain: &[&PluginDescriptor]) -> BTreeMap<String, NodeResources> {
    let mut sizes: BTreeMap<String, NodeResources> = BTreeMap::new();
    for role in chain.iter().flat_map(|descriptor| &descriptor.roles) {
        let size = sizes.entry(role.name.clone()).or_insert(role.smallest);
        *size = NodeResources {
            vcpus: size.vcpus.max(role.smallest.vcpus),
            ram_mib: size.ram_mib.max(role.smallest.ram_mib),
            disk_gib: size.disk_gib.max(role.smallest.disk_gib),
        };
    }
    sizes
}

/// Flavors that are too small, with one that is not; numbers of workers that a framework does not
/// run on; roles that there are none of.
pub fn check_nodes(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    chain: &[&PluginDescriptor],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sizes = smallest_resources(chain);
    for (role, flavor, path) in [
        (MASTER, &chosen.master, "master.flavor"),
        (WORKER, &chosen.worker, "worker.flavor"),
    ] {
        if let Some(size) = sizes.get(role).filter(|size| !fits(flavor, size)) {
            let has = format!("`{}` has {}", flavor.name, flavor.resources());
            let needs = format!(
                "a {role} needs {} MiB, {} vCPUs and {} GiB",
                size.ram_mib, size.vcpus, size.disk_gib
            );
            problems.push(Problem::new(
                path,
                format!("{has}; {needs}"),
                advise_flavor(&chosen.flavors, size),
            ));
        }
    }
    for descriptor in chain {
        for role in &descriptor.roles {
            let name = &descriptor.name;
            let wrong = match (role.name.as_str(), role.cardinality) {
                (MASTER, _) | (WORKER, RoleCardinality::OneOrMore) => continue,
                (WORKER, RoleCardinality::ExactlyOne) if spec.workers != 1 => {
                    format!(
                        "`{name}` runs on exactly one worker, not on {}",
                        spec.workers
                    )
                }
                (WORKER, RoleCardinality::Odd) if spec.workers.is_multiple_of(2) => {
                    format!(
                        "`{name}` needs an odd number of workers, not {}",
                        spec.workers
                    )
                }
                (WORKER, _) => continue,
                (other, _) => {
                    let message = format!(
                        "`{name}` runs on nodes of the role `{other}`; there are masters and workers"
                    );
                    problems.push(Problem::new("framework", message, "leave it out"));
                    continue;
                }
            };
            let hint = if role.cardinality == RoleCardinality::Odd {
                format!("{} or {}", spec.workers - 1, spec.workers + 1)
            } else {
                "1".to_owned()
            };
            problems.push(Problem::new("workers", wrong, hint));
        }
    }
    problems
}
