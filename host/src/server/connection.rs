//! Accepts the connections of one port and turns each request into one call of its handler, within
//! the limits. Knows no API.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::header_timeout::{HeaderDeadline, HeaderTimeoutStream};
use super::leave_detection::WatchedSocket;
use super::limits::{BUFFER_BYTES, HEADER_BYTES, ServerLimits};
use super::memory_budget::{MemoryBudget, MemoryShare};
use super::parse_errors::{ErrorBody, NO_STORE};
use super::served_body::ServedBody;
use super::write_timeout::WriteTimeout;
use crate::addressing::ConnectionEnds;
use crate::answer::{AnswerBody, CacheableAnswer};
use crate::metrics::{HostMetrics, ServedApi};
use crate::system::clock::monotonic_now;

/// How long accepting rests when the process has no descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// How long a connection that is rejected is kept so that its client can read why.
const TURN_AWAY: Duration = Duration::from_secs(1);
/// What it says.
const TOO_MANY: &str = "too many connections";

/// Answers requests.
pub(super) trait ConnectionHandler: Send + Sync + 'static {
    /// The answer to a request whose head alone is reason to refuse it: its body is not kept.
    fn refuse_head(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Option<Response<AnswerBody>>;

    /// The answer to a request that the limits of this port refuse: as text, unless clients of the
    /// handler expect something else.
    fn render_refusal(
        &self,
        _head: &request::Parts,
        _ends: ConnectionEnds,
        refusal: &PortRefusal,
    ) -> Response<AnswerBody> {
        text_response(refusal.status, &refusal.text)
    }

    fn answer(
        self: Arc<Self>,
        request: Request<Bytes>,
        ends: ConnectionEnds,
    ) -> impl Future<Output = Response<AnswerBody>> + Send;
}

/// Why the limits of a port refuse a request.
pub(super) struct PortRefusal {
    pub(super) status: StatusCode,
    /// For people.
    pub(super) text: String,
    /// What becomes of the connection.
    close: bool,
    /// When to come again, in seconds.
    retry_after_s: Option<u32>,
}

impl PortRefusal {
    /// One after which the rest of what the client sends cannot be read.
    fn closing(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            close: true,
            retry_after_s: None,
        }
    }

    /// 503 with Retry-After: on that alone the Service Manager comes again.
    fn busy(retry_after_s: u32) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            text: "too many requests at once".to_owned(),
            close: false,
            retry_after_s: Some(retry_after_s),
        }
    }
}

/// A port and what it may cost.
pub(super) struct PortConfig<H> {
    handler: Arc<H>,
    limits: ServerLimits,
    metrics: Arc<HostMetrics>,
    connections: Arc<Semaphore>,
    rejected: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
    incoming: MemoryBudget,
}

impl<H: ConnectionHandler> PortConfig<H> {
    pub(super) fn new(handler: H, limits: ServerLimits, metrics: Arc<HostMetrics>) -> Arc<Self> {
        let slots = |number| Arc::new(Semaphore::new(number));
        let (connections, rejected, in_flight) = (
            slots(limits.connections),
            slots(limits.rejected),
            slots(limits.in_flight),
        );
        Arc::new(Self {
            handler: Arc::new(handler),
            limits,
            metrics,
            connections,
            rejected,
            in_flight,
            incoming: MemoryBudget::new(limits.incoming_bytes),
        })
    }

