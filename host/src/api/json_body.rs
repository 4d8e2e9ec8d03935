//! Answers in JSON.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::answer::AnswerBody;

/// The answer with this value as `application/json`.
pub(super) fn json_response(status: StatusCode, value: &impl Serialize) -> Response<AnswerBody> {
    build_json(status, "application/json", value)
}

/// The answer with this value. What serializes here are structures of ours: it cannot fail, and if it
/// did, an answer without a body would say so.
pub(super) fn build_json(
    status: StatusCode,
    kind: &'static str,
    value: &impl Serialize,
) -> Response<AnswerBody> {
    let (status, text) = match serde_json::to_string(value) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!("an answer cannot be written as JSON: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let mut response = Response::new(AnswerBody::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // A browser that is led here must not take a text for a page.
    let options = http::HeaderName::from_static("x-content-type-options");
    headers.insert(options, HeaderValue::from_static("nosniff"));
    response
}
