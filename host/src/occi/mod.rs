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

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::{Request, Response};
use bytes::Bytes;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

pub use cluster_service::ClusterService;
pub use limits::OcciLimits;

use error::ApiError;
use handlers::HandlerContext;
use http::route::OcciRoute;
use model::categories::CategoryModel;
use render::Renderer;
use response_cache::ResponseCache;

use crate::orchestrator::OrchestratorError;

/// The API over some clusters. Cheap to clone.
#[derive(Clone)]
pub struct OcciApi<C> {
    clusters: C,
    model: Arc<CategoryModel>,
    cache: Arc<ResponseCache>,
    limits: OcciLimits,
}

impl<C: ClusterService> OcciApi<C> {
    /// An API over the clusters. Their frameworks are listed once, here.
    pub fn new(clusters: C, limits: OcciLimits) -> Self {
        let model = Arc::new(CategoryModel::from_frameworks(&clusters.frameworks()));
        Self {
            clusters,
            model,
            cache: Arc::new(ResponseCache::new(limits)),
            limits,
        }
    }

    /// Handles one request. `local` is the address that it came in on, for clients that send no
    /// Host.
    pub async fn handle_request(
        &self,
        request: Request<Bytes>,
        local: SocketAddr,
    ) -> Response<Bytes> {
        let route = OcciRoute::from_path(request.uri().path());
        let span = request_span(&request, route.as_ref());
        let handle = async {
            let response = match self.serve_request(&request, route, local).await {
                Ok(response) => response,
                Err(error) => {
                    log_error(&error, request.uri().path());
                    let base = http::base_url(&request, local);
                    render::error_response::render_error(&error, request.headers(), &base)
                }
            };
            Span::current().record("status", response.status().as_u16());
            response
        };
        handle.instrument(span).await
    }

    async fn serve_request(
        &self,
        request: &Request<Bytes>,
        route: Option<OcciRoute>,
        local: SocketAddr,
    ) -> Result<Response<Bytes>, ApiError> {
        let routed = http::route_request(request, route, local)?;
        let base = format!("http://{}", routed.host);
        let renderer = Renderer {
            rendering: routed.rendering,
            base: &base,
            limits: &self.limits,
        };
        let Some(credentials) = routed.credentials else {
            return renderer.render_collection("/", &[]);
        };
        let parsed = parse::parse_request(request.headers(), request.body(), &self.limits)?;
        let http::authenticate::Credentials { token, project } = credentials;
        let caller = self.clusters.authenticate(token, &project).await?;
        let groups = self.clusters.groups(&caller).await?;
        let context = HandlerContext {
            clusters: &self.clusters,
            model: &self.model,
            cache: &self.cache,
            renderer,
            caller,
            groups,
            headers: request.headers(),
            query: routed.query,
            host: &routed.host,
            parsed,
        };
        handlers::dispatch(context, routed.route, routed.method).await
    }
}

/// The span of one request. Its fields come from the path and the response only: headers and bodies
/// carry tokens and clients' own texts.
fn request_span(request: &Request<Bytes>, route: Option<&OcciRoute>) -> Span {
    let span = tracing::info_span!(
        "occi.request",
        method = request.method().as_str(),
        route = route.map_or("unknown", OcciRoute::kind),
        cluster.name = Empty,
        cluster.id = Empty,
        status = Empty,
    );
    if let Some(OcciRoute::Entity(name)) = route {
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
        ApiError::Orchestrator(OrchestratorError::Cloud(_) | OrchestratorError::Busy { .. }) => {
            tracing::warn!(path, status, "not done: {error}")
        }
        _ => tracing::debug!(path, status, "refused"),
    }
}
