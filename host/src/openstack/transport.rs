//! Sends one HTTP request to a service of the cloud over pooled connections: limits on time and
//! size, one span and one observation for each HTTP call, repetition by `retry`. Knows no service's
//! JSON. Certificates are checked unless the configuration says otherwise; a cloud with its own
//! authority names a CA file.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Certificate, Identity, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use secrecy::ExposeSecret;
use tracing::{Instrument as _, Span, field, info_span};
use url::Url;

use super::{
    CallObserver, CallOutcome, ClientLimits, CloudConfig, CloudError, RequestCarrier,
    api_request::{ApiRequest, ApiResponse},
    circuit_breaker::CircuitBreaker,
    error::ErrorCause,
    error_response::{self, FailedResponse},
    retry::{CallFailure, Delivery, RetryPolicy, repeat_call},
    tls_files::{build_trusting, innermost_cause, read_ca_file, read_client_certificate},
};
use crate::system::{clock, http_client};

/// Connections to the cloud, with their limits.
#[derive(Debug)]
pub(super) struct HttpTransport {
    /// Made at the first call, unless there is a CA file to check: reading the machine's
    /// certificates takes longer than the rest of a start.
    connections: OnceLock<Result<reqwest::Client, CloudError>>,
    /// What proves who we are.
    identity: Option<Identity>,
    /// Whether servers must prove who they are.
    verifies: bool,
    /// The cloud is on this machine, where no proxy leads to.
    is_loopback: bool,
    limits: ClientLimits,
    breaker: CircuitBreaker,
    observer: Option<CallObserver>,
    carrier: Option<Arc<dyn RequestCarrier>>,
}

