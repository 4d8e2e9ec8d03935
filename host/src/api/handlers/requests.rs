//! Lists requests that were made before: who has asked for what, and what came of it.

use http::StatusCode;

use super::super::json_body::json_response;
use super::super::limits::{PAGE_DEFAULT, PAGE_MAX};
use super::super::problem::{ApiProblem, FieldProblem};
use super::super::request_body::QueryFields;
use super::super::request_shapes::RequestListing;
use super::{ApiContext, ApiResult, refuse_problems};
use crate::cluster::request_entry::RequestOutcome;
use crate::orchestrator::JournalQuery;

/// The requests that were made for a cluster, newest first; by its id also where it was deleted.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/requests", tag = "clusters",
    params(
        ("name" = String, Path, description = "The living cluster's name, or the id of any"),
        ("user" = Option<String>, Query, description = "Only those of the user of this id or name"),
        ("outcome" = Option<String>, Query, description = "Only those with this outcome"),
        ("limit" = Option<u32>, Query, description = "So many on a page, 1 to 500; 100 where it is not said",
            minimum = 1, maximum = 500),
        ("marker" = Option<String>, Query, description = "The number behind which the page begins: the `next_marker` of the page before"),
    ),
    responses((status = 200, body = RequestListing)))]
pub(in super::super) async fn list_cluster_requests(
    context: &ApiContext<'_>,
    cluster: &str,
) -> ApiResult {
    let mut problems = Vec::new();
    let known = ["user", "outcome", "limit", "marker"];
    let fields = QueryFields::read(context.query, &known, &mut problems);
    let query = read_query(&fields, problems)?;
    let journal = context.api.orchestrator.journal();
    let page = journal.of_cluster(&context.caller, cluster, query).await?;
    Ok(json_response(StatusCode::OK, &RequestListing::from(page)))
}

/// The requests that were made in the project, newest first. Filters are joined.
#[utoipa::path(get, path = "/api/v1/requests", tag = "clusters",
    params(
        ("cluster" = Option<String>, Query, description = "Only those for clusters of this id or name"),
        ("user" = Option<String>, Query, description = "Only those of the user of this id or name"),
        ("outcome" = Option<String>, Query, description = "Only those with this outcome"),
        ("limit" = Option<u32>, Query, description = "So many on a page, 1 to 500; 100 where it is not said",
            minimum = 1, maximum = 500),
        ("marker" = Option<String>, Query, description = "The number behind which the page begins: the `next_marker` of the page before"),
    ),
    responses((status = 200, body = RequestListing)))]
pub(in super::super) async fn list_requests(context: &ApiContext<'_>) -> ApiResult {
    let mut problems = Vec::new();
    let known = ["cluster", "user", "outcome", "limit", "marker"];
    let fields = QueryFields::read(context.query, &known, &mut problems);
    let query = JournalQuery {
        cluster: fields.get("cluster"),
        ..read_query(&fields, problems)?
    };
    let journal = context.api.orchestrator.journal();
    let page = journal.of_project(&context.caller, query).await?;
    Ok(json_response(StatusCode::OK, &RequestListing::from(page)))
}

fn read_query(
    fields: &QueryFields,
    mut problems: Vec<FieldProblem>,
) -> Result<JournalQuery<'_>, ApiProblem> {
    let limit = fields.number("limit", 1..=PAGE_MAX, &mut problems);
    let most = usize::try_from(i64::MAX).unwrap_or(usize::MAX);
    let marker = fields.number("marker", 1..=most, &mut problems);
    let outcome = fields.get("outcome").and_then(|word| {
        let found = RequestOutcome::from_word(word);
        if found.is_none() {
            let message = format!("`{word}` is no outcome of a request");
            let words = RequestOutcome::ALL.map(RequestOutcome::as_str).join(", ");
            let hint = format!("outcomes are {words}");
            problems.push(FieldProblem::new("?outcome", message, hint));
        }
        found
    });
    refuse_problems(problems)?;
    Ok(JournalQuery {
        user: fields.get("user"),
        outcome,
        before: marker.and_then(|marker| i64::try_from(marker).ok()),
        limit: limit.unwrap_or(PAGE_DEFAULT),
        ..JournalQuery::default()
    })
}
