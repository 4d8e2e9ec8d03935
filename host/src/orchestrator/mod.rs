//! The life of a cluster: what the faces call. It plans, acts on the cloud, observes, and
//! remembers. It knows no HTTP, no OCCI and no HTML.
//!
//! Layout
//! - [`view`], [`refused`], [`limits`]: what the faces are shown and told
//! - `deploy`, `delete`, `change`: the verbs
//! - [`facts`], [`choose`], [`quota`], [`stack`]: what the cloud has, what is taken of it, what
//!   Heat is given
//! - [`decide`], [`observe`], `wanted`, `target`, `steps`: pure decisions
//! - `update`, `rollout`: a change to a running cluster, and its hands
//! - `reconcile`, `look`, `recover`: the hands and the eyes, and finding clusters again
//! - `book`, `sessions`: clusters in use, tokens in memory
//! - [`groups`]: groups that projects make of their clusters
//! - [`planner`]: what is needed of a plan; [`plan`]: from a spec to what Heat is given

pub mod cluster_plan;
mod cluster_registry;
mod create;
pub mod decide;
mod delete;
mod deploy;
mod desired_state;
pub mod error;
pub mod groups;
pub mod inventory;
pub mod limits;
mod merge_attributes;
pub mod planner;
pub mod quota;
mod reconcile;
mod recover;
mod refresh;
pub mod resolve;
mod rollout;
mod sessions;
pub mod stack_request;
pub mod status;
mod steps;
mod update;
pub mod view;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, Weak},
};

use futures_util::{StreamExt, stream};
use secrecy::SecretString;

use crate::{
    cluster::{
        ClusterSpec, attribute_names::AttributeNames, attributes, defaults::OperatorDefaults,
        framework::PluginDescriptor,
    },
    openstack::{CloudClient, CloudSession},
    store::{ClusterRecord, RecordStore},
};

use cluster_registry::{ClusterHandle, ClusterRegistry};
use groups::GroupCache;
use sessions::SessionRegistry;

pub use crate::store::ClusterGroup;
pub use error::OrchestratorError;
pub use groups::MembershipChange;
pub use limits::OrchestratorLimits;
pub use planner::ClusterPlanner;
pub use view::{ClusterLookup, ClusterView, CreateOutcome, LifecyclePhase, ViewVersion};

/// Names and texts of clients: attribute and value.
pub type ClientAttributes = Vec<(String, String)>;

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
}

/// The life of all clusters. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Orchestrator {
    inner: Arc<Context>,
}

struct Context {
    /// For what goes on in the background.
    me: Weak<Context>,
    host: String,
    client: CloudClient,
    planner: Arc<dyn ClusterPlanner>,
    words: AttributeNames,
    defaults: OperatorDefaults,
    limits: OrchestratorLimits,
    book: ClusterRegistry,
    sessions: SessionRegistry,
    groups: GroupCache,
    /// Projects whose stacks were looked through for clusters that the store does not know.
    recovered: Mutex<HashSet<String>>,
}

/// Who asks: one user in one project, proved by a token.
#[derive(Clone)]
pub struct Caller {
    session: CloudSession,
}

impl Caller {
    /// The project's id.
    pub fn project_id(&self) -> &str {
        &self.session.project().id
    }

    /// The user's id.
    pub fn user_id(&self) -> &str {
        &self.session.user().id
    }

    /// The project's name.
    pub fn project_name(&self) -> &str {
        &self.session.project().name
    }
}

