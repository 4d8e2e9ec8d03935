//! Closes a connection that takes too long for the head of its next request, or whose head takes
//! more than is left of the budget. Knows no HTTP.
//!
//! hyper has such a timeout too, but sets its timer anew with each request. Here a connection has
//! one timer. When it fires, it looks at the time of the last answer and is set again for what is
//! left; a request only stores a number.
//!
//! The connection is in one of three states, all in one atomic: it waits for a head since some
//! millisecond, a request is in work, or an answer is there and not yet written. Only the last
//! write of an answer begins the wait for the next head: a client that reads slowly is the business
//! of the write timeout, and `100 Continue` is written while the request is in work.

use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::limits::BUFFER_BYTES;
use super::memory_budget::{MemoryBudget, MemoryShare};
use crate::system::clock::monotonic_now;

/// In the place of a time: a request is in work, whatever is written meanwhile.
const WORKING: u64 = u64::MAX;
/// In the place of a time: an answer is there and not yet written.
const ANSWERED: u64 = u64::MAX - 1;

/// Since when a head is waited for.
#[derive(Debug)]
pub(super) struct HeaderDeadline {
    opened: Instant,
    /// Milliseconds since then, or [`WORKING`], or [`ANSWERED`].
    since: AtomicU64,
    /// Whether more of the stream was looked for since the last head.
    looked: AtomicBool,
    /// What hyper's buffer holds of the request that comes in or is in work.
    buffered: Mutex<MemoryShare>,
    /// Whether there was no room for more of it.
    starved: AtomicBool,
    /// Whether the answer in work is a stream.
    streams: AtomicBool,
}

impl HeaderDeadline {
    /// From now on.
    pub(super) fn new(budget: &MemoryBudget) -> Arc<Self> {
        Arc::new(Self {
            buffered: Mutex::new(budget.new_share()),
            starved: AtomicBool::new(false),
            streams: AtomicBool::new(false),
            opened: monotonic_now(),
            since: AtomicU64::new(0),
            looked: AtomicBool::new(true),
        })
    }

    /// The head is there. True when it stood right behind another, as it does where a client does
    /// not wait for its answers.
    pub(super) fn begin_request(&self) -> bool {
        self.since.store(WORKING, Ordering::Relaxed);
        !self.looked.swap(false, Ordering::Relaxed)
    }

    /// Its answer begins and goes on: nothing is kept of the request any more, and it stays in work.
    pub(super) fn begin_stream(&self) {
        self.streams.store(true, Ordering::Relaxed);
        self.lock().clear();
    }

    /// Whether such an answer is in work.
    pub(super) fn is_streaming(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    /// Its answer is there.
    pub(super) fn end_request(&self) {
        self.streams.store(false, Ordering::Relaxed);
        self.since.store(ANSWERED, Ordering::Relaxed);
        self.lock().clear();
    }

    /// Whether more of the request came than there was room for.
    pub(super) fn is_starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }

    /// Counts bytes that were read. False when a head has no room for them; a body's reader asks
    /// [`Self::is_starved`].
    fn record_read(&self, bytes: usize) -> bool {
        let mut buffered = self.lock();
        // The buffer is used again when it is full; what is kept of a body is counted where it is.
        let more = bytes.min(BUFFER_BYTES.saturating_sub(buffered.bytes()));
        if buffered.grow(more) {
            return true;
        }
        self.starved.store(true, Ordering::Relaxed);
        self.since.load(Ordering::Relaxed) == WORKING
    }

