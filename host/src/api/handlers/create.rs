//! Creates a cluster, once for each id of a request, or says what would be created.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::BASE_PATH;
use super::super::json_body::json_response;
use super::super::preview_shapes::DeployDryRun;
use super::super::problem::{ApiProblem, FieldProblem};
use super::super::request_body::{BodyFields, ClusterRequest, QueryFields};
use super::super::shapes::{ClusterDetail, NewClusterSchema};
use super::{ApiContext, ApiResult, detail_response, refuse_problems};
use crate::cluster::{ClusterState, LifecyclePhase};
use crate::orchestrator::{CreateOutcome, FormDepth, OrchestratorError, RequestForm, RequestMark};

/// Creates a cluster: plans it, checks everything with the cloud, and has Heat begin. With
/// `dry_run=true` the same is checked and shown, and nothing is made. A request with an id may come
/// again: the answer is then 200 with the cluster that it has made.
#[utoipa::path(post, path = "/api/v1/clusters", tag = "clusters",
    params(
        ("dry_run" = Option<bool>, Query, description = "Check and show it, and make nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "As `request_id` in the body"),
    ),
    request_body = NewClusterSchema,
    responses(
        (status = 200, description = "The same request has made this cluster before; or, with `dry_run`, what would be made",
            body = inline(CreateAnswerSchema)),
        (status = 201, description = "It is made", body = ClusterDetail),
    ))]
pub(in super::super) async fn create_cluster(context: &ApiContext<'_>) -> ApiResult {
    let mut problems = Vec::new();
    let query = QueryFields::read(context.query, &["dry_run"], &mut problems);
    let is_dry = query.flag("dry_run", &mut problems);
    let fields = BodyFields::NewCluster;
    let request = ClusterRequest::read(context.headers, context.body, fields, &mut problems)?;
    if is_dry || !problems.is_empty() {
        let form = check(context, &request, &mut problems).await?;
        return dry_run(form, problems);
    }
    let (status, name) = make(context, &request).await?;
    let found = context
        .api
        .orchestrator
        .find(&context.caller, &name)
        .await?;
    let mut response = detail_response(status, &found);
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    if let Ok(location) = HeaderValue::from_str(&format!("{BASE_PATH}/clusters/{name}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// One of two.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateAnswer)]
#[expect(dead_code, reason = "a schema")]
#[serde(untagged)]
pub(in super::super) enum CreateAnswerSchema {
    DryRun(Box<DeployDryRun>),
    Cluster(Box<ClusterDetail>),
}

/// What the orchestrator finds of the request, beside what is wrong with its form.
async fn check(
    context: &ApiContext<'_>,
    request: &ClusterRequest,
    problems: &mut Vec<FieldProblem>,
) -> Result<RequestForm, ApiProblem> {
    let forms = context.api.orchestrator.forms();
    let given = request.attributes.clone();
    let depth = FormDepth::Whole;
    let form = forms
        .new_cluster(&context.caller, &request.name, given, depth)
        .await?;
    for problem in form.problems.iter().cloned().map(FieldProblem::from) {
        // What is missing or of a wrong type was told already.
        if !problems.iter().any(|told| told.path == problem.path) {
            problems.push(problem);
        }
    }
    Ok(form)
}

fn dry_run(form: RequestForm, problems: Vec<FieldProblem>) -> ApiResult {
    refuse_problems(problems)?;
    if let Some(obstacle) = form.refusal() {
        return Err(obstacle.into());
    }
    let planned = DeployDryRun::of_form(form);
    let planned = planned.ok_or_else(|| OrchestratorError::internal("a form has no plan"))?;
    Ok(json_response(StatusCode::OK, &planned))
}

/// Makes the cluster, or finds the one that the same request has made.
async fn make(
    context: &ApiContext<'_>,
    request: &ClusterRequest,
) -> Result<(StatusCode, String), ApiProblem> {
    let (orchestrator, caller) = (&context.api.orchestrator, &context.caller);
    let (name, attributes) = (&request.name, request.attributes.clone());
    let id = request.request_id.as_deref();
    let mark = id.map(|id| RequestMark::new(id, name, &attributes));
    let requested = match &mark {
        None => {
            orchestrator
                .request(caller, name, attributes.clone())
                .await?
        }
        Some(mark) => {
            if let Some(found) = orchestrator.find_requested(caller, &mark.id).await? {
                if found.request_mark() != Some(mark) {
                    return Err(used_for_another(&found.view().name));
                }
                if found.view().phase != LifecyclePhase::Initialised {
                    return Ok((StatusCode::OK, name.clone()));
                }
            }
            orchestrator
                .request_marked(caller, name, attributes.clone(), mark)
                .await?
        }
    };
    let is_new = matches!(requested, CreateOutcome::New(_));
    if !is_new {
        let found = orchestrator.look(caller, name).await?;
        if mark.is_none() || found.request_mark() != mark.as_ref() {
            return Err(OrchestratorError::Conflict(format!(
                "there is a cluster `{name}` in this project; take another name, or change or delete it"
            ))
            .into());
        }
    }
    match orchestrator.deploy(caller, name, attributes).await {
        Ok(_) if is_new => Ok((StatusCode::CREATED, name.clone())),
        // The same request is at work at this moment, or has been.
        Ok(_) | Err(OrchestratorError::NotApplicable(_)) if !is_new => {
            Ok((StatusCode::OK, name.clone()))
        }
        Ok(_) => Ok((StatusCode::CREATED, name.clone())),
        Err(error) => {
            // Where nothing was recorded for the cloud, the name is not to be kept either.
            let left = orchestrator.look(caller, name).await;
            if left.is_ok_and(|left| left.view().state == ClusterState::Requested)
                && let Err(error) = orchestrator.delete(caller, name).await
            {
                tracing::warn!("a cluster that was refused is still listed: {error}");
            }
            Err(error.into())
        }
    }
}

fn used_for_another(cluster: &str) -> ApiProblem {
    let message = format!("another request with this id has made the cluster `{cluster}`");
    let hint = "give each request an id of its own, and repeat a request as it was";
    ApiProblem::invalid(vec![FieldProblem::new("/request_id", message, hint)])
}
