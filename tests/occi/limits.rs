//! Every limit of the server, at it and one beyond, and that a client beyond one does not affect
//! others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stampede::server::{ServerLimits, limits::HEADERS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{OcciHost, RawResponse, category_line, wait_until};
use crate::memory::{PANICS, WAITS};

const AUTH: &str = "Host: h\r\nX-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\n";

/// A request for `/` with so many further bytes of headers, in as many lines as asked for; Host and
/// Connection are two of them.
fn padded(bytes: usize, lines: usize) -> Vec<u8> {
    let mut head = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n".to_owned();
    for number in 2..lines {
        head += &format!("X-{number}: y\r\n");
    }
    let missing = bytes.saturating_sub(head.len() + "X-Pad: \r\n\r\n".len());
    if missing > 0 {
        head += &format!("X-Pad: {}\r\n", "p".repeat(missing));
    }
    (head + "\r\n").into_bytes()
}

/// Waits until a counter of the host has reached a number.
async fn until(number: &AtomicUsize, wanted: usize) {
    wait_until("a call that was begun goes on", async || {
        number.load(Ordering::SeqCst) >= wanted
    })
    .await;
}

#[tokio::test]
async fn headers() {
    let limits = ServerLimits::default();
    let host = OcciHost::start_with(limits).await;
    for (bytes, lines, status) in [
        (limits.header_bytes, 2, 200),
        (limits.header_bytes + 1, 2, 431),
        (4 * limits.header_bytes, 2, 431),
        (0, HEADERS, 200),
        (0, HEADERS + 1, 431),
    ] {
        let request = padded(bytes, lines);
        assert!(bytes == 0 || request.len() == bytes);
        let mut stream = host.connect().await;
        // The host may have answered and gone before it has read everything.
        let _ = stream.write_all(&request).await;
        assert_eq!(
            RawResponse::read_to_end(&mut stream).await.status,
            status,
            "{bytes} bytes, {lines} lines"
        );
    }
    // What hurtle's recorded clients sent at most.
    let large = format!(
        "PUT /orchestrator/a\n{}\nX-OCCI-Attribute: a={}",
        category_line("orchestrator"),
        "x".repeat(16 * 1024)
    );
    assert_eq!(host.send(&large, "").await.status, 201);
    let too_large = large.replace("a=", "a=x");
    assert_eq!(host.send(&too_large, "").await.status, 413);
}

