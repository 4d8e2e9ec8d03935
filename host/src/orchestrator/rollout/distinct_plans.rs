//! The plans of one change: the plugins run once for each distinct set of nodes and settings. Where
//! the plugins are others than those that made the cluster, or new nodes are to be made of something
//! else, what the plans say is laid over what the stack has, so that nothing changes that nobody
//! asked for. Where the plugins of now cannot plan the cluster at all, nodes can still be taken out
//! of the stack.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::orchestrator::{
    error::OrchestratorError,
    planning::{
        new_node_values::{NewNodeValues, has_other_values, with_new_groups},
        pinning::{self, drop_cloud_constraints, pin_template},
        planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
        template_overlay::{TemplateOverlay, without_gone_nodes},
    },
    rollout::{desired_state::only_removes, lay_digests::lay_digests},
    stack::stack_request::without_notifications,
};
use crate::{
    bundle::{node_frame::host_version, node_script::NodeContent},
    cluster::{
        ClusterPins, ClusterSpec, NodeGroups, NodeIds, PinnedPlugin, Problem, change::FileDigests,
        cluster_endpoint::ClusterEndpoints,
    },
    openstack::{CloudSession, StackId},
    store::ClusterRecord,
};

/// A running cluster as Heat has it.
pub(crate) struct RunningStack {
    pub(crate) template: Value,
}

impl RunningStack {
    pub(crate) async fn fetch(
        session: &CloudSession,
        record: &ClusterRecord,
    ) -> Result<Self, OrchestratorError> {
        let stack = stack_of(record);
        let template = session.stack_template(&stack).await?;
        Ok(Self { template })
    }
}

fn stack_of(record: &ClusterRecord) -> StackId {
    StackId {
        name: record.stack_name.clone(),
        id: record.stack_id().unwrap_or_default().to_owned(),
    }
}

/// From what to what a change leads.
#[derive(Clone, Copy)]
pub(crate) struct ChangeEnds<'a> {
    /// The cluster as it was before.
    pub(crate) from: &'a ClusterSpec,
    /// The cluster as it is to be.
    pub(crate) to: &'a ClusterSpec,
    /// Whether the steps lead back.
    pub(crate) is_rollback: bool,
}

/// The plans of one change, however many steps are made of it.
pub(crate) struct DistinctPlans<'a> {
    planner: &'a dyn ClusterPlanner,
    chain: PluginChain,
    flavors: ResolvedFlavors,
    /// The cluster as it is: its names and pins are what every plan is made on.
    from: ClusterSpec,
    source: PlanSource,
    made: Vec<DistinctPlan>,
}

/// Where plans come from.
enum PlanSource {
    /// The plugins make all of it.
    Plugins,
    /// The plugins of now, over what the stack has.
    Overlay(Box<OverlaySource>),
    /// The stack alone.
    Stack(Box<StackSource>),
}

struct OverlaySource {
    overlay: TemplateOverlay,
    /// What stands on the nodes by the plan of the cluster as it is.
    from_installed: FileDigests,
    from_endpoints: ClusterEndpoints,
    /// Files that the stack's template names and the plugins of now do not make.
    files: BTreeMap<String, String>,
}

struct StackSource {
    template: Value,
    files: BTreeMap<String, String>,
    groups: NodeGroups,
}

/// One of the plans.
#[derive(Clone)]
pub(crate) struct DistinctPlan {
    spec: Arc<ClusterSpec>,
    pub(crate) planned: Arc<StackPlan>,
    pub(crate) files: Arc<BTreeMap<String, String>>,
}

