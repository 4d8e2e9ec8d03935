//! Plans an update of a running cluster: every step, checked with the plugins, the cloud and the
//! limits. Nothing is touched.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, Context, ProjectIdentity},
    error::OrchestratorError,
    planning::{
        image_check::check_java,
        inventory::{self, CloudInventory},
        new_nodes::{check_new_nodes, check_new_plugins},
        pinning,
        plan_deploy::{flavors_of_cluster, pin_claims},
        planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
        quota::{self, QuotaNeed},
        resolve,
    },
    rollout::{
        change_plan,
        desired_state::{self, ChangeTarget, joining_nodes},
        distinct_plans::DistinctPlans,
        nodes_at_rest::ChangeNodes,
        plan_sources::without_members,
        rested_clusters::ChangeEnds,
        running_stack::RunningStack,
        steps,
    },
    stack::{request_size, step_plan::ChangePlan},
};
use crate::{
    cluster::{
        ClusterChange, ClusterPins, ClusterRest, ClusterSpec, GroupSpec, NodeGroups, NodeIds,
        Problem, RolloutStep,
        change::FileDigests,
        default_groups::may_grow,
        former_records::refuse_change,
        framework::NodeResources,
        group_value::attribute_of,
        limits::{MAX_GENERATION, SPARE_GENERATIONS},
        pins::GroupPins,
    },
    openstack::CloudSession,
    store::ClusterRecord,
};

/// Whether these steps can be taken.
fn check_steps(
    record: &ClusterRecord,
    groups: &NodeGroups,
    steps: &[RolloutStep],
) -> Result<(), OrchestratorError> {
    has_generations(record, steps)?;
    can_hear(record, groups, steps)
}

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
    let hint = match group.filter(|group| may_grow(group)) {
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
    /// Its nodes, and what stands on them.
    pub(crate) nodes: ChangeNodes,
    /// The template that the stack has now.
    pub(crate) stack: serde_json::Value,
    /// What is added takes so much of the project's quotas.
    pub(crate) needs: Vec<QuotaNeed>,
}

/// Plans every step, checks all with the plugins, the cloud and the limits; nothing is touched. One
/// look at the cloud, one claim of the cluster that is to be, and one plan for each distinct cluster
/// at rest. Of the cloud only what new nodes need must still be there.
///
/// # Errors
/// All that is in its way, the project's quotas too.
pub(crate) async fn plan_change(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    target: ChangeTarget,
) -> Result<PlannedChange, OrchestratorError> {
    let planned = plan_beyond_quotas(context, caller, record, target).await?;
    reject(quota::check_quotas(&planned.needs))?;
    Ok(planned)
}

/// The same, whatever the project has left of its quotas.
pub(crate) async fn plan_beyond_quotas(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    target: ChangeTarget,
) -> Result<PlannedChange, OrchestratorError> {
    let (from, to) = (&target.from, target.to);
    let session = &caller.session;
    let planner = context.planner.as_ref();
    if let Some(why) = refuse_change(from) {
        return Err(OrchestratorError::NotApplicable(why));
    }
    let mut claimed = claim_change(planner, from, to).await?;
    let cloud = inventory::take_inventory(session, &claimed.to).await?;
    let running = RunningStack::fetch(session, record).await?;
    let joining = joining_nodes(from, &claimed.to);
    inherit_images(from, &mut claimed.to);
    choose_for_new_groups((context, record), from, &mut claimed, &cloud)?;
    let ClaimedChange {
        mut to,
        claims,
        refused,
        ..
    } = claimed;
    let flavors = flavors_of_cluster(from, &to, &cloud)?;
    if !joining.is_empty() {
        reject(check_new_nodes(from, &to, &joining, &cloud, &flavors))?;
    }
    // What the plugins were asked with is recorded at the end.
    let pins = pin_change(from, &to, &cloud, &flavors, claims);
    to.pins = Some(Box::new(pins.clone()));
    let first = record.notified.generation.saturating_add(1);
    let ends = ChangeEnds {
        from,
        to: &to,
        is_rollback: false,
        change: first,
        upgrade: target.is_upgrade.then_some(first),
        refused: &refused,
    };
    let mut plans =
        DistinctPlans::prepare(planner, session, record, ends, flavors, &running).await?;
    if plans.explains(record) {
        to = pinning::name_versions(&to, &planner.descriptors());
    }
    if !joining.is_empty() {
        reject(check_new_plugins(&to, &joining, &planner.descriptors()))?;
    }
    let planned = plan_rests(&mut plans, record).await?;
    let images = groups_on_other_images(from, &to, &joining);
    reject(check_java(&to, images, &planned.javas, &cloud))?;
    reject_replacing_plans(&plans, &running, from, &to)?;
    let (stack, sizes) = (&running.template, plans.flavors());
    let needs = count_joining(session, stack, &planned, sizes, &joining, cloud).await?;
    let installed = plans.installed(ClusterRest::Done, &planned);
    let nodes = plans.change_nodes(record);
    let steps = steps::plan_steps(&nodes, first);
    check_steps(record, &from.groups, &steps)?;
    to.pins = Some(Box::new(plans.pins_after(&to, pins, &planned)));
    let mut change = ClusterChange {
        endpoints: plans.endpoints(record, &planned),
        upgrade: nodes.upgrade,
        replaced: plans.replaced(&planned),
        ..new_change(target.attributes, from, to, installed, steps)
    };
    let plan = change_plan::render_steps(&mut plans, record, &change).await?;
    change_plan::set_digests(&mut change, &plan);
    reject(request_size::check_change(record, &change, &plan))?;
    Ok(PlannedChange {
        change,
        plan,
        nodes,
        stack: running.template,
        needs,
    })
}