impl Orchestrator {
    /// Reads which projects have work that a former process did not finish; it goes on with the
    /// next request of who wished it.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub async fn new(parts: OrchestratorConfig) -> Result<Self, OrchestratorError> {
        let records = parts.store.all().await?;
        let unfinished =
            |record: &&ClusterRecord| reconcile::needs_reconcile(record) || !record.is_live();
        let waiting: Vec<sessions::TokenWait> = records
            .iter()
            .filter(unfinished)
            .flat_map(sessions::any_and_owner)
            .collect();
        let inner = Arc::new_cyclic(|me| Context {
            me: Weak::clone(me),
            words: AttributeNames::from_descriptors(parts.planner.descriptors()),
            host: parts.host,
            client: parts.client,
            planner: parts.planner,
            defaults: parts.defaults,
            sessions: SessionRegistry::new(parts.limits.sessions, waiting),
            limits: parts.limits,
            recovered: Mutex::default(),
            groups: GroupCache::default(),
            book: ClusterRegistry::new(parts.store),
        });
        Ok(Self { inner })
    }

    /// Proves that the token is good for the project (its name or id).
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (another project's token), `Cloud` (Keystone cannot be asked).
    pub async fn authenticate(
        &self,
        token: SecretString,
        project: &str,
    ) -> Result<Caller, OrchestratorError> {
        let session = self.inner.client.session(token, project).await?;
        self.register_session(session).await
    }

    /// A caller who has logged in already; for the command line.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub async fn register_session(
        &self,
        session: CloudSession,
    ) -> Result<Caller, OrchestratorError> {
        if self.inner.sessions.remember_session(&session) {
            let project = &session.project().id;
            if let Err(error) = Box::pin(reconcile::resume_project(&self.inner, project)).await {
                tracing::warn!(
                    "cannot go on with what is pending in project {project}, its next request tries again: {error}"
                );
                self.inner.sessions.forget_session(&session);
                self.inner.sessions.add_waits([(project.clone(), None)]);
            }
        }
        Ok(Caller { session })
    }

    /// OCCI's PUT: the entity is there afterwards. On an existing one nothing changes and the
    /// attributes are dropped.
    ///
    /// # Errors
    /// `Invalid`, `TooMany`.
    pub async fn request(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<CreateOutcome, OrchestratorError> {
        create::create_cluster(&self.inner, caller, name, attributes).await
    }

    /// One cluster, observed at most once in `observe_every` however many ask. What is younger than
    /// `shown_age` is shown while Heat is asked. When Heat does not answer in time, what was known
    /// last, with `cloud_error`.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<ClusterLookup, OrchestratorError> {
        let entity = self.inner.find(caller, name).await?;
        let cloud_error = refresh::refresh_cluster(
            &self.inner,
            &entity,
            &caller.session,
            self.inner.limits.shown_age,
        )
        .await;
        let record = entity.record();
        let cloud_error = cloud_error.or_else(|| reconcile::rejection_reason(&entity, &record));
        if record.is_live() {
            Ok(ClusterLookup::new(record, cloud_error))
        } else {
            Err(OrchestratorError::NotFound(name.to_owned()))
        }
    }

    /// What [`Self::find`] finds, in words.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn view(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<ClusterView, OrchestratorError> {
        Ok(self.find(caller, name).await?.view())
    }

    /// All clusters of the caller's project, by name; Heat is asked about those that are on the
    /// move.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<ClusterView>, OrchestratorError> {
        if let Err(error) = recover::recover_project(&self.inner, caller).await {
            tracing::warn!(
                "cannot look for forgotten clusters of project {}: {error}",
                caller.project_name()
            );
        }
        let entities = self.inner.book.list_project(caller.project_id()).await?;
        let moving = entities
            .iter()
            .filter(|entity| status::cluster_state(&entity.record()).is_moving())
            .take(self.inner.limits.list_looks);
        // Collected before the wait: a lazy chain of closures over borrows would keep this future
        // from being `Send`.
        let looks: Vec<_> = moving
            .map(|entity| {
                refresh::refresh_cluster(
                    &self.inner,
                    entity,
                    &caller.session,
                    self.inner.limits.shown_age,
                )
            })
            .collect();
        stream::iter(looks)
            .buffer_unordered(self.inner.limits.list_looks)
            .collect::<Vec<_>>()
            .await;
        let records = entities.iter().map(|entity| (entity, entity.record()));
        Ok(records
            .filter(|(_, record)| record.is_live())
            .map(|(entity, record)| self.inner.show(entity, &record))
            .collect())
    }

    /// The clusters of the caller's project that are being deleted, those among them that could not
    /// be.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn list_deleting(
        &self,
        caller: &Caller,
    ) -> Result<Vec<ClusterView>, OrchestratorError> {
        let entities = self.inner.book.list_project(caller.project_id()).await?;
        let mut views = Vec::new();
        for entity in entities.iter().filter(|entity| !entity.record().is_live()) {
            reconcile::reconcile_if_idle(&self.inner, entity, &caller.session).await;
            // The last step may have dropped the record.
            if let Ok(record) = self.inner.book.reload(entity).await {
                views.push(self.inner.show(entity, &record));
            }
        }
        Ok(views)
    }

    /// Plans, checks everything with the cloud, and has Heat create the stack before it returns.
    /// When Heat's answer is lost, the wish stands, the view says `Planned` and why, and it is
    /// tried again in the background.
    ///
    /// # Errors
    /// `NotFound`, `NotApplicable` (deployed already), `Invalid` (all problems, nothing was
    /// created), `Forbidden`, `Unauthorized`, `Cloud`.
    pub async fn deploy(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        run_to_completion(deploy::deploy_cluster(
            Arc::clone(&self.inner),
            caller.clone(),
            name.to_owned(),
            attributes,
        ))
        .await
    }

    /// The last step of hurtle's life cycle: allowed once, after deploy.
    ///
    /// # Errors
    /// `NotFound`, `NotApplicable`, `Invalid`.
    pub async fn provision(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        run_to_completion(update::provision_cluster(
            Arc::clone(&self.inner),
            caller.clone(),
            name.to_owned(),
            attributes,
        ))
        .await
    }

    /// Merges attributes, and changes a running cluster accordingly: the change is recorded and
    /// begun before it returns, and goes on in the background. What cannot be changed in a running
    /// cluster is refused by name and nothing is changed.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `NotApplicable` (the cluster is not at rest), `Conflict` (a change is
    /// under way), `Forbidden`, `Unauthorized`, `Cloud`.
    pub async fn update(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        run_to_completion(update::update_cluster(
            Arc::clone(&self.inner),
            caller.clone(),
            name.to_owned(),
            attributes,
        ))
        .await
    }

    /// Takes the cluster away: Heat is asked before it returns, and the entity is gone for clients.
    /// When Heat cannot be asked, the wish stands and it is tried again in the background.
    ///
    /// # Errors
    /// `NotFound`, `Unauthorized` (the wish stands until the caller's next good token).
    pub async fn delete(&self, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
        run_to_completion(delete::delete_cluster(
            Arc::clone(&self.inner),
            caller.clone(),
            name.to_owned(),
        ))
        .await
    }

    /// The frameworks that can be asked for, by name; for OCCI's query interface and for forms.
    pub fn frameworks(&self) -> Vec<&PluginDescriptor> {
        self.inner.planner.descriptors()
    }

    /// Whether requests can be served: the store answers.
    ///
    /// # Errors
    /// `Internal` with what is not ready.
    pub async fn ready(&self) -> Result<(), OrchestratorError> {
        Ok(self.inner.book.store().ping().await?)
    }
}

