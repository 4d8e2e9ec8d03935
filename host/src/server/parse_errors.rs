//! Adds a body to hyper's own 400, 414 and 431 responses, which it sends empty, before any handler
//! is called. Afterwards it reads on for a moment: closing a socket with unread bytes resets it,
//! and the client, which may still be sending, would lose the answer.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::{HEADERS, ServerLimits};
use crate::metrics::HostMetrics;

/// What every answer says to caches: all that is sent here is of one moment and for one client.
pub(super) const NO_STORE: &str = "no-store";

/// How long a client may go on sending a request that was refused.
const LINGER: Duration = Duration::from_secs(1);

/// The stream.
pub(super) struct ErrorBody<T> {
    inner: T,
    limits: ServerLimits,
    metrics: Arc<HostMetrics>,
    /// Nothing was written since the last flush: what is written next begins an answer.
    fresh: bool,
    /// Our answer in place of hyper's, and how much of it is written.
    own: Option<(Vec<u8>, usize)>,
    /// What is left of the client's patience and ours, after our answer.
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<T> ErrorBody<T> {
    pub(super) fn new(inner: T, limits: ServerLimits, metrics: Arc<HostMetrics>) -> Self {
        Self {
            inner,
            limits,
            metrics,
            fresh: true,
            own: None,
            linger: None,
        }
    }

    /// Looks whether hyper begins an answer of its own: those of the APIs to such requests have a
    /// body.
    fn inspect_write(&mut self, bytes: &[u8]) {
        if !std::mem::replace(&mut self.fresh, false) {
            return;
        }
        if let Some(status) = parse_error_status(bytes) {
            self.metrics.count_answer(status);
            self.own = Some((error_response(status, &self.limits), 0));
        }
    }
}

impl<T: AsyncWrite + Unpin> ErrorBody<T> {
    /// Writes our answer; ready when there is one and all of it is written.
    fn write_own(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        let Some((bytes, written)) = &mut self.own else {
            return Poll::Ready(Ok(false));
        };
        while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                count => *written += count,
            }
        }
        Poll::Ready(Ok(true))
    }
}

/// The status, when these bytes are hyper's own answer to what it could not read.
fn parse_error_status(bytes: &[u8]) -> Option<StatusCode> {
    let code = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.split_first_chunk::<3>())
        .filter(|(_, rest)| rest.starts_with(b" "))?
        .0;
    let status = match code {
        b"400" => StatusCode::BAD_REQUEST,
        b"414" => StatusCode::URI_TOO_LONG,
        b"431" => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes).ok()?;
    let empty = text.ends_with("\r\n\r\n")
        && text
            .to_ascii_lowercase()
            .contains("\r\ncontent-length: 0\r\n");
    empty.then_some(status)
}

fn error_response(status: StatusCode, limits: &ServerLimits) -> Vec<u8> {
    let text = match status {
        StatusCode::URI_TOO_LONG => "the request line is longer than 65534 bytes".to_owned(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            format!("the request has more than {HEADERS} header lines, or its headers more than {} bytes", limits.header_bytes)
        }
        _ => "this is not a request of HTTP/1.1: look at the request line, the names of headers and Content-Length".to_owned(),
    };
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nCache-Control: {NO_STORE}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    (head + &text).into_bytes()
}

impl<T: AsyncRead + Unpin> AsyncRead for ErrorBody<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ErrorBody<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.inspect_write(buf);
        if ready!(self.write_own(cx))? {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.inspect_write(bufs.first().map_or(&[], |first| first));
        if ready!(self.write_own(cx))? {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.fresh = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        if self.own.is_none() {
            return Poll::Ready(Ok(()));
        }
        // A connection closed with unread bytes is reset, and the client may lose the answer.
        let most = self.limits.drained_bytes;
        let Self { inner, linger, .. } = &mut *self;
        let (end, left) = linger.get_or_insert_with(|| (Box::pin(sleep(LINGER)), most));
        let mut bytes = [0; 4096];
        loop {
            if end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *inner).poll_read(cx, &mut buf));
            let count = buf.filled().len();
            *left = left.saturating_sub(count);
            if read.is_err() || count == 0 || *left == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";

    #[test]
    fn only_hypers_own_answers_are_seen() {
        assert_eq!(
            parse_error_status(EMPTY.as_bytes()),
            Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        );
        for other in [
            EMPTY.replace("431", "404"),
            EMPTY.replace("length: 0", "length: 10"),
            format!("{EMPTY}text"),
            format!("x{EMPTY}"),
            String::new(),
        ] {
            assert_eq!(parse_error_status(other.as_bytes()), None, "{other}");
        }
    }

    #[tokio::test]
    async fn words_take_the_place_of_nothing_at_the_beginning_of_an_answer_only() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
        let (ours, mut theirs) = duplex(1 << 16);
        let mut ours = ErrorBody::new(ours, ServerLimits::default(), Arc::default());
        ours.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
            .await
            .unwrap();
        ours.write_all(EMPTY.as_bytes()).await.unwrap();
        ours.flush().await.unwrap();
        ours.write_all(EMPTY.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        ours.shutdown().await.unwrap();
        drop(ours);
        let mut read = String::new();
        theirs.read_to_string(&mut read).await.unwrap();
        assert_eq!(
            read.matches(EMPTY).count(),
            1,
            "the one in the middle of an answer is somebody's text"
        );
        assert!(
            read.ends_with("or its headers more than 114688 bytes"),
            "{read}"
        );
    }
}
