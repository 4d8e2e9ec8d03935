//! Which problems each path of the document may answer: one table, each status with what it means. What
//! the server refuses before it knows which API a request is for is plain text, and told here as well.

use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder, schema};

use super::problem::PROBLEM_JSON;

/// Where a problem may be the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProblemPlace {
    /// On every path.
    Everywhere,
    /// Where a token is asked for.
    WithToken,
    /// Where the path has a name in it.
    Named,
    /// Of clusters.
    OfClusters,
    /// Where the body says what is to be.
    WithBody,
    /// Where a revision may be expected.
    OfChanges,
}

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProblemForm {
    /// The API.
    Problem,
    /// The server before there is a request.
    Text,
    /// Either.
    ProblemOrText,
}

use ProblemForm::{Problem, ProblemOrText, Text};
use ProblemPlace::{Everywhere, Named, OfChanges, OfClusters, WithBody, WithToken};

const PROBLEM_ANSWERS: [(u16, &str, ProblemPlace, ProblemForm, &str); 15] = [
    (
        400,
        "BadRequest",
        Everywhere,
        ProblemOrText,
        "The body is not JSON or ended early, or a header cannot be read; as text where it is no request of HTTP",
    ),
    (
        401,
        "Unauthorized",
        WithToken,
        Problem,
        "The token is missing, wrong or over",
    ),
    (
        403,
        "Forbidden",
        WithToken,
        Problem,
        "The token is good, but not for this",
    ),
    (
        404,
        "NotFound",
        Named,
        Problem,
        "There is no such thing in the project",
    ),
    (
        408,
        "RequestTimeout",
        Everywhere,
        Problem,
        "The body did not come in time",
    ),
    (
        409,
        "Conflict",
        OfClusters,
        Problem,
        "Something stands in the way: the name is taken, a change is under way, a limit is reached",
    ),
    (
        412,
        "PreconditionFailed",
        OfChanges,
        Problem,
        "The cluster is asked to be something else by now",
    ),
    (
        413,
        "ContentTooLarge",
        Everywhere,
        Problem,
        "The body is too large",
    ),
    (414, "UriTooLong", Everywhere, Text, "The path is too long"),
    (
        415,
        "UnsupportedMediaType",
        WithBody,
        Problem,
        "The body is not `application/json`",
    ),
    (
        422,
        "Invalid",
        WithToken,
        Problem,
        "The request is wrong; `problems` has everything that is",
    ),
    (
        431,
        "HeadersTooLarge",
        Everywhere,
        Text,
        "There are too many headers, or they are too large",
    ),
    (
        500,
        "HostFailed",
        Everywhere,
        Problem,
        "The host failed; its log says more",
    ),
    (
        502,
        "CloudFailed",
        WithToken,
        Problem,
        "The cloud failed or cannot be reached",
    ),
    (
        503,
        "Busy",
        Everywhere,
        ProblemOrText,
        "Come again after `Retry-After` seconds; as text where there are too many connections",
    ),
];

impl ProblemPlace {
    fn holds(self, method: &str, path: &str, is_open: bool) -> bool {
        match self {
            Everywhere => true,
            WithToken => !is_open,
            Named => path.contains('{'),
            OfClusters => path.contains("/clusters"),
            WithBody => matches!(method, "post" | "patch"),
            OfChanges => method == "patch",
        }
    }
}

/// Whatever else a path answers is a problem.
pub(super) struct ProblemsOfAll;

impl Modify for ProblemsOfAll {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        for (_, name, _, form, about) in PROBLEM_ANSWERS {
            let mut response = ResponseBuilder::new().description(about);
            if form != Text {
                let problem = Ref::from_schema_name("ProblemDetails");
                let content = ContentBuilder::new().schema(Some(problem)).build();
                response = response.content(PROBLEM_JSON, content);
            }
            if form != Problem {
                let text = schema::Object::with_type(schema::Type::String);
                let content = ContentBuilder::new().schema(Some(text)).build();
                response = response.content("text/plain", content);
            }
            let response = RefOr::T(response.build());
            components.responses.insert(name.to_owned(), response);
        }
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ] {
                if let Some(operation) = operation {
                    add_answers(operation, method, path);
                }
            }
        }
    }
}

fn add_answers(operation: &mut Operation, method: &str, path: &str) {
    // Only what everybody may ask for says something of its own about who asks.
    let is_open = operation.security.is_some();
    let responses = &mut operation.responses.responses;
    for (status, name, place, _, _) in PROBLEM_ANSWERS {
        if place.holds(method, path, is_open) {
            let answer = RefOr::Ref(Ref::from_response_name(name));
            responses.insert(status.to_string(), answer);
        }
    }
}
