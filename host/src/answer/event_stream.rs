//! Streams of server-sent events (the `text/event-stream` of the HTML standard): their wire format,
//! how many are open at once, of all and of one project, and their end when the server stops.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::AnswerBody;

/// A stream without news sends a comment this often, so that proxies keep the connection, a client
/// sees that it lives, and one is noticed that is gone without having closed its connection. Who
/// closes it is noticed at once, by the server.
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

/// Why a stream is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamRefusal {
    /// The host has no place left.
    Host,
    /// The project has as many open as one may have.
    Project,
}

/// How many streams each project has open: one that opens more and more takes no other's place.
#[derive(Debug)]
struct ProjectPlaces {
    limit: usize,
    open: Mutex<HashMap<String, usize>>,
}

/// A stream of a project, counted until it is dropped.
struct ProjectPlace {
    places: Arc<ProjectPlaces>,
    project: String,
}

impl ProjectPlaces {
    /// None where the project has as many as it may have.
    fn take(self: &Arc<Self>, project: &str) -> Option<ProjectPlace> {
        let mut open = self.lock();
        let number = open.get(project).copied().unwrap_or_default();
        if number >= self.limit {
            return None;
        }
        open.insert(project.to_owned(), number + 1);
        Some(ProjectPlace {
            places: Arc::clone(self),
            project: project.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ProjectPlace {
    fn drop(&mut self) {
        let mut open = self.places.lock();
        if let Some(number) = open.get_mut(&self.project) {
            *number -= 1;
            if *number == 0 {
                open.remove(&self.project);
            }
        }
    }
}

/// The places for streams of one port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventSlots {
    free: Arc<Semaphore>,
    projects: Arc<ProjectPlaces>,
    stopped: watch::Receiver<bool>,
    keep_alive: Duration,
}

struct OpenStream<S> {
    events: Pin<Box<S>>,
    stopped: watch::Receiver<bool>,
    keep_alive: Duration,
    _place: OwnedSemaphorePermit,
    _of_project: ProjectPlace,
}

impl EventSlots {
    /// So many places, of which one project has at most `of_project`. All streams end as soon as
    /// `stopped` is true, or its sender is gone.
    pub fn new(number: usize, of_project: usize, stopped: watch::Receiver<bool>) -> Self {
        let projects = ProjectPlaces {
            limit: of_project,
            open: Mutex::default(),
        };
        Self {
            free: Arc::new(Semaphore::new(number)),
            projects: Arc::new(projects),
            stopped,
            keep_alive: KEEP_ALIVE,
        }
    }

    /// The answer that sends these events to somebody of this project until they end or the server
    /// stops. The source is asked for its next event only where the client has room for it, so it need
    /// not keep what nobody has read.
    ///
    /// # Errors
    /// All places are taken, or all of the project.
    pub fn stream<S>(
        &self,
        project_id: &str,
        events: S,
    ) -> Result<Response<AnswerBody>, StreamRefusal>
    where
        S: Stream<Item = ServerEvent> + Send + 'static,
    {
        let of_project = self.projects.take(project_id);
        let of_project = of_project.ok_or(StreamRefusal::Project)?;
        let place = Arc::clone(&self.free).try_acquire_owned();
        let open = OpenStream {
            events: Box::pin(events),
            stopped: self.stopped.clone(),
            keep_alive: self.keep_alive,
            _place: place.map_err(|_| StreamRefusal::Host)?,
            _of_project: of_project,
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
        Ok(response)
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
        (stop, EventSlots::new(number, number, stopped))
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
        let open = |project| slots.stream(project, stream::pending::<ServerEvent>());
        let (first, second) = (open("a").unwrap(), open("b").unwrap());
        assert_eq!(open("c").err(), Some(StreamRefusal::Host), "two are open");
        drop(first);
        assert!(open("c").is_ok());
        drop(second);
    }

    #[test]
    fn a_project_takes_no_others_places_and_gets_its_own_back() {
        let (_stop, stopped) = watch::channel(false);
        let slots = EventSlots::new(9, 2, stopped);
        let open = |project| slots.stream(project, stream::pending::<ServerEvent>());
        let (first, _second) = (open("a").unwrap(), open("a").unwrap());
        assert_eq!(open("a").err(), Some(StreamRefusal::Project));
        assert!(open("b").is_ok());
        drop(first);
        let _third = open("a").unwrap();
        assert_eq!(open("a").err(), Some(StreamRefusal::Project));
        assert_eq!(slots.projects.lock().len(), 1, "who has none is not kept");
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_server_stops_and_not_before() {
        let (stop, slots) = slots(1);
        let one = stream::iter([ServerEvent::default()]).chain(stream::pending());
        let mut sent = events(slots.stream("a", one).unwrap());
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
        let mut sent = events(slots.stream("a", stream::pending::<ServerEvent>()).unwrap());
        sent.next().await;
        assert_eq!(sent.next().await.unwrap(), ":\n\n");
        assert_eq!(sent.next().await.unwrap(), ":\n\n");
    }
}
