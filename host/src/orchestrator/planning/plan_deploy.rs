//! From a request to what Heat is to be given: takes the inventory, resolves open names, has the
//! plugins plan, and checks quotas. Creates nothing; all problems come at once.

use std::collections::BTreeMap;

use crate::{
    cluster::{
        ClusterPins, ClusterSpec, Flavor, GroupSpec, IdleLimit, Problem, group_value::attribute_of,
        idle_limit::nobody_tells,
    },
    openstack::CloudSession,
    orchestrator::{
        error::OrchestratorError,
        planning::{
            image_check,
            inventory::{self, CloudInventory},
            pinning,
            planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
            quota::{self, QuotaNeed},
            resolve,
        },
    },
};

/// What a plan must know of the cloud. A flavor goes by the name that the spec has.
pub(crate) fn resolve_flavors(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
) -> Result<ResolvedFlavors, OrchestratorError> {
    let groups = spec.groups.iter().filter(|group| !group.is_empty());
    let groups: Result<_, OrchestratorError> = groups
        .map(|group| Ok((group.name.clone(), group_flavor(spec, group, cloud)?)))
        .collect();
    Ok(ResolvedFlavors {
        flavors: all_flavors(cloud),
        groups: groups?,
        signal_transport: cloud.signal_transport.clone(),
        access: cloud.access.clone(),
    })
}

/// The flavor of a group, by the name that the spec has.
pub(crate) fn group_flavor(
    spec: &ClusterSpec,
    group: &GroupSpec,
    cloud: &CloudInventory,
) -> Result<Flavor, OrchestratorError> {
    let size = cloud.flavor(spec.flavor_reference(group))?;
    let name = group.flavor.clone().unwrap_or_else(|| size.name.clone());
    // The disk that the node has.
    let disk_gib = spec.root_volume_of(group).unwrap_or(size.disk_gib);
    Ok(Flavor {
        name,
        disk_gib,
        ..size
    })
}

/// The flavors of a cluster that is there: as they were when it was made, where that is recorded;
/// those of groups that a change adds as the cloud has them.
pub(crate) fn flavors_of_cluster(
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: &CloudInventory,
) -> Result<ResolvedFlavors, OrchestratorError> {
    let mut flavors = match from.pins.as_deref() {
        Some(pins) => ResolvedFlavors {
            flavors: all_flavors(cloud),
            // The cloud's authority and addresses as they are now, for its new nodes.
            access: cloud.access.clone(),
            ..ResolvedFlavors::for_nodes(&pins.flavors)
        },
        None => resolve_flavors(from, cloud)?,
    };
    for group in to.groups.iter().filter(|group| !group.is_empty()) {
        if !flavors.groups.contains_key(&group.name) {
            let flavor = group_flavor(to, group, cloud)?;
            flavors.groups.insert(group.name.clone(), flavor);
        }
    }
    Ok(flavors)
}

fn all_flavors(cloud: &CloudInventory) -> Vec<Flavor> {
    let flavors = cloud.flavors.iter();
    flavors.map(|flavor| flavor.size.clone()).collect()
}

/// A deploy that is planned.
pub(crate) struct PlannedDeploy {
    /// The spec with every open name filled in.
    pub(crate) spec: ClusterSpec,
    /// What Heat is to be given.
    pub(crate) planned: StackPlan,
    /// The flavors of its nodes.
    pub(crate) flavors: ResolvedFlavors,
    /// What it takes of the project's quotas.
    pub(crate) needs: Vec<QuotaNeed>,
    /// What the plugins claim of it.
    pub(crate) claimed: ClaimedCluster,
    /// What it was planned on.
    pub(crate) cloud: CloudInventory,
}

impl PlannedDeploy {
    /// The same, where the project's quotas suffice.
    pub(crate) fn within_quotas(self) -> Result<Self, OrchestratorError> {
        let problems = quota::check_quotas(&self.needs);
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(OrchestratorError::Invalid(problems))
        }
    }
}

