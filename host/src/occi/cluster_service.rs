//! The calls that this API makes to the orchestrator, as a trait: tests serve it with clusters in
//! memory instead.

use std::future::Future;
use std::sync::Arc;

use secrecy::SecretString;

use crate::cluster::{FrameworkDescriptor, request_entry::RequestFace};
use crate::orchestrator::{
    Caller, ClientAttributes, ClusterGroup, ClusterLookup, ClusterView, CreateOutcome,
    MembershipChange, Orchestrator, OrchestratorError, ViewVersion,
};

/// The clusters of all projects. See [`Orchestrator`] for what each call means.
pub trait ClusterService: Clone + Send + Sync + 'static {
    /// One user in one project, authenticated by a token.
    type Caller: Send + Sync;
    /// The result of [`Self::find`].
    type Found: FoundCluster;

    /// The frameworks that clusters can run.
    fn frameworks(&self) -> Vec<&FrameworkDescriptor>;
    /// Whether requests can be served.
    fn ready(&self) -> impl Future<Output = Result<(), OrchestratorError>> + Send;
    /// Validates the token for the project, of a client that asks through this face.
    fn authenticate(
        &self,
        token: SecretString,
        project: &str,
        face: RequestFace,
    ) -> impl Future<Output = Result<Self::Caller, OrchestratorError>> + Send;
    /// PUT.
    fn request(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: ClientAttributes,
    ) -> impl Future<Output = Result<CreateOutcome, OrchestratorError>> + Send;
    /// GET of one.
    fn find(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<Self::Found, OrchestratorError>> + Send;
    /// GET of the secret that an endpoint asks for.
    fn endpoint_secret(
        &self,
        caller: &Self::Caller,
        name: &str,
        endpoint: Option<&str>,
    ) -> impl Future<Output = Result<SecretString, OrchestratorError>> + Send;
    /// GET of all.
    fn list(
        &self,
        caller: &Self::Caller,
    ) -> impl Future<Output = Result<Vec<ClusterView>, OrchestratorError>> + Send;
    /// The action `deploy`.
    fn deploy(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: ClientAttributes,
    ) -> impl Future<Output = Result<ClusterView, OrchestratorError>> + Send;
    /// The action `provision`.
    fn provision(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: ClientAttributes,
    ) -> impl Future<Output = Result<ClusterView, OrchestratorError>> + Send;
    /// POST.
    fn update(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: ClientAttributes,
    ) -> impl Future<Output = Result<ClusterView, OrchestratorError>> + Send;
    /// DELETE.
    fn delete(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<(), OrchestratorError>> + Send;
    /// The project's groups: its user-defined mixins.
    fn groups(
        &self,
        caller: &Self::Caller,
    ) -> impl Future<Output = Result<Arc<Vec<ClusterGroup>>, OrchestratorError>> + Send;
    /// POST of a mixin's definition.
    fn define_group(
        &self,
        caller: &Self::Caller,
        group: ClusterGroup,
    ) -> impl Future<Output = Result<(), OrchestratorError>> + Send;
    /// DELETE of one.
    fn remove_group(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<(), OrchestratorError>> + Send;
    /// POST, PUT and DELETE at a mixin's location.
    fn group_members(
        &self,
        caller: &Self::Caller,
        name: &str,
        how: MembershipChange,
        clusters: &[String],
    ) -> impl Future<Output = Result<(), OrchestratorError>> + Send;
}

/// A cluster that was found for its owner. Its view is made on demand, since a cached response
/// needs none.
pub trait FoundCluster: Send + Sync {
    /// The cluster's own id.
    fn id(&self) -> &str;
    /// Equal versions have equal views.
    fn edition(&self) -> &ViewVersion;
    /// What its owner is shown.
    fn view(&self) -> ClusterView;
}

impl FoundCluster for ClusterLookup {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn edition(&self) -> &ViewVersion {
        Self::edition(self)
    }

    fn view(&self) -> ClusterView {
        Self::view(self)
    }
}

impl ClusterService for Orchestrator {
    type Caller = Caller;
    type Found = ClusterLookup;

    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        Self::frameworks(self)
    }

    async fn ready(&self) -> Result<(), OrchestratorError> {
        Self::ready(self).await
    }

    async fn authenticate(
        &self,
        token: SecretString,
        project: &str,
        face: RequestFace,
    ) -> Result<Caller, OrchestratorError> {
        let caller = Self::authenticate(self, token, project).await?;
        Ok(caller.through(face))
    }

    async fn request(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
    ) -> Result<CreateOutcome, OrchestratorError> {
        Self::request(self, caller, name, given).await
    }

    async fn find(&self, caller: &Caller, name: &str) -> Result<ClusterLookup, OrchestratorError> {
        Self::find(self, caller, name).await
    }

    async fn endpoint_secret(
        &self,
        caller: &Caller,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<SecretString, OrchestratorError> {
        Self::endpoint_secret(self, caller, name, endpoint).await
    }

    async fn list(&self, caller: &Caller) -> Result<Vec<ClusterView>, OrchestratorError> {
        Self::list(self, caller).await
    }

    async fn deploy(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        Self::deploy(self, caller, name, given).await
    }

    async fn provision(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        Self::provision(self, caller, name, given).await
    }

    async fn update(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        Self::update(self, caller, name, given).await
    }

    async fn delete(&self, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
        Self::delete(self, caller, name).await.map(drop)
    }

    async fn groups(&self, caller: &Caller) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
        Self::groups(self, caller).await
    }

    async fn define_group(
        &self,
        caller: &Caller,
        group: ClusterGroup,
    ) -> Result<(), OrchestratorError> {
        Self::define_group(self, caller, group).await
    }

    async fn remove_group(&self, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
        Self::remove_group(self, caller, name).await
    }

    async fn group_members(
        &self,
        caller: &Caller,
        name: &str,
        how: MembershipChange,
        clusters: &[String],
    ) -> Result<(), OrchestratorError> {
        Self::group_members(self, caller, name, how, clusters).await
    }
}
