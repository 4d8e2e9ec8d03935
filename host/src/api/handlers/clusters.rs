//! Lists and shows clusters, the way to their nodes, and the secrets of their endpoints.

use http::StatusCode;
use secrecy::ExposeSecret as _;

use super::super::access_shapes::AccessDetail;
use super::super::json_body::json_response;
use super::super::limits::{PAGE_DEFAULT, PAGE_MAX};
use super::super::problem::FieldProblem;
use super::super::request_body::QueryFields;
use super::super::shapes::{ClusterDetail, ClusterListing, ClusterSummary, EndpointSecret};
use super::{ApiContext, ApiResult, detail_response, refuse_problems};
use crate::orchestrator::{ClusterView, OrchestratorError};

/// The states by which a list can be filtered.
const STATES: [&str; 9] = [
    "requested",
    "planned",
    "deploying",
    "active",
    "updating",
    "suspended",
    "deleting",
    "deleted",
    "failed",
];

/// The clusters of the project, by name. Filters are joined; `name` is a part of a name.
#[utoipa::path(get, path = "/api/v1/clusters", tag = "clusters",
    params(
        ("state" = Option<String>, Query, description = "Only those in this state"),
        ("framework" = Option<String>, Query, description = "Only those with this framework"),
        ("name" = Option<String>, Query, description = "Only those whose name has this in it"),
        ("deleting" = Option<bool>, Query, description = "Only those whose deletion was asked for and has not come to its end; else those are left out"),
        ("limit" = Option<u32>, Query, description = "So many on a page, 1 to 500; 100 where it is not said",
            minimum = 1, maximum = 500),
        ("marker" = Option<String>, Query, description = "The name behind which the page begins: the `next_marker` of the page before"),
    ),
    responses((status = 200, body = ClusterListing)))]
pub(in super::super) async fn list_clusters(context: &ApiContext<'_>) -> ApiResult {
    let mut problems = Vec::new();
    let known = ["state", "framework", "name", "deleting", "limit", "marker"];
    let query = QueryFields::read(context.query, &known, &mut problems);
    let limit = query.number("limit", 1..=PAGE_MAX, &mut problems);
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if let Some(state) = query.get("state").filter(|state| !STATES.contains(state)) {
        let message = format!("`{state}` is no state of a cluster");
        let hint = format!("states are {}", STATES.join(", "));
        problems.push(FieldProblem::new("?state", message, hint));
    }
    let is_deleting = query.flag("deleting", &mut problems);
    refuse_problems(problems)?;
    let (orchestrator, caller) = (&context.api.orchestrator, &context.caller);
    let mut views = if is_deleting {
        orchestrator.list_deleting(caller).await?
    } else {
        orchestrator.list(caller).await?
    };
    let total = views.len();
    let is_meant = |view: &ClusterView| {
        let is = |name: &str, holds: &dyn Fn(&str) -> bool| query.get(name).is_none_or(holds);
        is("state", &|state| view.state.as_str() == state)
            && is("framework", &|asked| {
                view.frameworks.iter().any(|one| one == asked)
            })
            && is("name", &|part| view.name.contains(part))
    };
    views.retain(is_meant);
    views.sort_by(|one, other| (&one.name, &one.region).cmp(&(&other.name, &other.region)));
    let matching = views.len();
    if let Some(marker) = query.get("marker") {
        views.retain(|view| view.name.as_str() > marker);
    }
    let has_more = views.len() > limit;
    views.truncate(limit);
    let last = views.last().map(|view| view.name.clone());
    let page = ClusterListing {
        clusters: views.into_iter().map(ClusterSummary::from).collect(),
        matching,
        total,
        next_marker: last.filter(|_| has_more),
    };
    Ok(json_response(StatusCode::OK, &page))
}

/// A cluster with everything that is known of it; its revision is the header `ETag`, too.
#[utoipa::path(get, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    responses((status = 200, body = ClusterDetail)))]
pub(in super::super) async fn show_cluster(context: &ApiContext<'_>, name: &str) -> ApiResult {
    context.no_query()?;
    let found = context.api.orchestrator.find(&context.caller, name).await?;
    Ok(detail_response(StatusCode::OK, &found))
}

/// How a person gets to its nodes by SSH. 409 while it is not deployed.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/access", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    responses((status = 200, body = AccessDetail)))]
pub(in super::super) async fn show_access(context: &ApiContext<'_>, name: &str) -> ApiResult {
    context.no_query()?;
    let found = context.api.orchestrator.find(&context.caller, name).await?;
    let access = found.node_access().ok_or_else(|| {
        let message = format!("`{name}` is not deployed yet, so that it has no nodes");
        OrchestratorError::Conflict(message)
    })?;
    Ok(json_response(StatusCode::OK, &AccessDetail::from(access)))
}

/// The secret that an endpoint asks its users for. It is asked for, and shown to members of the
/// project, but kept nowhere.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/endpoints/{endpoint}/secret", tag = "clusters",
    params(
        ("name" = String, Path, description = "The cluster's name"),
        ("endpoint" = String, Path, description = "The endpoint's name"),
    ),
    responses((status = 200, body = EndpointSecret)))]
pub(in super::super) async fn show_secret(
    context: &ApiContext<'_>,
    cluster: &str,
    endpoint: &str,
) -> ApiResult {
    context.no_query()?;
    let orchestrator = &context.api.orchestrator;
    let secret = orchestrator
        .endpoint_secret(&context.caller, cluster, Some(endpoint))
        .await?;
    let shown = EndpointSecret {
        secret: secret.expose_secret().to_owned(),
    };
    Ok(json_response(StatusCode::OK, &shown))
}
