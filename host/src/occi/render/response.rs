//! Builds a response with the headers that all of them have.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SERVER};
use http::{HeaderValue, Response, StatusCode};

use super::super::terms::SERVER_NAME;

/// A response of that status, type and body.
pub(super) fn build_response(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(SERVER, HeaderValue::from_static(SERVER_NAME));
    response
}
