//! What slow clients cost others: latency of GETs alone, beside a thousand idle connections, and
//! beside clients that send and read as slowly as they can.

use std::time::Duration;

use anyhow::Result;
use stampede_tests::usage::{memory_mib, processor_time};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::generator::{answer, load};
use crate::served::BenchHost;

const IDLE: usize = 1_000;
const SLOW: usize = 500;
/// Of those who are measured.
const CONNECTIONS: usize = 8;
const EACH: usize = 1_000;

pub async fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let served = BenchHost::start(scratch.path()).await?;
    measure(&served, "alone").await?;
    {
        let idle = idle(&served).await?;
        measure(&served, &format!("beside {IDLE} idle connections")).await?;
        let (at, before) = (
            std::time::Instant::now(),
            processor_time(served.host.pid()?)?,
        );
        tokio::time::sleep(Duration::from_secs(3)).await;
        let share = 100.0 * (processor_time(served.host.pid()?)? - before).as_secs_f64()
            / at.elapsed().as_secs_f64();
        let (rss, _) = memory_mib(served.host.pid()?)?;
        println!(
            "slow: {} idle connections cost {share:.2} % of a CPU and are part of {rss:.1} MiB resident",
            idle.len()
        );
    }
    let slow: Vec<_> = (0..SLOW)
        .map(|_| tokio::spawn(drip(served.at, served.get("deployed", "text/plain"))))
        .collect();
    measure(
        &served,
        &format!("beside {SLOW} clients that send a byte every 50 ms"),
    )
    .await?;
    slow.iter().for_each(tokio::task::JoinHandle::abort);
    let deaf: Vec<_> = (0..SLOW)
        .map(|_| {
            tokio::spawn(deaf(
                served.at,
                served.get("deployed", "application/occi+json"),
            ))
        })
        .collect();
    // until they all wait for one another
    tokio::time::sleep(Duration::from_secs(10)).await;
    measure(
        &served,
        &format!("beside {SLOW} clients that do not read their answers"),
    )
    .await?;
    deaf.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

async fn measure(served: &BenchHost, how: &str) -> Result<()> {
    let load = load(
        served.at,
        &served.get("initialised", "application/occi+json"),
        CONNECTIONS,
        EACH,
    )
    .await?;
    let ms = |percent| load.percentile(percent).as_secs_f64() * 1e3;
    println!(
        "slow: {} GETs on {CONNECTIONS} connections {how}: p50 {:.2} ms, p99 {:.2} ms",
        load.answered(),
        ms(50),
        ms(99)
    );
    Ok(())
}

/// Connections that have had one answer and ask for nothing more.
async fn idle(served: &BenchHost) -> Result<Vec<TcpStream>> {
    let (request, mut buffer, mut open) = (
        served.get("initialised", "text/plain"),
        Vec::new(),
        Vec::new(),
    );
    for _ in 0..IDLE {
        let mut stream = TcpStream::connect(served.at).await?;
        stream.write_all(request.as_bytes()).await?;
        answer(&mut stream, &mut buffer).await?;
        open.push(stream);
    }
    Ok(open)
}

async fn drip(at: std::net::SocketAddr, request: String) -> Result<()> {
    loop {
        let mut stream = TcpStream::connect(at).await?;
        for byte in request.as_bytes() {
            stream.write_all(&[*byte]).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Asks until nothing more can be sent, since no answer is taken.
async fn deaf(at: std::net::SocketAddr, request: String) -> Result<()> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(at).await?;
    loop {
        stream.write_all(request.as_bytes()).await?;
    }
}