/// With what makes the nodes of a group so large, where what they are made of is too small.
pub(crate) fn with_sums(mut problems: Vec<Problem>, claimed: &ClaimedCluster) -> Vec<Problem> {
    for (group, sum) in &claimed.sums {
        let is_size = |path: &str| {
            let sizes = ["flavor", "root_volume_gib"];
            sizes.iter().any(|size| attribute_of(group, size) == path)
        };
        for problem in problems.iter_mut().filter(|problem| is_size(&problem.path)) {
            problem.message = format!("{}; {sum}", problem.message);
        }
    }
    problems
}

/// Records what the chain's plugins have claimed, and where.
pub(crate) fn pin_claims(pins: &mut ClusterPins, chain: &PluginChain, claimed: &ClaimedCluster) {
    pins.placements.clone_from(&claimed.placements);
    (pins.needs, pins.extensions) = (BTreeMap::new(), BTreeMap::new());
    for (plugin, claims) in chain.plugins.iter().zip(&claimed.claims) {
        pins.needs.insert(plugin.clone(), claims.needs.clone());
        if !claims.extensions.is_empty() {
            let added = claims.extensions.clone();
            pins.extensions.insert(plugin.clone(), added);
        }
    }
}

/// Plans a deploy that the cloud has room for; problems of one kind at once, and nothing is created.
pub(crate) async fn plan_deploy(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    chain: &PluginChain,
) -> Result<PlannedDeploy, OrchestratorError> {
    let made = plan_beyond_quotas(planner, session, spec, chain).await?;
    made.within_quotas()
}

/// The same, whatever the project has left of its quotas.
pub(crate) async fn plan_beyond_quotas(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    chain: &PluginChain,
) -> Result<PlannedDeploy, OrchestratorError> {
    let spec = pinning::name_versions(spec, &planner.descriptors());
    let claimed = planner.claim(&spec, chain).await;
    let wanted = claimed.as_ref().map_or(&spec, |claimed| &claimed.spec);
    let mut cloud = inventory::take_inventory(session, wanted).await?;
    let claimed = claimed.map_err(|mut problems| {
        // What the cloud has not is told with it.
        let missing = resolve::resolve_spec(&spec, &cloud, &BTreeMap::new()).err();
        problems.extend(missing.into_iter().flatten());
        OrchestratorError::Invalid(problems)
    })?;
    let mut spec = resolve::resolve_spec(&claimed.spec, &cloud, &claimed.smallest)
        .map_err(|problems| OrchestratorError::Invalid(with_sums(problems, &claimed)))?;
    let chosen = resolve_flavors(&spec, &cloud)?;
    let mut planned = planner
        .plan(&spec, chain, &claimed, &chosen)
        .await
        .map_err(OrchestratorError::Invalid)?;
    if planned.job_tellers.is_empty() {
        match spec.idle {
            Some(IdleLimit::After(_)) => {
                return Err(OrchestratorError::Invalid(vec![nobody_tells()]));
            }
            Some(IdleLimit::Never | IdleLimit::WhereTold(_)) | None => spec.idle = None,
        }
    }
    let lacking = image_check::check_java(&spec, spec.groups.with_nodes(), &planned.javas, &cloud);
    if !lacking.is_empty() {
        return Err(OrchestratorError::Invalid(lacking));
    }
    let mut pins = pinning::pin_cluster(&spec, &cloud, &chosen, planned.plugins.clone());
    pin_claims(&mut pins, chain, &claimed);
    pins.grants.clone_from(&planned.grants);
    pins.job_tellers.clone_from(&planned.job_tellers);
    spec.pins = Some(Box::new(pins));
    pinning::pin_template(&mut planned.template, &spec);
    if quota::has_volumes(&planned.template) {
        if !session.has_volumes() {
            return Err(OrchestratorError::Invalid(vec![quota::no_volumes(
                session.region()?,
            )]));
        }
        let quotas = &mut cloud.quotas;
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    let needs = quota::count_needs(&planned.template, &spec.node_ids(), &chosen, &cloud.quotas);
    Ok(PlannedDeploy {
        spec,
        planned,
        flavors: chosen,
        needs,
        claimed,
        cloud,
    })
}
