//! Every way in which this face says no, with its status in one place. Bodies are text/plain, as
//! hurtle's clients know it.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, SERVER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::syntax::SyntaxError;
use crate::orchestrator::OrchestratorError;

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A header or body breaks the grammar; says where.
    #[error("{0}")]
    Malformed(String),
    /// More than a limit allows; says which.
    #[error("{0}")]
    TooLarge(String),
    /// PUT or POST without the kind.
    #[error("Could not find a valid kind.")]
    NoKind,
    /// A category that the query interface does not list; holds its identifier.
    #[error(
        "The following category is not registered within this service (See Query interfaces): {0}"
    )]
    UnknownCategory(String),
    /// An action was asked for, but not which.
    #[error("no action named: send its Category, or ?action=deploy or ?action=provision")]
    NoAction,
    /// No rendering that the client accepts; holds those that there are.
    #[error("none of the media types in Accept is spoken here: use {0}")]
    NotAcceptable(String),
    /// A body in an unknown rendering; holds its media type.
    #[error(
        "a body of type `{0}` is not understood: use text/occi, text/plain or application/occi+json"
    )]
    UnknownType(String),
    /// A header that every request needs; holds its name.
    #[error("{0} required...")]
    NoAuth(&'static str),
    /// No such path; holds it.
    #[error("Resource not found: '{0}'")]
    NotFound(String),
    /// The path does not know the method; holds those that it knows.
    #[error("Method not supported.")]
    Method(&'static str),
    /// A page of another site made a browser send this.
    #[error("a page of another site cannot change clusters: open this service's own page")]
    AnotherSite,
    /// A category that is this service's to define; holds its identifier.
    #[error("`{0}` is this service's own: it can be neither defined nor deleted")]
    Reserved(String),
    /// The Host header cannot be a part of a URL.
    #[error("header Host: expected a host name or an address, and a port")]
    Host,
    /// The orchestrator said no.
    #[error("{0}")]
    Cluster(#[from] OrchestratorError),
    /// A defect of this host.
    #[error("the host failed to answer; its log says more")]
    Defect,
}

impl ApiError {
    /// The refusal of a text that breaks the grammar: `header Category: character 3: found ...,
    /// expected ...`.
    pub fn malformed(place: String, fault: &SyntaxError) -> Self {
        Self::Malformed(format!("{place}: {fault}"))
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_)
            | Self::NoKind
            | Self::UnknownCategory(_)
            | Self::NoAction
            | Self::Host => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::UnknownType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoAuth(_) | Self::AnotherSite | Self::Reserved(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Defect => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Cluster(refused) => match refused {
                OrchestratorError::NotFound(_) => StatusCode::NOT_FOUND,
                OrchestratorError::NotApplicable(_) | OrchestratorError::Invalid(_) => {
                    StatusCode::BAD_REQUEST
                }
                OrchestratorError::Unauthorized(_) => StatusCode::UNAUTHORIZED,
                OrchestratorError::Forbidden(_) => StatusCode::FORBIDDEN,
                OrchestratorError::Conflict(_) | OrchestratorError::TooMany(_) => {
                    StatusCode::CONFLICT
                }
                OrchestratorError::Cloud(_) => StatusCode::BAD_GATEWAY,
                OrchestratorError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                OrchestratorError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }

    /// What the body says.
    fn text(&self) -> String {
        match self {
            // The Python Service Orchestrator's sentence first, then ours.
            Self::Cluster(OrchestratorError::NotApplicable(why)) if !why.is_empty() => {
                format!("Not applicable atm.\n{why}")
            }
            Self::Cluster(OrchestratorError::NotApplicable(_)) => "Not applicable atm.".to_owned(),
            // What failed inside is for the log, not for clients.
            Self::Cluster(OrchestratorError::Internal(_)) => Self::Defect.to_string(),
            other => other.to_string(),
        }
    }

    /// The answer.
    pub fn answer(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.text()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        headers.insert(SERVER, HeaderValue::from_static(super::SERVER));
        match self {
            Self::Method(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::Cluster(OrchestratorError::Unauthorized(_)) => {
                drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Keystone")))
            }
            Self::Cluster(OrchestratorError::Busy { retry_after_s }) => {
                drop(headers.insert(RETRY_AFTER, HeaderValue::from(*retry_after_s)))
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Problem;

    #[test]
    fn what_the_orchestrator_refuses_has_its_status() {
        let problem = Problem::new("workers", "must be a whole number, got `two`", "");
        for (refused, status) in [
            (OrchestratorError::NotFound("x".into()), 404),
            (OrchestratorError::NotApplicable("x".into()), 400),
            (OrchestratorError::Invalid(vec![problem]), 400),
            (OrchestratorError::Unauthorized("x".into()), 401),
            (OrchestratorError::Forbidden("x".into()), 403),
            (OrchestratorError::Conflict("x".into()), 409),
            (OrchestratorError::TooMany("x".into()), 409),
            (OrchestratorError::Cloud("x".into()), 502),
            (OrchestratorError::Internal("x".into()), 500),
            (OrchestratorError::Busy { retry_after_s: 3 }, 503),
        ] {
            assert_eq!(
                ApiError::Cluster(refused.clone())
                    .answer()
                    .status()
                    .as_u16(),
                status,
                "{refused:?}"
            );
        }
    }

    #[test]
    fn answers_carry_what_their_status_needs() {
        let busy = ApiError::Cluster(OrchestratorError::Busy { retry_after_s: 3 }).answer();
        assert_eq!(busy.headers()[RETRY_AFTER], "3");
        assert_eq!(ApiError::Method("GET").answer().headers()[ALLOW], "GET");
        assert!(
            ApiError::Cluster(OrchestratorError::Unauthorized("x".into()))
                .answer()
                .headers()
                .contains_key(WWW_AUTHENTICATE)
        );
    }

    #[test]
    fn inner_failures_do_not_leak() {
        let answer = ApiError::Cluster(OrchestratorError::Internal(
            "disk /var/lib/x is full".into(),
        ))
        .answer();
        assert!(!String::from_utf8_lossy(answer.body()).contains("disk"));
    }
}
