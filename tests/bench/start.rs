//! From exec to the first 200, and memory at rest, of `stampede serve` with all bundled plugins.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use stampede_tests::{artifacts, usage::memory_mib};

use crate::figures::SampleFigures;

const RUNS: usize = 15;

pub async fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let warm = answered(scratch.path())?; // compiles the plugins into the cache
    println!(
        "start, empty cache: {:.1} ms from exec to the first 200 (plugins are compiled)",
        warm.1.as_secs_f64() * 1e3
    );
    let mut samples = Vec::new();
    for _ in 0..RUNS {
        let (mut child, took) = answered(scratch.path())?;
        samples.push(took);
        child.kill()?;
        child.wait()?;
    }
    let figures = SampleFigures::new(&samples);
    println!(
        "start, warm cache: {figures}; reach 50 ms, {:.2} of it",
        figures.median() / 50.0
    );

    let mut idle = warm.0;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (rss, pss) = memory_mib(idle.id())?;
    println!(
        "memory at rest, the run that compiled the plugins: {rss:.1} MiB resident, {pss:.1} MiB proportional"
    );
    idle.kill()?;
    idle.wait()?;
    let (mut idle, _) = answered(scratch.path())?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (rss, pss) = memory_mib(idle.id())?;
    println!(
        "memory at rest, from the cache: {rss:.1} MiB resident, {pss:.1} MiB proportional; reach 64 MiB, {:.2} of it",
        rss / 64.0
    );
    idle.kill()?;
    idle.wait()?;
    Ok(())
}

/// Starts a host and asks until it answers.
fn answered(data: &Path) -> Result<(Child, Duration)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let start = Instant::now();
    let mut child = Command::new(artifacts::stampede_binary()?)
        .args([
            "serve",
            "--admin-listen",
            "127.0.0.1:0",
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--data-dir",
        ])
        .arg(data)
        .arg("--cache")
        .arg(data.join("cache"))
        .arg("--plugins")
        .arg(artifacts::plugins_folder()?)
        .env("DESIGN_URI", "http://127.0.0.1:9/v3")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait()? {
            bail!("the host ended with {status}");
        }
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Auth-Token: t\r\nX-Tenant-Name: p\r\nConnection: close\r\n\r\n")?;
            let mut head = [0_u8; 12];
            stream.read_exact(&mut head)?;
            if &head != b"HTTP/1.1 200" {
                bail!("the first answer is {}", String::from_utf8_lossy(&head));
            }
            return Ok((child, start.elapsed()));
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    bail!("no answer within 60 s")
}
