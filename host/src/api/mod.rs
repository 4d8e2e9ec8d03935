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
//! - `route`: paths and their methods
//! - [`problem`]: why a request is not served, as RFC 9457 has it
//! - `json_body`: answers in JSON

mod json_body;
pub mod problem;
mod route;

use bytes::Bytes;
use http::{Method, Response, StatusCode, request};
use serde_json::json;

use json_body::json_response;
use problem::ApiProblem;
use route::ApiRoute;

use crate::addressing::{AddressingConfig, ConnectionEnds};
use crate::answer::{AnswerBody, EventSlots};
use crate::orchestrator::Orchestrator;

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
        let refused = self.find_route(head, ends).err()?;
        Some(refused.render(head.uri.path()))
    }

    /// Answers one request.
    pub async fn handle_request(
        &self,
        head: request::Parts,
        _body: Bytes,
        ends: ConnectionEnds,
    ) -> Response<AnswerBody> {
        let path = head.uri.path().to_owned();
        let answer = match self.find_route(&head, ends) {
            Ok(ApiRoute::Root) => Ok(json_response(
                StatusCode::OK,
                &json!({"version": "v1", "stampede": env!("CARGO_PKG_VERSION")}),
            )),
            Err(refused) => Err(refused),
        };
        answer.unwrap_or_else(|refused| refused.render(&path))
    }

    fn find_route(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Result<ApiRoute, ApiProblem> {
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
        if allowed.contains(method) {
            Ok(route)
        } else {
            Err(ApiProblem::method_not_allowed(allowed))
        }
    }
}
