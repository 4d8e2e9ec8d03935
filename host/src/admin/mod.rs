//! Answers the administration API, on a port of its own: health, readiness, metrics, and what
//! hurtle's Cloud Controller asks. No authentication, as recorded: nothing here shows or changes a
//! cluster but by its figures. Knows no OCCI.
//!
//! Layout
//! - [`AdminApi`]: a request in, an answer out
//! - [`controller`]: hurtle's Cloud Controller
//! - `metrics`: what the host counts, in Prometheus' text format; [`cluster_series`]: the figures of
//!   clusters

pub mod cluster_series;
pub mod controller;
mod metrics;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode, request};
use serde_json::Value;

pub use controller::CloudController;
use controller::ControllerFailure;

use crate::addressing::{ServiceUrl, is_cross_site};
use crate::metrics::HostMetrics;
use crate::orchestrator::{Orchestrator, OrchestratorError};

/// The API.
pub struct AdminApi {
    so_name: String,
    controller: Option<CloudController>,
    metrics: Arc<HostMetrics>,
    clusters: Option<Orchestrator>,
}

impl AdminApi {
    /// With the name that the Cloud Controller gave this instance, that Cloud Controller where
    /// there is one, and OCCI's counters.
    pub fn new(
        so_name: String,
        controller: Option<CloudController>,
        metrics: Arc<HostMetrics>,
    ) -> Self {
        Self {
            so_name,
            controller,
            metrics,
            clusters: None,
        }
    }

    /// The same, whose metrics have the figures of these clusters, too.
    #[must_use]
    pub fn with_clusters(self, clusters: Option<Orchestrator>) -> Self {
        Self { clusters, ..self }
    }

