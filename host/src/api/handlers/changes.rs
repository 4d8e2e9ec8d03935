//! Changes and deletes clusters.

use http::header::IF_MATCH;
use http::{Response, StatusCode};

use super::super::json_body::json_response;
use super::super::preview_shapes::ChangeDryRun;
use super::super::problem::{ApiProblem, FieldProblem};
use super::super::request_body::{BodyFields, ClusterRequest, QueryFields};
use super::super::shapes::{ClusterChangeSchema, ClusterDetail, DeletionState};
use super::{ApiContext, ApiResult, detail_response, refuse_problems};
use crate::answer::AnswerBody;
use crate::orchestrator::{DeletionAnswer, Orchestrator, OrchestratorError};

/// Changes a running cluster: the change is checked, recorded and begun before the answer, and goes
/// on in the background. With `dry_run=true` it is planned and shown, and nothing is changed.
#[utoipa::path(patch, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(
        ("name" = String, Path, description = "The cluster's name"),
        ("dry_run" = Option<bool>, Query, description = "Plan and show it, and change nothing"),
        ("If-Match" = Option<String>, Header, description = "The revision that was looked at, in quotes as `ETag` has it: where the cluster is asked to be something else by now, the answer is 412"),
    ),
    request_body = ClusterChangeSchema,
    responses(
        (status = 200, description = "What would be changed", body = ChangeDryRun),
        (status = 202, description = "The change is begun, or there was nothing to change", body = ClusterDetail),
    ))]
pub(in super::super) async fn change_cluster(context: &ApiContext<'_>, name: &str) -> ApiResult {
    let mut problems = Vec::new();
    let query = QueryFields::read(context.query, &["dry_run"], &mut problems);
    let is_dry = query.flag("dry_run", &mut problems);
    let fields = BodyFields::Change;
    let request = ClusterRequest::read(context.headers, context.body, fields, &mut problems)?;
    let revision = read_if_match(context, &mut problems);
    let (orchestrator, caller) = (&context.api.orchestrator, &context.caller);
    if is_dry || !problems.is_empty() {
        check_revision(context, name, revision.as_deref()).await?;
        let given = request.attributes.clone();
        let previewed = orchestrator.preview_update(caller, name, given).await;
        if let Err(OrchestratorError::Invalid(found)) = &previewed {
            problems.extend(found.iter().cloned().map(FieldProblem::from));
        }
        refuse_problems(problems)?;
        return Ok(json_response(
            StatusCode::OK,
            &ChangeDryRun::from(previewed?),
        ));
    }
    let given = request.attributes;
    let changed = orchestrator
        .update_at(caller, name, given, revision.as_deref())
        .await;
    if let Err(OrchestratorError::Superseded(_)) = changed {
        // With the revision of now, by which it can be looked at again.
        check_revision(context, name, revision.as_deref()).await?;
    }
    changed?;
    let found = orchestrator.find(caller, name).await?;
    Ok(detail_response(StatusCode::ACCEPTED, &found))
}

/// The one revision that `If-Match` names; none where it names any.
fn read_if_match(context: &ApiContext<'_>, problems: &mut Vec<FieldProblem>) -> Option<String> {
    let mut lines = context.headers.get_all(IF_MATCH).iter();
    let line = lines.next()?.to_str().unwrap_or_default().trim().to_owned();
    if line == "*" && lines.next().is_none() {
        return None;
    }
    let tag = line
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_one = |tag: &&str| !tag.contains('"') && lines.next().is_none();
    let Some(tag) = tag.filter(is_one) else {
        let hint = "send what `ETag` has said, with its quotes";
        problems.push(FieldProblem::new(
            "If-Match",
            "must be one revision in quotes",
            hint,
        ));
        return None;
    };
    Some(tag.to_owned())
}

async fn check_revision(
    context: &ApiContext<'_>,
    name: &str,
    expected: Option<&str>,
) -> Result<(), ApiProblem> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = context.api.orchestrator.look(&context.caller, name).await?;
    let revision = Orchestrator::revision(&found);
    if revision == expected {
        return Ok(());
    }
    let superseded = ApiProblem::from(OrchestratorError::Superseded(name.to_owned()));
    Err(superseded.at_revision(revision))
}

/// Deletes a cluster: Heat is asked before the answer, and the cluster is gone for clients.
#[utoipa::path(delete, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    responses(
        (status = 202, description = "Heat deletes it, or will be asked again", body = DeletionState),
        (status = 204, description = "Nothing of it was in the cloud"),
    ))]
pub(in super::super) async fn delete_cluster(context: &ApiContext<'_>, name: &str) -> ApiResult {
    context.no_query()?;
    let answer = context
        .api
        .orchestrator
        .delete(&context.caller, name)
        .await?;
    let waits_for = match answer {
        DeletionAnswer::Gone => {
            let mut empty = Response::new(AnswerBody::from(""));
            *empty.status_mut() = StatusCode::NO_CONTENT;
            return Ok(empty);
        }
        DeletionAnswer::Taken => None,
        DeletionAnswer::Recorded(why) => Some(why),
    };
    let state = DeletionState {
        taken: waits_for.is_none(),
        waits_for,
    };
    Ok(json_response(StatusCode::ACCEPTED, &state))
}