    fn lock(&self) -> MutexGuard<'_, MemoryShare> {
        self.buffered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was written, or could not be: only what comes behind an answer begins the wait. A
    /// client that takes long to read is another's matter.
    fn record_write(&self, done: bool) {
        if self.since.load(Ordering::Relaxed) != WORKING {
            self.since
                .store(if done { self.now() } else { ANSWERED }, Ordering::Relaxed);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or_default()
    }

    /// Done when a head was waited for longer than that.
    pub(super) async fn wait_until_late(&self, patience: Duration) {
        loop {
            let waited = match self.since.load(Ordering::Relaxed) {
                WORKING | ANSWERED => Duration::ZERO,
                since => Duration::from_millis(self.now().saturating_sub(since)),
            };
            match patience.checked_sub(waited) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }
}

/// A stream whose answers, once they are written, begin the wait for the next head.
pub(super) struct HeaderTimeoutStream<T> {
    inner: T,
    deadline: Arc<HeaderDeadline>,
}

impl<T> HeaderTimeoutStream<T> {
    pub(super) fn new(inner: T, deadline: Arc<HeaderDeadline>) -> Self {
        Self { inner, deadline }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for HeaderTimeoutStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        self.deadline.looked.store(true, Ordering::Relaxed);
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let bytes = buf.filled().len().saturating_sub(before);
        if bytes > 0 && !self.deadline.record_read(bytes) {
            return Poll::Ready(Err(ErrorKind::OutOfMemory.into()));
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for HeaderTimeoutStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.deadline.record_write(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.deadline.record_write(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    async fn is_late(deadline: &HeaderDeadline, patience: Duration) -> bool {
        tokio::time::timeout(
            Duration::from_millis(20),
            deadline.wait_until_late(patience),
        )
        .await
        .is_ok()
    }

    #[tokio::test]
    async fn only_who_waits_for_a_head_is_late() {
        let deadline = HeaderDeadline::new(&MemoryBudget::new(1 << 20));
        assert!(is_late(&deadline, Duration::ZERO).await);
        assert!(is_late(&deadline, Duration::from_millis(1)).await);
        assert!(!is_late(&deadline, Duration::from_secs(3_600)).await);
        let _ = deadline.begin_request();
        assert!(
            !is_late(&deadline, Duration::from_millis(1)).await,
            "a request in work has all the time"
        );
        deadline.record_write(true);
        assert!(
            !is_late(&deadline, Duration::from_millis(1)).await,
            "that was no answer, but 100 Continue"
        );
        deadline.end_request();
        assert!(
            !is_late(&deadline, Duration::from_millis(1)).await,
            "the answer is on its way"
        );
        deadline.record_write(true);
        assert!(is_late(&deadline, Duration::from_millis(1)).await);
    }

    #[tokio::test]
    async fn a_head_right_behind_another_is_seen() {
        let (ours, mut theirs) = duplex(64);
        let deadline = HeaderDeadline::new(&MemoryBudget::new(1 << 20));
        let mut ours = HeaderTimeoutStream::new(ours, Arc::clone(&deadline));
        theirs.write_all(b"12").await.unwrap();
        assert!(!deadline.begin_request(), "the first one");
        ours.read_u8().await.unwrap();
        assert_eq!(
            [deadline.begin_request(), deadline.begin_request()],
            [false, true],
            "two of one read"
        );
        ours.read_u8().await.unwrap();
        assert!(!deadline.begin_request());
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_is_not_a_late_head() {
        let (ours, mut theirs) = duplex(4);
        let deadline = HeaderDeadline::new(&MemoryBudget::new(1 << 20));
        let mut ours = HeaderTimeoutStream::new(ours, Arc::clone(&deadline));
        let writing = tokio::spawn(async move {
            let written = ours.write_all(b"12345678").await;
            (ours, written)
        });
        tokio::task::yield_now().await;
        while deadline.since.load(Ordering::Relaxed) != ANSWERED {
            tokio::task::yield_now().await;
        }
        assert!(!is_late(&deadline, Duration::from_millis(1)).await);
        let mut read = [0; 8];
        theirs.read_exact(&mut read).await.unwrap();
        let (_ours, written) = writing.await.unwrap();
        written.unwrap();
        assert!(
            is_late(&deadline, Duration::from_millis(1)).await,
            "the answer is written, the next head is waited for"
        );
    }
}
