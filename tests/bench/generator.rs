//! Sends one request over and over on many connections, each waiting for its answer before the
//! next, and notes how long each took.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer is looked for this long, then something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
pub struct LoadResult {
    /// Of answers 200, sorted.
    took: Vec<Duration>,
    /// Answers 503: turned away, to come again.
    pub busy: usize,
}

impl LoadResult {
    pub fn percentile(&self, percent: usize) -> Duration {
        self.took
            .get((self.took.len() * percent / 100).min(self.took.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    pub fn answered(&self) -> usize {
        self.took.len()
    }
}

/// `each` requests on every one of so many connections.
pub async fn load(
    to: SocketAddr,
    request: &str,
    connections: usize,
    each: usize,
) -> Result<LoadResult> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        open.push(stream);
    }
    let request: std::sync::Arc<str> = request.into();
    let tasks: Vec<_> = open
        .into_iter()
        .map(|stream| tokio::spawn(one(stream, request.clone(), each)))
        .collect();
    let mut all = LoadResult {
        took: Vec::new(),
        busy: 0,
    };
    for task in tasks {
        let part = task.await??;
        all.took.extend(part.took);
        all.busy += part.busy;
    }
    all.took.sort();
    Ok(all)
}

async fn one(
    mut stream: TcpStream,
    request: std::sync::Arc<str>,
    each: usize,
) -> Result<LoadResult> {
    let mut part = LoadResult {
        took: Vec::with_capacity(each),
        busy: 0,
    };
    let mut buffer = Vec::new();
    for _ in 0..each {
        let start = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        tokio::time::timeout(PATIENCE, answer(&mut stream, &mut buffer))
            .await
            .context("no answer")??;
        match buffer.get(9..12) {
            Some(b"200") => part.took.push(start.elapsed()),
            Some(b"503") => part.busy += 1,
            _ => bail!("{}", String::from_utf8_lossy(&buffer)),
        }
    }
    Ok(part)
}

/// One whole answer into the buffer.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    let mut whole = None;
    while whole.is_none_or(|whole| buffer.len() < whole) {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the connection ended in the middle of an answer");
        }
        if whole.is_none()
            && let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&buffer[..end])?;
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .context("no length")?;
            whole = Some(end + 4 + length.parse::<usize>()?);
        }
    }
    Ok(())
}