impl HttpTransport {
    /// # Errors
    /// [`CloudError::Config`] when a file of certificates cannot be read or the TLS library cannot
    /// start.
    pub(super) fn new(config: &CloudConfig) -> Result<Self, CloudError> {
        // Another part of the process may have installed a provider before: either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authorities = match &config.ca_file {
            None => Vec::new(),
            Some(path) => read_ca_file(path)?,
        };
        let identity = match &config.client_certificate {
            None => None,
            Some(files) => Some(read_client_certificate(files)?),
        };
        let transport = Self {
            connections: OnceLock::new(),
            identity,
            verifies: config.verify_certificates,
            is_loopback: Url::parse(&config.auth_url).is_ok_and(|url| is_loopback(&url)),
            limits: config.limits.clone(),
            breaker: CircuitBreaker::default(),
            observer: config.call_observer.clone(),
            carrier: config.carrier.clone(),
        };
        if !authorities.is_empty() {
            let client = transport.build_client(authorities)?;
            let _ = transport.connections.set(Ok(client));
        }
        Ok(transport)
    }

    fn build_client(&self, authorities: Vec<Certificate>) -> Result<reqwest::Client, CloudError> {
        let builder = || {
            let builder = http_client::new_builder()
                .user_agent(concat!("stampede/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(self.limits.connect)
                .tls_danger_accept_invalid_certs(!self.verifies);
            let builder = match &self.identity {
                Some(identity) => builder.identity(identity.clone()),
                None => builder,
            };
            if self.is_loopback {
                builder.no_proxy()
            } else {
                builder
            }
        };
        build_trusting(builder, authorities)
    }

    /// Sends the request, and again as often as its [`RetryPolicy`] and the limits allow.
    pub(super) async fn send(&self, call: &ApiRequest<'_>) -> Result<ApiResponse, CallFailure> {
        let headers = request_headers(call)?;
        let body = call.body.as_ref().map(|body| Bytes::from(body.to_string()));
        repeat_call(
            call.retry,
            &self.limits,
            (call.service, &call.action),
            |attempt| {
                let exchange = self.observe_exchange(call, headers.clone(), body.clone(), attempt);
                self.breaker.guard(call, &self.limits, exchange)
            },
        )
        .await
    }

    /// One HTTP call in its span, reported to the observer when it has ended. The span names the
    /// operation, never the URL, a header or a body.
    async fn observe_exchange(
        &self,
        call: &ApiRequest<'_>,
        headers: HeaderMap,
        body: Option<Bytes>,
        attempt: u32,
    ) -> Result<ApiResponse, CallFailure> {
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        *request.headers_mut() = headers;
        *request.timeout_mut() = Some(call.timeout);
        *request.body_mut() = body.map(reqwest::Body::from);
        let span = info_span!(
            "openstack.request",
            service = call.service.as_str(),
            method = call.method.as_str(),
            operation = call.action.as_str(),
            attempt,
            status = field::Empty,
            outcome = field::Empty,
        );
        let started = clock::monotonic_now();
        let result = self
            .exchange(call, request, attempt)
            .instrument(span.clone())
            .await;
        let outcome = outcome_of(&result);
        span.record("outcome", outcome.as_str());
        if let Some(observer) = &self.observer {
            observer.observe(call.service, started.elapsed(), outcome);
        }
        result
    }

    /// Sends the request once and reads its answer whole.
    async fn exchange(
        &self,
        call: &ApiRequest<'_>,
        request: reqwest::Request,
        attempt: u32,
    ) -> Result<ApiResponse, CallFailure> {
        let mut response = match &self.carrier {
            Some(carrier) => carrier.carry(request).await,
            None => self
                .connections
                .get_or_init(|| self.build_client(Vec::new()))
                .as_ref()
                .map_err(|error| CallFailure::from(error.clone()))?
                .execute(request)
                .await
                .map_err(|error| no_answer(call, error))?,
        };
        let status = response.status();
        Span::current().record("status", status.as_u16());
        if !status.is_success() && !is_wanted_redirect(&response) {
            return Err(self.read_failure(call, &mut response, attempt).await);
        }
        let headers = response.headers().clone();
        let (body, end) = read_body(&mut response, self.limits.body_bytes).await;
        match end {
            BodyEnd::Whole => Ok(ApiResponse {
                status,
                headers,
                body,
                service: call.service,
                action: call.action.clone(),
            }),
            // The same answer would be as large again, so there is nothing to repeat; but a create
            // behind it is done, and whoever sent it has to look for what it made.
            BodyEnd::TooLarge => Err(CallFailure {
                error: call.bad_answer(
                    format!("more than the limit of {} bytes", self.limits.body_bytes),
                    None,
                ),
                delivery: match call.retry {
                    RetryPolicy::Idempotent => Delivery::Answered,
                    RetryPolicy::OnlyIfNotActed => Delivery::MayHaveActed,
                },
            }),
            BodyEnd::Cut(reason, source) => Err(CallFailure {
                error: call.bad_answer(format!("the answer was cut: {reason}"), Some(source)),
                delivery: Delivery::MayHaveActed,
            }),
        }
    }

    /// The failure that an answer with an error status stands for.
    async fn read_failure(
        &self,
        call: &ApiRequest<'_>,
        response: &mut Response,
        attempt: u32,
    ) -> CallFailure {
        let status = response.status();
        let redirect = response
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .map(str::to_owned);
        let retry_after = error_response::parse_retry_after(response.headers());
        let has_receipt = response.headers().contains_key("openstack-auth-receipt");
        // Half of a service's explanation is better than none.
        let (body, _) = read_body(response, self.limits.fault_bytes).await;
        // Whoever has to mend a request needs all that is wrong with it.
        let chars = if status == StatusCode::BAD_REQUEST {
            self.limits.refusal_chars
        } else {
            self.limits.fault_chars
        };
        error_response::classify_failure(
            call,
            FailedResponse {
                status,
                says_not_there: error_response::says_not_there(call, &body),
                message: error_response::extract_message(&body, chars),
                missing_methods: has_receipt.then(|| error_response::missing_methods(&body)),
                retry_after,
                redirect,
                attempts: attempt,
            },
        )
    }
}

fn outcome_of(result: &Result<ApiResponse, CallFailure>) -> CallOutcome {
    match result.as_ref().map_err(|failure| &failure.error) {
        Ok(_) => CallOutcome::Done,
        Err(CloudError::Unreachable { .. } | CloudError::Untrusted { .. }) => {
            CallOutcome::Unreachable
        }
        Err(
            CloudError::Overloaded { .. } | CloudError::Fault { .. } | CloudError::BadAnswer { .. },
        ) => CallOutcome::Failed,
        Err(_) => CallOutcome::Refused,
    }
}

/// Heat (by name) and version documents answer 300 and 302, which the caller reads itself.
fn is_wanted_redirect(response: &Response) -> bool {
    response.status() == StatusCode::MULTIPLE_CHOICES
        || (response.status() == StatusCode::FOUND && response.url().path().contains("/stacks/"))
}

fn request_headers(call: &ApiRequest<'_>) -> Result<HeaderMap, CallFailure> {
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
                service: call.service.as_str(),
            },
            delivery: Delivery::Answered,
        })?;
        value.set_sensitive(true);
        if call.is_token_subject {
            headers.insert("x-subject-token", value.clone());
        }
        headers.insert("x-auth-token", value);
    }
    Ok(headers)
}

