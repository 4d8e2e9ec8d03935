//! The body of an answer on its way out. A request whose answer streams is in work until the stream
//! ends: until then nobody waits for the next head.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::header_timeout::HeaderDeadline;
use crate::answer::AnswerBody;

/// The body.
pub(super) struct ServedBody {
    body: AnswerBody,
    _end: Option<RequestEnd>,
}

/// Ends the request when it is dropped.
struct RequestEnd(Arc<HeaderDeadline>);

impl Drop for RequestEnd {
    fn drop(&mut self) {
        self.0.end_request();
    }
}

impl ServedBody {
    /// The answer to the request whose deadline this is.
    pub(super) fn new(body: AnswerBody, deadline: &Arc<HeaderDeadline>) -> Self {
        let streams = body.whole().is_none();
        if streams {
            deadline.begin_stream();
        } else {
            deadline.end_request();
        }
        Self {
            body,
            _end: streams.then(|| RequestEnd(Arc::clone(deadline))),
        }
    }
}

impl Body for ServedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
