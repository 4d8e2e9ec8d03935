//! The verbs at the location of a user-defined mixin: GET lists its members, POST adds some or
//! performs an action on all, PUT replaces them, DELETE removes some.

use http::StatusCode;

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::model::user_mixin::UserMixin;
use super::super::terms::entity_path;
use super::collection::{EntityScope, list_entities, run_on_entities};
use super::context::{HandlerContext, HandlerResult};
use super::selection::entity_names;
use crate::orchestrator::{MembershipChange, OrchestratorError};

/// GET at a mixin's location.
pub(super) async fn get_members<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    mixin: &UserMixin,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    list_entities(context, &EntityScope::members_of(mixin), &resolved, &mixins).await
}

/// POST at a mixin's location.
pub(super) async fn post_members<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    mixin: &UserMixin,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    if let Some(action) = context.requested_action(&resolved)? {
        let members = EntityScope::members_of(mixin);
        return run_on_entities(context, &members, action, &resolved, &mixins).await;
    }
    change_members(context, mixin, MembershipChange::Add).await
}

/// PUT at a mixin's location.
pub(super) async fn put_members<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    mixin: &UserMixin,
) -> HandlerResult {
    context.resolve(&context.user_mixins())?;
    change_members(context, mixin, MembershipChange::Only).await
}

/// DELETE at a mixin's location.
pub(super) async fn delete_members<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    mixin: &UserMixin,
) -> HandlerResult {
    context.resolve(&context.user_mixins())?;
    change_members(context, mixin, MembershipChange::Remove).await
}

async fn change_members<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    mixin: &UserMixin,
    change: MembershipChange,
) -> HandlerResult {
    let names = entity_names(&context.parsed.locations, context.address())?;
    // Only a PUT can mean no cluster at all, which removes every member. In the other two a missing
    // header is a mistake of the client and must not pass for success.
    if names.is_empty() && change != MembershipChange::Only {
        return Err(ApiError::Malformed(
            "no X-OCCI-Location: name the clusters that are meant".to_owned(),
        ));
    }
    let identifier = mixin.category.identifier();
    context
        .clusters
        .group_members(&context.caller, &identifier, change, &names)
        .await
        .map_err(|error| match error {
            OrchestratorError::NotFound(name) => ApiError::NotFound(entity_path(&name)),
            other => other.into(),
        })?;
    Ok(context.renderer.render_ok(StatusCode::OK))
}
