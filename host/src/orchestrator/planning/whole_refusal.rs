//! Whoever is refused is told all of it: what is wrong with the attributes, with what the plugins
//! claim and generate, and with what the cloud has, in one answer, as far as each can be known while
//! the others are wrong. Reads of the cloud, and creates nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::inventory::{self, CloudInventory};
use super::known_claims::without_repeats;
use super::pinning;
use super::plan_deploy::{PlannedDeploy, group_flavor, plan_beyond_quotas, with_sums};
use super::planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan};
use super::quota::{self, QuotaNeed};
use super::resolve::resolve_known;
use crate::cluster::framework::NodeResources;
use crate::cluster::limits::{MAX_CLUSTER_NODES, MAX_GROUPS};
use crate::cluster::spec::FrameworkChoice;
use crate::cluster::{ClusterSpec, Flavor, NodeIds, Problem};
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

/// A request as it was looked at, whether it can be made or not.
#[derive(Debug, Default)]
pub(crate) struct LookedAtRequest {
    /// All that is wrong with it: what a deploy is refused for.
    pub(crate) problems: Vec<Problem>,
    /// What it asks for, with what is known of the rest filled in.
    pub(crate) spec: ClusterSpec,
    /// What the plugins claim of it, as far as they can be asked.
    pub(crate) claimed: ClaimedCluster,
    /// Titles of plugins that cannot be asked, or have refused: nodes may have to be larger than what
    /// the others claim.
    pub(crate) awaited: BTreeSet<String>,
    /// What the cloud has; none where it did not answer, or was not asked.
    pub(crate) cloud: Option<CloudInventory>,
    /// The flavors that are known, by group.
    pub(crate) flavors: BTreeMap<String, Flavor>,
    /// What it takes of the quotas, as far as that can be told.
    pub(crate) needs: Vec<QuotaNeed>,
    /// What Heat is to be given, where it can be made but for quotas.
    pub(crate) planned: Option<StackPlan>,
}

/// Plans a deploy that was just asked for. Where it is refused, all is told that is wrong with it,
/// not what was found first.
pub(crate) async fn plan_asked(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    chain: &PluginChain,
) -> Result<PlannedDeploy, OrchestratorError> {
    match plan_beyond_quotas(planner, session, spec, chain).await {
        Err(OrchestratorError::Invalid(problems)) => {
            let looked = look_again(planner, session, spec, problems).await;
            Err(OrchestratorError::Invalid(looked.problems))
        }
        planned => planned?.within_quotas(),
    }
}

/// Looks at a request that may be incomplete or wrong: what [`plan_asked`] finds, and what is known
/// all the same. `read` is what was read of it.
///
/// # Errors
/// What is neither the request's fault nor the plugins': the cloud does not answer, or not to this
/// user.
pub(crate) async fn look_at_request(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    read: Result<(ClusterSpec, PluginChain), Box<UnsoundRequest>>,
) -> Result<LookedAtRequest, OrchestratorError> {
    let (spec, chain) = match read {
        Ok(read) => read,
        Err(refused) => {
            let looked = look_at_unsound(planner, session, *refused).await;
            return Ok(with_known_needs(planner, looked).await);
        }
    };
    match plan_beyond_quotas(planner, session, &spec, &chain).await {
        Ok(made) => Ok(LookedAtRequest {
            problems: quota::check_quotas(&made.needs),
            spec: made.spec,
            claimed: made.claimed,
            awaited: BTreeSet::new(),
            cloud: Some(made.cloud),
            flavors: made.flavors.groups,
            needs: made.needs,
            planned: Some(made.planned),
        }),
        Err(OrchestratorError::Invalid(problems)) => {
            let looked = look_again(planner, session, &spec, problems).await;
            Ok(with_known_needs(planner, looked).await)
        }
        Err(error) => Err(error),
    }
}

/// Looks at a request that could be read and was refused for these.
async fn look_again(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    refused_for: Vec<Problem>,
) -> LookedAtRequest {
    let unsound = UnsoundRequest {
        spec: spec.clone(),
        problems: Vec::new(),
    };
    let mut looked = look_at_unsound(planner, session, unsound).await;
    looked.problems.extend(refused_for);
    looked.problems = without_repeats(looked.problems);
    looked
}

