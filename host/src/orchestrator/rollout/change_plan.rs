//! Plans a change once: one look at the cloud, one run of the plugins for each distinct set of
//! nodes and settings, every step rendered before the change is recorded. What was checked is
//! what is sent, since execution takes its templates from here. A host that starts anew plans again
//! on the recorded flavors, and sends no step that has become another one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    planning::{
        inventory, plan_deploy,
        planner::{ResolvedFlavors, StackPlan},
        template_overlay::without_gone_nodes,
    },
    rollout::{
        desired_state,
        distinct_plans::DistinctPlans,
        nodes_at_rest::{ChangeNodes, NodesAtRest},
        plan_sources::DistinctPlan,
        rested_clusters::ChangeEnds,
        running_stack::RunningStack,
        steps::rest_before,
    },
    stack::{
        stack_request::{self, NodeNews},
        step_plan::{ChangePlan, StepPlan},
    },
    state::locked_cluster::LockedCluster,
};
use crate::{
    bundle::{
        member_news::MemberLines,
        node_script::NodeContent,
        node_update::{self, NodeUpdate, UpdateTooLong},
        node_upgrade,
    },
    cluster::{
        ClusterChange, ClusterRest, MemberNews, NodeGroups, Problem, RolloutStep,
        change::NodeFlavors, component::members_beyond, former_records::refuse_change,
        node_group::nodes_beyond,
    },
    openstack::CloudSession,
    store::{ClusterRecord, NodeNotifications},
    system::heavy_work::run_heavy,
};

/// Hexadecimal digits of an update's digest in the name of what holds it.
const UPDATE_NAME_CHARS: usize = 8;
/// Nodes in all templates of a change up to which rendering is not worth another thread: some
/// milliseconds.
const NODES_AT_ONCE: usize = 64;

/// Renders every step from the one that is under way on; what does not fit into a server's metadata
/// is refused.
pub(crate) async fn render_steps(
    plans: &mut DistinctPlans<'_>,
    record: &ClusterRecord,
    change: &ClusterChange,
) -> Result<ChangePlan, OrchestratorError> {
    let mut made = BTreeMap::new();
    for rest in rests_of(change) {
        made.insert(rest, plans.plan(rest).await?);
    }
    if change.rolling_back_because.is_some() {
        // What nodes may have by now. Where that cannot be told any more they get all of it.
        for rest in ClusterRest::ALL {
            if plans.is_open(rest, record)
                && let Err(error) = plans.plan(rest).await
            {
                tracing::warn!(cluster.id = %record.id, "cannot tell what nodes of `{}` have by now: {error}", record.name);
            }
        }
    }
    let resolved = plans.flavors().of_nodes();
    let packing = StepPacking {
        nodes: plans.change_nodes(record),
        groups: change.to.groups.clone(),
        made,
        notified: record.notified.clone(),
        change: change.clone(),
    };
    let steps = if is_heavy(change) {
        // What packs hundreds of nodes' files must not keep a thread that serves everyone.
        run_heavy(move || packing.pack())
            .await
            .map_err(|panic| OrchestratorError::internal(panic.to_string()))?
    } else {
        packing.pack()
    }?;
    Ok(ChangePlan { resolved, steps })
}

/// The clusters at rest whose plans its steps need from here on.
fn rests_of(change: &ClusterChange) -> BTreeSet<ClusterRest> {
    let ahead = change.steps.iter().skip(change.at);
    ahead.flat_map(|step| [step.stack, step.files]).collect()
}

fn is_heavy(change: &ClusterChange) -> bool {
    let steps = change.steps.iter().skip(change.at);
    let nodes: usize = steps
        .map(|step| step.nodes.values().map(Vec::len).sum::<usize>())
        .sum();
    nodes > NODES_AT_ONCE
}

/// All that the steps of a change are rendered of.
struct StepPacking {
    nodes: ChangeNodes,
    groups: NodeGroups,
    made: BTreeMap<ClusterRest, DistinctPlan>,
    notified: NodeNotifications,
    change: ClusterChange,
}

/// What nodes are told in a step.
#[derive(Default)]
struct StepNews {
    /// By the name of what holds it.
    updates: BTreeMap<String, NodeUpdate>,
    /// Which of them each node is told.
    of_nodes: BTreeMap<String, String>,
}

