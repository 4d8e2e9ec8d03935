//! The OCCI API that hurtle's Service Manager and any OCCI client use: one HTTP request in, one
//! response out. Only this module knows OCCI; it knows no socket, no store and no cloud. What must
//! stay as it is on the wire is recorded from hurtle's own programs (host/docs/hurtle/PROTOCOL.md)
//! and tested in `tests/occi`; the decisions stand in host/docs/decisions.
//!
//! Layout, from top to bottom; no file uses one above its own line
//! - [`OcciApi`]: a request's way through the stages below, one line each
//! - `handlers`: one file for each verb and route
//! - `response_cache`, `service_manager`: rendered responses; exceptions for hurtle's client
//! - [`render`]: entities, categories and errors as text, headers, JSON and pages
//! - [`model`]: categories, entities, user-defined mixins
//! - [`http`], [`parse`]: a request's line and headers; its OCCI content
//! - [`cluster_service`]: the calls to the orchestrator
//! - [`terms`], [`limits`], [`error`]: vocabulary, bounds, reasons to fail

pub mod cluster_service;
pub mod error;
mod handlers;
pub mod http;
pub mod limits;
pub mod model;
pub mod parse;
pub mod render;
mod response_cache;
mod service_manager;
pub mod terms;

use std::sync::Arc;

use ::http::{Request, Response, request};
use bytes::Bytes;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

pub use cluster_service::ClusterService;
pub use limits::OcciLimits;

use error::ApiError;
use handlers::HandlerContext;
use http::RequestHead;
use http::route::OcciRoute;
use model::categories::CategoryModel;
use render::Renderer;
use response_cache::ResponseCache;
use service_manager::ServiceManagers;

use crate::addressing::{AddressError, AddressingConfig, ConnectionEnds, ServiceUrl};
use crate::orchestrator::OrchestratorError;

/// How the API is configured.
#[derive(Clone, Debug, Default)]
pub struct OcciConfig {
    /// Of what a request may carry.
    pub limits: OcciLimits,
    /// Under which URL clients know this service.
    pub addressing: AddressingConfig,
    /// Whether hurtle has started this host.
    pub started_by_hurtle: bool,
}

/// The API over some clusters. Cheap to clone.
#[derive(Clone)]
pub struct OcciApi<C> {
    clusters: C,
    model: Arc<CategoryModel>,
    cache: Arc<ResponseCache>,
    service_managers: Arc<ServiceManagers>,
    config: Arc<OcciConfig>,
}

impl<C: ClusterService> OcciApi<C> {
    /// An API over the clusters. Their frameworks are listed once, here.
    pub fn new(clusters: C, config: OcciConfig) -> Self {
        let model = Arc::new(CategoryModel::from_frameworks(&clusters.frameworks()));
        Self {
            clusters,
            model,
            cache: Arc::new(ResponseCache::new(config.limits)),
            service_managers: Arc::new(ServiceManagers::new(config.started_by_hurtle)),
            config: Arc::new(config),
        }
    }

    /// Handles one request.
    pub async fn handle_request(
        &self,
        request: Request<Bytes>,
        ends: ConnectionEnds,
    ) -> Response<Bytes> {
        let head = RequestHead::from(&request);
        let address = self.resolve_address(head, ends);
        let route = http::find_route(head, &address);
        let span = request_span(head, route.as_ref());
        let handle = async {
            let response = match self.serve_request(&request, route, address.clone()).await {
                Ok(response) => response,
                Err(error) => render_refusal(&error, head, address, ends),
            };
            Span::current().record("status", response.status().as_u16());
            response
        };
        handle.instrument(span).await
    }

    /// The response to a request whose head alone is reason to refuse it, so that its body need not
    /// be read.
    pub fn refuse_head(
        &self,
        parts: &request::Parts,
        ends: ConnectionEnds,
    ) -> Option<Response<Bytes>> {
        let head = RequestHead::from(parts);
        let address = self.resolve_address(head, ends);
        let route = http::find_route(head, &address);
        let span = request_span(head, route.as_ref()).entered();
        let error = http::route_request(head, route, address.clone()).err()?;
        let response = render_refusal(&error, head, address, ends);
        span.record("status", response.status().as_u16());
        Some(response)
    }

    fn resolve_address(
        &self,
        head: RequestHead<'_>,
        ends: ConnectionEnds,
    ) -> Result<ServiceUrl, AddressError> {
        self.config.addressing.resolve(head.uri, head.headers, ends)
    }

    async fn serve_request(
        &self,
        request: &Request<Bytes>,
        route: Option<OcciRoute>,
        address: Result<ServiceUrl, AddressError>,
    ) -> Result<Response<Bytes>, ApiError> {
        let routed = http::route_request(request.into(), route, address)?;
        let limits = &self.config.limits;
        let renderer = Renderer {
            rendering: routed.rendering,
            address: &routed.address,
            limits,
        };
        let Some(credentials) = routed.credentials else {
            self.service_managers.note_first_look(request.headers());
            return renderer.render_collection("/", &[]);
        };
        let parsed = parse::parse_request(request.headers(), request.body(), limits)?;
        let http::authenticate::Credentials { token, project } = credentials;
        let face = self.service_managers.face_of(request.headers());
        let caller = self.clusters.authenticate(token, &project, face).await?;
        let groups = self.clusters.groups(&caller).await?;
        let context = HandlerContext {
            clusters: &self.clusters,
            model: &self.model,
            cache: &self.cache,
            service_managers: &self.service_managers,
            renderer,
            caller,
            groups,
            headers: request.headers(),
            query: routed.query,
            parsed,
        };
        handlers::dispatch(context, routed.route, routed.method).await
    }
}

/// Logs and renders the error. The header that tells the service's address may be what is wrong.
fn render_refusal(
    error: &ApiError,
    head: RequestHead<'_>,
    address: Result<ServiceUrl, AddressError>,
    ends: ConnectionEnds,
) -> Response<Bytes> {
    log_error(error, head.uri.path());
    let address = address.unwrap_or_else(|_| ServiceUrl::plain(&ends.local.to_string()));
    render::error_response::render_error(error, head.headers, &address)
}

/// The span of one request. Its fields come from the path and the response only: headers and bodies
/// carry tokens and clients' own texts.
fn request_span(head: RequestHead<'_>, route: Option<&OcciRoute>) -> Span {
    let span = tracing::info_span!(
        "occi.request",
        method = head.method.as_str(),
        route = route.map_or("unknown", OcciRoute::kind),
        cluster.name = Empty,
        cluster.id = Empty,
        status = Empty,
    );
    if let Some(OcciRoute::Entity(name) | OcciRoute::Secret { cluster: name, .. }) = route {
        span.record("cluster.name", name);
    }
    span
}

/// Logs what the operator can mend: failures of the host and of the cloud. Mistakes of clients are
/// told to the client alone, since the texts quote what it sent.
fn log_error(error: &ApiError, path: &str) {
    let status = error.status().as_u16();
    match error {
        ApiError::Internal(source) => {
            tracing::error!(path, status, "failed: {error}: {source}")
        }
        ApiError::Orchestrator(OrchestratorError::Internal(_)) => {
            tracing::error!(path, status, "failed: {error}")
        }
        ApiError::Orchestrator(
            OrchestratorError::Cloud(_)
            | OrchestratorError::Busy { .. }
            | OrchestratorError::Outdated(_),
        ) => {
            tracing::warn!(path, status, "not done: {error}")
        }
        _ => tracing::debug!(path, status, "refused"),
    }
}
