//! What the verbs and the loops of the orchestrator share: the cloud's client, the planner, the
//! operator's defaults, and the state of all clusters. Holds no policy of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use super::{
    error::OrchestratorError,
    limits::OrchestratorLimits,
    plan_cache::ChangePlanCache,
    planning::{
        planner::{ClusterPlanner, PluginChain},
        whole_refusal::{UnsoundRequest, tell_all},
    },
    request_origin::RequestOrigin,
    state::{
        SharedState, cluster_figures::KnownFigures, group_cache::GroupCache,
        recovery_table::RecoveryTable,
    },
};
use crate::{
    cluster::{
        ClusterSpec, EndTime, IdleLimit, Problem, ProjectPolicy, attribute_changes,
        attribute_names::{AttributeNames, PREFIX},
        attributes,
        defaults::OperatorDefaults,
        end_time::EXPIRES,
        idle_limit::IDLE,
        request_entry::RequestFace,
    },
    metrics::HostMetrics,
    openstack::{CloudClient, CloudSession},
    store::{ClusterRecord, RecordStore},
    system::clock::HostClock,
};

/// What an orchestrator is made of.
pub struct OrchestratorConfig {
    /// The name of this host, the same after a restart (hurtle's `DC_NAME`): with an empty store it
    /// finds its clusters in Heat by it.
    pub host: String,
    /// The cloud.
    pub client: CloudClient,
    /// The plugins.
    pub planner: Arc<dyn ClusterPlanner>,
    /// What outlives the process.
    pub store: RecordStore,
    /// What the operator has set.
    pub defaults: OperatorDefaults,
    /// How much of everything.
    pub limits: OrchestratorLimits,
    /// Where reconciles and rollout steps are recorded.
    pub metrics: Arc<HostMetrics>,
    /// What is due goes by it.
    pub clock: HostClock,
}

/// Names and texts of clients: attribute and value.
pub type ClientAttributes = Vec<(String, String)>;

/// What all verbs and loops share. Made once; handed on by reference.
pub(crate) struct Context {
    /// For work that outlives the request that began it.
    pub(crate) me: Weak<Context>,
    /// The host's name, which its stacks bear in a tag.
    pub(crate) host: String,
    pub(crate) client: CloudClient,
    pub(crate) planner: Arc<dyn ClusterPlanner>,
    pub(crate) attribute_names: AttributeNames,
    pub(crate) defaults: OperatorDefaults,
    /// The clusters in use and the sessions of their users.
    pub(crate) state: Arc<SharedState>,
    /// Where reconciles and rollout steps are recorded.
    pub(crate) metrics: Arc<HostMetrics>,
    pub(crate) groups: GroupCache,
    /// What the changes under way will give Heat.
    pub(crate) change_plans: ChangePlanCache,
    /// What an operator's scrapes were told last.
    pub(crate) figures: KnownFigures,
    /// What became of looking through stacks for clusters that the store does not know.
    pub(crate) recoveries: RecoveryTable,
}

/// Who asks: one user in one project, authenticated by a token.
#[derive(Clone)]
pub struct Caller {
    pub(crate) session: CloudSession,
    pub(crate) origin: RequestOrigin,
}

impl Caller {
    /// Whoever has this session, and has not said yet through what they ask.
    pub(crate) fn new(session: CloudSession) -> Self {
        let origin = RequestOrigin::default();
        Self { session, origin }
    }

    /// The same caller with one request of a client, which came through this face; all that is asked
    /// for it is one request in the journal.
    #[must_use]
    pub fn through(self, face: RequestFace) -> Self {
        let origin = RequestOrigin::of_client(face);
        Self { origin, ..self }
    }

    /// What the caller has logged in with.
    pub fn session(&self) -> &CloudSession {
        &self.session
    }

    /// The project's id.
    pub fn project_id(&self) -> &str {
        &self.session.project().id
    }

    /// The user's id.
    pub fn user_id(&self) -> &str {
        &self.session.user().id
    }

