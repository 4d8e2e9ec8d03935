//! The administration face, on a port of its own: what hurtle's Cloud Controller asks, health, readiness, metrics. No
//! authentication, as recorded: nothing here shows or changes a cluster. Knows no OCCI.
//!
//! Layout
//! - [`Face`]: a request in, an answer out
//! - [`metrics`]: what the server counts

pub mod metrics;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

pub use metrics::Metrics;

use crate::orchestrator::Refused;

/// The face.
#[derive(Debug)]
pub struct Face {
    so_name: String,
    metrics: Arc<Metrics>,
}

impl Face {
    /// With the name that the Cloud Controller gave this instance, and OCCI's counters.
    pub fn new(so_name: String, metrics: Arc<Metrics>) -> Self {
        Self { so_name, metrics }
    }

    /// Answers one request. `ready` is waited for only where it is asked for.
    pub async fn answer(&self, request: &Request<Bytes>, ready: impl Future<Output = Result<(), Refused>> + Send) -> Response<Bytes> {
        let path = request.uri().path();
        if !matches!(path, "/" | "/self" | "/health" | "/ready" | "/metrics") {
            return answer(StatusCode::NOT_FOUND, "text/plain", format!("Resource not found: '{path}'"));
        }
        if request.method() != Method::GET {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "Method not supported.".to_owned());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return response;
        }
        match path {
            "/self" => answer(StatusCode::OK, "application/json", json!({"so_name": self.so_name}).to_string()),
            "/health" => answer(StatusCode::OK, "text/plain", "ok".to_owned()),
            "/metrics" => answer(StatusCode::OK, "text/plain; version=0.0.4", self.metrics.text()),
            "/ready" => match ready.await {
                Ok(()) => answer(StatusCode::OK, "text/plain", "ready".to_owned()),
                Err(why) => answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain", why.to_string()),
            },
            _ => answer(StatusCode::OK, "text/html", String::new()),
        }
    }
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(method: Method, path: &str, ready: Result<(), Refused>) -> (u16, String) {
        let face = Face::new("soorch0123".to_owned(), Arc::new(Metrics::default()));
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let response = face.answer(&request, async { ready }).await;
        (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
    }

    #[tokio::test]
    async fn the_recorded_answers() {
        let get = |path| ask(Method::GET, path, Ok(()));
        assert_eq!(get("/").await, (200, String::new()));
        assert_eq!(get("/self").await, (200, r#"{"so_name":"soorch0123"}"#.to_owned()));
        assert_eq!(get("/health").await.0, 200);
        assert_eq!(get("/nosuch").await.0, 404);
        assert_eq!(ask(Method::POST, "/self", Ok(())).await.0, 405);
        assert!(get("/metrics").await.1.contains("stampede_connections_open 0\n"));
    }

    #[tokio::test]
    async fn readiness_is_the_orchestrators() {
        assert_eq!(ask(Method::GET, "/ready", Ok(())).await.0, 200);
        let not_yet = Err(Refused::Internal("the store cannot be read".to_owned()));
        assert_eq!(ask(Method::GET, "/ready", not_yet).await, (503, "the store cannot be read".to_owned()));
    }
}
