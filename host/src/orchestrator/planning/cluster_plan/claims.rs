//! What the plugins of a chain take of the same nodes: ports that two listen on, memory that is not
//! there. Pure.

use crate::cluster::{
    Flavor, Problem,
    flavor_choice::advise_flavor,
    framework::{NodeGroup, NodeResources, ResourceClaim},
    group_value::attribute_of,
};

/// One problem for each port that two plugins take, and for each role whose memory does not
/// suffice.
pub fn check_claims(
    groups: &[NodeGroup],
    flavors: &[Flavor],
    taken: &[ResourceClaim],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for group in groups {
        let shares: Vec<&ResourceClaim> = taken
            .iter()
            .filter(|share| share.role == group.role)
            .collect();
        for (index, share) in shares.iter().enumerate() {
            for port in &share.ports {
                if let Some(other) = shares[..index]
                    .iter()
                    .find(|other| other.plugin != share.plugin && other.ports.contains(port))
                {
                    let message = format!(
                        "`{}` and `{}` both listen on port {port} of each {}",
                        other.plugin, share.plugin, group.role
                    );
                    problems.push(Problem::new(
                        "framework",
                        message,
                        "ask for one of them, or give one another port by its parameters",
                    ));
                }
            }
        }
        let sum: u32 = shares
            .iter()
            .fold(0, |sum, share| sum.saturating_add(share.memory_mib));
        if sum > group.flavor.ram_mib {
            let each: Vec<String> = shares
                .iter()
                .filter(|s| s.memory_mib > 0)
                .map(|s| format!("`{}` {} MiB", s.plugin, s.memory_mib))
                .collect();
            let has = format!(
                "{} MiB, all that `{}` has",
                group.flavor.ram_mib, group.flavor.name
            );
            let path = attribute_of(&group.role, "flavor");
            let needed = NodeResources {
                ram_mib: sum,
                vcpus: group.flavor.vcpus,
                disk_gib: group.flavor.disk_gib,
            };
            problems.push(Problem::new(
                path,
                format!("{} together take more than {has}", each.join(" and ")),
                advise_flavor(flavors, &needed),
            ));
        }
    }
    problems
}
