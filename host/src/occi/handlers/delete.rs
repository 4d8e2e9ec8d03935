//! DELETE of one entity. The response does not wait until the cluster's stack is gone.

use http::StatusCode;

use super::super::cluster_service::ClusterService;
use super::context::{HandlerContext, HandlerResult, entity_error};

/// DELETE of the entity of that name.
pub(super) async fn delete_entity<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    name: &str,
) -> HandlerResult {
    context.resolve(&context.user_mixins())?;
    context
        .clusters
        .delete(&context.caller, name)
        .await
        .map_err(|error| entity_error(error, name))?;
    Ok(context.renderer.render_ok(StatusCode::OK))
}
