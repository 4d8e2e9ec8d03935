//! Reads server-sent events (WHATWG HTML, 9.2) from an answer: lines `event:` and `data:`, an empty line
//! ends an event, and comments are passed over, but show that the stream lives.

use reqwest::Response;

/// Bytes of one event: a cluster with everything that is known of it.
const EVENT_BYTES: usize = 16 << 20;

/// An event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StreamEvent {
    /// `cluster`, `end`; empty for a comment.
    pub(super) name: String,
    pub(super) data: String,
}

/// A stream that is read event by event.
pub(super) struct EventReader {
    answer: Response,
    text: EventText,
}

/// What came and is not read yet.
#[derive(Default)]
struct EventText(Vec<u8>);

impl EventReader {
    pub(super) fn new(answer: Response) -> Self {
        Self {
            answer,
            text: EventText::default(),
        }
    }

    /// The next event or comment; none at the stream's end.
    ///
    /// # Errors
    /// The connection has failed, or the event is larger than one may be.
    pub(super) async fn next_event(&mut self) -> Result<Option<StreamEvent>, std::io::Error> {
        loop {
            if let Some(event) = self.text.take_event() {
                return Ok(Some(event));
            }
            if self.text.0.len() > EVENT_BYTES {
                return Err(std::io::Error::other("the event is too large"));
            }
            let chunk = self.answer.chunk().await.map_err(std::io::Error::other)?;
            match chunk {
                Some(chunk) => self.text.0.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

impl EventText {
    /// The first event that is whole.
    fn take_event(&mut self) -> Option<StreamEvent> {
        let end = self.0.windows(2).position(|two| two == b"\n\n")?;
        let whole: Vec<u8> = self.0.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&whole);
        let mut event = StreamEvent::default();
        let mut data: Vec<&str> = Vec::new();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event.name),
                "data" => data.push(value),
                _ => {}
            }
        }
        event.data = data.join("\n");
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_once_they_are_whole_and_comments_are_events_of_no_name() {
        let mut text = EventText::default();
        text.0
            .extend(b": hello\n\nevent: cluster\nid: 7\ndata: {\"a\":\ndata:1}\n");
        assert_eq!(text.take_event(), Some(StreamEvent::default()));
        assert_eq!(text.take_event(), None);
        text.0.extend(b"\nevent: end");
        let event = text.take_event().unwrap();
        assert_eq!((&*event.name, &*event.data), ("cluster", "{\"a\":\n1}"));
        assert_eq!(text.take_event(), None);
    }
}
