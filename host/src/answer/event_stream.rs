//! Streams of server-sent events (the `text/event-stream` of the HTML standard): their wire format,
//! how many are open at once, and their end when the server stops.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::AnswerBody;

/// A stream without news sends a comment this often, so that proxies keep the connection, a client
/// sees that it lives, and a client that has left is noticed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a browser connects again after a stream has ended: all of them do when a host restarts.
const RECONNECT_MS: u32 = 3000;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its name; none for the one that a client gets as `message`.
    pub name: Option<&'static str>,
    /// By which a client that comes again says what it has seen last.
    pub id: Option<String>,
    /// Text of any number of lines.
    pub data: String,
}

impl ServerEvent {
    /// The event as it is sent. A line break in `data` begins another `data:` line; name and id have
    /// none.
    pub fn to_bytes(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + 64);
        for (field, value) in [("event", self.name), ("id", self.id.as_deref())] {
            if let Some(value) = value {
                let value = value.replace(['\r', '\n', '\0'], " ");
                text.push_str(&format!("{field}: {value}\n"));
            }
        }
        let data = self.data.replace("\r\n", "\n").replace('\r', "\n");
        for line in data.split('\n') {
            text.push_str(&format!("data: {line}\n"));
        }
        text.push('\n');
        text.into()
    }
}

/// The places for streams of one port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventSlots {
    free: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
    keep_alive: Duration,
}

struct OpenStream<S> {
    events: Pin<Box<S>>,
    stopped: watch::Receiver<bool>,
    keep_alive: Duration,
    _place: OwnedSemaphorePermit,
}

impl EventSlots {
    /// So many places. All streams end as soon as `stopped` is true, or its sender is gone.
    pub fn new(number: usize, stopped: watch::Receiver<bool>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(number)),
            stopped,
            keep_alive: KEEP_ALIVE,
        }
    }

    /// The answer that sends these events until they end or the server stops. The source is asked
    /// for its next event only where the client has room for it, so it need not keep what nobody has
    /// read. None where all places are taken.
    pub fn stream<S>(&self, events: S) -> Option<Response<AnswerBody>>
    where
        S: Stream<Item = ServerEvent> + Send + 'static,
    {
        let open = OpenStream {
            events: Box::pin(events),
            stopped: self.stopped.clone(),
            keep_alive: self.keep_alive,
            _place: Arc::clone(&self.free).try_acquire_owned().ok()?,
        };
        let hello = Bytes::from(format!("retry: {RECONNECT_MS}\n\n"));
        // At once, so that the client has its headers.
        let sent = stream::once(async { hello }).chain(stream::unfold(open, next_bytes));
        let mut response = Response::new(AnswerBody::Events(Box::pin(sent)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // nginx would keep events back until it has a whole buffer of them.
        let buffering = HeaderName::from_static("x-accel-buffering");
        headers.insert(buffering, HeaderValue::from_static("no"));
        Some(response)
    }
}

async fn next_bytes<S>(mut open: OpenStream<S>) -> Option<(Bytes, OpenStream<S>)>
where
    S: Stream<Item = ServerEvent>,
{
    let event = tokio::select! {
        biased;
        _ = open.stopped.wait_for(|stopped| *stopped) => None,
        event = open.events.next() => Some(event?.to_bytes()),
        () = tokio::time::sleep(open.keep_alive) => Some(Bytes::from_static(b":\n\n")),
    };
    Some((event?, open))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn slots(number: usize) -> (watch::Sender<bool>, EventSlots) {
        let (stop, stopped) = watch::channel(false);
        (stop, EventSlots::new(number, stopped))
    }

    fn events(answer: Response<AnswerBody>) -> Pin<Box<dyn Stream<Item = Bytes> + Send>> {
        match answer.into_body() {
            AnswerBody::Events(events) => events,
            AnswerBody::Whole(bytes) => panic!("{bytes:?}"),
        }
    }

    #[test]
    fn an_event_has_a_field_a_line_whatever_its_text() {
        let event = ServerEvent {
            name: Some("cluster"),
            id: Some("7\ndata: x".into()),
            data: "a\nb\r\nc\r\revent: evil".into(),
        };
        assert_eq!(
            event.to_bytes(),
            "event: cluster\nid: 7 data: x\ndata: a\ndata: b\ndata: c\ndata: \ndata: event: evil\n\n"
        );
        assert_eq!(ServerEvent::default().to_bytes(), "data: \n\n");
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let (_stop, slots) = slots(2);
        let open = || slots.stream(stream::pending::<ServerEvent>());
        let (first, second) = (open().unwrap(), open().unwrap());
        assert!(open().is_none(), "two are open");
        drop(first);
        assert!(open().is_some());
        drop(second);
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_server_stops_and_not_before() {
        let (stop, slots) = slots(1);
        let one = stream::iter([ServerEvent::default()]).chain(stream::pending());
        let mut sent = events(slots.stream(one).unwrap());
        assert_eq!(sent.next().await.unwrap(), "retry: 3000\n\n");
        assert_eq!(sent.next().await.unwrap(), "data: \n\n");
        assert!(sent.next().now_or_never().is_none());
        stop.send(true).unwrap();
        assert_eq!(sent.next().await, None);
    }

    #[tokio::test]
    async fn a_stream_without_news_says_that_it_lives() {
        let (_stop, mut slots) = slots(1);
        slots.keep_alive = Duration::ZERO;
        let mut sent = events(slots.stream(stream::pending::<ServerEvent>()).unwrap());
        sent.next().await;
        assert_eq!(sent.next().await.unwrap(), ":\n\n");
        assert_eq!(sent.next().await.unwrap(), ":\n\n");
    }
}