/// Groups that get nodes from another image than they had.
fn groups_on_other_images<'a>(
    from: &'a ClusterSpec,
    to: &'a ClusterSpec,
    joining: &'a NodeIds,
) -> impl Iterator<Item = &'a GroupSpec> {
    to.groups.iter().filter(|group| {
        let before = from.groups.get(&group.name);
        let before = before.map(|before| from.image_of(before));
        joining.contains_key(&group.name) && before != Some(to.image_of(group))
    })
}

/// What the cluster is made of by the change.
fn pin_change(
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
    claims: Option<(PluginChain, ClaimedCluster)>,
) -> ClusterPins {
    let mut pins = pins_of_new_nodes(from, to, cloud, flavors);
    let (chain, claimed) = claims.unwrap_or_else(|| kept_claims(&pins, to));
    pin_claims(&mut pins, &chain, &claimed);
    pins
}

/// No plan makes anything anew that stays.
fn reject_replacing_plans(
    plans: &DistinctPlans<'_>,
    running: &RunningStack,
    from: &ClusterSpec,
    to: &ClusterSpec,
) -> Result<(), OrchestratorError> {
    let changed = desired_state::changed_settings(from, to);
    let mut templates = plans.templates();
    templates.try_for_each(|template| {
        desired_state::reject_replacements(&running.template, template, &changed)
    })
}

/// Plans each cluster at rest that the change goes by.
async fn plan_rests(
    plans: &mut DistinctPlans<'_>,
    record: &ClusterRecord,
) -> Result<Arc<StackPlan>, OrchestratorError> {
    for rest in ClusterRest::ALL {
        if plans.is_open(rest, record) {
            plans.plan(rest).await?;
        }
    }
    Ok(plans.plan(ClusterRest::Done).await?.planned)
}

/// What is to be, and what the plugins claim of it.
struct ClaimedChange {
    to: ClusterSpec,
    /// The smallest node of each group.
    smallest: BTreeMap<String, NodeResources>,
    /// Of which plugins, in their order; none where they cannot say.
    claims: Option<(PluginChain, ClaimedCluster)>,
    /// Why they cannot.
    refused: Vec<Problem>,
}

/// Asks the plugins once, of the cluster that is to be. What they refuse is told at once, unless they
/// may be others by now and nodes are to go that can go without them.
async fn claim_change(
    planner: &dyn ClusterPlanner,
    from: &ClusterSpec,
    to: ClusterSpec,
) -> Result<ClaimedChange, OrchestratorError> {
    let claimed = match planner.order_plugins(&to) {
        Ok(chain) => planner
            .claim(&to, &chain)
            .await
            .map(|claimed| (chain, claimed)),
        Err(problems) => Err(problems),
    };
    match claimed {
        Ok((chain, claimed)) => Ok(ClaimedChange {
            to: claimed.spec.clone(),
            smallest: claimed.smallest.clone(),
            claims: Some((chain, claimed)),
            refused: Vec::new(),
        }),
        Err(refused) if desired_state::only_removes(from, &to) => Ok(ClaimedChange {
            to,
            smallest: BTreeMap::new(),
            claims: None,
            refused,
        }),
        Err(problems) => Err(OrchestratorError::Invalid(problems)),
    }
}

/// What was claimed before, on the nodes that are left.
fn kept_claims(pins: &ClusterPins, to: &ClusterSpec) -> (PluginChain, ClaimedCluster) {
    let plugins: Vec<String> = pins.needs.keys().cloned().collect();
    let claimed = ClaimedCluster {
        placements: without_members(&pins.placements, to),
        claims: plugins
            .iter()
            .map(|plugin| pins.claims_of(plugin))
            .collect(),
        ..ClaimedCluster::default()
    };
    (PluginChain { plugins }, claimed)
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
        upgrade: None,
        replaced: BTreeMap::new(),
    }
}

fn reject(problems: Vec<crate::cluster::Problem>) -> Result<(), OrchestratorError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// The flavors that groups leave open which the change adds; and whether the operator allows what it
/// adds.
fn choose_for_new_groups(
    (context, record): (&Context, &ClusterRecord),
    from: &ClusterSpec,
    claimed: &mut ClaimedChange,
    cloud: &CloudInventory,
) -> Result<(), OrchestratorError> {
    let policy = context.policy_of(ProjectIdentity::of_record(record));
    let to = &mut claimed.to;
    to.allowed_flavors.clone_from(&policy.flavors);
    let is_new = |group: &GroupSpec| {
        let before = from.groups.get(&group.name);
        group.flavor.is_none() && !group.is_empty() && before.is_none_or(GroupSpec::is_empty)
    };
    let new = to.groups.iter().filter(|group| is_new(group));
    let new: Vec<String> = new.map(|group| group.name.clone()).collect();
    for name in new {
        let need = claimed.smallest.get(&name);
        let flavor = resolve::choose_flavor(to, &name, cloud, need)?;
        if let Some(group) = to.groups.get_mut(&name) {
            group.flavor = flavor;
        }
    }
    to.allowed_flavors = None;
    let called = |reference: &str| match cloud.find_flavor(reference) {
        Some(found) => vec![found.id.clone(), found.size.name.clone()],
        None => vec![reference.to_owned()],
    };
    reject(policy.check_change(from, to, called))
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