impl<'a> DistinctPlans<'a> {
    /// Plans the cluster as it is to be, and finds out what the plans of the steps are made of.
    ///
    /// # Errors
    /// `Invalid`: the plugins of now cannot plan it, and more is asked for than fewer nodes.
    pub(crate) async fn prepare(
        planner: &'a dyn ClusterPlanner,
        session: &CloudSession,
        record: &ClusterRecord,
        ends: ChangeEnds<'_>,
        flavors: ResolvedFlavors,
        running: &RunningStack,
    ) -> Result<Self, OrchestratorError> {
        let ChangeEnds { from, to, .. } = ends;
        // The end that the steps lead to is planned in any case.
        let end = if ends.is_rollback { from } else { to };
        let mut plans = Self {
            planner,
            chain: PluginChain::default(),
            flavors,
            from: with_new_groups(from, to),
            source: PlanSource::Plugins,
            made: Vec::new(),
        };
        let wanted = match planner.order_plugins(end) {
            Ok(chain) => {
                plans.chain = chain;
                plans.ask(end).await
            }
            Err(problems) => Err(problems),
        };
        let stack = without_notifications(&running.template);
        let wanted = match wanted {
            Ok(wanted) => wanted,
            // What is refused of the cluster as it is to be is the request's to mend; what is refused
            // of the cluster as it is, it was made with.
            Err(problems) if only_removes(from, to) && plans.ask(from).await.is_err() => {
                tracing::warn!(cluster.id = %record.id, "the plugins cannot plan `{}` any more ({}); its nodes are taken out of what the stack has", record.name, crate::cluster::problem::lines(&problems));
                let files = session.stack_files(&stack_of(record)).await?;
                let template = stack;
                let groups = from.groups.clone();
                plans.source = PlanSource::Stack(Box::new(StackSource {
                    template,
                    files,
                    groups,
                }));
                return Ok(plans);
            }
            Err(problems) => return Err(OrchestratorError::Invalid(problems)),
        };
        if needs_overlay(from, to, &wanted.plugins) {
            plans.source = plans.overlay(session, record, ends, stack, &wanted).await?;
        }
        plans.keep(end, &end.node_ids(), wanted);
        Ok(plans)
    }

    async fn ask(&self, end: &ClusterSpec) -> Result<StackPlan, Vec<Problem>> {
        let spec = self.planning_spec(end, &end.node_ids());
        let claimed = ClaimedCluster::default();
        let plan = self
            .planner
            .plan(&spec, &self.chain, &claimed, &self.flavors);
        plan.await
    }

    async fn overlay(
        &self,
        session: &CloudSession,
        record: &ClusterRecord,
        ends: ChangeEnds<'_>,
        stack: Value,
        wanted: &StackPlan,
    ) -> Result<PlanSource, OrchestratorError> {
        let other = if ends.is_rollback { ends.to } else { ends.from };
        let other = self.ask(other).await;
        // On the way back, what the change would have led to.
        let (base, wanted) = match (&other, ends.is_rollback) {
            (Ok(other), true) => (Ok(wanted), other),
            (Err(problems), true) => (Err(problems), wanted),
            (other, false) => (other.as_ref(), wanted),
        };
        let pinned = |template: &Value| {
            let mut template = template.clone();
            pin_template(&mut template, &self.from);
            template
        };
        let (from, from_installed, from_endpoints) = match base {
            Ok(base) => (
                pinned(&base.template),
                base.installed(),
                base.endpoints.clone(),
            ),
            // Settings that it was made with are no longer taken, and the change mends that: which
            // files they stand in cannot be told, so that all files are the plan's of now.
            Err(_) => {
                let mended = ClusterSpec {
                    settings: ends.to.settings.clone(),
                    ..self.from.clone()
                };
                let template = self
                    .ask(&mended)
                    .await
                    .map_or_else(|_| stack.clone(), |base| pinned(&base.template));
                let (installed, endpoints) = (&record.notified.installed, &record.endpoints);
                (template, installed.clone(), endpoints.clone())
            }
        };
        let is_missing = |name: &String| !wanted.files.contains_key(name);
        let files = if file_names(&stack).iter().any(is_missing) {
            session.stack_files(&stack_of(record)).await?
        } else {
            BTreeMap::new()
        };
        let overlay = TemplateOverlay {
            stack,
            from,
            to: pinned(&wanted.template),
            groups: ends.to.groups.clone(),
            new_nodes: NewNodeValues::of_change(&self.from, ends.to),
        };
        Ok(PlanSource::Overlay(Box::new(OverlaySource {
            overlay,
            from_installed,
            from_endpoints,
            files,
        })))
    }

