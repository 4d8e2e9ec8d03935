//! The OCCI face: what hurtle's Service Manager and any OCCI client speak. Only this module knows
//! OCCI; it knows no socket, no store and no cloud. Facts: the protocol recorded from hurtle's own
//! programs; decisions: `host/docs/decisions`.
//!
//! Layout
//! - [`Face`]: a whole request in, a whole answer out
//! - [`route`]: paths and their methods
//! - [`clusters`]: what the face asks of the orchestrator
//! - `shown`, `answers`: GET of one entity; what was rendered before
//! - [`request`], [`json_in`], [`syntax`]: what a request carries
//! - [`negotiate`], [`render`], `html`: what an answer looks like
//! - [`model`], [`entity`]: kind, actions, mixins; a cluster in their terms
//! - [`own`], `tags`: the mixins that projects define for themselves
//! - `service_manager`: how hurtle's Service Manager learns of a failure
//! - [`error`], [`limits`]: every way to say no; how much is taken

pub mod clusters;
pub mod entity;
pub mod error;
mod handlers;
mod html;
mod json_parse;
pub mod limits;
pub mod model;
pub mod negotiate;
pub mod render;
pub mod request;
mod response_cache;
pub mod route;
mod service_manager;
mod shown;
pub mod syntax;
mod tags;
pub mod user_mixin;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, Method, Request, Response};
use secrecy::SecretString;

pub use clusters::ClusterService;
pub use limits::OcciLimits;

use error::ApiError;
use handlers::{RequestHandlers, ResolvedRequest};
use model::CategoryModel;
use negotiate::Rendering;
use render::Renderer;
use request::ParsedRequest;
use response_cache::ResponseCache;
use route::OcciRoute;
use user_mixin::UserMixin;

use crate::orchestrator::OrchestratorError;
use crate::web;

/// The Server header of answers.
pub const SERVER: &str = concat!("stampede/", env!("CARGO_PKG_VERSION"), " OCCI/1.1");

static TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
static TENANT: HeaderName = HeaderName::from_static("x-tenant-name");

/// The face. Cheap to clone.
#[derive(Clone)]
pub struct OcciApi<C> {
    clusters: C,
    model: Arc<CategoryModel>,
    answers: Arc<ResponseCache>,
    limits: OcciLimits,
}

/// What is asked for, once it is known who asks.
struct RoutedRequest<'a> {
    route: OcciRoute,
    /// GET also for HEAD.
    method: &'a Method,
    query: &'a str,
    /// Where the client thinks that it is.
    host: &'a str,
    carried: ParsedRequest,
    /// Whether hurtle's Service Manager asks.
    service_manager: bool,
}

impl<C: ClusterService> OcciApi<C> {
    /// A face over the clusters; the frameworks are asked for once.
    pub fn new(clusters: C, limits: OcciLimits) -> Self {
        let model = Arc::new(CategoryModel::of(&clusters.frameworks()));
        Self {
            clusters,
            model,
            answers: Arc::new(ResponseCache::new(limits)),
            limits,
        }
    }

    /// Answers one request. `local` is the address that it came in on, for clients that send no
    /// Host.
    pub async fn answer(&self, request: Request<Bytes>, local: SocketAddr) -> Response<Bytes> {
        match self.try_answer(&request, local).await {
            Ok(response) => response,
            Err(error) => {
                log(&error, request.uri().path());
                refuse(&error, &request, local)
            }
        }
    }

