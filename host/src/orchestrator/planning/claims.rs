//! What plugins claim, against the nodes that there are to be: whether all of it has a place, how
//! large a node of each group is at least, and what each component is granted on the flavors that
//! were chosen by that ([`super::resolve`]). Pure.
//!
//! All nodes of a group get the same, as if each had every component that one of them has: so a file
//! is one for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::memory_share::{
    FrameworkNeeds, WHOLE_PERCENT, least_to_share, node_for_mib, share_among, shareable_mib,
};
use super::ports::find_port_conflicts;
use super::recorded_shares::{ComponentGrants, RecordedShares};
use crate::bundle::node_classes::node_classes;
use crate::cluster::component::{ComponentNeed, ComponentPlacement};
use crate::cluster::flavor_choice::{FlavorOffer, advise_flavor, fits};
use crate::cluster::framework::NodeResources;
use crate::cluster::framework_request::{ComponentGrant, ConfigExtension, FrameworkClaims};
use crate::cluster::{Flavor, Problem};

/// More memory than any node has, in MiB.
const MOST_MIB: u32 = 1 << 24;
/// The largest of its components that are named where a node would have to be too large.
const MOST_NAMED: usize = 5;

/// What one plugin claims; in the order of the plugins.
#[derive(Clone, Copy, Debug)]
pub struct ClaimingPlugin<'a> {
    /// Its name.
    pub name: &'a str,
    /// What the user gives it of each node's memory, in percent.
    pub memory_share: Option<u32>,
    /// What it claims.
    pub claims: &'a FrameworkClaims,
}

/// A group of nodes that components are claimed on.
#[derive(Clone, Copy, Debug)]
pub struct ClaimedGroup<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its nodes.
    pub nodes: &'a [String],
}

/// The same with the size of its nodes.
#[derive(Clone, Copy, Debug)]
pub struct SizedGroup<'a> {
    /// The group.
    pub group: ClaimedGroup<'a>,
    /// The flavor of its nodes, whoever has chosen it.
    pub flavor: &'a Flavor,
    /// GiB of the volume that they boot from; none where they have the flavor's own disk.
    pub root_volume_gib: Option<u32>,
    /// GiB of their volume for data; 0: none.
    pub volume_gib: u32,
}

