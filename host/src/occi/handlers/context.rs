//! What the handlers of one request share: the service, the caller, what was parsed and how to
//! render; and the steps that several verbs have in common.

use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tracing::Span;

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::http::negotiate::Rendering;
use super::super::http::route::query_value;
use super::super::model::categories::CategoryModel;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::render::Renderer;
use super::super::render::escape::escape_name;
use super::super::response_cache::ResponseCache;
use super::super::service_manager::ServiceManagers;
use super::super::terms::{LifecycleAction, ParsedRequest, entity_path};
use super::resolve::{ResolvedRequest, resolve_request};
use crate::addressing::ServiceUrl;
use crate::orchestrator::{
    ClientAttributes, ClusterGroup, ClusterView, MembershipChange, OrchestratorError,
};

/// A response, or the error to send instead.
pub(in crate::occi) type HandlerResult = Result<Response<Bytes>, ApiError>;

/// One request on its way to its handler.
pub(in crate::occi) struct HandlerContext<'a, C: ClusterService> {
    pub(in crate::occi) clusters: &'a C,
    pub(in crate::occi) model: &'a CategoryModel,
    pub(in crate::occi) cache: &'a ResponseCache,
    pub(in crate::occi) service_managers: &'a ServiceManagers,
    pub(in crate::occi) renderer: Renderer<'a>,
    pub(in crate::occi) caller: C::Caller,
    /// The groups of the caller's project, which its user-defined mixins are made of.
    pub(in crate::occi) groups: Arc<Vec<ClusterGroup>>,
    pub(in crate::occi) headers: &'a HeaderMap,
    pub(in crate::occi) query: &'a str,
    pub(in crate::occi) parsed: ParsedRequest,
}

impl<C: ClusterService> HandlerContext<'_, C> {
    /// The mixins of the caller's project as they are when the request comes.
    pub(super) fn user_mixins(&self) -> Vec<UserMixin> {
        UserMixin::from_groups(&self.groups)
    }

    /// The service as the client knows it.
    pub(super) fn address(&self) -> &ServiceUrl {
        self.renderer.address
    }

    /// What the request's categories and attributes mean.
    ///
    /// # Errors
    /// `UnknownCategory`.
    pub(super) fn resolve(&self, mixins: &[UserMixin]) -> Result<ResolvedRequest, ApiError> {
        resolve_request(self.model, mixins, &self.parsed)
    }

    /// The action that a POST asks for, if it does: a query with `=` says that it does, the
    /// Category says which, and where there is none the query does. The Python Service
    /// Orchestrator looks at the Category alone, so it comes before a query that says otherwise.
    ///
    /// # Errors
    /// `MissingAction`.
    pub(super) fn requested_action(
        &self,
        resolved: &ResolvedRequest,
    ) -> Result<Option<LifecycleAction>, ApiError> {
        if !self.query.contains('=') {
            return Ok(None);
        }
        let named_in_query =
            || query_value(self.query, "action").and_then(|term| LifecycleAction::from_term(&term));
        resolved
            .action
            .or_else(named_in_query)
            .map(Some)
            .ok_or(ApiError::MissingAction)
    }

    /// What a request with attributes asks of the cluster that is shown so.
    pub(super) fn requested_of(
        &self,
        view: ClusterView,
        resolved: &ResolvedRequest,
        mixins: &[UserMixin],
    ) -> ClientAttributes {
        let entity = self.describe(view, mixins);
        resolved.requested_of(&entity, self.renderer.limits)
    }

    /// Performs an action on one cluster.
    pub(super) async fn run_action(
        &self,
        action: LifecycleAction,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView, ApiError> {
        let result = match action {
            LifecycleAction::Deploy => self.clusters.deploy(&self.caller, name, attributes).await,
            LifecycleAction::Provision => {
                self.clusters
                    .provision(&self.caller, name, attributes)
                    .await
            }
        };
        result.map_err(|error| entity_error(error, name))
    }

    /// Makes the cluster a member of the user-defined mixins that the request names; returns the
    /// project's mixins as they are then.
    pub(super) async fn add_to_mixins(
        &self,
        name: &str,
        resolved: &ResolvedRequest,
        mixins: Vec<UserMixin>,
    ) -> Result<Vec<UserMixin>, ApiError> {
        for mixin in &resolved.user_mixins {
            self.clusters
                .group_members(
                    &self.caller,
                    mixin,
                    MembershipChange::Add,
                    &[name.to_owned()],
                )
                .await?;
        }
        if resolved.user_mixins.is_empty() {
            return Ok(mixins);
        }
        let groups = self.clusters.groups(&self.caller).await?;
        Ok(UserMixin::from_groups(&groups))
    }

    /// The entity of a cluster.
    pub(super) fn describe(&self, view: ClusterView, mixins: &[UserMixin]) -> OcciEntity {
        OcciEntity::from_view(view, self.model, mixins)
    }

    /// Renders a cluster.
    pub(super) fn render_view(&self, view: ClusterView, mixins: &[UserMixin]) -> HandlerResult {
        self.renderer.render_entity(&self.describe(view, mixins))
    }

    /// Renders 201 with the entity's location and, in JSON and HTML, the entity; otherwise `OK`.
    pub(super) async fn render_created(
        &self,
        view: ClusterView,
        resolved: &ResolvedRequest,
        mixins: Vec<UserMixin>,
    ) -> HandlerResult {
        let mixins = self.add_to_mixins(&view.name, resolved, mixins).await?;
        let location = format!(
            "{}{}",
            self.address().base(),
            escape_name(&entity_path(&view.name))
        );
        let mut response = match self.renderer.rendering {
            Rendering::Json | Rendering::StandardJson | Rendering::PlainJson | Rendering::Html => {
                self.render_view(view, &mixins)?
            }
            _ => self.renderer.render_ok(StatusCode::CREATED),
        };
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(
            LOCATION,
            HeaderValue::try_from(location).map_err(ApiError::internal)?,
        );
        Ok(response)
    }
}

/// The orchestrator's error about the entity of that name. What is not there is called by its path,
/// as recorded.
pub(super) fn entity_error(error: OrchestratorError, name: &str) -> ApiError {
    match error {
        OrchestratorError::NotFound(_) => ApiError::NotFound(entity_path(name)),
        other => other.into(),
    }
}

/// Notes the cluster's id in the request's span.
pub(super) fn record_cluster_id(id: &str) {
    Span::current().record("cluster.id", id);
}