impl StepPacking {
    fn pack(self) -> Result<Vec<StepPlan>, OrchestratorError> {
        let steps = &self.change.steps;
        let mut news = Vec::new();
        for step in steps {
            news.push(self.step_news(step)?);
        }
        let mut told = self.notified.clone();
        let mut packed = Vec::new();
        for (at, step) in steps.iter().enumerate().skip(self.change.at) {
            let (Some(made), Some(own)) = (self.made.get(&step.stack), news.get(at)) else {
                continue;
            };
            told = told.after_step(step);
            let mut planned = Arc::clone(&made.planned);
            let there = &self.nodes.at(step.stack).ids;
            if !nodes_beyond(there, &step.nodes).is_empty() {
                // On the way back, without nodes that have never come up.
                let template = without_gone_nodes(&planned.template, &self.groups, &step.nodes);
                planned = Arc::new(StackPlan {
                    template,
                    ..StackPlan::clone(&planned)
                });
            }
            let until = steps.get(..=at).unwrap_or_default();
            // Those that were told the same in the turns before keep it, and so does who may be dead
            // and come back one day.
            let before = || steps.iter().zip(&news).take(at + 1).rev();
            let series = before().take_while(|(other, _)| is_same_series(other, step));
            let dead = before().filter(|(other, _)| other.may_be_dead);
            let (series, dead): (Vec<_>, Vec<_>) = (series.collect(), dead.collect());
            let mut updates = own.updates.clone();
            for (_, one) in &dead {
                updates.extend(one.updates.clone());
            }
            let of_nodes = dead
                .iter()
                .chain(&series)
                .flat_map(|(_, one)| &one.of_nodes);
            let told_by = NodeNews {
                updates: &updates,
                of_nodes: of_nodes
                    .map(|(node, name)| (node.as_str(), name.as_str()))
                    .collect(),
            };
            let template = stack_request::render_template(&planned, &told, until, &told_by);
            packed.push(StepPlan::new(
                step.generation,
                &template,
                Arc::clone(&made.files),
                made.planned.parameters.clone(),
            ));
        }
        Ok(packed)
    }

    /// What the nodes of each class are told in this step.
    fn step_news(&self, step: &RolloutStep) -> Result<StepNews, OrchestratorError> {
        let mut all = StepNews::default();
        let Some(made) = self.made.get(&step.files) else {
            return Ok(all);
        };
        let lines = self.member_lines(step);
        let mut by_content: BTreeMap<(&str, Vec<String>), String> = BTreeMap::new();
        for node in &step.told {
            let class = self.nodes.at(step.files).class_of(node);
            let Some(content) = made.planned.contents.get(class) else {
                continue;
            };
            let paths = self.new_paths(step, node);
            let name = match by_content.get(&(class, paths.clone())) {
                Some(name) => name.clone(),
                None => {
                    let update = self
                        .build_update(step, content, &paths, &lines)
                        .map_err(|error| too_long(&error))?;
                    let name = update_name(class, &update);
                    all.updates.insert(name.clone(), update);
                    by_content.insert((class, paths), name.clone());
                    name
                }
            };
            all.of_nodes.insert(node.clone(), name);
        }
        Ok(all)
    }

    /// What nodes with this content are told in this step.
    fn build_update(
        &self,
        step: &RolloutStep,
        content: &NodeContent,
        paths: &[String],
        lines: &MemberLines,
    ) -> Result<NodeUpdate, UpdateTooLong> {
        let replaces = step.components.is_empty();
        let is_back = self.change.rolling_back_because.is_some();
        match (self.change.upgrade.filter(|_| replaces), step.files) {
            (Some(upgrade), ClusterRest::Before) if is_back => {
                node_upgrade::build_taking_back(upgrade)
            }
            (Some(upgrade), ClusterRest::Settled) => match step.brings {
                Some(part) => {
                    let parts = node_upgrade::split_files(upgrade, content, paths);
                    let part = usize::try_from(part).ok().and_then(|part| parts.get(part));
                    let files = part.map(Vec::as_slice).unwrap_or_default();
                    node_upgrade::build_bringing(upgrade, content, files)
                }
                None => node_upgrade::build_taking(upgrade, content, paths, lines),
            },
            _ => node_update::build_node_update(content, paths, lines),
        }
    }

