//! The clusters at rest that a change goes by: as it is, with the new settings, with those that come
//! beside the others, without those that leave. They follow from what is recorded of both ends of the
//! change, so that another host goes by the same ones; what each component has of its nodes' memory
//! is shared out once, for all of them. Pure.

use std::collections::BTreeSet;

use crate::orchestrator::planning::{
    ask_claims::claiming_of,
    framework_plan::share_nodes,
    place_cluster::groups_of_nodes,
    planner::{ClaimedCluster, PluginChain, ResolvedFlavors},
    recorded_shares::{ComponentGrants, RecordedShares},
};
use crate::{
    bundle::member_news::MemberLines,
    cluster::{
        ClusterPins, ClusterRest, ClusterSpec, GroupSpec, NodeGroups, NodeIds, Problem,
        component::{ComponentPlacement, join_members, members_beyond, placement_of},
        framework_request::FrameworkClaims,
        node_group::join_nodes,
    },
};

/// From what to what a change leads.
#[derive(Clone, Copy)]
pub(crate) struct ChangeEnds<'a> {
    /// The cluster as it was before.
    pub(crate) from: &'a ClusterSpec,
    /// The cluster as it is to be; its pins have the placements and claims of that.
    pub(crate) to: &'a ClusterSpec,
    /// Whether the steps lead back.
    pub(crate) is_rollback: bool,
    /// The number of the change.
    pub(crate) change: u32,
    /// The same, where it is an upgrade.
    pub(crate) upgrade: Option<u32>,
    /// What plugins have to say against the cluster as it is to be.
    pub(crate) refused: &'a [Problem],
}

/// What the clusters at rest follow from.
#[derive(Clone, Copy)]
pub(crate) struct ChangeSources<'a> {
    /// The plugins.
    pub(crate) chain: &'a PluginChain,
    /// The cluster as it was before, with the groups that the change adds, without nodes.
    pub(crate) from: &'a ClusterSpec,
    /// As it is to be. Its pins have the placements and claims of that.
    pub(crate) to: &'a ClusterSpec,
    /// The sizes of all groups.
    pub(crate) flavors: &'a ResolvedFlavors,
    /// The number of the change.
    pub(crate) change: u32,
    /// Whether the steps lead back.
    pub(crate) is_rollback: bool,
    /// Whether all that stands on the nodes is replaced, whatever else is asked for.
    pub(crate) is_upgrade: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RestedClusters {
    rests: [ClaimedCluster; 4],
    /// Whether other plugins make the first one than all others.
    is_upgrade: bool,
}

impl RestedClusters {
    /// Makes them.
    ///
    /// # Errors
    /// What does not fit on the nodes while those that come and those that leave are both there.
    pub(crate) fn new(sources: ChangeSources<'_>) -> Result<Self, Vec<Problem>> {
        let (from, to) = (sources.from, sources.to);
        let nothing = ClusterPins::default();
        let [before, after] = [from, to].map(|spec| spec.pins.as_deref().unwrap_or(&nothing));
        let joined = join_members(&before.placements, &after.placements);
        let placements = [
            &before.placements,
            &before.placements,
            &joined,
            &after.placements,
        ];
        let ids = [from, to].map(ClusterSpec::node_ids);
        let specs = [
            from.clone(),
            with_ids(from, to, &ids[0]),
            with_ids(from, to, &join_nodes(&ids[0], &ids[1])),
            with_ids(from, to, &ids[1]),
        ]
        .map(|spec| made_alike(from, spec));
        let [_, _, most, _] = &specs;
        let claims = claims_between(sources.chain, before, after, &joined);
        let grants = share(sources, most, &joined, &claims, before)?;
        let mut rests = ClusterRest::ALL.into_iter().zip(specs).zip(placements);
        let mut next = || {
            let ((rest, spec), placements) = rests.next()?;
            let (claims, grants) = if rest == ClusterRest::Before {
                let plugins = sources.chain.plugins.iter();
                let recorded = plugins.map(|plugin| before.claims_of(plugin));
                (recorded.collect(), before.grants.clone())
            } else {
                (
                    placed_claims(&claims, placements),
                    placed_grants(&grants, placements, &spec),
                )
            };
            Some(ClaimedCluster {
                spec,
                placements: placements.clone(),
                claims,
                // Who has none of what is granted is asked by plugins without components.
                grants: Some(grants),
                ..ClaimedCluster::default()
            })
        };
        let mut made = [(); 4].map(|()| next().unwrap_or_default());
        let [before, settled, joined, done] = &mut made;
        if sources.is_rollback {
            // Nodes that were taken away boot anew.
            before.boot.change = sources.change;
        }
        if joined.spec.node_ids() != settled.spec.node_ids() {
            joined.boot = MemberLines {
                change: sources.change,
                joined: members_beyond(&joined.placements, &settled.placements),
                ..MemberLines::default()
            };
            // Where nobody leaves both are one.
            if (&done.spec, &done.placements) == (&joined.spec, &joined.placements) {
                done.boot.clone_from(&joined.boot);
            }
        }
        Ok(Self {
            rests: made,
            is_upgrade: sources.is_upgrade,
        })
    }