    /// Accepts until asked to stop.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        watcher: impl Fn() -> Watcher,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("could not accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            };
            match Arc::clone(&self.connections).try_acquire_owned() {
                Ok(place) => drop(tokio::spawn(Arc::clone(&self).serve_connection(
                    stream,
                    peer,
                    place,
                    watcher(),
                ))),
                Err(_) => self.reject(stream),
            }
        }
    }

    async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let ends = ConnectionEnds { local, peer };
        // Without it the last segment of an answer may wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let _open = self.metrics.open_connection();
        let deadline = HeaderDeadline::new(&self.incoming);
        let socket = WatchedSocket::new(stream, Arc::clone(&deadline));
        let stream = HeaderTimeoutStream::new(
            WriteTimeout::new(socket, self.limits.write_stall),
            Arc::clone(&deadline),
        );
        let io = TokioIo::new(ErrorBody::new(
            stream,
            self.limits,
            Arc::clone(&self.metrics),
        ));
        let port = Arc::clone(&self);
        let its = Arc::clone(&deadline);
        let service = service_fn(move |request| {
            let (port, deadline) = (Arc::clone(&port), Arc::clone(&its));
            let behind = deadline.begin_request();
            // In a box of its own: hyper keeps room for this future in every connection, idle ones
            // too, and it is large.
            Box::pin(async move {
                if behind {
                    // Others' turn first: hyper answers many in a row, and hundreds of clients that
                    // do not wait for their answers would make all others wait for each row.
                    tokio::task::yield_now().await;
                }
                let response = port.answer_request(request, ends, &deadline).await;
                Ok::<_, Infallible>(response.map(|body| ServedBody::new(body, &deadline)))
            })
        });
        let mut builder = http1::Builder::new();
        builder
            // A client that has sent its last request may close its side and wait for the answer.
            .half_close(true)
            .header_read_timeout(None)
            .max_header_size(self.limits.header_bytes)
            // The buffer takes a little more, so that it is the limit above that says no.
            .max_buf_size(self.limits.header_bytes + (BUFFER_BYTES - HEADER_BYTES));
        tokio::select! {
            biased;
            served = watcher.watch(builder.serve_connection(io, service)) => {
                if let Err(error) = served {
                    tracing::debug!("a connection ended early: {error}");
                }
            }
            () = deadline.wait_until_late(self.limits.header_read) => tracing::debug!("a connection ended: no request came"),
        }
        drop(place);
    }

    async fn answer_request(
        &self,
        request: Request<Incoming>,
        ends: ConnectionEnds,
        deadline: &HeaderDeadline,
    ) -> Response<AnswerBody> {
        let (start, method) = (monotonic_now(), request.method().clone());
        let mut response = self.answer(request, ends, deadline).await;
        if method == Method::HEAD
            && let Some(length) = response.body().whole().map(Bytes::len)
        {
            // hyper leaves the body out, and with it a length that nobody has set.
            response
                .headers_mut()
                .entry(CONTENT_LENGTH)
                .or_insert(HeaderValue::from(length));
        }
        if response.extensions().get::<CacheableAnswer>().is_none() {
            // Whoever has made the answer, the server itself or a service behind it that is passed on.
            response
                .headers_mut()
                .insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
        }
        self.metrics.count_answer(response.status());
        let api = response.extensions().get().copied();
        self.metrics
            .observe_request(api.unwrap_or(ServedApi::Occi), &method, start.elapsed());
        response
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        ends: ConnectionEnds,
        deadline: &HeaderDeadline,
    ) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let announced = parts
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let asks_first = parts.headers.contains_key(EXPECT);
        if asks_first && announced.is_some_and(|bytes| bytes > self.limits.body_bytes as u64) {
            return self.refuse(&parts, ends, self.too_large());
        }
        let mut share = self.incoming.new_share();
        let refused = if body.is_end_stream() {
            None
        } else {
            self.handler.refuse_head(&parts, ends)
        };
        if let Some(mut refusal) = refused {
            // A client that is sending reads its answer only when it is done; one that asks first
            // sends nothing.
            if !asks_first {
                let drained = self.drain_body(body, deadline);
                let _ = tokio::time::timeout(self.limits.body_read, drained).await;
            }
            let close = HeaderValue::from_static("close");
            refusal.headers_mut().insert(CONNECTION, close);
            return refusal;
        }
        // Before a place among those in work is taken: a slow body holds up nobody.
        let body = if body.is_end_stream() {
            Bytes::new()
        } else {
            match tokio::time::timeout(
                self.limits.body_read,
                self.read_body(body, &mut share, deadline),
            )
            .await
            {
                Ok(Ok(body)) => body,
                Ok(Err(refusal)) => return self.refuse(&parts, ends, refusal),
                Err(_) => {
                    let status = StatusCode::REQUEST_TIMEOUT;
                    let late = PortRefusal::closing(status, "the body took too long");
                    return self.refuse(&parts, ends, late);
                }
            }
        };
        let Ok(place) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            return self.refuse(&parts, ends, PortRefusal::busy(self.limits.retry_after_s));
        };
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        let answer = Arc::clone(&self.handler).answer(Request::from_parts(parts, body), ends);
        let done = if changes {
            // On a task of its own, so that a client that goes away does not stop it half-way.
            let task = tokio::spawn(async move {
                let _held = (place, share);
                answer.await
            });
            task.await.ok()
        } else {
            let _held = (place, share);
            AssertUnwindSafe(answer).catch_unwind().await.ok()
        };
        done.unwrap_or_else(|| {
            // The panic itself was printed by the panic hook.
            tracing::error!("a request ended in a panic");
            text_response(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the host failed to answer; its log says more",
            )
        })
    }

    /// The answer of the handler's kind, with what HTTP itself has to say.
    fn refuse(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
        refusal: PortRefusal,
    ) -> Response<AnswerBody> {
        let mut response = self.handler.render_refusal(head, ends, &refusal);
        let headers = response.headers_mut();
        if refusal.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = refusal.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Reads a body and throws it away, as far as one that is too large is read.
    async fn drain_body(&self, mut body: Incoming, deadline: &HeaderDeadline) {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > self.limits.drained_bytes || deadline.is_starved() {
                return;
            }
        }
    }

    /// Reads a body, whose bytes are counted in `share` until its request is answered.
    async fn read_body(
        &self,
        mut body: Incoming,
        share: &mut MemoryShare,
        deadline: &HeaderDeadline,
    ) -> Result<Bytes, PortRefusal> {
        let (mut kept, mut seen) = (BytesMut::new(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(PortRefusal::closing(
                    StatusCode::BAD_REQUEST,
                    "the body ended early or is malformed",
                ));
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            seen += data.len();
            if seen > self.limits.drained_bytes {
                break;
            }
            if seen <= self.limits.body_bytes {
                if deadline.is_starved() || !share.grow(data.len()) {
                    return Err(PortRefusal {
                        close: true,
                        ..PortRefusal::busy(self.limits.retry_after_s)
                    });
                }
                kept.extend_from_slice(&data);
            }
        }
        if seen > self.limits.body_bytes {
            Err(self.too_large())
        } else {
            Ok(kept.freeze())
        }
    }

    fn too_large(&self) -> PortRefusal {
        let text = format!("the body is larger than {} bytes", self.limits.body_bytes);
        PortRefusal::closing(StatusCode::PAYLOAD_TOO_LARGE, text)
    }

    /// Says 503 on a connection that there is no room for.
    fn reject(&self, mut stream: TcpStream) {
        self.metrics.count_rejected();
        let Ok(place) = Arc::clone(&self.rejected).try_acquire_owned() else {
            return;
        };
        let text = format!(
            "HTTP/1.1 503 Service Unavailable\r\nCache-Control: {NO_STORE}\r\nRetry-After: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{TOO_MANY}",
            self.limits.retry_after_s,
            TOO_MANY.len()
        );
        tokio::spawn(async move {
            let _place = place;
            let talk = async {
                stream.write_all(text.as_bytes()).await?;
                stream.shutdown().await?;
                // A stream closed with unread bytes resets, and the client may lose the
                // answer.
                let mut rest = [0; 4096];
                while stream.read(&mut rest).await? > 0 {}
                Ok::<_, std::io::Error>(())
            };
            let _ = tokio::time::timeout(TURN_AWAY, talk).await;
        });
    }
}

pub(super) fn text_response(status: StatusCode, text: &str) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::from(text.to_owned()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
