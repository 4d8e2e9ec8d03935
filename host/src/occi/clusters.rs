//! What the face asks of the orchestrator, so that the face can be tried with clusters that live in
//! memory.

use std::future::Future;
use std::sync::Arc;

use secrecy::SecretString;

use crate::cluster::framework::Descriptor;
use crate::orchestrator::{
    Attributes, Caller, Edition, Found, Group, Members, Orchestrator, Refused, Requested, View,
};

/// The clusters of all projects. See [`Orchestrator`] for what each call means.
pub trait Clusters: Clone + Send + Sync + 'static {
    /// One user in one project, proved by a token.
    type Caller: Send + Sync;
    /// What [`Self::find`] finds.
    type Found: Shown;

    /// The frameworks that can be asked for.
    fn frameworks(&self) -> Vec<&Descriptor>;
    /// Whether requests can be served.
    fn ready(&self) -> impl Future<Output = Result<(), Refused>> + Send;
    /// Proves that the token is good for the project.
    fn authenticate(
        &self,
        token: SecretString,
        project: &str,
    ) -> impl Future<Output = Result<Self::Caller, Refused>> + Send;
    /// PUT.
    fn request(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: Attributes,
    ) -> impl Future<Output = Result<Requested, Refused>> + Send;
    /// GET of one.
    fn find(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<Self::Found, Refused>> + Send;
    /// GET of all.
    fn list(
        &self,
        caller: &Self::Caller,
    ) -> impl Future<Output = Result<Vec<View>, Refused>> + Send;
    /// The action `deploy`.
    fn deploy(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: Attributes,
    ) -> impl Future<Output = Result<View, Refused>> + Send;
    /// The action `provision`.
    fn provision(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: Attributes,
    ) -> impl Future<Output = Result<View, Refused>> + Send;
    /// POST.
    fn update(
        &self,
        caller: &Self::Caller,
        name: &str,
        given: Attributes,
    ) -> impl Future<Output = Result<View, Refused>> + Send;
    /// DELETE.
    fn delete(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<(), Refused>> + Send;
    /// The project's own groups: its mixins.
    fn groups(
        &self,
        caller: &Self::Caller,
    ) -> impl Future<Output = Result<Arc<Vec<Group>>, Refused>> + Send;
    /// POST of a mixin's definition.
    fn define_group(
        &self,
        caller: &Self::Caller,
        group: Group,
    ) -> impl Future<Output = Result<(), Refused>> + Send;
    /// DELETE of one.
    fn remove_group(
        &self,
        caller: &Self::Caller,
        name: &str,
    ) -> impl Future<Output = Result<(), Refused>> + Send;
    /// POST, PUT and DELETE at a mixin's location.
    fn group_members(
        &self,
        caller: &Self::Caller,
        name: &str,
        how: Members,
        clusters: &[String],
    ) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// A cluster as it was found: its words are made only where they are asked for.
pub trait Shown: Send + Sync {
    /// The cluster's own id.
    fn id(&self) -> &str;
    /// Where it is the same, so is the view.
    fn edition(&self) -> &Edition;
    /// What its owner sees.
    fn view(&self) -> View;
}

impl Shown for Found {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn edition(&self) -> &Edition {
        Self::edition(self)
    }

    fn view(&self) -> View {
        Self::view(self)
    }
}

impl Clusters for Orchestrator {
    type Caller = Caller;
    type Found = Found;

    fn frameworks(&self) -> Vec<&Descriptor> {
        Self::frameworks(self)
    }

    async fn ready(&self) -> Result<(), Refused> {
        Self::ready(self).await
    }

    async fn authenticate(&self, token: SecretString, project: &str) -> Result<Caller, Refused> {
        Self::authenticate(self, token, project).await
    }

    async fn request(
        &self,
        caller: &Caller,
        name: &str,
        given: Attributes,
    ) -> Result<Requested, Refused> {
        Self::request(self, caller, name, given).await
    }

    async fn find(&self, caller: &Caller, name: &str) -> Result<Found, Refused> {
        Self::find(self, caller, name).await
    }

    async fn list(&self, caller: &Caller) -> Result<Vec<View>, Refused> {
        Self::list(self, caller).await
    }

    async fn deploy(
        &self,
        caller: &Caller,
        name: &str,
        given: Attributes,
    ) -> Result<View, Refused> {
        Self::deploy(self, caller, name, given).await
    }

    async fn provision(
        &self,
        caller: &Caller,
        name: &str,
        given: Attributes,
    ) -> Result<View, Refused> {
        Self::provision(self, caller, name, given).await
    }

    async fn update(
        &self,
        caller: &Caller,
        name: &str,
        given: Attributes,
    ) -> Result<View, Refused> {
        Self::update(self, caller, name, given).await
    }

    async fn delete(&self, caller: &Caller, name: &str) -> Result<(), Refused> {
        Self::delete(self, caller, name).await
    }

    async fn groups(&self, caller: &Caller) -> Result<Arc<Vec<Group>>, Refused> {
        Self::groups(self, caller).await
    }

    async fn define_group(&self, caller: &Caller, group: Group) -> Result<(), Refused> {
        Self::define_group(self, caller, group).await
    }

    async fn remove_group(&self, caller: &Caller, name: &str) -> Result<(), Refused> {
        Self::remove_group(self, caller, name).await
    }

    async fn group_members(
        &self,
        caller: &Caller,
        name: &str,
        how: Members,
        clusters: &[String],
    ) -> Result<(), Refused> {
        Self::group_members(self, caller, name, how, clusters).await
    }
}
