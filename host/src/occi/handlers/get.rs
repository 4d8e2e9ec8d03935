//! GET of one entity, from the response cache where possible. It is the most frequent request, so
//! the view and the mixins are made only on a miss.

use super::super::cluster_service::{ClusterService, FoundCluster};
use super::super::response_cache::ResponseKey;
use super::super::service_manager;
use super::context::{HandlerContext, HandlerResult, entity_error, record_cluster_id};
use crate::orchestrator::ClusterView;

/// GET of the entity of that name, if it is the caller's. Polls of the Service Manager are told of
/// failures by their status.
pub(super) async fn get_entity<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    name: &str,
) -> HandlerResult {
    if !context.parsed.categories.is_empty() {
        // They change nothing in a GET, but must be known ones, as in other requests.
        context.resolve(&context.user_mixins())?;
    }
    let found = context
        .clusters
        .find(&context.caller, name)
        .await
        .map_err(|error| entity_error(error, name))?;
    record_cluster_id(found.id());
    let render = |view: ClusterView| context.render_view(view, &context.user_mixins());
    if context.service_managers.is_poll(context.headers, name) {
        // Not cached: status and reason depend on more than the entity.
        let view = found.view();
        let response = render(view.clone())?;
        return Ok(if service_manager::has_failed_for_good(&view) {
            service_manager::fail_poll(response, &view)
        } else {
            response
        });
    }
    let key = ResponseKey {
        id: found.id(),
        version: found.edition(),
        groups: &context.groups,
        rendering: context.renderer.rendering,
        base: context.address().base(),
    };
    if let Some(response) = context.cache.find_response(key) {
        return Ok(response);
    }
    let response = render(found.view())?;
    context.cache.store_response(key, &response);
    Ok(response)
}