/// The smallest node of each group that has nodes.
///
/// # Errors
/// All that cannot be on nodes of any size, at once: a component that is on no node, ports that two
/// take, shares over the whole or that leave others nothing, more memory than any node has.
pub fn smallest_nodes(
    plugins: &[ClaimingPlugin<'_>],
    groups: &[ClaimedGroup<'_>],
    placements: &[ComponentPlacement],
) -> Result<BTreeMap<String, NodeResources>, Vec<Problem>> {
    let mut problems = check_placed(plugins, placements);
    let shares = check_percents(plugins);
    let are_shares_wrong = !shares.is_empty();
    problems.extend(shares);
    let node_groups = groups.iter().flat_map(|group| {
        let nodes = group.nodes.iter();
        nodes.map(|node| (node.clone(), group.name.to_owned()))
    });
    let classes = node_classes(placements, &node_groups.collect());
    let needs: Vec<(&str, &[ComponentNeed])> = plugins
        .iter()
        .map(|plugin| (plugin.name, plugin.claims.needs.as_slice()))
        .collect();
    problems.extend(find_port_conflicts(&needs, &classes));
    let mut smallest = BTreeMap::new();
    for group in groups.iter().filter(|group| !group.nodes.is_empty()) {
        match GroupClaims::of(*group, plugins, placements).smallest_node() {
            Ok(node) => {
                smallest.insert(group.name.to_owned(), node);
            }
            // Told already, by the shares themselves.
            Err(Unplaceable::Shares(_)) if are_shares_wrong => {}
            Err(Unplaceable::Shares(problem) | Unplaceable::Memory(problem)) => {
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() {
        Ok(smallest)
    } else {
        Err(problems)
    }
}

/// What makes the smallest node of each group so large, by component, for people.
pub fn tell_sums(
    plugins: &[ClaimingPlugin<'_>],
    groups: &[ClaimedGroup<'_>],
    placements: &[ComponentPlacement],
    smallest: &BTreeMap<String, NodeResources>,
) -> BTreeMap<String, String> {
    let sum = |group: &ClaimedGroup<'_>| {
        let needed = smallest.get(group.name)?;
        let there = GroupClaims::of(*group, plugins, placements);
        Some((group.name.to_owned(), there.sum(needed)))
    };
    groups.iter().filter_map(sum).collect()
}

/// What each component is granted: by plugin, for each of its claimed components and groups that
/// have it. `offers` are for advice. Shares that are `recorded` of a running cluster stay, but for
/// components whose need has changed; on a group where that does not fit all are shared anew.
///
/// # Errors
/// All that [`smallest_nodes`] refuses; else each flavor that is too small, with the sum by
/// component and the flavor that would do.
pub fn grant_claims(
    plugins: &[ClaimingPlugin<'_>],
    groups: &[SizedGroup<'_>],
    placements: &[ComponentPlacement],
    offers: &[FlavorOffer<'_>],
    recorded: Option<RecordedShares<'_>>,
) -> Result<ComponentGrants, Vec<Problem>> {
    let percents = || {
        plugins
            .iter()
            .map(|plugin| (plugin.name, plugin.memory_share))
    };
    let recorded = recorded.filter(|recorded| recorded.is_of(percents()));
    let claimed: Vec<ClaimedGroup<'_>> = groups.iter().map(|sized| sized.group).collect();
    let smallest = smallest_nodes(plugins, &claimed, placements)?;
    let mut problems = Vec::new();
    let mut grants = BTreeMap::new();
    for sized in groups {
        let Some(needed) = smallest.get(sized.group.name) else {
            continue;
        };
        let there = GroupClaims::of(sized.group, plugins, placements);
        match there.refuse_flavor(sized, *needed, offers) {
            Some(problem) => problems.push(problem),
            None => there.grant(sized, recorded, &mut grants),
        }
    }
    if problems.is_empty() {
        Ok(grants)
    } else {
        Err(problems)
    }
}

/// Extensions of the services that a plugin provides, in the order of the plugins that claim them.
pub fn extensions_of(provides: &[String], plugins: &[ClaimingPlugin<'_>]) -> Vec<ConfigExtension> {
    let all = plugins.iter().flat_map(|plugin| &plugin.claims.extensions);
    all.filter(|extension| provides.contains(&extension.service))
        .cloned()
        .collect()
}

fn check_placed(plugins: &[ClaimingPlugin<'_>], placements: &[ComponentPlacement]) -> Vec<Problem> {
    let placed: BTreeSet<&str> = placements
        .iter()
        .filter(|placement| !placement.members.is_empty())
        .map(|placement| placement.component.as_str())
        .collect();
    let mut problems = Vec::new();
    for plugin in plugins {
        for need in &plugin.claims.needs {
            let name = &need.component;
            if !placed.contains(name.as_str()) {
                problems.push(Problem::new(
                    "framework",
                    format!("{} needs `{name}`, which is on no node", plugin.name),
                    format!("name a group that has nodes by GROUP.components={name}"),
                ));
            }
        }
    }
    problems
}

/// Shares that cannot be, by themselves or together.
pub fn check_percents(plugins: &[ClaimingPlugin<'_>]) -> Vec<Problem> {
    let shares = || {
        plugins
            .iter()
            .filter_map(|plugin| Some((plugin.name, plugin.memory_share?)))
    };
    let path = |name: &str| format!("{name}.memory_share");
    let mut problems: Vec<Problem> = shares()
        .filter(|(_, percent)| !(1..=WHOLE_PERCENT).contains(percent))
        .map(|(name, percent)| {
            let message = format!("is {percent} percent of a node's memory");
            Problem::new(
                path(name),
                message,
                format!("a number from 1 to {WHOLE_PERCENT}"),
            )
        })
        .collect();
    let sum = shares().fold(0_u32, |sum, (_, percent)| sum.saturating_add(percent));
    if problems.is_empty() && sum > WHOLE_PERCENT {
        let each: Vec<String> = shares()
            .map(|(name, percent)| format!("{name} {percent}"))
            .collect();
        let last = shares().next_back().map_or("framework", |(name, _)| name);
        problems.push(Problem::new(
            path(last),
            format!("all shares together are {sum} percent: {}", each.join(", ")),
            format!("at most {WHOLE_PERCENT} together, and less where others have none"),
        ));
    }
    problems
}

/// Why no node is large enough.
enum Unplaceable {
    /// Shares leave somebody nothing.
    Shares(Problem),
    /// More memory than any node has.
    Memory(Problem),
}

/// What is claimed on the nodes of one group.
struct GroupClaims<'a> {
    group: ClaimedGroup<'a>,
    plugins: Vec<(&'a str, FrameworkNeeds<'a>)>,
}

impl<'a> GroupClaims<'a> {
    fn of(
        group: ClaimedGroup<'a>,
        plugins: &[ClaimingPlugin<'a>],
        placements: &[ComponentPlacement],
    ) -> Self {
        let nodes: BTreeSet<&String> = group.nodes.iter().collect();
        let here: BTreeSet<&str> = placements
            .iter()
            .filter(|placement| {
                placement
                    .members
                    .iter()
                    .any(|member| nodes.contains(&member.node))
            })
            .map(|placement| placement.component.as_str())
            .collect();
        let needs_of = |plugin: &ClaimingPlugin<'a>| {
            let needs = plugin.claims.needs.iter();
            let needs = needs.filter(|need| here.contains(need.component.as_str()));
            (
                plugin.name,
                FrameworkNeeds {
                    percent: plugin.memory_share,
                    needs: needs.collect(),
                },
            )
        };
        let plugins = plugins.iter().map(needs_of);
        Self {
            group,
            plugins: plugins
                .filter(|(_, needs)| !needs.needs.is_empty())
                .collect(),
        }
    }

    fn needs(&self) -> impl Iterator<Item = (&'a str, &'a ComponentNeed)> {
        let plugins = self.plugins.iter();
        plugins.flat_map(|(name, needs)| needs.needs.iter().map(|need| (*name, *need)))
    }

    fn frameworks(&self) -> Vec<FrameworkNeeds<'a>> {
        self.plugins
            .iter()
            .map(|(_, needs)| needs.clone())
            .collect()
    }

    /// The smallest node for it.
    fn smallest_node(&self) -> Result<NodeResources, Unplaceable> {
        let sum = |of: fn(&ComponentNeed) -> u32| -> u64 {
            self.needs().map(|(_, need)| u64::from(of(need))).sum()
        };
        let least = sum(|need| need.least_mib);
        if least > u64::from(MOST_MIB) {
            return Err(Unplaceable::Memory(self.refuse_memory(least)));
        }
        let Some(shareable) = least_to_share(&self.frameworks(), MOST_MIB) else {
            return Err(Unplaceable::Shares(self.refuse_shares()));
        };
        Ok(NodeResources {
            vcpus: 1,
            ram_mib: node_for_mib(shareable),
            disk_gib: u32::try_from(sum(|need| need.disk_gib)).unwrap_or(u32::MAX),
        })
    }

    /// What each gets where those that have their share keep it; none where that does not fit.
    fn share_beside(
        &self,
        shareable_mib: u32,
        recorded: RecordedShares<'_>,
    ) -> Option<Vec<Vec<u32>>> {
        let as_kept = |plugin: &str, need: &ComponentNeed| {
            match recorded.kept(plugin, need, self.group.name) {
                // Neither less nor more.
                Some(mib) => ComponentNeed {
                    least_mib: mib,
                    most_mib: mib,
                    weight: 0,
                    ..need.clone()
                },
                None => need.clone(),
            }
        };
        let plugins = self.plugins.iter();
        let needs: Vec<Vec<ComponentNeed>> = plugins
            .map(|(name, own)| own.needs.iter().map(|need| as_kept(name, need)).collect())
            .collect();
        let frameworks = self.plugins.iter().zip(&needs);
        let frameworks: Vec<FrameworkNeeds<'_>> = frameworks
            .map(|((_, own), needs)| FrameworkNeeds {
                percent: own.percent,
                needs: needs.iter().collect(),
            })
            .collect();
        share_among(shareable_mib, &frameworks)
    }

    /// Why the flavor will not do.
    fn refuse_flavor(
        &self,
        sized: &SizedGroup<'_>,
        needed: NodeResources,
        offers: &[FlavorOffer<'_>],
    ) -> Option<Problem> {
        let flavor = sized.flavor;
        // What boots from a volume needs no disk of its flavor.
        let of_flavor = NodeResources {
            disk_gib: sized.root_volume_gib.map_or(needed.disk_gib, |_| 0),
            ..needed
        };
        let root = sized.root_volume_gib.unwrap_or(flavor.disk_gib);
        let (path, advice) = if !fits(flavor, &of_flavor) {
            ("flavor", advise_flavor(offers.iter().copied(), &of_flavor))
        } else if sized.root_volume_gib.is_some() && root < needed.disk_gib {
            ("root_volume_gib", "make it larger".to_owned())
        } else {
            return None;
        };
        let has = format!(
            "`{}` has {} MiB of memory and {root} GiB of disk",
            flavor.name, flavor.ram_mib
        );
        Some(Problem::new(
            format!("{}.{path}", self.group.name),
            format!("{has}, and {}", self.sum(&needed)),
            advice,
        ))
    }

    fn refuse_memory(&self, least: u64) -> Problem {
        let mut needs: Vec<_> = self.needs().collect();
        needs.sort_by_key(|(_, need)| std::cmp::Reverse(need.least_mib));
        let largest: Vec<String> = needs
            .iter()
            .take(MOST_NAMED)
            .map(|(plugin, need)| {
                format!("`{}` of {plugin} {} MiB", need.component, need.least_mib)
            })
            .collect();
        Problem::new(
            "framework",
            format!(
                "each node of {} needs {least} MiB, and no node has more than {MOST_MIB}: {}",
                self.group.name,
                largest.join(", ")
            ),
            "ask the frameworks for less, or place them on several groups",
        )
    }

    /// What is needed, by component.
    fn sum(&self, needed: &NodeResources) -> String {
        let each: Vec<String> = self
            .needs()
            .map(|(plugin, need)| {
                let (name, mib, gib) = (&need.component, need.least_mib, need.disk_gib);
                format!("`{name}` of {plugin} {mib} MiB and {gib} GiB")
            })
            .collect();
        let shares: Vec<String> = self
            .plugins
            .iter()
            .filter_map(|(name, needs)| {
                Some(format!(", and {name} has {} percent", needs.percent?))
            })
            .collect();
        format!(
            "each of its nodes needs {} MiB and {} GiB: {}, the node itself the rest{}",
            needed.ram_mib,
            needed.disk_gib,
            each.join(", "),
            shares.concat()
        )
    }

    fn refuse_shares(&self) -> Problem {
        let open = self
            .plugins
            .iter()
            .filter(|(_, needs)| needs.percent.is_none());
        let open: Vec<&str> = open.map(|(name, _)| *name).collect();
        let shared = self
            .plugins
            .iter()
            .rfind(|(_, needs)| needs.percent.is_some());
        let name = shared.map_or("framework", |(name, _)| *name);
        Problem::new(
            format!("{name}.memory_share"),
            format!(
                "leaves {} nothing on {}",
                open.join(" and "),
                self.group.name
            ),
            "less than all of it",
        )
    }

    fn grant(
        &self,
        sized: &SizedGroup<'_>,
        recorded: Option<RecordedShares<'_>>,
        grants: &mut ComponentGrants,
    ) {
        let flavor = sized.flavor;
        let shareable = shareable_mib(flavor.ram_mib);
        let kept = recorded.and_then(|recorded| self.share_beside(shareable, recorded));
        let shares = kept.or_else(|| share_among(shareable, &self.frameworks()));
        for ((plugin, needs), shares) in self.plugins.iter().zip(shares.unwrap_or_default()) {
            let own = grants.entry((*plugin).to_owned()).or_default();
            for (need, memory_mib) in needs.needs.iter().zip(shares) {
                own.push(ComponentGrant {
                    component: need.component.clone(),
                    group: self.group.name.to_owned(),
                    vcpus: flavor.vcpus,
                    memory_mib,
                    disk_gib: sized.root_volume_gib.unwrap_or(flavor.disk_gib),
                    volume_gib: sized.volume_gib,
                });
            }
        }
    }
}

#[cfg(test)]
#[path = "claims_size_tests.rs"]
mod size_tests;
#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
