//! PUT of one entity: creates the cluster's record unless it is there already. PUT is repeatable,
//! and a repeated one changes nothing.

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::context::{HandlerContext, HandlerResult, record_cluster_id};
use crate::orchestrator::CreateOutcome;

/// PUT of the entity of that name.
pub(super) async fn put_entity<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    name: &str,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    if !resolved.has_kind {
        return Err(ApiError::MissingKind);
    }
    let outcome = context
        .clusters
        .request(&context.caller, name, resolved.initial_attributes())
        .await?;
    match outcome {
        CreateOutcome::Existing(view) => {
            record_cluster_id(&view.id);
            context.render_view(view, &mixins)
        }
        CreateOutcome::New(view) => {
            record_cluster_id(&view.id);
            context.render_created(view, &resolved, mixins).await
        }
    }
}