    async fn try_answer(
        &self,
        request: &Request<Bytes>,
        local: SocketAddr,
    ) -> Result<Response<Bytes>, ApiError> {
        let (headers, path) = (request.headers(), request.uri().path());
        let route = OcciRoute::of(path);
        // The Service Manager asks for `/` until it answers 200; that must not wait for Keystone.
        let credentials = if route == Some(OcciRoute::Root) {
            None
        } else {
            Some(credentials(headers)?)
        };
        let route = route.ok_or_else(|| ApiError::NotFound(path.to_owned()))?;
        if !route.allows(request.method()) {
            return Err(ApiError::Method(route.allowed()));
        }
        // HEAD is GET; the server sends the answer without its body.
        let method = if request.method() == Method::HEAD {
            &Method::GET
        } else {
            request.method()
        };
        if method != Method::GET && is_from_another_site(request) {
            return Err(ApiError::AnotherSite);
        }
        // Before anything is created: a client that cannot read the answer would not know of it.
        let offered = match route {
            OcciRoute::Root | OcciRoute::Collection | OcciRoute::Other(_) => Rendering::COLLECTION,
            OcciRoute::Query | OcciRoute::Entity(_) => Rendering::ENTITY,
        };
        let rendering = negotiate::choose(headers, offered).ok_or_else(|| {
            ApiError::NotAcceptable(
                offered
                    .iter()
                    .map(|rendering| rendering.media_type())
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        })?;
        let host = host(request, local)?;
        let base = format!("http://{host}");
        let style = Renderer {
            rendering,
            base: &base,
            limits: &self.limits,
        };
        let Some((token, project)) = credentials else {
            return style.collection("/", &[]);
        };
        let carried = request::carried(headers, request.body(), &self.limits)?;
        let caller = self.clusters.authenticate(token, &project).await?;
        let groups = self.clusters.groups(&caller).await?;
        if let (OcciRoute::Entity(name), &Method::GET) = (&route, method) {
            if !carried.categories.is_empty() {
                // They ask for nothing here, but must be known.
                self.wish(&UserMixin::all(&groups), &carried)?;
            }
            return self
                .show(
                    &caller,
                    name,
                    &groups,
                    &style,
                    service_manager::polls(headers),
                )
                .await;
        }
        let query = request.uri().query().unwrap_or_default();
        let asked = RoutedRequest {
            route,
            method,
            query,
            host: &host,
            carried,
            service_manager: service_manager::is_it(headers),
        };
        // In a box of its own: GET of one is asked for most, and would make room for all of them.
        Box::pin(self.others(asked, UserMixin::all(&groups), caller, style)).await
    }

    /// Whatever is no GET of an entity.
    async fn others(
        &self,
        asked: RoutedRequest<'_>,
        own: Vec<UserMixin>,
        caller: C::Caller,
        style: Renderer<'_>,
    ) -> Result<Response<Bytes>, ApiError> {
        let RoutedRequest {
            route,
            method,
            query,
            host,
            carried,
            service_manager,
        } = asked;
        let at = if let OcciRoute::Other(path) = &route {
            // Only now it is known whether there is anything.
            Some(
                own.iter()
                    .position(|own| own.location == *path)
                    .ok_or_else(|| ApiError::NotFound(path.clone()))?,
            )
        } else {
            None
        };
        // A definition is of what is not known yet.
        let defines = route == OcciRoute::Query && method != Method::GET;
        let wish = if defines {
            ResolvedRequest::default()
        } else {
            self.wish(&own, &carried)?
        };
        let handlers = RequestHandlers {
            clusters: &self.clusters,
            model: &self.model,
            own,
            caller,
            style,
            wish,
            service_manager,
        };
        match (route, method) {
            (OcciRoute::Query, &Method::GET) => handlers.query(&carried.categories),
            (OcciRoute::Query, &Method::POST) => handlers.define(&carried.categories, host).await,
            (OcciRoute::Query, _) => handlers.undefine(&carried.categories).await,
            (OcciRoute::Other(_), _) => {
                handlers
                    .tagged(method, at.unwrap_or_default(), query, &carried, host)
                    .await
            }
            (OcciRoute::Collection, &Method::GET) => handlers.list(&carried).await,
            (OcciRoute::Collection, &Method::DELETE) => handlers.delete_all().await,
            (OcciRoute::Collection, _) => handlers.post_collection(model::LOCATION, query).await,
            (OcciRoute::Entity(name), &Method::PUT) => handlers.put(&name).await,
            (OcciRoute::Entity(name), &Method::DELETE) => handlers.delete(&name).await,
            (OcciRoute::Entity(name), _) => handlers.post(&name, query).await,
            (OcciRoute::Root, _) => style.collection("/", &[]),
        }
    }
}

/// The error as text, or as a page for those who like that best.
fn refuse(error: &ApiError, request: &Request<Bytes>, local: SocketAddr) -> Response<Bytes> {
    let text = error.answer();
    if !html::is_wanted(request.headers()) {
        return text;
    }
    let base = format!(
        "http://{}",
        host(request, local).unwrap_or_else(|_| local.to_string())
    );
    let page = html::refusal(error, text.status(), text.body(), &base);
    let Ok(mut page) = web::answer(text.status(), &page) else {
        return text;
    };
    let others = text
        .headers()
        .iter()
        .filter(|(name, _)| *name != CONTENT_TYPE);
    page.headers_mut()
        .extend(others.map(|(name, value)| (name.clone(), value.clone())));
    page
}

/// Whether a browser sends this for a page of another site. Where a proxy adds the token for a
/// browser, such a page could otherwise post to a cluster. Other clients send neither header.
fn is_from_another_site(request: &Request<Bytes>) -> bool {
    let text = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    match (text("Sec-Fetch-Site"), text("Origin")) {
        (Some(site), _) => !matches!(site.as_str(), "same-origin" | "none"),
        (None, Some(origin)) => {
            origin.split_once("://").map(|(_, host)| host) != text("Host").as_deref()
        }
        (None, None) => false,
    }
}

/// What is the host's or the cloud's to mend is told to the operator. A client's own mistakes are
/// told to the client: their words quote what it sent.
fn log(error: &ApiError, path: &str) {
    let status = error.status().as_u16();
    match error {
        ApiError::Defect | ApiError::Cluster(OrchestratorError::Internal(_)) => {
            tracing::error!(path, status, "failed: {error}")
        }
        ApiError::Cluster(OrchestratorError::Cloud(_) | OrchestratorError::Busy { .. }) => {
            tracing::warn!(path, status, "not done: {error}")
        }
        _ => tracing::debug!(path, status, "refused"),
    }
}

/// Token and project of a request.
fn credentials(headers: &HeaderMap) -> Result<(SecretString, String), ApiError> {
    let text = |header: &HeaderName, name: &'static str| {
        let value = headers.get(header).ok_or(ApiError::NoAuth(name))?;
        let text = std::str::from_utf8(value.as_bytes());
        text.map(str::to_owned)
            .map_err(|_| ApiError::Malformed(format!("header {name}: expected UTF-8")))
    };
    let (token, project) = (text(&TOKEN, "X-Auth-Token"), text(&TENANT, "X-Tenant-Name"));
    Ok((SecretString::from(token?), project?))
}

/// Where the client thinks that it is, for the URLs in its answer.
fn host(request: &Request<Bytes>, local: SocketAddr) -> Result<String, ApiError> {
    let named = match (request.headers().get(HOST), request.uri().authority()) {
        (Some(value), _) => Some(value.to_str().map_err(|_| ApiError::Host)?.to_owned()),
        (None, authority) => authority.map(ToString::to_string),
    };
    let Some(host) = named.filter(|host| !host.is_empty()) else {
        return Ok(local.to_string());
    };
    // It stands between quotes in headers: what is not a part of a URL's authority has no business
    // there.
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if host.chars().all(fits) && host.parse::<http::uri::Authority>().is_ok() {
        Ok(host)
    } else {
        Err(ApiError::Host)
    }
}
