//! What an API hands to the server as the body of an answer: bytes that are there, or events that
//! are sent as they come about. Knows no API and no socket.
//!
//! Layout
//! - [`AnswerBody`]: the body
//! - [`event_stream`]: streams of server-sent events and how many may be open

pub mod event_stream;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::{Body, Frame, SizeHint};

pub use event_stream::{EventSlots, ServerEvent, StreamRefusal};

/// The body of an answer.
pub enum AnswerBody {
    /// All of it is there.
    Whole(Bytes),
    /// Comes about while it is sent, and ends when the source or the server does.
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// In the extensions of an answer: caches may keep it, as its own `Cache-Control` says. The server
/// forbids that for all others, since they are of one moment and for one client.
#[derive(Clone, Copy, Debug)]
pub struct CacheableAnswer;

impl AnswerBody {
    /// The bytes, where all of them are there.
    pub fn whole(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Events(_) => None,
        }
    }
}

impl<T: Into<Bytes>> From<T> for AnswerBody {
    fn from(bytes: T) -> Self {
        Self::Whole(bytes.into())
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Events(_) => f.write_str("events"),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => {
                let all = std::mem::take(bytes);
                Poll::Ready((!all.is_empty()).then(|| Ok(Frame::data(all))))
            }
            Self::Events(events) => events
                .as_mut()
                .poll_next(cx)
                .map(|event| event.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.whole().is_some_and(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.whole().map_or_else(SizeHint::default, |bytes| {
            SizeHint::with_exact(bytes.len() as u64)
        })
    }
}
