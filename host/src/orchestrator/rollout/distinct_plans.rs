//! The plans of one change: the plugins run once for each distinct set of nodes and settings. Where
//! the plugins are others than those that made the cluster, or new nodes are to be made of something
//! else, what the plans say is laid over what the stack has, so that nothing changes that nobody
//! asked for. Where the plugins of now cannot plan the cluster at all, nodes can still be taken out
//! of the stack.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orchestrator::{
    error::OrchestratorError,
    planning::{
        new_node_values::{NewNodeValues, with_new_groups},
        pinning::pin_template,
        planner::{ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
        template_overlay::TemplateOverlay,
    },
    rollout::{
        desired_state::only_removes,
        lay_digests::{LaidDigests, classes_by_class},
        nodes_at_rest::{ChangeNodes, NodesAtRest},
        plan_sources::{DistinctPlan, StackSource, classes_of, file_names, needs_overlay},
        renewed_template::{put_back, refuse_new_resources, renew_template, replaced_resources},
        rested_clusters::{ChangeEnds, ChangeSources, RestedClusters, placed_grants},
        running_stack::{RunningStack, fetch_source, stack_of},
    },
    stack::stack_request::without_notifications,
};
use crate::{
    bundle::node_frame::host_version,
    cluster::{
        ClusterPins, ClusterRest, ClusterSpec, Problem, change::FileDigests,
        cluster_endpoint::ClusterEndpoints,
    },
    openstack::CloudSession,
    store::ClusterRecord,
};

/// The plans of one change, however many steps are made of it.
pub(crate) struct DistinctPlans<'a> {
    planner: &'a dyn ClusterPlanner,
    chain: PluginChain,
    flavors: ResolvedFlavors,
    /// The cluster as it is: its names and pins are what every plan is made on.
    from: ClusterSpec,
    rests: RestedClusters,
    source: PlanSource,
    /// What stands on the nodes as they are: classes and digests.
    recorded: FileDigests,
    made: Vec<(ClaimedCluster, DistinctPlan)>,
    /// What was made for which cluster at rest.
    known: BTreeMap<ClusterRest, DistinctPlan>,
    upgrade: Option<u32>,
}

/// Where plans come from.
enum PlanSource {
    /// The plugins make all of it.
    Plugins,
    /// The plugins of now, over what the stack has.
    Overlay(Box<OverlaySource>),
    /// The stack alone.
    Stack(Box<StackSource>),
    /// The stack for the cluster as it is, and the plugins of now for all that comes after it.
    Renewal(Box<StackSource>),
}

