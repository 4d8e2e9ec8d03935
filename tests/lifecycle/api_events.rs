//! Streams of the API: what they tell, when they end, and how many there may be.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use stampede::server::ServerLimits;

use crate::{api_client::ApiHost, fixture::eventually};

const EVENTS: &str = "/api/v1/clusters/demo/events";

/// A stream that is read event by event.
struct EventReader {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl EventReader {
    async fn open(host: &ApiHost) -> Result<Self, u16> {
        let client = stampede_tests::http_client().unwrap();
        let request = client
            .get(host.url(EVENTS))
            .header("x-auth-token", &host.token);
        let answer = request.send().await.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let body = futures_util::stream::unfold(answer, |mut answer| async move {
            let chunk = answer.chunk().await.transpose()?;
            Some((chunk, answer))
        });
        Ok(Self {
            body: Box::pin(body),
            text: String::new(),
        })
    }

    /// Name and data of the next event; none at the end. Comments are passed over.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| Some(line.strip_prefix(name)?.trim_start().to_owned()))
                };
                let found = field("event:").zip(field("data:"));
                self.text = rest.to_owned();
                if let Some((name, data)) = found {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            }
            let chunk = self.body.next().await?.ok()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }
}

async fn deploying(limits: ServerLimits) -> ApiHost {
    let host = ApiHost::start_with(limits).await;
    let made = host.post("/api/v1/clusters", json!({"name": "demo"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    host
}

#[tokio::test]
async fn a_stream_tells_the_cluster_at_once_and_whenever_it_changes_to_its_end() {
    let host = deploying(ServerLimits::default()).await;
    let mut events = EventReader::open(&host).await.unwrap();
    let (name, first) = events.next().await.unwrap();
    assert_eq!(
        (name.as_str(), &first["state"]),
        ("cluster", &json!("deploying"))
    );
    host.check_named("ClusterDetail", &first);
    host.world.cloud.finish();
    loop {
        let (_, next) = events.next().await.unwrap();
        if next["state"] == "active" {
            break;
        }
    }
    host.ask("DELETE", "/api/v1/clusters/demo", None, &[]).await;
    let end = loop {
        match events.next().await.unwrap() {
            (name, end) if name == "end" => break end,
            _ => {}
        }
    };
    host.check_named("StreamEnd", &end);
    assert_eq!(end["reason"], "gone");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let host = deploying(ServerLimits::default()).await;
    let mut events = EventReader::open(&host).await.unwrap();
    events.next().await.unwrap();
    host.world.cloud.expire_tokens();
    let end = loop {
        match events.next().await.unwrap() {
            (name, end) if name == "end" => break end,
            _ => {}
        }
    };
    assert_eq!(end["reason"], "token");
}

#[tokio::test]
async fn streams_end_at_once_when_the_host_stops() {
    let mut host = deploying(ServerLimits {
        grace: Duration::from_secs(3600),
        ..ServerLimits::default()
    })
    .await;
    let mut events = EventReader::open(&host).await.unwrap();
    events.next().await.unwrap();
    host.stop.take();
    while events.next().await.is_some() {}
    (&mut host.running).await.unwrap();
}

#[tokio::test]
async fn a_stream_is_no_request_in_work_and_no_head_that_is_waited_for() {
    let host = deploying(ServerLimits {
        in_flight: 1,
        header_read: Duration::from_millis(50),
        ..ServerLimits::default()
    })
    .await;
    let mut events = EventReader::open(&host).await.unwrap();
    events.next().await.unwrap();
    // Long after an idle connection would have been closed, and while others are served.
    host.world.cloud.finish();
    eventually("it is active", async || {
        let shown = host.get("/api/v1/clusters/demo").await;
        (shown.body["state"] == "active").then_some(())
    })
    .await;
    loop {
        let (_, next) = events.next().await.expect("the stream goes on");
        if next["state"] == "active" {
            break;
        }
    }
}

#[tokio::test]
async fn so_many_streams_are_open_and_another_is_told_to_come_again() {
    let host = deploying(ServerLimits {
        streams: 2,
        ..ServerLimits::default()
    })
    .await;
    let first = EventReader::open(&host).await.unwrap();
    let second = EventReader::open(&host).await.unwrap();
    let refused = host.get(EVENTS).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(host.get("/api/v1/clusters/demo").await.status, 200);
    let head = host.ask("HEAD", EVENTS, None, &[]).await;
    assert_eq!(head.status, 200, "a head takes no place");
    drop((first, second));
}

#[tokio::test]
async fn a_project_has_so_many_streams_and_who_leaves_makes_room_at_once() {
    let host = deploying(ServerLimits {
        streams_of_project: 1,
        ..ServerLimits::default()
    })
    .await;
    let first = EventReader::open(&host).await.unwrap();
    let refused = host.get(EVENTS).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(
        refused.body["type"],
        "urn:x-stampede:problem:too-many-streams"
    );
    // Of a cluster at rest nothing is sent by which its end could be seen.
    drop(first);
    eventually("its place is free", async || {
        EventReader::open(&host).await.ok()
    })
    .await;
}
