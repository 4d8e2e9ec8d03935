//! Reads a request's line and headers up to its OCCI content: route, method, credentials, rendering
//! and host. The checks run in a fixed order, which decides the status of a request with several
//! mistakes and is part of the recorded protocol.
//!
//! Layout
//! - `route_request`: all checks in their order
//! - [`route`]: paths, their methods, values in queries
//! - [`authenticate`]: the credentials' headers; requests that another site's page sends
//! - [`negotiate`]: the rendering that the client prefers

pub mod authenticate;
pub mod negotiate;
pub mod route;

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request};

use super::error::ApiError;
use authenticate::Credentials;
use negotiate::Rendering;
use route::OcciRoute;

/// A request of a known route and method, from a client whose renderings are known.
pub(super) struct RoutedRequest<'a> {
    pub(super) route: OcciRoute,
    /// GET also for HEAD: the server sends the response without its body.
    pub(super) method: &'a Method,
    pub(super) query: &'a str,
    pub(super) rendering: Rendering,
    /// Host and port as the client knows them, for the URLs in its response.
    pub(super) host: String,
    /// None for the root, which needs none.
    pub(super) credentials: Option<Credentials>,
}

/// Checks everything about a request that needs neither its content nor the orchestrator.
///
/// `local` is the address that the request came in on, for clients that send no Host.
///
/// # Errors
/// In this order: `MissingCredentials`, `NotFound`, `MethodNotAllowed`, `CrossSite`,
/// `NotAcceptable`, `InvalidHost`.
pub(super) fn route_request(
    request: &Request<Bytes>,
    route: Option<OcciRoute>,
    local: SocketAddr,
) -> Result<RoutedRequest<'_>, ApiError> {
    let headers = request.headers();
    // The Service Manager polls `/` until it answers 200 and only then sends a request with a
    // token; this must not depend on Keystone.
    let credentials = if route == Some(OcciRoute::Root) {
        None
    } else {
        Some(authenticate::read_credentials(headers)?)
    };
    let route = route.ok_or_else(|| ApiError::NotFound(request.uri().path().to_owned()))?;
    if !route.allows_method(request.method()) {
        return Err(ApiError::MethodNotAllowed(route.allowed_methods()));
    }
    let method = if request.method() == Method::HEAD {
        &Method::GET
    } else {
        request.method()
    };
    if method != Method::GET && authenticate::is_cross_site(request) {
        return Err(ApiError::CrossSite);
    }
    // Negotiated before anything is created: a client that cannot read the response would not learn
    // that its cluster exists.
    let offered = route.offered_renderings();
    let rendering = negotiate::choose_rendering(headers, offered).ok_or_else(|| {
        let types: Vec<_> = offered.iter().map(|offer| offer.media_type()).collect();
        ApiError::NotAcceptable(types.join(", "))
    })?;
    Ok(RoutedRequest {
        route,
        method,
        query: request.uri().query().unwrap_or_default(),
        rendering,
        host: requested_host(request, local)?,
        credentials,
    })
}

/// `http://HOST` for the response to a request that failed, whose Host may be what is wrong.
pub(super) fn base_url(request: &Request<Bytes>, local: SocketAddr) -> String {
    let host = requested_host(request, local).unwrap_or_else(|_| local.to_string());
    format!("http://{host}")
}

/// Host and port as the client knows them.
fn requested_host(request: &Request<Bytes>, local: SocketAddr) -> Result<String, ApiError> {
    let named = match (request.headers().get(HOST), request.uri().authority()) {
        (Some(value), _) => Some(
            value
                .to_str()
                .map_err(|_| ApiError::InvalidHost)?
                .to_owned(),
        ),
        (None, authority) => authority.map(ToString::to_string),
    };
    let Some(host) = named.filter(|host| !host.is_empty()) else {
        return Ok(local.to_string());
    };
    // Responses repeat the host between quotes in headers, where a comma, a quote or a `;` would
    // begin another item.
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if host.chars().all(is_plain) && host.parse::<http::uri::Authority>().is_ok() {
        Ok(host)
    } else {
        Err(ApiError::InvalidHost)
    }
}