struct OverlaySource {
    overlay: TemplateOverlay,
    /// What stands on the nodes by the plan of the cluster as it is.
    from_installed: FileDigests,
    from_endpoints: ClusterEndpoints,
    /// Files that the stack's template names and the plugins of now do not make.
    files: BTreeMap<String, String>,
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
        let ordered = planner.order_plugins(if ends.is_rollback { from } else { to });
        let with_groups = with_new_groups(from, to);
        let (chain, refused) = match ordered {
            Ok(chain) => (chain, None),
            Err(problems) => (PluginChain::default(), Some(problems)),
        };
        let sources = ChangeSources {
            chain: &chain,
            from: &with_groups,
            to,
            flavors: &flavors,
            change: ends.change,
            is_rollback: ends.is_rollback,
            is_upgrade: ends.upgrade.is_some(),
        };
        let rests = RestedClusters::new(sources).map_err(OrchestratorError::Invalid)?;
        let mut plans = Self {
            planner,
            chain,
            flavors,
            from: with_groups,
            rests,
            source: PlanSource::Plugins,
            recorded: record.notified.installed.clone(),
            made: Vec::new(),
            known: BTreeMap::new(),
            upgrade: ends.upgrade,
        };
        if ends.upgrade.is_some() {
            return plans.renew(session, record, (ends, refused), running).await;
        }
        // The end that the steps lead to is planned in any case.
        let end = if ends.is_rollback {
            ClusterRest::Before
        } else {
            ClusterRest::Done
        };
        let wanted = match refused {
            Some(problems) => Err(problems),
            None if !ends.refused.is_empty() => Err(ends.refused.to_vec()),
            None => plans.ask(end).await,
        };
        let stack = without_notifications(&running.template);
        let wanted = match wanted {
            Ok(wanted) => wanted,
            // What is refused of the cluster as it is to be is the request's to mend; what is refused
            // of the cluster as it is, it was made with.
            Err(problems)
                if only_removes(from, to) && plans.ask(ClusterRest::Before).await.is_err() =>
            {
                tracing::warn!(cluster.id = %record.id, "the plugins cannot plan `{}` any more ({}); its nodes are taken out of what the stack has", record.name, crate::cluster::problem::lines(&problems));
                let source = fetch_source(session, record, from, stack).await?;
                plans.source = PlanSource::Stack(Box::new(source));
                return Ok(plans);
            }
            Err(problems) => return Err(OrchestratorError::Invalid(problems)),
        };
        if needs_overlay(from, to, &wanted.plugins) {
            plans.source = plans.overlay(session, record, ends, stack, &wanted).await?;
        }
        plans.keep(end, wanted);
        Ok(plans)
    }

    /// Plans an upgrade: on the way back nothing has to be asked, since nodes keep what they had.
    async fn renew(
        mut self,
        session: &CloudSession,
        record: &ClusterRecord,
        (ends, refused): (ChangeEnds<'_>, Option<Vec<Problem>>),
        running: &RunningStack,
    ) -> Result<Self, OrchestratorError> {
        let mut stack = without_notifications(&running.template);
        if let Some(change) = record.change().filter(|_| ends.is_rollback) {
            stack = put_back(&stack, &change.replaced);
        }
        let source = Box::new(fetch_source(session, record, ends.from, stack).await?);
        if ends.is_rollback {
            self.source = PlanSource::Renewal(source);
            return Ok(self);
        }
        let problems = refused.unwrap_or_else(|| ends.refused.to_vec());
        if !problems.is_empty() {
            return Err(OrchestratorError::Invalid(problems));
        }
        let wanted = self.ask(ClusterRest::Done).await;
        let wanted = wanted.map_err(OrchestratorError::Invalid)?;
        let problems = refuse_new_resources(&source.template, &wanted.template);
        if !problems.is_empty() {
            return Err(OrchestratorError::Invalid(problems));
        }
        self.source = PlanSource::Renewal(source);
        self.keep(ClusterRest::Done, wanted);
        Ok(self)
    }

    async fn ask(&self, rest: ClusterRest) -> Result<StackPlan, Vec<Problem>> {
        let claimed = self.rests.get(rest);
        let plan = self
            .planner
            .plan(&claimed.spec, &self.chain, claimed, &self.flavors);
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
        let other = if ends.is_rollback {
            ClusterRest::Done
        } else {
            ClusterRest::Before
        };
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
                let template = self
                    .ask(ClusterRest::Settled)
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

    /// The plan of a cluster at rest; clusters that are the same have the same.
    pub(crate) async fn plan(
        &mut self,
        rest: ClusterRest,
    ) -> Result<DistinctPlan, OrchestratorError> {
        if let Some(known) = self.known.get(&rest) {
            return Ok(known.clone());
        }
        let claimed = self.rests.get(rest);
        if let (PlanSource::Renewal(source), ClusterRest::Before) = (&self.source, rest) {
            let made = DistinctPlan::new(source.plan(claimed));
            self.known.insert(rest, made.clone());
            return Ok(made);
        }
        if let Some((_, made)) = self.made.iter().find(|(of, _)| of == claimed) {
            let made = made.clone();
            self.known.insert(rest, made.clone());
            return Ok(made);
        }
        let planned = match &self.source {
            PlanSource::Stack(source) => source.plan(claimed),
            _ => self.ask(rest).await.map_err(OrchestratorError::Invalid)?,
        };
        Ok(self.keep(rest, planned))
    }

    /// Lays a plan over what the stack has where it must be, and keeps it.
    fn keep(&mut self, rest: ClusterRest, mut planned: StackPlan) -> DistinctPlan {
        let claimed = self.rests.get(rest).clone();
        if !matches!(self.source, PlanSource::Stack(_)) {
            pin_template(&mut planned.template, &self.from);
        }
        let kept = match &self.source {
            PlanSource::Overlay(source) => {
                let nodes = claimed.spec.node_ids();
                planned.template = source.overlay.lay(&planned.template, &nodes);
                Some(&source.files)
            }
            PlanSource::Renewal(source) => {
                planned.template = renew_template(&source.template, &planned.template);
                Some(&source.files)
            }
            PlanSource::Plugins | PlanSource::Stack(_) => None,
        };
        if let Some(kept) = kept {
            for name in file_names(&planned.template) {
                if let Some(text) = kept.get(&name) {
                    planned.files.entry(name).or_insert_with(|| text.clone());
                }
            }
        }
        let made = DistinctPlan::new(planned);
        self.made.push((claimed, made.clone()));
        self.known.insert(rest, made.clone());
        made
    }

    /// What stands on nodes in a cluster at rest, as it is known without asking: recorded before the
    /// change, planned for it, or recorded with it.
    fn known_digests(&self, rest: ClusterRest, record: &ClusterRecord) -> Option<FileDigests> {
        let is = |other| self.rests.are_alike(rest, other);
        if is(ClusterRest::Before) {
            return Some(self.recorded.clone());
        }
        let change = record.change();
        let change = change.filter(|_| is(ClusterRest::Done));
        let planned = self.known.get(&rest).map(|known| &known.planned);
        let planned = planned.map(|planned| self.installed(rest, planned));
        change.map(|change| change.installed.clone()).or(planned)
    }

    /// Whether it has to be planned before anybody knows what stands on its nodes.
    pub(crate) fn is_open(&self, rest: ClusterRest, record: &ClusterRecord) -> bool {
        self.known_digests(rest, record).is_none()
    }

    /// The nodes in each of the clusters at rest, and what stands on them where that is known.
    pub(crate) fn change_nodes(&self, record: &ClusterRecord) -> ChangeNodes {
        let nodes = |rest: ClusterRest| {
            let claimed = self.rests.get(rest);
            let planned = self.known.get(&rest).map(|known| &known.planned);
            let contents = planned.map(|planned| planned.contents.clone());
            NodesAtRest::new(
                &claimed.spec,
                claimed.placements.clone(),
                self.known_digests(rest, record).unwrap_or_default(),
                contents.unwrap_or_default(),
            )
        };
        ChangeNodes {
            rests: ClusterRest::ALL.map(nodes),
            plugins: self.plugins(),
            deaf: record
                .observed
                .nodes_without_metadata
                .iter()
                .cloned()
                .collect(),
            upgrade: self.upgrade,
        }
    }

    /// The plugin of each component.
    fn plugins(&self) -> BTreeMap<String, String> {
        let mut plugins = BTreeMap::new();
        for rest in [ClusterRest::Before, ClusterRest::Joined] {
            let claims = &self.rests.get(rest).claims;
            for (plugin, claims) in self.chain.plugins.iter().zip(claims) {
                let needs = claims.needs.iter();
                plugins.extend(needs.map(|need| (need.component.clone(), plugin.clone())));
            }
        }
        let pins = self.from.pins.iter();
        for (plugin, needs) in pins.flat_map(|pins| &pins.needs) {
            for need in needs {
                let known = plugins.entry(need.component.clone());
                known.or_insert_with(|| plugin.clone());
            }
        }
        plugins
    }

    /// What an upgrade replaces of the stack, to be put back.
    pub(crate) fn replaced(&self, planned: &StackPlan) -> BTreeMap<String, Option<Value>> {
        match &self.source {
            PlanSource::Renewal(source) => replaced_resources(&source.template, &planned.template),
            _ => BTreeMap::new(),
        }
    }

    /// All templates that were made.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Value> {
        self.made.iter().map(|(_, made)| &made.planned.template)
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
            PlanSource::Stack(_) | PlanSource::Renewal(_) => false,
        }
    }

    /// What stands on the nodes in a cluster at rest: what the change does not touch is what is
    /// recorded.
    pub(crate) fn installed(&self, rest: ClusterRest, planned: &StackPlan) -> FileDigests {
        let (before, after) = (self.rests.get(ClusterRest::Before), self.rests.get(rest));
        let classes = || classes_by_class(&classes_of(after), &classes_of(before));
        match &self.source {
            PlanSource::Plugins | PlanSource::Renewal(_) => planned.installed(),
            PlanSource::Stack(_) => {
                let none = FileDigests::new();
                let laid = LaidDigests {
                    recorded: &self.recorded,
                    from: &none,
                    to: &none,
                };
                laid.lay(&classes())
            }
            PlanSource::Overlay(source) => {
                let laid = LaidDigests {
                    recorded: &self.recorded,
                    from: &source.from_installed,
                    to: &planned.installed(),
                };
                laid.lay(&classes())
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
            PlanSource::Plugins | PlanSource::Renewal(_) => planned.endpoints.clone(),
            PlanSource::Overlay(source) if source.from_endpoints != planned.endpoints => {
                planned.endpoints.clone()
            }
            PlanSource::Overlay(_) | PlanSource::Stack(_) => record.endpoints.clone(),
        }
    }

    /// What the cluster is made of once the change is done. `pins` say by now what new nodes are
    /// made of, where components are and what was claimed.
    pub(crate) fn pins_after(
        &self,
        to: &ClusterSpec,
        mut pins: ClusterPins,
        planned: &StackPlan,
    ) -> ClusterPins {
        let before = self.from.pins.as_deref();
        let done = self.rests.get(ClusterRest::Done);
        let granted = match (&self.source, &done.grants) {
            (PlanSource::Stack(_), _) | (_, None) => &pins.grants,
            (_, Some(granted)) => granted,
        };
        pins.grants = placed_grants(granted, &done.placements, &done.spec);
        let digest = |name: &str| {
            let before = before.and_then(|pins| pins.plugins.get(name));
            before.map(|plugin| plugin.digest.clone())
        };
        let is_renewed = matches!(self.source, PlanSource::Renewal(_));
        if is_renewed {
            host_version().clone_into(&mut pins.host_version);
        }
        if !matches!(self.source, PlanSource::Stack(_)) {
            pins.job_tellers.clone_from(&planned.job_tellers);
            pins.plugins = planned.plugins.clone();
            for (name, plugin) in &mut pins.plugins {
                if !is_renewed {
                    plugin.digest = digest(name).unwrap_or_default();
                }
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
