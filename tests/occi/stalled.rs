//! Hundreds of clients that stall, in every way, while requests of others are served as before.

use std::time::Duration;

use stampede::server::ServerLimits;
use tokio::io::AsyncWriteExt;

use crate::client::{OcciHost, RawResponse, category_line, wait_until};
use crate::limits::open_connections;

/// How many stall in each way.
const EACH: usize = 150;
/// How many requests of others are answered meanwhile.
const OTHERS: usize = 200;

const AUTH: &str = "Host: h\r\nX-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\n";

/// How many answers the host has made.
async fn answers(host: &OcciHost) -> usize {
    let mut admin = tokio::net::TcpStream::connect(host.admin).await.unwrap();
    admin
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let metrics = RawResponse::read_to_end(&mut admin).await.body;
    let counts = metrics
        .lines()
        .filter(|line| line.starts_with("stampede_answers_total{"));
    counts
        .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[tokio::test]
async fn six_hundred_stalled_clients_hold_up_nobody() {
    // Nobody is sent away for being slow: it is not their end that helps the others. Only four
    // requests may be in work at once.
    let patient = Duration::from_secs(3_600);
    let limits = ServerLimits {
        in_flight: 4,
        header_read: patient,
        body_read: patient,
        write_stall: patient,
        ..ServerLimits::default()
    };
    let host = OcciHost::start_with(limits).await;
    host.put_cluster("default", "a=1").await;
    // More than the system's buffers hold.
    host.put_cluster("large", "a=1").await;
    host.memory.change("large", |view| {
        view.attributes
            .insert("huge".to_owned(), "h".repeat(8 * 1024 * 1024));
    });
    let not_read =
        format!("GET /orchestrator/large HTTP/1.1\r\nAccept: application/occi+json\r\n{AUTH}\r\n");
    let mut stalled = Vec::new();
    for number in 0..4 * EACH {
        let mut stream = host.connect().await;
        let begun = match number % 4 {
            0 => String::new(),
            1 => format!("GET / HTTP/1.1\r\n{AUTH}X-Half: "),
            2 => format!(
                "POST /orchestrator/default HTTP/1.1\r\n{AUTH}Content-Length: 100\r\n\r\nX-OCCI"
            ),
            // Large answers are few: each is held in memory until it is read.
            _ if number < 40 => not_read.clone(),
            _ => format!("GET /orchestrator/default HTTP/1.1\r\n{AUTH}\r\n"),
        };
        stream.write_all(begun.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    wait_until("all that can be answered are", async || {
        answers(&host).await == 2 + EACH
    })
    .await;
    let kind = category_line("orchestrator");
    for number in 0..OTHERS {
        let answer = match number % 4 {
            0 => {
                host.send("GET /orchestrator/default\nAccept: text/occi", "")
                    .await
            }
            1 => host.send("GET /orchestrator/default", "").await,
            2 => {
                host.send(&format!("PUT /orchestrator/default\n{kind}"), "")
                    .await
            }
            _ => {
                host.send(
                    "POST /orchestrator/default\nContent-Type: text/plain",
                    "X-OCCI-Attribute: b=2",
                )
                .await
            }
        };
        assert_eq!(answer.status, 200, "request {number}: {}", answer.body);
    }
    // They were not sent away either: one that goes on is answered.
    let mut late = stalled.swap_remove(1);
    late.write_all(b"x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(RawResponse::read_to_end(&mut late).await.status, 200);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_answered_only_until_a_small_buffer_is_full() {
    // Far less than what the system would keep by itself: four megabytes and more.
    let requests = 16_000;
    // What ends the connection in the end is that its client does not read.
    let host = OcciHost::start_with(ServerLimits {
        write_stall: Duration::from_millis(300),
        ..ServerLimits::default()
    })
    .await;
    host.put_cluster("default", "a=1").await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(host.api).await.unwrap();
    let request = format!("GET /orchestrator/default HTTP/1.1\r\n{AUTH}\r\n");
    for _ in 0..requests {
        // The host may have ended the connection meanwhile.
        if deaf.write_all(request.as_bytes()).await.is_err() {
            break;
        }
    }
    wait_until("the host ends the connection", async || {
        open_connections(&host).await == 0
    })
    .await;
    let answered = answers(&host).await;
    assert!(
        (10..requests / 8).contains(&answered),
        "{answered} of {requests} were answered"
    );
    assert_eq!(host.send("GET /orchestrator/default", "").await.status, 200);
}
