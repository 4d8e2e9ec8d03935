//! Builds a response with the headers that all of them have.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SERVER, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::super::terms::SERVER_NAME;

/// What a response depends on besides its URL. Most caches do not take the two headers of the
/// credentials for credentials, as they take `Authorization`.
const DEPENDS_ON: &str = "Accept, User-Agent, X-Auth-Token, X-Tenant-Name, Origin";

/// Tells caches to keep nothing: one that mixed two projects' responses would show the one to the
/// other.
pub(super) fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static(DEPENDS_ON));
}

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
    forbid_caching(headers);
    response
}