#[tokio::test]
async fn bodies() {
    let limits = ServerLimits {
        body_bytes: 100,
        drained_bytes: 10_000,
        ..ServerLimits::default()
    };
    let host = OcciHost::start_with(limits).await;
    host.put_cluster("a", "x=1").await;
    let body = |bytes: usize| format!("X-OCCI-Attribute: x={}", "y".repeat(bytes - 20));
    for (bytes, status) in [(100, 200), (101, 413), (10_000, 413)] {
        let body = body(bytes);
        assert_eq!(body.len(), bytes);
        assert_eq!(
            host.send("POST /orchestrator/a", &body).await.status,
            status,
            "{bytes}"
        );
    }
    let chunked = |bytes: usize| {
        let body = body(bytes);
        let head = "POST /orchestrator/a HTTP/1.1\r\nHost: h\r\nX-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\nConnection: close\r\n";
        format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )
    };
    assert_eq!(host.send_bytes(chunked(100).as_bytes()).await.status, 200);
    assert_eq!(host.send_bytes(chunked(101).as_bytes()).await.status, 413);
    // One that never ends is not read for ever.
    let mut endless = host.connect().await;
    endless
        .write_all(
            b"POST /orchestrator/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await
        .unwrap();
    let chunk = format!("1000\r\n{}\r\n", "y".repeat(0x1000));
    while endless.write_all(chunk.as_bytes()).await.is_ok() {}
    // A client that asks before it sends is told at once.
    let asks = "POST /orchestrator/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n";
    assert_eq!(host.send_bytes(asks.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn slow_headers_and_idle_connections_end_and_hold_up_nobody() {
    let host = OcciHost::start_with(ServerLimits {
        header_read: Duration::from_millis(200),
        ..ServerLimits::default()
    })
    .await;
    let mut idle = host.connect().await;
    let mut slow = host.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut kept = host.connect().await;
    kept.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(RawResponse::read_one(&mut kept).await.status, 200);
    assert_eq!(host.send_bytes(&padded(0, 2)).await.status, 200);
    for stream in [&mut idle, &mut slow, &mut kept] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(
            !String::from_utf8_lossy(&rest).contains(" 200 "),
            "only the end was left"
        );
    }
    assert_eq!(host.send_bytes(&padded(0, 2)).await.status, 200);
}

#[tokio::test]
async fn a_slow_body_ends_and_holds_up_nobody() {
    let limits = ServerLimits {
        body_read: Duration::from_millis(200),
        in_flight: 1,
        ..ServerLimits::default()
    };
    let host = OcciHost::start_with(limits).await;
    let mut slow = host.connect().await;
    let head = format!("POST /orchestrator/a HTTP/1.1\r\n{AUTH}Content-Length: 5\r\n\r\nab");
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(
        host.send_bytes(&padded(0, 2)).await.status,
        200,
        "it has taken the only place among those in work"
    );
    assert_eq!(RawResponse::read_to_end(&mut slow).await.status, 408);
}

#[tokio::test]
async fn what_comes_in_at_once() {
    // Room for one body of 40 KiB: its first 8 KiB are its connection's, and the rest is there twice,
    // as it is read and as it is kept.
    let host = OcciHost::start_with(ServerLimits {
        incoming_bytes: 96 * 1024,
        ..ServerLimits::default()
    })
    .await;
    host.put_cluster("a", "x=1").await;
    let bytes = 40 * 1024;
    let body = format!("{}X-OCCI-Attribute: x=2", "\n".repeat(bytes - 21));
    let head = format!(
        "POST /orchestrator/a HTTP/1.1\r\n{AUTH}Connection: close\r\nContent-Length: {bytes}\r\n\r\n"
    );
    let begin = async || {
        let mut stream = host.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
            .write_all(&body.as_bytes()[..bytes - 1])
            .await
            .unwrap();
        stream
    };
    let mut first = begin().await;
    // The host has surely read it when it has served others.
    for _ in 0..20 {
        assert_eq!(host.send_bytes(&padded(0, 2)).await.status, 200);
    }
    wait_until("the first body has taken all room", async || {
        let busy = RawResponse::read_to_end(&mut begin().await).await;
        (busy.status, busy.header("retry-after")) == (503, Some("1"))
    })
    .await;
    // One that is short is read meanwhile, as are those without a body.
    let short = host
        .send("POST /orchestrator/a", "X-OCCI-Attribute: y=2")
        .await;
    assert_eq!(short.status, 200, "{}", short.body);
    assert_eq!(host.send("GET /orchestrator/a", "").await.status, 200);
    // What came in has its answer, and makes room.
    first
        .write_all(&body.as_bytes()[bytes - 1..])
        .await
        .unwrap();
    assert_eq!(RawResponse::read_to_end(&mut first).await.status, 200);
    wait_until("there is room again", async || {
        let mut next = begin().await;
        let _ = next.write_all(&body.as_bytes()[bytes - 1..]).await;
        RawResponse::read_to_end(&mut next).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn long_heads_that_never_end_leave_room_for_others() {
    let host = OcciHost::start_with(ServerLimits {
        incoming_bytes: 256 * 1024,
        ..ServerLimits::default()
    })
    .await;
    let mut long = padded(100 * 1024, 2);
    long.truncate(long.len() - 2);
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut stream = host.connect().await;
        let _ = stream.write_all(&long).await;
        stalled.push(stream);
    }
    wait_until("most of them are gone", async || {
        open_connections(&host).await <= 256 / (100 - 8) + 1
    })
    .await;
    assert_eq!(host.send_bytes(&padded(0, 2)).await.status, 200);
}

#[tokio::test]
async fn a_body_of_nobody_is_not_kept_and_its_sender_reads_why() {
    let host = OcciHost::start_with(ServerLimits {
        incoming_bytes: 0,
        ..ServerLimits::default()
    })
    .await;
    let body = "x".repeat(200 * 1024);
    for (head, status, words) in [
        (
            "POST /orchestrator/a HTTP/1.1\r\nHost: h",
            403,
            "X-Auth-Token required...",
        ),
        (
            "POST /orchestrator/a HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t",
            403,
            "X-Tenant-Name required...",
        ),
        (
            "POST /orchestrator/ HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\nX-Tenant-Name: d\r\nOrigin: http://evil",
            403,
            "another site",
        ),
        (
            "POST /nosuch HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\nX-Tenant-Name: d",
            404,
            "Resource not found",
        ),
        (
            "PUT /-/ HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\nX-Tenant-Name: d",
            405,
            "Method not supported.",
        ),
        (
            "POST /orchestrator/a HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\nX-Tenant-Name: d\r\nAccept: image/png",
            406,
            "text/plain",
        ),
    ] {
        // Half of it: the head is reason enough when the rest never comes.
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        let mut whole = host.connect().await;
        let _ = whole
            .write_all(format!("{head}\r\n{length}{body}").as_bytes())
            .await;
        let answer = RawResponse::read_to_end(&mut whole).await;
        // Without room in the budget reading ends early, so that a reset may come before the answer.
        assert!(
            answer.status == 0 || (answer.status == status && answer.body.contains(words)),
            "{head}: {answer:?}"
        );
        let asks = host
            .send_bytes(format!("{head}\r\nExpect: 100-continue\r\n{length}").as_bytes())
            .await;
        assert!(
            asks.status == status && asks.body.contains(words),
            "nothing is asked for: {head}: {asks:?}"
        );
        let short = host
            .send_bytes(format!("{head}\r\nContent-Length: 5\r\n\r\nhello").as_bytes())
            .await;
        assert!(
            short.status == status && short.body.contains(words),
            "{head}: {short:?}"
        );
    }
    assert_eq!(host.memory.authentications.load(Ordering::SeqCst), 0);
}

/// How many connections OCCI's port has.
pub(crate) async fn open_connections(host: &OcciHost) -> usize {
    let mut admin = TcpStream::connect(host.admin).await.unwrap();
    admin
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let metrics = RawResponse::read_to_end(&mut admin).await.body;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("stampede_connections_open "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn connections() {
    let host = OcciHost::start_with(ServerLimits {
        connections: 2,
        ..ServerLimits::default()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = host.connect().await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(RawResponse::read_one(&mut stream).await.status, 200);
        open.push(stream);
    }
    let turned_away = host.send_bytes(&padded(0, 2)).await;
    assert_eq!(
        (turned_away.status, turned_away.header("retry-after")),
        (503, Some("1"))
    );
    // Those that have a place keep it.
    open[0]
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(RawResponse::read_one(&mut open[0]).await.status, 200);
    drop(open);
    wait_until("a place that was left is given away", async || {
        host.send_bytes(&padded(0, 2)).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn administration_has_connections_of_its_own() {
    let host = OcciHost::start_with(ServerLimits {
        connections: 0,
        admin_connections: 1,
        ..ServerLimits::default()
    })
    .await;
    let mut first = TcpStream::connect(host.admin).await.unwrap();
    first
        .write_all(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(RawResponse::read_one(&mut first).await.status, 200);
    let mut second = TcpStream::connect(host.admin).await.unwrap();
    assert_eq!(RawResponse::read_to_end(&mut second).await.status, 503);
}

#[tokio::test]
async fn connections_that_are_turned_away() {
    for (turned_away, status) in [(1, 503), (0, 0)] {
        let host = OcciHost::start_with(ServerLimits {
            connections: 0,
            rejected: turned_away,
            ..ServerLimits::default()
        })
        .await;
        let mut stream = host.connect().await;
        let _ = stream.write_all(&padded(0, 2)).await;
        assert_eq!(RawResponse::read_to_end(&mut stream).await.status, status);
    }
}

#[tokio::test]
async fn requests_in_work() {
    let host = OcciHost::start_with(ServerLimits {
        in_flight: 1,
        ..ServerLimits::default()
    })
    .await;
    let waiting = format!(
        "PUT /orchestrator/{WAITS}\n{}",
        category_line("orchestrator")
    );
    let (first, ()) = tokio::join!(host.send(&waiting, ""), async {
        until(&host.memory.waiting, 1).await;
        let busy = host.send("GET /orchestrator/", "").await;
        assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
        host.memory.go_on.0.add_permits(1);
    });
    assert_eq!(first.status, 201);
    assert_eq!(host.send("GET /orchestrator/", "").await.status, 200);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_what_it_began() {
    let host = OcciHost::start().await;
    let mut stream = host.connect().await;
    let head = format!(
        "PUT /orchestrator/{WAITS} HTTP/1.1\r\nHost: h\r\n{}\r\n",
        category_line("orchestrator")
    );
    stream
        .write_all(
            format!("{head}X-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\n\r\n").as_bytes(),
        )
        .await
        .unwrap();
    until(&host.memory.waiting, 1).await;
    drop(stream);
    // The host has surely seen the end of that connection when it has served others.
    for _ in 0..20 {
        assert_eq!(host.send_bytes(&padded(0, 2)).await.status, 200);
    }
    host.memory.go_on.0.add_permits(1);
    until(&host.memory.finished, 1).await;
    wait_until("the cluster is there", async || {
        !host.memory.names().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_defect_ends_one_request_only() {
    let host = OcciHost::start().await;
    for head in [
        format!("GET /orchestrator/{PANICS}"),
        format!(
            "PUT /orchestrator/{PANICS}\n{}",
            category_line("orchestrator")
        ),
    ] {
        for _ in 0..8 {
            let answer = host.send(&head, "").await;
            assert_eq!(answer.status, 500);
            assert!(
                !answer.body.contains("as this test wants it"),
                "{}",
                answer.body
            );
        }
        assert_eq!(host.send("GET /orchestrator/", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let host = OcciHost::start_with(ServerLimits {
        write_stall: Duration::from_millis(200),
        ..ServerLimits::default()
    })
    .await;
    host.put_cluster("a", "x=1").await;
    // More than the system's buffers hold.
    host.memory.change("a", |view| {
        view.stack_id = Some(("RegionOne".to_owned(), "id".to_owned()));
        view.outputs
            .insert("huge".to_owned(), "h".repeat(32 * 1024 * 1024).into());
    });
    let mut stream = host.connect().await;
    let auth = "X-Auth-Token: token-demo\r\nX-Tenant-Name: demo";
    let head = format!(
        "GET /orchestrator/a HTTP/1.1\r\nHost: h\r\nAccept: application/occi+json\r\n{auth}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    wait_until("the host lets the connection go", async || {
        let mut admin = TcpStream::connect(host.admin).await.unwrap();
        admin
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let metrics = RawResponse::read_to_end(&mut admin).await.body;
        metrics.contains("stampede_connections_open 0\n")
            && metrics.contains("stampede_answers_total{status=\"2xx\"} 2\n")
    })
    .await;
}