/// All that is wrong with a request that is refused. Where the cloud does not answer, what can be
/// told without it.
pub(crate) async fn tell_all(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    refused: UnsoundRequest,
) -> Vec<Problem> {
    look_at_unsound(planner, session, refused).await.problems
}

/// All that is wrong with such a request, and what is known of the rest.
pub(crate) async fn look_at_unsound(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    refused: UnsoundRequest,
) -> LookedAtRequest {
    let UnsoundRequest { spec, problems } = refused;
    let mut looked = LookedAtRequest {
        problems,
        spec,
        ..LookedAtRequest::default()
    };
    let groups = &looked.spec.groups;
    if groups.node_count() > MAX_CLUSTER_NODES || groups.with_nodes().count() > MAX_GROUPS {
        return looked;
    }
    let (spec, chain) = sound_part(planner, looked.spec);
    let spec = pinning::name_versions(&spec, &planner.descriptors());
    let known = planner.claim_known(&spec, &chain).await;
    looked.problems.extend(known.problems.iter().cloned());
    looked.claimed = known.claimed.clone().unwrap_or(ClaimedCluster {
        spec: spec.clone(),
        ..ClaimedCluster::default()
    });
    let claimed = &looked.claimed;
    let Ok(cloud) = inventory::take_inventory(session, &claimed.spec).await else {
        looked.spec = claimed.spec.clone();
        looked.problems = without_repeats(looked.problems);
        return looked;
    };
    let (resolved, missing) = resolve_known(&claimed.spec, &cloud, &claimed.smallest);
    looked.problems.extend(with_sums(missing, claimed));
    let (chosen, flavors) = stand_in(resolved.clone(), &claimed.smallest, &cloud);
    let refused = planner
        .refuse_known(&chosen, &chain, &known, &flavors)
        .await;
    looked.problems.extend(refused);
    looked.problems = without_repeats(looked.problems);
    looked.spec = resolved;
    looked.flavors.clone_from(&flavors.groups);
    looked.flavors.retain(|_, flavor| flavor.name != STAND_IN);
    looked.cloud = Some(cloud);
    let descriptors = planner.descriptors();
    let awaited = descriptors
        .iter()
        .filter(|one| known.refused.contains(&one.name));
    looked.awaited = awaited.map(|one| one.title.clone()).collect();
    if !looked.awaited.is_empty() {
        forget_chosen_flavors(&mut looked);
    }
    looked
}

/// The smallest flavor that holds what is known is none that could be made: it is not told.
fn forget_chosen_flavors(looked: &mut LookedAtRequest) {
    let asked = &looked.claimed.spec.groups;
    for group in looked.spec.groups.iter_mut() {
        let named = asked
            .get(&group.name)
            .and_then(|asked| asked.flavor.as_ref());
        if named.is_none() {
            group.flavor = None;
            looked.flavors.remove(&group.name);
        }
    }
    looked.claimed.sums.clear();
}

/// With what it would take of the quotas, as far as that can be told while something is wrong.
async fn with_known_needs(
    planner: &dyn ClusterPlanner,
    mut looked: LookedAtRequest,
) -> LookedAtRequest {
    let Some(cloud) = &looked.cloud else {
        return looked;
    };
    let (spec, chain) = sound_part(planner, looked.spec.clone());
    let (chosen, flavors) = stand_in(spec, &looked.claimed.smallest, cloud);
    let plan = planner.plan(&chosen, &chain, &looked.claimed, &flavors);
    let (template, nodes) = match plan.await {
        Ok(planned) => (planned.template, chosen.node_ids()),
        Err(_) => (Value::Null, NodeIds::default()),
    };
    looked.needs = quota::count_needs(&template, &nodes, &flavors, &cloud.quotas);
    if flavors.groups.values().any(|one| one.name == STAND_IN) {
        quota::forget_sizes(&mut looked.needs);
    }
    looked
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
