//! GET of one entity, what clients ask for most: found for its owner, and rendered only where the
//! same was not rendered before.

use std::sync::Arc;

use super::OcciApi;
use super::clusters::{ClusterService, FoundCluster};
use super::entity::OcciEntity;
use super::handlers::{HandlerResponse, missing};
use super::render::Renderer;
use super::response_cache::ResponseKey;
use super::service_manager;
use super::user_mixin::UserMixin;
use crate::orchestrator::ClusterGroup;

impl<C: ClusterService> OcciApi<C> {
    /// The entity of that name, if it is the caller's; `groups` are his project's. The Service
    /// Manager's polls are told of failures.
    pub(super) async fn show(
        &self,
        caller: &C::Caller,
        name: &str,
        groups: &Arc<Vec<ClusterGroup>>,
        style: &Renderer<'_>,
        service_manager: bool,
    ) -> HandlerResponse {
        let found = self
            .clusters
            .find(caller, name)
            .await
            .map_err(|refused| missing(refused, name))?;
        let of = ResponseKey {
            id: found.id(),
            edition: found.edition(),
            groups,
        };
        let render = |view| style.entity(&OcciEntity::of(view, &UserMixin::all(groups)));
        if service_manager {
            let view = found.view();
            let shown = render(view.clone())?;
            return Ok(if service_manager::waits_in_vain(&view) {
                service_manager::end(shown, &view)
            } else {
                shown
            });
        }
        if let Some(answer) = self.answers.get(of, style) {
            return Ok(answer);
        }
        let answer = render(found.view())?;
        self.answers.keep(of, style, &answer);
        Ok(answer)
    }
}
