//! What plugins claim, against the nodes that there are to be: whether all of it has a place, which
//! flavor would do, and what each component is granted. Pure.
//!
//! All nodes of a group get the same, as if each had every component that one of them has: so a file
//! is one for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::memory_share::{
    FrameworkNeeds, WHOLE_PERCENT, least_to_share, node_for_mib, share_among, shareable_mib,
};
use super::ports::find_port_conflicts;
use crate::bundle::node_classes::node_classes;
use crate::cluster::component::{ComponentNeed, ComponentPlacement};
use crate::cluster::flavor_choice::{FlavorOffer, advise_flavor, fits, smallest_fitting};
use crate::cluster::framework::NodeResources;
use crate::cluster::framework_request::{ComponentGrant, ConfigExtension, FrameworkClaims};
use crate::cluster::{Flavor, Problem};

/// More memory than any node has, in MiB.
const MOST_MIB: u32 = 1 << 24;

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
    /// The flavor that the user has named, or that its nodes have.
    pub flavor: Option<&'a Flavor>,
    /// The volume of each of its nodes; 0: none.
    pub volume_gib: u32,
}

/// What came of the claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantPlan {
    /// Of each group that has nodes.
    pub flavors: BTreeMap<String, Flavor>,
    /// By plugin, for each of its claimed components and groups that have it.
    pub grants: BTreeMap<String, Vec<ComponentGrant>>,
}

/// Flavors for the groups that have none, and what each component is granted.
///
/// # Errors
/// All that cannot be, at once: a component that is on no node, ports that two take, shares over the
/// whole, flavors that are too small, each with the sum by component and the flavor that would do.
pub fn grant_claims(
    plugins: &[ClaimingPlugin<'_>],
    groups: &[ClaimedGroup<'_>],
    placements: &[ComponentPlacement],
    offers: &[FlavorOffer<'_>],
) -> Result<GrantPlan, Vec<Problem>> {
    let mut problems = check_placed(plugins, placements);
    problems.extend(check_percents(plugins));
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
    let mut plan = GrantPlan::default();
    for group in groups.iter().filter(|group| !group.nodes.is_empty()) {
        let there = GroupClaims::of(group, plugins, placements);
        match there.choose_flavor(offers) {
            Ok(flavor) => {
                there.grant(&flavor, &mut plan.grants);
                plan.flavors.insert(group.name.to_owned(), flavor);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(plan)
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

fn check_percents(plugins: &[ClaimingPlugin<'_>]) -> Vec<Problem> {
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

/// What is claimed on the nodes of one group.
struct GroupClaims<'a> {
    group: &'a ClaimedGroup<'a>,
    plugins: Vec<(&'a str, FrameworkNeeds<'a>)>,
}

impl<'a> GroupClaims<'a> {
    fn of(
        group: &'a ClaimedGroup<'a>,
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

    /// The smallest node for it; none where shares leave others nothing on any.
    fn smallest_node(&self) -> Option<NodeResources> {
        let disk = self
            .needs()
            .fold(0_u32, |sum, (_, need)| sum.saturating_add(need.disk_gib));
        Some(NodeResources {
            vcpus: 1,
            ram_mib: node_for_mib(least_to_share(&self.frameworks(), MOST_MIB)?),
            disk_gib: disk,
        })
    }

    fn choose_flavor(&self, offers: &[FlavorOffer<'_>]) -> Result<Flavor, Problem> {
        let path = format!("{}.flavor", self.group.name);
        let Some(needed) = self.smallest_node() else {
            return Err(self.refuse_shares());
        };
        let advice = || advise_flavor(offers.iter().copied(), &needed);
        match self.group.flavor {
            Some(flavor) if fits(flavor, &needed) => Ok(flavor.clone()),
            Some(flavor) => {
                let has = format!(
                    "`{}` has {} MiB of memory and {} GiB of disk",
                    flavor.name, flavor.ram_mib, flavor.disk_gib
                );
                Err(Problem::new(
                    path,
                    format!("{has}, and {}", self.sum(&needed)),
                    advice(),
                ))
            }
            None => smallest_fitting(offers.iter().copied(), &needed)
                .cloned()
                .ok_or_else(|| Problem::new(path, self.sum(&needed), advice())),
        }
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

    fn grant(&self, flavor: &Flavor, grants: &mut BTreeMap<String, Vec<ComponentGrant>>) {
        let shares = share_among(shareable_mib(flavor.ram_mib), &self.frameworks());
        for ((plugin, needs), shares) in self.plugins.iter().zip(shares.unwrap_or_default()) {
            let own = grants.entry((*plugin).to_owned()).or_default();
            for (need, memory_mib) in needs.needs.iter().zip(shares) {
                own.push(ComponentGrant {
                    component: need.component.clone(),
                    group: self.group.name.to_owned(),
                    vcpus: flavor.vcpus,
                    memory_mib,
                    disk_gib: flavor.disk_gib,
                    volume_gib: self.group.volume_gib,
                });
            }
        }
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
