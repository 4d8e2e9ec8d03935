//! Every reason for which a request is not served, as RFC 9457 has it: `application/problem+json`
//! with the status, and all problems of a request at once.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::json_body::build_json;
use crate::addressing::AddressError;
use crate::answer::{AnswerBody, StreamRefusal};
use crate::cluster::Problem;
use crate::orchestrator::OrchestratorError;

/// The media type.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// Before the code of a problem, in its `type`.
const TYPE_PREFIX: &str = "urn:x-stampede:problem:";
/// What is told of defects of this host.
const INTERNAL_TEXT: &str = "the host failed to answer; its log says more";
/// When to come again where all streams are taken, in seconds.
const STREAM_RETRY_S: u32 = 5;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body (`/attributes/hadoop.replication`), `?NAME` for a query's field, a
    /// header's name, or empty where it is no one place.
    #[schema(example = "/attributes/hadoop.replication")]
    pub path: String,
    /// The attribute that it is about; null where it is about none.
    #[schema(example = "hadoop.replication")]
    pub attribute: Option<String>,
    /// What is wrong.
    #[schema(example = "must be a whole number, got `two`")]
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl FieldProblem {
    /// One of no attribute.
    pub(super) fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            attribute: None,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<Problem> for FieldProblem {
    /// The orchestrator names an attribute, or what is wrong besides.
    fn from(problem: Problem) -> Self {
        let path = match problem.path.as_str() {
            "name" | "request_id" | "attributes" => pointer(&[&problem.path]),
            "" | "cloud" | "quota" | "ENDPOINT" => String::new(),
            attribute => pointer(&["attributes", attribute]),
        };
        Self {
            attribute: path.starts_with("/attributes/").then_some(problem.path),
            path,
            message: problem.message,
            hint: problem.hint,
        }
    }
}

/// A JSON pointer to what these names lead to.
pub(super) fn pointer(names: &[&str]) -> String {
    let escaped = names
        .iter()
        .map(|name| name.replace('~', "~0").replace('/', "~1"));
    escaped.map(|name| format!("/{name}")).collect()
}

/// The body of an answer to a request that is not served (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// Names the kind of problem, and stays the same.
    #[serde(rename = "type")]
    #[schema(example = "urn:x-stampede:problem:invalid")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong, as a sentence or as a line for each problem.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// All that is wrong with the request; empty where it is not the request.
    pub problems: Vec<FieldProblem>,
    /// The cluster's revision now; null but where another one was expected.
    pub current_revision: Option<String>,
}

/// Why a request is not served.
#[derive(Debug)]
pub struct ApiProblem {
    pub(super) status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Box<str>,
    problems: Vec<FieldProblem>,
    current_revision: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiProblem {
    fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let detail: String = detail.into();
        Self {
            status,
            code,
            title,
            detail: detail.into_boxed_str(),
            problems: Vec::new(),
            current_revision: None,
            headers: Vec::new(),
        }
    }

    fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
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
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "the path does not know this method",
            format!("use {names}"),
        );
        match HeaderValue::from_str(&names) {
            Ok(allow) => problem.with_header(ALLOW, allow),
            Err(_) => problem,
        }
    }

    /// There is no token. A cookie is none.
    pub(super) fn no_token() -> Self {
        Self::unauthorized("send a token of the cloud in the header X-Auth-Token")
    }

    fn unauthorized(detail: impl Into<String>) -> Self {
        let title = "the token is missing, wrong or over";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Keystone"))
    }

    /// A header that is no text.
    pub(super) fn bad_header(name: &str) -> Self {
        let detail = format!("header {name}: expected one line of UTF-8");
        Self::new(
            StatusCode::BAD_REQUEST,
            "header",
            "a header cannot be read",
            detail,
        )
    }

    /// The body is no JSON.
    pub(super) fn malformed_json(why: &str) -> Self {
        let title = "the body is not JSON";
        Self::new(StatusCode::BAD_REQUEST, "malformed-json", title, why)
    }

    /// The body is of another type.
    pub(super) fn unknown_type(kind: &str) -> Self {
        let detail = format!("`{kind}` is not understood; use application/json");
        let title = "the body is of an unknown type";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            title,
            detail,
        )
    }

    /// All that is wrong with a request.
    pub(super) fn invalid(problems: Vec<FieldProblem>) -> Self {
        let line = |problem: &FieldProblem| match problem.path.as_str() {
            "" => problem.message.clone(),
            path => format!("{path}: {}", problem.message),
        };
        let lines: Vec<String> = problems.iter().map(line).collect();
        let title = "the request is wrong";
        Self {
            problems,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
                lines.join("\n"),
            )
        }
    }

    /// The server's limits refuse it before this API is asked.
    pub(super) fn of_limits(status: StatusCode, why: &str) -> Self {
        let (code, title) = match status {
            StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "the body is too large"),
            StatusCode::REQUEST_TIMEOUT => ("too-slow", "the body did not come in time"),
            StatusCode::SERVICE_UNAVAILABLE => ("busy", "come again"),
            _ => ("malformed", "the request cannot be read"),
        };
        Self::new(status, code, title, why)
    }

    /// The framework is not there.
    pub(super) fn no_such_framework(name: &str) -> Self {
        let detail = format!("no framework `{name}`; GET /api/v1/frameworks lists them");
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "there is no such thing",
            detail,
        )
    }

    /// The same, with the cluster's revision now.
    pub(super) fn at_revision(mut self, revision: String) -> Self {
        self.current_revision = Some(revision.into());
        self
    }

    /// Whether it is the token that is not good.
    pub(super) fn is_of_token(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }

    /// Logs what the operator can mend; mistakes of clients are told to the client alone, since the
    /// texts quote what it sent.
    pub(super) fn log(&self, path: &str) {
        let (status, code) = (self.status.as_u16(), self.code);
        match status {
            500 => tracing::error!(path, status, code, "failed: {}", self.detail),
            502 | 503 => tracing::warn!(path, status, code, "not done: {}", self.detail),
            _ => tracing::debug!(path, status, code, "refused"),
        }
    }

    /// What is told.
    pub(super) fn details(&self, path: &str) -> ProblemDetails {
        // The store's and the disk's errors name paths of this machine.
        let is_internal = self.status == StatusCode::INTERNAL_SERVER_ERROR;
        let detail = if is_internal {
            INTERNAL_TEXT
        } else {
            &*self.detail
        };
        ProblemDetails {
            kind: format!("{TYPE_PREFIX}{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: detail.to_owned(),
            instance: path.to_owned(),
            problems: self.problems.clone(),
            current_revision: self.current_revision.clone().map(String::from),
        }
    }

    /// The answer.
    pub(super) fn render(self, path: &str) -> Response<AnswerBody> {
        self.log(path);
        self.render_unlogged(path)
    }

    /// The answer, of which the log is to know nothing: clients could fill it.
    pub(super) fn render_unlogged(self, path: &str) -> Response<AnswerBody> {
        let mut response = build_json(self.status, PROBLEM_JSON, &self.details(path));
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<StreamRefusal> for ApiProblem {
    fn from(refusal: StreamRefusal) -> Self {
        let (status, code, whose) = match refusal {
            StreamRefusal::Host => (StatusCode::SERVICE_UNAVAILABLE, "busy", "this host serves"),
            StreamRefusal::Project => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-streams",
                "one project may have",
            ),
        };
        let detail =
            format!("as many streams are open as {whose}; ask for the cluster now and then");
        Self::new(status, code, "too many streams", detail).with_header(RETRY_AFTER, STREAM_RETRY_S)
    }
}

impl From<AddressError> for ApiProblem {
    fn from(error: AddressError) -> Self {
        let title = "a header does not say how this service is known";
        Self::new(StatusCode::BAD_REQUEST, "address", title, error.to_string())
    }
}

impl From<OrchestratorError> for ApiProblem {
    fn from(error: OrchestratorError) -> Self {
        use OrchestratorError as E;
        let text = error.to_string();
        match error {
            E::Invalid(problems) => {
                Self::invalid(problems.into_iter().map(FieldProblem::from).collect())
            }
            E::NotFound(_) => Self::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "there is no such thing",
                text,
            ),
            E::NotApplicable(_) => Self::new(
                StatusCode::CONFLICT,
                "not-applicable",
                "the cluster's state does not allow it",
                text,
            ),
            E::Unauthorized(_) => Self::unauthorized(text),
            E::Forbidden(_) => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "the token is not good for this",
                text,
            ),
            E::Conflict(_) => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "something stands in the way",
                text,
            ),
            E::TooMany(_) => {
                Self::new(StatusCode::CONFLICT, "too-many", "a limit is reached", text)
            }
            E::Superseded(_) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "superseded",
                "the cluster is asked to be something else by now",
                text,
            ),
            E::Cloud(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "cloud",
                "the cloud failed or cannot be reached",
                text,
            ),
            E::Internal(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the host failed",
                text,
            ),
            E::Outdated(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "come again", text)
                    .with_header(RETRY_AFTER, 1u32)
            }
            E::Busy { retry_after_s } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "come again", text)
                    .with_header(RETRY_AFTER, retry_after_s)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_status_and_its_code() {
        let problem = Problem::new("workers", "must be a whole number, got `two`", "");
        for (error, status, code) in [
            (OrchestratorError::NotFound("x".into()), 404, "not-found"),
            (
                OrchestratorError::NotApplicable("x".into()),
                409,
                "not-applicable",
            ),
            (OrchestratorError::Invalid(vec![problem]), 422, "invalid"),
            (
                OrchestratorError::Unauthorized("x".into()),
                401,
                "unauthorized",
            ),
            (OrchestratorError::Forbidden("x".into()), 403, "forbidden"),
            (OrchestratorError::Conflict("x".into()), 409, "conflict"),
            (OrchestratorError::TooMany("x".into()), 409, "too-many"),
            (OrchestratorError::Superseded("x".into()), 412, "superseded"),
            (OrchestratorError::Cloud("x".into()), 502, "cloud"),
            (OrchestratorError::Internal("x".into()), 500, "internal"),
            (OrchestratorError::Busy { retry_after_s: 3 }, 503, "busy"),
        ] {
            let problem = ApiProblem::from(error);
            let details = problem.details("/p");
            assert_eq!((details.status, problem.code), (status, code));
        }
    }

    #[test]
    fn inner_failures_do_not_leak_and_busy_hosts_say_when() {
        let inner = OrchestratorError::Internal("disk /var/lib/x is full".into());
        let details = ApiProblem::from(inner).details("/p");
        assert_eq!(details.detail, INTERNAL_TEXT);
        let busy = ApiProblem::from(OrchestratorError::Busy { retry_after_s: 3 }).render("/p");
        assert_eq!(busy.headers()[RETRY_AFTER], "3");
    }

    #[test]
    fn problems_lead_to_their_places() {
        for (path, pointer, attribute) in [
            ("workers", "/attributes/workers", Some("workers")),
            (
                "hadoop.a/b~c",
                "/attributes/hadoop.a~1b~0c",
                Some("hadoop.a/b~c"),
            ),
            ("name", "/name", None),
            ("quota", "", None),
        ] {
            let told = FieldProblem::from(Problem::new(path, "m", "h"));
            assert_eq!(
                (&*told.path, told.attribute.as_deref()),
                (pointer, attribute)
            );
        }
    }
}
