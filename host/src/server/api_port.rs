//! The port of the APIs for clients: which of them a request is for, by its path alone.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, request};

use super::connection::{ConnectionHandler, PortRefusal, text_response};
use crate::addressing::{AddressingConfig, ConnectionEnds};
use crate::answer::AnswerBody;
use crate::api::{self, JsonApi};
use crate::metrics::ServedApi;
use crate::occi::{ClusterService, OcciApi};
use crate::ui::{self, PageApi};

/// The APIs of this port.
pub(super) struct ApiPort<C> {
    pub(super) occi: OcciApi<C>,
    /// None where only OCCI is served.
    pub(super) json: Option<JsonApi>,
    /// Likewise.
    pub(super) pages: Option<PageApi>,
    pub(super) addressing: AddressingConfig,
}

/// Who answers.
enum PathOwner<'a> {
    Json(&'a JsonApi),
    Pages(&'a PageApi),
    /// All that is nobody else's: hurtle's clients see this API alone.
    Occi,
}

impl<C> ApiPort<C> {
    /// A path may begin with the prefix of this service's URL, where the proxy in front has not taken
    /// it away; the path as it came is looked at first.
    fn owner(&self, head: &request::Parts, ends: ConnectionEnds) -> PathOwner<'_> {
        let path = head.uri.path();
        let owner_of = |path: &str| {
            let json = self
                .json
                .as_ref()
                .filter(|_| is_below(path, api::BASE_PATH));
            let pages = self
                .pages
                .as_ref()
                .filter(|_| is_below(path, ui::BASE_PATH));
            json.map(PathOwner::Json).or(pages.map(PathOwner::Pages))
        };
        let without_prefix = || {
            let address = self.addressing.resolve(&head.uri, &head.headers, ends);
            owner_of(address.ok()?.strip_prefix(path)?)
        };
        owner_of(path)
            .or_else(without_prefix)
            .unwrap_or(PathOwner::Occi)
    }
}

/// The answer, with whose it is: without it, it counts as OCCI's.
fn answer_of(api: ServedApi, mut answer: Response<AnswerBody>) -> Response<AnswerBody> {
    answer.extensions_mut().insert(api);
    answer
}

/// Whether a path is this one or below it.
fn is_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl<C: ClusterService> ConnectionHandler for ApiPort<C> {
    fn refuse_head(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Option<Response<AnswerBody>> {
        match self.owner(head, ends) {
            PathOwner::Json(json) => {
                let refused = json.refuse_head(head, ends)?;
                Some(answer_of(ServedApi::Json, refused))
            }
            PathOwner::Pages(pages) => {
                let refused = pages.refuse_head(head, ends)?;
                Some(answer_of(ServedApi::Pages, refused))
            }
            PathOwner::Occi => Some(self.occi.refuse_head(head, ends)?.map(AnswerBody::from)),
        }
    }

    fn render_refusal(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
        refusal: &PortRefusal,
    ) -> Response<AnswerBody> {
        match self.owner(head, ends) {
            PathOwner::Json(json) => {
                let refused = json.render_refusal(head, refusal.status, &refusal.text);
                answer_of(ServedApi::Json, refused)
            }
            PathOwner::Pages(_) | PathOwner::Occi => text_response(refusal.status, &refusal.text),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Bytes>,
        ends: ConnectionEnds,
    ) -> Response<AnswerBody> {
        let (head, body) = request.into_parts();
        match self.owner(&head, ends) {
            PathOwner::Json(json) => {
                let answer = json.handle_request(head, body, ends).await;
                answer_of(ServedApi::Json, answer)
            }
            PathOwner::Pages(pages) => {
                let answer = pages.handle_request(head, body, ends).await;
                answer_of(ServedApi::Pages, answer)
            }
            PathOwner::Occi => {
                let request = Request::from_parts(head, body);
                let answer = self.occi.handle_request(request, ends).await;
                answer.map(AnswerBody::from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_parts_of_a_path_count() {
        for path in ["/api/v1", "/api/v1/", "/api/v1/clusters"] {
            assert!(is_below(path, "/api/v1"), "{path}");
        }
        for path in [
            "/",
            "",
            "/api",
            "/api/v10",
            "/api/v1x/y",
            "/x/api/v1",
            "//api/v1",
        ] {
            assert!(!is_below(path, "/api/v1"), "{path}");
        }
    }
}
