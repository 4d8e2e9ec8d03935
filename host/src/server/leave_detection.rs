//! Ends a connection whose client has closed it while its answer streams: the next flush fails, and
//! with the connection the stream's place is free at once. Knows no HTTP.
//!
//! hyper reads nothing while an answer is sent, so that a client may close its side and wait for the
//! answer; of an answer without an end it would learn only by writes that fail. hyper flushes
//! whenever the connection is polled, so a flush looks for the end of what the client sends, and has
//! the connection polled when something comes.

use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::header_timeout::HeaderDeadline;

/// The socket of a connection.
pub(super) struct WatchedSocket {
    socket: TcpStream,
    deadline: Arc<HeaderDeadline>,
}

impl WatchedSocket {
    pub(super) fn new(socket: TcpStream, deadline: Arc<HeaderDeadline>) -> Self {
        Self { socket, deadline }
    }

    /// Whether the client has closed its side, or all of it. What is there to read stays there.
    fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        let peeked = self.socket.poll_peek(cx, &mut ReadBuf::new(&mut byte));
        matches!(peeked, Poll::Ready(Ok(0) | Err(_)))
    }
}

impl AsyncRead for WatchedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for WatchedSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.deadline.is_streaming() && self.has_left(cx) {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::super::memory_budget::MemoryBudget;
    use super::*;

    async fn connected() -> (TcpStream, WatchedSocket, Arc<HeaderDeadline>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let deadline = HeaderDeadline::new(&MemoryBudget::new(1 << 20));
        let _ = deadline.begin_request();
        let socket = WatchedSocket::new(accepted.unwrap().0, Arc::clone(&deadline));
        (client.unwrap(), socket, deadline)
    }

    /// Done when the client has left; polled again only when the socket says so.
    async fn wait_until_left(socket: &mut WatchedSocket) {
        poll_fn(|cx| match Pin::new(&mut *socket).poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(error.kind()),
            _ => Poll::Pending,
        })
        .await;
    }

    #[tokio::test]
    async fn a_client_that_leaves_a_stream_wakes_the_connection_and_ends_it() {
        let (client, mut socket, deadline) = connected().await;
        deadline.begin_stream();
        assert!(wait_until_left(&mut socket).now_or_never().is_none());
        let leaves = async {
            tokio::task::yield_now().await;
            drop(client);
        };
        tokio::join!(wait_until_left(&mut socket), leaves);
    }

    #[tokio::test]
    async fn a_client_that_closes_its_side_still_gets_an_answer_that_has_an_end() {
        let (mut client, mut socket, deadline) = connected().await;
        client.shutdown().await.unwrap();
        socket.socket.readable().await.unwrap();
        socket.flush().await.unwrap();
        deadline.begin_stream();
        wait_until_left(&mut socket).await;
        deadline.end_request();
        socket.flush().await.unwrap();
    }
}
