//! From a request to what Heat is to be given: takes the inventory, resolves open names, has the
//! plugins plan, and checks quotas. Creates nothing; all problems come at once.

use crate::{
    cluster::{ClusterSpec, Flavor, GroupSpec},
    openstack::CloudSession,
    orchestrator::{
        error::OrchestratorError,
        planning::{
            image_check,
            inventory::{self, CloudInventory},
            pinning,
            planner::{ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
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

fn group_flavor(
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

/// A deploy that the cloud has room for.
pub(crate) struct PlannedDeploy {
    /// The spec with every open name filled in.
    pub(crate) spec: ClusterSpec,
    /// What Heat is to be given.
    pub(crate) planned: StackPlan,
    /// The flavors of its nodes.
    pub(crate) flavors: ResolvedFlavors,
    /// What it takes of the project's quotas.
    pub(crate) needs: Vec<QuotaNeed>,
}

/// Plans a deploy; all problems at once, and nothing is created.
pub(crate) async fn plan_deploy(
    planner: &dyn ClusterPlanner,
    session: &CloudSession,
    spec: &ClusterSpec,
    chain: &PluginChain,
) -> Result<PlannedDeploy, OrchestratorError> {
    let smallest = planner.smallest_resources(chain);
    let spec = pinning::name_versions(spec, &planner.descriptors());
    let java = image_check::java_needs(&spec, &planner.descriptors());
    let cloud = inventory::take_inventory(session, &spec).await?;
    let mut spec = resolve::resolve_spec(&spec, &cloud, &smallest, &java)
        .map_err(OrchestratorError::Invalid)?;
    let chosen = resolve_flavors(&spec, &cloud)?;
    let mut planned = planner
        .plan(&spec, chain, &chosen)
        .await
        .map_err(OrchestratorError::Invalid)?;
    let pins = pinning::pin_cluster(&spec, &cloud, &chosen, planned.plugins.clone());
    spec.pins = Some(Box::new(pins));
    pinning::pin_template(&mut planned.template, &spec);
    let mut quotas = cloud.quotas;
    if quota::has_volumes(&planned.template) {
        if !session.has_volumes() {
            return Err(OrchestratorError::Invalid(vec![quota::no_volumes(
                session.region()?,
            )]));
        }
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    let needs = quota::count_needs(&planned.template, &spec.node_ids(), &chosen, &quotas);
    let problems = quota::check_quotas(&needs);
    if problems.is_empty() {
        Ok(PlannedDeploy {
            spec,
            planned,
            flavors: chosen,
            needs,
        })
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}
