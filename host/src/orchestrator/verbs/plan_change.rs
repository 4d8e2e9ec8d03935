//! Plans an update of a running cluster: every step, checked with the plugins, the cloud and the
//! limits. Nothing is touched.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    planning::{
        image_check::check_java,
        inventory::{self, CloudInventory},
        new_nodes::{check_new_nodes, check_new_plugins},
        pinning,
        plan_deploy::flavors_of_cluster,
        planner::{ResolvedFlavors, StackPlan},
        quota::{self, QuotaNeed},
        resolve,
    },
    rollout::{
        change_plan,
        desired_state::{self, joining_nodes},
        distinct_plans::{ChangeEnds, DistinctPlans, RunningStack, with_known_versions},
        steps,
    },
    stack::{request_size, step_plan::ChangePlan},
};
use crate::{
    cluster::{
        ClusterChange, ClusterPins, ClusterSpec, GroupSpec, NodeGroups, NodeIds, RolloutStep,
        change::FileDigests,
        contract_bridge, former_records,
        group_value::attribute_of,
        limits::{MAX_GENERATION, SPARE_GENERATIONS},
        pins::GroupPins,
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
fn can_hear(
    record: &ClusterRecord,
    groups: &NodeGroups,
    steps: &[RolloutStep],
) -> Result<(), OrchestratorError> {
    let mut told = steps.iter().flat_map(|step| &step.told);
    let Some(node) = told.find(|node| record.observed.nodes_without_metadata.contains(node)) else {
        return Ok(());
    };
    let group = groups.find_node(node).map(|(group, _)| &group.name);
    let hint = match group.filter(|group| contract_bridge::may_grow(group)) {
        Some(group) => format!(
            "take it away ({}), or deploy a new cluster",
            attribute_of(group, "remove")
        ),
        None => "deploy a new cluster".to_owned(),
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
/// look at the cloud, and one plan for each distinct set of nodes. Of the cloud only what new nodes
/// need must still be there.
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
    let joining = joining_nodes(from, &to);
    inherit_images(from, &mut to);
    choose_for_new_groups(context, from, &mut to, &cloud).await?;
    let flavors = flavors_of_cluster(from, &to, &cloud)?;
    if !joining.is_empty() {
        reject(check_new_nodes(from, &to, &joining, &cloud, &flavors))?;
    }
    let pins = pins_of_new_nodes(from, &to, &cloud, &flavors);
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
    if !joining.is_empty() {
        reject(check_new_plugins(&to, &joining, &planner.descriptors()))?;
    }
    let planned = plans.plan(&to, &to.node_ids()).await?.planned;
    let growing = to.groups.iter().filter(|group| {
        let before = from.groups.get(&group.name);
        let before = before.map(|before| from.image_of(before));
        joining.contains_key(&group.name) && before != Some(to.image_of(group))
    });
    reject(check_java(&to, growing, &planned.javas, &cloud))?;
    let changed = desired_state::changed_settings(from, &to);
    desired_state::reject_replacements(&running.template, &planned.template, &changed)?;
    let (stack, sizes) = (&running.template, plans.flavors());
    let needs = count_joining(session, stack, &planned, sizes, &joining, cloud).await?;
    reject(quota::check_quotas(&needs))?;
    let mut installed = plans.installed(record, &planned);
    installed.retain(|group, _| to.groups.has_nodes(group));
    let steps = steps::plan_steps(
        from,
        &to,
        &record.notified.installed,
        &installed,
        record.notified.generation.saturating_add(1),
    );
    has_generations(record, &steps)?;
    can_hear(record, &from.groups, &steps)?;
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

/// A cluster of a former contract can never be changed, and one with components not yet.
pub(crate) fn refuse_components(from: &ClusterSpec) -> Result<(), OrchestratorError> {
    if let Some(why) = former_records::refuse_change(from) {
        return Err(OrchestratorError::NotApplicable(why));
    }
    let pins = from.pins.as_deref();
    if pins.is_some_and(|pins| !pins.placements.is_empty()) {
        let why = "a cluster with components cannot be changed yet; deploy a new one";
        return Err(OrchestratorError::NotApplicable(why.to_owned()));
    }
    Ok(())
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
        added: joining_nodes(from, &to),
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

/// The flavors that groups leave open which the change adds.
async fn choose_for_new_groups(
    context: &Context,
    from: &ClusterSpec,
    to: &mut ClusterSpec,
    cloud: &CloudInventory,
) -> Result<(), OrchestratorError> {
    let is_new = |group: &GroupSpec| {
        let before = from.groups.get(&group.name);
        group.flavor.is_none() && before.is_none_or(GroupSpec::is_empty)
    };
    let new = to.groups.iter().filter(|group| is_new(group));
    let new: Vec<String> = new.map(|group| group.name.clone()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let chain = context.planner.order_plugins(to);
    let chain = chain.map_err(OrchestratorError::Invalid)?;
    let claimed = context.planner.claim(to, &chain).await;
    let claimed = claimed.map_err(OrchestratorError::Invalid)?;
    for name in new {
        let need = claimed.smallest.get(&name);
        let flavor = resolve::choose_flavor(to, &name, cloud, need)?;
        if let Some(group) = to.groups.get_mut(&name) {
            group.flavor = flavor;
        }
    }
    Ok(())
}

/// A new group without an image of its own boots from what the others do, whatever the cloud calls
/// so by now.
fn inherit_images(from: &ClusterSpec, to: &mut ClusterSpec) {
    if from.image != to.image {
        return;
    }
    let Some(pins) = to.pins.as_deref_mut() else {
        return;
    };
    let mut inheriting = from
        .groups
        .with_nodes()
        .filter(|group| group.image.is_none());
    let shared = inheriting.find_map(|group| pins.groups.get(&group.name)?.image_id.clone());
    let is_new = |group: &&GroupSpec| !from.groups.has_nodes(&group.name) && group.image.is_none();
    for group in to.groups.with_nodes().filter(is_new) {
        let pinned = pins.groups.entry(group.name.clone()).or_default();
        pinned.image_id.clone_from(&shared);
    }
}

/// What the cluster is made of, and what new nodes are to be made of. What the cloud no longer
/// shows stays as it was.
fn pins_of_new_nodes(
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
    let mut pins = before.clone();
    for (group, found) in found.groups {
        let pinned = wanted.groups.get(&group);
        let id = |of: fn(&GroupPins) -> &Option<String>| {
            let pinned = pinned.and_then(|pinned| of(pinned).clone());
            pinned.or_else(|| of(&found).clone())
        };
        let new = GroupPins {
            flavor_id: id(|pins| &pins.flavor_id),
            image_id: id(|pins| &pins.image_id),
        };
        pins.groups.insert(group, new);
    }
    for (group, flavor) in &flavors.groups {
        let sizes = &mut pins.flavors.groups;
        sizes.entry(group.clone()).or_insert_with(|| flavor.clone());
    }
    // What a group that goes was made of binds nobody who comes after it.
    pins.groups.retain(|group, _| to.groups.has_nodes(group));
    let sizes = &mut pins.flavors.groups;
    sizes.retain(|group, _| to.groups.has_nodes(group));
    pins
}

/// What the joining nodes take of the quotas; what is there needs none any more, whoever made it.
async fn count_joining(
    session: &CloudSession,
    stack: &serde_json::Value,
    planned: &StackPlan,
    flavors: &ResolvedFlavors,
    joining: &NodeIds,
    cloud: CloudInventory,
) -> Result<Vec<QuotaNeed>, OrchestratorError> {
    let mut quotas = cloud.quotas;
    if !joining.is_empty() && quota::has_volumes(&planned.template) {
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    Ok(quota::count_added(
        stack,
        &planned.template,
        joining,
        flavors,
        &quotas,
    ))
}