    /// The answer to a request whose head alone is reason to refuse it; `own` is this port's URL as
    /// its client knows it.
    pub fn refuse_head(
        &self,
        head: &request::Parts,
        own: Option<&ServiceUrl>,
    ) -> Option<Response<Bytes>> {
        let path = head.uri.path();
        let allowed = match path {
            "/" | "" | "/self" | "/health" | "/ready" | "/metrics" => "GET, HEAD",
            _ if path.starts_with("/update/") => "POST",
            _ => {
                return Some(answer(
                    StatusCode::NOT_FOUND,
                    "text/plain",
                    format!("Resource not found: '{path}'"),
                ));
            }
        };
        if !allowed
            .split(", ")
            .any(|allowed| allowed == head.method.as_str())
        {
            let mut response = answer(
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                "Method not supported.".to_owned(),
            );
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allowed));
            return Some(response);
        }
        // Nobody logs in here: a page that a browser of the operator's shows must not do it for
        // them.
        (head.method == Method::POST && is_cross_site(&head.headers, own)).then(|| {
            let text = "a page of another site cannot have this service started anew";
            answer(StatusCode::FORBIDDEN, "text/plain", text.to_owned())
        })
    }

    /// Answers one request. `ready` is waited for only where it is asked for.
    pub async fn answer(
        &self,
        head: &request::Parts,
        own: Option<&ServiceUrl>,
        ready: impl Future<Output = Result<(), OrchestratorError>> + Send,
    ) -> Response<Bytes> {
        if let Some(refusal) = self.refuse_head(head, own) {
            return refusal;
        }
        match head.uri.path() {
            // With a blank behind the colon, and of this type: as recorded.
            "/self" => answer(
                StatusCode::OK,
                "text/html",
                format!("{{\"so_name\": {}}}", Value::from(self.so_name.as_str())),
            ),
            "/update/self" => self.update().await,
            "/health" => answer(StatusCode::OK, "text/plain", "ok".to_owned()),
            "/metrics" => answer(
                StatusCode::OK,
                "text/plain; version=0.0.4",
                self.render_metrics().await,
            ),
            "/ready" => match ready.await {
                Ok(()) => answer(StatusCode::OK, "text/plain", "ready".to_owned()),
                Err(why) => answer(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "text/plain",
                    why.to_string(),
                ),
            },
            "/" | "" => answer(StatusCode::OK, "text/html", String::new()),
            _ => answer(
                StatusCode::NOT_IMPLEMENTED,
                "text/plain",
                "not implemented: only /update/self is".to_owned(),
            ),
        }
    }

    /// What was counted, and the figures of clusters as far as the store tells them.
    async fn render_metrics(&self) -> String {
        let mut text = metrics::render_metrics(&self.metrics);
        if let Some(clusters) = &self.clusters {
            match clusters.cluster_figures().await {
                Ok(figures) => text += &cluster_series::render_clusters(&figures),
                Err(error) => tracing::warn!("no figures of clusters: {error}"),
            }
        }
        text
    }

    /// Has the Cloud Controller start this service anew, and passes its answer on.
    async fn update(&self) -> Response<Bytes> {
        let Some(controller) = &self.controller else {
            let text = "no cloud controller has started this service: CC_ADMIN_URL and DC_NAME are not both set";
            return answer(StatusCode::NOT_IMPLEMENTED, "text/plain", text.to_owned());
        };
        match controller.request_update().await {
            Ok(passed) => {
                tracing::info!(
                    status = passed.status.as_u16(),
                    "asked the cloud controller to start this service anew"
                );
                let mut response = Response::new(passed.body);
                *response.status_mut() = passed.status;
                response.headers_mut().insert(
                    CONTENT_TYPE,
                    passed
                        .content_type
                        .unwrap_or(HeaderValue::from_static("text/plain")),
                );
                response
            }
            Err(failed) => {
                tracing::warn!("not updated: {failed}");
                let status = if matches!(failed, ControllerFailure::Late(_)) {
                    StatusCode::GATEWAY_TIMEOUT
                } else {
                    StatusCode::BAD_GATEWAY
                };
                answer(status, "text/plain", failed.to_string())
            }
        }
    }
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(method: Method, path: &str, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    async fn ask(
        method: Method,
        path: &str,
        ready: Result<(), OrchestratorError>,
    ) -> (u16, String) {
        let api = AdminApi::new(
            "soorch0123".to_owned(),
            None,
            Arc::new(HostMetrics::default()),
        );
        let response = api
            .answer(&head(method, path, &[]), None, async { ready })
            .await;
        (
            response.status().as_u16(),
            String::from_utf8_lossy(response.body()).into_owned(),
        )
    }

    #[tokio::test]
    async fn the_recorded_answers() {
        let get = |path| ask(Method::GET, path, Ok(()));
        assert_eq!(get("/").await, (200, String::new()));
        assert_eq!(
            get("/self").await,
            (200, r#"{"so_name": "soorch0123"}"#.to_owned())
        );
        assert_eq!(get("/health").await.0, 200);
        assert_eq!(get("/nosuch").await.0, 404);
        assert_eq!(ask(Method::POST, "/self", Ok(())).await.0, 405);
        assert_eq!(ask(Method::HEAD, "/self", Ok(())).await.0, 200);
        assert!(
            get("/metrics")
                .await
                .1
                .contains("stampede_connections_open 0\n")
        );
    }

    #[tokio::test]
    async fn an_update_needs_a_cloud_controller_and_is_of_this_service_only() {
        let post = |path| ask(Method::POST, path, Ok(()));
        let (status, text) = post("/update/self").await;
        assert!(
            status == 501 && text.contains("CC_ADMIN_URL"),
            "{status} {text}"
        );
        assert_eq!(
            post("/update/another").await,
            (501, "not implemented: only /update/self is".to_owned())
        );
        assert_eq!(ask(Method::GET, "/update/self", Ok(())).await.0, 405);
    }

    #[tokio::test]
    async fn a_page_of_another_site_starts_nothing_anew() {
        let api = AdminApi::new(String::new(), None, Arc::new(HostMetrics::default()));
        let own = ServiceUrl::plain("127.0.0.1:8081");
        for (headers, status) in [
            (vec![], 501),
            (vec![("origin", "http://127.0.0.1:8081")], 501),
            (vec![("sec-fetch-site", "same-origin")], 501),
            (vec![("origin", "http://evil.example.org")], 403),
            (vec![("origin", "null")], 403),
            (vec![("referer", "http://evil.example.org/x")], 403),
            (vec![("sec-fetch-site", "cross-site")], 403),
        ] {
            let head = head(Method::POST, "/update/self", &headers);
            let answer = api.answer(&head, Some(&own), async { Ok(()) }).await;
            assert_eq!(answer.status().as_u16(), status, "{headers:?}");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        }
    }

    #[tokio::test]
    async fn readiness_is_the_orchestrators() {
        assert_eq!(ask(Method::GET, "/ready", Ok(())).await.0, 200);
        let not_yet = Err(OrchestratorError::internal("the store cannot be read"));
        assert_eq!(
            ask(Method::GET, "/ready", not_yet).await,
            (503, "the store cannot be read".to_owned())
        );
    }
}