    /// The files that a node is sent in this step. One that runs something for all has them already,
    /// and one that runs nothing has them with its turn; on the way back it may have those of any
    /// cluster at rest.
    fn new_paths(&self, step: &RolloutStep, node: &str) -> Vec<String> {
        let is_told_little = !step.components.is_empty() || step.stages.is_empty();
        if is_told_little && step.brings.is_none() {
            return Vec::new();
        }
        let there = self.nodes.at(step.files);
        if self.change.rolling_back_because.is_none() {
            return there.changed_paths(self.nodes.at(rest_before(step.files)), node);
        }
        let nothing = NodesAtRest::default();
        let others = ClusterRest::ALL.map(|rest| {
            let other = self.nodes.at(rest);
            if other.installed.is_empty() {
                &nothing
            } else {
                other
            }
        });
        let others = others
            .iter()
            .filter(|other| other.has_node(node) || other.names.is_empty());
        let paths: BTreeSet<String> = others
            .flat_map(|other| there.changed_paths(other, node))
            .collect();
        paths.into_iter().collect()
    }

    fn member_lines(&self, step: &RolloutStep) -> MemberLines {
        let mut lines = MemberLines {
            runners: step.components.clone(),
            ..MemberLines::default()
        };
        let beyond = |of, without| {
            let [of, without] = [of, without].map(|rest| &self.nodes.at(rest).placements);
            members_beyond(of, without)
        };
        match step.news {
            Some(MemberNews::Joined(of, without)) => lines.joined = beyond(of, without),
            Some(MemberNews::Leaving(of, without)) => {
                lines.leaving = beyond(of, without);
                // Who has never come up is gone already.
                let there = self.groups.names_of(&step.nodes);
                for placement in &mut lines.leaving {
                    placement
                        .members
                        .retain(|member| there.contains(&member.node));
                }
            }
            Some(MemberNews::Left(of, without)) => lines.left = beyond(of, without),
            None => {}
        }
        lines
    }
}

/// Whether two steps tell nodes the same, in turns.
fn is_same_series(one: &RolloutStep, other: &RolloutStep) -> bool {
    (one.stack, one.files, one.news, one.brings)
        == (other.stack, other.files, other.news, other.brings)
        && (&one.stages, &one.components) == (&other.stages, &other.components)
}

/// What holds an update in the stack: nodes of a class that are told the same have the same.
fn update_name(class: &str, update: &NodeUpdate) -> String {
    let digest = update.sha256.get(..UPDATE_NAME_CHARS).unwrap_or_default();
    format!("{}_{digest}", class.replace('-', "_"))
}

fn too_long(error: &UpdateTooLong) -> OrchestratorError {
    let hint = "change less at a time, or deploy a new cluster";
    OrchestratorError::Invalid(vec![Problem::new("attributes", error.to_string(), hint)])
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
    if let Some(why) = refuse_change(from) {
        return Err(OrchestratorError::NotApplicable(why));
    }
    if let Some(plan) = context.change_plans.get(&record.id, change) {
        return Ok((plan, Arc::new(record.clone())));
    }
    let change = &checked_anew(change);
    let flavors = match &change.resolved {
        Some(resolved) => ResolvedFlavors::for_nodes(resolved),
        None => {
            let cloud = inventory::take_inventory(session, &change.to).await?;
            plan_deploy::flavors_of_cluster(from, &change.to, &cloud)?
        }
    };
    let planner = context.planner.as_ref();
    let running = RunningStack::fetch(session, record).await?;
    let ends = ChangeEnds {
        from,
        to: &change.to,
        is_rollback: change.rolling_back_because.is_some(),
        change: first_generation(change),
        upgrade: change.upgrade,
        refused: &[],
    };
    let mut plans =
        DistinctPlans::prepare(planner, session, record, ends, flavors, &running).await?;
    let plan = Arc::new(render_steps(&mut plans, record, change).await?);
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

/// The way back of an upgrade is the same by every plugin and every Stampede, whose words alone may be
/// others: what another one has planned of it is planned anew.
fn checked_anew(change: &ClusterChange) -> ClusterChange {
    let mut change = change.clone();
    if change.upgrade.is_some() && change.rolling_back_because.is_some() {
        for step in change.steps.iter_mut().skip(change.at) {
            step.digest = None;
        }
    }
    change
}

/// The number of a change.
fn first_generation(change: &ClusterChange) -> u32 {
    change.steps.first().map_or(0, |step| step.generation)
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
