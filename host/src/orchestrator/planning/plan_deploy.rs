//! From a request to what Heat is to be given: takes the inventory, resolves open names, has the
//! plugins plan, and checks quotas. Creates nothing; all problems come at once.

use crate::{
    cluster::ClusterSpec,
    openstack::CloudSession,
    orchestrator::{
        error::OrchestratorError,
        planning::{
            inventory::{self, CloudInventory},
            planner::{ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
            quota::{self, QuotaNeed},
            resolve,
        },
    },
};

/// What a plan must know of the cloud.
pub(crate) fn resolve_flavors(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
) -> Result<ResolvedFlavors, OrchestratorError> {
    Ok(ResolvedFlavors {
        flavors: cloud
            .flavors
            .iter()
            .map(|flavor| flavor.size.clone())
            .collect(),
        master: cloud.flavor(spec.master_flavor.as_deref())?,
        worker: cloud.flavor(spec.worker_flavor.as_deref())?,
        signal_transport: cloud.signal_transport.clone(),
    })
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
    let cloud = inventory::take_inventory(session, spec).await?;
    let spec =
        resolve::resolve_spec(spec, &cloud, &smallest).map_err(OrchestratorError::Invalid)?;
    let chosen = resolve_flavors(&spec, &cloud)?;
    let planned = planner
        .plan(&spec, chain, &chosen)
        .await
        .map_err(OrchestratorError::Invalid)?;
    let mut quotas = cloud.quotas;
    if quota::has_volumes(&planned.template) {
        if !session.has_volumes() {
            return Err(OrchestratorError::Invalid(vec![quota::no_volumes(
                session.region(),
            )]));
        }
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    let needs = quota::count_needs(&planned.template, &spec, &chosen, &quotas);
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
