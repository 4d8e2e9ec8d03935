//! Reads a request's line and headers up to its OCCI content: route, method, credentials, rendering
//! and address. The checks run in a fixed order, which decides the status of a request with several
//! mistakes and is part of the recorded protocol.
//!
//! Layout
//! - `route_request`: all checks in their order
//! - [`route`]: paths, their methods, values in queries
//! - [`authenticate`]: the credentials' headers
//! - [`negotiate`]: the rendering that the client prefers
//! - [`version`]: the version of OCCI that the client expects

pub mod authenticate;
pub mod negotiate;
pub mod route;
pub mod version;

use http::{HeaderMap, Method, Request, Uri, request};

use super::error::ApiError;
use crate::addressing::{AddressError, ServiceUrl, is_cross_site};
use authenticate::Credentials;
use negotiate::Rendering;
use route::OcciRoute;

/// A request without its body, which may not have come yet.
#[derive(Clone, Copy)]
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        }
    }
}

impl<'a> From<&'a request::Parts> for RequestHead<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
        }
    }
}

/// A request of a known route and method, from a client whose renderings are known.
pub(super) struct RoutedRequest<'a> {
    pub(super) route: OcciRoute,
    /// GET also for HEAD: the server sends the response without its body.
    pub(super) method: &'a Method,
    pub(super) query: &'a str,
    pub(super) rendering: Rendering,
    /// The service as the client knows it, for the URLs in its response.
    pub(super) address: ServiceUrl,
    /// None for the root, which needs none.
    pub(super) credentials: Option<Credentials>,
}

/// The route of a request's path, which may begin with the prefix of this service's URL. The proxy in
/// front may have taken the prefix away or not, and paths of this service can begin as it does, so
/// the path as it came is tried first.
pub(super) fn find_route(
    head: RequestHead<'_>,
    address: &Result<ServiceUrl, AddressError>,
) -> Option<OcciRoute> {
    // An absolute URI may have no path.
    let path = match head.uri.path() {
        "" => "/".into(),
        path => route::normalize_path(path),
    };
    let bare = address
        .as_ref()
        .ok()
        .and_then(|address| address.strip_prefix(&path));
    let has_credentials = || authenticate::read_credentials(head.headers).is_ok();
    OcciRoute::from_paths(&path, bare, has_credentials)
}

/// Checks everything about a request that needs neither its content nor the orchestrator.
///
/// # Errors
/// In this order: `MissingCredentials`, `NotFound`, `MethodNotAllowed`, `CrossSite`,
/// `NotAcceptable`, `UnknownVersion`, `Address`.
pub(super) fn route_request<'a>(
    head: RequestHead<'a>,
    route: Option<OcciRoute>,
    address: Result<ServiceUrl, AddressError>,
) -> Result<RoutedRequest<'a>, ApiError> {
    let headers = head.headers;
    // The Service Manager polls `/` until it answers 200 and only then sends a request with a
    // token; this must not depend on Keystone.
    let credentials = if route == Some(OcciRoute::Root) {
        None
    } else {
        Some(authenticate::read_credentials(headers)?)
    };
    let route = route.ok_or_else(|| ApiError::NotFound(head.uri.path().to_owned()))?;
    if !route.allows_method(head.method) {
        return Err(ApiError::MethodNotAllowed(route.allowed_methods()));
    }
    let method = if head.method == Method::HEAD {
        &Method::GET
    } else {
        head.method
    };
    if method != Method::GET && is_cross_site(headers, address.as_ref().ok()) {
        return Err(ApiError::CrossSite);
    }
    // Negotiated before anything is created: a client that cannot read the response would not learn
    // that its cluster exists.
    let offered = route.offered_renderings();
    let rendering = negotiate::choose_rendering(headers, offered).ok_or_else(|| {
        let types: Vec<_> = offered.iter().map(|offer| offer.media_type()).collect();
        ApiError::NotAcceptable(types.join(", "))
    })?;
    version::check_version(headers)?;
    Ok(RoutedRequest {
        route,
        method,
        query: head.uri.query().unwrap_or_default(),
        rendering,
        address: address?,
        credentials,
    })
}
