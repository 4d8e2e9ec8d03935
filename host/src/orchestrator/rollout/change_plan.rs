//! Plans a change once: one look at the cloud, one run of the plugins for each distinct set of
//! nodes and settings, every step rendered before the change is recorded. What was checked is
//! what is sent, since execution takes its templates from here. A host that starts anew plans again
//! on the recorded flavors, and sends no step that has become another one.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    planning::{
        inventory, plan_deploy,
        planner::{ResolvedFlavors, StackPlan},
    },
    rollout::{
        desired_state,
        distinct_plans::{
            ChangeEnds, DistinctPlan, DistinctPlans, RunningStack, with_known_versions,
        },
        steps,
    },
    stack::{
        stack_request,
        step_plan::{ChangePlan, StepPlan},
    },
    state::locked_cluster::LockedCluster,
};
use crate::{
    bundle::node_update::{self, NodeUpdate},
    cluster::{
        ClusterChange, ClusterSpec, GroupSpec, Problem, RolloutStep,
        change::{FileDigests, NodeFlavors},
    },
    openstack::CloudSession,
    store::{ClusterRecord, NodeNotifications},
    system::heavy_work::run_heavy,
};

/// Nodes in all templates of a change up to which rendering is not worth another thread: some
/// milliseconds.
const NODES_AT_ONCE: usize = 64;

/// Renders every step from the one that is under way on; what does not fit into a server's metadata
/// is refused.
pub(crate) async fn render_steps(
    plans: &mut DistinctPlans<'_>,
    record: &ClusterRecord,
    from: &ClusterSpec,
    change: &ClusterChange,
) -> Result<ChangePlan, OrchestratorError> {
    let mut planned = Vec::new();
    for (at, step) in change.steps.iter().enumerate().skip(change.at) {
        let base = if step.new_settings { &change.to } else { from };
        planned.push((at, plans.plan(base, &step.nodes).await?));
    }
    let steps = if is_heavy(change) {
        let (told, change) = (record.notified.clone(), change.clone());
        // What packs hundreds of nodes' files must not keep a thread that serves everyone.
        run_heavy(move || pack_steps(&told, &change, &planned))
            .await
            .map_err(|panic| OrchestratorError::internal(panic.to_string()))?
    } else {
        pack_steps(&record.notified, change, &planned)
    }?;
    Ok(ChangePlan {
        resolved: plans.flavors().of_nodes(),
        steps,
    })
}

fn is_heavy(change: &ClusterChange) -> bool {
    let steps = change.steps.iter().skip(change.at);
    let nodes: usize = steps
        .map(|step| step.nodes.values().map(Vec::len).sum::<usize>())
        .sum();
    nodes > NODES_AT_ONCE
}

fn pack_steps(
    notified: &NodeNotifications,
    change: &ClusterChange,
    planned: &[(usize, DistinctPlan)],
) -> Result<Vec<StepPlan>, OrchestratorError> {
    let mut told = notified.clone();
    let mut packed = Vec::new();
    for (at, made) in planned {
        let Some(step) = change.steps.get(*at) else {
            continue;
        };
        told = told.after_step(step);
        let news = node_updates(&notified.installed, change, step, &made.planned)?;
        let until = change.steps.get(..=*at).unwrap_or_default();
        let template = stack_request::render_template(&made.planned, &told, until, &news);
        packed.push(StepPlan::new(
            step.generation,
            &template,
            Arc::clone(&made.files),
            made.planned.parameters.clone(),
        ));
    }
    Ok(packed)
}

/// Enters into a change what its plan needs to be made again, and the digests that it is compared
/// by.
pub(crate) fn set_digests(change: &mut ClusterChange, plan: &ChangePlan) {
    change.resolved = Some(plan.resolved.clone());
    for step in &mut change.steps {
        if let Some(planned) = plan.step(step) {
            step.digest.get_or_insert_with(|| planned.digest.clone());
        }
    }
}

