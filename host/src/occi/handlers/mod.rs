//! Serves routed, parsed and authenticated requests: one file for each verb at an entity, and one
//! for each other route. All handlers have one signature: the [`HandlerContext`] of the request,
//! and what the route names.
//!
//! Layout
//! - [`dispatch`]: route and method to handler
//! - `get`, `put`, `post`, `delete`: one entity
//! - `collection`: all entities, and those of one mixin
//! - `query`: the query interface, user-defined mixins' definitions among it
//! - `user_mixin`: members of a user-defined mixin
//! - `secret`: what an endpoint asks for
//! - `selection`: which entities of a collection a request means
//! - `context`: what handlers share; `resolve`: what the categories of a request mean

mod collection;
mod context;
mod delete;
mod get;
mod post;
mod put;
mod query;
mod resolve;
mod secret;
mod selection;
mod user_mixin;

use http::Method;

use super::cluster_service::ClusterService;
use super::error::ApiError;
use super::http::route::OcciRoute;
pub(super) use context::{HandlerContext, HandlerResult};

/// Calls the handler of a route and method; [`super::http`] has checked that they go together.
pub(super) async fn dispatch<C: ClusterService>(
    context: HandlerContext<'_, C>,
    route: OcciRoute,
    method: &Method,
) -> HandlerResult {
    match (route, method) {
        (OcciRoute::Entity(name), &Method::GET) => get::get_entity(&context, &name).await,
        // GET of an entity is by far the most frequent request. Each connection holds a future as
        // large as the largest handler; boxed, the others do not count.
        (route, method) => Box::pin(dispatch_others(context, route, method)).await,
    }
}

async fn dispatch_others<C: ClusterService>(
    context: HandlerContext<'_, C>,
    route: OcciRoute,
    method: &Method,
) -> HandlerResult {
    let context = &context;
    match (route, method) {
        (OcciRoute::Entity(name), &Method::GET) => get::get_entity(context, &name).await,
        (OcciRoute::Entity(name), &Method::PUT) => put::put_entity(context, &name).await,
        (OcciRoute::Entity(name), &Method::DELETE) => delete::delete_entity(context, &name).await,
        (OcciRoute::Entity(name), _) => post::post_entity(context, &name).await,
        (OcciRoute::Secret { cluster, endpoint }, _) => {
            secret::get_secret(context, &cluster, &endpoint).await
        }
        (OcciRoute::Collection, &Method::GET) => collection::get_collection(context).await,
        (OcciRoute::Collection, &Method::DELETE) => collection::delete_collection(context).await,
        (OcciRoute::Collection, _) => collection::post_collection(context).await,
        (OcciRoute::Query, &Method::GET) => query::get_categories(context).await,
        (OcciRoute::Query, &Method::POST) => query::post_definitions(context).await,
        (OcciRoute::Query, _) => query::delete_definitions(context).await,
        (OcciRoute::Other { path, bare }, method) => {
            dispatch_mixin(context, &path, bare.as_deref(), method).await
        }
        (OcciRoute::Root, _) => context.renderer.render_collection("/", &[]),
    }
}

/// Only the mixins tell whether there is anything at these paths; the project's own come first, since
/// they may be older than ours.
async fn dispatch_mixin<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    path: &str,
    bare: Option<&str>,
    method: &Method,
) -> HandlerResult {
    let mixins = context.user_mixins();
    for path in [path].into_iter().chain(bare) {
        if let Some(mixin) = mixins.iter().find(|mixin| mixin.location == path) {
            return match *method {
                Method::GET => user_mixin::get_members(context, mixin).await,
                Method::PUT => user_mixin::put_members(context, mixin).await,
                Method::DELETE => user_mixin::delete_members(context, mixin).await,
                _ => user_mixin::post_members(context, mixin).await,
            };
        }
        if let Some(category) = context.model.find_location(path) {
            return collection::serve_own_location(context, category, path, method).await;
        }
    }
    match (bare.map(OcciRoute::from_path), method) {
        (Some(Some(OcciRoute::Root)), &Method::GET) => context.renderer.render_collection("/", &[]),
        (Some(Some(OcciRoute::Root)), _) => Err(ApiError::MethodNotAllowed(
            OcciRoute::Root.allowed_methods(),
        )),
        _ => Err(ApiError::NotFound(bare.unwrap_or(path).to_owned())),
    }
}
