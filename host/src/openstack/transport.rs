//! One HTTP call to a service of the cloud: limits on time and size, repetition with backoff where
//! it is safe. Knows no service's shapes. TLS verification cannot be turned off; a cloud with its
//! own authority names a CA file.

use std::{sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::debug;
use url::Url;

use super::{ClientLimits, CloudConfig, CloudError, error_response};
use crate::system::{http_client, random};

/// Connections to the cloud, with their limits.
#[derive(Debug)]
pub(super) struct HttpTransport {
    /// Made at the first call, unless there is a CA file to check: reading the machine's
    /// certificates takes longer than the rest of a start.
    http: OnceLock<Result<reqwest::Client, CloudError>>,
    direct: bool,
    limits: ClientLimits,
}

/// One thing asked of one service. Not `Debug`: it holds the token, and a body may hold a password.
pub(super) struct ApiRequest<'a> {
    /// The service, as messages name it: `heat`.
    pub(super) service: &'static str,
    /// What is asked, to stand after "refuses to": `create stack demo`.
    pub(super) action: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: Option<&'a SecretString>,
    /// The token is also what the call is about (Keystone's `X-Subject-Token`).
    pub(super) subject: bool,
    pub(super) body: Option<Value>,
    pub(super) repeat: RetryPolicy,
    /// How long the answer may take.
    pub(super) timeout: Duration,
}

/// When a call that gave no answer is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryPolicy {
    /// Always: twice is the same as once.
    Safe,
    /// Only when the service surely did not act: no connection, or "not now" (429, 503).
    Unacted,
}

/// A 2xx (or wanted 3xx) answer, read whole. It may hold a token, so it is never printed whole.
pub(super) struct ApiResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Bytes,
    service: &'static str,
    action: String,
}

/// Why there is none, and what that says of the service.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub(super) error: CloudError,
    pub(super) reached: Delivery,
}

/// Whether the service may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It was never asked.
    No,
    /// It said "not now" (429, 503).
    Declined,
    /// It answered for good.
    Answered,
    /// It may have acted: the answer was lost, cut, or a 5xx.
    Unknown,
}

impl From<CallFailure> for CloudError {
    fn from(failure: CallFailure) -> Self {
        failure.error
    }
}

