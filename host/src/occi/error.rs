//! Every reason for which a request fails, with its status in one `match`. Errors of parsers, of
//! serde and of the orchestrator are kept as sources; the response's body is the error's own text,
//! because clients of hurtle read and quote it.

use std::error::Error;

use http::StatusCode;

use crate::addressing::AddressError;
use crate::orchestrator::OrchestratorError;

/// The body of all responses to defects of this host.
const INTERNAL_TEXT: &str = "the host failed to answer; its log says more";

/// Where a text breaks the grammar and what was expected there. Which header or line the text came
/// from is added by [`ApiError::Syntax`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: found {found}, expected {expected}")]
pub struct SyntaxError {
    /// The character's place in the text, from 1.
    pub at: usize,
    /// What stands there: a character in quotes, or `the end`.
    pub found: String,
    /// What could stand there.
    pub expected: &'static str,
}

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A header or body breaks the grammar of OCCI's text renderings.
    #[error("{place}: {source}")]
    Syntax {
        /// `header Category`, `body, line 2`.
        place: String,
        /// Where in it.
        source: SyntaxError,
    },
    /// A body that is not JSON although its type says so.
    #[error("body: line {}, column {}: {}", .0.line(), .0.column(), describe_json_error(.0))]
    Json(#[source] serde_json::Error),
    /// A request that can be read and has no meaning; says what is expected.
    #[error("{0}")]
    Malformed(String),
    /// More than a limit allows; says which.
    #[error("{0}")]
    TooLarge(String),
    /// PUT or POST without the kind.
    #[error("Could not find a valid kind.")]
    MissingKind,
    /// A category that the query interface does not list; holds its identifier.
    #[error(
        "The following category is not registered within this service (See Query interfaces): {0}"
    )]
    UnknownCategory(String),
    /// A query asks for an action, and neither it nor a Category names one.
    #[error("no action named: send its Category, or ?action=deploy or ?action=provision")]
    MissingAction,
    /// No rendering that the client accepts; holds those that there are.
    #[error("none of the media types in Accept is spoken here: use {0}")]
    NotAcceptable(String),
    /// A body in an unknown rendering; holds its media type.
    #[error(
        "a body of type `{0}` is not understood: use text/occi, text/plain or application/occi+json"
    )]
    UnknownType(String),
    /// A header of the client's credentials is missing; holds its name.
    #[error("{0} required...")]
    MissingCredentials(&'static str),
    /// No such path; holds it.
    #[error("Resource not found: '{0}'")]
    NotFound(String),
    /// The path does not know the method; holds those that it knows.
    #[error("Method not supported.")]
    MethodNotAllowed(&'static str),
    /// A browser sends this for a page of another site.
    #[error("a page of another site cannot change clusters: open this service's own page")]
    CrossSite,
    /// A category that is this service's to define; holds its identifier.
    #[error("`{0}` is this service's own: it can be neither defined nor deleted")]
    Reserved(String),
    /// A header that says how the client knows this service cannot be a part of a URL.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The client expects a higher version of OCCI; holds its numbers.
    #[error("OCCI/{0}.{1} is not spoken here: use OCCI/1.1 or OCCI/1.2")]
    UnknownVersion(u32, u32),
    /// The orchestrator refuses or fails.
    #[error(transparent)]
    Orchestrator(#[from] OrchestratorError),
    /// A response cannot be built, which is a defect of this host.
    #[error("{INTERNAL_TEXT}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// serde's reason without the place at its end, which the message has already.
fn describe_json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

impl ApiError {
    /// A text that breaks the grammar: `header Category: character 3: found ..., expected ...`.
    pub fn syntax(place: String, source: SyntaxError) -> Self {
        Self::Syntax { place, source }
    }

    /// A response that cannot be built.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(source))
    }

    /// The response's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Syntax { .. }
            | Self::Json(_)
            | Self::Malformed(_)
            | Self::MissingKind
            | Self::UnknownCategory(_)
            | Self::MissingAction
            | Self::Address(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::UnknownVersion(..) => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MissingCredentials(_) | Self::CrossSite | Self::Reserved(_) => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Orchestrator(error) => match error {
                OrchestratorError::NotFound(_) => StatusCode::NOT_FOUND,
                OrchestratorError::NotApplicable(_) | OrchestratorError::Invalid(_) => {
                    StatusCode::BAD_REQUEST
                }
                OrchestratorError::Unauthorized(_) => StatusCode::UNAUTHORIZED,
                OrchestratorError::Forbidden(_) => StatusCode::FORBIDDEN,
                OrchestratorError::Conflict(_)
                | OrchestratorError::TooMany(_)
                | OrchestratorError::Superseded(_) => StatusCode::CONFLICT,
                OrchestratorError::Cloud(_) => StatusCode::BAD_GATEWAY,
                OrchestratorError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                OrchestratorError::Busy { .. } | OrchestratorError::Outdated(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            },
        }
    }

    /// The response's body.
    pub fn response_text(&self) -> String {
        match self {
            // The Python Service Orchestrator's sentence, as recorded, is the first line; what this
            // host knows besides follows on the next.
            Self::Orchestrator(OrchestratorError::NotApplicable(why)) if !why.is_empty() => {
                format!("Not applicable atm.\n{why}")
            }
            Self::Orchestrator(OrchestratorError::NotApplicable(_)) => {
                "Not applicable atm.".to_owned()
            }
            // The store's and the disk's errors name paths of this machine: they are logged and not
            // shown to clients.
            Self::Orchestrator(OrchestratorError::Internal(_)) => INTERNAL_TEXT.to_owned(),
            other => other.to_string(),
        }
    }
}