/// The plan of the change that the record speaks of: as this process made it, else made again, of
/// what is recorded; and the record, which keeps what was planned anew. Only a change that a former version began asks the cloud once more.
pub(crate) async fn find_or_make_plan(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    session: &CloudSession,
) -> Result<(Arc<ChangePlan>, Arc<ClusterRecord>), OrchestratorError> {
    let (Some(change), Some(from)) = (record.change(), &record.spec) else {
        return Err(OrchestratorError::internal(format!(
            "the record of `{}` holds no change",
            record.name
        )));
    };
    if let Some(plan) = context.change_plans.get(&record.id, change) {
        return Ok((plan, Arc::new(record.clone())));
    }
    let flavors = match &change.resolved {
        Some(resolved) => ResolvedFlavors::for_nodes(resolved),
        None => {
            let cloud = inventory::take_inventory(session, &change.to).await?;
            plan_deploy::flavors_of_cluster(from, &change.to, &cloud)?
        }
    };
    let planner = context.planner.as_ref();
    let running = RunningStack::fetch(session, record).await?;
    let from = &with_known_versions(planner, from, &running.template);
    let ends = ChangeEnds {
        from,
        to: &change.to,
        is_rollback: change.rolling_back_because.is_some(),
    };
    let mut plans =
        DistinctPlans::prepare(planner, session, record, ends, flavors, &running).await?;
    let plan = Arc::new(render_steps(&mut plans, record, from, change).await?);
    reject_other_plugins(change, &plan)?;
    let mut kept = Arc::new(record.clone());
    let mut ahead = change.steps.iter().skip(change.at);
    if ahead.any(|step| step.digest.is_none()) {
        // Nobody has checked these yet: the way back, or what a former version began.
        for template in plans.templates() {
            desired_state::reject_replacements(&running.template, template, &[])?;
        }
        let mut planned = change.clone();
        set_digests(&mut planned, &plan);
        let set = |record: &mut ClusterRecord| record.record_planned_steps(&planned);
        let registry = &context.state.registry;
        kept = registry.change_record(cluster, record, set).await?;
    }
    context.change_plans.insert(&record.id, Arc::clone(&plan));
    Ok((plan, kept))
}

/// A plugin that was replaced while the change was under way may make of it what nobody has
/// checked.
fn reject_other_plugins(
    change: &ClusterChange,
    plan: &ChangePlan,
) -> Result<(), OrchestratorError> {
    let is_other = |step: &&RolloutStep| {
        let planned = plan.step(step).map(|planned| &planned.digest);
        step.digest.is_some() && planned.is_some() && planned != step.digest.as_ref()
    };
    let Some(step) = change.steps.iter().find(is_other) else {
        return Ok(());
    };
    let message = format!(
        "the plugins are others than those that planned this change: `{}` would not be what was checked",
        step.title
    );
    let hint = "ask for the change again when it has been taken back";
    Err(OrchestratorError::Invalid(vec![Problem::new(
        "framework",
        message,
        hint,
    )]))
}

/// What the nodes of each group are notified of in this step.
fn node_updates(
    installed: &FileDigests,
    change: &ClusterChange,
    step: &RolloutStep,
    planned: &StackPlan,
) -> Result<BTreeMap<String, NodeUpdate>, OrchestratorError> {
    let mut all = BTreeMap::new();
    let is_told = |group: &&GroupSpec| step.told.iter().any(|node| group.id_of(node).is_some());
    for group in change.to.groups.iter().filter(is_told) {
        let Some(content) = planned.contents.get(&group.name) else {
            continue;
        };
        let paths = steps::changed_paths(installed, &change.installed, &group.name);
        let told = node_update::build_node_update(content, &paths, &step.leaving);
        let told = told.map_err(|error| {
            let hint = "change less at a time, or deploy a new cluster";
            OrchestratorError::Invalid(vec![Problem::new("attributes", error.to_string(), hint)])
        })?;
        all.insert(group.name.clone(), told);
    }
    Ok(all)
}

impl ResolvedFlavors {
    /// What a record keeps of them.
    fn of_nodes(&self) -> NodeFlavors {
        NodeFlavors {
            groups: self.groups.clone(),
            access: self.access.clone(),
        }
    }

    /// What a plan needs, from what a record kept. The other flavors of the cloud only help to word
    /// a refusal.
    pub(crate) fn for_nodes(kept: &NodeFlavors) -> Self {
        Self {
            flavors: kept.groups.values().cloned().collect(),
            groups: kept.groups.clone(),
            signal_transport: inventory::SIGNAL_TRANSPORT.to_owned(),
            access: kept.access.clone(),
        }
    }
}