impl HttpTransport {
    /// # Errors
    /// [`Error::Config`] when the CA file cannot be read or the TLS library cannot start.
    pub(super) fn new(config: &CloudConfig) -> Result<Self, CloudError> {
        // Another part of the process may have installed a provider before: either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let extra = match &config.ca_file {
            None => Vec::new(),
            Some(path) => {
                let wrong = |what: String| {
                    CloudError::Config(format!(
                        "the CA file {} {what}; give a PEM file of certificates",
                        path.display()
                    ))
                };
                let pem = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
                let found = reqwest::Certificate::from_pem_bundle(&pem)
                    .map_err(|e| wrong(format!("is no PEM: {}", root(&e))))?;
                if found.is_empty() {
                    return Err(wrong("holds no certificate".to_owned()));
                }
                found
            }
        };
        let direct = Url::parse(&config.auth_url).is_ok_and(|url| is_loopback(&url));
        let transport = Self {
            http: OnceLock::new(),
            direct,
            limits: config.limits.clone(),
        };
        if !extra.is_empty() {
            let _ = transport.http.set(Ok(transport.connections(extra)?));
        }
        Ok(transport)
    }

    fn connections(&self, extra: Vec<reqwest::Certificate>) -> Result<reqwest::Client, CloudError> {
        let builder = || {
            let builder = http_client::new_builder()
                .user_agent(concat!("stampede/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(self.limits.connect);
            if self.direct {
                builder.no_proxy()
            } else {
                builder
            }
        };
        // A minimal image has no certificates of its own, which must not keep it from a cloud on
        // plain HTTP or with a CA file.
        builder()
            .tls_certs_merge(extra.clone())
            .build()
            .or_else(|_| builder().tls_certs_only(extra).build())
            .map_err(|e| CloudError::Config(format!("the TLS library cannot start: {}", root(&e))))
    }

    /// Asks, as often as [`Repeat`] and the limits allow.
    pub(super) async fn send(&self, call: &ApiRequest<'_>) -> Result<ApiResponse, CallFailure> {
        let headers = headers(call)?;
        let body = call.body.as_ref().map(|body| Bytes::from(body.to_string()));
        let mut attempt = 1;
        loop {
            let failure = match self
                .once(call, headers.clone(), body.clone(), attempt)
                .await
            {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let again = match (call.repeat, failure.reached) {
                (_, Delivery::Answered) | (RetryPolicy::Unacted, Delivery::Unknown) => false,
                (_, Delivery::No | Delivery::Declined) | (RetryPolicy::Safe, Delivery::Unknown) => {
                    true
                }
            };
            if !again || attempt >= self.limits.attempts {
                return Err(failure);
            }
            let wish = match &failure.error {
                CloudError::Overloaded { retry_after, .. } => *retry_after,
                _ => None,
            };
            let pause = pause(&self.limits, attempt, wish, jitter());
            debug!(
                service = call.service,
                attempt,
                pause_ms = pause.as_millis(),
                "asking again to {}: {}",
                call.action,
                failure.error
            );
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn once(
        &self,
        call: &ApiRequest<'_>,
        headers: HeaderMap,
        body: Option<Bytes>,
        attempt: u32,
    ) -> Result<ApiResponse, CallFailure> {
        let http = self
            .http
            .get_or_init(|| self.connections(Vec::new()))
            .as_ref()
            .map_err(|error| CallFailure::from(error.clone()))?;
        let mut request = http
            .request(call.method.clone(), call.url.clone())
            .headers(headers)
            .timeout(call.timeout);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|e| lost(call, &e))?;
        let status = response.status();
        if !status.is_success() && !is_wanted_redirect(&response) {
            let redirect = response
                .headers()
                .get(LOCATION)
                .and_then(|to| to.to_str().ok())
                .map(str::to_owned);
            let retry_after = error_response::retry_after(response.headers());
            // Half a fault's words are better than none.
            let (body, _) = read(&mut response, self.limits.fault_bytes).await;
            let is_refusal = status == StatusCode::BAD_REQUEST;
            let words = error_response::words(
                &body,
                if is_refusal {
                    self.limits.refusal_chars
                } else {
                    self.limits.fault_chars
                },
            );
            return Err(error_response::failure(
                call,
                error_response::FailedResponse {
                    status,
                    words,
                    retry_after,
                    redirect,
                    attempts: attempt,
                },
            ));
        }
        let headers = response.headers().clone();
        let (body, end) = read(&mut response, self.limits.body_bytes).await;
        let bad = |reason| CloudError::BadAnswer {
            service: call.service,
            action: call.action.clone(),
            reason,
        };
        match end {
            End::Whole => Ok(ApiResponse {
                status,
                headers,
                body,
                service: call.service,
                action: call.action.clone(),
            }),
            // The same answer would be as large again, so this is for good, though a create behind
            // it is done.
            End::TooLarge => Err(CallFailure {
                error: bad(format!(
                    "more than the limit of {} bytes",
                    self.limits.body_bytes
                )),
                reached: if call.repeat == RetryPolicy::Safe {
                    Delivery::Answered
                } else {
                    Delivery::Unknown
                },
            }),
            End::Cut(error) => Err(CallFailure {
                error: bad(format!("the answer was cut: {error}")),
                reached: Delivery::Unknown,
            }),
        }
    }
}

impl ApiResponse {
    /// The body as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CloudError> {
        serde_json::from_slice(&self.body).map_err(|e| self.bad(format!("unexpected JSON: {e}")))
    }

    /// That something in the answer is not as it should be.
    pub(super) fn bad(&self, reason: String) -> CloudError {
        CloudError::BadAnswer {
            service: self.service,
            action: self.action.clone(),
            reason,
        }
    }
}

/// Heat (by name) and version documents answer 300 and 302, which the caller reads itself.
fn is_wanted_redirect(response: &Response) -> bool {
    response.status() == StatusCode::MULTIPLE_CHOICES
        || (response.status() == StatusCode::FOUND && response.url().path().contains("/stacks/"))
}

fn headers(call: &ApiRequest<'_>) -> Result<HeaderMap, CallFailure> {
    let mut headers = HeaderMap::new();
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(
        reqwest::header::ACCEPT,
        HeaderValue::from_static("application/json"),
    );
    if let Some(token) = call.token {
        // Characters that no header may hold are in no token either.
        let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| CallFailure {
            error: CloudError::InvalidToken {
                service: call.service,
            },
            reached: Delivery::Answered,
        })?;
        value.set_sensitive(true);
        if call.subject {
            headers.insert("x-subject-token", value.clone());
        }
        headers.insert("x-auth-token", value);
    }
    Ok(headers)
}

enum End {
    Whole,
    TooLarge,
    Cut(String),
}

async fn read(response: &mut Response, limit: usize) -> (Bytes, End) {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return (body.freeze(), End::TooLarge);
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body.freeze(), End::Whole),
            Err(error) => {
                return (
                    body.freeze(),
                    End::Cut(if error.is_timeout() {
                        "no more came in time".to_owned()
                    } else {
                        root(&error)
                    }),
                );
            }
        }
    }
}

