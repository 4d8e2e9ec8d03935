//! Renders errors: text/plain for hurtle's clients, whatever they accept, a page for browsers, and
//! JSON for clients of OCCI 1.2.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};

use super::super::error::ApiError;
use super::super::http::negotiate::{preferred_standard_json, prefers_html};
use super::{html, response, standard_json};
use crate::addressing::ServiceUrl;
use crate::orchestrator::OrchestratorError;
use crate::web;

/// Renders the error as text, or as a page or as the JSON of OCCI 1.2 where the client prefers that.
pub fn render_error(
    error: &ApiError,
    request_headers: &HeaderMap,
    address: &ServiceUrl,
) -> Response<Bytes> {
    let mut text = render_error_text(error);
    if let Some(rendering) = preferred_standard_json(request_headers) {
        let message = error.response_text();
        let json = standard_json::error_json(text.status().as_u16(), &message);
        *text.body_mut() = json.to_string().into();
        let kind = HeaderValue::from_static(rendering.media_type());
        text.headers_mut().insert(CONTENT_TYPE, kind);
        return text;
    }
    if !prefers_html(request_headers) {
        return text;
    }
    let page = html::error_page(error, text.status(), text.body(), address);
    // A page that cannot be made must not hide the error itself.
    let Ok(mut page) = web::page_response(text.status(), &page, address.prefix()) else {
        return text;
    };
    let others = text
        .headers()
        .iter()
        .filter(|(name, _)| !page.headers().contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Vec<_>>();
    page.headers_mut().extend(others);
    page
}

/// Renders the error as text, with the headers that its status asks for.
pub fn render_error_text(error: &ApiError) -> Response<Bytes> {
    let mut response =
        response::build_response(error.status(), "text/plain", error.response_text());
    let (name, value) = match error {
        ApiError::MethodNotAllowed(allowed) => (ALLOW, HeaderValue::from_static(allowed)),
        ApiError::Orchestrator(OrchestratorError::Unauthorized(_)) => {
            (WWW_AUTHENTICATE, HeaderValue::from_static("Keystone"))
        }
        ApiError::Orchestrator(OrchestratorError::Busy { retry_after_s }) => {
            (RETRY_AFTER, HeaderValue::from(*retry_after_s))
        }
        _ => return response,
    };
    response.headers_mut().insert(name, value);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Problem;

    #[test]
    fn what_the_orchestrator_refuses_has_its_status() {
        let problem = Problem::new("workers", "must be a whole number, got `two`", "");
        for (error, status) in [
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
            let error = ApiError::Orchestrator(error);
            assert_eq!(
                render_error_text(&error).status().as_u16(),
                status,
                "{error:?}"
            );
        }
    }

    #[test]
    fn answers_carry_what_their_status_needs() {
        let busy = ApiError::Orchestrator(OrchestratorError::Busy { retry_after_s: 3 });
        assert_eq!(render_error_text(&busy).headers()[RETRY_AFTER], "3");
        let method = ApiError::MethodNotAllowed("GET");
        assert_eq!(render_error_text(&method).headers()[ALLOW], "GET");
        let unauthorized = ApiError::Orchestrator(OrchestratorError::Unauthorized("x".into()));
        assert!(
            render_error_text(&unauthorized)
                .headers()
                .contains_key(WWW_AUTHENTICATE)
        );
    }

    #[test]
    fn inner_failures_do_not_leak() {
        let internal = OrchestratorError::Internal("disk /var/lib/x is full".into());
        let response = render_error_text(&ApiError::Orchestrator(internal));
        assert!(!String::from_utf8_lossy(response.body()).contains("disk"));
    }
}
