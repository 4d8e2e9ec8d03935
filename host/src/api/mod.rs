//! The JSON API under `/api/v1`: clusters, frameworks and what the cloud has, for programs and for the
//! command line. One HTTP request in, one answer out, or a stream of events. It knows no OCCI, no
//! HTML and no socket, and decides nothing: that is `orchestrator`.
//!
//! A request is authenticated by its header `X-Auth-Token` alone. Browsers add no such header to what
//! a page of another site sends, so that there is no forged request to look out for; cookies are not
//! read.
//!
//! Layout, from top to bottom; no file uses one above its own line
//! - [`JsonApi`]: a request's way
//! - [`document`]: the API's document; `problem_answers`: which problems stand in it
//! - `handlers`: what each route answers
//! - [`shapes`], [`preview_shapes`], [`catalog_shapes`], [`request_shapes`], [`access_shapes`],
//!   [`time_shapes`]: what answers hold
//! - `request_body`: what requests say, `json_node`: JSON as it was sent
//! - `credentials`, `route`: who asks, and for what
//! - [`problem`]: why a request is not served, as RFC 9457 has it
//! - `json_body`, [`limits`]: answers in JSON; bounds

pub mod access_shapes;
pub mod catalog_shapes;
mod credentials;
pub mod document;
mod handlers;
mod json_body;
mod json_node;
pub mod limits;
pub mod preview_shapes;
pub mod problem;
mod problem_answers;
mod request_body;
pub mod request_shapes;
mod route;
pub mod shapes;
pub mod time_shapes;

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode, request};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use credentials::ApiCredentials;
use handlers::{ApiContext, ApiResult, changes, clusters, create, events, lists, requests};
use json_body::json_response;
use problem::ApiProblem;
use route::{ApiRoute, CloudList};
use shapes::ApiRoot;

use crate::addressing::{AddressingConfig, ConnectionEnds};
use crate::answer::{AnswerBody, EventSlots};
use crate::orchestrator::{Orchestrator, OrchestratorError};

/// Below which this API is.
pub const BASE_PATH: &str = "/api/v1";

/// The API over the clusters of an orchestrator.
pub struct JsonApi {
    orchestrator: Orchestrator,
    addressing: AddressingConfig,
    slots: EventSlots,
}

impl JsonApi {
    /// An API over these clusters, whose streams take these places.
    pub fn new(
        orchestrator: Orchestrator,
        addressing: AddressingConfig,
        slots: EventSlots,
    ) -> Self {
        Self {
            orchestrator,
            addressing,
            slots,
        }
    }

