//! Plans an update of a running cluster: every step, checked with the plugins, the cloud and the
//! limits. Nothing is touched.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    planning::{
        cluster_plan::nodes::MASTER,
        image_check::java_needs,
        inventory::{self, CloudInventory},
        new_nodes::{check_new_plugins, check_new_workers},
        pinning,
        plan_deploy::flavors_of_cluster,
        planner::{ResolvedFlavors, StackPlan},
        quota::{self, QuotaNeed},
    },
    rollout::{
        change_plan,
        desired_state::{self, joining_workers},
        distinct_plans::{ChangeEnds, DistinctPlans, RunningStack, with_known_versions},
        steps,
    },
    stack::{request_size, step_plan::ChangePlan},
};
use crate::{
    cluster::{
        ClusterChange, ClusterPins, ClusterSpec, RolloutStep, attributes,
        change::FileDigests,
        limits::{MAX_GENERATION, SPARE_GENERATIONS},
    },
    openstack::CloudSession,
    store::ClusterRecord,
};

/// Whether there are numbers for these steps, and for those back.
fn has_generations(record: &ClusterRecord, steps: &[RolloutStep]) -> Result<(), OrchestratorError> {
    let last = steps.iter().map(|step| step.generation).max();
    if last.is_none_or(|last| last <= MAX_GENERATION - SPARE_GENERATIONS) {
        return Ok(());
    }
    Err(OrchestratorError::NotApplicable(format!(
        "`{}` has been changed as often as a cluster can be; deploy a new one",
        record.name
    )))
}

/// Whether everybody who has to be notified can be.
fn can_hear(record: &ClusterRecord, steps: &[RolloutStep]) -> Result<(), OrchestratorError> {
    let mut told = steps.iter().flat_map(|step| &step.told);
    let Some(node) = told.find(|node| record.observed.nodes_without_metadata.contains(node)) else {
        return Ok(());
    };
    let hint = if node.as_str() == MASTER {
        "deploy a new cluster"
    } else {
        "take it away (workers.remove), or deploy a new cluster"
    };
    Err(OrchestratorError::NotApplicable(format!(
        "{node} sees no metadata service, the only way to tell a running node of a change; {hint}"
    )))
}

/// A change that is planned and checked, and what it was checked against.
pub(crate) struct PlannedChange {
    pub(crate) change: ClusterChange,
    pub(crate) plan: ChangePlan,
    /// The template that the stack has now.
    pub(crate) stack: serde_json::Value,
    /// What is added takes so much of the project's quotas.
    pub(crate) needs: Vec<QuotaNeed>,
}

/// Plans every step, checks all with the plugins, the cloud and the limits; nothing is touched. One
/// look at the cloud, and one plan for each distinct set of workers. Of the cloud only what new
/// workers need must still be there.
pub(crate) async fn plan_change(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    from: &ClusterSpec,
    to: ClusterSpec,
    attributes: BTreeMap<String, String>,
) -> Result<PlannedChange, OrchestratorError> {
    let session = &caller.session;
    let planner = context.planner.as_ref();
    let cloud = inventory::take_inventory(session, &to).await?;
    let running = RunningStack::fetch(session, record).await?;
    let from = &with_known_versions(planner, from, &running.template);
    let mut to = with_known_versions(planner, &to, &running.template);
    let flavors = flavors_of_cluster(from, &cloud)?;
    let is_growing = joining_workers(from, &to).next().is_some();
    if is_growing {
        let java = java_needs(&to, &planner.descriptors());
        reject(check_new_workers(from, &to, &cloud, &flavors, &java))?;
    }
    let pins = pins_of_new_workers(from, &to, &cloud, &flavors);
    to.pins = Some(Box::new(pins.clone()));
    let ends = ChangeEnds {
        from,
        to: &to,
        is_rollback: false,
    };
    let mut plans =
        DistinctPlans::prepare(planner, session, record, ends, flavors, &running).await?;
    if plans.explains(record) {
        to = pinning::name_versions(&to, &planner.descriptors());
    }
    if is_growing {
        reject(check_new_plugins(&to, &planner.descriptors()))?;
    }
    let planned = plans.plan(&to, to.ids()).await?.planned;
    let changed = attributes::changed(from, &to);
    desired_state::reject_replacements(&running.template, &planned.template, &changed)?;
    let (stack, sizes) = (&running.template, plans.flavors());
    let needs = count_joining(session, stack, &planned, sizes, from, &to, cloud).await?;
    reject(quota::check_quotas(&needs))?;
    let installed = plans.installed(record, &planned);
    let steps = steps::plan_steps(
        from,
        &to,
        &record.notified.installed,
        &installed,
        record.notified.generation.saturating_add(1),
    );
    has_generations(record, &steps)?;
    can_hear(record, &steps)?;
    to.pins = Some(Box::new(plans.pins_after(&to, pins, &planned)));
    let mut change = ClusterChange {
        endpoints: plans.endpoints(record, &planned),
        ..new_change(attributes, from, to, installed, steps)
    };
    let plan = change_plan::render_steps(&mut plans, record, from, &change).await?;
    for template in plans.templates() {
        desired_state::reject_replacements(&running.template, template, &changed)?;
    }
    change_plan::set_digests(&mut change, &plan);
    reject(request_size::check_change(record, &change, &plan))?;
    Ok(PlannedChange {
        change,
        plan,
        stack: running.template,
        needs,
    })
}

/// A change that has not begun.
fn new_change(
    attributes: BTreeMap<String, String>,
    from: &ClusterSpec,
    to: ClusterSpec,
    installed: FileDigests,
    steps: Vec<RolloutStep>,
) -> ClusterChange {
    ClusterChange {
        attributes,
        installed,
        endpoints: BTreeMap::new(),
        steps,
        at: 0,
        sent_s: None,
        notified_nodes: Vec::new(),
        added: joining_workers(from, &to).collect(),
        to,
        rolling_back_because: None,
        resolved: None,
    }
}

fn reject(problems: Vec<crate::cluster::Problem>) -> Result<(), OrchestratorError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// What the cluster is made of, and what new workers are to be made of. What the cloud no longer
/// shows stays as it was.
fn pins_of_new_workers(
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
) -> ClusterPins {
    let found = pinning::pin_cluster(to, cloud, flavors, BTreeMap::new());
    let Some(before) = from.pins.as_deref() else {
        return ClusterPins {
            host_version: String::new(),
            ..found
        };
    };
    let wanted = to.pins.as_deref().unwrap_or(before);
    ClusterPins {
        image_id: wanted.image_id.clone().or(found.image_id),
        worker_flavor_id: wanted.worker_flavor_id.clone().or(found.worker_flavor_id),
        ..before.clone()
    }
}

/// What the joining workers take of the quotas; what is there needs none any more, whoever made it.
async fn count_joining(
    session: &CloudSession,
    stack: &serde_json::Value,
    planned: &StackPlan,
    flavors: &ResolvedFlavors,
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: CloudInventory,
) -> Result<Vec<QuotaNeed>, OrchestratorError> {
    let there = from.ids();
    let joining = to.ids().iter().filter(|id| !there.contains(id)).count();
    let joining = u32::try_from(joining).unwrap_or(u32::MAX);
    let mut quotas = cloud.quotas;
    if joining > 0 && quota::has_volumes(&planned.template) {
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    Ok(quota::count_added(
        stack,
        &planned.template,
        joining,
        flavors,
        &quotas,
        to,
    ))
}
