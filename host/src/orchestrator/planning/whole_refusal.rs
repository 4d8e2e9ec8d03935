//! Whoever is refused is told all of it: what is wrong with the attributes, with what the plugins
//! claim and generate, and with what the cloud has, in one answer, as far as each can be known while
//! the others are wrong. Reads of the cloud, and creates nothing.

use std::collections::BTreeMap;

use super::inventory::{self, CloudInventory};
use super::known_claims::without_repeats;
use super::pinning;
use super::plan_deploy::{PlannedDeploy, group_flavor, plan_deploy, with_sums};
use super::planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors};
use super::resolve::resolve_known;
use crate::cluster::framework::NodeResources;
use crate::cluster::limits::{MAX_CLUSTER_NODES, MAX_GROUPS};
use crate::cluster::spec::FrameworkChoice;
use crate::cluster::{ClusterSpec, Flavor, Problem};
use crate::openstack::CloudSession;
use crate::orchestrator::error::OrchestratorError;

/// What stands for a name that is open or wrong while others are looked at.
const STAND_IN: &str = "unnamed";
/// Processors of a node whose flavor is not known.
const STAND_IN_VCPUS: u32 = 2;

/// A request as far as it could be read, and what was wrong with the rest.
#[derive(Clone, Debug)]
pub(crate) struct UnsoundRequest {
    /// What is sound of it; defaults stand for what is not.
    pub(crate) spec: ClusterSpec,
    /// What was found so far.
    pub(crate) problems: Vec<Problem>,
}

/// Plans a deploy that was just asked for. Where it is refused, all is told that is wrong with it,
/// not what was found first.
pub(crate) async fn plan_asked(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    chain: &PluginChain,
) -> Result<PlannedDeploy, OrchestratorError> {
    match plan_deploy(planner, session, spec, chain).await {
        Err(OrchestratorError::Invalid(problems)) => {
            let spec = spec.clone();
            let unsound = UnsoundRequest {
                spec,
                problems: Vec::new(),
            };
            let mut all = tell_all(planner, session, unsound).await;
            all.extend(problems);
            Err(OrchestratorError::Invalid(without_repeats(all)))
        }
        planned => planned,
    }
}

/// All that is wrong with a request that is refused. Where the cloud does not answer, what can be
/// told without it.
pub(crate) async fn tell_all(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    refused: UnsoundRequest,
) -> Vec<Problem> {
    let UnsoundRequest { spec, problems } = refused;
    if spec.groups.node_count() > MAX_CLUSTER_NODES || spec.groups.with_nodes().count() > MAX_GROUPS
    {
        return problems;
    }
    let (spec, chain) = sound_part(planner, spec);
    let spec = pinning::name_versions(&spec, &planner.descriptors());
    let known = planner.claim_known(&spec, &chain).await;
    let mut all = problems;
    all.extend(known.problems.iter().cloned());
    let nothing = ClaimedCluster {
        spec: spec.clone(),
        ..ClaimedCluster::default()
    };
    let claimed = known.claimed.as_ref().unwrap_or(&nothing);
    let Ok(cloud) = inventory::take_inventory(session, &claimed.spec).await else {
        return without_repeats(all);
    };
    let (chosen, missing) = resolve_known(&claimed.spec, &cloud, &claimed.smallest);
    all.extend(with_sums(missing, claimed));
    let (chosen, flavors) = stand_in(chosen, &claimed.smallest, &cloud);
    all.extend(
        planner
            .refuse_known(&chosen, &chain, &known, &flavors)
            .await,
    );
    without_repeats(all)
}

/// The frameworks that make a chain, and a request for those: of two that cannot be together the
/// first.
fn sound_part(planner: &dyn ClusterPlanner, mut spec: ClusterSpec) -> (ClusterSpec, PluginChain) {
    if spec.name.is_empty() {
        STAND_IN.clone_into(&mut spec.name);
    }
    let asked = std::mem::take(&mut spec.frameworks);
    let mut chain = planner.order_plugins(&spec).unwrap_or_default();
    let mut left: Vec<FrameworkChoice> = asked;
    loop {
        let before = left.len();
        let mut still_left = Vec::new();
        for choice in left {
            spec.frameworks.push(choice);
            match planner.order_plugins(&spec) {
                Ok(longer) => chain = longer,
                Err(_) => still_left.extend(spec.frameworks.pop()),
            }
        }
        left = still_left;
        if left.is_empty() || left.len() == before {
            break;
        }
    }
    // What is wished of those that are left out says nothing of the others.
    let views = planner.descriptors();
    let is_left = |component: &str| {
        let of_left = views
            .iter()
            .filter(|view| left.iter().any(|choice| choice.name == view.name));
        let mut components = of_left.flat_map(|view| &view.components);
        components.any(|one| one.name == component)
    };
    for group in spec.groups.iter_mut() {
        group.components.retain(|(name, _)| !is_left(name));
    }
    (spec, chain)
}

/// The same with something in the place of all that the cloud has not, and flavors that are large
/// enough: what is wrong with them was told.
fn stand_in(
    mut chosen: ClusterSpec,
    smallest: &BTreeMap<String, NodeResources>,
    cloud: &CloudInventory,
) -> (ClusterSpec, ResolvedFlavors) {
    if chosen.image.is_none() {
        chosen.image = Some(STAND_IN.to_owned());
    }
    let needed = |group: &str| smallest.get(group).copied();
    let mut groups = BTreeMap::new();
    let names: Vec<String> = chosen
        .groups
        .with_nodes()
        .map(|one| one.name.clone())
        .collect();
    for name in names {
        let need = needed(&name);
        let disk_gib = need.map_or(0, |need| need.disk_gib);
        let Some(group) = chosen.groups.get(&name) else {
            continue;
        };
        let is_small = chosen
            .root_volume_of(group)
            .is_some_and(|size| size < disk_gib);
        let found = group
            .flavor
            .as_ref()
            .and_then(|_| group_flavor(&chosen, group, cloud).ok());
        let flavor = found.unwrap_or_else(|| Flavor {
            name: STAND_IN.to_owned(),
            vcpus: STAND_IN_VCPUS,
            ram_mib: need.map_or(0, |need| need.ram_mib),
            disk_gib,
        });
        groups.insert(name.clone(), flavor);
        if let Some(group) = chosen.groups.get_mut(&name).filter(|_| is_small) {
            group.root_volume_gib = Some(disk_gib);
        }
    }
    let flavors = cloud.flavors.iter();
    let flavors = ResolvedFlavors {
        flavors: flavors.map(|flavor| flavor.size.clone()).collect(),
        groups,
        signal_transport: cloud.signal_transport.clone(),
        access: cloud.access.clone(),
    };
    (chosen, flavors)
}
