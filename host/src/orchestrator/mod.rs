//! The life of clusters: the facade that the APIs call. It knows no HTTP, no OCCI and no HTML.
//!
//! Layout, from top to bottom; each uses only those below it
//! - `verbs`: create, deploy, provision, update, preview, form, delete, find, groups, history: one file
//!   each; what changes something is journaled by its `carry_out`
//! - [`reconcile`]: one step towards the desired state, the background worker, recovery from Heat
//! - `rollout`: a change to a running cluster: its target, its steps, and their execution
//! - `context`: what all of them share
//! - `sweeper`: lets go of what has had its time
//! - `plan_cache`: the plans of changes under way
//! - [`stack`]: what Heat is given for a cluster, and what a stack tells of its cluster (pure)
//! - [`planning`]: inventory of the cloud, resolving names, quotas, the plan
//! - [`state`]: clusters in use, observation and refresh, sessions, what clients are shown
//! - `request_origin`: through what a request came
//! - [`error`], [`limits`], `requeue`, `locks`: what everything above is built on

mod context;
pub mod error;
pub mod limits;
mod locks;
mod plan_cache;
pub mod planning;
pub mod reconcile;
mod request_origin;
mod requeue;
mod rollout;
pub mod stack;
pub mod state;
mod sweeper;
mod verbs;

use std::sync::Arc;

use secrecy::SecretString;

use crate::{
    cluster::FrameworkDescriptor,
    openstack::{CloudSession, UserLogin},
};

use context::Context;
use verbs::{
    carry_out, find, groups, orphans, preview, register_session, request_revision, secret,
    update_preview,
};

pub use crate::store::{
    ClusterGroup, RequestMark,
    request_journal::{JournalLimits, JournalPage, JournalQuery},
};
pub use context::{Caller, ClientAttributes, OrchestratorConfig};
pub use error::{FailureReason, OrchestratorError};
pub use limits::OrchestratorLimits;
pub use planning::{planner::ClusterPlanner, quota::QuotaNeed, template_diff::ResourceChanges};
pub use state::cluster_figures::ClusterFigures;
pub use state::idle_jobs::IdleView;
pub use state::view::{
    ClusterLookup, ClusterView, CreateOutcome, DeletionStage, EndpointAccess, LifecyclePhase,
    NodeView, ViewVersion,
};
pub use verbs::{
    delete::DeletionAnswer,
    form::{FormDepth, RequestForms},
    groups::MembershipChange,
    history::RequestJournal,
    orphans::OrphanStack,
    preview::{
        AttributeChange, ChangePreview, DeployPreview, NodePreview, NodeUpdatePreview, StepPreview,
    },
    request_form::{FormFramework, FormGroup, FormQuota, PreviewFile, RequestForm, RequestPreview},
};

/// The life of all clusters. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Orchestrator {
    context: Arc<Context>,
}

