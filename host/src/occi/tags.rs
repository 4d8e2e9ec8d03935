//! What each verb does with the mixins of a project: at the query interface they are defined and
//! deleted, at a mixin's location clusters get it and lose it.

use http::{Method, StatusCode};

use super::clusters::ClusterService;
use super::error::ApiError;
use super::handlers::{HandlerResponse, RequestHandlers};
use super::model::CategoryRef;
use super::request::ParsedRequest;
use super::syntax::category::CategoryDefinition;
use super::user_mixin::{self, UserMixin};
use crate::orchestrator::{MembershipChange, OrchestratorError};

impl<C: ClusterService> RequestHandlers<'_, C> {
    /// POST to the query interface: each category is a mixin's definition. All are looked at before
    /// the first is kept.
    pub(super) async fn define(
        self,
        described: &[CategoryDefinition],
        host: &str,
    ) -> HandlerResponse {
        if described.is_empty() {
            return Err(nothing());
        }
        let groups = described
            .iter()
            .map(|described| UserMixin::define(described, host))
            .collect::<Result<Vec<_>, _>>()?;
        let defined: Vec<UserMixin> = groups.iter().map(UserMixin::of).collect();
        for group in groups {
            self.clusters.define_group(&self.caller, group).await?;
        }
        self.style.query(defined.iter().map(CategoryRef::Own))
    }

    /// DELETE at the query interface: the mixins that are named; their clusters stay.
    pub(super) async fn undefine(self, described: &[CategoryDefinition]) -> HandlerResponse {
        if described.is_empty() {
            return Err(nothing());
        }
        let mut names = Vec::new();
        for CategoryDefinition { category, .. } in described {
            match self.model.find(&self.own, category) {
                Some(CategoryRef::Own(_)) => names.push(category.identifier()),
                Some(_) => return Err(ApiError::Reserved(category.identifier())),
                None => return Err(ApiError::UnknownCategory(category.identifier())),
            }
        }
        for name in names {
            self.clusters.remove_group(&self.caller, &name).await?;
        }
        Ok(self.style.ok(StatusCode::OK))
    }

    /// Every verb at the location of the project's mixin number `at`.
    pub(super) async fn tagged(
        self,
        method: &Method,
        at: usize,
        query: &str,
        carried: &ParsedRequest,
        host: &str,
    ) -> HandlerResponse {
        let mixin = self.own.get(at).ok_or(ApiError::Defect)?;
        if method == Method::GET {
            return self
                .list_at(&mixin.location, carried, |view| mixin.has(&view.id))
                .await;
        }
        if method == Method::POST
            && let Some(action) = self.action(query)?
        {
            return self
                .act_on_all(&mixin.location, action, |view| mixin.has(&view.id))
                .await;
        }
        let how = match *method {
            Method::PUT => MembershipChange::Only,
            Method::DELETE => MembershipChange::Remove,
            _ => MembershipChange::Add,
        };
        let names = user_mixin::names(&carried.locations, host)?;
        // All of them at once only where a PUT says so: a forgotten header is no wish.
        if names.is_empty() && how != MembershipChange::Only {
            return Err(ApiError::Malformed(
                "no X-OCCI-Location: name the clusters that are meant".to_owned(),
            ));
        }
        let done = self
            .clusters
            .group_members(&self.caller, &mixin.category.identifier(), how, &names)
            .await;
        done.map_err(|refused| match refused {
            OrchestratorError::NotFound(name) => ApiError::NotFound(super::entity::path(&name)),
            other => other.into(),
        })?;
        Ok(self.style.ok(StatusCode::OK))
    }
}

fn nothing() -> ApiError {
    ApiError::Malformed("no Category: name the mixin that is meant".to_owned())
}
