//! Counters of one port, and how Prometheus reads them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::StatusCode;

/// Counters. All of them only rise, but for the connections that are open.
#[derive(Debug, Default)]
pub struct HostMetrics {
    open: AtomicU64,
    turned_away: AtomicU64,
    /// Answers by the first digit of their status.
    answers: [AtomicU64; 6],
}

/// A connection that counts as open until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<HostMetrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl HostMetrics {
    /// One more connection is open.
    #[must_use]
    pub fn open_connection(self: &Arc<Self>) -> OpenConnection {
        self.open.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// A connection found no room.
    pub fn turned_away(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    /// An answer was made.
    pub fn count(&self, status: StatusCode) {
        if let Some(counter) = self.answers.get(usize::from(status.as_u16() / 100)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// In Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut say = |name: &str, kind: &str, labels: &str, value: u64| {
            // Writing to a String cannot fail.
            let _ = if kind.is_empty() {
                Ok(())
            } else {
                writeln!(text, "# TYPE {name} {kind}")
            };
            let _ = writeln!(text, "{name}{labels} {value}");
        };
        say(
            "stampede_connections_open",
            "gauge",
            "",
            self.open.load(Relaxed),
        );
        say(
            "stampede_connections_turned_away_total",
            "counter",
            "",
            self.turned_away.load(Relaxed),
        );
        for (digit, counter) in self.answers.iter().enumerate().skip(2) {
            let kind = if digit == 2 { "counter" } else { "" };
            say(
                "stampede_answers_total",
                kind,
                &format!("{{status=\"{digit}xx\"}}"),
                counter.load(Relaxed),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown() {
        let metrics = Arc::new(HostMetrics::default());
        let first = metrics.open_connection();
        let second = metrics.open_connection();
        drop(first);
        metrics.count(StatusCode::OK);
        metrics.count(StatusCode::CREATED);
        metrics.count(StatusCode::NOT_FOUND);
        metrics.turned_away();
        let text = metrics.text();
        for line in [
            "stampede_connections_open 1",
            "stampede_connections_turned_away_total 1",
            "stampede_answers_total{status=\"2xx\"} 2",
            "stampede_answers_total{status=\"4xx\"} 1",
            "# TYPE stampede_answers_total counter",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        drop(second);
        assert!(metrics.text().contains("stampede_connections_open 0\n"));
    }
}