/// Runs to its end even when whoever asked goes away in the middle.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, OrchestratorError>> + Send + 'static,
) -> Result<T, OrchestratorError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(_) => Err(OrchestratorError::Internal(
            "the host failed at this request; its log says why".to_owned(),
        )),
    }
}

impl Context {
    /// The caller's living cluster of this name; one that the store does not know is looked for in
    /// Heat, once.
    async fn find(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<ClusterHandle>, OrchestratorError> {
        match self.book.find(caller.project_id(), name).await {
            Err(OrchestratorError::NotFound(_)) => {
                Box::pin(recover::recover_project(self, caller)).await?;
                self.book.find(caller.project_id(), name).await
            }
            other => other,
        }
    }

    /// What the attributes ask for, over the operator's defaults; what is wrong with it whatever
    /// the cloud.
    fn parse(
        &self,
        name: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<ClusterSpec, OrchestratorError> {
        let pairs: ClientAttributes = given
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let spec = attributes::parse(name, &pairs, &self.defaults, &self.words)
            .map_err(OrchestratorError::Invalid)?;
        let problems = self.planner.check(&spec);
        if problems.is_empty() {
            Ok(spec)
        } else {
            Err(OrchestratorError::Invalid(problems))
        }
    }

    /// Of a deployed cluster, only attributes that are not ours may change.
    fn only_foreign(
        &self,
        record: &ClusterRecord,
        given: &BTreeMap<String, String>,
    ) -> Result<(), OrchestratorError> {
        let (before, after) = (
            self.parse(&record.name, &record.attributes)?,
            self.parse(&record.name, given)?,
        );
        let changed = attributes::changed(&before, &after);
        if changed.is_empty() {
            Ok(())
        } else {
            Err(OrchestratorError::Invalid(deploy::reject_changes(changed)))
        }
    }

    fn show(&self, entity: &ClusterHandle, record: &ClusterRecord) -> ClusterView {
        let why = entity
            .look
            .error()
            .or_else(|| reconcile::rejection_reason(entity, record));
        view::view_of(record, why.as_deref())
    }
}