    /// The plan of a cluster with these nodes.
    pub(crate) async fn plan(
        &mut self,
        base: &ClusterSpec,
        nodes: &NodeIds,
    ) -> Result<DistinctPlan, OrchestratorError> {
        let spec = self.planning_spec(base, nodes);
        if let Some(made) = self.made.iter().find(|made| *made.spec == spec) {
            return Ok(made.clone());
        }
        let planned = match &self.source {
            PlanSource::Stack(source) => source.plan(nodes),
            _ => self
                .planner
                .plan(
                    &spec,
                    &self.chain,
                    &ClaimedCluster::default(),
                    &self.flavors,
                )
                .await
                .map_err(OrchestratorError::Invalid)?,
        };
        Ok(self.keep(base, nodes, planned))
    }

    /// Lays a plan over what the stack has where it must be, and keeps it.
    fn keep(
        &mut self,
        base: &ClusterSpec,
        nodes: &NodeIds,
        mut planned: StackPlan,
    ) -> DistinctPlan {
        let spec = self.planning_spec(base, nodes);
        if !matches!(self.source, PlanSource::Stack(_)) {
            pin_template(&mut planned.template, &self.from);
        }
        if let PlanSource::Overlay(source) = &self.source {
            planned.template = source.overlay.lay(&planned.template, nodes);
            for name in file_names(&planned.template) {
                if let Some(text) = source.files.get(&name) {
                    planned.files.entry(name).or_insert_with(|| text.clone());
                }
            }
        }
        drop_cloud_constraints(&mut planned.template);
        let made = DistinctPlan {
            spec: Arc::new(spec),
            files: Arc::new(planned.files.clone()),
            planned: Arc::new(planned),
        };
        self.made.push(made.clone());
        made
    }

    /// What is asked of the plugins: all nodes are planned on what the cluster was made of. What new
    /// nodes are made of instead is put into their resources alone.
    fn planning_spec(&self, base: &ClusterSpec, nodes: &NodeIds) -> ClusterSpec {
        let mut spec = ClusterSpec {
            image: self.from.image.clone(),
            key: self.from.key.clone(),
            pins: self.from.pins.clone(),
            ..base.with_nodes(nodes)
        };
        for group in spec.groups.iter_mut() {
            if let Some(from) = self.from.groups.get(&group.name) {
                group.flavor.clone_from(&from.flavor);
                group.image.clone_from(&from.image);
                group.availability_zone.clone_from(&from.availability_zone);
                group.root_volume_gib = from.root_volume_gib;
            }
        }
        spec
    }