    /// The same caller, whose new clusters are made in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self {
            session: self.session.in_region(region),
            ..self.clone()
        }
    }

    /// The same caller, who is shown what the cloud has as it was a few seconds ago.
    pub(crate) fn remembering(&self) -> Self {
        Self {
            session: self.session.remembering(),
            ..self.clone()
        }
    }

    /// The region that new clusters of theirs are made in.
    ///
    /// # Errors
    /// `Conflict`: the catalog has several, and none is named.
    pub fn region(&self) -> Result<&str, OrchestratorError> {
        let region = self.session.region();
        region.map_err(|error| OrchestratorError::Conflict(error.to_string()))
    }

    /// The same caller in each region where clusters are looked for whose record was lost: the one
    /// of new clusters, else all.
    pub(crate) fn in_its_regions(&self) -> Vec<Self> {
        if self.session.region().is_ok() {
            return vec![self.clone()];
        }
        let regions = self.session.heat_regions().into_iter();
        regions.map(|region| self.in_region(region)).collect()
    }

    /// The same caller, whose calls go where the cluster lives.
    pub(crate) fn at(&self, record: &ClusterRecord) -> Self {
        self.in_region(&record.region)
    }

    /// The project's name.
    pub fn project_name(&self) -> &str {
        &self.session.project().name
    }
}

/// Which project: an operator's policy may name it either way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProjectIdentity<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> ProjectIdentity<'a> {
    pub(crate) fn of_session(session: &'a CloudSession) -> Self {
        let project = session.project();
        Self {
            id: &project.id,
            name: &project.name,
        }
    }

    pub(crate) fn of_record(record: &'a ClusterRecord) -> Self {
        Self {
            id: &record.project_id,
            name: &record.project_name,
        }
    }
}

