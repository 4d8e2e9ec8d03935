//! One request to a service and its answer, as plain data. Sending is `transport`'s.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, StatusCode, header::HeaderMap};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{CloudError, ServiceName, error::ErrorCause, retry::RetryPolicy};

/// One request to one service. Not `Debug`: it holds the token, and a body may hold a password.
pub(super) struct ApiRequest<'a> {
    pub(super) service: ServiceName,
    /// What is asked, to stand after "refuses to": `create stack demo`. It also names the operation
    /// in spans, so it holds no secret.
    pub(super) action: String,
    pub(super) method: Method,
    pub(super) url: Url,
    /// Which calls are kept back together where none has an answer.
    pub(super) circuit: String,
    pub(super) token: Option<&'a SecretString>,
    /// The token is also what the call is about (Keystone's `X-Subject-Token`).
    pub(super) is_token_subject: bool,
    pub(super) body: Option<Value>,
    pub(super) retry: RetryPolicy,
    /// How long the answer may take, its body included.
    pub(super) timeout: Duration,
}

impl ApiRequest<'_> {
    /// That the answer to this request cannot be used.
    pub(super) fn bad_answer(&self, reason: String, source: Option<ErrorCause>) -> CloudError {
        CloudError::BadAnswer {
            service: self.service.as_str(),
            action: self.action.clone(),
            reason,
            source,
        }
    }
}

/// A 2xx (or wanted 3xx) answer, read whole. Not `Debug`: it may hold a token.
pub(super) struct ApiResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) service: ServiceName,
    pub(super) action: String,
}

impl ApiResponse {
    /// The body as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CloudError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            self.bad_answer(
                format!("unexpected JSON: {error}"),
                Some(ErrorCause::new(error)),
            )
        })
    }

    /// That something in the answer is not as it should be.
    pub(super) fn bad(&self, reason: String) -> CloudError {
        self.bad_answer(reason, None)
    }

    fn bad_answer(&self, reason: String, source: Option<ErrorCause>) -> CloudError {
        CloudError::BadAnswer {
            service: self.service.as_str(),
            action: self.action.clone(),
            reason,
            source,
        }
    }
}