    /// All templates that were made.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Value> {
        self.made.iter().map(|made| &made.planned.template)
    }

    /// What they were made on.
    pub(crate) fn flavors(&self) -> &ResolvedFlavors {
        &self.flavors
    }

    /// Whether a plan of now says what stands on the nodes: then they were made of what a plan of
    /// now takes for granted.
    pub(crate) fn explains(&self, record: &ClusterRecord) -> bool {
        match &self.source {
            PlanSource::Plugins => true,
            PlanSource::Overlay(source) => source.from_installed == record.notified.installed,
            PlanSource::Stack(_) => false,
        }
    }

    /// What stands on the nodes once the change is done: what it does not touch is what is recorded.
    pub(crate) fn installed(&self, record: &ClusterRecord, planned: &StackPlan) -> FileDigests {
        let recorded = &record.notified.installed;
        match &self.source {
            PlanSource::Plugins => planned.installed(),
            PlanSource::Stack(_) => recorded.clone(),
            PlanSource::Overlay(source) => {
                lay_digests(recorded, &source.from_installed, &planned.installed())
            }
        }
    }

    /// The endpoints once the change is done.
    pub(crate) fn endpoints(
        &self,
        record: &ClusterRecord,
        planned: &StackPlan,
    ) -> ClusterEndpoints {
        match &self.source {
            PlanSource::Plugins => planned.endpoints.clone(),
            PlanSource::Overlay(source) if source.from_endpoints != planned.endpoints => {
                planned.endpoints.clone()
            }
            PlanSource::Overlay(_) | PlanSource::Stack(_) => record.endpoints.clone(),
        }
    }

    /// What the cluster is made of once the change is done. `pins` say by now what new nodes are
    /// made of.
    pub(crate) fn pins_after(
        &self,
        to: &ClusterSpec,
        mut pins: ClusterPins,
        planned: &StackPlan,
    ) -> ClusterPins {
        let before = self.from.pins.as_deref();
        let digest = |name: &str| {
            let before = before.and_then(|pins| pins.plugins.get(name));
            before.map(|plugin| plugin.digest.clone())
        };
        if !matches!(self.source, PlanSource::Stack(_)) {
            pins.plugins = planned.plugins.clone();
            for (name, plugin) in &mut pins.plugins {
                plugin.digest = digest(name).unwrap_or_default();
                // What the plugin has no more, and nobody has given up.
                let before = before.and_then(|pins| pins.settings_of(name));
                let kept = to.settings.get(name).into_iter().flat_map(BTreeMap::keys);
                for parameter in kept {
                    if let Some(value) = before.and_then(|all| all.get(parameter)) {
                        let value = value.clone();
                        plugin.settings.entry(parameter).or_insert(value);
                    }
                }
            }
        }
        pins.mixed |= !matches!(self.source, PlanSource::Plugins);
        pins
    }
}

impl StackSource {
    fn plan(&self, nodes: &NodeIds) -> StackPlan {
        // All that the nodes are told is who leaves.
        let told = NodeContent {
            variables: vec![("STAMPEDE_LEAVING", String::new())],
            files: Vec::new(),
        };
        let groups = self.groups.names();
        StackPlan {
            template: without_gone_nodes(&self.template, &self.groups, nodes),
            files: self.files.clone(),
            contents: groups
                .map(|group| (group.to_owned(), told.clone()))
                .collect(),
            ..StackPlan::default()
        }
    }
}

/// Whether a plan of now is not all that the cluster is made of, or is to be.
fn needs_overlay(
    from: &ClusterSpec,
    to: &ClusterSpec,
    plugins: &BTreeMap<String, PinnedPlugin>,
) -> bool {
    let is_of_now = from.pins.as_deref().is_some_and(|pins| {
        !pins.mixed && pins.host_version == host_version() && pins.has_same_plugins(plugins)
    });
    !is_of_now || has_other_values(from, to)
}

/// The files that a template names.
fn file_names(template: &Value) -> Vec<String> {
    match template {
        Value::Object(map) => {
            let own = map.get("get_file").and_then(Value::as_str);
            let inner = map.values().flat_map(file_names);
            own.map(str::to_owned).into_iter().chain(inner).collect()
        }
        Value::Array(list) => list.iter().flat_map(file_names).collect(),
        _ => Vec::new(),
    }
}

/// The spec with the versions that the stack says, where the record does not.
pub(crate) fn with_known_versions(
    planner: &dyn ClusterPlanner,
    spec: &ClusterSpec,
    stack: &Value,
) -> ClusterSpec {
    pinning::versions_of_stack(spec, stack, &planner.descriptors())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_stampede_made_is_not_made_anew_by_a_plan_of_now() {
        let flavor = json!({ "id": "f", "name": "f", "vcpus": 1, "ram_mib": 1, "disk_gib": 1 });
        let made_by = |version: &str| {
            let flavors = json!({ "master": flavor, "worker": flavor });
            let pins = json!({ "host_version": version, "flavors": flavors });
            ClusterSpec {
                pins: serde_json::from_value(pins).unwrap(),
                ..ClusterSpec::default()
            }
        };
        let plugins = BTreeMap::new();
        let of_now = made_by(host_version());
        assert!(!needs_overlay(&of_now, &of_now, &plugins));
        // The same release, with another frame on its nodes.
        let before = made_by(env!("CARGO_PKG_VERSION"));
        assert!(needs_overlay(&before, &before, &plugins));
    }
}
