//! Frameworks, attributes, what the cloud has, and who asks.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use http::StatusCode;

use super::super::catalog_shapes::{
    AttributeList, AttributeState, FlavorList, FlavorState, FrameworkList, FrameworkState,
    ImageList, ImageState, NameList, NetworkList, NetworkState, QuotaList, QuotaState,
    SessionState, cut_list,
};
use super::super::json_body::json_response;
use super::super::problem::ApiProblem;
use super::{ApiContext, ApiResult};
use crate::cluster::attribute_schema::ATTRIBUTES;
use crate::cluster::framework::CLUSTER;
use crate::openstack::CloudError;
use crate::orchestrator::OrchestratorError;
use crate::system::utc_time::format_rfc3339;

fn of_cloud(error: CloudError) -> ApiProblem {
    OrchestratorError::from(error).into()
}

/// Who the token is of, and what it is good for.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionState)))]
pub(in super::super) async fn show_session(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let session = context.caller.session();
    let obstacle = session.refuse_without_trust().err();
    let expires = session.expires_at();
    let expires = expires.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let state = SessionState {
        user: session.user().name.clone(),
        user_id: session.user().id.clone(),
        project: session.project().name.clone(),
        project_id: session.project().id.clone(),
        roles: session.roles().to_vec(),
        region: session.region().ok().map(str::to_owned),
        regions: session
            .heat_regions()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        expires_at: expires.map(|since| format_rfc3339(since.as_secs())),
        can_deploy: obstacle.is_none(),
        obstacle: obstacle.map(|error| error.to_string()),
    };
    Ok(json_response(StatusCode::OK, &state))
}

/// The frameworks that clusters can run, with a JSON Schema of their parameters.
#[utoipa::path(get, path = "/api/v1/frameworks", tag = "frameworks",
    responses((status = 200, body = FrameworkList)))]
pub(in super::super) async fn list_frameworks(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let all = context.api.orchestrator.frameworks();
    let frameworks = all.into_iter().filter(|one| one.name != CLUSTER);
    let frameworks = frameworks.map(FrameworkState::from).collect();
    Ok(json_response(StatusCode::OK, &FrameworkList { frameworks }))
}

/// One framework. The plugin `cluster`, whose parameters every cluster has, is one here.
#[utoipa::path(get, path = "/api/v1/frameworks/{name}", tag = "frameworks",
    params(("name" = String, Path, description = "The framework's name")),
    responses((status = 200, body = FrameworkState)))]
pub(in super::super) async fn show_framework(context: &ApiContext<'_>, name: &str) -> ApiResult {
    context.no_query()?;
    let all = context.api.orchestrator.frameworks();
    let found = all.into_iter().find(|one| one.name == name);
    let found = found.ok_or_else(|| ApiProblem::no_such_framework(name))?;
    Ok(json_response(StatusCode::OK, &FrameworkState::from(found)))
}

/// Stampede's own attributes: those of the frameworks stand with these.
#[utoipa::path(get, path = "/api/v1/attributes", tag = "frameworks",
    responses((status = 200, body = AttributeList)))]
pub(in super::super) async fn list_attributes(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let attributes = ATTRIBUTES.iter().map(AttributeState::from).collect();
    Ok(json_response(StatusCode::OK, &AttributeList { attributes }))
}

/// The flavors that the project may use.
#[utoipa::path(get, path = "/api/v1/cloud/flavors", tag = "cloud",
    responses((status = 200, body = FlavorList)))]
pub(in super::super) async fn list_flavors(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let found = context.caller.session().flavors().await.map_err(of_cloud)?;
    let (flavors, truncated) = cut_list(found, FlavorState::from);
    let list = FlavorList { flavors, truncated };
    Ok(json_response(StatusCode::OK, &list))
}

/// The images that can be used, those that are hidden left out.
#[utoipa::path(get, path = "/api/v1/cloud/images", tag = "cloud",
    responses((status = 200, body = ImageList)))]
pub(in super::super) async fn list_images(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let mut found = context.caller.session().images().await.map_err(of_cloud)?;
    found.retain(|image| !image.hidden);
    let (images, truncated) = cut_list(found, ImageState::from);
    Ok(json_response(
        StatusCode::OK,
        &ImageList { images, truncated },
    ))
}

/// The user's key pairs.
#[utoipa::path(get, path = "/api/v1/cloud/keys", tag = "cloud",
    responses((status = 200, body = NameList)))]
pub(in super::super) async fn list_keys(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let found = context
        .caller
        .session()
        .keypairs()
        .await
        .map_err(of_cloud)?;
    let (names, truncated) = cut_list(found, |name| name);
    Ok(json_response(
        StatusCode::OK,
        &NameList { names, truncated },
    ))
}

/// The external networks.
#[utoipa::path(get, path = "/api/v1/cloud/networks", tag = "cloud",
    responses((status = 200, body = NetworkList)))]
pub(in super::super) async fn list_networks(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let session = context.caller.session();
    let found = session.external_networks().await.map_err(of_cloud)?;
    let (networks, truncated) = cut_list(found, NetworkState::from);
    let list = NetworkList {
        networks,
        truncated,
    };
    Ok(json_response(StatusCode::OK, &list))
}

/// The availability zones for servers; none where the cloud does not tell them.
#[utoipa::path(get, path = "/api/v1/cloud/zones", tag = "cloud",
    responses((status = 200, body = NameList)))]
pub(in super::super) async fn list_zones(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let session = context.caller.session();
    let found = session.availability_zones().await.map_err(of_cloud)?;
    let (names, truncated) = cut_list(found.unwrap_or_default(), |name| name);
    Ok(json_response(
        StatusCode::OK,
        &NameList { names, truncated },
    ))
}

/// What the project has of its quotas. Those of volumes are told where the cloud has volumes.
#[utoipa::path(get, path = "/api/v1/cloud/quotas", tag = "cloud",
    responses((status = 200, body = QuotaList)))]
pub(in super::super) async fn list_quotas(context: &ApiContext<'_>) -> ApiResult {
    context.no_query()?;
    let session = context.caller.session();
    let mut all = session.quotas().await.map_err(of_cloud)?;
    if session.has_volumes() {
        (all.volumes, all.volume_gib) = session.volume_quotas().await.map_err(of_cloud)?;
    }
    let quotas: BTreeMap<String, _> = [
        ("servers", all.servers),
        ("server_groups", all.server_groups),
        ("server_group_members", all.server_group_members),
        ("vcpus", all.vcpus),
        ("ram_mib", all.ram_mib),
        ("ports", all.ports),
        ("networks", all.networks),
        ("subnets", all.subnets),
        ("routers", all.routers),
        ("floating_ips", all.floating_ips),
        ("security_groups", all.security_groups),
        ("security_group_rules", all.security_group_rules),
        ("volumes", all.volumes),
        ("volume_gib", all.volume_gib),
    ]
    .into_iter()
    .filter_map(|(name, quota)| Some((name.to_owned(), QuotaState::from(quota?))))
    .collect();
    Ok(json_response(StatusCode::OK, &QuotaList { quotas }))
}
