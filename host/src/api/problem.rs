//! Every reason for which a request is not served, as RFC 9457 has it: `application/problem+json`
//! with the status, and all problems of a request at once.

use http::header::ALLOW;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use super::json_body::build_json;
use crate::addressing::AddressError;
use crate::answer::AnswerBody;

/// The media type.
const PROBLEM_JSON: &str = "application/problem+json";
/// Before the code of a problem, in its `type`.
const TYPE_PREFIX: &str = "urn:x-stampede:problem:";

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body, `?NAME` for a query's field, a header's name, or empty
    /// where it is no one place.
    pub path: String,
    /// The attribute that it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// The body of an answer to a request that is not served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemDetails {
    /// Names the kind of problem, and stays the same: `urn:x-stampede:problem:not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong, as a sentence or as a line for each problem.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// All that is wrong with the request; empty where it is not the request.
    pub problems: Vec<FieldProblem>,
}

/// Why a request is not served.
#[derive(Debug)]
pub struct ApiProblem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    problems: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiProblem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            status,
            code,
            title,
            detail,
            problems: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// There is nothing at this path.
    pub(super) fn no_such_path(path: &str) -> Self {
        let detail = format!("there is nothing at `{path}`; the paths are in /api/v1/openapi.json");
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "no such path",
            detail,
        )
    }

    /// The path does not know the method.
    pub(super) fn method_not_allowed(allowed: &[Method]) -> Self {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let names = names.join(", ");
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "the path does not know this method",
            format!("use {names}"),
        );
        if let Ok(allow) = HeaderValue::from_str(&names) {
            problem.headers.push((ALLOW, allow));
        }
        problem
    }

    /// The answer.
    pub(super) fn render(self, path: &str) -> Response<AnswerBody> {
        let details = ProblemDetails {
            kind: format!("{TYPE_PREFIX}{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            instance: path.to_owned(),
            problems: self.problems,
        };
        let mut response = build_json(self.status, PROBLEM_JSON, &details);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<AddressError> for ApiProblem {
    fn from(error: AddressError) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "address",
            "a header does not say how this service is known",
            error.to_string(),
        )
    }
}
