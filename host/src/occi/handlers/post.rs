//! POST to one entity: with a query it is an action (deploy, provision), without one an update of
//! attributes and mixins. Either may carry the entity as it was received: what is shown of it is no
//! wish.

use super::super::cluster_service::{ClusterService, FoundCluster as _};
use super::super::service_manager;
use super::context::{HandlerContext, HandlerResult, entity_error, record_cluster_id};

/// POST to the entity of that name.
pub(super) async fn post_entity<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    name: &str,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    let action = context.requested_action(&resolved)?;
    let found = context
        .clusters
        .find(&context.caller, name)
        .await
        .map_err(|error| entity_error(error, name))?;
    record_cluster_id(found.id());
    let view = found.view();
    let initial = view.brought.clone();
    let mut attributes = context.requested_of(view, &resolved, &mixins);
    if let Some(action) = action {
        let view = context.run_action(action, name, attributes).await?;
        return context.render_view(view, &mixins);
    }
    let managers = context.service_managers;
    if managers.is_update(context.headers, name, &attributes, &initial) {
        attributes = service_manager::drop_repeated(attributes, &initial);
    }
    let view = context
        .clusters
        .update(&context.caller, name, attributes)
        .await
        .map_err(|error| entity_error(error, name))?;
    let mixins = context.add_to_mixins(name, &resolved, mixins).await?;
    context.render_view(view, &mixins)
}
