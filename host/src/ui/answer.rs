//! What a browser is answered: a page, a redirect, or why there is none. One place, so that each has
//! the headers that keep a browser from doing more with it than showing it.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    RETRY_AFTER, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use super::BASE_PATH;
use super::cookie::drop_cookie;
use super::render::{BrokenTemplate, PageFrame, render_page};
use super::texts::say;
use crate::addressing::AddressError;
use crate::answer::{AnswerBody, StreamRefusal};
use crate::orchestrator::OrchestratorError;

/// No script, style or picture but this service's files, no frames, forms and streams to this service
/// only. Escaping should suffice; this is for where it does not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// When to come again for a stream, in seconds.
const STREAM_RETRY_S: u32 = 5;

/// Why a browser is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// There is nothing at this path.
    #[error("no such page")]
    NotFound,
    /// The path does not know the method.
    #[error("no such method")]
    Method(&'static [Method]),
    /// A page of another site asks for it.
    #[error("a page of another site asks for it")]
    CrossSite,
    /// Nobody has signed in, or no longer; with the page to go on with, for a person who looks.
    #[error("nobody has signed in")]
    SignedOut(Option<String>),
    /// What was sent is no form of ours.
    #[error("what was sent is no form")]
    Form,
    /// There are too many streams.
    #[error("too many pages are open")]
    TooManyStreams,
    /// Of one project.
    #[error("too many pages of the project are open")]
    ProjectStreams,
    /// A header does not say how this service is known.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It was not carried out.
    #[error(transparent)]
    Refused(#[from] OrchestratorError),
    /// A template is broken.
    #[error(transparent)]
    Template(#[from] BrokenTemplate),
}

/// A short message.
#[derive(Debug, Serialize)]
pub(super) struct MessageData {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) failed: bool,
    /// Where to go on: path below the prefix, and what it is.
    pub(super) next: Option<(String, String)>,
}

/// A page as an answer.
pub(super) fn page_answer(status: StatusCode, html: String) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        // Not `no-referrer`: with it browsers send `Origin: null` for forms of our own pages too.
        (REFERRER_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Leads a browser to another of our paths, with a GET.
pub(super) fn redirect(path: &str) -> Response<AnswerBody> {
    let mut response = page_answer(StatusCode::SEE_OTHER, String::new());
    let path = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/ui/"));
    response.headers_mut().insert(LOCATION, path);
    response
}

impl From<StreamRefusal> for PageError {
    fn from(refusal: StreamRefusal) -> Self {
        match refusal {
            StreamRefusal::Host => Self::TooManyStreams,
            StreamRefusal::Project => Self::ProjectStreams,
        }
    }
}

impl PageError {
    fn status(&self) -> StatusCode {
        use OrchestratorError as E;
        match self {
            Self::NotFound | Self::Refused(E::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossSite | Self::Refused(E::Forbidden(_)) => StatusCode::FORBIDDEN,
            Self::SignedOut(_) | Self::Refused(E::Unauthorized(_)) => StatusCode::UNAUTHORIZED,
            Self::Form | Self::Address(_) | Self::Refused(E::Invalid(_)) => StatusCode::BAD_REQUEST,
            Self::Refused(
                E::NotApplicable(_)
                | E::Conflict(_)
                | E::TooMany(_)
                | E::Outdated(_)
                | E::Superseded(_),
            ) => StatusCode::CONFLICT,
            Self::Refused(E::Cloud(_)) => StatusCode::BAD_GATEWAY,
            Self::ProjectStreams => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyStreams | Self::Refused(E::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Template(_) | Self::Refused(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, for a service whose paths begin with this.
    pub(super) fn into_answer(self, prefix: &str) -> Response<AnswerBody> {
        self.log();
        let status = self.status();
        let frame = PageFrame {
            prefix: prefix.to_owned(),
            ..PageFrame::default()
        };
        let mut answer = match &self {
            Self::SignedOut(Some(next)) => {
                let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                redirect(&format!("{prefix}{BASE_PATH}/sign-in?next={next}"))
            }
            _ => match render_page("message.html", &frame, &self.message()) {
                Ok(html) => page_answer(status, html),
                Err(_) => page_answer(status, say("error.internal", &[])),
            },
        };
        let headers = answer.headers_mut();
        match &self {
            Self::SignedOut(_) => drop(headers.insert(SET_COOKIE, drop_cookie())),
            Self::Method(allowed) => {
                let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
                    headers.insert(ALLOW, names);
                }
            }
            Self::TooManyStreams | Self::ProjectStreams => {
                headers.insert(RETRY_AFTER, STREAM_RETRY_S.into());
            }
            Self::Refused(OrchestratorError::Busy { retry_after_s }) => {
                headers.insert(RETRY_AFTER, (*retry_after_s).into());
            }
            _ => {}
        }
        answer
    }

    fn message(&self) -> MessageData {
        let (title, lines) = match self {
            Self::NotFound => ("error.not_found", vec![say("error.not_found_why", &[])]),
            Self::Method(_) => ("error.method", Vec::new()),
            Self::CrossSite => ("error.cross_site", vec![say("error.cross_site_why", &[])]),
            Self::SignedOut(_) => ("error.signed_out", vec![say("error.signed_out_why", &[])]),
            Self::Form => ("error.form", vec![say("error.form_why", &[])]),
            Self::TooManyStreams => ("error.busy", Vec::new()),
            Self::ProjectStreams => ("error.busy_project", Vec::new()),
            Self::Address(error) => ("error.address", vec![error.to_string()]),
            Self::Template(_) | Self::Refused(OrchestratorError::Internal(_)) => {
                ("error.internal", vec![say("error.internal_why", &[])])
            }
            Self::Refused(OrchestratorError::NotFound(name)) => {
                let why = say("error.no_cluster", &[("name", name)]);
                ("error.not_found", vec![why])
            }
            Self::Refused(error) => {
                let lines = error.to_string().lines().map(str::to_owned).collect();
                ("error.refused", lines)
            }
        };
        let next = match self {
            Self::SignedOut(_) => ("/sign-in", "sign_in.title"),
            _ => ("/clusters", "list.title"),
        };
        MessageData {
            title: say(title, &[]),
            lines,
            failed: true,
            next: Some((next.0.to_owned(), say(next.1, &[]))),
        }
    }

    /// Logs what the operator can mend; what clients do wrong is told to them alone, since the texts
    /// quote what they sent.
    fn log(&self) {
        let status = self.status().as_u16();
        match self {
            Self::Template(error) => tracing::error!(status, "page failed: {error}"),
            Self::Refused(error @ OrchestratorError::Internal(_)) => {
                tracing::error!(status, "page failed: {error}");
            }
            Self::Refused(
                error @ (OrchestratorError::Cloud(_)
                | OrchestratorError::Busy { .. }
                | OrchestratorError::Outdated(_)),
            ) => tracing::warn!(status, "page not made: {error}"),
            _ => tracing::debug!(status, "page refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_refused_says_whose_are_too_many_and_when_to_come_again() {
        for (refusal, status, words) in [
            (StreamRefusal::Host, 503, "Too many pages are open"),
            (
                StreamRefusal::Project,
                429,
                "Too many pages of this project",
            ),
        ] {
            let answer = PageError::from(refusal).into_answer("");
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()[RETRY_AFTER], "5");
            let page = answer.body().whole().unwrap();
            assert!(std::str::from_utf8(page).unwrap().contains(words));
        }
    }
}