    /// Whether two of them are the same, so that nothing on any node differs.
    pub(crate) fn are_alike(&self, one: ClusterRest, other: ClusterRest) -> bool {
        let plain = |rest| ClaimedCluster {
            boot: MemberLines::default(),
            ..self.get(rest).clone()
        };
        let is_before = |rest| rest == ClusterRest::Before;
        one == other
            || (!(self.is_upgrade && is_before(one) != is_before(other))
                && plain(one) == plain(other))
    }

    /// One of them.
    pub(crate) fn get(&self, rest: ClusterRest) -> &ClaimedCluster {
        rest.pick(&self.rests)
    }
}

/// Where components are in each of them.
pub(crate) fn placements_between(
    from: &ClusterSpec,
    to: &ClusterSpec,
) -> [Vec<ComponentPlacement>; 4] {
    let [before, after] = [from, to].map(|spec| {
        let pins = spec.pins.as_deref();
        pins.map(|pins| pins.placements.clone()).unwrap_or_default()
    });
    let joined = join_members(&before, &after);
    [before.clone(), before, joined, after]
}

/// The cluster as it is to be, with these nodes: clusters at rest with the same ones are the same.
fn with_ids(from: &ClusterSpec, to: &ClusterSpec, ids: &NodeIds) -> ClusterSpec {
    let none = Vec::new();
    let of = |group: &GroupSpec| {
        let ids = ids.get(&group.name).unwrap_or(&none);
        let before = from.groups.get(&group.name);
        match before.filter(|before| before.node_ids() == *ids) {
            Some(before) => GroupSpec {
                components: group.components.clone(),
                ..before.clone()
            },
            None if group.node_ids() == *ids => group.clone(),
            None if ids.is_empty() => GroupSpec {
                count: 0,
                ids: Vec::new(),
                ids_given: 0,
                ..group.clone()
            },
            None => group.with_ids(ids.clone()),
        }
    };
    ClusterSpec {
        groups: NodeGroups::new(to.groups.iter().map(of)),
        ..to.clone()
    }
}

/// All nodes are planned on what the cluster was made of. What new nodes are made of instead is put
/// into their resources alone.
fn made_alike(from: &ClusterSpec, spec: ClusterSpec) -> ClusterSpec {
    let mut spec = ClusterSpec {
        image: from.image.clone(),
        key: from.key.clone(),
        pins: from.pins.clone(),
        ..spec
    };
    for group in spec.groups.iter_mut() {
        if let Some(from) = from.groups.get(&group.name) {
            group.flavor.clone_from(&from.flavor);
            group.image.clone_from(&from.image);
            group.availability_zone.clone_from(&from.availability_zone);
            group.root_volume_gib = from.root_volume_gib;
        }
    }
    spec
}

/// What the plugins claim of the cluster that is to be, and what they claimed of components that are
/// there until they leave.
fn claims_between(
    chain: &PluginChain,
    before: &ClusterPins,
    after: &ClusterPins,
    joined: &[ComponentPlacement],
) -> Vec<FrameworkClaims> {
    let is_there = |name: &str| placement_of(joined, name).is_some();
    let claims = |plugin: &String| {
        let mut claims = after.claims_of(plugin);
        for need in before.claims_of(plugin).needs {
            if !claims.has_need_of(&need.component) && is_there(&need.component) {
                claims.needs.push(need);
            }
        }
        claims
    };
    chain.plugins.iter().map(claims).collect()
}

/// What every component has while all of them are there.
fn share(
    sources: ChangeSources<'_>,
    most: &ClusterSpec,
    joined: &[ComponentPlacement],
    claims: &[FrameworkClaims],
    before: &ClusterPins,
) -> Result<ComponentGrants, Vec<Problem>> {
    if joined.is_empty() {
        return Ok(ComponentGrants::new());
    }
    let names = sources.chain.plugins.iter().map(String::as_str);
    let claiming = claiming_of(most, names, claims);
    let recorded = RecordedShares {
        grants: &before.grants,
        needs: &before.needs,
        memory_shares: &sources.from.memory_shares,
    };
    share_nodes(most, sources.flavors, &claiming, joined, Some(recorded))
}

fn placed_claims(
    claims: &[FrameworkClaims],
    placements: &[ComponentPlacement],
) -> Vec<FrameworkClaims> {
    let placed: BTreeSet<&str> = placements
        .iter()
        .filter(|one| !one.members.is_empty())
        .map(|one| one.component.as_str())
        .collect();
    let mut claims = claims.to_vec();
    for claims in &mut claims {
        claims
            .needs
            .retain(|need| placed.contains(need.component.as_str()));
    }
    claims
}

/// Those of components on the groups that have them.
pub(crate) fn placed_grants(
    grants: &ComponentGrants,
    placements: &[ComponentPlacement],
    spec: &ClusterSpec,
) -> ComponentGrants {
    let groups = groups_of_nodes(spec);
    let mut placed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for placement in placements {
        let nodes = placement.members.iter().map(|member| &member.node);
        let groups = nodes.filter_map(|node| groups.get(node));
        placed.extend(groups.map(|group| (placement.component.as_str(), group.as_str())));
    }
    let own = grants.iter().map(|(plugin, grants)| {
        let there = grants.iter();
        let there =
            there.filter(|one| placed.contains(&(one.component.as_str(), one.group.as_str())));
        (plugin.clone(), there.cloned().collect::<Vec<_>>())
    });
    own.filter(|(_, grants)| !grants.is_empty()).collect()
}