impl Context {
    /// Of these parts. Reads which projects have clusters; which of those have something left to do
    /// is found out with a project's first token.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub(crate) async fn assemble(
        parts: OrchestratorConfig,
    ) -> Result<Arc<Self>, OrchestratorError> {
        let projects = parts.store.projects().await?;
        let waiting = projects.into_iter().map(|project| (project, None));
        let state = SharedState::new(parts.store, parts.limits, parts.clock, waiting);
        let state = Arc::new(state);
        Ok(Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            attribute_names: AttributeNames::from_descriptors(parts.planner.descriptors()),
            change_plans: ChangePlanCache::new(state.limits.kept_plan_bytes),
            host: parts.host,
            client: parts.client,
            planner: parts.planner,
            defaults: parts.defaults,
            state,
            metrics: parts.metrics,
            groups: GroupCache::default(),
            figures: KnownFigures::default(),
            recoveries: RecoveryTable::default(),
        }))
    }

    /// What the attributes ask for, over the operator's defaults. Asks the plugins' schemas, not
    /// the cloud.
    ///
    /// # Errors
    /// `Invalid`: all problems at once.
    pub(crate) fn parse_spec(
        &self,
        record: &ClusterRecord,
        given: &BTreeMap<String, String>,
    ) -> Result<ClusterSpec, OrchestratorError> {
        let read = self.read_request(ProjectIdentity::of_record(record), &record.name, given);
        let (spec, _) = read.map_err(|refused| OrchestratorError::Invalid(refused.problems))?;
        Ok(spec)
    }

    /// The same for a cluster that is to be made: where anything is wrong all is told that is, by
    /// the plugins and the cloud, too.
    ///
    /// # Errors
    /// `Invalid`: all problems at once.
    pub(crate) async fn parse_deploy(
        &self,
        session: &CloudSession,
        name: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<(ClusterSpec, PluginChain), OrchestratorError> {
        match self.read_request(ProjectIdentity::of_session(session), name, given) {
            Ok(read) => Ok(read),
            Err(refused) => {
                let problems = tell_all(self.planner.as_ref(), session, *refused).await;
                Err(OrchestratorError::Invalid(problems))
            }
        }
    }

    /// The same, with what could be read of it where anything is wrong.
    pub(crate) fn read_request(
        &self,
        project: ProjectIdentity<'_>,
        name: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<(ClusterSpec, PluginChain), Box<UnsoundRequest>> {
        let pairs: ClientAttributes = given
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let (mut spec, mut problems) =
            attributes::parse_known(name, &pairs, &self.defaults, &self.attribute_names);
        let policy = self.policy_of(project);
        problems.extend(policy.check_new(&spec));
        let says_end = given.contains_key(&format!("{PREFIX}{EXPIRES}"));
        problems.extend(self.settle_end(&mut spec, policy, says_end).err());
        let says_idle = given.contains_key(&format!("{PREFIX}{IDLE}"));
        problems.extend(settle_idle(&mut spec, policy, says_idle).err());
        spec.allowed_flavors.clone_from(&policy.flavors);
        let chain = match self.planner.order_plugins(&spec) {
            Ok(chain) => {
                problems.extend(self.planner.check_settings(&spec, &chain));
                Some(chain)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        match chain {
            Some(chain) if problems.is_empty() => Ok((spec, chain)),
            _ => Err(Box::new(UnsoundRequest { spec, problems })),
        }
    }

    /// What the operator allows a project.
    pub(crate) fn policy_of(&self, project: ProjectIdentity<'_>) -> &ProjectPolicy {
        self.defaults.policy().of_project(project.id, project.name)
    }

    /// Makes a moment of the end that is asked for, within what the operator allows.
    fn settle_end(
        &self,
        spec: &mut ClusterSpec,
        policy: &ProjectPolicy,
        says_end: bool,
    ) -> Result<(), Problem> {
        let now_s = self.state.clock.unix_now_s();
        let at_s = match spec.expires.take() {
            None => policy.end_by_age(now_s),
            // The operator's default, which no client can mend.
            Some(end) if !says_end => {
                let at_s = end.resolve(EXPIRES, now_s).unwrap_or_default();
                let is_allowed = policy.check_end(at_s, now_s).is_ok();
                at_s.filter(|_| is_allowed).or(policy.end_by_age(now_s))
            }
            Some(end) => {
                let at_s = end.resolve(EXPIRES, now_s)?;
                policy.check_end(at_s, now_s)?;
                spec.expires = Some(EndTime::Never);
                at_s
            }
        };
        spec.expires = at_s.map(EndTime::At).or(spec.expires);
        Ok(())
    }

    /// What a cluster is to be, from what it is and what is given over the texts that are stored.
    /// Only what is given is checked, by the plugins of now.
    ///
    /// # Errors
    /// `Invalid`: all problems at once.
    pub(crate) fn parse_changes(
        &self,
        from: &ClusterSpec,
        stored: &BTreeMap<String, String>,
        given: &ClientAttributes,
    ) -> Result<ClusterSpec, OrchestratorError> {
        let to = attribute_changes::parse_changes(from, stored, given, &self.attribute_names)
            .map_err(OrchestratorError::Invalid)?;
        let changed = attributes::changed(from, &to);
        if !changed.iter().any(|name| name.contains('.')) {
            return Ok(to);
        }
        // As a new cluster's, but for what nobody has just named.
        let strict = ClusterSpec {
            pins: None,
            ..to.clone()
        };
        let chain = self
            .planner
            .order_plugins(&strict)
            .map_err(OrchestratorError::Invalid)?;
        let mut problems = self.planner.check_settings(&strict, &chain);
        problems.retain(|problem| {
            let is_of = |name: &String| {
                problem.path == *name || problem.path.starts_with(&format!("{name}."))
            };
            changed.iter().any(is_of)
        });
        if problems.is_empty() {
            Ok(to)
        } else {
            Err(OrchestratorError::Invalid(problems))
        }
    }

    /// The names of Stampede's own attributes in which what is given changes a cluster: two
    /// spellings of one value are no change.
    pub(crate) fn changed_names(
        &self,
        from: &ClusterSpec,
        stored: &BTreeMap<String, String>,
        given: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, OrchestratorError> {
        let given: ClientAttributes = given
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let to = self.parse_changes(from, stored, &given)?;
        Ok(attributes::changed(from, &to))
    }

    /// Refuses changes of Stampede's own attributes; a client's foreign ones may change at any
    /// time, since nothing in the cloud depends on them.
    pub(crate) fn reject_own_changes(
        &self,
        record: &ClusterRecord,
        given: &BTreeMap<String, String>,
    ) -> Result<(), OrchestratorError> {
        let Some(from) = &record.spec else {
            self.parse_spec(record, given)?;
            return Ok(());
        };
        let changed = self.changed_names(from, &record.attributes, given)?;
        if changed.is_empty() {
            return Ok(());
        }
        let hint = "leave it as it is, or deploy a new cluster";
        let message = "cannot be changed in a running cluster by this version of stampede";
        let problem = |name| Problem::new(name, message, hint);
        Err(OrchestratorError::Invalid(
            changed.into_iter().map(problem).collect(),
        ))
    }
}

/// Says how long the cluster may be without jobs, within what the operator allows: by the request, or
/// by the operator's word where its frameworks tell of jobs.
fn settle_idle(
    spec: &mut ClusterSpec,
    policy: &ProjectPolicy,
    says_idle: bool,
) -> Result<(), Problem> {
    let by_policy = || policy.idle_by_policy().map(IdleLimit::WhereTold);
    spec.idle = match spec.idle {
        None => by_policy(),
        Some(limit) if says_idle => {
            policy.check_idle(limit.seconds())?;
            Some(limit)
        }
        // The operator's default, which no client can mend.
        Some(limit) => match policy.check_idle(limit.seconds()) {
            Ok(()) => limit.seconds().map(IdleLimit::WhereTold),
            Err(_) => by_policy(),
        },
    };
    Ok(())
}
