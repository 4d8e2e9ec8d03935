//! What each route answers: one file for what belongs together. The attribute above each function is
//! its place in the API's document.

pub(super) mod changes;
pub(super) mod clusters;
pub(super) mod create;
pub(super) mod events;
pub(super) mod lists;
pub(super) mod requests;

use http::header::ETAG;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::JsonApi;
use super::credentials::ApiCredentials;
use super::json_body::json_response;
use super::problem::{ApiProblem, FieldProblem};
use super::request_body::QueryFields;
use super::shapes::ClusterDetail;
use crate::answer::AnswerBody;
use crate::orchestrator::{Caller, ClusterLookup};

/// An answer, or why there is none.
pub(super) type ApiResult = Result<Response<AnswerBody>, ApiProblem>;

/// What a handler is given.
pub(super) struct ApiContext<'a> {
    pub(super) api: &'a JsonApi,
    pub(super) caller: Caller,
    pub(super) credentials: ApiCredentials,
    pub(super) query: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Whether only the head of the answer is sent.
    pub(super) is_head: bool,
}

impl ApiContext<'_> {
    /// Refuses a query where there is none to be.
    fn no_query(&self) -> Result<(), ApiProblem> {
        let mut problems = Vec::new();
        QueryFields::read(self.query, &[], &mut problems);
        refuse_problems(problems)
    }
}

fn refuse_problems(problems: Vec<FieldProblem>) -> Result<(), ApiProblem> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ApiProblem::invalid(problems))
    }
}

/// The answer with all that is known of a cluster.
fn detail_response(status: StatusCode, found: &ClusterLookup) -> Response<AnswerBody> {
    let detail = ClusterDetail::from(found);
    let mut response = json_response(status, &detail);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", detail.revision)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