/// How reading a body ended.
enum BodyEnd {
    Whole,
    TooLarge,
    /// Why, and the error behind it.
    Cut(String, ErrorCause),
}

async fn read_body(response: &mut Response, limit: usize) -> (Bytes, BodyEnd) {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return (body.freeze(), BodyEnd::TooLarge);
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body.freeze(), BodyEnd::Whole),
            Err(error) => {
                let reason = if error.is_timeout() {
                    "no more came in time".to_owned()
                } else {
                    innermost_cause(&error)
                };
                return (body.freeze(), BodyEnd::Cut(reason, without_url(error)));
            }
        }
    }
}

/// The failure of a request to which no answer came.
fn no_answer(call: &ApiRequest<'_>, error: reqwest::Error) -> CallFailure {
    let url = call.url.origin().ascii_serialization();
    let service = call.service.as_str();
    if let Some(reason) = certificate_problem(&error) {
        return CallFailure {
            error: CloudError::Untrusted {
                service,
                url,
                reason,
                source: Some(without_url(error)),
            },
            delivery: Delivery::Answered,
        };
    }
    let reason = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "no connection in time".to_owned(),
        (false, true) => format!("no answer within {} s", call.timeout.as_secs()),
        _ => innermost_cause(&error),
    };
    let connected = !error.is_connect();
    let delivery = if connected {
        Delivery::MayHaveActed
    } else {
        Delivery::NotSent
    };
    CallFailure {
        error: CloudError::Unreachable {
            service,
            url,
            reason,
            connected,
            source: Some(without_url(error)),
        },
        delivery,
    }
}

/// The error as a source, without the URL: its path names the project, and nobody needs it twice.
fn without_url(error: reqwest::Error) -> ErrorCause {
    ErrorCause::new(error.without_url())
}

/// The TLS library's explanation, if the certificate is what failed.
fn certificate_problem(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
        return Some(reason.to_string());
    }
    // An io::Error shows its inner error's source, not the inner error itself, and they come
    // nested.
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    inner
        .and_then(|inner| certificate_problem(inner))
        .or_else(|| certificate_problem(error.source()?))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use reqwest::Method;
    use secrecy::SecretString;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tracing_subscriber::fmt::format::FmtSpan;

    use super::*;
    use crate::openstack::ServiceName;

    #[derive(Clone, Default)]
    struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Answers one request with 404; returns its address.
    async fn refuse_once() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        url
    }

    #[tokio::test]
    async fn a_span_names_service_operation_and_status_and_neither_token_nor_url() {
        let log = LogBuffer::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let url = refuse_once().await;
        let transport = HttpTransport::new(&CloudConfig::new(url.as_str())).expect("a transport");
        let token = SecretString::from("a-token");
        let request = ApiRequest {
            service: ServiceName::Heat,
            action: "show stack `one`".to_owned(),
            method: Method::GET,
            url: Url::parse(&format!("{url}v1/stacks?tags=a-tag")).expect("a URL"),
            circuit: String::new(),
            token: Some(&token),
            is_token_subject: false,
            body: None,
            retry: RetryPolicy::Idempotent,
            timeout: std::time::Duration::from_secs(10),
        };
        let failure = transport.send(&request).await.err().expect("refused");
        assert!(
            matches!(&failure.error, CloudError::Misrouted { status: 404, .. }),
            "{failure:?}"
        );
        let text = String::from_utf8(log.0.lock().expect("a lock").clone()).expect("text");
        for field in [
            "openstack.request",
            "service=\"heat\"",
            "method=\"GET\"",
            "operation=\"show stack `one`\"",
            "status=404",
            "outcome=\"refused\"",
        ] {
            assert!(text.contains(field), "{field} in {text}");
        }
        assert!(
            !text.contains("a-token") && !text.contains("a-tag"),
            "{text}"
        );
    }
}