fn lost(call: &ApiRequest<'_>, error: &reqwest::Error) -> CallFailure {
    let url = call.url.origin().ascii_serialization();
    let service = call.service;
    if let Some(reason) = certificate(error) {
        return CallFailure {
            error: CloudError::Untrusted {
                service,
                url,
                reason,
            },
            reached: Delivery::Answered,
        };
    }
    let reason = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "no connection in time".to_owned(),
        (false, true) => format!("no answer within {} s", call.timeout.as_secs()),
        _ => root(error),
    };
    let connected = !error.is_connect();
    let reached = if connected {
        Delivery::Unknown
    } else {
        Delivery::No
    };
    CallFailure {
        error: CloudError::Unreachable {
            service,
            url,
            reason,
            connected,
        },
        reached,
    }
}

/// The TLS library's words, if the certificate is what failed.
fn certificate(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
        return Some(reason.to_string());
    }
    // An io::Error shows its inner error's source, not the inner error itself, and they come
    // nested.
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    inner
        .and_then(|inner| certificate(inner))
        .or_else(|| certificate(error.source()?))
}

/// The innermost cause: what reqwest says above it only repeats the URL.
fn root(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The pause after a failed attempt: doubled each time, jittered, as long as the service wishes,
/// never above the limit.
pub(super) fn pause(
    limits: &ClientLimits,
    attempt: u32,
    wish: Option<Duration>,
    jitter: f64,
) -> Duration {
    let doubled = limits
        .backoff
        .saturating_mul(2u32.saturating_pow(attempt - 1))
        .min(limits.backoff_max);
    doubled
        .mul_f64(jitter)
        .max(wish.unwrap_or_default())
        .min(limits.backoff_max)
}

/// From a half to one.
fn jitter() -> f64 {
    let random = random::random_byte();
    0.5 + f64::from(random) / 510.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_is_jittered_and_stays_below_its_limit() {
        let limits = ClientLimits {
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(1),
            ..ClientLimits::default()
        };
        let ms = |attempt, wish: Option<u64>, jitter| {
            pause(&limits, attempt, wish.map(Duration::from_millis), jitter).as_millis()
        };
        assert_eq!(
            [ms(1, None, 1.0), ms(2, None, 1.0), ms(3, None, 1.0)],
            [100, 200, 400]
        );
        assert_eq!(ms(3, None, 0.5), 200);
        assert_eq!(ms(5, None, 1.0), 1000);
        assert_eq!(ms(100, None, 1.0), 1000);
        assert_eq!(ms(1, Some(700), 1.0), 700, "Retry-After is honoured");
        assert_eq!(ms(1, Some(60_000), 1.0), 1000, "within the limit");
    }

    #[test]
    fn jitter_lies_between_a_half_and_one() {
        assert!(
            (0..1000)
                .map(|_| jitter())
                .all(|j| (0.5..=1.0).contains(&j))
        );
    }
}