    /// The answer to a request whose head alone is reason to refuse it, so that its body need not be
    /// read.
    pub fn refuse_head(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Option<Response<AnswerBody>> {
        let refused = self.read_head(head, ends).err()?;
        Some(refused.render(head.uri.path()))
    }

    /// The answer to a request that the limits of the server refuse.
    pub fn render_refusal(
        &self,
        head: &request::Parts,
        status: StatusCode,
        why: &str,
    ) -> Response<AnswerBody> {
        ApiProblem::of_limits(status, why).render_unlogged(head.uri.path())
    }

    /// Answers one request.
    pub async fn handle_request(
        &self,
        head: request::Parts,
        body: Bytes,
        ends: ConnectionEnds,
    ) -> Response<AnswerBody> {
        let read = self.read_head(&head, ends);
        let route = read.as_ref().ok().map(|(route, _)| route);
        // Its fields come from the path and the answer only: headers and bodies carry tokens and
        // clients' own texts.
        let span = tracing::info_span!(
            "api.request",
            method = head.method.as_str(),
            route = route.map_or("unknown", ApiRoute::kind),
            cluster.name = Empty,
            status = Empty,
        );
        if let Some(
            ApiRoute::Cluster(name)
            | ApiRoute::Events(name)
            | ApiRoute::Access(name)
            | ApiRoute::ClusterRequests(name)
            | ApiRoute::Secret { cluster: name, .. },
        ) = route
        {
            span.record("cluster.name", name);
        }
        let handle = async {
            let answer = match read {
                Ok((route, credentials)) => self.serve(&head, &body, route, credentials).await,
                Err(refused) => Err(refused),
            };
            let response = answer.unwrap_or_else(|refused| refused.render(head.uri.path()));
            Span::current().record("status", response.status().as_u16());
            response
        };
        let handled = AssertUnwindSafe(handle).catch_unwind().instrument(span);
        handled.await.unwrap_or_else(|_| {
            // The panic itself was printed by the panic hook.
            let panicked = OrchestratorError::internal("a request ended in a panic");
            ApiProblem::from(panicked).render(head.uri.path())
        })
    }

    /// The route, and who asks where that has to be said.
    fn read_head(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Result<(ApiRoute, Option<ApiCredentials>), ApiProblem> {
        let address = self.addressing.resolve(&head.uri, &head.headers, ends)?;
        let path = head.uri.path();
        let route = ApiRoute::from_path(path)
            .or_else(|| ApiRoute::from_path(address.strip_prefix(path)?))
            .ok_or_else(|| ApiProblem::no_such_path(path))?;
        let allowed = route.methods();
        let method = if head.method == Method::HEAD {
            &Method::GET
        } else {
            &head.method
        };
        if !allowed.contains(method) {
            return Err(ApiProblem::method_not_allowed(allowed));
        }
        let credentials = if route.is_open() {
            None
        } else {
            Some(ApiCredentials::read(&head.headers)?)
        };
        Ok((route, credentials))
    }

    async fn serve(
        &self,
        head: &request::Parts,
        body: &[u8],
        route: ApiRoute,
        credentials: Option<ApiCredentials>,
    ) -> ApiResult {
        let Some(credentials) = credentials else {
            return Ok(open_answer(&route));
        };
        let context = ApiContext {
            api: self,
            caller: credentials.authenticate(&self.orchestrator).await?,
            credentials,
            query: head.uri.query(),
            headers: &head.headers,
            body,
            is_head: head.method == Method::HEAD,
        };
        let context = &context;
        match &route {
            ApiRoute::Root | ApiRoute::Document => Ok(open_answer(&route)),
            ApiRoute::Session => lists::show_session(context).await,
            ApiRoute::Frameworks => lists::list_frameworks(context).await,
            ApiRoute::Framework(name) => lists::show_framework(context, name).await,
            ApiRoute::Attributes => lists::list_attributes(context).await,
            ApiRoute::Cloud(CloudList::Flavors) => lists::list_flavors(context).await,
            ApiRoute::Cloud(CloudList::Images) => lists::list_images(context).await,
            ApiRoute::Cloud(CloudList::Keys) => lists::list_keys(context).await,
            ApiRoute::Cloud(CloudList::Networks) => lists::list_networks(context).await,
            ApiRoute::Cloud(CloudList::Zones) => lists::list_zones(context).await,
            ApiRoute::Cloud(CloudList::Quotas) => lists::list_quotas(context).await,
            ApiRoute::Clusters if head.method == Method::POST => {
                create::create_cluster(context).await
            }
            ApiRoute::Clusters => clusters::list_clusters(context).await,
            ApiRoute::Cluster(name) if head.method == Method::PATCH => {
                changes::change_cluster(context, name).await
            }
            ApiRoute::Cluster(name) if head.method == Method::DELETE => {
                changes::delete_cluster(context, name).await
            }
            ApiRoute::Cluster(name) => clusters::show_cluster(context, name).await,
            ApiRoute::Events(name) => events::stream_events(context, name).await,
            ApiRoute::Access(name) => clusters::show_access(context, name).await,
            ApiRoute::ClusterRequests(named) => {
                requests::list_cluster_requests(context, named).await
            }
            ApiRoute::Requests => requests::list_requests(context).await,
            ApiRoute::Secret { cluster, endpoint } => {
                clusters::show_secret(context, cluster, endpoint).await
            }
        }
    }
}

/// What everybody is told.
fn open_answer(route: &ApiRoute) -> Response<AnswerBody> {
    if *route == ApiRoute::Document {
        let mut response = Response::new(AnswerBody::from(document::document_text()));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        return response;
    }
    let root = ApiRoot {
        version: "v1".to_owned(),
        stampede: env!("CARGO_PKG_VERSION").to_owned(),
        openapi: format!("{BASE_PATH}/openapi.json"),
    };
    json_response(StatusCode::OK, &root)
}
