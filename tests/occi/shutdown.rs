//! Graceful shutdown: requests in progress are finished, within a bound of time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use stampede::server::{ServeError, Server, ServerConfig, ServerLimits};
use tokio::io::AsyncWriteExt;

use crate::client::{OcciHost, RawResponse, category_line, wait_until};
use crate::memory::WAITS;

async fn begin_waiting(host: &OcciHost) -> tokio::net::TcpStream {
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
    wait_until("the request is in work", async || {
        host.memory.waiting.load(Ordering::SeqCst) > 0
    })
    .await;
    stream
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let mut host = OcciHost::start_with(ServerLimits {
        grace: Duration::from_secs(3600),
        ..ServerLimits::default()
    })
    .await;
    let mut idle = host.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(RawResponse::read_one(&mut idle).await.status, 200);
    host.stop.take();
    host.running.await.unwrap();
    assert!(
        tokio::net::TcpStream::connect(host.api).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn work_that_is_begun_ends() {
    let mut host = OcciHost::start_with(ServerLimits {
        grace: Duration::from_secs(3600),
        ..ServerLimits::default()
    })
    .await;
    let mut stream = begin_waiting(&host).await;
    host.stop.take();
    host.memory.go_on.0.add_permits(1);
    assert_eq!(RawResponse::read_to_end(&mut stream).await.status, 201);
    host.running.await.unwrap();
}

#[tokio::test]
async fn work_that_does_not_end_is_left() {
    let mut host = OcciHost::start_with(ServerLimits {
        grace: Duration::from_millis(50),
        ..ServerLimits::default()
    })
    .await;
    let _stream = begin_waiting(&host).await;
    host.stop.take();
    host.running.await.unwrap();
}

#[test]
fn the_grace_leaves_room_below_two_seconds() {
    assert!(ServerLimits::default().grace < Duration::from_secs(2));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let host = OcciHost::start().await;
    let any = "127.0.0.1:0".parse().unwrap();
    let config = ServerConfig {
        metrics: Default::default(),
        listen: host.api,
        admin_listen: any,
        so_name: String::new(),
        controller: None,
        addressing: Default::default(),
        limits: ServerLimits::default(),
        occi: stampede::occi::OcciLimits::default(),
    };
    let error = Server::bind(config).await.expect_err("it is taken");
    assert!(matches!(error, ServeError::Listen { address, .. } if address == host.api));
    assert!(error.to_string().contains(&host.api.to_string()), "{error}");
}