impl Orchestrator {
    /// Reads which projects have clusters; what a former process did not finish goes on with the
    /// next request of who asked for it.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub async fn new(parts: OrchestratorConfig) -> Result<Self, OrchestratorError> {
        let context = Context::assemble(parts).await?;
        Ok(Self { context })
    }

    /// Checks with Keystone that the token is good for the project (its name or id).
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (another project's token), `Cloud` (Keystone cannot be asked).
    pub async fn authenticate(
        &self,
        token: SecretString,
        project: &str,
    ) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.session(token, project).await?;
        self.register_session(session).await
    }

    /// The same, with the same errors, for the project that the token is scoped to.
    pub async fn authenticate_scoped(
        &self,
        token: SecretString,
    ) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.own_session(token).await?;
        self.register_session(session).await
    }

    /// Takes what a user signs in with.
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (a token of no project), `Cloud` (Keystone cannot be asked).
    pub async fn sign_in(&self, login: &UserLogin) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.login_user(login).await?;
        self.register_session(session).await
    }

    /// Ends the caller's token: what waits for it goes on with the next one.
    ///
    /// # Errors
    /// `Cloud`: Keystone cannot be asked, and the token lasts until its time is up.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), OrchestratorError> {
        self.context.state.sessions.forget_session(&caller.session);
        Ok(self.context.client.revoke(&caller.session).await?)
    }

    /// A caller who has logged in already; for the command line.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub async fn register_session(
        &self,
        session: CloudSession,
    ) -> Result<Caller, OrchestratorError> {
        register_session::register_session(&self.context, session).await
    }

    /// A caller who only looks: nothing that is pending goes on with the session.
    pub fn read_only_caller(&self, session: CloudSession) -> Caller {
        Caller::new(session)
    }

    /// Whether no service has refused the caller's login: what waits for this user goes on with it.
    pub fn knows_session(&self, caller: &Caller) -> bool {
        self.context.state.sessions.knows(&caller.session)
    }

    /// How many clusters are in memory: with something left to do, or asked for of late.
    pub fn clusters_in_memory(&self) -> usize {
        self.context.state.registry.number_in_use()
    }

    /// Why nothing in this process goes on with a cluster that has something left to do; `None`
    /// while it is worked on, and where nothing is left.
    pub fn standstill(&self, caller: &Caller, cluster_id: &str) -> Option<String> {
        find::describe_standstill(&self.context, caller, cluster_id)
    }

    /// Records a cluster that is asked for: OCCI's PUT. Of one that is there already nothing
    /// changes, and the attributes are dropped.
    ///
    /// # Errors
    /// `Invalid`, `TooMany`.
    pub async fn request(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<CreateOutcome, OrchestratorError> {
        carry_out::create(&self.context, caller, name, attributes, None).await
    }

    /// [`Self::request`], with its errors, by a request that may come again.
    pub async fn request_marked(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
        mark: &RequestMark,
    ) -> Result<CreateOutcome, OrchestratorError> {
        carry_out::create(&self.context, caller, name, attributes, Some(mark)).await
    }

    /// The living cluster of the caller's project that a request of this id was for; or `Internal`.
    pub async fn find_requested(
        &self,
        caller: &Caller,
        request_id: &str,
    ) -> Result<Option<ClusterLookup>, OrchestratorError> {
        find::find_requested(&self.context, caller, request_id).await
    }

    /// One cluster as it is known, or `NotFound`; the cloud is asked only where the store has none.
    pub async fn look(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<ClusterLookup, OrchestratorError> {
        find::look_without_asking(&self.context, caller, name).await
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
        find::look_up_cluster(&self.context, caller, name).await
    }

    /// What [`Self::find`] finds, in words; or `NotFound`.
    pub async fn view(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<ClusterView, OrchestratorError> {
        Ok(self.find(caller, name).await?.view())
    }

    /// The figures of all projects' clusters, as the store has them, the newest first; or `Internal`.
    pub async fn cluster_figures(&self) -> Result<Vec<ClusterFigures>, OrchestratorError> {
        let context = &self.context;
        context.figures.read(context.state.registry.store()).await
    }

    /// The cluster of this id as it is now, living or not; none where nothing is left of it.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn find_by_id(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Option<ClusterView>, OrchestratorError> {
        find::find_by_id(&self.context, caller, id).await
    }

    /// The secret that an endpoint asks for; without a name that of the only one that asks.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` (it asks for none), `NotApplicable`, `Forbidden`, `Unauthorized`, `Cloud`.
    pub async fn endpoint_secret(
        &self,
        caller: &Caller,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<SecretString, OrchestratorError> {
        secret::endpoint_secret(&self.context, caller, name, endpoint).await
    }

    /// All clusters of the caller's project, by name; Heat is asked about some of them.
    ///
    /// # Errors
    /// `Internal`; where the store knows none, also `Cloud`: Heat may know some.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<ClusterView>, OrchestratorError> {
        find::list_clusters(&self.context, caller).await
    }

    /// The clusters of the project that are being deleted or could not be; or `Internal`.
    pub async fn list_deleting(
        &self,
        caller: &Caller,
    ) -> Result<Vec<ClusterView>, OrchestratorError> {
        find::list_deleting(&self.context, caller).await
    }

    /// Plans, checks everything with the cloud, and has Heat create the stack before it returns.
    /// When Heat's answer is lost, the request stands, the view says `Planned` and why, and it is
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
        carry_out::deploy(&self.context, caller, name, attributes).await
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
        carry_out::provision(&self.context, caller, name, attributes).await
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
        self.update_at(caller, name, attributes, None).await
    }

    /// [`Self::update`] of a cluster that is still asked to be what it was when a form showed this
    /// revision of it, where one is given.
    ///
    /// # Errors
    /// Those of [`Self::update`], and `Superseded`: somebody else has asked for something.
    pub async fn update_at(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
        revision: Option<&str>,
    ) -> Result<ClusterView, OrchestratorError> {
        carry_out::update(&self.context, caller, name, attributes, revision).await
    }

    /// What forms show of requests that may be incomplete or wrong.
    pub fn forms(&self) -> RequestForms {
        RequestForms::new(&self.context)
    }

    /// What [`Self::update`] would do, planned and checked as there; nothing is changed.
    ///
    /// # Errors
    /// Those of [`Self::update`].
    pub async fn preview_update(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ChangePreview, OrchestratorError> {
        update_preview::preview_update(&self.context, caller, name, attributes).await
    }

    /// What [`Self::request`] and [`Self::deploy`] would make, planned and checked as there, by
    /// Heat too; nothing is recorded or created.
    ///
    /// # Errors
    /// Those of [`Self::request`] and [`Self::deploy`].
    pub async fn preview_deploy(
        &self,
        caller: &Caller,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<DeployPreview, OrchestratorError> {
        preview::preview_deploy(&self.context, caller, name, attributes).await
    }

    /// Deletes the cluster: Heat is asked before it returns, and it is gone for clients.
    /// When Heat cannot be asked, the request stands and it is tried again in the background.
    ///
    /// # Errors
    /// `NotFound`, `Unauthorized` (the request stands until the caller's next good token).
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<DeletionAnswer, OrchestratorError> {
        carry_out::delete(&self.context, caller, name).await
    }

    /// The stacks of the caller's project that are Stampede's and that no record knows, in all
    /// regions of the catalog; or `Cloud`, `Internal`.
    pub async fn list_orphans(
        &self,
        caller: &Caller,
    ) -> Result<Vec<OrphanStack>, OrchestratorError> {
        orphans::list_orphans(&self.context, caller).await
    }

    /// Takes such a stack, by its name or id or its cluster's name, into the store.
    ///
    /// # Errors
    /// `Conflict` where none or several are meant, or the name is another cluster's.
    pub async fn adopt_orphan(
        &self,
        caller: &Caller,
        named: &str,
    ) -> Result<ClusterView, OrchestratorError> {
        carry_out::adopt_orphan(&self.context, caller, named).await
    }

    /// Has Heat delete such a stack; the id by which [`Self::list_deleting`] shows it until it is
    /// gone.
    ///
    /// # Errors
    /// Those of [`Self::adopt_orphan`], `Forbidden`, `Unauthorized`.
    pub async fn delete_orphan(
        &self,
        caller: &Caller,
        named: &str,
    ) -> Result<String, OrchestratorError> {
        carry_out::delete_orphan(&self.context, caller, named).await
    }

    /// What a cluster was asked to be when it was found, as a word.
    pub fn revision(found: &ClusterLookup) -> String {
        request_revision::request_revision(found.record())
    }

    /// Who has asked for what.
    pub fn journal(&self) -> RequestJournal {
        RequestJournal::new(&self.context)
    }

    /// The frameworks that can be asked for, by name; for OCCI's query interface and for forms.
    pub fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        self.context.planner.descriptors()
    }

    /// Begins no more work, and waits at most for `limit` until what is under way has its answers.
    pub async fn settle(&self, limit: std::time::Duration) {
        self.context.state.settle(limit).await;
    }

    /// Whether requests can be served: the store answers.
    ///
    /// # Errors
    /// `Internal` with what is not ready.
    pub async fn ready(&self) -> Result<(), OrchestratorError> {
        Ok(self.context.state.registry.store().ping().await?)
    }
}

impl Orchestrator {
    /// The groups of the caller's project, by name.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn groups(
        &self,
        caller: &Caller,
    ) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
        groups::project_groups(&self.context, caller).await
    }

    /// Makes a group, without clusters. The same once more is no error.
    ///
    /// # Errors
    /// `TooMany`, `Conflict` (its name or place is in use).
    pub async fn define_group(
        &self,
        caller: &Caller,
        group: ClusterGroup,
    ) -> Result<(), OrchestratorError> {
        carry_out::define_group(&self.context, caller, group).await
    }

    /// Drops a group; its clusters stay.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn remove_group(&self, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
        carry_out::remove_group(&self.context, caller, name).await
    }

    /// Changes which clusters a group has; all of those named must be there, or nothing is changed.
    ///
    /// # Errors
    /// `NotFound` with the group's or a cluster's name.
    pub async fn group_members(
        &self,
        caller: &Caller,
        name: &str,
        how: MembershipChange,
        clusters: &[String],
    ) -> Result<(), OrchestratorError> {
        carry_out::change_members(&self.context, caller, name, how, clusters).await
    }
}
